/* ID tokens and logout tokens: good ones of every algorithm, and every way to make a bad one that we could think of. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "api/oidc_token.h"
#include "arkki/base/buf.h"
#include "arkki/base/text.h"
#include "unit.h"

#define ISSUER "https://idp.example.test/realm"
#define CLIENT "arkki"
#define NONCE "n-0S6_WzA2Mj"
#define NOW 1790000000

static EVP_PKEY *rsa_key, *other_rsa, *small_rsa, *p256, *p384, *p521;

static EVP_PKEY *curve(const char *name)
{
	EVP_PKEY *k = EVP_EC_gen(name);

	assert_non_null(k);
	return k;
}

static int keys_begin(void **state)
{
	(void)state;
	rsa_key = EVP_RSA_gen(2048);
	other_rsa = EVP_RSA_gen(2048);
	small_rsa = EVP_RSA_gen(1024);
	p256 = curve("P-256");
	p384 = curve("P-384");
	p521 = curve("P-521");
	return 0;
}

static int keys_end(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(small_rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
	return 0;
}

/* ---- keys as JSON ---- */

static json_t *number_json(EVP_PKEY *key, const char *param, int size)
{
	unsigned char bytes[1100];
	struct buf text = BUF_INIT;
	BIGNUM *n = NULL;
	json_t *ret;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(key, param, &n), 1);
	len = BN_bn2binpad(n, bytes, size ? size : BN_num_bytes(n));
	assert_true(len > 0);
	base64url_encode(&text, bytes, (size_t)len);
	ret = json_string(text.data);
	buf_free(&text);
	BN_free(n);
	return ret;
}

static json_t *jwk(EVP_PKEY *key, const char *kid, const char *crv)
{
	int size = crv ? (EVP_PKEY_get_bits(key) + 7) / 8 : 0;

	if (!crv)
		return json_pack("{s:s,s:s*,s:s,s:o,s:o}", "kty", "RSA", "kid", kid, "use", "sig",
		    "n", number_json(key, OSSL_PKEY_PARAM_RSA_N, 0), "e",
		    number_json(key, OSSL_PKEY_PARAM_RSA_E, 0));
	return json_pack("{s:s,s:s*,s:s,s:s,s:o,s:o}", "kty", "EC", "kid", kid, "use", "sig", "crv",
	    crv, "x", number_json(key, OSSL_PKEY_PARAM_EC_PUB_X, size), "y",
	    number_json(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

static json_t *all_keys(void)
{
	return json_pack("{s:[o,o,o,o]}", "keys", jwk(rsa_key, "rsa", NULL),
	    jwk(p256, "p256", "P-256"), jwk(p384, "p384", "P-384"), jwk(p521, "p521", "P-521"));
}

/* ---- signing ---- */

static const EVP_MD *hash_of(const char *alg)
{
	return strstr(alg, "384") ? EVP_sha384() : strstr(alg, "512") ? EVP_sha512() : EVP_sha256();
}

/* DER of libcrypto to the two numbers of JWS. */
static size_t two_numbers(unsigned char *sig, size_t len, int size)
{
	const unsigned char *at = sig;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)len);

	assert_non_null(s);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, size), size);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + size, size), size);
	ECDSA_SIG_free(s);
	return 2 * (size_t)size;
}

static size_t sign(EVP_PKEY *key, const char *alg, const struct buf *input, unsigned char *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	size_t len = 1100;

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, hash_of(alg), NULL, key), 1);
	if (alg[0] == 'P') {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	assert_int_equal(
	    EVP_DigestSign(ctx, out, &len, (const unsigned char *)input->data, input->len), 1);
	EVP_MD_CTX_free(ctx);
	return alg[0] == 'E' ? two_numbers(out, len, (EVP_PKEY_get_bits(key) + 7) / 8) : len;
}

static void part(struct buf *out, const char *text)
{
	base64url_encode(out, text, strlen(text));
}

/* header and payload as texts; key NULL: no signature. The caller's (free). */
static char *token_of(const char *header, const char *payload, EVP_PKEY *key, const char *alg)
{
	unsigned char sig[1100];
	struct buf t = BUF_INIT;

	part(&t, header);
	buf_addc(&t, '.');
	part(&t, payload);
	if (key) {
		size_t n = sign(key, alg, &t, sig);

		buf_addc(&t, '.');
		base64url_encode(&t, sig, n);
	} else {
		buf_addc(&t, '.');
	}
	assert_false(buf_failed(&t));
	return buf_take(&t, NULL);
}

