/* Pages under /{l}/file: from a file to a filed document.
 *
 *   /file                 the unit and the case; what was begun and not filed
 *   /file/new             the file or files
 *   /file/{i}             what it is: every submit is kept in the upload's draft, so nothing that was typed is lost
 *   /file/{i}/check       the answers once more; filed from there, once
 *   /file/{i}/leak        of a public rendition: what of the removed words still stands in it
 *   /file/{i}/receipt     what it became
 *   /file/many            several files: common fields once, a result for each
 *
 * The draft (uploads.h): {"for":{"unit","case","document","rendition"}, "typed":{field:text}, "base":{"version","metadata","fields"},
 *   "proposals":[…], "noText":"…", "batch":"…", "leak":{…}, "saved":N}
 * `saved` counts how often it was kept; a form says which it was made of, so that of two tabs the later one is told, with what the
 * other kept beside what it has itself, instead of writing over it.
 */
#ifndef ARKKI_API_PAGES_FILING_H
#define ARKKI_API_PAGES_FILING_H

#include "api/pages/forms.h"
#include "api/pages/pages.h"
#include "api/uploads.h"
#include "arkki/archive/reading.h"

#define FILING_FORM(path_, handler, repeat_)                                                       \
	{                                                                                          \
		.method = "POST", .pattern = path_, .takes = HTTP_BODY_WHOLE, .flags = ROUTE_PAGE, \
		.body_max = 256 << 10, .repeat = repeat_, .finish = handler                        \
	}

#define PAGES_FILING(l)                                                                            \
	{.method = "GET", .pattern = "/" l "/file", .flags = ROUTE_PAGE, .finish = page_file},     \
	    {.method = "GET",                                                                      \
		.pattern = "/" l "/file/new",                                                      \
		.flags = ROUTE_PAGE,                                                               \
		.finish = page_file_new},                                                          \
	    {.method = "POST",                                                                     \
		.pattern = "/" l "/file/new",                                                      \
		.takes = HTTP_BODY_STREAM,                                                         \
		.flags = ROUTE_PAGE,                                                               \
		.begin = page_file_take_begin,                                                     \
		.body = page_file_take_body,                                                       \
		.finish = page_file_take_finish},                                                  \
	    {.method = "GET",                                                                      \
		.pattern = "/" l "/file/many",                                                     \
		.flags = ROUTE_PAGE,                                                               \
		.repeat = filing_repeat,                                                           \
		.finish = page_file_many},                                                         \
	    FILING_FORM("/" l "/file/many", page_file_many_post, filing_repeat),                   \
	    {.method = "GET",                                                                      \
		.pattern = "/" l "/file/{i}",                                                      \
		.flags = ROUTE_PAGE,                                                               \
		.finish = page_file_one},                                                          \
	    FILING_FORM("/" l "/file/{i}", page_file_one_post, filing_repeat),                     \
	    {.method = "GET",                                                                      \
		.pattern = "/" l "/file/{i}/check",                                                \
		.flags = ROUTE_PAGE,                                                               \
		.finish = page_file_check},                                                        \
	    {.method = "GET",                                                                      \
		.pattern = "/" l "/file/{i}/receipt",                                              \
		.flags = ROUTE_PAGE,                                                               \
		.finish = page_file_receipt},                                                      \
	    FILING_FORM("/" l "/file/{i}/send", page_file_send, NULL),                             \
	    FILING_FORM("/" l "/file/{i}/remove", page_file_remove, NULL),

extern const char *const filing_repeat[];

void page_file(struct exchange *x);
void page_file_new(struct exchange *x);
void page_file_take_begin(struct exchange *x);
void page_file_take_body(struct exchange *x, const char *bytes, size_t len);
void page_file_take_finish(struct exchange *x);
void page_file_one(struct exchange *x);
void page_file_one_post(struct exchange *x);
void page_file_check(struct exchange *x);
void page_file_send(struct exchange *x);
void page_file_receipt(struct exchange *x);
void page_file_remove(struct exchange *x);
void page_file_many(struct exchange *x);
void page_file_many_post(struct exchange *x);

/* ---- filing_sheet.c: one upload, its draft, and the document that it adds to ---- */

enum sheet_kind { SHEET_NEW, SHEET_VERSION, SHEET_RENDITION };

