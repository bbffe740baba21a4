/* What the archive says of itself, read beside whoever writes it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arkki/archive/key_backups.h"
#include "arkki/archive/key_shares.h"
#include "arkki/archive/verified.h"
#include "arkki/archive/witnesses.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/index/search.h"
#include "tools/cli.h"
#include "tools/doctor.h"

enum {
	BACKUP_HOURS = 48,
	COSIGNED_HOURS = 24,
	UNSIGNED_S = 60, /* a served log is signed every second */
	STATE_MAX = 65536,
};

static int64_t age_s(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : clock_now_us() / 1000000 - (int64_t)st.st_mtime;
}

/* ---- keys elsewhere ---- */

static void key_backups(struct doctor *d, struct archive *a)
{
	struct keyring *keys = archive_keyring(a);
	json_t *places = NULL, *place;
	unsigned int bad = 0;
	struct ark_error err;
	size_t i;

	if (key_backups_list(d->dir, &places, &err)) {
		doctor_say(d, VERDICT_BAD, "key backups", "%s", err.text);
		return;
	}
	json_array_foreach(places, i, place)
	{
		const char *error = json_text(place, "error");

		if (!error)
			continue;
		bad++;
		doctor_say(d, VERDICT_BAD, "key backups",
		    "%s in %s: %s; while it cannot be reached nothing can be destroyed",
		    json_text(place, "name"), json_text(place, "path"), error);
	}
	if (!json_array_size(places))
		doctor_say(d, VERDICT_WARN, "key backups",
		    "none is registered: a lost keys/ loses everything, and ordinary backups do "
		    "not hold it; "
		    "`arkki keys backup add`");
	else if (!bad && key_backups_behind(keys, d->dir))
		doctor_say(d, VERDICT_WARN, "key backups",
		    "one lacks keys that were added since; `arkki keys backup run`");
	else if (!bad)
		doctor_say(d, VERDICT_OK, "key backups", "%zu, with every key of epoch %u",
		    json_array_size(places), (unsigned int)keyring_epoch(keys));
	json_decref(places);
}

static void key_shares(struct doctor *d, struct archive *a)
{
	uint32_t epoch = 0, now = keyring_epoch(archive_keyring(a));
	struct ark_error err;

	if (key_shares_epoch(d->dir, &epoch, &err))
		doctor_say(d, VERDICT_BAD, "root key's shares", "%s", err.text);
	else if (!epoch)
		doctor_say(d, VERDICT_WARN, "root key's shares",
		    "none were made: a lost root key loses everything; `arkki keys split`");
	else if (epoch != now)
		doctor_say(d, VERDICT_WARN, "root key's shares",
		    "they are of epoch %u, and the keys of epoch %u: they open nothing any more; "
		    "`arkki keys "
		    "split` again",
		    (unsigned int)epoch, (unsigned int)now);
	else
		doctor_say(d, VERDICT_OK, "root key's shares", "are of epoch %u, as the keys",
		    (unsigned int)epoch);
}

/* ---- logs and witnesses ---- */

/* The second line of a checkpoint. */
static uint64_t signed_size(struct ledger *l, struct ark_error *err)
{
	struct buf note = BUF_INIT;
	uint64_t size = 0;
	const char *line;

	if (!ledger_checkpoint(l, &note, err)) {
		line = note.data ? strchr(note.data, '\n') : NULL;
		size = line ? strtoull(line + 1, NULL, 10) : 0;
	}
	buf_free(&note);
	return size;
}

static void log_signed(struct doctor *d, struct archive *a, enum ledger_which which)
{
	const char *name = which == LEDGER_HISTORY ? "history log" : "access log";
	struct ledger *l = archive_ledger(a, which);
	struct ark_error err = {0};
	unsigned long long size = ledger_size(l), covered = signed_size(l, &err);
	char path[4096];
	int64_t age = fs_path(path, NULL, "%s/ledger/%s/checkpoint", d->dir,
			  which == LEDGER_HISTORY ? "history" : "access")
			  ? -1
			  : age_s(path);

	if (err.status)
		doctor_say(d, VERDICT_BAD, name, "%s", err.text);
	else if (covered >= size)
		doctor_say(d, VERDICT_OK, name, "%llu entries, all signed, the last %lld s ago",
		    size, (long long)age);
	else if (!d->server)
		doctor_say(d, VERDICT_WARN, name,
		    "%llu of %llu entries are signed: it was not ended in order; the next start "
		    "signs the rest",
		    covered, size);
	else if (age > UNSIGNED_S)
		doctor_say(d, VERDICT_BAD, name,
		    "%llu of %llu entries are signed, and nothing since %lld s: restart arkki, and "
		    "read what "
		    "it says",
		    covered, size, (long long)age);
	else
		doctor_say(d, VERDICT_OK, name, "%llu entries, signed up to %llu", size, covered);
}

