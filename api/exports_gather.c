/* Which versions a package takes: those named, found, or of a unit and case, as far as the caller sees them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/exports_private.h"
#include "arkki/base/json.h"

static int keep_row(void *arg, const struct catalogue_row *row)
{
	struct work *w = arg;

	if (w->n == EXPORT_VERSIONS_MAX)
		return ARK_EINPUT;
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct catalogue_row *rows = realloc(w->rows, cap * sizeof(*rows));

		if (!rows)
			return ARK_ENOMEM;
		w->rows = rows;
		w->cap = cap;
	}
	if (catalogue_row_copy(&w->rows[w->n], row))
		return ARK_ENOMEM;
	w->n++;
	return ARK_OK;
}

struct ledger_record export_record(const struct work *w, const struct catalogue_row *row)
{
	const struct export_job *j = w->j;

	return (struct ledger_record){.kind = "export",
	    .document = row ? row->document : NULL,
	    .version = row ? row->version : 0,
	    .author = row && row->author[0] ? row->author : NULL,
	    .purpose = j->purpose,
	    .case_id = j->case_id,
	    .break_glass = j->break_glass,
	    .glass_refused = j->glass_refused,
	    .principal = j->user,
	    .org = j->org,
	    .roles = j->roles,
	    .authentication = j->authentication,
	    .session = j->token_id[0] ? j->token_id : NULL,
	    .address = j->address,
	    .own_series = j->own_series};
}

/* Asked for by its id and not there for the caller: what exists gets a denied entry in its own series. */
static int log_missing(
    struct work *w, struct catalogue *catalogue, const char *id, struct ark_error *err)
{
	struct ledger_record r = export_record(w, NULL);
	uint32_t version, metadata;
	char author[33] = "";
	bool exists = !catalogue_newest(catalogue, id, &version, &metadata, NULL);

	if (catalogue_author(catalogue, id, 0, author, NULL))
		author[0] = '\0';
	r.outcome = exists ? LEDGER_DENIED : LEDGER_NOT_FOUND;
	r.document = exists ? id : NULL;
	r.author = exists && author[0] ? author : NULL;
	w->tally->missing++;
	return ledger_append_wait(archive_ledger(w->a, LEDGER_ACCESS), &r, 1, NULL, err);
}

/* version: as a search found it; 0: the newest. What was withdrawn since is no hit any more. */
static int take_document(struct work *w, struct catalogue *catalogue, const char *id,
    uint32_t version, struct ark_error *err)
{
	struct catalogue_row row = {0};
	size_t before = w->n;
	int rc;

	if (w->j->all_versions) {
		rc = catalogue_versions(catalogue, id, w->j->sight, keep_row, w, err);
	} else {
		rc = catalogue_get(catalogue, id, version, w->j->sight, &row, err);
		if (!rc)
			rc = keep_row(w, &row);
		catalogue_row_free(&row);
	}
	if (version && rc == ARK_ENOTFOUND)
		return ARK_OK;
	if (rc == ARK_ENOTFOUND || (!rc && w->n == before))
		return log_missing(w, catalogue, id, err);
	return rc;
}

struct ids {
	char (*id)[33];
	size_t n;
	char date[11];
};

static int keep_id(void *arg, const struct catalogue_row *row)
{
	struct ids *ids = arg;

	memcpy(ids->id[ids->n++], row->document, 33);
	snprintf(ids->date, sizeof(ids->date), "%s", row->date);
	return ARK_OK;
}

static int too_many(struct ark_error *err)
{
	return ark_fail(err, ARK_EINPUT,
	    "that is more than %d documents or %d versions: ask for a part of it",
	    EXPORT_DOCUMENTS_MAX, EXPORT_VERSIONS_MAX);
}

/* By unit and case, in pages: no lock of the catalogue is held for long. */
static int take_found(struct work *w, struct catalogue *catalogue, struct ark_error *err)
{
	enum { PAGE = 200 };
	struct catalogue_list list = {.unit = w->j->unit, .case_id = w->j->of_case, .limit = PAGE};
	struct ids ids = {.id = calloc(PAGE, 33)};
	size_t documents = 0;
	int rc = ids.id ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an export");

	while (!rc) {
		ids.n = 0;
		rc = catalogue_documents(catalogue, &list, w->j->sight, keep_id, &ids, err);
		documents += ids.n;
		if (!rc && documents > EXPORT_DOCUMENTS_MAX)
			rc = too_many(err);
		for (size_t i = 0; !rc && i < ids.n; i++)
			rc = take_document(w, catalogue, ids.id[i], 0, err);
		if (ids.n < PAGE)
			break;
		memcpy(list.after_document, ids.id[ids.n - 1], 33);
		memcpy(list.after_date, ids.date, sizeof(list.after_date));
	}
	free(ids.id);
	return rc;
}

int export_gather(struct work *w, struct ark_error *err)
{
	struct desk *desk = NULL;
	struct ark_error why = {0};
	json_t *id;
	size_t i;
	int rc = archive_desk(w->a, &desk, err);

	if (!rc && !w->j->documents)
		rc = take_found(w, desk->catalogue, &why);
	json_array_foreach(w->j->documents, i, id)
	{
		if (!rc)
			rc = take_document(w, desk->catalogue, json_string_value(id),
			    w->j->hits ? w->j->hits[i] : 0, &why);
	}
	archive_desk_return(w->a, desk);
	w->tally->found = w->n;
	if (rc == ARK_EINPUT)
		return too_many(err);
	if (rc && why.status)
		*err = why;
	else if (rc && !desk)
		return rc;
	else if (rc)
		return ark_fail(err, rc, "no memory for an export");
	return rc;
}
