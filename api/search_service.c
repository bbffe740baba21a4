#include "api/search_service.h"

#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/indexer.h"
#include "api/synonyms.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/index/snippet.h"

enum { SNIPPET_CHARS = 240, UNSETTLED_MAX = 5000 };

static void view_free(void *arg)
{
	struct search_view *s = arg;

	for (size_t i = 0; i < s->hits_len; i++) {
		card_free(&s->hits[i].card);
		catalogue_row_free(&s->hits[i].row);
		buf_wipe_free(&s->hits[i].snippet);
	}
	search_result_clear(&s->result);
	free(s->q);
	free(s->language);
	free(s);
}

/* ---- what the index may show too much of ---- */

struct unsettled {
	char (*documents)[33];
	size_t len, cap;
	struct ark_error *err;
};

static int add_unsettled(void *arg, const char document[33])
{
	struct unsettled *u = arg;

	if (u->len == UNSETTLED_MAX)
		return ark_fail(u->err, ARK_EIO, "the index is too far behind the archive");
	if (u->len == u->cap) {
		size_t cap = u->cap ? u->cap * 2 : 16;
		char(*documents)[33] = realloc(u->documents, cap * sizeof(*documents));

		if (!documents)
			return ark_fail(u->err, ARK_ENOMEM, "no memory for a search");
		u->documents = documents;
		u->cap = cap;
	}
	memcpy(u->documents[u->len++], document, 33);
	return ARK_OK;
}

/* Left out, so that a search finds nobody's document by words that were taken from sight, nor
 * counts it, while the index has yet to hear of it. */
static int find_unsettled(
    struct visit *v, const struct access_sight *sight, struct unsettled *u, struct ark_error *err)
{
	struct desk *desk = NULL;
	int rc = archive_desk(v->app->archive, &desk, err);

	u->err = err;
	if (!rc)
		rc = catalogue_unsettled(desk->catalogue, indexer_sequence(v->app->indexer), sight,
		    add_unsettled, u, err);
	archive_desk_return(v->app->archive, desk);
	return rc;
}

static int run_query(
    struct visit *v, const struct search_asked *asked, struct search_view *s, struct ark_error *err)
{
	struct access_sight *sight = NULL;
	struct search_desk *desk = NULL;
	struct unsettled unsettled = {0};
	struct synonyms *synonyms = NULL;
	struct search_request r = {
	    .q = asked->q,
	    .unit = asked->unit,
	    .case_id = asked->case_id,
	    .type = asked->type,
	    .county = asked->county,
	    .language = asked->language,
	    .from = asked->from,
	    .to = asked->to,
	    .sort = asked->by_date ? SEARCH_BY_DATE : SEARCH_BY_RELEVANCE,
	    .limit = asked->limit,
	    .offset = asked->offset,
	    .versions_all = asked->versions_all,
	    .facets = true,
	};
	int rc = caller_sight(v->caller, &sight, err);

	r.sight = sight;
	if (!rc)
		rc = find_unsettled(v, sight, &unsettled, err);
	r.without = (const char(*)[33])unsettled.documents;
	r.without_len = unsettled.len;
	if (!rc)
		rc = indexer_desk(v->app->indexer, &desk, err);
	if (!rc)
		rc = synonyms_current(v->app, desk->analyser, &synonyms, err);
	r.synonyms = synonyms;
	if (!rc)
		rc = search_query(desk->reader, &r, &s->result, err);
	synonyms_unref(synonyms);
	indexer_desk_return(v->app->indexer, desk);
	access_sight_unref(sight);
	free(unsettled.documents);
	return rc;
}

static void log_search(struct exchange *x, struct visit *v, const struct search_view *s,
    const char *q, void (*then)(struct exchange *x))
{
	struct ledger_record records[SEARCH_LIMIT_MAX + 1];
	size_t n = 0;

	records[n] = visit_record(v, "search");
	records[n++].query = q ? q : "";
	for (size_t i = 0; i < s->result.hits_len && i < SEARCH_LIMIT_MAX; i++) {
		records[n] = visit_record(v, "shown");
		records[n].document = s->result.hits[i].document;
		records[n++].version = s->result.hits[i].version;
	}
	visit_log(x, records, n, then);
}

