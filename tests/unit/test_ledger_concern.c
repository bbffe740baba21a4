/* Whom an entry concerns, what was done behind broken glass, and what was said about it. */
#include "tests/unit/ledger_fixture.h"

#include <sqlite3.h>
#include <unistd.h>

#include "archive/ledger_index.h"
#include "arkki/base/json.h"

static void append(struct fixture *f, const struct ledger_record *r)
{
	struct ark_error err = {0};

	if (ledger_append_wait(f->l, r, 1, NULL, &err))
		fail_msg("%s", err.text);
}

/* 0 lvv on its own; 1 pirha on lvv's; 2 the Ombudsman on lvv's; 3 lvv on nobody's; 4 pirha, glass;
 * 5 uusimaa, a reason without effect; 6 lvv on pirha's, glass; 7 the Ombudsman, no document */
static void some(struct fixture *f)
{
	char lvv[33], pirha[33];

	keyring_name(f->keys, "orgs", "lvv", lvv);
	keyring_name(f->keys, "orgs", "pirha", pirha);
	const struct ledger_record r[] = {
	    {.document = DOC_A, .author = lvv, .principal = "maija", .org = "lvv"},
	    {.document = DOC_A, .author = lvv, .principal = "pertti", .org = "pirha"},
	    {.document = DOC_A,
		.author = lvv,
		.principal = "aada",
		.org = "eoa",
		.own_series = true},
	    {.principal = "maija", .org = "lvv"},
	    {.principal = "pertti", .org = "pirha", .break_glass = "h\xc3\xa4t\xc3\xa4"},
	    {.principal = "ulla", .org = "uusimaa", .break_glass = "x", .glass_refused = true},
	    {.document = DOC_B,
		.author = pirha,
		.principal = "maija",
		.org = "lvv",
		.break_glass = "y"},
	    {.principal = "aada", .org = "eoa", .own_series = true},
	};

	for (size_t i = 0; i < sizeof(r) / sizeof(*r); i++) {
		struct ledger_record one = r[i];

		one.kind = "content";
		one.time_us = 1773303330000000 + (int64_t)i * 1000000;
		append(f, &one);
	}
}

static int note(void *arg, const struct ledger_entry *e)
{
	size_t n = strlen(arg);

	snprintf((char *)arg + n, 100 - n, "%s%llu", n ? " " : "", (unsigned long long)e->index);
	return 0;
}

static void finds(
    struct fixture *f, struct ledger_filter filter, unsigned int limit, const char *want)
{
	char got[100] = "";
	struct ark_error err = {0};

	if (ledger_find(f->l, &filter, limit, note, got, &err))
		fail_msg("%s", err.text);
	assert_string_equal(got, want);
}

static void concerns(struct fixture *f)
{
	static const char *const lvv[] = {"lvv"}, *const both[] = {"pirha", "lvv"},
				 *const eoa[] = {"eoa"};

	finds(f, (struct ledger_filter){.orgs = lvv, .orgs_len = 1}, 100, "0 1 3 6");
	finds(f, (struct ledger_filter){.orgs = lvv, .orgs_len = 1, .newest_first = true}, 100,
	    "6 3 1 0");
	finds(f, (struct ledger_filter){.orgs = both, .orgs_len = 2}, 100, "0 1 3 4 6");
	finds(
	    f, (struct ledger_filter){.orgs = both, .orgs_len = 2, .newest_first = true}, 2, "6 4");
	finds(f, (struct ledger_filter){.orgs = both, .orgs_len = 2, .after = 2}, 2, "3 4");
	finds(f, (struct ledger_filter){.orgs = eoa, .orgs_len = 1}, 100, "");
	finds(f, (struct ledger_filter){.orgs = lvv, .orgs_len = 0}, 100, "");
	finds(f, (struct ledger_filter){.orgs = lvv, .orgs_len = 1, .document = DOC_A}, 100, "0 1");
	finds(f, (struct ledger_filter){.orgs = both, .orgs_len = 1, .document = DOC_A}, 100, "1");
	finds(
	    f, (struct ledger_filter){.orgs = both, .orgs_len = 1, .principal = "maija"}, 100, "6");
	finds(f, (struct ledger_filter){.orgs = lvv, .orgs_len = 1, .principal = "aada"}, 100, "");
	finds(f,
	    (struct ledger_filter){.orgs = both,
		.orgs_len = 2,
		.from_us = 1773303331000000,
		.to_us = 1773303336000000},
	    100, "1 3 4");
	finds(f, (struct ledger_filter){.document = DOC_A}, 100, "0 1 2");
}

static void glass(struct fixture *f)
{
	static const char *const lvv[] = {"lvv"};

	finds(f, (struct ledger_filter){.broken_glass = true}, 100, "4 6");
	finds(f, (struct ledger_filter){.broken_glass = true, .newest_first = true}, 1, "6");
	finds(
	    f, (struct ledger_filter){.broken_glass = true, .orgs = lvv, .orgs_len = 1}, 100, "6");
	finds(f, (struct ledger_filter){.broken_glass = true, .principal = "maija"}, 100, "6");
	finds(
	    f, (struct ledger_filter){.broken_glass = true, .from_us = 1773303335000000}, 100, "6");
}

static void test_ledger__concerns_are_of_the_organisation_and_of_the_author(void **state)
{
	some(*state);
	concerns(*state);
}

static void test_ledger__glass_without_effect_is_a_reason_only(void **state)
{
	struct fixture *f = *state;
	struct ledger_entry e;

	some(f);
	glass(f);
	assert_int_equal(ledger_get(f->l, 5, &e, NULL), 0);
	assert_string_equal(json_text(e.a, "breakGlass"), "x");
	assert_true(json_is_true(json_object_get(e.a, "breakGlassRefused")));
	ledger_entry_free(&e);
	assert_int_equal(ledger_get(f->l, 4, &e, NULL), 0);
	assert_null(json_object_get(e.a, "breakGlassRefused"));
	ledger_entry_free(&e);
}

