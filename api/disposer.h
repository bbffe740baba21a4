/* What happens to approved disposals without anybody asking: one thread that makes the packages of transfers as soon as
 * they are approved, and carries out, at a quiet pace, what may be destroyed.
 *
 *   DIR/arkki.conf      "dispose-every 30s|15m|24h|2d" from one look to the next (1h), or "dispose-every no": only when
 *                       `arkki dispose DIR run` says so
 *
 * A look that finds nothing opens nothing and writes nothing. Each run is one maintenance entry. A hold wins until the
 * tombstone of a document is written.
 *
 * Threads: any. Packages and runs are made one at a time, whoever asks for them.
 */
#ifndef ARKKI_API_DISPOSER_H
#define ARKKI_API_DISPOSER_H

#include "api/app.h"
#include "arkki/archive/disposition.h"

/* by_itself: false for the server of a single command, which destroys nothing unasked. ARK_EINPUT: arkki.conf. */
ARK_MUSTUSE int disposer_start(struct app *app, bool by_itself, struct ark_error *err);
void disposer_stop(struct app *app); /* waits for a run that is under way */

void disposer_look(
    struct app *app); /* a transfer was approved, or there is room for a package again */
/* Its package is wanted, and none is kept. */
void disposer_want(struct app *app, const char *document);

struct disposer_done {
	struct disposition_result result;
	uint64_t packaged, failed; /* packages made; that could not be made */
	struct ark_error why;      /* of the last of those */
};
/* Missing packages, then a run. Those begun before alone: resume_only. */
ARK_MUSTUSE int disposer_run(
    struct app *app, bool resume_only, struct disposer_done *ret, struct ark_error *err);
/* How things stand, and how the last run went. NULL: no memory. */
json_t *disposer_json(struct app *app);

/* transfers.c: makes the package of one document that is approved for transfer, checks it, files its digest and keeps
 * it. ARK_ECONFLICT: somebody acted meanwhile, or nobody waits for it. */
ARK_MUSTUSE int transfer_make(struct app *app, const char *document, struct ark_error *err);

#endif
