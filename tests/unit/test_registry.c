/* The registry with records that an arkki would not file, as a start may find them. */
#include "tests/unit/unit.h"

#include "arkki/archive/registry.h"
#include "arkki/base/json.h"

static void put(struct registry *r, const char *kind, const char *text)
{
	json_t *record = NULL;

	assert_int_equal(json_read(text, strlen(text), &record, NULL), ARK_OK);
	assert_int_equal(registry_put(r, kind, record, NULL), ARK_OK);
}

/* Found by fuzzing: a NULL was compared. */
static void test_registry__units_that_are_no_texts_are_covered_by_no_case(void **state)
{
	struct registry *r = NULL;
	json_t *units = json_pack("[i,n]", 7), *counties;

	(void)state;
	assert_int_equal(registry_new(&r, NULL), ARK_OK);
	put(r, "cases", "{\"id\":\"c1\",\"units\":[\"koivula\",7,null]}");
	put(r, "units", "{\"id\":\"koivula\",\"county\":\"90\"}");
	assert_false(registry_case_covers(r, "c1", units));
	assert_false(registry_case_covers(r, "c2", units));
	json_array_append_new(units, json_string("koivula"));
	assert_true(registry_case_covers(r, "c1", units));
	counties = registry_counties(r, units);
	assert_int_equal(json_array_size(counties), 1);
	json_decref(counties);
	json_decref(units);
	registry_free(r);
}

static void test_registry__predecessors_in_a_circle_end(void **state)
{
	struct registry *r = NULL;
	json_t *line;

	(void)state;
	assert_int_equal(registry_new(&r, NULL), ARK_OK);
	put(r, "orgs", "{\"id\":\"a\",\"predecessors\":[\"b\",3,\"a\"]}");
	put(r, "orgs", "{\"id\":\"b\",\"predecessors\":[\"a\"]}");
	line = registry_line(r, "a");
	assert_int_equal(json_array_size(line), 2);
	assert_true(registry_speaks_for(r, "a", "b"));
	assert_false(registry_speaks_for(r, "a", "c"));
	json_decref(line);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_registry__units_that_are_no_texts_are_covered_by_no_case),
	    cmocka_unit_test(test_registry__predecessors_in_a_circle_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
