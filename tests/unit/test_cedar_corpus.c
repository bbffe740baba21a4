/* Cedar's own tests, and the runner of tests itself. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <sys/stat.h>

#include "arkki/base/buf.h"
#include "arkki/base/fs.h"
#include "arkki/policies/cedar.h"

struct tally {
	const char *file;
	unsigned int files, requests, failed, disagreements;
};

static void print_mismatch(void *arg, const char *line)
{
	const struct tally *t = arg;

	printf("%s: %s\n", t->file, line);
}

static void run_file(struct tally *t, const char *file, const char *root)
{
	struct cedar_test_result result = {0};
	struct ark_error err = {0};

	t->file = file;
	t->files++;
	if (cedar_test_run(file, root, print_mismatch, t, &result, &err)) {
		printf("%s: %s\n", file, err.text);
		t->failed++;
		return;
	}
	t->requests += result.requests;
	t->failed += result.failed;
	t->disagreements += result.validates != result.should_validate;
}

/* Every *.json of a directory but the entities. */
static void run_directory(struct tally *t, const char *dir, const char *root)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		const char *dot = strstr(entry->d_name, ".json");
		char path[1024];

		if (!dot || dot[5] || strstr(entry->d_name, ".entities.json"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		run_file(t, path, root);
	}
	closedir(d);
}

static void test_corpus__of_handwritten_tests_passes(void **state)
{
	static const char *const groups[] = {"decimal", "example_use_cases", "ip", "multi"};
	struct tally t = {0};
	char root[512], dir[600];

	(void)state;
	unit_corpus(root, "cedar-integration", __func__);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		snprintf(dir, sizeof(dir), "%s/tests/%s", root, groups[i]);
		run_directory(&t, dir, root);
		run_directory(&t, dir, NULL);
	}
	assert_int_equal(t.files, 44);
	assert_true(t.requests > 100);
	assert_int_equal(t.failed, 0);
	assert_int_equal(t.disagreements, 0);
}

static void test_corpus__of_generated_tests_passes(void **state)
{
	struct tally t = {0};
	char archive[512], scratch[256], dir[300], cmd[1200];

	(void)state;
	unit_corpus(archive, "cedar-corpus.tar.gz", __func__);
	unit_scratch(scratch);
	snprintf(cmd, sizeof(cmd), "tar -xzf '%s' -C '%s'", archive, scratch);
	assert_int_equal(system(cmd), 0);
	snprintf(dir, sizeof(dir), "%s/corpus-tests", scratch);
	run_directory(&t, dir, scratch);
	unit_scratch_end(scratch);
	assert_int_equal(t.files, 4620);
	assert_int_equal(t.requests, 36960);
	assert_int_equal(t.failed, 0);
	assert_int_equal(t.disagreements, 0);
}

/* ---- the runner ---- */

struct files {
	char dir[256], test[300];
	struct buf told;
};

static void put(const struct files *f, const char *name, const char *text)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(fs_replace_file(path, text, strlen(text), 0600, NULL), ARK_OK);
}

