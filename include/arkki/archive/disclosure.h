/* A disclosure: one entry of a log, shown to an outsider part by part, with its proof.
 *
 * JSON text, media type application/json:
 *   {"log":"<origin>/access","index":17,
 *    "parts":{"A":{"salt":"<64 hex digits>","json":"{\"time\":…}"},
 *             "B":{"commitment":"<64 hex digits>"},"C":{"commitment":"<64 hex digits>"}},
 *    "proof":"<a c2sp.org/tlog-proof, its newlines and all>"}
 * A part that is disclosed gives its salt and its JSON text as it was logged; one that is not gives its
 * commitment alone. Whoever holds the log's verifier key needs nothing else to check it.
 *
 * Threads: any. It knows logs and texts; who may see which part is its caller's to decide.
 */
#ifndef ARKKI_ARCHIVE_DISCLOSURE_H
#define ARKKI_ARCHIVE_DISCLOSURE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/ledger.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { DISCLOSE_A = 1, DISCLOSE_B = 2, DISCLOSE_C = 4, DISCLOSURE_MAX = 2 << 20 };

/* Appends the disclosure of one entry to `out`. letters: DISCLOSE_…, or 0 for the commitments alone. */
ARK_MUSTUSE int disclosure_write(
    struct ledger *l, uint64_t index, unsigned int letters, struct buf *out, struct ark_error *err);

struct disclosed {
	char origin[256];
	uint64_t index, tree_size;
	unsigned char entry[33]; /* what the log's tile holds at `index` */
	json_t *a, *b, *c;       /* NULL: not disclosed */
};
/* Checks that the parts make the entry, the entry is in the tree, and the tree's checkpoint is signed by vkey
 * (whose name must be the log's). ARK_EINPUT: not a disclosure; ARK_ECORRUPT: it is false, and the text says where.
 * On success *ret is ended with disclosed_free(). Reads nothing but its arguments. */
ARK_MUSTUSE int disclosure_check(
    const char *text, size_t len, const char *vkey, struct disclosed *ret, struct ark_error *err);
void disclosed_free(struct disclosed *d); /* what it holds */

#endif