static json_t *good_claims(void)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:i}", "iss", ISSUER, "aud", CLIENT, "sub",
	    "Maija-1", "nonce", NONCE, "exp", NOW + 300, "iat", NOW);
}

static const struct oidc_expected usual = {
    .issuer = ISSUER, .client = CLIENT, .nonce = NONCE, .now_us = NOW * 1000000LL};

static int check_with(
    const char *token, json_t *keys, const struct oidc_expected *expected, struct ark_error *err)
{
	json_t *claims = NULL;
	int rc = oidc_token_check(token, strlen(token), keys, expected, &claims, err);

	if (!rc)
		assert_true(json_is_object(claims));
	else
		assert_null(claims);
	json_decref(claims);
	return rc;
}

static void expect(int got, int want, const struct ark_error *err, const char *word)
{
	if (got != want || (want && !strstr(err->text, word)))
		fail_msg("got %d (%s), want %d with \"%s\"", got, got ? err->text : "", want, word);
}

/* A token with these claims (taken), signed as it should be. */
static void claims_give(json_t *claims, int want, const char *word)
{
	char *payload = json_dumps(claims, JSON_COMPACT);
	char *token = token_of("{\"alg\":\"ES256\",\"kid\":\"p256\"}", payload, p256, "ES256");
	json_t *keys = all_keys();
	struct ark_error err = {0};

	expect(check_with(token, keys, &usual, &err), want, &err, word);
	json_decref(keys);
	free(token);
	free(payload);
	json_decref(claims);
}

/* The good claims with one member (value taken; NULL: without it). */
static void with(const char *name, json_t *value, int want, const char *word)
{
	json_t *claims = good_claims();

	if (value)
		json_object_set_new(claims, name, value);
	else
		json_object_del(claims, name);
	claims_give(claims, want, word);
}

/* The good claims under this header. */
static void header_gives(
    const char *header, EVP_PKEY *key, const char *alg, int want, const char *word)
{
	json_t *claims = good_claims(), *keys = all_keys();
	char *payload = json_dumps(claims, JSON_COMPACT),
	     *token = token_of(header, payload, key, alg);
	struct ark_error err = {0};

	expect(check_with(token, keys, &usual, &err), want, &err, word);
	free(token);
	free(payload);
	json_decref(keys);
	json_decref(claims);
}

/* ---- good ones ---- */

static void test_oidc_token__good_of_each_algorithm_is_taken(void **state)
{
	static const struct {
		const char *alg, *kid;
		EVP_PKEY **key;
	} all[] = {{"RS256", "rsa", &rsa_key}, {"RS384", "rsa", &rsa_key},
	    {"RS512", "rsa", &rsa_key}, {"PS256", "rsa", &rsa_key}, {"PS384", "rsa", &rsa_key},
	    {"PS512", "rsa", &rsa_key}, {"ES256", "p256", &p256}, {"ES384", "p384", &p384},
	    {"ES512", "p521", &p521}};
	char header[200];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
		    all[i].alg, all[i].kid);
		header_gives(header, *all[i].key, all[i].alg, ARK_OK, "");
		/* one key alone fits: the token need not name it */
		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", all[i].alg);
		header_gives(header, *all[i].key, all[i].alg, ARK_OK, "");
		/* signed otherwise than the header says */
		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", all[i].alg,
		    all[i].kid);
		if (all[i].key == &rsa_key)
			header_gives(header, rsa_key, all[i].alg[0] == 'R' ? "PS256" : "RS256",
			    ARK_EREFUSED, "signature");
	}
}

static void test_oidc_token__keys_of_the_token_itself_are_not_looked_at(void **state)
{
	json_t *own = jwk(other_rsa, "rsa", NULL);
	char *text = json_dumps(own, JSON_COMPACT), header[1200];

	(void)state;
	snprintf(header, sizeof(header),
	    "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":%s,\"jku\":\"https://evil.example.test/"
	    "keys\","
	    "\"x5u\":\"https://evil.example.test/c\",\"x5c\":[\"AAAA\"]}",
	    text);
	header_gives(header, other_rsa, "RS256", ARK_EREFUSED, "signature");
	header_gives(header, rsa_key, "RS256", ARK_OK, "");
	free(text);
	json_decref(own);
}

