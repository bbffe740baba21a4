/* Beginning, refusing and leaving; and what is kept of sessions, so that a request costs no SQL. */
#include "api/sign_in.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/i18n.h"
#include "api/pages/pages.h"
#include "api/purpose_kept.h"
#include "arkki/archive/conf.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { CACHE_SIZE = 1024, CACHE_US = 60 * 1000000, SESSIONS_MAX = 50 /* of an account */ };

struct kept {
	unsigned char hash[16];
	struct session session;
	unsigned int scopes;
	uint64_t forgotten; /* how often by then */
	int64_t until_us;
	struct principal *who; /* NULL: free */
};

struct session_cache {
	pthread_mutex_t lock;
	unsigned char key[crypto_generichash_KEYBYTES];
	atomic_ullong forgotten;
	struct kept entries[CACHE_SIZE];
};

/* ---- settings ---- */

/* A length of time in units of unit_us; may have decimals. */
static int time_setting(const char *dir, const char *key, double otherwise, double most,
    double unit_us, int64_t *ret, struct ark_error *err)
{
	char text[32], *end;
	double n = otherwise;
	int rc = conf_text(dir, key, text, sizeof(text), err);

	if (rc)
		return rc;
	if (text[0]) {
		n = strtod(text, &end);
		if (*end || !isfinite(n) || n <= 0 || n > most)
			return ark_fail(
			    err, ARK_EINPUT, "arkki.conf: %s is a number up to %g", key, most);
	}
	*ret = (int64_t)(n * unit_us);
	return ARK_OK;
}

static int read_settings(const char *dir, struct session_settings *s, struct ark_error *err)
{
	char factor[16];
	int rc = time_setting(dir, "session-idle-minutes", 30, 1440, 60 * 1e6, &s->idle_us, err);

	if (!rc)
		rc = time_setting(dir, "session-hours", 12, 720, 3600 * 1e6, &s->life_us, err);
	if (!rc)
		rc = conf_text(dir, "second-factor", factor, sizeof(factor), err);
	if (!rc)
		rc = conf_text(dir, "password-blocklist", s->blocklist, sizeof(s->blocklist), err);
	if (!rc)
		rc = conf_text(dir, "sign-in-url", s->url, sizeof(s->url), err);
	if (rc)
		return rc;
	s->second_factor_required = strcmp(factor, "optional") != 0;
	if (factor[0] && s->second_factor_required && strcmp(factor, "required") != 0)
		return ark_fail(
		    err, ARK_EINPUT, "arkki.conf: second-factor is required or optional");
	return ARK_OK;
}

const struct session_settings *session_settings(const struct app *app)
{
	return &app->sign_in->settings;
}

int sign_in_start(struct app *app, struct ark_error *err)
{
	struct sign_in_service *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for signing in");
	app->sign_in = s;
	s->cache = calloc(1, sizeof(*s->cache));
	if (!s->cache)
		return ark_fail(err, ARK_ENOMEM, "no memory for sessions");
	pthread_mutex_init(&s->cache->lock, NULL);
	randombytes_buf(s->cache->key, sizeof(s->cache->key));
	rc = read_settings(archive_dir(app->archive), &s->settings, err);
	if (!rc)
		rc = sign_in_waits_new(&s->waits, err);
	return rc ? rc : sign_in_pool_new(&s->pool, err);
}

void sign_in_stop(struct app *app)
{
	struct sign_in_service *s = app->sign_in;

	if (!s)
		return;
	sign_in_pool_free(s->pool);
	sign_in_waits_free(s->waits);
	for (size_t i = 0; s->cache && i < CACHE_SIZE; i++)
		principal_unref(s->cache->entries[i].who);
	if (s->cache)
		pthread_mutex_destroy(&s->cache->lock);
	free(s->cache);
	free(s);
	app->sign_in = NULL;
}

/* ---- whose session ---- */

void sessions_forget(struct app *app)
{
	if (app->sign_in)
		atomic_fetch_add(&app->sign_in->cache->forgotten, 1);
	tokens_forget(app);
}

