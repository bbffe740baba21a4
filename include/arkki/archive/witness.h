/* A witness: keeps the last checkpoint that it saw of each log it knows, and
 * cosigns one that continues it (c2sp.org/tlog-witness, c2sp.org/tlog-cosignature).
 *
 *   DIR/witness.conf           "format 1", "name NAME"
 *   DIR/key                    64 hex digits: the seed of its Ed25519 key, 0600
 *   DIR/lock                   flock by the process that serves
 *   DIR/logs/<hash>.log        "origin ORIGIN" and a line "vkey VKEY" for each key of that log
 *   DIR/logs/<hash>.checkpoint the last one cosigned, as the log signed it; empty: none yet
 *
 * <hash> is the lower-case hex SHA-256 of the origin. A log without its
 * checkpoint file has lost its state: it is refused, never taken for a new one.
 *
 * It knows logs, keys and its own directory; not HTTP, and not what the logs hold.
 * Threads: any. One request is decided at a time.
 * Durability: a cosignature is given only after its checkpoint is synced.
 */
#ifndef ARKKI_ARCHIVE_WITNESS_H
#define ARKKI_ARCHIVE_WITNESS_H

#include <stddef.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { WITNESS_BODY_MAX = 64 * 1024 };

struct witness;

/* Makes a witness in a new or empty directory. name: what its signature lines begin with. */
ARK_MUSTUSE int witness_init(const char *dir, const char *name, struct ark_error *err);
/* Lets it cosign the log of this key; also while it serves. origin: the first line of its checkpoints,
 * NULL: the name in the key. A second key of a known log is added to the first. */
ARK_MUSTUSE int witness_add_log(
    const char *dir, const char *vkey, const char *origin, struct ark_error *err);
/* Its verifier key. */
ARK_MUSTUSE int witness_vkey(const char *dir, struct buf *out, struct ark_error *err);

/* ARK_ECONFLICT when another process serves it. On success *ret is ended with witness_close(). */
ARK_MUSTUSE int witness_open(const char *dir, struct witness **ret, struct ark_error *err);
void witness_close(struct witness *w);

struct witness_reply {
	int status;               /* of HTTP: 200 400 403 404 409 413 422 500 */
	const char *content_type; /* static */
	struct buf body;          /* signature lines, a size, or a sentence; end with buf_free() */
};
/* Answers one add-checkpoint request. Any bytes may be given. */
void witness_add_checkpoint(
    struct witness *w, const char *body, size_t len, struct witness_reply *ret);

#endif