static void witness_fault(void *arg, const char *what)
{
	doctor_say(arg, VERDICT_WARN, "witnesses", "%s", what);
}

static void witnessed(struct doctor *d, struct archive *a, enum ledger_which which)
{
	const char *name = which == LEDGER_HISTORY ? "history" : "access";
	unsigned int warned = d->said[VERDICT_WARN];
	char path[4096];
	struct ark_error err;
	int64_t age;

	if (fs_path(path, NULL, "%s/ledger/%s/checkpoint.cosigned", d->dir, name))
		return;
	age = age_s(path);
	if (age < 0)
		doctor_say(d, VERDICT_WARN, "witnesses",
		    "enough of them have never cosigned the %s log; `arkki witnesses` tells each "
		    "one's error",
		    name);
	else if (witnesses_check(a, which, witness_fault, d, &err) &&
		 d->said[VERDICT_WARN] == warned)
		doctor_say(d, VERDICT_WARN, "witnesses", "%s", err.text);
	else if (d->said[VERDICT_WARN] == warned && age > COSIGNED_HOURS * 3600)
		doctor_say(d, VERDICT_WARN, "witnesses",
		    "the %s log was last cosigned %lld hours ago; `arkki witnesses` tells each "
		    "one's error",
		    name, (long long)age / 3600);
	else if (d->said[VERDICT_WARN] == warned)
		doctor_say(d, VERDICT_OK, "witnesses", "cosigned the %s log %lld s ago", name,
		    (long long)age);
}

static void witnesses(struct doctor *d, struct archive *a)
{
	char path[4096];

	if (fs_path(path, NULL, "%s/witness.policy", d->dir))
		return;
	if (!fs_exists(path)) {
		doctor_say(d, VERDICT_WARN, "witnesses",
		    "none are configured, so whoever has the keys could show different people "
		    "different "
		    "logs; write %s",
		    path);
		return;
	}
	witnessed(d, a, LEDGER_HISTORY);
	witnessed(d, a, LEDGER_ACCESS);
}

/* ---- what can be made anew ---- */

static void behind(struct doctor *d, const char *what, uint64_t at, uint64_t head)
{
	if (at >= head)
		doctor_say(d, VERDICT_OK, what, "knows every one of %llu commits",
		    (unsigned long long)head);
	else
		doctor_say(d, VERDICT_WARN, what, "knows %llu of %llu commits; %s",
		    (unsigned long long)at, (unsigned long long)head,
		    d->server ? "the server is bringing it up, or says why not (GET /v1/status)"
			      : "the next start brings it up");
}

static void catalogue(struct doctor *d, struct archive *a, uint64_t head)
{
	struct desk *desk = NULL;
	struct ark_error err;

	if (archive_desk(a, &desk, &err))
		doctor_say(
		    d, VERDICT_BAD, "catalogue", "%s; `arkki rebuild DIR catalogue`", err.text);
	else
		behind(d, "catalogue", catalogue_sequence(desk->catalogue), head);
	archive_desk_return(a, desk);
}

static void index_of(struct doctor *d, uint64_t head)
{
	struct analyse_cache *cache = NULL;
	struct analyser *analyser = NULL;
	struct search_gate *gate = NULL;
	struct search_reader *r = NULL;
	uint64_t at = 0;
	struct ark_error err;
	char path[4096];
	int rc = fs_path(path, &err, "%s/index/xapian", d->dir);

	if (!rc)
		rc = analyse_cache_new(&cache, &err);
	if (!rc)
		rc = analyser_new(cache, &analyser, &err);
	if (!rc)
		rc = search_gate_new(&gate, &err);
	if (!rc)
		rc = search_open_reader(path, analyser, gate, &r, &err);
	if (!rc)
		rc = search_reader_sequence(r, &at, &err);
	if (rc == ARK_ENOTFOUND)
		doctor_say(d, VERDICT_WARN, "index", "there is none yet; `arkki serve` makes it");
	else if (rc)
		doctor_say(d, VERDICT_BAD, "index", "%s; `arkki rebuild DIR index`", err.text);
	else
		behind(d, "index", at, head);
	search_reader_free(r);
	search_gate_free(gate);
	analyser_free(analyser);
	analyse_cache_free(cache);
}

