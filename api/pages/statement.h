/* What anybody may read: how accessible the pages are, and where to report a hole in the service. */
#ifndef ARKKI_API_PAGES_STATEMENT_H
#define ARKKI_API_PAGES_STATEMENT_H

#include "api/pages/pages.h"

#define PAGES_STATEMENT(l)                                                                         \
	GET_WITH("/" l "/accessibility", ROUTE_PUBLIC | ROUTE_PAGE, page_accessibility),

/* The accessibility statement (act 306/2019). Feedback goes to `accessibility-contact` of arkki.conf, an address of
 * electronic mail; without it the page names the organisation's contact person. */
void page_accessibility(struct exchange *x);
/* /.well-known/security.txt (RFC 9116) with `security-contact` of arkki.conf: an address of electronic mail, or a URI
 * (https:, mailto:, tel:). 404 without it. */
void security_txt(struct exchange *x);

#endif
