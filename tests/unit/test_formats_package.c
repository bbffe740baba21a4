/* Packages, documents in documents, and what bounds them. All samples are made here; people and units are invented. */
#include "tests/unit/sanitized.h"
#include "tests/unit/unit_extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <sys/stat.h>
#include <zlib.h>

#include "arkki/base/buf.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"
#include "index/formats/format.h"

static struct extractor *extractor;

struct file {
	const char *name, *bytes;
};

/* ---- making packages ---- */
typedef int (*setup)(struct archive *a);

static char made[1 << 21];

static size_t pack(setup format, setup filter, const struct file *files, const char *password)
{
	struct archive *a = archive_write_new();
	size_t used = 0;

	assert_int_equal(format(a), ARCHIVE_OK);
	if (filter)
		assert_int_equal(filter(a), ARCHIVE_OK);
	if (password) {
		assert_int_equal(archive_write_set_options(a, "zip:encryption=aes256"), ARCHIVE_OK);
		archive_write_set_passphrase(a, password);
	}
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, made, sizeof(made), &used), ARCHIVE_OK);
	for (; files->name; files++) {
		struct archive_entry *e = archive_entry_new();
		size_t len = strlen(files->bytes);

		archive_entry_set_pathname(e, files->name);
		archive_entry_set_size(e, (la_int64_t)len);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0644);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		assert_int_equal(archive_write_data(a, files->bytes, len), (la_ssize_t)len);
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return used;
}

static void assert_read(
    const char *type, const void *bytes, size_t len, const char *text, const char *reason)
{
	struct extract_result r;

	unit_extract(extractor, type, bytes, len, &r);
	if (strcmp(unit_text(&r), text) != 0 || strcmp(r.reason, reason) != 0)
		fail_msg("%s: got \"%.300s\" (%s), expected \"%s\" (%s)", type, unit_text(&r),
		    r.reason, text, reason);
	extract_result_free(&r);
}

static const struct file two[] = {{"kertomus.txt", "Koivulan käynti"},
    {"sivut/../../sivu.html", "<title>Nimi</title><p>luettu</p>"}, {NULL, NULL}};
#define TWO_TEXT "kertomus.txt\n\nKoivulan käynti\n\nsivut/../../sivu.html\n\nNimi\n\nluettu"

static void test_package__members_of_every_kind_are_named_and_read(void **state)
{
	static const struct {
		const char *type;
		setup format, filter;
	} rows[] = {
	    {"application/zip", archive_write_set_format_zip, NULL},
	    {"application/x-7z-compressed", archive_write_set_format_7zip, NULL},
	    {"application/x-tar", archive_write_set_format_pax, NULL},
	    {"application/x-cpio", archive_write_set_format_cpio_newc, NULL},
	    {"application/gzip", archive_write_set_format_ustar, archive_write_add_filter_gzip},
	    {"application/x-bzip2", archive_write_set_format_ustar, archive_write_add_filter_bzip2},
	    {"application/x-xz", archive_write_set_format_ustar, archive_write_add_filter_xz},
	    {"application/zstd", archive_write_set_format_ustar, archive_write_add_filter_zstd},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = pack(rows[i].format, rows[i].filter, two, NULL);

		assert_read(rows[i].type, made, len, TWO_TEXT, "");
	}
}

static void test_package__iso_image(void **state)
{
	static const struct file file[] = {{"lue.txt", "levyn teksti"}, {NULL, NULL}};
	size_t len = pack(archive_write_set_format_iso9660, NULL, file, NULL);
	struct extract_result r;

	(void)state;
	unit_extract(extractor, "application/x-iso9660-image", made, len, &r);
	assert_non_null(strstr(unit_text(&r), "lue.txt\n\nlevyn teksti"));
	extract_result_free(&r);
}

static void test_package__one_compressed_file_is_its_text(void **state)
{
	static const struct file file[] = {{"x", "yksi tiedosto, ei nimeä"}, {NULL, NULL}};
	size_t len = pack(archive_write_set_format_raw, archive_write_add_filter_gzip, file, NULL);

	(void)state;
	assert_read("application/gzip", made, len, "yksi tiedosto, ei nimeä", "");
}

