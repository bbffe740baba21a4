/* archive.git from a mirror, object by object: however the mirror has packed them, an object is what hashes to its name.
 *
 * Of a damaged pack everything that is still whole is taken from itself and the rest from the mirror, into one new
 * pack; so is what the head reaches and no pack has. Then the damaged files are put aside. A pack of which nothing
 * could be mended stays where it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/repair_store_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

/* ---- objects ---- */

static bool hashes(struct store_work *w, const struct store_oid *oid, enum gitobj_type type,
    const void *b, size_t n)
{
	struct store_oid sum;

	githash_start_object(w->hash, type, n);
	githash_update(w->hash, b, n);
	return !githash_final(w->hash, &sum, NULL) && memcmp(&sum, oid, sizeof(sum)) == 0;
}

bool repair_read_good(struct store_work *w, struct gitobj *from, const struct store_oid *oid,
    enum gitobj_type type, struct store_blob *ret)
{
	if (!from || gitobj_read(from, oid, type, ret, NULL))
		return false;
	if (hashes(w, oid, type, ret->bytes, ret->len))
		return true;
	gitobj_release(ret);
	return false;
}

static int give(struct store_work *w, const struct store_oid *oid, enum gitobj_type type,
    const void *bytes, size_t len)
{
	struct store_oid ignored;
	int rc = oid_set_add(&w->given, oid, w->err);

	if (rc == 1 && !w->r->asked->dry_run)
		rc = gitpack_add(w->pack, type, bytes, len, &ignored, w->err);
	return rc < 0 ? rc : ARK_OK;
}

/* ---- packs ---- */

struct look {
	struct store_work *w;
	unsigned int faults;
	bool whole_file;
	char name[PACK_NAME];
};

static void note_bad(void *arg, const struct store_oid *oid, const char *what)
{
	struct look *l = arg;

	if (l->faults++ < 20)
		repair_damaged(l->w->r, "%s", what);
	if (oid && oid_set_add(&l->w->bad, oid, l->w->err) < 0)
		l->whole_file = true;
}

static int note_good(void *arg, const struct store_oid *oid, enum gitobj_type type,
    const void *bytes, size_t len, const char *why)
{
	struct store_work *w = arg;
	int rc;

	(void)type, (void)len, (void)why;
	rc = bytes ? oid_set_add(&w->good, oid, w->err) : 0;
	return rc < 0 ? rc : 0;
}

static int look_at_pack(void *arg, const char *name)
{
	struct store_work *w = arg;
	struct look l = {.w = w};
	const struct store_pack_look look = {.bad = note_bad, .arg = &l};
	char path[4096];
	int rc;

	if (strncmp(name, "pack-", 5) != 0 || strlen(name) >= PACK_NAME)
		return 0;
	rc = store_check_pack(w->store, name, &look, NULL, w->err);
	if (rc == ARK_ECORRUPT) {
		struct bad_pack *more = realloc(w->packs, (w->packs_len + 1) * sizeof(*w->packs));

		if (!more)
			return ark_fail(w->err, ARK_ENOMEM, "no memory for a list of packs");
		w->packs = more;
		snprintf(w->packs[w->packs_len++].idx, PACK_NAME, "%s", name);
		return 0;
	}
	if (!rc)
		rc = fs_path(path, w->err, "%s/%s", w->store->pack_dir, name);
	return rc ? rc : gitobj_each_in_pack(path, note_good, w, w->err);
}

/* A pack without its idx: git makes one, unless the pack is damaged too. */
static int look_for_orphan(void *arg, const char *name)
{
	struct store_work *w = arg;
	char idx[4096], pack[4096];
	int stem = (int)(strlen(name) - strlen(".pack"));
	char *argv[] = {(char[]){"git"}, (char[]){"index-pack"}, pack, NULL};

	if (strncmp(name, "pack-", 5) != 0 ||
	    fs_path(idx, NULL, "%s/%.*s.idx", w->store->pack_dir, stem, name) ||
	    fs_path(pack, NULL, "%s/%s", w->store->pack_dir, name) || fs_exists(idx))
		return 0;
	repair_damaged(w->r, "%s has no idx", name);
	if (w->r->asked->dry_run || store_git(w->store, argv, NULL) == ARK_OK)
		repair_mended(w->r, "the idx of %s", name);
	return 0;
}

