/* Extraction: what comes out of each format, and that nothing else gets out.
 *
 * This program is its own zygote, with one decoder more: "application/x-escape" tries to break out
 * in the way its document names, and writes down what the kernel said.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
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
#include <sys/un.h>
#include <sys/wait.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"
#include "arkki/index/extract.h"
#include "index/extract_child.h"

/* ---- the decoder that misbehaves ---- */
static void say(struct textsink *out, const char *what, long result)
{
	char line[96];

	snprintf(
	    line, sizeof(line), "%s %s\n", what, result >= 0 ? "WORKED" : strerrorname_np(errno));
	textsink_add(out, line, strlen(line), true);
}

static void try_files(struct textsink *out)
{
	struct stat st;

	say(out, "open", open("/etc/hostname", O_RDONLY));
	say(out, "syscall-open", syscall(SYS_open, "/etc/hostname", O_RDONLY));
	say(out, "openat", openat(AT_FDCWD, ".", O_RDONLY));
	say(out, "openat2", syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0));
	say(out, "proc", open("/proc/self/mem", O_RDWR));
	say(out, "proc-fd", open("/proc/self/fd/3", O_RDWR));
	say(out, "create", open("/tmp/arkki-escape", O_WRONLY | O_CREAT, 0600));
	say(out, "stat", stat("/etc/hostname", &st));
	say(out, "readlink", readlink("/proc/self/exe", (char *)&st, sizeof(st)));
	say(out, "mkdir", mkdir("/tmp/arkki-escape-dir", 0700));
	say(out, "unlink", unlink("/tmp/arkki-escape"));
	say(out, "memfd", memfd_create("x", 0));
	say(out, "write-input", pwrite(3, "x", 1, 0));
	say(out, "map-input",
	    mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, 3, 0) == MAP_FAILED ? -1 : 0);
	for (int fd = 5; fd < 1024; fd++) {
		if (write(fd, "", 0) == 0 || lseek(fd, 0, SEEK_CUR) >= 0)
			say(out, "inherited-descriptor", fd);
	}
}

