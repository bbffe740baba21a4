/* Filing the public rendition of a version, and withdrawing it.
 *
 * Story of PUT (the body streams, raw or as multipart/form-data with a part `content`; or it is application/json and names an
 * upload: {"upload":"<id>","reason":"…"}):
 *   begin   find the version, log the look at its metadata, decide `redact` on
 *           it, check If-Match when there is a rendition already
 *   body    the content, sealed under the version's own key as it arrives
 *   finish  the same bytes as before? else hand over to the writer, wait, answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/caller_filing.h"
#include "api/documents.h"
#include "api/uploads_private.h"
#include "arkki/api/http_range.h"
#include "arkki/api/multipart.h"
#include "arkki/archive/spool.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { METADATA_MAX = 65536 };

struct put {
	struct exchange *x;
	struct visit *v;
	struct filing *filing;
	struct multipart *multipart; /* NULL: the body is the content */
	bool by_upload;              /* the body is JSON that names an upload, in `metadata` */
	bool in_metadata, metadata_done, content_done;
	struct buf metadata; /* of a multipart body: {"reason"} */
	int status;          /* of the answer, when what was uploaded is filed */
	char *declared;
	char sha256[65]; /* of the rendition there is; empty: none */
	int refusal;
	const char *slug, *detail; /* static */
};

static void put_free(void *arg)
{
	struct put *p = arg;

	multipart_free(p->multipart);
	buf_wipe_free(&p->metadata);
	filing_free(p->filing);
	free(p->declared);
	free(p);
}

/* Of an exchange whose beginning was permitted: no other has a body or an end. */
static struct put *put_of(struct exchange *x)
{
	const struct visit *v = http_data(x);

	return v->more;
}

static int refuse(
    struct put *p, int status, const char *slug, const char *detail, struct ark_error *err)
{
	p->refusal = status;
	p->slug = slug;
	p->detail = detail;
	return ark_fail(err, ARK_EINPUT, "%s", detail);
}

static void reply_refusal(struct exchange *x, const struct put *p, const struct ark_error *err)
{
	if (p->refusal)
		http_reply_problem(x, p->refusal, p->slug, p->detail, NULL);
	else if (err->status == ARK_EINPUT)
		http_reply_problem(x, 400, "bad-multipart", err->text, NULL);
	else
		http_reply_error(x, err);
}

/* ---- the body ---- */

static int name_file(struct put *p, const char *name, struct ark_error *err)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	if (strlen(name) > 1000)
		return refuse(p, 422, "file-name", "The file name is longer than 1000 bytes.", err);
	if (!*name)
		return ARK_OK;
	p->filing->file_name = strdup(name);
	return p->filing->file_name ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a filing");
}

static int part_begin(void *arg, const char *name, const char *filename, const char *content_type,
    struct ark_error *err)
{
	struct put *p = arg;

	p->in_metadata = strcmp(name, "metadata") == 0 && !p->metadata_done && !p->content_done;
	if (p->in_metadata)
		return ARK_OK;
	if (strcmp(name, "content") != 0 || p->content_done)
		return refuse(p, 400, "bad-multipart",
		    "The parts are metadata, which may be left out, and content, each once.", err);
	if (content_type && !(p->declared = strdup(content_type)))
		return ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	return filename ? name_file(p, filename, err) : ARK_OK;
}

static int part_data(void *arg, const char *bytes, size_t len, struct ark_error *err)
{
	struct put *p = arg;

	if (!p->in_metadata)
		return upload_write(p->filing->upload, bytes, len, err);
	buf_add(&p->metadata, bytes, len);
	return buf_failed(&p->metadata)
		   ? refuse(p, 413, "metadata-too-large", "The metadata is over 64 KiB.", err)
		   : ARK_OK;
}

