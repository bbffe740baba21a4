/* What uploads.c (rows) and uploads_pieces.c (bytes) share.
 *
 * Threads: as uploads.h says.
 */
#ifndef ARKKI_UPLOADS_PRIVATE_H
#define ARKKI_UPLOADS_PRIVATE_H

#include <sodium.h>

#include "archive/credentials_private.h"
#include "arkki/archive/seal.h"
#include "arkki/archive/uploads.h"

/* The row as a whole: what a caller sees of it, and where its pieces are. */
struct pending_row {
	struct pending p;
	uint64_t pieces, file_len; /* as far as p.offset */
	bool held; /* what the file has behind that was never confirmed, and is cut off */
	struct seal_key key;
	crypto_hash_sha256_state hash; /* of the bytes as far as p.offset */
};
void pending_row_free(struct pending_row *r);

/* ARK_ENOTFOUND as pending_get(). */
ARK_MUSTUSE int pending_row_get(const struct pending_place *place, const char *user, const char *id,
    struct pending_row *ret, struct ark_error *err);
/* Writes how far r is (length, offset, pieces, file_len, hash) into the row there is, and renews its life. lazily: without
 * a sync of its own. */
ARK_MUSTUSE int pending_row_move(
    const struct pending_place *place, struct pending_row *r, bool lazily, struct ark_error *err);
/* Bytes that an upload of this length has on the disk when it is whole, and a little more. */
uint64_t pending_room(uint64_t length);
/* SPOOL/uploads/<id>, or the folder (id NULL). */
ARK_MUSTUSE int pending_path(
    const struct pending_place *place, const char *id, char out[4096], struct ark_error *err);

#endif
