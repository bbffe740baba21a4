/* The logs over HTTP: filtered entries for auditors, receipts, tiles and checkpoints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit_range.h"
#include "api/audit_view.h"
#include "api/handlers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* ---- filtered entries ---- */

struct audit {
	enum ledger_which which;
	enum audit_scope scope;
	struct audit_view view;
	struct ledger_filter filter;
	char *document, *principal;
	unsigned int limit, found;
	struct audit_range range;
	json_t *entries;
	uint64_t last;
	struct ark_error err;
};

static void audit_free(void *arg)
{
	struct audit *q = arg;

	free(q->document);
	free(q->principal);
	json_decref(q->entries);
	free(q);
}

static int add_entry(void *arg, const struct ledger_entry *e)
{
	struct audit *q = arg;
	json_t *entry = NULL;
	int rc = audit_view_entry(&q->view, e, &entry, &q->err);

	q->last = e->index;
	q->found++;
	audit_range_note(&q->range, e);
	if (!rc && entry && json_array_append_new(q->entries, entry))
		rc = ark_fail(&q->err, ARK_ENOMEM, "no memory for log entries");
	return rc;
}

/* Who sees everything, and asks for all of one series, is told how much that is. Of an authority's own view there is no
 * such number: it would count reads that are not its to know. */
static int count_range(const struct visit *v, struct audit *q, struct ark_error *err)
{
	const struct ledger_filter *f = &q->filter;

	if (q->scope != AUDIT_ALL || f->from_us || f->to_us || (f->document && f->principal))
		return ARK_OK;
	q->range.document = f->document;
	q->range.principal = f->principal;
	return audit_range_begin(&q->range, archive_ledger(v->app->archive, q->which), err);
}

/* A document that the caller may not see is asked for as one that never was. */
static int find_entries(struct visit *v, struct audit *q, struct ark_error *err)
{
	bool sees = true;
	int rc = audit_view_begin(v, q->scope, &q->view, err);

	if (!rc && q->document)
		rc = audit_view_sees(&q->view, q->document, 0, &sees, err);
	audit_view_restrict(&q->view, &q->filter);
	if (!rc && sees)
		rc = ledger_find(archive_ledger(v->app->archive, q->which), &q->filter, q->limit,
		    add_entry, q, err);
	if (q->err.status)
		*err = q->err;
	audit_view_end(&q->view);
	return rc;
}

static void show_entries(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct audit *q = v->more;
	struct ark_error err;
	struct buf next = BUF_INIT;
	json_t *answer;
	char at[32];

	if (count_range(v, q, &err) || find_entries(v, q, &err) < 0) {
		http_reply_error(x, &err);
		return;
	}
	if (q->found == q->limit) {
		snprintf(at, sizeof(at), "%llu", (unsigned long long)q->last + 1);
		cursor_write(v->app, "audit", at, &next);
	}
	answer = json_pack("{s:O,s:s?}", "entries", q->entries, "next", next.data);
	buf_free(&next);
	if (answer && audit_range_show(&q->range, archive_ledger(v->app->archive, q->which),
			  q->filter.after == 0, answer, &err)) {
		json_decref(answer);
		http_reply_error(x, &err);
		return;
	}
	http_reply_json(x, 200, answer);
}

static bool time_of(const struct exchange *x, const char *name, int64_t *ret)
{
	const char *text = http_query(x, name);

	return !text || !*text || clock_parse(text, ret);
}

static bool read_query(struct exchange *x, struct audit *q)
{
	const char *document = http_query(x, "document"), *principal = http_query(x, "principal");
	const char *cursor = http_query(x, "cursor");
	struct buf at = BUF_INIT;
	bool ok = time_of(x, "from", &q->filter.from_us) && time_of(x, "to", &q->filter.to_us);

	if (ok && cursor && *cursor) {
		ok = !cursor_read(app_of(x), "audit", cursor, &at, NULL);
		if (ok)
			q->filter.after = strtoull(at.data, NULL, 10);
	}
	buf_free(&at);
	if (!ok) {
		http_reply_problem(x, 400, "bad-query", "A time or the cursor is malformed.", NULL);
		return false;
	}
	q->document = document && *document ? strdup(document) : NULL;
	q->principal = principal && *principal ? strdup(principal) : NULL;
	q->filter.document = q->document;
	q->filter.principal = q->principal;
	return limit_of(x, 100, 1000, &q->limit);
}

/* Looking is itself logged: once, before the answer, so an answer never shows its own entry twice. */
static void get_entries(struct exchange *x, enum ledger_which which, enum audit_scope scope)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct buf detail = BUF_INIT;
	struct audit *q;

	if (!v)
		return;
	if (scope == AUDIT_NOTHING) {
		visit_denied(x, "audit",
		    which == LEDGER_HISTORY
			? "The history log is for the Ombudsman's auditors."
			: "The access log is for the Ombudsman's and the authorities' auditors.");
		return;
	}
	if (!visit_stated_ok(x))
		return;
	q = calloc(1, sizeof(*q));
	if (!q || !(q->entries = json_array())) {
		free(q);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	q->which = which;
	q->scope = scope;
	v->more = q;
	v->more_free = audit_free;
	if (!read_query(x, q))
		return;
	r = visit_record(v, "audit");
	buf_addf(&detail, "{\"log\":\"%s\"", which == LEDGER_ACCESS ? "access" : "history");
	if (q->document) {
		buf_adds(&detail, ",\"document\":");
		json_quote(&detail, q->document);
	}
	if (q->principal) {
		buf_adds(&detail, ",\"principal\":");
		json_quote(&detail, q->principal);
	}
	buf_addc(&detail, '}');
	r.detail = detail.data;
	visit_log(x, &r, 1, show_entries);
	buf_free(&detail);
}

