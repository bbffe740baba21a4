/* The second half of a search, under the receipt of its log entries: titles and snippets. */
#include <string.h>

#include "api/documents.h"
#include "api/indexer.h"
#include "api/search_names.h"
#include "api/search_service.h"
#include "api/synonyms.h"
#include "arkki/base/json.h"

enum { SNIPPET_CHARS = 240 };

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
static int make_snippet(const struct opener *o, struct search_view_hit *h, struct ark_error *err)
{
	const struct search_hit *hit = &h->hit;
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
		h->closed = needs_purpose(o, &h->card);
		return ARK_OK;
	}
	/* without text (none, or not yet) there is no snippet, and that is no failure */
	rc = ARK_OK;
	if (reading_text(o->v->app->archive, o->v->receipt, &h->row,
		hit->whole ? FORM_WHOLE : FORM_PUBLIC, &text, NULL) == ARK_OK)
		rc = snippet_make(o->snippet, text.data ? text.data : "", text.len, h->row.language,
		    SNIPPET_CHARS, &h->snippet, &h->where, err);
	buf_wipe_free(&text);
	return rc;
}

/* A hit may be one for its title alone. */
static int mark_title(const struct opener *o, struct search_view_hit *h, struct ark_error *err)
{
	const char *title = json_text(h->card.fields, "title");

	return title ? snippet_marks(o->snippet, title, strlen(title), h->row.language, h->title,
			   SEARCH_TITLE_MARKS, &h->title_len, err)
		     : ARK_OK;
}

/* The row is looked up again under the caller's sight: what was withdrawn since the query is no longer
 * a hit, nor is what was found by words of a whole that is not shown any more. */
static int open_hit(const struct opener *o, const struct access_sight *sight, struct search_view *s,
    size_t found, struct ark_error *err)
{
	struct search_view_hit *h = &s->hits[s->hits_len];
	struct catalogue_row *row = &h->row;
	int rc;

	if (found != s->hits_len)
		*h = s->hits[found]; /* nothing of it is open yet */
	rc = catalogue_get(o->desk->catalogue, h->hit.document, h->hit.version, sight, row, err);
	if (rc)
		return rc == ARK_ENOTFOUND ? ARK_OK : rc;
	if (h->hit.whole ? !row->whole : !row->rendition.number) {
		catalogue_row_free(row);
		return ARK_OK;
	}
	row->whole = h->hit.whole;
	rc = shown_card(o->v->app->archive, o->v->receipt, row, &h->card, err);
	if (rc) {
		catalogue_row_free(row);
		return rc;
	}
	s->hits_len++;
	rc = mark_title(o, h, err);
	return rc ? rc : make_snippet(o, h, err);
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
	for (size_t i = 0; !rc && i < s->found_len; i++)
		rc = open_hit(o, sight, s, i, err);
	access_filter_free(content);
	access_sight_unref(sight);
	return rc;
}

struct search_view *search_found(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct search_view *s = v->more;
	struct search_desk *words = NULL;
	struct synonyms *synonyms = NULL;
	struct search_names names = search_names_of(v);
	struct opener o = {.v = v};
	struct ark_error err = {0};
	int rc = archive_desk(v->app->archive, &o.desk, &err);

	if (!rc)
		rc = indexer_desk(v->app->indexer, &words, &err);
	if (!rc)
		rc = synonyms_current(v->app, words->analyser, &synonyms, &err);
	if (!rc)
		rc = snippet_new(words->analyser, s->q ? s->q : "", s->language, synonyms, &names,
		    &s->snippet, &err);
	o.snippet = s->snippet;
	if (!rc)
		rc = open_hits(&o, s, &err);
	synonyms_unref(synonyms);
	indexer_desk_return(v->app->indexer, words);
	archive_desk_return(v->app->archive, o.desk);
	if (rc) {
		http_reply_error(x, &err);
		return NULL;
	}
	return s;
}
