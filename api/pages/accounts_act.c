/* What is done with an account: by the functions that the API calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/accounts.h"
#include "api/session.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* The account, its form sent by who signed in not long ago; NULL: replied. */
static json_t *to_change(struct exchange *x)
{
	json_t *user = account_sought(x);
	char next[100];

	if (!user)
		return NULL;
	snprintf(next, sizeof(next), "/accounts/%.64s", json_text(user, "id"));
	if (account_may_change(x, "account", next))
		return user;
	json_decref(user);
	return NULL;
}

static void done(struct exchange *x)
{
	char path[120];

	snprintf(path, sizeof(path), "/accounts/%.64s?done=1", http_param(x, 0));
	form_go(x, path);
}

/* ---- name, address, roles, days ---- */

static void wish_roles(json_t *wish, unsigned int roles)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (roles & (1U << i))
			json_array_append_new(list, json_string(access_role_name(i)));
	json_object_set_new(wish, "roles", list);
}

/* Only what was typed anew: a name in two languages stays so, and nobody's roles are repeated. */
static json_t *wish_of(const struct account_typed *t, const struct account_typed *stands,
    const struct account_may *may)
{
	json_t *wish = json_object();

	if (strcmp(t->name, stands->name) != 0)
		json_object_set_new(wish, "name", json_string(t->name));
	if (strcmp(t->email, stands->email) != 0)
		json_object_set_new(
		    wish, "email", t->email[0] ? json_string(t->email) : json_null());
	if (!may->standing)
		return wish;
	if (t->roles != stands->roles)
		wish_roles(wish, t->roles);
	if (strcmp(t->from, stands->from) != 0)
		json_object_set_new(wish, "from", account_day_json(t->from));
	if (strcmp(t->to, stands->to) != 0)
		json_object_set_new(wish, "to", account_day_json(t->to));
	return wish;
}

static uint32_t base_sent(struct exchange *x)
{
	const char *base = http_form(x, "base");

	/* 0 would be a change of whatever stands: what was read is named, or nothing */
	if (!base || !*base || strlen(base) > 9 || strspn(base, "0123456789") != strlen(base))
		return UINT32_MAX;
	return (uint32_t)strtoul(base, NULL, 10) ? (uint32_t)strtoul(base, NULL, 10) : UINT32_MAX;
}

/* It cannot become what was wished: closed meanwhile, the last contact person, or changed by somebody else. */
static void in_conflict(struct exchange *x, bool typed)
{
	json_t *user =
	    registry_get(archive_registry(app_of(x)->archive), "users", http_param(x, 0));
	enum account_state state = account_state(user);
	bool contact = state == ACCOUNT_ACTIVE && (account_roles_of(user) & ACCESS_CONTACT);
	struct faults f = {0};

	json_decref(user);
	if (state == ACCOUNT_CLOSED) {
		done(x);
		return;
	}
	if (contact)
		fault_add(
		    &f, typed ? "role-contact" : "reason", form_said(x, SAY_ACCOUNT_LAST_CONTACT));
	account_show_again(x, &f, !contact, typed && contact);
}

static void not_changed(struct exchange *x, int rc, uint32_t base,
    const struct account_fault *fault, const struct ark_error *err, bool typed)
{
	struct faults f = {0};
	uint32_t number = 0;

	if (rc == ARK_EINPUT) {
		account_fault_say(x, fault, &f);
		account_show_again(x, &f, false, typed);
	} else if (rc != ARK_ECONFLICT) {
		accounts_failed(x, fault, err);
	} else if (base &&
		   !accounts_number(app_of(x)->archive, "users", http_param(x, 0), &number, NULL) &&
		   number != base) {
		account_show_again(x, &f, true, false);
	} else {
		in_conflict(x, typed);
	}
}

static void change(struct exchange *x, const json_t *user, const struct account_typed *t)
{
	const struct filing_actor actor = asker_actor(x);
	const struct account_may may = account_may(x, user);
	struct account_fault fault = {0};
	struct account_typed stands;
	uint32_t base = base_sent(x);
	struct ark_error err;
	json_t *wish;
	int rc;

	account_typed_of(x, user, &stands);
	wish = wish_of(t, &stands, &may);
	rc = wish ? accounts_user_change_on(app_of(x)->archive, &actor, asker_of(x),
			http_param(x, 0), base, wish, NULL, &fault, &err)
		  : ark_fail(&err, ARK_ENOMEM, "no memory for an account");
	if (rc)
		not_changed(x, rc, base, &fault, &err, true);
	else
		done(x);
	json_decref(wish);
}

void page_account_change(struct exchange *x)
{
	json_t *user = to_change(x);
	struct account_fields fields = {0};
	struct account_typed t;
	struct faults f = {0};

	if (!user)
		return;
	fields.days = fields.standing = account_may(x, user).standing;
	account_typed_read(x, &t);
	account_typed_check(x, &fields, &t, &f);
	if (f.n)
		account_show_again(x, &f, false, true);
	else
		change(x, user, &t);
	json_decref(user);
}

