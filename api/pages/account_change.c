/* Changing the password; and showing once more who one is, which a change asks for when the sign-in is a while ago. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/pages/account.h"
#include "arkki/archive/accounts.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { FRESH_S = 15 * 60 };

/* ---- how long ago ---- */

static void fresh_set(struct exchange *x)
{
	struct buf sealed = BUF_INIT;
	char text[60];

	snprintf(text, sizeof(text), "%s %lld", caller_of(x)->token_id, (long long)clock_now_us());
	if (!archive_conceal(app_of(x)->archive, "fresh", text, &sealed, NULL))
		cookie_set(x, "arkki-fresh", sealed.data, FRESH_S);
	buf_free(&sealed);
}

/* When this session was last confirmed; 0: never. */
static int64_t confirmed_us(struct exchange *x)
{
	const char *cookie = cookie_get(x, "arkki-fresh"), *id = caller_of(x)->token_id;
	struct buf text = BUF_INIT;
	int64_t us = 0;
	size_t len = strlen(id);

	if (cookie && !archive_reveal(app_of(x)->archive, "fresh", cookie, &text, NULL) &&
	    strncmp(text.data, id, len) == 0 && text.data[len] == ' ')
		us = strtoll(text.data + len, NULL, 10);
	buf_free(&text);
	return us;
}

static bool by_token(const struct caller *c)
{
	return !c->session || strcmp(c->session->provider, SESSION_BY_TOKEN) == 0;
}

bool account_fresh(struct exchange *x)
{
	const struct caller *c = caller_of(x);
	int64_t since = clock_now_us() - (int64_t)FRESH_S * 1000000;

	if (by_token(c))
		return false;
	return c->enrolling || c->session->created_us > since || confirmed_us(x) > since;
}

/* A way that has no password to ask for: the session has to begin anew. */
static void show_otherwise(struct exchange *x, enum say why)
{
	struct page p;

	form_page(&p, x, SAY_CONFIRM, NULL);
	html_put(&p.h,
	    "<div class=\"narrow\"><h1>$</h1><p>$</p><p class=\"away\"><a "
	    "href=\"/$/account\">$</a></p></div>",
	    say(&p, SAY_CONFIRM), say(&p, why), i18n_code(p.language), say(&p, SAY_TO_ACCOUNT));
	page_end(&p, 403);
}

bool account_strong(struct exchange *x)
{
	if (!caller_of(x)->weak)
		return true;
	show_otherwise(x, SAY_CONFIRM_STRONG);
	return false;
}

bool account_may_change(struct exchange *x, const char *use, const char *next)
{
	const struct caller *c = caller_of(x);
	struct buf url = BUF_INIT;

	if (use && !page_form_sent(x, use)) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return false;
	}
	if (account_fresh(x))
		return true;
	if (by_token(c)) {
		show_otherwise(x, SAY_CONFIRM_TOKEN);
	} else if (c->session->provider[0]) {
		show_otherwise(x, SAY_CONFIRM_OTHERWISE);
	} else {
		buf_adds(&url, "/account/confirm");
		url_add(&url, "next", next);
		form_go(x, buf_failed(&url) ? "/account" : url.data);
	}
	buf_free(&url);
	return false;
}

/* ---- what both have: passwords that a sign-in thread looks at ---- */

struct change {
	struct app *app;
	char user[65], session[17], old[PASSWORD_MAX + 2], fresh[PASSWORD_MAX + 1], code[64];
	char name[200];
	const struct visit *visit; /* of the exchange, which waits */
	const char *next;          /* static, or of the form */
	bool has_totp, old_wrong, fresh_wrong;
	unsigned int wait;
	int rc;
	struct ark_error err;
};

static void change_free(void *arg)
{
	sodium_memzero(arg, sizeof(struct change));
	free(arg);
}

/* NULL: replied. */
static struct change *change_new(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct change *c = v ? calloc(1, sizeof(*c)) : NULL;
	const char *old = http_form(x, "password");
	json_t *account;

	if (!v)
		return NULL;
	if (!c) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	v->more = c;
	v->more_free = change_free;
	c->app = v->app;
	c->visit = v;
	snprintf(c->user, sizeof(c->user), "%s", v->caller->who->access.user);
	snprintf(c->session, sizeof(c->session), "%s", v->caller->token_id);
	snprintf(c->old, sizeof(c->old), "%s", old ? old : "");
	account = registry_get(archive_registry(c->app->archive), "users", c->user);
	snprintf(c->name, sizeof(c->name), "%s", account ? account_name(account, "fi") : "");
	json_decref(account);
	return c;
}

static struct change *change_of(const struct exchange *x)
{
	const struct visit *v = http_data(x);

	return v->more;
}

static const char *wait_said(const struct exchange *x, unsigned int wait, struct buf *text)
{
	wait_text(x, wait, text);
	return buf_failed(text) ? "" : text->data;
}

