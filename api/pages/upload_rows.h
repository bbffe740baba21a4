/* What a form for uploads has for browsers with a script: api/web/filing.js says how it is used.
 *
 * Threads: those of the server.
 */
#ifndef ARKKI_API_PAGES_UPLOAD_ROWS_H
#define ARKKI_API_PAGES_UPLOAD_ROWS_H

#include "api/pages/pages.h"

/* Inside the form, behind its file field. several: a folder may be chosen too. */
void page_upload_rows(struct page *p, bool several);

#endif
