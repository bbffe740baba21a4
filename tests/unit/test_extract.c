/* Extraction as such: that nothing gets out of its sandbox, that no decoder lasts, and what the zygote survives.
 * This program is its own zygote, with one decoder more: escape_decoder.h. */
#include "tests/unit/extract_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "tests/unit/escape_decoder.h"
#include "tests/unit/sanitized.h"

/* ---- helpers ---- */
static void expect_refused(const char *how, const char *const *tries)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, "application/x-escape", how, strlen(how));

	assert_string_equal(r.reason, "");
	if (strstr(r.text.data, "WORKED"))
		fail_msg("the sandbox leaks:\n%s", r.text.data);
	for (; *tries; tries++) {
		if (!strstr(r.text.data, *tries))
			fail_msg("\"%s\" is not in:\n%s", *tries, r.text.data);
	}
	extract_result_free(&r);
	extractor_free(e);
}

/* The process whose parent this one is, or 0; fails on a second. */
static pid_t only_child(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct buf b = BUF_INIT;
		char path[300];
		int parent = 0;
		char *p;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		if (atoi(entry->d_name) > 0 && fs_read_file(path, 4096, &b, NULL) == ARK_OK &&
		    b.data && (p = strrchr(b.data, ')')) && sscanf(p, ") %*c %d", &parent) == 1 &&
		    parent == getpid()) {
			assert_int_equal(found, 0);
			found = (pid_t)atoi(entry->d_name);
		}
		buf_free(&b);
	}
	closedir(dir);
	return found;
}

static int open_descriptors(pid_t pid)
{
	char path[64];
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2 - (pid == getpid());
}

/* ---- the sandbox ---- */
static void test_sandbox__files_do_not_open(void **state)
{
	static const char *const tries[] = {"\nsyscall-open EPERM", "\nopenat EPERM",
	    "\nopenat2 EPERM", "\nproc EPERM", "\nproc-fd EPERM", "\ncreate EPERM", "\nstat EPERM",
	    "\nreadlink EPERM", "\nmkdir EPERM", "\nunlink EPERM", "\nmemfd EPERM",
	    "\nwrite-input EPERM", "\nmap-input EPERM", "open EPERM", NULL};

	(void)state;
	expect_refused("files", tries);
	assert_int_not_equal(access("/tmp/arkki-escape", F_OK), 0);
}

static void test_sandbox__network_does_not_connect(void **state)
{
	static const char *const tries[] = {"socket EPERM", "socket-unix EPERM", "socketpair EPERM",
	    "connect EPERM", "sendto EPERM", "pipe EPERM", NULL};

	(void)state;
	expect_refused("network", tries);
}

static void test_sandbox__processes_do_not_start_and_are_not_signalled(void **state)
{
	static const char *const tries[] = {"\nvfork EPERM", "\nclone EPERM", "\nclone3 EPERM",
	    "\nthread EPERM", "\nkill-parent EPERM", "\ntgkill-other EPERM", "\nprctl EPERM",
	    "\nfcntl-setown EPERM", "\nrlimit EPERM", "\nexec-memory EPERM", "fork EPERM", NULL};

	(void)state;
	expect_refused("processes", tries);
}

static void test_sandbox__execve_ptrace_and_foreign_memory_kill(void **state)
{
	static const char *const how[] = {"execve", "ptrace", "vmread"};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		expect_none(NULL, "application/x-escape", how[i],
		    "the decoder tried what it may not and was stopped");
}

static void test_sandbox__memory_is_bounded(void **state)
{
	static const char *const tries[] = {"memory ENOMEM", NULL};

	(void)state;
	skip_sanitized(__func__);
	expect_refused("memory", tries);
}

static void test_extractor__names_its_sandbox(void **state)
{
	struct extractor *e = start(NULL);

	(void)state;
	assert_non_null(strstr(extractor_sandbox(e), "seccomp"));
	extractor_free(e);
}

/* ---- decoders that fail ---- */
static void test_finish__endless_loop_ends_at_the_deadline(void **state)
{
	const struct extract_config config = {.wall_ms = 300};
	int64_t before = clock_monotonic_us();

	(void)state;
	expect_none(&config, "application/x-escape", "loop", "took longer than 300 ms");
	assert_true(clock_monotonic_us() - before < 3000000);
}

static void test_finish__processor_time_is_bounded(void **state)
{
	const struct extract_config config = {.wall_ms = 20000, .cpu_s = 1};

	(void)state;
	expect_none(
	    &config, "application/x-escape", "loop", "took more than 1 s of processor time");
}

