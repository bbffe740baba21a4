/* tus 1.0.0 over pending uploads: /v1/uploads for programs, /{l}/uploads for our own pages.
 *
 * Story of PATCH (the body streams):
 *   begin   is it tus, may this caller file, is there such an upload, does it end where the client goes on?
 *   body    sealed as it arrives, a piece of 1 MiB at a time
 *   finish  the last piece, the sync, the row: in a thread of its own; then the new offset
 * A connection that dies leaves what has come: closing the upload writes it, and the next HEAD or PATCH finds it. One that
 * is silent is not waited for: the next request takes its turn (upload_turn.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/job.h"
#include "api/pages/pages.h"
#include "api/tus.h"
#include "api/upload_turn.h"
#include "api/uploads_private.h"
#include "arkki/archive/filing.h"
#include "arkki/base/text.h"

enum { SYNC_MS = 5000 };

struct sending { /* one request that appends or asks how far it is */
	struct pending_place place;
	struct upload_turn *turn; /* NULL: nothing is appended */
	char user[65], id[33];
	bool fresh; /* a POST */
	bool empty; /* of a POST: it brought no bytes */
	uint64_t offset;
	int64_t ends_us;
	int status;
	struct ark_error err;
};

static void sending_free(void *arg)
{
	struct sending *s = arg;

	upload_turn_free(s->turn);
	free(s);
}

static struct sending *sending_new(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct sending *s = v ? calloc(1, sizeof(*s)) : NULL;

	if (!v)
		return NULL;
	if (!s) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	s->place = upload_place(v->app->archive);
	snprintf(s->user, sizeof(s->user), "%s", v->caller->who->access.user);
	v->more = s;
	v->more_free = sending_free;
	return s;
}

static struct sending *sending_of(struct exchange *x)
{
	const struct visit *v = http_data(x);

	return v->more;
}

/* ---- what every request has ---- */

static void reply_expiry(struct exchange *x, int64_t ends_us)
{
	char text[40];
	time_t at = (time_t)(ends_us / 1000000);
	struct tm tm;

	if (gmtime_r(&at, &tm) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		http_reply_header(x, "Upload-Expires", text);
}

static void reply_failure(struct exchange *x, const struct ark_error *err)
{
	switch (err->status) {
	case ARK_ENOTFOUND:
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		break;
	case ARK_ECONFLICT:
		http_reply_header(x, "Retry-After", "2");
		http_reply_problem(x, 423, "upload-in-use", err->text, NULL);
		break;
	case ARK_EINPUT:
		http_reply_problem(x, 413, "upload-too-long", err->text, NULL);
		break;
	case ARK_EREFUSED:
		http_reply_problem(x, 409, "upload-filed", err->text, NULL);
		break;
	default:
		http_reply_error(x, err);
	}
}

/* A page's script says in a header what a form has in a field. */
static bool form_sent(struct exchange *x)
{
	const char *given = http_header(x, "Arkki-Form");
	char form[33];

	page_form_token(app_of(x), UPLOADS_FORM, caller_of(x)->token_id, form);
	return page_same_origin(x) && given && strlen(given) == 32 && bytes_equal(given, form, 32);
}

/* The request is of this protocol, and of somebody who may file. False: replied. */
static bool admitted(struct exchange *x, bool changes)
{
	const char *version = http_header(x, "Tus-Resumable");

	http_reply_header(x, "Tus-Resumable", "1.0.0");
	if (!version || strcmp(version, "1.0.0") != 0) {
		http_reply_header(x, "Tus-Version", "1.0.0");
		http_reply_problem(x, 412, "tus-version", "Send Tus-Resumable: 1.0.0.", NULL);
		return false;
	}
	if (changes && (http_route(x)->flags & ROUTE_PAGE) && !form_sent(x)) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return false;
	}
	if (!upload_permitted(x)) {
		visit_denied(x, "metadata", "Your roles do not file documents.");
		return false;
	}
	return true;
}

/* Whether a body comes; false as *ret_ok: 415 is replied. */
static bool brings_bytes(struct exchange *x, bool *ret_ok)
{
	uint64_t len = 0;
	bool some = !http_content_length(x, &len) || len;

	*ret_ok = !some || http_content_is(x, "application/offset+octet-stream");
	if (!*ret_ok)
		http_reply_problem(x, 415, "offset-octet-stream-required",
		    "Send application/offset+octet-stream.", NULL);
	return some;
}

/* The body that is announced fits into what is missing. False: replied. */
static bool fits(struct exchange *x, uint64_t room)
{
	uint64_t len;

	if (!http_content_length(x, &len) || len <= room)
		return true;
	http_reply_problem(
	    x, 413, "upload-too-long", "There are more bytes than Upload-Length says.", NULL);
	return false;
}

