/* Organisations and accounts: who may change what, and the change as one record.
 *
 * Each change is decided and filed under the accounts' lock, on the number of the record that it was decided of.
 */
#include "arkki/archive/accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/accounts_private.h"
#include "archive/archive_private.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { LOCK_WAIT_S = 10 };

int accounts_lock(struct archive *a, struct ark_error *err)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOCK_WAIT_S;
	if (pthread_mutex_clocklock(&a->accounts_lock, CLOCK_MONOTONIC, &until) != 0)
		return ark_fail(
		    err, ARK_EIO, "other changes of accounts are under way; try again in a moment");
	return ARK_OK;
}

void accounts_unlock(struct archive *a)
{
	pthread_mutex_unlock(&a->accounts_lock);
}

/* ---- states and names ---- */

static const char *const state_names[] = {"invited", "active", "suspended", "closed"};

const char *account_state_name(enum account_state state)
{
	return state_names[state];
}

bool account_state_parse(const char *name, enum account_state *ret)
{
	for (unsigned int i = 0; i < 4; i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*ret = (enum account_state)i;
			return true;
		}
	}
	return false;
}

enum account_state account_state(const json_t *user)
{
	const json_t *state = json_object_get(user, "state");
	enum account_state parsed;

	if (!state || json_is_null(state))
		return ACCOUNT_ACTIVE;
	/* of a later arkki, or damaged: it signs nobody in */
	return json_is_string(state) && account_state_parse(json_string_value(state), &parsed)
		   ? parsed
		   : ACCOUNT_SUSPENDED;
}

const char *account_name(const json_t *user, const char *language)
{
	static const char *const languages[] = {"fi", "sv", "en"};
	const json_t *name = json_object_get(user, "name");
	const char *text = json_string_value(name);

	if (!text && language)
		text = json_text(name, language);
	for (size_t i = 0; !text && i < 3; i++)
		text = json_text(name, languages[i]);
	if (!text)
		text = json_text(user, "id");
	return text ? text : "";
}

unsigned int account_roles_bits(const json_t *user)
{
	unsigned int bits = 0, bit;
	const json_t *role;
	size_t i;

	json_array_foreach(json_object_get(user, "roles"), i, role)
	{
		if (json_is_string(role) && access_role_parse(json_string_value(role), &bit))
			bits |= bit;
	}
	return bits;
}

json_t *account_roles_json(unsigned int bits)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (bits & (1U << i))
			json_array_append_new(list, json_string(access_role_name(i)));
	return list;
}

/* ---- who may ---- */

static bool in_force(const struct principal *p)
{
	const char *from = p->access.valid_from, *until = p->access.valid_until;

	return (!from || strcmp(from, p->day) <= 0) && (!until || strcmp(p->day, until) <= 0);
}

bool account_administers(const struct principal *p)
{
	return !p || ((p->access.roles & ACCESS_ADMIN) && in_force(p));
}

bool accounts_may(const struct principal *p, const char *org)
{
	if (account_administers(p))
		return true;
	return (p->access.roles & ACCESS_CONTACT) && in_force(p) && org &&
	       strcmp(p->access.org, org) == 0;
}

unsigned int accounts_roles(const struct principal *p, enum access_org_kind kind)
{
	unsigned int roles = ACCESS_CONTACT | ACCESS_SYSTEM;

	if (kind == ACCESS_ORG_PROVIDER)
		return roles;
	roles |= ACCESS_AUDITOR | ACCESS_REGISTRAR;
	if (kind != ACCESS_ORG_MUNICIPALITY)
		roles |= ACCESS_INSPECTOR;
	if (kind != ACCESS_ORG_OMBUDSMAN)
		roles |= ACCESS_SUPERVISOR;
	if (kind == ACCESS_ORG_COUNTY || kind == ACCESS_ORG_MUNICIPALITY)
		roles |= ACCESS_PLACER;
	if (account_administers(p))
		roles |= ACCESS_ADMIN;
	return roles;
}

static int not_a_manager(struct ark_error *err)
{
	return ark_fail(err, ARK_EREFUSED,
	    "accounts are changed by administrators and by the contact person of their own "
	    "organisation");
}

static bool is_own(const struct principal *p, const char *user)
{
	return p && strcmp(p->access.user, user) == 0;
}

/* ---- records ---- */

int accounts_number(
    struct archive *a, const char *kind, const char *id, uint32_t *ret, struct ark_error *err)
{
	uint32_t number = 0;
	int rc = records_number(a, kind, id, &number, err);

