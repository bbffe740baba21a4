/* Bearer tokens.
 *
 *   token  = "arkki_" || base64url(32 random bytes)
 *   hash   = BLAKE2b-256(token), keyed
 *   sealed = nonce[24] || XChaCha20-Poly1305(user, padded to 64) || tag[16],
 *            with the row's hash as additional data: a row's user cannot be
 *            moved to another row
 *
 * Both keys are derived from the archive's token_key, so that a stolen
 * state.sqlite neither holds a usable token nor says whose they are. A revoked
 * token's row is deleted (secure_delete): revoked and unknown are one case.
 */
#include "arkki/archive/state.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue_db.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum {
	SCHEMA_VERSION = 1,
	RANDOM_SIZE = 32,
	KEY_SIZE = 32,
	HASH_SIZE = 32,
	USER_SIZE = 64, /* the longest id; shorter ones are padded, to tell nothing */
	NAME_SIZE = 256,
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	SEAL_EXTRA = NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

struct state {
	pthread_mutex_t lock; /* over db */
	struct db db;
	bool marks; /* their table is there */
	unsigned char hash_key[KEY_SIZE], seal_key[KEY_SIZE];
	/* opened when a token is unknown, so that this case takes the same steps */
	unsigned char decoy[USER_SIZE + SEAL_EXTRA], decoy_hash[HASH_SIZE];
};

static const char ddl[] = "CREATE TABLE token (id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
			  " user BLOB NOT NULL, name BLOB NOT NULL, created_us INTEGER NOT NULL,"
			  " expires_us INTEGER NOT NULL) WITHOUT ROWID;";

/* Not in the schema: made where the first mark is set or asked for, so that archives from before have it too. */
static const char ddl_marks[] =
    "CREATE TABLE IF NOT EXISTS mark (name BLOB PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID";

static void derive(unsigned char out[KEY_SIZE], const unsigned char key[32], const char *what)
{
	crypto_generichash(out, KEY_SIZE, (const unsigned char *)what, strlen(what), key, 32);
}

static void token_hash(const struct state *s, const char *token, unsigned char out[HASH_SIZE])
{
	crypto_generichash(out, HASH_SIZE, (const unsigned char *)token, strlen(token), s->hash_key,
	    sizeof(s->hash_key));
}

/* text, padded with zeros to `size`, into size + SEAL_EXTRA bytes. */
static void seal_text(const struct state *s, const char *text, size_t size,
    const unsigned char hash[HASH_SIZE], unsigned char *out)
{
	unsigned char plain[NAME_SIZE] = {0};

	memcpy(plain, text, strlen(text));
	randombytes_buf(out, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
	    out + NONCE_SIZE, NULL, plain, size, hash, HASH_SIZE, NULL, out, s->seal_key);
	sodium_memzero(plain, sizeof(plain));
}

static bool open_user(const struct state *s, const void *sealed, const void *hash, char out[65])
{
	const unsigned char *bytes = sealed;

	memset(out, 0, USER_SIZE + 1);
	return crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)out, NULL, NULL,
		   bytes + NONCE_SIZE, USER_SIZE + SEAL_EXTRA - NONCE_SIZE, hash, HASH_SIZE, bytes,
		   s->seal_key) == 0;
}

int state_open(const char *path, const struct keyring *keys, bool create, struct state **ret,
    struct ark_error *err)
{
	const struct db_settings settings = {
	    .what = "the state",
	    .setup = "PRAGMA synchronous=FULL; PRAGMA cache_size=-1024;",
	    .create = create,
	};
	const unsigned char *key = keyring_secrets(keys)->token_key;
	struct state *s;
	int rc;

	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "libsodium cannot start");
	s = calloc(1, sizeof(*s));
	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for the state");
	pthread_mutex_init(&s->lock, NULL);
	derive(s->hash_key, key, "arkki state: token hash 1");
	derive(s->seal_key, key, "arkki state: token user 1");
	seal_text(s, "", USER_SIZE, s->decoy_hash, s->decoy);
	rc = db_open(&s->db, path, &settings, err);
	if (!rc)
		rc = db_schema(&s->db, ddl, SCHEMA_VERSION, create,
		    "use the arkki that wrote it, or make new tokens in a new one", err);
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

/* ---- tokens ---- */
static int make_token(char ret[STATE_TOKEN_SIZE], struct ark_error *err)
{
	unsigned char random[RANDOM_SIZE];
	struct buf b = BUF_INIT;
	int rc = ARK_OK;

	randombytes_buf(random, sizeof(random));
	buf_reserve(&b, STATE_TOKEN_SIZE); /* one allocation, so that the wipe reaches all of it */
	buf_adds(&b, "arkki_");
	base64url_encode(&b, random, sizeof(random));
	if (buf_failed(&b) || b.len >= STATE_TOKEN_SIZE)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a token");
	else
		memcpy(ret, b.data, b.len + 1);
	buf_wipe_free(&b);
	sodium_memzero(random, sizeof(random));
	return rc;
}

