/* The accounts of an organisation: the list, its confirmation, and what is due of it. */
#include "api/pages/accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* ---- who ---- */

static void show_weak(struct exchange *x)
{
	struct page p;

	form_page(&p, x, SAY_ACCOUNTS, NULL);
	html_put(&p.h,
	    "<div class=\"narrow\"><h1>$</h1><p>$</p><p><a href=\"/$/account\">$</a></p></div>",
	    say(&p, SAY_ACCOUNTS), say(&p, SAY_ACCOUNTS_WEAK), i18n_code(p.language),
	    say(&p, SAY_TO_ACCOUNT));
	page_end(&p, 403);
}

bool accounts_manager(struct exchange *x)
{
	const struct caller *c = caller_of(x);

	if (!accounts_may(c->who, c->who->access.org)) {
		accounts_deny(x,
		    "Accounts are managed by administrators and by the contact person of "
		    "their own organisation.");
		return false;
	}
	if (!asker_manages(x, c->who->access.org)) {
		show_weak(x);
		return false;
	}
	return visit_of(x) != NULL;
}

bool accounts_org_there(struct exchange *x, const char *org)
{
	if (id_valid(org) && asker_manages(x, org) &&
	    registry_has(archive_registry(app_of(x)->archive), "orgs", org))
		return true;
	http_reply_problem(x, 404, "not-found", NULL, NULL);
	return false;
}

void accounts_look(
    struct exchange *x, const char *org, const char *user, void (*then)(struct exchange *x))
{
	struct ledger_record r = visit_record(visit_of(x), "accounts");
	char detail[100];

	/* ids have no characters that JSON escapes */
	snprintf(
	    detail, sizeof(detail), "{\"%s\":\"%.64s\"}", org ? "org" : "user", org ? org : user);
	r.detail = detail;
	visit_log(x, &r, 1, then);
}

void accounts_go_list(struct exchange *x, const char *org, const char *done)
{
	char path[120];

	snprintf(path, sizeof(path), "/accounts?org=%.64s&%s=1", org, done);
	form_go(x, path);
}

/* ---- the table ---- */

static void write_seen(struct page *p, const struct credentials_summary *s)
{
	char seen[I18N_SIZE];

	i18n_time(seen, p->language, s->seen_us);
	html_text(&p->h, s->seen_us ? seen : say(p, SAY_ACCOUNT_UNSEEN));
}

static void write_row(struct page *p, const json_t *user)
{
	const char *id = json_text(user, "id"), *by = json_text(user, "confirmBy");
	struct credentials_summary s = {0};
	struct buf roles = BUF_INIT;

	if (credentials_summary(archive_state(app_of(p->x)->archive), id, clock_now_us(), &s, NULL))
		p->h.out.failed = true;
	account_roles_add(p, account_roles_of(user), &roles);
	html_put(&p->h,
	    "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\" data-label=\"$\"><a "
	    "href=\"/$/accounts/$\" dir=\"auto\">$</a> <span class=\"hint\">$</span></th>"
	    "<td role=\"cell\" data-label=\"$\">$</td><td role=\"cell\" data-label=\"$\">",
	    say(p, SAY_NAME), i18n_code(p->language), id,
	    account_name(user, i18n_code(p->language)), id, say(p, SAY_ACCOUNT_ROLES), roles.data,
	    say(p, SAY_ACCOUNT_STATE));
	account_state_write(p, user);
	html_put(&p->h, "</td><td role=\"cell\" data-label=\"$\">", say(p, SAY_ACCOUNT_SEEN));
	write_seen(p, &s);
	html_put(&p->h,
	    "</td><td role=\"cell\" data-label=\"$\">$</td><td role=\"cell\" data-label=\"$\">",
	    say(p, SAY_FACTOR), say(p, s.totp ? SAY_YES : SAY_NO), say(p, SAY_CONFIRM_BY));
	if (by)
		page_date(p, by);
	else
		html_raw(&p->h, "–");
	html_raw(&p->h, "</td></tr>");
	buf_free(&roles);
}

