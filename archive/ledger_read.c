/* Reading back: frames out of segments, entries by index or filter, and the
 * indexer that keeps index.sqlite behind the writer. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "archive/ledger_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { BATCH_US = 200000, FILL_ROWS = 4096 };

/* ---- walking the segments ---- */

/* A copy of one list item, with the index behind its last entry (at most `to`). */
static bool segment_at(
    struct ledger *l, uint64_t index, uint64_t to, struct segment *ret, uint64_t *ret_end)
{
	const struct segment *s, *end;

	pthread_mutex_lock(&l->lock);
	s = segment_list_find(&l->segments, index);
	end = l->segments.items + l->segments.len;
	if (s) {
		*ret = *s;
		*ret_end = s + 1 < end && s[1].first < to ? s[1].first : to;
	}
	pthread_mutex_unlock(&l->lock);
	return s != NULL;
}

int ledger_walk(struct ledger *l, uint64_t from, uint64_t to, ledger_walk_each each, void *arg,
    struct ark_error *err)
{
	while (from < to) {
		struct segment_image image;
		struct segment s;
		uint64_t end;
		int rc;

		if (!segment_at(l, from, to, &s, &end))
			return ark_fail(err, ARK_ECORRUPT, "the log %s has no segments", l->origin);
		rc = segment_image_load(l->dir, &s, l->keys, l->origin_hash, &image, err);
		if (rc)
			return rc;
		rc = segment_walk(&image, from, end, each, arg, err);
		segment_image_free(&image);
		if (rc)
			return rc;
		from = end;
	}
	return ARK_OK;
}

/* ---- the index ---- */

int ledger_row_of(const struct keyring *keys, const struct ledger_entry *e,
    const struct segment_image *image, const struct frame *f, struct ledger_row *ret,
    struct ark_error *err)
{
	const char *time = json_text(e->a, "time"), *document = json_text(e->a, "document");
	const char *principal = json_text(e->b, "principal"), *series = json_text(e->b, "series");
	const char *org = json_text(e->b, "org"), *author = json_text(e->a, "author");
	const json_t *about = json_object_get(e->a, "about");
	struct ledger_row row = {.index = e->index,
	    .segment = image->segment.number,
	    .offset = (uint64_t)(f->bytes - image->bytes),
	    .own_series = series && strcmp(series, "own") == 0,
	    .glass = json_text(e->a, "breakGlass") &&
		     !json_is_true(json_object_get(e->a, "breakGlassRefused")),
	    .has_about = about,
	    .about = (uint64_t)json_integer_value(about)};
	char hash[33];

	if (!time || !clock_parse(time, &row.time_us) || (document && !docid_valid(document)) ||
	    (author && !docid_valid(author)))
		return ark_fail(err, ARK_ECORRUPT, "entry %llu is no ledger record",
		    (unsigned long long)e->index);
	if (document) {
		row.has_document = hex_decode(row.document, 16, document, 32);
		row.document_sequence =
		    (uint64_t)json_integer_value(json_object_get(e->a, "documentSequence"));
	}
	if (principal) {
		keyring_name(keys, "principal", principal, hash);
		row.has_principal = hex_decode(row.principal, 16, hash, 32);
		row.principal_sequence =
		    (uint64_t)json_integer_value(json_object_get(e->b, "principalSequence"));
	}
	if (org) {
		keyring_name(keys, "orgs", org, hash);
		row.has_org = hex_decode(row.org, 16, hash, 32);
	}
	if (author)
		row.has_author = hex_decode(row.author, 16, author, 32);
	*ret = row;
	return ARK_OK;
}

struct fill {
	struct ledger *l;
	struct ledger_index *ix;
	struct buf rows, plain;
};

static int fill_flush(struct fill *fill, struct ark_error *err)
{
	int rc =
	    ledger_index_apply(fill->ix, (const struct ledger_row *)(const void *)fill->rows.data,
		fill->rows.len / sizeof(struct ledger_row), err);

	buf_clear(&fill->rows);
	return rc;
}

