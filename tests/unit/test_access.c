/* The shipped policies as the rest of arkki asks them: that the C side fills in what the
 * schema says, and that filters and sights admit exactly what decisions permit. What the
 * policies themselves say is tested by policies/cases. */
#include "tests/unit/unit.h"

#include "arkki/base/clock.h"
#include "arkki/policies/access.h"
#include "arkki/policies/shipped.h"

#define IDS(...)                                                                                   \
	{                                                                                          \
		(const char *const[]){__VA_ARGS__},                                                \
		    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)                    \
	}

enum { MAY = 1780000000 }; /* 2026-05-28 */

static const char *const lvv[] = {"lvv"}, *const uusimaa[] = {"90"}, *const koivula[] = {"koivula"};

static struct access_rules *rules;

static void count_fault(void *arg, const struct cedar_fault *fault)
{
	print_message("%u:%u %s %s\n", fault->line, fault->column, fault->policy, fault->text);
	++*(int *)arg;
}

static int open_rules(void **state)
{
	int faults = 0;
	struct ark_error err = {0};

	(void)state;
	if (access_rules_new(shipped_policies(), strlen(shipped_policies()), shipped_schema(),
		strlen(shipped_schema()), count_fault, &faults, &rules, &err)) {
		print_message("%s\n", err.text);
		return -1;
	}
	return faults;
}

static int close_rules(void **state)
{
	(void)state;
	access_rules_unref(rules);
	return 0;
}

static struct access_principal account(enum access_org_kind kind, unsigned int roles)
{
	return (struct access_principal){.user = "maija",
	    .org = "lvv",
	    .org_kind = kind,
	    .roles = roles,
	    .orgs = {lvv, 1},
	    .counties = {uusimaa, 1}};
}

static struct access_resource document(const char *publicity)
{
	return (struct access_resource){.id = "0123456789abcdef0123456789abcdef",
	    .publicity = publicity,
	    .author = "esavi",
	    .state = "final",
	    .type = "inspection-report",
	    .units = {koivula, 1},
	    .counties = {uusimaa, 1},
	    .date = "2026-03-12"};
}

static enum access_outcome decide(const struct access_principal *p, enum access_action action,
    const struct access_resource *r, const struct access_context *c)
{
	struct access_decision d;
	struct access_context now = c ? *c : (struct access_context){.strong = true};

	now.now_us = (int64_t)MAY * 1000000;
	assert_int_equal(access_decide(rules, p, action, r, &now, &d, NULL), ARK_OK);
	assert_int_equal(d.failures, 0);
	return d.outcome;
}

static bool permits(
    const struct access_principal *p, enum access_action action, const struct access_resource *r)
{
	return decide(p, action, r, NULL) == ACCESS_PERMIT;
}

static void test_access__every_shipped_policy_can_be_asked_of_lists(void **state)
{
	int faults = 0;

	(void)state;
	access_check_filters(rules, count_fault, &faults);
	assert_int_equal(faults, 0);
	assert_true(access_rules_steady(rules));
	assert_true(cedar_policies_count(access_rules_policies(rules)) >= 15);
	for (uint32_t i = 0; i < cedar_policies_count(access_rules_policies(rules)); i++) {
		assert_non_null(cedar_policy_note(access_rules_policies(rules), i, "id"));
		assert_non_null(cedar_policy_note(access_rules_policies(rules), i, "statute"));
		for (size_t k = 0; k < 3; k++)
			assert_non_null(cedar_policy_note(access_rules_policies(rules), i,
			    (const char *const[]){"fi", "sv", "en"}[k]));
	}
}

static void note_place(void *arg, const struct cedar_fault *fault)
{
	unsigned int *lines = arg;

	assert_true(fault->warning && fault->line >= 1 && fault->line <= 3);
	lines[fault->line]++;
}

static void test_access__what_lists_cannot_ask_is_told_with_its_place(void **state)
{
	static const char text[] =
	    "permit (principal, action, resource) when { resource.type like \"a*b\" };\n"
	    "permit (principal, action, resource == Document::\"x\");\n"
	    "permit (principal, action, resource is Document) when { resource.type == \"memo\" };";
	struct access_rules *other = NULL;
	unsigned int lines[4] = {0};
	struct ark_error err = {0};

	(void)state;
	assert_int_equal(access_rules_new(text, strlen(text), shipped_schema(),
			     strlen(shipped_schema()), NULL, NULL, &other, &err),
	    ARK_EINPUT); /* the first speaks of the archive, which has no type */
	assert_int_equal(access_rules_new(strchr(text, '\n') + 1, strlen(strchr(text, '\n') + 1),
			     shipped_schema(), strlen(shipped_schema()), NULL, NULL, &other, &err),
	    ARK_OK);
	access_check_filters(other, note_place, lines);
	assert_int_equal(lines[1], 1);
	assert_int_equal(lines[2], 0);
	access_rules_unref(other);
}

