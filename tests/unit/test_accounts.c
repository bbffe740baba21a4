/* Accounts: how they come, change and go, and who may. All people and organisations here are invented. */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "arkki/archive/accounts.h"
#include "arkki/archive/load.h"
#include "arkki/archive/past.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

#define DAY_US (INT64_C(86400) * 1000000)

static const struct filing_actor actor = {.user = "operator", .authentication = "operator"};

struct world {
	char top[256], dir[300], key[300];
	struct archive *a;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ark_error err = {0};

	assert_non_null(w);
	unit_scratch(w->top);
	snprintf(w->dir, sizeof(w->dir), "%s/a", w->top);
	snprintf(w->key, sizeof(w->key), "%s/root.key", w->top);
	if (archive_init(w->dir, w->key, "test.example", &err) ||
	    archive_open(w->dir, w->key, ARCHIVE_WRITE, NULL, NULL, &w->a, &err))
		fail_msg("archive: %s", err.text);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	archive_close(w->a);
	unit_scratch_end(w->top);
	free(w);
	return 0;
}

/* ---- saying it in JSON with single quotes ---- */

static json_t *J(const char *text)
{
	struct ark_error err = {0};
	char *copy = strdup(text);
	json_t *v = NULL;

	assert_non_null(copy);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (json_read(copy, strlen(copy), &v, &err))
		fail_msg("%s: %s", text, err.text);
	free(copy);
	return v;
}

static int load(struct world *w, const char *text, struct ark_error *err)
{
	struct load_result result;
	json_t *seed = J(text);
	int rc = load_seed(w->a, seed, &actor, &result, err);

	json_decref(seed);
	return rc;
}

/* Somebody who acts; NULL: the operator. */
static struct principal *who(struct world *w, const char *user)
{
	struct principal *p = NULL;
	struct ark_error err = {0};

	if (user && registry_principal(archive_registry(w->a), user, &p, &err))
		fail_msg("%s: %s", user, err.text);
	return p;
}

static struct account_fault fault;
static struct ark_error error;

static int add_org(struct world *w, const char *by, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc;

	fault = (struct account_fault){0};
	rc = accounts_org_add(w->a, &actor, p, v, NULL, &fault, &error);
	json_decref(v);
	principal_unref(p);
	return rc;
}

static int change_org(struct world *w, const char *by, const char *org, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc = accounts_org_change(w->a, &actor, p, org, v, NULL, &fault, &error);

	json_decref(v);
	principal_unref(p);
	return rc;
}

static int add(struct world *w, const char *by, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc;

	fault = (struct account_fault){0};
	rc = accounts_user_add(w->a, &actor, p, v, NULL, &fault, &error);
	json_decref(v);
	principal_unref(p);
	return rc;
}

static int change(struct world *w, const char *by, const char *user, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc;

	fault = (struct account_fault){0};
	rc = accounts_user_change(w->a, &actor, p, user, v, NULL, &fault, &error);
	json_decref(v);
	principal_unref(p);
	return rc;
}

static void ok(int rc)
{
	if (rc)
		fail_msg("%s", error.text);
}

static json_t *user_of(struct world *w, const char *user)
{
	json_t *v = registry_get(archive_registry(w->a), "users", user);

	assert_non_null(v);
	return v;
}

static void expect_state(struct world *w, const char *user, enum account_state state)
{
	json_t *v = user_of(w, user);

	assert_string_equal(account_state_name(account_state(v)), account_state_name(state));
	json_decref(v);
}

static void expect_field(struct world *w, const char *user, const char *field, const char *value)
{
	json_t *v = user_of(w, user);

	if (value)
		assert_string_equal(json_text(v, field), value);
	else
		assert_null(json_object_get(v, field));
	json_decref(v);
}

/* An administrator at the agency; a county with a contact person and an inspector, all active. */
static void populate(struct world *w)
{
	ok(add_org(w, NULL, "{'id':'lvv','kind':'state-agency','name':'Virasto'}"));
	ok(add_org(w, NULL,
	    "{'id':'pirha','kind':'county','name':{'fi':'Pirha','sv':'Birka'},"
	    "'businessId':'0737546-2','counties':['91']}"));
	ok(add_org(w, NULL, "{'id':'koti-oy','kind':'provider','name':'Koti Oy'}"));
	ok(add(w, NULL, "{'id':'ylla','org':'lvv','name':'Ylla','roles':['admin']}"));
	ok(accounts_user_activate(w->a, &actor, "ylla", &error));
	ok(add(w, "ylla", "{'id':'kaisa','org':'pirha','name':'Kaisa','roles':['contact']}"));
	ok(accounts_user_activate(w->a, &actor, "kaisa", &error));
	ok(add(w, "kaisa", "{'id':'pertti','org':'pirha','name':'Pertti','roles':['inspector']}"));
	ok(accounts_user_activate(w->a, &actor, "pertti", &error));
}

/* ---- business ids ---- */

