/* Bags: the lines of tag files, what is refused, and the conformance suite. */
#include <fcntl.h>
#include <sys/stat.h>

#include "arkki/archive/bag.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "unit.h"

#define HEI "d54f9200b680ff11eb1ffcb01a99bde2" /* MD5 of "hei\n" */

struct told {
	char text[4000];
};

static void keep(void *arg, bool fault, const char *what)
{
	struct told *t = arg;
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof(t->text) - n, "%s%s\n", fault ? "! " : "? ", what);
}

/* Sets the report of the bag at `path`; what cannot be read counts as a fault. */
static void judge(const char *path, struct bag_report *r, struct told *t)
{
	struct bag_source *s = NULL;
	struct ark_error err;

	*t = (struct told){0};
	*r = (struct bag_report){0};
	if (bag_source_open(path, &s, &err) || bag_check(s, keep, t, r, &err)) {
		r->faults++;
		keep(t, true, err.text);
	}
	json_decref(r->info);
	bag_source_close(s);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(fs_replace_file(path, text, strlen(text), 0600, NULL), 0);
}

/* A bag of one file, "hei\n", which a test then spoils. */
static void make_bag(const char *dir)
{
	char data[300];

	snprintf(data, sizeof(data), "%s/data", dir);
	assert_int_equal(mkdir(data, 0700), 0);
	put(dir, "data/a.txt", "hei\n");
	put(dir, "bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
	put(dir, "manifest-md5.txt", "d54f9200b680ff11eb1ffcb01a99bde2  data/a.txt\n");
	put(dir, "bag-info.txt", "Payload-Oxum: 4.1\nNote: one\n  and more\n");
}

static void expect(const char *dir, const char *fault)
{
	struct bag_report r;
	struct told t;

	judge(dir, &r, &t);
	if (fault && (!r.faults || !strstr(t.text, fault)))
		fail_msg("expected \"%s\", told:\n%s", fault, t.text);
	if (!fault && r.faults)
		fail_msg("expected none, told:\n%s", t.text);
}

static void test_bag__a_small_bag_is_valid_until_it_is_spoilt(void **state)
{
	char dir[256], path[300];

	(void)state;
	unit_scratch(dir);
	make_bag(dir);
	expect(dir, NULL);
	put(dir, "data/a.txt", "moi\n");
	expect(dir, "data/a.txt is not what manifest-md5.txt says");
	put(dir, "data/a.txt", "hei\n");
	put(dir, "data/b.txt", "hei\n");
	expect(dir, "data/b.txt is in no manifest");
	snprintf(path, sizeof(path), "%s/data/b.txt", dir);
	assert_int_equal(unlink(path), 0);
	put(dir, "bag-info.txt", "Payload-Oxum: 5.1\n");
	expect(dir, "Payload-Oxum says");
	put(dir, "bag-info.txt", "a line of nothing\n");
	expect(dir, "is no \"label: value\"");
	put(dir, "bag-info.txt", "");
	put(dir, "fetch.txt", "https://example.invalid/a 4 data/c.txt\n");
	expect(dir, "which is not in every manifest");
	put(dir, "fetch.txt", "https://example.invalid/a 4 data/../../c.txt\n");
	expect(dir, "fetch.txt line 1");
	put(dir, "fetch.txt", "");
	put(dir, "manifest-md5.txt",
	    "d54f9200b680ff11eb1ffcb01a99bde2  data/a.txt\nd54f9200b680ff11eb1ffcb01a99bde2  "
	    "data/c.txt\n");
	expect(dir, "data/c.txt, which manifest-md5.txt lists, is missing");
	put(dir, "manifest-md5.txt",
	    "d54f9200b680ff11eb1ffcb01a99bde2  data/a.txt\nd54f9200b680ff11eb1ffcb01a99bde2  "
	    "data/../../etc/x\n");
	expect(dir, "line 2 names a path");
	put(dir, "bagit.txt", "BagIt-Version: 1.0 \nTag-File-Character-Encoding: UTF-8\n");
	expect(dir, "BagIt-Version");
	unit_scratch_end(dir);
}

static void test_bag__a_double_is_a_fault_from_1_0_on(void **state)
{
	static const char draft[] = "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n";
	static const char line[] = HEI "  data/a.txt\n";
	char dir[256], twice[200];
	struct bag_report r;
	struct told t;

	(void)state;
	unit_scratch(dir);
	make_bag(dir);
	snprintf(twice, sizeof(twice), "%s%s", line, line);
	put(dir, "manifest-md5.txt", twice);
	expect(dir, "lists data/a.txt twice");
	put(dir, "bagit.txt", draft);
	judge(dir, &r, &t);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.warnings, 1);
	snprintf(twice, sizeof(twice), "%s%032d  data/a.txt\n", line, 1);
	put(dir, "manifest-md5.txt", twice);
	expect(dir, "with two digests");
	unit_scratch_end(dir);
}

