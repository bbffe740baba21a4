/* Versions of the policies in a whole archive: damaged ones are refused at the start, and restored. */
#include "tests/unit/made_archive.h"

#include <glob.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "arkki/archive/policies.h"
#include "arkki/base/json.h"
#include "arkki/policies/shipped.h"

struct world {
	char top[256], dir[300], key[300];
	struct archive *a;
};

static const struct filing_actor actor = {.user = "ylla", .org = "lvv", .roles = "admin"};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	made_archive_copy(*state, w->top, w->dir, w->key);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	archive_close(w->a);
	unit_scratch_end(w->top);
	free(w);
	return 0;
}

static int try_open(struct world *w, struct ark_error *err)
{
	return archive_open(w->dir, w->key, ARCHIVE_WRITE, NULL, NULL, &w->a, err);
}

static void open_it(struct world *w)
{
	struct ark_error err = {0};

	if (try_open(w, &err))
		fail_msg("open: %s", err.text);
}

static void close_it(struct world *w)
{
	archive_close(w->a);
	w->a = NULL;
}

static void assert_refused(struct world *w, const char *const *words)
{
	struct ark_error err = {0};

	assert_int_equal(try_open(w, &err), ARK_ECORRUPT);
	for (size_t i = 0; words[i]; i++)
		if (!strstr(err.text, words[i]))
			fail_msg("\"%s\" is not in: %s", words[i], err.text);
}

/* Files policies without looking whether they can be used. */
static int file_text(struct world *w, const char *policies)
{
	struct ark_error err = {0};
	json_t *record, *cases = json_pack("{s:[],s:{}}", "entities", "sets");
	uint32_t number;
	int rc;

	assert_int_equal(policies_record(policies, strlen(policies), cases, &record, &err), ARK_OK);
	json_decref(cases);
	rc = policies_file(w->a, record, &actor, "because", &number, &err);
	json_decref(record);
	return rc;
}

static json_t *read_version(struct world *w, uint32_t number)
{
	struct policies_version v;
	struct receipt *receipt;
	struct ark_error err = {0};
	json_t *envelope;

	assert_int_equal(archive_maintenance(w->a, "test", "all", &receipt, &err), ARK_OK);
	if (policies_read(w->a, receipt, number, &v, &err))
		fail_msg("version %u: %s", number, err.text);
	envelope = json_incref(v.envelope);
	policies_version_free(&v);
	receipt_free(receipt);
	return envelope;
}

static void assert_text(struct world *w, uint32_t number, const char *policies)
{
	json_t *envelope = read_version(w, number);

	assert_string_equal(json_text(json_object_get(envelope, "record"), "policies"), policies);
	json_decref(envelope);
}

static void assert_restored(struct world *w, uint32_t number, bool shipped, uint32_t as,
    uint32_t from, const char *policies)
{
	struct ark_error err = {0};
	uint32_t got = 0, got_from = 99;

	if (policies_restore(w->dir, w->key, number, shipped, &got, &got_from, &err))
		fail_msg("restore: %s", err.text);
	assert_int_equal(got, as);
	assert_int_equal(got_from, from);
	open_it(w);
	assert_int_equal(policies_number(w->a, &got, NULL), ARK_OK);
	assert_int_equal(got, as);
	assert_text(w, as, policies);
}

static const char loose[] = "@id(\"all\") permit(principal, action, resource);";

/* ---- */

static void test_policies__the_shipped_set_is_the_first_version(void **state)
{
	struct world *w = *state;
	struct access_rules *rules;
	uint32_t number = 0;
	json_t *envelope;

	open_it(w);
	assert_int_equal(policies_number(w->a, &number, NULL), ARK_OK);
	assert_int_equal(number, 1);
	assert_text(w, 1, shipped_policies());
	envelope = read_version(w, 1);
	assert_true(json_is_object(json_object_get(
	    json_object_get(json_object_get(envelope, "record"), "cases"), "sets")));
	json_decref(envelope);
	rules = registry_rules(archive_registry(w->a));
	assert_non_null(rules);
	access_rules_unref(rules);
}

