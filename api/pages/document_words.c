/* The text of a document on its page: its sheets and paragraphs, in parts that a browser shows at once, with the hits of the
 * search that led here.
 *
 * A part is chosen by part=, by the sheet page=, else it is the first with a hit. Hits are counted within the
 * part; each has a link to the next, and the last one leads to the next part that has any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/indexer.h"
#include "api/pages/document.h"
#include "api/search_names.h"
#include "api/search_service.h"
#include "api/synonyms.h"

enum {
	PART_MAX = 60 * 1024,
	COUNTED_MAX = 36, /* parts in which hits are counted: 2 MiB */
	Q_MAX = 2000,
	SHEET_MAX = 1000000,
};

struct part {
	size_t start, end;
	unsigned int number; /* from 1 */
	unsigned int sheet;  /* on which it begins, from 1 */
	bool goes_on;        /* begins in the middle of that */
};

struct text_part {
	struct page *p;
	const struct document_view *d;
	const char *text;
	size_t len;
	bool paged;
	unsigned int parts;
	struct part shown;
	const char *q; /* NULL: none */
	unsigned int counts[COUNTED_MAX];
	struct snippet_mark marks[SNIPPET_MARKS_MAX]; /* of the part shown, from its start */
	size_t marks_len, at;
};

/* ---- parts ---- */

/* Where a part that begins here ends: between sheets, paragraphs, lines, words, characters, whichever is there. */
static size_t part_end(const char *text, size_t start, size_t len)
{
	static const char *const ends[] = {"\f", "\n\n", "\n", " "};
	size_t last = start + PART_MAX;

	if (last >= len)
		return len;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t n = strlen(ends[i]);

		for (size_t at = last; at > start + PART_MAX / 2; at--)
			if (memcmp(text + at - n, ends[i], n) == 0)
				return at;
	}
	while (last > start + 1 && ((unsigned char)text[last] & 0xC0) == 0x80)
		last--;
	return last;
}

static bool part_next(const struct text_part *w, struct part *part)
{
	if (part->number && part->end >= w->len)
		return false;
	for (size_t i = part->start; i < part->end; i++)
		part->sheet += w->text[i] == '\f';
	part->start = part->end;
	part->end = part_end(w->text, part->start, w->len);
	part->number++;
	part->goes_on = part->start > 0 && w->text[part->start - 1] != '\f';
	return true;
}

static unsigned int number_asked(const struct exchange *x, const char *name)
{
	const char *text = http_query(x, name);
	size_t n = text ? strspn(text, "0123456789") : 0;

	return n >= 1 && n <= 6 && !text[n] ? (unsigned int)strtoul(text, NULL, 10) : 0;
}

static bool holds_sheet(const struct text_part *w, const struct part *part, unsigned int sheet)
{
	unsigned int last = part->sheet;

	for (size_t i = part->start; i + 1 < part->end; i++)
		last += w->text[i] == '\f';
	return sheet >= part->sheet && sheet <= last && !(sheet == part->sheet && part->goes_on);
}

static void choose_part(struct text_part *w)
{
	unsigned int part = number_asked(w->p->x, "part"), sheet = number_asked(w->p->x, "page"),
		     first = 0;
	struct part at = {.sheet = 1};

	for (unsigned int i = 0; i < COUNTED_MAX && !first; i++)
		first = w->counts[i] ? i + 1 : 0;
	if (part || (sheet && w->paged))
		first = 0;
	while (part_next(w, &at)) {
		bool wanted = part    ? at.number == part
			      : first ? at.number == first
				      : sheet && w->paged && holds_sheet(w, &at, sheet);

		if (at.number == 1 || wanted)
			w->shown = at;
		w->parts = at.number;
	}
}

/* ---- hits ---- */

static int count_part(
    struct text_part *w, struct snippet *s, const struct part *part, struct ark_error *err)
{
	size_t n = 0;
	int rc = snippet_marks(s, w->text + part->start, part->end - part->start,
	    w->d->v->row.language, w->marks, SNIPPET_MARKS_MAX, &n, err);

	w->marks_len = n;
	if (!rc && part->number <= COUNTED_MAX)
		w->counts[part->number - 1] = (unsigned int)n;
	return rc;
}

static int mark(struct text_part *w, struct snippet *s, struct ark_error *err)
{
	struct part at = {.sheet = 1};
	int rc = ARK_OK;

	while (!rc && at.number < COUNTED_MAX && part_next(w, &at))
		rc = count_part(w, s, &at, err);
	if (rc)
		return rc;
	choose_part(w);
	return count_part(w, s, &w->shown, err);
}

