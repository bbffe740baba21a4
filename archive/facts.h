/* From the sealed JSON of the store to the catalogue's facts and the history
 * log's entries: one place, used both when filing and when replaying.
 *
 * A commit's message lists what it adds, a line each, in order:
 *   docs <docid> v0001 m0001    a version and the metadata record filed with it
 *   docs <docid> m0002          a metadata record alone
 *   docs <docid> v0001 r0001    a public rendition of a version, or its withdrawal
 *   units <name hash> m0001     any other record
 */
#ifndef ARKKI_ARCHIVE_FACTS_H
#define ARKKI_ARCHIVE_FACTS_H

#include <jansson.h>

#include "archive/envelope.h"
#include "arkki/archive/archive.h"

struct checkpoint;

enum { FACT_NAME = ENVELOPE_PATH };

/* One change line, taken apart. */
struct change {
	bool is_document;
	char kind[16]; /* "docs", "units" … */
	char name[65]; /* docid or keyed hash */
	uint32_t version;
	uint32_t metadata;  /* of the document, or the record's number */
	uint32_t rendition; /* of the version; then metadata is 0 */
};
/* Reads the line at *text and moves past it; 0 at the end, 1 for a line, ARK_ECORRUPT. */
int change_next(const char **text, struct change *ret, struct ark_error *err);

/* Sealed under a key of a document, with which it ends. */
bool change_is_of_document(const struct change *change);
void change_write(struct buf *out, const struct change *change); /* a line, with its end */

/* What one change says, with everything that its fact points into. */
struct fact {
	struct catalogue_fact f;
	struct change change;
	json_t *version_meta,
	    *record; /* record: metadata record, rendition's meta or other record */
	struct buf sealed_version, sealed_record;
	const char **units, **counties, **addressees;
	char *record_id;
	unsigned char version_sha[32], record_sha[32], content_sha[32]; /* of the sealed blobs */
};
/* Where in the store the record lies; where a part of what was uploaded lies ("content"). */
void fact_record_path(const struct change *change, char out[ENVELOPE_PATH]);
void fact_upload_path(const struct change *change, const char *part, char out[ENVELOPE_PATH]);
/* Whether there is content: a version, or a rendition that is no withdrawal. */
bool fact_has_content(const struct fact *fact);
/* How the history log calls the record and a part of the upload: the path below the document. */
void fact_record_name(const struct change *change, char out[FACT_NAME]);
void fact_upload_name(const struct change *change, const char *part, char out[FACT_NAME]);
/* Fills f from change, json and sealed buffers, which the caller has set. */
ARK_MUSTUSE int fact_fill(
    struct fact *fact, uint64_t sequence, uint32_t item, struct ark_error *err);
void fact_free(struct fact *fact); /* what it holds */

/* The history record of a fact; detail is allocated text to be freed by the caller. */
struct history_entry {
	struct ledger_record record;
	struct buf detail;
	char *roles;
};
/* tie: what it says of the access log (access_tie.h), or NULL. */
ARK_MUSTUSE int history_entry_fill(struct history_entry *e, const struct fact *fact,
    const struct store_oid *commit, uint32_t items, const struct checkpoint *tie,
    struct ark_error *err);
void history_entry_free(struct history_entry *e);

#endif
