/* How a package is made: which versions, then group by group logged, opened, written; the pages last. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/exports.h"
#include "arkki/archive/disclosure.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/signing.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { BLOCK = 65536, INDENT = 1 };

struct work {
	struct export_job *j, *tally;
	struct archive *a;
	struct package *p;
	struct catalogue_row *rows;
	size_t n, cap;
	json_t *documents; /* what is told of them: export.json */
	json_t *versions;  /* of the document that is being written */
	struct receipt *receipt;
};

/* ---- which ---- */

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

static struct ledger_record record_of(const struct work *w, const struct catalogue_row *row)
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
	struct ledger_record r = record_of(w, NULL);
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

static int gather(struct work *w, struct ark_error *err)
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

/* ---- in which form ---- */

enum shape { SHAPE_WHOLE, SHAPE_PUBLIC, SHAPE_WITHHELD };

/* What of it the caller may have: the version, else its public rendition, else its metadata alone. */
static int shape_of(struct work *w, struct catalogue *catalogue, const struct catalogue_row *row,
    enum shape *ret, struct ark_error *err)
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
static int log_group(struct work *w, const struct catalogue_row *rows, size_t n, enum shape *shapes,
    struct ark_error *err)
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
		records[i] = record_of(w, &rows[i]);
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

/* ---- writing ---- */

