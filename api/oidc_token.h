/* Checking what an identity provider signed: ID tokens and logout tokens.
 *
 * Pure: it knows no network, no clock and no accounts. Who calls brings the token, the provider's keys, what is
 * expected of the token, and the time.
 *
 * A token is three parts in base64url (JWS compact). Its header is read first, by our own rules: an algorithm of the asymmetric ones
 * (RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512; never "none", never HS*), no "crit". The key comes
 * from the provider's set alone, never from the token ("jwk", "jku", "x5u", "x5c" are not looked at); it must fit the algorithm in type, curve,
 * size, "use", "alg" and "key_ops", and there must be only one such. cjose gets that key's public numbers and nothing else, so that no
 * text of a provider reaches its other parts; the length of the signature is checked before.
 *
 * Sources: RFC 7515, 7517, 7518, 7519, 8725; OpenID Connect Core 1.0, 3.1.3.7; OpenID Connect Back-Channel Logout 1.0, 2.6.
 * Threads: any.
 */
#ifndef ARKKI_API_OIDC_TOKEN_H
#define ARKKI_API_OIDC_TOKEN_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/error.h"

enum {
	OIDC_TOKEN_MAX = 16 * 1024, /* bytes of a token */
	OIDC_KEYS_MAX = 64 * 1024,  /* bytes of a set of keys */
	OIDC_KEYS_COUNT = 100,
	OIDC_SKEW_S = 60,     /* the clocks of two machines */
	OIDC_AGE_S = 10 * 60, /* how old a token may be that is for now */
};

/* A JWK Set from outside. ARK_EINPUT: no JSON, too large, too many keys. Keys that nobody can use stay in it. */
ARK_MUSTUSE int oidc_keys_read(const char *text, size_t len, json_t **ret, struct ark_error *err);

enum oidc_token_kind { OIDC_ID_TOKEN, OIDC_LOGOUT_TOKEN };

struct oidc_expected {
	enum oidc_token_kind kind;
	const char *issuer, *client;
	const char *nonce;        /* of an ID token */
	const char *access_token; /* that came with an ID token; NULL: none */
	int64_t now_us;
};

/* On success *ret is the caller's: the claims, in which "sub" is a text of 1 to 255 bytes (of a logout token: that or "sid" is there),
 * and "sid", where there is one, a text of 1 to 127 bytes. ARK_ENOTFOUND: no key of the set is the one that the token names; a newer set may
 * have it. ARK_EINPUT: no token. ARK_EREFUSED: it says or is signed by what it may not. The text says what, without what the token holds. */
ARK_MUSTUSE int oidc_token_check(const char *token, size_t len, const json_t *keys,
    const struct oidc_expected *expected, json_t **ret, struct ark_error *err);

/* ---- oidc_key.c ---- */

struct oidc_algorithm {
	const char *name;
	const char *type;       /* "kty" of its keys */
	const char *curve;      /* "crv", NULL: RSA */
	size_t curve_bytes;     /* of a number on the curve */
	unsigned int hash_bits; /* SHA-2 */
};
/* NULL: not one of the allowlist. */
const struct oidc_algorithm *oidc_algorithm(const char *name);
/* The one key for this algorithm and name (kid NULL: the header has none). As oidc_token_check(). Borrowed. */
ARK_MUSTUSE int oidc_key_choose(const json_t *keys, const char *kid,
    const struct oidc_algorithm *algorithm, const json_t **ret, struct ark_error *err);
/* signature_len: bytes of the decoded signature. *ret: the payload as it was signed, NUL-terminated, the caller's (free). */
ARK_MUSTUSE int oidc_key_verify(const json_t *key, const struct oidc_algorithm *algorithm,
    const char *token, size_t len, size_t signature_len, char **ret, size_t *ret_len,
    struct ark_error *err);

#endif
