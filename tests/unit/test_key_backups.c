/* Key backups: what is copied, confirmed, destroyed with a change, and refused. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/keyring_private.h"
#include "archive/receipt_private.h"
#include "arkki/archive/key_backups.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct fixture {
	char dir[256], archive[400], keys[512], root[512], disk[512], other[512], home[600];
	struct receipt *receipt;
	struct keyring *k;
	struct ark_error err;
};

static void add(struct fixture *f, unsigned int n)
{
	while (n--) {
		struct seal_key key = {{0}};
		uint64_t slot;

		be64_put(key.bytes, keyring_slots(f->k));
		assert_int_equal(keyring_add(f->k, &key, &slot, &f->err), ARK_OK);
	}
	assert_int_equal(keyring_sync(f->k, &f->err), ARK_OK);
}

static void setup(struct fixture *f)
{
	char hex[33];

	*f = (struct fixture){0};
	unit_scratch(f->dir);
	snprintf(f->archive, sizeof(f->archive), "%s/archive", f->dir);
	snprintf(f->keys, sizeof(f->keys), "%s/keys", f->archive);
	snprintf(f->root, sizeof(f->root), "%s/root.key", f->dir);
	snprintf(f->disk, sizeof(f->disk), "%s/disk", f->dir);
	snprintf(f->other, sizeof(f->other), "%s/other", f->dir);
	assert_int_equal(fs_mkdir(f->archive, 0700, NULL), ARK_OK);
	assert_int_equal(fs_mkdir(f->disk, 0700, NULL), ARK_OK);
	assert_int_equal(fs_mkdir(f->other, 0700, NULL), ARK_OK);
	f->receipt = receipt_new(7, 1, "token");
	assert_non_null(f->receipt);
	assert_int_equal(keyring_create_root(f->root, &f->err), ARK_OK);
	assert_int_equal(keyring_create(f->keys, f->root, &f->err), ARK_OK);
	assert_int_equal(keyring_open(f->keys, f->root, 1, &f->k, &f->err), ARK_OK);
	hex_encode(hex, keyring_secrets(f->k)->archive_id, 16);
	snprintf(f->home, sizeof(f->home), "%s/%s", f->disk, hex);
	add(f, 5);
}

static void teardown(struct fixture *f)
{
	keyring_close(f->k);
	receipt_free(f->receipt);
	unit_scratch_end(f->dir);
}

static void expect_copy(struct fixture *f, unsigned int epoch, uint64_t slots, uint64_t gone)
{
	struct keyring *copy = NULL;
	char path[700];

	snprintf(path, sizeof(path), "%s/epoch-%u", f->home, epoch);
	if (keyring_open(path, f->root, 0, &copy, &f->err))
		fail_msg("%s", f->err.text);
	assert_int_equal(keyring_slots(copy), slots);
	for (uint64_t slot = 0; slot < slots; slot++) {
		struct seal_key key;
		int rc = keyring_unwrap(copy, f->receipt, slot, &key, &f->err);

		assert_int_equal(rc, slot == gone ? ARK_EGONE : ARK_OK);
		if (!rc)
			assert_int_equal(be64_get(key.bytes), slot);
	}
	keyring_close(copy);
}

static bool there(const struct fixture *f, const char *name)
{
	char path[700];

	snprintf(path, sizeof(path), "%s/%s", f->home, name);
	return fs_exists(path);
}

static void test_key_backups__follow_the_keys_and_their_changes(void **state)
{
	static const uint64_t doomed[] = {3};
	json_t *list = NULL, *confirmed = NULL, *b;
	struct fixture f;

	(void)state;
	setup(&f);
	assert_false(key_backups_behind(f.k, f.archive));
	assert_int_equal(key_backups_add(f.k, f.archive, "safe", f.disk, &f.err), ARK_OK);
	assert_true(key_backups_behind(f.k, f.archive));
	assert_int_equal(key_backups_run(f.k, f.archive, &list, &f.err), ARK_OK);
	assert_int_equal(json_array_size(list), 1);
	b = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(b, "epoch")), 1);
	assert_int_equal(json_integer_value(json_object_get(b, "slots")), 5);
	assert_non_null(json_text(b, "at"));
	assert_null(json_object_get(b, "error"));
	json_decref(list);
	expect_copy(&f, 1, 5, UINT64_MAX);
	add(&f, 2);
	assert_true(key_backups_behind(f.k, f.archive));
	assert_int_equal(key_backups_run(f.k, f.archive, NULL, &f.err), ARK_OK);
	assert_false(key_backups_behind(f.k, f.archive));
	expect_copy(&f, 1, 7, UINT64_MAX);

	assert_int_equal(key_backups_change(f.k, f.archive, doomed, 1, &confirmed, &f.err), ARK_OK);
	assert_int_equal(json_array_size(confirmed), 1);
	b = json_array_get(confirmed, 0);
	assert_string_equal(json_text(b, "name"), "safe");
	assert_int_equal(json_integer_value(json_object_get(b, "epoch")), 2);
	assert_int_equal(json_integer_value(json_object_get(b, "slots")), 7);
	json_decref(confirmed);
	expect_copy(&f, 2, 7, 3);
	assert_false(there(&f, "epoch-1"));
	teardown(&f);
}

static void test_key_backups__that_do_not_confirm_stop_a_change(void **state)
{
	char away[620];
	struct fixture f;
	json_t *list = NULL;

	(void)state;
	setup(&f);
	assert_int_equal(key_backups_add(f.k, f.archive, "safe", f.disk, &f.err), ARK_OK);
	assert_int_equal(key_backups_add(f.k, f.archive, "cellar", f.other, &f.err), ARK_OK);
	assert_int_equal(key_backups_run(f.k, f.archive, NULL, &f.err), ARK_OK);
	snprintf(away, sizeof(away), "%s.away", f.home);
	assert_int_equal(rename(f.home, away), 0);
	assert_int_equal(key_backups_change(f.k, f.archive, NULL, 0, NULL, &f.err), ARK_EIO);
	assert_non_null(strstr(f.err.text, "key backup safe"));
	assert_int_equal(keyring_epoch(f.k), 1);
	assert_int_equal(key_backups_list(f.archive, &list, &f.err), ARK_OK);
	assert_non_null(json_text(json_array_get(list, 0), "error"));
	json_decref(list);
	/* one that cannot be reached is not forgotten by mistake */
	assert_int_equal(key_backups_remove(f.k, f.archive, "safe", false, &f.err), ARK_EREFUSED);
	assert_int_equal(rename(away, f.home), 0);
	/* the other place had the copy of a change that never was: no hindrance to another one */
	snprintf(away, sizeof(away), "%s/keys.next", f.archive);
	assert_int_equal(mkdir(away, 0700), 0); /* nor is what a cut one left */
	assert_int_equal(key_backups_change(f.k, f.archive, NULL, 0, NULL, &f.err), ARK_OK);
	assert_int_equal(key_backups_change(f.k, f.archive, NULL, 0, NULL, &f.err), ARK_OK);
	assert_int_equal(key_backups_run(f.k, f.archive, NULL, &f.err), ARK_OK);
	expect_copy(&f, 3, 5, UINT64_MAX);
	assert_false(there(&f, "epoch-2"));
	assert_false(key_backups_behind(f.k, f.archive));
	assert_int_equal(key_backups_remove(f.k, f.archive, "safe", false, &f.err), ARK_OK);
	assert_false(fs_exists(f.home));
	assert_int_equal(key_backups_remove(f.k, f.archive, "safe", false, &f.err), ARK_ENOTFOUND);
	teardown(&f);
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	unsigned char byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void test_key_backups__a_good_copy_is_not_replaced_by_damage(void **state)
{
	struct fixture f;
	char shard[600];

	(void)state;
	setup(&f);
	assert_int_equal(key_backups_add(f.k, f.archive, "safe", f.disk, &f.err), ARK_OK);
	assert_int_equal(key_backups_run(f.k, f.archive, NULL, &f.err), ARK_OK);
	snprintf(shard, sizeof(shard), "%s/shard-000000", f.keys);
	flip(shard, SHARD_HEADER_SIZE + 2 * SLOT_SIZE + 30);
	assert_int_equal(key_backups_run(f.k, f.archive, NULL, &f.err), ARK_EIO);
	expect_copy(&f, 1, 5, UINT64_MAX);
	/* and what was damaged from the start does not count as copied */
	assert_int_equal(key_backups_add(f.k, f.archive, "cellar", f.other, &f.err), ARK_OK);
	assert_int_equal(key_backups_run(f.k, f.archive, NULL, &f.err), ARK_EIO);
	assert_true(key_backups_behind(f.k, f.archive));
	teardown(&f);
}

