/* The keyring in memory: for keyring.c, keyring_open.c, keyring_change.c and keyring_settle.c alone.
 *
 * Slots go through three places, in order:
 *
 *   0 … written-1           in shard files, synced (or found there at opening)
 *   written … slots-1       in `pending`, wrapped, not yet in a file
 *   slots …                 not given out
 *
 * Invariants:
 *   - keyring_sync() moves `written` only after the sync; until then unwrap
 *     takes those slots from `pending`, so a reader never sees a half-written one;
 *   - whoever adds or opens a slot holds `gate` for reading as long as it uses a shard's key, its
 *     descriptor or the root; an exchange of keys holds it for writing, and so finds nobody within;
 *   - `lock` is held for memory only, never during file work; `sync_lock`
 *     orders syncs and guards the tail file. Order: changing, gate, sync_lock, lock;
 *   - shard keys, root and secrets are in locked memory; copies on a stack are wiped;
 *   - a descriptor in `shard` is closed only by keyring_forget() (under the gate) and at the end.
 *     Beyond FDS_KEPT shards a descriptor belongs to its call;
 *   - the vault does not move while the keyring is open: keyring_secrets() is held by others. */
#ifndef ARKKI_ARCHIVE_KEYRING_MEMORY_H
#define ARKKI_ARCHIVE_KEYRING_MEMORY_H

#include <pthread.h>
#include <stdatomic.h>

#include "archive/keyring_private.h"

enum {
	FDS_KEPT = 256,      /* 4.2 million slots */
	BLOCK_KEYS = 128,    /* shard keys in one piece of locked memory */
	PENDING_MAX = 65536, /* slots between two syncs; a group of filings has 64 */
};

struct vault {
	struct keyring_secrets secrets;
	struct keyring_root root;
};

struct shard {
	int fd; /* for reading; -1: not kept open */
	bool has_key;
};

struct keyring {
	char *dir;
	char *root_path;
	struct vault *vault; /* read-only memory, but for the exchange of root keys */
	uint32_t shard_slots;
	bool for_writing;
	_Atomic uint64_t slots;
	_Atomic uint32_t epoch; /* of vault->root */
	pthread_rwlock_t gate;
	pthread_mutex_t changing; /* held by a change, and by those who keep one off */
	atomic_bool change_wanted;

	pthread_mutex_t lock;
	struct shard *shard;
	size_t shards; /* entries of `shard`, not files */
	size_t fds;
	struct seal_key *block[(SHARD_NUMBER_MAX + 1) / BLOCK_KEYS];
	uint64_t written;
	unsigned char *pending;
	size_t pending_cap; /* slots */
	bool failed;

	pthread_mutex_t sync_lock;
	uint32_t files; /* shard files that exist */
	int tail_fd;    /* for writing: shard tail */
	uint32_t tail;
};

/* ---- keyring.c ---- */
struct shard_id keyring_shard_id(const struct keyring *k, uint32_t number);
/* Under `lock`. False: no memory. */
bool keyring_keep_key(struct keyring *k, uint32_t number, const struct seal_key *key);
/* keyring_sync(), with sync_lock held. */
ARK_MUSTUSE int keyring_sync_locked(struct keyring *k, struct ark_error *err);

/* ---- keyring_open.c ---- */
/* Drops every kept descriptor and shard key. Under the gate for writing, `sync_lock` and `lock`. */
void keyring_forget(struct keyring *k);
/* Puts another root, and its signing keys, in the place of the present ones and forgets what was opened under that. Locks as
 * above. The other secrets stay where and as they are: they are read without a lock. */
ARK_MUSTUSE int keyring_take_root(struct keyring *k, const struct keyring_root *root,
    const struct keyring_secrets *secrets, struct ark_error *err);

#endif
