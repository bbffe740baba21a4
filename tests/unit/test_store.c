/* The store through its own interface. */
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "archive/git_commit.h"
#include "archive/git_tree.h"
#include "arkki/base/text.h"

static void test_store__unborn_store_is_empty_and_open(void **state)
{
	struct fixture f;
	struct store_head head;
	struct store_reader *r = NULL;
	struct store_blob b;
	unsigned int faults = 0;
	uint64_t objects = 9;

	(void)state;
	fixture_start(&f);
	store_head(f.store, &head);
	assert_int_equal(head.sequence, 0);
	assert_int_equal(store_packs(f.store), 0);
	OK(store_reader_open(f.store, &r, err));
	assert_int_equal(store_get(r, NULL, "docs/a", &b, NULL), ARK_ENOTFOUND);
	OK(store_check(f.store, fixture_count_fault, &faults, &objects, err));
	assert_int_equal(objects, 0);
	assert_int_equal(store_create(f.dir, f.signers, "x", fixture_seed, NULL), ARK_ECONFLICT);
	store_reader_close(r);
	fixture_end(&f);
}

static void test_store__what_was_put_is_read_by_path_and_oid_at_every_head(void **state)
{
	struct fixture f;
	struct store_head one, two, now;
	struct store_reader *r = NULL;
	struct store_txn *t = NULL;
	struct store_oid oid;
	struct store_blob b, kept;

	(void)state;
	fixture_start(&f);
	one = fixture_commit_one(&f, "docs/a/b/v0001/meta", "first", "filed a");
	OK(store_reader_open(f.store, &r, err));
	OK(store_get(r, NULL, "docs/a/b/v0001/meta", &kept, err));
	OK(store_begin(f.store, &t, err));
	OK(store_put(t, "docs/a/b/v0001/content", "", 0, NULL, err));
	OK(store_put(t, "docs/a/b/v0002/meta", "second", 6, &oid, err));
	OK(store_put(t, "units/u/m0001", "unit", 4, NULL, err));
	OK(store_commit(t, "filed b\nunit u\n", FIXTURE_TIME, &two, err));
	assert_int_equal(one.sequence, 1);
	assert_int_equal(two.sequence, 2);
	store_head(f.store, &now);
	assert_memory_equal(&now, &two, sizeof(now));

	fixture_expect(r, NULL, "docs/a/b/v0001/content", "", 0);
	fixture_expect(r, NULL, "docs/a/b/v0002/meta", "second", 6);
	fixture_expect(r, &two, "docs/a/b/v0001/meta", "first", 5);
	fixture_expect(r, &one, "docs/a/b/v0001/meta", "first", 5);
	assert_int_equal(store_get(r, &one, "docs/a/b/v0002/meta", &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(store_get(r, NULL, "docs/a/b", &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(store_get(r, NULL, "docs/a/b/v0001/meta/x", &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(store_get(r, NULL, "", &b, NULL), ARK_ENOTFOUND);
	OK(store_get_oid(r, &oid, &b, err));
	assert_memory_equal(b.bytes, "second", 6);
	store_blob_release(&b);
	oid.id[3] ^= 1;
	assert_int_equal(store_get_oid(r, &oid, &b, NULL), ARK_ENOTFOUND);
	store_reader_close(r);
	assert_memory_equal(kept.bytes, "first", 5); /* survives its reader */
	store_blob_release(&kept);
	fixture_end(&f);
}

static void test_store__taken_paths_and_bad_names_poison_the_transaction(void **state)
{
	static const struct {
		const char *path;
		int status;
	} cases[] = {{"docs/a/meta", ARK_ECONFLICT}, {"docs/a", ARK_ECONFLICT},
	    {"docs/a/meta/x", ARK_ECONFLICT}, {"new/one", ARK_ECONFLICT}, {"new", ARK_ECONFLICT},
	    {"new/one/two", ARK_ECONFLICT}, {"", ARK_EINPUT}, {"/x", ARK_EINPUT},
	    {"x/", ARK_EINPUT}, {"x//y", ARK_EINPUT}, {"../x", ARK_EINPUT}, {"x/.git", ARK_EINPUT},
	    {"x/y z", ARK_EINPUT},
	    {"a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", ARK_EINPUT}};
	struct fixture f;
	struct store_head head;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "docs/a/meta", "x", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct store_txn *t = NULL;
		struct ark_error first = {0}, later = {0};

		OK(store_begin(f.store, &t, err));
		OK(store_put(t, "new/one", "1", 1, NULL, err));
		assert_int_equal(
		    store_put(t, cases[i].path, "2", 1, NULL, &first), cases[i].status);
		assert_int_equal(store_put(t, "fine", "3", 1, NULL, &later), cases[i].status);
		assert_string_equal(first.text, later.text);
		assert_int_equal(store_commit(t, "", FIXTURE_TIME, NULL, NULL), cases[i].status);
	}
	store_head(f.store, &head);
	assert_int_equal(head.sequence, 1);
	assert_int_equal(store_packs(f.store), 1);
	fixture_end(&f);
}

static void test_store__one_transaction_at_a_time_and_abort_leaves_nothing(void **state)
{
	struct fixture f;
	struct store *reading = NULL;
	struct store_txn *t = NULL, *u = NULL;

	(void)state;
	fixture_start(&f);
	OK(store_begin(f.store, &t, err));
	assert_int_equal(store_begin(f.store, &u, NULL), ARK_ECONFLICT);
	OK(store_put(t, "a", "1", 1, NULL, err));
	store_abort(t);
	assert_int_equal(store_packs(f.store), 0);
	fixture_commit_one(&f, "a", "1", "");
	OK(store_open(f.dir, "test.example/arkki", fixture_seed, false, &reading, err));
	assert_int_equal(store_begin(reading, &u, NULL), ARK_EINPUT);
	store_close(reading);
	fixture_end(&f);
}

static int add_name(void *arg, const char *name, bool is_tree, const struct store_oid *oid)
{
	(void)oid;
	buf_addf(arg, "%s%s ", name, is_tree ? "/" : "");
	return 0;
}

static int stop_at_once(void *arg, const char *name, bool is_tree, const struct store_oid *oid)
{
	(void)arg, (void)name, (void)is_tree, (void)oid;
	return 77;
}

static void test_store__directories_list_in_gits_order(void **state)
{
	struct fixture f;
	struct store_reader *r = NULL;
	struct store_txn *t = NULL;
	struct buf names = BUF_INIT;

	(void)state;
	fixture_start(&f);
	OK(store_begin(f.store, &t, err));
	OK(store_put(t, "foo/x", "1", 1, NULL, err));
	OK(store_put(t, "foo0", "2", 1, NULL, err));
	OK(store_commit(t, "", FIXTURE_TIME, NULL, err));
	OK(store_begin(f.store, &t, err));
	OK(store_put(t, "foo-", "3", 1, NULL, err));
	OK(store_put(t, "foo.c", "4", 1, NULL, err));
	OK(store_put(t, "fo", "5", 1, NULL, err));
	OK(store_put(t, "foo/a/b", "6", 1, NULL, err));
	OK(store_commit(t, "", FIXTURE_TIME, NULL, err));
	OK(store_reader_open(f.store, &r, err));
	OK(store_list(r, NULL, "", add_name, &names, err));
	assert_string_equal(names.data, "fo foo- foo.c foo/ foo0 ");
	buf_clear(&names);
	OK(store_list(r, NULL, "foo", add_name, &names, err));
	assert_string_equal(names.data, "a/ x ");
	assert_int_equal(store_list(r, NULL, "", stop_at_once, NULL, NULL), 77);
	assert_int_equal(store_list(r, NULL, "nothing", add_name, &names, NULL), ARK_ENOTFOUND);
	store_reader_close(r);
	buf_free(&names);
	fixture_fsck(&f);
	fixture_end(&f);
}

static int add_commit(
    void *arg, const struct store_head *commit, int64_t time_us, const char *changes)
{
	assert_int_equal(time_us, FIXTURE_TIME);
	buf_addf(arg, "%llu:%s", (unsigned long long)commit->sequence, changes);
	return commit->sequence == 4 ? 5 : 0;
}

static void test_store__log_gives_back_the_changes_oldest_first(void **state)
{
	struct fixture f;
	struct store_reader *r = NULL;
	struct buf log = BUF_INIT;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "a", "1", "one\n");
	fixture_commit_one(&f, "b", "1", "two\nand more");
	fixture_commit_one(&f, "c", "1", "");
	OK(store_reader_open(f.store, &r, err));
	OK(store_log(r, 0, add_commit, &log, err));
	assert_string_equal(log.data, "1:one\n2:two\nand more\n3:");
	buf_clear(&log);
	OK(store_log(r, 2, add_commit, &log, err));
	assert_string_equal(log.data, "3:");
	buf_clear(&log);
	OK(store_log(r, 3, add_commit, &log, err));
	assert_int_equal(log.len, 0);
	fixture_commit_one(&f, "d", "1", "four\n");
	fixture_commit_one(&f, "e", "1", "five\n");
	assert_int_equal(store_log(r, 2, add_commit, &log, NULL), 5);
	assert_string_equal(log.data, "3:4:four\n");
	store_reader_close(r);
	buf_free(&log);
	fixture_end(&f);
}

static void test_store__large_and_repeated_blobs_stream_and_are_written_once(void **state)
{
	enum { SIZE = 9 << 20 };
	struct fixture f;
	struct store_reader *r = NULL;
	struct store_txn *t = NULL;
	struct store_oid a, b, c;
	struct store_blob blob;
	unsigned char *bytes = malloc(SIZE);
	char path[400];
	struct stat st;
	unsigned int faults = 0;
	uint64_t objects;
	char *out;
	int fd;

	(void)state;
	fixture_start(&f);
	assert_non_null(bytes);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (unsigned char)((i * 2654435761U) >> 13);
	snprintf(path, sizeof(path), "%s/big", f.scratch);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, bytes, SIZE), SIZE);

	OK(store_begin(f.store, &t, err));
	OK(store_put_fd(t, "big/1", fd, 3, SIZE - 3, &a, err));
	OK(store_put_fd(t, "big/2", fd, 3, SIZE - 3, &b, err));
	OK(store_put(t, "big/3", bytes + 3, SIZE - 3, &c, err));
	OK(store_put_fd(t, "big/empty", fd, 0, 0, NULL, err));
	OK(store_put_fd(t, "big/block", fd, 0, 65535, NULL, err));
	store_abort(t);
	OK(store_begin(f.store, &t, err));
	OK(store_put(t, "small", "s", 1, NULL, err));
	OK(store_put_fd(t, "big/1", fd, 3, SIZE - 3, &a, err));
	OK(store_put_fd(t, "big/2", fd, 3, SIZE - 3, &b, err));
	OK(store_put(t, "big/3", bytes + 3, SIZE - 3, &c, err));
	OK(store_put_fd(t, "big/empty", fd, 0, 0, NULL, err));
	OK(store_put_fd(t, "big/block", fd, 0, 65535, NULL, err));
	OK(store_put(t, "big/block1", bytes, 65536, NULL, err));
	OK(store_put_fd(t, "big/last", fd, 3, SIZE - 3, NULL, err)); /* leaves a tail to cut off */
	OK(store_commit(t, "", FIXTURE_TIME, NULL, err));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_equal(&a, &c, sizeof(a));

	OK(store_reader_open(f.store, &r, err));
	OK(store_get(r, NULL, "big/2", &blob, err));
	assert_int_equal(blob.len, SIZE - 3);
	assert_memory_equal(blob.bytes, bytes + 3, SIZE - 3);
	store_blob_release(&blob);
	store_reader_close(r);
	OK(store_check(f.store, fixture_count_fault, &faults, &objects, err));
	assert_int_equal(objects, 8); /* five blobs, two trees, the commit */
	out = fixture_git(&f, NULL, "cat-file --batch-all-objects --batch-check | wc -l");
	assert_string_equal(out, "8\n");
	free(out);
	snprintf(path, sizeof(path),
	    "du -s --apparent-size -k '%s/objects/pack' | awk '{exit $1 > 9600}'", f.dir);
	assert_int_equal(system(path), 0);
	fixture_fsck(&f);

	OK(store_begin(f.store, &t, err));
	assert_int_equal(store_put_fd(t, "short", fd, SIZE - 10, 11, NULL, NULL), ARK_ECORRUPT);
	store_abort(t);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	free(bytes);
	fixture_end(&f);
}

static void test_store__a_large_group_still_writes_each_blob_once(void **state)
{
	enum { BLOBS = 1500 };
	struct fixture f;
	struct store_txn *t = NULL;
	char path[32], text[16];
	unsigned int faults = 0;
	uint64_t objects;

	(void)state;
	fixture_start(&f);
	OK(store_begin(f.store, &t, err));
	for (int i = 0; i < 2 * BLOBS; i++) {
		snprintf(path, sizeof(path), "d%d/%06d", i / BLOBS, i);
		snprintf(text, sizeof(text), "blob %d", i % BLOBS);
		OK(store_put(t, path, text, strlen(text), NULL, err));
	}
	OK(store_commit(t, "", FIXTURE_TIME, NULL, err));
	OK(store_check(f.store, fixture_count_fault, &faults, &objects, err));
	assert_int_equal(objects, BLOBS + 3 + 1);
	fixture_fsck(&f);
	fixture_end(&f);
}

static void test_store__refresh_follows_another_writer(void **state)
{
	struct fixture f;
	struct store *reading = NULL;
	struct store_reader *r = NULL;
	struct store_head head;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "a", "1", "");
	OK(store_open(f.dir, "test.example/arkki", fixture_seed, false, &reading, err));
	OK(store_reader_open(reading, &r, err));
	fixture_commit_one(&f, "b", "2", "");
	store_head(reading, &head);
	assert_int_equal(head.sequence, 1);
	OK(store_refresh(reading, err));
	store_head(reading, &head);
	assert_int_equal(head.sequence, 2);
	fixture_expect(r, NULL, "b", "2", 1);
	store_reader_close(r);
	store_close(reading);
	fixture_end(&f);
}

static void test_store__malformed_trees_and_commits_are_refused(void **state)
{
	static const char *const commits[] = {"", "tree ",
	    "tree 0123456789012345678901234567890123456789\n",
	    "tree 0123456789012345678901234567890123456789\nparent x\n"};
	static const char tree[] = "100644 a\0"
				   "12345678901234567890"
				   "40000 b\0"
				   "1234567890123456789";
	struct gittree_entry e;
	struct gitcommit c;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(commits) / sizeof(*commits); i++)
		assert_int_equal(
		    gitcommit_parse(commits[i], strlen(commits[i]), &c, NULL), ARK_ECORRUPT);
	assert_int_equal(gittree_next(tree, sizeof(tree) - 1, &at, &e, NULL), 1);
	assert_int_equal(at, 29);
	assert_int_equal(gittree_next(tree, sizeof(tree) - 1, &at, &e, NULL), ARK_ECORRUPT);
	at = 0;
	assert_int_equal(gittree_next("0", 1, &at, &e, NULL), ARK_ECORRUPT);
	assert_int_equal(gittree_next(NULL, 0, &at, &e, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_store__unborn_store_is_empty_and_open),
	    cmocka_unit_test(test_store__what_was_put_is_read_by_path_and_oid_at_every_head),
	    cmocka_unit_test(test_store__taken_paths_and_bad_names_poison_the_transaction),
	    cmocka_unit_test(test_store__one_transaction_at_a_time_and_abort_leaves_nothing),
	    cmocka_unit_test(test_store__directories_list_in_gits_order),
	    cmocka_unit_test(test_store__log_gives_back_the_changes_oldest_first),
	    cmocka_unit_test(test_store__large_and_repeated_blobs_stream_and_are_written_once),
	    cmocka_unit_test(test_store__a_large_group_still_writes_each_blob_once),
	    cmocka_unit_test(test_store__refresh_follows_another_writer),
	    cmocka_unit_test(test_store__malformed_trees_and_commits_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
