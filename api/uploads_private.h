/* What uploads.c (tus), uploads_own.c (for the pages) and uploads_file.c (filing) share.
 *
 * Threads: those of the server.
 */
#ifndef ARKKI_API_UPLOADS_PRIVATE_H
#define ARKKI_API_UPLOADS_PRIVATE_H

#include "api/uploads.h"
#include "arkki/archive/uploads.h"

#define UPLOAD_LENGTH_MAX ((uint64_t)4 << 30)  /* bytes of one */
#define UPLOADS_BYTES_MAX ((uint64_t)64 << 30) /* of all that one account has here at a time */

static inline struct pending_place upload_place(struct archive *a)
{
	return (struct pending_place){archive_state(a), archive_spool_dir(a)};
}

enum {
	UPLOAD_NO_ROOM = 507
}; /* a status of these two beside ARK_E…: the disk has no room for so many bytes */

/* May this account have one more, of so many bytes (PENDING_OPEN: not known)? ARK_EREFUSED: it has too many; ARK_EIO: nothing
 * is filed now. */
ARK_MUSTUSE int upload_room(struct exchange *x, uint64_t length, struct ark_error *err);
/* The same once more, of one that is there: others may have begun at the same time. Its room is reserved; where there is none
 * it is removed. */
ARK_MUSTUSE int upload_promise(struct exchange *x, const char *id, struct ark_error *err);
/* Who files nothing keeps nothing here either. */
bool upload_permitted(const struct exchange *x);

/* 1: the caller's upload was filed before, as *document and *version, also when a crash kept its row from saying so; 0: it was
 * not, or there is no such upload. */
ARK_MUSTUSE int upload_filed_before(
    struct exchange *x, const char *id, char document[33], uint32_t *ret_version);
/* There is such an upload, filed or complete. before: hex SHA-256 of what it would follow, or NULL; *ret_same: it is not filed, and
 * has these bytes. False: replied. */
bool upload_ready(struct exchange *x, const char *id, const char *before, bool *ret_same);
/* Why uploads_file() filed nothing. */
void upload_reply_not_filed(struct exchange *x, int status, const char *message);

/* As uploads_file(), of metadata that is checked: fields is the normal form, taken over. */
void uploads_file_fields(struct exchange *x, const struct upload_filing *f, json_t *fields,
    void (*then)(struct exchange *x, int status, const char *document, uint32_t version,
	const char *message));

#endif
