/* One pass over the text collects the matches until every part of the query
 * stands close together (or the bound is reached), then the window with the
 * most of the query in it is written out.
 *
 * Whether a word matches does not depend on where it stands, so the answer is
 * kept for the words met, in a small table over all texts of a request. */
#include "arkki/index/snippet.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"
#include "index/query.h"
#include "index/words.h"

#define SCAN_MAX (512u * 1024u) /* bytes of a text that are looked through */
#define MATCHES_MAX 400u
#define MEMO_SLOTS 4096u
#define NO_PART 0xffffu

#define WEIGHT_STRONG 16u /* the word itself, or a compound with it */
#define WEIGHT_WEAK 1u    /* only a part of the word */

struct match {
	size_t start, end; /* bytes of the text */
	uint16_t part;     /* of the query */
	uint16_t weight;
};

struct memo {
	uint64_t hash; /* 0: empty */
	uint16_t part, weight;
};

struct snippet {
	struct analyser *analyser;
	struct query *query;
	const struct query_node **parts; /* its words and phrases */
	size_t parts_len;
	struct memo memo[MEMO_SLOTS];
	/* of the text in hand */
	struct match matches[MATCHES_MAX];
	size_t matches_len;
	size_t *last_start; /* of each part of the query; SIZE_MAX: not met */
	size_t *phrase_at;  /* words of each phrase met in a row */
	size_t *phrase_start;
	size_t window; /* bytes wanted */
	size_t stop;   /* behind the first place where all of the query stands close together */
	struct ark_error *err;
};

static int count_part(void *arg, const struct query_node *node, const char *because)
{
	(void)node, (void)because;
	++*(size_t *)arg;
	return 0;
}

static int keep_part(void *arg, const struct query_node *node, const char *because)
{
	struct snippet *s = arg;

	(void)because;
	s->parts[s->parts_len++] = node;
	return 0;
}

int snippet_new(struct analyser *analyser, const char *q, const char *language,
    const struct synonyms *synonyms, const struct search_names *names, struct snippet **ret,
    struct ark_error *err)
{
	const struct query_config config = {language, synonyms, names};
	struct snippet *s = calloc(1, sizeof(*s));
	size_t n = 1;
	int r;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for snippets");
	s->analyser = analyser;
	r = query_parse(analyser, q ? q : "", &config, &s->query, err);
	if (r)
		goto out;
	query_each_word(s->query, count_part, &n);
	s->parts = calloc(n, sizeof(*s->parts));
	s->last_start = calloc(n, sizeof(size_t));
	s->phrase_at = calloc(n, sizeof(size_t));
	s->phrase_start = calloc(n, sizeof(size_t));
	if (!s->parts || !s->last_start || !s->phrase_at || !s->phrase_start) {
		r = ark_fail(err, ARK_ENOMEM, "no memory for snippets");
		goto out;
	}
	query_each_word(s->query, keep_part, s);
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
	query_free(s->query);
	free(s->parts);
	free(s->last_start);
	free(s->phrase_at);
	free(s->phrase_start);
	free(s);
}

/* ---- which words match ---- */

struct matching {
	const struct snippet *snippet;
	enum analyse_language language;
	uint16_t part, weight; /* the best so far */
};

/* How well one term of a word of the text meets one term of a word of the query. */
static uint16_t term_weight(const struct query_term *q, enum analyse_language language,
    enum analyse_kind kind, const char *term, size_t len)
{
	bool own_part = q->kind == ANALYSE_PART;

	if (q->len != len || memcmp(q->text, term, len) != 0)
		return 0;
	if (kind == ANALYSE_RAW || q->kind == ANALYSE_RAW)
		return kind == q->kind ? WEIGHT_STRONG : 0;
	if (kind == ANALYSE_LEMMA && strcmp(analyse_prefix(language, ANALYSE_LEMMA),
					 analyse_prefix(q->language, ANALYSE_LEMMA)) != 0)
		return 0;
	return own_part ? WEIGHT_WEAK : WEIGHT_STRONG;
}

static int each_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	struct matching *m = arg;
	const struct snippet *s = m->snippet;
	size_t i, j;
	uint16_t w;

	for (i = 0; i < s->parts_len; i++)
		for (j = 0; s->parts[i]->kind == QUERY_WORD && j < s->parts[i]->terms_len; j++) {
			w = term_weight(&s->parts[i]->terms[j], m->language, kind, term, len);
			if (w > m->weight) {
				m->weight = w;
				m->part = (uint16_t)i;
			}
		}
	return 0;
}

static uint64_t hash_of(const struct analyse_token *t)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)t->language;
	size_t i;

	for (i = 0; i < t->word_len; i++)
		h = (h ^ (unsigned char)t->word[i]) * 0x100000001b3u;
	return h | 1;
}

