/* How a package is made: which versions, then group by group logged, opened, written; the pages last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/exports_private.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/signing.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { INDENT = 1 };

/* ---- in which form ---- */

/* What of it the caller may have: the version, else its public rendition, else its metadata alone. */
static int shape_of(struct work *w, struct catalogue *catalogue, const struct catalogue_row *row,
    enum export_shape *ret, struct ark_error *err)
{
	bool open = false;
	int rc = ARK_OK;

	if (row->whole && !w->j->content)
		open = true;
	else if (row->whole)
		rc = catalogue_admits(
		    catalogue, row->document, row->version, w->j->content, &open, err);
	*ret = open ? SHAPE_WHOLE : row->rendition.number ? SHAPE_PUBLIC : SHAPE_WITHHELD;
	return rc;
}

/* The entries of these versions, durable, and in which form each goes. */
static int log_group(struct work *w, const struct catalogue_row *rows, size_t n,
    enum export_shape *shapes, struct ark_error *err)
{
	struct ledger_record records[EXPORT_GROUP];
	struct desk *desk = NULL;
	char detail[2][80];
	int rc = archive_desk(w->a, &desk, err);

	snprintf(detail[0], sizeof(detail[0]), "{\"export\":\"%s\"}", w->j->id);
	snprintf(
	    detail[1], sizeof(detail[1]), "{\"export\":\"%s\",\"rendition\":\"public\"}", w->j->id);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = shape_of(w, desk->catalogue, &rows[i], &shapes[i], err);
		records[i] = export_record(w, &rows[i]);
		records[i].detail = detail[shapes[i] == SHAPE_PUBLIC];
		records[i].bytes = shapes[i] == SHAPE_WHOLE    ? rows[i].size
				   : shapes[i] == SHAPE_PUBLIC ? rows[i].rendition.size
							       : 0;
	}
	archive_desk_return(w->a, desk);
	if (rc)
		return rc;
	receipt_free(w->receipt);
	w->receipt = NULL;
	return ledger_append_wait(
	    archive_ledger(w->a, LEDGER_ACCESS), records, n, &w->receipt, err);
}

int export_json(struct work *w, const char *path, const json_t *value, struct ark_error *err)
{
	char *text = value ? json_dumps(value, JSON_INDENT(INDENT)) : NULL;
	int rc = text ? package_add(w->p, path, text, strlen(text), err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for an export");

	free(text);
	return rc;
}

static int write_rows(struct work *w, struct ark_error *err)
{
	enum export_shape shapes[EXPORT_GROUP] = {0};
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < w->n; i++) {
		const struct catalogue_row *row = &w->rows[i];
		size_t left = w->n - i;

		if (i % EXPORT_GROUP == 0)
			rc = log_group(
			    w, row, left < EXPORT_GROUP ? left : EXPORT_GROUP, shapes, err);
		if (!rc)
			rc = filing_room(w->a, err);
		if (!rc)
			rc = export_version(w, row, shapes[i % EXPORT_GROUP], err);
		if (!rc && (left == 1 || strcmp(row->document, row[1].document) != 0))
			rc = export_document(w, row, err);
		w->tally->done = i + 1;
		if (!rc && !export_goes_on(w->j, w->tally))
			rc = ark_fail(err, ARK_EIO, "the export was given up");
	}
	return rc;
}

/* ---- logs, pages, end ---- */

int export_log_key(
    struct archive *a, enum ledger_which which, struct buf *vkey, struct ark_error *err)
{
	enum keyring_signing kind = which == LEDGER_HISTORY ? SIGNING_HISTORY : SIGNING_ACCESS;
	struct keyring_signer *s = calloc(KEYRING_PAST_MAX + 1, sizeof(*s));
	char origin[300];
	int rc;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for keys");
	snprintf(origin, sizeof(origin), "%s/%s", archive_origin(a),
	    which == LEDGER_HISTORY ? "history" : "access");
	(void)keyring_signers(archive_keyring(a), kind, s);
	rc = signing_public(kind, origin, s[0].public_key, vkey, err);
	explicit_bzero(s, (KEYRING_PAST_MAX + 1) * sizeof(*s));
	free(s);
	return rc;
}

