/* Memory that fails in the Cedar engine: each step with its Nth allocation failing. Never a crash, never a
 * leak, never more than was permitted with memory. */
#include "policies/cedar_json.h"
#include "tests/unit/cedar_partial_fixture.h"
#include "tests/unit/failing_heap.h"

/* ---- a small world ---- */

static const char schema_text[] =
    "entity Group; entity Album in [Group]; entity Kind enum [\"raw\", \"finished\"];\n"
    "type Place = { city: String, street?: String };\n"
    "entity User in [Group] = { name: String, age: Long, boss?: User, home: Place,\n"
    "  words: Set<String>, born: datetime, price: decimal, net: ipaddr } tags Long;\n"
    "entity Photo in [Album] = { owner: User, kind: Kind };\n"
    "action any; action view, edit in [any] appliesTo { principal: [User], resource: [Photo],\n"
    "  context: { ip: ipaddr, reason?: String } };\n"
    "namespace N { type T = Set<Long>; entity Other = { t: T };\n"
    "  action \"do it\" appliesTo { principal: Other, resource: Other }; }\n";

static const char policies_text[] =
    "@id(\"friends\") @note(\"\\u{e4}\\n\") permit (principal in Group::\"g\",\n"
    "  action in [Action::\"view\", Action::\"edit\"], resource is Photo in Album::\"a\")\n"
    "when { [1, 2, principal.age].contains(7) && principal.words.containsAny([\"x\", \"y\"]) &&\n"
    "  {a: [principal], \"b c\": {d: 1 + principal.age}}[\"b c\"].d == 8 }\n"
    "unless { principal has boss && principal.boss has home.street && context has reason &&\n"
    "  context.reason like \"a*\\*b*\" };\n"
    "permit (principal, action == Action::\"edit\", resource) when {\n"
    "  if context.ip.isInRange(ip(\"10.0.0.0/8\")) then "
    "principal.price.lessThan(decimal(\"2.5\"))\n"
    "  else principal.born < datetime(\"2000-01-01\").offset(duration(\"1d\")) };\n"
    "permit (principal, action in Action::\"any\", resource) when { 9223372036854775807 + "
    "principal.age > 1 };\n"
    "forbid (principal, action == Action::\"edit\", resource) when {\n"
    "  [resource.kind, Kind::\"raw\"].containsAll([Kind::\"finished\"]) &&\n"
    "  [{n: principal.name}, {n: \"Bo\"}].contains({n: \"An\" }) };\n"
    "forbid (principal == User::\"out\", action, resource);\n";

/* The photos' second parent stands two steps above them in the schema. */
static const char entities_text[] =
    "[{'uid':{'type':'User','id':'an'},'parents':[{'type':'Group','id':'g'}],'tags':{'t':1},"
    "  'attrs':{'name':'An','age':7,'words':['x','z'],'home':{'city':'Oulu'},"
    "    'boss':{'__entity':{'type':'User','id':'out'}},"
    "    'born':{'__extn':{'fn':'datetime','arg':'1999-01-01'}},"
    "    'price':{'__extn':{'fn':'decimal','arg':'1.5'}},"
    "    'net':{'__extn':{'fn':'ip','arg':'10.0.0.0/8'}}}},"
    " {'uid':{'type':'User','id':'out'},'parents':[{'type':'Group','id':'g'}],"
    "  'attrs':{'name':'Bo','age':7,'words':[],'home':{'city':'Oulu','street':'S'},"
    "    'born':{'__extn':{'fn':'datetime','arg':'1999-01-01'}},"
    "    'price':{'__extn':{'fn':'decimal','arg':'1.5'}},"
    "    'net':{'__extn':{'fn':'ip','arg':'::1'}}}},"
    " {'uid':{'type':'Photo','id':'p'},"
    "  'parents':[{'type':'Album','id':'a'},{'type':'Group','id':'g'}],"
    "  'attrs':{'owner':{'__entity':{'type':'User','id':'an'}},"
    "    'kind':{'__entity':{'type':'Kind','id':'raw'}}}},"
    " {'uid':{'type':'Photo','id':'q'},'parents':[{'type':'Album','id':'a'}],"
    "  'attrs':{'owner':{'__entity':{'type':'User','id':'an'}},"
    "    'kind':{'__entity':{'type':'Kind','id':'finished'}}}},"
    " {'uid':{'type':'Album','id':'a'},'attrs':{},'parents':[{'type':'Group','id':'h'}]}]";
static const char context_text[] = "{'ip':{'__extn':{'fn':'ip','arg':'10.1.2.3'}},'reason':'x'}";

static struct {
	struct cedar_schema *schema;
	struct cedar_policies *policies;
	struct cedar_entities *entities;
	struct cedar_arena *arena;
	struct cedar_world world;
	struct cedar_request request;
} all;

