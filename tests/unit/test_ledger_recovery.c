/* What a log does after a crash, with damage, and when a disk fails. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "archive/ledger_segment.h"
#include "arkki/archive/ledger.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

#define ORIGIN "arkki.example/test/history"
#define DOC "00112233445566778899aabbccddeeff"

/* ---- failing and dying syncs: these stand in for libc's ---- */
static atomic_int syncs_left = -1; /* < 0: none fails */
static atomic_bool die_instead;

static int sync_or_fail(long call, int fd)
{
	if (atomic_load(&syncs_left) >= 0 && atomic_fetch_sub(&syncs_left, 1) <= 0) {
		if (atomic_load(&die_instead))
			_exit(42);
		atomic_store(&syncs_left, 0);
		errno = EIO;
		return -1;
	}
	return (int)syscall(call, fd);
}

int fdatasync(int fd)
{
	return sync_or_fail(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return sync_or_fail(SYS_fsync, fd);
}

struct fixture {
	char dir[256], log[300], keys_dir[300], root[300];
	struct keyring *keys;
	struct ledger *l;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	unit_scratch(f->dir);
	snprintf(f->keys_dir, sizeof(f->keys_dir), "%s/keys", f->dir);
	snprintf(f->root, sizeof(f->root), "%s/root", f->dir);
	snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	assert_int_equal(keyring_create_root(f->root, NULL), 0);
	assert_int_equal(keyring_create(f->keys_dir, f->root, NULL), 0);
	assert_int_equal(keyring_open(f->keys_dir, f->root, 1, &f->keys, NULL), 0);
	assert_int_equal(
	    ledger_create(f->log, ORIGIN, keyring_secrets(f->keys)->history_seed, NULL), 0);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	atomic_store(&syncs_left, -1);
	ledger_close(f->l);
	keyring_close(f->keys);
	unit_scratch_end(f->dir);
	free(f);
	return 0;
}

static int try_open(struct fixture *f, bool for_writing, struct ark_error *err)
{
	f->l = NULL;
	return ledger_open(f->log, ORIGIN, LEDGER_HISTORY, f->keys, for_writing, &f->l, err);
}

static void open_log(struct fixture *f)
{
	struct ark_error err = {0};

	if (try_open(f, true, &err))
		fail_msg("%s", err.text);
}

static void close_log(struct fixture *f)
{
	ledger_close(f->l);
	f->l = NULL;
}

static int append_n(struct fixture *f, size_t n, const char *purpose)
{
	struct ledger_record r[8];

	for (size_t i = 0; i < n; i++)
		r[i] = (struct ledger_record){
		    .kind = "filing", .document = DOC, .principal = "maija", .purpose = purpose};
	return ledger_append_wait(f->l, r, n, NULL, NULL);
}

static void print_fault(void *arg, const char *what)
{
	(void)arg;
	printf("fault: %s\n", what);
}

static void keep_fault(void *arg, const char *what)
{
	if (!*(char *)arg)
		snprintf(arg, 512, "%s", what);
}

/* A copy of the log as it is now: what a power cut would leave, at best. */
static void copy_log(struct fixture *f, const char *from, const char *to)
{
	char cmd[1400];

	snprintf(cmd, sizeof(cmd), "rm -rf %s/%s && cp -a %s/%s %s/%s", f->dir, to, f->dir, from,
	    f->dir, to);
	assert_int_equal(system(cmd), 0);
}

struct segment_bytes {
	char path[400];
	struct buf b;
	size_t frame[64]; /* offsets */
	size_t frames;
	size_t end;
};

static void load_segment(struct fixture *f, struct segment_bytes *s)
{
	struct frame fr;

	*s = (struct segment_bytes){0};
	snprintf(s->path, sizeof(s->path), "%s/segments/00000000.seg", f->log);
	assert_int_equal(fs_read_file(s->path, 64 << 20, &s->b, NULL), 0);
	s->end = SEGMENT_HEADER;
	while (frame_parse((unsigned char *)s->b.data + s->end, s->b.len - s->end, &fr) == 1) {
		s->frame[s->frames++] = s->end;
		s->end += fr.len;
	}
}

static void store_segment(struct segment_bytes *s)
{
	int fd = open(s->path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, s->b.data, s->b.len, NULL), 0);
	close(fd);
}

/* Without the follow-up that a crash would have prevented: index and checkpoint stay behind. */
static void crash_after(struct fixture *f, size_t published, size_t appends, size_t each)
{
	open_log(f);
	for (size_t i = 0; i < published; i++)
		assert_int_equal(append_n(f, 1, "before"), 0);
	close_log(f);
	copy_log(f, "log", "saved");
	open_log(f);
	for (size_t i = 0; i < appends; i++)
		assert_int_equal(append_n(f, each, "after"), 0);
	close_log(f);
	/* segments of now, everything else of before */
	{
		char cmd[1400];

		snprintf(cmd, sizeof(cmd),
		    "cd %s && rm -rf saved/segments && mv log/segments saved/ && rm -rf log && mv "
		    "saved log",
		    f->dir);
		assert_int_equal(system(cmd), 0);
	}
}

