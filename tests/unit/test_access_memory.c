/* Memory that fails in access decisions and filters: each step with its Nth allocation failing. Never a
 * crash, never a leak, never more than is permitted with memory. */
#include "arkki/policies/shipped.h"
#include "tests/unit/cedar_partial_fixture.h"
#include "tests/unit/failing_heap.h"

static struct access_rules *shipped, *apart; /* apart: listing does not follow reading */

/* Listing is not reading: the sight has to ask for both. */
static const char apart_text[] =
    "permit (principal, action in [Action::\"read\", Action::\"readPublic\"], resource);\n"
    "permit (principal, action == Action::\"list\", resource is Document) when {\n"
    "  resource.publicity == \"public\" || resource.units.containsAny(principal.ownUnits) };\n"
    "forbid (principal, action == Action::\"list\", resource is Document) when {\n"
    "  resource.state == \"draft\" && !(principal.orgs.contains(resource.author)) };\n";

static struct access_rules *rules_of(const char *text)
{
	struct access_rules *r = NULL;
	struct ark_error err = {0};

	if (access_rules_new(text, strlen(text), shipped_schema(), strlen(shipped_schema()), NULL,
		NULL, &r, &err))
		print_message("%s\n", err.text);
	return r;
}

static int open_all(void **state)
{
	(void)state;
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	shipped = rules_of(shipped_policies());
	apart = rules_of(apart_text);
	return shipped && apart ? 0 : -1;
}

static int close_all(void **state)
{
	(void)state;
	access_rules_unref(shipped);
	access_rules_unref(apart);
	return 0;
}

/* ---- the open decision ---- */

enum { SAMPLES = 144 };

#define TEN(n) #n "0", #n "1", #n "2", #n "3", #n "4", #n "5", #n "6", #n "7", #n "8", #n "9"
/* more than a filter in the making has room for at first */
static const char *const many[] = {TEN(v1), TEN(v2), TEN(v3), TEN(v4), TEN(v5), TEN(v6)};
enum { MANY = sizeof(many) / sizeof(*many) };

/* Resources of which some are admitted by most filters, and some not. */
static struct access_resource sample(unsigned int i)
{
	static const char *const classes[] = {"public", "partly-secret", "secret"};
	static const char *const authors[] = {"o1", "o3", "lvv"};
	static const char *const unit[] = {"u1"}, *const counties[] = {"c1", "c9"};

	return (struct access_resource){.id = "0123456789abcdef0123456789abcdef",
	    .publicity = classes[i % 3],
	    .author = authors[i / 3 % 3],
	    .state = i / 9 % 2 ? "draft" : "final",
	    .type = "inspection-report",
	    .units = {i / 18 % 2 ? &many[i * 7 % MANY] : unit, 1},
	    .counties = {counties + i / 36 % 2, 1},
	    .date = "2026-01-01",
	    .visit_date = i / 72 % 2 ? "2026-02-01" : NULL,
	    .rendition = i % 2 != 0};
}

static void admitted(const struct access_filter *f, bool ret[SAMPLES])
{
	for (unsigned int i = 0; i < SAMPLES; i++) {
		const struct access_resource r = sample(i);

		ret[i] = access_filter_admits(f, &r);
	}
}

struct opened {
	struct partial_fixture f;
	struct cedar_policies *policies;
	size_t max; /* of the arena */
	unsigned int inexact;
	bool known, expect[SAMPLES]; /* known: by a try in which nothing failed */
};

static int open_decision(void *arg)
{
	struct opened *o = arg;
	struct access_filter *f = NULL;
	struct cedar_arena *a = NULL;
	unsigned int inexact = 99;
	bool now[SAMPLES];
	int rc = cedar_arena_new(o->max, &a, NULL);

	if (rc)
		return rc;
	rc = cedar_partial(o->policies, &o->f.world, &o->f.request, access_indexed, ACCESS_INDEXED,
	    a, &f, &inexact, NULL, NULL, NULL);
	calm();
	assert_int_equal(f != NULL, rc == ARK_OK);
	if (!rc && !o->known) {
		o->known = true;
		o->inexact = inexact;
		admitted(f, o->expect);
	} else if (!rc) {
		admitted(f, now);
		assert_memory_equal(now, o->expect, sizeof(now));
		assert_int_equal(inexact, o->inexact);
	}
	access_filter_free(f);
	cedar_arena_free(a);
	return rc;
}

