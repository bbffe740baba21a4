/* The sealed rows: written, found, opened. */
#include <stdlib.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/text.h"

enum {
	AAD_SIZE = 4 + 8 + HASH_SIZE + ROW_ID_SIZE + OWNER_SIZE,
	BODY_ROOM =
	    1024, /* one allocation for all but providers, so that the wipe reaches every byte */
	BODY_MAX = 1 << 18,
};

/* Not in the schema, so that archives from before have them too: made at the first use. */
static const char ddl_credentials[] =
    "CREATE TABLE IF NOT EXISTS credential (kind INTEGER NOT NULL, name BLOB NOT NULL, id BLOB NOT "
    "NULL,"
    " owner BLOB NOT NULL, ends INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, name)) "
    "WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS credential_owner ON credential (owner, kind);"
    "CREATE INDEX IF NOT EXISTS credential_id ON credential (id);";

int state_enter(struct state *s, bool writing, struct ark_error *err)
{
	int rc = ARK_OK;

	pthread_mutex_lock(&s->lock);
	if (!s->credentials)
		rc = db_exec(&s->db, ddl_credentials, err);
	s->credentials = !rc;
	if (!rc && writing)
		rc = db_exec(&s->db, "BEGIN IMMEDIATE", err);
	if (rc)
		pthread_mutex_unlock(&s->lock);
	return rc;
}

int state_leave(struct state *s, bool writing, int rc, struct ark_error *err)
{
	if (writing && !rc)
		rc = db_exec(&s->db, "COMMIT", err);
	if (writing && rc)
		sqlite3_exec(s->db.sql, "ROLLBACK", NULL, NULL, NULL);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- fields ---- */

void field_text(struct buf *body, const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	buf_add(body, text, len);
	for (; len < size; len++)
		buf_addc(body, '\0');
}

void field_number(struct buf *body, int64_t number)
{
	buf_add_be(body, (uint64_t)number, 8);
}

void fields_bytes(struct fields *f, void *out, size_t size)
{
	if (f->left < size) {
		f->bad = true;
		f->left = 0;
		memset(out, 0, size);
		return;
	}
	memcpy(out, f->at, size);
	f->at += size;
	f->left -= size;
}

void fields_text(struct fields *f, char *out, size_t size)
{
	fields_bytes(f, out, size);
	out[size] = '\0';
}

int64_t fields_number(struct fields *f)
{
	unsigned char bytes[8];

	fields_bytes(f, bytes, sizeof(bytes));
	return (int64_t)be64_get(bytes);
}

struct fields row_fields(const struct row *r, char *user)
{
	struct fields f = {.at = (const unsigned char *)r->body.data, .left = r->body.len};
	char ignored[USER_SIZE + 1];

	fields_text(&f, user ? user : ignored, USER_SIZE);
	return f;
}

/* ---- names ---- */

void row_owner(const struct state *s, const char *user, unsigned char out[OWNER_SIZE])
{
	crypto_generichash(out, OWNER_SIZE, (const unsigned char *)user, strlen(user), s->owner_key,
	    sizeof(s->owner_key));
}

void row_init(const struct state *s, struct row *r, enum credential_kind kind, const char *user)
{
	*r = (struct row){.kind = kind, .ends_us = INT64_MAX, .body = {.limit = BODY_MAX}};
	randombytes_buf(r->id, sizeof(r->id));
	buf_reserve(&r->body, BODY_ROOM);
	if (user)
		row_owner(s, user, r->owner);
	field_text(&r->body, user ? user : "", USER_SIZE);
}

void row_free(struct row *r)
{
	buf_wipe_free(&r->body);
}

void row_name_bytes(const struct state *s, struct row *r, const void *bytes, size_t len)
{
	crypto_generichash(r->name, sizeof(r->name), bytes, len, s->kinds[r->kind].hash, KEY_SIZE);
}

void row_name(const struct state *s, struct row *r, const char *text, const char *second)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, s->kinds[r->kind].hash, KEY_SIZE, sizeof(r->name));
	crypto_generichash_update(&st, (const unsigned char *)text, strlen(text));
	if (second) {
		crypto_generichash_update(&st, (const unsigned char *)"", 1);
		crypto_generichash_update(&st, (const unsigned char *)second, strlen(second));
	}
	crypto_generichash_final(&st, r->name, sizeof(r->name));
	sodium_memzero(&st, sizeof(st));
}

