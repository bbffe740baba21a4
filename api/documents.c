/* Reading documents over HTTP: metadata, versions, proofs, history, lists.
 * Every answer here goes through visit_log(): see app.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/audit_range.h"
#include "api/document_text.h"
#include "api/documents.h"
#include "api/memento.h"
#include "api/purpose_kept.h"
#include "api/text_reason.h"
#include "arkki/api/http_range.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* ---- JSON of a document ---- */

static void copy_fields(json_t *to, const json_t *from, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		json_t *v = json_object_get(from, names[i]);

		if (v)
			json_object_set(to, names[i], v);
	}
}

/* Fields of the contract are there even when there is nothing to say. */
static void or_null(json_t *to, const char *name)
{
	if (!json_object_get(to, name))
		json_object_set_new(to, name, json_null());
}

static void set_text(json_t *to, const char *key, const char *value)
{
	json_object_set_new(to, key, value ? json_string(value) : json_null());
}

json_t *document_json(
    const struct exchange *x, const struct catalogue_row *row, const struct card *card)
{
	static const char *const fields[] = {"units", "case", "type", "title", "publicTitle",
	    "language", "date", "publicity", "author", "state", "visitDate", "addressees", NULL};
	static const char *const of_version[] = {"fileName", "mediaType", "size", "sha256", NULL};
	json_t *d = json_object(), *text = json_object();
	const char *reason, *state = shown_text_state(row, &reason);
	char said[TEXT_REASON_SIZE];

	set_text(d, "id", row->document);
	copy_fields(d, card->fields, fields);
	json_object_set_new(d, "version", json_integer(row->version));
	json_object_set_new(d, "versions", json_integer(row->visible_versions));
	set_text(d, "filedAt", json_text(card->version, "time"));
	set_text(d, "filedBy", json_text(json_object_get(card->version, "actor"), "user"));
	copy_fields(d, card->version, of_version);
	or_null(d, "case");
	or_null(d, "fileName");
	set_text(text, "state", state);
	if (reason)
		set_text(text, "reason", text_reason_for(x, reason, said));
	json_object_set_new(d, "text", text);
	if (!row->whole)
		set_text(d, "rendition", "public");
	else if (row->rendition.number)
		json_object_set_new(d, "renditions", json_pack("[s]", "public"));
	return d;
}

json_t *version_json_of(const struct catalogue_row *row, const struct card *card)
{
	static const char *const names[] = {
	    "fileName", "mediaType", "size", "sha256", "reason", NULL};
	json_t *v = json_object();

	json_object_set_new(v, "version", json_integer(row->version));
	set_text(v, "filedAt", json_text(card->version, "time"));
	set_text(v, "filedBy", json_text(json_object_get(card->version, "actor"), "user"));
	copy_fields(v, card->version, names);
	or_null(v, "reason");
	if (!row->whole)
		set_text(v, "rendition", "public");
	else if (row->rendition.number)
		json_object_set_new(v, "renditions", json_pack("[s]", "public"));
	return v;
}

bool document_found(struct exchange *x, struct visit *v, const char *kind, uint32_t version)
{
	struct ark_error err;
	int rc = purpose_kept_state(v->app, v->caller, http_param(x, 0), version, &err);

	if (!rc)
		rc = visit_find(v, http_param(x, 0), version, &err);
	if (rc == ARK_ENOTFOUND) {
		visit_not_found(x, kind, http_param(x, 0), version);
		return false;
	}
	if (rc) {
		http_reply_error(x, &err);
		return false;
	}
	return visit_stated_ok(x);
}

bool document_version_found(struct exchange *x, struct visit *v, const char *kind)
{
	uint32_t version = visit_version(x, 1);

	if (version)
		return document_found(x, v, kind, version);
	visit_not_found(x, kind, http_param(x, 0), 0);
	return false;
}

/* ---- GET /documents/{d} and …/versions/{n} ---- */

