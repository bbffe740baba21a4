#include "arkki/archive/past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/envelope.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct past {
	struct archive *a;
	const struct receipt *receipt;
	struct desk *desk;
	int64_t time_us;
	struct ark_error *err;
	const char *kind;          /* of the records at hand */
	struct registry *registry; /* that is being filled */
	uint32_t policies;         /* number of the record in force; 0: none yet */
	int64_t first_policies_us; /* when they began, where that is later */
};

/* ---- sealed JSON with a time in it ---- */

static int open_sealed(
    struct past *p, const char *path, const void *bytes, size_t len, json_t **ret)
{
	return envelope_open(archive_keyring(p->a), p->receipt, path, bytes, len, ret, p->err);
}

/* ARK_ENOTFOUND when nothing has that path. */
static int open_path(struct past *p, const char *path, json_t **ret)
{
	struct store_blob blob;
	int rc = store_get(p->desk->store, NULL, path, &blob, p->err);

	if (rc)
		return rc;
	rc = open_sealed(p, path, blob.bytes, blob.len, ret);
	store_blob_release(&blob);
	return rc;
}

static int time_of(struct past *p, const char *path, const json_t *v, int64_t *ret)
{
	const char *text = json_text(v, "time");

	if (text && clock_parse(text, ret))
		return ARK_OK;
	return ark_fail(p->err, ARK_ECORRUPT, "%s has no time", path);
}

/* What a number before the newest must be: the store gives numbers out without gaps. */
static int open_earlier(struct past *p, const char *path, json_t **ret)
{
	int rc = open_path(p, path, ret);

	return rc == ARK_ENOTFOUND ? ark_fail(p->err, ARK_ECORRUPT, "the store has no %s", path)
				   : rc;
}

/* ---- records ---- */

static int keep(struct past *p, uint32_t number, const json_t *v)
{
	json_t *record = json_incref(json_object_get(v, "record"));
	const char *id = json_text(record, "id");

	if (id && strcmp(p->kind, "policies") == 0 && strcmp(id, REGISTRY_POLICIES) == 0)
		p->policies = number;
	return registry_put(p->registry, p->kind, record, p->err);
}

/* From the newest number of one record back to the one that was in force. */
static int take_record(
    void *arg, const char *name, uint32_t number, const struct catalogue_blob *sealed)
{
	struct past *p = arg;
	char path[ENVELOPE_PATH];
	json_t *v = NULL;
	int64_t since = 0;
	int rc;

	envelope_record_path(path, p->kind, name, number);
	rc = open_sealed(p, path, sealed->bytes, sealed->len, &v);
	if (!rc)
		rc = time_of(p, path, v, &since);
	while (!rc && since > p->time_us && --number > 0) {
		json_decref(v);
		v = NULL;
		envelope_record_path(path, p->kind, name, number);
		rc = open_earlier(p, path, &v);
		if (!rc)
			rc = time_of(p, path, v, &since);
	}
	if (!rc && number > 0)
		rc = keep(p, number, v);
	else if (!rc && strcmp(p->kind, "policies") == 0)
		p->first_policies_us = since;
	json_decref(v);
	return rc;
}

static int take_all(struct past *p)
{
	static const char *const kinds[] = {
	    "orgs", "users", "units", "cases", "placements", "policies"};
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < sizeof(kinds) / sizeof(*kinds); i++) {
		p->kind = kinds[i];
		rc = catalogue_records(p->desk->catalogue, kinds[i], take_record, p, p->err);
	}
	return rc;
}

static int no_policies_yet(struct past *p)
{
	char since[CLOCK_TEXT_SIZE];

	clock_format(since, p->first_policies_us);
	return ark_fail(p->err, ARK_EINPUT,
	    "the archive's first policies are of %s: nothing was decided before", since);
}

int past_registry(struct archive *a, const struct receipt *receipt, int64_t time_us,
    struct registry **ret, uint32_t *ret_policies, struct ark_error *err)
{
	struct past p = {.a = a, .receipt = receipt, .time_us = time_us, .err = err};
	int rc = registry_new(&p.registry, err);

	if (rc)
		return rc;
	rc = archive_desk(a, &p.desk, err);
	if (!rc)
		rc = take_all(&p);
	if (!rc && !p.policies)
		rc = no_policies_yet(&p);
	archive_desk_return(a, p.desk);
	if (rc) {
		registry_free(p.registry);
		return rc;
	}
	*ret = p.registry;
	if (ret_policies)
		*ret_policies = p.policies;
	return ARK_OK;
}

/* ---- documents ---- */

/* The highest numbers of "v0002" and "m0007" in a document's directory, or of "public-0003" in that of
 * a version's renditions. */
struct numbers {
	uint32_t versions, metadata, renditions;
};

static void note_number(uint32_t *highest, const char *digits)
{
	unsigned long n = strtoul(digits, NULL, 10);

	if (n <= UINT32_MAX && n > *highest)
		*highest = (uint32_t)n;
}

