/* The witnesses of an archive: both logs' checkpoints go to them, and their
 * cosignatures come back (c2sp.org/tlog-witness).
 *
 *   DIR/witness.policy         who they are and how many are enough (c2sp.org/tlog-policy);
 *                              none: the archive has no witnesses
 *   DIR/arkki.conf             "require-cosigned CLASS…": contents of these classes of
 *                              publicity are released only when their access entry is cosigned
 *   DIR/ledger/<which>/checkpoint.cosigned   the newest checkpoint cosigned by enough
 *
 * A witness that is slow, dead or lies delays nobody: each is asked by a thread
 * of its own. One that has seen more of a log than there is, is another matter:
 * then data was lost here (an old backup was restored), and going on would
 * write another history over the one that was witnessed. That is looked for
 * before the logs are opened, and at the first word from a witness that could
 * not be asked then; after its first word a witness cannot stop the archive.
 *
 * Threads: any.
 */
#ifndef ARKKI_ARCHIVE_WITNESSES_H
#define ARKKI_ARCHIVE_WITNESSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/base/error.h"

struct witnesses;

/* Asks every witness what it saw of both logs, within a few seconds, before they are opened.
 * ARK_EREFUSED: one has seen more, or something else: the text says what to do. warn() is called
 * for each that could not be asked. */
ARK_MUSTUSE int witnesses_ask(const char *dir, const char *origin,
    void (*warn)(void *arg, const char *what), void *arg, struct ark_error *err);

/* Starts a thread for each witness that has a URL. *ret is NULL when there is no policy and no
 * class requires one, else it is ended with witnesses_stop(). */
ARK_MUSTUSE int witnesses_start(struct archive *a, struct witnesses **ret, struct ark_error *err);
/* Whoever waits is told no, now and from here on. */
void witnesses_end_soon(struct witnesses *w);
void witnesses_stop(struct witnesses *w); /* before the archive is closed; NULL is allowed */

/* Must content of this class wait for a cosigned entry? w may be NULL: no. */
bool witnesses_required(const struct witnesses *w, const char *publicity);

struct witness_wait {        /* the caller's, until done() has been called */
	uint64_t size;       /* entries of the access log that must be covered */
	int64_t deadline_us; /* clock_monotonic_us() */
	/* Once, from a thread of ours: do little. */
	void (*done)(struct witness_wait *wait, bool cosigned);
	struct witness_wait *next; /* ours */
};
/* done() may be called before this returns. After witnesses_end_soon() none is left. */
void witnesses_wait(struct witnesses *w, struct witness_wait *wait);

/* {"witnesses":[{"name":…,"url":…,"logs":[{"log":…,"size":…,"time":…,"error":…}]}],
 * "logs":[{"log":…,"cosignedSize":…}]}; NULL: no memory. */
json_t *witnesses_status(struct witnesses *w);

/* What witnesses have signed last of a log, looked at again: their lines hold, the log's own signature too, and the log continues
 * what they saw. ARK_ENOTFOUND: nothing has been cosigned; ARK_ECORRUPT: it is false. *ret is set in any case. */
enum { WITNESSED_MAX = 32, WITNESSED_NAME = 128 };
struct witnessed {
	bool policy, enough; /* the archive asks witnesses; so many have signed as it asks for */
	uint64_t size;       /* entries that they have seen */
	struct {
		char name[WITNESSED_NAME];
		int64_t time_s; /* as the witness says: seconds since the epoch */
	} by[WITNESSED_MAX];
	size_t by_len;
};
ARK_MUSTUSE int witnesses_seen(
    struct archive *a, enum ledger_which which, struct witnessed *ret, struct ark_error *err);

/* Compares a log's checkpoint.cosigned with its tree and the policy; bad() for each fault, and with a line
 * that begins with "note: " when only the policy has changed since. The file may be missing. ARK_ECORRUPT when there was any. */
ARK_MUSTUSE int witnesses_check(struct archive *a, enum ledger_which which,
    void (*bad)(void *arg, const char *what), void *arg, struct ark_error *err);

#endif