/* Of a public form the tag is that of what is shown: a version's own would tell of changes to what is not. */
static int tag_shown(const struct exchange *x, struct visit *v, const json_t *document,
    char out[TAG_SIZE], struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char tag[33];
	int rc = ARK_OK;

	if (v->row.whole) {
		tag_document(x, &v->row, out);
		return ARK_OK;
	}
	rc = json_write(&text, document, err);
	if (!rc) {
		archive_tag(v->app->archive, "public-form", text.data, text.len, tag);
		snprintf(out, TAG_SIZE, "\"%s\"", tag);
	}
	buf_wipe_free(&text);
	return rc;
}

void reply_card(struct exchange *x, struct visit *v, int status, const struct card *card)
{
	json_t *document = document_json(x, &v->row, card);
	struct ark_error err;
	char tag[TAG_SIZE];

	if (tag_shown(x, v, document, tag, &err)) {
		http_reply_error(x, &err);
	} else if (status != 200 || strcmp(http_method(x), "PATCH") == 0 ||
		   visit_fresh_wanted(x, tag)) {
		http_reply_header(x, "ETag", tag);
		http_reply_json(x, status, json_incref(document));
	}
	json_decref(document);
}

static void reply_public_form(struct exchange *x, struct visit *v, int status)
{
	struct card card = {0};
	struct ark_error err;

	if (shown_card(v->app->archive, v->receipt, &v->row, &card, &err)) {
		http_reply_error(x, &err);
		return;
	}
	reply_card(x, v, status, &card);
	card_free(&card);
}

void reply_document(struct exchange *x, struct visit *v, int status)
{
	struct buf metadata = BUF_INIT, version = BUF_INIT, answer = BUF_INIT;
	struct ark_error err;
	char tag[TAG_SIZE];
	int rc;

	if (!v->row.whole) {
		reply_public_form(x, v, status);
		return;
	}
	rc = reading_card_text(v->app->archive, v->receipt, &v->row, &metadata, &version, &err);
	tag_document(x, &v->row, tag);
	if (!rc)
		rc = document_text(x, &v->row, &metadata, &version, &answer, &err);
	if (rc) {
		http_reply_error(x, &err);
	} else if (status != 200 || visit_fresh_wanted(x, tag)) {
		http_reply_header(x, "ETag", tag);
		http_reply_buf(x, status, "application/json", &answer);
	}
	buf_wipe_free(&metadata);
	buf_wipe_free(&version);
	buf_wipe_free(&answer);
}

static void show_document(struct exchange *x)
{
	struct visit *v = visit_of(x);

	memento_original(x, &v->row);
	reply_document(x, v, 200);
}

static void show_one_version(struct exchange *x)
{
	struct visit *v = visit_of(x);

	memento_headers(x, &v->row, false);
	reply_document(x, v, 200);
}

static void get_row(struct exchange *x, uint32_t version)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v || !document_found(x, v, "metadata", version))
		return;
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, version ? show_one_version : show_document);
}

void documents_get(struct exchange *x)
{
	get_row(x, 0);
}

void versions_get_one(struct exchange *x)
{
	uint32_t version = visit_version(x, 1);

	if (version)
		get_row(x, version);
	else
		visit_not_found(x, "metadata", http_param(x, 0), 0);
}

/* ---- GET /documents/{d}/versions ---- */

int listing_keep(void *arg, const struct catalogue_row *row)
{
	struct listing *l = arg;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		struct catalogue_row *rows = realloc(l->rows, cap * sizeof(*rows));

		if (!rows)
			return ARK_ENOMEM;
		l->rows = rows;
		l->cap = cap;
	}
	if (catalogue_row_copy(&l->rows[l->n], row))
		return ARK_ENOMEM;
	l->n++;
	return 0;
}

void listing_free(void *arg)
{
	struct listing *l = arg;

	for (size_t i = 0; i < l->n; i++)
		catalogue_row_free(&l->rows[i]);
	free(l->rows);
	free(l);
}