static void test_accounts__a_business_id_has_its_check_digit(void **state)
{
	static const char *const wrong[] = {"0737546-3", "0737546-1", "0737456-2", "1737546-2",
	    "737546-2", "07375462", "0737546-", "0737546", "0737546-22", "FI07375462", "",
	    "0737546 2", " 0737546-2", "0737546-2 ", "073754a-2", "0737546-K", "٠737546-2",
	    /* sum 12, rest 1: such numbers are never given out, whatever digit follows */
	    "0000026-0", "0000026-1", "0000026-9"};

	(void)state;
	/* 0·7+7·9+3·10+7·5+5·8+4·4+6·2 = 196 = 17·11 + 9, and 11 − 9 = 2 */
	assert_true(business_id_valid("0737546-2"));
	/* 1·7+2·9+3·10+4·5+5·8+6·4+7·2 = 153 = 13·11 + 10, and 11 − 10 = 1 */
	assert_true(business_id_valid("1234567-1"));
	/* 5·2+3·4 = 22 = 2·11: a rest of 0 has the digit 0 */
	assert_true(business_id_valid("0000035-0"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (business_id_valid(wrong[i]))
			fail_msg("%s passes", wrong[i]);
}

/* ---- joining ---- */

static void test_accounts__an_organisation_joins_and_its_people_come_and_go(void **state)
{
	struct world *w = *state;
	struct principal *p = NULL;
	char today[11];

	populate(w);
	clock_day(today, clock_now_us());
	expect_state(w, "pertti", ACCOUNT_ACTIVE);
	expect_field(w, "pertti", "confirmed", today);
	ok(change(w, "kaisa", "pertti", "{'name':'Pertti P.','email':'pertti@pirha.example'}"));
	expect_field(w, "pertti", "name", "Pertti P.");
	ok(change(w, "kaisa", "pertti", "{'email':null,'roles':['supervisor','inspector']}"));
	expect_field(w, "pertti", "email", NULL);

	assert_int_equal(change(w, "kaisa", "pertti", "{'state':'suspended'}"), ARK_EINPUT);
	assert_string_equal(fault.field, "reason");
	assert_string_equal(fault.code, "required");
	ok(change(w, "kaisa", "pertti", "{'state':'suspended','reason':'on leave'}"));
	expect_field(w, "pertti", "stateReason", "on leave");
	assert_int_equal(
	    registry_principal(archive_registry(w->a), "pertti", &p, NULL), ARK_ENOTFOUND);
	ok(change(w, "kaisa", "pertti", "{'state':'active'}"));
	expect_field(w, "pertti", "stateReason", NULL);
	principal_unref(who(w, "pertti"));

	ok(change(w, "kaisa", "pertti", "{'state':'closed','reason':'moved away'}"));
	assert_int_equal(
	    registry_principal(archive_registry(w->a), "pertti", &p, NULL), ARK_ENOTFOUND);
	assert_int_equal(change(w, NULL, "pertti", "{'state':'active'}"), ARK_ECONFLICT);
	assert_int_equal(change(w, NULL, "pertti", "{'name':'Somebody'}"), ARK_ECONFLICT);
	assert_int_equal(accounts_user_activate(w->a, &actor, "pertti", &error), ARK_ECONFLICT);
	assert_int_equal(
	    add(w, NULL, "{'id':'pertti','org':'pirha','name':'Other','roles':[]}"), ARK_ECONFLICT);
	assert_non_null(strstr(error.text, "not given again"));
}

static void test_accounts__what_is_asked_must_be_well_formed(void **state)
{
	static const struct {
		const char *wish, *field, *code;
	} orgs[] = {
	    {"{'kind':'county','name':'X'}", "id", "required"},
	    {"{'id':'X','kind':'county','name':'X'}", "id", "malformed"},
	    {"{'id':'operator','kind':'county','name':'X'}", "id", "malformed"},
	    {"{'id':'x','kind':'village','name':'X'}", "kind", "unknown"},
	    {"{'id':'x','kind':'county'}", "name", "required"},
	    {"{'id':'x','kind':'county','name':{'de':'X'}}", "name", "malformed"},
	    {"{'id':'x','kind':'county','name':{}}", "name", "malformed"},
	    {"{'id':'x','kind':'county','name':'X','businessId':'0737546-3'}", "businessId",
		"check-digit"},
	    {"{'id':'x','kind':'county','name':'X','counties':'91'}", "counties", "malformed"},
	    {"{'id':'x','kind':'county','name':'X','from':'2026-02-30'}", "from", "malformed"},
	    {"{'id':'x','kind':'county','name':'X','from':'2026-02-02','to':'2026-02-01'}", "to",
		"range"},
	    {"{'id':'x','kind':'county','name':'X','predecessors':['x']}", "predecessors", "own"},
	    {"{'id':'x','kind':'county','name':'X','confirmEvery':14}", "confirmEvery", "range"},
	    {"{'id':'x','kind':'county','name':'X','confirmEvery':'180'}", "confirmEvery", "range"},
	    {"{'id':'x','kind':'county','name':'X','colour':'red'}", "colour", "unknown-field"},
	    {"[]", "", "malformed"},
	};
	static const struct {
		const char *wish, *field, *code;
	} users[] = {
	    {"{'id':'system','org':'lvv','name':'X','roles':[]}", "id", "malformed"},
	    {"{'id':'x','org':'nowhere','name':'X','roles':[]}", "org", "unknown"},
	    {"{'id':'x','org':'lvv','roles':[]}", "name", "required"},
	    {"{'id':'x','org':'lvv','name':'  ','roles':[]}", "name", "malformed"},
	    {"{'id':'x','org':'lvv','name':'a\\nb','roles':[]}", "name", "malformed"},
	    {"{'id':'x','org':'lvv','name':'a\\u202eb','roles':[]}", "name", "malformed"},
	    {"{'id':'x','org':'lvv','name':'a\\u2028b','roles':[]}", "name", "malformed"},
	    {"{'id':'x','org':'lvv','name':'a\\u009bb','roles':[]}", "name", "malformed"},
	    {"{'id':'x','org':'lvv','name':'\\u200b','roles':[]}", "name", "malformed"},
	    {"{'id':'x','org':'lvv','name':'X','roles':['king']}", "roles", "unknown"},
	    {"{'id':'x','org':'lvv','name':'X','roles':'admin'}", "roles", "unknown"},
	    {"{'id':'x','org':'lvv','name':'X','roles':[],'email':'x'}", "email", "malformed"},
	    {"{'id':'x','org':'lvv','name':'X','roles':[],'email':'a@b@c'}", "email", "malformed"},
	    {"{'id':'x','org':'lvv','name':'X','roles':[],'email':'a@b\\r\\nBcc: c@d'}", "email",
		"malformed"},
	    {"{'id':'x','org':'lvv','name':'X','roles':[],'state':'active'}", "state",
		"unknown-field"},
	    {"{'id':'x','org':'lvv','name':'X','roles':[],'confirmed':'2030-01-01'}", "confirmed",
		"unknown-field"},
	};
	struct world *w = *state;

	populate(w);
	for (size_t i = 0; i < sizeof(orgs) / sizeof(*orgs); i++) {
		if (add_org(w, NULL, orgs[i].wish) != ARK_EINPUT ||
		    strcmp(fault.field, orgs[i].field) != 0 ||
		    strcmp(fault.code, orgs[i].code) != 0)
			fail_msg("%s: %s %s", orgs[i].wish, fault.field, fault.code);
	}
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		if (add(w, NULL, users[i].wish) != ARK_EINPUT ||
		    strcmp(fault.field, users[i].field) != 0 ||
		    strcmp(fault.code, users[i].code) != 0)
			fail_msg("%s: %s %s", users[i].wish, fault.field, fault.code);
	}
	/* names of people are not ours to judge */
	ok(add(w, NULL, "{'id':'e','org':'lvv','name':'Ää-Ö 😀 أمل','roles':[]}"));
	assert_int_equal(change(w, NULL, "e", "{'org':'pirha'}"), ARK_EINPUT);
	assert_string_equal(fault.code, "fixed");
	assert_int_equal(change(w, NULL, "e", "{'name':null}"), ARK_EINPUT);
	assert_int_equal(change_org(w, NULL, "lvv", "{'kind':'county'}"), ARK_EINPUT);
}

static void test_accounts__a_registered_organisation_confirms_its_accounts(void **state)
{
	struct world *w = *state;
	json_t *org;

	populate(w);
	org = registry_get(archive_registry(w->a), "orgs", "pirha");
	assert_int_equal(json_integer_value(json_object_get(org, "confirmEvery")), 180);
	json_decref(org);
	ok(change_org(w, "ylla", "pirha", "{'confirmEvery':null,'to':'2030-12-31'}"));
	org = registry_get(archive_registry(w->a), "orgs", "pirha");
	assert_null(json_object_get(org, "confirmEvery"));
	assert_string_equal(json_text(org, "businessId"), "0737546-2");
	json_decref(org);
	assert_int_equal(
	    add_org(w, NULL, "{'id':'pirha','kind':'county','name':'X'}"), ARK_ECONFLICT);
}

/* ---- who may ---- */

static void test_accounts__a_contact_person_reaches_no_further_than_the_own_house(void **state)
{
	struct world *w = *state;
	struct accounts_link link;
	struct principal *p;

	populate(w);
	assert_int_equal(
	    add_org(w, "kaisa", "{'id':'uusi','kind':'county','name':'U'}"), ARK_EREFUSED);
	assert_int_equal(change_org(w, "kaisa", "pirha", "{'counties':['90']}"), ARK_EREFUSED);
	/* into another organisation, the account of another, more than may be given */
	assert_int_equal(add(w, "kaisa", "{'id':'m','org':'lvv','name':'M','roles':['inspector']}"),
	    ARK_EREFUSED);
	assert_int_equal(change(w, "kaisa", "ylla", "{'name':'M'}"), ARK_EREFUSED);
	assert_int_equal(
	    add(w, "kaisa", "{'id':'m','org':'pirha','name':'M','roles':['admin']}"), ARK_EREFUSED);
	assert_int_equal(
	    change(w, "kaisa", "pertti", "{'roles':['inspector','admin']}"), ARK_EREFUSED);
	assert_int_equal(add(w, NULL, "{'id':'m','org':'koti-oy','name':'M','roles':['auditor']}"),
	    ARK_EREFUSED);
	assert_int_equal(
	    add(w, NULL, "{'id':'m','org':'koti-oy','name':'M','roles':['admin']}"), ARK_EREFUSED);
	/* the own standing */
	assert_int_equal(
	    change(w, "kaisa", "kaisa", "{'roles':['contact','inspector']}"), ARK_EREFUSED);
	assert_int_equal(
	    change(w, "kaisa", "kaisa", "{'state':'closed','reason':'x'}"), ARK_EREFUSED);
	assert_int_equal(change(w, "kaisa", "kaisa", "{'to':'2099-01-01'}"), ARK_EREFUSED);
	assert_int_equal(change(w, "ylla", "ylla", "{'roles':[]}"), ARK_EREFUSED);
	ok(change(w, "kaisa", "kaisa", "{'name':'Kaisa K.','roles':['contact'],'state':'active'}"));
	/* without the role, nothing at all */
	assert_int_equal(change(w, "pertti", "pertti", "{'name':'P'}"), ARK_EREFUSED);
	assert_int_equal(
	    add(w, "pertti", "{'id':'m','org':'pirha','name':'M','roles':[]}"), ARK_EREFUSED);

	/* an administrator in the own house: no change, and no link that would be a way in as that one */
	ok(add(w, "ylla", "{'id':'aatu','org':'pirha','name':'Aatu','roles':['admin']}"));
	assert_int_equal(
	    change(w, "kaisa", "aatu", "{'state':'closed','reason':'x'}"), ARK_EREFUSED);
	assert_int_equal(change(w, "kaisa", "aatu", "{'email':'kaisa@x.example'}"), ARK_EREFUSED);
	p = who(w, "kaisa");
	assert_int_equal(
	    accounts_invite(w->a, &actor, p, "aatu", clock_now_us(), &link, &error), ARK_EREFUSED);
	assert_int_equal(
	    accounts_invite(w->a, &actor, p, "ylla", clock_now_us(), &link, &error), ARK_EREFUSED);
	ok(accounts_invite(w->a, &actor, p, "pertti", clock_now_us(), &link, &error));
	assert_int_equal(link.kind, LINK_RESET);
	principal_unref(p);
	expect_state(w, "aatu", ACCOUNT_INVITED);
}

static void test_accounts__a_role_that_an_account_has_may_stay(void **state)
{
	struct world *w = *state;

	populate(w);
	ok(load(w,
	    "{'users':[{'id':'vanha','org':'pirha','roles':['inspector','system','placer']},"
	    "{'id':'talo','org':'koti-oy','roles':['placer']}]}",
	    &error));
	ok(change(w, NULL, "talo", "{'roles':['placer','contact']}"));
	assert_int_equal(change(w, NULL, "talo", "{'roles':['placer','auditor']}"), ARK_EREFUSED);
	ok(change(w, NULL, "talo", "{'roles':['contact']}"));
	assert_int_equal(change(w, NULL, "talo", "{'roles':['placer']}"), ARK_EREFUSED);
}

static void test_accounts__an_expired_manager_manages_nothing(void **state)
{
	struct world *w = *state;

	populate(w);
	ok(change(w, NULL, "kaisa", "{'to':'2020-01-01'}"));
	assert_int_equal(change(w, "kaisa", "pertti", "{'name':'P'}"), ARK_EREFUSED);
	ok(change(w, NULL, "kaisa", "{'to':null}"));
	ok(change_org(w, NULL, "pirha", "{'to':'2020-01-01'}"));
	assert_int_equal(change(w, "kaisa", "pertti", "{'name':'P'}"), ARK_EREFUSED);
}

static void test_accounts__the_last_contact_person_stays(void **state)
{
	struct world *w = *state;

	populate(w);
	ok(add(w, "kaisa", "{'id':'kalle','org':'pirha','name':'Kalle','roles':['contact']}"));
	ok(accounts_user_activate(w->a, &actor, "kalle", &error));
	ok(change(w, "kalle", "kaisa", "{'state':'suspended','reason':'x'}"));
	ok(change(w, "kalle", "kaisa", "{'state':'active'}"));
	ok(change(w, "kaisa", "kalle", "{'roles':[]}"));
	/* kaisa is the last one: nobody else of the house is a manager, so only those above remain */
	ok(change(w, "ylla", "kaisa", "{'roles':[]}"));
	expect_state(w, "kaisa", ACCOUNT_ACTIVE);
}

/* ---- two at once ---- */

struct pull {
	struct world *w;
	const char *by, *user;
	int rc;
};

static void *pull_main(void *arg)
{
	struct pull *t = arg;
	struct principal *p = NULL;
	json_t *wish = json_pack("{s:s,s:s}", "state", "closed", "reason", "race");
	struct ark_error err;

	if (!registry_principal(archive_registry(t->w->a), t->by, &p, NULL))
		t->rc = accounts_user_change(t->w->a, &actor, p, t->user, wish, NULL, NULL, &err);
	principal_unref(p);
	json_decref(wish);
	return NULL;
}

static void test_accounts__two_contacts_that_close_each_other_leave_one(void **state)
{
	struct world *w = *state;
	struct pull a = {w, "kaisa", "kalle", 1}, b = {w, "kalle", "kaisa", 1};
	pthread_t ta, tb;

	populate(w);
	ok(add(w, NULL, "{'id':'kalle','org':'pirha','name':'K','roles':['contact']}"));
	ok(accounts_user_activate(w->a, &actor, "kalle", &error));
	assert_int_equal(pthread_create(&ta, NULL, pull_main, &a), 0);
	assert_int_equal(pthread_create(&tb, NULL, pull_main, &b), 0);
	pthread_join(ta, NULL);
	pthread_join(tb, NULL);
	assert_true((a.rc == ARK_OK) != (b.rc == ARK_OK));
}

static void test_accounts__a_change_of_an_older_number_is_refused(void **state)
{
	struct world *w = *state;
	json_t *wish = J("{'name':'Uusi'}");
	uint32_t number = 0;

	populate(w);
	ok(accounts_number(w->a, "users", "pertti", &number, &error));
	ok(accounts_user_change_on(w->a, &actor, NULL, "pertti", number, wish, NULL, NULL, &error));
	assert_int_equal(
	    accounts_user_change_on(w->a, &actor, NULL, "pertti", number, wish, NULL, NULL, &error),
	    ARK_ECONFLICT);
	ok(accounts_user_change_on(
	    w->a, &actor, NULL, "pertti", number + 1, wish, NULL, NULL, &error));
	/* nothing changed: no new number */
	ok(accounts_number(w->a, "users", "pertti", &number, &error));
	ok(change(w, NULL, "pertti", "{'name':'Uusi'}"));
	ok(accounts_user_change_on(w->a, &actor, NULL, "pertti", number, wish, NULL, NULL, &error));
	json_decref(wish);
}

/* ---- confirming ---- */

/* Noon of today in Finland: so many days later it is noon too, or an hour off, in summer as in winter. */
static int64_t noon(void)
{
	char today[11];
	int64_t us = 0;

	clock_day(today, clock_now_us());
	assert_true(clock_parse(today, &us));
	return us + INT64_C(10) * 3600 * 1000000;
}

static void sweep(struct world *w, int64_t at, unsigned int warned, unsigned int suspended)
{
	unsigned int got_warned = 99, got_suspended = 99;

	ok(accounts_sweep(w->a, at, &got_warned, &got_suspended, &error));
	assert_int_equal(got_warned, warned);
	assert_int_equal(got_suspended, suspended);
}

static void test_accounts__the_unconfirmed_are_warned_and_then_suspended(void **state)
{
	struct world *w = *state;
	int64_t now = noon();

	populate(w);
	ok(load(w,
	    "{'orgs':[{'id':'vanha','kind':'county','name':'V'}],"
	    "'users':[{'id':'vilma','org':'vanha','roles':['contact']}]}",
	    &error));
	sweep(w, now, 0, 0);
	sweep(w, now + 165 * DAY_US, 0, 0);
	sweep(
	    w, now + 166 * DAY_US, 3, 0); /* kaisa, pertti and ylla; vilma's house is left alone */
	sweep(w, now + 166 * DAY_US, 0, 0);
	sweep(w, now + 179 * DAY_US, 0, 0);
	sweep(w, now + 180 * DAY_US, 0, 3);
	sweep(w, now + 180 * DAY_US, 0, 0);
	expect_state(w, "pertti", ACCOUNT_SUSPENDED);
	expect_field(w, "pertti", "stateReason", "not confirmed");
	expect_state(w, "vilma", ACCOUNT_ACTIVE);
}

static void expect_due(struct world *w, const char *org, int64_t by_us, unsigned int lapsed)
{
	char by[11], day[11] = "";
	unsigned int n = 99;

	if (by_us)
		clock_day(day, by_us);
	ok(accounts_due(w->a, org, by, &n, &error));
	assert_string_equal(by, day);
	assert_int_equal(n, lapsed);
}

static void test_accounts__an_organisation_is_told_when_its_list_is_due(void **state)
{
	struct world *w = *state;
	int64_t now = noon();
	unsigned int n = 0;
	char by[11];

	populate(w);
	ok(load(w,
	    "{'orgs':[{'id':'vanha','kind':'county','name':'V'}],'users':[{'id':'vilma','org':'"
	    "vanha','roles':[]}]}",
	    &error));
	expect_due(w, "pirha", now + 180 * DAY_US, 0);
	expect_due(w, "vanha", 0, 0);
	assert_int_equal(accounts_due(w->a, "nowhere", by, &n, &error), ARK_ENOTFOUND);
	/* of one that was never confirmed: today, but for the warning */
	ok(load(w, "{'users':[{'id':'uuno','org':'pirha','roles':[]}]}", &error));
	expect_due(w, "pirha", now + 14 * DAY_US, 0);
	ok(change(w, NULL, "uuno", "{'state':'suspended','reason':'not so'}"));
	expect_due(w, "pirha", now + 180 * DAY_US, 0);
	sweep(w, now + 166 * DAY_US, 3, 0);
	sweep(w, now + 180 * DAY_US, 0, 3);
	expect_due(w, "pirha", 0, 2);
}

static void test_accounts__a_clock_that_jumps_suspends_nobody_without_warning(void **state)
{
	struct world *w = *state;
	int64_t now = noon();

	populate(w);
	sweep(w, now + 4000 * DAY_US, 3, 0);
	sweep(w, now + 4000 * DAY_US, 0, 0);
	/* back again: a warning of the future is none, and they were confirmed today */
	sweep(w, now, 0, 0);
	sweep(w, now - 400 * DAY_US, 3, 0); /* confirmed in the future: as if never */
	sweep(w, now - 387 * DAY_US, 0, 0);
	sweep(w, now - 386 * DAY_US, 0, 3);
}

static void test_accounts__confirming_needs_the_list_as_it_is(void **state)
{
	struct world *w = *state;
	int64_t now = noon();
	struct principal *kaisa, *pertti;
	char tag[33], later[33], by[11];
	unsigned int n = 0;
	json_t *list = NULL;

	populate(w);
	kaisa = who(w, "kaisa");
	pertti = who(w, "pertti");
	ok(accounts_list(w->a, "pirha", &list, tag, &error));
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_text(json_array_get(list, 0), "id"), "kaisa");
	clock_day(by, now + 180 * DAY_US);
	assert_string_equal(json_text(json_array_get(list, 1), "confirmBy"), by);
	json_decref(list);
	assert_int_equal(
	    accounts_confirm(w->a, &actor, pertti, "pirha", tag, &n, &error), ARK_EREFUSED);
	assert_int_equal(
	    accounts_confirm(w->a, &actor, kaisa, "lvv", tag, &n, &error), ARK_EREFUSED);
	assert_int_equal(
	    accounts_confirm(w->a, &actor, NULL, "nowhere", tag, &n, &error), ARK_ENOTFOUND);
	ok(change(w, NULL, "pertti", "{'name':'Somebody Else'}"));
	assert_int_equal(
	    accounts_confirm(w->a, &actor, kaisa, "pirha", tag, &n, &error), ARK_ECONFLICT);

	/* warned and suspended for want of it, and for another reason */
	sweep(w, now + 166 * DAY_US, 3, 0);
	ok(add(w, NULL, "{'id':'sulo','org':'pirha','name':'Sulo','roles':[]}"));
	ok(change(w, NULL, "sulo", "{'state':'active'}"));
	ok(change(w, NULL, "sulo", "{'state':'suspended','reason':'on leave'}"));
	sweep(w, now + 180 * DAY_US, 0, 3);
	ok(accounts_list(w->a, "pirha", &list, later, &error));
	json_decref(list);
	assert_string_not_equal(tag, later);
	ok(accounts_confirm(w->a, &actor, NULL, "pirha", later, &n, &error));
	assert_int_equal(n, 2);
	expect_state(w, "pertti", ACCOUNT_ACTIVE);
	expect_state(w, "kaisa", ACCOUNT_ACTIVE);
	expect_state(w, "sulo", ACCOUNT_SUSPENDED);
	expect_field(w, "pertti", "warned", NULL);
	expect_field(w, "pertti", "stateReason", NULL);
	principal_unref(kaisa);
	principal_unref(pertti);
}