static const char *gzip_of(const char *bytes, size_t len, size_t *ret_len)
{
	static char out[1 << 20];
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)bytes, z.avail_in = (uInt)len;
	z.next_out = (Bytef *)out, z.avail_out = sizeof(out);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*ret_len = z.total_out;
	deflateEnd(&z);
	return out;
}

/* libarchive's own stacking of filters, up to 25, is not used. */
static void test_package__compressed_over_and_over_is_nested(void **state)
{
	char bytes[2000] = "sisin rivi";
	size_t len = strlen(bytes);

	(void)state;
	for (int i = 1; i <= 20; i++) {
		const char *packed = gzip_of(bytes, len, &len);

		assert_true(len <= sizeof(bytes));
		memcpy(bytes, packed, len);
		if (i == 8)
			assert_read("application/gzip", bytes, len, "sisin rivi", "");
	}
	assert_read(
	    "application/gzip", bytes, len, "", "documents nested too deep in it are not read");
}

static void test_package__compressed_file_without_an_end_says_so(void **state)
{
	size_t len, big = (size_t)200 << 20;
	char *bytes = malloc(big);
	const char *packed;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'a', big);
	packed = gzip_of(bytes, big, &len);
	free(bytes);
	assert_read("application/gzip", packed, len, "", "over 128 MiB when unpacked");
}

static void test_package__names_of_old_programs_are_decoded(void **state)
{
	static const struct file file[] = {{"p\x94yt\x84kirja.txt", "x"}, {NULL, NULL}};
	size_t len = pack(archive_write_set_format_ustar, NULL, file, NULL);

	(void)state;
	assert_read("application/x-tar", made, len, "pöytäkirja.txt\n\nx", "");
}

static void test_package__members_behind_a_password_have_names_only(void **state)
{
	size_t len = pack(archive_write_set_format_zip, NULL, two, "salainen");

	(void)state;
	assert_read("application/zip", made, len, "kertomus.txt\n\nsivut/../../sivu.html",
	    "members are protected by a password");
}

static void test_package__damage_and_emptiness_are_reasons(void **state)
{
	(void)state;
	assert_read("application/zip", "PK\3\4 nothing", 12, "",
	    "the package is damaged, or not of a kind that is read");
	assert_read("application/zip", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, "",
	    "the package is empty");
	/* cut in the first member: what came before the cut is there */
	pack(archive_write_set_format_ustar, NULL, two, NULL);
	assert_read("application/x-tar", made, 512 + 8, "kertomus.txt\n\nKoivulan",
	    "not all of the package could be unpacked");
}

/* Each in the one before. */
static void test_package__nested_beyond_the_bound_ends_with_a_remark(void **state)
{
	static char inner[sizeof(made)];
	struct file file[] = {{"pohja.txt", "pohjalla"}, {NULL, NULL}};
	struct extract_result r;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct archive *a = archive_write_new();
		struct archive_entry *e = archive_entry_new();
		size_t used = 0;

		archive_write_set_format_zip(a);
		archive_write_open_memory(a, made, sizeof(made), &used);
		archive_entry_set_pathname(e, i ? "sisus.zip" : file[0].name);
		archive_entry_set_size(e, (la_int64_t)(i ? len : strlen(file[0].bytes)));
		archive_entry_set_filetype(e, AE_IFREG);
		archive_write_header(a, e);
		archive_write_data(a, i ? inner : file[0].bytes, i ? len : strlen(file[0].bytes));
		archive_write_close(a);
		archive_entry_free(e);
		archive_write_free(a);
		memcpy(inner, made, used);
		len = used;
		if (i == 6) {
			unit_extract(extractor, "application/zip", inner, len, &r);
			assert_non_null(strstr(unit_text(&r), "pohjalla"));
			assert_string_equal(r.reason, "");
			extract_result_free(&r);
		}
	}
	unit_extract(extractor, "application/zip", inner, len, &r);
	assert_null(strstr(unit_text(&r), "pohjalla"));
	assert_string_equal(r.reason, "documents nested too deep in it are not read");
	extract_result_free(&r);
}

