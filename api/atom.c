#include "api/atom.h"

#include <stdio.h>
#include <string.h>

#include "api/i18n.h"
#include "arkki/base/json.h"

void atom_text(struct html *h, const char *text)
{
	size_t from = 0, len = text ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		size_t bad = c < 0x20 && c != '\t' && c != '\n' && c != '\r' ? 1
			     : strncmp(text + i, "\xEF\xBF\xBE", 3) == 0 ||
				     strncmp(text + i, "\xEF\xBF\xBF", 3) == 0
				 ? 3
				 : 0;

		if (!bad)
			continue;
		html_text_len(h, text + from, i - from);
		html_raw(h, " ");
		from = i + bad;
		i = from - 1;
	}
	html_text_len(h, text + from, len - from);
}

void atom_begin(struct html *h, const char *title, const char *id, const char *updated,
    const char *self, const char *by)
{
	html_raw(h, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		    "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>");
	atom_text(h, title);
	html_put(h,
	    "</title><id>$</id><updated>$</updated>"
	    "<link rel=\"self\" type=\"application/atom+xml\" "
	    "href=\"$\"/><author><name>$</name></author>",
	    id, updated, self, by);
}

void atom_document(struct exchange *x, struct html *h, const struct catalogue_row *row,
    const char *title, const char *updated)
{
	char version[16];

	snprintf(version, sizeof(version), "%u", row->version);
	html_put(h, "<entry><id>urn:arkki:document:$:$</id><title>", row->document, version);
	atom_text(h, title);
	html_put(h,
	    "</title><updated>$</updated><category term=\"$\"/>"
	    "<link rel=\"alternate\" type=\"text/html\" href=\"/$/documents/$/versions/$\"/>",
	    updated, row->type, i18n_code(http_language(x)), row->document, version);
}

void atom_name(struct exchange *x, struct buf *out, const char *kind, const char *id)
{
	json_t *record = registry_get(archive_registry(app_of(x)->archive), kind, id);
	const char *name = record ? i18n_name(http_language(x), record, NULL) : id;

	if (name)
		buf_addf(out, "%s%s", out->len ? ", " : "", name);
	json_decref(record);
}

void atom_summary(
    struct exchange *x, struct html *h, const char *date, const char *type, const json_t *units)
{
	struct buf facts = BUF_INIT;
	char day[I18N_SIZE];

	i18n_date(day, date);
	buf_adds(&facts, day);
	atom_name(x, &facts, "types", type);
	for (size_t i = 0; i < json_array_size(units); i++)
		atom_name(x, &facts, "units", json_string_value(json_array_get(units, i)));
	html_raw(h, "<summary>");
	atom_text(h, facts.data ? facts.data : "");
	html_raw(h, "</summary>");
	h->out.failed |= facts.failed;
	buf_free(&facts);
}

void atom_reply(struct exchange *x, struct html *h)
{
	html_raw(h, "</feed>\n");
	http_reply_buf(x, 200, "application/atom+xml; charset=utf-8", &h->out);
}
