/* The archive as a whole: opening one, closing it. How one is made: making.c.
 *
 *   open:  conf -> lock -> witnesses -> keys -> store -> logs -> catalogue -> tie -> recover -> writer,
 *          care
 */
#include "archive/access_tie.h"
#include "archive/archive_private.h"
#include "archive/scrub_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "arkki/archive/witnesses.h"
#include "arkki/base/fs.h"

int archive_path(char out[4096], const char *dir, const char *name, struct ark_error *err)
{
	return fs_path(out, err, "%s/%s", dir, name);
}

/* ---- arkki.conf ---- */

struct conf {
	unsigned int format;
	char origin[256];
};

static int conf_read(const char *dir, struct conf *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char path[4096], *save = NULL;
	int rc = archive_path(path, dir, "arkki.conf", err);

	if (!rc)
		rc = fs_read_file(path, 65536, &text, err);
	if (rc == ARK_ENOTFOUND)
		ark_fail(err, rc,
		    "%s is not an arkki archive (no arkki.conf in it); make one with `arkki init`",
		    dir);
	*ret = (struct conf){0};
	for (char *line = rc ? NULL : strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "format ", 7) == 0)
			ret->format = (unsigned int)strtoul(line + 7, NULL, 10);
		else if (strncmp(line, "origin ", 7) == 0)
			snprintf(ret->origin, sizeof(ret->origin), "%s", line + 7);
	}
	buf_free(&text);
	if (rc)
		return rc;
	if (ret->format > ARCHIVE_FORMAT)
		return ark_fail(err, ARK_EINPUT,
		    "%s has format %u; this arkki knows formats up to %d: use a newer arkki", dir,
		    ret->format, ARCHIVE_FORMAT);
	if (ret->format < 1 || !archive_origin_valid(ret->origin))
		return ark_fail(
		    err, ARK_ECORRUPT, "%s/arkki.conf names no format or no origin", dir);
	return ARK_OK;
}

/* ---- opening the parts ---- */

struct watcher { /* who is told of long work */
	void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of);
	void *arg;
};

static int take_lock(struct archive *a, struct ark_error *err)
{
	char path[4096];
	int rc = archive_path(path, a->dir, "lock", err);

	if (rc)
		return rc;
	a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock_fd < 0)
		return ark_fail_errno(
		    err, ARK_EIO, "cannot open %s; is the archive writable for this user?", path);
	if (faccessat(AT_FDCWD, a->dir, W_OK, AT_EACCESS) < 0)
		return ark_fail_errno(err, ARK_EIO,
		    "%s cannot be written by this user; mend the mode or the mount", a->dir);
	if (flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return ark_fail(err, ARK_ECONFLICT,
		    "%s is in use by another arkki; stop that one first", a->dir);
	return ARK_OK;
}

static int open_ledgers(struct archive *a, bool writing, struct ark_error *err)
{
	char path[4096], origin[300];
	int rc = archive_path(path, a->dir, "ledger/history", err);

	snprintf(origin, sizeof(origin), "%s/history", a->origin);
	if (!rc)
		rc = ledger_open(path, origin, LEDGER_HISTORY, a->keys, writing, &a->history, err);
	if (!rc)
		rc = archive_path(path, a->dir, "ledger/access", err);
	snprintf(origin, sizeof(origin), "%s/access", a->origin);
	if (!rc)
		rc = ledger_open(path, origin, LEDGER_ACCESS, a->keys, writing, &a->access, err);
	return rc;
}

static int remove_catalogue(const char *path, struct ark_error *err)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	char part[4120];

	for (size_t i = 0; i < 3; i++) {
		snprintf(part, sizeof(part), "%s%s", path, tails[i]);
		if (unlink(part) < 0 && errno != ENOENT)
			return ark_fail_errno(err, ARK_EIO, "cannot remove %s", part);
	}
	return ARK_OK;
}

/* Everything in a catalogue comes from the store: a missing one, and one that another arkki
 * made, is made anew, and recover fills it. A reader can only say that it must be. */
static int open_catalogue(
    struct archive *a, bool writing, const struct watcher *watcher, struct ark_error *err)
{
	char path[4096];
	int rc = archive_path(path, a->dir, "catalogue.sqlite", err);

	if (!rc && a->mode == ARCHIVE_REBUILD)
		rc = remove_catalogue(path, err);
	if (!rc)
		rc = catalogue_open(path, a->keys, writing, writing, &a->catalogue, err);
	if (rc != ARK_EINPUT || !writing)
		return rc;
	if (watcher->progress)
		watcher->progress(
		    watcher->arg, "the catalogue is another version's: made anew", 0, 0);
	rc = remove_catalogue(path, err);
	if (!rc)
		rc = catalogue_open(path, a->keys, true, true, &a->catalogue, err);
	return rc;
}

int archive_take_signers(
    struct keyring *k, struct store *s, const char *path, struct ark_error *err)
{
	struct keyring_signer *from = sodium_allocarray(KEYRING_PAST_MAX + 1, sizeof(*from));
	struct store_signer signers[KEYRING_PAST_MAX + 1] = {0};
	size_t n;
	int rc;

