/* Packages: written, read back sealed, and valid bags. */
#include <fcntl.h>

#include "arkki/archive/bag.h"
#include "arkki/archive/package.h"
#include "arkki/base/fs.h"
#include "unit.h"

static const unsigned char seed[32] = {7};

static void write_out(struct package *p, const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	char block[10000];
	uint64_t at = 0;
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = package_read(p, at, block, sizeof(block), NULL)) > 0) {
		assert_int_equal(fs_write_all(fd, block, (size_t)n, NULL), 0);
		at += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, package_size(p));
	close(fd);
}

static void told(void *arg, bool fault, const char *what)
{
	(void)arg;
	print_message("%s %s\n", fault ? "fault" : "warning", what);
}

static struct package *make(const char *dir, enum package_kind kind)
{
	struct package *p = NULL;
	char block[1000];

	memset(block, 'x', sizeof(block));
	assert_int_equal(package_new(dir, kind, "arkki-export-1", &p, NULL), 0);
	assert_int_equal(package_add(p, "index.html", "<p>", 3, NULL), 0);
	assert_int_equal(package_add(p, "documents/1/50%\n ä.txt", "", 0, NULL), 0);
	assert_int_equal(package_begin_file(p, "documents/1/big", 100000, NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(package_write(p, block, sizeof(block), NULL), 0);
	assert_int_equal(package_end_file(p, NULL, NULL), 0);
	assert_int_equal(
	    package_finish(p, "Source-Organization: Testi\n", "arkki.test/history", seed, NULL), 0);
	return p;
}

static void is_valid_as(enum package_kind kind)
{
	char dir[256], path[300];
	struct bag_source *s;
	struct bag_report r;
	struct package *p;

	unit_scratch(dir);
	p = make(dir, kind);
	snprintf(path, sizeof(path), "%s/bag", dir);
	write_out(p, path);
	assert_int_equal(bag_source_open(path, &s, NULL), 0);
	assert_int_equal(bag_check(s, told, NULL, &r, NULL), 0);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.warnings, 0);
	assert_int_equal(r.files, 3);
	assert_int_equal(r.bytes, 100003);
	assert_string_equal(bag_info_value(r.info, "payload-oxum"), "100003.3");
	json_decref(r.info);
	bag_source_close(s);
	package_free(p);
	unit_scratch_end(dir);
}

static void test_package__is_a_valid_bag_as_zip_and_tar(void **state)
{
	(void)state;
	is_valid_as(PACKAGE_ZIP);
	is_valid_as(PACKAGE_TAR);
}

static void test_package__a_flipped_byte_is_found(void **state)
{
	char dir[256], path[300];
	struct buf bytes = BUF_INIT;
	struct bag_source *s = NULL;
	struct bag_report r = {0};
	struct package *p;
	char *at;

	(void)state;
	unit_scratch(dir);
	p = make(dir, PACKAGE_TAR);
	snprintf(path, sizeof(path), "%s/bag", dir);
	write_out(p, path);
	assert_int_equal(fs_read_file(path, 1 << 20, &bytes, NULL), 0);
	at = memmem(bytes.data, bytes.len, "xxxxxxxx", 8);
	assert_non_null(at);
	*at = 'y';
	assert_int_equal(fs_replace_file(path, bytes.data, bytes.len, 0600, NULL), 0);
	assert_int_equal(bag_source_open(path, &s, NULL), 0);
	assert_int_equal(bag_check(s, NULL, NULL, &r, NULL), 0);
	assert_int_equal(r.faults, 1);
	json_decref(r.info);
	bag_source_close(s);
	buf_free(&bytes);
	package_free(p);
	unit_scratch_end(dir);
}

static void test_package__names_are_safe(void **state)
{
	static const char *const rows[][2] = {{"kertomus.pdf", "kertomus.pdf"},
	    {"../../etc/passwd", "_.._etc_passwd"}, {"a/b\\c:d", "a_b_c_d"}, {"", "file"},
	    {"...", "file"}, {".hidden", "hidden"}, {"CON.txt", "_CON.txt"}, {"com1", "_com1"},
	    {"a\xcc\x88.txt", "\xc3\xa4.txt"}, {"x\n\x01y", "x__y"},
	    {"\xe2\x80\xaetxt.exe", "_txt.exe"}, {"loppu. ", "loppu"}, {"~a", "_a"},
	    {"\xff", "file"}};
	char long_name[400];
	struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_clear(&out);
		package_safe_name(&out, rows[i][0]);
		assert_string_equal(out.data, rows[i][1]);
	}
	for (size_t i = 0; i < 300; i += 2)
		memcpy(long_name + i, "\xc3\xa4", 2);
	strcpy(long_name + 300, ".pdf");
	buf_clear(&out);
	package_safe_name(&out, long_name);
	assert_true(out.len <= 120);
	assert_string_equal(out.data + out.len - 6, "\xc3\xa4.pdf");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_package__is_a_valid_bag_as_zip_and_tar),
	    cmocka_unit_test(test_package__a_flipped_byte_is_found),
	    cmocka_unit_test(test_package__names_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
