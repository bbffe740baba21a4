/* Whether the catalogue says what the store says: for `arkki verify`. */
#include "archive/catalogue_private.h"

#include <string.h>

#include "arkki/base/text.h"

static void ask_document(struct query *q, const struct catalogue_fact *f)
{
	unsigned char document[16];

	if (!hex_decode(document, sizeof(document), f->document, 32))
		q->failed = true;
	query_name(q, document);
	query_int(q, f->version);
}

/* What a version's row keeps for ever. */
static int version_holds(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(&q,
	    "SELECT 1 FROM version v WHERE document = ? AND version = ? AND sequence = ?"
	    " AND filed_us = ? AND filed_by IS ? AND filed_by_org IS ? AND size = ?"
	    " AND sealed_size = ? AND media_type = ? AND content = ? AND chunks = ?"
	    " AND request IS ? AND sealed_version = ? AND newest = NOT EXISTS"
	    " (SELECT 1 FROM version n WHERE n.document = v.document AND n.version > v.version)");
	ask_document(&q, f);
	catalogue_query_filed(&q, c, f);
	return query_run(&q, err);
}

static uint64_t distinct(const char *const *names, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		size_t k = 0;

		while (k < i && strcmp(names[k], names[i]) != 0)
			k++;
		n += k == i;
	}
	return n;
}

/* 1 a later record amended the version since, 0 not. */
static int superseded(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT 1 FROM version WHERE document = ? AND version = ?"
		      " AND metadata > ? AND metadata_sequence >= ?");
	ask_document(&q, f);
	query_int(&q, f->metadata);
	query_int(&q, f->sequence);
	return query_run(&q, err);
}

/* What the metadata record in effect says: the attributes that decide who sees it. */
static int attributes_hold(
    struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT 1 FROM version v WHERE document = ? AND version = ? AND metadata = ?"
		      " AND metadata_sequence = ? AND day = ? AND type = ? AND language = ?"
		      " AND publicity = ? AND state = ? AND author IS ? AND case_id IS ?"
		      " AND unit_count = ? AND visit_day = ? AND sealed_metadata = ?"
		      " AND (SELECT count(*) FROM version_unit u WHERE u.id = v.id) = ?"
		      " AND (SELECT count(*) FROM version_county y WHERE y.id = v.id) = ?"
		      " AND (SELECT count(*) FROM version_addressee a WHERE a.id = v.id) = ?");
	ask_document(&q, f);
	query_int(&q, f->metadata);
	query_int(&q, f->sequence);
	query_signed(&q, catalogue_day(f->date));
	query_text(&q, f->type);
	query_text(&q, f->language);
	query_text(&q, f->publicity);
	query_text(&q, f->state);
	catalogue_query_name(&q, c, "orgs", f->author);
	catalogue_query_name(&q, c, "cases", f->case_id);
	query_int(&q, f->units_len);
	query_signed(&q, catalogue_day(f->visit_date));
	query_blob(&q, f->sealed_metadata.bytes, f->sealed_metadata.len);
	query_int(&q, distinct(f->units, f->units_len));
	query_int(&q, distinct(f->counties, f->counties_len));
	query_int(&q, distinct(f->addressees, f->addressees_len));
	for (size_t i = 0; i < f->units_len; i++) {
		query_sql(&q, " AND EXISTS (SELECT 1 FROM version_unit u WHERE u.unit = ?"
			      " AND u.day = v.day AND u.document = v.document AND u.id = v.id)");
		catalogue_query_name(&q, c, "units", f->units[i]);
	}
	for (size_t i = 0; i < f->counties_len; i++) {
		query_sql(&q, " AND EXISTS (SELECT 1 FROM version_county y WHERE y.id = v.id"
			      " AND y.county = ?)");
		catalogue_query_name(&q, c, "counties", f->counties[i]);
	}
	for (size_t i = 0; i < f->addressees_len; i++) {
		query_sql(&q, " AND EXISTS (SELECT 1 FROM version_addressee a WHERE a.id = v.id"
			      " AND a.addressee = ?)");
		catalogue_query_name(&q, c, "orgs", f->addressees[i]);
	}
	return query_run(&q, err);
}

