/* Uses of break-glass and their review.
 *
 * A use is an access entry of a request that stated a reason and was let in by it. A review is a history entry
 * about it. The Ombudsman's auditors and the authorities' review apart, each their own list: what
 * the Ombudsman has looked at shows to nobody else, and nobody else takes it off the Ombudsman's list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit_view.h"
#include "api/handlers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum review_state { OPEN, REVIEWED, ALL };
enum { REMARK_MAX = 2000 };

/* ---- a use as it is shown ---- */

/* How a use is named by those who may not count the log's entries. */
static void use_id(const struct app *app, uint64_t index, struct buf *out)
{
	char at[32];

	snprintf(at, sizeof(at), "%llu", (unsigned long long)index);
	cursor_write(app, "break-glass-use", at, out);
}

/* JSON null when there is none. brief: of another organisation, so neither the person nor the words. */
static int review_json(struct ledger *history, const struct audit_view *view, uint64_t use,
    bool own_series, json_t **ret, struct ark_error *err)
{
	struct ark_error none = {0};
	struct ledger_entry e;
	const json_t *detail;
	uint64_t at = 0;
	bool brief;
	int rc = ledger_about(history, use, own_series, &at, &none);

	if (rc == ARK_ENOTFOUND) {
		*ret = json_null();
		return ARK_OK;
	}
	rc = rc ? ark_fail(err, rc, "%s", none.text) : ledger_get(history, at, &e, err);
	if (rc)
		return rc;
	detail = json_object_get(e.a, "detail");
	brief = view->scope != AUDIT_ALL && !audit_view_is_own(view, &e);
	*ret = json_pack("{s:O?,s:O?,s:s*,s:O*,s:O*}", "time", json_object_get(e.a, "time"), "org",
	    json_object_get(e.b, "org"), "principal", brief ? NULL : json_text(e.b, "principal"),
	    "remark", brief ? NULL : json_object_get(detail, "remark"), "justified",
	    json_object_get(detail, "justified"));
	ledger_entry_free(&e);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a review");
}

/* NULL: passed over, as audit_view_entry() does. */
static int use_json(struct app *app, struct audit_view *view, const struct ledger_entry *e,
    json_t **ret, struct ark_error *err)
{
	static const char *const as_they_are[] = {"index", "time", "principal", "org", "roles",
	    "document", "version", "kind", "outcome", "purpose", "case", "query"};
	struct ledger *history = archive_ledger(app->archive, LEDGER_HISTORY);
	json_t *entry = NULL, *out = NULL, *review = NULL, *theirs = NULL;
	struct buf id = BUF_INIT;
	int rc = audit_view_entry(view, e, &entry, err);

	*ret = NULL;
	if (rc || !entry)
		return rc;
	use_id(app, e->index, &id);
	rc = review_json(history, view, e->index, view->scope == AUDIT_ALL, &review, err);
	if (!rc && view->scope == AUDIT_ALL)
		rc = review_json(history, view, e->index, false, &theirs, err);
	if (!rc) {
		out = json_pack("{s:s,s:O?,s:O,s:O*}", "id", id.data, "reason",
		    json_object_get(entry, "breakGlass"), "review", review, "authorityReview",
		    theirs);
		for (size_t i = 0; i < sizeof(as_they_are) / sizeof(*as_they_are); i++)
			if (json_object_get(entry, as_they_are[i]))
				json_object_set(
				    out, as_they_are[i], json_object_get(entry, as_they_are[i]));
		if (!out)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a use of break-glass");
	}
	json_decref(entry);
	json_decref(review);
	json_decref(theirs);
	buf_free(&id);
	*ret = out;
	return rc;
}

/* ---- the list ---- */

struct uses {
	struct app *app;
	enum audit_scope scope;
	struct audit_view view;
	struct ledger_filter filter;
	enum review_state state;
	unsigned int limit, found;
	uint64_t last;
	json_t *list;
	struct ark_error err; /* of what the walk called */
	void (*show)(struct exchange *x, json_t *answer);
};

static void uses_free(void *arg)
{
	struct uses *u = arg;

	json_decref(u->list);
	free(u);
}