struct token_look {
	const char *id;
	unsigned int scopes;
	bool found;
};

static int look_at_token(void *arg, const struct state_token *t)
{
	struct token_look *look = arg;

	if (strcmp(t->id, look->id) != 0)
		return 0;
	look->scopes = t->scopes;
	look->found = true;
	return 1;
}

/* What a session may be used for: all, or what the token may that it was begun with. */
static int scopes_of(
    struct app *app, const struct session *s, unsigned int *ret, struct ark_error *err)
{
	struct token_look look = {.id = s->provider_session};
	int rc;

	*ret = TOKEN_ALL;
	if (strcmp(s->provider, SESSION_BY_TOKEN) != 0)
		return ARK_OK;
	rc = state_token_each(
	    archive_state(app->archive), s->user, clock_now_us(), look_at_token, &look, err);
	if (rc < 0)
		return rc;
	*ret = look.scopes;
	return look.found ? ARK_OK : ark_fail(err, ARK_ENOTFOUND, "the token has ended");
}

static struct kept *place_of(struct session_cache *c, const char *cookie, unsigned char hash[16])
{
	crypto_generichash(
	    hash, 16, (const unsigned char *)cookie, strlen(cookie), c->key, sizeof(c->key));
	return &c->entries[be32_get(hash) % CACHE_SIZE];
}

