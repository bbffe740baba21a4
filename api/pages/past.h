/* Pages under /{l}: /documents/{d}/history, …/compare */
#ifndef ARKKI_API_PAGES_PAST_H
#define ARKKI_API_PAGES_PAST_H

#include "api/pages/pages.h"

#define PAGES_PAST(l)

#endif
