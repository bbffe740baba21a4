#include "api/oidc_provider.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/oidc_http.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

#define SECOND ((int64_t)1000000)

enum { FRESH_S = 3600, KEPT_S = 24 * 3600, UNKNOWN_S = 60, DOWN_S = 2 };

/* Something that was asked for and is kept. Times are of the clock that only goes forward; 0: never. */
struct kept {
	json_t *value;
	int64_t at_us, failed_us;
};

struct oidc_provider {
	atomic_uint refs;
	json_t *config;
	pthread_mutex_t lock; /* of what follows; never held while the provider is asked */
	struct kept document, keys;
	int64_t unknown_us; /* when keys were last asked for because of a token */
};

int oidc_provider_new(json_t *config, struct oidc_provider **ret, struct ark_error *err)
{
	struct oidc_provider *p = calloc(1, sizeof(*p));

	if (!p)
		return ark_fail(err, ARK_ENOMEM, "no memory for a provider");
	atomic_init(&p->refs, 1);
	p->config = json_incref(config);
	pthread_mutex_init(&p->lock, NULL);
	*ret = p;
	return ARK_OK;
}

struct oidc_provider *oidc_provider_ref(struct oidc_provider *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void oidc_provider_unref(struct oidc_provider *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	json_decref(p->document.value);
	json_decref(p->keys.value);
	json_decref(p->config);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

const json_t *oidc_provider_config(const struct oidc_provider *p)
{
	return p->config;
}

const char *oidc_provider_text(const struct oidc_provider *p, const char *member)
{
	return json_text(p->config, member);
}

/* ---- asking ---- */

static int get_json(struct oidc_provider *p, const char *url, const char *bearer,
    const atomic_bool *stop, json_t **ret, struct ark_error *err)
{
	const struct oidc_request r = {
	    .url = url, .bearer = bearer, .ca_file = oidc_provider_text(p, "caFile"), .stop = stop};
	struct buf answer = BUF_INIT;
	long status = 0;
	int rc = oidc_http(&r, &status, &answer, err);

	if (!rc && status != 200)
		rc = ark_fail(err, ARK_EIO, "it answers %ld", status);
	/* why it is none would quote it: who types an address is not to read what answers there */
	if (!rc && json_read(answer.data, answer.len, ret, NULL))
		rc = ark_fail(err, ARK_EIO, "the answer is no JSON");
	buf_free(&answer);
	return rc;
}

/* An endpoint that the document names. A provider elsewhere must not send us to this machine. */
static int check_endpoint(const json_t *config, const json_t *document, const char *member,
    bool needed, struct ark_error *err)
{
	const char *url = json_text(document, member);
	bool here = false, at_home = false;

	if (!json_object_get(document, member) && !needed)
		return ARK_OK;
	oidc_url_valid(json_text(config, "issuer"), &at_home);
	if (!url || !oidc_url_valid(url, &here) || (here && !at_home))
		return ark_fail(err, ARK_EINPUT,
		    "the provider's discovery document has no %s that may be used", member);
	return ARK_OK;
}

/* What a list of the document must hold, where there is such a list. */
static bool lists(const json_t *document, const char *member, const char *value, bool otherwise)
{
	const json_t *list = json_object_get(document, member), *one;
	size_t i;

	if (!list)
		return otherwise;
	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), value) == 0)
			return true;
	}
	return false;
}

static bool lists_algorithm(const json_t *document)
{
	const json_t *list = json_object_get(document, "id_token_signing_alg_values_supported"),
		     *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && oidc_algorithm(json_string_value(one)))
			return true;
	}
	return !list;
}

