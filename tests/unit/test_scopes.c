/* Scopes of tokens: each route says which it asks for. */
#include "tests/unit/unit.h"

#include "api/app.h"
#include "api/handlers.h"

static void test_scope__every_route_that_wants_a_sign_in_is_in_the_table(void **state)
{
	unsigned int need, missing = 0;

	(void)state;
	for (size_t i = 0; i < api_routes_len; i++) {
		const struct http_route *r = &api_routes[i];

		if (r->flags & (ROUTE_PUBLIC | ROUTE_LOCAL) || scope_of(r, &need))
			continue;
		print_error("%s %s is in no table of scopes.c\n", r->method, r->pattern);
		missing++;
	}
	assert_int_equal(missing, 0);
}

static void test_scope__a_route_that_nobody_wrote_down_is_closed(void **state)
{
	static const char *const paths[] = {"/v1/", "/v1/keys", "/fi/keys", "/v2/documents"};
	unsigned int need = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const struct http_route r = {.method = "GET", .pattern = paths[i]};

		assert_false(scope_of(&r, &need));
	}
}

static void test_scope__changing_asks_for_another_than_reading(void **state)
{
	const struct http_route get = {.method = "GET", .pattern = "/v1/documents/{d}"},
				patch = {.method = "PATCH", .pattern = "/v1/documents/{d}"},
				remove = {.method = "DELETE", .pattern = "/v1/documents/{d}/hold"},
				page = {.method = "POST", .pattern = "/sv/account/tokens"};
	unsigned int need = 0;

	(void)state;
	assert_true(scope_of(&get, &need));
	assert_int_equal(need, TOKEN_READ);
	assert_true(scope_of(&patch, &need));
	assert_int_equal(need, TOKEN_FILE);
	assert_true(scope_of(&remove, &need));
	assert_int_equal(need, TOKEN_FILE);
	assert_true(scope_of(&page, &need));
	assert_int_equal(need, TOKEN_ACCOUNTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scope__every_route_that_wants_a_sign_in_is_in_the_table),
	    cmocka_unit_test(test_scope__a_route_that_nobody_wrote_down_is_closed),
	    cmocka_unit_test(test_scope__changing_asks_for_another_than_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