struct sheet { /* the visit's `more` */
	struct upload_state u;
	enum sheet_kind kind;
	struct card
	    card; /* of the version that it builds on or is a rendition of; empty: a new document */
	bool moved; /* somebody filed in between: card and row are newer than the draft's base */
	bool content_open; /* of a rendition: the caller may have the original's text */
	struct faults f;
	json_t *theirs; /* what was kept elsewhere since this page was shown; NULL: nothing was */
	struct catalogue_row *same; /* documents with the same bytes that the caller may see */
	size_t same_len;
	void (*then)(struct exchange *x, struct sheet *s);
};

/* Does this account file at all? */
bool filing_may(const struct caller *c);
/* The same; else a page that says so is replied. */
bool filing_allowed(struct exchange *x);
/* Finds {i} among the caller's uploads; of a version or a rendition the document too, and logs the look at it. A filed
 * upload: the receipt is replied. What fails is replied. */
void sheet_open(struct exchange *x, void (*then)(struct exchange *x, struct sheet *s));
/* Sets these members (taken over) in the draft that is kept. False: replied. */
bool sheet_note(struct exchange *x, struct sheet *s, json_t *members);
/* "/fi/file/<id><more>" */
void sheet_path(struct exchange *x, const char *id, const char *more, struct buf *out);
void sheet_go(struct exchange *x, const char *id, const char *more);
/* A page that says what is wrong, with a way back to the upload. */
void sheet_failed(struct exchange *x, const char *id, int status, const char *message);

/* ---- filing_draft.c ---- */

/* "" where nothing was typed. */
const char *draft_typed(const json_t *draft, const char *field);
void draft_set(json_t *draft, const char *field, const char *text);
/* "unit" "case" "document"; "" otherwise. */
const char *draft_for(const json_t *draft, const char *what);
uint32_t draft_rendition(const json_t *draft);
/* Makes the draft of an upload that has none: what it is for, from these texts (NULL or "": not said). */
void draft_begin(json_t *draft, const char *unit, const char *case_id, const char *document,
    const char *rendition);
/* Fills what is typed from the metadata of a document, and keeps it as the base. */
void draft_from_card(json_t *draft, const struct catalogue_row *row, const struct card *card);
/* Takes the fields of the form that was sent. */
void draft_read(struct exchange *x, json_t *draft);
/* How often it was kept, for the form; then how often it was when the form was made: false where it was kept since. */
void draft_saved_field(struct page *p, const char *name, const json_t *draft);
bool draft_saved_same(struct exchange *x, const char *name, const json_t *draft);
void draft_saved_once_more(json_t *draft);
/* The contract's metadata of what was typed; the reference is the caller's. NULL: no memory. */
json_t *draft_metadata(struct exchange *x, const json_t *draft);
/* What is wrong in it; on success *ret_fields (may be NULL) is its normal form. */
bool draft_check(struct exchange *x, const json_t *draft, const json_t *base, struct faults *f,
    json_t **ret_fields);
/* The id of the case with this number or id that the caller may see; "" otherwise. */
void case_by_number(struct exchange *x, const char *number, char ret[65]);

/* ---- filing_fields.c: the fields of the page ---- */

/* The n-th that the file's text proposes for a field ("diaryNumber" for the case), {"value","found"}; NULL: none. */
const json_t *draft_proposal(const json_t *draft, const char *field, unsigned int n);
/* A day as a person writes it; "" of another field. */
void draft_as_typed(const char *field, const char *value, char out[I18N_SIZE]);

void filing_fields(struct page *p, const struct sheet *s);
/* Where `theirs` differs from what is typed here. */
void filing_clash(struct page *p, const struct sheet *s);
/* Those that several files have in common. */
void filing_common(struct page *p, const struct sheet *s);
/* The same fields as answers, with a link to change each. */
void filing_answers(struct page *p, const struct sheet *s);

/* ---- filing_same.c ---- */

/* Documents that the caller may see and that have these bytes, into s->same; each look is logged. */
void sheet_same(
    struct exchange *x, struct sheet *s, void (*then)(struct exchange *x, struct sheet *s));
void same_report(struct page *p, const struct sheet *s);

/* ---- filing_text.c: the file's text ---- */

/* Asks the text of the file what it is, once, in a thread of its own; then goes on. */
void sheet_propose(
    struct exchange *x, struct sheet *s, void (*then)(struct exchange *x, struct sheet *s));
/* The leak test of a rendition, its report kept in the draft; then goes on. */
void sheet_leak(
    struct exchange *x, struct sheet *s, void (*then)(struct exchange *x, struct sheet *s));
void leak_report(struct page *p, const json_t *report, bool may_see);

#endif
