/* Pages under /{l}: /audit… */
#ifndef ARKKI_API_PAGES_AUDIT_H
#define ARKKI_API_PAGES_AUDIT_H

#include "api/pages/pages.h"

#define PAGES_AUDIT(l)

#endif
