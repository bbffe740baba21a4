/* Credentials at rest and passwords: what the file tells a thief, what a changed bit does, what is left of what was
 * removed, and the rules for passwords. */
#include "tests/unit/state_fixture.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "archive/credentials_private.h"
#include "arkki/base/clock.h"

#define HOUR INT64_C(3600000000)

/* ---- passwords ---- */

static void test_password__is_verified_in_normal_form(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(password_verify(f->s, "maija", "mikä tahansa lause", NULL), ARK_EREFUSED);
	/* "ä" composed, and as "a" with a mark */
	assert_int_equal(password_set(f->s, "maija", "mik\xc3\xa4 tahansa lause", NULL), ARK_OK);
	assert_int_equal(
	    password_verify(f->s, "maija", "mika\xcc\x88 tahansa lause", NULL), ARK_OK);
	assert_int_equal(password_verify(f->s, "maija", "mika tahansa lause", NULL), ARK_EREFUSED);
	assert_int_equal(
	    password_verify(f->s, "matti", "mik\xc3\xa4 tahansa lause", NULL), ARK_EREFUSED);
	assert_int_equal(password_verify(f->s, "maija", "\xff", NULL), ARK_EREFUSED);
	assert_int_equal(password_verify(f->s, "maija", "", NULL), ARK_EREFUSED);
	assert_int_equal(password_set(f->s, "maija", "toinen tahansa lause", NULL), ARK_OK);
	assert_int_equal(
	    password_verify(f->s, "maija", "mik\xc3\xa4 tahansa lause", NULL), ARK_EREFUSED);
	assert_int_equal(password_verify(f->s, "maija", "toinen tahansa lause", NULL), ARK_OK);
}

/* Puts a hash of small parameters where the real one is, as an arkki of before would have. */
static void weaken(struct state *s, const char *user, const char *password)
{
	char hash[crypto_pwhash_STRBYTES] = "";
	struct row r;

	assert_int_equal(crypto_pwhash_str_alg(hash, password, strlen(password), 1, 8192 * 1024,
			     crypto_pwhash_ALG_ARGON2ID13),
	    0);
	assert_int_equal(state_enter(s, true, NULL), ARK_OK);
	row_init(s, &r, CREDENTIAL_PASSWORD, user);
	row_name(s, &r, user, NULL);
	field_number(&r.body, 5);
	field_text(&r.body, hash, crypto_pwhash_STRBYTES);
	assert_int_equal(state_leave(s, true, row_write(s, &r, NULL), NULL), ARK_OK);
	row_free(&r);
}

static void stored_hash(struct state *s, const char *user, char out[crypto_pwhash_STRBYTES + 1])
{
	struct fields f;
	struct row r;

	assert_int_equal(state_enter(s, false, NULL), ARK_OK);
	row_init(s, &r, CREDENTIAL_PASSWORD, user);
	row_name(s, &r, user, NULL);
	assert_int_equal(state_leave(s, false, row_read(s, &r, NULL), NULL), ARK_OK);
	f = row_fields(&r, NULL);
	(void)fields_number(&f);
	fields_text(&f, out, crypto_pwhash_STRBYTES);
	row_free(&r);
}

static void test_password__is_hashed_anew_when_the_parameters_have_grown(void **state)
{
	struct fixture *f = *state;
	char before[crypto_pwhash_STRBYTES + 1], after[crypto_pwhash_STRBYTES + 1];
	struct credentials_summary sum;

	weaken(f->s, "maija", "vanha pitkä lause");
	stored_hash(f->s, "maija", before);
	assert_int_equal(password_verify(f->s, "maija", "väärä lause tämä", NULL), ARK_EREFUSED);
	stored_hash(f->s, "maija", after);
	assert_string_equal(before, after);
	assert_int_equal(password_verify(f->s, "maija", "vanha pitkä lause", NULL), ARK_OK);
	stored_hash(f->s, "maija", after);
	assert_memory_equal(after, "$argon2id$v=19$m=65536,t=3,p=1$", 31);
	assert_int_equal(password_verify(f->s, "maija", "vanha pitkä lause", NULL), ARK_OK);
	assert_int_equal(credentials_summary(f->s, "maija", 1, &sum, NULL), ARK_OK);
	assert_int_equal(sum.password_us, 5); /* it was not set anew */
}

static double seconds_of(struct state *s, const char *user)
{
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		int64_t t = clock_monotonic_us();
		double took;

		assert_int_equal(password_verify(s, user, "ei tämä ole oikea", NULL), ARK_EREFUSED);
		took = (double)(clock_monotonic_us() - t) / 1e6;
		best = took < best ? took : best;
	}
	return best;
}

/* Coarse, because the machine is shared: an answer without hashing would take a thousandth. */
static void test_password__of_nobody_takes_the_time_of_one_that_is_wrong(void **state)
{
	struct fixture *f = *state;
	double wrong, nobody;

	assert_int_equal(password_set(f->s, "maija", "oikea ja pitkä lause", NULL), ARK_OK);
	wrong = seconds_of(f->s, "maija");
	nobody = seconds_of(f->s, "ei-kukaan");
	print_message("wrong %.3f s, nobody %.3f s\n", wrong, nobody);
	assert_true(nobody > wrong / 3 && nobody < wrong * 3);
}

