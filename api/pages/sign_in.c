/* Signing in by pasting a token, and out. The session cookie is the token
 * itself: it lives as long as the browser's session, no script reads it, and
 * no other site sends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/pages/pages.h"
#include "arkki/base/text.h"

enum { FORM_SEED_SIZE = 33 };

/* Behind a proxy that ends TLS. A client that lies here only gets a cookie that its browser drops. */
static bool over_tls(const struct exchange *x)
{
	const char *proto = http_header(x, "X-Forwarded-Proto");

	return proto && strcmp(proto, "https") == 0;
}

static void set_cookie(struct exchange *x, const char *name, const char *value, const char *life)
{
	if (over_tls(x))
		http_reply_headerf(x, "Set-Cookie",
		    "__Host-%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", name, value, life);
	else
		http_reply_headerf(x, "Set-Cookie", "%s=%s; Path=/; HttpOnly; SameSite=Strict%s",
		    name, value, life);
}

static const char *session_name(const struct exchange *x)
{
	return over_tls(x) ? "arkki" : "arkki-session";
}

/* What binds a sign-in form to this browser: a random cookie that the form's token is made from. */
static bool form_seed(struct exchange *x, char out[FORM_SEED_SIZE])
{
	const char *c = http_cookie(x, over_tls(x) ? "__Host-arkki-form" : "arkki-form");

	if (!c || strlen(c) != FORM_SEED_SIZE - 1 || !docid_valid(c))
		return false;
	memcpy(out, c, FORM_SEED_SIZE);
	return true;
}

/* Where to go after signing in: in the language that the reader has chosen meanwhile. */
static void next_of(const struct page *p, const char *next, struct buf *out)
{
	if (!url_local(next))
		return;
	buf_addf(out, "/%s", i18n_code(p->language));
	buf_adds(out, next + 3);
}

static void write_error(struct page *p, enum say error)
{
	html_put(&p->h,
	    "<div class=\"errors\" role=\"alert\"><h2>$</h2><ul><li><a "
	    "href=\"#token\">$</a></li></ul></div>",
	    say(p, SAY_SIGN_IN_FAILED), say(p, error));
}

static void write_form(struct page *p, const char *form, const char *next, enum say error)
{
	bool wrong = error != SAY_COUNT;

	html_put(&p->h,
	    "<form class=\"stack\" method=\"post\" action=\"/$/sign-in\" novalidate>"
	    "<input type=\"hidden\" name=\"form\" value=\"$\"><input type=\"hidden\" name=\"next\" "
	    "value=\"$\">"
	    "<div class=\"field\"><label for=\"token\">$</label><p class=\"hint\" "
	    "id=\"token-help\">$</p>",
	    i18n_code(p->language), form, next, say(p, SAY_TOKEN), say(p, SAY_TOKEN_HELP));
	if (wrong)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"token-wrong\"><span class=\"hidden\">$: </span>$</p>",
		    say(p, SAY_ERROR), say(p, error));
	html_raw(&p->h, "<input type=\"password\" id=\"token\" name=\"token\" "
			"autocomplete=\"current-password\" "
			"autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"300\" ");
	if (wrong)
		html_raw(
		    &p->h, "aria-invalid=\"true\" aria-describedby=\"token-wrong token-help\">");
	else
		html_raw(&p->h, "aria-describedby=\"token-help\">");
	html_put(&p->h, "</div><div><button>$</button></div></form>", say(p, SAY_SIGN_IN));
}

/* error: SAY_COUNT for none. */
static void show_form(struct exchange *x, enum say error, const char *next_asked)
{
	char seed[FORM_SEED_SIZE], form[33];
	struct buf next = BUF_INIT, title = BUF_INIT;
	enum http_language language = HTTP_FI;
	struct page p;

	if (!form_seed(x, seed)) {
		unsigned char random[16];

		randombytes_buf(random, sizeof(random));
		hex_encode(seed, random, sizeof(random));
		set_cookie(x, "arkki-form", seed, "");
	}
	page_form_token(app_of(x), "sign-in", seed, form);
	page_language(x, &language);
	if (error != SAY_COUNT)
		buf_addf(&title, "%s: ", i18n_text(language, SAY_ERROR));
	buf_adds(&title, i18n_text(language, SAY_SIGN_IN));
	page_begin(&p, x, title.data);
	next_of(&p, next_asked, &next);
	html_raw(&p.h, "<div class=\"narrow\">");
	if (error != SAY_COUNT)
		write_error(&p, error);
	else if (http_query(x, "out"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_SIGNED_OUT));
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_SIGN_IN));
	write_form(&p, form, next.data, error);
	html_raw(&p.h, "</div>");
	page_end(&p, error == SAY_COUNT ? 200 : 422);
	buf_free(&next);
	buf_free(&title);
}

