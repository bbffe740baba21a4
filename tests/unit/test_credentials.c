/* Passwords, second factors, links, sessions, identities, certificates, providers: what signs in, what does so once, and what
 * does no more. */
#include "tests/unit/state_fixture.h"

#include <pthread.h>
#include <sodium.h>

#include "arkki/base/clock.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* RFC 6238 appendix B, SHA-1: the last six of its eight digits. */
static void test_totp__gives_the_codes_of_the_standard(void **state)
{
	static const struct {
		uint64_t time;
		uint32_t code;
	} vectors[] = {{59, 287082}, {1111111109, 81804}, {1111111111, 50471}, {1234567890, 5924},
	    {2000000000, 279037}, {20000000000, 353130}};
	const char *secret = "12345678901234567890";

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(totp_code((const unsigned char *)secret, 20, vectors[i].time / 30),
		    vectors[i].code);
}

/* RFC 4648 the other way round, in the test's own hand. */
static void base32_read(const char *text, unsigned char out[20])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0, n = 0;
	size_t len = 0;

	for (; *text; text++) {
		const char *at = strchr(alphabet, *text);

		assert_non_null(at);
		bits = bits << 5 | (uint32_t)(at - alphabet);
		n += 5;
		if (n >= 8) {
			n -= 8;
			out[len++] = (unsigned char)(bits >> n);
		}
	}
	assert_int_equal(len, 20);
}

static void code_at(const char *secret, int64_t now_us, char out[8])
{
	unsigned char bytes[20];

	base32_read(secret, bytes);
	snprintf(out, 8, "%06u", totp_code(bytes, 20, (uint64_t)(now_us / (30 * SECOND))));
}

/* A second factor of maija's that counts from `now_us` on. */
static void enrol(const struct fixture *f, const char *user, int64_t now_us,
    char secret[TOTP_SECRET_SIZE], char codes[RECOVERY_CODES][RECOVERY_SIZE])
{
	char code[8];

	assert_int_equal(totp_begin(f->s, user, secret, NULL), ARK_OK);
	assert_int_equal(strlen(secret), 32);
	code_at(secret, now_us, code);
	assert_int_equal(totp_confirm(f->s, user, code, now_us, codes, NULL), ARK_OK);
}

static void test_second_factor__takes_each_step_once(void **state)
{
	const int64_t now = 1000 * HOUR;
	struct fixture *f = *state;
	char secret[TOTP_SECRET_SIZE], codes[RECOVERY_CODES][RECOVERY_SIZE], code[8], spaced[16];
	bool recovery = true;

	enrol(f, "maija", now, secret, codes);
	code_at(secret, now, code); /* confirming has used it */
	assert_int_equal(
	    second_factor_verify(f->s, "maija", code, now, &recovery, NULL), ARK_EREFUSED);
	code_at(secret, now + 30 * SECOND, code);
	snprintf(spaced, sizeof(spaced), "%.3s %.3s ", code, code + 3);
	assert_int_equal(second_factor_verify(f->s, "maija", spaced, now, &recovery, NULL), ARK_OK);
	assert_false(recovery);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", code, now, &recovery, NULL), ARK_EREFUSED);
	code_at(secret, now, code); /* an earlier one than the last used */
	assert_int_equal(
	    second_factor_verify(f->s, "maija", code, now + 30 * SECOND, &recovery, NULL),
	    ARK_EREFUSED);
	code_at(secret, now + 90 * SECOND, code); /* two steps ahead of the clock */
	assert_int_equal(
	    second_factor_verify(f->s, "maija", code, now + 30 * SECOND, &recovery, NULL),
	    ARK_EREFUSED);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", code, now + 120 * SECOND, &recovery, NULL),
	    ARK_OK); /* one behind */
	assert_int_equal(
	    second_factor_verify(f->s, "matti", code, now + 120 * SECOND, &recovery, NULL),
	    ARK_EREFUSED);
}

