/* Saved searches as resources: list, make, read, change, delete. */
#include "api/saved_searches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/caller_filing.h"
#include "api/indexer.h"
#include "api/record_versions.h"
#include "api/search_asked.h"
#include "arkki/api/http_range.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { NAME_MAX_CHARS = 200, LIST_USUAL = 20, LIST_MAX = SAVED_SEARCHES_PAGE };
static const int64_t LIST_COUNT_US = 2 * 1000000;

static const char kind[] = "searches";

/* ---- whose ---- */

static bool is_own(const struct caller *c, const json_t *record)
{
	const char *owner = json_text(record, "owner");

	return owner && strcmp(owner, c->who->access.user) == 0 &&
	       !json_is_true(json_object_get(record, "deleted"));
}

json_t *saved_search_own(struct exchange *x)
{
	json_t *record = registry_get(archive_registry(app_of(x)->archive), kind, http_param(x, 0));

	if (record && is_own(caller_of(x), record))
		return record;
	json_decref(record);
	visit_not_found(x, "search", "", 0);
	return NULL;
}

struct gathering {
	const struct caller *c;
	json_t *list;
	bool lost;
};

static void gather(void *arg, const json_t *record)
{
	struct gathering *g = arg;

	if (is_own(g->c, record) && json_array_append(g->list, (json_t *)(uintptr_t)record))
		g->lost = true;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(json_text(*(json_t *const *)a, "id"), json_text(*(json_t *const *)b, "id"));
}

json_t *saved_searches_own(const struct app *app, const struct caller *c)
{
	struct gathering g = {.c = c, .list = json_array()};
	json_t *sorted = NULL, **all;
	size_t n;

	if (!g.list)
		return NULL;
	registry_each(archive_registry(app->archive), kind, gather, &g);
	n = json_array_size(g.list);
	all = calloc(n ? n : 1, sizeof(json_t *));
	if (all && !g.lost)
		sorted = json_array();
	for (size_t i = 0; sorted && i < n; i++)
		all[i] = json_array_get(g.list, i);
	if (sorted)
		qsort(all, n, sizeof(json_t *), by_id);
	for (size_t i = 0; sorted && i < n; i++)
		json_array_append(sorted, all[i]);
	free(all);
	json_decref(g.list);
	return sorted;
}

/* ---- how far it was looked at ---- */

static void mark_name(const json_t *record, char out[80])
{
	snprintf(out, 80, "search %.64s", json_text(record, "id"));
}

int saved_search_mark(
    const struct app *app, const json_t *record, uint64_t *ret, struct ark_error *err)
{
	char name[80];

	mark_name(record, name);
	return state_mark_get(archive_state(app->archive), name, ret, err);
}

int saved_search_seen(
    const struct app *app, const json_t *record, uint64_t sequence, struct ark_error *err)
{
	char name[80];

	mark_name(record, name);
	return state_mark_set(archive_state(app->archive), name, sequence, err);
}

/* ---- showing ---- */

