/* The list of texts that somebody has to look at, trying them again, and how far everything is. */
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/handlers.h"
#include "api/indexer.h"
#include "api/ocr_queue.h"
#include "api/text_reason.h"
#include "arkki/archive/scrub.h"
#include "arkki/archive/verified.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { REASON_MAX = 200, ADMIN_PAGE = 1000 };

/* ---- GET /v1/status ---- */

static void reply_status(struct exchange *x)
{
	struct app *app = app_of(x);
	json_t *status = NULL, *verified = NULL;
	struct ark_error err;

	if (indexer_status(app->archive, app->indexer, &status, &err) ||
	    verified_last(app->archive, &verified, &err)) {
		json_decref(status);
		http_reply_error(x, &err);
		return;
	}
	json_object_set_new(status, "verified", verified);
	json_object_set_new(
	    status, "sequence", json_integer((json_int_t)archive_sequence(app->archive)));
	json_object_set_new(status, "indexed", json_integer((json_int_t)app_indexed(app)));
	json_object_set_new(status, "scrub", scrub_status(app->archive));
	if (app->witnesses)
		json_object_set_new(status, "witnessing", witnesses_status(app->witnesses));
	http_reply_json(x, 200, status);
}

void status_get(struct exchange *x)
{
	if (caller_may(caller_of(x), ACCESS_ADMINISTER))
		reply_status(x);
	else
		http_reply_problem(x, 403, "not-permitted", "Status is for administrators.", NULL);
}

void admin_status(struct exchange *x)
{
	reply_status(x);
}

/* ---- GET /v1/texts ---- */

static bool state_valid(const char *state)
{
	static const char *const states[] = {"none", "pending", "ready", "ocr"};

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (strcmp(state, states[i]) == 0)
			return true;
	return false;
}

/* False: 400 is replied. */
static bool read_state(struct exchange *x, const char **state, const char **reason)
{
	*state = http_query(x, "state");
	*reason = http_query(x, "reason");
	if (!*state || !**state)
		*state = "none";
	if (*reason && !**reason)
		*reason = NULL;
	if (state_valid(*state) && (!*reason || strlen(*reason) <= REASON_MAX))
		return true;
	http_reply_problem(
	    x, 400, "bad-query", "state is none, pending, ready or ocr; reason a text.", NULL);
	return false;
}

static json_t *pages_json(struct catalogue *c, const struct catalogue_row *row, enum form form)
{
	struct catalogue_pages p;

	if (catalogue_get_pages(c, row->document, row->version,
		form == FORM_PUBLIC ? row->rendition.number : 0, &p, NULL))
		return NULL;
	return json_pack("{s:I,s:I,s:I}", "total", (json_int_t)p.pages, "pictures",
	    (json_int_t)p.bare, "read", (json_int_t)p.read);
}

/* "reason" is what a retry takes, so it is as stored; "reasonText" is for a person. */
static json_t *text_json(const struct exchange *x, struct catalogue *c,
    const struct catalogue_row *row, const struct card *card)
{
	const char *reason, *state = shown_text_state(row, &reason);
	char said[TEXT_REASON_SIZE];
	json_t *out = json_pack("{s:s,s:I,s:O?,s:O?,s:O?,s:s,s:s,s:I,s:{s:s,s:s*,s:s*},s:o*}",
	    "document", row->document, "version", (json_int_t)row->version, "title",
	    json_object_get(card->fields, "title"), "type", json_object_get(card->fields, "type"),
	    "units", json_object_get(card->fields, "units"), "date", row->date, "mediaType",
	    row->whole ? row->media_type : row->rendition.media_type, "size",
	    (json_int_t)(row->whole ? row->size : row->rendition.size), "text", "state", state,
	    "reason", reason, "reasonText", text_reason_for(x, reason, said), "pages",
	    pages_json(c, row, row->whole ? FORM_WHOLE : FORM_PUBLIC));

	return out;
}

int texts_gather(
    struct exchange *x, unsigned int limit, json_t *list, struct buf *next, struct ark_error *err)
{
	struct visit *v = visit_of(x);
	struct listing *l = v->more;
	struct desk *desk = NULL;
	int rc = archive_desk(v->app->archive, &desk, err);

