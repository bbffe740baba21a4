/* The two signed reports: what an organisation could and did know at a time, and who processed a matter and why. What is
 * typed is checked here; the report is that of the API, as a page or as JSON. */
#include <stdio.h>
#include <string.h>

#include "api/pages/audit.h"
#include "arkki/base/clock.h"

static void write_format(struct page *p, const char *which)
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"$-format\">$</label><select id=\"$-format\" "
	    "name=\"format\"><option value=\"html\">$</option><option "
	    "value=\"json\">$</option></select></div>",
	    which, say(p, SAY_AUDIT_FORMAT), which, say(p, SAY_AUDIT_FORMAT_HTML),
	    say(p, SAY_AUDIT_FORMAT_JSON));
}

static const char *typed(const struct page *p, const char *report, const char *name)
{
	const char *of = http_query(p->x, "report");

	return of && strcmp(of, report) == 0 ? http_query(p->x, name) : NULL;
}

static void write_begin(struct page *p, const char *report, enum say heading, enum say what)
{
	html_put(&p->h,
	    "<h2>$</h2><p>$</p><form class=\"search\" method=\"get\" action=\"/$/audit/past\" "
	    "novalidate><input type=\"hidden\" name=\"report\" value=\"$\"><div class=\"fields\">",
	    say(p, heading), say(p, what), i18n_code(p->language), report);
}

static void write_end(struct page *p, enum say act)
{
	html_put(&p->h, "</div><p class=\"do\"><button>$</button></p></form>", say(p, act));
}

static void show(struct exchange *x, const struct faults *f)
{
	struct page p;

	audit_begin(&p, x, SAY_AUDIT_PAST, "/audit/past", f);
	write_begin(&p, "replay", SAY_AUDIT_REPLAY, SAY_AUDIT_REPLAY_WHAT);
	audit_field(&p, "organisation", SAY_ORGANISATION, SAY_AUDIT_NAME_HELP,
	    typed(&p, "replay", "organisation"), f);
	audit_field(&p, "unit", SAY_UNIT, SAY_AUDIT_NAME_HELP, typed(&p, "replay", "unit"), f);
	audit_field(&p, "on", SAY_AUDIT_DAY, SAY_DATE_HELP, typed(&p, "replay", "on"), f);
	audit_field(
	    &p, "time", SAY_AUDIT_MINUTE, SAY_AUDIT_MINUTE_HELP, typed(&p, "replay", "time"), f);
	write_format(&p, "replay");
	write_end(&p, SAY_AUDIT_MAKE);
	write_begin(&p, "subject", SAY_AUDIT_SUBJECT, SAY_AUDIT_SUBJECT_WHAT);
	audit_field(&p, "document", SAY_AUDIT_DOCUMENT, SAY_AUDIT_DOCUMENT_HELP,
	    typed(&p, "subject", "document"), f);
	audit_field(
	    &p, "case", SAY_AUDIT_OR_CASE, SAY_AUDIT_CASE_HELP, typed(&p, "subject", "case"), f);
	audit_field(&p, "of-unit", SAY_AUDIT_OR_UNIT, SAY_AUDIT_NAME_HELP,
	    typed(&p, "subject", "of-unit"), f);
	audit_field(&p, "from", SAY_AUDIT_FROM, SAY_DATE_HELP, typed(&p, "subject", "from"), f);
	audit_field(&p, "to", SAY_AUDIT_TO, SAY_DATE_HELP, typed(&p, "subject", "to"), f);
	write_format(&p, "subject");
	write_end(&p, SAY_AUDIT_MAKE);
	page_end(&p, f && f->n ? 422 : 200);
}

/* ---- on to the report ---- */

static void add_time(struct buf *url, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (!time_us)
		return;
	clock_format(text, time_us);
	url_add(url, name, text);
}

static void go(struct exchange *x, struct buf *url)
{
	const char *format = http_query(x, "format");

	url_add(url, "format", format && strcmp(format, "json") == 0 ? "json" : "html");
	if (buf_failed(url))
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else
		form_go(x, url->data);
	buf_free(url);
}

static void need(struct exchange *x, struct faults *f, const char *field, const char *value)
{
	if (!*value && !f->n)
		fault_add(f, field, form_said(x, SAY_AUDIT_MISSING));
}

static void go_replay(struct exchange *x)
{
	char org[65], unit[65];
	struct buf url = BUF_INIT;
	struct faults f = {0};
	int64_t at;

	if (audit_record_typed(x, "organisation", "orgs", org, &f))
		need(x, &f, "organisation", org);
	if (audit_record_typed(x, "unit", "units", unit, &f))
		need(x, &f, "unit", unit);
	if (audit_minute_typed(x, "on", "time", &at, &f))
		need(x, &f, "on", at ? "given" : "");
	if (f.n) {
		show(x, &f);
		return;
	}
	buf_adds(&url, "/audit/past/replay");
	url_add(&url, "org", org);
	url_add(&url, "unit", unit);
	/* a day that is not over yet: as of now */
	add_time(&url, "at", at > clock_now_us() ? clock_now_us() : at);
	go(x, &url);
}

static void go_subject(struct exchange *x)
{
	char document[33], of_case[65], unit[65];
	struct buf url = BUF_INIT;
	struct faults f = {0};
	int64_t from, to;
	bool ok = audit_document_typed(x, "document", document, &f);

	ok &= audit_record_typed(x, "case", "cases", of_case, &f);
	ok &= audit_record_typed(x, "of-unit", "units", unit, &f);
	ok &= audit_day_typed(x, "from", false, &from, &f);
	ok &= audit_day_typed(x, "to", true, &to, &f);
	if (ok && !*document + !*of_case + !*unit != 2)
		fault_add(&f, "document", form_said(x, SAY_AUDIT_ONE_OF_THREE));
	if (f.n) {
		show(x, &f);
		return;
	}
	buf_adds(&url, "/audit/past/subject");
	url_add(&url, "document", document);
	url_add(&url, "case", of_case);
	url_add(&url, "unit", unit);
	add_time(&url, "from", from);
	add_time(&url, "to", to);
	go(x, &url);
}

void page_audit_past(struct exchange *x)
{
	const char *report = http_query(x, "report");

	if (!audit_permitted(x, true))
		return;
	if (report && strcmp(report, "replay") == 0)
		go_replay(x);
	else if (report && strcmp(report, "subject") == 0)
		go_subject(x);
	else
		show(x, NULL);
}

void page_audit_replay(struct exchange *x)
{
	if (audit_permitted(x, true))
		audit_replay(x);
}

void page_audit_subject(struct exchange *x)
{
	if (audit_permitted(x, true))
		audit_subject(x);
}