static void try_network(struct textsink *out)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	int pair[2];

	say(out, "socket", socket(AF_INET, SOCK_STREAM, 0));
	say(out, "socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	say(out, "socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	say(out, "connect", connect(4, (struct sockaddr *)&to, sizeof(to)));
	say(out, "sendto", sendto(4, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	say(out, "pipe", pipe(pair));
}

static int child_of_clone(void *arg)
{
	(void)arg;
	_exit(0);
}

static void *thread_body(void *arg)
{
	return arg;
}

static void try_processes(struct textsink *out)
{
	static char stack[16384];
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	say(out, "fork", pid);
	say(out, "vfork", syscall(SYS_vfork));
	say(out, "clone", clone(child_of_clone, stack + sizeof(stack), SIGCHLD, NULL));
	say(out, "clone3", syscall(SYS_clone3, NULL, 0));
	errno = pthread_create(&thread, NULL, thread_body, NULL);
	say(out, "thread", errno ? -1 : 0);
	say(out, "kill-parent", kill(getppid(), 0));
	say(out, "tgkill-other", syscall(SYS_tgkill, 1, 1, 0));
	say(out, "prctl", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	say(out, "fcntl-setown", fcntl(4, F_SETOWN, 1));
	say(out, "rlimit", setrlimit(RLIMIT_CPU, &(struct rlimit){99, 99}));
	say(out, "exec-memory",
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0) == MAP_FAILED
		? -1
		: 0);
}

static void eat_memory(struct textsink *out)
{
	char *volatile p; /* so that the compiler does not see through it */
	size_t got = 0;

	while ((p = malloc(1 << 20)) && got < 8192) {
		memset(p, 1, 1 << 20);
		got++;
	}
	say(out, "memory", p ? 0 : -1);
}

static void flood(void)
{
	unsigned char head[5] = {'T', 0, 0, 0xff, 0xff};
	static char bytes[0xffff];

	memset(bytes, 'a', sizeof(bytes));
	while (write(4, head, 5) == 5 && write(4, bytes, sizeof(bytes)) > 0)
		continue;
}

static void write_raw(const char *bytes, size_t len)
{
	if (write(4, bytes, len) != (ssize_t)len)
		_exit(1);
}

static void escape_member(void *arg, const char *bytes, size_t len)
{
	textsink_add(arg, bytes, len, true);
}

static void attack(const char *how, struct textsink *out)
{
	char *none[] = {NULL};

	if (strcmp(how, "execve") == 0)
		say(out, "execve", execve("/bin/true", none, none));
	if (strcmp(how, "ptrace") == 0)
		say(out, "ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	if (strcmp(how, "vmread") == 0)
		say(out, "vmread", process_vm_readv(getppid(), NULL, 0, NULL, 0, 0));
	if (strcmp(how, "segv") == 0)
		raise(SIGSEGV);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "exit") == 0)
		_exit(0);
	if (strcmp(how, "flood") == 0)
		flood();
	if (strcmp(how, "garbage") == 0)
		write_raw("\xff\xff\xff\xff\xff\xff", 6);
	if (strcmp(how, "bad-utf8") == 0)
		write_raw("T\0\0\0\2\xc3\x28", 7);
	if (strcmp(how, "control") == 0)
		write_raw("T\0\0\0\2\x1b[", 7);
}

/* Two pages, one of them bare, and on the third, in an attachment of an attachment, what `how` says. */
static void begin_well(struct textsink *out)
{
	struct textsink *inner = malloc(sizeof(*inner));

	textsink_page(out);
	textsink_add(out, "ensin ty\xc3\xb6", 10, false);
	textsink_page(out);
	out->bare(out->arg, 2);
	textsink_page(out);
	if (!inner)
		return;
	textsink_init(inner, 1000, escape_member, out);
	inner->outer = out;
	format_member(inner, "liite.txt", "text/plain", "sitten", 6);
	free(inner);
}

static enum format_outcome escape_read(const struct format_input *in, struct textsink *out)
{
	volatile unsigned int turns = 0;
	char how[32] = "";

	memcpy(how, in->bytes, in->len < 31 ? in->len : 31);
	if (strncmp(how, "part ", 5) == 0) {
		begin_well(out);
		memmove(how, how + 5, sizeof(how) - 5);
	}
	if (strcmp(how, "blank segv") == 0) {
		textsink_page(out);
		out->bare(out->arg, 1);
		textsink_page(out);
		raise(SIGSEGV);
	}
	if (strcmp(how, "files") == 0)
		try_files(out);
	if (strcmp(how, "network") == 0)
		try_network(out);
	if (strcmp(how, "processes") == 0)
		try_processes(out);
	if (strcmp(how, "memory") == 0)
		eat_memory(out);
	attack(how, out);
	while (strcmp(how, "loop") == 0)
		turns++;
	return FORMAT_OK;
}

static bool escape_reads(const char *type)
{
	return strcmp(type, "application/x-escape") == 0;
}

static const struct format escape = {.name = "escape", .reads = escape_reads, .read = escape_read};

/* ---- helpers ---- */
/* A sanitizer's runtime needs unbounded address space and catches crashes itself. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void skip_sanitized(const char *test)
{
	if (SANITIZED) {
		printf("SKIP %s: not with a sanitizer\n", test);
		skip();
	}
}

static struct extractor *start(const struct extract_config *config)
{
	struct extractor *e = NULL;
	struct ark_error err = {0};

	if (extractor_new(config, &e, &err) != ARK_OK)
		fail_msg("no extractor: %s", err.text);
	return e;
}

/* Feeds in uneven pieces. Text is "" rather than NULL. */
static struct extract_result extract(
    struct extractor *e, const char *type, const void *bytes, size_t len)
{
	struct extract_result r = {0};
	struct extract_job *job = NULL;
	struct ark_error err = {0};

	if (extract_begin(e, type, len, &job, &err) != ARK_OK)
		fail_msg("begin: %s", err.text);
	for (size_t at = 0; at < len;) {
		size_t n = len - at < 60001 ? len - at : 60001;

		assert_int_equal(extract_feed(job, (const char *)bytes + at, n, &err), ARK_OK);
		at += n;
	}
	if (extract_finish(job, &r, &err) != ARK_OK)
		fail_msg("finish: %s", err.text);
	if (!r.text.data)
		buf_adds(&r.text, "");
	return r;
}

static void expect_text(const char *type, const void *bytes, size_t len, const char *text)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, type, bytes, len);

	assert_string_equal(r.reason, "");
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.text.data, text);
	extract_result_free(&r);
	extractor_free(e);
}

