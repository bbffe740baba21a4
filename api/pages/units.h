/* Pages under /{l}: /units… */
#ifndef ARKKI_API_PAGES_UNITS_H
#define ARKKI_API_PAGES_UNITS_H

#include "api/pages/pages.h"

#define PAGES_UNITS(l)

#endif
