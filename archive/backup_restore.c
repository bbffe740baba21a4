/* An archive out of a restore point and a key backup.
 *
 * Everything that judges comes before anything that is written: the point's signature, by the key that the key backup and
 * the root key give; that every object is there; that the keys reach as far. arkki.conf is written last: until then
 * the directory is no archive. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_private.h"
#include "archive/backup_private.h"
#include "archive/keyring_private.h"
#include "archive/ledger_tiles.h"
#include "arkki/archive/seal.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { SHARD_MAX = SHARD_HEADER_SIZE + SHARD_SLOTS * SLOT_SIZE, PART_MAX = 1 << 20 };

struct restoring {
	const struct restore_request *r;
	struct place *place;
	struct have *have;
	struct manifest m;
	char keys_dir[4096];
	struct backup_summary *sum;
};

/* ---- the key backup ---- */

/* The directory of the newest epoch below `dir`; false: there is none. */
static bool newest_epoch(const char *dir, char out[4096])
{
	unsigned long best = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		unsigned long n;
		char end;

		/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
		if (sscanf(e->d_name, "epoch-%10lu%c", &n, &end) == 1 && n > best)
			best = n;
	}
	if (d)
		closedir(d);
	return best && fs_path(out, NULL, "%s/epoch-%lu", dir, best) == ARK_OK;
}

/* The one archive's folder in a place of key backups. */
static bool only_archive(const char *dir, char out[4096])
{
	unsigned int found = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)))
		if (docid_valid(e->d_name) && fs_path(out, NULL, "%s/%s", dir, e->d_name) == ARK_OK)
			found++;
	if (d)
		closedir(d);
	return found == 1;
}

static int find_keys(const char *given, char out[4096], struct ark_error *err)
{
	char path[4096], home[4096];
	int rc = fs_path(path, err, "%s/secrets", given);

	if (rc)
		return rc;
	if (fs_exists(path))
		return fs_path(out, err, "%s", given);
	if (newest_epoch(given, out) || (only_archive(given, home) && newest_epoch(home, out)))
		return ARK_OK;
	return ark_fail(err, ARK_EINPUT,
	    "%s holds no key backup: name the place of `arkki keys backup`, or the directory of "
	    "one "
	    "archive in it",
	    given);
}

/* A change of keys that was cut would be finished or wiped by opening them: not here, where another archive may be in the middle of it. */
static int refuse_change(const char *root_key, struct ark_error *err)
{
	char next[4096];
	int rc;

	if (!root_key)
		return ark_fail(err, ARK_EINPUT, "the root key is needed: --root-key FILE");
	rc = fs_path(next, err, "%s.next", root_key);
	if (!rc && fs_exists(next))
		rc = ark_fail(err, ARK_EREFUSED,
		    "%s is in the middle of a change of keys; give a copy of the root key that "
		    "belongs to the key backup",
		    root_key);
	return rc;
}

static int copy_keys(const struct restoring *s, struct ark_error *err)
{
	char to_dir[4096], from[4096], to[4096];
	struct buf bytes = BUF_INIT;
	int rc = fs_path(to_dir, err, "%s/keys", s->r->dir);

	if (!rc)
		rc = fs_mkdir(to_dir, 0700, err);
	for (uint32_t n = 0; !rc && n <= SHARD_NUMBER_MAX + 1; n++) {
		char name[24] = "secrets";

		if (n)
			snprintf(name, sizeof(name), "shard-%06u", (unsigned int)n - 1);
		buf_clear(&bytes);
		rc = fs_path(from, err, "%s/%s", s->keys_dir, name);
		if (!rc)
			rc = fs_path(to, err, "%s/%s", to_dir, name);
		if (!rc)
			rc = fs_read_file(from, SHARD_MAX, &bytes, err);
		if (rc == ARK_ENOTFOUND && n) {
			rc = ARK_OK;
			break;
		}
		if (!rc)
			rc = fs_replace_file(to, bytes.data, bytes.len, 0600, err);
	}
	buf_free(&bytes);
	return rc;
}

/* ---- judging ---- */

