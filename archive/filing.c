/* How filings become durable facts. See filing.h for the order of syncs.
 *
 * Invariants of the writer's thread:
 *   1. Nothing is visible (catalogue, registry, done()) before its commit and
 *      its history entries are durable.
 *   2. A filing that fails alone (conflict) leaves no trace in its group.
 *   3. When the ref has moved but the history entries could not be written,
 *      the archive is `broken`: it takes no more filings until it is opened
 *      anew and recover.c has completed the log.
 */
#include "arkki/archive/filing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/access_tie.h"
#include "archive/disposition_private.h"
#include "archive/envelope.h"
#include "archive/filing_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* ---- a filing ---- */

struct filing *filing_new(enum filing_kind kind)
{
	struct filing *f = calloc(1, sizeof(*f));

	if (f)
		f->kind = kind;
	return f;
}

static int copy_text(char **to, const char *from)
{
	free(*to);
	*to = from ? strdup(from) : NULL;
	return from && !*to ? ARK_ENOMEM : ARK_OK;
}

int filing_set_actor(struct filing *f, const struct filing_actor *a, struct ark_error *err)
{
	if (copy_text(&f->user, a->user) || copy_text(&f->org, a->org) ||
	    copy_text(&f->roles, a->roles) || copy_text(&f->authentication, a->authentication) ||
	    copy_text(&f->session, a->session) || copy_text(&f->address, a->address))
		return ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	return ARK_OK;
}

void filing_free(struct filing *f)
{
	if (!f)
		return;
	upload_free(f->upload);
	json_decref(f->fields);
	json_decref(f->record);
	json_decref(f->version_meta);
	json_decref(f->metadata_record);
	seal_key_wipe(&f->key);
	free(f->file_name);
	free(f->reason);
	free(f->request);
	free(f->request_digest);
	free(f->purpose);
	free(f->case_id);
	free(f->user);
	free(f->org);
	free(f->roles);
	free(f->authentication);
	free(f->session);
	free(f->address);
	free(f);
}

/* ---- one group in the making ---- */

struct work { /* one filing on its way into the store */
	struct filing *f;
	struct fact fact;
	struct seal_key key;
	uint64_t slot;
};

struct group {
	struct archive *a;
	struct work work[FILING_GROUP_MAX];
	size_t n;
	struct buf changes; /* the commit's message */
	struct store_txn *txn;
	struct store_head head;
	int64_t time_us;
	char time[CLOCK_TEXT_SIZE];
};

/* ---- step 1: settle what each filing builds on, give out numbers ---- */

/* The newest numbers of the document, filings before this one in the group included. */
static int newest_in_group(struct group *g, size_t upto, const char *document,
    uint32_t *ret_version, uint32_t *ret_metadata, struct ark_error *err)
{
	for (size_t i = upto; i-- > 0;) {
		const struct filing *f = g->work[i].f;

		if (f->kind != FILING_RECORD && f->kind != FILING_RENDITION &&
		    strcmp(f->document, document) == 0) {
			*ret_version = f->version;
			*ret_metadata = f->metadata;
			return ARK_OK;
		}
	}
	return catalogue_newest(g->a->catalogue, document, ret_version, ret_metadata, err);
}

static int request_is_new(struct group *g, size_t upto, struct filing *f, struct ark_error *err)
{
	char document[33];
	uint32_t version;
	int rc;

	if (!f->request)
		return ARK_OK;
	for (size_t i = 0; i < upto; i++) {
		const struct filing *other = g->work[i].f;

		if (other->request && strcmp(other->request, f->request) == 0) {
			memcpy(f->document, other->document, sizeof(f->document));
			f->version = other->version;
			f->repeats = true;
			return ark_fail(err, ARK_ECONFLICT, "this request was filed before");
		}
	}
	rc = catalogue_request(g->a->catalogue, f->request, document, &version, err);
	if (rc == ARK_ENOTFOUND)
		return ARK_OK;
	if (rc)
		return rc;
	memcpy(f->document, document, sizeof(f->document));
	f->version = version;
	f->repeats = true;
	return ark_fail(err, ARK_ECONFLICT, "this request was filed before");
}

