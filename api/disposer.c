#include "api/disposer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/disposition_api.h"
#include "api/exports.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"

enum { EVERY_S = 3600, EVERY_MAX_S = 30 * 86400, WANTED_MAX = 100, CONF_MAX = 65536 };

struct disposer {
	pthread_mutex_t working; /* packages and runs, one at a time; taken before the lock */
	pthread_mutex_t lock;
	pthread_cond_t wake; /* CLOCK_MONOTONIC */
	pthread_t thread;
	bool runs, stopping, look, running;
	unsigned int every_s; /* 0: not by itself */
	char wanted[WANTED_MAX][33];
	size_t wanted_len;
	int64_t last_us; /* 0: there was no run */
	struct disposer_done last;
	struct ark_error error; /* of the last run */
};

/* ---- settings ---- */

static bool read_every(const char *text, unsigned int *ret)
{
	static const struct {
		char unit;
		unsigned int s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (strcmp(text, "no") == 0) {
		*ret = 0;
		return true;
	}
	if (end == text || text[0] < '0' || text[0] > '9' || n < 1 || n > EVERY_MAX_S)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (end[0] == units[i].unit && !end[1] && n * units[i].s <= EVERY_MAX_S) {
			*ret = (unsigned int)n * units[i].s;
			return true;
		}
	return false;
}

static int read_settings(struct disposer *d, const char *dir, struct ark_error *err)
{
	static const char key[] = "dispose-every ";
	struct buf text = BUF_INIT;
	char path[4096], *save = NULL;
	int rc = fs_path(path, err, "%s/arkki.conf", dir);

	if (!rc)
		rc = fs_read_file(path, CONF_MAX, &text, err);
	for (char *line = rc || !text.data ? NULL : strtok_r(text.data, "\n", &save); line && !rc;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, key, sizeof(key) - 1) == 0 &&
		    !read_every(line + sizeof(key) - 1, &d->every_s))
			rc = ark_fail(err, ARK_EINPUT,
			    "arkki.conf: dispose-every is no, or a time of at most 30 days as 30s, "
			    "15m, 24h or 2d");
	buf_free(&text);
	return rc;
}

/* ---- packages ---- */

static bool is_stopping(struct disposer *d)
{
	bool stopping;

	pthread_mutex_lock(&d->lock);
	stopping = d->stopping;
	pthread_mutex_unlock(&d->lock);
	return stopping;
}

static void make_one(struct app *app, const char *document, struct disposer_done *done)
{
	struct ark_error err = {0};
	int rc = transfer_make(app, document, &err);

	if (!rc)
		done->packaged++;
	else if (rc != ARK_ECONFLICT) { /* else somebody acted, which is none of our business */
		done->failed++;
		done->why = err;
	}
}

/* No more are made unasked than are kept: the receiver fetches some first. */
static void make_missing(struct app *app, struct disposer_done *done)
{
	json_t *ids = disposition_unpacked(archive_registry(app->archive)), *id;
	size_t i;

	json_array_foreach(ids, i, id)
	{
		if (is_stopping(app->disposer) || !exports_keep_more(app))
			break;
		make_one(app, json_string_value(id), done);
	}
	json_decref(ids);
}

static void make_wanted(struct app *app, struct disposer_done *done)
{
	struct disposer *d = app->disposer;
	char document[33];

	for (;;) {
		struct export_job *kept;

		pthread_mutex_lock(&d->lock);
		if (!d->wanted_len || d->stopping) {
			pthread_mutex_unlock(&d->lock);
			return;
		}
		memcpy(document, d->wanted[--d->wanted_len], sizeof(document));
		pthread_mutex_unlock(&d->lock);
		kept = exports_hold_transfer(app, document);
		if (kept)
			export_release(kept);
		else
			make_one(app, document, done);
	}
}

/* ---- runs ---- */

static void note(struct disposer *d, bool running, const struct disposer_done *done, int rc,
    const struct ark_error *err)
{
	pthread_mutex_lock(&d->lock);
	d->running = running;
	if (done) {
		d->last = *done;
		d->last_us = clock_now_us();
		d->error = rc ? *err : (struct ark_error){0};
	}
	pthread_mutex_unlock(&d->lock);
}

int disposer_run(
    struct app *app, bool resume_only, struct disposer_done *ret, struct ark_error *err)
{
	struct disposer *d = app->disposer;
	struct ark_error why = {0};
	int rc;

	*ret = (struct disposer_done){0};
	pthread_mutex_lock(&d->working);
	note(d, true, NULL, 0, NULL);
	if (!resume_only)
		make_missing(app, ret);
	rc = disposition_carry_out(app, resume_only, &ret->result, &why);
	/* of those that were found to have grown since */
	if (!rc && !resume_only)
		make_missing(app, ret);
	note(d, false, ret, rc, &why);
	pthread_mutex_unlock(&d->working);
	if (rc && err)
		*err = why;
	return rc;
}