static int metadata_arrived(struct put *p, struct ark_error *err)
{
	struct ark_error why;
	json_t *given = NULL;
	const char *reason;
	int rc = json_read(p->metadata.data ? p->metadata.data : "", p->metadata.len, &given, &why);

	if (rc || !json_is_object(given)) {
		json_decref(given);
		return refuse(p, 400, "bad-json", "The part metadata is no JSON object.", err);
	}
	reason = json_text(given, "reason");
	if (reason && !p->filing->reason && !(p->filing->reason = strdup(reason)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	json_decref(given);
	p->metadata_done = true;
	return rc;
}

static int part_end(void *arg, struct ark_error *err)
{
	struct put *p = arg;

	if (p->in_metadata) {
		p->in_metadata = false;
		return metadata_arrived(p, err);
	}
	p->content_done = true;
	return ARK_OK;
}

static int take_json(struct put *p, const char *bytes, size_t len, struct ark_error *err)
{
	buf_add(&p->metadata, bytes, len);
	return buf_failed(&p->metadata)
		   ? refuse(p, 413, "metadata-too-large", "The body is over 64 KiB.", err)
		   : ARK_OK;
}

void rendition_body(struct exchange *x, const char *bytes, size_t len)
{
	struct put *p = put_of(x);
	struct ark_error err = {0};
	int rc;

	if (p->by_upload)
		rc = take_json(p, bytes, len, &err);
	else
		rc = p->multipart ? multipart_feed(p->multipart, bytes, len, &err)
				  : upload_write(p->filing->upload, bytes, len, &err);

	if (rc)
		reply_refusal(x, p, &err);
}

/* ---- begin ---- */

/* filename*=UTF-8''… of RFC 8187, or filename="…" */
static int take_name(struct exchange *x, struct put *p, struct ark_error *err)
{
	const char *header = http_header(x, "Content-Disposition");
	const char *at = header ? strcasestr(header, "filename*=UTF-8''") : NULL;
	struct buf name = {.limit = 4096};
	int rc = ARK_OK;

	if (at) {
		at += strlen("filename*=UTF-8''");
		if (!percent_decode(&name, at, strcspn(at, "; ")))
			rc = refuse(p, 400, "bad-content-disposition",
			    "filename* must be percent-encoded UTF-8.", err);
	} else if (header && (at = strcasestr(header, "filename=\""))) {
		at += strlen("filename=\"");
		buf_add(&name, at, strcspn(at, "\""));
	}
	if (!rc && name.len && (!utf8_valid(name.data, name.len) || strlen(name.data) != name.len))
		rc = refuse(p, 400, "bad-content-disposition", "The file name is not UTF-8.", err);
	if (!rc && name.len)
		rc = name_file(p, name.data, err);
	buf_free(&name);
	return rc;
}

static int open_body(struct exchange *x, struct put *p, struct ark_error *err)
{
	const struct multipart_sink sink = {part_begin, part_data, part_end, p};
	const char *type = http_header(x, "Content-Type");

	if (p->by_upload)
		return ARK_OK;
	if (http_content_is(x, "multipart/form-data"))
		return multipart_new(type, &sink, &p->multipart, err);
	if (type && !(p->declared = strdup(type)))
		return ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	return take_name(x, p, err);
}

static struct put *put_new(struct exchange *x, struct visit *v, struct ark_error *err)
{
	struct put *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return NULL;
	p->x = x;
	p->v = v;
	p->metadata.limit = METADATA_MAX;
	v->more = p;
	v->more_free = put_free;
	p->filing = filing_new(FILING_RENDITION);
	rc = p->filing ? caller_files(p->filing, v->caller, http_query(x, "reason"), err)
		       : ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	if (!rc)
		rc = filing_rendition(v->app->archive, v->receipt, &v->row, p->filing, err);
	return rc ? NULL : p;
}

/* A rendition that is there is replaced or withdrawn by who has seen it. */
static bool rendition_matches(struct exchange *x, struct visit *v)
{
	char tag[TAG_SIZE];

	tag_rendition(v->app, &v->row, tag);
	switch (
	    etag_if_match(http_header_list(x, "If-Match"), v->row.rendition.number ? tag : NULL)) {
	case ETAG_MATCH:
		return true;
	case ETAG_ABSENT:
		if (!v->row.rendition.number)
			return true;
		http_reply_problem(x, 428, "if-match-required",
		    "There is a public rendition already: send If-Match with its ETag.", NULL);
		return false;
	case ETAG_MALFORMED:
		http_reply_problem(x, 400, "bad-if-match", "If-Match is malformed.", NULL);
		return false;
	default:
		http_reply_problem(x, 412, "changed-meanwhile",
		    "The public rendition has changed since you read it.", NULL);
		return false;
	}
}

/* May the caller redact this version? Else 403 is logged and replied. */
static bool may_redact(struct exchange *x, struct visit *v)
{
	struct card card = {0};
	struct ark_error err;
	bool may = false;

	if (!v->row.whole) {
		visit_denied(x, "metadata", "You may not file a public rendition of this version.");
		return false;
	}
	if (reading_card(v->app->archive, v->receipt, &v->row, &card, &err)) {
		http_reply_error(x, &err);
		return false;
	}
	may = caller_decides(
		  v->caller, v->app, ACCESS_REDACT, card.fields, v->row.rendition.number != 0, &err)
		  .outcome == ACCESS_PERMIT;
	card_free(&card);
	if (!may)
		visit_denied(x, "metadata", "You may not file a public rendition of this version.");
	return may;
}

/* The digest of the rendition there is: the same bytes again change nothing. */
static int note_present(struct put *p, struct ark_error *err)
{
	struct visit *v = p->v;
	json_t *meta = NULL;
	const char *sha;
	int rc;

	if (!v->row.rendition.number)
		return ARK_OK;
	rc = reading_version(v->app->archive, v->receipt, &v->row, FORM_PUBLIC, &meta, err);
	sha = json_text(meta, "sha256");
	snprintf(p->sha256, sizeof(p->sha256), "%s", sha ? sha : "");
	json_decref(meta);
	return rc;
}

static void put_permitted(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ark_error err = {0};
	struct put *p;
	int rc;

	bool by_upload = http_content_is(x, "application/json");

	if (!may_redact(x, v))
		return;
	/* of an upload when the body says which: it may have been filed before */
	if (!by_upload && http_header(x, "If-Match") && !rendition_matches(x, v))
		return;
	if (filing_room(v->app->archive, &err)) {
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 503, "no-room", err.text, NULL);
		return;
	}
	p = put_new(x, v, &err);
	rc = p ? note_present(p, &err) : err.status;
	if (p)
		p->by_upload = by_upload;
	if (!rc && p && !by_upload)
		rc = filing_rendition_upload(v->app->archive, p->filing, &err);
	if (!rc && p)
		rc = open_body(x, p, &err);
	if (!p)
		http_reply_problem(x, 503, "unavailable", NULL, NULL);
	else if (rc)
		reply_refusal(x, p, &err);
}

/* Finds {d} and {n} and logs the look at the metadata, then goes on. */
static void look_first(struct exchange *x, void (*then)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v || !document_version_found(x, v, "metadata"))
		return;
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, then);
}

