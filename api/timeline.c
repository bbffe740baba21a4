/* The timeline of a unit: gather what the caller may see, log it, open it, show it.
 *
 * Everything is gathered before anything is opened: days, types and sequences are in the catalogue, the rest in
 * records, so that a page is cut out of all events of the line and its documents alone are logged and opened. */
#include "api/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/orders.h"
#include "api/timeline_private.h"
#include "arkki/archive/state.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum {
	LIMIT = 50,
	LIMIT_MAX = 200,
	UNIT_DOCUMENTS = 20000, /* of one unit, the newest: a bound for memory, not for people */
};

struct gathering {
	struct timeline shown; /* first: the visit's `more` is what show() takes */
	struct visit *v;
	void (*show)(struct exchange *x, const struct timeline *t);
	struct access_sight *sight;
	struct desk *desk;
	json_t *line;      /* of the unit */
	json_t *documents; /* id -> day, of every document seen on the way */
	json_t *orders, *shown_orders, *events;
	struct events found;
	const char *unit; /* being walked, borrowed from the line */
	struct listing *listing;
	struct buf after, next;
	char mark[160];
	uint64_t seen, now; /* sequences: of the last look, of the catalogue */
	bool looks;
	struct ark_error *err; /* during the gathering */
};

static void gathering_free(void *arg)
{
	struct gathering *g = arg;

	archive_desk_return(g->v->app->archive, g->desk);
	access_sight_unref(g->sight);
	json_decref(g->documents);
	json_decref(g->orders);
	json_decref(g->shown_orders);
	json_decref(g->events);
	events_free(&g->found);
	json_decref(g->line);
	if (g->listing)
		listing_free(g->listing);
	buf_free(&g->after);
	buf_free(&g->next);
	free(g);
}

/* ---- documents ---- */

/* When the caller could first see what the row shows. */
static uint64_t seen_since(const struct catalogue_row *row)
{
	return row->whole ? row->sequence : row->rendition.sequence;
}

static int add_document(
    struct gathering *g, enum event_kind kind, const struct catalogue_row *row, const char *date)
{
	struct event event = {.kind = kind,
	    .unit = g->unit,
	    .version = row->version,
	    .is_new = g->seen && seen_since(row) > g->seen};
	char place[CLOCK_TEXT_SIZE];

	snprintf(event.date, sizeof(event.date), "%.10s", date);
	snprintf(event.document, sizeof(event.document), "%s", row->document);
	if (g->found.by_filing)
		clock_format(place, row->whole ? row->filed_us : row->rendition.filed_us);
	else
		snprintf(place, sizeof(place), "%.10s", date);
	snprintf(event.at, sizeof(event.at), "%s %c %s", place, 'a' + (int)kind, row->document);
	return events_add(&g->found, &event, g->err);
}

/* A document about two units of the line is one: of the unit that is walked first. */
static int take_row(void *arg, const struct catalogue_row *row)
{
	struct gathering *g = arg;
	int rc;

	if (json_object_get(g->documents, row->document))
		return ARK_OK;
	if (json_object_set_new(g->documents, row->document, json_string(row->date)))
		return ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline");
	rc = add_document(g, EVENT_DOCUMENT, row, row->date);
	if (!rc && row->whole && row->visit_date[0])
		rc = add_document(g, EVENT_VISIT, row, row->visit_date);
	return rc;
}

static int gather_documents(struct gathering *g)
{
	struct catalogue_list list = {.type = g->found.type, .limit = UNIT_DOCUMENTS};
	int rc = ARK_OK;

	if (!events_want(&g->found, EVENT_DOCUMENT) && !events_want(&g->found, EVENT_VISIT))
		return ARK_OK;
	for (size_t i = 0; !rc && i < json_array_size(g->line); i++) {
		g->unit = list.unit = json_string_value(json_array_get(g->line, i));
		rc = catalogue_documents(g->desk->catalogue, &list, g->sight, take_row, g, g->err);
	}
	return rc;
}

/* The day of an order's document; "": the caller sees none. */
static int day_of(struct gathering *g, const char *document, char ret[11])
{
	const char *day = json_string_value(json_object_get(g->documents, document));
	struct catalogue_row row;
	int rc;

	ret[0] = '\0';
	if (day) {
		snprintf(ret, 11, "%s", day);
		return ARK_OK;
	}
	rc = catalogue_get(g->desk->catalogue, document, 0, g->sight, &row, g->err);
	if (rc)
		return rc == ARK_ENOTFOUND ? ARK_OK : rc;
	snprintf(ret, 11, "%s", row.date);
	catalogue_row_free(&row);
	return ARK_OK;
}