bool row_id_parse(const char *hex, unsigned char out[ROW_ID_SIZE])
{
	return hex && hex_decode(out, ROW_ID_SIZE, hex, strlen(hex));
}

/* ---- sealing ---- */

static void additional(const struct row *r, unsigned char out[AAD_SIZE])
{
	be32_put(out, (uint32_t)r->kind);
	be64_put(out + 4, (uint64_t)r->ends_us);
	memcpy(out + 12, r->name, HASH_SIZE);
	memcpy(out + 12 + HASH_SIZE, r->id, ROW_ID_SIZE);
	memcpy(out + 12 + HASH_SIZE + ROW_ID_SIZE, r->owner, OWNER_SIZE);
}

static int seal_body(
    const struct state *s, const struct row *r, struct buf *out, struct ark_error *err)
{
	unsigned char aad[AAD_SIZE];
	size_t len = r->body.len + SEAL_EXTRA;

	if (buf_failed(&r->body) || !buf_reserve(out, len))
		return ark_fail(err, ARK_ENOMEM, "no memory for a credential");
	additional(r, aad);
	randombytes_buf(out->data, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt((unsigned char *)out->data + NONCE_SIZE, NULL,
	    (const unsigned char *)r->body.data, r->body.len, aad, sizeof(aad), NULL,
	    (const unsigned char *)out->data, s->kinds[r->kind].seal);
	out->len = len;
	return ARK_OK;
}

static int open_body(const struct state *s, struct row *r, const unsigned char *sealed, size_t len,
    struct ark_error *err)
{
	unsigned char aad[AAD_SIZE];

	buf_clear(&r->body);
	if (len < SEAL_EXTRA || len > BODY_MAX)
		return ark_fail(err, ARK_ECORRUPT, "the state holds a malformed credential");
	if (!buf_reserve(&r->body, len - SEAL_EXTRA > BODY_ROOM ? len - SEAL_EXTRA : BODY_ROOM))
		return ark_fail(err, ARK_ENOMEM, "no memory for a credential");
	additional(r, aad);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)r->body.data, NULL, NULL,
		sealed + NONCE_SIZE, len - NONCE_SIZE, aad, sizeof(aad), sealed,
		s->kinds[r->kind].seal))
		return ark_fail(err, ARK_ECORRUPT, "a credential of the state does not open");
	r->body.len = len - SEAL_EXTRA;
	return ARK_OK;
}

/* Columns kind, name, id, owner, ends, body of a row that the question stands at. */
static int take_row(
    const struct state *s, const struct query *q, struct row *r, struct ark_error *err)
{
	int64_t kind = sqlite3_column_int64(q->stmt, 0);
	const void *name = sqlite3_column_blob(q->stmt, 1), *id = sqlite3_column_blob(q->stmt, 2);
	const void *owner = sqlite3_column_blob(q->stmt, 3);
	const void *body = sqlite3_column_blob(q->stmt, 5);

	if (kind < 1 || kind >= CREDENTIAL_KINDS || !name || !id || !owner || !body ||
	    sqlite3_column_bytes(q->stmt, 1) != HASH_SIZE ||
	    sqlite3_column_bytes(q->stmt, 2) != ROW_ID_SIZE ||
	    sqlite3_column_bytes(q->stmt, 3) != OWNER_SIZE)
		return ark_fail(err, ARK_ECORRUPT, "the state holds a malformed credential");
	r->kind = (enum credential_kind)kind;
	memcpy(r->name, name, HASH_SIZE);
	memcpy(r->id, id, ROW_ID_SIZE);
	memcpy(r->owner, owner, OWNER_SIZE);
	r->ends_us = sqlite3_column_int64(q->stmt, 4);
	return open_body(s, r, body, (size_t)sqlite3_column_bytes(q->stmt, 5), err);
}

static void open_decoy(const struct state *s)
{
	unsigned char plain[DECOY_SIZE];

	(void)tokens_open(s, s->decoy, sizeof(s->decoy), s->decoy_hash, plain);
}

/* ---- one row ---- */

