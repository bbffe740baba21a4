/* Cedar evaluation and decisions: each operator, each kind of error, the rules of deciding. */
#include "tests/unit/unit.h"

#include "policies/cedar_private.h"

static const char entities_text[] =
    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},"
    "\"attrs\":{\"n\":7,\"s\":\"text\",\"r\":{\"x\":{\"y\":1}},\"set\":[1,2,3],"
    "\"friend\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}},"
    "\"gone\":{\"__entity\":{\"type\":\"U\",\"id\":\"gone\"}}},"
    "\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":\"v\",\"\":1}},"
    "{\"uid\":{\"type\":\"U\",\"id\":\"b\"},\"attrs\":{\"n\":8},\"parents\":[]},"
    "{\"uid\":{\"type\":\"G\",\"id\":\"g\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"G\",\"id\":\"top\"}]},"
    "{\"uid\":{\"type\":\"D\",\"id\":\"d\"},\"attrs\":{},\"parents\":[]}]";
static const char context_text[] = "{\"on\":true,\"n\":-9223372036854775807,\"deep\":{\"e\":"
				   "{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}}}";

struct world {
	struct cedar_entities *entities;
	struct cedar_world world;
	struct cedar_request request;
	struct cedar_arena *arena, *kept;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	json_t *entities = json_loads(entities_text, 0, NULL),
	       *context = json_loads(context_text, 0, NULL);

	assert_non_null(w);
	assert_non_null(entities);
	assert_non_null(context);
	assert_int_equal(cedar_arena_new(CEDAR_ARENA_MAX, &w->arena, NULL), ARK_OK);
	assert_int_equal(cedar_arena_new(CEDAR_ARENA_MAX, &w->kept, NULL), ARK_OK);
	assert_int_equal(cedar_entities_from_json(entities, NULL, &w->entities, NULL), ARK_OK);
	assert_int_equal(
	    cedar_context_from_json(context, NULL, NULL, w->kept, &w->request.context, NULL),
	    ARK_OK);
	w->world.entities = w->entities;
	w->request.principal = (struct cedar_uid){cedar_text_of("U"), cedar_text_of("a")};
	w->request.action = (struct cedar_uid){cedar_text_of("Action"), cedar_text_of("read")};
	w->request.resource = (struct cedar_uid){cedar_text_of("D"), cedar_text_of("d")};
	json_decref(context);
	json_decref(entities);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	cedar_entities_free(w->entities);
	cedar_arena_free(w->kept);
	cedar_arena_free(w->arena);
	free(w);
	return 0;
}

static struct cedar_policies *parsed(const char *text)
{
	struct cedar_policies *p = NULL;
	struct ark_error err = {0};

	if (cedar_policies_parse(text, strlen(text), NULL, NULL, &p, &err))
		fail_msg("%s: %s", text, err.text);
	return p;
}

/* What an expression gives, printed; "error: …" when it fails. */
static void check(struct world *w, const char *expression, const char *expect)
{
	struct buf text = BUF_INIT, got = BUF_INIT;
	struct cedar_policies *p;
	struct cedar_value v = {0};
	struct ark_error err = {0};
	int rc;

	buf_addf(&text, "permit(principal, action, resource) when { %s };", expression);
	p = parsed(text.data);
	cedar_arena_reset(w->arena);
	rc =
	    cedar_evaluate(p, p->policies[0].condition, &w->world, &w->request, w->arena, &v, &err);
	if (rc == ARK_OK)
		cedar_print(&v, &got);
	else
		buf_addf(&got, "%s: %s", rc == 1 ? "error" : "bound", err.text);
	if (strncmp(got.data, expect, strlen(expect)) != 0 ||
	    (rc == ARK_OK && strcmp(got.data, expect) != 0))
		fail_msg("%s gives %s, not %s", expression, got.data, expect);
	cedar_policies_free(p);
	buf_free(&got);
	buf_free(&text);
}

struct expected {
	const char *expression, *value;
};

static void check_all(void **state, const struct expected *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(*state, table[i].expression, table[i].value);
}
#define CHECK_ALL(state, table) check_all(state, table, sizeof(table) / sizeof(*(table)))

/* ---- operators ---- */

