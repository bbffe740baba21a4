/* What orders are about: the shipped list, and the records that an operator has added or put in its place. */
#include <stdlib.h>
#include <string.h>

#include "api/orders_private.h"
#include "arkki/base/json.h"
#include "arkki/policies/shipped.h"

static int by_id(const void *a, const void *b)
{
	return strcmp(json_text(*(json_t *const *)a, "id"), json_text(*(json_t *const *)b, "id"));
}

/* "other" is the last thing that somebody should choose. */
static json_t *sorted(json_t *by_ids)
{
	size_t n = json_object_size(by_ids), at = 0;
	json_t **list = calloc(n ? n : 1, sizeof(*list)), *out = list ? json_array() : NULL;
	json_t *matter, *other = json_object_get(by_ids, "other");
	const char *id;

	if (!out) {
		free(list);
		return NULL;
	}
	json_object_foreach(by_ids, id, matter)
	{
		if (matter != other)
			list[at++] = matter;
	}
	qsort(list, at, sizeof(*list), by_id);
	for (size_t i = 0; i < at; i++)
		json_array_append(out, list[i]);
	if (other)
		json_array_append(out, other);
	free(list);
	return out;
}

json_t *matters_all(struct registry *r)
{
	json_t *shipped = NULL, *own = registry_all(r, "matters"), *by_ids = json_object(), *out;
	json_t *matter;
	size_t i;

	if (!own || !by_ids ||
	    json_read(shipped_matters(), strlen(shipped_matters()), &shipped, NULL)) {
		json_decref(own);
		json_decref(by_ids);
		return NULL;
	}
	json_array_foreach(shipped, i, matter)
	{
		json_object_set(by_ids, json_text(matter, "id"), matter);
	}
	json_array_foreach(own, i, matter)
	{
		json_object_set(by_ids, json_text(matter, "id"), matter);
	}
	out = sorted(by_ids);
	json_decref(by_ids);
	json_decref(own);
	json_decref(shipped);
	return out;
}

bool matter_known(struct registry *r, const char *id)
{
	json_t *all = matters_all(r), *matter;
	bool known = false;
	size_t i;

	json_array_foreach(all, i, matter)
	{
		known |= strcmp(json_text(matter, "id"), id) == 0;
	}
	json_decref(all);
	return known;
}

void matters_list(struct exchange *x)
{
	json_t *all = matters_all(archive_registry(app_of(x)->archive));

	if (all)
		http_reply_json(x, 200, json_pack("{s:o}", "matters", all));
	else
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
}