	if (!rc && !number)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no %s %s",
		    strcmp(kind, "orgs") == 0 ? "organisation" : "account", id);
	if (!rc)
		*ret = number;
	return rc;
}

int account_record(struct archive *a, const char *kind, const char *id, json_t **ret,
    uint32_t *ret_number, struct ark_error *err)
{
	json_t *record, *copy;
	int rc = accounts_number(a, kind, id, ret_number, err);

	if (rc)
		return rc;
	record = registry_get(archive_registry(a), kind, id);
	copy = json_deep_copy(record);
	json_decref(record);
	if (!copy)
		return ark_fail(err, ARK_ENOMEM, "no memory for an account");
	*ret = copy;
	return ARK_OK;
}

int account_take_fields(json_t *record, const json_t *wish, struct ark_error *err)
{
	const char *name;
	json_t *value;
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)wish, name, value)
	{
		if (strcmp(name, "reason") == 0 || strcmp(name, "state") == 0)
			continue;
		if (json_is_null(value))
			json_object_del(record, name);
		else if (strcmp(name, "roles") == 0)
			rc |= json_object_set_new(
			    record, name, account_roles_json(account_roles_bits(wish)));
		else
			rc |= json_object_set(record, name, value);
	}
	return rc ? ark_fail(err, ARK_ENOMEM, "no memory for an account") : ARK_OK;
}

static int set_today(json_t *record, const char *field)
{
	char day[11];

	clock_day(day, clock_now_us());
	return json_object_set_new(record, field, json_string(day));
}

int account_settle(struct archive *a, const char *kind, json_t *before, json_t *record,
    uint32_t number, const struct filing_actor *actor, const char *reason, json_t **ret,
    struct ark_error *err)
{
	int rc = ARK_OK;

	if (!before || !json_equal(before, record))
		rc = records_file(a, kind, record, number, actor, reason, err);
	if (!rc && ret)
		*ret = json_incref(record);
	return rc;
}

int account_expect_base(uint32_t base, uint32_t number, struct ark_error *err)
{
	if (base && base != number)
		return ark_fail(err, ARK_ECONFLICT, "it has changed since it was read");
	return ARK_OK;
}

/* ---- accounts: roles and states ---- */

static int org_kind(struct archive *a, const char *org, enum access_org_kind *ret,
    struct account_fault *fault, struct ark_error *err)
{
	json_t *record = registry_get(archive_registry(a), "orgs", org);
	const char *kind = json_text(record, "kind");
	bool known = kind && access_org_kind_parse(kind, ret);

	json_decref(record);
	return known ? ARK_OK
		     : account_fault_set(
			   fault, err, "org", "unknown", "there is no organisation %s", org);
}

/* `had` may stay. */
static int may_give(struct archive *a, const struct principal *p, const char *org,
    unsigned int wanted, unsigned int had, struct account_fault *fault, struct ark_error *err)
{
	enum access_org_kind kind;
	unsigned int over;
	int rc = org_kind(a, org, &kind, fault, err);

	if (rc)
		return rc;
	over = wanted & ~(accounts_roles(p, kind) | had);
	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (over & (1U << i))
			return ark_fail(err, ARK_EREFUSED,
			    "the role %s %s in an organisation of kind %s", access_role_name(i),
			    over & ACCESS_ADMIN ? "is given by administrators only"
						: "is not given",
			    access_org_kind_name(kind));
	return ARK_OK;
}

struct counting {
	const char *org, *but;
	unsigned int contacts;
};

static void count_contact(void *arg, const json_t *user)
{
	struct counting *c = arg;
	const char *org = json_text(user, "org"), *id = json_text(user, "id");

	if (org && id && strcmp(org, c->org) == 0 && strcmp(id, c->but) != 0 &&
	    account_state(user) == ACCOUNT_ACTIVE && (account_roles_bits(user) & ACCESS_CONTACT))
		c->contacts++;
}

static bool is_contact(const json_t *user)
{
	return account_state(user) == ACCOUNT_ACTIVE && (account_roles_bits(user) & ACCESS_CONTACT);
}

static int keep_a_contact(struct archive *a, const struct principal *p, const json_t *before,
    const json_t *record, struct ark_error *err)
{
	struct counting c = {json_text(before, "org"), json_text(before, "id"), 0};

	if (account_administers(p) || !is_contact(before) || is_contact(record))
		return ARK_OK;
	registry_each(archive_registry(a), "users", count_contact, &c);
	return c.contacts ? ARK_OK
			  : ark_fail(err, ARK_ECONFLICT,
				"%s is the organisation's last contact person; make another one "
				"first, or ask an administrator",
				c.but);
}

