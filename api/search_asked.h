/* What is asked of a search, as it comes in an address, in JSON, and as a saved search keeps it.
 *
 * Nothing is passed over: a name that is none, or a value that is none, is told. A filter with a slip in its name
 * would otherwise find more than was asked for.
 */
#ifndef ARKKI_API_SEARCH_ASKED_H
#define ARKKI_API_SEARCH_ASKED_H

#include "api/search_service.h"

/* From the query of the address. False: 400 is replied. */
bool search_asked_query(struct exchange *x, struct search_asked *ret);
/* From an object; borrows from it. paged: with limit and cursor too. ARK_EINPUT names the member. */
ARK_MUSTUSE int search_asked_json(
    const json_t *body, bool paged, struct search_asked *ret, struct ark_error *err);

/* The answer: total, hits, facets, how it was read, next. */
json_t *search_json(const struct exchange *x, const struct search_view *s);

#endif
