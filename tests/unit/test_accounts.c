/* Accounts: how organisations and their people join, and who may change what. */
#include "tests/unit/accounts_fixture.h"

#include <pthread.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accounts__a_business_id_has_its_check_digit),
	    IN_A_WORLD(test_accounts__an_organisation_joins_and_its_people_come_and_go),
	    IN_A_WORLD(test_accounts__what_is_asked_must_be_well_formed),
	    IN_A_WORLD(test_accounts__a_registered_organisation_confirms_its_accounts),
	    IN_A_WORLD(test_accounts__a_contact_person_reaches_no_further_than_the_own_house),
	    IN_A_WORLD(test_accounts__a_role_that_an_account_has_may_stay),
	    IN_A_WORLD(test_accounts__an_expired_manager_manages_nothing),
	    IN_A_WORLD(test_accounts__the_last_contact_person_stays),
	    IN_A_WORLD(test_accounts__two_contacts_that_close_each_other_leave_one),
	    IN_A_WORLD(test_accounts__a_change_of_an_older_number_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
