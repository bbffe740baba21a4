/* How orders are said, and fields that their forms share. */
#include "api/pages/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { ITEM_BYTES = 220 };

enum say order_said(const json_t *order)
{
	const char *state = json_text(order, "state");

	if (json_is_true(json_object_get(order, "overdue")))
		return SAY_ORDER_OVERDUE;
	if (state && strcmp(state, "met") == 0)
		return SAY_ORDER_MET;
	return state && strcmp(state, "lapsed") == 0 ? SAY_ORDER_LAPSED : SAY_ORDER_OPEN;
}

void order_tag_write(struct page *p, const json_t *order)
{
	enum say said = order_said(order);

	if (said == SAY_ORDER_OVERDUE)
		html_put(&p->h, "<strong class=\"tag tag-secret\">$</strong>", say(p, said));
	else
		html_put(&p->h, "<span class=\"tag\">$</span>", say(p, said));
}

void matter_add(const struct page *p, struct buf *out, const char *id)
{
	json_t *all = matters_all(archive_registry(app_of(p->x)->archive)), *matter;
	const char *name = NULL;
	size_t i;

	json_array_foreach(all, i, matter)
	{
		if (strcmp(json_text(matter, "id"), id) == 0)
			name = i18n_name(p->language, matter, NULL);
	}
	buf_adds(out, name ? name : id);
	json_decref(all);
}

void order_again(struct page *p, const json_t *order)
{
	const json_t *again = json_object_get(order, "recurrence");
	json_int_t count = json_integer_value(json_object_get(again, "count"));
	struct buf matter = BUF_INIT;
	char n[I18N_SIZE], since[I18N_SIZE];

	if (count < 2)
		return;
	matter_add(p, &matter, json_text(order, "matter"));
	i18n_number(n, p->language, (uint64_t)count);
	i18n_date(since, json_text(again, "since"));
	html_raw(&p->h, "<p class=\"again\">");
	page_say(p, SAY_ORDER_AGAIN, matter.data, n, since);
	html_raw(&p->h, "</p>");
	buf_free(&matter);
}

void excerpt_add(struct buf *out, const char *text, size_t bytes)
{
	size_t n = strlen(text);

	if (n <= bytes) {
		buf_adds(out, text);
		return;
	}
	n = bytes;
	while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	buf_add(out, text, n);
	buf_adds(out, "…");
}

int order_document_link(
    struct page *p, const struct orders_page *page, const char *document, struct ark_error *err)
{
	const struct catalogue_row *row = orders_row(page, document);
	struct visit *v = visit_of(p->x);
	struct card card = {0};
	int rc;

	if (!row)
		return ARK_OK;
	rc = shown_card(v->app->archive, v->receipt, row, &card, err);
	if (rc)
		return rc;
	html_put(&p->h, "<a href=\"/$/documents/$\"", i18n_code(p->language), document);
	page_lang(p, row->language);
	html_put(&p->h, ">$</a>", json_text(card.fields, "title"));
	card_free(&card);
	return ARK_OK;
}

static void write_due(struct page *p, const json_t *order)
{
	const char *deadline = json_text(order, "deadline");
	char day[I18N_SIZE];

	html_raw(&p->h, " <span>");
	if (deadline) {
		i18n_date(day, deadline);
		page_say(p, SAY_ORDER_DUE, day);
	} else {
		html_text(&p->h, say(p, SAY_ORDER_NO_DEADLINE));
	}
	html_raw(&p->h, "</span>");
}

int order_item(
    struct page *p, const struct orders_page *page, const json_t *order, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc;

	excerpt_add(&text, json_text(order, "text"), ITEM_BYTES);
	html_put(&p->h, "<li class=\"hit\"><h3><a href=\"/$/orders/$\"", i18n_code(p->language),
	    json_text(order, "id"));
	page_lang(p, json_text(order, "language"));
	html_put(&p->h, ">$</a></h3><p class=\"facts\">", text.data);
	order_tag_write(p, order);
	write_due(p, order);
	html_raw(&p->h, " <span>");
	page_units(p, json_object_get(order, "units"));
	html_raw(&p->h, "</span>");
	if (json_text(order, "author")) {
		html_raw(&p->h, " <span>");
		page_name(p, "orgs", json_text(order, "author"));
		html_raw(&p->h, "</span>");
	}
	html_raw(&p->h, "</p>");
	order_again(p, order);
	html_put(&p->h, "<p class=\"hint\">$: ", say(p, SAY_ORDER_DOCUMENT));
	rc = order_document_link(p, page, json_text(order, "document"), err);
	html_raw(&p->h, "</p></li>");
	buf_wipe_free(&text);
	return rc;
}