/* ---- ways in ---- */

static void test_accounts__closing_takes_every_way_in_along(void **state)
{
	struct world *w = *state;
	char token[STATE_TOKEN_SIZE], id[17];
	struct session s = {
	    .user = "pertti", .method = "password", .expires_us = clock_now_us() + DAY_US};
	char cookie[STATE_TOKEN_SIZE];
	struct credentials_summary left;
	struct link_found found;
	struct accounts_link link;

	populate(w);
	ok(state_token_create(
	    archive_state(w->a), "pertti", "t", clock_now_us() + DAY_US, token, id, &error));
	ok(session_create(archive_state(w->a), &s, cookie, &error));
	ok(accounts_invite(w->a, &actor, NULL, "pertti", clock_now_us(), &link, &error));
	ok(link_find(archive_state(w->a), link.code, clock_now_us(), &found, &error));
	assert_string_equal(found.user, "pertti");
	assert_true(link.expires_us <= clock_now_us() + DAY_US);
	ok(change(w, "kaisa", "pertti", "{'state':'suspended','reason':'x'}"));
	ok(credentials_summary(archive_state(w->a), "pertti", clock_now_us(), &left, &error));
	assert_int_equal(left.sessions, 0);
	assert_int_equal(left.tokens, 1);
	assert_int_equal(link_find(archive_state(w->a), link.code, clock_now_us(), &found, &error),
	    ARK_ENOTFOUND);
	assert_int_equal(
	    accounts_invite(w->a, &actor, NULL, "pertti", clock_now_us(), &link, &error),
	    ARK_ECONFLICT);
	ok(change(w, "kaisa", "pertti", "{'state':'closed','reason':'x'}"));
	ok(credentials_summary(archive_state(w->a), "pertti", clock_now_us(), &left, &error));
	assert_int_equal(left.tokens, 0);
	/* what a crash between the two would have left is found by the sweep */
	ok(state_token_create(
	    archive_state(w->a), "pertti", "t", clock_now_us() + DAY_US, token, id, &error));
	sweep(w, clock_now_us(), 0, 0);
	ok(credentials_summary(archive_state(w->a), "pertti", clock_now_us(), &left, &error));
	assert_int_equal(left.tokens, 0);
}

