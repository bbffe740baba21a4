/* A place of backups as a directory. Names come from another machine: each is checked before it becomes a path. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/backup_private.h"
#include "arkki/archive/seal.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

struct place_dir {
	char path[3600];
	int lock_fd;
	bool objects_changed; /* names below objects/ that are not synced */
	bool notes_removed;   /* names of notes that are gone, not synced */
};

struct place {
	struct place_dir *dir;
	struct place_remote *remote;
};

/* ---- names ---- */

static bool hex64(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n == 64 && s[n] == '\0';
}

/* "000017-20260312T081530Z" */
bool place_point_valid(const char *id)
{
	static const char form[] = "dddddd-ddddddddTddddddZ";
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == 'd' ? id[i] < '0' || id[i] > '9' : id[i] != form[i])
			return false;
	return id[i] == '\0';
}

bool place_name_valid(const char *name)
{
	char id[BACKUP_POINT_SIZE];
	const char *dot;

	if (strncmp(name, "objects/", 8) == 0)
		return hex64(name + 8);
	if (strncmp(name, "points/", 7) != 0)
		return false;
	dot = strchr(name + 7, '.');
	if (!dot || (strcmp(dot, ".manifest") != 0 && strcmp(dot, ".note") != 0) ||
	    dot - (name + 7) >= BACKUP_POINT_SIZE)
		return false;
	memcpy(id, name + 7, (size_t)(dot - (name + 7)));
	id[dot - (name + 7)] = '\0';
	return place_point_valid(id);
}

static int path_of(
    const struct place_dir *p, const char *name, char out[4096], struct ark_error *err)
{
	if (!place_name_valid(name))
		return ark_fail(err, ARK_EINPUT, "a backup has nothing of that name");
	return fs_path(out, err, "%s/%s", p->path, name);
}

/* ---- opening ---- */