static void test_logic__takes_the_short_way_and_only_booleans(void **state)
{
	static const struct expected table[] = {
	    {"true && false", "false"},
	    {"false && 1", "false"},
	    {"false && principal.missing", "false"},
	    {"true && 1", "error: a condition must be a boolean"},
	    {"1 && true", "error: a condition must be a boolean"},
	    {"true || 1", "true"},
	    {"true || principal.missing", "true"},
	    {"false || 1", "error: a condition must be a boolean"},
	    {"false || principal.missing", "error: there is no attribute"},
	    {"\"\" || true", "error: a condition must be a boolean"},
	    {"!true", "false"},
	    {"!(1 == 2)", "true"},
	    {"!1", "error: ! needs a boolean, not a long"},
	    {"if true then 1 else principal.missing", "1"},
	    {"if false then principal.missing else \"x\"", "\"x\""},
	    {"if 1 then 1 else 2", "error: a condition must be a boolean"},
	    {"if context.on then principal else resource", "U::\"a\""},
	    {"(if true then 5 else 6) == 5", "true"},
	    {"[true && true, false || true]", "[true]"},
	};

	CHECK_ALL(state, table);
}

static void test_arithmetic__overflows_at_both_ends(void **state)
{
	static const struct expected table[] = {
	    {"1 + 2 * 3 - 4", "3"},
	    {"-(3)", "-3"},
	    {"9223372036854775806 + 1", "9223372036854775807"},
	    {"9223372036854775807 + 1", "error: the integer overflows in an addition"},
	    {"context.n - 1", "-9223372036854775808"},
	    {"context.n - 2", "error: the integer overflows in a subtraction"},
	    {"-(context.n - 1)", "error: the integer overflows in a negation"},
	    {"-9223372036854775808", "-9223372036854775808"},
	    {"(context.n - 1) * -1", "error: the integer overflows in a product"},
	    {"4611686018427387904 * 2", "error: the integer overflows in a product"},
	    {"4611686018427387904 * -2", "-9223372036854775808"},
	    {"1 + \"1\"", "error: arithmetic needs longs, not a string"},
	    {"-true", "error: - needs a long, not a boolean"},
	    {"principal - 1", "error: arithmetic needs longs, not an entity"},
	};

	CHECK_ALL(state, table);
}

static void test_comparison__is_of_longs_datetimes_and_durations(void **state)
{
	static const struct expected table[] = {
	    {"1 < 2", "true"},
	    {"2 < 2", "false"},
	    {"2 <= 2", "true"},
	    {"2 > 2", "false"},
	    {"3 > 2", "true"},
	    {"2 >= 2", "true"},
	    {"1 >= 2", "false"},
	    {"datetime(\"2024-01-01\") < datetime(\"2024-01-02\")", "true"},
	    {"duration(\"1h\") >= duration(\"60m\")", "true"},
	    {"duration(\"-2h\") < duration(\"1h\")", "true"},
	    {"1 < \"2\"", "error: this comparison needs a long, not a string"},
	    {"\"1\" < 2", "error: a comparison needs"},
	    {"\"a\" < \"b\"", "error: a comparison needs"},
	    {"true < false", "error: a comparison needs"},
	    {"decimal(\"1.0\") < decimal(\"2.0\")", "error: a comparison needs"},
	    {"datetime(\"2024-01-01\") < duration(\"1d\")",
		"error: this comparison needs a datetime"},
	    {"1 == 1", "true"},
	    {"1 == \"1\"", "false"},
	    {"1 != \"1\"", "true"},
	    {"[1, 2, 2] == [2, 1]", "true"},
	    {"{a: 1, b: [2]} == {b: [2, 2], a: 1}", "true"},
	    {"{a: 1} == {a: 1, b: 2}", "false"},
	    {"U::\"a\" == principal", "true"},
	    {"G::\"a\" == principal", "false"},
	    {"decimal(\"1.0\") == decimal(\"1.0000\")", "true"},
	    {"ip(\"10.0.0.1/8\") == ip(\"10.0.0.0/8\")", "false"},
	    {"\"\\0\" == \"\"", "false"},
	    {"\"\\u{1F600}é\" == \"😀é\"", "true"},
	};

	CHECK_ALL(state, table);
}

