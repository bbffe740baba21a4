/* The writing side: facts become rows, in the order of the store. */
#include "arkki/archive/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "archive/catalogue_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum {
	NAMES_MAX = 1000,      /* units, counties and addressees, each, of one version */
	SEALED_MAX = 16 << 20, /* bytes of one sealed copy */
	ATTRIBUTE_MAX = 200,   /* bytes of a type, class, state, language, media type */
};

int catalogue_open(const char *path, const struct keyring *keys, bool for_writing, bool create,
    struct catalogue **ret, struct ark_error *err)
{
	const struct db_settings settings = {
	    .what = "the catalogue",
	    .setup =
		"PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192; PRAGMA mmap_size=67108864;",
	    .create = create,
	    .read_only = !for_writing,
	};
	struct catalogue *c;
	int rc;

	if (create && !for_writing)
		return ark_fail(
		    err, ARK_EINPUT, "a catalogue is only made when opened for writing");
	c = calloc(1, sizeof(*c));
	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory for the catalogue");
	c->keys = keys;
	rc = db_open(&c->db, path, &settings, err);
	if (!rc)
		rc = catalogue_schema(c, create, for_writing, err);
	if (rc) {
		catalogue_close(c);
		return rc;
	}
	*ret = c;
	return ARK_OK;
}

void catalogue_close(struct catalogue *c)
{
	if (!c)
		return;
	db_close(&c->db);
	free(c);
}

static int applied_sequence(struct catalogue *c, uint64_t *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT sequence FROM applied WHERE id = 1");
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1)
		*ret = (uint64_t)sqlite3_column_int64(q.stmt, 0);
	else if (rc == 0)
		rc = ark_fail(err, ARK_ECORRUPT, "the catalogue has lost its sequence");
	query_end(&q);
	return rc < 0 ? rc : ARK_OK;
}

uint64_t catalogue_sequence(struct catalogue *c)
{
	uint64_t sequence = 0;

	return applied_sequence(c, &sequence, NULL) ? 0 : sequence;
}

/* ---- one fact ---- */
static bool short_text(const char *text)
{
	return text && strlen(text) <= ATTRIBUTE_MAX;
}

static bool names_given(const char *const *names, size_t len)
{
	if (len > NAMES_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!names[i])
			return false;
	return true;
}

static bool blob_given(const struct catalogue_blob *b)
{
	return b->bytes && b->len <= SEALED_MAX;
}

static bool content_given(const struct catalogue_fact *f)
{
	return short_text(f->media_type) && f->size <= INT64_MAX && f->sealed_size <= INT64_MAX;
}

static int check_fact(const struct catalogue_fact *f, uint64_t sequence, struct ark_error *err)
{
	const char *missing = NULL;

	if (f->sequence > sequence || sequence > INT64_MAX)
		missing = "sequence";
	else if (f->kind == FACT_RECORD) {
		if (!short_text(f->record_kind) || !f->record_id || !blob_given(&f->sealed_record))
			missing = "record";
	} else if (!f->document || !docid_valid(f->document) || f->version == 0)
		missing = "document";
	else if (f->kind == FACT_RENDITION) {
		if (!f->rendition || !blob_given(&f->sealed_rendition) ||
		    (!f->withdrawn && !content_given(f)))
			missing = "rendition";
	} else if (f->metadata == 0)
		missing = "number";
	else if (!f->date || !date_valid(f->date) || (f->visit_date && !date_valid(f->visit_date)))
		missing = "date";
	else if (!short_text(f->type) || !short_text(f->language) || !short_text(f->publicity) ||
		 !short_text(f->state))
		missing = "attribute";
	else if (!names_given(f->units, f->units_len) ||
		 !names_given(f->counties, f->counties_len) ||
		 !names_given(f->addressees, f->addressees_len))
		missing = "unit, county or addressee";
	else if (!blob_given(&f->sealed_metadata))
		missing = "sealed metadata";
	else if (f->kind == FACT_VERSION && (!blob_given(&f->sealed_version) || !content_given(f) ||
						(f->request && !short_text(f->request))))
		missing = "description of the version";
	if (missing)
		return ark_fail(err, ARK_EINPUT, "item %u of commit %llu has no valid %s", f->item,
		    (unsigned long long)f->sequence, missing);
	return ARK_OK;
}

/* The columns that a metadata record sets, in the order of both statements below. */
static void bind_attributes(
    struct query *q, const struct catalogue *c, const struct catalogue_fact *f)
{
	query_int(q, f->metadata);
	query_int(q, f->sequence);
	query_signed(q, catalogue_day(f->date));
	query_text(q, f->type);
	query_text(q, f->language);
	query_text(q, f->publicity);
	query_text(q, f->state);
	catalogue_query_name(q, c, "orgs", f->author);
	catalogue_query_name(q, c, "cases", f->case_id);
	query_int(q, f->units_len);
	query_signed(q, catalogue_day(f->visit_date));
	query_blob(q, f->sealed_metadata.bytes, f->sealed_metadata.len);
}

