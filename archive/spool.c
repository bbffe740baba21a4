#include "arkki/archive/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/envelope.h"
#include "archive/media_type.h"
#include "arkki/base/fs.h"

/* A nameless file: a crash leaves nothing behind. */
static int open_spool(struct upload *u, struct ark_error *err)
{
	u->fd = open(u->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (u->fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot make a spool file in %s", u->spool_dir);
	return ARK_OK;
}

static int take_sealed(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct upload *u = arg;
	int rc = ARK_OK;

	sha256_update(u->sealed_hash, bytes, len);
	if (u->fd < 0 && u->memory.len + len > SPOOL_MEMORY_MAX) {
		rc = open_spool(u, err);
		if (!rc)
			rc = fs_pwrite_all(u->fd, u->memory.data, u->memory.len, 0, err);
		buf_free(&u->memory);
	}
	if (rc)
		return rc;
	if (u->fd >= 0) {
		rc = fs_pwrite_all(u->fd, bytes, len, u->sealed_size, err);
	} else {
		buf_add(&u->memory, bytes, len);
		if (buf_failed(&u->memory))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	}
	if (!rc)
		u->sealed_size += len;
	return rc;
}

int upload_new(struct archive *a, const char *document, uint32_t version, struct upload **ret,
    struct ark_error *err)
{
	char path[ENVELOPE_PATH];
	struct seal_key key;
	int rc;

	seal_key_generate(&key);
	envelope_version_path(path, document, version, "content");
	rc = upload_new_at(a, &key, path, ret, err);
	seal_key_wipe(&key);
	return rc;
}

int upload_new_at(struct archive *a, const struct seal_key *key, const char *path,
    struct upload **ret, struct ark_error *err)
{
	struct upload *u = calloc(1, sizeof(*u));
	char context[ENVELOPE_CONTEXT];
	int rc = ARK_ENOMEM;

	if (!u)
		return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	u->fd = -1;
	u->spool_dir = archive_spool_dir(a);
	u->plain_hash = sha256_new();
	u->sealed_hash = sha256_new();
	if (!u->plain_hash || !u->sealed_hash) {
		ark_fail(err, rc, "no memory for an upload");
		goto out;
	}
	u->key = *key;
	envelope_context(context, archive_keyring(a), path);
	rc = sealer_new(&u->key, context, strlen(context), take_sealed, u, &u->sealer, err);
	if (rc)
		goto out;
	*ret = u;
	u = NULL;
out:
	upload_free(u);
	return rc;
}

int upload_write(struct upload *u, const void *bytes, size_t len, struct ark_error *err)
{
	if (u->head.len < MEDIA_HEAD_MAX) {
		size_t room = MEDIA_HEAD_MAX - u->head.len;

		buf_add(&u->head, bytes, len < room ? len : room);
		if (buf_failed(&u->head))
			return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	}
	u->size += len;
	sha256_update(u->plain_hash, bytes, len);
	return sealer_write(u->sealer, bytes, len, err);
}

int upload_finish(struct upload *u, const char *declared, struct ark_error *err)
{
	char found[MEDIA_TYPE_SIZE];
	int rc;

	if (u->size == 0)
		return ark_fail(err, ARK_EINPUT, "the content is empty");
	rc = media_type_plain(declared, u->head.data, u->head.len, found)
		 ? ARK_OK
		 : media_type_of(u->head.data, u->head.len, found, err);
	if (!rc)
		rc = media_type_settle(declared, found, u->media_type, err);
	if (!rc)
		rc = sealer_finish(u->sealer, err);
	if (rc)
		return rc;
	buf_wipe_free(&u->head);
	sha256_final(u->plain_hash, u->sha256);
	sha256_final(u->sealed_hash, u->sealed_sha256);
	return ARK_OK;
}

void upload_free(struct upload *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		close(u->fd);
	sealer_free(u->sealer);
	sha256_free(u->plain_hash);
	sha256_free(u->sealed_hash);
	seal_key_wipe(&u->key);
	buf_free(&u->memory);
	buf_wipe_free(&u->head);
	free(u);
}
