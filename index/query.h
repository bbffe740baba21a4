/* The text of a query as words and phrases with the terms they are looked for by.
 * Any text is a query: what makes no sense as one is read as words. */
#ifndef ARKKI_INDEX_QUERY_H
#define ARKKI_INDEX_QUERY_H

#include "arkki/index/analyse.h"
#include "arkki/index/search.h"

struct query_term {
	enum analyse_language language;
	enum analyse_kind kind;
	size_t len;
	char *text;
};

struct query_part {
	bool phrase; /* the terms are raw words in a row; else they stand for one word */
	struct query_term *terms; /* each once for a word */
	size_t terms_len, terms_cap;
};

struct query {
	struct query_part *parts;
	size_t parts_len, parts_cap;
	size_t words; /* taken so far, at most SEARCH_WORDS_MAX */
};

/* language: analyse in this one only; NULL or empty: in all three. A query without a word has no
 * parts. On success *ret is the caller's, ended with query_free(). ARK_EINPUT when q is longer
 * than SEARCH_QUERY_MAX or language is unknown. */
ARK_MUSTUSE int query_parse(struct analyser *a, const char *q, const char *language,
    struct query **ret, struct ark_error *err);
void query_free(struct query *q);

#endif
