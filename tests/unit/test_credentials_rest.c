/* Credentials at rest: what the file tells a thief, what a changed bit does, what is left of what was removed. And tokens. */
#include "tests/unit/state_fixture.h"

#include <sodium.h>

#include "archive/credentials_private.h"
#include "arkki/archive/uploads.h"
#include "arkki/base/clock.h"

#define HOUR INT64_C(3600000000)

/* ---- at rest ---- */

/* One of everything, of users whose names are easily found. */
struct everything {
	char token[STATE_TOKEN_SIZE], cookie[STATE_TOKEN_SIZE], link[STATE_TOKEN_SIZE];
	char secret[TOTP_SECRET_SIZE], codes[RECOVERY_CODES][RECOVERY_SIZE];
	unsigned char key[20];
	struct state_token t;
	struct session v;
	struct certificate c;
};

static void base32_bytes(const char *text, unsigned char out[20])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint64_t group = 0;

	for (size_t i = 0; text[i]; i++) {
		group = group << 5 | (uint64_t)(strchr(alphabet, text[i]) - alphabet);
		if (i % 8 != 7)
			continue;
		for (int k = 4; k >= 0; k--, group >>= 8)
			out[i / 8 * 5 + (size_t)k] = (unsigned char)group;
		group = 0;
	}
}

static void begin_upload(const struct fixture *f, const char *user)
{
	const struct pending_place place = {f->s, f->k.dir};
	char name[] = "tiedosto-nimi.pdf", id[33];
	struct pending wish = {.length = 7, .file_name = name};

	snprintf(wish.user, sizeof(wish.user), "%s", user);
	assert_int_equal(pending_new(&place, &wish, id, NULL), ARK_OK);
}

static void make_everything(const struct fixture *f, struct everything *e)
{
	static const char user[] = "maija-meikalainen-tunnus";
	int64_t now = clock_now_us();
	char code[8];
	json_t *p;

	memset(e, 0, sizeof(*e));
	memcpy(e->t.user, user, sizeof(user));
	memcpy(e->v.user, user, sizeof(user));
	memcpy(e->c.user, user, sizeof(user));
	snprintf(e->t.name, sizeof(e->t.name), "sininen-kannettava");
	e->t.scopes = TOKEN_READ | TOKEN_FILE;
	e->t.expires_us = e->v.expires_us = e->c.expires_us = now + HOUR;
	snprintf(e->v.address, sizeof(e->v.address), "2001:db8::77:1234");
	snprintf(e->v.agent, sizeof(e->v.agent), "Testiselain-Yksi");
	snprintf(e->v.provider, sizeof(e->v.provider), "tunnistus-suomi");
	snprintf(e->v.subject, sizeof(e->v.subject), "aihe-jota-haetaan");
	snprintf(e->c.name, sizeof(e->c.name), "siirtopalvelin-nimi");
	memset(e->c.sha256, 0x5a, sizeof(e->c.sha256));
	assert_int_equal(state_token_make(f->s, &e->t, e->token, NULL), ARK_OK);
	assert_int_equal(state_token_used(f->s, e->t.id, now, NULL), ARK_OK);
	assert_int_equal(password_set(f->s, user, "salainen pitkä lause", NULL), ARK_OK);
	assert_int_equal(totp_begin(f->s, user, e->secret, NULL), ARK_OK);
	base32_bytes(e->secret, e->key);
	snprintf(code, sizeof(code), "%06u", totp_code(e->key, 20, (uint64_t)(now / 30000000)));
	assert_int_equal(totp_confirm(f->s, user, code, now, e->codes, NULL), ARK_OK);
	assert_int_equal(link_create(f->s, user, LINK_RESET, now + HOUR, e->link, NULL), ARK_OK);
	assert_int_equal(session_create(f->s, &e->v, e->cookie, NULL), ARK_OK);
	assert_int_equal(
	    identity_bind(f->s, "tunnistus-suomi", "aihe-jota-haetaan", user, NULL), ARK_OK);
	assert_int_equal(certificate_bind(f->s, &e->c, NULL), ARK_OK);
	p = json_pack("{s:s}", "clientSecret", "asiakkaan-salaisuus");
	assert_int_equal(provider_put(f->s, "tunnistus-suomi", p, NULL), ARK_OK);
	json_decref(p);
	begin_upload(f, user);
}

