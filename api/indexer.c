/* The indexer's thread.
 *
 * Invariants:
 *  1. What the index holds of a commit is durable together with a sequence not below that commit's, or
 *     will be put again from the sequence on.
 *  2. Texts are told to the catalogue when they are put, so a text that is "ready" there was put since
 *     the last commit of the index or before.
 *  3. Only this thread writes the index and, but for retries and the progress of OCR, the states of texts.
 */
#include "api/indexer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/indexer_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/log.h"

/* Live: commits are a second apart at least, and a lone filing is committed at once. In a backlog commits
 * are spared: a commit of 100 documents costs hundreds of milliseconds whatever is in it, and the more the larger the
 * index is. But what Xapian holds until then is a tree in memory, about ten times the text, and a put into it costs more
 * the larger it is: 5,000 documents of 2 kB take 30 s of processor time in one commit, 26 s in four. So the commits
 * of a backlog grow with the index. */
enum {
	BATCH = 64,
	BATCH_BACKLOG = 256,
	BATCH_MAX = BATCH_BACKLOG * 4, /* whole commits: the last may reach beyond */
	LIVE_COMMIT_US = 1000000,
	BACKLOG_COMMIT_DOCUMENTS_MIN = 2000,
	BACKLOG_COMMIT_DOCUMENTS_MAX = 10000,
	BACKLOG_COMMIT_SHARE = 8,    /* of what is indexed */
	BACKLOG_COMMIT_BYTES = 6711, /* a document; 64 MiB for the most */
	BACKLOG_COMMIT_US = 60000000,
	RETRY_S = 5,
	NICE = 10
};

bool indexer_is_stopping(struct indexer *i)
{
	bool stopping;

	pthread_mutex_lock(&i->lock);
	stopping = i->stopping;
	pthread_mutex_unlock(&i->lock);
	return stopping;
}

bool indexer_waits(struct indexer *i)
{
	return archive_sequence(i->a) > atomic_load(&i->sequence);
}

/* ---- batches ---- */

struct batch {
	struct catalogue_row *rows;
	size_t n, cap;
};

static int keep_row(void *arg, const struct catalogue_row *row)
{
	struct batch *b = arg;

	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : BATCH;
		struct catalogue_row *rows =
		    cap <= BATCH_MAX ? realloc(b->rows, cap * sizeof(*rows)) : NULL;

		if (!rows)
			return ARK_ENOMEM;
		b->rows = rows;
		b->cap = cap;
	}
	return catalogue_row_copy(&b->rows[b->n], row) ? ARK_ENOMEM : (b->n++, ARK_OK);
}

static void batch_clear(struct batch *b)
{
	for (size_t k = 0; k < b->n; k++)
		catalogue_row_free(&b->rows[k]);
	free(b->rows);
	*b = (struct batch){0};
}

static int commit_and_tell(struct indexer *i, const struct batch *b, struct ark_error *err)
{
	struct text_found *found;
	int rc = indexer_commit(i, atomic_load(&i->sequence), err);

	for (size_t k = 0; !rc && k < b->n; k++) {
		rc = ahead_take(i->ahead, k, i->extractor, i->analyser, &found, err);
		if (!rc)
			rc = text_tell_found(i, &b->rows[k], FORM_WHOLE, &found[FORM_WHOLE], err);
		if (!rc)
			rc = text_tell_found(i, &b->rows[k], FORM_PUBLIC, &found[FORM_PUBLIC], err);
	}
	return rc;
}

/* Puts the rows in their order. *ret_cut: the indexer stops, so not all were put. */
static int put_rows(struct indexer *i, const struct batch *b, const struct receipt *receipt,
    bool *ret_cut, struct ark_error *err)
{
	struct text_found *found;
	int rc = ahead_begin(i->ahead, b->rows, b->n, receipt, ocr_queue_missing(i->ocr), err);

	*ret_cut = false;
	if (rc)
		return rc;
	for (size_t k = 0; !rc && k < b->n && !*ret_cut; k++) {
		*ret_cut = indexer_is_stopping(i);
		if (*ret_cut)
			break;
		rc = ahead_take(i->ahead, k, i->extractor, i->analyser, &found, err);
		if (!rc)
			rc = indexer_put_row(i, receipt, &b->rows[k], found, err);
	}
	if (!rc && i->tell_later && !*ret_cut)
		rc = commit_and_tell(i, b, err);
	ahead_end(i->ahead);
	return rc;
}

