/* The spine's rules: each sentence once by hand, and the filter against the decision at random. */
#include "tests/unit/unit.h"

#include "arkki/policies/access.h"

static const char *const uusimaa[] = {"90"}, *const pirkanmaa[] = {"06"};
static const char *const both[] = {"90", "06"}, *const unit[] = {"koivula"};

static struct access_principal account(enum access_org_kind kind, unsigned int roles)
{
	return (struct access_principal){.user = "maija",
	    .org = "lvv",
	    .org_kind = kind,
	    .counties = uusimaa,
	    .counties_len = 1,
	    .roles = roles};
}

static struct access_resource document(const char *publicity)
{
	return (struct access_resource){.publicity = publicity,
	    .author = "lvv",
	    .state = "final",
	    .type = "inspection-report",
	    .units = unit,
	    .units_len = 1,
	    .counties = uusimaa,
	    .counties_len = 1};
}

static bool permits(
    const struct access_principal *p, enum access_action action, const struct access_resource *r)
{
	return access_decide(p, action, r, NULL).outcome == ACCESS_PERMIT;
}

static void test_access__reading_follows_class_and_organisation(void **state)
{
	/* columns: public, own county's secret, another county's secret, secret without units */
	static const bool expect[5][4] = {
	    [ACCESS_ORG_STATE_AGENCY] = {1, 1, 1, 1},
	    [ACCESS_ORG_COUNTY] = {1, 1, 0, 0},
	    [ACCESS_ORG_MUNICIPALITY] = {1, 0, 0, 0},
	    [ACCESS_ORG_OMBUDSMAN] = {1, 1, 1, 1},
	    [ACCESS_ORG_PROVIDER] = {1, 0, 0, 0},
	};
	static const enum access_action reads[] = {ACCESS_LIST, ACCESS_READ, ACCESS_READ_CONTENT};

	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		struct access_principal p = account((enum access_org_kind)kind, ACCESS_INSPECTOR);
		struct access_resource r[4] = {document("public"), document("secret"),
		    document("partly-secret"), document("secret")};

		r[0].counties_len = r[3].counties_len = r[3].units_len = 0;
		r[2].counties = pirkanmaa;
		for (size_t a = 0; a < 3; a++)
			for (int i = 0; i < 4; i++)
				assert_int_equal(permits(&p, reads[a], &r[i]), expect[kind][i]);
	}
}

static void test_access__one_county_of_several_is_enough_for_reading(void **state)
{
	struct access_principal p = account(ACCESS_ORG_COUNTY, 0);
	struct access_resource r = document("secret");

	(void)state;
	r.counties = both, r.counties_len = 2;
	assert_true(permits(&p, ACCESS_READ, &r));
	p.counties = both, p.counties_len = 2;
	r.counties = pirkanmaa, r.counties_len = 1;
	assert_true(permits(&p, ACCESS_READ, &r));
	p.counties_len = 0;
	assert_false(permits(&p, ACCESS_READ, &r));
}

static void test_access__filing_needs_role_own_author_and_every_county(void **state)
{
	static const struct {
		unsigned int role;
		bool expect;
	} roles[] = {{ACCESS_INSPECTOR, 1}, {ACCESS_REGISTRAR, 1}, {ACCESS_SUPERVISOR, 1},
	    {ACCESS_AUDITOR | ACCESS_PLACER | ACCESS_CONTACT | ACCESS_ADMIN | ACCESS_SYSTEM, 0}};
	struct access_resource r = document("secret");
	struct access_principal p;

	(void)state;
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		p = account(ACCESS_ORG_STATE_AGENCY, roles[i].role);
		assert_int_equal(permits(&p, ACCESS_FILE, &r), roles[i].expect);
		assert_int_equal(permits(&p, ACCESS_AMEND, &r), roles[i].expect);
	}
	p = account(ACCESS_ORG_STATE_AGENCY, ACCESS_INSPECTOR);
	r.author = "esavi";
	assert_false(permits(&p, ACCESS_FILE, &r));
	r.author = NULL;
	assert_false(permits(&p, ACCESS_FILE, &r));
	r.author = "lvv";
	r.counties = both, r.counties_len = 2;
	assert_false(permits(&p, ACCESS_FILE, &r));
	p.counties = both, p.counties_len = 2;
	assert_true(permits(&p, ACCESS_FILE, &r));
}