static void test_bag__from_1_0_on_every_manifest_lists_every_file(void **state)
{
	char dir[256];

	(void)state;
	unit_scratch(dir);
	make_bag(dir);
	put(dir, "manifest-sha1.txt", "");
	expect(dir, "data/a.txt is not in every manifest");
	put(dir, "bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n");
	expect(dir, NULL);
	put(dir, "bagit.txt", "BagIt-Version: 1.1\nTag-File-Character-Encoding: UTF-8\n");
	expect(dir, "version 1.1");
	put(dir, "bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\nx\n");
	expect(dir, "more than its two lines");
	put(dir, "bagit.txt",
	    "\xef\xbb\xbf"
	    "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n");
	expect(dir, "does not begin with");
	unit_scratch_end(dir);
}

static void test_bag__tag_files_may_be_in_another_encoding(void **state)
{
	char dir[256];

	(void)state;
	unit_scratch(dir);
	make_bag(dir);
	put(dir, "bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: ISO-8859-1\n");
	put(dir, "data/\xc3\xa4.txt", "hei\n");
	put(dir, "manifest-md5.txt", HEI "  data/a.txt\n" HEI "  data/\xe4.txt\n");
	put(dir, "bag-info.txt", "Note: k\xe4ynti\n");
	expect(dir, NULL);
	put(dir, "bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n");
	expect(dir, "is not text in the encoding");
	put(dir, "bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: KLINGON\n");
	expect(dir, "is not known");
	unit_scratch_end(dir);
}

static void test_bag__a_link_is_refused_and_never_followed(void **state)
{
	char dir[256], path[300];

	(void)state;
	unit_scratch(dir);
	make_bag(dir);
	snprintf(path, sizeof(path), "%s/data/l", dir);
	assert_int_equal(symlink("a.txt", path), 0);
	expect(dir, "neither a file nor a folder");
	unit_scratch_end(dir);
}

static void test_bag__paths_are_encoded_and_decoded(void **state)
{
	static const struct {
		const char *text, *path;
		bool encoded, ok;
	} rows[] = {{"data/a", "data/a", true, true}, {"./data/a", "data/a", true, true},
	    {"data/50%25.txt", "data/50%.txt", true, true},
	    {"data/50%25.txt", "data/50%25.txt", false, true},
	    {"data/%7Ea", "data/%7Ea", true, true}, {"data/a%0Ab%0d", "data/a\nb\r", true, true},
	    {"/etc/passwd", "", true, false}, {"~/x", "", true, false},
	    {"data/../x", "", true, false}, {"data//x", "", true, false}, {"", "", true, false},
	    {"data/\xff", "", true, false}, {"data/..", "", true, false},
	    {"data/..x", "data/..x", true, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf out = BUF_INIT, back = BUF_INIT;
		bool dotted, ok = bag_path_decode(&out, rows[i].text, strlen(rows[i].text),
				 rows[i].encoded, &dotted);

		assert_int_equal(ok, rows[i].ok);
		if (ok)
			assert_string_equal(out.data, rows[i].path);
		if (ok && rows[i].encoded) {
			struct buf again = BUF_INIT;

			bag_path_encode(&back, out.data);
			assert_true(bag_path_decode(&again, back.data, back.len, true, &dotted));
			assert_string_equal(again.data, out.data);
			buf_free(&again);
		}
		buf_free(&out);
		buf_free(&back);
	}
}

static void judge_as_expected(const char *root, const char *bag, const char *expected)
{
	struct bag_report r;
	struct told t;
	char path[1200];
	bool fine;

	snprintf(path, sizeof(path), "%s/%s", root, strchr(bag, '/') + 1);
	judge(path, &r, &t);
	/* paths out of the bag are refused whatever system they were meant for */
	if (strcmp(expected, "valid") == 0)
		fine = r.faults == 0;
	else if (strcmp(expected, "warning") == 0)
		fine = r.faults == 0 && r.warnings > 0;
	else
		fine = r.faults > 0;
	if (!fine)
		fail_msg("%s should be %s, told:\n%s", bag, expected, t.text);
}

static void test_bag__the_conformance_suite_is_judged_right(void **state)
{
	char root[512], path[600];
	struct buf text = BUF_INIT;
	const char *at, *line;
	size_t len, n, bags = 0;

	(void)state;
	unit_corpus(root, "bagit-conformance", __func__);
	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", root);
	assert_int_equal(fs_read_file(path, 1 << 20, &text, NULL), 0);
	at = text.data;
	len = text.len;
	while (bag_next_line(&at, &len, &line, &n)) {
		json_t *row = NULL;

		if (!n)
			continue;
		assert_int_equal(json_read(line, n, &row, NULL), 0);
		judge_as_expected(root, json_text(row, "bag"), json_text(row, "expected"));
		json_decref(row);
		bags++;
	}
	assert_int_equal(bags, 35);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bag__a_small_bag_is_valid_until_it_is_spoilt),
	    cmocka_unit_test(test_bag__a_double_is_a_fault_from_1_0_on),
	    cmocka_unit_test(test_bag__from_1_0_on_every_manifest_lists_every_file),
	    cmocka_unit_test(test_bag__tag_files_may_be_in_another_encoding),
	    cmocka_unit_test(test_bag__a_link_is_refused_and_never_followed),
	    cmocka_unit_test(test_bag__paths_are_encoded_and_decoded),
	    cmocka_unit_test(test_bag__the_conformance_suite_is_judged_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