static void test_credentials__tell_a_thief_nothing(void **state)
{
	struct fixture *f = *state;
	struct everything e;
	char hash[crypto_pwhash_STRBYTES + 1], letters[17] = "";
	size_t n = 0;

	make_everything(f, &e);
	stored_hash(f->s, e.v.user, hash);
	for (const char *c = e.codes[0]; *c; c++)
		if (*c != '-')
			letters[n++] = *c;
	for (int round = 0; round < 2; round++) { /* in the log, and then in the file */
		const struct {
			const void *bytes;
			size_t len;
		} hidden[] = {{e.token + 6, 20}, {e.cookie, 20}, {e.link, 20}, {e.secret, 16},
		    {e.key, 10}, {e.codes[0], 19}, {letters, 16}, {"maija-meikalainen", 17},
		    {"sininen-kannettava", 18}, {"2001:db8::77", 12}, {"Testiselain", 11},
		    {"tunnistus-suomi", 15}, {"aihe-jota-haetaan", 17}, {"siirtopalvelin", 14},
		    {e.c.sha256, 16}, {"asiakkaan-salaisuus", 19}, {"tiedosto-nimi", 13},
		    {"salainen pitk", 13}, {"argon2", 6}, {hash + 60, 16}};

		for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
			assert_false(unit_holds(f->k.dir, hidden[i].bytes, hidden[i].len));
		assert_true(unit_holds(f->k.dir, e.t.id, 16)); /* the search itself works */
		fixture_sql(f, "PRAGMA wal_checkpoint(TRUNCATE)");
	}
	assert_int_equal(state_check(f->s, NULL, NULL, NULL), ARK_OK);
}

static bool known_to_nobody(void *arg, const char *user)
{
	(void)arg, (void)user;
	return false;
}

static bool known_to_all(void *arg, const char *user)
{
	(void)arg;
	return strcmp(user, "maija-meikalainen-tunnus") == 0;
}

static void test_credentials_check__asks_whether_each_user_is_known(void **state)
{
	struct fixture *f = *state;
	struct everything e;

	assert_int_equal(credentials_check(f->s, known_to_nobody, NULL, NULL), ARK_OK);
	make_everything(f, &e);
	assert_int_equal(state_check(f->s, known_to_all, NULL, NULL), ARK_OK);
	assert_int_equal(credentials_check(f->s, known_to_nobody, NULL, NULL), ARK_ECORRUPT);
	assert_int_equal(state_token_revoke(f->s, e.t.id, NULL), ARK_OK);
	assert_int_equal(state_check(f->s, known_to_nobody, NULL, NULL), ARK_ECORRUPT);
}

/* Nothing signs in by what was damaged. */
static void assert_no_sign_in(struct fixture *f, const struct everything *e, int kind)
{
	int64_t now = clock_now_us();
	struct session v;
	struct certificate c;
	struct link_found link;
	struct state_token t;
	char user[65];
	bool recovery;

	switch (kind) {
	case 0:
		assert_int_not_equal(state_token_find(f->s, e->token, now, &t, NULL), ARK_OK);
		break;
	case CREDENTIAL_PASSWORD:
		assert_int_not_equal(
		    password_verify(f->s, e->v.user, "salainen pitkä lause", NULL), ARK_OK);
		break;
	case CREDENTIAL_RECOVERY:
		for (int i = 0; i < RECOVERY_CODES; i++)
			assert_int_not_equal(second_factor_verify(f->s, e->v.user, e->codes[i], now,
						 &recovery, NULL),
			    ARK_OK);
		break;
	case CREDENTIAL_LINK:
		assert_int_not_equal(link_use(f->s, e->link, now, &link, NULL), ARK_OK);
		break;
	case CREDENTIAL_SESSION:
		assert_int_not_equal(session_find(f->s, e->cookie, now, HOUR, &v, NULL), ARK_OK);
		break;
	case CREDENTIAL_IDENTITY:
		assert_int_not_equal(
		    identity_find(f->s, e->v.provider, e->v.subject, user, NULL), ARK_OK);
		break;
	case CREDENTIAL_CERTIFICATE:
		assert_int_not_equal(certificate_find(f->s, e->c.sha256, now, &c, NULL), ARK_OK);
		break;
	default:
		break;
	}
}

/* SQL function flip(x): x with its fifth byte's lowest bit turned. */
static void flip(sqlite3_context *context, int n, sqlite3_value **values)
{
	size_t len = (size_t)sqlite3_value_bytes(values[0]);
	char *copy = sqlite3_malloc((int)len);

	(void)n;
	assert_true(copy && len > 4);
	memcpy(copy, sqlite3_value_blob(values[0]), len);
	copy[4] ^= 1;
	if (sqlite3_value_type(values[0]) == SQLITE_TEXT)
		sqlite3_result_text(context, copy, (int)len, sqlite3_free);
	else
		sqlite3_result_blob(context, copy, (int)len, sqlite3_free);
}