static int match_word(struct snippet *s, const struct analyse_token *t, struct memo *ret)
{
	struct matching m = {.snippet = s, .language = t->language, .part = NO_PART};
	uint64_t hash = hash_of(t);
	struct memo *memo = &s->memo[(hash >> 32) % MEMO_SLOTS];
	int r;

	if (memo->hash != hash) {
		r = analyse_word(
		    s->analyser, t->language, t->word, t->word_len, each_term, &m, s->err);
		if (r)
			return r;
		*memo = (struct memo){hash, m.part, m.weight};
	}
	*ret = *memo;
	return 0;
}

/* ---- the pass over the text ---- */

/* Stops the pass: nothing better is to come, or no room. */
#define ENOUGH 1

static bool all_close(const struct snippet *s, size_t at)
{
	size_t i;

	for (i = 0; i < s->parts_len; i++)
		if (s->last_start[i] == SIZE_MAX || at - s->last_start[i] > s->window)
			return false;
	return true;
}

static int add_match(struct snippet *s, size_t start, size_t end, size_t part, uint16_t weight)
{
	bool weak = weight < WEIGHT_STRONG;

	if (s->matches_len == MATCHES_MAX)
		return ENOUGH;
	if (weak && s->matches_len >= MATCHES_MAX / 2)
		return 0; /* room for better ones */
	s->matches[s->matches_len++] = (struct match){start, end, (uint16_t)part, weight};
	if (weak)
		return 0;
	s->last_start[part] = start;
	if (s->stop == SIZE_MAX && all_close(s, end))
		s->stop = end + s->window;
	return 0;
}

/* Follows each phrase word by word; on a miss it starts anew with the word in hand. */
static int follow_phrases(struct snippet *s, const struct analyse_token *t)
{
	char lower[ANALYSE_WORD_MAX + 1];
	size_t len = words_lower(lower, t->word, t->word_len), i;
	int r = 0;

	for (i = 0; !r && i < s->parts_len; i++) {
		const struct query_node *p = s->parts[i];
		const struct query_term *want;

		if (p->kind != QUERY_PHRASE)
			continue;
		want = &p->terms[s->phrase_at[i]];
		if (want->len != len || memcmp(want->text, lower, len) != 0) {
			s->phrase_at[i] = 0;
			want = &p->terms[0];
			if (want->len != len || memcmp(want->text, lower, len) != 0)
				continue;
		}
		if (s->phrase_at[i]++ == 0)
			s->phrase_start[i] = t->offset;
		if (s->phrase_at[i] == p->terms_len) {
			s->phrase_at[i] = 0;
			r = add_match(s, s->phrase_start[i], t->offset + t->len, i, WEIGHT_STRONG);
		}
	}
	return r;
}

static int each_token(void *arg, const struct analyse_token *t)
{
	struct snippet *s = arg;
	struct memo found;
	int r = t->offset > s->stop ? ENOUGH : follow_phrases(s, t);

	if (!r)
		r = match_word(s, t, &found);
	if (!r && found.weight)
		r = add_match(s, t->offset, t->offset + t->len, found.part, found.weight);
	return r;
}

