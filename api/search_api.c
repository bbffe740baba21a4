/* GET and POST /v1/search. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/search_service.h"
#include "arkki/base/json.h"

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

static void show_found(struct exchange *x)
{
	struct search_view *s = search_found(x);
	json_t *hits = json_array(), *reply;
	struct buf next = BUF_INIT;
	char at[16];

	if (!s) {
		json_decref(hits);
		return;
	}
	for (size_t i = 0; i < s->hits_len; i++) {
		const struct catalogue_row *row = &s->hits[i].row;
		const json_t *fields = s->hits[i].card.fields;
		const struct buf *snippet = &s->hits[i].snippet;

		json_array_append_new(hits,
		    json_pack("{s:s,s:i,s:O*,s:s,s:O*,s:s,s:s,s:s%}", "document", row->document,
			"version", (int)row->version, "title", json_object_get(fields, "title"),
			"type", row->type, "units", json_object_get(fields, "units"), "date",
			row->date, "language", row->language, "snippet",
			snippet->data ? snippet->data : "", snippet->len));
	}
	if (s->result.next_offset) {
		snprintf(at, sizeof(at), "%u", s->result.next_offset);
		cursor_write(app_of(x), "search", at, &next);
	}
	reply = json_pack("{s:I,s:o,s:o,s:s?}", "total", (json_int_t)s->result.total, "hits", hits,
	    "facets", facets_json(&s->result), "next", next.data);
	buf_free(&next);
	http_reply_json(x, 200, reply);
}

static bool cursor_offset(struct exchange *x, const char *cursor, unsigned int *ret)
{
	struct buf at = BUF_INIT;

	*ret = 0;
	if (!cursor || !*cursor)
		return true;
	if (cursor_read(app_of(x), "search", cursor, &at, NULL)) {
		buf_free(&at);
		http_reply_problem(x, 400, "bad-cursor", "The cursor is malformed.", NULL);
		return false;
	}
	*ret = (unsigned int)strtoul(at.data, NULL, 10);
	buf_free(&at);
	return true;
}

static bool sort_of(struct exchange *x, const char *sort, bool *ret_by_date)
{
	*ret_by_date = sort && strcmp(sort, "date") == 0;
	if (!sort || !*sort || *ret_by_date || strcmp(sort, "relevance") == 0)
		return true;
	http_reply_problem(x, 400, "bad-sort", "sort is relevance or date.", NULL);
	return false;
}

void search_get(struct exchange *x)
{
	const char *versions = http_query(x, "versions");
	struct search_asked asked = {
	    .q = http_query(x, "q"),
	    .unit = http_query(x, "unit"),
	    .case_id = http_query(x, "case"),
	    .type = http_query(x, "type"),
	    .county = http_query(x, "county"),
	    .language = http_query(x, "language"),
	    .from = http_query(x, "from"),
	    .to = http_query(x, "to"),
	    .versions_all = versions && strcmp(versions, "all") == 0,
	};

	if (visit_stated_ok(x) && sort_of(x, http_query(x, "sort"), &asked.by_date) &&
	    limit_of(x, 20, 100, &asked.limit) &&
	    cursor_offset(x, http_query(x, "cursor"), &asked.offset))
		search_begin(x, &asked, show_found);
}

/* The same in JSON: names that must not stand in a URL. */
static bool read_body(struct exchange *x, const json_t *body, struct search_asked *asked)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {{"q", &asked->q}, {"unit", &asked->unit}, {"case", &asked->case_id},
	    {"type", &asked->type}, {"county", &asked->county}, {"language", &asked->language},
	    {"from", &asked->from}, {"to", &asked->to}};
	const json_t *limit = json_object_get(body, "limit");
	const char *key;
	json_t *v;

	if (!json_is_object(body))
		return false;
	json_object_foreach((json_t *)(uintptr_t)body, key,
	    v) if (strcmp(key, "limit") != 0 && !json_is_string(v) && !json_is_null(v) &&
		   !json_is_boolean(v)) return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		*texts[i].to = json_text(body, texts[i].name);
	asked->limit = 20;
	if (limit) {
		if (!json_is_integer(limit) || json_integer_value(limit) < 1)
			return false;
		asked->limit =
		    json_integer_value(limit) > 100 ? 100 : (unsigned int)json_integer_value(limit);
	}
	asked->versions_all =
	    json_text(body, "versions") && strcmp(json_text(body, "versions"), "all") == 0;
	(void)x;
	return true;
}

void search_post(struct exchange *x)
{
	struct search_asked asked = {0};
	struct ark_error err;
	json_t *body = NULL;
	size_t len;
	const char *text = http_body(x, &len);

	if (!visit_stated_ok(x))
		return;
	if (!http_content_is(x, "application/json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return;
	}
	if (json_read(text, len, &body, &err))
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
	else if (!read_body(x, body, &asked))
		http_reply_problem(x, 400, "bad-query",
		    "The search must be an object of texts, and limit a number.", NULL);
	else if (sort_of(x, json_text(body, "sort"), &asked.by_date) &&
		 cursor_offset(x, json_text(body, "cursor"), &asked.offset))
		search_begin(x, &asked, show_found);
	json_decref(body);
}