/* One look into an index for each use: the log is not opened for those that are passed over. */
static bool is_wanted(void *arg, uint64_t index)
{
	struct uses *u = arg;
	struct ark_error why = {0};
	uint64_t at;
	int rc = ledger_about(archive_ledger(u->app->archive, LEDGER_HISTORY), index,
	    u->scope == AUDIT_ALL, &at, &why);

	if (rc && rc != ARK_ENOTFOUND) {
		u->err = why;
		return true; /* add_use() ends the walk */
	}
	return (u->state == OPEN) == (rc == ARK_ENOTFOUND);
}

static int add_use(void *arg, const struct ledger_entry *e)
{
	struct uses *u = arg;
	json_t *use = NULL;
	int rc = u->err.status;

	if (!rc)
		rc = use_json(u->app, &u->view, e, &use, &u->err);
	u->last = e->index;
	u->found++;
	if (!rc && use && json_array_append_new(u->list, use))
		rc = ark_fail(&u->err, ARK_ENOMEM, "no memory for uses of break-glass");
	return rc;
}

static void show_uses(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct uses *u = v->more;
	struct ark_error err = {0};
	struct buf next = BUF_INIT;
	json_t *answer;
	char at[32];
	int rc = audit_view_begin(v, u->scope, &u->view, &err);

	audit_view_restrict(&u->view, &u->filter);
	if (u->state != ALL) {
		u->filter.wanted = is_wanted;
		u->filter.wanted_arg = u;
	}
	if (!rc)
		rc = ledger_find(archive_ledger(u->app->archive, LEDGER_ACCESS), &u->filter,
		    u->limit, add_use, u, &err);
	audit_view_end(&u->view);
	if (rc < 0) {
		http_reply_error(x, u->err.status ? &u->err : &err);
		return;
	}
	if (u->found == u->limit) {
		snprintf(at, sizeof(at), "%llu", (unsigned long long)u->last + 1);
		cursor_write(u->app, "break-glass", at, &next);
	}
	answer = json_pack("{s:O,s:s?}", "uses", u->list, "next", next.data);
	buf_free(&next);
	u->show(x, answer);
}

static bool read_state(const struct exchange *x, enum review_state *ret)
{
	static const char *const names[] = {"open", "reviewed", "all"};
	const char *text = http_query(x, "state");

	*ret = OPEN;
	if (!text || !*text)
		return true;
	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum review_state)i;
			return true;
		}
	}
	return false;
}

static bool read_query(struct exchange *x, struct uses *u)
{
	const char *cursor = http_query(x, "cursor"), *from = http_query(x, "from"),
		   *to = http_query(x, "to");
	struct buf at = BUF_INIT;
	bool ok = read_state(x, &u->state) &&
		  (!from || !*from || clock_parse(from, &u->filter.from_us)) &&
		  (!to || !*to || clock_parse(to, &u->filter.to_us));

	if (ok && cursor && *cursor) {
		ok = !cursor_read(u->app, "break-glass", cursor, &at, NULL);
		if (ok)
			u->filter.after = strtoull(at.data, NULL, 10);
	}
	buf_free(&at);
	if (!ok)
		http_reply_problem(
		    x, 400, "bad-query", "A time, the state or the cursor is malformed.", NULL);
	return ok && limit_of(x, 100, 1000, &u->limit);
}

static bool auditor(struct exchange *x, enum audit_scope *ret)
{
	*ret = audit_scope_of(caller_of(x));
	if (*ret != AUDIT_NOTHING)
		return true;
	visit_denied(x, "audit",
	    "Uses of break-glass are for the Ombudsman's and the authorities' auditors.");
	return false;
}

static void show_json(struct exchange *x, json_t *answer)
{
	http_reply_json(x, 200, answer);
}

void break_glass_list(struct exchange *x)
{
	enum audit_scope scope;

	if (visit_of(x) && auditor(x, &scope) && visit_stated_ok(x))
		break_glass_find(x, show_json);
}

void break_glass_find(struct exchange *x, void (*show)(struct exchange *x, json_t *answer))
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct uses *u;

	u = calloc(1, sizeof(*u));
	if (!u || !(u->list = json_array())) {
		free(u);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	u->app = v->app;
	u->show = show;
	u->scope = audit_scope_of(v->caller);
	u->filter.broken_glass = true;
	v->more = u;
	v->more_free = uses_free;
	if (!read_query(x, u))
		return;
	r = visit_record(v, "audit");
	r.detail = "{\"log\":\"access\",\"view\":\"break-glass\"}";
	visit_log(x, &r, 1, show_uses);
}

