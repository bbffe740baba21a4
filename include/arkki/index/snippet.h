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

struct snippet;

/* For one query, for any number of texts. language as in struct search_request. The analyser is
 * borrowed. On success *ret is the caller's, ended with snippet_free(). */
ARK_MUSTUSE int snippet_new(struct analyser *analyser, const char *q, const char *language,
    struct snippet **ret, struct ark_error *err);
void snippet_free(struct snippet *s);

/* Appends at most about max_chars characters of the text to out, white space run together, escaped
 * for HTML, matches in <mark>…</mark>, "…" where it was cut. Without a match: the beginning.
 * language: the document's. */
ARK_MUSTUSE int snippet_make(struct snippet *s, const char *text, size_t len, const char *language,
    size_t max_chars, struct buf *out, struct ark_error *err);

#endif