static int fill_each(
    void *arg, const struct segment_image *image, const struct frame *f, struct ark_error *err)
{
	struct fill *fill = arg;
	struct ledger_entry e;
	struct ledger_row row;
	int rc = frame_open(image->cipher, f, &fill->plain, err);

	if (!rc)
		rc = record_read(
		    fill->plain.data, fill->plain.len, frame_entry(f), f->index, &e, err);
	if (rc)
		return rc;
	rc = ledger_row_of(fill->l->keys, &e, image, f, &row, err);
	ledger_entry_free(&e);
	if (rc)
		return rc;
	buf_add(&fill->rows, &row, sizeof(row));
	if (buf_failed(&fill->rows))
		return ark_fail(err, ARK_ENOMEM, "no memory for the ledger's index");
	return fill->rows.len < FILL_ROWS * sizeof(row) ? ARK_OK : fill_flush(fill, err);
}

int ledger_index_fill(
    struct ledger *l, struct ledger_index *ix, uint64_t from, uint64_t to, struct ark_error *err)
{
	struct fill fill = {.l = l, .ix = ix};
	int rc = ledger_walk(l, from, to, fill_each, &fill, err);

	if (!rc)
		rc = fill_flush(&fill, err);
	buf_free(&fill.rows);
	buf_wipe_free(&fill.plain);
	return rc;
}

