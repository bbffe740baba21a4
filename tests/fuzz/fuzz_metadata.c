/* Fuzzes the check of a document's metadata against a small register: one line is checked whole, a second as a
 * change of what the first gave. What passes has only known fields, and passes again unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/metadata.h"
#include "arkki/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void put(struct registry *r, const char *kind, const char *text)
{
	json_t *record = NULL;

	if (json_read(text, strlen(text), &record, NULL) || registry_put(r, kind, record, NULL))
		abort();
}

static struct registry *small_registry(void)
{
	struct registry *r = NULL;

	if (registry_new(&r, NULL))
		abort();
	put(r, "orgs", "{\"id\":\"lvv\",\"kind\":\"state-agency\",\"counties\":[\"08\"]}");
	put(r, "units", "{\"id\":\"koivula\",\"county\":\"08\"}");
	put(r, "units", "{\"id\":\"vaahtera\",\"county\":\"05\"}");
	put(r, "cases", "{\"id\":\"c1\",\"units\":[\"koivula\"],\"org\":\"lvv\"}");
	put(r, "types", "{\"id\":\"memo\",\"regional\":true}");
	put(r, "types", "{\"id\":\"decision\"}");
	return r;
}

/* Is every key of the object one of the names, which are separated by spaces? */
static bool keys_among(const json_t *object, const char *names)
{
	json_t *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const char *at = strstr(names, key);
		size_t n = strlen(key);

		if (!n || !at || (at != names && at[-1] != ' ') || (at[n] && at[n] != ' '))
			return false;
	}
	return true;
}

static bool known_fields(const json_t *given)
{
	return keys_among(given, "units case type title publicTitle language date publicity author "
				 "state visitDate") &&
	       keys_among(json_object_get(given, "publicity"), "class ground from until");
}

/* The normal form of `given`, or NULL when it was refused. */
static json_t *check(struct registry *r, const json_t *given, const json_t *base)
{
	json_t *out = NULL, *again = NULL, *errors = NULL;
	struct ark_error err = {0};

	if (metadata_check(r, given, base, "lvv", &out, &errors, &err)) {
		if (out || !err.text[0] || !json_array_size(errors))
			abort();
		json_decref(errors);
		return NULL;
	}
	if (!known_fields(given) || !json_text(out, "title") || !json_text(out, "date"))
		abort();
	if (metadata_check(r, out, NULL, "lvv", &again, NULL, &err) || !json_equal(out, again))
		abort();
	json_decref(again);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes, *newline = memchr(bytes, '\n', len);
	size_t first = newline ? (size_t)(newline - text) : len;
	struct registry *r = small_registry();
	json_t *given = NULL, *base = NULL, *changed = NULL;

	if (json_read(text, first, &given, NULL) == ARK_OK)
		base = check(r, given, NULL);
	json_decref(given);
	given = NULL;
	if (newline && base && json_read(newline + 1, len - first - 1, &given, NULL) == ARK_OK)
		changed = check(r, given, base);
	json_decref(changed);
	json_decref(given);
	json_decref(base);
	registry_free(r);
	return 0;
}
