/* The admin socket (DIR/run/admin.sock, 0600): what the command line asks of
 * a running server. Whoever can open the socket is the archive's operator;
 * each change is an entry of the history log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/job.h"
#include "arkki/archive/load.h"
#include "arkki/archive/scrub.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

#define ARKKI_VERSION "0.1"

/* Loading waits for the writer many times over. */
struct admin_job {
	struct app *app;
	json_t *seed;
	struct load_result result;
	int status;
	struct ark_error error;
};

static void load_free(void *arg)
{
	struct admin_job *j = arg;

	json_decref(j->seed);
	free(j);
}

static void load(void *arg)
{
	struct admin_job *j = arg;
	const struct filing_actor operator= {.user = "operator", .authentication = "operator"};

	j->status = load_seed(j->app->archive, j->seed, &operator, & j->result, &j->error);
}

static void load_answer(struct exchange *x)
{
	const struct admin_job *j = job_arg(x);

	if (j->status == ARK_EINPUT)
		http_reply_problem(x, 422, "seed", j->error.text, NULL);
	else if (j->status)
		http_reply_problem(x, 503, "load", j->error.text, NULL);
	else
		http_reply_json(x, 200,
		    json_pack("{s:i,s:i,s:i}", "added", (int)j->result.added, "changed",
			(int)j->result.changed, "unchanged", (int)j->result.unchanged));
}

void admin_load(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct admin_job *j;
	struct ark_error err;
	size_t len;
	const char *body = http_body(x, &len);

	if (!v)
		return;
	j = calloc(1, sizeof(*j));
	if (!j) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	j->app = v->app;
	if (!json_read(body, len, &j->seed, &err)) {
		(void)job_begin(x, j, load_free, load, load_answer);
		return;
	}
	http_reply_problem(x, 400, "bad-json", err.text, NULL);
	load_free(j);
}

/* ---- maintenance: a receipt for system work outside the server ---- */

void admin_maintenance(struct exchange *x)
{
	const char *job = http_query(x, "job"), *range = http_query(x, "range");
	struct receipt *receipt = NULL;
	struct ark_error err;

	if (!job ||
	    archive_maintenance(app_of(x)->archive, job, range ? range : "all", &receipt, &err)) {
		http_reply_problem(
		    x, job ? 503 : 400, "maintenance", job ? err.text : "job is missing.", NULL);
		return;
	}
	http_reply_json(x, 200, json_pack("{s:s}", "receipt", receipt_token(receipt)));
	receipt_free(receipt);
}

/* ---- operation ---- */

void health_get(struct exchange *x)
{
	struct ark_error err;

	if (filing_room(app_of(x)->archive, &err))
		http_reply_json(
		    x, 503, json_pack("{s:s,s:s}", "status", "degraded", "reason", err.text));
	else
		http_reply_json(x, 200, json_pack("{s:s}", "status", "ok"));
}

void version_get(struct exchange *x)
{
	http_reply_json(
	    x, 200, json_pack("{s:s,s:i}", "version", ARKKI_VERSION, "format", ARCHIVE_FORMAT));
}

static long long scrub_number(const json_t *of, const char *member)
{
	return json_integer_value(json_object_get(of, member));
}

/* Of the last pass that was whole, and of what is known to be broken now. */
static void scrub_metrics(struct archive *a, struct buf *out)
{
	json_t *scrub = scrub_status(a), *last = json_object_get(scrub, "last");
	const char *whole = json_text(scrub, "lastWhole");
	int64_t at = 0;

	if (whole && clock_parse(whole, &at))
		buf_addf(out,
		    "# TYPE arkki_scrub_last_time_seconds gauge\n"
		    "arkki_scrub_last_time_seconds %lld\n",
		    (long long)(at / 1000000));
	buf_addf(out,
	    "# TYPE arkki_scrub_last_failed gauge\narkki_scrub_last_failed %d\n"
	    "# TYPE arkki_scrub_last_faults gauge\narkki_scrub_last_faults %lld\n"
	    "# TYPE arkki_scrub_faults gauge\narkki_scrub_faults %lld\n"
	    "# TYPE arkki_scrub_bytes gauge\narkki_scrub_bytes %lld\n",
	    json_text(last, "outcome") && strcmp(json_text(last, "outcome"), "failed") == 0,
	    scrub_number(last, "faultCount"), scrub_number(scrub, "faultCount"),
	    scrub_number(scrub, "bytes"));
	json_decref(scrub);
}

void metrics_get(struct exchange *x)
{
	struct app *app = app_of(x);
	struct buf out = BUF_INIT;

	buf_addf(&out, "# TYPE arkki_commits counter\narkki_commits %llu\n",
	    (unsigned long long)archive_sequence(app->archive));
	buf_addf(&out, "# TYPE arkki_indexed_commits gauge\narkki_indexed_commits %llu\n",
	    (unsigned long long)app_indexed(app));
	buf_addf(&out, "# TYPE arkki_access_entries counter\narkki_access_entries %llu\n",
	    (unsigned long long)ledger_size(archive_ledger(app->archive, LEDGER_ACCESS)));
	buf_addf(&out, "# TYPE arkki_history_entries counter\narkki_history_entries %llu\n",
	    (unsigned long long)ledger_size(archive_ledger(app->archive, LEDGER_HISTORY)));
	buf_addf(&out, "# TYPE arkki_packs gauge\narkki_packs %u\n",
	    store_packs(archive_store(app->archive)));
	scrub_metrics(app->archive, &out);
	http_reply_buf(x, 200, "text/plain; version=0.0.4", &out);
}