/* ---- the review ---- */

struct review {
	enum audit_scope scope;
	uint64_t use;
	char *detail; /* of the history entry */
	void (*then)(struct exchange *x, int status, json_t *use, const struct ark_error *err);
};

static void review_free(void *arg)
{
	struct review *r = arg;

	free(r->detail);
	free(r);
}

/* Only whoever may count entries names a use by its index. */
static bool read_use(struct exchange *x, enum audit_scope scope, uint64_t *ret)
{
	const char *text = http_param(x, 0);
	struct buf at = BUF_INIT;
	size_t n = strspn(text, "0123456789");
	bool ok = scope == AUDIT_ALL && n && n <= 18 && !text[n];

	if (ok) {
		*ret = strtoull(text, NULL, 10);
		return true;
	}
	ok = !cursor_read(app_of(x), "break-glass-use", text, &at, NULL);
	if (ok)
		*ret = strtoull(at.data, NULL, 10);
	buf_free(&at);
	return ok;
}

/* ARK_ENOTFOUND: no use of break-glass that the caller sees; ARK_EREFUSED: seen, and another's to review. */
static int may_review(struct visit *v, enum audit_scope scope, uint64_t use, struct ark_error *err)
{
	struct audit_view view;
	struct ledger_entry e = {0};
	json_t *shown = NULL;
	int rc = audit_view_begin(v, scope, &view, err);

	if (!rc)
		rc = ledger_get(archive_ledger(v->app->archive, LEDGER_ACCESS), use, &e, err);
	if (!rc && json_text(e.a, "breakGlass") && !json_object_get(e.a, "breakGlassRefused"))
		rc = audit_view_entry(&view, &e, &shown, err);
	if (!rc && !shown)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no such use of break-glass");
	if (!rc && scope != AUDIT_ALL && !audit_view_is_own(&view, &e))
		rc = ark_fail(err, ARK_EREFUSED,
		    "It is reviewed by the organisation whose account broke the glass.");
	json_decref(shown);
	ledger_entry_free(&e);
	audit_view_end(&view);
	return rc;
}

static json_t *fault(const char *field, const char *code, const char *detail)
{
	return json_pack("{s:s,s:s,s:s}", "field", field, "code", code, "detail", detail);
}

/* What is wrong with {"remark": "…", "justified": true|false}; the caller's. */
static json_t *review_faults(const json_t *v)
{
	const char *remark = json_text(v, "remark"), *name;
	json_t *errors = json_array(), *value;

	if (!remark || !*remark || strlen(remark) > REMARK_MAX)
		json_array_append_new(
		    errors, fault("remark", "bad-text", "A text of 1 to 2000 bytes is needed."));
	if (!json_is_boolean(json_object_get(v, "justified")))
		json_array_append_new(
		    errors, fault("justified", "bad-boolean", "true or false is needed."));
	json_object_foreach((json_t *)(uintptr_t)v, name, value)
	{
		if (strcmp(name, "remark") != 0 && strcmp(name, "justified") != 0)
			json_array_append_new(
			    errors, fault(name, "unknown-field", "There is no such field."));
	}
	return errors;
}

/* The same as the text of the history entry's detail; NULL: no memory. */
static char *review_detail(const json_t *v)
{
	struct buf out = BUF_INIT;

	buf_adds(&out, "{\"remark\":");
	json_quote(&out, json_text(v, "remark"));
	buf_addf(&out, ",\"justified\":%s}",
	    json_is_true(json_object_get(v, "justified")) ? "true" : "false");
	return buf_take(&out, NULL);
}

