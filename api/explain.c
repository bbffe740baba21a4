#include "api/explain.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/archive/past.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

struct decision {
	struct app *app;
	const struct receipt *receipt;
	struct explain *e;
	struct ark_error *err;
	struct registry *registry; /* of the time */
	struct registry *replayed; /* the same when it is ours to end */
	uint32_t policies_version;
	struct principal *who;
	struct past_document document; /* of the time; what is described has fields alone */
	struct resource resource;
	json_t *case_record;
	const char **case_units;
	struct access_context context;
	struct access_decision d;
};

static int wrong(struct decision *k, const char *member, const char *why)
{
	k->e->fault = member;
	return ark_fail(k->err, ARK_EINPUT, "%s", why);
}

/* ---- as of when: registers, rules, who ---- */

static int number_of_policies(struct decision *k)
{
	struct desk *desk = NULL;
	int rc = archive_desk(k->app->archive, &desk, k->err);

	if (!rc)
		rc = catalogue_record_number(
		    desk->catalogue, "policies", REGISTRY_POLICIES, &k->policies_version, k->err);
	archive_desk_return(k->app->archive, desk);
	return rc;
}

static int settle_time(struct decision *k)
{
	int rc;

	if (!k->e->past) {
		k->registry = archive_registry(k->app->archive);
		return number_of_policies(k);
	}
	rc = past_registry(
	    k->app->archive, k->receipt, k->e->at_us, &k->replayed, &k->policies_version, k->err);
	k->registry = k->replayed;
	if (rc == ARK_EINPUT)
		k->e->fault = "at";
	return rc;
}

static int settle_principal(struct decision *k)
{
	char day[11];
	int rc;

	clock_day(day, k->e->at_us);
	rc = registry_principal_on(k->registry, k->e->user, day, &k->who, k->err);
	if (rc != ARK_ENOTFOUND)
		return rc;
	if (registry_has(k->registry, "users", k->e->user))
		return wrong(k, k->e->past ? "at" : "user",
		    k->e->past ? "The account was not active at that time."
			       : "The account is not active.");
	return wrong(k, k->e->past ? "at" : "user",
	    k->e->past ? "There was no such account at that time." : "There is no such account.");
}

/* ---- of what ---- */

static int version_then(struct decision *k)
{
	const struct catalogue_row *row = k->e->row;
	int rc = past_document(k->app->archive, k->receipt, row->document, row->version,
	    k->e->at_us, &k->document, k->err);

	return rc == ARK_ENOTFOUND ? wrong(k, "at", "The version was not there at that time.") : rc;
}

static int version_now(struct decision *k)
{
	struct card card = {0};
	int rc = reading_card(k->app->archive, k->receipt, k->e->row, &card, k->err);

	if (rc)
		return rc;
	k->document.fields = json_incref(card.fields);
	k->document.counties = json_incref(card.counties);
	k->document.rendition = k->e->row->rendition.number > 0;
	card_free(&card);
	return ARK_OK;
}

/* What is described may leave out what a filing would get by itself. */
static int described(struct decision *k)
{
	const json_t *given = k->e->resource, *renditions = json_object_get(given, "renditions");
	json_t *fields = json_copy((json_t *)(uintptr_t)given);

	k->document.fields = fields;
	k->document.rendition = json_array_size(renditions) > 0;
	if (!fields ||
	    (!json_text(given, "state") &&
		json_object_set_new(fields, "state", json_string("final"))) ||
	    (!json_text(given, "author") &&
		json_object_set_new(fields, "author", json_string(k->who->access.org))))
		return ark_fail(k->err, ARK_ENOMEM, "no memory for a decision");
	return ARK_OK;
}

/* Reading is decided over the counties that a version was filed with, which are indexed; what would be
 * filed now, over those of the register. So the decision here is the one that was or would be taken. */
static json_t *counties_of(const struct decision *k)
{
	if (k->e->action <= ACCESS_READ_PUBLIC && k->document.counties)
		return json_incref(k->document.counties);
	return registry_counties(k->registry, json_object_get(k->document.fields, "units"));
}