static void test_access_memory__runs_out_in_partial_evaluation(void **state)
{
	static const char text[] =
	    "permit (principal, action, resource) when { resource.publicity == \"public\" };\n"
	    "permit (principal, action in Action::\"reading\", resource) when {\n"
	    "  resource.counties.containsAny(principal.counties) &&\n"
	    "  !(resource.state == \"draft\" && resource.author != principal.org) };\n"
	    "permit (principal, action, resource) when { if resource has visitDate\n"
	    "  then resource.visitDate.offset(duration(\"1d\")) < context.today\n"
	    "  else resource.units.containsAll([Unit::\"u1\"]) && resource.unitCount == 1 };\n"
	    "forbid (principal, action, resource) when { resource.publicity == \"secret\" &&\n"
	    "  !context.caseUnits.containsAny(resource.units) };\n"
	    "permit (principal, action, resource) when {\n"
	    "  [\"draft\", resource.type].contains(resource.state) };\n"
	    "permit (principal, action, resource) when { resource.type like \"hear*\" };\n";
	struct opened *o = calloc(1, sizeof(*o));

	(void)state;
	assert_non_null(o);
	partial_begin(&o->f);
	o->policies = partial_policies(text);
	o->max = 4U << 20;
	assert_int_equal(open_decision(o), ARK_OK);
	assert_true(o->inexact > 0);
	assert_true(memchr(o->expect, true, SAMPLES) && memchr(o->expect, false, SAMPLES));
	assert_true(each_failing(open_decision, o, ARK_OK) > 50);
	for (o->max = 0; open_decision(o) != ARK_OK; o->max += 48)
		assert_true(o->max < 1U << 20);
	assert_true(o->max > 1000);
	cedar_policies_free(o->policies);
	partial_end(&o->f);
	free(o);
}

/* ---- access ---- */

static const char *const lvv[] = {"lvv"}, *const uusimaa[] = {"c1"}, *const koivula[] = {"u1"};
struct asked {
	const struct access_rules *rules;
	struct access_principal p;
	struct access_context c;
	struct access_resource r;
	enum access_action action;
	enum access_outcome outcome;
	bool known, any[SAMPLES], whole[SAMPLES];
};

static struct asked asked(const struct access_rules *rules, enum access_org_kind kind)
{
	return (struct asked){.rules = rules,
	    .p = {.user = "maija",
		.org = "lvv",
		.org_kind = kind,
		.roles = ACCESS_SUPERVISOR,
		.orgs = {lvv, 1},
		.counties = {uusimaa, 1},
		.placed_units = {many, MANY},
		.own_units = {koivula, 1}},
	    .c = {.now_us = (int64_t)1780000000 * 1000000, .strong = true}};
}

static int ask(void *arg)
{
	const struct asked *q = arg;
	struct access_decision d = {.outcome = ACCESS_PERMIT};
	int rc = access_decide(q->rules, &q->p, q->action, &q->r, &q->c, &d, NULL);

	calm();
	assert_int_equal(d.outcome, rc ? ACCESS_DENY : q->outcome);
	if (rc)
		assert_int_equal(d.policies_len, 0);
	return rc;
}

