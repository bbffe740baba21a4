/* The cases that ship, and cases against sets of policies that decide otherwise. */
#include "tests/unit/unit.h"

#include <dirent.h>

#include "arkki/base/json.h"
#include "arkki/policies/cases.h"
#include "arkki/policies/shipped.h"

struct told {
	unsigned int n;
	char set[64], description[300], why[300];
};

static void note(void *arg, const struct access_case *failed)
{
	struct told *t = arg;

	t->n++;
	snprintf(t->set, sizeof(t->set), "%s", failed->set);
	snprintf(t->description, sizeof(t->description), "%s", failed->description);
	snprintf(t->why, sizeof(t->why), "%s", failed->why);
}

static struct access_rules *rules_of(const char *policies)
{
	struct access_rules *r;
	struct ark_error err = {0};

	if (access_rules_new(policies, strlen(policies), shipped_schema(), strlen(shipped_schema()),
		NULL, NULL, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

static json_t *shipped(void)
{
	json_t *cases;

	assert_int_equal(json_read(shipped_cases(), strlen(shipped_cases()), &cases, NULL), ARK_OK);
	return cases;
}

static void test_cases__every_file_is_shipped(void **state)
{
	json_t *cases = shipped(), *sets = json_object_get(cases, "sets");
	DIR *d = opendir("policies/cases");
	struct dirent *e;
	size_t n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		char *dot = strstr(e->d_name, ".json");

		if (!dot)
			continue;
		*dot = '\0';
		n++;
		if (!json_object_get(sets, e->d_name))
			fail_msg("policies/cases/%s.json is not in shipped_cases()", e->d_name);
	}
	closedir(d);
	assert_int_equal(json_object_size(sets), n);
	assert_true(n > 5);
	json_decref(cases);
}

static void test_cases__all_pass_with_the_rules_that_ship(void **state)
{
	struct access_rules *r = rules_of(shipped_policies());
	json_t *cases = shipped();
	struct told t = {0};
	unsigned int passed = 0, failed = 1;

	(void)state;
	assert_int_equal(access_cases_run(r, cases, note, &t, &passed, &failed, NULL), ARK_OK);
	assert_true(passed > 100);
	assert_int_equal(failed, 0);
	assert_int_equal(t.n, 0);
	json_decref(cases);
	access_rules_unref(r);
}

/* Reasons have other numbers when a policy goes before the rest: decisions alone count. */
static void test_cases__do_not_mind_policies_that_move(void **state)
{
	static const char before[] =
	    "permit(principal, action, resource) when { principal == User::\"nobody\" };\n";
	struct buf text = BUF_INIT;
	struct access_rules *r;
	json_t *cases = shipped();
	struct told t = {0};
	unsigned int passed, failed;

	(void)state;
	buf_adds(&text, before);
	buf_adds(&text, shipped_policies());
	r = rules_of(text.data);
	assert_int_equal(access_cases_run(r, cases, note, &t, &passed, &failed, NULL), ARK_OK);
	assert_int_equal(failed, 0);
	json_decref(cases);
	access_rules_unref(r);
	buf_free(&text);
}

static void test_cases__a_looser_set_fails_with_the_sentence(void **state)
{
	struct access_rules *r = rules_of("permit(principal, action, resource);");
	json_t *cases = shipped();
	struct told t = {0};
	unsigned int passed, failed;

	(void)state;
	assert_int_equal(access_cases_run(r, cases, note, &t, &passed, &failed, NULL), ARK_OK);
	assert_true(failed > 10 && passed > 10);
	assert_int_equal(t.n, failed);
	assert_true(strlen(t.set) > 2 && strlen(t.description) > 10);
	assert_string_equal(t.why, "decision allow, expected deny");
	json_decref(cases);
	access_rules_unref(r);
}

static json_t *cases_of(const char *text)
{
	json_t *cases = json_loads(text, 0, NULL);

	assert_non_null(cases);
	return cases;
}

static int run(const char *text, struct told *t, unsigned int *failed, struct ark_error *err)
{
	struct access_rules *r = rules_of("permit(principal, action, resource);");
	json_t *cases = cases_of(text);
	unsigned int passed = 0;
	int rc;

	*t = (struct told){0};
	rc = access_cases_run(r, cases, note, t, &passed, failed, err);
	json_decref(cases);
	access_rules_unref(r);
	return rc;
}

static void test_cases__what_cannot_be_asked_fails(void **state)
{
	struct ark_error err;
	struct told t;
	unsigned int failed;

	(void)state;
	assert_int_equal(
	    run("{\"entities\":[],\"sets\":{\"s\":{\"requests\":[{\"description\":\"D\","
		"\"principal\":7}]}}}",
		&t, &failed, &err),
	    ARK_OK);
	assert_int_equal(failed, 1);
	assert_string_equal(t.description, "D");
	assert_string_equal(t.set, "s");
	assert_non_null(strstr(t.why, "principal"));
	assert_int_equal(
	    run("{\"entities\":[],\"sets\":{\"s\":{\"requests\":[3]}}}", &t, &failed, &err),
	    ARK_OK);
	assert_int_equal(failed, 1);
}

static void test_cases__of_another_form_are_refused(void **state)
{
	static const char *const texts[] = {"[]", "{}", "{\"entities\":[]}",
	    "{\"entities\":{},\"sets\":{}}", "{\"entities\":[],\"sets\":[]}",
	    "{\"entities\":[],\"sets\":{\"s\":{}}}", "{\"entities\":[],\"sets\":{\"s\":[]}}",
	    "{\"entities\":[7],\"sets\":{}}"};
	struct ark_error err;
	struct told t;
	unsigned int failed;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (run(texts[i], &t, &failed, &err) != ARK_EINPUT)
			fail_msg("%s was taken", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases__every_file_is_shipped),
	    cmocka_unit_test(test_cases__all_pass_with_the_rules_that_ship),
	    cmocka_unit_test(test_cases__do_not_mind_policies_that_move),
	    cmocka_unit_test(test_cases__a_looser_set_fails_with_the_sentence),
	    cmocka_unit_test(test_cases__what_cannot_be_asked_fails),
	    cmocka_unit_test(test_cases__of_another_form_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
