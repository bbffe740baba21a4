/* Which orders there are for the caller, and how they are answered. */
#include "api/orders_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* ---- with whose eyes ---- */

int orders_eyes_begin(const struct exchange *x, struct orders_eyes *e, struct ark_error *err)
{
	int rc;

	*e = (struct orders_eyes){.app = app_of(x)};
	clock_day(e->today, clock_now_us());
	e->known = json_object();
	rc = e->known ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for orders");
	if (!rc)
		rc = caller_sight(caller_of(x), &e->sight, err);
	if (!rc)
		rc = archive_desk(e->app->archive, &e->desk, err);
	return rc;
}

void orders_eyes_end(struct orders_eyes *e)
{
	archive_desk_return(e->app->archive, e->desk);
	access_sight_unref(e->sight);
	json_decref(e->known);
}

static int look(struct orders_eyes *e, const char *document, uint32_t version, bool whole,
    bool *ret, struct ark_error *err)
{
	struct catalogue_row row = {0};
	int rc;

	*ret = false;
	if (!document || !docid_valid(document) ||
	    registry_has(archive_registry(e->app->archive), "tombstones", document))
		return ARK_OK;
	rc = catalogue_get(e->desk->catalogue, document, version, e->sight, &row, err);
	if (rc == ARK_ENOTFOUND)
		return ARK_OK;
	if (rc)
		return rc;
	*ret = !whole || row.whole;
	catalogue_row_free(&row);
	return ARK_OK;
}

int order_evidence_seen(
    struct orders_eyes *e, const char *document, bool *ret, struct ark_error *err)
{
	return look(e, document, 0, false, ret, err);
}

int order_seen(struct orders_eyes *e, const json_t *order, bool *ret, struct ark_error *err)
{
	uint32_t version = (uint32_t)json_integer_value(json_object_get(order, "version"));
	const char *document = json_text(order, "document");
	const json_t *known;
	char key[64];
	int rc;

	snprintf(key, sizeof(key), "%.32s %u", document ? document : "", version);
	known = json_object_get(e->known, key);
	if (known) {
		*ret = json_is_true(known);
		return ARK_OK;
	}
	rc = look(e, document, version, true, ret, err);
	if (!rc && json_object_set_new(e->known, key, json_boolean(*ret)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for orders");
	return rc;
}

/* ---- what is asked for ---- */

static bool has_text(const json_t *array, const char *text)
{
	json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		if (text && json_is_string(v) && strcmp(json_string_value(v), text) == 0)
			return true;
	}
	return false;
}

static bool any_of(const json_t *array, const json_t *texts)
{
	json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		if (has_text(texts, json_string_value(v)))
			return true;
	}
	return false;
}

static bool is(const json_t *order, const char *key, const char *wanted)
{
	const char *text = json_text(order, key);

	return !wanted || (text && strcmp(text, wanted) == 0);
}

static bool overdue(const struct orders_eyes *e, const json_t *order)
{
	const char *deadline = json_text(order, "deadline");

	return is(order, "state", "open") && deadline && strcmp(deadline, e->today) < 0;
}

struct finding {
	struct orders_eyes *e;
	const struct orders_asked *asked;
	json_t *units, *authors; /* with those that they follow; NULL: any */
};

static bool in_county(struct finding *f, const json_t *order)
{
	json_t *counties = registry_counties(
	    archive_registry(f->e->app->archive), json_object_get(order, "units"));
	bool in = has_text(counties, f->asked->county);

	json_decref(counties);
	return in;
}

static bool wanted(struct finding *f, const json_t *order)
{
	const struct orders_asked *a = f->asked;
	const char *deadline = json_text(order, "deadline");

	if (!is(order, "document", a->document) || !is(order, "case", a->case_id) ||
	    !is(order, "matter", a->matter))
		return false;
	if (a->state && strcmp(a->state, "overdue") == 0 ? !overdue(f->e, order)
							 : !is(order, "state", a->state))
		return false;
	if ((f->units && !any_of(json_object_get(order, "units"), f->units)) ||
	    (f->authors && !has_text(f->authors, json_text(order, "author"))))
		return false;
	if ((a->due_from && (!deadline || strcmp(deadline, a->due_from) < 0)) ||
	    (a->due_to && (!deadline || strcmp(deadline, a->due_to) > 0)))
		return false;
	return !a->county || in_county(f, order);
}

/* ---- how it is answered ---- */

static int seen_evidence(
    struct orders_eyes *e, const json_t *order, json_t **ret, struct ark_error *err)
{
	json_t *out = json_array(), *document;
	size_t i;
	int rc = out ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for orders");

	json_array_foreach(json_object_get(order, "evidence"), i, document)
	{
		bool seen = false;

		if (!rc)
			rc = order_evidence_seen(e, json_string_value(document), &seen, err);
		if (!rc && seen && json_array_append(out, document))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for orders");
	}
	if (rc)
		json_decref(out);
	else
		*ret = out;
	return rc;
}

int order_shown(struct orders_eyes *e, const json_t *order, json_t **ret, struct ark_error *err)
{
	static const char *const names[] = {"id", "document", "version", "units", "case", "text",
	    "language", "ground", "deadline", "state", "verifiedBy", "verifiedAt", "matter",
	    "author", "date"};
	json_t *out = json_object(), *evidence = NULL;
	int failed = out ? 0 : 1;
	int rc = seen_evidence(e, order, &evidence, err);

	if (rc) {
		json_decref(out);
		return rc;
	}
	for (size_t i = 0; !failed && i < sizeof(names) / sizeof(*names); i++) {
		json_t *v = json_object_get(order, names[i]);

		failed |= json_object_set_new(out, names[i], v ? json_incref(v) : json_null());
	}
	failed |= json_object_set_new(out, "evidence", evidence);
	failed |= json_object_set_new(out, "overdue", json_boolean(overdue(e, order)));
	if (failed) {
		json_decref(out);
		return ark_fail(err, ARK_ENOMEM, "no memory for orders");
	}
	*ret = out;
	return ARK_OK;
}

