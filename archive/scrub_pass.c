/* One pass of the scrub: packs, what the head reaches, key slots, the two logs, records. Each step is read once, and again when anything seemed
 * wrong: what both readings say is a fault.
 *
 * "step" in the state is the step at work; packs that are done are listed in it by name (a compaction makes others
 * meanwhile, and those are read too), of the records the last commit that is done.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/ledger_private.h"
#include "archive/scrub_private.h"
#include "archive/store_internal.h"
#include "archive/verify_private.h"
#include "arkki/archive/verified.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/log.h"
#include "arkki/base/text.h"

enum { FINDINGS_MAX = 10000, RECORD_BYTES = 16384, KEEP_EVERY = 256 };

/* ---- findings ---- */

void findings_add(struct findings *f, const struct store_oid *oid, const char *what)
{
	char *copy;

	if (f->len == f->cap && f->cap < FINDINGS_MAX) {
		size_t cap = f->cap ? 2 * f->cap : 16;
		struct finding *items = realloc(f->items, cap * sizeof(*items));

		f->failed |= !items;
		if (items) {
			f->items = items;
			f->cap = cap;
		}
	}
	if (f->len >= f->cap)
		return; /* a pack in which everything is broken needs no list of it all */
	copy = strdup(what);
	if (!copy) {
		f->failed = true;
		return;
	}
	f->items[f->len] = (struct finding){.what = copy, .has_oid = oid};
	if (oid)
		f->items[f->len].oid = *oid;
	f->len++;
}

void findings_free(struct findings *f)
{
	for (size_t i = 0; i < f->len; i++)
		free(f->items[i].what);
	free(f->items);
	*f = (struct findings){0};
}

static bool has(const struct findings *f, const char *what)
{
	for (size_t i = 0; i < f->len; i++)
		if (strcmp(f->items[i].what, what) == 0)
			return true;
	return false;
}

void findings_confirm(struct findings *first, const struct findings *second)
{
	size_t kept = 0;

	for (size_t i = 0; i < first->len; i++) {
		if (has(second, first->items[i].what))
			first->items[kept++] = first->items[i];
		else
			free(first->items[i].what);
	}
	first->len = kept;
}

/* ---- reading anew ---- */

/* The kernel forgets what it has of the files in a directory; what is mapped stays. */
static void forget_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int fd =
		    e->d_name[0] == '.' ? -1 : openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			close(fd);
		}
	}
	if (d)
		closedir(d);
}

static void forget(const struct archive *a, const char *below)
{
	char dir[4096];

	if (fs_path(dir, NULL, "%s/%s", archive_dir(a), below) == ARK_OK)
		forget_dir(dir);
}

/* ---- a pass ---- */

static void note(void *arg, const char *what)
{
	struct pass *p = arg;

	findings_add(p->found, NULL, what);
}

static int pace(void *arg, size_t bytes)
{
	struct pass *p = arg;

	return scrub_pace(p->s, bytes);
}

/* Reads; when something seems wrong, reads once more. *ret is what both found. */
int scrub_read_twice(struct pass *p, scrub_reading read, const char *below, struct findings *ret,
    struct ark_error *err)
{
	struct findings second = {0};
	int rc;

	p->found = ret;
	p->again = false;
	rc = read(p, err);
	if (rc || ret->failed || !ret->len)
		goto out;
	forget(p->a, below);
	p->found = &second;
	p->again = true;
	rc = read(p, err);
	for (size_t i = 0; !rc && i < ret->len; i++)
		if (!has(&second, ret->items[i].what))
			scrub_transient(p->s, ret->items[i].what);
	if (!rc)
		findings_confirm(ret, &second);
out:
	if (!rc && (ret->failed || second.failed))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for what the scrub found");
	findings_free(&second);
	return rc;
}

/* ---- naming ---- */

struct naming {
	const size_t *which; /* of the objects asked for: their finding */
	json_t **about;
};

