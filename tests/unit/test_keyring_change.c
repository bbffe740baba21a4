/* All keys anew: what changes, what stays, a death or a failure at each durable step, others at work meanwhile.
 *
 * The calls that make a change durable are ours here: they count, fail, or end the process. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/keyring_private.h"
#include "archive/receipt_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum mode { PASS, DIE_BEFORE, FAIL, SPOIL };
enum { SLOTS = 8, KEYS = 21, LATER = 3, ADDED_MAX = 300, DIED = 42 };

static struct {
	_Atomic enum mode mode; /* each of them: threads sync at the same time */
	_Atomic int at, count;
} steps;

static int step(void)
{
	int n = ++steps.count;

	if (n == steps.at && steps.mode == DIE_BEFORE)
		_exit(DIED);
	if (n == steps.at && steps.mode == FAIL) {
		errno = EIO;
		return -1;
	}
	return 0;
}

/* The disk takes other bytes than were written: one in the last slot of the second new shard. */
static void spoil(int fd)
{
	char link[64], path[600] = "";
	struct stat st;
	unsigned char byte;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) < 0 || !strstr(path, "keys.next/shard-000001") ||
	    fstat(fd, &st) < 0 || pread(fd, &byte, 1, st.st_size - 20) != 1)
		return;
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, st.st_size - 20), 1);
	steps.mode = PASS;
}

