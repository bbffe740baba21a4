/* Care of the pack directory: counting, what a crash left, stock git as a child. */
#include "archive/store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arkki/base/fs.h"

static bool ends_with(const char *name, const char *ext)
{
	size_t n = strlen(name), e = strlen(ext);

	return n > e && strcmp(name + n - e, ext) == 0;
}

int store_each_file(const struct store *s, const char *ext,
    int (*each)(void *arg, const char *name), void *arg, struct ark_error *err)
{
	DIR *d = opendir(s->pack_dir);
	struct dirent *e;
	int rc = ARK_OK;

	if (!d)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", s->pack_dir);
	while (!rc && (e = readdir(d)))
		if (ends_with(e->d_name, ext))
			rc = each(arg, e->d_name);
	closedir(d);
	return rc;
}

static int count(void *arg, const char *name)
{
	unsigned int *n = arg;

	if (strncmp(name, "pack-", 5) == 0)
		++*n;
	return 0;
}

unsigned int store_packs(struct store *s)
{
	unsigned int n = 0;

	return store_each_file(s, ".idx", count, &n, NULL) ? 0 : n;
}

/* ---- stock git as a child ---- */

static void read_complaint(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
}

static int spawn(char *const argv[], char *const envp[], int complaint, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int code;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setpgroup(&attr, 0); /* git's own children end with it */
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, complaint, 2);
	code = posix_spawnp(ret, argv[0], &files, &attr, argv, envp);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return code;
}

/* The child's id is known to store_compact_stop() until just before it is reaped, and no longer:
 * a signal never meets another process that was given the number. */
static int wait_child(struct store *s, pid_t pid, int *ret_status)
{
	siginfo_t info;
	int rc;

	pthread_mutex_lock(&s->lock);
	s->child = pid;
	if (s->stopping)
		kill(-pid, SIGTERM);
	pthread_mutex_unlock(&s->lock);
	do
		rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	while (rc < 0 && errno == EINTR);
	pthread_mutex_lock(&s->lock);
	s->child = 0;
	pthread_mutex_unlock(&s->lock);
	kill(-pid, SIGKILL); /* a repack that was stopped leaves its pack-objects at work */
	return rc < 0 ? -1 : waitpid(pid, ret_status, 0) == pid ? 0 : -1;
}

/* With nobody's configuration but the repository's. */
int store_git(struct store *s, char *const argv[], struct ark_error *err)
{
	char git_dir[4096 + 16], complaint[200];
	char *envp[] = {git_dir, (char[]){"PATH=/usr/local/bin:/usr/bin:/bin"},
	    (char[]){"LC_ALL=C"}, (char[]){"HOME=/"}, (char[]){"GIT_CONFIG_NOSYSTEM=1"},
	    (char[]){"GIT_CONFIG_GLOBAL=/dev/null"}, NULL};
	int status = 0, code;
	int fd = memfd_create("git", MFD_CLOEXEC);
	pid_t pid;
	int rc = ARK_OK;

	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot run git");
	snprintf(git_dir, sizeof(git_dir), "GIT_DIR=%s", s->dir);
	code = spawn(argv, envp, fd, &pid);
	if (code) {
		errno = code;
		rc = ark_fail_errno(err, ARK_EIO, "cannot run git (is it installed?)");
		goto out;
	}
	if (wait_child(s, pid, &status) < 0) {
		rc = ark_fail_errno(err, ARK_EIO, "cannot wait for git");
		goto out;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		read_complaint(fd, complaint, sizeof(complaint));
		rc = ark_fail(err, ARK_EIO, "git on %.150s failed (status %d): %s", s->dir, status,
		    complaint);
	}
out:
	close(fd);
	return rc;
}

/* ---- what a crash left ---- */

static int remove_temporary(const struct store *s, struct ark_error *err)
{
	DIR *d = opendir(s->pack_dir);
	struct dirent *e;
	char path[4096];
	int rc = ARK_OK;

	if (!d)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", s->pack_dir);
	while (!rc && (e = readdir(d))) {
		/* ours and index-pack's are tmp_…, repack's are .tmp-… */
		if (strncmp(e->d_name, "tmp_", 4) != 0 && strncmp(e->d_name, ".tmp-", 5) != 0)
			continue;
		rc = fs_path(path, err, "%s/%s", s->pack_dir, e->d_name);
		if (!rc && unlink(path) < 0 && errno != ENOENT)
			rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", path);
	}
	closedir(d);
	return rc;
}

/* A crash between the two renames leaves a pack that git does not see. It is
 * whole (it was synced before), so it gets its index again; what cannot be
 * indexed stays for store_check() to report: it may be all that is left of something. */
static int index_orphan(void *arg, const char *name)
{
	struct store *s = arg;
	char pack[4096], idx[4096];
	char *argv[] = {
	    (char[]){"nice"}, (char[]){"-n0"}, (char[]){"git"}, (char[]){"index-pack"}, pack, NULL};
	size_t stem = strlen(name) - strlen(".pack");

	if (strncmp(name, "pack-", 5) != 0 || fs_path(pack, NULL, "%s/%s", s->pack_dir, name) ||
	    fs_path(idx, NULL, "%s/%.*s.idx", s->pack_dir, (int)stem, name) || fs_exists(idx))
		return 0;
	return store_git(s, argv, NULL) == ARK_OK ? fs_sync_dir(s->pack_dir, NULL) : 0;
}

int store_recover(struct store *s, struct ark_error *err)
{
	char lock[4096];
	int rc = fs_path(lock, err, "%s/refs/heads/main.lock", s->dir);

	if (!rc && unlink(lock) < 0 && errno != ENOENT)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove the stale %s", lock);
	if (!rc)
		rc = remove_temporary(s, err);
	return rc ? rc : store_each_file(s, ".pack", index_orphan, s, err);
}
