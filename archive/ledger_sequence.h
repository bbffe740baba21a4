/* The last sequence number of each document and each principal, in memory.
 *
 * Filled as they are asked for, through a callback that knows what is on disk.
 * Threads: the writer's own.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_SEQUENCE_H
#define ARKKI_ARCHIVE_LEDGER_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/error.h"

enum { SEQUENCE_KEY = 17 };

struct sequence_key {
	unsigned char bytes[SEQUENCE_KEY]; /* series, then the 16 bytes of the id or its hash */
};
/* principal: else a document. own: the series of own_series records. */
struct sequence_key sequence_key(bool principal, bool own, const unsigned char id[16]);

struct sequences;
typedef int (*sequence_lookup)(
    void *arg, const struct sequence_key *key, uint64_t *ret_last, struct ark_error *err);

ARK_MUSTUSE int sequences_new(
    sequence_lookup lookup, void *arg, struct sequences **ret, struct ark_error *err);
void sequences_free(struct sequences *s);
/* The number after the last one. On failure nothing has moved. */
ARK_MUSTUSE int sequences_next(
    struct sequences *s, const struct sequence_key *key, uint64_t *ret, struct ark_error *err);
/* What a key's last number is known to be. */
ARK_MUSTUSE int sequences_set(
    struct sequences *s, const struct sequence_key *key, uint64_t last, struct ark_error *err);
size_t sequences_count(const struct sequences *s);
void sequences_clear(struct sequences *s); /* all is on disk: forget it */

#endif
