#include "api/ocr_queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/indexer_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/log.h"

enum {
	OCR_NICE = 19,
	LOOK_S = 60,   /* what waits is told of by pokes; this is for what was missed */
	HELD_UP_S = 1, /* between looks whether the backlog of texts is over */
	RETRY_S = 5,
	TRIES = 3, /* then the page counts as one that shows no text */
};

#define OCR_MISSING "its pages are pictures, and OCR is not available"

struct ocr_queue {
	struct ocr_config config;
	struct catalogue *catalogue;
	struct extractor *extractor; /* made for the first page: the models take memory */
	/* of the form at hand; the receipt is for it */
	char document[33];
	uint32_t version;
	struct receipt *receipt;
	uint32_t failed_page;
	unsigned int failures;

	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_t thread;
	bool runs, stopping, poked, paused;
	const char *state;
	char missing[200]; /* "" while OCR is there, or has not been tried */
};

static int marker(const struct archive *a, char out[4096], struct ark_error *err)
{
	return fs_path(out, err, "%s/derived/ocr-paused", archive_dir(a));
}

static bool is_stopping(struct ocr_queue *q)
{
	bool stopping;

	pthread_mutex_lock(&q->lock);
	stopping = q->stopping;
	pthread_mutex_unlock(&q->lock);
	return stopping;
}

/* ---- one page ---- */

/* One entry of the access log for each document and start, not for each page. */
static int receipt_for(struct ocr_queue *q, const struct catalogue_row *row, struct ark_error *err)
{
	char range[80];

	if (q->receipt && q->version == row->version && strcmp(q->document, row->document) == 0)
		return ARK_OK;
	receipt_free(q->receipt);
	q->receipt = NULL;
	snprintf(range, sizeof(range), "%s version %u", row->document, row->version);
	memcpy(q->document, row->document, sizeof(q->document));
	q->version = row->version;
	return archive_maintenance(q->config.archive, "ocr", range, &q->receipt, err);
}

static int keep_result(struct ocr_queue *q, const struct catalogue_row *row, enum form form,
    uint32_t page, struct extract_result *r, struct ark_error *err)
{
	struct reading_page p = {.known = r->known, .text = r->text, .words = r->words};

	return reading_keep_page(q->config.archive, q->receipt, row, form, page, &p, err);
}

/* A page that fails again and again is left out, or it would hold up all that follow. */
static bool give_up(struct ocr_queue *q, uint32_t page, int rc)
{
	if (!rc || q->failed_page != page)
		q->failures = 0;
	q->failed_page = rc ? page : 0;
	return rc && ++q->failures >= TRIES;
}

static int read_page(struct ocr_queue *q, const struct catalogue_row *row, enum form form,
    uint32_t page, struct ark_error *err)
{
	struct extract_result r = {0};
	int rc =
	    text_extract(q->config.archive, q->extractor, q->receipt, row, form, page, &r, err);

	if (is_stopping(q)) { /* what was cut off is read after the next start */
		extract_result_free(&r);
		return rc ? rc : ark_fail(err, ARK_EIO, "the server ends");
	}
	if (give_up(q, page, rc)) {
		ark_log(ARK_LOG_WARNING, "ocr", "page %u of %s is left out: %s", page,
		    row->document, err->text);
		rc = ARK_OK;
	}
	if (!rc)
		rc = keep_result(q, row, form, page, &r, err);
	extract_result_free(&r);
	return rc;
}

static int tell_progress(
    struct ocr_queue *q, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	struct catalogue_pages was = {0};
	struct reading_pages p = {0};
	uint32_t rendition = form == FORM_PUBLIC ? row->rendition.number : 0;
	int rc = reading_pages(q->config.archive, row, form, &p, err);

	if (!rc)
		rc = catalogue_get_pages(
		    q->catalogue, row->document, row->version, rendition, &was, err);
	if (!rc) {
		was.read = p.read;
		rc = catalogue_set_pages(
		    q->catalogue, row->document, row->version, rendition, &was, err);
	}
	if (!rc && p.read == p.bare_len)
		q->config.document_read(q->config.arg);
	reading_pages_free(&p);
	/* taken out of the queue meanwhile: it is the indexer's again */
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}