/* Indexes what follows `after`, about `limit` rows; *ret_upto is how far it got, *ret_done how many. Nothing left, or the
 * indexer stops and the batch will be done again: *ret_done 0 and *ret_upto `after`. */
static int index_batch(struct indexer *i, uint64_t after, unsigned int limit, uint64_t *ret_upto,
    size_t *ret_done, struct ark_error *err)
{
	uint64_t head = archive_sequence(i->a);
	struct receipt *receipt = NULL;
	struct batch b = {0};
	char range[64];
	bool cut = false;
	int rc = catalogue_after(i->catalogue, after, limit, keep_row, &b, err);

	*ret_upto = head;
	if (rc == ARK_ENOMEM)
		ark_fail(err, rc, "no memory for a batch");
	if (!rc && b.n) {
		/* whole commits: when the batch is not full, all up to the head is in it */
		*ret_upto = b.n >= limit ? b.rows[b.n - 1].change_sequence : head;
		snprintf(range, sizeof(range), "commits %llu-%llu", (unsigned long long)after + 1,
		    (unsigned long long)*ret_upto);
		rc = archive_maintenance(i->a, "index", range, &receipt, err);
		if (!rc)
			rc = put_rows(i, &b, receipt, &cut, err);
	}
	*ret_done = cut ? 0 : b.n;
	if (cut)
		*ret_upto = after;
	receipt_free(receipt);
	batch_clear(&b);
	return rc;
}

int indexer_reopen(struct indexer *i, struct ark_error *err)
{
	int rc;

	search_close(i->index);
	i->index = NULL;
	rc = search_open_writer(i->dir, i->analyser, i->gate, &i->index, err);
	if (!rc) {
		atomic_store(&i->sequence, search_sequence(i->index));
		atomic_store(&i->reached, search_sequence(i->index));
	}
	return rc;
}

int indexer_commit(struct indexer *i, uint64_t upto, struct ark_error *err)
{
	int rc = search_commit(i->index, upto, err);

	if (!rc)
		atomic_store(&i->sequence, upto);
	i->put_bytes = 0;
	i->committed_us = clock_monotonic_us();
	return rc;
}