static void expect_none(
    const struct extract_config *config, const char *type, const void *bytes, const char *reason)
{
	struct extractor *e = start(config);
	struct extract_result r = extract(e, type, bytes, strlen(bytes));

	assert_string_equal(r.reason, reason);
	assert_int_equal(r.outcome, EXTRACT_NONE);
	assert_int_equal(r.text.len, 0);
	extract_result_free(&r);
	/* the extractor is as good as before */
	r = extract(e, "text/plain", "after", 5);
	assert_string_equal(r.text.data, "after");
	extract_result_free(&r);
	extractor_free(e);
}

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

/* ---- plain text ---- */
static void test_plain__encodings_become_utf8(void **state)
{
	static const char utf16[] = "\xff\xfe\xe4\0i\0t\0i\0\x3d\xd8\0\xde";

	(void)state;
	expect_text("text/plain", "\xef\xbb\xbf\xc3\xa4iti", 8, "äiti");
	expect_text("text/plain", "\xe4iti \x96 \x80", 8, "äiti – €");
	expect_text("text/plain", utf16, sizeof(utf16) - 1, "äiti\xf0\x9f\x98\x80");
	expect_text("text/plain", "k\0o\0i\0v\0u\0l\0a\0", 14, "koivula");
	expect_text("text/plain; charset=iso-8859-15", "\xa4", 1, "€");
	expect_text("text/plain; charset=windows-1251", "\xc0", 1, "А");
	expect_text("text/plain; charset=iso-8859-1", "\xc3\xa4", 2, "ä");
}

static void test_plain__white_space_and_controls_take_one_form(void **state)
{
	static const char in[] = "\r\n  a \t b\xc2\xa0"
				 "c\r\nd\0\x1b[\r\n\r\n \r\n\r\ne\rf\fg\xc2\xad"
				 "h\n\n";

	(void)state;
	expect_text("text/markdown", in, sizeof(in) - 1, "a b c\nd[\n\ne\nf\n\ngh");
	expect_none(NULL, "text/plain", " \n\t ", "no text in it");
	expect_none(NULL, "text/troff", ".TH x", "not a format arkki reads (text/troff)");
}

/* ---- HTML ---- */
static void test_html__blocks_entities_and_unseen_parts(void **state)
{
	static const char page[] =
	    "<html><head><title>Tarkastus &amp; ohjaus</title><style>p{}</style>"
	    "<script>var x='<p>no</p>';</script></head><body><h1>Otsikko</h1><p>Yksi <b>sa</b>na"
	    "<br>rivi&nbsp;kaksi &euro; &#228;</p><ul><li>a<li>b</ul>"
	    "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"
	    "<img src=x alt='kuva'><pre>x\n y</pre></body>";
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, "text/html", page, sizeof(page) - 1);

	(void)state;
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.title, "Tarkastus & ohjaus");
	assert_string_equal(r.text.data, "Tarkastus & ohjaus\n\nOtsikko\n\nYksi sana\nrivi kaksi € "
					 "ä\n\na\nb\n\n1 2\n3\n\nkuva\n\nx\ny");
	extract_result_free(&r);
	extractor_free(e);
}

