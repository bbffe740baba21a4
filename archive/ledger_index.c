#include "archive/ledger_index.h"

#include <sqlite3.h>
#include <stdio.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/buf.h"

enum { SCHEMA_VERSION = 2, BUSY_MS = 10000 };

/* Version 1 had no organisations, no broken glass and no `about`. Any older one is thrown away and filled
 * anew from the segments. */
static const char schema[] =
    "BEGIN;"
    "DROP TABLE IF EXISTS entry;"
    "DROP TABLE IF EXISTS concern;"
    "CREATE TABLE entry(idx INTEGER PRIMARY KEY, time_us INTEGER NOT NULL,"
    " document BLOB, principal BLOB, own INTEGER NOT NULL,"
    " document_sequence INTEGER, principal_sequence INTEGER,"
    " segment INTEGER NOT NULL, place INTEGER NOT NULL, glass INTEGER NOT NULL, about INTEGER);"
    "CREATE INDEX entry_document ON entry(document, idx) WHERE document IS NOT NULL;"
    "CREATE INDEX entry_principal ON entry(principal, idx) WHERE principal IS NOT NULL;"
    /* the own series of a document: few among its many entries */
    "CREATE INDEX entry_document_own ON entry(document, idx)"
    " WHERE document IS NOT NULL AND own = 1;"
    "CREATE INDEX entry_time ON entry(time_us);"
    "CREATE INDEX entry_glass ON entry(idx) WHERE glass = 1;"
    "CREATE INDEX entry_about ON entry(about, own, idx) WHERE about IS NOT NULL;"
    /* whom an entry of the common series concerns: its organisation and the document's author. It
     * repeats what a walk must know of an entry, so that what is passed over is not looked up. */
    "CREATE TABLE concern(org BLOB NOT NULL, idx INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    " glass INTEGER NOT NULL, PRIMARY KEY(org, idx)) WITHOUT ROWID;"
    "CREATE INDEX concern_glass ON concern(org, idx) WHERE glass = 1;"
    "PRAGMA user_version = 2;"
    "COMMIT;";

static const char insert_sql[] =
    "INSERT OR REPLACE INTO entry VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
static const char concern_sql[] = "INSERT OR REPLACE INTO concern VALUES(?1, ?2, ?3, ?4)";

struct ledger_index {
	sqlite3 *db;
	sqlite3_stmt *insert, *concern, *locate, *about;
	sqlite3_stmt *last[4]; /* by the first byte of a sequence_key */
};

static int fail_sql(struct ledger_index *ix, struct ark_error *err, const char *what)
{
	int code = ix->db ? sqlite3_errcode(ix->db) & 0xff : SQLITE_NOMEM;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return ark_fail(err, ARK_ECORRUPT,
		    "the ledger's index.sqlite is damaged (%s); delete it: it is made anew from "
		    "the segments",
		    sqlite3_errmsg(ix->db));
	return ark_fail(err, code == SQLITE_NOMEM ? ARK_ENOMEM : ARK_EIO,
	    "cannot %s the ledger's index: %s", what,
	    ix->db ? sqlite3_errmsg(ix->db) : "no memory");
}

static int run(struct ledger_index *ix, const char *sql, struct ark_error *err)
{
	return sqlite3_exec(ix->db, sql, NULL, NULL, NULL) == SQLITE_OK
		   ? ARK_OK
		   : fail_sql(ix, err, "set up");
}

static int prepare(
    struct ledger_index *ix, const char *sql, sqlite3_stmt **ret, struct ark_error *err)
{
	return sqlite3_prepare_v3(ix->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) ==
		       SQLITE_OK
		   ? ARK_OK
		   : fail_sql(ix, err, "ask");
}

static int schema_version(struct ledger_index *ix, int *ret, struct ark_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = prepare(ix, "PRAGMA user_version", &s, err);

	if (!rc && sqlite3_step(s) != SQLITE_ROW)
		rc = fail_sql(ix, err, "read");
	if (!rc)
		*ret = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return rc;
}

