/* The bytes of pending uploads: pieces sealed one by one, appended, read, and cut off where they do not open. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/uploads_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum {
	HEAD = 4,
	SEALED_MAX = SEAL_HEADER_SIZE + PENDING_PIECE +
		     (PENDING_PIECE / SEAL_CHUNK_SIZE + 1) * SEAL_TAG_SIZE,
	FLUSH_EVERY = 8 << 20,
};

struct pending_file {
	struct pending_place place;
	struct pending_row row; /* offset, pieces, file_len, hash: of what is written */
	uint64_t noted;         /* offset as the row of state.sqlite has it */
	uint64_t begun;         /* bytes of the file whose writing to the disk was begun */
	uint64_t held_len;      /* of the file, when row.held: where it is cut off */
	struct buf piece;       /* plain bytes of the next piece */
	struct buf sealed;
	enum pending_mode mode;
	bool failed;
	bool holding; /* pending_hold() was here: a row that says so may be another's */
	int fd;
};

static void context_of(const struct pending_row *r, uint64_t piece, uint64_t at, char out[128])
{
	snprintf(out, 128, "arkki upload %s piece %llu at %llu", r->p.id, (unsigned long long)piece,
	    (unsigned long long)at);
}

/* ---- reading a piece ---- */

/* Piece n, which begins at `pos` of the file and at byte `at` of the upload, opened into f->piece. Its length in the
 * file into *ret_len. ARK_ECORRUPT: there is none whole. */
static int open_piece(struct pending_file *f, uint64_t n, uint64_t pos, uint64_t at,
    uint64_t *ret_len, struct ark_error *err)
{
	unsigned char head[HEAD];
	char context[128];
	uint32_t len;
	int rc = fs_pread_all(f->fd, head, sizeof(head), pos, err);

	if (rc)
		return rc;
	len = be32_get(head);
	if (len <= SEAL_HEADER_SIZE || len > SEALED_MAX)
		return ark_fail(err, ARK_ECORRUPT, "a piece of an upload has no length");
	buf_clear(&f->sealed);
	buf_clear(&f->piece);
	if (!buf_reserve(&f->sealed, len) || !buf_reserve(&f->piece, PENDING_PIECE))
		return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	rc = fs_pread_all(f->fd, f->sealed.data, len, pos + HEAD, err);
	context_of(&f->row, n, at, context);
	if (!rc)
		rc = seal_open_bytes(&f->row.key, context, f->sealed.data, len, &f->piece, err);
	if (!rc && (!f->piece.len || f->piece.len > PENDING_PIECE))
		rc = ark_fail(err, ARK_ECORRUPT, "a piece of an upload is empty");
	*ret_len = HEAD + (uint64_t)len;
	return rc;
}

/* Takes in the pieces behind what the row knows, to the first that does not open. */
static int follow(struct pending_file *f, struct ark_error *err)
{
	struct pending_row *r = &f->row;
	struct ark_error why;
	uint64_t len;
	int rc = ARK_OK;

	for (;;) {
		rc = open_piece(f, r->pieces, r->file_len, r->p.offset, &len, &why);
		if (rc || f->piece.len > r->p.length - r->p.offset)
			break;
		crypto_hash_sha256_update(
		    &r->hash, (const unsigned char *)f->piece.data, f->piece.len);
		r->p.offset += f->piece.len;
		r->file_len += len;
		r->pieces++;
	}
	buf_clear(&f->piece);
	if (rc && rc != ARK_ECORRUPT)
		return ark_fail(err, rc, "%s", why.text);
	return ARK_OK;
}

/* ---- opening ---- */

