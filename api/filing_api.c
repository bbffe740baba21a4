/* Filing over HTTP: a new document, a new version. (filing_again.c: the same request once more; filing_amend.c: a
 * change of metadata; filing_upload.c: what was uploaded before.)
 *
 * Story of POST (the body streams):
 *   begin   may this be filed at all? (version: find, permit, If-Match, then an
 *           audited look at the metadata that the new version starts from)
 *   body    multipart: `metadata` first: parse, check against taxonomy, decide
 *           `file`; only then `content`, sealed as it arrives
 *   finish  same request before? equal bytes? then hand over to the writer,
 *           wait, answer 201 with the document
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/caller_filing.h"
#include "api/filing_post.h"
#include "arkki/archive/metadata.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { METADATA_MAX = 1048576 };

void filing_post_free(void *arg)
{
	struct post *p = arg;

	multipart_free(p->multipart);
	card_free(&p->base);
	buf_wipe_free(&p->metadata);
	json_decref(p->fields);
	json_decref(p->errors);
	upload_free(p->upload);
	filing_free(p->filing);
	free(p->file_name);
	free(p->declared);
	free(p);
}

static struct post *post_of(struct exchange *x)
{
	struct visit *v = http_data(x);

	return v ? v->more : NULL;
}

int filing_refuse(
    struct post *p, int status, const char *slug, const char *detail, struct ark_error *err)
{
	p->refusal = status;
	p->slug = slug;
	snprintf(p->detail, sizeof(p->detail), "%s", detail ? detail : "");
	return ark_fail(err, ARK_EINPUT, "%s", p->detail);
}

void filing_reply_refusal(struct exchange *x, struct post *p, const struct ark_error *err)
{
	json_t *errors = p->errors;

	p->errors = NULL;
	if (p->refusal == 403)
		visit_denied(x, "metadata", "You may not file this document.");
	else if (p->refusal)
		http_reply_problem(x, p->refusal, p->slug, p->detail[0] ? p->detail : NULL, errors);
	else if (err->status == ARK_EINPUT)
		http_reply_problem(x, 400, "bad-multipart", err->text, NULL);
	else
		http_reply_error(x, err);
}

/* ---- the metadata part ---- */

int filing_metadata(struct post *p, const json_t *given, struct ark_error *err)
{
	struct visit *v = p->v;
	struct ark_error why = {0};
	int rc = metadata_check(archive_registry(v->app->archive), given, p->base.fields,
	    v->caller->who->access.org, &p->fields, &p->errors, &why);

	if (rc)
		return filing_refuse(p, 422, "metadata", why.text, err);
	if (caller_decides(v->caller, v->app, ACCESS_FILE, p->fields, false, &why).outcome !=
	    ACCESS_PERMIT)
		return filing_refuse(p, 403, "not-permitted", NULL, err);
	p->metadata_done = true;
	return ARK_OK;
}

static int metadata_arrived(struct post *p, struct ark_error *err)
{
	struct ark_error why = {0};
	json_t *given = NULL;
	int rc = json_read(p->metadata.data ? p->metadata.data : "", p->metadata.len, &given, &why);

	rc = rc ? filing_refuse(p, 400, "bad-json", why.text, err) : filing_metadata(p, given, err);
	json_decref(given);
	return rc;
}

/* ---- the multipart parts ---- */

static int part_begin(void *arg, const char *name, const char *filename, const char *content_type,
    struct ark_error *err)
{
	struct post *p = arg;

	if (strcmp(name, "metadata") == 0 && !p->metadata_done && p->part == PART_NONE) {
		p->part = PART_METADATA;
		return ARK_OK;
	}
	if (strcmp(name, "content") != 0 || p->content_done)
		return filing_refuse(p, 400, "bad-multipart",
		    "The parts are metadata, then content, each once.", err);
	if (!p->metadata_done)
		return filing_refuse(
		    p, 400, "metadata-first", "The part metadata must come before content.", err);
	p->part = PART_CONTENT;
	if (filename && *filename) {
		const char *slash = strrchr(filename, '/');

		p->file_name = strdup(slash ? slash + 1 : filename);
		if (p->file_name && strlen(p->file_name) > 1000)
			return filing_refuse(
			    p, 422, "file-name", "The file name is longer than 1000 bytes.", err);
	}
	if (content_type)
		p->declared = strdup(content_type);
	if ((filename && *filename && !p->file_name) || (content_type && !p->declared))
		return ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	return upload_new(p->v->app->archive, p->document, p->base_version + 1, &p->upload, err);
}

