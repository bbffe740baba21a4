/* The story of a repair: lock, keys, store, logs, what is made anew, what can only be told. */
#include "archive/repair_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/state.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"

enum { LINE_SIZE = 700 };

__attribute__((format(printf, 3, 0))) static void say(
    struct repair *r, const char *what, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "%s: ", what);

	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	r->asked->tell(r->asked->arg, line);
}

void repair_damaged(struct repair *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(r, "damaged", fmt, ap);
	va_end(ap);
	r->result->damaged++;
}

void repair_mended(struct repair *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(r, r->asked->dry_run ? "would be mended" : "mended", fmt, ap);
	va_end(ap);
	r->result->mended++;
}

void repair_lost(struct repair *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(r, "lost", fmt, ap);
	va_end(ap);
	r->result->lost++;
}

int repair_put_aside(struct repair *r, const char *below, struct ark_error *err)
{
	char from[4096], to[4096], parent[4096], *slash;
	int rc = fs_path(from, err, "%s/%s", r->asked->dir, below);

	if (!rc)
		rc = fs_path(to, err, "%s/%s", r->aside, below);
	if (rc || !fs_exists(from))
		return rc;
	memcpy(parent, to, sizeof(parent));
	slash = strrchr(parent, '/');
	*slash = '\0';
	rc = fs_mkdirs(parent, 0700, err);
	if (!rc)
		rc = fs_rename(from, to, err);
	if (!rc)
		rc = fs_sync_dir(parent, err);
	memcpy(parent, from, sizeof(parent));
	*strrchr(parent, '/') = '\0';
	return rc ? rc : fs_sync_dir(parent, err);
}

/* ---- before anything ---- */

static int read_origin(struct repair *r, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char path[4096], *save = NULL;
	int rc = fs_path(path, err, "%s/arkki.conf", r->asked->dir);

	if (!rc)
		rc = fs_read_file(path, 65536, &text, err);
	for (char *line = rc || !text.data ? NULL : strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "origin ", 7) == 0)
			snprintf(r->origin, sizeof(r->origin), "%s", line + 7);
	buf_free(&text);
	if (rc || !r->origin[0])
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%s names no origin: put it back by hand (lines \"format 1\" and \"origin "
		    "NAME\"), the name stands in the first line of each checkpoint",
		    path);
	return rc;
}

static int take_lock(const char *dir, int *ret, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/lock", dir);

	if (rc)
		return rc;
	*ret = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*ret < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	if (flock(*ret, LOCK_EX | LOCK_NB) < 0)
		return ark_fail(
		    err, ARK_ECONFLICT, "%s is in use by another arkki; stop that one first", dir);
	return ARK_OK;
}

static int name_aside(struct repair *r, struct ark_error *err)
{
	char now[CLOCK_TEXT_SIZE];

	clock_format(now, clock_now_us());
	return fs_path(r->aside, err, "%s/damaged/%s", r->asked->dir, now);
}

/* ---- what only can be told ---- */

static int look_at_state(struct repair *r, struct ark_error *err)
{
	struct state *s = NULL;
	struct ark_error why = {0};
	char path[4096];
	int rc = fs_path(path, err, "%s/state.sqlite", r->asked->dir);

	if (rc)
		return rc;
	if (fs_exists(path)) {
		rc = state_open(path, r->keys, false, &s, &why);
		if (!rc)
			rc = state_check(s, NULL, NULL, &why);
		state_close(s);
	} else {
		rc = ark_fail(&why, ARK_ENOTFOUND, "it is not there");
	}
	if (!rc)
		return ARK_OK;
	repair_damaged(r, "state.sqlite: %s", why.text);
	repair_lost(r,
	    "tokens and marks in state.sqlite: move it away and make new tokens; one from a copy "
	    "would let revoked tokens in again");
	return ARK_OK;
}

/* ---- the story ---- */

static int repair_parts(struct repair *r, struct ark_error *err)
{
	int rc = repair_keys(r, err);

	if (!rc)
		rc = repair_store(r, err);
	if (!rc)
		rc = repair_ledger(r, LEDGER_HISTORY, err);
	if (!rc)
		rc = repair_ledger(r, LEDGER_ACCESS, err);
	if (!rc)
		rc = look_at_state(r, err);
	return rc;
}

struct catalogue_faults {
	struct repair *r;
	unsigned int n;
};

static void note_catalogue(void *arg, const char *what)
{
	struct catalogue_faults *f = arg;

	if (strncmp(what, "catalogue", 9) == 0 && f->n++ == 0)
		repair_damaged(f->r, "%s", what);
}

static void no_summary(void *arg, const char *line)
{
	(void)arg, (void)line;
}

/* Whether the rows are those of the store is for verify to say; a file that is no database does not get that far. */
static int repair_catalogue(struct repair *r, struct ark_error *err)
{
	struct catalogue_faults faults = {.r = r};
	struct archive *a = NULL;
	struct ark_error why = {0};
	const struct repair_asked *asked = r->asked;
	int rc = archive_open(asked->dir, asked->root_key, ARCHIVE_READ, NULL, NULL, &a, &why);

	archive_close(a);
	if (rc && strstr(why.text, "catalogue")) {
		repair_damaged(r, "%s", why.text);
		faults.n++;
	} else if (rc && asked->dry_run) {
		return ARK_OK; /* it opens when the rest is mended */
	} else if (rc) {
		return ark_fail(err, rc, "%s", why.text);
	} else if (!asked->dry_run) {
		/* its other faults are told by the verification that ends a repair */
		(void)!archive_verify(asked->dir, asked->root_key, false, NULL, NULL,
		    note_catalogue, no_summary, &faults, &why);
	}
	if (!faults.n)
		return ARK_OK;
	if (!asked->dry_run) {
		a = NULL;
		rc =
		    archive_open(asked->dir, asked->root_key, ARCHIVE_REBUILD, NULL, NULL, &a, err);
		archive_close(a);
		if (rc)
			return rc;
	}
	repair_mended(r, "the catalogue, made anew from the store");
	return ARK_OK;
}

/* Its pieces are not where a copy has its files. */
static int refuse_place(const struct repair_asked *asked, struct ark_error *err)
{
	char path[4096];
	int rc = asked->from ? fs_path(path, err, "%s/points", asked->from) : ARK_OK;

	if (rc || !asked->from || !fs_exists(path))
		return rc;
	return ark_fail(err, ARK_EINPUT,
	    "%s is a place of backups: restore its newest point into an empty directory (arkki "
	    "restore), "
	    "and repair from that",
	    asked->from);
}

int archive_repair(
    const struct repair_asked *asked, struct repair_result *ret, struct ark_error *err)
{
	struct repair r = {.asked = asked, .result = ret};
	int lock = -1;
	int rc = sodium_init() < 0 ? ark_fail(err, ARK_EIO, "cannot start libsodium") : ARK_OK;

	*ret = (struct repair_result){0};
	if (!rc)
		rc = refuse_place(asked, err);
	if (!rc)
		rc = read_origin(&r, err);
	if (!rc)
		rc = take_lock(asked->dir, &lock, err);
	if (!rc)
		rc = name_aside(&r, err);
	if (!rc)
		rc = repair_parts(&r, err);
	keyring_close(r.keys);
	fs_unlock_close(lock);
	if (!rc && !ret->lost)
		rc = repair_catalogue(&r, err);
	if (!rc && ret->lost)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%llu losses: there was no good copy of what is named above",
		    (unsigned long long)ret->lost);
	return rc;
}
