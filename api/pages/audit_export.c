/* Evidence to take along: asks for a package of a unit, a case or documents, and tells how far it is. */
#include <stdlib.h>
#include <string.h>

#include "api/pages/audit.h"
#include "arkki/base/json.h"

enum { IDS_MAX = 1000 };

/* ---- the form ---- */

static void write_area(struct page *p)
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"documents\">$</label><p class=\"hint\" "
	    "id=\"documents-help\">$</p><textarea id=\"documents\" name=\"documents\" rows=\"3\" "
	    "spellcheck=\"false\" aria-describedby=\"documents-help\">\n$</textarea></div>",
	    say(p, SAY_AUDIT_DOCUMENTS), say(p, SAY_AUDIT_DOCUMENTS_HELP),
	    http_form(p->x, "documents"));
}

static void write_form(struct page *p, const struct faults *f)
{
	struct exchange *x = p->x;
	const char *unit = http_form(x, "unit"), *of_case = http_form(x, "case");

	html_put(&p->h,
	    "<h2>$</h2><form class=\"stack\" method=\"post\" action=\"/$/audit/export\" "
	    "novalidate>",
	    say(p, SAY_EXPORT_NEW), i18n_code(p->language));
	page_form_field(p, "export");
	audit_field(
	    p, "unit", SAY_UNIT, SAY_AUDIT_NAME_HELP, unit ? unit : http_query(x, "unit"), f);
	audit_field(p, "case", SAY_AUDIT_OR_CASE, SAY_AUDIT_CASE_HELP,
	    of_case ? of_case : http_query(x, "case"), f);
	write_area(p);
	audit_field(p, "purpose", SAY_PURPOSE, SAY_EXPORT_PURPOSE_HELP, http_form(x, "purpose"), f);
	html_put(&p->h,
	    "<fieldset><legend>$</legend><div class=\"choice\"><input type=\"radio\" id=\"newest\" "
	    "name=\"versions\" value=\"newest\"><label for=\"newest\">$</label></div><div "
	    "class=\"choice\"><input type=\"radio\" id=\"all\" name=\"versions\" value=\"all\" "
	    "checked><label "
	    "for=\"all\">$</label></div></fieldset><div><button>$</button></div></form>",
	    say(p, SAY_VERSIONS), say(p, SAY_EXPORT_NEWEST), say(p, SAY_EXPORT_ALL),
	    say(p, SAY_EXPORT_DO));
}

/* ---- what was asked for ---- */

static enum say state_said(const char *state)
{
	if (strcmp(state, "ready") == 0)
		return SAY_EXPORT_READY;
	if (strcmp(state, "failed") == 0)
		return SAY_EXPORT_FAILED;
	return strcmp(state, "running") == 0 ? SAY_EXPORT_RUNNING : SAY_EXPORT_WAITING;
}

static void write_job(struct page *p, const json_t *job)
{
	const char *state = json_text(job, "state"), *id = json_text(job, "id");
	char done[I18N_SIZE], of[I18N_SIZE], withheld[I18N_SIZE], bytes[I18N_SIZE];

	i18n_number(done, p->language, (uint64_t)json_integer_value(json_object_get(job, "done")));
	i18n_number(
	    of, p->language, (uint64_t)json_integer_value(json_object_get(job, "versions")));
	i18n_number(
	    withheld, p->language, (uint64_t)json_integer_value(json_object_get(job, "withheld")));
	html_raw(&p->h, "<li class=\"hit\"><h3>");
	page_time(p, json_text(job, "createdAt"));
	html_put(&p->h, "</h3><p><strong>$</strong> ", say(p, state_said(state)));
	page_say(p, SAY_EXPORT_DONE, done, of);
	if (strcmp(withheld, "0") != 0) {
		html_raw(&p->h, " ");
		page_say(p, SAY_EXPORT_WITHHELD, withheld);
	}
	html_raw(&p->h, "</p>");
	if (strcmp(state, "ready") == 0) {
		i18n_bytes(
		    bytes, p->language, (uint64_t)json_integer_value(json_object_get(job, "size")));
		html_put(&p->h,
		    "<p><a class=\"button\" href=\"/$/audit/export/$/package\" download>$ "
		    "($)</a></p>",
		    i18n_code(p->language), id, say(p, SAY_EXPORT_FETCH), bytes);
	} else if (strcmp(state, "failed") != 0) {
		html_put(&p->h, "<p><a href=\"/$/audit/export\">$</a></p>", i18n_code(p->language),
		    say(p, SAY_EXPORT_RELOAD));
	}
	html_raw(&p->h, "</li>");
}

