#include "api/oidc_token.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"

#define LOGOUT_EVENT "http://schemas.openid.net/event/backchannel-logout"

enum { AUDIENCES_MAX = 32, SUBJECT_MAX = 255, SESSION_MAX = 127 };

struct parts {
	const char *text[3];
	size_t len[3];
};

static int refuse(struct ark_error *err, const char *what)
{
	return ark_fail(err, ARK_EREFUSED, "%s", what);
}

/* ---- the form of a token ---- */

static int split(const char *token, size_t len, struct parts *ret, struct ark_error *err)
{
	const char *at = token, *end = token + len;

	if (len > OIDC_TOKEN_MAX)
		return ark_fail(err, ARK_EINPUT, "the token is larger than 16 KiB");
	for (unsigned int i = 0; i < 3; i++) {
		const char *dot = i < 2 ? memchr(at, '.', (size_t)(end - at)) : end;

		if (!dot || (dot == at && i < 2) || (i == 2 && memchr(at, '.', (size_t)(end - at))))
			return ark_fail(
			    err, ARK_EINPUT, "the token is not three parts with dots between");
		ret->text[i] = at;
		ret->len[i] = (size_t)(dot - at);
		at = dot + 1;
	}
	return ARK_OK;
}

static int header_of(const struct parts *p, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = ARK_OK;

	if (!base64url_decode(&text, p->text[0], p->len[0]))
		rc = ark_fail(err, ARK_EINPUT, "the token's header is not base64url");
	if (!rc)
		rc = json_read(text.data, text.len, ret, err);
	if (!rc && !json_is_object(*ret))
		rc = ark_fail(err, ARK_EINPUT, "the token's header is no object");
	buf_free(&text);
	return rc;
}

static int algorithm_of(
    const json_t *header, const struct oidc_algorithm **ret, struct ark_error *err)
{
	const char *name = json_text(header, "alg");

	*ret = name ? oidc_algorithm(name) : NULL;
	if (!*ret)
		return refuse(err, "the token's algorithm is not one that is taken");
	if (json_object_get(header, "crit") || json_object_get(header, "b64"))
		return refuse(err, "the token asks for an extension (\"crit\", \"b64\")");
	if (json_object_get(header, "kid") && !json_text(header, "kid"))
		return refuse(err, "the token's key is not named by a text");
	return ARK_OK;
}

/* The claims, once the signature is known to be the provider's. */
static int signed_claims(const struct parts *p, const char *token, size_t len, const json_t *keys,
    const json_t *header, const struct oidc_algorithm *algorithm, json_t **ret,
    struct ark_error *err)
{
	struct buf signature = BUF_INIT;
	const json_t *key;
	char *payload = NULL;
	size_t n = 0;
	int rc = ARK_OK;

	if (!base64url_decode(&signature, p->text[2], p->len[2]))
		rc = ark_fail(err, ARK_EINPUT, "the token's signature is not base64url");
	if (!rc)
		rc = oidc_key_choose(keys, json_text(header, "kid"), algorithm, &key, err);
	if (!rc)
		rc = oidc_key_verify(key, algorithm, token, len, signature.len, &payload, &n, err);
	if (!rc)
		rc = json_read(payload, n, ret, err);
	if (!rc && !json_is_object(*ret))
		rc = ark_fail(err, ARK_EINPUT, "what the token holds is no object");
	free(payload);
	buf_free(&signature);
	return rc;
}

/* ---- what it says ---- */

/* A NumericDate (RFC 7519), in whole seconds; -1 when there is none, -2 when it is none of sense. */
static int64_t date_of(const json_t *claims, const char *name)
{
	const json_t *value = json_object_get(claims, name);
	double d;

	if (!value)
		return -1;
	if (!json_is_number(value))
		return -2;
	d = json_number_value(value);
	return d >= 0 && d < 1e12 ? (int64_t)d : -2;
}

static int check_times(const json_t *claims, const struct oidc_expected *e, struct ark_error *err)
{
	int64_t now = e->now_us / 1000000, exp = date_of(claims, "exp"),
		iat = date_of(claims, "iat"), nbf = date_of(claims, "nbf");

	/* drafts of back-channel logout had no "exp": its age bounds such a token */
	if (exp == -2 || (exp == -1 && e->kind == OIDC_ID_TOKEN))
		return refuse(err, "the token does not say when it ends (exp)");
	if (exp >= 0 && exp <= now - OIDC_SKEW_S)
		return refuse(err, "the token has expired (exp)");
	if (iat < 0)
		return refuse(err, "the token does not say when it was made (iat)");
	if (iat > now + OIDC_SKEW_S)
		return refuse(err, "the token was made in the future (iat): compare the clocks");
	if (iat < now - OIDC_AGE_S - OIDC_SKEW_S)
		return refuse(err, "the token was made too long ago (iat): compare the clocks");
	if (nbf == -2 || nbf > now + OIDC_SKEW_S)
		return refuse(err, "the token is not valid yet (nbf)");
	return ARK_OK;
}

