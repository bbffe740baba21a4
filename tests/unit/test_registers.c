/* What records of the registers may say: the borders that requests do not reach easily. */
#include "arkki/archive/registers.h"

#include <string.h>

#include "arkki/base/json.h"
#include "tests/unit/unit.h"

static bool all_known(void *arg, const char *kind, const char *id)
{
	(void)arg, (void)kind;
	return strcmp(id, "nowhere") != 0;
}

/* The field that is at fault, "": none. */
static const char *fault_of(const char *text, struct register_fault *fault)
{
	struct ark_error err = {0};
	json_t *record = NULL;
	int rc;

	*fault = (struct register_fault){0};
	assert_int_equal(json_read(text, strlen(text), &record, &err), ARK_OK);
	rc = unit_check(record, all_known, NULL, fault, &err);
	assert_int_equal(rc, fault->code[0] ? ARK_EINPUT : ARK_OK);
	json_decref(record);
	return fault->field;
}

#define UNIT "{\"id\":\"u\",\"name\":\"Keksitty\",\"county\":\"90\","

static void test_registers__take_object_identifiers_of_the_standard_form(void **state)
{
	static const char *const good[] = {"0.0", "1.2.246.10", "2.999.0"};
	static const char *const bad[] = {
	    "", "1", "3.1", "1.", ".1", "1..2", "1.02", "1.2a", "01.2"};
	struct register_fault fault;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		snprintf(text, sizeof(text), UNIT "\"oids\":[{\"oid\":\"%s\"}]}", good[i]);
		assert_string_equal(fault_of(text, &fault), "");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), UNIT "\"oids\":[{\"oid\":\"%s\"}]}", bad[i]);
		assert_string_equal(fault_of(text, &fault), "oids/0/oid");
	}
}

static void test_registers__name_the_field_at_fault(void **state)
{
	struct register_fault fault;

	(void)state;
	assert_string_equal(fault_of("{\"id\":\"u\",\"county\":\"90\"}", &fault), "name");
	assert_string_equal(fault.code, "required");
	assert_string_equal(fault_of(UNIT "\"names\":[{\"name\":\"a\"},7]}", &fault), "names/1");
	assert_string_equal(
	    fault_of(UNIT "\"providers\":[{\"provider\":\"p\",\"from\":\"2026-01-02\",\"to\":"
			  "\"2026-01-01\"}]}",
		&fault),
	    "providers/0/to");
	assert_string_equal(fault.code, "bad-order");
	assert_string_equal(
	    fault_of(UNIT "\"predecessors\":[\"nowhere\"]}", &fault), "predecessors");
	assert_string_equal(fault_of(UNIT "\"predecessors\":[\"u\"]}", &fault), "predecessors");
	assert_string_equal(fault_of(UNIT "\"places\":null,\"sources\":{}}", &fault), "");
}

static void test_registers__refuse_what_is_no_object(void **state)
{
	json_t *list = json_array();
	struct ark_error err = {0};

	(void)state;
	assert_int_equal(case_check(list, all_known, NULL, NULL, &err), ARK_EINPUT);
	assert_int_equal(vacancies_check(list, all_known, NULL, NULL, &err), ARK_EINPUT);
	assert_false(case_state_valid("done"));
	assert_true(case_state_valid("follow-up"));
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_registers__take_object_identifiers_of_the_standard_form),
	    cmocka_unit_test(test_registers__name_the_field_at_fault),
	    cmocka_unit_test(test_registers__refuse_what_is_no_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
