/* The jobs of exports: asked for, looked at, fetched, removed; and the worker that makes one after the other. */
#include "api/exports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "arkki/archive/filing.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct exports_service {
	pthread_mutex_t lock;
	pthread_cond_t more, ended; /* ended: one was made, or given up */
	pthread_t worker;
	bool runs, stopping;
	struct export_job *jobs;   /* newest first */
	struct export_job *making; /* RUNNING; also one that is not in the list any more */
};

/* ---- lives of jobs ---- */

static void job_free(struct export_job *j)
{
	if (!j)
		return;
	principal_unref(j->who);
	access_sight_unref(j->sight);
	access_filter_free(j->content);
	free(j->purpose);
	free(j->case_id);
	free(j->break_glass);
	free(j->unit);
	free(j->of_case);
	json_decref(j->documents);
	free(j->holds);
	package_free(j->package);
	free(j);
}

/* Under the lock. */
static void let_go(struct export_job *j)
{
	if (--j->holders == 0)
		job_free(j);
}

static void release(struct export_job *j)
{
	struct exports_service *s = j->app->exports;

	pthread_mutex_lock(&s->lock);
	let_go(j);
	pthread_mutex_unlock(&s->lock);
}

/* Under the lock: out of the list, to be freed by its last holder, and its package gone under whoever fetches it, so that
 * every key that is left is one of the list's. */
static void drop(struct exports_service *s, struct export_job *j)
{
	for (struct export_job **at = &s->jobs; *at; at = &(*at)->next)
		if (*at == j) {
			*at = j->next;
			j->dropped = true;
			if (j->package)
				package_shut(j->package);
			let_go(j);
			return;
		}
}

static void drop_expired(struct exports_service *s)
{
	int64_t before = clock_now_us() - EXPORT_KEPT_US;
	struct export_job *next;

	for (struct export_job *j = s->jobs; j; j = next) {
		next = j->next;
		if (j->created_us < before && j->state >= EXPORT_READY && j->holders == 1)
			drop(s, j);
	}
}

static struct export_job *next_waiting(struct exports_service *s)
{
	struct export_job *oldest = NULL;

	for (struct export_job *j = s->jobs; j; j = j->next)
		if (j->state == EXPORT_WAITING)
			oldest = j;
	return oldest;
}

/* Under the lock. */
static void copy_tally(struct export_job *j, const struct export_job *tally)
{
	j->found = tally->found;
	j->done = tally->done;
	j->whole = tally->whole;
	j->renditions = tally->renditions;
	j->withheld = tally->withheld;
	j->missing = tally->missing;
}