/* ---- bounds, on format_member() itself ---- */
static void keep(void *arg, const char *bytes, size_t len)
{
	buf_add(arg, bytes, len);
}

static void test_member__bounds_of_number_bytes_and_time_leave_a_remark(void **state)
{
	struct textsink *s = malloc(sizeof(*s));
	struct buf text = BUF_INIT;
	unsigned int n = 0;

	(void)state;
	assert_non_null(s);
	textsink_init(s, 1 << 20, keep, &text);
	while (n < 2 * FORMAT_MEMBERS_MAX && format_member(s, "a", NULL, NULL, 0))
		n++;
	assert_int_equal(n, FORMAT_MEMBERS_MAX - 1);
	assert_string_equal(s->reason, "only the first 10000 members");

	textsink_init(s, 1 << 20, keep, &text);
	s->unpacked = FORMAT_UNPACKED_MAX - 3;
	assert_true(format_member(s, "a", NULL, "b\n", 2));
	assert_false(format_member(s, "a", NULL, "b\n", 2));
	assert_string_equal(s->reason, "only the first 1024 MiB of its members");

	textsink_init(s, 1 << 20, keep, &text);
	s->members_until_us = clock_monotonic_us() - 1;
	assert_false(format_member(s, "a", NULL, "b\n", 2));
	assert_string_equal(
	    s->reason, "only the members that could be read in the time for one document");
	assert_int_equal(s->visible, 0);
	buf_free(&text);
	free(s);
}

static void test_member__names_are_cleaned_and_cut(void **state)
{
	struct textsink *s = malloc(sizeof(*s));
	struct buf text = BUF_INIT;
	char name[2000];

	(void)state;
	assert_non_null(s);
	textsink_init(s, 1 << 20, keep, &text);
	format_member(s,
	    "a\n\xe2\x80\xae"
	    "b\x01 \xff",
	    NULL, NULL, 0);
	textsink_flush(s);
	assert_string_equal(text.data, "a b \xef\xbf\xbd");
	buf_clear(&text);
	textsink_init(s, 1 << 20, keep, &text);
	for (size_t i = 0; i + 1 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	name[sizeof(name) - 1] = '\0';
	name[sizeof(name) - 2] = '\0';
	format_member(s, name, NULL, NULL, 0);
	textsink_flush(s);
	assert_int_equal(text.len, 512);
	assert_true(utf8_valid(text.data, text.len));
	buf_free(&text);
	free(s);
}

static void test_kind__bytes_count_before_labels_and_names(void **state)
{
	static const struct {
		const char *given, *name, *bytes, *type;
	} rows[] = {
	    {"text/plain", "a.txt", "%PDF-1.4 ...", "application/pdf"},
	    {"text/plain", "muistio.md", "# Otsikko\n", "text/markdown"},
	    {NULL, "a.eml", "x-odd: 1\n\nbody", "message/rfc822"},
	    {"text/csv", "a", "a;b\n1;2\n", "text/csv"},
	    {"application/octet-stream", "a.txt", "\xe4\xe4ni", "text/plain"},
	    {NULL, NULL, "k\xe4ynti\n", "text/plain"},
	    {NULL, "a.pdf", "\1\2\3\4\5\6\7", "application/octet-stream"},
	    {"application/msword", "a.doc", "{\\rtf1 x}", "application/rtf"},
	};
	char type[KIND_SIZE];

	(void)state;
	kind_warm();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		kind_of(rows[i].given, rows[i].name, rows[i].bytes, strlen(rows[i].bytes), type);
		assert_string_equal(type, rows[i].type);
	}
}

