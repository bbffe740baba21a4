/* What a browser's session is read for: purpose and case, stated once and kept until they end.
 *
 * Kept in this server's memory alone, never in a cookie, an address or a file; a restart asks again. A statement ends with
 * its session, when its reader ends it, when its case is closed, and after eight hours. It is bound to the session's id, so that
 * no other session of the same account has it. A session has at most PURPOSES_MAX; a new one for a case takes the place of the old.
 *
 * It opens nothing by itself: purpose_kept_state() states it for the caller, as a header or a form does, for a document of a
 * unit that the case covers, and the policies decide. Every read then logs purpose and case.
 *
 * Threads: any.
 */
#ifndef ARKKI_API_PURPOSE_KEPT_H
#define ARKKI_API_PURPOSE_KEPT_H

#include "api/app.h"

enum { PURPOSES_MAX = 5, PURPOSE_CHARS = 500, PURPOSE_BYTES = 4 * PURPOSE_CHARS + 1 };

struct purpose_kept {
	char case_id[65];
	char purpose[PURPOSE_BYTES];
};

struct purposes;
ARK_MUSTUSE int purposes_new(struct purposes **ret, struct ark_error *err);
void purposes_free(struct purposes *p); /* takes NULL; wipes */

/* now_us: of clock_monotonic_us(), here and below. A purpose that is longer than PURPOSE_CHARS is not kept: ARK_EINPUT. */
ARK_MUSTUSE int purposes_keep(struct purposes *p, const char *session, const char *case_id,
    const char *purpose, int64_t now_us, struct ark_error *err);
/* case_id NULL: all of the session's. */
void purposes_end(struct purposes *p, const char *session, const char *case_id);
/* Those that have not ended, the newest first; how many. */
size_t purposes_of(
    struct purposes *p, const char *session, int64_t now_us, struct purpose_kept ret[PURPOSES_MAX]);

/* Those of the caller's session whose cases are open still; 0 where there is no session. */
size_t purpose_kept_by(
    struct app *app, const struct caller *c, struct purpose_kept ret[PURPOSES_MAX]);
/* Keeps what the caller has stated in this request, where it is a session that states it. */
ARK_MUSTUSE int purpose_keep(struct app *app, const struct caller *c, struct ark_error *err);
/* Where nothing is stated in the request: states the newest one whose case covers a unit of this version (0: the newest).
 * What does not exist is passed over: that is for the caller to find. */
ARK_MUSTUSE int purpose_kept_state(struct app *app, struct caller *c, const char *document,
    uint32_t version, struct ark_error *err);

#endif
