/* Passwords: normal form, parameters that grow, time, the rules for new ones, the list of breached ones. */
#include "tests/unit/state_fixture.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "archive/credentials_private.h"
#include "arkki/base/clock.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