struct listing *listing_new(struct exchange *x, struct visit *v)
{
	struct listing *l = calloc(1, sizeof(*l));

	if (!l) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	l->x = x;
	l->v = v;
	v->more = l;
	v->more_free = listing_free;
	return l;
}

static void show_versions(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct listing *l = v->more;
	json_t *list = json_array();
	struct ark_error err;

	for (size_t i = 0; i < l->n; i++) {
		struct card card = {0};

		if (shown_version(v->app->archive, v->receipt, &l->rows[i], &card.version, &err)) {
			json_decref(list);
			http_reply_error(x, &err);
			return;
		}
		json_array_append_new(list, version_json_of(&l->rows[i], &card));
		card_free(&card);
	}
	http_reply_json(x, 200, json_pack("{s:o}", "versions", list));
}

int listing_versions(
    struct visit *v, const char *document, struct listing *l, struct ark_error *err)
{
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc = caller_sight(v->caller, &sight, err);

	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	if (!rc)
		rc = catalogue_versions(desk->catalogue, document, sight, listing_keep, l, err);
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	return rc;
}

int listing_beside(struct visit *v, struct listing *l, unsigned int limit, struct ark_error *err)
{
	const struct catalogue_list beside = {
	    .beside = v->row.document, .beside_version = v->row.version, .limit = limit};
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc;

	if (!v->row.whole)
		return ARK_OK;
	rc = caller_sight(v->caller, &sight, err);
	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	if (!rc)
		rc = catalogue_documents(desk->catalogue, &beside, sight, listing_keep, l, err);
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	return rc;
}

struct listing *listing_found(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ark_error err;
	struct listing *l;

	if (!v || !document_found(x, v, "list", 0))
		return NULL;
	l = listing_new(x, v);
	if (l && listing_versions(v, v->row.document, l, &err)) {
		http_reply_error(x, &err);
		return NULL;
	}
	return l;
}

/* Gathers the versions that the caller may read, logs the look at the list, and shows them. */
void gather_versions(struct exchange *x, void (*show)(struct exchange *x))
{
	struct listing *l = listing_found(x);
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!l)
		return;
	r = visit_record(v, "list");
	r.version = 0;
	visit_log(x, &r, 1, show);
}

void versions_get(struct exchange *x)
{
	gather_versions(x, show_versions);
}

/* ---- GET …/versions/{n}/proof ---- */

struct proof_search {
	uint32_t version;
	uint64_t index;
	bool found;
	json_t *entry;
};

static int match_filing(void *arg, const struct ledger_entry *e)
{
	struct proof_search *s = arg;
	const char *kind = json_text(e->a, "kind");

	if (!kind || (strcmp(kind, "filing") != 0 && strcmp(kind, "version") != 0) ||
	    (uint32_t)json_integer_value(json_object_get(e->a, "version")) != s->version)
		return 0;
	s->index = e->index;
	s->entry = json_incref(e->a);
	s->found = true;
	return 1;
}

static void show_proof(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger *history = archive_ledger(v->app->archive, LEDGER_HISTORY);
	const struct ledger_filter filter = {.document = v->row.document};
	struct proof_search s = {.version = v->row.version};
	struct ark_error err = {0};
	json_t *shown = NULL;
	int rc = ledger_find(history, &filter, UINT_MAX, match_filing, &s, &err);

	if (rc >= 0 && s.found)
		rc = audit_disclose(history, s.index, DISCLOSE_A, &shown, &err);
	else if (rc >= 0)
		rc = ark_fail(&err, ARK_EIO, "the filing has no history entry");
	if (rc < 0) {
		http_reply_error(x, &err);
	} else {
		http_reply_json(x, 200,
		    json_pack("{s:s,s:I,s:O,s:O,s:O}", "log", "history", "index",
			(json_int_t)s.index, "entry", s.entry, "proof",
			json_object_get(shown, "proof"), "disclosure", shown));
	}
	json_decref(s.entry);
	json_decref(shown);
}

