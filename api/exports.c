/* Exports over HTTP: asked for, looked at, fetched, removed. */
#include "api/exports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "arkki/archive/filing.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* ---- ids: the second half shows that it was ours once, for whom ---- */

static void id_mark(const struct app *app, const char *start, const char *user, char out[17])
{
	char text[128], tag[33];
	int n = snprintf(text, sizeof(text), "%.16s %s", start, user);

	archive_tag(app->archive, "export", text, (size_t)n, tag);
	memcpy(out, tag, 16);
	out[16] = '\0';
}

static void id_new(const struct app *app, const char *user, char out[33])
{
	unsigned char bytes[8];

	randombytes_buf(bytes, sizeof(bytes));
	hex_encode(out, bytes, sizeof(bytes));
	id_mark(app, out, user, out + 16);
}

static bool was_ours(const struct app *app, const char *id, const char *user)
{
	char mark[17];

	if (!docid_valid(id))
		return false;
	id_mark(app, id, user, mark);
	return bytes_equal(mark, id + 16, 16);
}

/* The caller's own job, held (export_release()). NULL: 404 or 410 is replied. */
static struct export_job *own_job(struct exchange *x)
{
	struct app *app = app_of(x);
	const char *id = http_param(x, 0), *user = caller_of(x)->who->access.user;
	struct export_job *j = exports_hold(app, user, id);

	if (!j && was_ours(app, id, user))
		http_reply_problem(x, 410, "export-gone",
		    "The package is no longer kept: it was removed, is older than a day, a "
		    "document in "
		    "it was destroyed, or the server has been restarted since. Ask for it anew.",
		    NULL);
	else if (!j)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	return j;
}

/* ---- as JSON ---- */

static json_t *job_json(struct export_job *j)
{
	static const char *const states[] = {"waiting", "running", "ready", "failed"};
	struct export_job tally = {0};
	struct ark_error why;
	enum export_state state = export_look(j, &tally, &why);
	char time[CLOCK_TEXT_SIZE];
	json_t *v;

	clock_format(time, j->created_us);
	v = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "id", j->id, "state",
	    states[state], "createdAt", time, "format", j->kind == PACKAGE_ZIP ? "zip" : "tar",
	    "versions", (json_int_t)tally.found, "done", (json_int_t)tally.done, "whole",
	    (json_int_t)tally.whole, "renditions", (json_int_t)tally.renditions, "withheld",
	    (json_int_t)tally.withheld, "missing", (json_int_t)tally.missing);
	if (v && state == EXPORT_READY)
		json_object_set_new(v, "size", json_integer((json_int_t)package_size(j->package)));
	if (v && state == EXPORT_FAILED)
		json_object_set_new(v, "error", json_string(why.text));
	return v;
}

/* ---- POST /v1/exports ---- */

static void fault(json_t *errors, const char *field, const char *detail)
{
	json_array_append_new(errors,
	    json_pack("{s:s,s:s,s:s}", "field", field, "code", "invalid", "detail", detail));
}

static bool one_of(const json_t *v, const char *a, const char *b)
{
	const char *text = json_string_value(v);

	return !v || (text && (strcmp(text, a) == 0 || strcmp(text, b) == 0));
}

static bool is_id(const json_t *v)
{
	return !v || (json_is_string(v) && id_valid(json_string_value(v)));
}

static void check_documents(const json_t *v, json_t *errors)
{
	json_t *id;
	size_t i;

	if (!v)
		return;
	if (!json_is_array(v) || !json_array_size(v) || json_array_size(v) > EXPORT_DOCUMENTS_MAX) {
		fault(errors, "documents", "1 to 10000 document ids");
		return;
	}
	json_array_foreach(v, i, id)
	{
		if (!json_is_string(id) || !docid_valid(json_string_value(id))) {
			fault(errors, "documents", "not a document id");
			return;
		}
	}
}

