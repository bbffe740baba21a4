/* What a searcher typed, as a tree of words with the terms they are looked for by.
 *
 * Any text is a query. What makes no sense as an operator, a field or a quotation is read as words,
 * and a note says so: the searcher is told how the query was read, never refused.
 *
 *   word  "as written"  +must  -not  ( … )  AND OR NOT (JA TAI EI, OCH ELLER INTE)  rajoit*
 *   field:value with names in three languages (yksikkö: enhet: unit: …)
 *   ESAVI/567/2023  417/2007 65 §  65 § 417/2007  12.3.2024
 *
 *   query    := all (OR all)*
 *   all      := list (AND list)*
 *   list     := item+                 ranked: any of the plain items; all of + and of the filters; none of -
 *   item     := [+ - NOT] ( word | phrase | wildcard | field:value | number | "(" query ")" )
 *
 * A list, ALL or ONE_OF of one child is that child, but for the root, which is a group, and for a list of
 * one excluded item. What is the same as an item before it in its list is left out.
 *
 * Nothing here recurses over what was typed: depth is bounded by QUERY_DEPTH_MAX, and deeper
 * parentheses are read as nothing.
 *
 * Threads: with its analyser. Source of the syntax: what users know from other search boxes.
 */
#ifndef ARKKI_INDEX_QUERY_H
#define ARKKI_INDEX_QUERY_H

#include "arkki/index/analyse.h"
#include "arkki/index/search.h"
#include "arkki/index/synonyms.h"

#define QUERY_DEPTH_MAX 16u
#define QUERY_OPERATORS_MAX 256u /* later AND, OR, NOT, + and - are read as words or passed over */
#define QUERY_NOTES_MAX 16u

enum query_kind {
	QUERY_WORD,     /* terms: of one word, in the languages asked for */
	QUERY_PHRASE,   /* terms: raw words in a row */
	QUERY_ANY_FORM, /* children: alternatives for the same thing (a date in its writings) */
	QUERY_WILDCARD, /* terms[0]: what words begin with, in lower case; three letters at least */
	QUERY_FIELD, /* field, and values[]: any of them. A filter: it weighs nothing. FIELD_TITLE: terms,
			   of the one word values[0] */
	QUERY_DATES,  /* from, to: inclusive, YYYY-MM-DD, "" where open. A filter */
	QUERY_LIST,   /* children, each with its occur */
	QUERY_ALL,    /* children: all */
	QUERY_ONE_OF, /* children: at least one */
};

enum query_occur { QUERY_SHOULD, QUERY_MUST, QUERY_MUST_NOT };

struct query_term {
	enum analyse_language language;
	enum analyse_kind kind;
	size_t len;
	char *text;
};

/* Other words for it: of the domain table, or of the administrator's synonyms. */
struct query_also {
	struct query_node *node; /* QUERY_WORD, or QUERY_ALL of words for a term of several words */
	char *because;           /* "vård utom hemmet": the term as a reader knows it */
	bool joined;             /* a compound of the word and those behind it (query_join.c) */
};

struct query_node {
	enum query_kind kind;
	enum query_occur occur; /* in its list */
	size_t from, len;       /* the bytes of the query that it was read from */
	/* How query_write() gives it where that is not as typed: it is written in one piece then, whatever
	 * children it has. A filter of several parts (title:"a b" is an ALL, date:(2021 2023) a ONE_OF) and
	 * the forms of a date or number have it. */
	char *written;
	struct query_term *terms; /* each once for a word */
	size_t terms_len, terms_cap;
	enum search_field field;
	char **values; /* ids */
	size_t values_len;
	char date_from[11], date_to[11];
	struct query_node **children;
	size_t children_len;
	struct query_also *also; /* of a word, or on the first word of a term of several */
	size_t also_len;
};

struct query {
	struct query_node *root; /* NULL: nothing is looked for */
	size_t words;            /* taken, at most SEARCH_WORDS_MAX */
	struct search_note notes[QUERY_NOTES_MAX];
	size_t notes_len;
};

struct query_config {
	const char *language;            /* analyse in this one only; NULL or empty: in all three */
	const struct synonyms *synonyms; /* or NULL */
	const struct search_names *names; /* or NULL: fields take ids only */
};

/* Never fails for what was typed. On success *ret is the caller's, ended with query_free(). ARK_EINPUT
 * when q is longer than SEARCH_QUERY_MAX or language is unknown. */
ARK_MUSTUSE int query_parse(struct analyser *a, const char *q, const struct query_config *config,
    struct query **ret, struct ark_error *err);
void query_free(struct query *q);

/* The query as it was read, in the syntax above, with every operator and parenthesis that it was read
 * to have, fields by their English names: appended to out. What is read again gives the same. */
ARK_MUSTUSE int query_write(
    const char *q, const struct query *query, struct buf *out, struct ark_error *err);

/* Every word and phrase of the query in the order typed, `also` included, but not what is excluded
 * or a filter: for snippets, suggestions and logs. Non-zero stops and becomes the result. */
int query_each_word(const struct query *q,
    int (*each)(void *arg, const struct query_node *node, const char *because), void *arg);

#endif
