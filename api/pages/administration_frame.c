/* What the pages of administrators share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/accounts_api.h"
#include "api/pages/account.h"
#include "api/pages/administration.h"
#include "api/pages/cases.h"
#include "arkki/base/json.h"

enum { VERSIONS_SHOWN = 30 };

bool administration_permitted(struct exchange *x)
{
	if (!visit_of(x))
		return false;
	if (caller_may(caller_of(x), ACCESS_ADMINISTER))
		return visit_stated_ok(x);
	visit_absent(x, "maintenance");
	return false;
}

bool administration_fresh(struct page *p, const char *path)
{
	if (account_fresh(p->x))
		return true;
	html_put(&p->h, "<p><a class=\"button\" href=\"/$/account/confirm?next=$\">$</a></p>",
	    i18n_code(p->language), path, say(p, SAY_ADMIN_FRESH));
	return false;
}

void administration_way(struct page *p, const char *path)
{
	static const struct {
		const char *path;
		enum say said;
	} places[] = {
	    {"/admin/state", SAY_ADMIN_STATE},
	    {"/admin", SAY_ADMIN_TEXTS},
	    {"/admin/policies", SAY_ADMIN_POLICIES},
	    {"/admin/try", SAY_ADMIN_TRY},
	    {"/admin/types", SAY_ADMIN_TYPES},
	    {"/admin/retention", SAY_ADMIN_RETENTION},
	    {"/admin/synonyms", SAY_SYNONYMS},
	    {"/admin/providers", SAY_PROVIDERS},
	    {"/admin/certificates", SAY_CERTIFICATES},
	};

	html_put(&p->h, "<nav class=\"sub\" aria-label=\"$\"><ul>", say(p, SAY_ADMIN));
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		html_put(&p->h, "<li><a href=\"/$$\"", i18n_code(p->language), places[i].path);
		if (strcmp(path, places[i].path) == 0)
			html_raw(&p->h, " aria-current=\"page\"");
		html_put(&p->h, ">$</a></li>", say(p, places[i].said));
	}
	html_raw(&p->h, "</ul></nav>");
}

void administration_begin(
    struct page *p, struct exchange *x, enum say title, const char *path, const struct faults *f)
{
	form_page(p, x, title, f);
	administration_way(p, path);
	form_summary(p, SAY_ADMIN_WRONG, f);
	html_put(&p->h, "<h1>$</h1>", say(p, title));
}

void administration_lines(struct page *p, const char *name, enum say label, enum say help,
    const char *rows, const char *value, const struct faults *f)
{
	bool wrong = false;

	for (unsigned int i = 0; f && i < f->n; i++)
		wrong = wrong || strcmp(f->list[i].field, name) == 0;
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"$\">$</label><p class=\"hint\" id=\"$-help\">$</p>"
	    "<textarea id=\"$\" name=\"$\" rows=\"$\" spellcheck=\"false\" "
	    "aria-describedby=\"$-help\"",
	    name, say(p, label), name, say(p, help), name, name, rows, name);
	if (wrong)
		html_raw(&p->h, " aria-invalid=\"true\"");
	html_put(&p->h, ">\n$</textarea></div>", value);
}

void administration_choice(
    struct page *p, const char *name, enum say label, enum say help, bool checked)
{
	html_put(&p->h,
	    "<div class=\"choice\"><input type=\"checkbox\" id=\"$\" name=\"$\" value=\"1\" "
	    "aria-describedby=\"$-help\"",
	    name, name, name);
	if (checked)
		html_raw(&p->h, " checked");
	html_put(&p->h,
	    "><div><label for=\"$\">$</label><p class=\"hint\" id=\"$-help\">$</p></div></div>",
	    name, say(p, label), name, say(p, help));
}

void administration_reason(struct page *p, const char *value, const struct faults *f)
{
	const struct form_input reason = {.name = "reason",
	    .label = SAY_REASON,
	    .help = SAY_CHANGE_REASON_HELP,
	    .autocomplete = "off",
	    .value = value,
	    .maxlength = "1000"};

	form_input(p, &reason, f);
}

void administration_acts(struct page *p, bool checked)
{
	html_put(&p->h, "<div class=\"acts\"><button name=\"step\" value=\"check\">$</button>",
	    say(p, SAY_RULES_CHECK));
	if (checked)
		html_put(&p->h, " <button name=\"step\" value=\"apply\">$</button>",
		    say(p, SAY_RULES_APPLY));
	html_raw(&p->h, "</div></form>");
}

bool administration_applies(struct exchange *x)
{
	const char *step = http_form(x, "step");

	return step && strcmp(step, "apply") == 0;
}

void administration_table(struct page *p, const enum say *heads, size_t n)
{
	html_raw(&p->h, "<table class=\"entries named\" role=\"table\"><thead "
			"role=\"rowgroup\"><tr role=\"row\">");
	for (size_t i = 0; i < n; i++)
		html_put(&p->h, "<th role=\"columnheader\" scope=\"col\">$</th>", say(p, heads[i]));
	html_raw(&p->h, "</tr></thead><tbody role=\"rowgroup\">");
}

void administration_cell(struct page *p, enum say label, const char *value)
{
	html_put(&p->h, "<td role=\"cell\" data-label=\"$\"><span dir=\"auto\">$</span></td>",
	    say(p, label), value && *value ? value : "–");
}

static void write_version(struct page *p, const json_t *v)
{
	char number[I18N_SIZE];

	i18n_number(
	    number, p->language, (uint64_t)json_integer_value(json_object_get(v, "version")));
	html_raw(&p->h, "<li><p><strong>");
	page_say(p, SAY_VERSION_N, number);
	html_raw(&p->h, "</strong> ");
	page_time(p, json_text(v, "filedAt"));
	if (json_text(v, "filedBy")) {
		html_raw(&p->h, ", ");
		page_name(p, "users", json_text(v, "filedBy"));
	}
	html_raw(&p->h, "</p>");
	if (json_text(v, "reason"))
		html_put(&p->h, "<p class=\"hint\" dir=\"auto\">$</p>", json_text(v, "reason"));
	html_raw(&p->h, "</li>");
}

void administration_versions(struct page *p, const json_t *versions)
{
	size_t n = json_array_size(versions);

	if (!n)
		return;
	html_put(&p->h, "<h2>$</h2><ol class=\"versions\">", say(p, SAY_VERSIONS));
	for (size_t i = 0; i < n && i < VERSIONS_SHOWN; i++)
		write_version(p, json_array_get(versions, n - 1 - i));
	html_raw(&p->h, "</ol>");
}

/* ---- lists to choose from ---- */

