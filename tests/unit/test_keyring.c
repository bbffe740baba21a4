/* The keyring: round trips, crashes, damage, wrong keys, threads. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/stat.h>

#include "archive/keyring_private.h"
#include "archive/receipt_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

/* An archive's keys in a scratch directory. */
struct fixture {
	char dir[256], root[512], keys[512];
	struct receipt *receipt;
	struct keyring *k;
	struct ark_error err;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){0};
	unit_scratch(f->dir);
	snprintf(f->root, sizeof(f->root), "%s/root.key", f->dir);
	snprintf(f->keys, sizeof(f->keys), "%s/keys", f->dir);
	f->receipt = receipt_new(7, 1, "token");
	assert_non_null(f->receipt);
	assert_int_equal(keyring_create_root(f->root, &f->err), ARK_OK);
	assert_int_equal(keyring_create(f->keys, f->root, &f->err), ARK_OK);
}

static void open_ring(struct fixture *f, bool for_writing, uint32_t slots)
{
	keyring_close(f->k);
	f->k = NULL;
	if (keyring_open_sized(f->keys, f->root, for_writing, slots, &f->k, &f->err))
		fail_msg("%s", f->err.text);
}

static void teardown(struct fixture *f)
{
	keyring_close(f->k);
	receipt_free(f->receipt);
	unit_scratch_end(f->dir);
}

static struct seal_key key_number(uint64_t n)
{
	struct seal_key key = {{0}};

	be64_put(key.bytes, n * UINT64_C(0x9e3779b97f4a7c15));
	be64_put(key.bytes + 24, n);
	return key;
}

static void add_keys(struct fixture *f, uint64_t n)
{
	for (; n; n--) {
		uint64_t slot, want = keyring_slots(f->k);
		struct seal_key key = key_number(want);

		assert_int_equal(keyring_add(f->k, &key, &slot, &f->err), ARK_OK);
		assert_int_equal(slot, want);
	}
}

static void expect_key(struct fixture *f, uint64_t slot)
{
	struct seal_key got, want = key_number(slot);

	if (keyring_unwrap(f->k, f->receipt, slot, &got, &f->err))
		fail_msg("%s", f->err.text);
	assert_memory_equal(&got, &want, sizeof(got));
}

static void expect_no_key(struct fixture *f, uint64_t slot)
{
	struct seal_key got = key_number(99), before = got;

	assert_int_equal(keyring_unwrap(f->k, f->receipt, slot, &got, &f->err), ARK_ECORRUPT);
	assert_memory_equal(&got, &before, sizeof(got));
}

static void read_all(const char *path, struct buf *out)
{
	buf_clear(out);
	assert_int_equal(fs_read_file(path, 1 << 20, out, NULL), ARK_OK);
}

static void write_all(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, bytes, len, NULL), ARK_OK);
	close(fd);
}

static void in_keys(const struct fixture *f, const char *name, char out[600])
{
	snprintf(out, 600, "%s/%s", f->keys, name);
}

struct seen {
	unsigned int calls;
	uint64_t slot[8];
};

static void saw(void *arg, uint64_t slot, const char *why)
{
	struct seen *s = arg;

	assert_true(why && *why);
	if (s->calls < 8)
		s->slot[s->calls] = slot;
	s->calls++;
}

static int open_status(struct fixture *f)
{
	struct keyring *k = NULL;
	int rc = keyring_open(f->keys, f->root, 0, &k, &f->err);

	keyring_close(k);
	return rc;
}

