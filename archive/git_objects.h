/* Reads Git objects through libgit2: loose or packed, whoever wrote them.
 *
 * It knows object ids, types and bytes; not paths. libgit2's object database
 * is opened alone, without a repository: no configuration is read and no
 * owner check applies.
 *
 * Packs come (commits) and go (compaction) while it is open. A miss or a
 * failure reopens the database and tries once more before it counts.
 *
 * Threads: a gitobj belongs to one thread at a time; several may be open on one directory.
 */
#ifndef ARKKI_ARCHIVE_GIT_OBJECTS_H
#define ARKKI_ARCHIVE_GIT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/git_hash.h"
#include "arkki/archive/store.h"
#include "arkki/base/error.h"

struct gitobj;

/* objects_dir: "…/objects". */
ARK_MUSTUSE int gitobj_open(const char *objects_dir, struct gitobj **ret, struct ark_error *err);
void gitobj_close(struct gitobj *o);
/* Forgets packs that are gone. */
ARK_MUSTUSE int gitobj_reopen(struct gitobj *o, struct ark_error *err);

/* ret is ended with gitobj_release(), and may outlive o. ARK_ENOTFOUND: no such object;
 * ARK_ECORRUPT: it cannot be read, or is of another type. */
ARK_MUSTUSE int gitobj_read(struct gitobj *o, const struct store_oid *oid, enum gitobj_type type,
    struct store_blob *ret, struct ark_error *err);
void gitobj_release(struct store_blob *b);
bool gitobj_has(struct gitobj *o, const struct store_oid *oid);

/* Every object of one pack, in the order of its bytes; `bytes` is NULL, and
 * `why` says why, for one that cannot be read. A non-zero return of `each` stops. */
typedef int (*gitobj_each)(void *arg, const struct store_oid *oid, enum gitobj_type type,
    const void *bytes, size_t len, const char *why);
ARK_MUSTUSE int gitobj_each_in_pack(
    const char *idx_path, gitobj_each each, void *arg, struct ark_error *err);

#endif
