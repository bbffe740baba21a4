/* What an export by a query takes: the hits of the caller's own search, all of them, logged as that search. */
#include <stdio.h>
#include <stdlib.h>

#include "api/exports.h"
#include "api/indexer.h"
#include "api/search_asked.h"
#include "arkki/base/json.h"

bool export_query_fault(const json_t *query, char out[200])
{
	struct search_asked asked;
	struct ark_error err = {0};
	const char *fault = NULL;

	if (search_asked_json(query, false, &asked, &err))
		fault = err.text;
	else if (asked.group || (asked.like && *asked.like))
		fault = "group and like are no filters: an export takes every hit";
	else
		fault = search_asked_fault(&asked);
	if (fault)
		snprintf(out, 200, "%.199s", fault);
	return fault != NULL;
}

struct found {
	json_t *body, *hits; /* [[id, version], …] */
	void (*then)(struct exchange *x, const json_t *body, const json_t *hits);
};

static void found_free(void *arg)
{
	struct found *f = arg;

	json_decref(f->body);
	json_decref(f->hits);
	free(f);
}

static int keep_hits(
    struct found *f, const struct search_hit *hits, size_t n, struct ark_error *err)
{
	f->hits = json_array();
	for (size_t i = 0; f->hits && i < n; i++)
		if (json_array_append_new(
			f->hits, json_pack("[s,I]", hits[i].document, (json_int_t)hits[i].version)))
			return ark_fail(err, ARK_ENOMEM, "no memory for an export");
	return f->hits ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an export");
}

/* ARK_EREFUSED: it finds more than an export takes, *ret_total of them. */
static int find(struct found *f, const struct search_work *w, const struct search_asked *asked,
    uint64_t *ret_total, struct ark_error *err)
{
	struct search_request r = search_request_of(w, asked);
	struct search_hit *hits = NULL;
	size_t n = 0;
	int rc = search_total(w->desk->reader, &r, ret_total, err);

	if (!rc && *ret_total > EXPORT_DOCUMENTS_MAX)
		return ark_fail(err, ARK_EREFUSED, "too many hits");
	if (!rc)
		rc = search_ranking(w->desk->reader, &r, EXPORT_DOCUMENTS_MAX, &hits, &n, err);
	if (!rc)
		rc = keep_hits(f, hits, n, err);
	free(hits);
	return rc;
}

static void too_many(struct exchange *x, uint64_t total)
{
	char detail[160];

	snprintf(detail, sizeof(detail),
	    "it finds %llu hits, and an export takes %d: narrow it down, by dates for instance",
	    (unsigned long long)total, EXPORT_DOCUMENTS_MAX);
	http_reply_problem(x, 422, "export", NULL,
	    json_pack("[{s:s,s:s,s:s}]", "field", "query", "code", "too-many", "detail", detail));
}

static void go_on(struct exchange *x)
{
	const struct found *f = visit_of(x)->more;

	f->then(x, f->body, f->hits);
}

static void log_it(struct exchange *x, const struct search_asked *asked)
{
	struct ledger_record r = visit_record(visit_of(x), "search");

	r.query = asked->q ? asked->q : "";
	visit_log(x, &r, 1, go_on);
}

void export_query_begin(struct exchange *x, const json_t *body,
    void (*then)(struct exchange *x, const json_t *body, const json_t *hits))
{
	struct visit *v = visit_of(x);
	struct found *f = calloc(1, sizeof(*f));
	struct search_asked asked;
	struct search_work w = {0};
	struct ark_error err = {0};
	uint64_t total = 0;
	int rc;

	if (!f) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	f->then = then;
	f->body = json_incref((json_t *)(uintptr_t)body);
	v->more = f;
	v->more_free = found_free;
	if (!search_there(x))
		return;
	rc = search_asked_json(json_object_get(body, "query"), false, &asked, &err);
	if (!rc)
		rc = search_work_begin(v, &w, &err);
	if (!rc)
		rc = find(f, &w, &asked, &total, &err);
	search_work_end(&w);
	if (rc == ARK_EREFUSED)
		too_many(x, total);
	else if (rc)
		search_failed(x, rc, &err);
	else
		log_it(x, &asked);
}