static void sql_with_flip(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_create_function(db, "flip", 1, SQLITE_UTF8, NULL, flip, NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* Flips one bit of a column in all the rows of a kind; the caller has a copy of the file. */
static void damage(const struct fixture *f, const char *table, const char *column, int kind)
{
	char sql[600], where[64] = "";
	bool number = strcmp(column, "ends") == 0 || strstr(column, "_us");

	if (kind)
		snprintf(where, sizeof(where), " WHERE kind = %d", kind);
	if (strcmp(column, "kind") == 0)
		snprintf(sql, sizeof(sql), "UPDATE %s SET kind = kind + 16%s", table, where);
	else if (number)
		snprintf(sql, sizeof(sql), "UPDATE %s SET %s = (%s | 1024) - (%s & 1024)%s", table,
		    column, column, column, where);
	else
		snprintf(sql, sizeof(sql), "UPDATE %s SET %s = flip(%s)%s", table, column, column,
		    where);
	sql_with_flip(f->path, sql);
}

static void damage_one(void **state, const char *table, const char *column, int kind)
{
	struct fixture *f = *state;
	struct everything e;

	make_everything(f, &e);
	damage(f, table, column, kind);
	if (state_check(f->s, NULL, NULL, NULL) != ARK_ECORRUPT)
		fail_msg("%s.%s of kind %d may be changed", table, column, kind);
	assert_no_sign_in(f, &e, kind);
}

static void test_credentials__one_changed_bit_is_found_and_signs_nobody_in(void **state)
{
	static const char *const token[] = {
	    "id", "hash", "user", "name", "created_us", "expires_us"};
	static const char *const credential[] = {"kind", "name", "id", "owner", "ends", "body"};
	void *fresh = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(token) / sizeof(token[0]); i++) {
		assert_int_equal(fixture_setup(&fresh), 0);
		damage_one(&fresh, "token", token[i], 0);
		assert_int_equal(fixture_teardown(&fresh), 0);
	}
	for (int kind = 1; kind < CREDENTIAL_KINDS; kind++)
		for (size_t i = 0; i < sizeof(credential) / sizeof(credential[0]); i++) {
			if (kind == CREDENTIAL_TOTP_BEGUN) /* confirmed: there is none */
				continue;
			assert_int_equal(fixture_setup(&fresh), 0);
			damage_one(&fresh, "credential", credential[i], kind);
			assert_int_equal(fixture_teardown(&fresh), 0);
		}
}

static void test_credentials__a_row_moved_to_another_user_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct session a = {.user = "maija", .expires_us = INT64_MAX};
	struct session b = {.user = "admin", .expires_us = INT64_MAX}, found;
	char mine[STATE_TOKEN_SIZE], other[STATE_TOKEN_SIZE];

	assert_int_equal(session_create(f->s, &a, mine, NULL), ARK_OK);
	assert_int_equal(session_create(f->s, &b, other, NULL), ARK_OK);
	fixture_sql(f, "CREATE TABLE before AS SELECT * FROM credential;"
		       "UPDATE credential SET body = (SELECT b.body FROM before b WHERE b.name <>"
		       " credential.name), owner = (SELECT b.owner FROM before b WHERE b.name <>"
		       " credential.name), id = (SELECT b.id FROM before b WHERE b.name <>"
		       " credential.name)");
	assert_int_equal(session_find(f->s, mine, a.created_us, HOUR, &found, NULL), ARK_ECORRUPT);
	assert_int_equal(session_find(f->s, other, b.created_us, HOUR, &found, NULL), ARK_ECORRUPT);
	assert_int_equal(state_check(f->s, NULL, NULL, NULL), ARK_ECORRUPT);
}

