/* One order: what it says, what happened to it, and the forms for those who may change it. */
#include "api/pages/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/pages/document.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { CANDIDATES = 10 };

struct looking { /* the page's `own` */
	json_t *record;
	bool sent, old; /* a form was sent; somebody was before it */
	unsigned int base;
	struct order_typed typed;
	struct faults faults;
};

static void looking_free(void *arg)
{
	struct looking *l = arg;

	json_decref(l->record);
	json_decref(l->typed.evidence);
	free(l);
}

/* ---- what is shown ---- */

static void write_case(struct page *p, const char *id)
{
	json_t *record = registry_get(archive_registry(app_of(p->x)->archive), "cases", id);
	const char *diary = json_text(record, "diaryNumber");

	if (record && case_is_visible(p->x, record)) {
		fact_begin(p, SAY_CASE);
		html_put(&p->h, "><a href=\"/$/cases/$\">$</a></dd></div>", i18n_code(p->language),
		    id, diary ? diary : id);
	}
	json_decref(record);
}

static int write_evidence(
    struct page *p, const struct orders_page *page, const json_t *order, struct ark_error *err)
{
	const json_t *list = json_object_get(order, "evidence");
	json_t *document;
	size_t i;
	int rc = ARK_OK;

	fact_begin(p, SAY_ORDER_EVIDENCE);
	html_raw(&p->h, ">");
	if (!json_array_size(list))
		html_text(&p->h, say(p, SAY_ORDER_EVIDENCE_NONE));
	json_array_foreach(list, i, document)
	{
		if (i)
			html_raw(&p->h, "<br>");
		if (!rc)
			rc = order_document_link(p, page, json_string_value(document), err);
	}
	html_raw(&p->h, "</dd></div>");
	return rc;
}

static void write_verified(struct page *p, const json_t *order)
{
	const char *by = json_text(order, "verifiedBy"), *at = json_text(order, "verifiedAt");

	if (!by || !at)
		return;
	fact_begin(p, SAY_ORDER_VERIFIED);
	html_raw(&p->h, ">");
	page_date(p, at);
	html_raw(&p->h, ", ");
	page_name(p, "users", by);
	html_raw(&p->h, "</dd></div>");
}

static void write_matter(struct page *p, const char *id)
{
	struct buf name = BUF_INIT;

	if (!id)
		return;
	matter_add(p, &name, id);
	fact_text(p, SAY_ORDER_MATTER, name.data);
	buf_free(&name);
}

static int write_facts(
    struct page *p, const struct orders_page *page, const json_t *order, struct ark_error *err)
{
	const char *deadline = json_text(order, "deadline");
	int rc;

	html_raw(&p->h, "<dl class=\"facts\">");
	fact_begin(p, SAY_ORDER_STATE);
	html_raw(&p->h, ">");
	order_tag_write(p, order);
	html_raw(&p->h, "</dd></div>");
	fact_begin(p, SAY_ORDER_DEADLINE);
	html_raw(&p->h, ">");
	if (deadline)
		page_date(p, deadline);
	else
		html_text(&p->h, say(p, SAY_ORDER_NO_DEADLINE));
	html_raw(&p->h, "</dd></div>");
	fact_begin(p, SAY_ORDER_DOCUMENT);
	html_raw(&p->h, ">");
	rc = order_document_link(p, page, json_text(order, "document"), err);
	html_raw(&p->h, "</dd></div>");
	write_case(p, json_text(order, "case"));
	fact_record(p, SAY_ORGANISATION, "orgs", json_text(order, "author"));
	fact_text(p, SAY_ORDER_GROUND, json_text(order, "ground"));
	write_matter(p, json_text(order, "matter"));
	if (!rc)
		rc = write_evidence(p, page, order, err);
	write_verified(p, order);
	html_raw(&p->h, "</dl>");
	return rc;
}

/* ---- what happened to it ---- */

static bool differs(const json_t *step, const json_t *before, const char *name)
{
	const char *a = json_text(step, name), *b = json_text(before, name);

	return (a == NULL) != (b == NULL) || (a && b && strcmp(a, b) != 0);
}

