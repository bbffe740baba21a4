/* A ledger is one append-only, tamper-evident log (there are two: history
 * and access), in the C2SP tlog-tiles form with encrypted records beside.
 *
 * dir/checkpoint                     the newest signed checkpoint (signed note)
 * dir/tile/<L>/<N>[.p/<W>], dir/tile/entries/<N>[.p/<W>]   as c2sp.org/tlog-tiles
 * dir/segments/<NNNNNNNN>.seg        sealed records, preallocated
 * dir/index.sqlite                   finds entries by document, principal, organisation; rebuildable
 *
 * A tile entry is 33 bytes: 0x01 || SHA-256 of a salted commitment to the
 * record's three parts, so any part can be disclosed alone:
 *   part commitment p = SHA-256("arkki-part-v1\n" || letter || salt_p[32] || JSON bytes)
 *   entry = 0x01 || SHA-256("arkki-entry-v1\n" || A || B || C)
 * Part A: what and when; B: who; C: the query. JSON bytes are stored in the
 * frame and never made again. An absent part C is the JSON text `null`.
 *
 * Sequence numbers are given by the writer, gap-free: documentSequence (in A)
 * per document, principalSequence (in B) per principal; records with
 * `own_series` (the Ombudsman's) count in series of their own.
 *
 * Threads: any. One writer thread per ledger groups what waits, writes one
 * run of frames, does one fdatasync, then calls back.
 * Durability: done() with ARK_OK, and a receipt, only after the sync. A write
 * or sync error stops the log for good: every later append fails with ARK_EIO.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_H
#define ARKKI_ARCHIVE_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/keyring.h"
#include "arkki/archive/receipt.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

struct ledger;

enum ledger_which { LEDGER_HISTORY, LEDGER_ACCESS };
enum ledger_outcome { LEDGER_RESULT_OK, LEDGER_DENIED, LEDGER_NOT_FOUND, LEDGER_FAILED };

/* All strings are borrowed for the call and may be NULL. */
struct ledger_record {
	/* A */
	int64_t time_us; /* 0: the time of writing */
	const char
	    *kind; /* access: metadata content text search shown list audit export maintenance
				 sign-in sign-out credentials;
				 history: filing version metadata record token epoch … */
	enum ledger_outcome outcome;
	const char *document; /* 32 hex digits */
	uint32_t version;     /* 0: none */
	const char *purpose;  /* any text */
	const char *case_id;
	const char *break_glass; /* the reason that was stated */
	bool glass_refused;      /* by one whom no rule lets break the glass */
	const char *author;      /* of the document: its keyed name, as in catalogue_row */
	const uint64_t *about;   /* the access entry that this one is about; NULL: none */
	uint64_t bytes;
	const char *detail; /* text of a JSON object, kept in A under "detail" */
	/* B */
	const char *principal;
	const char *org;
	const char *roles; /* space-separated */
	const char *authentication;
	const char *session;
	const char *address;
	bool own_series;
	/* C */
	const char *query;
};

/* Makes dir with a size-0 checkpoint. seed: Ed25519; origin: the whole log
 * origin, "<origin>/history" or "<origin>/access". */
ARK_MUSTUSE int ledger_create(
    const char *dir, const char *origin, const unsigned char seed[32], struct ark_error *err);
/* for_writing: replays the last segment (a torn tail, never acknowledged, is
 * cut; damage before valid frames is ARK_ECORRUPT), completes tiles, checks
 * that the stored checkpoint is a prefix of what is there, starts the writer. */
ARK_MUSTUSE int ledger_open(const char *dir, const char *origin, enum ledger_which which,
    struct keyring *keys, bool for_writing, struct ledger **ret, struct ark_error *err);
/* Writes what waits, a last checkpoint, ends the thread. */
void ledger_close(struct ledger *l);

/* Called once, from the ledger's thread: do little there. On ARK_OK `receipt`
 * is the callee's (receipt_free), covering all n records; else NULL. */
typedef void (*ledger_done)(void *arg, int status, struct receipt *receipt);
/* Copies the records. They get neighbouring indices, all or none. */
ARK_MUSTUSE int ledger_append(struct ledger *l, const struct ledger_record *records, size_t n,
    ledger_done done, void *arg, struct ark_error *err);
/* The same, waiting. ret may be NULL. */
ARK_MUSTUSE int ledger_append_wait(struct ledger *l, const struct ledger_record *records, size_t n,
    struct receipt **ret, struct ark_error *err);

uint64_t ledger_size(struct ledger *l); /* durable entries */
/* ARK_EIO, and why, when it has stopped for good. */
ARK_MUSTUSE int ledger_alive(struct ledger *l, struct ark_error *err);

