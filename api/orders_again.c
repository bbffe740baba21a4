/* Recurrence: the same matter ordered again at the same unit, or at one that it follows. */
#include <stdlib.h>
#include <string.h>

#include "api/orders_private.h"
#include "arkki/base/json.h"

/* unit TAB matter -> {id of the order: its date}, of the lines of the units that are asked about */
struct again {
	struct orders_eyes *e;
	struct registry *registry;
	json_t *places;
	struct ark_error *err;
};

static int no_memory(const struct again *a)
{
	return ark_fail(a->err, ARK_ENOMEM, "no memory for orders");
}

static int key_of(const char *unit, const char *matter, struct buf *out)
{
	buf_clear(out);
	buf_addf(out, "%s\t%s", unit, matter);
	return buf_failed(out) ? ARK_ENOMEM : ARK_OK;
}

/* Calls each() for the key of every unit of the order: `line`, of those that it follows too. */
static int each_place(const struct again *a, const json_t *order, bool line,
    int (*each)(const struct again *a, const char *key, void *arg), void *arg)
{
	const char *matter = json_text(order, "matter");
	struct buf key = BUF_INIT;
	json_t *unit, *before;
	size_t i, j;
	int rc = ARK_OK;

	if (!matter)
		return ARK_OK;
	json_array_foreach(json_object_get(order, "units"), i, unit)
	{
		json_t *units =
		    line ? registry_line_of(a->registry, "units", json_string_value(unit))
			 : json_pack("[O]", unit);

		if (!units)
			rc = no_memory(a);
		json_array_foreach(units, j, before)
		{
			if (!rc && key_of(json_string_value(before), matter, &key))
				rc = no_memory(a);
			if (!rc)
				rc = each(a, key.data, arg);
		}
		json_decref(units);
	}
	buf_free(&key);
	return rc;
}

static int ask(const struct again *a, const char *key, void *arg)
{
	(void)arg;
	if (json_object_get(a->places, key) || !json_object_set_new(a->places, key, json_object()))
		return ARK_OK;
	return no_memory(a);
}

static int note(const struct again *a, const char *key, void *arg)
{
	json_t *place = json_object_get(a->places, key);
	const json_t *order = arg;
	bool seen = false;
	int rc;

	if (!place || !json_text(order, "date"))
		return ARK_OK;
	rc = order_seen(a->e, order, &seen, a->err);
	if (!rc && seen &&
	    json_object_set(place, json_text(order, "id"), json_object_get(order, "date")))
		rc = no_memory(a);
	return rc;
}

struct count {
	const char *id, *date, *since;
	json_t *counted; /* one that names two units of a line is one all the same */
};

static int count_place(const struct again *a, const char *key, void *arg)
{
	struct count *c = arg;
	const char *id;
	json_t *date;

	json_object_foreach(json_object_get(a->places, key), id, date)
	{
		const char *day = json_string_value(date);
		int before = strcmp(day, c->date);

		if (before > 0 || (before == 0 && strcmp(id, c->id) > 0))
			continue;
		if (json_object_set_new(c->counted, id, json_true()))
			return no_memory(a);
		if (strcmp(day, c->since) < 0)
			c->since = day;
	}
	return ARK_OK;
}

static int tell(const struct again *a, json_t *order)
{
	const char *date = json_text(order, "date");
	struct count c = {json_text(order, "id"), date, date, json_object()};
	json_t *said = NULL;
	int rc = c.counted ? ARK_OK : no_memory(a);

	if (!rc && json_text(order, "matter") && date) {
		rc = each_place(a, order, true, count_place, &c);
		said = json_pack(
		    "{s:i,s:s}", "count", (int)json_object_size(c.counted), "since", c.since);
	}
	if (!rc && json_object_set_new(order, "recurrence", said ? said : json_null()))
		rc = no_memory(a);
	json_decref(c.counted);
	return rc;
}

int orders_recurrence(struct orders_eyes *e, json_t *orders, struct ark_error *err)
{
	struct again a = {e, archive_registry(e->app->archive), json_object(), err};
	json_t *all = registry_all(a.registry, ORDERS_KIND), *order;
	size_t i;
	int rc = a.places && all ? ARK_OK : no_memory(&a);

	json_array_foreach(orders, i, order)
	{
		if (!rc)
			rc = each_place(&a, order, true, ask, NULL);
	}
	json_array_foreach(all, i, order)
	{
		if (!rc)
			rc = each_place(&a, order, false, note, order);
	}
	json_array_foreach(orders, i, order)
	{
		if (!rc)
			rc = tell(&a, order);
	}
	json_decref(all);
	json_decref(a.places);
	return rc;
}
