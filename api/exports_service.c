/* The exports that are kept, and the worker that makes one after the other. */
#include "api/exports.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"

struct exports_service {
	pthread_mutex_t lock;
	pthread_cond_t more, ended; /* ended: one was made, or given up */
	pthread_t worker;
	bool runs, stopping;
	struct export_job *jobs;   /* newest first */
	struct export_job *making; /* RUNNING; also one that is not in the list any more */
};

/* ---- lives of jobs ---- */

void export_free(struct export_job *j)
{
	if (!j)
		return;
	principal_unref(j->who);
	access_sight_unref(j->sight);
	access_filter_free(j->content);
	free(j->purpose);
	free(j->case_id);
	free(j->break_glass);
	free(j->unit);
	free(j->of_case);
	json_decref(j->documents);
	json_decref(j->query);
	free(j->hits);
	free(j->holds);
	package_free(j->package);
	free(j);
}

/* Under the lock. */
static void let_go(struct export_job *j)
{
	if (--j->holders == 0)
		export_free(j);
}

void export_release(struct export_job *j)
{
	struct exports_service *s = j->app->exports;

	pthread_mutex_lock(&s->lock);
	let_go(j);
	pthread_mutex_unlock(&s->lock);
}

/* Under the lock: out of the list, to be freed by its last holder, and its package gone under whoever fetches it, so that
 * every key that is left is one of the list's. */
static void drop(struct exports_service *s, struct export_job *j)
{
	for (struct export_job **at = &s->jobs; *at; at = &(*at)->next)
		if (*at == j) {
			*at = j->next;
			j->dropped = true;
			if (j->package)
				package_shut(j->package);
			let_go(j);
			return;
		}
}

static void drop_expired(struct exports_service *s)
{
	int64_t before = clock_now_us() - EXPORT_KEPT_US;
	struct export_job *next;

	for (struct export_job *j = s->jobs; j; j = next) {
		next = j->next;
		if (j->created_us < before && j->state >= EXPORT_READY && j->holders == 1 &&
		    !j->transfer)
			drop(s, j);
	}
}

static struct export_job *next_waiting(struct exports_service *s)
{
	struct export_job *oldest = NULL;

	for (struct export_job *j = s->jobs; j; j = j->next)
		if (j->state == EXPORT_WAITING)
			oldest = j;
	return oldest;
}

/* Under the lock. */
static void copy_tally(struct export_job *j, const struct export_job *tally)
{
	j->found = tally->found;
	j->done = tally->done;
	j->whole = tally->whole;
	j->renditions = tally->renditions;
	j->withheld = tally->withheld;
	j->missing = tally->missing;
}

