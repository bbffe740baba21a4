/* What the files of orders share, and what their pages take from them.
 *
 *   orders.c         which there are for the caller, and how they are answered
 *   orders_again.c   recurrence: the same matter at the same unit
 *   orders_show.c    a page of them: logged, then shown
 *   orders_check.c   what may be asked of a new one and of a change
 *   orders_change.c  new ones and changes
 *   matters.c        what orders are about
 *   orders_api.c     /v1/orders
 *
 * A record holds, beside what orders.h lists: "author" and "date" of its document when it was made, and "revision", its own
 * number, so that the record in hand says by itself what a change builds on.
 */
#ifndef ARKKI_API_ORDERS_PRIVATE_H
#define ARKKI_API_ORDERS_PRIVATE_H

#include "api/orders.h"

#define ORDERS_KIND "orders" /* of their records */
enum { ORDERS_PAGE = 100, ORDER_EVIDENCE_MAX = 50, ORDER_TEXT_MAX = 4000, ORDER_LINE_MAX = 500 };

/* ---- orders.c ---- */

/* With whose eyes, for one request; orders_eyes_end() always. */
struct orders_eyes {
	struct app *app;
	struct access_sight *sight;
	struct desk *desk;
	json_t *known; /* "document version" -> whole or not */
	char today[11];
};
ARK_MUSTUSE int orders_eyes_begin(
    const struct exchange *x, struct orders_eyes *e, struct ark_error *err);
void orders_eyes_end(struct orders_eyes *e);
/* Does the caller see the order, i.e. its document whole? */
ARK_MUSTUSE int order_seen(
    struct orders_eyes *e, const json_t *order, bool *ret, struct ark_error *err);
/* Does the caller see anything of the document? */
ARK_MUSTUSE int order_evidence_seen(
    struct orders_eyes *e, const char *document, bool *ret, struct ark_error *err);
/* As it is answered, but for "recurrence". */
ARK_MUSTUSE int order_shown(
    struct orders_eyes *e, const json_t *order, json_t **ret, struct ark_error *err);
/* Of the records that are asked for, in the order of orders_find(), those that `pick` takes, as they are answered. It is asked twice of each:
 * ORDER_PASS, before anybody looks whether the caller sees it (false: passed over), and ORDER_SEEN when so (true: taken). It
 * ends the walk by *go_on, after this one. What it counts it may count of seen ones alone. pick NULL: all. */
enum order_step { ORDER_PASS, ORDER_SEEN };
typedef bool orders_picker(
    void *arg, const json_t *order, enum order_step step, bool late, bool *go_on);
ARK_MUSTUSE int orders_pick(struct exchange *x, const struct orders_asked *asked,
    orders_picker *pick, void *arg, json_t **ret, struct ark_error *err);
/* The order {o} as answered and as filed (ret_record may be NULL); both the caller's. ARK_ENOTFOUND: there is none for
 * the caller; *ret_record is then the one that is hidden, or NULL. */
ARK_MUSTUSE int order_find(
    struct exchange *x, const char *id, json_t **ret, json_t **ret_record, struct ark_error *err);

/* ---- orders_again.c ---- */

/* Sets "recurrence" of orders as answered: {"count","since"}, how many times up to this one the matter was
 * ordered at its unit, or those that it follows, as far as the caller sees; null without a matter. */
ARK_MUSTUSE int orders_recurrence(struct orders_eyes *e, json_t *orders, struct ark_error *err);

/* ---- orders_show.c ---- */

struct orders_page {             /* the visit's `more` */
	json_t *orders;          /* as answered */
	struct listing *listing; /* rows of their documents, and of the evidence */
	struct buf next;         /* cursor; data NULL: none */
	void (*show)(struct exchange *x, const struct orders_page *page);
	void *own; /* of the page's maker, and how it ends */
	void (*own_free)(void *own);
};
/* Logs one `list` entry and one `shown` entry for each document of the listing, then calls show(). gather (or NULL)
 * adds rows of its own by listing_keep_once(). Takes orders; next (its bytes are taken) may be NULL. *own goes with the page in either case. Failures are replied. */
typedef int orders_gather(struct visit *v, struct listing *l, void *own, struct ark_error *err);
void orders_show(struct exchange *x, json_t *orders, struct buf *next, orders_gather *gather,
    void (*show)(struct exchange *x, const struct orders_page *page), void *own,
    void (*own_free)(void *own));
/* Finds and cuts one page: `cursor` may be NULL. *ret and *ret_next are the caller's. ARK_EINPUT: a bad cursor. */
ARK_MUSTUSE int orders_cut(struct exchange *x, const struct orders_asked *asked, const char *cursor,
    unsigned int limit, json_t **ret, struct buf *ret_next, struct ark_error *err);
/* As listing_keep(), for a document that has no row yet. */
int listing_keep_once(void *arg, const struct catalogue_row *row);
/* The row of a document in the page; NULL: none. */
const struct catalogue_row *orders_row(const struct orders_page *page, const char *document);

/* ---- orders_check.c: an array of {"field","code","detail"}, empty when all is well; NULL: no memory ---- */

json_t *order_faults_new(struct exchange *x, const json_t *body, const json_t *fields);
json_t *order_faults_change(struct exchange *x, const json_t *body, const json_t *order);

/* ---- orders_change.c: once the document is in the visit's row, whole, and logged ---- */

/* May the caller make and change orders of the document in the visit's row? */
ARK_MUSTUSE int orders_may(struct visit *v, bool *ret, struct ark_error *err);
/* Makes an order out of the visit's row. ARK_EINPUT with *ret_faults, or ARK_EREFUSED: not the caller's to do. *ret is the
 * record, the caller's. */
ARK_MUSTUSE int order_make(struct exchange *x, const json_t *body, json_t **ret_faults,
    json_t **ret, struct ark_error *err);
/* Changes it by what stands in body; ARK_ECONFLICT: somebody else was first. */
ARK_MUSTUSE int order_change(struct exchange *x, const json_t *order, const json_t *body,
    json_t **ret_faults, json_t **ret, struct ark_error *err);
/* The way of an order: [{"time","by","org","reason","state","deadline"}], oldest first; opened under the visit's
 * receipt. */
ARK_MUSTUSE int order_way(
    struct visit *v, const json_t *order, json_t **ret, struct ark_error *err);
void order_tag(const struct app *app, const json_t *order, char out[TAG_SIZE]);

/* ---- orders_api.c ---- */

/* 404, logged; record: the one that is hidden, or NULL. */
void order_not_found(struct exchange *x, const json_t *record);

/* ---- matters.c ---- */

/* {"id","name":{fi,sv,en}} of each, in order of id: a fresh array. NULL: no memory. */
json_t *matters_all(struct registry *r);
bool matter_known(struct registry *r, const char *id);
void matters_list(struct exchange *x);

#endif