int ledger_index_wait(struct ledger *l, uint64_t size, struct ark_error *err)
{
	int rc = ARK_OK;

	pthread_mutex_lock(&l->lock);
	l->index_waiters++;
	if (l->indexed < size)
		pthread_cond_broadcast(&l->follow);
	while (!rc && l->indexed < size) {
		rc = ledger_failed(l, err);
		if (!rc)
			pthread_cond_wait(&l->moved, &l->lock);
	}
	l->index_waiters--;
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* Sleeps until there are rows and either they have waited BATCH_US or someone waits for them.
 * False: there is nothing left to do. Under the lock. */
static bool await_rows(struct ledger *l)
{
	int64_t until = 0;

	for (;;) {
		int64_t now = clock_monotonic_us();
		struct timespec ts;

		if (l->failed.status || (l->rows.len == 0 && l->drained))
			return false;
		if (l->rows.len && !until)
			until = now + BATCH_US;
		if (l->rows.len && (l->index_waiters || l->drained || now >= until))
			return true;
		if (!until) {
			pthread_cond_wait(&l->follow, &l->lock);
			continue;
		}
		ts = (struct timespec){until / 1000000, until % 1000000 * 1000};
		pthread_cond_timedwait(&l->follow, &l->lock, &ts);
	}
}

void *indexer_main(void *arg)
{
	struct ledger *l = arg;
	struct buf rows = BUF_INIT;
	struct ark_error err = {0};

	pthread_mutex_lock(&l->lock);
	while (await_rows(l)) {
		size_t n = l->rows.len / sizeof(struct ledger_row);
		int rc;

		buf_clear(&rows);
		buf_add(&rows, l->rows.data, l->rows.len);
		buf_clear(&l->rows);
		pthread_mutex_unlock(&l->lock);
		rc = buf_failed(&rows)
			 ? ark_fail(&err, ARK_ENOMEM, "no memory for the ledger's index")
			 : ledger_index_apply(l->index,
			       (const struct ledger_row *)(const void *)rows.data, n, &err);
		if (rc)
			ledger_fail(l, &err);
		pthread_mutex_lock(&l->lock);
		if (!rc)
			l->indexed += n;
		pthread_cond_broadcast(&l->moved);
	}
	pthread_mutex_unlock(&l->lock);
	buf_free(&rows);
	return NULL;
}

/* Opens what ledger_get() and ledger_find() ask. Under index_lock. */
static int ready_index(struct ledger *l, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/index.sqlite", l->dir);

	if (!rc && !l->file_index) {
		rc = ledger_index_open(path, LEDGER_INDEX_READ, &l->file_index, err);
		if (!rc)
			rc = ledger_index_size(l->file_index, &l->tail_from, err);
		if (rc == ARK_ENOTFOUND && !l->for_writing)
			rc = ARK_OK;
	}
	if (rc || l->for_writing || l->tail_index)
		return rc;
	if (l->tail_from > l->size)
		l->tail_from = l->size;
	rc = ledger_index_open(path, LEDGER_INDEX_MEMORY, &l->tail_index, err);
	return rc ? rc : ledger_index_fill(l, l->tail_index, l->tail_from, l->size, err);
}

/* ---- entries ---- */

struct reader { /* one segment open, with its key */
	struct ledger *l;
	int fd;
	uint32_t number;
	struct frame_cipher *cipher;
	struct buf bytes, plain;
};

static void reader_end(struct reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	frame_cipher_free(r->cipher);
	r->fd = -1;
	r->cipher = NULL;
	buf_free(&r->bytes);
	buf_wipe_free(&r->plain);
}

static int reader_turn(struct reader *r, uint32_t number, struct ark_error *err)
{
	struct ledger *l = r->l;
	struct seal_key key;
	uint64_t slot = 0;
	bool known;
	int rc;

	if (r->fd >= 0 && r->number == number)
		return ARK_OK;
	reader_end(r);
	pthread_mutex_lock(&l->lock);
	known = number < l->segments.len;
	if (known)
		slot = l->segments.items[number].slot;
	pthread_mutex_unlock(&l->lock);
	if (!known)
		return ark_fail(err, ARK_ECORRUPT,
		    "the ledger's index names a segment that is not there; delete index.sqlite");
	rc = segment_open_file(l->dir, number, O_RDONLY, &r->fd, err);
	if (!rc)
		rc = keyring_unwrap_ledger(l->keys, slot, &key, err);
	if (!rc) {
		rc = frame_cipher_new(&key, l->origin_hash, &r->cipher, err);
		seal_key_wipe(&key);
	}
	if (rc)
		reader_end(r);
	r->number = number;
	return rc;
}

/* The plaintext into r->plain, and what the entry commits to. */
static int reader_frame(struct reader *r, uint64_t index, uint32_t segment, uint64_t offset,
    struct frame *ret, struct ark_error *err)
{
	int rc = reader_turn(r, segment, err);

	if (!rc)
		rc = segment_frame_at(
		    r->fd, offset, r->cipher, index, &r->bytes, ret, &r->plain, err);
	return rc;
}

static int reader_entry(struct reader *r, uint64_t index, uint32_t segment, uint64_t offset,
    struct ledger_entry *ret, struct ark_error *err)
{
	struct frame f;
	int rc = reader_frame(r, index, segment, offset, &f, err);

	if (!rc)
		rc = record_read(r->plain.data, r->plain.len, frame_entry(&f), index, ret, err);
	return rc;
}

/* Where an entry's frame begins. */
static int locate(struct ledger *l, uint64_t index, uint32_t *ret_segment, uint64_t *ret_offset,
    struct ark_error *err)
{
	int rc;

	if (index >= ledger_size(l))
		return ark_fail(
		    err, ARK_ENOTFOUND, "there is no entry %llu", (unsigned long long)index);
	rc = l->for_writing ? ledger_index_wait(l, index + 1, err) : ARK_OK;
	if (rc)
		return rc;
	pthread_mutex_lock(&l->index_lock);
	rc = ready_index(l, err);
	if (!rc)
		rc = ledger_index_locate(
		    l->tail_index && index >= l->tail_from ? l->tail_index : l->file_index, index,
		    ret_segment, ret_offset, err);
	pthread_mutex_unlock(&l->index_lock);
	if (rc == ARK_ENOTFOUND)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "entry %llu is missing in the ledger's index.sqlite; delete it: it is made "
		    "anew from the "
		    "segments",
		    (unsigned long long)index);
	return rc;
}

