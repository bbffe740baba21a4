#include "api/past_work.h"

#include <stdatomic.h>
#include <time.h>

enum { AT_ONCE = 2 };

static void *main_of_thread(void *arg)
{
	struct past_work *w = arg;

	w->make(w->arg);
	atomic_fetch_sub(&w->app->replays, 1);
	http_wake(w->x);
	return NULL;
}

void past_work_begin(struct past_work *w, void (*then)(struct exchange *x))
{
	bool room = atomic_fetch_add(&w->app->replays, 1) < AT_ONCE;

	if (!room || pthread_create(&w->thread, NULL, main_of_thread, w) != 0) {
		atomic_fetch_sub(&w->app->replays, 1);
		http_reply_header(w->x, "Retry-After", "2");
		http_reply_problem(w->x, 503, "busy", NULL, NULL);
		return;
	}
	w->runs = true;
	http_wait(w->x, then);
}

void past_work_end(struct past_work *w)
{
	if (w->runs)
		pthread_join(w->thread, NULL);
}

void past_work_fault(json_t *errors, const char *field, const char *code, const char *detail)
{
	json_array_append_new(
	    errors, json_pack("{s:s,s:s,s:s}", "field", field, "code", code, "detail", detail));
}

void past_work_wait(struct app *app)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	while (atomic_load(&app->replays) > 0 || atomic_load(&app->comparisons) > 0)
		nanosleep(&pause, NULL);
}
