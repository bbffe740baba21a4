/* Setting up the second factor, or a new one in place of the old; and the recovery codes, which are shown once.
 *
 * The secret that is being set up goes with the form: it is shown again when a code was wrong, and counts only as
 * what the archive keeps of it.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/pages/account.h"
#include "arkki/base/clock.h"

/* ---- the codes ---- */

static void write_codes(struct page *p, char codes[RECOVERY_CODES][RECOVERY_SIZE])
{
	html_put(&p->h, "<h2>$</h2><p>$</p><ul class=\"codes\">", say(p, SAY_RECOVERY),
	    say(p, SAY_RECOVERY_WHAT));
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		html_put(&p->h, "<li><code>$</code></li>", codes[i]);
	html_raw(&p->h, "</ul>");
}

static void show_codes(struct exchange *x, enum say done, char codes[RECOVERY_CODES][RECOVERY_SIZE])
{
	struct page p;

	form_page(&p, x, SAY_RECOVERY, NULL);
	html_put(&p.h, "<div class=\"narrow\"><p class=\"note\" role=\"status\">$</p><h1>$</h1>",
	    say(&p, done), say(&p, done == SAY_FACTOR_DONE ? SAY_FACTOR : SAY_RECOVERY));
	write_codes(&p, codes);
	html_put(&p.h, "<p><a class=\"button\" href=\"/$/\">$</a></p></div>", i18n_code(p.language),
	    say(&p, SAY_GO_ON));
	page_end(&p, 200);
}

struct codes {
	char list[RECOVERY_CODES][RECOVERY_SIZE];
	enum say done;
};

static void codes_free(void *arg)
{
	sodium_memzero(arg, sizeof(struct codes));
	free(arg);
}

static struct codes *codes_new(struct exchange *x, enum say done)
{
	struct visit *v = visit_of(x);
	struct codes *c = v ? calloc(1, sizeof(*c)) : NULL;

	if (v && !c)
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	if (!c)
		return NULL;
	c->done = done;
	v->more = c;
	v->more_free = codes_free;
	return c;
}

/* ---- setting up ---- */

static void write_secret(struct page *p, const char *secret)
{
	struct buf uri = BUF_INIT;
	char spaced[TOTP_SECRET_SIZE + 10];
	size_t at = 0;

	/* ids are of letters that need no escape here */
	buf_addf(&uri, "otpauth://totp/Arkki:%s?secret=%s&issuer=Arkki",
	    p->caller->who->access.user, secret);
	html_put(&p->h, "<p>$</p>", say(p, SAY_FACTOR_SCAN));
	if (!uri.data || !qr_write(&p->h, uri.data, say(p, SAY_FACTOR_QR)))
		p->h.out.failed = true;
	for (size_t i = 0; secret[i] && at < sizeof(spaced) - 2; i++) {
		if (i && i % 4 == 0)
			spaced[at++] = ' ';
		spaced[at++] = secret[i];
	}
	spaced[at] = '\0';
	html_put(&p->h, "<p>$: <code class=\"key\">$</code></p>", say(p, SAY_FACTOR_KEY), spaced);
	sodium_memzero(spaced, sizeof(spaced));
	buf_wipe_free(&uri);
}

static void show_secret(struct exchange *x, const char *secret, const struct faults *f)
{
	const struct form_input code = {.name = "code",
	    .label = SAY_CODE,
	    .help = SAY_FACTOR_CODE_HELP,
	    .autocomplete = "one-time-code",
	    .maxlength = "40"};
	struct page p;

	form_page(&p, x, SAY_FACTOR, f);
	html_raw(&p.h, "<div class=\"narrow\">");
	form_summary(&p, SAY_FACTOR_FAILED, f);
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_FACTOR));
	write_secret(&p, secret);
	html_put(&p.h,
	    "<form class=\"stack\" method=\"post\" action=\"/$/account/second-factor\" "
	    "novalidate><input type=\"hidden\" name=\"secret\" value=\"$\">",
	    i18n_code(p.language), secret);
	page_form_field(&p, "second-factor");
	form_input(&p, &code, f);
	html_put(&p.h, "<div><button>$</button></div></form></div>", say(&p, SAY_FACTOR_CONFIRM));
	page_end(&p, f->n ? 422 : 200);
}

static bool has_totp(struct exchange *x, bool *ret)
{
	struct credentials_summary s;
	struct ark_error err;

	if (credentials_summary(archive_state(app_of(x)->archive), caller_of(x)->who->access.user,
		clock_now_us(), &s, &err)) {
		http_reply_error(x, &err);
		return false;
	}
	*ret = s.totp;
	return true;
}

/* A session that may only set up a first factor sets up no second one: whoever has only the password and comes late. Nor does one of a
 * single factor where there is a second already, or that a provider began: it would be strong by what it made itself. */
static bool may_set_up(struct exchange *x, const char *use, bool *ret_has)
{
	const struct caller *c = caller_of(x);
	struct ark_error err;

	if (!account_may_change(x, use, "/account/second-factor") || !has_totp(x, ret_has))
		return false;
	if (!c->enrolling)
		return (!*ret_has && !c->session->provider[0]) || account_strong(x);
	if (!*ret_has)
		return true;
	if (session_leave(x, &err))
		http_reply_error(x, &err);
	else
		form_go(x, "/sign-in");
	return false;
}

