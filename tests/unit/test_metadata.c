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
	    cmocka_unit_test(test_manifest__a_line_is_a_path_and_an_object),
	};

	return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
