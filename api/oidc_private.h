/* The inside of oidc.h: its parts, which are each a file.
 *
 *   oidc.c            the providers there are, taken up at once when they change
 *   oidc_pool.c       threads that ask providers, so that a slow one hinders nobody but its own people
 *   oidc_state.c      what waits in the browser's cookie, and what was used already
 *   oidc_flow.c       to the provider and back; logout
 *   oidc_account.c    which account a person at a provider has
 */
#ifndef ARKKI_API_OIDC_PRIVATE_H
#define ARKKI_API_OIDC_PRIVATE_H

#include "api/oidc.h"
#include "api/oidc_provider.h"

/* ---- oidc_pool.c ---- */

struct oidc_job {
	struct oidc_job *next;
	struct exchange *x; /* woken when it is done; NULL: the job is freed then */
	struct oidc_provider *provider;
	const atomic_bool *stop;            /* set by the pool: work under way is to end soon */
	void (*work)(struct oidc_job *job); /* not called when the server stops */
};
struct oidc_pool;
ARK_MUSTUSE int oidc_pool_new(struct oidc_pool **ret, struct ark_error *err);
/* Ends what is under way within about a second; what waits is not done any more. NULL is fine. */
void oidc_pool_free(struct oidc_pool *pool);
void oidc_pool_end_soon(struct oidc_pool *pool);
/* False: too many wait already, altogether or for this provider. */
bool oidc_pool_add(struct oidc_pool *pool, struct oidc_job *job);

/* ---- oidc_state.c ---- */

enum { OIDC_STATE_LIFE_S = 600, OIDC_NEXT_MAX = 250 };

struct oidc_state {
	char provider[65];
	char state[23], nonce[23], verifier[44]; /* base64url of 16, 16 and 32 random bytes */
	enum http_language language;
	char next[OIDC_NEXT_MAX + 1]; /* where to go afterwards; "" */
};
/* Fresh random values. */
void oidc_state_fill(struct oidc_state *s);
/* For the cookie. */
ARK_MUSTUSE int oidc_state_seal(
    struct app *app, const struct oidc_state *s, struct buf *out, struct ark_error *err);
/* False: none of ours, or older than ten minutes. */
bool oidc_state_open(struct app *app, const char *cookie, struct oidc_state *ret);

/* Names that count once: the last 4,096 of the last quarter of an hour. False: it was there. */
struct oidc_used;
ARK_MUSTUSE int oidc_used_new(struct oidc_used **ret, struct ark_error *err);
void oidc_used_free(struct oidc_used *u);
bool oidc_used_first(struct oidc_used *u, const char *kind, const char *name, int64_t now_us);

/* ---- oidc.c ---- */

struct oidc_service {
	pthread_mutex_t lock; /* of the list */
	struct oidc_provider **list;
	size_t n;
	bool serving; /* likewise */
	struct oidc_pool *pool;
	struct oidc_used *used;
};
/* The caller's reference; NULL: there is none of that name. */
struct oidc_provider *oidc_find(struct app *app, const char *id);
/* Reads them from the state again. */
ARK_MUSTUSE int oidc_reload(struct app *app, struct ark_error *err);

/* ---- oidc_account.c ---- */

/* The account of who signed in with these claims: found by identity, matched (then bound to the identity) or made; its roles are
 * those of the claims. Writes; for a worker thread. ARK_EREFUSED: none, or none that is active, or of another organisation; `why` is a word for
 * the log, and ret_user is "" or the account that was refused. */
ARK_MUSTUSE int oidc_account(struct app *app, const struct oidc_provider *p, const json_t *claims,
    char ret_user[65], const char **why, struct ark_error *err);

#endif
