/* What becomes due of accounts and credentials: in a thread of its own, since it waits for the writer. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/accounts_api.h"
#include "api/session.h"
#include "arkki/archive/uploads.h"
#include "arkki/base/clock.h"
#include "arkki/base/log.h"

enum { EVERY_S = 3600 };

struct accounts_ticker {
	struct app *app;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	pthread_t thread;
	bool stop;
};

int accounts_look_after(
    struct app *app, unsigned int *ret_warned, unsigned int *ret_suspended, struct ark_error *err)
{
	const struct pending_place place = {
	    archive_state(app->archive), archive_spool_dir(app->archive)};
	int64_t now = clock_now_us();
	unsigned int removed;
	int rc = accounts_sweep(app->archive, now, ret_warned, ret_suspended, err);
	int other = credentials_sweep(
	    archive_state(app->archive), now, session_settings(app)->idle_us, rc ? NULL : err);

	sessions_forget(app);
	if (!other)
		other = pending_sweep(&place, now, &removed, rc ? NULL : err);
	return rc ? rc : other;
}

static void look_after(struct app *app)
{
	unsigned int warned, suspended;
	struct ark_error err;

	/* what failed is due in an hour still; names of people do not go to the server's output */
	if (accounts_look_after(app, &warned, &suspended, &err))
		ark_log(ARK_LOG_WARNING, "accounts", "looking after them failed: %s",
		    ark_status_name(err.status));
}

static void *run(void *arg)
{
	struct accounts_ticker *t = arg;
	struct timespec until;

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		pthread_mutex_unlock(&t->lock);
		look_after(t->app);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += EVERY_S;
		pthread_mutex_lock(&t->lock);
		while (!t->stop && pthread_cond_clockwait(
				       &t->cond, &t->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
			;
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

int accounts_start(struct app *app, struct ark_error *err)
{
	struct accounts_ticker *t = calloc(1, sizeof(*t));

	if (!t)
		return ark_fail(err, ARK_ENOMEM, "no memory for the server");
	t->app = app;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->cond, NULL);
	if (pthread_create(&t->thread, NULL, run, t) != 0) {
		pthread_cond_destroy(&t->cond);
		pthread_mutex_destroy(&t->lock);
		free(t);
		return ark_fail(err, ARK_EIO, "cannot start the accounts' thread");
	}
	app->accounts = t;
	return ARK_OK;
}

void accounts_stop(struct app *app)
{
	struct accounts_ticker *t = app->accounts;

	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->cond);
	pthread_mutex_destroy(&t->lock);
	free(t);
	app->accounts = NULL;
}
