/* Beside the search page: its result as a table for a spreadsheet. */
#ifndef ARKKI_API_PAGES_FINDING_H
#define ARKKI_API_PAGES_FINDING_H

#include "api/pages/pages.h"

#define PAGES_FINDING(l) GET_WITH("/" l "/results.csv", ROUTE_PAGE, page_results),

enum { RESULTS_MAX = 1000 }; /* rows of one table */

/* What the search page's address finds, as CSV (RFC 4180, UTF-8 with its mark, so that spreadsheets know it): up to
 * RESULTS_MAX hits, each logged as shown, like on the page. */
void page_results(struct exchange *x);

#endif
