/* Destroyed keys and the tombstones that speak of them: neither is without the other. */
#include <stdio.h>
#include <string.h>

#include "archive/envelope.h"
#include "archive/verify_private.h"
#include "arkki/base/json.h"

enum { WHAT_SIZE = 400 };

static void ARK_PRINTF(3, 4) tell(verify_bad bad, struct verify *v, const char *fmt, ...)
{
	char what[WHAT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	bad(v, what);
}

/* ---- tombstones ---- */

/* One that cannot be opened is told of where its commit is looked at. */
static int take_stone(
    void *arg, const char *name, uint32_t number, const struct catalogue_blob *sealed)
{
	struct verify *v = arg;
	char path[ENVELOPE_PATH];
	json_t *whole = NULL;
	const json_t *stone;
	const char *id, *state;

	envelope_record_path(path, "tombstones", name, number);
	if (envelope_open(v->a->keys, v->receipt, path, sealed->bytes, sealed->len, &whole, NULL))
		return 0;
	stone = json_object_get(whole, "record");
	id = json_text(stone, "id");
	state = json_text(stone, "state");
	if (id && state)
		(void)json_object_set_new(v->stones, id, json_string(state));
	json_decref(whole);
	return 0;
}

const char *verify_stone(struct verify *v, const char *document, verify_bad bad)
{
	struct ark_error err;
	const char *state;

	if (!v->stones) {
		v->stones = json_object();
		if (!v->stones ||
		    catalogue_records(v->desk->catalogue, "tombstones", take_stone, v, &err))
			tell(bad, v, "catalogue: the tombstones cannot be read");
	}
	state = json_text(v->stones, document);
	return state ? state : "";
}

void verify_opens(struct verify *v, const char *document, verify_bad bad)
{
	if (strcmp(verify_stone(v, document, bad), "destroyed") != 0)
		return;
	tell(bad, v,
	    "keys: %s was destroyed, as its tombstone says, and a key of it still opens: older "
	    "keys/ were put back with their root key; put back those of today",
	    document);
	(void)json_object_set_new(v->stones, document, json_string("told"));
}

/* ---- slots ---- */

void verify_destroyed_slots(struct verify *v, verify_bad bad)
{
	uint64_t n = keyring_slots(v->a->keys);
	struct ark_error err;

	slots_sort(&v->destroyed_slots);
	slots_sort(&v->record_slots);
	for (size_t i = 0; i < v->record_slots.len; i++)
		if (!slots_have(&v->destroyed_slots, v->record_slots.slot[i]))
			tell(bad, v,
			    "keys: slot %llu of an order was destroyed, and no document was that "
			    "had it",
			    (unsigned long long)v->record_slots.slot[i]);
	for (uint64_t slot = 0; slot < n; slot++) {
		bool gone = false;

		if (keyring_destroyed(v->a->keys, slot, &gone, &err))
			continue; /* keyring_check() has told */
		if (gone && !slots_have(&v->destroyed_slots, slot))
			tell(bad, v, "keys: slot %llu was destroyed, and no tombstone speaks of it",
			    (unsigned long long)slot);
	}
}

void verify_destroyed_free(struct verify *v)
{
	slots_free(&v->destroyed_slots);
	slots_free(&v->record_slots);
	json_decref(v->stones);
	v->stones = NULL;
}
