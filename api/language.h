/* Which of fi, sv and en a client prefers. Pure. */
#ifndef ARKKI_API_LANGUAGE_H
#define ARKKI_API_LANGUAGE_H

#include <stdbool.h>

#include "arkki/api/http.h"

/* "fi", "sv" or "en". */
bool language_from_tag(const char *tag, enum http_language *ret);
/* The best of an Accept-Language header (RFC 9110 12.5.4; NULL allowed): highest weight, the
 * earlier one among equals, "*" means Finnish; Finnish when none is acceptable. */
enum http_language language_choose(const char *accept);

#endif
