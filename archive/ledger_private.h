/* Inside of a ledger: what its files share.
 *
 * Three threads serve one log:
 *   writer     takes appends in groups, completes and seals them, one pwrite
 *              and one fdatasync, calls back            (ledger_writer.c)
 *   publisher  grows the tree, writes tiles, signs checkpoints, prepares the
 *              next segment                             (ledger_publish.c)
 *   indexer    fills index.sqlite in batches            (ledger_read.c)
 *
 * Invariants:
 *   - size counts entries whose group has been synced; it only grows;
 *   - published <= size: a checkpoint covers durable entries and tiles only;
 *   - indexed <= size; rows and entries between are in `rows` and `entries`;
 *   - failed, once set, stays: nothing is written after a failed write or sync;
 *   - what is under "lock" below is touched under the lock only, the rest by one
 *     thread or never after opening.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_PRIVATE_H
#define ARKKI_ARCHIVE_LEDGER_PRIVATE_H

#include <pthread.h>

#include "archive/checkpoint.h"
#include "archive/ledger_index.h"
#include "archive/ledger_record.h"
#include "archive/ledger_segment.h"
#include "archive/ledger_tiles.h"
#include "archive/receipt_private.h"
#include "arkki/archive/ledger.h"

enum {
	APPEND_BYTES_MAX = 900 * 1024, /* fits into the smallest segment */
	GROUP_BYTES_MAX = 4 << 20,
	QUEUE_BYTES_MAX = 128 << 20,
	CHECKPOINT_MAX = 64 * 1024,
	RECEIPT_KEY = 32,
};

struct request {
	struct request *next;
	ledger_done done;
	void *arg;
	struct receipt *receipt; /* made beforehand, so that success cannot fail for memory */
	struct buf text;
	size_t bound; /* bytes of its frames, at most */
	size_t n;
	struct record_draft drafts[];
};

struct log_signer {
	struct note_key key;
	unsigned char seed[32]; /* when it signs */
	bool signs;
	int64_t until_us; /* 0: the newest */
};

struct ledger {
	char *dir, *origin;
	enum ledger_which which;
	bool for_writing;
	struct keyring *keys;
	unsigned char origin_hash[32];
	unsigned char receipt_key[RECEIPT_KEY];
	pthread_mutex_t sign_lock;  /* of the next two; nothing else is taken under it */
	struct log_signer *signers; /* locked memory; the newest first */
	size_t signers_len;
	struct checkpoint opened;        /* the one found at opening */
	pthread_mutex_t index_lock;      /* of the next three */
	struct ledger_index *file_index; /* for reading; NULL: there is none */
	struct ledger_index *tail_index; /* without a writer: rows that the file lacks */
	uint64_t tail_from;              /* the first of them */

	pthread_mutex_t lock;
	pthread_cond_t work;   /* for the writer */
	pthread_cond_t follow; /* for publisher and indexer */
	pthread_cond_t moved;  /* size, published, indexed, next or failed changed */
	struct request *head, *last;
	size_t queued;
	bool stopping, drained;  /* drained: the writer has ended */
	struct ark_error failed; /* status 0: none */
	uint64_t size, published, indexed;
	uint64_t publish_wanted;
	unsigned int index_waiters;
	struct buf entries; /* ENTRY_SIZE each: published … */
	struct buf rows;    /* struct ledger_row each: indexed … */
	struct buf note;    /* the newest checkpoint */
	struct segment_list segments;
	bool next_wanted;
	bool resign, resigning; /* the newest checkpoint is to be signed again, by other keys */
	struct segment_file *next;

	struct writer *writer;
	struct publisher *publisher;
	struct ledger_index *index; /* the indexer's connection */
	pthread_t writer_thread, publisher_thread, indexer_thread;
	bool started;
};

/* Sets `failed` unless it is set, and wakes everyone. */
void ledger_fail(struct ledger *l, const struct ark_error *err);
/* ARK_EIO with the sticky failure's text, or ARK_OK. Under the lock. */
int ledger_failed(struct ledger *l, struct ark_error *err);

/* ---- ledger_writer.c ---- */
ARK_MUSTUSE int writer_new(
    struct ledger *l, struct segment_file *current, struct writer **ret, struct ark_error *err);
void writer_free(struct writer *w);
void *writer_main(void *ledger);
/* Ends a request: calls done() and frees it. rc ARK_OK: the receipt is complete. */
void request_finish(struct request *r, int rc);
void receipt_key_derive(const struct keyring *keys, unsigned char out[RECEIPT_KEY]);
void receipt_token_write(const unsigned char key[RECEIPT_KEY], enum ledger_which which,
    uint64_t first, uint64_t count, char out[RECEIPT_TOKEN_MAX + 1]);

