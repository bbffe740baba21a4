/* What its documents and orders say of how far a case is, in words. What the reader may not see is not among them, so a step
 * without a document says just that. */
#include "api/pages/cases.h"

#include <string.h>

#include "arkki/base/json.h"

enum { TYPES_MAX = 8 };

struct step {
	enum say said;
	const char *types[TYPES_MAX]; /* of the documents that are it */
};

static const struct step steps[] = {
    {SAY_CASE_STEP_ASKED, {"request-for-account"}},
    {SAY_CASE_STEP_ACCOUNT, {"account"}},
    {SAY_CASE_STEP_REPORT, {"inspection-report", "guidance-visit-memo", "pre-inspection",
			       "ombudsman-inspection-record"}},
    {SAY_CASE_STEP_HEARING, {"hearing-letter"}},
    {SAY_CASE_STEP_REPLY, {"hearing-reply", "objection-reply"}},
    {SAY_CASE_STEP_DECISION, {"supervision-decision", "order", "admonition", "complaint-decision",
				 "registration-decision"}},
};
enum { STEPS = sizeof(steps) / sizeof(*steps) };

enum say case_state_said(const json_t *record)
{
	static const struct {
		const char *code;
		enum say said;
	} states[] = {
	    {"opened", SAY_CASE_STATE_OPENED},
	    {"heard", SAY_CASE_STATE_HEARD},
	    {"decided", SAY_CASE_STATE_DECIDED},
	    {"follow-up", SAY_CASE_STATE_FOLLOWED},
	    {"closed", SAY_CASE_STATE_CLOSED},
	};
	const char *state = json_text(record, "state");

	for (size_t i = 0; state && i < sizeof(states) / sizeof(*states); i++)
		if (strcmp(state, states[i].code) == 0)
			return states[i].said;
	return json_text(record, "closed") ? SAY_CASE_STATE_CLOSED : SAY_CASE_STATE_UNKNOWN;
}

static bool closed(const json_t *record)
{
	return case_state_said(record) == SAY_CASE_STATE_CLOSED;
}

static bool of_step(const struct step *s, const struct catalogue_row *row)
{
	for (size_t i = 0; i < TYPES_MAX && s->types[i]; i++)
		if (strcmp(s->types[i], row->type) == 0)
			return true;
	return false;
}

static void step_begin(struct page *p, enum say said)
{
	html_put(&p->h, "<li><h3>$</h3><p class=\"facts\"><span>", say(p, said));
}

static void step_end(struct page *p)
{
	html_raw(&p->h, "</span></p></li>");
}

static void write_day(struct page *p, enum say said, const char *day, enum say otherwise)
{
	step_begin(p, said);
	if (day)
		page_date(p, day);
	else
		html_text(&p->h, say(p, otherwise));
	step_end(p);
}

static void write_step(struct page *p, const struct step *s, const struct case_document *documents,
    size_t n, bool over)
{
	size_t found = 0;

	step_begin(p, s->said);
	for (size_t i = 0; i < n; i++) {
		const struct catalogue_row *row = documents[i].row;

		if (!of_step(s, row))
			continue;
		if (found++)
			html_raw(&p->h, "</span> <span>");
		page_date(p, row->date);
		html_put(
		    &p->h, " <a href=\"/$/documents/$\"", i18n_code(p->language), row->document);
		page_lang(p, row->language);
		html_put(&p->h, ">$</a>", json_text(documents[i].card.fields, "title"));
	}
	if (!found)
		html_text(&p->h, say(p, over ? SAY_CASE_STEP_NONE : SAY_CASE_STEP_NOT_YET));
	step_end(p);
}

