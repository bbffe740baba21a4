/* A page of orders: what it shows of documents is logged first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/orders_private.h"
#include "arkki/base/json.h"

static void page_free(void *arg)
{
	struct orders_page *p = arg;

	if (p->own_free)
		p->own_free(p->own);
	json_decref(p->orders);
	if (p->listing)
		listing_free(p->listing);
	buf_free(&p->next);
	free(p);
}

const struct catalogue_row *orders_row(const struct orders_page *page, const char *document)
{
	const struct listing *l = page->listing;

	for (size_t i = 0; document && i < l->n; i++)
		if (strcmp(l->rows[i].document, document) == 0)
			return &l->rows[i];
	return NULL;
}

static void logged(struct exchange *x)
{
	const struct orders_page *p = visit_of(x)->more;

	p->show(x, p);
}

static void log_page(struct exchange *x, const struct orders_page *p)
{
	const struct listing *l = p->listing;
	struct ledger_record *records = calloc(l->n + 1, sizeof(*records));

	if (!records) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	records[0] = visit_record(visit_of(x), "list");
	for (size_t i = 0; i < l->n; i++) {
		records[i + 1] = visit_record(visit_of(x), "shown");
		records[i + 1].document = l->rows[i].document;
		records[i + 1].version = l->rows[i].version;
	}
	visit_log(x, records, l->n + 1, logged);
	free(records);
}

void orders_show(struct exchange *x, json_t *orders, struct buf *next, orders_gather *gather,
    void (*show)(struct exchange *x, const struct orders_page *page), void *own,
    void (*own_free)(void *own))
{
	struct visit *v = visit_of(x);
	struct orders_page *p = v ? calloc(1, sizeof(*p)) : NULL;
	struct ark_error err;

	if (!p) {
		json_decref(orders);
		if (next)
			buf_free(next);
		if (own_free)
			own_free(own);
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	*p = (struct orders_page){.orders = orders, .show = show, .own = own, .own_free = own_free};
	if (next) {
		p->next = *next;
		*next = (struct buf)BUF_INIT;
	}
	p->listing = listing_new(x, v);
	if (!p->listing) {
		page_free(p);
		return;
	}
	v->more = p;
	v->more_free = page_free;
	if (orders_rows(v, p->orders, p->listing, &err) ||
	    (gather && gather(v, p->listing, own, &err)))
		http_reply_error(x, &err);
	else
		log_page(x, p);
}

/* ---- one page of those that were found ---- */

static int after_of(
    struct exchange *x, const char *cursor, char deadline[11], char id[33], struct ark_error *err)
{
	struct buf at = BUF_INIT;
	int rc;

	deadline[0] = id[0] = '\0';
	if (!cursor || !*cursor)
		return ARK_OK;
	rc = cursor_read(app_of(x), ORDERS_KIND, cursor, &at, err);
	if (!rc && sscanf(at.data, "%10s %32s", deadline, id) != 2)
		rc = ark_fail(err, ARK_EINPUT, "The cursor is malformed.");
	buf_free(&at);
	return rc;
}

static const char *deadline_of(const json_t *order)
{
	const char *deadline = json_text(order, "deadline");

	return deadline ? deadline : "9999";
}

struct cut {
	char deadline[11], id[33]; /* the one before the page */
	unsigned int limit, n;
	char last[64]; /* of the page so far */
	bool more;
};

/* One more than the page is looked for, and not taken: that there is one. */
static bool pick(void *arg, const json_t *order, enum order_step step, bool late, bool *go_on)
{
	struct cut *c = arg;
	int past = strcmp(deadline_of(order), c->deadline);

	(void)late;
	if (step == ORDER_PASS)
		return past > 0 || (past == 0 && strcmp(json_text(order, "id"), c->id) > 0);
	if (c->n == c->limit) {
		c->more = true;
		*go_on = false;
		return false;
	}
	c->n++;
	snprintf(
	    c->last, sizeof(c->last), "%.10s %.32s", deadline_of(order), json_text(order, "id"));
	return true;
}

int orders_cut(struct exchange *x, const struct orders_asked *asked, const char *cursor,
    unsigned int limit, json_t **ret, struct buf *ret_next, struct ark_error *err)
{
	struct cut c = {.limit = limit};
	int rc = after_of(x, cursor, c.deadline, c.id, err);

	if (!rc)
		rc = orders_pick(x, asked, pick, &c, ret, err);
	if (!rc && c.more)
		cursor_write(app_of(x), ORDERS_KIND, c.last, ret_next);
	return rc;
}