static void test_key_backups__refuse_bad_names_and_places(void **state)
{
	static const char *const names[] = {"", "Safe", "a b", "../x", "ä"};
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(
		    key_backups_add(f.k, f.archive, names[i], f.disk, &f.err), ARK_EINPUT);
	assert_int_equal(key_backups_add(f.k, f.archive, "a", "disk", &f.err), ARK_EINPUT);
	assert_int_equal(key_backups_add(f.k, f.archive, "a", f.root, &f.err), ARK_EINPUT);
	assert_int_equal(key_backups_add(f.k, f.archive, "a", f.keys, &f.err), ARK_EINPUT);
	assert_int_equal(key_backups_add(f.k, f.archive, "a", "/no/such", &f.err), ARK_EINPUT);
	assert_int_equal(key_backups_add(f.k, f.archive, "a", f.disk, &f.err), ARK_OK);
	assert_int_equal(key_backups_add(f.k, f.archive, "a", f.other, &f.err), ARK_ECONFLICT);
	assert_int_equal(key_backups_add(f.k, f.archive, "b", f.disk, &f.err), ARK_ECONFLICT);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key_backups__follow_the_keys_and_their_changes),
	    cmocka_unit_test(test_key_backups__that_do_not_confirm_stop_a_change),
	    cmocka_unit_test(test_key_backups__a_good_copy_is_not_replaced_by_damage),
	    cmocka_unit_test(test_key_backups__refuse_bad_names_and_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