/* ---- algorithms ---- */

static void test_oidc_token__none_is_refused(void **state)
{
	(void)state;
	header_gives("{\"alg\":\"none\"}", NULL, NULL, ARK_EREFUSED, "algorithm");
	header_gives("{\"alg\":\"None\",\"kid\":\"rsa\"}", NULL, NULL, ARK_EREFUSED, "algorithm");
	header_gives(
	    "{\"alg\":\"none\",\"kid\":\"rsa\"}", rsa_key, "RS256", ARK_EREFUSED, "algorithm");
	header_gives("{\"alg\":\"RS256\",\"kid\":\"rsa\"}", NULL, NULL, ARK_EREFUSED, "signature");
	header_gives("{\"kid\":\"rsa\"}", rsa_key, "RS256", ARK_EREFUSED, "algorithm");
	header_gives(
	    "{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}", rsa_key, "RS256", ARK_EREFUSED, "algorithm");
	header_gives("[\"RS256\"]", rsa_key, "RS256", ARK_EINPUT, "object");
}

/* What verifies RS256 by the public key's text must not be taken as a shared secret. */
static void test_oidc_token__shared_secret_of_the_public_key_is_refused(void **state)
{
	json_t *claims = good_claims(), *keys = all_keys(), *own = jwk(rsa_key, "rsa", NULL);
	char *payload = json_dumps(claims, JSON_COMPACT), *secrets[2];
	unsigned char mac[64], *der = NULL;
	int der_len = i2d_PUBKEY(rsa_key, &der);
	struct ark_error err = {0};

	(void)state;
	secrets[0] = json_dumps(own, JSON_COMPACT);
	secrets[1] = (char *)der;
	for (unsigned int i = 0; i < 2; i++) {
		struct buf t = BUF_INIT;
		unsigned int n = 0;

		part(&t, "{\"alg\":\"HS256\",\"kid\":\"rsa\"}");
		buf_addc(&t, '.');
		part(&t, payload);
		assert_non_null(
		    HMAC(EVP_sha256(), secrets[i], i ? der_len : (int)strlen(secrets[i]),
			(const unsigned char *)t.data, t.len, mac, &n));
		buf_addc(&t, '.');
		base64url_encode(&t, mac, n);
		expect(check_with(t.data, keys, &usual, &err), ARK_EREFUSED, &err, "algorithm");
		buf_free(&t);
	}
	free(secrets[0]);
	OPENSSL_free(der);
	free(payload);
	json_decref(own);
	json_decref(keys);
	json_decref(claims);
}

static void test_oidc_token__extensions_and_other_types_are_refused(void **state)
{
	(void)state;
	header_gives("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"exp\"]}", rsa_key, "RS256",
	    ARK_EREFUSED, "crit");
	header_gives("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[]}", rsa_key, "RS256",
	    ARK_EREFUSED, "crit");
	header_gives("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"b64\":false}", rsa_key, "RS256",
	    ARK_EREFUSED, "crit");
	header_gives("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"logout+jwt\"}", rsa_key, "RS256",
	    ARK_EREFUSED, "typ");
	header_gives("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\"}", rsa_key, "RS256",
	    ARK_EREFUSED, "typ");
	header_gives("{\"alg\":\"RS256\",\"kid\":7}", rsa_key, "RS256", ARK_EREFUSED, "key");
	header_gives("{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", rsa_key, "RS256",
	    ARK_EINPUT, "");
}

/* ---- keys ---- */

static void keys_give(
    json_t *keys, const char *kid, const char *alg, EVP_PKEY *key, int want, const char *word)
{
	json_t *claims = good_claims();
	char *payload = json_dumps(claims, JSON_COMPACT), header[200], *token;
	struct ark_error err = {0};

	snprintf(header, sizeof(header),
	    kid ? "{\"alg\":\"%s\",\"kid\":\"%s\"}" : "{\"alg\":\"%s\"}", alg, kid);
	token = token_of(header, payload, key, alg);
	expect(check_with(token, keys, &usual, &err), want, &err, word);
	free(token);
	free(payload);
	json_decref(claims);
	json_decref(keys);
}