static json_t *check_body(const json_t *body)
{
	static const char *const known[] = {
	    "documents", "unit", "case", "query", "versions", "format", "purpose"};
	const json_t *documents = json_object_get(body, "documents"), *purpose;
	const json_t *query = json_object_get(body, "query");
	const bool by_filter = json_object_get(body, "unit") || json_object_get(body, "case");
	json_t *errors = json_array(), *value;
	const char *key;
	char wrong[200];

	json_object_foreach((json_t *)(uintptr_t)body, key, value)
	{
		size_t k = 0;

		while (k < sizeof(known) / sizeof(*known) && strcmp(key, known[k]) != 0)
			k++;
		if (k == sizeof(known) / sizeof(*known))
			fault(errors, key, "not a field of an export");
	}
	check_documents(documents, errors);
	if (!is_id(json_object_get(body, "unit")))
		fault(errors, "unit", "not a unit's id");
	if (!is_id(json_object_get(body, "case")))
		fault(errors, "case", "not a case's id");
	if (!documents && !query && !by_filter)
		fault(errors, "documents", "documents, unit, case or query is needed");
	if ((documents != NULL) + (query != NULL) + by_filter > 1)
		fault(errors, query ? "query" : "documents",
		    query ? "query, documents, or unit and case: one of them; a query has a unit "
			    "and a "
			    "case of its own"
			  : "either documents, or unit and case");
	if (query && export_query_fault(query, wrong))
		fault(errors, "query", wrong);
	if (!one_of(json_object_get(body, "versions"), "newest", "all"))
		fault(errors, "versions", "newest or all");
	if (!one_of(json_object_get(body, "format"), "zip", "tar"))
		fault(errors, "format", "zip or tar");
	purpose = json_object_get(body, "purpose");
	if (purpose && (!json_is_string(purpose) || !json_string_length(purpose) ||
			   json_string_length(purpose) > 4096))
		fault(errors, "purpose", "a text of 1 to 4096 bytes");
	return errors;
}

static char *copy(const char *text, bool *ok)
{
	char *c = text ? strdup(text) : NULL;

	*ok = *ok && (!text || c);
	return c;
}

/* All that the worker needs, so that the exchange may end. */
static int job_new(
    struct exchange *x, const json_t *body, struct export_job **ret, struct ark_error *err)
{
	const struct caller *c = caller_of(x);
	struct export_job *j = calloc(1, sizeof(*j));
	const char *versions = json_text(body, "versions"), *format = json_text(body, "format");
	bool ok = true;
	int rc = ARK_OK;

	if (!j)
		return ark_fail(err, ARK_ENOMEM, "no memory for an export");
	j->app = app_of(x);
	j->who = principal_ref(c->who);
	j->user = c->who->access.user;
	j->org = c->who->access.org;
	j->roles = c->who->roles_text;
	j->own_series = c->who->own_series;
	j->purpose = copy(c->purpose, &ok);
	j->case_id = copy(c->case_id, &ok);
	j->break_glass = copy(c->break_glass, &ok);
	j->unit = copy(json_text(body, "unit"), &ok);
	j->of_case = copy(json_text(body, "case"), &ok);
	j->documents = json_incref(json_object_get(body, "documents"));
	memcpy(j->token_id, c->token_id, sizeof(j->token_id));
	memcpy(j->address, c->address, sizeof(j->address));
	j->authentication = c->authentication;
	j->glass_refused = c->glass_refused;
	j->auditor = caller_may(c, ACCESS_AUDIT);
	j->all_versions = versions && strcmp(versions, "all") == 0;
	j->kind = format && strcmp(format, "tar") == 0 ? PACKAGE_TAR : PACKAGE_ZIP;
	j->language = http_language(x);
	j->created_us = clock_now_us();
	j->holders = 2; /* the list's and the caller's */
	id_new(j->app, c->who->access.user, j->id);
	if (!ok)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an export");
	if (!rc)
		rc = caller_sight(c, &j->sight, err);
	if (!rc)
		rc = caller_content_filter(c, &j->content, err);
	if (rc) {
		export_free(j);
		return rc;
	}
	*ret = j;
	return rc;
}

