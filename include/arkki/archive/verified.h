/* What verifications of the archive found, kept where the rest of its past is: entries of the history log.
 *
 * A check has two entries of kind "verify", principal "verify full" (or light, scrub: no account's id has a space):
 *   {"state":"begun","scope":"full"}, and in the end
 *   {"state":"ended","scope","begun":index,"outcome":"whole|faults|failed","why","faults":n,"kinds":{"store":n},
 *    "first":["…"],"checked":{"commits":n,…},"heads":{"history":{"entries","size","root"},"access":{…}},"seconds","program"}
 * A pass of the scrub, which may last over restarts, has the second alone. "heads" are the signed tree
 * heads that were compared. So a backup has it, witnesses sign over it, and nobody takes a bad result back: a better one
 * can only follow it. A check that began and never ended shows as that, not as the result before it. What is claimed is
 * the operator's word: whoever has the root key can enter a check that was never made.
 *
 * It knows entries; not what a verification compares (archive_verify(), scrub.h).
 * Threads: any. Durability: of the log; an entry is there when the call returns ARK_OK.
 */
#ifndef ARKKI_ARCHIVE_VERIFIED_H
#define ARKKI_ARCHIVE_VERIFIED_H

#include <jansson.h>
#include <stdint.h>

#include "arkki/archive/archive.h"

enum verified_scope { VERIFIED_FULL, VERIFIED_LIGHT, VERIFIED_SCRUB, VERIFIED_SCOPES };
enum {
	VERIFIED_FIRST = 10,       /* faults that are kept as text */
	VERIFIED_EVERY_DAYS = 100, /* unless arkki.conf says otherwise ("verify-every DAYS") */
};

const char *verified_scope_name(enum verified_scope scope);
/* ARK_EINPUT: there is no such scope. */
ARK_MUSTUSE int verified_scope_of(
    const char *name, enum verified_scope *ret, struct ark_error *err);
/* How old a full check may be, in days. */
unsigned long verified_every(const char *dir);

/* ---- made while it runs; result is an object ---- */

/* Counts a fault into the result: its number, its kind (part: where it was looked for, when its text does not tell), the
 * first of them as text. */
ARK_MUSTUSE int verified_fault(
    json_t *result, const char *what, const char *part, struct ark_error *err);
/* Sets `name` ("history", "access") of "heads" to how far a log reached, and its signed size and root. */
ARK_MUSTUSE int verified_head(
    json_t *result, const char *name, struct ledger *l, struct ark_error *err);
/* What a text of a fault is about: "store", "keys", "content", … */
const char *verified_kind(const char *what, const char *part);

/* ---- entries; the archive is open for writing ---- */

ARK_MUSTUSE int verified_begin(
    struct archive *a, enum verified_scope scope, uint64_t *ret_index, struct ark_error *err);
/* Takes of the result what stands above. ARK_EINPUT: it contradicts itself, is too long, or the entry "begun" is none of
 * this scope's; nothing is entered. */
ARK_MUSTUSE int verified_end(
    struct archive *a, enum verified_scope scope, const json_t *result, struct ark_error *err);

/* The last of each scope, fresh: {"full":{…},"light":{…},"scrub":{…}}, each {"last":{…as above,"time","index",
 * "since":{"commits","reads"}},"unfinished":time}; no member where there is nothing. "since": commits that were filed,
 * entries that the access log has got. */
ARK_MUSTUSE int verified_last(struct archive *a, json_t **ret, struct ark_error *err);

/* What the last results together say, the worst first. */
enum verified_verdict {
	VERIFIED_BROKEN, /* a check found faults, and no full one since has found everything whole */
	VERIFIED_NEVER,  /* no full check has come to its end, or the last one failed */
	VERIFIED_OLD,    /* the last full one is of more than `every` days ago */
	VERIFIED_WELL,
};
/* last: of verified_last(). *ret_scope: whose result it is (BROKEN: the newest with faults). */
enum verified_verdict verified_judge(
    const json_t *last, unsigned long every, int64_t now_us, enum verified_scope *ret_scope);
/* Whole days from a result's time to now; 0 when that is in the future. */
long verified_days(const json_t *result, int64_t now_us);

#endif