static void test_html__encoding_by_declaration_or_by_look(void **state)
{
	static const char meta[] = "<meta charset=\"iso-8859-15\"><p>\xa4";

	(void)state;
	expect_text("text/html", "<p>\xc3\xa4iti", 8, "äiti");
	expect_text("text/html", "<p>\xe4iti", 7, "äiti");
	expect_text("text/html", meta, sizeof(meta) - 1, "€");
	expect_text("text/html; charset=\"windows-1251\"", "<p>\xc0", 4, "А");
}

static void test_html__deep_nesting_is_survived(void **state)
{
	struct extractor *e = start(NULL);
	struct buf b = BUF_INIT;
	struct extract_result r;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_adds(&b, "<div><b>");
	buf_adds(&b, "pohja");
	r = extract(e, "text/html", b.data, b.len);
	/* whichever way: an answer */
	assert_true(r.outcome == EXTRACT_NONE || strstr(r.text.data, "pohja"));
	extract_result_free(&r);
	buf_free(&b);
	extractor_free(e);
}

/* ---- XML ---- */
static void test_xml__lines_paragraphs_and_inline_parts(void **state)
{
	static const char doc[] =
	    "<?xml version='1.0' encoding='iso-8859-1'?><d xmlns:t='x'><t:title>P\xe4\xe4t\xf6s"
	    "</t:title><nro>1</nro><nro>2</nro><p>sa<i>na</i>\n jatkuu &lt;<![CDATA[&]]></p>"
	    "<p>toinen</p></d>";

	(void)state;
	expect_text(
	    "application/xml", doc, sizeof(doc) - 1, "Päätös\n\n1\n2\n\nsana jatkuu <&\n\ntoinen");
}

static void test_xml__entities_of_its_own_are_refused(void **state)
{
	static const char reason[] = "XML that declares its own entities is not read";

	(void)state;
	expect_none(NULL, "text/xml",
	    "<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><d>&b;</d>", reason);
	expect_none(NULL, "text/xml",
	    "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><d>&x;</d>", reason);
	expect_none(NULL, "image/svg+xml",
	    "<!DOCTYPE d [<!ENTITY % x SYSTEM 'http://127.0.0.1/'>%x;]><d>a</d>", reason);
	expect_text("text/xml", "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><d>a</d>", 48, "a");
}

static void test_xml__malformed_gives_what_can_be_read(void **state)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, "text/xml", "<d><p>alku</p><p>lop", 20);

	(void)state;
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_non_null(strstr(r.text.data, "alku"));
	assert_non_null(strstr(r.reason, "malformed XML"));
	extract_result_free(&r);
	extractor_free(e);
	expect_none(NULL, "text/xml", "<<<>>>", "malformed XML");
}

/* ---- PDF ---- */
/* Pages in Helvetica 12, which is not embedded. A line "|n" moves n points further down. */
static void make_pdf(struct buf *out, const char *const *pages, size_t n)
{
	buf_addf(out,
	    "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica"
	    "/Encoding/WinAnsiEncoding>>endobj\n"
	    "2 0 obj<</Type/Pages/Count %zu/Kids[",
	    n);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%zu 0 R ", 10 + 2 * i);
	buf_adds(out, "]>>endobj\n");
	for (size_t i = 0; i < n; i++) {
		struct buf s = BUF_INIT;

		buf_adds(&s, "BT /F 12 Tf 72 720 Td 14 TL\n");
		for (const char *p = pages[i]; *p; p += strcspn(p, "\n"), p += *p == '\n') {
			int len = (int)strcspn(p, "\n");

			if (*p == '|')
				buf_addf(&s, "0 -%.*s Td\n", len - 1, p + 1);
			else
				buf_addf(&s, "(%.*s) Tj T*\n", len, p);
		}
		buf_adds(&s, "ET");
		buf_addf(out,
		    "%zu 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %zu 0 R"
		    "/Resources<</Font<</F 3 0 R>>>>>>endobj\n"
		    "%zu 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n",
		    10 + 2 * i, 11 + 2 * i, 11 + 2 * i, s.len, s.data);
		buf_free(&s);
	}
	buf_adds(out, "trailer<</Root 1 0 R/Info<</Title(Tarkastuskertomus)>>>>\n%%EOF\n");
}