/* ---- orders ---- */

/* The first unit of the line that the order is about; NULL: none. */
static const char *unit_of_order(const struct gathering *g, const json_t *order)
{
	const json_t *units = json_object_get(order, "units"), *u, *v;
	size_t i, k;

	json_array_foreach(g->line, i, u)
	{
		json_array_foreach(units, k, v)
		{
			if (json_equal(u, v))
				return json_string_value(u);
		}
	}
	return NULL;
}

static int add_order(struct gathering *g, enum event_kind kind, json_t *order, const char *date)
{
	const char *id = json_text(order, "id"), *document = json_text(order, "document");
	struct event event = {.kind = kind, .unit = unit_of_order(g, order)};

	if (!id || !document || !date || !date[0] || !event.unit)
		return ARK_OK;
	snprintf(event.date, sizeof(event.date), "%.10s", date);
	snprintf(event.document, sizeof(event.document), "%.32s", document);
	snprintf(event.at, sizeof(event.at), "%s %c %.64s", event.date, 'a' + (int)kind, id);
	event.said = json_incref(order);
	return events_add(&g->found, &event, g->err);
}

static int gather_orders_of(struct gathering *g, const char *unit, json_t *known)
{
	const struct orders_asked asked = {.unit = unit};
	json_t *orders = NULL, *order;
	char day[11];
	size_t i;
	int rc = orders_find(g->v->x, &asked, &orders, g->err);

	json_array_foreach(orders, i, order)
	{
		const char *id = json_text(order, "id"), *document = json_text(order, "document");

		if (rc || !id || !document || json_object_get(known, id))
			continue;
		rc = json_object_set_new(known, id, json_true())
			 ? ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline")
			 : day_of(g, document, day);
		if (!rc)
			rc = add_order(g, EVENT_ORDER, order, day);
		if (!rc)
			rc = add_order(g, EVENT_DEADLINE, order, json_text(order, "deadline"));
	}
	json_decref(orders);
	return rc;
}

/* Of each unit of the line, an order once: orders_find() answers for a unit's predecessors too. */
static int gather_orders(struct gathering *g)
{
	json_t *known;
	int rc = ARK_OK;

	if (!events_want(&g->found, EVENT_ORDER) && !events_want(&g->found, EVENT_DEADLINE))
		return ARK_OK;
	known = json_object();
	if (!known)
		return ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline");
	for (size_t i = 0; !rc && i < json_array_size(g->line); i++)
		rc = gather_orders_of(g, json_string_value(json_array_get(g->line, i)), known);
	json_decref(known);
	return rc;
}

/* ---- what is logged ---- */

static bool listed(const struct listing *l, const char *document)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->rows[i].document, document) == 0)
			return true;
	return false;
}

/* The rows of the page: its documents, then those of its orders and of the open ones. */
static int gather_rows(struct gathering *g)
{
	json_t *orders = json_array();
	int rc = orders ? ARK_OK : ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline");

	for (size_t i = 0; !rc && i < g->found.n; i++) {
		const struct event *e = &g->found.list[i];
		struct catalogue_row row;

		if (e->said && e->document[0] && json_array_append(orders, e->said))
			rc = ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline");
		if (e->said || listed(g->listing, e->document))
			continue;
		rc = catalogue_get(
		    g->desk->catalogue, e->document, e->version, g->sight, &row, g->err);
		if (rc == ARK_ENOTFOUND) { /* hidden in this very moment */
			rc = ARK_OK;
			continue;
		}
		if (!rc) {
			rc = listing_keep(g->listing, &row)
				 ? ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline")
				 : ARK_OK;
			catalogue_row_free(&row);
		}
	}
	if (!rc)
		rc = orders_rows(g->v, orders, g->listing, g->err);
	if (!rc && g->orders)
		rc = orders_rows(g->v, g->orders, g->listing, g->err);
	json_decref(orders);
	return rc;
}

static const struct catalogue_row *row_of(const struct gathering *g, const char *document)
{
	for (size_t i = 0; i < g->listing->n; i++)
		if (strcmp(g->listing->rows[i].document, document) == 0)
			return &g->listing->rows[i];
	return NULL;
}

/* ---- opened ---- */

static json_t *event_begun(const struct event *e)
{
	return json_pack(
	    "{s:s,s:s,s:s}", "date", e->date, "kind", event_kind_name(e->kind), "unit", e->unit);
}