static int part_data(void *arg, const char *bytes, size_t len, struct ark_error *err)
{
	struct post *p = arg;

	if (p->part == PART_CONTENT)
		return upload_write(p->upload, bytes, len, err);
	buf_add(&p->metadata, bytes, len);
	if (buf_failed(&p->metadata))
		return filing_refuse(
		    p, 413, "metadata-too-large", "The metadata is over 1 MiB.", err);
	return ARK_OK;
}

static int part_end(void *arg, struct ark_error *err)
{
	struct post *p = arg;
	enum part part = p->part;

	p->part = PART_NONE;
	if (part == PART_METADATA)
		return metadata_arrived(p, err);
	p->content_done = true;
	return ARK_OK;
}

/* ---- begin ---- */

/* Makes the post and its parser; NULL when a refusal was replied. */
static struct post *post_new(struct exchange *x, bool is_version)
{
	const struct multipart_sink sink = {part_begin, part_data, part_end, NULL};
	struct visit *v = visit_of(x);
	struct multipart_sink mine = sink;
	struct ark_error err;
	struct post *p;

	if (!v)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	p->x = x;
	p->v = v;
	p->is_version = is_version;
	p->metadata.limit = METADATA_MAX;
	v->more = p;
	v->more_free = filing_post_free;
	if (filing_room(v->app->archive, &err)) {
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 503, "no-room", err.text, NULL);
		return NULL;
	}
	p->by_upload = http_content_is(x, "application/json");
	if (p->by_upload)
		return p;
	if (!http_content_is(x, "multipart/form-data")) {
		http_reply_problem(x, 415, "multipart-required",
		    "Send multipart/form-data with the parts metadata and content, or JSON that "
		    "names "
		    "an upload.",
		    NULL);
		return NULL;
	}
	mine.arg = p;
	if (multipart_new(http_header(x, "Content-Type"), &mine, &p->multipart, &err)) {
		http_reply_problem(x, 400, "bad-multipart", err.text, NULL);
		return NULL;
	}
	return filing_take_key(x, p) ? p : NULL;
}

void documents_post_begin(struct exchange *x)
{
	unsigned char id[16];
	struct post *p;

	if (!(caller_of(x)->who->access.roles &
		(ACCESS_INSPECTOR | ACCESS_REGISTRAR | ACCESS_SUPERVISOR))) {
		visit_denied(x, "metadata", "Your roles do not file documents.");
		return;
	}
	if (!visit_stated_ok(x))
		return;
	p = post_new(x, false);
	if (!p)
		return;
	randombytes_buf(id, sizeof(id));
	hex_encode(p->document, id, sizeof(id));
}

static void version_base_read(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	struct ark_error err;
	struct access_decision d;
	struct post *p;

	if (reading_card(v->app->archive, v->receipt, &v->row, &card, &err)) {
		http_reply_error(x, &err);
		return;
	}
	d = caller_decides(v->caller, v->app, ACCESS_FILE, card.fields, false, &err);
	if (d.outcome != ACCESS_PERMIT) {
		card_free(&card);
		visit_denied(x, "metadata", "You may not file versions of this document.");
		return;
	}
	/* of an upload when the body says which: it may have been filed before */
	if ((!http_content_is(x, "application/json") && !filing_version_repeats(x, v) &&
		!visit_if_match(x, &v->row)) ||
	    !visit_stated_ok(x)) {
		card_free(&card);
		return;
	}
	p = post_new(x, true);
	if (!p) {
		card_free(&card);
		return;
	}
	p->base = card;
	memcpy(p->document, v->row.document, sizeof(p->document));
	p->base_version = v->row.version;
	p->base_metadata = v->row.metadata;
}

bool filing_whole_seen(struct exchange *x, const struct visit *v)
{
	if (!v->row.whole)
		visit_denied(
		    x, "metadata", "Only the public rendition of this document is open to you.");
	return v->row.whole;
}

void versions_post_begin(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct ark_error err;
	int rc;

	if (!v)
		return;
	rc = visit_find(v, http_param(x, 0), 0, &err);
	if (rc == ARK_ENOTFOUND) {
		visit_not_found(x, "metadata", http_param(x, 0), 0);
		return;
	}
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	if (!filing_whole_seen(x, v))
		return;
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, version_base_read);
}

/* ---- body ---- */

