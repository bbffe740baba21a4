/* What happened at a unit, as its page shows it. */
#include <stdio.h>
#include <string.h>

#include "api/pages/cases.h"
#include "api/pages/unit.h"
#include "arkki/base/json.h"

enum { REPORTS = 5 };

/* ---- one event ---- */

static const char *kind_of(const json_t *event)
{
	const char *kind = json_text(event, "kind");

	return kind ? kind : "";
}

static void write_title(struct page *p, const json_t *event)
{
	html_put(&p->h, "<a href=\"/$/documents/$\"", i18n_code(p->language),
	    json_text(event, "document"));
	page_lang(p, json_text(event, "language"));
	html_put(&p->h, ">$</a>", json_text(event, "title"));
}

static void write_document(struct page *p, const json_t *event)
{
	const char *author = json_text(event, "author"), *type = json_text(event, "type");
	const json_t *publicity = json_object_get(event, "publicity");

	html_raw(&p->h, "<p class=\"what\">");
	write_title(p, event);
	html_raw(&p->h, "</p><p class=\"facts\">");
	if (type)
		page_name(p, "types", type);
	if (author) {
		html_raw(&p->h, " ");
		page_name(p, "orgs", author);
	}
	page_tags(p, json_text(publicity, "class"), json_text(event, "state"));
	html_raw(&p->h, "</p>");
}

static void write_order(struct page *p, const json_t *order)
{
	const struct words w = page_words(p);
	const char *document = json_text(order, "document"), *ground = json_text(order, "ground"),
		   *state = json_text(order, "state");
	struct buf due = BUF_INIT;

	html_put(&p->h, "<p class=\"what\"><a href=\"/$/orders/$\"", i18n_code(p->language),
	    json_text(order, "id"));
	page_lang(p, json_text(order, "language"));
	html_put(&p->h, ">$</a></p>", json_text(order, "text"));
	order_again(p, order);
	if (!state || strcmp(state, "open") == 0) {
		words_deadline(&w, &due, order);
		if (json_is_true(json_object_get(order, "overdue")))
			html_put(&p->h, "<p><strong class=\"overdue\">$</strong></p>", due.data);
		else
			html_put(&p->h, "<p>$</p>", due.data);
	}
	if (ground) {
		html_raw(&p->h, "<p class=\"facts\" dir=\"auto\">");
		page_say(p, SAY_UNIT_ORDER_GROUND, ground);
		html_raw(&p->h, "</p>");
	}
	if (document)
		html_put(&p->h, "<p class=\"facts\"><a href=\"/$/documents/$\">$</a></p>",
		    i18n_code(p->language), document, say(p, SAY_UNIT_ORDER_SOURCE));
	buf_free(&due);
}

static void write_what(struct page *p, const json_t *event)
{
	const struct words w = page_words(p);
	const json_t *order = json_object_get(event, "order");
	struct buf text = BUF_INIT;

	if (json_is_object(order)) {
		write_order(p, order);
	} else if (json_text(event, "document") && json_text(event, "title")) {
		write_document(p, event);
	} else {
		words_event_detail(&w, event, &text);
		html_raw(&p->h, "<p class=\"what\" dir=\"auto\">");
		if (json_text(event, "case"))
			html_put(&p->h, "<a href=\"/$/cases/$\">$</a>", i18n_code(p->language),
			    json_text(event, "case"), text.data);
		else
			html_text(&p->h, text.data);
		html_raw(&p->h, "</p>");
	}
	buf_free(&text);
}

static void write_event(struct page *p, const char *unit, const json_t *event)
{
	struct buf name = BUF_INIT;

	html_raw(&p->h, "<li class=\"event\"><p class=\"when\">");
	page_date(p, json_text(event, "date"));
	html_put(&p->h, " <span class=\"of\">$</span>", say(p, words_event(kind_of(event))));
	if (json_is_true(json_object_get(event, "new")))
		html_put(&p->h, " <strong class=\"tag tag-new\">$</strong>", say(p, SAY_NEW));
	if (words_elsewhere(event, unit)) {
		name_add(p, &name, "units", json_text(event, "unit"));
		html_raw(&p->h, " <span class=\"where\" dir=\"auto\">");
		page_say(p, SAY_TIMELINE_AT, name.data);
		html_raw(&p->h, "</span>");
	}
	html_raw(&p->h, "</p><div>");
	write_what(p, event);
	html_raw(&p->h, "</div></li>");
	buf_free(&name);
}

/* ---- orders and reports ---- */

void unit_orders(struct page *p, const json_t *orders)
{
	const json_t *order;
	size_t i;

	html_put(&p->h, "<section aria-labelledby=\"orders\"><h2 id=\"orders\">$</h2>",
	    say(p, SAY_UNIT_ORDERS));
	if (!json_array_size(orders))
		html_put(&p->h, "<p>$</p>", say(p, SAY_UNIT_ORDERS_NONE));
	else
		html_raw(&p->h, "<ul class=\"orders plain\">");
	json_array_foreach(orders, i, order)
	{
		html_raw(&p->h, "<li>");
		write_order(p, order);
		html_raw(&p->h, "</li>");
	}
	if (json_array_size(orders))
		html_raw(&p->h, "</ul>");
	html_raw(&p->h, "</section>");
}

