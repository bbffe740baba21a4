/* Filing what was uploaded before: {"upload":"<id>","metadata":{…}} in place of a multipart body. */
#include <stdio.h>
#include <string.h>

#include "api/filing_post.h"
#include "api/uploads_private.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

void filing_upload_body(struct exchange *x, struct post *p, const char *bytes, size_t len)
{
	buf_add(&p->metadata, bytes, len);
	if (buf_failed(&p->metadata))
		http_reply_problem(
		    x, 413, "metadata-too-large", "The metadata is over 1 MiB.", NULL);
}

/* ---- the answer ---- */

static void reply_found(struct exchange *x)
{
	reply_document(x, visit_of(x), 201);
}

static void reply_filed(struct exchange *x, const char *document, uint32_t version)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct ark_error err;

	http_reply_headerf(x, "Location", "/v1/documents/%s", document);
	if (v->has_row)
		catalogue_row_free(&v->row);
	v->has_row = false;
	if (visit_find(v, document, version, &err)) {
		/* filed, but not the filer's to read: the answer says only that */
		http_reply_json(
		    x, 201, json_pack("{s:s,s:i}", "id", document, "version", (int)version));
		return;
	}
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, reply_found);
}

void upload_reply_not_filed(struct exchange *x, int status, const char *message)
{
	struct ark_error err = {0};

	switch (status) {
	case ARK_ENOTFOUND:
		http_reply_problem(x, 404, "no-such-upload", "There is no such upload.", NULL);
		break;
	case ARK_ECONFLICT:
		http_reply_problem(x, 412, "changed-meanwhile", message, NULL);
		break;
	case ARK_EREFUSED:
		visit_denied(x, "metadata", "You may not file this document.");
		break;
	case ARK_EINPUT:
		http_reply_problem(x, 422, "content", message,
		    json_pack("[{s:s,s:s,s:s}]", "field", "content", "code", "content", "detail",
			message ? message : ""));
		break;
	default:
		ark_fail(&err, status, "%s", message ? message : "");
		http_reply_error(x, &err);
	}
}

static void after(
    struct exchange *x, int status, const char *document, uint32_t version, const char *message)
{
	if (!document) {
		upload_reply_not_filed(x, status, message);
		return;
	}
	if (status == ARK_ECONFLICT)
		http_reply_header(x, "Idempotency-Replayed", "true");
	reply_filed(x, document, version);
}

/* ---- the request ---- */

bool upload_ready(struct exchange *x, const char *id, const char *before, bool *ret_same)
{
	struct upload_state u = {0};
	unsigned char digest[32];
	char hex[65] = "";
	struct ark_error err;
	int rc = uploads_get(x, id, &u, &err);
	bool complete = u.offset == u.length, open = !rc && !u.document[0];

	*ret_same = false;
	upload_state_free(&u);
	if (rc == ARK_ENOTFOUND) {
		upload_reply_not_filed(x, rc, NULL);
	} else if (open && !complete) {
		http_reply_problem(x, 409, "upload-incomplete",
		    "The upload is not complete: send the rest first.", NULL);
	} else if (!rc && open && before) {
		rc = uploads_digest(x, id, digest, &err);
		if (!rc)
			hex_encode(hex, digest, sizeof(digest));
		*ret_same = !rc && strcmp(before, hex) == 0;
	}
	if (rc && !http_replied(x))
		http_reply_error(x, &err);
	return !http_replied(x);
}

/* Complete, and not the same bytes as the version built upon? False: replied. */
static bool ready(struct exchange *x, struct post *p, const char *id)
{
	bool same;

	if (!upload_ready(x, id, json_text(p->base.version, "sha256"), &same))
		return false;
	if (!same)
		return true;
	snprintf(p->detail, sizeof(p->detail),
	    "Already filed: these bytes are version %u of the document.", p->base_version);
	http_reply_problem(x, 409, "already-filed", p->detail, NULL);
	return false;
}

/* A retry carries the If-Match of before its first success: the upload answers it, not the condition. */
static bool still_matches(struct exchange *x, const struct post *p, const char *id)
{
	char document[33];
	uint32_t version;

	return !p->is_version ||
	       (http_header(x, "If-Match") && upload_filed_before(x, id, document, &version) &&
		   strcmp(document, p->document) == 0) ||
	       visit_if_match(x, &p->v->row);
}

static void file(struct exchange *x, struct post *p, const char *id)
{
	const struct upload_filing f = {
	    .id = id,
	    .document = p->is_version ? p->document : NULL,
	    .reason = http_query(x, "reason"),
	    .base_version = p->base_version,
	    .base_metadata = p->base_metadata,
	};
	json_t *fields = p->fields;

	p->fields = NULL;
	uploads_file_fields(x, &f, fields, after);
}

void filing_upload_finish(struct exchange *x, struct post *p)
{
	struct ark_error err = {0}, why;
	json_t *body = NULL;
	const json_t *metadata;
	const char *given;
	char id[33];
	int rc = json_read(p->metadata.data ? p->metadata.data : "", p->metadata.len, &body, &why);

	given = json_text(body, "upload");
	metadata = json_object_get(body, "metadata");
	snprintf(id, sizeof(id), "%s", given ? given : "");
	if (!still_matches(x, p, id)) {
		json_decref(body);
		return;
	}
	if (rc)
		http_reply_problem(x, 400, "bad-json", why.text, NULL);
	else if (!given || !json_is_object(metadata) || json_object_size(body) != 2)
		http_reply_problem(
		    x, 400, "bad-json", "Send {\"upload\":\"…\",\"metadata\":{…}}.", NULL);
	else if (filing_metadata(p, metadata, &err))
		filing_reply_refusal(x, p, &err);
	else if (ready(x, p, id))
		file(x, p, id);
	json_decref(body);
}
