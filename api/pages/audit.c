/* Who did what: the entries of the access log that were asked for, with what tells whether they are all. */
#include <stdlib.h>
#include <string.h>

#include "api/audit_find.h"
#include "api/pages/audit.h"
#include "arkki/base/json.h"

enum { ENTRIES_A_PAGE = 40 };

static const char *const asked_names[] = {
    "document", "person", "organisation", "unit", "case", "from", "to", "kind", "outcome"};

struct shown { /* the visit's `more` */
	json_t *answer;
	struct audit_titles titles;
};

static void shown_free(void *arg)
{
	struct shown *s = arg;

	json_decref(s->answer);
	audit_titles_free(&s->titles);
	free(s);
}

static bool is_asked(const struct exchange *x)
{
	for (size_t i = 0; i < sizeof(asked_names) / sizeof(*asked_names); i++) {
		const char *text = http_query(x, asked_names[i]);

		if (text && *text)
			return true;
	}
	return http_query(x, "all") != NULL;
}

/* ---- the form ---- */

static void write_select(struct page *p, const char *name, enum say label,
    void (*options)(struct page *p, const char *chosen))
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"$\">$</label><select id=\"$\" name=\"$\">", name,
	    say(p, label), name, name);
	options(p, http_query(p->x, name));
	html_raw(&p->h, "</select></div>");
}

static void write_form(struct page *p, const struct faults *f)
{
	struct exchange *x = p->x;

	html_put(&p->h,
	    "<form class=\"search\" method=\"get\" action=\"/$/audit\" novalidate>"
	    "<input type=\"hidden\" name=\"all\" value=\"1\"><div class=\"fields\">",
	    i18n_code(p->language));
	audit_field(p, "document", SAY_AUDIT_DOCUMENT, SAY_AUDIT_DOCUMENT_HELP,
	    http_query(x, "document"), f);
	audit_field(
	    p, "person", SAY_AUDIT_PERSON, SAY_AUDIT_PERSON_HELP, http_query(x, "person"), f);
	audit_field(p, "organisation", SAY_ORGANISATION, SAY_AUDIT_NAME_HELP,
	    http_query(x, "organisation"), f);
	audit_field(p, "unit", SAY_UNIT, SAY_AUDIT_NAME_HELP, http_query(x, "unit"), f);
	audit_field(p, "case", SAY_AUDIT_CASE, SAY_AUDIT_CASE_HELP, http_query(x, "case"), f);
	audit_field(p, "from", SAY_AUDIT_FROM, SAY_DATE_HELP, http_query(x, "from"), f);
	audit_field(p, "to", SAY_AUDIT_TO, SAY_DATE_HELP, http_query(x, "to"), f);
	write_select(p, "kind", SAY_AUDIT_WHAT, audit_kind_options);
	write_select(p, "outcome", SAY_AUDIT_OUTCOME, audit_outcome_options);
	html_put(
	    &p->h, "</div><p class=\"do\"><button>$</button></p></form>", say(p, SAY_AUDIT_DO));
}

/* ---- the answer ---- */

static void write_next(struct page *p, const char *next)
{
	struct buf url = BUF_INIT;

	if (!next)
		return;
	buf_addf(&url, "/%s/audit?all=1", i18n_code(p->language));
	for (size_t i = 0; i < sizeof(asked_names) / sizeof(*asked_names); i++)
		url_add(&url, asked_names[i], http_query(p->x, asked_names[i]));
	url_add(&url, "cursor", next);
	html_put(&p->h,
	    "<nav class=\"turn\" aria-label=\"$\"><p><a rel=\"next\" href=\"$\">$</a></p></nav>",
	    say(p, SAY_PAGES), url.data, say(p, SAY_AUDIT_NEXT));
	buf_free(&url);
}

static void show_page(struct exchange *x)
{
	const struct shown *s = visit_of(x)->more;
	struct page p;

	audit_begin(&p, x, SAY_AUDIT_ENTRIES, "/audit", NULL);
	write_form(&p, NULL);
	audit_entries_write(&p, s->answer, &s->titles);
	write_next(&p, json_text(s->answer, "next"));
	page_end(&p, 200);
}

static void show_entries(struct exchange *x, json_t *answer)
{
	struct visit *v = visit_of(x);
	struct shown *s = calloc(1, sizeof(*s));
	const json_t *entries = json_object_get(answer, "entries");
	struct ark_error err;
	int rc = ARK_OK;

	if (!s) {
		json_decref(answer);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	s->answer = answer;
	v->more_free(v->more);
	v->more = s;
	v->more_free = shown_free;
	for (size_t i = 0; !rc && i < json_array_size(entries); i++)
		rc = audit_titles_add(
		    v, &s->titles, json_text(json_array_get(entries, i), "document"), &err);
	if (rc)
		http_reply_error(x, &err);
	else
		audit_titles_log(x, &s->titles, show_page);
}

static void show_form(struct exchange *x, const struct faults *f)
{
	struct page p;

	audit_begin(&p, x, SAY_AUDIT_ENTRIES, "/audit", f);
	write_form(&p, f);
	page_end(&p, f && f->n ? 422 : 200);
}

static void find(struct exchange *x)
{
	char document[33], person[65], org[65], unit[65], of_case[65];
	struct audit_asked asked = {.document = document,
	    .principal = person,
	    .org = org,
	    .unit = unit,
	    .case_id = of_case,
	    .kind = http_query(x, "kind"),
	    .outcome = http_query(x, "outcome"),
	    .cursor = http_query(x, "cursor"),
	    .limit = ENTRIES_A_PAGE};
	struct faults f = {0};
	bool ok = audit_document_typed(x, "document", document, &f);

	ok &= audit_record_typed(x, "person", "users", person, &f);
	ok &= audit_record_typed(x, "organisation", "orgs", org, &f);
	ok &= audit_record_typed(x, "unit", "units", unit, &f);
	ok &= audit_record_typed(x, "case", "cases", of_case, &f);
	ok &= audit_day_typed(x, "from", false, &asked.from_us, &f);
	ok &= audit_day_typed(x, "to", true, &asked.to_us, &f);
	if (ok)
		audit_find(x, LEDGER_ACCESS, &asked, show_entries);
	else
		show_form(x, &f);
}

void page_audit(struct exchange *x)
{
	if (!audit_permitted(x, false))
		return;
	if (is_asked(x))
		find(x);
	else
		show_form(x, NULL);
}