static void test_pdf__lines_paragraphs_hyphens_and_pages(void **state)
{
	static const char first[] =
	    "Sijaishuolto\\055\npaikan tarkas-\ntus tehtiin Etel\\344-\n"
	    "Suomessa sosiaali-\nja linja-\nautoasemalla 2020-\n2021.\n|20\n"
	    "Toinen kappale\njatkuu.";
	const char *const pages[] = {first, "", "Kolmas sivu"};
	struct extractor *e = start(NULL);
	struct buf pdf = BUF_INIT;
	struct extract_result r;

	(void)state;
	make_pdf(&pdf, pages, 3);
	r = extract(e, "application/pdf", pdf.data, pdf.len);
	assert_string_equal(r.reason, "");
	assert_string_equal(r.text.data,
	    "Sijaishuoltopaikan tarkastus tehtiin Etelä-Suomessa sosiaali-\nja linja-autoasemalla "
	    "2020-2021.\n\nToinen kappale\njatkuu.\f\fKolmas sivu");
	assert_int_equal(r.pages, 3);
	assert_string_equal(r.title, "Tarkastuskertomus");
	extract_result_free(&r);
	buf_free(&pdf);
	extractor_free(e);
}

/* Rows two lines apart: where poppler joins the cells. */
static void test_pdf__table_cells_and_form_answers(void **state)
{
	static const char stream[] =
	    "BT /F 10 Tf 1 0 0 1 72 700 Tm (Koivula yksi) Tj 1 0 0 1 152 700 Tm (7) Tj "
	    "1 0 0 1 72 676 Tm (Lehtola muu) Tj 1 0 0 1 152 676 Tm (12) Tj "
	    "1 0 0 1 72 652 Tm (Harjula koti) Tj 1 0 0 1 152 652 Tm (3) Tj ET";
	struct extractor *e = start(NULL);
	struct buf pdf = BUF_INIT;
	struct extract_result r;

	(void)state;
	buf_addf(&pdf,
	    "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>endobj\n"
	    "2 0 obj<</Type/Pages/Count 1/Kids[4 0 R]>>endobj\n"
	    "3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
	    "4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Annots[6 0 R "
	    "7 0 R]/Resources<</Font<</F 3 0 R>>>>>>endobj\n"
	    "5 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
	    "6 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(nimi)/V(vastaus)/Rect[72 500 200 520]"
	    ">>endobj\n"
	    "7 0 obj<</Type/Annot/Subtype/Text/Contents(huomautus)/Rect[72 400 90 420]>>endobj\n"
	    "trailer<</Root 1 0 R>>\n",
	    sizeof(stream) - 1, stream);
	r = extract(e, "application/pdf", pdf.data, pdf.len);
	assert_string_equal(r.reason, "");
	assert_string_equal(
	    r.text.data, "Koivula yksi 7\nLehtola muu 12\nHarjula koti 3\n\nvastaus\nhuomautus");
	extract_result_free(&r);
	buf_free(&pdf);
	extractor_free(e);
}

/* A font that is not embedded: which character a code is stands in two files of poppler-data, none of which opens
 * in the sandbox. */