static int note_entry(void *arg, const char *name, bool is_tree, const struct store_oid *oid)
{
	struct numbers *n = arg;

	(void)oid;
	if (is_tree && name[0] == 'v')
		note_number(&n->versions, name + 1);
	else if (!is_tree && name[0] == 'm')
		note_number(&n->metadata, name + 1);
	else if (is_tree && strcmp(name, "public") == 0)
		note_number(&n->renditions, "1");
	else if (is_tree && strncmp(name, "public-", 7) == 0)
		note_number(&n->renditions, name + 7);
	return 0;
}

static int not_there_yet(struct past *p, const char *document)
{
	return ark_fail(p->err, ARK_ENOTFOUND, "%s was not there at that time", document);
}

/* The newest version from `n` down that was there; or only `n` itself. */
static int find_version(struct past *p, const char *document, uint32_t n, bool only, uint32_t *ret)
{
	char path[ENVELOPE_PATH];
	int rc = ARK_OK;

	for (; n > 0; n--) {
		json_t *meta = NULL;
		int64_t filed = 0;

		envelope_version_path(path, document, n, "meta");
		rc = open_earlier(p, path, &meta);
		if (!rc)
			rc = time_of(p, path, meta, &filed);
		json_decref(meta);
		if (rc || filed <= p->time_us || only) {
			*ret = n;
			return rc ? rc
				  : (filed <= p->time_us ? ARK_OK : not_there_yet(p, document));
		}
	}
	return not_there_yet(p, document);
}

/* The metadata record that spoke of the version: every version has one from its beginning on. */
static int find_metadata(
    struct past *p, const char *document, uint32_t newest, struct past_document *d)
{
	char path[ENVELOPE_PATH];

	for (uint32_t n = newest; n > 0; n--) {
		json_t *v = NULL;
		int64_t since = 0;
		int rc;

		envelope_metadata_path(path, document, n);
		rc = open_earlier(p, path, &v);
		if (!rc)
			rc = time_of(p, path, v, &since);
		if (!rc && since <= p->time_us &&
		    json_integer_value(json_object_get(v, "version")) == d->version) {
			d->metadata = n;
			d->fields = json_incref(json_object_get(v, "fields"));
			d->counties = json_incref(json_object_get(v, "counties"));
			json_decref(v);
			return ARK_OK;
		}
		json_decref(v);
		if (rc)
			return rc;
	}
	return ark_fail(p->err, ARK_ECORRUPT, "version %u of %s has no metadata record of its time",
	    d->version, document);
}

/* The last word on renditions then: the newest one, unless it is a withdrawal. */
static int find_rendition(struct past *p, const char *document, struct past_document *d)
{
	struct numbers n = {0};
	char path[ENVELOPE_PATH];
	int rc;

	envelope_version_path(path, document, d->version, "renditions");
	rc = store_list(p->desk->store, NULL, path, note_entry, &n, p->err);
	if (rc == ARK_ENOTFOUND)
		return ARK_OK;
	for (uint32_t i = n.renditions; !rc && i > 0; i--) {
		json_t *meta = NULL;
		int64_t since = 0;

		envelope_rendition_path(path, document, d->version, i, "meta");
		rc = open_earlier(p, path, &meta);
		if (!rc)
			rc = time_of(p, path, meta, &since);
		if (!rc && since <= p->time_us) {
			d->rendition = !json_is_true(json_object_get(meta, "withdrawn"));
			json_decref(meta);
			return ARK_OK;
		}
		json_decref(meta);
	}
	return rc;
}

static int find_document(
    struct past *p, const char *document, uint32_t version, struct past_document *d)
{
	struct numbers n = {0};
	char path[ENVELOPE_PATH];
	int rc;

	if (!docid_valid(document))
		return not_there_yet(p, document);
	envelope_document_path(path, document, "");
	rc = store_list(p->desk->store, NULL, path, note_entry, &n, p->err);
	if (rc)
		return rc;
	if (version > n.versions)
		return not_there_yet(p, document);
	rc = find_version(p, document, version ? version : n.versions, version != 0, &d->version);
	if (!rc)
		rc = find_metadata(p, document, n.metadata, d);
	return rc ? rc : find_rendition(p, document, d);
}

void past_document_free(struct past_document *d)
{
	json_decref(d->fields);
	json_decref(d->counties);
	*d = (struct past_document){0};
}

int past_document(struct archive *a, const struct receipt *receipt, const char *document,
    uint32_t version, int64_t time_us, struct past_document *ret, struct ark_error *err)
{
	struct past p = {.a = a, .receipt = receipt, .time_us = time_us, .err = err};
	struct past_document d = {0};
	int rc = archive_desk(a, &p.desk, err);

	if (rc)
		return rc;
	rc = find_document(&p, document, version, &d);
	archive_desk_return(a, p.desk);
	if (rc)
		past_document_free(&d);
	else
		*ret = d;
	return rc;
}

int past_rendition(struct archive *a, const struct receipt *receipt, const char *document,
    uint32_t version, uint32_t number, json_t **ret, struct ark_error *err)
{
	struct past p = {.a = a, .receipt = receipt, .err = err};
	char path[ENVELOPE_PATH];
	int rc = archive_desk(a, &p.desk, err);

	if (rc)
		return rc;
	envelope_rendition_path(path, document, version, number, "meta");
	rc = open_path(&p, path, ret);
	archive_desk_return(a, p.desk);
	return rc;
}