static void test_accounts__what_signs_in_is_taken_by_managers_only(void **state)
{
	struct world *w = *state;
	struct principal *kaisa, *pertti;
	struct credentials_summary left;

	populate(w);
	kaisa = who(w, "kaisa");
	pertti = who(w, "pertti");
	ok(password_set(archive_state(w->a), "pertti", "kolme kelpo hevosta", &error));
	assert_int_equal(
	    accounts_take_credentials(w->a, &actor, pertti, "kaisa", CREDENTIALS_SESSIONS, &error),
	    ARK_EREFUSED);
	assert_int_equal(
	    accounts_take_credentials(w->a, &actor, kaisa, "ylla", CREDENTIALS_SESSIONS, &error),
	    ARK_EREFUSED);
	assert_int_equal(accounts_take_credentials(
			     w->a, &actor, kaisa, "kaisa", CREDENTIALS_SECOND_FACTOR, &error),
	    ARK_EREFUSED);
	assert_int_equal(
	    accounts_take_credentials(w->a, &actor, kaisa, "nobody", CREDENTIALS_TOKENS, &error),
	    ARK_ENOTFOUND);
	ok(accounts_take_credentials(w->a, &actor, kaisa, "kaisa", CREDENTIALS_SESSIONS, &error));
	ok(accounts_take_credentials(w->a, &actor, kaisa, "pertti", CREDENTIALS_TOKENS, &error));
	ok(credentials_summary(archive_state(w->a), "pertti", clock_now_us(), &left, &error));
	assert_true(left.password);
	ok(accounts_take_credentials(w->a, &actor, kaisa, "pertti", CREDENTIALS_PASSWORD, &error));
	ok(credentials_summary(archive_state(w->a), "pertti", clock_now_us(), &left, &error));
	assert_false(left.password);
	principal_unref(kaisa);
	principal_unref(pertti);
}

