/* Signing in: user id and password, then the code of the second factor; or by an organisation's identity provider, or with a token.
 *
 * No answer tells whether there is such an account: what is wrong is said in one sentence, with one status, after the same work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/oidc.h"
#include "api/pages/forms.h"
#include "api/session.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

/* one attempt: what was typed, and what came of it */
struct attempt {
	struct app *app;
	char user[65], next[2048];
	char password[PASSWORD_MAX + 2]; /* room for one more, so that what is too long is wrong */
	int rc;
	struct credentials_summary summary;
	struct ark_error err;
};

static void attempt_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	(void)outcome, (void)status, (void)bytes_out;
	sodium_memzero(data, sizeof(struct attempt));
	free(data);
}

/* With user and next of the form. NULL: replied. */
static struct attempt *attempt_new(struct exchange *x)
{
	struct attempt *t = calloc(1, sizeof(*t));
	const char *next = http_form(x, "next");

	if (!t) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	t->app = app_of(x);
	if (url_local(next))
		snprintf(t->next, sizeof(t->next), "%s", next);
	http_set_data(x, t, attempt_end);
	return t;
}

/* Ids are small letters; a telephone begins with a capital one. */
static void user_typed(struct exchange *x, char ret[65])
{
	form_text(x, "user", ret, 65);
	for (char *p = ret; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
}

/* ---- the page ---- */

/* Where to go after signing in: in the language that the reader has chosen meanwhile. */
static void next_of(const struct page *p, const char *next, struct buf *out)
{
	if (!url_local(next))
		return;
	buf_addf(out, "/%s", i18n_code(p->language));
	buf_adds(out, next + 3);
}

static void write_hidden(struct page *p, const char *seed, const char *next)
{
	form_open_field(p, seed);
	html_put(&p->h, "<input type=\"hidden\" name=\"next\" value=\"$\">", next);
}

static void write_password_form(
    struct page *p, const char *seed, const char *next, const struct faults *f)
{
	const struct form_input user = {.name = "user",
	    .label = SAY_USER_ID,
	    .help = SAY_COUNT,
	    .autocomplete = "username",
	    .value = http_form(p->x, "user"),
	    .maxlength = "64"};
	const struct form_input password = {.name = "password",
	    .label = SAY_PASSWORD,
	    .help = SAY_COUNT,
	    .autocomplete = "current-password",
	    .maxlength = "1024"};

	html_put(&p->h, "<form class=\"stack\" method=\"post\" action=\"/$/sign-in\" novalidate>",
	    i18n_code(p->language));
	write_hidden(p, seed, next);
	form_input(p, &user, f);
	form_input(p, &password, f);
	html_put(&p->h, "<div><button>$</button></div></form>", say(p, SAY_SIGN_IN));
}

static void write_token_form(
    struct page *p, const char *seed, const char *next, const struct faults *f, bool open)
{
	const struct form_input token = {.name = "token",
	    .label = SAY_TOKEN,
	    .help = SAY_TOKEN_HELP,
	    .autocomplete = "current-password",
	    .maxlength = "300"};

	html_raw(&p->h, "<details class=\"token\"");
	if (open)
		html_raw(&p->h, " open");
	html_put(&p->h,
	    "><summary>$</summary><form class=\"stack\" method=\"post\" action=\"/$/sign-in\" "
	    "novalidate>",
	    say(p, SAY_SIGN_IN_TOKEN), i18n_code(p->language));
	write_hidden(p, seed, next);
	form_input(p, &token, f);
	html_put(&p->h, "<div><button>$</button></div></form></details>", say(p, SAY_SIGN_IN));
}

struct providers {
	struct page *p;
	const char *next;
	unsigned int n;
};

static void write_provider(void *arg, const char *id, const char *name)
{
	struct providers *w = arg;
	struct buf url = BUF_INIT, label = BUF_INIT;

	if (!w->n++)
		html_put(&w->p->h, "<h2>$</h2><ul class=\"providers\">",
		    say(w->p, SAY_SIGN_IN_PROVIDERS));
	buf_addf(&url, "/auth/%s", id);
	url_add(&url, "language", i18n_code(w->p->language));
	url_add(&url, "next", w->next);
	html_put(
	    &w->p->h, "<li><a class=\"button\" href=\"$\" dir=\"auto\">$</a></li>", url.data, name);
	buf_free(&url);
	buf_free(&label);
}

static void write_providers(struct page *p, const char *next)
{
	struct providers w = {p, next, 0};

	oidc_each(app_of(p->x), p->language, write_provider, &w);
	if (w.n)
		html_raw(&p->h, "</ul>");
}

static void show_form(
    struct exchange *x, const struct faults *f, const char *next_asked, bool by_token, int status)
{
	char seed[FORM_SEED_SIZE];
	struct buf next = BUF_INIT;
	struct page p;

	form_seed(x, seed);
	form_page(&p, x, SAY_SIGN_IN, f);
	next_of(&p, next_asked, &next);
	html_raw(&p.h, "<div class=\"narrow\">");
	form_summary(&p, SAY_SIGN_IN_FAILED, f);
	if (!f->n && http_query(x, "out"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_SIGNED_OUT));
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_SIGN_IN));
	write_password_form(&p, seed, next.data, f);
	write_providers(&p, next.data);
	html_put(&p.h, "<p class=\"away\"><a href=\"/$/join\">$</a></p>", i18n_code(p.language),
	    say(&p, SAY_HAVE_INVITATION));
	write_token_form(&p, seed, next.data, f, by_token);
	html_raw(&p.h, "</div>");
	page_end(&p, status);
	buf_free(&next);
}

