/* One account, for who manages it: what it is, what can be done with it, and its past. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/accounts.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

json_t *account_sought(struct exchange *x)
{
	json_t *user;

	if (!accounts_manager(x))
		return NULL;
	user = registry_get(archive_registry(app_of(x)->archive), "users", http_param(x, 0));
	if (user && asker_manages(x, json_text(user, "org")))
		return user;
	json_decref(user);
	http_reply_problem(x, 404, "not-found", NULL, NULL);
	return NULL;
}

struct account_may account_may(const struct exchange *x, const json_t *user)
{
	const struct principal *who = asker_of(x);
	struct account_may may = {.own = strcmp(who->access.user, json_text(user, "id")) == 0};

	may.admins = (account_roles_of(user) & ACCESS_ADMIN) && !accounts_may(who, NULL);
	may.change = !may.admins && account_state(user) != ACCOUNT_CLOSED;
	may.standing = may.change && !may.own;
	return may;
}

/* ---- facts ---- */

/* The day that the list says of it; "": none. */
static void confirm_by(const struct page *p, const json_t *user, char out[11])
{
	json_t *list = NULL;
	const json_t *one;
	char tag[33];
	size_t i;

	out[0] = '\0';
	if (accounts_list(app_of(p->x)->archive, json_text(user, "org"), &list, tag, NULL))
		return;
	json_array_foreach(list, i, one)
	{
		const char *by = json_text(one, "confirmBy");

		if (by && strcmp(json_text(one, "id"), json_text(user, "id")) == 0)
			snprintf(out, 11, "%s", by);
	}
	json_decref(list);
}

static void write_day(struct page *p, enum say label, const char *day)
{
	if (!day || !*day)
		return;
	account_fact_begin(p, label);
	page_date(p, day);
	account_fact_end(p);
}

static void write_facts(struct page *p, const json_t *user, const struct credentials_summary *s)
{
	struct buf roles = BUF_INIT;
	char seen[I18N_SIZE], by[11];

	account_roles_add(p, account_roles_of(user), &roles);
	confirm_by(p, user, by);
	i18n_time(seen, p->language, s->seen_us);
	html_raw(&p->h, "<dl class=\"facts\">");
	account_fact(p, SAY_USER_ID, json_text(user, "id"));
	account_fact_begin(p, SAY_ORGANISATION);
	page_name(p, "orgs", json_text(user, "org"));
	account_fact_end(p);
	account_fact(p, SAY_ACCOUNT_EMAIL, json_text(user, "email"));
	account_fact(p, SAY_ACCOUNT_ROLES, roles.data);
	account_fact_begin(p, SAY_ACCOUNT_STATE);
	account_state_write(p, user);
	account_fact_end(p);
	account_fact_begin(p, SAY_VALID);
	account_days_write(p, user);
	account_fact_end(p);
	write_day(p, SAY_CONFIRMED_ON, json_text(user, "confirmed"));
	write_day(p, SAY_CONFIRM_BY, by);
	account_fact(p, SAY_ACCOUNT_SEEN, s->seen_us ? seen : say(p, SAY_ACCOUNT_UNSEEN));
	account_fact(p, SAY_FACTOR, say(p, s->totp ? SAY_IN_USE : SAY_NOT_SET));
	html_raw(&p->h, "</dl>");
	buf_free(&roles);
}

/* ---- forms ---- */

static void begin_form(struct page *p, const json_t *user, const char *tail, bool stack)
{
	html_put(&p->h, "<form method=\"post\" action=\"/$/accounts/$$\" novalidate class=\"$\">",
	    i18n_code(p->language), json_text(user, "id"), tail, stack ? "stack" : "one");
	page_form_field(p, "account");
}