/* One object of a damaged pack into the new one: its own bytes when they are whole, else the mirror's. */
static int rescue(void *arg, const struct store_oid *oid, enum gitobj_type type, const void *bytes,
    size_t len, const char *why)
{
	static const enum gitobj_type types[] = {GITOBJ_BLOB, GITOBJ_TREE, GITOBJ_COMMIT};
	struct store_work *w = arg;
	struct store_blob blob;
	char name[2 * STORE_OID_SIZE + 1];
	int rc = 0;

	(void)why;
	if (oid_set_has(&w->good, oid) || oid_set_has(&w->given, oid))
		return 0;
	if (bytes && hashes(w, oid, type, bytes, len))
		return give(w, oid, type, bytes, len);
	hex_encode(name, oid->id, STORE_OID_SIZE);
	for (size_t i = 0; i < 3; i++) {
		if (!repair_read_good(w, w->mirror, oid, types[i], &blob))
			continue;
		rc = give(w, oid, types[i], blob.bytes, blob.len);
		gitobj_release(&blob);
		w->taken++;
		repair_mended(w->r, "object %s, from the mirror", name);
		return rc;
	}
	return 0; /* whether anything needs it the walk from the head will say */
}

static int rescue_packs(struct store_work *w)
{
	char path[4096];
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < w->packs_len; i++) {
		struct ark_error why;

		rc = fs_path(path, w->err, "%s/%s", w->store->pack_dir, w->packs[i].idx);
		if (rc)
			break;
		rc = gitobj_each_in_pack(path, rescue, w, &why);
		if (rc == ARK_ENOMEM || rc == ARK_EIO)
			return ark_fail(w->err, rc, "%s", why.text);
		rc = ARK_OK; /* an idx that cannot be read: the walk finds what is missing */
	}
	return rc;
}

/* ---- what the head reaches ---- */

static int push(struct store_work *w, const struct store_oid *oid, enum gitobj_type type)
{
	struct todo *t = &w->todo;
	int rc = oid_set_add(&w->seen, oid, w->err);

	if (rc != 1)
		return rc;
	if (t->len == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 1024;
		struct store_oid *oids = realloc(t->oid, cap * sizeof(*oids));
		enum gitobj_type *types = oids ? realloc(t->type, cap * sizeof(*types)) : NULL;

		t->oid = oids ? oids : t->oid;
		if (!types)
			return ark_fail(w->err, ARK_ENOMEM, "no memory to walk the store");
		t->type = types;
		t->cap = cap;
	}
	t->oid[t->len] = *oid;
	t->type[t->len++] = type;
	return ARK_OK;
}

static int push_below(struct store_work *w, enum gitobj_type type, const struct store_blob *b)
{
	struct gittree_entry e;
	struct gitcommit c;
	size_t at = 0;
	int rc = ARK_OK;

	if (type == GITOBJ_COMMIT) {
		if (gitcommit_parse(b->bytes, b->len, &c, NULL))
			return ARK_OK;
		rc = push(w, &c.tree, GITOBJ_TREE);
		return !rc && c.has_parent ? push(w, &c.parent, GITOBJ_COMMIT) : rc;
	}
	while (!rc && gittree_next(b->bytes, b->len, &at, &e, NULL) == 1)
		rc = push(w, &e.oid, e.is_tree ? GITOBJ_TREE : GITOBJ_BLOB);
	return rc;
}

