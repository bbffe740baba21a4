/* /v1/orders: requirements out of documents, for those who see the documents whole. */
#include <stdlib.h>
#include <string.h>

#include "api/orders_private.h"
#include "api/record_versions.h"
#include "arkki/api/http_range.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char forbidden[] = "You may not enter or change orders of this document.";

/* ---- lists ---- */

static void show_list(struct exchange *x, const struct orders_page *p)
{
	http_reply_json(x, 200, json_pack("{s:O,s:s?}", "orders", p->orders, "next", p->next.data));
}

static bool state_ok(const char *state)
{
	return !state || strcmp(state, "open") == 0 || strcmp(state, "met") == 0 ||
	       strcmp(state, "lapsed") == 0 || strcmp(state, "overdue") == 0;
}

static void list(struct exchange *x, const char *unit)
{
	const struct orders_asked asked = {.unit = unit ? unit : http_query(x, "unit"),
	    .document = http_query(x, "document"),
	    .case_id = http_query(x, "case"),
	    .author = http_query(x, "author"),
	    .state = http_query(x, "state"),
	    .matter = http_query(x, "matter"),
	    .due_from = http_query(x, "from"),
	    .due_to = http_query(x, "to"),
	    .county = http_query(x, "county")};
	struct buf next = BUF_INIT;
	json_t *page = NULL;
	struct ark_error err;
	unsigned int limit;

	if (!visit_of(x) || !visit_stated_ok(x) || !limit_of(x, 20, ORDERS_PAGE, &limit))
		return;
	if (!state_ok(asked.state) || (asked.due_from && !date_valid(asked.due_from)) ||
	    (asked.due_to && !date_valid(asked.due_to)))
		http_reply_problem(x, 400, "bad-query", "A date or the state is malformed.", NULL);
	else if (orders_cut(x, &asked, http_query(x, "cursor"), limit, &page, &next, &err))
		http_reply_error(x, &err);
	else
		orders_show(x, page, &next, NULL, show_list, NULL, NULL);
	buf_free(&next);
}

void orders_list(struct exchange *x)
{
	list(x, NULL);
}

void units_orders(struct exchange *x)
{
	if (registry_has(archive_registry(app_of(x)->archive), "units", http_param(x, 0)))
		list(x, http_param(x, 0));
	else
		http_reply_problem(x, 404, "not-found", NULL, NULL);
}

/* ---- one ---- */

/* What hides it is its document: the refusal goes into that one's series. */
void order_not_found(struct exchange *x, const json_t *record)
{
	const char *document = json_text(record, "document");

	if (!document || registry_has(archive_registry(app_of(x)->archive), "tombstones", document))
		document = "";
	visit_not_found(x, "metadata", document, 0);
}

/* The record is the page's `own`. */
static void record_free(void *record)
{
	json_decref(record);
}

static void reply_order(struct exchange *x, const json_t *record, json_t *order, int status)
{
	char tag[TAG_SIZE];

	order_tag(app_of(x), record, tag);
	http_reply_header(x, "ETag", tag);
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/orders/%s", json_text(record, "id"));
	http_reply_json(x, status, order);
}

static void show_one(struct exchange *x, const struct orders_page *p)
{
	json_t *order = json_incref(json_array_get(p->orders, 0)), *way = NULL;
	struct ark_error err;

	if (order_way(visit_of(x), p->own, &way, &err) ||
	    json_object_set_new(order, "changes", way)) {
		json_decref(order);
		http_reply_error(x, &err);
		return;
	}
	reply_order(x, p->own, order, 200);
}

void orders_get(struct exchange *x)
{
	json_t *order = NULL, *record = NULL;
	struct ark_error err;
	int rc;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	rc = order_find(x, http_param(x, 0), &order, &record, &err);
	if (!rc) {
		orders_show(x, json_pack("[o]", order), NULL, NULL, show_one, record, record_free);
		return;
	}
	if (rc == ARK_ENOTFOUND)
		order_not_found(x, record);
	else
		http_reply_error(x, &err);
	json_decref(record);
}

/* ---- changes ---- */

struct change {
	json_t *body, *record; /* record: NULL for a new one */
};

static void change_free(void *arg)
{
	struct change *c = arg;

	json_decref(c->body);
	json_decref(c->record);
	free(c);
}

