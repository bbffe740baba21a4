/* Finding a unit in the register, which every account may read: by name, also an earlier one, and by what it offers. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/pages.h"
#include "api/pages/units.h"
#include "arkki/base/json.h"

enum { UNITS_A_PAGE = 50, PAGES_MAX = 9999 };

struct sought {
	const char *name, *county, *form, *language; /* NULL: any */
	bool free;
	char *folded;
	size_t page;
};

struct found_unit {
	json_t *record; /* borrowed from the array of all */
	const char *name;
	const char *earlier; /* that was found, or NULL */
	char *key;
};

static const char *asked(const struct exchange *x, const char *name)
{
	const char *v = http_query(x, name);

	return v && v[strspn(v, " ")] ? v : NULL;
}

static void read_sought(const struct exchange *x, struct sought *s)
{
	const char *page = http_query(x, "page");
	unsigned long n = page && strspn(page, "0123456789") == strlen(page) && strlen(page) <= 4
			      ? strtoul(page, NULL, 10)
			      : 1;

	*s = (struct sought){.name = asked(x, "name"),
	    .county = asked(x, "county"),
	    .form = asked(x, "form"),
	    .language = asked(x, "language"),
	    .free = asked(x, "free") != NULL,
	    .page = n >= 1 && n <= PAGES_MAX ? n : 1};
	s->folded = s->name ? g_utf8_casefold(s->name, -1) : NULL;
	if (s->folded)
		g_strstrip(s->folded);
}

/* ---- which ---- */

static bool holds(const char *text, const char *folded)
{
	char *mine = text ? g_utf8_casefold(text, -1) : NULL;
	bool found = mine && strstr(mine, folded);

	g_free(mine);
	return found;
}

/* In any language of the record's name; what it is found by. */
static const char *name_found(const json_t *record, const char *folded)
{
	static const char *const codes[] = {"fi", "sv", "en"};
	const json_t *name = json_object_get(record, "name");

	if (json_is_string(name))
		return holds(json_string_value(name), folded) ? json_string_value(name) : NULL;
	for (size_t i = 0; i < 3; i++)
		if (holds(json_text(name, codes[i]), folded))
			return json_text(name, codes[i]);
	return NULL;
}

static bool named(const json_t *unit, const struct sought *s, const char **ret_earlier)
{
	const json_t *one;
	size_t i;

	*ret_earlier = NULL;
	if (!s->folded || !*s->folded || name_found(unit, s->folded) ||
	    strcmp(json_text(unit, "id"), s->folded) == 0)
		return true;
	json_array_foreach(json_object_get(unit, "names"), i, one)
	{
		*ret_earlier = name_found(one, s->folded);
		if (*ret_earlier)
			return true;
	}
	return false;
}

static bool is(const json_t *unit, const char *field, const char *want)
{
	const char *value = json_text(unit, field);

	return !want || (value && strcmp(value, want) == 0);
}

static bool speaks(const json_t *unit, const char *want)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(unit, "languages"), i, one)
	{
		if (want && json_is_string(one) && strcmp(json_string_value(one), want) == 0)
			return true;
	}
	return !want;
}

static bool has_free(struct registry *r, const json_t *unit)
{
	json_t *v = registry_get(r, "vacancies", json_text(unit, "id"));
	bool free_places = json_integer_value(json_object_get(v, "freePlaces")) > 0;

	json_decref(v);
	return free_places;
}

static int by_name(const void *a, const void *b)
{
	const struct found_unit *x = a, *y = b;
	int order = strcmp(x->key ? x->key : "", y->key ? y->key : "");

	return order ? order : strcmp(json_text(x->record, "id"), json_text(y->record, "id"));
}

/* NULL: no memory. */
static struct found_unit *find(
    const struct page *p, const json_t *all, const struct sought *s, size_t *ret_n)
{
	struct registry *r = archive_registry(app_of(p->x)->archive);
	struct found_unit *list = calloc(json_array_size(all) + 1, sizeof(*list));
	json_t *unit;
	size_t i, n = 0;

	json_array_foreach(all, i, unit)
	{
		const char *earlier;

		if (!list || !is(unit, "county", s->county) || !is(unit, "serviceForm", s->form) ||
		    !speaks(unit, s->language) || !named(unit, s, &earlier) ||
		    (s->free && !has_free(r, unit)))
			continue;
		list[n] = (struct found_unit){.record = unit, .earlier = earlier};
		list[n].name = i18n_name(p->language, unit, NULL);
		list[n].key = g_utf8_casefold(list[n].name, -1);
		n++;
	}
	if (list)
		qsort(list, n, sizeof(*list), by_name);
	*ret_n = n;
	return list;
}

