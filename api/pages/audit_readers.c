/* Who read and who did not: of each document of a unit, or of one. */
#include <stdlib.h>
#include <string.h>

#include "api/audit_readers.h"
#include "api/past_work.h"
#include "api/pages/audit.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct asking { /* the visit's `more` */
	struct exchange *x;
	struct app *app;
	struct readers_ask ask;
	char document[33], unit[65];
	const struct receipt *receipt;
	json_t *answer;
	int status;
	struct ark_error error;
	struct past_work work;
};

static void asking_free(void *arg)
{
	struct asking *q = arg;

	past_work_end(&q->work);
	json_decref(q->answer);
	free(q);
}

static void write_form(struct page *p, const struct faults *f)
{
	struct exchange *x = p->x;

	html_put(&p->h,
	    "<form class=\"search\" method=\"get\" action=\"/$/audit/readers\" novalidate>"
	    "<div class=\"fields\">",
	    i18n_code(p->language));
	audit_field(p, "document", SAY_AUDIT_DOCUMENT, SAY_AUDIT_DOCUMENT_HELP,
	    http_query(x, "document"), f);
	audit_field(p, "unit", SAY_AUDIT_OR_UNIT, SAY_AUDIT_NAME_HELP, http_query(x, "unit"), f);
	audit_field(p, "on", SAY_AUDIT_DAY, SAY_AUDIT_DAY_HELP, http_query(x, "on"), f);
	audit_field(p, "time", SAY_AUDIT_MINUTE, SAY_AUDIT_MINUTE_HELP, http_query(x, "time"), f);
	html_put(&p->h, "</div><p class=\"do\"><button>$</button></p></form>",
	    say(p, SAY_AUDIT_READERS_DO));
}

static void show_form(struct exchange *x, const struct faults *f)
{
	struct page p;

	audit_begin(&p, x, SAY_AUDIT_READERS, "/audit/readers", f);
	html_put(&p.h, "<p>$</p>", say(&p, SAY_AUDIT_READERS_WHAT));
	write_form(&p, f);
	page_end(&p, f && f->n ? 422 : 200);
}

/* ---- the answer ---- */

static bool is(const json_t *reader, const char *verdict)
{
	return strcmp(json_text(reader, "verdict"), verdict) == 0;
}

static void write_summary(struct page *p, const json_t *answer)
{
	char could[I18N_SIZE], did[I18N_SIZE];
	json_t *org;
	size_t i;

	html_put(&p->h,
	    "<table class=\"entries\" role=\"table\"><caption>$</caption><thead "
	    "role=\"rowgroup\"><tr "
	    "role=\"row\"><th role=\"columnheader\" scope=\"col\">$</th><th role=\"columnheader\" "
	    "scope=\"col\">$</th><th role=\"columnheader\" scope=\"col\">$</th></tr></thead><tbody "
	    "role=\"rowgroup\">",
	    say(p, SAY_AUDIT_BY_ORG), say(p, SAY_ORGANISATION), say(p, SAY_AUDIT_COULD),
	    say(p, SAY_AUDIT_DID));
	json_array_foreach(json_object_get(answer, "orgs"), i, org)
	{
		i18n_number(could, p->language,
		    (uint64_t)json_integer_value(json_object_get(org, "could")));
		i18n_number(
		    did, p->language, (uint64_t)json_integer_value(json_object_get(org, "did")));
		html_put(&p->h, "<tr role=\"row\"><td role=\"cell\" data-label=\"$\">",
		    say(p, SAY_ORGANISATION));
		page_name(p, "orgs", json_text(org, "id"));
		html_put(&p->h,
		    "</td><td role=\"cell\" data-label=\"$\">$</td><td role=\"cell\" "
		    "data-label=\"$\">$</td></tr>",
		    say(p, SAY_AUDIT_COULD), could, say(p, SAY_AUDIT_DID), did);
	}
	html_raw(&p->h, "</tbody></table>");
}

static void write_reader(struct page *p, const json_t *reader, const char *document)
{
	const char *first = json_text(reader, "first"), *last = json_text(reader, "last");
	const char *id = json_text(reader, "id");
	uint64_t times = (uint64_t)json_integer_value(json_object_get(reader, "times"));
	char count[I18N_SIZE];

	html_raw(&p->h, "<li>");
	page_name(p, "orgs", id);
	if (first) {
		i18n_number(count, p->language, times);
		html_put(&p->h, ": $ ", say(p, SAY_AUDIT_FIRST));
		page_time(p, first);
		if (times > 1) {
			html_put(&p->h, ", $ ", say(p, SAY_AUDIT_LAST));
			page_time(p, last);
		}
		html_raw(&p->h, " (");
		page_say(p, i18n_plural(SAY_AUDIT_TIMES, times), count);
		html_put(&p->h,
		    ") <a href=\"/$/audit?document=$&amp;organisation=$\">$<span "
		    "class=\"hidden\">: ",
		    i18n_code(p->language), document, id, say(p, SAY_AUDIT_SEE_ENTRIES));
		page_name(p, "orgs", id);
		html_raw(&p->h, "</span></a>");
	}
	html_raw(&p->h, "</li>");
}

static void write_verdict(
    struct page *p, const json_t *document, const char *verdict, enum say heading)
{
	const json_t *orgs = json_object_get(document, "orgs");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(orgs); i++) {
		const json_t *reader = json_array_get(orgs, i);

		if (!is(reader, verdict))
			continue;
		if (!n++)
			html_put(&p->h, "<h4>$</h4><ul class=\"readers\">", say(p, heading));
		write_reader(p, reader, json_text(document, "id"));
	}
	if (n)
		html_raw(&p->h, "</ul>");
}

