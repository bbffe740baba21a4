/* Preloaded into the server by the crash tests: says in which order it makes
 * things durable and answers, and breaks it at a step that the test chooses.
 *
 *   ARKKI_TRACE   file that gets a line for each step: number, thread, operation,
 *                 ok|failed, path, detail, separated by tabs
 *   ARKKI_UNDER   only files below this directory are steps (sockets always are in the trace)
 *   ARKKI_ARM     steps are counted from 1 once this file exists; without it, from the start
 *   ARKKI_COUNT   pattern of "operation path" (fnmatch, extended) that counts; all of files when unset
 *   ARKKI_SKIP    such a pattern: left undone, unrecorded, called a success
 *   ARKKI_KILL_AT number of the step at which the process dies; ARKKI_KILL_WHEN before (default)
 *                 or after it
 *   ARKKI_FAIL_AT number of the step that fails with EIO
 *
 * What makes something durable is recorded when it has returned, all else before
 * it begins: a trace never shows a sync earlier or an answer later than it was.
 * It calls the kernel directly, so that it never meets itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SHOWN = 40 }; /* bytes of an answer */

struct step {
	const char *op, *path, *detail;
	unsigned long number; /* 0: does not count */
};

/* Set once by the constructor, before the program has threads. */
static struct {
	int trace;
	const char *under, *arm, *count, *skip;
	unsigned long kill_at, fail_at;
	bool kill_after;
} conf = {.trace = -1};

static atomic_bool armed;
static atomic_ulong steps;

