/* The retention table, and what is due by it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/disposition_api.h"
#include "api/record_versions.h"
#include "arkki/api/http_range.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char kind[] = "retention";

/* Documents that one request looks at, their metadata opened, and that it passes over. The rest is on the next page. */
enum { SCAN_MAX = 2000, PASS_MAX = 50000, REASON_MAX = 4000 };

/* ---- the table ---- */

/* An earlier version; number 0: the rows in force. */
static int rows_of(struct app *app, uint32_t number, json_t **ret, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	json_t *envelope = NULL;
	char range[60];
	int rc;

	if (!number)
		return retention_rows(archive_registry(app->archive), ret, err);
	snprintf(range, sizeof(range), "version %u", number);
	rc = archive_maintenance(app->archive, "read retention", range, &receipt, err);
	if (!rc)
		rc = records_read(
		    app->archive, receipt, kind, RETENTION_TABLE, number, &envelope, err);
	if (!rc)
		*ret = json_incref(json_object_get(json_object_get(envelope, "record"), "rows"));
	json_decref(envelope);
	receipt_free(receipt);
	return rc;
}

void retention_get(struct exchange *x)
{
	const char *text = http_query(x, "version");
	size_t digits = text ? strspn(text, "0123456789") : 0;
	uint32_t number = 0, wanted = 0;
	struct ark_error err;
	json_t *rows = NULL;
	char tag[TAG_SIZE];
	int rc;

	if (text && (digits < 1 || digits > 6 || text[digits] || text[0] == '0')) {
		http_reply_problem(
		    x, 400, "bad-version", "version must be a whole number from 1.", NULL);
		return;
	}
	if (text)
		wanted = (uint32_t)strtoul(text, NULL, 10);
	rc = records_number(app_of(x)->archive, kind, RETENTION_TABLE, &number, &err);
	if (!rc && wanted > number)
		rc = ARK_ENOTFOUND;
	else if (!rc)
		rc = rows_of(app_of(x), wanted, &rows, &err);
	if (rc == ARK_ENOTFOUND) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		number = wanted ? wanted : number;
		record_version_tag(app_of(x), kind, number, tag);
		http_reply_header(x, "ETag", tag);
		http_reply_json(
		    x, 200, json_pack("{s:i,s:O}", "version", (int)number, "rows", rows));
	}
	json_decref(rows);
}

static bool matches(struct exchange *x, uint32_t number)
{
	char tag[TAG_SIZE];

	record_version_tag(app_of(x), kind, number, tag);
	return record_matches(x, etag_if_match(http_header_list(x, "If-Match"), tag), "table");
}

/* NULL: 400 is replied. */
static json_t *read_table(struct exchange *x)
{
	struct ark_error err;
	json_t *body = NULL, *reason, *value;
	const char *key, *text;
	char detail[600];
	size_t len;
	int rc;

	text = http_body(x, &len);
	rc = json_read(text, len, &body, &err);
	if (!rc)
		rc = retention_check(json_object_get(body, "rows"), &err);
	reason = json_object_get(body, "reason");
	if (!rc && reason && (!json_is_string(reason) || json_string_length(reason) > REASON_MAX))
		rc = ark_fail(&err, ARK_EINPUT, "reason must be a text of at most 4000 bytes");
	json_object_foreach(body, key, value)
	{
		if (!rc && strcmp(key, "rows") != 0 && strcmp(key, "reason") != 0)
			rc = ark_fail(&err, ARK_EINPUT, "the table has rows and reason alone");
	}
	if (!rc)
		return body;
	snprintf(detail, sizeof(detail), "%s. The table in force stays as it is.", err.text);
	http_reply_problem(x, 400, "bad-retention", detail, NULL);
	json_decref(body);
	return NULL;
}

int retention_file(struct exchange *x, const json_t *rows, const char *reason, uint32_t base,
    struct ark_error *err)
{
	const struct filing_actor actor = actor_of(caller_of(x));
	int rc = retention_check(rows, err);

	if (rc)
		return rc;
	return disposition_file(app_of(x)->archive, kind,
	    json_pack("{s:s,s:O}", "id", RETENTION_TABLE, "rows", rows), base, &actor, reason, err);
}