	for (size_t i = 0; !rc && i < l->n && i < limit; i++) {
		struct card card = {0};

		rc = shown_card(v->app->archive, v->receipt, &l->rows[i], &card, err);
		if (!rc)
			json_array_append_new(
			    list, text_json(x, desk->catalogue, &l->rows[i], &card));
		card_free(&card);
	}
	archive_desk_return(v->app->archive, desk);
	listing_next(l, limit, next);
	return rc;
}

static void show_texts(struct exchange *x)
{
	struct buf next = BUF_INIT;
	json_t *list = json_array();
	struct ark_error err;
	unsigned int limit = 20;
	int rc;

	if (!limit_of(x, 20, 100, &limit)) {
		json_decref(list);
		return;
	}
	rc = texts_gather(x, limit, list, &next, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200, json_pack("{s:O,s:s?}", "texts", list, "next", next.data));
	json_decref(list);
	buf_free(&next);
}

void texts_list(struct exchange *x)
{
	struct catalogue_list list = {.unit = http_query(x, "unit")};

	if (read_state(x, &list.text_state, &list.text_reason))
		listing_show(x, &list, show_texts);
}

/* ---- POST /v1/texts/retry ---- */

struct retry {
	char document[33]; /* "": all that have the reason */
	uint32_t version;
	char *reason; /* NULL: any */
	char *detail;
	void (*then)(struct exchange *x, uint64_t queued);
};

static void retry_free(void *arg)
{
	struct retry *r = arg;

	free(r->reason);
	free(r->detail);
	free(r);
}

static bool field_known(const char *name)
{
	return strcmp(name, "document") == 0 || strcmp(name, "version") == 0 ||
	       strcmp(name, "reason") == 0;
}

/* False: the body asks for nothing that can be done. */
static bool take_fields(json_t *body, struct retry *r)
{
	const char *document = json_text(body, "document"), *reason = json_text(body, "reason");
	const json_t *version = json_object_get(body, "version");
	json_t *value;
	const char *name;

	json_object_foreach(
	    (json_t *)(uintptr_t)body, name, value) if (!field_known(name)) return false;
	if ((document != NULL) == (reason != NULL) || (version && !document))
		return false;
	if (version && (!json_is_integer(version) || json_integer_value(version) < 1 ||
			   json_integer_value(version) > 999999))
		return false;
	if (document && !docid_valid(document))
		return false;
	if (reason && (!*reason || strlen(reason) > REASON_MAX))
		return false;
	if (document)
		memcpy(r->document, document, sizeof(r->document));
	r->version = (uint32_t)json_integer_value(version);
	r->reason = reason ? strdup(reason) : NULL;
	return !reason || r->reason;
}

static void reply_queued(struct exchange *x, uint64_t queued)
{
	http_reply_json(x, 200, json_pack("{s:I}", "queued", (json_int_t)queued));
}

/* NULL: replied. */
static struct retry *retry_of(struct exchange *x, json_t *body)
{
	struct retry *r = calloc(1, sizeof(*r));
	struct buf detail = BUF_INIT;

	if (!r) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	r->then = reply_queued;
	if (!json_is_object(body) || !take_fields(body, r)) {
		http_reply_problem(x, 422, "bad-retry",
		    "Name a document, and maybe its version, or else a reason.", NULL);
		goto fail;
	}
	if (r->reason) {
		buf_adds(&detail, "{\"reason\":");
		json_quote(&detail, r->reason);
		buf_adds(&detail, "}");
	} else {
		buf_adds(&detail, "{}");
	}
	r->detail = buf_take(&detail, NULL);
	if (!r->detail) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		goto fail;
	}
	return r;
fail:
	buf_free(&detail);
	retry_free(r);
	return NULL;
}

/* {"document": …, "version": …} or {"reason": …}. NULL: replied. */
static struct retry *read_retry(struct exchange *x)
{
	struct retry *r = NULL;
	struct ark_error err;
	json_t *body = NULL;
	const char *text;
	size_t len;

	text = http_body(x, &len);
	if (json_read(text, len, &body, &err))
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
	else
		r = retry_of(x, body);
	json_decref(body);
	return r;
}

/* Of a form that is there; what derived/ had of it is forgotten. */
static int forget(
    struct archive *a, const struct catalogue_row *row, bool whole, struct ark_error *err)
{
	int rc = whole ? reading_forget_text(a, row, FORM_WHOLE, err) : ARK_OK;

	return rc || !row->rendition.number ? rc : reading_forget_text(a, row, FORM_PUBLIC, err);
}

