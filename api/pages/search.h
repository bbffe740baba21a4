/* What a search page was asked for, and its form. Shared by search.c and search_form.c. */
#ifndef ARKKI_API_PAGES_SEARCH_H
#define ARKKI_API_PAGES_SEARCH_H

#include "api/pages/pages.h"
#include "api/search_service.h"

enum { HITS_A_PAGE = 20 };

/* What the address asks for; a copy with one thing changed makes the address of a link. */
struct wanted {
	const char *q, *type, *unit, *language, *county, *author, *publicity, *case_id,
	    *municipality, *year, *like, *sort, *cursor;
	bool group, versions_all;
	const char *from, *to; /* as typed */
	char from_iso[11], to_iso[11];
	bool from_wrong, to_wrong;
	bool plain;        /* what is chosen is told, not offered for removal */
	const char *saved; /* the name of the saved search that this is, or NULL */
	uint64_t seen;     /* of a saved one: what was filed later is new */
};

/* Borrows the texts of the exchange. */
void wanted_read(const struct exchange *x, struct wanted *ret);
/* The same from the query of a saved search; borrows from it. */
void wanted_saved(const json_t *query, struct wanted *ret);
/* What search_begin() takes. */
struct search_asked wanted_asked(const struct wanted *w);
/* Hidden fields that say the same in a form; with q and dates, or without what the search form asks for itself. */
void wanted_fields(struct page *p, const struct wanted *w, bool whole);
/* Replaces url by the address that asks for this. */
void wanted_url(const struct page *p, const struct wanted *w, struct buf *url);
/* Says what of it is wrong. */
void wanted_errors(struct page *p, const struct wanted *w);
void search_form(struct page *p, const struct wanted *w);
/* The chosen filters, each a link without it. */
void search_chosen(struct page *p, const struct wanted *w);

/* Is anything but words asked for? */
bool wanted_narrow(const struct wanted *w);

/* search.c: the page; s NULL: what was asked has a fault. */
void search_show(struct exchange *x, const struct wanted *w, const struct search_view *s);

/* saved.c: the form that keeps this search under a name. */
void saved_form(struct page *p, const struct wanted *w);

/* search_hits.c */
void search_hit(struct page *p, const struct wanted *w, const struct search_view_hit *hit);

#endif
