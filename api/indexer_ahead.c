/* Texts of a batch, found and analysed ahead of the writer by a second thread.
 *
 * Each row is sought once, by whichever of the two comes to it first: the
 * helper goes from the front, and the writer, when it would have to wait for a
 * row that the helper has at hand, seeks a later one meanwhile. What is put into the
 * index, and in which order, is the writer's alone.
 *
 * Words made ready are about 60 times as large as their text, so the two stop going ahead while HELD_MAX bytes of
 * text wait for the writer.
 *
 * Invariant: a form is sought by one thread at a time (the files in derived/ have fixed names), so of
 * two rows of one version only the first is sought ahead.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/indexer_private.h"

enum { AHEAD_NICE = 10, HELD_MAX = 1 << 20 };

enum turn { WAITING, TAKEN, SOUGHT, LATER }; /* LATER: the writer's, in its turn */

struct slot {
	enum turn turn;
	struct text_found found[2];
	size_t held; /* bytes of text whose words are ready */
	int rc;
	struct ark_error err;
};

struct ahead {
	struct archive *a;
	struct extractor *extractor; /* the helper's, as the next */
	struct analyser *analyser;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool runs, stopping;
	const struct catalogue_row *rows;
	const struct receipt *receipt;
	const char *no_ocr;
	struct slot *slots;
	size_t n, next; /* next: the first that may be WAITING */
	size_t held;    /* of slots that the writer has not taken */
	bool at_work;   /* the helper has a row */
};

static int seek_form(struct ahead *h, size_t k, enum form form, struct extractor *e,
    struct analyser *an, struct ark_error *err)
{
	const struct catalogue_row *row = &h->rows[k];
	struct slot *s = &h->slots[k];
	struct text_found *f = &s->found[form];
	int rc = text_find(h->a, e, h->receipt, row, form, h->no_ocr, f, err);

	if (!rc && f->text.len)
		rc =
		    search_prepare(an, row->language, f->text.data, f->text.len, &f->prepared, err);
	if (!rc && f->prepared)
		s->held += f->text.len;
	return rc;
}

static void seek(struct ahead *h, size_t k, struct extractor *e, struct analyser *an)
{
	struct slot *s = &h->slots[k];

	s->rc = seek_form(h, k, FORM_WHOLE, e, an, &s->err);
	if (!s->rc)
		s->rc = seek_form(h, k, FORM_PUBLIC, e, an, &s->err);
}

/* Under the lock: the next row that nobody has; false: there is none, or enough is ready. */
static bool take_next(struct ahead *h, size_t *ret)
{
	if (h->held >= HELD_MAX)
		return false;
	while (h->next < h->n && h->slots[h->next].turn != WAITING)
		h->next++;
	if (h->next == h->n)
		return false;
	*ret = h->next++;
	h->slots[*ret].turn = TAKEN;
	return true;
}

/* Under the lock, which it leaves for the work. */
static void seek_taken(struct ahead *h, size_t k, struct extractor *e, struct analyser *an)
{
	pthread_mutex_unlock(&h->lock);
	seek(h, k, e, an);
	pthread_mutex_lock(&h->lock);
	h->slots[k].turn = SOUGHT;
	h->held += h->slots[k].held;
	pthread_cond_broadcast(&h->changed);
}

static void *ahead_main(void *arg)
{
	struct ahead *h = arg;
	size_t k;

	setpriority(PRIO_PROCESS, (id_t)gettid(), AHEAD_NICE);
	pthread_mutex_lock(&h->lock);
	while (!h->stopping) {
		if (!take_next(h, &k)) {
			pthread_cond_wait(&h->changed, &h->lock);
			continue;
		}
		h->at_work = true;
		seek_taken(h, k, h->extractor, h->analyser);
		h->at_work = false;
		pthread_cond_broadcast(&h->changed);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

int ahead_new(
    struct archive *a, struct analyse_cache *cache, struct ahead **ret, struct ark_error *err)
{
	struct ahead *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return ark_fail(err, ARK_ENOMEM, "no memory for the indexer's helper");
	h->a = a;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	rc = extractor_new(NULL, &h->extractor, err);
	if (!rc)
		rc = analyser_new(cache, &h->analyser, err);
	if (!rc && pthread_create(&h->thread, NULL, ahead_main, h) != 0)
		rc = ark_fail(err, ARK_EIO, "cannot start the indexer's helper");
	h->runs = !rc;
	if (rc) {
		ahead_free(h);
		return rc;
	}
	*ret = h;
	return ARK_OK;
}

void ahead_free(struct ahead *h)
{
	if (!h)
		return;
	if (h->runs) {
		pthread_mutex_lock(&h->lock);
		h->stopping = true;
		pthread_cond_broadcast(&h->changed);
		pthread_mutex_unlock(&h->lock);
		pthread_join(h->thread, NULL);
	}
	extractor_free(h->extractor);
	analyser_free(h->analyser);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->changed);
	free(h);
}

static bool comes_before(const struct catalogue_row *rows, size_t k)
{
	for (size_t j = 0; j < k; j++)
		if (rows[j].version == rows[k].version &&
		    memcmp(rows[j].document, rows[k].document, 32) == 0)
			return true;
	return false;
}

int ahead_begin(struct ahead *h, const struct catalogue_row *rows, size_t n,
    const struct receipt *receipt, const char *no_ocr, struct ark_error *err)
{
	struct slot *slots = calloc(n ? n : 1, sizeof(*slots));

	if (!slots)
		return ark_fail(err, ARK_ENOMEM, "no memory for a batch");
	for (size_t k = 0; k < n; k++)
		if (comes_before(rows, k))
			slots[k].turn = LATER;
	pthread_mutex_lock(&h->lock);
	h->rows = rows;
	h->receipt = receipt;
	h->no_ocr = no_ocr;
	h->slots = slots;
	h->n = n;
	h->next = 0;
	if (n > 1)
		pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	return ARK_OK;
}

int ahead_take(struct ahead *h, size_t k, struct extractor *e, struct analyser *an,
    struct text_found **ret, struct ark_error *err)
{
	struct slot *s = &h->slots[k];
	size_t other;

	pthread_mutex_lock(&h->lock);
	if (s->turn == WAITING || s->turn == LATER) {
		s->turn = TAKEN;
		seek_taken(h, k, e, an);
	}
	while (s->turn != SOUGHT) {
		if (take_next(h, &other))
			seek_taken(h, other, e, an);
		else
			pthread_cond_wait(&h->changed, &h->lock);
	}
	if (s->held && h->held >= HELD_MAX)
		pthread_cond_broadcast(&h->changed);
	h->held -= s->held;
	s->held = 0;
	pthread_mutex_unlock(&h->lock);
	*ret = s->found;
	return s->rc ? ark_fail(err, s->rc, "%s", s->err.text) : ARK_OK;
}

void ahead_end(struct ahead *h)
{
	pthread_mutex_lock(&h->lock);
	h->next = h->n; /* nothing more is begun */
	while (h->at_work)
		pthread_cond_wait(&h->changed, &h->lock);
	for (size_t k = 0; k < h->n; k++) {
		text_found_free(&h->slots[k].found[FORM_WHOLE]);
		text_found_free(&h->slots[k].found[FORM_PUBLIC]);
	}
	free(h->slots);
	h->slots = NULL;
	h->n = h->next = h->held = 0;
	pthread_mutex_unlock(&h->lock);
}
