/* How alike two texts are: a short signature of the rows of three words that a text has.
 *
 * MinHash (Broder 1997): of each of LIKENESS_LANES hash functions the least value over all rows is kept, 16 bits
 * of it. Two texts agree in a lane as often as a row of either is in both (Jaccard).
 * One changed paragraph of ten leaves about four lanes of five equal.
 *
 * Pure functions. The signature is a fingerprint of a text: it is kept where the text's words are.
 */
#ifndef ARKKI_INDEX_LIKENESS_H
#define ARKKI_INDEX_LIKENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKENESS_LANES 32
#define LIKENESS_BYTES (2 * LIKENESS_LANES)
#define LIKENESS_WORDS_MIN 20 /* a shorter text is like nothing */
#define LIKENESS_NEAR 26      /* equal lanes of near-duplicates: Jaccard 0.8 */

struct likeness { /* of a text whose words are being told */
	uint64_t last[2];
	size_t words;
	uint32_t least[LIKENESS_LANES];
};

void likeness_begin(struct likeness *l);
void likeness_add(struct likeness *l, const char *word, size_t len); /* in lower case */
/* False: too short, out is not touched. The same bytes on every machine. */
bool likeness_end(const struct likeness *l, unsigned char out[LIKENESS_BYTES]);

/* How many lanes of two signatures are equal. */
unsigned int likeness_equal(
    const unsigned char a[LIKENESS_BYTES], const unsigned char b[LIKENESS_BYTES]);

#endif
