/* The catalogue answers "which" questions fast: SQLite over what the store
 * holds, rebuildable from it at any time (catalogue.sqlite: WAL, NORMAL).
 *
 * In the clear stand only ids that arkki made, dates, types, classes, sizes
 * and times. Chosen names (units, cases, organisations, users, counties) stand as keyed
 * hashes (keyring_name); titles, file names, digests and all the rest stay in
 * sealed copies of the store's own meta blobs. Callers give and get plain ids
 * where noted; the catalogue hashes what it compares.
 *
 * Who asks brings a sight (access.h): `any` decides which versions there are for the caller and
 * which is the newest of them, `whole` whether a row may be shown whole. No sight (NULL) is
 * system work: everything is there, and whole. A sight lacking a filter is ARK_EINPUT.
 *
 * It applies facts, in the store's order, and never decides. It does not open
 * sealed bytes. Rows give the sealed copies back as they came.
 *
 * Threads: struct catalogue is one connection for one thread at a time; the
 * writer has one, each reader its own.
 * Durability: catalogue_apply() batches are atomic; the applied sequence is in
 * the same transaction. A lost tail is replayed from the store.
 */
#ifndef ARKKI_ARCHIVE_CATALOGUE_H
#define ARKKI_ARCHIVE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/keyring.h"
#include "arkki/archive/store.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"
#include "arkki/policies/access.h"

struct catalogue;

/* ARK_ENOTFOUND when create is false and there is none; ARK_EINPUT for another schema version:
 * archive_open() for writing then makes the catalogue anew, a reader can only say so. */
ARK_MUSTUSE int catalogue_open(const char *path, const struct keyring *keys, bool for_writing,
    bool create, struct catalogue **ret, struct ark_error *err);
void catalogue_close(struct catalogue *c);
uint64_t catalogue_sequence(struct catalogue *c); /* last commit applied */

/* ---- facts: what one change line of a commit says ---- */
struct catalogue_blob {
	const void *bytes;
	size_t len;
};

enum catalogue_fact_kind {
	FACT_VERSION,   /* a version, with the metadata record that came with it */
	FACT_METADATA,  /* a metadata record that amends `version` */
	FACT_RENDITION, /* a public rendition of `version`, or its withdrawal */
	FACT_RECORD,    /* organisation, user, unit, case, placement, policies, … */
};

/* In which form a version is read: itself, or its newest public rendition. */
enum form { FORM_WHOLE, FORM_PUBLIC };

struct catalogue_fact {
	enum catalogue_fact_kind kind;
	uint64_t sequence; /* of the commit */
	uint32_t item;     /* place in the commit, from 0 */
	int64_t time_us;
	/* all but RECORD */
	const char *document;
	uint32_t version;
	/* VERSION and METADATA */
	uint32_t metadata;                     /* number of the metadata record */
	struct catalogue_blob sealed_metadata; /* the store's mNNNN blob */
	/* attributes of the metadata record, in the clear as given; hashed here */
	const char *type, *date, *language, *publicity, *state;
	const char *author, *case_id; /* case_id may be NULL */
	const char *const *units;
	const char *const *counties;   /* of the units when it was filed */
	const char *const *addressees; /* organisation ids */
	size_t units_len, counties_len, addressees_len;
	const char *visit_date; /* NULL: none */
	/* VERSION only */
	struct catalogue_blob sealed_version; /* the store's vNNNN/meta blob */
	const char *filed_by, *filed_by_org;
	/* VERSION and RENDITION */
	const char *request; /* keyed hash of (principal, Idempotency-Key), or NULL */
	uint64_t size, sealed_size;
	const char *media_type;
	struct store_oid content; /* blob, or the tree of chunks */
	uint32_t chunks;          /* 0: one blob */
	/* RENDITION only */
	uint32_t rendition; /* its number: 1, 2 … of the version */
	bool withdrawn;     /* then there is no content: the version has no rendition any more */
	struct catalogue_blob sealed_rendition; /* the store's renditions/…/meta blob */
	/* RECORD */
	const char *record_kind; /* "units" … */
	const char *record_id;
	uint32_t record_number;
	struct catalogue_blob sealed_record;
};

/* All facts of one commit, or of several: one transaction. Facts at or below
 * the applied sequence are passed over (replay is idempotent). */
ARK_MUSTUSE int catalogue_apply(struct catalogue *c, const struct catalogue_fact *facts, size_t n,
    uint64_t sequence, struct ark_error *err);

