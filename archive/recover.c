/* At start: brings the history log and the catalogue level with the store.
 *
 * The ref is the commit point, so the store leads. For every commit beyond
 * the history log the missing entries are appended; for every commit beyond
 * the catalogue the facts are applied. A log or a catalogue that is ahead of
 * the store means that the store lost commits, a history log that is more than one commit behind
 * that an older copy of it was put back: both are refused, never guessed at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "archive/envelope.h"
#include "archive/facts.h"
#include "archive/recover.h"
#include "arkki/archive/records.h"
#include "arkki/archive/reading.h"
#include "arkki/base/json.h"

enum { BATCH = 256 };

/* ---- one change, read back from the store ---- */

static int open_meta(struct store_reader *r, struct keyring *keys, const struct receipt *receipt,
    const char *path, struct buf *sealed, unsigned char sha[32], json_t **ret,
    struct ark_error *err)
{
	struct store_blob blob;
	int rc = store_get(r, NULL, path, &blob, err);

	if (rc)
		return rc == ARK_ENOTFOUND
			   ? ark_fail(err, ARK_ECORRUPT, "the store has no %s", path)
			   : rc;
	buf_add(sealed, blob.bytes, blob.len);
	sha256_of(blob.bytes, blob.len, sha);
	store_blob_release(&blob);
	if (buf_failed(sealed))
		return ark_fail(err, ARK_ENOMEM, "no memory for %s", path);
	return envelope_open(keys, receipt, path, sealed->data, sealed->len, ret, err);
}

static int note_content(void *arg, const char *name, bool is_tree, const struct store_oid *oid)
{
	if (!is_tree && strcmp(name, "content") == 0)
		*(struct store_oid *)arg = *oid;
	return 0;
}

int recover_content_digest(
    struct store_reader *r, const struct fact *fact, unsigned char out[32], struct ark_error *err)
{
	struct sha256 *h = sha256_new();
	uint32_t chunks = fact->f.chunks;
	char path[ENVELOPE_PATH], part[32];
	int rc = h ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a digest");

	for (uint32_t i = 0; !rc && i < (chunks ? chunks : 1); i++) {
		struct store_blob blob;

		snprintf(part, sizeof(part), "chunks/%06u", i);
		fact_upload_path(&fact->change, chunks ? part : "content", path);
		rc = store_get(r, NULL, path, &blob, err);
		if (rc)
			break;
		sha256_update(h, blob.bytes, blob.len);
		store_blob_release(&blob);
	}
	if (!rc)
		sha256_final(h, out);
	sha256_free(h);
	return rc;
}

int recover_fact(struct store_reader *r, struct keyring *keys, const struct receipt *receipt,
    const struct change *change, uint64_t sequence, uint32_t item, struct fact *ret,
    struct ark_error *err)
{
	char path[ENVELOPE_PATH];
	struct fact fact = {.change = *change};
	int rc = ARK_OK;

	fact_record_path(change, path);
	rc = open_meta(
	    r, keys, receipt, path, &fact.sealed_record, fact.record_sha, &fact.record, err);
	if (!rc && change->is_document && change->version) {
		fact_upload_path(change, "meta", path);
		if (!change->rendition) /* of a rendition it is the record */
			rc = open_meta(r, keys, receipt, path, &fact.sealed_version,
			    fact.version_sha, &fact.version_meta, err);
		if (!rc) {
			*strrchr(path, '/') = '\0';
			rc = store_list(r, NULL, path, note_content, &fact.f.content, err);
		}
	}
	*ret = fact;
	if (!rc)
		rc = fact_fill(ret, sequence, item, err);
	if (rc)
		fact_free(ret);
	return rc;
}

/* ---- all changes after a sequence ---- */

struct replay {
	struct archive *a;
	struct desk *desk;
	const struct receipt *receipt;
	struct ark_error *err;
	uint64_t from_history; /* commits after this lack history entries */
	uint32_t items_logged; /* of commit from_history + 1, when torn */
	uint64_t from_catalogue;
	uint64_t head;
	void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of);
	void *arg;
};

