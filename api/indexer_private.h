/* What the indexer's files share.
 *
 *   indexer.c        the thread: batches, commits, texts to take up again
 *   indexer_text.c   the text of one form: from derived/, or extracted and kept
 *   indexer_ahead.c  a second thread that extracts and analyses what the first will put
 *   indexer_put.c    a row into the index
 *   indexer_merge.c  what OCR has read, into text and index
 *   indexer_drop.c   destroyed documents, out of every file
 *   indexer_open.c   opening, closing, rebuilding; readers
 *   ocr_queue.c      the thread that reads pages
 */
#ifndef ARKKI_API_INDEXER_PRIVATE_H
#define ARKKI_API_INDEXER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/indexer.h"
#include "api/ocr_queue.h"
#include "arkki/archive/reading.h"
#include "arkki/index/extract.h"
#include "arkki/index/search.h"

struct ahead;

/* Documents to be dropped, by a thread that waits. */
struct index_drop {
	const char (*documents)[33];
	size_t n;
	bool done;
	int status;
	struct ark_error error;
};

struct indexer {
	struct archive *a;
	char dir[4096];
	struct extractor *extractor; /* the writer's */
	struct ahead *ahead;
	struct analyse_cache *cache;
	struct analyser *analyser; /* the writer's */
	struct search_gate *gate;
	struct search_index *index;
	struct catalogue *catalogue; /* writes text states */
	struct ocr_queue *ocr;       /* NULL in a rebuild */
	uint64_t put_bytes;          /* of text since the last commit */
	int64_t committed_us;        /* when that was, monotonic */
	atomic_uint_fast64_t sequence;
	atomic_bool backlog; /* the last batch was full */
	/* of the backlog that is being worked off: where and when it began, how far it is */
	atomic_uint_fast64_t from, reached;
	atomic_int_fast64_t from_us;

	pthread_mutex_t lock;
	pthread_cond_t more;
	bool
	    tell_later; /* texts are told when they are durable in the index: the sequence does not lead back to them */
	bool stopping, poked, look; /* look: texts may be pending that were filed long ago */
	struct index_drop *drop;    /* under lock, as all above */
	pthread_cond_t dropped;
	pthread_t thread;
	bool runs;

	pthread_mutex_t desks_lock;
	struct search_desk *desks;
	uint64_t generation; /* of the index's files, which a drop replaces */

	pthread_mutex_t counts_lock; /* status: counting a million texts takes its time */
	json_t *counts;
	int64_t counts_until_us;
};

#define INDEX_NAME "xapian"
#define REBUILT_NAME "xapian.new"
/* The two directories change places in one step, so that a kill leaves a whole index, old or new; the old one is removed. */
ARK_MUSTUSE int indexer_swap_in(const char *rebuilt, const char *dir, struct ark_error *err);
ARK_MUSTUSE int indexer_sync(const char *dir, struct ark_error *err);

void indexer_desk_free(struct search_desk *d);
bool indexer_is_stopping(struct indexer *i);
/* Commits are waiting to be indexed. */
bool indexer_waits(struct indexer *i);
void indexer_poke(struct indexer *i, bool look);
/* The thread, and the same work without one: until nothing is left. */
void *indexer_thread(void *indexer);
ARK_MUSTUSE int indexer_catch_up(struct indexer *i,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err);
ARK_MUSTUSE int indexer_commit(struct indexer *i, uint64_t upto, struct ark_error *err);
/* Drops what was not committed. */
ARK_MUSTUSE int indexer_reopen(struct indexer *i, struct ark_error *err);

/* ---- texts ---- */

/* The text of a form, and what the catalogue is to be told of it. */
struct text_found {
	bool sought; /* text_find() was done; else text_take() does it */
	struct buf text;
	struct search_prepared *prepared; /* of the text, or NULL: nobody has made them ready */
	bool left_out;                    /* it is large: read it from derived/ when it is needed */
	const char *state;                /* NULL: the catalogue knows */
	char reason[200];
	struct catalogue_pages pages; /* pages 0: nothing to tell */
};
void text_found_free(struct text_found *f);
/* From derived/, or extracted and kept there. Touches neither catalogue nor index, so that any thread can.
 * no_ocr: why nobody will read its pictures; "": they wait. */
ARK_MUSTUSE int text_find(struct archive *a, struct extractor *e, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const char *no_ocr, struct text_found *ret,
    struct ark_error *err);
/* The decoder's answer for the form; page 0: all of it. A content that does not open is EXTRACT_NONE. */
ARK_MUSTUSE int text_extract(struct archive *a, struct extractor *e, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, struct extract_result *ret,
    struct ark_error *err);
/* Tells the catalogue (or leaves that for text_tell_found(), where tell_later), and hands the text over. */
ARK_MUSTUSE int text_take(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct text_found *found, struct buf *text,
    struct ark_error *err);
ARK_MUSTUSE int text_tell_found(struct indexer *i, const struct catalogue_row *row, enum form form,
    const struct text_found *found, struct ark_error *err);
/* A rendition that was replaced meanwhile needs no state any more. */
ARK_MUSTUSE int text_tell(struct indexer *i, const struct catalogue_row *row, enum form form,
    const char *state, const char *reason, const struct catalogue_pages *pages,
    struct ark_error *err);

/* Puts both forms of the version; found: of FORM_WHOLE and FORM_PUBLIC. */
ARK_MUSTUSE int indexer_put_row(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, struct text_found found[2], struct ark_error *err);

/* ---- indexer_ahead.c ---- */
/* cache is borrowed. */
ARK_MUSTUSE int ahead_new(
    struct archive *a, struct analyse_cache *cache, struct ahead **ret, struct ark_error *err);
void ahead_free(struct ahead *h);
/* Rows, receipt and reason are borrowed until ahead_end(). Not ARK_OK: no memory. */
ARK_MUSTUSE int ahead_begin(struct ahead *h, const struct catalogue_row *rows, size_t n,
    const struct receipt *receipt, const char *no_ocr, struct ark_error *err);
/* Waits for the texts of row k, or finds them by e and an; the result is the batch's. Ask in order. */
ARK_MUSTUSE int ahead_take(struct ahead *h, size_t k, struct extractor *e, struct analyser *an,
    struct text_found **ret, struct ark_error *err);
void ahead_end(struct ahead *h);

/* ---- indexer_drop.c ---- */
/* What somebody waits for; cut: the thread ends and nothing is done any more. Begin of a round: no batch is under way. */
void indexer_drop_wanted(struct indexer *i, bool cut);

/* ---- indexer_merge.c ---- */
/* Forms all of whose pages were read, some of them; *ret_more: there are others. */
ARK_MUSTUSE int indexer_merge(struct indexer *i, bool *ret_more, struct ark_error *err);

#endif
