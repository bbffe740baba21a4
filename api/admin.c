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