/* ---- reading back ---- */
struct ledger_entry {
	uint64_t index;
	json_t *a, *b, *c; /* the parts; c may be JSON null */
};
void ledger_entry_free(struct ledger_entry *e); /* the json_t's, not the struct */
ARK_MUSTUSE int ledger_get(
    struct ledger *l, uint64_t index, struct ledger_entry *ret, struct ark_error *err);

struct ledger_filter {
	const char *document;   /* NULL: any */
	const char *principal;  /* NULL: any */
	int64_t from_us, to_us; /* 0: open; to is exclusive */
	uint64_t after;         /* indices >= this */
	bool newest_first;
	bool broken_glass; /* only what was done behind broken glass */
	/* NULL: any. Else entries of these organisations, and on documents of which one of them is
	 * the author; none of an own series. At most LEDGER_ORGS_MAX. */
	const char *const *orgs;
	size_t orgs_len;
	/* NULL, or: entries for which it says no are passed over, before they are opened */
	bool (*wanted)(void *arg, uint64_t index);
	void *wanted_arg;
};
enum { LEDGER_ORGS_MAX = 64 };
/* Entries that match, by index; waits until the index has caught up with every durable entry. A
 * non-zero return of `each` stops the walk and is returned. `each` may not free the entry. */
ARK_MUSTUSE int ledger_find(struct ledger *l, const struct ledger_filter *filter,
    unsigned int limit, int (*each)(void *arg, const struct ledger_entry *e), void *arg,
    struct ark_error *err);
/* The first entry of one series (own or not) that is about entry `about` of the access log. ARK_ENOTFOUND: none.
 * May be called from `wanted`, on another log. */
ARK_MUSTUSE int ledger_about(
    struct ledger *l, uint64_t about, bool own_series, uint64_t *ret, struct ark_error *err);

/* The newest entry of a series: of a document, or (document NULL) of a principal. ARK_ENOTFOUND: it has none. */
struct ledger_series {
	const char *document, *principal;
	bool own;
};
ARK_MUSTUSE int ledger_series_last(struct ledger *l, const struct ledger_series *series,
    uint64_t *ret_sequence, uint64_t *ret_index, struct ark_error *err);

/* ---- the public face ---- */
/* Signed note text of the newest checkpoint. */
ARK_MUSTUSE int ledger_checkpoint(struct ledger *l, struct buf *out, struct ark_error *err);
/* The newest checkpoint that enough witnesses have cosigned, with their lines; older than the newest one.
 * ARK_ENOTFOUND: none has been yet. */
ARK_MUSTUSE int ledger_cosigned(struct ledger *l, struct buf *out, struct ark_error *err);
/* `path` as in a URL after the log's prefix: "tile/0/000", "tile/entries/x001/067.p/5".
 * ARK_EINPUT: not a tile path; ARK_ENOTFOUND: not in the newest checkpoint's tree. */
ARK_MUSTUSE int ledger_tile(
    struct ledger *l, const char *path, struct buf *out, struct ark_error *err);
/* c2sp.org/tlog-proof of one entry against a checkpoint that covers it
 * (making one when the newest does not). */
ARK_MUSTUSE int ledger_prove(
    struct ledger *l, uint64_t index, struct buf *out, struct ark_error *err);
/* Waits until a signed checkpoint covers `size` entries. */
ARK_MUSTUSE int ledger_publish(struct ledger *l, uint64_t size, struct ark_error *err);
/* A signed note of another text than a checkpoint, by every key of the log that signs: appends to note. The text ends
 * with a newline, and its first line says that it is no checkpoint. */
ARK_MUSTUSE int ledger_sign_text(
    struct ledger *l, const char *text, size_t len, struct buf *note, struct ark_error *err);
/* The signed-note verifier key, "name+hash+base64". */
ARK_MUSTUSE int ledger_vkey(
    const char *origin, const unsigned char seed[32], struct buf *out, struct ark_error *err);
/* The log's keys were renewed or retired (keyring_change): takes them up and signs the newest checkpoint again. */
ARK_MUSTUSE int ledger_rekey(struct ledger *l, struct ark_error *err);
/* Opens an Arkki-Receipt token of either log. */
ARK_MUSTUSE int receipt_resolve(struct keyring *keys, const char *token,
    enum ledger_which *ret_which, uint64_t *ret_first, uint64_t *ret_count, struct ark_error *err);

/* A receipt again from its token, when its entries are durable in this log: for system work in a second
 * process under the entry that the server wrote for it. */
ARK_MUSTUSE int ledger_receipt(struct ledger *l, struct keyring *keys, const char *token,
    struct receipt **ret, struct ark_error *err);

/* Recomputes the root from the entry tiles and from the segments, opens every record, compares all
 * of it with the checkpoint. Calls bad() for each fault; ARK_ECORRUPT when there was any. */
ARK_MUSTUSE int ledger_check(struct ledger *l, bool full, void (*bad)(void *arg, const char *what),
    void *arg, struct ark_error *err);

#endif
