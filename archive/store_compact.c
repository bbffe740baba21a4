/* Compaction: stock git makes large packs of small ones, we remove the small.
 *
 * Git's own removal (repack -d) does not sync the directory in between: a power
 * cut could keep the removal and lose the new name. So the order is
 *
 *   new pack and idx synced (git) -> renamed (git) -> directory synced -> old ones removed
 *
 * and a pack is removed only when the index of another one has every object of
 * it. That question does not ask which pack is new: what a crash left undone is
 * done by the next run.
 */
#include "archive/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"

/* The index of a pack, version 2, as gitformat-pack(5) has it. */
enum { IDX_FANOUT = 8, IDX_OIDS = IDX_FANOUT + 4 * 256, IDX_TRAILER = 2 * STORE_OID_SIZE };

/* Reads are slower by every pack: with more than this compaction waits for nobody. Under a steady load
 * 778 had gathered while it did. */
enum { PACKS_URGENT = 128 };

struct idx {
	char stem[64]; /* "pack-…", without ".idx" */
	const unsigned char *bytes;
	size_t len;
	uint32_t count;
	bool removed;
};

struct idx_list {
	const struct store *store;
	struct idx *items;
	size_t len, cap;
};

/* ---- the indexes ---- */

static int idx_map(const char *path, struct idx *ret, struct ark_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;
	int rc = ARK_OK;

	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	if (fstat(fd, &st) < 0 || st.st_size < IDX_OIDS + IDX_TRAILER) {
		rc = ark_fail(err, ARK_ECORRUPT, "%s is no index of a pack", path);
		goto out;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED) {
		rc = ark_fail_errno(err, ARK_EIO, "cannot map %s", path);
		goto out;
	}
	ret->bytes = bytes;
	ret->len = (size_t)st.st_size;
	ret->count = be32_get(ret->bytes + IDX_FANOUT + 4 * 255);
	if (memcmp(ret->bytes, "\377tOc\0\0\0\2", 8) != 0 ||
	    (ret->len - IDX_OIDS - IDX_TRAILER) / (STORE_OID_SIZE + 8) < ret->count)
		rc = ark_fail(err, ARK_ECORRUPT, "%s is no index of a pack", path);
out:
	close(fd);
	return rc;
}

static int idx_list_add(void *arg, const char *name)
{
	struct idx_list *list = arg;
	struct idx x = {.count = 0};
	size_t stem = strlen(name) - strlen(".idx");
	char path[4096];

	if (strncmp(name, "pack-", 5) != 0 || stem >= sizeof(x.stem))
		return 0;
	memcpy(x.stem, name, stem);
	if (list->len == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 64;
		struct idx *items = realloc(list->items, cap * sizeof(*items));

		if (!items)
			return ARK_ENOMEM;
		list->items = items;
		list->cap = cap;
	}
	/* one that cannot be read neither goes nor lets another one go */
	if (fs_path(path, NULL, "%s/%s", list->store->pack_dir, name) == ARK_OK &&
	    idx_map(path, &x, NULL) == ARK_OK)
		list->items[list->len++] = x;
	else if (x.bytes)
		munmap((void *)(uintptr_t)x.bytes, x.len);
	return 0;
}

static void idx_list_free(struct idx_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		munmap((void *)(uintptr_t)list->items[i].bytes, list->items[i].len);
	free(list->items);
}

static const unsigned char *idx_oid(const struct idx *x, uint32_t at)
{
	return x->bytes + IDX_OIDS + (size_t)at * STORE_OID_SIZE;
}

/* Both lists are in order: one walk, which ends at the first object that is missing. */
static bool has_all(const struct idx *large, const struct idx *small)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < small->count; i++) {
		const unsigned char *wanted = idx_oid(small, i);
		int order = -1;

		while (at < large->count &&
		       (order = memcmp(idx_oid(large, at), wanted, STORE_OID_SIZE)) < 0)
			at++;
		if (at == large->count || order != 0)
			return false;
		at++;
	}
	return true;
}

/* ---- removal ---- */

static bool has_pack(const struct store *s, const struct idx *x, const char *ext)
{
	char path[4096];

	return fs_path(path, NULL, "%s/%s.%s", s->pack_dir, x->stem, ext) == ARK_OK &&
	       fs_exists(path);
}

/* The index first: a pack without one is not seen, an index without its pack is an error. */
static int remove_pack(const struct store *s, struct idx *x, struct ark_error *err)
{
	static const char *const parts[] = {"idx", "rev", "bitmap", "pack"};
	char path[4096];
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < sizeof(parts) / sizeof(*parts); i++) {
		rc = fs_path(path, err, "%s/%s.%s", s->pack_dir, x->stem, parts[i]);
		if (!rc && unlink(path) < 0 && errno != ENOENT)
			rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", path);
	}
	x->removed = true;
	return rc;
}

/* Of two packs with the same objects the one whose name is first stays. */
static bool covers(const struct idx *x, const struct idx *other)
{
	if (x == other || x->removed || x->count < other->count ||
	    (x->count == other->count && strcmp(x->stem, other->stem) > 0))
		return false;
	return has_all(x, other);
}

