#include "api/audit_readers.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/archive/reading.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct readers {
	struct app *app;
	const struct receipt *receipt;
	struct readers_ask *ask;
	struct ark_error *err;
	struct replay_past past;
	struct catalogue_row row; /* of the document */
	struct card card;
	const char *unit;
	char day[11];
	json_t *candidates; /* ids, each once */
	json_t *documents;  /* by id, in order */
	json_t *orgs;
	char next[33];
	bool cut;
};

static int lost(struct readers *r)
{
	return ark_fail(r->err, ARK_ENOMEM, "no memory for readers");
}

static int wrong(struct readers *r, const char *field, int status, const char *why)
{
	r->ask->fault = field;
	return ark_fail(r->err, status, "%s", why);
}

/* ---- of what ---- */

static int settle_document(struct readers *r)
{
	struct archive *a = r->app->archive;
	struct desk *desk = NULL;
	int rc = archive_desk(a, &desk, r->err);

	if (!rc)
		rc = catalogue_get(desk->catalogue, r->ask->document, 0, NULL, &r->row, r->err);
	archive_desk_return(a, desk);
	if (rc == ARK_ENOTFOUND)
		return wrong(r, "document", rc, "There is no such document.");
	if (!rc)
		rc = reading_card(a, r->receipt, &r->row, &r->card, r->err);
	if (!rc)
		r->unit =
		    json_string_value(json_array_get(json_object_get(r->card.fields, "units"), 0));
	if (!rc && !r->unit)
		rc = wrong(r, "document", ARK_EINPUT, "The document is of no unit.");
	return rc;
}

/* ---- whom it concerns ---- */

static void add(struct readers *r, const char *org)
{
	const json_t *one;
	size_t i;

	if (!org)
		return;
	json_array_foreach(r->candidates, i, one)
	{
		if (strcmp(json_string_value(one), org) == 0)
			return;
	}
	if (json_array_size(r->candidates) < READERS_ORGS_MAX)
		json_array_append_new(r->candidates, json_string(org));
	else
		r->cut = true;
}

static bool holds(const json_t *array, const char *text)
{
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, one)
	{
		if (text && json_is_string(one) && strcmp(json_string_value(one), text) == 0)
			return true;
	}
	return false;
}

static void note_placement(void *arg, const json_t *placement)
{
	struct readers *r = arg;
	const char *unit = json_text(placement, "unit"), *from = json_text(placement, "from");

	if (unit && strcmp(unit, r->unit) == 0 && (!from || strcmp(from, r->day) <= 0))
		add(r, json_text(placement, "org"));
}

/* Those that supervise wherever the unit stands, and those that do where it stands. */
static void add_by_place(struct readers *r, const json_t *unit, const json_t *orgs, bool place)
{
	json_t *org;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)orgs, i, org)
	{
		const char *kind = json_text(org, "kind");
		bool everywhere =
		    kind && (strcmp(kind, "state-agency") == 0 || strcmp(kind, "ombudsman") == 0);
		bool there = kind && strcmp(kind, "provider") != 0 &&
			     (holds(json_object_get(org, "counties"), json_text(unit, "county")) ||
				 holds(json_object_get(org, "municipalities"),
				     json_text(unit, "municipality")));

		if (place ? there : everywhere)
			add(r, json_text(org, "id"));
	}
}

/* Whom another of them has followed is replayed with it. */
static void drop_followed(struct readers *r, struct registry *registry)
{
	for (size_t i = 0; i < json_array_size(r->candidates); i++) {
		const char *id = json_string_value(json_array_get(r->candidates, i));

		for (size_t k = 0; k < json_array_size(r->candidates); k++) {
			json_t *line = registry_line(
			    registry, json_string_value(json_array_get(r->candidates, k)));
			bool followed = k != i && holds(line, id);

			json_decref(line);
			if (!followed)
				continue;
			json_array_remove(r->candidates, i--);
			break;
		}
	}
}

static int settle_candidates(struct readers *r)
{
	struct registry *registry = archive_registry(r->app->archive);
	json_t *unit = registry_get(registry, "units", r->unit);
	json_t *orgs = registry_all(registry, "orgs");

	if (!unit || !orgs) {
		json_decref(unit);
		json_decref(orgs);
		return orgs ? wrong(r, "unit", ARK_EINPUT, "There is no such unit.") : lost(r);
	}
	clock_day(r->day, r->ask->at_us);
	registry_each(registry, "placements", note_placement, r);
	add(r, json_text(r->card.fields, "author"));
	add_by_place(r, unit, orgs, true);
	add_by_place(r, unit, orgs, false);
	add(r, json_text(unit, "provider"));
	drop_followed(r, registry);
	json_decref(unit);
	json_decref(orgs);
	return ARK_OK;
}

/* ---- what each could and did ---- */

static bool is_opening(const json_t *entry)
{
	static const char *const kinds[] = {"metadata", "content", "text", "export"};
	const char *kind = json_text(entry, "kind"), *outcome = json_text(entry, "outcome");

	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return outcome && strcmp(outcome, "ok") == 0;
	return false;
}

