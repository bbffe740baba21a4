/* What a search page was asked for, and its form. Shared by search.c and search_form.c. */
#ifndef ARKKI_API_PAGES_SEARCH_H
#define ARKKI_API_PAGES_SEARCH_H

#include "api/pages/pages.h"
#include "api/search_service.h"

enum { HITS_A_PAGE = 20 };

/* What the address asks for; a copy with one thing changed makes the address of a link. */
struct wanted {
	const char *q, *type, *unit, *language, *county, *author, *publicity, *like, *sort, *cursor;
	bool group;
	const char *from, *to; /* as typed */
	char from_iso[11], to_iso[11];
	bool from_wrong, to_wrong;
};

/* Borrows the texts of the exchange. */
void wanted_read(const struct exchange *x, struct wanted *ret);
/* Replaces url by the address that asks for this. */
void wanted_url(const struct page *p, const struct wanted *w, struct buf *url);
/* Says what of it is wrong. */
void wanted_errors(struct page *p, const struct wanted *w);
void search_form(struct page *p, const struct wanted *w);
/* The chosen filters, each a link without it. */
void search_chosen(struct page *p, const struct wanted *w);

/* Is anything but words asked for? */
bool wanted_narrow(const struct wanted *w);

/* search_hits.c */
void search_hit(struct page *p, const struct wanted *w, const struct search_view_hit *hit);

#endif
