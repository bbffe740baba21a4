/* Helper programs of decoders: that one is run, and that it can do nothing but read its own files and print.
 *
 * This program is its own zygote, the decoder "application/x-helped", which hands its document to a helper
 * program, and that program: started as "helper" it tries what the document names and prints what the kernel
 * said.
 */
#include "tests/unit/sanitized.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "arkki/base/clock.h"
#include "arkki/index/extract.h"
#include "index/extract_child.h"
#include "index/formats/program.h"

/* ---- the program that misbehaves ---- */
static void say(const char *what, long result)
{
	printf("%s %s\n", what, result >= 0 ? "WORKED" : strerrorname_np(errno));
	fflush(stdout);
}

static void try_files(void)
{
	char path[] = "/tmp/arkki-helper-XXXXXX";

	say("own-file", open("/proc/self/fd/0", O_RDONLY));
	say("open", open("/etc/hostname", O_RDONLY));
	say("passwd", open("/etc/passwd", O_RDONLY));
	say("directory", open("/", O_RDONLY | O_DIRECTORY));
	say("path", open("/etc", O_PATH));
	say("proc", open("/proc/self/environ", O_RDONLY));
	say("memory", open("/proc/self/mem", O_RDWR));
	say("create", open("/tmp/arkki-helper", O_WRONLY | O_CREAT, 0600));
	say("temp", mkstemp(path));
	say("unlink", unlink("/etc/hostname"));
	say("mkdir", mkdir("/tmp/arkki-helper-dir", 0700));
	say("rename", rename("/tmp/a", "/tmp/b"));
	say("chmod", chmod("/tmp", 0777));
	say("readlink", readlink("/proc/self/exe", path, sizeof(path)));
	say("write-input", pwrite(0, "x", 1, 0));
	say("reopen-to-write", open("/proc/self/fd/0", O_RDWR));
	say("memfd", memfd_create("x", 0));
	for (int fd = 3; fd < 64; fd++) {
		if (fd != 3 && lseek(fd, 0, SEEK_CUR) >= 0) /* 3: own-file, above */
			say("inherited-descriptor", fd);
	}
}

