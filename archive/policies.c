#include "arkki/archive/policies.h"

#include <stdio.h>
#include <string.h>

#include "archive/archive_private.h"
#include "archive/envelope.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"
#include "arkki/policies/shipped.h"

static const char kind[] = "policies";

int policies_record(
    const char *policies, size_t len, json_t *cases, json_t **ret, struct ark_error *err)
{
	const char *text = policies ? policies : shipped_policies();
	json_t *own = NULL;
	int rc = ARK_OK;

	if (!cases)
		rc = json_read(shipped_cases(), strlen(shipped_cases()), &own, err);
	if (rc)
		return rc;
	*ret = json_pack("{s:s,s:s,s:s%,s:s,s:O}", "id", REGISTRY_POLICIES, "language", "cedar",
	    kind, text, policies ? len : strlen(text), "schema", shipped_schema(), "cases",
	    cases ? cases : own);
	json_decref(own);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the policies");
}

int policies_file(struct archive *a, json_t *record, const struct filing_actor *actor,
    const char *reason, uint32_t *ret_number, struct ark_error *err)
{
	struct filing *f = filing_new(FILING_RECORD);
	int rc = f ? filing_set_actor(f, actor, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for a record");

	if (!rc && reason && !(f->reason = strdup(reason)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a record");
	if (!rc) {
		f->record_kind = kind;
		f->record = json_incref(record);
		rc = filing_submit_wait(a, f, err);
	}
	if (!rc)
		*ret_number = f->metadata;
	filing_free(f);
	return rc;
}

/* ---- the first ones ---- */

/* A catalogue that has lost its row must not make way for other policies than the store has. */
static int none_stored(struct archive *a, struct ark_error *err)
{
	char path[ENVELOPE_PATH], name[33];
	struct desk *desk = NULL;
	struct store_blob blob;
	int rc = archive_desk(a, &desk, err);

	keyring_name(a->keys, kind, REGISTRY_POLICIES, name);
	envelope_record_path(path, kind, name, 1);
	if (!rc)
		rc = store_get(desk->store, NULL, path, &blob, err);
	archive_desk_return(a, desk);
	if (rc)
		return rc == ARK_ENOTFOUND ? ARK_OK : rc;
	store_blob_release(&blob);
	return ark_fail(err, ARK_ECORRUPT,
	    "the catalogue knows no policies, but the store does; make it anew with "
	    "`arkki rebuild %s catalogue`",
	    a->dir);
}

int policies_begin(struct archive *a, struct ark_error *err)
{
	const struct filing_actor actor = {.user = "system", .authentication = "init"};
	struct access_rules *rules = registry_rules(a->registry);
	json_t *record = NULL;
	uint32_t number;
	int rc;

	if (rules || a->mode == ARCHIVE_RESTORE) {
		access_rules_unref(rules);
		return ARK_OK;
	}
	rc = none_stored(a, err);
	if (!rc)
		rc = policies_record(NULL, 0, NULL, &record, err);
	if (!rc)
		rc = policies_file(a, record, &actor, NULL, &number, err);
	json_decref(record);
	return rc;
}

/* ---- reading ---- */

int policies_number(struct archive *a, uint32_t *ret, struct ark_error *err)
{
	return records_number(a, kind, REGISTRY_POLICIES, ret, err);
}

int policies_read(struct archive *a, const struct receipt *receipt, uint32_t number,
    struct policies_version *ret, struct ark_error *err)
{
	*ret = (struct policies_version){.number = number};
	return records_read(a, receipt, kind, REGISTRY_POLICIES, number, &ret->envelope, err);
}

void policies_version_free(struct policies_version *v)
{
	json_decref(v->envelope);
	v->envelope = NULL;
}

/* ---- restoring ---- */

/* Nothing is put in force that the next start would refuse. */
static int check(const json_t *record, uint32_t number, struct ark_error *err)
{
	const char *policies = json_text(record, kind), *schema = json_text(record, "schema");
	struct access_rules *rules = NULL;
	int rc;

	if (!policies || !schema)
		rc = ark_fail(err, ARK_ECORRUPT, "they lack their text");
	else
		rc = access_rules_new(
		    policies, strlen(policies), schema, strlen(schema), NULL, NULL, &rules, err);
	access_rules_unref(rules);
	if (rc)
		return ark_fail_within(err, ARK_ECORRUPT,
		    "version %u of the policies cannot be used either; name another with "
		    "--version N, or take --shipped",
		    number);
	return ARK_OK;
}

static int take_version(
    struct archive *a, uint32_t number, uint32_t newest, json_t **ret, struct ark_error *err)
{
	struct policies_version v = {0};
	struct receipt *receipt = NULL;
	char range[60];
	int rc;

	if (number < 1 || number > newest)
		return ark_fail(err, ARK_ENOTFOUND,
		    "there is no version %u of the policies, only 1 to %u; name one with "
		    "--version N, or take --shipped",
		    number, newest);
	snprintf(range, sizeof(range), "policies, version %u", number);
	rc = archive_maintenance(a, "policy restore", range, &receipt, err);
	if (!rc)
		rc = policies_read(a, receipt, number, &v, err);
	if (!rc)
		rc = check(json_object_get(v.envelope, "record"), number, err);
	if (!rc)
		*ret = json_incref(json_object_get(v.envelope, "record"));
	policies_version_free(&v);
	receipt_free(receipt);
	return rc;
}

int policies_restore(const char *dir, const char *root_key, uint32_t number, bool shipped,
    uint32_t *ret_number, uint32_t *ret_from, struct ark_error *err)
{
	const struct filing_actor operator= {.user = "operator", .authentication = "operator"};
	struct archive *a = NULL;
	json_t *record = NULL;
	uint32_t newest, from = 0;
	char reason[60];
	int rc = archive_open(dir, root_key, ARCHIVE_RESTORE, NULL, NULL, &a, err);

	if (!rc)
		rc = policies_number(a, &newest, err);
	if (rc)
		goto out;
	if (!shipped)
		from = number ? number : newest - (newest > 0);
	rc = shipped ? policies_record(NULL, 0, NULL, &record, err)
		     : take_version(a, from, newest, &record, err);
	if (rc)
		goto out;
	if (shipped)
		snprintf(reason, sizeof(reason), "restored: the shipped policies");
	else
		snprintf(reason, sizeof(reason), "restored: version %u", from);
	rc = policies_file(a, record, &operator, reason, ret_number, err);
	*ret_from = from;
out:
	json_decref(record);
	archive_close(a);
	return rc;
}
