/* The cursor of a search: which order it goes on in (rankings.h), and where.
 *
 * It is sealed. It is of one search of one user: with other words or filters, or of another, it is malformed. With the same ones it is good for ever: when
 * its order is not kept any more, the search runs again and goes on behind the document shown last.
 */
#ifndef ARKKI_API_SEARCH_CURSOR_H
#define ARKKI_API_SEARCH_CURSOR_H

#include "api/search_service.h"

struct search_place {
	char request[33]; /* what was asked */
	char name[33];    /* of the order */
	char last[33];    /* the document before `at`; "": none */
	uint32_t version; /* of it */
	size_t at;        /* the place that the page begins with */
};

/* Who asks what, but for limit and cursor, as a name. ARK_ENOMEM. */
ARK_MUSTUSE int search_request_tag(const struct app *app, const struct caller *c,
    const struct search_asked *asked, char ret[33], struct ark_error *err);
/* The request, what is stated with it and what is shown to who asks: an order outlives no change of rights. ARK_ENOMEM,
 * or ARK_EIO where the sight is too deep. */
ARK_MUSTUSE int search_owner_tag(const struct app *app, const struct caller *c,
    const struct access_sight *sight, const char request[33], char ret[33], struct ark_error *err);
void search_place_write(const struct app *app, const struct search_place *p, struct buf *out);
/* ARK_EINPUT: not a cursor of this search. */
ARK_MUSTUSE int search_place_read(const struct app *app, const char *cursor, const char request[33],
    struct search_place *ret, struct ark_error *err);

#endif
