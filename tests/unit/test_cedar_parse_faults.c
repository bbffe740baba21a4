/* Faults in Cedar policy texts: where each is placed, what it says and how it is mended, that parsing goes on
 * behind it, and what is over a bound. */
#include "tests/unit/cedar_parse_fixture.h"

/* ---- faults of policies ---- */
static int faults_of(const char *text, size_t len, struct told *told, struct ark_error *err)
{
	struct cedar_policies *p = NULL;
	int rc = cedar_policies_parse(text, len, tell, told, &p, err);

	assert_int_equal(rc ? p == NULL : told->n == 0, 1);
	cedar_policies_free(p);
	return rc;
}

/* The first fault of `text` begins where `^` stands (which is taken out), and says and mends so. */
static void check_fault(const char *marked, const char *says, const char *mend)
{
	const char *mark = strchr(marked, '^');
	struct told *told = calloc(1, sizeof(*told));
	unsigned int line = 1, column = 1;
	struct ark_error err = {0};
	char text[4096];

	assert_non_null(told);
	assert_non_null(mark);
	snprintf(text, sizeof(text), "%.*s%s", (int)(mark - marked), marked, mark + 1);
	cedar_place(marked, strlen(marked), (size_t)(mark - marked), &line, &column);
	if (faults_of(text, strlen(text), told, &err) != ARK_EINPUT)
		fail_msg("%s: no fault", text);
	if (!strstr(told->faults[0].text, says))
		fail_msg("%s: says %s", marked, told->faults[0].text);
	if (mend && !strstr(told->faults[0].mend, mend))
		fail_msg("%s: mend %s", marked, told->faults[0].mend);
	if (told->faults[0].line != line || told->faults[0].column != column)
		fail_msg(
		    "%s: line %u, column %u", marked, told->faults[0].line, told->faults[0].column);
	assert_string_equal(told->faults[0].policy, "policy0");
	assert_int_equal(err.status, ARK_EINPUT);
	free(told);
}

