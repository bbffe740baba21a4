/* The rules over HTTP: what is in force and was, what a candidate would do, and putting one in
 * force.
 *
 * A candidate is looked at in a thread of its own, one at a time: counting
 * documents takes long, and two changes must not pass each other's checks. The old rules
 * stay in force until the record of the new ones is durable, whatever goes wrong.
 */
#include "api/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/job.h"
#include "api/i18n.h"
#include "api/record_versions.h"
#include "arkki/api/http_range.h"
#include "arkki/archive/policies.h"
#include "arkki/archive/seal.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* ---- the service ---- */

int policies_start(struct app *app, struct ark_error *err)
{
	struct policies_service *s = calloc(1, sizeof(*s));

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for the server");
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->idle, NULL);
	app->policies = s;
	return ARK_OK;
}

void policies_end_soon(struct app *app)
{
	if (app->policies)
		atomic_store(&app->policies->stopping, true);
}

static void forget(struct policies_service *s)
{
	json_decref(s->envelope);
	json_decref(s->versions);
	access_rules_unref(s->rules);
	s->envelope = s->versions = NULL;
	s->rules = NULL;
	s->number = 0;
}

void policies_stop(struct app *app)
{
	struct policies_service *s = app->policies;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	while (s->busy)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
	forget(s);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->idle);
	free(s);
	app->policies = NULL;
}

static bool take_turn(struct policies_service *s)
{
	bool mine;

	pthread_mutex_lock(&s->lock);
	mine = !s->busy;
	s->busy = true;
	pthread_mutex_unlock(&s->lock);
	return mine;
}

