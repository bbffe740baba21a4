/* The story of a visit pack. */
#include "api/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pack_private.h"
#include "api/registers.h"
#include "arkki/api/http_range.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static void pack_free(void *arg)
{
	struct pack *p = arg;

	past_work_end(&p->work);
	for (size_t i = 0; i < p->n; i++) {
		catalogue_row_free(&p->items[i].row);
		card_free(&p->items[i].card);
		buf_wipe_free(&p->items[i].text);
		buf_wipe_free(&p->items[i].path);
	}
	json_decref(p->unit);
	json_decref(p->events);
	json_decref(p->orders);
	packing_free(p->flow.file);
	package_free(p->flow.package);
	buf_wipe_free(&p->page);
	buf_wipe_free(&p->pdf);
	buf_free(&p->name);
	free(p);
}

const char *pack_said(const struct pack *p, enum say what)
{
	return i18n_text(p->w.language, what);
}

void pack_line(const struct pack *p, const struct pack_item *item, struct buf *out)
{
	const char *title = json_text(item->card.fields, "title");
	char day[I18N_SIZE], version[16];

	i18n_date(day, item->row.date);
	snprintf(version, sizeof(version), "%u", item->row.version);
	words_say(&p->w, out, SAY_PACK_LINE, (const char *const[]){title, day, version}, 3);
}

/* ---- opening: in the thread of the work ---- */

/* What goes with the form that is shown. */
static int open_card(struct pack *p, struct pack_item *item, struct ark_error *err)
{
	struct archive *a = p->v->app->archive;
	int rc = shown_card(a, p->v->receipt, &item->row, &item->card, err);

	if (rc || !item->open || item->form != FORM_PUBLIC || !item->row.whole)
		return rc;
	json_decref(item->card.version);
	item->card.version = NULL;
	return reading_version(a, p->v->receipt, &item->row, FORM_PUBLIC, &item->card.version, err);
}

