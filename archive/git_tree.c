#include "archive/git_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/buf.h"

/* Something new in a directory: a blob, or a directory that is new or has something new in it. */
struct node {
	struct store_oid oid;
	struct dir *dir; /* NULL: a blob */
	size_t name_len;
	char name[];
};

struct dir {
	struct buf old;     /* the head's bytes; empty for a new directory */
	struct node **node; /* in git's order */
	size_t count, cap;
};

struct gittree {
	struct gitobj *objects;
	struct gittree_cache *cache;
	struct dir root;
};

/* ---- entries of a tree's bytes: mode SP name NUL oid ---- */

int gittree_next(
    const void *bytes, size_t len, size_t *at, struct gittree_entry *ret, struct ark_error *err)
{
	size_t left = len - *at;
	const char *p, *space, *end;

	if (!left)
		return 0;
	p = (const char *)bytes + *at;
	space = memchr(p, ' ', left < 8 ? left : 8);
	end = space ? memchr(space, '\0', left - (size_t)(space - p)) : NULL;
	if (!end || end == space + 1 || left - (size_t)(end - p) < 1 + STORE_OID_SIZE)
		return ark_fail(err, ARK_ECORRUPT, "a tree has a malformed entry at byte %zu", *at);
	ret->is_tree = space - p == 5 && memcmp(p, "40000", 5) == 0;
	ret->name = space + 1;
	ret->name_len = (size_t)(end - ret->name);
	memcpy(ret->oid.id, end + 1, STORE_OID_SIZE);
	*at += (size_t)(end - p) + 1 + STORE_OID_SIZE;
	return 1;
}

int gittree_find(const void *bytes, size_t len, const char *name, size_t name_len,
    struct gittree_entry *ret, struct ark_error *err)
{
	size_t at = 0;
	int rc;

	while ((rc = gittree_next(bytes, len, &at, ret, err)) == 1) {
		size_t n = ret->name_len < name_len ? ret->name_len : name_len;
		int order = memcmp(ret->name, name, n);

		if (order == 0 && ret->name_len == name_len)
			return 1;
		if (order > 0) /* whatever its type, nothing of this name follows */
			return 0;
	}
	return rc;
}

/* Git sorts a directory as if its name ended with '/'. */
static int git_order(
    const char *a, size_t a_len, bool a_dir, const char *b, size_t b_len, bool b_dir)
{
	size_t n = a_len < b_len ? a_len : b_len;
	int order = memcmp(a, b, n);
	unsigned char x, y;

	if (order)
		return order;
	x = a_len > n ? (unsigned char)a[n] : a_dir ? '/' : 0;
	y = b_len > n ? (unsigned char)b[n] : b_dir ? '/' : 0;
	return (int)x - (int)y;
}

/* ---- building ---- */

static void dir_clear(struct dir *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->node[i]->dir) {
			dir_clear(d->node[i]->dir);
			free(d->node[i]->dir);
		}
		free(d->node[i]);
	}
	free(d->node);
	buf_free(&d->old);
	*d = (struct dir){0};
}

/* A directory of the head: it must be there. */
static int load(struct gittree *t, const struct store_oid *oid, const char *what, struct buf *out,
    struct ark_error *err)
{
	struct store_blob bytes = {0};
	int rc = ARK_OK;

	if (!gittree_cache_get(t->cache, oid, out)) {
		rc = gitobj_read(t->objects, oid, GITOBJ_TREE, &bytes, err);
		if (rc == ARK_ENOTFOUND)
			rc = ark_fail_within(err, ARK_ECORRUPT, "a directory above %s", what);
		if (rc)
			return rc;
		buf_add(out, bytes.bytes, bytes.len);
		gittree_cache_put(t->cache, oid, bytes.bytes, bytes.len);
		gitobj_release(&bytes);
	}
	if (buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a directory");
	return rc;
}

int gittree_new(struct gitobj *objects, struct gittree_cache *cache, const struct store_oid *root,
    struct gittree **ret, struct ark_error *err)
{
	struct gittree *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return ark_fail(err, ARK_ENOMEM, "no memory for a tree");
	t->objects = objects;
	t->cache = cache;
	rc = root ? load(t, root, "everything", &t->root.old, err) : ARK_OK;
	if (rc) {
		gittree_free(t);
		return rc;
	}
	*ret = t;
	return ARK_OK;
}

void gittree_free(struct gittree *t)
{
	if (!t)
		return;
	dir_clear(&t->root);
	free(t);
}

/* The first place whose node does not sort before the name. */
static size_t node_place(
    const struct dir *d, const char *name, size_t len, bool is_dir, bool *ret_same)
{
	size_t low = 0, high = d->count;

	*ret_same = false;
	assert(d->node || !d->count);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct node *n = d->node[mid];
		int order = git_order(n->name, n->name_len, n->dir != NULL, name, len, is_dir);

		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
			*ret_same |= order == 0;
		}
	}
	return low;
}

static int node_insert(struct dir *d, size_t place, const char *name, size_t len, struct dir *child,
    struct node **ret, struct ark_error *err)
{
	struct node *n;

	if (d->count == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 4;
		struct node **node = realloc(d->node, cap * sizeof(struct node *));

		if (!node)
			return ark_fail(err, ARK_ENOMEM, "no memory for a directory");
		d->node = node;
		d->cap = cap;
	}
	n = calloc(1, sizeof(*n) + len + 1);
	if (!n)
		return ark_fail(err, ARK_ENOMEM, "no memory for a directory");
	memcpy(n->name, name, len);
	n->name_len = len;
	n->dir = child;
	memmove(d->node + place + 1, d->node + place, (d->count - place) * sizeof(struct node *));
	d->node[place] = n;
	d->count++;
	*ret = n;
	return ARK_OK;
}

