/* Events that stand in records: what a unit's own record says of its life, and the cases about it. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/timeline_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static const int64_t day_us = 86400LL * 1000000;

/* The day after the last one on which something was so. */
static bool day_after(const char *date, char out[11])
{
	char text[CLOCK_TEXT_SIZE];
	int64_t at;

	if (!date || !date_valid(date) || !clock_parse(date, &at))
		return false;
	clock_format(text, at + day_us);
	memcpy(out, text, 10);
	out[10] = '\0';
	return true;
}

/* Takes said. `what` is unique among the unit's events of this kind and day. */
static int add(struct events *e, enum event_kind kind, const char *unit, const char *date,
    const char *what, json_t *said, struct ark_error *err)
{
	struct event event = {.kind = kind, .unit = unit, .said = said};

	if (!said)
		return ark_fail(err, ARK_ENOMEM, "no memory for a timeline");
	if (!date || !date_valid(date)) {
		json_decref(said);
		return ARK_OK;
	}
	memcpy(event.date, date, sizeof(event.date));
	snprintf(
	    event.at, sizeof(event.at), "%s %c %.64s %.64s", date, 'a' + (int)kind, unit, what);
	return events_add(e, &event, err);
}

struct life { /* of one unit */
	struct events *e;
	const char *unit;
	const json_t *record;
	struct ark_error *err;
};

/* One registration: when it began and when it ended. What has a register is registered, what has none was licensed. */
static int registration(const struct life *l)
{
	const json_t *r = json_object_get(l->record, "registration");
	json_t *number = json_object_get(r, "diaryNumber"), *book = json_object_get(r, "register");
	const char *state = json_text(r, "state");
	char end[11];
	int rc;

	if (!json_is_object(r) || !state)
		return ARK_OK;
	if (strcmp(state, "ended") == 0)
		state = json_is_string(book) ? "registered" : "licensed";
	rc = add(l->e, EVENT_REGISTRATION, l->unit, json_text(r, "from"), "from",
	    json_pack("{s:s,s:O*,s:O*}", "state", state, "register", book, "diaryNumber", number),
	    l->err);
	if (!rc && day_after(json_text(r, "to"), end))
		rc = add(l->e, EVENT_REGISTRATION, l->unit, end, "to",
		    json_pack("{s:s,s:O*}", "state", "ended", "diaryNumber", number), l->err);
	return rc;
}

/* A list of what was so from a day on: {"from", key: …}. */
static int dated(const struct life *l, const char *list, enum event_kind kind, const char *key)
{
	const json_t *one;
	char what[24];
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(json_object_get(l->record, list), i, one)
	{
		json_t *value = json_object_get(one, key);

		if (rc || !value)
			continue;
		snprintf(what, sizeof(what), "%zu", i);
		rc = add(l->e, kind, l->unit, json_text(one, "from"), what,
		    json_pack("{s:O}", key, value), l->err);
	}
	return rc;
}

/* The name that the unit has now it got when the last of the earlier ones ended. */
static int present_name(const struct life *l)
{
	json_t *name = json_object_get(l->record, "name");
	const char *last = NULL;
	const json_t *one;
	char from[11];
	size_t i;

	json_array_foreach(json_object_get(l->record, "names"), i, one)
	{
		const char *to = json_text(one, "to");

		if (to && (!last || strcmp(to, last) > 0))
			last = to;
	}
	if (!name || !day_after(last, from))
		return ARK_OK;
	return add(
	    l->e, EVENT_NAME, l->unit, from, "now", json_pack("{s:O}", "name", name), l->err);
}

/* The day on which the unit took over: its own first day, else the day after the predecessor's last, else that of its registration. */
static int predecessors(const struct life *l, struct registry *r)
{
	const json_t *v;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(json_object_get(l->record, "predecessors"), i, v)
	{
		const char *id = json_string_value(v), *from = json_text(l->record, "from");
		json_t *earlier = rc || !id ? NULL : registry_get(r, "units", id);
		char after[11];

		if (!earlier)
			continue;
		if (!from && day_after(json_text(earlier, "to"), after))
			from = after;
		if (!from)
			from = json_text(json_object_get(l->record, "registration"), "from");
		rc = add(l->e, EVENT_PREDECESSOR, l->unit, from, id,
		    json_pack("{s:s}", "predecessor", id), l->err);
		json_decref(earlier);
	}
	return rc;
}

int events_of_unit(struct events *e, struct registry *r, const char *unit, struct ark_error *err)
{
	json_t *record = registry_get(r, "units", unit);
	const struct life l = {e, unit, record, err};
	int rc = registration(&l);

	if (!rc)
		rc = dated(&l, "providers", EVENT_PROVIDER, "provider");
	if (!rc)
		rc = dated(&l, "names", EVENT_NAME, "name");
	if (!rc)
		rc = present_name(&l);
	if (!rc)
		rc = dated(&l, "placesHistory", EVENT_PLACES, "places");
	if (!rc)
		rc = predecessors(&l, r);
	json_decref(record);
	return rc;
}

/* ---- cases ---- */

struct about {
	const json_t *line;
	json_t *found; /* references */
	bool lost;
};

/* The first unit of the line that the case is about; NULL: none. */
static const char *unit_of(const json_t *line, const json_t *record)
{
	json_t *u, *v;
	size_t i, k;

	json_array_foreach(line, i, u)
	{
		json_array_foreach(json_object_get(record, "units"), k, v)
		{
			if (json_equal(u, v))
				return json_string_value(u);
		}
	}
	return NULL;
}

static void take_case(void *arg, const json_t *record)
{
	struct about *a = arg;

	if (unit_of(a->line, record) && json_array_append(a->found, (json_t *)(uintptr_t)record))
		a->lost = true;
}

static int add_case(struct events *e, const json_t *record, const char *unit, struct ark_error *err)
{
	static const struct {
		enum event_kind kind;
		const char *day;
	} ends[] = {{EVENT_CASE_OPENED, "opened"}, {EVENT_CASE_CLOSED, "closed"}};
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < 2; i++)
		rc = add(e, ends[i].kind, unit, json_text(record, ends[i].day),
		    json_text(record, "id"),
		    json_pack("{s:O,s:O*,s:O*,s:O*}", "case", json_object_get(record, "id"),
			"diaryNumber", json_object_get(record, "diaryNumber"), "org",
			json_object_get(record, "org"), "caseKind",
			json_object_get(record, "kind")),
		    err);
	return rc;
}

int events_of_cases(struct events *e, struct exchange *x, const json_t *line, struct ark_error *err)
{
	struct about a = {.line = line, .found = json_array()};
	const json_t *record;
	size_t i;
	int rc = ARK_OK;

	if (a.found)
		registry_each(archive_registry(app_of(x)->archive), "cases", take_case, &a);
	if (!a.found || a.lost)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a timeline");
	json_array_foreach(a.found, i, record)
	{
		if (!rc && case_is_visible(x, record))
			rc = add_case(e, record, unit_of(line, record), err);
	}
	json_decref(a.found);
	return rc;
}