static json_t *document_event(
    const struct event *e, const struct catalogue_row *row, const struct card *card)
{
	static const char *const fields[] = {
	    "type", "title", "language", "publicity", "state", "author", "case"};
	json_t *event = event_begun(e);
	bool lost = !event;

	lost |= json_object_set_new(event, "document", json_string(row->document)) != 0;
	lost |= json_object_set_new(event, "version", json_integer(row->version)) != 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		json_t *v = json_object_get(card->fields, fields[i]);

		if (v)
			lost |= json_object_set(event, fields[i], v) != 0;
	}
	lost |= json_object_set_new(
		    event, "filedAt", json_string(json_text(card->version, "time"))) != 0;
	lost |= json_object_set_new(event, "new", json_boolean(e->is_new)) != 0;
	if (!lost)
		return event;
	json_decref(event);
	return NULL;
}

static json_t *record_event(const struct event *e)
{
	json_t *event = event_begun(e);
	bool lost;

	if (e->document[0])
		lost = json_object_set(event, "order", e->said) ||
		       json_object_set_new(event, "document", json_string(e->document));
	else
		lost = json_object_update(event, e->said) != 0;
	if (event && !lost)
		return event;
	json_decref(event);
	return NULL;
}

/* *ret NULL: nothing is there to show any more. */
static int open_event(
    struct gathering *g, const struct event *e, json_t **ret, struct ark_error *err)
{
	const struct catalogue_row *row = e->document[0] ? row_of(g, e->document) : NULL;
	struct card card = {0};
	int rc;

	*ret = NULL;
	if (e->document[0] && !row)
		return ARK_OK;
	if (e->said) {
		*ret = record_event(e);
	} else {
		rc = shown_card(g->v->app->archive, g->v->receipt, row, &card, err);
		if (rc)
			return rc;
		*ret = document_event(e, row, &card);
		card_free(&card);
	}
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a timeline");
}

static int open_events(struct gathering *g, struct ark_error *err)
{
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < g->found.n; i++) {
		const struct event *e = &g->found.list[i];
		json_t *event;

		rc = open_event(g, e, &event, err);
		if (rc || !event)
			continue;
		g->shown.new_events += e->is_new && e->kind == EVENT_DOCUMENT;
		if (json_array_append_new(g->events, event))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a timeline");
	}
	return rc;
}

static void after_log(struct exchange *x)
{
	struct gathering *g = visit_of(x)->more;
	struct ark_error err;
	int rc = open_events(g, &err);

	if (!rc && g->looks && !http_is_head(x))
		rc = state_mark_set(archive_state(g->v->app->archive), g->mark, g->now, &err);
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	g->shown.events = g->events;
	g->shown.orders = g->orders ? g->orders : g->shown_orders;
	g->shown.next = g->next.data;
	g->shown.listing = g->listing;
	g->show(x, &g->shown);
}

static void log_look(struct exchange *x, struct gathering *g)
{
	struct ledger_record *records = calloc(g->listing->n + 1, sizeof(*records));
	size_t n = 0;

	if (!records) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	records[n++] = visit_record(g->v, "list");
	for (size_t i = 0; i < g->listing->n; i++) {
		records[n] = visit_record(g->v, "shown");
		records[n].document = g->listing->rows[i].document;
		records[n++].version = g->listing->rows[i].version;
	}
	visit_log(x, records, n, after_log);
	free(records);
}

/* ---- asked ---- */

static bool refuse(struct exchange *x, const char *slug, const char *why)
{
	http_reply_problem(x, 400, slug, why, NULL);
	return false;
}

/* False: 400 is replied. */
static bool understood(struct gathering *g, const struct timeline_asked *asked)
{
	struct registry *r = archive_registry(g->v->app->archive);
	struct events *e = &g->found;

	e->from = asked->from && *asked->from ? asked->from : NULL;
	e->to = asked->to && *asked->to ? asked->to : NULL;
	if ((e->from && !date_valid(e->from)) || (e->to && !date_valid(e->to)))
		return refuse(g->v->x, "bad-query", "from and to are days, YYYY-MM-DD.");
	if (asked->kind && *asked->kind) {
		e->only_kind = event_kind_parse(asked->kind, &e->kind);
		e->type = e->only_kind ? NULL : asked->kind;
		if (e->type && !registry_has(r, "types", e->type))
			return refuse(g->v->x, "bad-query",
			    "kind must be a kind of event or a document type.");
	}
	if (asked->cursor && *asked->cursor) {
		if (cursor_read(g->v->app, "timeline", asked->cursor, &g->after, NULL) ||
		    !g->after.data)
			return refuse(g->v->x, "bad-cursor", "The cursor is malformed.");
		e->after = g->after.data;
	}
	return true;
}

