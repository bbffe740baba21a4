/* A provider's keys, and the signatures by them. cjose is called here alone. */
#include <stdlib.h>
#include <string.h>

#include <cjose/cjose.h>

#include "api/oidc_token.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum {
	RSA_LEAST = 2048 / 8, /* RFC 7518, 3.3 */
	RSA_MOST = 8192 / 8,  /* a larger one is work for us and safety for nobody */
	EXPONENT_MOST = 8,
};

static const struct oidc_algorithm algorithms[] = {
    {"RS256", "RSA", NULL, 0, 256},
    {"RS384", "RSA", NULL, 0, 384},
    {"RS512", "RSA", NULL, 0, 512},
    {"PS256", "RSA", NULL, 0, 256},
    {"PS384", "RSA", NULL, 0, 384},
    {"PS512", "RSA", NULL, 0, 512},
    {"ES256", "EC", "P-256", 32, 256},
    {"ES384", "EC", "P-384", 48, 384},
    {"ES512", "EC", "P-521", 66, 512},
};

const struct oidc_algorithm *oidc_algorithm(const char *name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

int oidc_keys_read(const char *text, size_t len, json_t **ret, struct ark_error *err)
{
	json_t *set = NULL;
	const json_t *keys;
	int rc;

	if (len > OIDC_KEYS_MAX)
		return ark_fail(err, ARK_EINPUT, "the set of keys is larger than 64 KiB");
	rc = json_read(text, len, &set, err);
	if (rc)
		return ark_fail_within(err, rc, "the set of keys");
	keys = json_object_get(set, "keys");
	if (!json_is_array(keys) || json_array_size(keys) > OIDC_KEYS_COUNT) {
		json_decref(set);
		return ark_fail(err, ARK_EINPUT, "the set of keys has no list of at most 100 keys");
	}
	*ret = set;
	return ARK_OK;
}

/* ---- choosing ---- */

static bool meant_for_verifying(const json_t *key, const struct oidc_algorithm *algorithm)
{
	const json_t *use = json_object_get(key, "use"), *alg = json_object_get(key, "alg"),
		     *ops = json_object_get(key, "key_ops"), *op;
	const char *type = json_text(key, "kty"), *curve = json_text(key, "crv");
	size_t i;

	if (!type || strcmp(type, algorithm->type) != 0 ||
	    (algorithm->curve && (!curve || strcmp(curve, algorithm->curve) != 0)))
		return false;
	if ((use && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0)) ||
	    (alg && (!json_is_string(alg) || strcmp(json_string_value(alg), algorithm->name) != 0)))
		return false;
	if (!ops)
		return true;
	json_array_foreach(ops, i, op)
	{
		if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
			return true;
	}
	return false;
}

int oidc_key_choose(const json_t *keys, const char *kid, const struct oidc_algorithm *algorithm,
    const json_t **ret, struct ark_error *err)
{
	const json_t *key, *found = NULL;
	bool named = false;
	size_t i;

	json_array_foreach(json_object_get(keys, "keys"), i, key)
	{
		const char *its = json_text(key, "kid");

		if (kid && (!its || strcmp(its, kid) != 0))
			continue;
		named = true;
		if (!meant_for_verifying(key, algorithm))
			continue;
		if (found)
			return ark_fail(err, ARK_EREFUSED,
			    "two keys of the provider could be the one that signed");
		found = key;
	}
	if (!found && named && kid)
		return ark_fail(err, ARK_EREFUSED, "the key that the token names is not one for %s",
		    algorithm->name);
	if (!found)
		return ark_fail(err, ARK_ENOTFOUND,
		    "the provider's keys do not have the one that the token names");
	*ret = found;
	return ARK_OK;
}

/* ---- the public numbers ---- */

/* Leading zeros of an RSA number are not part of its size. */
static bool number(const json_t *key, const char *member, struct buf *out, size_t *ret_size)
{
	const char *text = json_text(key, member);
	size_t zeros = 0;

	if (!text || !base64url_decode(out, text, strlen(text)) || buf_failed(out) || !out->len)
		return false;
	while (zeros < out->len && out->data[zeros] == '\0')
		zeros++;
	*ret_size = out->len - zeros;
	return true;
}