static void test_second_factor__refuses_what_is_no_code(void **state)
{
	static const char *const wrong[] = {"", "12345", "1234567", "12345a", "-12345", "١٢٣٤٥٦",
	    "aaaa-aaaa-aaaa-aaaa", "aaaa-aaaa-aaaa-aaaa-a", "0000-1111-8888-9999"};
	struct fixture *f = *state;
	char secret[TOTP_SECRET_SIZE], codes[RECOVERY_CODES][RECOVERY_SIZE];
	bool recovery;

	enrol(f, "maija", 1000 * HOUR, secret, codes);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
		    second_factor_verify(f->s, "maija", wrong[i], 2000 * HOUR, &recovery, NULL),
		    ARK_EREFUSED);
}

static void test_second_factor__begun_counts_not_before_it_is_confirmed(void **state)
{
	const int64_t now = 1000 * HOUR;
	struct fixture *f = *state;
	char old[TOTP_SECRET_SIZE], fresh[TOTP_SECRET_SIZE], code[8];
	char codes[RECOVERY_CODES][RECOVERY_SIZE];
	bool recovery;

	assert_int_equal(totp_confirm(f->s, "maija", "123456", now, codes, NULL), ARK_ENOTFOUND);
	enrol(f, "maija", now, old, codes);
	assert_int_equal(totp_begin(f->s, "maija", fresh, NULL), ARK_OK);
	code_at(fresh, now + HOUR, code);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", code, now + HOUR, &recovery, NULL), ARK_EREFUSED);
	code_at(old, now + HOUR, code);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", code, now + HOUR, &recovery, NULL), ARK_OK);
	assert_int_equal(totp_confirm(f->s, "maija", code, now + HOUR, codes, NULL), ARK_EREFUSED);
	code_at(fresh, now + 2 * HOUR, code);
	/* trying it changes nothing */
	assert_int_equal(totp_try(f->s, "maija", code, now + HOUR, NULL), ARK_EREFUSED);
	assert_int_equal(totp_try(f->s, "maija", code, now + 2 * HOUR, NULL), ARK_OK);
	assert_int_equal(totp_try(f->s, "risto", code, now + 2 * HOUR, NULL), ARK_ENOTFOUND);
	assert_int_equal(totp_confirm(f->s, "maija", code, now + 2 * HOUR, codes, NULL), ARK_OK);
	code_at(old, now + 3 * HOUR, code);
	assert_int_equal(second_factor_verify(f->s, "maija", code, now + 3 * HOUR, &recovery, NULL),
	    ARK_EREFUSED);
}

static void test_recovery__takes_each_code_once_and_of_its_user_alone(void **state)
{
	const int64_t now = 1000 * HOUR;
	struct fixture *f = *state;
	char secret[TOTP_SECRET_SIZE], codes[RECOVERY_CODES][RECOVERY_SIZE];
	char later[RECOVERY_CODES][RECOVERY_SIZE], loud[RECOVERY_SIZE];
	struct credentials_summary sum;
	bool recovery = false;

	enrol(f, "maija", now, secret, codes);
	for (int i = 0; i < RECOVERY_CODES; i++)
		assert_int_equal(strlen(codes[i]), 19);
	assert_int_equal(
	    second_factor_verify(f->s, "matti", codes[3], now, &recovery, NULL), ARK_EREFUSED);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", codes[3], now, &recovery, NULL), ARK_OK);
	assert_true(recovery);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", codes[3], now, &recovery, NULL), ARK_EREFUSED);
	for (int i = 0; i <= 19; i++)
		loud[i] = codes[4][i] >= 'a' ? (char)(codes[4][i] - 'a' + 'A') : codes[4][i];
	assert_int_equal(second_factor_verify(f->s, "maija", loud, now, &recovery, NULL), ARK_OK);
	assert_int_equal(credentials_summary(f->s, "maija", now, &sum, NULL), ARK_OK);
	assert_int_equal(sum.recovery_left, 8);
	assert_true(sum.totp);
	assert_int_equal(recovery_renew(f->s, "maija", later, NULL), ARK_OK);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", codes[5], now, &recovery, NULL), ARK_EREFUSED);
	assert_int_equal(
	    second_factor_verify(f->s, "maija", later[0], now, &recovery, NULL), ARK_OK);
}

/* ---- links ---- */

