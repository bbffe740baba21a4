/* The inside of session.h: its parts, which are each a file.
 *
 *   session.c         settings, beginning, refusing and leaving; what is kept of sessions for a minute
 *   sign_in_work.c    two threads and a bounded queue
 *   sign_in_wait.c    who guesses waits; a table of fixed size
 *   sign_in_known.c   cookies, and the browser that is known
 */
#ifndef ARKKI_API_SIGN_IN_H
#define ARKKI_API_SIGN_IN_H

#include "api/session.h"

struct sign_in_pool;
struct sign_in_waits;
struct session_cache;

struct sign_in_service {
	struct session_settings settings;
	struct sign_in_pool *pool;
	struct sign_in_waits *waits;
	struct session_cache *cache;
};

ARK_MUSTUSE int sign_in_pool_new(struct sign_in_pool **ret, struct ark_error *err);
/* What still waits is not done any more; its exchanges are woken. NULL is fine. */
void sign_in_pool_free(struct sign_in_pool *pool);

/* ---- counting, without an exchange ---- now_us: of a clock that only goes forward. */

enum wait_of { WAIT_ACCOUNT, WAIT_BROWSER, WAIT_ADDRESS };
ARK_MUSTUSE int sign_in_waits_new(struct sign_in_waits **ret, struct ark_error *err);
void sign_in_waits_free(struct sign_in_waits *w);
/* Seconds until this may be tried; 0: now. */
unsigned int sign_in_waits_left(
    struct sign_in_waits *w, enum wait_of of, const char *name, int64_t now_us);
/* One more that was tried, or that failed. */
void sign_in_waits_count(
    struct sign_in_waits *w, enum wait_of of, const char *name, int64_t now_us);
void sign_in_waits_clear(struct sign_in_waits *w, enum wait_of of, const char *name);
/* What is counted of an address: all of an IPv4 one, the /64 of an IPv6 one; false: nothing (a proxy on this
 * machine, a local socket), since it stands for everybody. */
bool sign_in_waits_address(const char *peer, char ret[64]);

#endif
