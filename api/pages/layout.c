/* The frame of every page: head, header, footer; problems as pages; files of the web. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "api/audit_view.h"
#include "api/pages/accounts.h"
#include "api/pages/filing.h"
#include "api/session.h"
#include "arkki/api/http_range.h"
#include "arkki/base/text.h"

const char *say(const struct page *p, enum say what)
{
	return i18n_text(p->language, what);
}

/* ---- addresses ---- */

bool page_language(const struct exchange *x, enum http_language *ret)
{
	const char *path = http_path(x);

	for (int i = 0; i < I18N_LANGUAGES; i++) {
		const char *code = i18n_code((enum http_language)i);

		if (path[0] == '/' && strncmp(path + 1, code, 2) == 0 &&
		    (path[3] == '/' || !path[3])) {
			*ret = (enum http_language)i;
			return true;
		}
	}
	return false;
}

void url_add(struct buf *url, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_addc(url, url->data && strchr(url->data, '?') ? '&' : '?');
	percent_encode(url, name, strlen(name));
	buf_addc(url, '=');
	percent_encode(url, value, strlen(value));
}

static void add_query(void *arg, const char *name, const char *value)
{
	url_add(arg, name, value);
}

void url_of(struct buf *url, const struct exchange *x, enum http_language language)
{
	const char *rest = http_path(x);
	enum http_language own;

	if (page_language(x, &own))
		rest += 3;
	buf_addf(url, "/%s", i18n_code(language));
	while (*rest) {
		size_t len = strcspn(rest + 1, "/");

		buf_addc(url, '/');
		percent_encode(url, rest + 1, len);
		rest += 1 + len;
	}
	http_query_each(x, add_query, url);
}

bool url_local(const char *url)
{
	if (!url || strlen(url) > 2000)
		return false;
	if (strncmp(url, "/fi/", 4) != 0 && strncmp(url, "/sv/", 4) != 0 &&
	    strncmp(url, "/en/", 4) != 0)
		return false;
	/* a browser reads a backslash as a slash, and drops line ends before it looks */
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p == '\\' || *p == 0x7f || (*p == '/' && p[1] == '/'))
			return false;
	return true;
}

/* ---- forms ---- */

void page_form_token(const struct app *app, const char *use, const char *session, char out[33])
{
	char about[200];
	int n = snprintf(about, sizeof(about), "%s %s", use, session);

	archive_tag(app->archive, "form", about,
	    (size_t)n < sizeof(about) ? (size_t)n : sizeof(about) - 1, out);
}

void page_form_field(struct page *p, const char *use)
{
	char form[33];

	page_form_token(app_of(p->x), use, p->caller->token_id, form);
	html_put(&p->h, "<input type=\"hidden\" name=\"form\" value=\"$\">", form);
}

bool page_form_sent(struct exchange *x, const char *use)
{
	const char *given = http_form(x, "form");
	char form[33];

	page_form_token(app_of(x), use, caller_of(x)->token_id, form);
	return page_same_origin(x) && given && strlen(given) == 32 && bytes_equal(given, form, 32);
}

bool page_same_origin(const struct exchange *x)
{
	const char *site = http_header(x, "Sec-Fetch-Site"), *origin = http_header(x, "Origin");
	const char *host = http_header(x, "Host"), *url = session_settings(app_of(x))->url;
	const char *name = origin ? strstr(origin, "://") : NULL;
	size_t len = strlen(url);

	if (site)
		return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
	/* an older browser. "null" is what our own pages send, which tell nobody where their readers come from */
	if (!name || (host && strcasecmp(name + 3, host) == 0))
		return true;
	while (len && url[len - 1] == '/')
		len--;
	return len && strlen(origin) == len && strncasecmp(origin, url, len) == 0;
}

/* ---- the frame ---- */