static uint32_t count_lines(const char *changes)
{
	struct change c;
	uint32_t n = 0;

	while (change_next(&changes, &c, NULL) == 1)
		n++;
	return n;
}

static int log_fact(
    struct replay *p, struct fact *fact, const struct store_head *commit, uint32_t items)
{
	struct history_entry e;
	int rc = ARK_OK;

	if (fact_has_content(fact))
		rc = recover_content_digest(p->desk->store, fact, fact->content_sha, p->err);
	if (rc)
		return rc;
	rc = history_entry_fill(&e, fact, &commit->commit, items, NULL, p->err);
	if (!rc)
		rc = ledger_append_wait(p->a->history, &e.record, 1, NULL, p->err);
	history_entry_free(&e);
	return rc;
}

static int replay_commit(
    void *arg, const struct store_head *commit, int64_t time_us, const char *changes)
{
	struct replay *p = arg;
	uint64_t sequence = commit->sequence;
	uint32_t items = count_lines(changes), item = 0, made = 0;
	struct catalogue_fact *facts = calloc(items ? items : 1, sizeof(*facts));
	struct fact *held = calloc(items ? items : 1, sizeof(*held));
	struct change change;
	bool to_log;
	int rc = facts && held ? ARK_OK : ark_fail(p->err, ARK_ENOMEM, "no memory to replay");

	(void)time_us;
	while (!rc && item < items) {
		rc = change_next(&changes, &change, p->err);
		if (rc != 1)
			break;
		to_log = sequence > p->from_history + 1 ||
			 (sequence == p->from_history + 1 && item >= p->items_logged);
		rc = recover_fact(p->desk->store, p->a->keys, p->receipt, &change, sequence, item++,
		    &held[made], p->err);
		/* of a destroyed document: nothing to show; verify looks whether it has a tombstone */
		if (rc == ARK_EGONE && change_is_of_document(&change) && !to_log) {
			rc = ARK_OK;
			continue;
		}
		if (rc)
			break;
		facts[made] = held[made].f;
		if (to_log)
			rc = log_fact(p, &held[made], commit, items);
		made++;
	}
	if (!rc && sequence > p->from_catalogue)
		rc = catalogue_apply(p->a->catalogue, facts, made, sequence, p->err);
	for (uint32_t i = 0; held && i < made; i++)
		fact_free(&held[i]);
	free(held);
	free(facts);
	if (p->progress && (sequence % BATCH == 0 || sequence == p->head))
		p->progress(p->arg, "replay commits", sequence, p->head);
	return rc;
}

/* ---- where the history log stands ---- */

/* The commit of the newest history entry that has one, and how many of its
 * items are logged. Entries without a commit (tokens …) are passed over. */
static int history_position(struct archive *a, uint64_t *ret_sequence, uint32_t *ret_items,
    uint32_t *ret_of, struct ark_error *err)
{
	uint64_t n = ledger_size(a->history);

	*ret_sequence = *ret_items = *ret_of = 0;
	while (n-- > 0) {
		struct ledger_entry e;
		const json_t *detail;
		int rc = ledger_get(a->history, n, &e, err);

		if (rc)
			return rc;
		detail = json_object_get(e.a, "detail");
		if (json_object_get(detail, "commit")) {
			*ret_sequence =
			    (uint64_t)json_integer_value(json_object_get(detail, "sequence"));
			*ret_items =
			    (uint32_t)json_integer_value(json_object_get(detail, "item")) + 1;
			*ret_of = (uint32_t)json_integer_value(json_object_get(detail, "of"));
			ledger_entry_free(&e);
			return ARK_OK;
		}
		ledger_entry_free(&e);
	}
	return ARK_OK;
}

