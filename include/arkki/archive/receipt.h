/* A receipt is proof, as a type, that entries of the ledger are durable.
 *
 * Only ledger.c makes one, after the sync that covers the entries; the
 * functions that unwrap a data key take one as an argument. So "no byte
 * without a durable access entry" is checked by the compiler.
 * A receipt covers `count` neighbouring entries from `first` on.
 */
#ifndef ARKKI_ARCHIVE_RECEIPT_H
#define ARKKI_ARCHIVE_RECEIPT_H

#include <stdint.h>

struct receipt;

uint64_t receipt_first(const struct receipt *r);
uint64_t receipt_count(const struct receipt *r);
/* The opaque text for the Arkki-Receipt header; borrowed. */
const char *receipt_token(const struct receipt *r);
void receipt_free(struct receipt *r);

#endif
