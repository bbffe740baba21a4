/* Transactions: one pack, one signed commit, one move of the ref. */
#include "archive/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/git_tree.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

struct store_txn {
	struct store *store;
	struct store_head base;
	struct gittree *tree;
	int status; /* of the first failure, and its text */
	struct ark_error error;
};

/* Takes the transaction's turn. */
static int claim(struct store *s, struct store_head *ret, struct ark_error *err)
{
	int rc = ARK_OK;

	pthread_mutex_lock(&s->lock);
	if (!s->for_writing)
		rc = ark_fail(err, ARK_EINPUT, "%s was opened for reading only", s->dir);
	else if (s->broken)
		rc = ark_fail(
		    err, ARK_EIO, "a sync of %s failed: restart arkki, which checks it", s->dir);
	else if (s->in_txn)
		rc = ark_fail(err, ARK_ECONFLICT, "a transaction on %s is open already", s->dir);
	else
		s->in_txn = true;
	*ret = s->head;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static void release(struct store *s, const struct store_head *head, bool broken)
{
	pthread_mutex_lock(&s->lock);
	if (head)
		s->head = *head;
	s->broken |= broken;
	s->in_txn = false;
	pthread_mutex_unlock(&s->lock);
}

/* What transactions share, made by the first one. */
static int prepare(struct store *s, struct ark_error *err)
{
	unsigned int generation = atomic_load(&s->generation);
	int rc = ARK_OK;

	if (!s->objects)
		rc = gitobj_open(s->objects_dir, &s->objects, err);
	else if (s->objects_generation !=
		 generation) /* let go of packs that a compaction removed */
		rc = gitobj_reopen(s->objects, err);
	if (!rc)
		s->objects_generation = generation;
	if (!rc && !s->trees && !(s->trees = gittree_cache_new()))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a transaction");
	if (!rc && !s->pack)
		rc = gitpack_new(s->pack_dir, &s->pack, err);
	return rc;
}

int store_begin(struct store *s, struct store_txn **ret, struct ark_error *err)
{
	struct store_txn *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return ark_fail(err, ARK_ENOMEM, "no memory for a transaction");
	rc = claim(s, &t->base, err);
	if (rc) {
		free(t);
		return rc;
	}
	t->store = s;
	rc = prepare(s, err);
	if (!rc)
		rc = gittree_new(
		    s->objects, s->trees, t->base.sequence ? &t->base.tree : NULL, &t->tree, err);
	if (rc) {
		release(s, NULL, false);
		free(t);
		return rc;
	}
	gitpack_start(s->pack);
	*ret = t;
	return ARK_OK;
}

/* Remembers the first failure, and gives it to the caller. */
static int report(struct store_txn *t, int rc, struct ark_error *err)
{
	t->status = rc;
	if (err && rc)
		*err = t->error;
	return rc;
}

int store_put(struct store_txn *t, const char *path, const void *bytes, size_t len,
    struct store_oid *ret_oid, struct ark_error *err)
{
	struct store_oid *place;
	int rc = t->status;

	if (!rc)
		rc = gittree_place(t->tree, path, &place, &t->error);
	if (!rc)
		rc = gitpack_add(t->store->pack, GITOBJ_BLOB, bytes, len, place, &t->error);
	if (!rc && ret_oid)
		*ret_oid = *place;
	return report(t, rc, err);
}

int store_put_fd(struct store_txn *t, const char *path, int fd, uint64_t offset, uint64_t len,
    struct store_oid *ret_oid, struct ark_error *err)
{
	struct store_oid *place;
	int rc = t->status;

	if (!rc)
		rc = gittree_place(t->tree, path, &place, &t->error);
	if (!rc)
		rc = gitpack_add_fd(t->store->pack, fd, offset, len, place, &t->error);
	if (!rc && ret_oid)
		*ret_oid = *place;
	return report(t, rc, err);
}

static void end(struct store_txn *t, const struct store_head *head, bool broken)
{
	gittree_free(t->tree);
	release(t->store, head, broken);
	free(t);
}

void store_abort(struct store_txn *t)
{
	if (!t)
		return;
	gitpack_abort(t->store->pack);
	end(t, NULL, false);
}

/* ---- the commit ---- */

static int add_commit(struct store_txn *t, const char *changes, int64_t time_us,
    struct store_head *ret, struct ark_error *err)
{
	struct gitcommit c = {.tree = ret->tree,
	    .parent = t->base.commit,
	    .has_parent = t->base.sequence != 0,
	    .time_s = time_us > 0 ? time_us / 1000000 : 0,
	    .sequence = ret->sequence,
	    .changes = changes,
	    .changes_len = strlen(changes)};
	struct buf out = BUF_INIT;
	int rc = store_sign_commit(t->store, &c, &out, err);

	if (!rc)
		rc = gitpack_add(
		    t->store->pack, GITOBJ_COMMIT, out.data, out.len, &ret->commit, err);
	buf_free(&out);
	return rc;
}

/* The ref must still be what this transaction began on: stock git, or a second writer, may have moved it. */
static int ref_unmoved(const struct store *s, const struct store_head *base, struct ark_error *err)
{
	struct store_oid now;
	int rc = store_ref_read(s, &now, err);

	if (rc < 0)
		return rc;
	if ((rc == 1) != (base->sequence != 0) ||
	    (rc == 1 && memcmp(&now, &base->commit, sizeof(now)) != 0))
		return ark_fail(
		    err, ARK_ECONFLICT, "someone else moved %s/refs/heads/main", s->dir);
	return ARK_OK;
}

/* *ret_moved: the rename has happened. *ret_sync_failed: what is durable is not known any more. */
static int ref_move(const struct store *s, const struct store_head *base,
    const struct store_oid *to, bool *ret_moved, bool *ret_sync_failed, struct ark_error *err)
{
	char lock[4096], ref[4096], heads[4096], line[2 * STORE_OID_SIZE + 2];
	int rc = fs_path(lock, err, "%s/refs/heads/main.lock", s->dir);
	int fd;

	if (!rc)
		rc = fs_path(ref, err, "%s/refs/heads/main", s->dir);
	if (!rc)
		rc = fs_path(heads, err, "%s/refs/heads", s->dir);
	if (rc)
		return rc;
	fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot lock %s", ref);
	hex_encode(line, to->id, STORE_OID_SIZE);
	line[2 * STORE_OID_SIZE] = '\n';
	rc = ref_unmoved(s, base, err);
	if (!rc)
		rc = fs_write_all(fd, line, sizeof(line) - 1, err);
	if (!rc) {
		rc = fs_sync_file(fd, lock, err);
		*ret_sync_failed |= rc != 0;
	}
	close(fd);
	if (!rc)
		rc = fs_rename(lock, ref, err);
	if (rc) {
		unlink(lock);
		return rc;
	}
	*ret_moved = true;
	rc = fs_sync_dir(heads, err);
	*ret_sync_failed |= rc != 0;
	return rc;
}

int store_commit(struct store_txn *t, const char *changes, int64_t time_us, struct store_head *ret,
    struct ark_error *err)
{
	struct store *s = t->store;
	struct store_head head = {.sequence = t->base.sequence + 1};
	bool packed = false, moved = false, sync_failed = false;
	int rc = t->status;

	if (!rc)
		rc = gittree_write(t->tree, s->pack, &head.tree, &t->error);
	if (!rc)
		rc = add_commit(t, changes, time_us, &head, &t->error);
	if (!rc) {
		rc = gitpack_finish(s->pack, &t->error);
		packed = !rc;
	}
	if (!rc)
		rc = ref_move(s, &t->base, &head.commit, &moved, &sync_failed, &t->error);
	if (!packed || (rc && !moved))
		gitpack_abort(s->pack);
	rc = report(t, rc, err);
	end(t, rc ? NULL : &head, sync_failed || gitpack_sync_failed(s->pack));
	if (!rc && ret)
		*ret = head;
	return rc;
}
