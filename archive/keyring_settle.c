/* What a change of keys leaves to wipe, and what a crash left of one. keyring.h tells the order.
 *
 * What lies on disk, and what keyring_change_settle() makes of it:
 *
 *   keys opens under | ROOT.next, keys.next hold  | so
 *   -----------------+-----------------------------+------------------------------------------
 *   ROOT             | nothing                     | no change was going on
 *   ROOT             | what was prepared, in part  | not exchanged: wipe it
 *   ROOT.next        | the new root; the old keys  | exchanged: ROOT.next becomes ROOT, wipe the old
 *   ROOT             | the old root, the old keys  | exchanged and complete: wipe the old
 *
 * So it needs to know nothing but which of the two roots opens keys/secrets, and wipes whatever is left
 * under the other names. It wipes nothing when neither does. */
#include "archive/keyring_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/fs.h"

/* ---- wiping ---- */

int keyring_wipe_file(const char *path, struct ark_error *err)
{
	static const unsigned char zeros[4096];
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC), rc = ARK_OK;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return ARK_OK;
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot overwrite %s", path);
	if (fstat(fd, &st) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot look at %s", path);
	for (off_t at = 0; !rc && at < st.st_size; at += (off_t)sizeof(zeros)) {
		size_t n = st.st_size - at < (off_t)sizeof(zeros) ? (size_t)(st.st_size - at)
								  : sizeof(zeros);

		rc = fs_pwrite_all(fd, zeros, n, (uint64_t)at, err);
	}
	if (!rc)
		rc = fs_sync_file(fd, path, err);
	close(fd);
	if (!rc && unlink(path) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", path);
	return rc;
}

int keyring_wipe_dir(const char *dir, struct ark_error *err)
{
	DIR *d = opendir(dir);
	char path[4096], parent[4096];
	struct dirent *e;
	int rc = ARK_OK;

	if (!d && errno == ENOENT)
		return ARK_OK;
	if (!d)
		return ark_fail_errno(err, ARK_EIO, "cannot list %s", dir);
	while (!rc && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		rc = fs_path(path, err, "%s/%s", dir, e->d_name);
		if (!rc)
			rc = keyring_wipe_file(path, err);
	}
	closedir(d);
	if (!rc && rmdir(dir) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", dir);
	if (!rc)
		rc = keyring_parent(parent, dir, err);
	return rc ? rc : fs_sync_dir(parent, err);
}

/* ---- where things lie ---- */

int keyring_root_target(char out[4096], const char *root_path, struct ark_error *err)
{
	char real[PATH_MAX];

	return fs_path(out, err, "%s", realpath(root_path, real) ? real : root_path);
}

int keyring_next_root(char out[4096], const char *root_path, struct ark_error *err)
{
	char file[4096];
	int rc = keyring_root_target(file, root_path, err);

	return rc ? rc : fs_path(out, err, "%s.next", file);
}

int keyring_wipe_next_root(const char *next_root, struct ark_error *err)
{
	struct stat st;
	char dir[4096];
	int rc;

	if (lstat(next_root, &st) < 0 && errno == ENOENT)
		return ARK_OK;
	if (!S_ISREG(st.st_mode) || st.st_size > ROOT_FILE_MAX)
		return ark_fail(err, ARK_EREFUSED,
		    "%s is no root key; that name is needed to change keys: move it away",
		    next_root);
	rc = keyring_wipe_file(next_root, err);
	if (!rc)
		rc = keyring_parent(dir, next_root, err);
	return rc ? rc : fs_sync_dir(dir, err);
}

/* Where a file system cannot exchange two names, the old key is wiped through the descriptor that still leads to it. */
int keyring_exchange_roots(const char *root, const char *next_root, struct ark_error *err)
{
	static const char zeros[ROOT_FILE_MAX];
	char dir[4096];
	int fd = -1, rc = keyring_parent(dir, root, err);

	if (rc)
		return rc;
	rc = fs_exists(root) ? fs_exchange(next_root, root, err) : ARK_EREFUSED;
	if (rc == ARK_EREFUSED) {
		fd = open(root, O_WRONLY | O_CLOEXEC);
		rc = fs_rename(next_root, root, err);
	}
	if (!rc)
		rc = fs_sync_dir(dir, err);
	if (!rc && fd >= 0)
		rc = fs_pwrite_all(fd, zeros, sizeof(zeros), 0, err);
	if (!rc && fd >= 0)
		rc = fs_sync_file(fd, "the old root key", err);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- after a crash ---- */

/* Whether the root key in `file` opens keys_dir/secrets. */
static bool opens(const char *keys_dir, const char *file)
{
	struct vault *f = sodium_malloc(sizeof(*f));
	bool ok = f && keyring_root_read(file, &f->root, NULL) == ARK_OK &&
		  keyring_secrets_read(keys_dir, file, &f->root, &f->secrets, NULL) == ARK_OK;

	sodium_free(f);
	return ok;
}

int keyring_change_settle(const char *keys_dir, const char *root_path, struct ark_error *err)
{
	char next_dir[4096], root[4096], next_root[4096];
	int rc;

	if (!root_path || !*root_path)
		return ARK_OK;
	rc = fs_path(next_dir, err, "%s.next", keys_dir);
	if (!rc)
		rc = keyring_root_target(root, root_path, err);
	if (!rc)
		rc = keyring_next_root(next_root, root_path, err);
	if (rc || (!fs_exists(next_dir) && !fs_exists(next_root)))
		return rc;
	if (!opens(keys_dir, root)) {
		if (!opens(keys_dir, next_root))
			return ARK_OK; /* keyring_open() says what is wrong */
		rc = keyring_exchange_roots(root, next_root, err);
	}
	if (!rc)
		rc = keyring_wipe_dir(next_dir, err);
	return rc ? rc : keyring_wipe_next_root(next_root, err);
}
