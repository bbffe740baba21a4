/* Facts read back from the store: used at start, by rebuild and by verify. */
#ifndef ARKKI_ARCHIVE_RECOVER_H
#define ARKKI_ARCHIVE_RECOVER_H

#include "archive/facts.h"

/* What one change line says, opened under the receipt. content_sha is not filled. */
ARK_MUSTUSE int recover_fact(struct store_reader *r, struct keyring *keys,
    const struct receipt *receipt, const struct change *change, uint64_t sequence, uint32_t item,
    struct fact *ret, struct ark_error *err);
/* SHA-256 of the sealed content, all chunks in order. */
ARK_MUSTUSE int recover_content_digest(
    struct store_reader *r, const struct fact *fact, unsigned char out[32], struct ark_error *err);

/* Whether the history log has every entry of the store's last commit. A running server commits
 * first: who opens beside it may find the log behind for a moment. */
ARK_MUSTUSE int recover_level(struct archive *a, bool *ret, struct ark_error *err);

#endif