/* Those in one state, or all but the closed. */
static size_t write_table(struct page *p, const json_t *list, int state)
{
	static const enum say heads[] = {SAY_NAME, SAY_ACCOUNT_ROLES, SAY_ACCOUNT_STATE,
	    SAY_ACCOUNT_SEEN, SAY_FACTOR, SAY_CONFIRM_BY};
	const json_t *user;
	size_t i, n = 0;

	json_array_foreach(list, i, user)
	{
		int its = (int)account_state(user);

		if (state < 0 ? its == ACCOUNT_CLOSED : its != state)
			continue;
		if (!n++) {
			html_raw(&p->h, "<table class=\"cards\" role=\"table\"><thead "
					"role=\"rowgroup\"><tr role=\"row\">");
			for (size_t h = 0; h < sizeof(heads) / sizeof(*heads); h++)
				html_put(&p->h, "<th role=\"columnheader\" scope=\"col\">$</th>",
				    say(p, heads[h]));
			html_raw(&p->h, "</tr></thead><tbody role=\"rowgroup\">");
		}
		write_row(p, user);
	}
	if (n)
		html_raw(&p->h, "</tbody></table>");
	return n;
}

static size_t count_state(const json_t *list, enum account_state state)
{
	const json_t *user;
	size_t i, n = 0;

	json_array_foreach(list, i, user)
	{
		n += account_state(user) == state;
	}
	return n;
}

static void write_filter(struct page *p, const char *org, const json_t *list, int chosen)
{
	char count[I18N_SIZE];

	html_put(&p->h,
	    "<nav class=\"sort\" aria-label=\"$\"><ul><li><a href=\"/$/accounts?org=$\"",
	    say(p, SAY_ACCOUNTS_FILTER), i18n_code(p->language), org);
	if (chosen < 0)
		html_raw(&p->h, " aria-current=\"true\"");
	html_put(&p->h, ">$</a></li>", say(p, SAY_ACCOUNTS_ALL));
	for (int s = 0; s <= ACCOUNT_CLOSED; s++) {
		i18n_number(count, p->language, count_state(list, (enum account_state)s));
		html_put(&p->h, "<li><a href=\"/$/accounts?org=$&amp;state=$\"",
		    i18n_code(p->language), org, account_state_name((enum account_state)s));
		if (chosen == s)
			html_raw(&p->h, " aria-current=\"true\"");
		html_put(&p->h, ">$ ($)</a></li>",
		    say(p, account_state_said((enum account_state)s)), count);
	}
	html_raw(&p->h, "</ul></nav>");
}

static void write_list(struct page *p, const char *org, const json_t *list, int state)
{
	size_t closed = count_state(list, ACCOUNT_CLOSED);
	char count[I18N_SIZE];

	html_put(&p->h, "<div class=\"over\"><h2>$</h2>", say(p, SAY_ACCOUNTS_LIST));
	write_filter(p, org, list, state);
	html_raw(&p->h, "</div>");
	if (!write_table(p, list, state))
		html_put(&p->h, "<p>$</p>", say(p, SAY_ACCOUNTS_NONE));
	if (state >= 0 || !closed)
		return;
	i18n_number(count, p->language, closed);
	html_raw(&p->h, "<details><summary>");
	page_say(p, SAY_ACCOUNTS_CLOSED_ONES, count);
	html_raw(&p->h, "</summary>");
	write_table(p, list, ACCOUNT_CLOSED);
	html_raw(&p->h, "</details>");
}

/* ---- confirming ---- */

/* What happened since the list was read, of accounts whose newest record is younger. */
static void write_changed(struct page *p, const json_t *list, int64_t since_us)
{
	const struct visit *v = visit_of(p->x);
	struct archive *a = v->app->archive;
	const json_t *user;
	size_t i;

	html_put(
	    &p->h, "<div class=\"errors\" role=\"alert\"><h2>$</h2><ul>", say(p, SAY_LIST_CHANGED));
	json_array_foreach(list, i, user)
	{
		const char *id = json_text(user, "id");
		json_t *now = NULL, *before = NULL;
		uint32_t number = 0;
		int64_t at = 0;

		if (accounts_number(a, "users", id, &number, NULL) ||
		    records_read(a, v->receipt, "users", id, number, &now, NULL))
			continue;
		if (clock_parse(json_text(now, "time"), &at) && at >= since_us &&
		    (number == 1 ||
			!records_read(a, v->receipt, "users", id, number - 1, &before, NULL))) {
			html_put(&p->h, "<li><a href=\"/$/accounts/$\" dir=\"auto\">$</a>: ",
			    i18n_code(p->language), id, account_name(user, i18n_code(p->language)));
			account_changes_write(
			    p, json_object_get(before, "record"), json_object_get(now, "record"));
			html_raw(&p->h, "</li>");
		}
		json_decref(before);
		json_decref(now);
	}
	html_raw(&p->h, "</ul></div>");
}

