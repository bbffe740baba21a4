/* The search page. The request of the page is the search that is logged:
 * asked as the API asks it, under the same filter, with the same entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/finding.h"
#include "api/pages/search.h"
#include "api/search_notes.h"
#include "api/search_service.h"
#include "arkki/base/json.h"

enum { FACET_SHOWN = 10 };

/* ---- pages and order ---- */

static void write_turn(
    struct page *p, const struct wanted *w, const char *cursor, const char *rel, enum say label)
{
	struct wanted n = *w;
	struct buf url = BUF_INIT;

	n.cursor = cursor;
	wanted_url(p, &n, &url);
	html_put(&p->h, "<li><a rel=\"$\" href=\"$\">$</a></li>", rel, url.data, say(p, label));
	buf_free(&url);
}

static void write_pages(struct page *p, const struct wanted *w, const struct search_view *s)
{
	uint64_t pages = (s->first->total + HITS_A_PAGE - 1) / HITS_A_PAGE;
	uint64_t page = (s->from + HITS_A_PAGE - 1) / HITS_A_PAGE + 1;
	char at[I18N_SIZE], of[I18N_SIZE];

	if (!s->next.len && !s->prev.len)
		return;
	i18n_number(at, p->language, page);
	i18n_number(of, p->language, page > pages ? page : pages);
	html_put(&p->h, "<nav class=\"turn\" aria-label=\"$\"><ul>", say(p, SAY_PAGES));
	if (s->prev.len)
		write_turn(p, w, s->prev.data, "prev", SAY_PREVIOUS);
	html_raw(&p->h, "<li>");
	page_say(p, SAY_PAGE_OF, at, of);
	html_raw(&p->h, "</li>");
	if (s->next.len)
		write_turn(p, w, s->next.data, "next", SAY_NEXT);
	html_raw(&p->h, "</ul></nav>");
}

/* ---- how it was read ---- */

static void write_meant(struct page *p, const struct wanted *w, const char *meant)
{
	struct wanted n = *w;
	struct buf url = BUF_INIT;

	n.q = meant;
	n.cursor = NULL;
	wanted_url(p, &n, &url);
	html_put(&p->h, "<p class=\"meant\"><a href=\"$\">", url.data);
	page_say(p, SAY_DID_YOU_MEAN, meant);
	html_raw(&p->h, "</a></p>");
	buf_free(&url);
}

/* Only where it is not what was typed. */
static void write_read(struct page *p, const struct wanted *w, const struct search_view *s)
{
	const struct search_result *r = s->first;

	if (w->q && r->read.len && strcmp(r->read.data, w->q) != 0) {
		html_raw(&p->h, "<p class=\"hint read\">");
		page_say(p, SAY_READ_AS, r->read.data);
		html_raw(&p->h, "</p>");
	}
	for (size_t i = 0; i < r->notes_len; i++)
		html_put(&p->h, "<p class=\"hint read\">$</p>",
		    say(p, search_note_said(r->notes[i].kind)));
	if (s->meant.len)
		write_meant(p, w, s->meant.data);
}

static void write_wider_link(struct page *p, const struct wanted *n, enum say label)
{
	struct buf url = BUF_INIT;

	wanted_url(p, n, &url);
	html_put(&p->h, "<li><a href=\"$\">$</a></li>", url.data, say(p, label));
	buf_free(&url);
}

/* The words of a query alone, without what joins and bounds them. */
static void words_alone(const char *q, struct buf *out)
{
	static const char *const joining[] = {
	    "AND", "OR", "NOT", "JA", "TAI", "EI", "OCH", "ELLER", "INTE"};

	while (*q) {
		size_t len = strcspn(q, " \"()+*\t");
		bool word = len && q[0] != '-';

		for (size_t i = 0; word && i < sizeof(joining) / sizeof(*joining); i++)
			word = strlen(joining[i]) != len || strncmp(q, joining[i], len) != 0;
		if (word) {
			if (out->len)
				buf_addc(out, ' ');
			buf_add(out, q, len);
		}
		q += len;
		q += strspn(q, " \"()+*\t");
	}
}

