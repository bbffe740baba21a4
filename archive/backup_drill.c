/* A restore drill: is what the backup holds an archive, whole and equal? Made in a directory of its own, with copies of the
 * keys, and without the witnesses: they have seen more than any backup, and would have the copy refused. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/backup_private.h"
#include "archive/checkpoint.h"
#include "archive/keyring_private.h"
#include "arkki/archive/archive.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"

enum { ROOT_KEY_MAX = 4096, FAULTS_TOLD = 5 };

struct drill {
	const struct restore_request *r;
	char top[4096], dir[4096 + 16], root[4096 + 16];
	struct buf faults;
	unsigned int faults_len;
	char summary[400];
};

static void tell(void *arg, const char *what)
{
	struct drill *d = arg;

	if (d->faults_len++ < FAULTS_TOLD)
		buf_addf(&d->faults, "%s%s", d->faults.len ? "; " : "", what);
}

static void keep_summary(void *arg, const char *line)
{
	struct drill *d = arg;

	snprintf(d->summary, sizeof(d->summary), "%s", line);
}

/* The root key as a copy: what is done to the drill's keys touches no other file. */
static int begin(struct drill *d, struct ark_error *err)
{
	struct buf root = BUF_INIT;
	int rc = fs_path(d->top, err, "%s/arkki-drill-XXXXXX", d->r->dir);

	if (!rc && !d->r->root_key)
		rc = ark_fail(err, ARK_EINPUT, "the root key is needed: --root-key FILE");
	if (!rc && !mkdtemp(d->top)) {
		d->top[0] = '\0';
		return ark_fail_errno(
		    err, ARK_EIO, "cannot make a directory for the drill in %s", d->r->dir);
	}
	if (rc) {
		d->top[0] = '\0';
		return rc;
	}
	snprintf(d->dir, sizeof(d->dir), "%s/archive", d->top);
	snprintf(d->root, sizeof(d->root), "%s/root.key", d->top);
	rc = fs_read_file(d->r->root_key, ROOT_KEY_MAX, &root, err);
	if (!rc)
		rc = fs_replace_file(d->root, root.data, root.len, 0600, err);
	buf_wipe_free(&root);
	return rc;
}

static int end(struct drill *d, struct ark_error *err)
{
	char keys[4096 + 32];
	int rc;

	if (!d->top[0])
		return ARK_OK;
	snprintf(keys, sizeof(keys), "%s/keys", d->dir);
	rc = keyring_wipe_dir(keys, err);
	if (!rc && fs_exists(d->root)) {
		static const char zeros[128];

		rc = fs_replace_file(d->root, zeros, sizeof(zeros), 0600, err);
	}
	return rc ? rc : fs_remove_tree(d->top, err);
}

static int forget_witnesses(const struct drill *d, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/witness.policy", d->dir);

	if (!rc && fs_exists(path) && unlink(path) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", path);
	return rc;
}

static int compare_all(struct drill *d, const struct restore_request *own,
    struct backup_summary *sum, struct ark_error *err)
{
	int rc = backup_restore(own, sum, err);

	if (!rc)
		rc = forget_witnesses(d, err);
	if (!rc)
		rc = backup_first_open(own, sum, err);
	if (rc)
		return rc;
	rc = archive_verify(
	    own->dir, own->root_key, true, NULL, own->progress, tell, keep_summary, d, err);
	if (d->faults_len)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "the drill of restore point %s found %u faults: %.300s", sum->point,
		    d->faults_len, d->faults.data ? d->faults.data : "");
	return rc;
}

static int report(const struct drill *d, const struct backup_summary *sum, int64_t took_us,
    struct buf *out, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	struct keyring *keys = NULL;
	struct archive *a = NULL;
	char path[4096], name[300] = "", now[CLOCK_TEXT_SIZE];
	struct note_key key;
	int rc = fs_path(path, err, "%s/keys", d->dir);

	if (!rc)
		rc = keyring_open(path, d->root, 0, &keys, err);
	if (!rc)
		rc = archive_open(d->dir, d->root, ARCHIVE_READ, NULL, NULL, &a, err);
	if (!rc)
		snprintf(name, sizeof(name), "%.280s/history", archive_origin(a));
	clock_format(now, clock_now_us());
	buf_addf(&text,
	    "arkki-drill/v1\n%s\n%s\n%s restored and equal: commits %llu, history %llu, access "
	    "%llu, %llu bytes, %.1f s\n%s\n",
	    name, sum->point, now, (unsigned long long)sum->sequence,
	    (unsigned long long)sum->history, (unsigned long long)sum->access,
	    (unsigned long long)sum->bytes, (double)took_us / 1e6, d->summary);
	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a report");
	if (!rc)
		rc = note_key_from_seed(name, keyring_secrets(keys)->history_seed, &key, err);
	if (!rc)
		rc = note_sign(
		    out, text.data, text.len, &key, keyring_secrets(keys)->history_seed, err);
	archive_close(a);
	keyring_close(keys);
	buf_free(&text);
	return rc;
}

int backup_drill(const struct restore_request *r, struct backup_summary *ret,
    struct buf *ret_report, struct ark_error *err)
{
	struct drill *d = calloc(1, sizeof(*d));
	struct restore_request own = *r;
	struct ark_error late;
	int64_t begun_us = clock_monotonic_us();
	int rc;

	if (!d)
		return ark_fail(err, ARK_ENOMEM, "no memory for a drill");
	d->r = r;
	rc = begin(d, err);
	own.dir = d->dir;
	own.root_key = d->root;
	if (!rc)
		rc = compare_all(d, &own, ret, err);
	if (!rc)
		rc = report(d, ret, clock_monotonic_us() - begun_us, ret_report, err);
	if (end(d, rc ? &late : err) && !rc)
		rc = ARK_EIO;
	buf_free(&d->faults);
	free(d);
	return rc;
}
