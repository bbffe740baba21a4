/* What the pages of auditors share: who may see them, the way between them, words. */
#include <string.h>

#include "api/pages/audit.h"

bool audit_permitted(struct exchange *x, bool all)
{
	enum audit_scope scope;

	if (!visit_of(x))
		return false;
	scope = audit_scope_of(caller_of(x));
	if (scope == AUDIT_ALL || (scope == AUDIT_OWN && !all))
		return visit_stated_ok(x);
	visit_absent(x, "audit");
	return false;
}

/* ---- the frame ---- */

static void write_way(struct page *p, const char *path)
{
	static const struct {
		const char *path;
		enum say said;
		bool all;
	} places[] = {
	    {"/audit", SAY_AUDIT_ENTRIES, false},
	    {"/audit/readers", SAY_AUDIT_READERS, true},
	    {"/audit/past", SAY_AUDIT_PAST, true},
	    {"/audit/emergency", SAY_AUDIT_EMERGENCY, false},
	    {"/audit/integrity", SAY_AUDIT_INTEGRITY, true},
	    {"/audit/export", SAY_AUDIT_EXPORT, true},
	};
	bool all = caller_may(p->caller, ACCESS_AUDIT);

	html_put(&p->h, "<nav class=\"sub\" aria-label=\"$\"><ul>", say(p, SAY_AUDIT));
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i].all && !all)
			continue;
		html_put(&p->h, "<li><a href=\"/$$\"", i18n_code(p->language), places[i].path);
		if (strcmp(path, places[i].path) == 0)
			html_raw(&p->h, " aria-current=\"page\"");
		html_put(&p->h, ">$</a></li>", say(p, places[i].said));
	}
	html_raw(&p->h, "</ul></nav>");
}

void audit_begin(
    struct page *p, struct exchange *x, enum say title, const char *path, const struct faults *f)
{
	bool all = caller_may(caller_of(x), ACCESS_AUDIT);

	form_page(p, x, title, f);
	write_way(p, path);
	form_summary(p, SAY_AUDIT_WRONG, f);
	html_put(&p->h, "<h1>$</h1><p class=\"hint\">$", say(p, title), say(p, SAY_AUDIT_LOGGED));
	if (!all)
		html_put(&p->h, " $", say(p, SAY_AUDIT_OWN));
	html_raw(&p->h, "</p>");
}

/* ---- words ---- */

struct word {
	const char *code;
	enum say said;
};

static const struct word kinds[] = {
    {"metadata", SAY_KIND_METADATA},
    {"content", SAY_KIND_CONTENT},
    {"text", SAY_KIND_TEXT},
    {"search", SAY_KIND_SEARCH},
    {"shown", SAY_KIND_SHOWN},
    {"list", SAY_KIND_LIST},
    {"export", SAY_KIND_EXPORT},
    {"audit", SAY_KIND_AUDIT},
    {"accounts", SAY_KIND_ACCOUNTS},
    {"sign-in", SAY_KIND_SIGN_IN},
    {"sign-out", SAY_KIND_SIGN_OUT},
    {"credentials", SAY_KIND_CREDENTIALS},
    {"maintenance", SAY_KIND_MAINTENANCE},
};
static const struct word outcomes[] = {
    {"ok", SAY_OUTCOME_OK},
    {"denied", SAY_OUTCOME_DENIED},
    {"not-found", SAY_OUTCOME_NOT_FOUND},
    {"failed", SAY_OUTCOME_FAILED},
};

static const char *word_of(
    const struct page *p, const struct word *words, size_t n, const char *code)
{
	for (size_t i = 0; code && i < n; i++)
		if (strcmp(words[i].code, code) == 0)
			return say(p, words[i].said);
	return NULL;
}

const char *audit_kind_said(const struct page *p, const char *kind)
{
	return word_of(p, kinds, sizeof(kinds) / sizeof(*kinds), kind);
}

const char *audit_outcome_said(const struct page *p, const char *outcome)
{
	return word_of(p, outcomes, sizeof(outcomes) / sizeof(*outcomes), outcome);
}

static void write_options(struct page *p, const struct word *words, size_t n, const char *chosen)
{
	html_put(&p->h, "<option value=\"\">$</option>", say(p, SAY_ANY));
	for (size_t i = 0; i < n; i++) {
		html_put(&p->h, "<option value=\"$\"", words[i].code);
		if (chosen && strcmp(chosen, words[i].code) == 0)
			html_raw(&p->h, " selected");
		html_put(&p->h, ">$</option>", say(p, words[i].said));
	}
}

void audit_kind_options(struct page *p, const char *chosen)
{
	write_options(p, kinds, sizeof(kinds) / sizeof(*kinds), chosen);
}

void audit_outcome_options(struct page *p, const char *chosen)
{
	write_options(p, outcomes, sizeof(outcomes) / sizeof(*outcomes), chosen);
}

void audit_field(struct page *p, const char *name, enum say label, enum say help, const char *value,
    const struct faults *f)
{
	const struct form_input in = {.name = name,
	    .label = label,
	    .help = help,
	    .autocomplete = "off",
	    .value = value,
	    .maxlength = "1000"};

	form_input(p, &in, f);
}