static int remove_redundant(struct store *s, struct ark_error *err)
{
	struct idx_list list = {.store = s};
	int rc = store_each_file(s, ".idx", idx_list_add, &list, err);

	if (rc == ARK_ENOMEM)
		ark_fail(err, rc, "no memory for the list of packs");
	for (size_t i = 0; !rc && i < list.len; i++) {
		struct idx *x = &list.items[i];
		bool covered = false;

		if (has_pack(s, x, "keep"))
			continue;
		for (size_t j = 0; !covered && j < list.len; j++)
			covered = covers(&list.items[j], x) && has_pack(s, &list.items[j], "pack");
		if (covered)
			rc = remove_pack(s, x, err);
	}
	idx_list_free(&list);
	return rc;
}

/* ---- an index whose pack is not there ---- */

static bool idx_has(const struct idx *x, const struct store_oid *oid)
{
	uint32_t from = 0, to = x->count;

	while (from < to) {
		uint32_t at = from + (to - from) / 2;
		int order = memcmp(idx_oid(x, at), oid->id, STORE_OID_SIZE);

		if (order == 0)
			return true;
		if (order < 0)
			from = at + 1;
		else
			to = at;
	}
	return false;
}

/* Whether the whole history is there without it. A commit that cannot be read may be one of its own. */
static bool history_needs(struct store *s, const struct idx *x)
{
	struct store_oid oid = s->head.commit;
	struct gitobj *objects = NULL;
	bool needs = gitobj_open(s->objects_dir, &objects, NULL) != ARK_OK;

	for (uint64_t n = s->head.sequence; !needs && n > 0; n--) {
		struct store_blob bytes = {0};
		struct gitcommit c;

		needs = idx_has(x, &oid) ||
			store_commit_read(objects, &oid, &bytes, &c, NULL) != ARK_OK;
		if (!needs)
			oid = c.parent;
		gitobj_release(&bytes);
	}
	gitobj_close(objects);
	return needs;
}

/* A power cut may keep one of two names and lose the other: the pack's of a group that never became the head,
 * or the removal of a pack whose objects are in another one. An index that anything else needs stays, for
 * store_check() to name what is missing. */
int store_settle_indexes(struct store *s, struct ark_error *err)
{
	struct idx_list list = {.store = s};
	int rc = store_each_file(s, ".idx", idx_list_add, &list, err);

	if (rc == ARK_ENOMEM)
		ark_fail(err, rc, "no memory for the list of packs");
	for (size_t i = 0; !rc && i < list.len; i++) {
		struct idx *x = &list.items[i];
		bool covered = false;

		if (has_pack(s, x, "pack"))
			continue;
		for (size_t j = 0; !covered && j < list.len; j++)
			covered = j != i && has_all(&list.items[j], x) &&
				  has_pack(s, &list.items[j], "pack");
		if (covered || !history_needs(s, x))
			rc = remove_pack(s, x, err);
	}
	idx_list_free(&list);
	return rc;
}

/* ---- the whole ---- */

static int begin_compaction(struct store *s, struct ark_error *err)
{
	bool idle = false;

	if (atomic_compare_exchange_strong(&s->compacting, &idle, true))
		return ARK_OK;
	return ark_fail(err, ARK_ECONFLICT, "a compaction of %s is under way", s->dir);
}

int store_compact_new(struct store *s, struct ark_error *err)
{
	/* --geometric takes whole packs, so what no ref reaches stays; without -A nothing
	 * becomes loose. No deltas: sealed bytes have none, and trees are small beside them.
	 * It dies with the thread that waits for it: no git is at work on a store that was
	 * opened anew after a crash. */
	char low[] = "-n19", none[] = "-n0";
	char *argv[] = {(char[]){"setpriv"}, (char[]){"--pdeathsig"}, (char[]){"KILL"},
	    (char[]){"nice"}, store_packs(s) > PACKS_URGENT ? none : low, (char[]){"git"},
	    (char[]){"-c"}, (char[]){"core.multiPackIndex=false"}, (char[]){"-c"},
	    (char[]){"core.fsync=all"}, (char[]){"-c"}, (char[]){"pack.threads=1"},
	    (char[]){"repack"}, (char[]){"-q"}, (char[]){"-n"}, (char[]){"--geometric=2"},
	    (char[]){"--window=0"}, (char[]){"--no-write-bitmap-index"}, NULL};
	int rc = begin_compaction(s, err);

	if (rc)
		return rc;
	rc = store_git(s, argv, err);
	if (!rc)
		rc = fs_sync_dir(s->pack_dir, err);
	atomic_store(&s->compacting, false);
	return rc;
}

int store_compact_old(struct store *s, struct ark_error *err)
{
	int rc = begin_compaction(s, err);

	if (rc)
		return rc;
	/* the new names are durable before an old one goes, whoever made them */
	rc = fs_sync_dir(s->pack_dir, err);
	if (!rc)
		rc = remove_redundant(s, err);
	/* even a failed run may have removed packs */
	atomic_fetch_add(&s->generation, 1);
	if (!rc)
		rc = fs_sync_dir(s->pack_dir, err);
	atomic_store(&s->compacting, false);
	return rc;
}

int store_compact(struct store *s, struct ark_error *err)
{
	int rc = store_compact_new(s, err);

	return rc ? rc : store_compact_old(s, err);
}

void store_compact_stop(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	if (s->child)
		kill(-s->child, SIGTERM);
	pthread_mutex_unlock(&s->lock);
}
