/* Addresses that may be asked, and what a configuration makes of claims; the rest of it needs a provider: tests/flow/test_oidc.py. */
#include "api/oidc_http.h"
#include "api/oidc_provider.h"
#include "arkki/policies/access.h"
#include "unit.h"

static void test_oidc_url__https_and_this_machine_are_taken(void **state)
{
	bool here;

	(void)state;
	assert_true(oidc_url_valid("https://idp.example.test/realm?x=1", &here));
	assert_false(here);
	assert_true(oidc_url_valid("https://idp.example.test:8443", &here));
	assert_true(oidc_url_valid("http://127.0.0.1:8080/a", &here));
	assert_true(here);
	assert_true(oidc_url_valid("http://localhost/a", &here));
	assert_true(here);
	assert_true(oidc_url_valid("http://[::1]:1/a", &here));
	assert_true(here);
	assert_true(oidc_url_valid("https://127.8.8.8/", &here));
	assert_true(here);
	/* written otherwise it is the same machine: curl asks it by the same reading */
	assert_true(oidc_url_valid("https://2130706433/", &here));
	assert_true(here);
}

static void test_oidc_url__others_are_refused(void **state)
{
	static const char *const bad[] = {"", "idp.example.test", "//idp.example.test/",
	    "http://idp.example.test/", "http://127.0.0.1.evil.example.test/",
	    "http://localhost.evil.example.test/", "http://128.0.0.1/",
	    "https://user@idp.example.test/", "https://user:word@idp.example.test/",
	    "http://evil@127.0.0.1/", "https://idp.example.test/#part",
	    "https://idp.example.test/a b", "https://idp.example.test/\n",
	    "https://idp.example.test/\xc3\xa4", "https://idp.example.test\\@127.0.0.1/",
	    "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "javascript:alert(1)",
	    "https://"};
	char long_one[OIDC_URL_MAX + 40] = "https://idp.example.test/";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (oidc_url_valid(bad[i], NULL))
			fail_msg("taken: %s", bad[i]);
	memset(long_one + strlen(long_one), 'a', OIDC_URL_MAX);
	assert_false(oidc_url_valid(long_one, NULL));
}

static json_t *json_of(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static void test_oidc_config__roles_come_from_a_text_or_a_list(void **state)
{
	static const struct {
		const char *claims;
		unsigned int roles;
	} all[] = {{"{}", 0}, {"{\"g\":\"a\"}", ACCESS_INSPECTOR},
	    {"{\"g\":[\"a\",\"b\",7,\"x\"]}", ACCESS_INSPECTOR | ACCESS_SUPERVISOR},
	    {"{\"g\":[[\"a\"]]}", 0}, {"{\"g\":{\"a\":1}}", 0}, {"{\"g\":\"root\"}", 0},
	    {"{\"h\":\"a\"}", 0}};
	/* one that was stored by hand: admin is never given, whatever the map says */
	json_t *config = json_of("{\"roles\":{\"claim\":\"g\",\"map\":{\"a\":[\"inspector\"],"
				 "\"b\":[\"supervisor\",\"inspector\"],\"root\":[\"admin\"]}}}");

	(void)state;
	assert_int_equal(oidc_config_roles_governed(config), ACCESS_INSPECTOR | ACCESS_SUPERVISOR);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		json_t *claims = json_of(all[i].claims);

		assert_int_equal(oidc_config_roles(config, claims), all[i].roles);
		json_decref(claims);
	}
	json_decref(config);
}

static void test_oidc_config__strong_is_what_it_says(void **state)
{
	static const struct {
		const char *claims;
		bool strong;
	} all[] = {{"{}", false}, {"{\"acr\":\"2\"}", true}, {"{\"acr\":\"1\"}", false},
	    {"{\"acr\":[\"2\"]}", false}, {"{\"amr\":[\"pwd\",\"mfa\"]}", true},
	    {"{\"amr\":[\"pwd\"]}", false}, {"{\"amr\":\"mfa\"}", false},
	    {"{\"acr\":\"mfa\"}", false}, {"{\"amr\":[\"2\"]}", false}};
	json_t *config = json_of("{\"strong\":{\"acr\":[\"2\"],\"amr\":[\"mfa\"]}}"),
	       *none = json_object();

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		json_t *claims = json_of(all[i].claims);

		assert_int_equal(oidc_config_strong(config, claims), all[i].strong);
		assert_false(oidc_config_strong(none, claims));
		json_decref(claims);
	}
	json_decref(none);
	json_decref(config);
}

