/* What the files of a filing share: filing.c (the writer), filing_json.c (what is sealed),
 * filing_rendition.c (public renditions). */
#ifndef ARKKI_ARCHIVE_FILING_PRIVATE_H
#define ARKKI_ARCHIVE_FILING_PRIVATE_H

#include "archive/archive_private.h"
#include "archive/facts.h"

/* ---- filing_json.c: fresh objects, NULL: no memory. time: of the commit ---- */
json_t *filing_version_json(const struct filing *f, const char *time);
json_t *filing_metadata_json(const struct filing *f, const char *time, struct registry *registry);
json_t *filing_rendition_json(const struct filing *f, const char *time);
json_t *filing_record_json(const struct filing *f, const char *time);
/* Into how many blobs the content is cut; 0: it is one. */
uint32_t filing_chunks(const struct upload *u);

/* ---- filing_rendition.c ---- */
/* Gives the rendition its number. before: the rendition of the same version that this group files already, or NULL. */
ARK_MUSTUSE int filing_settle_rendition(
    struct archive *a, struct filing *f, const struct filing *before, struct ark_error *err);

#endif
