/* Verification: every byte of every pack, every object, the chain, what the head reaches. */
#include "archive/store_internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/git_tree.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { CHECK_BUFFER = 1 << 20 };

struct check {
	struct store *store;
	struct gitobj *objects;
	struct githash *hash;
	unsigned char *buffer; /* CHECK_BUFFER */
	void (*bad)(void *arg, const char *what);
	void *arg;
	uint64_t faults, count;
	char **seen; /* packs that are done, by name */
	size_t seen_len, seen_cap;
	bool found_new;
	char idx[4096];                     /* the pack that is being read */
	const struct store_pack_look *look; /* of one pack; NULL: of the whole store */
	uint64_t bytes;
	struct ark_error *err;
};

ARK_PRINTF(2, 3) static void fault(struct check *c, const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->faults++;
	if (c->look)
		c->look->bad(c->look->arg, NULL, text);
	else
		c->bad(c->arg, text);
}

ARK_PRINTF(3, 4)
static void fault_of(struct check *c, const struct store_oid *oid, const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!c->look) {
		fault(c, "%s", text);
		return;
	}
	c->faults++;
	c->look->bad(c->look->arg, oid, text);
}

/* What was read is counted; whoever sets the pace may rest here. */
static int passed(struct check *c, size_t bytes)
{
	c->bytes += bytes;
	return c->look && c->look->pace ? c->look->pace(c->look->arg, bytes) : 0;
}

static const char *hex(char out[2 * STORE_OID_SIZE + 1], const struct store_oid *oid)
{
	hex_encode(out, oid->id, STORE_OID_SIZE);
	return out;
}

/* ---- packs ---- */

/* Around the page cache, where the file system can: memory that went bad is not a disk that did. */
static int open_for_check(const struct check *c, const char *path)
{
	bool around = c->look && c->look->around_cache;
	int fd = around ? open(path, O_RDONLY | O_CLOEXEC | O_DIRECT) : -1;

	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && around)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return fd;
}

/* The hash of all but the last 20 bytes, and those. Reads whole buffers at whole offsets, as O_DIRECT wants. */
static int hash_file(struct check *c, int fd, uint64_t size, struct store_oid *ret_sum,
    struct store_oid *ret_stored, struct ark_error *err)
{
	uint64_t body = size - STORE_OID_SIZE;
	int rc = ARK_OK;

	githash_start(c->hash);
	for (uint64_t at = 0; !rc && at < size; at += CHECK_BUFFER) {
		size_t want = size - at < CHECK_BUFFER ? (size_t)(size - at) : CHECK_BUFFER;
		size_t hashed = at >= body ? 0 : body - at < want ? (size_t)(body - at) : want;
		ssize_t n = pread(fd, c->buffer, CHECK_BUFFER, (off_t)at);

		if (n < 0)
			return ark_fail_errno(err, ARK_EIO, "it cannot be read");
		if ((size_t)n < want)
			return ark_fail(err, ARK_ECORRUPT, "it ends too early");
		githash_update(c->hash, c->buffer, hashed);
		for (size_t i = hashed; i < want; i++)
			ret_stored->id[at + i - body] = c->buffer[i];
		rc = passed(c, want);
	}
	return rc ? rc : githash_final(c->hash, ret_sum, err);
}

/* A pack and an idx each end with the SHA-1 of all bytes before it; a pack is called by it. */
static int check_trailer(struct check *c, const char *path, const char *name, struct ark_error *err)
{
	char called[2 * STORE_OID_SIZE + 1];
	struct store_oid stored = {{0}}, sum;
	struct stat st;
	int fd = open_for_check(c, path);
	int rc = ARK_OK;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "it cannot be opened");
	else if (st.st_size < STORE_OID_SIZE)
		rc = ark_fail(err, ARK_ECORRUPT, "it is cut");
	else
		rc = hash_file(c, fd, (uint64_t)st.st_size, &sum, &stored, err);
	if (!rc && memcmp(&stored, &sum, sizeof(sum)) != 0)
		rc = ark_fail(err, ARK_ECORRUPT, "its bytes do not match its checksum");
	if (!rc && name && strncmp(name, hex(called, &sum), 2 * sizeof(sum)) != 0)
		rc = ark_fail(err, ARK_ECORRUPT, "it is another pack than its name says");
	if (fd >= 0)
		close(fd);
	return rc;
}

