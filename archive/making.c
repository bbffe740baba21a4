/* Making an archive.
 *
 *   keys -> store -> logs -> state, catalogue -> arkki.conf (last: an archive without it was never finished)
 *        -> shipped records
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "archive/archive_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "arkki/policies/shipped.h"

bool archive_origin_valid(const char *origin)
{
	size_t n = strlen(origin);

	return n >= 1 && n <= 200 && utf8_valid(origin, n) && !strpbrk(origin, " +\t\n\r") &&
	       origin[0] != '/' && origin[n - 1] != '/';
}

static int conf_write(const char *dir, const char *origin, struct ark_error *err)
{
	char path[4096], text[512], now[CLOCK_TEXT_SIZE];
	int n, rc = archive_path(path, dir, "arkki.conf", err);

	if (rc)
		return rc;
	clock_format(now, clock_now_us());
	n = snprintf(text, sizeof(text),
	    "# arkki archive; see archive/README.md\nformat %d\norigin %s\ncreated %s\n",
	    ARCHIVE_FORMAT, origin, now);
	return fs_replace_file(path, text, (size_t)n, 0600, err);
}

static int file_record(struct archive *a, const char *kind, json_t *record, struct ark_error *err)
{
	const struct filing_actor actor = {.user = "system", .authentication = "init"};
	struct filing *f = filing_new(FILING_RECORD);
	int rc = f && record ? filing_set_actor(f, &actor, err)
			     : ark_fail(err, ARK_ENOMEM, "no memory for a record");

	if (!rc) {
		f->record_kind = kind;
		f->record = json_incref(record);
		rc = filing_submit_wait(a, f, err);
	}
	filing_free(f);
	return rc;
}

static int make_dir(const char *dir, struct ark_error *err)
{
	int rc = fs_mkdirs(dir, 0700, err);

	if (!rc) {
		int empty = fs_dir_empty(dir, err);

		if (empty < 0)
			return empty;
		if (!empty)
			return ark_fail(err, ARK_EREFUSED,
			    "%s is not empty; give a new or an empty directory", dir);
	}
	return rc;
}

static int make_subdirs(const char *dir, struct ark_error *err)
{
	/* the logs' own directories are made by ledger_create */
	static const char *const names[] = {"ledger", "derived", "index", "spool", "run"};
	char path[4096];
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < sizeof(names) / sizeof(*names); i++) {
		rc = archive_path(path, dir, names[i], err);
		if (!rc)
			rc = fs_mkdir(path, 0700, err);
	}
	return rc;
}

static int make_logs(
    const char *dir, const char *origin, const struct keyring *keys, struct ark_error *err)
{
	const struct keyring_secrets *s = keyring_secrets(keys);
	char path[4096], name[300];
	int rc = archive_path(path, dir, "ledger/history", err);

	snprintf(name, sizeof(name), "%s/history", origin);
	if (!rc)
		rc = ledger_create(path, name, s->history_seed, err);
	if (!rc)
		rc = archive_path(path, dir, "ledger/access", err);
	snprintf(name, sizeof(name), "%s/access", origin);
	if (!rc)
		rc = ledger_create(path, name, s->access_seed, err);
	return rc;
}

/* The directory is refused before the key is made, and the key before
 * anything else, so that a second try after a refusal finds nothing changed. */
static int make_parts(
    const char *dir, const char *root_key, const char *origin, struct ark_error *err)
{
	struct keyring *keys = NULL;
	char path[4096], signers[4096];
	int rc = make_dir(dir, err);

	if (!rc)
		rc = keyring_create_root(root_key, err);
	if (!rc)
		rc = make_subdirs(dir, err);
	if (!rc)
		rc = archive_path(path, dir, "keys", err);
	if (!rc)
		rc = keyring_create(path, root_key, err);
	if (!rc)
		rc = keyring_open(path, root_key, 1, &keys, err);
	if (!rc)
		rc = archive_path(path, dir, "archive.git", err);
	if (!rc)
		rc = archive_path(signers, dir, "allowed_signers", err);
	if (!rc)
		rc = store_create(path, signers, origin, keyring_secrets(keys)->git_seed, err);
	if (!rc)
		rc = make_logs(dir, origin, keys, err);
	if (!rc)
		rc = conf_write(dir, origin, err);
	keyring_close(keys);
	return rc;
}

static int file_shipped(
    struct archive *a, const char *kind, const char *text, struct ark_error *err)
{
	json_t *list = NULL, *record;
	size_t i;
	int rc = json_read(text, strlen(text), &list, err);

	json_array_foreach(list, i, record)
	{
		if (rc)
			break;
		rc = file_record(a, kind, record, err);
	}
	json_decref(list);
	return rc;
}

int archive_init(const char *dir, const char *root_key, const char *origin, struct ark_error *err)
{
	struct archive *a = NULL;
	int rc;

	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "cannot start libsodium");
	if (!archive_origin_valid(origin))
		return ark_fail(err, ARK_EINPUT,
		    "the origin must be a name like archive.example.fi, without spaces or '+'");
	rc = make_parts(dir, root_key, origin, err);
	if (!rc)
		rc = archive_open(dir, root_key, ARCHIVE_WRITE, NULL, NULL, &a, err);
	if (!rc)
		rc = file_shipped(a, "types", shipped_types(), err);
	if (!rc)
		rc = file_shipped(a, "retention", shipped_retention(), err);
	archive_close(a);
	return rc;
}