/* As the snippets of the search mark it: the same analyser, synonyms and names. */
static int find_hits(struct text_part *w, struct ark_error *err)
{
	struct visit *v = w->d->v;
	struct search_names names = search_names_of(v);
	struct search_desk *desk = NULL;
	struct synonyms *synonyms = NULL;
	struct snippet *s = NULL;
	int rc = indexer_desk(v->app->indexer, &desk, err);

	if (!rc)
		rc = synonyms_current(v->app, desk->analyser, &synonyms, err);
	if (!rc)
		rc = snippet_new(desk->analyser, w->q, NULL, synonyms, &names, &s, err);
	if (!rc)
		rc = mark(w, s, err);
	snippet_free(s);
	synonyms_unref(synonyms);
	indexer_desk_return(v->app->indexer, desk);
	return rc;
}

/* ---- links ---- */

static void part_url(const struct text_part *w, unsigned int number, struct buf *url)
{
	char n[16];

	snprintf(n, sizeof(n), "%u", number);
	document_path(w->p, &w->d->v->row, w->d->asked, "", url);
	url_add(url, "q", w->q);
	url_add(url, "part", n);
}

/* Of the parts behind the shown one, then from the first on; 0: no other has any. */
static unsigned int next_with_hits(const struct text_part *w)
{
	unsigned int most = w->parts < COUNTED_MAX ? w->parts : COUNTED_MAX;

	for (unsigned int i = 0; i < most; i++) {
		unsigned int number = (w->shown.number + i) % most + 1;

		if (number != w->shown.number && w->counts[number - 1])
			return number;
	}
	return 0;
}

static void next_url(const struct text_part *w, size_t hit, struct buf *url)
{
	unsigned int other = next_with_hits(w);

	buf_clear(url);
	if (hit < w->marks_len) {
		buf_addf(url, "#hit-%zu", hit + 1);
	} else if (other) {
		part_url(w, other, url);
		buf_adds(url, "#hit-1");
	} else {
		buf_adds(url, "#hit-1");
	}
}

static void write_hits(struct text_part *w)
{
	struct page *p = w->p;
	char here[I18N_SIZE], all[I18N_SIZE];
	unsigned int other = next_with_hits(w);
	uint64_t total = 0;
	struct buf url = BUF_INIT;

	for (size_t i = 0; i < COUNTED_MAX; i++)
		total += w->counts[i];
	i18n_number(all, p->language, total);
	i18n_number(here, p->language, w->marks_len);
	html_raw(&p->h, "<p class=\"hits-found\">");
	if (!total && !w->marks_len)
		page_say(p, SAY_HITS_NONE, w->q);
	else
		page_say(p, i18n_plural(SAY_HITS_IN_TEXT, total), all, w->q);
	if (w->marks_len) {
		html_put(&p->h, " <a href=\"#hit-1\">$</a>", say(p, SAY_HITS_FIRST));
	} else if (other) {
		part_url(w, other, &url);
		buf_adds(&url, "#hit-1");
		html_put(&p->h, " <a href=\"$\">$</a>", url.data, say(p, SAY_HITS_NEXT_PART));
	}
	html_raw(&p->h, "</p>");
	if (w->parts > 1 && w->marks_len) {
		html_raw(&p->h, "<p class=\"hint\">");
		page_say(p, SAY_HITS_HERE, here);
		html_raw(&p->h, "</p>");
	}
	buf_free(&url);
}

static void write_turn(struct text_part *w, unsigned int number, const char *rel, enum say label)
{
	struct buf url = BUF_INIT;

	part_url(w, number, &url);
	html_put(&w->p->h, "<li><a rel=\"$\" href=\"$#text\">$</a></li>", rel, url.data,
	    say(w->p, label));
	buf_free(&url);
}

/* label: where it stands, so that the two have different names. */
static void write_parts(struct text_part *w, enum say label)
{
	struct page *p = w->p;
	char at[I18N_SIZE], of[I18N_SIZE];

	if (w->parts < 2)
		return;
	i18n_number(at, p->language, w->shown.number);
	i18n_number(of, p->language, w->parts);
	html_put(&p->h, "<nav class=\"turn\" aria-label=\"$\"><ul>", say(p, label));
	if (w->shown.number > 1)
		write_turn(w, w->shown.number - 1, "prev", SAY_PART_PREVIOUS);
	html_raw(&p->h, "<li>");
	page_say(p, SAY_PART_OF, at, of);
	html_raw(&p->h, "</li>");
	if (w->shown.number < w->parts)
		write_turn(w, w->shown.number + 1, "next", SAY_PART_NEXT);
	html_raw(&p->h, "</ul></nav>");
}

