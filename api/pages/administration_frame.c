/* What the pages of administrators share. */
#include <string.h>

#include "api/accounts_api.h"
#include "api/pages/administration.h"

bool administration_permitted(struct exchange *x)
{
	if (!visit_of(x))
		return false;
	if (caller_may(caller_of(x), ACCESS_ADMINISTER))
		return visit_stated_ok(x);
	visit_absent(x, "maintenance");
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
