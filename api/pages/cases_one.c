/* One case: how it goes, its documents in order of date, its orders. */
#include "api/pages/cases.h"

#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/pages/document.h"
#include "arkki/base/json.h"

enum { DOCUMENTS = 200 };

struct opened_case { /* the page's `own` */
	json_t *record;
	struct case_typed *typed;
	bool cut;
};

static void opened_free(void *arg)
{
	struct opened_case *c = arg;

	json_decref(c->record);
	free(c->typed);
	free(c);
}

/* ---- its documents ---- */

static int by_date(const void *a, const void *b)
{
	const struct case_document *x = a, *y = b;
	int order = strcmp(x->row->date, y->row->date);

	if (order)
		return order;
	return x->row->sequence < y->row->sequence ? -1 : x->row->sequence > y->row->sequence;
}

static void documents_free(struct case_document *documents, size_t n)
{
	for (size_t i = 0; i < n; i++)
		card_free(&documents[i].card);
	free(documents);
}

/* Those of the page's rows that are of the case: others are evidence of its orders. */
static int take(struct visit *v, const struct orders_page *page, const char *id,
    struct case_document **ret, size_t *ret_n, struct ark_error *err)
{
	const struct listing *l = page->listing;
	struct case_document *list = calloc(l->n ? l->n : 1, sizeof(*list));
	int rc = list ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for documents");
	size_t n = 0;

	for (size_t i = 0; !rc && i < l->n; i++) {
		struct card card = {0};
		const char *of;

		rc = shown_card(v->app->archive, v->receipt, &l->rows[i], &card, err);
		of = json_text(card.fields, "case");
		if (!rc && of && strcmp(of, id) == 0)
			list[n++] = (struct case_document){&l->rows[i], card};
		else
			card_free(&card);
	}
	if (rc) {
		documents_free(list, n);
		return rc;
	}
	if (n)
		qsort(list, n, sizeof(*list), by_date);
	*ret = list;
	*ret_n = n;
	return ARK_OK;
}

static void write_told(struct page *p, const json_t *addressees)
{
	json_t *org;
	size_t i;

	if (!json_array_size(addressees))
		return;
	html_put(&p->h, "<p class=\"hint\">$", say(p, SAY_CASE_TOLD));
	json_array_foreach(addressees, i, org)
	{
		if (i)
			html_raw(&p->h, ", ");
		page_name(p, "orgs", json_string_value(org));
	}
	html_raw(&p->h, "</p>");
}

static void write_document(struct page *p, const struct case_document *d)
{
	const struct catalogue_row *row = d->row;
	const char *visit = json_text(d->card.fields, "visitDate");
	char day[I18N_SIZE];

	html_put(&p->h, "<li class=\"hit\"><h3><a href=\"/$/documents/$\"", i18n_code(p->language),
	    row->document);
	page_lang(p, row->language);
	html_put(&p->h, ">$</a></h3><p class=\"facts\"><span class=\"type\">",
	    json_text(d->card.fields, "title"));
	page_name(p, "types", row->type);
	html_raw(&p->h, "</span> <span>");
	page_date(p, row->date);
	html_raw(&p->h, "</span>");
	if (visit) {
		i18n_date(day, visit);
		html_raw(&p->h, " <span>");
		page_say(p, SAY_CASE_VISIT, day);
		html_raw(&p->h, "</span>");
	}
	if (json_text(d->card.fields, "author")) {
		html_raw(&p->h, " <span>");
		page_name(p, "orgs", json_text(d->card.fields, "author"));
		html_raw(&p->h, "</span>");
	}
	page_tags(p, row->publicity, row->state);
	html_raw(&p->h, "</p>");
	write_told(p, json_object_get(d->card.fields, "addressees"));
	html_raw(&p->h, "</li>");
}

static void write_documents(
    struct page *p, const struct case_document *documents, size_t n, bool cut)
{
	html_put(&p->h, "<section aria-labelledby=\"documents\"><h2 id=\"documents\">$</h2>",
	    say(p, SAY_CASE_DOCUMENTS));
	if (cut)
		html_put(&p->h, "<p class=\"note\">$</p>", say(p, SAY_CASE_DOCUMENTS_CUT));
	if (!n)
		html_put(&p->h, "<p>$</p>", say(p, SAY_CASE_DOCUMENTS_NONE));
	else
		html_raw(&p->h, "<ol class=\"hits\">");
	for (size_t i = 0; i < n; i++)
		write_document(p, &documents[i]);
	if (n)
		html_raw(&p->h, "</ol>");
	html_raw(&p->h, "</section>");
}

/* ---- the page ---- */

static int write_orders(struct page *p, const struct orders_page *page, struct ark_error *err)
{
	json_t *order;
	size_t i;
	int rc = ARK_OK;

	html_put(&p->h, "<section aria-labelledby=\"orders\"><h2 id=\"orders\">$</h2>",
	    say(p, SAY_CASE_ORDERS));
	if (!json_array_size(page->orders))
		html_put(&p->h, "<p>$</p>", say(p, SAY_CASE_ORDERS_NONE));
	else
		html_raw(&p->h, "<ol class=\"hits\">");
	json_array_foreach(page->orders, i, order)
	{
		if (!rc)
			rc = order_item(p, page, order, err);
	}
	if (json_array_size(page->orders))
		html_raw(&p->h, "</ol>");
	html_raw(&p->h, "</section>");
	return rc;
}

