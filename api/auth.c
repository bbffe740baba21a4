/* Who is calling: bearer tokens, sessions of browsers, and the acting user on the admin socket.
 *
 * Tokens are looked up in state.sqlite by keyed hash; an answer is kept for a
 * minute, so that a request costs no SQL. A change of any user or organisation
 * makes the kept rights stale at once (registry generation).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/app.h"
#include "api/certificate.h"
#include "api/i18n.h"
#include "api/pages/pages.h"
#include "api/session.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { CACHE_SIZE = 1024, CACHE_US = 60 * 1000000, REFUSALS_BURST = 100, REFUSALS_A_SECOND = 10 };

struct cached {
	unsigned char hash[16];
	char token_id[17];
	bool certificate; /* found by that, and never by a text that says the same */
	unsigned int scopes;
	uint64_t forgotten; /* how often by then */
	int64_t until_us, expires_us;
	struct principal *who;
};

struct bucket {
	char user[65];
	double left;
	int64_t at_us;
};

struct token_cache {
	pthread_mutex_t lock;
	unsigned char key[crypto_generichash_KEYBYTES];
	atomic_ullong forgotten;
	struct cached entries[CACHE_SIZE];
	struct bucket buckets[CACHE_SIZE];
};

int token_cache_new(struct token_cache **ret, struct ark_error *err)
{
	struct token_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory for the token cache");
	pthread_mutex_init(&c->lock, NULL);
	randombytes_buf(c->key, sizeof(c->key));
	*ret = c;
	return ARK_OK;
}

void token_cache_free(struct token_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CACHE_SIZE; i++)
		principal_unref(c->entries[i].who);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static size_t place_of(const struct token_cache *c, const char *text, unsigned char hash[16])
{
	crypto_generichash(
	    hash, 16, (const unsigned char *)text, strlen(text), c->key, sizeof(c->key));
	return be32_get(hash) % CACHE_SIZE;
}

bool refusal_budget(struct app *app, const char *user)
{
	struct token_cache *c = app->tokens;
	unsigned char hash[16];
	int64_t now = clock_monotonic_us();
	struct bucket *b = &c->buckets[place_of(c, user, hash)];
	bool ok;

	pthread_mutex_lock(&c->lock);
	if (strcmp(b->user, user) != 0) {
		snprintf(b->user, sizeof(b->user), "%s", user);
		b->left = REFUSALS_BURST;
	} else {
		b->left += (double)(now - b->at_us) / 1e6 * REFUSALS_A_SECOND;
		if (b->left > REFUSALS_BURST)
			b->left = REFUSALS_BURST;
	}
	b->at_us = now;
	ok = b->left >= 1;
	if (ok)
		b->left -= 1;
	pthread_mutex_unlock(&c->lock);
	return ok;
}

void tokens_forget(struct app *app)
{
	atomic_fetch_add(&app->tokens->forgotten, 1);
}

uint64_t tokens_forgotten(struct app *app)
{
	return atomic_load(&app->tokens->forgotten);
}

/* From the cache; NULL when it must be looked up. */
static struct principal *cached_find(struct app *app, const char *token, bool certificate,
    char token_id[17], unsigned int *ret_scopes)
{
	struct token_cache *c = app->tokens;
	unsigned char hash[16];
	struct cached *e = &c->entries[place_of(c, token, hash)];
	struct principal *who = NULL;

	pthread_mutex_lock(&c->lock);
	if (e->who && e->certificate == certificate && bytes_equal(e->hash, hash, 16) &&
	    clock_monotonic_us() < e->until_us && clock_now_us() < e->expires_us &&
	    e->forgotten == atomic_load(&c->forgotten) &&
	    principal_current(e->who, archive_registry(app->archive))) {
		who = principal_ref(e->who);
		memcpy(token_id, e->token_id, sizeof(e->token_id));
		*ret_scopes = e->scopes;
	}
	pthread_mutex_unlock(&c->lock);
	return who;
}