/* A hold that waits in the same group goes before the destruction that came after it. */
static bool held_in_group(const struct group *g, size_t upto, const struct filing *f)
{
	const char *id = f->kind == FILING_RECORD ? json_text(f->record, "id") : NULL;

	for (size_t i = 0; id && i < upto; i++) {
		const struct filing *other = g->work[i].f;

		if (other->kind == FILING_RECORD && strcmp(other->record_kind, "holds") == 0 &&
		    strcmp(json_text(other->record, "id"), id) == 0)
			return true;
	}
	return false;
}

static int settle_record(struct group *g, size_t at, struct ark_error *err)
{
	struct work *w = &g->work[at];
	const char *id = json_text(w->f->record, "id");
	uint32_t number = 0;
	int rc;

	if (!id)
		return ark_fail(err, ARK_EINPUT, "a record of %s has no id", w->f->record_kind);
	rc = catalogue_record_number(g->a->catalogue, w->f->record_kind, id, &number, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < at; i++) {
		const struct filing *other = g->work[i].f;

		if (other->kind == FILING_RECORD &&
		    strcmp(other->record_kind, w->f->record_kind) == 0 &&
		    strcmp(json_text(other->record, "id"), id) == 0)
			number = other->metadata;
	}
	if (w->f->record_on_base && w->f->base_metadata != number)
		return ark_fail(err, ARK_ECONFLICT, "the record has changed");
	w->f->metadata = number + 1;
	return ARK_OK;
}

static int settle_rendition(struct group *g, size_t at, struct ark_error *err)
{
	struct filing *f = g->work[at].f;
	const struct filing *before = NULL;

	for (size_t i = at; i-- > 0 && !before;) {
		const struct filing *other = g->work[i].f;

		if (other->kind == FILING_RENDITION && other->version == f->version &&
		    strcmp(other->document, f->document) == 0)
			before = other;
	}
	return filing_settle_rendition(g->a, f, before, err);
}

static int settle_one(struct group *g, size_t at, struct ark_error *err)
{
	struct filing *f = g->work[at].f;
	uint32_t version = 0, metadata = 0;
	int rc;

	rc = disposition_settle(g->a->registry, f, held_in_group(g, at, f), err);
	if (rc)
		return rc;
	if (f->kind == FILING_RECORD)
		return settle_record(g, at, err);
	rc = request_is_new(g, at, f, err);
	if (rc)
		return rc;
	if (f->kind == FILING_RENDITION)
		return settle_rendition(g, at, err);
	if (f->kind == FILING_DOCUMENT) {
		f->version = f->metadata = 1;
		return ARK_OK;
	}
	rc = newest_in_group(g, at, f->document, &version, &metadata, err);
	if (rc)
		return rc;
	if (version != f->base_version || metadata != f->base_metadata)
		return ark_fail(err, ARK_ECONFLICT,
		    "the document has changed since it was read; read it again and repeat the "
		    "change");
	f->version = f->kind == FILING_VERSION ? version + 1 : version;
	f->metadata = metadata + 1;
	return ARK_OK;
}

/* ---- step 2: write the JSON (filing_json.c) and seal it ---- */

static int seal_record(struct group *g, struct work *w, const char *path, struct ark_error *err)
{
	struct fact *fact = &w->fact;
	int rc = envelope_seal(
	    g->a->keys, &w->key, w->slot, path, fact->record, &fact->sealed_record, err);

	if (!rc)
		sha256_of(fact->sealed_record.data, fact->sealed_record.len, fact->record_sha);
	return rc;
}

/* The record is made; seals it, and the version's meta where there is one. */
static int seal_made(struct group *g, struct work *w, struct ark_error *err)
{
	struct fact *fact = &w->fact;
	char path[ENVELOPE_PATH];
	int rc;

	fact_record_path(&fact->change, path);
	rc = seal_record(g, w, path, err);
	if (rc || !fact->version_meta)
		return rc;
	fact_upload_path(&fact->change, "meta", path);
	rc = envelope_seal(
	    g->a->keys, &w->key, w->slot, path, fact->version_meta, &fact->sealed_version, err);
	if (!rc)
		sha256_of(fact->sealed_version.data, fact->sealed_version.len, fact->version_sha);
	return rc;
}

