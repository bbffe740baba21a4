/* The archive as a whole: making one, opening one, closing it.
 *
 *   init:  keys -> store -> logs -> state, catalogue -> arkki.conf (last: an
 *          archive without it was never finished) -> shipped records
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
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "arkki/policies/shipped.h"

static int in_dir(char out[4096], const char *dir, const char *name, struct ark_error *err)
{
	return fs_path(out, err, "%s/%s", dir, name);
}

/* ---- arkki.conf ---- */

struct conf {
	unsigned int format;
	char origin[256];
};

static bool origin_valid(const char *origin)
{
	size_t n = strlen(origin);

	return n >= 1 && n <= 200 && utf8_valid(origin, n) && !strpbrk(origin, " +\t\n\r") &&
	       origin[0] != '/' && origin[n - 1] != '/';
}

static int conf_write(const char *dir, const char *origin, struct ark_error *err)
{
	char path[4096], text[512], now[CLOCK_TEXT_SIZE];
	int n, rc = in_dir(path, dir, "arkki.conf", err);

	if (rc)
		return rc;
	clock_format(now, clock_now_us());
	n = snprintf(text, sizeof(text),
	    "# arkki archive; see archive/README.md\nformat %d\norigin %s\ncreated %s\n",
	    ARCHIVE_FORMAT, origin, now);
	return fs_replace_file(path, text, (size_t)n, 0600, err);
}

static int conf_read(const char *dir, struct conf *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char path[4096], *save = NULL;
	int rc = in_dir(path, dir, "arkki.conf", err);

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
	if (ret->format < 1 || !origin_valid(ret->origin))
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
	int rc = in_dir(path, a->dir, "lock", err);

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
	int rc = in_dir(path, a->dir, "ledger/history", err);

	snprintf(origin, sizeof(origin), "%s/history", a->origin);
	if (!rc)
		rc = ledger_open(path, origin, LEDGER_HISTORY, a->keys, writing, &a->history, err);
	if (!rc)
		rc = in_dir(path, a->dir, "ledger/access", err);
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
	int rc = in_dir(path, a->dir, "catalogue.sqlite", err);

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
	int rc = in_dir(path, a->dir, "allowed_signers", err);

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
	int rc = in_dir(path, a->dir, "keys", err);

	if (!rc)
		rc = keyring_open(path, root_key, writing, &a->keys, err);
	if (!rc)
		rc = in_dir(path, a->dir, "archive.git", err);
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
		rc = in_dir(path, a->dir, "state.sqlite", err);
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
	int rc = a ? in_dir(spool, dir, "spool", err)
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
	if (a->lock_fd >= 0)
		close(a->lock_fd);
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

/* ---- making one ---- */

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
		rc = in_dir(path, dir, names[i], err);
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
	int rc = in_dir(path, dir, "ledger/history", err);

	snprintf(name, sizeof(name), "%s/history", origin);
	if (!rc)
		rc = ledger_create(path, name, s->history_seed, err);
	if (!rc)
		rc = in_dir(path, dir, "ledger/access", err);
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
		rc = in_dir(path, dir, "keys", err);
	if (!rc)
		rc = keyring_create(path, root_key, err);
	if (!rc)
		rc = keyring_open(path, root_key, 1, &keys, err);
	if (!rc)
		rc = in_dir(path, dir, "archive.git", err);
	if (!rc)
		rc = in_dir(signers, dir, "allowed_signers", err);
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
	if (!origin_valid(origin))
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

/* ---- accessors ---- */

const char *archive_dir(const struct archive *a)
{
	return a->dir;
}

const char *archive_spool_dir(const struct archive *a)
{
	return a->spool_dir;
}

const char *archive_origin(const struct archive *a)
{
	return a->origin;
}

struct keyring *archive_keyring(const struct archive *a)
{
	return a->keys;
}

struct store *archive_store(const struct archive *a)
{
	return a->store;
}

struct ledger *archive_ledger(const struct archive *a, enum ledger_which which)
{
	return which == LEDGER_HISTORY ? a->history : a->access;
}

struct registry *archive_registry(const struct archive *a)
{
	return a->registry;
}

struct state *archive_state(const struct archive *a)
{
	return a->state;
}

uint64_t archive_sequence(const struct archive *a)
{
	return atomic_load(&a->sequence);
}

/* ---- desks ---- */

int archive_desk(struct archive *a, struct desk **ret, struct ark_error *err)
{
	struct desk *d;
	char path[4096];
	int rc;

	pthread_mutex_lock(&a->desks_lock);
	d = a->desks;
	if (d)
		a->desks = d->next;
	pthread_mutex_unlock(&a->desks_lock);
	if (d) {
		*ret = d;
		return ARK_OK;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return ark_fail(err, ARK_ENOMEM, "no memory for a reader");
	rc = in_dir(path, a->dir, "catalogue.sqlite", err);
	if (!rc)
		rc = catalogue_open(path, a->keys, false, false, &d->catalogue, err);
	if (!rc)
		rc = store_reader_open(a->store, &d->store, err);
	if (rc) {
		catalogue_close(d->catalogue);
		free(d);
		return rc;
	}
	*ret = d;
	return ARK_OK;
}

void archive_desk_return(struct archive *a, struct desk *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&a->desks_lock);
	d->next = a->desks;
	a->desks = d;
	pthread_mutex_unlock(&a->desks_lock);
}

/* ---- small services ---- */

void archive_listen(struct archive *a, void (*fn)(void *arg, uint64_t sequence), void *arg)
{
	pthread_mutex_lock(&a->listeners_lock);
	if (a->listeners_len < ARCHIVE_LISTENERS)
		a->listeners[a->listeners_len++] = (struct archive_listener){fn, arg};
	pthread_mutex_unlock(&a->listeners_lock);
}

void archive_unlisten(struct archive *a, void *arg)
{
	unsigned int n = 0;

	pthread_mutex_lock(&a->listeners_lock);
	for (unsigned int i = 0; i < a->listeners_len; i++)
		if (a->listeners[i].arg != arg)
			a->listeners[n++] = a->listeners[i];
	a->listeners_len = n;
	pthread_mutex_unlock(&a->listeners_lock);
}

void archive_tag(
    const struct archive *a, const char *what, const void *bytes, size_t len, char out[33])
{
	crypto_generichash_state st;
	unsigned char hash[16];

	crypto_generichash_init(&st, keyring_secrets(a->keys)->token_key, 32, sizeof(hash));
	crypto_generichash_update(&st, (const unsigned char *)what, strlen(what) + 1);
	crypto_generichash_update(&st, bytes, len);
	crypto_generichash_final(&st, hash, sizeof(hash));
	hex_encode(out, hash, sizeof(hash));
}

int archive_maintenance(struct archive *a, const char *job, const char *range, struct receipt **ret,
    struct ark_error *err)
{
	struct buf detail = BUF_INIT;
	struct ledger_record r = {.kind = "maintenance", .principal = "system"};
	int rc;

	buf_adds(&detail, "{\"job\":");
	json_quote(&detail, job);
	buf_adds(&detail, ",\"range\":");
	json_quote(&detail, range);
	buf_addc(&detail, '}');
	if (buf_failed(&detail))
		return ark_fail(err, ARK_ENOMEM, "no memory for a log entry");
	r.detail = detail.data;
	rc = ledger_append_wait(a->access, &r, 1, ret, err);
	buf_free(&detail);
	return rc;
}