static bool has_room(struct exchange *x)
{
	struct ark_error err;

	if (!filing_room(app_of(x)->archive, &err))
		return true;
	http_reply_header(x, "Retry-After", "60");
	http_reply_problem(x, 503, "no-room", err.text, NULL);
	return false;
}

void uploads_options(struct exchange *x)
{
	http_reply_header(x, "Tus-Resumable", "1.0.0");
	http_reply_header(x, "Tus-Version", "1.0.0");
	http_reply_header(
	    x, "Tus-Extension", "creation,creation-with-upload,termination,expiration");
	http_reply_headerf(x, "Tus-Max-Size", "%llu", (unsigned long long)UPLOAD_LENGTH_MAX);
	http_reply_empty(x, 204);
}

/* ---- POST ---- */

static bool read_length(struct exchange *x, uint64_t *ret)
{
	if (http_header(x, "Upload-Defer-Length") || http_header(x, "Upload-Concat")) {
		http_reply_problem(x, 400, "upload-length",
		    "Upload-Defer-Length and Upload-Concat are not offered.", NULL);
		return false;
	}
	if (!tus_number(http_header(x, "Upload-Length"), ret)) {
		http_reply_problem(
		    x, 400, "upload-length", "Upload-Length must be a number of bytes.", NULL);
		return false;
	}
	if (*ret > UPLOAD_LENGTH_MAX) {
		http_reply_problem(
		    x, 413, "upload-too-long", "A file may have at most 4 GiB.", NULL);
		return false;
	}
	return true;
}

static bool room_for(struct exchange *x, uint64_t length)
{
	struct ark_error err;
	int rc = upload_room(x, length, &err);

	if (!rc)
		return true;
	if (rc == ARK_EREFUSED) {
		http_reply_problem(x, 507, "too-many-uploads", err.text, NULL);
	} else {
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 503, "no-room", err.text, NULL);
	}
	return false;
}

static int begin_new(struct exchange *x, struct sending *s, uint64_t length, struct ark_error *err)
{
	struct pending wish = {.length = length};
	struct tus_metadata m = {0};
	char draft[64];
	int rc = tus_metadata_read(http_header_list(x, "Upload-Metadata"), &m, err);

	if (rc)
		return rc;
	memcpy(wish.user, s->user, sizeof(wish.user));
	wish.file_name = m.file_name;
	wish.media_type = m.media_type;
	/* files that are filed together know each other by it: api/pages/filing.h */
	snprintf(draft, sizeof(draft), "{\"batch\":\"%s\"}", m.batch);
	wish.draft = m.batch[0] ? draft : NULL;
	rc = pending_new(&s->place, &wish, s->id, err);
	if (!rc && !s->empty)
		rc = upload_turn_take(app_of(x), &s->place, s->user, s->id, &s->turn, err);
	tus_metadata_free(&m);
	return rc;
}

void uploads_post_begin(struct exchange *x)
{
	struct sending *s;
	struct ark_error err;
	uint64_t length;
	bool ok, bytes;

	if (!admitted(x, true) || !read_length(x, &length))
		return;
	bytes = brings_bytes(x, &ok);
	if (!ok || !fits(x, length) || !room_for(x, length))
		return;
	s = sending_new(x);
	if (!s)
		return;
	s->fresh = true;
	s->empty = !bytes;
	if (begin_new(x, s, length, &err)) {
		if (err.status == ARK_EINPUT)
			http_reply_problem(x, 400, "upload-metadata", err.text, NULL);
		else
			reply_failure(x, &err);
	}
}

/* ---- PATCH ---- */

void uploads_patch_begin(struct exchange *x)
{
	struct sending *s;
	struct ark_error err;
	uint64_t offset, there, length;

	if (!admitted(x, true))
		return;
	if (!http_content_is(x, "application/offset+octet-stream")) {
		http_reply_problem(x, 415, "offset-octet-stream-required",
		    "Send application/offset+octet-stream.", NULL);
		return;
	}
	if (!tus_number(http_header(x, "Upload-Offset"), &offset)) {
		http_reply_problem(
		    x, 400, "upload-offset", "Upload-Offset must be a number of bytes.", NULL);
		return;
	}
	if (!has_room(x) || !(s = sending_new(x)))
		return;
	snprintf(s->id, sizeof(s->id), "%s", http_param(x, 0));
	if (upload_turn_take(app_of(x), &s->place, s->user, http_param(x, 0), &s->turn, &err)) {
		reply_failure(x, &err);
		return;
	}
	upload_turn_place(s->turn, &there, &length);
	/* of one that the server fills itself nobody else knows how far it is */
	if (there != offset || length == PENDING_OPEN) {
		http_reply_problem(x, 409, "upload-offset",
		    "Upload-Offset is not where the upload ends: ask with HEAD.", NULL);
		return;
	}
	fits(x, length - offset);
}