static int add_log(struct work *w, enum ledger_which which, struct ark_error *err)
{
	const char *name = which == LEDGER_HISTORY ? "history" : "access";
	struct buf checkpoint = BUF_INIT, vkey = BUF_INIT;
	char path[64];
	int rc = ledger_checkpoint(archive_ledger(w->a, which), &checkpoint, err);

	snprintf(path, sizeof(path), "logs/%s.checkpoint", name);
	if (!rc)
		rc = package_add(w->p, path, checkpoint.data, checkpoint.len, err);
	if (!rc)
		rc = export_log_key(w->a, which, &vkey, err);
	snprintf(path, sizeof(path), "logs/%s.vkey", name);
	if (!rc)
		rc = package_add(w->p, path, vkey.data, vkey.len, err);
	buf_free(&checkpoint);
	buf_free(&vkey);
	return rc;
}

static int add_pages(struct work *w, struct ark_error *err)
{
	const struct export_job *j = w->j;
	char time[CLOCK_TEXT_SIZE];
	struct buf page = BUF_INIT;
	json_t *about;
	int rc;

	clock_format(time, j->created_us);
	about = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*,s:s*,s:s*,s:s*,s:O*,s:s,s:O}", "arkki",
	    "export/1", "id", j->id, "origin", archive_origin(w->a), "time", time, "by", j->user,
	    "org", j->org, "purpose", j->purpose, "unit", j->unit, "case", j->of_case, "query",
	    j->query, "versions", j->all_versions ? "all" : "newest", "documents", w->documents);
	rc = export_json(w, "export.json", about, err);
	if (!rc)
		rc = export_page(about, j->language, &page, err);
	if (!rc)
		rc = package_add(w->p, "index.html", page.data, page.len, err);
	buf_wipe_free(&page);
	json_decref(about);
	return rc;
}

static int sign(void *arg, const char *text, size_t len, struct buf *note, struct ark_error *err)
{
	return ledger_sign_text(arg, text, len, note, err);
}

static int finish(struct work *w, struct ark_error *err)
{
	char log[300];
	const struct package_signer signer = {
	    .log = log, .sign = sign, .arg = archive_ledger(w->a, LEDGER_HISTORY)};
	struct buf info = BUF_INIT;
	int rc;

	snprintf(log, sizeof(log), "%s/history", archive_origin(w->a));
	buf_addf(&info,
	    "Source-Organization: %s\nExternal-Identifier: %s/exports/%s\nBag-Software-Agent: "
	    "arkki\n"
	    "Bag-Group-Identifier: arkki-export\n",
	    archive_origin(w->a), archive_origin(w->a), w->j->id);
	rc = buf_failed(&info) ? ark_fail(err, ARK_ENOMEM, "no memory for an export")
			       : package_finish(w->p, info.data, &signer, err);
	buf_free(&info);
	return rc;
}

int export_make(
    struct export_job *j, struct package **ret, struct export_job *tally, struct ark_error *err)
{
	struct work w = {.j = j,
	    .tally = tally,
	    .a = j->app->archive,
	    .documents = json_array(),
	    .versions = json_array()};
	char folder[64];
	int rc;

	snprintf(folder, sizeof(folder), "arkki-export-%.16s", j->id);
	rc = w.documents && w.versions ? export_gather(&w, err)
				       : ark_fail(err, ARK_ENOMEM, "no memory for an export");
	if (!rc)
		rc = export_gathered(j, w.rows, w.n, err);
	if (!rc)
		rc = package_new(archive_spool_dir(w.a), j->kind, folder, &w.p, err);
	if (!rc)
		rc = write_rows(&w, err);
	if (!rc)
		rc = add_log(&w, LEDGER_HISTORY, err);
	if (!rc && j->auditor)
		rc = add_log(&w, LEDGER_ACCESS, err);
	if (!rc)
		rc = add_pages(&w, err);
	if (!rc)
		rc = finish(&w, err);
	if (!rc) {
		*ret = w.p;
		w.p = NULL;
	}
	package_free(w.p);
	for (size_t i = 0; i < w.n; i++)
		catalogue_row_free(&w.rows[i]);
	free(w.rows);
	receipt_free(w.receipt);
	json_decref(w.documents);
	json_decref(w.versions);
	return rc;
}