static int make_document(struct group *g, struct work *w, struct ark_error *err)
{
	struct filing *f = w->f;
	struct fact *fact = &w->fact;
	bool is_rendition = f->kind == FILING_RENDITION;

	fact->change.is_document = true;
	memcpy(fact->change.kind, "docs", 5);
	memcpy(fact->change.name, f->document, sizeof(f->document));
	if (f->upload || is_rendition)
		fact->change.version = f->version;
	if (f->upload)
		memcpy(fact->content_sha, f->upload->sealed_sha256, 32);
	if (is_rendition) {
		fact->change.rendition = f->rendition;
		fact->record = filing_rendition_json(f, g->time);
	} else {
		fact->change.metadata = f->metadata;
		fact->record = filing_metadata_json(f, g->time, g->a->registry);
		if (f->upload)
			fact->version_meta = filing_version_json(f, g->time);
	}
	if (!fact->record || (f->upload && !is_rendition && !fact->version_meta))
		return ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	f->version_meta = json_incref(fact->version_meta);
	f->metadata_record = json_incref(fact->record);
	return ARK_OK;
}

static int make_record(struct group *g, struct work *w, struct ark_error *err)
{
	struct filing *f = w->f;
	struct fact *fact = &w->fact;
	char name[33];

	keyring_name(g->a->keys, f->record_kind, json_text(f->record, "id"), name);
	snprintf(fact->change.kind, sizeof(fact->change.kind), "%s", f->record_kind);
	memcpy(fact->change.name, name, sizeof(name));
	fact->change.metadata = f->metadata;
	fact->record = filing_record_json(f, g->time);
	return fact->record ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a record");
}

/* A version, the metadata filed with it and its renditions share one key, so that destroying
 * it destroys content, titles and derived text together. */
static int seal_one(struct group *g, struct work *w, struct ark_error *err)
{
	struct filing *f = w->f;
	int rc = ARK_OK;

	if (f->kind == FILING_RENDITION || f->sealed_under) {
		w->key = f->key;
		w->slot = f->slot;
	} else {
		if (f->upload)
			w->key = f->upload->key;
		else
			seal_key_generate(&w->key);
		rc = keyring_add(g->a->keys, &w->key, &w->slot, err);
	}
	if (!rc)
		rc = f->kind == FILING_RECORD ? make_record(g, w, err) : make_document(g, w, err);
	return rc ? rc : seal_made(g, w, err);
}

/* ---- step 3: put the sealed bytes into the store's transaction ---- */

static int put_content(struct group *g, struct work *w, struct ark_error *err)
{
	const struct upload *u = w->f->upload;
	char path[ENVELOPE_PATH], part[32];
	uint32_t chunks = filing_chunks(u);
	int rc = ARK_OK;

	if (!chunks) {
		fact_upload_path(&w->fact.change, "content", path);
		return store_put(
		    g->txn, path, u->memory.data, u->memory.len, &w->fact.f.content, err);
	}
	for (uint32_t i = 0; !rc && i < chunks; i++) {
		uint64_t at = (uint64_t)i * SPOOL_CHUNK_SIZE, left = u->sealed_size - at;

		snprintf(part, sizeof(part), "chunks/%06u", i);
		fact_upload_path(&w->fact.change, part, path);
		rc = store_put_fd(g->txn, path, u->fd, at,
		    left < SPOOL_CHUNK_SIZE ? left : SPOOL_CHUNK_SIZE, NULL, err);
	}
	return rc;
}

static int put_one(struct group *g, struct work *w, struct ark_error *err)
{
	struct fact *fact = &w->fact;
	char path[ENVELOPE_PATH];
	int rc = ARK_OK;

	change_write(&g->changes, &fact->change);
	if (fact->version_meta) {
		fact_upload_path(&fact->change, "meta", path);
		rc = store_put(
		    g->txn, path, fact->sealed_version.data, fact->sealed_version.len, NULL, err);
	}
	if (!rc && w->f->upload)
		rc = put_content(g, w, err);
	if (rc)
		return rc;
	fact_record_path(&fact->change, path);
	return store_put(
	    g->txn, path, fact->sealed_record.data, fact->sealed_record.len, NULL, err);
}

/* ---- step 4: the commit point ---- */

static int commit(struct group *g, struct ark_error *err)
{
	int rc = keyring_sync(g->a->keys, err);

	if (!rc && buf_failed(&g->changes))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a commit message");
	if (rc) {
		store_abort(g->txn);
	} else {
		rc = store_commit(g->txn, g->changes.data, g->time_us, &g->head, err);
	}
	g->txn = NULL;
	return rc;
}

/* ---- step 5: the history log ---- */