static void tag_of(const struct app *app, const json_t *record, char out[TAG_SIZE])
{
	struct buf text = BUF_INIT;
	char tag[33] = "";

	if (!json_write(&text, record, NULL))
		archive_tag(app->archive, "saved search", text.data, text.len, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
	buf_wipe_free(&text);
}

static json_t *shown(const json_t *record, uint64_t new)
{
	return json_pack("{s:O,s:O,s:O,s:O,s:I}", "id", json_object_get(record, "id"), "name",
	    json_object_get(record, "name"), "created", json_object_get(record, "created"), "query",
	    json_object_get(record, "query"), "new", (json_int_t) new);
}

/* How many visible hits were filed since its owner looked. */
static int count_new(
    struct search_work *w, const json_t *record, uint64_t *ret, struct ark_error *err)
{
	struct search_asked asked;
	struct search_request r;
	bool like_open;
	int rc = search_asked_json(json_object_get(record, "query"), false, &asked, err);

	if (rc)
		return rc;
	r = search_request_of(w, &asked);
	rc = saved_search_mark(w->v->app, record, &r.filed_after, err);
	if (!rc)
		rc = search_settle_like(w, &asked, &r, &like_open, err);
	return rc ? rc : search_total(w->desk->reader, &r, ret, err);
}

struct showing {
	json_t *records, *body;
	bool one;
	struct buf next;
	void (*then)(struct exchange *x);
};

static void showing_free(void *arg)
{
	struct showing *s = arg;

	json_decref(s->records);
	json_decref(s->body);
	buf_free(&s->next);
	free(s);
}

static void show(struct exchange *x)
{
	struct showing *s = visit_of(x)->more;
	char tag[TAG_SIZE];

	if (!s->one) {
		http_reply_json(
		    x, 200, json_pack("{s:O,s:s?}", "searches", s->body, "next", s->next.data));
		return;
	}
	tag_of(app_of(x), json_array_get(s->records, 0), tag);
	http_reply_header(x, "ETag", tag);
	http_reply_json(x, 200, json_incref(json_array_get(s->body, 0)));
}

/* Where searches are slow the page ends early: a list of fifty must not hold a thread for as long as fifty of them may
 * take. True: the rest is on the next page. */
static bool cut_page(struct exchange *x, struct showing *s, int64_t began_us, size_t counted)
{
	if (s->one || !counted || clock_monotonic_us() - began_us < LIST_COUNT_US)
		return false;
	buf_clear(&s->next);
	cursor_write(
	    app_of(x), kind, json_text(json_array_get(s->records, counted - 1), "id"), &s->next);
	return true;
}

/* A count of hits says something of what is in documents: each search is logged as one that was made. */
static void count_and_show(struct exchange *x, struct showing *s)
{
	struct visit *v = visit_of(x);
	struct ledger_record records[LIST_MAX + 1];
	struct search_work w = {0};
	struct ark_error err = {0};
	json_t *record, *query;
	int64_t began_us = clock_monotonic_us();
	uint64_t new = 0;
	size_t i, n = 0;
	int rc;

	v->more = s;
	v->more_free = showing_free;
	if (!search_there(x))
		return;
	rc = search_work_begin(v, &w, &err);
	json_array_foreach(s->records, i, record)
	{
		if (rc || cut_page(x, s, began_us, i))
			break;
		rc = count_new(&w, record, &new, &err);
		if (rc)
			break;
		query = json_object_get(json_object_get(record, "query"), "q");
		records[n] = visit_record(v, "search");
		records[n++].query = json_is_string(query) ? json_string_value(query) : "";
		json_array_append_new(s->body, shown(record, new));
	}
	search_work_end(&w);
	if (rc)
		search_failed(x, rc, &err);
	else if (n)
		visit_log(x, records, n, s->then);
	else
		s->then(x);
}

static struct showing *showing_new(struct exchange *x)
{
	struct showing *s = visit_of(x) ? calloc(1, sizeof(*s)) : NULL;

	if (s) {
		s->then = show;
		s->records = json_array();
		s->body = json_array();
	}
	if (s && s->records && s->body)
		return s;
	if (s)
		showing_free(s);
	http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	return NULL;
}

void saved_searches_count(struct exchange *x, json_t *records, void (*then)(struct exchange *x))
{
	struct showing *s = showing_new(x);

	if (s) {
		json_decref(s->records);
		s->records = json_incref(records);
		s->then = then;
		count_and_show(x, s);
	}
}

const json_t *saved_searches_counted(struct exchange *x)
{
	const struct showing *s = visit_of(x)->more;

	return s->body;
}

void saved_searches_list(struct exchange *x)
{
	const char *cursor = http_query(x, "cursor");
	json_t *all = NULL, *record;
	struct buf after = BUF_INIT;
	struct showing *s = NULL;
	unsigned int limit;
	size_t i;

	if (!visit_stated_ok(x) || !limit_of(x, LIST_USUAL, LIST_MAX, &limit))
		return;
	if (cursor && *cursor && cursor_read(app_of(x), kind, cursor, &after, NULL)) {
		http_reply_problem(x, 400, "bad-cursor", "The cursor is malformed.", NULL);
		goto out;
	}
	s = showing_new(x);
	all = s ? saved_searches_own(app_of(x), caller_of(x)) : NULL;
	json_array_foreach(all, i, record)
	{
		size_t taken = json_array_size(s->records);

		if (after.data && strcmp(json_text(record, "id"), after.data) <= 0)
			continue;
		if (taken == limit) {
			cursor_write(app_of(x), kind,
			    json_text(json_array_get(s->records, taken - 1), "id"), &s->next);
			break;
		}
		json_array_append(s->records, record);
	}
	if (s)
		count_and_show(x, s);
out:
	json_decref(all);
	buf_free(&after);
}

void saved_search_get(struct exchange *x)
{
	struct showing *s;
	json_t *record;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	record = saved_search_own(x);
	s = record ? showing_new(x) : NULL;
	if (s) {
		s->one = true;
		json_array_append(s->records, record);
		count_and_show(x, s);
	}
	json_decref(record);
}

/* ---- changing ---- */

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

/* Files the record as the next version of it, and waits. Takes the record. */
static int file_record(struct exchange *x, json_t *record, struct ark_error *err)
{
	const struct filing_actor actor = caller_actor(caller_of(x));
	struct filing *f = filing_new(FILING_RECORD);
	int rc = f && record ? filing_set_actor(f, &actor, err)
			     : ark_fail(err, ARK_ENOMEM, "no memory for a record");

	if (!rc) {
		f->record_kind = kind;
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

	tag_of(app_of(x), record, tag);
	http_reply_header(x, "ETag", tag);
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/saved-searches/%s", json_text(record, "id"));
	http_reply_json(x, status, shown(record, 0));
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

	tag_of(app_of(x), record, tag);
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