/* ---- suspending, resuming, closing ---- */

/* What cannot be undone is asked a second time. */
static void ask_close(struct exchange *x, const json_t *user, const char *reason)
{
	struct page p;

	form_page(&p, x, SAY_ACCOUNT_CLOSE, NULL);
	html_raw(&p.h, "<div class=\"narrow\"><h1 dir=\"auto\">");
	page_say(&p, SAY_ACCOUNT_CLOSE_SURE, account_name(user, i18n_code(p.language)));
	html_put(&p.h, "</h1><p>$</p><dl class=\"facts\">", say(&p, SAY_ACCOUNT_CLOSE_WHAT));
	account_fact(&p, SAY_USER_ID, json_text(user, "id"));
	account_fact(&p, SAY_ACCOUNT_REASON, reason);
	html_put(&p.h,
	    "</dl><form method=\"post\" action=\"/$/accounts/$/state\"><input type=\"hidden\" "
	    "name=\"to\" value=\"closed\"><input type=\"hidden\" name=\"sure\" value=\"1\"><input "
	    "type=\"hidden\" name=\"reason\" value=\"$\">",
	    i18n_code(p.language), json_text(user, "id"), reason);
	page_form_field(&p, "account");
	html_put(&p.h,
	    "<p class=\"act\"><button>$</button> <a href=\"/$/accounts/$\">$</a></p></form></div>",
	    say(&p, SAY_ACCOUNT_CLOSE_DO), i18n_code(p.language), json_text(user, "id"),
	    say(&p, SAY_ACCOUNT_CLOSE_NOT));
	page_end(&p, 200);
}

static bool reason_ok(const char *reason)
{
	json_t *one = json_pack("{s:s}", "reason", reason);
	struct account_fault fault;
	bool ok = one && !accounts_user_check(one, &fault, NULL);

	json_decref(one);
	return ok;
}

static void set_state(struct exchange *x, const char *to, const char *reason)
{
	const struct filing_actor actor = asker_actor(x);
	json_t *wish = json_pack("{s:s,s:s*}", "state", to, "reason", *reason ? reason : NULL);
	struct account_fault fault = {0};
	struct ark_error err;
	int rc = wish ? accounts_user_change(app_of(x)->archive, &actor, asker_of(x),
			    http_param(x, 0), wish, NULL, &fault, &err)
		      : ark_fail(&err, ARK_ENOMEM, "no memory for an account");

	sessions_forget(app_of(x));
	if (rc)
		not_changed(x, rc, 0, &fault, &err, false);
	else
		done(x);
	json_decref(wish);
}

void page_account_state(struct exchange *x)
{
	json_t *user = to_change(x);
	const char *to = http_form(x, "to");
	enum account_state wanted;
	struct faults f = {0};
	char reason[2048];

	if (!user)
		return;
	form_text(x, "reason", reason, sizeof(reason));
	if (!to || !account_state_parse(to, &wanted) || wanted == ACCOUNT_INVITED) {
		http_reply_problem(x, 400, "state", NULL, NULL);
	} else if (wanted != ACCOUNT_ACTIVE && !reason_ok(reason)) {
		fault_add(&f, "reason", form_said(x, SAY_ACCOUNT_REASON_WRONG));
		account_show_again(x, &f, false, false);
	} else if (wanted == ACCOUNT_CLOSED && account_may(x, user).standing &&
		   !http_form(x, "sure")) {
		ask_close(x, user, reason);
	} else {
		set_state(x, to, reason);
	}
	json_decref(user);
}

/* ---- ways in ---- */

void page_account_link(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	json_t *user = to_change(x);
	struct accounts_link link;
	struct ark_error err;

	if (!user)
		return;
	if (accounts_invite(app_of(x)->archive, &actor, asker_of(x), http_param(x, 0),
		clock_now_us(), &link, &err))
		accounts_failed(x, NULL, &err);
	else
		account_link_show(x, user, &link, false);
	json_decref(user);
}

void page_account_take(struct exchange *x)
{
	static const struct {
		const char *what;
		unsigned int parts;
	} known[] = {
	    {"sessions", CREDENTIALS_SESSIONS},
	    {"tokens", CREDENTIALS_TOKENS},
	    /* whoever is in by the factor that is removed is not to stay */
	    {"second-factor", CREDENTIALS_SECOND_FACTOR | CREDENTIALS_SESSIONS},
	};
	const struct filing_actor actor = asker_actor(x);
	json_t *user = to_change(x);
	const char *what = http_form(x, "what");
	unsigned int parts = 0;
	struct ark_error err;

	for (size_t i = 0; what && i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(what, known[i].what) == 0)
			parts = known[i].parts;
	if (!user)
		return;
	if (!parts) {
		http_reply_problem(x, 400, "take", NULL, NULL);
	} else if (accounts_take_credentials(
		       app_of(x)->archive, &actor, asker_of(x), http_param(x, 0), parts, &err)) {
		accounts_failed(x, NULL, &err);
	} else {
		sessions_forget(app_of(x));
		done(x);
	}
	json_decref(user);
}
