/* The story of a destruction.
 *
 *   1. begin    for every approved document that is not on hold: its tombstone, state "begun". From here on
 *               nothing can be added to it and no hold can stop it (disposition_records.c, in the writer's thread).
 *   2. forget   rows of the catalogue, derived files, and by the caller the index
 *   3. keys     one change of all keys, without those of the documents; key backups follow
 *   4. end      the tombstone again, state "destroyed", with who confirmed
 *
 * Invariants:
 *   - each step can be done again: a run begins with the tombstones that are "begun", whoever began them;
 *   - the keys go only when everything derived is gone, and the tombstone ends only when the keys are gone;
 *   - a catalogue that was made anew in between has rows of documents that are "begun": step 2 takes them out again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "archive/disposition_private.h"
#include "arkki/archive/key_backups.h"
#include "arkki/archive/reading.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"

struct run {
	struct archive *a;
	const struct disposition_run *given;
	struct disposition_result *result;
	struct receipt *receipt;
	char (*documents)[33]; /* that are begun */
	size_t n;
	struct slots slots;
	json_t *confirmed; /* who has the new keys, as the tombstones say it */
	struct ark_error *err;
};

static void tell(const struct run *r, const char *step, uint64_t done, uint64_t of)
{
	if (r->given->progress)
		r->given->progress(r->given->arg, step, done, of);
}

/* ---- 1. begin ---- */

/* What is kept of the metadata: what decides who may know of the document, and nothing that describes it. */
static json_t *kept_fields(const json_t *fields)
{
	static const char *const names[] = {
	    "units", "type", "author", "state", "date", "visitDate", "addressees"};
	json_t *out = json_object();
	const char *class = json_text(json_object_get(fields, "publicity"), "class");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		json_t *v = json_object_get(fields, names[i]);

		if (v && json_object_set(out, names[i], v))
			goto lost;
	}
	if (!json_object_set_new(out, "publicity", json_pack("{s:s?}", "class", class)))
		return out;
lost:
	json_decref(out);
	return NULL;
}

/* Where the history log speaks of the proposal, the approval and the destruction. */
static int note_index(void *arg, const struct ledger_entry *e)
{
	static const char *const kinds[] = {"filing", "disposal-proposed", "disposal-approved",
	    "disposal-packaged", "disposal-received", "destruction"};
	const char *kind = json_text(e->a, "kind");
	json_t *to = arg;

	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			json_object_set_new(to, kind, json_integer((json_int_t)e->index));
	return 0;
}

static json_t *history_of(struct run *r, const char *document)
{
	const struct ledger_filter filter = {.document = document};
	json_t *out = json_object();

	if (ledger_find(r->a->history, &filter, UINT32_MAX, note_index, out, NULL) < 0) {
		json_decref(out);
		return NULL;
	}
	return out;
}

/* By the table of today: a period may have been made longer since the approval, or a version have begun a new one. */
static int still_due(struct run *r, const struct catalogue_row *row, const json_t *fields,
    const json_t *proposal, bool *ret)
{
	const struct retention_subject s = {.type = row->type,
	    .author = json_text(fields, "author"),
	    .date = row->date,
	    .case_id = json_text(fields, "case"),
	    .filed_us = row->filed_us};
	struct retention_term term;
	const char *then, *action = json_text(proposal, "action");
	json_t *rows = NULL;
	char today[11];
	int rc;

	*ret = true;
	if (!r->given->due_only)
		return ARK_OK;
	rc = retention_rows(r->a->registry, &rows, r->err);
	if (rc)
		return rc;
	clock_day(today, clock_now_us());
	retention_term(rows, r->a->registry, &s, today, &term);
	then = json_text(term.row, "then");
	*ret = term.due && then && action &&
	       (strcmp(then, "review") == 0 || strcmp(then, action) == 0);
	json_decref(rows);
	return ARK_OK;
}

