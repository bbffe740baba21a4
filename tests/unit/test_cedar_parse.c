/* Cedar policy texts: trees, faults and bounds. */
#include "tests/unit/unit.h"

#include "policies/cedar_private.h"

struct told {
	struct cedar_fault faults[128];
	size_t n;
};

static void tell(void *arg, const struct cedar_fault *fault)
{
	struct told *told = arg;

	if (told->n < 128)
		told->faults[told->n] = *fault;
	told->n++;
}

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

/* What every tree keeps to: children first, depths, offsets in the text, leaves without children. */
static void check_nodes(const struct cedar_policies *p)
{
	uint32_t first = 0;

	for (size_t i = 0; i < p->len; i++) {
		const struct cedar_policy *one = &p->policies[i];

		assert_int_equal(one->first, first);
		assert_true(one->last >= one->first && one->last <= p->nodes_len);
		first = one->last;
		assert_true(one->condition == CEDAR_NONE ? one->first == one->last
							 : one->condition == one->last - 1);
		assert_true(one->end <= p->text_len && p->text[one->end - 1] == ';');
		for (uint32_t n = one->first; n < one->last; n++) {
			const struct cedar_node *node = &p->nodes[n];
			unsigned int depth = 0;

			for (unsigned int c = 0; c < 3; c++) {
				if (node->child[c] == CEDAR_NONE)
					continue;
				assert_true(node->child[c] < n && node->child[c] >= one->first);
				if (p->nodes[node->child[c]].depth > depth)
					depth = p->nodes[node->child[c]].depth;
			}
			for (uint32_t c = 0; c < node->list_len; c++) {
				assert_true(node->list[c] < n && node->list[c] >= one->first);
				if (p->nodes[node->list[c]].depth > depth)
					depth = p->nodes[node->list[c]].depth;
			}
			assert_int_equal(node->depth, depth + 1);
			assert_true(node->depth <= CEDAR_DEPTH_MAX);
			assert_true(node->offset >= one->offset && node->offset < one->end);
		}
	}
	assert_int_equal(first, p->nodes_len);
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

static char *repeated(
    const char *head, const char *piece, size_t n, const char *tail, size_t *ret_len)
{
	size_t size = strlen(head) + strlen(piece) * n + strlen(tail) + 1;
	char *text = malloc(size), *at = text;

	assert_non_null(text);
	at = stpcpy(at, head);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, piece);
	at = stpcpy(at, tail);
	*ret_len = (size_t)(at - text);
	return text;
}

#define WHEN "permit(principal,action,resource)when{"

static int parse_repeated(
    const char *head, const char *piece, size_t n, const char *tail, struct ark_error *err)
{
	struct cedar_policies *p = NULL;
	size_t len;
	char *text = repeated(head, piece, n, tail, &len);
	int rc = cedar_policies_parse(text, len, NULL, NULL, &p, err);

	if (!rc)
		check_nodes(p);
	cedar_policies_free(p);
	free(text);
	return rc;
}

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
	    cmocka_unit_test(test_parse__places_and_mends_faults_in_expressions),
	    cmocka_unit_test(test_parse__places_and_mends_faults_around_expressions),
	    cmocka_unit_test(test_parse__goes_on_behind_a_fault),
	    cmocka_unit_test(test_parse__refuses_what_is_over_a_bound),
	    cmocka_unit_test(test_parse__takes_what_is_within_the_bounds),
	    cmocka_unit_test(test_parse__keeps_the_order_of_a_long_chain),
	    cmocka_unit_test(test_parse__reads_every_policy_of_the_integration_tests),
	    cmocka_unit_test(test_parse__reads_every_policy_of_the_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