/* The bytes of every body of the file as it is now. */
static size_t bodies(const struct fixture *f, unsigned char (*out)[24], size_t room)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	size_t n = 0;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "SELECT body FROM credential WHERE kind NOT IN (9, 10) UNION ALL "
			     "SELECT user FROM token"
			     " UNION ALL SELECT name FROM token",
			     -1, &stmt, NULL),
	    SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW && n < room)
		memcpy(out[n++], sqlite3_column_blob(stmt, 0), 24);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static void test_credentials__removed_leave_no_bytes(void **state)
{
	struct fixture *f = *state;
	unsigned char before[64][24];
	struct credentials_summary sum;
	struct everything e;
	size_t n;

	make_everything(f, &e);
	n = bodies(f, before, 64);
	assert_int_equal(
	    n, 5 + 1 + RECOVERY_CODES + 3); /* password, totp, link, session, upload, … */
	for (size_t i = 0; i < n; i++)
		assert_true(unit_holds(f->k.dir, before[i], 24));
	assert_int_equal(credentials_remove(f->s, e.v.user, CREDENTIALS_ALL, NULL), ARK_OK);
	for (size_t i = 0; i < n; i++)
		assert_false(unit_holds(f->k.dir, before[i], 24));
	assert_int_equal(credentials_summary(f->s, e.v.user, 1, &sum, NULL), ARK_OK);
	assert_false(sum.password || sum.totp || sum.recovery_left || sum.sessions || sum.tokens ||
		     sum.identities || sum.certificates);
	for (int kind = 0; kind < CREDENTIAL_KINDS; kind++)
		assert_no_sign_in(f, &e, kind);
}

/* ---- tokens ---- */

struct seen {
	int n;
	struct state_token last;
};

static int see_token(void *arg, const struct state_token *t)
{
	struct seen *seen = arg;

	seen->n++;
	seen->last = *t;
	return 0;
}

static void test_token__keeps_its_scopes_name_and_last_use(void **state)
{
	struct fixture *f = *state;
	struct state_token wish = {.user = "maija", .name = "kannettava", .scopes = TOKEN_READ};
	struct state_token found;
	char token[STATE_TOKEN_SIZE];
	struct seen seen = {0};

	wish.expires_us = 10 * HOUR;
	assert_int_equal(state_token_make(f->s, &wish, token, NULL), ARK_OK);
	assert_int_equal(state_token_find(f->s, token, HOUR, &found, NULL), ARK_OK);
	assert_int_equal(found.scopes, TOKEN_READ);
	assert_string_equal(found.name, "kannettava");
	assert_int_equal(state_token_used(f->s, wish.id, 2 * HOUR, NULL), ARK_OK);
	assert_int_equal(state_token_used(f->s, wish.id, 2 * HOUR + 1, NULL), ARK_OK);
	assert_int_equal(state_token_each(f->s, "maija", HOUR, see_token, &seen, NULL), ARK_OK);
	assert_int_equal(seen.n, 1);
	assert_true(seen.last.seen_us == 2 * HOUR); /* to the minute */
	assert_int_equal(state_token_each(f->s, "matti", HOUR, see_token, &seen, NULL), ARK_OK);
	assert_int_equal(
	    state_token_each(f->s, "maija", 10 * HOUR, see_token, &seen, NULL), ARK_OK);
	assert_int_equal(seen.n, 1);
	wish.scopes = 0;
	assert_int_equal(state_token_make(f->s, &wish, token, NULL), ARK_EINPUT);
	wish.scopes = 32;
	assert_int_equal(state_token_make(f->s, &wish, token, NULL), ARK_EINPUT);
}

/* A row as the arkki of before wrote it: the name alone under the seal. */
static void test_token__of_before_there_were_scopes_has_all(void **state)
{
	struct fixture *f = *state;
	unsigned char plain[256] = "laptop", sealed[256 + SEAL_EXTRA], hash[32];
	struct state_token found;
	char token[STATE_TOKEN_SIZE], id[17], hex[2 * sizeof(sealed) + 1], sql[1200];

	assert_int_equal(
	    state_token_create(f->s, "maija", "laptop", 1000, token, id, NULL), ARK_OK);
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)token, strlen(token),
	    f->s->hash_key, KEY_SIZE);
	tokens_seal(f->s, plain, sizeof(plain), hash, sealed);
	sodium_bin2hex(hex, sizeof(hex), sealed, sizeof(sealed));
	snprintf(sql, sizeof(sql), "UPDATE token SET name = x'%s'", hex);
	fixture_sql(f, sql);
	assert_int_equal(state_token_find(f->s, token, 1, &found, NULL), ARK_OK);
	assert_int_equal(found.scopes, TOKEN_ALL);
	assert_string_equal(found.name, "laptop");
	assert_int_equal(state_check(f->s, NULL, NULL, NULL), ARK_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_credentials__tell_a_thief_nothing),
	    CASE(test_credentials_check__asks_whether_each_user_is_known),
	    cmocka_unit_test(test_credentials__one_changed_bit_is_found_and_signs_nobody_in),
	    CASE(test_credentials__a_row_moved_to_another_user_does_not_open),
	    CASE(test_credentials__removed_leave_no_bytes),
	    CASE(test_token__keeps_its_scopes_name_and_last_use),
	    CASE(test_token__of_before_there_were_scopes_has_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
