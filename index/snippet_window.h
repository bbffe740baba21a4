/* From the matches in a text to the snippet: the window with the most of the query in it, written out. */
#ifndef ARKKI_INDEX_SNIPPET_WINDOW_H
#define ARKKI_INDEX_SNIPPET_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"

#define SNIPPET_MATCHES_MAX 400u

/* How well: the word, or a compound with it; only a part of it, or of another term for it. */
enum { SNIPPET_WHOLE = 16, SNIPPET_WEAK = 1 };

struct snippet_match {
	size_t start, end; /* bytes of the text */
	uint16_t part, group, weight;
};

struct snippet_matches {
	struct snippet_match list[SNIPPET_MATCHES_MAX];
	size_t len;
	size_t window; /* bytes wanted */
};

/* Into their order. Weak matches only stand in where there is no other; what lies inside another match goes. */
void snippet_tidy(struct snippet_matches *s);
/* Where the window begins and ends; without a match it is the beginning. */
void snippet_window(const struct snippet_matches *s, const char *text, size_t len,
    size_t *ret_start, size_t *ret_end);
/* Writes it, marks and all. */
void snippet_write(const struct snippet_matches *s, const char *text, size_t len, size_t start,
    size_t end, struct buf *out);
/* Whether the match stands whole in the window. */
static inline bool snippet_shows(const struct snippet_match *m, size_t start, size_t end)
{
	return m->start >= start && m->end <= end;
}

#endif