/* ---- fields ---- */

static const char *fault_of(const struct faults *f, const char *field)
{
	for (unsigned int i = 0; f && i < f->n; i++)
		if (strcmp(f->list[i].field, field) == 0)
			return f->list[i].text;
	return NULL;
}

void form_lines(struct page *p, const struct form_input *in, const struct faults *f)
{
	const char *wrong = fault_of(f, in->name), *n = in->name;

	html_put(&p->h, "<div class=\"field\"><label for=\"$\">$</label>", n, say(p, in->label));
	if (in->help != SAY_COUNT)
		html_put(&p->h, "<p class=\"hint\" id=\"$-help\">$</p>", n, say(p, in->help));
	if (wrong)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-wrong\"><span class=\"hidden\">$: </span>$</p>", n,
		    say(p, SAY_ERROR), wrong);
	html_put(&p->h, "<textarea id=\"$\" name=\"$\" rows=\"4\" maxlength=\"$\" dir=\"auto\"", n,
	    n, in->maxlength);
	if (wrong)
		html_raw(&p->h, " aria-invalid=\"true\"");
	if (wrong && in->help != SAY_COUNT)
		html_put(&p->h, " aria-describedby=\"$-wrong $-help\"", n, n);
	else if (wrong || in->help != SAY_COUNT)
		html_put(&p->h, " aria-describedby=\"$-$\"", n, wrong ? "wrong" : "help");
	/* a first line end is dropped by the browser */
	html_put(&p->h, ">\n$</textarea></div>", in->value);
}

void choice_begin(struct page *p, const char *name, enum say label, enum say help, enum say any)
{
	html_put(&p->h, "<div class=\"field\"><label for=\"$\">$</label>", name, say(p, label));
	if (help != SAY_COUNT)
		html_put(&p->h, "<p class=\"hint\" id=\"$-help\">$</p>", name, say(p, help));
	html_put(&p->h, "<select id=\"$\" name=\"$\"", name, name);
	if (help != SAY_COUNT)
		html_put(&p->h, " aria-describedby=\"$-help\"", name);
	html_put(&p->h, "><option value=\"\">$</option>", say(p, any));
}

void choice_add(struct page *p, const char *value, const char *text, const char *chosen)
{
	html_put(&p->h, "<option value=\"$\"", value);
	if (chosen && strcmp(chosen, value) == 0)
		html_raw(&p->h, " selected");
	html_put(&p->h, ">$</option>", text);
}

void choice_end(struct page *p)
{
	html_raw(&p->h, "</select></div>");
}

void choice_records(struct page *p, const char *kind, const char *chosen)
{
	json_t *all = registry_all(archive_registry(app_of(p->x)->archive), kind), *record;
	size_t i;

	json_array_foreach(all, i, record)
	{
		choice_add(
		    p, json_text(record, "id"), i18n_name(p->language, record, NULL), chosen);
	}
	json_decref(all);
}

/* ---- pages of a list ---- */

size_t page_number(const struct exchange *x)
{
	const char *text = http_query(x, "page");
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!text || digits < 1 || digits > 6 || text[digits] || text[0] == '0')
		return 1;
	return strtoul(text, NULL, 10);
}

static void turn_link(struct page *p, const struct buf *base, size_t page, enum say label)
{
	struct buf url = BUF_INIT;
	char n[24];

	buf_adds(&url, base->data);
	snprintf(n, sizeof(n), "%zu", page);
	url_add(&url, "page", n);
	html_put(&p->h, "<li><a href=\"$\">$</a></li>", url.data, say(p, label));
	buf_free(&url);
}

void pages_turn(struct page *p, const struct buf *base, size_t page, bool more)
{
	if (page <= 1 && !more)
		return;
	html_put(&p->h, "<nav class=\"turn\" aria-label=\"$\"><ul>", say(p, SAY_NEXT));
	if (page > 1)
		turn_link(p, base, page - 1, SAY_PREVIOUS);
	if (more)
		turn_link(p, base, page + 1, SAY_NEXT);
	html_raw(&p->h, "</ul></nav>");
}
