/* Text of a document, taken out by decoders that can do no harm.
 *
 * Decoders of PDF, HTML and XML are large and read bytes that strangers made.
 * They run in a process of their own that has the bytes, a pipe for the text
 * and nothing else: no file, no network, no key, no second process, bounded
 * memory and time. This side keeps the deadline and believes nothing that
 * comes out of the pipe: text is checked to be UTF-8 and kept within its cap.
 *
 *   caller ──feed──> sealed memfd ──SCM_RIGHTS──> zygote ──fork──> decoder
 *                        text <──────── pipe ──────────────────────┘
 *
 * The zygote is this same program executed again with the libraries loaded; it
 * starts with extractor_new(), is started again when it dies, and ends when
 * this process does. Plain bytes live in memory only (keep swap off or
 * encrypted).
 *
 * It knows bytes and media types; not documents, users, keys or the index.
 *
 * Threads: one struct extractor serves one job of one thread at a time; make
 *          several for parallel work. Processes are made by posix_spawn and
 *          every descriptor is close-on-exec, so threads do not disturb.
 */
#ifndef ARKKI_INDEX_EXTRACT_H
#define ARKKI_INDEX_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { EXTRACT_REASON_SIZE = 160, EXTRACT_TITLE_SIZE = 256 };

/* Two kinds of extractor, each with a zygote of its own: what OCR needs in memory (70 MB of models) and
 * in time, ordinary texts shall not wait for. */
enum extract_kind {
	EXTRACT_TEXT, /* the text layer: libraries in the process, and helper programs for old formats */
	EXTRACT_OCR, /* one page of a PDF or an image, by its picture */
};

/* Zero means the default. */
struct extract_config {
	enum extract_kind kind;
	const char *program;   /* whose main() calls extract_child_main(); NULL: /proc/self/exe */
	unsigned int wall_ms;  /* for one document; 20,000 (OCR, one page: 90,000) */
	unsigned int cpu_s;    /* processor time; wall time rounded up, and 1 s (OCR: 60) */
	uint64_t memory_limit; /* address space of a decoder, its input included; 1 GiB (OCR: 2) */
	uint64_t input_limit;  /* larger documents are not read; 256 MiB */
	uint64_t text_limit;   /* text beyond it is left out; 64 MiB (OCR: 1) */
};

enum extract_outcome {
	/* Text was taken; `reason` may hold a remark ("only the first 64 MiB …"). Also where the decoder crashed or ran
	 * into a limit after it had given fair text: "only a part was read: took longer than 20 s"; then the title is
	 * missing, and the last page perhaps incomplete. Never so of a picture, of an extractor that was interrupted, or
	 * where the decoder tried what it may not. */
	EXTRACT_READY,
	EXTRACT_NONE, /* no text; `reason` says why, for a reader of the archive */
};

struct extract_result {
	enum extract_outcome outcome;
	char reason
	    [EXTRACT_REASON_SIZE]; /* a clause without a full stop, never bytes of the document */
	/* UTF-8 without control characters other than \n and \f: lines end with \n, paragraphs are
	 * separated by one blank line, pages by \f (so pages - 1 of them). */
	struct buf text;
	uint32_t pages; /* 0: not a paged format */
	/* Pages (from 1, ascending) that have no text of their own but may show some: a scan. A document of
	 * scans alone is EXTRACT_READY with an empty text. NULL when there are none. */
	uint32_t *bare_pages;
	size_t bare_pages_len;
	/* EXTRACT_OCR only. Words with their places, a line each: "left top width height confidence word",
	 * in pixels of the upright page from its upper left corner, confidence 0–100; before them one line
	 * "page width height dpi rotation" (rotation: 0 90 180 270, how far the picture was turned clockwise). */
	struct buf words;
	unsigned int
	    known; /* per mille of its words (of three letters or more) that a dictionary knows */
	char title[EXTRACT_TITLE_SIZE]; /* what the document says its title is; may be empty */
};

struct extractor;
struct extract_job;

/* Starts the zygote, which proves in a trial child that the sandbox holds.
 * ARK_EIO when it does not (the text says what is missing): do not serve then.
 * On success *ret is the caller's, ended with extractor_free(). */
ARK_MUSTUSE int extractor_new(
    const struct extract_config *config, struct extractor **ret, struct ark_error *err);
void extractor_free(struct extractor *e);
/* From another thread: the job at hand ends within a second, with an outcome that says nothing of the document, and
 * so does every later one. For who ends and cannot wait for a page of OCR. */
void extractor_interrupt(struct extractor *e);
/* "seccomp, Landlock 7": what holds the decoders. Borrowed, lives as long as e. */
const char *extractor_sandbox(const struct extractor *e);

/* Whether it is worth feeding: false, with the reason that extract_finish() would give, when the
 * type is not read or the size is over the limit. Starts nothing. */
bool extract_reads(const struct extractor *e, const char *media_type, uint64_t size,
    char reason[EXTRACT_REASON_SIZE]);

/* A job for `size` bytes of media_type (parameters allowed: "text/html; charset=…").
 * ARK_EINPUT when size is over the input limit. *ret is the caller's until
 * extract_finish() or extract_abort(). The extractor must outlive it. */
ARK_MUSTUSE int extract_begin(struct extractor *e, const char *media_type, uint64_t size,
    struct extract_job **ret, struct ark_error *err);
/* The next bytes. ARK_EINPUT when there are more than `size` in all. */
ARK_MUSTUSE int extract_feed(
    struct extract_job *job, const void *bytes, size_t len, struct ark_error *err);
/* Runs the decoder and ends the job, whatever is returned. A document that
 * cannot be read is no error: ARK_OK with EXTRACT_NONE. ret is filled on
 * ARK_OK only; end it with extract_result_free().
 * ARK_EINPUT: fewer bytes were fed than announced. ARK_EIO, ARK_ENOMEM: try again later. */
ARK_MUSTUSE int extract_finish(
    struct extract_job *job, struct extract_result *ret, struct ark_error *err);
/* EXTRACT_OCR: the page to read, from 1 (the default); before extract_finish(). */
void extract_page(struct extract_job *job, uint32_t page);
void extract_abort(struct extract_job *job);        /* NULL is fine */
void extract_result_free(struct extract_result *r); /* what it holds, wiped; not the struct */

/* main() of a program that makes extractors hands over here, before anything
 * else, when argv[1] is EXTRACT_CHILD_COMMAND, and exits with the return value. */
#define EXTRACT_CHILD_COMMAND "extract-zygote"
int extract_child_main(int argc, char **argv);

#endif