static void try_others(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	char *none[] = {NULL};
	int pair[2];
	pid_t pid;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	say("socket", socket(AF_INET, SOCK_STREAM, 0));
	say("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	say("connect", connect(1, (struct sockaddr *)&to, sizeof(to)));
	pid = fork();
	if (pid == 0)
		_exit(0);
	say("fork", pid);
	say("vfork", syscall(SYS_vfork));
	say("clone3", syscall(SYS_clone3, NULL, 0));
	say("exec-other", execve("/bin/true", none, none));
	say("exec-shell", execve("/bin/sh", none, none));
	say("kill-parent", kill(getppid(), 0));
	say("tgkill-other", syscall(SYS_tgkill, 1, 1, 0));
	say("rlimit", setrlimit(RLIMIT_CPU, &(struct rlimit){99, 99}));
	say("no-new-privs", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	say("exec-memory", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
			       ? -1
			       : 0);
	say("exec-anonymous", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0) == MAP_FAILED
				  ? -1
				  : 0);
}

static void eat_memory(void)
{
	char *volatile p;
	size_t got = 0;

	while ((p = malloc(1 << 20)) && got < 8192) {
		memset(p, 1, 1 << 20);
		got++;
	}
	say("memory", p ? 0 : -1);
}

static int helper_main(void)
{
	volatile unsigned int turns = 0;
	char how[32] = "";

	if (read(0, how, sizeof(how) - 1) < 0)
		return 3;
	if (strcmp(how, "echo") == 0)
		printf("Selkeä teksti.\n");
	if (strcmp(how, "files") == 0)
		try_files();
	if (strcmp(how, "others") == 0)
		try_others();
	if (strcmp(how, "memory") == 0)
		eat_memory();
	if (strcmp(how, "ptrace") == 0)
		say("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	if (strcmp(how, "vmread") == 0)
		say("vmread", process_vm_readv(getppid(), NULL, 0, NULL, 0, 0));
	if (strcmp(how, "unshare") == 0)
		say("unshare", unshare(CLONE_NEWUSER));
	if (strcmp(how, "half") == 0) {
		printf("Alku.\n");
		fflush(stdout);
		abort();
	}
	while (strcmp(how, "flood") == 0)
		printf("tulva tulva tulva tulva tulva tulva tulva tulva\n");
	while (strcmp(how, "loop") == 0)
		turns++;
	return strcmp(how, "fail") == 0 ? 1 : 0;
}

/* ---- the decoder that wants it ---- */
static const char *const helper_args[] = {"helper", NULL};
/* this program has many libraries; its real colleagues need libc alone */
static const char *const helper_reads[] = {"/usr/lib", "/lib", NULL};
static char helper_path[512];
static const struct format_program helper = {
    .name = "helper", .path = helper_path, .args = helper_args, .reads = helper_reads};
static const struct format_program absent = {
    .name = "absent", .path = "/nonexistent/absent", .args = helper_args, .reads = helper_reads};
static const struct format_program *const programs[] = {&helper, &absent, NULL};

static enum format_outcome helped_read(const struct format_input *in, struct textsink *out)
{
	static const char *const ends[] = {"ok", "ended", "missing", "none"};
	struct buf text = BUF_INIT;
	unsigned int which = in->bytes[0] == 'A' ? 1 : in->bytes[0] == 'Z' ? 77 : 0;
	/* twice: a question does not disturb the next */
	int times = strncmp(in->bytes, "echo", 4) == 0 ? 2 : 1;
	enum program_end end = PROGRAM_NONE;

	for (int i = 0; i < times; i++)
		end = program_run(which, in->bytes, in->len, 1 << 20, &text);
	textsink_add(out, text.data ? text.data : "", text.len, true);
	textsink_gap(out, GAP_LINE);
	textsink_add(out, ends[end], strlen(ends[end]), true);
	buf_free(&text);
	return FORMAT_OK;
}

static bool helped_reads(const char *type)
{
	return strcmp(type, "application/x-helped") == 0;
}

static const struct format helped = {
    .name = "helped", .reads = helped_reads, .programs = programs, .read = helped_read};

/* ---- helpers of the tests ---- */
static struct extract_result extract(
    const struct extract_config *config, const char *type, const char *how, size_t len)
{
	struct extract_result r = {0};
	struct extract_job *job = NULL;
	struct extractor *e = NULL;
	struct ark_error err = {0};

	if (extractor_new(config, &e, &err) != ARK_OK ||
	    extract_begin(e, type, len, &job, &err) != ARK_OK ||
	    extract_feed(job, how, len, &err) != ARK_OK || extract_finish(job, &r, &err) != ARK_OK)
		fail_msg("extract: %s", err.text);
	if (!r.text.data)
		buf_adds(&r.text, "");
	extractor_free(e);
	return r;
}

static void expect(const struct extract_config *config, const char *how, const char *text)
{
	struct extract_result r = extract(config, "application/x-helped", how, strlen(how));

	assert_string_equal(r.reason, "");
	assert_string_equal(r.text.data, text);
	extract_result_free(&r);
}

static void expect_refused(const char *how, const char *const *tries)
{
	struct extract_result r = extract(NULL, "application/x-helped", how, strlen(how));
	const char *own = strstr(r.text.data, "own-file WORKED\n");

	assert_string_equal(r.reason, "");
	if (strstr(own ? own + 16 : r.text.data, "WORKED"))
		fail_msg("the sandbox leaks:\n%s", r.text.data);
	for (; *tries; tries++) {
		if (!strstr(r.text.data, *tries))
			fail_msg("\"%s\" is not in:\n%s", *tries, r.text.data);
	}
	extract_result_free(&r);
}

/* Processes called "helper" that are children, at any depth, of nobody but this test. */
static unsigned int running_helpers(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[300], target[512];
		ssize_t len;

		if (atoi(entry->d_name) <= 0 || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len > 0) {
			target[len] = '\0';
			n += strcmp(target, helper_path) == 0;
		}
	}
	closedir(dir);
	return n;
}

/* ---- tests ---- */
static void test_programs__text_comes_back_twice(void **state)
{
	(void)state;
	skip_sanitized(__func__);
	expect(NULL, "echo", "Selkeä teksti.\nSelkeä teksti.\nok");
}

static void test_programs__cannot_open_or_write_files(void **state)
{
	static const char *const tries[] = {"own-file WORKED", "open EACCES", "passwd EACCES",
	    "directory EACCES", "path EPERM", "proc EACCES", "create EPERM", "temp EPERM",
	    "unlink EPERM", "mkdir EPERM", "write-input EPERM", "reopen-to-write EPERM",
	    "memfd EPERM", NULL};

	(void)state;
	skip_sanitized(__func__);
	expect_refused("files", tries);
}

static void test_programs__cannot_reach_others(void **state)
{
	static const char *const tries[] = {"socket EPERM", "connect EPERM", "fork EPERM",
	    "exec-other EACCES", "exec-shell EACCES", "kill-parent EPERM", "tgkill-other EPERM",
	    "rlimit EPERM", "exec-memory EPERM", "exec-anonymous EPERM", NULL};

	(void)state;
	skip_sanitized(__func__);
	expect_refused("others", tries);
}

static void test_programs__cannot_eat_memory(void **state)
{
	const struct extract_config config = {.memory_limit = UINT64_C(512) << 20};

	(void)state;
	skip_sanitized(__func__);
	expect(&config, "memory", "memory ENOMEM\nok");
}

static void test_programs__attacks_kill(void **state)
{
	(void)state;
	expect(NULL, "ptrace", "ended");
	expect(NULL, "vmread", "ended");
	expect(NULL, "unshare", "ended");
}

static void test_programs__crash_keeps_what_was_printed(void **state)
{
	(void)state;
	skip_sanitized(__func__);
	expect(NULL, "half", "Alku.\nended");
	expect(NULL, "fail", "ended");
}

static void test_programs__flood_and_loop_are_bounded(void **state)
{
	const struct extract_config config = {.wall_ms = 1500, .cpu_s = 1};
	struct extract_result r = extract(&config, "application/x-helped", "flood", 5);
	int64_t began = clock_monotonic_us();

	(void)state;
	assert_true(r.text.len < (1 << 20) + 16);
	extract_result_free(&r);
	r = extract(&config, "application/x-helped", "loop", 4);
	assert_true(clock_monotonic_us() - began < 8000000);
	extract_result_free(&r);
	/* nothing outlives its decoder */
	for (int i = 0; i < 100 && running_helpers() > 0; i++)
		usleep(20000);
	assert_int_equal(running_helpers(), 0);
}

static void test_programs__absent_and_unknown_are_told(void **state)
{
	(void)state;
	expect(NULL, "Absent", "missing");
	expect(NULL, "Z: not in the table", "none");
}

/* The real ones, where they are installed: their own files are enough for them. */
static void test_programs__catdoc_runs(void **state)
{
	static const char rtf[] = "{\\rtf1\\ansi\\ansicpg1252 V\\'e4limatkan asiakirja\\par}";
	struct extract_result r;

	(void)state;
	if (access("/usr/bin/catdoc", X_OK) < 0) {
		printf("SKIP %s: catdoc is not installed\n", __func__);
		skip();
	}
	/* no compound file: goes to its own decoder, not to the program */
	r = extract(NULL, "application/msword", rtf, sizeof(rtf) - 1);
	assert_string_equal(r.text.data, "Välimatkan asiakirja");
	extract_result_free(&r);
	/* a text of a Word for DOS is what catdoc takes anything for */
	r = extract(NULL, "application/msword", "Pelkkä rivi vanhaa tekstiä.", 29);
	assert_string_equal(r.reason, "");
	assert_non_null(strstr(r.text.data, "rivi vanhaa"));
	extract_result_free(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_programs__text_comes_back_twice),
	    cmocka_unit_test(test_programs__cannot_open_or_write_files),
	    cmocka_unit_test(test_programs__cannot_reach_others),
	    cmocka_unit_test(test_programs__cannot_eat_memory),
	    cmocka_unit_test(test_programs__attacks_kill),
	    cmocka_unit_test(test_programs__crash_keeps_what_was_printed),
	    cmocka_unit_test(test_programs__flood_and_loop_are_bounded),
	    cmocka_unit_test(test_programs__absent_and_unknown_are_told),
	    cmocka_unit_test(test_programs__catdoc_runs),
	};

	if (strcmp(argv[0], "helper") == 0)
		return helper_main();
	if (readlink("/proc/self/exe", helper_path, sizeof(helper_path) - 1) < 0)
		return 1;
	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_run(argc, argv, &helped);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
