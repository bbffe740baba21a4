/* The leak test of a public rendition: does anything that was taken out of the original still stand in the file?
 *
 *   original ──words──┐
 *                     ├─ removed words ──looked for in──▶ text layer, metadata, notes, attachments, file name,
 *   rendition ─seen───┘                                   every earlier revision inside the PDF, and what OCR reads in
 *                                                         the pictures of its pages, under boxes too
 *
 * Only bytes and texts; who may see the answer is for the caller to decide: its examples are words of the original.
 *
 * Threads: any; slow (seconds), so a job's. Plain bytes go to the extraction's sandbox and nowhere else.
 */
#ifndef ARKKI_API_LEAK_H
#define ARKKI_API_LEAK_H

#include <jansson.h>

#include "arkki/base/buf.h"
#include "arkki/index/extract.h"

enum { LEAK_FILE_MAX = 64 << 20, LEAK_REVISIONS_MAX = 20 };
/* Pages of which pictures are read, and how long all that may take: no page is begun later. */
enum { LEAK_PICTURES_MAX = 20, LEAK_PICTURES_MS = 120000, LEAK_PICTURE_MS = 60000 };

struct leak_ask {
	const char
	    *original; /* its text, its title and its file name, with a line end between them */
	size_t original_len;
	const char *bytes; /* of the rendition */
	size_t len;
	const char *media_type, *file_name; /* file_name may be NULL */
	/* For the extractor that reads pictures, begun where there are any; kind EXTRACT_OCR. NULL: none may be. */
	const struct extract_config *ocr;
};

/* The report:
 *   {"outcome":"clean"|"leaks"|"unknown","removed":N,"left":N,"reason":"…",
 *    "places":[{"where":"picture|text-layer|metadata|note|field|attachment|outline|file-name|revision|text","detail":"title"|"page 2"|
 *      "revision 1","words":N,"examples":["…"]}]}
 * "unknown" has a reason ("unreadable", "too-large", "fonts": words in a font that the file does not
 * bring along, so that nobody here can say whether they are covered; "pictures": not all pictures could be looked at, or not
 * well: OCR is not there, there are too many, or too few of their words are known). NULL and err without memory or sandbox. */
ARK_MUSTUSE int leak_check(
    struct extractor *e, const struct leak_ask *ask, json_t **ret, struct ark_error *err);
/* The reason of "unknown" where the original is closed to who asks: it is not looked at, as the number of its words in a
 * file would tell them, one guess at a time. */
#define LEAK_CLOSED "closed"
bool leak_clean(const json_t *report);

#endif
