/* GET /documents/{d}/history: what the history log has of the versions that the caller sees whole. */
#include <limits.h>
#include <string.h>

#include "api/documents.h"
#include "api/handlers.h"
#include "arkki/archive/past.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { REASONS_OPENED = 100 }; /* of renditions, the newest */

struct history_list {
	const struct listing *visible;
	json_t *events;
};

static bool of_rendition(const json_t *event)
{
	const char *kind = json_text(event, "kind");

	return kind && (strcmp(kind, "rendition") == 0 || strcmp(kind, "rendition-withdrawn") == 0);
}

static bool version_visible(const struct listing *l, uint32_t version)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i].version == version && l->rows[i].whole)
			return true;
	return false;
}

static int add_event(void *arg, const struct ledger_entry *e)
{
	struct history_list *h = arg;
	json_t *version = json_object_get(e->a, "version");
	json_t *event;

	if (!version_visible(h->visible, (uint32_t)json_integer_value(version)))
		return 0;
	event = json_pack("{s:I,s:O*,s:O*,s:O*,s:O*,s:O*}", "index", (json_int_t)e->index, "time",
	    json_object_get(e->a, "time"), "kind", json_object_get(e->a, "kind"), "version",
	    version, "principal", json_object_get(e->b, "principal"), "org",
	    json_object_get(e->b, "org"));
	return json_array_append_new(h->events, event) ? ARK_ENOMEM : 0;
}

/* A version's renditions have numbers from 1 in the order in which they came. */
static uint32_t rendition_number(const struct history_list *h, size_t at)
{
	const json_t *version = json_object_get(json_array_get(h->events, at), "version");
	uint32_t n = 0;

	for (size_t i = 0; i <= at; i++) {
		const json_t *e = json_array_get(h->events, i);

		n += of_rendition(e) && json_equal(json_object_get(e, "version"), version);
	}
	return n;
}

/* Whether the caller might have read the document by what was said of it then: it may have been secret, and what is written
 * beside a rendition speaks of what was taken out. */
static bool readable_then(struct visit *v, uint32_t version, int64_t time_us)
{
	struct past_document then = {0};
	bool may =
	    !past_document(
		v->app->archive, v->receipt, v->row.document, version, time_us, &then, NULL) &&
	    caller_decides(v->caller, v->app, ACCESS_READ, then.fields, false, NULL).outcome ==
		ACCESS_PERMIT;

	past_document_free(&then);
	return may;
}

int rendition_then(struct visit *v, uint32_t version, uint32_t number, int64_t time_us,
    json_t **ret, struct ark_error *err)
{
	*ret = NULL;
	if (!readable_then(v, version, time_us))
		return ARK_OK;
	return past_rendition(
	    v->app->archive, v->receipt, v->row.document, version, number, ret, err);
}

/* add_event() took only versions that the caller sees whole. */
static int add_reasons(struct visit *v, const struct history_list *h, struct ark_error *err)
{
	unsigned int opened = 0;
	int rc = ARK_OK;

	for (size_t i = json_array_size(h->events); !rc && i-- > 0 && opened < REASONS_OPENED;) {
		json_t *event = json_array_get(h->events, i), *meta = NULL;
		const char *time = json_text(event, "time");
		int64_t time_us;

		if (!of_rendition(event) || !time || !clock_parse(time, &time_us))
			continue;
		opened++;
		rc = rendition_then(v,
		    (uint32_t)json_integer_value(json_object_get(event, "version")),
		    rendition_number(h, i), time_us, &meta, err);
		if (json_text(meta, "reason"))
			json_object_set(event, "reason", json_object_get(meta, "reason"));
		json_decref(meta);
	}
	return rc;
}

static void show_history(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct history_list h = {v->more, json_array()};
	const struct ledger_filter filter = {.document = v->row.document};
	struct ark_error err;
	int rc = ledger_find(archive_ledger(v->app->archive, LEDGER_HISTORY), &filter, UINT_MAX,
	    add_event, &h, &err);

	if (rc >= 0)
		rc = add_reasons(v, &h, &err);
	if (rc < 0) {
		json_decref(h.events);
		http_reply_error(x, &err);
		return;
	}
	http_reply_json(x, 200, json_pack("{s:o}", "events", h.events));
}

void history_get(struct exchange *x)
{
	gather_versions(x, show_history);
}
