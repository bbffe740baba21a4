/* What the history log says of the access log: a tie, {"size","root"} of a checkpoint of the access log that was signed
 * by then. It stands as `access` in the `detail` of the first entry of each commit, and in an entry of kind
 * "access-log" once an hour in which there were reads and no filing.
 *
 * So an access log that was put back alone is noticed here, without a witness: it is shorter than a tie says, or has
 * another root at that size. Whoever puts both logs back is noticed by the store, whoever puts back everything by
 * witnesses and followers only.
 *
 * A tie names what was durable before its entry was written: no crash, and no backup (which reads the history's
 * checkpoint first), leaves a log behind its ties. Threads: any. */
#ifndef ARKKI_ARCHIVE_ACCESS_TIE_H
#define ARKKI_ARCHIVE_ACCESS_TIE_H

#include "archive/archive_private.h"
#include "archive/checkpoint.h"

/* The newest checkpoint of the access log. False: there is nothing to say. */
bool access_tie_now(struct archive *a, struct checkpoint *ret);
/* `"access":{…}`, without anything around it. */
void access_tie_write(struct buf *out, const struct checkpoint *tie);
/* Of a history entry. False: it has none. */
bool access_tie_read(const struct ledger_entry *e, struct checkpoint *ret);

/* ARK_ECORRUPT when the access log is not the one that was tied: the text says so. A tie beyond the newest checkpoint is judged
 * by its size alone. */
ARK_MUSTUSE int access_tie_holds(
    struct archive *a, const struct checkpoint *tie, struct ark_error *err);
/* At start: the newest tie, and what to do when it does not hold. */
ARK_MUSTUSE int access_tie_check(struct archive *a, struct ark_error *err);
/* An entry of its own, when there is more in the access log than the newest tie says. */
ARK_MUSTUSE int access_tie_log(struct archive *a, struct ark_error *err);

#endif