static unsigned long number_of(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void read_conf(void)
{
	const char *trace = getenv("ARKKI_TRACE"), *when = getenv("ARKKI_KILL_WHEN");

	conf.under = getenv("ARKKI_UNDER");
	conf.arm = getenv("ARKKI_ARM");
	conf.count = getenv("ARKKI_COUNT");
	conf.skip = getenv("ARKKI_SKIP");
	conf.kill_at = number_of("ARKKI_KILL_AT");
	conf.fail_at = number_of("ARKKI_FAIL_AT");
	conf.kill_after = when && strcmp(when, "after") == 0;
	atomic_store(&armed, !conf.arm);
	if (trace)
		conf.trace = (int)syscall(
		    SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	unsetenv("LD_PRELOAD"); /* children are no part of the test */
}

/* ---- what is a step ---- */

static bool is_armed(void)
{
	if (!atomic_load(&armed) && syscall(SYS_faccessat, AT_FDCWD, conf.arm, F_OK) == 0)
		atomic_store(&armed, true);
	return atomic_load(&armed);
}

static bool matches(const char *pattern, const char *op, const char *path)
{
	char text[PATH_MAX + 32];

	snprintf(text, sizeof(text), "%s %s", op, path);
	return fnmatch(pattern, text, FNM_EXTMATCH) == 0;
}

static bool is_under(const char *path)
{
	size_t n = conf.under ? strlen(conf.under) : 0;

	return n && strncmp(path, conf.under, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* The path of a descriptor; false when it is neither a socket nor below the directory. */
static bool path_of(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
	if (n < 0)
		return false;
	out[n] = '\0';
	return strncmp(out, "socket:", 7) == 0 || is_under(out);
}

static bool skipped(const char *op, const char *path)
{
	return conf.skip && matches(conf.skip, op, path);
}

/* A counted step's number; 0 for what does not count. */
static unsigned long number_step(const struct step *s)
{
	if (strncmp(s->path, "socket:", 7) == 0 || !is_armed() ||
	    (conf.count && !matches(conf.count, s->op, s->path)))
		return 0;
	return atomic_fetch_add(&steps, 1) + 1;
}

/* ---- the step ---- */

static void record(const struct step *s, bool ok)
{
	char line[3 * PATH_MAX];
	int n;

	if (conf.trace < 0)
		return;
	n = snprintf(line, sizeof(line), "%lu\t%ld\t%s\t%s\t%s\t%s\n", s->number,
	    syscall(SYS_gettid), s->op, ok ? "ok" : "failed", s->path, s->detail);
	syscall(SYS_write, conf.trace, line, (size_t)n);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Gives a step its number. False: it must fail, and errno says how. */
static bool begin(struct step *s)
{
	s->number = number_step(s);
	if (s->number && s->number == conf.kill_at && !conf.kill_after)
		die();
	if (s->number && s->number == conf.fail_at) {
		record(s, false);
		errno = EIO;
		return false;
	}
	return true;
}

static void end(const struct step *s)
{
	if (s->number && s->number == conf.kill_at && conf.kill_after)
		die();
}

/* ---- making durable ---- */

static int sync_with(const char *op, long call, int fd)
{
	char path[PATH_MAX];
	struct step s = {op, path, "", 0};
	int rc;

	if (!path_of(fd, path))
		return (int)syscall(call, fd);
	if (skipped(op, path))
		return 0;
	if (!begin(&s))
		return -1;
	rc = (int)syscall(call, fd);
	record(&s, rc == 0);
	end(&s);
	return rc;
}

int fsync(int fd)
{
	return sync_with("fsync", SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_with("fdatasync", SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
	struct step s = {"rename", from, to, 0};
	int rc;

	if (!is_under(from))
		return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
	if (skipped("rename", from))
		return 0;
	if (!begin(&s))
		return -1;
	rc = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
	record(&s, rc == 0);
	end(&s);
	return rc;
}

/* ---- new files ---- */

static int open_with(const char *path, int flags, mode_t mode)
{
	struct step s = {"create", path, "", 0};
	int fd;

	if (!(flags & O_CREAT) || !is_under(path) ||
	    syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (!begin(&s))
		return -1;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	record(&s, fd >= 0);
	end(&s);
	return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
	return flags & O_CREAT ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = open_with(path, flags, mode_of(flags, ap));
	va_end(ap);
	return fd;
}

/* Files are large here in any case: the same call. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

/* ---- bytes to files and sockets ---- */

/* A few bytes, so that they fit in a line. */
static void show(char out[SHOWN + 1], const void *bytes, size_t len)
{
	const char *p = bytes;
	size_t n = len < SHOWN ? len : SHOWN;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(p[i] >= ' ' && p[i] <= '~' ? p[i] : '.');
	out[n] = '\0';
}

/* False: the call must fail, and errno says how. */
static bool begin_bytes(
    const char *op, int fd, char path[PATH_MAX], const void *bytes, size_t len, struct step *s)
{
	char shown[SHOWN + 1] = "";

	*s = (struct step){op, path, shown, 0};
	if (!path_of(fd, path))
		return true;
	if (strncmp(path, "socket:", 7) == 0)
		show(shown, bytes, len);
	if (!begin(s))
		return false;
	record(s, true);
	s->detail = "";
	return true;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	char path[PATH_MAX];
	struct step s;
	ssize_t n;

	if (!begin_bytes("write", fd, path, bytes, len, &s))
		return -1;
	n = syscall(SYS_write, fd, bytes, len);
	end(&s);
	return n;
}

static ssize_t pwrite_with(int fd, const void *bytes, size_t len, off_t at)
{
	char path[PATH_MAX];
	struct step s;
	ssize_t n;

	if (!begin_bytes("pwrite", fd, path, bytes, len, &s))
		return -1;
	n = syscall(SYS_pwrite64, fd, bytes, len, at);
	end(&s);
	return n;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return pwrite_with(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	return pwrite_with(fd, bytes, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	char path[PATH_MAX];
	struct step s;
	ssize_t done;

	if (!begin_bytes("writev", fd, path, parts->iov_base, n > 0 ? parts->iov_len : 0, &s))
		return -1;
	done = syscall(SYS_writev, fd, parts, n);
	end(&s);
	return done;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	char path[PATH_MAX];
	struct step s;

	if (!begin_bytes("send", fd, path, bytes, len, &s))
		return -1;
	return syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	char path[PATH_MAX];
	struct step s;

	if (!begin_bytes("sendmsg", fd, path, m->msg_iovlen ? m->msg_iov->iov_base : "",
		m->msg_iovlen ? m->msg_iov->iov_len : 0, &s))
		return -1;
	return syscall(SYS_sendmsg, fd, m, flags);
}

static ssize_t sendfile_with(int to, int from, off_t *at, size_t len)
{
	char path[PATH_MAX];
	struct step s;

	if (!begin_bytes("sendfile", to, path, "", 0, &s))
		return -1;
	return syscall(SYS_sendfile, to, from, at, len);
}

ssize_t sendfile(int to, int from, off_t *at, size_t len)
{
	return sendfile_with(to, from, at, len);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t len)
{
	return sendfile_with(to, from, at, len);
}
