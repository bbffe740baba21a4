#include "arkki/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int fs_write_all(int fd, const void *bytes, size_t len, struct ark_error *err)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_fail_errno(err, ARK_EIO, "cannot write");
		p += n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

int fs_pwrite_all(int fd, const void *bytes, size_t len, uint64_t offset, struct ark_error *err)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_fail_errno(err, ARK_EIO, "cannot write");
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

int fs_pread_all(int fd, void *bytes, size_t len, uint64_t offset, struct ark_error *err)
{
	char *p = bytes;

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_fail_errno(err, ARK_EIO, "cannot read");
		if (n == 0)
			return ark_fail(err, ARK_ECORRUPT, "the file ends too early");
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

int fs_sync_file(int fd, const char *what, struct ark_error *err)
{
	if (fdatasync(fd) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot sync %s", what);
	return ARK_OK;
}

int fs_sync_dir(const char *dir, struct ark_error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = ARK_OK;

	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open the directory %s", dir);
	if (fsync(fd) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot sync the directory %s", dir);
	close(fd);
	return rc;
}

int fs_rename(const char *from, const char *to, struct ark_error *err)
{
	if (rename(from, to) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot rename %s to %s", from, to);
	return ARK_OK;
}

int fs_exchange(const char *a, const char *b, struct ark_error *err)
{
	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0)
		return ark_fail_errno(err,
		    errno == EINVAL || errno == ENOSYS || errno == EXDEV ? ARK_EREFUSED : ARK_EIO,
		    "cannot exchange %s and %s", a, b);
	return ARK_OK;
}

int fs_read_file(const char *path, size_t limit, struct buf *out, struct ark_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = ARK_OK;
	size_t total = 0;

	if (fd < 0)
		return ark_fail_errno(
		    err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot open %s", path);
	for (;;) {
		ssize_t n;

		if (!buf_reserve(out, 65536)) {
			rc = ark_fail(err, ARK_ENOMEM, "no memory for %s", path);
			break;
		}
		n = read(fd, out->data + out->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = ark_fail_errno(err, ARK_EIO, "cannot read %s", path);
			break;
		}
		if (n == 0)
			break;
		total += (size_t)n;
		if (total > limit) {
			rc = ark_fail(err, ARK_EINPUT, "%s is over %zu bytes", path, limit);
			break;
		}
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
	close(fd);
	return rc;
}

static int sync_parent(const char *path, struct ark_error *err)
{
	char dir[4096];
	char *slash;
	int rc = fs_path(dir, err, "%s", path);

	if (rc)
		return rc;
	slash = strrchr(dir, '/');
	if (!slash)
		return fs_sync_dir(".", err);
	if (slash == dir)
		slash++;
	*slash = '\0';
	return fs_sync_dir(dir, err);
}

int fs_replace_file(
    const char *path, const void *bytes, size_t len, mode_t mode, struct ark_error *err)
{
	char tmp[4096];
	int rc = fs_path(tmp, err, "%s.tmp", path);
	int fd;

	if (rc)
		return rc;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot create %s", tmp);
	rc = fs_write_all(fd, bytes, len, err);
	if (!rc)
		rc = fs_sync_file(fd, tmp, err);
	close(fd);
	if (!rc)
		rc = fs_rename(tmp, path, err);
	if (rc) {
		unlink(tmp);
		return rc;
	}
	return sync_parent(path, err);
}

int fs_mkdir(const char *path, mode_t mode, struct ark_error *err)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return ark_fail_errno(err, ARK_EIO, "cannot make the directory %s", path);
	return ARK_OK;
}

int fs_mkdirs(const char *path, mode_t mode, struct ark_error *err)
{
	char part[4096];
	int rc = fs_path(part, err, "%s", path);

	for (char *p = part + 1; !rc && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		rc = fs_mkdir(part, mode, err);
		*p = '/';
	}
	return rc ? rc : fs_mkdir(part, mode, err);
}

bool fs_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int fs_dir_empty(const char *path, struct ark_error *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int empty = 1;

	if (!d)
		return ark_fail_errno(
		    err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot open %s", path);
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			empty = 0;
	closedir(d);
	return empty;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int fs_remove_tree(const char *path, struct ark_error *err)
{
	if (!fs_exists(path))
		return ARK_OK;
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		return ark_fail_errno(err, ARK_EIO, "cannot remove %s", path);
	return ARK_OK;
}

int fs_path(char out[4096], struct ark_error *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, 4096, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= 4096)
		return ark_fail(err, ARK_EINPUT, "a path is longer than 4095 bytes");
	return ARK_OK;
}

int fs_space(const char *path, uint64_t *ret_free, uint64_t *ret_total, struct ark_error *err)
{
	struct statvfs v;

	if (statvfs(path, &v) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot ask the free space of %s", path);
	*ret_free = (uint64_t)v.f_bavail * v.f_frsize;
	*ret_total = (uint64_t)v.f_blocks * v.f_frsize;
	return ARK_OK;
}

void fs_unlock_close(int fd)
{
	if (fd < 0)
		return;
	(void)flock(fd, LOCK_UN);
	close(fd);
}
