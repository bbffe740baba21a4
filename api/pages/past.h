/* Pages under /{l}: /documents/{d}/history, …/compare; and /documents/{d}?at=12.3.2026. */
#ifndef ARKKI_API_PAGES_PAST_H
#define ARKKI_API_PAGES_PAST_H

#include "api/pages/document.h"
#include "api/pages/forms.h"

#define PAGES_PAST(l)                                                                              \
	GET_WITH("/" l "/documents/{d}/history", ROUTE_PAGE, page_history),                        \
	    GET_WITH("/" l "/documents/{d}/compare", ROUTE_PAGE, page_compare),                    \
	    FORM("/" l "/documents/{d}/compare", page_compare_open),

/* ---- handlers ---- */
void page_history(struct exchange *x);
void page_compare(struct exchange *x);
/* The same for a reader who has stated a purpose and a case. */
void page_compare_open(struct exchange *x);
/* The document's page with ?at=: leads to the version of that day, or to the history page where the day is none. */
void page_as_of(struct exchange *x);

/* ---- for the document's page ---- */
/* That the version is that of the day asked for, where ?at= says so and it is true. */
void past_banner(struct page *p, const struct catalogue_row *row, const struct listing *versions);
/* The link to the history page. */
void past_link(struct page *p, const struct catalogue_row *row);

/* ---- what the pages of the past share ---- */
/* "/fi/documents/…/history" and what follows: replaces out. */
void past_path(const struct page *p, const char *document, const char *more, struct buf *out);
/* The table of [{"field","before","after"}]; the heads of its columns may be NULL: before, after. */
void past_changes(struct page *p, const json_t *changes, const char *before, const char *after);
/* What was written with a rendition; what the leak test said stands in it in one form, and is said in the reader's language.
 * text may be NULL. */
void past_rendition_reason(struct page *p, const char *text);
/* "title, date": in the middle of a sentence. */
void past_changed_names(const struct page *p, const json_t *changes, struct buf *out);
/* The document's title as a link to it, above the heading. */
void past_head(struct page *p, const struct catalogue_row *row, const char *title);
/* The choice of two versions; from and to: those that are chosen. */
void past_choice(struct page *p, const struct listing *l, uint32_t from, uint32_t to);
/* The form that asks for a day. */
void past_day(struct page *p, const char *document, const char *typed, const struct faults *f);

#endif
