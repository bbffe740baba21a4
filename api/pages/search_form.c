/* The form of the search page, and its filters as addresses. */
#include "api/pages/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/index/search.h"

static const char *given(const struct exchange *x, const char *name)
{
	const char *v = http_query(x, name);

	return v && v[strspn(v, " ")] ? v : NULL;
}

void wanted_read(const struct exchange *x, struct wanted *w)
{
	*w = (struct wanted){
	    .q = given(x, "q"),
	    .type = given(x, "type"),
	    .unit = given(x, "unit"),
	    .language = given(x, "language"),
	    .county = given(x, "county"),
	    .author = given(x, "author"),
	    .publicity = given(x, "publicity"),
	    .like = given(x, "like"),
	    .sort = given(x, "sort"),
	    .cursor = given(x, "cursor"),
	    .group = given(x, "group") != NULL,
	    .from = given(x, "from"),
	    .to = given(x, "to"),
	};
	w->from_wrong = w->from && !i18n_date_read(w->from, w->from_iso);
	w->to_wrong = w->to && !i18n_date_read(w->to, w->to_iso);
}

void wanted_url(const struct page *p, const struct wanted *w, struct buf *url)
{
	buf_clear(url);
	buf_addf(url, "/%s/", i18n_code(p->language));
	url_add(url, "q", w->q);
	url_add(url, "type", w->type);
	url_add(url, "unit", w->unit);
	url_add(url, "language", w->language);
	url_add(url, "from", w->from);
	url_add(url, "to", w->to);
	url_add(url, "sort", w->sort);
	url_add(url, "county", w->county);
	url_add(url, "author", w->author);
	url_add(url, "publicity", w->publicity);
	url_add(url, "like", w->like);
	url_add(url, "group", w->group ? "true" : NULL);
	url_add(url, "cursor", w->cursor);
}

/* ---- the form ---- */

static int by_name(const void *a, const void *b, void *arg)
{
	const enum http_language *language = arg;

	return strcmp(i18n_name(*language, *(json_t *const *)a, NULL),
	    i18n_name(*language, *(json_t *const *)b, NULL));
}

static void write_option(struct page *p, const char *value, const char *name, const char *chosen)
{
	html_put(&p->h, "<option value=\"$\"", value);
	if (chosen && strcmp(chosen, value) == 0)
		html_raw(&p->h, " selected");
	html_put(&p->h, ">$</option>", name);
}

static void write_types(struct page *p, const char *chosen)
{
	json_t *all = registry_all(archive_registry(app_of(p->x)->archive), "types");
	size_t n = json_array_size(all);
	json_t **sorted = calloc(n ? n : 1, sizeof(json_t *));

	html_put(&p->h,
	    "<div class=\"field\"><label for=\"type\">$</label><select id=\"type\" name=\"type\">",
	    say(p, SAY_TYPE));
	write_option(p, "", say(p, SAY_ANY), NULL);
	for (size_t i = 0; sorted && i < n; i++)
		sorted[i] = json_array_get(all, i);
	if (sorted)
		qsort_r(sorted, n, sizeof(json_t *), by_name, &p->language);
	for (size_t i = 0; sorted && i < n; i++)
		write_option(
		    p, json_text(sorted[i], "id"), i18n_name(p->language, sorted[i], NULL), chosen);
	html_raw(&p->h, "</select></div>");
	free(sorted);
	json_decref(all);
}

static void write_language(struct page *p, const char *chosen)
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"language\">$</label>"
	    "<select id=\"language\" name=\"language\">",
	    say(p, SAY_DOCUMENT_LANGUAGE));
	write_option(p, "", say(p, SAY_ANY), NULL);
	for (int i = 0; i < I18N_LANGUAGES; i++) {
		const char *code = i18n_code((enum http_language)i);

		write_option(p, code, i18n_language_name(p->language, code), chosen);
	}
	html_raw(&p->h, "</select></div>");
}

static void write_date_field(
    struct page *p, const char *name, enum say label, const char *typed, bool wrong)
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"$\">$</label><p class=\"hint\" id=\"$-help\">$</p>",
	    name, say(p, label), name, say(p, SAY_DATE_HELP));
	if (wrong)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-wrong\"><span class=\"hidden\">$: </span>$</p>",
		    name, say(p, SAY_ERROR), say(p, SAY_DATE_WRONG));
	html_put(&p->h,
	    "<input id=\"$\" name=\"$\" value=\"$\" maxlength=\"20\" size=\"12\" "
	    "autocomplete=\"off\"",
	    name, name, typed);
	if (wrong)
		html_put(&p->h, " aria-invalid=\"true\" aria-describedby=\"$-wrong $-help\"></div>",
		    name, name);
	else
		html_put(&p->h, " aria-describedby=\"$-help\"></div>", name);
}

static void write_group(struct page *p, bool chosen)
{
	html_raw(&p->h,
	    "<div class=\"field\"><label><input type=\"checkbox\" name=\"group\" value=\"true\"");
	if (chosen)
		html_raw(&p->h, " checked");
	html_put(&p->h, "> $</label></div>", say(p, SAY_GROUP));
}

static void write_kept(struct page *p, const char *name, const char *value)
{
	if (value)
		html_put(&p->h, "<input type=\"hidden\" name=\"$\" value=\"$\">", name, value);
}

