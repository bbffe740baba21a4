/* Cedar schemas: what names mean, what is refused and where, bounds. */
#include "arkki/base/buf.h"
#include "policies/cedar_private.h"
#include "tests/unit/unit.h"

struct told {
	unsigned int errors, warnings;
	struct cedar_fault first, warning;
};

static void tell(void *arg, const struct cedar_fault *fault)
{
	struct told *t = arg;

	if (fault->warning) {
		t->warning = *fault;
		t->warnings++;
	} else if (!t->errors++) {
		t->first = *fault;
	}
}

static struct cedar_schema *read_schema(const char *text)
{
	struct cedar_schema *s = NULL;
	struct ark_error err = {0};
	struct told told = {0};

	if (cedar_schema_parse(text, strlen(text), tell, &told, &s, &err))
		fail_msg("%s\n%u:%u: %s", text, told.first.line, told.first.column, err.text);
	assert_int_equal(told.errors, 0);
	return s;
}

static struct cedar_text t(const char *text)
{
	return cedar_text_of(text);
}

static void assert_text(struct cedar_text text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.len);
}

static const struct cedar_type *attribute(const struct cedar_type *record, const char *name)
{
	for (size_t i = 0; i < record->attributes_len; i++) {
		if (cedar_text_equal(record->attributes[i].name, t(name)))
			return &record->attributes[i].type;
	}
	fail_msg("no attribute %s", name);
	return NULL;
}

static void test_schema__declarations_of_every_kind_are_read(void **state)
{
	static const char text[] =
	    "// a comment\n"
	    "@doc(\"all\") namespace N::M {\n"
	    "  type Name = { first: String, \"last name\"?: String, };\n"
	    "  entity Org, Unit;\n"
	    "  entity User in [Org, Unit] = { name: Name, @x age: Long, seen?: datetime,\n"
	    "    nets: Set<Set<ipaddr>>, at: __cedar::decimal, wait: duration, ok: Bool } tags "
	    "Set<String>;\n"
	    "  entity Colour enum [\"red\", \"blue\"];\n"
	    "  action all;\n"
	    "  action read, \"read it\" in [all] appliesTo { principal: [User, User], resource: "
	    "[Unit, Org],\n"
	    "    context: Name };\n"
	    "  action write in Action::\"read\" appliesTo { principal: User, resource: Org,\n"
	    "    context: { a: Long } } attributes {};\n"
	    "}\n";
	struct cedar_schema *s = read_schema(text);
	const struct cedar_entity_type *user = cedar_schema_type(s, t("N::M::User"));
	const struct cedar_entity_type *colour = cedar_schema_type(s, t("N::M::Colour"));
	const struct cedar_action *a;
	struct cedar_uid uid = {t("N::M::Action"), t("write")};

	(void)state;
	assert_int_equal(s->types_len, 4);
	assert_null(cedar_schema_type(s, t("User")));
	assert_non_null(user);
	assert_int_equal(user->parents_len, 2);
	assert_text(user->parents[0], "N::M::Org");
	assert_text(user->parents[1], "N::M::Unit");
	assert_int_equal(user->attributes.attributes_len, 7);
	assert_text(user->attributes.attributes[0].name, "age"); /* in order of names */
	assert_false(user->attributes.attributes[0].optional);
	assert_int_equal(attribute(&user->attributes, "seen")->kind, TYPE_DATETIME);
	assert_int_equal(attribute(&user->attributes, "at")->kind, TYPE_DECIMAL);
	assert_int_equal(attribute(&user->attributes, "wait")->kind, TYPE_DURATION);
	assert_int_equal(attribute(&user->attributes, "ok")->kind, TYPE_BOOL);
	assert_int_equal(attribute(&user->attributes, "nets")->element->element->kind, TYPE_IPADDR);
	assert_int_equal(
	    attribute(attribute(&user->attributes, "name"), "last name")->kind, TYPE_STRING);
	assert_true(attribute(&user->attributes, "name")->attributes[1].optional);
	assert_int_equal(user->tags->element->kind, TYPE_STRING);
	assert_int_equal(colour->choices_len, 2);
	assert_null(user->choices);

	a = cedar_schema_action(s, &uid);
	assert_non_null(a);
	assert_true(a->applies);
	assert_int_equal(a->ancestors_len, 2); /* read, and all above it */
	assert_text(a->ancestors[0].id, "all");
	assert_text(a->ancestors[1].id, "read");
	assert_int_equal(attribute(&a->context, "a")->kind, TYPE_LONG);
	uid.id = t("read it");
	a = cedar_schema_action(s, &uid);
	assert_int_equal(a->principals_len, 1);
	assert_int_equal(a->resources_len, 2);
	assert_int_equal(a->context.attributes_len, 2);
	uid.id = t("all");
	assert_false(cedar_schema_action(s, &uid)->applies);
	uid.id = t("none");
	assert_null(cedar_schema_action(s, &uid));
	cedar_schema_free(s);
}