static int open_orders(struct gathering *g, const struct timeline_asked *asked)
{
	const struct orders_asked open = {.unit = asked->unit, .state = "open"};

	return asked->events_only ? ARK_OK : orders_find(g->v->x, &open, &g->orders, g->err);
}

static int gather(struct gathering *g, const struct timeline_asked *asked)
{
	struct archive *a = g->v->app->archive;
	struct registry *r = archive_registry(a);
	unsigned int limit = asked->limit ? asked->limit : LIMIT;
	int rc;

	g->line = units_line(r, asked->unit);
	g->documents = json_object();
	g->events = json_array();
	g->shown_orders = json_array();
	if (!g->line || !g->documents || !g->events || !g->shown_orders)
		return ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline");
	rc = caller_sight(g->v->caller, &g->sight, g->err);
	if (!rc)
		rc = state_mark_get(archive_state(a), g->mark, &g->seen, g->err);
	if (!rc)
		rc = archive_desk(a, &g->desk, g->err);
	if (rc)
		return rc;
	/* first: what is filed from here on is new the next time */
	g->now = catalogue_sequence(g->desk->catalogue);
	rc = gather_documents(g);
	if (!rc)
		rc = gather_orders(g);
	for (size_t i = 0; !rc && i < json_array_size(g->line); i++)
		rc = events_of_unit(
		    &g->found, r, json_string_value(json_array_get(g->line, i)), g->err);
	if (!rc)
		rc = events_of_cases(&g->found, g->v->x, g->line, g->err);
	if (!rc && events_cut(&g->found, limit < LIMIT_MAX ? limit : LIMIT_MAX))
		cursor_write(g->v->app, "timeline", g->found.list[g->found.n - 1].at, &g->next);
	if (!rc)
		rc = open_orders(g, asked);
	if (!rc)
		rc = gather_rows(g);
	return rc || !buf_failed(&g->next)
		   ? rc
		   : ark_fail(g->err, ARK_ENOMEM, "no memory for a timeline");
}

static struct gathering *gathering_new(struct exchange *x, const struct timeline_asked *asked)
{
	struct visit *v = visit_of(x);
	struct gathering *g = v ? calloc(1, sizeof(*g)) : NULL;

	if (!g) {
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	g->listing = listing_new(x, v);
	if (!g->listing) {
		free(g);
		return NULL;
	}
	g->v = v;
	g->looks = asked->look;
	snprintf(
	    g->mark, sizeof(g->mark), "timeline %s %s", v->caller->who->access.user, asked->unit);
	v->more = g; /* and the listing with it */
	v->more_free = gathering_free;
	return g;
}

static void begin(struct exchange *x, const struct timeline_asked *asked, bool by_filing,
    void (*show)(struct exchange *x, const struct timeline *t))
{
	struct gathering *g;
	struct ark_error err;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	g = gathering_new(x, asked);
	if (!g)
		return;
	g->show = show;
	g->err = &err;
	g->found.by_filing = by_filing;
	clock_day(g->found.today, clock_now_us());
	if (!understood(g, asked))
		return;
	if (gather(g, asked)) {
		http_reply_error(x, &err);
		return;
	}
	/* while the log is waited for, others read */
	archive_desk_return(g->v->app->archive, g->desk);
	g->desk = NULL;
	log_look(x, g);
}

void timeline_show(struct exchange *x, const struct timeline_asked *asked,
    void (*show)(struct exchange *x, const struct timeline *t))
{
	begin(x, asked, false, show);
}

void timeline_filed(struct exchange *x, const struct timeline_asked *asked,
    void (*show)(struct exchange *x, const struct timeline *t))
{
	begin(x, asked, true, show);
}

/* ---- GET /v1/units/{u}/timeline ---- */

static void show_json(struct exchange *x, const struct timeline *t)
{
	http_reply_json(x, 200,
	    json_pack("{s:O,s:s?}", "events", (json_t *)(uintptr_t)t->events, "next", t->next));
}

void units_timeline(struct exchange *x)
{
	const char *look = http_query(x, "look");
	struct timeline_asked asked = {
	    .unit = http_param(x, 0),
	    .kind = http_query(x, "kind"),
	    .from = http_query(x, "from"),
	    .to = http_query(x, "to"),
	    .cursor = http_query(x, "cursor"),
	    .look = look && strcmp(look, "true") == 0,
	    .events_only = true,
	};

	if (!registry_has(archive_registry(app_of(x)->archive), "units", asked.unit))
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (limit_of(x, LIMIT, LIMIT_MAX, &asked.limit))
		timeline_show(x, &asked, show_json);
}
