/* What belongs to a document on its page: orders in it, others of its case, where to go on, how to cite it. */
#include <stdio.h>
#include <string.h>

#include "api/orders.h"
#include "api/pages/document.h"
#include "api/session.h"
#include "arkki/base/json.h"

/* ---- orders ---- */

enum { LIST_OPEN = 5 };

void fold_begin(struct page *p, size_t rest)
{
	char n[I18N_SIZE];

	i18n_number(n, p->language, rest);
	html_raw(&p->h, "<details class=\"rest-of-list\"><summary>");
	page_say(p, SAY_SHOW_OTHERS, n);
	html_raw(&p->h, "</summary>");
}

void fold_end(struct page *p)
{
	html_raw(&p->h, "</details>");
}

/* Before the i-th of n: the rest of them is folded where that is more than one. */
static void fold_related(struct page *p, size_t i, size_t n)
{
	if (i != LIST_OPEN || n <= LIST_OPEN + 1)
		return;
	html_raw(&p->h, "</ul>");
	fold_begin(p, n - i);
	html_raw(&p->h, "<ul class=\"related\">");
}

static void end_related(struct page *p, size_t n)
{
	html_raw(&p->h, "</ul>");
	if (n > LIST_OPEN + 1)
		fold_end(p);
}

static enum say order_said(const json_t *order)
{
	const char *state = json_text(order, "state");

	if (json_is_true(json_object_get(order, "overdue")))
		return SAY_ORDER_IS_OVERDUE;
	if (state && strcmp(state, "met") == 0)
		return SAY_ORDER_IS_MET;
	return state && strcmp(state, "lapsed") == 0 ? SAY_ORDER_IS_LAPSED : SAY_ORDER_IS_OPEN;
}

static void write_order(struct page *p, const json_t *order)
{
	const char *deadline = json_text(order, "deadline");

	html_put(
	    &p->h, "<li><a href=\"/$/orders/$\"", i18n_code(p->language), json_text(order, "id"));
	page_lang(p, json_text(order, "language"));
	html_put(&p->h, ">$</a> <span class=\"about\">$", json_text(order, "text"),
	    say(p, order_said(order)));
	if (deadline) {
		html_put(&p->h, ", $ ", say(p, SAY_ORDER_BY));
		page_date(p, deadline);
	}
	html_raw(&p->h, "</span></li>");
}

/* Who sees a document whole sees the orders in it; the read of the document is logged already. */
static void write_orders(struct page *p, const json_t *orders)
{
	json_t *order;
	size_t i;

	if (json_array_size(orders)) {
		html_put(&p->h,
		    "<section aria-labelledby=\"orders\"><h2 id=\"orders\">$</h2><ul "
		    "class=\"related\">",
		    say(p, SAY_ORDERS_HERE));
		json_array_foreach(orders, i, order)
		{
			fold_related(p, i, json_array_size(orders));
			write_order(p, order);
		}
		end_related(p, json_array_size(orders));
		html_raw(&p->h, "</section>");
	}
}

/* ---- of the same case ---- */

static int write_one_beside(struct page *p, const struct document_view *d,
    const struct catalogue_row *row, struct ark_error *err)
{
	json_t *title = NULL;
	int rc;

	if (!row->whole) /* never listed: its title may be what is hidden */
		return ARK_OK;
	rc = reading_title(d->v->app->archive, d->v->receipt, row, &title, err);

	if (rc)
		return rc;
	html_put(&p->h, "<li><a href=\"/$/documents/$\"", i18n_code(p->language), row->document);
	page_lang(p, row->language);
	html_put(&p->h, ">$</a> <span class=\"about\">", json_string_value(title));
	page_name(p, "types", row->type);
	html_raw(&p->h, ", ");
	page_date(p, row->date);
	page_tags(p, row->publicity, row->state);
	html_raw(&p->h, "</span></li>");
	json_decref(title);
	return ARK_OK;
}

static int write_beside(
    struct page *p, const struct document_view *d, const struct card *card, struct ark_error *err)
{
	const char *case_id = json_text(card->fields, "case");
	size_t shown = d->beside->n < BESIDE_SHOWN ? d->beside->n : BESIDE_SHOWN;
	int rc = ARK_OK;

	if (!d->beside->n || !case_id)
		return ARK_OK;
	html_put(&p->h,
	    "<section aria-labelledby=\"beside\"><h2 id=\"beside\">$</h2><ul class=\"related\">",
	    say(p, SAY_OF_THE_CASE));
	for (size_t i = 0; !rc && i < shown; i++) {
		fold_related(p, i, shown);
		rc = write_one_beside(p, d, &d->beside->rows[i], err);
	}
	end_related(p, shown);
	if (d->beside->n > BESIDE_SHOWN)
		html_put(&p->h, "<p><a href=\"/$/cases/$\">$</a></p>", i18n_code(p->language),
		    case_id, say(p, SAY_ALL_OF_THE_CASE));
	html_raw(&p->h, "</section>");
	return rc;
}

int document_related(
    struct page *p, const struct document_view *d, const struct card *card, struct ark_error *err)
{
	write_orders(p, d->orders);
	return write_beside(p, d, card, err);
}

/* ---- where to go on ---- */

