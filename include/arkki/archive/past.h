/* The archive as it stood at a time: for decisions made again.
 *
 * The store keeps every record and every metadata record that was ever in force, with its
 * time; this finds those of a time. It knows no rights and decides nothing.
 *
 * A record counts from the time that stands in it, which is when its filing began: within the few
 * milliseconds of a commit, what was in force is not told apart.
 *
 * Cost: each record that stands now is opened, and of one that changed since, every later number
 * too: 12,000 records take 0.6 s on the project's machine. A thread of its own is the place for it.
 * Memory: one registry. Threads: any.
 */
#ifndef ARKKI_ARCHIVE_PAST_H
#define ARKKI_ARCHIVE_PAST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/receipt.h"

/* A fresh registry of the organisations, users, units, cases, placements and policies of that time,
 * registry_free(); so registry_principal_on() gives who a user was then, under the policies of
 * then. ret_policies (may be NULL): the number of their record. ARK_EINPUT when no policies were in
 * force yet: there was no archive to decide anything. */
ARK_MUSTUSE int past_registry(struct archive *a, const struct receipt *receipt, int64_t time_us,
    struct registry **ret, uint32_t *ret_policies, struct ark_error *err);

/* What decisions know of a version. */
struct past_document {
	uint32_t version, metadata; /* the metadata record that was in effect for it */
	json_t *fields;             /* of that record, in normal form */
	json_t *counties;           /* of its units when it was filed */
	bool rendition;             /* there was a public rendition */
};
void past_document_free(struct past_document *d); /* what it holds */

/* version 0: the newest then. ARK_ENOTFOUND when the version was not there yet. */
ARK_MUSTUSE int past_document(struct archive *a, const struct receipt *receipt,
    const char *document, uint32_t version, int64_t time_us, struct past_document *ret,
    struct ark_error *err);

/* The meta of one public rendition of a version, replaced and withdrawn ones too (a withdrawal is one that has no file but
 * "withdrawn"); number from 1. Its reason is for readers of the whole version alone. ARK_ENOTFOUND: there is no such one. */
ARK_MUSTUSE int past_rendition(struct archive *a, const struct receipt *receipt,
    const char *document, uint32_t version, uint32_t number, json_t **ret, struct ark_error *err);

#endif