/* Whether a run would find something: it costs a change of all keys, and an entry in the log. */
static bool is_due(struct app *app)
{
	struct disposition_standing s;

	return !disposition_look(app->archive, &s, NULL) && (s.ready || s.begun || s.unpacked);
}

/* ---- the thread ---- */

static void packages(struct app *app)
{
	struct disposer *d = app->disposer;
	struct disposer_done done = {0};

	pthread_mutex_lock(&d->working);
	make_wanted(app, &done);
	make_missing(app, &done);
	pthread_mutex_unlock(&d->working);
	pthread_mutex_lock(&d->lock);
	if (done.failed) {
		d->last.failed = done.failed;
		d->last.why = done.why;
	}
	pthread_mutex_unlock(&d->lock);
}

static struct timespec after(unsigned int seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)seconds;
	return t;
}

static bool has_passed(const struct timespec *t)
{
	struct timespec now = after(0);

	return now.tv_sec > t->tv_sec || (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

static void *disposer_main(void *arg)
{
	struct app *app = arg;
	struct disposer *d = app->disposer;
	struct timespec next = after(d->every_s);
	struct disposer_done done;

	pthread_mutex_lock(&d->lock);
	while (!d->stopping) {
		if (d->look) {
			d->look = false;
			pthread_mutex_unlock(&d->lock);
			packages(app);
			pthread_mutex_lock(&d->lock);
		} else if (d->every_s && has_passed(&next)) {
			pthread_mutex_unlock(&d->lock);
			/* a failure is kept with the last result, and the next look tries again */
			if (is_due(app))
				(void)!disposer_run(app, false, &done, NULL);
			next = after(d->every_s);
			pthread_mutex_lock(&d->lock);
		} else if (d->every_s) {
			pthread_cond_timedwait(&d->wake, &d->lock, &next);
		} else {
			pthread_cond_wait(&d->wake, &d->lock);
		}
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

void disposer_look(struct app *app)
{
	struct disposer *d = app->disposer;

	pthread_mutex_lock(&d->lock);
	d->look = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

void disposer_want(struct app *app, const char *document)
{
	struct disposer *d = app->disposer;
	size_t i = 0;

	pthread_mutex_lock(&d->lock);
	while (i < d->wanted_len && strcmp(d->wanted[i], document) != 0)
		i++;
	if (i == d->wanted_len && i < WANTED_MAX)
		snprintf(d->wanted[d->wanted_len++], sizeof(d->wanted[0]), "%.32s", document);
	d->look = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

/* ---- begin and end ---- */

int disposer_start(struct app *app, bool by_itself, struct ark_error *err)
{
	struct disposer *d = calloc(1, sizeof(*d));
	pthread_condattr_t monotonic;
	int rc;

	if (!d)
		return ark_fail(err, ARK_ENOMEM, "no memory for disposals");
	pthread_mutex_init(&d->working, NULL);
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	d->every_s = EVERY_S;
	app->disposer = d;
	rc = read_settings(d, archive_dir(app->archive), err);
	if (!by_itself)
		d->every_s = 0;
	if (!rc && pthread_create(&d->thread, NULL, disposer_main, app) != 0)
		rc = ark_fail(err, ARK_EIO, "cannot start the thread of disposals");
	d->runs = !rc;
	return rc;
}

void disposer_stop(struct app *app)
{
	struct disposer *d = app->disposer;

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stopping = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	if (d->runs)
		pthread_join(d->thread, NULL);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	pthread_mutex_destroy(&d->working);
	free(d);
	app->disposer = NULL;
}

/* ---- how things stand ---- */

static json_t *last_json(const struct disposer *d)
{
	const struct disposition_result *r = &d->last.result;
	char at[CLOCK_TEXT_SIZE];

	if (!d->last_us)
		return json_null();
	clock_format(at, d->last_us);
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:s*}", "at", at, "destroyed",
	    (json_int_t)r->destroyed, "held", (json_int_t)r->held, "awaiting",
	    (json_int_t)r->awaiting, "notDue", (json_int_t)r->undue, "packaged",
	    (json_int_t)d->last.packaged, "error", d->error.status ? d->error.text : NULL);
}

json_t *disposer_json(struct app *app)
{
	struct disposer *d = app->disposer;
	struct disposition_standing s;
	json_t *out;

	if (disposition_look(app->archive, &s, NULL))
		return NULL;
	pthread_mutex_lock(&d->lock);
	out = json_pack("{s:I,s:b,s:I,s:I,s:I,s:I,s:I,s:o,s:s*}", "everySeconds",
	    (json_int_t)d->every_s, "running", d->running, "ready", (json_int_t)s.ready, "held",
	    (json_int_t)s.held, "unpacked", (json_int_t)s.unpacked, "awaiting",
	    (json_int_t)s.awaiting, "begun", (json_int_t)s.begun, "last", last_json(d),
	    "packageError", d->last.failed ? d->last.why.text : NULL);
	pthread_mutex_unlock(&d->lock);
	return out;
}