static int add_list(struct catalogue *c, int64_t id, const char *const *names, size_t len,
    const char *kind, const char *sql, struct ark_error *err)
{
	struct query q;
	int rc = ARK_OK;

	for (size_t i = 0; i < len && !rc; i++) {
		query_begin(&q, &c->db);
		query_sql(&q, sql);
		query_signed(&q, id);
		catalogue_query_name(&q, c, kind, names[i]);
		rc = query_run(&q, err);
	}
	return rc;
}

static int add_names(
    struct catalogue *c, const struct catalogue_fact *f, int64_t id, struct ark_error *err)
{
	struct query q;
	int rc = ARK_OK;

	for (size_t i = 0; i < f->units_len && !rc; i++) {
		query_begin(&q, &c->db);
		query_sql(&q, "INSERT OR IGNORE INTO version_unit (unit, day, document, id)"
			      " VALUES (?, ?, ?, ?)");
		catalogue_query_name(&q, c, "units", f->units[i]);
		query_signed(&q, catalogue_day(f->date));
		catalogue_query_document(&q, f->document);
		query_signed(&q, id);
		rc = query_run(&q, err);
	}
	if (!rc)
		rc = add_list(c, id, f->counties, f->counties_len, "counties",
		    "INSERT OR IGNORE INTO version_county (id, county) VALUES (?, ?)", err);
	if (!rc)
		rc = add_list(c, id, f->addressees, f->addressees_len, "orgs",
		    "INSERT OR IGNORE INTO version_addressee (id, addressee) VALUES (?, ?)", err);
	return rc;
}

static int drop_names(struct catalogue *c, int64_t id, struct ark_error *err)
{
	static const char *const sql[] = {"DELETE FROM version_unit WHERE id = ?",
	    "DELETE FROM version_county WHERE id = ?",
	    "DELETE FROM version_addressee WHERE id = ?"};
	struct query q;
	int rc = ARK_OK;

	for (size_t i = 0; i < 3 && !rc; i++) {
		query_begin(&q, &c->db);
		query_sql(&q, sql[i]);
		query_signed(&q, id);
		rc = query_run(&q, err);
	}
	return rc;
}

static int add_change(struct catalogue *c, const struct catalogue_fact *f, int kind, int64_t id,
    struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(
	    &q, "INSERT INTO change (sequence, item, time_us, kind, id) VALUES (?, ?, ?, ?, ?)");
	query_int(&q, f->sequence);
	query_int(&q, f->item);
	query_signed(&q, f->time_us);
	query_signed(&q, kind);
	query_signed(&q, id);
	return query_run(&q, err);
}

/* The store never writes a version twice; a row too many would be shown twice. */
static int check_absent(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT 1 FROM version WHERE document = ? AND version = ?");
	catalogue_query_document(&q, f->document);
	query_int(&q, f->version);
	rc = query_run(&q, err);
	return rc == 1 ? ark_fail(err, ARK_ECORRUPT, "item %u of commit %llu files a version again",
			     f->item, (unsigned long long)f->sequence)
		       : rc;
}

/* The version before is no longer the newest. */
static int supersede(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(
	    &q, "UPDATE version SET newest = 0 WHERE document = ? AND version < ? AND newest");
	catalogue_query_document(&q, f->document);
	query_int(&q, f->version);
	return query_run(&q, err);
}

void catalogue_query_filed(
    struct query *q, const struct catalogue *c, const struct catalogue_fact *f)
{
	query_int(q, f->sequence);
	query_signed(q, f->time_us);
	catalogue_query_name(q, c, "users", f->filed_by);
	catalogue_query_name(q, c, "orgs", f->filed_by_org);
	query_int(q, f->size);
	query_int(q, f->sealed_size);
	query_text(q, f->media_type);
	query_blob(q, f->content.id, sizeof(f->content.id));
	query_int(q, f->chunks);
	query_text(q, f->request);
	query_blob(q, f->sealed_version.bytes, f->sealed_version.len);
}

static int apply_version(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;
	int64_t id;
	int rc = check_absent(c, f, err);

	if (!rc)
		rc = supersede(c, f, err);
	if (rc)
		return rc;
	query_begin(&q, &c->db);
	query_sql(&q,
	    "INSERT INTO version (metadata, metadata_sequence, day, type, language, publicity,"
	    " state, author, case_id, unit_count, visit_day, sealed_metadata, document, version, "
	    "sequence, filed_us,"
	    " filed_by, filed_by_org, size, sealed_size, media_type, content, chunks, request,"
	    " sealed_version, newest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?, ?, ?, ?, ?, ?, NOT EXISTS (SELECT 1 FROM version n"
	    " WHERE n.document = ? AND n.version > ?))");
	bind_attributes(&q, c, f);
	catalogue_query_document(&q, f->document);
	query_int(&q, f->version);
	catalogue_query_filed(&q, c, f);
	catalogue_query_document(&q, f->document);
	query_int(&q, f->version);
	rc = query_run(&q, err);
	if (rc)
		return rc;
	id = sqlite3_last_insert_rowid(c->db.sql);
	rc = add_names(c, f, id, err);
	return rc ? rc : add_change(c, f, f->version == 1 ? CHANGE_FILED : CHANGE_VERSION, id, err);
}