static void test_parse__places_and_mends_faults_in_expressions(void **state)
{
	static const char *const cases[][3] = {
	    {"^=1", "found `=`, expected an expression", "write =="},
	    {"1 ^= 1", "found `=`", "write =="},
	    {"true ^& true", "found `&`", "write &&"},
	    {"true ^and true", "found `and`", "write &&"},
	    {"true ^or true", "found `or`", "write ||"},
	    {"^not true", "`not` is no variable", NULL},
	    {"1 ^/ 2 == 1", "found `/`", "no division"},
	    {"1 ^% 2 == 1", "found `%`", "no remainder"},
	    {"principal.name == ^'x'", "found `'`", "double quotes"},
	    {"^princpal.a", "`princpal` is no variable", "did you mean `principal`?"},
	    {"^Resource == 1", "`Resource` is no variable", "did you mean `resource`?"},
	    {"^foo == 1", "`foo` is no variable", "\"foo\""},
	    {"^A::B == 1", "`A::B` is no variable", "A::B::\"…\""},
	    {"(A::^)", "found `)`, expected a name, or the id", NULL},
	    {"A::^{a: 1} == 1", "found `{`", NULL},
	    {"^in == 1", "`in` is a word of the language", NULL},
	    {"^__cedar::\"a\" == 1", "`__cedar` is a word of the language", NULL},
	    {"A::^if::\"a\" == 1", "`if` is a word of the language", NULL},
	    {"principal.^if", "`if` is a word of the language", NULL},
	    {"principal.^\"a\"", "found the string \"a\"", "without the dot"},
	    {"principal[^a]", "found `a`, expected the name of an attribute in quotes", NULL},
	    {"principal[\"a\"^+ \"b\"]", "found `+`, expected `]`", NULL},
	    {"principal has ^\"a\\q\"", "`\\q` is no escape", NULL},
	    {"principal has \"a\"^.b", "found `.`, expected &&", NULL},
	    {"principal has a^[\"b\"]", "found `[`, expected &&", NULL},
	    {"principal has a^(1)", "found `(`, expected &&", NULL},
	    {"principal has ^(a)", "found `(`, expected the name of an attribute", NULL},
	    {"principal has ^true", "`true` is a word of the language", "in quotes"},
	    {"principal has a ^== true", "`==` follows another comparison", "parentheses"},
	    {"principal has a ^+ 1", "`+` follows another comparison", "parentheses"},
	    {"1 == 2 ^== 3", "`==` follows another comparison", "parentheses"},
	    {"1 < 2 + 1 ^has a", "`has` follows another comparison", "parentheses"},
	    {"principal is A in B::\"b\" ^in C::\"c\"", "`in` follows another comparison", NULL},
	    {"principal is ^A::\"b\"", "found an entity, expected an entity type", "write =="},
	    {"principal is ^(A)", "found `(`, expected an entity type", NULL},
	    {"principal is ^\"A\"", "found the string \"A\", expected an entity type", NULL},
	    {"\"a\" like ^context.p", "found `context`, expected a pattern", NULL},
	    {"\"a\" like \"b\" ^* 2", "`*` follows another comparison", NULL},
	    {"\"a\" like ^\"\\d\"", "`\\d` is no escape", NULL},
	    {"^foo(1)", "there is no function `foo`", NULL},
	    {"^decimals(\"1.0\")", "there is no function `decimals`", "`decimal`"},
	    {"^A::ip(\"1.0\")", "there is no function `A::ip`", NULL},
	    {"^contains(1)", "`contains` is a method", "x.contains("},
	    {"^isIpv4(1)", "`isIpv4` is a method", "x.isIpv4("},
	    {"^principal(1)", "`principal` is a variable, not a function", NULL},
	    {"context.a.^ip(1)", "`ip` is a function, not a method", "ip("},
	    {"context.a.^contain(1)", "there is no method `contain`", "`contains`"},
	    {"context.a.^foo(1)", "there is no method `foo`", NULL},
	    {"(context.a)^(1)", "found `(` after an expression", NULL},
	    {"context[\"contains\"]^(1)", "found `(` after an expression", NULL},
	    {"^[1].contains()", "`contains` takes one argument, not 0", NULL},
	    {"^[1].contains(1, 2)", "`contains` takes one argument, not 2", NULL},
	    {"^[1].isEmpty(1)", "`isEmpty` takes no argument, not 1", NULL},
	    {"[1, ^, 2]", "found `,`, expected an expression", NULL},
	    {"[1 ^2]", "found the number 2, expected an operator, `,` or `]`", NULL},
	    {"[^,]", "found `,`", NULL},
	    {"(1 ^]", "found `]`, expected an operator or `)`", NULL},
	    {"(^)", "found `)`, expected an expression", NULL},
	    {"{a: 1, ^a: 2}.a", "the record has the attribute `a` twice", "leave one"},
	    {"{\"b\": 1, a: 2, ^b: 2}.a", "the record has the attribute `b` twice", NULL},
	    {"{^1: 2}.a", "found the number 1, expected the name of an attribute", NULL},
	    {"{^true: 2}.a", "`true` is a word of the language", NULL},
	    {"{a^::b: 2}.a", "found `::`, expected `:`", NULL},
	    {"{a^}", "found `}`, expected `:`", NULL},
	    {"{a: 1 ^b: 2}.a", "found `b`, expected an operator, `,` or `}`", NULL},
	    {"9223372036854775807 == ^9223372036854775808", "out of range", NULL},
	    {"-^9223372036854775809 == 1", "out of range", NULL},
	    {"- (^9223372036854775808) == 1", "out of range", NULL},
	    {"^99999999999999999999999999999999999999999999999 == 1", "out of range", NULL},
	    {"!!!!^!true", "`!` stands more than four times", NULL},
	    {"----^-1 == 1", "`-` stands more than four times", NULL},
	    {"!^-1 == 1", "cannot follow each other", "parentheses"},
	    {"-^!true", "cannot follow each other", "parentheses"},
	    {"true && ^if true then true else false", "needs parentheses", "(if"},
	    {"if true ^true", "found `true`, expected an operator or `then`", NULL},
	    {"if true then 1 ^; 2", "found `;`, expected an operator or `else`", NULL},
	    {"if true ^else 2", "found `else`, expected an operator or `then`", NULL},
	    {"principal == ^?principal", "templates are not supported: found the slot `?principal`",
		"write the entity in"},
	    {"true ^true", "found `true`, expected an operator or `}`", NULL},
	    {"true ^\xc3\xa4", "found `\xc3\xa4`", NULL},
	    {"true ^\"abc", "a string without its closing quote", NULL},
	    {"\"a\" == ^\"\\u{110000}\"", "is no escape", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text),
		    "// \xc3\xa4\n permit(principal, action, resource)\nwhen { %s };", cases[i][0]);
		check_fault(text, cases[i][1], cases[i][2]);
	}
}

