/* The form of the search page, and its filters as addresses. */
#include "api/pages/search.h"

#include <stddef.h>
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

static const struct part {
	const char *name;
	size_t at;
	bool asked; /* by the search form itself, not carried on in it */
} parts[] = {
    {"q", offsetof(struct wanted, q), true},
    {"type", offsetof(struct wanted, type), true},
    {"unit", offsetof(struct wanted, unit), false},
    {"language", offsetof(struct wanted, language), true},
    {"from", offsetof(struct wanted, from), true},
    {"to", offsetof(struct wanted, to), true},
    {"sort", offsetof(struct wanted, sort), false},
    {"county", offsetof(struct wanted, county), false},
    {"author", offsetof(struct wanted, author), false},
    {"publicity", offsetof(struct wanted, publicity), false},
    {"case", offsetof(struct wanted, case_id), false},
    {"municipality", offsetof(struct wanted, municipality), false},
    {"year", offsetof(struct wanted, year), false},
    {"like", offsetof(struct wanted, like), false},
    {"cursor", offsetof(struct wanted, cursor), true},
};
enum { PARTS = sizeof(parts) / sizeof(*parts) };

static const char **part_of(struct wanted *w, size_t i)
{
	return (const char **)(void *)((char *)w + parts[i].at);
}

static const char *part(const struct wanted *w, size_t i)
{
	return *(const char *const *)(const void *)((const char *)w + parts[i].at);
}

static void settle_dates(struct wanted *w)
{
	w->from_wrong = w->from && !i18n_date_read(w->from, w->from_iso);
	w->to_wrong = w->to && !i18n_date_read(w->to, w->to_iso);
}

void wanted_read(const struct exchange *x, struct wanted *w)
{
	*w = (struct wanted){
	    .group = given(x, "group") != NULL,
	    .versions_all = given(x, "versions") != NULL,
	};
	for (size_t i = 0; i < PARTS; i++)
		*part_of(w, i) = given(x, parts[i].name);
	settle_dates(w);
}

void wanted_saved(const json_t *query, struct wanted *w)
{
	const char *versions = json_text(query, "versions"), *group = json_text(query, "group");

	*w = (struct wanted){
	    .group = json_is_true(json_object_get(query, "group")) ||
		     (group && strcmp(group, "true") == 0),
	    .versions_all = versions && strcmp(versions, "all") == 0,
	};
	for (size_t i = 0; i < PARTS; i++) {
		const char *text = json_text(query, parts[i].name);

		*part_of(w, i) = text && *text ? text : NULL;
	}
	settle_dates(w);
}

struct search_asked wanted_asked(const struct wanted *w)
{
	return (struct search_asked){
	    .q = w->q,
	    .unit = w->unit,
	    .case_id = w->case_id,
	    .type = w->type,
	    .county = w->county,
	    .municipality = w->municipality,
	    .author = w->author,
	    .language = w->language,
	    .publicity = w->publicity,
	    .year = w->year,
	    .from = w->from ? w->from_iso : NULL,
	    .to = w->to ? w->to_iso : NULL,
	    .like = w->like,
	    .cursor = w->cursor,
	    .by_date = (!w->q && !w->like) || (w->sort && strcmp(w->sort, "date") == 0),
	    .versions_all = w->versions_all,
	    .group = w->group,
	    .limit = HITS_A_PAGE,
	};
}

void wanted_url(const struct page *p, const struct wanted *w, struct buf *url)
{
	buf_clear(url);
	buf_addf(url, "/%s/", i18n_code(p->language));
	for (size_t i = 0; i < PARTS; i++)
		if (strcmp(parts[i].name, "cursor") != 0)
			url_add(url, parts[i].name, part(w, i));
	url_add(url, "group", w->group ? "true" : NULL);
	url_add(url, "versions", w->versions_all ? "all" : NULL);
	url_add(url, "cursor", w->cursor);
}

static void write_hidden(struct page *p, const char *name, const char *value)
{
	if (value)
		html_put(&p->h, "<input type=\"hidden\" name=\"$\" value=\"$\">", name, value);
}

