/* GET /v1/audit/replay and GET /v1/audit/subject, and the same for the operator on the admin socket.
 *
 * They are for the Ombudsman's auditors. One entry (kind `audit`) is durable before the work begins; the work is
 * done in a thread of its own, a few at a time, since it opens many sealed records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/i18n.h"
#include "api/past_work.h"
#include "api/reports.h"
#include "arkki/archive/report.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct asking {
	struct exchange *x;
	struct app *app;
	bool of_replay;
	struct replay_ask replay;
	struct subject_ask subject;
	json_t *errors;
	const struct receipt *receipt;
	/* the answer, made in the thread */
	json_t *sealed;
	struct buf next;
	struct ark_error error;
	int status;
	struct past_work work;
};

static void asking_free(void *arg)
{
	struct asking *q = arg;

	past_work_end(&q->work);
	json_decref(q->errors);
	json_decref(q->sealed);
	buf_free(&q->next);
	free(q);
}

static struct asking *asking_new(struct exchange *x, struct visit *v, bool of_replay)
{
	struct asking *q = calloc(1, sizeof(*q));

	if (!q || !(q->errors = json_array())) {
		free(q);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	q->x = x;
	q->app = v->app;
	q->of_replay = of_replay;
	q->replay.by = q->subject.by = v->caller ? v->caller->who->access.user : "operator";
	v->more = q;
	v->more_free = asking_free;
	return q;
}

/* ---- the question ---- */

static void wrong(struct asking *q, const char *field, const char *code, const char *detail)
{
	past_work_fault(q->errors, field, code, detail);
}

static const char *given(const struct asking *q, const char *name)
{
	const char *text = http_query(q->x, name);

	return text && *text ? text : NULL;
}

static const char *id_of(struct asking *q, const char *name, bool required)
{
	const char *text = given(q, name);

	if (!text && required)
		wrong(q, name, "required", "is missing");
	else if (text && !id_valid(text))
		wrong(q, name, "id", "is not an id");
	return text;
}

static int64_t time_of(struct asking *q, const char *name)
{
	const char *text = given(q, name);
	int64_t time = 0;

	if (text && !clock_parse(text, &time))
		wrong(q, name, "time", "must be a time as RFC 3339 writes it, or a day");
	return time;
}

static bool flag_of(struct asking *q, const char *name)
{
	const char *text = given(q, name);

	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		wrong(q, name, "boolean", "must be true or false");
	return text && strcmp(text, "true") == 0;
}

static void read_replay(struct asking *q)
{
	struct replay_ask *r = &q->replay;

	r->org = id_of(q, "org", true);
	r->unit = id_of(q, "unit", true);
	r->role = id_of(q, "role", false);
	r->at_us = time_of(q, "at");
	if (!given(q, "at"))
		wrong(q, "at", "required", "is missing");
	else if (r->at_us > clock_now_us())
		wrong(q, "at", "future", "lies in the future: no one knows what will be in force");
}

static void read_subject(struct asking *q, const struct visit *v)
{
	struct subject_ask *s = &q->subject;

	s->case_id = id_of(q, "case", false);
	s->unit = id_of(q, "unit", false);
	s->document = given(q, "document");
	if (!s->case_id + !s->unit + !s->document != 2)
		wrong(q, "document", "required", "give one of document, case and unit");
	if (s->document && !docid_valid(s->document))
		wrong(q, "document", "id", "is not a document's id");
	s->from_us = time_of(q, "from");
	s->to_us = time_of(q, "to");
	s->own = flag_of(q, "own");
	if (s->own && (!v->caller || !v->caller->who->own_series))
		wrong(q, "own", "not-yours", "only the Ombudsman asks for the Ombudsman's reads");
}

/* Where the page before ended: an id, and for a subject the entry too. False: 400 was replied. */
static bool read_place(struct asking *q)
{
	const char *cursor = given(q, "cursor");
	const char *use = q->of_replay ? "replay" : "subject";
	char *after = q->of_replay ? q->replay.after : q->subject.after;
	struct buf text = BUF_INIT;
	bool ok = true;

	if (cursor)
		ok = !cursor_read(q->app, use, cursor, &text, NULL) && text.len > 32;
	if (ok && cursor) {
		memcpy(after, text.data, 32);
		after[32] = '\0';
		q->subject.index = strtoull(text.data + 32, NULL, 10);
	}
	buf_free(&text);
	if (!ok)
		http_reply_problem(q->x, 400, "bad-cursor", "The cursor is malformed.", NULL);
	return ok;
}

/* False when a refusal was replied. */
static bool read_query(struct asking *q, const struct visit *v)
{
	unsigned int limit;

	if (!read_place(q) || !limit_of(q->x, q->of_replay ? 100 : 500, 1000, &limit))
		return false;
	q->replay.limit = q->subject.limit = limit;
	if (q->of_replay)
		read_replay(q);
	else
		read_subject(q, v);
	if (json_array_size(q->errors) == 0)
		return true;
	http_reply_problem(q->x, 422, "report", NULL, json_incref(q->errors));
	return false;
}

/* ---- the answer ---- */

static bool wants_page(const struct exchange *x)
{
	const char *accept = http_header(x, "Accept"), *format = http_query(x, "format");

	if (format && *format)
		return strcmp(format, "html") == 0;
	return accept && strstr(accept, "text/html");
}

static void reply_page(struct exchange *x, const struct asking *q)
{
	struct buf page = BUF_INIT;
	struct ark_error err;

	if (report_page(q->sealed, http_language(x), &page, &err)) {
		buf_free(&page);
		http_reply_error(x, &err);
		return;
	}
	http_reply_header(x, "Content-Language", i18n_code(http_language(x)));
	http_reply_header(
	    x, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
	http_reply_buf(x, 200, "text/html; charset=utf-8", &page);
}

static void reply(struct exchange *x)
{
	const struct visit *v = visit_of(x);
	struct asking *q = v->more;
	const char *fault = q->of_replay ? q->replay.fault : q->subject.fault;

	http_reply_header(x, "Vary", "Accept, Accept-Language");
	if (q->next.data)
		http_reply_headerf(x, "Arkki-Next", "%s", q->next.data);
	if (q->status == ARK_EINPUT && fault)
		http_reply_problem(x, 422, "report", NULL,
		    json_pack("[{s:s,s:s,s:s}]", "field", fault, "code", "unknown", "detail",
			q->error.text));
	else if (q->status)
		http_reply_error(x, &q->error);
	else if (wants_page(x))
		reply_page(x, q);
	else
		http_reply_json(x, 200, json_incref(q->sealed));
}

static int make(struct asking *q, json_t **ret)
{
	char next[33], place[64];
	uint64_t index = 0;
	int rc;

	if (q->of_replay)
		rc = replay_make(q->app, q->receipt, &q->replay, ret, next, &q->error);
	else
		rc = subject_make(q->app, q->receipt, &q->subject, ret, next, &index, &q->error);
	if (rc || !*next)
		return rc;
	snprintf(place, sizeof(place), "%s%llu", next, (unsigned long long)index);
	cursor_write(q->app, q->of_replay ? "replay" : "subject", place, &q->next);
	return buf_failed(&q->next) ? ark_fail(&q->error, ARK_ENOMEM, "no memory for a cursor")
				    : ARK_OK;
}

/* `next` stands outside what is signed: it is of this archive's process, not of the report. */
static int make_sealed(struct asking *q)
{
	json_t *report = NULL;
	int rc = make(q, &report);

	if (!rc)
		rc = report_sign(q->app->archive, report, &q->sealed, &q->error);
	else
		json_decref(report);
	if (!rc && json_object_set_new(
		       q->sealed, "next", q->next.data ? json_string(q->next.data) : json_null()))
		rc = ark_fail(&q->error, ARK_ENOMEM, "no memory for a report");
	return rc;
}

static void work(void *arg)
{
	struct asking *q = arg;

	q->status = make_sealed(q);
}

static void logged(struct exchange *x)
{
	const struct visit *v = visit_of(x);
	struct asking *q = v->more;

	q->receipt = v->receipt;
	q->work = (struct past_work){.x = x, .app = q->app, .make = work, .arg = q};
	past_work_begin(&q->work, reply);
}

/* ---- the log ---- */

static void add_member(struct buf *out, const struct asking *q, const char *name)
{
	const char *value = given(q, name);

	if (!value)
		return;
	buf_addf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", name);
	json_quote(out, value);
}

static void write_detail(const struct asking *q, struct buf *out)
{
	static const char *const names[] = {
	    "org", "unit", "role", "at", "case", "document", "from", "to", "own"};

	buf_addf(out, "{\"report\":\"%s\"", q->of_replay ? "replay" : "subject");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !buf_failed(out); i++)
		add_member(out, q, names[i]);
	buf_addc(out, '}');
}

static void log_and_answer(struct exchange *x, struct visit *v, struct asking *q)
{
	struct ledger_record r = {
	    .kind = "audit", .principal = "operator", .authentication = "operator"};
	struct buf detail = BUF_INIT;

	if (v->caller)
		r = visit_record(v, "audit");
	write_detail(q, &detail);
	if (buf_failed(&detail)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else {
		r.detail = detail.data;
		visit_log(x, &r, 1, logged);
	}
	buf_free(&detail);
}

static void get_report(struct exchange *x, bool of_replay)
{
	struct visit *v = visit_of(x);
	struct ark_error err;
	struct asking *q;

	if (!v)
		return;
	if (v->caller && !caller_may(v->caller, ACCESS_AUDIT)) {
		visit_denied(x, "audit", "Reports on reads are for the Ombudsman's auditors.");
		return;
	}
	if (v->caller && !visit_stated_ok(x))
		return;
	q = asking_new(x, v, of_replay);
	if (!q || !read_query(q, v))
		return;
	if (!of_replay && subject_persons(q->app->archive, &q->subject.persons, &err))
		http_reply_error(x, &err);
	else
		log_and_answer(x, v, q);
}

void audit_replay(struct exchange *x)
{
	get_report(x, true);
}

void audit_subject(struct exchange *x)
{
	get_report(x, false);
}
