#include "tests/fault/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FAILED_SYNCS_MAX = 8 };

static struct {
	const char *under;
	enum fault_kind kind;
	unsigned long at;
	struct fault_report *report; /* NULL: not armed */
	atomic_ulong calls[FAULT_KINDS];
	atomic_bool armed;
	/* files whose sync failed, beyond disarming: for as long as the process lives */
	struct {
		dev_t dev;
		ino_t ino;
	} unsynced[FAILED_SYNCS_MAX];
	atomic_uint unsynced_len;
} state;

void fault_under(const char *under)
{
	state.under = under;
}

void fault_arm(enum fault_kind kind, unsigned long at, struct fault_report *report)
{
	state.kind = kind;
	state.at = at;
	state.report = report;
	for (int i = 0; i < FAULT_KINDS; i++)
		atomic_store(&state.calls[i], 0);
	atomic_store(&state.armed, true);
}

void fault_disarm(void)
{
	atomic_store(&state.armed, false);
}

/* ---- whether this call fails ---- */

static void note(const char *op, const char *path)
{
	int saved = errno;

	snprintf(state.report->what, sizeof(state.report->what), "%s %s", op, path);
	state.report->fired = true;
	errno = saved;
}

static bool strikes(enum fault_kind kind, const char *op, const char *path)
{
	unsigned long n;

	if (!atomic_load(&state.armed))
		return false;
	n = atomic_fetch_add(&state.calls[kind], 1) + 1;
	state.report->calls[kind] = n;
	if (kind != state.kind || !state.at || n < state.at ||
	    (n > state.at && kind != FAULT_DISK_FULL))
		return false;
	if (n == state.at)
		note(op, path);
	return true;
}

static bool is_under(const char *path)
{
	size_t n = state.under ? strlen(state.under) : 0;

	return n && strncmp(path, state.under, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* False for what is no file below the directory. */
static bool path_of(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (!atomic_load(&state.armed) && !atomic_load(&state.unsynced_len))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
	if (n < 0)
		return false;
	out[n] = '\0';
	return is_under(out);
}

static int refuse(int with)
{
	errno = with;
	return -1;
}

/* ---- the heap ---- */

extern char __executable_start, etext;
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);

static bool starves(const void *caller, const char *op)
{
	const char *at = caller;
	bool ours = at >= &__executable_start && at < &etext;
	char where[32];

	if (!atomic_load(&state.armed))
		return false;
	snprintf(where, sizeof(where), "%p", caller);
	if (!strikes(ours ? FAULT_HEAP : FAULT_HEAP_OTHERS, op, where))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return starves(__builtin_return_address(0), "malloc") ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return starves(__builtin_return_address(0), "calloc") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *at, size_t size)
{
	return starves(__builtin_return_address(0), "realloc") ? NULL : __libc_realloc(at, size);
}

void *reallocarray(void *at, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) ||
	    starves(__builtin_return_address(0), "reallocarray"))
		return NULL;
	return __libc_realloc(at, bytes);
}