/* What derived/ has lost is extracted again, and comes back into the queue. */
static int start_over(
    struct ocr_queue *q, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	uint32_t rendition = form == FORM_PUBLIC ? row->rendition.number : 0;
	int rc = reading_forget_text(q->config.archive, row, form, err);

	if (!rc)
		rc = catalogue_set_pages(
		    q->catalogue, row->document, row->version, rendition, NULL, err);
	if (!rc)
		rc = catalogue_set_text(
		    q->catalogue, row->document, row->version, rendition, "pending", NULL, err);
	if (!rc)
		q->config.document_read(q->config.arg);
	return rc;
}

static int read_next(
    struct ocr_queue *q, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	struct reading_pages p = {0};
	int rc = reading_pages(q->config.archive, row, form, &p, err);

	if (rc == ARK_ENOTFOUND)
		return start_over(q, row, form, err);
	if (!rc)
		rc = receipt_for(q, row, err);
	if (!rc && p.next)
		rc = read_page(q, row, form, p.next, err);
	if (!rc)
		rc = tell_progress(q, row, form, err);
	reading_pages_free(&p);
	return rc;
}

/* ---- the thread ---- */

static void set_state(struct ocr_queue *q, const char *state)
{
	pthread_mutex_lock(&q->lock);
	q->state = state;
	pthread_mutex_unlock(&q->lock);
}

static int start_extractor(struct ocr_queue *q, struct ark_error *err)
{
	const struct extract_config config = {.kind = EXTRACT_OCR};
	struct extractor *made = NULL;
	struct ark_error why = {0};
	int rc;

	if (q->extractor)
		return ARK_OK;
	rc = extractor_new(&config, &made, &why);
	if (!rc) {
		pthread_mutex_lock(&q->lock); /* whoever ends the queue interrupts it */
		q->extractor = made;
		pthread_mutex_unlock(&q->lock);
		return ARK_OK;
	}
	ark_log(ARK_LOG_WARNING, "ocr", "not available, so pictures of text stay without one: %s",
	    why.text);
	pthread_mutex_lock(&q->lock);
	snprintf(q->missing, sizeof(q->missing), "%.199s", why.text);
	pthread_mutex_unlock(&q->lock);
	rc = catalogue_ocr_gone(q->catalogue, OCR_MISSING, err);
	return rc ? rc : ARK_ENOTFOUND;
}

/* One page at most. ARK_ENOTFOUND: nothing to do. */
static int step(struct ocr_queue *q, struct ark_error *err)
{
	struct catalogue_row row;
	enum form form;
	int rc = catalogue_ocr_next(q->catalogue, &row, &form, err);

	if (rc)
		return rc;
	rc = start_extractor(q, err);
	if (!rc) {
		set_state(q, "reading");
		rc = read_next(q, &row, form, err);
		if (rc == ARK_ENOTFOUND)
			rc = ark_fail_within(err, ARK_EIO, "%s", row.document);
	}
	catalogue_row_free(&row);
	return rc;
}

/* Under the lock. */
static void wait_some(struct ocr_queue *q, int seconds, bool until_poked)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	while (!q->stopping && !(until_poked && q->poked) &&
	       pthread_cond_timedwait(&q->more, &q->lock, &until) == 0)
		continue;
	q->poked = false;
}

/* What keeps it from reading now, or NULL. */
static const char *held_up(struct ocr_queue *q)
{
	if (q->missing[0])
		return "unavailable";
	if (q->paused)
		return "paused";
	return q->config.must_wait(q->config.arg) ? "waiting" : NULL;
}

