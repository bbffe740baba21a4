/* Packages: written, read back sealed, and valid bags. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "archive/checkpoint.h"
#include "arkki/archive/bag.h"
#include "arkki/archive/package.h"
#include "arkki/base/fs.h"
#include "unit.h"

static const unsigned char seeds[2][32] = {{7}, {8}};

/* Both keys of a log whose key is being changed. */
static int sign(void *arg, const char *text, size_t len, struct buf *note, struct ark_error *err)
{
	struct note_key key[2];
	int rc = ARK_OK;

	(void)arg;
	for (int i = 0; !rc && i < 2; i++)
		rc = note_key_from_seed("arkki.test/history", seeds[i], &key[i], err);
	if (!rc)
		rc = note_sign(note, text, len, &key[0], seeds[0], err);
	return rc ? rc : note_sign_also(note, text, len, &key[1], seeds[1], err);
}

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
	const struct package_signer signer = {.log = "arkki.test/history", .sign = sign};
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
	assert_int_equal(package_finish(p, "Source-Organization: Testi\n", &signer, NULL), 0);
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

static void note_fault(void *arg, const char *fault)
{
	print_message("%s\n", fault);
	++*(unsigned int *)arg;
}

static unsigned int faults_under(struct package *p, const char *const *vkeys, size_t n)
{
	struct package_verdict v;
	unsigned int told_of = 0;

	assert_int_equal(package_verify_own(p, vkeys, n, note_fault, &told_of, &v, NULL), 0);
	assert_int_equal(v.faults, told_of);
	return told_of;
}

/* While a log's key is being changed a receiver may know the old key, the new one, or both in any order. */
static void test_package__either_key_of_an_overlap_verifies_it_sealed(void **state)
{
	struct buf vkey[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
	const unsigned char stranger[32] = {9};
	struct note_key key;
	char dir[256];

	(void)state;
	unit_scratch(dir);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(note_key_from_seed(
				     "arkki.test/history", i < 2 ? seeds[i] : stranger, &key, NULL),
		    0);
		note_key_format(&key, &vkey[i]);
	}
	for (int kind = PACKAGE_ZIP; kind <= PACKAGE_TAR; kind++) {
		struct package *p = make(dir, (enum package_kind)kind);
		const char *const both[] = {vkey[2].data, vkey[1].data};
		struct package_verdict v;

		for (int i = 0; i < 2; i++)
			assert_int_equal(
			    faults_under(p, (const char *const[]){vkey[i].data}, 1), 0);
		assert_int_equal(faults_under(p, both, 2), 0);
		assert_int_equal(faults_under(p, (const char *const[]){vkey[2].data}, 1), 1);
		assert_int_equal(faults_under(p, NULL, 0), 1);
		package_shut(p);
		assert_int_not_equal(package_verify_own(p, both, 2, note_fault, NULL, &v, NULL), 0);
		package_free(p);
	}
	for (int i = 0; i < 3; i++)
		buf_free(&vkey[i]);
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

/* The flow's bytes into a file, taken a little at a time behind each write. Returns the most that ever waited. */
static size_t take_out(struct package *p, int fd)
{
	char block[1000];
	size_t all = 0, n;

	while ((n = package_take(p, block, sizeof(block))) > 0) {
		assert_int_equal(fs_write_all(fd, block, n, NULL), 0);
		all += n;
	}
	return all;
}

static void check_flow(const char *path)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	unsigned int seed = 1;
	char block[65536];

	assert_int_equal(archive_read_support_format_zip(a), ARCHIVE_OK);
	assert_int_equal(archive_read_open_filename(a, path, 10240), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	assert_string_equal(archive_entry_pathname(e), "paketti/contents.html");
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	assert_string_equal(archive_entry_pathname(e), "paketti/01-suuri");
	for (int i = 0; i < 100; i++) {
		assert_int_equal(archive_read_data(a, block, sizeof(block)), sizeof(block));
		for (size_t k = 0; k < sizeof(block); k++)
			assert_int_equal(block[k], (char)rand_r(&seed));
	}
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_EOF);
	archive_read_free(a);
}

static void test_package__in_flow_holds_little_and_is_whole(void **state)
{
	char dir[256], path[300], block[65536];
	struct package *p = NULL;
	unsigned int seed = 1;
	size_t most = 0;
	int fd;

	(void)state;
	unit_scratch(dir);
	snprintf(path, sizeof(path), "%s/zip", dir);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(package_flow(PACKAGE_ZIP, "paketti", &p, NULL), 0);
	assert_int_equal(package_add(p, "contents.html", "<p>", 3, NULL), 0);
	assert_int_equal(package_begin_file(p, "01-suuri", 100 * sizeof(block), NULL), 0);
	for (int i = 0; i < 100; i++) {
		size_t n;

		for (size_t k = 0; k < sizeof(block); k++)
			block[k] = (char)rand_r(&seed);
		assert_int_equal(package_write(p, block, sizeof(block), NULL), 0);
		n = take_out(p, fd);
		most = n > most ? n : most;
	}
	assert_int_equal(package_end_file(p, NULL, NULL), 0);
	assert_int_equal(package_finish(p, NULL, NULL, NULL), 0);
	take_out(p, fd);
	assert_true(most > 0 && most < 4 * sizeof(block));
	package_free(p);
	close(fd);
	check_flow(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_package__either_key_of_an_overlap_verifies_it_sealed),
	    cmocka_unit_test(test_package__is_a_valid_bag_as_zip_and_tar),
	    cmocka_unit_test(test_package__a_flipped_byte_is_found),
	    cmocka_unit_test(test_package__names_are_safe),
	    cmocka_unit_test(test_package__in_flow_holds_little_and_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
