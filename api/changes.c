/* GET /v1/changes: what is new, with long poll.
 *
 * A waiting request is a suspended exchange on a list; the writer's commit or
 * the ticker at its deadline takes it off and wakes it. Whoever takes it off
 * wakes it, so that each is woken once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { WAIT_MAX_S = 55, TICK_MS = 250 };

struct change_waiter {
	struct exchange *x;
	int64_t deadline_us;
	struct change_waiter *next;
};

struct poll {
	uint64_t sequence;
	uint32_t item;
	unsigned int limit;
	int64_t deadline_us; /* 0: does not wait */
	bool waited;
	uint64_t forgotten; /* tokens_forgotten() when it began */
	json_t *changes;
	uint64_t last_sequence;
	uint32_t last_item;
	struct change_waiter waiter;
};

static void poll_free(void *arg)
{
	struct poll *p = arg;

	json_decref(p->changes);
	free(p);
}

static int add_change(void *arg, const struct catalogue_change *c)
{
	struct poll *p = arg;
	char time[CLOCK_TEXT_SIZE];

	clock_format(time, c->time_us);
	p->last_sequence = c->sequence;
	p->last_item = c->item;
	return json_array_append_new(
		   p->changes, json_pack("{s:s,s:s,s:s,s:i}", "time", time, "kind", c->kind,
				   "document", c->document, "version", (int)c->version))
		   ? ARK_ENOMEM
		   : 0;
}

/* Fills p->changes; when there is none the cursor moves to where the archive stood. */
static int look(struct visit *v, struct poll *p, struct ark_error *err)
{
	uint64_t now = archive_sequence(v->app->archive);
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc = caller_renew(v->app, v->caller, err);

	if (!rc)
		rc = caller_unlogged_sight(v->caller, &sight, err);
	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	if (!rc)
		rc = catalogue_changes(
		    desk->catalogue, p->sequence, p->item, p->limit, sight, add_change, p, err);
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	if (!rc && json_array_size(p->changes) == 0 && now > p->sequence) {
		p->last_sequence = now;
		p->last_item = UINT32_MAX;
	}
	return rc < 0 ? rc : ARK_OK;
}

static void wait_for_change(struct exchange *x, struct poll *p);

static void look_and_answer(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct poll *p = v->more;
	struct buf next = BUF_INIT;
	struct ark_error err;
	char at[64];

	/* rights may have changed while it waited, or the token have ended: who still has them asks again, with this cursor */
	if (p->waited && (p->forgotten != tokens_forgotten(v->app) ||
			     !principal_current(v->caller->who, archive_registry(v->app->archive))))
		p->deadline_us = 0;
	else if (look(v, p, &err)) {
		http_reply_error(x, &err);
		return;
	}
	if (json_array_size(p->changes) == 0 && p->deadline_us > clock_monotonic_us()) {
		wait_for_change(x, p);
		return;
	}
	snprintf(at, sizeof(at), "%llu %u", (unsigned long long)p->last_sequence, p->last_item);
	cursor_write(v->app, "changes", at, &next);
	http_reply_json(x, 200, json_pack("{s:O,s:s}", "changes", p->changes, "next", next.data));
	buf_free(&next);
}

static void wait_for_change(struct exchange *x, struct poll *p)
{
	struct app *app = app_of(x);
	bool now, stopping;

	p->waited = true;
	p->waiter.x = x;
	p->waiter.deadline_us = p->deadline_us;
	pthread_mutex_lock(&app->waiters_lock);
	/* a commit between look() and here has passed this list by */
	stopping = app->stopping;
	now = stopping || archive_sequence(app->archive) > p->last_sequence;
	if (!now) {
		p->waiter.next = app->waiters;
		app->waiters = &p->waiter;
	}
	pthread_mutex_unlock(&app->waiters_lock);
	http_wait(x, look_and_answer);
	if (now) {
		if (stopping)
			p->deadline_us = 0;
		http_wake(x);
	}
}