void page_second_factor(struct exchange *x)
{
	struct page p;
	bool has;

	if (!may_set_up(x, NULL, &has))
		return;
	form_page(&p, x, SAY_FACTOR, NULL);
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1><p>$</p>", say(&p, SAY_FACTOR),
	    say(&p, SAY_FACTOR_WHAT));
	if (has || p.caller->enrolling)
		html_put(&p.h, "<p>$</p>", say(&p, has ? SAY_FACTOR_RENEW_WHAT : SAY_FACTOR_MUST));
	html_put(&p.h, "<form class=\"stack\" method=\"post\" action=\"/$/account/second-factor\">",
	    i18n_code(p.language));
	page_form_field(&p, "second-factor");
	html_put(&p.h, "<div><button>$</button></div></form>", say(&p, SAY_FACTOR_BEGIN));
	if (!p.caller->enrolling)
		html_put(&p.h, "<p class=\"away\"><a href=\"/$/account\">$</a></p>",
		    i18n_code(p.language), say(&p, SAY_TO_ACCOUNT));
	html_raw(&p.h, "</div>");
	page_end(&p, 200);
}

static void set_up(struct exchange *x)
{
	const struct faults none = {0};
	char secret[TOTP_SECRET_SIZE];
	struct ark_error err;

	if (totp_begin(
		archive_state(app_of(x)->archive), caller_of(x)->who->access.user, secret, &err))
		http_reply_error(x, &err);
	else
		show_secret(x, secret, &none);
	sodium_memzero(secret, sizeof(secret));
}

/* The session is what it was set up for now; others of before the new factor end. One that a provider began stays the provider's. */
static int rise(struct exchange *x, struct ark_error *err)
{
	struct state *state = archive_state(app_of(x)->archive);
	struct caller *c = caller_of(x);
	char cookie[STATE_TOKEN_SIZE];
	int rc = session_end_all(state, c->who->access.user, c->token_id, err);

	if (c->session->provider[0]) {
		sessions_forget(app_of(x));
		return rc;
	}
	if (!rc)
		rc = session_upgrade(state, c->token_id, "password+totp", cookie, err);
	sessions_forget(app_of(x));
	if (rc)
		return rc;
	cookie_set(x, session_cookie_name(x), cookie, 0);
	sodium_memzero(cookie, sizeof(cookie));
	c->enrolling = c->weak = false;
	return ARK_OK;
}

static void show_code_wrong(struct exchange *x)
{
	struct faults f = {0};

	fault_add(&f, "code", form_said(x, SAY_FACTOR_CODE_WRONG));
	show_secret(x, http_form(x, "secret"), &f);
}

/* Once the log knows of it. */
static void take_factor(struct exchange *x)
{
	const struct visit *v = http_data(x);
	struct codes *c = v->more;
	struct ark_error err;
	char code[64];
	int rc;

	form_text(x, "code", code, sizeof(code));
	rc = totp_confirm(archive_state(v->app->archive), v->caller->who->access.user, code,
	    clock_now_us(), c->list, &err);
	sodium_memzero(code, sizeof(code));
	if (rc == ARK_EREFUSED) {
		show_code_wrong(x);
		return;
	}
	if (!rc)
		rc = rise(x, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		show_codes(x, c->done, c->list);
}

static void confirm(struct exchange *x)
{
	struct ark_error err;
	char code[64];
	int rc;

	form_text(x, "code", code, sizeof(code));
	rc = totp_try(archive_state(app_of(x)->archive), caller_of(x)->who->access.user, code,
	    clock_now_us(), &err);
	sodium_memzero(code, sizeof(code));
	if (rc == ARK_EREFUSED)
		show_code_wrong(x);
	else if (rc)
		http_reply_error(x, &err);
	else if (codes_new(x, SAY_FACTOR_DONE))
		account_logged(x, "second-factor", take_factor);
}

void page_second_factor_post(struct exchange *x)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const char *secret = http_form(x, "secret");
	bool has;

	if (!may_set_up(x, "second-factor", &has))
		return;
	if (secret && strlen(secret) == TOTP_SECRET_SIZE - 1 &&
	    strspn(secret, letters) == TOTP_SECRET_SIZE - 1)
		confirm(x);
	else
		set_up(x);
}

/* ---- new codes ---- */

static void renew_codes(struct exchange *x)
{
	const struct visit *v = http_data(x);
	struct codes *c = v->more;
	struct ark_error err;

	if (recovery_renew(
		archive_state(v->app->archive), v->caller->who->access.user, c->list, &err))
		http_reply_error(x, &err);
	else
		show_codes(x, c->done, c->list);
}

void page_recovery_post(struct exchange *x)
{
	bool has;

	if (!account_may_change(x, "recovery", "/account") || !account_strong(x) ||
	    !has_totp(x, &has))
		return;
	if (!has) {
		form_go(x, "/account/second-factor");
		return;
	}
	if (codes_new(x, SAY_RECOVERY_DONE))
		account_logged(x, "recovery-codes", renew_codes);
}
