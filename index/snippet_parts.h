/* What a snippet looks for: the words, rows of words and beginnings of a query, other words for them
 * (`also`) included, and nothing of what it excludes or filters by. */
#ifndef ARKKI_INDEX_SNIPPET_PARTS_H
#define ARKKI_INDEX_SNIPPET_PARTS_H

#include "index/analyse_internal.h"
#include "index/query.h"

#define SNIPPET_ROW_MAX 64u /* words of a row that are followed: bits of a number */

struct snippet_step { /* a word: any of its terms */
	const struct query_term *terms;
	size_t len;
};

struct snippet_part {
	enum { SNIPPET_WORD, SNIPPET_ROW, SNIPPET_BEGINNING } kind;
	struct snippet_step *steps; /* of a row several, else one */
	size_t steps_len;
	uint16_t group;   /* parts that stand for the same words of the query */
	size_t from, len; /* those, in the query */
	const char
	    *because; /* the term that was looked for in their place; NULL: they themselves */
};

struct snippet_parts {
	struct snippet_part *list; /* what was typed before what stands for it */
	size_t len, cap;
	size_t groups;
	struct analyse_wanted wanted; /* all terms, but of beginnings */
	bool beginnings;
};

/* Borrows from the query. What it holds ends with snippet_parts_free(), after a failure too. */
ARK_MUSTUSE int snippet_parts_make(
    const struct query *q, struct snippet_parts *ret, struct ark_error *err);
void snippet_parts_free(struct snippet_parts *p);

#endif