bool export_goes_on(struct export_job *j, const struct export_job *tally)
{
	struct exports_service *s = j->app->exports;
	bool on;

	pthread_mutex_lock(&s->lock);
	copy_tally(j, tally);
	on = !j->dropped && !s->stopping;
	pthread_mutex_unlock(&s->lock);
	return on;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

int export_gathered(
    struct export_job *j, const struct catalogue_row *rows, size_t n, struct ark_error *err)
{
	struct exports_service *s = j->app->exports;
	char(*ids)[33] = calloc(n + 1, sizeof(*ids));
	bool on;

	if (!ids)
		return ark_fail(err, ARK_ENOMEM, "no memory for an export");
	for (size_t i = 0; i < n; i++)
		memcpy(ids[i], rows[i].document, 33);
	qsort(ids, n, sizeof(*ids), by_id);
	pthread_mutex_lock(&s->lock);
	j->holds = ids;
	j->holds_len = n;
	j->gathered = true;
	on = !j->dropped;
	pthread_mutex_unlock(&s->lock);
	return on ? ARK_OK : ark_fail(err, ARK_EIO, "the export was given up");
}

/* Under the lock. Of one that is still looking nobody knows yet. */
static bool may_hold(const struct export_job *j, const char (*documents)[33], size_t n)
{
	if (j->state == EXPORT_RUNNING && !j->gathered)
		return true;
	for (size_t i = 0; j->holds_len && i < n; i++)
		if (bsearch(documents[i], j->holds, j->holds_len, sizeof(*j->holds), by_id))
			return true;
	return false;
}

void exports_forget(struct app *app, const char (*documents)[33], size_t n)
{
	struct exports_service *s = app->exports;
	struct export_job *next, *making;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	for (struct export_job *j = s->jobs; j; j = next) {
		next = j->next;
		if (may_hold(j, documents, n))
			drop(s, j);
	}
	making = s->making;
	while (making && s->making == making && may_hold(making, documents, n))
		pthread_cond_wait(&s->ended, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* Under the lock, which is let go meanwhile. */
static void make_one(struct exports_service *s, struct export_job *j)
{
	struct package *p = NULL;
	struct export_job tally = {0};
	struct ark_error err = {0};
	int rc;

	j->state = EXPORT_RUNNING;
	s->making = j;
	j->holders++;
	pthread_mutex_unlock(&s->lock);
	rc = export_make(j, &p, &tally, &err);
	pthread_mutex_lock(&s->lock);
	copy_tally(j, &tally);
	j->package = p;
	j->error = err;
	j->state = rc ? EXPORT_FAILED : EXPORT_READY;
	if (j->dropped && p)
		package_shut(p);
	s->making = NULL;
	let_go(j);
	pthread_cond_broadcast(&s->ended);
}

static void *work_main(void *arg)
{
	struct exports_service *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct export_job *j = next_waiting(s);

		if (j)
			make_one(s, j);
		else
			pthread_cond_wait(&s->more, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int exports_start(struct app *app, struct ark_error *err)
{
	struct exports_service *s = calloc(1, sizeof(*s));

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for exports");
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	pthread_cond_init(&s->ended, NULL);
	app->exports = s;
	if (pthread_create(&s->worker, NULL, work_main, s) != 0)
		return ark_fail(err, ARK_EIO, "cannot start the thread of exports");
	s->runs = true;
	return ARK_OK;
}

void exports_stop(struct app *app)
{
	struct exports_service *s = app->exports;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	if (s->runs)
		pthread_join(s->worker, NULL);
	while (s->jobs)
		drop(s, s->jobs);
	pthread_cond_destroy(&s->more);
	pthread_cond_destroy(&s->ended);
	pthread_mutex_destroy(&s->lock);
	free(s);
	app->exports = NULL;
}

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

/* The caller's own job, held (release()). NULL: 404 or 410 is replied. */
static struct export_job *own_job(struct exchange *x)
{
	struct app *app = app_of(x);
	const char *id = http_param(x, 0), *user = caller_of(x)->who->access.user;
	struct exports_service *s = app->exports;
	struct export_job *j;

	pthread_mutex_lock(&s->lock);
	drop_expired(s);
	for (j = s->jobs; j; j = j->next)
		if (strcmp(j->id, id) == 0 && strcmp(j->who->access.user, user) == 0)
			break;
	if (j)
		j->holders++;
	pthread_mutex_unlock(&s->lock);
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
	struct exports_service *s = j->app->exports;
	char time[CLOCK_TEXT_SIZE];
	json_t *v;

	clock_format(time, j->created_us);
	pthread_mutex_lock(&s->lock);
	v = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "id", j->id, "state",
	    states[j->state], "createdAt", time, "format", j->kind == PACKAGE_ZIP ? "zip" : "tar",
	    "versions", (json_int_t)j->found, "done", (json_int_t)j->done, "whole",
	    (json_int_t)j->whole, "renditions", (json_int_t)j->renditions, "withheld",
	    (json_int_t)j->withheld, "missing", (json_int_t)j->missing);
	if (v && j->state == EXPORT_READY)
		json_object_set_new(v, "size", json_integer((json_int_t)package_size(j->package)));
	if (v && j->state == EXPORT_FAILED)
		json_object_set_new(v, "error", json_string(j->error.text));
	pthread_mutex_unlock(&s->lock);
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
	    "documents", "unit", "case", "versions", "format", "purpose"};
	const json_t *documents = json_object_get(body, "documents"), *purpose;
	json_t *errors = json_array(), *value;
	const char *key;

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
	if (!documents && !json_object_get(body, "unit") && !json_object_get(body, "case"))
		fault(errors, "documents", "documents, unit or case is needed");
	if (documents && (json_object_get(body, "unit") || json_object_get(body, "case")))
		fault(errors, "documents", "either documents, or unit and case");
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
		job_free(j);
		return rc;
	}
	*ret = j;
	return rc;
}

/* False: the caller, or all together, have too many. The caller's oldest that is done makes room. */
static bool queue(struct exports_service *s, struct export_job *j)
{
	unsigned int own = 0, all = 0;
	struct export_job *oldest = NULL;
	bool room;

	pthread_mutex_lock(&s->lock);
	drop_expired(s);
	for (struct export_job *k = s->jobs; k; k = k->next) {
		bool mine = strcmp(k->who->access.user, j->who->access.user) == 0;

		own += mine;
		all++;
		if (mine && k->state >= EXPORT_READY && k->holders == 1)
			oldest = k;
	}
	if (own >= EXPORTS_OF_USER && oldest) {
		drop(s, oldest);
		own--, all--;
	}
	room = own < EXPORTS_OF_USER && all < EXPORTS_MAX;
	if (room) {
		j->next = s->jobs;
		s->jobs = j;
		pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
	return room;
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

static void begin_job(struct exchange *x, const json_t *body)
{
	struct export_job *j = NULL;
	struct ark_error err;

	if (state_purpose(x, json_text(body, "purpose"), &err) || job_new(x, body, &j, &err)) {
		http_reply_error(x, &err);
		return;
	}
	if (filing_room(j->app->archive, &err)) {
		http_reply_error(x, &err);
		job_free(j);
		return;
	}
	if (!queue(j->app->exports, j)) {
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 429, "too-many-exports",
		    "There are too many exports; remove one, or wait until one is ready.", NULL);
		job_free(j);
		return;
	}
	reply_job(x, j, 202);
	release(j);
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
	} else {
		json_decref(errors);
		begin_job(x, body);
	}
	json_decref(body);
}

/* ---- GET, DELETE ---- */

void exports_list(struct exchange *x)
{
	const struct app *app = app_of(x);
	struct exports_service *s = app->exports;
	struct export_job *held[EXPORTS_OF_USER];
	json_t *list = json_array();
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	drop_expired(s);
	for (struct export_job *j = s->jobs; j && n < EXPORTS_OF_USER; j = j->next)
		if (strcmp(j->who->access.user, caller_of(x)->who->access.user) == 0) {
			j->holders++;
			held[n++] = j;
		}
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, job_json(held[i]));
		release(held[i]);
	}
	http_reply_json(x, 200, json_pack("{s:o}", "exports", list));
}

