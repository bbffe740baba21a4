/* Which words were taken out of a text, and whether they still stand somewhere else: for checking a redacted rendition
 * against its original.
 *
 * A word is letters and digits, of three or more letters or with two or more digits, whatever its case. Words that still
 * stand in what is seen were not taken out. Names (a capital inside a sentence) and numbers are told first.
 *
 * It knows texts; not documents, files or users. Threads: one struct leak_words serves one at a time.
 */
#ifndef ARKKI_INDEX_LEAK_WORDS_H
#define ARKKI_INDEX_LEAK_WORDS_H

#include <stddef.h>

#include "arkki/base/error.h"

enum { LEAK_WORDS_MAX = 200000, LEAK_EXAMPLES = 5, LEAK_EXAMPLE_SIZE = 65 };

struct leak_words;

struct leak_words *leak_words_new(void); /* NULL: no memory */
void leak_words_free(struct leak_words *w);
/* First what the original says; any number of texts. More than LEAK_WORDS_MAX words: ARK_EINPUT. */
ARK_MUSTUSE int leak_words_original(
    struct leak_words *w, const char *text, size_t len, struct ark_error *err);
/* Then what of the rendition is seen: these words were not taken out. */
ARK_MUSTUSE int leak_words_seen(
    struct leak_words *w, const char *text, size_t len, struct ark_error *err);
/* How many different words were taken out. */
size_t leak_words_removed(const struct leak_words *w);

struct leak_found {
	size_t words; /* different ones that were taken out and stand in the text */
	unsigned int examples_len;
	char examples[LEAK_EXAMPLES]
		     [LEAK_EXAMPLE_SIZE]; /* in lower case; names and numbers first */
};
ARK_MUSTUSE int leak_words_find(const struct leak_words *w, const char *text, size_t len,
    struct leak_found *ret, struct ark_error *err);

#endif
