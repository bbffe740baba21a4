/* A store is one bare Git repository (branch `main`, SHA-1) of sealed blobs.
 *
 * It knows paths, bytes and commits. It does not know keys, documents, users
 * or search: the blobs arrive sealed.
 *
 * Writing: one transaction makes one pack, one idx and one signed commit on
 * top of the head; nothing is ever written as a loose object. Reading goes
 * through libgit2. Stock git works on the directory at any time.
 *
 * Threads:    struct store is shared; a transaction belongs to one thread and
 *             there is one at a time; a reader belongs to one thread.
 * Durability: store_commit() returns ARK_OK only after pack, idx, their
 *             directory, the new ref and its directory are synced, in this
 *             order; on any error the head has not moved.
 */
#ifndef ARKKI_ARCHIVE_STORE_H
#define ARKKI_ARCHIVE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { STORE_OID_SIZE = 20 };

struct store;
struct store_txn;
struct store_reader;

struct store_oid {
	unsigned char id[STORE_OID_SIZE];
};

struct store_head {
	struct store_oid commit;
	struct store_oid tree;
	uint64_t sequence; /* commits so far; 0: none, and both ids are zero */
};

/* git_seed: the Ed25519 seed that signs commits. Makes the bare repository
 * and writes `allowed_signers_path` (principal "arkki@<origin>", namespaces="git"). */
ARK_MUSTUSE int store_create(const char *dir, const char *allowed_signers_path, const char *origin,
    const unsigned char git_seed[32], struct ark_error *err);
/* Removes what a crash left (temporary packs, a stale main.lock) when for_writing. */
ARK_MUSTUSE int store_open(const char *dir, const char *origin, const unsigned char git_seed[32],
    bool for_writing, struct store **ret, struct ark_error *err);
void store_close(struct store *s);

struct store_signer {
	const unsigned char *public_key,
	    *seed;                 /* 32 bytes each; seed NULL: it only signed earlier */
	int64_t from_us, until_us; /* from 0: with the store; until 0: the newest */
};
/* A commit within an hour of its key's span counts: a key is made before it takes over, and clocks are set. */
#define STORE_SIGNER_SLACK_US (INT64_C(3600) * 1000000)
/* Every key that ever signed, the newest first, which signs from here on. allowed_signers_path (NULL: only read) is
 * written when it is missing or is what it was before the newest key; else it stays, and verify tells. */
ARK_MUSTUSE int store_signers(struct store *s, const struct store_signer *signers, size_t n,
    const char *allowed_signers_path, struct ark_error *err);
void store_head(struct store *s, struct store_head *ret);
/* Rereads the ref: for a read-only process beside a writer. */
ARK_MUSTUSE int store_refresh(struct store *s, struct ark_error *err);

/* ---- writing ---- */
ARK_MUSTUSE int store_begin(struct store *s, struct store_txn **ret, struct ark_error *err);
/* Adds a blob at `path` ("docs/a/b/…/v0001/meta"; parents come by themselves).
 * A path that exists in the head or in this transaction is ARK_ECONFLICT:
 * nothing is ever overwritten. ret_oid may be NULL. The error is sticky:
 * after one failure every later call fails with it, and so does the commit. */
ARK_MUSTUSE int store_put(struct store_txn *t, const char *path, const void *bytes, size_t len,
    struct store_oid *ret_oid, struct ark_error *err);
/* The same, from `len` bytes at `offset` of an open file, in constant memory. */
ARK_MUSTUSE int store_put_fd(struct store_txn *t, const char *path, int fd, uint64_t offset,
    uint64_t len, struct store_oid *ret_oid, struct ark_error *err);
/* Ends the transaction in every case. The commit's message is
 * "arkki <sequence>\n\n" and `changes` (a line for each thing that is new, in
 * order; recovery reads them back). */
ARK_MUSTUSE int store_commit(struct store_txn *t, const char *changes, int64_t time_us,
    struct store_head *ret, struct ark_error *err);
void store_abort(struct store_txn *t);

/* ---- reading ---- */
ARK_MUSTUSE int store_reader_open(
    struct store *s, struct store_reader **ret, struct ark_error *err);
void store_reader_close(struct store_reader *r);

/* A blob, borrowed until store_blob_release(); it survives later calls. */
struct store_blob {
	const void *bytes;
	size_t len;
	void *handle;
};
/* By path in the tree of `at` (NULL: the newest head). */
ARK_MUSTUSE int store_get(struct store_reader *r, const struct store_head *at, const char *path,
    struct store_blob *ret, struct ark_error *err);
ARK_MUSTUSE int store_get_oid(struct store_reader *r, const struct store_oid *oid,
    struct store_blob *ret, struct ark_error *err);
void store_blob_release(struct store_blob *b);
/* Names in one directory, in git's order; a non-zero return of `each` stops
 * the walk and is returned. */
ARK_MUSTUSE int store_list(struct store_reader *r, const struct store_head *at, const char *path,
    int (*each)(void *arg, const char *name, bool is_tree, const struct store_oid *oid), void *arg,
    struct ark_error *err);
/* Commits after_sequence+1 … head, oldest first, with their change lines. */
ARK_MUSTUSE int store_log(struct store_reader *r, uint64_t after_sequence,
    int (*each)(void *arg, const struct store_head *commit, int64_t time_us, const char *changes),
    void *arg, struct ark_error *err);

/* ---- care ---- */
/* How many packs there are. */
unsigned int store_packs(struct store *s);
/* `git repack --geometric=2` as a low-priority child; when its packs are durable under their
 * names, the packs whose every object another one has are removed. Readers reopen by themselves
 * afterwards. Safe beside a running transaction; cut off anywhere, it has lost nothing. */
ARK_MUSTUSE int store_compact(struct store *s, struct ark_error *err);
/* The two halves of store_compact(): large packs are made; small ones that they cover are removed. A
 * git that is at work beside us (fsck, clone) listed the small ones when it began: wait a while in between. */
ARK_MUSTUSE int store_compact_new(struct store *s, struct ark_error *err);
ARK_MUSTUSE int store_compact_old(struct store *s, struct ark_error *err);
/* Ends a compaction of another thread soon, and any that begins later. */
void store_compact_stop(struct store *s);
/* Every object hashes to its name, every commit is signed by us and its
 * parent is the one before it. Calls bad() for each fault; returns ARK_ECORRUPT when there was any. */
ARK_MUSTUSE int store_check(struct store *s, void (*bad)(void *arg, const char *what), void *arg,
    uint64_t *ret_objects, struct ark_error *err);

#endif