static int open_all(void **state)
{
	json_t *entities, *context;

	(void)state;
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	entities = partial_json(entities_text);
	context = partial_json(context_text);
	all.policies = partial_policies(policies_text);
	all.request.principal = partial_uid("User", "an");
	if (cedar_schema_parse(schema_text, strlen(schema_text), NULL, NULL, &all.schema, NULL) ||
	    cedar_entities_from_json(entities, all.schema, &all.entities, NULL) ||
	    cedar_arena_new(1U << 20, &all.arena, NULL) ||
	    cedar_context_from_json(context, NULL, NULL, all.arena, &all.request.context, NULL))
		return -1;
	all.world.entities = all.entities;
	json_decref(entities);
	json_decref(context);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	cedar_entities_free(all.entities);
	cedar_policies_free(all.policies);
	cedar_schema_free(all.schema);
	cedar_arena_free(all.arena);
	return 0;
}

/* ---- reading texts ---- */

static int parse_policies(void *arg)
{
	struct cedar_policies *p = NULL;
	struct ark_error err = {0};
	int rc = cedar_policies_parse(arg, strlen(arg), NULL, NULL, &p, &err);

	calm();
	assert_int_equal(err.status, rc);
	assert_int_equal(p != NULL, rc == ARK_OK);
	if (p)
		assert_int_equal(p->nodes_len, all.policies->nodes_len);
	cedar_policies_free(p);
	return rc;
}

static int parse_schema(void *arg)
{
	struct cedar_schema *s = NULL;
	struct ark_error err = {0};
	int rc = cedar_schema_parse(arg, strlen(arg), NULL, NULL, &s, &err);

	calm();
	assert_int_equal(err.status, rc);
	assert_int_equal(s != NULL, rc == ARK_OK);
	if (s) {
		assert_int_equal(s->types_len, all.schema->types_len);
		assert_int_equal(s->actions_len, all.schema->actions_len);
	}
	cedar_schema_free(s);
	return rc;
}

static int validate(void *arg)
{
	struct ark_error err = {0};
	int rc = cedar_validate(all.schema, arg, NULL, NULL, &err);

	calm();
	assert_int_equal(err.status, rc);
	return rc;
}

static void test_cedar_memory__runs_out_in_parsing(void **state)
{
	(void)state;
	assert_true(each_failing(parse_policies, (char *)(uintptr_t)policies_text, ARK_OK) > 100);
	each_failing(parse_policies,
	    (char *)(uintptr_t) "permit (principal, action, resource) when { {a: 1, a: 2}.a };",
	    ARK_EINPUT);
	assert_true(each_failing(parse_schema, (char *)(uintptr_t)schema_text, ARK_OK) > 100);
	each_failing(parse_schema, (char *)(uintptr_t) "entity A in [B]; entity C = { d?: E, };",
	    ARK_EINPUT);
}

static void test_cedar_memory__runs_out_in_validation(void **state)
{
	static const char *const wrong[] = {
	    "permit (principal == User::\"u\", action == Action::\"view\", resource) when { "
	    "[principal.age].contains(\"x\") };",
	    "permit (principal is Usr, action, resource);",
	    "permit (principal, action == Action::\"view\", resource) when { {a: [1, \"x\"]}.a == "
	    "1 };"};

	(void)state;
	assert_true(each_failing(validate, all.policies, ARK_OK) > 100);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct cedar_policies *p = partial_policies(wrong[i]);

		each_failing(validate, p, ARK_EINPUT);
		cedar_policies_free(p);
	}
}

struct reading {
	json_t *json;
	const struct cedar_schema *schema;
};

static int read_entities(void *arg)
{
	const struct reading *r = arg;
	struct cedar_entities *e = NULL;
	struct ark_error err = {0};
	int rc = cedar_entities_from_json(r->json, r->schema, &e, &err);

	calm();
	assert_int_equal(err.status, rc);
	assert_int_equal(e != NULL, rc == ARK_OK);
	if (e) {
		struct cedar_world w = {.entities = e};
		struct cedar_uid uid = partial_uid("Photo", "p");

		/* the album, the group that it is in, and its own */
		assert_int_equal(cedar_entity_find(&w, &uid)->ancestors_len, 3);
	}
	cedar_entities_free(e);
	return rc;
}

static int read_context(void *arg)
{
	const struct reading *r = arg;
	const struct cedar_uid action = partial_uid("Action", "view");
	struct cedar_arena *a = NULL;
	struct cedar_value v = {0};
	int rc = cedar_arena_new(1U << 20, &a, NULL);

	if (!rc)
		rc = cedar_context_from_json(r->json, r->schema, &action, a, &v, NULL);
	calm();
	if (!rc)
		assert_int_equal(cedar_compare(&v, &all.request.context), 0);
	cedar_arena_free(a);
	return rc;
}

