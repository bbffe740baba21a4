/* The writer: appends wait in a queue; what waits together becomes one group,
 * one pwrite and one fdatasync. */
#include <semaphore.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { RANDOM_PER_RECORD = RECORD_SALTS + FRAME_NONCE, SEQUENCES_MAX = 500000 };

struct writer {
	struct segment_file *current;
	struct sequences *sequences;
	struct ledger_index *lookup; /* last sequence numbers, by its own connection */
	struct sha256 *sha;
	/* of the group being written */
	struct buf frames, rows, entries, random;
	int64_t time_us;
	char time_text[RECORD_TIME_SIZE];
};

/* ---- receipts ---- */

void receipt_key_derive(const struct keyring *keys, unsigned char out[RECEIPT_KEY])
{
	static const unsigned char label[] = "arkki-receipt-v1";

	crypto_generichash(out, RECEIPT_KEY, label, sizeof(label) - 1,
	    keyring_secrets(keys)->token_key, sizeof(keyring_secrets(keys)->token_key));
}

enum { TOKEN_PLAIN = 17, TOKEN_NONCE = 24, TOKEN_SIZE = TOKEN_NONCE + TOKEN_PLAIN + 16 };

/* nonce || XChaCha20-Poly1305(which, first, count). The nonce is a keyed hash of the plaintext: the
 * same range gives the same token, different ranges never share a nonce. */
void receipt_token_write(const unsigned char key[RECEIPT_KEY], enum ledger_which which,
    uint64_t first, uint64_t count, char out[RECEIPT_TOKEN_MAX + 1])
{
	unsigned char plain[TOKEN_PLAIN], token[TOKEN_SIZE];

	plain[0] = (unsigned char)which;
	be64_put(plain + 1, first);
	be64_put(plain + 9, count);
	crypto_generichash(token, TOKEN_NONCE, plain, sizeof(plain), key, RECEIPT_KEY);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
	    token + TOKEN_NONCE, NULL, plain, sizeof(plain), NULL, 0, NULL, token, key);
	sodium_bin2base64(out, RECEIPT_TOKEN_MAX + 1, token, sizeof(token),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int receipt_resolve(struct keyring *keys, const char *token, enum ledger_which *ret_which,
    uint64_t *ret_first, uint64_t *ret_count, struct ark_error *err)
{
	unsigned char key[RECEIPT_KEY], plain[TOKEN_PLAIN];
	struct buf b = {.limit = 256};
	bool ok = base64url_decode(&b, token, strlen(token)) && b.len == TOKEN_SIZE;
	const unsigned char *bytes = (const unsigned char *)b.data;

	receipt_key_derive(keys, key);
	ok = ok &&
	     crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + TOKEN_NONCE,
		 TOKEN_SIZE - TOKEN_NONCE, NULL, 0, bytes, key) == 0 &&
	     plain[0] <= LEDGER_ACCESS;
	sodium_memzero(key, sizeof(key));
	buf_free(&b);
	if (!ok)
		return ark_fail(err, ARK_EINPUT, "this is not a receipt of this archive");
	*ret_which = plain[0] == LEDGER_ACCESS ? LEDGER_ACCESS : LEDGER_HISTORY;
	*ret_first = be64_get(plain + 1);
	*ret_count = be64_get(plain + 9);
	return ARK_OK;
}

/* ---- requests ---- */

void request_finish(struct request *r, int rc)
{
	if (r->done && !rc) {
		r->done(r->arg, ARK_OK, r->receipt);
		r->receipt = NULL;
	} else if (r->done) {
		r->done(r->arg, rc, NULL);
	}
	receipt_free(r->receipt);
	buf_wipe_free(&r->text);
	free(r);
}

static int request_new(struct ledger *l, const struct ledger_record *records, size_t n,
    struct request **ret, struct ark_error *err)
{
	struct request *r;
	int rc = ARK_OK;

	if (n == 0 || n > APPEND_BYTES_MAX / FRAME_HEADER)
		return ark_fail(err, ARK_EINPUT, "an append of %zu records; split it", n);
	r = calloc(1, sizeof(*r) + n * sizeof(r->drafts[0]));
	if (!r)
		return ark_fail(err, ARK_ENOMEM, "no memory for a ledger record");
	r->n = n;
	r->receipt = receipt_new(0, n, "");
	if (!r->receipt)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a receipt");
	for (size_t i = 0; !rc && i < n; i++) {
		rc = record_draft(l->keys, &records[i], &r->text, &r->drafts[i], err);
		r->bound +=
		    record_draft_len(&r->drafts[i]) + RECORD_OVERHEAD + FRAME_HEADER + FRAME_TAG;
		if (!rc && r->bound > APPEND_BYTES_MAX)
			rc = ark_fail(err, ARK_EINPUT,
			    "an append of %zu records is over %d bytes; split it", n,
			    APPEND_BYTES_MAX);
	}
	if (rc) {
		request_finish(r, rc);
		return rc;
	}
	*ret = r;
	return ARK_OK;
}

