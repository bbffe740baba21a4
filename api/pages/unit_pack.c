/* The visit pack: one click on the page of the unit, or a purpose first on a page of its own. */
#include <string.h>

#include "api/pack.h"
#include "api/pages/unit.h"
#include "api/pages/units.h"
#include "api/past_work.h"
#include "arkki/base/json.h"

static void show_form(struct exchange *x, const struct stated *s)
{
	json_t *unit =
	    registry_get(archive_registry(app_of(x)->archive), "units", http_param(x, 0));
	enum http_language language = HTTP_FI;
	struct buf title = BUF_INIT;
	const char *id;
	struct page p;

	if (!unit) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	id = json_text(unit, "id");
	page_language(x, &language);
	if (purpose_wrong(s))
		buf_addf(&title, "%s: ", i18n_text(language, SAY_ERROR));
	buf_addf(&title, "%s: %s", i18n_text(language, SAY_PACK), i18n_name(language, unit, NULL));
	page_begin(&p, x, title.data);
	html_raw(&p.h, "<article>");
	if (purpose_wrong(s))
		purpose_errors(&p, s, SAY_PACK_FAILED);
	html_put(&p.h, "<p class=\"kind\"><span>$</span></p><h1>", say(&p, SAY_PACK));
	page_name(&p, "units", id);
	html_put(&p.h,
	    "</h1><p>$</p><p>$</p><form class=\"stack\" method=\"post\" "
	    "action=\"/$/units/$/pack\" novalidate>",
	    say(&p, SAY_PACK_WHAT), say(&p, SAY_PACK_PURPOSE), i18n_code(p.language), id);
	purpose_fields(&p, s, NULL);
	html_put(&p.h,
	    "<div class=\"act\"><button name=\"as\" value=\"pdf\">$</button>"
	    "<button name=\"as\" value=\"zip\">$</button></div></form>"
	    "<p class=\"back\"><a href=\"/$/units/$\">$</a></p></article>",
	    say(&p, SAY_PACK_PDF), say(&p, SAY_PACK_ZIP), i18n_code(p.language), id,
	    say(&p, SAY_PACK_BACK));
	page_end(&p, purpose_wrong(s) ? 422 : 200);
	buf_free(&title);
	json_decref(unit);
}

void page_unit_pack(struct exchange *x)
{
	show_form(x, &(struct stated){0});
}

static void make(struct exchange *x, const struct timeline *t)
{
	const char *as = http_form(x, "as");
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	pack_begin(
	    x, t, http_param(x, 0), as && strcmp(as, "zip") == 0 ? PACK_ZIP : PACK_PDF, language);
}

void page_unit_pack_post(struct exchange *x)
{
	const struct timeline_asked what = pack_asked(http_param(x, 0));
	struct stated s = {0};
	struct ark_error err = {0};

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	if (!registry_has(archive_registry(app_of(x)->archive), "units", what.unit)) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	/* the button on the page of the unit states nothing */
	if (http_form(x, "purpose") || http_form(x, "case")) {
		if (purpose_read(x, &s, &err)) {
			http_reply_error(x, &err);
			return;
		}
	} else if (!page_form_sent(x, "open")) {
		s = (struct stated){.sent = true,
		    .form_wrong = SAY_FORM_OLD,
		    .purpose_wrong = SAY_COUNT,
		    .case_wrong = SAY_COUNT};
	}
	if (purpose_wrong(&s))
		show_form(x, &s);
	else if (past_work_room(x))
		timeline_show(x, &what, make);
}