static void show_fault(struct exchange *x, const char *field, enum say what, const char *next)
{
	struct faults f = {0};

	fault_add(&f, field, form_said(x, what));
	show_form(x, &f, next, strcmp(field, "token") == 0, 422);
}

void page_sign_in(struct exchange *x)
{
	const struct faults none = {0};

	if (http_query(x, "wrong"))
		show_fault(x, "user", SAY_PASSWORD_WRONG, http_query(x, "next"));
	else
		show_form(x, &none, http_query(x, "next"), false, 200);
}

/* ---- having to wait ---- */

static void reply_wait(struct exchange *x)
{
	const struct attempt *t = http_data(x);
	struct faults f = {0};
	struct buf text = BUF_INIT;

	wait_text(x, (unsigned int)t->rc, &text);
	fault_add(&f, "user", buf_failed(&text) ? "" : text.data);
	http_reply_headerf(x, "Retry-After", "%d", t->rc);
	show_form(x, &f, t->next, false, 429);
	buf_free(&text);
}

/* ---- after the password ---- */

static void go_on(struct exchange *x)
{
	const struct attempt *t = http_data(x);
	enum http_language language = http_language(x);

	page_language(x, &language);
	if (t->next[0])
		http_reply_header(x, "Location", t->next);
	else
		http_reply_headerf(x, "Location", "/%s/", i18n_code(language));
	http_reply_empty(x, 303);
}

static void show_wrong(struct exchange *x)
{
	const struct attempt *t = http_data(x);

	show_fault(x, "user", SAY_PASSWORD_WRONG, t->next);
}

/* In a sign-in thread. An account that is not active is refused as a wrong password is. */
static void verify_work(void *arg)
{
	struct attempt *t = arg;
	struct state *state = archive_state(t->app->archive);
	struct principal *who = NULL;

	t->rc = password_verify(state, t->user, t->password, &t->err);
	if (!t->rc) {
		t->rc =
		    registry_principal(archive_registry(t->app->archive), t->user, &who, &t->err);
		if (t->rc == ARK_ENOTFOUND)
			t->rc = ARK_EREFUSED;
	}
	if (!t->rc)
		t->rc = credentials_summary(state, t->user, clock_now_us(), &t->summary, &t->err);
	principal_unref(who);
	sodium_memzero(t->password, sizeof(t->password));
}

static void enrol_or_go(struct exchange *x)
{
	const struct attempt *t = http_data(x);

	sign_in_succeeded(x, t->user);
	go_on(x); /* who is to set up the second factor is sent there by the gate */
}

static void verify_done(struct exchange *x)
{
	struct attempt *t = http_data(x);
	bool required = session_settings(t->app)->second_factor_required;
	struct session wish = {.method = "password", .enrolling = required};

	if (t->rc == ARK_EREFUSED) {
		sign_in_failed(x, t->user);
		session_refused(x, t->user, "password", "wrong", show_wrong);
	} else if (t->rc) {
		http_reply_error(x, &t->err);
	} else if (t->summary.totp) {
		step_set(x, t->user, t->summary.password_us);
		step_show(x, t->next);
	} else {
		session_begin(x, t->user, &wish, enrol_or_go);
	}
}

static void by_password(struct exchange *x, struct attempt *t)
{
	const char *password = http_form(x, "password");
	enum http_language language = HTTP_FI;
	struct faults f = {0};

	page_language(x, &language);
	user_typed(x, t->user);
	if (!t->user[0])
		fault_add(&f, "user", i18n_text(language, SAY_USER_ID_MISSING));
	if (!password || !*password)
		fault_add(&f, "password", i18n_text(language, SAY_PASSWORD_MISSING));
	if (f.n) {
		show_form(x, &f, t->next, false, 422);
		return;
	}
	snprintf(t->password, sizeof(t->password), "%s", password);
	t->rc = (int)sign_in_wait(x, t->user);
	if (t->rc)
		session_refused(x, t->user, "password", "wait", reply_wait);
	else
		sign_in_work(x, verify_work, t, verify_done);
}

/* ---- with a token ---- */

/* Without the white space that pasting brings; false when it cannot be a token. */
static bool pasted_token(struct exchange *x, char out[STATE_TOKEN_SIZE])
{
	form_text(x, "token", out, STATE_TOKEN_SIZE);
	return out[0] && !strpbrk(out, " \t\r\n");
}

static void show_token_wrong(struct exchange *x)
{
	const struct attempt *t = http_data(x);

	show_fault(x, "token", SAY_TOKEN_WRONG, t->next);
}

