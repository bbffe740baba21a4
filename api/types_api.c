/* Document types: everybody reads them, administrators enter, rename and retire them.
 *
 * Each type is a record of its own in numbered versions. None is ever taken away: what was filed as that type keeps its name. A retired
 * one is given to no document any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/record_versions.h"
#include "api/registers.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"

static const char kind[] = "types";

static struct registry *registry_of(const struct exchange *x)
{
	return archive_registry(app_of(x)->archive);
}

json_t *types_given(struct registry *r)
{
	json_t *all = registry_all(r, kind), *given = all ? json_array() : NULL, *type;
	size_t i;

	json_array_foreach(all, i, type)
	{
		if (given && !type_retired(type) && json_array_append(given, type)) {
			json_decref(given);
			given = NULL;
		}
	}
	json_decref(all);
	return given;
}

/* ---- how many documents there are of each ---- */

static int add_count(void *arg, const char *type, const char author[33], uint64_t count)
{
	json_t *counts = arg;
	json_int_t before = json_integer_value(json_object_get(counts, type));

	(void)author;
	return json_object_set_new(counts, type, json_integer(before + (json_int_t)count))
		   ? ARK_ENOMEM
		   : ARK_OK;
}

int types_counted(struct app *app, json_t **ret, struct ark_error *err)
{
	json_t *counts = json_object(), *all = registry_all(archive_registry(app->archive), kind);
	json_t *out = json_array(), *type;
	struct desk *desk = NULL;
	size_t i;
	int rc = archive_desk(app->archive, &desk, err);

	if (!rc)
		rc = catalogue_type_counts(desk->catalogue, add_count, counts, err);
	archive_desk_return(app->archive, desk);
	json_array_foreach(all, i, type)
	{
		const json_t *n = json_object_get(counts, json_text(type, "id"));
		json_t *one = json_copy(type);

		if (!rc && (!one ||
			       json_object_set_new(
				   one, "documents", json_integer(json_integer_value(n))) ||
			       json_array_append(out, one)))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for the types");
		json_decref(one);
	}
	if (rc)
		json_decref(out);
	else
		*ret = out;
	json_decref(all);
	json_decref(counts);
	return rc;
}

/* ---- versions ---- */

static int read_version(struct app *app, const struct receipt *receipt, const char *id,
    uint32_t number, json_t *versions, struct ark_error *err)
{
	json_t *envelope = NULL, *header;
	int rc = records_read(app->archive, receipt, kind, id, number, &envelope, err);

	if (rc)
		return rc;
	header = record_version_header(number, envelope);
	if (!header || json_object_set(header, "record", json_object_get(envelope, "record")) ||
	    json_array_append(versions, header))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the versions of a type");
	json_decref(header);
	json_decref(envelope);
	return rc;
}

int type_versions(struct app *app, const char *id, json_t **ret, struct ark_error *err)
{
	json_t *versions = json_array();
	struct receipt *receipt = NULL;
	uint32_t newest = 0;
	char range[100];
	int rc = records_number(app->archive, kind, id, &newest, err);

	snprintf(range, sizeof(range), "versions 1-%u of %.64s", newest, id);
	if (!rc)
		rc = archive_maintenance(app->archive, "read types", range, &receipt, err);
	for (uint32_t n = 1; !rc && n <= newest; n++)
		rc = read_version(app, receipt, id, n, versions, err);
	receipt_free(receipt);
	if (rc)
		json_decref(versions);
	else
		*ret = versions;
	return rc;
}

/* Who filed a version is for those who answer for it; every account reads what it says. */
static void hide_filers(const struct caller *c, json_t *versions)
{
	json_t *v;
	size_t i;

	if (caller_may(c, ACCESS_ADMINISTER) || caller_may(c, ACCESS_AUDIT))
		return;
	json_array_foreach(versions, i, v)
	{
		json_object_set_new(v, "filedBy", json_null());
	}
}

void types_versions_get(struct exchange *x)
{
	const char *id = http_param(x, 0);
	json_t *versions = NULL;
	struct ark_error err;

	if (!registry_has(registry_of(x), kind, id)) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	} else if (type_versions(app_of(x), id, &versions, &err)) {
		http_reply_error(x, &err);
	} else {
		hide_filers(caller_of(x), versions);
		http_reply_json(x, 200, json_pack("{s:O}", "versions", versions));
	}
	json_decref(versions);
}

/* ---- one ---- */

static void reply_type(struct exchange *x, int status, const json_t *type)
{
	register_tag(x, kind, type);
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/types/%s", json_text(type, "id"));
	http_reply_json(x, status, json_copy((json_t *)(uintptr_t)type));
}

void types_get(struct exchange *x)
{
	json_t *type = registry_get(registry_of(x), kind, http_param(x, 0));

	if (type)
		reply_type(x, 200, type);
	else
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	json_decref(type);
}

static bool denied(struct exchange *x)
{
	if (!visit_of(x))
		return true;
	if (caller_may(caller_of(x), ACCESS_ADMINISTER))
		return false;
	http_reply_problem(
	    x, 403, "not-permitted", "Document types are changed by administrators.", NULL);
	return true;
}

/* The record that is sent, checked, and the reason apart from it (the caller's). NULL: replied. id: that it must have; NULL: it names one. */
static json_t *read_type(struct exchange *x, const char *id, json_t **ret_reason)
{
	json_t *body = register_body(x, kind);
	const char *given = json_text(body, "id");

	*ret_reason = NULL;
	if (!body)
		return NULL;
	if (id && json_object_get(body, "id") && (!given || strcmp(given, id) != 0)) {
		register_wrong(x, "id", "bad-value", "An id does not change.");
	} else if (id && json_object_set_new(body, "id", json_string(id))) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else if (register_checked(x, kind, body)) {
		*ret_reason = json_incref(json_object_get(body, "reason"));
		json_object_del(body, "reason");
		return body;
	}
	json_decref(body);
	return NULL;
}

void types_post(struct exchange *x)
{
	json_t *type, *reason;

	if (denied(x) || !visit_stated_ok(x))
		return;
	type = read_type(x, NULL, &reason);
	if (type && register_file(x, kind, type, 0, json_string_value(reason)))
		reply_type(x, 201, type);
	json_decref(reason);
	json_decref(type);
}

void types_put(struct exchange *x)
{
	json_t *stands, *type = NULL, *reason = NULL;
	uint32_t base = 0;

	if (denied(x))
		return;
	pthread_mutex_lock(&app_of(x)->registers_lock);
	stands = registry_get(registry_of(x), kind, http_param(x, 0));
	if (!stands)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (register_base(x, kind, stands, &base) && visit_stated_ok(x))
		type = read_type(x, http_param(x, 0), &reason);
	if (type && (json_equal(stands, type) ||
			register_file(x, kind, type, base, json_string_value(reason))))
		reply_type(x, 200, type);
	pthread_mutex_unlock(&app_of(x)->registers_lock);
	json_decref(reason);
	json_decref(type);
	json_decref(stands);
}
