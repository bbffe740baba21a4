/* One pass over the text collects the matches until every part of the query
 * stands close together (or the bound is reached), then the window with the
 * most of the query in it is written out.
 *
 * Nearly no word of a text is looked for. Which words cannot be does not depend on where they stand nor on their
 * language: that is asked of the analyser's sketches and kept, for all texts of a request. Only a word that may
 * be one is analysed, in the language of its paragraph, which is found only then: ten texts of 50 kB cost a fifth
 * of what analysing every word did. */
#include "arkki/index/snippet.h"

#include <stdlib.h>
#include <string.h>

#include "index/snippet_parts.h"
#include "index/snippet_window.h"
#include "index/words.h"

#define SCAN_MAX (2048u * 1024u) /* bytes of a text that are looked through */
#define MEMO_SLOTS 8192u

/* How a part stands at the word in hand. Of a row, bit j: its step j is that word (hits); its first steps
 * up to j stand in a row that ends with the word (rows). */
struct progress {
	uint64_t hits, rows;
	uint16_t weight; /* of a part that is no row */
	size_t
	    last; /* where a match of its group began last: kept at [group]; SIZE_MAX: none yet */
};

struct snippet {
	struct analyser *analyser;
	char *q;
	struct query *query;
	struct snippet_parts parts;
	struct progress *progress; /* of each part */
	uint64_t
	    memo[MEMO_SLOTS]; /* of words: the hash, its lowest bit set when it may be looked for */
	/* of the text in hand */
	struct snippet_matches matches;
	const char *text;
	size_t paragraph, paragraph_len;
	enum analyse_language declared, language; /* language: of the paragraph, when known */
	bool language_known;
	bool everywhere;                /* not only until all of the query stands close together */
	bool rows;                      /* some row has begun */
	size_t starts[SNIPPET_ROW_MAX]; /* of the words last analysed, in a ring */
	size_t analysed;
	size_t stop; /* behind the first place where all of the query stands close together */
	struct ark_error *err;
};

int snippet_new(struct analyser *analyser, const char *q, const char *language,
    const struct synonyms *synonyms, const struct search_names *names, struct snippet **ret,
    struct ark_error *err)
{
	const struct query_config config = {language, synonyms, names};
	struct snippet *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for snippets");
	s->analyser = analyser;
	s->q = strdup(q ? q : "");
	r = s->q ? query_parse(analyser, s->q, &config, &s->query, err)
		 : ark_fail(err, ARK_ENOMEM, "no memory for snippets");
	if (!r)
		r = snippet_parts_make(s->query, &s->parts, err);
	if (r)
		goto out;
	/* a group has a part at least, so its number is one of a part too */
	s->progress = calloc(s->parts.len + 1, sizeof(*s->progress));
	if (!s->progress) {
		r = ark_fail(err, ARK_ENOMEM, "no memory for snippets");
		goto out;
	}
	*ret = s;
	s = NULL;
out:
	snippet_free(s);
	return r;
}

void snippet_free(struct snippet *s)
{
	if (!s)
		return;
	snippet_parts_free(&s->parts);
	query_free(s->query);
	free(s->progress);
	free(s->q);
	free(s);
}

/* ---- which words match ---- */

/* How well one term of a word of the text meets one term of a word of the query. */
static uint16_t term_weight(const struct query_term *q, enum analyse_language language,
    enum analyse_kind kind, const char *term, size_t len)
{
	if (q->len != len || memcmp(q->text, term, len) != 0)
		return 0;
	if (kind == ANALYSE_RAW || q->kind == ANALYSE_RAW)
		return kind == q->kind ? SNIPPET_WHOLE : 0;
	if (kind == ANALYSE_LEMMA && strcmp(analyse_prefix(language, ANALYSE_LEMMA),
					 analyse_prefix(q->language, ANALYSE_LEMMA)) != 0)
		return 0;
	return q->kind == ANALYSE_PART ? SNIPPET_WEAK : SNIPPET_WHOLE;
}

static uint16_t step_weight(const struct snippet_step *step, enum analyse_language language,
    enum analyse_kind kind, const char *term, size_t len)
{
	uint16_t best = 0, w;
	size_t i;

	for (i = 0; i < step->len; i++) {
		w = term_weight(&step->terms[i], language, kind, term, len);
		best = w > best ? w : best;
	}
	return best;
}

static bool step_is(const struct snippet_step *step, enum analyse_language language,
    enum analyse_kind kind, const char *term, size_t len)
{
	return step_weight(step, language, kind, term, len) == SNIPPET_WHOLE;
}

