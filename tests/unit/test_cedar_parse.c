/* Cedar policy texts and their trees: every kind of expression and scope, what lies within the bounds, and the
 * corpus' policies. */
#include "tests/unit/cedar_parse_fixture.h"

/* ---- trees ---- */
struct dump {
	char text[16384];
	size_t len;
};

static void put(struct dump *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct dump *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->len += (size_t)vsnprintf(d->text + d->len, sizeof(d->text) - d->len, fmt, ap);
	va_end(ap);
	assert_true(d->len < sizeof(d->text));
}

static void put_text(struct dump *d, struct cedar_text t)
{
	put(d, "%.*s", (int)t.len, t.bytes);
}

static void put_value(struct dump *d, const struct cedar_value *v)
{
	if (v->kind == CEDAR_BOOL) {
		put(d, "%s", v->truth ? "true" : "false");
	} else if (v->kind == CEDAR_LONG) {
		put(d, "%lld", (long long)v->number);
	} else if (v->kind == CEDAR_STRING) {
		put(d, "'");
		put_text(d, v->text);
		put(d, "'");
	} else {
		put_text(d, v->uid.type);
		put(d, "::'");
		put_text(d, v->uid.id);
		put(d, "'");
	}
}

static const char *const op_names[] = {"literal", "var", "!", "-", "isEmpty", "==", "!=", "<",
    "<=", ">", ">=", "+", "-", "*", "in", "contains", "containsAll", "containsAny", "getTag",
    "hasTag", "&&", "||", "if", ".", "has", "like", "is", "set", "call", "record"};
static const char *const var_names[] = {"principal", "action", "resource", "context"};

static void put_node(struct dump *d, const struct cedar_policies *p, uint32_t i)
{
	const struct cedar_node *n = &p->nodes[i];

	if (n->op == OP_LITERAL) {
		put_value(d, &n->value);
		return;
	}
	if (n->op == OP_VAR) {
		put(d, "%s", var_names[n->var]);
		return;
	}
	put(d, "(%s", op_names[n->op]);
	if (n->op == OP_CALL)
		put(d, " %u", n->fn);
	for (unsigned int c = 0; c < 3 && n->child[c] != CEDAR_NONE; c++) {
		put(d, " ");
		put_node(d, p, n->child[c]);
	}
	for (uint32_t c = 0; c < n->list_len; c++) {
		put(d, " ");
		if (n->op == OP_RECORD) {
			put_text(d, n->names[c]);
			put(d, "=");
		}
		put_node(d, p, n->list[c]);
	}
	if (n->op == OP_GET || n->op == OP_HAS || n->op == OP_IS) {
		put(d, " ");
		put_text(d, n->name);
	}
	for (size_t c = 0; n->op == OP_LIKE && c < n->pattern.len; c++) {
		put(d, " [");
		put_text(d, n->pattern.pieces[c]);
		put(d, "]");
	}
	put(d, ")");
}

static struct cedar_policies *parsed(const char *text)
{
	struct cedar_policies *p = NULL;
	struct ark_error err = {0};

	if (cedar_policies_parse(text, strlen(text), NULL, NULL, &p, &err))
		fail_msg("%s: %s", text, err.text);
	check_nodes(p);
	return p;
}

static void check_tree(const char *expression, const char *expect)
{
	char text[4096];
	struct dump *d = calloc(1, sizeof(*d));
	struct cedar_policies *p;

	snprintf(text, sizeof(text), "permit(principal,action,resource)when{%s};", expression);
	p = parsed(text);
	assert_non_null(d);
	put_node(d, p, p->policies[0].condition);
	if (strcmp(d->text, expect) != 0)
		fail_msg("%s\n   is %s\n  not %s", expression, d->text, expect);
	free(d);
	cedar_policies_free(p);
}