void document_back(struct page *p, const struct catalogue_row *row, const struct card *card)
{
	struct buf url = BUF_INIT;
	char n[16];

	snprintf(n, sizeof(n), "%u", row->version);
	document_path(p, row, row->version, "", &url);
	html_put(&p->h, "<p class=\"back\"><a href=\"$\"", url.data);
	page_lang(p, row->language);
	html_put(&p->h, ">$</a>, ", json_text(card->fields, "title"));
	page_say(p, SAY_VERSION_N, n);
	html_raw(&p->h, "</p>");
	buf_free(&url);
}

static void write_way(struct page *p, const char *url, enum say label)
{
	html_put(&p->h, "<li><a href=\"$\">$</a></li>", url, say(p, label));
}

static bool may(const struct document_view *d, enum access_action action, const struct card *card)
{
	struct visit *v = d->v;

	return v->row.whole && caller_decides(v->caller, v->app, action, card->fields,
				   v->row.rendition.number > 0, NULL)
				       .outcome == ACCESS_PERMIT;
}

void document_ways(struct page *p, const struct document_view *d, const struct card *card)
{
	const struct catalogue_row *row = &d->v->row;
	struct buf url = BUF_INIT;

	html_put(&p->h, "<nav class=\"ways\" aria-labelledby=\"ways\"><h2 id=\"ways\">$</h2><ul>",
	    say(p, SAY_WAYS));
	if (row->whole) {
		document_path(p, row, row->version, "/seal", &url);
		write_way(p, url.data, SAY_WAY_SEAL);
		document_path(p, row, row->version, "/readers", &url);
		write_way(p, url.data, SAY_WAY_READERS);
	}
	document_path(p, row, 0, "", &url);
	buf_adds(&url, "/history");
	write_way(p, url.data, SAY_WAY_HISTORY);
	if (may(d, ACCESS_FILE, card)) {
		buf_clear(&url);
		buf_addf(&url, "/%s/file?document=%s", i18n_code(p->language), row->document);
		write_way(p, url.data, SAY_WAY_FILE);
	}
	if (may(d, ACCESS_ORDER, card)) {
		buf_clear(&url);
		buf_addf(&url, "/%s/documents/%s/orders", i18n_code(p->language), row->document);
		write_way(p, url.data, SAY_WAY_ORDER);
	}
	if (may(d, ACCESS_HOLD, card) || may(d, ACCESS_DISPOSE, card)) {
		buf_clear(&url);
		buf_addf(&url, "/%s/documents/%s/disposal", i18n_code(p->language), row->document);
		write_way(p, url.data, SAY_DISPOSAL);
	}
	html_raw(&p->h, "</ul></nav>");
	buf_free(&url);
}

/* ---- citing ---- */

/* Where this version is for as long as the archive is: as configured, else as this reader has reached it. */
static void add_address(struct page *p, const struct catalogue_row *row, struct buf *out)
{
	const char *base = session_settings(app_of(p->x))->url, *host = http_header(p->x, "Host");
	struct buf path = BUF_INIT;
	size_t len = strlen(base);

	while (len && base[len - 1] == '/')
		len--;
	document_path(p, row, row->version, "", &path);
	if (len)
		buf_add(out, base, len);
	else
		buf_addf(out, "%s://%s", over_tls(p->x) ? "https" : "http", host ? host : "");
	buf_adds(out, path.data ? path.data : "");
	buf_free(&path);
}

static void add_citation(
    struct page *p, const struct document_view *d, const struct card *card, struct buf *out)
{
	const struct catalogue_row *row = &d->v->row;
	const char *author = json_text(card->fields, "author"),
		   *case_id = json_text(card->fields, "case"),
		   *digest = json_text(card->version, "sha256");
	json_t *record = registry_get(archive_registry(app_of(p->x)->archive), "cases", case_id);
	char date[I18N_SIZE];

	i18n_date(date, row->date);
	if (author) {
		name_add(p, out, "orgs", author);
		buf_adds(out, ": ");
	}
	buf_addf(out, "%s, %s", json_text(card->fields, "title"), date);
	if (json_text(record, "diaryNumber"))
		buf_addf(out, ", %s", json_text(record, "diaryNumber"));
	buf_addf(out, ", %s %u", say(p, SAY_CITE_VERSION), row->version);
	if (!row->whole)
		buf_addf(out, " (%s)", say(p, SAY_RENDITION));
	buf_adds(out, ". ");
	add_address(p, row, out);
	if (d->open && digest)
		buf_addf(out, " (SHA-256 %s)", digest);
	json_decref(record);
}

void document_citation(struct page *p, const struct document_view *d, const struct card *card)
{
	struct buf text = BUF_INIT;

	add_citation(p, d, card, &text);
	html_put(&p->h,
	    "<section class=\"cite\" aria-labelledby=\"cite\"><h2 id=\"cite\">$</h2><p "
	    "class=\"hint\">$</p><p class=\"citation\" id=\"citation\"",
	    say(p, SAY_CITE), say(p, SAY_CITE_HELP));
	page_lang(p, d->v->row.language);
	/* the button is the script's: without it there is a text to mark */
	html_put(&p->h,
	    ">$</p><p><button class=\"quiet\" type=\"button\" data-copy=\"citation\" "
	    "data-copied=\"$\" hidden>$</button> <span role=\"status\"></span></p></section>",
	    text.data ? text.data : "", say(p, SAY_COPIED), say(p, SAY_COPY));
	buf_wipe_free(&text);
}