/* ---- the root key ---- */
static void test_root__is_private_and_never_overwritten(void **state)
{
	struct fixture f;
	struct stat st;

	(void)state;
	setup(&f);
	assert_int_equal(stat(f.root, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(keyring_create_root(f.root, &f.err), ARK_EINPUT);
	assert_int_equal(keyring_create(f.keys, f.root, &f.err), ARK_EINPUT);
	assert_int_equal(open_status(&f), ARK_OK);
	teardown(&f);
}

static void test_root__open_to_others_or_missing_is_refused_with_the_mend(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(chmod(f.root, 0640), 0);
	assert_int_equal(open_status(&f), ARK_EINPUT);
	assert_non_null(strstr(f.err.text, "chmod 600"));
	assert_int_equal(chmod(f.root, 0604), 0);
	assert_int_equal(open_status(&f), ARK_EINPUT);
	assert_int_equal(chmod(f.root, 0400), 0);
	assert_int_equal(open_status(&f), ARK_OK);
	assert_int_equal(unlink(f.root), 0);
	assert_int_equal(open_status(&f), ARK_ENOTFOUND);
	assert_non_null(strstr(f.err.text, "--root-key"));
	assert_int_equal(keyring_root_read(NULL, NULL, &f.err), ARK_ENOTFOUND);
	assert_int_equal(mkfifo(f.root, 0600), 0);
	assert_int_equal(open_status(&f), ARK_EINPUT);
	teardown(&f);
}

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void test_root__only_the_one_form_is_read(void **state)
{
	static const char *const bad[] = {"", "\n", "arkki-root-key-v1", "arkki-root-key-v1 ",
	    "arkki-root-key-v1 1", "arkki-root-key-v1 1 ", "arkki-root-key-v1 1 " HEX "\r\n",
	    "arkki-root-key-v1 1 " HEX "\n\n", "arkki-root-key-v1 1 " HEX " \n",
	    "arkki-root-key-v1 1  " HEX "\n", "arkki-root-key-v1  1 " HEX "\n",
	    "arkki-root-key-v1 1 " HEX "0\n", "arkki-root-key-v1 1 " HEX "00\n",
	    "arkki-root-key-v1 0 " HEX "\n", "arkki-root-key-v1 01 " HEX "\n",
	    "arkki-root-key-v1 -1 " HEX "\n", "arkki-root-key-v1 4294967296 " HEX "\n",
	    "arkki-root-key-v1 18446744073709551617 " HEX "\n", "arkki-root-key-v2 1 " HEX "\n",
	    " arkki-root-key-v1 1 " HEX "\n", "arkki-root-key-v1 1 g" HEX "\n"};
	struct keyring_root root;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (keyring_root_parse("f", bad[i], strlen(bad[i]), &root, NULL) != ARK_EINPUT)
			fail_msg("accepted: %s", bad[i]);
	for (size_t cut = 0; cut <= 1; cut++) {
		static const char good[] = "arkki-root-key-v1 4294967295 " HEX "\n";

		assert_int_equal(
		    keyring_root_parse("f", good, sizeof(good) - 1 - cut, &root, NULL), ARK_OK);
		assert_int_equal(root.epoch, UINT32_MAX);
		assert_int_equal(root.key.bytes[31], 0x1f);
	}
}

static void test_root__another_archives_key_or_epoch_is_named_as_such(void **state)
{
	struct fixture f;
	struct buf text = BUF_INIT;

	(void)state;
	setup(&f);
	read_all(f.root, &text);
	assert_memory_equal(text.data, "arkki-root-key-v1 1 ", 20);
	text.data[18] = '2';
	write_all(f.root, text.data, text.len);
	assert_int_equal(open_status(&f), ARK_EINPUT);
	assert_non_null(strstr(f.err.text, "epoch 2"));
	assert_int_equal(unlink(f.root), 0);
	assert_int_equal(keyring_create_root(f.root, &f.err), ARK_OK);
	assert_int_equal(open_status(&f), ARK_EINPUT);
	assert_non_null(strstr(f.err.text, "does not belong to this archive"));
	buf_free(&text);
	teardown(&f);
}

/* ---- keys/secrets ---- */
static void test_secrets__stay_the_same_and_any_flipped_bit_is_corrupt(void **state)
{
	struct keyring_secrets first;
	struct fixture f;
	struct buf file = BUF_INIT;
	char path[600];

	(void)state;
	setup(&f);
	open_ring(&f, false, SHARD_SLOTS);
	first = *keyring_secrets(f.k);
	assert_false(sodium_is_zero((unsigned char *)&first, sizeof(first)));
	open_ring(&f, false, SHARD_SLOTS);
	assert_memory_equal(&first, keyring_secrets(f.k), sizeof(first));
	assert_int_equal(keyring_epoch(f.k), 1);
	in_keys(&f, "secrets", path);
	read_all(path, &file);
	assert_int_equal(file.len, 248);
	for (size_t bit = 0; bit < file.len * 8; bit += bit < 48 * 8 ? 1 : 13) {
		file.data[bit / 8] ^= (char)(1 << bit % 8);
		write_all(path, file.data, file.len);
		if (open_status(&f) != ARK_ECORRUPT)
			fail_msg("byte %zu: %s", bit / 8, f.err.text);
		file.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	write_all(path, file.data, file.len - 1);
	assert_int_equal(open_status(&f), ARK_ECORRUPT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_status(&f), ARK_ECORRUPT);
	buf_free(&file);
	teardown(&f);
}

/* ---- slots ---- */
static void test_slots__open_before_and_after_the_sync_and_after_reopening(void **state)
{
	struct fixture f;
	struct seal_key key;

	(void)state;
	setup(&f);
	open_ring(&f, true, SHARD_SLOTS);
	add_keys(&f, 100);
	expect_key(&f, 0);
	expect_key(&f, 99);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	add_keys(&f, 3);
	for (uint64_t n = 0; n < 103; n++)
		expect_key(&f, n);
	expect_no_key(&f, 103);
	expect_no_key(&f, UINT64_MAX);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	open_ring(&f, false, SHARD_SLOTS);
	assert_int_equal(keyring_slots(f.k), 103);
	for (uint64_t n = 0; n < 103; n++)
		expect_key(&f, n);
	expect_no_key(&f, 103);
	assert_int_equal(keyring_unwrap(f.k, NULL, 1, &key, &f.err), ARK_EREFUSED);
	assert_int_equal(keyring_unwrap_ledger(f.k, 1, &key, &f.err), ARK_OK);
	assert_int_equal(keyring_add(f.k, &key, &(uint64_t){0}, &f.err), ARK_EREFUSED);
	teardown(&f);
}

static void test_slots__not_synced_are_gone_after_reopening_and_numbers_go_on(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	open_ring(&f, true, SHARD_SLOTS);
	add_keys(&f, 2);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	add_keys(&f, 5);
	open_ring(&f, true, SHARD_SLOTS);
	assert_int_equal(keyring_slots(f.k), 2);
	add_keys(&f, 1);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	open_ring(&f, true, SHARD_SLOTS);
	for (uint64_t n = 0; n < 3; n++)
		expect_key(&f, n);
	teardown(&f);
}

static void test_shards__begin_when_one_is_full_and_at_an_exact_end(void **state)
{
	struct fixture f;
	struct stat st;
	char path[600];

	(void)state;
	setup(&f);
	open_ring(&f, true, 4);
	add_keys(&f, 11); /* three shards in one sync */
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	add_keys(&f, 1);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	open_ring(&f, true, 4); /* the last is exactly full */
	assert_int_equal(keyring_slots(f.k), 12);
	add_keys(&f, 1);
	expect_key(&f, 12);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	open_ring(&f, false, 4);
	for (uint64_t n = 0; n < 13; n++)
		expect_key(&f, n);
	in_keys(&f, "shard-000002", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 128 + 4 * 72);
	assert_int_equal(st.st_mode & 0777, 0600);
	in_keys(&f, "shard-000003", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 128 + 72);
	/* a crash after the header and before the first slot */
	assert_int_equal(truncate(path, 128), 0);
	open_ring(&f, true, 4);
	assert_int_equal(keyring_slots(f.k), 12);
	add_keys(&f, 2);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	expect_key(&f, 13);
	teardown(&f);
}

static void test_shards__a_torn_last_slot_is_cut_for_writing_and_passed_over_for_reading(
    void **state)
{
	struct fixture f;
	struct stat st;
	char path[600];

	(void)state;
	setup(&f);
	open_ring(&f, true, SHARD_SLOTS);
	add_keys(&f, 3);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	in_keys(&f, "shard-000000", path);
	for (off_t torn = 1; torn < SLOT_SIZE; torn += 35) {
		off_t whole = 128 + 3 * 72;

		assert_int_equal(truncate(path, whole + torn), 0);
		open_ring(&f, false, SHARD_SLOTS);
		assert_int_equal(keyring_slots(f.k), 3);
		expect_key(&f, 2);
		expect_no_key(&f, 3);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, whole + torn);
		open_ring(&f, true, SHARD_SLOTS);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, whole);
		assert_int_equal(keyring_slots(f.k), 3);
	}
	add_keys(&f, 1);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	open_ring(&f, false, SHARD_SLOTS);
	expect_key(&f, 3);
	teardown(&f);
}

/* After a power cut a file can be longer than its bytes: the sizes are durable, the slots are not. */
static void test_shards__slots_of_zeros_at_the_end_were_never_acknowledged(void **state)
{
	struct fixture f;
	struct seen seen = {0};
	struct buf file = BUF_INIT;
	struct stat st;
	char path[600];

	(void)state;
	setup(&f);
	open_ring(&f, true, SHARD_SLOTS);
	add_keys(&f, 3);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	in_keys(&f, "shard-000000", path);
	/* within and beyond what is looked at in one piece, with and without a part of a slot */
	for (off_t zeros = 1; zeros < 200; zeros += 66) {
		off_t whole = 128 + 3 * 72;

		assert_int_equal(truncate(path, whole + zeros * 72 + zeros % 5), 0);
		open_ring(&f, false, SHARD_SLOTS);
		assert_int_equal(keyring_slots(f.k), 3);
		expect_no_key(&f, 3);
		assert_int_equal(keyring_check(f.k, saw, &seen, &f.err), ARK_OK);
		open_ring(&f, true, SHARD_SLOTS);
		assert_int_equal(keyring_slots(f.k), 3);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, whole);
	}
	assert_int_equal(seen.calls, 0);
	add_keys(&f, 2);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	open_ring(&f, true, SHARD_SLOTS);
	expect_key(&f, 2);
	expect_key(&f, 4);
	/* zeros in front of a slot that was written are a loss, and nothing is cut */
	read_all(path, &file);
	memset(file.data + 128 + 3 * 72, 0, 72);
	write_all(path, file.data, file.len);
	open_ring(&f, true, SHARD_SLOTS);
	assert_int_equal(keyring_slots(f.k), 5);
	assert_int_equal(keyring_check(f.k, saw, &seen, &f.err), ARK_ECORRUPT);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.slot[0], 3);
	buf_free(&file);
	teardown(&f);
}

