/* Encodings, times and the buffer. */
#include "tests/unit/unit.h"

#include "arkki/base/buf.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static void test_base64__rfc4648_vectors_and_strictness(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		buf_clear(&b);
		base64_encode(&b, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(b.data ? b.data : "", pairs[i][1]);
		buf_clear(&b);
		assert_true(base64_decode(&b, pairs[i][1], strlen(pairs[i][1])));
		assert_string_equal(b.data ? b.data : "", pairs[i][0]);
	}
	assert_false(base64_decode(&b, "Zh==", 4)); /* bits beyond the end */
	assert_false(base64_decode(&b, "Zg=", 3));
	assert_false(base64_decode(&b, "Zg\n==", 5));
	assert_false(base64url_decode(&b, "Zg==", 4));
	buf_free(&b);
}

static void test_utf8__blank_is_what_nobody_can_read(void **state)
{
	static const char *const blank[] = {"", " \t\n", "\xc2\xa0", "\xe2\x80\x8b\xe2\x80\xae",
	    "\xe2\x81\xa9\xef\xbb\xbf", "\xe3\x80\x80 \xc2\xad", "\xd8\x9c"};
	static const char *const shown[] = {"a", " \xc3\xa4", "\xe2\x80\x93", "\xe2\x82\xac",
	    "\xe3\x80\x81", "\xc2\xa7", "\xef\xbb\xbf!", "\xd8\xa7"};

	(void)state;
	for (size_t i = 0; i < sizeof(blank) / sizeof(*blank); i++)
		assert_true(utf8_blank(blank[i]));
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		assert_false(utf8_blank(shown[i]));
}

static void test_utf8__overlong_surrogate_nul_and_cut_are_refused(void **state)
{
	(void)state;
	assert_true(utf8_valid("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9));
	assert_false(utf8_valid("\xc0\x80", 2));
	assert_false(utf8_valid("\xe0\x80\x80", 3));
	assert_false(utf8_valid("\xed\xa0\x80", 3));
	assert_false(utf8_valid("\xf4\x90\x80\x80", 4));
	assert_false(utf8_valid("a\0b", 3));
	assert_false(utf8_valid("\xc3", 1));
	assert_int_equal(utf8_length("\xc3\xa4\xe2\x82\xac", 5), 2);
}

static void test_clock__round_trip_offsets_and_bad_days(void **state)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t a, b;

	(void)state;
	assert_true(clock_parse("2026-03-12T08:15:30.123456Z", &a));
	clock_format(text, a);
	assert_string_equal(text, "2026-03-12T08:15:30.123456Z");
	assert_true(clock_parse("2026-03-12T10:15:30.123456+02:00", &b));
	assert_int_equal(a, b);
	assert_false(clock_parse("2026-02-29", &a));
	assert_true(clock_parse("2024-02-29", &a));
	assert_false(clock_parse("2026-03-12T", &a));
	assert_false(date_valid("1799-12-31"));
	assert_true(date_valid("1800-01-01"));
	assert_false(date_valid("2026-3-12"));
}

static void test_json__depth_duplicates_and_nul_are_refused(void **state)
{
	struct ark_error err;
	json_t *v = NULL;
	char deep[200];

	(void)state;
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_int_equal(json_read(deep, 200, &v, &err), ARK_EINPUT);
	assert_int_equal(json_read("{\"a\":1,\"a\":2}", 13, &v, &err), ARK_EINPUT);
	assert_int_equal(json_read("\"\\u0000\"", 8, &v, &err), ARK_EINPUT);
	assert_int_equal(json_read("{\"a\":[1]}", 9, &v, &err), ARK_OK);
	json_decref(v);
}

static void test_json__member_is_found_without_parsing(void **state)
{
	static const char text[] =
	    "{\"a\":{\"b\":\"}\\\",{\"},\"b\":[1,[2,\"]\"]],\"\":0,\"c\":\"x\\\"y\",\"d\":-1.5e3}";
	const char *value;
	size_t len;

	(void)state;
	assert_true(json_member(text, strlen(text), "b", &value, &len));
	assert_memory_equal(value, "[1,[2,\"]\"]]", len);
	assert_int_equal(len, 11);
	assert_true(json_member(text, strlen(text), "c", &value, &len));
	assert_int_equal(len, 6);
	assert_true(json_member(text, strlen(text), "d", &value, &len));
	assert_memory_equal(value, "-1.5e3", len);
	assert_false(json_member(text, strlen(text), "x", &value, &len));
	assert_false(json_member("{\"a\":1", 7, "b", &value, &len));
	assert_false(json_member("{\"a", 3, "a", &value, &len));
}

static void test_buf__limit_is_a_sticky_failure(void **state)
{
	struct buf b = {.limit = 4};

	(void)state;
	buf_adds(&b, "abc");
	buf_adds(&b, "de");
	buf_adds(&b, "f");
	assert_true(buf_failed(&b));
	assert_string_equal(b.data, "abc");
	buf_free(&b);
}

static void test_error__a_long_text_is_not_cut_inside_a_character(void **state)
{
	struct ark_error err;
	char text[2000];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		ark_fail(&err, ARK_EINPUT, "%s", text);
		assert_true(utf8_valid(err.text, strlen(err.text)));
		assert_true(strlen(err.text) > 470);
		ark_fail_within(&err, ARK_EINPUT, "%s", "b");
		assert_true(utf8_valid(err.text, strlen(err.text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_error__a_long_text_is_not_cut_inside_a_character),
	    cmocka_unit_test(test_base64__rfc4648_vectors_and_strictness),
	    cmocka_unit_test(test_utf8__blank_is_what_nobody_can_read),
	    cmocka_unit_test(test_utf8__overlong_surrogate_nul_and_cut_are_refused),
	    cmocka_unit_test(test_clock__round_trip_offsets_and_bad_days),
	    cmocka_unit_test(test_json__depth_duplicates_and_nul_are_refused),
	    cmocka_unit_test(test_json__member_is_found_without_parsing),
	    cmocka_unit_test(test_buf__limit_is_a_sticky_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
