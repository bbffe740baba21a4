/* The check of metadata: what the flow tests cannot see from outside, and finds of tests/fuzz/fuzz_metadata.c. */
#include "tests/unit/unit.h"

#include "arkki/archive/metadata.h"
#include "arkki/base/json.h"
#include "tools/manifest.h"

static struct registry *registry_of_one_type(void)
{
	struct registry *r = NULL;

	assert_int_equal(registry_new(&r, NULL), ARK_OK);
	assert_int_equal(
	    registry_put(r, "types", json_pack("{s:s,s:b}", "id", "memo", "regional", 1), NULL), 0);
	assert_int_equal(registry_put(r, "orgs", json_pack("{s:s}", "id", "lvv"), NULL), 0);
	return r;
}

static json_t *memo_with(const char *publicity_field)
{
	return json_pack("{s:[],s:s,s:s,s:s,s:s,s:{s:s,s:s}}", "units", "type", "memo", "title",
	    "T", "language", "fi", "date", "2026-03-12", "publicity", "class", "public",
	    publicity_field, "2026-03-12");
}

static void test_metadata__a_known_field_of_publicity_is_taken(void **state)
{
	struct registry *r = registry_of_one_type();
	json_t *given = memo_with("from"), *out = NULL;

	(void)state;
	assert_int_equal(metadata_check(r, given, NULL, "lvv", &out, NULL, NULL), ARK_OK);
	assert_string_equal(json_text(out, "author"), "lvv");
	json_decref(out);
	json_decref(given);
	registry_free(r);
}

/* The detail held the first 64 bytes of the name: half a character, which no JSON text can hold. */
static void test_metadata__an_unknown_field_cut_inside_a_character_is_refused(void **state)
{
	struct registry *r = registry_of_one_type();
	char name[80] = "";
	json_t *given, *out = NULL, *errors = NULL;

	(void)state;
	memset(name, 'a', 63);
	memcpy(name + 63, "\xc3\xa4", 3);
	given = memo_with(name);
	assert_int_equal(metadata_check(r, given, NULL, "lvv", &out, &errors, NULL), ARK_EINPUT);
	assert_int_equal(json_array_size(errors), 1);
	assert_string_equal(json_text(json_array_get(errors, 0), "code"), "unknown-field");
	json_decref(errors);
	json_decref(given);
	registry_free(r);
}

static const char *refusal(struct registry *r, json_t *given, char code[64])
{
	json_t *out = NULL, *errors = NULL;

	assert_int_equal(metadata_check(r, given, NULL, "lvv", &out, &errors, NULL), ARK_EINPUT);
	assert_int_equal(json_array_size(errors), 1);
	snprintf(code, 64, "%s %s", json_text(json_array_get(errors, 0), "field"),
	    json_text(json_array_get(errors, 0), "code"));
	json_decref(errors);
	return code;
}

static void test_metadata__addressees_are_known_organisations(void **state)
{
	struct registry *r = registry_of_one_type();
	json_t *given = memo_with("from"), *many = json_array(), *out = NULL, *again = NULL;
	json_t *none = json_pack("{s:n}", "addressees"), *same = json_object();
	char code[64];

	(void)state;
	json_object_set_new(given, "addressees", json_pack("[s]", "lvv"));
	assert_int_equal(metadata_check(r, given, NULL, "lvv", &out, NULL, NULL), ARK_OK);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(out, "addressees"), 0)), "lvv");
	assert_int_equal(metadata_check(r, same, out, "lvv", &again, NULL, NULL), ARK_OK);
	assert_true(json_equal(out, again));
	json_decref(again);
	assert_int_equal(metadata_check(r, none, out, "lvv", &again, NULL, NULL), ARK_OK);
	assert_null(json_object_get(again, "addressees"));
	json_object_set_new(given, "addressees", json_pack("[s]", "memo"));
	assert_string_equal(refusal(r, given, code), "addressees/0 unknown");
	json_object_set_new(given, "addressees", json_pack("[s,s]", "lvv", "lvv"));
	assert_string_equal(refusal(r, given, code), "addressees/1 repeated");
	json_object_set_new(given, "addressees", json_string("lvv"));
	assert_string_equal(refusal(r, given, code), "addressees type");
	for (int i = 0; i < 51; i++)
		json_array_append_new(many, json_string("lvv"));
	json_object_set_new(given, "addressees", many);
	assert_string_equal(refusal(r, given, code), "addressees type");
	json_decref(given);
	json_decref(out);
	json_decref(again);
	json_decref(none);
	json_decref(same);
	registry_free(r);
}

static void test_manifest__a_line_is_a_path_and_an_object(void **state)
{
	static const char *const bad[] = {"", "[]", "{\"file\":\"a\"}",
	    "{\"file\":\"\",\"metadata\":{}}", "{\"file\":\"a\",\"metadata\":[]}",
	    "{\"file\":\"a\",\"metadata\":{},\"more\":1}", "{\"file\":\"a\",\"metadata\":{}} x"};
	static const char good[] = "{\"metadata\":{\"title\":\"T\"},\"file\":\"a/\xc3\xa4.txt\"}";
	struct manifest_line line;
	struct ark_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(
		    manifest_parse_line(bad[i], strlen(bad[i]), &line, &err), ARK_EINPUT);
	assert_int_equal(manifest_parse_line(good, sizeof(good) - 1, &line, &err), ARK_OK);
	assert_string_equal(line.path, "a/\xc3\xa4.txt");
	assert_string_equal(json_text(line.metadata, "title"), "T");
	manifest_line_free(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_metadata__a_known_field_of_publicity_is_taken),
	    cmocka_unit_test(test_metadata__an_unknown_field_cut_inside_a_character_is_refused),
	    cmocka_unit_test(test_metadata__addressees_are_known_organisations),
	    cmocka_unit_test(test_manifest__a_line_is_a_path_and_an_object),
	};

	return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