/* 1 it is found by its request, or has none. */
static int request_holds(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;

	if (!f->request)
		return 1;
	query_begin(&q, &c->db);
	query_sql(&q, "SELECT 1 FROM version v JOIN rendition_request r ON r.id = v.id"
		      " WHERE document = ? AND version = ? AND r.request = ?");
	ask_document(&q, f);
	query_text(&q, f->request);
	return query_run(&q, err);
}

/* A later one took its place; or it stands as it was filed, or stays withdrawn. */
static int rendition_holds(struct catalogue *c, const struct catalogue_fact *f,
    struct catalogue_tally *tally, struct ark_error *err)
{
	struct query q;
	int rc = request_holds(c, f, err);

	if (rc != 1)
		return rc;
	query_begin(&q, &c->db);
	query_sql(
	    &q, "SELECT 1 FROM version WHERE document = ? AND version = ? AND renditions > ?");
	ask_document(&q, f);
	query_int(&q, f->rendition);
	rc = query_run(&q, err);
	if (rc)
		return rc;
	tally->renditions += !f->withdrawn;
	query_begin(&q, &c->db);
	query_sql(&q, "SELECT 1 FROM version WHERE document = ? AND version = ? AND renditions = ?"
		      " AND rendition = ? AND r_sequence IS ? AND r_filed_us IS ?"
		      " AND r_sealed IS ? AND r_media_type IS ? AND r_size IS ?"
		      " AND r_sealed_size IS ? AND r_content IS ? AND r_chunks IS ?");
	ask_document(&q, f);
	query_int(&q, f->rendition);
	catalogue_query_rendition(&q, f);
	return query_run(&q, err);
}

static int change_holds(struct catalogue *c, const struct catalogue_fact *f, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT 1 FROM version v JOIN change c ON c.id = v.id WHERE document = ?"
		      " AND version = ? AND c.sequence = ? AND c.item = ? AND c.time_us = ?");
	ask_document(&q, f);
	query_int(&q, f->sequence);
	query_int(&q, f->item);
	query_signed(&q, f->time_us);
	return query_run(&q, err);
}

static int document_holds(struct catalogue *c, const struct catalogue_fact *f,
    struct catalogue_tally *tally, struct ark_error *err)
{
	int rc = change_holds(c, f, err);

	tally->changes++;
	if (rc == 1 && f->kind == FACT_RENDITION)
		return rendition_holds(c, f, tally, err);
	if (rc == 1 && f->kind == FACT_VERSION)
		rc = version_holds(c, f, err);
	if (rc != 1)
		return rc;
	rc = superseded(c, f, err);
	if (rc)
		return rc;
	tally->versions++;
	return attributes_hold(c, f, err);
}

static int record_holds(struct catalogue *c, const struct catalogue_fact *f,
    struct catalogue_tally *tally, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT number FROM record WHERE kind = ? AND name = ? AND"
		      " (number > ? OR (number = ? AND sealed = ?))");
	query_text(&q, f->record_kind);
	catalogue_query_name(&q, c, f->record_kind, f->record_id);
	query_int(&q, f->record_number);
	query_int(&q, f->record_number);
	query_blob(&q, f->sealed_record.bytes, f->sealed_record.len);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1 && (uint64_t)sqlite3_column_int64(q.stmt, 0) == f->record_number)
		tally->records++;
	query_end(&q);
	return rc;
}

int catalogue_holds(struct catalogue *c, const struct catalogue_fact *f,
    struct catalogue_tally *tally, struct ark_error *err)
{
	return f->kind == FACT_RECORD ? record_holds(c, f, tally, err)
				      : document_holds(c, f, tally, err);
}

int catalogue_tables(struct catalogue *c, struct catalogue_tally *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT (SELECT count(*) FROM version), (SELECT count(*) FROM change),"
		      " (SELECT count(*) FROM record),"
		      " (SELECT count(*) FROM version WHERE rendition > 0)");
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		ret->versions = (uint64_t)sqlite3_column_int64(q.stmt, 0);
		ret->changes = (uint64_t)sqlite3_column_int64(q.stmt, 1);
		ret->records = (uint64_t)sqlite3_column_int64(q.stmt, 2);
		ret->renditions = (uint64_t)sqlite3_column_int64(q.stmt, 3);
	}
	query_end(&q);
	return rc < 0 ? rc : ARK_OK;
}