static void test_access__reading_follows_class_and_organisation(void **state)
{
	/* columns: public, own county's secret, another county's partly secret, secret without units */
	static const bool expect[5][4] = {
	    [ACCESS_ORG_STATE_AGENCY] = {1, 1, 1, 1},
	    [ACCESS_ORG_COUNTY] = {1, 1, 0, 0},
	    [ACCESS_ORG_MUNICIPALITY] = {1, 0, 0, 0},
	    [ACCESS_ORG_OMBUDSMAN] = {1, 1, 1, 1},
	    [ACCESS_ORG_PROVIDER] = {1, 0, 0, 0},
	};

	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		struct access_principal p = account((enum access_org_kind)kind, ACCESS_INSPECTOR);
		struct access_resource r[4] = {document("public"), document("secret"),
		    document("partly-secret"), document("secret")};

		r[0].counties.len = r[3].counties.len = r[3].units.len = 0;
		r[2].counties = (struct access_ids)IDS("06");
		for (int i = 0; i < 4; i++) {
			assert_int_equal(permits(&p, ACCESS_LIST, &r[i]), expect[kind][i]);
			assert_int_equal(permits(&p, ACCESS_READ, &r[i]), expect[kind][i]);
		}
	}
}

static void test_access__a_secret_needs_purpose_and_case(void **state)
{
	struct access_principal p = account(ACCESS_ORG_COUNTY, ACCESS_SUPERVISOR);
	struct access_resource r = document("secret");
	struct access_context c = {.strong = true};

	(void)state;
	assert_int_equal(decide(&p, ACCESS_READ_CONTENT, &r, &c), ACCESS_NEEDS_PURPOSE);
	c.purpose = "visit";
	assert_int_equal(decide(&p, ACCESS_READ_CONTENT, &r, &c), ACCESS_NEEDS_PURPOSE);
	c.case_id = "c1";
	c.case_units = (struct access_ids)IDS("lehtola");
	assert_int_equal(decide(&p, ACCESS_READ_CONTENT, &r, &c), ACCESS_NEEDS_PURPOSE);
	c.case_units = (struct access_ids)IDS("lehtola", "koivula");
	assert_int_equal(decide(&p, ACCESS_READ_CONTENT, &r, &c), ACCESS_PERMIT);
	r.counties = (struct access_ids)IDS("06");
	assert_int_equal(decide(&p, ACCESS_READ_CONTENT, &r, &c), ACCESS_DENY);
	c = (struct access_context){.strong = true, .break_glass = "a child in danger"};
	assert_int_equal(decide(&p, ACCESS_READ_CONTENT, &r, &c), ACCESS_PERMIT);
}

static void test_access__units_come_by_placement_and_ownership(void **state)
{
	struct access_principal p = account(ACCESS_ORG_COUNTY, ACCESS_SUPERVISOR);
	struct access_resource r = document("partly-secret");

	(void)state;
	r.counties = (struct access_ids)IDS("06");
	assert_false(permits(&p, ACCESS_READ, &r));
	p.placed_units = (struct access_ids)IDS("x", "koivula");
	assert_true(permits(&p, ACCESS_READ, &r));
	p = account(ACCESS_ORG_PROVIDER, ACCESS_CONTACT);
	assert_false(permits(&p, ACCESS_READ, &r));
	p.own_units = (struct access_ids)IDS("koivula");
	assert_true(permits(&p, ACCESS_READ, &r));
	r.units = (struct access_ids)IDS("koivula", "other");
	assert_false(permits(&p, ACCESS_READ, &r));
	r.addressees = (struct access_ids)IDS("lvv");
	assert_true(permits(&p, ACCESS_READ, &r));
	p = account(ACCESS_ORG_MUNICIPALITY, ACCESS_SUPERVISOR);
	assert_false(permits(&p, ACCESS_READ, &r));
	p.area_units = (struct access_ids)IDS("koivula");
	assert_true(permits(&p, ACCESS_READ, &r));
}

