/* Readers: lookups by path and by id, directories, the log. */
#include "archive/store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "archive/git_tree.h"
#include "arkki/base/text.h"

int store_reader_open(struct store *s, struct store_reader **ret, struct ark_error *err)
{
	struct store_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return ark_fail(err, ARK_ENOMEM, "no memory for a reader");
	r->store = s;
	r->generation = atomic_load(&s->generation);
	rc = gitobj_open(s->objects_dir, &r->objects, err);
	if (rc) {
		free(r);
		return rc;
	}
	*ret = r;
	return ARK_OK;
}

void store_reader_close(struct store_reader *r)
{
	if (!r)
		return;
	gitobj_close(r->objects);
	free(r);
}

/* After a compaction the removed packs would still answer, but hold their disk space. */
static int follow(struct store_reader *r, struct ark_error *err)
{
	unsigned int now = atomic_load(&r->store->generation);
	int rc = now == r->generation ? ARK_OK : gitobj_reopen(r->objects, err);

	if (!rc)
		r->generation = now;
	return rc;
}

/* What a tree names must be there. */
static int missing(int rc, const char *path, struct ark_error *err)
{
	if (rc != ARK_ENOTFOUND)
		return rc;
	return ark_fail_within(
	    err, ARK_ECORRUPT, "%s is in the archive but its bytes are not", path);
}

/* The directory at the first `len` bytes of path; "" is the root. */
static int open_dir(struct store_reader *r, const struct store_head *at, const char *path,
    size_t len, struct store_blob *ret, struct ark_error *err)
{
	struct store_blob tree = {0}, next = {0};
	struct gittree_entry entry;
	struct store_head newest;
	size_t from = 0;
	int rc = follow(r, err);

	if (!at) {
		store_head(r->store, &newest);
		at = &newest;
	}
	if (!rc && !at->sequence)
		rc = ark_fail(err, ARK_ENOTFOUND, "the archive is empty");
	if (!rc)
		rc = missing(
		    gitobj_read(r->objects, &at->tree, GITOBJ_TREE, &tree, err), "the root", err);
	while (!rc && from < len) {
		const char *slash = memchr(path + from, '/', len - from);
		size_t n = slash ? (size_t)(slash - path) - from : len - from;

		rc = gittree_find(tree.bytes, tree.len, path + from, n, &entry, err);
		if (rc == 0 || (rc == 1 && !entry.is_tree))
			rc = ark_fail(
			    err, ARK_ENOTFOUND, "there is no directory %.*s", (int)len, path);
		else if (rc == 1)
			rc = missing(gitobj_read(r->objects, &entry.oid, GITOBJ_TREE, &next, err),
			    path, err);
		if (!rc) {
			gitobj_release(&tree);
			tree = next;
		}
		from += n + 1;
	}
	if (rc)
		gitobj_release(&tree);
	else
		*ret = tree;
	return rc;
}

int store_get(struct store_reader *r, const struct store_head *at, const char *path,
    struct store_blob *ret, struct ark_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct store_blob dir = {0};
	struct gittree_entry entry;
	int rc;

	if (strnlen(path, GITTREE_MAX_PATH + 1) > GITTREE_MAX_PATH)
		return ark_fail(
		    err, ARK_EINPUT, "a path is longer than %d bytes", GITTREE_MAX_PATH);
	rc = open_dir(r, at, path, slash ? (size_t)(slash - path) : 0, &dir, err);
	if (rc)
		return rc;
	rc = gittree_find(dir.bytes, dir.len, name, strlen(name), &entry, err);
	if (rc == 0 || (rc == 1 && entry.is_tree))
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no %s", path);
	else if (rc == 1)
		rc = missing(gitobj_read(r->objects, &entry.oid, GITOBJ_BLOB, ret, err), path, err);
	gitobj_release(&dir);
	return rc;
}