static void write_change(struct page *p, const json_t *user, const struct account_may *may,
    bool typed, const struct faults *f)
{
	struct account_fields fields = {.standing = may->standing, .days = may->standing};
	json_t *org =
	    registry_get(archive_registry(app_of(p->x)->archive), "orgs", json_text(user, "org"));
	const char *name = json_text(org, "kind");
	enum access_org_kind kind;
	struct account_typed t;
	uint32_t number = 0;
	char base[16];

	if (name && access_org_kind_parse(name, &kind))
		fields.roles = accounts_roles(asker_of(p->x), kind);
	fields.roles |= account_roles_of(user);
	if (typed)
		account_typed_read(p->x, &t);
	else
		account_typed_of(p->x, user, &t);
	if (accounts_number(app_of(p->x)->archive, "users", json_text(user, "id"), &number, NULL))
		p->h.out.failed = true;
	snprintf(base, sizeof(base), "%u", number);
	html_put(&p->h, "<h2>$</h2>", say(p, SAY_ACCOUNT_CHANGE));
	begin_form(p, user, "", true);
	html_put(&p->h, "<input type=\"hidden\" name=\"base\" value=\"$\">", base);
	account_fields_write(p, &fields, &t, f);
	html_put(&p->h, "<div><button>$</button></div></form>", say(p, SAY_ACCOUNT_SAVE));
	json_decref(org);
}

static void write_take(
    struct page *p, const json_t *user, const char *what, enum say label, unsigned int n)
{
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	begin_form(p, user, "/take", false);
	html_put(&p->h, "<input type=\"hidden\" name=\"what\" value=\"$\"><button class=\"quiet\">",
	    what);
	page_say(p, label, count);
	html_raw(&p->h, "</button></form>");
}

static void write_access(struct page *p, const json_t *user, const struct account_may *may,
    const struct credentials_summary *s)
{
	enum account_state state = account_state(user);
	bool link = state == ACCOUNT_INVITED || state == ACCOUNT_ACTIVE;

	if (may->own || (!link && !s->sessions && !s->tokens && !s->totp))
		return;
	html_put(&p->h, "<h2>$</h2><div class=\"act\">", say(p, SAY_ACCOUNT_ACCESS));
	if (link) {
		begin_form(p, user, "/link", false);
		html_put(&p->h, "<button class=\"quiet\">$</button></form>",
		    say(p, state == ACCOUNT_INVITED ? SAY_ACCOUNT_INVITE : SAY_ACCOUNT_RESET));
	}
	if (s->sessions)
		write_take(p, user, "sessions", i18n_plural(SAY_ACCOUNT_END_SESSIONS, s->sessions),
		    s->sessions);
	if (s->tokens)
		write_take(
		    p, user, "tokens", i18n_plural(SAY_ACCOUNT_END_TOKENS, s->tokens), s->tokens);
	html_raw(&p->h, "</div>");
	if (!s->totp)
		return;
	html_put(
	    &p->h, "<details><summary>$</summary><p dir=\"auto\">", say(p, SAY_ACCOUNT_END_FACTOR));
	page_say(p, SAY_ACCOUNT_END_FACTOR_WHAT, account_name(user, i18n_code(p->language)));
	html_raw(&p->h, "</p>");
	write_take(p, user, "second-factor", SAY_ACCOUNT_END_FACTOR, 0);
	html_raw(&p->h, "</details>");
}

static void write_standing(struct page *p, const json_t *user, const struct faults *f)
{
	const struct form_input reason = {.name = "reason",
	    .label = SAY_ACCOUNT_REASON,
	    .help = SAY_ACCOUNT_REASON_HELP,
	    .autocomplete = "off",
	    .value = http_form(p->x, "reason"),
	    .maxlength = "500"};
	enum account_state state = account_state(user);

	html_put(&p->h, "<h2>$</h2>", say(p, SAY_ACCOUNT_STOP));
	if (state == ACCOUNT_SUSPENDED) {
		begin_form(p, user, "/state", false);
		html_put(&p->h,
		    "<input type=\"hidden\" name=\"to\" value=\"active\"><p><button>$</button></p>"
		    "</form>",
		    say(p, SAY_ACCOUNT_RESUME));
	}
	begin_form(p, user, "/state", true);
	form_input(p, &reason, f);
	html_raw(&p->h, "<div class=\"act\">");
	if (state == ACCOUNT_ACTIVE)
		html_put(&p->h, "<button name=\"to\" value=\"suspended\">$</button>",
		    say(p, SAY_ACCOUNT_SUSPEND));
	html_put(&p->h,
	    "<button class=\"quiet\" name=\"to\" value=\"closed\">$</button></div></form>",
	    say(p, SAY_ACCOUNT_CLOSE));
}