/* Looking and writing are one step: of two reviews at once one finds the other. */
static int write_review(struct visit *v, const struct review *r, struct ark_error *err)
{
	struct ledger *history = archive_ledger(v->app->archive, LEDGER_HISTORY);
	struct ledger_record record = visit_record(v, "break-glass-review");
	uint64_t at;
	int rc;

	record.break_glass = NULL;
	record.about = &r->use;
	record.detail = r->detail;
	pthread_mutex_lock(&v->app->reviews_lock);
	rc = ledger_about(history, r->use, record.own_series, &at, err);
	if (!rc)
		rc = ark_fail(err, ARK_ECONFLICT, "This use of break-glass has been reviewed.");
	else if (rc == ARK_ENOTFOUND)
		rc = ledger_append_wait(history, &record, 1, NULL, err);
	pthread_mutex_unlock(&v->app->reviews_lock);
	return rc;
}

static void finish_review(struct exchange *x)
{
	struct visit *v = visit_of(x);
	const struct review *r = v->more;
	struct audit_view view = {0};
	struct ledger_entry e = {0};
	struct ark_error err = {0};
	json_t *use = NULL;
	int rc = write_review(v, r, &err);

	if (!rc)
		rc = audit_view_begin(v, r->scope, &view, &err);
	if (!rc)
		rc = ledger_get(archive_ledger(v->app->archive, LEDGER_ACCESS), r->use, &e, &err);
	if (!rc)
		rc = use_json(v->app, &view, &e, &use, &err);
	ledger_entry_free(&e);
	if (view.archive)
		audit_view_end(&view);
	r->then(x, rc, use, &err);
}

/* ARK_OK: there is such a use, and it is the caller's to review. Else it was replied. */
static int review_begin(struct exchange *x, enum audit_scope scope, uint64_t *ret)
{
	struct ark_error err = {0};
	int rc =
	    read_use(x, scope, ret) ? may_review(visit_of(x), scope, *ret, &err) : ARK_ENOTFOUND;

	if (rc == ARK_ENOTFOUND)
		visit_not_found(x, "audit", "", 0);
	else if (rc == ARK_EREFUSED)
		visit_denied(x, "audit",
		    "It is reviewed by the organisation whose account broke the glass.");
	else if (rc)
		http_reply_error(x, &err);
	return rc;
}

bool break_glass_judge(struct exchange *x, const json_t *body, json_t **ret_errors,
    void (*then)(struct exchange *x, int status, json_t *use, const struct ark_error *err))
{
	struct visit *v = visit_of(x);
	enum audit_scope scope = audit_scope_of(v->caller);
	struct ledger_record record;
	struct buf detail = BUF_INIT;
	struct review *r;
	uint64_t use;

	*ret_errors = NULL;
	if (review_begin(x, scope, &use))
		return true;
	*ret_errors = review_faults(body);
	if (json_array_size(*ret_errors) > 0)
		return false;
	r = calloc(1, sizeof(*r));
	if (r)
		r->detail = review_detail(body);
	if (!r || !r->detail) {
		free(r);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return true;
	}
	r->scope = scope;
	r->use = use;
	r->then = then;
	v->more = r;
	v->more_free = review_free;
	buf_adds(&detail, "{\"log\":\"access\",\"review\":\"");
	use_id(v->app, use, &detail);
	buf_adds(&detail, "\"}");
	record = visit_record(v, "audit");
	record.detail = detail.data;
	visit_log(x, &record, 1, finish_review);
	buf_free(&detail);
	return true;
}

static void reply_review(struct exchange *x, int status, json_t *use, const struct ark_error *err)
{
	if (status == ARK_ECONFLICT)
		http_reply_problem(x, 409, "already-reviewed", err->text, NULL);
	else if (status)
		http_reply_error(x, err);
	else
		http_reply_json(x, 201, use);
}

void break_glass_review(struct exchange *x)
{
	size_t len;
	const char *text = http_body(x, &len);
	json_t *body = NULL, *errors = NULL;
	enum audit_scope scope;
	struct ark_error err;
	uint64_t use;

	if (!visit_of(x) || !auditor(x, &scope) || !visit_stated_ok(x))
		return;
	if (json_read(text, len, &body, &err) || !json_is_object(body)) {
		/* what is not there is not there, whatever was sent about it */
		if (!review_begin(x, scope, &use))
			http_reply_problem(
			    x, 400, "bad-json", "The body must be a JSON object.", NULL);
	} else if (!break_glass_judge(x, body, &errors, reply_review)) {
		http_reply_problem(x, 422, "bad-review", NULL, json_incref(errors));
	}
	json_decref(errors);
	json_decref(body);
}
