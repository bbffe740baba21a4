#include "index/snippet_window.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

enum { RULE_MIN = 4 };

static int by_start(const void *a, const void *b)
{
	const struct snippet_match *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

void snippet_tidy(struct snippet_matches *s)
{
	bool strong = false;
	size_t i, n = 0, end = 0;

	for (i = 0; i < s->len; i++)
		strong = strong || s->list[i].weight >= SNIPPET_WHOLE;
	qsort(s->list, s->len, sizeof(s->list[0]), by_start);
	for (i = 0; i < s->len; i++) {
		const struct snippet_match *m = &s->list[i];

		if ((strong && m->weight < SNIPPET_WHOLE) || m->start < end)
			continue;
		end = m->end;
		s->list[n++] = *m;
	}
	s->len = n;
}

/* ---- the window ---- */

/* Different words of the query count much, repetition little. */
static unsigned long window_score(const struct snippet_matches *s, size_t first, size_t last)
{
	unsigned long score = 0;
	size_t i, j;

	for (i = first; i <= last; i++) {
		for (j = first; j < i && s->list[j].group != s->list[i].group; j++)
			;
		score += j == i ? 16ul * s->list[i].weight : s->list[i].weight;
	}
	return score;
}

static void best_window(const struct snippet_matches *s, size_t *ret_first, size_t *ret_last)
{
	unsigned long best = 0, score;
	size_t first, last;

	*ret_first = *ret_last = 0;
	for (first = 0; first < s->len; first++) {
		for (last = first; last + 1 < s->len && last - first < 31 &&
				   s->list[last + 1].end - s->list[first].start <= s->window;)
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
static void window_bounds(const struct snippet_matches *s, const char *text, size_t len,
    size_t first, size_t last, size_t *ret_start, size_t *ret_end)
{
	size_t from = s->list[first].start, to = s->list[last].end, spare, start, i, end;

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

void snippet_window(const struct snippet_matches *s, const char *text, size_t len,
    size_t *ret_start, size_t *ret_end)
{
	size_t first, last, i;

	*ret_start = 0;
	*ret_end = s->window;
	if (s->window >= len)
		return;
	if (s->len) {
		best_window(s, &first, &last);
		window_bounds(s, text, len, first, last, ret_start, ret_end);
		return;
	}
	for (i = *ret_end; i > 0 && !is_space(text[i]); i--)
		;
	*ret_end = i > 0 ? i : *ret_end;
}

/* ---- writing ---- */

/* A line drawn of one sign, as plain text is ruled and underlined with: how long. 0: it is none. */
static size_t rule_len(const char *text, size_t len)
{
	size_t n = 1;

	if (!len || !strchr("-=_*~.#+", text[0]) || !text[0])
		return 0;
	while (n < len && text[n] == text[0])
		n++;
	return n >= RULE_MIN ? n : 0;
}

/* Escaped for HTML; white space and ruled lines are one space, what is no UTF-8 or a control character is left out. */
static void write_text(struct buf *out, const char *text, size_t len, bool *space)
{
	size_t i = 0, n, rule;

	while (i < len) {
		unsigned char c = (unsigned char)text[i];

		n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
		rule = rule_len(text + i, len - i);
		if (rule || is_space(text[i])) {
			if (!*space)
				buf_addc(out, ' ');
			*space = true;
			i += rule ? rule : 1;
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

void snippet_write(const struct snippet_matches *s, const char *text, size_t len, size_t start,
    size_t end, struct buf *out)
{
	size_t at = start, i;
	bool space = true;

	if (start > 0)
		buf_adds(out, "… ");
	for (i = 0; i < s->len; i++) {
		const struct snippet_match *m = &s->list[i];

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
