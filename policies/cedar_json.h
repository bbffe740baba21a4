/* JSON of Cedar's tests: names and ids may contain NUL. */
#ifndef ARKKI_POLICIES_CEDAR_JSON_H
#define ARKKI_POLICIES_CEDAR_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "arkki/base/error.h"

/* On success *ret is the caller's (json_decref). No duplicate keys; at most CEDAR_DEPTH_MAX deep where there
 * is a NUL. */
ARK_MUSTUSE int cedar_json_read(const char *text, size_t len, json_t **ret, struct ark_error *err);

#endif
