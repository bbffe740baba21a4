/* What a text says that an earlier one did not, by paragraphs whose white space does not count.
 *
 * Pure. Threads: any.
 */
#ifndef ARKKI_API_PACK_CHANGES_H
#define ARKKI_API_PACK_CHANGES_H

#include <stddef.h>

#include "arkki/base/buf.h"

/* Calls each() with the first `most` paragraphs of `to` that are not in `from`, each once; returns how many there are.
 * With the two exchanged: what was removed. */
size_t changes_each(const struct buf *from, const struct buf *to, size_t most,
    void (*each)(void *arg, const char *paragraph), void *arg);

#endif
