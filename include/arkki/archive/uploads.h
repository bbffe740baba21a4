/* Pending uploads: bytes that come in several requests, kept sealed until they are filed.
 *
 * What is known of one (owner, length, name, draft, what it became) is a sealed row of state.sqlite, its bytes are
 * SPOOL/uploads/<id>: pieces, each sealed by itself under the upload's own key, which is in the row alone. Deleting the
 * row makes the bytes unreadable.
 *
 *   file  = piece_0 || piece_1 || …
 *   piece = length[4] || sealed[length]     (big-endian; 1 to 1 MiB plain bytes, sealed as in seal.h)
 *   context of piece n, whose first byte is byte `at` of the upload: "arkki upload <id> piece <n> at <at>"
 *
 * Invariants:
 *   1. The row's offset is of bytes that are synced: it is written after the sync. (Of an upload whose length is not known
 *      yet nothing is promised before its end.)
 *   2. Behind that there may be more pieces. Opening the upload opens them; from the first that does not open the
 *      file is cut off. So a torn end costs what was not answered for, and nothing else.
 *   3. An upload that became a document has no file any more.
 *   4. While bytes come that are held (pending_hold()) the row says so, and nothing behind its offset is taken in.
 *
 * It knows bytes and owners; not what a caller may do, nor HTTP.
 *
 * Threads:    any. One upload is appended to by one thread at a time, and not while it is read (a lock of the file).
 * Durability: pending_sync(), pending_hold(), pending_end(), pending_became(), pending_draft() and pending_new() are durable when they return.
 */
#ifndef ARKKI_ARCHIVE_UPLOADS_H
#define ARKKI_ARCHIVE_UPLOADS_H

#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/state.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

/* PENDING_OPEN as a length: it is known at the end. */
#define PENDING_OPEN UINT64_MAX

enum {
	PENDING_PIECE = 1 << 20, /* plain bytes of a piece, at most */
	PENDING_NAME_MAX = 1000, /* bytes of a file name */
	PENDING_TYPE_MAX = 255,
	PENDING_DRAFT_MAX = 64 << 10,
	PENDING_DAYS = 7, /* from the last change until it is removed */
};

struct pending_place {
	struct state *state;
	const char *spool; /* DIR/spool */
};

struct pending {
	char id[33], user[65];
	uint64_t length, offset;      /* complete when equal */
	char *file_name, *media_type; /* may be NULL */
	char *draft;                  /* JSON text, NULL: none */
	char document[33];            /* that it became; "": none yet */
	uint32_t version;             /* of it */
	int64_t changed_us, ends_us;
};
void pending_free(struct pending *p); /* what it holds */

/* wish: user, length, file_name, media_type, draft. ret_id: 33 bytes. */
ARK_MUSTUSE int pending_new(const struct pending_place *place, const struct pending *wish,
    char ret_id[33], struct ark_error *err);
/* ARK_ENOTFOUND: there is none of this user's, or it has expired. What it holds is the caller's. */
ARK_MUSTUSE int pending_get(const struct pending_place *place, const char *user, const char *id,
    struct pending *ret, struct ark_error *err);
/* The user's (NULL: everybody's) that have not expired, filed ones too, in no order; borrowed. What `each` returns but 0 ends it and is returned.
 * `each` calls nothing of the state's. */
ARK_MUSTUSE int pending_each(const struct pending_place *place, const char *user,
    int (*each)(void *arg, const struct pending *p), void *arg, struct ark_error *err);
/* Bytes of the disk that all uploads together may still take beside those that they have, or have reserved. */
ARK_MUSTUSE int pending_promised(
    const struct pending_place *place, uint64_t *ret_bytes, struct ark_error *err);
/* was: the draft that this one was made of, as pending_get() gave it ("": none); NULL: whichever. json: NULL takes the draft
 * away. ARK_EINPUT: longer than PENDING_DRAFT_MAX; ARK_ECONFLICT: another was kept meanwhile. */
ARK_MUSTUSE int pending_draft(const struct pending_place *place, const char *user, const char *id,
    const char *was, const char *json, struct ark_error *err);
/* It was filed: the bytes go, the row says as what, until it expires. */
ARK_MUSTUSE int pending_became(const struct pending_place *place, const char *user, const char *id,
    const char *document, uint32_t version, struct ark_error *err);
/* ARK_ECONFLICT: it is being appended to or read. */
ARK_MUSTUSE int pending_remove(
    const struct pending_place *place, const char *user, const char *id, struct ark_error *err);
/* Removes what expired before now_us, and files that no row knows. */
ARK_MUSTUSE int pending_sweep(const struct pending_place *place, int64_t now_us,
    unsigned int *ret_removed, struct ark_error *err);

/* ---- the bytes ---- */

struct pending_file;
enum pending_mode { PENDING_APPEND, PENDING_READ };

/* ARK_ENOTFOUND as pending_get(); ARK_ECONFLICT: another appends (or, to append, reads); ARK_EREFUSED: it was filed, its bytes
 * are gone. */
ARK_MUSTUSE int pending_open(const struct pending_place *place, const char *user, const char *id,
    enum pending_mode mode, struct pending_file **ret, struct ark_error *err);
/* What comes next is byte pending_offset(); durable as far as pending_sync() said. */
uint64_t pending_offset(const struct pending_file *f);
uint64_t pending_length(const struct pending_file *f);
/* ARK_EINPUT: more than the upload's length (nothing of these bytes is taken). After another failure nothing more may be
 * appended. */
ARK_MUSTUSE int pending_append(
    struct pending_file *f, const void *bytes, size_t len, struct ark_error *err);
/* Takes the room of the whole upload on the disk, where the file system can: then nobody else gets it. ARK_EREFUSED: there is
 * not as much. */
ARK_MUSTUSE int pending_reserve(struct pending_file *f, struct ark_error *err);
/* What is appended from here on counts only with pending_sync(): where that does not come, by a close or a crash, the upload
 * is again where it is now. Durable. */
ARK_MUSTUSE int pending_hold(struct pending_file *f, struct ark_error *err);
/* Everything that was appended is durable, and the upload lives PENDING_DAYS from now. */
ARK_MUSTUSE int pending_sync(struct pending_file *f, struct ark_error *err);
/* Of an upload whose length is open: notes what was appended, without a sync. */
ARK_MUSTUSE int pending_note(struct pending_file *f, struct ark_error *err);
/* Of an upload whose length is open: this is its end. Then as pending_sync(). */
ARK_MUSTUSE int pending_end(struct pending_file *f, struct ark_error *err);
/* Gives the bytes from the beginning, at most max, in parts. ARK_ECORRUPT: a piece does not open; `take` has had all before
 * it. */
ARK_MUSTUSE int pending_read(struct pending_file *f, uint64_t max,
    int (*take)(void *arg, const void *bytes, size_t len, struct ark_error *err), void *arg,
    struct ark_error *err);
/* SHA-256 of the bytes up to pending_offset(). */
void pending_digest(const struct pending_file *f, unsigned char ret[32]);
/* Writes what is still in memory, without a sync; what is held is cut off. NULL is allowed. */
void pending_close(struct pending_file *f);

#endif
