/* A commit that dies, or whose storage fails, at each durable step.
 *
 * fdatasync, fsync and rename are ours here: they note their order, fail, or end the process. */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum mode { PASS, DIE_BEFORE, FAIL };

static struct {
	enum mode mode;
	int at, count;
	char order[32]; /* d fdatasync, D fsync, r rename */
} steps;

static int step(char kind)
{
	if (steps.count < (int)sizeof(steps.order) - 1)
		steps.order[steps.count] = kind;
	if (++steps.count == steps.at && steps.mode == DIE_BEFORE)
		_exit(42);
	if (steps.count == steps.at && steps.mode == FAIL) {
		errno = EIO;
		return -1;
	}
	return 0;
}

int fdatasync(int fd)
{
	return step('d') ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return step('D') ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	return step('r') ? -1 : (int)syscall(SYS_rename, from, to);
}

static void start_steps(enum mode mode, int at)
{
	memset(&steps, 0, sizeof(steps));
	steps.mode = mode;
	steps.at = at;
}

static void test_store_crash__a_commit_is_five_syncs_in_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "a", "1", "");
	start_steps(PASS, 0);
	fixture_commit_one(&f, "b", "2", "");
	/* pack, idx, both renames, their directory; lock, rename, refs/heads */
	assert_string_equal(steps.order, "ddrrDdrD");
	fixture_end(&f);
}