/* "SEQUENCE ITEM", as a cursor holds it. */
static bool read_place(const char *text, unsigned long long *ret_sequence, unsigned int *ret_item)
{
	char *end;

	*ret_sequence = strtoull(text, &end, 10);
	if (end == text || *end != ' ')
		return false;
	text = end;
	*ret_item = (unsigned int)strtoul(text, &end, 10);
	return end != text;
}

void changes_get(struct exchange *x)
{
	const char *after = http_query(x, "after"), *wait = http_query(x, "wait");
	struct visit *v = visit_of(x);
	struct poll *p = v ? calloc(1, sizeof(*p)) : NULL;
	struct buf at = BUF_INIT;
	unsigned long long sequence = 0;
	unsigned long seconds = 0;
	bool ok = true;

	if (!p)
		return;
	p->changes = json_array();
	p->forgotten = tokens_forgotten(v->app);
	v->more = p;
	v->more_free = poll_free;
	if (after && *after)
		ok = !cursor_read(v->app, "changes", after, &at, NULL) &&
		     read_place(at.data, &sequence, &p->item);
	buf_free(&at);
	p->sequence = p->last_sequence = sequence;
	p->last_item = p->item;
	if (wait && *wait) {
		char *end;

		seconds = strtoul(wait, &end, 10);
		ok = ok && *end == '\0' && wait[0] >= '0' && wait[0] <= '9';
	}
	if (!ok) {
		http_reply_problem(x, 400, "bad-query", "after or wait is malformed.", NULL);
		return;
	}
	if (!limit_of(x, 100, 1000, &p->limit))
		return;
	if (seconds > WAIT_MAX_S)
		seconds = WAIT_MAX_S;
	if (seconds)
		p->deadline_us = clock_monotonic_us() + (int64_t)seconds * 1000000;
	look_and_answer(x);
}

/* ---- who wakes ---- */

/* Takes off those that are due (all: whatever their deadline) and wakes them. */
static void wake_due(struct app *app, bool all)
{
	int64_t now = clock_monotonic_us();
	struct change_waiter **at, *w, *due = NULL;

	pthread_mutex_lock(&app->waiters_lock);
	for (at = &app->waiters; (w = *at);) {
		if (all || w->deadline_us <= now) {
			*at = w->next;
			w->next = due;
			due = w;
		} else {
			at = &w->next;
		}
	}
	pthread_mutex_unlock(&app->waiters_lock);
	while ((w = due)) {
		due = w->next; /* the waiter may be gone after the wake */
		http_wake(w->x);
	}
}

static void on_commit(void *arg, uint64_t sequence)
{
	(void)sequence;
	wake_due(arg, true);
}

static void *ticker_main(void *arg)
{
	struct app *app = arg;
	struct timespec at;

	pthread_mutex_lock(&app->waiters_lock);
	while (!app->stopping) {
		clock_gettime(CLOCK_REALTIME, &at);
		at.tv_nsec += TICK_MS * 1000000L;
		if (at.tv_nsec >= 1000000000L) {
			at.tv_nsec -= 1000000000L;
			at.tv_sec++;
		}
		pthread_cond_timedwait(&app->waiters_cond, &app->waiters_lock, &at);
		pthread_mutex_unlock(&app->waiters_lock);
		wake_due(app, false);
		pthread_mutex_lock(&app->waiters_lock);
	}
	pthread_mutex_unlock(&app->waiters_lock);
	return NULL;
}

int changes_start(struct app *app, struct ark_error *err)
{
	pthread_mutex_init(&app->waiters_lock, NULL);
	pthread_cond_init(&app->waiters_cond, NULL);
	archive_listen(app->archive, on_commit, app);
	if (pthread_create(&app->ticker, NULL, ticker_main, app) != 0)
		return ark_fail(err, ARK_EIO, "cannot start the ticker's thread");
	app->ticker_runs = true;
	return ARK_OK;
}

void changes_stop(struct app *app)
{
	archive_unlisten(app->archive, app);
	if (!app->ticker_runs)
		return;
	pthread_mutex_lock(&app->waiters_lock);
	app->stopping = true;
	pthread_cond_signal(&app->waiters_cond);
	pthread_mutex_unlock(&app->waiters_lock);
	wake_due(app, true);
	pthread_join(app->ticker, NULL);
	app->ticker_runs = false;
}
