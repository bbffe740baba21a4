/* Pages under /{l}: /audit…: the view of auditors.
 *
 * The Ombudsman's auditors see all of it, an authority's what concerns their own organisation; to everybody else each of
 * them answers as an address that is none of ours. What they show comes from the functions that answer the API; a look
 * is logged by them.
 */
#ifndef ARKKI_API_PAGES_AUDIT_H
#define ARKKI_API_PAGES_AUDIT_H

#include "api/audit_view.h"
#include "api/exports.h"
#include "api/handlers.h"
#include "api/pages/forms.h"
#include "api/pages/pages.h"

#define PAGES_AUDIT(l)                                                                             \
	GET_WITH("/" l "/audit", ROUTE_PAGE, page_audit),                                          \
	    GET_WITH("/" l "/audit/readers", ROUTE_PAGE, page_audit_readers),                      \
	    GET_WITH("/" l "/audit/past", ROUTE_PAGE, page_audit_past),                            \
	    GET_WITH("/" l "/audit/past/replay", ROUTE_PAGE, page_audit_replay),                   \
	    GET_WITH("/" l "/audit/past/subject", ROUTE_PAGE, page_audit_subject),                 \
	    GET_WITH("/" l "/audit/integrity", ROUTE_PAGE, page_audit_integrity),                  \
	    GET_WITH("/" l "/audit/export", ROUTE_PAGE, page_audit_export),                        \
	    FORM("/" l "/audit/export", page_audit_export_post),                                   \
	    GET_WITH("/" l "/audit/export/{e}/package", ROUTE_PAGE, page_audit_package),           \
	    GET_WITH("/" l "/audit/emergency", ROUTE_PAGE, page_audit_emergency),                  \
	    FORM("/" l "/audit/emergency/{i}", page_audit_emergency_post),

void page_audit(struct exchange *x);
void page_audit_readers(struct exchange *x);
void page_audit_past(struct exchange *x);
void page_audit_replay(struct exchange *x);
void page_audit_subject(struct exchange *x);
void page_audit_integrity(struct exchange *x);
void page_audit_export(struct exchange *x);
void page_audit_export_post(struct exchange *x);
void page_audit_package(struct exchange *x);
void page_audit_emergency(struct exchange *x);
void page_audit_emergency_post(struct exchange *x);

/* ---- audit_frame.c: what the pages of auditors share ---- */

/* May the caller see this page? all: it is the Ombudsman's auditors'. False: replied. */
bool audit_permitted(struct exchange *x, bool all);
/* page_begin(), the heading, the way to the other pages, and that looking is logged. path: of this page: "/audit". */
void audit_begin(
    struct page *p, struct exchange *x, enum say title, const char *path, const struct faults *f);
/* What a log calls a kind of act, an outcome, in words; NULL: no word for it. */
const char *audit_kind_said(const struct page *p, const char *kind);
const char *audit_outcome_said(const struct page *p, const char *outcome);
/* <option>s of all of them. */
void audit_kind_options(struct page *p, const char *chosen);
void audit_outcome_options(struct page *p, const char *chosen);
/* A text field of a form that is sent by GET. type: "text". value may be NULL. */
void audit_field(struct page *p, const char *name, enum say label, enum say help, const char *value,
    const struct faults *f);

/* ---- audit_typed.c: what was typed, as the log has it ---- */

/* The id of a record: typed as its id or its name (a case: its diary number). false: a fault was added; "" where nothing
 * was typed. */
bool audit_record_typed(
    struct exchange *x, const char *name, const char *kind, char ret[65], struct faults *f);
/* A document's id, or an address with one in it. */
bool audit_document_typed(struct exchange *x, const char *name, char ret[33], struct faults *f);
/* Midnight of a typed day in Finland, or of the day after it; 0 where nothing was typed. */
bool audit_day_typed(
    struct exchange *x, const char *name, bool after, int64_t *ret, struct faults *f);
/* The minute of a day that was typed ("14.30"): the end of it; the end of the day without it. */
bool audit_minute_typed(
    struct exchange *x, const char *day, const char *minute, int64_t *ret, struct faults *f);

/* ---- audit_titles.c: titles of documents that stand in entries ---- */

struct audit_titles {
	struct catalogue_row *rows;
	uint64_t (*of)
	    [2]; /* how many entries each had before its title was logged; [1]: the Ombudsman's own */
	size_t n, cap;
};
/* Adds the document where the caller sees it, once. */
ARK_MUSTUSE int audit_titles_add(
    struct visit *v, struct audit_titles *t, const char *document, struct ark_error *err);
/* Logs that they are shown, then goes on. */
void audit_titles_log(
    struct exchange *x, const struct audit_titles *t, void (*then)(struct exchange *x));
/* The document as a link with its title, or its id. */
void audit_title_write(struct page *p, const struct audit_titles *t, const char *document);
/* How many entries the document has in its series, without those that this answer wrote; 0: not known. */
uint64_t audit_titles_of(
    const struct page *p, const struct audit_titles *t, const char *document, bool own);
void audit_titles_free(struct audit_titles *t);

/* ---- audit_checks.c: what checks of everything found (verified_last()) ---- */

/* The verdict, what to do, the last full and the last light check. */
void audit_checks_write(struct page *p, const json_t *checks);
/* One check's heading and last result. */
void audit_check_write(struct page *p, const json_t *check, enum say title);

/* ---- audit_entries.c: the table ---- */

void audit_entries_write(struct page *p, const json_t *answer, const struct audit_titles *t);

#endif
