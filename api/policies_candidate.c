/* Looking at other rules than those in force, and putting them in force. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/i18n.h"
#include "api/job.h"
#include "api/policies_private.h"
#include "api/record_versions.h"
#include "arkki/api/http_range.h"
#include "arkki/archive/policies.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* ---- a candidate ---- */

struct trial {
	struct app *app;
	struct caller *caller;
	struct policies_candidate candidate;
	json_t *body; /* owns what the candidate points to */
	const char *reason;
	policies_show *show; /* NULL: the API answers */
	bool apply, dry;
	uint32_t builds_on, number; /* number: the new version */
	struct policies_report report;
	bool reported;
	int status;
	struct ark_error error;
};

static void trial_free(void *arg)
{
	struct trial *j = arg;

	if (j->reported)
		policies_report_free(&j->report);
	json_decref(j->body);
	free(j);
}

static bool acceptable(const struct policies_report *r)
{
	return r->rules && !json_array_size(r->errors) && !json_array_size(r->failed) &&
	       !r->locked_out;
}

static int put_in_force(struct trial *j)
{
	const struct caller *c = j->caller;
	const struct filing_actor actor = {
	    .user = c->who->access.user,
	    .org = c->who->access.org,
	    .roles = c->who->roles_text,
	    .authentication = c->authentication,
	    .session = c->token_id[0] ? c->token_id : NULL,
	    .address = c->address,
	};
	json_t *record = NULL;
	uint32_t number;
	int rc = policies_number(j->app->archive, &number, &j->error);

	if (!rc && number != j->builds_on)
		rc = ark_fail(&j->error, ARK_ECONFLICT, "the policies have changed");
	if (!rc)
		rc = policies_record(
		    j->candidate.text, j->candidate.len, j->report.cases, &record, &j->error);
	if (!rc)
		rc = policies_file(
		    j->app->archive, record, &actor, j->reason, &j->number, &j->error);
	json_decref(record);
	return rc;
}

static void trial_work(void *arg)
{
	struct trial *j = arg;

	j->status = policies_report_make(j->app, &j->candidate, &j->report, &j->error);
	j->reported = !j->status;
	if (!j->status && j->apply && !j->dry && acceptable(&j->report))
		j->status = put_in_force(j);
	policies_end_turn(j->app->policies);
}

static void reply_applied(struct exchange *x, const struct trial *j)
{
	json_t *answer = policies_report_json(&j->report);
	char tag[TAG_SIZE];

	json_object_set_new(
	    answer, "version", json_integer((json_int_t)(j->number ? j->number : j->builds_on)));
	json_object_set_new(answer, "applied", json_boolean(j->number != 0));
	tag_law(j->app, j->number ? j->number : j->builds_on, http_language(x), tag);
	http_reply_header(x, "ETag", tag);
	http_reply_json(x, 200, answer);
}

static void trial_answer(struct exchange *x)
{
	const struct trial *j = job_arg(x);

	if (j->show) {
		j->show(x, j->status, j->status ? NULL : policies_report_json(&j->report),
		    j->number, &j->error);
	} else if (j->status == ARK_ECONFLICT) {
		record_version_changed(x, "policies");
	} else if (j->status) {
		http_reply_error(x, &j->error);
	} else if (!j->apply) {
		http_reply_json(x, 200, policies_report_json(&j->report));
	} else if (json_array_size(j->report.errors) || json_array_size(j->report.failed)) {
		http_reply_problem(x, 422, "policies", "The policies in force stay as they are.",
		    policies_report_problems(&j->report));
	} else if (j->report.locked_out) {
		http_reply_problem(x, 409, "locked-out",
		    "No account would be permitted to administer, so nobody could change the "
		    "policies again. Those in force stay as they are.",
		    NULL);
	} else {
		reply_applied(x, j);
	}
}

/* ---- what was sent ---- */

static json_t *wrong(const char *field, const char *code, const char *detail, unsigned int line)
{
	return json_pack("[{s:s,s:s,s:s,s:o}]", "field", field, "code", code, "detail", detail,
	    "line", line ? json_integer((json_int_t)line) : json_null());
}

static void refuse(struct exchange *x, json_t *errors)
{
	http_reply_problem(x, 422, "policies", "The policies in force stay as they are.", errors);
}

/* Bare Cedar, whose bytes nobody has looked at yet. */
static bool read_text(struct exchange *x, struct trial *j, const char *body, size_t len)
{
	const char *at = body, *end = body + len;
	unsigned int line = 1;

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = eol ? (size_t)(eol - at) : (size_t)(end - at);

		if (!utf8_valid(at, n) || memchr(at, '\0', n)) {
			refuse(x, wrong("policies", "utf8",
				      "the line is not UTF-8 text, or has a NUL in it", line));
			return false;
		}
		at += n + 1;
		line++;
	}
	j->candidate.text = body;
	j->candidate.len = len;
	return true;
}