static void test_in__looks_at_all_ancestors(void **state)
{
	static const struct expected table[] = {
	    {"principal in principal", "true"},
	    {"principal in G::\"g\"", "true"},
	    {"principal in G::\"top\"", "true"},
	    {"G::\"top\" in principal", "false"},
	    {"principal in [G::\"x\", G::\"top\"]", "true"},
	    {"principal in []", "false"},
	    {"U::\"nobody\" in U::\"nobody\"", "true"},
	    {"U::\"nobody\" in G::\"g\"", "false"},
	    {"principal in [G::\"top\", 1]", "error: `in` needs a set of nothing but entities"},
	    {"principal in \"g\"", "error: `in` needs an entity or a set"},
	    {"1 in G::\"g\"", "error: `in` needs an entity on its left"},
	    {"principal is U", "true"},
	    {"principal is G", "false"},
	    {"principal is U in G::\"top\"", "true"},
	    {"principal is G in 1", "false"},
	    {"1 is U", "error: `is` needs an entity"},
	};

	CHECK_ALL(state, table);
}

static void test_attributes__are_of_records_and_entities_that_exist(void **state)
{
	static const struct expected table[] = {
	    {"principal.n", "7"},
	    {"principal.friend.n", "8"},
	    {"principal.r.x.y", "1"},
	    {"context.deep.e.r.x.y", "1"},
	    {"principal[\"s\"]", "\"text\""},
	    {"{\"a b\": 5}[\"a b\"]", "5"},
	    {"principal.missing", "error: there is no attribute \"missing\""},
	    {"principal.t", "error: there is no attribute"},
	    {"context.missing", "error: there is no attribute"},
	    {"{a: 1}.b", "error: there is no attribute"},
	    {"principal.gone.n", "error: the entity U::\"gone\" does not exist"},
	    {"principal.n.x", "error: an attribute needs a record or an entity"},
	    {"principal has n", "true"},
	    {"principal has missing", "false"},
	    {"principal.gone has n", "false"},
	    {"context has on", "true"},
	    {"{a: 1} has \"a\"", "true"},
	    {"principal has r.x.y", "true"},
	    {"principal has r.x.z", "false"},
	    {"principal has s.x", "error: an attribute needs"},
	    {"1 has x", "error: an attribute needs"},
	};

	CHECK_ALL(state, table);
}

static void test_tags__are_apart_from_attributes(void **state)
{
	static const struct expected table[] = {
	    {"principal.hasTag(\"t\")", "true"},
	    {"principal.hasTag(\"\")", "true"},
	    {"principal.hasTag(\"n\")", "false"},
	    {"principal.gone.hasTag(\"t\")", "false"},
	    {"principal.getTag(\"t\")", "\"v\""},
	    {"principal.getTag(\"n\")", "error: there is no tag \"n\""},
	    {"principal.gone.getTag(\"t\")", "error: the entity U::\"gone\" does not exist"},
	    {"principal.getTag(1)", "error: a tag needs a string"},
	    {"context.hasTag(\"t\")", "error: a tag needs an entity"},
	};

	CHECK_ALL(state, table);
}

static void test_sets__are_asked_in_three_ways(void **state)
{
	static const struct expected table[] = {
	    {"[3, 1, 2].contains(2)", "true"},
	    {"[3, 1, 2].contains(\"2\")", "false"},
	    {"[[2, 1], [3]].contains([1, 2])", "true"},
	    {"[[2, 1], [3]].contains([1, 3])", "false"},
	    {"[[1, 2]].contains([2, 1, 2])", "true"},
	    {"principal.set.contains([1, 1].contains(1))", "false"},
	    {"[].contains(1)", "false"},
	    {"1.contains(1)", "error: contains needs a set"},
	    {"\"abc\".contains(\"a\")", "error: contains needs a set"},
	    {"principal.set.containsAll([3, 1, 1])", "true"},
	    {"principal.set.containsAll([3, 4])", "false"},
	    {"[].containsAll([])", "true"},
	    {"[1].containsAll([1, 2])", "false"},
	    {"[1].containsAll(1)", "error: containsAll and containsAny need"},
	    {"principal.set.containsAny([9, 3])", "true"},
	    {"principal.set.containsAny([9])", "false"},
	    {"[].containsAny([])", "false"},
	    {"1.containsAny([1])", "error: contains needs a set"},
	    {"[].isEmpty()", "true"},
	    {"principal.set.isEmpty()", "false"},
	    {"context.isEmpty()", "error: isEmpty needs a set"},
	    {"[1 + 1, principal.missing]", "error: there is no attribute"},
	    {"[principal.n, 7, {a: [principal]}]", "[7, {\"a\": [U::\"a\"]}]"},
	};

	CHECK_ALL(state, table);
}

