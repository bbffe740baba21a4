#include "archive/ledger_tiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/fs.h"

enum { BATCH = 32, DIRS_MAX = BATCH * 10, PART_SIZE = 96 };

void tile_path_format(char out[TILE_PATH_MAX], const struct tile_id *id)
{
	char digits[24], *p = out, *end = out + TILE_PATH_MAX;
	int len = snprintf(digits, sizeof(digits), "%03" PRIu64, id->n);
	int lead = len % 3 ? len % 3 : 3;

	if (id->level == TILE_ENTRIES)
		p += snprintf(p, (size_t)(end - p), "tile/entries/");
	else
		p += snprintf(p, (size_t)(end - p), "tile/%d/", id->level);
	for (int at = 0; at < len; at += lead, lead = 3) {
		unsigned int group = 0;

		for (int i = at; i < at + lead; i++)
			group = group * 10 + (unsigned int)(digits[i] - '0');
		p += snprintf(p, (size_t)(end - p), at + lead < len ? "x%03u/" : "%03u", group);
	}
	if (id->width < MERKLE_WIDTH)
		snprintf(p, (size_t)(end - p), ".p/%u", id->width);
}

void tile_partials(const char *dir, int level, uint64_t n, bool there[])
{
	const struct tile_id one = {level, n, 1};
	char path[TILE_PATH_MAX], in[4096], *end;
	const struct dirent *e;
	DIR *d;

	memset(there, 0, MERKLE_WIDTH * sizeof(*there));
	tile_path_format(path, &one);
	*strrchr(path, '/') = '\0';
	d = fs_path(in, NULL, "%s/%s", dir, path) ? NULL : opendir(in);
	while (d && (e = readdir(d))) {
		unsigned long w = strtoul(e->d_name, &end, 10);

		if (*end == '\0' && w >= 1 && w < MERKLE_WIDTH)
			there[w] = true;
	}
	if (d)
		closedir(d);
}

