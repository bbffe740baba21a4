/* SLIP-39: the published vectors (slip39_vectors.json, MIT, see slip39_vectors.LICENSE), and our own shares. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <sodium.h>

#include "arkki/archive/slip39.h"
#include "arkki/base/text.h"

static int join(
    const char *const *shares, size_t n, unsigned char *ret, size_t *ret_len, struct ark_error *err)
{
	return slip39_join(shares, n, "", ret, ret_len, err);
}

static void test_slip39__agrees_with_every_published_vector(void **state)
{
	json_t *all = json_load_file("tests/unit/slip39_vectors.json", 0, NULL), *v;
	size_t i, good = 0, bad = 0;

	(void)state;
	assert_non_null(all);
	json_array_foreach(all, i, v)
	{
		const char *hex = json_string_value(json_array_get(v, 2)), *shares[32];
		json_t *list = json_array_get(v, 1);
		unsigned char got[SLIP39_SECRET_MAX], want[SLIP39_SECRET_MAX];
		size_t n = json_array_size(list), len = 0;
		struct ark_error err = {0};
		int rc;

		assert_true(n <= 32);
		for (size_t k = 0; k < n; k++)
			shares[k] = json_string_value(json_array_get(list, k));
		rc = slip39_join(shares, n, "TREZOR", got, &len, &err);
		if (rc != (*hex ? ARK_OK : ARK_EINPUT))
			fail_msg(
			    "%s: %d %s", json_string_value(json_array_get(v, 0)), rc, err.text);
		if (rc) {
			assert_true(err.text[0]);
			bad++;
			continue;
		}
		assert_int_equal(len, strlen(hex) / 2);
		assert_true(hex_decode(want, len, hex, strlen(hex)));
		assert_memory_equal(got, want, len);
		good++;
	}
	assert_true(good > 10 && bad > 20);
	print_message("%zu sets joined, %zu refused\n", good, bad);
	json_decref(all);
}

static void test_slip39__any_n_of_m_give_the_secret_and_fewer_do_not(void **state)
{
	static const unsigned int cases[][2] = {{2, 2}, {2, 3}, {3, 5}, {5, 7}, {16, 16}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		char text[SLIP39_SHARES_MAX][SLIP39_TEXT_SIZE];
		unsigned int need = cases[c][0], all = cases[c][1];
		unsigned char secret[32], got[SLIP39_SECRET_MAX];
		struct ark_error err;
		size_t len = 0;

		randombytes_buf(secret, sizeof(secret));
		assert_int_equal(slip39_split(secret, 32, need, all, text, &err), ARK_OK);
		for (unsigned int from = 0; from < all; from++) {
			const char *some[SLIP39_SHARES_MAX];

			for (unsigned int i = 0; i < need; i++)
				some[i] = text[(from + i) % all];
			if (join(some, need, got, &len, &err))
				fail_msg("%s", err.text);
			assert_int_equal(len, 32);
			assert_memory_equal(got, secret, 32);
			assert_int_equal(join(some, need - 1, got, &len, &err), ARK_EINPUT);
			assert_non_null(strstr(err.text, "are needed"));
			some[need - 1] = some[0]; /* the same twice is one */
			assert_int_equal(join(some, need, got, &len, &err), ARK_EINPUT);
		}
	}
}

static void test_slip39__says_which_share_is_wrong_and_how(void **state)
{
	char a[3][SLIP39_TEXT_SIZE], b[3][SLIP39_TEXT_SIZE], wrong[SLIP39_TEXT_SIZE];
	unsigned char secret[32] = {7}, got[SLIP39_SECRET_MAX];
	const char *some[2];
	struct ark_error err;
	size_t len, first;

	(void)state;
	assert_int_equal(slip39_split(secret, 32, 2, 3, a, &err), ARK_OK);
	assert_int_equal(slip39_split(secret, 32, 2, 3, b, &err), ARK_OK);
	assert_string_not_equal(a[0], b[0]);
	some[0] = a[0];
	some[1] = b[1];
	assert_int_equal(join(some, 2, got, &len, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "share 2 is of another set"));
	snprintf(wrong, sizeof(wrong), "%s", a[1]);
	first = strcspn(wrong, " ");
	memset(wrong, 'x', first);
	some[1] = wrong;
	assert_int_equal(join(some, 2, got, &len, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "share 2"));
	assert_non_null(strstr(err.text, "not in the list"));
	/* its last word again in the place of the first but three: a checksum finds any three wrong words */
	snprintf(wrong, sizeof(wrong), "%s %s", strrchr(a[1], ' ') + 1, strchr(a[1], ' ') + 1);
	assert_int_equal(join(some, 2, got, &len, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "checksum"));
	some[1] = "academic acid";
	assert_int_equal(join(some, 2, got, &len, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "too few"));
	assert_int_equal(join(some, 0, got, &len, &err), ARK_EINPUT);
	assert_int_equal(slip39_split(secret, 32, 1, 3, a, &err), ARK_EINPUT);
	assert_int_equal(slip39_split(secret, 32, 4, 3, a, &err), ARK_EINPUT);
	assert_int_equal(slip39_split(secret, 31, 2, 3, a, &err), ARK_EINPUT);
	assert_int_equal(slip39_split(secret, 32, 3, 17, a, &err), ARK_EINPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_slip39__agrees_with_every_published_vector),
	    cmocka_unit_test(test_slip39__any_n_of_m_give_the_secret_and_fewer_do_not),
	    cmocka_unit_test(test_slip39__says_which_share_is_wrong_and_how),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
