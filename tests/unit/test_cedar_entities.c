/* Cedar entities, uids and contexts from JSON, with and without a schema. */
#include "tests/unit/unit.h"

#include "policies/cedar_json.h"
#include "policies/cedar_private.h"

static const char schema_text[] =
    "entity G in [G]; entity Top; entity Mid in [Top]; entity Low in [Mid];\n"
    "entity Colour enum [\"red\", \"blue\"];\n"
    "entity U in [G, Colour] = { name: String, age?: Long, ok?: Bool, home?: ipaddr, price?: "
    "decimal,\n"
    "  seen?: datetime, left?: duration, friend?: U, likes?: Set<Colour>, deep?: { a: Set<{ b: "
    "ipaddr }>, c?: Long },\n"
    "  does?: Action } tags Set<ipaddr>;\n"
    "action all; action some in [all];\n"
    "action read in [some] appliesTo { principal: U, resource: U, context: { from: ipaddr, who?: U "
    "} };";

static struct cedar_schema *make_schema(void)
{
	struct cedar_schema *s = NULL;
	struct ark_error err = {0};

	if (cedar_schema_parse(schema_text, sizeof(schema_text) - 1, NULL, NULL, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static int read_text(const char *text, const struct cedar_schema *s, struct cedar_entities **ret,
    struct ark_error *err)
{
	json_t *json = NULL;
	int rc;

	if (cedar_json_read(text, strlen(text), &json, err))
		fail_msg("%s: %s", text, err->text);
	rc = cedar_entities_from_json(json, s, ret, err);
	json_decref(json);
	return rc;
}

static const struct cedar_entity *look(
    const struct cedar_entities *e, const char *type, const char *id)
{
	const struct cedar_world w = {.entities = e};
	const struct cedar_uid uid = {cedar_text_of(type), cedar_text_of(id)};

	return cedar_entity_find(&w, &uid);
}

static void check_refused(const char *text, const struct cedar_schema *s, const char *why)
{
	struct cedar_entities *e = NULL;
	struct ark_error err = {0};
	int rc = read_text(text, s, &e, &err);

	if (rc != ARK_EINPUT || e)
		fail_msg("%s is read (%d)", text, rc);
	if (!strstr(err.text, why))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, why);
}

/* What an entity U::"a" with these attributes becomes; NULL: it is refused. */
static void check_attributes(
    const struct cedar_schema *s, const char *attributes, const char *expect)
{
	struct cedar_entities *e = NULL;
	struct buf text = BUF_INIT, got = BUF_INIT;
	struct ark_error err = {0};
	int rc;

	buf_addf(&text, "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{%s},\"parents\":[]}]",
	    attributes);
	rc = read_text(text.data, s, &e, &err);
	if ((rc == ARK_OK) != (expect != NULL))
		fail_msg("%s: %d %s", attributes, rc, err.text);
	if (rc == ARK_OK) {
		cedar_print(&look(e, "U", "a")->attributes, &got);
		if (strcmp(got.data, expect) != 0)
			fail_msg("%s gives %s, not %s", attributes, got.data, expect);
	} else {
		assert_int_equal(rc, ARK_EINPUT);
		assert_non_null(strstr(err.text, "U::\"a\""));
	}
	cedar_entities_free(e);
	buf_free(&got);
	buf_free(&text);
}

/* ---- values ---- */

struct read {
	const char *attributes, *expect;
};

static void test_values__without_a_schema_need_escapes(void **state)
{
	static const struct read table[] = {
	    {"", "{}"},
	    {"\"a\":true,\"b\":-9223372036854775808,\"c\":\"\\u0000x\"",
		"{\"a\": true, \"b\": -9223372036854775808, \"c\": \"\\0x\"}"},
	    {"\"a\":[2,1,2],\"b\":{\"c\":{}}", "{\"a\": [1, 2], \"b\": {\"c\": {}}}"},
	    {"\"\\u0000\":1,\"\\u0001\":2,\"\\u00010\":3,\"\\\\u0000\":4",
		"{\"\\0\": 1, \"\\u{1}\": 2, \"\\u{1}0\": 3, \"\\\\u0000\": 4}"},
	    {"\"a\":{\"__entity\":{\"type\":\"N::T\",\"id\":\"\"}}", "{\"a\": N::T::\"\"}"},
	    {"\"a\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}}", "{\"a\": ip(\"1.2.3.4\")}"},
	    {"\"a\":{\"__extn\":{\"fn\":\"decimal\",\"args\":[\"1.0\"]}}",
		"{\"a\": decimal(\"1.0000\")}"},
	    {"\"a\":{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\","
	     "\"arg\":"
	     "\"1970-01-01\"}},{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1d\"}}]}}",
		"{\"a\": datetime(\"1970-01-02\")}"},
	    {"\"a\":{\"__extn\":{\"fn\":\"isIpv4\",\"arg\":{\"__extn\":{\"fn\":\"ip\",\"arg\":"
	     "\"::\"}}}}",
		"{\"a\": false}"},
	    /* not quite escapes */
	    {"\"a\":{\"type\":\"T\",\"id\":\"i\"}", "{\"a\": {\"id\": \"i\", \"type\": \"T\"}}"},
	    {"\"a\":{\"__entity\":\"x\"}", "{\"a\": {\"__entity\": \"x\"}}"},
	    {"\"a\":{\"__entity\":{\"type\":\"T\",\"id\":1}}",
		"{\"a\": {\"__entity\": {\"id\": 1, \"type\": \"T\"}}}"},
	    {"\"a\":{\"__extn\":{\"fn\":\"\"}}", "{\"a\": {\"__extn\": {\"fn\": \"\"}}}"},
	    {"\"a\":{\"__entity\":{\"type\":\"T\",\"id\":\"i\"},\"b\":1}",
		"{\"a\": {\"__entity\": {\"id\": \"i\", \"type\": \"T\"}, \"b\": 1}}"},
	    /* wrong */
	    {"\"a\":null", NULL},
	    {"\"a\":1.5", NULL},
	    {"\"a\":[1,[null]]", NULL},
	    {"\"a\":{\"__expr\":\"1\"}", NULL},
	    {"\"a\":{\"__entity\":{\"type\":\"1T\",\"id\":\"\"}}", NULL},
	    {"\"a\":{\"__entity\":{\"type\":\"A::in\",\"id\":\"\"}}", NULL},
	    {"\"a\":{\"__entity\":{\"type\":\"A:B\",\"id\":\"\"}}", NULL},
	    {"\"a\":{\"__entity\":{\"type\":\"A::\",\"id\":\"\"}}", NULL},
	    {"\"a\":{\"__entity\":{\"type\":\"A B\",\"id\":\"\"}}", NULL},
	    {"\"a\":{\"__entity\":{\"type\":\"\",\"id\":\"\"}}", NULL},
	    {"\"a\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}", NULL},
	    {"\"a\":{\"__extn\":{\"fn\":\"ip\",\"arg\":1}}", NULL},
	    {"\"a\":{\"__extn\":{\"fn\":\"ip\",\"args\":[]}}", NULL},
	    {"\"a\":{\"__extn\":{\"fn\":\"ip\",\"args\":[\"::\",\"::\"]}}", NULL},
	    {"\"a\":{\"__extn\":{\"fn\":\"what\",\"arg\":\"1\"}}", NULL},
	    {"\"a\":{\"__extn\":{\"fn\":\"unknown\",\"arg\":\"x\"}}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		check_attributes(NULL, table[i].attributes, table[i].expect);
}

static void test_values__with_a_schema_may_be_short_and_must_fit(void **state)
{
	static const struct read table[] = {
	    {"\"name\":\"x\"", "{\"name\": \"x\"}"},
	    {"\"name\":\"x\",\"home\":\"::/"
	     "8\",\"price\":\"1.5\",\"seen\":\"1970-01-01\",\"left\":\"1s\"",
		"{\"home\": ip(\"::/8\"), \"left\": duration(\"1000ms\"), \"name\": \"x\", "
		"\"price\": decimal(\"1.5000\"), \"seen\": datetime(\"1970-01-01\")}"},
	    {"\"name\":\"x\",\"home\":{\"fn\":\"ip\",\"arg\":\"::\"}",
		"{\"home\": ip(\"::\"), \"name\": \"x\"}"},
	    {"\"name\":\"x\",\"home\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::\"}}",
		"{\"home\": ip(\"::\"), \"name\": \"x\"}"},
	    {"\"name\":\"x\",\"seen\":{\"fn\":\"offset\",\"args\":[\"1970-01-01\",\"1d\"]}",
		"{\"name\": \"x\", \"seen\": datetime(\"1970-01-02\")}"},
	    {"\"name\":\"x\",\"friend\":{\"type\":\"U\",\"id\":\"b\"}",
		"{\"friend\": U::\"b\", \"name\": \"x\"}"},
	    {"\"name\":\"x\",\"friend\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}",
		"{\"friend\": U::\"b\", \"name\": \"x\"}"},
	    {"\"name\":\"x\",\"likes\":[{\"type\":\"Colour\",\"id\":\"red\"}]",
		"{\"likes\": [Colour::\"red\"], \"name\": \"x\"}"},
	    {"\"name\":\"x\",\"deep\":{\"a\":[{\"b\":\"::\"},{\"b\":\"::\"}]}",
		"{\"deep\": {\"a\": [{\"b\": ip(\"::\")}]}, \"name\": \"x\"}"},
	    {"\"name\":\"x\",\"does\":{\"type\":\"Action\",\"id\":\"read\"}",
		"{\"does\": Action::\"read\", \"name\": \"x\"}"},
	    {"", NULL},
	    {"\"name\":1", NULL},
	    {"\"name\":\"x\",\"more\":1", NULL},
	    {"\"name\":\"x\",\"age\":\"1\"", NULL},
	    {"\"name\":\"x\",\"age\":true", NULL},
	    {"\"name\":\"x\",\"ok\":1", NULL},
	    {"\"name\":\"x\",\"home\":1", NULL},
	    {"\"name\":\"x\",\"home\":\"1.5\"", NULL},
	    {"\"name\":\"x\",\"home\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}", NULL},
	    {"\"name\":\"x\",\"home\":{\"__expr\":\"ip\"}", NULL},
	    {"\"name\":\"x\",\"friend\":{\"type\":\"G\",\"id\":\"b\"}", NULL},
	    {"\"name\":\"x\",\"friend\":\"b\"", NULL},
	    {"\"name\":\"x\",\"friend\":{\"__expr\":\"U\",\"type\":\"U\",\"id\":\"b\"}", NULL},
	    {"\"name\":\"x\",\"likes\":[{\"type\":\"Colour\",\"id\":\"green\"}]", NULL},
	    {"\"name\":\"x\",\"likes\":{\"type\":\"Colour\",\"id\":\"red\"}", NULL},
	    {"\"name\":\"x\",\"deep\":{}", NULL},
	    {"\"name\":\"x\",\"deep\":[]", NULL},
	    {"\"name\":\"x\",\"deep\":{\"a\":[],\"d\":1}", NULL},
	    {"\"name\":\"x\",\"deep\":{\"a\":[],\"c\":null}", NULL},
	    {"\"name\":\"x\",\"does\":{\"type\":\"Action\",\"id\":\"fly\"}", NULL},
	};
	struct cedar_schema *s = make_schema();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		check_attributes(s, table[i].attributes, table[i].expect);
	cedar_schema_free(s);
}

static void test_values__are_not_read_ever_deeper(void **state)
{
	struct cedar_entities *e = NULL;
	struct ark_error err = {0};
	struct buf text = BUF_INIT;

	(void)state;
	for (int depth = 100; depth <= 400; depth += 300) {
		buf_clear(&text);
		buf_adds(&text,
		    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"parents\":[],\"attrs\":{\"a\":");
		for (int i = 0; i < depth; i++)
			buf_adds(&text, i % 2 ? "[" : "{\"x\":");
		buf_adds(&text, "1");
		for (int i = depth; i-- > 0;)
			buf_adds(&text, i % 2 ? "]" : "}");
		buf_adds(&text, "}}]");
		assert_int_equal(
		    read_text(text.data, NULL, &e, &err), depth == 100 ? ARK_OK : ARK_EINPUT);
	}
	cedar_entities_free(e);
	buf_free(&text);
}

/* ---- hierarchy ---- */

#define ENTITY(id, parents)                                                                        \
	"{\"uid\":{\"type\":\"G\",\"id\":\"" id "\"},\"attrs\":{},\"parents\":[" parents "]}"
#define UID(id) "{\"type\":\"G\",\"id\":\"" id "\"}"

static void test_hierarchy__knows_every_ancestor_once(void **state)
{
	static const char text[] =
	    "[" ENTITY("a", UID("b") "," UID("c")) "," ENTITY("b", UID("d")) "," ENTITY(
		"c", UID("d") "," UID("d")) "," ENTITY("d", UID("nowhere")) "," ENTITY("e", "") "]";
	static const char *const above[] = {"b", "c", "d", "nowhere"};
	struct cedar_entities *e = NULL;
	const struct cedar_entity *a;

	(void)state;
	assert_int_equal(read_text(text, NULL, &e, NULL), ARK_OK);
	a = look(e, "G", "a");
	assert_int_equal(a->ancestors_len, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(cedar_text_equal(a->ancestors[i].id, cedar_text_of(above[i])));
	assert_int_equal(look(e, "G", "c")->ancestors_len, 2);
	assert_int_equal(look(e, "G", "e")->ancestors_len, 0);
	assert_null(look(e, "G", "nowhere"));
	assert_null(look(e, "H", "a"));
	cedar_entities_free(e);
}

static void test_hierarchy__refuses_cycles_and_repetition(void **state)
{
	(void)state;
	check_refused("[" ENTITY("a", UID("a")) "]", NULL, "is above itself");
	check_refused(
	    "[" ENTITY("a", UID("b")) "," ENTITY("b", UID("a")) "]", NULL, "is above itself");
	check_refused("[" ENTITY("x", UID("a")) "," ENTITY("a", UID("b")) "," ENTITY(
			  "b", UID("c")) "," ENTITY("c", UID("y") "," UID("a")) "]",
	    NULL, "is above itself");
	check_refused(
	    "[" ENTITY("a", "") "," ENTITY("b", "") "," ENTITY("a", "") "]", NULL, "twice");
	check_refused("{}", NULL, "array");
	check_refused("[1]", NULL, "uid");
	check_refused("[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"attrs\":{}}]", NULL, "parents");
	check_refused("[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"parents\":[]}]", NULL, "attrs");
	check_refused(
	    "[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"attrs\":[],\"parents\":[]}]", NULL, "attrs");
	check_refused("[{\"uid\":\"G\",\"attrs\":{},\"parents\":[]}]", NULL, "uid");
	check_refused("[{\"uid\":{\"type\":\"Action\",\"id\":\"a\"},\"attrs\":{},\"parents\":[" UID(
			  "g") "]}]",
	    NULL, "action");
}

/* A chain, and ranks of which each stands below all of the one before: many ways, few ancestors. */
static void test_hierarchy__of_many_is_closed_and_too_many_ways_are_refused(void **state)
{
	struct cedar_entities *e = NULL;
	struct ark_error err = {0};
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "[");
	for (int i = 0; i < 2000; i++)
		buf_addf(&text,
		    "%s{\"uid\":{\"type\":\"G\",\"id\":\"%d\"},\"attrs\":{},\"parents\":[{\"type\":"
		    "\"G\",\"id\":"
		    "\"%d\"}]}",
		    i ? "," : "", i, i + 1);
	buf_adds(&text, "]");
	assert_int_equal(read_text(text.data, NULL, &e, &err), ARK_OK);
	assert_int_equal(look(e, "G", "0")->ancestors_len, 2000);
	cedar_entities_free(e);
	e = NULL;
	buf_clear(&text);
	buf_adds(&text, "[");
	for (int i = 0; i < 12000; i++)
		buf_addf(&text,
		    "%s{\"uid\":{\"type\":\"G\",\"id\":\"%d\"},\"attrs\":{},\"parents\":[{\"type\":"
		    "\"G\",\"id\":"
		    "\"%d\"}]}",
		    i ? "," : "", i, i + 1);
	buf_adds(&text, "]");
	assert_int_equal(read_text(text.data, NULL, &e, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "too large"));
	buf_free(&text);
}

/* ---- what the schema refuses, and adds ---- */

static void test_schema__adds_its_actions_with_their_groups(void **state)
{
	struct cedar_schema *s = make_schema();
	struct cedar_entities *e = NULL;

	(void)state;
	assert_int_equal(read_text("[]", s, &e, NULL), ARK_OK);
	assert_int_equal(look(e, "Action", "read")->ancestors_len, 2);
	assert_int_equal(look(e, "Action", "all")->ancestors_len, 0);
	cedar_entities_free(e);
	e = NULL;
	/* the data may say the same */
	assert_int_equal(
	    read_text("[{\"uid\":{\"type\":\"Action\",\"id\":\"some\"},\"attrs\":{},\"parents\":"
		      "[{\"type\":\"Action\",\"id\":\"all\"}]}]",
		s, &e, NULL),
	    ARK_OK);
	assert_int_equal(look(e, "Action", "some")->ancestors_len, 1);
	assert_int_equal(look(e, "Action", "read")->ancestors_len, 2);
	/* the entities outlive the schema */
	cedar_schema_free(s);
	assert_true(cedar_text_equal(look(e, "Action", "all")->uid.id, cedar_text_of("all")));
	cedar_entities_free(e);
}

static void test_schema__refuses_what_it_does_not_know(void **state)
{
#define BARE(type, id, parents)                                                                    \
	"[{\"uid\":{\"type\":\"" type "\",\"id\":\"" id "\"},\"attrs\":{},\"parents\":[" parents   \
	"]}]"
#define PARENT(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"
	struct cedar_schema *s = make_schema();
	struct cedar_entities *e = NULL;

	(void)state;
	check_refused(BARE("X", "a", ""), s, "does not declare");
	check_refused(BARE("Colour", "green", ""), s, "among the choices");
	check_refused(BARE("G", "a", PARENT("U", "x")), s, "does not allow");
	check_refused(BARE("Top", "a", PARENT("Low", "x")), s, "does not allow");
	check_refused(BARE("Action", "fly", ""), s, "does not declare");
	check_refused(BARE("Action", "some", ""), s, "as the schema declares");
	check_refused(BARE("Action", "all", PARENT("Action", "some")), s, "as the schema declares");
	check_refused(
	    "[{\"uid\":{\"type\":\"Action\",\"id\":\"all\"},\"attrs\":{\"a\":1},\"parents\":[]}]",
	    s, "as the schema declares");
	check_refused(
	    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"name\":\"\"},\"parents\":["
	    "{\"type\":\"Colour\",\"id\":\"green\"}]}]",
	    s, "among the choices");
	check_refused("[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],"
		      "\"tags\":{\"a\":1}}]",
	    s, "no tags");
	check_refused(
	    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"name\":\"\"},\"parents\":[],"
	    "\"tags\":{\"a\":[1]}}]",
	    s, "ipaddr");
	/* a parent may be of a type two steps above */
	assert_int_equal(read_text(BARE("Low", "a", PARENT("Top", "x")), s, &e, NULL), ARK_OK);
	cedar_entities_free(e);
	e = NULL;
	assert_int_equal(
	    read_text("[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"name\":\"\"},"
		      "\"parents\":[],\"tags\":{\"\":[\"::\"]}}]",
		s, &e, NULL),
	    ARK_OK);
	assert_int_equal(look(e, "U", "a")->tags.record.len, 1);
	cedar_entities_free(e);
	cedar_schema_free(s);
}

/* ---- requests ---- */

static void test_uid__is_taken_in_both_forms(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} table[] = {
	    {"{\"type\":\"A::B\",\"id\":\"\\u0000\"}", ARK_OK},
	    {"{\"__entity\":{\"type\":\"A::B\",\"id\":\"\\u0000\"}}", ARK_OK},
	    {"{\"type\":\"A::B\"}", ARK_EINPUT},
	    {"{\"type\":\"A::B\",\"id\":1}", ARK_EINPUT},
	    {"{\"__expr\":\"A::B::\\\"\\\"\"}", ARK_EINPUT},
	    {"[]", ARK_EINPUT},
	    {"{\"type\":\"__cedar\",\"id\":\"\"}", ARK_EINPUT},
	    {"{\"type\":\"A:: B\",\"id\":\"\"}", ARK_EINPUT},
	};
	struct cedar_arena *a = NULL;

	(void)state;
	assert_int_equal(cedar_arena_new(1 << 20, &a, NULL), ARK_OK);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct cedar_uid uid = {0};
		json_t *json = NULL;

		assert_int_equal(
		    cedar_json_read(table[i].text, strlen(table[i].text), &json, NULL), ARK_OK);
		assert_int_equal(cedar_uid_from_json(json, a, &uid, NULL), table[i].rc);
		json_decref(json);
		if (table[i].rc)
			continue;
		assert_true(cedar_text_equal(uid.type, cedar_text_of("A::B")));
		assert_int_equal(uid.id.len, 1);
		assert_int_equal(uid.id.bytes[0], 0);
	}
	assert_int_equal(cedar_uid_from_json(NULL, a, &(struct cedar_uid){0}, NULL), ARK_EINPUT);
	cedar_arena_free(a);
}

static void test_context__is_read_as_the_action_has_it(void **state)
{
	static const struct {
		const char *action, *text;
		int bare, typed; /* without and with the schema */
	} table[] = {
	    {"read", "{\"from\":\"::\"}", ARK_OK, ARK_OK},
	    {"read", "{\"from\":\"::\",\"who\":{\"type\":\"U\",\"id\":\"\"}}", ARK_OK, ARK_OK},
	    {"read", "{}", ARK_OK, ARK_EINPUT},
	    {"read", "{\"from\":1}", ARK_OK, ARK_EINPUT},
	    {"read", "{\"from\":\"::\",\"x\":1}", ARK_OK, ARK_EINPUT},
	    {"fly", "{}", ARK_OK, ARK_EINPUT},
	    {"all", "{}", ARK_OK, ARK_OK},
	    {"all", "[]", ARK_EINPUT, ARK_EINPUT},
	    {"all", "{\"__entity\":{\"type\":\"U\",\"id\":\"\"}}", ARK_EINPUT, ARK_EINPUT},
	};
	struct cedar_schema *s = make_schema();
	struct cedar_arena *a = NULL;

	(void)state;
	assert_int_equal(cedar_arena_new(1 << 20, &a, NULL), ARK_OK);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct cedar_uid action = {
		    cedar_text_of("Action"), cedar_text_of(table[i].action)};
		json_t *json = json_loads(table[i].text, 0, NULL);
		struct cedar_value v = {0};

		assert_int_equal(
		    cedar_context_from_json(json, NULL, &action, a, &v, NULL), table[i].bare);
		assert_int_equal(
		    cedar_context_from_json(json, s, &action, a, &v, NULL), table[i].typed);
		if (table[i].typed == ARK_OK && v.record.len)
			assert_int_equal(v.record.members[0].value.kind, CEDAR_IPADDR);
		json_decref(json);
	}
	cedar_arena_free(a);
	cedar_schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values__without_a_schema_need_escapes),
	    cmocka_unit_test(test_values__with_a_schema_may_be_short_and_must_fit),
	    cmocka_unit_test(test_values__are_not_read_ever_deeper),
	    cmocka_unit_test(test_hierarchy__knows_every_ancestor_once),
	    cmocka_unit_test(test_hierarchy__refuses_cycles_and_repetition),
	    cmocka_unit_test(test_hierarchy__of_many_is_closed_and_too_many_ways_are_refused),
	    cmocka_unit_test(test_schema__adds_its_actions_with_their_groups),
	    cmocka_unit_test(test_schema__refuses_what_it_does_not_know),
	    cmocka_unit_test(test_uid__is_taken_in_both_forms),
	    cmocka_unit_test(test_context__is_read_as_the_action_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
