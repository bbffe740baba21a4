/* Carrying out what is approved: for the disposer's thread, for the operator (arkki dispose DIR run) and at start. */
#include <stdio.h>
#include <stdlib.h>

#include "api/disposer.h"
#include "api/disposition_api.h"
#include "api/exports.h"
#include "api/indexer.h"
#include "api/job.h"

/* A command's own server has no indexer: one is started for the while. */
static int drop(void *arg, const char (*documents)[33], size_t n, struct ark_error *err)
{
	struct app *app = arg;
	struct indexer *i = app->indexer;
	int rc;

	exports_forget(app, documents, n);
	if (i)
		return indexer_drop(i, documents, n, err);
	rc = indexer_start(app->archive, &i, err);
	if (!rc) {
		rc = indexer_drop(i, documents, n, err);
		indexer_stop(i);
	}
	return rc;
}

int disposition_carry_out(
    struct app *app, bool resume_only, struct disposition_result *ret, struct ark_error *err)
{
	const struct filing_actor operator= {.user = "operator", .authentication = "operator"};
	const struct disposition_run run = {.actor = &operator,
	    .drop = drop,
	    .arg = app,
	    .resume_only = resume_only,
	    .due_only = true};

	return disposition_run(app->archive, &run, ret, err);
}

int disposition_resume(struct app *app, struct ark_error *err)
{
	struct disposer_done done;

	return disposition_unfinished(app->archive) ? disposer_run(app, true, &done, err) : ARK_OK;
}

/* ---- POST and GET /admin/dispose ---- */

struct asked {
	struct app *app;
	struct disposer_done done;
	struct ark_error error;
	int status;
};

static void work(void *arg)
{
	struct asked *a = arg;

	a->status = disposer_run(a->app, false, &a->done, &a->error);
}

static void answer(struct exchange *x)
{
	const struct asked *a = job_arg(x);
	const struct disposition_result *r = &a->done.result;

	if (a->status)
		http_reply_problem(
		    x, a->status == ARK_ECONFLICT ? 409 : 503, "dispose", a->error.text, NULL);
	else
		http_reply_json(x, 200,
		    json_pack("{s:I,s:I,s:I,s:I,s:I,s:s*}", "destroyed", (json_int_t)r->destroyed,
			"held", (json_int_t)r->held, "awaiting", (json_int_t)r->awaiting, "notDue",
			(json_int_t)r->undue, "packaged", (json_int_t)a->done.packaged,
			"packageError", a->done.failed ? a->done.why.text : NULL));
}

void admin_dispose(struct exchange *x)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (!a) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	a->app = app_of(x);
	(void)job_begin(x, a, free, work, answer);
}

void admin_dispose_get(struct exchange *x)
{
	json_t *state = disposer_json(app_of(x));

	if (state)
		http_reply_json(x, 200, state);
	else
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
}
