/* Filing: the story of how a document, a version, a change of metadata, a public rendition or a
 * record gets into the archive, from a validated wish to a durable fact.
 *
 * One writer thread takes what waits (up to 64 filings, a lone one does not
 * wait), makes one commit of it, one history entry for each, and calls back.
 * Order of durability: key slots -> pack, idx, directory -> ref (the commit
 * point) -> history entries -> catalogue -> done().
 * Threads: filing_submit from any thread.
 */
#ifndef ARKKI_ARCHIVE_FILING_H
#define ARKKI_ARCHIVE_FILING_H

#include <jansson.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/receipt.h"
#include "arkki/archive/seal.h"
#include "arkki/archive/spool.h"

enum filing_kind {
	FILING_DOCUMENT,  /* upload + metadata: version 1 of a new document */
	FILING_VERSION,   /* upload + metadata: the next version */
	FILING_METADATA,  /* metadata: a new record for the newest version */
	FILING_RENDITION, /* a public rendition of a version that exists, or its withdrawal */
	FILING_RECORD,    /* record: organisation, user, unit, case, … */
};

struct filing_actor { /* who acts, copied into the records */
	const char *user, *org, *roles, *authentication, *session, *address;
};

struct filing {
	/* ---- given; owned by the filing once submitted ---- */
	enum filing_kind kind;
	char document[33]; /* of a record too, that is sealed under its key; else "" */
	uint32_t base_version, base_metadata; /* what the change builds on; checked by the writer */
	uint32_t base_rendition; /* how many renditions there were: filing_rendition() */
	struct upload *upload;   /* none for a withdrawal */
	struct seal_key key;     /* of the version that a rendition or record is of, and its slot */
	uint64_t slot;
	json_t *fields;          /* normal form of the metadata */
	char *file_name;         /* of the content, raw UTF-8; may be NULL */
	char *reason;            /* of a version, a change or a rendition; may be NULL */
	char *request;           /* keyed hash of (principal, Idempotency-Key), or NULL */
	char *request_digest;    /* digest of the request that the key stands for */
	const char *record_kind; /* static: "units" … */
	json_t *record;
	bool sealed_under; /* a record with key and slot of a document's version: filing_under() */
	bool
	    record_on_base; /* base_metadata must be the record's newest number, 0: there is none */
	char *purpose, *case_id; /* stated with the request; for the history entry */
	char *user, *org, *roles, *authentication, *session, *address; /* filing_set_actor */
	/* ---- result ---- */
	int status;
	struct ark_error error;
	uint32_t version, metadata, rendition;
	uint64_t sequence;
	int64_t time_us;
	bool
	    repeats; /* ARK_ECONFLICT because `request` was filed before: document and version say as what */
	json_t *version_meta;    /* as sealed into the store; NULL without an upload */
	json_t *metadata_record; /* as sealed into the store; a rendition's meta */
	void (*done)(
	    void *arg, struct filing *f); /* from the writer's thread; f is the callee's again */
	void *arg;
	struct filing *next; /* the queue's */
};

struct filing *filing_new(enum filing_kind kind); /* NULL: no memory */
/* Copies; also sets org, roles and the rest. */
ARK_MUSTUSE int filing_set_actor(
    struct filing *f, const struct filing_actor *actor, struct ark_error *err);
void filing_free(struct filing *f);

/* Makes f, a new FILING_RENDITION, one of the row's version: takes the version's key under the receipt,
 * and the number that it builds on. Submitted without an upload it withdraws the
 * rendition there is: ARK_ENOTFOUND from the writer when there is none. */
ARK_MUSTUSE int filing_rendition(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct filing *f, struct ark_error *err);
/* Then begins f->upload for its content. */
ARK_MUSTUSE int filing_rendition_upload(struct archive *a, struct filing *f, struct ark_error *err);

/* Makes f, a new FILING_RECORD of a kind that records_end_with_document(), one of the row's document: it is sealed under the
 * key of that version, taken under the receipt, and ends with it. ARK_EGONE from the writer once its destruction has
 * begun. */
ARK_MUSTUSE int filing_under(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct filing *f, struct ark_error *err);

/* Bytes left on the disk of `dir`, and how many are kept for the logs: below them nothing is filed. */
ARK_MUSTUSE int filing_disk(
    const char *dir, uint64_t *ret_left, uint64_t *ret_reserve, struct ark_error *err);
/* ARK_EIO when a filing would be refused: asked before any content is taken. */
ARK_MUSTUSE int filing_room(struct archive *a, struct ark_error *err);
/* ARK_EIO when the archive no longer takes filings (disk reserve, failed log). f stays the
 * caller's on failure. */
ARK_MUSTUSE int filing_submit(struct archive *a, struct filing *f, struct ark_error *err);
/* Submits and waits; the result is in f. */
ARK_MUSTUSE int filing_submit_wait(struct archive *a, struct filing *f, struct ark_error *err);

#endif