/* ---- PDF ---- */
static void test_pdf__attachments_are_read_after_its_pages(void **state)
{
	static const char pdf[] =
	    "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 "
	    "R/Names<</EmbeddedFiles<</Names[(liite.txt) 5 0 R]>>>>>>endobj\n"
	    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
	    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources"
	    "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
	    "4 0 obj<</Length 37>>stream\nBT /F 12 Tf 9 9 Td (arkki) Tj ET     \nendstream endobj\n"
	    "5 0 obj<</Type/Filespec/F(liite.txt)/UF(liite.txt)/EF<</F 6 0 R>>>>endobj\n"
	    "6 0 obj<</Type/EmbeddedFile/Length 13>>stream\nliitteen sana\nendstream endobj\n"
	    "trailer<</Root 1 0 R>>\n";
	struct extract_result r;

	(void)state;
	unit_extract(extractor, "application/pdf", pdf, sizeof(pdf) - 1, &r);
	assert_string_equal(unit_text(&r), "arkki\n\nliite.txt\n\nliitteen sana");
	assert_int_equal(r.pages, 1);
	extract_result_free(&r);
}

static void test_pdf__endless_chain_of_tables_ends(void **state)
{
	static const char pdf[] = "%PDF-1.4\nxref\n0 1\n0000000000 65535 f \n"
				  "trailer<</Size 1/Prev 9/Root 1 0 R>>\nstartxref\n9\n%%EOF\n";
	int64_t began = clock_monotonic_us();
	struct extract_result r;

	(void)state;
	unit_extract(extractor, "application/pdf", pdf, sizeof(pdf) - 1, &r);
	assert_int_equal(r.outcome, EXTRACT_NONE);
	assert_true(clock_monotonic_us() - began < 5000000);
	extract_result_free(&r);
}

/* ---- hostile and of others ---- */
/* Central entries that all point at one member of 50 MB: 100 GB in 200 KB. */
static size_t overlapping(unsigned char *out, unsigned int entries)
{
	size_t big = 50 << 20, at = 0, start;
	char *zeros = calloc(1, big);
	unsigned char head[30] = "PK\3\4\24\0\0\0\10\0", name[] = "a0000.txt";
	z_stream z = {0};
	uLong crc;

	assert_non_null(zeros);
	memset(zeros, 'a', big);
	crc = crc32(0, (Bytef *)zeros, (uInt)big);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)zeros, z.avail_in = (uInt)big;
	z.next_out = out + 39, z.avail_out = 1 << 20;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	for (unsigned int i = 0; i < 4; i++) {
		head[14 + i] = (unsigned char)(crc >> 8 * i);
		head[18 + i] = (unsigned char)(z.total_out >> 8 * i);
		head[22 + i] = (unsigned char)(big >> 8 * i);
	}
	head[26] = 9;
	memcpy(out, head, 30);
	memcpy(out + 30, name, 9);
	at = start = 39 + z.total_out;
	for (unsigned int i = 0; i < entries; i++) {
		memset(out + at, 0, 46);
		memcpy(out + at, "PK\1\2\24\0", 6);
		memcpy(out + at + 6, head + 4, 26);
		snprintf((char *)name, sizeof(name), "a%04u.tx", i % 10000);
		memcpy(out + at + 46, name, 9);
		at += 55;
	}
	memset(out + at, 0, 22);
	memcpy(out + at, "PK\5\6", 4);
	for (unsigned int i = 0; i < 2; i++)
		out[at + 8 + i] = out[at + 10 + i] = (unsigned char)(entries >> 8 * i);
	for (unsigned int i = 0; i < 4; i++) {
		out[at + 12 + i] = (unsigned char)((at - start) >> 8 * i);
		out[at + 16 + i] = (unsigned char)(start >> 8 * i);
	}
	deflateEnd(&z);
	free(zeros);
	return at + 22;
}

static void test_package__overlapping_members_stay_within_the_bounds(void **state)
{
	unsigned char *zip = malloc(2 << 20);
	struct extract_result r;
	size_t len;

	(void)state;
	assert_non_null(zip);
	len = overlapping(zip, 2000);
	unit_extract(extractor, "application/zip", zip, len, &r);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_true(r.text.len <= 64 << 20);
	extract_result_free(&r);
	free(zip);
}

