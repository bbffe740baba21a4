/* The names of sheets in the records of a workbook before Excel 2007. The workbooks are made here. */
#include <string.h>

#include "index/formats/xls_names.h"
#include "unit.h"

#define BOF_8 "\x09\x08\x04\x00\x00\x06\x05\x00"
#define BOF_5 "\x09\x08\x04\x00\x00\x05\x05\x00"
#define EOF_RECORD "\x0a\x00\x00\x00"

static struct buf written;

static void write_text(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	buf_add(&written, bytes, len);
}

static const char *names_of(const void *records, size_t len)
{
	GsfInput *stream = gsf_input_memory_new(records, (gsf_off_t)len, FALSE);
	struct textsink sink;

	buf_clear(&written);
	textsink_init(&sink, 1 << 20, write_text, NULL);
	assert_non_null(stream);
	xls_names(stream, &sink);
	textsink_flush(&sink);
	g_object_unref(stream);
	return written.len ? written.data : "";
}

/* A sheet record with the name as it is given, its length in characters and, of version 8, its flags before it. */
static void add_sheet(struct buf *b, char kind, const char *name, size_t len)
{
	buf_add_be(b, 0x8500, 2);
	buf_addc(b, (char)(6 + len));
	buf_addc(b, 0);
	buf_add(b, "\x10\x20\x00\x00\x00", 5);
	buf_addc(b, kind);
	buf_add(b, name, len);
}

static void workbook_8(struct buf *b)
{
	buf_add(b, BOF_8, 8);
	buf_add(b, "\xfc\x00\x03\x00xyz", 7); /* others between */
	add_sheet(b, 0, "\x07\x00Yksik\xf6t", 9);
	add_sheet(b, 6, "\x05\x00Koodi", 7); /* a module of macros */
	add_sheet(b, 0, "\x03\x01\x32\x00\x20\x04\xe4\x00", 8);
	add_sheet(b, 2, "\x06\x00Kaavio", 8);
	buf_add(b, EOF_RECORD, 4);
	add_sheet(b, 0, "\x05\x00takaa", 7);
}

static void test_xls_names__of_version_8_are_lines_in_their_order(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	workbook_8(&b);
	assert_string_equal(names_of(b.data, b.len), "Yksiköt\n2Рä\nKaavio");
	buf_free(&b);
}

static void test_xls_names__of_version_5_are_in_the_code_page(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_add(&b, BOF_5, 8);
	add_sheet(&b, 0, "\x05Ty\xf6t\xe4", 6);
	buf_add(&b, "\x42\x00\x02\x00\xe3\x04", 6); /* 1251 */
	add_sheet(&b, 0, "\x03\xc0\xc1\xc2", 4);
	assert_string_equal(names_of(b.data, b.len), "Työtä\nАБВ");
	buf_free(&b);
}

static void test_xls_names__end_where_the_file_does(void **state)
{
	static const char all[] = "Yksiköt\n2Рä\nKaavio";
	struct buf b = BUF_INIT;
	char *cut;

	(void)state;
	workbook_8(&b);
	for (size_t n = 0; n <= b.len; n++) {
		cut = malloc(n ? n : 1); /* so that a sanitizer sees the end */
		assert_non_null(cut);
		memcpy(cut, b.data, n);
		assert_memory_equal(all, names_of(cut, n), strlen(names_of(cut, n)));
		free(cut);
	}
	buf_free(&b);
}

static void test_xls_names__that_claim_more_than_there_is_are_left_out(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_add(&b, BOF_8, 8);
	add_sheet(&b, 0, "\x7f\x00yht", 5);
	add_sheet(&b, 0, "\x02\x01kk", 4);
	add_sheet(&b, 0, "\x02", 1);
	add_sheet(&b, 0, "\x02\x00kk", 4);
	assert_string_equal(names_of(b.data, b.len), "kk");
	buf_free(&b);
}

static void test_xls_names__of_any_bytes_are_bounded(void **state)
{
	unsigned int seed = 20250101;
	struct buf b = BUF_INIT;

	(void)state;
	for (int turn = 0; turn < 2000; turn++) {
		buf_clear(&b);
		workbook_8(&b);
		for (int k = 0; k < 4; k++)
			b.data[(size_t)rand_r(&seed) % b.len] = (char)rand_r(&seed);
		(void)names_of(b.data, b.len);
	}
	buf_clear(&b);
	buf_add(&b, BOF_8, 8);
	for (int i = 0; i < 5000; i++)
		add_sheet(&b, 0, "\x01\x00x", 3);
	assert_int_equal(strlen(names_of(b.data, b.len)), 2 * 4096 - 1);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_xls_names__of_version_8_are_lines_in_their_order),
	    cmocka_unit_test(test_xls_names__of_version_5_are_in_the_code_page),
	    cmocka_unit_test(test_xls_names__end_where_the_file_does),
	    cmocka_unit_test(test_xls_names__that_claim_more_than_there_is_are_left_out),
	    cmocka_unit_test(test_xls_names__of_any_bytes_are_bounded),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&written);
	return rc;
}
