/* The queue of pages that OCR reads: a thread of its own, with an extractor of its own, behind everything else.
 *
 * It takes one page at a time, each time of the document that should be next, and keeps what was read
 * in derived/ before it takes another: a server that is killed repeats one page. While text is
 * extracted in a backlog it waits. The text of a document is put together by the indexer when all of
 * its pages were read. Where OCR cannot be started, texts go on without it and the status says so.
 *
 * Threads: all of this may be called from any.
 */
#ifndef ARKKI_API_OCR_QUEUE_H
#define ARKKI_API_OCR_QUEUE_H

#include "arkki/archive/archive.h"

struct ocr_queue;

struct ocr_config {
	struct archive *archive;
	bool (*must_wait)(void *arg); /* text is extracted in a backlog now */
	void (*document_read)(void *arg);
	void *arg;
};
ARK_MUSTUSE int ocr_queue_new(
    const struct ocr_config *config, struct ocr_queue **ret, struct ark_error *err);
void ocr_queue_free(struct ocr_queue *q); /* waits for the page at hand; NULL is fine */

/* Something may wait. */
void ocr_queue_poke(struct ocr_queue *q);
/* Why no picture will be read, "" when they will; NULL as q: "". Borrowed, static. */
const char *ocr_queue_missing(struct ocr_queue *q);
/* Pauses or goes on; holds over restarts. q may be NULL: for the next server. */
ARK_MUSTUSE int ocr_queue_pause(
    struct archive *a, struct ocr_queue *q, bool paused, struct ark_error *err);
bool ocr_queue_paused(const struct archive *a);
/* "idle" "reading" "waiting" (for text) "paused" "unavailable"; static. why: what is missing, or "". */
const char *ocr_queue_state(struct ocr_queue *q, char why[200]);

#endif
