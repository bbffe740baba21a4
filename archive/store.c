/* The handle: making, opening, the head. See store_internal.h for the invariants. */
#include "archive/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { REF_LIMIT = 256, PACKED_REFS_LIMIT = 1 << 20 };

/* ---- making ---- */

/* gc would pack refs away and loosen what it takes for garbage; nothing here is garbage. */
static const char CONFIG[] = "[core]\n"
			     "\trepositoryformatversion = 0\n"
			     "\tfilemode = true\n"
			     "\tbare = true\n"
			     "\tlogAllRefUpdates = false\n"
			     "[gc]\n"
			     "\tauto = 0\n"
			     "\tautoDetach = false\n"
			     "\tpackRefs = false\n"
			     "\tpruneExpire = never\n"
			     "[maintenance]\n"
			     "\tauto = false\n"
			     "[receive]\n"
			     "\tautogc = false\n";

static int make_dirs(const char *dir, struct ark_error *err)
{
	static const char *const below[] = {
	    "", "/objects", "/objects/info", "/objects/pack", "/refs", "/refs/heads", "/refs/tags"};
	char path[4096];
	size_t n = sizeof(below) / sizeof(*below);
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		rc = fs_path(path, err, "%s%s", dir, below[i]);
		if (!rc)
			rc = fs_mkdirs(path, 0750, err);
	}
	while (!rc && n--) {
		rc = fs_path(path, err, "%s%s", dir, below[n]);
		if (!rc)
			rc = fs_sync_dir(path, err);
	}
	return rc;
}

int store_create(const char *dir, const char *allowed_signers_path, const char *origin,
    const unsigned char git_seed[32], struct ark_error *err)
{
	static const char head_text[] = "ref: refs/heads/main\n";
	char name[GITCOMMIT_ORIGIN_SIZE], head[4096], config[4096];
	struct signer_span signer = {0};
	int rc = fs_path(head, err, "%s/HEAD", dir);

	if (!rc)
		rc = fs_path(config, err, "%s/config", dir);
	if (rc)
		goto out;
	if (fs_exists(head)) {
		rc = ark_fail(err, ARK_ECONFLICT, "%s is a repository already", dir);
		goto out;
	}
	gitcommit_origin(name, origin);
	rc = gitsign_new(git_seed, &signer.key, err);
	if (!rc)
		rc = make_dirs(dir, err);
	if (!rc)
		rc = fs_replace_file(config, CONFIG, sizeof(CONFIG) - 1, 0640, err);
	if (!rc)
		rc = store_write_allowed(allowed_signers_path, name, &signer, 1, err);
	if (!rc) /* last: a directory without HEAD is no repository */
		rc = fs_replace_file(head, head_text, sizeof(head_text) - 1, 0640, err);
out:
	gitsign_free(signer.key);
	return rc;
}

/* ---- the head ---- */

static int parse_id(const char *text, size_t len, struct store_oid *ret)
{
	return len >= 2 * STORE_OID_SIZE &&
		       hex_decode(ret->id, STORE_OID_SIZE, text, 2 * STORE_OID_SIZE)
		   ? 1
		   : 0;
}

/* Stock git may have moved the ref there (git pack-refs, git gc). */
static int packed_ref_read(const struct store *s, struct store_oid *ret, struct ark_error *err)
{
	static const char name[] = " refs/heads/main\n";
	struct buf text = BUF_INIT;
	char path[4096];
	const char *at;
	int rc = fs_path(path, err, "%s/packed-refs", s->dir);

	if (rc || !fs_exists(path))
		return rc;
	rc = fs_read_file(path, PACKED_REFS_LIMIT, &text, err);
	if (rc)
		goto out;
	at = text.data ? strstr(text.data, name) : NULL;
	if (at && at - text.data >= 2 * STORE_OID_SIZE)
		rc = parse_id(at - 2 * STORE_OID_SIZE, 2 * STORE_OID_SIZE, ret);
out:
	buf_free(&text);
	return rc;
}

int store_ref_read(const struct store *s, struct store_oid *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char path[4096];
	int rc = fs_path(path, err, "%s/refs/heads/main", s->dir);

	if (rc)
		return rc;
	if (!fs_exists(path))
		return packed_ref_read(s, ret, err);
	rc = fs_read_file(path, REF_LIMIT, &text, err);
	if (!rc && parse_id(text.data, text.len, ret))
		rc = 1;
	else if (!rc || rc == ARK_EINPUT)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%s does not hold a commit id: write the newest commit's id there (from a "
		    "mirror)",
		    path);
	buf_free(&text);
	return rc;
}

int store_commit_read(struct gitobj *objects, const struct store_oid *oid,
    struct store_blob *ret_bytes, struct gitcommit *ret, struct ark_error *err)
{
	char hex[2 * STORE_OID_SIZE + 1];
	int rc = gitobj_read(objects, oid, GITOBJ_COMMIT, ret_bytes, err);

	hex_encode(hex, oid->id, STORE_OID_SIZE);
	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, ARK_ECORRUPT,
		    "commit %s is missing: restore its pack into objects/pack from a mirror", hex);
	if (rc)
		return rc;
	rc = gitcommit_parse(ret_bytes->bytes, ret_bytes->len, ret, err);
	if (rc) {
		gitobj_release(ret_bytes);
		return ark_fail_within(err, rc, "commit %s", hex);
	}
	return ARK_OK;
}

struct lost {
	uint64_t sequence; /* the highest of any commit in the packs */
	char path[4096];
	const struct store *store;
	struct ark_error *err;
};

