/* What the files of the store share: store.c (handle, head), store_write.c (transactions), store_read.c (readers),
 * store_care.c (counting, recovery, git as a child), store_compact.c (fewer packs), store_check.c (verification, of one pack too).
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
/* What allowed_signers is to say: a line for each key, the earliest first; appends to out. */
ARK_MUSTUSE int store_allowed_text(struct store *s, struct buf *out, struct ark_error *err);
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

/* Calls found() for each place in the tree of the head where one of the objects stands. Walks the whole tree. */
ARK_MUSTUSE int store_find_paths(struct store *store, const struct store_oid *oids, size_t n,
    void (*found)(void *arg, size_t which, const char *path), void *arg, struct ark_error *err);

/* How one pack is looked at: scrub and repair. */
struct store_pack_look {
	/* oid NULL: of the file as a whole */
	void (*bad)(void *arg, const struct store_oid *oid, const char *what);
	int (*pace)(
	    void *arg, size_t bytes); /* may be NULL; positive: stop, and that is returned */
	void *arg;
	bool around_cache; /* read the files from the disk itself, where the file system can */
};
/* Both files of a pack, whether they belong together and to their name, and that each object hashes to its name.
 * ARK_ECORRUPT when there was any fault. A pack that a compaction took away meanwhile has none. */
ARK_MUSTUSE int store_check_pack(struct store *s, const char *idx_name,
    const struct store_pack_look *look, uint64_t *ret_bytes, struct ark_error *err);

/* The rest of store_check(): the chain of commits, and that all that the head reaches is there. ARK_OK, whatever bad()
 * was told. */
ARK_MUSTUSE int store_check_reach(
    struct store *s, void (*bad)(void *arg, const char *what), void *arg, struct ark_error *err);

#endif