/* forgotten: as it was before the token was looked for. */
static void cached_put(struct app *app, const char *token, bool certificate,
    const struct state_token *found, uint64_t forgotten, struct principal *who)
{
	struct token_cache *c = app->tokens;
	unsigned char hash[16];
	struct cached *e = &c->entries[place_of(c, token, hash)];

	pthread_mutex_lock(&c->lock);
	principal_unref(e->who);
	memcpy(e->hash, hash, sizeof(hash));
	memcpy(e->token_id, found->id, sizeof(e->token_id));
	e->certificate = certificate;
	e->scopes = found->scopes;
	e->forgotten = forgotten;
	e->until_us = clock_monotonic_us() + CACHE_US;
	e->expires_us = found->expires_us;
	e->who = principal_ref(who);
	pthread_mutex_unlock(&c->lock);
}

int auth_principal(struct app *app, const char *token, char token_id[17], unsigned int *ret_scopes,
    struct principal **ret, struct ark_error *err)
{
	uint64_t forgotten = atomic_load(&app->tokens->forgotten);
	struct state_token found;
	int rc;

	*ret = cached_find(app, token, false, token_id, ret_scopes);
	if (*ret)
		return ARK_OK;
	rc = state_token_find(archive_state(app->archive), token, clock_now_us(), &found, err);
	if (!rc)
		rc = registry_principal(archive_registry(app->archive), found.user, ret, err);
	if (rc)
		return rc;
	memcpy(token_id, found.id, sizeof(found.id));
	*ret_scopes = found.scopes;
	cached_put(app, token, false, &found, forgotten, *ret);
	/* once a minute, because answers are kept; a mark that cannot be made refuses nobody */
	rc = state_token_used(archive_state(app->archive), found.id, clock_now_us(), NULL);
	(void)rc;
	return ARK_OK;
}

/* Which system's certificate is this? ARK_ENOTFOUND: nobody's, or of an account that is no system's. */
static int certificate_principal(struct app *app, const struct certificate_seen *seen,
    char ret_id[17], struct principal **ret, struct ark_error *err)
{
	uint64_t forgotten = atomic_load(&app->tokens->forgotten);
	struct state_token kept = {.scopes = TOKEN_ALL};
	struct certificate found;
	char text[65];
	int rc;

	hex_encode(text, seen->sha256, sizeof(seen->sha256));
	*ret = cached_find(app, text, true, ret_id, &kept.scopes);
	if (*ret)
		return ARK_OK;
	rc = certificate_find(
	    archive_state(app->archive), seen->sha256, clock_now_us(), &found, err);
	if (!rc)
		rc = registry_principal(archive_registry(app->archive), found.user, ret, err);
	if (rc)
		return rc;
	if (!((*ret)->access.roles & ACCESS_SYSTEM)) {
		principal_unref(*ret);
		return ark_fail(err, ARK_ENOTFOUND, "the certificate is of no system's account");
	}
	memcpy(ret_id, found.id, sizeof(found.id));
	memcpy(kept.id, found.id, sizeof(found.id));
	kept.expires_us = found.expires_us;
	cached_put(app, text, true, &kept, forgotten, *ret);
	return ARK_OK;
}

/* ---- the caller ---- */

static void caller_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	struct caller *c = data;

	(void)outcome, (void)status, (void)bytes_out;
	principal_unref(c->who);
	caller_forget(c);
	free(c->session);
	free(c);
}

/* Takes the reference to `who`, also when there is no memory. session: NULL: none. */
/* How a session began, as a text that outlives it: work that goes on after the request (an export) still says so in the log. */
static const char *method_name(const struct session *session)
{
	static const char *const known[] = {
	    "password", "password+totp", "password+recovery", "token", "oidc", "link"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(session->method, known[i]) == 0)
			return known[i];
	return "session";
}

