/* The root key as shares for people to keep, n of m (slip39.h), and back.
 *
 * Shares are of one root key, that is of one epoch: after a change of keys they open nothing any more and are made anew.
 * DIR/key-shares.json says of which epoch the last ones were: {"epoch","needed","shares","at"}.
 */
#ifndef ARKKI_ARCHIVE_KEY_SHARES_H
#define ARKKI_ARCHIVE_KEY_SHARES_H

#include <stdint.h>

#include "arkki/archive/slip39.h"
#include "arkki/base/error.h"

/* Splits the root key in root_path, after it opened keys_dir. Errors as slip39_split() and keyring_open(). */
ARK_MUSTUSE int key_shares_make(const char *keys_dir, const char *root_path, unsigned int needed,
    unsigned int shares, char ret[][SLIP39_TEXT_SIZE], uint32_t *ret_epoch, struct ark_error *err);

/* Writes the root key file `out` (which must not exist) from shares. keys_dir: the archive's, or a key backup's, which the key
 * must open and which says its epoch; NULL: nothing is compared, and `epoch` is written as given. */
ARK_MUSTUSE int key_shares_join(const char *const *mnemonics, size_t n, const char *keys_dir,
    uint32_t epoch, const char *out, struct ark_error *err);

/* Notes in DIR that shares are made. */
ARK_MUSTUSE int key_shares_note(const char *dir, uint32_t epoch, unsigned int needed,
    unsigned int shares, struct ark_error *err);
/* The epoch of the last shares; 0 when there never were any. */
ARK_MUSTUSE int key_shares_epoch(const char *dir, uint32_t *ret, struct ark_error *err);

#endif