/* ---- confirming ---- */

/* A page of who manages accounts or ways to sign in, and nothing that could leave it. */
static bool leads_to_management(const char *given)
{
	static const char *const places[] = {"/accounts", "/open-account", "/admin/providers",
	    "/admin/new-provider", "/admin/certificates"};
	bool known = false;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		known = known || strncmp(given, places[i], strlen(places[i])) == 0;
	return known && strlen(given) < 200 &&
	       strspn(given, "abcdefghijklmnopqrstuvwxyz0123456789-/?=") == strlen(given) &&
	       !strstr(given, "//");
}

/* Where the page leads: one of our own few, by name. */
static const char *confirm_next(const char *given)
{
	static const char *const places[] = {"/account/password", "/account/second-factor"};

	for (size_t i = 0; given && i < sizeof(places) / sizeof(*places); i++)
		if (strcmp(given, places[i]) == 0)
			return places[i];
	return given && leads_to_management(given) ? given : "/account";
}

static void show_confirm(
    struct exchange *x, const char *next, bool totp, const struct faults *f, int status)
{
	const struct form_input password = {.name = "password",
	    .label = SAY_PASSWORD_OLD,
	    .help = SAY_COUNT,
	    .autocomplete = "current-password",
	    .maxlength = "1024"};
	const struct form_input code = {.name = "code",
	    .label = SAY_CODE,
	    .help = SAY_CODE_HELP,
	    .autocomplete = "one-time-code",
	    .maxlength = "40"};
	struct page p;

	form_page(&p, x, SAY_CONFIRM, f);
	html_raw(&p.h, "<div class=\"narrow\">");
	form_summary(&p, SAY_CONFIRM_FAILED, f);
	html_put(&p.h,
	    "<h1>$</h1><p>$</p><form class=\"stack\" method=\"post\" "
	    "action=\"/$/account/confirm\" novalidate><input type=\"hidden\" name=\"next\" "
	    "value=\"$\">",
	    say(&p, SAY_CONFIRM), say(&p, SAY_CONFIRM_WHAT), i18n_code(p.language), next);
	page_form_field(&p, "confirm");
	form_input(&p, &password, f);
	if (totp)
		form_input(&p, &code, f);
	html_put(&p.h, "<div><button>$</button></div></form></div>", say(&p, SAY_GO_ON));
	page_end(&p, status);
}

static bool summary_of(struct exchange *x, struct credentials_summary *s)
{
	struct ark_error err;

	if (!credentials_summary(archive_state(app_of(x)->archive), caller_of(x)->who->access.user,
		clock_now_us(), s, &err))
		return true;
	http_reply_error(x, &err);
	return false;
}

void page_account_confirm(struct exchange *x)
{
	const struct faults none = {0};
	struct credentials_summary s;

	if (!summary_of(x, &s))
		return;
	if (!s.password)
		show_otherwise(x, SAY_CONFIRM_OTHERWISE);
	else
		show_confirm(x, confirm_next(http_query(x, "next")), s.totp, &none, 200);
}

static void confirm_wrong(struct exchange *x)
{
	const struct change *c = change_of(x);
	struct faults f = {0};
	struct buf text = BUF_INIT;

	fault_add(&f, "password",
	    c->wait ? wait_said(x, c->wait, &text) : form_said(x, SAY_CONFIRM_WRONG));
	if (c->wait)
		http_reply_headerf(x, "Retry-After", "%u", c->wait);
	show_confirm(x, c->next, c->has_totp, &f, c->wait ? 429 : 422);
	buf_free(&text);
}

static void confirm_work(void *arg)
{
	struct change *c = arg;
	struct state *state = archive_state(c->app->archive);
	bool recovery;

	c->rc = password_verify(state, c->user, c->old, &c->err);
	if (!c->rc && c->has_totp)
		c->rc = second_factor_verify(
		    state, c->user, c->code, clock_now_us(), &recovery, &c->err);
}

static void confirm_done(struct exchange *x)
{
	const struct change *c = change_of(x);

	if (c->rc == ARK_EREFUSED) {
		sign_in_failed(x, c->user);
		session_refused(x, c->user, "password", "wrong", confirm_wrong);
	} else if (c->rc) {
		http_reply_error(x, &c->err);
	} else {
		sign_in_succeeded(x, c->user);
		fresh_set(x);
		form_go(x, c->next);
	}
}

void page_account_confirm_post(struct exchange *x)
{
	struct credentials_summary s;
	struct change *c;

	if (!page_form_sent(x, "confirm")) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return;
	}
	if (by_token(caller_of(x))) {
		show_otherwise(x, SAY_CONFIRM_TOKEN);
		return;
	}
	c = summary_of(x, &s) ? change_new(x) : NULL;
	if (!c)
		return;
	c->has_totp = s.totp;
	c->next = confirm_next(http_form(x, "next"));
	form_text(x, "code", c->code, sizeof(c->code));
	c->wait = sign_in_wait(x, c->user);
	if (c->wait)
		session_refused(x, c->user, "password", "wait", confirm_wrong);
	else
		sign_in_work(x, confirm_work, c, confirm_done);
}

