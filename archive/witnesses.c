/* The client of the witnesses.
 *
 * Checkpoints are offered in rounds, one for each log: all witnesses are
 * offered the same checkpoint, because a quorum must be for one and the same.
 * A round ends when enough have cosigned, all have been tried, or it is
 * ROUND_US old; the next takes the newest checkpoint then.
 *
 * Invariants, under the lock:
 *   - a round's note does not change while its number stands; a late line for
 *     an earlier round counts for nothing but its witness's own status;
 *   - cosigned only grows, and what it covers has been verified and kept;
 *   - a witness that has been heard (met) can no longer stop the archive.
 */
#include "arkki/archive/witnesses.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/ledger_private.h"
#include "archive/witness_ask.h"
#include "arkki/base/clock.h"

enum {
	LOGS = 2,
	OFFER_TIMEOUT_MS = 10000,
	TICK_US = 50000,
	ROUND_US = 15000000,
	RETRY_FIRST_US = 1000000,
	RETRY_LAST_US = 60000000,
	OFFER_TRIES = 3,
};

struct round {
	uint64_t number;
	struct checkpoint checkpoint;
	struct buf note;  /* the log's own */
	struct buf lines; /* of witnesses, verified */
	uint64_t cosigned_by, tried;
	int64_t begun_us;
	bool enough;
};

struct witness_log {      /* one witness, one log */
	uint64_t seen;    /* what it has seen, as far as is known */
	uint64_t size;    /* the last that it cosigned for us */
	int64_t time_us;  /* when */
	uint64_t offered; /* number of the last round that was offered */
	bool met;
	char error[300]; /* of the last try; "": none */
};

struct asked {
	struct witnesses *w;
	unsigned int at; /* its place in the policy */
	const struct policy_party *party;
	struct witness_link *link;
	struct witness_log logs[LOGS];
	int64_t retry_us, pause_us;
	pthread_t thread;
	bool runs;
};

struct witnesses {
	struct archive *a;
	struct ledger *ledgers[LOGS];
	struct witness_settings settings;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct round rounds[LOGS];
	uint64_t cosigned[LOGS];
	struct witness_wait *waits;
	struct asked *asked; /* POLICY_EACH_MAX */
	pthread_t ticker;
	bool ticker_runs;
};

/* ---- rounds: under the lock ---- */

static bool round_over(const struct witnesses *w, const struct round *r, int64_t now)
{
	uint64_t all = 0;

	for (unsigned int i = 0; i < w->settings.policy->witnesses_len; i++)
		/* one that waits before it is tried again is not waited for */
		if (w->asked[i].runs && w->asked[i].retry_us <= now)
			all |= UINT64_C(1) << i;
	return r->number == 0 || r->enough || (r->tried & all) == all ||
	       now - r->begun_us > ROUND_US;
}

/* A new round when the old one is over and there is something new. */
static void round_next(struct witnesses *w, int log, int64_t now)
{
	struct round *r = &w->rounds[log];
	struct buf note = BUF_INIT;
	struct checkpoint c;

	if (!round_over(w, r, now))
		return;
	if (ledger_newest(w->ledgers[log], &note, &c, NULL) || c.size == 0 ||
	    (r->number && c.size == r->checkpoint.size)) {
		buf_free(&note);
		return;
	}
	buf_free(&r->note);
	buf_clear(&r->lines);
	r->note = note;
	r->checkpoint = c;
	r->number++;
	r->begun_us = now;
	r->cosigned_by = r->tried = 0;
	r->enough = false;
}

/* Whoever waits for what is covered now, or no longer, is taken off the list; the caller calls done(). */
static struct witness_wait *waits_over(struct witnesses *w, int64_t now)
{
	struct witness_wait *over = NULL, **p = &w->waits;

	while (*p) {
		struct witness_wait *one = *p;

		if (one->size > w->cosigned[LEDGER_ACCESS] && now < one->deadline_us &&
		    !atomic_load(&w->stopping)) {
			p = &one->next;
			continue;
		}
		*p = one->next;
		one->next = over;
		over = one;
	}
	return over;
}

static void call_done(struct witness_wait *over, uint64_t cosigned)
{
	while (over) {
		struct witness_wait *next = over->next;

		over->done(over, over->size <= cosigned);
		over = next;
	}
}

/* ---- what a witness said ---- */

