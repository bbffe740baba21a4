/* Trees that this process wrote or read lately, for the next transaction.
 *
 * Every commit makes a pack that the object database does not know yet, and a
 * miss there rereads the whole pack directory (1.2 ms at 200 packs). The next
 * transaction almost always wants trees of the last ones: they are here.
 *
 * Objects never change, so neither does a cached one. At most 32 MiB.
 * Threads: one thread at a time.
 */
#ifndef ARKKI_ARCHIVE_GIT_TREE_CACHE_H
#define ARKKI_ARCHIVE_GIT_TREE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "arkki/archive/store.h"
#include "arkki/base/buf.h"

struct gittree_cache;

struct gittree_cache *gittree_cache_new(void); /* NULL: no memory */
void gittree_cache_free(struct gittree_cache *c);
/* Remembers a copy; forgets others for it, or does nothing when memory is out. */
void gittree_cache_put(
    struct gittree_cache *c, const struct store_oid *oid, const void *bytes, size_t len);
/* Appends the tree's bytes to out. False: it is not here. */
bool gittree_cache_get(const struct gittree_cache *c, const struct store_oid *oid, struct buf *out);

#endif
