/* Bearer tokens.
 *
 *   token = "arkki_" || base64url(32 random bytes)
 *   hash  = BLAKE2b-256(token), keyed
 *   user  = sealed(user, padded to 64)
 *   name  = sealed(name, padded to 256, scopes[4], created[8], expires[8], id[16]); of tokens from before the name alone, and
 *           such a token has every scope
 *
 * sealed = nonce[24] || XChaCha20-Poly1305 || tag[16], with the row's hash as additional data: a row's user or scopes cannot be
 * moved to another row, and a row whose times were changed is found out. When a token was used last is a row of
 * "credential", because it changes.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum {
	NAME_SIZE = 256,
	ID_SIZE = 16,
	MORE_SIZE = NAME_SIZE + 4 + 8 + 8 + ID_SIZE,
	SEEN_STEP_US = 60 * 1000000,
};

static void token_hash(const struct state *s, const char *token, unsigned char out[HASH_SIZE])
{
	crypto_generichash(out, HASH_SIZE, (const unsigned char *)token, strlen(token), s->hash_key,
	    sizeof(s->hash_key));
}

void tokens_seal(const struct state *s, const void *plain, size_t len,
    const unsigned char hash[HASH_SIZE], unsigned char *out)
{
	randombytes_buf(out, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
	    out + NONCE_SIZE, NULL, plain, len, hash, HASH_SIZE, NULL, out, s->seal_key);
}

bool tokens_open(const struct state *s, const void *sealed, size_t sealed_len,
    const unsigned char hash[HASH_SIZE], unsigned char *out)
{
	const unsigned char *bytes = sealed;

	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, bytes + NONCE_SIZE,
		   sealed_len - NONCE_SIZE, hash, HASH_SIZE, bytes, s->seal_key) == 0;
}

/* ---- a token's row ---- */

static void pack_more(const struct state_token *t, unsigned char out[MORE_SIZE])
{
	memset(out, 0, MORE_SIZE);
	memcpy(out, t->name, strlen(t->name));
	out += NAME_SIZE;
	be32_put(out, t->scopes);
	be64_put(out + 4, (uint64_t)t->created_us);
	be64_put(out + 12, (uint64_t)t->expires_us);
	memcpy(out + 20, t->id, ID_SIZE);
}

static void seal_token(const struct state *s, const struct state_token *t,
    const unsigned char hash[HASH_SIZE], unsigned char user[USER_SIZE + SEAL_EXTRA],
    unsigned char more[MORE_SIZE + SEAL_EXTRA])
{
	unsigned char plain_user[USER_SIZE] = {0}, plain[MORE_SIZE];

	memcpy(plain_user, t->user, strlen(t->user));
	tokens_seal(s, plain_user, sizeof(plain_user), hash, user);
	pack_more(t, plain);
	tokens_seal(s, plain, sizeof(plain), hash, more);
	sodium_memzero(plain, sizeof(plain));
}

/* The columns id, hash, user, name, created_us, expires_us of the row at hand. False: it does not open, or says
 * of itself what its columns do not. */
static bool open_token(const struct state *s, const struct query *q, struct state_token *ret)
{
	const unsigned char *id = sqlite3_column_text(q->stmt, 0);
	const unsigned char *hash = sqlite3_column_blob(q->stmt, 1);
	const void *user = sqlite3_column_blob(q->stmt, 2), *name = sqlite3_column_blob(q->stmt, 3);
	size_t more_len = (size_t)sqlite3_column_bytes(q->stmt, 3);
	unsigned char more[MORE_SIZE];
	bool scoped = more_len == MORE_SIZE + SEAL_EXTRA;

	*ret = (struct state_token){.scopes = TOKEN_ALL};
	if (!id || strlen((const char *)id) != ID_SIZE || !hash || !user || !name ||
	    sqlite3_column_bytes(q->stmt, 1) != HASH_SIZE ||
	    sqlite3_column_bytes(q->stmt, 2) != USER_SIZE + SEAL_EXTRA ||
	    (!scoped && more_len != NAME_SIZE + SEAL_EXTRA))
		return false;
	memcpy(ret->id, id, ID_SIZE);
	ret->created_us = sqlite3_column_int64(q->stmt, 4);
	ret->expires_us = sqlite3_column_int64(q->stmt, 5);
	if (!tokens_open(s, user, USER_SIZE + SEAL_EXTRA, hash, (unsigned char *)ret->user) ||
	    !tokens_open(s, name, more_len, hash, more))
		return false;
	memcpy(ret->name, more, NAME_SIZE);
	if (!scoped)
		return true;
	ret->scopes = be32_get(more + NAME_SIZE) & TOKEN_ALL;
	return be64_get(more + NAME_SIZE + 4) == (uint64_t)ret->created_us &&
	       be64_get(more + NAME_SIZE + 12) == (uint64_t)ret->expires_us &&
	       memcmp(more + NAME_SIZE + 20, ret->id, ID_SIZE) == 0;
}

#define COLUMNS "SELECT id, hash, user, name, created_us, expires_us FROM token"