static int check_object(void *arg, const struct store_oid *oid, enum gitobj_type type,
    const void *bytes, size_t len, const char *why)
{
	struct check *c = arg;
	char name[2 * STORE_OID_SIZE + 1];
	struct store_oid sum;
	int rc;

	c->count++;
	if (!bytes) {
		/* a compaction may take the pack away meanwhile: a newer one has its objects */
		if (fs_exists(c->idx))
			fault_of(c, oid, "object %s cannot be read: %s", hex(name, oid), why);
		return 0;
	}
	githash_start_object(c->hash, type, len);
	githash_update(c->hash, bytes, len);
	rc = githash_final(c->hash, &sum, c->err);
	if (!rc && memcmp(&sum, oid, sizeof(sum)) != 0)
		fault_of(c, oid, "object %s (%s) does not hash to its name: its bytes were changed",
		    hex(name, oid), gitobj_type_name(type));
	return rc ? rc : passed(c, len);
}

static bool seen(struct check *c, const char *name)
{
	for (size_t i = 0; i < c->seen_len; i++)
		if (strcmp(c->seen[i], name) == 0)
			return true;
	return false;
}

static int remember(struct check *c, const char *name)
{
	if (c->seen_len == c->seen_cap) {
		size_t cap = c->seen_cap ? c->seen_cap * 2 : 64;
		char **list = realloc(c->seen, cap * sizeof(char *));

		if (!list)
			return ark_fail(c->err, ARK_ENOMEM, "no memory to check");
		c->seen = list;
		c->seen_cap = cap;
	}
	c->seen[c->seen_len] = strdup(name);
	if (!c->seen[c->seen_len])
		return ark_fail(c->err, ARK_ENOMEM, "no memory to check");
	c->seen_len++;
	return ARK_OK;
}

/* The idx speaks of this very pack: it ends with the pack's checksum and its own. */
static int check_pair(const char *idx, const char *pack, struct ark_error *err)
{
	struct store_oid said, is;
	struct stat i, p;
	int fd = open(idx, O_RDONLY | O_CLOEXEC), other = open(pack, O_RDONLY | O_CLOEXEC);
	int rc = ARK_OK;

	if (fd < 0 || other < 0 || fstat(fd, &i) < 0 || fstat(other, &p) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "it cannot be opened");
	else if (i.st_size < 2 * STORE_OID_SIZE || p.st_size < STORE_OID_SIZE)
		rc = ark_fail(err, ARK_ECORRUPT, "it is cut");
	if (!rc)
		rc = fs_pread_all(
		    fd, said.id, STORE_OID_SIZE, (uint64_t)i.st_size - 2 * STORE_OID_SIZE, err);
	if (!rc)
		rc = fs_pread_all(
		    other, is.id, STORE_OID_SIZE, (uint64_t)p.st_size - STORE_OID_SIZE, err);
	if (!rc && memcmp(&said, &is, sizeof(is)) != 0)
		rc = ark_fail(err, ARK_ECORRUPT, "it is the index of another pack");
	if (fd >= 0)
		close(fd);
	if (other >= 0)
		close(other);
	return rc;
}

static int pack_paths(struct check *c, const char *name, int stem, char pack[4096])
{
	int rc = fs_path(c->idx, c->err, "%s/%s", c->store->pack_dir, name);

	return rc ? rc : fs_path(pack, c->err, "%s/%.*s.pack", c->store->pack_dir, stem, name);
}

