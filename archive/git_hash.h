/* SHA-1 as Git names objects with it (libcrypto; the algorithm is fetched once a process).
 *
 * Integrity of the archive does not rest on it: the history log carries
 * SHA-256. Threads: one githash belongs to one thread at a time.
 */
#ifndef ARKKI_ARCHIVE_GIT_HASH_H
#define ARKKI_ARCHIVE_GIT_HASH_H

#include <stddef.h>

#include "arkki/archive/store.h"
#include "arkki/base/error.h"

/* The numbers that packs use. */
enum gitobj_type { GITOBJ_COMMIT = 1, GITOBJ_TREE = 2, GITOBJ_BLOB = 3, GITOBJ_TAG = 4 };

struct githash;

struct githash *githash_new(void); /* NULL: no memory, or libcrypto has no SHA-1 */
void githash_free(struct githash *h);
void githash_start(struct githash *h);
void githash_start_object(struct githash *h, enum gitobj_type type, uint64_t len);
void githash_update(struct githash *h, const void *bytes, size_t len);
/* Fails (ARK_ENOMEM) when any call since the start did. */
ARK_MUSTUSE int githash_final(struct githash *h, struct store_oid *ret, struct ark_error *err);

const char *gitobj_type_name(enum gitobj_type type);

#endif