static void found_free(struct found_unit *list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		g_free(list[i].key);
	free(list);
}

/* ---- the form ---- */

struct choice {
	const char *value;
	char *label;
};

static int by_label(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	return strcmp(x->label ? x->label : "", y->label ? y->label : "");
}

static bool is_among(const struct choice *list, size_t n, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].value, value) == 0)
			return true;
	return false;
}

static char *label_of(const struct page *p, const char *field, const char *value)
{
	const struct words w = page_words(p);
	struct buf out = BUF_INIT;

	if (strcmp(field, "county") == 0)
		words_county(&w, &out, value);
	else
		buf_adds(&out, words_service_form(p->language, value));
	return buf_failed(&out) ? NULL : buf_take(&out, NULL);
}

/* What the units of the register have in this field. */
static void write_select(struct page *p, const json_t *all, const char *field, const char *name,
    enum say label, const char *chosen)
{
	struct choice *list = calloc(json_array_size(all) + 1, sizeof(*list));
	json_t *unit;
	size_t i, n = 0;

	json_array_foreach(all, i, unit)
	{
		const char *value = json_text(unit, field);

		if (!list || !value || is_among(list, n, value))
			continue;
		list[n].value = value;
		list[n++].label = label_of(p, field, value);
	}
	if (list)
		qsort(list, n, sizeof(*list), by_label);
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"$\">$</label><select id=\"$\" name=\"$\">"
	    "<option value=\"\">$</option>",
	    name, say(p, label), name, name, say(p, SAY_ANY));
	for (i = 0; i < n; i++) {
		html_put(&p->h, "<option value=\"$\"", list[i].value);
		if (chosen && strcmp(chosen, list[i].value) == 0)
			html_raw(&p->h, " selected");
		html_put(&p->h, ">$</option>", list[i].label);
		free(list[i].label);
	}
	html_raw(&p->h, "</select></div>");
	free(list);
}

static void write_languages(struct page *p, const char *chosen)
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"language\">$</label><select id=\"language\" "
	    "name=\"language\"><option value=\"\">$</option>",
	    say(p, SAY_UNITS_LANGUAGE), say(p, SAY_ANY));
	for (int i = 0; i < I18N_LANGUAGES; i++) {
		const char *code = i18n_code((enum http_language)i);

		html_put(&p->h, "<option value=\"$\"", code);
		if (chosen && strcmp(chosen, code) == 0)
			html_raw(&p->h, " selected");
		html_put(&p->h, ">$</option>", i18n_language_name(p->language, code));
	}
	html_raw(&p->h, "</select></div>");
}

static void write_form(struct page *p, const json_t *all, const struct sought *s)
{
	html_put(&p->h,
	    "<form class=\"search\" method=\"get\" action=\"/$/units\" role=\"search\">"
	    "<label for=\"name\">$</label><p class=\"hint\" id=\"name-help\">$</p>"
	    "<div class=\"ask\"><input type=\"search\" id=\"name\" name=\"name\" value=\"$\" "
	    "maxlength=\"200\" dir=\"auto\" aria-describedby=\"name-help\">"
	    "<button>$</button></div><div class=\"fields\">",
	    i18n_code(p->language), say(p, SAY_UNITS_NAME), say(p, SAY_UNITS_NAME_HELP), s->name,
	    say(p, SAY_SEARCH_DO));
	write_select(p, all, "county", "county", SAY_COUNTY_LABEL, s->county);
	write_select(p, all, "serviceForm", "form", SAY_SERVICE_FORM, s->form);
	write_languages(p, s->language);
	html_raw(&p->h, "</div><div class=\"choice\"><input type=\"checkbox\" id=\"free\" "
			"name=\"free\" value=\"yes\"");
	if (s->free)
		html_raw(&p->h, " checked");
	html_put(&p->h, "><label for=\"free\">$</label></div></form>", say(p, SAY_UNITS_FREE));
}

/* ---- the list ---- */

