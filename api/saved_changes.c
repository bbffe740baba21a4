/* Saved searches as resources: make, change, delete; each change is a record that is filed. */
#include <string.h>

#include <sodium.h>

#include "api/caller_filing.h"
#include "api/indexer.h"
#include "api/record_versions.h"
#include "api/saved_searches.h"
#include "api/search_asked.h"
#include "arkki/api/http_range.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { NAME_MAX_CHARS = 200 };

/* ---- what may be saved ---- */

static json_t *fault(const char *field, const char *code, const char *detail)
{
	return json_pack("{s:s,s:s,s:s}", "field", field, "code", code, "detail", detail);
}

static bool name_ok(const json_t *name)
{
	const char *text = json_string_value(name);
	size_t chars = text ? utf8_length(text, strlen(text)) : 0;

	for (const char *p = text; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return chars >= 1 && chars <= NAME_MAX_CHARS;
}

/* What is wrong with the body, as the errors of a 422; all of it must be there when it makes a search. */
static json_t *faults_of(const json_t *body, bool makes)
{
	json_t *errors = json_array(), *name = json_object_get(body, "name"), *v;
	const json_t *query = json_object_get(body, "query");
	struct search_asked asked;
	struct ark_error err = {0};
	const char *key, *wrong = NULL;

	if ((name || makes) && !name_ok(name))
		json_array_append_new(
		    errors, fault("name", "bad-text", "A name of 1 to 200 characters is needed."));
	if (query || makes) {
		if (search_asked_json(query, false, &asked, &err))
			wrong = err.text;
		else if (asked.q && strlen(asked.q) > SEARCH_QUERY_MAX)
			wrong = "The search is too long.";
		else
			wrong = search_asked_fault(&asked);
	}
	if (wrong)
		json_array_append_new(errors, fault("query", "bad-query", wrong));
	json_object_foreach((json_t *)(uintptr_t)body, key,
	    v) if (strcmp(key, "name") != 0 && strcmp(key, "query") != 0)
	    json_array_append_new(
		errors, fault(key, "unknown-field", "A saved search has name and query alone."));
	return errors;
}

/* The body; NULL: 400, 415 or 422 is replied. */
static json_t *read_body(struct exchange *x, bool makes)
{
	struct ark_error err;
	json_t *body = NULL, *errors;
	size_t len;
	const char *text = http_body(x, &len);

	if (!http_content_is(x, "application/json") &&
	    !http_content_is(x, "application/merge-patch+json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return NULL;
	}
	if (json_read(text, len, &body, &err) || !json_is_object(body)) {
		http_reply_problem(x, 400, "bad-json", "The body must be a JSON object.", NULL);
		json_decref(body);
		return NULL;
	}
	errors = faults_of(body, makes);
	if (json_array_size(errors) == 0) {
		json_decref(errors);
		return body;
	}
	http_reply_problem(x, 422, "saved-search", NULL, errors);
	json_decref(body);
	return NULL;
}

/* ---- changing ---- */

/* Files the record as the next version of it, and waits. Takes the record. */
static int file_record(struct exchange *x, json_t *record, struct ark_error *err)
{
	const struct filing_actor actor = caller_actor(caller_of(x));
	struct filing *f = filing_new(FILING_RECORD);
	int rc = f && record ? filing_set_actor(f, &actor, err)
			     : ark_fail(err, ARK_ENOMEM, "no memory for a record");

	if (!rc) {
		f->record_kind = SAVED_SEARCHES_KIND;
		f->record = json_incref(record);
		rc = filing_submit_wait(app_of(x)->archive, f, err);
	}
	filing_free(f);
	json_decref(record);
	return rc;
}

static void reply_record(struct exchange *x, int status, const json_t *record)
{
	char tag[TAG_SIZE];

	saved_search_tag(app_of(x), record, tag);
	http_reply_header(x, "ETag", tag);
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/saved-searches/%s", json_text(record, "id"));
	http_reply_json(x, status, saved_search_shown(record, 0));
}

/* To count and to add is one step. */
static int add_search(struct exchange *x, json_t *record, struct ark_error *err)
{
	struct app *app = app_of(x);
	json_t *own;
	int rc = ARK_OK;

	pthread_mutex_lock(&app->searches_lock);
	own = saved_searches_own(app, caller_of(x));
	if (!own)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a search");
	else if (json_array_size(own) >= SAVED_SEARCHES_MAX)
		rc = ark_fail(err, ARK_ECONFLICT, "An account has at most %d saved searches.",
		    SAVED_SEARCHES_MAX);
	if (!rc)
		rc = file_record(x, json_incref(record), err);
	pthread_mutex_unlock(&app->searches_lock);
	json_decref(own);
	return rc;
}

int saved_search_make(struct exchange *x, const json_t *body, json_t **ret, struct ark_error *err)
{
	struct app *app = app_of(x);
	unsigned char random[16];
	char id[33], time[CLOCK_TEXT_SIZE];
	json_t *record;
	int rc;

	randombytes_buf(random, sizeof(random));
	hex_encode(id, random, sizeof(random));
	clock_format(time, clock_now_us());
	record = json_pack("{s:s,s:s,s:O,s:s,s:O}", "id", id, "owner",
	    caller_of(x)->who->access.user, "name", json_object_get(body, "name"), "created", time,
	    "query", json_object_get(body, "query"));
	rc = record ? add_search(x, record, err)
		    : ark_fail(err, ARK_ENOMEM, "no memory for a search");
	/* all that is there now has been seen: it was there when the search was saved */
	if (!rc && app->indexer)
		rc = saved_search_seen(app, record, indexer_sequence(app->indexer), err);
	if (rc)
		json_decref(record);
	else
		*ret = record;
	return rc;
}

bool saved_search_valid(const json_t *body)
{
	json_t *errors = faults_of(body, true);
	bool valid = errors && json_array_size(errors) == 0;

	json_decref(errors);
	return valid;
}

void saved_searches_post(struct exchange *x)
{
	json_t *body, *record = NULL;
	struct ark_error err = {0};
	int rc;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	body = read_body(x, true);
	if (!body)
		return;
	rc = saved_search_make(x, body, &record, &err);
	json_decref(body);
	if (rc == ARK_ECONFLICT)
		http_reply_problem(x, 409, "too-many", err.text, NULL);
	else if (rc)
		http_reply_error(x, &err);
	else
		reply_record(x, 201, record);
	json_decref(record);
}

/* If-Match against what stands. False: 428, 412 or 400 is replied. */
static bool matches(struct exchange *x, const json_t *record)
{
	char tag[TAG_SIZE];

	saved_search_tag(app_of(x), record, tag);
	return record_matches(x, etag_if_match(http_header_list(x, "If-Match"), tag), "search");
}

static json_t *patched(const json_t *record, const json_t *body)
{
	json_t *out = json_copy((json_t *)(uintptr_t)record);
	json_t *name = json_object_get(body, "name"), *query = json_object_get(body, "query");

	if (out && ((name && json_object_set(out, "name", name)) ||
		       (query && json_object_set(out, "query", query)))) {
		json_decref(out);
		out = NULL;
	}
	return out;
}

void saved_search_patch(struct exchange *x)
{
	struct app *app = app_of(x);
	json_t *record, *body = NULL, *new = NULL;
	struct ark_error err = {0};
	int rc = ARK_OK;

	if (!visit_of(x))
		return;
	/* to compare and to change is one step */
	pthread_mutex_lock(&app->searches_lock);
	record = saved_search_own(x);
	if (!record || !matches(x, record) || !visit_stated_ok(x))
		goto out;
	body = read_body(x, false);
	if (!body)
		goto out;
	new = patched(record, body);
	rc = new ? file_record(x, json_incref(new), &err)
		 : ark_fail(&err, ARK_ENOMEM, "no memory for a search");
	if (rc)
		http_reply_error(x, &err);
	else
		reply_record(x, 200, new);
out:
	pthread_mutex_unlock(&app->searches_lock);
	json_decref(new);
	json_decref(body);
	json_decref(record);
}

/* Under the lock. */
static int drop(struct exchange *x, const json_t *record, struct ark_error *err)
{
	int rc = file_record(x,
	    json_pack("{s:O,s:O,s:b}", "id", json_object_get(record, "id"), "owner",
		json_object_get(record, "owner"), "deleted", 1),
	    err);

	return rc ? rc : saved_search_seen(app_of(x), record, 0, err);
}

int saved_search_drop(struct exchange *x, const json_t *record, struct ark_error *err)
{
	struct app *app = app_of(x);
	int rc;

	pthread_mutex_lock(&app->searches_lock);
	rc = drop(x, record, err);
	pthread_mutex_unlock(&app->searches_lock);
	return rc;
}

void saved_search_delete(struct exchange *x)
{
	struct app *app = app_of(x);
	struct ark_error err = {0};
	json_t *record;
	int rc;

	if (!visit_of(x))
		return;
	pthread_mutex_lock(&app->searches_lock);
	record = saved_search_own(x);
	if (!record || !matches(x, record) || !visit_stated_ok(x))
		goto out;
	rc = drop(x, record, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		http_reply_empty(x, 204);
out:
	pthread_mutex_unlock(&app->searches_lock);
	json_decref(record);
}
