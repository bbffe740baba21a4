/* What the files of the store share: store.c (handle, head), store_write.c (transactions), store_read.c (readers),
 * store_care.c (counting, recovery, git as a child), store_compact.c (fewer packs), store_check.c (verification).
 *
 * Invariants:
 *   1. `head` is what refs/heads/main says, or said before a commit whose last
 *      sync failed; then `broken` is set and no transaction begins any more.
 *   2. Only the writer's process moves the ref, and only under main.lock.
 *   3. `objects`, `trees` and `pack` belong to the transaction; `in_txn` guards them.
 */
#ifndef ARKKI_ARCHIVE_STORE_INTERNAL_H
#define ARKKI_ARCHIVE_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "archive/git_commit.h"
#include "archive/git_objects.h"
#include "archive/git_pack.h"
#include "archive/git_sign.h"
#include "archive/git_tree_cache.h"
#include "arkki/archive/store.h"

struct signer_span {
	struct gitsign *key;
	int64_t from_us, until_us;
};

struct store {
	char *dir, *objects_dir, *pack_dir;
	char origin[GITCOMMIT_ORIGIN_SIZE]; /* as commits carry it */
	struct signer_span *signers;        /* the newest first; under the lock */
	size_t signers_len;
	bool for_writing;
	pthread_mutex_t lock; /* head, in_txn, broken, child, stopping */
	struct store_head head;
	bool in_txn, broken, stopping;
	pid_t child;            /* git, while it runs; 0 none */
	atomic_uint generation; /* moves when packs were removed: readers reopen */
	atomic_bool compacting;
	struct gitobj *objects;
	unsigned int objects_generation;
	struct gittree_cache *trees;
	struct gitpack *pack;
};

struct store_reader {
	struct store *store;
	struct gitobj *objects;
	unsigned int generation;
};

/* 1 and the id; 0: the branch is unborn; negative: ARK_ECORRUPT, ARK_EIO. */
int store_ref_read(const struct store *s, struct store_oid *ret, struct ark_error *err);
/* A commit of ours, parsed; the blob is the caller's. */
ARK_MUSTUSE int store_commit_read(struct gitobj *objects, const struct store_oid *oid,
    struct store_blob *ret_bytes, struct gitcommit *ret, struct ark_error *err);
/* ---- store_signers.c ---- */
ARK_MUSTUSE int store_write_allowed(const char *path, const char *origin,
    const struct signer_span *signers, size_t n, struct ark_error *err);
/* Was it signed by a key of ours, in its time? */
bool store_signed_by_us(struct store *s, const struct gitcommit *c, const void *bytes, size_t len);
/* A signed commit, by the newest key: appends to out. */
ARK_MUSTUSE int store_sign_commit(
    struct store *s, const struct gitcommit *c, struct buf *out, struct ark_error *err);
void store_free_signers(struct signer_span *signers, size_t n);

/* Removes what a crash left. */
ARK_MUSTUSE int store_recover(struct store *s, struct ark_error *err);
/* The same of the pack directory, when the head is known: indexes without a pack that nothing needs. */
ARK_MUSTUSE int store_settle_indexes(struct store *s, struct ark_error *err);
/* Runs git on the store and waits for it. ARK_EIO with what it complained of. */
ARK_MUSTUSE int store_git(struct store *s, char *const argv[], struct ark_error *err);
/* Every file of objects/pack whose name ends with `ext`; a non-zero return stops. */
ARK_MUSTUSE int store_each_file(const struct store *s, const char *ext,
    int (*each)(void *arg, const char *name), void *arg, struct ark_error *err);

#endif
