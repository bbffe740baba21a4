/* The names and public texts of the signing keys (enum keyring_signing).
 *
 * It knows texts; the keys are the keyring's. Threads: pure functions.
 */
#ifndef ARKKI_ARCHIVE_SIGNING_H
#define ARKKI_ARCHIVE_SIGNING_H

#include "arkki/archive/keyring.h"
#include "arkki/base/buf.h"

/* "history", "access", "git", by enum keyring_signing. */
extern const char *const signing_names[4];
/* SIGNING_NONE: no such name, or NULL. */
enum keyring_signing signing_by_name(const char *name);
/* Appends the verifier key of a log (signed note; origin is the log's), or git's "ssh-ed25519 AAAA…". */
ARK_MUSTUSE int signing_public(enum keyring_signing which, const char *origin,
    const unsigned char public_key[32], struct buf *out, struct ark_error *err);

#endif