int recover_level(struct archive *a, bool *ret, struct ark_error *err)
{
	struct store_head head;
	uint64_t logged;
	uint32_t items, of;
	int rc = history_position(a, &logged, &items, &of, err);

	store_head(a->store, &head);
	*ret = !rc && (logged > head.sequence || (logged == head.sequence && items == of));
	return rc;
}

/* ---- the registry ---- */

struct loading {
	struct archive *a;
	const struct receipt *receipt;
	struct ark_error *err;
	const char *kind;
};

static int put_record(
    struct loading *l, const char *name, uint32_t number, const struct catalogue_blob *sealed)
{
	char path[ENVELOPE_PATH];
	json_t *v = NULL, *record;
	int rc;

	envelope_record_path(path, l->kind, name, number);
	rc = envelope_open(l->a->keys, l->receipt, path, sealed->bytes, sealed->len, &v, l->err);
	if (rc)
		return rc;
	record = json_incref(json_object_get(v, "record"));
	json_decref(v);
	return registry_put(l->a->registry, l->kind, record, l->err);
}

/* Without rules nothing can be decided, so nothing is served; what to do is
 * said before what is wrong, which may be long. */
static int refuse_policies(const struct loading *l, uint32_t number)
{
	char why[200];

	snprintf(why, sizeof(why), "%.199s", l->err ? l->err->text : "");
	return ark_fail(l->err, ARK_ECORRUPT,
	    "version %u of the policies, which is in force, cannot be used; put an earlier one in "
	    "force with `arkki policy restore %s [--version N] --root-key FILE`: %s",
	    number, archive_dir(l->a), why);
}

static int load_record(
    void *arg, const char *name, uint32_t number, const struct catalogue_blob *sealed)
{
	struct loading *l = arg;
	int rc = put_record(l, name, number, sealed);

	/* its document was destroyed, and the row is of a catalogue put back from before */
	if (rc == ARK_EGONE && records_end_with_document(l->kind))
		return ARK_OK;
	if ((rc != ARK_ECORRUPT && rc != ARK_EINPUT) || strcmp(l->kind, "policies") != 0)
		return rc;
	return l->a->mode == ARCHIVE_RESTORE ? ARK_OK : refuse_policies(l, number);
}

static int load_registry(struct archive *a, const struct receipt *receipt, struct ark_error *err)
{
	static const char *const kinds[] = {"orgs", "users", "units", "cases", "placements",
	    "types", "retention", "policies", "synonyms", "searches", "holds", "disposals",
	    "tombstones", "matters", "orders", "vacancies"};
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct loading l = {a, receipt, err, kinds[i]};

		rc = catalogue_records(a->catalogue, kinds[i], load_record, &l, err);
	}
	return rc;
}

/* ---- the state of texts, after a rebuild ---- */

struct texts {
	struct archive *a;
	struct desk *desk; /* reads while the archive's own catalogue writes */
	struct ark_error *err;
};

/* Of pages that OCR reads: how far it is, and whether that is in the text, or has shown that there is none. */
static int restore_pages(struct texts *t, const struct catalogue_row *row, enum form form,
    bool none, struct catalogue_pages *ret)
{
	struct reading_pages p = {0};
	int rc = reading_pages(t->a, row, form, &p, NULL);

	*ret = (struct catalogue_pages){0};
	if (rc)
		return rc == ARK_ENOTFOUND ? 0 : ark_fail(t->err, rc, "no memory for pages");
	*ret = (struct catalogue_pages){.pages = p.pages,
	    .bare = (uint32_t)p.bare_len,
	    .read = p.read,
	    .has_text = p.has_text,
	    .merged = (none || p.merged) && p.read == p.bare_len};
	reading_pages_free(&p);
	return catalogue_set_pages(t->a->catalogue, row->document, row->version,
	    form == FORM_PUBLIC ? row->rendition.number : 0, ret, t->err);
}

