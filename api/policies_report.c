#include "api/policies.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "arkki/policies/cases.h"
#include "arkki/policies/shipped.h"

enum { CASES_TOLD = 100 };

/* What the engine says has a bound, and may end within a character. */
static json_t *said(const char *text)
{
	size_t len = strlen(text);

	for (unsigned int i = 0; i < 4 && len > 0 && !utf8_valid(text, len); i++)
		len--;
	return utf8_valid(text, len) ? json_stringn(text, len) : json_string("?");
}

static json_t *said_or_null(const char *text)
{
	return text && *text ? said(text) : json_null();
}

static void add_fault(json_t *to, const char *field, const char *code, const char *detail)
{
	json_array_append_new(
	    to, json_pack("{s:s,s:s,s:o,s:n,s:n,s:n,s:n}", "field", field, "code", code, "detail",
		    said(detail), "policy", "line", "column", "mend"));
}

/* ---- the text ---- */

struct listener {
	struct policies_report *r;
	const char *code;
};

static void hear_fault(void *arg, const struct cedar_fault *f)
{
	const struct listener *l = arg;

	json_array_append_new(f->warning ? l->r->warnings : l->r->errors,
	    json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "field", "policies", "code", l->code,
		"detail", said(f->text), "policy", said_or_null(f->policy), "line",
		f->line ? json_integer((json_int_t)f->line) : json_null(), "column",
		f->line ? json_integer((json_int_t)f->column) : json_null(), "mend",
		said_or_null(f->mend)));
}

/* Answers and logs name a policy by its @id: it should have one of its own. */
static void look_at_ids(struct policies_report *r)
{
	const struct cedar_policies *p = access_rules_policies(r->rules);
	json_t *seen = json_object();

	for (size_t i = 0; i < cedar_policies_count(p); i++) {
		const char *id = cedar_policy_note(p, i, "id");
		struct cedar_fault f = {
		    .warning = true, .line = cedar_policy_line(p, i), .column = 1};
		struct listener l = {r, "id"};

		snprintf(
		    f.policy, sizeof(f.policy), "%.63s", access_policy_id(r->rules, (uint32_t)i));
		if (!id || !*id)
			snprintf(f.text, sizeof(f.text),
			    "the policy has no @id: answers and logs call it by its number, which "
			    "changes when policies move");
		else if (json_object_get(seen, id))
			snprintf(f.text, sizeof(f.text),
			    "another policy has the same @id: answers cannot tell them apart");
		if (f.text[0])
			hear_fault(&l, &f);
		if (id && *id)
			json_object_set_new(seen, id, json_true());
	}
	json_decref(seen);
}

static int compile(
    const struct policies_candidate *c, struct policies_report *r, struct ark_error *err)
{
	struct listener syntax = {r, "syntax"}, type = {r, "type"}, filter = {r, "filter"};
	struct cedar_policies *parsed = NULL;
	int rc;

	if (c->schema && strcmp(c->schema, shipped_schema()) != 0)
		add_fault(r->errors, "schema", "other-schema",
		    "The schema says what this arkki fills in and cannot be changed with the "
		    "policies: leave it out, or send the one that ships.");
	rc = cedar_policies_parse(c->text, c->len, hear_fault, &syntax, &parsed, err);
	cedar_policies_free(parsed);
	if (!rc) {
		json_array_clear(r->warnings); /* the second look tells them again */
		rc = access_rules_new(c->text, c->len, shipped_schema(), strlen(shipped_schema()),
		    hear_fault, &type, &r->rules, err);
	}
	if (rc == ARK_EINPUT && !json_array_size(r->errors))
		add_fault(r->errors, "policies", "bounds", err->text);
	if (rc)
		return rc == ARK_EINPUT ? ARK_OK : rc;
	access_check_filters(r->rules, hear_fault, &filter);
	look_at_ids(r);
	return ARK_OK;
}

/* ---- the cases ---- */

static json_t *cases_in_force(struct app *app, struct ark_error *err)
{
	json_t *record =
	    registry_get(archive_registry(app->archive), "policies", REGISTRY_POLICIES);
	json_t *cases = json_incref(json_object_get(record, "cases"));

	json_decref(record);
	if (!cases && json_read(shipped_cases(), strlen(shipped_cases()), &cases, err))
		return NULL;
	return cases;
}

static size_t count_requests(const json_t *cases)
{
	const char *name;
	json_t *set;
	size_t n = 0;

	json_object_foreach(json_object_get(cases, "sets"), name, set) n +=
	    json_array_size(json_object_get(set, "requests"));
	return n;
}

static void hear_case(void *arg, const struct access_case *failed)
{
	struct policies_report *r = arg;

	if (json_array_size(r->failed) < CASES_TOLD)
		json_array_append_new(
		    r->failed, json_pack("{s:s,s:s,s:o}", "set", failed->set, "description",
				   failed->description, "detail", said(failed->why)));
}