static void write_confirm(
    struct page *p, const char *org, const json_t *list, const char *tag, int64_t read_us)
{
	char count[I18N_SIZE], at[24];
	const json_t *user;
	size_t i, n = 0;

	json_array_foreach(list, i, user)
	{
		n += account_state(user) == ACCOUNT_ACTIVE || account_lapsed(user);
	}
	if (!n)
		return;
	html_put(&p->h, "<section class=\"save\"><h2>$</h2><p>$</p>", say(p, SAY_LIST_CONFIRM),
	    say(p, SAY_LIST_CONFIRM_WHAT));
	snprintf(at, sizeof(at), "%lld", (long long)read_us);
	i18n_number(count, p->language, n);
	html_put(&p->h,
	    "<form method=\"post\" action=\"/$/accounts\"><input type=\"hidden\" name=\"org\" "
	    "value=\"$\"><input type=\"hidden\" name=\"tag\" value=\"$\"><input "
	    "type=\"hidden\" name=\"at\" value=\"$\">",
	    i18n_code(p->language), org, tag, at);
	page_form_field(p, "accounts");
	html_raw(&p->h, "<button>");
	page_say(p, i18n_plural(SAY_LIST_RIGHT, n), count);
	html_raw(&p->h, "</button></form></section>");
}

/* ---- the page ---- */

struct shown { /* the visit's `more` */
	char org[65];
	bool changed;
	int64_t since_us;
	int state; /* -1: all */
};

/* NULL: replied. */
static struct shown *shown_new(struct exchange *x, const char *org)
{
	struct visit *v = visit_of(x);
	struct shown *s = v ? calloc(1, sizeof(*s)) : NULL;

