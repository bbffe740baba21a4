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

static void reply_busy(struct exchange *x)
{
	http_reply_header(x, "Retry-After", "2");
	http_reply_problem(x, 503, "busy", NULL, NULL);
}

bool past_work_room(struct exchange *x)
{
	bool room = atomic_load(&app_of(x)->replays) < AT_ONCE;

	if (!room)
		reply_busy(x);
	return room;
}

bool past_work_take(struct past_work *w)
{
	w->placed = atomic_fetch_add(&w->app->replays, 1) < AT_ONCE;
	if (!w->placed)
		atomic_fetch_sub(&w->app->replays, 1);
	return w->placed;
}

bool past_work_place(struct past_work *w)
{
	if (past_work_take(w))
		return true;
	reply_busy(w->x);
	return false;
}

bool past_work_begin(struct past_work *w, void (*then)(struct exchange *x))
{
	if (!w->placed && !past_work_place(w))
		return false;
	if (pthread_create(&w->thread, NULL, main_of_thread, w) != 0) {
		reply_busy(w->x);
		return false; /* past_work_end() gives the place back */
	}
	w->placed = false; /* it is the thread's now */
	w->runs = true;
	http_wait(w->x, then);
	return true;
}

void past_work_end(struct past_work *w)
{
	if (w->placed)
		atomic_fetch_sub(&w->app->replays, 1);
	w->placed = false;
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