/* By deadline, none last, then by id. */
static int by_deadline(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const char *dx = json_text(x, "deadline"), *dy = json_text(y, "deadline");
	int order = strcmp(dx ? dx : "9999", dy ? dy : "9999");

	return order ? order : strcmp(json_text(x, "id"), json_text(y, "id"));
}

static int sort(json_t **orders, struct ark_error *err)
{
	size_t n = json_array_size(*orders);
	json_t **list = calloc(n ? n : 1, sizeof(*list)), *out = list ? json_array() : NULL;
	int failed = !out;

	for (size_t i = 0; !failed && i < n; i++)
		list[i] = json_array_get(*orders, i);
	if (!failed)
		qsort(list, n, sizeof(*list), by_deadline);
	for (size_t i = 0; !failed && i < n; i++)
		failed |= json_array_append(out, list[i]);
	free(list);
	if (failed) {
		json_decref(out);
		return ark_fail(err, ARK_ENOMEM, "no memory for orders");
	}
	json_decref(*orders);
	*orders = out;
	return ARK_OK;
}

/* ---- finding ---- */

static int take(struct finding *f, const json_t *order, json_t *into, struct ark_error *err)
{
	json_t *shown = NULL;
	bool seen = false;
	int rc;

	if (!wanted(f, order))
		return ARK_OK;
	rc = order_seen(f->e, order, &seen, err);
	if (rc || !seen)
		return rc;
	rc = order_shown(f->e, order, &shown, err);
	if (!rc && json_array_append_new(into, shown))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for orders");
	return rc;
}

static int gather(struct finding *f, json_t *into, struct ark_error *err)
{
	struct registry *r = archive_registry(f->e->app->archive);
	json_t *all = registry_all(r, ORDERS_KIND), *order;
	size_t i;
	int rc = all && into ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for orders");

	if (f->asked->unit)
		f->units = registry_line_of(r, "units", f->asked->unit);
	if (f->asked->author)
		f->authors = registry_line(r, f->asked->author);
	json_array_foreach(all, i, order)
	{
		if (!rc)
			rc = take(f, order, into, err);
	}
	json_decref(f->units);
	json_decref(f->authors);
	json_decref(all);
	return rc;
}

int orders_find(
    struct exchange *x, const struct orders_asked *asked, json_t **ret, struct ark_error *err)
{
	struct orders_eyes e;
	struct finding f = {.e = &e, .asked = asked};
	json_t *found = json_array();
	int rc = orders_eyes_begin(x, &e, err);

	if (!rc)
		rc = gather(&f, found, err);
	if (!rc)
		rc = sort(&found, err);
	if (!rc && !asked->alone)
		rc = orders_recurrence(&e, found, err);
	orders_eyes_end(&e);
	if (rc)
		json_decref(found);
	else
		*ret = found;
	return rc;
}

int order_find(
    struct exchange *x, const char *id, json_t **ret, json_t **ret_record, struct ark_error *err)
{
	json_t *record = registry_get(archive_registry(app_of(x)->archive), ORDERS_KIND, id);
	json_t *one = json_array(), *shown = NULL;
	struct orders_eyes e;
	bool seen = false;
	int rc = orders_eyes_begin(x, &e, err);

	if (!rc && record)
		rc = order_seen(&e, record, &seen, err);
	if (!rc && !seen)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no such order");
	if (!rc)
		rc = order_shown(&e, record, &shown, err);
	if (!rc && json_array_append_new(one, shown))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for orders");
	if (!rc)
		rc = orders_recurrence(&e, one, err);
	if (!rc)
		*ret = json_incref(shown);
	if (ret_record && (!rc || rc == ARK_ENOTFOUND))
		*ret_record = json_incref(record);
	orders_eyes_end(&e);
	json_decref(one);
	json_decref(record);
	return rc;
}

/* ---- the rows of their documents ---- */

static bool listed(const struct listing *l, const char *document)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->rows[i].document, document) == 0)
			return true;
	return false;
}

int listing_keep_once(void *arg, const struct catalogue_row *row)
{
	return listed(arg, row->document) ? 0 : listing_keep(arg, row);
}

static int add_row(
    struct orders_eyes *e, const char *document, struct listing *l, struct ark_error *err)
{
	struct catalogue_row row = {0};
	int rc;

	if (!document || listed(l, document))
		return ARK_OK;
	rc = catalogue_get(e->desk->catalogue, document, 0, e->sight, &row, err);
	if (rc) /* destroyed since it was found: there is nothing to log */
		return rc == ARK_ENOTFOUND ? ARK_OK : rc;
	if (listing_keep(l, &row))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for documents");
	catalogue_row_free(&row);
	return rc;
}

int orders_rows(struct visit *v, const json_t *orders, struct listing *l, struct ark_error *err)
{
	struct orders_eyes e;
	json_t *order, *evidence;
	size_t i, j;
	int rc = orders_eyes_begin(v->x, &e, err);

	json_array_foreach(orders, i, order)
	{
		if (!rc)
			rc = add_row(&e, json_text(order, "document"), l, err);
		json_array_foreach(json_object_get(order, "evidence"), j, evidence)
		{
			if (!rc)
				rc = add_row(&e, json_string_value(evidence), l, err);
		}
	}
	orders_eyes_end(&e);
	return rc;
}
