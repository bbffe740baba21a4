/* What verify.c shares with the scrub: the walk over commits. */
#ifndef ARKKI_ARCHIVE_VERIFY_PRIVATE_H
#define ARKKI_ARCHIVE_VERIFY_PRIVATE_H

#include "archive/archive_private.h"
#include "archive/disposition_private.h"

struct verify {
	struct archive *a;
	struct desk *desk;
	struct receipt *receipt;
	bool full, served; /* served: a server is at work beside us */
	void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of);
	void (*bad)(void *arg, const char *what);
	void (*summary)(void *arg, const char *line);
	void *arg;
	json_t *result;   /* NULL, or what verified.h keeps of it */
	const char *part; /* what is being looked at, as verified_kind() calls it */
	bool lost;        /* a fault could not be put into result */
	uint64_t faults, commits, versions, renditions, records, metadata, bytes, objects;
	struct catalogue_tally tally;
	uint64_t destroyed;           /* documents */
	struct slots destroyed_slots; /* theirs */
	struct slots record_slots;    /* of records that ended with one of them */
	json_t *stones;      /* id of a document: state of its tombstone; NULL: not loaded */
	uint64_t history_at; /* next history entry to compare */
	uint64_t tie_at;     /* the access log was compared with what that says of it up to here */
};

/* One commit: its metadata opens and is what the history log and the catalogue say; with `full` its contents too. For
 * store_log(); arg is the struct verify. Always 0: faults go to bad(). */
int verify_commit(void *arg, const struct store_head *commit, int64_t time_us, const char *changes);
/* Rows that no commit speaks of, when all commits up to `head` were walked. */
void verify_counts(struct verify *v, uint64_t head);

/* ---- verify_result.c ---- */
/* Writes the entries for this very work, where no server did; token: 256 bytes. */
ARK_MUSTUSE int verify_own_receipt(struct verify *v, const char *dir, const char *root_key,
    char token[256], struct ark_error *err);
void verify_tell(struct verify *v); /* the summary */
/* Into v->result, when there is one: how far the logs reach; what came of it (rc, err: of the whole; returns rc). */
ARK_MUSTUSE int verify_heads(struct verify *v, struct ark_error *err);
ARK_MUSTUSE int verify_result(struct verify *v, int rc, struct ark_error *err);

/* ---- verify_destroyed.c; bad() gets the struct verify ---- */
typedef void (*verify_bad)(void *arg, const char *what);
/* "" when the document has no tombstone, else its state. */
const char *verify_stone(struct verify *v, const char *document, verify_bad bad);
/* A key of the document opened: told, once, when it was destroyed. */
void verify_opens(struct verify *v, const char *document, verify_bad bad);
/* Every destroyed key was one of those that the walk has found. */
void verify_destroyed_slots(struct verify *v, verify_bad bad);
void verify_destroyed_free(struct verify *v);

/* ---- verify_files.c: files beside store, keys, logs and catalogue. bad() gets the struct verify. ---- */
/* allowed_signers is this archive's own and has the key that signs. */
void verify_signers(struct archive *a, verify_bad bad, void *arg);
/* state.sqlite is whole, and its tokens are of known users. */
void verify_state(struct verify *v, verify_bad bad);
/* Each file of derived/ belongs to a version that there is. */
void verify_derived(struct verify *v, verify_bad bad);

#endif
