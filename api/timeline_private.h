/* The parts of the timeline: what is gathered before anything is opened, and what is said of it after the log.
 *
 * timeline_events.c   which events there are, and their order
 * timeline_records.c  those that stand in records: the unit, its cases
 * timeline.c          the story: gather, log, open, show
 * timeline_feed.c     the same as an Atom feed
 */
#ifndef ARKKI_API_TIMELINE_PRIVATE_H
#define ARKKI_API_TIMELINE_PRIVATE_H

#include "api/timeline.h"

enum event_kind { /* of one day the later stand first */
	EVENT_PREDECESSOR,
	EVENT_PLACES,
	EVENT_NAME,
	EVENT_PROVIDER,
	EVENT_REGISTRATION,
	EVENT_CASE_OPENED,
	EVENT_VISIT,
	EVENT_DOCUMENT,
	EVENT_ORDER,
	EVENT_CASE_CLOSED,
	EVENT_DEADLINE,
};
enum { EVENT_KINDS = EVENT_DEADLINE + 1 };

const char *event_kind_name(enum event_kind kind);
bool event_kind_parse(const char *name, enum event_kind *ret);

struct event {
	enum event_kind kind;
	char date[11];
	char at[208]; /* its place: day (of a feed: time of filing), kind, what it is of; unique */
	const char *unit;  /* borrowed from the line */
	char document[33]; /* of document, visit, order, deadline; else "" */
	uint32_t version;
	bool is_new;
	json_t *said; /* what a record says, an order; NULL: a document */
};

/* Which events are wanted, and those found so far. */
struct events {
	bool only_kind;
	enum event_kind kind;
	const char *type; /* of documents; NULL: any */
	const char *from, *to;
	const char *after; /* the place after which a page begins; NULL: at the newest */
	bool by_filing; /* of a feed: documents stand at their filing, nothing is in the future */
	char today[11];
	struct event *list;
	size_t n, cap;
};

/* Takes e->said. What is not wanted, or lies outside, is passed over. */
ARK_MUSTUSE int events_add(struct events *e, struct event *event, struct ark_error *err);
bool events_want(const struct events *e, enum event_kind kind);
/* Newest first; what is beyond the limit is dropped. True when something was. */
bool events_cut(struct events *e, unsigned int limit);
void events_free(struct events *e);

/* Of one unit's record. */
ARK_MUSTUSE int events_of_unit(
    struct events *e, struct registry *r, const char *unit, struct ark_error *err);
/* Of the cases about units of the line that the caller sees. */
ARK_MUSTUSE int events_of_cases(
    struct events *e, struct exchange *x, const json_t *line, struct ark_error *err);

/* timeline_show() of a feed: by time of filing, without what is still to come. */
void timeline_filed(struct exchange *x, const struct timeline_asked *asked,
    void (*show)(struct exchange *x, const struct timeline *t));

#endif