static void write_languages(struct page *p)
{
	/* each language calls itself by its own name */
	static const char *const own[I18N_LANGUAGES] = {"Suomeksi", "På svenska", "In English"};

	html_put(&p->h, "<nav class=\"languages\" aria-label=\"$\"><ul>", say(p, SAY_LANGUAGES));
	for (int i = 0; i < I18N_LANGUAGES; i++) {
		const char *code = i18n_code((enum http_language)i);
		struct buf url = BUF_INIT;

		url_of(&url, p->x, (enum http_language)i);
		html_put(
		    &p->h, "<li><a href=\"$\" lang=\"$\" hreflang=\"$\"", url.data, code, code);
		if (i == (int)p->language)
			html_raw(&p->h, " aria-current=\"true\"");
		html_put(&p->h, ">$</a></li>", own[i]);
		buf_free(&url);
	}
	html_raw(&p->h, "</ul></nav>");
}

static void write_session(struct page *p)
{
	const struct caller *c = p->caller;
	char form[33];

	if (!c)
		return;
	page_form_token(app_of(p->x), "sign-out", c->token_id, form);
	html_put(&p->h,
	    "<form class=\"session\" method=\"post\" action=\"/$/sign-out\">"
	    "<a class=\"who\" href=\"/$/account\" dir=\"auto\">$<span class=\"hidden\">, "
	    "$</span></a>"
	    "<input type=\"hidden\" name=\"form\" value=\"$\">"
	    "<button class=\"plain\">$</button></form>",
	    i18n_code(p->language), i18n_code(p->language),
	    c->who->name ? c->who->name : c->who->access.user, say(p, SAY_ACCOUNT), form,
	    say(p, SAY_SIGN_OUT));
}

static void write_menu_link(struct page *p, const char *path, enum say label)
{
	const char *at = http_path(p->x);
	struct buf url = BUF_INIT;
	bool here, within;

	buf_addf(&url, "/%s%s", i18n_code(p->language), path);
	here = url.data && strcmp(at, url.data) == 0;
	within = url.data && path[1] && strncmp(at, url.data, url.len) == 0 && at[url.len] == '/';
	html_put(&p->h, "<li><a href=\"$\"", url.data);
	if (here || within)
		html_put(&p->h, " aria-current=\"$\"", here ? "page" : "true");
	html_put(&p->h, ">$</a></li>", say(p, label));
	buf_free(&url);
}

static void write_menu(struct page *p)
{
	if (!p->caller || p->caller->enrolling)
		return;
	html_put(&p->h, "<nav class=\"menu\" aria-label=\"$\"><ul>", say(p, SAY_MENU));
	write_menu_link(p, "/", SAY_SEARCH);
	write_menu_link(p, "/units", SAY_UNITS_MENU);
	write_menu_link(p, "/cases", SAY_CASES);
	write_menu_link(p, "/orders", SAY_ORDERS);
	if (filing_may(p->caller))
		write_menu_link(p, "/file", SAY_FILING);
	write_menu_link(p, "/saved", SAY_SAVED);
	if (accounts_may(p->caller->who, p->caller->who->access.org))
		write_menu_link(p, "/accounts", SAY_ACCOUNTS);
	if (audit_scope_of(p->caller) != AUDIT_NOTHING)
		write_menu_link(p, "/audit", SAY_AUDIT);
	if (caller_may(p->caller, ACCESS_ADMINISTER))
		write_menu_link(p, "/admin", SAY_ADMIN);
	html_raw(&p->h, "</ul></nav>");
}

static void write_header(struct page *p)
{
	const char *code = i18n_code(p->language);

	html_put(&p->h,
	    "<a class=\"skip\" href=\"#content\">$</a><header class=\"top\"><div class=\"wide\">"
	    "<a class=\"brand\" href=\"/$/\"><span class=\"name\">$</span> <span "
	    "class=\"what\">$</span></a>",
	    say(p, SAY_SKIP), code, say(p, SAY_APP), say(p, SAY_APP_WHAT));
	write_languages(p);
	write_session(p);
	write_menu(p);
	html_raw(&p->h, "</div></header>");
}

static void page_for(struct page *p, struct exchange *x)
{
	*p = (struct page){.x = x, .caller = caller_of(x), .language = http_language(x)};
	if (p->caller && p->caller->left)
		p->caller = NULL;
	page_language(x, &p->language);
}

void page_prepare(struct exchange *x)
{
	struct page p;

	page_for(&p, x);
	if (!p.caller || p.caller->top.data)
		return;
	write_header(&p);
	caller_of(x)->top = p.h.out;
}

