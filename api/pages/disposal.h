/* Pages under /{l}: /due: what is to be destroyed, transferred or reviewed, for those who may; /documents/{d}/disposal: holds on one
 * document, its proposal, and the approval by a second person. To others each answers as an address that is none. */
#ifndef ARKKI_API_PAGES_DISPOSAL_H
#define ARKKI_API_PAGES_DISPOSAL_H

#include "api/pages/forms.h"
#include "api/pages/pages.h"

#define PAGES_DISPOSAL(l)                                                                          \
	GET_WITH("/" l "/due", ROUTE_PAGE, page_due),                                              \
	    GET_WITH("/" l "/documents/{d}/disposal", ROUTE_PAGE, page_disposal),                  \
	    FORM("/" l "/documents/{d}/disposal", page_disposal_post),

void page_due(struct exchange *x);
void page_disposal(struct exchange *x);
void page_disposal_post(struct exchange *x);

/* May the caller dispose of any document at all? */
bool disposal_may(const struct caller *c);
/* What of a proposal's state, in words; SAY_COUNT: none stands. */
enum say proposal_said(const char *state);

#endif
