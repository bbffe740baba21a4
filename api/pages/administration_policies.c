/* The rules: what is in force, in sentences, its versions; and a change of them, looked at before it is made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/administration.h"
#include "api/policies.h"
#include "arkki/base/json.h"

enum { FAULTS_SHOWN = 50 };

/* ---- in force ---- */

static void write_rule(struct page *p, const json_t *rule)
{
	const char *sentence = json_text(rule, "sentence"), *statute = json_text(rule, "statute");
	bool forbids = strcmp(json_text(rule, "effect"), "forbid") == 0;
	char line[16];

	snprintf(line, sizeof(line), "%d", (int)json_integer_value(json_object_get(rule, "line")));
	html_put(&p->h,
	    "<li><p><strong>$</strong> <span dir=\"auto\">$</span></p><p class=\"hint\">",
	    say(p, forbids ? SAY_RULE_FORBIDS : SAY_RULE_PERMITS),
	    sentence ? sentence : say(p, SAY_RULE_NO_SENTENCE));
	if (statute) {
		page_statute(p, statute);
		html_raw(&p->h, ". ");
	}
	html_put(&p->h, "<code>$</code>, ", json_text(rule, "id"));
	page_say(p, SAY_RULE_LINE, line);
	html_raw(&p->h, "</p></li>");
}

static void write_law(struct page *p, const json_t *law, const json_t *versions)
{
	const json_t *rules = json_object_get(law, "rules");

	html_put(&p->h, "<h2>$</h2><ol class=\"rules\">", say(p, SAY_RULES));
	for (size_t i = 0; i < json_array_size(rules); i++)
		write_rule(p, json_array_get(rules, i));
	html_raw(&p->h, "</ol>");
	administration_versions(p, versions);
}

void page_admin_policies(struct exchange *x)
{
	enum http_language language = HTTP_FI;
	json_t *law = NULL, *versions = NULL;
	struct ark_error err;
	struct page p;

	if (!administration_permitted(x))
		return;
	page_language(x, &language);
	if (policies_shown(app_of(x), language, &law, &versions, &err)) {
		http_reply_error(x, &err);
		return;
	}
	administration_begin(&p, x, SAY_ADMIN_POLICIES, "/admin/policies", NULL);
	if (http_query(x, "saved"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_RULES_SAVED));
	html_put(&p.h,
	    "<p>$</p><p><a href=\"/$/admin/try\">$</a></p><p><a "
	    "href=\"/$/admin/policies/change\">$</a></p>",
	    say(&p, SAY_RULES_WHAT), i18n_code(p.language), say(&p, SAY_ADMIN_TRY),
	    i18n_code(p.language), say(&p, SAY_RULES_CHANGE));
	write_law(&p, law, versions);
	page_end(&p, 200);
	json_decref(law);
	json_decref(versions);
}

/* ---- the report of a candidate ---- */

static void write_faults(struct page *p, const json_t *faults, enum say heading)
{
	size_t n = json_array_size(faults);

	if (!n)
		return;
	html_put(&p->h, "<h3>$</h3><ul>", say(p, heading));
	for (size_t i = 0; i < n && i < FAULTS_SHOWN; i++) {
		const json_t *f = json_array_get(faults, i);
		char line[16];

		html_raw(&p->h, "<li>");
		if (json_is_integer(json_object_get(f, "line"))) {
			snprintf(line, sizeof(line), "%d",
			    (int)json_integer_value(json_object_get(f, "line")));
			page_say(p, SAY_RULE_LINE, line);
			html_raw(&p->h, ": ");
		}
		html_put(&p->h, "<span lang=\"en\" dir=\"auto\">$ $</span></li>",
		    json_text(f, "description"), json_text(f, "detail"));
	}
	html_raw(&p->h, "</ul>");
}

/* Only who would be shown another number of documents than now. */
static bool changes(const json_t *group)
{
	const char *key;
	json_t *of;

	json_object_foreach((json_t *)(uintptr_t)group, key, of)
	{
		if (json_integer_value(json_object_get(of, "more")) ||
		    json_integer_value(json_object_get(of, "fewer")))
			return true;
	}
	return false;
}

static void write_impact(struct page *p, const json_t *report)
{
	const json_t *impact = json_object_get(report, "impact");
	size_t n = 0;

	html_put(&p->h, "<h3>$</h3><ul>", say(p, SAY_IMPACT));
	for (size_t i = 0; i < json_array_size(impact); i++) {
		const json_t *group = json_array_get(impact, i);

		if (!changes(group))
			continue;
		n++;
		html_put(&p->h, "<li>$</li>", json_text(group, "sentence"));
	}
	if (!n)
		html_put(&p->h, "<li>$</li>", say(p, SAY_IMPACT_NONE));
	html_raw(&p->h, "</ul>");
	if (!json_is_true(json_object_get(report, "impactComplete")))
		html_put(&p->h, "<p>$</p>", say(p, SAY_IMPACT_PART));
}

static bool acceptable(const json_t *report)
{
	return json_is_true(json_object_get(report, "valid")) &&
	       !json_array_size(json_object_get(json_object_get(report, "cases"), "failed")) &&
	       !json_is_true(json_object_get(report, "lockedOut"));
}

