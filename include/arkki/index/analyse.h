/* Language analysis: which index terms a word has, and which words a text has.
 *
 * Finnish by libvoikko (all analyses with the fewest compound parts, the verb
 * behind a participle, compound parts) and by Snowball for words that Voikko does not know; Swedish
 * by a table of endings, its compounds by hunspell's list of words; English by Snowball.
 *
 * It knows words. It does not know the index: prefixes are given by
 * analyse_prefix() and nothing is stored here.
 *
 * Threads: one struct analyser per thread, mandatory (a Voikko handle shared
 * between threads gives wrong analyses and aborts). A struct analyse_cache
 * may be shared by any number of them and outlives them all.
 */
#ifndef ARKKI_INDEX_ANALYSE_H
#define ARKKI_INDEX_ANALYSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/error.h"

/* Goes into the index; another value there means: rebuild. Raised whenever the
 * same text would give other terms. */
#define ANALYSE_VERSION 3

/* A longer word is cut here, in bytes of UTF-8: with its prefix a term stays below Xapian's 245. */
#define ANALYSE_WORD_MAX 200

enum analyse_language { ANALYSE_FI, ANALYSE_SV, ANALYSE_EN };
#define ANALYSE_LANGUAGES 3

/* "fi" "sv" "en"; false for anything else, NULL included. */
bool analyse_language_parse(const char *name, enum analyse_language *ret);
const char *analyse_language_name(enum analyse_language language);

enum analyse_kind {
	ANALYSE_RAW,   /* the word in lower case */
	ANALYSE_LEMMA, /* base form, verb root of a participle, stem */
	ANALYSE_PART,  /* base form of a part, or of several parts in a row, of a compound */
};

/* "" for a raw word, "Z" or "ZV" (Swedish) for a lemma, "K" for a part. Static. */
const char *analyse_prefix(enum analyse_language language, enum analyse_kind kind);

struct analyse_cache; /* analyses of frequent words; about 44 MB when full, never more */
ARK_MUSTUSE int analyse_cache_new(struct analyse_cache **ret, struct ark_error *err);
void analyse_cache_free(struct analyse_cache *c);

struct analyser;
/* cache may be NULL and is borrowed. On success *ret is the caller's, ended with
 * analyser_free(). ARK_EIO when the Finnish dictionary is not installed. */
ARK_MUSTUSE int analyser_new(
    struct analyse_cache *cache, struct analyser **ret, struct ark_error *err);
void analyser_free(struct analyser *a);

/* `term` is NUL-terminated, without a prefix, at most ANALYSE_WORD_MAX bytes, valid during the
 * call. Non-zero stops and becomes the result. The callback must not use the same analyser. */
typedef int (*analyse_each_term)(void *arg, enum analyse_kind kind, const char *term, size_t len);

/* The terms of one word (any case, UTF-8; what is malformed in it is dropped), each once: first the
 * raw word, then at least one lemma, then parts. A word without a letter or digit has none.
 * ARK_ENOMEM, or what the callback said. */
ARK_MUSTUSE int analyse_word(struct analyser *a, enum analyse_language language, const char *word,
    size_t len, analyse_each_term each, void *arg, struct ark_error *err);

struct analyse_token {
	const char *word; /* normalised (NFC, no soft hyphens), case kept; valid during the call */
	size_t word_len;
	size_t offset, len;             /* where it stands in the text, in bytes */
	uint32_t position;              /* 1, 2, 3 … */
	enum analyse_language language; /* of its paragraph */
};
/* May use the analyser for analyse_word(). Non-zero stops and becomes the result. */
typedef int (*analyse_each_token)(void *arg, const struct analyse_token *token);

/* The words of a text in order. A word is letters and digits with single hyphens inside where a
 * letter stands at either side; a case ending after a colon ("LVV:n", "59 §:n") belongs to no word;
 * the section sign is a word. So "ESAVI/567/2023" is three words in a row. `declared` is the
 * language of the document: what a paragraph has unless it clearly reads as another.
 * Malformed UTF-8 separates words. Returns 0 or what the callback said. */
ARK_MUSTUSE int analyse_text(const char *text, size_t len, enum analyse_language declared,
    analyse_each_token each, void *arg);

/* The language that a text (a paragraph) most likely is in. */
enum analyse_language analyse_language_of(
    const char *text, size_t len, enum analyse_language declared);

#endif