static void by_token(struct exchange *x, const struct attempt *t)
{
	struct session wish = {.method = "token", .strong = true, .provider = SESSION_BY_TOKEN};
	struct state_token found = {0};
	char token[STATE_TOKEN_SIZE];
	struct ark_error err;
	int rc = ARK_ENOTFOUND;

	if (pasted_token(x, token))
		rc = state_token_find(
		    archive_state(t->app->archive), token, clock_now_us(), &found, &err);
	sodium_memzero(token, sizeof(token));
	if (!rc && !registry_has(archive_registry(t->app->archive), "users", found.user))
		rc = ARK_ENOTFOUND;
	if (rc == ARK_ENOTFOUND) {
		sign_in_failed(x, NULL);
		session_refused(x, NULL, "token", "wrong", show_token_wrong);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		snprintf(wish.provider_session, sizeof(wish.provider_session), "%s", found.id);
		wish.expires_us = found.expires_us;
		session_begin(x, found.user, &wish, go_on);
	}
}

void page_sign_in_post(struct exchange *x)
{
	const char *token = http_form(x, "token");
	struct attempt *t;

	if (!form_open_sent(x)) {
		show_fault(x, token ? "token" : "user", SAY_FORM_OLD, http_form(x, "next"));
		return;
	}
	t = attempt_new(x);
	if (!t)
		return;
	if (token)
		by_token(x, t);
	else
		by_password(x, t);
}

/* ---- the second step ---- */

static void show_code(struct exchange *x, const char *text, const char *next_asked, int status)
{
	const struct form_input code = {.name = "code",
	    .label = SAY_CODE,
	    .help = SAY_CODE_HELP,
	    .autocomplete = "one-time-code",
	    .maxlength = "40"};
	struct faults f = {0};
	char seed[FORM_SEED_SIZE];
	struct buf next = BUF_INIT;
	struct page p;

	if (text)
		fault_add(&f, "code", text);
	form_seed(x, seed);
	form_page(&p, x, SAY_SECOND_STEP, &f);
	next_of(&p, next_asked, &next);
	html_raw(&p.h, "<div class=\"narrow\">");
	form_summary(&p, SAY_SIGN_IN_FAILED, &f);
	html_put(&p.h,
	    "<h1>$</h1><form class=\"stack\" method=\"post\" action=\"/$/sign-in/code\" "
	    "novalidate>",
	    say(&p, SAY_SECOND_STEP), i18n_code(p.language));
	write_hidden(&p, seed, next.data);
	form_input(&p, &code, &f);
	html_put(&p.h,
	    "<div><button>$</button></div></form><p class=\"away\"><a "
	    "href=\"/$/sign-in\">$</a></p></div>",
	    say(&p, SAY_SIGN_IN), i18n_code(p.language), say(&p, SAY_SIGN_IN_AGAIN));
	page_end(&p, status);
	buf_free(&next);
}

void page_sign_in_code(struct exchange *x)
{
	char user[65];

	if (step_get(x, user))
		show_code(x, NULL, http_query(x, "next"), 200);
	else
		form_go(x, "/sign-in");
}

static void show_code_wrong(struct exchange *x)
{
	const struct attempt *t = http_data(x);

	show_code(x, form_said(x, SAY_CODE_WRONG), t->next, 422);
}

static void show_code_wait(struct exchange *x)
{
	const struct attempt *t = http_data(x);
	struct buf text = BUF_INIT;

	wait_text(x, (unsigned int)t->rc, &text);
	http_reply_headerf(x, "Retry-After", "%d", t->rc);
	show_code(x, buf_failed(&text) ? "" : text.data, t->next, 429);
	buf_free(&text);
}

static void code_right(struct exchange *x)
{
	const struct attempt *t = http_data(x);

	sign_in_succeeded(x, t->user);
	step_clear(x);
	go_on(x);
}

void page_sign_in_code_post(struct exchange *x)
{
	struct session wish = {.strong = true};
	struct attempt *t;
	char code[64];
	bool recovery = false;
	int rc;

	if (!form_open_sent(x)) {
		show_code(x, form_said(x, SAY_FORM_OLD), http_form(x, "next"), 422);
		return;
	}
	t = attempt_new(x);
	if (!t)
		return;
	if (!step_get(x, t->user)) {
		form_go(x, "/sign-in");
		return;
	}
	form_text(x, "code", code, sizeof(code));
	if (!code[0]) {
		show_code_wrong(x);
		return;
	}
	t->rc = (int)sign_in_wait(x, t->user);
	if (t->rc) {
		session_refused(x, t->user, "password", "wait", show_code_wait);
		return;
	}
	rc = second_factor_verify(
	    archive_state(t->app->archive), t->user, code, clock_now_us(), &recovery, &t->err);
	sodium_memzero(code, sizeof(code));
	if (rc == ARK_EREFUSED) {
		sign_in_failed(x, t->user);
		session_refused(x, t->user, "password", "wrong-code", show_code_wrong);
	} else if (rc) {
		http_reply_error(x, &t->err);
	} else {
		snprintf(wish.method, sizeof(wish.method), "password+%s",
		    recovery ? "recovery" : "totp");
		session_begin(x, t->user, &wish, code_right);
	}
}