/* A purpose in the body is stated as by the header. */
static int state_purpose(struct exchange *x, const char *purpose, struct ark_error *err)
{
	struct caller *c = caller_of(x);
	char *case_id;
	int rc;

	if (!purpose)
		return ARK_OK;
	case_id = c->case_id ? strdup(c->case_id) : NULL;
	rc = caller_restate(c, archive_registry(app_of(x)->archive), purpose, case_id, err);
	free(case_id);
	return rc;
}

static void reply_job(struct exchange *x, struct export_job *j, int status)
{
	if (status == 202)
		http_reply_headerf(x, "Location", "/v1/exports/%s", j->id);
	http_reply_json(x, status, job_json(j));
}

/* In the order in which they are written: versions of a document beside each other. */
static int by_document(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int order = strcmp(
	    json_string_value(json_array_get(x, 0)), json_string_value(json_array_get(y, 0)));
	json_int_t m = json_integer_value(json_array_get(x, 1)),
		   n = json_integer_value(json_array_get(y, 1));

	return order ? order : (m > n) - (m < n);
}

/* What was found, in place of what was named. With all versions each document counts once. */
static int take_hits(
    struct export_job *j, const json_t *body, const json_t *hits, struct ark_error *err)
{
	size_t n = json_array_size(hits), kept = 0;
	json_t **sorted = calloc(n + 1, sizeof(*sorted));

	j->query = json_incref(json_object_get(body, "query"));
	j->documents = json_array();
	j->hits = calloc(n + 1, sizeof(*j->hits));
	if (!sorted || !j->documents || !j->hits) {
		free(sorted);
		return ark_fail(err, ARK_ENOMEM, "no memory for an export");
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(hits, i);
	qsort(sorted, n, sizeof(*sorted), by_document);
	for (size_t i = 0; i < n; i++) {
		json_t *id = json_array_get(sorted[i], 0);

		if (j->all_versions && kept &&
		    json_equal(id, json_array_get(j->documents, kept - 1)))
			continue;
		json_array_append(j->documents, id);
		j->hits[kept++] = (uint32_t)json_integer_value(json_array_get(sorted[i], 1));
	}
	free(sorted);
	return ARK_OK;
}

/* hits: NULL without a query. ARK_ECONFLICT: there are too many. On success *ret is held (export_release()). */
static int queue_job(struct exchange *x, const json_t *body, const json_t *hits,
    struct export_job **ret, struct ark_error *err)
{
	struct export_job *j = NULL;
	int rc = job_new(x, body, &j, err);

	if (rc)
		return rc;
	if (hits)
		rc = take_hits(j, body, hits, err);
	if (!rc)
		rc = filing_room(j->app->archive, err);
	if (!rc && !exports_queue(j))
		rc = ark_fail(err, ARK_ECONFLICT,
		    "There are too many exports; remove one, or wait until one is ready.");
	if (rc)
		export_free(j);
	else
		*ret = j;
	return rc;
}

static void begin_job(struct exchange *x, const json_t *body, const json_t *hits)
{
	struct export_job *j = NULL;
	struct ark_error err;
	int rc = queue_job(x, body, hits, &j, &err);

	if (rc == ARK_ECONFLICT) {
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 429, "too-many-exports", err.text, NULL);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		reply_job(x, j, 202);
		export_release(j);
	}
}

int exports_ask(struct exchange *x, const json_t *body, json_t **ret_errors, struct ark_error *err)
{
	struct export_job *j = NULL;
	int rc;

	*ret_errors = check_body(body);
	if (!*ret_errors || json_array_size(*ret_errors))
		return ark_fail(err, ARK_EINPUT, "not an export");
	rc = state_purpose(x, json_text(body, "purpose"), err);
	if (!rc)
		rc = queue_job(x, body, NULL, &j, err);
	if (!rc)
		export_release(j);
	return rc;
}

json_t *exports_own(struct exchange *x)
{
	struct export_job *held[EXPORTS_OF_USER];
	json_t *list = json_array();
	size_t n = exports_hold_all(app_of(x), caller_of(x)->who->access.user, held);

	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, job_json(held[i]));
		export_release(held[i]);
	}
	return list;
}