int ledger_append(struct ledger *l, const struct ledger_record *records, size_t n, ledger_done done,
    void *arg, struct ark_error *err)
{
	struct request *r = NULL;
	int rc;

	if (!l->for_writing)
		return ark_fail(
		    err, ARK_EREFUSED, "the log %s is open for reading only", l->origin);
	rc = request_new(l, records, n, &r, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&l->lock);
	rc = ledger_failed(l, err);
	if (!rc && l->stopping)
		rc = ark_fail(err, ARK_EIO, "the log %s is being closed", l->origin);
	if (!rc && l->queued + r->bound > QUEUE_BYTES_MAX)
		rc = ark_fail(err, ARK_EIO, "the log %s cannot keep up; try again", l->origin);
	if (!rc) {
		r->done = done;
		r->arg = arg;
		l->queued += r->bound;
		if (l->last)
			l->last->next = r;
		else
			l->head = r;
		l->last = r;
		pthread_cond_signal(&l->work);
	}
	pthread_mutex_unlock(&l->lock);
	if (rc)
		request_finish(r, rc);
	return rc;
}

struct waiter {
	sem_t finished; /* one futex call; a condition under a lock woke each waiter twice */
	int status;
	struct receipt *receipt;
};

static void waiter_done(void *arg, int status, struct receipt *receipt)
{
	struct waiter *w = arg;

	w->status = status;
	w->receipt = receipt;
	sem_post(&w->finished); /* w may be gone from here on */
}

int ledger_append_wait(struct ledger *l, const struct ledger_record *records, size_t n,
    struct receipt **ret, struct ark_error *err)
{
	struct waiter w = {.status = ARK_EIO};
	int rc;

	sem_init(&w.finished, 0, 0);
	rc = ledger_append(l, records, n, waiter_done, &w, err);
	while (!rc && sem_wait(&w.finished) < 0)
		; /* EINTR */
	sem_destroy(&w.finished);
	if (rc)
		return rc;
	if (w.status) {
		pthread_mutex_lock(&l->lock);
		rc = ledger_failed(l, err);
		pthread_mutex_unlock(&l->lock);
		return rc ? rc
			  : ark_fail(
				err, w.status, "the record could not be written to %s", l->origin);
	}
	if (ret)
		*ret = w.receipt;
	else
		receipt_free(w.receipt);
	return ARK_OK;
}

/* ---- the thread ---- */

static int look_up(void *arg, const struct sequence_key *key, uint64_t *ret, struct ark_error *err)
{
	struct writer *w = arg;

	return ledger_index_last(w->lookup, key, ret, err);
}

int writer_new(
    struct ledger *l, struct segment_file *current, struct writer **ret, struct ark_error *err)
{
	struct writer *w = calloc(1, sizeof(*w));
	char path[4096];
	int rc;

	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory for the ledger");
	rc = fs_path(path, err, "%s/index.sqlite", l->dir);
	if (!rc)
		rc = ledger_index_open(path, LEDGER_INDEX_READ, &w->lookup, err);
	if (!rc)
		rc = sequences_new(look_up, w, &w->sequences, err);
	w->sha = sha256_new();
	if (!rc && !w->sha)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the ledger");
	if (rc) {
		writer_free(w);
		return rc;
	}
	w->current = current;
	*ret = w;
	return ARK_OK;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	segment_file_free(w->current);
	sequences_free(w->sequences);
	ledger_index_close(w->lookup);
	sha256_free(w->sha);
	buf_wipe_free(&w->frames);
	buf_free(&w->rows);
	buf_free(&w->entries);
	buf_wipe_free(&w->random);
	free(w);
}

/* Takes what fits off the queue, in order. Under the lock. */
static struct request *take_group(
    struct ledger *l, struct writer *w, size_t *ret_records, size_t *ret_bound)
{
	uint64_t room = w->current->size - w->current->end;
	struct request *first = l->head, *last = NULL;