static void test_pdf__cjk_fonts_that_are_not_embedded_have_their_tables(void **state)
{
	static const char stream[] = "BT /F 12 Tf 72 700 Td <8AC48DB8> Tj ET";
	struct buf pdf = BUF_INIT;
	struct extract_result r;
	struct extractor *e;

	(void)state;
	if (access("/usr/share/poppler/cMap/Adobe-Japan1/90ms-RKSJ-H", R_OK) != 0)
		skip();
	e = start(NULL);
	buf_addf(&pdf,
	    "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "2 0 obj<</Type/Pages/Count 1/Kids[4 0 R]>>endobj\n"
	    "3 0 obj<</Type/Font/Subtype/Type0/BaseFont/Ryumin-Light/Encoding/90ms-RKSJ-H"
	    "/DescendantFonts[6 0 R]>>endobj\n"
	    "4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R"
	    "/Resources<</Font<</F 3 0 R>>>>>>endobj\n"
	    "5 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
	    "6 0 obj<</Type/Font/Subtype/CIDFontType0/BaseFont/Ryumin-Light/CIDSystemInfo"
	    "<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>/FontDescriptor 7 0 R>>endobj\n"
	    "7 0 obj<</Type/FontDescriptor/FontName/Ryumin-Light/Flags 4/FontBBox[0 0 1000 1000]"
	    "/ItalicAngle 0/Ascent 800/Descent -200/StemV 80>>endobj\n"
	    "trailer<</Root 1 0 R>>\n",
	    sizeof(stream) - 1, stream);
	r = extract(e, "application/pdf", pdf.data, pdf.len);
	assert_string_equal(r.text.data, "監査");
	extract_result_free(&r);
	buf_free(&pdf);
	extractor_free(e);
}

static void test_pdf__empty_pages_and_damage_are_reasons(void **state)
{
	static const char *const empty[] = {"", ""};
	struct buf pdf = BUF_INIT;

	(void)state;
	make_pdf(&pdf, empty, 2);
	expect_none(NULL, "application/pdf", pdf.data, "the PDF's pages are empty");
	expect_none(
	    NULL, "application/pdf", "%PDF-1.4 nothing", "the PDF is damaged beyond reading");
	buf_free(&pdf);
}

/* ---- the corpus ---- */
static size_t count_words(const char *text)
{
	size_t n = 0;

	for (bool in = false; *text; text++) {
		bool space = *text == ' ' || *text == '\n' || *text == '\f';

		n += !space && !in;
		in = !space;
	}
	return n;
}

struct tally {
	size_t files, ready, none, crashed, late, less, baseline, words;
	int64_t slowest_us;
};

static void one_file(
    struct extractor *e, const char *type, const char *path, size_t baseline, struct tally *t)
{
	struct buf bytes = {.limit = 64 << 20};
	int64_t before = clock_monotonic_us(), took;
	struct extract_result r;
	size_t words;

	assert_int_equal(fs_read_file(path, 64 << 20, &bytes, NULL), ARK_OK);
	r = extract(e, type, bytes.data ? bytes.data : "", bytes.len);
	took = clock_monotonic_us() - before;
	words = count_words(r.text.data);
	t->files++;
	t->ready += r.outcome == EXTRACT_READY;
	t->none += r.outcome == EXTRACT_NONE;
	t->crashed += strncmp(r.reason, "the decoder", 11) == 0;
	t->late += strncmp(r.reason, "took", 4) == 0;
	/* joined words make fewer; a fifth fewer is something else */
	t->less += words + words / 4 + 2 < baseline;
	t->baseline += baseline;
	t->words += words;
	t->slowest_us = took > t->slowest_us ? took : t->slowest_us;
	if (getenv("ARKKI_VERBOSE"))
		printf("%s\t%zu\t%zu\t%lld us\t%s\n", path, baseline, words, (long long)took,
		    r.reason);
	assert_true(utf8_valid(r.text.data, r.text.len));
	extract_result_free(&r);
	buf_free(&bytes);
}

