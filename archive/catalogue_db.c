#include "archive/catalogue_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int db_fail(struct db *db, struct ark_error *err, const char *doing)
{
	int status;

	switch (sqlite3_errcode(db->sql)) {
	case SQLITE_NOMEM:
		status = ARK_ENOMEM;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* a row that our own order of facts rules out */
		status = ARK_ECORRUPT;
		break;
	case SQLITE_TOOBIG:
		status = ARK_EINPUT;
		break;
	default:
		status = ARK_EIO;
	}
	return ark_fail(err, status, "cannot %s %s: %s", doing, db->what, sqlite3_errmsg(db->sql));
}

int db_exec(struct db *db, const char *sql, struct ark_error *err)
{
	if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(db, err, "use");
	return ARK_OK;
}

/* SQLite would make the file readable by everybody whom the umask lets; the
 * WAL and its index take the mode of the file. A file that is there is never
 * opened here: closing a descriptor of it drops the POSIX locks that SQLite
 * holds on it in this process, and another process would take the WAL away. */
static int touch(const char *path, const struct db_settings *settings, struct ark_error *err)
{
	struct stat st;
	int fd;

	if (stat(path, &st) == 0)
		return ARK_OK;
	if (settings->create && errno == ENOENT) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
		if (fd >= 0) {
			close(fd);
			return ARK_OK;
		}
		if (errno == EEXIST) /* another process was faster */
			return ARK_OK;
	}
	return ark_fail_errno(err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot open %s, %s",
	    settings->what, path);
}

int db_open(
    struct db *db, const char *path, const struct db_settings *settings, struct ark_error *err)
{
	/* temp_store: nothing that was sorted or spilled may reach a disk file */
	static const char common[] = "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;"
				     "PRAGMA foreign_keys=OFF; PRAGMA trusted_schema=OFF;"
				     "PRAGMA journal_size_limit=67108864;";
	int rc = touch(path, settings, err);

	if (rc)
		return rc;
	*db = (struct db){.what = settings->what};
	/* without the CREATE flag: touch() has made the file. A reader opens for
	 * writing too, because it may have to make the WAL's index. */
	if (sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		goto fail;
	sqlite3_busy_timeout(db->sql, 5000);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (sqlite3_exec(db->sql, common, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db->sql, settings->setup, NULL, NULL, NULL) != SQLITE_OK ||
	    (settings->read_only &&
		sqlite3_exec(db->sql, "PRAGMA query_only=ON", NULL, NULL, NULL) != SQLITE_OK))
		goto fail;
	return ARK_OK;
fail:
	rc = db->sql ? db_fail(db, err, "open")
		     : ark_fail(err, ARK_ENOMEM, "no memory for %s", settings->what);
	db_close(db);
	return rc;
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < DB_STATEMENTS; i++)
		sqlite3_finalize(db->kept[i].stmt);
	sqlite3_close(db->sql);
	*db = (struct db){0};
}

