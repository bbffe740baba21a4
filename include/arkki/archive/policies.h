/* The policies as records: what is in force, and everything that was.
 *
 * A record of kind "policies" with the id REGISTRY_POLICIES:
 *   {"id":"current","language":"cedar","policies":text,"schema":text,"cases":{…}}
 * Its numbers, from 1, are the versions of the law of the archive; the newest is in force. What
 * a version must fulfil to be filed is its filer's matter (api/policies_api.c);
 * here is what it takes to keep, read and restore one.
 *
 * Threads: any.
 */
#ifndef ARKKI_ARCHIVE_POLICIES_H
#define ARKKI_ARCHIVE_POLICIES_H

#include <jansson.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/filing.h"

/* A record with the shipped schema. policies NULL: the shipped text; cases (borrowed) NULL: the shipped
 * ones. *ret is the caller's. */
ARK_MUSTUSE int policies_record(
    const char *policies, size_t len, json_t *cases, json_t **ret, struct ark_error *err);
/* Files it as the next version and waits: it is in force when this returns. reason may be NULL. */
ARK_MUSTUSE int policies_file(struct archive *a, json_t *record, const struct filing_actor *actor,
    const char *reason, uint32_t *ret_number, struct ark_error *err);

/* Number of the version in force; 0: none has been filed. */
ARK_MUSTUSE int policies_number(struct archive *a, uint32_t *ret, struct ark_error *err);
struct policies_version {
	uint32_t number;
	json_t *envelope; /* {"time","actor","reason","record",…}, as README.md has it */
};
/* From the store. ARK_ENOTFOUND when there is no such version. */
ARK_MUSTUSE int policies_read(struct archive *a, const struct receipt *receipt, uint32_t number,
    struct policies_version *ret, struct ark_error *err);
void policies_version_free(struct policies_version *v); /* what it holds */

/* Puts earlier policies in force, in an archive that nobody has open, even when those in force are
 * damaged: version `number` (0: the one before the newest), or the shipped set, is filed as a new
 * version. What it takes is checked first. *ret_number is the new version, *ret_from the one restored (0: the shipped set). */
ARK_MUSTUSE int policies_restore(const char *dir, const char *root_key, uint32_t number,
    bool shipped, uint32_t *ret_number, uint32_t *ret_from, struct ark_error *err);

#endif
