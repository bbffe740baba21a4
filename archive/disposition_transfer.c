/* Transfers: what stands between the approval and the end of a document that another archive takes over.
 *
 *   approved   no package yet
 *   packaged   one was made and checked; the receiver may fetch it
 *   received   the receiver has confirmed one of them: the document takes nothing more, and may be destroyed
 *
 * A version that was filed between package and confirmation leads back to "approved".
 */
#include <string.h>

#include "archive/archive_private.h"
#include "archive/disposition_private.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

const json_t *disposition_package(const json_t *proposal, const char *sha256)
{
	const json_t *all = json_object_get(proposal, "packages"), *found = NULL, *one;
	const char *wanted = sha256 ? sha256 : json_text(proposal, "package");
	size_t i;

	json_array_foreach(all, i, one)
	{
		const char *has = json_text(one, "sha256");

		if (wanted && has && strcmp(has, wanted) == 0)
			found = one;
	}
	return found;
}

static json_t *packages_with(const json_t *proposal, const struct disposition_package *p)
{
	const json_t *before = json_object_get(proposal, "packages");
	json_t *all = before ? json_copy((json_t *)(uintptr_t)before) : json_array();
	char now[CLOCK_TEXT_SIZE];

	clock_format(now, clock_now_us());
	while (json_array_size(all) >= DISPOSITION_PACKAGES)
		json_array_remove(all, 0);
	if (json_array_append_new(
		all, json_pack("{s:s,s:I,s:s,s:i,s:i,s:s}", "sha256", p->sha256, "size",
			 (json_int_t)p->size, "export", p->export, "version", (int)p->version,
			 "metadata", (int)p->metadata, "at", now))) {
		json_decref(all);
		return NULL;
	}
	return all;
}

int disposition_packaged(struct archive *a, const char *document, uint32_t base,
    const struct disposition_package *package, const struct filing_actor *actor,
    struct ark_error *err)
{
	json_t *before = disposition_proposal(a->registry, document);
	json_t *p = before ? json_copy(before) : NULL, *all = packages_with(before, package);
	const char *state = json_text(before, "state");
	int rc = ARK_OK;

	if (!p || !all)
		rc = before ? ark_fail(err, ARK_ENOMEM, "no memory for a proposal")
			    : ark_fail(err, ARK_ECONFLICT, "there is no proposal any more");
	else if (!disposition_awaits_receiver(before) || !state || strcmp(state, "proposed") == 0)
		rc = ark_fail(err, ARK_ECONFLICT, "no package of the document is waited for");
	else if (json_object_set_new(p, "state", json_string("packaged")) ||
		 json_object_set_new(p, "package", json_string(package->sha256)) ||
		 json_object_set(p, "packages", all))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a proposal");
	if (!rc)
		rc = disposition_file(a, "disposals", json_incref(p), base, actor, NULL, err);
	json_decref(before);
	json_decref(all);
	json_decref(p);
	return rc;
}

json_t *disposition_unpacked(struct registry *r)
{
	json_t *approved = disposition_approved(r), *ids = json_array(), *p;
	size_t i;

	json_array_foreach(approved, i, p)
	{
		const char *state = json_text(p, "state"), *id = json_text(p, "id");
		json_t *hold = disposition_hold(r, id);

		if (!hold && disposition_awaits_receiver(p) && strcmp(state, "approved") == 0)
			json_array_append_new(ids, json_string(id));
		json_decref(hold);
	}
	json_decref(approved);
	return ids;
}

static int unpack(struct archive *a, const json_t *proposal, uint32_t number,
    const struct filing_actor *actor, struct ark_error *err)
{
	json_t *p = json_copy((json_t *)(uintptr_t)proposal);

	if (!p || json_object_set_new(p, "state", json_string("approved"))) {
		json_decref(p);
		return ark_fail(err, ARK_ENOMEM, "no memory for a proposal");
	}
	json_object_del(p, "package");
	json_object_del(p, "packages");
	return disposition_file(a, "disposals", p, number, actor,
	    "something was filed that is not in the package that was received", err);
}

int disposition_took_all(struct archive *a, struct catalogue *catalogue, const json_t *proposal,
    const struct filing_actor *actor, bool *ret, struct ark_error *err)
{
	const json_t *package = disposition_package(proposal, NULL);
	const char *id = json_text(proposal, "id");
	uint32_t version, metadata, number;
	int rc;

	*ret = true;
	/* confirmed before packages were made here: a person took the place of this check */
	if (!package)
		return ARK_OK;
	rc = catalogue_newest(catalogue, id, &version, &metadata, err);
	if (!rc)
		rc = records_number(a, "disposals", id, &number, err);
	if (rc)
		return rc;
	*ret = json_integer_value(json_object_get(package, "version")) == (json_int_t)version &&
	       json_integer_value(json_object_get(package, "metadata")) == (json_int_t)metadata;
	return *ret ? ARK_OK : unpack(a, proposal, number, actor, err);
}
