/* The scrub's thread, its pace, and what it remembers over a restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "archive/scrub_private.h"
#include "arkki/archive/conf.h"
#include "arkki/archive/verified.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/log.h"

enum {
	RATE_MB = 8,
	RATE_MB_MAX = 100000,
	EVERY_DAYS = 30,
	EVERY_DAYS_MAX = 3650,
	FIRST_S = 3600, /* from the start of a server to its archive's first pass */
	LOOK_S = 60,    /* between two looks at the clock */
	BUSY_FACTOR = 4,
	STATE_MAX = 4 << 20,
};

#define DAY_US (INT64_C(86400) * 1000000)

/* ---- settings ---- */

/* A wrong one leaves the pace as it is shipped: for want of a good one nothing goes unread. */
static unsigned long setting(
    const char *dir, const char *key, unsigned long most, unsigned long otherwise)
{
	unsigned long n = otherwise;

	return conf_number(dir, key, 1, most, &n, NULL) ? otherwise : n;
}

static void read_settings(struct scrub *s, const char *dir)
{
	s->rate = (uint64_t)setting(dir, "scrub-rate", RATE_MB_MAX, RATE_MB) * 1000000;
	s->every_us = (int64_t)setting(dir, "scrub-every", EVERY_DAYS_MAX, EVERY_DAYS) * DAY_US;
}

/* ---- the state on disk ---- */

static int save(struct scrub *s, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char path[4096];
	int rc = fs_path(path, err, "%s/scrub.state", archive_dir(s->archive));

	pthread_mutex_lock(&s->saving);
	pthread_mutex_lock(&s->lock);
	if (!rc)
		rc = json_write(&text, s->state, err);
	pthread_mutex_unlock(&s->lock);
	if (!rc)
		rc = fs_replace_file(path, text.data, text.len, 0600, err);
	pthread_mutex_unlock(&s->saving);
	buf_free(&text);
	return rc;
}

/* One that cannot be read loses a position and a result: both are made anew. */
static int load(struct scrub *s, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char path[4096];
	int rc = fs_path(path, err, "%s/scrub.state", archive_dir(s->archive));

	if (!rc && fs_exists(path) &&
	    (fs_read_file(path, STATE_MAX, &text, NULL) ||
		json_read(text.data ? text.data : "", text.len, &s->state, NULL)))
		ark_log(ARK_LOG_WARNING, "scrub", "%s cannot be read: the scrub begins anew", path);
	buf_free(&text);
	if (!json_is_object(s->state)) {
		json_decref(s->state);
		s->state = json_object();
	}
	return rc ? rc : s->state ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the scrub");
}

static json_t *now_json(void)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(text, clock_now_us());
	return json_string(text);
}

int scrub_keep(struct scrub *s, const char *member, json_t *value, struct ark_error *err)
{
	json_t *current;
	int failed;

	pthread_mutex_lock(&s->lock);
	current = json_object_get(s->state, "current");
	failed = json_object_set_new(current, member, value);
	pthread_mutex_unlock(&s->lock);
	return failed ? ark_fail(err, ARK_ENOMEM, "no memory for the scrub's state") : save(s, err);
}

static void count(json_t *object, const char *member)
{
	json_object_set_new(
	    object, member, json_integer(json_integer_value(json_object_get(object, member)) + 1));
}

int scrub_fault(struct scrub *s, const char *what, json_t *about, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	json_t *current, *list;
	int failed, rc;

	ark_log(ARK_LOG_ERROR, "scrub", "%s", what);
	failed = !about || json_object_set_new(about, "what", json_string(what));
	pthread_mutex_lock(&s->lock);
	current = json_object_get(s->state, "current");
	count(current, "faultCount");
	list = json_object_get(current, "faults");
	if (!failed && json_array_size(list) < SCRUB_FAULTS_MAX)
		failed = json_array_append(list, about);
	pthread_mutex_unlock(&s->lock);
	json_decref(about);
	rc = archive_maintenance(s->archive, "scrub-fault", what, &receipt, err);
	receipt_free(receipt);
	if (!rc && failed)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a fault");
	return rc ? rc : save(s, err);
}