/* Who holds a link given for a small account must not come in by it when the account has grown. */
static void test_accounts__a_link_does_not_outlive_what_it_was_given_for(void **state)
{
	struct world *w = *state;
	struct principal *kaisa;
	struct accounts_link link;
	struct link_found found;
	int64_t now = clock_now_us();

	populate(w);
	kaisa = who(w, "kaisa");
	ok(add(w, "kaisa", "{'id':'petra','org':'pirha','name':'Petra','roles':['inspector']}"));
	ok(accounts_invite(w->a, &actor, kaisa, "petra", now, &link, &error));
	ok(change(w, "ylla", "petra", "{'roles':['inspector','auditor']}"));
	ok(link_find(archive_state(w->a), link.code, now, &found, &error));
	ok(change(w, "ylla", "petra", "{'roles':['inspector','admin']}"));
	assert_int_equal(
	    link_find(archive_state(w->a), link.code, now, &found, &error), ARK_ENOTFOUND);
	/* taken into use another way: the invitation has done its work */
	ok(add(w, "kaisa", "{'id':'paavo','org':'pirha','name':'Paavo','roles':['inspector']}"));
	ok(accounts_invite(w->a, &actor, kaisa, "paavo", now, &link, &error));
	ok(accounts_user_activate(w->a, &actor, "paavo", &error));
	assert_int_equal(
	    link_find(archive_state(w->a), link.code, now, &found, &error), ARK_ENOTFOUND);
	principal_unref(kaisa);
}

