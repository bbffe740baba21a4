/* Git trees: reading their entries, and building new ones on top of a head's.
 *
 * The builder holds the touched directories only: the head's bytes of each,
 * and what is new in it. Nothing that exists is ever replaced.
 *
 * Threads: a gittree belongs to one thread at a time.
 */
#ifndef ARKKI_ARCHIVE_GIT_TREE_H
#define ARKKI_ARCHIVE_GIT_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/git_objects.h"
#include "archive/git_pack.h"
#include "archive/git_tree_cache.h"
#include "arkki/archive/store.h"
#include "arkki/base/error.h"

enum { GITTREE_MAX_DEPTH = 32, GITTREE_MAX_NAME = 255, GITTREE_MAX_PATH = 4095 };

/* ---- reading ---- */
struct gittree_entry {
	const char *name; /* NUL-terminated, in the tree's bytes */
	size_t name_len;
	bool is_tree;
	struct store_oid oid;
};

/* The entry at *at, which moves on. 1: there is one; 0: the end; ARK_ECORRUPT. */
int gittree_next(
    const void *bytes, size_t len, size_t *at, struct gittree_entry *ret, struct ark_error *err);
/* 1 found, 0 not there, ARK_ECORRUPT. */
int gittree_find(const void *bytes, size_t len, const char *name, size_t name_len,
    struct gittree_entry *ret, struct ark_error *err);

/* ---- building ---- */
struct gittree;

/* root: the head's tree, or NULL where there is none. `objects` and `cache` are borrowed until
 * gittree_free(). */
ARK_MUSTUSE int gittree_new(struct gitobj *objects, struct gittree_cache *cache,
    const struct store_oid *root, struct gittree **ret, struct ark_error *err);
void gittree_free(struct gittree *t);
/* Makes the place of a blob; *ret is where its id must be written before gittree_write().
 * Names are [A-Za-z0-9_.-]{1,255} and do not begin with a dot: every file system of a
 * checkout takes them, and `git fsck --strict` too. ARK_EINPUT, or ARK_ECONFLICT when it is taken. */
ARK_MUSTUSE int gittree_place(
    struct gittree *t, const char *path, struct store_oid **ret, struct ark_error *err);
/* Writes the touched trees into the pack, the deepest first. */
ARK_MUSTUSE int gittree_write(
    struct gittree *t, struct gitpack *pack, struct store_oid *ret_root, struct ark_error *err);

#endif