static int add_json(struct work *w, const char *path, const json_t *value, struct ark_error *err)
{
	char *text = value ? json_dumps(value, JSON_INDENT(INDENT)) : NULL;
	int rc = text ? package_add(w->p, path, text, strlen(text), err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for an export");

	free(text);
	return rc;
}

static int copy_content(struct work *w, const struct catalogue_row *row, enum form form,
    const char *path, struct ark_error *err)
{
	struct content *c = NULL;
	char *block = malloc(BLOCK);
	uint64_t at = 0;
	ssize_t n = 0;
	int rc = block ? reading_content(w->a, w->receipt, row, form, &c, err)
		       : ark_fail(err, ARK_ENOMEM, "no memory for an export");

	if (!rc)
		rc = package_begin_file(w->p, path, content_size(c), err);
	while (!rc && (n = content_read(c, at, block, BLOCK, err)) > 0) {
		rc = package_write(w->p, block, (size_t)n, err);
		if (!rc && !export_goes_on(w->j, w->tally))
			rc = ark_fail(err, ARK_EIO, "the export was given up");
		at += (uint64_t)n;
	}
	if (!rc)
		rc = n < 0 ? (int)n : package_end_file(w->p, NULL, err);
	if (c)
		content_close(c);
	if (block)
		explicit_bzero(block, BLOCK);
	free(block);
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
static int about_version(const struct card *card, enum shape shape, const char *file, json_t *about,
    struct ark_error *err)
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
static int open_card(struct work *w, const struct catalogue_row *row, enum shape shape,
    struct card *ret, struct ark_error *err)
{
	int rc = shown_card(w->a, w->receipt, row, ret, err);

	if (rc || shape != SHAPE_PUBLIC || !row->whole)
		return rc;
	json_decref(ret->version);
	ret->version = NULL;
	return reading_version(w->a, w->receipt, row, FORM_PUBLIC, &ret->version, err);
}

static int add_version(
    struct work *w, const struct catalogue_row *row, enum shape shape, struct ark_error *err)
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
		rc = add_json(w, path, about, err);
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

/* ---- of a document as a whole ---- */

struct events {
	const struct work *w;
	json_t *list;
};

static int add_event(void *arg, const struct ledger_entry *e)
{
	struct events *s = arg;
	json_t *version = json_object_get(e->a, "version"), *v, *event;
	bool shown = false;
	size_t i;

	json_array_foreach(s->w->versions, i, v)
	{
		const char *masked = json_text(v, "rendition");

		shown = shown || (json_equal(json_object_get(v, "version"), version) && !masked);
	}
	if (!shown)
		return 0;
	event = json_pack("{s:I,s:O*,s:O*,s:O*,s:O*,s:O*}", "index", (json_int_t)e->index, "time",
	    json_object_get(e->a, "time"), "kind", json_object_get(e->a, "kind"), "version",
	    version, "principal", json_object_get(e->b, "principal"), "org",
	    json_object_get(e->b, "org"));
	return json_array_append_new(s->list, event) ? ARK_ENOMEM : 0;
}

static int add_history(struct work *w, const char *document, struct ark_error *err)
{
	const struct ledger_filter filter = {.document = document};
	struct events s = {w, json_array()};
	json_t *whole = NULL;
	char path[128];
	int rc = ledger_find(
	    archive_ledger(w->a, LEDGER_HISTORY), &filter, UINT_MAX, add_event, &s, err);

	snprintf(path, sizeof(path), "documents/%s/history.json", document);
	if (rc >= 0) {
		whole = json_pack("{s:O}", "events", s.list);
		rc = add_json(w, path, whole, err);
	}
	json_decref(whole);
	json_decref(s.list);
	return rc;
}

struct indices {
	uint64_t index[EXPORT_ACCESS_MAX];
	size_t n;
};

static int keep_index(void *arg, const struct ledger_entry *e)
{
	struct indices *s = arg;

	s->index[s->n++] = e->index;
	return s->n == EXPORT_ACCESS_MAX;
}

/* access.json: for those who may read the whole access log, the newest entries on the document, who and what
 * disclosed, searches not. */
static int add_access(struct work *w, const char *document, struct ark_error *err)
{
	struct ledger *access = archive_ledger(w->a, LEDGER_ACCESS);
	const struct ledger_filter filter = {.document = document, .newest_first = true};
	struct indices *s = calloc(1, sizeof(*s));
	struct buf text = BUF_INIT;
	char path[128];
	int rc = s ? ledger_find(access, &filter, EXPORT_ACCESS_MAX, keep_index, s, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for an export");

	buf_adds(&text, "{\"entries\":[");
	if (rc > 0)
		rc = ARK_OK;
	for (size_t i = s ? s->n : 0; !rc && i > 0; i--) {
		rc = disclosure_write(access, s->index[i - 1], DISCLOSE_A | DISCLOSE_B, &text, err);
		if (i > 1)
			buf_adds(&text, ",\n");
	}
	buf_adds(&text, "]}\n");
	snprintf(path, sizeof(path), "documents/%s/access.json", document);
	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an export");
	if (!rc)
		rc = package_add(w->p, path, text.data, text.len, err);
	buf_free(&text);
	free(s);
	return rc;
}

/* What the API says of a document, but the state of its text, which is of the server and not of the document. */
static json_t *whole_document(const struct catalogue_row *row, const struct card *card)
{
	json_t *d = json_pack("{s:s}", "id", row->document), *more = version_json_of(row, card);
	bool ok = d && more && !json_object_update(d, card->fields) &&
		  !json_object_update(d, more) &&
		  !json_object_set_new(d, "versions", json_integer(row->visible_versions));

	json_decref(more);
	if (ok)
		return d;
	json_decref(d);
	return NULL;
}

/* Under the receipt of its newest version, which is the last. */
static int end_document(struct work *w, const struct catalogue_row *row, struct ark_error *err)
{
	struct card card = {0};
	json_t *document = NULL, *told = NULL;
	char path[128];
	int rc = shown_card(w->a, w->receipt, row, &card, err);

	snprintf(path, sizeof(path), "documents/%s/document.json", row->document);
	if (!rc) {
		document = whole_document(row, &card);
		rc = add_json(w, path, document, err);
	}
	if (!rc)
		rc = add_history(w, row->document, err);
	if (!rc && w->j->auditor)
		rc = add_access(w, row->document, err);
	if (!rc) {
		told = json_pack("{s:s,s:O*,s:O*,s:O*,s:O*,s:O}", "id", row->document, "title",
		    json_object_get(document, "title"), "type", json_object_get(document, "type"),
		    "date", json_object_get(document, "date"), "units",
		    json_object_get(document, "units"), "versions", w->versions);
		if (json_array_append_new(w->documents, told))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for an export");
	}
	json_decref(w->versions);
	w->versions = json_array();
	json_decref(document);
	card_free(&card);
	return rc;
}

static int write_rows(struct work *w, struct ark_error *err)
{
	enum shape shapes[EXPORT_GROUP];
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
			rc = add_version(w, row, shapes[i % EXPORT_GROUP], err);
		if (!rc && (left == 1 || strcmp(row->document, row[1].document) != 0))
			rc = end_document(w, row, err);
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
	rc = add_json(w, "export.json", about, err);
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
	rc = w.documents && w.versions ? gather(&w, err)
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