/* A blob of a sound pack was read already; trees and commits are read for what is below them. */
static int visit(struct store_work *w, const struct store_oid *oid, enum gitobj_type type)
{
	char name[2 * STORE_OID_SIZE + 1];
	struct store_blob blob;
	int rc = ARK_OK;

	if (type == GITOBJ_BLOB && (oid_set_has(&w->good, oid) || oid_set_has(&w->given, oid)))
		return ARK_OK;
	hex_encode(name, oid->id, STORE_OID_SIZE);
	if ((oid_set_has(&w->good, oid) || oid_set_has(&w->given, oid) ||
		!oid_set_has(&w->bad, oid)) &&
	    repair_read_good(w, w->here, oid, type, &blob)) {
		/* it can be read, but out of a pack that will be put aside: going through that one ended early */
		if (!oid_set_has(&w->good, oid))
			rc = give(w, oid, type, blob.bytes, blob.len);
		if (!rc && type != GITOBJ_BLOB)
			rc = push_below(w, type, &blob);
	} else if (repair_read_good(w, w->mirror, oid, type, &blob)) {
		if (!oid_set_has(&w->given, oid)) {
			repair_damaged(w->r, "%s %s is missing", gitobj_type_name(type), name);
			repair_mended(w->r, "%s %s, from the mirror", gitobj_type_name(type), name);
			w->taken++;
		}
		rc = give(w, oid, type, blob.bytes, blob.len);
		if (!rc && type != GITOBJ_BLOB)
			rc = push_below(w, type, &blob);
	} else {
		if (!oid_set_has(&w->bad, oid))
			repair_damaged(w->r, "%s %s is missing", gitobj_type_name(type), name);
		return oid_set_add(&w->bad, oid, w->err) < 0 ? ARK_ENOMEM : ARK_OK;
	}
	gitobj_release(&blob);
	return rc;
}

static int walk(struct store_work *w, const struct store_oid *head)
{
	int rc = push(w, head, GITOBJ_COMMIT);

	while (!rc && w->todo.len) {
		struct store_oid oid = w->todo.oid[--w->todo.len];

		rc = visit(w, &oid, w->todo.type[w->todo.len]);
	}
	return rc;
}

/* ---- the end: the new pack, the damaged ones aside, what is lost by name ---- */

struct losses {
	struct store_work *w;
	const struct store_oid *oids;
	bool *named;
};

static void name_lost(void *arg, size_t which, const char *path)
{
	struct losses *l = arg;
	char name[2 * STORE_OID_SIZE + 1];

	hex_encode(name, l->oids[which].id, STORE_OID_SIZE);
	repair_lost(l->w->r, "%s (object %s): no good copy of it was given", path, name);
	l->named[which] = true;
}

/* By the paths where the head has them; by their names where it has none. */
static int name_losses(struct store_work *w, const struct oid_set *lost)
{
	struct store_oid *oids = calloc(lost->len + 1, sizeof(*oids));
	bool *named = calloc(lost->len + 1, sizeof(*named));
	struct losses losses = {w, oids, named};
	size_t n = 0;
	int rc = oids && named ? ARK_OK : ark_fail(w->err, ARK_ENOMEM, "no memory to name losses");

	for (size_t i = 0; !rc && i < lost->cap; i++)
		if (!oid_is_zero(&lost->at[i]))
			oids[n++] = lost->at[i];
	if (!rc && n)
		rc = store_find_paths(w->store, oids, n, name_lost, &losses, w->err);
	for (size_t i = 0; !rc && i < n; i++) {
		char name[2 * STORE_OID_SIZE + 1];

		hex_encode(name, oids[i].id, STORE_OID_SIZE);
		if (!named[i])
			repair_lost(w->r, "object %s: no good copy of it was given", name);
	}
	free(oids);
	free(named);
	return rc;
}

/* What no ref reaches is no loss. */
static bool needed(const struct store_work *w, const struct store_oid *oid)
{
	return !w->seen.len || oid_set_has(&w->seen, oid);
}

