/* The keyring holds every key of an archive, wrapped, in DIR/keys/.
 *
 * Key tree: the root key (a file outside DIR, with an epoch number) wraps one
 * key per shard file; a shard key wraps data keys in 72-byte slots
 *   nonce[24] || ct[32] || tag[16]      XChaCha20-Poly1305 (libsodium)
 * whose AAD names archive id, shard, epoch and slot number. Slot numbers run through
 * the whole archive: slot n is slot n % 16384 of shard n / 16384. (Shards go
 * by allocation order, not by document id, so that the slots of one group of
 * filings cost one sync and not one a document.) Slots are append-only.
 * keys/secrets holds the archive's own secrets (struct keyring_secrets),
 * sealed by the root key.
 *
 * It knows slots and keys; not documents, versions or who may read.
 * Threads: all functions may be called from any thread.
 * Durability: a key given out by keyring_add() survives a power cut only
 * after keyring_sync() returned ARK_OK.
 */
#ifndef ARKKI_ARCHIVE_KEYRING_H
#define ARKKI_ARCHIVE_KEYRING_H

#include <stdint.h>

#include "arkki/archive/receipt.h"
#include "arkki/archive/seal.h"
#include "arkki/base/error.h"

struct keyring;

struct keyring_secrets {
	unsigned char history_seed[32]; /* Ed25519 seed of the history log's key */
	unsigned char access_seed[32];  /* … of the access log's */
	unsigned char git_seed[32];     /* … of the commit signatures */
	unsigned char name_key[32];     /* keyed hashes of chosen names in git and SQLite */
	unsigned char token_key[32];    /* receipts, cursors, entity tags */
	unsigned char archive_id[16];   /* random, public; part of every AAD and context */
};

/* Writes a new root key file (mode 0600, refuses to overwrite), durably.
 * Its format: one line "arkki-root-key-v1 <epoch> <64 hex digits>\n". */
ARK_MUSTUSE int keyring_create_root(const char *root_path, struct ark_error *err);
/* Makes keys_dir (which must not exist) with fresh secrets. */
ARK_MUSTUSE int keyring_create(const char *keys_dir, const char *root_path, struct ark_error *err);
/* ARK_ENOTFOUND: no root key file (the text says how to give it);
 * ARK_EINPUT: malformed, readable by others than its owner, or not the key of this archive.
 * for_writing: a torn slot at the end of the last shard (a crash) is cut off. */
ARK_MUSTUSE int keyring_open(const char *keys_dir, const char *root_path, int for_writing,
    struct keyring **ret, struct ark_error *err);
void keyring_close(struct keyring *k);

const struct keyring_secrets *keyring_secrets(const struct keyring *k);
uint32_t keyring_epoch(const struct keyring *k);
uint64_t keyring_slots(
    const struct keyring *k); /* how many there are; for a reader, at its opening */

/* Wraps `key` in the next slot. Not durable yet. */
ARK_MUSTUSE int keyring_add(
    struct keyring *k, const struct seal_key *key, uint64_t *ret_slot, struct ark_error *err);
/* One write and one fdatasync (two and a directory sync when a shard begins). After a failed sync every
 * later add and sync fails until the archive is opened anew. */
ARK_MUSTUSE int keyring_sync(struct keyring *k, struct ark_error *err);

/* Opens a slot. The receipt says under which durable ledger entry; NULL is refused. */
ARK_MUSTUSE int keyring_unwrap(struct keyring *k, const struct receipt *receipt, uint64_t slot,
    struct seal_key *ret, struct ark_error *err);

/* The same without a receipt, for the ledger's own segments and for nothing
 * else: tools/check-boundaries lets only archive/ledger*.c name it. */
ARK_MUSTUSE int keyring_unwrap_ledger(
    struct keyring *k, uint64_t slot, struct seal_key *ret, struct ark_error *err);

/* Keyed hash of a chosen name (BLAKE2b-128 by libsodium, over kind || 0x00 || name), 32 hex digits. */
void keyring_name(const struct keyring *k, const char *kind, const char *name, char out[33]);

/* Every slot opens under the root: for verify. Calls bad() for each that does not (once, with its
 * first slot, for a shard that is missing, cut or has a bad header); ARK_ECORRUPT when there was any. */
ARK_MUSTUSE int keyring_check(struct keyring *k,
    void (*bad)(void *arg, uint64_t slot, const char *why), void *arg, struct ark_error *err);

#endif