static int set_up(struct ledger_index *ix, enum ledger_index_mode mode, struct ark_error *err)
{
	static const char *const last[4] = {
	    "SELECT document_sequence, idx FROM entry WHERE document = ?1 AND own = 0"
	    " ORDER BY idx DESC LIMIT 1",
	    "SELECT principal_sequence, idx FROM entry WHERE principal = ?1 AND own = 0"
	    " ORDER BY idx DESC LIMIT 1",
	    "SELECT document_sequence, idx FROM entry WHERE document = ?1 AND own = 1"
	    " ORDER BY idx DESC LIMIT 1",
	    "SELECT principal_sequence, idx FROM entry WHERE principal = ?1 AND own = 1"
	    " ORDER BY idx DESC LIMIT 1"};
	int version = 0, rc;

	sqlite3_busy_timeout(ix->db, BUSY_MS);
	rc = schema_version(ix, &version, err);
	if (!rc && mode != LEDGER_INDEX_READ && version < SCHEMA_VERSION) {
		rc = run(ix, "PRAGMA journal_mode=WAL", err);
		if (!rc)
			rc = run(ix, schema, err);
		version = SCHEMA_VERSION;
	}
	if (!rc && version != SCHEMA_VERSION)
		rc = ark_fail(err, version > SCHEMA_VERSION ? ARK_EINPUT : ARK_ENOTFOUND,
		    "the ledger's index.sqlite is of version %d; delete it: it is made anew from "
		    "the segments",
		    version);
	if (!rc && mode == LEDGER_INDEX_WRITE)
		rc = run(ix, "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384", err);
	if (!rc && mode != LEDGER_INDEX_READ)
		rc = prepare(ix, insert_sql, &ix->insert, err);
	if (!rc && mode != LEDGER_INDEX_READ)
		rc = prepare(ix, concern_sql, &ix->concern, err);
	if (!rc)
		rc = prepare(ix,
		    "SELECT min(idx) FROM entry WHERE about IS NOT NULL AND about = ?1 AND own = "
		    "?2",
		    &ix->about, err);
	if (!rc)
		rc = prepare(
		    ix, "SELECT segment, place FROM entry WHERE idx = ?1", &ix->locate, err);
	for (int i = 0; !rc && i < 4; i++)
		rc = prepare(ix, last[i], &ix->last[i], err);
	return rc;
}

/* SQLite would let the umask decide who may read it; the WAL takes the mode of the file. One that
 * is there is not opened: closing a descriptor would drop SQLite's locks on it in this process. */
static void make_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

