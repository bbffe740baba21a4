/* A one-time link for somebody: shown once, and how to hand it over. */
#include <string.h>

#include <sodium.h>

#include "api/pages/accounts.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

void account_link_show(
    struct exchange *x, const json_t *user, struct accounts_link *link, bool fresh)
{
	enum say title = fresh ? SAY_LINK_INVITED : SAY_LINK_MADE;
	struct buf url = BUF_INIT;
	char until[I18N_SIZE];
	const char *code;
	struct page p;

	form_page(&p, x, title, NULL);
	code = i18n_code(p.language);
	i18n_time(until, p.language, link->expires_us);
	accounts_link_url(x, link, p.language, &url);
	sodium_memzero(link->code, sizeof(link->code));
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1><dl class=\"facts\">", say(&p, title));
	account_fact(&p, SAY_NAME, account_name(user, code));
	account_fact(&p, SAY_USER_ID, json_text(user, "id"));
	html_put(&p.h, "</dl><h2>$</h2><p dir=\"auto\">", say(&p, SAY_LINK_MADE));
	page_say(&p, SAY_LINK_WHAT, account_name(user, code), until);
	html_put(&p.h, "</p><p><code class=\"key\">$</code></p><p class=\"note\">$</p>", url.data,
	    say(&p, SAY_LINK_HOW));
	html_put(&p.h,
	    "<p><a class=\"button\" href=\"/$/accounts/$\">$</a></p>"
	    "<p><a href=\"/$/accounts?org=$\">$</a></p></div>",
	    code, json_text(user, "id"), say(&p, SAY_LINK_TO_ACCOUNT), code, json_text(user, "org"),
	    say(&p, SAY_LINK_TO_LIST));
	if (buf_failed(&url))
		p.h.out.failed = true;
	if (url.data)
		sodium_memzero(url.data, url.len);
	buf_free(&url);
	page_end(&p, 200);
}