	*ret_records = *ret_bound = 0;
	for (struct request *r = first; r; last = r, r = r->next) {
		if (*ret_bound + r->bound > room || *ret_bound + r->bound > GROUP_BYTES_MAX)
			break;
		*ret_bound += r->bound;
		*ret_records += r->n;
	}
	if (!last)
		return NULL;
	l->head = last->next;
	if (!l->head)
		l->last = NULL;
	last->next = NULL;
	l->queued -= *ret_bound;
	return first;
}

static bool reserve(struct ledger *l, struct writer *w, size_t n, size_t bound)
{
	bool ok;

	buf_clear(&w->frames), buf_clear(&w->rows), buf_clear(&w->entries), buf_clear(&w->random);
	ok = buf_reserve(&w->frames, bound) &&
	     buf_reserve(&w->rows, n * sizeof(struct ledger_row)) &&
	     buf_reserve(&w->entries, n * ENTRY_SIZE) &&
	     buf_reserve(&w->random, n * RANDOM_PER_RECORD);
	/* The followers only clear these, which keeps the memory: adding after the sync cannot fail. */
	pthread_mutex_lock(&l->lock);
	if (ok && !(buf_reserve(&l->rows, n * sizeof(struct ledger_row)) &&
		      buf_reserve(&l->entries, n * ENTRY_SIZE))) {
		l->rows.failed = l->entries.failed = false;
		ok = false;
	}
	pthread_mutex_unlock(&l->lock);
	return ok;
}

/* Salts and nonces of a whole group from one seed: unpredictable to whoever does not hold it, and
 * one of them tells nothing of another. */
static void fill_random(struct writer *w, size_t n)
{
	unsigned char seed[randombytes_SEEDBYTES];

	randombytes_buf(seed, sizeof(seed));
	randombytes_buf_deterministic(w->random.data, n * RANDOM_PER_RECORD, seed);
	sodium_memzero(seed, sizeof(seed));
}

static const char *time_text(struct writer *w, int64_t time_us)
{
	if (time_us != w->time_us || !w->time_text[0]) {
		w->time_us = time_us;
		record_time(w->time_text, time_us);
	}
	return w->time_text;
}

static int stamp_record(struct writer *w, const struct record_draft *d, struct ledger_row *row,
    struct record_stamp *stamp, struct ark_error *err)
{
	struct sequence_key key;
	int rc = ARK_OK;

	if (d->has_document) {
		key = sequence_key(false, d->own_series, d->document);
		rc = sequences_next(w->sequences, &key, &stamp->document_sequence, err);
	}
	if (!rc && d->has_principal) {
		key = sequence_key(true, d->own_series, d->principal);
		rc = sequences_next(w->sequences, &key, &stamp->principal_sequence, err);
	}
	row->has_document = d->has_document, row->has_principal = d->has_principal;
	row->own_series = d->own_series;
	row->document_sequence = stamp->document_sequence;
	row->principal_sequence = stamp->principal_sequence;
	row->has_org = d->has_org, row->has_author = d->has_author;
	row->has_about = d->has_about, row->about = d->about;
	row->glass = d->glass;
	memcpy(row->document, d->document, 16);
	memcpy(row->principal, d->principal, 16);
	memcpy(row->org, d->org, 16);
	memcpy(row->author, d->author, 16);
	return rc;
}

/* Adds one frame, row and entry to the group. head: index and group are set. */
static int encode_record(struct writer *w, const struct record_draft *d, const char *text,
    int64_t now_us, struct frame *head, struct ark_error *err)
{
	unsigned char *out = (unsigned char *)w->frames.data + w->frames.len, entry[ENTRY_SIZE];
	const unsigned char *random =
	    (const unsigned char *)w->random.data + (head->index - head->group) * RANDOM_PER_RECORD;
	int64_t time_us = d->time_us ? d->time_us : now_us;
	struct ledger_row row = {.index = head->index,
	    .time_us = time_us,
	    .segment = w->current->segment.number,
	    .offset = w->current->end + w->frames.len};
	struct record_stamp stamp = {.time = time_text(w, time_us), .salts = random};
	int rc = stamp_record(w, d, &row, &stamp, err);
	size_t n;

	if (rc)
		return rc;
	n = record_complete(d, text, &stamp, w->sha, out + FRAME_HEADER, entry);
	n = frame_seal(w->current->cipher, out, head, entry, random + RECORD_SALTS, n);
	if (n == 0)
		return ark_fail(err, ARK_EIO, "libcrypto does not seal a ledger record");
	w->frames.len += n;
	buf_add(&w->rows, &row, sizeof(row));
	buf_add(&w->entries, entry, sizeof(entry));
	return ARK_OK;
}

