/* A personal-data request: who processed a matter, when and why.
 *
 * Each entry of the access log about the matter's documents is disclosed with its proof: part A, and part B where
 * the archive's configuration says that it is lawful (`disclose-persons yes` in arkki.conf). Where it is not, the
 * organisation stands beside the disclosure: that is the archive's word, under the report's signature. What was searched
 * for (part C) is never shown.
 *
 * The Ombudsman's own series is left out unless he asks for it; the other series has no gap for that, since
 * they are numbered apart.
 */
#include <stdlib.h>
#include <string.h>

#include "api/audit_range.h"
#include "api/reports.h"
#include "arkki/archive/conf.h"
#include "arkki/archive/disposition.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct found { /* what is disclosed once the walk is over */
	uint64_t index;
	char *org;
	bool own;
};

struct subject {
	struct app *app;
	struct archive *a;
	struct subject_ask *ask;
	struct ark_error *err;
	struct ledger *log;
	struct report_ids *ids;
	json_t *documents;
	struct found *found; /* room for ask->limit, and for FILINGS_MAX */
	size_t found_len;    /* of the document at hand */
	unsigned int room;   /* entries that this page still takes */
	unsigned int walked;
	uint64_t after; /* where the walk of the document at hand goes on */
	struct audit_range range;
};

static int lost(struct subject *s)
{
	return ark_fail(s->err, ARK_ENOMEM, "no memory for a report");
}

int subject_persons(const struct archive *a, bool *ret, struct ark_error *err)
{
	*ret = false;
	return conf_bool(archive_dir(a), "disclose-persons", ret, err);
}

/* ---- the entries of one document ---- */

enum { WALKED = 1000, FILINGS_MAX = 200 };

static int note_entry(void *arg, const struct ledger_entry *e)
{
	struct subject *s = arg;
	struct found *f = &s->found[s->found_len];
	const char *org = json_text(e->b, "org");
	bool own = json_text(e->b, "series") != NULL;

	s->walked++;
	if (own && !s->ask->own) {
		s->after = e->index + 1;
		return 0;
	}
	if (s->found_len == s->room)
		return 1;
	s->after = e->index + 1;
	*f = (struct found){e->index, org ? strdup(org) : NULL, own};
	s->found_len++;
	audit_range_note(&s->range, e);
	return org && !f->org ? lost(s) : 0;
}

/* 1: there is more of it than this page takes. */
static int find_entries(struct subject *s, const char *document, uint64_t after)
{
	struct ledger_filter filter = {
	    .document = document, .from_us = s->ask->from_us, .to_us = s->ask->to_us};
	int rc = ARK_OK;

	s->after = after;
	do {
		s->walked = 0;
		filter.after = s->after;
		rc = ledger_find(s->log, &filter, WALKED, note_entry, s, s->err);
	} while (!rc && s->walked == WALKED);
	return rc;
}

static int disclose(struct subject *s, struct ledger *log, const struct found *f, json_t *entries)
{
	unsigned int letters = s->ask->persons ? DISCLOSE_A | DISCLOSE_B : DISCLOSE_A;
	json_t *shown = NULL;
	int rc = audit_disclose(log, f->index, letters, &shown, s->err);

	if (!rc && json_array_append_new(
		       entries, json_pack("{s:s?,s:o}", "org", f->org, "disclosure", shown)))
		rc = lost(s);
	return rc;
}

/* Type and day are what tells documents apart without saying what is in them. */
static int describe(struct subject *s, const char *document, json_t *out)
{
	json_t *stone = disposition_tombstone(archive_registry(s->a), document), *fields;
	struct catalogue_row row;
	struct desk *desk = NULL;
	int rc = ARK_OK;

	if (stone) {
		fields = json_object_get(stone, "fields");
		json_object_set(out, "type", json_object_get(fields, "type"));
		json_object_set(out, "date", json_object_get(fields, "date"));
		json_object_set(out, "destroyedAt", json_object_get(stone, "destroyedAt"));
		json_decref(stone);
		return ARK_OK;
	}
	rc = archive_desk(s->a, &desk, s->err);
	if (!rc)
		rc = catalogue_get(desk->catalogue, document, 0, NULL, &row, s->err);
	archive_desk_return(s->a, desk);
	if (rc)
		return rc;
	json_object_set_new(out, "type", json_string(row.type));
	json_object_set_new(out, "date", json_string(row.date));
	catalogue_row_free(&row);
	return ARK_OK;
}

static void forget_found(struct subject *s)
{
	for (size_t i = 0; i < s->found_len; i++)
		free(s->found[i].org);
	s->found_len = 0;
}

/* To file and to amend is to process too: the history log says who did. */
static int note_filing(void *arg, const struct ledger_entry *e)
{
	struct subject *s = arg;
	struct found *f = &s->found[s->found_len];
	const char *org = json_text(e->b, "org");
	bool own = json_text(e->b, "series") != NULL;

	if (own && !s->ask->own)
		return 0;
	if (s->found_len == FILINGS_MAX)
		return 1;
	*f = (struct found){e->index, org ? strdup(org) : NULL, own};
	s->found_len++;
	return org && !f->org ? lost(s) : 0;
}

static int show_filings(struct subject *s, const char *document, json_t *out)
{
	const struct ledger_filter filter = {
	    .document = document, .from_us = s->ask->from_us, .to_us = s->ask->to_us};
	struct ledger *log = archive_ledger(s->a, LEDGER_HISTORY);
	json_t *filings = json_array();
	int rc = filings ? ledger_find(log, &filter, WALKED, note_filing, s, s->err) : lost(s);

	if (rc == 1)
		json_object_set_new(out, "filingsCut", json_true());
	if (rc == 1)
		rc = ARK_OK;
	for (size_t i = 0; !rc && i < s->found_len; i++)
		rc = disclose(s, log, &s->found[i], filings);
	if (!rc && json_object_set(out, "filings", filings))
		rc = lost(s);
	json_decref(filings);
	forget_found(s);
	return rc;
}