static json_t *altered(EVP_PKEY *key, const char *crv, const char *member, json_t *value)
{
	json_t *k = jwk(key, "k", crv);

	json_object_set_new(k, member, value);
	return json_pack("{s:[o]}", "keys", k);
}

static void test_oidc_token__key_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	keys_give(all_keys(), "gone", "RS256", rsa_key, ARK_ENOTFOUND, "keys");
	keys_give(json_pack("{s:[]}", "keys"), "rsa", "RS256", rsa_key, ARK_ENOTFOUND, "keys");
	keys_give(json_pack("{s:[]}", "keys"), NULL, "RS256", rsa_key, ARK_ENOTFOUND, "keys");
	/* names that are there, of another type or curve */
	keys_give(all_keys(), "p256", "RS256", rsa_key, ARK_EREFUSED, "RS256");
	keys_give(all_keys(), "p384", "ES256", p256, ARK_EREFUSED, "ES256");
	keys_give(altered(rsa_key, NULL, "use", json_string("enc")), "k", "RS256", rsa_key,
	    ARK_EREFUSED, "RS256");
	keys_give(altered(rsa_key, NULL, "alg", json_string("PS256")), "k", "RS256", rsa_key,
	    ARK_EREFUSED, "RS256");
	keys_give(
	    altered(rsa_key, NULL, "alg", json_string("RS256")), "k", "RS256", rsa_key, ARK_OK, "");
	keys_give(altered(rsa_key, NULL, "key_ops", json_pack("[s]", "sign")), "k", "RS256",
	    rsa_key, ARK_EREFUSED, "RS256");
	keys_give(altered(rsa_key, NULL, "key_ops", json_pack("[s]", "verify")), "k", "RS256",
	    rsa_key, ARK_OK, "");
	/* an EC key that claims to be on another curve: caught by its numbers' length */
	keys_give(altered(p384, "P-384", "crv", json_string("P-256")), "k", "ES256", p256,
	    ARK_EREFUSED, "sound");
	keys_give(
	    altered(p256, "P-256", "y", json_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
	    "k", "ES256", p256, ARK_EREFUSED, "sound"); /* not on the curve */
}

static void test_oidc_token__weak_or_senseless_rsa_key_is_refused(void **state)
{
	(void)state;
	keys_give(json_pack("{s:[o]}", "keys", jwk(small_rsa, "k", NULL)), "k", "RS256", small_rsa,
	    ARK_EREFUSED, "sound");
	keys_give(altered(rsa_key, NULL, "e", json_string("AQ")), "k", "RS256", rsa_key,
	    ARK_EREFUSED, "sound");
	keys_give(altered(rsa_key, NULL, "e", json_string("AAAB")), "k", "RS256", rsa_key,
	    ARK_EREFUSED, "sound");
	keys_give(altered(rsa_key, NULL, "e", json_string("AAAA")), "k", "RS256", rsa_key,
	    ARK_EREFUSED, "sound");
	keys_give(altered(rsa_key, NULL, "e", json_string("")), "k", "RS256", rsa_key, ARK_EREFUSED,
	    "sound");
	keys_give(altered(rsa_key, NULL, "n", json_string("")), "k", "RS256", rsa_key, ARK_EREFUSED,
	    "sound");
	keys_give(altered(rsa_key, NULL, "n", json_integer(7)), "k", "RS256", rsa_key, ARK_EREFUSED,
	    "sound");
	keys_give(altered(rsa_key, NULL, "n", json_string("!!!")), "k", "RS256", rsa_key,
	    ARK_EREFUSED, "sound");
}

static void test_oidc_token__two_keys_with_one_name_are_refused(void **state)
{
	(void)state;
	keys_give(
	    json_pack("{s:[o,o]}", "keys", jwk(rsa_key, "k", NULL), jwk(other_rsa, "k", NULL)), "k",
	    "RS256", rsa_key, ARK_EREFUSED, "two keys");
	keys_give(
	    json_pack("{s:[o,o]}", "keys", jwk(rsa_key, "a", NULL), jwk(other_rsa, "b", NULL)),
	    NULL, "RS256", rsa_key, ARK_EREFUSED, "two keys");
	/* of two types they cannot be confused */
	keys_give(json_pack("{s:[o,o]}", "keys", jwk(rsa_key, "k", NULL), jwk(p256, "k", "P-256")),
	    "k", "ES256", p256, ARK_OK, "");
	keys_give(json_pack("{s:[o]}", "keys", jwk(other_rsa, "rsa", NULL)), "rsa", "RS256",
	    rsa_key, ARK_EREFUSED, "signature");
}

