/* Filing what was uploaded.
 *
 * Story:
 *   uploads_file   whose, complete, filed before? metadata checked
 *   seal           in a thread of its own: each piece opened, and sealed anew for the document
 *   sealed         still permitted? then over to the writer
 *   filed          the row says what it became, the pieces go; `then` is told
 * The upload's id is the request's key (Idempotency-Key): who files it twice, at once or after a crash between the commit
 * and the row, gets the document that it became.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/caller_filing.h"
#include "api/job.h"
#include "api/uploads_private.h"
#include "arkki/archive/metadata.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

typedef void upload_then(
    struct exchange *x, int status, const char *document, uint32_t version, const char *message);

struct filed { /* one upload on its way */
	struct archive *a;
	struct pending_place place;
	char user[65], id[33];
	struct pending p;
	struct filing *filing;
	struct upload *upload;
	bool rendition;
	upload_then *then;
	int status;
	struct ark_error err;
	/* what the visit held before; put back for `then` */
	void *more;
	void (*more_free)(void *more);
};

static void filed_free(void *arg)
{
	struct filed *j = arg;

	if (j->more_free)
		j->more_free(j->more);
	pending_free(&j->p);
	filing_free(j->filing);
	upload_free(j->upload);
	free(j);
}

/* Gives the visit back what it held, ends j, and tells. */
static void tell(struct exchange *x, struct filed *j, int status, const char *document,
    uint32_t version, const char *message)
{
	struct visit *v = visit_of(x);
	upload_then *then = j->then;
	void *more = j->more;
	void (*more_free)(void *more) = j->more_free;
	char id[33] = "", text[sizeof(j->err.text)] = "";

	snprintf(id, sizeof(id), "%s", document ? document : "");
	snprintf(text, sizeof(text), "%s", message ? message : "");
	j->more = NULL;
	j->more_free = NULL;
	if (v->more_free)
		v->more_free(v->more); /* j itself, or the job that has it */
	v->more = more;
	v->more_free = more_free;
	then(x, status, id[0] ? id : NULL, version, text[0] ? text : NULL);
}

static void tell_failure(struct exchange *x, struct filed *j, const struct ark_error *err)
{
	tell(x, j, err->status, NULL, 0, err->text);
}

/* It is a document now, or was one already. */
static void tell_filed(
    struct exchange *x, struct filed *j, int status, const char *document, uint32_t version)
{
	/* when the row cannot say it, the writer says it to the next one who asks */
	(void)!pending_became(&j->place, j->user, j->id, document, version, NULL);
	tell(x, j, status, document, version, NULL);
}

/* ---- the writer ---- */

static void filed(struct exchange *x)
{
	struct filed *j = job_arg(x);
	const struct filing *f = j->filing;
	char document[33];

	memcpy(document, f->document, sizeof(document));
	if (!f->status || (f->status == ARK_ECONFLICT && f->repeats))
		tell_filed(x, j, f->status, document, f->version);
	else
		tell_failure(x, j, &f->error);
}

static void on_filed(void *arg, struct filing *f)
{
	(void)f;
	http_wake(arg);
}

/* Sealing may take minutes: what was permitted before must be so now. */
static int still_permitted(struct exchange *x, const struct filed *j, struct ark_error *err)
{
	const struct visit *v = visit_of(x);
	struct caller *c = caller_of(x);
	struct card card = {0};
	const json_t *fields = j->filing->fields;
	enum access_action action = j->rendition ? ACCESS_REDACT : ACCESS_FILE;
	bool shown = j->rendition && v->row.rendition.number;
	int rc = caller_renew(app_of(x), c, err);

	if (!rc && j->rendition) {
		rc = reading_card(j->a, v->receipt, &v->row, &card, err);
		fields = card.fields;
	}
	if (!rc &&
	    (!upload_permitted(x) ||
		caller_decides(c, app_of(x), action, fields, shown, err).outcome != ACCESS_PERMIT))
		rc = ark_fail(err, ARK_EREFUSED, "You may not file this document.");
	card_free(&card);
	return rc;
}