static void fact_day(struct page *p, enum say label, const char *day)
{
	if (!day)
		return;
	fact_begin(p, label);
	html_raw(&p->h, ">");
	page_date(p, day);
	html_raw(&p->h, "</dd></div>");
}

static void write_facts(struct page *p, const json_t *record)
{
	html_raw(&p->h, "<dl class=\"facts\">");
	fact_text(p, SAY_CASES_STATE, say(p, case_state_said(record)));
	fact_begin(p, SAY_UNITS);
	html_raw(&p->h, ">");
	page_unit_links(p, json_object_get(record, "units"));
	html_raw(&p->h, "</dd></div>");
	fact_begin(p, SAY_ORGANISATION);
	html_raw(&p->h, ">");
	page_name(p, "orgs", json_text(record, "org"));
	html_raw(&p->h, "</dd></div>");
	fact_day(p, SAY_CASE_OPENED, json_text(record, "opened"));
	fact_day(p, SAY_CASE_CLOSED_AT, json_text(record, "closed"));
	html_raw(&p->h, "</dl>");
}

static void begin_page(
    struct page *p, struct exchange *x, const struct opened_case *c, const char *name)
{
	const struct case_typed *t = c->typed;
	struct buf title = BUF_INIT;

	if (t->old || t->faults.n)
		buf_addf(&title, "%s: ", form_said(x, SAY_ERROR));
	buf_adds(&title, name);
	page_begin(p, x, title.data);
	buf_free(&title);
	form_summary(p, SAY_ORDER_FAILED, &t->faults);
	if (t->old) {
		html_put(&p->h, "<div class=\"errors\" role=\"alert\"><h2>$</h2><p>",
		    say(p, SAY_ORDER_FAILED));
		page_say(p, SAY_CASE_CHANGED_MEANWHILE, say(p, case_state_said(c->record)));
		html_raw(&p->h, "</p></div>");
	}
	if (http_query(x, "saved"))
		html_put(&p->h, "<p class=\"note\" role=\"status\">$</p>", say(p, SAY_ORDER_SAVED));
}

static void show(struct exchange *x, const struct orders_page *page)
{
	const struct opened_case *c = page->own;
	const char *id = json_text(c->record, "id"), *diary = json_text(c->record, "diaryNumber");
	struct case_document *documents = NULL;
	struct ark_error err;
	struct page p;
	size_t n = 0;

	if (take(visit_of(x), page, id, &documents, &n, &err)) {
		http_reply_error(x, &err);
		return;
	}
	begin_page(&p, x, c, diary ? diary : id);
	html_put(&p.h,
	    "<article><header class=\"head\"><p class=\"kind\"><span>$</span></p><h1>$</h1>"
	    "</header>",
	    say(&p, SAY_CASE), diary ? diary : id);
	write_facts(&p, c->record);
	case_steps(&p, c->record, documents, n, page->orders);
	write_documents(&p, documents, n, c->cut);
	documents_free(documents, n);
	if (write_orders(&p, page, &err) || case_form(&p, c->record, c->typed, &err)) {
		buf_wipe_free(&p.h.out);
		http_reply_error(x, &err);
		return;
	}
	html_put(&p.h, "<p class=\"back\"><a href=\"/$/cases\">$</a></p></article>",
	    i18n_code(p.language), say(&p, SAY_CASES));
	page_end(&p, c->typed->old || c->typed->faults.n ? 422 : 200);
}

static int gather(struct visit *v, struct listing *l, void *own, struct ark_error *err)
{
	struct opened_case *c = own;
	const struct catalogue_list list = {
	    .case_id = json_text(c->record, "id"), .limit = DOCUMENTS};
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc = caller_sight(v->caller, &sight, err);

	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	if (!rc)
		rc = catalogue_documents(desk->catalogue, &list, sight, listing_keep_once, l, err);
	c->cut = l->n >= DOCUMENTS;
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	return rc;
}

void page_case_with(struct exchange *x, struct case_typed *t)
{
	json_t *record =
	    registry_get(archive_registry(app_of(x)->archive), "cases", http_param(x, 0));
	const struct orders_asked asked = {.case_id = http_param(x, 0)};
	struct opened_case *c = calloc(1, sizeof(*c));
	json_t *found = NULL;
	struct ark_error err = {0};
	int rc = c && t ? ARK_OK : ark_fail(&err, ARK_ENOMEM, "no memory for a case");

	if (!rc && (!record || !case_is_visible(x, record)))
		rc = ark_fail(&err, ARK_ENOTFOUND, "there is no such case");
	if (!rc && (!visit_of(x) || !visit_stated_ok(x)))
		rc = ARK_EREFUSED; /* replied */
	if (!rc)
		rc = orders_find(x, &asked, &found, &err);
	if (!rc) {
		*c = (struct opened_case){.record = record, .typed = t};
		orders_show(x, found, NULL, gather, show, c, opened_free);
		return;
	}
	json_decref(record);
	free(c);
	free(t);
	if (rc == ARK_ENOTFOUND)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (rc != ARK_EREFUSED)
		http_reply_error(x, &err);
}

void page_case(struct exchange *x)
{
	page_case_with(x, calloc(1, sizeof(struct case_typed)));
}