/* Both files of a pack, then its objects. */
static int read_pack(struct check *c, const char *name)
{
	struct ark_error why = {0};
	char pack[4096];
	const char *idx = c->idx;
	int stem = (int)(strlen(name) - strlen(".idx"));
	int rc = pack_paths(c, name, stem, pack);

	if (rc)
		return rc;
	rc = check_trailer(c, pack, name + strlen("pack-"), &why);
	if (rc > 0)
		return rc;
	if (rc && fs_exists(idx))
		fault(c, "%.*s.pack is damaged: %s; `arkki repair` restores it from a mirror", stem,
		    name, why.text);
	rc = check_trailer(c, idx, NULL, &why);
	if (rc > 0)
		return rc;
	if (!rc)
		rc = check_pair(idx, pack, &why);
	if (rc && fs_exists(idx))
		fault(c, "%s is damaged: %s; git index-pack makes it anew", name, why.text);
	rc = gitobj_each_in_pack(idx, check_object, c, &why);
	if (rc > 0 || (rc && !fs_exists(idx)))
		return rc > 0 ? rc : ARK_OK;
	if (rc == ARK_ENOMEM)
		return ark_fail(c->err, rc, "%s", why.text);
	if (rc)
		fault(c, "the objects of %s cannot be listed: %s", name, why.text);
	return ARK_OK;
}

static int check_pack(void *arg, const char *name)
{
	struct check *c = arg;
	int rc;

	if (strncmp(name, "pack-", 5) != 0 || seen(c, name))
		return 0;
	c->found_new = true;
	rc = remember(c, name);
	return rc ? rc : read_pack(c, name);
}

enum { ORPHAN_TRIES = 20, ORPHAN_NAP_NS = 50 * 1000 * 1000 };

static int check_orphan(void *arg, const char *name)
{
	struct check *c = arg;
	char idx[4096], pack[4096];
	int stem = (int)(strlen(name) - strlen(".pack"));

	if (strncmp(name, "pack-", 5) != 0)
		return 0;
	if (fs_path(idx, NULL, "%s/%.*s.idx", c->store->pack_dir, stem, name) ||
	    fs_path(pack, NULL, "%s/%s", c->store->pack_dir, name))
		return 0;
	/* a server beside us gives a pack its name before its index, and takes them in turn */
	for (int i = 0; i < ORPHAN_TRIES && !fs_exists(idx) && fs_exists(pack); i++)
		nanosleep(&(struct timespec){.tv_nsec = ORPHAN_NAP_NS}, NULL);
	if (!fs_exists(idx) && fs_exists(pack) && !fs_exists(idx))
		fault(c, "%s has no index: git index-pack makes it", name);
	return 0;
}

/* Packs that a compaction makes meanwhile are found by looking again. */
static int check_packs(struct check *c)
{
	int rc;

	do {
		c->found_new = false;
		rc = store_each_file(c->store, ".idx", check_pack, c, c->err);
	} while (!rc && c->found_new);
	return rc ? rc : store_each_file(c->store, ".pack", check_orphan, c, c->err);
}

/* ---- the chain of commits ---- */

static int check_commit(struct check *c, uint64_t sequence, struct store_oid *oid, bool *ret_broken)
{
	struct ark_error why = {0};
	struct store_blob bytes = {0};
	char name[2 * STORE_OID_SIZE + 1], tree[2 * STORE_OID_SIZE + 1];
	struct gitcommit g;
	int rc = store_commit_read(c->objects, oid, &bytes, &g, &why);

	if (rc == ARK_ENOMEM || rc == ARK_EIO)
		return ark_fail(c->err, rc, "%s", why.text);
	if (rc) {
		fault(c, "commit number %" PRIu64 ": %s", sequence, why.text);
		*ret_broken = true;
		return ARK_OK;
	}
	hex(name, oid);
	if (g.sequence != sequence)
		fault(c, "commit %s carries number %" PRIu64 " where %" PRIu64 " belongs", name,
		    g.sequence, sequence);
	if (!store_signed_by_us(c->store, &g, bytes.bytes, bytes.len))
		fault(c, "commit %s (number %" PRIu64 ") is not signed by this archive", name,
		    sequence);
	if (!gitobj_has(c->objects, &g.tree))
		fault(c, "tree %s of commit %s is missing", hex(tree, &g.tree), name);
	if (g.has_parent != (sequence > 1)) {
		fault(c, "commit %s (number %" PRIu64 ") has %s", name, sequence,
		    g.has_parent ? "a parent, but is the first" : "no parent");
		*ret_broken = true;
	}
	*oid = g.parent;
	gitobj_release(&bytes);
	return ARK_OK;
}

static int check_chain(struct check *c, const struct store_head *head)
{
	struct store_oid oid = head->commit;
	bool broken = false;
	int rc = ARK_OK;

	for (uint64_t sequence = head->sequence; !rc && !broken && sequence; sequence--)
		rc = check_commit(c, sequence, &oid, &broken);
	return rc;
}

