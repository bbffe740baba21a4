/* A document as a whole in a package: what the API says of it, its history, and who opened it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/exports_private.h"
#include "arkki/archive/disclosure.h"
#include "arkki/base/json.h"

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
		rc = export_json(w, path, whole, err);
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
int export_document(struct work *w, const struct catalogue_row *row, struct ark_error *err)
{
	struct card card = {0};
	json_t *document = NULL, *told = NULL;
	char path[128];
	int rc = shown_card(w->a, w->receipt, row, &card, err);

	snprintf(path, sizeof(path), "documents/%s/document.json", row->document);
	if (!rc) {
		document = whole_document(row, &card);
		rc = export_json(w, path, document, err);
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