static int no_such_step(enum account_state from, enum account_state to, struct ark_error *err)
{
	return ark_fail(err, ARK_ECONFLICT, "an account that is %s cannot become %s",
	    account_state_name(from), account_state_name(to));
}

/* The step of its life that is wished, if any. */
static int take_state(
    json_t *record, const json_t *wish, struct account_fault *fault, struct ark_error *err)
{
	const char *name = json_text(wish, "state"), *reason = json_text(wish, "reason");
	enum account_state from = account_state(record), to = from;
	int rc = 0;

	if (!name || !account_state_parse(name, &to) || to == from)
		return ARK_OK;
	if (to == ACCOUNT_INVITED || (from == ACCOUNT_INVITED && to == ACCOUNT_SUSPENDED))
		return no_such_step(from, to, err);
	if (to != ACCOUNT_ACTIVE && !reason)
		return account_fault_set(fault, err, "reason", "required",
		    "a reason is required to make an account %s", account_state_name(to));
	if (to == ACCOUNT_ACTIVE) {
		json_object_del(record, "stateReason");
		json_object_del(record, "warned");
		rc = set_today(record, "confirmed");
	} else {
		rc = json_object_set_new(record, "stateReason", json_string(reason));
	}
	rc |= json_object_set_new(record, "state", json_string(name));
	return rc ? ark_fail(err, ARK_ENOMEM, "no memory for an account") : ARK_OK;
}

/* Before the account becomes an administrator's: a link is for the account as it was, and who was given one for a small account must
 * not come in as more. */
static int take_links_of_rising(struct archive *a, const char *user, const json_t *before,
    const json_t *record, struct ark_error *err)
{
	unsigned int more = account_roles_bits(record) & ~account_roles_bits(before);

	return more & ACCESS_ADMIN
		   ? credentials_remove(archive_state(a), user, CREDENTIALS_LINKS, err)
		   : ARK_OK;
}

/* What the account had of ways in, after its state has changed. */
static int take_credentials(struct archive *a, const char *user, const json_t *before,
    const json_t *record, struct ark_error *err)
{
	enum account_state from = account_state(before), to = account_state(record);
	int rc = ARK_OK;

	if (from == to)
		return ARK_OK;
	if (to == ACCOUNT_CLOSED)
		rc = credentials_remove(archive_state(a), user, CREDENTIALS_ALL, err);
	else if (to == ACCOUNT_SUSPENDED)
		rc = credentials_remove(
		    archive_state(a), user, CREDENTIALS_SESSIONS | CREDENTIALS_LINKS, err);
	return rc ? ark_fail_within(err, rc,
			"the account %s is %s now, but what signed it in is still stored; it "
			"opens nothing, and is removed within the hour",
			user, account_state_name(to))
		  : ARK_OK;
}

/* ---- accounts: adding and changing ---- */

static int new_user(struct archive *a, const struct principal *p, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err)
{
	json_t *record = json_object();
	int rc = record ? account_take_fields(record, wish, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for an account");

	if (!rc &&
	    json_object_set_new(record, "state", json_string(account_state_name(ACCOUNT_INVITED))))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an account");
	if (!rc)
		rc = account_check_days(record, fault, err);
	if (!rc)
		rc = may_give(
		    a, p, json_text(record, "org"), account_roles_bits(record), 0, fault, err);
	if (rc)
		json_decref(record);
	else
		*ret = record;
	return rc;
}

int accounts_user_add(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const json_t *wish, json_t **ret, struct account_fault *fault,
    struct ark_error *err)
{
	json_t *record = NULL;
	int rc = account_check_user(wish, true, fault, err);

	if (!rc && !accounts_may(p, json_text(wish, "org")))
		rc = not_a_manager(err);
	if (!rc)
		rc = new_user(a, p, wish, &record, fault, err);
	if (!rc)
		rc = accounts_lock(a, err);
	if (rc)
		goto out;
	rc =
	    account_settle(a, "users", NULL, record, 0, actor, json_text(wish, "reason"), ret, err);
	accounts_unlock(a);
	if (rc == ARK_ECONFLICT)
		ark_fail(err, rc,
		    "the id %s is or was another account's; ids are not given again: choose "
		    "another",
		    json_text(wish, "id"));
out:
	json_decref(record);
	return rc;
}

/* Nobody rises, falls or stays longer by the own hand. */
static bool touches_standing(const json_t *record, const json_t *wish)
{
	static const char *const names[] = {"state", "from", "to"};
	const json_t *roles = json_object_get(wish, "roles");

	if (roles && account_roles_bits(wish) != account_roles_bits(record))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const json_t *value = json_object_get(wish, names[i]);
		const json_t *stands = json_object_get(record, names[i]);

		if (!value || (json_is_null(value) && !stands))
			continue;
		if (i == 0 && !stands && strcmp(json_string_value(value), "active") == 0)
			continue;
		if (!json_equal(value, stands))
			return true;
	}
	return false;
}