static int by_start(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

/* Weak matches only stand in where there is no other; what lies inside another match goes. */
static void tidy_matches(struct snippet *s)
{
	bool strong = false;
	size_t i, n = 0, end = 0;

	for (i = 0; i < s->matches_len; i++)
		strong = strong || s->matches[i].weight >= WEIGHT_STRONG;
	qsort(s->matches, s->matches_len, sizeof(s->matches[0]), by_start);
	for (i = 0; i < s->matches_len; i++) {
		const struct match *m = &s->matches[i];

		if ((strong && m->weight < WEIGHT_STRONG) || m->start < end)
			continue;
		end = m->end;
		s->matches[n++] = *m;
	}
	s->matches_len = n;
}

/* ---- the window ---- */

/* Different words of the query count much, repetition little. */
static unsigned long window_score(const struct snippet *s, size_t first, size_t last)
{
	unsigned long score = 0;
	size_t i, j;

	for (i = first; i <= last; i++) {
		for (j = first; j < i && s->matches[j].part != s->matches[i].part; j++)
			;
		score += j == i ? 16ul * s->matches[i].weight : s->matches[i].weight;
	}
	return score;
}

static void best_window(const struct snippet *s, size_t *ret_first, size_t *ret_last)
{
	unsigned long best = 0, score;
	size_t first, last;

	*ret_first = *ret_last = 0;
	for (first = 0; first < s->matches_len; first++) {
		for (last = first; last + 1 < s->matches_len && last - first < 31 &&
				   s->matches[last + 1].end - s->matches[first].start <= s->window;)
			last++;
		score = window_score(s, first, last);
		if (score > best) {
			best = score;
			*ret_first = first;
			*ret_last = last;
		}
	}
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The start of a word at or after `at`, before `bound`. */
static size_t word_start(const char *text, size_t at, size_t bound)
{
	size_t i = at;

	if (!at)
		return 0;
	while (i < bound && !is_space(text[i]))
		i++;
	while (i < bound && is_space(text[i]))
		i++;
	return i;
}

/* The matches in the middle, but a line's beginning rather than the middle of a sentence. */
static void window_bounds(const struct snippet *s, const char *text, size_t len, size_t first,
    size_t last, size_t *ret_start, size_t *ret_end)
{
	size_t from = s->matches[first].start, to = s->matches[last].end, spare, start, i, end;

	spare = s->window > to - from ? (s->window - (to - from)) / 2 : 0;
	if (len - to < spare)
		spare += spare - (len - to);
	start = from > spare ? word_start(text, from - spare, from) : 0;
	for (i = from; i > start && i > 0; i--)
		if (text[i - 1] == '\n') {
			start = i;
			break;
		}
	end = start + s->window > to ? start + s->window : to;
	if (end >= len) {
		end = len;
	} else {
		for (i = end; i > to && !is_space(text[i]); i--)
			;
		end = i > to ? i : end;
		while (end > to && ((unsigned char)text[end] & 0xC0) == 0x80)
			end--;
	}
	*ret_start = start;
	*ret_end = end;
}

/* ---- writing ---- */

/* Escaped for HTML, white space run together, what is no UTF-8 or a control character left out. */
static void write_text(struct buf *out, const char *text, size_t len, bool *space)
{
	size_t i = 0, n;

	while (i < len) {
		unsigned char c = (unsigned char)text[i];

		n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
		if (is_space(text[i])) {
			if (!*space)
				buf_addc(out, ' ');
			*space = true;
			i++;
			continue;
		}
		if (n > len - i || c < 0x20 || c == 0x7F || !utf8_valid(text + i, n)) {
			i++;
			continue;
		}
		*space = false;
		if (c == '<')
			buf_adds(out, "&lt;");
		else if (c == '>')
			buf_adds(out, "&gt;");
		else if (c == '&')
			buf_adds(out, "&amp;");
		else if (c == '"')
			buf_adds(out, "&quot;");
		else if (c == '\'')
			buf_adds(out, "&#39;");
		else
			buf_add(out, text + i, n);
		i += n;
	}
}

static void write_window(const struct snippet *s, const char *text, size_t len, size_t start,
    size_t end, struct buf *out)
{
	size_t at = start, i;
	bool space = true;

	if (start > 0)
		buf_adds(out, "… ");
	for (i = 0; i < s->matches_len; i++) {
		const struct match *m = &s->matches[i];

		if (m->start < at || m->end > end)
			continue;
		write_text(out, text + at, m->start - at, &space);
		buf_adds(out, "<mark>");
		write_text(out, text + m->start, m->end - m->start, &space);
		buf_adds(out, "</mark>");
		at = m->end;
	}
	write_text(out, text + at, end - at, &space);
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	if (end < len)
		buf_adds(out, " …");
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

int snippet_make(struct snippet *s, const char *text, size_t len, const char *language,
    size_t max_chars, struct buf *out, struct snippet_where *ret_where, struct ark_error *err)
{
	enum analyse_language declared = ANALYSE_FI;
	size_t first, last, start = 0, end, i;
	int r;

	analyse_language_parse(language, &declared);
	if (ret_where)
		*ret_where = (struct snippet_where){0};
	s->err = err;
	s->window = window_bytes(text, len, max_chars);
	s->matches_len = 0;
	s->stop = SIZE_MAX;
	for (i = 0; i < s->parts_len; i++) {
		s->last_start[i] = SIZE_MAX;
		s->phrase_at[i] = 0;
	}
	end = s->window;
	if (s->parts_len) {
		r = analyse_text(text, len < SCAN_MAX ? len : SCAN_MAX, declared, each_token, s);
		if (r < 0)
			return r;
		tidy_matches(s);
	}
	if (s->matches_len && s->window < len) {
		best_window(s, &first, &last);
		window_bounds(s, text, len, first, last, &start, &end);
	} else if (end < len) {
		for (i = end; i > 0 && !is_space(text[i]); i--)
			;
		end = i > 0 ? i : end;
	}
	write_window(s, text, len, start, end, out);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a snippet") : ARK_OK;
}