static json_t *reader_json(const char *org, const json_t *replayed)
{
	json_t *out =
	    json_pack("{s:s,s:O?}", "id", org, "verdict", json_object_get(replayed, "verdict"));
	const char *first = NULL, *last = NULL;
	json_int_t times = 0;
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(replayed, "opened"), i, entry)
	{
		if (!is_opening(entry))
			continue;
		last = json_text(entry, "time");
		first = first ? first : last;
		times++;
	}
	json_object_set_new(out, "times", json_integer(times));
	if (first)
		json_object_set_new(out, "first", json_string(first));
	if (last)
		json_object_set_new(out, "last", json_string(last));
	return out;
}

static int note_document(struct readers *r, const char *org, const json_t *replayed)
{
	const char *id = json_text(replayed, "id");
	json_t *document = json_object_get(r->documents, id);

	if (!document) {
		document = json_pack("{s:s,s:O*,s:[]}", "id", id, "title",
		    json_object_get(replayed, "title"), "orgs");
		if (json_object_set_new(r->documents, id, document))
			return lost(r);
	}
	if (json_array_append_new(json_object_get(document, "orgs"), reader_json(org, replayed)))
		return lost(r);
	return ARK_OK;
}

static int note_org(struct readers *r, const char *org, const json_t *report)
{
	json_int_t could = 0, did = 0;
	json_t *replayed;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(json_object_get(report, "documents"), i, replayed)
	{
		const char *verdict = json_text(replayed, "verdict");

		if (r->ask->document && strcmp(json_text(replayed, "id"), r->ask->document) != 0)
			continue;
		could += strncmp(verdict, "could-and", 9) == 0;
		did += strcmp(verdict, "could-and-did") == 0 ||
		       strcmp(verdict, "could-not-but-did") == 0;
		if (!rc)
			rc = note_document(r, org, replayed);
	}
	if (!rc && json_array_append_new(
		       r->orgs, json_pack("{s:s,s:I,s:I}", "id", org, "could", could, "did", did)))
		rc = lost(r);
	return rc;
}

/* The id before this one: a page of one document begins after it. */
static void before(const char *id, char ret[33])
{
	memcpy(ret, id, 33);
	for (size_t i = 32; i-- > 0;) {
		bool borrow = ret[i] == '0';

		ret[i] = borrow ? 'f' : ret[i] == 'a' ? '9' : (char)(ret[i] - 1);
		if (!borrow)
			return;
	}
}

/* An organisation that was not there yet could not read. */
static int ask_org(struct readers *r, const char *org)
{
	struct replay_ask ask = {.org = org,
	    .unit = r->unit,
	    .at_us = r->ask->at_us,
	    .limit = r->ask->document ? 1 : READERS_DOCUMENTS_MAX,
	    .by = r->ask->by,
	    .past = &r->past};
	json_t *report = NULL;
	char next[33];
	int rc;

	if (r->ask->document)
		before(r->ask->document, ask.after);
	else
		memcpy(ask.after, r->ask->after, sizeof(ask.after));
	rc = replay_make(r->app, r->receipt, &ask, &report, next, r->err);
	if (rc == ARK_EINPUT && ask.fault && strcmp(ask.fault, "org") == 0)
		return ARK_OK;
	if (rc == ARK_EINPUT)
		r->ask->fault = ask.fault;
	if (!rc && !r->ask->document)
		memcpy(r->next, next, sizeof(next));
	if (!rc)
		rc = note_org(r, org, report);
	json_decref(report);
	return rc;
}

/* ---- the answer ---- */

static int answer(struct readers *r, json_t **ret)
{
	json_t *list = json_array(), *document;
	char at[CLOCK_TEXT_SIZE];
	const char *id;

	clock_format(at, r->ask->at_us);
	json_object_foreach(r->documents, id, document)
	{
		json_array_append(list, document);
	}
	*ret = json_pack("{s:s,s:s,s:b,s:O,s:o,s:s?}", "unit", r->unit, "at", at, "cut", r->cut,
	    "orgs", r->orgs, "documents", list, "next", *r->next ? r->next : NULL);
	return *ret ? ARK_OK : lost(r);
}

int readers_make(struct app *app, const struct receipt *receipt, struct readers_ask *ask,
    json_t **ret, struct ark_error *err)
{
	struct readers r = {.app = app,
	    .receipt = receipt,
	    .ask = ask,
	    .err = err,
	    .unit = ask->unit,
	    .candidates = json_array(),
	    .documents = json_object(),
	    .orgs = json_array()};
	int rc = r.candidates && r.documents && r.orgs ? ARK_OK : lost(&r);

	if (!rc && ask->document)
		rc = settle_document(&r);
	if (!rc)
		rc = settle_candidates(&r);
	for (size_t i = 0; !rc && i < json_array_size(r.candidates); i++)
		rc = ask_org(&r, json_string_value(json_array_get(r.candidates, i)));
	if (!rc)
		rc = answer(&r, ret);
	json_decref(r.candidates);
	json_decref(r.documents);
	json_decref(r.orgs);
	card_free(&r.card);
	catalogue_row_free(&r.row);
	registry_free(r.past.registry);
	return rc;
}