static void test_ledger_recovery__entries_beyond_the_checkpoint_come_back(void **state)
{
	struct fixture *f = *state;
	struct ledger_entry e;

	crash_after(f, 3, 4, 2);
	open_log(f);
	assert_int_equal(ledger_size(f->l), 11);
	assert_int_equal(ledger_publish(f->l, 11, NULL), 0);
	assert_int_equal(ledger_get(f->l, 10, &e, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(e.a, "documentSequence")), 11);
	ledger_entry_free(&e);
	assert_int_equal(append_n(f, 1, "x"), 0);
	assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
}

/* Every length at which the last write can tear. */
static void test_ledger_recovery__a_tail_torn_anywhere_is_cut_to_whole_appends(void **state)
{
	struct fixture *f = *state;
	struct segment_bytes s;
	size_t step = 41, first;

	crash_after(f, 2, 2, 3); /* 2 single ones, then two appends of three */
	load_segment(f, &s);
	assert_int_equal(s.frames, 8);
	copy_log(f, "log", "whole");
	first = s.frame[5];
	for (size_t cut = first; cut < s.end; cut += step) {
		struct segment_bytes t;
		unsigned char last = 0xff;

		copy_log(f, "whole", "log");
		load_segment(f, &t);
		memset(t.b.data + cut, 0, t.end - cut);
		store_segment(&t);
		buf_free(&t.b);
		open_log(f);
		assert_int_equal(ledger_size(f->l), 5);
		close_log(f);
		load_segment(f, &t);
		assert_int_equal(t.frames, 5);
		for (size_t i = t.end; i < t.b.len && last; i++)
			last = t.b.data[i] == 0;
		assert_int_equal(last, 1); /* what was torn is gone from the disk */
		buf_free(&t.b);
	}
	copy_log(f, "whole", "log");
	open_log(f);
	assert_int_equal(ledger_size(f->l), 8);
	buf_free(&s.b);
}

/* Pages of one write reach the disk in any order. */
static void test_ledger_recovery__a_hole_in_the_last_write_is_torn_not_damaged(void **state)
{
	struct fixture *f = *state;
	struct segment_bytes s;

	crash_after(f, 2, 1, 4);
	load_segment(f, &s);
	memset(s.b.data + s.frame[3] + 20, 0, 40);
	store_segment(&s);
	open_log(f);
	assert_int_equal(ledger_size(f->l), 2);
	assert_int_equal(append_n(f, 1, "again"), 0);
	assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
	buf_free(&s.b);
}

static void test_ledger_recovery__damage_before_later_writes_is_refused_and_named(void **state)
{
	struct fixture *f = *state;
	struct segment_bytes s;
	char want[64];

	crash_after(f, 1, 5, 1);
	load_segment(f, &s);
	for (size_t byte = 0; byte < s.frame[4] - s.frame[3]; byte += 11) {
		struct ark_error err = {0};

		s.b.data[s.frame[3] + byte] ^= 0x10;
		store_segment(&s);
		assert_int_equal(try_open(f, true, &err), ARK_ECORRUPT);
		snprintf(want, sizeof(want), "00000000.seg is damaged at offset %zu", s.frame[3]);
		assert_non_null(strstr(err.text, want));
		s.b.data[s.frame[3] + byte] ^= 0x10;
	}
	store_segment(&s);
	open_log(f);
	assert_int_equal(ledger_size(f->l), 6);
	buf_free(&s.b);
}

static void test_ledger_recovery__a_log_behind_its_checkpoint_is_refused(void **state)
{
	struct fixture *f = *state;
	struct segment_bytes s;
	struct ark_error err = {0};

	open_log(f);
	for (int i = 0; i < 4; i++)
		assert_int_equal(append_n(f, 1, "x"), 0);
	close_log(f);
	load_segment(f, &s);
	memset(s.b.data + s.frame[3], 0, s.end - s.frame[3]);
	store_segment(&s);
	assert_int_equal(try_open(f, true, &err), ARK_ECORRUPT);
	assert_non_null(strstr(err.text, "behind its own checkpoint"));
	assert_non_null(strstr(err.text, "refusing to sign"));
	buf_free(&s.b);
}

