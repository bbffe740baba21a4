/* Opening and closing a log: recovery first, then the three threads. */
#include "arkki/archive/ledger.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/ledger_private.h"
#include "arkki/base/fs.h"

enum { READ_TRIES = 5, READ_PAUSE_MS = 40 };

void ledger_fail(struct ledger *l, const struct ark_error *err)
{
	pthread_mutex_lock(&l->lock);
	if (!l->failed.status)
		ark_fail(&l->failed, ARK_EIO,
		    "the log %s has stopped: %s; restart after mending it", l->origin, err->text);
	pthread_cond_broadcast(&l->work);
	pthread_cond_broadcast(&l->follow);
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

int ledger_failed(struct ledger *l, struct ark_error *err)
{
	if (!l->failed.status)
		return ARK_OK;
	return ark_fail(err, ARK_EIO, "%s", l->failed.text);
}

int ledger_alive(struct ledger *l, struct ark_error *err)
{
	int rc;

	pthread_mutex_lock(&l->lock);
	rc = ledger_failed(l, err);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

uint64_t ledger_size(struct ledger *l)
{
	uint64_t size;

	pthread_mutex_lock(&l->lock);
	size = l->size;
	pthread_mutex_unlock(&l->lock);
	return size;
}

static void ledger_free(struct ledger *l)
{
	publisher_free(l->publisher);
	writer_free(l->writer);
	segment_file_free(l->next);
	ledger_index_close(l->index);
	ledger_index_close(l->file_index);
	ledger_index_close(l->tail_index);
	segment_list_free(&l->segments);
	buf_free(&l->entries);
	buf_free(&l->rows);
	buf_free(&l->note);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->follow);
	pthread_cond_destroy(&l->moved);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->sign_lock);
	ledger_free_signers(l);
	pthread_mutex_destroy(&l->index_lock);
	sodium_memzero(l->receipt_key, sizeof(l->receipt_key));
	free(l->dir);
	free(l->origin);
	free(l);
}

static int ledger_new(const char *dir, const char *origin, enum ledger_which which,
    struct keyring *keys, bool for_writing, struct ledger **ret, struct ark_error *err)
{
	struct ledger *l = calloc(1, sizeof(*l));
	pthread_condattr_t monotonic;
	pthread_mutexattr_t recursive;
	int rc = ARK_OK;

	if (!l)
		return ark_fail(err, ARK_ENOMEM, "no memory for the ledger");
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->sign_lock, NULL);
	/* a caller's `each` may ask for further entries */
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&l->index_lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
	pthread_cond_init(&l->work, &monotonic);
	pthread_cond_init(&l->follow, &monotonic);
	pthread_cond_init(&l->moved, &monotonic);
	pthread_condattr_destroy(&monotonic);
	l->dir = strdup(dir);
	l->origin = strdup(origin);
	l->which = which;
	l->keys = keys;
	l->for_writing = for_writing;
	sha256_of(origin, strlen(origin), l->origin_hash);
	receipt_key_derive(keys, l->receipt_key);
	if (!l->dir || !l->origin)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the ledger");
	if (!rc)
		rc = ledger_load_signers(l, err);
	if (rc) {
		ledger_free(l);
		return rc;
	}
	*ret = l;
	return ARK_OK;
}

/* ---- recovery ---- */

struct recovery {
	struct checkpoint checkpoint;
	struct segment_image last; /* bytes NULL: no segment has begun */
	uint64_t end;              /* behind the last whole append of it */
	struct buf entries;        /* from the start of the checkpoint's newest tile on */
};

static int load_last(struct ledger *l, struct recovery *r, struct ark_error *err)
{
	const struct segment *s = segment_list_find(&l->segments, UINT64_MAX);
	bool torn;
	int rc;

	if (!s)
		return ARK_OK;
	rc = segment_image_load(l->dir, s, l->keys, l->origin_hash, &r->last, err);
	return rc ? rc : segment_recover(&r->last, &r->end, &l->size, &torn, err);
}

static int collect_entry(
    void *arg, const struct segment_image *image, const struct frame *f, struct ark_error *err)
{
	struct buf *entries = arg;

	(void)image;
	buf_add(entries, frame_entry(f), ENTRY_SIZE);
	return buf_failed(entries) ? ark_fail(err, ARK_ENOMEM, "no memory for entries") : ARK_OK;
}

static int recover(struct ledger *l, struct recovery *r, struct ark_error *err)
{
	int rc = checkpoint_load(l, &l->note, &r->checkpoint, err);

	if (!rc)
		rc = segment_list_load(l->dir, l->origin_hash, &l->segments, err);
	if (!rc)
		rc = load_last(l, r, err);
	/* a server at work beside us may have written between two of our reads */
	for (int i = 0; rc == ARK_ECORRUPT && !l->for_writing && r->last.bytes && i < READ_TRIES;
	     i++) {
		const struct timespec pause = {0, READ_PAUSE_MS * 1000000L};

		segment_image_free(&r->last);
		nanosleep(&pause, NULL);
		rc = load_last(l, r, err);
	}
	if (!rc && l->size < r->checkpoint.size)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "the log %s is behind its own checkpoint (%llu entries of %llu): data was "
		    "lost; restore "
		    "%s/segments; refusing to sign",
		    l->origin, (unsigned long long)l->size, (unsigned long long)r->checkpoint.size,
		    l->dir);
	l->published = r->checkpoint.size;
	l->opened = r->checkpoint;
	if (!rc && l->for_writing)
		rc = ledger_walk(l, r->checkpoint.size & ~UINT64_C(255), l->size, collect_entry,
		    &r->entries, err);
	return rc;
}