static void write_document(struct page *p, const json_t *document)
{
	const char *id = json_text(document, "id"), *title = json_text(document, "title");

	html_put(&p->h,
	    "<section class=\"read-by\"><h3><a href=\"/$/documents/$\" dir=\"auto\">$</a></h3>",
	    i18n_code(p->language), id, title ? title : id);
	write_verdict(p, document, "could-and-did", SAY_AUDIT_READ);
	write_verdict(p, document, "could-and-did-not", SAY_AUDIT_READ_NOT);
	write_verdict(p, document, "could-not-but-did", SAY_AUDIT_READ_ODD);
	write_verdict(p, document, "could-not", SAY_AUDIT_READ_NEVER);
	html_raw(&p->h, "</section>");
}

static void write_next(struct page *p, const struct asking *q)
{
	const char *next = json_text(q->answer, "next");
	struct buf url = BUF_INIT;

	if (!next)
		return;
	buf_addf(&url, "/%s/audit/readers", i18n_code(p->language));
	url_add(&url, "unit", q->unit);
	url_add(&url, "on", http_query(p->x, "on"));
	url_add(&url, "time", http_query(p->x, "time"));
	url_add(&url, "after", next);
	html_put(&p->h, "<p><a rel=\"next\" href=\"$\">$</a></p>", url.data, say(p, SAY_NEXT));
	buf_free(&url);
}

static void write_answer(struct page *p, const struct asking *q)
{
	const json_t *documents = json_object_get(q->answer, "documents");
	json_t *document;
	size_t i;

	html_put(&p->h, "<h2>$ ", say(p, SAY_AUDIT_AT));
	page_time(p, json_text(q->answer, "at"));
	html_raw(&p->h, "</h2><p>");
	page_name(p, "units", json_text(q->answer, "unit"));
	html_raw(&p->h, "</p>");
	if (!json_array_size(documents)) {
		html_put(&p->h, "<p>$</p>", say(p, SAY_AUDIT_NO_DOCUMENTS));
		return;
	}
	if (json_is_true(json_object_get(q->answer, "cut")))
		html_put(&p->h, "<p><strong>$</strong></p>", say(p, SAY_AUDIT_ORGS_CUT));
	if (!*q->document)
		write_summary(p, q->answer);
	json_array_foreach(documents, i, document)
	{
		write_document(p, document);
	}
	write_next(p, q);
}

static void reply(struct exchange *x)
{
	const struct asking *q = visit_of(x)->more;
	const char *fault = q->ask.fault;
	struct faults f = {0};
	struct page p;

	if (q->status && fault) {
		fault_add(&f, strcmp(fault, "at") == 0 ? "on" : fault,
		    form_said(
			x, strcmp(fault, "at") == 0 ? SAY_AUDIT_BEFORE_ALL : SAY_AUDIT_UNKNOWN));
		show_form(x, &f);
	} else if (q->status) {
		http_reply_error(x, &q->error);
	} else {
		audit_begin(&p, x, SAY_AUDIT_READERS, "/audit/readers", NULL);
		write_form(&p, NULL);
		write_answer(&p, q);
		page_end(&p, 200);
	}
}

static void work(void *arg)
{
	struct asking *q = arg;

	q->status = readers_make(q->app, q->receipt, &q->ask, &q->answer, &q->error);
}

static void logged(struct exchange *x)
{
	struct asking *q = visit_of(x)->more;

	q->receipt = visit_of(x)->receipt;
	q->work = (struct past_work){.x = x, .app = q->app, .make = work, .arg = q};
	past_work_begin(&q->work, reply);
}

static void log_and_answer(struct exchange *x, const struct asking *q)
{
	struct ledger_record r = visit_record(visit_of(x), "audit");
	struct buf detail = BUF_INIT;
	char at[CLOCK_TEXT_SIZE];

	clock_format(at, q->ask.at_us);
	buf_addf(&detail, "{\"report\":\"readers\",\"at\":\"%s\",\"%s\":", at,
	    *q->document ? "document" : "unit");
	json_quote(&detail, *q->document ? q->document : q->unit);
	buf_addc(&detail, '}');
	r.detail = detail.data;
	if (buf_failed(&detail))
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else
		visit_log(x, &r, 1, logged);
	buf_free(&detail);
}

/* False: something is wrong. */
static bool read_asked(struct exchange *x, struct asking *q, struct faults *f)
{
	const char *after = http_query(x, "after");
	int64_t now = clock_now_us();
	bool ok = audit_document_typed(x, "document", q->document, f);

	ok &= audit_record_typed(x, "unit", "units", q->unit, f);
	ok &= audit_minute_typed(x, "on", "time", &q->ask.at_us, f);
	if (ok && !*q->document && !*q->unit)
		fault_add(f, "document", form_said(x, SAY_AUDIT_NEITHER));
	if (!q->ask.at_us || q->ask.at_us > now)
		q->ask.at_us = now;
	if (after && docid_valid(after))
		memcpy(q->ask.after, after, sizeof(q->ask.after));
	q->ask.document = *q->document ? q->document : NULL;
	q->ask.unit = *q->document ? NULL : q->unit;
	q->ask.by = caller_of(x)->who->access.user;
	return f->n == 0;
}

void page_audit_readers(struct exchange *x)
{
	const char *document = http_query(x, "document"), *unit = http_query(x, "unit");
	struct faults f = {0};
	struct asking *q;

	if (!audit_permitted(x, true))
		return;
	if (!document && !unit) {
		show_form(x, NULL);
		return;
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	q->x = x;
	q->app = app_of(x);
	visit_of(x)->more = q;
	visit_of(x)->more_free = asking_free;
	if (read_asked(x, q, &f))
		log_and_answer(x, q);
	else
		show_form(x, &f);
}
