/* Memento (RFC 7089): a document and its bytes as of a time.
 *
 *   original resource   /v1/documents/{d}              /v1/documents/{d}/content
 *   timegate            /v1/documents/{d}/timegate     /v1/documents/{d}/content
 *   timemap             /v1/documents/{d}/timemap      /v1/documents/{d}/timemap?of=content
 *   memento             …/versions/{n}                 …/versions/{n}/content
 *
 * The document's timegate is a resource of its own (pattern 2.1 of the RFC), that of the bytes is the
 * original itself (pattern 1.1); both answer 302. A version's time is that of its filing; of one of which the
 * caller sees the public rendition alone, that of the rendition's, in its metadata form alone. Links are relative.
 *
 * A hidden version is no memento: everything is computed over what the caller sees.
 */
#ifndef ARKKI_API_MEMENTO_H
#define ARKKI_API_MEMENTO_H

#include "api/documents.h"

/* When what is shown of the row was filed. */
int64_t memento_time(const struct catalogue_row *row);
/* The version that was newest at that time, else the first there is. NULL: the list is empty. */
const struct catalogue_row *memento_at(const struct listing *l, int64_t time_us);

/* Headers of an answer that is a memento, or (documents) the original; nothing when its address is a page's. */
void memento_headers(struct exchange *x, const struct catalogue_row *row, bool content);
void memento_original(struct exchange *x, const struct catalogue_row *row);

/* handlers */
void documents_content(struct exchange *x);
void timegate_get(struct exchange *x);
void timemap_get(struct exchange *x);

#endif
