/* What changed of the metadata, as a table in words. */
#include <stdio.h>
#include <string.h>

#include "api/pages/past.h"
#include "arkki/base/json.h"

enum kind {
	IS_TEXT,
	IS_DATE,
	IS_TYPE,
	IS_UNITS,
	IS_CASE,
	IS_ORG,
	IS_ORGS,
	IS_STATE,
	IS_CLASS,
	IS_LANGUAGE
};

static const struct named {
	const char *field;
	enum say label;
	enum kind kind;
} fields[] = {
    {"title", SAY_FIELD_TITLE, IS_TEXT},
    {"publicTitle", SAY_FIELD_PUBLIC_TITLE, IS_TEXT},
    {"type", SAY_TYPE, IS_TYPE},
    {"units", SAY_UNITS, IS_UNITS},
    {"case", SAY_DIARY, IS_CASE},
    {"date", SAY_DATE, IS_DATE},
    {"visitDate", SAY_VISIT_DATE, IS_DATE},
    {"language", SAY_DOCUMENT_LANGUAGE, IS_LANGUAGE},
    {"author", SAY_AUTHOR, IS_ORG},
    {"addressees", SAY_FIELD_ADDRESSEES, IS_ORGS},
    {"state", SAY_STATE, IS_STATE},
    {"publicity.class", SAY_PUBLICITY, IS_CLASS},
    {"publicity.ground", SAY_SECRECY_GROUND, IS_TEXT},
    {"publicity.from", SAY_SECRECY_FROM, IS_DATE},
    {"publicity.until", SAY_SECRECY_UNTIL, IS_DATE},
};

static const struct named *named_of(const json_t *change)
{
	const char *field = json_text(change, "field");

	for (size_t i = 0; field && i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(fields[i].field, field) == 0)
			return &fields[i];
	return NULL;
}

static void write_case(struct page *p, const char *id)
{
	json_t *record = registry_get(archive_registry(app_of(p->x)->archive), "cases", id);
	const char *number = json_text(record, "diaryNumber");

	html_text(&p->h, number ? number : id);
	json_decref(record);
}

static void write_orgs(struct page *p, const json_t *ids)
{
	const json_t *id;
	size_t i;

	json_array_foreach(ids, i, id)
	{
		if (i)
			html_raw(&p->h, ", ");
		if (json_is_string(id))
			page_name(p, "orgs", json_string_value(id));
	}
}

static void write_text(struct page *p, enum kind kind, const char *text)
{
	const char *language;

	switch (kind) {
	case IS_DATE:
		page_date(p, text);
		return;
	case IS_TYPE:
		page_name(p, "types", text);
		return;
	case IS_ORG:
		page_name(p, "orgs", text);
		return;
	case IS_CASE:
		write_case(p, text);
		return;
	case IS_STATE:
		html_text(&p->h, say(p, strcmp(text, "draft") == 0 ? SAY_DRAFT : SAY_FINAL));
		return;
	case IS_CLASS:
		html_text(&p->h, say(p, publicity_said(text)));
		return;
	case IS_LANGUAGE:
		language = i18n_language_name(p->language, text);
		html_text(&p->h, language ? language : text);
		return;
	default:
		html_text(&p->h, text);
	}
}

static void write_value(struct page *p, enum kind kind, const json_t *value)
{
	if (json_is_string(value))
		write_text(p, kind, json_string_value(value));
	else if (json_array_size(value) && kind == IS_UNITS)
		page_units(p, value);
	else if (json_array_size(value) && kind == IS_ORGS)
		write_orgs(p, value);
	else
		html_text(&p->h, say(p, SAY_COMPARE_EMPTY));
}

static void write_cell(struct page *p, enum kind kind, enum say head, const json_t *value)
{
	html_put(&p->h, "<td><span class=\"column\">$: </span><bdi>", say(p, head));
	write_value(p, kind, value);
	html_raw(&p->h, "</bdi></td>");
}

static void write_change(struct page *p, const json_t *change)
{
	const struct named *n = named_of(change);

	if (!n)
		return;
	html_put(&p->h, "<tr><th scope=\"row\">$</th>", say(p, n->label));
	/* on a narrow screen the heads of the columns are not there to say it */
	write_cell(p, n->kind, SAY_COMPARE_WAS, json_object_get(change, "before"));
	write_cell(p, n->kind, SAY_COMPARE_IS, json_object_get(change, "after"));
	html_raw(&p->h, "</tr>");
}

void past_changes(struct page *p, const json_t *changes, const char *before, const char *after)
{
	const json_t *change;
	size_t i;

	html_put(&p->h,
	    "<table class=\"changes\"><thead><tr><th scope=\"col\">$</th><th "
	    "scope=\"col\">$</th><th "
	    "scope=\"col\">$</th></tr></thead><tbody>",
	    say(p, SAY_COMPARE_FIELD), before ? before : say(p, SAY_COMPARE_WAS),
	    after ? after : say(p, SAY_COMPARE_IS));
	json_array_foreach(changes, i, change)
	{
		write_change(p, change);
	}
	html_raw(&p->h, "</tbody></table>");
}

void past_changed_names(const struct page *p, const json_t *changes, struct buf *out)
{
	const json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		const struct named *n = named_of(change);

		if (n && out->len)
			buf_adds(out, ", ");
		if (n)
			buf_adds(out, say(p, n->label));
	}
}

/* What the leak test said, as filing_one.c writes it. */
static const char *leak_mark(
    const char *text, char outcome[16], long long *left, long long *removed, int *ret_len)
{
	static const char begin[] = "[leak test: ";
	const char *at = strstr(text, begin);

	/* two of them: one was typed by a person, and nobody can tell which */
	if (!at || strstr(at + 1, begin))
		return NULL;
	*ret_len = 0;
	/* NOLINTNEXTLINE(cert-err34-c): the widths bound the numbers */
	if (sscanf(at, "[leak test: %15[a-z], %9lld of %9lld removed words left]%n", outcome, left,
		removed, ret_len) != 3 ||
	    *ret_len == 0)
		return NULL;
	return at;
}

void past_rendition_reason(struct page *p, const char *text)
{
	char outcome[16], left_text[24], removed_text[24];
	long long left, removed;
	int len;
	const char *mark = text ? leak_mark(text, outcome, &left, &removed, &len) : NULL;
	enum say said = SAY_HISTORY_LEAK_UNKNOWN;

	if (!text)
		return;
	if (!mark) {
		html_put(&p->h, "<p dir=\"auto\">$</p>", text);
		return;
	}
	if (strcmp(outcome, "clean") == 0)
		said = SAY_HISTORY_LEAK_CLEAN;
	else if (strcmp(outcome, "leaks") == 0)
		said = SAY_HISTORY_LEAK_LEAKS;
	snprintf(left_text, sizeof(left_text), "%lld", left);
	snprintf(removed_text, sizeof(removed_text), "%lld", removed);
	html_raw(&p->h, "<p>");
	page_say(p, said, removed_text, left_text);
	html_raw(&p->h, "</p>");
	if (mark > text) {
		html_raw(&p->h, "<p dir=\"auto\">");
		html_text_len(&p->h, text, (size_t)(mark - text));
		html_raw(&p->h, "</p>");
	}
	for (mark += len; *mark == ' '; mark++)
		;
	if (*mark)
		html_put(&p->h, "<p>$<bdi>$</bdi></p>", say(p, SAY_HISTORY_LEAK_SURE), mark);
}