void wanted_fields(struct page *p, const struct wanted *w, bool whole)
{
	for (size_t i = 0; i < PARTS; i++) {
		const char *value = part(w, i);

		if (parts[i].asked && (!whole || strcmp(parts[i].name, "cursor") == 0))
			continue;
		/* as a program reads them: a saved search is one for programs too */
		if (whole && value && parts[i].at == offsetof(struct wanted, from))
			value = w->from_iso;
		if (whole && value && parts[i].at == offsetof(struct wanted, to))
			value = w->to_iso;
		write_hidden(p, parts[i].name, value);
	}
	if (whole) {
		write_hidden(p, "group", w->group ? "true" : NULL);
		write_hidden(p, "versions", w->versions_all ? "all" : NULL);
	}
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

static void write_choice(
    struct page *p, const char *name, const char *value, enum say label, bool chosen)
{
	html_put(&p->h,
	    "<div class=\"choice\"><input type=\"checkbox\" id=\"$\" name=\"$\" value=\"$\"", name,
	    name, value);
	if (chosen)
		html_raw(&p->h, " checked");
	html_put(&p->h, "><label for=\"$\">$</label></div>", name, say(p, label));
}

static void write_help(struct page *p)
{
	static const struct {
		enum say typed, means;
	} rows[] = {
	    {SAY_HELP_PHRASE_AS, SAY_HELP_PHRASE},
	    {SAY_HELP_MUST_AS, SAY_HELP_MUST},
	    {SAY_HELP_LOGIC_AS, SAY_HELP_LOGIC},
	    {SAY_HELP_WILDCARD_AS, SAY_HELP_WILDCARD},
	    {SAY_HELP_FIELD_AS, SAY_HELP_FIELD},
	    {SAY_HELP_NUMBER_AS, SAY_HELP_NUMBER},
	};

	html_put(&p->h, "<details><summary>$</summary><dl class=\"facts\">", say(p, SAY_HELP));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		html_put(&p->h, "<div><dt class=\"code\">$</dt><dd>$</dd></div>",
		    say(p, rows[i].typed), say(p, rows[i].means));
	html_raw(&p->h, "</dl></details>");
}

void search_form(struct page *p, const struct wanted *w)
{
	html_put(&p->h,
	    "<form class=\"search\" role=\"search\" method=\"get\" action=\"/$/\">"
	    "<div class=\"field\"><label for=\"q\">$</label><p class=\"hint\" id=\"q-help\">$</p>"
	    "<div class=\"ask\"><input type=\"search\" id=\"q\" name=\"q\" value=\"$\" "
	    "maxlength=\"1000\" "
	    "aria-describedby=\"q-help\" dir=\"auto\" list=\"suggestions\">"
	    "<button>$</button></div><datalist id=\"suggestions\" data-from=\"/$/suggest\">"
	    "</datalist></div>",
	    i18n_code(p->language), say(p, SAY_SEARCH_WORDS), say(p, SAY_SEARCH_HELP), w->q,
	    say(p, SAY_SEARCH_DO), i18n_code(p->language));
	html_raw(&p->h, "<details");
	if (w->from_wrong || w->to_wrong)
		html_raw(&p->h, " open");
	html_put(&p->h, "><summary>$</summary><div class=\"fields\">", say(p, SAY_NARROW));
	write_types(p, w->type);
	write_language(p, w->language);
	write_date_field(p, "from", SAY_FROM, w->from, w->from_wrong);
	write_date_field(p, "to", SAY_TO, w->to, w->to_wrong);
	html_raw(&p->h, "</div>");
	write_choice(p, "group", "true", SAY_GROUP, w->group);
	write_choice(p, "versions", "all", SAY_VERSIONS_ALL, w->versions_all);
	html_raw(&p->h, "</details>");
	write_help(p);
	wanted_fields(p, w, false);
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

/* name: of the filter, as in the address. */
static void write_chip(struct page *p, const struct wanted *without, const char *name,
    enum say label, const char *value)
{
	struct buf url = BUF_INIT;

	if (without->plain) {
		html_put(&p->h, "<li>$: $</li>", say(p, label), value);
		return;
	}
	wanted_url(p, without, &url);
	html_put(&p->h,
	    "<li><a class=\"chip refine\" data-keep=\"$\" href=\"$\"><span class=\"hidden\">", name,
	    url.data);
	page_say(p, SAY_REMOVE, say(p, label), value);
	html_put(&p->h, "</span><span aria-hidden=\"true\">$: $ <b>×</b></span></a></li>",
	    say(p, label), value);
	buf_free(&url);
}

static void write_date_chip(
    struct page *p, const struct wanted *without, const char *name, enum say label, const char *iso)
{
	char date[I18N_SIZE];

	i18n_date(date, iso);
	write_chip(p, without, name, label, date);
}

bool wanted_narrow(const struct wanted *w)
{
	return w->type || w->unit || w->language || w->county || w->author || w->publicity ||
	       w->case_id || w->municipality || w->year || w->like || w->from || w->to;
}

/* A copy without one thing, from the first page on. */
#define WITHOUT(n, w, member) ((n) = *(w), (n).cursor = NULL, (n).member = NULL)

static void write_record_chip(struct page *p, const struct wanted *without, const char *filter,
    enum say label, const char *kind, const char *id)
{
	struct buf name = BUF_INIT;

	name_add(p, &name, kind, id);
	write_chip(p, without, filter, label, name.data);
	buf_free(&name);
}

/* Cases are called by their numbers; an id alone says whether there is such a case to nobody. */
static void write_case_chip(struct page *p, const struct wanted *without, const char *id)
{
	json_t *record = registry_get(archive_registry(app_of(p->x)->archive), "cases", id);
	const char *number = json_text(record, "diaryNumber");

	write_chip(p, without, "case", SAY_DIARY, number ? number : id);
	json_decref(record);
}

static void write_word_chips(struct page *p, const struct wanted *w)
{
	struct buf county = BUF_INIT;
	struct wanted n;

	if (w->language) {
		const char *said = i18n_language_name(p->language, w->language);

		WITHOUT(n, w, language);
		write_chip(p, &n, "language", SAY_DOCUMENT_LANGUAGE, said ? said : w->language);
	}
	if (w->county) {
		WITHOUT(n, w, county);
		county_add(p, &county, w->county);
		write_chip(p, &n, "county", SAY_COUNTY_LABEL, county.data);
		buf_free(&county);
	}
	if (w->municipality) {
		WITHOUT(n, w, municipality);
		write_chip(p, &n, "municipality", SAY_MUNICIPALITY, w->municipality);
	}
	if (w->year) {
		WITHOUT(n, w, year);
		write_chip(p, &n, "year", SAY_YEAR, w->year);
	}
	if (w->publicity) {
		WITHOUT(n, w, publicity);
		write_chip(p, &n, "publicity", SAY_PUBLICITY, say(p, publicity_said(w->publicity)));
	}
	if (w->like) {
		WITHOUT(n, w, like);
		write_chip(p, &n, "like", SAY_LIKE, say(p, SAY_LIKE_ONE));
	}
	if (w->from) {
		WITHOUT(n, w, from);
		write_date_chip(p, &n, "from", SAY_FROM, w->from_iso);
	}
	if (w->to) {
		WITHOUT(n, w, to);
		write_date_chip(p, &n, "to", SAY_TO, w->to_iso);
	}
}

void search_chosen(struct page *p, const struct wanted *w)
{
	struct wanted bare = {.q = w->q,
			  .sort = w->sort,
			  .group = w->group,
			  .versions_all = w->versions_all},
		      n;
	struct buf url = BUF_INIT;

	if (!wanted_narrow(w))
		return;
	if (!w->plain)
		html_put(&p->h, "<h2 class=\"hidden\">$</h2>", say(p, SAY_CHOSEN));
	html_raw(&p->h, "<ul class=\"chips\">");
	if (w->type) {
		WITHOUT(n, w, type);
		write_record_chip(p, &n, "type", SAY_TYPE, "types", w->type);
	}
	if (w->unit) {
		WITHOUT(n, w, unit);
		write_record_chip(p, &n, "unit", SAY_UNIT, "units", w->unit);
	}
	if (w->author) {
		WITHOUT(n, w, author);
		write_record_chip(p, &n, "author", SAY_AUTHOR, "orgs", w->author);
	}
	if (w->case_id) {
		WITHOUT(n, w, case_id);
		write_case_chip(p, &n, w->case_id);
	}
	write_word_chips(p, w);
	if (!w->plain)
		wanted_url(p, &bare, &url);
	if (!w->plain)
		html_put(&p->h, "<li><a class=\"refine\" href=\"$\">$</a></li>", url.data,
		    say(p, SAY_REMOVE_ALL));
	html_raw(&p->h, "</ul>");
	buf_free(&url);
}