static int user_version(struct db *db, int *ret, struct ark_error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = ARK_OK;

	if (sqlite3_prepare_v2(db->sql, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		rc = db_fail(db, err, "read");
	else
		*ret = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return rc;
}

int db_schema(struct db *db, const char *ddl, int version, bool create, const char *mend,
    struct ark_error *err)
{
	char set[64];
	int found, rc = user_version(db, &found, err);

	if (rc)
		return rc;
	if (found == version)
		return ARK_OK;
	if (found != 0)
		return ark_fail(err, ARK_EINPUT, "%s has schema %d and this arkki needs %d; %s",
		    db->what, found, version, mend);
	if (!create)
		return ark_fail(err, ARK_ENOTFOUND, "%s is empty; %s", db->what, mend);
	snprintf(set, sizeof(set), "PRAGMA user_version=%d", version);
	rc = db_exec(db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", err);
	if (rc)
		return rc;
	/* another process may have been faster */
	rc = user_version(db, &found, err);
	if (!rc && found == 0) {
		rc = db_exec(db, ddl, err);
		if (!rc)
			rc = db_exec(db, set, err);
	}
	if (!rc)
		rc = db_exec(db, "COMMIT", err);
	if (rc)
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* ---- a statement being put together ---- */
void query_begin(struct query *q, struct db *db)
{
	*q = (struct query){.db = db};
	buf_reserve(&q->text, 1500); /* a filtered row query at once */
}

void query_sql(struct query *q, const char *sql)
{
	buf_adds(&q->text, sql);
}

static struct db_value *next_value(struct query *q)
{
	struct db_value *value;
	size_t room;

	if (q->values == q->room) {
		room = q->room ? q->room * 2 : 16;
		value = room <= DB_VALUES_MAX ? realloc(q->value, room * sizeof(*value)) : NULL;
		if (!value) {
			q->failed = true;
			return NULL;
		}
		q->value = value;
		q->room = room;
	}
	return &q->value[q->values++];
}

void query_signed(struct query *q, int64_t number)
{
	struct db_value *v = next_value(q);

	if (v)
		v->kind = DB_INT, v->number = number;
}

void query_int(struct query *q, uint64_t number)
{
	query_signed(q, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

void query_text(struct query *q, const char *text)
{
	struct db_value *v = next_value(q);

	if (v)
		v->kind = DB_TEXT, v->bytes = text, v->len = text ? strlen(text) : 0;
}

void query_blob(struct query *q, const void *bytes, size_t len)
{
	struct db_value *v = next_value(q);

	if (v)
		v->kind = DB_BLOB, v->bytes = bytes, v->len = len;
}

void query_name(struct query *q, const unsigned char name[16])
{
	struct db_value *v = next_value(q);

	if (!v)
		return;
	v->kind = DB_NAME;
	memcpy(v->name, name, sizeof(v->name));
}

/* Eight bytes a step: a filtered row query is about 800 bytes long, and byte
 * by byte its hash was a twentieth of catalogue_get(). */
static uint64_t hash_text(const char *text, size_t len)
{
	uint64_t h = len, word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15U;
		h ^= h >> 29;
	}
	for (; len; text++, len--)
		h = (h ^ (unsigned char)*text) * 0x9e3779b97f4a7c15U;
	return h;
}

/* A kept statement of this text that nobody is stepping through, or the least
 * recently used place for a new one; NULL when all are in use. */
static struct db_statement *find_place(struct query *q, uint64_t hash)
{
	struct db_statement *place = NULL;

	for (size_t i = 0; i < DB_STATEMENTS; i++) {
		struct db_statement *s = &q->db->kept[i];

		if (s->busy)
			continue;
		if (s->stmt && s->hash == hash && strcmp(sqlite3_sql(s->stmt), q->text.data) == 0)
			return s;
		if (!place || s->used < place->used)
			place = s;
	}
	return place;
}

static int take_statement(struct query *q, struct ark_error *err)
{
	uint64_t hash = hash_text(q->text.data, q->text.len);
	struct db_statement *s = find_place(q, hash);

	if (s && s->stmt && s->hash == hash && strcmp(sqlite3_sql(s->stmt), q->text.data) == 0) {
		q->stmt = s->stmt;
	} else {
		if (sqlite3_prepare_v3(q->db->sql, q->text.data, (int)q->text.len + 1,
			SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL) != SQLITE_OK)
			return db_fail(q->db, err, "ask");
		if (s) {
			sqlite3_finalize(s->stmt);
			s->stmt = q->stmt;
			s->hash = hash;
		}
	}
	if (s) {
		s->busy = true;
		s->used = ++q->db->clock;
		q->kept = s;
	}
	return ARK_OK;
}

static int bind(sqlite3_stmt *stmt, int at, const struct db_value *v)
{
	if (v->kind == DB_INT)
		return sqlite3_bind_int64(stmt, at, v->number);
	if (v->kind == DB_NAME)
		return sqlite3_bind_blob(stmt, at, v->name, sizeof(v->name), SQLITE_STATIC);
	if (!v->bytes)
		return sqlite3_bind_null(stmt, at);
	if (v->kind == DB_TEXT)
		return sqlite3_bind_text64(stmt, at, v->bytes, v->len, SQLITE_STATIC, SQLITE_UTF8);
	return sqlite3_bind_blob64(stmt, at, v->bytes, v->len, SQLITE_STATIC);
}

int query_prepare(struct query *q, struct ark_error *err)
{
	int rc;

	if (q->failed || buf_failed(&q->text))
		return q->values >= DB_VALUES_MAX
			   ? ark_fail(
				 err, ARK_EINPUT, "a question of over %d values", DB_VALUES_MAX)
			   : ark_fail(
				 err, ARK_ENOMEM, "no memory for a question to %s", q->db->what);
	rc = take_statement(q, err);
	if (rc)
		return rc;
	if ((size_t)sqlite3_bind_parameter_count(q->stmt) != q->values)
		return ark_fail(err, ARK_EIO, "a statement of %s takes %d values and was given %zu",
		    q->db->what, sqlite3_bind_parameter_count(q->stmt), q->values);
	for (size_t i = 0; i < q->values; i++)
		if (bind(q->stmt, (int)i + 1, &q->value[i]) != SQLITE_OK)
			return db_fail(q->db, err, "ask");
	return ARK_OK;
}

int query_step(struct query *q, struct ark_error *err)
{
	switch (sqlite3_step(q->stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return db_fail(q->db, err, "use");
	}
}

int query_run(struct query *q, struct ark_error *err)
{
	int rc = query_prepare(q, err);

	if (!rc)
		rc = query_step(q, err);
	query_end(q);
	return rc;
}

void query_end(struct query *q)
{
	if (q->kept) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt);
		q->kept->busy = false;
	} else {
		sqlite3_finalize(q->stmt);
	}
	buf_free(&q->text);
	free(q->value);
	*q = (struct query){0};
}