static int take_lock(struct place_dir *p, enum place_mode mode, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/lock", p->path);

	if (rc)
		return rc;
	p->lock_fd =
	    open(path, (mode == PLACE_WRITE ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600);
	if (p->lock_fd < 0 && mode == PLACE_READ)
		return ARK_OK; /* a copy without its lock, or one that cannot be written: nobody writes there */
	if (p->lock_fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	if (flock(p->lock_fd, (mode == PLACE_WRITE ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0)
		return ark_fail(
		    err, ARK_ECONFLICT, "another backup is at work in %s; try later", p->path);
	return ARK_OK;
}

static int make_below(const struct place_dir *p, struct ark_error *err)
{
	static const char *const below[] = {"objects", "points"};
	char path[4096];
	int rc = fs_mkdirs(p->path, 0700, err);

	for (size_t i = 0; !rc && i < 2; i++) {
		rc = fs_path(path, err, "%s/%s", p->path, below[i]);
		if (!rc)
			rc = fs_mkdir(path, 0700, err);
	}
	return rc ? rc : fs_sync_dir(p->path, err);
}

/* A directory with something else in it is not made into a place. */
static int begin(const struct place_dir *p, enum place_mode mode, struct ark_error *err)
{
	char path[4096];
	int empty, rc = fs_path(path, err, "%s/points", p->path);

	if (rc || fs_exists(path))
		return rc;
	if (mode == PLACE_READ)
		return ark_fail(err, ARK_ENOTFOUND, "there are no backups in %s", p->path);
	empty = fs_exists(p->path) ? fs_dir_empty(p->path, err) : 1;
	if (empty < 0)
		return empty;
	rc = fs_path(path, err, "%s/objects", p->path); /* a first run may have been cut there */
	if (!rc && !empty && !fs_exists(path))
		rc = ark_fail(err, ARK_EREFUSED,
		    "%s holds something else than backups; name a new or an empty directory",
		    p->path);
	return rc ? rc : make_below(p, err);
}

int place_dir_open(
    const char *path, enum place_mode mode, struct place_dir **ret, struct ark_error *err)
{
	struct place_dir *p = calloc(1, sizeof(*p));
	int rc = ARK_OK;

	if (!p)
		return ark_fail(err, ARK_ENOMEM, "no memory to open %s", path);
	p->lock_fd = -1;
	if (strlen(path) >= sizeof(p->path))
		rc = ark_fail(err, ARK_EINPUT, "the path of the backups is too long");
	else
		memcpy(p->path, path, strlen(path) + 1);
	if (!rc)
		rc = begin(p, mode, err);
	if (!rc)
		rc = take_lock(p, mode, err);
	if (rc) {
		place_dir_close(p);
		return rc;
	}
	*ret = p;
	return ARK_OK;
}

void place_dir_close(struct place_dir *p)
{
	if (!p)
		return;
	fs_unlock_close(p->lock_fd);
	free(p);
}

/* ---- what is there ---- */

int place_dir_list(struct place_dir *p, const char *kind, struct buf *out, struct ark_error *err)
{
	char path[4096], name[PLACE_NAME_MAX * 4];
	struct dirent *e;
	struct stat st;
	DIR *d;
	int rc = fs_path(path, err, "%s/%s", p->path, kind);

	if (rc)
		return rc;
	d = opendir(path);
	if (!d)
		return ark_fail_errno(err, ARK_EIO, "cannot list %s", path);
	while ((e = readdir(d))) {
		snprintf(name, sizeof(name), "%s/%s", kind, e->d_name);
		if (place_name_valid(name) && fstatat(dirfd(d), e->d_name, &st, 0) == 0)
			buf_addf(out, "%s %llu\n", e->d_name, (unsigned long long)st.st_size);
	}
	closedir(d);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a list") : ARK_OK;
}

int place_dir_file(
    struct place_dir *p, const char *name, int *ret_fd, uint64_t *ret_len, struct ark_error *err)
{
	char path[4096];
	struct stat st;
	int fd, rc = path_of(p, name, path, err);

	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ark_fail_errno(
		    err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot open %s", path);
	if (fstat(fd, &st) < 0) {
		close(fd);
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	}
	*ret_fd = fd;
	*ret_len = (uint64_t)st.st_size;
	return ARK_OK;
}

/* ---- writing ---- */

static int write_incoming(int fd, uint64_t len, place_source source, void *arg,
    unsigned char sha[32], struct ark_error *err)
{
	struct sha256 *h = sha256_new();
	char *block = malloc(PLACE_BLOCK);
	int rc =
	    h && block ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to write into a backup");

	while (!rc && len) {
		size_t n = len < PLACE_BLOCK ? (size_t)len : PLACE_BLOCK;

		rc = source(arg, block, n, err);
		if (!rc)
			rc = fs_write_all(fd, block, n, err);
		if (!rc)
			sha256_update(h, block, n);
		len -= n;
	}
	if (!rc)
		sha256_final(h, sha);
	sha256_free(h);
	free(block);
	return rc;
}

static int sync_names(struct place_dir *p, const char *kind, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/%s", p->path, kind);

	return rc ? rc : fs_sync_dir(path, err);
}

int place_dir_put(struct place_dir *p, const char *name, uint64_t len, place_source source,
    void *arg, struct ark_error *err)
{
	bool object = strncmp(name, "objects/", 8) == 0;
	char path[4096], incoming[4096], hex[65];
	unsigned char sha[32] = {0};
	int fd, rc = path_of(p, name, path, err);

	if (!rc && !object && p->objects_changed) {
		rc = sync_names(p, "objects", err);
		p->objects_changed = rc != ARK_OK;
	}
	if (!rc)
		rc = fs_path(incoming, err, "%s/incoming", p->path);
	if (rc)
		return rc;
	fd = open(incoming, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot write %s", incoming);
	rc = write_incoming(fd, len, source, arg, sha, err);
	hex_encode(hex, sha, 32);
	if (!rc && object && strcmp(hex, name + 8) != 0)
		rc = ark_fail(err, ARK_ECORRUPT, "what arrived is not what was sent");
	if (!rc)
		rc = fs_sync_file(fd, incoming, err);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	if (!rc)
		rc = fs_rename(incoming, path, err);
	if (!rc && object)
		p->objects_changed = true;
	else if (!rc)
		rc = sync_names(p, "points", err);
	return rc;
}

/* A point ends with its note: that is synced, once for all of them, before anything goes that a point needs. */
int place_dir_remove(struct place_dir *p, const char *name, struct ark_error *err)
{
	char path[4096];
	size_t n = strlen(name);
	bool note = n > 5 && strcmp(name + n - 5, ".note") == 0;
	int rc = path_of(p, name, path, err);

	if (!rc && !note && p->notes_removed) {
		rc = sync_names(p, "points", err);
		p->notes_removed = rc != ARK_OK;
	}
	if (!rc && unlink(path) < 0 && errno != ENOENT)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", path);
	p->notes_removed = p->notes_removed || (!rc && note);
	return rc;
}

/* ---- either ---- */

int place_open(const char *where, enum place_mode mode, struct place **ret, struct ark_error *err)
{
	struct place *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return ark_fail(err, ARK_ENOMEM, "no memory to open %s", where);
	rc = place_remote_named(where) ? place_remote_open(where, mode, &p->remote, err)
				       : place_dir_open(where, mode, &p->dir, err);
	if (rc) {
		free(p);
		return rc;
	}
	*ret = p;
	return ARK_OK;
}

void place_close(struct place *p)
{
	if (!p)
		return;
	place_dir_close(p->dir);
	place_remote_close(p->remote);
	free(p);
}

int place_list(struct place *p, const char *kind, struct buf *out, struct ark_error *err)
{
	return p->dir ? place_dir_list(p->dir, kind, out, err)
		      : place_remote_list(p->remote, kind, out, err);
}

int place_put(struct place *p, const char *name, uint64_t len, place_source source, void *arg,
    struct ark_error *err)
{
	return p->dir ? place_dir_put(p->dir, name, len, source, arg, err)
		      : place_remote_put(p->remote, name, len, source, arg, err);
}

int place_remove(struct place *p, const char *name, struct ark_error *err)
{
	return p->dir ? place_dir_remove(p->dir, name, err)
		      : place_remote_remove(p->remote, name, err);
}

static int pour(int fd, uint64_t len, place_sink sink, void *arg, struct ark_error *err)
{
	char *block = malloc(PLACE_BLOCK);
	int rc = block ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to read a backup");

	for (uint64_t at = 0; !rc && at < len;) {
		size_t n = len - at < PLACE_BLOCK ? (size_t)(len - at) : PLACE_BLOCK;

		rc = fs_pread_all(fd, block, n, at, err);
		if (!rc)
			rc = sink(arg, block, n, err);
		at += n;
	}
	free(block);
	return rc;
}

int place_get(struct place *p, const char *name, place_sink sink, void *arg, struct ark_error *err)
{
	uint64_t len;
	int fd, rc;

	if (p->remote)
		return place_remote_get(p->remote, name, sink, arg, err);
	rc = place_dir_file(p->dir, name, &fd, &len, err);
	if (rc)
		return rc;
	rc = pour(fd, len, sink, arg, err);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	return rc;
}

struct memory {
	const char *bytes;
	size_t len;
	struct buf *out;
};

static int from_memory(void *arg, void *out, size_t want, struct ark_error *err)
{
	struct memory *m = arg;

	if (want > m->len)
		return ark_fail(err, ARK_ECORRUPT, "too few bytes for a backup");
	memcpy(out, m->bytes, want);
	m->bytes += want;
	m->len -= want;
	return ARK_OK;
}

static int to_memory(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct memory *m = arg;

	buf_add(m->out, bytes, len);
	return buf_failed(m->out) ? ark_fail(err, ARK_ENOMEM, "no memory for a part of a backup")
				  : ARK_OK;
}

int place_put_bytes(
    struct place *p, const char *name, const void *bytes, size_t len, struct ark_error *err)
{
	struct memory m = {bytes, len, NULL};

	return place_put(p, name, len, from_memory, &m, err);
}

int place_get_bytes(
    struct place *p, const char *name, size_t limit, struct buf *out, struct ark_error *err)
{
	struct memory m = {NULL, 0, out};

	out->limit = limit;
	return place_get(p, name, to_memory, &m, err);
}
