/* Who guesses waits: how long, by what, and in how much memory. */
#include "tests/unit/unit.h"

#include "api/sign_in.h"

enum { FREE = 5, ADDRESS_FREE = 50, LONGEST = 900 };
#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

static int begin(void **state)
{
	struct sign_in_waits *w;

	if (sign_in_waits_new(&w, NULL))
		return -1;
	*state = w;
	return 0;
}

static int end(void **state)
{
	sign_in_waits_free(*state);
	return 0;
}

static unsigned int tried(struct sign_in_waits *w, enum wait_of of, const char *name, int64_t now)
{
	sign_in_waits_count(w, of, name, now);
	return sign_in_waits_left(w, of, name, now);
}

static void test_wait__begins_at_the_fifth_and_doubles_to_a_quarter_of_an_hour(void **state)
{
	unsigned int expected = 1;
	int64_t now = 1;

	for (int i = 1; i < FREE; i++)
		assert_int_equal(tried(*state, WAIT_ACCOUNT, "maija", now), 0);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(tried(*state, WAIT_ACCOUNT, "maija", now), expected);
		assert_int_equal(sign_in_waits_left(
				     *state, WAIT_ACCOUNT, "maija", now + (expected - 1) * SECOND),
		    1);
		now += expected * SECOND;
		assert_int_equal(sign_in_waits_left(*state, WAIT_ACCOUNT, "maija", now), 0);
		expected = expected * 2 > LONGEST ? LONGEST : expected * 2;
	}
}

static void test_wait__is_forgotten_by_itself(void **state)
{
	int64_t now = 1;

	for (int i = 0; i < 40; i++)
		sign_in_waits_count(*state, WAIT_ACCOUNT, "maija", now);
	assert_int_equal(sign_in_waits_left(*state, WAIT_ACCOUNT, "maija", now), LONGEST);
	now += 24 * HOUR;
	for (int i = 1; i < FREE; i++)
		assert_int_equal(tried(*state, WAIT_ACCOUNT, "maija", now), 0);
}

static void test_wait__of_one_name_is_no_other_s(void **state)
{
	for (int i = 0; i < 20; i++)
		sign_in_waits_count(*state, WAIT_ACCOUNT, "maija", 1);
	assert_int_equal(sign_in_waits_left(*state, WAIT_ACCOUNT, "antti", 1), 0);
	assert_int_equal(sign_in_waits_left(*state, WAIT_BROWSER, "maija", 1), 0);
	assert_int_equal(sign_in_waits_left(*state, WAIT_ADDRESS, "maija", 1), 0);
	sign_in_waits_clear(*state, WAIT_BROWSER, "maija");
	assert_true(sign_in_waits_left(*state, WAIT_ACCOUNT, "maija", 1) > 0);
	sign_in_waits_clear(*state, WAIT_ACCOUNT, "maija");
	assert_int_equal(sign_in_waits_left(*state, WAIT_ACCOUNT, "maija", 1), 0);
}

static void test_wait__of_an_address_begins_later(void **state)
{
	for (int i = 1; i < ADDRESS_FREE; i++)
		assert_int_equal(tried(*state, WAIT_ADDRESS, "192.0.2.1", 1), 0);
	assert_int_equal(tried(*state, WAIT_ADDRESS, "192.0.2.1", 1), 1);
}

/* Names that were invented take each other's places, not those of who is being guessed at. */
static void test_wait__survives_a_flood_of_names(void **state)
{
	char name[32];

	for (int i = 0; i < 30; i++)
		sign_in_waits_count(*state, WAIT_ACCOUNT, "maija", 1);
	for (int i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "nobody-%d", i);
		sign_in_waits_count(*state, WAIT_ACCOUNT, name, 1);
	}
	assert_int_equal(sign_in_waits_left(*state, WAIT_ACCOUNT, "maija", 1), LONGEST);
}

static void test_address__is_a_network_of_six_and_no_proxy(void **state)
{
	char a[64], b[64];

	(void)state;
	assert_true(sign_in_waits_address("2001:db8:1:2:3:4:5:6", a));
	assert_true(sign_in_waits_address("2001:db8:1:2::1", b));
	assert_string_equal(a, b);
	assert_true(sign_in_waits_address("2001:db8:1:3::1", b));
	assert_string_not_equal(a, b);
	assert_true(sign_in_waits_address("192.0.2.7", a));
	assert_true(sign_in_waits_address("::ffff:192.0.2.7", b));
	assert_string_equal(a, b);
	assert_false(sign_in_waits_address("127.0.0.1", a));
	assert_false(sign_in_waits_address("::ffff:127.0.0.1", a));
	assert_false(sign_in_waits_address("::1", a));
	assert_false(sign_in_waits_address("unix", a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_wait__begins_at_the_fifth_and_doubles_to_a_quarter_of_an_hour, begin, end),
	    cmocka_unit_test_setup_teardown(test_wait__is_forgotten_by_itself, begin, end),
	    cmocka_unit_test_setup_teardown(test_wait__of_one_name_is_no_other_s, begin, end),
	    cmocka_unit_test_setup_teardown(test_wait__of_an_address_begins_later, begin, end),
	    cmocka_unit_test_setup_teardown(test_wait__survives_a_flood_of_names, begin, end),
	    cmocka_unit_test(test_address__is_a_network_of_six_and_no_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