void scrub_transient(struct scrub *s, const char *what)
{
	ark_log(ARK_LOG_WARNING, "scrub",
	    "a second reading did not confirm this; look at the machine's memory: %s", what);
	pthread_mutex_lock(&s->lock);
	count(json_object_get(s->state, "current"), "transient");
	pthread_mutex_unlock(&s->lock);
}

/* ---- pace ---- */

static bool machine_busy(void)
{
	double load;

	return getloadavg(&load, 1) == 1 && load > (double)sysconf(_SC_NPROCESSORS_ONLN);
}

static void deadline(struct timespec *ret, int64_t us)
{
	clock_gettime(CLOCK_REALTIME, ret);
	us += ret->tv_nsec / 1000;
	ret->tv_sec += us / 1000000;
	ret->tv_nsec = us % 1000000 * 1000;
}

static bool halted(const struct scrub *s)
{
	return s->stop || json_is_true(json_object_get(s->state, "paused"));
}

int scrub_pace(struct scrub *s, size_t bytes)
{
	int64_t rest = (int64_t)((double)bytes * 1e6 / (double)s->rate);
	struct timespec until;
	int halt;

	if (machine_busy())
		rest *= BUSY_FACTOR;
	deadline(&until, rest);
	pthread_mutex_lock(&s->lock);
	while (!halted(s) && !s->now && pthread_cond_timedwait(&s->more, &s->lock, &until) == 0)
		;
	/* a thread cannot always take its priority back: in a hurry another one goes on */
	halt = halted(s) || (s->now && s->gentle);
	pthread_mutex_unlock(&s->lock);
	return halt;
}

/* ---- passes ---- */

/* When the next one is due, by the wall clock: days, and over restarts. Under the lock. */
static bool due(const struct scrub *s)
{
	const char *text = json_text(json_object_get(s->state, "last"), "begun");
	int64_t begun;

	if (s->wanted || s->now || json_is_object(json_object_get(s->state, "current")))
		return true;
	if (text && clock_parse(text, &begun))
		return clock_now_us() >= begun + s->every_us;
	return clock_monotonic_us() >= s->started_us + INT64_C(1000000) * FIRST_S;
}

static int begin_pass(struct scrub *s, struct ark_error *err)
{
	json_t *current = NULL;
	json_int_t pass;
	bool fresh = false;

	pthread_mutex_lock(&s->lock);
	pass = json_integer_value(json_object_get(json_object_get(s->state, "last"), "pass")) + 1;
	if (!json_is_object(json_object_get(s->state, "current"))) {
		fresh = true;
		current = json_pack("{s:I,s:o,s:I,s:I,s:[],s:I}", "pass", pass, "begun", now_json(),
		    "bytes", (json_int_t)0, "faultCount", (json_int_t)0, "faults", "transient",
		    (json_int_t)0);
		if (json_object_set_new(s->state, "current", current))
			current = NULL;
	}
	s->wanted = false;
	pthread_mutex_unlock(&s->lock);
	if (fresh && !current)
		return ark_fail(err, ARK_ENOMEM, "no memory for the scrub");
	return fresh ? save(s, err) : ARK_OK;
}

/* Where a fault lies, by the file that it was found in. */
static const char *part_of(const char *file)
{
	if (file && strstr(file, "ledger/history"))
		return "history-log";
	if (file && strstr(file, "ledger/access"))
		return "access-log";
	return file && strstr(file, "keys/") ? "keys" : "store";
}