static void test_finish__crash_is_a_reason(void **state)
{
	(void)state;
	skip_sanitized(__func__);
	expect_none(NULL, "application/x-escape", "segv", "the decoder crashed (signal 11)");
	expect_none(NULL, "application/x-escape", "abort", "the decoder crashed (signal 6)");
	expect_none(NULL, "application/x-escape", "exit",
	    "the decoder gave up, as when 1024 MiB of memory are not enough (exit 0)");
}

static void expect_part(const struct extract_config *config, const char *how, const char *reason)
{
	struct extractor *e = start(config);
	struct extract_result r = extract(e, "application/x-escape", how, strlen(how));

	assert_string_equal(r.reason, reason);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.text.data, "ensin ty\xc3\xb6\f\fliite.txt\n\nsitten");
	assert_int_equal(r.pages, 3);
	assert_int_equal(r.bare_pages_len, 1);
	assert_int_equal(r.bare_pages[0], 2);
	extract_result_free(&r);
	extractor_free(e);
}

static void test_finish__what_came_before_a_crash_or_deadline_is_kept(void **state)
{
	const struct extract_config hurry = {.wall_ms = 500};

	(void)state;
	expect_part(&hurry, "part loop", "only a part was read: took longer than 500 ms");
	skip_sanitized(__func__);
	expect_part(NULL, "part segv", "only a part was read: the decoder crashed (signal 11)");
	expect_part(NULL, "part exit",
	    "only a part was read: the decoder gave up, as when 1024 MiB of memory are not "
	    "enough (exit 0)");
}

static void test_finish__a_part_is_not_kept_after_an_attack_or_without_a_letter(void **state)
{
	(void)state;
	expect_none(NULL, "application/x-escape", "part execve",
	    "the decoder tried what it may not and was stopped");
	expect_none(
	    NULL, "application/x-escape", "part garbage", "the decoder gave what is not text");
	expect_none(
	    NULL, "application/x-escape", "part bad-utf8", "the decoder gave what is not text");
	skip_sanitized(__func__);
	expect_none(NULL, "application/x-escape", "blank segv", "the decoder crashed (signal 11)");
}

static void test_finish__what_is_not_text_is_not_taken(void **state)
{
	static const char *const how[] = {"garbage", "bad-utf8", "control"};
	const struct extract_config config = {.text_limit = 1 << 20};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		expect_none(
		    &config, "application/x-escape", how[i], "the decoder gave what is not text");
	expect_none(&config, "application/x-escape", "flood", "the decoder gave what is not text");
}

static void test_finish__text_over_the_limit_is_cut_and_said(void **state)
{
	const struct extract_config config = {.text_limit = 1 << 20};
	struct extractor *e = start(&config);
	size_t len = 3 << 20;
	struct extract_result r;
	char *bytes = malloc(len);

	(void)state;
	memset(bytes, 'a', len);
	r = extract(e, "text/plain", bytes, len);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_int_equal(r.text.len, 1 << 20);
	assert_string_equal(r.reason, "only the first 1 MiB of its text");
	extract_result_free(&r);
	extractor_free(e);
	free(bytes);
}

static void test_feed__more_or_fewer_bytes_than_announced(void **state)
{
	const struct extract_config config = {.input_limit = 1000};
	struct extractor *e = start(&config);
	char reason[EXTRACT_REASON_SIZE];
	struct extract_job *job;
	struct extract_result r;

	(void)state;
	assert_int_equal(extract_begin(e, "text/plain", 1001, &job, NULL), ARK_EINPUT);
	assert_int_equal(extract_begin(e, "text/plain", 4, &job, NULL), ARK_OK);
	assert_int_equal(extract_feed(job, "abc", 3, NULL), ARK_OK);
	assert_int_equal(extract_feed(job, "de", 2, NULL), ARK_EINPUT);
	assert_int_equal(extract_finish(job, &r, NULL), ARK_EINPUT);
	assert_int_equal(extract_begin(e, "text/plain", 4, &job, NULL), ARK_OK);
	extract_abort(job);
	assert_true(extract_reads(e, "text/HTML; charset=utf-8", 1000, reason));
	assert_false(extract_reads(e, "text/html", 1001, reason));
	assert_false(extract_reads(e, "font/ttf", 10, reason));
	assert_string_equal(reason, "not a format arkki reads (font/ttf)");
	r = extract(e, "font/ttf", "x", 1);
	assert_string_equal(r.reason, reason);
	extract_result_free(&r);
	r = extract(e, "text/plain", "", 0);
	assert_string_equal(r.reason, "the file is empty");
	extract_result_free(&r);
	extractor_free(e);
}

/* ---- the zygote ---- */
static void test_zygote__killed_between_jobs_is_started_again(void **state)
{
	struct extractor *e = start(NULL);
	pid_t zygote = only_child();
	struct extract_result r;

	(void)state;
	assert_true(zygote > 0);
	kill(zygote, SIGKILL);
	r = extract(e, "text/plain", "still", 5);
	assert_string_equal(r.text.data, "still");
	extract_result_free(&r);
	extractor_free(e);
	assert_int_equal(only_child(), 0);
}