int oidc_document_check(const json_t *config, const json_t *document, struct ark_error *err)
{
	const char *issuer = json_text(document, "issuer");
	static const char methods[] = "token_endpoint_auth_methods_supported";
	int rc;

	if (!issuer || strcmp(issuer, json_text(config, "issuer")) != 0)
		return ark_fail(err, ARK_EINPUT,
		    "the provider's discovery document is of another issuer than the configuration "
		    "names");
	rc = check_endpoint(config, document, "authorization_endpoint", true, err);
	if (!rc)
		rc = check_endpoint(config, document, "token_endpoint", true, err);
	if (!rc)
		rc = check_endpoint(config, document, "jwks_uri", true, err);
	if (!rc)
		rc = check_endpoint(config, document, "end_session_endpoint", false, err);
	if (!rc)
		rc = check_endpoint(config, document, "userinfo_endpoint", false, err);
	if (!rc && (!lists(document, "response_types_supported", "code", true) ||
		       !lists(document, "code_challenge_methods_supported", "S256", true)))
		rc = ark_fail(
		    err, ARK_EINPUT, "the provider does not offer the code flow with PKCE (S256)");
	if (!rc && !lists(document, methods, "client_secret_basic", true) &&
	    !lists(document, methods, "client_secret_post", false))
		rc = ark_fail(err, ARK_EINPUT, "the provider takes no client secret");
	if (!rc && !lists_algorithm(document))
		rc =
		    ark_fail(err, ARK_EINPUT, "the provider signs with no algorithm that is taken");
	return rc;
}

static int ask_document(
    struct oidc_provider *p, const atomic_bool *stop, json_t **ret, struct ark_error *err)
{
	const char *issuer = oidc_provider_text(p, "issuer");
	struct buf url = BUF_INIT;
	int rc;

	buf_add(&url, issuer, strlen(issuer) - (issuer[strlen(issuer) - 1] == '/'));
	buf_adds(&url, "/.well-known/openid-configuration");
	rc = buf_failed(&url) ? ark_fail(err, ARK_ENOMEM, "no memory for an address")
			      : get_json(p, url.data, NULL, stop, ret, err);
	if (!rc)
		rc = oidc_document_check(p->config, *ret, err);
	else
		rc = ark_fail_within(err, rc, "the provider's discovery document");
	if (rc) {
		json_decref(*ret);
		*ret = NULL;
	}
	buf_free(&url);
	return rc;
}

static int ask_keys(
    struct oidc_provider *p, const atomic_bool *stop, json_t **ret, struct ark_error *err)
{
	json_t *document = NULL, *answer = NULL;
	struct buf text = BUF_INIT;
	int rc = oidc_provider_document(p, stop, &document, err);

	if (!rc) {
		rc = get_json(p, json_text(document, "jwks_uri"), NULL, stop, &answer, err);
		/* read again by the rules for keys: their number and size are bounded there */
		if (!rc)
			rc = json_write(&text, answer, err);
		if (!rc && oidc_keys_read(text.data, text.len, ret, err))
			rc = ARK_EIO;
		if (rc)
			rc = ark_fail_within(err, rc, "the provider's keys");
	}
	buf_free(&text);
	json_decref(answer);
	json_decref(document);
	return rc;
}

/* ---- keeping ---- */

typedef int ask_fn(
    struct oidc_provider *p, const atomic_bool *stop, json_t **ret, struct ark_error *err);

static json_t *take(struct oidc_provider *p, const struct kept *k, int64_t not_older_us)
{
	int64_t now = clock_monotonic_us();
	json_t *value = NULL;

	pthread_mutex_lock(&p->lock);
	if (k->value && now - k->at_us < not_older_us)
		value = json_incref(k->value);
	pthread_mutex_unlock(&p->lock);
	return value;
}

static bool failed_lately(struct oidc_provider *p, const struct kept *k)
{
	int64_t now = clock_monotonic_us();
	bool failed;

	pthread_mutex_lock(&p->lock);
	failed = k->failed_us && now - k->failed_us < DOWN_S * SECOND;
	pthread_mutex_unlock(&p->lock);
	return failed;
}

static void keep(struct oidc_provider *p, struct kept *k, json_t *value)
{
	int64_t now = clock_monotonic_us();
	json_t *before = NULL;

	pthread_mutex_lock(&p->lock);
	if (value) {
		before = k->value;
		*k = (struct kept){.value = json_incref(value), .at_us = now};
	} else {
		k->failed_us = now;
	}
	pthread_mutex_unlock(&p->lock);
	json_decref(before);
}

