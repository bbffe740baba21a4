/* "Try as this user": who may do what with which document, and why. */
#include <string.h>

#include "api/pages/administration.h"
#include "api/handlers.h"
#include "api/pages/audit.h"
#include "arkki/base/json.h"

static const enum say actions[ACCESS_ACTIONS] = {
    [ACCESS_LIST] = SAY_ACT_LIST,
    [ACCESS_READ] = SAY_ACT_READ,
    [ACCESS_READ_CONTENT] = SAY_ACT_READ_CONTENT,
    [ACCESS_READ_PUBLIC] = SAY_ACT_READ_PUBLIC,
    [ACCESS_FILE] = SAY_ACT_FILE,
    [ACCESS_AMEND] = SAY_ACT_AMEND,
    [ACCESS_REDACT] = SAY_ACT_REDACT,
    [ACCESS_ORDER] = SAY_ACT_ORDER,
    [ACCESS_NOTIFY] = SAY_ACT_NOTIFY,
    [ACCESS_HOLD] = SAY_ACT_HOLD,
    [ACCESS_DISPOSE] = SAY_ACT_DISPOSE,
    [ACCESS_AUDIT] = SAY_ACT_AUDIT,
    [ACCESS_AUDIT_OWN] = SAY_ACT_AUDIT_OWN,
    [ACCESS_ADMINISTER] = SAY_ACT_ADMINISTER,
};

static const char *typed(const struct page *p, const char *name)
{
	return http_form(p->x, name);
}

static void write_actions(struct page *p)
{
	const char *chosen = typed(p, "action");

	html_put(&p->h,
	    "<div class=\"field\"><label for=\"action\">$</label><select id=\"action\" "
	    "name=\"action\">",
	    say(p, SAY_TRY_ACTION));
	for (unsigned int a = 0; a < ACCESS_ACTIONS; a++) {
		const char *name = access_action_name((enum access_action)a);

		html_put(&p->h, "<option value=\"$\"", name);
		if (chosen ? strcmp(chosen, name) == 0 : a == ACCESS_READ_CONTENT)
			html_raw(&p->h, " selected");
		html_put(&p->h, ">$</option>", say(p, actions[a]));
	}
	html_raw(&p->h, "</select></div>");
}

static void write_form(struct page *p, const struct faults *f)
{
	html_put(&p->h,
	    "<form class=\"search\" method=\"post\" action=\"/$/admin/try\" novalidate><div "
	    "class=\"fields\">",
	    i18n_code(p->language));
	page_form_field(p, "try");
	audit_field(p, "user", SAY_AUDIT_PERSON, SAY_AUDIT_PERSON_HELP, typed(p, "user"), f);
	write_actions(p);
	audit_field(
	    p, "document", SAY_AUDIT_DOCUMENT, SAY_AUDIT_DOCUMENT_HELP, typed(p, "document"), f);
	audit_field(p, "purpose", SAY_PURPOSE, SAY_TRY_SUPPOSED, typed(p, "purpose"), f);
	audit_field(p, "case", SAY_AUDIT_CASE, SAY_AUDIT_CASE_HELP, typed(p, "case"), f);
	html_put(&p->h, "</div><p class=\"do\"><button>$</button></p></form>", say(p, SAY_TRY_DO));
}

/* ---- the decision ---- */

static enum say outcome_said(const char *outcome)
{
	if (strcmp(outcome, "permit") == 0)
		return SAY_TRY_PERMIT;
	return strcmp(outcome, "needs-purpose") == 0 ? SAY_TRY_PURPOSE : SAY_TRY_DENY;
}