static void test_access__rights_end_with_the_organisation(void **state)
{
	struct access_principal p = account(ACCESS_ORG_STATE_AGENCY, ACCESS_INSPECTOR);
	struct access_resource r = document("public");

	(void)state;
	p.valid_from = "2026-05-28";
	p.valid_until = "2026-05-28";
	assert_true(permits(&p, ACCESS_READ, &r));
	p.valid_until = "2026-05-27";
	assert_false(permits(&p, ACCESS_READ, &r));
	p.valid_until = NULL;
	p.valid_from = "2026-05-29";
	assert_false(permits(&p, ACCESS_READ, &r));
}

static void test_access__filing_needs_role_county_and_own_name(void **state)
{
	struct access_principal p = account(ACCESS_ORG_STATE_AGENCY, ACCESS_REGISTRAR);
	struct access_resource r = document("secret");

	(void)state;
	assert_false(permits(&p, ACCESS_FILE, &r));
	p.orgs = (struct access_ids)IDS("lvv", "esavi");
	assert_true(permits(&p, ACCESS_FILE, &r));
	assert_true(permits(&p, ACCESS_AMEND, &r));
	assert_true(permits(&p, ACCESS_REDACT, &r));
	r.counties = (struct access_ids)IDS("90", "06");
	assert_false(permits(&p, ACCESS_FILE, &r));
	r.counties = (struct access_ids)IDS(""); /* a unit whose county is not known */
	assert_false(permits(&p, ACCESS_FILE, &r));
	r.units.len = r.counties.len = 0;
	assert_true(permits(&p, ACCESS_FILE, &r));
	p.roles = ACCESS_AUDITOR | ACCESS_ADMIN | ACCESS_SYSTEM;
	assert_false(permits(&p, ACCESS_FILE, &r));
}

static void test_access__audit_and_administration(void **state)
{
	struct access_principal p = account(ACCESS_ORG_OMBUDSMAN, ACCESS_AUDITOR);

	(void)state;
	assert_true(permits(&p, ACCESS_AUDIT, NULL));
	assert_false(permits(&p, ACCESS_ADMINISTER, NULL));
	p.org_kind = ACCESS_ORG_STATE_AGENCY;
	assert_false(permits(&p, ACCESS_AUDIT, NULL));
	p.roles = ACCESS_ADMIN;
	assert_true(permits(&p, ACCESS_ADMINISTER, NULL));
	assert_false(permits(&p, ACCESS_AUDIT, NULL));
}

static void test_access__nobody_is_permitted_nothing(void **state)
{
	struct access_principal p = {.roles = ~0U};
	struct access_resource r = document("public");
	struct access_filter *f = NULL;

	(void)state;
	for (int a = 0; a < ACCESS_ACTIONS; a++)
		assert_false(permits(&p, (enum access_action)a, &r));
	assert_int_equal(access_filter(rules, &p, ACCESS_READ, NULL, &f, NULL), ARK_OK);
	assert_false(access_filter_admits(f, &r));
	access_filter_free(f);
	assert_int_equal(access_filter(rules, NULL, ACCESS_READ, NULL, &f, NULL), ARK_OK);
	assert_false(access_filter_admits(f, &r));
	access_filter_free(f);
}

/* ---- at random ---- */

static unsigned int draw(unsigned int *seed, unsigned int n)
{
	return (unsigned int)rand_r(seed) % n;
}

struct pool {
	const char *some[4];
	struct access_ids ids;
};

static struct access_ids pick(unsigned int *seed, struct pool *p, const char *const *names)
{
	p->ids = (struct access_ids){p->some, 0};
	for (int i = 0; i < 4; i++)
		if (draw(seed, 3) == 0)
			p->some[p->ids.len++] = names[i];
	return p->ids;
}

static const char *const orgs[] = {"lvv", "esavi", "pirha", "hoiva-oy"};
static const char *const units[] = {"u1", "u2", "u3", "u4"};
static const char *const counties[] = {"90", "06", "", "12"};

struct sample {
	struct access_principal p;
	struct access_resource r;
	struct access_context c;
	struct pool pools[10];
};

