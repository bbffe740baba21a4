/* /admin/verify: what checks found is entered by the server that holds the archive, for `arkki verify` beside it. */
#include "api/handlers.h"
#include "arkki/archive/verified.h"
#include "arkki/base/json.h"

static bool asked_scope(struct exchange *x, enum verified_scope *ret)
{
	struct ark_error err;

	/* the scrub's own results do not come from outside */
	if (!verified_scope_of(http_query(x, "scope"), ret, &err) && *ret != VERIFIED_SCRUB)
		return true;
	http_reply_problem(x, 400, "bad-query", "scope is full or light.", NULL);
	return false;
}

void admin_verify_get(struct exchange *x)
{
	json_t *last = NULL;
	struct ark_error err;

	if (verified_last(app_of(x)->archive, &last, &err))
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200, last);
}

void admin_verify_begin(struct exchange *x)
{
	struct archive *a = app_of(x)->archive;
	struct receipt *receipt = NULL;
	enum verified_scope scope;
	uint64_t begun = 0;
	struct ark_error err;
	int rc;

	if (!asked_scope(x, &scope))
		return;
	rc = verified_begin(a, scope, &begun, &err);
	if (!rc)
		rc = archive_maintenance(a, "verify", "everything", &receipt, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200,
		    json_pack("{s:s,s:I}", "receipt", receipt_token(receipt), "begun",
			(json_int_t)begun));
	receipt_free(receipt);
}

void admin_verify_result(struct exchange *x)
{
	enum verified_scope scope;
	struct ark_error err;
	json_t *result = NULL;
	const char *text;
	size_t len;

	if (!asked_scope(x, &scope))
		return;
	text = http_body(x, &len);
	if (json_read(text, len, &result, &err))
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
	else if (!json_object_get(result, "begun"))
		http_reply_problem(x, 400, "verify", "begun is missing.", NULL);
	else if (verified_end(app_of(x)->archive, scope, result, &err))
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200, json_pack("{s:b}", "kept", 1));
	json_decref(result);
}