/* What lasts of the pass: scrub.state can be edited by anybody who reaches the disk, an entry of the log cannot. */
static int keep_result(struct scrub *s, const json_t *pass, struct ark_error *err)
{
	json_int_t faults = json_integer_value(json_object_get(pass, "faultCount"));
	const char *why = json_text(pass, "why"), *begun = json_text(pass, "begun");
	json_t *result = json_pack("{s:s,s:{s:O*,s:O*},s:O*,s:s*}", "outcome",
	    why      ? "failed"
	    : faults ? "faults"
		     : "whole",
	    "checked", "commits", json_object_get(pass, "commits"), "bytes",
	    json_object_get(pass, "bytes"), "heads", json_object_get(pass, "heads"), "why", why);
	int rc = result ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the scrub's result");
	int64_t from;
	json_t *fault;
	size_t i;

	json_array_foreach(json_object_get(pass, "faults"), i, fault)
	{
		if (!rc)
			rc = verified_fault(result, json_text(fault, "what"),
			    part_of(json_text(fault, "file")), err);
	}
	if (!rc && json_object_set_new(result, "faults", json_integer(faults)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the scrub's result");
	if (!rc && begun && clock_parse(begun, &from))
		json_object_set_new(result, "seconds",
		    json_integer((json_int_t)((clock_now_us() - from) / 1000000)));
	if (!rc)
		rc = verified_end(s->archive, VERIFIED_SCRUB, result, err);
	json_decref(result);
	return rc;
}

/* What is of use only to who makes the pass and its entry. */
static void leave_out(json_t *pass)
{
	json_object_del(pass, "packs");
	json_object_del(pass, "heads");
	json_object_del(pass, "commits");
}

/* Fresh: what the pass has come to. */
static json_t *pass_ended(struct scrub *s, int rc, const struct ark_error *why)
{
	json_t *pass;

	pthread_mutex_lock(&s->lock);
	pass = json_deep_copy(json_object_get(s->state, "current"));
	pthread_mutex_unlock(&s->lock);
	json_object_set_new(pass, "ended", now_json());
	json_object_set_new(pass, "outcome", json_string(rc ? "failed" : "whole"));
	if (rc)
		json_object_set_new(pass, "why", json_string(why->text));
	return pass;
}

/* The pass is over, whole or failed: its numbers become those of the last, once its entry stands. */
static int end_pass(struct scrub *s, int rc, const struct ark_error *why, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	json_t *pass = pass_ended(s, rc, why);
	char range[120];
	int done, kept;

	if (rc)
		ark_log(ARK_LOG_ERROR, "scrub", "it failed: %s", why->text);
	snprintf(range, sizeof(range), "pass %lld %s, %lld faults",
	    (long long)json_integer_value(json_object_get(pass, "pass")), rc ? "failed" : "whole",
	    (long long)json_integer_value(json_object_get(pass, "faultCount")));
	kept = keep_result(s, pass, err);
	leave_out(pass);
	pthread_mutex_lock(&s->lock);
	json_object_del(s->state, "current");
	if (!rc)
		json_object_set(s->state, "lastWhole", json_object_get(pass, "ended"));
	json_object_set_new(s->state, "last", pass);
	s->now = false;
	pthread_mutex_unlock(&s->lock);
	done = save(s, err);
	if (!done)
		done = archive_maintenance(s->archive, "scrub", range, &receipt, err);
	receipt_free(receipt);
	return done ? done : kept;
}

static void run_pass(struct scrub *s)
{
	struct ark_error err = {0}, late = {0};
	int rc = begin_pass(s, &err);

	if (!rc)
		rc = scrub_pass(s, &err);
	if (rc == 1)
		return; /* paused or stopping: what is done is kept */
	if (end_pass(s, rc, &err, &late))
		ark_log(ARK_LOG_ERROR, "scrub", "the result could not be kept: %s", late.text);
}

/* The lowest of both priorities; where that is not allowed the pace is gentle enough. */
static void be_gentle(void)
{
	enum { IOPRIO_WHO_PROCESS = 1, IDLE_CLASS = 3 << 13 };
	id_t me = (id_t)gettid();

	(void)setpriority(PRIO_PROCESS, me, 19);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, me, IDLE_CLASS);
}

static void *gentle_pass(void *arg)
{
	be_gentle();
	run_pass(arg);
	return NULL;
}

/* Somebody waits for a pass of `arkki scrub --now`; any other has a thread that gives way to everybody. */
static void one_pass(struct scrub *s, bool gentle)
{
	pthread_t thread;

	if (gentle && pthread_create(&thread, NULL, gentle_pass, s) == 0)
		pthread_join(thread, NULL);
	else
		run_pass(s);
}

static void *scrub_main(void *arg)
{
	struct scrub *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct timespec until;

		if (!halted(s) && due(s)) {
			bool gentle = !s->now;

			s->gentle = gentle;
			pthread_mutex_unlock(&s->lock);
			one_pass(s, gentle);
			pthread_mutex_lock(&s->lock);
			s->gentle = false;
			continue;
		}
		deadline(&until, INT64_C(1000000) * LOOK_S);
		pthread_cond_timedwait(&s->more, &s->lock, &until);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- from outside ---- */

int scrub_open(struct archive *a, struct ark_error *err)
{
	struct scrub *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for the scrub");
	s->archive = a;
	s->started_us = clock_monotonic_us();
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->saving, NULL);
	pthread_cond_init(&s->more, NULL);
	a->scrub = s;
	read_settings(s, archive_dir(a));
	rc = load(s, err);
	if (rc)
		return rc;
	if (pthread_create(&s->thread, NULL, scrub_main, s) != 0)
		return ark_fail(err, ARK_EIO, "cannot start the scrub's thread");
	s->runs = true;
	return ARK_OK;
}

void scrub_close(struct archive *a)
{
	struct scrub *s = a->scrub;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
	if (s->runs)
		pthread_join(s->thread, NULL);
	json_decref(s->state);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->saving);
	pthread_cond_destroy(&s->more);
	free(s);
	a->scrub = NULL;
}