/* Fresh, or asked for, or where that fails what is kept from a day ago at most. */
static int kept_or_asked(struct oidc_provider *p, struct kept *k, bool anew, ask_fn *ask,
    const atomic_bool *stop, json_t **ret, struct ark_error *err)
{
	int rc;

	*ret = anew ? NULL : take(p, k, FRESH_S * SECOND);
	if (*ret)
		return ARK_OK;
	if (failed_lately(p, k)) {
		rc = ark_fail(err, ARK_EIO, "the provider did not answer a moment ago");
	} else {
		rc = ask(p, stop, ret, err);
		keep(p, k, rc ? NULL : *ret);
	}
	if (rc && (*ret = take(p, k, KEPT_S * SECOND)))
		rc = ARK_OK;
	return rc;
}

int oidc_provider_document(
    struct oidc_provider *p, const atomic_bool *stop, json_t **ret, struct ark_error *err)
{
	return kept_or_asked(p, &p->document, false, ask_document, stop, ret, err);
}

json_t *oidc_provider_kept(struct oidc_provider *p)
{
	return take(p, &p->document, INT64_MAX);
}

/* ---- tokens ---- */

/* A token names a key that is not there: may the keys be asked for once more? */
static bool may_ask_anew(struct oidc_provider *p)
{
	int64_t now = clock_monotonic_us();
	bool may;

	pthread_mutex_lock(&p->lock);
	may = !p->unknown_us || now - p->unknown_us >= UNKNOWN_S * SECOND;
	if (may)
		p->unknown_us = now;
	pthread_mutex_unlock(&p->lock);
	return may;
}

int oidc_provider_check(struct oidc_provider *p, const char *token, struct oidc_expected *expected,
    const atomic_bool *stop, json_t **ret, struct ark_error *err)
{
	json_t *keys = NULL;
	size_t len = strlen(token);
	int rc;

	expected->issuer = oidc_provider_text(p, "issuer");
	expected->client = oidc_provider_text(p, "clientId");
	rc = kept_or_asked(p, &p->keys, false, ask_keys, stop, &keys, err);
	if (rc)
		return rc;
	rc = oidc_token_check(token, len, keys, expected, ret, err);
	json_decref(keys);
	if (rc != ARK_ENOTFOUND || !may_ask_anew(p))
		return rc;
	rc = kept_or_asked(p, &p->keys, true, ask_keys, stop, &keys, err);
	if (rc)
		return rc;
	rc = oidc_token_check(token, len, keys, expected, ret, err);
	json_decref(keys);
	return rc;
}

static void form_add(struct buf *form, const char *name, const char *value)
{
	buf_addf(form, "%s%s=", form->len ? "&" : "", name);
	percent_encode(form, value, strlen(value));
}

/* RFC 6749, 5.2: what a refusal calls itself, as far as that is a word. */
static void refusal_word(const json_t *answer, char out[41])
{
	const char *word = json_text(answer, "error");
	size_t n = word ? strspn(word, "abcdefghijklmnopqrstuvwxyz_") : 0;

	if (!word || word[n] || !n || n > 40) {
		word = "no reason";
		n = strlen(word);
	}
	memcpy(out, word, n);
	out[n] = '\0';
}

static int read_tokens(long status, const struct buf *answer, json_t **ret, struct ark_error *err)
{
	const char *type;
	char word[41];
	json_t *json = NULL;
	int rc = ARK_OK;

	if (status != 200 && status != 400 && status != 401)
		return ark_fail(err, ARK_EIO, "the provider's token endpoint answers %ld", status);
	if (json_read(answer->data, answer->len, &json, err))
		return ark_fail_within(err, ARK_EIO, "the provider's token endpoint");
	type = json_text(json, "token_type");
	if (status != 200) {
		refusal_word(json, word);
		rc = ark_fail(err, ARK_EREFUSED, "the provider refuses the code: %s", word);
	} else if (!json_text(json, "id_token") || !type || strcasecmp(type, "Bearer") != 0) {
		rc = ark_fail(err, ARK_EREFUSED, "the provider gives no ID token");
	}
	if (rc)
		json_decref(json);
	else
		*ret = json;
	return rc;
}