/* ---- checking ---- */
struct catalogue_tally { /* what facts were found to be in effect; what tables hold */
	uint64_t versions, renditions, changes, records;
};
/* 1: what the fact says stands, or was amended by a later one; 0: it does not. Given every fact of
 * the store in order, the tally counts what the tables must hold then. */
ARK_MUSTUSE int catalogue_holds(struct catalogue *c, const struct catalogue_fact *f,
    struct catalogue_tally *tally, struct ark_error *err);
ARK_MUSTUSE int catalogue_tables(
    struct catalogue *c, struct catalogue_tally *ret, struct ark_error *err);

/* ---- rows ---- */
struct catalogue_rendition { /* the newest of a version */
	uint32_t number;     /* 0: there is none, or it was withdrawn; then the rest is zero */
	uint64_t sequence;   /* of the commit */
	int64_t filed_us;
	struct buf sealed; /* its meta */
	char *media_type;
	uint64_t size, sealed_size;
	struct store_oid content;
	uint32_t chunks;
	char *text_state, *text_reason; /* of its own text, as of the version's below */
};

struct catalogue_row { /* one version; pointers are the row's, until catalogue_row_free() */
	char document[33];
	char author[33];     /* keyed name of the organisation; "": none */
	char visit_date[11]; /* of an unannounced visit; "": none. Not of the public form. */
	uint32_t version;
	uint32_t metadata; /* the record in effect for this version */
	uint64_t sequence, metadata_sequence;
	int64_t filed_us;
	struct buf sealed_metadata, sealed_version;
	char *type, *date, *language, *publicity, *state, *media_type;
	uint64_t size, sealed_size;
	struct store_oid content;
	uint32_t chunks;
	struct catalogue_rendition rendition;
	uint32_t renditions; /* how many were filed, withdrawals too: what the next builds on */
	/* catalogue_after() only: the commit whose change this row stands for. The row shows the
	 * version as it is now, so metadata_sequence may be later. */
	uint64_t change_sequence;
	uint32_t visible_versions; /* how many versions `any` admits; set where a sight was given */
	bool whole;                /* `whole` admits this version; true without a sight */
	/* text extraction, set by catalogue_set_text() */
	char *text_state;  /* "pending" "ready" "none" */
	char *text_reason; /* why none, or NULL */
};
void catalogue_row_free(struct catalogue_row *row); /* what it holds, not the struct */
/* A deep copy; ARK_ENOMEM leaves *to empty. */
ARK_MUSTUSE int catalogue_row_copy(struct catalogue_row *to, const struct catalogue_row *from);

/* One version; version 0: the newest that the sight admits. ARK_ENOTFOUND also when the
 * sight does not admit it. */
ARK_MUSTUSE int catalogue_get(struct catalogue *c, const char *document, uint32_t version,
    const struct access_sight *sight, struct catalogue_row *ret, struct ark_error *err);
/* Whether one filter admits a version; ARK_ENOTFOUND when there is none, whoever asks. */
ARK_MUSTUSE int catalogue_admits(struct catalogue *c, const char *document, uint32_t version,
    const struct access_filter *f, bool *ret, struct ark_error *err);
/* The keyed name of the organisation whose version this is (0: the newest), whoever asks: for the access log. "": there
 * is none. ARK_ENOTFOUND: no such version. */
ARK_MUSTUSE int catalogue_author(struct catalogue *c, const char *document, uint32_t version,
    char ret[33], struct ark_error *err);
/* The newest version and metadata record whatever anyone may see: for the writer. */
ARK_MUSTUSE int catalogue_newest(struct catalogue *c, const char *document, uint32_t *ret_version,
    uint32_t *ret_metadata, struct ark_error *err);

/* Non-zero stops the walk and is returned, here and for every each() below. The row is freed after. */
typedef int (*catalogue_each)(void *arg, const struct catalogue_row *row);
/* All versions of a document that the sight admits, oldest first. */
ARK_MUSTUSE int catalogue_versions(struct catalogue *c, const char *document,
    const struct access_sight *sight, catalogue_each each, void *arg, struct ark_error *err);

/* Versions, not the newest alone, of any document that have this many bytes and that the sight shows whole, latest filed first:
 * where equal bytes may lie, as digests stay sealed. At most `limit`. */
