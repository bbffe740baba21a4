/* What a saved search finds: as an answer like any search's, and as a feed (Atom, RFC 4287).
 * Both are searches of their owner, logged as such with every version that they show. */
#include "api/saved_searches.h"

#include <stdio.h>

#include "api/atom.h"
#include "api/search_asked.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

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

static void write_entry(struct exchange *x, struct html *h, const struct search_view_hit *hit)
{
	const json_t *fields = hit->card.fields;
	char time[CLOCK_TEXT_SIZE];

	clock_format(time, hit->row.filed_us);
	atom_document(x, h, &hit->row, json_text(fields, "title"), time);
	atom_summary(x, h, hit->row.date, hit->row.type, json_object_get(fields, "units"));
	if (hit->snippet.len) {
		html_put(h, "<content type=\"html\" xml:lang=\"$\">", hit->row.language);
		atom_text(h, hit->snippet.data);
		html_raw(h, "</content>");
	}
	html_raw(h, "</entry>");
}

static void show_feed(struct exchange *x)
{
	struct search_view *s = search_found(x);
	struct html h = {0};
	char time[CLOCK_TEXT_SIZE], urn[80], self[100];
	const json_t *record;
	const char *id;

	if (!s)
		return;
	record = s->more;
	id = json_text(record, "id");
	if (s->hits_len)
		clock_format(time, s->hits[0].row.filed_us);
	snprintf(urn, sizeof(urn), "urn:arkki:search:%s", id);
	snprintf(self, sizeof(self), "/v1/saved-searches/%s/feed.atom", id);
	atom_begin(&h, json_text(record, "name"), urn,
	    s->hits_len ? time : json_text(record, "created"), self,
	    archive_origin(app_of(x)->archive));
	for (size_t i = 0; i < s->hits_len; i++)
		write_entry(x, &h, &s->hits[i]);
	atom_reply(x, &h);
}

/* Reading the feed marks nothing as seen: a reader fetches it by itself. */
void saved_search_feed(struct exchange *x)
{
	struct search_asked asked;
	json_t *record = read_own(x, &asked);

	if (!record)
		return;
	asked.by_filing = true;
	asked.limit = ATOM_ENTRIES;
	search_begin(x, &asked, record, record_end, show_feed);
}