static int run_cases(struct app *app, const struct policies_candidate *c, struct policies_report *r,
    struct ark_error *err)
{
	json_t *before = cases_in_force(app, err);
	unsigned int failed = 0;
	char text[120];
	int rc;

	if (!before)
		return ARK_ENOMEM;
	r->cases = json_incref(c->cases ? c->cases : before);
	if (count_requests(r->cases) < count_requests(before)) {
		snprintf(text, sizeof(text), "There are %zu cases, %zu fewer than before.",
		    count_requests(r->cases), count_requests(before) - count_requests(r->cases));
		add_fault(r->warnings, "cases", "fewer-cases", text);
	}
	json_decref(before);
	rc = access_cases_run(r->rules, r->cases, hear_case, r, &r->passed, &failed, err);
	if (rc == ARK_EINPUT) {
		add_fault(r->errors, "cases", "cases", err->text);
		return ARK_OK;
	}
	return rc;
}

/* ---- the lock-out ---- */

static bool stands(const struct principal *p)
{
	const char *from = p->access.valid_from, *until = p->access.valid_until;

	return (!from || strcmp(from, p->day) <= 0) && (!until || strcmp(p->day, until) <= 0);
}

static bool may_administer(
    struct registry *registry, const struct access_rules *rules, const char *user)
{
	const struct access_context context = {.strong = true};
	struct principal *p = NULL;
	struct access_decision d;
	bool may;

	if (registry_principal(registry, user, &p, NULL))
		return false;
	may = stands(p) &&
	      !access_decide(rules, &p->access, ACCESS_ADMINISTER, NULL, &context, &d, NULL) &&
	      d.outcome == ACCESS_PERMIT;
	principal_unref(p);
	return may;
}

/* Nobody could change the rules again. */
static int look_for_administrator(struct app *app, struct policies_report *r, struct ark_error *err)
{
	struct registry *registry = archive_registry(app->archive);
	json_t *users = registry_all(registry, "users"), *user;
	size_t i;

	if (!users)
		return ark_fail(err, ARK_ENOMEM, "no memory for the users");
	r->locked_out = true;
	json_array_foreach(users, i, user)
	{
		if (may_administer(registry, r->rules, json_text(user, "id"))) {
			r->locked_out = false;
			break;
		}
	}
	json_decref(users);
	return ARK_OK;
}

/* ---- the report ---- */

static int look_at_impact(struct app *app, const struct policies_candidate *c,
    struct policies_report *r, struct ark_error *err)
{
	struct access_rules *old = registry_rules(archive_registry(app->archive));
	json_t *impact = NULL;
	int rc = old ? policies_impact(
			   app, old, r->rules, c->language, &impact, &r->impact_complete, err)
		     : ark_fail(err, ARK_ECORRUPT, "there are no policies in force");

	access_rules_unref(old);
	if (!rc) {
		json_decref(r->impact);
		r->impact = impact;
	}
	return rc;
}

int policies_report_make(struct app *app, const struct policies_candidate *c,
    struct policies_report *ret, struct ark_error *err)
{
	struct policies_report r = {.errors = json_array(),
	    .warnings = json_array(),
	    .failed = json_array(),
	    .impact = json_array(),
	    .impact_complete = true};
	int rc = ARK_OK;

	if (!r.errors || !r.warnings || !r.failed || !r.impact)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a report");
	if (!rc)
		rc = compile(c, &r, err);
	if (!rc && r.rules)
		rc = run_cases(app, c, &r, err);
	if (!rc && r.rules)
		rc = look_for_administrator(app, &r, err);
	if (!rc && r.rules)
		rc = look_at_impact(app, c, &r, err);
	if (rc)
		policies_report_free(&r);
	else
		*ret = r;
	return rc;
}

void policies_report_free(struct policies_report *r)
{
	access_rules_unref(r->rules);
	json_decref(r->cases);
	json_decref(r->errors);
	json_decref(r->warnings);
	json_decref(r->failed);
	json_decref(r->impact);
	*r = (struct policies_report){0};
}

json_t *policies_report_json(const struct policies_report *r)
{
	return json_pack("{s:b,s:O,s:O,s:{s:i,s:O},s:b,s:O,s:b}", "valid",
	    json_array_size(r->errors) == 0, "errors", r->errors, "warnings", r->warnings, "cases",
	    "passed", (int)r->passed, "failed", r->failed, "lockedOut", (int)r->locked_out,
	    "impact", r->impact, "impactComplete", (int)r->impact_complete);
}

json_t *policies_report_problems(const struct policies_report *r)
{
	json_t *all = json_copy(r->errors), *failed;
	struct buf detail = BUF_INIT;
	size_t i;

	json_array_foreach(r->failed, i, failed)
	{
		buf_clear(&detail);
		buf_addf(&detail, "%s (%s: %s)", json_text(failed, "description"),
		    json_text(failed, "set"), json_text(failed, "detail"));
		add_fault(all, "cases", "case-failed", detail.data ? detail.data : "");
	}
	buf_free(&detail);
	return all;
}