static int open_index(struct ledger *l, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/index.sqlite", l->dir);

	if (!rc)
		rc = ledger_index_open(path, LEDGER_INDEX_WRITE, &l->index, err);
	if (!rc)
		rc = ledger_index_size(l->index, &l->indexed, err);
	if (!rc && l->indexed > l->size)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%s knows %llu entries and the segments hold %llu: data was lost; restore the "
		    "segments, "
		    "or delete the index to go on without them",
		    path, (unsigned long long)l->indexed, (unsigned long long)l->size);
	return rc;
}

static int first_offset(
    void *arg, const struct segment_image *image, const struct frame *f, struct ark_error *err)
{
	(void)err;
	*(uint64_t *)arg = (uint64_t)(f->bytes - image->bytes);
	return 1;
}

static int open_current(
    struct ledger *l, struct recovery *r, struct segment_file **ret, struct ark_error *err)
{
	uint64_t from = r->end;
	int rc;

	if (!r->last.bytes) {
		rc = segment_prepare(l->dir, 0, l->keys, l->origin_hash, ret, err);
		if (!rc)
			rc = segment_begin(*ret, l->origin_hash, 0, err);
		return rc ? rc : segment_list_add(&l->segments, &(*ret)->segment, err);
	}
	if (segment_walk(&r->last, r->checkpoint.size, l->size, first_offset, &from, err) < 0)
		return ARK_ECORRUPT;
	return segment_resume(l->dir, &r->last, from, r->end, ret, err);
}

static int start_threads(struct ledger *l, struct ark_error *err)
{
	const struct {
		pthread_t *thread;
		void *(*run)(void *);
	} t[] = {{&l->writer_thread, writer_main}, {&l->publisher_thread, publisher_main},
	    {&l->indexer_thread, indexer_main}};
	struct ark_error stop;

	for (size_t i = 0; i < 3; i++) {
		if (pthread_create(t[i].thread, NULL, t[i].run, l) == 0)
			continue;
		ark_fail(&stop, ARK_ENOMEM, "no thread could be started");
		pthread_mutex_lock(&l->lock);
		l->stopping = l->drained = true;
		pthread_mutex_unlock(&l->lock);
		ledger_fail(l, &stop);
		while (i--)
			pthread_join(*t[i].thread, NULL);
		return ark_fail(err, ARK_ENOMEM, "no thread could be started for the ledger");
	}
	l->started = true;
	return ARK_OK;
}

/* Everything that judges comes before anything that writes. */
static int start_writing(struct ledger *l, struct recovery *r, struct ark_error *err)
{
	struct segment_file *current = NULL;
	size_t known = (r->checkpoint.size & 255) * ENTRY_SIZE;
	int rc = publisher_new(l, &r->checkpoint, &r->entries, &l->publisher, err);

	if (!rc)
		rc = open_index(l, err);
	if (!rc)
		rc = open_current(l, r, &current, err);
	if (!rc)
		rc = ledger_index_fill(l, l->index, l->indexed, l->size, err);
	l->indexed = l->size;
	if (!rc && r->entries.len > known)
		buf_add(&l->entries, r->entries.data + known, r->entries.len - known);
	if (!rc && buf_failed(&l->entries))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for entries");
	if (!rc)
		rc = writer_new(l, current, &l->writer, err);
	if (rc) {
		segment_file_free(current);
		return rc;
	}
	return start_threads(l, err);
}

int ledger_open(const char *dir, const char *origin, enum ledger_which which, struct keyring *keys,
    bool for_writing, struct ledger **ret, struct ark_error *err)
{
	struct recovery r = {0};
	struct ledger *l = NULL;
	int rc = ledger_new(dir, origin, which, keys, for_writing, &l, err);

	if (!rc)
		rc = recover(l, &r, err);
	if (!rc && for_writing)
		rc = start_writing(l, &r, err);
	segment_image_free(&r.last);
	buf_free(&r.entries);
	if (rc) {
		if (l)
			ledger_free(l);
		return rc;
	}
	*ret = l;
	return ARK_OK;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	if (l->started) {
		pthread_mutex_lock(&l->lock);
		l->stopping = true;
		pthread_cond_broadcast(&l->work);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->writer_thread, NULL);
		pthread_mutex_lock(&l->lock);
		l->drained = true;
		pthread_cond_broadcast(&l->follow);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->publisher_thread, NULL);
		pthread_join(l->indexer_thread, NULL);
	}
	ledger_free(l);
}