ARK_MUSTUSE int catalogue_sized(struct catalogue *c, uint64_t size, unsigned int limit,
    const struct access_sight *sight, catalogue_each each, void *arg, struct ark_error *err);

struct catalogue_list {
	/* NULL: any. By its case a version is found where the sight shows it whole. */
	const char *unit, *case_id, *type;
	/* the other documents of the case of this version; not together with unit, case_id or type */
	const char *beside;
	uint32_t beside_version;
	const char *from, *to; /* document dates, inclusive */
	/* page: documents after this (date, document), newest date first; empty: from the start */
	char after_date[11];
	char after_document[33];
	unsigned int limit;
	/* of the text in the form that the sight shows; NULL: any. "pending" "ready" "none", or "ocr": some
	 * of its pages wait for OCR */
	const char *text_state, *text_reason;
};
/* One row a document: its newest version that the sight admits. */
ARK_MUSTUSE int catalogue_documents(struct catalogue *c, const struct catalogue_list *list,
    const struct access_sight *sight, catalogue_each each, void *arg, struct ark_error *err);
ARK_MUSTUSE int catalogue_count(struct catalogue *c, const struct catalogue_list *list,
    const struct access_sight *sight, uint64_t *ret, struct ark_error *err);

/* How many documents there are of each type and author (keyed name as in a row; "": none) by their newest version, whoever may
 * see them. */
ARK_MUSTUSE int catalogue_type_counts(struct catalogue *c,
    int (*each)(void *arg, const char *type, const char author[33], uint64_t count), void *arg,
    struct ark_error *err);

struct catalogue_change {
	uint64_t sequence;
	uint32_t item;
	int64_t time_us;
	const char *kind; /* "filed" "version" "metadata" "rendition" (withdrawn too) */
	char document[33];
	uint32_t version;
};
/* Changes after (sequence, item), oldest first, of versions that the sight admits; of those that it
 * does not show whole, changes of the rendition only. */
ARK_MUSTUSE int catalogue_changes(struct catalogue *c, uint64_t after_sequence, uint32_t after_item,
    unsigned int limit, const struct access_sight *sight,
    int (*each)(void *arg, const struct catalogue_change *change), void *arg,
    struct ark_error *err);

/* Documents of which a version filed up to `sequence` was amended, or got or lost a rendition, after it,
 * and is not (or no longer) shown whole by the sight: an index of that sequence may show too much
 * of them. In no order. */
ARK_MUSTUSE int catalogue_unsettled(struct catalogue *c, uint64_t sequence,
    const struct access_sight *sight, int (*each)(void *arg, const char document[33]), void *arg,
    struct ark_error *err);

/* The version that was filed, or was given a rendition, under this idempotency hash, or ARK_ENOTFOUND. */
ARK_MUSTUSE int catalogue_request(struct catalogue *c, const char *request, char ret_document[33],
    uint32_t *ret_version, struct ark_error *err);

/* Newest record of each (kind, id) of one kind, or one of them. `id` is not stored: it is inside the
 * sealed record. name: its keyed hash. */
ARK_MUSTUSE int catalogue_records(struct catalogue *c, const char *record_kind,
    int (*each)(void *arg, const char *name, uint32_t number, const struct catalogue_blob *sealed),
    void *arg, struct ark_error *err);
/* Number of the newest record of (kind, id); 0: none. */
ARK_MUSTUSE int catalogue_record_number(struct catalogue *c, const char *record_kind,
    const char *id, uint32_t *ret, struct ark_error *err);

/* ---- extraction state, written by the indexer (not from the store; a rebuild sets "pending") ---- */
/* rendition: 0 for the version's own text, else the number of the public rendition whose text it is.
 * ARK_ENOTFOUND also when that is no longer the newest. */
ARK_MUSTUSE int catalogue_set_text(struct catalogue *c, const char *document, uint32_t version,
    uint32_t rendition, const char *state, const char *reason, struct ark_error *err);

/* The pages of a form of which some have no text of their own. */
struct catalogue_pages {
	uint32_t pages, bare, read; /* all; without text; of those, read by OCR */
	bool has_text;              /* there is some without OCR: others go first */
	bool merged;                /* what OCR read is in the text and in the index */
};
/* Sets them; NULL: forgets them. ARK_ENOTFOUND as catalogue_set_text(). */
ARK_MUSTUSE int catalogue_set_pages(struct catalogue *c, const char *document, uint32_t version,
    uint32_t rendition, const struct catalogue_pages *p, struct ark_error *err);