static int settle_resource(struct decision *k)
{
	int rc = ARK_OK;

	if (!k->e->row && !k->e->resource)
		return ARK_OK; /* the archive itself */
	if (k->e->resource)
		rc = described(k);
	else
		rc = k->e->past ? version_then(k) : version_now(k);
	if (!rc)
		rc = resource_fill(k->document.fields, counties_of(k), &k->resource, k->err);
	if (rc)
		return rc;
	k->resource.r.id = k->e->row ? k->e->row->document : NULL;
	k->resource.r.rendition = k->document.rendition;
	return ARK_OK;
}

/* ---- under which circumstances ---- */

static int settle_context(struct decision *k)
{
	k->context = (struct access_context){
	    .now_us = k->e->at_us,
	    .purpose = k->e->purpose,
	    .break_glass = k->e->break_glass,
	    .strong = true, /* as after signing in with two factors, or by token */
	    .address = k->e->address,
	};
	if (!k->e->case_id)
		return ARK_OK;
	k->case_record = registry_get(k->registry, "cases", k->e->case_id);
	if (!k->case_record)
		return wrong(k, "case",
		    k->e->past ? "There was no such case at that time." : "There is no such case.");
	k->context.case_id = k->e->case_id;
	return ids_of(
		   json_object_get(k->case_record, "units"), &k->case_units, &k->context.case_units)
		   ? ark_fail(k->err, ARK_ENOMEM, "no memory for a decision")
		   : ARK_OK;
}

/* ---- the answer ---- */

static const char *language_tag(enum http_language language)
{
	static const char *const tags[] = {[HTTP_FI] = "fi", [HTTP_SV] = "sv", [HTTP_EN] = "en"};

	return tags[language];
}

static json_t *policies_json(const struct decision *k, const char *language)
{
	const struct access_rules *rules = k->who->rules;
	json_t *list = json_array();

	for (size_t i = 0; i < k->d.policies_len; i++) {
		uint32_t n = k->d.policies[i];

		json_array_append_new(list,
		    json_pack("{s:s,s:s,s:s?,s:s?}", "id", access_policy_id(rules, n), "effect",
			cedar_policy_forbids(access_rules_policies(rules), n) ? "forbid" : "permit",
			"sentence", access_policy_sentence(rules, n, language), "statute",
			access_policy_statute(rules, n)));
	}
	return list;
}

static int answer(const struct decision *k, json_t **ret)
{
	const char *language = language_tag(k->e->language);
	const struct catalogue_row *row = k->e->row;
	struct buf sentence = BUF_INIT;
	char at[CLOCK_TEXT_SIZE];
	json_t *v = NULL;

	access_explain(k->who->rules, &k->d, language, &sentence);
	clock_format(at, k->e->at_us);
	if (!buf_failed(&sentence))
		v = json_pack("{s:s,s:s,s:o,s:s,s:s,s:s,s:I}", "outcome",
		    access_outcome_name(k->d.outcome), "sentence", sentence.data, "policies",
		    policies_json(k, language), "action", access_action_name(k->e->action), "user",
		    k->e->user, "at", at, "policiesVersion", (json_int_t)k->policies_version);
	buf_free(&sentence);
	if (v && row) {
		json_object_set_new(v, "document", json_string(row->document));
		json_object_set_new(v, "version", json_integer(row->version));
	}
	*ret = v;
	return v ? ARK_OK : ark_fail(k->err, ARK_ENOMEM, "no memory for an answer");
}

static void decision_end(struct decision *k)
{
	resource_free(&k->resource);
	past_document_free(&k->document);
	free(k->case_units);
	json_decref(k->case_record);
	principal_unref(k->who);
	registry_free(k->replayed);
}

int explain_decide(struct app *app, const struct receipt *receipt, struct explain *e, json_t **ret,
    struct ark_error *err)
{
	struct decision k = {.app = app, .receipt = receipt, .e = e, .err = err};
	int rc = settle_time(&k);

	if (!rc)
		rc = settle_principal(&k);
	if (!rc)
		rc = settle_resource(&k);
	if (!rc)
		rc = settle_context(&k);
	if (!rc)
		rc = access_decide(k.who->rules, &k.who->access, e->action,
		    e->row || e->resource ? &k.resource.r : NULL, &k.context, &k.d, err);
	if (!rc)
		rc = answer(&k, ret);
	decision_end(&k);
	return rc;
}