static void test_link__works_once_until_its_end(void **state)
{
	struct fixture *f = *state;
	char code[STATE_TOKEN_SIZE], older[STATE_TOKEN_SIZE];
	struct link_found found;

	assert_int_equal(link_create(f->s, "maija", LINK_INVITATION, 1000, older, NULL), ARK_OK);
	assert_int_equal(link_create(f->s, "maija", LINK_RESET, 1000, code, NULL), ARK_OK);
	assert_int_equal(link_find(f->s, older, 1, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(link_find(f->s, code, 999, &found, NULL), ARK_OK);
	assert_string_equal(found.user, "maija");
	assert_int_equal(found.kind, LINK_RESET);
	assert_int_equal(found.expires_us, 1000);
	assert_int_equal(link_find(f->s, code, 1000, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(link_use(f->s, code, 1000, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(link_use(f->s, code, 999, &found, NULL), ARK_OK);
	assert_int_equal(link_use(f->s, code, 999, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(link_find(f->s, "", 999, &found, NULL), ARK_ENOTFOUND);
}

struct user_of_link {
	struct state *s;
	const char *code;
	int rc;
};

static void *use_link(void *arg)
{
	struct user_of_link *u = arg;
	struct link_found found;

	u->rc = link_use(u->s, u->code, 1, &found, NULL);
	return NULL;
}

static void test_link__of_two_at_once_one_gets_it(void **state)
{
	struct fixture *f = *state;
	char code[STATE_TOKEN_SIZE];

	for (int i = 0; i < 20; i++) {
		struct user_of_link a, b;
		pthread_t t;

		assert_int_equal(link_create(f->s, "maija", LINK_RESET, 1000, code, NULL), ARK_OK);
		a = b = (struct user_of_link){.s = f->s, .code = code};
		assert_int_equal(pthread_create(&t, NULL, use_link, &a), 0);
		use_link(&b);
		pthread_join(t, NULL);
		assert_int_equal((a.rc == ARK_OK) + (b.rc == ARK_OK), 1);
		assert_int_equal((a.rc == ARK_ENOTFOUND) + (b.rc == ARK_ENOTFOUND), 1);
	}
}

/* ---- sessions ---- */

static void begin_session(
    const struct fixture *f, const char *user, struct session *v, char cookie[STATE_TOKEN_SIZE])
{
	*v = (struct session){.enrolling = true, .expires_us = clock_now_us() + 12 * HOUR};
	snprintf(v->user, sizeof(v->user), "%s", user);
	snprintf(v->method, sizeof(v->method), "password");
	snprintf(v->address, sizeof(v->address), "192.0.2.7");
	snprintf(v->agent, sizeof(v->agent), "Testiselain 1.0");
	snprintf(v->provider, sizeof(v->provider), "suomi");
	snprintf(v->subject, sizeof(v->subject), "aihe-%s", user);
	snprintf(v->provider_session, sizeof(v->provider_session), "istunto-%s", user);
	assert_int_equal(session_create(f->s, v, cookie, NULL), ARK_OK);
}

static void test_session__ends_when_idle_and_at_its_limit(void **state)
{
	struct fixture *f = *state;
	char cookie[STATE_TOKEN_SIZE];
	struct session v, found;
	int64_t t;

	begin_session(f, "maija", &v, cookie);
	t = v.created_us;
	assert_int_equal(session_find(f->s, cookie, t + 29 * MINUTE, 30 * MINUTE, &found, NULL), 0);
	assert_string_equal(found.user, "maija");
	assert_string_equal(found.id, v.id);
	assert_string_equal(found.agent, "Testiselain 1.0");
	assert_string_equal(found.subject, "aihe-maija");
	assert_true(found.enrolling);
	assert_false(found.strong);
	/* seen at 29: lives on to 59 */
	assert_int_equal(session_find(f->s, cookie, t + 58 * MINUTE, 30 * MINUTE, &found, NULL), 0);
	assert_int_equal(
	    session_find(f->s, cookie, t + 88 * MINUTE, 30 * MINUTE, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(session_find(f->s, cookie, t + 11 * HOUR, 20 * HOUR, &found, NULL), 0);
	assert_int_equal(
	    session_find(f->s, cookie, v.expires_us, 20 * HOUR, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(session_find(f->s, "", t, 20 * HOUR, &found, NULL), ARK_ENOTFOUND);
}

static void test_session__upgraded_kills_the_cookie_from_before(void **state)
{
	struct fixture *f = *state;
	char before[STATE_TOKEN_SIZE], after[STATE_TOKEN_SIZE];
	struct session v, found;

	begin_session(f, "maija", &v, before);
	assert_int_equal(session_upgrade(f->s, v.id, "password+totp", after, NULL), ARK_OK);
	assert_string_not_equal(before, after);
	assert_int_equal(
	    session_find(f->s, before, v.created_us, HOUR, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(session_find(f->s, after, v.created_us, HOUR, &found, NULL), ARK_OK);
	assert_true(found.strong);
	assert_false(found.enrolling);
	assert_string_equal(found.method, "password+totp");
	assert_string_equal(found.id, v.id);
	assert_int_equal(found.expires_us, v.expires_us);
	assert_int_equal(session_end(f->s, v.id, "matti", NULL), ARK_ENOTFOUND);
	assert_int_equal(session_end(f->s, v.id, "maija", NULL), ARK_OK);
	assert_int_equal(
	    session_find(f->s, after, v.created_us, HOUR, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(session_end(f->s, v.id, NULL, NULL), ARK_ENOTFOUND);
	assert_int_equal(session_upgrade(f->s, v.id, "password+totp", after, NULL), ARK_ENOTFOUND);
}

static int count_session(void *arg, const struct session *v)
{
	(void)v;
	++*(int *)arg;
	return 0;
}

static int sessions_of(const struct fixture *f, const char *user, int64_t now_us)
{
	int n = 0;

	assert_int_equal(session_each(f->s, user, now_us, HOUR, count_session, &n, NULL), ARK_OK);
	return n;
}

static void test_session__ends_by_user_by_provider_and_by_sweep(void **state)
{
	struct fixture *f = *state;
	char cookie[4][STATE_TOKEN_SIZE];
	struct session v[4];
	unsigned int n = 0;
	int64_t t;

	for (int i = 0; i < 3; i++)
		begin_session(f, "maija", &v[i], cookie[i]);
	begin_session(f, "matti", &v[3], cookie[3]);
	t = v[3].created_us;
	assert_int_equal(sessions_of(f, "maija", t), 3);
	assert_int_equal(session_end_all(f->s, "maija", v[1].id, NULL), ARK_OK);
	assert_int_equal(sessions_of(f, "maija", t), 1);
	assert_int_equal(sessions_of(f, "matti", t), 1);
	assert_int_equal(
	    session_end_provider(f->s, "toinen", "istunto-matti", NULL, &n, NULL), ARK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(
	    session_end_provider(f->s, "suomi", "istunto-matti", NULL, &n, NULL), ARK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(session_end_provider(f->s, "suomi", NULL, "aihe-maija", &n, NULL), ARK_OK);
	assert_int_equal(n, 1);
	begin_session(f, "maija", &v[0], cookie[0]);
	assert_int_equal(credentials_sweep(f->s, v[0].created_us + MINUTE, HOUR, NULL), ARK_OK);
	assert_int_equal(sessions_of(f, "maija", v[0].created_us), 1);
	assert_int_equal(credentials_sweep(f->s, v[0].created_us + HOUR, HOUR, NULL), ARK_OK);
	assert_int_equal(sessions_of(f, "maija", v[0].created_us), 0);
}

/* ---- identities, certificates, providers ---- */

static void test_identity__stands_for_one_user(void **state)
{
	struct fixture *f = *state;
	char user[65];

	assert_int_equal(identity_bind(f->s, "suomi", "a1", "maija", NULL), ARK_OK);
	assert_int_equal(identity_bind(f->s, "suomi", "a1", "maija", NULL), ARK_OK);
	assert_int_equal(identity_bind(f->s, "suomi", "a1", "matti", NULL), ARK_ECONFLICT);
	assert_int_equal(identity_bind(f->s, "suomi", "a2", "maija", NULL), ARK_ECONFLICT);
	assert_int_equal(identity_bind(f->s, "toinen", "a2", "maija", NULL), ARK_OK);
	assert_int_equal(identity_find(f->s, "suomi", "a1", user, NULL), ARK_OK);
	assert_string_equal(user, "maija");
	assert_int_equal(identity_find(f->s, "suomi", "a2", user, NULL), ARK_ENOTFOUND);
	assert_int_equal(credentials_remove(f->s, "maija", CREDENTIALS_IDENTITIES, NULL), ARK_OK);
	assert_int_equal(identity_find(f->s, "suomi", "a1", user, NULL), ARK_ENOTFOUND);
	assert_int_equal(identity_bind(f->s, "suomi", "", "maija", NULL), ARK_EINPUT);
}

static int count_certificate(void *arg, const struct certificate *c)
{
	(void)c;
	++*(int *)arg;
	return 0;
}

static void test_certificate__is_its_users_until_it_ends(void **state)
{
	struct fixture *f = *state;
	struct certificate c = {.user = "kone", .name = "siirto", .expires_us = 10 * HOUR}, found;
	struct certificate other;
	int n = 0;

	memset(c.sha256, 7, sizeof(c.sha256));
	other = c;
	assert_int_equal(certificate_bind(f->s, &c, NULL), ARK_OK);
	snprintf(other.user, sizeof(other.user), "toinen");
	assert_int_equal(certificate_bind(f->s, &other, NULL), ARK_ECONFLICT);
	assert_int_equal(certificate_find(f->s, c.sha256, 2 * HOUR, &found, NULL), ARK_OK);
	assert_string_equal(found.user, "kone");
	assert_string_equal(found.name, "siirto");
	assert_string_equal(found.id, c.id);
	assert_int_equal(certificate_find(f->s, c.sha256, 10 * HOUR, &found, NULL), ARK_ENOTFOUND);
	assert_int_equal(certificate_each(f->s, NULL, count_certificate, &n, NULL), ARK_OK);
	assert_int_equal(certificate_each(f->s, "toinen", count_certificate, &n, NULL), ARK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(certificate_remove(f->s, "0123456789abcdef", NULL), ARK_ENOTFOUND);
	assert_int_equal(certificate_remove(f->s, c.id, NULL), ARK_OK);
	assert_int_equal(certificate_remove(f->s, c.id, NULL), ARK_ENOTFOUND);
	assert_int_equal(certificate_find(f->s, c.sha256, 2 * HOUR, &found, NULL), ARK_ENOTFOUND);
}

static void test_provider__comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	json_t *p =
	    json_pack("{s:s,s:s}", "issuer", "https://idp.example", "clientSecret", "salaisuus");
	json_t *all;

	assert_int_equal(provider_put(f->s, "suomi", p, NULL), ARK_OK);
	assert_int_equal(provider_all(f->s, &all, NULL), ARK_OK);
	assert_true(json_equal(json_object_get(all, "suomi"), p));
	assert_int_equal(json_object_size(all), 1);
	json_decref(all);
	assert_int_equal(provider_put(f->s, "suomi", NULL, NULL), ARK_OK);
	assert_int_equal(provider_put(f->s, "suomi", NULL, NULL), ARK_ENOTFOUND);
	assert_int_equal(provider_put(f->s, "Suomi!", p, NULL), ARK_EINPUT);
	json_decref(p);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_totp__gives_the_codes_of_the_standard),
	    CASE(test_second_factor__takes_each_step_once),
	    CASE(test_second_factor__refuses_what_is_no_code),
	    CASE(test_second_factor__begun_counts_not_before_it_is_confirmed),
	    CASE(test_recovery__takes_each_code_once_and_of_its_user_alone),
	    CASE(test_link__works_once_until_its_end),
	    CASE(test_link__of_two_at_once_one_gets_it),
	    CASE(test_session__ends_when_idle_and_at_its_limit),
	    CASE(test_session__upgraded_kills_the_cookie_from_before),
	    CASE(test_session__ends_by_user_by_provider_and_by_sweep),
	    CASE(test_identity__stands_for_one_user),
	    CASE(test_certificate__is_its_users_until_it_ends),
	    CASE(test_provider__comes_back_as_it_was_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
