/* The server's own log: one line each, as text or JSON. Its format is chosen once a process: each test has a child. */
#include "tests/unit/unit.h"

#include <sys/wait.h>

#include "arkki/base/log.h"

/* What `say` writes to standard error in a process with this environment. */
static void hear(const char *format, const char *journal, void (*say)(void), char out[4096])
{
	ssize_t n, len = 0;
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fds[1], STDERR_FILENO);
		format ? setenv("ARKKI_LOG", format, 1) : unsetenv("ARKKI_LOG");
		journal ? setenv("JOURNAL_STREAM", journal, 1) : unsetenv("JOURNAL_STREAM");
		say();
		_exit(0);
	}
	close(fds[1]);
	while (len < 4095 && (n = read(fds[0], out + len, (size_t)(4095 - len))) > 0)
		len += n;
	out[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void say_plain(void)
{
	ark_log(ARK_LOG_WARNING, "scrub", "pass %d\nfailed\x1b[31m", 7);
}

static void say_fields(void)
{
	ark_log_fields(ARK_LOG_INFO, "request",
	    json_pack("{s:i,s:s}", "status", 503, "area", "other"), "GET /v1/me \xff 503");
}

static void say_long(void)
{
	char text[3001];

	memset(text, 'a', 3000);
	text[3000] = '\0';
	ark_log(ARK_LOG_ERROR, "x", "%s", text);
}

static void test_log__a_line_of_text_stays_one_line(void **state)
{
	char said[4096];

	(void)state;
	hear(NULL, NULL, say_plain, said);
	assert_string_equal(said, "arkki: scrub: pass 7 failed [31m\n");
	hear(NULL, "9:1", say_plain, said);
	assert_string_equal(said, "<4>arkki: scrub: pass 7 failed [31m\n");
}

static void test_log__as_json_each_line_is_an_object(void **state)
{
	char said[4096];
	json_t *line;

	(void)state;
	hear("json", NULL, say_plain, said);
	line = json_loads(said, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(line, "level")), "warning");
	assert_string_equal(json_string_value(json_object_get(line, "area")), "scrub");
	assert_string_equal(json_string_value(json_object_get(line, "text")), "pass 7 failed [31m");
	assert_non_null(json_object_get(line, "time"));
	json_decref(line);
}

static void test_log__fields_do_not_replace_what_every_line_has(void **state)
{
	char said[4096];
	json_t *line;

	(void)state;
	hear("json", "9:1", say_fields, said);
	assert_memory_equal(said, "<6>{", 4);
	line = json_loads(said + 3, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(line, "status")), 503);
	assert_string_equal(json_string_value(json_object_get(line, "area")), "request");
	assert_null(json_object_get(line, "text")); /* was not UTF-8 */
	json_decref(line);
}

static void test_log__is_bounded(void **state)
{
	char said[4096];

	(void)state;
	hear(NULL, NULL, say_long, said);
	assert_int_equal(strlen(said), strlen("arkki: x: ") + 1000 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_log__a_line_of_text_stays_one_line),
	    cmocka_unit_test(test_log__as_json_each_line_is_an_object),
	    cmocka_unit_test(test_log__fields_do_not_replace_what_every_line_has),
	    cmocka_unit_test(test_log__is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