int ledger_get(struct ledger *l, uint64_t index, struct ledger_entry *ret, struct ark_error *err)
{
	struct reader r = {.l = l, .fd = -1};
	uint64_t offset = 0;
	uint32_t segment = 0;
	int rc = locate(l, index, &segment, &offset, err);

	if (!rc)
		rc = reader_entry(&r, index, segment, offset, ret, err);
	reader_end(&r);
	return rc;
}

int ledger_parts(struct ledger *l, uint64_t index, struct buf *plain, struct record_part ret[3],
    struct ark_error *err)
{
	struct reader r = {.l = l, .fd = -1};
	uint64_t offset = 0;
	uint32_t segment = 0;
	struct frame f;
	int rc = locate(l, index, &segment, &offset, err);

	if (!rc)
		rc = reader_frame(&r, index, segment, offset, &f, err);
	if (!rc)
		rc = record_split(r.plain.data, r.plain.len, frame_entry(&f), ret, err);
	if (!rc) {
		buf_wipe_free(plain);
		*plain = r.plain;
		r.plain = (struct buf)BUF_INIT;
	}
	reader_end(&r);
	return rc;
}

struct find {
	struct reader reader;
	unsigned int left;
	int (*each)(void *arg, const struct ledger_entry *e);
	void *arg;
	struct ark_error *err;
	bool full;
	const struct ledger_filter *filter;
};

static int find_each(void *arg, uint64_t index, uint32_t segment, uint64_t offset)
{
	struct find *find = arg;
	struct ledger_entry e;
	int rc;

	if (find->filter->wanted && !find->filter->wanted(find->filter->wanted_arg, index))
		return 0;
	if (find->left == 0) {
		find->full = true;
		return 1;
	}
	find->left--;
	rc = reader_entry(&find->reader, index, segment, offset, &e, find->err);
	if (rc)
		return rc;
	rc = find->each(find->arg, &e);
	ledger_entry_free(&e);
	return rc;
}

/* Beside a writer that is another process: the part that its index has, and our own tail. */
static int find_without_writer(
    struct ledger *l, const struct ledger_index_query *q, struct find *find, struct ark_error *err)
{
	struct ledger_index_query old = *q, new = *q;
	struct ledger_index_query *const order[2] = {
	    q->newest_first ? &new : &old, q->newest_first ? &old : &new};
	int rc;

	pthread_mutex_lock(&l->index_lock);
	rc = ready_index(l, err);
	old.before = l->tail_from;
	if (new.after < l->tail_from)
		new.after = l->tail_from;
	for (int i = 0; !rc && i < 2; i++) {
		struct ledger_index *ix = order[i] == &old ? l->file_index : l->tail_index;

		if (ix)
			rc = ledger_index_find(ix, order[i], find_each, find, err);
	}
	pthread_mutex_unlock(&l->index_lock);
	return rc;
}

static int find_orgs(const struct ledger *l, const struct ledger_filter *filter,
    unsigned char orgs[LEDGER_ORGS_MAX][16], struct ledger_index_query *q, struct ark_error *err)
{
	char hash[33];

	if (filter->orgs_len > LEDGER_ORGS_MAX)
		return ark_fail(err, ARK_EINPUT, "over %d organisations are asked for at once",
		    LEDGER_ORGS_MAX);
	for (size_t i = 0; i < filter->orgs_len; i++) {
		keyring_name(l->keys, "orgs", filter->orgs[i], hash);
		hex_decode(orgs[i], 16, hash, 32);
	}
	q->orgs = (const unsigned char(*)[16])orgs;
	q->orgs_len = filter->orgs_len;
	return ARK_OK;
}

int ledger_about(
    struct ledger *l, uint64_t about, bool own_series, uint64_t *ret, struct ark_error *err)
{
	int rc = l->for_writing ? ledger_index_wait(l, ledger_size(l), err) : ARK_OK;

