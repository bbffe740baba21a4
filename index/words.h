/* Words of a text: where they are, and their normal form. Pure functions. */
#ifndef ARKKI_INDEX_WORDS_H
#define ARKKI_INDEX_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "arkki/index/analyse.h"

struct word {
	char text[ANALYSE_WORD_MAX + 1]; /* NFC, no soft hyphens, case kept */
	size_t text_len;
	size_t offset, len; /* in the text that was read */
};

/* The next word at or after *pos, which moves behind it. False at the end. */
bool words_next(const char *text, size_t len, size_t *pos, struct word *ret);

/* Normal form of one given word, case kept. Returns its length, 0 when nothing is left. */
size_t words_normalise(char out[ANALYSE_WORD_MAX + 1], const char *word, size_t len);
/* Unicode lower case of valid UTF-8. `out` may not overlap. Returns the length. */
size_t words_lower(char out[ANALYSE_WORD_MAX + 1], const char *word, size_t len);

/* Length of the word without an inflectional ending that follows a colon ("LVV:n" → 3), or `len`. */
size_t words_before_colon(const char *word, size_t len);
/* Is this, in lower case, what Finnish or Swedish appends to an abbreviation: n, ssa, lle, s …? */
bool words_is_ending(const char *text, size_t len);

#endif