/* A term of the word in hand, against every part. */
static int each_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	struct snippet *s = arg;
	size_t i, j;

	for (i = 0; i < s->parts.len; i++) {
		const struct snippet_part *part = &s->parts.list[i];
		struct progress *p = &s->progress[i];
		const struct snippet_step *steps = part->steps;
		uint16_t w;

		if (part->kind == SNIPPET_WORD) {
			w = step_weight(steps, s->language, kind, term, len);
			p->weight = w > p->weight ? w : p->weight;
		} else if (part->kind == SNIPPET_BEGINNING) {
			if (kind == ANALYSE_RAW && len >= steps->terms[0].len &&
			    !memcmp(term, steps->terms[0].text, steps->terms[0].len))
				p->weight = SNIPPET_WHOLE;
		} else {
			for (j = 0; j < part->steps_len; j++)
				p->hits |=
				    (uint64_t)step_is(&steps[j], s->language, kind, term, len) << j;
		}
	}
	return 0;
}

static bool may_begin(const struct snippet *s, const struct word *w)
{
	char lower[ANALYSE_WORD_MAX + 1];
	size_t len = words_lower(lower, w->text, w->text_len), i;

	for (i = 0; i < s->parts.len; i++) {
		const struct query_term *t = s->parts.list[i].steps->terms;

		if (s->parts.list[i].kind == SNIPPET_BEGINNING && len >= t->len &&
		    !memcmp(lower, t->text, t->len))
			return true;
	}
	return false;
}

static uint64_t hash_of(const struct word *w)
{
	uint64_t h = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < w->text_len; i++)
		h = (h ^ (unsigned char)w->text[i]) * 0x100000001b3u;
	return h * 0x9e3779b97f4a7c15u;
}

/* May the word be one that is looked for? */
static int may_match(struct snippet *s, const struct word *w, bool *ret)
{
	uint64_t hash = hash_of(w), *memo = &s->memo[hash >> 51];
	int r;

	if (*memo && ((*memo ^ hash) | 1) == 1) {
		*ret = *memo & 1;
		return 0;
	}
	r = analyse_may_have(s->analyser, w->text, w->text_len, &s->parts.wanted, ret, s->err);
	if (r)
		return r;
	if (!*ret && s->parts.beginnings)
		*ret = may_begin(s, w);
	*memo = (hash & ~(uint64_t)1) | *ret;
	return 0;
}

/* ---- the pass over the text ---- */

/* Stops the pass: nothing better is to come, or no room. */
#define ENOUGH 1

static bool all_close(const struct snippet *s, size_t at)
{
	size_t i;

	for (i = 0; i < s->parts.groups; i++)
		if (s->progress[i].last == SIZE_MAX || at - s->progress[i].last > s->matches.window)
			return false;
	return true;
}

static int add_match(struct snippet *s, size_t start, size_t end, size_t part, uint16_t weight)
{
	struct snippet_matches *m = &s->matches;
	uint16_t group = s->parts.list[part].group;

	if (m->len == SNIPPET_MATCHES_MAX)
		return ENOUGH;
	if (weight == SNIPPET_WEAK && m->len >= SNIPPET_MATCHES_MAX / 2)
		return 0; /* room for better ones */
	m->list[m->len++] = (struct snippet_match){start, end, (uint16_t)part, group, weight};
	if (weight == SNIPPET_WEAK)
		return 0;
	s->progress[group].last = start;
	if (!s->everywhere && s->stop == SIZE_MAX && all_close(s, end))
		s->stop = end + m->window;
	return 0;
}

/* Every row that ends with the word in hand, all at once: a miss in one says nothing of those begun later. */
static int follow_row(struct snippet *s, size_t i, size_t start, size_t end)
{
	struct progress *p = &s->progress[i];
	size_t n = s->parts.list[i].steps_len;

	p->rows = (p->rows << 1 | 1) & p->hits;
	s->rows |= p->rows != 0;
	if (p->rows >> (n - 1) & 1) {
		p->rows = 0;
		start = s->starts[(s->analysed - n) % SNIPPET_ROW_MAX];
		return add_match(s, start, end, i, SNIPPET_WHOLE);
	}
	return p->hits && s->parts.list[i].because ? add_match(s, start, end, i, SNIPPET_WEAK) : 0;
}

/* Of the parts that are one word the best counts, of equals the one typed, or typed first. */
static int take_word(struct snippet *s, size_t start, size_t end)
{
	size_t i, best = 0;
	unsigned int best_weight = 0, weight;
	int r = 0;

	for (i = 0; !r && i < s->parts.len; i++) {
		if (s->parts.list[i].kind == SNIPPET_ROW) {
			r = follow_row(s, i, start, end);
			continue;
		}
		weight = s->progress[i].weight * 2u - (s->parts.list[i].because != NULL);
		if (s->progress[i].weight && weight > best_weight) {
			best_weight = weight;
			best = i;
		}
	}
	if (!r && best_weight)
		r = add_match(s, start, end, best, s->progress[best].weight);
	return r;
}

