/* Entries of the access log as a table, and whether they are all. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/pages/audit.h"
#include "arkki/base/json.h"

static void number(const struct page *p, const json_t *of, const char *member, char out[I18N_SIZE])
{
	i18n_number(out, p->language, (uint64_t)json_integer_value(json_object_get(of, member)));
}

/* ---- are they all? ---- */

static void write_series(struct page *p, const json_t *range, bool own, bool ends)
{
	char first[I18N_SIZE], last[I18N_SIZE], of[I18N_SIZE], gap[I18N_SIZE];
	bool whole = json_integer_value(json_object_get(range, "first")) == 1 && ends;

	if (!range)
		return;
	number(p, range, "first", first);
	number(p, range, "last", last);
	number(p, range, "of", of);
	number(p, range, "gap", gap);
	html_raw(&p->h, "<p>");
	if (own)
		html_put(&p->h, "$ ", say(p, SAY_AUDIT_OWN_SERIES));
	if (!json_integer_value(json_object_get(range, "first"))) {
		html_text(&p->h, say(p, SAY_AUDIT_NEVER));
	} else if (json_integer_value(json_object_get(range, "gap"))) {
		page_say(p, SAY_AUDIT_RANGE, first, last, of);
		html_raw(&p->h, " <strong>");
		page_say(p, SAY_AUDIT_GAP, gap);
		html_raw(&p->h, "</strong>");
	} else {
		page_say(p, whole ? SAY_AUDIT_COMPLETE : SAY_AUDIT_RANGE, first, last, of);
		if (!whole)
			html_put(&p->h, " $", say(p, SAY_AUDIT_NO_GAP));
	}
	html_raw(&p->h, "</p>");
}

static void write_range(struct page *p, const json_t *answer)
{
	const json_t *range = json_object_get(answer, "range"),
		     *own = json_object_get(answer, "ownRange");
	size_t n = json_array_size(json_object_get(answer, "entries"));
	char count[I18N_SIZE];

	html_raw(&p->h, "<div class=\"complete\" role=\"status\">");
	if (json_is_true(json_object_get(answer, "cut")))
		html_put(&p->h, "<p><strong>$</strong></p>", say(p, SAY_AUDIT_CUT));
	if (range || own) {
		write_series(p, range, false, json_object_get(answer, "last") != NULL);
		write_series(p, own, true, json_object_get(answer, "ownLast") != NULL);
	} else {
		i18n_number(count, p->language, n);
		html_raw(&p->h, "<p>");
		page_say(p, i18n_plural(SAY_AUDIT_SHOWN, n), count);
		html_raw(&p->h, "</p>");
	}
	html_raw(&p->h, "</div>");
}

/* ---- the table ---- */

static void cell(struct page *p, enum say label)
{
	html_put(&p->h, "<td role=\"cell\" data-label=\"$\">", say(p, label));
}

static void write_who(struct page *p, const json_t *e)
{
	const char *who = json_text(e, "principal"), *org = json_text(e, "org");

	cell(p, SAY_AUDIT_WHO);
	if (who)
		page_name(p, "users", who);
	if (org) {
		html_raw(&p->h, "<span class=\"of\">");
		page_name(p, "orgs", org);
		html_raw(&p->h, "</span>");
	}
	html_raw(&p->h, "</td>");
}

static void write_what(struct page *p, const json_t *e)
{
	const char *kind = json_text(e, "kind"), *outcome = json_text(e, "outcome");
	const char *kind_said = audit_kind_said(p, kind),
		   *outcome_said = audit_outcome_said(p, outcome);
	bool ok = outcome && strcmp(outcome, "ok") == 0;

	cell(p, SAY_AUDIT_WHAT);
	html_text(&p->h, kind_said ? kind_said : kind);
	if (!ok && outcome)
		html_put(&p->h, ", <strong>$</strong>", outcome_said ? outcome_said : outcome);
	if (json_text(e, "query"))
		html_put(
		    &p->h, "<span class=\"of\" dir=\"auto\">”$”</span>", json_text(e, "query"));
	if (json_text(e, "breakGlass"))
		html_put(&p->h,
		    "<span class=\"of\"><strong>$</strong>: <span dir=\"auto\">$</span></span>",
		    say(p, SAY_AUDIT_EMERGENCY), json_text(e, "breakGlass"));
	html_raw(&p->h, "</td>");
}