void uploads_body(struct exchange *x, const char *bytes, size_t len)
{
	struct sending *s = sending_of(x);
	struct ark_error err;

	if (s->turn && upload_turn_append(s->turn, bytes, len, &err))
		reply_failure(x, &err);
}

/* ---- the end of POST and PATCH ---- */

static void settle(void *arg)
{
	struct sending *s = arg;
	struct pending p = {0};
	struct pending_file *file;

	if (s->turn && !(file = upload_turn_keep(s->turn))) {
		s->status =
		    ark_fail(&s->err, ARK_ECONFLICT, "another request goes on with this upload");
	} else if (s->turn) {
		s->status = pending_sync(file, &s->err);
		s->offset = pending_offset(file);
		/* the next request may come at once: it must not find this one's lock */
		pending_close(file);
	}
	if (!s->status)
		s->status = pending_get(&s->place, s->user, s->id, &p, &s->err);
	s->ends_us = p.ends_us;
	pending_free(&p);
}

static void settled(struct exchange *x)
{
	const struct sending *s = job_arg(x);

	if (s->status) {
		reply_failure(x, &s->err);
		return;
	}
	if (s->fresh)
		http_reply_headerf(x, "Location", "%s/%s", http_path(x), s->id);
	if (!s->fresh || !s->empty)
		http_reply_headerf(x, "Upload-Offset", "%llu", (unsigned long long)s->offset);
	reply_expiry(x, s->ends_us);
	http_reply_empty(x, s->fresh ? 201 : 204);
}

void uploads_finish(struct exchange *x)
{
	struct sending *s = sending_of(x);

	job_begin(x, s, sending_free, settle, settled);
}

/* ---- HEAD ---- */

struct asking {
	struct pending_place place;
	char user[65], id[33];
	struct pending p;
	int status;
	struct ark_error err;
};

static void asking_free(void *arg)
{
	struct asking *a = arg;

	pending_free(&a->p);
	free(a);
}

/* Opens it to append; one whose last bytes are being synced is waited for, for SYNC_MS at most. */
static int open_settled(struct asking *a, struct pending_file **ret)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000000};
	int rc = pending_open(&a->place, a->user, a->id, PENDING_APPEND, ret, &a->err);

	for (int ms = 0; rc == ARK_ECONFLICT && ms < SYNC_MS; ms += 20) {
		nanosleep(&pause, NULL);
		rc = pending_open(&a->place, a->user, a->id, PENDING_APPEND, ret, &a->err);
	}
	return rc;
}

/* What a connection that died has left is taken in, and made durable, before it is answered for. */
static void ask(void *arg)
{
	struct asking *a = arg;
	struct pending_file *f = NULL;
	int rc = pending_get(&a->place, a->user, a->id, &a->p, &a->err);

	if (!rc && a->p.length == PENDING_OPEN)
		rc = ark_fail(&a->err, ARK_ENOTFOUND, "there is no such upload");
	if (!rc && a->p.document[0])
		a->p.offset = a->p.length;
	if (!rc && !a->p.document[0]) {
		rc = open_settled(a, &f);
		if (!rc)
			rc = pending_sync(f, &a->err);
		if (!rc)
			a->p.offset = pending_offset(f);
		pending_close(f);
	}
	a->status = rc;
}

static void answer_asked(struct exchange *x)
{
	const struct asking *a = job_arg(x);
	struct buf metadata = BUF_INIT;

	if (a->status) {
		reply_failure(x, &a->err);
		return;
	}
	tus_metadata_write(a->p.file_name, a->p.media_type, &metadata);
	if (metadata.len && !buf_failed(&metadata))
		http_reply_header(x, "Upload-Metadata", metadata.data);
	buf_free(&metadata);
	http_reply_header(x, "Cache-Control", "no-store");
	http_reply_headerf(x, "Upload-Offset", "%llu", (unsigned long long)a->p.offset);
	http_reply_headerf(x, "Upload-Length", "%llu", (unsigned long long)a->p.length);
	reply_expiry(x, a->p.ends_us);
	http_reply_empty(x, 200);
}

void uploads_head(struct exchange *x)
{
	struct asking *a;

	if (!admitted(x, false))
		return;
	a = calloc(1, sizeof(*a));
	if (!a) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	a->place = upload_place(app_of(x)->archive);
	snprintf(a->user, sizeof(a->user), "%s", caller_of(x)->who->access.user);
	snprintf(a->id, sizeof(a->id), "%s", http_param(x, 0));
	upload_turn_over(app_of(x), a->user, a->id);
	job_begin(x, a, asking_free, ask, answer_asked);
}

/* ---- DELETE ---- */

void uploads_delete(struct exchange *x)
{
	struct ark_error err;

	if (!admitted(x, true))
		return;
	upload_turn_over(app_of(x), caller_of(x)->who->access.user, http_param(x, 0));
	if (uploads_remove(x, http_param(x, 0), &err))
		reply_failure(x, &err);
	else
		http_reply_empty(x, 204);
}
