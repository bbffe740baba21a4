/* The difference of two texts by word: which words are the same, which were added, which removed.
 *
 * Words are what stands between white space; what stands between them (line ends, page breaks, the division into
 * paragraphs) is shown as the newer text has it and is no difference. The work is libgit2's xdiff, given one word a line.
 *
 * Bounds: xdiff takes up to 2 s on two random texts of 100,000 words each; that is what WORD_DIFF_PARTS stops
 * at. Above it whole lines are compared in place of words, and above that, or WORD_DIFF_BYTES, nothing is.
 *
 * Threads: any; no state. A call may take seconds: a thread of its own is the place for it.
 */
#ifndef ARKKI_ARCHIVE_WORD_DIFF_H
#define ARKKI_ARCHIVE_WORD_DIFF_H

#include <stddef.h>
#include <stdint.h>

#include "arkki/base/error.h"

enum {
	WORD_DIFF_BYTES = 8 << 20, /* of one text */
	WORD_DIFF_PARTS = 200000,  /* words (else lines) of both texts together */
};

enum word_op { WORDS_SAME, WORDS_REMOVED, WORDS_ADDED };
enum word_unit { UNIT_WORD, UNIT_LINE };

struct word_run { /* the white space behind the last word is in it, that before the first is not */
	enum word_op op;
	const char *text; /* in `before` when removed, else in `after` */
	size_t len;
	uint64_t words;
};

struct word_diff {
	enum word_unit unit;   /* what was compared */
	struct word_run *runs; /* what was removed stands before what was added in its place */
	size_t n, cap;
	uint64_t same, removed, added; /* words */
};

/* The runs borrow the texts. ARK_EINPUT: too long to compare. On success ended with word_diff_free(). */
ARK_MUSTUSE int word_diff(const char *before, size_t before_len, const char *after,
    size_t after_len, struct word_diff *ret, struct ark_error *err);
void word_diff_free(struct word_diff *d); /* what it holds */

/* How far the first (last) `words` words of a text of words reach: bytes with the white space behind them (from the
 * start of the first of them to the end). */
size_t words_head(const char *text, size_t len, uint64_t words);
size_t words_tail(const char *text, size_t len, uint64_t words);
uint64_t words_count(const char *text, size_t len);

#endif
