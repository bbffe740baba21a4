/* Settings in DIR/arkki.conf: lines "key value", '#' begins a comment line.
 *
 * Threads: any; the file is read anew by each call.
 */
#ifndef ARKKI_ARCHIVE_CONF_H
#define ARKKI_ARCHIVE_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/error.h"

/* The value of a key, "" when it is not there. ARK_EINPUT: twice, or longer than size allows. */
ARK_MUSTUSE int conf_text(
    const char *dir, const char *key, char *ret, size_t size, struct ark_error *err);
/* "yes" or "no"; *ret is left as it is when the key is not there. */
ARK_MUSTUSE int conf_bool(const char *dir, const char *key, bool *ret, struct ark_error *err);
/* A whole number from least to most; *ret is left as it is when the key is not there. */
ARK_MUSTUSE int conf_number(const char *dir, const char *key, unsigned long least,
    unsigned long most, unsigned long *ret, struct ark_error *err);

#endif