static void test_text__one_line_of_100_mb_is_bounded(void **state)
{
	size_t len = 100 << 20;
	char *line;
	struct extract_result r;

	(void)state;
	skip_sanitized(__func__);
	line = malloc(len);
	assert_non_null(line);
	for (size_t i = 0; i < len; i++)
		line[i] = "ty\xf6 "[i % 4];
	unit_extract(extractor, "text/plain", line, len, &r);
	assert_string_equal(r.reason, "only the first 64 MiB of its text");
	assert_memory_equal(r.text.data, "työ työ", 9);
	extract_result_free(&r);
	free(line);
}

/* Whether each ends by itself; text is asked of most. */
static void each_archive(
    const char *folder, unsigned int *ret_read, unsigned int *ret_files, int64_t *ret_slowest)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char type[KIND_SIZE];

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct extract_result r;
		char path[1024];
		int64_t began, took;
		struct stat st;
		char *bytes;
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		f = fopen(path, "rb");
		if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
			if (f)
				fclose(f);
			continue;
		}
		bytes = malloc((size_t)st.st_size);
		assert_non_null(bytes);
		assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
		fclose(f);
		kind_of(NULL, entry->d_name, bytes, (size_t)st.st_size, type);
		began = clock_monotonic_us();
		unit_extract(extractor, type, bytes, (size_t)st.st_size, &r);
		assert_true(r.outcome == EXTRACT_READY || *r.reason);
		took = clock_monotonic_us() - began;
		if (took > *ret_slowest)
			*ret_slowest = took;
		if (strstr(r.reason, "took longer") || strstr(r.reason, "crashed"))
			fail_msg("%s: %s", entry->d_name, r.reason);
		*ret_read += r.outcome == EXTRACT_READY;
		++*ret_files;
		extract_result_free(&r);
		free(bytes);
	}
	closedir(dir);
}

static void test_corpus__archives_of_others_all_end(void **state)
{
	unsigned int read = 0, files = 0;
	int64_t slowest = 0;
	char folder[512];

	(void)state;
	kind_warm();
	unit_corpus(folder, "libarchive-fixtures", __func__);
	each_archive(folder, &read, &files, &slowest);
	unit_corpus(folder, "zip-slip", __func__);
	each_archive(folder, &read, &files, &slowest);
	printf("%u of %u archives give text or names, the slowest after %d ms\n", read, files,
	    (int)(slowest / 1000));
	assert_true(read > 200);
}

static int start(void **state)
{
	(void)state;
	extractor = unit_extractor();
	return 0;
}

static int end(void **state)
{
	(void)state;
	extractor_free(extractor);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_package__members_of_every_kind_are_named_and_read),
	    cmocka_unit_test(test_package__iso_image),
	    cmocka_unit_test(test_package__one_compressed_file_is_its_text),
	    cmocka_unit_test(test_package__compressed_over_and_over_is_nested),
	    cmocka_unit_test(test_package__compressed_file_without_an_end_says_so),
	    cmocka_unit_test(test_package__names_of_old_programs_are_decoded),
	    cmocka_unit_test(test_package__members_behind_a_password_have_names_only),
	    cmocka_unit_test(test_package__damage_and_emptiness_are_reasons),
	    cmocka_unit_test(test_package__nested_beyond_the_bound_ends_with_a_remark),
	    cmocka_unit_test(test_package__overlapping_members_stay_within_the_bounds),
	    cmocka_unit_test(test_member__bounds_of_number_bytes_and_time_leave_a_remark),
	    cmocka_unit_test(test_member__names_are_cleaned_and_cut),
	    cmocka_unit_test(test_kind__bytes_count_before_labels_and_names),
	    cmocka_unit_test(test_pdf__attachments_are_read_after_its_pages),
	    cmocka_unit_test(test_pdf__endless_chain_of_tables_ends),
	    cmocka_unit_test(test_text__one_line_of_100_mb_is_bounded),
	    cmocka_unit_test(test_corpus__archives_of_others_all_end),
	};

	UNIT_EXTRACT_MAIN(argc, argv);
	return cmocka_run_group_tests(tests, start, end);
}
