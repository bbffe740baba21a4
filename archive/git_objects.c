#include "archive/git_objects.h"

#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct gitobj {
	git_odb *odb; /* NULL after a failed reopen */
	char *dir;
};

static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static int start_result;

static void start(void)
{
	start_result = git_libgit2_init();
	/* Sealed bytes carry their own integrity, trees are checked by store_check():
	 * verifying every read costs 5 to 6 times as much. */
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	/* Directories of some hundred entries stay cached, blobs never. */
	git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, (size_t)64 << 10);
	git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_COMMIT, (size_t)4 << 10);
	git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_BLOB, (size_t)0);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)64 << 20);
	/* Mapped windows cost page tables (2 MiB a GiB), not memory; open packs cost descriptors. */
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)1 << 30);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)32 << 30);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, (size_t)512);
}

static const char *last_text(void)
{
	const git_error *e = git_error_last();

	return e && e->message ? e->message : "libgit2 gave no reason";
}

static int failure(int code, struct ark_error *err, const char *what)
{
	const git_error *e = git_error_last();
	int status = ARK_ECORRUPT;

	if (code == GIT_ENOTFOUND)
		status = ARK_ENOTFOUND;
	else if (e && e->klass == GIT_ERROR_NOMEMORY)
		status = ARK_ENOMEM;
	else if (e && e->klass == GIT_ERROR_OS)
		status = ARK_EIO;
	return ark_fail(err, status, "%s: %s", what, last_text());
}

int gitobj_open(const char *objects_dir, struct gitobj **ret, struct ark_error *err)
{
	struct gitobj *o;
	int rc;

	pthread_once(&start_once, start);
	if (start_result < 0)
		return ark_fail(err, ARK_EIO, "libgit2 could not be started");
	o = calloc(1, sizeof(*o));
	if (!o || !(o->dir = strdup(objects_dir))) {
		free(o);
		return ark_fail(err, ARK_ENOMEM, "no memory to open %s", objects_dir);
	}
	rc = gitobj_reopen(o, err);
	if (rc) {
		gitobj_close(o);
		return rc;
	}
	*ret = o;
	return ARK_OK;
}

void gitobj_close(struct gitobj *o)
{
	if (!o)
		return;
	git_odb_free(o->odb);
	free(o->dir);
	free(o);
}

int gitobj_reopen(struct gitobj *o, struct ark_error *err)
{
	git_odb *odb = NULL;
	int code = git_odb_open(&odb, o->dir);

	if (code < 0)
		return failure(code, err, o->dir);
	git_odb_free(o->odb);
	o->odb = odb;
	return ARK_OK;
}

static int read_once(struct gitobj *o, const struct store_oid *oid, git_odb_object **ret)
{
	git_oid id;

	git_error_clear();
	git_oid_fromraw(&id, oid->id);
	return git_odb_read(ret, o->odb, &id);
}

int gitobj_read(struct gitobj *o, const struct store_oid *oid, enum gitobj_type type,
    struct store_blob *ret, struct ark_error *err)
{
	git_odb_object *object = NULL;
	char hex[GIT_OID_HEXSZ + 32];
	git_oid id;
	int code = read_once(o, oid, &object);
	int rc;

	if (code < 0) {
		rc = gitobj_reopen(o, err);
		if (rc)
			return rc;
		code = read_once(o, oid, &object);
	}
	if (code < 0) {
		memcpy(hex, "object ", 7);
		git_oid_fromraw(&id, oid->id);
		git_oid_tostr(hex + 7, GIT_OID_HEXSZ + 1, &id);
		return failure(code, err, hex);
	}
	if ((int)git_odb_object_type(object) != (int)type) {
		git_oid_tostr(hex, sizeof(hex), git_odb_object_id(object));
		git_odb_object_free(object);
		return ark_fail(
		    err, ARK_ECORRUPT, "object %s is not a %s", hex, gitobj_type_name(type));
	}
	*ret = (struct store_blob){.bytes = git_odb_object_data(object),
	    .len = git_odb_object_size(object),
	    .handle = object};
	return ARK_OK;
}

void gitobj_release(struct store_blob *b)
{
	if (b->handle)
		git_odb_object_free(b->handle);
	*b = (struct store_blob){0};
}

bool gitobj_has(struct gitobj *o, const struct store_oid *oid)
{
	git_oid id;

	git_oid_fromraw(&id, oid->id);
	if (git_odb_exists(o->odb, &id))
		return true;
	return gitobj_reopen(o, NULL) == ARK_OK && git_odb_exists(o->odb, &id);
}

/* ---- one pack ---- */

struct walk {
	git_odb *odb;
	gitobj_each each;
	void *arg;
};

static int walk_object(const git_oid *id, void *payload)
{
	struct walk *w = payload;
	git_odb_object *object = NULL;
	struct store_oid oid;
	int rc;

	memcpy(oid.id, id->id, STORE_OID_SIZE);
	git_error_clear();
	if (git_odb_read(&object, w->odb, id) < 0)
		return w->each(w->arg, &oid, GITOBJ_BLOB, NULL, 0, last_text());
	rc = w->each(w->arg, &oid, (enum gitobj_type)git_odb_object_type(object),
	    git_odb_object_data(object), git_odb_object_size(object), NULL);
	git_odb_object_free(object);
	return rc;
}

int gitobj_each_in_pack(const char *idx_path, gitobj_each each, void *arg, struct ark_error *err)
{
	struct walk w = {.each = each, .arg = arg};
	git_odb_backend *backend = NULL;
	int code;

	pthread_once(&start_once, start);
	git_error_clear();
	code = git_odb_new(&w.odb);
	if (code >= 0)
		code = git_odb_backend_one_pack(&backend, idx_path);
	if (code >= 0) {
		code = git_odb_add_backend(w.odb, backend, 1);
		if (code < 0)
			backend->free(backend);
	}
	if (code >= 0)
		code = git_odb_foreach(w.odb, walk_object, &w);
	git_odb_free(w.odb);
	if (code < 0)
		return failure(code, err, idx_path);
	return code;
}