static int show_entries(struct subject *s, const char *document, bool whole, bool first)
{
	json_t *entries = json_array(), *out;
	int rc;

	out = json_pack("{s:s}", "document", document);
	rc = entries && out ? describe(s, document, out) : lost(s);
	for (size_t i = 0; !rc && i < s->found_len; i++)
		rc = disclose(s, s->log, &s->found[i], entries);
	if (!rc)
		rc = audit_range_show(&s->range, s->log, whole, out, s->err);
	if (!rc && json_object_set(out, "entries", entries))
		rc = lost(s);
	forget_found(s);
	if (!rc && first)
		rc = show_filings(s, document, out);
	if (!rc && json_array_append(s->documents, out))
		rc = lost(s);
	json_decref(entries);
	json_decref(out);
	return rc;
}

/* 1: the page ends within it. */
static int report_document(struct subject *s, const char *document, uint64_t after)
{
	bool whole = !after && !s->ask->from_us;
	int rc, more;

	s->range = (struct audit_range){.document = document};
	s->found_len = 0;
	rc = audit_range_begin(&s->range, s->log, s->err);
	more = rc ? rc : find_entries(s, document, after);
	s->room -= (unsigned int)s->found_len;
	rc = more < 0 ? more : show_entries(s, document, whole, !after);
	forget_found(s);
	return rc ? rc : more;
}

/* ---- all documents ---- */

static int document_there(struct subject *s, const char *document)
{
	json_t *stone;
	uint32_t version, metadata;
	struct desk *desk = NULL;
	int rc;

	if (!docid_valid(document))
		return ark_fail(s->err, ARK_ENOTFOUND, "there is no such document");
	stone = disposition_tombstone(archive_registry(s->a), document);
	if (stone) {
		json_decref(stone);
		return ARK_OK;
	}
	rc = archive_desk(s->a, &desk, s->err);
	if (!rc)
		rc = catalogue_newest(desk->catalogue, document, &version, &metadata, s->err);
	archive_desk_return(s->a, desk);
	return rc;
}

static int gather(struct subject *s)
{
	const struct report_scope scope = {.unit = s->ask->unit, .case_id = s->ask->case_id};
	int rc;

	if (!s->ask->document)
		return report_ids_gather(s->ids, s->a, &scope, s->err);
	rc = document_there(s, s->ask->document);
	if (!rc) {
		s->ids->len = 1;
		s->ids->more = false;
		memcpy(s->ids->id[0], s->ask->document, 33);
	}
	return rc;
}

/* The document at which a page begins is gathered again: only what comes before it is passed over. */
static int report_documents(struct subject *s, char ret_next[33], uint64_t *ret_index)
{
	const char *first = s->ask->after;
	int rc;

	do {
		rc = gather(s);
		for (size_t i = 0; !rc && i < s->ids->len; i++) {
			const char *id = s->ids->id[i];
			int order = strcmp(id, first);

			if (order < 0)
				continue;
			s->after = order == 0 ? s->ask->index : 0;
			if (s->room == 0 || json_array_size(s->documents) == REPORT_IDS_MAX)
				rc = 1;
			else
				rc = report_document(s, id, s->after);
			if (rc == 1) {
				memcpy(ret_next, id, 33);
				*ret_index = s->after;
			}
			memcpy(s->ids->after, id, sizeof(s->ids->after));
		}
	} while (!rc && s->ids->more);
	return rc == 1 ? ARK_OK : rc;
}

/* ---- the report ---- */

static json_t *time_json(int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (!time_us)
		return json_null();
	clock_format(text, time_us);
	return json_string(text);
}

static int report(struct subject *s, const char *next, json_t **ret)
{
	const struct subject_ask *ask = s->ask;

	*ret = json_pack("{s:s,s:s,s:o,s:s,s:s?,s:s?,s:s?,s:o,s:o,s:b,s:b,s:b,s:s?,s:O}", "kind",
	    "arkki-subject/1", "origin", archive_origin(s->a), "made", time_json(clock_now_us()),
	    "by", ask->by, "case", ask->case_id, "unit", ask->unit, "document", ask->document,
	    "from", time_json(ask->from_us), "to", time_json(ask->to_us), "persons",
	    (int)ask->persons, "ownSeries", (int)ask->own, "continued", *ask->after != '\0',
	    "until", *next ? next : NULL, "documents", s->documents);
	return *ret ? ARK_OK : lost(s);
}

int subject_make(struct app *app, const struct receipt *receipt, struct subject_ask *ask,
    json_t **ret, char ret_next[33], uint64_t *ret_index, struct ark_error *err)
{
	struct subject s = {.app = app, .a = app->archive, .ask = ask, .err = err};
	int rc;

	(void)receipt; /* of the log, no document is opened here */
	ret_next[0] = '\0';
	*ret_index = 0;
	s.log = archive_ledger(s.a, LEDGER_ACCESS);
	s.room = ask->limit;
	s.documents = json_array();
	s.ids = calloc(1, sizeof(*s.ids));
	s.found = calloc(ask->limit + FILINGS_MAX + 1, sizeof(*s.found));
	rc = s.documents && s.ids && s.found ? report_documents(&s, ret_next, ret_index) : lost(&s);
	if (!rc)
		rc = report(&s, ret_next, ret);
	json_decref(s.documents);
	free(s.ids);
	free(s.found);
	return rc;
}