static int insert_token(struct state *s, const struct state_token *t,
    const unsigned char hash[HASH_SIZE], struct ark_error *err)
{
	unsigned char user[USER_SIZE + SEAL_EXTRA], more[MORE_SIZE + SEAL_EXTRA];
	struct query q;

	seal_token(s, t, hash, user, more);
	query_begin(&q, &s->db);
	query_sql(&q, "INSERT INTO token (id, hash, user, name, created_us, expires_us)"
		      " VALUES (?, ?, ?, ?, ?, ?)");
	query_text(&q, t->id);
	query_blob(&q, hash, HASH_SIZE);
	query_blob(&q, user, sizeof(user));
	query_blob(&q, more, sizeof(more));
	query_signed(&q, t->created_us);
	query_signed(&q, t->expires_us);
	return query_run(&q, err);
}

int state_token_make(struct state *s, struct state_token *wish, char ret_token[STATE_TOKEN_SIZE],
    struct ark_error *err)
{
	unsigned char hash[HASH_SIZE], random[ID_SIZE / 2];
	char token[STATE_TOKEN_SIZE];
	int rc;

	if (!id_valid(wish->user))
		return ark_fail(err, ARK_EINPUT, "a token needs the id of a user");
	if (!wish->scopes || (wish->scopes & ~(unsigned int)TOKEN_ALL))
		return ark_fail(err, ARK_EINPUT, "a token needs something that it may be used for");
	rc = state_secret("arkki_", token, err);
	if (rc)
		return rc;
	randombytes_buf(random, sizeof(random));
	hex_encode(wish->id, random, sizeof(random));
	wish->created_us = clock_now_us();
	wish->seen_us = 0;
	token_hash(s, token, hash);
	pthread_mutex_lock(&s->lock);
	rc = insert_token(s, wish, hash, err);
	pthread_mutex_unlock(&s->lock);
	if (!rc)
		memcpy(ret_token, token, sizeof(token));
	sodium_memzero(token, sizeof(token));
	return rc;
}

int state_token_create(struct state *s, const char *user, const char *name, int64_t expires_us,
    char ret_token[STATE_TOKEN_SIZE], char ret_id[17], struct ark_error *err)
{
	struct state_token wish = {.expires_us = expires_us, .scopes = TOKEN_ALL};
	int rc;

	if (!id_valid(user))
		return ark_fail(err, ARK_EINPUT, "a token needs the id of a user");
	if (name && strlen(name) > NAME_SIZE)
		return ark_fail(err, ARK_EINPUT, "a token's name is over %d bytes", NAME_SIZE);
	memcpy(wish.user, user, strlen(user));
	memcpy(wish.name, name ? name : "", name ? strlen(name) : 0);
	rc = state_token_make(s, &wish, ret_token, err);
	if (!rc)
		memcpy(ret_id, wish.id, sizeof(wish.id));
	return rc;
}

/* ---- found by its text ---- */

/* The row of a hash; where there is none, as much is opened. */
static int read_token(struct state *s, const unsigned char hash[HASH_SIZE], struct state_token *ret,
    struct ark_error *err)
{
	unsigned char plain[DECOY_SIZE];
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, COLUMNS " WHERE hash = ?");
	query_blob(&q, hash, HASH_SIZE);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		rc = open_token(s, &q, ret)
			 ? ARK_OK
			 : ark_fail(err, ARK_ECORRUPT, "a token of the state does not open");
	} else if (!rc) {
		(void)tokens_open(s, s->decoy, sizeof(s->decoy), s->decoy_hash, plain);
		rc = ark_fail(err, ARK_ENOTFOUND, "no such token");
	}
	query_end(&q);
	return rc;
}

int state_token_find(struct state *s, const char *token, int64_t now_us, struct state_token *ret,
    struct ark_error *err)
{
	unsigned char hash[HASH_SIZE];
	struct state_token found;
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
	if (found.expires_us <= now_us)
		return ark_fail(err, ARK_ENOTFOUND, "no such token");
	*ret = found;
	return ARK_OK;
}

/* ---- the last use ---- */

/* 0: never. Under the lock. */
static int read_use(struct state *s, const char *id, int64_t *ret_us, struct ark_error *err)
{
	struct row use;
	struct fields f;
	int rc;

	row_init(s, &use, CREDENTIAL_TOKEN_USE, NULL);
	row_name(s, &use, id, NULL);
	rc = row_read(s, &use, err);
	f = row_fields(&use, NULL);
	*ret_us = rc ? 0 : fields_number(&f);
	row_free(&use);
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}

static int write_use(struct state *s, const char *id, int64_t now_us, struct ark_error *err)
{
	struct row use;
	int rc;

	row_init(s, &use, CREDENTIAL_TOKEN_USE, NULL);
	row_name(s, &use, id, NULL);
	field_number(&use.body, now_us);
	rc = row_write(s, &use, err);
	row_free(&use);
	return rc;
}

