/* Preloaded by the crash tests: writes down every change of the files below a
 * directory, with its bytes, in the order in which it was made, so that
 * disk_model.py can make of it what a disk held at any moment.
 *
 *   ARKKI_JOURNAL  the file that gets the records, appended to
 *   ARKKI_UNDER    only what lies below this directory
 *   ARKKI_KILL_AT  number of the change, of this process, after which it dies
 *   ARKKI_OMIT     a pattern of "operation path": left undone and called a success
 *   ARKKI_CLOCK    "N SECONDS": from the Nth change on the wall clock is that much off
 *
 * A record is a line "operation inode a b bytes path path2\n", fields separated by tabs, and then the bytes.
 * Syncs are written down when they have returned. The lock makes a change and its record one
 * step, among threads; the child that compacts is journalled too, and shares no file with them.
 * It calls the kernel directly, so that it never meets itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct change {
	const char *op, *path, *path2;
	unsigned long inode;
	long long a, b;
	const struct iovec *parts;
	int n;
};

/* Set once by the constructor, before the program has threads. */
static struct {
	int fd;
	const char *under, *omit;
	unsigned long kill_at, clock_at;
	long clock_s;
} conf = {.fd = -1};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_ulong changes;

__attribute__((constructor)) static void read_conf(void)
{
	const char *journal = getenv("ARKKI_JOURNAL"), *kill_at = getenv("ARKKI_KILL_AT"),
		   *clock = getenv("ARKKI_CLOCK");

	conf.under = getenv("ARKKI_UNDER");
	conf.omit = getenv("ARKKI_OMIT");
	conf.kill_at = kill_at ? strtoul(kill_at, NULL, 10) : 0;
	if (clock)
		sscanf(clock, "%lu %ld", &conf.clock_at, &conf.clock_s);
	if (journal)
		conf.fd = (int)syscall(
		    SYS_openat, AT_FDCWD, journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- what is written down ---- */

static bool is_under(const char *path)
{
	size_t n = conf.under ? strlen(conf.under) : 0;

	return n && strncmp(path, conf.under, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* A path as the kernel would take it, without following its last part. */
static const char *path_at(int dir, const char *path, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (path[0] == '/' || !conf.under)
		return path;
	if (dir == AT_FDCWD) {
		n = syscall(SYS_getcwd, out, PATH_MAX);
		n = n > 0 ? n - 1 : n;
	} else {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
	}
	if (n <= 0 || (size_t)n + strlen(path) + 2 > PATH_MAX)
		return path;
	snprintf(out + n, PATH_MAX - (size_t)n, "/%s", path);
	return out;
}

/* False: a descriptor of something else. Nameless files are below too; their inode says nothing to the model. */
static bool is_ours(int fd, char path[PATH_MAX], struct stat *st)
{
	char link[64];
	ssize_t n;

	if (!conf.under)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return is_under(path) && fstat(fd, st) == 0 && st->st_nlink > 0;
}

static unsigned long inode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

static bool omitted(const char *op, const char *path)
{
	char text[PATH_MAX + 32];

	snprintf(text, sizeof(text), "%s %s", op, path);
	return conf.omit && fnmatch(conf.omit, text, FNM_EXTMATCH) == 0;
}

/* With the lock held, after the change. */
static void record(const struct change *c)
{
	char line[3 * PATH_MAX];
	struct iovec out[64];
	size_t bytes = 0;
	int n = 1;

	for (int i = 0; i < c->n && n < 64; i++)
		out[n++] = c->parts[i], bytes += c->parts[i].iov_len;
	out[0].iov_base = line;
	out[0].iov_len = (size_t)snprintf(line, sizeof(line), "%s\t%lu\t%lld\t%lld\t%zu\t%s\t%s\n",
	    c->op, c->inode, c->a, c->b, bytes, c->path, c->path2 ? c->path2 : "");
	if (conf.fd >= 0 && syscall(SYS_writev, conf.fd, out, n) < 0)
		abort();
	if (atomic_fetch_add(&changes, 1) + 1 == conf.kill_at) {
		kill(getpid(), SIGKILL);
		for (;;)
			pause();
	}
}

/* ---- bytes ---- */

static ssize_t write_with(int fd, const struct iovec *parts, int n, off_t at, long call)
{
	char path[PATH_MAX];
	struct iovec left[64];
	struct stat st;
	ssize_t done;
	struct change c = {.op = "write", .path = path, .parts = left};
	int flags;

	if (n > 63 || !is_ours(fd, path, &st))
		return call == SYS_pwrite64 ? syscall(call, fd, parts->iov_base, parts->iov_len, at)
					    : syscall(call, fd, parts, n, at, 0);
	pthread_mutex_lock(&lock);
	flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
	if (call == SYS_writev && (flags & O_APPEND))
		c.a = fstat(fd, &st) == 0 ? st.st_size : 0;
	else
		c.a = call == SYS_writev ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : at;
	if (omitted("write", path)) {
		done = 0;
		for (int i = 0; i < n; i++)
			done += (ssize_t)parts[i].iov_len;
	} else {
		done = call == SYS_pwrite64 ? syscall(call, fd, parts->iov_base, parts->iov_len, at)
					    : syscall(call, fd, parts, n, at, 0);
		c.inode = st.st_ino;
		for (ssize_t to = done; c.n < n && to > 0; c.n++) {
			left[c.n] = parts[c.n];
			if ((ssize_t)left[c.n].iov_len > to)
				left[c.n].iov_len = (size_t)to;
			to -= (ssize_t)left[c.n].iov_len;
		}
		if (done >= 0)
			record(&c);
	}
	pthread_mutex_unlock(&lock);
	return done;
}

static struct iovec one(const void *bytes, size_t len)
{
	return (struct iovec){(void *)(uintptr_t)bytes, len};
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	struct iovec v = one(bytes, len);

	return write_with(fd, &v, 1, 0, SYS_writev);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	return write_with(fd, parts, n, 0, SYS_writev);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	struct iovec v = one(bytes, len);

	return write_with(fd, &v, 1, at, SYS_pwrite64);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	return pwrite(fd, bytes, len, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
	return write_with(fd, parts, n, at, SYS_pwritev);
}

/* A change of one descriptor by one call. */
static int fd_call(struct change *c, int fd, long call, long a, long b, long d)
{
	char path[PATH_MAX];
	struct stat st;
	int rc;

	if (!is_ours(fd, path, &st))
		return (int)syscall(call, fd, a, b, d);
	if (omitted(c->op, path))
		return 0;
	c->path = path;
	c->inode = st.st_ino;
	pthread_mutex_lock(&lock);
	rc = (int)syscall(call, fd, a, b, d);
	if (rc == 0)
		record(c);
	pthread_mutex_unlock(&lock);
	return rc;
}

int ftruncate(int fd, off_t len)
{
	return fd_call(&(struct change){.op = "truncate", .a = len}, fd, SYS_ftruncate, len, 0, 0);
}

int ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	return fd_call(&(struct change){.op = mode ? "punch" : "allocate", .a = at, .b = len}, fd,
	    SYS_fallocate, mode, at, len);
}

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	return fallocate(fd, mode, at, len);
}

int posix_fallocate(int fd, off_t at, off_t len)
{
	return fallocate(fd, 0, at, len) ? errno : 0;
}

int posix_fallocate64(int fd, off64_t at, off64_t len)
{
	return posix_fallocate(fd, at, len);
}

int fsync(int fd)
{
	return fd_call(&(struct change){.op = "fsync"}, fd, SYS_fsync, 0, 0, 0);
}

int fdatasync(int fd)
{
	return fd_call(&(struct change){.op = "fdatasync"}, fd, SYS_fdatasync, 0, 0, 0);
}

int sync_file_range(int fd, off64_t at, off64_t len, unsigned int flags)
{
	return fd_call(&(struct change){.op = "sync_file_range", .a = at, .b = len}, fd,
	    SYS_sync_file_range, at, len, (long)flags);
}

/* ---- names ---- */

static int open_with(int dir, const char *given, int flags, mode_t mode)
{
	char whole[PATH_MAX];
	const char *path = path_at(dir, given, whole);
	struct stat before, st;
	bool was;
	int fd;

	if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE || !is_under(path))
		return (int)syscall(SYS_openat, dir, given, flags, mode);
	pthread_mutex_lock(&lock);
	was = lstat(path, &before) == 0;
	fd = (int)syscall(SYS_openat, dir, given, flags, mode);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		struct change c = {.op = was ? "truncate" : "create",
		    .path = path,
		    .inode = st.st_ino,
		    .b = st.st_mode & 07777};

		if (!was || ((flags & O_TRUNC) && before.st_size > 0))
			record(&c);
	}
	pthread_mutex_unlock(&lock);
	return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = open_with(AT_FDCWD, path, flags, mode_of(flags, ap));
	va_end(ap);
	return fd;
}

/* Files are large here in any case: the same call. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = open_with(dir, path, flags, mode_of(flags, ap));
	va_end(ap);
	return fd;
}

int openat64(int dir, const char *path, int flags, ...) __attribute__((alias("openat")));

static int renamed(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	char whole[2][PATH_MAX];
	struct change c = {.op = flags & RENAME_EXCHANGE ? "exchange" : "rename",
	    .path = path_at(from_dir, from, whole[0]),
	    .path2 = path_at(to_dir, to, whole[1])};
	int rc;

	if (!is_under(c.path) || omitted(c.op, c.path))
		return is_under(c.path)
			   ? 0
			   : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
	pthread_mutex_lock(&lock);
	rc = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
	if (rc == 0)
		record(&c);
	pthread_mutex_unlock(&lock);
	return rc;
}

int rename(const char *from, const char *to)
{
	return renamed(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renamed(from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return renamed(from_dir, from, to_dir, to, flags);
}

/* A change of names by one call; the inode is that of the name after it. */
static int name_call(
    struct change *c, int dir, const char *given, long call, long a, long b, long d)
{
	char whole[PATH_MAX];
	int rc;

	c->path = path_at(dir, given, whole);
	if (!is_under(c->path))
		return (int)syscall(call, dir, given, a, b, d);
	if (omitted(c->op, c->path))
		return 0;
	pthread_mutex_lock(&lock);
	rc = (int)syscall(call, dir, given, a, b, d);
	if (rc == 0) {
		c->inode = inode_of(c->path);
		record(c);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

int unlink(const char *path)
{
	return name_call(&(struct change){.op = "unlink"}, AT_FDCWD, path, SYS_unlinkat, 0, 0, 0);
}

int unlinkat(int dir, const char *path, int flags)
{
	return name_call(&(struct change){.op = flags & AT_REMOVEDIR ? "rmdir" : "unlink"}, dir,
	    path, SYS_unlinkat, flags, 0, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path);
}

int mkdir(const char *path, mode_t mode)
{
	return name_call(&(struct change){.op = "mkdir", .b = mode}, AT_FDCWD, path, SYS_mkdirat,
	    (long)mode, 0, 0);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	return name_call(
	    &(struct change){.op = "mkdir", .b = mode}, dir, path, SYS_mkdirat, (long)mode, 0, 0);
}

int link(const char *from, const char *to)
{
	return name_call(&(struct change){.op = "link", .path2 = to}, AT_FDCWD, from, SYS_linkat,
	    AT_FDCWD, (long)(uintptr_t)to, 0);
}

/* ---- children, and time ---- */

/* A child of ours that is given an environment of its own is journalled all the same. */
int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	static const char *const names[] = {"LD_PRELOAD", "ARKKI_JOURNAL", "ARKKI_UNDER"};
	char text[3][PATH_MAX + 32], *env[64] = {0};
	int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *,
	    const posix_spawnattr_t *, char *const[], char *const[]) = posix_spawn;
	char path[PATH_MAX];
	int n = 0;

	for (; envp && envp[n] && n < 60; n++)
		env[n] = envp[n];
	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);

		if (value && snprintf(text[i], sizeof(text[i]), "%s=%s", names[i], value) > 0)
			env[n++] = text[i];
	}
	snprintf(path, sizeof(path), "/usr/bin/%s", file);
	return real(pid, path, actions, attr, argv, env);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, out);

	if (rc == 0 && clock == CLOCK_REALTIME && conf.clock_s &&
	    atomic_load(&changes) >= conf.clock_at)
		out->tv_sec += conf.clock_s;
	return rc;
}
