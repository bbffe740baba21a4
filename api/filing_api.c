/* Filing over HTTP: a new document, a new version, a change of metadata.
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
#include "api/documents.h"
#include "arkki/api/multipart.h"
#include "arkki/archive/metadata.h"
#include "arkki/archive/spool.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { METADATA_MAX = 1048576, KEY_MAX = 255 };

enum part { PART_NONE, PART_METADATA, PART_CONTENT };

struct post { /* one filing in the making */
	struct exchange *x;
	struct visit *v;
	bool is_version;
	char document[33];
	uint32_t base_version, base_metadata;
	struct card base; /* of the version built upon */
	struct multipart *multipart;
	enum part part;
	bool metadata_done, content_done;
	struct buf metadata;
	json_t *fields;
	struct upload *upload;
	char *file_name, *declared;
	char request[33]; /* keyed hash of principal and Idempotency-Key; empty: none */
	char request_digest[65];
	struct filing *filing;
	/* a refusal met inside the multipart parser */
	int refusal;
	const char *slug;
	char detail[512];
	json_t *errors;
};

static void post_free(void *arg)
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

static int refuse(
    struct post *p, int status, const char *slug, const char *detail, struct ark_error *err)
{
	p->refusal = status;
	p->slug = slug;
	snprintf(p->detail, sizeof(p->detail), "%s", detail ? detail : "");
	return ark_fail(err, ARK_EINPUT, "%s", p->detail);
}

static void reply_refusal(struct exchange *x, struct post *p, const struct ark_error *err)
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