static void test_oidc_keys__set_without_bounds_is_refused(void **state)
{
	struct ark_error err;
	json_t *set = NULL, *many = json_array();
	struct buf large = BUF_INIT;
	char *text;

	(void)state;
	assert_int_equal(oidc_keys_read("{}", 2, &set, &err), ARK_EINPUT);
	assert_int_equal(oidc_keys_read("{\"keys\":{}}", 11, &set, &err), ARK_EINPUT);
	assert_int_equal(oidc_keys_read("", 0, &set, &err), ARK_EINPUT);
	assert_int_equal(oidc_keys_read("{\"keys\":[],\"keys\":[]}", 21, &set, &err), ARK_EINPUT);
	for (int i = 0; i < OIDC_KEYS_COUNT + 1; i++)
		json_array_append_new(many, json_object());
	many = json_pack("{s:o}", "keys", many);
	text = json_dumps(many, 0);
	assert_int_equal(oidc_keys_read(text, strlen(text), &set, &err), ARK_EINPUT);
	for (int i = 0; i < OIDC_KEYS_MAX + 1; i++)
		buf_addc(&large, ' ');
	buf_adds(&large, "{\"keys\":[]}");
	assert_int_equal(oidc_keys_read(large.data, large.len, &set, &err), ARK_EINPUT);
	assert_null(set);
	assert_int_equal(oidc_keys_read("{\"keys\":[1,{}]}", 15, &set, &err), ARK_OK);
	json_decref(set);
	free(text);
	buf_free(&large);
	json_decref(many);
}

/* ---- claims ---- */

static void test_oidc_token__times_are_looked_at(void **state)
{
	(void)state;
	with("exp", NULL, ARK_EREFUSED, "exp");
	with("exp", json_string("1790000300"), ARK_EREFUSED, "exp");
	with("exp", json_integer(-5), ARK_EREFUSED, "exp");
	with("exp", json_real(1e300), ARK_EREFUSED, "exp");
	with("exp", json_integer(NOW - 61), ARK_EREFUSED, "expired");
	with("exp", json_integer(NOW - 60), ARK_EREFUSED, "expired");
	with("exp", json_integer(NOW - 59), ARK_OK, "");
	with("exp", json_real(NOW + 10.5), ARK_OK, "");
	with("iat", NULL, ARK_EREFUSED, "iat");
	with("iat", json_integer(NOW + 61), ARK_EREFUSED, "future");
	with("iat", json_integer(NOW + 60), ARK_OK, "");
	with("iat", json_integer(NOW - 661), ARK_EREFUSED, "long ago");
	with("iat", json_integer(NOW - 660), ARK_OK, "");
	with("nbf", json_integer(NOW + 61), ARK_EREFUSED, "nbf");
	with("nbf", json_string("x"), ARK_EREFUSED, "nbf");
	with("nbf", json_integer(NOW), ARK_OK, "");
}

static void test_oidc_token__of_others_is_refused(void **state)
{
	json_t *many = json_array();

	(void)state;
	with("iss", json_string("https://idp.example.test/realm/"), ARK_EREFUSED, "iss");
	with("iss", json_string("https://evil.example.test"), ARK_EREFUSED, "iss");
	with("iss", json_pack("[s]", ISSUER), ARK_EREFUSED, "iss");
	with("iss", NULL, ARK_EREFUSED, "iss");
	with("aud", json_string("another"), ARK_EREFUSED, "aud");
	with("aud", NULL, ARK_EREFUSED, "aud");
	with("aud", json_pack("[]"), ARK_EREFUSED, "aud");
	with("aud", json_pack("[s]", CLIENT), ARK_OK, "");
	with("aud", json_pack("[s]", "another"), ARK_EREFUSED, "aud");
	with("aud", json_pack("[s,i]", CLIENT, 1), ARK_EREFUSED, "aud");
	with("aud", json_pack("[s,s]", CLIENT, "another"), ARK_EREFUSED, "azp");
	with("azp", json_string("another"), ARK_EREFUSED, "azp");
	with("azp", json_integer(1), ARK_EREFUSED, "azp");
	with("azp", json_string(CLIENT), ARK_OK, "");
	for (int i = 0; i < 33; i++)
		json_array_append_new(many, json_string(CLIENT));
	with("aud", many, ARK_EREFUSED, "aud");
	many = good_claims();
	json_object_set_new(many, "aud", json_pack("[s,s]", "another", CLIENT));
	json_object_set_new(many, "azp", json_string(CLIENT));
	claims_give(many, ARK_OK, "");
}