static void test_policies__a_new_version_is_in_force_at_once_and_keeps_its_reason(void **state)
{
	struct world *w = *state;
	struct policies_version none;
	struct receipt *receipt;
	struct access_rules *rules;
	json_t *envelope;

	open_it(w);
	assert_int_equal(file_text(w, loose), ARK_OK);
	rules = registry_rules(archive_registry(w->a));
	assert_string_equal(access_policy_id(rules, 0), "all");
	access_rules_unref(rules);
	envelope = read_version(w, 2);
	assert_string_equal(json_text(envelope, "reason"), "because");
	assert_string_equal(json_text(json_object_get(envelope, "actor"), "user"), "ylla");
	json_decref(envelope);
	assert_text(w, 1, shipped_policies());
	assert_int_equal(archive_maintenance(w->a, "test", "all", &receipt, NULL), ARK_OK);
	assert_int_equal(policies_read(w->a, receipt, 3, &none, NULL), ARK_ENOTFOUND);
	receipt_free(receipt);
	close_it(w);
	open_it(w);
	rules = registry_rules(archive_registry(w->a));
	assert_string_equal(access_policy_id(rules, 0), "all");
	access_rules_unref(rules);
}

static void break_rules(struct world *w, const char *policies)
{
	struct access_rules *rules;

	open_it(w);
	assert_int_not_equal(file_text(w, policies), ARK_OK);
	rules = registry_rules(archive_registry(w->a)); /* what was in force still is */
	assert_string_equal(access_policy_id(rules, 0), "public-documents");
	access_rules_unref(rules);
	close_it(w);
}

static void test_policies__that_no_longer_parse_are_refused_and_restored(void **state)
{
	static const char *const words[] = {
	    "version 2 of the policies", "arkki policy restore", "line 1", NULL};
	struct world *w = *state;

	break_rules(w, "permit(principal, action resource);");
	assert_refused(w, words);
	assert_restored(w, 0, false, 3, 1, shipped_policies());
	close_it(w);
	open_it(w);
}

static void test_policies__that_no_longer_validate_are_refused_and_restored(void **state)
{
	static const char *const words[] = {"version 2 of the policies", "[--version N]", NULL};
	struct world *w = *state;

	break_rules(w, "permit(principal, action, resource) when { principal.shoeSize > 4 };");
	assert_refused(w, words);
	assert_restored(w, 0, true, 3, 0, shipped_policies());
}

static void test_policies__a_version_that_cannot_be_used_is_not_restored(void **state)
{
	struct world *w = *state;
	struct ark_error err = {0};
	uint32_t number, from;

	break_rules(w, "permit(");
	assert_int_equal(
	    policies_restore(w->dir, w->key, 2, false, &number, &from, &err), ARK_ECORRUPT);
	assert_non_null(strstr(err.text, "version 2 of the policies cannot be used either"));
	assert_int_equal(
	    policies_restore(w->dir, w->key, 3, false, &number, &from, &err), ARK_ENOTFOUND);
	assert_non_null(strstr(err.text, "only 1 to 2"));
	assert_int_equal(try_open(w, &err), ARK_ECORRUPT); /* still */
	assert_restored(w, 1, false, 3, 1, shipped_policies());
}

static void test_policies__the_first_version_has_none_before_it(void **state)
{
	struct world *w = *state;
	struct ark_error err = {0};
	uint32_t number, from;

	assert_int_equal(
	    policies_restore(w->dir, w->key, 0, false, &number, &from, &err), ARK_ENOTFOUND);
	assert_non_null(strstr(err.text, "--shipped"));
	assert_restored(w, 0, true, 2, 0, shipped_policies());
}

static void test_policies__an_archive_in_use_is_not_restored(void **state)
{
	struct world *w = *state;
	struct ark_error err = {0};
	uint32_t number, from;

	open_it(w);
	assert_int_equal(
	    policies_restore(w->dir, w->key, 1, false, &number, &from, &err), ARK_ECONFLICT);
}