static int see(void *arg)
{
	struct asked *q = arg;
	struct access_sight *s = NULL;
	bool any[SAMPLES], whole[SAMPLES];
	int rc = access_sight_new(q->rules, &q->p, &q->c, &s, NULL);

	calm();
	assert_int_equal(s != NULL, rc == ARK_OK);
	if (!s)
		return rc;
	admitted(s->any, q->known ? any : q->any);
	admitted(s->whole, q->known ? whole : q->whole);
	if (q->known) {
		assert_memory_equal(any, q->any, sizeof(any));
		assert_memory_equal(whole, q->whole, sizeof(whole));
	}
	q->known = true;
	access_sight_unref(s);
	return rc;
}

static void test_access_memory__runs_out_in_an_access_decision(void **state)
{
	struct asked q = asked(shipped, ACCESS_ORG_COUNTY);

	(void)state;
	q.r = sample(0);
	q.action = ACCESS_READ_CONTENT;
	q.outcome = ACCESS_PERMIT; /* public */
	assert_true(each_failing(ask, &q, ARK_OK) > 30);
	q.r = sample(2);
	q.outcome = ACCESS_NEEDS_PURPOSE; /* secret */
	assert_true(each_failing(ask, &q, ARK_OK) > 40);
	q.c.purpose = "x";
	q.c.case_id = "c";
	q.c.case_units = (struct access_ids){koivula, 1};
	q.outcome = ACCESS_PERMIT;
	each_failing(ask, &q, ARK_OK);
	q.r = sample(9);
	q.outcome = ACCESS_DENY; /* another's draft */
	each_failing(ask, &q, ARK_OK);
	q.action = ACCESS_ADMINISTER;
	each_failing(ask, &q, ARK_OK);
}

static void test_access_memory__runs_out_in_a_sight(void **state)
{
	(void)state;
	for (int kind = 0; kind <= ACCESS_ORG_PROVIDER; kind++) {
		struct asked q = asked(shipped, (enum access_org_kind)kind);

		assert_int_equal(see(&q), ARK_OK);
		assert_true(memchr(q.any, true, SAMPLES));
		each_failing(see, &q, ARK_OK);
		q = asked(apart, (enum access_org_kind)kind);
		assert_int_equal(see(&q), ARK_OK);
		assert_true(memchr(q.any, true, SAMPLES));
		each_failing(see, &q, ARK_OK);
	}
}

static int make_rules(void *arg)
{
	struct access_rules *r = NULL;
	struct ark_error err = {0};
	int rc = access_rules_new(
	    arg, strlen(arg), shipped_schema(), strlen(shipped_schema()), NULL, NULL, &r, &err);

	calm();
	assert_int_equal(err.status, rc);
	assert_int_equal(r != NULL, rc == ARK_OK);
	access_rules_unref(r);
	return rc;
}

static void pass_over(void *arg, const struct cedar_fault *fault)
{
	(void)arg;
	(void)fault;
}

static int check_filters(void *arg)
{
	access_check_filters(arg, pass_over, NULL);
	return ARK_OK;
}

static int explain(void *arg)
{
	static const struct access_decision d = {ACCESS_PERMIT, {0, 1, 2}, 3, 1};
	struct buf out = BUF_INIT;
	int rc;

	access_explain(arg, &d, "fi", &out);
	rc = buf_failed(&out) ? ARK_ENOMEM : ARK_OK;
	buf_free(&out);
	return rc;
}

static void test_access_memory__runs_out_in_making_rules(void **state)
{
	(void)state;
	assert_true(each_failing(make_rules, (char *)(uintptr_t)shipped_policies(), ARK_OK) > 400);
	each_failing(
	    make_rules, (char *)(uintptr_t) "permit (principal, action, resource);;", ARK_EINPUT);
	each_failing(check_filters, shipped, ARK_OK);
	each_failing(explain, shipped, ARK_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_access_memory__runs_out_in_partial_evaluation),
	    cmocka_unit_test(test_access_memory__runs_out_in_an_access_decision),
	    cmocka_unit_test(test_access_memory__runs_out_in_a_sight),
	    cmocka_unit_test(test_access_memory__runs_out_in_making_rules),
	};

	return cmocka_run_group_tests_name("access_memory", tests, open_all, close_all);
}
