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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_oidc_url__https_and_this_machine_are_taken),
	    cmocka_unit_test(test_oidc_url__others_are_refused),
	    cmocka_unit_test(test_oidc_config__roles_come_from_a_text_or_a_list),
	    cmocka_unit_test(test_oidc_config__strong_is_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
