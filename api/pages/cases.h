/* Pages under /{l}: /cases… /orders… and the orders of a document.
 *
 *   cases_list.c    the cases that the caller may see
 *   cases_one.c     one: its way in words, its documents, its orders
 *   cases_steps.c   what its documents say of how far it is
 *   orders_list.c   orders, the overdue first
 *   orders_one.c    one, and what happened to it
 *   orders_forms.c  verifying it, letting it lapse, moving its deadline
 *   orders_enter.c  the orders of a document, and entering one
 *   orders_words.c  how they are said
 */
#ifndef ARKKI_API_PAGES_CASES_H
#define ARKKI_API_PAGES_CASES_H

#include "api/orders_private.h"
#include "api/pages/forms.h"
#include "api/pages/pages.h"

#define PAGES_CASES(l)                                                                             \
	GET_WITH("/" l "/cases", ROUTE_PAGE, page_cases),                                          \
	    GET_WITH("/" l "/cases/{c}", ROUTE_PAGE, page_case),                                   \
	    GET_WITH("/" l "/orders", ROUTE_PAGE, page_orders),                                    \
	    GET_WITH("/" l "/orders/{o}", ROUTE_PAGE, page_order),                                 \
	    {.method = "POST",                                                                     \
		.pattern = "/" l "/orders/{o}",                                                    \
		.takes = HTTP_BODY_WHOLE,                                                          \
		.flags = ROUTE_PAGE,                                                               \
		.body_max = 64 << 10,                                                              \
		.repeat = order_form_repeats,                                                      \
		.finish = page_order_post},                                                        \
	    GET_WITH("/" l "/documents/{d}/orders", ROUTE_PAGE, page_document_orders),             \
	    FORM("/" l "/documents/{d}/orders", page_document_orders_post),

extern const char *const order_form_repeats[];
void page_cases(struct exchange *x);
void page_case(struct exchange *x);
void page_orders(struct exchange *x);
void page_order(struct exchange *x);
void page_order_post(struct exchange *x);
void page_document_orders(struct exchange *x);
void page_document_orders_post(struct exchange *x);

/* ---- orders_words.c ---- */

enum say order_said(const json_t *order); /* its state; "overdue" goes before "open" */
void order_tag_write(struct page *p, const json_t *order);
/* The name of a matter, also of a shipped one. */
void matter_add(const struct page *p, struct buf *out, const char *id);
/* "Medication: time number 3, first on 1.10.2022", where it is not the first: a <p>. */
void order_again(struct page *p, const json_t *order);
/* <li> of a list of orders: its text, state, deadline, units, and its document by its title. */
ARK_MUSTUSE int order_item(
    struct page *p, const struct orders_page *page, const json_t *order, struct ark_error *err);
/* The title of a document of the page, as a link; nothing where it has no row. */
ARK_MUSTUSE int order_document_link(
    struct page *p, const struct orders_page *page, const char *document, struct ark_error *err);
/* Begins of a text, whole characters, with "…" where it is cut. */
void excerpt_add(struct buf *out, const char *text, size_t bytes);
/* Lines of text to write: like form_input(). */
void form_lines(struct page *p, const struct form_input *in, const struct faults *f);
/* <label> and <select> with a first choice for "any"; options by choice_add(), closed by choice_end(). */
void choice_begin(struct page *p, const char *name, enum say label, enum say help, enum say any);
void choice_add(struct page *p, const char *value, const char *text, const char *chosen);
void choice_end(struct page *p);
/* One choice for each record of a kind of the registry, by name. */
void choice_records(struct page *p, const char *kind, const char *chosen);
/* Links to the pages before and after; `base` is the address with its query, without "page". */
void pages_turn(struct page *p, const struct buf *base, size_t page, bool more);
/* ?page=N, from 1; 1 when it is none. */
size_t page_number(const struct exchange *x);

/* ---- cases_steps.c ---- */

struct case_document { /* in order of date */
	const struct catalogue_row *row;
	struct card card;
};
/* Its way as steps, and who has it next. */
void case_steps(struct page *p, const json_t *record, const struct case_document *documents,
    size_t n, const json_t *orders);
enum say case_state_said(const json_t *record);

/* ---- orders_forms.c ---- */

struct order_typed {     /* borrowed from the exchange, or "" */
	const char *act; /* "verify" "lapse" "reopen" "move" "" */
	char reason[2 * ORDER_TEXT_MAX], day[16], other[400];
	json_t *evidence; /* of the choices; NULL: none */
};
void order_typed_read(struct exchange *x, struct order_typed *ret);
/* The forms for those who may change it. */
ARK_MUSTUSE int order_forms(struct page *p, const struct orders_page *page, const json_t *order,
    const json_t *record, const struct order_typed *t, const struct faults *f,
    struct ark_error *err);
/* The change that was typed; NULL with faults where it cannot be one. */
json_t *order_typed_body(struct exchange *x, const struct order_typed *t, struct faults *f);
/* What order_change() did not like. */
void order_faults_say(struct exchange *x, const json_t *faults, struct faults *f);

#endif
