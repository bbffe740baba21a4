/* What the files of a disposition share.
 *
 *   disposition.c          the story of a run
 *   disposition_records.c  holds, proposals, tombstones as records
 *   disposition_transfer.c packages for the archive that takes a document over
 *   disposition_slots.c    which keys a document has
 *   derived_destroy.c      its derived files
 *   catalogue_forget.c     its rows
 */
#ifndef ARKKI_ARCHIVE_DISPOSITION_PRIVATE_H
#define ARKKI_ARCHIVE_DISPOSITION_PRIVATE_H

#include <jansson.h>

#include "arkki/archive/catalogue.h"
#include "arkki/archive/disposition.h"

/* Whether the writer may file this record of ours, or this change of a document: asked in the writer's thread, so that
 * a hold and a destruction cannot pass each other. held: a hold stands before it in the same group. */
ARK_MUSTUSE int disposition_settle(
    struct registry *r, const struct filing *f, bool held, struct ark_error *err);

/* A transfer whose receiver has not confirmed yet. */
bool disposition_awaits_receiver(const json_t *proposal);

/* Of a transfer that was received: whether the package confirmed holds all of the document. When not, a new one is asked
 * for by filing the proposal as "approved". */
ARK_MUSTUSE int disposition_took_all(struct archive *a, struct catalogue *catalogue,
    const json_t *proposal, const struct filing_actor *actor, bool *ret, struct ark_error *err);

/* Ids of documents: tombstones that are begun and not ended; proposals that are to be carried out. A fresh array. */
json_t *disposition_begun(struct registry *r);
json_t *disposition_approved(struct registry *r);

/* Slots of all keys of documents, ascending, each once. */
struct slots {
	uint64_t *slot;
	size_t len, cap;
};
void slots_free(struct slots *s);
ARK_MUSTUSE int slots_add(struct slots *s, uint64_t slot, struct ark_error *err);
void slots_sort(struct slots *s);
bool slots_have(const struct slots *s, uint64_t slot); /* after slots_sort() */
/* Adds those of one document; the store is read, nothing is opened. */
ARK_MUSTUSE int slots_of_document(
    struct store_reader *store, const char *document, struct slots *s, struct ark_error *err);

/* Overwrites and removes everything of the document in DIR/derived. */
ARK_MUSTUSE int derived_destroy(
    const struct archive *a, const char *document, struct ark_error *err);

#endif