static void test_oidc_token__nonce_of_another_question_is_refused(void **state)
{
	(void)state;
	with("nonce", json_string("another"), ARK_EREFUSED, "nonce");
	with("nonce", json_string("n-0S6_WzA2Mk"), ARK_EREFUSED, "nonce");
	with("nonce", json_string(""), ARK_EREFUSED, "nonce");
	with("nonce", NULL, ARK_EREFUSED, "nonce");
}

static void test_oidc_token__subject_is_1_to_255_plain_bytes(void **state)
{
	char long_one[301];

	(void)state;
	memset(long_one, 'a', sizeof(long_one));
	long_one[300] = '\0';
	with("sub", json_string(""), ARK_EREFUSED, "sub");
	with("sub", NULL, ARK_EREFUSED, "sub");
	with("sub", json_integer(7), ARK_EREFUSED, "sub");
	with("sub", json_string(long_one), ARK_EREFUSED, "sub");
	long_one[255] = '\0';
	with("sub", json_string(long_one), ARK_OK, "");
	with("sub", json_string("a\nb"), ARK_EREFUSED, "sub");
	with("sub", json_string("a\x7f"), ARK_EREFUSED, "sub");
	with("sid", json_string(long_one), ARK_EREFUSED, "sid");
	long_one[127] = '\0';
	with("sid", json_string(long_one), ARK_OK, "");
}

static void test_oidc_token__at_hash_binds_the_access_token(void **state)
{
	/* the example of OpenID Connect Core, A.3 */
	static const char access[] = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
	struct oidc_expected e = usual;
	json_t *claims = good_claims(), *keys = all_keys();
	struct ark_error err = {0};
	char *payload, *token;

	(void)state;
	json_object_set_new(claims, "at_hash", json_string("77QmUPtjPfzWtF2AnpK9RQ"));
	payload = json_dumps(claims, JSON_COMPACT);
	token = token_of("{\"alg\":\"RS256\",\"kid\":\"rsa\"}", payload, rsa_key, "RS256");
	e.access_token = access;
	expect(check_with(token, keys, &e, &err), ARK_OK, &err, "");
	e.access_token = "another";
	expect(check_with(token, keys, &e, &err), ARK_EREFUSED, &err, "at_hash");
	e.access_token = NULL;
	expect(check_with(token, keys, &e, &err), ARK_EREFUSED, &err, "at_hash");
	free(token);
	free(payload);
	json_decref(keys);
	json_decref(claims);
}

/* ---- what was changed on the way ---- */

static void test_oidc_token__changed_or_cut_is_refused(void **state)
{
	json_t *claims = good_claims(), *keys = all_keys();
	char *payload = json_dumps(claims, JSON_COMPACT);
	char *token = token_of("{\"alg\":\"ES256\",\"kid\":\"p256\"}", payload, p256, "ES256");
	size_t n = strlen(token);
	struct ark_error err = {0};
	json_t *ret = NULL;
	char *more = malloc(n + 8);

	(void)state;
	expect(check_with(token, keys, &usual, &err), ARK_OK, &err, "");
	for (size_t i = 0; i < n; i++) {
		char kept = token[i];

		token[i] = kept == 'A' ? 'B' : 'A';
		if (check_with(token, keys, &usual, &err) == ARK_OK)
			fail_msg("a change at %zu of %zu was not seen", i, n);
		token[i] = kept;
		if (oidc_token_check(token, i, keys, &usual, &ret, &err) == ARK_OK)
			fail_msg("cut at %zu of %zu was not seen", i, n);
	}
	snprintf(more, n + 8, "%s.", token);
	expect(check_with(more, keys, &usual, &err), ARK_EINPUT, &err, "three parts");
	snprintf(more, n + 8, ".%s", token);
	expect(check_with(more, keys, &usual, &err), ARK_EINPUT, &err, "three parts");
	snprintf(more, n + 8, "%sAA", token); /* two bytes more than the signature has */
	expect(check_with(more, keys, &usual, &err), ARK_EREFUSED, &err, "signature");
	snprintf(more, n + 8, "%s=", token);
	expect(check_with(more, keys, &usual, &err), ARK_EINPUT, &err, "base64url");
	snprintf(more, n + 8, "%s\n", token);
	expect(check_with(more, keys, &usual, &err), ARK_EINPUT, &err, "base64url");
	expect(check_with("", keys, &usual, &err), ARK_EINPUT, &err, "three parts");
	expect(check_with("..", keys, &usual, &err), ARK_EINPUT, &err, "three parts");
	free(more);
	free(token);
	free(payload);
	json_decref(keys);
	json_decref(claims);
}