static void test_like__matches_whole_strings(void **state)
{
	static const struct expected table[] = {
	    {"\"abc\" like \"abc\"", "true"},
	    {"\"abc\" like \"ab\"", "false"},
	    {"\"\" like \"\"", "true"},
	    {"\"\" like \"*\"", "true"},
	    {"\"\" like \"**\"", "true"},
	    {"\"a\" like \"\"", "false"},
	    {"\"abc\" like \"*\"", "true"},
	    {"\"abc\" like \"a*c\"", "true"},
	    {"\"ac\" like \"a*c\"", "true"},
	    {"\"a\" like \"a*a\"", "false"},
	    {"\"aXbYc\" like \"a*b*c\"", "true"},
	    {"\"aXbY\" like \"a*b*c\"", "false"},
	    {"\"abab\" like \"*ab\"", "true"},
	    {"\"mississippi\" like \"*iss*ip*\"", "true"},
	    {"\"mississippi\" like \"*ssi*ssi*ssi*\"", "false"},
	    {"\"aba\" like \"ab*ba\"", "false"},
	    {"\"a*b\" like \"a\\*b\"", "true"},
	    {"\"axb\" like \"a\\*b\"", "false"},
	    {"\"ä😀ö\" like \"ä*ö\"", "true"},
	    {"\"a\\0b\\0c\" like \"a\\0*c\"", "true"},
	    {"1 like \"*\"", "error: `like` needs a string"},
	};

	CHECK_ALL(state, table);
}

static void test_extensions__are_called_with_their_own_types(void **state)
{
	static const struct expected table[] = {
	    {"decimal(\"1.1\").lessThan(decimal(\"1.2\"))", "true"},
	    {"decimal(\"1.1\").lessThanOrEqual(decimal(\"1.1\"))", "true"},
	    {"decimal(\"1.1\").greaterThan(decimal(\"1.1\"))", "false"},
	    {"decimal(\"1.1\").greaterThanOrEqual(decimal(\"1.1\"))", "true"},
	    {"decimal(\"1.1\").lessThan(1)", "error: lessThan takes a decimal, not a long"},
	    {"decimal(\"x\")", "error: \"x\" is not of the form"},
	    {"decimal(1)", "error: decimal takes a string"},
	    {"decimal(\"9223372036854775807.0\")", "error: \"9223372036854775807.0\" is beyond"},
	    {"ip(\"1.2.3.4\").isIpv4()", "true"},
	    {"ip(\"::\").isIpv4()", "false"},
	    {"ip(\"::\").isIpv6()", "true"},
	    {"ip(\"127.1.2.3\").isLoopback()", "true"},
	    {"ip(\"127.0.0.0/8\").isLoopback()", "true"},
	    {"ip(\"127.0.0.0/7\").isLoopback()", "false"},
	    {"ip(\"::1\").isLoopback()", "true"},
	    {"ip(\"::1/127\").isLoopback()", "false"},
	    {"ip(\"224.0.0.0/4\").isMulticast()", "true"},
	    {"ip(\"224.0.0.0/3\").isMulticast()", "false"},
	    {"ip(\"240.0.0.0\").isMulticast()", "false"},
	    {"ip(\"ff00::/8\").isMulticast()", "true"},
	    {"ip(\"ff00::/7\").isMulticast()", "false"},
	    {"ip(\"10.1.2.3\").isInRange(ip(\"10.0.0.0/8\"))", "true"},
	    {"ip(\"10.0.0.0/8\").isInRange(ip(\"10.0.0.0/9\"))", "false"},
	    {"ip(\"10.0.0.0/9\").isInRange(ip(\"10.200.0.0/8\"))", "true"},
	    {"ip(\"10.128.0.0/9\").isInRange(ip(\"10.0.0.0/9\"))", "false"},
	    {"ip(\"1.2.3.4\").isInRange(ip(\"0.0.0.0/0\"))", "true"},
	    {"ip(\"::1\").isInRange(ip(\"0.0.0.0/0\"))", "false"},
	    {"ip(\"ffee::1\").isInRange(ip(\"ffee::/64\"))", "true"},
	    {"ip(\"ffee:0:0:1::\").isInRange(ip(\"ffee::/64\"))", "false"},
	    {"ip(\"1.2.3.4\").isInRange(\"1.2.3.4\")", "error: isInRange takes an ipaddr"},
	    {"datetime(\"1970-01-01\").offset(duration(\"-1ms\"))",
		"datetime(\"1969-12-31T23:59:59.999Z\")"},
	    {"datetime(\"1970-01-02\").offset(duration(\"9223372036854775807ms\"))",
		"error: offset overflows"},
	    {"datetime(\"1969-12-31\").offset(duration(\"-9223372036854775808ms\"))",
		"error: offset overflows"},
	    {"datetime(\"1970-01-01\").offset(\"1d\")", "error: offset takes a duration"},
	    {"datetime(\"2024-10-24\").durationSince(datetime(\"2024-10-23\"))",
		"duration(\"86400000ms\")"},
	    {"datetime(\"2024-10-24\").durationSince(datetime(\"1970-01-01\").offset("
	     "duration(\"-9223372036854775808ms\")))",
		"error: durationSince overflows"},
	    {"datetime(\"1969-12-31T23:59:59.999Z\").toDate()", "datetime(\"1969-12-31\")"},
	    {"datetime(\"2024-10-28T10:12:13.456-0700\").toDate()", "datetime(\"2024-10-28\")"},
	    {"datetime(\"1970-01-01\").offset(duration(\"-9223372036854775808ms\")).toDate()",
		"error: toDate overflows"},
	    {"datetime(\"1969-12-31T23:59:59.999Z\").toTime()", "duration(\"86399999ms\")"},
	    {"datetime(\"1969-12-31\").toTime()", "duration(\"0ms\")"},
	    {"duration(\"-1d2h3m4s50ms\").toMilliseconds()", "-93784050"},
	    {"duration(\"-1d2h3m4s50ms\").toSeconds()", "-93784"},
	    {"duration(\"1d2h3m4s50ms\").toMinutes()", "1563"},
	    {"duration(\"-1d2h3m4s50ms\").toHours()", "-26"},
	    {"duration(\"-1d2h3m4s50ms\").toDays()", "-1"},
	    {"duration(\"1d\").toDate()", "error: toDate takes a datetime, not a duration"},
	};

	CHECK_ALL(state, table);
}