static void test_shards__any_flipped_bit_is_corrupt(void **state)
{
	struct fixture f;
	struct buf file = BUF_INIT;
	char path[600];

	(void)state;
	setup(&f);
	open_ring(&f, true, SHARD_SLOTS);
	add_keys(&f, 1);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	in_keys(&f, "shard-000000", path);
	read_all(path, &file);
	assert_int_equal(file.len, 200);
	for (size_t bit = 0; bit < file.len * 8; bit += 3) {
		file.data[bit / 8] ^= (char)(1 << bit % 8);
		write_all(path, file.data, file.len);
		open_ring(&f, false, SHARD_SLOTS);
		expect_no_key(&f, 0);
		file.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	write_all(path, file.data, file.len);
	open_ring(&f, false, SHARD_SLOTS);
	expect_key(&f, 0);
	buf_free(&file);
	teardown(&f);
}

static void test_slots__moved_to_another_number_do_not_open(void **state)
{
	struct fixture f;
	struct buf file = BUF_INIT, other = BUF_INIT;
	char path[600], path1[600];

	(void)state;
	setup(&f);
	open_ring(&f, true, 4);
	add_keys(&f, 8);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	in_keys(&f, "shard-000000", path);
	in_keys(&f, "shard-000001", path1);
	read_all(path, &file);
	read_all(path1, &other);
	/* slot 1 in place of slot 2; shard 1 in place of shard 0; shard 1's slots under shard 0's header */
	memcpy(file.data + 128 + 2 * 72, file.data + 128 + 72, 72);
	write_all(path, file.data, file.len);
	open_ring(&f, false, 4);
	expect_key(&f, 1);
	expect_no_key(&f, 2);
	write_all(path, other.data, other.len);
	open_ring(&f, false, 4);
	expect_no_key(&f, 1);
	expect_key(&f, 5);
	memcpy(file.data + 128, other.data + 128, 4 * 72);
	write_all(path, file.data, file.len);
	open_ring(&f, false, 4);
	expect_no_key(&f, 1);
	buf_free(&file);
	buf_free(&other);
	teardown(&f);
}

static void test_keyring__a_reader_sees_slots_younger_than_its_opening(void **state)
{
	struct keyring *writer = NULL;
	struct fixture f;

	(void)state;
	setup(&f);
	open_ring(&f, true, 4);
	add_keys(&f, 2);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	writer = f.k;
	f.k = NULL;
	open_ring(&f, false, 4);
	expect_key(&f, 1);
	for (uint64_t n = 2; n < 9; n++) {
		struct seal_key key = key_number(n);
		uint64_t slot;

		assert_int_equal(keyring_add(writer, &key, &slot, NULL), ARK_OK);
	}
	assert_int_equal(keyring_sync(writer, &f.err), ARK_OK);
	expect_key(&f, 3);
	expect_key(&f, 8);
	expect_no_key(&f, 9);
	keyring_close(writer);
	teardown(&f);
}

static void test_keyring__a_failed_sync_stops_it_until_it_is_opened_anew(void **state)
{
	struct seal_key key = key_number(1);
	struct fixture f;
	char away[600];
	uint64_t slot;

	(void)state;
	setup(&f);
	open_ring(&f, true, 4);
	add_keys(&f, 4);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	add_keys(&f, 1);
	snprintf(away, sizeof(away), "%s/away", f.dir);
	assert_int_equal(rename(f.keys, away), 0);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_EIO);
	assert_int_equal(rename(away, f.keys), 0);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_EIO);
	assert_int_equal(keyring_add(f.k, &key, &slot, &f.err), ARK_EIO);
	expect_key(&f, 1);
	open_ring(&f, true, 4);
	assert_int_equal(keyring_slots(f.k), 4);
	add_keys(&f, 1);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	teardown(&f);
}