static void test_oidc_token__signature_of_other_length_is_refused(void **state)
{
	json_t *claims = good_claims(), *keys = all_keys();
	char *payload = json_dumps(claims, JSON_COMPACT);
	static const size_t lengths[] = {0, 1, 63, 64, 65, 66, 128, 256, 1000};
	static const char *const headers[] = {"{\"alg\":\"ES256\",\"kid\":\"p256\"}",
	    "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}"};
	static const unsigned char zeros[1000];
	struct ark_error err = {0};

	(void)state;
	for (size_t h = 0; h < 3; h++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
			struct buf t = BUF_INIT;

			part(&t, headers[h]);
			buf_addc(&t, '.');
			part(&t, payload);
			buf_addc(&t, '.');
			base64url_encode(&t, zeros, lengths[i]);
			expect(check_with(t.data, keys, &usual, &err), ARK_EREFUSED, &err,
			    "signature");
			buf_free(&t);
		}
	{ /* a good ECDSA signature and a byte that the halving of cjose passes over */
		struct buf t = BUF_INIT, s = BUF_INIT;
		unsigned char sig[1100];
		size_t n;

		part(&t, headers[0]);
		buf_addc(&t, '.');
		part(&t, payload);
		n = sign(p256, "ES256", &t, sig);
		sig[n] = 7;
		buf_addc(&t, '.');
		base64url_encode(&t, sig, n + 1);
		expect(check_with(t.data, keys, &usual, &err), ARK_EREFUSED, &err, "signature");
		buf_free(&t);
		buf_free(&s);
	}
	free(payload);
	json_decref(keys);
	json_decref(claims);
}

static void test_oidc_token__of_a_megabyte_is_refused(void **state)
{
	size_t n = 1 << 20;
	char *token = malloc(n + 1);
	json_t *keys = all_keys();
	struct ark_error err = {0};

	(void)state;
	memset(token, 'A', n);
	token[n] = '\0';
	token[10] = token[100] = '.';
	expect(check_with(token, keys, &usual, &err), ARK_EINPUT, &err, "16 KiB");
	free(token);
	json_decref(keys);
}

static void payload_gives(const char *payload, int want)
{
	char *token = token_of("{\"alg\":\"ES256\",\"kid\":\"p256\"}", payload, p256, "ES256");
	json_t *keys = all_keys();
	struct ark_error err = {0};

	expect(check_with(token, keys, &usual, &err), want, &err, "");
	json_decref(keys);
	free(token);
}

static void test_oidc_token__json_of_two_readings_is_refused(void **state)
{
	(void)state;
	payload_gives("{\"iss\":\"" ISSUER
		      "\",\"aud\":\"arkki\",\"sub\":\"a\",\"sub\":\"b\",\"nonce\":\"" NONCE
		      "\",\"exp\":1790000300,\"iat\":1790000000}",
	    ARK_EINPUT);
	payload_gives("{\"iss\":\"" ISSUER "\",\"aud\":\"arkki\",\"sub\":\"a\",\"nonce\":\"" NONCE
		      "\",\"exp\":1790000300,\"iat\":1790000000}",
	    ARK_OK);
	payload_gives("{\"iss\":\"" ISSUER "\",\"aud\":\"arkki\",\"sub\":\"a\",\"nonce\":\"" NONCE
		      "\",\"exp\":1790000300,\"iat\":1790000000}{}",
	    ARK_EINPUT);
	payload_gives("[]", ARK_EINPUT);
	payload_gives("\"a\"", ARK_EINPUT);
	payload_gives("", ARK_EINPUT);
	payload_gives("{\"sub\":\"\xff\"}", ARK_EINPUT);
}

