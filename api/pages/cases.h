/* Pages under /{l}: /cases… /orders… */
#ifndef ARKKI_API_PAGES_CASES_H
#define ARKKI_API_PAGES_CASES_H

#include "api/pages/pages.h"

#define PAGES_CASES(l)

#endif
