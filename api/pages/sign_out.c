/* Signing out; and what a reader without a session is shown. */
#include <string.h>

#include "api/oidc.h"
#include "api/pages/forms.h"
#include "api/session.h"

/* ---- out ---- */

/* A form's redirection to another site is not allowed by our own policy for pages: a page leads there. */
static void show_provider_out(struct exchange *x, const char *url)
{
	struct page p;

	http_reply_headerf(x, "Refresh", "0; url=%s", url);
	form_page(&p, x, SAY_SIGNED_OUT_HERE, NULL);
	html_put(&p.h,
	    "<div class=\"narrow\"><h1>$</h1><p class=\"away\"><a href=\"$\">$</a></p></div>",
	    say(&p, SAY_SIGNED_OUT_HERE), url, say(&p, SAY_SIGN_OUT_PROVIDER));
	page_end(&p, 200);
}

static void leave(struct exchange *x)
{
	struct caller *c = caller_of(x);
	enum http_language language = HTTP_FI;
	struct buf url = BUF_INIT;
	struct ark_error err = {0};

	page_language(x, &language);
	if (session_leave(x, &err)) {
		http_reply_error(x, &err);
		return;
	}
	c->left = true;
	http_reply_header(x, "Clear-Site-Data", "\"cache\"");
	if (c->session && c->session->provider[0] && oidc_logout_url(app_of(x), c->session, &url) &&
	    !buf_failed(&url)) {
		show_provider_out(x, url.data);
	} else {
		http_reply_headerf(x, "Location", "/%s/sign-in?out=1", i18n_code(language));
		http_reply_empty(x, 303);
	}
	buf_free(&url);
}

void page_sign_out(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v)
		return;
	if (!page_form_sent(x, "sign-out")) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return;
	}
	r = visit_record(v, "sign-out");
	visit_log(x, &r, 1, leave);
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
	html_put(&p.h,
	    "<div class=\"narrow\"><h1>$</h1><p>$</p><p class=\"away\"><a "
	    "href=\"$\">$</a></p></div>",
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
