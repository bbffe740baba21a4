/* For what this session reads, on every page; and the end of it. */
#include <string.h>

#include "api/handlers.h"
#include "api/pages/pages.h"
#include "api/purpose_kept.h"
#include "arkki/archive/credentials.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static void write_one(struct page *p, const struct purpose_kept *kept, const char *back)
{
	json_t *record =
	    registry_get(archive_registry(app_of(p->x)->archive), "cases", kept->case_id);
	/* who stated a case by an id that they may not look up is told no more of it */
	const char *number =
	    record && case_is_visible(p->x, record) ? json_text(record, "diaryNumber") : NULL;

	number = number ? number : kept->case_id;
	html_raw(&p->h, "<li><span dir=\"auto\">");
	page_say(p, SAY_KEPT, number, kept->purpose);
	html_put(&p->h, "</span> <form method=\"post\" action=\"/$/purpose/end\">",
	    i18n_code(p->language));
	page_form_field(p, "purpose-end");
	html_put(&p->h,
	    "<input type=\"hidden\" name=\"case\" value=\"$\"><input type=\"hidden\" name=\"back\" "
	    "value=\"$\"><button class=\"quiet\">$<span class=\"hidden\">: "
	    "$</span></button></form></li>",
	    kept->case_id, back, say(p, SAY_KEPT_END), number);
	json_decref(record);
}

void purpose_bar(struct page *p)
{
	struct purpose_kept kept[PURPOSES_MAX];
	size_t n = purpose_kept_by(app_of(p->x), p->caller, kept);
	struct buf back = BUF_INIT;

	if (!n)
		return;
	url_of(&back, p->x, p->language);
	html_put(&p->h, "<section class=\"kept\" aria-label=\"$\"><ul>", say(p, SAY_KEPT_LABEL));
	for (size_t i = 0; i < n; i++)
		write_one(p, &kept[i], back.data ? back.data : "");
	html_raw(&p->h, "</ul></section>");
	buf_free(&back);
	explicit_bzero(kept, sizeof(kept));
}

void page_purpose_end(struct exchange *x)
{
	const struct caller *c = caller_of(x);
	const char *case_id = http_form(x, "case"), *back = http_form(x, "back");
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	if (!page_form_sent(x, "purpose-end")) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return;
	}
	if (c->session && case_id && id_valid(case_id))
		purposes_end(app_of(x)->purposes, c->session->id, case_id);
	if (url_local(back))
		http_reply_header(x, "Location", back);
	else
		http_reply_headerf(x, "Location", "/%s/", i18n_code(language));
	http_reply_empty(x, 303);
}