static int choose_point(struct restoring *s, char out[BACKUP_POINT_SIZE], struct ark_error *err)
{
	char(*points)[BACKUP_POINT_SIZE] = NULL;
	size_t n = 0;
	int rc;

	if (s->r->point) {
		snprintf(out, BACKUP_POINT_SIZE, "%s", s->r->point);
		return place_point_valid(out)
			   ? ARK_OK
			   : ark_fail(err, ARK_EINPUT, "`%s` is not the name of a restore point",
				 s->r->point);
	}
	rc = points_list(s->place, &points, &n, err);
	if (!rc && !n)
		rc = ark_fail(err, ARK_ENOTFOUND,
		    "there is no restore point in %s: a backup that was cut is none", s->r->place);
	if (!rc)
		memcpy(out, points[n - 1], BACKUP_POINT_SIZE);
	free(points);
	return rc;
}

static int judge(struct restoring *s, struct ark_error *err)
{
	char point[BACKUP_POINT_SIZE];
	struct keyring *keys = NULL;
	uint64_t slots = 0, needed = 0;
	int rc = find_keys(s->r->keys, s->keys_dir, err);

	if (!rc)
		rc = refuse_change(s->r->root_key, err);
	if (!rc)
		rc = keyring_open(s->keys_dir, s->r->root_key, 0, &keys, err);
	if (!rc)
		rc = choose_point(s, point, err);
	if (!rc)
		rc = manifest_get(s->place, point, keys, &s->m, err);
	if (!rc)
		rc = have_load(s->place, &s->have, err);
	if (!rc)
		rc = manifest_whole(&s->m, s->have, err);
	if (!rc) {
		slots = keyring_slots(keys);
		needed = (uint64_t)json_integer_value(json_object_get(s->m.head, "slots"));
	}
	if (!rc && slots < needed)
		rc = ark_fail(err, ARK_EREFUSED,
		    "the key backup %s holds %llu keys and restore point %s needs %llu: name a "
		    "newer key backup, or "
		    "an older point",
		    s->keys_dir, (unsigned long long)slots, point, (unsigned long long)needed);
	keyring_close(keys);
	return rc;
}

/* ---- writing ---- */

struct piece_check {
	struct sha256 *sha;
	place_sink sink;
	void *arg;
	uint64_t len;
};

static int check_part(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct piece_check *c = arg;

	sha256_update(c->sha, bytes, len);
	c->len += len;
	return c->sink(c->arg, bytes, len, err);
}

/* The bytes of a file, piece by piece, each compared with its digest. */
static int pour_file(struct restoring *s, const char *path, const json_t *file, place_sink sink,
    void *arg, struct ark_error *err)
{
	struct piece_check c = {.sha = sha256_new(), .sink = sink, .arg = arg};
	json_t *piece;
	size_t i;
	int rc = c.sha ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to read from a backup");

	json_array_foreach(json_object_get(file, "pieces"), i, piece)
	{
		const char *said = json_string_value(json_array_get(piece, 0));
		char name[PLACE_NAME_MAX], hex[65];
		unsigned char sha[32];

		if (rc)
			break;
		c.len = 0;
		snprintf(name, sizeof(name), "objects/%s", said);
		rc = place_get(s->place, name, check_part, &c, err);
		sha256_final(c.sha, sha);
		hex_encode(hex, sha, 32);
		if (!rc && (strcmp(hex, said) != 0 ||
			       c.len != (uint64_t)json_integer_value(json_array_get(piece, 1))))
			rc = ark_fail(err, ARK_ECORRUPT,
			    "object %s of the backup is damaged (a part of %s); use another copy, "
			    "or "
			    "another point",
			    said, path);
		s->sum->objects += !rc;
		s->sum->bytes += c.len;
	}
	sha256_free(c.sha);
	return rc;
}

static int open_new(const struct restoring *s, const char *path, int *ret, struct ark_error *err)
{
	char whole[4096], *slash;
	int fd, rc = fs_path(whole, err, "%s/%s", s->r->dir, path);

	if (rc)
		return rc;
	slash = strrchr(whole, '/');
	*slash = '\0';
	rc = fs_mkdirs(whole, 0700, err);
	*slash = '/';
	if (rc)
		return rc;
	fd = open(whole, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot write %s", whole);
	*ret = fd;
	return ARK_OK;
}

static int to_fd(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	return fs_write_all(*(const int *)arg, bytes, len, err);
}

/* What a segment has behind its frames: written, not left as a hole, so that its next frames need no room. */
static int write_zeros(int fd, uint64_t len, struct ark_error *err)
{
	static const char zeros[PLACE_BLOCK];
	int rc = ARK_OK;

	while (!rc && len) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		rc = fs_write_all(fd, zeros, n, err);
		len -= n;
	}
	return rc;
}