int scrub_command(struct archive *a, enum scrub_command what, const char *by, struct ark_error *err)
{
	static const char *const details[] = {
	    "{\"action\":\"start\"}", "{\"action\":\"now\"}", "{\"action\":\"pause\"}"};
	const struct ledger_record r = {
	    .kind = "scrub", .principal = by, .authentication = by, .detail = details[what]};
	struct scrub *s = a->scrub;
	int rc;

	if (!s)
		return ark_fail(err, ARK_EREFUSED, "this archive is not open for writing");
	rc = ledger_append_wait(a->history, &r, 1, NULL, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
	json_object_set_new(s->state, "paused", json_boolean(what == SCRUB_PAUSE));
	if (what != SCRUB_PAUSE)
		s->wanted = true;
	if (what != SCRUB_START)
		s->now = what == SCRUB_NOW;
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
	return save(s, err);
}

json_t *scrub_status(struct archive *a)
{
	struct scrub *s = a->scrub;
	const char *state = "idle";
	json_t *out, *current;

	if (!s)
		return json_pack("{s:s}", "state", "off");
	pthread_mutex_lock(&s->lock);
	current = json_object_get(s->state, "current");
	if (json_is_true(json_object_get(s->state, "paused")))
		state = "paused";
	else if (json_is_object(current) || s->wanted || s->now)
		state = "running";
	out = json_pack("{s:s,s:I,s:I}", "state", state, "rate", (json_int_t)(s->rate / 1000000),
	    "everyDays", (json_int_t)(s->every_us / DAY_US));
	if (out && json_is_object(current)) {
		json_t *copy = json_deep_copy(current);

		leave_out(copy);
		json_object_update(out, copy);
		json_decref(copy);
	}
	if (out && json_object_get(s->state, "lastWhole"))
		json_object_set(out, "lastWhole", json_object_get(s->state, "lastWhole"));
	if (out && json_object_get(s->state, "last"))
		json_object_set_new(out, "last", json_deep_copy(json_object_get(s->state, "last")));
	pthread_mutex_unlock(&s->lock);
	return out;
}
