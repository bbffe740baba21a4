/* Files of an archive into pieces of a backup. What the place holds already, by its digest, is not brought there again: so a
 * run that was cut goes on, and equal files lie there once. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/backup_private.h"
#include "archive/ledger_tiles.h"
#include "arkki/archive/seal.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { SMALL_MAX = 64 << 20, TELL_EVERY = 8 << 20 };

/* ---- bytes that are read twice: hashed, and sent when they are new ---- */

struct source {
	place_source read;
	void (*rewind)(void *arg);
	void *arg;
};

static int hash(const struct source *s, uint64_t len, char out[65], struct ark_error *err)
{
	struct sha256 *h = sha256_new();
	char *block = malloc(PLACE_BLOCK);
	unsigned char sha[32];
	int rc = h && block ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to read for a backup");

	s->rewind(s->arg);
	while (!rc && len) {
		size_t n = len < PLACE_BLOCK ? (size_t)len : PLACE_BLOCK;

		rc = s->read(s->arg, block, n, err);
		if (!rc)
			sha256_update(h, block, n);
		len -= n;
	}
	if (!rc) {
		sha256_final(h, sha);
		hex_encode(out, sha, 32);
	}
	sha256_free(h);
	free(block);
	return rc;
}

/* A source on its way to the place: over a slow line an object takes minutes. */
struct sending {
	const struct source *from;
	struct taking *t;
	uint64_t done;
};

static int read_and_tell(void *arg, void *out, size_t want, struct ark_error *err)
{
	struct sending *s = arg;
	uint64_t brought = s->t->sum->bytes + s->done;

	if (s->t->progress && brought - s->t->told >= TELL_EVERY) {
		s->t->told = brought;
		s->t->progress(s->t->arg, "bytes brought", brought, 0);
	}
	s->done += want;
	return s->from->read(s->from->arg, out, want, err);
}

static int take_piece(
    struct taking *t, const struct source *s, uint64_t len, json_t *pieces, struct ark_error *err)
{
	char hex[65], name[PLACE_NAME_MAX];
	struct sending sending = {s, t, 0};
	json_t *piece;
	int rc = hash(s, len, hex, err);

	if (!rc && !have_object(t->have, hex, len)) {
		snprintf(name, sizeof(name), "objects/%s", hex);
		s->rewind(s->arg);
		rc = place_put(t->place, name, len, read_and_tell, &sending, err);
		t->sum->objects += !rc;
		t->sum->bytes += rc ? 0 : len;
	}
	if (rc)
		return rc;
	piece = json_pack("[s,I]", hex, (json_int_t)len);
	if (!piece || json_array_append_new(pieces, piece) < 0)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	return rc;
}

/* Takes over `pieces`. tile 0: not tiles. */
static int add_file(struct taking *t, const char *path, uint64_t size, uint64_t tile,
    json_t *pieces, struct ark_error *err)
{
	json_t *file = json_pack("{s:I,s:o}", "size", (json_int_t)size, "pieces", pieces);
	int rc = file ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a manifest");

	if (!rc && tile && json_object_set_new(file, "tile", json_integer((json_int_t)tile)) < 0)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	if (!rc && json_object_set(t->files, path, file) < 0)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	json_decref(file);
	return rc;
}

/* The pieces of the point before, when all of them are still there and are no more than `len`; else none.
 * *ret_len: their bytes. */
static json_t *pieces_before(
    const struct taking *t, const char *path, uint64_t len, uint64_t *ret_len)
{
	const json_t *file = t->before ? json_object_get(t->before, path) : NULL;
	uint64_t sum = file ? pieces_length(file) : UINT64_MAX;
	json_t *piece, *pieces = json_object_get(file, "pieces");
	size_t i;

	*ret_len = 0;
	if (sum > len)
		return json_array();
	json_array_foreach(pieces, i, piece)
	{
		if (!have_object(t->have, json_string_value(json_array_get(piece, 0)),
			(uint64_t)json_integer_value(json_array_get(piece, 1))))
			return json_array();
	}
	*ret_len = sum;
	return json_deep_copy(pieces);
}

/* ---- from memory ---- */

struct memory {
	const char *bytes;
	size_t at;
};

static int read_memory(void *arg, void *out, size_t want, struct ark_error *err)
{
	struct memory *m = arg;

	(void)err;
	memcpy(out, m->bytes + m->at, want);
	m->at += want;
	return ARK_OK;
}

static void rewind_memory(void *arg)
{
	((struct memory *)arg)->at = 0;
}

int take_bytes(
    struct taking *t, const char *path, const void *bytes, size_t len, struct ark_error *err)
{
	struct memory m = {bytes, 0};
	const struct source s = {read_memory, rewind_memory, &m};
	json_t *pieces = json_array();
	int rc = pieces ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a manifest");

