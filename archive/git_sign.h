/* SSH signatures (SSHSIG, OpenSSH's PROTOCOL.sshsig) with one Ed25519 key.
 *
 * Namespace "git", SHA-512: byte for byte what
 * `ssh-keygen -Y sign -n git` makes, so that stock git verifies our commits
 * (`gpg.format=ssh`). A convenience for outsiders: the authority is the log.
 *
 * Threads: a gitsign is constant after gitsign_new(); any thread may use it.
 */
#ifndef ARKKI_ARCHIVE_GIT_SIGN_H
#define ARKKI_ARCHIVE_GIT_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

struct gitsign;

ARK_MUSTUSE int gitsign_new(
    const unsigned char seed[32], struct gitsign **ret, struct ark_error *err);
/* One that can only verify: for a key whose seed is gone. */
ARK_MUSTUSE int gitsign_new_public(
    const unsigned char public_key[32], struct gitsign **ret, struct ark_error *err);
void gitsign_free(struct gitsign *s); /* wipes the key */

/* Appends the armoured signature, ending with a newline. */
ARK_MUSTUSE int gitsign_sign(const struct gitsign *s, const void *message, size_t len,
    struct buf *out, struct ark_error *err);
/* Ours, canonical and valid. False also when memory is out. */
bool gitsign_verify(const struct gitsign *s, const void *message, size_t len, const char *armour,
    size_t armour_len);
/* Appends "ssh-ed25519 AAAA…" */
void gitsign_public(const struct gitsign *s, struct buf *out);

#endif
