/* Events: which there are, and their order. Also the line of a unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/timeline_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { LINE_UNITS = 64 }; /* of one line, as of organisations */

static const char *const names[EVENT_KINDS] = {
    [EVENT_PREDECESSOR] = "predecessor",
    [EVENT_PLACES] = "places",
    [EVENT_NAME] = "name",
    [EVENT_PROVIDER] = "provider",
    [EVENT_REGISTRATION] = "registration",
    [EVENT_CASE_OPENED] = "case-opened",
    [EVENT_VISIT] = "visit",
    [EVENT_DOCUMENT] = "document",
    [EVENT_ORDER] = "order",
    [EVENT_CASE_CLOSED] = "case-closed",
    [EVENT_DEADLINE] = "deadline",
};

const char *event_kind_name(enum event_kind kind)
{
	return names[kind];
}

bool event_kind_parse(const char *name, enum event_kind *ret)
{
	for (size_t i = 0; i < EVENT_KINDS; i++)
		if (strcmp(names[i], name) == 0) {
			*ret = (enum event_kind)i;
			return true;
		}
	return false;
}

bool events_want(const struct events *e, enum event_kind kind)
{
	if (e->type)
		return kind == EVENT_DOCUMENT || kind == EVENT_VISIT;
	if (e->by_filing && (kind == EVENT_VISIT || kind == EVENT_DEADLINE))
		return false; /* their document or order is in the feed, once */
	return !e->only_kind || e->kind == kind;
}

static bool within(const struct events *e, const struct event *event)
{
	if (!events_want(e, event->kind) || !date_valid(event->date))
		return false;
	if ((e->from && strcmp(event->date, e->from) < 0) ||
	    (e->to && strcmp(event->date, e->to) > 0))
		return false;
	if (e->by_filing && strcmp(event->date, e->today) > 0 && event->kind != EVENT_DOCUMENT)
		return false;
	return !e->after || strcmp(event->at, e->after) < 0;
}

int events_add(struct events *e, struct event *event, struct ark_error *err)
{
	if (!within(e, event)) {
		json_decref(event->said);
		return ARK_OK;
	}
	if (e->n == e->cap) {
		size_t cap = e->cap ? e->cap * 2 : 128;
		struct event *list = realloc(e->list, cap * sizeof(*list));

		if (!list) {
			json_decref(event->said);
			return ark_fail(err, ARK_ENOMEM, "no memory for a timeline");
		}
		e->list = list;
		e->cap = cap;
	}
	e->list[e->n++] = *event;
	return ARK_OK;
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(((const struct event *)b)->at, ((const struct event *)a)->at);
}

bool events_cut(struct events *e, unsigned int limit)
{
	size_t n = e->n;

	if (n)
		qsort(e->list, n, sizeof(*e->list), newest_first);
	while (e->n > limit)
		json_decref(e->list[--e->n].said);
	return e->n < n;
}

void events_free(struct events *e)
{
	for (size_t i = 0; i < e->n; i++)
		json_decref(e->list[i].said);
	free(e->list);
	e->list = NULL;
	e->n = e->cap = 0;
}

/* ---- the line of a unit ---- */

static bool has(const json_t *ids, const char *id)
{
	json_t *v;
	size_t i;

	json_array_foreach(ids, i, v)
	{
		if (json_is_string(v) && strcmp(json_string_value(v), id) == 0)
			return true;
	}
	return false;
}

static bool add_id(json_t *ids, const char *id)
{
	if (!id || has(ids, id) || json_array_size(ids) >= LINE_UNITS)
		return true;
	return json_array_append_new(ids, json_string(id)) == 0;
}

/* Those that the units of the line from `at` on follow; a loop of predecessors ends by itself. */
static bool add_followed(struct registry *r, json_t *line, size_t at)
{
	bool ok = true;

	for (; ok && at < json_array_size(line); at++) {
		json_t *u = registry_get(r, "units", json_string_value(json_array_get(line, at)));
		json_t *v;
		size_t i;

		json_array_foreach(json_object_get(u, "predecessors"), i, v)
		{
			const char *id = json_string_value(v);

			ok = ok && (!id || !registry_has(r, "units", id) || add_id(line, id));
		}
		json_decref(u);
	}
	return ok;
}

struct successors {
	json_t *later;
	bool ok, grew;
};

/* Whether the record follows one of those that are later already. */
static void take_successor(void *arg, const json_t *record)
{
	struct successors *s = arg;
	const char *id = json_text(record, "id");
	json_t *v;
	size_t i, before = json_array_size(s->later);

	json_array_foreach(json_object_get(record, "predecessors"), i, v)
	{
		if (json_is_string(v) && has(s->later, json_string_value(v)))
			s->ok = s->ok && add_id(s->later, id);
	}
	s->grew = s->grew || json_array_size(s->later) > before;
}

json_t *units_line(struct registry *r, const char *unit)
{
	json_t *line = json_array(), *later = json_array(), *v;
	struct successors s = {.later = later, .ok = line && later};
	size_t i;

	s.ok = s.ok && add_id(line, unit) && add_id(later, unit) && add_followed(r, line, 0);
	do {
		s.grew = false;
		if (s.ok)
			registry_each(r, "units", take_successor, &s);
	} while (s.ok && s.grew);
	json_array_foreach(later, i, v)
	{
		s.ok = s.ok && add_id(line, json_string_value(v));
	}
	json_decref(later);
	if (s.ok)
		return line;
	json_decref(line);
	return NULL;
}
