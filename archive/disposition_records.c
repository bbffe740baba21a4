/* Holds, proposals and tombstones: what stands, and what may be filed next. */
#include <stdlib.h>
#include <string.h>

#include "archive/disposition_private.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static bool state_is(const json_t *record, const char *state)
{
	const char *text = json_text(record, "state");

	return text && strcmp(text, state) == 0;
}

static bool hold_in_force(const json_t *hold, const char *day)
{
	const char *until = json_text(hold, "until");

	return state_is(hold, "held") && (!until || strcmp(day, until) <= 0);
}

static bool is_approved(const json_t *proposal)
{
	return state_is(proposal, "approved") || state_is(proposal, "packaged") ||
	       state_is(proposal, "received");
}

bool disposition_awaits_receiver(const json_t *proposal)
{
	const char *action = json_text(proposal, "action");

	return action && strcmp(action, "transfer") == 0 && !state_is(proposal, "received");
}

json_t *disposition_hold(struct registry *r, const char *document)
{
	json_t *hold = registry_get(r, "holds", document);
	char day[11];

	clock_day(day, clock_now_us());
	if (hold && hold_in_force(hold, day))
		return hold;
	json_decref(hold);
	return NULL;
}

json_t *disposition_proposal(struct registry *r, const char *document)
{
	json_t *p = registry_get(r, "disposals", document);

	if (p && (state_is(p, "proposed") || is_approved(p)))
		return p;
	json_decref(p);
	return NULL;
}

json_t *disposition_tombstone(struct registry *r, const char *document)
{
	return registry_get(r, "tombstones", document);
}

/* ---- in the writer's thread ---- */

static int settle_own(struct registry *r, const struct filing *f, bool held, struct ark_error *err)
{
	const char *id = json_text(f->record, "id");
	json_t *stone = disposition_tombstone(r, id), *hold = NULL;
	bool is_stone = strcmp(f->record_kind, "tombstones") == 0;
	int rc = ARK_OK;

	if (is_stone && !stone) {
		hold = disposition_hold(r, id);
		if (hold || held)
			rc = ark_fail(err, ARK_ECONFLICT, "the document is on hold");
	} else if (!is_stone && stone) {
		rc = ark_fail(err, ARK_EGONE, "the document has been destroyed");
	} else if (is_stone && !state_is(stone, "begun")) {
		rc = ark_fail(err, ARK_EGONE, "the document has been destroyed before");
	}
	json_decref(stone);
	json_decref(hold);
	return rc;
}

int disposition_settle(struct registry *r, const struct filing *f, bool held, struct ark_error *err)
{
	json_t *stone, *proposal;
	bool received;

	if (f->kind == FILING_DOCUMENT)
		return ARK_OK;
	if (f->kind == FILING_RECORD && !f->sealed_under) {
		if (strcmp(f->record_kind, "holds") != 0 &&
		    strcmp(f->record_kind, "disposals") != 0 &&
		    strcmp(f->record_kind, "tombstones") != 0)
			return ARK_OK;
		return settle_own(r, f, held, err);
	}
	stone = disposition_tombstone(r, f->document);
	json_decref(stone);
	if (stone)
		return ark_fail(err, ARK_EGONE, "the document has been destroyed");
	proposal = disposition_proposal(r, f->document);
	received = state_is(proposal, "received");
	json_decref(proposal);
	/* what came now would be in no package, and would end with the document */
	return received ? ark_fail(err, ARK_ECONFLICT,
			      "another archive has taken the document over: it is closed")
			: ARK_OK;
}

/* ---- filing ---- */

int disposition_file(struct archive *a, const char *kind, json_t *record, uint32_t base,
    const struct filing_actor *actor, const char *reason, struct ark_error *err)
{
	int rc = records_file(a, kind, record, base, actor, reason, err);

	json_decref(record);
	return rc;
}

/* ---- lists ---- */

static void gather_begun(void *arg, const json_t *record)
{
	json_t *ids = arg;

	if (json_array_size(ids) < DISPOSITION_BATCH && state_is(record, "begun"))
		json_array_append_new(ids, json_string(json_text(record, "id")));
}

json_t *disposition_begun(struct registry *r)
{
	json_t *ids = json_array();

	registry_each(r, "tombstones", gather_begun, ids);
	return ids;
}

/* What was carried out stays "approved": its tombstone says that it is done. */
json_t *disposition_approved(struct registry *r)
{
	json_t *all = registry_all(r, "disposals"), *out = json_array(), *record;
	size_t i;

	json_array_foreach(all, i, record)
	{
		const char *id = json_text(record, "id");

		if (!is_approved(record))
			continue;
		if (json_array_size(out) < DISPOSITION_BATCH && !registry_has(r, "tombstones", id))
			json_array_append(out, record);
	}
	json_decref(all);
	return out;
}

int disposition_look(struct archive *a, struct disposition_standing *ret, struct ark_error *err)
{
	struct registry *r = archive_registry(a);
	json_t *approved = disposition_approved(r), *begun = disposition_begun(r), *p;
	int rc = approved && begun ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a list");
	size_t i;

	*ret = (struct disposition_standing){.begun = json_array_size(begun)};
	json_array_foreach(approved, i, p)
	{
		json_t *hold = disposition_hold(r, json_text(p, "id"));

		if (hold)
			ret->held++;
		else if (state_is(p, "approved") && disposition_awaits_receiver(p))
			ret->unpacked++;
		else if (disposition_awaits_receiver(p))
			ret->awaiting++;
		else
			ret->ready++;
		json_decref(hold);
	}
	json_decref(approved);
	json_decref(begun);
	return rc;
}

bool disposition_unfinished(struct archive *a)
{
	json_t *begun = disposition_begun(archive_registry(a));
	bool any = json_array_size(begun) > 0;

	json_decref(begun);
	return any;
}
