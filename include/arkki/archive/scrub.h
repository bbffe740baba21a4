/* Scrubbing: everything that must not rot is read again in the background, at a set pace.
 *
 * A pass reads every pack (each object hashes to its name, the idx agrees), every key slot, both logs with their
 * tiles, and holds catalogue rows and metadata against store and history log. What can be made anew (texts, index) is
 * left out. What looks damaged is read a second time, around the page cache, before it counts.
 *
 *   DIR/scrub.state     JSON: position and faults of the pass at work, result of the last one; synced at every step
 *   DIR/arkki.conf      "scrub-rate MB" a second at most (8), "scrub-every DAYS" from one pass to the next (30)
 *
 * A pass that was cut goes on where it was. One that could not be ended is told as failed, with the cause; it never
 * counts as a pass. Each pass and each fault is a maintenance entry of the access log.
 *
 * Threads: any; one thread does the work, with the lowest priority, and rests longer while the machine is busy.
 */
#ifndef ARKKI_ARCHIVE_SCRUB_H
#define ARKKI_ARCHIVE_SCRUB_H

#include <jansson.h>

#include "arkki/archive/archive.h"
#include "arkki/base/error.h"

enum { SCRUB_FAULTS_MAX = 200 }; /* that are listed; all are counted */

/* What the operator may say. START goes on, or begins a pass, at the set pace; NOW without a pace; PAUSE lasts over
 * restarts. Each is an entry of the history log (kind "scrub"). */
enum scrub_command { SCRUB_START, SCRUB_NOW, SCRUB_PAUSE };
ARK_MUSTUSE int scrub_command(
    struct archive *a, enum scrub_command what, const char *by, struct ark_error *err);

/* {"state":"idle|running|paused","rate","everyDays","pass","begun","step","position","bytes","of","faultCount","faults":
 * [{"what","file","object","document","version"}],"transient","last":{"pass","begun","ended","outcome":"whole|failed",
 * "why","bytes","faultCount","faults"}}. transient: what the second reading did not confirm. A fresh object, NULL: no
 * memory. */
json_t *scrub_status(struct archive *a);

#endif