/* ---- the page ---- */

struct shown { /* the visit's `more` */
	struct faults f;
	bool meanwhile, typed;
};

static void write_acts(
    struct page *p, const json_t *user, const struct shown *s, const struct credentials_summary *c)
{
	const struct account_may may = account_may(p->x, user);

	if (may.own)
		html_put(&p->h, "<p>$</p>", say(p, SAY_ACCOUNT_OWN));
	if (may.admins)
		html_put(&p->h, "<p>$</p>", say(p, SAY_ACCOUNT_ADMINS));
	if (account_state(user) == ACCOUNT_CLOSED)
		html_put(&p->h, "<p>$</p>", say(p, SAY_ACCOUNT_FINAL));
	if (!may.change)
		return;
	if (!account_fresh(p->x)) {
		html_put(&p->h,
		    "<p><a class=\"button\" href=\"/$/account/confirm?next=/accounts/$\">$</a></p>",
		    i18n_code(p->language), json_text(user, "id"), say(p, SAY_ACCOUNT_FRESH));
		return;
	}
	write_change(p, user, &may, s->typed, &s->f);
	write_access(p, user, &may, c);
	if (may.standing)
		write_standing(p, user, &s->f);
}

static void write_notes(struct page *p, const struct shown *s)
{
	const char *done = http_query(p->x, "done");

	if (done)
		html_put(&p->h, "<p class=\"note\" role=\"status\">$</p>",
		    say(p, strcmp(done, "opened") == 0 ? SAY_OPENED_ALREADY : SAY_ACCOUNT_CHANGED));
	if (s->meanwhile)
		html_put(&p->h, "<div class=\"errors\" role=\"alert\"><p>$</p></div>",
		    say(p, SAY_ACCOUNT_MEANWHILE));
}

static void show_one(struct exchange *x)
{
	const struct shown *s = visit_of(x)->more;
	json_t *user =
	    registry_get(archive_registry(app_of(x)->archive), "users", http_param(x, 0));
	struct credentials_summary c;
	struct ark_error err;
	struct page p;

	if (!user || credentials_summary(archive_state(app_of(x)->archive), http_param(x, 0),
			 clock_now_us(), &c, &err)) {
		http_reply_problem(x, user ? 503 : 404, "account", NULL, NULL);
		json_decref(user);
		return;
	}
	form_page(&p, x, SAY_ACCOUNTS, &s->f);
	html_raw(&p.h, "<div class=\"narrow\">");
	write_notes(&p, s);
	form_summary(&p, SAY_ACCOUNT_NOT_CHANGED, &s->f);
	html_put(&p.h, "<p><a href=\"/$/accounts?org=$\">$</a></p><h1 dir=\"auto\">$</h1>",
	    i18n_code(p.language), json_text(user, "org"), say(&p, SAY_LINK_TO_LIST),
	    account_name(user, i18n_code(p.language)));
	write_facts(&p, user, &c);
	write_acts(&p, user, s, &c);
	account_past_write(&p, http_param(x, 0));
	html_raw(&p.h, "</div>");
	page_end(&p, s->f.n || s->meanwhile ? 422 : 200);
	json_decref(user);
}

void account_show_again(struct exchange *x, const struct faults *f, bool meanwhile, bool typed)
{
	struct visit *v = visit_of(x);
	struct shown *s = v ? calloc(1, sizeof(*s)) : NULL;

	if (!s) {
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	if (v->more_free)
		v->more_free(v->more);
	v->more = s;
	v->more_free = free;
	s->f = *f;
	s->meanwhile = meanwhile;
	s->typed = typed;
	accounts_look(x, NULL, http_param(x, 0), show_one);
}

void page_account_one(struct exchange *x)
{
	const struct faults none = {0};
	json_t *user = account_sought(x);

	if (user)
		account_show_again(x, &none, false, false);
	json_decref(user);
}