/* ---- what the head reaches ---- */

static int check_tree(struct check *c, const struct store_oid *oid, unsigned int depth)
{
	char name[2 * STORE_OID_SIZE + 1], below[2 * STORE_OID_SIZE + 1];
	struct ark_error why = {0};
	struct store_blob bytes = {0};
	struct gittree_entry entry;
	size_t at = 0;
	int rc = gitobj_read(c->objects, oid, GITOBJ_TREE, &bytes, &why), step = 0;

	hex(name, oid);
	if (rc == ARK_ENOMEM || rc == ARK_EIO)
		return ark_fail(c->err, rc, "%s", why.text);
	if (rc) {
		fault(c, "tree %s, which the newest commit needs: %s", name, why.text);
		return ARK_OK;
	}
	while (!rc && (step = gittree_next(bytes.bytes, bytes.len, &at, &entry, &why)) == 1) {
		if (entry.is_tree && depth < GITTREE_MAX_DEPTH)
			rc = check_tree(c, &entry.oid, depth + 1);
		else if (!gitobj_has(c->objects, &entry.oid))
			fault(c, "object %s (\"%.100s\" of tree %s) is missing",
			    hex(below, &entry.oid), entry.name, name);
	}
	if (step < 0)
		fault(c, "tree %s: %s", name, why.text);
	gitobj_release(&bytes);
	return rc;
}

static int check_begin(struct check *c)
{
	c->hash = githash_new();
	/* aligned, and a multiple of every block: for O_DIRECT */
	c->buffer = aligned_alloc(4096, CHECK_BUFFER);
	return c->hash && c->buffer ? ARK_OK : ark_fail(c->err, ARK_ENOMEM, "no memory to check");
}

static void check_end(struct check *c)
{
	free(c->buffer);
	githash_free(c->hash);
}

int store_check(struct store *s, void (*bad)(void *arg, const char *what), void *arg,
    uint64_t *ret_objects, struct ark_error *err)
{
	struct check c = {.store = s, .bad = bad, .arg = arg, .err = err};
	struct store_head head;
	int rc = ARK_OK;

	store_head(s, &head);
	rc = check_begin(&c);
	if (!rc)
		rc = gitobj_open(s->objects_dir, &c.objects, err);
	if (!rc)
		rc = check_packs(&c);
	if (!rc && head.sequence)
		rc = check_chain(&c, &head);
	if (!rc && head.sequence)
		rc = check_tree(&c, &head.tree, 1);
	if (!rc && ret_objects)
		*ret_objects = c.count;
	if (!rc && c.faults)
		rc = ark_fail(err, ARK_ECORRUPT, "%s has %" PRIu64 " faults", s->dir, c.faults);
	for (size_t i = 0; i < c.seen_len; i++)
		free(c.seen[i]);
	free(c.seen);
	gitobj_close(c.objects);
	check_end(&c);
	return rc;
}

int store_check_pack(struct store *s, const char *idx_name, const struct store_pack_look *look,
    uint64_t *ret_bytes, struct ark_error *err)
{
	struct check c = {.store = s, .look = look, .err = err};
	int rc = check_begin(&c);

	if (!rc)
		rc = read_pack(&c, idx_name);
	check_end(&c);
	if (ret_bytes)
		*ret_bytes = c.bytes;
	if (!rc && c.faults)
		rc = ark_fail(err, ARK_ECORRUPT, "%s has %" PRIu64 " faults", idx_name, c.faults);
	return rc;
}

int store_check_reach(
    struct store *s, void (*bad)(void *arg, const char *what), void *arg, struct ark_error *err)
{
	struct check c = {.store = s, .bad = bad, .arg = arg, .err = err};
	struct store_head head;
	int rc = check_begin(&c);

	store_head(s, &head);
	if (!rc)
		rc = gitobj_open(s->objects_dir, &c.objects, err);
	if (!rc && head.sequence)
		rc = check_chain(&c, &head);
	if (!rc && head.sequence)
		rc = check_tree(&c, &head.tree, 1);
	gitobj_close(c.objects);
	check_end(&c);
	return rc;
}
