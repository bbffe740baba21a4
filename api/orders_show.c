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

int orders_cut(struct exchange *x, const struct orders_asked *asked, const char *cursor,
    unsigned int limit, json_t **ret, struct buf *ret_next, struct ark_error *err)
{
	json_t *found = NULL, *page = NULL, *order;
	const json_t *last = NULL;
	char deadline[11], id[33], at[64];
	size_t i;
	int rc = after_of(x, cursor, deadline, id, err);

	if (!rc)
		rc = orders_find(x, asked, &found, err);
	if (!rc && !(page = json_array()))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for orders");
	json_array_foreach(found, i, order)
	{
		int past = strcmp(deadline_of(order), deadline);

		if (rc || past < 0 || (past == 0 && strcmp(json_text(order, "id"), id) <= 0))
			continue;
		if (json_array_size(page) == limit) {
			snprintf(at, sizeof(at), "%s %s", deadline_of(last), json_text(last, "id"));
			cursor_write(app_of(x), ORDERS_KIND, at, ret_next);
			break;
		}
		if (json_array_append(page, order))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for orders");
		last = order;
	}
	json_decref(found);
	if (rc)
		json_decref(page);
	else
		*ret = page;
	return rc;
}
