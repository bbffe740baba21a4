/* Writes one Git pack (version 2, nothing deltified) and its idx (version 2).
 *
 * It knows objects and files; not trees, commits or refs. Blobs are sealed,
 * so they are stored (zlib level 0), and so is what is shorter than 4 KiB; larger trees and
 * commits are deflated at level 1.
 * Formats: gitformat-pack(5).
 *
 * A pack up to 4 MiB (a usual group of filings) is made in memory and
 * written once. A larger one streams to the temporary file in constant memory
 * and is read back once for its trailer, because the number of objects stands
 * before them in the digest.
 *
 * Life: new, then any number of (start, add…, finish or abort), then free. Buffers are kept.
 * Threads: one thread at a time.
 * Durability: gitpack_finish() syncs the pack, the idx, then (after renaming
 * the pack and then the idx: git sees a pack by its idx) their directory.
 */
#ifndef ARKKI_ARCHIVE_GIT_PACK_H
#define ARKKI_ARCHIVE_GIT_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/git_hash.h"
#include "arkki/archive/store.h"
#include "arkki/base/error.h"

struct gitpack;

/* pack_dir: "…/objects/pack". */
ARK_MUSTUSE int gitpack_new(const char *pack_dir, struct gitpack **ret, struct ark_error *err);
void gitpack_free(struct gitpack *p);

void gitpack_start(struct gitpack *p);
/* An object that the pack has already is not written again. */
ARK_MUSTUSE int gitpack_add(struct gitpack *p, enum gitobj_type type, const void *bytes, size_t len,
    struct store_oid *ret, struct ark_error *err);
/* A blob of `len` bytes at `offset` of fd, in constant memory. */
ARK_MUSTUSE int gitpack_add_fd(struct gitpack *p, int fd, uint64_t offset, uint64_t len,
    struct store_oid *ret, struct ark_error *err);
/* On failure nothing of this pack stays in the directory. */
ARK_MUSTUSE int gitpack_finish(struct gitpack *p, struct ark_error *err);
/* Of its last files, without an end ("pack-…" is before it); "" before they have it. Equal bytes have equal names. */
const char *gitpack_name(const struct gitpack *p);
/* Takes back what start or finish made: only while no ref needs it. */
void gitpack_abort(struct gitpack *p);
/* A sync failed: the caller must not go on writing. */
bool gitpack_sync_failed(const struct gitpack *p);

#endif