static int restore_form(struct texts *t, const struct catalogue_row *row, enum form form)
{
	char reason[200] = "";
	const char *state = reading_text_state(t->a, row, form, reason);
	struct catalogue_pages pages;
	int rc;

	if (strcmp(state, "pending") == 0)
		return 0;
	rc = restore_pages(t, row, form, strcmp(state, "none") == 0, &pages);
	if (rc)
		return rc;
	if (pages.bare && !pages.merged && !pages.has_text) {
		state = "pending";
		snprintf(reason, sizeof(reason), "%s", READING_WAITS);
	}
	return catalogue_set_text(t->a->catalogue, row->document, row->version,
	    form == FORM_PUBLIC ? row->rendition.number : 0, state, reason[0] ? reason : NULL,
	    t->err);
}

static int restore_text(void *arg, const struct catalogue_row *row)
{
	struct texts *t = arg;
	int rc = restore_form(t, row, FORM_WHOLE);

	return rc || !row->rendition.number ? rc : restore_form(t, row, FORM_PUBLIC);
}

static int restore_texts(struct archive *a, struct ark_error *err)
{
	struct texts t = {.a = a, .err = err};
	int rc = archive_desk(a, &t.desk, err);

	if (!rc)
		rc = catalogue_all(t.desk->catalogue, restore_text, &t, err);
	archive_desk_return(a, t.desk);
	return rc;
}

/* ---- the whole ---- */

int recover_archive(struct archive *a,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err)
{
	struct replay p = {.a = a, .err = err, .progress = progress, .arg = arg};
	struct receipt *receipt = NULL;
	struct store_head head;
	uint64_t logged, from;
	uint32_t items, of;
	char range[80];
	int rc = history_position(a, &logged, &items, &of, err);

	if (rc)
		return rc;
	store_head(a->store, &head);
	p.head = head.sequence;
	p.from_catalogue = catalogue_sequence(a->catalogue);
	if (logged > head.sequence || p.from_catalogue > head.sequence)
		return ark_fail(err, ARK_ECORRUPT,
		    "the store ends at commit %llu, but %s knows commit %llu: commits were lost; "
		    "restore "
		    "archive.git from a mirror or a backup",
		    (unsigned long long)head.sequence,
		    logged > head.sequence ? "the history log" : "the catalogue",
		    (unsigned long long)(logged > head.sequence ? logged : p.from_catalogue));
	p.from_history = items < of ? logged - 1 : logged;
	/* the writer logs a commit before it begins the next: entries with new salts at places that were
	 * given out would be another history */
	if (head.sequence > p.from_history + 1)
		return ark_fail(err, ARK_ECORRUPT,
		    "the history log ends at commit %llu, but the store at commit %llu: no crash "
		    "leaves "
		    "that, an older copy of ledger/history was put back; put back a newer one, or "
		    "everything from one backup",
		    (unsigned long long)p.from_history, (unsigned long long)head.sequence);
	p.items_logged = items < of ? items : 0;
	from = p.from_history < p.from_catalogue ? p.from_history : p.from_catalogue;
	if (from < head.sequence)
		snprintf(range, sizeof(range), "commits %llu-%llu and the registry",
		    (unsigned long long)from + 1, (unsigned long long)head.sequence);
	else
		snprintf(range, sizeof(range), "the registry");
	rc = archive_maintenance(a, "recover", range, &receipt, err);
	if (rc)
		return rc;
	p.receipt = receipt;
	if (from < head.sequence) {
		rc = archive_desk(a, &p.desk, err);
		if (!rc)
			rc = store_log(p.desk->store, from, replay_commit, &p, err);
		archive_desk_return(a, p.desk);
	}
	if (!rc && p.from_catalogue == 0 && head.sequence)
		rc = restore_texts(a, err);
	if (!rc)
		rc = load_registry(a, receipt, err);
	atomic_store(&a->sequence, head.sequence);
	receipt_free(receipt);
	return rc;
}
