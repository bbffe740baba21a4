/* Where objects stand in the tree of the head: for naming what is damaged. */
#include "archive/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/git_tree.h"

enum { FIND_PATH = 512 };

struct level {
	struct store_blob tree;
	size_t at, path_len;
};

struct search {
	struct gitobj *objects;
	struct level level[GITTREE_MAX_DEPTH + 1];
	unsigned int depth;
	char path[FIND_PATH];
};

/* A tree that cannot be read hides what is below it; it is a fault of its own. */
static void enter(struct search *s, const struct store_oid *oid, size_t path_len)
{
	struct level *l = &s->level[s->depth];

	if (s->depth > GITTREE_MAX_DEPTH)
		return;
	*l = (struct level){.path_len = path_len};
	if (gitobj_read(s->objects, oid, GITOBJ_TREE, &l->tree, NULL) == ARK_OK)
		s->depth++;
}

static void leave(struct search *s)
{
	gitobj_release(&s->level[--s->depth].tree);
}

static bool append(struct search *s, size_t path_len, const char *name)
{
	int n = snprintf(
	    s->path + path_len, sizeof(s->path) - path_len, "%s%s", path_len ? "/" : "", name);

	return n > 0 && (size_t)n < sizeof(s->path) - path_len;
}

int store_find_paths(struct store *store, const struct store_oid *oids, size_t n,
    void (*found)(void *arg, size_t which, const char *path), void *arg, struct ark_error *err)
{
	struct search *s = calloc(1, sizeof(*s));
	struct gittree_entry entry;
	struct store_head head;
	int rc = s ? gitobj_open(store->objects_dir, &s->objects, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory to look for objects");

	store_head(store, &head);
	if (!rc && head.sequence)
		enter(s, &head.tree, 0);
	while (!rc && s->depth) {
		struct level *l = &s->level[s->depth - 1];

		if (gittree_next(l->tree.bytes, l->tree.len, &l->at, &entry, NULL) != 1) {
			leave(s);
			continue;
		}
		if (!append(s, l->path_len, entry.name))
			continue;
		for (size_t i = 0; i < n; i++)
			if (memcmp(&oids[i], &entry.oid, sizeof(entry.oid)) == 0)
				found(arg, i, s->path);
		if (entry.is_tree)
			enter(s, &entry.oid, strlen(s->path));
	}
	if (s)
		gitobj_close(s->objects);
	free(s);
	return rc;
}