int state_token_create(struct state *s, const char *user, const char *name, int64_t expires_us,
    char ret_token[STATE_TOKEN_SIZE], char ret_id[17], struct ark_error *err)
{
	unsigned char sealed_user[USER_SIZE + SEAL_EXTRA], sealed_name[NAME_SIZE + SEAL_EXTRA];
	unsigned char hash[HASH_SIZE], random[8];
	char token[STATE_TOKEN_SIZE], id[17];
	struct query q;
	int rc;

	if (!id_valid(user))
		return ark_fail(err, ARK_EINPUT, "a token needs the id of a user");
	if (name && strlen(name) > NAME_SIZE)
		return ark_fail(err, ARK_EINPUT, "a token's name is over %d bytes", NAME_SIZE);
	rc = make_token(token, err);
	if (rc)
		return rc;
	randombytes_buf(random, sizeof(random));
	hex_encode(id, random, sizeof(random));
	token_hash(s, token, hash);
	seal_text(s, user, USER_SIZE, hash, sealed_user);
	seal_text(s, name ? name : "", NAME_SIZE, hash, sealed_name);
	pthread_mutex_lock(&s->lock);
	query_begin(&q, &s->db);
	query_sql(&q, "INSERT INTO token (id, hash, user, name, created_us, expires_us)"
		      " VALUES (?, ?, ?, ?, ?, ?)");
	query_text(&q, id);
	query_blob(&q, hash, sizeof(hash));
	query_blob(&q, sealed_user, sizeof(sealed_user));
	query_blob(&q, sealed_name, sizeof(sealed_name));
	query_signed(&q, clock_now_us());
	query_signed(&q, expires_us);
	rc = query_run(&q, err);
	pthread_mutex_unlock(&s->lock);
	if (!rc) {
		memcpy(ret_token, token, sizeof(token));
		memcpy(ret_id, id, sizeof(id));
	}
	sodium_memzero(token, sizeof(token));
	return rc;
}

/* What a row says, or the decoy where there is none. */
struct found {
	struct state_token token;
	unsigned char sealed[USER_SIZE + SEAL_EXTRA], hash[HASH_SIZE];
	bool present;
};

static int read_token(
    struct state *s, const unsigned char hash[HASH_SIZE], struct found *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	memcpy(ret->sealed, s->decoy, sizeof(ret->sealed));
	memcpy(ret->hash, s->decoy_hash, sizeof(ret->hash));
	query_begin(&q, &s->db);
	query_sql(&q, "SELECT id, user, created_us, expires_us FROM token WHERE hash = ?");
	query_blob(&q, hash, HASH_SIZE);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		const unsigned char *id = sqlite3_column_text(q.stmt, 0);
		const void *user = sqlite3_column_blob(q.stmt, 1);

		if (!id || strlen((const char *)id) >= sizeof(ret->token.id) || !user ||
		    sqlite3_column_bytes(q.stmt, 1) != (int)sizeof(ret->sealed)) {
			rc = ark_fail(err, ARK_ECORRUPT, "the state holds a malformed token");
		} else {
			memcpy(ret->token.id, id, strlen((const char *)id) + 1);
			ret->token.created_us = sqlite3_column_int64(q.stmt, 2);
			ret->token.expires_us = sqlite3_column_int64(q.stmt, 3);
			memcpy(ret->sealed, user, sizeof(ret->sealed));
			memcpy(ret->hash, hash, sizeof(ret->hash));
			ret->present = true;
			rc = ARK_OK;
		}
	}
	query_end(&q);
	return rc;
}

int state_token_find(struct state *s, const char *token, int64_t now_us, struct state_token *ret,
    struct ark_error *err)
{
	unsigned char hash[HASH_SIZE];
	struct found found = {.token = {.expires_us = INT64_MIN}};
	int rc;

	/* anything longer is no token; hashing it would be work for a stranger */
	if (strlen(token) >= STATE_TOKEN_SIZE)
		return ark_fail(err, ARK_ENOTFOUND, "no such token");
	token_hash(s, token, hash);
	pthread_mutex_lock(&s->lock);
	rc = read_token(s, hash, &found, err);
	pthread_mutex_unlock(&s->lock);
	if (rc)
		return rc;
	if (!open_user(s, found.sealed, found.hash, found.token.user))
		return ark_fail(err, ARK_ECORRUPT, "a token of the state does not open");
	if (!found.present || found.token.expires_us <= now_us)
		return ark_fail(err, ARK_ENOTFOUND, "no such token");
	*ret = found.token;
	return ARK_OK;
}

int state_token_revoke(struct state *s, const char *id, struct ark_error *err)
{
	struct query q;
	int rc, changed = 0;

	pthread_mutex_lock(&s->lock);
	query_begin(&q, &s->db);
	query_sql(&q, "DELETE FROM token WHERE id = ?");
	query_text(&q, id);
	rc = query_run(&q, err);
	if (!rc)
		changed = sqlite3_changes(s->db.sql);
	pthread_mutex_unlock(&s->lock);
	if (!rc && !changed)
		return ark_fail(err, ARK_ENOTFOUND, "no token has this id");
	return rc;
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

static int check_token(const struct state *s, const struct query *q,
    bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err)
{
	const unsigned char *id = sqlite3_column_text(q->stmt, 0);
	const void *hash = sqlite3_column_blob(q->stmt, 1), *user = sqlite3_column_blob(q->stmt, 2);
	char name[USER_SIZE + 1];
	bool whole = id && hash && user && sqlite3_column_bytes(q->stmt, 1) == HASH_SIZE &&
		     sqlite3_column_bytes(q->stmt, 2) == USER_SIZE + SEAL_EXTRA;

	if (!whole || !open_user(s, user, hash, name))
		return ark_fail(err, ARK_ECORRUPT,
		    "the state holds a token that does not open: %.16s",
		    id ? (const char *)id : "nameless");
	if (known && !known(arg, name))
		return ark_fail(err, ARK_ECORRUPT, "the token %.16s is of a user that nobody knows",
		    (const char *)id);
	return ARK_OK;
}

int state_check(
    struct state *s, bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = check_integrity(s, err);
	if (rc)
		goto out;
	query_begin(&q, &s->db);
	query_sql(&q, "SELECT id, hash, user FROM token");
	rc = query_prepare(&q, err);
	while (!rc && (rc = query_step(&q, err)) == 1)
		rc = check_token(s, &q, known, arg, err);
	query_end(&q);
out:
	pthread_mutex_unlock(&s->lock);
	return rc;
}