static json_t *read_body(struct exchange *x)
{
	json_t *body = NULL;
	size_t len;
	const char *text = http_body(x, &len);

	if (!http_content_is(x, "application/json") &&
	    !http_content_is(x, "application/merge-patch+json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return NULL;
	}
	if (!json_read(text, len, &body, NULL) && json_is_object(body))
		return body;
	json_decref(body);
	http_reply_problem(x, 400, "bad-json", "The body must be a JSON object.", NULL);
	return NULL;
}

/* Takes faults and record. */
static void answer(struct exchange *x, int rc, json_t *faults, json_t *record, int status,
    const struct ark_error *why)
{
	struct ark_error err = *why;
	json_t *order = NULL;

	if (!rc)
		rc = order_find(x, json_text(record, "id"), &order, NULL, &err);
	if (rc == ARK_EINPUT && faults)
		http_reply_problem(x, 422, "order", NULL, faults);
	else if (rc == ARK_EREFUSED)
		visit_denied(x, "metadata", forbidden);
	else if (rc == ARK_ECONFLICT)
		http_reply_problem(
		    x, 412, "changed-meanwhile", "The order has changed since you read it.", NULL);
	else if (rc)
		http_reply_error(x, &err);
	else
		reply_order(x, record, order, status);
	json_decref(record);
}

static void post_logged(struct exchange *x)
{
	struct change *c = visit_of(x)->more;
	json_t *faults = NULL, *record = NULL;
	struct ark_error err = {0};
	int rc = order_make(x, c->body, &faults, &record, &err);

	answer(x, rc, faults, record, 201, &err);
}

/* In the order of the refusals that openapi.yaml gives: not permitted, not as it was read, malformed. */
static void patch_logged(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct change *c = v->more;
	json_t *faults = NULL, *record = NULL;
	struct ark_error err = {0};
	char tag[TAG_SIZE];
	bool may = false;
	int rc = orders_may(v, &may, &err);

	if (!rc && !may)
		rc = ARK_EREFUSED;
	if (rc) {
		answer(x, rc, NULL, NULL, 0, &err);
		return;
	}
	order_tag(v->app, c->record, tag);
	if (!record_matches(x, etag_if_match(http_header_list(x, "If-Match"), tag), "order") ||
	    !visit_stated_ok(x))
		return;
	c->body = read_body(x);
	if (!c->body)
		return;
	rc = order_change(x, c->record, c->body, &faults, &record, &err);
	answer(x, rc, faults, record, 200, &err);
}

/* Logs the document in the visit's row and goes on. Takes body and record. */
static void log_change(
    struct exchange *x, json_t *body, json_t *record, void (*then)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct change *c = calloc(1, sizeof(*c));
	struct ledger_record records[2];

	if (!c) {
		json_decref(body);
		json_decref(record);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	*c = (struct change){body, record};
	v->more = c;
	v->more_free = change_free;
	records[0] = visit_record(v, "list");
	records[0].document = NULL;
	records[0].version = 0;
	records[1] = visit_record(v, "shown");
	visit_log(x, records, 2, then);
}

/* Finds the document of an order, whole, into the visit's row. False: replied. */
static bool document_of(struct exchange *x, const char *document, uint32_t version)
{
	struct visit *v = visit_of(x);
	struct ark_error err;
	int rc = visit_find(v, document, version, &err);

	if (rc == ARK_ENOTFOUND)
		visit_not_found(x, "metadata", document, version);
	else if (rc)
		http_reply_error(x, &err);
	else if (!v->row.whole)
		visit_denied(x, "metadata", forbidden);
	else
		return true;
	return false;
}

void orders_post(struct exchange *x)
{
	json_t *body;
	const char *document;
	const json_t *number;
	json_int_t version;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	body = read_body(x);
	if (!body)
		return;
	document = json_text(body, "document");
	number = json_object_get(body, "version");
	version = json_integer_value(number);
	if (!document || (number && (version < 1 || version > 999999))) {
		http_reply_problem(x, 422, "order", NULL,
		    json_pack("[{s:s,s:s,s:s}]", "field", document ? "version" : "document", "code",
			"missing", "detail", "An order stands in a version of a document."));
		json_decref(body);
	} else if (document_of(x, document, (uint32_t)version)) {
		log_change(x, body, NULL, post_logged);
	} else {
		json_decref(body);
	}
}

void orders_patch(struct exchange *x)
{
	json_t *order = NULL, *record = NULL;
	struct ark_error err;
	int rc;

	if (!visit_of(x))
		return;
	rc = order_find(x, http_param(x, 0), &order, &record, &err);
	json_decref(order);
	if (rc == ARK_ENOTFOUND)
		order_not_found(x, record);
	else if (rc)
		http_reply_error(x, &err);
	else if (document_of(x, json_text(record, "document"),
		     (uint32_t)json_integer_value(json_object_get(record, "version")))) {
		log_change(x, NULL, record, patch_logged);
		return;
	}
	json_decref(record);
}
