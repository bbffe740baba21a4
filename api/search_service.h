/* One search, as the API, the pages, saved searches and feeds ask it: the query over what the
 * caller may see, the log entries, then titles and snippets.
 *
 *   search_begin(x, &asked, then)   runs the query, or goes on in one (rankings.h), logs one `search` entry and one
 *                                   `shown` entry for every version shown, waits, and calls then(x)
 *   search_found(x)                 in then: total, facets, hits with titles and snippets
 *
 * A hit is looked up under the caller's sight when its page is made, and again when it is opened: what was
 * withdrawn since it was found is no hit any more, and the page is filled up from those behind it.
 */
#ifndef ARKKI_API_SEARCH_SERVICE_H
#define ARKKI_API_SEARCH_SERVICE_H

#include "api/app.h"
#include "api/rankings.h"
#include "arkki/index/search.h"
#include "arkki/index/snippet.h"

struct search_asked { /* borrowed for search_begin(); NULL or empty: not asked for */
	const char *q, *unit, *case_id, *type, *county, *municipality, *author, *language,
	    *publicity, *year, *from, *to, *like, *cursor;
	bool by_date, versions_all, group;
	bool by_filing; /* what was filed last first; one page of it */
	unsigned int limit;
};

enum { SEARCH_TITLE_MARKS = 16 };

struct search_view_hit {
	struct search_hit
	    hit; /* `same`: of those the ones that the caller sees; similar: so many fewer */
	size_t same_len;
	struct card card;
	struct catalogue_row row;
	struct buf snippet;                            /* HTML */
	struct snippet_where where;                    /* borrows from the view's q and snippet */
	struct snippet_mark title[SEARCH_TITLE_MARKS]; /* where the title is to be marked */
	size_t title_len;
	bool closed; /* no snippet: the text is opened for a purpose and a case alone */
};

struct search_view {
	const struct search_result *first; /* total, facets, how it was read: of the first page */
	struct ranking *ranking;
	size_t from;           /* place of the first hit, from 0 */
	struct buf next, prev; /* cursors; empty: there is no such page */
	struct buf meant;      /* did you mean: a query; on a first page only */
	struct search_view_hit hits[SEARCH_LIMIT_MAX];
	size_t found_len; /* to be opened, before search_found() */
	size_t hits_len;
	struct snippet *snippet;
	char *q, *language;
	void *more; /* of who asks for the search */
	void (*more_free)(void *more);
};

/* Replies by itself with 400 or 503 when the search cannot be made. `more` (may be NULL, with more_free) is kept in the
 * view; freed also when an error is replied. */
void search_begin(struct exchange *x, const struct search_asked *asked, void *more,
    void (*more_free)(void *more), void (*then)(struct exchange *x));
/* Opens what was found, under the receipt. NULL: an error was replied. Belongs to the exchange. */
struct search_view *search_found(struct exchange *x);

/* ---- what others ask of the index: suggestions, counts ---- */

/* Everything that a request to the index needs, taken and given back together. */
struct search_work {
	struct visit *v;
	struct access_sight *sight;
	struct search_desk *desk;
	struct search_names names;
	char (*unsettled)[33];
	size_t unsettled_len;
	struct synonyms *synonyms;
};
/* For one or several requests of this caller. After a failure too: search_work_end(). */
ARK_MUSTUSE int search_work_begin(struct visit *v, struct search_work *ret, struct ark_error *err);
void search_work_end(struct search_work *w);
/* The request for what was asked, with everything of the work in it. Facets, limit, like and offset are not set. */
struct search_request search_request_of(
    const struct search_work *w, const struct search_asked *asked);
/* Sets in r what it is to be like. A document whose text the caller may not read is one that never was:
 * *ret_open false, and the request finds nothing. */
ARK_MUSTUSE int search_settle_like(const struct search_work *w, const struct search_asked *asked,
    struct search_request *r, bool *ret_open, struct ark_error *err);
/* False: 503 is replied, there is no index here. */
bool search_there(struct exchange *x);
/* Answers a failure of the index: 400 or 503. */
void search_failed(struct exchange *x, int rc, const struct ark_error *err);
/* Why what was asked cannot be: a malformed day, or NULL. */
const char *search_asked_fault(const struct search_asked *asked);

#endif
