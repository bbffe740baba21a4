/* A secret split into mnemonic shares, n of m: SLIP-39
 * (https://github.com/satoshilabs/slips/blob/master/slip-0039.md).
 *
 * It knows bytes and words; not what the secret opens. Joining understands every SLIP-39 set (groups, the extendable
 * flag, a passphrase); splitting makes one group, extendable, without a passphrase. Threads: pure functions.
 */
#ifndef ARKKI_ARCHIVE_SLIP39_H
#define ARKKI_ARCHIVE_SLIP39_H

#include <stddef.h>

#include "arkki/base/error.h"

enum {
	SLIP39_SHARES_MAX = 16,     /* of one split */
	SLIP39_MNEMONICS_MAX = 256, /* of one joining: 16 groups of 16 */
	SLIP39_SECRET_MIN = 16,
	SLIP39_SECRET_MAX = 64,
	SLIP39_TEXT_SIZE = 640, /* 59 words of at most 8 letters, with blanks and NUL */
};

/* len: even, SLIP39_SECRET_MIN to _MAX. 2 <= threshold <= count <= SLIP39_SHARES_MAX, else ARK_EINPUT. Fresh random shares
 * each time; those of two splits do not go together. */
ARK_MUSTUSE int slip39_split(const unsigned char *secret, size_t len, unsigned int threshold,
    unsigned int count, char ret[][SLIP39_TEXT_SIZE], struct ark_error *err);

/* passphrase: printable ASCII, "" for none; a wrong one gives another secret, not an error: so the scheme wants it.
 * More shares than needed are fine. ARK_EINPUT names the share (from 1) and what is wrong, or how many are missing. ret
 * has room for SLIP39_SECRET_MAX. */
ARK_MUSTUSE int slip39_join(const char *const *mnemonics, size_t n, const char *passphrase,
    unsigned char *ret, size_t *ret_len, struct ark_error *err);

#endif
