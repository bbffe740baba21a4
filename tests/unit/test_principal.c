/* Who a user is to the policies: lines of organisations, days, and what a short memory must not do. */
#include <jansson.h>
#include <string.h>

#include "arkki/archive/registry.h"
#include "arkki/policies/shipped.h"
#include "unit.h"

static struct registry *registry_of(const char *records)
{
	struct registry *r = NULL;
	json_t *all = json_loads(records, 0, NULL), *list, *record;
	const char *kind;
	size_t i;

	assert_non_null(all);
	assert_int_equal(registry_new(&r, NULL), ARK_OK);
	assert_int_equal(registry_put(r, "policies",
			     json_pack("{s:s,s:s,s:s}", "id", REGISTRY_POLICIES, "policies",
				 shipped_policies(), "schema", shipped_schema()),
			     NULL),
	    ARK_OK);
	json_object_foreach(all, kind, list)
	{
		json_array_foreach(list, i, record)
		{
			assert_int_equal(registry_put(r, kind, json_incref(record), NULL), ARK_OK);
		}
	}
	json_decref(all);
	return r;
}

static struct principal *principal_of(struct registry *r, const char *user, const char *day)
{
	struct principal *p = NULL;

	assert_int_equal(registry_principal_on(r, user, day, &p, NULL), ARK_OK);
	return p;
}

static void test_principal__is_valid_while_account_and_organisation_both_are(void **state)
{
	static const struct {
		const char *user, *from, *until;
	} wanted[] = {{"open", "2026-01-01", "2026-12-31"}, {"within", "2026-02-01", "2026-06-30"},
	    {"beyond", "2026-01-01", "2026-12-31"}, {"free", NULL, "2026-06-30"}};
	struct registry *r = registry_of(
	    "{\"orgs\":[{\"id\":\"a\",\"kind\":\"county\",\"from\":\"2026-01-01\",\"to\":"
	    "\"2026-12-31\"},"
	    "{\"id\":\"b\",\"kind\":\"county\"}],\"users\":["
	    "{\"id\":\"open\",\"org\":\"a\"},"
	    "{\"id\":\"within\",\"org\":\"a\",\"from\":\"2026-02-01\",\"to\":\"2026-06-30\"},"
	    "{\"id\":\"beyond\",\"org\":\"a\",\"from\":\"2025-01-01\",\"to\":\"2030-01-01\"},"
	    "{\"id\":\"free\",\"org\":\"b\",\"from\":null,\"to\":\"2026-06-30\"}]}");

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct principal *p = principal_of(r, wanted[i].user, "2026-05-05");

		if (wanted[i].from)
			assert_string_equal(p->access.valid_from, wanted[i].from);
		else
			assert_null(p->access.valid_from);
		assert_string_equal(p->access.valid_until, wanted[i].until);
		principal_unref(p);
	}
	registry_free(r);
}

static void test_principal__follows_a_circle_of_predecessors_once(void **state)
{
	struct registry *r = registry_of(
	    "{\"orgs\":[{\"id\":\"a\",\"kind\":\"county\",\"counties\":[\"1\"],\"predecessors\":"
	    "[\"a\",\"b\",\"gone\"]},"
	    "{\"id\":\"b\",\"kind\":\"county\",\"counties\":[\"2\"],\"predecessors\":[\"a\"]}],"
	    "\"users\":[{\"id\":\"u\",\"org\":\"a\",\"roles\":[]}]}");
	struct principal *p = principal_of(r, "u", "2026-05-05");

	(void)state;
	assert_int_equal(p->access.orgs.len, 3);
	assert_string_equal(p->access.orgs.id[0], "a");
	assert_int_equal(p->access.counties.len, 2);
	assert_int_equal(p->access.roles, 0);
	principal_unref(p);
	registry_free(r);
}

static void test_principal__without_an_organisation_is_nobody(void **state)
{
	struct registry *r =
	    registry_of("{\"users\":[{\"id\":\"u\",\"org\":\"gone\",\"roles\":[\"admin\"]}]}");
	struct principal *p = NULL;

	(void)state;
	assert_int_equal(registry_principal(r, "u", &p, NULL), ARK_ENOTFOUND);
	assert_int_equal(registry_principal(r, "nobody", &p, NULL), ARK_ENOTFOUND);
	assert_null(p);
	registry_free(r);
}

static bool may(struct principal *p, enum access_action action, const struct access_context *c)
{
	bool ret = false;

	assert_int_equal(principal_may(p, action, c, &ret, NULL), ARK_OK);
	return ret;
}

/* What is kept is one principal's, and of requests that state nothing. */
static void test_principal__keeps_answers_for_itself_and_for_plain_requests(void **state)
{
	const struct access_context plain = {.strong = true}, weak = {0},
				    stated = {.strong = true, .purpose = "käynti"},
				    glass = {.strong = true, .break_glass = "hätä"};
	const struct access_context *const others[] = {&weak, &stated, &glass};
	struct registry *r =
	    registry_of("{\"orgs\":[{\"id\":\"a\",\"kind\":\"state-agency\"}],\"users\":["
			"{\"id\":\"paula\",\"org\":\"a\",\"roles\":[\"admin\"]},"
			"{\"id\":\"maija\",\"org\":\"a\",\"roles\":[\"inspector\"]}]}");
	struct principal *paula = principal_of(r, "paula", "2026-05-05"),
			 *maija = principal_of(r, "maija", "2026-05-05");
	const struct access_filter *first = NULL, *again = NULL, *hers = NULL;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(may(paula, ACCESS_ADMINISTER, &plain));
		assert_false(may(maija, ACCESS_ADMINISTER, &plain));
		assert_false(may(paula, ACCESS_AUDIT, &plain));
	}
	assert_int_equal(principal_content(maija, &plain, &first, NULL), ARK_OK);
	assert_int_equal(principal_content(maija, &plain, &again, NULL), ARK_OK);
	assert_int_equal(principal_content(paula, &plain, &hers, NULL), ARK_OK);
	assert_ptr_equal(first, again);
	assert_ptr_not_equal(first, hers);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(principal_content(maija, others[i], &again, NULL), 1);
	principal_unref(paula);
	principal_unref(maija);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_principal__is_valid_while_account_and_organisation_both_are),
	    cmocka_unit_test(test_principal__follows_a_circle_of_predecessors_once),
	    cmocka_unit_test(test_principal__without_an_organisation_is_nobody),
	    cmocka_unit_test(test_principal__keeps_answers_for_itself_and_for_plain_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
