/* One-time links for those who cannot sign in yet, or any more. The history log knows of a link before it works. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/accounts_private.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

#define DAY_US (INT64_C(86400) * 1000000)

enum { INVITATION_DAYS = 7, RESET_DAYS = 1, EMERGENCY_DAYS_MAX = 7 };

/* Takes the detail. */
static int log_link(struct archive *a, const struct filing_actor *actor, const char *kind,
    json_t *detail, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	struct ledger_record r = {.kind = kind,
	    .principal = actor->user,
	    .org = actor->org,
	    .roles = actor->roles,
	    .authentication = actor->authentication,
	    .session = actor->session,
	    .address = actor->address};
	int rc = detail ? json_write(&text, detail, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for a history entry");

	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a history entry");
	r.detail = text.data;
	if (!rc)
		rc = ledger_append_wait(archive_ledger(a, LEDGER_HISTORY), &r, 1, NULL, err);
	buf_free(&text);
	json_decref(detail);
	return rc;
}

static int make_link(
    struct archive *a, const char *user, struct accounts_link *link, struct ark_error *err)
{
	return link_create(archive_state(a), user, link->kind, link->expires_us, link->code, err);
}

/* ---- invitations ---- */

static int may_invite(const struct principal *p, const json_t *user, struct ark_error *err)
{
	enum account_state state = account_state(user);

	if (!accounts_may(p, json_text(user, "org")))
		return ark_fail(err, ARK_EREFUSED,
		    "people are invited by administrators and by the contact person of their own "
		    "organisation");
	if (!accounts_may_change(p, user))
		return ark_fail(
		    err, ARK_EREFUSED, "an administrator is invited by administrators only");
	if (state == ACCOUNT_SUSPENDED || state == ACCOUNT_CLOSED)
		return ark_fail(err, ARK_ECONFLICT, "the account %s is %s%s", json_text(user, "id"),
		    account_state_name(state),
		    state == ACCOUNT_SUSPENDED ? "; resume it first" : "");
	return ARK_OK;
}

int accounts_invite(struct archive *a, const struct filing_actor *actor, const struct principal *p,
    const char *user, int64_t now_us, struct accounts_link *ret, struct ark_error *err)
{
	struct accounts_link link = {0};
	char until[CLOCK_TEXT_SIZE];
	json_t *record = NULL;
	uint32_t number;
	bool first;
	int rc = accounts_lock(a, err);

	if (rc)
		return rc;
	rc = account_record(a, "users", user, &record, &number, err);
	if (!rc)
		rc = may_invite(p, record, err);
	if (rc)
		goto out;
	first = account_state(record) == ACCOUNT_INVITED;
	link.kind = first ? LINK_INVITATION : LINK_RESET;
	link.expires_us = now_us + (first ? INVITATION_DAYS : RESET_DAYS) * DAY_US;
	clock_format(until, link.expires_us);
	rc = log_link(a, actor, "invitation",
	    json_pack("{s:s,s:s,s:s}", "user", user, "link", first ? "invitation" : "reset",
		"expires", until),
	    err);
	if (!rc)
		rc = make_link(a, user, &link, err);
	if (!rc)
		*ret = link;
out:
	accounts_unlock(a);
	json_decref(record);
	return rc;
}

/* ---- taking away ---- */

static json_t *parts_json(unsigned int parts)
{
	static const char *const names[] = {"password", "second-factor", "links", "sessions",
	    "tokens", "identities", "certificates"};
	json_t *list = json_array();

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (parts & (1U << i))
			json_array_append_new(list, json_string(names[i]));
	return list;
}

static int may_take(
    const struct principal *p, const json_t *user, unsigned int parts, struct ark_error *err)
{
	if (!accounts_may(p, json_text(user, "org")))
		return ark_fail(err, ARK_EREFUSED,
		    "accounts are changed by administrators and by the contact person of their own "
		    "organisation");
	if (p && (account_roles_bits(user) & ACCESS_ADMIN) && !(p->access.roles & ACCESS_ADMIN))
		return ark_fail(err, ARK_EREFUSED,
		    "an administrator's account is changed by administrators only");
	if (p && (parts & CREDENTIALS_SECOND_FACTOR) &&
	    strcmp(p->access.user, json_text(user, "id")) == 0)
		return ark_fail(err, ARK_EREFUSED,
		    "nobody removes the own second factor; renew it, or ask another");
	return ARK_OK;
}

int accounts_take_credentials(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, unsigned int parts, struct ark_error *err)
{
	json_t *record = NULL;
	uint32_t number;
	int rc = accounts_lock(a, err);

	if (rc)
		return rc;
	rc = account_record(a, "users", user, &record, &number, err);
	if (!rc)
		rc = may_take(p, record, parts, err);
	if (!rc)
		rc = log_link(a, actor, "credentials",
		    json_pack("{s:s,s:o}", "user", user, "removed", parts_json(parts)), err);
	if (!rc)
		rc = credentials_remove(archive_state(a), user, parts, err);
	accounts_unlock(a);
	json_decref(record);
	return rc;
}

/* ---- emergency access ---- */

static int emergency_new(
    const char *org, const char *user, const char *name, json_t **ret, struct ark_error *err)
{
	json_t *wish = json_pack(
	    "{s:s,s:s,s:s,s:[s]}", "id", user, "org", org, "name", name, "roles", "contact");
	int rc = wish ? account_check_user(wish, true, NULL, err)
		      : ark_fail(err, ARK_EINPUT, "the name is not UTF-8 text");

	if (!rc && json_object_set_new(wish, "state", json_string("active")))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an account");
	if (rc)
		json_decref(wish);
	else
		*ret = wish;
	return rc;
}

/* The account as it is to be: of that organisation, its contact person, active. */
static int emergency_fit(
    json_t *record, const char *org, bool add, bool *ret_cleared, struct ark_error *err)
{
	const char *id = json_text(record, "id"), *its = json_text(record, "org");
	enum account_state state = account_state(record);
	unsigned int roles = account_roles_bits(record);
	int rc;

	if (!its || strcmp(its, org) != 0)
		return ark_fail(err, ARK_ECONFLICT, "%s is not an account of %s", id, org);
	if (state == ACCOUNT_CLOSED)
		return ark_fail(err, ARK_ECONFLICT,
		    "the account %s is closed for good; open one with another id: --user ID --add "
		    "NAME",
		    id);
	if (!add && (state != ACCOUNT_ACTIVE || !(roles & ACCESS_CONTACT)))
		return ark_fail(err, ARK_ECONFLICT,
		    "%s is no active contact person of %s; --add NAME makes it one", id, org);
	*ret_cleared = state == ACCOUNT_SUSPENDED;
	if (state == ACCOUNT_ACTIVE && (roles & ACCESS_CONTACT))
		return ARK_OK;
	json_object_del(record, "stateReason");
	json_object_del(record, "warned");
	rc = json_object_set_new(record, "state", json_string("active"));
	rc |= json_object_set_new(record, "roles", account_roles_json(roles | ACCESS_CONTACT));
	return rc ? ark_fail(err, ARK_ENOMEM, "no memory for an account") : ARK_OK;
}

static int emergency_record(struct archive *a, const struct filing_actor *actor, const char *org,
    const char *user, const char *name, const char *reason, int64_t now_us, struct ark_error *err)
{
	json_t *record = NULL;
	uint32_t number = 0;
	bool cleared = false;
	char day[11];
	int rc = account_record(a, "users", user, &record, &number, err);

	clock_day(day, now_us);
	if (rc == ARK_ENOTFOUND && name)
		rc = emergency_new(org, user, name, &record, err);
	else if (rc == ARK_ENOTFOUND)
		ark_fail(err, rc, "there is no account %s; --add NAME opens it", user);
	if (!rc)
		rc = emergency_fit(record, org, name != NULL, &cleared, err);
	if (!rc && (json_object_set_new(record, "confirmed", json_string(day)) ||
		       json_object_set_new(record, "emergency",
			   json_pack("{s:s,s:s}", "day", day, "reason", reason))))
		rc = ark_fail(err, ARK_EINPUT, "the reason is not UTF-8 text");
	if (!rc && cleared) /* whatever it was suspended for, what was given out then stays dead */
		rc = credentials_remove(archive_state(a), user,
		    CREDENTIALS_LINKS | CREDENTIALS_SESSIONS | CREDENTIALS_TOKENS |
			CREDENTIALS_CERTIFICATES,
		    err);
	if (!rc)
		rc = records_file(a, "users", record, number, actor, reason, err);
	json_decref(record);
	return rc;
}

int accounts_emergency(struct archive *a, const struct filing_actor *actor, const char *org,
    const char *user, const char *name, const char *reason, int64_t now_us, unsigned int days,
    struct accounts_link *ret, struct ark_error *err)
{
	struct accounts_link link = {
	    .kind = LINK_EMERGENCY, .expires_us = now_us + (int64_t)days * DAY_US};
	json_t *said = json_string(reason);
	bool ok = account_reason_ok(said);
	char until[CLOCK_TEXT_SIZE];
	int rc;

	json_decref(said);
	if (!ok)
		return ark_fail(
		    err, ARK_EINPUT, "the reason must be a text of 1 to 500 characters");
	if (days < 1 || days > EMERGENCY_DAYS_MAX)
		return ark_fail(err, ARK_EINPUT, "days must be 1 to %d", EMERGENCY_DAYS_MAX);
	if (!registry_has(archive_registry(a), "orgs", org))
		return ark_fail(err, ARK_ENOTFOUND, "there is no organisation %s", org);
	rc = accounts_lock(a, err);
	if (rc)
		return rc;
	clock_format(until, link.expires_us);
	rc = emergency_record(a, actor, org, user, name, reason, now_us, err);
	if (!rc)
		rc = log_link(a, actor, "emergency-access",
		    json_pack("{s:s,s:s,s:s,s:s}", "user", user, "org", org, "reason", reason,
			"expires", until),
		    err);
	if (!rc)
		rc = make_link(a, user, &link, err);
	if (!rc)
		*ret = link;
	accounts_unlock(a);
	return rc;
}