static size_t whole_characters(const char *text, size_t len, size_t most)
{
	size_t n = len < most ? len : most;

	while (n < len && n && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	return n;
}

/* left: how much text the pack still takes. */
static int open_text(struct pack *p, struct pack_item *item, size_t *left, struct ark_error *err)
{
	const char *state =
	    item->form == FORM_WHOLE ? item->row.text_state : item->row.rendition.text_state;
	size_t most = *left < PACK_TEXT ? *left : PACK_TEXT, n;
	int rc;

	item->why_text =
	    !state || strcmp(state, "pending") == 0 ? SAY_PACK_TEXT_LATER : SAY_PACK_NO_TEXT;
	if (!state || strcmp(state, "ready") != 0)
		return ARK_OK;
	rc = reading_text(
	    p->v->app->archive, p->v->receipt, &item->row, item->form, &item->text, err);
	if (rc == ARK_ENOTFOUND) { /* the cache was lost: it comes again */
		item->why_text = SAY_PACK_TEXT_LATER;
		return ARK_OK;
	}
	item->why_text = SAY_COUNT;
	if (rc || !item->text.data)
		return rc;
	n = whole_characters(item->text.data, item->text.len, most);
	if (n < item->text.len) {
		item->why_text = SAY_PACK_TEXT_CUT;
		explicit_bzero(item->text.data + n, item->text.len - n);
		item->text.len = n;
	}
	*left -= n;
	return rc;
}

static int open_item(struct pack *p, struct pack_item *item, size_t *left, struct ark_error *err)
{
	struct access_decision d;
	int rc = open_card(p, item, err);

	if (rc || item->open)
		return rc ? rc : open_text(p, item, left, err);
	if (item->why != SAY_COUNT)
		return rc;
	d = caller_decides(
	    p->v->caller, p->v->app, ACCESS_READ_CONTENT, item->card.fields, false, err);
	item->why = d.outcome == ACCESS_NEEDS_PURPOSE ? SAY_PACK_CLOSED_PURPOSE : SAY_PACK_CLOSED;
	return rc;
}

static void make(void *arg)
{
	struct pack *p = arg;
	size_t left = PACK_TEXTS;

	for (size_t i = 0; !p->rc && i < p->n; i++)
		p->rc = open_item(p, &p->items[i], &left, &p->err);
	if (!p->rc)
		p->rc = pack_pdf(p, &p->err);
	for (size_t i = 0; i < p->n; i++)
		buf_wipe_free(&p->items[i].text);
	if (!p->rc && p->kind == PACK_ZIP)
		p->rc = pack_zip(p, &p->err);
}

/* ---- sending ---- */

static void answer(struct exchange *x)
{
	struct pack *p = visit_of(x)->more;
	struct buf disposition = BUF_INIT;

	if (p->rc) {
		pack_note_failed(p, 0);
		http_reply_error(x, &p->err);
		return;
	}
	buf_adds(&p->name, p->kind == PACK_PDF ? ".pdf" : ".zip");
	content_disposition(&disposition, "attachment", p->name.data);
	if (!buf_failed(&disposition) && disposition.data)
		http_reply_header(x, "Content-Disposition", disposition.data);
	http_reply_header(x, "Cache-Control", "private, no-store");
	if (p->kind == PACK_PDF)
		http_reply_buf(x, 200, "application/pdf", &p->pdf);
	else
		http_reply_stream(
		    x, 200, "application/zip", HTTP_LENGTH_UNKNOWN, pack_zip_read, NULL, p);
	buf_free(&disposition);
}

static void logged(struct exchange *x)
{
	struct pack *p = visit_of(x)->more;

	if (!past_work_begin(&p->work, answer))
		pack_note_failed(p, 0);
}

/* ---- logging ---- */

static struct ledger_record export_entry(
    const struct pack *p, const struct pack_item *item, bool public)
{
	static const char *const details[2][2] = {
	    [PACK_PDF] = {"{\"pack\":\"pdf\"}", "{\"pack\":\"pdf\",\"rendition\":\"public\"}"},
	    [PACK_ZIP] = {"{\"pack\":\"zip\"}", "{\"pack\":\"zip\",\"rendition\":\"public\"}"}};
	struct ledger_record r = visit_record(p->v, "export");

	r.detail = details[p->kind][public];
	if (item) {
		r.document = item->row.document;
		r.version = item->row.version;
		r.author = item->row.author[0] ? item->row.author : NULL;
	}
	return r;
}

void pack_note_failed(const struct pack *p, size_t from)
{
	struct ledger_record records[PACK_DOCUMENTS_MAX + 1];
	bool files_alone = p->flow.stage >= STAGE_FILES; /* the texts have gone, in the PDF */
	size_t n = 0;
	int rc;

	records[n++] = export_entry(p, NULL, false);
	for (size_t i = from; i < p->n; i++)
		if (p->items[i].open && (!files_alone || p->items[i].file))
			records[n++] =
			    export_entry(p, &p->items[i], p->items[i].form == FORM_PUBLIC);
	for (size_t i = 0; i < n; i++)
		records[i].outcome = LEDGER_FAILED;
	/* nobody waits for it: a log that cannot take it says so by itself */
	rc = ledger_append(
	    archive_ledger(p->v->app->archive, LEDGER_ACCESS), records, n, NULL, NULL, NULL);
	(void)rc;
}

static void log_all(struct exchange *x, const struct pack *p)
{
	struct ledger_record records[PACK_DOCUMENTS_MAX + 1];
	size_t n = 0;

	records[n++] =
	    export_entry(p, NULL, false); /* that it was made: also where it holds no document */
	for (size_t i = 0; i < p->n; i++) {
		const struct pack_item *item = &p->items[i];
		bool public = item->open && item->form == FORM_PUBLIC;

		records[n] = export_entry(p, item, public);
		if (item->open)
			records[n].bytes = public ? item->row.rendition.size : item->row.size;
		n++;
	}
	visit_log(x, records, n, logged);
}

/* ---- gathering ---- */

static json_t *newest(const json_t *events)
{
	json_t *list = json_array(), *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		if (list && i < PACK_EVENTS && json_array_append(list, event)) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* NULL: no memory. */
static struct pack *pack_new(
    struct exchange *x, const struct timeline *t, const char *unit, enum http_language language)
{
	struct pack *p = calloc(1, sizeof(*p));
	json_t *record;
	char day[11];

	if (!p)
		return NULL;
	p->v = visit_of(x);
	p->w = (struct words){archive_registry(p->v->app->archive), language};
	p->work = (struct past_work){.x = x, .app = p->v->app, .make = make, .arg = p};
	record = registry_get(p->w.registry, "units", unit);
	p->unit = record ? unit_shown(x, record) : NULL;
	json_decref(record);
	p->events = newest(t->events);
	p->orders = json_deep_copy(t->orders);
	p->pdf.limit = PACK_PDF_MAX;
	clock_format(p->time, clock_now_us());
	clock_day(day, clock_now_us());
	buf_addf(&p->name, "%s-%s-%s", pack_said(p, SAY_PACK_FILE_NAME), unit, day);
	if (p->unit && p->events && p->orders && !buf_failed(&p->name))
		return p;
	pack_free(p);
	return NULL;
}

void pack_begin(struct exchange *x, const struct timeline *t, const char *unit, enum pack_kind kind,
    enum http_language language)
{
	struct visit *v = visit_of(x);
	struct pack *p = pack_new(x, t, unit, language);
	struct ark_error err = {0};

	if (!p) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	p->kind = kind;
	if (v->more_free)
		v->more_free(v->more);
	v->more = p;
	v->more_free = pack_free;
	if (pack_gather(p, &err))
		http_reply_error(x, &err);
	else if (past_work_place(&p->work))
		log_all(x, p);
}

struct timeline_asked pack_asked(const char *unit)
{
	return (struct timeline_asked){.unit = unit, .limit = PACK_EVENTS + 1};
}

/* ---- POST /v1/units/{u}/pack ---- */

/* The body: {"format":"pdf"|"zip"}, or nothing for a ZIP. NULL: replied. */
static const char *format_of(struct exchange *x)
{
	static const char *const formats[] = {"zip", "pdf"};
	struct ark_error err = {0};
	json_t *wish = NULL;
	size_t len;
	const char *body = http_body(x, &len), *format, *ret = NULL;

	if (!len)
		return formats[0];
	if (json_read(body, len, &wish, &err)) {
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
		return NULL;
	}
	if (!http_content_is(x, "application/json")) {
		http_reply_problem(x, 415, "json-needed", "Send application/json.", NULL);
		json_decref(wish);
		return NULL;
	}
	format = json_text(wish, "format");
	for (size_t i = 0; format && json_object_size(wish) == 1 && i < 2; i++)
		if (strcmp(format, formats[i]) == 0)
			ret = formats[i];
	if (json_is_object(wish) && !json_object_size(wish))
		ret = formats[0];
	if (!ret)
		http_reply_problem(x, 422, "pack", NULL,
		    json_pack("[{s:s,s:s,s:s}]", "field", "format", "code", "unknown", "detail",
			"format must be pdf or zip, and nothing else is asked for"));
	json_decref(wish);
	return ret;
}

static void show_pdf(struct exchange *x, const struct timeline *t)
{
	pack_begin(x, t, http_param(x, 0), PACK_PDF, http_language(x));
}

static void show_zip(struct exchange *x, const struct timeline *t)
{
	pack_begin(x, t, http_param(x, 0), PACK_ZIP, http_language(x));
}

void units_pack(struct exchange *x)
{
	const struct timeline_asked what = pack_asked(http_param(x, 0));
	const char *format;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	if (!registry_has(archive_registry(app_of(x)->archive), "units", what.unit)) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	format = format_of(x);
	if (format && past_work_room(x))
		timeline_show(x, &what, strcmp(format, "pdf") == 0 ? show_pdf : show_zip);
}