static char *copied(const char *text, size_t n)
{
	char *copy = __libc_malloc(n + 1);

	if (copy) {
		memcpy(copy, text, n);
		copy[n] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	return starves(__builtin_return_address(0), "strdup") ? NULL : copied(text, strlen(text));
}

char *strndup(const char *text, size_t n)
{
	return starves(__builtin_return_address(0), "strndup") ? NULL
							       : copied(text, strnlen(text, n));
}

/* ---- writing ---- */

/* Negative: it fails so; else how many of the bytes are written. */
static ssize_t allowed(const char *op, int fd, size_t len)
{
	char path[PATH_MAX];
	int saved = errno;

	if (!path_of(fd, path))
		return (ssize_t)len;
	if (strikes(FAULT_WRITE_EIO, op, path))
		return refuse(EIO);
	if (strikes(FAULT_WRITE_ENOSPC, op, path) || strikes(FAULT_DISK_FULL, op, path))
		return refuse(ENOSPC);
	if (len > 1 && strikes(FAULT_WRITE_SHORT, op, path))
		len /= 2;
	errno = saved;
	return (ssize_t)len;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	ssize_t n = allowed("write", fd, len);

	return n < 0 ? -1 : syscall(SYS_write, fd, bytes, (size_t)n);
}

static ssize_t pwrite_at(int fd, const void *bytes, size_t len, off64_t at)
{
	ssize_t n = allowed("pwrite", fd, len);

	return n < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, (size_t)n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return pwrite_at(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	return pwrite_at(fd, bytes, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	return allowed("writev", fd, 1) < 0 ? -1 : syscall(SYS_writev, fd, parts, n);
}

int ftruncate(int fd, off_t len)
{
	return allowed("ftruncate", fd, 1) < 0 ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return allowed("ftruncate", fd, 1) < 0 ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

static int preallocate(int fd, off64_t at, off64_t len)
{
	if (allowed("fallocate", fd, 1) < 0)
		return errno;
	return syscall(SYS_fallocate, fd, 0, at, len) < 0 ? errno : 0;
}

int posix_fallocate(int fd, off_t at, off_t len)
{
	return preallocate(fd, at, len);
}

int posix_fallocate64(int fd, off64_t at, off64_t len)
{
	return preallocate(fd, at, len);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	return allowed("fallocate", fd, 1) < 0 ? -1
					       : (int)syscall(SYS_fallocate, fd, mode, at, len);
}

/* ---- syncing ---- */

static bool is_unsynced(const struct stat *st)
{
	unsigned int n = atomic_load(&state.unsynced_len);

	for (unsigned int i = 0; i < n && i < FAILED_SYNCS_MAX; i++)
		if (state.unsynced[i].ino == st->st_ino && state.unsynced[i].dev == st->st_dev)
			return true;
	return false;
}

/* SQLite writes its pages anew before it syncs a file again, and passes over a directory that cannot
 * be synced. Ours are synced with fsync(). */
static bool is_of_sqlite(long call, const char *path, const struct stat *st)
{
	return strstr(path, ".sqlite") || (S_ISDIR(st->st_mode) && call == SYS_fdatasync);
}

static int sync_with(const char *op, long call, int fd)
{
	char path[PATH_MAX];
	struct stat st;

	if (!path_of(fd, path) || fstat(fd, &st) < 0)
		return (int)syscall(call, fd);
	if (is_unsynced(&st) && !state.report->synced[0])
		snprintf(state.report->synced, sizeof(state.report->synced), "%s %.280s", op, path);
	if (strikes(FAULT_SYNC, op, path)) {
		unsigned int at = atomic_load(&state.unsynced_len);

		if (at < FAILED_SYNCS_MAX && !is_of_sqlite(call, path, &st)) {
			state.unsynced[at].dev = st.st_dev;
			state.unsynced[at].ino = st.st_ino;
			atomic_store(&state.unsynced_len, at + 1);
		}
		return refuse(EIO);
	}
	return (int)syscall(call, fd);
}

int fsync(int fd)
{
	return sync_with("fsync", SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_with("fdatasync", SYS_fdatasync, fd);
}

/* ---- names ---- */

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	if (atomic_load(&state.armed) && is_under(path)) {
		if (strikes(FAULT_OPEN, flags & O_CREAT ? "create" : "open", path))
			return refuse(EMFILE);
		if (flags & (O_CREAT | __O_TMPFILE) && strikes(FAULT_DISK_FULL, "create", path))
			return refuse(ENOSPC);
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

#define OPENS(name, ...)                                                                           \
	{                                                                                          \
		va_list ap;                                                                        \
		int fd;                                                                            \
                                                                                                   \
		va_start(ap, flags);                                                               \
		fd = open_at(__VA_ARGS__, path, flags, mode_of(flags, ap));                        \
		va_end(ap);                                                                        \
		return fd;                                                                         \
	}

int open(const char *path, int flags, ...) OPENS(open, AT_FDCWD)

    int open64(const char *path, int flags, ...) OPENS(open64, AT_FDCWD)

	int openat(int dir, const char *path, int flags, ...) OPENS(openat, dir)

	    int openat64(int dir, const char *path, int flags, ...) OPENS(openat64, dir)

		static bool name_fails(const char *op, const char *path)
{
	return atomic_load(&state.armed) && is_under(path) && strikes(FAULT_NAME, op, path);
}

int rename(const char *from, const char *to)
{
	return name_fails("rename", from) ? refuse(EIO) : (int)syscall(SYS_rename, from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return name_fails("rename", from)
		   ? refuse(EIO)
		   : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

/* A new file may get the number of one whose sync failed. */
static void forget_unsynced(const char *path)
{
	struct stat st;

	if (!atomic_load(&state.unsynced_len) || lstat(path, &st) < 0)
		return;
	for (unsigned int i = 0; i < FAILED_SYNCS_MAX; i++)
		if (state.unsynced[i].ino == st.st_ino)
			state.unsynced[i].ino = 0;
}

int unlink(const char *path)
{
	if (name_fails("unlink", path))
		return refuse(EIO);
	forget_unsynced(path);
	return (int)syscall(SYS_unlink, path);
}

int mkdir(const char *path, mode_t mode)
{
	if (name_fails("mkdir", path))
		return refuse(EIO);
	return (int)syscall(SYS_mkdir, path, mode);
}

/* ---- reading ---- */

static bool read_fails(const char *op, int fd)
{
	char path[PATH_MAX];
	int saved = errno;
	bool fails = path_of(fd, path) && strikes(FAULT_READ, op, path);

	errno = fails ? EIO : saved;
	return fails;
}

ssize_t read(int fd, void *bytes, size_t len)
{
	return read_fails("read", fd) ? -1 : syscall(SYS_read, fd, bytes, len);
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
	return read_fails("pread", fd) ? -1 : syscall(SYS_pread64, fd, bytes, len, at);
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
	return read_fails("pread", fd) ? -1 : syscall(SYS_pread64, fd, bytes, len, at);
}