void filing_body(struct exchange *x, const char *bytes, size_t len)
{
	struct post *p = post_of(x);
	struct ark_error err = {0};

	if (p->by_upload) {
		filing_upload_body(x, p, bytes, len);
		return;
	}
	if (multipart_feed(p->multipart, bytes, len, &err))
		filing_reply_refusal(x, p, &err);
}

/* ---- finish ---- */

void filing_answer(struct exchange *x, struct visit *v, const struct filing *f, int status)
{
	struct card card = {
	    .fields = json_object_get(f->metadata_record, "fields"),
	    .version = f->version_meta,
	};

	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/documents/%s", v->row.document);
	if (v->row.whole)
		reply_card(x, v, status, &card);
	else
		http_reply_json(x, status,
		    json_pack("{s:s,s:i}", "id", v->row.document, "version", (int)v->row.version));
}

static void after_filing(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct post *p = v->more;
	struct filing *f = p->filing;
	struct ark_error err;

	if (f->status == ARK_ECONFLICT && f->repeats) {
		filing_replay(x, p, f->document, f->version);
	} else if (f->status == ARK_ECONFLICT) {
		http_reply_problem(x, 412, "changed-meanwhile", f->error.text, NULL);
	} else if (f->status) {
		http_reply_error(x, &f->error);
	} else {
		if (v->has_row)
			catalogue_row_free(&v->row);
		v->has_row = false;
		if (visit_find(v, f->document, f->version, &err)) {
			/* filed, but not the filer's to read: the answer says only that */
			http_reply_headerf(x, "Location", "/v1/documents/%s", f->document);
			http_reply_json(x, 201,
			    json_pack("{s:s,s:i}", "id", f->document, "version", (int)f->version));
			return;
		}
		filing_answer(x, v, f, 201);
	}
}

static void submit(struct exchange *x, struct post *p)
{
	struct filing *f = filing_new(p->is_version ? FILING_VERSION : FILING_DOCUMENT);
	struct ark_error err;

	if (!f || caller_files(f, p->v->caller, http_query(x, "reason"), &err)) {
		filing_free(f);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	p->filing = f;
	memcpy(f->document, p->document, sizeof(f->document));
	f->base_version = p->base_version;
	f->base_metadata = p->base_metadata;
	f->upload = p->upload;
	p->upload = NULL;
	f->fields = p->fields;
	p->fields = NULL;
	f->file_name = p->file_name;
	p->file_name = NULL;
	if (p->request[0]) {
		f->request = strdup(p->request);
		f->request_digest = strdup(p->request_digest);
	}
	exchange_files(x, p->v->app->archive, f, after_filing);
}

/* An upload may take hours: what was permitted when it began must be so at its end. */
static bool still_permitted(struct exchange *x, const struct post *p)
{
	struct visit *v = p->v;
	struct ark_error err;
	bool may = !caller_renew(v->app, v->caller, &err) &&
		   caller_decides(v->caller, v->app, ACCESS_FILE, p->fields, false, &err).outcome ==
		       ACCESS_PERMIT;

	if (!may)
		visit_denied(x, "metadata", "You may not file this document.");
	return may;
}

void filing_finish(struct exchange *x)
{
	struct post *p = post_of(x);
	struct ark_error err = {0};
	const char *before;
	char hex[65];

	if (p->by_upload) {
		filing_upload_finish(x, p);
		return;
	}
	if (multipart_finish(p->multipart, &err)) {
		filing_reply_refusal(x, p, &err);
		return;
	}
	if (!p->metadata_done || !p->content_done) {
		http_reply_problem(x, 400, "bad-multipart",
		    p->metadata_done ? "The part content is missing."
				     : "The part metadata is missing.",
		    NULL);
		return;
	}
	if (upload_finish(p->upload, p->declared, &err)) {
		if (err.status == ARK_EINPUT)
			http_reply_problem(x, 422, "content", err.text,
			    json_pack("[{s:s,s:s,s:s}]", "field", "content", "code",
				p->upload->size ? "media-type" : "empty", "detail", err.text));
		else
			http_reply_error(x, &err);
		return;
	}
	filing_digest(p);
	if (filing_before(x, p))
		return;
	hex_encode(hex, p->upload->sha256, 32);
	before = json_text(p->base.version, "sha256");
	if (before && strcmp(before, hex) == 0) {
		snprintf(p->detail, sizeof(p->detail),
		    "Already filed: these bytes are version %u of the document.", p->base_version);
		http_reply_problem(x, 409, "already-filed", p->detail, NULL);
		return;
	}
	if (still_permitted(x, p))
		submit(x, p);
}