/* "entry 3 of 17": how many there are is for who sees all of them. */
static void write_sequence(
    struct page *p, const json_t *e, const struct audit_titles *t, const char *document)
{
	bool own = json_text(e, "series") != NULL;
	char n[I18N_SIZE], of[I18N_SIZE];
	uint64_t all = 0;

	if (!json_object_get(e, "documentSequence"))
		return;
	if (caller_may(p->caller, ACCESS_AUDIT))
		all = audit_titles_of(p, t, document, own);
	number(p, e, "documentSequence", n);
	i18n_number(of, p->language, all);
	html_raw(&p->h, "<span class=\"of\">");
	if (all)
		page_say(p, own ? SAY_AUDIT_OWN_ENTRY_OF : SAY_AUDIT_ENTRY_OF, n, of);
	else
		page_say(p, SAY_AUDIT_ENTRY, n);
	html_raw(&p->h, "</span>");
}

static void write_document(struct page *p, const json_t *e, const struct audit_titles *t)
{
	const char *document = json_text(e, "document");
	char version[I18N_SIZE];

	cell(p, SAY_AUDIT_DOCUMENT);
	if (document) {
		audit_title_write(p, t, document);
		if (json_object_get(e, "version")) {
			number(p, e, "version", version);
			html_raw(&p->h, "<span class=\"of\">");
			page_say(p, SAY_VERSION_N, version);
			html_raw(&p->h, "</span>");
		}
		write_sequence(p, e, t, document);
	} else {
		html_raw(&p->h, "–");
	}
	html_raw(&p->h, "</td>");
}

static void write_why(struct page *p, const json_t *e)
{
	const char *purpose = json_text(e, "purpose"), *of_case = json_text(e, "case");
	json_t *record = NULL;
	const char *number_of = NULL;

	cell(p, SAY_AUDIT_WHY);
	if (of_case)
		record = registry_get(archive_registry(app_of(p->x)->archive), "cases", of_case);
	if (record && (caller_may(p->caller, ACCESS_AUDIT) || case_is_visible(p->x, record)))
		number_of = json_text(record, "diaryNumber");
	if (purpose)
		html_put(&p->h, "<span dir=\"auto\">$</span>", purpose);
	if (of_case)
		html_put(&p->h, "<span class=\"of\">$ $</span>", say(p, SAY_DIARY),
		    number_of ? number_of : of_case);
	if (!purpose && !of_case)
		html_raw(&p->h, "–");
	html_raw(&p->h, "</td>");
	json_decref(record);
}

static void write_entry(struct page *p, const json_t *e, const struct audit_titles *t)
{
	html_raw(&p->h, "<tr role=\"row\">");
	cell(p, SAY_AUDIT_WHEN);
	page_time(p, json_text(e, "time"));
	html_raw(&p->h, "</td>");
	write_who(p, e);
	write_what(p, e);
	write_document(p, e, t);
	write_why(p, e);
	html_raw(&p->h, "</tr>");
}

void audit_entries_write(struct page *p, const json_t *answer, const struct audit_titles *t)
{
	static const enum say heads[] = {
	    SAY_AUDIT_WHEN, SAY_AUDIT_WHO, SAY_AUDIT_WHAT, SAY_AUDIT_DOCUMENT, SAY_AUDIT_WHY};
	const json_t *entries = json_object_get(answer, "entries");

	html_put(&p->h, "<h2>$</h2>", say(p, SAY_AUDIT_FOUND));
	write_range(p, answer);
	if (!json_array_size(entries))
		return;
	html_put(&p->h,
	    "<table class=\"entries\" role=\"table\"><caption class=\"hidden\">$</caption>"
	    "<thead role=\"rowgroup\"><tr role=\"row\">",
	    say(p, SAY_AUDIT_FOUND));
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		html_put(&p->h, "<th role=\"columnheader\" scope=\"col\">$</th>", say(p, heads[i]));
	html_raw(&p->h, "</tr></thead><tbody role=\"rowgroup\">");
	for (size_t i = 0; i < json_array_size(entries); i++)
		write_entry(p, json_array_get(entries, i), t);
	html_raw(&p->h, "</tbody></table>");
}