/* ---- damage ---- */

static void sql(struct world *w, const char *text)
{
	char path[400], *why = NULL;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/catalogue.sqlite", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	assert_true(sqlite3_changes(db) > 0);
	sqlite3_close(db);
}

static void test_policies__a_damaged_copy_in_the_catalogue_is_refused_and_restored(void **state)
{
	static const char *const words[] = {"version 2 of the policies", "restore", NULL};
	static const char damage[] =
	    "UPDATE record SET sealed = substr(sealed, 1, 400) || x'00112233' ||"
	    " substr(sealed, 405) WHERE kind = 'policies'";
	struct world *w = *state;

	open_it(w);
	assert_int_equal(file_text(w, loose), ARK_OK);
	close_it(w);
	sql(w, damage);
	assert_refused(w, words);
	assert_restored(w, 2, false, 3, 2, loose); /* the store's copy is whole */
}

static void test_policies__a_lost_row_does_not_bring_the_shipped_set_back(void **state)
{
	static const char *const words[] = {"arkki rebuild", NULL};
	struct world *w = *state;
	struct ark_error err = {0};
	struct access_rules *rules;

	open_it(w);
	assert_int_equal(file_text(w, loose), ARK_OK);
	close_it(w);
	sql(w, "DELETE FROM record WHERE kind = 'policies'");
	assert_refused(w, words);
	if (archive_open(w->dir, w->key, ARCHIVE_REBUILD, NULL, NULL, &w->a, &err))
		fail_msg("%s", err.text);
	rules = registry_rules(archive_registry(w->a));
	assert_string_equal(access_policy_id(rules, 0), "all");
	access_rules_unref(rules);
}

/* Turns a bit in the middle of the largest pack: the one of the first policies with their cases. */
static void damage_store(struct world *w)
{
	char pattern[400];
	const char *largest = NULL;
	off_t most = 0;
	glob_t found;
	FILE *f;
	int c;

	snprintf(pattern, sizeof(pattern), "%s/archive.git/objects/pack/*.pack", w->dir);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat st;

		assert_int_equal(stat(found.gl_pathv[i], &st), 0);
		if (st.st_size > most) {
			most = st.st_size;
			largest = found.gl_pathv[i];
		}
	}
	assert_true(most > 100000);
	assert_int_equal(chmod(largest, 0600), 0);
	f = fopen(largest, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, (long)most / 2, SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, -1, SEEK_CUR), 0);
	fputc(c ^ 0x10, f);
	fclose(f);
	globfree(&found);
}

static void test_policies__a_damaged_copy_in_the_store_is_not_restored(void **state)
{
	struct world *w = *state;
	struct ark_error err = {0};
	uint32_t number, from;

	break_rules(w, "permit("); /* version 2; small, its cases are empty */
	damage_store(w);
	assert_int_equal(
	    policies_restore(w->dir, w->key, 0, false, &number, &from, &err), ARK_ECORRUPT);
	assert_restored(w, 0, true, 3, 0, shipped_policies());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(test_policies__the_shipped_set_is_the_first_version),
	    TEST(test_policies__a_new_version_is_in_force_at_once_and_keeps_its_reason),
	    TEST(test_policies__that_no_longer_parse_are_refused_and_restored),
	    TEST(test_policies__that_no_longer_validate_are_refused_and_restored),
	    TEST(test_policies__a_version_that_cannot_be_used_is_not_restored),
	    TEST(test_policies__the_first_version_has_none_before_it),
	    TEST(test_policies__an_archive_in_use_is_not_restored),
	    TEST(test_policies__a_damaged_copy_in_the_catalogue_is_refused_and_restored),
	    TEST(test_policies__a_lost_row_does_not_bring_the_shipped_set_back),
	    TEST(test_policies__a_damaged_copy_in_the_store_is_not_restored),
	};

	return cmocka_run_group_tests(tests, made_archive_begin, made_archive_end);
}
