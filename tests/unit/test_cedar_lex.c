/* What all Cedar texts share: memory, tokens, escapes, faults. */
#include "tests/unit/cedar_parse_fixture.h"

/* ---- memory ---- */

static void test_arena__gives_zeroed_aligned_memory_up_to_its_bound(void **state)
{
	struct cedar_arena *a = NULL;
	size_t taken = 0;
	char *at;

	(void)state;
	assert_int_equal(cedar_arena_new(1 << 20, &a, NULL), ARK_OK);
	for (int round = 0; round < 2; round++) {
		taken = 0;
		for (size_t n = 1; (at = cedar_alloc(a, n)) != NULL; n += 37) {
			assert_int_equal((uintptr_t)at % 16, 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(at[i], 0);
			memset(at, 0xff, n);
			taken += n;
		}
		assert_in_range(taken, 1 << 19, 1 << 20);
		assert_null(cedar_alloc(a, SIZE_MAX));
		assert_null(cedar_alloc(a, SIZE_MAX - 8));
		cedar_arena_reset(a);
	}
	assert_non_null(cedar_alloc(a, 0));
	cedar_arena_free(a);
	cedar_arena_free(NULL);
}

/* ---- tokens ---- */

static void check_tokens(const char *text, const char *expect)
{
	static const char letters[] = "enisxB"; /* by kind */
	struct cedar_lexer l = {text, strlen(text), 0};
	struct cedar_token t;
	char got[512];
	size_t n = 0;

	do {
		t = cedar_lex(&l);
		n += (size_t)snprintf(
		    got + n, sizeof(got) - n, "%c%u+%u ", letters[t.kind], t.offset, t.len);
	} while (t.kind != TOKEN_END && n < sizeof(got) - 32);
	assert_string_equal(got, expect);
}

static void test_lex__tells_names_numbers_strings_and_signs(void **state)
{
	(void)state;
	check_tokens("", "e0+0 ");
	check_tokens("a1_ 12", "n0+3 i4+2 e6+0 ");
	check_tokens("==!=<=>=&&||:::", "x0+2 x2+2 x4+2 x6+2 x8+2 x10+2 x12+2 x14+1 e15+0 ");
	check_tokens("\"a\\\"b\"c", "s0+6 n6+1 e7+0 ");
	check_tokens("?principal", "x0+1 n1+9 e10+0 ");
	check_tokens("a//b\n//\r\nc\xc2\xa0", "n0+1 n9+1 e12+0 ");
	check_tokens("\xe2\x80\xa8\xe3\x80\x80x", "n6+1 e7+0 ");
}

static void test_lex__calls_bad_what_is_no_token(void **state)
{
	(void)state;
	check_tokens("&|#", "B0+1 B1+1 B2+1 e3+0 ");
	check_tokens("\xc3\xa4x", "B0+2 n2+1 e3+0 ");
	check_tokens("\"ab", "B0+3 e3+0 ");
	check_tokens("\"ab\\", "B0+4 e4+0 ");
	check_tokens("\"ab\\\"", "B0+5 e5+0 ");
	check_tokens("\"a\\\nb\"", "B0+6 e6+0 ");
	check_tokens("\xff\xfe x", "B0+2 n3+1 e4+0 ");
	check_tokens("\"\xff\" x", "B0+3 n4+1 e5+0 ");
	check_tokens("\"\\\xff\" x", "B0+4 n5+1 e6+0 ");
	check_tokens("// \xff y\nx", "B3+3 n7+1 e8+0 ");
	check_tokens("\xed\xa0\x80 \xc0\x80 \xf5\x80", "B0+3 B4+2 B7+2 e9+0 ");
}

/* ---- escapes ---- */

static int unescape(const char *text, char *out, size_t size, bool pattern, struct ark_error *err)
{
	struct cedar_lexer l = {text, strlen(text), 0};
	struct cedar_token t = cedar_lex(&l);
	struct cedar_arena *a = NULL;
	struct cedar_pattern p = {NULL, 0};
	struct cedar_text s = {NULL, 0};
	int rc;

	assert_int_equal(t.kind, TOKEN_STRING);
	assert_int_equal(cedar_arena_new(1 << 20, &a, NULL), ARK_OK);
	rc = cedar_unescape(&l, &t, a, &s, pattern ? &p : NULL, err);
	out[0] = '\0';
	if (!rc && !pattern) {
		assert_int_equal(s.bytes[s.len], 0);
		for (size_t i = 0; i < s.len; i++)
			snprintf(out + strlen(out), size - strlen(out), s.bytes[i] ? "%c" : "<0>",
			    s.bytes[i]);
	}
	for (size_t i = 0; i < p.len; i++)
		snprintf(out + strlen(out), size - strlen(out), "[%.*s]", (int)p.pieces[i].len,
		    p.pieces[i].bytes);
	cedar_arena_free(a);
	return rc;
}

static void test_unescape__reads_every_escape(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(unescape("\"\\n\\r\\t\\\\\\0\\'\\\"\\x41\\u{1F600}\\u{e_4}\xc3\xa4'\"",
			     out, sizeof(out), false, NULL),
	    ARK_OK);
	assert_string_equal(out, "\n\r\t\\<0>'\"A\xf0\x9f\x98\x80\xc3\xa4\xc3\xa4'");
	assert_int_equal(unescape("\"\"", out, sizeof(out), false, NULL), ARK_OK);
	assert_string_equal(out, "");
}

static void test_unescape__names_what_is_no_escape(void **state)
{
	static const char *const bad[][2] = {
	    {"\"\\q\"", "`\\q` is no escape of a string"},
	    {"\"\\*\"", "`\\*` is no escape of a string"},
	    {"\"\\x80\"", "`\\x80` is no escape of a string"},
	    {"\"\\x4\"", "`\\x` is no escape of a string"},
	    {"\"\\u{}\"", "`\\u{` is no escape of a string"},
	    {"\"\\u{_1}\"", "`\\u{_` is no escape of a string"},
	    {"\"\\u{1234567}\"", "`\\u{1234567` is no escape of a string"},
	    {"\"\\u{0000041}\"", "`\\u{0000041` is no escape of a string"},
	    {"\"\\u{d800}\"", "`\\u{d800` is no escape of a string"},
	    {"\"\\u{110000}\"", "`\\u{110000` is no escape of a string"},
	    {"\"\\u41\"", "`\\u4` is no escape of a string"},
	    {"\"\\\xc3\xa4\"", "a backslash in a string is written \\\\"},
	    {"\"a\rb\"", "a carriage return in a string is written \\r"},
	};
	struct ark_error err;
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(unescape(bad[i][0], out, sizeof(out), false, &err), ARK_EINPUT);
		assert_string_equal(err.text, bad[i][1]);
	}
}

