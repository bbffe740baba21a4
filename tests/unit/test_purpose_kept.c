/* Purposes kept for a session: whose they are, how many, and how long. */
#include "unit.h"

#include <stdlib.h>

#include "api/purpose_kept.h"

enum { HOUR = 3600 };
#define US 1000000LL

static struct purposes *fresh(void)
{
	struct purposes *p = NULL;

	assert_int_equal(purposes_new(&p, NULL), ARK_OK);
	return p;
}

static void keep(struct purposes *p, const char *session, const char *case_id, const char *purpose)
{
	assert_int_equal(purposes_keep(p, session, case_id, purpose, 0, NULL), ARK_OK);
}

static void test_purposes__are_of_their_session_alone(void **state)
{
	struct purpose_kept kept[PURPOSES_MAX];
	struct purposes *p = fresh();

	(void)state;
	keep(p, "aaaaaaaaaaaaaaaa", "c1", "Valvonta");
	assert_int_equal(purposes_of(p, "aaaaaaaaaaaaaaaa", 1, kept), 1);
	assert_string_equal(kept[0].case_id, "c1");
	assert_string_equal(kept[0].purpose, "Valvonta");
	assert_int_equal(purposes_of(p, "bbbbbbbbbbbbbbbb", 1, kept), 0);
	assert_int_equal(purposes_of(p, "", 1, kept), 0);
	purposes_free(p);
}

static void test_purposes__newest_first_and_one_for_each_case(void **state)
{
	struct purpose_kept kept[PURPOSES_MAX];
	struct purposes *p = fresh();

	(void)state;
	keep(p, "a", "c1", "ensin");
	keep(p, "a", "c2", "toinen");
	keep(p, "a", "c1", "uudestaan");
	assert_int_equal(purposes_of(p, "a", 1, kept), 2);
	assert_string_equal(kept[0].purpose, "uudestaan");
	assert_string_equal(kept[1].purpose, "toinen");
	purposes_free(p);
}

static void test_purposes__oldest_of_the_session_gives_way(void **state)
{
	struct purpose_kept kept[PURPOSES_MAX];
	struct purposes *p = fresh();
	char id[8];

	(void)state;
	keep(p, "b", "c0", "muun");
	for (int i = 0; i <= PURPOSES_MAX; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		keep(p, "a", id, id);
	}
	assert_int_equal(purposes_of(p, "a", 1, kept), PURPOSES_MAX);
	assert_string_equal(kept[PURPOSES_MAX - 1].case_id, "c1");
	assert_int_equal(purposes_of(p, "b", 1, kept), 1);
	purposes_free(p);
}

static void test_purposes__oldest_of_all_gives_way_when_full(void **state)
{
	struct purpose_kept kept[PURPOSES_MAX];
	struct purposes *p = fresh();
	char id[17];

	(void)state;
	for (int i = 0; i < 4097; i++) {
		snprintf(id, sizeof(id), "%016d", i);
		keep(p, id, "c1", "x");
	}
	assert_int_equal(purposes_of(p, "0000000000000000", 1, kept), 0);
	assert_int_equal(purposes_of(p, "0000000000000001", 1, kept), 1);
	assert_int_equal(purposes_of(p, "0000000000004096", 1, kept), 1);
	purposes_free(p);
}

static void test_purposes__end_after_eight_hours(void **state)
{
	struct purpose_kept kept[PURPOSES_MAX];
	struct purposes *p = fresh();

	(void)state;
	keep(p, "a", "c1", "Valvonta");
	assert_int_equal(purposes_of(p, "a", 8 * HOUR * US - 1, kept), 1);
	assert_int_equal(purposes_of(p, "a", 8 * HOUR * US, kept), 0);
	purposes_free(p);
}

static void test_purposes__end_for_one_case_or_all(void **state)
{
	struct purpose_kept kept[PURPOSES_MAX];
	struct purposes *p = fresh();

	(void)state;
	keep(p, "a", "c1", "yksi");
	keep(p, "a", "c2", "kaksi");
	keep(p, "b", "c1", "muun");
	purposes_end(p, "a", "c1");
	assert_int_equal(purposes_of(p, "a", 1, kept), 1);
	assert_string_equal(kept[0].case_id, "c2");
	purposes_end(p, "a", NULL);
	assert_int_equal(purposes_of(p, "a", 1, kept), 0);
	assert_int_equal(purposes_of(p, "b", 1, kept), 1);
	purposes_free(p);
}

static void test_purposes__too_long_is_not_kept(void **state)
{
	struct purposes *p = fresh();
	char *purpose = calloc(1, PURPOSE_BYTES + 1);

	(void)state;
	assert_non_null(purpose);
	memset(purpose, 'x', PURPOSE_BYTES);
	assert_int_equal(purposes_keep(p, "a", "c1", purpose, 0, NULL), ARK_EINPUT);
	purpose[PURPOSE_BYTES - 1] = '\0';
	keep(p, "a", "c1", purpose);
	free(purpose);
	purposes_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_purposes__are_of_their_session_alone),
	    cmocka_unit_test(test_purposes__newest_first_and_one_for_each_case),
	    cmocka_unit_test(test_purposes__oldest_of_the_session_gives_way),
	    cmocka_unit_test(test_purposes__oldest_of_all_gives_way_when_full),
	    cmocka_unit_test(test_purposes__end_after_eight_hours),
	    cmocka_unit_test(test_purposes__end_for_one_case_or_all),
	    cmocka_unit_test(test_purposes__too_long_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