static void end_turn(struct policies_service *s)
{
	pthread_mutex_lock(&s->lock);
	s->busy = false;
	pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

/* ---- versions ---- */

struct law { /* one version, with references of its own */
	uint32_t number;
	json_t *envelope;
	struct access_rules *rules; /* NULL: this arkki cannot read that version any more */
};

static void law_free(struct law *l)
{
	json_decref(l->envelope);
	access_rules_unref(l->rules);
}

static struct access_rules *compiled(const json_t *envelope)
{
	const json_t *record = json_object_get(envelope, "record");
	const char *text = json_text(record, "policies"), *schema = json_text(record, "schema");
	struct access_rules *r = NULL;

	if (!text || !schema ||
	    access_rules_new(text, strlen(text), schema, strlen(schema), NULL, NULL, &r, NULL))
		return NULL;
	return r;
}

static json_t *digest_of(const json_t *record)
{
	const char *text = json_text(record, "policies");
	unsigned char sha[32];
	char hex[65];

	if (!text)
		return json_null();
	sha256_of(text, strlen(text), sha);
	hex_encode(hex, sha, sizeof(sha));
	return json_string(hex);
}

static json_t *header_json(uint32_t number, const json_t *envelope)
{
	json_t *v = record_version_header(number, envelope);

	if (v)
		json_object_set_new(v, "sha256", digest_of(json_object_get(envelope, "record")));
	return v;
}

/* Every version once, under one logged entry. One whose bytes are damaged has its number alone. */
static int read_all(struct archive *a, const struct receipt *receipt, uint32_t newest,
    json_t *headers, json_t **ret, struct ark_error *err)
{
	struct policies_version v = {0};
	int rc = ARK_OK;

	for (uint32_t n = 1; !rc && n <= newest; n++) {
		policies_version_free(&v);
		rc = policies_read(a, receipt, n, &v, err);
		if (rc == ARK_ECORRUPT && n < newest)
			rc = ARK_OK;
		if (!rc && json_array_append_new(headers, header_json(n, v.envelope)))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for the policies");
	}
	if (!rc)
		*ret = json_incref(v.envelope);
	policies_version_free(&v);
	return rc;
}

/* Under the service's lock: it is how others wait for it. */
static int refresh(struct app *app, uint32_t newest, struct ark_error *err)
{
	struct policies_service *s = app->policies;
	json_t *headers = json_array(), *envelope = NULL;
	struct receipt *receipt = NULL;
	char range[60];
	int rc;

	snprintf(range, sizeof(range), "versions 1-%u", newest);
	rc = archive_maintenance(app->archive, "read policies", range, &receipt, err);
	if (!rc)
		rc = read_all(app->archive, receipt, newest, headers, &envelope, err);
	receipt_free(receipt);
	if (rc) {
		json_decref(headers);
		return rc;
	}
	forget(s);
	s->number = newest;
	s->versions = headers;
	s->envelope = envelope;
	s->rules = compiled(envelope);
	return ARK_OK;
}

static int law_in_force(
    struct app *app, struct law *ret, json_t **ret_versions, struct ark_error *err)
{
	struct policies_service *s = app->policies;
	uint32_t newest;
	int rc;

	*ret = (struct law){0};
	pthread_mutex_lock(&s->lock);
	rc = policies_number(app->archive, &newest, err);
	if (!rc && newest == 0)
		rc = ark_fail(err, ARK_ENOTFOUND, "there are no policies");
	if (!rc && s->number != newest)
		rc = refresh(app, newest, err);
	if (!rc) {
		*ret = (struct law){s->number, json_incref(s->envelope),
		    s->rules ? access_rules_ref(s->rules) : NULL};
		if (ret_versions)
			*ret_versions = json_incref(s->versions);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int law_of(struct app *app, uint32_t number, struct law *ret, struct ark_error *err)
{
	struct policies_version v = {0};
	struct receipt *receipt = NULL;
	char range[60];
	uint32_t newest;
	int rc = law_in_force(app, ret, NULL, err);

	if (rc || number == ret->number)
		return rc;
	newest = ret->number;
	law_free(ret);
	*ret = (struct law){0};
	if (number > newest)
		return ark_fail(err, ARK_ENOTFOUND, "there is no such version");
	snprintf(range, sizeof(range), "version %u", number);
	rc = archive_maintenance(app->archive, "read policies", range, &receipt, err);
	if (!rc)
		rc = policies_read(app->archive, receipt, number, &v, err);
	if (!rc)
		*ret = (struct law){number, json_incref(v.envelope), compiled(v.envelope)};
	policies_version_free(&v);
	receipt_free(receipt);
	return rc;
}

/* ---- showing ---- */

static void tag_law(
    const struct app *app, uint32_t number, enum http_language language, char out[TAG_SIZE])
{
	char id[40], tag[33];
	int n = snprintf(id, sizeof(id), "%u %s", number, i18n_code(language));

	archive_tag(app->archive, "policies", id, (size_t)n, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
}

static json_t *rules_json(const struct access_rules *r, const char *language)
{
	const struct cedar_policies *p = r ? access_rules_policies(r) : NULL;
	json_t *list = json_array();

	for (size_t i = 0; p && i < cedar_policies_count(p); i++)
		json_array_append_new(list,
		    json_pack("{s:s,s:s,s:i,s:s?,s:s?}", "id", access_policy_id(r, (uint32_t)i),
			"effect", cedar_policy_forbids(p, i) ? "forbid" : "permit", "line",
			(int)cedar_policy_line(p, i), "sentence",
			access_policy_sentence(r, (uint32_t)i, language), "statute",
			cedar_policy_note(p, i, "statute")));
	return list;
}

static json_t *law_json(const struct law *l, enum http_language language)
{
	const json_t *record = json_object_get(l->envelope, "record");
	json_t *v = header_json(l->number, l->envelope);

	json_object_set_new(v, "policies", json_string(json_text(record, "policies")));
	json_object_set_new(v, "schema", json_string(json_text(record, "schema")));
	json_object_set_new(v, "rules", rules_json(l->rules, i18n_code(language)));
	return v;
}

static bool find_law(struct exchange *x, struct law *ret)
{
	struct ark_error err;
	uint32_t number;
	int rc;

	if (!record_version_wanted(x, &number))
		return false;
	rc = number ? law_of(app_of(x), number, ret, &err)
		    : law_in_force(app_of(x), ret, NULL, &err);
	if (rc == ARK_ENOTFOUND)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (rc)
		http_reply_error(x, &err);
	return rc == ARK_OK;
}

/* 304 when the client has it; true when the body is wanted. */
static bool body_wanted(struct exchange *x, const char *tag)
{
	enum etag_match m = etag_if_none_match(http_header_list(x, "If-None-Match"), tag);

	if (m == ETAG_MALFORMED) {
		http_reply_problem(
		    x, 400, "bad-if-none-match", "If-None-Match is malformed.", NULL);
		return false;
	}
	http_reply_header(x, "ETag", tag);
	http_reply_header(x, "Vary", "Accept-Language, Cookie");
	if (m == ETAG_MATCH)
		http_reply_empty(x, 304);
	return m != ETAG_MATCH;
}

int policies_shown(struct app *app, enum http_language language, json_t **ret,
    json_t **ret_versions, struct ark_error *err)
{
	struct law l;
	int rc = law_in_force(app, &l, ret_versions, err);

	if (rc)
		return rc;
	*ret = law_json(&l, language);
	law_free(&l);
	return ARK_OK;
}

void policies_get(struct exchange *x)
{
	enum http_language language = http_language(x);
	char tag[TAG_SIZE];
	struct law l;

	if (!find_law(x, &l))
		return;
	tag_law(app_of(x), l.number, language, tag);
	if (body_wanted(x, tag))
		http_reply_json(x, 200, law_json(&l, language));
	law_free(&l);
}

void policies_cases_get(struct exchange *x)
{
	const json_t *cases;
	struct law l;

	if (!find_law(x, &l))
		return;
	cases = json_object_get(json_object_get(l.envelope, "record"), "cases");
	http_reply_json(x, 200,
	    cases ? json_incref((json_t *)(uintptr_t)cases)
		  : json_pack("{s:[],s:{}}", "entities", "sets"));
	law_free(&l);
}

void policies_versions_get(struct exchange *x)
{
	json_t *versions;
	struct ark_error err;
	struct law l;

	if (law_in_force(app_of(x), &l, &versions, &err)) {
		http_reply_error(x, &err);
		return;
	}
	http_reply_json(x, 200, json_pack("{s:o}", "versions", versions));
	law_free(&l);
}

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
	end_turn(j->app->policies);
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

	if (!take_turn(policies)) {
		http_reply_header(x, "Retry-After", "5");
		http_reply_problem(x, 503, "busy",
		    "Other policies are being looked at; repeat the request in a moment.", NULL);
		return;
	}
	/* when it cannot begin, the candidate is freed with the visit */
	if (!job_begin(x, j, trial_free, trial_work, trial_answer))
		end_turn(policies);
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
