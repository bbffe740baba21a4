/* Answers about the past, each made in a thread of its own: every record of the registers may have to be opened. A
 * few at a time; who comes when all are taken is asked to come again.
 *
 * Threads: begun in those of the server; the work runs in its own, and wakes the exchange at its end.
 */
#ifndef ARKKI_API_PAST_WORK_H
#define ARKKI_API_PAST_WORK_H

#include <pthread.h>

#include "api/app.h"

struct past_work {
	struct exchange *x;
	struct app *app;
	void (*make)(void *arg);
	void *arg;
	pthread_t thread;
	bool runs, placed;
};

/* Is there a place now? Else 503 is replied: for who logs before there is a struct past_work. */
bool past_work_room(struct exchange *x);
/* Takes a place ahead of past_work_begin(), so that nothing is logged that is refused then. Else 503 is replied. */
bool past_work_place(struct past_work *w);
/* The same, and nothing is replied: for who can do without the answer. */
bool past_work_take(struct past_work *w);
/* Runs w->make(w->arg), then `then` in a thread of the server; false: 503 was replied. w must stay until past_work_end(). */
bool past_work_begin(struct past_work *w, void (*then)(struct exchange *x));
/* Waits for the thread, where one was begun, and gives back a place that was only taken. */
void past_work_end(struct past_work *w);
/* Until no thread works any more, which may outlive its exchange: before the archive closes. */
void past_work_wait(struct app *app);
/* {"field","code","detail"} into a list of faults. */
void past_work_fault(json_t *errors, const char *field, const char *code, const char *detail);

#endif
