/* What the API files in the name of a caller, and how its exchange waits for the writer.
 *
 * Threads: those of the server.
 */
#ifndef ARKKI_API_CALLER_FILING_H
#define ARKKI_API_CALLER_FILING_H

#include "api/app.h"
#include "arkki/archive/filing.h"

/* Who acts; borrowed from the caller. */
struct filing_actor caller_actor(const struct caller *c);
/* Writes into f who acts, for what purpose and in which case, and the reason (NULL: none). */
ARK_MUSTUSE int caller_files(
    struct filing *f, const struct caller *c, const char *reason, struct ark_error *err);
/* Hands f over to the writer and goes on with `then` when it is done. Where there is no room, 503 was replied; f
 * is the caller's in either case. */
void exchange_files(
    struct exchange *x, struct archive *a, struct filing *f, void (*then)(struct exchange *x));

#endif
