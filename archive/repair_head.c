/* Where the repair of the store begins: what there is on both sides, and which commit is the newest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "archive/repair_store_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

/* ---- the two sides ---- */

int repair_open_mirror(struct store_work *w)
{
	static const char *const places[] = {"archive.git/objects", "objects", ".git/objects"};
	const char *from = w->r->asked->from;
	char path[4096];

	for (size_t i = 0; from && i < 3; i++) {
		int rc = fs_path(path, w->err, "%s/%s", from, places[i]);

		if (rc || fs_exists(path))
			return rc ? rc : gitobj_open(path, &w->mirror, w->err);
	}
	return ARK_OK;
}

static bool signed_head(struct store_work *w, struct gitobj *from, const struct store_oid *oid)
{
	struct store_blob b;
	struct gitcommit c;
	bool ok;

	if (!repair_read_good(w, from, oid, GITOBJ_COMMIT, &b))
		return false;
	ok = !gitcommit_parse(b.bytes, b.len, &c, NULL) &&
	     store_signed_by_us(w->store, &c, b.bytes, b.len);
	gitobj_release(&b);
	return ok;
}

int repair_open_store(struct store_work *w, struct ark_error *err)
{
	struct store *s = calloc(1, sizeof(*s));
	char path[4096];
	int rc = s ? fs_path(path, err, "%s/archive.git", w->r->asked->dir)
		   : ark_fail(err, ARK_ENOMEM, "no memory for the store");

	if (rc) {
		free(s);
		return rc;
	}
	w->store = s;
	pthread_mutex_init(&s->lock, NULL);
	s->dir = strdup(path);
	if (asprintf(&s->objects_dir, "%s/objects", path) < 0)
		s->objects_dir = NULL;
	if (asprintf(&s->pack_dir, "%s/objects/pack", path) < 0)
		s->pack_dir = NULL;
	gitcommit_origin(s->origin, w->r->origin);
	if (!s->dir || !s->objects_dir || !s->pack_dir)
		return ark_fail(err, ARK_ENOMEM, "no memory for the store");
	rc = archive_take_signers(w->r->keys, s, NULL, err);
	if (!rc)
		rc = fs_mkdirs(s->pack_dir, 0750, err);
	return rc;
}

/* ---- the head ---- */

int repair_learn_head(struct store_work *w, const struct store_oid *head)
{
	struct store_blob b;
	struct gitcommit c;

	if (!repair_read_good(w, w->here, head, GITOBJ_COMMIT, &b) &&
	    !repair_read_good(w, w->mirror, head, GITOBJ_COMMIT, &b))
		return ARK_OK;
	if (!gitcommit_parse(b.bytes, b.len, &c, NULL))
		w->store->head =
		    (struct store_head){.commit = *head, .tree = c.tree, .sequence = c.sequence};
	gitobj_release(&b);
	return ARK_OK;
}

static int mirror_ref(struct store_work *w, struct store_oid *ret)
{
	static const char *const places[] = {"archive.git", ".", ".git"};
	struct store other = {0};
	char path[4096];

	for (size_t i = 0; w->r->asked->from && i < 3; i++) {
		if (fs_path(path, NULL, "%s/%s", w->r->asked->from, places[i]))
			continue;
		other.dir = path;
		if (store_ref_read(&other, ret, NULL) == 1 && signed_head(w, w->mirror, ret))
			return 1;
	}
	return 0;
}

static int write_ref(struct store_work *w, const struct store_oid *head)
{
	char path[4096], text[2 * STORE_OID_SIZE + 2];
	int rc = fs_path(path, w->err, "%s/refs/heads", w->store->dir);

	hex_encode(text, head->id, STORE_OID_SIZE);
	text[2 * STORE_OID_SIZE] = '\n';
	if (!rc)
		rc = fs_mkdirs(path, 0750, w->err);
	if (!rc)
		rc = fs_path(path, w->err, "%s/refs/heads/main", w->store->dir);
	return rc ? rc : fs_replace_file(path, text, 2 * STORE_OID_SIZE + 1, 0640, w->err);
}

int repair_find_head(struct store_work *w, struct store_oid *ret)
{
	struct ark_error why = {0};
	int rc = store_ref_read(w->store, ret, &why);

	if (rc == 1)
		return 1;
	if (rc == 0 && !fs_exists(w->store->dir))
		ark_fail(&why, ARK_ENOTFOUND, "archive.git is not there");
	if (rc == 0 && !w->mirror)
		return 0;
	repair_damaged(w->r, "refs/heads/main: %s", why.text[0] ? why.text : "it is not there");
	if (mirror_ref(w, ret) != 1) {
		repair_lost(w->r, "which commit is the newest: no mirror says so");
		return 0;
	}
	rc = w->r->asked->dry_run ? ARK_OK : write_ref(w, ret);
	if (!rc)
		repair_mended(w->r, "refs/heads/main, from the mirror");
	return rc ? rc : 1;
}