static int write_group(
    struct ledger *l, struct writer *w, struct request *group, size_t n, struct ark_error *err)
{
	uint64_t first = l->size, next = first; /* only this thread moves size */
	int64_t now_us = clock_now_us();
	int rc = ARK_OK;

	fill_random(w, n);
	for (struct request *r = group; r; r = r->next) {
		const char *text = r->text.data;

		r->receipt->first = next;
		for (size_t i = 0; !rc && i < r->n; i++, next++) {
			struct frame head = {.index = next,
			    .group = first,
			    .flags =
				(i == 0 ? FRAME_FIRST : 0U) | (i + 1 == r->n ? FRAME_LAST : 0U)};

			rc = encode_record(w, &r->drafts[i], text, now_us, &head, err);
			text += record_draft_len(&r->drafts[i]);
		}
	}
	if (!rc)
		rc = fs_pwrite_all(
		    w->current->fd, w->frames.data, w->frames.len, w->current->end, err);
	if (!rc)
		rc = fs_sync_file(w->current->fd, "the ledger's segment", err);
	if (rc)
		return rc;
	w->current->end += w->frames.len;
	pthread_mutex_lock(&l->lock);
	l->size = next;
	buf_add(&l->rows, w->rows.data, w->rows.len);
	buf_add(&l->entries, w->entries.data, w->entries.len);
	if (!l->next && w->current->end > w->current->size / 2)
		l->next_wanted = true;
	pthread_cond_broadcast(&l->follow);
	pthread_mutex_unlock(&l->lock);
	return ARK_OK;
}

/* Answers all of a group. */
static void finish_group(struct ledger *l, struct request *group, int rc)
{
	while (group) {
		struct request *r = group;

		group = r->next;
		if (!rc)
			receipt_token_write(
			    l->receipt_key, l->which, r->receipt->first, r->n, r->receipt->token);
		request_finish(r, rc);
	}
}

/* Goes over to the next segment, which the publisher has prepared, or soon will have. */
static int roll_over(struct ledger *l, struct writer *w, struct ark_error *err)
{
	struct segment_file *next;
	int rc;

	pthread_mutex_lock(&l->lock);
	l->next_wanted = true;
	pthread_cond_broadcast(&l->follow);
	while (!l->next && !l->failed.status)
		pthread_cond_wait(&l->moved, &l->lock);
	rc = ledger_failed(l, err);
	next = l->next;
	l->next = NULL;
	l->next_wanted = false;
	pthread_mutex_unlock(&l->lock);
	if (!rc)
		rc = segment_begin(next, l->origin_hash, l->size, err);
	if (!rc) {
		pthread_mutex_lock(&l->lock);
		rc = segment_list_add(&l->segments, &next->segment, err);
		pthread_mutex_unlock(&l->lock);
	}
	if (rc) {
		segment_file_free(next);
		return rc;
	}
	segment_file_free(w->current);
	w->current = next;
	return ARK_OK;
}

/* The maps may not grow without end: when all of it is in the index, it can be asked again. */
static int trim_sequences(struct ledger *l, struct writer *w, struct ark_error *err)
{
	int rc;

	if (sequences_count(w->sequences) < SEQUENCES_MAX)
		return ARK_OK;
	rc = ledger_index_wait(l, l->size, err);
	if (!rc)
		sequences_clear(w->sequences);
	return rc;
}

static void one_group(struct ledger *l, struct writer *w)
{
	struct ark_error err = {0};
	size_t n = 0, bound = 0;
	struct request *group;
	int rc;

	pthread_mutex_lock(&l->lock);
	rc = ledger_failed(l, &err);
	if (rc) {
		group = l->head;
		l->head = l->last = NULL;
		l->queued = 0;
	} else {
		group = take_group(l, w, &n, &bound);
	}
	pthread_mutex_unlock(&l->lock);
	if (!rc && !group)
		rc = roll_over(l, w, &err);
	else if (!rc && !reserve(l, w, n, bound))
		return finish_group(l, group, ARK_ENOMEM);
	else if (!rc)
		rc = write_group(l, w, group, n, &err);
	if (!rc)
		rc = trim_sequences(l, w, &err);
	if (rc) {
		ledger_fail(l, &err);
		rc = ARK_EIO;
	}
	finish_group(l, group, rc);
}

void *writer_main(void *arg)
{
	struct ledger *l = arg;

	for (;;) {
		bool more;

		pthread_mutex_lock(&l->lock);
		while (!l->head && !l->stopping)
			pthread_cond_wait(&l->work, &l->lock);
		more = l->head != NULL;
		pthread_mutex_unlock(&l->lock);
		if (!more)
			return NULL;
		one_group(l, l->writer);
	}
}