/* Searches that ask for less. */
static void write_wider(struct page *p, const struct wanted *w)
{
	struct wanted bare = {.q = w->q, .versions_all = w->versions_all}, apart = *w, old = *w;
	struct buf words = BUF_INIT;

	if (!w->q || w->saved)
		return;
	words_alone(w->q, &words);
	apart.q = words.data;
	apart.cursor = NULL;
	old.versions_all = true;
	old.cursor = NULL;
	html_put(&p->h, "<h3>$</h3><ul class=\"wider\">", say(p, SAY_NOTHING_WIDER));
	if (wanted_narrow(w))
		write_wider_link(p, &bare, SAY_NOTHING_ALL_FILTERS);
	if (words.len && strcmp(words.data, w->q) != 0)
		write_wider_link(p, &apart, SAY_NOTHING_APART);
	if (!w->versions_all)
		write_wider_link(p, &old, SAY_NOTHING_OLD);
	html_raw(&p->h, "</ul>");
	buf_wipe_free(&words);
}

static void write_nothing(struct page *p, const struct wanted *w)
{
	html_put(&p->h, "<p>$.</p><ul class=\"help\">", say(p, SAY_NOTHING));
	if (w->q)
		html_put(&p->h, "<li>$</li><li>$</li>", say(p, SAY_NOTHING_SPELLING),
		    say(p, SAY_NOTHING_WORDS));
	if (wanted_narrow(w))
		html_put(&p->h, "<li>$</li>", say(p, SAY_NOTHING_FILTERS));
	html_put(&p->h, "<li>$</li></ul>", say(p, SAY_NOTHING_RIGHTS));
	write_wider(p, w);
}

static void write_table_link(struct page *p, const struct wanted *w)
{
	struct wanted n = *w;
	struct buf url = BUF_INIT;
	char most[I18N_SIZE];

	n.cursor = NULL;
	wanted_url(p, &n, &url);
	i18n_number(most, p->language, RESULTS_MAX);
	/* the address of the page, of another kind: "/fi/?…" */
	html_put(&p->h,
	    "<p class=\"table-link\"><a href=\"/$/results.csv$\" download>$</a> <span "
	    "class=\"hint\">",
	    i18n_code(p->language), url.data ? url.data + 4 : "", say(p, SAY_CSV));
	page_say(p, SAY_CSV_MOST, most);
	html_raw(&p->h, "</span></p>");
	buf_free(&url);
}

static void write_sort_link(
    struct page *p, const struct wanted *w, const char *sort, bool chosen, enum say label)
{
	struct wanted n = *w;
	struct buf url = BUF_INIT;

	n.sort = sort;
	n.cursor = NULL;
	wanted_url(p, &n, &url);
	html_put(&p->h, "<li><a class=\"refine\" data-keep=\"sort-$\" href=\"$\"", sort, url.data);
	if (chosen)
		html_raw(&p->h, " aria-current=\"true\"");
	html_put(&p->h, ">$</a></li>", say(p, label));
	buf_free(&url);
}

static void write_results(struct page *p, const struct wanted *w, const struct search_view *s)
{
	char total[I18N_SIZE];

	i18n_number(total, p->language, s->first->total);
	html_raw(&p->h,
	    "<div class=\"results\"><div class=\"over\"><h2 id=\"results\" tabindex=\"-1\">");
	page_say(p, i18n_plural(SAY_FOUND, s->first->total), total);
	html_raw(&p->h, "</h2>");
	if ((w->q || w->like) && s->first->total > 1) {
		html_put(&p->h, "<nav class=\"sort\" aria-label=\"$\"><ul>", say(p, SAY_SORT));
		write_sort_link(p, w, NULL, !wanted_asked(w).by_date, SAY_SORT_RELEVANCE);
		write_sort_link(p, w, "date", wanted_asked(w).by_date, SAY_SORT_DATE);
		html_raw(&p->h, "</ul></nav>");
	} else if (s->first->total > 1) {
		html_put(&p->h, "<p class=\"sort\">$</p>", say(p, SAY_SORT_DATE));
	}
	html_raw(&p->h, "</div>");
	write_read(p, w, s);
	if (s->hits_len) {
		html_raw(&p->h, "<ol class=\"hits\">");
		for (size_t i = 0; i < s->hits_len; i++)
			search_hit(p, w, &s->hits[i]);
		html_raw(&p->h, "</ol>");
	} else {
		write_nothing(p, w);
	}
	write_pages(p, w, s);
	if (s->hits_len && !w->saved)
		write_table_link(p, w);
	if ((w->q || wanted_narrow(w)) && !w->saved)
		saved_form(p, w);
	html_raw(&p->h, "</div>");
}