static void test_evaluation__of_ever_more_steps_is_cut_short(void **state)
{
	struct buf text = BUF_INIT;
	struct world *w = *state;

	/* `is … in` evaluates its left side twice: 2^60 steps */
	for (int i = 0; i < 60; i++)
		buf_adds(&text, "(if ");
	buf_adds(&text, "principal is U");
	for (int i = 0; i < 60; i++)
		buf_adds(&text, " then principal else principal) is U in U::\"a\"");
	check(w, text.data, "bound: the decision takes more than");
	buf_free(&text);
}

/* ---- one operator, for partial evaluation ---- */

static void test_apply__takes_the_operands_of_its_operator(void **state)
{
	struct world *w = *state;
	struct cedar_policies *p = parsed("permit(principal, action, resource)"
					  " when { [principal.n, 8] == [1] && (1 + 2 == 3) };");
	const struct cedar_value args[] = {{.kind = CEDAR_LONG, .number = 5},
	    {.kind = CEDAR_LONG, .number = 5}, {.kind = CEDAR_ENTITY, .uid = w->request.principal}};
	unsigned int seen = 0;

	for (size_t i = 0; i < p->nodes_len; i++) {
		const struct cedar_node *node = &p->nodes[i];
		size_t n = node->op == OP_SET                        ? node->list_len
			   : node->op == OP_GET                      ? 1
			   : node->op == OP_ADD || node->op == OP_EQ ? 2
								     : 0;
		struct cedar_value v = {0};
		int rc = cedar_apply(
		    node, node->op == OP_GET ? &args[2] : args, n, &w->world, w->arena, &v, NULL);

		seen |= 1u << node->op;
		if (node->op == OP_VAR || node->op == OP_AND) {
			assert_int_equal(rc, ARK_EINPUT);
			continue;
		}
		assert_int_equal(rc, ARK_OK);
		if (node->op == OP_SET)
			assert_int_equal(v.set.len, 1);
		if (node->op == OP_GET)
			assert_int_equal(v.number, 7);
		if (node->op == OP_ADD)
			assert_int_equal(v.number, 10);
		if (node->op == OP_EQ)
			assert_true(v.truth);
		assert_int_equal(
		    cedar_apply(node, args, n + 1, &w->world, w->arena, &v, NULL), ARK_EINPUT);
	}
	assert_int_equal(seen & (1u << OP_SET | 1u << OP_GET | 1u << OP_ADD | 1u << OP_EQ),
	    1u << OP_SET | 1u << OP_GET | 1u << OP_ADD | 1u << OP_EQ);
	cedar_policies_free(p);
}