static int entries(const struct fixture *f, const char *below, const char *like)
{
	char cmd[500];
	FILE *p;
	int n = -1;

	snprintf(cmd, sizeof(cmd), "find '%s/%s' -name '%s' | wc -l", f->dir, below, like);
	p = popen(cmd, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

/* The store after a crash: old or new, whole, and usable. */
static void check_recovered(struct fixture *f, int at, bool first)
{
	struct store_head head;
	struct store_reader *r = NULL;
	unsigned int faults = 0;

	start_steps(PASS, 0);
	fixture_open(f);
	assert_int_equal(entries(f, "objects/pack", "*tmp*"), 0);
	assert_int_equal(entries(f, "refs", "*.lock"), 0);
	store_head(f->store, &head);
	assert_int_equal(head.sequence, (first ? 0 : 1) + (at > 7 ? 1 : 0));
	OK(store_check(f->store, fixture_count_fault, &faults, NULL, err));
	fixture_commit_one(f, at > 7 ? "again" : "new/path", "2", "");
	OK(store_reader_open(f->store, &r, err));
	fixture_expect(r, NULL, "new/path", "2", 1);
	store_reader_close(r);
	fixture_fsck(f);
}

static void test_store_crash__dying_at_each_step_leaves_the_old_or_the_new_head(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		for (int at = 1; at <= 9; at++) {
			struct fixture f;
			int status;
			pid_t pid;

			start_steps(PASS, 0);
			fixture_start(&f);
			if (!first)
				fixture_commit_one(&f, "old", "1", "");
			fflush(stdout);
			pid = fork();
			assert_true(pid >= 0);
			if (pid == 0) {
				start_steps(DIE_BEFORE, at);
				fixture_commit_one(&f, "new/path", "2", "");
				_exit(0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(WEXITSTATUS(status), at <= 8 ? 42 : 0);
			/* whatever lies there, stock git can work on it before we do */
			assert_int_equal(entries(&f, "objects/pack", "tmp*.idx"), 0);
			free(fixture_git(&f, NULL, "repack -q --geometric=2 -d"));
			store_close(f.store);
			check_recovered(&f, at, first);
			fixture_end(&f);
		}
	}
}

static void test_store_crash__a_failing_step_does_not_move_the_head(void **state)
{
	(void)state;
	for (int at = 1; at <= 8; at++) {
		struct fixture f;
		struct store_txn *t = NULL;
		struct store_head head;
		int rc;

		start_steps(PASS, 0);
		fixture_start(&f);
		fixture_commit_one(&f, "old", "1", "");
		OK(store_begin(f.store, &t, err));
		OK(store_put(t, "new/path", "2", 1, NULL, err));
		start_steps(FAIL, at);
		assert_int_equal(store_commit(t, "", FIXTURE_TIME, &head, NULL), ARK_EIO);
		start_steps(PASS, 0);
		store_head(f.store, &head);
		assert_int_equal(head.sequence, 1);
		assert_int_equal(entries(&f, "objects/pack", "*tmp*"), 0);
		assert_int_equal(entries(&f, "objects/pack", "*.pack"), at == 8 ? 2 : 1);
		/* after a failed sync nothing is known of the disk: no transaction begins */
		rc = store_begin(f.store, &t, NULL);
		assert_int_equal(rc, strchr("347", '0' + at) ? ARK_OK : ARK_EIO);
		if (rc == ARK_OK)
			store_abort(t);
		store_close(f.store);
		check_recovered(&f, at, false);
		fixture_end(&f);
	}
}

static void test_store_crash__a_moved_ref_or_a_foreign_lock_stops_the_commit(void **state)
{
	struct fixture f;
	struct store_txn *t = NULL;
	char path[400];
	int fd;

	(void)state;
	start_steps(PASS, 0);
	fixture_start(&f);
	fixture_commit_one(&f, "a", "1", "");
	fixture_commit_one(&f, "b", "1", "");
	OK(store_begin(f.store, &t, err));
	free(fixture_git(&f, NULL, "update-ref refs/heads/main main~1"));
	assert_int_equal(store_commit(t, "", FIXTURE_TIME, NULL, NULL), ARK_ECONFLICT);
	assert_int_equal(store_packs(f.store), 2);
	free(fixture_git(&f, NULL, "update-ref refs/heads/main '%s'", "main"));
	store_close(f.store);
	fixture_open(&f);
	snprintf(path, sizeof(path), "%s/refs/heads/main.lock", f.dir);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	OK(store_begin(f.store, &t, err));
	assert_int_equal(store_commit(t, "", FIXTURE_TIME, NULL, NULL), ARK_EIO);
	assert_int_equal(access(path, F_OK), 0); /* not ours to remove while we run */
	fixture_end(&f);
}

static void lose_newest_pack(const struct fixture *f, const char *order)
{
	char cmd[700];

	snprintf(cmd, sizeof(cmd), "cd '%s/objects/pack' && rm -f $(ls -t%s *.pack | head -n 1)",
	    f->dir, order);
	assert_int_equal(system(cmd), 0);
}

static void test_store_crash__an_index_without_its_pack_goes_when_nothing_needs_it(void **state)
{
	struct fixture f;
	unsigned int faults = 0;

	(void)state;
	start_steps(PASS, 0);
	fixture_start(&f);
	/* times of files go by the clock's tick, and lose_newest_pack() goes by them */
	fixture_commit_one(&f, "a", "1", "");
	usleep(30000);
	fixture_commit_one(&f, "b", "1", "");
	usleep(30000);
	fixture_commit_one(&f, "c", "1", "");
	/* a group of which the power cut left an index and no ref */
	free(fixture_git(&f, NULL, "update-ref refs/heads/main main~1"));
	store_close(f.store);
	lose_newest_pack(&f, "");
	fixture_open(&f);
	assert_int_equal(entries(&f, "objects/pack", "*.idx"), 2);
	assert_int_equal(store_check(f.store, fixture_count_fault, &faults, NULL, NULL), ARK_OK);
	/* the first commit's is damage, and stays to be named */
	store_close(f.store);
	lose_newest_pack(&f, "r");
	fixture_open(&f);
	assert_int_equal(entries(&f, "objects/pack", "*.idx"), 2);
	assert_int_equal(
	    store_check(f.store, fixture_count_fault, &faults, NULL, NULL), ARK_ECORRUPT);
	assert_true(faults > 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_store_crash__a_commit_is_five_syncs_in_order),
	    cmocka_unit_test(test_store_crash__dying_at_each_step_leaves_the_old_or_the_new_head),
	    cmocka_unit_test(test_store_crash__a_failing_step_does_not_move_the_head),
	    cmocka_unit_test(test_store_crash__a_moved_ref_or_a_foreign_lock_stops_the_commit),
	    cmocka_unit_test(
		test_store_crash__an_index_without_its_pack_goes_when_nothing_needs_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
