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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/receipt.h"
#include "arkki/archive/seal.h"
#include "arkki/base/error.h"

struct keyring;

/* What signs: each a key of its own, which can be renewed while the others stay. */
enum keyring_signing { SIGNING_NONE, SIGNING_HISTORY, SIGNING_ACCESS, SIGNING_GIT };
enum { KEYRING_PAST_MAX = 64 };
/* How long a log's earlier key goes on signing beside the new one, unless it is retired. */
#define SIGNING_OVERLAP_US (30 * INT64_C(86400) * 1000000)

struct keyring_past {              /* a signing key that is not the newest any more */
	uint32_t which;            /* enum keyring_signing */
	uint32_t signs;            /* 1: the seed is kept */
	int64_t from_us, until_us; /* when it was made (0: with the archive), and the next one */
	unsigned char public_key[32], seed[32];
};

struct keyring_secrets {
	unsigned char history_seed[32]; /* Ed25519 seed of the history log's key */
	unsigned char access_seed[32];  /* … of the access log's */
	unsigned char git_seed[32];     /* … of the commit signatures */
	unsigned char name_key[32];     /* keyed hashes of chosen names in git and SQLite */
	unsigned char token_key[32];    /* receipts, cursors, entity tags */
	unsigned char archive_id[16];   /* random, public; part of every AAD and context */
	uint32_t past_len, unused;      /* oldest first */
	struct keyring_past past[KEYRING_PAST_MAX];
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

/* The three seeds in it change with keyring_change.renew: who signs while the archive is open asks keyring_signers(). */
const struct keyring_secrets *keyring_secrets(const struct keyring *k);

struct keyring_signer {
	bool signs; /* the newest; and of a log an earlier one within its overlap */
	unsigned char public_key[32];
	unsigned char seed[32];    /* zeros when it does not sign */
	int64_t from_us, until_us; /* from 0: with the archive; until 0: the newest */
};
/* All keys of one kind, the newest first, into ret[KEYRING_PAST_MAX + 1], to be wiped by the caller. How many. */
size_t keyring_signers(struct keyring *k, enum keyring_signing which, struct keyring_signer *ret);
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

/* ---- changing keys: keyring_change.c ----
 *
 * One change makes a new root key of the next epoch and every shard anew under it: fresh shard keys, each
 * slot wrapped again, but those to be destroyed, which become 72 bytes 0xff (a destroyed slot is told from a
 * damaged one, and its number is never given again). Adding and opening go on meanwhile.
 *
 * Order: keys.next/ and ROOT.next written and synced -> every slot that stays is opened out of keys.next and
 * compared -> copied() -> what was added since is caught up under the lock -> keys.next and keys exchanged
 * (renameat2), their directory synced -> ROOT.next and ROOT exchanged (or renamed, where a file system can do no more),
 * their directory synced -> the old files are overwritten, synced and unlinked. A reader in another process takes on
 * the new keys when the old no longer fit. A crash at any point leaves a set that opens: keyring_open() finishes the change when the keys
 * are already exchanged, and removes what was prepared when they are not. */
struct keyring_change {
	const char *root_path; /* the file of the root key in force, which the new one replaces */
	const uint64_t
	    *destroy; /* slots, ascending, no doubles; those destroyed before may be named again */
	size_t destroy_len;
	enum keyring_signing
	    renew; /* a new key of this kind, beside the old; those who sign must then take it up */
	enum keyring_signing
	    retire; /* the earlier keys of this kind sign no more: their seeds are left out */
	/* The new keys lie durable in `keys_dir`, with the root file `new_root`: time to bring them to every
	 * registered key backup, and to have that confirmed. Not ARK_OK: the change is given up, all is as before. */
	int (*copied)(void *arg, const char *keys_dir, const char *new_root, uint32_t epoch,
	    struct ark_error *err);
	void (*progress)(void *arg, uint64_t done, uint64_t of); /* slots; may be NULL */
	void *arg;
};
/* One at a time (ARK_ECONFLICT). ARK_EREFUSED when the root key file cannot be replaced where it lies, or keys/ cannot be
 * exchanged on its file system; ARK_ECORRUPT when a slot that is to stay does not open: nothing changed. ARK_EIO:
 * nothing changed, or (keyring_epoch() tells) the keys are changed and the next start finishes what is left. */
ARK_MUSTUSE int keyring_change(
    struct keyring *k, const struct keyring_change *change, struct ark_error *err);
/* Whether that slot's key was destroyed; keyring_unwrap() of one is ARK_EGONE. */
ARK_MUSTUSE int keyring_destroyed(
    struct keyring *k, uint64_t slot, bool *ret, struct ark_error *err);

/* Every slot opens under the root or was destroyed: for verify. Calls bad() for each that does not (once, with its
 * first slot, for a shard that is missing, cut or has a bad header); ARK_ECORRUPT when there was any. */
ARK_MUSTUSE int keyring_check(struct keyring *k,
    void (*bad)(void *arg, uint64_t slot, const char *why), void *arg, struct ark_error *err);

#endif