static int metadata_arrived(struct post *p, struct ark_error *err)
{
	struct visit *v = p->v;
	struct ark_error why = {0};
	json_t *given = NULL;
	int rc = json_read(p->metadata.data ? p->metadata.data : "", p->metadata.len, &given, &why);

	if (rc)
		return refuse(p, 400, "bad-json", why.text, err);
	rc = metadata_check(archive_registry(v->app->archive), given, p->base.fields,
	    v->caller->who->access.org, &p->fields, &p->errors, &why);
	json_decref(given);
	if (rc)
		return refuse(p, 422, "metadata", why.text, err);
	if (caller_decides(v->caller, v->app, ACCESS_FILE, p->fields, false, &why).outcome !=
	    ACCESS_PERMIT)
		return refuse(p, 403, "not-permitted", NULL, err);
	p->metadata_done = true;
	return ARK_OK;
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
		return refuse(p, 400, "bad-multipart",
		    "The parts are metadata, then content, each once.", err);
	if (!p->metadata_done)
		return refuse(
		    p, 400, "metadata-first", "The part metadata must come before content.", err);
	p->part = PART_CONTENT;
	if (filename && *filename) {
		const char *slash = strrchr(filename, '/');

		p->file_name = strdup(slash ? slash + 1 : filename);
		if (p->file_name && strlen(p->file_name) > 1000)
			return refuse(
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
		return refuse(p, 413, "metadata-too-large", "The metadata is over 1 MiB.", err);
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

/* Keyed hash of principal and Idempotency-Key; empty without a key. */
static bool request_of(struct exchange *x, char out[33])
{
	const char *key = http_header(x, "Idempotency-Key");
	struct buf b = BUF_INIT;
	bool ok;

	out[0] = '\0';
	if (!key)
		return true;
	buf_adds(&b, caller_of(x)->who->access.user);
	buf_addc(&b, '\n');
	buf_adds(&b, key);
	ok = !buf_failed(&b) && strlen(key) >= 1 && strlen(key) <= KEY_MAX;
	if (ok)
		archive_tag(app_of(x)->archive, "idempotency", b.data, b.len, out);
	buf_free(&b);
	return ok;
}

static bool take_request_key(struct exchange *x, struct post *p)
{
	if (request_of(x, p->request))
		return true;
	http_reply_problem(
	    x, 400, "bad-idempotency-key", "Idempotency-Key must have 1 to 255 characters.", NULL);
	return false;
}

/* 0 and what an earlier request of this key became. */
static int request_find(
    struct app *app, const char *request, char document[33], uint32_t *ret_version)
{
	struct desk *desk = NULL;
	int rc = archive_desk(app->archive, &desk, NULL);

	if (!rc)
		rc = catalogue_request(desk->catalogue, request, document, ret_version, NULL);
	archive_desk_return(app->archive, desk);
	return rc;
}

/* A retry carries the If-Match of before its first success: its key answers it, not the
 * condition. */
static bool version_repeats(struct exchange *x, struct visit *v)
{
	char request[33], document[33];
	uint32_t version;

	return http_header(x, "If-Match") && request_of(x, request) && request[0] &&
	       !request_find(v->app, request, document, &version) &&
	       strcmp(document, v->row.document) == 0;
}

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
	v->more_free = post_free;
	if (filing_room(v->app->archive, &err)) {
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 503, "no-room", err.text, NULL);
		return NULL;
	}
	if (!http_content_is(x, "multipart/form-data")) {
		http_reply_problem(x, 415, "multipart-required",
		    "Send multipart/form-data with the parts metadata and content.", NULL);
		return NULL;
	}
	mine.arg = p;
	if (multipart_new(http_header(x, "Content-Type"), &mine, &p->multipart, &err)) {
		http_reply_problem(x, 400, "bad-multipart", err.text, NULL);
		return NULL;
	}
	return take_request_key(x, p) ? p : NULL;
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
	if ((!version_repeats(x, v) && !visit_if_match(x, &v->row)) || !visit_stated_ok(x)) {
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

/* Who sees the public rendition alone builds on nothing: the answer would show the whole. */
static bool whole_seen(struct exchange *x, const struct visit *v)
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
	if (!whole_seen(x, v))
		return;
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, version_base_read);
}

/* ---- body ---- */

void filing_body(struct exchange *x, const char *bytes, size_t len)
{
	struct post *p = post_of(x);
	struct ark_error err = {0};

	if (multipart_feed(p->multipart, bytes, len, &err))
		reply_refusal(x, p, &err);
}

/* ---- finish ---- */

/* What the key stands for: a retry must say the same. */
static void digest_request(struct post *p)
{
	struct sha256 *h = sha256_new();
	unsigned char out[32];

	if (!h)
		return;
	sha256_update(h, p->is_version ? "version." : "document", 8);
	if (p->is_version)
		sha256_update(h, p->document, 32);
	sha256_update(h, p->metadata.data ? p->metadata.data : "", p->metadata.len);
	sha256_update(h, p->upload->sha256, 32);
	if (p->file_name)
		sha256_update(h, p->file_name, strlen(p->file_name));
	sha256_final(h, out);
	sha256_free(h);
	hex_encode(p->request_digest, out, sizeof(out));
}

static void replay_answer(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct post *p = v->more;
	struct ark_error err;
	struct card card = {0};
	const char *digest;
	bool same;

	if (reading_card(v->app->archive, v->receipt, &v->row, &card, &err)) {
		http_reply_error(x, &err);
		return;
	}
	digest = json_text(json_object_get(card.version, "request"), "digest");
	same = digest && strcmp(digest, p->request_digest) == 0;
	card_free(&card);
	if (!same) {
		http_reply_problem(x, 422, "idempotency-key-reused",
		    "This Idempotency-Key was used for another request.", NULL);
		return;
	}
	http_reply_header(x, "Idempotency-Replayed", "true");
	http_reply_headerf(x, "Location", "/v1/documents/%s", v->row.document);
	reply_document(x, v, 201);
}

/* The request was filed before: answer with what it became. */
static void replay(struct exchange *x, struct post *p, const char *document, uint32_t version)
{
	struct visit *v = p->v;
	struct ledger_record r;
	struct ark_error err;

	if (v->has_row)
		catalogue_row_free(&v->row);
	v->has_row = false;
	if (visit_find(v, document, version, &err)) {
		http_reply_problem(x, 409, "conflict", "This request was filed before.", NULL);
		return;
	}
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, replay_answer);
}

/* Answers from what was just filed: the filer knows it, nothing is opened. */
static void filed_answer(struct exchange *x, struct visit *v, const struct filing *f, int status)
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
		replay(x, p, f->document, f->version);
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
		filed_answer(x, v, f, 201);
	}
}

