/* A growable byte buffer with a sticky error.
 *
 * After the first allocation that fails, or growth past `limit`, later
 * appends are no-ops; one check of buf_failed() at the end is enough.
 * `data` is always NUL-terminated when not NULL, so a buffer of text is a C
 * string. A zeroed struct (or BUF_INIT) is an empty buffer.
 * Threads: none of its own.
 */
#ifndef ARKKI_BASE_BUF_H
#define ARKKI_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/error.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit; /* 0: none */
	bool failed;
};

#define BUF_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}

void buf_free(struct buf *b);      /* frees and zeroes; keeps limit */
void buf_wipe_free(struct buf *b); /* the same, after overwriting the bytes */
void buf_clear(struct buf *b);     /* len = 0, keeps the memory, clears failed */
bool buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) ARK_PRINTF(2, 3);
void buf_add_be(struct buf *b, uint64_t value, unsigned int bytes); /* big-endian */
static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}
/* Hands the bytes over to the caller (ended with free()); b is empty after. */
char *buf_take(struct buf *b, size_t *ret_len);

#endif
