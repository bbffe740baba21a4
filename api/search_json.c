/* A search's answer in JSON. */
#include <string.h>

#include "api/documents.h"
#include "api/i18n.h"
#include "api/search_asked.h"
#include "api/search_notes.h"
#include "api/text_reason.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static json_t *facet_json(const struct search_result *r, size_t facet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->facets[facet].len; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:I}", "value", r->facets[facet].counts[i].value, "count",
			      (json_int_t)r->facets[facet].counts[i].count));
	return list;
}

static json_t *facets_json(const struct search_result *r)
{
	static const char *const names[SEARCH_FACETS] = {
	    "type", "unit", "county", "language", "year", "publicity", "author"};
	json_t *out = json_object();

	for (size_t i = 0; i < SEARCH_FACETS; i++)
		json_object_set_new(out, names[i], facet_json(r, i));
	return out;
}

/* Places in the query count characters: bytes mean nothing to who sees a text. */
static json_t *notes_json(const struct exchange *x, const struct search_view *s)
{
	const struct search_result *r = s->first;
	json_t *list = json_array();
	size_t len = s->q ? strlen(s->q) : 0;

	for (size_t i = 0; i < r->notes_len; i++) {
		const struct search_note *n = &r->notes[i];

		if (n->from > len || n->len > len - n->from)
			continue;
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:I,s:I}", "kind", search_note_name(n->kind), "text",
			      i18n_text(http_language(x), search_note_said(n->kind)), "from",
			      (json_int_t)utf8_length(s->q, n->from), "length",
			      (json_int_t)utf8_length(s->q + n->from, n->len)));
	}
	return list;
}

static json_t *read_json(const struct exchange *x, const struct search_view *s)
{
	const struct buf *read = &s->first->read;

	return json_pack("{s:s%,s:o}", "query", read->data ? read->data : "", read->len, "notes",
	    notes_json(x, s));
}

static json_t *why_json(const struct search_view_hit *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->where.why_len; i++)
		json_array_append_new(
		    list, json_pack("{s:s%,s:s}", "word", h->where.why[i].word,
			      h->where.why[i].word_len, "found", h->where.why[i].because));
	return list;
}

static json_t *same_json(const struct search_view_hit *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->same_len; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:i}", "document", h->hit.same[i].document, "version",
			      (int)h->hit.same[i].version));
	return list;
}

static json_t *hit_json(const struct exchange *x, const struct search_view_hit *h)
{
	const struct catalogue_row *row = &h->row;
	const json_t *fields = h->card.fields;
	const struct buf *snippet = &h->snippet;
	const char *reason, *state = shown_text_state(row, &reason);
	char said[TEXT_REASON_SIZE];
	json_t *out = json_pack("{s:s,s:i,s:O*,s:s,s:O*,s:s,s:s,s:s%}", "document", row->document,
	    "version", (int)row->version, "title", json_object_get(fields, "title"), "type",
	    row->type, "units", json_object_get(fields, "units"), "date", row->date, "language",
	    row->language, "snippet", snippet->data ? snippet->data : "", snippet->len);

	if (h->where.page)
		json_object_set_new(out, "page", json_integer(h->where.page));
	if (h->where.why_len)
		json_object_set_new(out, "why", why_json(h));
	if (strcmp(state, "ready") != 0)
		json_object_set_new(out, "text",
		    json_pack(
			"{s:s,s:s*}", "state", state, "reason", text_reason_for(x, reason, said)));
	if (h->hit.similar) {
		json_object_set_new(out, "similar", json_integer(h->hit.similar));
		json_object_set_new(out, "sameAs", same_json(h));
	}
	return out;
}

json_t *search_json(const struct exchange *x, const struct search_view *s)
{
	json_t *hits = json_array();

	for (size_t i = 0; i < s->hits_len; i++)
		json_array_append_new(hits, hit_json(x, &s->hits[i]));
	return json_pack("{s:I,s:o,s:o,s:o,s:s*,s:s?}", "total", (json_int_t)s->first->total,
	    "hits", hits, "facets", facets_json(s->first), "read", read_json(x, s), "didYouMean",
	    s->meant.len ? s->meant.data : NULL, "next", s->next.len ? s->next.data : NULL);
}
