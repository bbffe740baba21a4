#include "api/audit_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit_range.h"
#include "api/handlers.h"
#include "api/reports.h"
#include "arkki/base/json.h"

struct audit {
	enum ledger_which which;
	enum audit_scope scope;
	struct audit_view view;
	struct ledger_filter filter;
	struct audit_asked asked; /* its texts are in `kept` */
	char *kept[8];
	unsigned int kept_len;
	void (*show)(struct exchange *x, json_t *answer);
	unsigned int scanned, found;
	bool more;
	struct audit_range range;
	json_t *entries;
	uint64_t last;
	struct ark_error err;
	/* the entries of the documents of a unit or a case, in order */
	struct report_ids *ids;
	uint64_t *at;
	size_t at_len, at_cap;
	bool gathered, cut, at_failed;
};

static void audit_free(void *arg)
{
	struct audit *q = arg;

	for (unsigned int i = 0; i < q->kept_len; i++)
		free(q->kept[i]);
	json_decref(q->entries);
	free(q->ids);
	free(q->at);
	free(q);
}

/* A copy; NULL: not asked for, or *ok becomes false. */
static const char *keep(struct audit *q, const char *text, bool *ok)
{
	char *copy = text && *text ? strdup(text) : NULL;

	if (text && *text && !copy)
		*ok = false;
	if (copy)
		q->kept[q->kept_len++] = copy;
	return copy;
}

/* ---- one entry ---- */

static bool is_text(const json_t *entry, const char *member, const char *wanted)
{
	const char *text = json_text(entry, member);

	return !wanted || (text && strcmp(text, wanted) == 0);
}

/* Of a unit's or a case's entry the document must show: else it would tell of which unit the hidden one is. */
static bool is_wanted(const struct audit *q, const json_t *entry)
{
	return is_text(entry, "org", q->asked.org) && is_text(entry, "kind", q->asked.kind) &&
	       is_text(entry, "outcome", q->asked.outcome) &&
	       (!q->gathered || json_text(entry, "document"));
}

/* Not 0: that was enough. */
static int add_entry(void *arg, const struct ledger_entry *e)
{
	struct audit *q = arg;
	json_t *entry = NULL;
	int rc;

	if (q->found == q->asked.limit || q->scanned == AUDIT_SCAN_MAX) {
		q->more = true;
		return 1;
	}
	q->scanned++;
	rc = audit_view_entry(&q->view, e, &entry, &q->err);
	q->last = e->index;
	audit_range_note(&q->range, e);
	if (rc || !entry)
		return rc;
	if (!is_wanted(q, entry)) {
		json_decref(entry);
		return 0;
	}
	q->found++;
	if (json_array_append_new(q->entries, entry))
		rc = ark_fail(&q->err, ARK_ENOMEM, "no memory for log entries");
	return rc;
}

/* ---- the documents of a unit or a case ---- */

static bool note_place(void *arg, uint64_t index)
{
	struct audit *q = arg;
	uint64_t *more;

	if (q->at_len == AUDIT_GATHERED_MAX) {
		q->cut = true;
		return false;
	}
	if (q->at_len == q->at_cap) {
		size_t cap = q->at_cap ? q->at_cap * 2 : 256;

		more = realloc(q->at, cap * sizeof(*more));
		if (!more) {
			q->at_failed = true;
			return false;
		}
		q->at = more;
		q->at_cap = cap;
	}
	q->at[q->at_len++] = index;
	return false;
}

static int by_place(const void *a, const void *b)
{
	const uint64_t *m = a, *n = b;

	return (*m > *n) - (*m < *n);
}

static int gather_places(struct audit *q, struct ledger *l, struct ark_error *err)
{
	struct ledger_filter filter = q->filter;
	int rc = ARK_OK;

	filter.wanted = note_place;
	filter.wanted_arg = q;
	for (size_t i = 0; !rc && !q->cut && i < q->ids->len; i++) {
		filter.document = q->ids->id[i];
		if (q->asked.document && strcmp(q->asked.document, filter.document) != 0)
			continue;
		rc = ledger_find(l, &filter, 1, add_entry, q, err);
	}
	if (!rc && q->at_failed)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the entries of a unit");
	if (!rc && q->at_len)
		qsort(q->at, q->at_len, sizeof(*q->at), by_place);
	q->cut = q->cut || q->ids->more;
	return rc;
}

static int find_gathered(struct audit *q, struct ledger *l, struct ark_error *err)
{
	/* with the caller's eyes: an entry on a public rendition must not tell of which case its document is */
	const struct report_scope scope = {
	    .unit = q->asked.unit, .case_id = q->asked.case_id, .sight = q->view.sight};
	int rc;

	q->gathered = true;
	q->ids = calloc(1, sizeof(*q->ids));
	if (!q->ids)
		return ark_fail(err, ARK_ENOMEM, "no memory for a unit's documents");
	rc = report_ids_gather(q->ids, q->view.archive, &scope, err);
	if (!rc)
		rc = gather_places(q, l, err);
	for (size_t i = 0; !rc && i < q->at_len; i++) {
		struct ledger_entry e;

		rc = ledger_get(l, q->at[i], &e, err);
		if (rc)
			return rc;
		rc = add_entry(q, &e);
		ledger_entry_free(&e);
	}
	return rc;
}

/* ---- the answer ---- */

