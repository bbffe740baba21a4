/* The orders of a document, and the form to enter one out of it. */
#include "api/pages/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct entering { /* the page's `own` */
	bool sent, form_old;
	char text[4 * ORDER_TEXT_MAX + 1], ground[4 * ORDER_LINE_MAX + 1], day[16], matter[65];
	struct faults faults;
};

/* ---- what was typed ---- */

static void read_typed(struct exchange *x, struct entering *e)
{
	form_text(x, "text", e->text, sizeof(e->text));
	form_text(x, "ground", e->ground, sizeof(e->ground));
	form_text(x, "day", e->day, sizeof(e->day));
	form_text(x, "matter", e->matter, sizeof(e->matter));
}

/* NULL with faults where it cannot be one. */
static json_t *body_of(struct exchange *x, struct entering *e)
{
	char day[11] = "";

	if (!e->text[0])
		fault_add(&e->faults, "text", form_said(x, SAY_ORDER_TEXT_WRONG));
	if (e->day[0] && !i18n_date_read(e->day, day))
		fault_add(&e->faults, "day", form_said(x, SAY_ORDER_DAY_WRONG));
	if (e->faults.n)
		return NULL;
	return json_pack("{s:s,s:s,s:s*,s:s*,s:s*}", "document", http_param(x, 0), "text", e->text,
	    "ground", e->ground[0] ? e->ground : NULL, "deadline", day[0] ? day : NULL, "matter",
	    e->matter[0] ? e->matter : NULL);
}

/* ---- the page ---- */

static void write_matters(struct page *p, const char *chosen)
{
	json_t *all = matters_all(archive_registry(app_of(p->x)->archive)), *matter;
	size_t i;

	choice_begin(p, "matter", SAY_ORDER_MATTER, SAY_ORDER_MATTER_HELP, SAY_ORDER_MATTER_NONE);
	json_array_foreach(all, i, matter)
	{
		choice_add(
		    p, json_text(matter, "id"), i18n_name(p->language, matter, NULL), chosen);
	}
	choice_end(p);
	json_decref(all);
}

static void write_form(struct page *p, const struct entering *e)
{
	const struct form_input text = {.name = "text",
	    .label = SAY_ORDER_TEXT,
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = e->text,
	    .maxlength = "4000"};
	const struct form_input ground = {.name = "ground",
	    .label = SAY_ORDER_GROUND,
	    .help = SAY_ORDER_GROUND_HELP,
	    .autocomplete = "off",
	    .value = e->ground,
	    .maxlength = "500"};
	const struct form_input day = {.name = "day",
	    .label = SAY_ORDER_DEADLINE,
	    .help = SAY_ORDER_DEADLINE_HELP,
	    .autocomplete = "off",
	    .value = e->day,
	    .maxlength = "10"};

	html_put(&p->h,
	    "<section class=\"narrow\" aria-labelledby=\"enter\"><h2 id=\"enter\">$</h2><form "
	    "class=\"stack\" method=\"post\" action=\"/$/documents/$/orders\" novalidate>",
	    say(p, SAY_ORDER_ENTER), i18n_code(p->language), http_param(p->x, 0));
	page_form_field(p, "order-enter");
	form_lines(p, &text, &e->faults);
	form_input(p, &ground, &e->faults);
	form_input(p, &day, &e->faults);
	write_matters(p, e->matter);
	html_put(&p->h, "<div><button>$</button></div></form></section>", say(p, SAY_ORDER_ENTER));
}

static int write_list(struct page *p, const struct orders_page *page, struct ark_error *err)
{
	json_t *order;
	size_t i;
	int rc = ARK_OK;

	if (!json_array_size(page->orders)) {
		html_put(&p->h, "<p>$</p>", say(p, SAY_ORDERS_OF_DOCUMENT_NONE));
		return ARK_OK;
	}
	html_put(&p->h,
	    "<section aria-labelledby=\"orders\"><h2 id=\"orders\">$</h2>"
	    "<ol class=\"hits\">",
	    say(p, SAY_ORDERS));
	json_array_foreach(page->orders, i, order)
	{
		if (!rc)
			rc = order_item(p, page, order, err);
	}
	html_raw(&p->h, "</ol></section>");
	return rc;
}

static void show_page(struct exchange *x, const struct orders_page *page)
{
	const struct entering *e = page->own;
	struct ark_error err = {0};
	struct page p = {0};
	bool may = false;
	int rc = orders_may(visit_of(x), &may, &err);

	if (!rc) {
		form_page(&p, x, SAY_ORDERS_OF_DOCUMENT, &e->faults);
		form_summary(&p, SAY_ORDER_ENTER_FAILED, &e->faults);
		html_put(&p.h, "<h1>$</h1><p>$: ", say(&p, SAY_ORDERS_OF_DOCUMENT),
		    say(&p, SAY_ORDER_DOCUMENT));
		rc = order_document_link(&p, page, http_param(x, 0), &err);
		html_raw(&p.h, "</p>");
	}
	if (!rc)
		rc = write_list(&p, page, &err);
	if (!rc && may)
		write_form(&p, e);
	if (rc) {
		buf_wipe_free(&p.h.out);
		http_reply_error(x, &err);
	} else {
		page_end(&p, e->faults.n ? 422 : 200);
	}
}

/* ---- entering ---- */

static void enter(struct exchange *x, const struct orders_page *page, struct entering *e)
{
	json_t *body = body_of(x, e), *faults = NULL, *record = NULL;
	struct ark_error err = {0};
	char path[80];
	int rc = body ? order_make(x, body, &faults, &record, &err) : ARK_EINPUT;

	if (body && rc == ARK_EINPUT)
		order_faults_say(x, faults, &e->faults);
	if (rc == ARK_EINPUT) {
		show_page(x, page);
	} else if (rc == ARK_EREFUSED) {
		http_reply_problem(x, 403, "not-permitted", NULL, NULL);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		snprintf(path, sizeof(path), "/orders/%.32s?entered=1", json_text(record, "id"));
		form_go(x, path);
	}
	json_decref(faults);
	json_decref(record);
	json_decref(body);
}

static void show(struct exchange *x, const struct orders_page *page)
{
	struct entering *e = page->own;

	if (e->form_old)
		fault_add(&e->faults, "text", form_said(x, SAY_FORM_OLD));
	if (e->sent && !e->form_old)
		enter(x, page, e);
	else
		show_page(x, page);
}

static int gather(struct visit *v, struct listing *l, void *own, struct ark_error *err)
{
	(void)own;
	return listing_keep_once(l, &v->row) ? ark_fail(err, ARK_ENOMEM, "no memory for documents")
					     : ARK_OK;
}

static void begin(struct exchange *x, bool sent)
{
	struct visit *v = visit_of(x);
	const struct orders_asked asked = {.document = http_param(x, 0)};
	struct entering *e;
	json_t *found = NULL;
	struct ark_error err;

	if (!v || !document_found(x, v, "list", 0))
		return;
	if (!v->row.whole) { /* as for whom it has no orders */
		visit_not_found(x, "list", http_param(x, 0), 0);
		return;
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	e->sent = sent;
	e->form_old = sent && !page_form_sent(x, "order-enter");
	if (sent)
		read_typed(x, e);
	if (!orders_find(x, &asked, &found, &err)) {
		orders_show(x, found, NULL, gather, show, e, free);
		return;
	}
	free(e);
	http_reply_error(x, &err);
}

void page_document_orders(struct exchange *x)
{
	begin(x, false);
}

void page_document_orders_post(struct exchange *x)
{
	begin(x, true);
}