static void test_unescape__cuts_a_pattern_at_its_asterisks(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(unescape("\"a*b\"", out, sizeof(out), true, NULL), ARK_OK);
	assert_string_equal(out, "[a][b]");
	assert_int_equal(unescape("\"*\"", out, sizeof(out), true, NULL), ARK_OK);
	assert_string_equal(out, "[][]");
	assert_int_equal(unescape("\"abc\"", out, sizeof(out), true, NULL), ARK_OK);
	assert_string_equal(out, "[abc]");
	assert_int_equal(unescape("\"\"", out, sizeof(out), true, NULL), ARK_OK);
	assert_string_equal(out, "[]");
	assert_int_equal(unescape("\"\\*a**\\\\*\"", out, sizeof(out), true, NULL), ARK_OK);
	assert_string_equal(out, "[*a][][\\][]");
	assert_int_equal(unescape("\"\\x2a\\u{2a}\"", out, sizeof(out), true, NULL), ARK_OK);
	assert_string_equal(out, "[][][]");
}

/* ---- faults ---- */

static void test_faults__count_characters_and_stop_telling_after_a_hundred(void **state)
{
	static const char text[] = "a\n\xc3\xa4\xc3\xa4 b";
	struct told *told = calloc(1, sizeof(*told));
	struct ark_error err = {0};
	struct cedar_faults f = {text, sizeof(text) - 1, tell, told, &err, 0, 0};

	(void)state;
	assert_non_null(told);
	cedar_warn_at(&f, "policy0", 0, NULL, "odd");
	assert_int_equal(err.status, 0);
	cedar_fault_at(&f, "policy0", 7, "mend it", "bad %s", "b\n\xff\xc3\xa4");
	cedar_fault_at(&f, NULL, SIZE_MAX, NULL, "whole");
	assert_int_equal(told->n, 3);
	assert_true(told->faults[0].warning);
	assert_false(told->faults[1].warning);
	assert_int_equal(told->faults[1].line, 2);
	assert_int_equal(told->faults[1].column, 4);
	assert_string_equal(told->faults[1].text, "bad b ?\xc3\xa4");
	assert_string_equal(told->faults[1].mend, "mend it");
	assert_string_equal(told->faults[1].policy, "policy0");
	assert_int_equal(told->faults[2].line, 0);
	assert_string_equal(err.text, "line 2, column 4: bad b ?\xc3\xa4");
	for (int i = 0; i < 200; i++)
		cedar_fault_at(&f, "p", 0, NULL, "again");
	assert_int_equal(told->n, 100);
	assert_int_equal(f.errors, 202);
	free(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arena__gives_zeroed_aligned_memory_up_to_its_bound),
	    cmocka_unit_test(test_lex__tells_names_numbers_strings_and_signs),
	    cmocka_unit_test(test_lex__calls_bad_what_is_no_token),
	    cmocka_unit_test(test_unescape__reads_every_escape),
	    cmocka_unit_test(test_unescape__names_what_is_no_escape),
	    cmocka_unit_test(test_unescape__cuts_a_pattern_at_its_asterisks),
	    cmocka_unit_test(test_faults__count_characters_and_stop_telling_after_a_hundred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