/* ---- deciding ---- */

/* "allow 0 2 ! 1": the decision, its reasons, after ! the failures. */
static void check_decision(struct world *w, const char *text, const char *expect)
{
	struct cedar_policies *p = parsed(text);
	struct cedar_answer answer;
	struct buf got = BUF_INIT;
	struct ark_error err = {0};

	cedar_arena_reset(w->arena);
	if (cedar_decide(p, &w->world, &w->request, w->arena, &answer, &err))
		fail_msg("%s: %s", text, err.text);
	buf_adds(&got, answer.allow ? "allow" : "deny");
	for (size_t i = 0; i < answer.reasons_len; i++)
		buf_addf(&got, " %u", answer.reasons[i]);
	for (size_t i = 0; i < answer.failures_len; i++) {
		buf_addf(&got, "%s %u", i ? "" : " !", answer.failures[i].policy);
		assert_true(answer.failures[i].text[0]);
	}
	if (strcmp(got.data, expect) != 0)
		fail_msg("%s gives %s, not %s", text, got.data, expect);
	buf_free(&got);
	cedar_policies_free(p);
}

#define PERMIT "permit(principal, action, resource)"
#define FORBID "forbid(principal, action, resource)"

static void test_decide__forbids_before_it_permits_and_skips_failures(void **state)
{
	struct world *w = *state;

	check_decision(w, "", "deny");
	check_decision(w, PERMIT ";", "allow 0");
	check_decision(w, PERMIT " when { false };", "deny");
	check_decision(w, PERMIT " unless { false };", "allow 0");
	check_decision(w, PERMIT ";" FORBID ";" PERMIT ";" FORBID ";", "deny 1 3");
	check_decision(w, PERMIT ";" FORBID " when { false };" PERMIT ";", "allow 0 2");
	check_decision(w, FORBID ";", "deny 0");
	check_decision(w, PERMIT ";" FORBID " when { principal.missing };", "allow 0 ! 1");
	check_decision(w, PERMIT " when { 1 + true == 2 };" PERMIT ";", "allow 1 ! 0");
	check_decision(w, PERMIT " when { 1 };", "deny ! 0");
	check_decision(w, PERMIT " when { context };" FORBID " when { \"\" };", "deny ! 0 1");
	check_decision(w,
	    PERMIT " when { 1 };" PERMIT " when { 1 };" PERMIT " when { 1 };" PERMIT
		   " when { 1 };" PERMIT " when { 1 };" PERMIT ";",
	    "allow 5 ! 0 1 2 3 4");
}

static void test_decide__holds_each_kind_of_scope(void **state)
{
	static const struct {
		const char *scope;
		bool holds;
	} table[] = {
	    {"principal == U::\"a\", action, resource", true},
	    {"principal == U::\"b\", action, resource", false},
	    {"principal in G::\"top\", action, resource", true},
	    {"principal in G::\"other\", action, resource", false},
	    {"principal is U, action, resource", true},
	    {"principal is G, action, resource", false},
	    {"principal is U in G::\"g\", action, resource", true},
	    {"principal is G in G::\"g\", action, resource", false},
	    {"principal is U in G::\"x\", action, resource", false},
	    {"principal, action == Action::\"read\", resource", true},
	    {"principal, action == Action::\"write\", resource", false},
	    {"principal, action in Action::\"read\", resource", true},
	    {"principal, action in [Action::\"x\", Action::\"read\"], resource", true},
	    {"principal, action in [Action::\"x\"], resource", false},
	    {"principal, action, resource == D::\"d\"", true},
	    {"principal, action, resource == D::\"e\"", false},
	    {"principal, action, resource is D", true},
	    {"principal, action, resource is U", false},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct cedar_policies *p;
		struct buf text = BUF_INIT;

		/* what the scope excludes is not evaluated, so does not fail */
		buf_addf(&text, "permit(%s) when { 1 };", table[i].scope);
		check_decision(w, text.data, table[i].holds ? "deny ! 0" : "deny");
		p = parsed(text.data);
		assert_int_equal(cedar_scope_holds(&p->policies[0], &w->world, &w->request, false),
		    table[i].holds);
		assert_int_equal(cedar_scope_holds(&p->policies[0], &w->world, &w->request, true),
		    table[i].holds || p->policies[0].resource.kind != SCOPE_ANY);
		cedar_policies_free(p);
		buf_free(&text);
	}
}

