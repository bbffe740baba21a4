/* The archive's own low-priority work: one thread, woken by the writer now and then.
 *
 * Each commit adds a pack, and each pack makes reads slower (40 us with one, 1.2 ms
 * with 2,900): beyond PACKS_MAX they are compacted. The thread takes no lock that a
 * filing or a read waits for, and its work is in the access log like any other
 * maintenance. Once a minute it brings registered key backups up to the keys: a document
 * whose key is nowhere else is lost with the disk. Once an hour it has the history log speak of the access log, where no
 * filing did (access_tie.h).
 */
#include <stdio.h>
#include <time.h>

#include "archive/access_tie.h"
#include "archive/archive_private.h"
#include "arkki/archive/key_backups.h"
#include "arkki/base/clock.h"
#include "arkki/base/log.h"

enum {
	PACKS_MAX = 32,
	WAKE_EVERY = 8,                  /* commits between two looks at the directory */
	REST_US = 10 * 60 * 1000 * 1000, /* after a failure */
	KEYS_S = 60,                     /* between two looks at the key backups */
	TIE_S = 3600,
	GRACE_S = 10, /* that a git beside us has to open the packs that it listed */
};

static bool stopping(struct archive *a)
{
	bool stop;

	pthread_mutex_lock(&a->care_lock);
	stop = a->care_stop;
	pthread_mutex_unlock(&a->care_lock);
	return stop;
}

/* Sleeps; false when stopping. */
static bool grace(struct archive *a)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GRACE_S;
	pthread_mutex_lock(&a->care_lock);
	while (!a->care_stop && pthread_cond_timedwait(&a->care_more, &a->care_lock, &until) == 0)
		;
	stop = a->care_stop;
	pthread_mutex_unlock(&a->care_lock);
	return !stop;
}

static int compact(struct archive *a, unsigned int packs, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	char range[40];
	int rc;

	snprintf(range, sizeof(range), "%u packs", packs);
	rc = archive_maintenance(a, "compact", range, &receipt, err);
	receipt_free(receipt);
	if (!rc)
		rc = store_compact_new(a->store, err);
	/* stopping in between is fine: the next run removes what is covered */
	return rc || !grace(a) ? rc : store_compact_old(a->store, err);
}

/* As often as it helps: geometric compaction may leave more than wanted, and filings go on meanwhile. */
static int look_after_packs(struct archive *a, struct ark_error *err)
{
	unsigned int packs = store_packs(a->store), before = packs + 1;
	int rc = ARK_OK;

	while (!rc && packs > PACKS_MAX && packs < before && !stopping(a)) {
		before = packs;
		rc = compact(a, packs, err);
		packs = store_packs(a->store);
	}
	return rc;
}

/* Of a place that cannot be reached `arkki keys status` tells too; it is said here once in ten minutes. */
static void look_after_keys(struct archive *a, int64_t *rest_until)
{
	struct ark_error err;

	if (clock_monotonic_us() < *rest_until || !key_backups_behind(a->keys, a->dir))
		return;
	if (!key_backups_run(a->keys, a->dir, NULL, &err) || stopping(a))
		return;
	ark_log(ARK_LOG_WARNING, "keys", "next try in 10 minutes: %s", err.text);
	*rest_until = clock_monotonic_us() + REST_US;
}

static void look_after_tie(struct archive *a, int64_t *next_us)
{
	struct ark_error err;

	if (clock_monotonic_us() < *next_us)
		return;
	*next_us = clock_monotonic_us() + INT64_C(1000000) * TIE_S;
	if (access_tie_log(a, &err) && !stopping(a))
		ark_log(ARK_LOG_WARNING, "ledger",
		    "the history log cannot speak of the access log: %s", err.text);
}

/* Until there is something to do about packs (true), or it is time to look at the key backups; under the lock. */
static bool wait_for_work(struct archive *a)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += KEYS_S;
	while (!a->care_stop && !a->care_wanted)
		if (pthread_cond_timedwait(&a->care_more, &a->care_lock, &until))
			break;
	return a->care_wanted;
}

static void *care_main(void *arg)
{
	struct archive *a = arg;
	int64_t rest_until = 0, keys_rest_until = 0;
	int64_t tie_us = clock_monotonic_us() + INT64_C(1000000) * TIE_S;

	pthread_mutex_lock(&a->care_lock);
	while (!a->care_stop) {
		struct ark_error err = {0};
		int rc;

		pthread_mutex_unlock(&a->care_lock);
		look_after_keys(a, &keys_rest_until);
		look_after_tie(a, &tie_us);
		pthread_mutex_lock(&a->care_lock);
		if (!wait_for_work(a) || a->care_stop)
			continue;
		a->care_wanted = false;
		if (clock_monotonic_us() < rest_until)
			continue;
		pthread_mutex_unlock(&a->care_lock);
		rc = look_after_packs(a, &err);
		if (rc && !stopping(a)) {
			ark_log(ARK_LOG_WARNING, "store",
			    "packs could not be compacted, next try in 10 minutes: %s", err.text);
			rest_until = clock_monotonic_us() + REST_US;
		}
		pthread_mutex_lock(&a->care_lock);
	}
	pthread_mutex_unlock(&a->care_lock);
	return NULL;
}

int care_start(struct archive *a, struct ark_error *err)
{
	if (pthread_create(&a->care, NULL, care_main, a) != 0)
		return ark_fail(err, ARK_EIO, "cannot start the maintenance thread");
	a->care_runs = true;
	return ARK_OK;
}

void care_committed(struct archive *a, uint64_t sequence)
{
	if (sequence % WAKE_EVERY)
		return;
	pthread_mutex_lock(&a->care_lock);
	a->care_wanted = true;
	pthread_cond_signal(&a->care_more);
	pthread_mutex_unlock(&a->care_lock);
}

void care_stop(struct archive *a)
{
	if (!a->care_runs)
		return;
	pthread_mutex_lock(&a->care_lock);
	a->care_stop = true;
	pthread_cond_signal(&a->care_more);
	pthread_mutex_unlock(&a->care_lock);
	store_compact_stop(a->store);
	pthread_join(a->care, NULL);
	a->care_runs = false;
}
