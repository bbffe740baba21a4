/* The same request once more: Idempotency-Key, what it stands for, and the answer of the first time. */
#include <string.h>

#include "api/filing_post.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { KEY_MAX = 255 };

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

bool filing_take_key(struct exchange *x, struct post *p)
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

bool filing_version_repeats(struct exchange *x, struct visit *v)
{
	char request[33], document[33];
	uint32_t version;

	return http_header(x, "If-Match") && request_of(x, request) && request[0] &&
	       !request_find(v->app, request, document, &version) &&
	       strcmp(document, v->row.document) == 0;
}

void filing_digest(struct post *p)
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

void filing_replay(struct exchange *x, struct post *p, const char *document, uint32_t version)
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

bool filing_before(struct exchange *x, struct post *p)
{
	char document[33];
	uint32_t version;

	if (!p->request[0] || request_find(p->v->app, p->request, document, &version))
		return false;
	filing_replay(x, p, document, version);
	return true;
}