void retention_put(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ark_error err = {0};
	uint32_t number = 0;
	char tag[TAG_SIZE];
	json_t *body;
	int rc;

	if (!v)
		return;
	if (!caller_may(v->caller, ACCESS_ADMINISTER)) {
		http_reply_problem(x, 403, "not-permitted",
		    "The retention table is changed by administrators.", NULL);
		return;
	}
	if (records_number(v->app->archive, kind, RETENTION_TABLE, &number, &err)) {
		http_reply_error(x, &err);
		return;
	}
	if (!matches(x, number))
		return;
	body = read_table(x);
	if (!body)
		return;
	rc = retention_file(
	    x, json_object_get(body, "rows"), json_text(body, "reason"), number, &err);
	if (rc == ARK_ECONFLICT) {
		http_reply_problem(x, 412, "changed-meanwhile", NULL, NULL);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		record_version_tag(v->app, kind, number + 1, tag);
		http_reply_header(x, "ETag", tag);
		http_reply_json(x, 200,
		    json_pack("{s:i,s:I}", "version", (int)number + 1, "rows",
			(json_int_t)json_array_size(json_object_get(body, "rows"))));
	}
	json_decref(body);
}

/* ---- what is due ---- */

struct due {
	struct visit *v;
	struct access_filter *disposable;
	struct catalogue_list list;
	char unit[65], day[11];
	unsigned int limit, scanned, passed;
	json_t *rows, *found;
	bool more;
	char at[64]; /* where the next page begins */
	enum due_only only;
	due_show *show;
	struct ark_error err;
};

static void due_free(void *arg)
{
	struct due *d = arg;

	access_filter_free(d->disposable);
	json_decref(d->rows);
	json_decref(d->found);
	free(d);
}

static json_t *due_json(struct registry *r, const struct catalogue_row *row,
    const struct card *card, const struct retention_term *term)
{
	json_t *hold = disposition_hold(r, row->document);
	json_t *proposal = disposition_proposal(r, row->document);
	json_t *out = json_pack("{s:s,s:O?,s:i,s:O?,s:s,s:O?,s:s,s:s,s:O?,s:O?,s:b,s:s}",
	    "document", row->document, "title", json_object_get(card->fields, "title"), "version",
	    (int)row->version, "units", json_object_get(card->fields, "units"), "type", row->type,
	    "author", json_object_get(card->fields, "author"), "date", row->date, "since",
	    term->since, "row", json_object_get(term->row, "id"), "then",
	    json_object_get(term->row, "then"), "held", hold != NULL, "proposal",
	    proposal ? json_text(proposal, "state") : "none");

	json_decref(hold);
	json_decref(proposal);
	return out;
}

/* What stands for a document is in memory: nothing is opened for those that are not asked for. */
static bool passed_over(const struct due *d, struct registry *r, const char *document)
{
	json_t *stands = d->only == DUE_HELD      ? disposition_hold(r, document)
			 : d->only == DUE_WAITING ? disposition_proposal(r, document)
						  : NULL;
	const char *state = json_text(stands, "state");
	bool wanted = d->only == DUE_ALL || (d->only == DUE_HELD && stands) ||
		      (state && strcmp(state, "proposed") == 0);

	json_decref(stands);
	return !wanted;
}

static int look_at(void *arg, const struct catalogue_row *row)
{
	struct due *d = arg;
	struct registry *r = archive_registry(d->v->app->archive);
	struct retention_term term = {0};
	struct card card = {0};
	json_t *rows = NULL;
	int rc;

	if (json_array_size(d->found) == d->limit || d->scanned == SCAN_MAX ||
	    d->passed == PASS_MAX) {
		d->more = true;
		return 1;
	}
	snprintf(d->at, sizeof(d->at), "%s %s", row->date, row->document);
	if (registry_has(r, "tombstones", row->document) || passed_over(d, r, row->document)) {
		d->passed++;
		return 0;
	}
	d->scanned++;
	rc = reading_card(d->v->app->archive, d->v->receipt, row, &card, &d->err);
	if (!rc)
		rc = term_of(d->v->app, row, &card, d->day, &rows, &term, &d->err);
	if (!rc && term.due && json_array_append_new(d->found, due_json(r, row, &card, &term)))
		rc = ark_fail(&d->err, ARK_ENOMEM, "no memory for a list");
	json_decref(rows);
	card_free(&card);
	return rc;
}

