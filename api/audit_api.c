/* The logs over HTTP: filtered entries for auditors, receipts, tiles and checkpoints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit_find.h"
#include "api/audit_range.h"
#include "api/audit_view.h"
#include "api/handlers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* ---- filtered entries ---- */

static bool time_of(const struct exchange *x, const char *name, int64_t *ret)
{
	const char *text = http_query(x, name);

	return !text || !*text || clock_parse(text, ret);
}

static void show_json(struct exchange *x, json_t *answer)
{
	http_reply_json(x, 200, answer);
}

static void get_entries(struct exchange *x, enum ledger_which which, enum audit_scope scope)
{
	struct audit_asked asked = {.document = http_query(x, "document"),
	    .principal = http_query(x, "principal"),
	    .cursor = http_query(x, "cursor")};

	if (!visit_of(x))
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
	if (which == LEDGER_ACCESS) {
		asked.org = http_query(x, "org");
		asked.unit = http_query(x, "unit");
		asked.case_id = http_query(x, "case");
		asked.kind = http_query(x, "kind");
		asked.outcome = http_query(x, "outcome");
	}
	if (!time_of(x, "from", &asked.from_us) || !time_of(x, "to", &asked.to_us)) {
		http_reply_problem(x, 400, "bad-query", "A time or the cursor is malformed.", NULL);
		return;
	}
	if (limit_of(x, 100, 1000, &asked.limit))
		audit_find(x, which, &asked, show_json);
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
    struct ledger *l, uint64_t index, json_t *entries, json_t *disclosures, struct ark_error *err)
{
	struct audit_view view = {.scope = AUDIT_ALL};
	struct ledger_entry e;
	json_t *shown = NULL, *entry = NULL;
	int rc = ledger_get(l, index, &e, err);

	if (rc)
		return rc;
	rc = audit_view_entry(&view, &e, &entry, err);
	ledger_entry_free(&e);
	if (!rc && entry && json_array_append_new(entries, entry))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for log entries");
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
	json_t *entries = json_array(), *disclosures = json_array();
	struct ark_error err = {0};
	int rc =
	    receipt_resolve(archive_keyring(a), http_param(x, 0), &which, &first, &count, &err);

	for (uint64_t i = 0; !rc && i < count && i < 128; i++)
		rc = add_receipt_entry(
		    archive_ledger(a, which), first + i, entries, disclosures, &err);
	if (rc == ARK_EINPUT || rc == ARK_ENOTFOUND)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (rc)
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200,
		    json_pack("{s:s,s:I,s:I,s:O,s:O*,s:O}", "log",
			which == LEDGER_ACCESS ? "access" : "history", "index", (json_int_t)first,
			"count", (json_int_t)count, "entries", entries, "proof",
			json_object_get(json_array_get(disclosures, 0), "proof"), "disclosures",
			disclosures));
	json_decref(entries);
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

/* ?cosigned: not the newest, but the newest that enough witnesses have signed. */
static void reply_checkpoint(struct exchange *x, enum ledger_which which)
{
	struct ledger *l = archive_ledger(app_of(x)->archive, which);
	struct buf out = BUF_INIT;
	struct ark_error err;
	int rc = http_query(x, "cosigned") ? ledger_cosigned(l, &out, &err)
					   : ledger_checkpoint(l, &out, &err);

	if (rc) {
		if (rc == ARK_ENOTFOUND)
			http_reply_problem(x, 404, "not-cosigned", NULL, NULL);
		else
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
