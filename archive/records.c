#include "arkki/archive/records.h"

#include <string.h>

#include "archive/archive_private.h"
#include "archive/envelope.h"

bool records_end_with_document(const char *kind)
{
	return strcmp(kind, "orders") == 0;
}

int records_number(
    struct archive *a, const char *kind, const char *id, uint32_t *ret, struct ark_error *err)
{
	struct desk *desk = NULL;
	int rc = archive_desk(a, &desk, err);

	if (!rc)
		rc = catalogue_record_number(desk->catalogue, kind, id, ret, err);
	archive_desk_return(a, desk);
	return rc;
}

static int open_record(struct archive *a, struct desk *desk, const struct receipt *receipt,
    const char *kind, const char *id, uint32_t number, json_t **ret, struct ark_error *err)
{
	struct keyring *keys = archive_keyring(a);
	char path[ENVELOPE_PATH], name[33];
	struct store_blob blob;
	int rc;

	keyring_name(keys, kind, id, name);
	envelope_record_path(path, kind, name, number);
	rc = store_get(desk->store, NULL, path, &blob, err);
	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, rc, "there is no version %u of the %s", number, kind);
	if (rc)
		return rc;
	rc = envelope_open(keys, receipt, path, blob.bytes, blob.len, ret, err);
	store_blob_release(&blob);
	return rc;
}

int records_read(struct archive *a, const struct receipt *receipt, const char *kind, const char *id,
    uint32_t number, json_t **ret, struct ark_error *err)
{
	struct desk *desk = NULL;
	int rc = archive_desk(a, &desk, err);

	if (!rc)
		rc = open_record(a, desk, receipt, kind, id, number, ret, err);
	archive_desk_return(a, desk);
	return rc;
}

int records_file(struct archive *a, const char *kind, json_t *record, uint32_t base,
    const struct filing_actor *actor, const char *reason, struct ark_error *err)
{
	struct filing *f = filing_new(FILING_RECORD);
	int rc = f && record ? filing_set_actor(f, actor, err)
			     : ark_fail(err, ARK_ENOMEM, "no memory for a record");

	if (!rc && reason && !(f->reason = strdup(reason)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a record");
	if (!rc) {
		f->record_kind = kind;
		f->record = json_incref(record);
		f->record_on_base = true;
		f->base_metadata = base;
		rc = filing_submit_wait(a, f, err);
	}
	filing_free(f);
	return rc;
}
