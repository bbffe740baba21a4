/* The queue before the writer: filings wait here, and one thread takes them in groups through the story of filing.c. */
#include <stdlib.h>

#include "archive/filing_private.h"
#include "arkki/archive/filing.h"
#include "arkki/base/fs.h"

/* Reads must outlive filings on a disk that fills up: the ledger's next
 * segments must always fit. On a small disk an eighth of it is kept. */
enum { DISK_RESERVE = 64 * 1024 * 1024, DISK_RESERVE_SHARE = 8 };

/* ---- the writer's thread ---- */

/* Takes up to a group from the queue; 0 when closing and empty. */
static size_t take_group(struct archive *a, struct filing **taken)
{
	size_t n = 0;

	pthread_mutex_lock(&a->queue_lock);
	while (!a->queue_head && !a->closing)
		pthread_cond_wait(&a->queue_more, &a->queue_lock);
	while (n < FILING_GROUP_MAX && a->queue_head) {
		taken[n] = a->queue_head;
		a->queue_head = taken[n]->next;
		taken[n++]->next = NULL;
	}
	if (!a->queue_head)
		a->queue_tail = &a->queue_head;
	pthread_mutex_unlock(&a->queue_lock);
	return n;
}

static void *writer_main(void *arg)
{
	struct archive *a = arg;
	struct filing *taken[FILING_GROUP_MAX];
	struct group *g = filing_group_new();
	size_t n;

	while ((n = take_group(a, taken))) {
		struct ark_error broken = {0};

		if (!g || atomic_load(&a->broken)) {
			ark_fail(&broken, ARK_EIO,
			    "the archive takes no filings; restart arkki to recover");
			for (size_t i = 0; i < n; i++)
				filing_give_up(taken[i], ARK_EIO, &broken);
		} else {
			filing_group_file(a, g, taken, n);
		}
		for (size_t i = 0; i < n; i++)
			taken[i]->done(taken[i]->arg, taken[i]);
	}
	filing_group_free(g);
	return NULL;
}

int filing_writer_start(struct archive *a, struct ark_error *err)
{
	pthread_mutex_init(&a->queue_lock, NULL);
	pthread_cond_init(&a->queue_more, NULL);
	a->queue_tail = &a->queue_head;
	if (pthread_create(&a->writer, NULL, writer_main, a) != 0)
		return ark_fail(err, ARK_EIO, "cannot start the writer's thread");
	a->writer_runs = true;
	return ARK_OK;
}

void filing_writer_stop(struct archive *a)
{
	if (!a->writer_runs)
		return;
	pthread_mutex_lock(&a->queue_lock);
	a->closing = true;
	pthread_cond_broadcast(&a->queue_more);
	pthread_mutex_unlock(&a->queue_lock);
	pthread_join(a->writer, NULL);
	pthread_mutex_destroy(&a->queue_lock);
	pthread_cond_destroy(&a->queue_more);
	a->writer_runs = false;
}

/* ---- submitting ---- */

int filing_disk(const char *dir, uint64_t *ret_left, uint64_t *ret_reserve, struct ark_error *err)
{
	uint64_t total = 0;
	int rc = fs_space(dir, ret_left, &total, err);

	*ret_reserve =
	    total / DISK_RESERVE_SHARE < DISK_RESERVE ? total / DISK_RESERVE_SHARE : DISK_RESERVE;
	return rc;
}

static int room_left(struct archive *a, struct ark_error *err)
{
	uint64_t free_bytes, reserve;
	int rc = filing_disk(a->dir, &free_bytes, &reserve, err);

	if (rc)
		return rc;
	if (free_bytes < reserve)
		return ark_fail(err, ARK_EIO,
		    "the disk of the archive is nearly full (%llu MiB left, %llu MiB are kept for "
		    "the "
		    "access log); make room, then file again",
		    (unsigned long long)(free_bytes >> 20), (unsigned long long)(reserve >> 20));
	return ARK_OK;
}

int filing_room(struct archive *a, struct ark_error *err)
{
	int rc = ledger_alive(a->history, err);

	/* no commit that the logs could not speak of */
	if (!rc)
		rc = ledger_alive(a->access, err);
	if (rc)
		return rc;
	if (atomic_load(&a->broken) || !a->writer_runs)
		return ark_fail(
		    err, ARK_EIO, "the archive takes no filings; restart arkki to recover");
	return room_left(a, err);
}

int filing_submit(struct archive *a, struct filing *f, struct ark_error *err)
{
	int rc = filing_room(a, err);

	if (rc)
		return rc;
	f->next = NULL;
	pthread_mutex_lock(&a->queue_lock);
	if (a->closing) {
		rc = ark_fail(err, ARK_EIO, "the archive is closing");
	} else {
		*a->queue_tail = f;
		a->queue_tail = &f->next;
		pthread_cond_signal(&a->queue_more);
	}
	pthread_mutex_unlock(&a->queue_lock);
	return rc;
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
};

static void wake_waiter(void *arg, struct filing *f)
{
	struct waiter *w = arg;

	(void)f;
	pthread_mutex_lock(&w->lock);
	w->done = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

int filing_submit_wait(struct archive *a, struct filing *f, struct ark_error *err)
{
	struct waiter w = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	int rc;

	f->done = wake_waiter;
	f->arg = &w;
	rc = filing_submit(a, f, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&w.lock);
	while (!w.done)
		pthread_cond_wait(&w.cond, &w.lock);
	pthread_mutex_unlock(&w.lock);
	if (f->status && err)
		*err = f->error;
	return f->status;
}