/* ---- facets ---- */

static const struct facet {
	enum search_facet which;
	enum say label;
	const char
	    *name; /* where the focus goes when one of them is chosen: the chip of this name */
	const char *kind; /* of records whose names the values are; NULL: none */
} facets[] = {
    {FACET_UNIT, SAY_UNITS, "unit", "units"},
    {FACET_TYPE, SAY_TYPE, "type", "types"},
    {FACET_YEAR, SAY_YEAR, "from", NULL},
    {FACET_AUTHOR, SAY_AUTHOR, "author", "orgs"},
    {FACET_COUNTY, SAY_COUNTY_LABEL, "county", NULL},
    {FACET_PUBLICITY, SAY_PUBLICITY, "publicity", NULL},
    {FACET_LANGUAGE, SAY_DOCUMENT_LANGUAGE, "language", NULL},
};

static void write_county(struct page *p, const char *code)
{
	struct buf name = BUF_INIT;

	county_add(p, &name, code);
	html_text(&p->h, name.data ? name.data : code);
	buf_free(&name);
}

static void write_facet_value(
    struct page *p, const struct wanted *w, const struct facet *f, const struct search_count *c)
{
	struct wanted n = *w;
	char from[24], to[24], count[I18N_SIZE];
	struct buf url = BUF_INIT;

	n.cursor = NULL;
	snprintf(from, sizeof(from), "1.1.%.8s", c->value);
	snprintf(to, sizeof(to), "31.12.%.8s", c->value);
	if (f->which == FACET_UNIT)
		n.unit = c->value;
	else if (f->which == FACET_TYPE)
		n.type = c->value;
	else if (f->which == FACET_LANGUAGE)
		n.language = c->value;
	else if (f->which == FACET_AUTHOR)
		n.author = c->value;
	else if (f->which == FACET_COUNTY)
		n.county = c->value;
	else if (f->which == FACET_PUBLICITY)
		n.publicity = c->value;
	else
		n.from = from, n.to = to;
	wanted_url(p, &n, &url);
	i18n_number(count, p->language, c->count);
	html_put(&p->h, "<li><a class=\"refine\" data-keep=\"$\" href=\"$\">", f->name, url.data);
	if (f->kind)
		page_name(p, f->kind, c->value);
	else if (f->which == FACET_LANGUAGE && i18n_language_name(p->language, c->value))
		html_text(&p->h, i18n_language_name(p->language, c->value));
	else if (f->which == FACET_PUBLICITY)
		html_text(&p->h, say(p, publicity_said(c->value)));
	else if (f->which == FACET_COUNTY)
		write_county(p, c->value);
	else
		html_text(&p->h, c->value);
	html_put(&p->h, "</a> <span class=\"count\">$</span></li>", count);
	buf_free(&url);
}

/* A facet with one value, or already chosen, narrows nothing. */
static bool worth_showing(
    const struct wanted *w, const struct search_view *s, const struct facet *f)
{
	if (s->first->facets[f->which].len < 2)
		return false;
	return !((f->which == FACET_UNIT && w->unit) || (f->which == FACET_TYPE && w->type) ||
		 (f->which == FACET_LANGUAGE && w->language) ||
		 (f->which == FACET_AUTHOR && w->author) ||
		 (f->which == FACET_COUNTY && w->county) ||
		 (f->which == FACET_PUBLICITY && w->publicity) ||
		 (f->which == FACET_YEAR && (w->year || w->from || w->to)));
}