/* ---- the password ---- */

static void show_password(struct exchange *x, const struct faults *f, int status)
{
	const struct form_input old = {.name = "password",
	    .label = SAY_PASSWORD_OLD,
	    .help = SAY_COUNT,
	    .autocomplete = "current-password",
	    .maxlength = "1024"};
	struct page p;

	form_page(&p, x, SAY_PASSWORD_CHANGE, f);
	html_raw(&p.h, "<div class=\"narrow\">");
	form_summary(&p, SAY_PASSWORD_FAILED, f);
	html_put(&p.h,
	    "<h1>$</h1><form class=\"stack\" method=\"post\" action=\"/$/account/password\" "
	    "novalidate><input type=\"text\" name=\"username\" value=\"$\" "
	    "autocomplete=\"username\" hidden readonly>",
	    say(&p, SAY_PASSWORD_CHANGE), i18n_code(p.language), p.caller->who->access.user);
	page_form_field(&p, "password");
	form_input(&p, &old, f);
	form_new_password(&p, f);
	html_put(&p.h,
	    "<div><button>$</button></div></form><p class=\"away\"><a "
	    "href=\"/$/account\">$</a></p></div>",
	    say(&p, SAY_PASSWORD_CHANGE), i18n_code(p.language), say(&p, SAY_TO_ACCOUNT));
	page_end(&p, status);
}

void page_account_password(struct exchange *x)
{
	const struct faults none = {0};

	if (account_may_change(x, NULL, "/account/password"))
		show_password(x, &none, 200);
}

/* Before it is changed. */
static int log_password(const struct change *c, struct ark_error *err)
{
	struct ledger_record r = visit_record(c->visit, "credentials");

	r.detail = "{\"what\":\"password\"}";
	return ledger_append_wait(archive_ledger(c->app->archive, LEDGER_ACCESS), &r, 1, NULL, err);
}

/* The others that are signed in to this account may be who the password is changed against. */
static void password_work(void *arg)
{
	struct change *c = arg;
	struct state *state = archive_state(c->app->archive);
	const char *list = session_settings(c->app)->blocklist;

	c->rc = password_verify(state, c->user, c->old, &c->err);
	c->old_wrong = c->rc == ARK_EREFUSED;
	if (c->rc)
		return;
	c->rc = password_check_new(c->fresh, c->user, c->name, *list ? list : NULL, &c->err);
	c->fresh_wrong = c->rc == ARK_EINPUT;
	if (!c->rc)
		c->rc = log_password(c, &c->err);
	if (!c->rc)
		c->rc = password_set(state, c->user, c->fresh, &c->err);
	if (!c->rc)
		c->rc = session_end_all(state, c->user, c->session, &c->err);
	sessions_forget(c->app);
}

static void password_wrong(struct exchange *x)
{
	const struct change *c = change_of(x);
	struct faults f = {0};
	struct buf text = BUF_INIT;

	if (c->wait) {
		http_reply_headerf(x, "Retry-After", "%u", c->wait);
		fault_add(&f, "password", wait_said(x, c->wait, &text));
	} else if (c->fresh_wrong) {
		fault_add(&f, "new", form_said(x, password_fault(c->fresh)));
	} else {
		fault_add(&f, "password", form_said(x, SAY_PASSWORD_OLD_WRONG));
	}
	show_password(x, &f, c->wait ? 429 : 422);
	buf_free(&text);
}

static void password_done(struct exchange *x)
{
	const struct change *c = change_of(x);

	if (c->old_wrong) {
		sign_in_failed(x, c->user);
		session_refused(x, c->user, "password", "wrong", password_wrong);
	} else if (c->fresh_wrong) {
		sign_in_succeeded(x, c->user);
		password_wrong(x);
	} else if (c->rc) {
		http_reply_error(x, &c->err);
	} else {
		sign_in_succeeded(x, c->user);
		form_go(x, "/account?password=1");
	}
}

void page_account_password_post(struct exchange *x)
{
	struct faults f = {0};
	struct change *c;

	if (!account_may_change(x, "password", "/account/password"))
		return;
	c = change_new(x);
	if (!c)
		return;
	if (!c->old[0])
		fault_add(&f, "password", form_said(x, SAY_PASSWORD_OLD_WRONG));
	if (!form_new_password_typed(x, c->fresh, &f)) {
		show_password(x, &f, 422);
		return;
	}
	c->wait = sign_in_wait(x, c->user);
	if (c->wait)
		session_refused(x, c->user, "password", "wait", password_wrong);
	else
		sign_in_work(x, password_work, c, password_done);
}