static json_t *stone_json(struct run *r, const json_t *proposal, const struct catalogue_row *row,
    const struct catalogue_row *first, const struct card *card)
{
	const char *id = json_text(proposal, "id");
	char filed[CLOCK_TEXT_SIZE], newest[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

	clock_format(filed, first->filed_us);
	clock_format(newest, row->filed_us);
	clock_format(now, clock_now_us());
	return json_pack(
	    "{s:s,s:s,s:O?,s:O?,s:o,s:O?,s:b,s:i,s:s,s:s,s:s,s:O?,s:O?,s:O?,s:O*,s:O*,s:o*}", "id",
	    id, "state", "begun", "action", json_object_get(proposal, "action"), "ground",
	    json_object_get(proposal, "ground"), "fields", kept_fields(card->fields), "counties",
	    card->counties, "rendition", row->rendition.number != 0, "versions", (int)row->version,
	    "filedAt", filed, "newestFiledAt", newest, "begunAt", now, "row",
	    json_object_get(proposal, "row"), "proposedBy", json_object_get(proposal, "proposedBy"),
	    "approvedBy", json_object_get(proposal, "approvedBy"), "package",
	    json_object_get(proposal, "package"), "confirmation",
	    json_object_get(proposal, "confirmation"), "history", history_of(r, id));
}

/* *ret stays NULL for a document that is not due any more. */
static int stone_of(struct run *r, struct desk *desk, const json_t *proposal, json_t **ret)
{
	const char *id = json_text(proposal, "id");
	struct catalogue_row row, first;
	struct card card = {0};
	bool due = true;
	int rc = catalogue_get(desk->catalogue, id, 0, NULL, &row, r->err);

	if (rc)
		return rc;
	rc = catalogue_get(desk->catalogue, id, 1, NULL, &first, r->err);
	if (rc) {
		catalogue_row_free(&row);
		return rc;
	}
	rc = reading_card(r->a, r->receipt, &row, &card, r->err);
	if (!rc)
		rc = still_due(r, &row, card.fields, proposal, &due);
	if (!rc && due && !(*ret = stone_json(r, proposal, &row, &first, &card)))
		rc = ark_fail(r->err, ARK_ENOMEM, "no memory for a tombstone");
	card_free(&card);
	catalogue_row_free(&first);
	catalogue_row_free(&row);
	return rc;
}

static bool is_transfer(const json_t *proposal)
{
	const char *action = json_text(proposal, "action");

	return action && strcmp(action, "transfer") == 0;
}

static int begin_one(struct run *r, struct desk *desk, const json_t *proposal)
{
	json_t *hold = disposition_hold(r->a->registry, json_text(proposal, "id"));
	json_t *stone = NULL;
	bool all = true;
	int rc = ARK_OK;

	json_decref(hold);
	if (!hold && is_transfer(proposal) && !disposition_awaits_receiver(proposal))
		rc = disposition_took_all(
		    r->a, desk->catalogue, proposal, r->given->actor, &all, r->err);
	if (rc)
		return rc == ARK_ECONFLICT ? ARK_OK : rc;
	if (hold || !all || disposition_awaits_receiver(proposal)) {
		*(hold ? &r->result->held : &r->result->awaiting) += 1;
		return ARK_OK;
	}
	rc = stone_of(r, desk, proposal, &stone);
	if (!rc && !stone) {
		r->result->undue++;
		return ARK_OK;
	}
	if (!rc)
		rc = disposition_file(r->a, "tombstones", stone, 0, r->given->actor, NULL, r->err);
	if (rc == ARK_ECONFLICT) { /* a hold came in between: it wins */
		r->result->held++;
		rc = ARK_OK;
	}
	return rc;
}

static int begin_all(struct run *r)
{
	json_t *approved = disposition_approved(r->a->registry), *proposal;
	struct desk *desk = NULL;
	size_t i;
	int rc = approved ? archive_desk(r->a, &desk, r->err)
			  : ark_fail(r->err, ARK_ENOMEM, "no memory for a destruction");

	json_array_foreach(approved, i, proposal)
	{
		if (rc)
			break;
		rc = begin_one(r, desk, proposal);
		tell(r, "begin destructions", i + 1, json_array_size(approved));
	}
	archive_desk_return(r->a, desk);
	json_decref(approved);
	return rc;
}

/* All that are begun, of this run and of earlier ones. */
static int gather(struct run *r)
{
	json_t *begun = disposition_begun(r->a->registry), *id;
	size_t i;

	r->documents = calloc(json_array_size(begun) + 1, sizeof(*r->documents));
	if (!begun || !r->documents) {
		json_decref(begun);
		return ark_fail(r->err, ARK_ENOMEM, "no memory for a destruction");
	}
	json_array_foreach(begun, i, id)
	{
		snprintf(r->documents[r->n++], 33, "%s", json_string_value(id));
	}
	json_decref(begun);
	return ARK_OK;
}

/* ---- 2. forget ---- */

/* Orders are of their document: sealed under its keys, they go with them. */
static int forget_orders(struct run *r, struct catalogue *c)
{
	json_t *all = registry_all(r->a->registry, "orders"), *order;
	size_t i;
	int rc = all ? ARK_OK : ark_fail(r->err, ARK_ENOMEM, "no memory for a destruction");

	json_array_foreach(all, i, order)
	{
		const char *id = json_text(order, "id"), *document = json_text(order, "document");
		json_t *stone = disposition_tombstone(r->a->registry, document);

		if (!rc && stone)
			rc = catalogue_forget_record(c, "orders", id, r->err);
		if (!rc && stone)
			registry_drop(r->a->registry, "orders", id);
		json_decref(stone);
	}
	json_decref(all);
	return rc < 0 ? rc : ARK_OK;
}

static int forget_rows(struct run *r)
{
	struct catalogue *c = NULL;
	char path[4096];
	int rc = fs_path(path, r->err, "%s/catalogue.sqlite", r->a->dir);

	if (!rc)
		rc = catalogue_open(path, r->a->keys, true, false, &c, r->err);
	if (!rc)
		rc = catalogue_forget(c, (const char(*)[33])r->documents, r->n, r->err);
	if (!rc)
		rc = forget_orders(r, c);
	if (!rc)
		rc = catalogue_scrub(c, r->err);
	catalogue_close(c);
	return rc;
}

static int forget_files(struct run *r)
{
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < r->n; i++)
		rc = derived_destroy(r->a, r->documents[i], r->err);
	return rc;
}

