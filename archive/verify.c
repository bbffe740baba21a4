/* Compares all that an archive says with all that it holds.
 *
 * Every part is checked even when an earlier one has faults: a person who
 * must repair needs the whole list. It changes nothing (beyond its own
 * maintenance entry in the access log) and repairs nothing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/access_tie.h"
#include "archive/ledger_private.h"
#include "archive/verify_private.h"
#include "archive/envelope.h"
#include "archive/recover.h"
#include "arkki/archive/reading.h"
#include "arkki/archive/verified.h"
#include "arkki/archive/witnesses.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { STORE_FAULTS_MAX = 16 << 20 /* bytes of text */, TIES_LOOKED_AT = 1000 };

static void fault(struct verify *v, const char *fmt, ...) ARK_PRINTF(2, 3);
static void fault(struct verify *v, const char *fmt, ...)
{
	char what[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	v->faults++;
	if (v->result && verified_fault(v->result, what, v->part, NULL))
		v->lost = true;
	v->bad(v->arg, what);
}

/* What is worth knowing and no fault begins with "note: ". */
static void relay(void *arg, const char *what)
{
	struct verify *v = arg;

	if (strncmp(what, "note: ", 6) == 0)
		v->summary(v->arg, what);
	else
		fault(v, "%s", what);
}

static void relay_slot(void *arg, uint64_t slot, const char *why)
{
	fault(arg, "keys: slot %llu: %s", (unsigned long long)slot, why);
}

/* ---- history against store ---- */

/* What it says of the access log. A proof costs some reads of tiles: without `full` a thousand of them, evenly. */
static void check_tie(struct verify *v, const struct ledger_entry *e)
{
	uint64_t apart = v->full ? 1 : ledger_size(v->a->access) / TIES_LOOKED_AT;
	struct checkpoint tie;
	struct ark_error err = {0};

	if (!access_tie_read(e, &tie))
		return;
	if (tie.size <= ledger_size(v->a->access) && tie.size < v->tie_at + apart)
		return;
	v->tie_at = tie.size;
	if (access_tie_holds(v->a, &tie, &err))
		fault(v,
		    "access log: %s (entry %llu): an older copy of it was put back, or it was "
		    "changed; put back a newer one, or everything from one backup",
		    err.text, (unsigned long long)e->index);
}

/* The next history entry that speaks of a commit; 1 found, 0 none left. */
static int next_commit_entry(struct verify *v, struct ledger_entry *ret)
{
	uint64_t n = ledger_size(v->a->history);
	struct ark_error err;

	while (v->history_at < n) {
		uint64_t at = v->history_at++;

		if (ledger_get(v->a->history, at, ret, &err)) {
			fault(v, "history entry %llu: %s", (unsigned long long)at, err.text);
			continue;
		}
		check_tie(v, ret);
		if (json_object_get(json_object_get(ret->a, "detail"), "commit"))
			return 1;
		ledger_entry_free(ret);
	}
	return 0;
}

static void compare_digest(struct verify *v, const json_t *objects, const char *name,
    const unsigned char sha[32], const struct change *c)
{
	const char *said = json_text(objects, name);
	char hex[65];

	hex_encode(hex, sha, 32);
	if (!said || strcmp(said, hex) != 0)
		fault(
		    v, "store: %s %s %s is not what the history log says", c->kind, c->name, name);
}

/* The entry of the next item, which must name the commit; *ret is ended with ledger_entry_free(). */
static bool entry_of(struct verify *v, const struct change *change, const struct store_head *commit,
    struct ledger_entry *ret)
{
	const json_t *detail;
	char hex[41];

	if (!next_commit_entry(v, ret)) {
		fault(v, "history log: no entry for %s %s of commit %llu", change->kind,
		    change->name, (unsigned long long)commit->sequence);
		return false;
	}
	detail = json_object_get(ret->a, "detail");
	hex_encode(hex, commit->commit.id, STORE_OID_SIZE);
	if (!json_text(detail, "commit") || strcmp(json_text(detail, "commit"), hex) != 0 ||
	    (uint64_t)json_integer_value(json_object_get(detail, "sequence")) != commit->sequence)
		fault(v, "history log: entry %llu does not name commit %llu",
		    (unsigned long long)ret->index, (unsigned long long)commit->sequence);
	return true;
}

static void compare_history(
    struct verify *v, const struct fact *fact, const struct store_head *commit)
{
	struct ledger_entry e;
	const json_t *objects;
	char name[FACT_NAME];

	if (!entry_of(v, &fact->change, commit, &e))
		return;
	objects = json_object_get(json_object_get(e.a, "detail"), "objects");
	fact_record_name(&fact->change, name);
	compare_digest(v, objects, name, fact->record_sha, &fact->change);
	if (fact->f.kind == FACT_VERSION) {
		fact_upload_name(&fact->change, "meta", name);
		compare_digest(v, objects, name, fact->version_sha, &fact->change);
	}
	if (fact_has_content(fact) && v->full) {
		fact_upload_name(&fact->change, "content", name);
		compare_digest(v, objects, name, fact->content_sha, &fact->change);
	}
	ledger_entry_free(&e);
}

/* ---- content ---- */

/* As much of a row as reading_content() looks at. Its buffers are the fact's. */
static struct catalogue_row row_of(const struct fact *fact)
{
	const struct catalogue_fact *f = &fact->f;
	struct catalogue_row row = {.version = f->version};

	snprintf(row.document, sizeof(row.document), "%s", f->document);
	if (f->kind == FACT_RENDITION) {
		row.rendition = (struct catalogue_rendition){.number = f->rendition,
		    .sealed = fact->sealed_record,
		    .size = f->size,
		    .sealed_size = f->sealed_size,
		    .content = f->content,
		    .chunks = f->chunks};
		return row;
	}
	row.size = f->size;
	row.sealed_size = f->sealed_size;
	row.content = f->content;
	row.chunks = f->chunks;
	row.sealed_version = fact->sealed_version;
	return row;
}

static void open_content(struct verify *v, const struct fact *fact, const char *what)
{
	struct catalogue_row row = row_of(fact);
	enum form form = fact->f.kind == FACT_RENDITION ? FORM_PUBLIC : FORM_WHOLE;
	const char *said =
	    json_text(form == FORM_PUBLIC ? fact->record : fact->version_meta, "sha256");
	struct sha256 *h = sha256_new();
	struct content *c = NULL;
	struct ark_error err = {.text = "no memory"};
	unsigned char sha[32];
	char block[65536], hex[65];
	uint64_t at = 0;
	ssize_t n = -1;

	if (h && !reading_content(v->a, v->receipt, &row, form, &c, &err)) {
		while ((n = content_read(c, at, block, sizeof(block), &err)) > 0) {
			sha256_update(h, block, (size_t)n);
			at += (uint64_t)n;
		}
	}
	if (n < 0) {
		fault(v, "content of %s: %s", what, err.text);
	} else {
		sha256_final(h, sha);
		hex_encode(hex, sha, 32);
		if (!said || strcmp(said, hex) != 0)
			fault(v, "content of %s is not what was filed", what);
		v->bytes += at;
	}
	content_close(c);
	sha256_free(h);
}

/* ---- catalogue against store ---- */

static void compare_catalogue(struct verify *v, const struct fact *fact)
{
	struct ark_error err = {0};
	char name[FACT_NAME];
	int rc = catalogue_holds(v->desk->catalogue, &fact->f, &v->tally, &err);

	fact_record_name(&fact->change, name);
	if (rc < 0)
		fault(v, "catalogue: %s; mend with `arkki rebuild DIR catalogue`", err.text);
	else if (rc == 0)
		fault(v,
		    "catalogue: %s %s %s differs from the store; mend with `arkki rebuild DIR "
		    "catalogue`",
		    fact->change.kind, fact->change.name, name);
}

/* Rows that no commit speaks of. Not told while a server files: the tables grow meanwhile. */
void verify_counts(struct verify *v, uint64_t head)
{
	struct catalogue_tally has = {0};
	struct ark_error err = {0};

	if (v->commits != head || catalogue_sequence(v->desk->catalogue) != head)
		return;
	if (catalogue_tables(v->desk->catalogue, &has, &err))
		fault(v, "catalogue: %s", err.text);
	else if (has.versions != v->tally.versions || has.renditions != v->tally.renditions ||
		 has.changes != v->tally.changes || has.records != v->tally.records)
		fault(v,
		    "catalogue: it has %llu versions, %llu renditions, %llu changes and %llu "
		    "records, "
		    "the store has %llu, %llu, %llu and %llu; mend with `arkki rebuild DIR "
		    "catalogue`",
		    (unsigned long long)has.versions, (unsigned long long)has.renditions,
		    (unsigned long long)has.changes, (unsigned long long)has.records,
		    (unsigned long long)v->tally.versions, (unsigned long long)v->tally.renditions,
		    (unsigned long long)v->tally.changes, (unsigned long long)v->tally.records);
}

/* A running server commits first and makes visible then: the catalogue is given a moment. */
static void await_catalogue(struct verify *v)
{
	struct store_head head;

	store_head(v->a->store, &head);
	for (int i = 0; i < 100 && catalogue_sequence(v->desk->catalogue) < head.sequence; i++)
		usleep(50000);
}

/* ---- destroyed documents: nothing opens, the sealed bytes are still those that were filed ---- */

static void compare_blob(struct verify *v, const struct change *c, const json_t *objects,
    const char *path, const char *name)
{
	struct store_blob blob;
	unsigned char sha[32];
	struct ark_error err;
	uint64_t slot;
	int rc = store_get(v->desk->store, NULL, path, &blob, &err);

	if (rc) {
		fault(v, "store: %s", err.text);
		return;
	}
	sha256_of(blob.bytes, blob.len, sha);
	rc = envelope_slot(blob.bytes, blob.len, &slot, &err);
	store_blob_release(&blob);
	compare_digest(v, objects, name, sha, c);
	if (!rc)
		rc = slots_add(c->is_document ? &v->destroyed_slots : &v->record_slots, slot, &err);
	if (rc)
		fault(v, "%s of %s: %s", name, c->name, err.text);
}

static void check_destroyed(
    struct verify *v, const struct change *change, const struct store_head *commit)
{
	char path[ENVELOPE_PATH], name[FACT_NAME];
	struct ledger_entry e;
	const json_t *objects;

	if (change->is_document && !*verify_stone(v, change->name, relay))
		fault(v, "keys: a key of %s was destroyed, and it has no tombstone", change->name);
	v->destroyed += change->version == 1 && !change->rendition;
	if (!entry_of(v, change, commit, &e))
		return;
	objects = json_object_get(json_object_get(e.a, "detail"), "objects");
	fact_record_path(change, path);
	fact_record_name(change, name);
	compare_blob(v, change, objects, path, name);
	if (change->version && !change->rendition) {
		fact_upload_path(change, "meta", path);
		fact_upload_name(change, "meta", name);
		compare_blob(v, change, objects, path, name);
	}
	ledger_entry_free(&e);
}

/* ---- one commit ---- */

static uint64_t *counter_of(struct verify *v, enum catalogue_fact_kind kind)
{
	switch (kind) {
	case FACT_VERSION:
		return &v->versions;
	case FACT_METADATA:
		return &v->metadata;
	case FACT_RENDITION:
		return &v->renditions;
	case FACT_RECORD:
		break;
	}
	return &v->records;
}

static void check_content(struct verify *v, struct fact *fact)
{
	struct ark_error err;
	char what[80];

	if (fact->f.kind == FACT_RENDITION)
		snprintf(what, sizeof(what), "%s v%04u r%04u", fact->f.document, fact->f.version,
		    fact->f.rendition);
	else
		snprintf(what, sizeof(what), "%s v%04u", fact->f.document, fact->f.version);
	if (recover_content_digest(v->desk->store, fact, fact->content_sha, &err))
		fault(v, "content of %s: %s", what, err.text);
	open_content(v, fact, what);
}

int verify_commit(void *arg, const struct store_head *commit, int64_t time_us, const char *changes)
{
	struct verify *v = arg;
	struct change change;
	struct ark_error err;
	uint32_t item = 0;
	int more;

	(void)time_us;
	v->commits++;
	while ((more = change_next(&changes, &change, &err)) == 1) {
		struct fact fact;
		int rc = recover_fact(v->desk->store, v->a->keys, v->receipt, &change,
		    commit->sequence, item++, &fact, &err);

		if (rc == ARK_EGONE && change_is_of_document(&change)) {
			check_destroyed(v, &change, commit);
			continue;
		}
		if (rc) {
			struct ledger_entry e;

			fault(v, "commit %llu: %s %s: %s", (unsigned long long)commit->sequence,
			    change.kind, change.name, err.text);
			if (next_commit_entry(v, &e)) /* keep step with the log */
				ledger_entry_free(&e);
			continue;
		}
		*counter_of(v, fact.f.kind) += 1;
		if (change.is_document)
			verify_opens(v, change.name, relay);
		if (v->full && fact_has_content(&fact))
			check_content(v, &fact);
		compare_history(v, &fact, commit);
		compare_catalogue(v, &fact);
		fact_free(&fact);
	}
	if (more < 0)
		fault(v, "commit %llu: %s", (unsigned long long)commit->sequence, err.text);
	if (v->progress && v->commits % 64 == 0)
		v->progress(v->arg, "commits", v->commits, 0);
	return 0;
}

/* ---- the parts in turn ---- */

/* ---- the store's own bytes, beside all else ---- */

/* A thread reads and hashes the packs while the logs are checked and the contents opened: each is half of the work. What
 * it finds is told when it has ended. */
struct store_look {
	struct store *store;
	struct buf faults; /* a line each */
	uint64_t objects;
	pthread_t thread;
	bool has_thread;
	int rc;
	struct ark_error err;
};

static void keep_fault(void *arg, const char *what)
{
	struct store_look *look = arg;

	buf_adds(&look->faults, what);
	buf_addc(&look->faults, '\n');
}

static void *look_at_store(void *arg)
{
	struct store_look *look = arg;

	look->rc = store_check(look->store, keep_fault, look, &look->objects, &look->err);
	return NULL;
}

static void store_look_begin(struct verify *v, struct store_look *look)
{
	*look = (struct store_look){.store = v->a->store, .faults = {.limit = STORE_FAULTS_MAX}};
	if (v->progress)
		v->progress(v->arg, "store", 0, 0);
	look->has_thread = pthread_create(&look->thread, NULL, look_at_store, look) == 0;
	if (!look->has_thread)
		look_at_store(look);
}

static void store_look_end(struct verify *v, struct store_look *look)
{
	char *save = NULL;

	if (look->has_thread)
		pthread_join(look->thread, NULL);
	for (char *line = look->faults.data ? strtok_r(look->faults.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		relay(v, line);
	if (buf_failed(&look->faults))
		fault(v, "store: more faults than could be kept");
	/* each call has told its faults; the status says no more */
	if (look->rc && look->rc != ARK_ECORRUPT)
		fault(v, "store: %s", look->err.text);
	v->objects = look->objects;
	buf_free(&look->faults);
}

static void check_parts(struct verify *v)
{
	const struct ledger_check_ways ways = {.bad = relay, .arg = v, .quiet = !v->served};
	struct store_head head;
	struct store_look look;
	struct ledger_entry e;
	struct ark_error err = {0};
	int rc;

	/* each call has told its faults; the status says no more */
	v->part = "keys";
	rc = keyring_check(v->a->keys, relay_slot, v, &err);
	if (rc && rc != ARK_ECORRUPT)
		fault(v, "keys: %s", err.text);
	store_look_begin(v, &look);
	if (v->progress)
		v->progress(v->arg, "history log", 0, 0);
	v->part = "history-log";
	rc = ledger_check_how(v->a->history, v->full, &ways, &err);
	if (rc && rc != ARK_ECORRUPT)
		fault(v, "history log: %s", err.text);
	if (v->progress)
		v->progress(v->arg, "access log", 0, 0);
	v->part = "access-log";
	rc = ledger_check_how(v->a->access, v->full, &ways, &err);
	if (rc && rc != ARK_ECORRUPT)
		fault(v, "access log: %s", err.text);
	v->part = "cosignatures";
	for (int i = 0; i < 2; i++) {
		rc = witnesses_check(v->a, i ? LEDGER_ACCESS : LEDGER_HISTORY, relay, v, &err);
		if (rc && rc != ARK_ECORRUPT)
			fault(v, "cosignatures: %s", err.text);
	}
	v->part = "files";
	verify_signers(v->a, relay, v);
	verify_state(v, relay);
	await_catalogue(v);
	verify_derived(v, relay);
	v->part = "records";
	rc = store_log(v->desk->store, 0, verify_commit, v, &err);
	if (rc)
		fault(v, "store: %s", err.text);
	v->part = "store";
	store_look_end(v, &look);
	v->part = "keys";
	verify_destroyed_slots(v, relay);
	v->part = "catalogue";
	store_head(v->a->store, &head);
	verify_counts(v, head.sequence);
	if (v->commits == head.sequence && next_commit_entry(v, &e)) {
		uint64_t sequence = (uint64_t)json_integer_value(
		    json_object_get(json_object_get(e.a, "detail"), "sequence"));

		/* a running server may have filed since the store was read */
		if (sequence <= head.sequence)
			fault(v, "history log: entry %llu speaks of commit %llu once too often",
			    (unsigned long long)e.index, (unsigned long long)sequence);
		ledger_entry_free(&e);
	}
}

/* Store and log as one moment: what a running server has committed and not yet logged is waited for. */
static int open_beside(
    const char *dir, const char *root_key, bool served, struct verify *v, struct ark_error *err)
{
	bool level = false;
	int rc = ARK_OK;

	for (int i = 0; i < 100; i++) {
		rc = archive_open(dir, root_key, ARCHIVE_READ, v->progress, v->arg, &v->a, err);
		if (rc || !served || recover_level(v->a, &level, NULL) || level)
			return rc;
		if (i == 99)
			break; /* then it is a fault, and told as one */
		archive_close(v->a);
		v->a = NULL;
		usleep(20000);
	}
	return rc;
}

int archive_verify_result(const char *dir, const char *root_key, bool full,
    const char *receipt_token_text, const struct archive_verify_to *to, json_t *result,
    struct ark_error *err)
{
	struct verify v = {.full = full,
	    .served = receipt_token_text != NULL,
	    .progress = to->progress,
	    .bad = to->bad,
	    .summary = to->summary,
	    .arg = to->arg,
	    .result = result};
	char token[256];
	int rc = ARK_OK;

	if (receipt_token_text)
		snprintf(token, sizeof(token), "%s", receipt_token_text);
	else
		rc = verify_own_receipt(&v, dir, root_key, token, err);
	if (!rc)
		rc = open_beside(dir, root_key, receipt_token_text != NULL, &v, err);
	if (!rc)
		rc = ledger_receipt(v.a->access, v.a->keys, token, &v.receipt, err);
	if (!rc)
		rc = archive_desk(v.a, &v.desk, err);
	if (!rc)
		rc = verify_heads(&v, err);
	if (!rc) {
		check_parts(&v);
		verify_tell(&v);
		if (v.faults)
			rc = ark_fail(
			    err, ARK_ECORRUPT, "%llu faults", (unsigned long long)v.faults);
	}
	if (v.result)
		rc = verify_result(&v, rc, err);
	verify_destroyed_free(&v);
	archive_desk_return(v.a, v.desk);
	receipt_free(v.receipt);
	archive_close(v.a);
	return rc;
}

int archive_verify(const char *dir, const char *root_key, bool full, const char *receipt,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of),
    void (*bad)(void *arg, const char *what), void (*summary)(void *arg, const char *line),
    void *arg, struct ark_error *err)
{
	const struct archive_verify_to to = {progress, bad, summary, arg};

	return archive_verify_result(dir, root_key, full, receipt, &to, NULL, err);
}