void page_sign_in(struct exchange *x)
{
	show_form(x, SAY_COUNT, http_query(x, "next"));
}

static bool form_ok(struct exchange *x)
{
	const char *given = http_form(x, "form");
	char seed[FORM_SEED_SIZE], form[33];

	if (!page_same_origin(x) || !given || strlen(given) != 32 || !form_seed(x, seed))
		return false;
	page_form_token(app_of(x), "sign-in", seed, form);
	return bytes_equal(given, form, 32);
}

/* Without the white space that pasting brings; false when it cannot be a token. */
static bool pasted_token(struct exchange *x, char out[STATE_TOKEN_SIZE])
{
	const char *t = http_form(x, "token");
	size_t len;

	if (!t)
		return false;
	t += strspn(t, " \t\r\n");
	len = strcspn(t, " \t\r\n");
	if (!len || len >= STATE_TOKEN_SIZE || t[len + strspn(t + len, " \t\r\n")])
		return false;
	memcpy(out, t, len);
	out[len] = '\0';
	return true;
}

void page_sign_in_post(struct exchange *x)
{
	const char *next = http_form(x, "next");
	enum http_language language = HTTP_FI;
	struct principal *who = NULL;
	char token[STATE_TOKEN_SIZE], id[17];
	struct ark_error err;
	int rc = ARK_ENOTFOUND;

	if (!form_ok(x)) {
		show_form(x, SAY_FORM_OLD, next);
		return;
	}
	if (pasted_token(x, token))
		rc = auth_principal(app_of(x), token, id, &who, &err);
	if (rc == ARK_ENOTFOUND) {
		show_form(x, SAY_TOKEN_WRONG, next);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		page_language(x, &language);
		set_cookie(x, session_name(x), token, "");
		if (url_local(next))
			http_reply_header(x, "Location", next);
		else
			http_reply_headerf(x, "Location", "/%s/", i18n_code(language));
		http_reply_empty(x, 303);
	}
	principal_unref(who);
	sodium_memzero(token, sizeof(token));
}

void page_sign_out(struct exchange *x)
{
	const char *given = http_form(x, "form");
	enum http_language language = HTTP_FI;
	char form[33];

	page_form_token(app_of(x), "sign-out", caller_of(x)->token_id, form);
	if (!page_same_origin(x) || !given || strlen(given) != 32 ||
	    !bytes_equal(given, form, 32)) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return;
	}
	page_language(x, &language);
	set_cookie(x, session_name(x), "", "; Max-Age=0");
	http_reply_headerf(x, "Location", "/%s/sign-in?out=1", i18n_code(language));
	http_reply_empty(x, 303);
}

/* ---- without a session ---- */

/* A link on another site: the browser has kept the session cookie back (SameSite=Strict). A page of
 * ours that leads to the same address gets it sent. */
static void show_continue(struct exchange *x, const char *url)
{
	enum http_language language = HTTP_FI;
	struct page p;

	page_language(x, &language);
	http_reply_headerf(x, "Refresh", "0; url=%s", url);
	page_begin(&p, x, i18n_text(language, SAY_CONTINUE));
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1><p>$</p><p><a href=\"$\">$</a></p></div>",
	    say(&p, SAY_APP), say(&p, SAY_CONTINUE_WHY), url, say(&p, SAY_CONTINUE));
	page_end(&p, 200);
}

void page_refuse(struct exchange *x)
{
	const char *site = http_header(x, "Sec-Fetch-Site");
	enum http_language language = HTTP_FI;
	struct buf here = BUF_INIT, url = BUF_INIT;
	bool get = strcmp(http_method(x), "POST") != 0;

	page_language(x, &language);
	url_of(&here, x, language);
	buf_addf(&url, "/%s/sign-in", i18n_code(language));
	if (get)
		url_add(&url, "next", here.data);
	if (buf_failed(&here) || buf_failed(&url)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else if (get && site &&
		   (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0)) {
		show_continue(x, here.data);
	} else {
		http_reply_header(x, "Location", url.data);
		http_reply_empty(x, 303);
	}
	buf_free(&here);
	buf_free(&url);
}