static const char *wrong_of(const struct faults *f, const char *field)
{
	for (unsigned int i = 0; f && i < f->n; i++)
		if (strcmp(f->list[i].field, field) == 0)
			return f->list[i].text;
	return NULL;
}

void administration_select(
    struct page *p, const char *name, enum say label, enum say help, const struct faults *f)
{
	const char *wrong = wrong_of(f, name);

	html_put(&p->h, "<div class=\"field\"><label for=\"$\">$</label>", name, say(p, label));
	html_put(&p->h, "<p class=\"hint\" id=\"$-help\">$</p>", name, say(p, help));
	if (wrong)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-wrong\"><span class=\"hidden\">$: </span>$</p>",
		    name, say(p, SAY_ERROR), wrong);
	html_put(&p->h, "<select id=\"$\" name=\"$\" aria-describedby=\"$$$-help\"", name, name,
	    wrong ? name : "", wrong ? "-wrong " : "", name);
	if (wrong)
		html_raw(&p->h, " aria-invalid=\"true\"");
	html_raw(&p->h, ">");
}

void administration_option(struct page *p, const char *value, const char *name, const char *chosen)
{
	html_put(&p->h, "<option value=\"$\"", value);
	if (strcmp(value, chosen) == 0)
		html_raw(&p->h, " selected");
	html_put(&p->h, ">$</option>", name);
}

void administration_records(struct page *p, const char *kind, const char *chosen)
{
	choice_records(p, kind, chosen);
	choice_end(p);
}