	if (!s) {
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	if (v->more_free)
		v->more_free(v->more);
	v->more = s;
	v->more_free = free;
	snprintf(s->org, sizeof(s->org), "%s", org);
	s->state = -1;
	return s;
}

static void write_head(struct page *p, const struct shown *s)
{
	struct buf name = BUF_INIT;

	name_add(p, &name, "orgs", s->org);
	if (http_query(p->x, "confirmed"))
		html_put(
		    &p->h, "<p class=\"note\" role=\"status\">$</p>", say(p, SAY_LIST_CONFIRMED));
	html_raw(&p->h, "<h1 dir=\"auto\">");
	page_say(p, SAY_ACCOUNTS_OF, name.data);
	html_put(&p->h, "</h1><p><a class=\"button\" href=\"/$/open-account?org=$\">$</a></p>",
	    i18n_code(p->language), s->org, say(p, SAY_OPEN_ACCOUNT));
	buf_free(&name);
}

static void show_list(struct exchange *x)
{
	const struct shown *s = visit_of(x)->more;
	struct archive *a = app_of(x)->archive;
	int64_t read_us = clock_now_us();
	json_t *org, *list = NULL;
	struct ark_error err;
	struct page p;
	char tag[33];

	if (accounts_list(a, s->org, &list, tag, &err)) {
		accounts_failed(x, NULL, &err);
		return;
	}
	org = registry_get(archive_registry(a), "orgs", s->org);
	form_page(&p, x, SAY_ACCOUNTS, NULL);
	if (s->changed)
		write_changed(&p, list, s->since_us);
	accounts_emergency_write(&p, list);
	write_head(&p, s);
	accounts_org_write(&p, org, list);
	write_list(&p, s->org, list, s->state);
	if (s->state < 0)
		write_confirm(&p, s->org, list, tag, read_us);
	else
		html_put(&p.h, "<p><a href=\"/$/accounts?org=$\">$</a></p>", i18n_code(p.language),
		    s->org, say(&p, SAY_LIST_ALL_FIRST));
	page_end(&p, s->changed ? 422 : 200);
	json_decref(list);
	json_decref(org);
}

static void show_orgs(struct exchange *x)
{
	json_t *all = registry_all(archive_registry(app_of(x)->archive), "orgs"), *org;
	struct page p;
	size_t i;

	form_page(&p, x, SAY_ACCOUNTS, NULL);
	html_put(
	    &p.h, "<h1>$</h1><h2>$</h2><ul>", say(&p, SAY_ACCOUNTS), say(&p, SAY_ACCOUNTS_CHOOSE));
	json_array_foreach(all, i, org)
	{
		html_put(&p.h, "<li><a href=\"/$/accounts?org=$\">", i18n_code(p.language),
		    json_text(org, "id"));
		page_name(&p, "orgs", json_text(org, "id"));
		html_raw(&p.h, "</a></li>");
	}
	html_raw(&p.h, "</ul>");
	page_end(&p, all ? 200 : 503);
	json_decref(all);
}

void page_accounts(struct exchange *x)
{
	const char *org = http_query(x, "org"), *state = http_query(x, "state");
	enum account_state wanted;
	struct shown *s;

	if (!accounts_manager(x))
		return;
	if (!org && asker_manages(x, NULL)) {
		show_orgs(x);
		return;
	}
	if (!org)
		org = caller_of(x)->who->access.org;
	if (!accounts_org_there(x, org))
		return;
	s = shown_new(x, org);
	if (!s)
		return;
	if (state && account_state_parse(state, &wanted))
		s->state = (int)wanted;
	accounts_look(x, org, NULL, show_list);
}

/* ---- confirming ---- */

static void changed_meanwhile(struct exchange *x, const char *org)
{
	const char *at = http_form(x, "at");
	struct shown *s = shown_new(x, org);

	if (!s)
		return;
	s->changed = true;
	s->since_us = at && strspn(at, "0123456789") == strlen(at) && strlen(at) < 18
			  ? strtoll(at, NULL, 10)
			  : clock_now_us() - DAY_US;
	accounts_look(x, org, NULL, show_list);
}

void page_accounts_confirm(struct exchange *x)
{
	const char *org = http_form(x, "org"), *tag = http_form(x, "tag");
	const struct filing_actor actor = asker_actor(x);
	struct ark_error err;
	char next[100];
	unsigned int n;
	int rc;

	if (!accounts_manager(x) || !accounts_org_there(x, org ? org : ""))
		return;
	snprintf(next, sizeof(next), "/accounts?org=%.64s", org);
	if (!account_may_change(x, "accounts", next))
		return;
	rc = accounts_confirm(
	    app_of(x)->archive, &actor, asker_of(x), org, tag ? tag : "", &n, &err);
	if (rc == ARK_ECONFLICT)
		changed_meanwhile(x, org);
	else if (rc)
		accounts_failed(x, NULL, &err);
	else
		accounts_go_list(x, org, "confirmed");
}

/* ---- what is due ---- */

void accounts_notice(struct page *p)
{
	const struct principal *who = p->caller ? p->caller->who : NULL;
	char by[11], soon[11], day[I18N_SIZE], count[I18N_SIZE];
	unsigned int lapsed = 0;

	if (!who || p->caller->enrolling || !(who->access.roles & ACCESS_CONTACT) ||
	    !accounts_may(who, who->access.org) ||
	    accounts_due(app_of(p->x)->archive, who->access.org, by, &lapsed, NULL))
		return;
	clock_day(soon, clock_now_us() + ACCOUNTS_WARN_DAYS * DAY_US);
	if (!lapsed && (!by[0] || strcmp(by, soon) > 0))
		return;
	html_raw(&p->h, "<div class=\"note due\"><p>");
	if (lapsed) {
		i18n_number(count, p->language, lapsed);
		page_say(p, i18n_plural(SAY_LIST_LAPSED, lapsed), count);
		html_raw(&p->h, " ");
	}
	if (by[0] && strcmp(by, soon) <= 0) {
		i18n_date(day, by);
		page_say(p, SAY_LIST_DUE, day);
	}
	html_put(&p->h, "</p><p><a href=\"/$/accounts?org=$\">$</a></p></div>",
	    i18n_code(p->language), who->access.org, say(p, SAY_LIST_GO));
}