int state_token_used(struct state *s, const char *id, int64_t now_us, struct ark_error *err)
{
	int64_t before;
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	rc = read_use(s, id, &before, err);
	if (!rc && (before > now_us || now_us - before >= SEEN_STEP_US)) {
		rc = state_lazily(s, true, err);
		if (!rc)
			rc = write_use(s, id, now_us, err);
		if (state_lazily(s, false, rc ? NULL : err) && !rc)
			rc = ARK_EIO;
	}
	return state_leave(s, false, rc, err);
}

/* ---- many ---- */

struct token_list {
	struct state_token *items;
	size_t len, room;
};

static int list_add(struct token_list *l, const struct state_token *t, struct ark_error *err)
{
	struct state_token *items;

	if (l->len == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		items = reallocarray(l->items, l->room, sizeof(*items));
		if (!items)
			return ark_fail(err, ARK_ENOMEM, "no memory for a list of tokens");
		l->items = items;
	}
	l->items[l->len++] = *t;
	return ARK_OK;
}

/* A user's tokens, or of any user those that have expired. The table says of no row whose it is: each is opened. */
static int collect(struct state *s, const char *user, int64_t now_us, bool expired,
    struct token_list *ret, struct ark_error *err)
{
	struct state_token t;
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, COLUMNS);
	rc = query_prepare(&q, err);
	while (!rc && (rc = query_step(&q, err)) == 1) {
		rc = open_token(s, &q, &t)
			 ? ARK_OK
			 : ark_fail(err, ARK_ECORRUPT, "a token of the state does not open");
		if (!rc && (!user || strcmp(t.user, user) == 0) &&
		    (expired || t.expires_us > now_us) && (user || t.expires_us <= now_us))
			rc = list_add(ret, &t, err);
	}
	query_end(&q);
	for (size_t i = 0; !rc && i < ret->len; i++)
		rc = read_use(s, ret->items[i].id, &ret->items[i].seen_us, err);
	return rc;
}

static int newest_first(const void *a, const void *b)
{
	const struct state_token *x = a, *y = b;

	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? 1 : -1;
	return strcmp(x->id, y->id);
}

int state_token_each(struct state *s, const char *user, int64_t now_us,
    int (*each)(void *arg, const struct state_token *t), void *arg, struct ark_error *err)
{
	struct token_list list = {0};
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	rc = state_leave(s, false, collect(s, user, now_us, false, &list, err), err);
	if (!rc && list.len)
		qsort(list.items, list.len, sizeof(*list.items), newest_first);
	for (size_t i = 0; !rc && i < list.len; i++)
		rc = each(arg, &list.items[i]);
	free(list.items);
	return rc;
}

int tokens_summary(struct state *s, const char *user, int64_t now_us, unsigned int *ret_n,
    int64_t *ret_seen_us, struct ark_error *err)
{
	struct token_list list = {0};
	int rc = collect(s, user, now_us, false, &list, err);

	*ret_n = (unsigned int)list.len;
	for (size_t i = 0; i < list.len; i++)
		if (list.items[i].seen_us > *ret_seen_us)
			*ret_seen_us = list.items[i].seen_us;
	free(list.items);
	return rc;
}

static int remove_token(struct state *s, const char *id, bool *ret_there, struct ark_error *err)
{
	struct row use;
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, "DELETE FROM token WHERE id = ?");
	query_text(&q, id);
	rc = query_run(&q, err);
	if (!rc)
		*ret_there = sqlite3_changes(s->db.sql) > 0;
	row_init(s, &use, CREDENTIAL_TOKEN_USE, NULL);
	row_name(s, &use, id, NULL);
	if (!rc)
		rc = row_delete(s, &use, NULL, err);
	row_free(&use);
	return rc;
}

int state_token_revoke(struct state *s, const char *id, struct ark_error *err)
{
	bool there = false;
	int rc = state_enter(s, true, err);

	if (rc)
		return rc;
	rc = state_leave(s, true, remove_token(s, id, &there, err), err);
	if (!rc && !there)
		return ark_fail(err, ARK_ENOTFOUND, "no token has this id");
	return rc;
}

int tokens_remove(struct state *s, const char *user, int64_t now_us, struct ark_error *err)
{
	struct token_list list = {0};
	bool there;
	int rc = collect(s, user, now_us, true, &list, err);

	for (size_t i = 0; !rc && i < list.len; i++)
		rc = remove_token(s, list.items[i].id, &there, err);
	free(list.items);
	return rc;
}

int tokens_check(
    struct state *s, bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err)
{
	struct state_token t;
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, COLUMNS);
	rc = query_prepare(&q, err);
	while (!rc && (rc = query_step(&q, err)) == 1) {
		const unsigned char *id = sqlite3_column_text(q.stmt, 0);

		rc = ARK_OK;
		if (!open_token(s, &q, &t))
			rc = ark_fail(err, ARK_ECORRUPT,
			    "the state holds a token that does not open: %.16s",
			    id ? (const char *)id : "nameless");
		else if (known && !known(arg, t.user))
			rc = ark_fail(err, ARK_ECORRUPT,
			    "the token %.16s is of a user that nobody knows", t.id);
	}
	query_end(&q);
	return rc;
}