/* ---- ledger_publish.c ---- */
/* Loads the right edge of the tree of the checkpoint; entries: those from
 * checkpoint->size & ~255 on, ENTRY_SIZE each. ARK_ECORRUPT when root or tiles disagree. */
ARK_MUSTUSE int publisher_new(struct ledger *l, const struct checkpoint *checkpoint,
    const struct buf *entries, struct publisher **ret, struct ark_error *err);
void publisher_free(struct publisher *p);
void *publisher_main(void *ledger);
/* Reads and verifies the checkpoint file. note: its text, replaced. */
ARK_MUSTUSE int checkpoint_load(
    struct ledger *l, struct buf *note, struct checkpoint *ret, struct ark_error *err);
/* ---- ledger_signers.c ---- */
/* The keys of this log, as the keyring has them now. */
ARK_MUSTUSE int ledger_load_signers(struct ledger *l, struct ark_error *err);
void ledger_free_signers(struct ledger *l);
/* A checkpoint of this size by every key that signs: appends to note. */
ARK_MUSTUSE int ledger_sign(
    struct ledger *l, const struct checkpoint *c, struct buf *note, struct ark_error *err);
/* ARK_OK when one of the log's keys, the newest or an earlier one, signed it and none falsely. Else as note_verify(). */
ARK_MUSTUSE int ledger_verify_note(
    struct ledger *l, const struct note *note, struct ark_error *err);

/* A tile of hashes of the tree of *size, for merkle_source; arg is the struct ledger. */
int ledger_tile_hashes(void *arg, unsigned int level, uint64_t n, unsigned int width,
    struct merkle_hash *ret, struct ark_error *err);

/* ---- ledger_cosign.c: what the witnesses' client needs ---- */

/* The newest signed checkpoint: its text, and the log's own signature lines behind it. Appends to note. */
ARK_MUSTUSE int ledger_newest(
    struct ledger *l, struct buf *note, struct checkpoint *ret, struct ark_error *err);
/* At most MERKLE_PROOF_MAX hashes of the proof that the tree of `size` continues that of old_size; both
 * are below a checkpoint that was signed. */
ARK_MUSTUSE int ledger_consistency(struct ledger *l, uint64_t old_size, uint64_t size,
    struct merkle_hash *ret, size_t *ret_len, struct ark_error *err);
/* Adds a verified line to the newest checkpoint, when that is still the one of this size. */
void ledger_add_cosignature(struct ledger *l, uint64_t size, const char *line, size_t len);
/* The newest checkpoint that has cosignatures enough: DIR/ledger/<which>/checkpoint.cosigned. */
ARK_MUSTUSE int ledger_keep_cosigned(
    struct ledger *l, const char *note, size_t len, struct ark_error *err);
/* Has a signature soon, without waiting for it: the next checkpoint is not put off to its second. */
void ledger_publish_soon(struct ledger *l, uint64_t size);
/* Stops the log for good, as after a failed write: appends and checkpoints are refused with this text. */
void ledger_stop(struct ledger *l, const char *why);

/* ---- ledger_read.c ---- */
/* The parts of an entry as they lie in its frame; they point into `plain` (end with buf_wipe_free()). */
ARK_MUSTUSE int ledger_parts(struct ledger *l, uint64_t index, struct buf *plain,
    struct record_part ret[3], struct ark_error *err);
typedef int (*ledger_walk_each)(
    void *arg, const struct segment_image *image, const struct frame *f, struct ark_error *err);
/* Frames from <= index < to out of the segments, not opened. Not under the lock. */
ARK_MUSTUSE int ledger_walk(struct ledger *l, uint64_t from, uint64_t to, ledger_walk_each each,
    void *arg, struct ark_error *err);
/* The index row of an opened record. */
ARK_MUSTUSE int ledger_row_of(const struct keyring *keys, const struct ledger_entry *e,
    const struct segment_image *image, const struct frame *f, struct ledger_row *ret,
    struct ark_error *err);
/* Fills the index with the rows from <= index < to. */
ARK_MUSTUSE int ledger_index_fill(
    struct ledger *l, struct ledger_index *ix, uint64_t from, uint64_t to, struct ark_error *err);
/* Waits until the index has every entry below `size`. */
ARK_MUSTUSE int ledger_index_wait(struct ledger *l, uint64_t size, struct ark_error *err);
void *indexer_main(void *ledger);

/* ---- ledger_check.c ---- */
struct ledger_check_ways {
	void (*bad)(void *arg, const char *what);
	/* May be NULL. Else index.sqlite is left out; a positive return stops and is returned. */
	int (*pace)(void *arg, size_t bytes);
	void *arg;
	bool quiet; /* nobody writes: what is behind the last entry must be zero */
};
/* ledger_check(), in other ways. */
ARK_MUSTUSE int ledger_check_how(
    struct ledger *l, bool full, const struct ledger_check_ways *ways, struct ark_error *err);

#endif
