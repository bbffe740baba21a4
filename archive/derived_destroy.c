/* The derived files of a destroyed document: overwritten, synced, unlinked.
 *
 * They are sealed under keys that are destroyed too; what stands in the clear is how many pages there are and why a
 * text is missing. On a file system that writes elsewhere the overwriting is in vain: the keys are what counts. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/disposition_private.h"
#include "arkki/base/fs.h"

static int overwrite(int dir, const char *name, struct ark_error *err)
{
	static const char zeros[65536];
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int rc = ARK_OK;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP
			   ? ARK_OK
			   : ark_fail_errno(err, ARK_EIO, "cannot overwrite a derived file");
	if (fstat(fd, &st) != 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot overwrite a derived file");
	for (off_t at = 0; !rc && at < st.st_size; at += (off_t)sizeof(zeros)) {
		size_t left = (size_t)(st.st_size - at);

		rc = fs_pwrite_all(
		    fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros), (uint64_t)at, err);
	}
	if (!rc)
		rc = fs_sync_file(fd, "a derived file", err);
	close(fd);
	return rc;
}

static int destroy_file(int dir, const char *name, struct ark_error *err)
{
	int rc = overwrite(dir, name, err);

	if (!rc && unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove a derived file");
	return rc;
}

/* Pages of OCR: one level, plain files. */
static int destroy_folder(int parent, const char *name, struct ark_error *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int rc = ARK_OK;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return ark_fail_errno(err, ARK_EIO, "cannot open a derived folder");
	}
	while (!rc && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = destroy_file(fd, e->d_name, err);
	closedir(d);
	if (!rc && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove a derived folder");
	return rc;
}

static int destroy_entry(int dir, const char *name, struct ark_error *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT
			   ? ARK_OK
			   : ark_fail_errno(err, ARK_EIO, "cannot look at derived files");
	return S_ISDIR(st.st_mode) ? destroy_folder(dir, name, err) : destroy_file(dir, name, err);
}

int derived_destroy(const struct archive *a, const char *document, struct ark_error *err)
{
	struct dirent *e;
	char path[4096];
	DIR *d;
	int rc = fs_path(path, err, "%s/derived/%.2s", archive_dir(a), document);

	if (rc)
		return rc;
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? ARK_OK
				       : ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	while (!rc && (e = readdir(d)))
		if (strncmp(e->d_name, document, 32) == 0)
			rc = destroy_entry(dirfd(d), e->d_name, err);
	closedir(d);
	return rc ? rc : fs_sync_dir(path, err);
}