static void write_follow(struct page *p, const json_t *orders)
{
	json_t *order;
	size_t i, open = 0;
	char count[I18N_SIZE];

	json_array_foreach(orders, i, order)
	{
		open += strcmp(json_text(order, "state"), "open") == 0;
	}
	if (!json_array_size(orders))
		return;
	step_begin(p, SAY_CASE_STEP_FOLLOW);
	i18n_number(count, p->language, open);
	if (open)
		page_say(p, i18n_plural(SAY_CASE_STEP_OPEN_ORDERS, open), count);
	else
		html_text(&p->h, say(p, SAY_CASE_STEP_ORDERS_DONE));
	step_end(p);
}

/* ---- who has it next ---- */

static const json_t *first_open(const json_t *orders)
{
	const json_t *order;
	size_t i;

	json_array_foreach(orders, i, order)
	{
		if (strcmp(json_text(order, "state"), "open") == 0 && json_text(order, "deadline"))
			return order;
	}
	return NULL;
}

static void say_order(struct page *p, const json_t *order)
{
	bool late = json_is_true(json_object_get(order, "overdue"));
	char day[I18N_SIZE];

	i18n_date(day, json_text(order, "deadline"));
	page_say(p, late ? SAY_CASE_NEXT_ORDERS_LATE : SAY_CASE_NEXT_ORDERS, day);
}

static void say_units(struct page *p, enum say said, const json_t *record)
{
	struct buf names = BUF_INIT;
	json_t *unit;
	size_t i;

	json_array_foreach(json_object_get(record, "units"), i, unit)
	{
		buf_adds(&names, i ? ", " : "");
		name_add(p, &names, "units", json_string_value(unit));
	}
	page_say(p, said, names.data ? names.data : "");
	buf_free(&names);
}

static void say_org(struct page *p, const json_t *record)
{
	struct buf name = BUF_INIT;

	name_add(p, &name, "orgs", json_text(record, "org"));
	page_say(p, SAY_CASE_NEXT_ORG, name.data);
	buf_free(&name);
}

/* By the newest final document that anybody waits for an answer to. */
static void write_next(struct page *p, const json_t *record, const struct case_document *documents,
    size_t n, const json_t *orders)
{
	const json_t *order = first_open(orders);
	const char *last = "";

	for (size_t i = 0; i < n; i++)
		if (strcmp(documents[i].row->state, "draft") != 0)
			last = documents[i].row->type;
	html_put(&p->h, "<h3>$</h3><p>", say(p, SAY_CASE_NEXT));
	if (closed(record))
		html_text(&p->h, say(p, SAY_CASE_NEXT_NOBODY));
	else if (strcmp(last, "request-for-account") == 0)
		say_units(p, SAY_CASE_NEXT_ACCOUNT, record);
	else if (strcmp(last, "hearing-letter") == 0)
		say_units(p, SAY_CASE_NEXT_REPLY, record);
	else if (order)
		say_order(p, order);
	else
		say_org(p, record);
	html_raw(&p->h, "</p>");
}

void case_steps(struct page *p, const json_t *record, const struct case_document *documents,
    size_t n, const json_t *orders)
{
	const char *opened = json_text(record, "opened");
	size_t reached = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t s = 0; s < STEPS; s++)
			if (of_step(&steps[s], documents[i].row) && s + 1 > reached)
				reached = s + 1;
	html_put(&p->h,
	    "<section aria-labelledby=\"way\"><h2 id=\"way\">$</h2><ol class=\"versions\">",
	    say(p, SAY_CASE_WAY));
	write_day(p, SAY_CASE_STEP_OPENED,
	    opened ? opened
	    : n    ? documents[0].row->date
		   : NULL,
	    SAY_CASE_STEP_NONE);
	/* what was passed by is not still to come */
	for (size_t s = 0; s < STEPS; s++)
		write_step(p, &steps[s], documents, n, closed(record) || s < reached);
	write_follow(p, orders);
	write_day(p, SAY_CASE_STEP_CLOSED, json_text(record, "closed"), SAY_CASE_STEP_NOT_YET);
	html_raw(&p->h, "</ol>");
	write_next(p, record, documents, n, orders);
	html_raw(&p->h, "</section>");
}