static struct caller *caller_new(struct app *app, const struct exchange *x, struct principal *who,
    const char *token_id, const char *authentication, const struct session *session)
{
	struct caller *c = calloc(1, sizeof(*c));

	if (!c) {
		principal_unref(who);
		return NULL;
	}
	c->who = who;
	c->authentication = authentication;
	c->scopes = TOKEN_ALL;
	if (session) {
		c->session = malloc(sizeof(*c->session));
		if (!c->session)
			goto out;
		*c->session = *session;
		c->authentication = method_name(session);
		c->weak = !session->strong;
		c->enrolling = session->enrolling;
	}
	snprintf(c->token_id, sizeof(c->token_id), "%s", token_id);
	snprintf(c->address, sizeof(c->address), "%s", http_peer(x));
	if (!caller_state(c, archive_registry(app->archive), x, NULL))
		return c;
out:
	caller_end(c, HTTP_FAILED, 0, 0);
	return NULL;
}

int caller_for(struct app *app, const struct exchange *x, const char *user, const char *token_id,
    const char *authentication, struct caller **ret, struct ark_error *err)
{
	struct principal *who;
	int rc = registry_principal(archive_registry(app->archive), user, &who, err);

	if (rc)
		return rc;
	*ret = caller_new(app, x, who, token_id, authentication, NULL);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a caller");
}

int caller_renew(struct app *app, struct caller *c, struct ark_error *err)
{
	struct registry *registry = archive_registry(app->archive);
	struct principal *who;
	int rc;

	if (principal_current(c->who, registry))
		return ARK_OK;
	rc = registry_principal(registry, c->who->access.user, &who, err);
	if (rc)
		return rc;
	principal_unref(c->who);
	c->who = who;
	return ARK_OK;
}

static void refuse(struct exchange *x)
{
	const struct http_route *route = http_route(x);

	if (route && (route->flags & ROUTE_PAGE)) {
		page_refuse(x);
		return;
	}
	http_reply_header(x, "WWW-Authenticate", "Bearer realm=\"arkki\"");
	http_reply_problem(x, 401, "unauthenticated", NULL, NULL);
}

static const char *token_of(const struct exchange *x)
{
	const char *authorization = http_header(x, "Authorization");

	return authorization && strncasecmp(authorization, "Bearer ", 7) == 0
		   ? authorization + 7 + strspn(authorization + 7, " ")
		   : NULL;
}

/* The cookie of a session: pages go by it, the API never does. */
static const char *session_cookie(struct exchange *x)
{
	const struct http_route *route = http_route(x);

	if (!route || !(route->flags & ROUTE_PAGE) || http_header(x, "Authorization"))
		return NULL;
	return cookie_get(x, session_cookie_name(x));
}

static int by_token(struct app *app, struct exchange *x, struct caller **ret, struct ark_error *err)
{
	const char *token = token_of(x);
	struct principal *who;
	unsigned int scopes;
	char token_id[17];
	int rc = token ? auth_principal(app, token, token_id, &scopes, &who, err) : ARK_ENOTFOUND;

	if (rc)
		return rc;
	*ret = caller_new(app, x, who, token_id, "token", NULL);
	if (!*ret)
		return ark_fail(err, ARK_ENOMEM, "no memory for a caller");
	(*ret)->scopes = scopes;
	return ARK_OK;
}

static int by_session(struct app *app, const struct exchange *x, const char *cookie,
    struct caller **ret, struct ark_error *err)
{
	struct session session;
	struct principal *who;
	unsigned int scopes;
	int rc = session_of(app, cookie, &session, &scopes, &who, err);

	if (rc)
		return rc;
	*ret = caller_new(app, x, who, session.id, NULL, &session);
	if (!*ret)
		return ark_fail(err, ARK_ENOMEM, "no memory for a caller");
	(*ret)->scopes = scopes;
	return ARK_OK;
}