static void write_answer(struct page *p, const json_t *answer)
{
	const json_t *policies = json_object_get(answer, "policies");
	json_t *rule;
	size_t i;

	html_put(&p->h,
	    "<section role=\"status\"><h2>$</h2><p class=\"note\"><strong>$</strong></p>",
	    say(p, SAY_TRY_DECISION), say(p, outcome_said(json_text(answer, "outcome"))));
	html_raw(&p->h, "<p>");
	page_name(p, "users", json_text(answer, "user"));
	html_put(&p->h, ", $ ", say(p, SAY_AUDIT_AT));
	page_time(p, json_text(answer, "at"));
	html_raw(&p->h, "</p>");
	if (json_array_size(policies)) {
		html_put(&p->h, "<h3>$</h3><ul>", say(p, SAY_TRY_RULES));
		json_array_foreach(policies, i, rule)
		{
			bool forbids = strcmp(json_text(rule, "effect"), "forbid") == 0;

			html_put(&p->h, "<li><strong>$</strong> $ <code>$</code> ",
			    say(p, forbids ? SAY_RULE_FORBIDS : SAY_RULE_PERMITS),
			    json_text(rule, "sentence"), json_text(rule, "id"));
			page_statute(p, json_text(rule, "statute"));
			html_raw(&p->h, "</li>");
		}
		html_raw(&p->h, "</ul>");
	}
	html_raw(&p->h, "</section>");
}

static void show(struct exchange *x, const json_t *answer, const struct faults *f)
{
	struct page p;

	administration_begin(&p, x, SAY_ADMIN_TRY, "/admin/try", f);
	html_put(&p.h, "<p>$</p>", say(&p, SAY_TRY_WHAT));
	if (answer)
		write_answer(&p, answer);
	write_form(&p, f);
	page_end(&p, f && f->n ? 422 : 200);
}

void page_admin_try(struct exchange *x)
{
	if (administration_permitted(x))
		show(x, NULL, NULL);
}

static bool is_field(const char *name)
{
	return strcmp(name, "user") == 0 || strcmp(name, "document") == 0 ||
	       strcmp(name, "purpose") == 0 || strcmp(name, "case") == 0;
}

static void tried(struct exchange *x, json_t *answer, json_t *faults)
{
	struct faults f = {0};
	json_t *one;
	size_t i;

	json_array_foreach(faults, i, one)
	{
		const char *field = json_text(one, "field");

		fault_add(&f, is_field(field) ? field : "document",
		    form_said(x, strcmp(field, "user") == 0       ? SAY_AUDIT_UNKNOWN
				 : strcmp(field, "document") == 0 ? SAY_TRY_DOCUMENT
								  : SAY_TRY_WRONG));
	}
	show(x, answer, &f);
	json_decref(answer);
	json_decref(faults);
}

void page_admin_try_post(struct exchange *x)
{
	const char *action = http_form(x, "action");
	enum http_language language = HTTP_FI;
	char user[65], document[33], of_case[65], purpose[1001];
	struct faults f = {0};
	enum access_action act;
	bool ok, of_document;

	if (!administration_permitted(x))
		return;
	page_language(x, &language);
	form_text(x, "purpose", purpose, sizeof(purpose));
	ok = audit_record_typed(x, "user", "users", user, &f);
	ok &= audit_document_typed(x, "document", document, &f);
	ok &= audit_record_typed(x, "case", "cases", of_case, &f);
	if (!page_form_sent(x, "try"))
		fault_add(&f, "user", form_said(x, SAY_FORM_OLD));
	else if (ok && !*user)
		fault_add(&f, "user", form_said(x, SAY_AUDIT_MISSING));
	of_document =
	    !action || !access_action_parse(action, &act) || access_action_on_documents(act);
	if (ok && of_document && !*document)
		fault_add(&f, "document", form_said(x, SAY_TRY_DOCUMENT));
	if (f.n) {
		show(x, NULL, &f);
		return;
	}
	/* what has no say in an action on the archive itself is left out */
	policies_try(x,
	    json_pack("{s:s*,s:s,s:s*,s:s*,s:s*}", "action", action, "user", user, "document",
		of_document ? document : NULL, "purpose", *purpose ? purpose : NULL, "case",
		*of_case ? of_case : NULL),
	    language, tried);
}
