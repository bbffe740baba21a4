/* One version in a package: its bytes or those of its public rendition, its metadata and its proof. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/exports_private.h"
#include "arkki/archive/disclosure.h"
#include "arkki/archive/packing.h"
#include "arkki/base/json.h"

static int copy_content(struct work *w, const struct catalogue_row *row, enum form form,
    const char *path, struct ark_error *err)
{
	struct packing *k = NULL;
	int rc = packing_begin(w->a, w->receipt, row, form, w->p, path, &k, err);

	if (!rc)
		rc = 1;
	while (rc == 1) {
		rc = packing_step(k, err);
		if (rc == 1 && !export_goes_on(w->j, w->tally))
			rc = ark_fail(err, ARK_EIO, "the export was given up");
	}
	packing_free(k);
	return rc;
}

struct found_entry {
	uint32_t version;
	uint64_t index;
	bool found;
};

static int match_filing(void *arg, const struct ledger_entry *e)
{
	struct found_entry *f = arg;
	const char *kind = json_text(e->a, "kind");

	if (!kind || (strcmp(kind, "filing") != 0 && strcmp(kind, "version") != 0) ||
	    (uint32_t)json_integer_value(json_object_get(e->a, "version")) != f->version)
		return 0;
	f->index = e->index;
	f->found = true;
	return 1;
}

/* proof.json: what the history log says of the filing, part A disclosed, checkable with the log's key alone. */
static int add_proof(
    struct work *w, const struct catalogue_row *row, const char *folder, struct ark_error *err)
{
	struct ledger *history = archive_ledger(w->a, LEDGER_HISTORY);
	const struct ledger_filter filter = {.document = row->document};
	struct found_entry f = {.version = row->version};
	struct buf text = {.limit = DISCLOSURE_MAX};
	char path[200];
	int rc = ledger_find(history, &filter, UINT_MAX, match_filing, &f, err);

	if (rc >= 0)
		rc = f.found ? disclosure_write(history, f.index, DISCLOSE_A, &text, err)
			     : ark_fail(err, ARK_EIO, "the filing has no history entry");
	snprintf(path, sizeof(path), "%s/proof.json", folder);
	if (!rc)
		rc = package_add(w->p, path, text.data, text.len, err);
	buf_free(&text);
	return rc;
}

/* What version.json says beside the API's version: where the file is, and what opens its commitment. */
static int about_version(const struct card *card, enum export_shape shape, const char *file,
    json_t *about, struct ark_error *err)
{
	static const char *const forms[] = {"whole", "public", "withheld"};
	bool ok = json_object_set_new(about, "form", json_string(forms[shape])) == 0;

	if (shape != SHAPE_WITHHELD)
		ok = ok && json_object_set_new(about, "file", json_string(file)) == 0;
	if (shape == SHAPE_WHOLE)
		ok = ok &&
		     json_object_set(about, "salt", json_object_get(card->version, "salt")) == 0 &&
		     json_object_set(
			 about, "commitment", json_object_get(card->version, "commitment")) == 0;
	return ok ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an export");
}

static void folder_of(const struct catalogue_row *row, char out[128])
{
	snprintf(out, 128, "documents/%s/v%04u", row->document, row->version);
}

/* Of a public rendition version.json tells what goes with it, also where the caller sees the version whole. */
static int open_card(struct work *w, const struct catalogue_row *row, enum export_shape shape,
    struct card *ret, struct ark_error *err)
{
	int rc = shown_card(w->a, w->receipt, row, ret, err);

	if (rc || shape != SHAPE_PUBLIC || !row->whole)
		return rc;
	json_decref(ret->version);
	ret->version = NULL;
	return reading_version(w->a, w->receipt, row, FORM_PUBLIC, &ret->version, err);
}

int export_version(
    struct work *w, const struct catalogue_row *row, enum export_shape shape, struct ark_error *err)
{
	struct card card = {0};
	struct buf file = BUF_INIT;
	char folder[128], path[200];
	json_t *about = NULL;
	int rc = open_card(w, row, shape, &card, err);

	folder_of(row, folder);
	buf_addf(&file, "%s/%s", folder, shape == SHAPE_PUBLIC ? "public/" : "content/");
	if (!rc)
		package_safe_name(&file, json_text(card.version, "fileName"));
	if (!rc && buf_failed(&file))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an export");
	if (!rc && shape != SHAPE_WITHHELD)
		rc = copy_content(
		    w, row, shape == SHAPE_WHOLE ? FORM_WHOLE : FORM_PUBLIC, file.data, err);
	if (!rc && row->whole)
		rc = add_proof(w, row, folder, err);
	if (!rc) {
		about = version_json_of(row, &card);
		rc = about_version(&card, shape, file.data, about, err);
	}
	if (!rc && json_object_set(about, "metadata", card.fields))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an export");
	snprintf(path, sizeof(path), "%s/version.json", folder);
	if (!rc)
		rc = export_json(w, path, about, err);
	if (!rc && json_array_append(w->versions, about))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an export");
	w->tally->whole += !rc && shape == SHAPE_WHOLE;
	w->tally->renditions += !rc && shape == SHAPE_PUBLIC;
	w->tally->withheld += !rc && shape == SHAPE_WITHHELD;
	json_decref(about);
	card_free(&card);
	buf_wipe_free(&file);
	return rc;
}
