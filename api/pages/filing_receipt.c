/* What a filing became: id, version, time, digest, who is able to read it, and what comes next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/pages/document.h"
#include "api/pages/filing.h"
#include "api/pages/readers.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct receipt_view { /* the visit's `more` */
	struct upload_state u;
	struct readers *readers;
};

static void view_free(void *arg)
{
	struct receipt_view *r = arg;

	readers_free(r->readers);
	upload_state_free(&r->u);
	free(r);
}

static void write_facts(
    struct page *p, const struct visit *v, const struct card *card, bool rendition)
{
	char n[16];

	snprintf(n, sizeof(n), "%u", v->row.version);
	html_raw(&p->h, "<dl class=\"facts\">");
	fact_text(p, SAY_FILING_DOCUMENT, json_text(card->fields, "title"));
	fact_text(p, SAY_IDENTIFIER, v->row.document);
	fact_text(p, SAY_RECEIPT_VERSION, n);
	fact_begin(p, SAY_FILED);
	html_raw(&p->h, ">");
	page_time(p, json_text(card->version, "time"));
	html_put(&p->h, "</dd></div><div><dt>$</dt><dd class=\"code\">$</dd></div>",
	    say(p, SAY_DIGEST), json_text(card->version, "sha256"));
	fact_publicity(p, json_object_get(card->fields, "publicity"), true);
	if (rendition)
		fact_text(p, SAY_RENDITION_FILED, say(p, SAY_RECEIPT_RENDITION));
	html_raw(&p->h, "</dl>");
}

static void next_link(struct page *p, const struct buf *url, enum say text)
{
	html_put(&p->h, "<li><a href=\"$\">$</a></li>", url->data, say(p, text));
}

static void write_next(
    struct page *p, const struct visit *v, const struct card *card, bool rendition)
{
	const char *class = json_text(json_object_get(card->fields, "publicity"), "class");
	const char *unit =
	    json_string_value(json_array_get(json_object_get(card->fields, "units"), 0));
	const char *number = json_text(card->fields, "case");
	struct buf url = BUF_INIT;
	char n[16];

	snprintf(n, sizeof(n), "%u", v->row.version);
	html_put(&p->h, "<h2>$</h2><ul class=\"plain next\">", say(p, SAY_RECEIPT_NEXT));
	document_path(p, &v->row, 0, "", &url);
	next_link(p, &url, SAY_RECEIPT_DOCUMENT);
	if (!rendition && class && strcmp(class, "public") != 0) {
		buf_clear(&url);
		buf_addf(&url, "/%s/file/new", i18n_code(p->language));
		url_add(&url, "document", v->row.document);
		url_add(&url, "rendition", n);
		next_link(p, &url, SAY_RECEIPT_FILE_RENDITION);
	}
	if (number) {
		buf_clear(&url);
		buf_addf(&url, "/%s/cases/%s", i18n_code(p->language), number);
		next_link(p, &url, SAY_RECEIPT_ORDER);
	}
	buf_clear(&url);
	buf_addf(&url, "/%s/file/new", i18n_code(p->language));
	url_add(&url, "unit", unit);
	url_add(&url, "case", number);
	next_link(p, &url, number ? SAY_RECEIPT_ANOTHER : SAY_RECEIPT_ANOTHER_UNIT);
	html_raw(&p->h, "</ul>");
	buf_free(&url);
}

static void show(struct exchange *x)
{
	struct visit *v = visit_of(x);
	const struct receipt_view *r = v->more;
	bool rendition = draft_rendition(r->u.draft) != 0;
	struct card card = {0};
	struct ark_error err = r->readers->error;
	json_t *meta = NULL;
	struct page p;
	int rc = err.status;

	if (!rc)
		rc = reading_card(v->app->archive, v->receipt, &v->row, &card, &err);
	if (!rc && rendition && v->row.rendition.number)
		rc =
		    reading_version(v->app->archive, v->receipt, &v->row, FORM_PUBLIC, &meta, &err);
	if (rc) {
		card_free(&card);
		http_reply_error(x, &err);
		return;
	}
	if (meta) {
		json_decref(card.version);
		card.version = meta;
	}
	page_begin(&p, x, form_said(x, SAY_RECEIPT));
	html_put(&p.h, "<div class=\"narrow receipt\"><h1>$</h1>",
	    say(&p, rendition ? SAY_RECEIPT_RENDITION_DONE : SAY_RECEIPT));
	if (http_query(x, "again"))
		html_put(&p.h, "<p class=\"note\">$</p>", say(&p, SAY_RECEIPT_AGAIN));
	write_facts(&p, v, &card, rendition);
	readers_brief(&p, r->readers);
	write_next(&p, v, &card, rendition);
	html_raw(&p.h, "</div>");
	card_free(&card);
	page_end(&p, 200);
}

static void ask_readers(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct receipt_view *r = v->more;
	struct readers *k = calloc(1, sizeof(*k));
	struct ark_error err;

	r->readers = k;
	if (!k) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	k->v = v;
	k->work = (struct past_work){.x = x, .app = v->app, .make = readers_ask, .arg = k};
	if (readers_open(k, &err))
		http_reply_error(x, &err);
	else if (k->groups && past_work_take(&k->work))
		past_work_begin(&k->work, show);
	else
		show(
		    x); /* it is filed: when all places are taken, that is said without its readers */
}

/* Filed, and not the filer's to read: the page says only that. */
static void show_blind(struct exchange *x, const struct upload_state *u)
{
	struct page p;
	char n[16];

	snprintf(n, sizeof(n), "%u", u->version);
	page_begin(&p, x, form_said(x, SAY_RECEIPT));
	html_put(&p.h, "<div class=\"narrow receipt\"><h1>$</h1><dl class=\"facts\">",
	    say(&p, SAY_RECEIPT));
	fact_text(&p, SAY_IDENTIFIER, u->document);
	fact_text(&p, SAY_RECEIPT_VERSION, n);
	html_raw(&p.h, "</dl></div>");
	page_end(&p, 200);
}

void page_file_receipt(struct exchange *x)
{
	const char *id = http_param(x, 0);
	struct visit *v = visit_of(x);
	struct ledger_record record;
	struct receipt_view *r;
	struct ark_error err;
	int rc;

	if (!v || !filing_allowed(x))
		return;
	if (!docid_valid(id)) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	v->more = r;
	v->more_free = view_free;
	rc = uploads_get(x, id, &r->u, &err);
	if (rc) {
		http_reply_error(x, &err);
	} else if (!r->u.document[0]) {
		sheet_go(x, id, "");
	} else if (visit_find(v, r->u.document, r->u.version, &err) || !v->row.whole) {
		show_blind(x, &r->u);
	} else {
		record = visit_record(v, "metadata");
		record.detail = "{\"readers\":\"shown\"}";
		visit_log(x, &record, 1, ask_readers);
	}
}