void search_begin(
    struct exchange *x, const struct search_asked *asked, void (*then)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct search_view *s;
	struct ark_error err = {0};
	int rc;

	if (!v)
		return;
	if (!v->app->indexer) {
		http_reply_problem(x, 503, "no-index", NULL, NULL);
		return;
	}
	if ((asked->from && *asked->from && !date_valid(asked->from)) ||
	    (asked->to && *asked->to && !date_valid(asked->to))) {
		http_reply_problem(
		    x, 400, "bad-date", "from and to must be dates YYYY-MM-DD.", NULL);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	v->more = s;
	v->more_free = view_free;
	s->q = asked->q && *asked->q ? strdup(asked->q) : NULL;
	s->language = asked->language && *asked->language ? strdup(asked->language) : NULL;
	rc = run_query(v, asked, s, &err);
	if (rc == ARK_EINPUT) {
		http_reply_problem(x, 400, "bad-query", err.text, NULL);
	} else if (rc) {
		http_reply_header(x, "Retry-After", "2");
		http_reply_problem(x, 503, "search", NULL, NULL);
	} else {
		log_search(x, v, s, s->q, then);
	}
}

/* ---- what was found ---- */

/* What opens the hits of one answer. */
struct opener {
	struct visit *v;
	struct desk *desk;
	struct snippet *snippet;
	/* any: the caller's sight, which the hit was found by; whole: whose bytes and text are open */
	struct access_sight content;
};

/* Would a purpose and a case open the text of this hit? */
static bool needs_purpose(const struct opener *o, const struct card *card)
{
	return caller_decides(
		   o->v->caller, o->v->app, ACCESS_READ_CONTENT, card->fields, false, NULL)
		   .outcome == ACCESS_NEEDS_PURPOSE;
}

/* A snippet is a piece of the text: where the text needs a purpose that was not stated, there is none. */
static int make_snippet(const struct opener *o, struct search_view *s, const struct search_hit *hit,
    const struct catalogue_row *row, struct ark_error *err)
{
	struct catalogue_row content;
	struct buf text = BUF_INIT;
	bool open = !hit->whole;
	int rc;

	if (hit->whole) {
		rc = catalogue_get(
		    o->desk->catalogue, hit->document, hit->version, &o->content, &content, err);
		if (rc)
			return rc == ARK_ENOTFOUND ? ARK_OK : rc;
		open = content.whole;
		catalogue_row_free(&content);
	}
	if (!open) {
		s->hits[s->hits_len - 1].closed = needs_purpose(o, &s->hits[s->hits_len - 1].card);
		return ARK_OK;
	}
	/* without text (none, or not yet) there is no snippet, and that is no failure */
	rc = ARK_OK;
	if (reading_text(o->v->app->archive, o->v->receipt, row,
		hit->whole ? FORM_WHOLE : FORM_PUBLIC, &text, NULL) == ARK_OK)
		rc = snippet_make(o->snippet, text.data ? text.data : "", text.len, row->language,
		    SNIPPET_CHARS, &s->hits[s->hits_len - 1].snippet, NULL, err);
	buf_wipe_free(&text);
	return rc;
}

/* The row is looked up again under the caller's sight: what was withdrawn since the query is no longer
 * a hit, nor is what was found by words of a whole that is not shown any more. */
static int open_hit(const struct opener *o, const struct access_sight *sight, struct search_view *s,
    const struct search_hit *hit, struct ark_error *err)
{
	struct catalogue_row *row = &s->hits[s->hits_len].row;
	int rc = catalogue_get(o->desk->catalogue, hit->document, hit->version, sight, row, err);

	if (rc)
		return rc == ARK_ENOTFOUND ? ARK_OK : rc;
	if (hit->whole ? !row->whole : !row->rendition.number) {
		catalogue_row_free(row);
		return ARK_OK;
	}
	row->whole = hit->whole;
	rc = shown_card(o->v->app->archive, o->v->receipt, row, &s->hits[s->hits_len].card, err);
	if (rc) {
		catalogue_row_free(row);
		return rc;
	}
	s->hits_len++;
	return make_snippet(o, s, hit, row, err);
}

static int open_hits(struct opener *o, struct search_view *s, struct ark_error *err)
{
	struct access_filter *content = NULL;
	struct access_sight *sight = NULL;
	int rc = caller_sight(o->v->caller, &sight, err);

	if (!rc)
		rc = caller_content_filter(o->v->caller, &content, err);
	if (!rc)
		o->content = (struct access_sight){sight->any, content};
	for (size_t i = 0; !rc && i < s->result.hits_len && s->hits_len < SEARCH_LIMIT_MAX; i++)
		rc = open_hit(o, sight, s, &s->result.hits[i], err);
	access_filter_free(content);
	access_sight_unref(sight);
	return rc;
}

struct search_view *search_found(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct search_view *s = v->more;
	struct search_desk *words = NULL;
	struct opener o = {.v = v};
	struct synonyms *synonyms = NULL;
	struct ark_error err = {0};
	int rc = archive_desk(v->app->archive, &o.desk, &err);

	if (!rc)
		rc = indexer_desk(v->app->indexer, &words, &err);
	if (!rc)
		rc = synonyms_current(v->app, words->analyser, &synonyms, &err);
	if (!rc)
		rc = snippet_new(words->analyser, s->q ? s->q : "", s->language, synonyms, NULL,
		    &o.snippet, &err);
	if (!rc)
		rc = open_hits(&o, s, &err);
	snippet_free(o.snippet);
	synonyms_unref(synonyms);
	indexer_desk_return(v->app->indexer, words);
	archive_desk_return(v->app->archive, o.desk);
	if (rc) {
		http_reply_error(x, &err);
		return NULL;
	}
	return s;
}