int oidc_provider_redeem(struct oidc_provider *p, const struct oidc_code *code,
    const atomic_bool *stop, json_t **ret, struct ark_error *err)
{
	const char *client = oidc_provider_text(p, "clientId"),
		   *secret = oidc_provider_text(p, "clientSecret");
	struct buf form = BUF_INIT, user = BUF_INIT, password = BUF_INIT, answer = BUF_INIT;
	struct oidc_request r = {.ca_file = oidc_provider_text(p, "caFile"), .stop = stop};
	json_t *document = NULL;
	long status = 0;
	int rc = oidc_provider_document(p, stop, &document, err);

	if (rc)
		return rc;
	form_add(&form, "grant_type", "authorization_code");
	form_add(&form, "code", code->code);
	form_add(&form, "redirect_uri", code->redirect_uri);
	form_add(&form, "code_verifier", code->verifier);
	if (lists(document, "token_endpoint_auth_methods_supported", "client_secret_basic", true)) {
		percent_encode(&user, client, strlen(client)); /* RFC 6749, 2.3.1 */
		percent_encode(&password, secret, strlen(secret));
		r.user = user.data;
		r.password = password.data;
	} else {
		form_add(&form, "client_id", client);
		form_add(&form, "client_secret", secret);
	}
	r.url = json_text(document, "token_endpoint");
	r.form = form.data;
	rc = buf_failed(&form) || buf_failed(&user) || buf_failed(&password)
		 ? ark_fail(err, ARK_ENOMEM, "no memory for a request")
		 : oidc_http(&r, &status, &answer, err);
	if (rc)
		rc = ark_fail_within(err, rc, "the provider's token endpoint");
	else
		rc = read_tokens(status, &answer, ret, err);
	buf_wipe_free(&form);
	buf_wipe_free(&user);
	buf_wipe_free(&password);
	buf_wipe_free(&answer);
	json_decref(document);
	return rc;
}

/* ---- claims that the ID token lacks ---- */

enum { WANTED = 6 };

/* What the configuration looks at, in an array that ends with NULL. */
static void wanted_claims(const json_t *config, const char *out[WANTED])
{
	const json_t *user = json_object_get(config, "user");
	const char *match = json_text(user, "match"), *roles;
	unsigned int n = 0;

	if (match && strcmp(match, "identity") != 0 && json_text(user, "claim"))
		out[n++] = json_text(user, "claim");
	if (match && strcmp(match, "email") == 0)
		out[n++] = "email_verified";
	roles = json_text(json_object_get(config, "roles"), "claim");
	if (roles)
		out[n++] = roles;
	if (json_is_true(json_object_get(config, "create"))) {
		out[n++] = "name";
		out[n++] = "email";
	}
	out[n] = NULL;
}

static int add_claims(
    json_t *claims, const json_t *info, const char *const *wanted, struct ark_error *err)
{
	const char *sub = json_text(info, "sub");

	/* Core, 5.3.2: the two answers must be about the same person */
	if (!sub || strcmp(sub, json_text(claims, "sub")) != 0)
		return ark_fail(
		    err, ARK_EREFUSED, "what the userinfo endpoint says is about somebody else");
	for (; *wanted; wanted++) {
		json_t *value = json_object_get(info, *wanted);

		if (value && !json_object_get(claims, *wanted) &&
		    json_object_set(claims, *wanted, value))
			return ark_fail(err, ARK_ENOMEM, "no memory for claims");
	}
	return ARK_OK;
}

int oidc_provider_complete(struct oidc_provider *p, const char *access_token, json_t *claims,
    const atomic_bool *stop, struct ark_error *err)
{
	json_t *document = NULL, *info = NULL;
	const char *wanted[WANTED], *url;
	bool missing = false;
	int rc = oidc_provider_document(p, stop, &document, err);

	wanted_claims(p->config, wanted);
	for (const char **w = wanted; *w; w++)
		missing = missing || !json_object_get(claims, *w);
	url = json_text(document, "userinfo_endpoint");
	if (!rc && missing && url && access_token) {
		rc = get_json(p, url, access_token, stop, &info, err);
		if (rc)
			rc = ark_fail_within(err, rc, "the provider's userinfo endpoint");
		else
			rc = add_claims(claims, info, wanted, err);
	}
	json_decref(info);
	json_decref(document);
	return rc;
}