int ledger_index_open(
    const char *path, enum ledger_index_mode mode, struct ledger_index **ret, struct ark_error *err)
{
	struct ledger_index *ix = calloc(1, sizeof(*ix));
	int flags = SQLITE_OPEN_NOMUTEX |
		    (mode == LEDGER_INDEX_READ ? SQLITE_OPEN_READONLY
					       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	int rc = ARK_OK;

	if (!ix)
		return ark_fail(err, ARK_ENOMEM, "no memory for the ledger's index");
	if (mode != LEDGER_INDEX_READ && mode != LEDGER_INDEX_MEMORY)
		make_private(path);
	if (sqlite3_open_v2(
		mode == LEDGER_INDEX_MEMORY ? ":memory:" : path, &ix->db, flags, NULL) != SQLITE_OK)
		rc = mode == LEDGER_INDEX_READ
			 ? ark_fail(err, ARK_ENOTFOUND, "there is no %s", path)
			 : fail_sql(ix, err, "open");
	if (!rc)
		rc = set_up(ix, mode, err);
	if (rc) {
		ledger_index_close(ix);
		return rc;
	}
	*ret = ix;
	return ARK_OK;
}

void ledger_index_close(struct ledger_index *ix)
{
	if (!ix)
		return;
	sqlite3_finalize(ix->insert);
	sqlite3_finalize(ix->concern);
	sqlite3_finalize(ix->locate);
	sqlite3_finalize(ix->about);
	for (int i = 0; i < 4; i++)
		sqlite3_finalize(ix->last[i]);
	sqlite3_close(ix->db);
	free(ix);
}

int ledger_index_size(struct ledger_index *ix, uint64_t *ret, struct ark_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = prepare(ix, "SELECT coalesce(max(idx) + 1, 0) FROM entry", &s, err);

	if (!rc && sqlite3_step(s) != SQLITE_ROW)
		rc = fail_sql(ix, err, "read");
	if (!rc)
		*ret = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc;
}

static void bind_id(sqlite3_stmt *s, int at, bool has, const unsigned char id[16])
{
	if (has)
		sqlite3_bind_blob(s, at, id, 16, SQLITE_STATIC);
	else
		sqlite3_bind_null(s, at);
}

static void bind_sequence(sqlite3_stmt *s, int at, uint64_t sequence)
{
	if (sequence)
		sqlite3_bind_int64(s, at, (sqlite3_int64)sequence);
	else
		sqlite3_bind_null(s, at);
}

static int step_done(struct ledger_index *ix, sqlite3_stmt *s, struct ark_error *err)
{
	int rc = sqlite3_step(s) == SQLITE_DONE ? ARK_OK : fail_sql(ix, err, "write");

	sqlite3_reset(s);
	return rc;
}

static int put_entry(struct ledger_index *ix, const struct ledger_row *r, struct ark_error *err)
{
	sqlite3_stmt *s = ix->insert;

	sqlite3_bind_int64(s, 1, (sqlite3_int64)r->index);
	sqlite3_bind_int64(s, 2, r->time_us);
	bind_id(s, 3, r->has_document, r->document);
	bind_id(s, 4, r->has_principal, r->principal);
	sqlite3_bind_int(s, 5, r->own_series);
	bind_sequence(s, 6, r->document_sequence);
	bind_sequence(s, 7, r->principal_sequence);
	sqlite3_bind_int64(s, 8, r->segment);
	sqlite3_bind_int64(s, 9, (sqlite3_int64)r->offset);
	sqlite3_bind_int(s, 10, r->glass);
	if (r->has_about)
		sqlite3_bind_int64(s, 11, (sqlite3_int64)r->about);
	else
		sqlite3_bind_null(s, 11);
	return step_done(ix, s, err);
}

static int put_concern(struct ledger_index *ix, const struct ledger_row *r,
    const unsigned char org[16], struct ark_error *err)
{
	sqlite3_bind_blob(ix->concern, 1, org, 16, SQLITE_STATIC);
	sqlite3_bind_int64(ix->concern, 2, (sqlite3_int64)r->index);
	sqlite3_bind_int64(ix->concern, 3, r->time_us);
	sqlite3_bind_int(ix->concern, 4, r->glass);
	return step_done(ix, ix->concern, err);
}

int ledger_index_apply(
    struct ledger_index *ix, const struct ledger_row *rows, size_t n, struct ark_error *err)
{
	int rc = run(ix, "BEGIN IMMEDIATE", err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++) {
		const struct ledger_row *r = &rows[i];

		rc = put_entry(ix, r, err);
		if (!rc && r->has_org && !r->own_series)
			rc = put_concern(ix, r, r->org, err);
		if (!rc && r->has_author && !r->own_series)
			rc = put_concern(ix, r, r->author, err);
	}
	if (!rc)
		rc = run(ix, "COMMIT", err);
	if (rc)
		(void)sqlite3_exec(ix->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int ledger_index_last(
    struct ledger_index *ix, const struct sequence_key *key, uint64_t *ret, struct ark_error *err)
{
	uint64_t index;

	return ledger_index_newest(ix, key, ret, &index, err);
}

int ledger_index_newest(struct ledger_index *ix, const struct sequence_key *key, uint64_t *ret,
    uint64_t *ret_index, struct ark_error *err)
{
	sqlite3_stmt *s = ix->last[key->bytes[0] & 3];
	int rc = ARK_OK, step;

	sqlite3_bind_blob(s, 1, key->bytes + 1, 16, SQLITE_STATIC);
	step = sqlite3_step(s);
	*ret_index = 0;
	if (step == SQLITE_ROW) {
		*ret = (uint64_t)sqlite3_column_int64(s, 0);
		*ret_index = (uint64_t)sqlite3_column_int64(s, 1);
	} else if (step == SQLITE_DONE) {
		*ret = 0;
	} else {
		rc = fail_sql(ix, err, "read");
	}
	sqlite3_reset(s);
	return rc;
}

int ledger_index_hold(struct ledger_index *ix, struct ark_error *err)
{
	return run(ix, "BEGIN", err);
}

int ledger_index_locate(struct ledger_index *ix, uint64_t index, uint32_t *ret_segment,
    uint64_t *ret_offset, struct ark_error *err)
{
	int rc = ARK_OK, step;

	sqlite3_bind_int64(ix->locate, 1, (sqlite3_int64)index);
	step = sqlite3_step(ix->locate);
	if (step == SQLITE_ROW) {
		*ret_segment = (uint32_t)sqlite3_column_int64(ix->locate, 0);
		*ret_offset = (uint64_t)sqlite3_column_int64(ix->locate, 1);
	} else if (step == SQLITE_DONE) {
		rc = ark_fail(
		    err, ARK_ENOTFOUND, "there is no entry %llu", (unsigned long long)index);
	} else {
		rc = fail_sql(ix, err, "read");
	}
	sqlite3_reset(ix->locate);
	return rc;
}

int ledger_index_about(
    struct ledger_index *ix, uint64_t about, bool own, uint64_t *ret, struct ark_error *err)
{
	int rc = ARK_OK;

	sqlite3_bind_int64(ix->about, 1, (sqlite3_int64)about);
	sqlite3_bind_int(ix->about, 2, own);
	if (sqlite3_step(ix->about) != SQLITE_ROW)
		rc = fail_sql(ix, err, "read");
	else if (sqlite3_column_type(ix->about, 0) == SQLITE_NULL)
		rc = ARK_ENOTFOUND;
	else
		*ret = (uint64_t)sqlite3_column_int64(ix->about, 0);
	sqlite3_reset(ix->about);
	return rc;
}

/* ---- finding ---- */

enum { ORGS_AT = 7 }; /* the first parameter that is an organisation */

static void where_time(struct buf *sql, const struct ledger_index_query *q, const char *alias)
{
	if (q->from_us)
		buf_addf(sql, " AND %s.time_us >= ?4", alias);
	if (q->to_us)
		buf_addf(sql, " AND %s.time_us < ?5", alias);
	if (q->glass)
		buf_addf(sql, " AND %s.glass = 1", alias);
}

/* One document or one principal, or everybody's. */
static void sql_of_entries(struct buf *sql, const struct ledger_index_query *q)
{
	buf_addf(sql,
	    "SELECT e.idx, e.segment, e.place FROM entry e%s WHERE e.idx >= ?1 AND e.idx < ?6%s%s",
	    q->glass && !q->document && !q->principal ? " INDEXED BY entry_glass" : "",
	    q->document ? " AND e.document = ?2" : "", q->principal ? " AND e.principal = ?3" : "");
	where_time(sql, q, "e");
	if (!q->orgs)
		return;
	buf_adds(sql,
	    " AND e.own = 0 AND EXISTS(SELECT 1 FROM concern c WHERE c.idx = e.idx AND c.org IN (");
	for (size_t i = 0; i < q->orgs_len; i++)
		buf_addf(sql, "%s?%zu", i ? ", " : "", ORGS_AT + i);
	buf_adds(sql, "))");
}

/* Organisations: a walk along the entries of each, merged in order as far as it is asked for. */
static void sql_of_concerns(struct buf *sql, const struct ledger_index_query *q)
{
	for (size_t i = 0; i < q->orgs_len; i++) {
		buf_addf(sql,
		    "%sSELECT c.idx, e.segment, e.place FROM concern c%s CROSS JOIN entry e ON "
		    "e.idx = c.idx"
		    " WHERE c.org = ?%zu AND c.idx >= ?1 AND c.idx < ?6",
		    i ? " UNION " : "", q->glass ? " INDEXED BY concern_glass" : "", ORGS_AT + i);
		where_time(sql, q, "c");
	}
}

static void bind_query(sqlite3_stmt *s, const struct ledger_index_query *q)
{
	sqlite3_bind_int64(s, 1, (sqlite3_int64)q->after);
	sqlite3_bind_int64(s, 6, (sqlite3_int64)q->before);
	if (q->document)
		sqlite3_bind_blob(s, 2, q->document, 16, SQLITE_STATIC);
	if (q->principal)
		sqlite3_bind_blob(s, 3, q->principal, 16, SQLITE_STATIC);
	if (q->from_us)
		sqlite3_bind_int64(s, 4, q->from_us);
	if (q->to_us)
		sqlite3_bind_int64(s, 5, q->to_us);
	for (size_t i = 0; q->orgs && i < q->orgs_len; i++)
		sqlite3_bind_blob(s, ORGS_AT + (int)i, q->orgs[i], 16, SQLITE_STATIC);
}

int ledger_index_find(struct ledger_index *ix, const struct ledger_index_query *q,
    ledger_index_each each, void *arg, struct ark_error *err)
{
	struct buf sql = BUF_INIT;
	sqlite3_stmt *s = NULL;
	int rc, step = SQLITE_DONE;

	if (q->orgs && !q->orgs_len)
		return ARK_OK;
	if (q->orgs_len > LEDGER_INDEX_ORGS_MAX)
		return ark_fail(err, ARK_EINPUT, "over %d organisations are asked for at once",
		    LEDGER_INDEX_ORGS_MAX);
	if (q->orgs && !q->document && !q->principal)
		sql_of_concerns(&sql, q);
	else
		sql_of_entries(&sql, q);
	buf_adds(&sql, q->newest_first ? " ORDER BY 1 DESC" : " ORDER BY 1");
	rc = buf_failed(&sql) ? ark_fail(err, ARK_ENOMEM, "no memory for a question")
			      : prepare(ix, sql.data, &s, err);
	buf_free(&sql);
	if (rc)
		return rc;
	bind_query(s, q);
	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW)
		rc = each(arg, (uint64_t)sqlite3_column_int64(s, 0),
		    (uint32_t)sqlite3_column_int64(s, 1), (uint64_t)sqlite3_column_int64(s, 2));
	if (!rc && step != SQLITE_DONE)
		rc = fail_sql(ix, err, "read");
	sqlite3_finalize(s);
	return rc;
}
