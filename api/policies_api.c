/* The rules over HTTP: what is in force and was, what a candidate would do, and putting one in
 * force.
 *
 * A candidate is looked at in a thread of its own, one at a time: counting
 * documents takes long, and two changes must not pass each other's checks. The old rules
 * stay in force until the record of the new ones is durable, whatever goes wrong.
 */
#include "api/policies_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/i18n.h"
#include "api/record_versions.h"
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

bool policies_take_turn(struct policies_service *s)
{
	bool mine;

	pthread_mutex_lock(&s->lock);
	mine = !s->busy;
	s->busy = true;
	pthread_mutex_unlock(&s->lock);
	return mine;
}

void policies_end_turn(struct policies_service *s)
{
	pthread_mutex_lock(&s->lock);
	s->busy = false;
	pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

/* ---- versions ---- */

void law_free(struct law *l)
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

int law_in_force(struct app *app, struct law *ret, json_t **ret_versions, struct ark_error *err)
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

void tag_law(
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
