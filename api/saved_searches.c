/* Saved searches as resources: whose they are, how far they were looked at, list and read. */
#include "api/saved_searches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/indexer.h"
#include "api/search_asked.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { LIST_USUAL = 20, LIST_MAX = SAVED_SEARCHES_PAGE };
static const int64_t LIST_COUNT_US = 2 * 1000000;

/* ---- whose ---- */

static bool is_own(const struct caller *c, const json_t *record)
{
	const char *owner = json_text(record, "owner");

	return owner && strcmp(owner, c->who->access.user) == 0 &&
	       !json_is_true(json_object_get(record, "deleted"));
}

json_t *saved_search_own(struct exchange *x)
{
	json_t *record = registry_get(
	    archive_registry(app_of(x)->archive), SAVED_SEARCHES_KIND, http_param(x, 0));

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
	registry_each(archive_registry(app->archive), SAVED_SEARCHES_KIND, gather, &g);
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

void saved_search_tag(const struct app *app, const json_t *record, char out[TAG_SIZE])
{
	struct buf text = BUF_INIT;
	char tag[33] = "";

	if (!json_write(&text, record, NULL))
		archive_tag(app->archive, "saved search", text.data, text.len, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
	buf_wipe_free(&text);
}

json_t *saved_search_shown(const json_t *record, uint64_t new)
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
	saved_search_tag(app_of(x), json_array_get(s->records, 0), tag);
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
	cursor_write(app_of(x), SAVED_SEARCHES_KIND,
	    json_text(json_array_get(s->records, counted - 1), "id"), &s->next);
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
		json_array_append_new(s->body, saved_search_shown(record, new));
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
	struct showing *s;
	unsigned int limit;
	size_t i;

	if (!visit_stated_ok(x) || !limit_of(x, LIST_USUAL, LIST_MAX, &limit))
		return;
	if (cursor && *cursor &&
	    cursor_read(app_of(x), SAVED_SEARCHES_KIND, cursor, &after, NULL)) {
		http_reply_problem(x, 400, "bad-cursor", "The cursor is malformed.", NULL);
		goto out;
	}
	s = showing_new(x);
	if (!s)
		goto out;
	all = saved_searches_own(app_of(x), caller_of(x));
	json_array_foreach(all, i, record)
	{
		size_t taken = json_array_size(s->records);

		if (after.data && strcmp(json_text(record, "id"), after.data) <= 0)
			continue;
		if (taken == limit) {
			cursor_write(app_of(x), SAVED_SEARCHES_KIND,
			    json_text(json_array_get(s->records, taken - 1), "id"), &s->next);
			break;
		}
		json_array_append(s->records, record);
	}
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