void rendition_put_begin(struct exchange *x)
{
	look_first(x, put_permitted);
}

/* ---- finish ---- */

static void reply_filed(struct exchange *x, struct visit *v, const json_t *meta, int status)
{
	static const char *const names[] = {"fileName", "mediaType", "size", "sha256", "time"};
	json_t *out = json_pack("{s:s,s:i,s:s}", "document", v->row.document, "version",
	    (int)v->row.version, "rendition", "public");
	char tag[TAG_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		json_object_set(out, strcmp(names[i], "time") == 0 ? "filedAt" : names[i],
		    json_object_get(meta, names[i]));
	tag_rendition(v->app, &v->row, tag);
	http_reply_header(x, "ETag", tag);
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/documents/%s/versions/%u/renditions/public",
		    v->row.document, v->row.version);
	http_reply_json(x, status, out);
}

static void after_filing(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct put *p = v->more;
	struct filing *f = p->filing;
	char document[33];
	uint32_t version = v->row.version;
	bool replaced = v->row.rendition.number != 0;
	struct ark_error err;

	if (f->status == ARK_ECONFLICT || f->status == ARK_ENOTFOUND) {
		http_reply_problem(x, 412, "changed-meanwhile",
		    "The public rendition has changed since you read it.", NULL);
		return;
	}
	if (f->status) {
		http_reply_error(x, &f->error);
		return;
	}
	memcpy(document, v->row.document, sizeof(document));
	catalogue_row_free(&v->row);
	v->has_row = false;
	if (visit_find(v, document, version, &err) || !f->metadata_record ||
	    !v->row.rendition.number)
		http_reply_empty(x, 204);
	else
		reply_filed(x, v, f->metadata_record, replaced ? 200 : 201);
}

static void submit(struct exchange *x, struct put *p)
{
	exchange_files(x, p->v->app->archive, p->filing, after_filing);
}

static void present_answer(struct exchange *x)
{
	struct visit *v = visit_of(x);
	const struct put *p = v->more;
	json_t *meta = NULL;
	struct ark_error err;

	if (reading_version(v->app->archive, v->receipt, &v->row, FORM_PUBLIC, &meta, &err))
		http_reply_error(x, &err);
	else
		reply_filed(x, v, meta, p->status ? p->status : 200);
	json_decref(meta);
}

/* ---- what was uploaded before ---- */