static void test_ledger__the_same_from_a_new_index_and_beside_a_writer(void **state)
{
	struct fixture *f = *state;

	some(f);
	ledger_close(f->l);
	f->l = NULL;
	assert_int_equal(unlink(f->index), 0);
	reopen(f, false);
	concerns(f);
	glass(f);
	reopen(f, true);
	concerns(f);
	glass(f);
}

static void test_ledger__an_index_of_version_1_is_made_anew(void **state)
{
	static const char old[] =
	    "DROP TABLE concern; DROP TABLE entry;"
	    "CREATE TABLE entry(idx INTEGER PRIMARY KEY, time_us INTEGER NOT NULL,"
	    " document BLOB, principal BLOB, own INTEGER NOT NULL, document_sequence INTEGER,"
	    " principal_sequence INTEGER, segment INTEGER NOT NULL, place INTEGER NOT NULL);"
	    "CREATE INDEX entry_time ON entry(time_us);"
	    "INSERT INTO entry VALUES(0, 1, NULL, NULL, 0, NULL, NULL, 0, 4096);"
	    "PRAGMA user_version = 1;";
	struct fixture *f = *state;
	sqlite3 *db;

	some(f);
	ledger_close(f->l);
	f->l = NULL;
	assert_int_equal(sqlite3_open(f->index, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	reopen(f, false);
	concerns(f);
	reopen(f, true);
	concerns(f);
	glass(f);
	ledger_close(f->l);
	f->l = NULL;
	/* one of a program to come is not ours to throw away */
	assert_int_equal(sqlite3_open(f->index, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(
	    ledger_open(f->log, ORIGIN, LEDGER_ACCESS, f->keys, true, &f->l, NULL), ARK_EINPUT);
	assert_null(f->l);
}

static void test_ledger__about_finds_the_first_of_each_series(void **state)
{
	struct fixture *f = *state;
	const uint64_t zero = 0, seven = 7, far = UINT64_MAX;
	const struct ledger_record r[] = {
	    {.kind = "break-glass-review", .about = &seven, .principal = "aino", .org = "lvv"},
	    {.kind = "break-glass-review", .about = &seven, .principal = "aino", .org = "lvv"},
	    {.kind = "break-glass-review", .about = &seven, .org = "eoa", .own_series = true},
	    {.kind = "break-glass-review", .about = &zero, .org = "eoa", .own_series = true},
	    {.kind = "content"},
	};
	const struct ledger_record wrong = {.kind = "content", .about = &far};
	uint64_t at = 99;
	struct ledger_entry e;

	for (size_t i = 0; i < sizeof(r) / sizeof(*r); i++)
		append(f, &r[i]);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(ledger_about(f->l, 7, false, &at, NULL), 0);
		assert_int_equal(at, 0);
		assert_int_equal(ledger_about(f->l, 7, true, &at, NULL), 0);
		assert_int_equal(at, 2);
		assert_int_equal(ledger_about(f->l, 0, true, &at, NULL), 0);
		assert_int_equal(at, 3);
		assert_int_equal(ledger_about(f->l, 0, false, &at, NULL), ARK_ENOTFOUND);
		assert_int_equal(ledger_about(f->l, 1, true, &at, NULL), ARK_ENOTFOUND);
		ledger_close(f->l);
		f->l = NULL;
		(void)unlink(f->index); /* a reader has made none */
		reopen(f, again == 1);
	}
	assert_int_equal(ledger_get(f->l, 3, &e, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(e.a, "about")), 0);
	ledger_entry_free(&e);
	assert_int_equal(ledger_append_wait(f->l, &wrong, 1, NULL, NULL), ARK_EINPUT);
}

static bool odd(void *arg, uint64_t index)
{
	++*(unsigned int *)arg;
	return index & 1;
}

static void test_ledger__what_is_not_wanted_counts_for_no_limit(void **state)
{
	unsigned int asked = 0;

	some(*state);
	finds(*state, (struct ledger_filter){.wanted = odd, .wanted_arg = &asked}, 2, "1 3");
	assert_in_range(asked, 4, 6);
}

static void test_ledger__too_many_organisations_are_refused(void **state)
{
	struct fixture *f = *state;
	const char *orgs[LEDGER_ORGS_MAX + 1];
	struct ledger_filter filter = {.orgs = orgs, .orgs_len = LEDGER_ORGS_MAX};
	char got[100] = "";

	for (size_t i = 0; i <= LEDGER_ORGS_MAX; i++)
		orgs[i] = "lvv";
	some(f);
	assert_int_equal(ledger_find(f->l, &filter, 100, note, got, NULL), 0);
	assert_string_equal(got, "0 1 3 6");
	filter.orgs_len++;
	assert_int_equal(ledger_find(f->l, &filter, 100, note, got, NULL), ARK_EINPUT);
}

static void test_ledger__an_author_is_a_name_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	const struct ledger_record r = {.kind = "content", .author = "lvv"};

	assert_int_equal(ledger_append_wait(f->l, &r, 1, NULL, NULL), ARK_EINPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_ledger__concerns_are_of_the_organisation_and_of_the_author, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_ledger__glass_without_effect_is_a_reason_only, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_ledger__the_same_from_a_new_index_and_beside_a_writer, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_ledger__an_index_of_version_1_is_made_anew, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_ledger__about_finds_the_first_of_each_series, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_ledger__what_is_not_wanted_counts_for_no_limit, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_ledger__too_many_organisations_are_refused, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_ledger__an_author_is_a_name_and_nothing_else, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