static int write_file(
    struct restoring *s, const char *path, const json_t *file, struct ark_error *err)
{
	uint64_t size = (uint64_t)json_integer_value(json_object_get(file, "size"));
	int fd, rc = open_new(s, path, &fd, err);

	if (rc)
		return rc;
	rc = pour_file(s, path, file, to_fd, &fd, err);
	if (!rc)
		rc = write_zeros(fd, size - pieces_length(file), err);
	close(fd);
	return rc;
}

struct tiles {
	struct restoring *s;
	char log[64]; /* "ledger/history" */
	struct tile_id id;
	size_t tile, have;
	char bytes[MERKLE_WIDTH * BUNDLE_ENTRY];
};

static int write_tile(struct tiles *t, struct ark_error *err)
{
	char tile[TILE_PATH_MAX], path[TILE_PATH_MAX + 80];
	int fd, rc;

	tile_path_format(tile, &t->id);
	snprintf(path, sizeof(path), "%s/%s", t->log, tile);
	rc = open_new(t->s, path, &fd, err);
	if (rc)
		return rc;
	rc = fs_write_all(fd, t->bytes, t->tile, err);
	close(fd);
	t->id.n++;
	t->have = 0;
	return rc;
}

static int cut_tiles(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct tiles *t = arg;
	const char *at = bytes;
	int rc = ARK_OK;

	while (!rc && len) {
		size_t n = t->tile - t->have < len ? t->tile - t->have : len;

		memcpy(t->bytes + t->have, at, n);
		t->have += n;
		at += n;
		len -= n;
		if (t->have == t->tile)
			rc = write_tile(t, err);
	}
	return rc;
}

/* "ledger/history/tile/0": its full tiles, one behind the other */
static int write_tiles(
    struct restoring *s, const char *path, const json_t *file, struct ark_error *err)
{
	const char *tile = strstr(path, "/tile/");
	json_int_t size = json_integer_value(json_object_get(file, "tile"));
	struct tiles *t = calloc(1, sizeof(*t));
	unsigned int level = 0;
	char end;
	int rc = t ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for tiles");

	if (!rc && (!tile || (size_t)(tile - path) >= sizeof(t->log) || size <= 0 ||
		       (size_t)size > sizeof(t->bytes)))
		rc = ark_fail(err, ARK_EREFUSED, "%s: these are no tiles", path);
	if (!rc) {
		memcpy(t->log, path, (size_t)(tile - path));
		t->s = s;
		t->tile = (size_t)size;
		t->id.width = MERKLE_WIDTH;
		if (strcmp(tile, "/tile/entries") == 0)
			t->id.level = TILE_ENTRIES;
		/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
		else if (sscanf(tile, "/tile/%2u%c", &level, &end) == 1)
			t->id.level = (int)level;
		else
			rc = ark_fail(err, ARK_EREFUSED, "%s: these are no tiles", path);
	}
	if (!rc)
		rc = pour_file(s, path, file, cut_tiles, t, err);
	free(t);
	return rc;
}

static int write_ref(const struct restoring *s, struct ark_error *err)
{
	char line[64];
	int fd, n, rc = open_new(s, "archive.git/refs/heads/main", &fd, err);

	if (rc)
		return rc;
	n = snprintf(line, sizeof(line), "%.40s\n", json_text(s->m.head, "commit"));
	rc = fs_write_all(fd, line, (size_t)n, err);
	close(fd);
	return rc;
}

