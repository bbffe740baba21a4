/* The areas of the pages: each declares its handlers and its routes, which api/routes.c puts into the table
 * once for each language. PAGES_X(l): routes, each with a comma behind it.
 */
#ifndef ARKKI_API_PAGES_AREAS_H
#define ARKKI_API_PAGES_AREAS_H

#include "api/pages/administration.h"
#include "api/pages/audit.h"
#include "api/pages/cases.h"
#include "api/pages/disposal.h"
#include "api/pages/filing.h"
#include "api/pages/finding.h"
#include "api/pages/past.h"
#include "api/pages/statement.h"
#include "api/pages/units.h"

#endif