static void *ocr_main(void *arg)
{
	struct ocr_queue *q = arg;
	struct ark_error err;
	const char *held;
	int rc;

	setpriority(PRIO_PROCESS, (id_t)gettid(), OCR_NICE);
	pthread_mutex_lock(&q->lock);
	while (!q->stopping) {
		held = held_up(q);
		if (held) {
			q->state = held;
			wait_some(q, strcmp(held, "waiting") == 0 ? HELD_UP_S : LOOK_S, true);
			continue;
		}
		pthread_mutex_unlock(&q->lock);
		rc = step(q, &err);
		pthread_mutex_lock(&q->lock);
		if (rc == ARK_ENOTFOUND) {
			q->state = "idle";
			wait_some(q, LOOK_S, true);
		} else if (rc && !q->stopping) {
			ark_log(
			    ARK_LOG_WARNING, "ocr", "%s; trying again in %d s", err.text, RETRY_S);
			wait_some(q, RETRY_S, false);
		}
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* ---- opening and closing ---- */

int ocr_queue_new(const struct ocr_config *config, struct ocr_queue **ret, struct ark_error *err)
{
	struct ocr_queue *q = calloc(1, sizeof(*q));
	char path[4096];
	int rc;

	if (!q)
		return ark_fail(err, ARK_ENOMEM, "no memory for the OCR queue");
	q->config = *config;
	q->state = "idle";
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->more, NULL);
	q->paused = ocr_queue_paused(config->archive);
	rc = fs_path(path, err, "%s/catalogue.sqlite", archive_dir(config->archive));
	if (!rc)
		rc = catalogue_open(
		    path, archive_keyring(config->archive), true, false, &q->catalogue, err);
	if (!rc && pthread_create(&q->thread, NULL, ocr_main, q) != 0)
		rc = ark_fail(err, ARK_EIO, "cannot start the thread of OCR");
	q->runs = !rc;
	if (rc) {
		ocr_queue_free(q);
		return rc;
	}
	*ret = q;
	return ARK_OK;
}

void ocr_queue_free(struct ocr_queue *q)
{
	if (!q)
		return;
	if (q->runs) {
		pthread_mutex_lock(&q->lock);
		q->stopping = true;
		if (q->extractor)
			extractor_interrupt(q->extractor);
		pthread_cond_broadcast(&q->more);
		pthread_mutex_unlock(&q->lock);
		pthread_join(q->thread, NULL);
	}
	receipt_free(q->receipt);
	extractor_free(q->extractor);
	catalogue_close(q->catalogue);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->more);
	free(q);
}

void ocr_queue_poke(struct ocr_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->poked = true;
	pthread_cond_broadcast(&q->more);
	pthread_mutex_unlock(&q->lock);
}

const char *ocr_queue_missing(struct ocr_queue *q)
{
	bool missing;

	if (!q)
		return "";
	pthread_mutex_lock(&q->lock);
	missing = q->missing[0];
	pthread_mutex_unlock(&q->lock);
	return missing ? OCR_MISSING : "";
}

int ocr_queue_pause(struct archive *a, struct ocr_queue *q, bool paused, struct ark_error *err)
{
	char path[4096];
	int rc = marker(a, path, err);

	if (!rc && paused)
		rc = fs_replace_file(path, "", 0, 0600, err);
	if (!rc && !paused && unlink(path) && fs_exists(path))
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", path);
	if (rc || !q)
		return rc;
	pthread_mutex_lock(&q->lock);
	q->paused = paused;
	if (paused && !q->missing[0])
		q->state = "paused";
	pthread_mutex_unlock(&q->lock);
	ocr_queue_poke(q);
	return ARK_OK;
}

bool ocr_queue_paused(const struct archive *a)
{
	char path[4096];

	return !marker(a, path, NULL) && fs_exists(path);
}

const char *ocr_queue_state(struct ocr_queue *q, char why[200])
{
	const char *state;

	pthread_mutex_lock(&q->lock);
	state = q->state;
	memcpy(why, q->missing, sizeof(q->missing));
	pthread_mutex_unlock(&q->lock);
	return state;
}