static void random_sample(unsigned int *seed, struct sample *s)
{
	static const char *const classes[] = {"public", "partly-secret", "secret"};
	static const char *const types[] = {"inspection-report", "hearing-letter", "memo"};
	static const char *const days[] = {NULL, "2026-05-27", "2026-05-28", "2026-05-29"};
	struct pool *q = s->pools;

	s->p = (struct access_principal){.user = "maija",
	    .org = orgs[draw(seed, 4)],
	    .org_kind = (enum access_org_kind)draw(seed, 5),
	    .roles = draw(seed, 4) ? 1U << draw(seed, 8) : draw(seed, 256),
	    .orgs = pick(seed, &q[0], orgs),
	    .counties = pick(seed, &q[1], counties),
	    .placed_units = pick(seed, &q[2], units),
	    .own_units = pick(seed, &q[3], units),
	    .area_units = pick(seed, &q[4], units),
	    .valid_from = draw(seed, 6) ? NULL : days[1 + draw(seed, 3)],
	    .valid_until = draw(seed, 6) ? NULL : days[1 + draw(seed, 3)]};
	s->r = (struct access_resource){.id = "x",
	    .publicity = classes[draw(seed, 3)],
	    .author = orgs[draw(seed, 4)],
	    .state = draw(seed, 4) ? "final" : "draft",
	    .type = types[draw(seed, 3)],
	    .units = pick(seed, &q[5], units),
	    .counties = pick(seed, &q[6], counties),
	    .addressees = pick(seed, &q[7], orgs),
	    .date = "2026-01-01",
	    .visit_date = days[draw(seed, 4)],
	    .rendition = draw(seed, 2)};
	s->c = (struct access_context){.now_us = (int64_t)MAY * 1000000,
	    .purpose = draw(seed, 2) ? "p" : NULL,
	    .case_id = draw(seed, 2) ? "c" : NULL,
	    .case_units = pick(seed, &q[8], units),
	    .break_glass = draw(seed, 5) ? NULL : "danger",
	    .strong = true,
	    .address = draw(seed, 2) ? "192.0.2.7" : "::1"};
}

static void test_access__filters_admit_what_decisions_permit(void **state)
{
	unsigned int seed = 20261122, permitted = 0, shown = 0;
	struct sample s;

	(void)state;
	for (int i = 0; i < 8000; i++) {
		struct access_sight *sight = NULL;
		bool may[ACCESS_READ_PUBLIC + 1];

		random_sample(&seed, &s);
		for (int a = 0; a <= ACCESS_READ_PUBLIC; a++) {
			struct access_filter *f = NULL;

			may[a] = decide(&s.p, (enum access_action)a, &s.r, &s.c) == ACCESS_PERMIT;
			assert_int_equal(
			    access_filter(rules, &s.p, (enum access_action)a, &s.c, &f, NULL), 0);
			assert_int_equal(access_filter_admits(f, &s.r), may[a]);
			access_filter_free(f);
			permitted += may[a];
		}
		assert_int_equal(access_sight_new(rules, &s.p, &s.c, &sight, NULL), ARK_OK);
		assert_int_equal(access_filter_admits(sight->whole, &s.r), may[ACCESS_READ]);
		assert_int_equal(access_filter_admits(sight->any, &s.r),
		    may[ACCESS_READ] || (s.r.rendition && may[ACCESS_READ_PUBLIC]));
		shown += may[ACCESS_READ] || may[ACCESS_READ_PUBLIC];
		access_sight_unref(sight);
	}
	assert_true(permitted > 5000 && permitted < 27000);
	assert_true(shown > 1500 && shown < 7500);
}

static void test_access__what_may_not_be_listed_is_not_in_sight(void **state)
{
	static const char text[] = "permit (principal, action, resource);"
				   "forbid (principal, action == Action::\"list\", resource is "
				   "Document) when { resource.type == \"memo\" };";
	struct access_principal p = account(ACCESS_ORG_COUNTY, ACCESS_INSPECTOR);
	struct access_resource r = document("public");
	struct access_rules *other = NULL;
	struct access_sight *s = NULL;

	(void)state;
	assert_int_equal(access_rules_new(text, strlen(text), shipped_schema(),
			     strlen(shipped_schema()), NULL, NULL, &other, NULL),
	    ARK_OK);
	assert_int_equal(access_sight_new(other, &p, NULL, &s, NULL), ARK_OK);
	assert_true(access_filter_admits(s->any, &r) && access_filter_admits(s->whole, &r));
	r.type = "memo";
	assert_false(access_filter_admits(s->any, &r) || access_filter_admits(s->whole, &r));
	access_sight_unref(s);
	access_rules_unref(other);
}