static void test_names__are_keyed_and_differ_by_kind(void **state)
{
	char a[33], b[33], want[33];
	unsigned char hash[16];
	struct fixture f;

	(void)state;
	setup(&f);
	open_ring(&f, false, SHARD_SLOTS);
	keyring_name(f.k, "units", "koivula", a);
	keyring_name(f.k, "units", "koivula", b);
	assert_string_equal(a, b);
	crypto_generichash(hash, 16, (const unsigned char *)"units\0koivula", 13,
	    keyring_secrets(f.k)->name_key, 32);
	hex_encode(want, hash, 16);
	assert_string_equal(a, want);
	keyring_name(f.k, "cases", "koivula", b);
	assert_string_not_equal(a, b);
	keyring_name(f.k, "unit", "skoivula", b);
	assert_string_not_equal(a, b);
	teardown(&f);
}

/* ---- the bytes, opened as archive/README.md tells a stranger to ---- */
static void test_format__a_stranger_opens_secrets_shard_and_slot(void **state)
{
	unsigned char aad[64], shard_key[32], key[32], secrets[160];
	const unsigned char *p, *id;
	struct seal_key want = key_number(6);
	struct keyring_root root;
	struct buf file = BUF_INIT;
	struct fixture f;
	char path[600];

	(void)state;
	setup(&f);
	open_ring(&f, true, 4);
	add_keys(&f, 7);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	id = keyring_secrets(f.k)->archive_id;
	read_all(f.root, &file);
	assert_int_equal(file.len, 85);
	assert_int_equal(keyring_root_parse("f", file.data, file.len, &root, NULL), ARK_OK);

	in_keys(&f, "secrets", path);
	read_all(path, &file);
	p = (unsigned char *)file.data;
	assert_memory_equal(p, "ARKKISEC\0\0\0\1\0\0\0\1", 16);
	assert_memory_equal(p + 16, id, 16);
	memcpy(aad, "arkki-secrets-v1\0\0\0\1", 20);
	memcpy(aad + 20, id, 16);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
			     secrets, NULL, NULL, p + 72, 176, aad, 36, p + 48, root.key.bytes),
	    0);
	assert_memory_equal(secrets, keyring_secrets(f.k), 160);

	in_keys(&f, "shard-000001", path);
	read_all(path, &file);
	p = (unsigned char *)file.data;
	assert_int_equal(file.len, 128 + 3 * 72);
	assert_memory_equal(p, "ARKKISHD\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\4", 24);
	assert_memory_equal(p + 24, id, 16);
	assert_true(sodium_is_zero(p + 112, 16));
	memcpy(aad, "arkki-shard-v1", 14);
	memcpy(aad + 14, p, 40);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
			     shard_key, NULL, NULL, p + 64, 48, aad, 54, p + 40, root.key.bytes),
	    0);
	p += 128 + 2 * 72; /* slot 6 of the archive, with four to a shard */
	memcpy(aad, "arkki-slot-v1", 13);
	memcpy(aad + 13, id, 16);
	memcpy(aad + 29, "\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\6", 16);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
			     key, NULL, NULL, p + 24, 48, aad, 45, p, shard_key),
	    0);
	assert_memory_equal(key, want.bytes, 32);
	buf_free(&file);
	teardown(&f);
}