static int apply_metadata(
    struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;
	int64_t id = 0;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "UPDATE version SET metadata = ?, metadata_sequence = ?, day = ?, type = ?,"
		      " language = ?, publicity = ?, state = ?, author = ?, case_id = ?,"
		      " unit_count = ?, visit_day = ?, sealed_metadata = ? WHERE document = ? AND "
		      "version = ? RETURNING id");
	bind_attributes(&q, c, f);
	catalogue_query_document(&q, f->document);
	query_int(&q, f->version);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		id = sqlite3_column_int64(q.stmt, 0);
		rc = query_step(&q, err); /* to the end: only then is the statement done */
	} else if (rc == 0) {
		rc = ark_fail(err, ARK_ECORRUPT,
		    "item %u of commit %llu amends a version that is not there", f->item,
		    (unsigned long long)f->sequence);
	}
	query_end(&q);
	if (!rc)
		rc = drop_names(c, id, err);
	if (!rc)
		rc = add_names(c, f, id, err);
	return rc ? rc : add_change(c, f, CHANGE_METADATA, id, err);
}

/* The store numbers renditions without gaps: another number is another version's, or was lost. */
static int apply_rendition(
    struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;
	int64_t id = 0;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "UPDATE version SET renditions = ?, rendition = ?, r_sequence = ?,"
		      " r_filed_us = ?, r_sealed = ?, r_media_type = ?, r_size = ?,"
		      " r_sealed_size = ?, r_content = ?, r_chunks = ?, r_text_state = ?,"
		      " r_text_reason = NULL WHERE document = ? AND version = ?"
		      " AND renditions = ? RETURNING id");
	query_int(&q, f->rendition);
	catalogue_query_rendition(&q, f);
	query_text(&q, f->withdrawn ? NULL : "pending");
	catalogue_query_document(&q, f->document);
	query_int(&q, f->version);
	query_int(&q, f->rendition - 1);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		id = sqlite3_column_int64(q.stmt, 0);
		rc = query_step(&q, err);
	} else if (rc == 0) {
		rc = ark_fail(err, ARK_ECORRUPT,
		    "item %u of commit %llu is no next rendition of a version that is there",
		    f->item, (unsigned long long)f->sequence);
	}
	query_end(&q);
	return rc ? rc : add_change(c, f, CHANGE_RENDITION, id, err);
}

static int apply_record(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(&q, "INSERT INTO record (kind, name, number, sealed) VALUES (?, ?, ?, ?)"
		      " ON CONFLICT (kind, name) DO UPDATE SET number = excluded.number,"
		      " sealed = excluded.sealed WHERE excluded.number > record.number");
	query_text(&q, f->record_kind);
	catalogue_query_name(&q, c, f->record_kind, f->record_id);
	query_int(&q, f->record_number);
	query_blob(&q, f->sealed_record.bytes, f->sealed_record.len);
	return query_run(&q, err);
}

static int apply_fact(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	switch (f->kind) {
	case FACT_VERSION:
		return apply_version(c, f, err);
	case FACT_METADATA:
		return apply_metadata(c, f, err);
	case FACT_RENDITION:
		return apply_rendition(c, f, err);
	case FACT_RECORD:
		return apply_record(c, f, err);
	}
	return ark_fail(err, ARK_EINPUT, "a fact of an unknown kind");
}

static int apply_all(struct catalogue *c, const struct catalogue_fact *facts, size_t n,
    uint64_t sequence, struct ark_error *err)
{
	struct query q;
	uint64_t applied = 0;
	int rc = applied_sequence(c, &applied, err);

	for (size_t i = 0; i < n && !rc; i++) {
		rc = check_fact(&facts[i], sequence, err);
		if (!rc && facts[i].sequence > applied)
			rc = apply_fact(c, &facts[i], err);
	}
	if (rc || sequence <= applied)
		return rc;
	query_begin(&q, &c->db);
	query_sql(&q, "UPDATE applied SET sequence = ? WHERE id = 1");
	query_int(&q, sequence);
	return query_run(&q, err);
}

int catalogue_apply(struct catalogue *c, const struct catalogue_fact *facts, size_t n,
    uint64_t sequence, struct ark_error *err)
{
	int rc = db_exec(&c->db, "BEGIN IMMEDIATE", err);

	if (rc)
		return rc;
	rc = apply_all(c, facts, n, sequence, err);
	if (!rc)
		rc = db_exec(&c->db, "COMMIT", err);
	if (rc)
		sqlite3_exec(c->db.sql, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
