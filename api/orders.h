/* Orders: requirements (määräys, vaatimus) out of a document, each a record of kind "orders".
 *
 * An order:
 *   {"id","document","version","units":["koivula"],"case","text","language","ground","deadline":"2026-09-30",
 *    "state":"open|met|lapsed","evidence":["<document id>"],"verifiedBy","verifiedAt":"2026-10-02","matter":"staffing"}
 * Answers add "overdue": open and its deadline is past, in Helsinki; "author": the organisation of its document.
 * `matter` is a short code that a person gave, by which the same requirement is known again ("third time in four years").
 *
 * Who may see the document whole sees its orders; nobody else learns that there are any. Who may do
 * ACCESS_ORDER with the document makes and changes them: its organisation, or the one that followed it.
 * An order follows the unit across owners: what is asked of a unit is answered for its predecessors too.
 *
 * Threads: handlers' (http.h). Sources: DOMAIN.md "Order"; laki 741/2023.
 */
#ifndef ARKKI_API_ORDERS_H
#define ARKKI_API_ORDERS_H

#include "api/app.h"
#include "api/documents.h"

struct orders_asked {     /* borrowed; NULL: not asked for */
	const char *unit; /* and those that it follows (registry: "predecessors") */
	const char *document, *case_id;
	const char *author; /* organisation of the document, or one that it follows */
	const char *state;  /* "open" "met" "lapsed" "overdue" */
	const char *matter;
	const char *due_from, *due_to; /* deadlines, both inclusive */
	const char *county;            /* of one of its units, as the register has it now */
	bool alone; /* without "recurrence", for which all orders are gone through */
};

/* Fresh array of orders as /v1/orders answers them, by deadline (none last), then id: those whose document the caller sees
 * whole in this request's context. Nothing is logged: who shows them logs their documents (orders_rows). The caller's. */
ARK_MUSTUSE int orders_find(
    struct exchange *x, const struct orders_asked *asked, json_t **ret, struct ark_error *err);
/* Adds the rows of the documents of these orders to l, each once, not those that are in it already: for the log
 * and for titles. */
ARK_MUSTUSE int orders_rows(
    struct visit *v, const json_t *orders, struct listing *l, struct ark_error *err);

/* handlers: GET POST /v1/orders, GET PATCH /v1/orders/{o}, GET /v1/units/{u}/orders */
void orders_list(struct exchange *x);
void orders_post(struct exchange *x);
void orders_get(struct exchange *x);
void orders_patch(struct exchange *x);
void units_orders(struct exchange *x);

#endif