void audit_access(struct exchange *x)
{
	get_entries(x, LEDGER_ACCESS, audit_scope_of(caller_of(x)));
}

void audit_history(struct exchange *x)
{
	get_entries(
	    x, LEDGER_HISTORY, caller_may(caller_of(x), ACCESS_AUDIT) ? AUDIT_ALL : AUDIT_NOTHING);
}

/* ---- receipts ---- */

/* One entry behind a receipt: as auditors see it, and as an outsider can check it. */
static int add_receipt_entry(
    struct ledger *l, uint64_t index, struct audit *q, json_t *disclosures, struct ark_error *err)
{
	struct ledger_entry e;
	json_t *shown = NULL;
	int rc = ledger_get(l, index, &e, err);

	if (rc)
		return rc;
	rc = add_entry(q, &e);
	if (rc)
		*err = q->err;
	ledger_entry_free(&e);
	if (!rc)
		rc = audit_disclose(l, index, DISCLOSE_A | DISCLOSE_B | DISCLOSE_C, &shown, err);
	if (!rc && json_array_append_new(disclosures, shown))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a disclosure");
	return rc;
}

static void show_receipt(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct archive *a = v->app->archive;
	enum ledger_which which;
	uint64_t first, count;
	struct audit q = {.view.scope = AUDIT_ALL, .entries = json_array()};
	json_t *disclosures = json_array();
	struct ark_error err = {0};
	int rc =
	    receipt_resolve(archive_keyring(a), http_param(x, 0), &which, &first, &count, &err);

	for (uint64_t i = 0; !rc && i < count && i < 128; i++)
		rc = add_receipt_entry(archive_ledger(a, which), first + i, &q, disclosures, &err);
	if (rc == ARK_EINPUT || rc == ARK_ENOTFOUND)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (rc)
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200,
		    json_pack("{s:s,s:I,s:I,s:O,s:O*,s:O}", "log",
			which == LEDGER_ACCESS ? "access" : "history", "index", (json_int_t)first,
			"count", (json_int_t)count, "entries", q.entries, "proof",
			json_object_get(json_array_get(disclosures, 0), "proof"), "disclosures",
			disclosures));
	json_decref(q.entries);
	json_decref(disclosures);
}

void receipt_get(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v)
		return;
	if (!caller_may(v->caller, ACCESS_AUDIT)) {
		visit_denied(x, "audit", "Receipts are resolved for the Ombudsman's auditors.");
		return;
	}
	r = visit_record(v, "audit");
	visit_log(x, &r, 1, show_receipt);
}

/* ---- tiles and checkpoints ---- */

static void reply_checkpoint(struct exchange *x, enum ledger_which which)
{
	struct buf out = BUF_INIT;
	struct ark_error err;

	if (ledger_checkpoint(archive_ledger(app_of(x)->archive, which), &out, &err)) {
		http_reply_error(x, &err);
		buf_free(&out);
		return;
	}
	http_reply_header(x, "Cache-Control", "no-cache");
	http_reply_buf(x, 200, "text/plain; charset=utf-8", &out);
}

static void reply_tile(struct exchange *x, enum ledger_which which)
{
	struct buf out = BUF_INIT;
	struct ark_error err;
	char path[256];
	int rc;

	snprintf(path, sizeof(path), "tile/%s", http_param(x, 0));
	rc = ledger_tile(archive_ledger(app_of(x)->archive, which), path, &out, &err);
	if (rc == ARK_EINPUT || rc == ARK_ENOTFOUND) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		/* a tile never changes once it is full; a partial one is only ever extended under a new name */
		http_reply_header(x, "Cache-Control",
		    which == LEDGER_HISTORY ? "public, max-age=31536000, immutable"
					    : "private, no-store");
		http_reply_buf(x, 200, "application/octet-stream", &out);
		return;
	}
	buf_free(&out);
}

void history_checkpoint(struct exchange *x)
{
	reply_checkpoint(x, LEDGER_HISTORY);
}

void history_tile(struct exchange *x)
{
	reply_tile(x, LEDGER_HISTORY);
}

static void show_access_checkpoint(struct exchange *x)
{
	reply_checkpoint(x, LEDGER_ACCESS);
}

static bool auditor(struct exchange *x)
{
	if (caller_may(caller_of(x), ACCESS_AUDIT))
		return true;
	visit_denied(x, "audit", "The access log is for the Ombudsman's auditors.");
	return false;
}

/* A checkpoint is what a follower asks first: that is the read that is
 * logged; the tiles behind it hold commitments only. */
void access_checkpoint(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v || !auditor(x))
		return;
	r = visit_record(v, "audit");
	visit_log(x, &r, 1, show_access_checkpoint);
}

void access_tile(struct exchange *x)
{
	if (visit_of(x) && auditor(x))
		reply_tile(x, LEDGER_ACCESS);
}