static char *copy_of(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void submit(struct exchange *x, struct post *p)
{
	struct filing *f = filing_new(p->is_version ? FILING_VERSION : FILING_DOCUMENT);
	struct ark_error err;

	if (!f || caller_files(f, p->v->caller, &err)) {
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
	f->reason = copy_of(http_query(x, "reason"));
	if (p->request[0]) {
		f->request = strdup(p->request);
		f->request_digest = strdup(p->request_digest);
	}
	exchange_files(x, p->v->app->archive, f, after_filing);
}

static bool filed_before(struct exchange *x, struct post *p)
{
	char document[33];
	uint32_t version;

	if (!p->request[0] || request_find(p->v->app, p->request, document, &version))
		return false;
	replay(x, p, document, version);
	return true;
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

	if (multipart_finish(p->multipart, &err)) {
		reply_refusal(x, p, &err);
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
	digest_request(p);
	if (filed_before(x, p))
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

/* ---- PATCH /documents/{d} ---- */

static void after_patch(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct post *p = v->more;
	struct filing *f = p->filing;
	struct ark_error err;
	char document[33];

	if (f->status == ARK_ECONFLICT) {
		http_reply_problem(x, 412, "changed-meanwhile", f->error.text, NULL);
		return;
	}
	if (f->status) {
		http_reply_error(x, &f->error);
		return;
	}
	memcpy(document, v->row.document, sizeof(document));
	catalogue_row_free(&v->row);
	v->has_row = false;
	if (visit_find(v, document, 0, &err)) {
		http_reply_json(x, 200, json_pack("{s:s}", "id", document));
		return;
	}
	f->version_meta = json_incref(p->base.version);
	filed_answer(x, v, f, 200);
}

static void patch_submit(struct exchange *x, struct post *p)
{
	struct filing *f = filing_new(FILING_METADATA);
	struct ark_error err;

	if (!f || caller_files(f, p->v->caller, &err)) {
		filing_free(f);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	p->filing = f;
	memcpy(f->document, p->v->row.document, sizeof(f->document));
	f->base_version = p->v->row.version;
	f->base_metadata = p->v->row.metadata;
	f->fields = p->fields;
	p->fields = NULL;
	f->reason = copy_of(http_query(x, "reason"));
	exchange_files(x, p->v->app->archive, f, after_patch);
}

/* Both what stands and what would stand must be the caller's to change. */
static void patch_read(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct post *p = v->more;
	struct ark_error err = {0};
	json_t *given = NULL;
	size_t len;
	const char *body = http_body(x, &len);

	if (reading_card(v->app->archive, v->receipt, &v->row, &p->base, &err)) {
		http_reply_error(x, &err);
		return;
	}
	if (caller_decides(v->caller, v->app, ACCESS_AMEND, p->base.fields, false, &err).outcome !=
	    ACCESS_PERMIT) {
		visit_denied(x, "metadata", "You may not change this document.");
		return;
	}
	if (!visit_if_match(x, &v->row) || !visit_stated_ok(x))
		return;
	if (!http_content_is(x, "application/json") &&
	    !http_content_is(x, "application/merge-patch+json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return;
	}
	if (json_read(body, len, &given, &err)) {
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
		return;
	}
	if (metadata_check(archive_registry(v->app->archive), given, p->base.fields,
		v->caller->who->access.org, &p->fields, &p->errors, &err))
		refuse(p, 422, "metadata", err.text, &err);
	else if (caller_decides(v->caller, v->app, ACCESS_AMEND, p->fields, false, &err).outcome !=
		 ACCESS_PERMIT)
		refuse(p, 403, "not-permitted", NULL, &err);
	json_decref(given);
	if (p->refusal)
		reply_refusal(x, p, &err);
	else
		patch_submit(x, p);
}

void documents_patch(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct ark_error err;
	struct post *p;
	int rc;

	if (!v)
		return;
	rc = visit_find(v, http_param(x, 0), 0, &err);
	if (rc == ARK_ENOTFOUND) {
		visit_not_found(x, "metadata", http_param(x, 0), 0);
		return;
	}
	if (!rc && !whole_seen(x, v))
		return;
	p = rc ? NULL : calloc(1, sizeof(*p));
	if (!p) {
		http_reply_problem(x, 503, "unavailable", NULL, NULL);
		return;
	}
	p->x = x;
	p->v = v;
	v->more = p;
	v->more_free = post_free;
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, patch_read);
}
