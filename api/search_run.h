/* One search on its way from what was asked to its log entries: private to search_service.c and
 * search_order.c. */
#ifndef ARKKI_API_SEARCH_RUN_H
#define ARKKI_API_SEARCH_RUN_H

#include "api/search_cursor.h"
#include "api/search_service.h"

struct search_run {
	struct exchange *x;
	struct visit *v;
	const struct search_asked *asked;
	struct search_view *s;
	struct search_work w;
	struct search_request r;
	char request[33], owner[33], name[33];
	struct search_place place; /* where the cursor says */
	bool goes_on;
	bool like_open; /* what it is to be like may be read */
};

/* Finds the order that the cursor names, or makes it, and where in it the page begins: s->ranking, first and from. */
ARK_MUSTUSE int search_find_order(struct search_run *u, struct ark_error *err);
/* Cuts the page out of it: what of it the caller still sees. */
ARK_MUSTUSE int search_cut_page(struct search_run *u, struct ark_error *err);

#endif