static void reply_due(struct exchange *x, const json_t *found, const char *next)
{
	http_reply_json(x, 200, json_pack("{s:O,s:s?}", "due", found, "next", next));
}

static void show_due(struct exchange *x)
{
	struct due *d = visit_of(x)->more;
	struct buf next = BUF_INIT;

	if (d->more)
		cursor_write(app_of(x), "due", d->at, &next);
	d->show(x, d->found, next.data);
	buf_free(&next);
}

/* Those that the caller sees whole and may dispose of. */
static int scan(struct due *d)
{
	struct access_sight *sight = NULL;
	struct access_filter *both[2], joined = {.op = ACCESS_OP_AND, .child = both, .children = 2};
	const struct access_sight within = {.any = &joined, .whole = &joined};
	struct desk *desk = NULL;
	int rc = caller_sight(d->v->caller, &sight, &d->err);

	if (!rc)
		rc = archive_desk(d->v->app->archive, &desk, &d->err);
	if (!rc) {
		both[0] = sight->whole;
		both[1] = d->disposable;
		rc = catalogue_documents(desk->catalogue, &d->list, &within, look_at, d, &d->err);
	}
	archive_desk_return(d->v->app->archive, desk);
	access_sight_unref(sight);
	return rc > 0 ? ARK_OK : rc;
}

static void scan_and_log(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct due *d = v->more;
	struct ledger_record records[100];
	json_t *found;
	size_t i;

	if (scan(d)) {
		http_reply_error(x, &d->err);
		return;
	}
	json_array_foreach(d->found, i, found)
	{
		records[i] = visit_record(v, "shown");
		records[i].document = json_text(found, "document");
		records[i].version =
		    (uint32_t)json_integer_value(json_object_get(found, "version"));
	}
	if (i)
		visit_log(x, records, i, show_due);
	else
		show_due(x);
}

static bool due_query(struct exchange *x, struct due *d)
{
	const char *cursor = http_query(x, "cursor"), *at = http_query(x, "at");
	struct buf text = BUF_INIT;
	bool ok = !at || date_valid(at);

	if (!d->day[0])
		clock_day(d->day, clock_now_us());
	if (ok && at)
		memcpy(d->day, at, 11);
	d->list.unit = http_query(x, "unit");
	d->list.limit = SCAN_MAX + PASS_MAX + 1;
	if (cursor && *cursor)
		ok =
		    ok && !cursor_read(app_of(x), "due", cursor, &text, NULL) &&
		    sscanf(text.data, "%10s %32s", d->list.after_date, d->list.after_document) == 2;
	buf_free(&text);
	if (!ok)
		http_reply_problem(x, 400, "bad-query", "A date or the cursor is malformed.", NULL);
	return ok && limit_of(x, 20, 100, &d->limit);
}

void due_find(struct exchange *x, const char *day, enum due_only only, due_show *show)
{
	struct visit *v = visit_of(x);
	struct due *d = v ? calloc(1, sizeof(*d)) : NULL;
	struct ledger_record r;
	struct ark_error err;

	if (!v)
		return;
	if (!d || !(d->found = json_array())) {
		free(d);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	d->v = v;
	d->only = only;
	d->show = show;
	snprintf(d->day, sizeof(d->day), "%s", day ? day : "");
	v->more = d;
	v->more_free = due_free;
	if (caller_filter(v->caller, ACCESS_DISPOSE, &d->disposable, &err)) {
		http_reply_error(x, &err);
	} else if (d->disposable->op == ACCESS_OP_NONE) {
		if (day) /* a page of which others do not learn */
			visit_absent(x, "list");
		else
			visit_denied(x, "list", "You may not dispose of documents.");
	} else if (visit_stated_ok(x) && due_query(x, d)) {
		r = visit_record(v, "list");
		visit_log(x, &r, 1, scan_and_log);
	}
}

void retention_due(struct exchange *x)
{
	due_find(x, NULL, DUE_ALL, reply_due);
}
