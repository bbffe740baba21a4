/* Tokens: found, expired, revoked, moved, and not in the clear on disk. */
#include "tests/unit/unit_keyring.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "arkki/archive/state.h"

struct fixture {
	struct unit_keyring k;
	char path[300];
	struct state *s;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unit_keyring_begin(&f->k);
	snprintf(f->path, sizeof(f->path), "%s/state.sqlite", f->k.dir);
	assert_int_equal(state_open(f->path, f->k.keys, true, &f->s, NULL), ARK_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	state_close(f->s);
	unit_keyring_end(&f->k);
	free(f);
	return 0;
}

/* Runs SQL of the test's own on the file. */
static void tamper(const struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_state__token_is_found_until_it_expires(void **state)
{
	struct fixture *f = *state;
	char token[STATE_TOKEN_SIZE], id[17];
	struct state_token found;

	assert_int_equal(
	    state_token_create(f->s, "maija", "laptop", 1000, token, id, NULL), ARK_OK);
	assert_memory_equal(token, "arkki_", 6);
	assert_int_equal(strlen(token), 6 + 43);
	assert_int_equal(strlen(id), 16);
	assert_int_equal(state_token_find(f->s, token, 999, &found, NULL), ARK_OK);
	assert_string_equal(found.user, "maija");
	assert_string_equal(found.id, id);
	assert_int_equal(found.expires_us, 1000);
	assert_int_equal(state_token_find(f->s, token, 1000, &found, NULL), ARK_ENOTFOUND);
}

static void test_state__unknown_expired_and_revoked_read_the_same(void **state)
{
	struct fixture *f = *state;
	char token[STATE_TOKEN_SIZE], other[STATE_TOKEN_SIZE], id[17];
	struct ark_error unknown, expired, revoked;
	struct state_token found;

	assert_int_equal(state_token_create(f->s, "maija", NULL, 1000, token, id, NULL), ARK_OK);
	memcpy(other, token, sizeof(other));
	other[20] = other[20] == 'A' ? 'B' : 'A';
	assert_int_equal(state_token_find(f->s, other, 1, &found, &unknown), ARK_ENOTFOUND);
	assert_int_equal(state_token_find(f->s, token, 2000, &found, &expired), ARK_ENOTFOUND);
	assert_int_equal(state_token_revoke(f->s, id, NULL), ARK_OK);
	assert_int_equal(state_token_find(f->s, token, 1, &found, &revoked), ARK_ENOTFOUND);
	assert_string_equal(unknown.text, expired.text);
	assert_string_equal(unknown.text, revoked.text);
	assert_int_equal(state_token_revoke(f->s, id, NULL), ARK_ENOTFOUND);
	assert_int_equal(state_token_find(f->s, "", 1, &found, NULL), ARK_ENOTFOUND);
}

static void test_state__tokens_outlive_the_process_and_differ(void **state)
{
	struct fixture *f = *state;
	char a[STATE_TOKEN_SIZE], b[STATE_TOKEN_SIZE], id_a[17], id_b[17], longest[65];
	struct state_token found;

	memset(longest, 'x', 64);
	longest[64] = '\0';
	assert_int_equal(state_token_create(f->s, longest, NULL, 1000, a, id_a, NULL), ARK_OK);
	assert_int_equal(state_token_create(f->s, "matti", NULL, 1000, b, id_b, NULL), ARK_OK);
	assert_string_not_equal(a, b);
	assert_string_not_equal(id_a, id_b);
	state_close(f->s);
	f->s = NULL;
	assert_int_equal(state_open(f->path, f->k.keys, false, &f->s, NULL), ARK_OK);
	assert_int_equal(state_token_find(f->s, a, 1, &found, NULL), ARK_OK);
	assert_string_equal(found.user, longest);
	assert_int_equal(state_token_find(f->s, b, 1, &found, NULL), ARK_OK);
	assert_string_equal(found.user, "matti");
}

static void test_state__disk_holds_no_token_user_or_name(void **state)
{
	struct fixture *f = *state;
	char token[STATE_TOKEN_SIZE], id[17];

	assert_int_equal(
	    state_token_create(f->s, "maija-meikalainen", "the-blue-laptop", 1000, token, id, NULL),
	    ARK_OK);
	assert_true(unit_holds(f->k.dir, id, 16)); /* the search itself works */
	assert_false(unit_holds(f->k.dir, token + 6, 20));
	assert_false(unit_holds(f->k.dir, "maija-meikalainen", 17));
	assert_false(unit_holds(f->k.dir, "the-blue-laptop", 15));
}

static void test_state__files_are_the_owners_alone(void **state)
{
	struct fixture *f = *state;
	char wal[320];
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_state__a_user_moved_to_another_token_does_not_open(void **state)
{
	struct fixture *f = *state;
	char token[STATE_TOKEN_SIZE], id[17], other[STATE_TOKEN_SIZE];
	struct state_token found;
	struct ark_error err;

	assert_int_equal(state_token_create(f->s, "maija", NULL, 1000, token, id, NULL), ARK_OK);
	assert_int_equal(state_token_create(f->s, "admin", NULL, 1000, other, id, NULL), ARK_OK);
	tamper(f, "CREATE TABLE before AS SELECT id, user FROM token;"
		  "UPDATE token SET user = (SELECT b.user FROM before b WHERE b.id <> token.id)");
	assert_int_equal(state_token_find(f->s, token, 1, &found, &err), ARK_ECORRUPT);
	assert_int_equal(state_token_find(f->s, other, 1, &found, &err), ARK_ECORRUPT);
}

static void test_state__bad_input_and_absent_file_are_refused(void **state)
{
	struct fixture *f = *state;
	char token[STATE_TOKEN_SIZE], id[17], longer[400], none[320];
	struct state_token found;
	struct state *s = NULL;
	struct ark_error err;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(state_token_create(f->s, "Maija", NULL, 1, token, id, &err), ARK_EINPUT);
	assert_int_equal(state_token_create(f->s, "", NULL, 1, token, id, &err), ARK_EINPUT);
	assert_int_equal(state_token_create(f->s, "maija", longer, 1, token, id, &err), ARK_EINPUT);
	assert_int_equal(state_token_find(f->s, longer, 1, &found, &err), ARK_ENOTFOUND);
	snprintf(none, sizeof(none), "%s/none.sqlite", f->k.dir);
	assert_int_equal(state_open(none, f->k.keys, false, &s, &err), ARK_ENOTFOUND);
	assert_null(s);
	tamper(f, "PRAGMA user_version=99");
	assert_int_equal(state_open(f->path, f->k.keys, true, &s, &err), ARK_EINPUT);
	assert_null(s);
}

static void test_state__marks_are_numbers_under_names_and_outlive_the_process(void **state)
{
	struct fixture *f = *state;
	uint64_t n = 99;

	assert_int_equal(state_mark_get(f->s, "search a", &n, NULL), ARK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(state_mark_set(f->s, "search a", 7, NULL), ARK_OK);
	assert_int_equal(state_mark_set(f->s, "search b", 8, NULL), ARK_OK);
	assert_int_equal(state_mark_set(f->s, "search a", 12345678901, NULL), ARK_OK);
	state_close(f->s);
	f->s = NULL;
	assert_int_equal(state_open(f->path, f->k.keys, false, &f->s, NULL), ARK_OK);
	assert_int_equal(state_mark_get(f->s, "search a", &n, NULL), ARK_OK);
	assert_int_equal(n, 12345678901);
	assert_int_equal(state_mark_set(f->s, "search a", 0, NULL), ARK_OK);
	assert_int_equal(state_mark_get(f->s, "search a", &n, NULL), ARK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(state_mark_get(f->s, "search b", &n, NULL), ARK_OK);
	assert_int_equal(n, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_state__marks_are_numbers_under_names_and_outlive_the_process, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_state__token_is_found_until_it_expires, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_state__unknown_expired_and_revoked_read_the_same, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_state__tokens_outlive_the_process_and_differ, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_state__disk_holds_no_token_user_or_name, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_state__files_are_the_owners_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_state__a_user_moved_to_another_token_does_not_open, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_state__bad_input_and_absent_file_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
