/* add-checkpoint of c2sp.org/tlog-witness as a text: a request written and read.
 *
 * It knows the text; not whether what it says is true.
 * Threads: pure functions; a parsed request borrows from its bytes.
 */
#ifndef ARKKI_ARCHIVE_WITNESS_WIRE_H
#define ARKKI_ARCHIVE_WITNESS_WIRE_H

#include "archive/checkpoint.h"

enum { WITNESS_PROOF_MAX = 63 };

struct witness_request {
	uint64_t old_size;
	struct merkle_hash proof[WITNESS_PROOF_MAX];
	size_t proof_len;
	const char *note_bytes; /* the signed checkpoint */
	size_t note_len;
	struct note note;
	const char *origin; /* its first line */
	size_t origin_len;
	struct checkpoint checkpoint;
};

/* ARK_EINPUT: malformed, and the text says where. */
ARK_MUSTUSE int witness_request_parse(
    const char *bytes, size_t len, struct witness_request *ret, struct ark_error *err);
/* Appends a request. ARK_EINPUT: a proof that is too long. */
ARK_MUSTUSE int witness_request_format(struct buf *out, uint64_t old_size,
    const struct merkle_hash *proof, size_t proof_len, const char *note, size_t note_len,
    struct ark_error *err);

#endif