int store_get_oid(struct store_reader *r, const struct store_oid *oid, struct store_blob *ret,
    struct ark_error *err)
{
	int rc = follow(r, err);

	return rc ? rc : gitobj_read(r->objects, oid, GITOBJ_BLOB, ret, err);
}

void store_blob_release(struct store_blob *b)
{
	gitobj_release(b);
}

int store_list(struct store_reader *r, const struct store_head *at, const char *path,
    int (*each)(void *arg, const char *name, bool is_tree, const struct store_oid *oid), void *arg,
    struct ark_error *err)
{
	struct store_blob dir = {0};
	struct gittree_entry entry;
	size_t place = 0, len = strnlen(path, GITTREE_MAX_PATH + 1);
	int rc;

	if (len > GITTREE_MAX_PATH)
		return ark_fail(
		    err, ARK_EINPUT, "a path is longer than %d bytes", GITTREE_MAX_PATH);
	rc = open_dir(r, at, path, len, &dir, err);
	if (rc)
		return rc;
	while ((rc = gittree_next(dir.bytes, dir.len, &place, &entry, err)) == 1) {
		rc = each(arg, entry.name, entry.is_tree, &entry.oid);
		if (rc)
			break;
	}
	gitobj_release(&dir);
	return rc;
}

/* ---- the log ---- */

/* The ids of the commits after_sequence+1 … head: 20 bytes each is all that a long log holds in memory. */
static int collect(struct store_reader *r, const struct store_head *head, uint64_t after,
    struct store_oid *ids, struct ark_error *err)
{
	struct store_oid oid = head->commit;

	for (uint64_t sequence = head->sequence; sequence > after; sequence--) {
		struct store_blob bytes = {0};
		struct gitcommit c;
		int rc = store_commit_read(r->objects, &oid, &bytes, &c, err);

		if (rc)
			return rc;
		gitobj_release(&bytes);
		if (c.sequence != sequence || c.has_parent != (sequence > 1))
			return ark_fail(err, ARK_ECORRUPT,
			    "the chain of commits breaks at number %llu",
			    (unsigned long long)sequence);
		ids[sequence - after - 1] = oid;
		oid = c.parent;
	}
	return ARK_OK;
}

static int tell(struct store_reader *r, const struct store_oid *oid, struct buf *text,
    int (*each)(void *arg, const struct store_head *commit, int64_t time_us, const char *changes),
    void *arg, struct ark_error *err)
{
	struct store_blob bytes = {0};
	struct store_head head;
	struct gitcommit c;
	int rc = store_commit_read(r->objects, oid, &bytes, &c, err);

	if (rc)
		return rc;
	head = (struct store_head){.commit = *oid, .tree = c.tree, .sequence = c.sequence};
	buf_clear(text);
	buf_add(text, c.changes, c.changes_len);
	gitobj_release(&bytes);
	if (buf_failed(text))
		return ark_fail(err, ARK_ENOMEM, "no memory for the changes of a commit");
	return each(arg, &head, c.time_s * 1000000, text->data);
}

int store_log(struct store_reader *r, uint64_t after_sequence,
    int (*each)(void *arg, const struct store_head *commit, int64_t time_us, const char *changes),
    void *arg, struct ark_error *err)
{
	struct store_oid *ids = NULL;
	struct buf text = BUF_INIT;
	struct store_head head;
	int rc = follow(r, err);

	store_head(r->store, &head);
	if (rc || head.sequence <= after_sequence)
		return rc;
	ids = calloc(head.sequence - after_sequence, sizeof(*ids));
	if (!ids)
		return ark_fail(err, ARK_ENOMEM, "no memory for a log of %llu commits",
		    (unsigned long long)(head.sequence - after_sequence));
	rc = collect(r, &head, after_sequence, ids, err);
	for (uint64_t i = 0; !rc && i < head.sequence - after_sequence; i++)
		rc = tell(r, &ids[i], &text, each, arg, err);
	buf_free(&text);
	free(ids);
	return rc;
}
