/* OpenID Connect: signing in at an organisation's own identity provider (authorization code with PKCE).
 *
 *   GET  /auth/{p}             to the provider: state, nonce and PKCE verifier wait in a sealed cookie of ten minutes
 *   GET  /auth/{p}/callback    the code is changed for an ID token, which is checked; a session begins
 *   POST /auth/{p}/logout      back-channel logout
 *
 * HTTP by libcurl (https only, but for loopback; no redirections, 5 s, 1 MiB), signatures by cjose. A provider is
 *   {"id":"lvv-idp","name":{"fi","sv","en"},"issuer":"https://…","clientId","clientSecret","org":"lvv",
 *    "scopes":["openid","profile","email"],
 *    "user":{"claim":"sub|email|…","match":"identity|id|email"},        how a person becomes an account of `org`
 *    "create":false,                                                    an unknown person gets an account
 *    "roles":{"claim":"groups","map":{"arkki-inspectors":["inspector"]}},
 *    "strong":{"acr":["…"],"amr":["mfa"]},                              what counts as strong authentication
 *    "caFile":"/path"}                                                  trusted in place of the system's certificates
 * Claims that the ID token lacks are taken from the userinfo endpoint. An account that was invited is active after its first sign-in.
 * How it went is told on the page /{language}/sign-in/provider, so that nothing of a provider's answer stays in an address.
 * Roles from claims are written to the account (a history entry) when they change, within accounts_roles() of the organisation's
 * kind; an account of another organisation is never matched.
 *
 * Checked, each with a test: iss, aud (and azp), exp, iat, nbf, nonce, at_hash when there, alg from an allowlist of asymmetric ones (never
 * none, never HS*), kid in the JWKS (fetched again at most once a minute when it is unknown), key type fits alg, state
 * bound to this browser and used once, iss of the response (RFC 9207), issuer of the discovery document.
 * Sources: OpenID Connect Core, Discovery, RP-Initiated and Back-Channel Logout 1.0; RFC 6749, 7636, 7519, 8725, 9207.
 *
 * Threads: calls to a provider run in threads of their own (oidc_pool.c), three of four for one provider at most, so that a slow one
 * hinders neither passwords nor another provider's people; never in a server thread.
 */
#ifndef ARKKI_API_OIDC_H
#define ARKKI_API_OIDC_H

#include "api/app.h"
#include "api/session.h"

struct oidc_service;

ARK_MUSTUSE int oidc_start(struct app *app, struct ark_error *err);
/* No provider is waited for any more: before the listeners wait for what is under way. */
void oidc_end_soon(struct app *app);
void oidc_stop(struct app *app); /* after the listeners */
/* The server listens: providers are asked for their discovery documents before anybody needs them. */
void oidc_serve(struct app *app);

/* For the sign-in page: calls each(arg, id, name in the language) for every provider. */
void oidc_each(struct app *app, enum http_language language,
    void (*each)(void *arg, const char *id, const char *name), void *arg);
/* Where the browser is to go when a session of this provider has ended by its user: false when the provider names no place. */
bool oidc_logout_url(struct app *app, const struct session *session, struct buf *out);

/* ARK_EINPUT says what of a provider's configuration is wrong, or what its discovery document lacks (asked when `ask`). */
ARK_MUSTUSE int oidc_check(const json_t *provider, bool ask, struct ark_error *err);

void oidc_begin(struct exchange *x);
void oidc_callback(struct exchange *x);
void oidc_back_channel(struct exchange *x);

#endif