	if (!rc && len)
		rc = take_piece(t, &s, len, pieces, err);
	if (rc) {
		json_decref(pieces);
		return rc;
	}
	return add_file(t, path, len, 0, pieces, err);
}

int take_small(struct taking *t, const char *path, struct ark_error *err)
{
	struct buf bytes = BUF_INIT;
	char whole[4096];
	int rc = fs_path(whole, err, "%s/%s", t->dir, path);

	if (!rc)
		rc = fs_read_file(whole, SMALL_MAX, &bytes, err);
	if (!rc)
		rc = take_bytes(t, path, bytes.data ? bytes.data : "", bytes.len, err);
	buf_free(&bytes);
	return rc;
}

/* ---- from a file ---- */

struct range {
	int fd;
	uint64_t from, at;
};

static int read_range(void *arg, void *out, size_t want, struct ark_error *err)
{
	struct range *r = arg;
	int rc = fs_pread_all(r->fd, out, want, r->at, err);

	r->at += want;
	return rc;
}

static void rewind_range(void *arg)
{
	struct range *r = arg;

	r->at = r->from;
}

int take_grown(
    struct taking *t, const char *path, int fd, uint64_t end, uint64_t size, struct ark_error *err)
{
	uint64_t from;
	json_t *pieces = pieces_before(t, path, end, &from);
	struct range r = {fd, from, from};
	const struct source s = {read_range, rewind_range, &r};
	int rc = pieces ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a manifest");

	if (!rc && end > from)
		rc = take_piece(t, &s, end - from, pieces, err);
	if (rc) {
		json_decref(pieces);
		return rc;
	}
	return add_file(t, path, size, 0, pieces, err);
}

int take_fixed(struct taking *t, const char *path, struct ark_error *err)
{
	char whole[4096];
	struct stat st;
	int fd, rc = fs_path(whole, err, "%s/%s", t->dir, path);

	if (rc)
		return rc;
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ark_fail_errno(
		    err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot read %s", whole);
	if (fstat(fd, &st) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot read %s", whole);
	else
		rc = take_grown(t, path, fd, (uint64_t)st.st_size, (uint64_t)st.st_size, err);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	return rc;
}

/* ---- tiles, as one file a level ---- */

struct tiles {
	char dir[4096];
	int level;
	size_t tile; /* its bytes */
	uint64_t from, next;
	struct buf bytes; /* of the tile that is being read */
	size_t at;
};

static int read_tiles(void *arg, void *out, size_t want, struct ark_error *err)
{
	struct tiles *s = arg;
	char *to = out;

	while (want) {
		size_t n = s->bytes.len - s->at;
		int rc;

		if (n == 0) {
			const struct tile_id id = {s->level, s->next, MERKLE_WIDTH};

			buf_clear(&s->bytes);
			s->at = 0;
			rc = tile_read(s->dir, &id, &s->bytes, err);
			if (rc)
				return rc == ARK_ENOTFOUND ? ARK_ECORRUPT : rc;
			s->next++;
			continue;
		}
		n = n < want ? n : want;
		memcpy(to, s->bytes.data + s->at, n);
		s->at += n;
		to += n;
		want -= n;
	}
	return ARK_OK;
}

static void rewind_tiles(void *arg)
{
	struct tiles *s = arg;

	buf_clear(&s->bytes);
	s->at = 0;
	s->next = s->from;
}

int take_tiles(struct taking *t, const char *log, int level, uint64_t count, struct ark_error *err)
{
	struct tiles tiles = {.level = level,
	    .tile = MERKLE_WIDTH *
		    (size_t)(level == TILE_ENTRIES ? BUNDLE_ENTRY : sizeof(struct merkle_hash))};
	const struct source s = {read_tiles, rewind_tiles, &tiles};
	uint64_t len = count * tiles.tile, before;
	char path[64];
	json_t *pieces;
	int rc;

	if (level == TILE_ENTRIES)
		snprintf(path, sizeof(path), "ledger/%s/tile/entries", log);
	else
		snprintf(path, sizeof(path), "ledger/%s/tile/%d", log, level);
	rc = fs_path(tiles.dir, err, "%s/ledger/%s", t->dir, log);
	if (rc)
		return rc;
	pieces = pieces_before(t, path, len, &before);
	tiles.from = before / tiles.tile;
	if (!pieces)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	else if (before % tiles.tile)
		rc = ark_fail(err, ARK_ECORRUPT, "a tile was cut in the point before; use --full");
	if (!rc && len > before)
		rc = take_piece(t, &s, len - before, pieces, err);
	buf_free(&tiles.bytes);
	if (rc) {
		json_decref(pieces);
		return rc;
	}
	return add_file(t, path, len, tiles.tile, pieces, err);
}
