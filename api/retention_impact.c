/* What a retention table means for the documents that there are: counted by type and author, nothing is opened. */
#include <string.h>

#include "api/disposition_api.h"
#include "api/record_versions.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"

/* One count after another, with its author's id. */
struct counting {
	struct registry *registry;
	json_t *orgs; /* id by keyed name */
	const json_t *before, *after;
	struct retention_impact *impact; /* NULL: counts by row */
	json_t *counts;
};

static bool same_member(const json_t *a, const json_t *b, const char *name)
{
	return json_equal(json_object_get(a, name), json_object_get(b, name)) != 0;
}

static void weigh(struct counting *c, const json_t *was, const json_t *is, uint64_t n)
{
	json_int_t years = json_integer_value(json_object_get(is, "years")) -
			   json_integer_value(json_object_get(was, "years"));

	if (was && !is)
		c->impact->none += n;
	else if (!is)
		return;
	else if (!was || !same_member(was, is, "from") || !same_member(was, is, "then"))
		c->impact->otherwise += n;
	else if (years < 0)
		c->impact->shorter += n;
	else if (years > 0)
		c->impact->longer += n;
}

static int count(void *arg, const char *type, const char author[33], uint64_t n)
{
	struct counting *c = arg;
	const char *org = json_text(c->orgs, author);
	const struct retention_subject s = {.type = type, .author = org ? org : ""};
	const json_t *is = retention_row(c->after, c->registry, &s);
	const char *id = json_text(is, "id");

	if (c->impact) {
		weigh(c, retention_row(c->before, c->registry, &s), is, n);
		return ARK_OK;
	}
	if (!id)
		return ARK_OK;
	n += (uint64_t)json_integer_value(json_object_get(c->counts, id));
	return json_object_set_new(c->counts, id, json_integer((json_int_t)n)) ? ARK_ENOMEM
									       : ARK_OK;
}

static json_t *orgs_by_name(struct app *app)
{
	json_t *all = registry_all(archive_registry(app->archive), "orgs"), *out = json_object();
	json_t *org;
	size_t i;

	json_array_foreach(all, i, org)
	{
		const char *id = json_text(org, "id");
		char name[33];

		keyring_name(archive_keyring(app->archive), "orgs", id, name);
		json_object_set_new(out, name, json_string(id));
	}
	json_decref(all);
	return out;
}

static int count_all(struct app *app, struct counting *c, struct ark_error *err)
{
	struct desk *desk = NULL;
	int rc;

	c->registry = archive_registry(app->archive);
	c->orgs = orgs_by_name(app);
	rc = c->orgs ? archive_desk(app->archive, &desk, err)
		     : ark_fail(err, ARK_ENOMEM, "no memory to count documents");
	if (!rc)
		rc = catalogue_type_counts(desk->catalogue, count, c, err);
	archive_desk_return(app->archive, desk);
	json_decref(c->orgs);
	return rc;
}

int retention_impact(
    struct app *app, const json_t *rows, struct retention_impact *ret, struct ark_error *err)
{
	struct counting c = {.after = rows, .impact = ret};
	json_t *before = NULL;
	int rc = retention_rows(archive_registry(app->archive), &before, err);

	*ret = (struct retention_impact){0};
	c.before = before;
	if (!rc)
		rc = count_all(app, &c, err);
	json_decref(before);
	return rc;
}

int retention_counts(struct app *app, const json_t *rows, json_t **ret, struct ark_error *err)
{
	struct counting c = {.after = rows, .counts = json_object()};
	int rc = c.counts ? count_all(app, &c, err)
			  : ark_fail(err, ARK_ENOMEM, "no memory to count documents");

	if (rc)
		json_decref(c.counts);
	else
		*ret = c.counts;
	return rc;
}

int retention_versions(struct app *app, json_t **ret, struct ark_error *err)
{
	json_t *versions = json_array(), *envelope;
	struct receipt *receipt = NULL;
	uint32_t newest = 0;
	int rc = records_number(app->archive, "retention", RETENTION_TABLE, &newest, err);

	if (!rc && newest)
		rc = archive_maintenance(
		    app->archive, "read retention", "all versions", &receipt, err);
	for (uint32_t n = 1; !rc && n <= newest; n++) {
		envelope = NULL;
		rc = records_read(
		    app->archive, receipt, "retention", RETENTION_TABLE, n, &envelope, err);
		if (!rc && json_array_append_new(versions, record_version_header(n, envelope)))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for the versions");
		json_decref(envelope);
	}
	receipt_free(receipt);
	if (rc)
		json_decref(versions);
	else
		*ret = versions;
	return rc;
}
