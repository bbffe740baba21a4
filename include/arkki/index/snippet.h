/* Snippets: the part of a text that shows why it was found.
 *
 * A word of the text is marked when one of its lemmas or compound parts is
 * what a word of the query is looked for by: the query "sijaishuolto" marks
 * "sijaishuoltopaikoista". The text is given by the caller, who must already
 * have decided that it may be read.
 *
 * Threads: struct snippet belongs to one thread, with its analyser.
 */
#ifndef ARKKI_INDEX_SNIPPET_H
#define ARKKI_INDEX_SNIPPET_H

#include <stddef.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"
#include "arkki/index/analyse.h"
#include "arkki/index/search.h"
#include "arkki/index/synonyms.h"

struct snippet;

/* For one query, for any number of texts. language, synonyms and names as in struct search_request; all borrowed.
 * On success *ret is the caller's, ended with snippet_free(). */
ARK_MUSTUSE int snippet_new(struct analyser *analyser, const char *q, const char *language,
    const struct synonyms *synonyms, const struct search_names *names, struct snippet **ret,
    struct ark_error *err);
void snippet_free(struct snippet *s);

#define SNIPPET_WHY_MAX 8u
struct snippet_where {
	uint32_t page;  /* of the first match shown, from 1; 0: no match, or no pages */
	size_t matches; /* marked in the snippet */
	/* What was found in place of a word of the query: "vård utom hemmet". Borrowed from the snippet's
	 * query, valid until snippet_free(). */
	struct {
		const char *word; /* the part of q */
		size_t word_len;
		const char *because;
	} why[SNIPPET_WHY_MAX];
	size_t why_len;
};

/* Appends at most about max_chars characters of the text to out, white space and ruled lines ("-----") run together, escaped
 * for HTML, matches in <mark>…</mark>, "…" where it was cut. Without a match: the beginning. What the query
 * excludes is never marked. language: the document's. ret_where may be NULL. */
ARK_MUSTUSE int snippet_make(struct snippet *s, const char *text, size_t len, const char *language,
    size_t max_chars, struct buf *out, struct snippet_where *ret_where, struct ark_error *err);

struct snippet_mark {
	size_t start, end; /* bytes of the text */
};
#define SNIPPET_MARKS_MAX 400u
/* Where a text is to be marked, all of it: in order, none inside another, at most `max` and SNIPPET_MARKS_MAX, of
 * the first 2 MiB. *ret_len: how many. */
ARK_MUSTUSE int snippet_marks(struct snippet *s, const char *text, size_t len, const char *language,
    struct snippet_mark *ret, size_t max, size_t *ret_len, struct ark_error *err);

#endif