static int set_up(void **state)
{
	struct files *f = calloc(1, sizeof(*f));
	char path[300];

	assert_non_null(f);
	unit_scratch(f->dir);
	snprintf(path, sizeof(path), "%s/tests", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(f->test, sizeof(f->test), "%s/tests/t.json", f->dir);
	put(f, "p.cedar",
	    "permit(principal, action, resource); permit(principal, action, resource) when { 1 };");
	put(f, "e.json", "[]");
	put(f, "s.cedarschema",
	    "entity U; action a appliesTo { principal: U, resource: U, context: {} };");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct files *f = *state;

	unit_scratch_end(f->dir);
	buf_free(&f->told);
	free(f);
	return 0;
}

static void keep_line(void *arg, const char *line)
{
	struct files *f = arg;

	buf_addf(&f->told, "%s\n", line);
}

#define REQUEST(rest)                                                                              \
	"{\"description\":\"d\",\"principal\":{\"type\":\"U\",\"id\":\"\"},"                       \
	"\"action\":{\"type\":\"Action\",\"id\":\"a\"},\"resource\":{\"type\":\"U\",\"id\":\"\"}," \
	"\"context\":{}," rest "}"
#define TEST(requests)                                                                             \
	"{\"policies\":\"p.cedar\",\"entities\":\"e.json\",\"schema\":\"s.cedarschema\","          \
	"\"shouldValidate\":true,\"requests\":[" requests "]}"

static int run_text(struct files *f, const char *text, struct cedar_test_result *ret)
{
	struct ark_error err = {0};

	put(f, "tests/t.json", text);
	buf_clear(&f->told);
	return cedar_test_run(f->test, NULL, keep_line, f, ret, &err);
}

static void test_runner__tells_what_does_not_match(void **state)
{
	struct files *f = *state;
	struct cedar_test_result r = {0};

	assert_int_equal(
	    run_text(f,
		TEST(REQUEST(
		    "\"decision\":\"Allow\",\"reason\":[\"policy0\"],"
		    "\"errors\":[\"policy1\"]") "," REQUEST("\"decision\":\"deny\",\"reason\":["
							    "\"policy0\"],\"errors\":["
							    "\"policy1\"]") "," REQUEST("\"decision"
											"\":"
											"\"allow\","
											"\"reason\""
											":[],"
											"\"errors\""
											":["
											"\"policy1"
											"\"]") "," REQUEST("\"dec"
													   "ision"
													   "\":"
													   "\"all"
													   "ow\","
													   "\"rea"
													   "son\""
													   ":["
													   "\"pol"
													   "icy0"
													   "\","
													   "\"pol"
													   "icy1"
													   "\"],"
													   "\"err"
													   "ors\""
													   ":["
													   "]")),
		&r),
	    ARK_OK);
	assert_int_equal(r.requests, 4);
	assert_int_equal(r.failed, 3);
	assert_int_equal(r.validates, 0);
	assert_int_equal(r.should_validate, 1);
	assert_string_equal(f->told.data, "request 2 (d); decision allow, expected deny\n"
					  "request 3 (d); reason policy0, expected none\n"
					  "request 4 (d); reason policy0, expected policy0 "
					  "policy1; errors policy1, expected none\n");
}

static void test_runner__refuses_what_it_cannot_run(void **state)
{
	static const char *const bad[] = {
	    "[]",
	    "{}",
	    "{\"requests\":[]}",
	    "{\"policies\":1,\"entities\":\"e.json\",\"requests\":[]}",
	    "{\"policies\":\"none.cedar\",\"entities\":\"e.json\",\"requests\":[]}",
	    "{\"policies\":\"p.cedar\",\"requests\":[]}",
	    "{\"policies\":\"p.cedar\",\"entities\":\"none\",\"requests\":[]}",
	    "{\"policies\":\"e.json\",\"entities\":\"e.json\",\"requests\":[]}",
	    "{\"policies\":\"p.cedar\",\"entities\":\"p.cedar\",\"requests\":[]}",
	    "{\"policies\":\"p.cedar\",\"entities\":\"e.json\",\"schema\":\"p.cedar\",\"requests\":"
	    "[]}",
	    "{\"policies\":\"p.cedar\",\"entities\":\"e.json\",\"schema\":\"none\",\"requests\":[]"
	    "}",
	    TEST("{}"),
	    TEST(REQUEST("\"decision\":\"maybe\"")),
	    TEST(REQUEST("\"reason\":[]")),
	    "{\"policies\":\"p.cedar\",\"policies\":\"p.cedar\",\"entities\":\"e.json\","
	    "\"requests\":[]}",
	};
	struct files *f = *state;
	struct cedar_test_result r = {.requests = 77};
	struct ark_error err = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (run_text(f, bad[i], &r) != ARK_EINPUT)
			fail_msg("%s is run", bad[i]);
	assert_int_equal(r.requests, 77);
	assert_int_equal(cedar_test_run("/nowhere/t.json", NULL, NULL, NULL, &r, &err), ARK_EINPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_corpus__of_handwritten_tests_passes),
	    cmocka_unit_test(test_corpus__of_generated_tests_passes),
	    cmocka_unit_test_setup_teardown(
		test_runner__tells_what_does_not_match, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_runner__refuses_what_it_cannot_run, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
