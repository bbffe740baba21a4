/* Pages under /{l}: /units… */
#ifndef ARKKI_API_PAGES_UNITS_H
#define ARKKI_API_PAGES_UNITS_H

#include "api/pages/pages.h"

void page_units_find(struct exchange *x);
void page_unit(struct exchange *x);
void page_unit_pack(struct exchange *x);
void page_unit_pack_post(struct exchange *x);

#define PAGES_UNITS(l)                                                                             \
	GET_WITH("/" l "/units", ROUTE_PAGE, page_units_find),                                     \
	    GET_WITH("/" l "/units/{u}", ROUTE_PAGE, page_unit),                                   \
	    GET_WITH("/" l "/units/{u}/pack", ROUTE_PAGE, page_unit_pack),                         \
	    FORM("/" l "/units/{u}/pack", page_unit_pack_post),

#endif
