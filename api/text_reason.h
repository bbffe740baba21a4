/* Why a document has no text, or not all of it, in the reader's language.
 *
 * What is stored is a clause in English, or several with "; " between them, written by the extractor and the OCR queue:
 * stable, so that texts can be counted, listed and tried again by it. People see it through here. The table is
 * api/text_reasons.def; a clause that is not in it, as of a later or earlier arkki, is shown as it is stored.
 *
 * A client of the API that names no language gets the stored clause.
 *
 * Pure but for what an exchange says. Threads: any.
 */
#ifndef ARKKI_API_TEXT_REASON_H
#define ARKKI_API_TEXT_REASON_H

#include "arkki/api/http.h"
#include "arkki/base/buf.h"

enum { TEXT_REASON_SIZE = 640 };

/* The clause in that language; what does not fit is left out. False: a part of it is as it was stored, in
 * English. clause may be NULL: "". */
bool text_reason_say(enum http_language language, const char *clause, char out[TEXT_REASON_SIZE]);
/* For an answer of the API: NULL for NULL, else `out`, or the clause itself where the client named no language. */
const char *text_reason_for(
    const struct exchange *x, const char *clause, char out[TEXT_REASON_SIZE]);

#endif
