/* One identity provider: its configuration, what its discovery document says, its keys, and the change of a code for tokens.
 *
 * It knows no accounts, no browsers and no cookies. What it asked is kept: discovery and keys for an hour, and where the
 * provider is down for a day. Keys are asked for again when a token names one that is not there, at most once a minute.
 * A provider that did not answer is not asked again for 2 s, so that a crowd does not wait 5 s each.
 *
 * Threads: any. Everything that has a `stop` may take 5 s and more: never in a server thread.
 */
#ifndef ARKKI_API_OIDC_PROVIDER_H
#define ARKKI_API_OIDC_PROVIDER_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/oidc_token.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

struct oidc_provider;

/* ---- oidc_config.c ---- */

/* The form of a configuration (oidc.h); asks nobody. ARK_EINPUT names the member. */
ARK_MUSTUSE int oidc_config_check(const json_t *config, struct ark_error *err);
/* Bits of enum access_role that the configuration's map can give, and those that these claims give. */
unsigned int oidc_config_roles_governed(const json_t *config);
unsigned int oidc_config_roles(const json_t *config, const json_t *claims);
/* Do these claims say that the sign-in was a strong one? */
bool oidc_config_strong(const json_t *config, const json_t *claims);

/* ---- oidc_provider.c ---- */

/* A discovery document: of the issuer that the configuration names, with endpoints on https (on this machine only when the issuer is there
 * too), code flow, S256, a client secret and an algorithm that is taken. Asks nobody. ARK_EINPUT says what it lacks. */
ARK_MUSTUSE int oidc_document_check(
    const json_t *config, const json_t *document, struct ark_error *err);

/* Takes a reference to config, which has passed oidc_config_check(). Ends with oidc_provider_unref(). */
ARK_MUSTUSE int oidc_provider_new(
    json_t *config, struct oidc_provider **ret, struct ark_error *err);
struct oidc_provider *oidc_provider_ref(struct oidc_provider *p);
void oidc_provider_unref(struct oidc_provider *p); /* takes NULL */
const json_t *oidc_provider_config(const struct oidc_provider *p);
const char *oidc_provider_text(const struct oidc_provider *p, const char *member);

/* The discovery document, as checked; asked for when it is older than an hour. *ret is the caller's (json_decref) and must not be
 * changed. */
ARK_MUSTUSE int oidc_provider_document(
    struct oidc_provider *p, const atomic_bool *stop, json_t **ret, struct ark_error *err);
/* The one that is kept, of whatever age; NULL: none. Asks nobody. */
json_t *oidc_provider_kept(struct oidc_provider *p);
/* Checks a token with the provider's keys. As oidc_token_check(); issuer and client of `expected` are filled in. ARK_EIO: the keys could not
 * be had. */
ARK_MUSTUSE int oidc_provider_check(struct oidc_provider *p, const char *token,
    struct oidc_expected *expected, const atomic_bool *stop, json_t **ret, struct ark_error *err);

struct oidc_code {
	const char *code, *verifier, *redirect_uri;
};
/* Changes the code for tokens: {"id_token", "access_token"?}, the caller's. ARK_EREFUSED: the provider says no. */
ARK_MUSTUSE int oidc_provider_redeem(struct oidc_provider *p, const struct oidc_code *code,
    const atomic_bool *stop, json_t **ret, struct ark_error *err);

/* A provider that keeps to the standard's letter puts names, addresses and groups not into the ID token but into what its
 * userinfo endpoint answers (Core, 5.4). Where claims that the configuration asks for are missing, and there is such an endpoint, they are
 * added to `claims` from there; nothing else is. ARK_EREFUSED: the answer is about somebody else. */
ARK_MUSTUSE int oidc_provider_complete(struct oidc_provider *p, const char *access_token,
    json_t *claims, const atomic_bool *stop, struct ark_error *err);

#endif
