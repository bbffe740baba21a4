/* Opening an account: what is typed, a look at it, and the link for its owner. */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "api/pages/accounts.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { ID_MAX = 64, ID_PROPOSED_MAX = 56 /* leaves room for a number */ };

/* ---- a user id from a name ---- */

/* "Maija Ängeslevä" -> "maija-angesleva"; "" where nothing of it is left. */
static void id_from_name(const char *name, char out[ID_MAX + 1])
{
	char *ascii = g_str_to_ascii(name, "fi");
	size_t n = 0;

	for (const char *c = ascii; *c && n < ID_PROPOSED_MAX; c++) {
		if (g_ascii_isalnum(*c))
			out[n++] = g_ascii_tolower(*c);
		else if (n && out[n - 1] != '-' && *c != '\'' && *c != '?')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = '\0';
	g_free(ascii);
}

static bool free_id(struct exchange *x, const char *id)
{
	return strcmp(id, "system") != 0 && strcmp(id, "operator") != 0 &&
	       !registry_has(archive_registry(app_of(x)->archive), "users", id);
}

/* An id that nobody has or had; "": none comes to mind. */
static void propose_id(struct exchange *x, const char *name, char out[72])
{
	char base[ID_MAX + 1];

	id_from_name(name, base);
	snprintf(out, 72, "%s", base);
	for (unsigned int i = 2; base[0] && !free_id(x, out); i++) {
		if (i > 999) {
			out[0] = '\0';
			return;
		}
		snprintf(out, 72, "%s-%u", base, i);
	}
}

/* ---- the form ---- */

static struct account_fields fields_of(struct exchange *x, const char *org)
{
	json_t *record = registry_get(archive_registry(app_of(x)->archive), "orgs", org);
	const char *name = json_text(record, "kind");
	enum access_org_kind kind = ACCESS_ORG_PROVIDER;
	struct account_fields f = {.id = true, .standing = true};

	if (name && access_org_kind_parse(name, &kind))
		f.roles = accounts_roles(asker_of(x), kind);
	json_decref(record);
	return f;
}

static void begin_page(
    struct page *p, struct exchange *x, const char *org, enum say title, const struct faults *f)
{
	form_page(p, x, title, f);
	html_raw(&p->h, "<div class=\"narrow\">");
	form_summary(p, SAY_OPEN_FAILED, f);
	html_put(&p->h, "<h1>$</h1><p>", say(p, title));
	page_name(p, "orgs", org);
	html_raw(&p->h, "</p>");
}

static void begin_form(struct page *p, const char *org, const char *step)
{
	html_put(&p->h,
	    "<form class=\"stack\" method=\"post\" action=\"/$/open-account\" novalidate>"
	    "<input type=\"hidden\" name=\"org\" value=\"$\">"
	    "<input type=\"hidden\" name=\"step\" value=\"$\">",
	    i18n_code(p->language), org, step);
	page_form_field(p, "open-account");
}

static void show_form(
    struct exchange *x, const char *org, const struct account_typed *t, const struct faults *f)
{
	const struct account_fields fields = fields_of(x, org);
	struct page p;

	begin_page(&p, x, org, SAY_OPEN_ACCOUNT, f);
	begin_form(&p, org, "check");
	account_fields_write(&p, &fields, t, f);
	html_put(&p.h,
	    "<div><button>$</button></div></form><p class=\"back\"><a "
	    "href=\"/$/accounts?org=$\">$</a></p></div>",
	    say(&p, SAY_GO_ON), i18n_code(p.language), org, say(&p, SAY_LINK_TO_LIST));
	page_end(&p, f->n ? 422 : 200);
}

/* Where to go on after confirming who one is. */
static bool may_open(struct exchange *x, const char *use, const char *org)
{
	char next[100];

	snprintf(next, sizeof(next), "/open-account?org=%.64s", org);
	return account_may_change(x, use, next);
}

/* The organisation that is meant, own where none is; NULL: replied. */
static const char *org_meant(struct exchange *x, const char *given)
{
	const char *org = given ? given : caller_of(x)->who->access.org;

	return accounts_manager(x) && accounts_org_there(x, org) ? org : NULL;
}

void page_account_open(struct exchange *x)
{
	const char *org = org_meant(x, http_query(x, "org"));
	const struct account_typed none = {.roles = 0};
	const struct faults f = {0};

	if (org && may_open(x, NULL, org))
		show_form(x, org, &none, &f);
}

/* ---- the look before ---- */

static void hide(struct page *p, const struct account_typed *t)
{
	html_put(&p->h,
	    "<input type=\"hidden\" name=\"name\" value=\"$\"><input type=\"hidden\" "
	    "name=\"user\" value=\"$\"><input type=\"hidden\" name=\"email\" value=\"$\">",
	    t->name, t->id, t->email);
	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (t->roles & (1U << i))
			html_put(&p->h, "<input type=\"hidden\" name=\"role-$\" value=\"1\">",
			    access_role_name(i));
}

static void show_check(
    struct exchange *x, const char *org, const struct account_typed *t, bool proposed)
{
	struct page p;

	begin_page(&p, x, org, SAY_OPEN_CHECK, NULL);
	html_raw(&p.h, "<dl class=\"facts\">");
	account_fact(&p, SAY_NAME, t->name);
	account_fact_begin(&p, SAY_USER_ID);
	html_put(&p.h, "$", t->id);
	if (proposed)
		html_put(&p.h, " <span class=\"hint\">($)</span>", say(&p, SAY_ID_PROPOSED));
	account_fact_end(&p);
	account_fact(&p, SAY_ACCOUNT_EMAIL, t->email);
	account_fact_begin(&p, SAY_ACCOUNT_ROLES);
	html_raw(&p.h, "<ul class=\"plain\">");
	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (t->roles & (1U << i))
			html_put(&p.h, "<li><strong>$</strong>: $</li>",
			    say(&p, account_role_said(i)), say(&p, account_role_what(i)));
	html_raw(&p.h, "</ul>");
	account_fact_end(&p);
	html_raw(&p.h, "</dl><div class=\"act\">");
	begin_form(&p, org, "open");
	hide(&p, t);
	html_put(&p.h, "<div><button>$</button></div></form>", say(&p, SAY_OPEN_ACCOUNT));
	begin_form(&p, org, "change");
	hide(&p, t);
	html_put(&p.h, "<div><button class=\"quiet\">$</button></div></form></div></div>",
	    say(&p, SAY_OPEN_CHANGE));
	page_end(&p, 200);
}

/* ---- opening ---- */

static json_t *wish_of(const struct account_typed *t, const char *org)
{
	json_t *wish =
	    json_pack("{s:s,s:s,s:s,s:[]}", "id", t->id, "org", org, "name", t->name, "roles");

	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (t->roles & (1U << i))
			json_array_append_new(
			    json_object_get(wish, "roles"), json_string(access_role_name(i)));
	if (t->email[0])
		json_object_set_new(wish, "email", json_string(t->email));
	return wish;
}

/* The same form was sent twice: the account that the first one opened. */
static bool opened_already(struct exchange *x, const json_t *wish)
{
	static const char *const names[] = {"org", "name", "email", "roles"};
	json_t *user =
	    registry_get(archive_registry(app_of(x)->archive), "users", json_text(wish, "id"));
	bool same = user && account_state(user) == ACCOUNT_INVITED;

	for (size_t i = 0; same && i < sizeof(names) / sizeof(*names); i++) {
		const json_t *a = json_object_get(user, names[i]);
		const json_t *b = json_object_get(wish, names[i]);

		same = i == 3 ? account_roles_of(user) == account_roles_of(wish)
			      : (!a && !b) || (a && b && json_equal(a, b));
	}
	json_decref(user);
	return same;
}

static void go_to(struct exchange *x, const char *user, const char *done)
{
	char path[120];

	snprintf(path, sizeof(path), "/accounts/%.64s?done=%s", user, done);
	form_go(x, path);
}

static void opened(struct exchange *x, const json_t *user)
{
	const struct filing_actor actor = asker_actor(x);
	struct accounts_link link;
	struct ark_error err;

	if (accounts_invite(app_of(x)->archive, &actor, asker_of(x), json_text(user, "id"),
		clock_now_us(), &link, &err))
		go_to(x, json_text(user, "id"), "opened");
	else
		account_link_show(x, user, &link, true);
}

static void open_account(
    struct exchange *x, const char *org, const struct account_typed *t, struct faults *f)
{
	const struct filing_actor actor = asker_actor(x);
	struct account_fault fault = {0};
	json_t *wish = wish_of(t, org), *record = NULL;
	struct ark_error err;
	int rc = wish ? accounts_user_add(
			    app_of(x)->archive, &actor, asker_of(x), wish, &record, &fault, &err)
		      : ark_fail(&err, ARK_ENOMEM, "no memory for an account");

	if (!rc) {
		opened(x, record);
	} else if (rc == ARK_ECONFLICT && opened_already(x, wish)) {
		go_to(x, t->id, "opened");
	} else if (rc == ARK_ECONFLICT) {
		fault_add(f, "user", form_said(x, SAY_NEW_ID_TAKEN));
		show_form(x, org, t, f);
	} else if (rc == ARK_EINPUT) {
		account_fault_say(x, &fault, f);
		show_form(x, org, t, f);
	} else {
		accounts_failed(x, &fault, &err);
	}
	json_decref(record);
	json_decref(wish);
}

void page_account_open_post(struct exchange *x)
{
	const char *org = org_meant(x, http_form(x, "org")), *step = http_form(x, "step");
	struct account_fields fields;
	struct account_typed t;
	struct faults f = {0};
	bool proposed;

	if (!org || !may_open(x, "open-account", org))
		return;
	account_typed_read(x, &t);
	if (step && strcmp(step, "change") == 0) {
		show_form(x, org, &t, &f);
		return;
	}
	fields = fields_of(x, org);
	account_typed_check(x, &fields, &t, &f);
	proposed = !t.id[0];
	if (proposed && !f.n)
		propose_id(x, t.name, t.id);
	if (!f.n && !t.id[0])
		fault_add(&f, "user", form_said(x, SAY_NEW_ID_WRONG));
	if (!f.n && step && strcmp(step, "open") == 0) {
		open_account(x, org, &t, &f);
		return;
	}
	if (!f.n && !free_id(x, t.id))
		fault_add(&f, "user", form_said(x, SAY_NEW_ID_TAKEN));
	if (f.n)
		show_form(x, org, &t, &f);
	else
		show_check(x, org, &t, proposed);
}