static void test_accounts__emergency_access_is_for_a_contact_person(void **state)
{
	struct world *w = *state;
	int64_t now = clock_now_us();
	struct accounts_link link;
	struct link_found found;
	json_t *v;

	populate(w);
	assert_int_equal(accounts_emergency(w->a, &actor, "pirha", "pertti", NULL, "locked out",
			     now, 1, &link, &error),
	    ARK_ECONFLICT);
	assert_int_equal(accounts_emergency(w->a, &actor, "pirha", "ylla", "Y", "locked out", now,
			     1, &link, &error),
	    ARK_ECONFLICT);
	assert_int_equal(accounts_emergency(w->a, &actor, "pirha", "nobody", NULL, "locked out",
			     now, 1, &link, &error),
	    ARK_ENOTFOUND);
	assert_int_equal(
	    accounts_emergency(w->a, &actor, "pirha", "kaisa", NULL, "", now, 1, &link, &error),
	    ARK_EINPUT);
	assert_int_equal(
	    accounts_emergency(w->a, &actor, "pirha", "kaisa", NULL, "x", now, 8, &link, &error),
	    ARK_EINPUT);
	ok(accounts_emergency(
	    w->a, &actor, "pirha", "kaisa", NULL, "locked out", now, 1, &link, &error));
	ok(link_find(archive_state(w->a), link.code, now, &found, &error));
	assert_int_equal(found.kind, LINK_EMERGENCY);
	v = user_of(w, "kaisa");
	assert_string_equal(json_text(json_object_get(v, "emergency"), "reason"), "locked out");
	json_decref(v);
	ok(accounts_emergency(
	    w->a, &actor, "pirha", "uusi", "Uusi", "locked out", now, 1, &link, &error));
	expect_state(w, "uusi", ACCOUNT_ACTIVE);
	ok(change(w, NULL, "pertti", "{'state':'suspended','reason':'x'}"));
	ok(accounts_emergency(
	    w->a, &actor, "pirha", "pertti", "Pertti", "locked out", now, 1, &link, &error));
	expect_state(w, "pertti", ACCOUNT_ACTIVE);
	ok(change(w, "pertti", "kaisa", "{'name':'Kaisa'}"));
}

