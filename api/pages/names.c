/* What records are called, and how dates and classes are written. */
#include <string.h>

#include "api/pages/pages.h"
#include "api/text_reason.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static json_t *record_of(const struct page *p, const char *kind, const char *id)
{
	return registry_get(archive_registry(app_of(p->x)->archive), kind, id);
}

void page_name(struct page *p, const char *kind, const char *id)
{
	json_t *record = record_of(p, kind, id);
	const char *language = NULL;
	const char *name = i18n_name(p->language, record, &language);

	html_raw(&p->h, "<span");
	page_lang(p, language);
	html_raw(&p->h, ">");
	if (name || !id || strcmp(kind, "orgs") != 0)
		html_text(&p->h, name ? name : id);
	else
		page_say(p, SAY_NAME_NOT_KNOWN, id);
	html_raw(&p->h, "</span>");
	json_decref(record);
}

void name_add(const struct page *p, struct buf *out, const char *kind, const char *id)
{
	const struct words w = page_words(p);

	words_name(&w, out, kind, id);
}

void county_add(const struct page *p, struct buf *out, const char *code)
{
	const struct words w = page_words(p);

	words_county(&w, out, code);
}

struct words page_words(const struct page *p)
{
	return (struct words){archive_registry(app_of(p->x)->archive), p->language};
}

/* The mark is for those who keep the rules: it stands as " (verify)" or " (verify the section)". */
void page_statute(struct page *p, const char *statute)
{
	static const char mark[] = " (verify";
	bool marked = false;

	html_raw(&p->h, "<span");
	page_lang(p, "fi");
	html_raw(&p->h, ">");
	while (statute && *statute) {
		const char *at = strstr(statute, mark), *end = at ? strchr(at, ')') : NULL;

		html_text_len(&p->h, statute, end ? (size_t)(at - statute) : strlen(statute));
		marked = marked || end;
		statute = end ? end + 1 : NULL;
	}
	html_raw(&p->h, "</span>");
	if (marked)
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_UNCONFIRMED));
}

void page_units(struct page *p, const json_t *units)
{
	size_t i;
	json_t *unit;

	json_array_foreach(units, i, unit)
	{
		if (i)
			html_raw(&p->h, ", ");
		if (json_is_string(unit))
			page_name(p, "units", json_string_value(unit));
	}
}

void page_unit_links(struct page *p, const json_t *units)
{
	size_t i;
	json_t *unit;

	json_array_foreach(units, i, unit)
	{
		if (i)
			html_raw(&p->h, ", ");
		if (!json_is_string(unit))
			continue;
		html_put(&p->h, "<a href=\"/$/units/$\">", i18n_code(p->language),
		    json_string_value(unit));
		page_name(p, "units", json_string_value(unit));
		html_raw(&p->h, "</a>");
	}
}

void page_lang(struct page *p, const char *language)
{
	html_raw(&p->h, " dir=\"auto\"");
	if (language && strcmp(language, i18n_code(p->language)) != 0)
		html_put(&p->h, " lang=\"$\"", language);
}

void page_reason(struct page *p, const char *stored)
{
	char said[TEXT_REASON_SIZE];

	if (text_reason_say(p->language, stored, said))
		html_text(&p->h, said);
	else
		html_put(&p->h, "<span lang=\"en\">$</span>", said);
}

enum say publicity_said(const char *publicity)
{
	if (strcmp(publicity, "public") == 0)
		return SAY_PUBLIC;
	return strcmp(publicity, "partly-secret") == 0 ? SAY_PARTLY_SECRET : SAY_SECRET;
}

void page_tags(struct page *p, const char *publicity, const char *state)
{
	if (publicity && strcmp(publicity, "public") != 0)
		html_put(&p->h, " <strong class=\"tag tag-secret\">$</strong>",
		    say(p, publicity_said(publicity)));
	if (state && strcmp(state, "draft") == 0)
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_DRAFT));
}

void page_date(struct page *p, const char *date)
{
	char text[I18N_SIZE];

	i18n_date(text, date);
	html_put(&p->h, "<time datetime=\"$\">$</time>", date, text);
}

void page_time(struct page *p, const char *rfc3339)
{
	char text[I18N_SIZE];
	int64_t time_us;

	if (!rfc3339 || !clock_parse(rfc3339, &time_us))
		return;
	i18n_time(text, p->language, time_us);
	html_put(&p->h, "<time datetime=\"$\">$</time>", rfc3339, text);
}
