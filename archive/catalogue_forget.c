/* Destroyed documents leave the catalogue: every row, overwritten, then the write-ahead log and the free pages. */
#include "archive/catalogue_private.h"

/* VACUUM builds the new file in memory (temp_store): beyond this the deleted cells are zeroed by secure_delete alone.
 * What of a document stands in the clear is its id, dates, type and class; the rest is sealed under destroyed keys. */
static const int64_t VACUUM_MAX = INT64_C(1) << 30;

static int note_gone(struct catalogue *c, const char *document, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "INSERT INTO gone SELECT id FROM version WHERE document = ?");
	if (!catalogue_query_document(&q, document)) {
		query_end(&q);
		return ark_fail(err, ARK_EINPUT, "no document has that id");
	}
	rc = query_run(&q, err);
	return rc > 0 ? ARK_OK : rc;
}

/* All documents at once: `change` has no index by id and is read through once. */
int catalogue_forget(
    struct catalogue *c, const char (*documents)[33], size_t n, struct ark_error *err)
{
	static const char begin[] = "CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY);"
				    "BEGIN IMMEDIATE";
	static const char end[] = "DELETE FROM version_unit WHERE id IN (SELECT id FROM gone);"
				  "DELETE FROM version_county WHERE id IN (SELECT id FROM gone);"
				  "DELETE FROM version_addressee WHERE id IN (SELECT id FROM gone);"
				  "DELETE FROM rendition_request WHERE id IN (SELECT id FROM gone);"
				  "DELETE FROM paged WHERE id IN (SELECT id FROM gone);"
				  "DELETE FROM change WHERE id IN (SELECT id FROM gone);"
				  "DELETE FROM version WHERE id IN (SELECT id FROM gone);"
				  "COMMIT";
	int rc = db_exec(&c->db, begin, err);

	for (size_t i = 0; !rc && i < n; i++)
		rc = note_gone(c, documents[i], err);
	if (!rc)
		rc = db_exec(&c->db, end, err);
	if (rc)
		sqlite3_exec(c->db.sql, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_exec(c->db.sql, "DROP TABLE IF EXISTS temp.gone", NULL, NULL, NULL);
	return rc;
}

int catalogue_forget_record(
    struct catalogue *c, const char *record_kind, const char *id, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(&q, "DELETE FROM record WHERE kind = ? AND name = ?");
	query_text(&q, record_kind);
	catalogue_query_name(&q, c, record_kind, id);
	return query_run(&q, err);
}

static int64_t number_of(struct catalogue *c, const char *pragma)
{
	sqlite3_stmt *s = NULL;
	int64_t n = 0;

	if (sqlite3_prepare_v2(c->db.sql, pragma, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

int catalogue_scrub(struct catalogue *c, struct ark_error *err)
{
	int rc = ARK_OK;

	if (number_of(c, "PRAGMA page_count") * number_of(c, "PRAGMA page_size") <= VACUUM_MAX)
		rc = db_exec(&c->db, "VACUUM", err);
	/* waits for readers that are in the middle of an answer, as long as the busy timeout lets it */
	if (!rc && sqlite3_wal_checkpoint_v2(
		       c->db.sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
		rc = db_fail(&c->db, err, "empty the log of");
	return rc;
}