/* Filings that follow each other closely share a commit. */
static void let_gather(struct indexer *i)
{
	int64_t left = i->committed_us + LIVE_COMMIT_US - clock_monotonic_us();
	struct timespec until;

	if (!i->runs || left <= 0)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (until.tv_nsec + left * 1000) / 1000000000;
	until.tv_nsec = (until.tv_nsec + left * 1000) % 1000000000;
	pthread_mutex_lock(&i->lock);
	while (!i->stopping && pthread_cond_timedwait(&i->more, &i->lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&i->lock);
}

static bool is_backlog_due(const struct indexer *i, size_t waiting)
{
	uint64_t due = atomic_load(&i->sequence) / BACKLOG_COMMIT_SHARE;

	if (due < BACKLOG_COMMIT_DOCUMENTS_MIN)
		due = BACKLOG_COMMIT_DOCUMENTS_MIN;
	if (due > BACKLOG_COMMIT_DOCUMENTS_MAX)
		due = BACKLOG_COMMIT_DOCUMENTS_MAX;
	return waiting >= due || i->put_bytes >= due * BACKLOG_COMMIT_BYTES ||
	       clock_monotonic_us() - i->committed_us > BACKLOG_COMMIT_US;
}

static void tell_reached(struct indexer *i, uint64_t at, bool full)
{
	if (full && !atomic_load(&i->backlog)) {
		atomic_store(&i->from, at);
		atomic_store(&i->from_us, clock_monotonic_us());
	}
	atomic_store(&i->reached, at);
	atomic_store(&i->backlog, full);
}

int indexer_catch_up(struct indexer *i,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err)
{
	uint64_t at = atomic_load(&i->sequence), upto = at;
	size_t waiting = 0, done;
	bool full = false, gathered = false;
	int rc = ARK_OK;

	while (!rc) {
		unsigned int limit = full ? BATCH_BACKLOG : BATCH;

		rc = index_batch(i, at, limit, &upto, &done, err);
		if (rc || (done == 0 && upto == at))
			break;
		at = upto;
		waiting += done;
		full = done >= limit;
		tell_reached(i, at, full);
		if (progress)
			progress(arg, "index: commits", at, archive_sequence(i->a));
		if (!full && !gathered) {
			let_gather(i); /* then one batch more */
			gathered = true;
			continue;
		}
		if (full ? is_backlog_due(i, waiting) : true) {
			rc = indexer_commit(i, at, err);
			waiting = 0;
			gathered = false;
		}
	}
	atomic_store(&i->backlog, false);
	return !rc && at != atomic_load(&i->sequence) ? indexer_commit(i, at, err) : rc;
}

/* ---- texts to take up again: derived/ emptied, a catalogue made anew without it, or a retry ---- */

static int keep_lost(void *arg, const struct catalogue_row *row)
{
	struct batch *b = arg;

	return b->n == BATCH ? 1 : keep_row(b, row);
}

/* One batch, so that filings do not wait for all of them. */
static int take_up(struct indexer *i, enum form form, bool *ret_more, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	struct batch b = {0};
	bool cut = false;
	int rc =
	    catalogue_pending(i->catalogue, atomic_load(&i->sequence), form, keep_lost, &b, err);

	*ret_more = rc == 1;
	rc = rc == 1 ? ARK_OK : rc;
	if (!rc && b.n) {
		rc = archive_maintenance(i->a, "index", "texts to take up again", &receipt, err);
		if (!rc) {
			i->tell_later = true;
			rc = put_rows(i, &b, receipt, &cut, err);
			i->tell_later = false;
		}
	}
	receipt_free(receipt);
	batch_clear(&b);
	return rc;
}

static int take_up_texts(struct indexer *i, bool *ret_more, struct ark_error *err)
{
	bool wanted, whole = false, public = false;
	int rc;

	pthread_mutex_lock(&i->lock);
	wanted = i->look;
	i->look = false;
	pthread_mutex_unlock(&i->lock);
	*ret_more = false;
	if (!wanted)
		return ARK_OK;
	rc = take_up(i, FORM_WHOLE, &whole, err);
	if (!rc)
		rc = take_up(i, FORM_PUBLIC, &public, err);
	if (rc || whole || public) {
		pthread_mutex_lock(&i->lock);
		i->look = true;
		pthread_mutex_unlock(&i->lock);
	}
	*ret_more = whole || public;
	return rc;
}

/* ---- the thread ---- */

void indexer_poke(struct indexer *i, bool look)
{
	pthread_mutex_lock(&i->lock);
	i->poked = true;
	i->look |= look;
	pthread_cond_signal(&i->more);
	pthread_mutex_unlock(&i->lock);
}

/* Waits for a commit, or a while after a failure; false when stopping. */
static bool wait_for_work(struct indexer *i, bool failed)
{
	struct timespec until;
	bool go;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRY_S;
	pthread_mutex_lock(&i->lock);
	if (failed) {
		while (!i->stopping && !i->drop &&
		       pthread_cond_timedwait(&i->more, &i->lock, &until) == 0)
			;
	} else {
		while (!i->stopping && !i->poked)
			pthread_cond_wait(&i->more, &i->lock);
	}
	i->poked = false;
	go = !i->stopping;
	pthread_mutex_unlock(&i->lock);
	return go;
}

/* Filings first, then texts of long ago, then what OCR has read. */
static int one_round(struct indexer *i, bool *ret_more, struct ark_error *err)
{
	bool texts = false, merges = false;
	int rc;

	indexer_drop_wanted(i, false);
	if (!i->index)
		return ark_fail(err, ARK_EIO, "the index could not be opened again");
	rc = indexer_catch_up(i, NULL, NULL, err);

	if (!rc)
		rc = take_up_texts(i, &texts, err);
	if (!rc)
		rc = indexer_merge(i, &merges, err);
	*ret_more = texts || merges;
	return rc;
}

void *indexer_thread(void *arg)
{
	struct indexer *i = arg;
	struct ark_error err;
	bool failed = false, more = false;

	/* filings and readings go first: the index may lag, they may not */
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);

	do {
		int rc = failed ? indexer_reopen(i, &err) : ARK_OK;

		if (!rc)
			rc = one_round(i, &more, &err);
		failed = rc != ARK_OK;
		more = more && !failed;
		if (failed && !indexer_is_stopping(i))
			ark_log(ARK_LOG_WARNING, "index", "%s; trying again in %d s", err.text,
			    RETRY_S);
	} while (more ? !indexer_is_stopping(i) : wait_for_work(i, failed));
	indexer_drop_wanted(i, true);
	return NULL;
}
