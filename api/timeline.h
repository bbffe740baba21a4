/* What happened at a unit, in order of time: documents with their visits, orders and their deadlines, cases, registration,
 * providers, names, places; of all units of units_line(): those that it follows have the past, those that follow it the present.
 *
 * Computed over what the caller may see, like every list: documents by the catalogue under the caller's sight, orders by
 * orders_find(), cases by case_is_visible(). One `list` entry and one `shown` entry for each document shown are durable
 * before show() runs.
 *
 * An event: {"date":"2026-03-12","kind":"document|visit|order|deadline|case-opened|case-closed|registration|provider|name|
 *   places|predecessor","unit":"koivula", then what the kind has:
 *   document, visit: "document","version","type","title","language","publicity","state","author","case","filedAt","new"
 *   order, deadline: "order" (an order of orders.h), "document"
 *   case-…: "case","diaryNumber","org","caseKind"
 *   registration: "state","diaryNumber"; provider: "provider"; name: "name"; places: "places"; predecessor: "predecessor"}
 * The fields of a document are those of its answer ("publicity" is the object); where its public rendition is what the caller
 * sees, no "case" and no visit. An order stands on the day of its document. "name" is as in the record: i18n_name() takes the event.
 * "new" is true when filed after the caller's last look at the unit (a mark of state.h); who has never looked has nothing new.
 *
 * Threads: handlers'.
 */
#ifndef ARKKI_API_TIMELINE_H
#define ARKKI_API_TIMELINE_H

#include "api/app.h"
#include "api/documents.h"

struct timeline_asked {   /* borrowed; NULL: not asked for */
	const char *unit; /* must be in the register */
	const char *kind; /* of event, or a document type */
	const char *from, *to, *cursor;
	unsigned int limit; /* 1..200 events */
	bool look;          /* this look moves the mark of "new" */
	bool events_only;   /* `orders` is not wanted, and not logged */
};

struct timeline {                /* the visit's `more` while show() runs */
	const json_t *events;    /* newest first */
	const json_t *orders;    /* all open ones of the unit, by deadline */
	uint64_t new_events;     /* among `events` */
	const char *next;        /* cursor, or NULL */
	struct listing *listing; /* rows of the documents shown */
};

/* Gathers, logs, then calls show() with the timeline. Everything that fails is replied. */
void timeline_show(struct exchange *x, const struct timeline_asked *asked,
    void (*show)(struct exchange *x, const struct timeline *t));

/* The unit and those that it follows, itself first, and those that follow it behind: a fresh array of ids. NULL: no memory. */
json_t *units_line(struct registry *r, const char *unit);

/* handlers: GET /v1/units/{u}/timeline, GET /v1/units/{u}/feed.atom */
void units_timeline(struct exchange *x);
void units_feed(struct exchange *x);

#endif