int row_read(struct state *s, struct row *r, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, "SELECT kind, name, id, owner, ends, body FROM credential"
		      " WHERE kind = ? AND name = ?");
	query_signed(&q, r->kind);
	query_blob(&q, r->name, HASH_SIZE);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		rc = take_row(s, &q, r, err);
	} else if (!rc) {
		open_decoy(s);
		rc = ark_fail(err, ARK_ENOTFOUND, "no such credential");
	}
	query_end(&q);
	return rc;
}

int row_write(struct state *s, const struct row *r, struct ark_error *err)
{
	struct buf sealed = BUF_INIT;
	struct query q;
	int rc = seal_body(s, r, &sealed, err);

	if (rc)
		return rc;
	query_begin(&q, &s->db);
	query_sql(&q, "INSERT OR REPLACE INTO credential (kind, name, id, owner, ends, body)"
		      " VALUES (?, ?, ?, ?, ?, ?)");
	query_signed(&q, r->kind);
	query_blob(&q, r->name, HASH_SIZE);
	query_blob(&q, r->id, ROW_ID_SIZE);
	query_blob(&q, r->owner, OWNER_SIZE);
	query_signed(&q, r->ends_us);
	query_blob(&q, sealed.data, sealed.len);
	rc = query_run(&q, err);
	buf_free(&sealed);
	return rc;
}

int row_renew(struct state *s, const struct row *r, struct ark_error *err)
{
	struct buf sealed = BUF_INIT;
	struct query q;
	int rc = seal_body(s, r, &sealed, err);

	if (rc)
		return rc;
	query_begin(&q, &s->db);
	query_sql(&q, "UPDATE credential SET body = ? WHERE kind = ? AND name = ?");
	query_blob(&q, sealed.data, sealed.len);
	query_signed(&q, r->kind);
	query_blob(&q, r->name, HASH_SIZE);
	rc = query_run(&q, err);
	buf_free(&sealed);
	return rc;
}

int row_delete(struct state *s, const struct row *r, bool *ret_there, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, "DELETE FROM credential WHERE kind = ? AND name = ?");
	query_signed(&q, r->kind);
	query_blob(&q, r->name, HASH_SIZE);
	rc = query_run(&q, err);
	if (!rc && ret_there)
		*ret_there = sqlite3_changes(s->db.sql) > 0;
	return rc;
}

/* ---- many ---- */

int rows_delete(struct state *s, enum credential_kind kind, const char *user, struct ark_error *err)
{
	unsigned char owner[OWNER_SIZE];
	struct query q;

	row_owner(s, user, owner);
	query_begin(&q, &s->db);
	query_sql(&q, "DELETE FROM credential WHERE owner = ? AND kind = ?");
	query_blob(&q, owner, sizeof(owner));
	query_signed(&q, kind);
	return query_run(&q, err);
}

static void ask_rows(struct query *q, const struct rows_wish *wish, const unsigned char *owner)
{
	query_sql(q, "SELECT kind, name, id, owner, ends, body FROM credential WHERE 1");
	if (wish->kind) {
		query_sql(q, " AND kind = ?");
		query_signed(q, wish->kind);
	}
	if (wish->user) {
		query_sql(q, " AND owner = ?");
		query_blob(q, owner, OWNER_SIZE);
	}
	if (wish->id) {
		query_sql(q, " AND id = ?");
		query_blob(q, wish->id, ROW_ID_SIZE);
	}
	query_sql(q, " ORDER BY kind, name");
}

int rows_each(struct state *s, const struct rows_wish *wish,
    int (*each)(void *arg, struct row *r, struct ark_error *err), void *arg, struct ark_error *err)
{
	unsigned char owner[OWNER_SIZE];
	struct row r = {.body = {.limit = BODY_MAX}};
	struct query q;
	int rc;

	if (wish->user)
		row_owner(s, wish->user, owner);
	query_begin(&q, &s->db);
	ask_rows(&q, wish, owner);
	rc = query_prepare(&q, err);
	while (!rc && (rc = query_step(&q, err)) == 1) {
		rc = take_row(s, &q, &r, err);
		if (!rc)
			rc = each(arg, &r, err);
	}
	query_end(&q);
	row_free(&r);
	return rc;
}