static void test_ledger_recovery__an_index_that_knows_more_than_the_segments_is_refused(
    void **state)
{
	struct fixture *f = *state;
	struct segment_bytes s;
	struct ark_error err = {0};
	char path[400], cmd[1400];

	crash_after(f, 2, 2, 1);
	open_log(f);
	close_log(f);
	/* the checkpoint of two entries, the index of four, a segment of three */
	copy_log(f, "log", "late");
	load_segment(f, &s);
	memset(s.b.data + s.frame[3], 0, s.end - s.frame[3]);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", f->log);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(
	    ledger_create(f->log, ORIGIN, keyring_secrets(f->keys)->history_seed, NULL), 0);
	snprintf(cmd, sizeof(cmd), "cp -a %s/late/index.sqlite %s/late/segments %s/", f->dir,
	    f->dir, f->log);
	assert_int_equal(system(cmd), 0);
	store_segment(&s);
	assert_int_equal(try_open(f, true, &err), ARK_ECORRUPT);
	assert_non_null(strstr(err.text, "index.sqlite knows 4 entries"));
	snprintf(path, sizeof(path), "%s/index.sqlite", f->log);
	assert_int_equal(unlink(path), 0);
	open_log(f);
	assert_int_equal(ledger_size(f->l), 3);
	buf_free(&s.b);
}

static void test_ledger_recovery__a_changed_tile_or_checkpoint_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ark_error err = {0};
	struct buf b = BUF_INIT;
	char path[400];

	open_log(f);
	for (int i = 0; i < 4; i++)
		assert_int_equal(append_n(f, 1, "x"), 0);
	close_log(f);
	snprintf(path, sizeof(path), "%s/checkpoint", f->log);
	assert_int_equal(fs_read_file(path, 10000, &b, NULL), 0);
	b.data[strlen(ORIGIN) + 1] = '3';
	assert_int_equal(fs_replace_file(path, b.data, b.len, 0600, NULL), 0);
	assert_int_equal(try_open(f, true, &err), ARK_ECORRUPT);
	assert_int_equal(try_open(f, false, &err), ARK_ECORRUPT);
	buf_free(&b);
}