/* ---- what the last checks of everything found ---- */

static void unfinished(struct doctor *d, const json_t *full)
{
	if (json_text(full, "unfinished"))
		doctor_say(d, VERDICT_WARN, "verify",
		    "a full one began at %s and has left no result: when it is not at work any "
		    "more, "
		    "`arkki verify --full` again",
		    json_text(full, "unfinished"));
}

static void checked(struct doctor *d, struct archive *a)
{
	unsigned long every = verified_every(d->dir);
	int64_t now = clock_now_us();
	enum verified_scope scope;
	const json_t *full, *result;
	json_t *last = NULL;
	struct ark_error err;

	if (verified_last(a, &last, &err)) {
		doctor_say(d, VERDICT_WARN, "verify", "%s", err.text);
		return;
	}
	full = json_object_get(last, "full");
	unfinished(d, full);
	switch (verified_judge(last, every, now, &scope)) {
	case VERIFIED_BROKEN:
		result = json_object_get(json_object_get(last, verified_scope_name(scope)), "last");
		doctor_say(d, VERDICT_BAD, "verify",
		    "the %s check of %s found %lld faults, and no full one since has found "
		    "everything whole; `arkki repair`, then `arkki verify --full`",
		    verified_scope_name(scope), json_text(result, "time"),
		    cli_number(result, "faults"));
		break;
	case VERIFIED_NEVER:
		result = json_object_get(full, "last");
		doctor_say(d, VERDICT_WARN, "verify", "%s%s; `arkki verify --full`",
		    result ? "the last full one failed: " : "no full one has come to its end",
		    result ? json_text(result, "why") : "");
		break;
	case VERIFIED_OLD:
		doctor_say(d, VERDICT_WARN, "verify",
		    "the last full one is of %ld days ago, and may be %lu; `arkki verify --full`",
		    verified_days(json_object_get(full, "last"), now), every);
		break;
	case VERIFIED_WELL:
		doctor_say(d, VERDICT_OK, "verify", "everything was whole on %s",
		    json_text(json_object_get(full, "last"), "time"));
	}
	json_decref(last);
}

/* ---- backups ---- */

static void backup(struct doctor *d)
{
	struct buf text = BUF_INIT;
	json_t *state = NULL;
	char path[4096];
	const char *time;
	int64_t at;
	int rc = fs_path(path, NULL, "%s/backup.state", d->dir);

	if (!rc)
		rc = fs_read_file(path, STATE_MAX, &text, NULL);
	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, &state, NULL);
	time = rc ? NULL : json_text(state, "time");
	if (rc == ARK_ENOTFOUND)
		doctor_say(d, VERDICT_WARN, "backup", "none was ever made; `arkki backup`");
	else if (!time || !clock_parse(time, &at))
		doctor_say(d, VERDICT_WARN, "backup", "%s cannot be read; make a backup", path);
	else if ((clock_now_us() - at) / 3600000000 >= BACKUP_HOURS)
		doctor_say(d, VERDICT_WARN, "backup",
		    "the last one is of %s, %lld hours ago; `arkki backup`", time,
		    (long long)((clock_now_us() - at) / 3600000000));
	else
		doctor_say(d, VERDICT_OK, "backup", "of %s", time);
	json_decref(state);
	buf_free(&text);
}

void doctor_archive(struct doctor *d)
{
	struct archive *a = NULL;
	struct store_head head;
	struct ark_error err;

	backup(d);
	if (archive_open(d->dir, d->root_key, ARCHIVE_READ, NULL, NULL, &a, &err)) {
		doctor_say(d, VERDICT_BAD, "archive", "%s", err.text);
		return;
	}
	doctor_say(d, VERDICT_OK, "archive", "%s opens with its root key, epoch %u",
	    archive_origin(a), (unsigned int)keyring_epoch(archive_keyring(a)));
	store_head(archive_store(a), &head);
	key_backups(d, a);
	key_shares(d, a);
	log_signed(d, a, LEDGER_HISTORY);
	log_signed(d, a, LEDGER_ACCESS);
	witnesses(d, a);
	checked(d, a);
	catalogue(d, a, head.sequence);
	index_of(d, head.sequence);
	archive_close(a);
}