static void test_access__filing_without_counties_is_for_documents_without_units(void **state)
{
	struct access_principal p = account(ACCESS_ORG_STATE_AGENCY, ACCESS_REGISTRAR);
	struct access_resource r = document("secret");

	(void)state;
	p.counties_len = 0;
	assert_false(permits(&p, ACCESS_FILE, &r));
	r.counties_len = 0; /* the county of a unit is not known */
	assert_false(permits(&p, ACCESS_FILE, &r));
	r.units_len = 0;
	assert_true(permits(&p, ACCESS_FILE, &r));
	p.roles = 0;
	assert_false(permits(&p, ACCESS_FILE, &r));
}

static void test_access__audit_and_administer_follow_role_and_organisation(void **state)
{
	struct access_principal p = account(ACCESS_ORG_OMBUDSMAN, ACCESS_AUDITOR);

	(void)state;
	assert_true(permits(&p, ACCESS_AUDIT, NULL));
	assert_false(permits(&p, ACCESS_ADMINISTER, NULL));
	p = account(ACCESS_ORG_STATE_AGENCY, ACCESS_AUDITOR);
	assert_false(permits(&p, ACCESS_AUDIT, NULL));
	p = account(ACCESS_ORG_OMBUDSMAN, ~(unsigned)(ACCESS_AUDITOR | ACCESS_ADMIN));
	assert_false(permits(&p, ACCESS_AUDIT, NULL));
	assert_false(permits(&p, ACCESS_ADMINISTER, NULL));
	p = account(ACCESS_ORG_PROVIDER, ACCESS_ADMIN);
	assert_true(permits(&p, ACCESS_ADMINISTER, NULL));
}

static void test_access__nobody_and_a_zeroed_principal_get_nothing(void **state)
{
	struct access_principal p = {.roles = ~0U};
	struct access_resource r = document("public");
	struct access_filter *f = NULL;

	(void)state;
	r.author = "";
	r.units_len = 0;
	for (int a = ACCESS_LIST; a <= ACCESS_ADMINISTER; a++) {
		assert_false(permits(NULL, (enum access_action)a, &r));
		assert_false(permits(&p, (enum access_action)a, &r));
		p.user = p.org = "";
		assert_false(permits(&p, (enum access_action)a, &r));
	}
	assert_int_equal(access_filter(&p, ACCESS_LIST, NULL, &f, NULL), ARK_OK);
	assert_int_equal(f->op, ACCESS_OP_NONE);
	access_filter_free(f);
}

/* ---- the filter agrees with the decision ---- */
static const char *const pool[] = {"90", "06", "21", "", NULL, "90 ", "public"};
enum { POOL = sizeof(pool) / sizeof(*pool) };

static unsigned int draw(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 16) % n;
}

static size_t draw_list(unsigned int *seed, const char **list)
{
	size_t n = draw(seed, 4);

	for (size_t i = 0; i < n; i++)
		list[i] = pool[draw(seed, POOL)];
	return n;
}

static void test_access__filter_and_decision_agree_on_random_pairs(void **state)
{
	static const char *const classes[] = {
	    "public", "partly-secret", "secret", "", "Public", NULL};
	static const char *const names[] = {"maija", "lvv", "", NULL};
	static const enum access_action actions[] = {
	    ACCESS_LIST, ACCESS_READ, ACCESS_READ_CONTENT, ACCESS_AUDIT, ACCESS_ADMINISTER};
	unsigned int seed = 20260312, permitted = 0;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		const char *mine[4], *theirs[4];
		struct access_principal p = {.user = names[draw(&seed, 8) ? 0 : draw(&seed, 4)],
		    .org = names[draw(&seed, 8) ? 1 : draw(&seed, 4)],
		    .org_kind = (enum access_org_kind)draw(&seed, 5),
		    .roles = draw(&seed, 256),
		    .counties = mine,
		    .counties_len = draw_list(&seed, mine)};
		struct access_resource r = {.publicity = classes[draw(&seed, 6)],
		    .author = names[draw(&seed, 4)],
		    .units = theirs,
		    .counties = theirs,
		    .counties_len = draw_list(&seed, theirs)};
		enum access_action action = actions[draw(&seed, 5)];
		struct access_filter *f = NULL;
		bool may = permits(&p, action, &r);

		r.units_len = r.counties_len;
		assert_int_equal(access_filter(&p, action, NULL, &f, NULL), ARK_OK);
		assert_int_equal(access_filter_admits(f, &r), may);
		access_filter_free(f);
		permitted += may;
	}
	assert_in_range(permitted, 6000, 24000); /* the draw tries both sides */
}

