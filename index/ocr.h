/* Text out of the picture of a page: scans, photographs, pages without a text layer.
 *
 * ocr_new() loads what tesseract and the dictionaries need; ocr_read() opens no file and starts no
 * thread, so that it works in the sandbox. Private to index/.
 *
 * How many of its words a dictionary knows says whether a page was read well: tesseract's own
 * confidence is 95 for noise.
 *
 * Threads: none; one page at a time.
 */
#ifndef ARKKI_INDEX_OCR_H
#define ARKKI_INDEX_OCR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "index/formats/format.h"

struct ocr;

/* NULL, with a reason, when a model or a dictionary is not there. */
struct ocr *ocr_new(char reason[160]);
void ocr_free(struct ocr *o); /* NULL is fine */

/* A PDF of which the pictures of a page are read where they lie, and nothing that is drawn over them or beside them: what a
 * black box covers is read. No document has this type. */
#define OCR_PDF_PICTURES "application/x-arkki-pdf-pictures"

/* Pictures and PDF, and OCR_PDF_PICTURES. Lower case, without parameters. */
bool ocr_reads(const char *media_type);

struct ocr_page {
	uint32_t number; /* which one, from 1 */
	/* the process may take so long: what cannot be read in time is left out of the text, so that it need
	 * not be killed */
	uint32_t cpu_s, wall_ms;
	struct buf words; /* as in struct extract_result; ended with buf_free() */
	unsigned int known;
};

/* FORMAT_OK with an empty text where there is none to read. */
enum format_outcome ocr_read(
    struct ocr *o, const struct format_input *in, struct ocr_page *page, struct textsink *out);

/* ---- ocr_picture.c ---- */
struct Pix;

/* The page as a grey picture of about 300 dpi, *ret_dpi of them; FORMAT_NONE with a reason in `out`.
 * *ret is ended with pixDestroy(). */
enum format_outcome ocr_picture(const struct format_input *in, uint32_t page, struct textsink *out,
    struct Pix **ret, int *ret_dpi);
void ocr_picture_warm(void);

/* ---- ocr_words.c ---- */
struct ocr_words;

struct ocr_words *ocr_words_new(char reason[160]);
void ocr_words_free(struct ocr_words *w); /* NULL is fine */
/* How many letters a word known to Finnish, Swedish or English has; 0: unknown, -1: fewer than three letters,
 * or the first part of a word that goes on in the next line. It may have punctuation around it. */
int ocr_words_knows(const struct ocr_words *w, const char *word, size_t len);

#endif