static void say_step(struct page *p, const json_t *step, const json_t *before)
{
	const char *state = json_text(step, "state"), *deadline = json_text(step, "deadline");
	char day[I18N_SIZE];

	if (!before) {
		html_text(&p->h, say(p, SAY_ORDER_STEP_ENTERED));
	} else if (differs(step, before, "state") && state) {
		html_text(&p->h, say(p, strcmp(state, "met") == 0      ? SAY_ORDER_STEP_MET
					: strcmp(state, "lapsed") == 0 ? SAY_ORDER_STEP_LAPSED
								       : SAY_ORDER_STEP_OPENED));
	} else if (differs(step, before, "deadline") && deadline) {
		i18n_date(day, deadline);
		page_say(p, SAY_ORDER_STEP_MOVED, day);
	} else {
		html_text(&p->h, say(p, SAY_ORDER_STEP_CHANGED));
	}
}

static void write_step(struct page *p, const json_t *step, const json_t *before, bool is_new)
{
	const char *reason = json_text(step, "reason");

	html_raw(&p->h, "<li><h3>");
	say_step(p, step, before);
	if (is_new)
		html_put(&p->h, " <strong class=\"tag tag-new\">$</strong>", say(p, SAY_ORDER_NEW));
	html_raw(&p->h, "</h3><p class=\"facts\"><span>");
	page_time(p, json_text(step, "time"));
	html_raw(&p->h, "</span> <span>");
	if (json_text(step, "by"))
		page_name(p, "users", json_text(step, "by"));
	html_raw(&p->h, "</span> <span>");
	if (json_text(step, "org"))
		page_name(p, "orgs", json_text(step, "org"));
	html_raw(&p->h, "</span></p>");
	if (reason)
		html_put(&p->h, "<p dir=\"auto\">$</p>", reason);
	html_raw(&p->h, "</li>");
}

static int write_way(struct page *p, const struct looking *l, struct ark_error *err)
{
	json_t *way = NULL;
	size_t from, n;
	int rc = order_way(visit_of(p->x), l->record, &way, err);

	if (rc)
		return rc;
	n = json_array_size(way);
	/* of a long way only the end is there: what came after the base is counted from that end */
	from = (size_t)json_integer_value(json_object_get(l->record, "revision")) - n;
	html_put(&p->h,
	    "<section aria-labelledby=\"way\"><h2 id=\"way\">$</h2><ol class=\"versions\">",
	    say(p, SAY_ORDER_WAY));
	for (size_t i = 0; i < n; i++)
		write_step(p, json_array_get(way, i), i ? json_array_get(way, i - 1) : NULL,
		    l->old && from + i + 1 > l->base);
	html_raw(&p->h, "</ol></section>");
	json_decref(way);
	return ARK_OK;
}

/* ---- the page ---- */

static void write_text(struct page *p, const json_t *order)
{
	html_raw(&p->h, "<blockquote class=\"order\"");
	page_lang(p, json_text(order, "language"));
	html_put(&p->h, ">$</blockquote>", json_text(order, "text"));
}

static int write_page(struct page *p, const struct orders_page *page, const struct looking *l,
    bool may, struct ark_error *err)
{
	const json_t *order = json_array_get(page->orders, 0);
	int rc;

	form_summary(p, SAY_ORDER_FAILED, &l->faults);
	if (l->old || http_query(p->x, "late"))
		html_put(&p->h, "<div class=\"errors\" role=\"alert\"><h2>$</h2><p>$</p></div>",
		    say(p, SAY_ORDER_FAILED), say(p, SAY_ORDER_CHANGED_MEANWHILE));
	if (http_query(p->x, "saved") || http_query(p->x, "entered"))
		html_put(&p->h, "<p class=\"note\" role=\"status\">$</p>",
		    say(p, http_query(p->x, "saved") ? SAY_ORDER_SAVED : SAY_ORDER_ENTERED));
	html_put(&p->h, "<article><header class=\"head\"><h1>$: ", say(p, SAY_ORDER));
	page_unit_links(p, json_object_get(order, "units"));
	html_raw(&p->h, "</h1></header>");
	write_text(p, order);
	order_again(p, order);
	rc = write_facts(p, page, order, err);
	if (!rc)
		rc = write_way(p, l, err);
	if (!rc && may)
		rc = order_forms(
		    p, page, order, l->record, l->sent ? &l->typed : NULL, &l->faults, err);
	html_put(&p->h, "<p class=\"back\"><a href=\"/$/orders\">$</a></p></article>",
	    i18n_code(p->language), say(p, SAY_ORDERS));
	return rc;
}

