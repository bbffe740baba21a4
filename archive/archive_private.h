/* The inside of struct archive, for archive.c, making.c, desks.c, filing*.c, reading.c,
 * recover.c, care.c and verify.c. Nobody else includes this.
 */
#ifndef ARKKI_ARCHIVE_ARCHIVE_PRIVATE_H
#define ARKKI_ARCHIVE_ARCHIVE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/filing.h"

enum { ARCHIVE_LISTENERS = 4, FILING_GROUP_MAX = 64 };

struct archive_listener {
	void (*fn)(void *arg, uint64_t sequence);
	void *arg;
};

struct archive {
	char *dir, *spool_dir, *origin;
	enum archive_mode mode;
	int lock_fd;
	struct keyring *keys;
	struct store *store;
	struct ledger *history, *access;
	struct registry *registry;
	struct state *state;
	struct catalogue *catalogue; /* the writer's */
	atomic_uint_fast64_t sequence;
	atomic_uint_fast64_t tied; /* entries of the access log that the history log speaks of */

	pthread_mutex_t desks_lock;
	struct desk *desks;

	/* the writer: filing_queue.c */
	pthread_t writer;
	bool writer_runs;
	pthread_mutex_t queue_lock;
	pthread_cond_t queue_more;
	struct filing *queue_head, **queue_tail;
	bool closing;
	atomic_bool disposing; /* disposition.c */
	atomic_bool broken;    /* a commit stands without its history entries: no more filings */
	/* the maintenance thread: care.c */
	pthread_t care;
	bool care_runs, care_stop, care_wanted; /* the last two under care_lock */
	pthread_mutex_t care_lock;
	pthread_cond_t care_more;

	pthread_mutex_t accounts_lock; /* accounts.c: to look and to file is one step */
	struct scrub *scrub;           /* scrub.c; NULL unless open for writing */

	pthread_mutex_t listeners_lock;
	struct archive_listener listeners[ARCHIVE_LISTENERS];
	unsigned int listeners_len;
};

/* DIR/NAME. */
ARK_MUSTUSE int archive_path(
    char out[4096], const char *dir, const char *name, struct ark_error *err);
/* May the logs of an archive be named after it? */
bool archive_origin_valid(const char *origin);

/* The store's keys, those of the past too; path: allowed_signers, which is to say the same (NULL: it stays). */
int archive_take_signers(
    struct keyring *k, struct store *s, const char *path, struct ark_error *err);

int filing_writer_start(struct archive *a, struct ark_error *err);
void filing_writer_stop(struct archive *a);

int care_start(struct archive *a, struct ark_error *err);
/* The writer made a commit: maybe there is something to look after. Never waits. */
void care_committed(struct archive *a, uint64_t sequence);
/* Ends what is under way soon; it has lost nothing. */
void care_stop(struct archive *a);

/* Brings history log and catalogue level with the store; loads the registry. */
int recover_archive(struct archive *a,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err);

/* An archive that has no policies yet, new or from before there were any, begins with those that ship. */
int policies_begin(struct archive *a, struct ark_error *err);

#endif