void search_form(struct page *p, const struct wanted *w)
{
	html_put(&p->h,
	    "<form class=\"search\" role=\"search\" method=\"get\" action=\"/$/\">"
	    "<div class=\"field\"><label for=\"q\">$</label><p class=\"hint\" id=\"q-help\">$</p>"
	    "<div class=\"ask\"><input type=\"search\" id=\"q\" name=\"q\" value=\"$\" "
	    "maxlength=\"1000\" "
	    "aria-describedby=\"q-help\" dir=\"auto\"><button>$</button></div></div>",
	    i18n_code(p->language), say(p, SAY_SEARCH_WORDS), say(p, SAY_SEARCH_HELP), w->q,
	    say(p, SAY_SEARCH_DO));
	html_raw(&p->h, "<details");
	if (w->from_wrong || w->to_wrong)
		html_raw(&p->h, " open");
	html_put(&p->h, "><summary>$</summary><div class=\"fields\">", say(p, SAY_NARROW));
	write_types(p, w->type);
	write_language(p, w->language);
	write_date_field(p, "from", SAY_FROM, w->from, w->from_wrong);
	write_date_field(p, "to", SAY_TO, w->to, w->to_wrong);
	write_group(p, w->group);
	html_raw(&p->h, "</div></details>");
	write_kept(p, "unit", w->unit);
	write_kept(p, "county", w->county);
	write_kept(p, "author", w->author);
	write_kept(p, "publicity", w->publicity);
	write_kept(p, "like", w->like);
	write_kept(p, "sort", w->sort);
	html_raw(&p->h, "</form>");
}

void wanted_errors(struct page *p, const struct wanted *w)
{
	html_put(
	    &p->h, "<div class=\"errors\" role=\"alert\"><h2>$</h2><ul>", say(p, SAY_SEARCH_WRONG));
	if (w->from_wrong)
		html_put(&p->h, "<li><a href=\"#from\">$: $</a></li>", say(p, SAY_FROM),
		    say(p, SAY_DATE_WRONG));
	if (w->to_wrong)
		html_put(&p->h, "<li><a href=\"#to\">$: $</a></li>", say(p, SAY_TO),
		    say(p, SAY_DATE_WRONG));
	html_raw(&p->h, "</ul></div>");
}

/* ---- chosen filters ---- */

static void write_chip(
    struct page *p, const struct wanted *without, enum say label, const char *value)
{
	struct buf url = BUF_INIT;

	wanted_url(p, without, &url);
	html_put(&p->h, "<li><a class=\"chip\" href=\"$\"><span class=\"hidden\">", url.data);
	page_say(p, SAY_REMOVE, say(p, label), value);
	html_put(&p->h, "</span><span aria-hidden=\"true\">$: $ <b>×</b></span></a></li>",
	    say(p, label), value);
	buf_free(&url);
}

static void write_date_chip(
    struct page *p, const struct wanted *without, enum say label, const char *iso)
{
	char date[I18N_SIZE];

	i18n_date(date, iso);
	write_chip(p, without, label, date);
}

bool wanted_narrow(const struct wanted *w)
{
	return w->type || w->unit || w->language || w->county || w->author || w->publicity ||
	       w->like || w->from || w->to;
}

/* A copy without one thing, from the first page on. */
#define WITHOUT(n, w, member) ((n) = *(w), (n).cursor = NULL, (n).member = NULL)

static void write_record_chip(
    struct page *p, const struct wanted *without, enum say label, const char *kind, const char *id)
{
	struct buf name = BUF_INIT;

	name_add(p, &name, kind, id);
	write_chip(p, without, label, name.data);
	buf_free(&name);
}

static void write_word_chips(struct page *p, const struct wanted *w)
{
	struct wanted n;

	if (w->language) {
		const char *said = i18n_language_name(p->language, w->language);

		WITHOUT(n, w, language);
		write_chip(p, &n, SAY_DOCUMENT_LANGUAGE, said ? said : w->language);
	}
	if (w->county) {
		WITHOUT(n, w, county);
		write_chip(p, &n, SAY_COUNTY_LABEL, w->county);
	}
	if (w->publicity) {
		WITHOUT(n, w, publicity);
		write_chip(p, &n, SAY_PUBLICITY, say(p, publicity_said(w->publicity)));
	}
	if (w->like) {
		WITHOUT(n, w, like);
		write_chip(p, &n, SAY_LIKE, say(p, SAY_LIKE_ONE));
	}
	if (w->from) {
		WITHOUT(n, w, from);
		write_date_chip(p, &n, SAY_FROM, w->from_iso);
	}
	if (w->to) {
		WITHOUT(n, w, to);
		write_date_chip(p, &n, SAY_TO, w->to_iso);
	}
}

void search_chosen(struct page *p, const struct wanted *w)
{
	struct wanted bare = {.q = w->q, .sort = w->sort, .group = w->group}, n;
	struct buf url = BUF_INIT;

	if (!wanted_narrow(w))
		return;
	html_put(&p->h, "<h2 class=\"hidden\">$</h2><ul class=\"chips\">", say(p, SAY_CHOSEN));
	if (w->type) {
		WITHOUT(n, w, type);
		write_record_chip(p, &n, SAY_TYPE, "types", w->type);
	}
	if (w->unit) {
		WITHOUT(n, w, unit);
		write_record_chip(p, &n, SAY_UNIT, "units", w->unit);
	}
	if (w->author) {
		WITHOUT(n, w, author);
		write_record_chip(p, &n, SAY_AUTHOR, "orgs", w->author);
	}
	write_word_chips(p, w);
	wanted_url(p, &bare, &url);
	html_put(&p->h, "<li><a href=\"$\">$</a></li></ul>", url.data, say(p, SAY_REMOVE_ALL));
	buf_free(&url);
}