bool export_goes_on(struct export_job *j, const struct export_job *tally)
{
	struct exports_service *s = j->app->exports;
	bool on;

	pthread_mutex_lock(&s->lock);
	copy_tally(j, tally);
	on = !j->dropped && !s->stopping;
	pthread_mutex_unlock(&s->lock);
	return on;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

int export_gathered(
    struct export_job *j, const struct catalogue_row *rows, size_t n, struct ark_error *err)
{
	struct exports_service *s = j->app->exports;
	char(*ids)[33] = calloc(n + 1, sizeof(*ids));
	bool on;

	if (!ids)
		return ark_fail(err, ARK_ENOMEM, "no memory for an export");
	for (size_t i = 0; i < n; i++)
		memcpy(ids[i], rows[i].document, 33);
	qsort(ids, n, sizeof(*ids), by_id);
	pthread_mutex_lock(&s->lock);
	j->holds = ids;
	j->holds_len = n;
	j->gathered = true;
	on = !j->dropped;
	pthread_mutex_unlock(&s->lock);
	return on ? ARK_OK : ark_fail(err, ARK_EIO, "the export was given up");
}

/* Under the lock. Of one that is still looking nobody knows yet. */
static bool may_hold(const struct export_job *j, const char (*documents)[33], size_t n)
{
	if (j->state == EXPORT_RUNNING && !j->gathered)
		return true;
	for (size_t i = 0; j->holds_len && i < n; i++)
		if (bsearch(documents[i], j->holds, j->holds_len, sizeof(*j->holds), by_id))
			return true;
	return false;
}

void exports_forget(struct app *app, const char (*documents)[33], size_t n)
{
	struct exports_service *s = app->exports;
	struct export_job *next, *making;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	for (struct export_job *j = s->jobs; j; j = next) {
		next = j->next;
		if (may_hold(j, documents, n))
			drop(s, j);
	}
	making = s->making;
	while (making && s->making == making && may_hold(making, documents, n))
		pthread_cond_wait(&s->ended, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* Under the lock, which is let go meanwhile. */
static void make_one(struct exports_service *s, struct export_job *j)
{
	struct package *p = NULL;
	struct export_job tally = {0};
	struct ark_error err = {0};
	int rc;

	j->state = EXPORT_RUNNING;
	s->making = j;
	j->holders++;
	pthread_mutex_unlock(&s->lock);
	rc = export_make(j, &p, &tally, &err);
	pthread_mutex_lock(&s->lock);
	copy_tally(j, &tally);
	j->package = p;
	j->error = err;
	j->state = rc ? EXPORT_FAILED : EXPORT_READY;
	if (j->dropped && p)
		package_shut(p);
	s->making = NULL;
	let_go(j);
	pthread_cond_broadcast(&s->ended);
}

static void *work_main(void *arg)
{
	struct exports_service *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct export_job *j = next_waiting(s);

		if (j)
			make_one(s, j);
		else
			pthread_cond_wait(&s->more, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int exports_start(struct app *app, struct ark_error *err)
{
	struct exports_service *s = calloc(1, sizeof(*s));

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for exports");
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	pthread_cond_init(&s->ended, NULL);
	app->exports = s;
	if (pthread_create(&s->worker, NULL, work_main, s) != 0)
		return ark_fail(err, ARK_EIO, "cannot start the thread of exports");
	s->runs = true;
	return ARK_OK;
}

void exports_end_soon(struct app *app)
{
	struct exports_service *s = app->exports;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
}

void exports_stop(struct app *app)
{
	struct exports_service *s = app->exports;

	if (!s)
		return;
	exports_end_soon(app);
	if (s->runs)
		pthread_join(s->worker, NULL);
	while (s->jobs)
		drop(s, s->jobs);
	pthread_cond_destroy(&s->more);
	pthread_cond_destroy(&s->ended);
	pthread_mutex_destroy(&s->lock);
	free(s);
	app->exports = NULL;
}

/* ---- for the handlers ---- */

/* Packages for a receiver (transfers.h) are nobody's. */
static bool is_of(const struct export_job *j, const char *user)
{
	return !j->transfer && strcmp(j->user, user) == 0;
}

bool exports_queue(struct export_job *j)
{
	struct exports_service *s = j->app->exports;
	unsigned int own = 0, all = 0;
	struct export_job *oldest = NULL;
	bool room;

	pthread_mutex_lock(&s->lock);
	drop_expired(s);
	for (struct export_job *k = s->jobs; k; k = k->next) {
		bool mine = is_of(k, j->user);

		own += mine;
		all += !k->transfer;
		if (mine && k->state >= EXPORT_READY && k->holders == 1)
			oldest = k;
	}
	if (own >= EXPORTS_OF_USER && oldest) {
		drop(s, oldest);
		own--, all--;
	}
	room = own < EXPORTS_OF_USER && all < EXPORTS_MAX;
	if (room) {
		j->next = s->jobs;
		s->jobs = j;
		pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
	return room;
}

struct export_job *exports_hold(struct app *app, const char *user, const char *id)
{
	struct exports_service *s = app->exports;
	struct export_job *j;

	pthread_mutex_lock(&s->lock);
	drop_expired(s);
	for (j = s->jobs; j; j = j->next)
		if (strcmp(j->id, id) == 0 && is_of(j, user))
			break;
	if (j)
		j->holders++;
	pthread_mutex_unlock(&s->lock);
	return j;
}

size_t exports_hold_all(struct app *app, const char *user, struct export_job *ret[EXPORTS_OF_USER])
{
	struct exports_service *s = app->exports;
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	drop_expired(s);
	for (struct export_job *j = s->jobs; j && n < EXPORTS_OF_USER; j = j->next)
		if (is_of(j, user)) {
			j->holders++;
			ret[n++] = j;
		}
	pthread_mutex_unlock(&s->lock);
	return n;
}

void exports_drop(struct export_job *j)
{
	struct exports_service *s = j->app->exports;

	pthread_mutex_lock(&s->lock);
	drop(s, j);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the caller holds it, so drop() was not the last to let go */
	let_go(j);
	pthread_mutex_unlock(&s->lock);
}

enum export_state export_look(
    struct export_job *j, struct export_job *ret_tally, struct ark_error *ret_error)
{
	struct exports_service *s = j->app->exports;
	enum export_state state;

	pthread_mutex_lock(&s->lock);
	state = j->state;
	if (ret_tally)
		copy_tally(ret_tally, j);
	if (ret_error)
		*ret_error = j->error;
	pthread_mutex_unlock(&s->lock);
	return state;
}

/* ---- packages for a receiver ---- */

void export_done(struct export_job *j, const struct export_job *tally)
{
	struct exports_service *s = j->app->exports;

	pthread_mutex_lock(&s->lock);
	copy_tally(j, tally);
	j->state = EXPORT_READY;
	pthread_mutex_unlock(&s->lock);
}

static unsigned int transfers_kept(const struct exports_service *s)
{
	unsigned int kept = 0;

	for (const struct export_job *k = s->jobs; k; k = k->next)
		kept += k->transfer;
	return kept;
}

bool exports_keep_more(struct app *app)
{
	struct exports_service *s = app->exports;
	bool room;

	pthread_mutex_lock(&s->lock);
	room = transfers_kept(s) < EXPORTS_TRANSFERS;
	pthread_mutex_unlock(&s->lock);
	return room;
}

void exports_keep(struct export_job *j)
{
	struct exports_service *s = j->app->exports;
	struct export_job *oldest = NULL;

	pthread_mutex_lock(&s->lock);
	for (struct export_job *k = s->jobs; k; k = k->next)
		if (k->transfer)
			oldest = k;
	if (transfers_kept(s) >= EXPORTS_TRANSFERS)
		drop(s, oldest);
	j->next = s->jobs;
	s->jobs = j;
	pthread_mutex_unlock(&s->lock);
}

static bool is_transfer_of(const struct export_job *j, const char *document)
{
	return j->transfer && j->holds_len && memcmp(j->holds[0], document, 32) == 0;
}

void exports_drop_transfers(struct app *app, const char *document)
{
	struct exports_service *s = app->exports;
	struct export_job *next;

	pthread_mutex_lock(&s->lock);
	for (struct export_job *j = s->jobs; j; j = next) {
		next = j->next;
		if (is_transfer_of(j, document))
			drop(s, j);
	}
	pthread_mutex_unlock(&s->lock);
}

struct export_job *exports_hold_transfer(struct app *app, const char *document)
{
	struct exports_service *s = app->exports;
	struct export_job *j;

	pthread_mutex_lock(&s->lock);
	for (j = s->jobs; j; j = j->next)
		if (is_transfer_of(j, document))
			break;
	if (j)
		j->holders++;
	pthread_mutex_unlock(&s->lock);
	return j;
}