static int write_history(struct group *g, struct ark_error *err)
{
	struct history_entry entries[FILING_GROUP_MAX];
	struct ledger_record records[FILING_GROUP_MAX];
	struct checkpoint tie;
	bool tied = access_tie_now(g->a, &tie); /* the first entry says it for all of the commit */
	size_t filled = 0;
	int rc = ARK_OK;

	for (; !rc && filled < g->n; filled++) {
		struct work *w = &g->work[filled];

		rc = fact_fill(&w->fact, g->head.sequence, (uint32_t)filled, err);
		if (!rc)
			rc = history_entry_fill(&entries[filled], &w->fact, &g->head.commit,
			    (uint32_t)g->n, tied && filled == 0 ? &tie : NULL, err);
		if (rc)
			break;
		records[filled] = entries[filled].record;
	}
	if (!rc)
		rc = ledger_append_wait(g->a->history, records, g->n, NULL, err);
	if (!rc && tied)
		atomic_store(&g->a->tied, tie.size);
	for (size_t i = 0; i < filled; i++)
		history_entry_free(&entries[i]);
	return rc;
}

/* ---- step 6: make it visible ---- */

static int show(struct group *g, struct ark_error *err)
{
	struct catalogue_fact facts[FILING_GROUP_MAX];
	int rc;

	for (size_t i = 0; i < g->n; i++)
		facts[i] = g->work[i].fact.f;
	rc = catalogue_apply(g->a->catalogue, facts, g->n, g->head.sequence, err);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < g->n; i++) {
		struct filing *f = g->work[i].f;

		if (f->kind == FILING_RECORD)
			rc = registry_put(
			    g->a->registry, f->record_kind, json_incref(f->record), err);
		f->sequence = g->head.sequence;
		f->time_us = g->time_us;
	}
	atomic_store(&g->a->sequence, g->head.sequence);
	return rc;
}

/* ---- the story ---- */

/* Filings that fail alone leave the group; the rest go on. */
static void settle_and_seal(struct group *g)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct ark_error err = {0};
		struct work w = g->work[i];
		int rc;

		g->work[kept] = w;
		rc = settle_one(g, kept, &err);
		if (!rc)
			rc = seal_one(g, &g->work[kept], &err);
		if (rc) {
			filing_give_up(w.f, rc, &err);
			fact_free(&g->work[kept].fact);
			seal_key_wipe(&g->work[kept].key);
			continue;
		}
		kept++;
	}
	g->n = kept;
}

static int put_and_commit(struct group *g, struct ark_error *err)
{
	int rc = store_begin(g->a->store, &g->txn, err);

	for (size_t i = 0; !rc && i < g->n; i++)
		rc = put_one(g, &g->work[i], err);
	if (rc && g->txn) {
		store_abort(g->txn);
		g->txn = NULL;
	}
	return rc ? rc : commit(g, err);
}

static void file_group(struct archive *a, struct group *g)
{
	struct ark_error err = {0};
	int rc;

	g->a = a;
	g->time_us = clock_now_us();
	clock_format(g->time, g->time_us);
	settle_and_seal(g);
	if (g->n == 0)
		return;
	rc = put_and_commit(g, &err);
	if (!rc) {
		rc = write_history(g, &err);
		if (!rc)
			rc = show(g, &err);
		if (rc) {
			atomic_store(&a->broken, true);
			ark_fail_within(
			    &err, rc, "committed, but not completed; restart arkki to recover");
		}
	}
	for (size_t i = 0; i < g->n; i++) {
		if (rc)
			filing_give_up(g->work[i].f, ARK_EIO, &err);
		fact_free(&g->work[i].fact);
		seal_key_wipe(&g->work[i].key);
	}
	if (rc)
		return;
	care_committed(a, g->head.sequence);
	pthread_mutex_lock(&a->listeners_lock);
	for (unsigned int i = 0; i < a->listeners_len; i++)
		a->listeners[i].fn(a->listeners[i].arg, g->head.sequence);
	pthread_mutex_unlock(&a->listeners_lock);
}

struct group *filing_group_new(void)
{
	return calloc(1, sizeof(struct group));
}

void filing_group_free(struct group *g)
{
	if (g)
		buf_free(&g->changes);
	free(g);
}

void filing_group_file(struct archive *a, struct group *g, struct filing *const *filings, size_t n)
{
	struct buf changes = g->changes;

	*g = (struct group){.changes = changes};
	buf_clear(&g->changes);
	for (size_t i = 0; i < n; i++)
		g->work[i].f = filings[i];
	g->n = n;
	file_group(a, g);
}