static void write_report(struct page *p, const json_t *report)
{
	const json_t *cases = json_object_get(report, "cases"),
		     *failed = json_object_get(cases, "failed");
	char passed[I18N_SIZE];

	i18n_number(
	    passed, p->language, (uint64_t)json_integer_value(json_object_get(cases, "passed")));
	html_put(&p->h, "<section role=\"status\"><h2>$</h2><p><strong>$</strong> ",
	    say(p, SAY_CHECK_REPORT), say(p, acceptable(report) ? SAY_CHECK_GOOD : SAY_CHECK_BAD));
	page_say(p, SAY_CHECK_CASES, passed);
	html_raw(&p->h, "</p>");
	if (json_is_true(json_object_get(report, "lockedOut")))
		html_put(&p->h, "<p><strong>$</strong></p>", say(p, SAY_CHECK_LOCKED));
	write_faults(p, json_object_get(report, "errors"), SAY_CHECK_ERRORS);
	write_faults(p, failed, SAY_CHECK_FAILED);
	write_faults(p, json_object_get(report, "warnings"), SAY_CHECK_WARNINGS);
	if (acceptable(report))
		write_impact(p, report);
	html_raw(&p->h, "</section>");
}

/* ---- the form ---- */

struct changing {
	const char *text, *reason;
	uint32_t base;
	const json_t *report; /* NULL: not looked at yet */
};

static void write_form(struct page *p, const struct changing *c, const struct faults *f)
{
	const struct form_input reason = {.name = "reason",
	    .label = SAY_REASON,
	    .help = SAY_CHANGE_REASON_HELP,
	    .autocomplete = "off",
	    .value = c->reason,
	    .maxlength = "1000"};
	char base[16];

	snprintf(base, sizeof(base), "%u", c->base);
	html_put(&p->h,
	    "<form class=\"stack\" method=\"post\" action=\"/$/admin/policies/change\" novalidate>"
	    "<input type=\"hidden\" name=\"base\" value=\"$\">",
	    i18n_code(p->language), base);
	page_form_field(p, "policies");
	administration_lines(p, "policies", SAY_RULES_TEXT, SAY_RULES_TEXT_HELP, "24", c->text, f);
	form_input(p, &reason, f);
	html_put(&p->h, "<div class=\"acts\"><button name=\"step\" value=\"check\">$</button>",
	    say(p, SAY_RULES_CHECK));
	if (c->report && acceptable(c->report))
		html_put(&p->h, " <button name=\"step\" value=\"apply\">$</button>",
		    say(p, SAY_RULES_APPLY));
	html_raw(&p->h, "</div></form>");
}

static void show_change(struct exchange *x, const struct changing *c, const struct faults *f)
{
	struct page p;

	administration_begin(&p, x, SAY_RULES_CHANGE, "/admin/policies", f);
	html_put(&p.h, "<p>$</p>", say(&p, SAY_RULES_CHANGE_WHAT));
	if (c->report)
		write_report(&p, c->report);
	write_form(&p, c, f);
	page_end(&p, (f && f->n) || (c->report && !acceptable(c->report)) ? 422 : 200);
}

void page_admin_policies_change(struct exchange *x)
{
	json_t *law = NULL, *versions = NULL;
	struct changing c = {0};
	struct ark_error err;

	if (!administration_permitted(x))
		return;
	if (policies_shown(app_of(x), HTTP_FI, &law, &versions, &err)) {
		http_reply_error(x, &err);
		return;
	}
	c.text = json_text(law, "policies");
	c.base = (uint32_t)json_integer_value(json_object_get(law, "version"));
	show_change(x, &c, NULL);
	json_decref(law);
	json_decref(versions);
}

static struct changing typed(struct exchange *x)
{
	const char *base = http_form(x, "base");

	return (struct changing){.text = http_form(x, "policies"),
	    .reason = http_form(x, "reason"),
	    .base = base ? (uint32_t)strtoul(base, NULL, 10) : 0};
}

static void show_fault(struct exchange *x, const char *field, enum say what)
{
	const struct changing c = typed(x);
	struct faults f = {0};

	fault_add(&f, field, form_said(x, what));
	show_change(x, &c, &f);
}

static void considered(
    struct exchange *x, int status, json_t *report, uint32_t number, const struct ark_error *err)
{
	struct changing c = typed(x);

	c.report = report;
	if (status == ARK_ECONFLICT)
		show_fault(x, "policies", SAY_RULES_MEANWHILE);
	else if (status)
		http_reply_error(x, err);
	else if (number)
		form_go(x, "/admin/policies?saved=1");
	else
		show_change(x, &c, NULL);
	json_decref(report);
}

/* Lines of a form end with CR LF. */
static json_t *policies_text(const char *typed)
{
	struct buf text = BUF_INIT;
	json_t *out;

	for (; typed && *typed; typed++)
		if (*typed != '\r')
			buf_addc(&text, *typed);
	out = buf_failed(&text) ? NULL : json_stringn(text.data ? text.data : "", text.len);
	buf_free(&text);
	return out;
}

void page_admin_policies_post(struct exchange *x)
{
	const char *step = http_form(x, "step"), *text = http_form(x, "policies");
	bool apply = step && strcmp(step, "apply") == 0;
	enum http_language language = HTTP_FI;
	struct changing c = typed(x);
	char reason[1001];
	json_t *body;

	if (!administration_permitted(x))
		return;
	page_language(x, &language);
	form_text(x, "reason", reason, sizeof(reason));
	if (!page_form_sent(x, "policies")) {
		show_fault(x, "policies", SAY_FORM_OLD);
	} else if (!text || !*text) {
		show_fault(x, "policies", SAY_RULES_EMPTY);
	} else if (apply && !*reason) {
		show_fault(x, "reason", SAY_CHANGE_REASON_WRONG);
	} else {
		body = json_pack("{s:o,s:s*}", "policies", policies_text(text), "reason",
		    *reason ? reason : NULL);
		if (body)
			policies_consider(x, body, apply, c.base, language, considered);
		else
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	}
}
