/* The page of a unit: what a supervisor reads before a visit. One look is one list entry and one for each document that
 * is shown (timeline.h). */
#include <stdlib.h>
#include <string.h>

#include "api/pages/filing.h"
#include "api/pages/unit.h"
#include "api/pages/units.h"
#include "api/registers.h"
#include "arkki/base/json.h"

/* ---- facts ---- */

static void write_fact(void *arg, enum say label, const char *value, const char *source)
{
	struct page *p = arg;

	fact_begin(p, label);
	html_put(&p->h, " dir=\"auto\">$", value);
	if (*source)
		html_put(&p->h, "<span class=\"source\">$</span>", source);
	html_raw(&p->h, "</dd></div>");
}

static void write_past_link(struct page *p, const char *unit)
{
	struct buf name = BUF_INIT;

	name_add(p, &name, "units", unit);
	html_put(
	    &p->h, "<a href=\"/$/units/$#timeline\" dir=\"auto\">", i18n_code(p->language), unit);
	page_say(p, SAY_UNIT_PAST_OF, name.data);
	html_raw(&p->h, "</a> ");
	buf_free(&name);
}

static void write_predecessors(struct page *p, const json_t *unit)
{
	const json_t *list = json_object_get(unit, "predecessors"), *one;
	size_t i;

	if (!json_array_size(list))
		return;
	fact_begin(p, SAY_UNIT_FOLLOWS);
	html_raw(&p->h, ">");
	json_array_foreach(list, i, one)
	{
		if (json_is_string(one))
			write_past_link(p, json_string_value(one));
	}
	html_raw(&p->h, "</dd></div>");
}

static bool follows(const json_t *unit, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(unit, "predecessors"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), id) == 0)
			return true;
	}
	return false;
}

static void write_successors(struct page *p, const char *id)
{
	json_t *all = registry_all(archive_registry(app_of(p->x)->archive), "units"), *unit;
	bool any = false;
	size_t i;

	json_array_foreach(all, i, unit)
	{
		if (!follows(unit, id))
			continue;
		if (!any) {
			fact_begin(p, SAY_UNIT_FOLLOWED);
			html_raw(&p->h, ">");
		}
		any = true;
		html_put(&p->h, "<a href=\"/$/units/$\">", i18n_code(p->language),
		    json_text(unit, "id"));
		page_name(p, "units", json_text(unit, "id"));
		html_raw(&p->h, "</a> ");
	}
	if (any)
		html_raw(&p->h, "</dd></div>");
	json_decref(all);
}

static void write_facts(struct page *p, const json_t *unit)
{
	const struct words w = page_words(p);

	html_put(&p->h,
	    "<section aria-labelledby=\"facts\"><h2 id=\"facts\">$</h2><dl class=\"facts\">",
	    say(p, SAY_UNIT_FACTS));
	words_facts(&w, unit, write_fact, p);
	write_predecessors(p, unit);
	write_successors(p, json_text(unit, "id"));
	html_raw(&p->h, "</dl></section>");
}

/* ---- what can be done here ---- */

static void write_pack(struct page *p, const char *id)
{
	const char *code = i18n_code(p->language);

	html_put(&p->h,
	    "<section class=\"pack\" aria-labelledby=\"pack\"><h2 id=\"pack\">$</h2><p>$</p>"
	    "<form method=\"post\" action=\"/$/units/$/pack\">",
	    say(p, SAY_PACK), say(p, SAY_PACK_WHAT), code, id);
	page_form_field(p, "open");
	html_put(&p->h,
	    "<div class=\"act\"><button name=\"as\" value=\"pdf\">$</button>"
	    "<button name=\"as\" value=\"zip\">$</button></div></form>"
	    "<p><a href=\"/$/units/$/pack\">$</a></p></section>",
	    say(p, SAY_PACK_PDF), say(p, SAY_PACK_ZIP), code, id, say(p, SAY_PACK_PURPOSE_LINK));
}

static void write_ways(struct page *p, const char *id, const char *feed)
{
	const char *code = i18n_code(p->language);

	html_put(&p->h, "<ul class=\"ways plain\"><li><a href=\"/$/?unit=$\">$</a></li>", code, id,
	    say(p, SAY_UNIT_DOCUMENTS));
	if (filing_may(p->caller))
		html_put(&p->h, "<li><a href=\"/$/file?unit=$\">$</a></li>", code, id,
		    say(p, SAY_UNIT_FILE));
	html_put(&p->h, "<li><a href=\"$\">$</a></li></ul>", feed, say(p, SAY_TIMELINE_FEED));
}

/* ---- the page ---- */

static const char *asked(const struct exchange *x, const char *name)
{
	const char *v = http_query(x, name);

	return v && *v ? v : NULL;
}

static void write_new(struct page *p, uint64_t fresh)
{
	char count[I18N_SIZE];

	if (!fresh)
		return;
	i18n_number(count, p->language, fresh);
	html_raw(&p->h, "<p class=\"note\"><a href=\"#timeline\">");
	page_say(p, i18n_plural(SAY_TIMELINE_NEW, fresh), count);
	html_raw(&p->h, "</a></p>");
}

static void write_unit(
    struct page *p, const json_t *unit, const struct timeline *t, const char *feed)
{
	const char *id = json_text(unit, "id"), *form = json_text(unit, "serviceForm");
	const char *kind = asked(p->x, "kind"), *cursor = asked(p->x, "cursor");
	bool first = !kind && !cursor;

	html_raw(&p->h, "<article class=\"unit\"><header class=\"head\">");
	if (form)
		html_put(&p->h, "<p class=\"kind\"><span>$</span></p>",
		    words_service_form(p->language, form));
	html_raw(&p->h, "<h1>");
	page_name(p, "units", id);
	html_raw(&p->h, "</h1></header>");
	write_new(p, t->new_events);
	write_facts(p, unit);
	unit_orders(p, t->orders);
	if (first)
		unit_reports(p, t->events);
	write_pack(p, id);
	write_ways(p, id, feed);
	unit_timeline(p, id, t, kind, cursor != NULL);
	html_raw(&p->h, "</article>");
}

static void show_unit(struct exchange *x, const struct timeline *t)
{
	json_t *record =
	    registry_get(archive_registry(app_of(x)->archive), "units", http_param(x, 0));
	json_t *unit = record ? unit_shown(x, record) : NULL;
	enum http_language language = HTTP_FI;
	struct buf feed = BUF_INIT;
	struct page p;

	page_language(x, &language);
	if (!unit) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		json_decref(record);
		return;
	}
	buf_addf(&feed, "/v1/units/%s/feed.atom", json_text(unit, "id"));
	page_begin_feed(&p, x, i18n_name(language, unit, NULL), feed.data);
	write_unit(&p, unit, t, feed.data);
	page_end(&p, 200);
	buf_free(&feed);
	json_decref(unit);
	json_decref(record);
}

void page_unit(struct exchange *x)
{
	const char *kind = asked(x, "kind"), *cursor = asked(x, "cursor");
	const struct timeline_asked what = {.unit = http_param(x, 0),
	    .kind = kind,
	    .cursor = cursor,
	    .limit = UNIT_EVENTS,
	    .look = !kind && !cursor};

	if (registry_has(archive_registry(app_of(x)->archive), "units", what.unit))
		timeline_show(x, &what, show_unit);
	else
		http_reply_problem(x, 404, "not-found", NULL, NULL);
}