/* "docs/a/b/c/d/<document>/v0001/…" */
static void name_object(void *arg, size_t which, const char *path)
{
	struct naming *n = arg;
	json_t *about = n->about[n->which[which]];
	unsigned int version;
	char document[33];

	json_object_set_new(about, "path", json_string(path));
	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	if (sscanf(path, "docs/%*c/%*c/%*c/%*c/%32[0-9a-f]/v%9u", document, &version) == 2) {
		json_object_set_new(about, "document", json_string(document));
		json_object_set_new(about, "version", json_integer((json_int_t)version));
	} else if (sscanf(path, "docs/%*c/%*c/%*c/%*c/%32[0-9a-f]", document) == 1) {
		json_object_set_new(about, "document", json_string(document));
	}
}

static void find_names(struct pass *p, struct findings *f, json_t **about)
{
	struct store_oid *oids = calloc(f->len ? f->len : 1, sizeof(*oids));
	size_t *which = calloc(f->len ? f->len : 1, sizeof(*which)), n = 0;
	struct naming naming = {which, about};

	for (size_t i = 0; oids && which && i < f->len; i++) {
		char hex[2 * STORE_OID_SIZE + 1];

		if (!f->items[i].has_oid)
			continue;
		hex_encode(hex, f->items[i].oid.id, STORE_OID_SIZE);
		json_object_set_new(about[i], "object", json_string(hex));
		oids[n] = f->items[i].oid;
		which[n++] = i;
	}
	/* a fault without its document's name is a fault all the same */
	if (n && store_find_paths(p->a->store, oids, n, name_object, &naming, NULL))
		ark_log(ARK_LOG_ERROR, "scrub", "no memory to name what is damaged");
	free(oids);
	free(which);
}

/* One line for log and status: the fault, and what it was of. */
static int tell(struct pass *p, const char *what, json_t *about, struct ark_error *err)
{
	const char *path = json_text(about, "path");
	struct buf line = BUF_INIT;
	int rc;

	if (p->file)
		json_object_set_new(about, "file", json_string(p->file));
	buf_adds(&line, what);
	if (path)
		buf_addf(&line, " (%s)", path);
	rc = buf_failed(&line) ? ark_fail(err, ARK_ENOMEM, "no memory for a fault")
			       : scrub_fault(p->s, line.data, json_incref(about), err);
	buf_free(&line);
	return rc;
}

static int tell_all(struct pass *p, struct findings *f, struct ark_error *err)
{
	json_t **about = calloc(f->len ? f->len : 1, sizeof(*about));
	int rc = about ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for faults");

	for (size_t i = 0; !rc && i < f->len; i++) {
		about[i] = json_object();
		if (!about[i])
			rc = ark_fail(err, ARK_ENOMEM, "no memory for faults");
	}
	if (!rc)
		find_names(p, f, about);
	for (size_t i = 0; !rc && i < f->len; i++)
		rc = tell(p, f->items[i].what, about[i], err);
	for (size_t i = 0; about && i < f->len; i++)
		json_decref(about[i]);
	free(about);
	return rc;
}

static json_t *current_of(const struct pass *p, const char *member)
{
	json_t *value;

	pthread_mutex_lock(&p->s->lock);
	value = json_incref(json_object_get(json_object_get(p->s->state, "current"), member));
	pthread_mutex_unlock(&p->s->lock);
	return value;
}

static json_int_t number_of(const struct pass *p, const char *member)
{
	json_t *value = current_of(p, member);
	json_int_t n = json_integer_value(value);

	json_decref(value);
	return n;
}

static int add_bytes(struct pass *p, uint64_t bytes, struct ark_error *err)
{
	return scrub_keep(
	    p->s, "bytes", json_integer(number_of(p, "bytes") + (json_int_t)bytes), err);
}

/* ---- packs ---- */

static void note_object(void *arg, const struct store_oid *oid, const char *what)
{
	struct pass *p = arg;

	findings_add(p->found, oid, what);
}

