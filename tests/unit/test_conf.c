/* Settings in arkki.conf. */
#include "tests/unit/unit.h"

#include "arkki/archive/conf.h"
#include "arkki/base/fs.h"

static char dir[256];

static void write_conf(const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/arkki.conf", dir);
	assert_int_equal(fs_replace_file(path, text, strlen(text), 0600, NULL), ARK_OK);
}

static int scratch(void **state)
{
	(void)state;
	unit_scratch(dir);
	return 0;
}

static int scratch_end(void **state)
{
	(void)state;
	unit_scratch_end(dir);
	return 0;
}

static void test_conf__a_value_is_the_rest_of_its_line(void **state)
{
	char value[40] = "before";

	(void)state;
	write_conf("# name comment\nname-2 other\nname  Oma Koti\t \r\n#name x\nempty\nlast one");
	assert_int_equal(conf_text(dir, "name", value, sizeof(value), NULL), ARK_OK);
	assert_string_equal(value, "Oma Koti");
	assert_int_equal(conf_text(dir, "last", value, sizeof(value), NULL), ARK_OK);
	assert_string_equal(value, "one");
	assert_int_equal(conf_text(dir, "empty", value, sizeof(value), NULL), ARK_OK);
	assert_string_equal(value, "");
	assert_int_equal(conf_text(dir, "name-2", value, sizeof(value), NULL), ARK_OK);
	assert_int_equal(conf_text(dir, "nam", value, sizeof(value), NULL), ARK_OK);
	assert_string_equal(value, "");
}

static void test_conf__a_key_twice_or_a_value_too_long_is_refused(void **state)
{
	char value[5] = "keep";
	struct ark_error err;

	(void)state;
	write_conf("twice a\ntwice a\nlong 12345\nfits 1234\n");
	assert_int_equal(conf_text(dir, "twice", value, sizeof(value), &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "twice"));
	assert_int_equal(conf_text(dir, "long", value, sizeof(value), &err), ARK_EINPUT);
	assert_string_equal(value, "keep");
	assert_int_equal(conf_text(dir, "fits", value, sizeof(value), &err), ARK_OK);
	assert_string_equal(value, "1234");
}

static void test_conf__yes_and_no_and_nothing_else(void **state)
{
	static const char *const wrong[] = {"a\n", "a Yes\n", "a true\n", "a yes no\n"};
	bool value = true;

	(void)state;
	write_conf("format 1\n");
	assert_int_equal(conf_bool(dir, "a", &value, NULL), ARK_OK);
	assert_true(value);
	write_conf("a no\n");
	assert_int_equal(conf_bool(dir, "a", &value, NULL), ARK_OK);
	assert_false(value);
	write_conf("a yes");
	assert_int_equal(conf_bool(dir, "a", &value, NULL), ARK_OK);
	assert_true(value);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		write_conf(wrong[i]);
		assert_int_equal(conf_bool(dir, "a", &value, NULL), ARK_EINPUT);
		assert_true(value);
	}
}

static void test_conf__numbers_have_bounds(void **state)
{
	static const char *const wrong[] = {"n\n", "n -1\n", "n +7\n", "n 4\n", "n 31\n",
	    "n 0x10\n", "n 10 20\n", "n 99999999999999999999999\n", "n ten\n"};
	unsigned long n = 12;

	(void)state;
	write_conf("");
	assert_int_equal(conf_number(dir, "n", 5, 30, &n, NULL), ARK_OK);
	assert_int_equal(n, 12);
	write_conf("n 30\n");
	assert_int_equal(conf_number(dir, "n", 5, 30, &n, NULL), ARK_OK);
	assert_int_equal(n, 30);
	write_conf("n 5\n");
	assert_int_equal(conf_number(dir, "n", 5, 30, &n, NULL), ARK_OK);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		write_conf(wrong[i]);
		if (conf_number(dir, "n", 5, 30, &n, NULL) != ARK_EINPUT)
			fail_msg("taken: %s", wrong[i]);
		assert_int_equal(n, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conf__a_value_is_the_rest_of_its_line),
	    cmocka_unit_test(test_conf__a_key_twice_or_a_value_too_long_is_refused),
	    cmocka_unit_test(test_conf__yes_and_no_and_nothing_else),
	    cmocka_unit_test(test_conf__numbers_have_bounds),
	};

	return cmocka_run_group_tests(tests, scratch, scratch_end);
}
