/* The page of a personal-data request: who processed a matter, and why. */
#include <stdio.h>
#include <string.h>

#include "api/report_page_private.h"
#include "arkki/base/json.h"

static void put_range(struct page *p, const json_t *range)
{
	static const char *const members[] = {"first", "last", "of"};
	const json_t *gap = json_object_get(range, "gap");
	char text[4][I18N_SIZE];

	if (!range)
		return;
	for (size_t i = 0; i < 3; i++)
		i18n_number(text[i], p->language,
		    (uint64_t)json_integer_value(json_object_get(range, members[i])));
	html_raw(&p->h, "<p>");
	if (json_integer_value(json_object_get(range, "of")) == 0)
		html_text(&p->h, report_say(p, W_UNREAD));
	else
		html_sentence(&p->h, report_say(p, W_COMPLETE),
		    (const char *const[]){text[0], text[1], text[2]}, 3);
	if (gap) {
		i18n_number(text[3], p->language, (uint64_t)json_integer_value(gap));
		html_raw(&p->h, " ");
		html_sentence(&p->h, report_say(p, W_GAP), (const char *const[]){text[3]}, 1);
	}
	html_raw(&p->h, "</p>");
}

/* Part of a disclosure as it was logged; NULL: it is not shown. The caller's. */
static json_t *part_of(const json_t *disclosure, const char *letter)
{
	const char *text =
	    json_text(json_object_get(json_object_get(disclosure, "parts"), letter), "json");
	json_t *part = NULL;

	if (text && json_read(text, strlen(text), &part, NULL))
		part = NULL;
	return part;
}

static void put_disclosed(struct page *p, const json_t *entry)
{
	const json_t *disclosure = json_object_get(entry, "disclosure");
	json_t *a = part_of(disclosure, "A"), *b = part_of(disclosure, "B");

	report_put_entry(p, a, b, json_text(entry, "org"));
	report_end_entry(p, json_object_get(disclosure, "index"));
	json_decref(a);
	json_decref(b);
}

static void put_processed(struct page *p, const json_t *d)
{
	json_t *entry;
	size_t i;

	html_put(&p->h, "<section><h2><code>$</code></h2><dl>", json_text(d, "document"));
	report_put_pair(p, W_TYPE, json_text(d, "type"));
	report_put_day(p, json_text(d, "date"));
	html_raw(&p->h, "</dl>");
	put_range(p, json_object_get(d, "range"));
	put_range(p, json_object_get(d, "ownRange"));
	html_raw(&p->h, "<ul>");
	json_array_foreach(json_object_get(d, "entries"), i, entry)
	{
		put_disclosed(p, entry);
	}
	html_raw(&p->h, "</ul>");
	if (json_array_size(json_object_get(d, "filings")) > 0)
		html_put(&p->h, "<p>$</p><ul>", report_say(p, W_FILINGS));
	json_array_foreach(json_object_get(d, "filings"), i, entry)
	{
		put_disclosed(p, entry);
	}
	if (json_array_size(json_object_get(d, "filings")) > 0)
		html_raw(&p->h, "</ul>");
	if (json_is_true(json_object_get(d, "filingsCut")))
		html_put(&p->h, "<p>$</p>", report_say(p, W_CUT));
	html_raw(&p->h, "</section>");
}

void report_put_subject(struct page *p, const json_t *report)
{
	json_t *document;
	size_t i;

	report_put_pair(p, W_CASE, json_text(report, "case"));
	report_put_pair(p, W_UNIT, json_text(report, "unit"));
	report_put_pair(p, W_DOCUMENT, json_text(report, "document"));
	report_put_time_pair(p, W_FROM, json_text(report, "from"));
	report_put_time_pair(p, W_TO, json_text(report, "to"));
	html_put(&p->h, "</dl><p>$</p>",
	    report_say(
		p, json_is_true(json_object_get(report, "persons")) ? W_PERSONS : W_NO_PERSONS));
	json_array_foreach(json_object_get(report, "documents"), i, document)
	{
		put_processed(p, document);
	}
}