static const char *wrong_member(const char *key, const json_t *value)
{
	if (strcmp(key, "policies") == 0 || strcmp(key, "schema") == 0)
		return json_is_string(value) ? NULL : "must be a text";
	if (strcmp(key, "reason") == 0)
		return json_is_string(value) && json_string_length(value) <= 4000
			   ? NULL
			   : "must be a text of at most 4000 bytes";
	if (strcmp(key, "cases") == 0)
		return json_is_object(value) ? NULL : "must be an object";
	return "is unknown";
}

static bool read_members(struct exchange *x, struct trial *j)
{
	const char *key, *why;
	json_t *value;

	json_object_foreach(j->body, key, value)
	{
		why = wrong_member(key, value);
		if (why) {
			refuse(x, wrong(key, "member", why, 0));
			return false;
		}
	}
	if (!json_object_get(j->body, "policies")) {
		refuse(x, wrong("policies", "required", "is missing", 0));
		return false;
	}
	j->candidate.text = json_text(j->body, "policies");
	j->candidate.len = json_string_length(json_object_get(j->body, "policies"));
	j->candidate.schema = json_text(j->body, "schema");
	j->candidate.cases = json_object_get(j->body, "cases");
	j->reason = json_text(j->body, "reason");
	return true;
}

/* False: replied. */
static bool read_body(struct exchange *x, struct trial *j)
{
	const char *dry = http_query(x, "dryRun");
	struct ark_error err;
	size_t len;
	const char *body = http_body(x, &len);

	j->dry = dry && strcmp(dry, "true") == 0;
	if (dry && !j->dry && strcmp(dry, "false") != 0) {
		http_reply_problem(x, 400, "bad-query", "dryRun must be true or false.", NULL);
		return false;
	}
	if (!http_content_is(x, "application/json"))
		return read_text(x, j, body, len);
	if (json_read(body, len, &j->body, &err) || !json_is_object(j->body)) {
		http_reply_problem(
		    x, 400, "bad-json", j->body ? "The body must be an object." : err.text, NULL);
		return false;
	}
	return read_members(x, j);
}

/* Any language's tag will do: it is the policies that must not have changed. */
static bool version_matches(struct exchange *x, uint32_t number)
{
	const char *header = http_header_list(x, "If-Match");
	enum etag_match m = ETAG_ABSENT;
	char tag[TAG_SIZE];

	for (unsigned int l = 0; l < I18N_LANGUAGES && m != ETAG_MATCH; l++) {
		tag_law(app_of(x), number, (enum http_language)l, tag);
		m = etag_if_match(header, tag);
	}
	return record_version_matches(x, m, "policies");
}

static void start_trial(struct exchange *x, struct trial *j)
{
	struct policies_service *policies = j->app->policies;

	if (!policies_take_turn(policies)) {
		http_reply_header(x, "Retry-After", "5");
		http_reply_problem(x, 503, "busy",
		    "Other policies are being looked at; repeat the request in a moment.", NULL);
		return;
	}
	/* when it cannot begin, the candidate is freed with the visit */
	if (!job_begin(x, j, trial_free, trial_work, trial_answer))
		policies_end_turn(policies);
}

static struct trial *trial_new(struct exchange *x, bool apply, uint32_t builds_on)
{
	struct visit *v = visit_of(x);
	struct trial *j = calloc(1, sizeof(*j));

	if (!j) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	v->more = j;
	v->more_free = trial_free;
	j->app = v->app;
	j->caller = v->caller;
	j->apply = apply;
	j->builds_on = builds_on;
	j->candidate.language = http_language(x);
	return j;
}

void policies_consider(struct exchange *x, json_t *body, bool apply, uint32_t base,
    enum http_language language, policies_show *show)
{
	struct trial *j = trial_new(x, apply, base);

	if (!j) {
		json_decref(body);
		return;
	}
	j->body = body;
	j->show = show;
	j->candidate.language = language;
	if (read_members(x, j))
		start_trial(x, j);
}

static void consider(struct exchange *x, bool apply)
{
	struct visit *v = visit_of(x);
	struct ark_error err;
	struct law l = {0};
	struct trial *j;

	if (!v)
		return;
	if (!caller_may(v->caller, ACCESS_ADMINISTER)) {
		http_reply_problem(x, 403, "not-permitted",
		    "Policies are looked at and changed by administrators.", NULL);
		return;
	}
	if (law_in_force(v->app, &l, NULL, &err)) {
		http_reply_error(x, &err);
		return;
	}
	law_free(&l);
	if (apply && !version_matches(x, l.number))
		return;
	j = trial_new(x, apply, l.number);
	if (j && read_body(x, j))
		start_trial(x, j);
}

void policies_check(struct exchange *x)
{
	consider(x, false);
}

void policies_put(struct exchange *x)
{
	consider(x, true);
}
