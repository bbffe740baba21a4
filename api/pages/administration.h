/* Pages under /{l}: /admin/… */
#ifndef ARKKI_API_PAGES_ADMINISTRATION_H
#define ARKKI_API_PAGES_ADMINISTRATION_H

#include "api/pages/pages.h"

#define PAGES_ADMINISTRATION(l)

#endif