static int check_new(const char *password, const char *list)
{
	return password_check_new(password, "maija-meikalainen", "Maija Meikäläinen", list, NULL);
}

static void test_password_new__follows_the_rules_of_length_and_name(void **state)
{
	char longest[PASSWORD_MAX + 2];

	(void)state;
	assert_int_equal(check_new("kaksitoista1", NULL), ARK_OK);
	assert_int_equal(check_new("yksitoista1", NULL), ARK_EINPUT);
	/* eleven characters that are twelve code points before NFC */
	assert_int_equal(check_new("yksitoista\x61\xcc\x88", NULL), ARK_EINPUT);
	assert_int_equal(
	    check_new("\xc3\xa4\xc3\xb6\xc3\xa4\xc3\xb6\xc3\xa4\xc3\xb6", NULL), ARK_EINPUT);
	memset(longest, 'x', sizeof(longest));
	longest[PASSWORD_MAX + 1] = '\0';
	assert_int_equal(check_new(longest, NULL), ARK_EINPUT);
	longest[PASSWORD_MAX] = '\0';
	assert_int_equal(check_new(longest, NULL), ARK_OK);
	assert_int_equal(check_new("ei ole tekstiä\xff", NULL), ARK_EINPUT);
	assert_int_equal(check_new("Maija-Meikalainen", NULL), ARK_EINPUT);
	assert_int_equal(check_new("MAIJA MEIKÄLÄINEN", NULL), ARK_EINPUT);
	assert_int_equal(check_new("kaksitoista1", "/nonexistent/list"), ARK_EIO);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum { LISTED = 5000 };

/* Sorted lines made of the numbers below LISTED that are even. form: "%s" of the text, or a sum with a count. */
static void write_list(const char *path, bool sums, const char *end)
{
	char *lines[LISTED];
	FILE *out = fopen(path, "w");
	size_t n = 0;

	assert_non_null(out);
	for (int i = 0; i < LISTED; i += 2) {
		char text[64], line[128];
		unsigned char sum[20];

		snprintf(text, sizeof(text), "salasana numero %d", i);
		if (sums) {
			assert_true(EVP_Digest(text, strlen(text), sum, NULL, EVP_sha1(), NULL));
			for (int k = 0; k < 20; k++)
				snprintf(line + 2 * k, 3, "%02X", sum[k]);
			snprintf(line + 40, sizeof(line) - 40, ":%d", i + 1);
		} else {
			snprintf(line, sizeof(line), "%s", text);
		}
		lines[n] = strdup(line);
		assert_non_null(lines[n++]);
	}
	qsort(lines, n, sizeof(*lines), by_bytes);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s%s", lines[i], i + 1 < n || *end != '\n' || end[1] ? end : "");
		free(lines[i]);
	}
	fclose(out);
}

static void check_list(const char *path)
{
	for (int i = 0; i < LISTED; i++) {
		char text[64];

		snprintf(text, sizeof(text), "salasana numero %d", i);
		assert_int_equal(check_new(text, path), i % 2 ? ARK_OK : ARK_EINPUT);
	}
}

static void test_password_new__is_found_in_a_list_of_either_form(void **state)
{
	const struct fixture *f = *state;
	char path[320];

	snprintf(path, sizeof(path), "%s/list", f->k.dir);
	write_list(path, false, "\n");
	check_list(path);
	write_list(path, true, "\r\n");
	check_list(path);
	fclose(fopen(path, "w"));
	assert_int_equal(check_new("salasana numero 2", path), ARK_OK);
}

/* As big as a real list. */
static void test_password_new__is_looked_for_by_halving(void **state)
{
	const struct fixture *f = *state;
	char path[320];
	int64_t t;
	FILE *out;

	snprintf(path, sizeof(path), "%s/list", f->k.dir);
	out = fopen(path, "w");
	assert_non_null(out);
	for (int i = 0; i < 2 * 1000 * 1000; i++)
		fprintf(out, "salasana numero %034d\n", i);
	fclose(out);
	t = clock_monotonic_us();
	assert_int_equal(
	    check_new("salasana numero 0000000000000000000000000001234567", path), ARK_EINPUT);
	assert_int_equal(
	    check_new("salasana numero 0000000000000000000000000012345678", path), ARK_OK);
	t = clock_monotonic_us() - t;
	print_message("two searches of 102 MB: %d us\n", (int)t);
	assert_true(t < 1000000);
}

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
		    {e.c.sha256, 16}, {"asiakkaan-salaisuus", 19}, {"salainen pitk", 13},
		    {"argon2", 6}, {hash + 60, 16}};

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
	assert_int_equal(n, 5 + 1 + RECOVERY_CODES + 2); /* password, totp, link, session, … */
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
	    CASE(test_password__is_verified_in_normal_form),
	    CASE(test_password__is_hashed_anew_when_the_parameters_have_grown),
	    CASE(test_password__of_nobody_takes_the_time_of_one_that_is_wrong),
	    CASE(test_password_new__follows_the_rules_of_length_and_name),
	    CASE(test_password_new__is_found_in_a_list_of_either_form),
	    CASE(test_password_new__is_looked_for_by_halving),
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