static void upload_filed(
    struct exchange *x, int status, const char *document, uint32_t version, const char *message)
{
	struct visit *v = visit_of(x);
	struct put *p = v->more;
	struct ledger_record r;
	struct ark_error err;

	if (!document) {
		upload_reply_not_filed(x, status, message);
		return;
	}
	if (strcmp(document, v->row.document) != 0 || version != v->row.version) {
		http_reply_problem(x, 409, "upload-filed",
		    "The upload was filed as another document or version.", NULL);
		return;
	}
	p->status = v->row.rendition.number || status == ARK_ECONFLICT ? 200 : 201;
	if (status == ARK_ECONFLICT)
		http_reply_header(x, "Idempotency-Replayed", "true");
	catalogue_row_free(&v->row);
	v->has_row = false;
	if (visit_find(v, document, version, &err) || !v->row.rendition.number) {
		http_reply_empty(x, 204);
		return;
	}
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, present_answer);
}

/* The upload that the body names, and the reason. False: 400 is replied. */
static bool named_upload(struct exchange *x, struct put *p, char id[33])
{
	struct ark_error why = {.text = "Send {\"upload\":\"…\"}, and \"reason\" if there is one."};
	const char *given, *reason;
	json_t *body = NULL;
	bool ok;

	ok = !json_read(p->metadata.data ? p->metadata.data : "", p->metadata.len, &body, &why);
	given = json_text(body, "upload");
	reason = json_text(body, "reason");
	ok = ok && given && json_object_size(body) == (reason ? 2 : 1);
	snprintf(id, 33, "%s", given ? given : "");
	if (ok && reason && !p->filing->reason)
		ok = (p->filing->reason = strdup(reason)) != NULL;
	json_decref(body);
	if (!ok)
		http_reply_problem(x, 400, "bad-json", why.text, NULL);
	return ok;
}

static void upload_finish_named(struct exchange *x, struct put *p)
{
	struct visit *v = p->v;
	struct upload_filing f = {.document = v->row.document, .rendition_of = v->row.version};
	char id[33], document[33];
	struct ark_error err;
	uint32_t version;
	bool same;

	if (!named_upload(x, p, id))
		return;
	if (upload_filed_before(x, id, document, &version)) {
		upload_filed(x, ARK_ECONFLICT, document, version, NULL);
		return;
	}
	if ((http_header(x, "If-Match") && !rendition_matches(x, v)) ||
	    !upload_ready(x, id, p->sha256[0] ? p->sha256 : NULL, &same))
		return;
	if (same) {
		present_answer(x);
	} else if (caller_renew(v->app, v->caller, &err)) {
		http_reply_error(x, &err);
	} else if (rendition_matches(x, v) && may_redact(x, v)) {
		f.id = id;
		f.reason = p->filing->reason;
		uploads_file(x, &f, upload_filed);
	}
}

void rendition_finish(struct exchange *x)
{
	struct put *p = put_of(x);
	struct upload *u = p->filing->upload;
	struct ark_error err = {0};
	char sha[65];
	int rc = p->multipart ? multipart_finish(p->multipart, &err) : ARK_OK;

	if (p->by_upload) {
		upload_finish_named(x, p);
		return;
	}
	if (!rc && p->multipart && !p->content_done)
		rc = refuse(p, 400, "bad-multipart", "The part content is missing.", &err);
	if (rc) {
		reply_refusal(x, p, &err);
		return;
	}
	rc = upload_finish(u, p->declared, &err);
	if (rc == ARK_EINPUT) {
		http_reply_problem(x, 422, "content", err.text, NULL);
		return;
	}
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	hex_encode(sha, u->sha256, sizeof(u->sha256));
	if (strcmp(sha, p->sha256) == 0)
		present_answer(x);
	else if (caller_renew(p->v->app, p->v->caller, &err))
		http_reply_error(x, &err);
	else if (rendition_matches(x, p->v) &&
		 may_redact(x, p->v)) /* still: it may have taken hours */
		submit(x, p);
}

/* ---- DELETE ---- */

static void delete_permitted(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ark_error err = {0};
	struct put *p;

	if (!may_redact(x, v))
		return;
	if (!v->row.rendition.number) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	if (!rendition_matches(x, v))
		return;
	p = put_new(x, v, &err);
	if (p)
		submit(x, p);
	else
		http_reply_problem(x, 503, "unavailable", NULL, NULL);
}

void rendition_delete(struct exchange *x)
{
	look_first(x, delete_permitted);
}