static bool take_word(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

/* Decimal of at most `most` digits without leading zeroes. */
static bool take_number(const char **p, int most, unsigned int *ret)
{
	int n = 0;

	*ret = 0;
	for (; n < most && **p >= '0' && **p <= '9'; n++, (*p)++)
		*ret = *ret * 10 + (unsigned int)(**p - '0');
	return n > 0 && !(n > 1 && (*p)[-n] == '0');
}

bool tile_path_parse(const char *p, struct tile_id *ret)
{
	struct tile_id id = {.width = MERKLE_WIDTH};
	unsigned int level;
	bool more;

	if (!take_word(&p, "tile/"))
		return false;
	if (take_word(&p, "entries/")) {
		id.level = TILE_ENTRIES;
	} else {
		if (!take_number(&p, 2, &level) || level > 63 || *p++ != '/')
			return false;
		id.level = (int)level;
	}
	for (int groups = 0;; groups++) {
		unsigned int group = 0;

		more = take_word(&p, "x");
		for (int i = 0; i < 3; i++, p++) {
			if (*p < '0' || *p > '9')
				return false;
			group = group * 10 + (unsigned int)(*p - '0');
		}
		/* six groups fit into 64 bits; a leading x000 would be a second spelling */
		if (groups == 6 || (groups == 0 && more && group == 0))
			return false;
		id.n = id.n * 1000 + group;
		if (!more)
			break;
		if (*p++ != '/')
			return false;
	}
	if (take_word(&p, ".p/"))
		if (!take_number(&p, 3, &id.width) || id.width == 0 || id.width > 255)
			return false;
	if (*p)
		return false;
	*ret = id;
	return true;
}

static size_t item_size(int level)
{
	return level == TILE_ENTRIES ? BUNDLE_ENTRY : sizeof(struct merkle_hash);
}

/* The narrowest partial tile at least as wide as asked for; 0: none. */
static unsigned int find_partial(const char *dir, const struct tile_id *id)
{
	struct tile_id full = {id->level, id->n, MERKLE_WIDTH};
	char path[TILE_PATH_MAX], whole[4096];
	unsigned int best = 0, width;
	struct dirent *e;
	DIR *d;

	tile_path_format(path, &full);
	if (fs_path(whole, NULL, "%s/%s.p", dir, path))
		return 0;
	d = opendir(whole);
	while (d && (e = readdir(d))) {
		const char *name = e->d_name;

		if (take_number(&name, 3, &width) && !*name && width >= id->width &&
		    (!best || width < best))
			best = width;
	}
	if (d)
		closedir(d);
	return best;
}

static int read_exactly(const char *dir, const struct tile_id *file, unsigned int width,
    struct buf *out, struct ark_error *err)
{
	size_t item = item_size(file->level), before = out->len;
	char path[TILE_PATH_MAX], whole[4096];
	int rc;

	tile_path_format(path, file);
	rc = fs_path(whole, err, "%s/%s", dir, path);
	if (!rc)
		rc = fs_read_file(whole, item * MERKLE_WIDTH, out, err);
	if (rc == ARK_EINPUT || (!rc && out->len - before != item * file->width))
		rc = ark_fail(err, ARK_ECORRUPT, "the tile %s has a wrong length", whole);
	out->len = rc ? before : before + item * width;
	if (out->data)
		out->data[out->len] = '\0';
	return rc;
}

int tile_read(const char *dir, const struct tile_id *id, struct buf *out, struct ark_error *err)
{
	struct tile_id file = *id;
	int rc = read_exactly(dir, &file, id->width, out, err);

	if (rc != ARK_ENOTFOUND || id->width == MERKLE_WIDTH)
		return rc;
	file.width = MERKLE_WIDTH;
	rc = read_exactly(dir, &file, id->width, out, err);
	if (rc != ARK_ENOTFOUND)
		return rc;
	file.width = find_partial(dir, id);
	if (file.width)
		rc = read_exactly(dir, &file, id->width, out, err);
	if (rc != ARK_ENOTFOUND)
		return rc;
	/* the writer may have put the full tile in the place of the partial ones meanwhile */
	file.width = MERKLE_WIDTH;
	return read_exactly(dir, &file, id->width, out, err);
}

/* ---- writing ---- */

struct pending {
	int fd;
	char path[PART_SIZE];
};

struct tile_writer {
	char dir[4000];
	struct pending files[BATCH];
	size_t files_len;
	char dirs[DIRS_MAX][PART_SIZE]; /* whose entries changed; "" is dir itself */
	size_t dirs_len;
};

int tile_writer_new(const char *dir, struct tile_writer **ret, struct ark_error *err)
{
	struct tile_writer *w;

	if (strlen(dir) >= sizeof(w->dir))
		return ark_fail(err, ARK_EINPUT, "the path of the ledger is too long");
	w = calloc(1, sizeof(*w));
	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory for tiles");
	memcpy(w->dir, dir, strlen(dir) + 1);
	*ret = w;
	return ARK_OK;
}

static void drop_files(struct tile_writer *w)
{
	for (size_t i = 0; i < w->files_len; i++)
		if (w->files[i].fd >= 0)
			close(w->files[i].fd);
	w->files_len = 0;
	w->dirs_len = 0;
}

void tile_writer_free(struct tile_writer *w)
{
	if (!w)
		return;
	drop_files(w);
	free(w);
}

static void mark_dir(struct tile_writer *w, const char *part, size_t len)
{
	for (size_t i = 0; i < w->dirs_len; i++)
		if (strlen(w->dirs[i]) == len && memcmp(w->dirs[i], part, len) == 0)
			return;
	/* a tile has at most nine directories above it, so BATCH tiles fit */
	memcpy(w->dirs[w->dirs_len], part, len);
	w->dirs[w->dirs_len++][len] = '\0';
}

/* Makes what is missing of the directories above a tile and remembers which ones changed. */
static int make_parents(struct tile_writer *w, const char *path, struct ark_error *err)
{
	size_t parent = 0;
	char whole[4096];

	for (size_t i = 0; path[i]; i++) {
		if (path[i] != '/')
			continue;
		if (fs_path(whole, err, "%s/%.*s", w->dir, (int)i, path))
			return ARK_EINPUT;
		if (mkdir(whole, 0700) == 0)
			mark_dir(w, path, parent);
		else if (errno != EEXIST)
			return ark_fail_errno(err, ARK_EIO, "cannot make the directory %s", whole);
		parent = i;
	}
	mark_dir(w, path, parent);
	return ARK_OK;
}

int tile_writer_put(struct tile_writer *w, const struct tile_id *id, const void *bytes, size_t len,
    struct ark_error *err)
{
	struct pending *f;
	char whole[4096];
	int rc = w->files_len == BATCH ? tile_writer_flush(w, err) : ARK_OK;

	if (rc)
		return rc;
	f = &w->files[w->files_len];
	tile_path_format(f->path, id);
	rc = make_parents(w, f->path, err);
	if (!rc)
		rc = fs_path(whole, err, "%s/%s.tmp", w->dir, f->path);
	if (rc)
		return rc;
	f->fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot create %s", whole);
	w->files_len++;
	return fs_write_all(f->fd, bytes, len, err);
}

int tile_writer_flush(struct tile_writer *w, struct ark_error *err)
{
	char from[4096], to[4096];
	int rc = ARK_OK;

	/* Writeback of all files begins first, so that one journal commit serves them together. */
	for (size_t i = 0; i < w->files_len; i++)
		(void)sync_file_range(w->files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; !rc && i < w->files_len; i++)
		rc = fs_sync_file(w->files[i].fd, w->files[i].path, err);
	for (size_t i = 0; !rc && i < w->files_len; i++) {
		rc = fs_path(from, err, "%s/%s.tmp", w->dir, w->files[i].path);
		if (!rc)
			rc = fs_path(to, err, "%s/%s", w->dir, w->files[i].path);
		if (!rc)
			rc = fs_rename(from, to, err);
	}
	for (size_t i = 0; !rc && i < w->dirs_len; i++) {
		rc = fs_path(to, err, "%s/%s", w->dir, w->dirs[i]);
		if (!rc)
			rc = fs_sync_dir(to, err);
	}
	drop_files(w);
	return rc;
}

void tile_remove_partials(const char *dir, int level, uint64_t n)
{
	struct tile_id full = {level, n, MERKLE_WIDTH};
	char path[TILE_PATH_MAX], whole[4096];
	struct dirent *e;
	DIR *d;

	tile_path_format(path, &full);
	if (fs_path(whole, NULL, "%s/%s.p", dir, path))
		return;
	d = opendir(whole);
	if (!d)
		return;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	(void)rmdir(whole);
}