static bool is_text(const json_t *value, const char *text)
{
	return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static int check_parties(const json_t *claims, const struct oidc_expected *e, struct ark_error *err)
{
	const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp"),
		     *one;
	bool ours = is_text(aud, e->client);
	size_t i;

	if (!is_text(json_object_get(claims, "iss"), e->issuer))
		return refuse(err, "the token is of another issuer (iss)");
	if (json_is_array(aud)) {
		if (json_array_size(aud) > AUDIENCES_MAX)
			return refuse(err, "the token is for too many (aud)");
		json_array_foreach(aud, i, one)
		{
			if (!json_is_string(one))
				return refuse(err, "the token is for what is no text (aud)");
			ours = ours || is_text(one, e->client);
		}
	}
	if (!ours)
		return refuse(err, "the token is for another client (aud)");
	if (azp ? !is_text(azp, e->client) : json_array_size(aud) > 1)
		return refuse(err, "the token was asked for by another client (azp)");
	return ARK_OK;
}

/* A text of 1 to max bytes without control characters. */
static bool is_plain(const json_t *value, size_t max)
{
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);

	if (!text || !n || n > max || strlen(text) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static int check_subject(const json_t *claims, const struct oidc_expected *e, struct ark_error *err)
{
	const json_t *sub = json_object_get(claims, "sub"), *sid = json_object_get(claims, "sid");

	if (sub ? !is_plain(sub, SUBJECT_MAX) : e->kind == OIDC_ID_TOKEN || !sid)
		return refuse(err, "the token does not say whom it is about (sub)");
	if (sid && !is_plain(sid, SESSION_MAX))
		return refuse(err, "the token's session is not 1 to 127 plain bytes (sid)");
	return ARK_OK;
}

/* The left half of the access token's hash (Core, 3.1.3.6): what came with the ID token is what it was made with. */
static int check_at_hash(const json_t *claims, const struct oidc_algorithm *algorithm,
    const char *access_token, struct ark_error *err)
{
	const json_t *claim = json_object_get(claims, "at_hash");
	const EVP_MD *md = algorithm->hash_bits == 256   ? EVP_sha256()
			   : algorithm->hash_bits == 384 ? EVP_sha384()
							 : EVP_sha512();
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct buf want = BUF_INIT;
	unsigned int n = 0;
	bool ok;

	if (!claim)
		return ARK_OK;
	if (!access_token)
		return refuse(
		    err, "the token is bound to an access token that did not come (at_hash)");
	ok = EVP_Digest(access_token, strlen(access_token), hash, &n, md, NULL) == 1;
	base64url_encode(&want, hash, n / 2);
	ok = ok && !buf_failed(&want) && is_text(claim, want.data);
	buf_free(&want);
	return ok ? ARK_OK : refuse(err, "the token is bound to another access token (at_hash)");
}

static int check_nonce(const json_t *claims, const char *nonce, struct ark_error *err)
{
	const char *has = json_text(claims, "nonce");
	size_t n = strlen(nonce);

	if (!n || !has || strlen(has) != n || !bytes_equal(has, nonce, n))
		return refuse(err, "the token answers another question (nonce)");
	return ARK_OK;
}

/* Neither an ID token nor any other may pass for a logout token (Back-Channel Logout, 2.6). */
static int check_logout(const json_t *claims, struct ark_error *err)
{
	const json_t *events = json_object_get(claims, "events");

	if (!json_is_object(events) || !json_is_object(json_object_get(events, LOGOUT_EVENT)))
		return refuse(err, "the token is not one of a logout (events)");
	if (json_object_get(claims, "nonce"))
		return refuse(err, "a logout token has no nonce");
	if (!is_plain(json_object_get(claims, "jti"), SUBJECT_MAX))
		return refuse(err, "the logout token has no number of its own (jti)");
	return ARK_OK;
}

static int check_type(const json_t *header, enum oidc_token_kind kind, struct ark_error *err)
{
	const json_t *typ = json_object_get(header, "typ");
	const char *name = json_string_value(typ);
	bool logout;

	if (!typ)
		return ARK_OK;
	if (!name)
		return refuse(err, "the token's type is no text (typ)");
	if (strncasecmp(name, "application/", 12) == 0)
		name += 12;
	logout = strcasecmp(name, "logout+jwt") == 0;
	if (strcasecmp(name, "JWT") != 0 && (kind == OIDC_ID_TOKEN || !logout))
		return refuse(err, "the token is of another type (typ)");
	return ARK_OK;
}

static int check_claims(const json_t *claims, const struct oidc_algorithm *algorithm,
    const struct oidc_expected *e, struct ark_error *err)
{
	int rc = check_parties(claims, e, err);

	if (!rc)
		rc = check_times(claims, e, err);
	if (!rc)
		rc = check_subject(claims, e, err);
	if (rc)
		return rc;
	if (e->kind == OIDC_LOGOUT_TOKEN)
		return check_logout(claims, err);
	rc = check_nonce(claims, e->nonce ? e->nonce : "", err);
	return rc ? rc : check_at_hash(claims, algorithm, e->access_token, err);
}

int oidc_token_check(const char *token, size_t len, const json_t *keys,
    const struct oidc_expected *expected, json_t **ret, struct ark_error *err)
{
	const struct oidc_algorithm *algorithm;
	json_t *header = NULL, *claims = NULL;
	struct parts p;
	int rc = split(token, len, &p, err);

	if (!rc)
		rc = header_of(&p, &header, err);
	if (!rc)
		rc = algorithm_of(header, &algorithm, err);
	if (!rc)
		rc = check_type(header, expected->kind, err);
	if (!rc)
		rc = signed_claims(&p, token, len, keys, header, algorithm, &claims, err);
	if (!rc)
		rc = check_claims(claims, algorithm, expected, err);
	if (!rc) {
		*ret = claims;
		claims = NULL;
	}
	json_decref(header);
	json_decref(claims);
	return rc;
}