static void sealed(struct exchange *x)
{
	struct filed *j = job_arg(x);
	struct ark_error err = j->err;
	int rc = j->status;

	if (!rc)
		rc = still_permitted(x, j, &err);
	if (!rc) {
		if (j->upload)
			j->filing->upload = j->upload;
		j->upload = NULL;
		j->filing->file_name = j->p.file_name;
		j->p.file_name = NULL;
		j->filing->done = on_filed;
		j->filing->arg = x;
		rc = filing_submit(j->a, j->filing, &err);
	}
	if (rc)
		tell_failure(x, j, &err);
	else
		http_wait(x, filed);
}

/* ---- in the job's thread ---- */

static int take_bytes(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	return upload_write(arg, bytes, len, err);
}

static void seal(void *arg)
{
	struct filed *j = arg;
	struct upload *to = j->rendition ? j->filing->upload : j->upload;
	struct pending_file *f = NULL;
	int rc = pending_open(&j->place, j->user, j->id, PENDING_READ, &f, &j->err);

	if (!rc && pending_offset(f) != pending_length(f))
		rc = ark_fail(&j->err, ARK_EINPUT, "the upload is not complete");
	if (!rc)
		rc = pending_read(f, UINT64_MAX, take_bytes, to, &j->err);
	if (!rc)
		rc = upload_finish(to, j->p.media_type, &j->err);
	pending_close(f);
	j->status = rc;
}

/* ---- before it ---- */

/* Keyed hash of user and upload, what its filing is found by, and in hex the digest of what it says. */
static int tag_request(struct archive *a, const char *user, const char *id, char tag[33],
    char hex[65], struct ark_error *err)
{
	struct buf about = BUF_INIT;
	unsigned char digest[32];
	int rc = ARK_OK;

	buf_addf(&about, "%s\nupload %s", user, id);
	if (buf_failed(&about)) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	} else {
		archive_tag(a, "idempotency", about.data, about.len, tag);
		sha256_of(about.data, about.len, digest);
		hex_encode(hex, digest, sizeof(digest));
	}
	buf_free(&about);
	return rc;
}

static int name_request(struct filed *j, struct ark_error *err)
{
	char tag[33], hex[65];
	int rc = tag_request(j->a, j->user, j->id, tag, hex, err);

	if (rc)
		return rc;
	j->filing->request = strdup(tag);
	j->filing->request_digest = strdup(hex);
	if (!j->filing->request || !j->filing->request_digest)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	return rc;
}

/* 1: it was filed before, as *document. */
static int filed_before(struct archive *a, const struct pending *p, const char *request,
    char document[33], uint32_t *ret_version)
{
	struct desk *desk = NULL;
	int rc;

	if (p->document[0]) {
		memcpy(document, p->document, 33);
		*ret_version = p->version;
		return 1;
	}
	rc = archive_desk(a, &desk, NULL);
	if (!rc)
		rc = catalogue_request(desk->catalogue, request, document, ret_version, NULL);
	archive_desk_return(a, desk);
	return rc ? 0 : 1;
}

int upload_filed_before(
    struct exchange *x, const char *id, char document[33], uint32_t *ret_version)
{
	struct archive *a = app_of(x)->archive;
	const struct pending_place place = upload_place(a);
	const char *user = caller_of(x)->who->access.user;
	struct pending p = {0};
	char tag[33], hex[65];
	int before = 0;

	if (!pending_get(&place, user, id, &p, NULL) && !tag_request(a, user, id, tag, hex, NULL))
		before = filed_before(a, &p, tag, document, ret_version);
	if (before && !p.document[0])
		(void)!pending_became(&place, user, id, document, *ret_version, NULL);
	pending_free(&p);
	return before;
}

