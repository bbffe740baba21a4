/* What is typed about an account: its fields, what is wrong in them, and what they wish. */
#include <stdio.h>
#include <string.h>

#include "api/pages/accounts.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static void role_field(unsigned int number, char out[40])
{
	snprintf(out, 40, "role-%s", access_role_name(number));
}

void account_typed_read(struct exchange *x, struct account_typed *ret)
{
	char field[40];

	*ret = (struct account_typed){.roles = 0};
	form_text(x, "name", ret->name, sizeof(ret->name));
	form_text(x, "user", ret->id, sizeof(ret->id));
	form_text(x, "email", ret->email, sizeof(ret->email));
	form_text(x, "from", ret->from, sizeof(ret->from));
	form_text(x, "to", ret->to, sizeof(ret->to));
	for (unsigned int i = 0; i < ACCESS_ROLES; i++) {
		role_field(i, field);
		if (http_form(x, field))
			ret->roles |= 1U << i;
	}
}

void account_typed_of(struct exchange *x, const json_t *user, struct account_typed *ret)
{
	const char *email = json_text(user, "email");
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	*ret = (struct account_typed){.roles = account_roles_of(user)};
	snprintf(ret->name, sizeof(ret->name), "%s", account_name(user, i18n_code(language)));
	snprintf(ret->email, sizeof(ret->email), "%s", email ? email : "");
	i18n_date(ret->from, json_text(user, "from"));
	i18n_date(ret->to, json_text(user, "to"));
}

/* ---- fields ---- */

static void write_role(struct page *p, unsigned int i, unsigned int chosen)
{
	const char *name = access_role_name(i);

	html_put(&p->h,
	    "<div class=\"choice\"><input type=\"checkbox\" id=\"role-$\" name=\"role-$\" "
	    "value=\"1\" aria-describedby=\"role-$-what\"",
	    name, name, name);
	if (chosen & (1U << i))
		html_raw(&p->h, " checked");
	html_put(&p->h,
	    "><div><label for=\"role-$\">$</label><p class=\"hint\" id=\"role-$-what\">$</p>"
	    "</div></div>",
	    name, say(p, account_role_said(i)), name, say(p, account_role_what(i)));
}

static void write_roles(
    struct page *p, unsigned int may, const struct account_typed *t, const struct faults *f)
{
	html_put(&p->h, "<fieldset class=\"roles\"><legend>$</legend>", say(p, SAY_ROLES_CHOOSE));
	for (unsigned int i = 0; f && i < f->n; i++)
		if (strncmp(f->list[i].field, "role-", 5) == 0)
			html_put(&p->h, "<p class=\"wrong\"><span class=\"hidden\">$: </span>$</p>",
			    say(p, SAY_ERROR), f->list[i].text);
	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (may & (1U << i))
			write_role(p, i, t->roles);
	html_raw(&p->h, "</fieldset>");
}

void account_fields_write(struct page *p, const struct account_fields *fields,
    const struct account_typed *t, const struct faults *f)
{
	const struct form_input inputs[] = {
	    {.name = "name",
		.label = SAY_NAME,
		.help = SAY_PERSON_NAME_HELP,
		.autocomplete = "off",
		.value = t->name,
		.maxlength = "200"},
	    {.name = "user",
		.label = SAY_USER_ID,
		.help = SAY_NEW_ID_HELP,
		.autocomplete = "off",
		.value = t->id,
		.maxlength = "64"},
	    {.name = "email",
		.label = SAY_ACCOUNT_EMAIL,
		.help = SAY_EMAIL_HELP,
		.autocomplete = "off",
		.value = t->email,
		.maxlength = "254"},
	    {.name = "from",
		.label = SAY_FIRST_DAY,
		.help = SAY_DAY_HELP,
		.autocomplete = "off",
		.value = t->from,
		.maxlength = "10"},
	    {.name = "to",
		.label = SAY_LAST_DAY,
		.help = SAY_DAY_HELP,
		.autocomplete = "off",
		.value = t->to,
		.maxlength = "10"},
	};

	form_input(p, &inputs[0], f);
	if (fields->id)
		form_input(p, &inputs[1], f);
	form_input(p, &inputs[2], f);
	if (fields->standing)
		write_roles(p, fields->roles, t, f);
	if (fields->days) {
		form_input(p, &inputs[3], f);
		form_input(p, &inputs[4], f);
	}
}

/* ---- what is wrong ---- */

/* Takes the value. */
static bool field_ok(const char *name, json_t *value)
{
	json_t *one = json_pack("{s:o}", name, value);
	struct account_fault fault;
	struct ark_error err;
	bool ok = one && !accounts_user_check(one, &fault, &err);

	json_decref(one);
	return ok;
}

static const char *first_role(unsigned int roles)
{
	static const char *const fields[ACCESS_ROLES] = {"role-inspector", "role-registrar",
	    "role-supervisor", "role-auditor", "role-placer", "role-contact", "role-admin",
	    "role-system"};

	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (roles & (1U << i))
			return fields[i];
	return "name";
}

/* The day that was typed; false: there is none such. */
static bool day_ok(const char *typed, char out[11])
{
	out[0] = '\0';
	return !*typed || i18n_date_read(typed, out);
}

static void check_days(struct exchange *x, const struct account_typed *t, struct faults *f)
{
	char from[11], to[11];
	bool first = day_ok(t->from, from), last = day_ok(t->to, to);

	if (!first)
		fault_add(f, "from", form_said(x, SAY_DAY_WRONG));
	if (!last)
		fault_add(f, "to", form_said(x, SAY_DAY_WRONG));
	if (first && last && from[0] && to[0] && strcmp(from, to) > 0)
		fault_add(f, "to", form_said(x, SAY_DAYS_WRONG));
}

void account_typed_check(struct exchange *x, const struct account_fields *fields,
    const struct account_typed *t, struct faults *f)
{
	if (!field_ok("name", json_string(t->name)))
		fault_add(f, "name", form_said(x, SAY_PERSON_NAME_WRONG));
	if (fields->id && t->id[0] && !id_valid(t->id))
		fault_add(f, "user", form_said(x, SAY_NEW_ID_WRONG));
	if (t->email[0] && !field_ok("email", json_string(t->email)))
		fault_add(f, "email", form_said(x, SAY_EMAIL_WRONG));
	if (fields->id && fields->standing && !t->roles)
		fault_add(f, first_role(fields->roles), form_said(x, SAY_ROLES_MISSING));
	if (fields->days)
		check_days(x, t, f);
}

json_t *account_day_json(const char *typed)
{
	char day[11];

	return *typed && i18n_date_read(typed, day) ? json_string(day) : json_null();
}

void account_fault_say(struct exchange *x, const struct account_fault *fault, struct faults *f)
{
	static const struct {
		const char *field, *input;
		enum say said;
	} known[] = {
	    {"name", "name", SAY_PERSON_NAME_WRONG},
	    {"id", "user", SAY_NEW_ID_WRONG},
	    {"email", "email", SAY_EMAIL_WRONG},
	    {"from", "from", SAY_DAY_WRONG},
	    {"to", "to", SAY_DAYS_WRONG},
	    {"reason", "reason", SAY_ACCOUNT_REASON_WRONG},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(fault->field, known[i].field) == 0) {
			fault_add(f, known[i].input, form_said(x, known[i].said));
			return;
		}
	}
	fault_add(f, "name", form_said(x, SAY_OPEN_FAILED));
}