static void *kill_soon(void *arg)
{
	const pid_t *zygote = arg;

	usleep(200000);
	kill(*zygote, SIGKILL);
	return NULL;
}

static void test_zygote__killed_at_work_is_tried_once_more(void **state)
{
	const struct extract_config config = {.wall_ms = 600};
	struct extractor *e = start(&config);
	pid_t zygote = only_child();
	struct extract_result r;
	pthread_t thread;

	(void)state;
	assert_true(zygote > 0);
	assert_int_equal(pthread_create(&thread, NULL, kill_soon, &zygote), 0);
	r = extract(e, "application/x-escape", "loop", 4);
	pthread_join(thread, NULL);
	assert_string_equal(r.reason, "took longer than 600 ms");
	extract_result_free(&r);
	extractor_free(e);
}

static void test_zygote__holds_no_descriptor_of_the_parent(void **state)
{
	int leaky = open("/dev/zero", O_RDONLY), before = open_descriptors(getpid());
	struct extractor *e = start(NULL);
	struct extract_result r;

	(void)state;
	assert_true(leaky >= 0);
	assert_int_equal(open_descriptors(only_child()), 4);
	for (int i = 0; i < 20; i++) {
		r = extract(e, "text/plain", "x", 1);
		extract_result_free(&r);
	}
	assert_int_equal(open_descriptors(only_child()), 4);
	extractor_free(e);
	assert_int_equal(open_descriptors(getpid()), before);
	close(leaky);
}

static void test_zygote__ends_when_its_parent_is_killed(void **state)
{
	int ends[2], alive = 1;
	pid_t zygote = 0, parent;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		struct extractor *e = start(NULL);

		zygote = only_child();
		if (write(ends[1], &zygote, sizeof(zygote)) == sizeof(zygote))
			pause();
		extractor_free(e);
		_exit(0);
	}
	assert_int_equal(read(ends[0], &zygote, sizeof(zygote)), sizeof(zygote));
	assert_true(zygote > 0);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	for (int i = 0; i < 200 && alive; i++) {
		char path[64];
		struct buf b = {.limit = 4096};

		usleep(10000);
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)zygote);
		alive = fs_read_file(path, 4096, &b, NULL) == ARK_OK && !strstr(b.data, ") Z");
		buf_free(&b);
	}
	assert_false(alive);
	close(ends[0]);
	close(ends[1]);
}

static void *extract_many(void *arg)
{
	struct extractor *e = start(NULL);

	for (int i = 0; i < 30; i++) {
		char text[32];
		struct extract_result r;

		snprintf(text, sizeof(text), "thread %p %d", arg, i);
		r = extract(e, "text/plain", text, strlen(text));
		assert_string_equal(r.text.data, text);
		extract_result_free(&r);
	}
	extractor_free(e);
	return NULL;
}

static void test_extractor__several_threads_have_one_each(void **state)
{
	pthread_t threads[3];
	int names[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, extract_many, &names[i]), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sandbox__files_do_not_open),
	    cmocka_unit_test(test_sandbox__network_does_not_connect),
	    cmocka_unit_test(test_sandbox__processes_do_not_start_and_are_not_signalled),
	    cmocka_unit_test(test_sandbox__execve_ptrace_and_foreign_memory_kill),
	    cmocka_unit_test(test_sandbox__memory_is_bounded),
	    cmocka_unit_test(test_extractor__names_its_sandbox),
	    cmocka_unit_test(test_finish__endless_loop_ends_at_the_deadline),
	    cmocka_unit_test(test_finish__processor_time_is_bounded),
	    cmocka_unit_test(test_finish__crash_is_a_reason),
	    cmocka_unit_test(test_finish__what_came_before_a_crash_or_deadline_is_kept),
	    cmocka_unit_test(test_finish__a_part_is_not_kept_after_an_attack_or_without_a_letter),
	    cmocka_unit_test(test_finish__what_is_not_text_is_not_taken),
	    cmocka_unit_test(test_finish__text_over_the_limit_is_cut_and_said),
	    cmocka_unit_test(test_feed__more_or_fewer_bytes_than_announced),
	    cmocka_unit_test(test_zygote__killed_between_jobs_is_started_again),
	    cmocka_unit_test(test_zygote__killed_at_work_is_tried_once_more),
	    cmocka_unit_test(test_zygote__holds_no_descriptor_of_the_parent),
	    cmocka_unit_test(test_zygote__ends_when_its_parent_is_killed),
	    cmocka_unit_test(test_extractor__several_threads_have_one_each),
	};

	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_run(argc, argv, &escape);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