static int begin_rendition(
    struct exchange *x, struct filed *j, const struct upload_filing *f, struct ark_error *err)
{
	const struct visit *v = visit_of(x);
	int rc;

	if (!v->has_row || !v->receipt || !v->row.whole || v->row.version != f->rendition_of ||
	    strcmp(v->row.document, f->document) != 0)
		return ark_fail(err, ARK_EINPUT, "the version has not been found and logged");
	rc = filing_rendition(j->a, v->receipt, &v->row, j->filing, err);
	return rc ? rc : filing_rendition_upload(j->a, j->filing, err);
}

static int begin_document(struct filed *j, const struct upload_filing *f, struct ark_error *err)
{
	unsigned char random[16];

	if (f->document) {
		snprintf(j->filing->document, sizeof(j->filing->document), "%s", f->document);
		j->filing->base_version = f->base_version;
		j->filing->base_metadata = f->base_metadata;
	} else {
		randombytes_buf(random, sizeof(random));
		hex_encode(j->filing->document, random, sizeof(random));
	}
	return upload_new(j->a, j->filing->document, j->filing->base_version + 1, &j->upload, err);
}

/* The visit holds j from here on; NULL: 503 is replied. */
static struct filed *filed_new(
    struct exchange *x, const struct upload_filing *f, json_t *fields, upload_then *then)
{
	struct visit *v = visit_of(x);
	struct filed *j = v ? calloc(1, sizeof(*j)) : NULL;
	struct filing *filing = j ? filing_new(f->rendition_of ? FILING_RENDITION
					       : f->document   ? FILING_VERSION
							       : FILING_DOCUMENT)
				  : NULL;

	if (!filing) {
		json_decref(fields);
		free(j);
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	*j = (struct filed){.a = v->app->archive,
	    .filing = filing,
	    .then = then,
	    .rendition = f->rendition_of != 0,
	    .more = v->more,
	    .more_free = v->more_free};
	filing->fields = fields;
	j->place = upload_place(j->a);
	snprintf(j->user, sizeof(j->user), "%s", v->caller->who->access.user);
	snprintf(j->id, sizeof(j->id), "%s", f->id);
	v->more = j;
	v->more_free = filed_free;
	return j;
}

void uploads_file_fields(
    struct exchange *x, const struct upload_filing *f, json_t *fields, upload_then *then)
{
	struct filed *j = filed_new(x, f, fields, then);
	struct ark_error err;
	char document[33];
	uint32_t version;
	int rc;

	if (!j)
		return;
	rc = pending_get(&j->place, j->user, j->id, &j->p, &err);
	if (!rc)
		rc = caller_files(j->filing, caller_of(x), f->reason, &err);
	if (!rc)
		rc = name_request(j, &err);
	if (!rc && filed_before(j->a, &j->p, j->filing->request, document, &version)) {
		tell_filed(x, j, ARK_ECONFLICT, document, version);
		return;
	}
	if (!rc && j->p.offset != j->p.length)
		rc = ark_fail(&err, ARK_EINPUT, "the upload is not complete");
	if (!rc)
		rc = j->rendition ? begin_rendition(x, j, f, &err) : begin_document(j, f, &err);
	if (rc)
		tell_failure(x, j, &err);
	else
		job_begin(x, j, filed_free, seal, sealed);
}

void uploads_file(struct exchange *x, const struct upload_filing *f, upload_then *then)
{
	struct archive *a = app_of(x)->archive;
	json_t *fields = NULL;
	struct ark_error err;

	if (!f->rendition_of && metadata_check(archive_registry(a), f->metadata, NULL,
				    caller_of(x)->who->access.org, &fields, NULL, &err)) {
		json_decref(f->metadata);
		then(x, err.status, NULL, 0, err.text);
		return;
	}
	json_decref(f->metadata);
	uploads_file_fields(x, f, fields, then);
}
