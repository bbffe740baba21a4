/* Credentials: what shows that somebody is who they say: passwords, second factors, recovery codes, one-time links,
 * sessions, identities at providers, client certificates, and the providers themselves. All in state.sqlite.
 *
 * Nothing in that file signs anyone in, also not for who has the file and half a day of computers:
 *   random secrets (links, sessions, recovery codes)   only as keyed hashes; 128 bits or more, recovery codes 80
 *   passwords       Argon2id (libsodium, RFC 9106), and its hash sealed under the archive's own key besides
 *   TOTP secrets, providers' client secrets, names, addresses, subjects      sealed (XChaCha20-Poly1305), with the
 *                   row's own hash as additional data, so that no row can stand for another's
 *   which user a row is of                             keyed hash, or sealed
 * Keys are derived from keyring_secrets()->token_key, each for its use alone.
 *
 * This knows users by id only; whether an account is active is accounts.h. It decides no rights. Every secret given is
 * wiped from the module's memory. The tables are made where they are first asked for (CREATE TABLE IF NOT EXISTS), so that archives
 * from before have them too; a closed account's rows are deleted (secure_delete).
 *
 * Threads: any; struct state's own lock, which is never held while a password is hashed.
 * Durability: a call that writes is one durable transaction, session_find()'s mark of use excepted.
 * Sources: RFC 9106, RFC 4226, RFC 6238, RFC 4648 (base32), NIST SP 800-63B-4 (length rules and list of breached
 * passwords, no composition rules).
 */
#ifndef ARKKI_ARCHIVE_CREDENTIALS_H
#define ARKKI_ARCHIVE_CREDENTIALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/state.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

/* ---- passwords ---- */

enum {
	PASSWORD_MIN = 12,   /* characters, after NFC */
	PASSWORD_MAX = 1024, /* bytes */
};
/* ARK_EINPUT says what is wrong with it as a new password: too short, too long, not UTF-8, the user's own id or name,
 * or in the list of breached ones. blocklist: a file of passwords, a line each, sorted in byte order (found by halving, whatever
 * its size), or of upper-case SHA-1 sums in hex with or without ":count" as Have I Been Pwned gives them out; NULL: none. */
ARK_MUSTUSE int password_check_new(const char *password, const char *user, const char *name,
    const char *blocklist, struct ark_error *err);
/* Takes the place of the one before. About 0.1 s and 64 MiB: for a worker thread. */
ARK_MUSTUSE int password_set(
    struct state *s, const char *user, const char *password, struct ark_error *err);
/* ARK_OK, or ARK_EREFUSED: wrong, none is set, no such user; the three take the same time. */
ARK_MUSTUSE int password_verify(
    struct state *s, const char *user, const char *password, struct ark_error *err);

/* ---- the second factor ---- */

enum { TOTP_SECRET_SIZE = 33, RECOVERY_CODES = 10, RECOVERY_SIZE = 20 /* "xxxx-xxxx-xxxx-xxxx" */ };
/* A fresh secret (20 bytes, base32) that counts once totp_confirm() has seen a code of it; one that counts
 * stays in force until then. */
ARK_MUSTUSE int totp_begin(
    struct state *s, const char *user, char ret_secret[TOTP_SECRET_SIZE], struct ark_error *err);
/* Would totp_confirm() take this code? Changes nothing: for who has to log before it counts. */
ARK_MUSTUSE int totp_try(
    struct state *s, const char *user, const char *code, int64_t now_us, struct ark_error *err);
/* ARK_EREFUSED: wrong code; ARK_ENOTFOUND: nothing was begun. ret_codes: new recovery codes, for the user's eyes once. */
ARK_MUSTUSE int totp_confirm(struct state *s, const char *user, const char *code, int64_t now_us,
    char ret_codes[RECOVERY_CODES][RECOVERY_SIZE], struct ark_error *err);
/* A TOTP code (6 digits, spaces ignored; one step of 30 s to either side) or a recovery code. Each counts once: a step
 * that was used, and every earlier one, is refused from then on. ARK_EREFUSED: wrong, used or none is set.
 * *ret_recovery: it was a recovery code. */
ARK_MUSTUSE int second_factor_verify(struct state *s, const char *user, const char *code,
    int64_t now_us, bool *ret_recovery, struct ark_error *err);
/* New codes; the old ones count no more. */
ARK_MUSTUSE int recovery_renew(struct state *s, const char *user,
    char ret_codes[RECOVERY_CODES][RECOVERY_SIZE], struct ark_error *err);
/* RFC 6238 with SHA-1, 6 digits. Pure. */
uint32_t totp_code(const unsigned char *secret, size_t len, uint64_t step);

struct credentials_summary {
	bool password, totp;
	unsigned int recovery_left, sessions, tokens, identities, certificates;
	int64_t password_us,
	    seen_us; /* when the password was set; last use of any session or token; 0: never */
};
ARK_MUSTUSE int credentials_summary(struct state *s, const char *user, int64_t now_us,
    struct credentials_summary *ret, struct ark_error *err);

enum credentials_part { /* bits */
	CREDENTIALS_PASSWORD = 1,
	CREDENTIALS_SECOND_FACTOR = 2, /* with the recovery codes */
	CREDENTIALS_LINKS = 4,
	CREDENTIALS_SESSIONS = 8,
	CREDENTIALS_TOKENS = 16,
	CREDENTIALS_IDENTITIES = 32,
	CREDENTIALS_CERTIFICATES = 64,
	CREDENTIALS_UPLOADS = 128, /* what waits to be filed: its keys are in these rows */
	CREDENTIALS_ALL = 255,
};
/* One transaction. Nothing there is no error. */
ARK_MUSTUSE int credentials_remove(
    struct state *s, const char *user, unsigned int parts, struct ark_error *err);