/* ---- checking ---- */
static void test_check__names_each_bad_slot_and_each_bad_shard_once(void **state)
{
	struct seen seen = {0};
	struct fixture f;
	struct buf file = BUF_INIT;
	char path[600];

	(void)state;
	setup(&f);
	open_ring(&f, true, 4);
	assert_int_equal(keyring_check(f.k, saw, &seen, &f.err), ARK_OK);
	add_keys(&f, 18);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	assert_int_equal(keyring_check(f.k, saw, &seen, &f.err), ARK_OK);
	assert_int_equal(seen.calls, 0);
	in_keys(&f, "shard-000000", path);
	read_all(path, &file);
	file.data[128 + 72 + 30] ^= 1;
	memset(file.data + 128 + 2 * 72, 0, 72);
	write_all(path, file.data, file.len);
	in_keys(&f, "shard-000001", path); /* damaged after its key was read once */
	expect_key(&f, 5);
	read_all(path, &file);
	file.data[50] ^= 1;
	write_all(path, file.data, file.len);
	in_keys(&f, "shard-000002", path);
	assert_int_equal(truncate(path, 128 + 3 * 72 + 5), 0);
	in_keys(&f, "shard-000003", path);
	for (int again = 0; again < 2; again++) {
		seen = (struct seen){0};
		if (again) { /* a missing file: only an opening after it can see that */
			assert_int_equal(unlink(path), 0);
			open_ring(&f, false, 4);
		}
		assert_int_equal(keyring_check(f.k, saw, &seen, &f.err), ARK_ECORRUPT);
		assert_int_equal(seen.calls, again ? 5 : 4);
		assert_int_equal(seen.slot[0], 1);
		assert_int_equal(seen.slot[1], 2);
		assert_int_equal(seen.slot[2], 4);
		assert_int_equal(seen.slot[3], 11);
	}
	assert_int_equal(seen.slot[4], 12);
	expect_key(&f, 16);
	expect_no_key(&f, 13);
	buf_free(&file);
	teardown(&f);
}

