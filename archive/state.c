/* state.sqlite: opening and closing, marks, and the check of it all. Tokens are in state_tokens.c, everything else that
 * signs in in credentials*.c.
 *
 * All keys are derived from the archive's token_key, so that a stolen state.sqlite neither holds anything usable nor says whose it
 * is. What is revoked is deleted (secure_delete): revoked and unknown are one case.
 */
#include "arkki/archive/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/text.h"

enum { SCHEMA_VERSION = 1 };

static const char ddl[] = "CREATE TABLE token (id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
			  " user BLOB NOT NULL, name BLOB NOT NULL, created_us INTEGER NOT NULL,"
			  " expires_us INTEGER NOT NULL) WITHOUT ROWID;";

/* Not in the schema: made where the first mark is set or asked for, so that archives from before have it too. */
static const char ddl_marks[] =
    "CREATE TABLE IF NOT EXISTS mark (name BLOB PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID";

void state_derive(unsigned char out[KEY_SIZE], const unsigned char key[32], const char *what)
{
	crypto_generichash(out, KEY_SIZE, (const unsigned char *)what, strlen(what), key, 32);
}

static void derive_keys(struct state *s, const unsigned char key[32])
{
	char what[64];

	state_derive(s->hash_key, key, "arkki state: token hash 1");
	state_derive(s->seal_key, key, "arkki state: token user 1");
	state_derive(s->owner_key, key, "arkki state: owner 1");
	for (int kind = 1; kind < CREDENTIAL_KINDS; kind++) {
		snprintf(what, sizeof(what), "arkki state: credential %d name 1", kind);
		state_derive(s->kinds[kind].hash, key, what);
		snprintf(what, sizeof(what), "arkki state: credential %d body 1", kind);
		state_derive(s->kinds[kind].seal, key, what);
	}
}

int state_open(const char *path, const struct keyring *keys, bool create, struct state **ret,
    struct ark_error *err)
{
	static const unsigned char nothing[DECOY_SIZE];
	const struct db_settings settings = {
	    .what = "the state",
	    .setup = "PRAGMA synchronous=FULL; PRAGMA cache_size=-1024;",
	    .create = create,
	};
	struct state *s;
	int rc;

	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "libsodium cannot start");
	s = calloc(1, sizeof(*s));
	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for the state");
	pthread_mutex_init(&s->lock, NULL);
	derive_keys(s, keyring_secrets(keys)->token_key);
	tokens_seal(s, nothing, sizeof(nothing), s->decoy_hash, s->decoy);
	rc = db_open(&s->db, path, &settings, err);
	if (!rc)
		rc = db_schema(&s->db, ddl, SCHEMA_VERSION, create,
		    "use the arkki that wrote it, or make new tokens in a new one", err);
	if (!rc)
		rc = password_decoy(s->decoy_password, err);
	if (rc) {
		state_close(s);
		return rc;
	}
	*ret = s;
	return ARK_OK;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	db_close(&s->db);
	pthread_mutex_destroy(&s->lock);
	sodium_memzero(s, sizeof(*s));
	free(s);
}

int state_secret(const char *prefix, char ret[STATE_TOKEN_SIZE], struct ark_error *err)
{
	unsigned char random[SECRET_SIZE];
	struct buf b = BUF_INIT;
	int rc = ARK_OK;

	randombytes_buf(random, sizeof(random));
	buf_reserve(&b, STATE_TOKEN_SIZE); /* one allocation, so that the wipe reaches all of it */
	buf_adds(&b, prefix);
	base64url_encode(&b, random, sizeof(random));
	if (buf_failed(&b) || b.len >= STATE_TOKEN_SIZE)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a secret");
	else
		memcpy(ret, b.data, b.len + 1);
	buf_wipe_free(&b);
	sodium_memzero(random, sizeof(random));
	return rc;
}

int state_lazily(struct state *s, bool lazily, struct ark_error *err)
{
	return db_exec(
	    &s->db, lazily ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL", err);
}

void state_forget_log(struct state *s)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_wal_checkpoint_v2(s->db.sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	pthread_mutex_unlock(&s->lock);
}

/* ---- marks ---- */
static void mark_name(const struct state *s, const char *name, unsigned char out[HASH_SIZE])
{
	static const char label[] = "mark";
	crypto_generichash_state st;

	crypto_generichash_init(&st, s->hash_key, sizeof(s->hash_key), HASH_SIZE);
	crypto_generichash_update(&st, (const unsigned char *)label, sizeof(label));
	crypto_generichash_update(&st, (const unsigned char *)name, strlen(name));
	crypto_generichash_final(&st, out, HASH_SIZE);
}

/* Under the lock. */
static int begin_marks(struct state *s, struct ark_error *err)
{
	int rc = s->marks ? ARK_OK : db_exec(&s->db, ddl_marks, err);

	s->marks = !rc;
	return rc;
}

int state_mark_get(struct state *s, const char *name, uint64_t *ret, struct ark_error *err)
{
	unsigned char hash[HASH_SIZE];
	struct query q;
	int rc;

	mark_name(s, name, hash);
	pthread_mutex_lock(&s->lock);
	rc = begin_marks(s, err);
	if (rc)
		goto out;
	query_begin(&q, &s->db);
	query_sql(&q, "SELECT value FROM mark WHERE name = ?");
	query_blob(&q, hash, sizeof(hash));
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc >= 0)
		*ret = rc ? (uint64_t)sqlite3_column_int64(q.stmt, 0) : 0;
	query_end(&q);
out:
	pthread_mutex_unlock(&s->lock);
	return rc > 0 ? ARK_OK : rc;
}

int state_mark_set(struct state *s, const char *name, uint64_t value, struct ark_error *err)
{
	unsigned char hash[HASH_SIZE];
	struct query q;
	int rc;

	mark_name(s, name, hash);
	pthread_mutex_lock(&s->lock);
	rc = begin_marks(s, err);
	if (rc)
		goto out;
	query_begin(&q, &s->db);
	query_sql(&q, value ? "INSERT INTO mark (name, value) VALUES (?, ?)"
			      " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
			    : "DELETE FROM mark WHERE name = ?");
	query_blob(&q, hash, sizeof(hash));
	if (value)
		query_signed(&q, (int64_t)value);
	rc = query_run(&q, err);
out:
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- checking ---- */

static int check_integrity(struct state *s, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, "PRAGMA integrity_check(1)");
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		const char *said = (const char *)sqlite3_column_text(q.stmt, 0);

		rc = said && strcmp(said, "ok") == 0
			 ? ARK_OK
			 : ark_fail(err, ARK_ECORRUPT, "the state is damaged: %.200s",
			       said ? said : "SQLite says nothing");
	}
	query_end(&q);
	return rc;
}

int state_check(
    struct state *s, bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = check_integrity(s, err);
	if (!rc)
		rc = tokens_check(s, known, arg, err);
	pthread_mutex_unlock(&s->lock);
	return rc ? rc : credentials_check(s, known, arg, err);
}