/* A verified line. Kept on disk before it counts, when it makes the quorum. */
static void take_line(
    struct witnesses *w, struct asked *q, int log, uint64_t number, const struct witness_said *said)
{
	struct round *r = &w->rounds[log];
	struct buf whole = BUF_INIT;
	struct witness_wait *over = NULL;
	struct ark_error err;
	uint64_t cosigned = 0;

	pthread_mutex_lock(&w->lock);
	if (r->number == number && !(r->cosigned_by & UINT64_C(1) << q->at)) {
		r->cosigned_by |= UINT64_C(1) << q->at;
		buf_add(&r->lines, said->line.data, said->line.len);
		ledger_add_cosignature(
		    w->ledgers[log], r->checkpoint.size, said->line.data, said->line.len);
	}
	if (r->number == number && policy_met(w->settings.policy, r->cosigned_by)) {
		buf_add(&whole, r->note.data, r->note.len);
		buf_add(&whole, r->lines.data, r->lines.len);
		if (buf_failed(&whole) || buf_failed(&r->lines) ||
		    ledger_keep_cosigned(w->ledgers[log], whole.data, whole.len, &err)) {
			snprintf(q->logs[log].error, sizeof(q->logs[log].error),
			    "what it cosigned could not be kept");
		} else {
			r->enough = true;
			w->cosigned[log] = r->checkpoint.size;
			over = waits_over(w, clock_monotonic_us());
		}
	}
	cosigned = w->cosigned[LEDGER_ACCESS];
	pthread_mutex_unlock(&w->lock);
	buf_free(&whole);
	call_done(over, cosigned);
}

static void stop_archive(
    struct witnesses *w, struct asked *q, int log, const struct witness_said *said, uint64_t size)
{
	struct ark_error err;

	witness_stop_text(&err, q->party->name, w->ledgers[log]->origin, said, size);
	for (int i = 0; i < LOGS; i++)
		ledger_stop(w->ledgers[i], err.text);
}

/* What it said, noted. True: offered with success. */
static bool note_word(struct witnesses *w, struct asked *q, int log, uint64_t number, uint64_t size,
    const struct witness_said *said, const struct ark_error *err)
{
	struct witness_log *l = &q->logs[log];
	bool first, ok = said->word == WITNESS_COSIGNED;

	pthread_mutex_lock(&w->lock);
	first = !l->met;
	if (said->word != WITNESS_FAILED)
		l->met = true;
	l->error[0] = '\0';
	if (ok) {
		l->seen = l->size = size;
		l->time_us = clock_now_us();
	} else if (said->word == WITNESS_AHEAD) {
		snprintf(l->error, sizeof(l->error),
		    "it says that it has seen %" PRIu64 " entries, and there are %" PRIu64
		    ": it is at fault, or another copy of this archive is at work",
		    said->seen, size);
	} else if (said->word == WITNESS_DISAGREES) {
		snprintf(l->error, sizeof(l->error),
		    "it says that this log does not continue the %" PRIu64
		    " entries that it has seen: it is at fault, or another copy of this archive is "
		    "at work",
		    said->seen);
	} else {
		snprintf(l->error, sizeof(l->error), "%.280s", err->text);
	}
	pthread_mutex_unlock(&w->lock);
	if (first && (said->word == WITNESS_AHEAD || said->word == WITNESS_DISAGREES))
		stop_archive(w, q, log, said, size);
	if (ok)
		take_line(w, q, log, number, said);
	return ok;
}

/* One round's checkpoint, with the proof from what the witness has seen; it may correct us. */
static bool offer(
    struct asked *q, int log, uint64_t number, const struct checkpoint *c, const struct buf *note)
{
	struct witnesses *w = q->w;
	struct merkle_hash proof[MERKLE_PROOF_MAX];
	struct witness_said said = {.word = WITNESS_FAILED};
	struct ark_error err = {0};
	uint64_t seen = q->logs[log].seen;
	bool ok;

	for (int i = 0; i < OFFER_TRIES; i++) {
		size_t n = 0;

		said.word = WITNESS_FAILED;
		if (seen && seen < c->size &&
		    ledger_consistency(w->ledgers[log], seen, c->size, proof, &n, &err))
			break;
		witness_offer(q->link, &q->party->key, seen, proof, n, c, note, OFFER_TIMEOUT_MS,
		    &said, &err);
		if (said.word != WITNESS_BEHIND)
			break;
		seen = said.seen;
		ark_fail(&err, ARK_EIO, "it names another size each time");
	}
	/* the lock is for readers of the status: this thread alone writes */
	pthread_mutex_lock(&w->lock);
	q->logs[log].seen = seen;
	pthread_mutex_unlock(&w->lock);
	ok = note_word(w, q, log, number, c->size, &said, &err);
	buf_free(&said.line);
	return ok;
}