void exports_post(struct exchange *x)
{
	json_t *body = NULL, *errors;
	struct ark_error err;
	size_t len;
	const char *text = http_body(x, &len);

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	if (json_read(text, len, &body, &err)) {
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
		return;
	}
	if (!http_content_is(x, "application/json")) {
		http_reply_problem(x, 415, "json-needed", "Send application/json.", NULL);
		json_decref(body);
		return;
	}
	errors = json_is_object(body) ? check_body(body) : json_array();
	if (!json_is_object(body))
		fault(errors, "", "not an object");
	if (json_array_size(errors)) {
		http_reply_problem(x, 422, "export", NULL, errors);
		json_decref(body);
		return;
	}
	json_decref(errors);
	if (state_purpose(x, json_text(body, "purpose"), &err))
		http_reply_error(x, &err);
	else if (json_object_get(body, "query"))
		export_query_begin(x, body, begin_job);
	else
		begin_job(x, body, NULL);
	json_decref(body);
}

/* ---- GET, DELETE ---- */

void exports_list(struct exchange *x)
{
	http_reply_json(x, 200, json_pack("{s:o}", "exports", exports_own(x)));
}

void exports_get(struct exchange *x)
{
	struct export_job *j = own_job(x);

	if (!j)
		return;
	reply_job(x, j, 200);
	export_release(j);
}

void exports_delete(struct exchange *x)
{
	struct export_job *j = own_job(x);

	if (!j)
		return;
	exports_drop(j);
	http_reply_empty(x, 204);
}

/* ---- GET …/content ---- */

static ssize_t send_read(void *arg, uint64_t pos, char *out, size_t max)
{
	struct export_job *j = arg;

	return package_read(j->package, pos, out, max, NULL);
}

static void send_free(void *arg)
{
	export_release(arg);
}

static void job_done(void *more)
{
	if (more)
		export_release(more);
}

static void show_package(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct export_job *j = v->more;

	v->more = NULL;
	http_reply_headerf(x, "Content-Disposition",
	    "attachment; filename=\"arkki-export-%.16s.%s\"", j->id,
	    j->kind == PACKAGE_ZIP ? "zip" : "tar");
	http_reply_header(x, "Cache-Control", "private, no-store");
	http_reply_header(x, "Accept-Ranges", "none");
	http_reply_stream(x, 200, j->kind == PACKAGE_ZIP ? "application/zip" : "application/x-tar",
	    package_size(j->package), send_read, send_free, j);
}

/* What the package holds was decided with these rights: it is not handed out under others. */
static bool same_rights(const struct export_job *j, const struct caller *c)
{
	return j->who->rules == c->who->rules &&
	       strcmp(j->who->access.org, c->who->access.org) == 0 &&
	       strcmp(j->who->roles_text, c->who->roles_text) == 0;
}

void export_send(struct exchange *x, struct export_job *j)
{
	struct visit *v = visit_of(x);
	struct ledger_record r = visit_record(v, "export");
	char detail[80];

	if (v->more_free)
		v->more_free(v->more);
	v->more = j;
	v->more_free = job_done;
	snprintf(detail, sizeof(detail), "{\"export\":\"%s\",\"fetched\":true}", j->id);
	r.detail = detail;
	r.bytes = http_is_head(x) ? 0 : package_size(j->package);
	visit_log(x, &r, 1, show_package);
}

void exports_content(struct exchange *x)
{
	struct export_job *j = visit_of(x) ? own_job(x) : NULL;
	enum export_state state = j ? export_look(j, NULL, NULL) : EXPORT_FAILED;

	if (!j)
		return;
	if (state != EXPORT_READY) {
		http_reply_header(x, "Retry-After", "2");
		http_reply_problem(x, state == EXPORT_FAILED ? 410 : 503, "export-not-ready",
		    state == EXPORT_FAILED ? "The export failed; ask for it anew."
					   : "The package is being made.",
		    NULL);
		export_release(j);
	} else if (!same_rights(j, caller_of(x))) {
		http_reply_problem(x, 410, "export-gone",
		    "Your rights have changed since the package was made. Ask for it anew.", NULL);
		export_release(j);
	} else {
		export_send(x, j);
	}
}