static int each_word(struct snippet *s, const struct word *w)
{
	size_t start = s->paragraph + w->offset, i;
	bool may = false;
	int r = start > s->stop ? ENOUGH : may_match(s, w, &may);

	if (r || (!may && !s->rows))
		return r;
	for (i = 0; i < s->parts.len; i++) {
		struct progress *p = &s->progress[i];

		p->weight = 0;
		p->hits = 0;
		if (!may)
			p->rows = 0;
	}
	if (!may) {
		s->rows = false;
		return 0;
	}
	s->starts[s->analysed++ % SNIPPET_ROW_MAX] = start;
	if (!s->language_known)
		s->language =
		    analyse_language_of(s->text + s->paragraph, s->paragraph_len, s->declared);
	s->language_known = true;
	r = analyse_word(s->analyser, s->language, w->text, w->text_len, each_term, s, s->err);
	return r ? r : take_word(s, start, start + w->len);
}

static int look_through(struct snippet *s, size_t len)
{
	size_t start, end, pos;
	struct word w;
	int r = 0;

	for (start = 0; !r && start < len; start = end) {
		end = analyse_paragraph_end(s->text, len, start);
		s->paragraph = start;
		s->paragraph_len = end - start;
		s->language_known = false;
		for (pos = 0; !r && words_next(s->text + start, end - start, &pos, &w);)
			r = each_word(s, &w);
	}
	return r;
}

/* ---- what it shows ---- */

static void add_why(
    const struct snippet *s, const struct snippet_part *part, struct snippet_where *w)
{
	size_t i;

	if (!part->because || part->from + part->len > strlen(s->q))
		return;
	for (i = 0; i < w->why_len; i++)
		if (w->why[i].word == s->q + part->from && w->why[i].because == part->because)
			return;
	if (w->why_len == SNIPPET_WHY_MAX)
		return;
	w->why[w->why_len].word = s->q + part->from;
	w->why[w->why_len].word_len = part->len;
	w->why[w->why_len++].because = part->because;
}

static uint32_t page_of(const char *text, size_t len, size_t at)
{
	const char *p = text, *end = text + at;
	uint32_t page = 1;

	if (!memchr(text, '\f', len))
		return 0;
	while ((p = memchr(p, '\f', (size_t)(end - p)))) {
		p++;
		page++;
	}
	return page;
}

static void tell_where(
    const struct snippet *s, size_t len, size_t start, size_t end, struct snippet_where *ret)
{
	size_t i;

	*ret = (struct snippet_where){0};
	for (i = 0; i < s->matches.len; i++) {
		const struct snippet_match *m = &s->matches.list[i];

		if (!snippet_shows(m, start, end))
			continue;
		if (!ret->matches++)
			ret->page = page_of(s->text, len, m->start);
		add_why(s, &s->parts.list[m->part], ret);
	}
}

/* Bytes of the first max_chars characters at most: what a window of that many may be long. */
static size_t window_bytes(const char *text, size_t len, size_t max_chars)
{
	size_t i, chars = 0;

	for (i = 0; i < len; i++)
		if (((unsigned char)text[i] & 0xC0) != 0x80 && chars++ == max_chars)
			break;
	return i;
}

static void begin_text(struct snippet *s, const char *text, size_t window, const char *language)
{
	size_t i;

	s->declared = ANALYSE_FI;
	analyse_language_parse(language, &s->declared);
	s->text = text;
	s->matches.window = window;
	s->matches.len = 0;
	s->stop = SIZE_MAX;
	s->everywhere = false;
	s->rows = false;
	for (i = 0; i < s->parts.len; i++)
		s->progress[i] = (struct progress){.last = SIZE_MAX};
}

int snippet_make(struct snippet *s, const char *text, size_t len, const char *language,
    size_t max_chars, struct buf *out, struct snippet_where *ret_where, struct ark_error *err)
{
	size_t start, end;
	int r;

	s->err = err;
	begin_text(s, text, window_bytes(text, len, max_chars), language);
	if (s->parts.len) {
		r = look_through(s, len < SCAN_MAX ? len : SCAN_MAX);
		if (r < 0)
			return r;
		snippet_tidy(&s->matches);
	}
	snippet_window(&s->matches, text, len, &start, &end);
	snippet_write(&s->matches, text, len, start, end, out);
	if (ret_where)
		tell_where(s, len, start, end, ret_where);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a snippet") : ARK_OK;
}

int snippet_marks(struct snippet *s, const char *text, size_t len, const char *language,
    struct snippet_mark *ret, size_t max, size_t *ret_len, struct ark_error *err)
{
	int r = 0;

	s->err = err;
	begin_text(s, text, 0, language);
	s->everywhere = true;
	if (s->parts.len)
		r = look_through(s, len < SCAN_MAX ? len : SCAN_MAX);
	if (r < 0)
		return r;
	snippet_tidy(&s->matches);
	*ret_len = s->matches.len < max ? s->matches.len : max;
	for (size_t i = 0; i < *ret_len; i++)
		ret[i] = (struct snippet_mark){s->matches.list[i].start, s->matches.list[i].end};
	return ARK_OK;
}