void exports_get(struct exchange *x)
{
	struct export_job *j = own_job(x);

	if (!j)
		return;
	reply_job(x, j, 200);
	release(j);
}

void exports_delete(struct exchange *x)
{
	struct exports_service *s = app_of(x)->exports;
	struct export_job *j = own_job(x);

	if (!j)
		return;
	pthread_mutex_lock(&s->lock);
	drop(s, j);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): own_job() holds it, so drop() was not the last to let go */
	let_go(j);
	pthread_mutex_unlock(&s->lock);
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
	release(arg);
}

static void job_done(void *more)
{
	if (more)
		release(more);
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

void exports_content(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct export_job *j = v ? own_job(x) : NULL;
	struct ledger_record r;
	char detail[80];

	if (!j)
		return;
	v->more = j;
	v->more_free = job_done;
	pthread_mutex_lock(&v->app->exports->lock);
	v->log_status = (int)j->state;
	pthread_mutex_unlock(&v->app->exports->lock);
	if (v->log_status != EXPORT_READY) {
		http_reply_header(x, "Retry-After", "2");
		http_reply_problem(x, v->log_status == EXPORT_FAILED ? 410 : 503,
		    "export-not-ready",
		    v->log_status == EXPORT_FAILED ? "The export failed; ask for it anew."
						   : "The package is being made.",
		    NULL);
		return;
	}
	if (!same_rights(j, v->caller)) {
		http_reply_problem(x, 410, "export-gone",
		    "Your rights have changed since the package was made. Ask for it anew.", NULL);
		return;
	}
	r = visit_record(v, "export");
	snprintf(detail, sizeof(detail), "{\"export\":\"%s\",\"fetched\":true}", j->id);
	r.detail = detail;
	r.bytes = http_is_head(x) ? 0 : package_size(j->package);
	visit_log(x, &r, 1, show_package);
}
