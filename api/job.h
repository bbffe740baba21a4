/* Work that takes longer than a listener's thread should be held: a thread of its own, for which the exchange waits.
 *
 * Threads: work() runs in the new thread and touches nothing of the exchange; answer() runs as a handler does, after
 * it. What both share is `arg`, which lives as long as the visit and is freed when the thread has ended.
 */
#ifndef ARKKI_API_JOB_H
#define ARKKI_API_JOB_H

#include "api/app.h"

/* Takes arg, also when it cannot begin: then 503 is replied, and it is false. What the visit held before is freed,
 * unless that is arg. */
bool job_begin(struct exchange *x, void *arg, void (*arg_free)(void *arg), void (*work)(void *arg),
    void (*answer)(struct exchange *x));
/* A decoder may take much memory: only a few at a time are run for people who wait. False: all are taken. Each that was
 * begun is ended once, in any thread. */
bool decoding_begin(struct app *app);
void decoding_end(struct app *app);
/* In answer(). */
void *job_arg(struct exchange *x);

#endif