/* Who is setting up the second factor does that and nothing else. */
static void refuse_enrolling(struct exchange *x)
{
	enum http_language language = http_language(x);

	page_language(x, &language);
	http_reply_headerf(x, "Location", "/%s/account/second-factor", i18n_code(language));
	http_reply_empty(x, 303);
}

static int by_certificate(struct app *app, const struct exchange *x,
    const struct certificate_seen *seen, struct caller **ret, struct ark_error *err)
{
	struct principal *who;
	char id[17];
	int rc = certificate_principal(app, seen, id, &who, err);

	if (rc)
		return rc;
	*ret = caller_new(app, x, who, id, "certificate", NULL);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a caller");
}

/* By token or session. */
static int by_secret(
    struct app *app, struct exchange *x, struct caller **ret, struct ark_error *err)
{
	const char *cookie = session_cookie(x);

	return cookie ? by_session(app, x, cookie, ret, err) : by_token(app, x, ret, err);
}

/* A certificate alone, or a secret alone, or a secret of the same account as the certificate. */
static int caller_of_request(
    struct app *app, struct exchange *x, bool proxied, struct caller **ret, struct ark_error *err)
{
	bool secret = http_header(x, "Authorization") || session_cookie(x);
	struct certificate_seen seen;
	struct caller *other = NULL;
	int rc = proxied ? certificate_shown(x, &seen, err) : 1;

	if (rc == 1)
		return by_secret(app, x, ret, err);
	if (!rc)
		rc = by_certificate(app, x, &seen, ret, err);
	if (rc || !secret)
		return rc;
	rc = by_secret(app, x, &other, err);
	if (!rc && strcmp(other->who->access.user, (*ret)->who->access.user) != 0)
		rc = ark_fail(err, ARK_ENOTFOUND, "the token is another account's");
	caller_end(*ret, HTTP_FAILED, 0, 0);
	*ret = other;
	if (rc && other) {
		caller_end(other, HTTP_FAILED, 0, 0);
		*ret = NULL;
	}
	return rc;
}

static void gate(struct exchange *x, bool proxied)
{
	struct app *app = app_of(x);
	const struct http_route *route = http_route(x);
	struct caller *c = NULL;
	struct ark_error err;
	int rc;

	if (route && (route->flags & ROUTE_PUBLIC))
		return;
	rc = caller_of_request(app, x, proxied, &c, &err);
	if (rc == ARK_ENOTFOUND) {
		refuse(x);
		return;
	}
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	http_set_caller(x, c, caller_end);
	if (!scope_allows(c, x))
		http_reply_problem(x, 403, "out-of-scope",
		    "This token may not be used for that: make one with the scope for it.", NULL);
	else if (c->enrolling && !(route && (route->flags & ROUTE_ENROLLING)))
		refuse_enrolling(x);
}

void auth_gate_local(struct exchange *x)
{
	struct app *app = app_of(x);
	const struct http_route *route = http_route(x);
	const char *user = http_header(x, "Arkki-User");
	struct ark_error err;
	struct caller *c;

	if (http_header(x, "Authorization")) {
		gate(x, false);
		return;
	}
	if (!user) { /* the operator's own commands need no account, everything else does */
		if (route && !(route->flags & (ROUTE_LOCAL | ROUTE_PUBLIC)))
			refuse(x);
		return;
	}
	if (caller_for(app, x, user, "", "operator", &c, &err)) {
		http_reply_problem(x, 404, "unknown-user", err.text, NULL);
		return;
	}
	http_set_caller(x, c, caller_end);
}

static void gate_for_everybody(struct exchange *x, bool proxied)
{
	const struct http_route *route = http_route(x);

	if (route && (route->flags & ROUTE_LOCAL))
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else
		gate(x, proxied);
}

/* Whatever the peer: a listener for everybody may be a Unix socket too, behind a proxy. */
void auth_gate(struct exchange *x)
{
	gate_for_everybody(x, false);
}

void auth_gate_proxied(struct exchange *x)
{
	gate_for_everybody(x, true);
}