static void test_schema__names_mean_what_is_nearest(void **state)
{
	static const char text[] =
	    "entity Long; type decimal = String; entity Outer;\n"
	    "entity E { a: Long, b: __cedar::Long, c: decimal, d: N::T, e: N::U };\n"
	    "namespace N { type T = U; type U = { o: Outer }; entity T2 in Outer;\n"
	    "  action x; entity V { act: Action, u: N::U, t: T }; }";
	struct cedar_schema *s = read_schema(text);
	const struct cedar_type *e = &cedar_schema_type(s, t("E"))->attributes;
	const struct cedar_type *v = &cedar_schema_type(s, t("N::V"))->attributes;

	(void)state;
	assert_int_equal(attribute(e, "a")->kind, TYPE_ENTITY);
	assert_text(attribute(e, "a")->entity, "Long");
	assert_int_equal(attribute(e, "b")->kind, TYPE_LONG);
	assert_int_equal(attribute(e, "c")->kind, TYPE_STRING);
	assert_text(attribute(attribute(e, "d"), "o")->entity, "Outer");
	assert_text(attribute(v, "act")->entity, "N::Action");
	assert_text(attribute(attribute(v, "t"), "o")->entity, "Outer");
	assert_text(cedar_schema_type(s, t("N::T2"))->parents[0], "Outer");
	cedar_schema_free(s);

	/* in its namespace a common type goes before an entity type of the same name */
	s = read_schema("type A = Long; entity A { a: A }; entity B in A;");
	assert_int_equal(
	    attribute(&cedar_schema_type(s, t("A"))->attributes, "a")->kind, TYPE_LONG);
	assert_text(cedar_schema_type(s, t("B"))->parents[0], "A");
	cedar_schema_free(s);
}

static void test_schema__the_last_of_an_attribute_written_twice_counts(void **state)
{
	static const char text[] = "entity A { b: Long, a: Long, b: String };";
	struct cedar_schema *s = NULL;
	struct told told = {0};

	(void)state;
	assert_int_equal(cedar_schema_parse(text, strlen(text), tell, &told, &s, NULL), ARK_OK);
	assert_int_equal(told.warnings, 1);
	assert_int_equal(told.warning.column, 12);
	assert_int_equal(cedar_schema_type(s, t("A"))->attributes.attributes_len, 2);
	assert_int_equal(
	    attribute(&cedar_schema_type(s, t("A"))->attributes, "b")->kind, TYPE_STRING);
	cedar_schema_free(s);
}

static void test_schema__what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text;
		unsigned int line, column;
		const char *part;
	} cases[] = {
	    {"entity A", 1, 9, "ends here"},
	    {"entity A;\nentity in;", 2, 8, "a name"},
	    {"entity A = { a Long };", 1, 16, "`:`"},
	    {"entity A { a: Long b: Long };", 1, 20, "`,` or `}`"},
	    {"entity A { a: Lonng };", 1, 15, "not declared as a type"},
	    {"entity A in Missing;", 1, 13, "not declared as an entity type"},
	    {"entity A; entity A;", 1, 18, "twice"},
	    {"type A = Long; type A = Long;", 1, 21, "twice"},
	    {"action a; action b, a;", 1, 21, "twice"},
	    {"namespace N {} namespace N {}", 1, 26, "twice"},
	    {"namespace N { entity A; } entity A;", 1, 34, "outside of any"},
	    {"namespace N { type A = Long; } entity A;", 1, 39, "outside of any"},
	    {"namespace N { action a; } action a;", 1, 34, "outside of any"},
	    {"type A = B; type B = { a: Set<A> };", 1, 31, "by itself"},
	    {"type Bool = Long;", 1, 6, "Cedar's own"},
	    {"entity Action;", 1, 8, "cannot be declared"},
	    {"entity __cedar;", 1, 8, "reserved"},
	    {"namespace A::__cedar {}", 1, 11, "reserved"},
	    {"entity A { a: __cedar::Set };", 1, 15, "not declared"},
	    {"action a in b;", 1, 13, "not declared as an action"},
	    {"action a in b; action b in a;", 1, 8, "group of itself"},
	    {"action a; entity A in Action;", 1, 23, "type of actions"},
	    {"action a; action b appliesTo { principal: Action, resource: [Action] };", 1, 43,
		"type of actions"},
	    {"entity A; action a appliesTo { principal: A };", 1, 32, "no resource"},
	    {"entity A; action a appliesTo { principal: [], resource: A };", 1, 32, "at least one"},
	    {"entity A; action a appliesTo { principal: A, principal: A };", 1, 46, "once"},
	    {"entity A; action a appliesTo { principal: A, resource: A, context: A };", 1, 68,
		"common type"},
	    {"entity A; type L = Long; action a appliesTo { principal: A, resource: A, context: L "
	     "};",
		1, 83, "a record"},
	    {"action N::a;", 1, 9, "`;`"},
	    {"action a in N::b;", 1, 17, "id of an action"},
	    {"@a @a entity A;", 1, 5, "another annotation"},
	    {"@a() entity A;", 1, 4, "in quotes"},
	    {"entity A enum [];", 1, 16, "an id in quotes"},
	    {"entity A tags;", 1, 14, "a type"},
	    {"entity \"A\";", 1, 8, "a name"},
	    {"action \"\\q\";", 1, 8, ""},
	    {"view A;", 1, 1, "`namespace`"},
	    {"\xff", 1, 1, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cedar_schema *s = NULL;
		struct ark_error err = {0};
		struct told told = {0};

		if (cedar_schema_parse(
			cases[i].text, strlen(cases[i].text), tell, &told, &s, &err) != ARK_EINPUT)
			fail_msg("taken: %s", cases[i].text);
		assert_null(s);
		if (told.first.line != cases[i].line || told.first.column != cases[i].column ||
		    !strstr(told.first.text, cases[i].part))
			fail_msg("%s: %u:%u: %s", cases[i].text, told.first.line, told.first.column,
			    told.first.text);
		assert_true(strlen(err.text) > 0);
	}
}