static void test_access__filing_has_no_filter(void **state)
{
	struct access_principal p = account(ACCESS_ORG_STATE_AGENCY, ACCESS_INSPECTOR);
	struct access_filter *f = NULL;
	struct ark_error err;

	(void)state;
	assert_int_equal(access_filter(&p, ACCESS_FILE, NULL, &f, &err), ARK_EINPUT);
	assert_null(f);
}

static void test_access__filter_operators_combine(void **state)
{
	struct access_resource r = document("secret");
	struct access_filter county = {ACCESS_OP_HAS, ACCESS_ATTR_COUNTY, (char[]){"90"}, NULL, 0};
	struct access_filter draft = {ACCESS_OP_HAS, ACCESS_ATTR_STATE, (char[]){"draft"}, NULL, 0};
	struct access_filter *one[] = {&draft}, *two[] = {&county, &draft};
	struct access_filter not_draft = {ACCESS_OP_NOT, ACCESS_ATTR_STATE, NULL, one, 1};
	struct access_filter both_of = {ACCESS_OP_AND, ACCESS_ATTR_STATE, NULL, two, 2};
	struct access_filter any_of = {ACCESS_OP_OR, ACCESS_ATTR_STATE, NULL, two, 2};

	(void)state;
	assert_true(access_filter_admits(&county, &r));
	assert_true(access_filter_admits(&not_draft, &r));
	assert_false(access_filter_admits(&both_of, &r));
	assert_true(access_filter_admits(&any_of, &r));
	both_of.children = any_of.children = not_draft.children = 0;
	assert_true(access_filter_admits(&both_of, &r));
	assert_false(access_filter_admits(&any_of, &r));
	assert_false(access_filter_admits(&not_draft, &r));
}

static void test_access__decision_is_explained_in_one_sentence(void **state)
{
	struct access_principal p = account(ACCESS_ORG_PROVIDER, 0);
	struct access_resource r = document("public");
	struct access_decision d = access_decide(&p, ACCESS_READ, &r, NULL);
	struct buf b = BUF_INIT;

	(void)state;
	access_explain(&d, &b);
	assert_string_equal(b.data, "permit: public documents are readable by every account");
	buf_clear(&b);
	d = access_decide(&p, ACCESS_FILE, &r, NULL);
	access_explain(&d, &b);
	assert_string_equal(b.data, "deny: no rule permits it");
	buf_free(&b);
}

static void test_access__names_of_kinds_and_roles(void **state)
{
	enum access_org_kind kind;
	unsigned int role;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_true(
		    access_org_kind_parse(access_org_kind_name((enum access_org_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	assert_false(access_org_kind_parse("agency", &kind));
	assert_true(access_role_parse("system", &role));
	assert_int_equal(role, ACCESS_SYSTEM);
	assert_true(access_role_parse("inspector", &role));
	assert_int_equal(role, ACCESS_INSPECTOR);
	assert_false(access_role_parse("", &role));
	assert_false(access_role_parse(NULL, &role));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_access__reading_follows_class_and_organisation),
	    cmocka_unit_test(test_access__one_county_of_several_is_enough_for_reading),
	    cmocka_unit_test(test_access__filing_needs_role_own_author_and_every_county),
	    cmocka_unit_test(test_access__filing_without_counties_is_for_documents_without_units),
	    cmocka_unit_test(test_access__audit_and_administer_follow_role_and_organisation),
	    cmocka_unit_test(test_access__nobody_and_a_zeroed_principal_get_nothing),
	    cmocka_unit_test(test_access__filter_and_decision_agree_on_random_pairs),
	    cmocka_unit_test(test_access__filing_has_no_filter),
	    cmocka_unit_test(test_access__filter_operators_combine),
	    cmocka_unit_test(test_access__decision_is_explained_in_one_sentence),
	    cmocka_unit_test(test_access__names_of_kinds_and_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
