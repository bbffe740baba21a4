#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/operation.h"
#include "arkki/base/log.h"

enum { CLASSES = 6, BUCKETS = 11 }; /* 0: ended without an answer; 1xx … 5xx */

static const unsigned int bucket_ms[BUCKETS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000};

struct route_count {
	atomic_ullong of[CLASSES];
};

struct traffic {
	enum { SAY_NONE, SAY_ERRORS, SAY_ALL } requests;
	/* one more than there are routes: for what no route matched */
	struct route_count *routes;
	atomic_ullong bucket[BUCKETS], slow, sum_us;
	atomic_ullong bytes_in, bytes_out;
};

int traffic_new(const char *requests, struct traffic **ret, struct ark_error *err)
{
	struct traffic *t = calloc(1, sizeof(*t));

	if (!t || !(t->routes = calloc(api_routes_len + 1, sizeof(*t->routes)))) {
		free(t);
		return ark_fail(err, ARK_ENOMEM, "no memory for counters");
	}
	if (!*requests || strcmp(requests, "errors") == 0)
		t->requests = SAY_ERRORS;
	else if (strcmp(requests, "all") == 0)
		t->requests = SAY_ALL;
	else if (strcmp(requests, "none") != 0) {
		traffic_free(t);
		return ark_fail(err, ARK_EINPUT,
		    "arkki.conf: request-log is none, errors or all, not \"%s\"", requests);
	}
	*ret = t;
	return ARK_OK;
}

void traffic_free(struct traffic *t)
{
	if (t)
		free(t->routes);
	free(t);
}

/* A pattern is the table's own text, so its place tells the route; the method tells which of those at one place. */
static size_t route_at(const struct http_record *r)
{
	for (size_t i = 0; i < api_routes_len; i++)
		if (api_routes[i].pattern == r->pattern &&
		    (strcmp(api_routes[i].method, r->method) == 0 ||
			((api_routes[i].flags & HTTP_ALSO_HEAD) && strcmp(r->method, "HEAD") == 0)))
			return i;
	return api_routes_len;
}

static void write_line(const struct http_record *r)
{
	const char *route = *r->pattern ? r->pattern : "-";
	/* a method is what the sender wrote: only those that routes have are repeated */
	const char *method = *r->pattern ? r->method : "-";
	json_t *fields =
	    json_pack("{s:s,s:s,s:i,s:b,s:I,s:I,s:I}", "method", method, "route", route, "status",
		r->status, "completed", (int)r->completed, "bytesIn", (json_int_t)r->bytes_in,
		"bytesOut", (json_int_t)r->bytes_out, "us", (json_int_t)r->duration_us);

	ark_log_fields(r->status >= 500 ? ARK_LOG_WARNING : ARK_LOG_INFO, "request", fields,
	    "%s %s %d, %lld ms", method, route, r->status, (long long)(r->duration_us / 1000));
}

void traffic_ended(void *app, const struct http_record *r)
{
	struct traffic *t = ((struct app *)app)->traffic;
	int class = r->status / 100;
	size_t i = 0;

	if (class < 0 || class >= CLASSES)
		class = 0;
	atomic_fetch_add(&t->routes[route_at(r)].of[class], 1);
	atomic_fetch_add(&t->bytes_in, r->bytes_in);
	atomic_fetch_add(&t->bytes_out, r->bytes_out);
	atomic_fetch_add(&t->sum_us, (unsigned long long)r->duration_us);
	while (i < BUCKETS && r->duration_us > (int64_t)bucket_ms[i] * 1000)
		i++;
	atomic_fetch_add(i < BUCKETS ? &t->bucket[i] : &t->slow, 1);
	if (t->requests == SAY_ALL || (t->requests == SAY_ERRORS && r->status >= 500))
		write_line(r);
}

static void add_count(struct buf *out, const char *method, const char *route, unsigned int class,
    unsigned long long n)
{
	if (n && class)
		buf_addf(out,
		    "arkki_http_requests_total{method=\"%s\",route=\"%s\",status=\"%uxx\"} %llu\n",
		    method, route, class, n);
	else if (n)
		buf_addf(out,
		    "arkki_http_requests_total{method=\"%s\",route=\"%s\",status=\"cut\"} %llu\n",
		    method, route, n);
}

void traffic_metrics(const struct traffic *t, struct buf *out)
{
	unsigned long long sum = 0;

	buf_addf(out, "# HELP arkki_http_requests_total Answered requests, by route.\n"
		      "# TYPE arkki_http_requests_total counter\n");
	for (size_t i = 0; i <= api_routes_len; i++)
		for (unsigned int c = 0; c < CLASSES; c++)
			add_count(out, i < api_routes_len ? api_routes[i].method : "-",
			    i < api_routes_len ? api_routes[i].pattern : "-", c,
			    atomic_load(&t->routes[i].of[c]));
	buf_addf(out,
	    "# HELP arkki_http_request_duration_seconds From the first byte of a request to "
	    "the last of its answer; a long poll counts whole.\n"
	    "# TYPE arkki_http_request_duration_seconds histogram\n");
	for (size_t i = 0; i < BUCKETS; i++) {
		sum += atomic_load(&t->bucket[i]);
		buf_addf(out, "arkki_http_request_duration_seconds_bucket{le=\"%.3f\"} %llu\n",
		    bucket_ms[i] / 1000.0, sum);
	}
	sum += atomic_load(&t->slow);
	buf_addf(out,
	    "arkki_http_request_duration_seconds_bucket{le=\"+Inf\"} %llu\n"
	    "arkki_http_request_duration_seconds_sum %.6f\n"
	    "arkki_http_request_duration_seconds_count %llu\n"
	    "# TYPE arkki_http_received_bytes_total counter\narkki_http_received_bytes_total %llu\n"
	    "# TYPE arkki_http_sent_bytes_total counter\narkki_http_sent_bytes_total %llu\n",
	    sum, (double)atomic_load(&t->sum_us) / 1e6, sum, atomic_load(&t->bytes_in),
	    atomic_load(&t->bytes_out));
}
