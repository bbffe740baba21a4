/* Pages under /{l}: /file… */
#ifndef ARKKI_API_PAGES_FILING_H
#define ARKKI_API_PAGES_FILING_H

#include "api/pages/pages.h"

#define PAGES_FILING(l)

#endif