static void show_page(struct exchange *x, const struct orders_page *page)
{
	const struct looking *l = page->own;
	struct ark_error err = {0};
	struct page p = {0};
	bool may = false;
	int rc = orders_may(visit_of(x), &may, &err);

	if (!rc) {
		struct faults wrong = l->faults;

		if (l->old)
			fault_add(&wrong, "change", "");
		form_page(&p, x, SAY_ORDER, &wrong);
		rc = write_page(&p, page, l, may, &err);
	}
	if (rc) {
		buf_wipe_free(&p.h.out);
		http_reply_error(x, &err);
	} else {
		page_end(&p, l->old || l->faults.n ? 422 : 200);
	}
}

/* ---- a change that was sent ---- */

static void go_to(struct exchange *x, const char *id, const char *said)
{
	char path[80];

	snprintf(path, sizeof(path), "/orders/%.32s?%s=1", id, said);
	form_go(x, path);
}

static void change(struct exchange *x, const struct orders_page *page, struct looking *l)
{
	json_t *body = order_typed_body(x, &l->typed, &l->faults), *faults = NULL, *record = NULL;
	struct ark_error err = {0};
	int rc = body ? order_change(x, l->record, body, &faults, &record, &err) : ARK_EINPUT;

	if (body && rc == ARK_EINPUT)
		order_faults_say(x, faults, &l->faults);
	if (rc == ARK_EINPUT)
		show_page(x, page);
	else if (rc == ARK_EREFUSED)
		http_reply_problem(x, 403, "not-permitted", NULL, NULL);
	else if (rc == ARK_ECONFLICT) /* in this very moment: the page asks again */
		go_to(x, json_text(l->record, "id"), "late");
	else if (rc)
		http_reply_error(x, &err);
	else
		go_to(x, json_text(record, "id"), "saved");
	json_decref(faults);
	json_decref(record);
	json_decref(body);
}

static void show(struct exchange *x, const struct orders_page *page)
{
	struct looking *l = page->own;

	if (!l->sent || l->old)
		show_page(x, page);
	else
		change(x, page, l);
}

/* ---- the request ---- */

/* The newest of its units, of which evidence is chosen. */
static int gather(struct visit *v, struct listing *l, void *own, struct ark_error *err)
{
	const struct looking *k = own;
	const char *unit =
	    json_string_value(json_array_get(json_object_get(k->record, "units"), 0));
	const struct catalogue_list list = {.unit = unit, .limit = CANDIDATES};
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc;

	if (!unit || strcmp(json_text(k->record, "state"), "open") != 0)
		return ARK_OK;
	rc = caller_sight(v->caller, &sight, err);
	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	if (!rc)
		rc = catalogue_documents(desk->catalogue, &list, sight, listing_keep_once, l, err);
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	return rc;
}

static void begin(struct exchange *x, bool sent)
{
	struct visit *v = visit_of(x);
	struct looking *l = v && visit_stated_ok(x) ? calloc(1, sizeof(*l)) : NULL;
	json_t *order = NULL;
	struct ark_error err = {0};
	int rc;

	if (!l) {
		if (!http_replied(x))
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	l->sent = sent;
	if (sent)
		order_typed_read(x, &l->typed);
	rc = order_find(x, http_param(x, 0), &order, &l->record, &err);
	if (!rc)
		rc = visit_find(v, json_text(order, "document"),
		    (uint32_t)json_integer_value(json_object_get(order, "version")), &err);
	if (!rc && sent) {
		const char *base = http_form(x, "base");

		l->base = base ? (unsigned int)strtoul(base, NULL, 10) : 0;
		l->old = l->base != json_integer_value(json_object_get(l->record, "revision"));
	}
	if (!rc) {
		orders_show(x, json_pack("[o]", order), NULL, gather, show, l, looking_free);
		return;
	}
	json_decref(order);
	if (rc == ARK_ENOTFOUND)
		order_not_found(x, l->record);
	else
		http_reply_error(x, &err);
	looking_free(l);
}

void page_order(struct exchange *x)
{
	begin(x, false);
}

void page_order_post(struct exchange *x)
{
	if (page_form_sent(x, "order"))
		begin(x, true);
	else
		begin(x, false);
}
