/* What a saved search finds: as an answer like any search's, and as a feed (Atom, RFC 4287).
 * Both are searches of their owner, logged as such with every version that they show. */
#include "api/saved_searches.h"

#include <string.h>

#include "api/html.h"
#include "api/i18n.h"
#include "api/search_asked.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { FEED_ENTRIES = 50 };

static void record_end(void *record)
{
	json_decref(record);
}

/* ---- results ---- */

static void show_results(struct exchange *x)
{
	struct search_view *s = search_found(x);
	const char *cursor = http_query(x, "cursor");
	struct ark_error err = {0};

	if (!s)
		return;
	/* a later page shows what the first one counted, and HEAD shows nothing */
	if ((!cursor || !*cursor) && !http_is_head(x) &&
	    saved_search_seen(app_of(x), s->more, s->first->sequence, &err)) {
		http_reply_error(x, &err);
		return;
	}
	http_reply_json(x, 200, search_json(x, s));
}

/* The caller's record, with what it asks, which borrows from it. NULL: a refusal was replied. */
static json_t *read_own(struct exchange *x, struct search_asked *ret_asked)
{
	struct ark_error err = {0};
	json_t *record;

	if (!visit_of(x) || !visit_stated_ok(x))
		return NULL;
	record = saved_search_own(x);
	if (record && search_asked_json(json_object_get(record, "query"), false, ret_asked, &err)) {
		http_reply_error(x, &err);
		json_decref(record);
		return NULL;
	}
	return record;
}

void saved_search_results(struct exchange *x)
{
	struct search_asked asked;
	json_t *record = read_own(x, &asked);

	if (!record)
		return;
	asked.cursor = http_query(x, "cursor");
	if (limit_of(x, 20, SEARCH_LIMIT_MAX, &asked.limit))
		search_begin(x, &asked, record, record_end, show_results);
	else
		json_decref(record);
}

/* ---- the feed ---- */

/* Characters that no XML document may hold are spaces: a title may hold any. */
static void xml_text(struct html *h, const char *text)
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

static void name_of(struct exchange *x, struct buf *out, const char *kind, const char *id)
{
	json_t *record = registry_get(archive_registry(app_of(x)->archive), kind, id);
	const char *name = record ? i18n_name(http_language(x), record, NULL) : id;

	if (name)
		buf_addf(out, "%s%s", out->len ? ", " : "", name);
	json_decref(record);
}

/* "12.3.2026, Tarkastuskertomus, Koivula" */
static void write_summary(struct exchange *x, struct html *h, const struct search_view_hit *hit)
{
	const json_t *units = json_object_get(hit->card.fields, "units");
	struct buf facts = BUF_INIT;
	char date[I18N_SIZE];

	i18n_date(date, hit->row.date);
	buf_adds(&facts, date);
	name_of(x, &facts, "types", hit->row.type);
	for (size_t i = 0; i < json_array_size(units); i++)
		name_of(x, &facts, "units", json_string_value(json_array_get(units, i)));
	html_raw(h, "<summary>");
	xml_text(h, facts.data ? facts.data : "");
	html_raw(h, "</summary>");
	h->out.failed |= facts.failed;
	buf_free(&facts);
}

static void write_entry(struct exchange *x, struct html *h, const struct search_view_hit *hit)
{
	char time[CLOCK_TEXT_SIZE], version[16];

	clock_format(time, hit->row.filed_us);
	snprintf(version, sizeof(version), "%u", hit->row.version);
	html_put(h, "<entry><id>urn:arkki:document:$:$</id><title>", hit->row.document, version);
	xml_text(h, json_text(hit->card.fields, "title"));
	html_put(h,
	    "</title><updated>$</updated><category term=\"$\"/>"
	    "<link rel=\"alternate\" type=\"text/html\" href=\"/$/documents/$/versions/$\"/>",
	    time, hit->row.type, i18n_code(http_language(x)), hit->row.document, version);
	write_summary(x, h, hit);
	if (hit->snippet.len) {
		html_put(h, "<content type=\"html\" xml:lang=\"$\">", hit->row.language);
		xml_text(h, hit->snippet.data);
		html_raw(h, "</content>");
	}
	html_raw(h, "</entry>");
}

static void show_feed(struct exchange *x)
{
	struct search_view *s = search_found(x);
	struct html h = {0};
	char time[CLOCK_TEXT_SIZE];
	const json_t *record;
	const char *id;

	if (!s)
		return;
	record = s->more;
	id = json_text(record, "id");
	if (s->hits_len)
		clock_format(time, s->hits[0].row.filed_us);
	html_raw(&h, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		     "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>");
	xml_text(&h, json_text(record, "name"));
	html_put(&h,
	    "</title><id>urn:arkki:search:$</id><updated>$</updated>"
	    "<link rel=\"self\" type=\"application/atom+xml\" "
	    "href=\"/v1/saved-searches/$/feed.atom\"/><author><name>$</name></author>",
	    id, s->hits_len ? time : json_text(record, "created"), id,
	    archive_origin(app_of(x)->archive));
	for (size_t i = 0; i < s->hits_len; i++)
		write_entry(x, &h, &s->hits[i]);
	html_raw(&h, "</feed>\n");
	http_reply_buf(x, 200, "application/atom+xml; charset=utf-8", &h.out);
}

/* Reading the feed marks nothing as seen: a reader fetches it by itself. */
void saved_search_feed(struct exchange *x)
{
	struct search_asked asked;
	json_t *record = read_own(x, &asked);

	if (!record)
		return;
	asked.by_filing = true;
	asked.limit = FEED_ENTRIES;
	search_begin(x, &asked, record, record_end, show_feed);
}
