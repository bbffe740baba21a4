/* One SQLite connection as arkki uses it: settings, statements kept
 * prepared, errors mapped. Private to the catalogue and the state.
 *
 * Statement texts are ours, values are bound: no text from outside is ever
 * part of SQL, and no error text carries a value. Threads: one at a time.
 */
#ifndef ARKKI_CATALOGUE_DB_H
#define ARKKI_CATALOGUE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

/* Values: a filter of 500 units stands in a question up to five times. */
/* One filter may have 20,000 leaves, and a list asks with four of them. */
enum { DB_STATEMENTS = 64, DB_VALUES_MAX = 131072 };

struct db_statement {
	sqlite3_stmt *stmt;
	uint64_t hash, used; /* of the text; when last */
	bool busy;
};

struct db {
	sqlite3 *sql;
	const char *what; /* "the catalogue": names the file in error texts */
	uint64_t clock;
	struct db_statement kept[DB_STATEMENTS];
};

struct db_settings {
	const char *what;
	const char *setup; /* pragmas beyond the common ones */
	bool create;       /* else ARK_ENOTFOUND when there is no file */
	bool read_only;
};
/* On failure nothing stays open. */
ARK_MUSTUSE int db_open(
    struct db *db, const char *path, const struct db_settings *settings, struct ark_error *err);
void db_close(struct db *db);

/* Makes the schema in an empty file, or checks that it is version `version`:
 * ARK_ENOTFOUND for an empty file when create is false, ARK_EINPUT with `mend` for another version. */
ARK_MUSTUSE int db_schema(struct db *db, const char *ddl, int version, bool create,
    const char *mend, struct ark_error *err);

/* The status for what SQLite said last, "doing: message" as the text. */
int db_fail(struct db *db, struct ark_error *err, const char *doing);
ARK_MUSTUSE int db_exec(struct db *db, const char *sql, struct ark_error *err);

/* ---- a statement being put together ---- */
struct db_value {
	enum { DB_INT, DB_TEXT, DB_BLOB, DB_NAME } kind;
	int64_t number;
	const void *bytes; /* borrowed until query_end(); NULL: SQL NULL */
	size_t len;
	unsigned char name[16]; /* a keyed hash, the query's own */
};

/* Initialised by query_begin(), ended by query_end(). Sticky: a failed
 * allocation or too many values show at query_prepare(). */
struct query {
	struct db *db;
	struct buf text;
	struct db_value *value;
	size_t values, room;
	bool failed;
	sqlite3_stmt *stmt;
	struct db_statement *kept; /* NULL: the statement is this query's own */
};

void query_begin(struct query *q, struct db *db);
void query_sql(struct query *q, const char *sql);
/* Each binds the next parameter; the text holds "?" for it, in the same order. */
void query_int(struct query *q, uint64_t number);
void query_signed(struct query *q, int64_t number);
void query_text(struct query *q, const char *text); /* NULL: SQL NULL */
void query_blob(struct query *q, const void *bytes, size_t len);
void query_name(struct query *q, const unsigned char name[16]); /* copied */
ARK_MUSTUSE int query_prepare(struct query *q, struct ark_error *err);
/* 1: a row, 0: the end, negative: failed. */
ARK_MUSTUSE int query_step(struct query *q, struct ark_error *err);
/* Prepare, one step, end: 1, 0 or negative as query_step(). For statements whose row nobody wants. */
ARK_MUSTUSE int query_run(struct query *q, struct ark_error *err);
void query_end(struct query *q);

#endif
