/* Carrying out what is approved, for the operator (arkki dispose DIR run) and at start. */
#include <stdlib.h>

#include "api/disposition_api.h"
#include "api/exports.h"
#include "api/indexer.h"

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

static int run(
    struct app *app, bool resume_only, struct disposition_result *ret, struct ark_error *err)
{
	const struct filing_actor operator= {.user = "operator", .authentication = "operator"};
	const struct disposition_run run = {
	    .actor = &operator, .drop = drop, .arg = app, .resume_only = resume_only};

	return disposition_run(app->archive, &run, ret, err);
}

int disposition_resume(struct app *app, struct ark_error *err)
{
	struct disposition_result result;

	return disposition_unfinished(app->archive) ? run(app, true, &result, err) : ARK_OK;
}

struct job {
	struct exchange *x;
	struct app *app;
	struct disposition_result result;
	struct ark_error error;
	int status;
	pthread_t thread;
	bool runs;
};

static void job_free(void *arg)
{
	struct job *j = arg;

	if (j->runs)
		pthread_join(j->thread, NULL);
	free(j);
}

static void *job_main(void *arg)
{
	struct job *j = arg;

	j->status = run(j->app, false, &j->result, &j->error);
	http_wake(j->x);
	return NULL;
}

static void job_answer(struct exchange *x)
{
	const struct job *j = visit_of(x)->more;

	if (j->status)
		http_reply_problem(
		    x, j->status == ARK_ECONFLICT ? 409 : 503, "dispose", j->error.text, NULL);
	else
		http_reply_json(x, 200,
		    json_pack("{s:I,s:I,s:I}", "destroyed", (json_int_t)j->result.destroyed, "held",
			(json_int_t)j->result.held, "awaiting", (json_int_t)j->result.awaiting));
}

void admin_dispose(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct job *j = v ? calloc(1, sizeof(*j)) : NULL;

	if (!v)
		return;
	if (!j) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	j->x = x;
	j->app = v->app;
	v->more = j;
	v->more_free = job_free;
	if (pthread_create(&j->thread, NULL, job_main, j) != 0) {
		http_reply_problem(x, 503, "no-thread", NULL, NULL);
		return;
	}
	j->runs = true;
	http_wait(x, job_answer);
}