/* ARK_ENOTFOUND: all its pages are text, or it has none. has_text is not told. */
ARK_MUSTUSE int catalogue_get_pages(struct catalogue *c, const char *document, uint32_t version,
    uint32_t rendition, struct catalogue_pages *ret, struct ark_error *err);
/* The form with pages that OCR has not read that should be next: first those of few pages, of them
 * those without any text, of them the newest. ARK_ENOTFOUND: there is none. */
ARK_MUSTUSE int catalogue_ocr_next(
    struct catalogue *c, struct catalogue_row *ret, enum form *ret_form, struct ark_error *err);
/* A form all of whose pages were read and that is not merged. ARK_ENOTFOUND: there is none. */
ARK_MUSTUSE int catalogue_ocr_read(
    struct catalogue *c, struct catalogue_row *ret, enum form *ret_form, struct ark_error *err);
struct catalogue_ocr_tally { /* of forms that are not merged */
	uint64_t documents, pages, read;
};
ARK_MUSTUSE int catalogue_ocr_tally(
    struct catalogue *c, struct catalogue_ocr_tally *ret, struct ark_error *err);
/* Scans that wait say "none" with this reason until OCR has read them after all. */
ARK_MUSTUSE int catalogue_ocr_gone(struct catalogue *c, const char *reason, struct ark_error *err);

/* How many texts are in each state for each reason, whoever may see them. reason: NULL none. */
ARK_MUSTUSE int catalogue_text_counts(struct catalogue *c,
    int (*each)(void *arg, const char *state, const char *reason, uint64_t count), void *arg,
    struct ark_error *err);
/* Forms with text "none" for the operator: ids, state, reason; after (document, version), in that order. */
struct catalogue_text_ask {
	const char *state, *reason; /* as in struct catalogue_list; NULL state: "none" */
	char after_document[33];
	uint32_t after_version;
	unsigned int limit;
};
ARK_MUSTUSE int catalogue_texts(struct catalogue *c, const struct catalogue_text_ask *ask,
    catalogue_each each, void *arg, struct ark_error *err);
/* Makes texts that are "none" pending again, so that the indexer takes them up: of one version, where
 * document is given, whatever its state; else all with the reason (NULL: any reason). Only versions that the
 * sight shows whole; public forms of those that it does not. */
ARK_MUSTUSE int catalogue_text_retry(struct catalogue *c, const char *document, uint32_t version,
    const char *reason, const struct access_sight *sight, uint64_t *ret_count,
    struct ark_error *err);

/* What the indexer must do next: the versions that were filed, whose metadata was amended, or whose
 * public rendition was filed or withdrawn in commits after `sequence`, a row for each change, in order. Whole commits only: at `limit` rows the
 * commit that has begun is still finished, so the next call continues after the last row's
 * change_sequence. Fewer than `limit` rows: all is done up to the catalogue_sequence() that was
 * read before the call (commits of records only have no row). */
ARK_MUSTUSE int catalogue_after(struct catalogue *c, uint64_t sequence, unsigned int limit,
    catalogue_each each, void *arg, struct ark_error *err);

/* Versions whose text in this form is pending and does not wait for OCR, and was filed in a commit up
 * to `upto`: after a rebuild, a retry, or when derived/ was lost. */
ARK_MUSTUSE int catalogue_pending(struct catalogue *c, uint64_t upto, enum form form,
    catalogue_each each, void *arg, struct ark_error *err);

/* ---- destruction: from a connection opened for writing, beside the writer's ---- */
/* Takes every row of the documents out, overwritten, in one transaction; those that are not there: fine. */
ARK_MUSTUSE int catalogue_forget(
    struct catalogue *c, const char (*documents)[33], size_t n, struct ark_error *err);
/* The same of a record that ends with them. */
ARK_MUSTUSE int catalogue_forget_record(
    struct catalogue *c, const char *record_kind, const char *id, struct ark_error *err);
/* Then: no copy of deleted rows stays in the file (up to 1 GiB of it) or in its write-ahead log. ARK_EIO when a reader
 * was in the way for too long: again. */
ARK_MUSTUSE int catalogue_scrub(struct catalogue *c, struct ark_error *err);

/* For verify: counts, and every row once. */
ARK_MUSTUSE int catalogue_all(
    struct catalogue *c, catalogue_each each, void *arg, struct ark_error *err);

#endif
