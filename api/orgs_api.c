/* Organisations: registered and changed by administrators; their accounts, as their contact person confirms them. */
#include <string.h>

#include "api/accounts_api.h"
#include "arkki/api/http_range.h"
#include "arkki/base/json.h"

static const char *org_of(const struct exchange *x)
{
	return http_param(x, 0);
}

static bool org_there(struct exchange *x)
{
	if (registry_has(archive_registry(app_of(x)->archive), "orgs", org_of(x)))
		return true;
	http_reply_problem(x, 404, "not-found", NULL, NULL);
	return false;
}

/* The register of organisations is open to every account, as GET /v1/orgs shows it. */
void orgs_get(struct exchange *x)
{
	json_t *record = registry_get(archive_registry(app_of(x)->archive), "orgs", org_of(x));

	if (record)
		accounts_reply(x, 200, "orgs", record);
	else
		http_reply_problem(x, 404, "not-found", NULL, NULL);
}

/* False: 403 is replied. */
static bool administers(struct exchange *x)
{
	if (!asker_is_fit(x))
		return false;
	if (accounts_may(asker_of(x), NULL))
		return true;
	accounts_deny(x, "Organisations are registered and changed by administrators.");
	return false;
}

void orgs_post(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	struct account_fault fault = {0};
	json_t *body, *record = NULL;
	struct ark_error err;

	if (!administers(x))
		return;
	body = accounts_body(x);
	if (!body)
		return;
	if (accounts_org_add(app_of(x)->archive, &actor, asker_of(x), body, &record, &fault, &err))
		accounts_failed(x, &fault, &err);
	else
		accounts_reply(x, 201, "orgs", record);
	json_decref(body);
}

void orgs_patch(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	struct account_fault fault = {0};
	json_t *body, *record = NULL;
	struct ark_error err;
	uint32_t base;

	if (!org_there(x) || !administers(x) || !accounts_base(x, "orgs", org_of(x), &base))
		return;
	body = accounts_body(x);
	if (!body)
		return;
	if (accounts_org_change_on(app_of(x)->archive, &actor, asker_of(x), org_of(x), base, body,
		&record, &fault, &err))
		accounts_change_failed(x, "orgs", org_of(x), base, &fault, &err);
	else
		accounts_reply(x, 200, "orgs", record);
	json_decref(body);
}

/* ---- the list of accounts, and its confirmation ---- */

static bool manages(struct exchange *x)
{
	if (!org_there(x) || !asker_is_fit(x))
		return false;
	if (accounts_may(asker_of(x), org_of(x)))
		return true;
	accounts_deny(x, "Accounts are seen by administrators and by the contact person of their "
			 "own organisation.");
	return false;
}

static bool list_of(struct exchange *x, json_t **ret, char tag[33], char etag[TAG_SIZE])
{
	struct ark_error err;

	if (accounts_list(app_of(x)->archive, org_of(x), ret, tag, &err)) {
		accounts_failed(x, NULL, &err);
		return false;
	}
	etag[0] = '"';
	memcpy(etag + 1, tag, 32);
	memcpy(etag + 33, "\"", 2);
	return true;
}

void org_accounts_get(struct exchange *x)
{
	json_t *list = NULL;
	char tag[33], etag[TAG_SIZE];

	if (!manages(x) || !list_of(x, &list, tag, etag))
		return;
	http_reply_header(x, "ETag", etag);
	accounts_show(
	    x, org_of(x), NULL, json_pack("{s:s,s:o}", "org", org_of(x), "accounts", list));
}

/* "*" would confirm a list that nobody has looked at. */
static bool names_the_list(struct exchange *x, const char *etag)
{
	const char *sent = http_header_list(x, "If-Match");

	switch (sent && strcmp(sent, "*") == 0 ? ETAG_ABSENT : etag_if_match(sent, etag)) {
	case ETAG_MATCH:
		return true;
	case ETAG_ABSENT:
		http_reply_problem(x, 428, "if-match-required",
		    "Send If-Match with the ETag of the list of accounts that you have looked at.",
		    NULL);
		return false;
	case ETAG_MALFORMED:
		http_reply_problem(x, 400, "bad-if-match", "If-Match is malformed.", NULL);
		return false;
	default:
		http_reply_problem(x, 412, "changed-meanwhile",
		    "The accounts have changed since you read the list; look at it again.", NULL);
		return false;
	}
}

void org_confirmation_post(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	json_t *list = NULL;
	char tag[33], etag[TAG_SIZE];
	struct ark_error err;
	unsigned int n = 0;
	int rc;

	if (!manages(x) || !list_of(x, &list, tag, etag))
		return;
	json_decref(list);
	if (!names_the_list(x, etag) || !accounts_no_body(x))
		return;
	rc = accounts_confirm(app_of(x)->archive, &actor, asker_of(x), org_of(x), tag, &n, &err);
	if (rc == ARK_ECONFLICT)
		http_reply_problem(x, 412, "changed-meanwhile",
		    "The accounts have changed since you read the list; look at it again.", NULL);
	else if (rc)
		accounts_failed(x, NULL, &err);
	else
		http_reply_json(
		    x, 200, json_pack("{s:s,s:i}", "org", org_of(x), "confirmed", (int)n));
}