/* A record swapped for another one that is sealed well: only the tree can tell. */
static void test_ledger_recovery__a_rewritten_history_is_found_by_root_and_check(void **state)
{
	struct fixture *f = *state;
	struct ark_error err = {0};
	char cmd[1400], what[512] = "";

	open_log(f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(append_n(f, 1, "true"), 0);
	close_log(f);
	copy_log(f, "log", "genuine");
	snprintf(cmd, sizeof(cmd), "rm -rf %s", f->log);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(
	    ledger_create(f->log, ORIGIN, keyring_secrets(f->keys)->history_seed, NULL), 0);
	open_log(f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(append_n(f, 1, "false"), 0);
	close_log(f);
	snprintf(cmd, sizeof(cmd), "cp %s/genuine/checkpoint %s/checkpoint", f->dir, f->log);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(try_open(f, true, &err), ARK_ECORRUPT);
	assert_non_null(strstr(err.text, "does not match its own checkpoint"));
	assert_int_equal(try_open(f, false, &err), 0);
	assert_int_equal(ledger_check(f->l, false, keep_fault, what, NULL), ARK_ECORRUPT);
	assert_non_null(strstr(what, "is not that of its checkpoint"));
}

static void test_ledger_recovery__check_names_a_damaged_record(void **state)
{
	struct fixture *f = *state;
	struct segment_bytes s;
	char what[512] = "";

	open_log(f);
	for (int i = 0; i < 4; i++)
		assert_int_equal(append_n(f, 1, "x"), 0);
	assert_int_equal(ledger_publish(f->l, 4, NULL), 0);
	load_segment(f, &s);
	s.b.data[s.frame[2] + 100] ^= 1;
	store_segment(&s);
	assert_int_equal(ledger_check(f->l, false, keep_fault, what, NULL), 0);
	assert_int_equal(ledger_check(f->l, true, keep_fault, what, NULL), ARK_ECORRUPT);
	assert_non_null(strstr(what, "entry 2 "));
	s.b.data[s.frame[2] + 100] ^= 1;
	store_segment(&s);
	buf_free(&s.b);
}

static void test_ledger_recovery__a_failed_sync_stops_the_log_for_good(void **state)
{
	struct fixture *f = *state;
	struct ledger_record r = {.kind = "filing"};
	struct ark_error err = {0};

	open_log(f);
	assert_int_equal(append_n(f, 1, "x"), 0);
	assert_int_equal(ledger_publish(f->l, 1, NULL), 0);
	atomic_store(&syncs_left, 0);
	assert_int_equal(append_n(f, 1, "lost"), ARK_EIO);
	atomic_store(&syncs_left, -1); /* the disk is well again; the log is not */
	assert_int_equal(ledger_append_wait(f->l, &r, 1, NULL, &err), ARK_EIO);
	assert_non_null(strstr(err.text, "has stopped"));
	assert_int_equal(ledger_publish(f->l, 1, NULL), 0);
	assert_int_equal(ledger_size(f->l), 1);
	close_log(f);
	open_log(f);
	assert_true(ledger_size(f->l) >= 1);
	assert_int_equal(append_n(f, 1, "y"), 0);
	assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
}

/* The n-th sync fails, for every n until none does: nothing acknowledged is ever missing. */
static void test_ledger_recovery__whichever_sync_fails_nothing_acknowledged_is_lost(void **state)
{
	struct fixture *f = *state;
	uint64_t acknowledged = 0;
	int n = 0;
	bool failed = true;

	for (; failed && n < 200; n++) {
		failed = false;
		atomic_store(&syncs_left, n);
		if (try_open(f, true, NULL)) {
			failed = true;
		} else {
			for (int i = 0; i < 3; i++) {
				if (append_n(f, 2, "x"))
					failed = true;
				else
					acknowledged += 2;
				if (ledger_publish(f->l, ledger_size(f->l), NULL))
					failed = true;
			}
			close_log(f);
		}
		atomic_store(&syncs_left, -1);
		open_log(f);
		assert_true(ledger_size(f->l) >= acknowledged);
		acknowledged = ledger_size(f->l);
		assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
		close_log(f);
	}
	printf("ledger: %d failing syncs survived\n", n - 1);
	assert_true(n > 10 && n < 200);
}

/* The same, but the process dies there. */
static void test_ledger_recovery__dying_at_any_sync_loses_nothing_acknowledged(void **state)
{
	struct fixture *f = *state;
	uint64_t acknowledged = 0;
	int status = 0, n = 0;

	keyring_close(f->keys);
	f->keys = NULL;
	for (; n < 200; n++) {
		int fds[2];
		char one;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			atomic_store(&die_instead, true);
			if (keyring_open(f->keys_dir, f->root, 1, &f->keys, NULL))
				_exit(1);
			atomic_store(&syncs_left, n);
			if (try_open(f, true, NULL))
				_exit(2);
			for (int i = 0; i < 4; i++) {
				if (append_n(f, 2, "x") || write(fds[1], "2", 1) != 1 ||
				    (i & 1 && ledger_publish(f->l, ledger_size(f->l), NULL)))
					_exit(3);
			}
			ledger_close(f->l);
			_exit(0);
		}
		close(fds[1]);
		while (read(fds[0], &one, 1) == 1)
			acknowledged += 2;
		close(fds[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(
		    WIFEXITED(status) && (WEXITSTATUS(status) == 42 || WEXITSTATUS(status) == 0));
		assert_int_equal(keyring_open(f->keys_dir, f->root, 1, &f->keys, NULL), 0);
		open_log(f);
		assert_true(ledger_size(f->l) >= acknowledged);
		assert_int_equal(ledger_size(f->l) % 2, 0);
		acknowledged = ledger_size(f->l);
		assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
		close_log(f);
		keyring_close(f->keys);
		f->keys = NULL;
		if (WEXITSTATUS(status) == 0)
			break;
	}
	printf("ledger: died at %d syncs and came back\n", n);
	assert_true(n > 10 && n < 200);
	assert_int_equal(keyring_open(f->keys_dir, f->root, 1, &f->keys, NULL), 0);
}

static void test_ledger_recovery__a_torn_header_of_an_unused_segment_is_no_damage(void **state)
{
	struct fixture *f = *state;
	char path[400];
	int fd;

	open_log(f);
	assert_int_equal(append_n(f, 1, "x"), 0);
	close_log(f);
	snprintf(path, sizeof(path), "%s/segments/00000001.seg", f->log);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "ARKKISEG garbage", 16), 16);
	close(fd);
	open_log(f);
	assert_int_equal(ledger_size(f->l), 1);
	close_log(f);
	/* the same bytes with something behind them could have been a segment */
	fd = open(path, O_WRONLY, 0600);
	assert_int_equal(pwrite(fd, "x", 1, 5000), 1);
	close(fd);
	assert_int_equal(try_open(f, true, NULL), ARK_ECORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_ledger_recovery__##name, begin, end)
	    T(entries_beyond_the_checkpoint_come_back),
	    T(a_tail_torn_anywhere_is_cut_to_whole_appends),
	    T(a_hole_in_the_last_write_is_torn_not_damaged),
	    T(damage_before_later_writes_is_refused_and_named),
	    T(a_log_behind_its_checkpoint_is_refused),
	    T(an_index_that_knows_more_than_the_segments_is_refused),
	    T(a_changed_tile_or_checkpoint_is_refused),
	    T(a_rewritten_history_is_found_by_root_and_check),
	    T(check_names_a_damaged_record),
	    T(a_failed_sync_stops_the_log_for_good),
	    T(whichever_sync_fails_nothing_acknowledged_is_lost),
	    T(dying_at_any_sync_loses_nothing_acknowledged),
	    T(a_torn_header_of_an_unused_segment_is_no_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