static int read_pack(struct pass *p, struct ark_error *err)
{
	const struct store_pack_look look = {
	    .bad = note_object, .pace = pace, .arg = p, .around_cache = p->again};
	int rc = store_check_pack(p->a->store, p->pack, &look, NULL, err);

	return rc == ARK_ECORRUPT ? ARK_OK : rc;
}

struct names {
	json_t *done;
	char next[80];
};

static int pick(void *arg, const char *name)
{
	struct names *n = arg;
	size_t i;
	json_t *seen;

	if (strncmp(name, "pack-", 5) != 0 || strlen(name) >= sizeof(n->next))
		return 0;
	json_array_foreach(n->done, i, seen)
	{
		if (strcmp(json_string_value(seen), name) == 0)
			return 0;
	}
	snprintf(n->next, sizeof(n->next), "%s", name);
	return 1;
}

static uint64_t file_size(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;

	return fs_path(path, NULL, "%s/%s", dir, name) || stat(path, &st) < 0
		   ? 0
		   : (uint64_t)st.st_size;
}

static int scrub_pack(struct pass *p, const char *name, json_t *done, struct ark_error *err)
{
	struct findings found = {0};
	char file[160], pack[80];
	uint64_t size;
	int rc;

	snprintf(pack, sizeof(pack), "%.*s.pack", (int)(strlen(name) - 4), name);
	snprintf(file, sizeof(file), "archive.git/objects/pack/%s", pack);
	p->pack = name;
	p->file = file;
	size = file_size(p->a->store->pack_dir, name) + file_size(p->a->store->pack_dir, pack);
	rc = scrub_keep(p->s, "position", json_string(name), err);
	if (!rc)
		rc = scrub_read_twice(p, read_pack, "archive.git/objects/pack", &found, err);
	if (!rc)
		rc = tell_all(p, &found, err);
	if (!rc && json_array_append_new(done, json_string(name)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the scrub's state");
	if (!rc)
		rc = scrub_keep(p->s, "packs", json_deep_copy(done), err);
	if (!rc)
		rc = add_bytes(p, size, err);
	findings_free(&found);
	p->file = p->pack = NULL;
	return rc;
}

static int scrub_packs(struct pass *p, struct ark_error *err)
{
	json_t *before = current_of(p, "packs");
	struct names names = {.done = before ? json_deep_copy(before) : json_array()};
	int rc = names.done ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the scrub");

	while (!rc && (rc = store_each_file(p->a->store, ".idx", pick, &names, err)) == 1)
		rc = scrub_pack(p, names.next, names.done, err);
	json_decref(before);
	json_decref(names.done);
	return rc;
}

static int read_reach(struct pass *p, struct ark_error *err)
{
	return store_check_reach(p->a->store, note, p, err);
}

/* ---- keys and logs ---- */

static void note_slot(void *arg, uint64_t slot, const char *why)
{
	char what[600];

	snprintf(what, sizeof(what), "key slot %llu: %s", (unsigned long long)slot, why);
	note(arg, what);
}

static int read_keys(struct pass *p, struct ark_error *err)
{
	int rc = keyring_check(p->a->keys, note_slot, p, err);

	return rc == ARK_ECORRUPT ? ARK_OK : rc;
}

static int read_log(struct pass *p, struct ark_error *err)
{
	const struct ledger_check_ways ways = {.bad = note, .pace = pace, .arg = p};
	int rc = ledger_check_how(archive_ledger(p->a, p->log), true, &ways, err);

	return rc == ARK_ECORRUPT ? ARK_OK : rc;
}

static int scrub_part(struct pass *p, scrub_reading read, const char *below, struct ark_error *err)
{
	struct findings found = {0};
	int rc;

	p->file = below;
	rc = scrub_read_twice(p, read, below, &found, err);
	if (!rc)
		rc = tell_all(p, &found, err);
	findings_free(&found);
	p->file = NULL;
	return rc;
}

static int scrub_reach(struct pass *p, struct ark_error *err)
{
	return scrub_part(p, read_reach, "archive.git/objects/pack", err);
}

static int scrub_keys(struct pass *p, struct ark_error *err)
{
	return scrub_part(p, read_keys, "keys", err);
}

static uint64_t segments_size(const struct archive *a, const char *below)
{
	char dir[4096];
	struct dirent *e;
	uint64_t sum = 0;
	DIR *d = fs_path(dir, NULL, "%s/%s", archive_dir(a), below) ? NULL : opendir(dir);

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			sum += file_size(dir, e->d_name);
	if (d)
		closedir(d);
	return sum;
}

static int scrub_log(struct pass *p, enum ledger_which which, struct ark_error *err)
{
	const char *below =
	    which == LEDGER_HISTORY ? "ledger/history/segments" : "ledger/access/segments";
	int rc;

	p->log = which;
	rc = scrub_part(p, read_log, below, err);
	return rc ? rc : add_bytes(p, segments_size(p->a, below), err);
}

static int scrub_history(struct pass *p, struct ark_error *err)
{
	return scrub_log(p, LEDGER_HISTORY, err);
}

static int scrub_access(struct pass *p, struct ark_error *err)
{
	return scrub_log(p, LEDGER_ACCESS, err);
}

/* ---- records ---- */

struct records {
	struct pass *p;
	struct verify v;
	struct findings found;
	bool whole; /* from the first commit on, each read once */
	struct ark_error *err;
};

static void note_record(void *arg, const char *what)
{
	struct records *r = arg;

	findings_add(&r->found, NULL, what);
}

/* "docs <document> v0001 …" is how verify names what it speaks of. */
static json_t *about_record(const char *what)
{
	const char *at = strstr(what, "docs ");
	json_t *about = json_object();
	unsigned int version;
	char document[33];

	if (about && at && sscanf(at, "docs %32[0-9a-f]", document) == 1) {
		json_object_set_new(about, "document", json_string(document));
		/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
		if (sscanf(at, "docs %*32[0-9a-f] v%9u", &version) == 1)
			json_object_set_new(about, "version", json_integer((json_int_t)version));
	}
	return about;
}

/* The commit is read again from the same place of the history log. */
static int confirm_record(struct records *r, const struct store_head *commit, int64_t time_us,
    const char *changes, uint64_t history_at)
{
	struct findings first = r->found;
	int rc = ARK_OK;

	r->found = (struct findings){0};
	r->whole = false;
	forget(r->p->a, "archive.git/objects/pack");
	r->v.history_at = history_at;
	(void)verify_commit(&r->v, commit, time_us, changes);
	if (first.failed || r->found.failed)
		rc = ark_fail(r->err, ARK_ENOMEM, "no memory for what the scrub found");
	findings_confirm(&first, &r->found);
	for (size_t i = 0; !rc && i < first.len; i++)
		rc = scrub_fault(
		    r->p->s, first.items[i].what, about_record(first.items[i].what), r->err);
	findings_free(&first);
	findings_free(&r->found);
	return rc;
}

static int keep_place(struct records *r, uint64_t sequence)
{
	int rc = scrub_keep(r->p->s, "position", json_integer((json_int_t)sequence), r->err);

	return rc ? rc
		  : scrub_keep(
			r->p->s, "historyAt", json_integer((json_int_t)r->v.history_at), r->err);
}

static int scrub_commit(
    void *arg, const struct store_head *commit, int64_t time_us, const char *changes)
{
	struct records *r = arg;
	uint64_t history_at = r->v.history_at;
	int rc = ARK_OK;

	/* later ones are not in the catalogue yet */
	if (commit->sequence > archive_sequence(r->p->a))
		return 0;
	(void)verify_commit(&r->v, commit, time_us, changes);
	if (r->found.len || r->found.failed)
		rc = confirm_record(r, commit, time_us, changes, history_at);
	if (!rc && commit->sequence % KEEP_EVERY == 0)
		rc = keep_place(r, commit->sequence);
	return rc ? rc : scrub_pace(r->p->s, RECORD_BYTES);
}

/* Rows too many. A filing meanwhile makes more rows: then the next pass tells. */
static int compare_counts(struct records *r)
{
	int rc = ARK_OK;

	if (r->whole)
		verify_counts(&r->v, archive_sequence(r->p->a));
	for (size_t i = 0; !rc && i < r->found.len; i++)
		rc = scrub_fault(r->p->s, r->found.items[i].what, json_object(), r->err);
	findings_free(&r->found);
	return rc;
}

static int scrub_records(struct pass *p, struct ark_error *err)
{
	uint64_t from = (uint64_t)number_of(p, "position");
	struct records r = {.p = p, .whole = from == 0, .err = err};
	int rc = archive_maintenance(p->a, "scrub", "records", &r.v.receipt, err);

	r.v.a = p->a;
	r.v.bad = note_record;
	r.v.arg = &r;
	r.v.history_at = (uint64_t)number_of(p, "historyAt");
	if (!rc)
		rc = archive_desk(p->a, &r.v.desk, err);
	if (!rc)
		rc = store_log(r.v.desk->store, from, scrub_commit, &r, err);
	if (!rc)
		rc = compare_counts(&r);
	findings_free(&r.found);
	verify_destroyed_free(&r.v);
	archive_desk_return(p->a, r.v.desk);
	receipt_free(r.v.receipt);
	return rc;
}

/* ---- the steps in turn ---- */

static int note_size(struct pass *p, struct ark_error *err)
{
	uint64_t of = segments_size(p->a, "archive.git/objects/pack") +
		      segments_size(p->a, "ledger/history/segments") +
		      segments_size(p->a, "ledger/access/segments");

	return scrub_keep(p->s, "of", json_integer((json_int_t)of), err);
}

static int enter_step(struct pass *p, const char *name, struct ark_error *err)
{
	int rc = scrub_keep(p->s, "position", json_integer(0), err);

	return rc ? rc : scrub_keep(p->s, "step", json_string(name), err);
}

/* What the pass is about: as far as store and logs reached when it began. */
static int note_heads(struct pass *p, struct ark_error *err)
{
	json_t *of = json_object();
	int rc = of ? verified_head(of, "history", p->a->history, err)
		    : ark_fail(err, ARK_ENOMEM, "no memory for the scrub");

	if (!rc)
		rc = verified_head(of, "access", p->a->access, err);
	if (!rc)
		rc = scrub_keep(p->s, "heads", json_incref(json_object_get(of, "heads")), err);
	if (!rc)
		rc = scrub_keep(
		    p->s, "commits", json_integer((json_int_t)archive_sequence(p->a)), err);
	json_decref(of);
	return rc;
}

static int begin(struct pass *p, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	char range[40];
	int rc;

	snprintf(range, sizeof(range), "pass %lld begun", (long long)number_of(p, "pass"));
	rc = archive_maintenance(p->a, "scrub", range, &receipt, err);
	receipt_free(receipt);
	if (!rc)
		rc = note_heads(p, err);
	return rc ? rc : note_size(p, err);
}

int scrub_pass(struct scrub *s, struct ark_error *err)
{
	static const struct {
		const char *name;
		int (*run)(struct pass *p, struct ark_error *err);
	} steps[] = {{"packs", scrub_packs}, {"reach", scrub_reach}, {"keys", scrub_keys},
	    {"history", scrub_history}, {"access", scrub_access}, {"records", scrub_records}};
	struct pass p = {.s = s, .a = s->archive};
	json_t *at = current_of(&p, "step");
	const char *name = json_string_value(at);
	size_t i = 0, n = sizeof(steps) / sizeof(*steps);
	int rc = name ? ARK_OK : begin(&p, err);

	while (name && i < n && strcmp(steps[i].name, name) != 0)
		i++;
	if (i == n) /* another arkki's state */
		i = 0, name = NULL;
	for (; !rc && i < n; i++) {
		if (!name)
			rc = enter_step(&p, steps[i].name, err);
		name = NULL;
		if (!rc)
			rc = steps[i].run(&p, err);
	}
	json_decref(at);
	return rc;
}