static void test_parse__reads_every_kind_of_expression(void **state)
{
	static const char *const cases[][2] = {
	    {"true", "true"},
	    {"false", "false"},
	    {"0", "0"},
	    {"007", "7"},
	    {"9223372036854775807", "9223372036854775807"},
	    {"-9223372036854775808", "-9223372036854775808"},
	    {"- 5", "-5"},
	    {"--5", "(- -5)"},
	    {"----5", "(- (- (- -5)))"},
	    {"-(5)", "(- 5)"},
	    {"-5.a", "(- (. 5 a))"},
	    {"1 - -1", "(- 1 -1)"},
	    {"1-1", "(- 1 1)"},
	    {"!!!!true", "(! (! (! (! true))))"},
	    {"!(-1)", "(! -1)"},
	    {"\"a\\nb\\u{e4}\"", "'a\nb\xc3\xa4'"},
	    {"principal", "principal"},
	    {"(action)", "action"},
	    {"((resource))", "resource"},
	    {"context", "context"},
	    {"User::\"a\"", "User::'a'"},
	    {"A::B :: // c\n C::\"x\\\"y\"", "A::B::C::'x\"y'"},
	    {"principal::when::\"a\"", "principal::when::'a'"},
	    {"permit::\"\"", "permit::''"},
	    {"[]", "(set)"},
	    {"[1, \"a\", [true],]", "(set 1 'a' (set true))"},
	    {"{}", "(record)"},
	    {"{a: 1, \"b c\": {principal: 2,}, when: 3,}",
		"(record a=1 b c=(record principal=2) when=3)"},
	    {"principal.a.b[\"c d\"].permit", "(. (. (. (. principal a) b) c d) permit)"},
	    {"\"a\".b", "(. 'a' b)"},
	    {"true.b", "(. true b)"},
	    {"[1].contains(1)", "(contains (set 1) 1)"},
	    {"principal.a.containsAll([1,])", "(containsAll (. principal a) (set 1))"},
	    {"context.a.containsAny(context.b)", "(containsAny (. context a) (. context b))"},
	    {"context.a.isEmpty()", "(isEmpty (. context a))"},
	    {"principal.hasTag(\"a\") && principal.getTag(\"a\")",
		"(&& (hasTag principal 'a') (getTag principal 'a'))"},
	    {"principal.contains", "(. principal contains)"},
	    {"ip(\"1.2.3.4\").isInRange(ip(\"0.0.0.0/0\"))",
		"(call 12 (call 1 '1.2.3.4') (call 1 '0.0.0.0/0'))"},
	    {"decimal(\"1.0\").lessThan(decimal(\"2.0\"),)",
		"(call 4 (call 0 '1.0') (call 0 '2.0'))"},
	    {"duration(\"1h\").toHours() < 2", "(< (call 20 (call 3 '1h')) 2)"},
	    {"ip()", "(call 1)"},
	    {"datetime(1, 2)", "(call 2 1 2)"},
	    {"context.t.offset()", "(call 13 (. context t))"},
	    {"1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)"},
	    {"1 * 2 * 3 + -x::\"a\".b * 2", "(+ (* (* 1 2) 3) (* (- (. x::'a' b)) 2))"},
	    {"(1 + 2) * 3", "(* (+ 1 2) 3)"},
	    {"1 + 2 < 3 - 4", "(< (+ 1 2) (- 3 4))"},
	    {"1 <= 2 && 3 >= 4 || 5 > 6 && 7 != 8",
		"(|| (&& (<= 1 2) (>= 3 4)) (&& (> 5 6) (!= 7 8)))"},
	    {"true || false && true || false", "(|| (|| true (&& false true)) false)"},
	    {"true && (false || true)", "(&& true (|| false true))"},
	    {"!true == false", "(== (! true) false)"},
	    {"!principal.a.contains(1)", "(! (contains (. principal a) 1))"},
	    {"(1 == 2) == (3 == 4)", "(== (== 1 2) (== 3 4))"},
	    {"principal in resource.a", "(in principal (. resource a))"},
	    {"principal in [A::\"b\"]", "(in principal (set A::'b'))"},
	    {"principal has a", "(has principal a)"},
	    {"principal has \"a b\"", "(has principal a b)"},
	    {"principal has when", "(has principal when)"},
	    {"principal.a has context && true", "(&& (has (. principal a) context) true)"},
	    {"principal has a.b.c", "(&& (&& (has principal a) (has (. principal a) b)) (has (. (. "
				    "principal a) b) c))"},
	    {"1 + principal has a", "(has (+ 1 principal) a)"},
	    {"context.a like \"x*\\*\"", "(like (. context a) [x] [*])"},
	    {"principal is User", "(is principal User)"},
	    {"principal is A::B", "(is principal A::B)"},
	    {"principal is principal", "(is principal principal)"},
	    {"principal is User in G::\"a\" && true",
		"(&& (&& (is principal User) (in principal G::'a')) true)"},
	    {"principal is U in context.a + 1",
		"(&& (is principal U) (in principal (+ (. context a) 1)))"},
	    {"if true then 1 else 2", "(if true 1 2)"},
	    {"if principal has a then 1 else if true then 2 else 3 + 4",
		"(if (has principal a) 1 (if true 2 (+ 3 4)))"},
	    {"(if true then 1 else 2) + 3", "(+ (if true 1 2) 3)"},
	    {"[if true then 1 else 2, if false then {a: if true then 1 else 2} else 4]",
		"(set (if true 1 2) (if false (record a=(if true 1 2)) 4))"},
	    {"if if true then true else false then 1 else 2", "(if (if true true false) 1 2)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_tree(cases[i][0], cases[i][1]);
}

static void put_scope(struct dump *d, const struct cedar_scope *s)
{
	static const char *const kinds[] = {"any", "==", "in", "in-set", "is", "is-in"};

	put(d, "%s", kinds[s->kind]);
	if (s->type.len) {
		put(d, " ");
		put_text(d, s->type);
	}
	for (size_t i = 0; i < s->set_len + (s->uid.type.len > 0); i++) {
		const struct cedar_uid *u = s->uid.type.len ? &s->uid : &s->set[i];

		put(d, " ");
		put_value(d, &(struct cedar_value){.kind = CEDAR_ENTITY, .uid = *u});
	}
	put(d, "; ");
}

static void test_parse__reads_every_kind_of_scope(void **state)
{
	static const char *const cases[][2] = {
	    {"principal, action, resource", "any; any; any; "},
	    {"principal, action, resource,", "any; any; any; "},
	    {"principal == U::\"a\", action == Action::\"r\", resource in F::\"x\"",
		"== U::'a'; == Action::'r'; in F::'x'; "},
	    {"principal is N::U, action in N::Action::\"r\", resource is D in F::\"x\"",
		"is N::U; in N::Action::'r'; is-in D F::'x'; "},
	    {"principal in ((U::\"a\")), action in ([(Action::\"r\"), Action::\"s\",]), resource",
		"in U::'a'; in-set Action::'r' Action::'s'; any; "},
	    {"principal, action in [], resource", "any; in-set; any; "},
	    {"principal, action in (Action::\"r\"), resource", "any; in Action::'r'; any; "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		struct dump *d = calloc(1, sizeof(*d));
		struct cedar_policies *p;

		assert_non_null(d);
		snprintf(text, sizeof(text), "forbid(%s);", cases[i][0]);
		p = parsed(text);
		put_scope(d, &p->policies[0].principal);
		put_scope(d, &p->policies[0].action);
		put_scope(d, &p->policies[0].resource);
		assert_string_equal(d->text, cases[i][1]);
		assert_int_equal(p->policies[0].condition, CEDAR_NONE);
		free(d);
		cedar_policies_free(p);
	}
}

static void test_parse__tells_policies_apart(void **state)
{
	static const char text[] =
	    "// first\n@id(\"one\")\n@note @if(\"a\\0b\")\npermit(principal, "
	    "action, resource);\n\n  forbid (principal, action, resource)\n"
	    "when { true } unless { 1 == 2 } when { false } ; // end";
	struct cedar_policies *p = parsed(text);
	struct dump *d = calloc(1, sizeof(*d));
	struct cedar_text whole;

	(void)state;
	assert_non_null(d);
	assert_int_equal(cedar_policies_count(p), 2);
	assert_string_equal(cedar_policy_name(p, 1), "policy1");
	assert_string_equal(cedar_policy_note(p, 0, "id"), "one");
	assert_string_equal(cedar_policy_note(p, 0, "note"), "");
	assert_string_equal(cedar_policy_note(p, 0, "if"), "a");
	assert_int_equal(p->policies[0].notes[2].value.len, 3);
	assert_null(cedar_policy_note(p, 0, "i"));
	assert_null(cedar_policy_note(p, 1, "id"));
	assert_false(cedar_policy_forbids(p, 0));
	assert_true(cedar_policy_forbids(p, 1));
	assert_int_equal(cedar_policy_line(p, 0), 2);
	assert_int_equal(cedar_policy_line(p, 1), 6);
	whole = cedar_policy_text(p, 1);
	assert_memory_equal(whole.bytes, "forbid (", 8);
	assert_memory_equal(whole.bytes + whole.len - 9, "false } ;", 9);
	put_node(d, p, p->policies[1].condition);
	assert_string_equal(d->text, "(&& (&& true (! (== 1 2))) false)");
	free(d);
	cedar_policies_free(p);
	p = parsed(" // nothing\n");
	assert_int_equal(cedar_policies_count(p), 0);
	cedar_policies_free(p);
	cedar_policies_free(NULL);
}

static void test_parse__places_expressions_at_their_first_byte(void **state)
{
	static const char head[] = "permit(principal,action,resource)when{";
	struct cedar_policies *p =
	    parsed("permit(principal,action,resource)when{ ((1) + 2) * 3 == -[1].contains(4) };");
	static const struct {
		uint8_t op;
		uint32_t offset;
	} expect[] = {
	    {OP_ADD, 2}, {OP_MUL, 1}, {OP_EQ, 1}, {OP_NEGATE, 18}, {OP_CONTAINS, 19}, {OP_SET, 19}};

	(void)state;
	for (size_t e = 0; e < sizeof(expect) / sizeof(expect[0]); e++) {
		size_t n = 0;

		while (n < p->nodes_len && p->nodes[n].op != expect[e].op)
			n++;
		assert_true(n < p->nodes_len);
		assert_int_equal(p->nodes[n].offset - (sizeof(head) - 1), expect[e].offset);
	}
	cedar_policies_free(p);
}

/* ---- bounds ---- */
static void test_parse__takes_what_is_within_the_bounds(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t n;
		const char *tail;
	} cases[] = {
	    {WHEN "[1", ",1", 262142, "]};"},
	    {WHEN "1", "+1", 199, "};"},
	    {WHEN, "(", 200,
		"1))))))))))))))))))))))))))))))))))))))))))))))))))"
		"))))))))))))))))))))))))))))))))))))))))))))))))))"
		"))))))))))))))))))))))))))))))))))))))))))))))))))"
		"))))))))))))))))))))))))))))))))))))))))))))))))))};"},
	    {WHEN "true", "||true", 60000, "};"},
	    {WHEN "true", "&&1 == 2", 20001, "};"},
	    {"permit(principal,action,resource)", "when{true}", 30001, ";"},
	    {"", "permit(principal,action,resource);", 2000, ""},
	    {"", "// 0123456789\n", 70000, ""},
	};
	struct ark_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (parse_repeated(cases[i].head, cases[i].piece, cases[i].n, cases[i].tail, &err))
			fail_msg("%s%s…: %s", cases[i].head, cases[i].piece, err.text);
}

static void test_parse__keeps_the_order_of_a_long_chain(void **state)
{
	size_t len, next = 0, n = 1001;
	char *text = malloc(n * 16 + 100), *at = text;
	struct cedar_policies *p = NULL;

	(void)state;
	assert_non_null(text);
	at = stpcpy(at, WHEN "0");
	for (size_t i = 1; i < n; i++)
		at += snprintf(at, 16, "||%zu", i);
	at = stpcpy(at, "};");
	len = (size_t)(at - text);
	assert_int_equal(cedar_policies_parse(text, len, NULL, NULL, &p, NULL), ARK_OK);
	check_nodes(p);
	assert_true(p->nodes[p->policies[0].condition].depth < 16);
	/* in-order walk with a stack of its own */
	{
		uint32_t stack[64], depth = 0;

		stack[depth++] = p->policies[0].condition;
		while (depth) {
			const struct cedar_node *node = &p->nodes[stack[--depth]];

			if (node->op == OP_LITERAL) {
				assert_int_equal(node->value.number, next++);
				continue;
			}
			assert_int_equal(node->op, OP_OR);
			assert_int_equal(node->offset, p->nodes[node->child[0]].offset);
			stack[depth++] = node->child[1];
			stack[depth++] = node->child[0];
		}
	}
	assert_int_equal(next, n);
	cedar_policies_free(p);
	free(text);
}

/* ---- Cedar's own policies ---- */
static size_t parse_every(const char *dir)
{
	char command[700], path[1024];
	char *text = malloc(CEDAR_TEXT_MAX);
	size_t files = 0;
	FILE *list;

	assert_non_null(text);
	snprintf(command, sizeof(command), "find '%s' -name '*.cedar'", dir);
	list = popen(command, "r"); /* NOLINT(cert-env33-c) */
	assert_non_null(list);
	for (; fgets(path, sizeof(path), list); files++) {
		struct cedar_policies *p = NULL;
		struct ark_error err = {0};
		FILE *f;
		size_t len;

		path[strcspn(path, "\n")] = '\0';
		f = fopen(path, "rb");
		assert_non_null(f);
		len = fread(text, 1, CEDAR_TEXT_MAX, f);
		fclose(f);
		if (cedar_policies_parse(text, len, NULL, NULL, &p, &err))
			fail_msg("%s: %s", path, err.text);
		check_nodes(p);
		cedar_policies_free(p);
	}
	assert_int_equal(pclose(list), 0);
	free(text);
	return files;
}

static void test_parse__reads_every_policy_of_the_integration_tests(void **state)
{
	char dir[512];

	(void)state;
	unit_corpus(dir, "cedar-integration", __func__);
	assert_true(parse_every(dir) >= 20);
}

static void test_parse__reads_every_policy_of_the_corpus(void **state)
{
	char archive[512], dir[256], command[1200];

	(void)state;
	unit_corpus(archive, "cedar-corpus.tar.gz", __func__);
	unit_scratch(dir);
	snprintf(
	    command, sizeof(command), "tar -xzf '%s' -C '%s' --wildcards '*.cedar'", archive, dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	assert_true(parse_every(dir) >= 4000);
	unit_scratch_end(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse__reads_every_kind_of_expression),
	    cmocka_unit_test(test_parse__reads_every_kind_of_scope),
	    cmocka_unit_test(test_parse__tells_policies_apart),
	    cmocka_unit_test(test_parse__places_expressions_at_their_first_byte),
	    cmocka_unit_test(test_parse__takes_what_is_within_the_bounds),
	    cmocka_unit_test(test_parse__keeps_the_order_of_a_long_chain),
	    cmocka_unit_test(test_parse__reads_every_policy_of_the_integration_tests),
	    cmocka_unit_test(test_parse__reads_every_policy_of_the_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
