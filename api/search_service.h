/* One search, as the API and the pages ask it: the query over what the
 * caller may see, the log entries, then titles and snippets.
 *
 *   search_begin(x, &asked, then)   runs the query, logs one `search` entry and one `shown` entry a hit,
 *                                   waits, and calls then(x)
 *   search_found(x)                 in then: total, facets, hits with titles and snippets
 */
#ifndef ARKKI_API_SEARCH_SERVICE_H
#define ARKKI_API_SEARCH_SERVICE_H

#include "api/app.h"
#include "arkki/index/search.h"

struct search_asked { /* borrowed for search_begin(); NULL or empty: not asked for */
	const char *q, *unit, *case_id, *type, *county, *language, *from, *to;
	bool by_date, versions_all;
	unsigned int limit, offset;
};

struct search_view {
	struct search_result result;
	struct { /* one a hit */
		struct card card;
		struct catalogue_row row;
		struct buf snippet; /* HTML */
		bool closed; /* no snippet: the text is opened for a purpose and a case alone */
	} hits[SEARCH_LIMIT_MAX];
	size_t hits_len;
	char *q, *language;
};

/* Replies by itself with 400 or 503 when the search cannot be made. */
void search_begin(
    struct exchange *x, const struct search_asked *asked, void (*then)(struct exchange *x));
/* Opens what was found, under the receipt. NULL: an error was replied. Belongs to the exchange. */
struct search_view *search_found(struct exchange *x);

#endif