static int open_file(struct pending_file *f, struct ark_error *err)
{
	char path[4096], dir[4096];
	bool there;
	int how = f->mode == PENDING_APPEND ? LOCK_EX : LOCK_SH;
	int rc = pending_path(&f->place, f->row.p.id, path, err);

	if (!rc)
		rc = pending_path(&f->place, NULL, dir, err);
	if (rc)
		return rc;
	there = fs_exists(path);
	/* a backup leaves the spool out, and with it the folder */
	if (!there && !fs_exists(dir))
		rc = fs_mkdir(dir, 0700, err);
	if (!rc)
		f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (!rc && f->fd < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot open an upload");
	if (!rc && !there)
		rc = fs_sync_dir(dir, err);
	if (!rc && flock(f->fd, how | LOCK_NB) != 0)
		rc = ark_fail(err, ARK_ECONFLICT, "another request sends bytes of this upload");
	return rc;
}

uint64_t pending_room(uint64_t length)
{
	return length + length / 512 + (UINT64_C(64) << 10);
}

int pending_reserve(struct pending_file *f, struct ark_error *err)
{
	uint64_t room = pending_room(f->row.p.length);
	int rc;

	if (f->row.p.length == PENDING_OPEN)
		return ARK_OK;
	do
		rc = fallocate(f->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)room);
	while (rc != 0 && errno == EINTR);
	/* a file system that reserves nothing is no reason to refuse */
	if (rc != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return ark_fail(err, ARK_EREFUSED, "there is no room for the upload");
	return ARK_OK;
}

static int cut(struct pending_file *f, uint64_t len, struct ark_error *err)
{
	if (ftruncate(f->fd, (off_t)len) != 0)
		return ark_fail_errno(err, ARK_EIO, "cannot cut off the end of an upload");
	(void)!pending_reserve(f, NULL); /* which the cut has given back */
	return ARK_OK;
}

/* The bytes that were held must not be there any more when the row no longer says it. */
static int let_go(struct pending_file *f, struct ark_error *err)
{
	int rc = cut(f, f->row.file_len, err);

	if (!rc)
		rc = fs_sync_file(f->fd, "an upload", err);
	f->row.held = false;
	return rc ? rc : pending_row_move(&f->place, &f->row, false, err);
}

/* What the row says of the file, or the beginning where the file has less. */
static int begin_at(struct pending_file *f, struct ark_error *err)
{
	struct pending_row *r = &f->row;
	struct stat st;
	int rc;

	if (fstat(f->fd, &st) != 0)
		return ark_fail_errno(err, ARK_EIO, "cannot look at an upload");
	f->noted = r->p.offset;
	if ((uint64_t)st.st_size < r->file_len) {
		r->p.offset = r->pieces = r->file_len = 0;
		f->noted = UINT64_MAX;
		crypto_hash_sha256_init(&r->hash);
	}
	if (r->held)
		rc = f->mode == PENDING_APPEND ? let_go(f, err) : ARK_OK;
	else
		rc = follow(f, err);
	if (!rc && f->mode == PENDING_APPEND && (uint64_t)st.st_size > r->file_len)
		rc = cut(f, r->file_len, err);
	f->begun = r->file_len;
	return rc;
}

int pending_open(const struct pending_place *place, const char *user, const char *id,
    enum pending_mode mode, struct pending_file **ret, struct ark_error *err)
{
	struct pending_file *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	*f = (struct pending_file){.place = *place, .mode = mode, .fd = -1};
	rc = pending_row_get(place, user, id, &f->row, err);
	if (!rc && !f->row.p.document[0])
		rc = open_file(f, err);
	/* once more, under the lock: another may have moved or filed it meanwhile */
	if (!rc && !f->row.p.document[0]) {
		pending_row_free(&f->row);
		f->row = (struct pending_row){0};
		rc = pending_row_get(place, user, id, &f->row, err);
	}
	if (!rc && f->row.p.document[0])
		rc = ark_fail(err, ARK_EREFUSED, "the upload was filed");
	if (!rc)
		rc = begin_at(f, err);
	if (rc) {
		f->failed = true;
		pending_close(f);
		return rc;
	}
	*ret = f;
	return ARK_OK;
}

uint64_t pending_offset(const struct pending_file *f)
{
	return f->row.p.offset + (f->mode == PENDING_APPEND ? f->piece.len : 0);
}

uint64_t pending_length(const struct pending_file *f)
{
	return f->row.p.length;
}

/* ---- appending ---- */

static int write_piece(struct pending_file *f, struct ark_error *err)
{
	struct pending_row *r = &f->row;
	char context[128];
	int rc;

	if (!f->piece.len)
		return ARK_OK;
	context_of(r, r->pieces, r->p.offset, context);
	buf_clear(&f->sealed);
	buf_add_be(&f->sealed, 0, HEAD);
	rc = seal_bytes(&r->key, context, f->piece.data, f->piece.len, &f->sealed, err);
	if (!rc && buf_failed(&f->sealed))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	if (!rc) {
		be32_put(f->sealed.data, (uint32_t)(f->sealed.len - HEAD));
		rc = fs_pwrite_all(f->fd, f->sealed.data, f->sealed.len, r->file_len, err);
	}
	if (rc) {
		f->failed = true;
		return rc;
	}
	crypto_hash_sha256_update(&r->hash, (const unsigned char *)f->piece.data, f->piece.len);
	r->p.offset += f->piece.len;
	r->file_len += f->sealed.len;
	r->pieces++;
	buf_clear(&f->piece);
	/* the disk begins now, so that the sync at the end has little to wait for */
	if (r->file_len - f->begun >= FLUSH_EVERY) {
		(void)sync_file_range(
		    f->fd, (off_t)f->begun, (off_t)(r->file_len - f->begun), SYNC_FILE_RANGE_WRITE);
		f->begun = r->file_len;
	}
	return ARK_OK;
}

int pending_append(struct pending_file *f, const void *bytes, size_t len, struct ark_error *err)
{
	const unsigned char *at = bytes;
	int rc = ARK_OK;

	if (f->failed)
		return ark_fail(err, ARK_EIO, "the upload cannot be written");
	if (len > f->row.p.length - pending_offset(f))
		return ark_fail(err, ARK_EINPUT, "there are more bytes than Upload-Length says");
	if (len && !buf_reserve(&f->piece, PENDING_PIECE - f->piece.len))
		return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	while (!rc && len) {
		size_t take = PENDING_PIECE - f->piece.len;

		take = take < len ? take : len;
		buf_add(&f->piece, at, take);
		at += take;
		len -= take;
		if (f->piece.len == PENDING_PIECE)
			rc = write_piece(f, err);
	}
	return rc;
}

int pending_hold(struct pending_file *f, struct ark_error *err)
{
	int rc = f->failed ? ark_fail(err, ARK_EIO, "the upload cannot be written")
			   : write_piece(f, err);

	if (!rc && f->noted != f->row.p.offset)
		rc = fs_sync_file(f->fd, "an upload", err);
	f->row.held = true;
	f->held_len = f->row.file_len;
	f->holding = true;
	if (!rc)
		rc = pending_row_move(&f->place, &f->row, false, err);
	f->failed = rc != ARK_OK;
	f->noted = f->row.p.offset;
	return rc;
}

int pending_sync(struct pending_file *f, struct ark_error *err)
{
	int rc = f->failed ? ark_fail(err, ARK_EIO, "the upload cannot be written")
			   : write_piece(f, err);

	bool lazily = !f->row.held;

	if (!rc && f->noted == f->row.p.offset && lazily)
		return ARK_OK;
	if (!rc)
		rc = fs_sync_file(f->fd, "an upload", err);
	f->row.held = false;
	/* lazily: where the row is behind after a crash, the pieces say how far it was; not those that were held */
	if (!rc)
		rc = pending_row_move(&f->place, &f->row, lazily, err);
	f->failed = rc != ARK_OK;
	f->noted = f->row.p.offset;
	return rc;
}

int pending_note(struct pending_file *f, struct ark_error *err)
{
	int rc = f->failed ? ark_fail(err, ARK_EIO, "the upload cannot be written")
			   : write_piece(f, err);

	return rc ? rc : pending_row_move(&f->place, &f->row, true, err);
}

int pending_end(struct pending_file *f, struct ark_error *err)
{
	int rc = f->failed ? ark_fail(err, ARK_EIO, "the upload cannot be written")
			   : write_piece(f, err);

	if (!rc)
		rc = fs_sync_file(f->fd, "an upload", err);
	f->row.p.length = f->row.p.offset;
	return rc ? rc : pending_row_move(&f->place, &f->row, false, err);
}

/* ---- reading ---- */

int pending_read(struct pending_file *f, uint64_t max,
    int (*take)(void *arg, const void *bytes, size_t len, struct ark_error *err), void *arg,
    struct ark_error *err)
{
	uint64_t pos = 0, at = 0, len;
	int rc = ARK_OK;

	for (uint64_t n = 0; !rc && at < max && at < f->row.p.offset; n++) {
		rc = open_piece(f, n, pos, at, &len, err);
		if (rc)
			break;
		rc = take(arg, f->piece.data,
		    f->piece.len < max - at ? f->piece.len : (size_t)(max - at), err);
		at += f->piece.len;
		pos += len;
	}
	if (f->piece.data)
		sodium_memzero(f->piece.data, f->piece.cap);
	buf_clear(&f->piece);
	return rc;
}

void pending_digest(const struct pending_file *f, unsigned char ret[32])
{
	crypto_hash_sha256_state h = f->row.hash;

	crypto_hash_sha256_final(&h, ret);
}

void pending_close(struct pending_file *f)
{
	if (!f)
		return;
	if (f->holding && f->row.held)
		(void)cut(f, f->held_len, NULL); /* where it fails the row says so */
	else if (f->mode == PENDING_APPEND && !f->failed && write_piece(f, NULL))
		f->failed = true; /* what was not answered for may be lost */
	fs_unlock_close(f->fd);
	pending_row_free(&f->row);
	buf_wipe_free(&f->piece);
	buf_free(&f->sealed);
	free(f);
}