static bool rsa_sound(const json_t *key, size_t *ret_size)
{
	struct buf n = {.limit = RSA_MOST + 1}, e = {.limit = 2 * EXPONENT_MOST};
	size_t e_size = 0;
	bool ok = number(key, "n", &n, ret_size) && number(key, "e", &e, &e_size) &&
		  *ret_size >= RSA_LEAST && *ret_size <= RSA_MOST && e_size &&
		  e_size <= EXPONENT_MOST;

	/* both odd, the exponent at least 3: else everything or nothing is a signature */
	ok = ok && (n.data[n.len - 1] & 1) && (e.data[e.len - 1] & 1) &&
	     (e_size > 1 || (unsigned char)e.data[e.len - 1] >= 3);
	/* 2048 bits: the first byte has its highest */
	ok = ok && (*ret_size > RSA_LEAST || (n.data[n.len - RSA_LEAST] & 0x80));
	buf_free(&n);
	buf_free(&e);
	return ok;
}

static bool curve_sound(const json_t *key, const struct oidc_algorithm *algorithm)
{
	struct buf x = {.limit = 128}, y = {.limit = 128};
	size_t size;
	bool ok = number(key, "x", &x, &size) && number(key, "y", &y, &size) &&
		  x.len == algorithm->curve_bytes && y.len == algorithm->curve_bytes;

	buf_free(&x);
	buf_free(&y);
	return ok;
}

/* The key as cjose takes it, of nothing but public numbers; its signatures' length. */
static int public_key(const json_t *key, const struct oidc_algorithm *algorithm, cjose_jwk_t **ret,
    size_t *ret_size, struct ark_error *err)
{
	bool rsa = !algorithm->curve;
	json_t *bare = rsa ? json_pack("{s:s,s:O,s:O}", "kty", "RSA", "n",
				 json_object_get(key, "n"), "e", json_object_get(key, "e"))
			   : json_pack("{s:s,s:s,s:O,s:O}", "kty", "EC", "crv", algorithm->curve,
				 "x", json_object_get(key, "x"), "y", json_object_get(key, "y"));
	struct buf text = BUF_INIT;
	cjose_err why;
	int rc = ARK_OK;

	if (!bare)
		return ark_fail(err, ARK_EREFUSED, "the provider's key lacks its numbers");
	if (rsa ? !rsa_sound(key, ret_size) : !curve_sound(key, algorithm))
		rc = ark_fail(
		    err, ARK_EREFUSED, "the provider's key is not sound (RSA: 2048 to 8192 bits)");
	if (!rsa)
		*ret_size = 2 * algorithm->curve_bytes;
	if (!rc)
		rc = json_write(&text, bare, err);
	if (!rc && !(*ret = cjose_jwk_import(text.data, text.len, &why)))
		rc = ark_fail(err, ARK_EREFUSED, "the provider's key is not sound");
	buf_free(&text);
	json_decref(bare);
	return rc;
}

int oidc_key_verify(const json_t *key, const struct oidc_algorithm *algorithm, const char *token,
    size_t len, size_t signature_len, char **ret, size_t *ret_len, struct ark_error *err)
{
	cjose_jwk_t *jwk = NULL;
	cjose_jws_t *jws = NULL;
	cjose_err why;
	uint8_t *payload;
	size_t size = 0, n;
	int rc = public_key(key, algorithm, &jwk, &size, err);

	if (rc)
		goto out;
	/* cjose 0.6.2.1 halves an ECDSA signature of any length, and pads a short PSS one: RFC 7518 says how long they are */
	if (signature_len != size || !(jws = cjose_jws_import(token, len, &why)) ||
	    !cjose_jws_verify(jws, jwk, &why) ||
	    !cjose_jws_get_plaintext(jws, &payload, &n, &why)) {
		rc = ark_fail(err, ARK_EREFUSED, "the signature is not the provider's");
		goto out;
	}
	*ret = malloc(n + 1);
	if (!*ret) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a token");
		goto out;
	}
	memcpy(*ret, payload, n);
	(*ret)[n] = '\0';
	*ret_len = n;
out:
	cjose_jws_release(jws);
	cjose_jwk_release(jwk);
	return rc;
}