void unit_reports(struct page *p, const json_t *events)
{
	const json_t *event;
	size_t i, n = 0;

	json_array_foreach(events, i, event)
	{
		if (n == REPORTS || strcmp(kind_of(event), "document") != 0 ||
		    !words_is_report(json_text(event, "type")))
			continue;
		if (!n++)
			html_put(&p->h,
			    "<section aria-labelledby=\"reports\"><h2 id=\"reports\">$</h2><ul "
			    "class=\"reports plain\">",
			    say(p, SAY_UNIT_REPORTS));
		html_raw(&p->h, "<li>");
		write_document(p, event);
		html_raw(&p->h, "<p class=\"facts\">");
		page_date(p, json_text(event, "date"));
		html_raw(&p->h, "</p></li>");
	}
	if (n)
		html_raw(&p->h, "</ul></section>");
}

/* ---- the timeline ---- */

static void write_option(struct page *p, const char *value, const char *label, const char *chosen)
{
	html_put(&p->h, "<option value=\"$\"", value);
	if (chosen && strcmp(chosen, value) == 0)
		html_raw(&p->h, " selected");
	html_put(&p->h, ">$</option>", label);
}

static void write_filter(struct page *p, const char *unit, const char *chosen)
{
	static const char *const kinds[] = {"document", "visit", "order", "deadline", "case-opened",
	    "case-closed", "registration", "provider", "name", "places", "predecessor"};
	json_t *types = registry_all(archive_registry(app_of(p->x)->archive), "types"), *type;
	size_t i;

	html_put(&p->h,
	    "<form class=\"kinds\" method=\"get\" action=\"/$/units/$#timeline\">"
	    "<div class=\"field\"><label for=\"kind\">$</label><div class=\"ask\">"
	    "<select id=\"kind\" name=\"kind\"><option value=\"\">$</option>",
	    i18n_code(p->language), unit, say(p, SAY_TIMELINE_KIND), say(p, SAY_ANY));
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		write_option(p, kinds[i], say(p, words_event(kinds[i])), chosen);
	html_put(&p->h, "<optgroup label=\"$\">", say(p, SAY_TYPE));
	json_array_foreach(types, i, type)
	{
		const char *id = json_text(type, "id");

		if (words_event(id) == SAY_EVENT_OTHER) /* "order" is an event too */
			write_option(p, id, i18n_name(p->language, type, NULL), chosen);
	}
	html_put(&p->h,
	    "</optgroup></select> <button class=\"quiet\">$</button></div></div></form>",
	    say(p, SAY_TIMELINE_SHOW));
	json_decref(types);
}

static void write_events(struct page *p, const char *unit, const json_t *events)
{
	char year[5] = "";
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		const char *date = json_text(event, "date");

		if (!date)
			continue;
		if (strncmp(year, date, 4) != 0) {
			if (year[0])
				html_raw(&p->h, "</ol>");
			snprintf(year, sizeof(year), "%.4s", date);
			html_put(&p->h, "<h3 class=\"year\">$</h3><ol class=\"events\">", year);
		}
		write_event(p, unit, event);
	}
	if (year[0])
		html_raw(&p->h, "</ol>");
	else
		html_put(&p->h, "<p>$</p>", say(p, SAY_TIMELINE_NONE));
}

static void write_turn(struct page *p, const char *unit, const char *kind, const char *cursor,
    const char *rel, enum say label)
{
	struct buf url = BUF_INIT;

	buf_addf(&url, "/%s/units/%s", i18n_code(p->language), unit);
	url_add(&url, "kind", kind);
	url_add(&url, "cursor", cursor);
	html_put(
	    &p->h, "<li><a rel=\"$\" href=\"$#timeline\">$</a></li>", rel, url.data, say(p, label));
	buf_free(&url);
}

void unit_timeline(
    struct page *p, const char *unit, const struct timeline *t, const char *kind, bool later)
{
	html_put(&p->h, "<section aria-labelledby=\"timeline\"><h2 id=\"timeline\">$</h2>",
	    say(p, SAY_UNIT_TIMELINE));
	write_filter(p, unit, kind);
	write_events(p, unit, t->events);
	if (later || t->next) {
		html_put(
		    &p->h, "<nav class=\"turn\" aria-label=\"$\"><ul>", say(p, SAY_UNIT_TIMELINE));
		if (later)
			write_turn(p, unit, kind, NULL, "prev", SAY_TIMELINE_NEWEST);
		if (t->next)
			write_turn(p, unit, kind, t->next, "next", SAY_TIMELINE_OLDER);
		html_raw(&p->h, "</ul></nav>");
	}
	html_raw(&p->h, "</section>");
}
