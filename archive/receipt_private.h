/* Inside of a receipt, for the one who makes it.
 *
 * Only archive/ledger*.c (and tests) may include this file: whoever can call
 * receipt_new() can open any data key, so the call stays behind the sync.
 */
#ifndef ARKKI_ARCHIVE_RECEIPT_PRIVATE_H
#define ARKKI_ARCHIVE_RECEIPT_PRIVATE_H

#include "arkki/archive/receipt.h"

enum { RECEIPT_TOKEN_MAX = 127 };

struct receipt {
	uint64_t first;
	uint64_t count;
	char token[RECEIPT_TOKEN_MAX + 1];
};

/* The entries first … first+count-1 are durable. The token is copied; the
 * receipt is the caller's (receipt_free). NULL: no memory, or the token is
 * longer than RECEIPT_TOKEN_MAX. */
struct receipt *receipt_new(uint64_t first, uint64_t count, const char *token);

#endif
