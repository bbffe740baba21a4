/* Visit packs: what a supervisor takes along to a unit, as a PDF to print or a ZIP of that and the original files.
 *
 * Its documents are chosen, and opened, by what the caller may see and read as the request states it; one `export`
 * entry for each is durable before a byte is sent. What is seen and not open is named as left out; what is not seen leaves no
 * trace. Originals go from the store into the ZIP unread; the PDF has the extracted text. Plain bytes are in memory only
 * (PDF and texts, within the limits below), the ZIP waits sealed (package.h) until the request ends.
 *
 * Threads: handlers'; the pack is made in a thread of its own, two at a time with the answers about the past.
 */
#ifndef ARKKI_API_PACK_H
#define ARKKI_API_PACK_H

#include "api/timeline.h"

enum {
	PACK_REPORTS = 5,
	PACK_DOCUMENTS_MAX = 40,
	PACK_EVENTS = 60,
	PACK_TEXT = 128 * 1024,          /* of one document, in the PDF */
	PACK_TEXTS = 512 * 1024,         /* of all */
	PACK_PDF_MAX = 32 * 1024 * 1024, /* bytes */
};
#define PACK_FILES_MAX (UINT64_C(128) << 20) /* bytes of originals in a ZIP */

enum pack_kind { PACK_PDF, PACK_ZIP };

/* In show() of timeline_show() for the unit: makes the pack, and replies. */
void pack_begin(struct exchange *x, const struct timeline *t, const char *unit, enum pack_kind kind,
    enum http_language language);
/* What pack_begin() wants shown. */
struct timeline_asked pack_asked(const char *unit);

/* handler: POST /v1/units/{u}/pack */
void units_pack(struct exchange *x);

#endif