/* ---- the threads ---- */

/* The log that has a round which this witness was not offered; -1: none. Copies the note. */
static int round_for(struct asked *q, uint64_t *ret_number, struct checkpoint *c, struct buf *note)
{
	for (int i = 0; i < LOGS; i++) {
		const struct round *r = &q->w->rounds[i];

		if (!r->number || q->logs[i].offered == r->number)
			continue;
		buf_clear(note);
		buf_add(note, r->note.data, r->note.len);
		*ret_number = r->number;
		*c = r->checkpoint;
		return buf_failed(note) ? -1 : i;
	}
	return -1;
}

static void after_offer(struct asked *q, int log, uint64_t number, bool ok)
{
	struct round *r = &q->w->rounds[log];

	if (r->number == number)
		r->tried |= UINT64_C(1) << q->at;
	if (ok) {
		q->logs[log].offered = number;
		q->pause_us = 0;
		return;
	}
	q->pause_us = q->pause_us ? q->pause_us * 2 : RETRY_FIRST_US;
	if (q->pause_us > RETRY_LAST_US)
		q->pause_us = RETRY_LAST_US;
	q->retry_us = clock_monotonic_us() + q->pause_us;
}

static void wait_until(struct witnesses *w, int64_t at_us)
{
	struct timespec ts = {at_us / 1000000, at_us % 1000000 * 1000};

	pthread_cond_timedwait(&w->more, &w->lock, &ts);
}

static void *asked_main(void *arg)
{
	struct asked *q = arg;
	struct witnesses *w = q->w;
	struct buf note = BUF_INIT;
	struct checkpoint c;
	uint64_t number;

	pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->stopping)) {
		int64_t now = clock_monotonic_us();
		int log = q->retry_us <= now ? round_for(q, &number, &c, &note) : -1;
		bool ok;

		if (log < 0) {
			wait_until(w, now + RETRY_FIRST_US);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		ok = offer(q, log, number, &c, &note);
		pthread_mutex_lock(&w->lock);
		after_offer(q, log, number, ok);
	}
	pthread_mutex_unlock(&w->lock);
	buf_free(&note);
	return NULL;
}

/* Begins rounds and ends waits that nobody else ends. */
static void *ticker_main(void *arg)
{
	struct witnesses *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->stopping)) {
		int64_t now = clock_monotonic_us();
		struct witness_wait *over = waits_over(w, now);
		uint64_t cosigned = w->cosigned[LEDGER_ACCESS], before, after;

		if (over) {
			pthread_mutex_unlock(&w->lock);
			call_done(over, cosigned);
			pthread_mutex_lock(&w->lock);
			continue;
		}
		before = w->rounds[0].number + w->rounds[1].number;
		round_next(w, 0, now);
		round_next(w, 1, now);
		after = w->rounds[0].number + w->rounds[1].number;
		if (after != before)
			pthread_cond_broadcast(&w->more);
		wait_until(w, now + TICK_US);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- starting and stopping ---- */

static int start_threads(struct witnesses *w, struct ark_error *err)
{
	const struct policy *p = w->settings.policy;

	for (unsigned int i = 0; i < p->witnesses_len; i++) {
		struct asked *q = &w->asked[i];
		int rc = ARK_OK;

		*q = (struct asked){.w = w, .at = i, .party = &p->witnesses[i]};
		if (!q->party->url)
			continue;
		rc = witness_link_new(q->party->url, &w->stopping, &q->link, err);
		if (rc)
			return rc;
		pthread_mutex_lock(&w->lock);
		q->runs = pthread_create(&q->thread, NULL, asked_main, q) == 0;
		pthread_mutex_unlock(&w->lock);
		if (!q->runs)
			return ark_fail(err, ARK_ENOMEM, "no thread could be started");
	}
	w->ticker_runs = pthread_create(&w->ticker, NULL, ticker_main, w) == 0;
	return w->ticker_runs ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no thread could be started");
}

int witnesses_start(struct archive *a, struct witnesses **ret, struct ark_error *err)
{
	struct witnesses *w = calloc(1, sizeof(*w));
	pthread_condattr_t monotonic;
	int rc;

	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory for the witnesses");
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &monotonic);
	pthread_condattr_destroy(&monotonic);
	w->a = a;
	for (int i = 0; i < LOGS; i++)
		w->ledgers[i] = archive_ledger(a, i ? LEDGER_ACCESS : LEDGER_HISTORY);
	rc = witness_settings_load(archive_dir(a), &w->settings, err);
	if (!rc && w->settings.policy) {
		w->asked = calloc(POLICY_EACH_MAX, sizeof(*w->asked));
		rc = w->asked ? start_threads(w, err)
			      : ark_fail(err, ARK_ENOMEM, "no memory for the witnesses");
	}
	if (rc || !w->settings.policy) {
		witnesses_stop(w);
		w = NULL;
	}
	if (!rc)
		*ret = w;
	return rc;
}