static void test_schema__several_faults_are_told_and_near_names_named(void **state)
{
	static const char text[] =
	    "entity User;\nentity A { u: Usr };\nentity B in User2 { };\n"
	    "namespace N {\n entity ;\n entity C = [];\n}\nentity D { a b };";
	struct told told = {0};
	struct cedar_schema *s = NULL;

	(void)state;
	assert_int_equal(cedar_schema_parse(text, 57, tell, &told, &s, NULL), ARK_EINPUT);
	assert_int_equal(told.errors, 2);
	assert_string_equal(told.first.mend, "did you mean `User`?");
	memset(&told, 0, sizeof(told));
	assert_int_equal(cedar_schema_parse(text, strlen(text), tell, &told, &s, NULL), ARK_EINPUT);
	assert_int_equal(told.errors, 3);
	assert_int_equal(told.first.line, 5);
}

static void repeat(struct buf *b, const char *text, unsigned int times)
{
	while (times--)
		buf_adds(b, text);
}

static int parse_status(const struct buf *b)
{
	struct cedar_schema *s = NULL;
	struct ark_error err = {0};
	int status = cedar_schema_parse(b->data, b->len, NULL, NULL, &s, &err);

	assert_false(buf_failed(b));
	cedar_schema_free(s);
	return status;
}

static void test_schema__depth_is_bounded(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "type A = ");
	repeat(&b, "Set<", 150);
	buf_adds(&b, "Long");
	repeat(&b, ">", 150);
	buf_adds(&b, ";");
	assert_int_equal(parse_status(&b), ARK_OK);
	buf_adds(&b, "type B = ");
	repeat(&b, "Set<", 60);
	buf_adds(&b, "A");
	repeat(&b, ">", 60);
	buf_adds(&b, ";");
	assert_int_equal(parse_status(&b), ARK_EINPUT); /* 150 and 60 */
	buf_clear(&b);
	buf_adds(&b, "type A = ");
	repeat(&b, "Set<", 100000);
	assert_int_equal(parse_status(&b), ARK_EINPUT);
	buf_clear(&b);
	for (unsigned int i = 0; i < 20000; i++)
		buf_addf(&b, "type T%u = T%u;", i, i + 1);
	buf_adds(&b, "type T20000 = Long;");
	assert_int_equal(parse_status(&b), ARK_EINPUT);
	buf_free(&b);
}

static void test_schema__a_small_text_for_a_huge_type_is_refused(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "type T0 = Long;");
	for (unsigned int i = 1; i < 12; i++)
		buf_addf(&b, "type T%u = { a: T%u, b: T%u };", i, i - 1, i - 1);
	assert_int_equal(parse_status(&b), ARK_OK);
	for (unsigned int i = 12; i < 60; i++)
		buf_addf(&b, "type T%u = { a: T%u, b: T%u };", i, i - 1, i - 1);
	assert_int_equal(parse_status(&b), ARK_EINPUT);
	buf_free(&b);
}

static void test_schema__too_many_groups_or_bytes_are_refused(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "action a0;");
	for (unsigned int i = 1; i < 1000; i++)
		buf_addf(&b, "action a%u in a%u;", i, i - 1);
	assert_int_equal(parse_status(&b), ARK_OK);
	for (unsigned int i = 1000; i < 20000; i++)
		buf_addf(&b, "action a%u in a%u;", i, i - 1);
	assert_int_equal(parse_status(&b), ARK_EINPUT);
	repeat(&b, "               ", CEDAR_TEXT_MAX / 15);
	assert_int_equal(parse_status(&b), ARK_EINPUT);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_schema__declarations_of_every_kind_are_read),
	    cmocka_unit_test(test_schema__names_mean_what_is_nearest),
	    cmocka_unit_test(test_schema__the_last_of_an_attribute_written_twice_counts),
	    cmocka_unit_test(test_schema__what_is_wrong_is_told_with_its_place),
	    cmocka_unit_test(test_schema__several_faults_are_told_and_near_names_named),
	    cmocka_unit_test(test_schema__depth_is_bounded),
	    cmocka_unit_test(test_schema__a_small_text_for_a_huge_type_is_refused),
	    cmocka_unit_test(test_schema__too_many_groups_or_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