bool accounts_may_change(const struct principal *p, const json_t *user)
{
	return accounts_may(p, json_text(user, "org")) &&
	       (account_administers(p) || !(account_roles_bits(user) & ACCESS_ADMIN));
}

/* May this one change that account, whatever is wished? */
static int may_change(const struct principal *p, const json_t *record, struct ark_error *err)
{
	if (!accounts_may(p, json_text(record, "org")))
		return not_a_manager(err);
	if (!accounts_may_change(p, record))
		return ark_fail(err, ARK_EREFUSED,
		    "an administrator's account is changed by administrators only");
	return ARK_OK;
}

static int decide(struct archive *a, const struct principal *p, json_t *record, const json_t *wish,
    struct account_fault *fault, struct ark_error *err)
{
	const char *user = json_text(record, "id");
	unsigned int had = account_roles_bits(record);
	json_t *before = json_deep_copy(record);
	int rc = before ? account_check_user(wish, false, fault, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for an account");

	if (!rc && account_state(record) == ACCOUNT_CLOSED)
		rc = ark_fail(err, ARK_ECONFLICT,
		    "the account %s is closed for good; open one with another id", user);
	if (!rc && is_own(p, user) && touches_standing(record, wish))
		rc = ark_fail(
		    err, ARK_EREFUSED, "nobody changes the own roles, state or days; ask another");
	if (!rc)
		rc = account_take_fields(record, wish, err);
	if (!rc)
		rc = account_check_days(record, fault, err);
	if (!rc && json_object_get(wish, "roles"))
		rc = may_give(
		    a, p, json_text(record, "org"), account_roles_bits(record), had, fault, err);
	if (!rc)
		rc = take_state(record, wish, fault, err);
	if (!rc)
		rc = keep_a_contact(a, p, before, record, err);
	json_decref(before);
	return rc;
}

int accounts_user_change_on(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, uint32_t base, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err)
{
	json_t *record = NULL, *before = NULL;
	uint32_t number = 0;
	int rc = accounts_lock(a, err);

	if (rc)
		return rc;
	rc = account_record(a, "users", user, &record, &number, err);
	if (!rc)
		rc = may_change(p, record, err);
	if (!rc)
		rc = account_expect_base(base, number, err);
	if (!rc && !(before = json_deep_copy(record)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an account");
	if (!rc)
		rc = decide(a, p, record, wish, fault, err);
	if (!rc)
		rc = take_links_of_rising(a, user, before, record, err);
	if (!rc)
		rc = account_settle(
		    a, "users", before, record, number, actor, json_text(wish, "reason"), ret, err);
	if (!rc) {
		rc = take_credentials(a, user, before, record, err);
		if (rc && ret) {
			json_decref(*ret);
			*ret = NULL;
		}
	}
	accounts_unlock(a);
	json_decref(before);
	json_decref(record);
	return rc;
}

int accounts_user_change(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err)
{
	return accounts_user_change_on(a, actor, p, user, 0, wish, ret, fault, err);
}

int accounts_user_activate(
    struct archive *a, const struct filing_actor *actor, const char *user, struct ark_error *err)
{
	json_t *record = NULL;
	uint32_t number = 0;
	int rc = accounts_lock(a, err);

	if (rc)
		return rc;
	rc = account_record(a, "users", user, &record, &number, err);
	if (rc || account_state(record) == ACCOUNT_ACTIVE)
		goto out;
	if (account_state(record) != ACCOUNT_INVITED) {
		rc = no_such_step(account_state(record), ACCOUNT_ACTIVE, err);
		goto out;
	}
	if (set_today(record, "confirmed") ||
	    json_object_set_new(record, "state", json_string(account_state_name(ACCOUNT_ACTIVE))))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an account");
	if (!rc)
		rc = records_file(a, "users", record, number, actor, "invitation accepted", err);
	if (!rc) /* another way in than the link may have been taken */
		rc = credentials_remove(archive_state(a), user, CREDENTIALS_LINKS, err);
out:
	accounts_unlock(a);
	json_decref(record);
	return rc;
}