/* ---- threads ---- */
enum { THREADS = 4, ROUNDS = 40 };

struct worker {
	struct fixture *f;
	pthread_t thread;
	const char *failed;
};

static const char *add_sync_unwrap(struct fixture *f)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct seal_key key, got;
		uint64_t slot;

		seal_key_generate(&key);
		if (keyring_add(f->k, &key, &slot, NULL))
			return "add";
		if (i % 2 && keyring_sync(f->k, NULL))
			return "sync";
		if (keyring_unwrap(f->k, f->receipt, slot, &got, NULL) ||
		    memcmp(&key, &got, sizeof(key)) != 0)
			return "unwrap";
		if (keyring_unwrap(f->k, f->receipt, slot / 2, &got, NULL))
			return "unwrap an older one";
	}
	return NULL;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->failed = add_sync_unwrap(w->f);
	return NULL;
}

static void test_keyring__threads_add_sync_and_unwrap_together(void **state)
{
	struct worker worker[THREADS];
	struct seen seen = {0};
	struct fixture f;

	(void)state;
	setup(&f);
	open_ring(&f, true, 32);
	for (int i = 0; i < THREADS; i++) {
		worker[i] = (struct worker){.f = &f};
		assert_int_equal(pthread_create(&worker[i].thread, NULL, work, &worker[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(worker[i].thread, NULL);
		if (worker[i].failed)
			fail_msg("a thread could not %s", worker[i].failed);
	}
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	open_ring(&f, false, 32);
	assert_int_equal(keyring_slots(f.k), THREADS * ROUNDS);
	assert_int_equal(keyring_check(f.k, saw, &seen, &f.err), ARK_OK);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_root__is_private_and_never_overwritten),
	    cmocka_unit_test(test_root__open_to_others_or_missing_is_refused_with_the_mend),
	    cmocka_unit_test(test_root__only_the_one_form_is_read),
	    cmocka_unit_test(test_root__another_archives_key_or_epoch_is_named_as_such),
	    cmocka_unit_test(test_secrets__stay_the_same_and_any_flipped_bit_is_corrupt),
	    cmocka_unit_test(test_slots__open_before_and_after_the_sync_and_after_reopening),
	    cmocka_unit_test(test_slots__not_synced_are_gone_after_reopening_and_numbers_go_on),
	    cmocka_unit_test(test_shards__begin_when_one_is_full_and_at_an_exact_end),
	    cmocka_unit_test(
		test_shards__a_torn_last_slot_is_cut_for_writing_and_passed_over_for_reading),
	    cmocka_unit_test(test_shards__slots_of_zeros_at_the_end_were_never_acknowledged),
	    cmocka_unit_test(test_shards__any_flipped_bit_is_corrupt),
	    cmocka_unit_test(test_slots__moved_to_another_number_do_not_open),
	    cmocka_unit_test(test_keyring__a_reader_sees_slots_younger_than_its_opening),
	    cmocka_unit_test(test_keyring__a_failed_sync_stops_it_until_it_is_opened_anew),
	    cmocka_unit_test(test_names__are_keyed_and_differ_by_kind),
	    cmocka_unit_test(test_format__a_stranger_opens_secrets_shard_and_slot),
	    cmocka_unit_test(test_check__names_each_bad_slot_and_each_bad_shard_once),
	    cmocka_unit_test(test_keyring__threads_add_sync_and_unwrap_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