static void test_access__filing_has_no_filter(void **state)
{
	struct access_principal p = account(ACCESS_ORG_STATE_AGENCY, ACCESS_REGISTRAR);
	struct access_filter *f = NULL;
	struct ark_error err;

	(void)state;
	assert_int_equal(access_filter(rules, &p, ACCESS_FILE, NULL, &f, &err), ARK_EINPUT);
	assert_null(f);
}

static void test_access__explains_in_one_sentence(void **state)
{
	struct access_principal p = account(ACCESS_ORG_PROVIDER, 0);
	struct access_resource r = document("public");
	struct buf b = BUF_INIT;
	struct access_decision d;

	(void)state;
	assert_int_equal(access_decide(rules, &p, ACCESS_READ, &r, NULL, &d, NULL), ARK_OK);
	access_explain(rules, &d, "en", &b);
	assert_non_null(strstr(b.data, "permit by public-documents: Every account"));
	assert_non_null(strstr(b.data, "621/1999"));
	buf_clear(&b);
	access_explain(rules, &d, "fi", &b);
	assert_non_null(strstr(b.data, "Jokainen tili"));
	buf_clear(&b);
	r.publicity = "secret";
	assert_int_equal(access_decide(rules, &p, ACCESS_READ, &r, NULL, &d, NULL), ARK_OK);
	access_explain(rules, &d, "en", &b);
	assert_string_equal(b.data, "deny: no policy permits it");
	buf_free(&b);
}

static void test_access__a_bad_policy_is_refused_with_its_place(void **state)
{
	static const char text[] = "permit (principal, action, resource)\n"
				   "when { resource.publisity == \"public\" };";
	struct access_rules *other = NULL;
	struct ark_error err = {0};

	(void)state;
	assert_int_equal(access_rules_new(text, strlen(text), shipped_schema(),
			     strlen(shipped_schema()), NULL, NULL, &other, &err),
	    ARK_EINPUT);
	assert_null(other);
	assert_non_null(strstr(err.text, "publisity"));
	assert_non_null(strstr(err.text, "2"));
}

static void test_clock__days_are_finnish(void **state)
{
	static const struct {
		const char *utc, *day;
	} cases[] = {{"2026-01-01T21:59:59Z", "2026-01-01"}, {"2026-01-01T22:00:00Z", "2026-01-02"},
	    {"2026-07-01T20:59:59Z", "2026-07-01"}, {"2026-07-01T21:00:00Z", "2026-07-02"},
	    {"2026-03-29T00:59:59Z", "2026-03-29"}, {"2026-03-29T21:00:00Z", "2026-03-30"},
	    {"2026-03-28T21:30:00Z", "2026-03-28"}, {"2026-10-25T21:59:59Z", "2026-10-25"},
	    {"2026-10-24T21:00:00Z", "2026-10-25"}, {"2026-12-31T22:00:00Z", "2027-01-01"},
	    {"1969-12-31T23:00:00Z", "1970-01-01"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char day[11];
		int64_t us;

		assert_true(clock_parse(cases[i].utc, &us));
		clock_day(day, us);
		assert_string_equal(day, cases[i].day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_access__every_shipped_policy_can_be_asked_of_lists),
	    cmocka_unit_test(test_access__what_lists_cannot_ask_is_told_with_its_place),
	    cmocka_unit_test(test_access__reading_follows_class_and_organisation),
	    cmocka_unit_test(test_access__a_secret_needs_purpose_and_case),
	    cmocka_unit_test(test_access__units_come_by_placement_and_ownership),
	    cmocka_unit_test(test_access__rights_end_with_the_organisation),
	    cmocka_unit_test(test_access__filing_needs_role_county_and_own_name),
	    cmocka_unit_test(test_access__audit_and_administration),
	    cmocka_unit_test(test_access__nobody_is_permitted_nothing),
	    cmocka_unit_test(test_access__filters_admit_what_decisions_permit),
	    cmocka_unit_test(test_access__what_may_not_be_listed_is_not_in_sight),
	    cmocka_unit_test(test_access__filing_has_no_filter),
	    cmocka_unit_test(test_access__explains_in_one_sentence),
	    cmocka_unit_test(test_access__a_bad_policy_is_refused_with_its_place),
	    cmocka_unit_test(test_clock__days_are_finnish),
	};

	return cmocka_run_group_tests(tests, open_rules, close_rules);
}