void proof_get(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v || !document_version_found(x, v, "metadata"))
		return;
	if (!v->row.whole) { /* the proof is of the whole version */
		visit_content_denied(x, "metadata");
		return;
	}
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, show_proof);
}

/* ---- lists of documents: GET /documents, /units/{u}/documents, /cases/{c}/documents ---- */

void listing_next(const struct listing *l, unsigned int limit, struct buf *next)
{
	char at[64];

	if (l->n <= limit)
		return;
	snprintf(at, sizeof(at), "%s %s", l->rows[limit - 1].date, l->rows[limit - 1].document);
	cursor_write(l->v->app, "documents", at, next);
}

static void show_list(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct listing *l = v->more;
	json_t *list = json_array(), *reply;
	struct ark_error err;
	unsigned int limit = 20;
	struct buf next = BUF_INIT;

	if (!limit_of(x, 20, 100, &limit)) {
		json_decref(list);
		return;
	}
	for (size_t i = 0; i < l->n && i < limit; i++) {
		struct card card = {0};

		if (shown_card(v->app->archive, v->receipt, &l->rows[i], &card, &err)) {
			json_decref(list);
			http_reply_error(x, &err);
			return;
		}
		json_array_append_new(list, document_json(x, &l->rows[i], &card));
		card_free(&card);
	}
	listing_next(l, limit, &next);
	reply = json_pack("{s:o,s:s?}", "documents", list, "next", next.data);
	buf_free(&next);
	http_reply_json(x, 200, reply);
}

bool listing_query(struct exchange *x, struct catalogue_list *list)
{
	const char *cursor = http_query(x, "cursor");
	struct buf at = BUF_INIT;
	bool ok = true;

	list->type = http_query(x, "type");
	list->from = http_query(x, "from");
	list->to = http_query(x, "to");
	if ((list->from && !date_valid(list->from)) || (list->to && !date_valid(list->to)))
		ok = false;
	if (cursor && *cursor)
		ok = ok && !cursor_read(app_of(x), "documents", cursor, &at, NULL) &&
		     sscanf(at.data, "%10s %32s", list->after_date, list->after_document) == 2;
	buf_free(&at);
	if (!ok)
		http_reply_problem(x, 400, "bad-query", "A date or the cursor is malformed.", NULL);
	return ok && limit_of(x, 20, 100, &list->limit);
}

/* Logs one list entry and one for each document shown, in one group. */
static void log_list(
    struct exchange *x, struct listing *l, unsigned int limit, void (*show)(struct exchange *x))
{
	struct ledger_record records[101];
	struct visit *v = l->v;
	size_t n = 0;

	records[n++] = visit_record(v, "list");
	for (size_t i = 0; i < l->n && i < limit; i++) {
		records[n] = visit_record(v, "shown");
		records[n].document = l->rows[i].document;
		records[n++].version = l->rows[i].version;
	}
	visit_log(x, records, n, show);
}

void listing_show(struct exchange *x, struct catalogue_list *list, void (*show)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	struct listing *l;
	struct ark_error err;
	unsigned int limit;
	int rc;

	if (!v || !visit_stated_ok(x) || !listing_query(x, list))
		return;
	l = listing_new(x, v);
	if (!l)
		return;
	limit = list->limit++; /* one more tells whether there is a next page */
	rc = caller_sight(v->caller, &sight, &err);
	if (!rc)
		rc = archive_desk(v->app->archive, &desk, &err);
	if (!rc)
		rc = catalogue_documents(desk->catalogue, list, sight, listing_keep, l, &err);
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	if (rc)
		http_reply_error(x, &err);
	else
		log_list(x, l, limit, show);
}

void documents_list_for(struct exchange *x, const char *unit, const char *case_id)
{
	struct catalogue_list list = {.unit = unit, .case_id = case_id};

	listing_show(x, &list, show_list);
}

void documents_list(struct exchange *x)
{
	documents_list_for(x, http_query(x, "unit"), http_query(x, "case"));
}
