/* Accounts in words: roles, states, days, and what was changed. */
#include <string.h>

#include "api/pages/accounts.h"
#include "arkki/base/json.h"

/* in order of enum access_role */
static const struct {
	enum say name, what;
} roles[ACCESS_ROLES] = {
    {SAY_ROLE_INSPECTOR, SAY_ROLE_INSPECTOR_WHAT},
    {SAY_ROLE_REGISTRAR, SAY_ROLE_REGISTRAR_WHAT},
    {SAY_ROLE_SUPERVISOR, SAY_ROLE_SUPERVISOR_WHAT},
    {SAY_ROLE_AUDITOR, SAY_ROLE_AUDITOR_WHAT},
    {SAY_ROLE_PLACER, SAY_ROLE_PLACER_WHAT},
    {SAY_ROLE_CONTACT, SAY_ROLE_CONTACT_WHAT},
    {SAY_ROLE_ADMIN, SAY_ROLE_ADMIN_WHAT},
    {SAY_ROLE_SYSTEM, SAY_ROLE_SYSTEM_WHAT},
};

enum say account_role_said(unsigned int number)
{
	return roles[number].name;
}

enum say account_role_what(unsigned int number)
{
	return roles[number].what;
}

enum say account_state_said(enum account_state state)
{
	static const enum say said[] = {
	    SAY_STATE_INVITED, SAY_STATE_ACTIVE, SAY_STATE_SUSPENDED, SAY_STATE_CLOSED};

	return said[state];
}

unsigned int account_roles_of(const json_t *user)
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

void account_roles_add(const struct page *p, unsigned int bits, struct buf *out)
{
	bool any = false;

	for (unsigned int i = 0; i < ACCESS_ROLES; i++) {
		if (!(bits & (1U << i)))
			continue;
		buf_addf(out, "%s%s", any ? ", " : "", say(p, roles[i].name));
		any = true;
	}
	if (!any)
		buf_adds(out, say(p, SAY_ROLES_NONE));
}

void account_state_write(struct page *p, const json_t *user)
{
	enum account_state state = account_state(user);
	const char *reason = json_text(user, "stateReason");

	html_put(&p->h, "<span class=\"tag$\">$</span>",
	    state == ACCOUNT_SUSPENDED ? " tag-secret"
	    : state == ACCOUNT_INVITED ? " tag-new"
				       : "",
	    say(p, account_state_said(state)));
	if (account_lapsed(user))
		html_put(&p->h, " <span>$</span>", say(p, SAY_LAPSED));
	else if (reason)
		html_put(&p->h, " <span dir=\"auto\">$</span>", reason);
}

void account_days_write(struct page *p, const json_t *record)
{
	const char *from = json_text(record, "from"), *to = json_text(record, "to");
	char first[I18N_SIZE], last[I18N_SIZE];

	i18n_date(first, from);
	i18n_date(last, to);
	if (from && to)
		page_say(p, SAY_VALID_BETWEEN, first, last);
	else if (from)
		page_say(p, SAY_VALID_FROM, first);
	else if (to)
		page_say(p, SAY_VALID_TO, last);
	else
		html_text(&p->h, say(p, SAY_VALID_OPEN));
}

void account_fact_begin(struct page *p, enum say label)
{
	html_put(&p->h, "<div><dt>$</dt><dd dir=\"auto\">", say(p, label));
}

void account_fact_end(struct page *p)
{
	html_raw(&p->h, "</dd></div>");
}

void account_fact(struct page *p, enum say label, const char *value)
{
	if (!value || !*value)
		return;
	account_fact_begin(p, label);
	html_text(&p->h, value);
	account_fact_end(p);
}

/* ---- what was changed ---- */

static bool differs(const json_t *before, const json_t *now, const char *field)
{
	const json_t *a = json_object_get(before, field), *b = json_object_get(now, field);

	return a != b && (!a || !b || !json_equal(a, b));
}

static void begin(struct page *p, bool *any)
{
	if (*any)
		html_raw(&p->h, "; ");
	*any = true;
}

static void write_roles(struct page *p, enum say what, const json_t *now)
{
	struct buf text = BUF_INIT;

	account_roles_add(p, account_roles_of(now), &text);
	page_say(p, what, text.data);
	buf_free(&text);
}

static void write_state(struct page *p, const json_t *now, bool *any)
{
	const char *reason = json_text(now, "stateReason");

	begin(p, any);
	page_say(p, SAY_PAST_STATE, say(p, account_state_said(account_state(now))));
	if (account_lapsed(now))
		html_put(&p->h, " ($)", say(p, SAY_LAPSED));
	else if (reason)
		html_put(&p->h, " (<span dir=\"auto\">$</span>)", reason);
}

/* What the archive notes of an account by itself. */
static void write_notes(struct page *p, const json_t *before, const json_t *now, bool *any)
{
	static const struct {
		const char *field;
		enum say said;
	} notes[] = {{"confirmed", SAY_PAST_CONFIRMED}, {"warned", SAY_PAST_WARNED},
	    {"emergency", SAY_PAST_EMERGENCY}};

	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
		if (!json_object_get(now, notes[i].field) || !differs(before, now, notes[i].field))
			continue;
		begin(p, any);
		html_text(&p->h, say(p, notes[i].said));
	}
}

void account_changes_write(struct page *p, const json_t *before, const json_t *now)
{
	bool any = false;

	if (!before) {
		begin(p, &any);
		write_roles(p, SAY_PAST_OPENED, now);
		write_notes(p, before, now, &any);
		return;
	}
	if (account_state(before) != account_state(now))
		write_state(p, now, &any);
	if (differs(before, now, "name")) {
		begin(p, &any);
		page_say(p, SAY_PAST_NAME, account_name(now, i18n_code(p->language)));
	}
	if (differs(before, now, "email")) {
		begin(p, &any);
		html_text(&p->h, say(p, SAY_PAST_EMAIL));
	}
	if (account_roles_of(before) != account_roles_of(now)) {
		begin(p, &any);
		write_roles(p, SAY_PAST_ROLES, now);
	}
	if (differs(before, now, "from") || differs(before, now, "to")) {
		begin(p, &any);
		html_text(&p->h, say(p, SAY_PAST_DAYS));
	}
	write_notes(p, before, now, &any);
	if (!any)
		html_text(&p->h, say(p, SAY_PAST_OTHER));
}

void account_actor_add(const struct page *p, const char *user, struct buf *out)
{
	json_t *record;

	if (!user || strcmp(user, "system") == 0) {
		buf_adds(out, say(p, SAY_PAST_SYSTEM));
	} else if (strcmp(user, "operator") == 0) {
		buf_adds(out, say(p, SAY_PAST_OPERATOR));
	} else {
		record = registry_get(archive_registry(app_of(p->x)->archive), "users", user);
		buf_adds(out, record ? account_name(record, i18n_code(p->language)) : user);
		json_decref(record);
	}
}