static void write_unit(struct page *p, const struct found_unit *u)
{
	const struct words w = page_words(p);
	const char *id = json_text(u->record, "id"), *form = json_text(u->record, "serviceForm"),
		   *org = json_text(u->record, "provider"),
		   *county = json_text(u->record, "county");
	struct buf text = BUF_INIT;

	html_put(
	    &p->h, "<li class=\"hit\"><h2><a href=\"/$/units/$\">", i18n_code(p->language), id);
	page_name(p, "units", id);
	html_raw(&p->h, "</a></h2><p class=\"facts\">");
	if (form)
		html_put(&p->h, "<span>$</span> ", words_service_form(p->language, form));
	if (org) {
		html_raw(&p->h, "<span>");
		page_name(p, "orgs", org);
		html_raw(&p->h, "</span> ");
	}
	if (county) {
		words_county(&w, &text, county);
		html_put(&p->h, "<span dir=\"auto\">$</span>", text.data);
	}
	html_raw(&p->h, "</p>");
	if (u->earlier) {
		html_raw(&p->h, "<p class=\"facts\" dir=\"auto\">");
		page_say(p, SAY_UNITS_EARLIER, u->earlier);
		html_raw(&p->h, "</p>");
	}
	html_raw(&p->h, "</li>");
	buf_free(&text);
}

static void write_turn(
    struct page *p, const struct sought *s, size_t page, const char *rel, enum say label)
{
	struct buf url = BUF_INIT;
	char number[24];

	snprintf(number, sizeof(number), "%zu", page);
	buf_addf(&url, "/%s/units", i18n_code(p->language));
	url_add(&url, "name", s->name);
	url_add(&url, "county", s->county);
	url_add(&url, "form", s->form);
	url_add(&url, "language", s->language);
	url_add(&url, "free", s->free ? "yes" : NULL);
	url_add(&url, "page", number);
	html_put(&p->h, "<li><a rel=\"$\" href=\"$\">$</a></li>", rel, url.data, say(p, label));
	buf_free(&url);
}

static void write_turns(struct page *p, const struct sought *s, size_t n)
{
	size_t pages = (n + UNITS_A_PAGE - 1) / UNITS_A_PAGE;
	char at[I18N_SIZE], of[I18N_SIZE];

	if (pages < 2 || s->page > pages)
		return;
	i18n_number(at, p->language, s->page);
	i18n_number(of, p->language, pages);
	html_put(&p->h, "<nav class=\"turn\" aria-label=\"$\"><ul>", say(p, SAY_PAGES));
	if (s->page > 1)
		write_turn(p, s, s->page - 1, "prev", SAY_PREVIOUS);
	html_raw(&p->h, "<li>");
	page_say(p, SAY_PAGE_OF, at, of);
	html_raw(&p->h, "</li>");
	if (s->page < pages)
		write_turn(p, s, s->page + 1, "next", SAY_NEXT);
	html_raw(&p->h, "</ul></nav>");
}

static void write_list(
    struct page *p, const struct sought *s, const struct found_unit *list, size_t n)
{
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	html_raw(&p->h, "<p class=\"over\" role=\"status\">");
	page_say(p, i18n_plural(SAY_UNITS_FOUND, n), count);
	html_raw(&p->h, "</p>");
	if (!n)
		html_put(&p->h, "<p>$</p>", say(p, SAY_UNITS_NOTHING));
	html_raw(&p->h, "<ul class=\"hits\">");
	for (size_t i = (s->page - 1) * UNITS_A_PAGE; i < n && i < s->page * UNITS_A_PAGE; i++)
		write_unit(p, &list[i]);
	html_raw(&p->h, "</ul>");
	write_turns(p, s, n);
}

void page_units_find(struct exchange *x)
{
	json_t *all = registry_all(archive_registry(app_of(x)->archive), "units");
	enum http_language language = HTTP_FI;
	struct found_unit *list;
	struct sought s;
	struct page p;
	size_t n = 0;

	page_language(x, &language);
	read_sought(x, &s);
	page_begin(&p, x, i18n_text(language, SAY_UNITS_FIND));
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_UNITS_FIND));
	write_form(&p, all, &s);
	list = all ? find(&p, all, &s, &n) : NULL;
	if (list)
		write_list(&p, &s, list, n);
	else
		p.h.out.failed = true;
	page_end(&p, 200);
	found_free(list, n);
	g_free(s.folded);
	json_decref(all);
}