/* What stands there without files. */
static int make_dirs(const struct restoring *s, struct ark_error *err)
{
	static const char *const names[] = {"derived", "index", "spool", "run",
	    "archive.git/objects/info", "archive.git/objects/pack", "archive.git/refs/heads",
	    "archive.git/refs/tags", "ledger/history/segments", "ledger/history/tile",
	    "ledger/access/segments", "ledger/access/tile"};
	char path[4096];
	int rc = fs_mkdirs(s->r->dir, 0700, err);

	if (!rc) {
		int empty = fs_dir_empty(s->r->dir, err);

		if (empty <= 0)
			return empty ? empty
				     : ark_fail(err, ARK_EREFUSED,
					   "%s is not empty; name a new or an empty directory",
					   s->r->dir);
	}
	for (size_t i = 0; !rc && i < sizeof(names) / sizeof(*names); i++) {
		rc = fs_path(path, err, "%s/%s", s->r->dir, names[i]);
		if (!rc)
			rc = fs_mkdirs(path, 0700, err);
	}
	return rc;
}

/* One sync for all: nothing here is an archive before arkki.conf is there, which comes after. */
static int sync_all(const char *dir, struct ark_error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = ARK_OK;

	if (fd < 0 || syncfs(fd) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot sync %s", dir);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int write_all(struct restoring *s, struct ark_error *err)
{
	static const char conf[] = "arkki.conf";
	const char *path;
	json_t *file;
	uint64_t done = 0;
	int rc = make_dirs(s, err);

	json_object_foreach(s->m.files, path, file)
	{
		if (rc)
			break;
		if (strcmp(path, conf) == 0)
			continue;
		rc = json_object_get(file, "tile") ? write_tiles(s, path, file, err)
						   : write_file(s, path, file, err);
		if (s->r->progress && ++done % 256 == 0)
			s->r->progress(s->r->arg, "files", done, s->sum->files);
	}
	if (!rc)
		rc = copy_keys(s, err);
	if (!rc)
		rc = write_ref(s, err);
	if (!rc)
		rc = sync_all(s->r->dir, err);
	file = json_object_get(s->m.files, conf);
	if (!rc && !file)
		rc = ark_fail(err, ARK_EREFUSED, "the restore point has no arkki.conf");
	if (!rc)
		rc = write_file(s, conf, file, err);
	return rc ? rc : sync_all(s->r->dir, err);
}

/* ---- the story ---- */

/* Said before anything is read over the network; make_dirs() asks once more. */
static int refuse_full(const char *dir, struct ark_error *err)
{
	int empty = fs_exists(dir) ? fs_dir_empty(dir, err) : 1;

	if (empty > 0)
		return ARK_OK;
	return empty ? empty
		     : ark_fail(err, ARK_EREFUSED,
			   "%s is not empty; name a new or an empty directory", dir);
}

int backup_restore(
    const struct restore_request *r, struct backup_summary *ret, struct ark_error *err)
{
	struct backup_summary sum = {0};
	struct restoring s = {.r = r, .sum = &sum};
	int rc = refuse_full(r->dir, err);

	if (!rc)
		rc = place_open(r->place, PLACE_READ, &s.place, err);
	if (!rc)
		rc = judge(&s, err);
	if (!rc) {
		manifest_summary(&s.m, &sum);
		rc = write_all(&s, err);
	}
	if (!rc)
		*ret = sum;
	manifest_free(&s.m);
	have_free(s.have);
	place_close(s.place);
	return rc;
}

static int compare_number(const char *what, uint64_t has, uint64_t said, struct ark_error *err)
{
	return has == said ? ARK_OK
			   : ark_fail(err, ARK_ECORRUPT,
				 "the restored archive has %llu %s and the restore point %llu",
				 (unsigned long long)has, what, (unsigned long long)said);
}

int backup_first_open(
    const struct restore_request *r, const struct backup_summary *point, struct ark_error *err)
{
	struct archive *a = NULL;
	struct store_head head = {0};
	int rc = archive_open(r->dir, r->root_key, ARCHIVE_REBUILD, r->progress, r->arg, &a, err);

	if (!rc)
		store_head(a->store, &head);
	if (!rc)
		rc = compare_number("commits", head.sequence, point->sequence, err);
	if (!rc)
		rc =
		    compare_number("history entries", ledger_size(a->history), point->history, err);
	if (!rc && ledger_size(a->access) < point->access)
		rc = compare_number("access entries", ledger_size(a->access), point->access, err);
	archive_close(a);
	return rc;
}