static bool kept_find(struct app *app, const char *cookie, struct session *ret,
    unsigned int *ret_scopes, struct principal **ret_who)
{
	struct session_cache *c = app->sign_in->cache;
	unsigned char hash[16];
	struct kept *k = place_of(c, cookie, hash);
	bool found;

	pthread_mutex_lock(&c->lock);
	found = k->who && bytes_equal(k->hash, hash, 16) && clock_monotonic_us() < k->until_us &&
		clock_now_us() < k->session.expires_us &&
		k->forgotten == atomic_load(&c->forgotten) &&
		principal_current(k->who, archive_registry(app->archive));
	if (found) {
		*ret = k->session;
		*ret_scopes = k->scopes;
		*ret_who = principal_ref(k->who);
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void keep(struct app *app, const char *cookie, const struct kept *fresh)
{
	struct session_cache *c = app->sign_in->cache;
	int64_t idle = app->sign_in->settings.idle_us - (clock_now_us() - fresh->session.seen_us);
	unsigned char hash[16];
	struct kept *k = place_of(c, cookie, hash);

	pthread_mutex_lock(&c->lock);
	principal_unref(k->who);
	*k = *fresh;
	memcpy(k->hash, hash, sizeof(hash));
	k->until_us = clock_monotonic_us() + (idle < CACHE_US ? idle : CACHE_US);
	principal_ref(k->who);
	pthread_mutex_unlock(&c->lock);
}

int session_of(struct app *app, const char *cookie, struct session *ret, unsigned int *ret_scopes,
    struct principal **ret_who, struct ark_error *err)
{
	struct kept fresh = {.forgotten = atomic_load(&app->sign_in->cache->forgotten)};
	int rc;

	if (kept_find(app, cookie, ret, ret_scopes, ret_who))
		return ARK_OK;
	rc = session_find(archive_state(app->archive), cookie, clock_now_us(),
	    app->sign_in->settings.idle_us, &fresh.session, err);
	if (!rc)
		rc = scopes_of(app, &fresh.session, &fresh.scopes, err);
	if (!rc)
		rc = registry_principal(
		    archive_registry(app->archive), fresh.session.user, &fresh.who, err);
	if (rc)
		return rc;
	keep(app, cookie, &fresh);
	*ret = fresh.session;
	*ret_scopes = fresh.scopes;
	*ret_who = fresh.who;
	return ARK_OK;
}

/* ---- beginning ---- */

/* Stands in for the exchange's own data while the log is written. */
struct beginning {
	struct exchange *x;
	struct app *app;
	void *data;
	http_end_fn *end;
	void (*then)(struct exchange *x);
	int log_status;
	bool made;
	struct session session;
	char cookie[STATE_TOKEN_SIZE];
};

static void end_session(struct app *app, const char *id)
{
	purposes_end(app->purposes, id, NULL);
	/* what cannot be ended now ends by itself: its secret was given to nobody */
	if (session_end(archive_state(app->archive), id, NULL, NULL))
		return;
	sessions_forget(app);
}

static void beginning_free(struct beginning *b)
{
	sodium_memzero(b, sizeof(*b));
	free(b);
}

/* The exchange is gone: nobody has got the cookie. */
static void beginning_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	struct beginning *b = data;

	if (b->made)
		end_session(b->app, b->session.id);
	if (b->end)
		b->end(b->data, outcome, status, bytes_out);
	beginning_free(b);
}

static void on_logged(void *arg, int status, struct receipt *receipt)
{
	struct beginning *b = arg;

	receipt_free(receipt);
	b->log_status = status;
	http_wake(b->x);
}

static void after_log(struct exchange *x)
{
	struct beginning *b = http_data(x);
	void (*then)(struct exchange * y) = b->then;
	void *data = b->data;
	http_end_fn *end = b->end;
	int status = b->log_status;

	http_swap_data(x, &data, &end);
	if (!status && b->made) {
		cookie_set(x, session_cookie_name(x), b->cookie, 0);
	} else if (b->made) {
		end_session(b->app, b->session.id);
	}
	beginning_free(b);
	if (!status) {
		then(x);
		return;
	}
	http_reply_header(x, "Retry-After", "30");
	http_reply_problem(x, 503, "log-unavailable", NULL, NULL);
}

static struct beginning *beginning_new(struct exchange *x, void (*then)(struct exchange *x))
{
	struct beginning *b = calloc(1, sizeof(*b));

	if (!b) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	b->x = x;
	b->app = app_of(x);
	b->then = then;
	return b;
}

/* Takes b. */
static void append(struct beginning *b, const struct ledger_record *r)
{
	struct exchange *x = b->x;
	void *data = b;
	http_end_fn *end = beginning_end;

	http_swap_data(x, &data, &end);
	b->data = data;
	b->end = end;
	if (ledger_append(
		archive_ledger(b->app->archive, LEDGER_ACCESS), r, 1, on_logged, b, NULL)) {
		b->log_status = ARK_EIO;
		after_log(x);
		return;
	}
	http_wait(x, after_log);
}

/* Whatever session the browser came with is over: nothing that was put there before goes on. */
static void end_earlier(struct exchange *x)
{
	const char *cookie = cookie_get(x, session_cookie_name(x));
	struct app *app = app_of(x);
	struct session s;

	if (cookie && !session_find(archive_state(app->archive), cookie, clock_now_us(),
			  app->sign_in->settings.idle_us, &s, NULL))
		end_session(app, s.id);
}

struct crowd {
	struct app *app;
	unsigned int n;
};

static int end_surplus(void *arg, const struct session *s)
{
	struct crowd *c = arg;

	if (++c->n >= SESSIONS_MAX)
		end_session(c->app, s->id);
	return 0;
}

static int make_session(struct exchange *x, struct beginning *b, const char *user,
    const struct session *wish, struct ark_error *err)
{
	const struct session_settings *settings = session_settings(b->app);
	const char *agent = http_header(x, "User-Agent");
	int64_t now = clock_now_us(), expires = now + settings->life_us;
	struct crowd crowd = {b->app, 0};
	int rc;

	/* newest first: the one to come takes the place of the oldest */
	rc = session_each(
	    archive_state(b->app->archive), user, now, settings->idle_us, end_surplus, &crowd, err);
	if (rc)
		return rc;
	b->session = *wish;
	snprintf(b->session.user, sizeof(b->session.user), "%s", user);
	snprintf(b->session.address, sizeof(b->session.address), "%s", http_peer(x));
	b->session.agent[0] = '\0';
	if (agent && utf8_valid(agent, strnlen(agent, sizeof(b->session.agent) - 1)))
		snprintf(b->session.agent, sizeof(b->session.agent), "%s", agent);
	if (!wish->expires_us || wish->expires_us > expires)
		b->session.expires_us = expires;
	rc = session_create(archive_state(b->app->archive), &b->session, b->cookie, err);
	b->made = rc == ARK_OK;
	return rc;
}

static void show_refused(struct exchange *x)
{
	enum http_language language = http_language(x);

	page_language(x, &language);
	http_reply_headerf(x, "Location", "/%s/sign-in?wrong=1", i18n_code(language));
	http_reply_empty(x, 303);
}

void session_begin(struct exchange *x, const char *user, const struct session *wish,
    void (*then)(struct exchange *x))
{
	struct app *app = app_of(x);
	struct principal *who = NULL;
	struct beginning *b;
	struct ark_error err = {0};
	struct ledger_record r = {.kind = "sign-in"};
	int rc = registry_principal(archive_registry(app->archive), user, &who, &err);

	if (rc == ARK_ENOTFOUND) {
		session_refused(x, user, wish->method, "not-active", show_refused);
		return;
	}
	b = rc ? NULL : beginning_new(x, then);
	if (!rc && b) {
		end_earlier(x);
		rc = make_session(x, b, user, wish, &err);
	}
	if (rc) {
		http_reply_error(x, &err);
		free(b);
	} else if (b) {
		r.principal = who->access.user;
		r.org = who->access.org;
		r.roles = who->roles_text;
		r.own_series = who->own_series;
		r.authentication = b->session.method;
		r.session = b->session.id;
		r.address = b->session.address;
		append(b, &r);
	}
	principal_unref(who);
}

/* ---- refusing ---- */

/* So many refusals a second are logged of one account, and of one address where there is no such account. */
static bool sign_in_budget(struct exchange *x, const char *user)
{
	char name[33];
	const char *of = user ? user : http_peer(x);

	archive_tag(
	    app_of(x)->archive, user ? "refused-account" : "refused-address", of, strlen(of), name);
	return refusal_budget(app_of(x), name);
}

void session_refused(struct exchange *x, const char *user, const char *method, const char *why,
    void (*then)(struct exchange *x))
{
	struct registry *registry = archive_registry(app_of(x)->archive);
	json_t *record = user ? registry_get(registry, "users", user) : NULL;
	json_t *org = record ? registry_get(registry, "orgs", json_text(record, "org")) : NULL;
	const char *kind = json_text(org, "kind");
	char detail[64];
	struct ledger_record r = {.kind = "sign-in",
	    .outcome = LEDGER_DENIED,
	    .detail = detail,
	    .authentication = method,
	    .address = http_peer(x)};
	struct beginning *b;

	if (!sign_in_budget(x, record ? user : NULL)) {
		then(x);
	} else if ((b = beginning_new(x, then))) {
		snprintf(detail, sizeof(detail), "{\"why\":\"%.40s\"}", why);
		if (record) {
			r.principal = user;
			r.org = json_text(record, "org");
			r.own_series = kind && strcmp(kind, "ombudsman") == 0;
		}
		append(b, &r);
	}
	json_decref(record);
	json_decref(org);
}

/* ---- leaving ---- */

int session_leave(struct exchange *x, struct ark_error *err)
{
	const char *cookie = cookie_get(x, session_cookie_name(x));
	struct app *app = app_of(x);
	struct session s;
	int rc = ARK_ENOTFOUND;

	cookie_set(x, session_cookie_name(x), "", -1);
	if (cookie)
		rc = session_find(archive_state(app->archive), cookie, clock_now_us(),
		    app->sign_in->settings.idle_us, &s, err);
	if (!rc) {
		purposes_end(app->purposes, s.id, NULL);
		rc = session_end(archive_state(app->archive), s.id, NULL, err);
	}
	sessions_forget(app);
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}