static bool narrowed(const struct audit *q)
{
	const struct audit_asked *a = &q->asked;

	return a->from_us || a->to_us || a->org || a->unit || a->case_id || a->kind || a->outcome ||
	       (a->document && a->principal);
}

/* Who sees everything, and asks for all of one series, is told how much that is. Of an authority's own view there is no
 * such number: it would count reads that are not its to know. */
static int count_range(const struct visit *v, struct audit *q, struct ark_error *err)
{
	if (q->scope != AUDIT_ALL || narrowed(q))
		return ARK_OK;
	q->range.document = q->asked.document;
	q->range.principal = q->asked.principal;
	return audit_range_begin(&q->range, archive_ledger(v->app->archive, q->which), err);
}

/* A case that the caller does not see tells nothing of its documents. */
static bool sees_case(const struct visit *v, const struct audit *q)
{
	json_t *record;
	bool sees = true;

	if (q->scope == AUDIT_ALL || !q->asked.case_id)
		return true;
	record = registry_get(archive_registry(v->app->archive), "cases", q->asked.case_id);
	sees = record && case_is_visible(v->x, record);
	json_decref(record);
	return sees;
}

/* A document that the caller may not see is asked for as one that never was. */
static int find_entries(struct visit *v, struct audit *q, struct ark_error *err)
{
	struct ledger *l = archive_ledger(v->app->archive, q->which);
	bool sees = sees_case(v, q);
	int rc = audit_view_begin(v, q->scope, &q->view, err);

	if (!rc && sees && q->asked.document)
		rc = audit_view_sees(&q->view, q->asked.document, 0, &sees, err);
	audit_view_restrict(&q->view, &q->filter);
	if (!rc && sees && (q->asked.unit || q->asked.case_id))
		rc = find_gathered(q, l, err);
	else if (!rc && sees)
		rc = ledger_find(l, &q->filter, AUDIT_SCAN_MAX + 1, add_entry, q, err);
	if (q->err.status)
		*err = q->err;
	audit_view_end(&q->view);
	return q->err.status ? q->err.status : rc;
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
	if (q->more) {
		snprintf(at, sizeof(at), "%llu", (unsigned long long)q->last + 1);
		cursor_write(v->app, "audit", at, &next);
	}
	answer = json_pack("{s:O,s:s?}", "entries", q->entries, "next", next.data);
	buf_free(&next);
	if (answer && q->cut)
		json_object_set_new(answer, "cut", json_true());
	if (answer && audit_range_show(&q->range, archive_ledger(v->app->archive, q->which),
			  q->filter.after == 0, answer, &err)) {
		json_decref(answer);
		answer = NULL;
		http_reply_error(x, &err);
	} else if (answer) {
		q->show(x, answer);
	} else {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	}
}

/* ---- the look ---- */

static void write_detail(const struct audit *q, struct buf *out)
{
	const struct audit_asked *a = &q->asked;
	const struct {
		const char *name, *value;
	} members[] = {{"document", a->document}, {"principal", a->principal}, {"org", a->org},
	    {"unit", a->unit}, {"case", a->case_id}, {"kind", a->kind}, {"outcome", a->outcome}};

	buf_addf(out, "{\"log\":\"%s\"", q->which == LEDGER_ACCESS ? "access" : "history");
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (!members[i].value)
			continue;
		buf_addf(out, ",\"%s\":", members[i].name);
		json_quote(out, members[i].value);
	}
	buf_addc(out, '}');
}

/* False: replied. */
static bool read_asked(struct exchange *x, struct audit *q, const struct audit_asked *asked)
{
	struct buf at = BUF_INIT;
	bool ok = true;

	q->asked = (struct audit_asked){keep(q, asked->document, &ok),
	    keep(q, asked->principal, &ok), keep(q, asked->org, &ok), keep(q, asked->unit, &ok),
	    keep(q, asked->case_id, &ok), keep(q, asked->kind, &ok), keep(q, asked->outcome, &ok),
	    keep(q, asked->cursor, &ok), asked->from_us, asked->to_us, asked->limit};
	if (!ok) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return false;
	}
	q->filter = (struct ledger_filter){.document = q->asked.document,
	    .principal = q->asked.principal,
	    .from_us = asked->from_us,
	    .to_us = asked->to_us};
	if (q->asked.cursor) {
		ok = !cursor_read(app_of(x), "audit", q->asked.cursor, &at, NULL);
		if (ok)
			q->filter.after = strtoull(at.data, NULL, 10);
	}
	buf_free(&at);
	if (!ok)
		http_reply_problem(x, 400, "bad-query", "A time or the cursor is malformed.", NULL);
	return ok;
}

void audit_find(struct exchange *x, enum ledger_which which, const struct audit_asked *asked,
    void (*show)(struct exchange *x, json_t *answer))
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct buf detail = BUF_INIT;
	struct audit *q;

	if (!v)
		return;
	q = calloc(1, sizeof(*q));
	if (!q || !(q->entries = json_array())) {
		free(q);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	q->which = which;
	q->scope = audit_scope_of(v->caller);
	q->show = show;
	v->more = q;
	v->more_free = audit_free;
	if (!read_asked(x, q, asked))
		return;
	r = visit_record(v, "audit");
	write_detail(q, &detail);
	if (buf_failed(&detail)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else {
		r.detail = detail.data;
		visit_log(x, &r, 1, show_entries);
	}
	buf_free(&detail);
}