static int lost_commit(void *arg, const struct store_oid *oid, enum gitobj_type type,
    const void *bytes, size_t len, const char *why)
{
	struct lost *l = arg;
	struct gitcommit c;

	(void)oid, (void)why;
	if (bytes && type == GITOBJ_COMMIT && gitcommit_parse(bytes, len, &c, NULL) == ARK_OK &&
	    c.sequence > l->sequence)
		l->sequence = c.sequence;
	return 0;
}

static int lost_pack(void *arg, const char *name)
{
	struct lost *l = arg;
	int rc = fs_path(l->path, l->err, "%s/%s", l->store->pack_dir, name);

	return rc ? rc : gitobj_each_in_pack(l->path, lost_commit, l, l->err);
}

/* A crash within the first commit leaves a pack and no ref; anything more means that the ref was lost. */
static int check_unborn(const struct store *s, struct ark_error *err)
{
	struct lost l = {.store = s, .err = err};
	int rc = store_each_file(s, ".idx", lost_pack, &l, err);

	if (!rc && l.sequence > 1)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%s/refs/heads/main is missing, but there are commits to number %llu: write "
		    "the id of the "
		    "newest one there (from a mirror)",
		    s->dir, (unsigned long long)l.sequence);
	return rc;
}

/* What the ref says, as a head. *ret_moved: it is not `known`. */
static int head_read(const struct store *s, const struct store_head *known, struct store_head *ret,
    bool *ret_moved, struct ark_error *err)
{
	struct gitobj *objects = NULL;
	struct store_blob bytes = {0}, tree = {0};
	struct gitcommit c;
	struct store_oid oid;
	int rc = store_ref_read(s, &oid, err);

	*ret_moved = false;
	if (rc < 0)
		return rc;
	if (rc == 0 && known->sequence)
		return ark_fail(err, ARK_ECORRUPT, "%s/refs/heads/main is gone", s->dir);
	if (rc == 0)
		return check_unborn(s, err);
	if (known->sequence && memcmp(&oid, &known->commit, sizeof(oid)) == 0)
		return ARK_OK;
	rc = gitobj_open(s->objects_dir, &objects, err);
	if (!rc)
		rc = store_commit_read(objects, &oid, &bytes, &c, err);
	if (!rc)
		rc = gitobj_read(objects, &c.tree, GITOBJ_TREE, &tree, err);
	if (!rc) {
		*ret = (struct store_head){.commit = oid, .tree = c.tree, .sequence = c.sequence};
		*ret_moved = true;
	} else if (rc == ARK_ENOTFOUND) {
		rc = ark_fail_within(err, ARK_ECORRUPT, "the tree of the newest commit is missing");
	}
	gitobj_release(&tree);
	gitobj_release(&bytes);
	gitobj_close(objects);
	return rc;
}

/* ---- opening ---- */

static char *join(const char *dir, const char *below)
{
	char *path = NULL;

	return asprintf(&path, "%s%s", dir, below) < 0 ? NULL : path;
}

static int open_head(struct store *s, const char *dir, struct ark_error *err)
{
	char path[4096];
	bool moved;
	int rc = fs_path(path, err, "%s/HEAD", dir);

	if (rc)
		return rc;
	if (!fs_exists(path) || !fs_exists(s->pack_dir))
		return ark_fail(
		    err, ARK_ENOTFOUND, "%s is no repository: arkki init makes one", dir);
	if (s->for_writing)
		rc = store_recover(s, err);
	if (!rc)
		rc = head_read(s, &s->head, &s->head, &moved, err);
	return rc || !s->for_writing ? rc : store_settle_indexes(s, err);
}

int store_open(const char *dir, const char *origin, const unsigned char git_seed[32],
    bool for_writing, struct store **ret, struct ark_error *err)
{
	struct store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory to open %s", dir);
	s->for_writing = for_writing;
	pthread_mutex_init(&s->lock, NULL);
	gitcommit_origin(s->origin, origin);
	s->dir = join(dir, "");
	s->objects_dir = join(dir, "/objects");
	s->pack_dir = join(dir, "/objects/pack");
	if (!s->dir || !s->objects_dir || !s->pack_dir)
		rc = ark_fail(err, ARK_ENOMEM, "no memory to open %s", dir);
	else
		rc = store_signers(s, &(const struct store_signer){.seed = git_seed}, 1, NULL, err);
	if (!rc)
		rc = open_head(s, dir, err);
	if (rc) {
		store_close(s);
		return rc;
	}
	*ret = s;
	return ARK_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	gitpack_free(s->pack);
	gittree_cache_free(s->trees);
	gitobj_close(s->objects);
	store_free_signers(s->signers, s->signers_len);
	pthread_mutex_destroy(&s->lock);
	free(s->pack_dir);
	free(s->objects_dir);
	free(s->dir);
	free(s);
}

void store_head(struct store *s, struct store_head *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->head;
	pthread_mutex_unlock(&s->lock);
}

int store_refresh(struct store *s, struct ark_error *err)
{
	struct store_head known, head;
	bool moved;
	int rc;

	if (s->for_writing) /* the writer's own head is the truth, and ahead of it is what is not durable yet */
		return ARK_OK;
	store_head(s, &known);
	rc = head_read(s, &known, &head, &moved, err);
	if (rc || !moved)
		return rc;
	pthread_mutex_lock(&s->lock);
	s->head = head;
	pthread_mutex_unlock(&s->lock);
	return ARK_OK;
}