/* ---- one-time links: invitations, and new beginnings ---- */

enum link_kind {
	LINK_INVITATION, /* the first password of an account that was opened */
	LINK_RESET,      /* a new password; the second factor stays */
	LINK_EMERGENCY,  /* a new password and second factor, from the archive's operator */
};
struct link_found {
	char user[65];
	enum link_kind kind;
	int64_t expires_us;
};
/* Takes the place of every link of the user's. ret_code: base64url, to be shown once. */
ARK_MUSTUSE int link_create(struct state *s, const char *user, enum link_kind kind,
    int64_t expires_us, char ret_code[STATE_TOKEN_SIZE], struct ark_error *err);
/* ARK_ENOTFOUND: unknown, used or expired. It is not used up. */
ARK_MUSTUSE int link_find(struct state *s, const char *code, int64_t now_us, struct link_found *ret,
    struct ark_error *err);
/* Uses it up; of two who try at once one gets ARK_ENOTFOUND. */
ARK_MUSTUSE int link_use(struct state *s, const char *code, int64_t now_us, struct link_found *ret,
    struct ark_error *err);

/* ---- sessions ---- */

struct session {
	char id[17]; /* names it in logs and lists */
	char user[65];
	char method[24]; /* "password" "password+totp" "password+recovery" "oidc" */
	bool strong;     /* two factors, or what the provider says is as good */
	bool enrolling;  /* may only set up the second factor */
	int64_t created_us, seen_us, expires_us; /* seen: to the minute */
	char address[64];                        /* where it began */
	char agent[128];                         /* the browser's name for itself, cut */
	char provider[65];                       /* id of the provider; "" */
	char subject[256];                       /* at the provider */
	char provider_session[128];              /* its `sid`; "" */
};
/* s->id, created_us and seen_us are filled in. ret_cookie is a fresh secret: signing in always makes a new one. */
ARK_MUSTUSE int session_create(struct state *s, struct session *session,
    char ret_cookie[STATE_TOKEN_SIZE], struct ark_error *err);
/* ARK_ENOTFOUND: unknown, ended, over its absolute limit, or not seen for idle_us; the same time for all. Marks it as
 * seen, at most once a minute. */
ARK_MUSTUSE int session_find(struct state *s, const char *cookie, int64_t now_us, int64_t idle_us,
    struct session *ret, struct ark_error *err);
ARK_MUSTUSE int session_upgrade(struct state *s, const char *id, const char *method,
    char ret_cookie[STATE_TOKEN_SIZE],
    struct ark_error *err); /* strong, not enrolling; the old cookie is dead */
/* user: it must be that user's, else ARK_ENOTFOUND; NULL: anybody's. */
ARK_MUSTUSE int session_end(
    struct state *s, const char *id, const char *user, struct ark_error *err);
/* All of the user's but `except` (may be NULL). */
ARK_MUSTUSE int session_end_all(
    struct state *s, const char *user, const char *except, struct ark_error *err);
/* Back-channel logout: by provider and `sid`, or (sid NULL) by provider and subject. *ret_n: how many ended. */
ARK_MUSTUSE int session_end_provider(struct state *s, const char *provider, const char *sid,
    const char *subject, unsigned int *ret_n, struct ark_error *err);
/* Live ones of a user, newest first. */
ARK_MUSTUSE int session_each(struct state *s, const char *user, int64_t now_us, int64_t idle_us,
    int (*each)(void *arg, const struct session *session), void *arg, struct ark_error *err);
/* Ended, expired and used-up rows older than now are deleted. For a ticker, once an hour. */
ARK_MUSTUSE int credentials_sweep(
    struct state *s, int64_t now_us, int64_t idle_us, struct ark_error *err);

/* ---- identities at providers ---- */

/* (provider, subject) stands for one user; a user has at most one subject at a provider. ARK_ECONFLICT: it is another's. */
ARK_MUSTUSE int identity_bind(struct state *s, const char *provider, const char *subject,
    const char *user, struct ark_error *err);
ARK_MUSTUSE int identity_find(struct state *s, const char *provider, const char *subject,
    char ret_user[65], struct ark_error *err);

/* ---- client certificates ---- */

struct certificate {
	char id[17], user[65], name[128];
	unsigned char sha256[32]; /* of the DER */
	int64_t created_us, expires_us, seen_us;
};
/* ARK_ECONFLICT: it is bound to another user. Fills id and created_us. */
ARK_MUSTUSE int certificate_bind(struct state *s, struct certificate *c, struct ark_error *err);
ARK_MUSTUSE int certificate_find(struct state *s, const unsigned char sha256[32], int64_t now_us,
    struct certificate *ret, struct ark_error *err);
ARK_MUSTUSE int certificate_remove(struct state *s, const char *id, struct ark_error *err);
ARK_MUSTUSE int certificate_each(struct state *s, const char *user, /* NULL: all */
    int (*each)(void *arg, const struct certificate *c), void *arg, struct ark_error *err);

/* ---- identity providers ---- */

/* The whole configuration with its client secret, sealed. id [a-z0-9-]{1,64}. json NULL: removed, ARK_ENOTFOUND when
 * there is none. */
ARK_MUSTUSE int provider_put(
    struct state *s, const char *id, const json_t *json, struct ark_error *err);
/* *ret: an object of all, by id; the caller's. */
ARK_MUSTUSE int provider_all(struct state *s, json_t **ret, struct ark_error *err);

/* ---- checking ---- */

/* Every row opens and is of a user that known() knows; called by state_check(). ARK_ECORRUPT names the first fault. */
ARK_MUSTUSE int credentials_check(
    struct state *s, bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err);

#endif
