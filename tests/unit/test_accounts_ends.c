/* Accounts: confirming the list, what goes with an account that ends, and what the past knows of it. */
#include "tests/unit/accounts_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accounts__an_unknown_state_signs_nobody_in),
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
