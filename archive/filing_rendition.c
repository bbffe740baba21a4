/* A public rendition: what the public may read of a version that it may not read whole.
 *
 * It is filed and withdrawn like a version is filed, but sealed under the version's own key:
 * destroying that key destroys it too. The store overwrites nothing, so the first, the one that
 * replaces it and the record of a withdrawal are numbered; the newest counts.
 */
#include "archive/filing_private.h"

#include <string.h>

#include "archive/envelope.h"

static int take_key(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct filing *f, struct ark_error *err)
{
	uint64_t slot;
	int rc = envelope_slot(row->sealed_version.data, row->sealed_version.len, &slot, err);

	if (!rc)
		rc = keyring_unwrap(archive_keyring(a), receipt, slot, &f->key, err);
	if (rc)
		return rc;
	f->slot = slot;
	memcpy(f->document, row->document, sizeof(f->document));
	return ARK_OK;
}

int filing_rendition(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct filing *f, struct ark_error *err)
{
	int rc = take_key(a, receipt, row, f, err);

	if (rc)
		return rc;
	f->version = row->version;
	f->base_rendition = row->renditions;
	return ARK_OK;
}

int filing_under(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    struct filing *f, struct ark_error *err)
{
	int rc = take_key(a, receipt, row, f, err);

	f->sealed_under = rc == ARK_OK;
	return rc;
}

int filing_rendition_upload(struct archive *a, struct filing *f, struct ark_error *err)
{
	char path[ENVELOPE_PATH];

	envelope_rendition_path(path, f->document, f->version, f->base_rendition + 1, "content");
	return upload_new_at(a, &f->key, path, &f->upload, err);
}

int filing_settle_rendition(
    struct archive *a, struct filing *f, const struct filing *before, struct ark_error *err)
{
	struct catalogue_row row = {0};
	uint32_t newest;
	bool shown;
	int rc;

	rc = catalogue_get(a->catalogue, f->document, f->version, NULL, &row, err);
	if (rc)
		return rc;
	newest = before ? before->rendition : row.renditions;
	shown = before ? before->upload != NULL : row.rendition.number != 0;
	catalogue_row_free(&row);
	if (newest != f->base_rendition)
		return ark_fail(err, ARK_ECONFLICT,
		    "the public rendition has changed since it was read; read it again and repeat "
		    "the change");
	if (!f->upload && !shown)
		return ark_fail(err, ARK_ENOTFOUND, "there is no public rendition to withdraw");
	f->rendition = newest + 1;
	return ARK_OK;
}