static int forget_all(struct run *r)
{
	int rc = forget_rows(r);

	tell(r, "destroy derived data", 0, r->n);
	if (!rc)
		rc = forget_files(r);
	if (!rc && r->given->drop)
		rc = r->given->drop(r->given->arg, (const char(*)[33])r->documents, r->n, r->err);
	return rc;
}

/* ---- 3. keys ---- */

static int find_slots(struct run *r)
{
	struct desk *desk = NULL;
	int rc = archive_desk(r->a, &desk, r->err);

	for (size_t i = 0; !rc && i < r->n; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): r->documents is freed with the run */
		rc = slots_of_document(desk->store, r->documents[i], &r->slots, r->err);
	}
	archive_desk_return(r->a, desk);
	slots_sort(&r->slots);
	return rc;
}

/* 1: every one of them is destroyed, as after a run that was cut off behind the change of keys. */
static int all_destroyed(struct run *r)
{
	bool gone = true;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && gone && i < r->slots.len; i++)
		rc = keyring_destroyed(r->a->keys, r->slots.slot[i], &gone, r->err);
	return rc ? rc : gone;
}

/* After a run that was cut off behind the change: the places whose copies are of the keys in force. */
static int confirmed_before(struct run *r)
{
	json_t *places = NULL, *place;
	size_t i;
	int rc = key_backups_list(r->a->dir, &places, r->err);

	r->confirmed = json_array();
	json_array_foreach(places, i, place)
	{
		json_int_t epoch = json_integer_value(json_object_get(place, "epoch"));

		if (epoch == (json_int_t)keyring_epoch(r->a->keys))
			json_array_append_new(
			    r->confirmed, json_pack("{s:O?,s:O?,s:O?,s:O?}", "name",
					      json_object_get(place, "name"), "epoch",
					      json_object_get(place, "epoch"), "slots",
					      json_object_get(place, "slots"), "at",
					      json_object_get(place, "at")));
	}
	json_decref(places);
	return rc;
}

