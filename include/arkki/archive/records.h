/* Records with a number: filed on the one that they build on, and read back from the store: every version of the policies, of the synonyms.
 *
 * The newest one of each is in the registry; this is for what went before, and for who filed it when.
 *
 * Threads: any.
 */
#ifndef ARKKI_ARCHIVE_RECORDS_H
#define ARKKI_ARCHIVE_RECORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/receipt.h"

/* Records of this kind ("orders") say what stands in a document: each is sealed under the key of the version that it is out
 * of, filing_under(), and is destroyed with it. Their member "document" names it. */
bool records_end_with_document(const char *kind);

/* Number of the newest; 0: none has been filed. */
ARK_MUSTUSE int records_number(
    struct archive *a, const char *kind, const char *id, uint32_t *ret, struct ark_error *err);
/* *ret: its envelope {"time","actor","reason","record",…}, the caller's. ARK_ENOTFOUND when there is no such
 * number. */
ARK_MUSTUSE int records_read(struct archive *a, const struct receipt *receipt, const char *kind,
    const char *id, uint32_t number, json_t **ret, struct ark_error *err);
/* Files `record` (borrowed) as the number after base, 0: as the first, and waits until it is durable. reason may be NULL. ARK_ECONFLICT:
 * another one has come in between. */
ARK_MUSTUSE int records_file(struct archive *a, const char *kind, json_t *record, uint32_t base,
    const struct filing_actor *actor, const char *reason, struct ark_error *err);

#endif
