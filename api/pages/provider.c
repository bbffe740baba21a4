/* How signing in at an organisation's own identity provider went. A page of its own, so that the answer of the provider does not
 * stay in the address; and a page of ours leads on from here, so that the browser brings its new session along, which it keeps back
 * on the way from another site (SameSite=Strict). */
#include <string.h>

#include "api/pages/pages.h"

static const struct outcome {
	const char *word;
	int status;
	enum say what;
} outcomes[] = {
    {"old", 400, SAY_PROVIDER_OLD},
    {"down", 503, SAY_PROVIDER_DOWN},
    {"cancelled", 403, SAY_PROVIDER_CANCELLED},
    {"nobody", 403, SAY_PROVIDER_NOBODY},
    {"wrong", 403, SAY_PROVIDER_WRONG},
};

static void show_done(struct exchange *x, const char *next)
{
	enum http_language language = HTTP_FI;
	struct buf url = BUF_INIT;
	struct page p;

	page_language(x, &language);
	buf_addf(&url, "/%s/", i18n_code(language));
	if (next && url_local(next) && !buf_failed(&url)) {
		buf_clear(&url);
		buf_adds(&url, next);
	}
	if (buf_failed(&url)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		goto out;
	}
	http_reply_headerf(x, "Refresh", "0; url=%s", url.data);
	page_begin(&p, x, i18n_text(language, SAY_PROVIDER_DONE));
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1><p><a href=\"$\">$</a></p></div>",
	    say(&p, SAY_PROVIDER_DONE), url.data, say(&p, SAY_CONTINUE));
	page_end(&p, 200);
out:
	buf_free(&url);
}

void page_provider(struct exchange *x)
{
	const char *word = http_query(x, "outcome"), *next = http_query(x, "next");
	const struct outcome *o = &outcomes[sizeof(outcomes) / sizeof(*outcomes) - 1];
	struct buf back = BUF_INIT;
	enum http_language language = HTTP_FI;
	struct page p;

	if (word && strcmp(word, "done") == 0) {
		show_done(x, next);
		return;
	}
	for (size_t i = 0; word && i < sizeof(outcomes) / sizeof(*outcomes); i++)
		if (strcmp(outcomes[i].word, word) == 0)
			o = &outcomes[i];
	if (o->status == 503)
		http_reply_header(x, "Retry-After", "30");
	page_language(x, &language);
	page_begin(&p, x, i18n_text(language, SAY_SIGN_IN_FAILED));
	buf_addf(&back, "/%s/sign-in", i18n_code(language));
	url_add(&back, "next", next && url_local(next) ? next : NULL);
	html_put(&p.h,
	    "<div class=\"narrow\"><h1>$</h1><p role=\"alert\">$</p><p><a "
	    "href=\"$\">$</a></p></div>",
	    say(&p, SAY_SIGN_IN_FAILED), say(&p, o->what), back.data ? back.data : "/",
	    say(&p, SAY_PROVIDER_AGAIN));
	page_end(&p, o->status);
	buf_free(&back);
}