static void test_decide__looks_first_at_the_entities_beside_the_set(void **state)
{
	static const struct cedar_member members[] = {
	    {{"n", 1}, {.kind = CEDAR_LONG, .number = 99}}};
	struct world *w = *state, other = *w;
	const struct cedar_entity a = {.uid = w->request.principal,
	    .attributes = {.kind = CEDAR_RECORD, .record = {members, 1}},
	    .tags = {.kind = CEDAR_RECORD}};
	const struct cedar_entity *const more[] = {&a};

	other.world.more = more;
	other.world.more_len = 1;
	check(&other, "principal.n", "99");
	check(&other, "principal in G::\"g\"", "false");
	other.world.entities = NULL;
	check(&other, "principal.n", "99");
	check(&other, "resource has n", "false");
	check(&other, "resource.n", "error: the entity D::\"d\" does not exist");
}

static void test_decide__without_memory_allows_nothing(void **state)
{
	struct world *w = *state;
	struct cedar_policies *p;
	struct cedar_answer answer = {.allow = true};
	struct cedar_arena *small = NULL;
	struct buf text = BUF_INIT;

	/* a set of 60,000 is more than this arena may take */
	buf_adds(&text, PERMIT ";" PERMIT " when { [0");
	for (int i = 1; i < 60000; i++)
		buf_addf(&text, ",%d", i);
	buf_adds(&text, "] == 1 };");
	p = parsed(text.data);
	assert_int_equal(cedar_arena_new(1 << 20, &small, NULL), ARK_OK);
	assert_int_equal(cedar_decide(p, &w->world, &w->request, small, &answer, NULL), ARK_ENOMEM);
	assert_false(answer.allow);
	assert_int_equal(answer.reasons_len, 0);
	cedar_arena_free(small);
	cedar_policies_free(p);
	buf_free(&text);
}

static void test_decide__cuts_a_failure_between_characters(void **state)
{
	struct world *w = *state;
	struct cedar_policies *p;
	struct cedar_answer answer;
	struct buf text = BUF_INIT;

	buf_adds(&text, PERMIT " when { principal[\"");
	for (int i = 0; i < 100; i++)
		buf_adds(&text, i == 0 ? "x" : "ä");
	buf_adds(&text, "\"] };");
	p = parsed(text.data);
	cedar_arena_reset(w->arena);
	assert_int_equal(cedar_decide(p, &w->world, &w->request, w->arena, &answer, NULL), ARK_OK);
	assert_int_equal(answer.failures_len, 1);
	assert_non_null(strstr(answer.failures[0].text, "äää\""));
	cedar_policies_free(p);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_logic__takes_the_short_way_and_only_booleans),
	    cmocka_unit_test(test_arithmetic__overflows_at_both_ends),
	    cmocka_unit_test(test_comparison__is_of_longs_datetimes_and_durations),
	    cmocka_unit_test(test_in__looks_at_all_ancestors),
	    cmocka_unit_test(test_attributes__are_of_records_and_entities_that_exist),
	    cmocka_unit_test(test_tags__are_apart_from_attributes),
	    cmocka_unit_test(test_sets__are_asked_in_three_ways),
	    cmocka_unit_test(test_like__matches_whole_strings),
	    cmocka_unit_test(test_extensions__are_called_with_their_own_types),
	    cmocka_unit_test(test_evaluation__of_ever_more_steps_is_cut_short),
	    cmocka_unit_test(test_apply__takes_the_operands_of_its_operator),
	    cmocka_unit_test(test_decide__forbids_before_it_permits_and_skips_failures),
	    cmocka_unit_test(test_decide__holds_each_kind_of_scope),
	    cmocka_unit_test(test_decide__looks_first_at_the_entities_beside_the_set),
	    cmocka_unit_test(test_decide__without_memory_allows_nothing),
	    cmocka_unit_test(test_decide__cuts_a_failure_between_characters),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