/* The sub-directory `name`, read from the head or made. */
static int enter(struct gittree *t, struct dir **d, const char *path, const char *name, size_t len,
    struct ark_error *err)
{
	struct gittree_entry entry;
	struct dir *child = NULL;
	struct node *n;
	bool same;
	size_t place;
	int rc;

	node_place(*d, name, len, false, &same);
	if (same)
		goto taken;
	place = node_place(*d, name, len, true, &same);
	if (same) {
		assert((*d)->node);
		*d = (*d)->node[place]->dir;
		assert(*d);
		return ARK_OK;
	}
	rc = gittree_find((*d)->old.data, (*d)->old.len, name, len, &entry, err);
	if (rc == 1 && !entry.is_tree)
		goto taken;
	if (rc < 0)
		return rc;
	child = calloc(1, sizeof(*child));
	if (!child)
		return ark_fail(err, ARK_ENOMEM, "no memory for a directory");
	if (rc == 1)
		rc = load(t, &entry.oid, path, &child->old, err);
	if (!rc)
		rc = node_insert(*d, place, name, len, child, &n, err);
	if (rc) {
		dir_clear(child);
		free(child);
		return rc;
	}
	*d = child;
	return ARK_OK;
taken:
	return ark_fail(err, ARK_ECONFLICT, "a directory of the new path %s is a file", path);
}

static bool name_valid(const char *name, size_t len)
{
	if (len < 1 || len > GITTREE_MAX_NAME || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '_' || c == '.' || c == '-'))
			return false;
	}
	return true;
}

static int path_check(const char *path, struct ark_error *err)
{
	const char *name = path;
	int depth = 1;

	if (strnlen(path, GITTREE_MAX_PATH + 1) > GITTREE_MAX_PATH)
		return ark_fail(
		    err, ARK_EINPUT, "a path is longer than %d bytes", GITTREE_MAX_PATH);
	for (;; depth++) {
		size_t len = strcspn(name, "/");

		if (!name_valid(name, len) || depth > GITTREE_MAX_DEPTH)
			return ark_fail(err, ARK_EINPUT, "\"%.200s\" is no path of a store", path);
		if (!name[len])
			return ARK_OK;
		name += len + 1;
	}
}

int gittree_place(
    struct gittree *t, const char *path, struct store_oid **ret, struct ark_error *err)
{
	struct gittree_entry entry;
	struct dir *d = &t->root;
	const char *name = path, *slash;
	struct node *n;
	size_t place, len;
	bool taken, same;
	int rc = path_check(path, err);

	while (!rc && (slash = strchr(name, '/'))) {
		rc = enter(t, &d, path, name, (size_t)(slash - name), err);
		name = slash + 1;
	}
	if (rc)
		return rc;
	len = strlen(name);
	node_place(d, name, len, true, &taken);
	place = node_place(d, name, len, false, &same);
	taken |= same;
	rc = taken ? 1 : gittree_find(d->old.data, d->old.len, name, len, &entry, err);
	if (rc == 1)
		return ark_fail(err, ARK_ECONFLICT, "%s exists already", path);
	if (!rc)
		rc = node_insert(d, place, name, len, NULL, &n, err);
	if (!rc)
		*ret = &n->oid;
	return rc;
}

static void add_entry(
    struct buf *out, bool is_tree, const char *name, size_t len, const struct store_oid *oid)
{
	buf_adds(out, is_tree ? "40000 " : "100644 ");
	buf_add(out, name, len);
	buf_addc(out, '\0');
	buf_add(out, oid->id, STORE_OID_SIZE);
}

/* The old entries and the new nodes in one order; a node replaces an entry of its name. */
static int dir_merge(const struct dir *d, struct buf *out, struct ark_error *err)
{
	struct gittree_entry e;
	size_t at = 0, i = 0;
	int have = gittree_next(d->old.data, d->old.len, &at, &e, err);

	buf_reserve(out, d->old.len + d->count * 64);
	while (have == 1 || i < d->count) {
		const struct node *n = i < d->count ? d->node[i] : NULL;
		int order = !n          ? -1
			    : have != 1 ? 1
					: git_order(e.name, e.name_len, e.is_tree, n->name,
					      n->name_len, n->dir != NULL);

		if (order < 0) {
			add_entry(out, e.is_tree, e.name, e.name_len, &e.oid);
		} else {
			add_entry(out, n->dir != NULL, n->name, n->name_len, &n->oid);
			i++;
		}
		if (order <= 0)
			have = gittree_next(d->old.data, d->old.len, &at, &e, err);
		if (have < 0)
			return have;
	}
	return have;
}

static int dir_write(struct gittree *t, struct dir *d, struct gitpack *pack, struct store_oid *ret,
    struct ark_error *err)
{
	struct buf out = BUF_INIT;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < d->count; i++)
		if (d->node[i]->dir)
			rc = dir_write(t, d->node[i]->dir, pack, &d->node[i]->oid, err);
	if (!rc)
		rc = dir_merge(d, &out, err);
	if (!rc && buf_failed(&out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a directory");
	if (!rc)
		rc = gitpack_add(pack, GITOBJ_TREE, out.data, out.len, ret, err);
	if (!rc)
		gittree_cache_put(t->cache, ret, out.data, out.len);
	buf_free(&out);
	return rc;
}

int gittree_write(
    struct gittree *t, struct gitpack *pack, struct store_oid *ret_root, struct ark_error *err)
{
	return dir_write(t, &t->root, pack, ret_root, err);
}
