#include "api/job.h"

#include <stdlib.h>

enum { DECODERS = 4 };

struct job {
	struct exchange *x;
	void *arg;
	void (*arg_free)(void *arg), (*work)(void *arg);
	pthread_t thread;
	bool runs;
};

static void job_free(void *more)
{
	struct job *j = more;

	/* a listener that has stopped answers in the thread that wakes the exchange */
	if (j->runs && pthread_equal(j->thread, pthread_self()))
		pthread_detach(j->thread);
	else if (j->runs)
		pthread_join(j->thread, NULL);
	j->arg_free(j->arg);
	free(j);
}

static void *job_main(void *more)
{
	struct job *j = more;

	j->work(j->arg);
	http_wake(j->x);
	return NULL;
}

bool job_begin(struct exchange *x, void *arg, void (*arg_free)(void *arg), void (*work)(void *arg),
    void (*answer)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct job *j = v ? calloc(1, sizeof(*j)) : NULL;

	if (v && v->more_free && v->more != arg)
		v->more_free(v->more);
	if (v)
		v->more_free = NULL;
	if (!j) {
		arg_free(arg);
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return false;
	}
	*j = (struct job){.x = x, .arg = arg, .arg_free = arg_free, .work = work};
	v->more = j;
	v->more_free = job_free;
	if (pthread_create(&j->thread, NULL, job_main, j) != 0) {
		http_reply_problem(x, 503, "no-thread", NULL, NULL);
		return false;
	}
	j->runs = true;
	http_wait(x, answer);
	return true;
}

bool decoding_begin(struct app *app)
{
	if (atomic_fetch_add(&app->decoding, 1) < DECODERS)
		return true;
	atomic_fetch_sub(&app->decoding, 1);
	return false;
}

void decoding_end(struct app *app)
{
	atomic_fetch_sub(&app->decoding, 1);
}

void *job_arg(struct exchange *x)
{
	const struct job *j = visit_of(x)->more;

	return j->arg;
}