/* ---- seeds, and the past ---- */

static void test_accounts__a_seed_resumes_nobody(void **state)
{
	static const char seed[] =
	    "{'users':[{'id':'pertti','org':'pirha','roles':['inspector'],'name':'P'}]}";
	struct world *w = *state;

	populate(w);
	ok(change(w, NULL, "pertti", "{'state':'suspended','reason':'x'}"));
	ok(load(w, seed, &error));
	expect_state(w, "pertti", ACCOUNT_SUSPENDED);
	expect_field(w, "pertti", "stateReason", "x");
	expect_field(w, "pertti", "name", "P");
	ok(change(w, NULL, "pertti", "{'state':'closed','reason':'x'}"));
	assert_int_equal(load(w, seed, &error), ARK_EINPUT);
	assert_non_null(strstr(error.text, "closed"));
	assert_int_equal(
	    load(w, "{'orgs':[{'id':'x','kind':'county','name':'X','businessId':'1'}]}", &error),
	    ARK_EINPUT);
	assert_int_equal(
	    load(w, "{'users':[{'id':'x','org':'lvv','roles':[],'state':'king'}]}", &error),
	    ARK_EINPUT);
	ok(load(w, "{'users':[{'id':'x','org':'lvv','roles':[],'state':'invited'}]}", &error));
	expect_state(w, "x", ACCOUNT_INVITED);
}

