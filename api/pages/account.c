/* The own account: what is known of it, what signs its owner in, and where that is signed in now. */
#include "api/pages/account.h"

#include <stdio.h>
#include <string.h>

#include "api/pages/accounts.h"
#include "arkki/archive/accounts.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* ---- facts ---- */

static void fact(struct page *p, enum say label, const char *value)
{
	if (value && *value)
		html_put(
		    &p->h, "<div><dt>$</dt><dd dir=\"auto\">$</dd></div>", say(p, label), value);
}

static enum say method_said(const struct session *s)
{
	if (strcmp(s->method, "password+totp") == 0)
		return SAY_METHOD_TOTP;
	if (strcmp(s->method, "password+recovery") == 0)
		return SAY_METHOD_RECOVERY;
	if (strcmp(s->method, "oidc") == 0)
		return SAY_METHOD_PROVIDER;
	return strcmp(s->method, "token") == 0 ? SAY_METHOD_TOKEN : SAY_METHOD_PASSWORD;
}

/* What a browser calls itself, as people call it: all claim to be others too, so the first that fits counts. */
static const char *called(const char *agent, const char *const names[][2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(agent, names[i][0]))
			return names[i][1];
	return NULL;
}

static void write_browser(struct page *p, const char *agent)
{
	static const char *const browsers[][2] = {{"Edg", "Edge"}, {"OPR/", "Opera"},
	    {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
	    {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}};
	static const char *const systems[][2] = {{"Android", "Android"}, {"iPhone", "iPhone"},
	    {"iPad", "iPad"}, {"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Linux", "Linux"}};
	const char *browser = called(agent, browsers, sizeof(browsers) / sizeof(*browsers));
	const char *system = called(agent, systems, sizeof(systems) / sizeof(*systems));

	if (!browser || !system)
		fact(p, SAY_SESSION_AGENT, agent);
	else
		html_put(&p->h, "<div><dt>$</dt><dd>$, $</dd></div>", say(p, SAY_SESSION_AGENT),
		    browser, system);
}

static void write_person(struct page *p, const json_t *account)
{
	const struct caller *c = p->caller;
	struct buf roles = BUF_INIT;

	html_raw(&p->h, "<dl class=\"facts\">");
	fact(p, SAY_NAME, account_name(account, i18n_code(p->language)));
	html_put(&p->h, "<div><dt>$</dt><dd>", say(p, SAY_ORGANISATION));
	page_name(p, "orgs", c->who->access.org);
	html_raw(&p->h, "</dd></div>");
	fact(p, SAY_USER_ID, c->who->access.user);
	fact(p, SAY_ACCOUNT_EMAIL, json_text(account, "email"));
	account_roles_add(p, c->who->access.roles, &roles);
	fact(p, SAY_ACCOUNT_ROLES, roles.data);
	buf_free(&roles);
	html_put(&p->h, "<div><dt>$</dt><dd>$, $</dd></div></dl>", say(p, SAY_ACCOUNT_METHOD),
	    say(p, c->session ? method_said(c->session) : SAY_METHOD_TOKEN),
	    say(p, c->weak ? SAY_ACCOUNT_WEAK : SAY_ACCOUNT_STRONG));
}

static void write_link(struct page *p, const char *path, enum say label)
{
	html_put(&p->h, "<p><a class=\"button\" href=\"/$/account/$\">$</a></p>",
	    i18n_code(p->language), path, say(p, label));
}

static void write_recovery(struct page *p, unsigned int left)
{
	char count[I18N_SIZE];

	i18n_number(count, p->language, left);
	html_put(&p->h, "<div><dt>$</dt><dd>", say(p, SAY_RECOVERY));
	page_say(p, i18n_plural(SAY_CODES_LEFT, left), count);
	html_raw(&p->h, "</dd></div>");
}

static void write_credentials(struct page *p, const struct credentials_summary *s)
{
	char when[I18N_SIZE];

	html_put(&p->h, "<dl class=\"facts\"><div><dt>$</dt><dd>", say(p, SAY_PASSWORD));
	i18n_time(when, p->language, s->password_us);
	if (s->password)
		page_say(p, SAY_SET_AT, when);
	else
		html_text(&p->h, say(p, SAY_NOT_SET));
	html_put(&p->h, "</dd></div><div><dt>$</dt><dd>$</dd></div>", say(p, SAY_FACTOR),
	    say(p, s->totp ? SAY_IN_USE : SAY_NOT_SET));
	if (s->totp)
		write_recovery(p, s->recovery_left);
	html_raw(&p->h, "</dl>");
	if (s->password) {
		write_link(p, "password", SAY_PASSWORD_CHANGE);
		write_link(p, "second-factor", s->totp ? SAY_FACTOR_RENEW : SAY_FACTOR_SET_UP);
	}
	if (!s->totp)
		return;
	html_put(
	    &p->h, "<form method=\"post\" action=\"/$/account/recovery\">", i18n_code(p->language));
	page_form_field(p, "recovery");
	html_put(&p->h, "<button class=\"quiet\">$</button></form>", say(p, SAY_RECOVERY_RENEW));
}

/* ---- sessions ---- */

static int write_session(void *arg, const struct session *s)
{
	struct page *p = arg;
	bool own = strcmp(s->id, p->caller->token_id) == 0;
	char began[I18N_SIZE], seen[I18N_SIZE];

	i18n_time(began, p->language, s->created_us);
	i18n_time(seen, p->language, s->seen_us);
	html_raw(&p->h, "<li class=\"hit\"><dl class=\"facts\">");
	fact(p, SAY_SESSION_BEGAN, began);
	fact(p, SAY_SESSION_SEEN, seen);
	fact(p, SAY_ACCOUNT_METHOD, say(p, method_said(s)));
	fact(p, SAY_SESSION_ADDRESS, s->address);
	write_browser(p, s->agent);
	html_raw(&p->h, "</dl>");
	if (own) {
		html_put(&p->h, "<p><strong class=\"tag\">$</strong></p></li>",
		    say(p, SAY_SESSION_THIS));
		return 0;
	}
	html_put(&p->h,
	    "<form method=\"post\" action=\"/$/account/session\">"
	    "<input type=\"hidden\" name=\"session\" value=\"$\">",
	    i18n_code(p->language), s->id);
	page_form_field(p, "session");
	html_put(
	    &p->h, "<button class=\"quiet\">$<span class=\"hidden\">: ", say(p, SAY_SESSION_END));
	page_say(p, SAY_SESSION_OF, began);
	html_raw(&p->h, "</span></button></form></li>");
	return 0;
}

static int write_sessions(struct page *p, struct ark_error *err)
{
	struct app *app = app_of(p->x);
	int rc;

	html_put(&p->h, "<h2>$</h2><ul class=\"hits\">", say(p, SAY_SESSIONS));
	rc = session_each(archive_state(app->archive), p->caller->who->access.user, clock_now_us(),
	    session_settings(app)->idle_us, write_session, p, err);
	html_put(&p->h, "</ul><form method=\"post\" action=\"/$/account/sessions\">",
	    i18n_code(p->language));
	page_form_field(p, "sessions");
	html_put(&p->h, "<button class=\"quiet\">$</button></form>", say(p, SAY_SESSIONS_END));
	return rc;
}

static void write_note(struct page *p)
{
	static const struct {
		const char *query;
		enum say said;
	} notes[] = {{"password", SAY_PASSWORD_DONE}, {"ended", SAY_SESSION_ENDED},
	    {"revoked", SAY_TOKEN_REVOKED}};

	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
		if (http_query(p->x, notes[i].query))
			html_put(&p->h, "<p class=\"note\" role=\"status\">$</p>",
			    say(p, notes[i].said));
}

void page_account(struct exchange *x)
{
	const struct caller *c = caller_of(x);
	struct app *app = app_of(x);
	const char *user = c->who->access.user;
	struct credentials_summary summary;
	struct ark_error err = {0};
	json_t *account = NULL;
	struct page p = {0};
	int rc =
	    credentials_summary(archive_state(app->archive), user, clock_now_us(), &summary, &err);

	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	account = registry_get(archive_registry(app->archive), "users", user);
	form_page(&p, x, SAY_ACCOUNT, NULL);
	html_raw(&p.h, "<div class=\"narrow\">");
	write_note(&p);
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_ACCOUNT));
	write_person(&p, account);
	write_credentials(&p, &summary);
	rc = write_sessions(&p, &err);
	account_write_tokens(&p);
	html_raw(&p.h, "</div>");
	json_decref(account);
	if (rc) {
		buf_free(&p.h.out);
		http_reply_error(x, &err);
	} else {
		page_end(&p, 200);
	}
}

