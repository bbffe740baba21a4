/* The answer about a document written straight from the opened texts: the
 * same bytes as document_json() gives, without building values in between
 * (parsing and dumping were a third of the cost of a metadata read). */
#ifndef ARKKI_API_DOCUMENT_TEXT_H
#define ARKKI_API_DOCUMENT_TEXT_H

#include "arkki/api/http.h"
#include "arkki/archive/catalogue.h"
#include "arkki/base/buf.h"

/* metadata: text of the metadata record; version: of the version's meta. ARK_ECORRUPT when a member is missing. */
ARK_MUSTUSE int document_text(const struct exchange *x, const struct catalogue_row *row,
    const struct buf *metadata, const struct buf *version, struct buf *out, struct ark_error *err);

#endif
