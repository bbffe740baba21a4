/* Handlers of documents: reading (documents.c) and filing (filing_api.c).
 * content_get() serves the pages too: {d} and {n} are the first two parameters. */
#ifndef ARKKI_API_DOCUMENTS_H
#define ARKKI_API_DOCUMENTS_H

#include "api/app.h"

/* ---- what pages share with the API ---- */

/* Finds the version (0: the newest) of {d} that the caller may read, for the purpose that the session keeps where none is
 * stated (purpose_kept.h). False: a 404 is replied and logged, or
 * the error or a malformed purpose is answered. */
bool document_found(struct exchange *x, struct visit *v, const char *kind, uint32_t version);
/* The same of version {n}; one that is no number is not found. */
bool document_version_found(struct exchange *x, struct visit *v, const char *kind);

/* The card of what is shown of the row: when it is not whole, its fields and facts are those that go with
 * the public rendition (the title masked), and nothing else is in it. */
ARK_MUSTUSE int shown_card(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct card *ret, struct ark_error *err);
/* The version of that card alone. */
ARK_MUSTUSE int shown_version(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, json_t **ret, struct ark_error *err);
/* "pending" "ready" "none" of the text in the shown form; *ret_reason may become NULL. */
const char *shown_text_state(const struct catalogue_row *row, const char **ret_reason);

/* Rows gathered for one answer; belongs to the visit, as its `more`. */
struct listing {
	struct exchange *x;
	struct visit *v;
	struct catalogue_row *rows;
	size_t n, cap;
};
/* NULL: a 503 is replied. */
struct listing *listing_new(struct exchange *x, struct visit *v);
/* For who puts something of its own in the visit's `more`, and keeps the listing in it. */
void listing_free(void *listing);
/* Adds a copy of the row: as catalogue_each, arg is the listing. ARK_ENOMEM. */
int listing_keep(void *arg, const struct catalogue_row *row);
/* Fills l with the versions that the caller may read, oldest first. */
ARK_MUSTUSE int listing_versions(
    struct visit *v, const char *document, struct listing *l, struct ark_error *err);

/* Adds the other documents of the case of v->row, newest first, of which the caller sees all; none to who does not see the row whole. */
ARK_MUSTUSE int listing_beside(
    struct visit *v, struct listing *l, unsigned int limit, struct ark_error *err);

/* The versions of {d} that the caller may read, oldest first, as the visit's `more`. NULL: everything is replied. */
struct listing *listing_found(struct exchange *x);
/* These, logged as a list, for show(); what fails is replied. */
void gather_versions(struct exchange *x, void (*show)(struct exchange *x));

/* Reads type, from, to, limit and cursor. False: 400 is replied. */
bool listing_query(struct exchange *x, struct catalogue_list *list);
/* A page of documents: reads what listing_query() reads into the list, finds, logs one list entry and one
 * for each document shown, then calls show(), for which the listing is the visit's `more` (one row more than the
 * limit tells of a next page: listing_next()). Everything that fails is replied. */
void listing_show(
    struct exchange *x, struct catalogue_list *list, void (*show)(struct exchange *x));
/* The meta of one of its renditions, withdrawn ones too, for who sees the version whole now and might have read the document
 * at time_us, when it was filed; else *ret is NULL. */
ARK_MUSTUSE int rendition_then(struct visit *v, uint32_t version, uint32_t number, int64_t time_us,
    json_t **ret, struct ark_error *err);
/* The cursor of the next page, when there is one. */
void listing_next(const struct listing *l, unsigned int limit, struct buf *next);

/* ---- handlers ---- */

/* Whether a browser may show bytes of this type: PDF, plain text and pictures that hold no program. */
bool content_inline(const char *media_type);

void documents_get(struct exchange *x);
void documents_list(struct exchange *x);
/* The documents of a unit or a case (NULL: any) that the caller may see. */
void documents_list_for(struct exchange *x, const char *unit, const char *case_id);
void versions_get(struct exchange *x);
void versions_get_one(struct exchange *x);
void content_get(struct exchange *x);
void text_get(struct exchange *x);
void rendition_get(struct exchange *x);
void rendition_text_get(struct exchange *x);
void proof_get(struct exchange *x);
void history_get(struct exchange *x);
/* Opens v->row under v->receipt and replies with it. */
void reply_document(struct exchange *x, struct visit *v, int status);
/* The same with a card at hand: what the caller has just filed is not read again. */
void reply_card(struct exchange *x, struct visit *v, int status, const struct card *card);

void documents_post_begin(struct exchange *x);
void versions_post_begin(struct exchange *x);
void filing_body(struct exchange *x, const char *bytes, size_t len);
void filing_finish(struct exchange *x);
void documents_patch(struct exchange *x);

/* renditions.c */
void rendition_put_begin(struct exchange *x);
void rendition_body(struct exchange *x, const char *bytes, size_t len);
void rendition_finish(struct exchange *x);
void rendition_delete(struct exchange *x);
/* leak_api.c */
void rendition_check(struct exchange *x);

/* ---- what documents.c and renditions.c share ---- */

/* The public rendition of version {n} of {d}, of which the caller sees something. False: 404 was logged and replied. */
bool rendition_found(struct exchange *x, struct visit *v, const char *kind);
void tag_rendition(const struct app *app, const struct catalogue_row *row, char out[TAG_SIZE]);

#endif