/* ---- ending sessions ---- */

void account_logged(struct exchange *x, const char *what, void (*then)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	char detail[64];

	if (!v)
		return;
	snprintf(detail, sizeof(detail), "{\"what\":\"%.40s\"}", what);
	r = visit_record(v, "credentials");
	r.detail = detail;
	visit_log(x, &r, 1, then);
}

static bool form_ok(struct exchange *x, const char *use)
{
	if (page_form_sent(x, use))
		return true;
	http_reply_problem(x, 403, "form", NULL, NULL);
	return false;
}

static void end_one(struct exchange *x)
{
	const char *id = http_form(x, "session");
	struct app *app = app_of(x);
	struct ark_error err;
	int rc = session_end(archive_state(app->archive), id, caller_of(x)->who->access.user, &err);

	sessions_forget(app);
	if (rc)
		http_reply_error(x, &err);
	else
		form_go(x, "/account?ended=1");
}

void page_session_end(struct exchange *x)
{
	if (!form_ok(x, "session"))
		return;
	if (!http_form(x, "session"))
		http_reply_problem(x, 400, "session", NULL, NULL);
	else
		account_logged(x, "session", end_one);
}

static void end_all(struct exchange *x)
{
	struct caller *c = caller_of(x);
	struct app *app = app_of(x);
	struct ark_error err = {0};
	int rc = session_end_all(archive_state(app->archive), c->who->access.user, NULL, &err);

	if (!rc)
		rc = session_leave(x, &err);
	sessions_forget(app);
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	http_reply_header(x, "Clear-Site-Data", "\"cache\"");
	form_go(x, "/sign-in?out=1");
}

void page_sessions_end(struct exchange *x)
{
	if (form_ok(x, "sessions"))
		account_logged(x, "sessions", end_all);
}
