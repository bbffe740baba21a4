/* The cases that the caller may see: those that are not closed first, the newest of each first. */
#include "api/pages/cases.h"

#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "arkki/base/json.h"

enum { SHOWN = 20 };

static const char *const states[] = {"opened", "heard", "decided", "follow-up", "closed"};

struct filter {
	const char *q, *state, *unit, *org; /* NULL: any */
	size_t page;
};

static const char *given(const struct exchange *x, const char *name)
{
	const char *value = http_query(x, name);

	return value && *value ? value : NULL;
}

static bool has_unit(const json_t *record, const char *id)
{
	json_t *unit;
	size_t i;

	json_array_foreach(json_object_get(record, "units"), i, unit)
	{
		if (json_is_string(unit) && strcmp(json_string_value(unit), id) == 0)
			return true;
	}
	return false;
}

static bool closed(const json_t *record)
{
	return case_state_said(record) == SAY_CASE_STATE_CLOSED;
}

static bool wanted(const struct filter *f, const json_t *record)
{
	const char *diary = json_text(record, "diaryNumber"), *org = json_text(record, "org"),
		   *state = json_text(record, "state");

	if (f->q && !(diary && strcasestr(diary, f->q)) &&
	    !strcasestr(json_text(record, "id"), f->q))
		return false;
	if ((f->unit && !has_unit(record, f->unit)) ||
	    (f->org && (!org || strcmp(org, f->org) != 0)))
		return false;
	if (f->state && strcmp(f->state, "closed") == 0)
		return closed(record);
	return !f->state || (state && strcmp(state, f->state) == 0);
}

static int newest_first(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const char *dx = json_text(x, "opened"), *dy = json_text(y, "opened");
	int order = closed(x) - closed(y);

	if (!order)
		order = strcmp(dy ? dy : "", dx ? dx : "");
	return order ? order : strcmp(json_text(y, "id"), json_text(x, "id"));
}

/* Borrowed from `all`; the array is the caller's. NULL: no memory. */
static json_t **choose(
    const struct exchange *x, const struct filter *f, const json_t *all, size_t *ret_n)
{
	json_t **list = calloc(json_array_size(all) + 1, sizeof(*list)), *record;
	size_t i;

	*ret_n = 0;
	json_array_foreach(all, i, record)
	{
		if (list && wanted(f, record) && case_is_visible(x, record))
			list[(*ret_n)++] = record;
	}
	if (list)
		qsort(list, *ret_n, sizeof(*list), newest_first);
	return list;
}

/* ---- what is shown ---- */

static void write_form(struct page *p, const struct filter *f)
{
	const struct form_input q = {.name = "q",
	    .label = SAY_CASES_DIARY,
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = f->q,
	    .maxlength = "64"};

	html_put(&p->h,
	    "<form class=\"search\" role=\"search\" aria-label=\"$\" action=\"/$/cases\" "
	    "novalidate><div class=\"fields\">",
	    say(p, SAY_CASES_FILTER), i18n_code(p->language));
	form_input(p, &q, NULL);
	choice_begin(p, "state", SAY_CASES_STATE, SAY_COUNT, SAY_CASES_ANY);
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		json_t *one = json_pack("{s:s}", "state", states[i]);

		choice_add(p, states[i], say(p, case_state_said(one)), f->state);
		json_decref(one);
	}
	choice_end(p);
	choice_begin(p, "unit", SAY_UNIT, SAY_COUNT, SAY_CASES_ANY);
	choice_records(p, "units", f->unit);
	choice_end(p);
	choice_begin(p, "org", SAY_ORGANISATION, SAY_COUNT, SAY_CASES_ANY);
	choice_records(p, "orgs", f->org);
	choice_end(p);
	html_put(&p->h, "<div><button>$</button></div></div></form>", say(p, SAY_CASES_SHOW));
}

static void write_days(struct page *p, const json_t *record)
{
	const char *opened = json_text(record, "opened"), *end = json_text(record, "closed");

	if (!opened && !end)
		return;
	html_raw(&p->h, " <span>");
	if (opened)
		page_date(p, opened);
	html_raw(&p->h, "–");
	if (end)
		page_date(p, end);
	html_raw(&p->h, "</span>");
}

static void write_case(struct page *p, const json_t *record)
{
	const char *id = json_text(record, "id"), *diary = json_text(record, "diaryNumber");

	html_put(&p->h,
	    "<li class=\"hit\"><h3><a href=\"/$/cases/$\">$</a></h3><p class=\"facts\"><span "
	    "class=\"tag\">$</span> <span>",
	    i18n_code(p->language), id, diary ? diary : id, say(p, case_state_said(record)));
	page_units(p, json_object_get(record, "units"));
	html_raw(&p->h, "</span> <span>");
	page_name(p, "orgs", json_text(record, "org"));
	html_raw(&p->h, "</span>");
	write_days(p, record);
	html_raw(&p->h, "</p></li>");
}

static void write_list(struct page *p, const struct filter *f, json_t *const *list, size_t n)
{
	size_t first = (f->page - 1) * SHOWN;
	struct buf url = BUF_INIT;
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	html_raw(&p->h, "<div class=\"over\"><h2>");
	page_say(p, i18n_plural(SAY_CASES_COUNT, n), count);
	html_raw(&p->h, "</h2></div>");
	if (first >= n)
		html_put(&p->h, "<p>$</p>", say(p, SAY_CASES_NONE));
	else
		html_raw(&p->h, "<ol class=\"hits\">");
	for (size_t i = first; i < n && i < first + SHOWN; i++)
		write_case(p, list[i]);
	if (first < n)
		html_raw(&p->h, "</ol>");
	buf_addf(&url, "/%s/cases", i18n_code(p->language));
	url_add(&url, "q", f->q);
	url_add(&url, "state", f->state);
	url_add(&url, "unit", f->unit);
	url_add(&url, "org", f->org);
	pages_turn(p, &url, f->page, n > first + SHOWN);
	buf_free(&url);
}

void page_cases(struct exchange *x)
{
	const struct filter f = {.q = given(x, "q"),
	    .state = given(x, "state"),
	    .unit = given(x, "unit"),
	    .org = given(x, "org"),
	    .page = page_number(x)};
	json_t *all = registry_all(archive_registry(app_of(x)->archive), "cases");
	size_t n = 0;
	json_t **list = all ? choose(x, &f, all, &n) : NULL;
	struct page p;

	if (list) {
		form_page(&p, x, SAY_CASES, NULL);
		html_put(&p.h, "<h1>$</h1>", say(&p, SAY_CASES));
		write_form(&p, &f);
		write_list(&p, &f, list, n);
		page_end(&p, 200);
	} else {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	}
	free(list);
	json_decref(all);
}