static int make_pending(struct app *app, const struct retry *r, const struct catalogue_row *row,
    const struct access_sight *sight, uint64_t *ret, struct ark_error *err)
{
	struct catalogue *c = NULL;
	char path[4096];
	int rc = fs_path(path, err, "%s/catalogue.sqlite", archive_dir(app->archive));

	if (!rc)
		rc = catalogue_open(path, archive_keyring(app->archive), true, false, &c, err);
	if (!rc && row)
		rc = forget(app->archive, row, !sight || row->whole, err);
	if (!rc)
		rc = catalogue_text_retry(c, row ? row->document : NULL, row ? row->version : 0,
		    r->reason, sight, ret, err);
	catalogue_close(c);
	if (!rc && app->indexer)
		indexer_look_again(app->indexer);
	return rc;
}

/* The history log knows of it before it is done. */
static void do_retry(struct exchange *x)
{
	struct visit *v = visit_of(x);
	const struct retry *r = v->more;
	struct ledger_record record = visit_record(v, "texts-retry");
	struct access_sight *sight = NULL;
	struct ark_error err;
	uint64_t count = 0;
	int rc = caller_sight(v->caller, &sight, &err);

	record.break_glass = NULL;
	record.detail = r->detail;
	if (!rc)
		rc = ledger_append_wait(
		    archive_ledger(v->app->archive, LEDGER_HISTORY), &record, 1, NULL, &err);
	if (!rc)
		rc = make_pending(v->app, r, r->document[0] ? &v->row : NULL, sight, &count, &err);
	access_sight_unref(sight);
	if (rc)
		http_reply_error(x, &err);
	else
		r->then(x, count);
}

static bool retry_permitted(struct exchange *x)
{
	struct visit *v = visit_of(x);

	if (!v)
		return false;
	if (caller_may(v->caller, ACCESS_ADMINISTER))
		return visit_stated_ok(x);
	visit_denied(x, "maintenance", "Texts are taken up again by administrators.");
	return false;
}

/* Finds it, logs, and does it. Takes r. */
static void begin_retry(struct exchange *x, struct retry *r)
{
	struct visit *v = visit_of(x);
	struct ledger_record record;
	struct ark_error err;
	int rc = ARK_OK;

	v->more = r;
	v->more_free = retry_free;
	if (r->document[0])
		rc = visit_find(v, r->document, r->version, &err);
	if (rc == ARK_ENOTFOUND) {
		visit_not_found(x, "maintenance", r->document, r->version);
		return;
	}
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	record = visit_record(v, "maintenance");
	record.detail = r->detail;
	visit_log(x, &record, 1, do_retry);
}

void texts_retry(struct exchange *x)
{
	struct retry *r = retry_permitted(x) ? read_retry(x) : NULL;

	if (r)
		begin_retry(x, r);
}

void texts_retry_asked(
    struct exchange *x, json_t *body, void (*then)(struct exchange *x, uint64_t queued))
{
	struct retry *r = retry_permitted(x) ? retry_of(x, body) : NULL;

	if (!r)
		return;
	r->then = then;
	begin_retry(x, r);
}

int texts_ocr_pause(struct exchange *x, bool pause, struct ark_error *err)
{
	struct visit *v = visit_of(x);
	struct app *app = app_of(x);
	struct ledger_record record = visit_record(v, pause ? "ocr-pause" : "ocr-resume");
	int rc;

	record.break_glass = NULL;
	rc =
	    ledger_append_wait(archive_ledger(app->archive, LEDGER_HISTORY), &record, 1, NULL, err);
	return rc ? rc
		  : ocr_queue_pause(
			app->archive, app->indexer ? indexer_ocr(app->indexer) : NULL, pause, err);
}

/* ---- the admin socket: ids, states and reasons; nothing of the documents ---- */

struct admin_page {
	struct catalogue *catalogue;
	json_t *list;
	char at[64];
};

static int add_form(struct admin_page *p, const struct catalogue_row *row, enum form form,
    const char *state, const char *reason, const char *media_type, uint64_t size)
{
	json_t *entry = json_pack("{s:s,s:I,s:s,s:s?,s:s?,s:s?,s:I,s:o*}", "document",
	    row->document, "version", (json_int_t)row->version, "form",
	    form == FORM_PUBLIC ? "public" : "whole", "state", state, "reason", reason, "mediaType",
	    media_type, "size", (json_int_t)size, "pages", pages_json(p->catalogue, row, form));

	return entry && !json_array_append_new(p->list, entry) ? 0 : ARK_ENOMEM;
}