static void test_accounts__the_past_knows_a_closed_account(void **state)
{
	struct world *w = *state;
	struct receipt *receipt = NULL;
	struct registry *r = NULL;
	struct principal *p = NULL;
	int64_t then;

	populate(w);
	usleep(3000);
	then = clock_now_us();
	usleep(3000);
	ok(change(w, NULL, "pertti", "{'state':'closed','reason':'x'}"));
	ok(archive_maintenance(w->a, "test", "all", &receipt, &error));
	ok(past_registry(w->a, receipt, then, &r, NULL, &error));
	ok(registry_principal_on(r, "pertti", "2026-06-01", &p, &error));
	assert_int_equal(p->access.roles, ACCESS_INSPECTOR);
	principal_unref(p);
	registry_free(r);
	usleep(3000);
	ok(past_registry(w->a, receipt, clock_now_us(), &r, NULL, &error));
	assert_int_equal(
	    registry_principal_on(r, "pertti", "2026-06-01", &p, &error), ARK_ENOTFOUND);
	registry_free(r);
	receipt_free(receipt);
}

static void test_accounts__an_unknown_state_signs_nobody_in(void **state)
{
	json_t *v = json_pack("{s:s}", "state", "guest");

	(void)state;
	assert_int_equal(account_state(v), ACCOUNT_SUSPENDED);
	json_object_set_new(v, "state", json_integer(1));
	assert_int_equal(account_state(v), ACCOUNT_SUSPENDED);
	json_object_clear(v);
	assert_int_equal(account_state(v), ACCOUNT_ACTIVE);
	json_decref(v);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accounts__a_business_id_has_its_check_digit),
	    cmocka_unit_test(test_accounts__an_unknown_state_signs_nobody_in),
	    IN_A_WORLD(test_accounts__an_organisation_joins_and_its_people_come_and_go),
	    IN_A_WORLD(test_accounts__what_is_asked_must_be_well_formed),
	    IN_A_WORLD(test_accounts__a_registered_organisation_confirms_its_accounts),
	    IN_A_WORLD(test_accounts__a_contact_person_reaches_no_further_than_the_own_house),
	    IN_A_WORLD(test_accounts__a_role_that_an_account_has_may_stay),
	    IN_A_WORLD(test_accounts__an_expired_manager_manages_nothing),
	    IN_A_WORLD(test_accounts__the_last_contact_person_stays),
	    IN_A_WORLD(test_accounts__two_contacts_that_close_each_other_leave_one),
	    IN_A_WORLD(test_accounts__a_change_of_an_older_number_is_refused),
	    IN_A_WORLD(test_accounts__the_unconfirmed_are_warned_and_then_suspended),
	    IN_A_WORLD(test_accounts__an_organisation_is_told_when_its_list_is_due),
	    IN_A_WORLD(test_accounts__a_clock_that_jumps_suspends_nobody_without_warning),
	    IN_A_WORLD(test_accounts__confirming_needs_the_list_as_it_is),
	    IN_A_WORLD(test_accounts__closing_takes_every_way_in_along),
	    IN_A_WORLD(test_accounts__what_signs_in_is_taken_by_managers_only),
	    IN_A_WORLD(test_accounts__a_link_does_not_outlive_what_it_was_given_for),
	    IN_A_WORLD(test_accounts__emergency_access_is_for_a_contact_person),
	    IN_A_WORLD(test_accounts__a_seed_resumes_nobody),
	    IN_A_WORLD(test_accounts__the_past_knows_a_closed_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
