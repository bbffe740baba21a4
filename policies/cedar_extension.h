/* Cedar's extension types: decimal, ipaddr, datetime, duration. */
#ifndef ARKKI_POLICIES_CEDAR_EXTENSION_H
#define ARKKI_POLICIES_CEDAR_EXTENSION_H

#include "policies/cedar_private.h"

#define MS_SECOND ((int64_t)1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR (60 * MS_MINUTE)
#define MS_DAY (24 * MS_HOUR)

/* What the constructor fn makes of a text. NULL, or what is wrong with it: the end of a sentence; then
 * *ret is of no use. */
const char *cedar_extension_read(enum cedar_fn fn, struct cedar_text arg, struct cedar_value *ret);
/* Calls a function or method, the receiver first. 0, or 1 and Cedar's evaluation error in err. The
 * constructors take their string from args[0]. */
ARK_MUSTUSE int cedar_extension_call(enum cedar_fn fn, const struct cedar_value *args, size_t n,
    struct cedar_value *ret, struct ark_error *err);
/* "decimal", "isInRange", …; false when there is no such function. */
bool cedar_extension_named(struct cedar_text name, enum cedar_fn *ret);
const char *cedar_extension_name(enum cedar_fn fn);
/* "a datetime": for sentences. */
const char *cedar_kind_name(enum cedar_kind kind);
/* As the call that makes it. */
void cedar_extension_print(const struct cedar_value *v, struct buf *out);

#endif
