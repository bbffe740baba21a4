/* Uploads that can be resumed: tus 1.0.0 (core, creation, creation-with-upload, termination, expiration), and what a
 * person has typed beside one, until it is filed.
 *
 * Bytes are sealed as they come, in DIR/spool/uploads/<id>, and an offset that was answered is durable. An upload belongs to
 * the account that began it, outlives a restart and a session, and is removed 7 days after its last change, when filed, or
 * by DELETE. It becomes content once: filing it again gives the document that it became.
 *
 * The draft is what its owner typed about it on the pages (JSON, sealed in state.sqlite): title, date, units, …
 *
 * Threads: any; one upload is appended to by one request at a time: the owner's newest (upload_turn.h; the older gets 423).
 * Sources: tus.io/protocols/resumable-upload 1.0.0; RFC 9530 for digests.
 */
#ifndef ARKKI_API_UPLOADS_H
#define ARKKI_API_UPLOADS_H

#include "api/app.h"

enum { UPLOADS_OF_ONE_MAX = 1000, UPLOAD_DRAFT_MAX = 64 << 10, UPLOAD_DAYS = 7 };

struct upload_state {
	char id[33];
	uint64_t length, offset; /* complete when equal */
	char *file_name;         /* raw UTF-8, may be NULL */
	char *media_type;        /* declared, may be NULL */
	json_t *draft;           /* an object */
	char document[33];       /* that it became; "": not filed */
	uint32_t version;
	int64_t changed_us;
};
void upload_state_free(struct upload_state *u);

/* ARK_ENOTFOUND: none of this caller's. */
ARK_MUSTUSE int uploads_get(
    struct exchange *x, const char *id, struct upload_state *ret, struct ark_error *err);
/* The caller's that are not filed, oldest first. */
ARK_MUSTUSE int uploads_each(struct exchange *x,
    int (*each)(void *arg, const struct upload_state *u), void *arg, struct ark_error *err);
/* Replaces the draft; borrowed. ARK_EINPUT when larger than UPLOAD_DRAFT_MAX as text. */
ARK_MUSTUSE int uploads_draft(
    struct exchange *x, const char *id, const json_t *draft, struct ark_error *err);
ARK_MUSTUSE int uploads_remove(struct exchange *x, const char *id, struct ark_error *err);

/* An upload that the server itself begins and fills, for a browser without script: ret_id 33 bytes. */
ARK_MUSTUSE int uploads_begin(struct exchange *x, const char *file_name, const char *media_type,
    char ret_id[33], struct ark_error *err);
/* Appends; durable only after uploads_end(), which makes it complete. */
ARK_MUSTUSE int uploads_append(
    struct exchange *x, const char *id, const void *bytes, size_t len, struct ark_error *err);
ARK_MUSTUSE int uploads_end(struct exchange *x, const char *id, struct ark_error *err);

/* Plain bytes from the beginning, at most max, for typing and for the text that proposals come from (the extraction's
 * sandbox gets them in a sealed memory file). */
ARK_MUSTUSE int uploads_read(
    struct exchange *x, const char *id, size_t max, struct buf *ret, struct ark_error *err);
/* SHA-256 of the plain bytes of a complete one: for the warning of a duplicate. */
ARK_MUSTUSE int uploads_digest(
    struct exchange *x, const char *id, unsigned char ret[32], struct ark_error *err);

/* Files a complete upload: as a new document (document NULL), as the next version on base_version/base_metadata, or as the public
 * rendition of version `rendition_of`. Waits without holding the thread, then calls then(x, status, document, version): ARK_OK, or
 * why not (err text in message); ARK_ECONFLICT with a document: it had been filed before as that. metadata: the contract's, taken
 * over. `file` must have been decided by the caller of this; it is decided once more at the end. ARK_ENOTFOUND: no such upload;
 * ARK_EINPUT: it is not complete, the metadata or the content is refused. For a rendition the visit must have found that
 * version and logged the look at it (v->row, v->receipt). What the visit holds as `more` is there again in then(). Without memory or a
 * thread 503 is replied, and then() is not called. */
struct upload_filing {
	const char *id, *document, *reason;
	uint32_t base_version, base_metadata, rendition_of;
	json_t *metadata;
};
void uploads_file(struct exchange *x, const struct upload_filing *f,
    void (*then)(struct exchange *x, int status, const char *document, uint32_t version,
	const char *message));

/* The use of the form token (page_form_token()) that the script sends in the header Arkki-Form to /{l}/uploads…, which are the
 * same handlers for a session: its page writes it as data-form. The script gives files that were chosen together one "batch" (32 hex
 * digits), which is what the draft of each has at first: {"batch":"…"}. */
#define UPLOADS_FORM "uploads"

/* handlers: OPTIONS POST /v1/uploads, HEAD PATCH DELETE /v1/uploads/{i}. Filing by the API: POST /v1/documents and
 * POST /v1/documents/{d}/versions with application/json {"upload":"<id>","metadata":{…}}. */
void uploads_options(struct exchange *x);
void uploads_post_begin(struct exchange *x);
void uploads_head(struct exchange *x);
void uploads_patch_begin(struct exchange *x);
void uploads_body(struct exchange *x, const char *bytes, size_t len);
void uploads_finish(struct exchange *x);
void uploads_delete(struct exchange *x);

#endif
