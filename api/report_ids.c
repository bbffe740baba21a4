/* Which documents a report is about. Ids go through a window: whatever there is, only the smallest are kept, and
 * the walk begins again after the last of them. */
#include <string.h>

#include "api/reports.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { PAGE = 1000, REORDERED_US = 600000000 };

/* ---- the window ---- */

static void offer(struct report_ids *ids, const char *id)
{
	size_t low = 0, high = ids->len;

	if (strcmp(id, ids->after) <= 0)
		return;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(id, ids->id[mid]);

		if (order == 0)
			return;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	if (low == REPORT_IDS_MAX) {
		ids->more = true;
		return;
	}
	if (ids->len == REPORT_IDS_MAX) {
		ids->more = true;
		ids->len--;
	}
	memmove(ids->id + low + 1, ids->id + low, (ids->len - low) * sizeof(*ids->id));
	memcpy(ids->id[low], id, sizeof(*ids->id));
	ids->len++;
}

/* ---- what is there now ---- */

struct walk {
	struct report_ids *ids;
	struct catalogue_list list;
	unsigned int found;
};

static int note_row(void *arg, const struct catalogue_row *row)
{
	struct walk *w = arg;

	offer(w->ids, row->document);
	memcpy(w->list.after_document, row->document, sizeof(w->list.after_document));
	memcpy(w->list.after_date, row->date, sizeof(w->list.after_date));
	w->found++;
	return 0;
}

static int walk_documents(struct report_ids *ids, struct desk *desk,
    const struct report_scope *scope, struct ark_error *err)
{
	struct walk w = {.ids = ids,
	    .list = {.unit = scope->unit, .case_id = scope->case_id, .limit = PAGE},
	    .found = PAGE};
	int rc = ARK_OK;

	while (!rc && w.found == PAGE) {
		const struct catalogue_list list = w.list;

		w.found = 0;
		rc = catalogue_documents(desk->catalogue, &list, scope->sight, note_row, &w, err);
	}
	return rc;
}

/* ---- what was there and is no more, or was elsewhere ---- */

struct stones {
	struct report_ids *ids;
	const char *unit;
};

static void note_stone(void *arg, const json_t *stone)
{
	struct stones *s = arg;
	const json_t *units = json_object_get(json_object_get(stone, "fields"), "units");
	const char *id = json_text(stone, "id");
	json_t *unit;
	size_t i;

	json_array_foreach(units, i,
	    unit) if (id && json_is_string(unit) && strcmp(json_string_value(unit), s->unit) == 0)
	    offer(s->ids, id);
}

struct since {
	struct report_ids *ids; /* NULL: only the first time is asked */
	int64_t time_us;
	uint64_t sequence;
	uint32_t item;
	unsigned int found;
};

static int note_change(void *arg, const struct catalogue_change *c)
{
	struct since *s = arg;

	s->found++;
	s->sequence = c->sequence;
	s->item = c->item;
	if (!s->ids)
		s->time_us = c->time_us;
	else if (c->time_us > s->time_us &&
		 (strcmp(c->kind, "version") == 0 || strcmp(c->kind, "metadata") == 0))
		offer(s->ids, c->document);
	return 0;
}

/* The last sequence after which nothing is older than the time. Times rise with the sequence but for what was filed
 * side by side: ten minutes are far more than that. */
static int sequence_at(
    struct desk *desk, uint64_t newest, int64_t time_us, uint64_t *ret, struct ark_error *err)
{
	uint64_t low = 0, high = newest;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		struct since s = {0};
		int rc = catalogue_changes(
		    desk->catalogue, mid, UINT32_MAX, 1, NULL, note_change, &s, err);

		if (rc)
			return rc;
		if (s.found && s.time_us < time_us)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return ARK_OK;
}

/* Their units of then are known by opening them only. */
static int walk_changed(struct report_ids *ids, struct archive *a, struct desk *desk,
    int64_t since_us, struct ark_error *err)
{
	struct since s = {.ids = ids, .time_us = since_us, .item = UINT32_MAX, .found = PAGE};
	int rc = sequence_at(desk, archive_sequence(a), since_us - REORDERED_US, &s.sequence, err);

	while (!rc && s.found == PAGE) {
		s.found = 0;
		rc = catalogue_changes(
		    desk->catalogue, s.sequence, s.item, PAGE, NULL, note_change, &s, err);
	}
	return rc;
}

int report_ids_gather(struct report_ids *ids, struct archive *a, const struct report_scope *scope,
    struct ark_error *err)
{
	struct stones stones = {ids, scope->unit};
	struct desk *desk = NULL;
	int rc = archive_desk(a, &desk, err);

	ids->len = 0;
	ids->more = false;
	if (!rc)
		rc = walk_documents(ids, desk, scope, err);
	if (!rc && scope->unit)
		registry_each(archive_registry(a), "tombstones", note_stone, &stones);
	if (!rc && scope->unit && scope->changed_since_us)
		rc = walk_changed(ids, a, desk, scope->changed_since_us, err);
	archive_desk_return(a, desk);
	return rc;
}
