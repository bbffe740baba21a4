/* Key backups: registered places that hold a copy of DIR/keys, and follow it.
 *
 * A place is a directory that exists (a mounted disk, another machine's share). In it lies
 *   <archive id, 32 hex digits>/epoch-<N>/{secrets,shard-NNNNNN}
 * in the format of keys/, without the root key, which is kept apart (arkki keys split). The list, and how far each copy
 * is, is DIR/key-backups.json: {"backups":[{"name","path","epoch","slots","at","error"}]}. An ordinary backup of the
 * archive never holds keys: only so can a destroyed document stay destroyed.
 *
 * A copy counts when it was synced, read back, and every slot copied opened or is a destroyed one. That of an
 * older epoch is overwritten and removed once the new one counts, and the archive's own keys have changed.
 *
 * Threads: any; they wait for each other, and for a change of keys, which waits for them.
 */
#ifndef ARKKI_ARCHIVE_KEY_BACKUPS_H
#define ARKKI_ARCHIVE_KEY_BACKUPS_H

#include <jansson.h>

#include "arkki/archive/keyring.h"

enum { KEY_BACKUPS_MAX = 32 };

/* Registers a place; the first copy is made by key_backups_run(). name: [a-z0-9-]{1,64}. ARK_EINPUT: a bad name, a
 * relative path, no directory, or one inside the archive's own; ARK_ECONFLICT: the name or the place is taken. */
ARK_MUSTUSE int key_backups_add(
    struct keyring *k, const char *dir, const char *name, const char *path, struct ark_error *err);
/* Overwrites and removes the copy, then forgets the place. ARK_ENOTFOUND: no such name. ARK_EREFUSED: the copy cannot
 * be reached, and what lies there would outlive every later destruction; `abandon` forgets it all the same. */
ARK_MUSTUSE int key_backups_remove(
    struct keyring *k, const char *dir, const char *name, bool abandon, struct ark_error *err);
/* The array of DIR/key-backups.json, empty when there is none; *ret is the caller's. */
ARK_MUSTUSE int key_backups_list(const char *dir, json_t **ret, struct ark_error *err);
/* Brings every place up to the keys as they are, and removes what is older. Each is tried; *ret (may be NULL) is the
 * list afterwards, also with ARK_EIO, which says that one at least failed and which. */
ARK_MUSTUSE int key_backups_run(
    struct keyring *k, const char *dir, json_t **ret, struct ark_error *err);
/* Whether a place lacks keys that exist. */
bool key_backups_behind(struct keyring *k, const char *dir);

/* For keyring_change.copied, with one of these as its arg. ARK_EIO when one place did not confirm: the change is
 * given up then. */
struct key_backups_change {
	const char *dir;
	json_t *
	    confirmed; /* out: [{"name","epoch","slots","at"}], for the tombstone; json_decref() it */
};
ARK_MUSTUSE int key_backups_copied(
    void *arg, const char *keys_dir, const char *new_root, uint32_t epoch, struct ark_error *err);

/* A change of keys as it should be made: keyring_change() with the places brought along and confirmed, then what is older
 * overwritten there. destroy as in keyring_change. *ret_confirmed (may be NULL) is an array as above. When only the last
 * step fails, ARK_OK is returned all the same and the place's "error" says so: the next run does it. */
/* The same to renew or retire a signing key; archive_rekey() is to follow. */
ARK_MUSTUSE int key_backups_change_signing(struct keyring *k, const char *dir,
    enum keyring_signing renew, enum keyring_signing retire, json_t **ret_confirmed,
    struct ark_error *err);
ARK_MUSTUSE int key_backups_change(struct keyring *k, const char *dir, const uint64_t *destroy,
    size_t destroy_len, json_t **ret_confirmed, struct ark_error *err);

#endif
