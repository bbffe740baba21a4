/* PATCH /v1/documents/{d}: a change of metadata, of what stands and to what would stand, both of which must be the
 * caller's to change. */
#include <stdlib.h>
#include <string.h>

#include "api/caller_filing.h"
#include "api/filing_post.h"
#include "arkki/archive/metadata.h"
#include "arkki/base/json.h"

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
	filing_answer(x, v, f, 200);
}

static void patch_submit(struct exchange *x, struct post *p)
{
	struct filing *f = filing_new(FILING_METADATA);
	struct ark_error err;

	if (!f || caller_files(f, p->v->caller, http_query(x, "reason"), &err)) {
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
		filing_refuse(p, 422, "metadata", err.text, &err);
	else if (caller_decides(v->caller, v->app, ACCESS_AMEND, p->fields, false, &err).outcome !=
		 ACCESS_PERMIT)
		filing_refuse(p, 403, "not-permitted", NULL, &err);
	json_decref(given);
	if (p->refusal)
		filing_reply_refusal(x, p, &err);
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
	if (!rc && !filing_whole_seen(x, v))
		return;
	p = rc ? NULL : calloc(1, sizeof(*p));
	if (!p) {
		http_reply_problem(x, 503, "unavailable", NULL, NULL);
		return;
	}
	p->x = x;
	p->v = v;
	v->more = p;
	v->more_free = filing_post_free;
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, patch_read);
}
