/* One hit of the search page. */
#include <stdio.h>
#include <string.h>

#include "api/documents.h"
#include "api/pages/search.h"
#include "arkki/base/json.h"

static void write_facts(struct page *p, const struct wanted *w, const struct search_view_hit *hit)
{
	const struct catalogue_row *row = &hit->row;
	bool other = strcmp(row->language, i18n_code(p->language)) != 0;
	const char *language = i18n_language_name(p->language, row->language);

	html_raw(&p->h, "<p class=\"facts\">");
	if (w->saved && row->sequence > w->seen)
		html_put(&p->h, "<strong class=\"tag tag-new\">$</strong> ", say(p, SAY_NEW));
	html_raw(&p->h, "<span class=\"type\">");
	page_name(p, "types", row->type);
	html_raw(&p->h, "</span> <span class=\"units\">");
	page_units(p, json_object_get(hit->card.fields, "units"));
	html_raw(&p->h, "</span> ");
	page_date(p, row->date);
	if (other)
		html_put(
		    &p->h, " <span class=\"tag\">$</span>", language ? language : row->language);
	page_tags(p, row->publicity, row->state);
	if (!row->whole)
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_RENDITION));
	html_raw(&p->h, "</p>");
}

static void write_title(struct page *p, const struct search_view_hit *hit)
{
	const char *title = json_text(hit->card.fields, "title");
	size_t at = 0;

	if (!title)
		return;
	for (size_t i = 0; i < hit->title_len; i++) {
		const struct snippet_mark *m = &hit->title[i];

		html_text_len(&p->h, title + at, m->start - at);
		html_raw(&p->h, "<mark>");
		html_text_len(&p->h, title + m->start, m->end - m->start);
		html_raw(&p->h, "</mark>");
		at = m->end;
	}
	html_text(&p->h, title + at);
}

static void write_snippet(struct page *p, const struct search_view_hit *hit)
{
	char page[I18N_SIZE];

	html_raw(&p->h, "<p class=\"snippet\">");
	if (hit->where.page) {
		i18n_number(page, p->language, hit->where.page);
		html_raw(&p->h, "<span class=\"page\">");
		page_say(p, SAY_HIT_PAGE, page);
		html_raw(&p->h, ":</span> ");
	}
	html_raw(&p->h, "<span");
	page_lang(p, hit->row.language);
	html_raw(&p->h, ">");
	html_marked(&p->h, hit->snippet.data, hit->snippet.len);
	html_raw(&p->h, "</span></p>");
}

static void write_why(struct page *p, const struct search_view_hit *hit)
{
	struct buf word = BUF_INIT;

	for (size_t i = 0; i < hit->where.why_len; i++) {
		buf_clear(&word);
		buf_add(&word, hit->where.why[i].word, hit->where.why[i].word_len);
		html_raw(&p->h, "<p class=\"hint\">");
		page_say(p, SAY_HIT_WHY, word.data ? word.data : "", hit->where.why[i].because);
		html_raw(&p->h, "</p>");
	}
	buf_wipe_free(&word);
}

static void write_no_text(struct page *p, const struct search_view_hit *hit)
{
	const char *reason;

	if (strcmp(shown_text_state(&hit->row, &reason), "none") != 0)
		return;
	html_put(&p->h, "<p class=\"hint\">$", say(p, SAY_NO_TEXT));
	if (reason && *reason) {
		html_raw(&p->h, ": ");
		page_reason(p, reason);
	}
	html_raw(&p->h, "</p>");
}

static void write_same(struct page *p, const struct search_view_hit *hit)
{
	char count[I18N_SIZE], place[24], version[16];

	if (!hit->hit.similar)
		return;
	i18n_number(count, p->language, hit->hit.similar);
	html_raw(&p->h, "<p class=\"hint\">");
	page_say(p, i18n_plural(SAY_SIMILAR, hit->hit.similar), count);
	for (size_t i = 0; i < hit->same_len; i++) {
		snprintf(place, sizeof(place), "%zu", i + 1);
		snprintf(version, sizeof(version), "%u", hit->hit.same[i].version);
		html_put(&p->h, "$ <a href=\"/$/documents/$/versions/$\">", i ? "," : "",
		    i18n_code(p->language), hit->hit.same[i].document, version);
		page_say(p, SAY_SIMILAR_ONE, place);
		html_raw(&p->h, "</a>");
	}
	html_raw(&p->h, "</p>");
}

static void write_like_link(struct page *p, const char *document)
{
	struct wanted n = {.like = document};
	struct buf url = BUF_INIT;

	wanted_url(p, &n, &url);
	html_put(
	    &p->h, "<p class=\"hint\"><a href=\"$\">$</a></p>", url.data, say(p, SAY_MORE_LIKE));
	buf_free(&url);
}

/* To the document, with what was asked: there its text is marked, at the page of the first match. */
static void hit_url(const struct page *p, const struct wanted *w, const struct search_view_hit *hit,
    struct buf *url)
{
	char page[16] = "";

	if (hit->where.page && w->q)
		snprintf(page, sizeof(page), "%u", hit->where.page);
	buf_addf(url, "/%s/documents/%s", i18n_code(p->language), hit->row.document);
	url_add(url, "q", w->q);
	url_add(url, "page", page);
	if (page[0])
		buf_addf(url, "#page-%s", page);
}

void search_hit(struct page *p, const struct wanted *w, const struct search_view_hit *hit)
{
	const struct catalogue_row *row = &hit->row;
	struct buf url = BUF_INIT;

	hit_url(p, w, hit, &url);
	html_put(&p->h, "<li class=\"hit\"><h3><a href=\"$\"", url.data);
	buf_free(&url);
	page_lang(p, row->language);
	html_raw(&p->h, ">");
	write_title(p, hit);
	html_raw(&p->h, "</a></h3>");
	write_facts(p, w, hit);
	if (hit->closed)
		html_put(&p->h, "<p class=\"hint\">$</p>", say(p, SAY_SNIPPET_CLOSED));
	else if (hit->snippet.len)
		write_snippet(p, hit);
	write_why(p, hit);
	write_no_text(p, hit);
	write_same(p, hit);
	if (!hit->closed && hit->snippet.len && !w->like)
		write_like_link(p, row->document);
	html_raw(&p->h, "</li>");
}