/* Text to JSON; jansson does not tell want of memory from a fault in the text. */
static int read_json(void *arg)
{
	json_t *json = NULL;
	int rc = cedar_json_read(arg, strlen(arg), &json, NULL);

	calm();
	assert_int_equal(json != NULL, rc == ARK_OK);
	json_decref(json);
	return rc == ARK_EINPUT && heap.fired ? ARK_ENOMEM : rc;
}

static void test_cedar_memory__runs_out_in_reading_entities(void **state)
{
	json_t *json = partial_json(entities_text), *context = partial_json(context_text);
	json_t *cycle = partial_json(
	    "[{'uid':{'type':'G','id':'a'},'attrs':{},'parents':[{'type':'G','id':'b'}]},"
	    " {'uid':{'type':'G','id':'b'},'attrs':{},'parents':[{'type':'G','id':'a'}]}]");
	json_t *twice = partial_json("[{'uid':{'type':'G','id':'a'},'attrs':{},'parents':[]},"
				     " {'uid':{'type':'G','id':'a'},'attrs':{},'parents':[]}]");

	(void)state;
	each_failing(read_entities, &(struct reading){json, NULL}, ARK_OK);
	each_failing(read_entities, &(struct reading){json, all.schema}, ARK_OK);
	each_failing(read_entities, &(struct reading){cycle, NULL}, ARK_EINPUT);
	each_failing(read_entities, &(struct reading){twice, NULL}, ARK_EINPUT);
	each_failing(read_context, &(struct reading){context, NULL}, ARK_OK);
	each_failing(read_context, &(struct reading){context, all.schema}, ARK_OK);
	each_failing(
	    read_json, (char *)(uintptr_t) "{\"a\\u0000b\":[\"\\u0000\",{\"c\":1}]}", ARK_OK);
	json_decref(json);
	json_decref(context);
	json_decref(cycle);
	json_decref(twice);
}

/* ---- deciding ---- */

struct expected {
	const char *principal, *action, *resource;
	bool allow;
	size_t reasons, failures;
	size_t max; /* of the arena */
};

static int decide(void *arg)
{
	const struct expected *e = arg;
	struct cedar_answer answer = {.allow = true};
	struct cedar_arena *a = NULL;
	int rc = cedar_arena_new(e->max, &a, NULL);

	if (rc)
		return rc;
	all.request.principal.id = cedar_text_of(e->principal);
	all.request.action = partial_uid("Action", e->action);
	all.request.resource = partial_uid("Photo", e->resource);
	rc = cedar_decide(all.policies, &all.world, &all.request, a, &answer, NULL);
	calm();
	if (rc) {
		assert_false(answer.allow);
	} else {
		assert_int_equal(answer.allow, e->allow);
		assert_int_equal(answer.reasons_len, e->reasons);
		assert_int_equal(answer.failures_len, e->failures);
	}
	cedar_arena_free(a);
	return rc;
}

static void test_cedar_memory__runs_out_in_a_decision(void **state)
{
	/* one policy fails in each; q is forbidden by a condition that takes memory */
	struct expected cases[] = {{"an", "view", "p", true, 1, 1, 1U << 20},
	    {"an", "edit", "p", true, 2, 1, 1U << 20}, {"an", "edit", "q", false, 1, 1, 1U << 20},
	    {"out", "view", "p", false, 1, 1, 1U << 20}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(each_failing(decide, &cases[i], ARK_OK) > 10);
		for (cases[i].max = 0; decide(&cases[i]) != ARK_OK; cases[i].max += 16)
			assert_true(cases[i].max < 1U << 16);
		assert_true(cases[i].max > 200);
	}
}

/* ---- all of it ---- */

static int run_cases(void *arg)
{
	struct cedar_test_result result = {0};
	int rc = cedar_test_run(arg, NULL, NULL, NULL, &result, NULL);

	calm();
	if (!rc)
		assert_true(result.requests > 0 && result.failed == 0 && result.validates == 1);
	return rc == ARK_EINPUT && heap.fired ? ARK_ENOMEM : rc;
}

static void test_cedar_memory__runs_out_in_running_cases(void **state)
{
	(void)state;
	each_failing(run_cases, (char *)(uintptr_t) "policies/cases/drafts.json", ARK_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cedar_memory__runs_out_in_parsing),
	    cmocka_unit_test(test_cedar_memory__runs_out_in_validation),
	    cmocka_unit_test(test_cedar_memory__runs_out_in_reading_entities),
	    cmocka_unit_test(test_cedar_memory__runs_out_in_a_decision),
	    cmocka_unit_test(test_cedar_memory__runs_out_in_running_cases),
	};

	return cmocka_run_group_tests_name("cedar_memory", tests, open_all, close_all);
}