/* The good document with one member (value taken; NULL: without it). */
static void document_gives(const char *member, json_t *value, int want, const char *word)
{
	json_t *config = json_of("{\"issuer\":\"https://idp.example.test/r\"}");
	json_t *document = json_of("{\"issuer\":\"https://idp.example.test/r\","
				   "\"authorization_endpoint\":\"https://idp.example.test/a?b\","
				   "\"token_endpoint\":\"https://token.example.test/t\","
				   "\"jwks_uri\":\"https://idp.example.test/k\"}");
	struct ark_error err = {0};
	int rc;

	if (member && value)
		json_object_set_new(document, member, value);
	else if (member)
		json_object_del(document, member);
	rc = oidc_document_check(config, document, &err);
	if (rc != want || (want && !strstr(err.text, word)))
		fail_msg("%s: got %d (%s)", member ? member : "good", rc, err.text);
	json_decref(document);
	json_decref(config);
}

static void test_oidc_document__is_of_the_issuer_and_stays_outside(void **state)
{
	static const char *const endpoints[] = {"authorization_endpoint", "token_endpoint",
	    "jwks_uri", "end_session_endpoint", "userinfo_endpoint"};
	static const char *const places[] = {"http://127.0.0.1:8080/", "https://127.0.0.1/",
	    "https://localhost/", "http://idp.example.test/", "file:///etc/passwd", ""};

	(void)state;
	document_gives(NULL, NULL, ARK_OK, "");
	document_gives("issuer", json_string("https://idp.example.test/r/"), ARK_EINPUT, "issuer");
	document_gives("issuer", NULL, ARK_EINPUT, "issuer");
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
		document_gives(endpoints[i],
		    i < 3 ? NULL : json_string("https://idp.example.test/x"),
		    i < 3 ? ARK_EINPUT : ARK_OK, endpoints[i]);
		document_gives(endpoints[i], json_integer(7), ARK_EINPUT, endpoints[i]);
		/* a provider elsewhere does not send us to this machine */
		for (size_t k = 0; k < sizeof(places) / sizeof(*places); k++)
			document_gives(
			    endpoints[i], json_string(places[k]), ARK_EINPUT, endpoints[i]);
	}
}

static void test_oidc_document__offers_what_is_needed(void **state)
{
	(void)state;
	document_gives(
	    "response_types_supported", json_pack("[s,s]", "id_token", "code"), ARK_OK, "");
	document_gives(
	    "response_types_supported", json_pack("[s]", "id_token"), ARK_EINPUT, "code flow");
	document_gives(
	    "code_challenge_methods_supported", json_pack("[s]", "plain"), ARK_EINPUT, "PKCE");
	document_gives("id_token_signing_alg_values_supported",
	    json_pack("[s,s]", "HS256", "ES256"), ARK_OK, "");
	document_gives("id_token_signing_alg_values_supported", json_pack("[s,s]", "HS256", "none"),
	    ARK_EINPUT, "algorithm");
	document_gives("token_endpoint_auth_methods_supported",
	    json_pack("[s]", "client_secret_post"), ARK_OK, "");
	document_gives("token_endpoint_auth_methods_supported", json_pack("[s]", "private_key_jwt"),
	    ARK_EINPUT, "secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_oidc_url__https_and_this_machine_are_taken),
	    cmocka_unit_test(test_oidc_url__others_are_refused),
	    cmocka_unit_test(test_oidc_config__roles_come_from_a_text_or_a_list),
	    cmocka_unit_test(test_oidc_config__strong_is_what_it_says),
	    cmocka_unit_test(test_oidc_document__is_of_the_issuer_and_stays_outside),
	    cmocka_unit_test(test_oidc_document__offers_what_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