static void write_jobs(struct page *p)
{
	json_t *jobs = exports_own(p->x), *job;
	size_t i;

	if (json_array_size(jobs)) {
		html_put(&p->h, "<h2>$</h2><ul class=\"hits\">", say(p, SAY_EXPORT_OWN));
		json_array_foreach(jobs, i, job)
		{
			write_job(p, job);
		}
		html_raw(&p->h, "</ul>");
	}
	json_decref(jobs);
}

static void show(struct exchange *x, const struct faults *f)
{
	struct page p;

	audit_begin(&p, x, SAY_AUDIT_EXPORT, "/audit/export", f);
	html_put(&p.h, "<p>$</p>", say(&p, SAY_EXPORT_WHAT));
	write_jobs(&p);
	write_form(&p, f);
	page_end(&p, f && f->n ? 422 : 200);
}

void page_audit_export(struct exchange *x)
{
	if (audit_permitted(x, true))
		show(x, NULL);
}

void page_audit_package(struct exchange *x)
{
	if (audit_permitted(x, true))
		exports_content(x);
}

/* ---- asking for one ---- */

/* Each 32 hex digits in it are an id: ids and addresses, in lines or with anything between. NULL: there are none. */
static json_t *read_ids(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	json_t *ids = NULL;

	for (const char *at = text ? text : ""; *at && json_array_size(ids) < IDS_MAX;) {
		size_t n = strspn(at, digits);

		if (n == 32) {
			ids = ids ? ids : json_array();
			json_array_append_new(ids, json_stringn(at, 32));
		}
		at += n ? n : 1;
	}
	return ids;
}

/* The request's body; NULL: something is wrong. */
static json_t *read_form(struct exchange *x, struct faults *f)
{
	const char *purpose = http_form(x, "purpose"), *versions = http_form(x, "versions"),
		   *documents = http_form(x, "documents");
	json_t *ids = read_ids(documents);
	char unit[65], of_case[65];
	bool ok = audit_record_typed(x, "unit", "units", unit, f);
	bool newest = versions && strcmp(versions, "newest") == 0;
	json_t *body = NULL;

	ok &= audit_record_typed(x, "case", "cases", of_case, f);
	if (ok && documents && *documents && !ids && documents[strspn(documents, " \r\n\t")])
		fault_add(f, "documents", form_said(x, SAY_AUDIT_DOCUMENT_WRONG));
	else if (ok && !ids && !*unit && !*of_case)
		fault_add(f, "unit", form_said(x, SAY_EXPORT_NOTHING));
	else if (ok && ids && (*unit || *of_case))
		fault_add(f, "documents", form_said(x, SAY_EXPORT_EITHER));
	if (!f->n)
		body = json_pack("{s:s*,s:s*,s:O*,s:s*,s:s}", "unit", *unit ? unit : NULL, "case",
		    *of_case ? of_case : NULL, "documents", ids, "purpose",
		    purpose && *purpose ? purpose : NULL, "versions", newest ? "newest" : "all");
	json_decref(ids);
	return body;
}

void page_audit_export_post(struct exchange *x)
{
	json_t *body, *errors = NULL;
	struct faults f = {0};
	struct ark_error err;
	int rc = ARK_EINPUT;

	if (!audit_permitted(x, true))
		return;
	if (!page_form_sent(x, "export")) {
		fault_add(&f, "unit", form_said(x, SAY_FORM_OLD));
		show(x, &f);
		return;
	}
	body = read_form(x, &f);
	if (body)
		rc = exports_ask(x, body, &errors, &err);
	if (!rc)
		form_go(x, "/audit/export");
	else if (rc == ARK_ECONFLICT)
		fault_add(&f, "unit", form_said(x, SAY_EXPORT_MANY));
	else if (rc == ARK_EINPUT && !f.n)
		fault_add(&f, "purpose", form_said(x, SAY_PURPOSE_WRONG));
	else if (rc != ARK_EINPUT)
		http_reply_error(x, &err);
	if (f.n)
		show(x, &f);
	json_decref(errors);
	json_decref(body);
}