/* Every file of a MANIFEST.jsonl whose name ends so; its "shared/" is the folder itself. */
static struct tally whole_folder(
    const char *folder, const char *ending, const char *type, size_t limit, const char *test)
{
	const struct extract_config config = {.wall_ms = 10000};
	char manifest[512], path[1024], line[65536];
	struct extractor *e = start(&config);
	struct tally t = {0};
	FILE *f;

	unit_corpus(manifest, folder, test);
	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", manifest);
	f = fopen(path, "r");
	assert_non_null(f);
	while (t.files < limit && fgets(line, sizeof(line), f)) {
		json_t *entry = json_loads(line, 0, NULL), *base;
		const char *name = json_string_value(json_object_get(entry, "file"));
		size_t len = name ? strlen(name) : 0, n = strlen(ending);

		base = json_object_get(entry, "baseline_pdftotext");
		if (len > n + 7 && strcmp(name + len - n, ending) == 0) {
			snprintf(path, sizeof(path), "%s/%s", manifest, name + 7);
			one_file(e, type, path,
			    (size_t)json_integer_value(json_object_get(base, "words")), &t);
		}
		json_decref(entry);
	}
	fclose(f);
	extractor_free(e);
	printf(
	    "%s: %zu files, %zu with text, %zu without, %zu crashed, %zu late, %zu clearly under "
	    "the baseline; %zu words (baseline %zu); slowest %lld ms\n",
	    folder, t.files, t.ready, t.none, t.crashed, t.late, t.less, t.words, t.baseline,
	    (long long)t.slowest_us / 1000);
	return t;
}

static void test_corpus__odd_and_damaged_pdfs(void **state)
{
	static const char *const folders[] = {"pdfjs-pdfs", "format-corpus-sample"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tally t =
		    whole_folder(folders[i], ".pdf", "application/pdf", 1000, __func__);

		assert_true(t.files > 50);
		assert_true(t.less * 25 <= t.files);
		assert_true(t.words * 10 >= t.baseline * 9);
	}
}

static void test_corpus__finlex_xml(void **state)
{
	char folder[512], path[1024], text[1024];
	static const char *const parts[] = {"court-fi", "court-sv", "statute-fi", "statute-sv"};
	struct extractor *e = NULL;
	struct tally t = {0};

	(void)state;
	unit_corpus(folder, "finlex-domain", __func__);
	e = start(NULL);
	for (size_t i = 0; i < 4; i++) {
		struct dirent *entry;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			size_t len = strlen(entry->d_name);
			struct buf plain = BUF_INIT;

			if (len < 4 || strcmp(entry->d_name + len - 4, ".xml") != 0)
				continue;
			snprintf(path, sizeof(path), "%s/%s/%s", folder, parts[i], entry->d_name);
			snprintf(text, sizeof(text), "%.*s.txt", (int)strlen(path) - 4, path);
			if (fs_read_file(text, 16 << 20, &plain, NULL) != ARK_OK)
				continue;
			one_file(e, "text/xml", path, count_words(plain.data), &t);
			buf_free(&plain);
		}
		if (dir)
			closedir(dir);
	}
	extractor_free(e);
	printf("finlex-domain: %zu XML files, %zu words (theirs %zu), slowest %lld ms\n", t.files,
	    t.words, t.baseline, (long long)t.slowest_us / 1000);
	assert_int_equal(t.ready, t.files);
	assert_int_equal(t.less, 0);
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
	    cmocka_unit_test(test_plain__encodings_become_utf8),
	    cmocka_unit_test(test_plain__white_space_and_controls_take_one_form),
	    cmocka_unit_test(test_html__blocks_entities_and_unseen_parts),
	    cmocka_unit_test(test_html__encoding_by_declaration_or_by_look),
	    cmocka_unit_test(test_html__deep_nesting_is_survived),
	    cmocka_unit_test(test_xml__lines_paragraphs_and_inline_parts),
	    cmocka_unit_test(test_xml__entities_of_its_own_are_refused),
	    cmocka_unit_test(test_xml__malformed_gives_what_can_be_read),
	    cmocka_unit_test(test_pdf__lines_paragraphs_hyphens_and_pages),
	    cmocka_unit_test(test_pdf__table_cells_and_form_answers),
	    cmocka_unit_test(test_pdf__cjk_fonts_that_are_not_embedded_have_their_tables),
	    cmocka_unit_test(test_pdf__empty_pages_and_damage_are_reasons),
	    cmocka_unit_test(test_corpus__odd_and_damaged_pdfs),
	    cmocka_unit_test(test_corpus__finlex_xml),
	};

	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_run(argc, argv, &escape);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