	if (rc)
		return rc;
	pthread_mutex_lock(&l->index_lock);
	rc = ready_index(l, err);
	if (!rc && l->file_index)
		rc = ledger_index_about(l->file_index, about, own_series, ret, err);
	else if (!rc)
		rc = ARK_ENOTFOUND;
	if (rc == ARK_ENOTFOUND && l->tail_index)
		rc = ledger_index_about(l->tail_index, about, own_series, ret, err);
	pthread_mutex_unlock(&l->index_lock);
	return rc == ARK_ENOTFOUND ? ark_fail(err, ARK_ENOTFOUND, "no entry is about that one")
				   : rc;
}

int ledger_newest(struct ledger *l, const struct ledger_series *series, uint64_t *ret_sequence,
    uint64_t *ret_index, struct ark_error *err)
{
	struct sequence_key key;
	unsigned char id[16];
	char hash[33] = "";
	uint64_t sequence = 0;
	int rc = l->for_writing ? ledger_index_wait(l, ledger_size(l), err) : ARK_OK;

	if (rc)
		return rc;
	if (!series->document)
		keyring_name(l->keys, "principal", series->principal, hash);
	else if (docid_valid(series->document))
		memcpy(hash, series->document, sizeof(hash));
	if (!hex_decode(id, sizeof(id), hash, strlen(hash)))
		return ark_fail(err, ARK_ENOTFOUND, "there is no such series");
	key = sequence_key(!series->document, series->own, id);
	pthread_mutex_lock(&l->index_lock);
	rc = ready_index(l, err);
	if (!rc && l->tail_index)
		rc = ledger_index_newest(l->tail_index, &key, &sequence, ret_index, err);
	if (!rc && !sequence && l->file_index)
		rc = ledger_index_newest(l->file_index, &key, &sequence, ret_index, err);
	pthread_mutex_unlock(&l->index_lock);
	if (!rc && !sequence)
		rc = ark_fail(err, ARK_ENOTFOUND, "the series has no entry");
	if (!rc)
		*ret_sequence = sequence;
	return rc;
}

int ledger_find(struct ledger *l, const struct ledger_filter *filter, unsigned int limit,
    int (*each)(void *arg, const struct ledger_entry *e), void *arg, struct ark_error *err)
{
	unsigned char document[16], principal[16], orgs[LEDGER_ORGS_MAX][16];
	struct find find = {{.l = l, .fd = -1}, limit, each, arg, err, false, filter};
	struct ledger_index_query q = {.from_us = filter->from_us,
	    .to_us = filter->to_us,
	    .after = filter->after > INT64_MAX ? INT64_MAX : filter->after,
	    .before = ledger_size(l),
	    .newest_first = filter->newest_first,
	    .glass = filter->broken_glass};
	struct ledger_index *ix = NULL;
	char hash[33], path[4096];
	int rc;

	if (filter->document) {
		if (!docid_valid(filter->document))
			return ARK_OK;
		hex_decode(document, 16, filter->document, 32);
		q.document = document;
	}
	if (filter->principal) {
		keyring_name(l->keys, "principal", filter->principal, hash);
		hex_decode(principal, 16, hash, 32);
		q.principal = principal;
	}
	if (filter->orgs) {
		rc = find_orgs(l, filter, orgs, &q, err);
		if (rc)
			return rc;
	}
	if (!l->for_writing) {
		rc = find_without_writer(l, &q, &find, err);
	} else {
		rc = ledger_index_wait(l, q.before, err);
		if (!rc)
			rc = fs_path(path, err, "%s/index.sqlite", l->dir);
		if (!rc)
			rc = ledger_index_open(path, LEDGER_INDEX_READ, &ix, err);
		if (!rc)
			rc = ledger_index_find(ix, &q, find_each, &find, err);
		ledger_index_close(ix);
	}
	reader_end(&find.reader);
	return find.full ? ARK_OK : rc;
}