void witnesses_end_soon(struct witnesses *w)
{
	struct witness_wait *over;
	uint64_t cosigned;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->stopping, true);
	cosigned = w->cosigned[LEDGER_ACCESS];
	over = waits_over(w, clock_monotonic_us());
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	call_done(over, cosigned);
}

void witnesses_stop(struct witnesses *w)
{
	if (!w)
		return;
	witnesses_end_soon(w);
	for (unsigned int i = 0; w->asked && i < POLICY_EACH_MAX; i++) {
		if (w->asked[i].runs)
			pthread_join(w->asked[i].thread, NULL);
		witness_link_free(w->asked[i].link);
	}
	if (w->ticker_runs)
		pthread_join(w->ticker, NULL);
	for (int i = 0; i < LOGS; i++) {
		buf_free(&w->rounds[i].note);
		buf_free(&w->rounds[i].lines);
	}
	witness_settings_free(&w->settings);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->asked);
	free(w);
}

/* ---- waiting ---- */

bool witnesses_required(const struct witnesses *w, const char *publicity)
{
	if (!w || !(w->settings.require_secret || w->settings.require_partly ||
		      w->settings.require_public))
		return false;
	if (publicity && strcmp(publicity, "public") == 0)
		return w->settings.require_public;
	if (publicity && strcmp(publicity, "partly-secret") == 0)
		return w->settings.require_partly;
	/* what has no known class is taken for the strictest one */
	return true;
}

void witnesses_wait(struct witnesses *w, struct witness_wait *wait)
{
	uint64_t cosigned;
	bool over;

	ledger_publish_soon(w->ledgers[LEDGER_ACCESS], wait->size);
	pthread_mutex_lock(&w->lock);
	cosigned = w->cosigned[LEDGER_ACCESS];
	over = wait->size <= cosigned || atomic_load(&w->stopping);
	if (!over) {
		wait->next = w->waits;
		w->waits = wait;
	}
	pthread_mutex_unlock(&w->lock);
	if (over)
		wait->done(wait, wait->size <= cosigned);
}

/* ---- what is told ---- */

static json_t *log_status(const struct witness_log *l, const char *origin)
{
	json_t *o = json_pack("{s:s,s:I}", "log", origin, "size", (json_int_t)l->size);
	char time[CLOCK_TEXT_SIZE];

	if (o && l->time_us) {
		clock_format(time, l->time_us);
		json_object_set_new(o, "time", json_string(time));
	}
	if (o && l->error[0])
		json_object_set_new(o, "error", json_string(l->error));
	return o;
}

json_t *witnesses_status(struct witnesses *w)
{
	json_t *o = json_object(), *logs = json_array(), *all = json_array();
	const struct policy *p = w->settings.policy;

	pthread_mutex_lock(&w->lock);
	for (int i = 0; i < LOGS; i++)
		json_array_append_new(logs, json_pack("{s:s,s:I}", "log", w->ledgers[i]->origin,
						"cosignedSize", (json_int_t)w->cosigned[i]));
	for (unsigned int i = 0; i < p->witnesses_len; i++) {
		json_t *seen = json_array();

		for (int k = 0; k < LOGS; k++)
			json_array_append_new(
			    seen, log_status(&w->asked[i].logs[k], w->ledgers[k]->origin));
		json_array_append_new(all, json_pack("{s:s,s:s*,s:o}", "name", p->witnesses[i].name,
					       "url", p->witnesses[i].url, "logs", seen));
	}
	pthread_mutex_unlock(&w->lock);
	json_object_set_new(o, "logs", logs);
	json_object_set_new(o, "witnesses", all);
	return o;
}