int fdatasync(int fd)
{
	if (steps.mode == SPOIL)
		spoil(fd);
	return step() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return step() ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	return step() ? -1 : (int)syscall(SYS_rename, from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return step() ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int unlink(const char *path)
{
	return step() ? -1 : (int)syscall(SYS_unlink, path);
}

int rmdir(const char *path)
{
	return step() ? -1 : (int)syscall(SYS_rmdir, path);
}

static void start_steps(enum mode mode, int at)
{
	steps.mode = mode;
	steps.at = at;
	steps.count = 0;
}

/* ---- an archive's keys ---- */

static const uint64_t doomed[] = {0, 7, 8, 20};
enum { DOOMED = sizeof(doomed) / sizeof(*doomed) };

struct fixture {
	char dir[256], root[512], keys[512];
	struct receipt *receipt;
	struct keyring *k;
	struct ark_error err;
};

static struct seal_key key_number(uint64_t n)
{
	struct seal_key key = {{0}};

	be64_put(key.bytes, n * UINT64_C(0x9e3779b97f4a7c15));
	be64_put(key.bytes + 24, n);
	return key;
}

static void reopen(struct fixture *f)
{
	keyring_close(f->k);
	f->k = NULL;
	if (keyring_open_sized(f->keys, f->root, 1, SLOTS, &f->k, &f->err))
		fail_msg("%s", f->err.text);
}

static void add(struct fixture *f, unsigned int n)
{
	while (n--) {
		struct seal_key key = key_number(keyring_slots(f->k));
		uint64_t slot;

		assert_int_equal(keyring_add(f->k, &key, &slot, &f->err), ARK_OK);
	}
}

static void setup(struct fixture *f)
{
	start_steps(PASS, 0);
	*f = (struct fixture){0};
	unit_scratch(f->dir);
	snprintf(f->root, sizeof(f->root), "%s/root.key", f->dir);
	snprintf(f->keys, sizeof(f->keys), "%s/keys", f->dir);
	f->receipt = receipt_new(7, 1, "token");
	assert_non_null(f->receipt);
	assert_int_equal(keyring_create_root(f->root, &f->err), ARK_OK);
	assert_int_equal(keyring_create(f->keys, f->root, &f->err), ARK_OK);
	reopen(f);
	add(f, KEYS);
	assert_int_equal(keyring_sync(f->k, &f->err), ARK_OK);
}

static void teardown(struct fixture *f)
{
	start_steps(PASS, 0);
	keyring_close(f->k);
	receipt_free(f->receipt);
	unit_scratch_end(f->dir);
}

static bool is_doomed(uint64_t slot)
{
	for (size_t i = 0; i < DOOMED; i++)
		if (doomed[i] == slot)
			return true;
	return false;
}

static void never(void *arg, uint64_t slot, const char *why)
{
	(void)arg;
	fail_msg("slot %llu: %s", (unsigned long long)slot, why);
}

/* Every slot below `n` opens with its own key, but the doomed when they are destroyed. */
static void expect_all(struct keyring *k, struct fixture *f, uint64_t n, bool destroyed)
{
	for (uint64_t slot = 0; slot < n; slot++) {
		struct seal_key got, want = key_number(slot);
		bool gone = true;
		int rc = keyring_unwrap(k, f->receipt, slot, &got, &f->err);

		assert_int_equal(rc, destroyed && is_doomed(slot) ? ARK_EGONE : ARK_OK);
		if (!rc)
			assert_memory_equal(&got, &want, sizeof(got));
		assert_int_equal(keyring_destroyed(k, slot, &gone, &f->err), ARK_OK);
		assert_int_equal(gone, destroyed && is_doomed(slot));
	}
	assert_int_equal(keyring_check(k, never, NULL, &f->err), ARK_OK);
}

static void expect_clean(const struct fixture *f)
{
	DIR *d = opendir(f->dir);
	unsigned int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	assert_int_equal(n, 2); /* keys and root.key: nothing that was prepared is left */
}

static int change(struct fixture *f, size_t destroy,
    int (*copied)(void *, const char *, const char *, uint32_t, struct ark_error *))
{
	struct keyring_change c = {
	    .root_path = f->root,
	    .destroy = doomed,
	    .destroy_len = destroy,
	    .copied = copied,
	    .arg = f,
	};

	return keyring_change(f->k, &c, &f->err);
}

static uint32_t root_epoch(const struct fixture *f)
{
	struct keyring_root root;

	assert_int_equal(keyring_root_read(f->root, &root, NULL), ARK_OK);
	return root.epoch;
}

/* ---- what a change is ---- */

static int note_and_add(
    void *arg, const char *keys_dir, const char *new_root, uint32_t epoch, struct ark_error *err)
{
	struct fixture *f = arg;
	struct keyring *copy = NULL;

	/* what is copied can be opened by its own root */
	assert_int_equal(keyring_open_sized(keys_dir, new_root, 0, SLOTS, &copy, err), ARK_OK);
	assert_int_equal(keyring_epoch(copy), epoch);
	expect_all(copy, f, KEYS, true);
	keyring_close(copy);
	/* and the archive goes on meanwhile: some synced, some not */
	add(f, LATER);
	assert_int_equal(keyring_sync(f->k, err), ARK_OK);
	add(f, LATER);
	return ARK_OK;
}

static int renew(struct fixture *f, enum keyring_signing which, enum keyring_signing retire)
{
	const struct keyring_change c = {.root_path = f->root, .renew = which, .retire = retire};

	return keyring_change(f->k, &c, &f->err);
}

static void test_change__a_new_signing_key_leaves_the_earlier_ones_with_their_spans(void **state)
{
	struct keyring_signer before[KEYRING_PAST_MAX + 1], s[KEYRING_PAST_MAX + 1];
	unsigned char zeros[32] = {0}, access[32];
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(keyring_signers(f.k, SIGNING_HISTORY, before), 1);
	memcpy(access, keyring_secrets(f.k)->access_seed, 32);
	assert_int_equal(renew(&f, SIGNING_HISTORY, SIGNING_NONE), ARK_OK);
	assert_int_equal(renew(&f, SIGNING_GIT, SIGNING_NONE), ARK_OK);
	assert_int_equal(renew(&f, SIGNING_HISTORY, SIGNING_NONE), ARK_OK);
	expect_all(f.k, &f, KEYS, false);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(keyring_signers(f.k, SIGNING_HISTORY, s), 3);
		assert_memory_equal(s[2].public_key, before[0].public_key, 32);
		assert_memory_equal(s[2].seed, before[0].seed, 32);
		assert_memory_not_equal(s[0].seed, s[1].seed, 32);
		assert_true(s[0].signs && s[1].signs && s[2].signs);
		assert_true(s[2].from_us == 0 && s[2].until_us == s[1].from_us &&
			    s[1].until_us == s[0].from_us && s[0].until_us == 0);
		assert_int_equal(keyring_signers(f.k, SIGNING_GIT, s), 2);
		assert_true(s[0].signs && !s[1].signs);
		assert_memory_equal(s[1].seed, zeros, 32);
		assert_int_equal(keyring_signers(f.k, SIGNING_ACCESS, s), 1);
		assert_memory_equal(s[0].seed, access, 32);
		reopen(&f); /* from keys/secrets */
	}
	assert_int_equal(renew(&f, SIGNING_NONE, SIGNING_HISTORY), ARK_OK);
	reopen(&f);
	assert_int_equal(keyring_signers(f.k, SIGNING_HISTORY, s), 3);
	assert_true(s[0].signs && !s[1].signs && !s[2].signs);
	assert_memory_equal(s[2].seed, zeros, 32);
	assert_memory_equal(s[2].public_key, before[0].public_key, 32);
	teardown(&f);
}

static void test_change__any_flipped_bit_of_earlier_signing_keys_is_corrupt(void **state)
{
	struct buf file = BUF_INIT;
	struct fixture f;
	char path[600];

	(void)state;
	setup(&f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(renew(&f, SIGNING_ACCESS, SIGNING_NONE), ARK_OK);
	snprintf(path, sizeof(path), "%s/secrets", f.keys);
	assert_int_equal(fs_read_file(path, 1 << 20, &file, NULL), ARK_OK);
	assert_int_equal(file.len, 248 + 3 * 88);
	keyring_close(f.k);
	f.k = NULL;
	for (size_t bit = 0; bit < file.len * 8; bit += bit < 12 * 8 ? 1 : 97) {
		file.data[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(fs_replace_file(path, file.data, file.len, 0600, NULL), ARK_OK);
		assert_int_equal(
		    keyring_open_sized(f.keys, f.root, 0, SLOTS, &f.k, &f.err), ARK_ECORRUPT);
		file.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t cut = 1; cut < 3 * 88; cut += 29) {
		assert_int_equal(
		    fs_replace_file(path, file.data, file.len - cut, 0600, NULL), ARK_OK);
		assert_int_equal(
		    keyring_open_sized(f.keys, f.root, 0, SLOTS, &f.k, &f.err), ARK_ECORRUPT);
	}
	assert_int_equal(fs_replace_file(path, file.data, file.len, 0600, NULL), ARK_OK);
	reopen(&f);
	buf_free(&file);
	teardown(&f);
}

static void test_change__all_keys_are_new_and_the_listed_destroyed(void **state)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct keyring_secrets secrets;
	struct fixture f;
	char path[600];

	(void)state;
	setup(&f);
	secrets = *keyring_secrets(f.k);
	snprintf(path, sizeof(path), "%s/shard-000001", f.keys);
	assert_int_equal(fs_read_file(path, 1 << 20, &before, NULL), ARK_OK);
	if (change(&f, DOOMED, note_and_add))
		fail_msg("%s", f.err.text);
	assert_int_equal(fs_read_file(path, 1 << 20, &after, NULL), ARK_OK);
	assert_int_equal(before.len, after.len);
	for (size_t at = SHARD_HEADER_SIZE; at < before.len; at += SLOT_SIZE)
		assert_memory_not_equal(before.data + at, after.data + at, SLOT_SIZE);
	assert_int_equal(keyring_epoch(f.k), 2);
	assert_int_equal(root_epoch(&f), 2);
	expect_clean(&f);
	assert_int_equal(keyring_slots(f.k), KEYS + 2 * LATER);
	expect_all(f.k, &f, KEYS + 2 * LATER, true);
	add(&f, SLOTS);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	reopen(&f);
	assert_memory_equal(&secrets, keyring_secrets(f.k), sizeof(secrets));
	assert_int_equal(keyring_slots(f.k), KEYS + 2 * LATER + SLOTS);
	expect_all(f.k, &f, KEYS + 2 * LATER + SLOTS, true);
	/* once more, and what was destroyed stays so */
	assert_int_equal(change(&f, 0, NULL), ARK_OK);
	assert_int_equal(keyring_epoch(f.k), 3);
	expect_all(f.k, &f, KEYS + 2 * LATER + SLOTS, true);
	buf_free(&before);
	buf_free(&after);
	teardown(&f);
}

static void test_change__of_an_archive_without_slots_changes_its_root(void **state)
{
	struct fixture f;
	char shard[600];

	(void)state;
	setup(&f);
	keyring_close(f.k);
	f.k = NULL;
	for (int i = 0; i < 3; i++) {
		snprintf(shard, sizeof(shard), "%s/shard-%06d", f.keys, i);
		assert_int_equal(unlink(shard), 0);
	}
	reopen(&f);
	assert_int_equal(change(&f, 0, NULL), ARK_OK);
	add(&f, KEYS);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	reopen(&f);
	assert_int_equal(keyring_epoch(f.k), 2);
	expect_all(f.k, &f, KEYS, false);
	teardown(&f);
}

static int refuse(
    void *arg, const char *keys_dir, const char *new_root, uint32_t epoch, struct ark_error *err)
{
	struct fixture *f = arg;
	struct ark_error other;

	(void)keys_dir, (void)new_root, (void)epoch;
	/* one at a time */
	assert_int_equal(
	    keyring_change(f->k, &(struct keyring_change){.root_path = f->root}, &other),
	    ARK_ECONFLICT);
	return ark_fail(err, ARK_EIO, "the other machine is not there");
}

static void test_change__is_given_up_when_the_backups_do_not_confirm(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(change(&f, DOOMED, refuse), ARK_EIO);
	assert_string_equal(f.err.text, "the other machine is not there");
	assert_int_equal(keyring_epoch(f.k), 1);
	expect_clean(&f);
	expect_all(f.k, &f, KEYS, false);
	add(&f, LATER);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	reopen(&f);
	expect_all(f.k, &f, KEYS + LATER, false);
	teardown(&f);
}

static void test_change__refuses_a_wrong_list_another_root_and_a_damaged_slot(void **state)
{
	static const uint64_t twice[] = {3, 3}, beyond[] = {KEYS};
	struct keyring_change c = {.destroy = twice, .destroy_len = 2};
	struct fixture f;
	char other[600], shard[600];
	int fd;

	(void)state;
	setup(&f);
	c.root_path = f.root;
	assert_int_equal(keyring_change(f.k, &c, &f.err), ARK_EINPUT);
	c.destroy = beyond, c.destroy_len = 1;
	assert_int_equal(keyring_change(f.k, &c, &f.err), ARK_EINPUT);
	c.destroy_len = 0;
	snprintf(other, sizeof(other), "%s/other.key", f.dir);
	assert_int_equal(keyring_create_root(other, NULL), ARK_OK);
	c.root_path = other;
	assert_int_equal(keyring_change(f.k, &c, &f.err), ARK_EINPUT);
	assert_int_equal(unlink(other), 0);
	snprintf(shard, sizeof(shard), "%s/shard-000001", f.keys);
	fd = open(shard, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(fs_pwrite_all(fd, "x", 1, SHARD_HEADER_SIZE + 5 * SLOT_SIZE, NULL), 0);
	close(fd);
	assert_int_equal(change(&f, DOOMED, NULL), ARK_ECORRUPT);
	assert_int_equal(keyring_epoch(f.k), 1);
	expect_clean(&f);
	teardown(&f);
}

static void test_change__finds_what_the_disk_did_not_keep(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	start_steps(SPOIL, 0);
	assert_int_equal(change(&f, DOOMED, NULL), ARK_ECORRUPT);
	assert_int_equal(steps.mode, PASS);
	assert_int_equal(keyring_epoch(f.k), 1);
	expect_clean(&f);
	expect_all(f.k, &f, KEYS, false);
	teardown(&f);
}

static void test_change__goes_through_a_link_to_the_root_key(void **state)
{
	struct fixture f;
	struct stat st;
	char link[600];

	(void)state;
	setup(&f);
	snprintf(link, sizeof(link), "%s/elsewhere", f.dir);
	assert_int_equal(fs_mkdir(link, 0700, NULL), ARK_OK);
	snprintf(link, sizeof(link), "%s/elsewhere/link", f.dir);
	assert_int_equal(symlink(f.root, link), 0);
	assert_int_equal(
	    keyring_change(f.k, &(struct keyring_change){.root_path = link}, &f.err), ARK_OK);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(root_epoch(&f), 2);
	teardown(&f);
}

/* ---- a death and a failure at each step ---- */

static int no_more(
    void *arg, const char *keys_dir, const char *new_root, uint32_t epoch, struct ark_error *err)
{
	struct fixture *f = arg;

	(void)keys_dir, (void)new_root, (void)epoch;
	add(f, LATER);
	return keyring_sync(f->k, err);
}

/* False when the change came to its end before step `at`. */
static bool die_at(struct fixture *f, int at)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		start_steps(DIE_BEFORE, at);
		_exit(change(f, DOOMED, no_more) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == DIED || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == DIED;
}

static void test_change__a_death_at_any_step_leaves_keys_that_open(void **state)
{
	bool died = true, changed_before = false;
	int at = 1;

	(void)state;
	for (; died; at++) {
		struct fixture f;
		struct keyring *reader = NULL;
		bool changed;

		setup(&f);
		died = die_at(&f, at);
		/* a reader beside finds its way without touching anything */
		if (keyring_open_sized(f.keys, f.root, 0, SLOTS, &reader, &f.err))
			fail_msg("step %d, reader: %s", at, f.err.text);
		changed = keyring_epoch(reader) == 2;
		expect_all(reader, &f, KEYS, changed);
		keyring_close(reader);
		reopen(&f);
		assert_int_equal(keyring_epoch(f.k) == 2, changed);
		assert_int_equal(root_epoch(&f), changed ? 2 : 1);
		expect_clean(&f);
		expect_all(f.k, &f, keyring_slots(f.k), changed);
		assert_true(
		    changed || !changed_before); /* there is one point where it takes hold */
		changed_before = changed;
		add(&f, SLOTS);
		assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
		reopen(&f);
		expect_all(f.k, &f, keyring_slots(f.k), changed);
		teardown(&f);
	}
	assert_true(changed_before);
	assert_true(at > 25);
}

static void test_change__a_death_while_it_is_finished_is_finished_too(void **state)
{
	(void)state;
	for (int at = 26; at < 50; at += 6) {
		for (int again = 1; again < 8; again += 2) {
			struct keyring *k = NULL;
			struct fixture f;
			pid_t child;
			int status;

			setup(&f);
			(void)die_at(&f, at);
			child = fork();
			if (!child) {
				start_steps(DIE_BEFORE, again);
				_exit(
				    keyring_open_sized(f.keys, f.root, 1, SLOTS, &k, NULL) ? 1 : 0);
			}
			assert_int_equal(waitpid(child, &status, 0), child);
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
			reopen(&f);
			expect_clean(&f);
			expect_all(f.k, &f, KEYS, keyring_epoch(f.k) == 2);
			teardown(&f);
		}
	}
}

static void test_change__a_failure_at_any_step_loses_nothing(void **state)
{
	int rc = 1;

	(void)state;
	for (int at = 1; rc; at++) {
		struct fixture f;
		bool changed;

		setup(&f);
		start_steps(FAIL, at);
		rc = change(&f, DOOMED, NULL);
		start_steps(PASS, 0);
		changed = keyring_epoch(f.k) == 2;
		assert_true(rc == ARK_OK || rc == ARK_EIO);
		expect_all(f.k, &f, KEYS, changed);
		reopen(&f);
		assert_int_equal(keyring_epoch(f.k) == 2, changed);
		expect_clean(&f);
		expect_all(f.k, &f, KEYS, changed);
		teardown(&f);
	}
}

/* ---- others at work ---- */

struct work {
	struct fixture *f;
	struct keyring *k;
	_Atomic bool stop;
	_Atomic uint64_t seen;
	_Atomic bool failed;
};

static void *add_all_the_time(void *arg)
{
	struct work *w = arg;

	while (!w->stop && !w->failed) {
		uint64_t slot;
		struct seal_key key = key_number(keyring_slots(w->k));

		if (w->seen >= ADDED_MAX) { /* each shard here has eight slots: enough of them */
			usleep(1000);
			continue;
		}
		w->failed = keyring_add(w->k, &key, &slot, NULL) || slot % 5 == 0
				? keyring_sync(w->k, NULL) != ARK_OK
				: false;
		w->seen = slot + 1;
	}
	return NULL;
}

static void *open_all_the_time(void *arg)
{
	struct work *w = arg;
	uint64_t n = 0;

	while (!w->stop && !w->failed) {
		uint64_t slot = n++ % KEYS;
		struct seal_key got, want = key_number(slot);
		int rc = keyring_unwrap(w->k, w->f->receipt, slot, &got, NULL);

		w->failed = rc ? rc != ARK_EGONE || !is_doomed(slot)
			       : !bytes_equal(&got, &want, sizeof(got));
		w->seen = n;
	}
	return NULL;
}

/* A busy machine lets a thread wait for long: each works before the changes begin, and has done its part before they end. */
static void until_seen(struct work *w, uint64_t n)
{
	for (int ms = 0; ms < 60000 && !w->failed && w->seen <= n; ms++)
		usleep(1000);
}

static void test_change__others_add_and_open_meanwhile(void **state)
{
	struct fixture f;
	struct keyring *reader = NULL;
	struct work adding = {.f = &f}, opening = {.f = &f}, beside = {.f = &f};
	pthread_t thread[3];

	(void)state;
	setup(&f);
	assert_int_equal(keyring_open_sized(f.keys, f.root, 0, SLOTS, &reader, &f.err), ARK_OK);
	adding.k = opening.k = f.k;
	beside.k = reader; /* as another process would */
	assert_int_equal(pthread_create(&thread[0], NULL, add_all_the_time, &adding), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, open_all_the_time, &opening), 0);
	assert_int_equal(pthread_create(&thread[2], NULL, open_all_the_time, &beside), 0);
	until_seen(&adding, 0);
	until_seen(&opening, 0);
	until_seen(&beside, 0);
	for (unsigned int i = 0; i < 3; i++)
		if (change(&f, DOOMED, NULL))
			fail_msg("%s", f.err.text);
	until_seen(&adding, KEYS);
	until_seen(&opening, KEYS);
	until_seen(&beside, KEYS);
	adding.stop = opening.stop = beside.stop = true;
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_false(adding.failed);
	assert_false(opening.failed);
	assert_false(beside.failed);
	assert_true(adding.seen > KEYS && opening.seen > KEYS && beside.seen > KEYS);
	assert_int_equal(keyring_sync(f.k, &f.err), ARK_OK);
	reopen(&f);
	assert_int_equal(keyring_epoch(f.k), 4);
	expect_all(f.k, &f, keyring_slots(f.k), true);
	expect_all(reader, &f, KEYS, true);
	keyring_close(reader);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_change__all_keys_are_new_and_the_listed_destroyed),
	    cmocka_unit_test(test_change__of_an_archive_without_slots_changes_its_root),
	    cmocka_unit_test(test_change__is_given_up_when_the_backups_do_not_confirm),
	    cmocka_unit_test(test_change__refuses_a_wrong_list_another_root_and_a_damaged_slot),
	    cmocka_unit_test(test_change__finds_what_the_disk_did_not_keep),
	    cmocka_unit_test(test_change__goes_through_a_link_to_the_root_key),
	    cmocka_unit_test(test_change__a_death_at_any_step_leaves_keys_that_open),
	    cmocka_unit_test(test_change__a_death_while_it_is_finished_is_finished_too),
	    cmocka_unit_test(test_change__a_failure_at_any_step_loses_nothing),
	    cmocka_unit_test(test_change__others_add_and_open_meanwhile),
	    cmocka_unit_test(
		test_change__a_new_signing_key_leaves_the_earlier_ones_with_their_spans),
	    cmocka_unit_test(test_change__any_flipped_bit_of_earlier_signing_keys_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
