/* What a caller carries and may not read. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "arkki/archive/archive.h"

struct fixture {
	char dir[256];
	struct archive *a;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char archive[300], key[300];
	struct ark_error err = {0};

	unit_scratch(f->dir);
	snprintf(archive, sizeof(archive), "%s/archive", f->dir);
	snprintf(key, sizeof(key), "%s/key", f->dir);
	if (archive_init(archive, key, "arkki.test", &err) ||
	    archive_open(archive, key, ARCHIVE_READ, NULL, NULL, &f->a, &err))
		fail_msg("%s", err.text);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	archive_close(f->a);
	unit_scratch_end(f->dir);
	free(f);
	return 0;
}

static void conceal(struct fixture *f, const char *use, const char *text, struct buf *out)
{
	buf_clear(out);
	assert_int_equal(archive_conceal(f->a, use, text, out, NULL), 0);
}

static void test_conceal__comes_back_for_its_use_only(void **state)
{
	static const char *const texts[] = {"", "1", "2026-03-12 00112233445566778899aabbccddeeff",
	    "012345678901234567890123456789012345678901234567890123456789012",
	    "0123456789012345678901234567890123456789012345678901234567890123"};
	struct buf token = BUF_INIT, back = BUF_INIT;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		conceal(*state, "audit", texts[i], &token);
		buf_clear(&back);
		assert_int_equal(
		    archive_reveal(((struct fixture *)*state)->a, "audit", token.data, &back, NULL),
		    0);
		assert_int_equal(back.len, strlen(texts[i]));
		assert_memory_equal(back.len ? back.data : "", texts[i], back.len);
		assert_int_equal(
		    archive_reveal(((struct fixture *)*state)->a, "audi", token.data, &back, NULL),
		    ARK_EINPUT);
	}
	buf_free(&token);
	buf_free(&back);
}

static void test_conceal__same_text_same_token_and_no_length(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	conceal(*state, "audit", "7", &a);
	conceal(*state, "audit", "7", &b);
	assert_string_equal(a.data, b.data);
	conceal(*state, "audit", "8", &b);
	assert_string_not_equal(a.data, b.data);
	conceal(*state, "audit", "18446744073709551615", &b);
	assert_int_equal(a.len, b.len);
	conceal(*state, "other", "7", &b);
	assert_string_not_equal(a.data, b.data);
	buf_free(&a);
	buf_free(&b);
}

static void test_conceal__refuses_what_is_not_ours(void **state)
{
	struct fixture *f = *state;
	struct buf token = BUF_INIT, back = BUF_INIT;
	char text[600];

	conceal(f, "audit", "7", &token);
	for (size_t i = 0; i < token.len; i++) {
		char was = token.data[i];

		token.data[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(
		    archive_reveal(f->a, "audit", token.data, &back, NULL), ARK_EINPUT);
		token.data[i] = was;
	}
	token.data[token.len - 1] = '\0';
	assert_int_equal(archive_reveal(f->a, "audit", token.data, &back, NULL), ARK_EINPUT);
	assert_int_equal(archive_reveal(f->a, "audit", "", &back, NULL), ARK_EINPUT);
	assert_int_equal(archive_reveal(f->a, "audit", "AAAA", &back, NULL), ARK_EINPUT);
	memset(text, 'A', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(archive_conceal(f->a, "audit", text, &back, NULL), ARK_EINPUT);
	for (size_t n = 1; n < sizeof(text); n++) {
		text[n] = '\0';
		assert_int_equal(archive_reveal(f->a, "audit", text, &back, NULL), ARK_EINPUT);
		text[n] = 'A';
	}
	assert_int_equal(back.len, 0);
	buf_free(&token);
	buf_free(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conceal__comes_back_for_its_use_only),
	    cmocka_unit_test(test_conceal__same_text_same_token_and_no_length),
	    cmocka_unit_test(test_conceal__refuses_what_is_not_ours),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