	if (!from)
		return ark_fail(err, ARK_ENOMEM, "no memory for signing keys");
	n = keyring_signers(k, SIGNING_GIT, from);
	for (size_t i = 0; i < n; i++)
		signers[i] = (struct store_signer){.public_key = from[i].public_key,
		    .seed = i ? NULL : from[i].seed,
		    .from_us = from[i].from_us,
		    .until_us = from[i].until_us};
	rc = store_signers(s, signers, n, path, err);
	sodium_free(from);
	return rc;
}

static int take_signers(struct archive *a, bool writing, struct ark_error *err)
{
	char path[4096];
	int rc = archive_path(path, a->dir, "allowed_signers", err);

	return rc ? rc : archive_take_signers(a->keys, a->store, writing ? path : NULL, err);
}

int archive_rekey(struct archive *a, struct ark_error *err)
{
	int rc = take_signers(a, true, err);

	if (!rc)
		rc = ledger_rekey(a->history, err);
	return rc ? rc : ledger_rekey(a->access, err);
}

static int open_parts(
    struct archive *a, const char *root_key, const struct watcher *watcher, struct ark_error *err)
{
	bool writing = a->mode != ARCHIVE_READ;
	char path[4096];
	int rc = archive_path(path, a->dir, "keys", err);

	if (!rc)
		rc = keyring_open(path, root_key, writing, &a->keys, err);
	if (!rc)
		rc = archive_path(path, a->dir, "archive.git", err);
	if (!rc)
		rc = store_open(
		    path, a->origin, keyring_secrets(a->keys)->git_seed, writing, &a->store, err);
	if (!rc)
		rc = take_signers(a, writing, err);
	if (!rc)
		rc = open_ledgers(a, writing, err);
	if (!rc)
		rc = open_catalogue(a, writing, watcher, err);
	if (!rc && writing) {
		rc = archive_path(path, a->dir, "state.sqlite", err);
		if (!rc)
			rc = state_open(path, a->keys, true, &a->state, err);
	}
	return rc;
}

static void tell_of_witness(void *arg, const char *what)
{
	const struct watcher *watcher = arg;

	if (watcher->progress)
		watcher->progress(watcher->arg, what, 0, 0);
}

static int archive_new(const char *dir, enum archive_mode mode, const char *origin,
    struct archive **ret, struct ark_error *err)
{
	struct archive *a = calloc(1, sizeof(*a));
	char spool[4096];
	int rc = a ? archive_path(spool, dir, "spool", err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for an archive");

	if (rc) {
		free(a);
		return rc;
	}
	a->mode = mode;
	a->lock_fd = -1;
	pthread_mutex_init(&a->desks_lock, NULL);
	pthread_mutex_init(&a->listeners_lock, NULL);
	pthread_mutex_init(&a->care_lock, NULL);
	pthread_mutex_init(&a->accounts_lock, NULL);
	pthread_cond_init(&a->care_more, NULL);
	a->dir = strdup(dir);
	a->origin = strdup(origin);
	a->spool_dir = strdup(spool);
	if (!a->dir || !a->origin || !a->spool_dir || registry_new(&a->registry, err)) {
		archive_close(a);
		return ark_fail(err, ARK_ENOMEM, "no memory for an archive");
	}
	*ret = a;
	return ARK_OK;
}

int archive_open(const char *dir, const char *root_key, enum archive_mode mode,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct archive **ret, struct ark_error *err)
{
	struct watcher watcher = {progress, arg};
	struct archive *a = NULL;
	struct conf conf;
	int rc;

	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "cannot start libsodium");
	rc = conf_read(dir, &conf, err);
	if (!rc)
		rc = archive_new(dir, mode, conf.origin, &a, err);
	if (!rc && mode != ARCHIVE_READ)
		rc = take_lock(a, err);
	/* before a log is opened and could sign what another history follows */
	if (!rc && mode != ARCHIVE_READ)
		rc = witnesses_ask(dir, conf.origin, tell_of_witness, &watcher, err);
	if (!rc)
		rc = open_parts(a, root_key, &watcher, err);
	if (!rc && mode != ARCHIVE_READ) {
		rc = access_tie_check(a, err);
		if (!rc)
			rc = recover_archive(a, progress, arg, err);
		if (!rc)
			rc = filing_writer_start(a, err);
		if (!rc)
			rc = policies_begin(a, err);
		if (!rc)
			rc = care_start(a, err);
		if (!rc)
			rc = scrub_open(a, err);
	}
	if (rc) {
		archive_close(a);
		return rc;
	}
	*ret = a;
	return ARK_OK;
}

void archive_close(struct archive *a)
{
	struct desk *d;

	if (!a)
		return;
	scrub_close(a);
	filing_writer_stop(a);
	care_stop(a);
	while ((d = a->desks)) {
		a->desks = d->next;
		catalogue_close(d->catalogue);
		store_reader_close(d->store);
		free(d);
	}
	catalogue_close(a->catalogue);
	state_close(a->state);
	ledger_close(a->history);
	ledger_close(a->access);
	store_close(a->store);
	registry_free(a->registry);
	keyring_close(a->keys);
	fs_unlock_close(a->lock_fd);
	pthread_mutex_destroy(&a->desks_lock);
	pthread_mutex_destroy(&a->listeners_lock);
	pthread_mutex_destroy(&a->care_lock);
	pthread_mutex_destroy(&a->accounts_lock);
	pthread_cond_destroy(&a->care_more);
	free(a->dir);
	free(a->origin);
	free(a->spool_dir);
	free(a);
}