static int tell_lost(struct store_work *w)
{
	struct oid_set lost = {0};
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < w->bad.cap; i++)
		if (!oid_is_zero(&w->bad.at[i]) && !oid_set_has(&w->good, &w->bad.at[i]) &&
		    !oid_set_has(&w->given, &w->bad.at[i]) && needed(w, &w->bad.at[i]) &&
		    oid_set_add(&lost, &w->bad.at[i], w->err) < 0)
			rc = ARK_ENOMEM;
	if (!rc)
		rc = name_losses(w, &lost);
	free(lost.at);
	return rc;
}

static int put_pack_aside(struct store_work *w, const char *idx)
{
	char below[200];
	int rc;

	/* the idx first: git sees a pack by it */
	snprintf(below, sizeof(below), "archive.git/objects/pack/%s", idx);
	rc = repair_put_aside(w->r, below, w->err);
	snprintf(below, sizeof(below), "archive.git/objects/pack/%.*s.pack",
	    (int)(strlen(idx) - strlen(".idx")), idx);
	return rc ? rc : repair_put_aside(w->r, below, w->err);
}

/* Packs are named by their bytes: what comes out as it was has taken the damaged one's place already. */
static bool is_new_pack(const struct store_work *w, const char *idx)
{
	const char *name = gitpack_name(w->pack);

	return *name && strncmp(idx, "pack-", 5) == 0 && strncmp(idx + 5, name, strlen(name)) == 0;
}

static int finish(struct store_work *w)
{
	uint64_t lost;
	int rc = ARK_OK;

	if (w->r->asked->dry_run)
		return tell_lost(w);
	lost = w->r->result->lost;
	if (w->given.len)
		rc = gitpack_finish(w->pack, w->err);
	if (!rc)
		rc = tell_lost(w);
	/* a file of which nothing could be had stays where it is: it may be mended by other means */
	lost = w->r->result->lost - lost;
	for (size_t i = 0; !rc && (!lost || w->given.len) && i < w->packs_len; i++) {
		if (is_new_pack(w, w->packs[i].idx)) {
			repair_mended(w->r, "%s: whole again, byte for byte", w->packs[i].idx);
			continue;
		}
		rc = put_pack_aside(w, w->packs[i].idx);
		if (!rc)
			repair_mended(
			    w->r, "%s: put aside, what it had is in another pack", w->packs[i].idx);
	}
	return rc;
}

/* ---- the work as a whole ---- */

static void close_work(struct store_work *w)
{
	struct store *s = w->store;

	gitpack_free(w->pack);
	gitobj_close(w->here);
	gitobj_close(w->mirror);
	githash_free(w->hash);
	free(w->good.at);
	free(w->bad.at);
	free(w->given.at);
	free(w->seen.at);
	free(w->packs);
	free(w->todo.oid);
	free(w->todo.type);
	if (s) {
		store_free_signers(s->signers, s->signers_len);
		pthread_mutex_destroy(&s->lock);
		free(s->dir);
		free(s->objects_dir);
		free(s->pack_dir);
	}
	free(s);
	free(w);
}

int repair_store(struct repair *r, struct ark_error *err)
{
	struct store_work *w = calloc(1, sizeof(*w));
	struct store_oid head;
	int rc = w ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the store");

	if (rc)
		return rc;
	w->r = r;
	w->err = err;
	w->hash = githash_new();
	if (!w->hash)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the store");
	if (!rc)
		rc = repair_open_store(w, err);
	if (!rc)
		rc = repair_open_mirror(w);
	if (!rc)
		rc = store_each_file(w->store, ".pack", look_for_orphan, w, err);
	if (!rc)
		rc = store_each_file(w->store, ".idx", look_at_pack, w, err);
	if (!rc)
		rc = gitobj_open(w->store->objects_dir, &w->here, err);
	if (!rc)
		rc = gitpack_new(w->store->pack_dir, &w->pack, err);
	if (!rc) {
		gitpack_start(w->pack);
		rc = rescue_packs(w);
	}
	if (!rc && (rc = repair_find_head(w, &head)) == 1) {
		rc = repair_learn_head(w, &head);
		if (!rc)
			rc = walk(w, &head);
	}
	if (!rc)
		rc = finish(w);
	close_work(w);
	return rc;
}