static int destroy_keys(struct run *r)
{
	int rc = all_destroyed(r);

	if (rc)
		return rc < 0 ? rc : confirmed_before(r);
	tell(r, "change keys", 0, r->slots.len);
	rc = key_backups_change(
	    r->a->keys, r->a->dir, r->slots.slot, r->slots.len, &r->confirmed, r->err);
	if (!rc)
		rc = all_destroyed(r);
	if (rc == 1)
		return ARK_OK;
	return rc ? rc : ark_fail(r->err, ARK_EIO, "the keys to be destroyed are still there");
}

/* ---- 4. end ---- */

static int end_one(struct run *r, const char *document)
{
	json_t *stone = disposition_tombstone(r->a->registry, document);
	json_t *ended = json_copy(stone), *history = history_of(r, document);
	char now[CLOCK_TEXT_SIZE];
	uint32_t number = 0;
	int rc = records_number(r->a, "tombstones", document, &number, r->err);

	json_decref(stone);
	clock_format(now, clock_now_us());
	if (!rc &&
	    (!ended || json_object_set_new(ended, "state", json_string("destroyed")) ||
		json_object_set_new(ended, "destroyedAt", json_string(now)) ||
		(history && json_object_set(ended, "history", history)) ||
		(r->confirmed && json_object_set(ended, "confirmed", r->confirmed)) ||
		json_object_set_new(ended, "epoch", json_integer(keyring_epoch(r->a->keys)))))
		rc = ark_fail(r->err, ARK_ENOMEM, "no memory for a tombstone");
	if (!rc)
		rc = disposition_file(
		    r->a, "tombstones", json_incref(ended), number, r->given->actor, NULL, r->err);
	json_decref(history);
	json_decref(ended);
	return rc;
}

static int end_all(struct run *r)
{
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < r->n; i++) {
		rc = end_one(r, r->documents[i]);
		if (!rc)
			r->result->destroyed++;
		tell(r, "write tombstones", i + 1, r->n);
	}
	return rc;
}

/* ---- the story ---- */

static int destroy_begun(struct run *r)
{
	int rc = gather(r);

	if (rc || !r->n)
		return rc;
	rc = forget_all(r);
	if (!rc)
		rc = find_slots(r);
	if (!rc)
		rc = destroy_keys(r);
	/* what a thread that had the key in hand wrote meanwhile; nobody has it any more */
	if (!rc)
		rc = forget_files(r);
	return rc ? rc : end_all(r);
}

static int run_all(struct run *r)
{
	int rc = archive_maintenance(r->a, "dispose", "approved documents", &r->receipt, r->err);

	if (!rc && !r->given->resume_only)
		rc = begin_all(r);
	if (!rc)
		rc = destroy_begun(r);
	receipt_free(r->receipt);
	free(r->documents);
	slots_free(&r->slots);
	json_decref(r->confirmed);
	return rc;
}

int disposition_run(struct archive *a, const struct disposition_run *run,
    struct disposition_result *ret, struct ark_error *err)
{
	struct run r = {.a = a, .given = run, .result = ret, .err = err};
	int rc;

	*ret = (struct disposition_result){0};
	if (atomic_exchange(&a->disposing, true))
		return ark_fail(err, ARK_ECONFLICT, "another destruction is under way");
	rc = run_all(&r);
	atomic_store(&a->disposing, false);
	return rc;
}