/* ---- logout tokens ---- */

#define EVENTS "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"

static void logout_gives(const char *more, int want, const char *word)
{
	struct oidc_expected e = {.kind = OIDC_LOGOUT_TOKEN,
	    .issuer = ISSUER,
	    .client = CLIENT,
	    .now_us = NOW * 1000000LL};
	char payload[800], *token;
	json_t *keys = all_keys();
	struct ark_error err = {0};

	snprintf(payload, sizeof(payload),
	    "{\"iss\":\"" ISSUER "\",\"aud\":\"arkki\",\"iat\":1790000000%s}", more);
	token = token_of("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"logout+jwt\"}", payload,
	    rsa_key, "RS256");
	expect(check_with(token, keys, &e, &err), want, &err, word);
	free(token);
	json_decref(keys);
}

static void test_oidc_logout__token_is_what_the_standard_says(void **state)
{
	(void)state;
	logout_gives(",\"jti\":\"1\",\"sub\":\"a\"," EVENTS, ARK_OK, "");
	logout_gives(",\"jti\":\"1\",\"sid\":\"s\",\"exp\":1790000100," EVENTS, ARK_OK, "");
	logout_gives(
	    ",\"jti\":\"1\",\"sid\":\"s\",\"exp\":1780000100," EVENTS, ARK_EREFUSED, "expired");
	logout_gives(",\"jti\":\"1\"," EVENTS, ARK_EREFUSED, "sub");
	logout_gives(",\"jti\":\"1\",\"sub\":\"\"," EVENTS, ARK_EREFUSED, "sub");
	logout_gives(",\"sub\":\"a\"," EVENTS, ARK_EREFUSED, "jti");
	logout_gives(",\"jti\":\"1\",\"sub\":\"a\"", ARK_EREFUSED, "events");
	logout_gives(",\"jti\":\"1\",\"sub\":\"a\",\"events\":[]", ARK_EREFUSED, "events");
	logout_gives(
	    ",\"jti\":\"1\",\"sub\":\"a\",\"events\":{\"other\":{}}", ARK_EREFUSED, "events");
	logout_gives(",\"jti\":\"1\",\"sub\":\"a\",\"nonce\":\"n\"," EVENTS, ARK_EREFUSED, "nonce");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_oidc_token__good_of_each_algorithm_is_taken),
	    cmocka_unit_test(test_oidc_token__keys_of_the_token_itself_are_not_looked_at),
	    cmocka_unit_test(test_oidc_token__none_is_refused),
	    cmocka_unit_test(test_oidc_token__shared_secret_of_the_public_key_is_refused),
	    cmocka_unit_test(test_oidc_token__extensions_and_other_types_are_refused),
	    cmocka_unit_test(test_oidc_token__key_that_does_not_fit_is_refused),
	    cmocka_unit_test(test_oidc_token__weak_or_senseless_rsa_key_is_refused),
	    cmocka_unit_test(test_oidc_token__two_keys_with_one_name_are_refused),
	    cmocka_unit_test(test_oidc_keys__set_without_bounds_is_refused),
	    cmocka_unit_test(test_oidc_token__times_are_looked_at),
	    cmocka_unit_test(test_oidc_token__of_others_is_refused),
	    cmocka_unit_test(test_oidc_token__nonce_of_another_question_is_refused),
	    cmocka_unit_test(test_oidc_token__subject_is_1_to_255_plain_bytes),
	    cmocka_unit_test(test_oidc_token__at_hash_binds_the_access_token),
	    cmocka_unit_test(test_oidc_token__changed_or_cut_is_refused),
	    cmocka_unit_test(test_oidc_token__signature_of_other_length_is_refused),
	    cmocka_unit_test(test_oidc_token__of_a_megabyte_is_refused),
	    cmocka_unit_test(test_oidc_token__json_of_two_readings_is_refused),
	    cmocka_unit_test(test_oidc_logout__token_is_what_the_standard_says),
	};

	return cmocka_run_group_tests(tests, keys_begin, keys_end);
}
