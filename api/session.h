/* Signing in: what every way in has in common, and the sessions of browsers.
 *
 * The cookie is __Host-arkki (Secure, HttpOnly, Path=/, SameSite=Strict) behind TLS, arkki-session on plain HTTP. It holds a
 * random secret that state.sqlite keeps as a keyed hash. Every sign-in makes a new one; whatever cookie was sent before is ended.
 *
 * Each sign-in, and each that fails, is an entry of the access log: kind "sign-in", outcome "ok" or "denied", with the method;
 * those that fail within the rate of sign_in_budget(). What was typed as a name is logged only when there is such an account.
 *
 * Settings of arkki.conf: session-idle-minutes (30), session-hours (12; both may have decimals), second-factor
 * required|optional (required), password-blocklist PATH, sign-in-url URL (where this archive is reached: for links; ""
 * takes the request's Host). They are read when the server starts.
 */
#ifndef ARKKI_API_SESSION_H
#define ARKKI_API_SESSION_H

#include "api/app.h"
#include "arkki/archive/credentials.h"

struct session_settings {
	int64_t idle_us, life_us;
	bool second_factor_required;
	char blocklist[4096], url[512];
};

ARK_MUSTUSE int sign_in_start(struct app *app, struct ark_error *err);
void sign_in_stop(struct app *app); /* after the listeners */
const struct session_settings *session_settings(const struct app *app);

/* ---- cookies ---- */

/* Behind TLS, as the proxy says or the configured address. Only then the __Host- names count, and only they. */
bool over_tls(const struct exchange *x);
/* Sets "__Host-<name>" or "<name>": HttpOnly, SameSite=Strict, of all pages. life_s: 0: as long as the browser runs; less: taken
 * away. For a cookie that another site's navigation is to bring along, lax. */
void cookie_set(struct exchange *x, const char *name, const char *value, long life_s);
void cookie_set_lax(struct exchange *x, const char *name, const char *value, long life_s);
/* As sent under the name that cookie_set() uses here; NULL: none. */
const char *cookie_get(struct exchange *x, const char *name);
/* That of a session has two names. */
const char *session_cookie_name(const struct exchange *x);

/* ---- sessions ---- */

/* Whose session is it? The answer is kept for a minute, shorter where the session's own limits are near, and never past
 * sessions_forget() or a change of the account. *ret_who is the caller's. ARK_ENOTFOUND: no session. */
ARK_MUSTUSE int session_of(struct app *app, const char *cookie, struct session *ret,
    unsigned int *ret_scopes, struct principal **ret_who, struct ark_error *err);
/* Nothing that is kept counts any more: whoever ends a session or revokes a token calls this after it. */
void sessions_forget(struct app *app);
/* A session that was begun with a token ends with it: its provider is this, and its provider_session the token's id. */
#define SESSION_BY_TOKEN "_token"

/* Makes a session for an account that is active: logs it, and when that is durable sets the cookie and calls then(x), which
 * replies (a redirection). A log that cannot be written: 503 and no session. An account that is not
 * active is refused as a wrong password is, by a redirection to the sign-in page that says so. wish: method, strong, enrolling,
 * provider, subject, provider_session; expires_us where it is to end before session-hours are over (0: not).
 * The exchange's data stays as it is. */
void session_begin(struct exchange *x, const char *user, const struct session *wish,
    void (*then)(struct exchange *x));
/* Logs a failure (user NULL: no such account) and then replies by then(x). */
void session_refused(struct exchange *x, const char *user, const char *method, const char *why,
    void (*then)(struct exchange *x));
/* Takes the cookie away; ends the session it is of. Not logged: that is the page's. */
ARK_MUSTUSE int session_leave(struct exchange *x, struct ark_error *err);

/* ---- work that takes long: Argon2id, a provider ---- */

/* (arg: data of the exchange's.) Runs work(arg) in one of the sign-in threads (two) and then done(x) in the exchange's; the queue is bounded: false, and a
 * 503 with Retry-After was replied, when it is full. */
bool sign_in_work(
    struct exchange *x, void (*work)(void *arg), void *arg, void (*done)(struct exchange *x));

/* ---- slowing down who guesses ---- */

/* Before a password or a code is looked at: 0: go on; else seconds to wait, and nothing may be looked at. By account and by address
 * (IPv6: /64); waits double from the 5th failure to at most 15 minutes, and end by themselves. A browser that has
 * signed in to this account before (a signed cookie, __Host-arkki-known) has a count of its own, so that a stranger's guesses
 * never lock the owner out. Accounts that do not exist are counted alike. user NULL: by address only. An attempt that may go on
 * counts from here, so that many at once are no way around; an address counts what failed, and 50 of it. */
unsigned int sign_in_wait(struct exchange *x, const char *user);
void sign_in_failed(struct exchange *x, const char *user);
void sign_in_succeeded(struct exchange *x, const char *user); /* sets the known-browser cookie */

#endif