static void write_top(struct page *p)
{
	if (p->caller && p->caller->top.data && !buf_failed(&p->caller->top))
		buf_add(&p->h.out, p->caller->top.data, p->caller->top.len);
	else
		write_header(p);
}

void page_begin(struct page *p, struct exchange *x, const char *title)
{
	page_begin_feed(p, x, title, NULL);
}

void page_begin_feed(struct page *p, struct exchange *x, const char *title, const char *feed)
{
	page_for(p, x);
	html_put(&p->h,
	    "<!doctype html>\n<html lang=\"$\"><head><meta charset=\"utf-8\"><title>$ – $</title>"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	    "<meta name=\"robots\" content=\"noindex\">"
	    "<link rel=\"icon\" href=\"/web/arkki.svg?v=$\" type=\"image/svg+xml\">"
	    "<link rel=\"stylesheet\" href=\"/web/arkki.css?v=$\">"
	    "<script src=\"/web/arkki.js?v=$\" defer></script>",
	    i18n_code(p->language), title, say(p, SAY_APP), app_of(x)->assets_tag,
	    app_of(x)->assets_tag, app_of(x)->assets_tag);
	if (feed)
		html_put(&p->h, "<link rel=\"alternate\" type=\"application/atom+xml\" href=\"$\">",
		    feed);
	html_raw(&p->h, "</head><body>");
	write_top(p);
	html_raw(&p->h, "<main id=\"content\" tabindex=\"-1\"><div class=\"wide\">");
	purpose_bar(p);
	accounts_notice(p);
}

static void page_headers(struct page *p)
{
	const char *kept = http_cookie(p->x, "lang");

	http_reply_header(p->x, "Content-Security-Policy",
	    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
	    "connect-src 'self'; form-action 'self'; "
	    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
	    "trusted-types 'none'");
	http_reply_header(p->x, "X-Frame-Options", "DENY");
	http_reply_header(p->x, "Cross-Origin-Opener-Policy", "same-origin");
	http_reply_header(p->x, "Cross-Origin-Resource-Policy", "same-origin");
	http_reply_header(p->x, "Cache-Control", "private, no-store");
	http_reply_header(p->x, "Content-Language", i18n_code(p->language));
	/* the root and the texts of problems follow the language last read */
	if (!kept || strcmp(kept, i18n_code(p->language)) != 0)
		http_reply_headerf(p->x, "Set-Cookie",
		    "lang=%s; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
		    i18n_code(p->language));
}

void page_end(struct page *p, int status)
{
	html_put(&p->h,
	    "</div></main><footer class=\"bottom\"><div "
	    "class=\"wide\"><p>$</p><p><a "
	    "href=\"/$/accessibility\">$</a></p></div></footer></body></html>\n",
	    p->caller ? say(p, SAY_LOGGED) : say(p, SAY_APP_WHAT), i18n_code(p->language),
	    say(p, SAY_ACCESSIBLE));
	page_headers(p);
	http_reply_buf(p->x, status, "text/html; charset=utf-8", &p->h.out);
}

/* ---- problems ---- */

static enum say help_for(int status)
{
	if (status == 404)
		return SAY_HELP_404;
	if (status == 403)
		return SAY_HELP_403;
	return status >= 500 ? SAY_HELP_LATER : SAY_HELP_REQUEST;
}

bool page_problem(struct exchange *x, int status)
{
	enum http_language language;
	const char *title;
	struct page p;

	/* 401 is never an answer of a page; the parts of a download are asked for by a program */
	if (!page_language(x, &language) || status == 416 || !app_of(x)->assets_tag[0])
		return false;
	title = problem_title(status, language);
	page_begin(&p, x, title);
	html_put(
	    &p.h, "<div class=\"narrow\"><h1>$</h1><p>$</p>", title, say(&p, help_for(status)));
	html_put(&p.h, "<p><a href=\"/$/\">$</a></p></div>", i18n_code(language),
	    say(&p, SAY_TO_SEARCH));
	page_end(&p, status);
	return true;
}

void page_root(struct exchange *x)
{
	http_reply_header(x, "Vary", "Accept-Language, Cookie");
	http_reply_headerf(x, "Location", "/%s/", i18n_code(http_language(x)));
	http_reply_empty(x, 303);
}