static int add_admin_text(void *arg, const struct catalogue_row *row)
{
	struct admin_page *p = arg;
	const struct catalogue_rendition *r = &row->rendition;
	int rc = add_form(
	    p, row, FORM_WHOLE, row->text_state, row->text_reason, row->media_type, row->size);

	snprintf(p->at, sizeof(p->at), "%s %u", row->document, row->version);
	return rc || !r->number ? rc
				: add_form(p, row, FORM_PUBLIC, r->text_state, r->text_reason,
				      r->media_type, r->size);
}

/* "document version" */
static bool read_after(const char *after, struct catalogue_text_ask *ask)
{
	size_t n = strcspn(after, " ");
	unsigned long version;
	char *end;

	if (n != 32 || after[n] != ' ')
		return false;
	memcpy(ask->after_document, after, n);
	ask->after_document[n] = '\0';
	version = strtoul(after + n + 1, &end, 10);
	ask->after_version = (uint32_t)version;
	return end > after + n + 1 && !*end && version <= UINT32_MAX &&
	       docid_valid(ask->after_document);
}

void admin_texts(struct exchange *x)
{
	struct app *app = app_of(x);
	struct catalogue_text_ask ask = {.limit = ADMIN_PAGE};
	const char *after = http_query(x, "after");
	struct admin_page p = {.list = json_array()};
	struct desk *desk = NULL;
	struct ark_error err;
	int rc;

	if (!read_state(x, &ask.state, &ask.reason))
		goto out;
	if (after && !read_after(after, &ask)) {
		http_reply_problem(x, 400, "bad-query", "after is a document and a version.", NULL);
		goto out;
	}
	rc = archive_desk(app->archive, &desk, &err);
	if (!rc) {
		p.catalogue = desk->catalogue;
		rc = catalogue_texts(desk->catalogue, &ask, add_admin_text, &p, &err);
	}
	archive_desk_return(app->archive, desk);
	if (rc)
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200,
		    json_pack("{s:O,s:s?}", "texts", p.list, "next",
			json_array_size(p.list) >= ADMIN_PAGE ? p.at : NULL));
out:
	json_decref(p.list);
}

static int log_act(struct app *app, const char *kind, const char *document, uint32_t version,
    const char *detail, struct ark_error *err)
{
	const struct ledger_record r = {
	    .kind = kind,
	    .document = document,
	    .version = version,
	    .principal = "operator",
	    .authentication = "operator",
	    .detail = detail,
	};

	return ledger_append_wait(archive_ledger(app->archive, LEDGER_HISTORY), &r, 1, NULL, err);
}

static int admin_retry(
    struct app *app, const struct retry *r, uint64_t *count, struct ark_error *err)
{
	struct catalogue_row row = {0};
	struct desk *desk = NULL;
	bool one = r->document[0];
	int rc = archive_desk(app->archive, &desk, err);

	if (!rc && one)
		rc = catalogue_get(desk->catalogue, r->document, r->version, NULL, &row, err);
	archive_desk_return(app->archive, desk);
	if (!rc)
		rc = log_act(app, "texts-retry", one ? row.document : NULL, one ? row.version : 0,
		    r->detail, err);
	if (!rc)
		rc = make_pending(app, r, one ? &row : NULL, NULL, count, err);
	catalogue_row_free(&row);
	return rc;
}

void admin_texts_retry(struct exchange *x)
{
	struct retry *r = read_retry(x);
	struct ark_error err;
	uint64_t count = 0;

	if (!r)
		return;
	if (admin_retry(app_of(x), r, &count, &err))
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200, json_pack("{s:I}", "queued", (json_int_t)count));
	retry_free(r);
}

void admin_ocr(struct exchange *x)
{
	struct app *app = app_of(x);
	const char *action = http_query(x, "action");
	bool pause = action && strcmp(action, "pause") == 0;
	struct ark_error err;
	int rc;

	if (!pause && (!action || strcmp(action, "resume") != 0)) {
		http_reply_problem(x, 400, "bad-query", "action is pause or resume.", NULL);
		return;
	}
	rc = log_act(app, pause ? "ocr-pause" : "ocr-resume", NULL, 0, NULL, &err);
	if (!rc)
		rc = ocr_queue_pause(
		    app->archive, app->indexer ? indexer_ocr(app->indexer) : NULL, pause, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		reply_status(x);
}
