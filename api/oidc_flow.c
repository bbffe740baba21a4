/* To the provider and back. Nothing but a page of ours in the reader's language is ever answered to the browser: what came in the address is
 * neither shown nor left in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/i18n.h"
#include "api/oidc_private.h"
#include "api/pages/pages.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

#define COOKIE "arkki-oidc"
#define METHOD "oidc"

enum { CODE_MAX = 4096, HOST_MAX = 255, BASE_MAX = 600 };

/* What an exchange with a provider has of its own. */
struct trip {
	struct oidc_job job; /* first: the pool gives it back */
	struct app *app;
	struct oidc_provider *provider;
	struct oidc_state state;
	char *text;                /* the code, or a logout token; wiped */
	char back[BASE_MAX + 100]; /* the callback's address */
	json_t *document, *claims;
	bool known; /* who it is */
	int rc;
	const char *why;     /* for the log: a word */
	const char *outcome; /* for the page: a word (pages/provider.c) */
	char user[65];       /* the account; "" */
	struct ark_error err;
};

static void trip_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	struct trip *t = data;

	(void)outcome, (void)status, (void)bytes_out;
	oidc_provider_unref(t->provider);
	json_decref(t->document);
	json_decref(t->claims);
	if (t->text)
		sodium_memzero(t->text, strlen(t->text));
	free(t->text);
	sodium_memzero(t, sizeof(*t));
	free(t);
}

/* NULL, and replied: there is no such provider, or no memory. */
static struct trip *trip_new(struct exchange *x, void (*work)(struct oidc_job *job))
{
	struct app *app = app_of(x);
	struct oidc_provider *p = oidc_find(app, http_param(x, 0));
	struct trip *t = p ? calloc(1, sizeof(*t)) : NULL;

	if (!t) {
		http_reply_problem(x, p ? 503 : 404, p ? "out-of-memory" : "not-found", NULL, NULL);
		oidc_provider_unref(p);
		return NULL;
	}
	t->app = app;
	t->provider = p;
	t->job = (struct oidc_job){.x = x, .provider = p, .work = work};
	t->rc = ARK_EIO; /* where the work was not done */
	t->why = "provider-down";
	t->outcome = "down";
	http_set_data(x, t, trip_end);
	return t;
}

/* ---- addresses ---- */

/* Where this archive is reached: as configured, else as the browser says it has reached it. A false name gets no code: the provider
 * knows the addresses that it may send to. */
static bool base_of(const struct exchange *x, char out[BASE_MAX])
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
	const char *set = session_settings(app_of(x))->url, *host = http_header(x, "Host");
	size_t n = strlen(set);

	if (n) {
		snprintf(out, BASE_MAX, "%.*s", (int)(n - (set[n - 1] == '/')), set);
		return true;
	}
	if (!host || !*host || strlen(host) > HOST_MAX || host[strspn(host, allowed)])
		return false;
	snprintf(out, BASE_MAX, "%s://%s", over_tls(x) ? "https" : "http", host);
	return true;
}

static bool back_of(const struct exchange *x, struct trip *t)
{
	char base[BASE_MAX];

	if (!base_of(x, base))
		return false;
	snprintf(t->back, sizeof(t->back), "%s/auth/%s/callback", base,
	    oidc_provider_text(t->provider, "id"));
	return true;
}

static void query_add(struct buf *url, const char *name, const char *value)
{
	buf_addf(url, "%c%s=", strchr(url->data ? url->data : "", '?') ? '&' : '?', name);
	percent_encode(url, value, strlen(value));
}

/* To the page that says how it went. */
static void show_outcome(struct exchange *x)
{
	const struct trip *t = http_data(x);
	struct buf url = BUF_INIT;

	buf_addf(&url, "/%s/sign-in/provider", i18n_code(t->state.language));
	query_add(&url, "outcome", t->outcome);
	if (t->state.next[0])
		query_add(&url, "next", t->state.next);
	if (buf_failed(&url)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else {
		http_reply_header(x, "Cache-Control", "no-store");
		http_reply_header(x, "Location", url.data);
		http_reply_empty(x, 303);
	}
	buf_free(&url);
}

static void refuse(struct exchange *x, struct trip *t, const char *outcome, const char *why)
{
	t->outcome = outcome;
	session_refused(x, t->user[0] ? t->user : NULL, METHOD, why, show_outcome);
}

static void ask(struct exchange *x, struct trip *t, void (*then)(struct exchange *x))
{
	if (oidc_pool_add(t->app->oidc->pool, &t->job))
		http_wait(x, then);
	else
		refuse(x, t, "down", "too-many");
}

/* ---- to the provider ---- */

static void begin_work(struct oidc_job *job)
{
	struct trip *t = (struct trip *)job;

	t->rc = oidc_provider_document(t->provider, job->stop, &t->document, &t->err);
}

static void add_list(struct buf *url, const char *name, const json_t *list, const char *otherwise)
{
	struct buf text = BUF_INIT;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		buf_addf(&text, "%s%s", i ? " " : "", json_string_value(one));
	}
	if (text.len || otherwise)
		query_add(url, name, text.len ? text.data : otherwise);
	buf_free(&text);
}