static void test_parse__places_and_mends_faults_around_expressions(void **state)
{
	static const char *const cases[][3] = {
	    {"^allow(principal, action, resource);", "found `allow`", "`permit`"},
	    {"^Forbid(principal, action, resource);", "found `Forbid`", "`forbid`"},
	    {"^;", "found `;`, expected `permit` or `forbid`", NULL},
	    {"permit ^principal", "found `principal`, expected `(`", NULL},
	    {"permit(^);", "found `)`, expected `principal`", "(principal, action, resource)"},
	    {"permit(^princpal, action, resource);", "found `princpal`",
		"did you mean `principal`?"},
	    {"permit(principal, ^resource, action);", "found `resource`, expected `action`", NULL},
	    {"permit(principal, action^);", "found `)`, expected `,` and `resource`", NULL},
	    {"permit(principal, action, resource, ^context);", "more than a principal", NULL},
	    {"permit(principal, action, resource,^,);", "found `,`, expected `)`", NULL},
	    {"permit(principal ^: User, action, resource);", "not written with `:`",
		"principal is"},
	    {"permit(principal ^= U::\"a\", action, resource);", "found `=`", "write =="},
	    {"permit(principal ^< U::\"a\", action, resource);", "a scope has only ==, in and is",
		NULL},
	    {"permit(principal, action ^!= U::\"a\", resource);", "a scope has only ==, in",
		"when"},
	    {"permit(principal == ^\"a\", action, resource);", "found a string, expected an entity",
		"Type::"},
	    {"permit(principal == ^User, action, resource);", "`User` is no entity", "`is`"},
	    {"permit(principal == U::\"a\" ^|| true, action, resource);", "found `||`", "`when"},
	    {"permit(principal in ^[U::\"a\"], action, resource);",
		"only an action may be `in` a set", NULL},
	    {"permit(principal == (U::\"a\"^, action, resource);", "expected `)`", NULL},
	    {"permit(principal is ^U::\"a\", action, resource);", "expected an entity type", "=="},
	    {"permit(principal is U ^== U::\"a\", action, resource);", "cannot stand together",
		NULL},
	    {"permit(principal in U::\"a\" ^is U, action, resource);", "`is` comes before `in`",
		"is … in"},
	    {"permit(principal == ^?principal, action, resource);", "templates are not supported",
		"write the entity in"},
	    {"permit(principal, action, resource in ^?resource);", "templates are not supported",
		"write the entity in"},
	    {"permit(principal, action ^is A, resource);", "scope of an action", "when"},
	    {"permit(principal, action == ^U::\"a\", resource);", "`U` is no action", "Action::"},
	    {"permit(principal, action == ^[Action::\"a\"], resource);", "set", NULL},
	    {"permit(principal, action in [Action::\"a\", ^MyAction::\"b\"], resource);",
		"`MyAction` is no action", NULL},
	    {"permit(principal, action in [Action::\"a\" ^Action::\"b\"], resource);",
		"expected `,` or `]`", NULL},
	    {"permit(principal, action in [^[]], resource);", "set", NULL},
	    {"permit(principal, action in [^,], resource);", "found `,`, expected an entity", NULL},
	    {"permit(principal, action, resource) ^if { true };", "found `if`", "when"},
	    {"permit(principal, action, resource) ^wehn { true };", "found `wehn`", "`when`"},
	    {"permit(principal, action, resource) when { ^};", "the condition is empty", NULL},
	    {"permit(principal, action, resource) when ^true;", "found `true`, expected `{`", NULL},
	    {"permit(principal, action, resource)^", "ends without `;`", "semicolon"},
	    {"permit(principal, action, resource)^ // x\n", "ends without `;`", "semicolon"},
	    {"permit(principal, action, resource)^\npermit(principal, action, resource);",
		"ends without `;`", "semicolon"},
	    {"@a ^@a permit(principal, action, resource);", "annotation `@a` twice", NULL},
	    {"@a(^1) permit(principal, action, resource);", "in quotes", NULL},
	    {"@a(\"1\"^, \"2\") permit(principal, action, resource);", "expected `)`", NULL},
	    {"@^\"a\" permit(principal, action, resource);", "the name of an annotation", NULL},
	    {"@a(^\"\\z\") permit(principal, action, resource);", "is no escape", NULL},
	    {"^\xff permit(principal, action, resource);", "found bytes that are no text", NULL},
	    {"// ^\xff\npermit(principal, action, resource);", "bytes that are no text", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_fault(cases[i][0], cases[i][1], cases[i][2]);
}

static void test_parse__goes_on_behind_a_fault(void **state)
{
	static const char text[] = "permit(principal, action, resource) when { 1 = 1 };\n"
				   "permit(principal, action, resource);\n"
				   "forbid(principal, action, resource)\n"
				   "permit(principal, action, resourc);\n"
				   "permit(principal, action, resource) when { \";\" == };";
	struct told *told = calloc(1, sizeof(*told));
	struct ark_error err = {0};

	(void)state;
	assert_non_null(told);
	assert_int_equal(faults_of(text, strlen(text), told, &err), ARK_EINPUT);
	assert_int_equal(told->n, 4);
	assert_string_equal(err.text, "line 1, column 46: found `=`, expected an operator or `}`");
	assert_string_equal(told->faults[1].policy, "policy2");
	assert_int_equal(told->faults[1].line, 3);
	assert_string_equal(told->faults[2].policy, "policy3");
	assert_int_equal(told->faults[2].line, 4);
	assert_string_equal(told->faults[3].policy, "policy4");
	assert_int_equal(told->faults[3].column, 51);
	free(told);
}

/* ---- bounds ---- */
static void test_parse__refuses_what_is_over_a_bound(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t n;
		const char *tail, *says;
	} cases[] = {
	    {WHEN "\"", "0123456789", 1 << 20, "\"};", "longer than 1048576 bytes"},
	    {WHEN, "(", 100000, "1", "nested more than 200 deep"},
	    {WHEN, "(", 201, "1", "nested more than 200 deep"},
	    {WHEN, "[", 100000, "1", "nested more than 200 deep"},
	    {WHEN, "{a:", 100000, "1", "nested more than 200 deep"},
	    {WHEN, "if ", 100000, "1", "nested more than 200 deep"},
	    {WHEN, "!(", 100000, "1", "nested more than 200 deep"},
	    {WHEN, "principal.contains(", 10000, "1", "nested more than 200 deep"},
	    {WHEN, "1 + (2 * (", 10000, "1", "nested more than 200 deep"},
	    {WHEN "principal", ".a", 100000, "};", "nested more than 200 deep"},
	    {WHEN "principal has a", ".a", 100000, "};", "nested more than 200 deep"},
	    {WHEN "1", "+1", 100000, "};", "nested more than 200 deep"},
	    {WHEN "1", "*1", 200, "};", "nested more than 200 deep"},
	    {WHEN "[1", ",1", 500000, "]};", "more than 262144 expressions"},
	    {WHEN "[1", ",1", 262143, "]};", "more than 262144 expressions"},
	    {WHEN "true", "||true", 140000, "};", "more than 262144 expressions"},
	    {"", "permit(principal,action,resource);", 2001, "", "more than 2000 policies"},
	    {"@a1@a", "@b", 101, "permit(principal,action,resource);", "twice"},
	};
	struct ark_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc =
		    parse_repeated(cases[i].head, cases[i].piece, cases[i].n, cases[i].tail, &err);

		if (rc != ARK_EINPUT || !strstr(err.text, cases[i].says))
			fail_msg("%s%s…: %d %s", cases[i].head, cases[i].piece, rc, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse__places_and_mends_faults_in_expressions),
	    cmocka_unit_test(test_parse__places_and_mends_faults_around_expressions),
	    cmocka_unit_test(test_parse__goes_on_behind_a_fault),
	    cmocka_unit_test(test_parse__refuses_what_is_over_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