static void write_facets(struct page *p, const struct wanted *w, const struct search_view *s)
{
	bool any = false;

	for (size_t i = 0; i < sizeof(facets) / sizeof(*facets); i++)
		any |= worth_showing(w, s, &facets[i]);
	if (!any)
		return;
	html_put(&p->h,
	    "<aside class=\"facets\" aria-labelledby=\"facets\"><h2 id=\"facets\">$</h2>",
	    say(p, SAY_NARROW_RESULTS));
	for (size_t i = 0; i < sizeof(facets) / sizeof(*facets); i++) {
		const struct facet *f = &facets[i];

		if (!worth_showing(w, s, f))
			continue;
		html_put(&p->h, "<h3>$</h3><ul>", say(p, f->label));
		for (size_t k = 0; k < s->first->facets[f->which].len && k < FACET_SHOWN; k++)
			write_facet_value(p, w, f, &s->first->facets[f->which].counts[k]);
		html_raw(&p->h, "</ul>");
	}
	html_raw(&p->h, "</aside>");
}

/* ---- the page ---- */

/* "yövalvonta, 12 asiakirjaa – Haku": what a screen reader says first. */
static void title_of(
    const struct exchange *x, const struct wanted *w, const struct search_view *s, struct buf *out)
{
	enum http_language language = HTTP_FI;
	struct html count = {0};
	char total[I18N_SIZE];
	const char *values[] = {total};

	page_language(x, &language);
	if (!s)
		buf_addf(out, "%s: ", i18n_text(language, SAY_ERROR));
	if (w->q)
		buf_addf(out, "%s, ", w->q);
	if (s) {
		i18n_number(total, language, s->first->total);
		/* a number and a fixed word: there is nothing in it to escape twice */
		html_sentence(&count, i18n_text(language, i18n_plural(SAY_FOUND, s->first->total)),
		    values, 1);
		buf_addf(out, "%s – ", count.out.data ? count.out.data : "");
	}
	buf_adds(out, i18n_text(language, SAY_SEARCH));
	buf_free(&count.out);
}

static void write_heading(struct page *p, const struct wanted *w)
{
	html_raw(&p->h, "<h1>");
	if (w->saved)
		page_say(p, SAY_SAVED_ONE, w->saved);
	else
		html_text(&p->h, say(p, SAY_SEARCH));
	html_raw(&p->h, "</h1>");
}

void search_show(struct exchange *x, const struct wanted *w, const struct search_view *s)
{
	struct buf title = BUF_INIT;
	struct page p;

	title_of(x, w, s, &title);
	page_begin(&p, x, title.data);
	if (!s)
		wanted_errors(&p, w);
	write_heading(&p, w);
	search_form(&p, w);
	if (s) {
		html_put(&p.h,
		    "<p class=\"hidden\" role=\"status\" id=\"found-now\" data-say=\"$\"></p>",
		    say(&p, SAY_FOUND_NOW));
		html_raw(&p.h, "<div id=\"found\">");
		search_chosen(&p, w);
		html_raw(&p.h, "<div class=\"found\">");
		write_results(&p, w, s);
		write_facets(&p, w, s);
		html_raw(&p.h, "</div></div>");
	}
	page_end(&p, s ? 200 : 400);
	buf_wipe_free(&title);
}

static void show_found(struct exchange *x)
{
	struct search_view *s = search_found(x);
	struct wanted w;

	wanted_read(x, &w);
	if (s)
		search_show(x, &w, s);
}

void page_search(struct exchange *x)
{
	struct search_asked asked;
	struct wanted w;

	wanted_read(x, &w);
	if (w.from_wrong || w.to_wrong) {
		search_show(x, &w, NULL);
		return;
	}
	asked = wanted_asked(&w);
	if (visit_stated_ok(x))
		search_begin(x, &asked, NULL, NULL, show_found);
}