/* RFC 7636: S256 of the verifier. */
static void challenge_of(const char *verifier, struct buf *out)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)verifier, strlen(verifier));
	base64url_encode(out, hash, sizeof(hash));
}

static void authorization_url(const struct trip *t, struct buf *url)
{
	const json_t *config = oidc_provider_config(t->provider);
	struct buf challenge = BUF_INIT;

	challenge_of(t->state.verifier, &challenge);
	buf_adds(url, json_text(t->document, "authorization_endpoint"));
	query_add(url, "response_type", "code");
	query_add(url, "client_id", json_text(config, "clientId"));
	query_add(url, "redirect_uri", t->back);
	add_list(url, "scope", json_object_get(config, "scopes"), "openid profile email");
	query_add(url, "state", t->state.state);
	query_add(url, "nonce", t->state.nonce);
	query_add(url, "code_challenge", challenge.data ? challenge.data : "");
	query_add(url, "code_challenge_method", "S256");
	add_list(
	    url, "acr_values", json_object_get(json_object_get(config, "strong"), "acr"), NULL);
	query_add(url, "ui_locales", i18n_code(t->state.language));
	url->failed = url->failed || challenge.failed;
	buf_free(&challenge);
}

static void begin_done(struct exchange *x)
{
	struct trip *t = http_data(x);
	struct buf url = BUF_INIT, cookie = BUF_INIT;

	if (t->rc) {
		refuse(x, t, "down", "provider-down");
		return;
	}
	authorization_url(t, &url);
	if (buf_failed(&url) || oidc_state_seal(t->app, &t->state, &cookie, &t->err)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else {
		cookie_set_lax(x, COOKIE, cookie.data, OIDC_STATE_LIFE_S);
		http_reply_header(x, "Cache-Control", "no-store");
		http_reply_header(x, "Location", url.data);
		http_reply_empty(x, 303);
	}
	buf_free(&url);
	buf_wipe_free(&cookie);
}

void oidc_begin(struct exchange *x)
{
	const char *next = http_query(x, "next"), *language = http_query(x, "language");
	struct trip *t = trip_new(x, begin_work);

	if (!t)
		return;
	oidc_state_fill(&t->state);
	snprintf(t->state.provider, sizeof(t->state.provider), "%s",
	    oidc_provider_text(t->provider, "id"));
	t->state.language = http_language(x);
	for (enum http_language l = HTTP_FI; language && l <= HTTP_EN; l++)
		if (strcmp(language, i18n_code(l)) == 0)
			t->state.language = l;
	if (next && url_local(next) && strlen(next) <= OIDC_NEXT_MAX && !strchr(next, ' '))
		snprintf(t->state.next, sizeof(t->state.next), "%s", next);
	if (!back_of(x, t))
		http_reply_problem(x, 400, "bad-host", NULL, NULL);
	else
		ask(x, t, begin_done);
}

/* ---- back ---- */

static void redeem_work(struct oidc_job *job)
{
	struct trip *t = (struct trip *)job;
	const struct oidc_code code = {
	    .code = t->text, .verifier = t->state.verifier, .redirect_uri = t->back};
	struct oidc_expected expected = {
	    .kind = OIDC_ID_TOKEN, .nonce = t->state.nonce, .now_us = clock_now_us()};
	json_t *tokens = NULL;

	t->rc = oidc_provider_redeem(t->provider, &code, job->stop, &tokens, &t->err);
	if (t->rc) {
		t->why = t->rc == ARK_EREFUSED ? "code" : "provider-down";
		goto out;
	}
	expected.access_token = json_text(tokens, "access_token");
	t->rc = oidc_provider_check(
	    t->provider, json_text(tokens, "id_token"), &expected, job->stop, &t->claims, &t->err);
	if (t->rc) {
		t->why = t->rc == ARK_EIO ? "provider-down" : "id-token";
		goto out;
	}
	t->rc = oidc_provider_complete(
	    t->provider, expected.access_token, t->claims, job->stop, &t->err);
	if (t->rc) {
		t->why = t->rc == ARK_EREFUSED ? "userinfo" : "provider-down";
		goto out;
	}
	t->why = "account";
	t->outcome = "nobody"; /* where there is no account */
	t->known = true;
	t->rc = oidc_account(t->app, t->provider, t->claims, t->user, &t->why, &t->err);
out:
	json_decref(tokens);
}

static void show_done(struct exchange *x)
{
	struct trip *t = http_data(x);

	t->outcome = "done";
	show_outcome(x);
}

static void redeem_done(struct exchange *x)
{
	struct trip *t = http_data(x);
	struct session wish = {.method = METHOD};
	const char *sid;

	if (t->rc) {
		bool down = t->rc == ARK_EIO || t->rc == ARK_ENOMEM;

		refuse(x, t, down ? "down" : t->known ? t->outcome : "wrong", t->why);
		return;
	}
	sid = json_text(t->claims, "sid");
	wish.strong = oidc_config_strong(oidc_provider_config(t->provider), t->claims);
	snprintf(wish.provider, sizeof(wish.provider), "%s", t->state.provider);
	snprintf(wish.subject, sizeof(wish.subject), "%s", json_text(t->claims, "sub"));
	snprintf(wish.provider_session, sizeof(wish.provider_session), "%s", sid ? sid : "");
	session_begin(x, t->user, &wish, show_done);
}

/* Is this the answer to what this browser asked, and asked here, and for the first time? The word for the log, or NULL. */
static const char *answer_fault(struct exchange *x, struct trip *t)
{
	const char *cookie = cookie_get(x, COOKIE), *state = http_query(x, "state");
	size_t n = sizeof(t->state.state) - 1;

	t->state.language = http_language(x);
	if (!cookie)
		return "no-cookie";
	if (!oidc_state_open(t->app, cookie, &t->state)) {
		t->state.language = http_language(x);
		return "cookie";
	}
	if (!state || strlen(state) != n || !bytes_equal(state, t->state.state, n))
		return "state";
	if (strcmp(t->state.provider, oidc_provider_text(t->provider, "id")) != 0)
		return "mixed-up";
	if (!oidc_used_first(t->app->oidc->used, "state", t->state.state, clock_monotonic_us()))
		return "replay";
	return NULL;
}

/* RFC 9207: an answer that another provider led here. */
static bool issuer_is(struct exchange *x, const struct trip *t)
{
	const char *iss = http_query(x, "iss");
	json_t *document = oidc_provider_kept(t->provider);
	bool must = json_is_true(
	    json_object_get(document, "authorization_response_iss_parameter_supported"));

	json_decref(document);
	return iss ? strcmp(iss, oidc_provider_text(t->provider, "issuer")) == 0 : !must;
}

void oidc_callback(struct exchange *x)
{
	const char *code = http_query(x, "code"), *error = http_query(x, "error");
	struct trip *t = trip_new(x, redeem_work);
	const char *fault;

	if (!t)
		return;
	fault = answer_fault(x, t);
	if (fault) {
		refuse(x, t, "old", fault);
		return;
	}
	cookie_set_lax(x, COOKIE, "", -1);
	if (!issuer_is(x, t)) {
		refuse(x, t, "wrong", "mixed-up");
	} else if (error) {
		bool denied = strcmp(error, "access_denied") == 0 ||
			      strcmp(error, "login_required") == 0 ||
			      strcmp(error, "interaction_required") == 0;

		refuse(
		    x, t, denied ? "cancelled" : "wrong", denied ? "cancelled" : "provider-error");
	} else if (!code || !*code || strlen(code) > CODE_MAX || !back_of(x, t)) {
		refuse(x, t, "wrong", "no-code");
	} else if (!(t->text = strdup(code))) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else {
		ask(x, t, redeem_done);
	}
}

/* ---- back-channel logout ---- */

static void logout_work(struct oidc_job *job)
{
	struct trip *t = (struct trip *)job;
	struct oidc_expected expected = {.kind = OIDC_LOGOUT_TOKEN, .now_us = clock_now_us()};
	const char *id = oidc_provider_text(t->provider, "id"), *sid, *sub;
	unsigned int n = 0;

	t->why = "logout-token";
	t->rc =
	    oidc_provider_check(t->provider, t->text, &expected, job->stop, &t->claims, &t->err);
	if (!t->rc && !oidc_used_first(t->app->oidc->used, id, json_text(t->claims, "jti"),
			  clock_monotonic_us())) {
		t->why = "logout-replay";
		t->rc = ark_fail(&t->err, ARK_EREFUSED, "the logout token was used before");
	}
	if (t->rc)
		return;
	sid = json_text(t->claims, "sid");
	sub = json_text(t->claims, "sub");
	t->rc = session_end_provider(
	    archive_state(t->app->archive), id, sid, sid ? NULL : sub, &n, &t->err);
	sessions_forget(t->app);
}

static void logout_refused(struct exchange *x)
{
	http_reply_header(x, "Cache-Control", "no-store");
	http_reply_json(x, 400, json_pack("{s:s}", "error", "invalid_request"));
}

static void logout_done(struct exchange *x)
{
	struct trip *t = http_data(x);

	if (t->rc == ARK_EIO || t->rc == ARK_ENOMEM) {
		http_reply_problem(x, 503, "provider-down", NULL, NULL);
	} else if (t->rc) {
		session_refused(x, NULL, METHOD, t->why, logout_refused);
	} else {
		http_reply_header(x, "Cache-Control", "no-store");
		http_reply_empty(x, 200);
	}
}

void oidc_back_channel(struct exchange *x)
{
	const char *token = http_form(x, "logout_token");
	struct trip *t = trip_new(x, logout_work);

	if (!t)
		return;
	if (!token || strlen(token) > OIDC_TOKEN_MAX) {
		logout_refused(x);
	} else if (!(t->text = strdup(token))) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else if (oidc_pool_add(t->app->oidc->pool, &t->job)) {
		http_wait(x, logout_done);
	} else {
		http_reply_header(x, "Retry-After", "5");
		http_reply_problem(x, 503, "too-many", NULL, NULL);
	}
}
