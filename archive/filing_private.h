/* What the files of a filing share: filing.c (the story of a group), filing_queue.c (who waits, and the writer's thread),
 * filing_json.c (what is sealed), filing_rendition.c (public renditions). */
#ifndef ARKKI_ARCHIVE_FILING_PRIVATE_H
#define ARKKI_ARCHIVE_FILING_PRIVATE_H

#include "archive/archive_private.h"
#include "archive/facts.h"

/* ---- filing.c ---- */
/* What one group needs while it is made; one is used for one group after another. */
struct group;
struct group *filing_group_new(void); /* NULL: no memory */
void filing_group_free(struct group *g);
/* The story, of at most FILING_GROUP_MAX filings: afterwards each has its status; their done() is the caller's to call. */
void filing_group_file(struct archive *a, struct group *g, struct filing *const *filings, size_t n);

static inline void filing_give_up(struct filing *f, int status, const struct ark_error *err)
{
	f->status = status;
	f->error = *err;
}

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
