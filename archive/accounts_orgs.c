/* Organisations: registered and changed by administrators. */
#include <string.h>

#include "archive/accounts_private.h"
#include "arkki/base/json.h"

static int not_an_administrator(struct ark_error *err)
{
	return ark_fail(
	    err, ARK_EREFUSED, "organisations are registered and changed by administrators");
}

static int own_predecessor(const json_t *record, struct account_fault *fault, struct ark_error *err)
{
	const char *id = json_text(record, "id");
	const json_t *other;
	size_t i;

	json_array_foreach(json_object_get(record, "predecessors"), i, other)
	{
		if (strcmp(json_string_value(other), id) == 0)
			return account_fault_set(fault, err, "predecessors", "own",
			    "an organisation does not follow itself");
	}
	return ARK_OK;
}

static int make_org(const json_t *wish, json_t **ret, struct ark_error *err)
{
	json_t *record = json_object();
	int rc = record ? account_take_fields(record, wish, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for an organisation");

	if (!rc && !json_object_get(wish, "confirmEvery") &&
	    json_object_set_new(record, "confirmEvery", json_integer(ACCOUNTS_CONFIRM_DAYS)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an organisation");
	if (rc)
		json_decref(record);
	else
		*ret = record;
	return rc;
}

int accounts_org_add(struct archive *a, const struct filing_actor *actor, const struct principal *p,
    const json_t *wish, json_t **ret, struct account_fault *fault, struct ark_error *err)
{
	json_t *record = NULL;
	int rc = account_administers(p) ? account_check_org(wish, true, fault, err)
					: not_an_administrator(err);

	if (!rc)
		rc = make_org(wish, &record, err);
	if (!rc)
		rc = account_check_days(record, fault, err);
	if (!rc)
		rc = own_predecessor(record, fault, err);
	if (!rc)
		rc = accounts_lock(a, err);
	if (rc)
		goto out;
	rc = account_settle(a, "orgs", NULL, record, 0, actor, json_text(wish, "reason"), ret, err);
	accounts_unlock(a);
	if (rc == ARK_ECONFLICT)
		ark_fail(err, rc, "there is an organisation %s already", json_text(wish, "id"));
out:
	json_decref(record);
	return rc;
}

int accounts_org_change_on(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *org, uint32_t base, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err)
{
	json_t *record = NULL, *before = NULL;
	uint32_t number = 0;
	int rc = accounts_lock(a, err);

	if (rc)
		return rc;
	rc = account_record(a, "orgs", org, &record, &number, err);
	if (!rc && !account_administers(p))
		rc = not_an_administrator(err);
	if (!rc)
		rc = account_expect_base(base, number, err);
	if (!rc)
		rc = account_check_org(wish, false, fault, err);
	if (!rc && !(before = json_deep_copy(record)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an organisation");
	if (!rc)
		rc = account_take_fields(record, wish, err);
	if (!rc)
		rc = account_check_days(record, fault, err);
	if (!rc)
		rc = own_predecessor(record, fault, err);
	if (!rc)
		rc = account_settle(
		    a, "orgs", before, record, number, actor, json_text(wish, "reason"), ret, err);
	accounts_unlock(a);
	json_decref(before);
	json_decref(record);
	return rc;
}

int accounts_org_change(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *org, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err)
{
	return accounts_org_change_on(a, actor, p, org, 0, wish, ret, fault, err);
}
