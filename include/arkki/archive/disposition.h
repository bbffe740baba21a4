/* Disposition: how long a document is kept, who may stop that, and its end.
 *
 * Four kinds of records, filed as any other (README.md has their members):
 *   retention   the table: which documents are kept how long, and what then
 *   holds       a document that must not be destroyed, whatever the table says
 *   disposals   a proposal for one document, its approval by a second person, its withdrawal; of a transfer the
 *               packages made for the receiver, and the receiver's confirmation of one
 *   tombstones  what is left of a destroyed document
 * All are in the registry; the id is the document's.
 *
 * It knows periods, records and the order of a destruction. It does not know who may do what: callers
 * settle that first. The index is its caller's (struct disposition_run).
 *
 * Threads: any; one run at a time, a second is ARK_ECONFLICT.
 * Durability: a tombstone of the state "begun" is durable before anything is dropped, so that a destruction
 * that was cut off goes on at the next run, and nothing of the document is shown in between.
 */
#ifndef ARKKI_ARCHIVE_DISPOSITION_H
#define ARKKI_ARCHIVE_DISPOSITION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/receipt.h"

/* ---- the retention table: retention.c ---- */

/* The record of kind "retention" that is in force: {"id":"current","rows":[…]}. Until one was filed, the
 * shipped records of that kind are the rows. */
#define RETENTION_TABLE "current"
enum { RETENTION_ROWS_MAX = 2000, RETENTION_YEARS_MAX = 200 };

/* ARK_EINPUT says what is wrong with an array of rows {"id","type","org","years","from","then","ground","note","confirmed"}. ground: by
 * which statute or plan; note: a text, or {"fi","sv","en"}; confirmed: a lawyer has. */
ARK_MUSTUSE int retention_check(const json_t *rows, struct ark_error *err);
/* The rows in force; *ret is the caller's. */
ARK_MUSTUSE int retention_rows(struct registry *r, json_t **ret, struct ark_error *err);

struct retention_subject {                          /* borrowed */
	const char *type, *author, *date, *case_id; /* case_id: NULL none */
	int64_t filed_us;                           /* of the newest version */
};
struct retention_term {
	const json_t *row; /* of the rows given; NULL: no row speaks of it */
	char since[11];    /* the first day on which it is due; "": the period has not begun */
	bool due;          /* on the day asked about */
};
/* The row alone; NULL: none speaks of it. Of the subject type and author count. Borrowed from rows. */
const json_t *retention_row(
    const json_t *rows, struct registry *r, const struct retention_subject *s);
/* The most specific row: type and organisation, type, organisation, neither; an organisation's row holds for
 * documents of those that it follows too, an exact one first. */
void retention_term(const json_t *rows, struct registry *r, const struct retention_subject *s,
    const char *day, struct retention_term *ret);

/* ---- what stands for one document; NULL: nothing. The caller's reference. ---- */

json_t *disposition_hold(struct registry *r, const char *document); /* one that is in force today */
json_t *disposition_proposal(struct registry *r, const char *document); /* proposed or approved */
json_t *disposition_tombstone(struct registry *r, const char *document);

/* Files a record of one of the kinds and waits. base: the number that it builds on (records_number()), so that
 * two who act at once do not both succeed: ARK_ECONFLICT. ARK_EGONE when the document is being destroyed. reason may
 * be NULL. Takes the record. */
ARK_MUSTUSE int disposition_file(struct archive *a, const char *kind, json_t *record, uint32_t base,
    const struct filing_actor *actor, const char *reason, struct ark_error *err);

/* ---- transfer: disposition_transfer.c ---- */

/* A package of the document was made for the receiver and found good: the proposal becomes "packaged" and names it
 * beside earlier ones (the newest DISPOSITION_PACKAGES). version, metadata: the newest that are in it. base: the number that
 * the proposal had before it was made. Once its receiver has confirmed a package, nothing may be filed for the document any
 * more, and it is destroyed when the package holds the newest of both; when not, it needs a new package. */
struct disposition_package {
	const char *sha256; /* of its container, hex */
	const char *export; /* id in the access log */
	uint64_t size;
	uint32_t version, metadata;
};
enum { DISPOSITION_PACKAGES = 20 };
ARK_MUSTUSE int disposition_packaged(struct archive *a, const char *document, uint32_t base,
    const struct disposition_package *package, const struct filing_actor *actor,
    struct ark_error *err);
/* The package of that digest (NULL: the newest) that the proposal names; NULL: none. Borrowed. */
const json_t *disposition_package(const json_t *proposal, const char *sha256);
/* Every approved transfer that is not on hold and has no package yet: a fresh array of ids; NULL: no memory. */
json_t *disposition_unpacked(struct registry *r);

/* ---- destruction ---- */

struct disposition_run {
	const struct filing_actor *actor;
	/* Takes the documents out of the index and everything else that is derived outside archive/, so that no byte
	 * remains; not ARK_OK: the keys stay, and the next run goes on. May be NULL: there is no index. */
	int (*drop)(void *arg, const char (*documents)[33], size_t n, struct ark_error *err);
	void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of); /* may be NULL */
	void *arg;
	bool resume_only; /* finish what was begun, begin nothing */
	bool due_only; /* pass over what today's table keeps longer than it said at the approval */
};
struct disposition_result {
	uint64_t destroyed;
	uint64_t held;     /* approved, but on hold */
	uint64_t awaiting; /* approved for transfer, not confirmed as received */
	uint64_t undue;    /* approved, but by today's table not due, or due for something else */
};
enum { DISPOSITION_BATCH = 10000 };
/* Carries out what is approved, up to DISPOSITION_BATCH documents with one change of the keys. Calling it again
 * after any failure goes on where it stopped. */
ARK_MUSTUSE int disposition_run(struct archive *a, const struct disposition_run *run,
    struct disposition_result *ret, struct ark_error *err);
/* What stands, of up to DISPOSITION_BATCH documents each. Nothing is opened for it. */
struct disposition_standing {
	size_t ready;    /* to be destroyed by the next run */
	size_t held;     /* approved, but on hold */
	size_t unpacked; /* approved for transfer, without a package */
	size_t awaiting; /* with one, not confirmed as received */
	size_t begun;    /* being destroyed */
};
ARK_MUSTUSE int disposition_look(
    struct archive *a, struct disposition_standing *ret, struct ark_error *err);
/* Whether there is anything begun and not ended. */
bool disposition_unfinished(struct archive *a);

#endif