/* ---- the text ---- */

static void write_mark(struct text_part *w, const char *text, size_t len)
{
	struct page *p = w->p;
	struct buf url = BUF_INIT;
	char number[24];

	snprintf(number, sizeof(number), "%zu", w->at + 1);
	next_url(w, w->at + 1, &url);
	html_put(&p->h, "<mark id=\"hit-$\">", number);
	html_text_len(&p->h, text, len);
	html_put(&p->h,
	    "</mark><a class=\"next-hit\" href=\"$\" lang=\"$\">$<span class=\"hidden\"> "
	    "$</span></a>",
	    url.data, i18n_code(p->language), number, say(p, SAY_HIT_NEXT));
	buf_free(&url);
}

/* Text from `from` of the whole on. A hit that a paragraph ends in the middle of is marked up to there. */
static void write_marked(struct text_part *w, size_t from, size_t len)
{
	size_t end = from + len;

	while (w->at < w->marks_len) {
		size_t start = w->shown.start + w->marks[w->at].start,
		       stop = w->shown.start + w->marks[w->at].end;

		if (start >= end)
			break;
		if (start < from)
			start = from;
		if (stop > end)
			stop = end;
		html_text_len(&w->p->h, w->text + from, start - from);
		if (stop > start)
			write_mark(w, w->text + start, stop - start);
		from = stop > start ? stop : start;
		w->at++;
	}
	html_text_len(&w->p->h, w->text + from, end - from);
}

/* One paragraph: up to an empty line or the end of the sheet. */
static size_t paragraph_len(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\n\n", 2);

	return end ? (size_t)(end - text) : len;
}

static void write_paragraphs(struct text_part *w, size_t from, size_t end)
{
	for (size_t i = from; i < end;) {
		size_t n;

		if (w->text[i] == '\n') {
			i++;
			continue;
		}
		n = paragraph_len(w->text + i, end - i);
		html_raw(&w->p->h, "<p>");
		write_marked(w, i, n);
		html_raw(&w->p->h, "</p>");
		i += n;
	}
}

static void write_sheet_heading(struct text_part *w, unsigned int number, bool goes_on)
{
	struct page *p = w->p;
	char n[16];

	snprintf(n, sizeof(n), "%u", number);
	html_put(&p->h, "<h3 class=\"sheet\" id=\"page-$$\" lang=\"$\">", n, goes_on ? "-more" : "",
	    i18n_code(p->language));
	page_say(p, goes_on ? SAY_SHEET_GOES_ON : SAY_SHEET, n);
	html_raw(&p->h, "</h3>");
}

static void write_part(struct text_part *w)
{
	unsigned int number = w->shown.sheet;
	bool goes_on = w->shown.goes_on;

	html_raw(&w->p->h, "<div class=\"text\"");
	page_lang(w->p, w->d->v->row.language);
	html_raw(&w->p->h, ">");
	for (size_t i = w->shown.start; i < w->shown.end; number++) {
		const char *end = memchr(w->text + i, '\f', w->shown.end - i);
		size_t stop = end ? (size_t)(end - w->text) : w->shown.end;

		if (w->paged)
			write_sheet_heading(w, number, goes_on);
		goes_on = false;
		write_paragraphs(w, i, stop);
		i = stop + 1;
	}
	html_raw(&w->p->h, "</div>");
}

const char *document_query(const struct page *p)
{
	const char *q = http_query(p->x, "q");

	return q && *q && strlen(q) <= Q_MAX ? q : NULL;
}

int document_words(struct page *p, const struct document_view *d, const char *text, size_t len,
    struct ark_error *err)
{
	struct text_part *w = calloc(1, sizeof(*w));
	int rc = ARK_OK;

	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory for a text");
	w->p = p;
	w->d = d;
	w->text = text;
	w->len = len;
	w->paged = memchr(text, '\f', len) != NULL;
	w->q = d->v->app->indexer ? document_query(p) : NULL;
	if (w->q)
		rc = find_hits(w, err);
	else
		choose_part(w);
	if (!rc) {
		if (w->q)
			write_hits(w);
		write_parts(w, SAY_PARTS);
		write_part(w);
		write_parts(w, SAY_PARTS_BELOW);
	}
	free(w);
	return rc;
}
