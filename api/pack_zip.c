/* A visit pack as a ZIP: the PDF, the contents as a page, the original files unread.
 *
 * It is made while it is sent, a piece whenever the reader has taken the one before: nothing of it waits on disk, and of
 * the files no more than a piece in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/html.h"
#include "api/pack_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { BLOCK = 65536 };

/* "01-tarkastuskertomus.pdf": the number tells the order, and that no two are alike. */
static void set_path(struct pack_item *item, size_t number)
{
	buf_addf(&item->path, "%02zu-", number);
	package_safe_name(&item->path, json_text(item->card.version, "fileName"));
}

/* ---- contents.html ---- */

static void write_item(struct html *h, const struct pack *p, const struct pack_item *item)
{
	struct buf line = BUF_INIT, url = BUF_INIT;
	enum say why = item->why != SAY_COUNT ? item->why : item->why_file;

	pack_line(p, item, &line);
	html_raw(h, "<li dir=\"auto\">");
	if (item->file) {
		percent_encode(&url, item->path.data, item->path.len);
		html_put(h, "<a href=\"$\">$</a>", url.data, line.data);
	} else {
		html_text(h, line.data);
	}
	if (item->open && item->form == FORM_PUBLIC)
		html_put(h, " ($)", pack_said(p, SAY_PACK_RENDITION));
	if (why != SAY_COUNT)
		html_put(h, ": $", pack_said(p, why));
	html_raw(h, "</li>");
	buf_free(&line);
	buf_free(&url);
}

static int contents(const struct pack *p, const char *pdf, struct buf *out, struct ark_error *err)
{
	struct html h = {0};
	struct buf title = BUF_INIT;
	const char *name = i18n_name(p->w.language, p->unit, NULL);
	const char *code = i18n_code(p->w.language);
	char time[I18N_SIZE];
	int64_t time_us = 0;

	(void)clock_parse(p->time, &time_us);
	i18n_time(time, p->w.language, time_us);
	words_say(&p->w, &title, SAY_PACK_TITLE, (const char *const[]){name}, 1);
	html_put(&h,
	    "<!doctype html>\n<html lang=\"$\"><head><meta charset=\"utf-8\"><title>$</title>"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head><body>"
	    "<h1 dir=\"auto\">$</h1><p>$. $</p><ul><li><a "
	    "href=\"$\">PDF</a></li></ul><h2>$</h2><ol>",
	    code, title.data, title.data, time, pack_said(p, SAY_PACK_SEEN), pdf,
	    pack_said(p, SAY_PACK_FILES));
	for (size_t i = 0; i < p->n; i++)
		write_item(&h, p, &p->items[i]);
	html_put(&h, "</ol>$</body></html>\n", p->n ? "" : pack_said(p, SAY_PACK_NONE));
	buf_free(&title);
	*out = h.out;
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a pack") : ARK_OK;
}

/* ---- before anything is sent ---- */

/* Its key, its first and its last bytes. */
static int try_file(const struct pack *p, const struct pack_item *item, struct ark_error *err)
{
	struct content *c = NULL;
	int rc =
	    reading_content(p->v->app->archive, p->v->receipt, &item->row, item->form, &c, err);

	if (!rc)
		content_close(c);
	return rc;
}

static void pdf_path(const struct pack *p, struct buf *out)
{
	buf_addf(out, "%s.pdf", pack_said(p, SAY_PACK_FILE_NAME));
}

int pack_zip(struct pack *p, struct ark_error *err)
{
	struct buf pdf = BUF_INIT;
	int rc = package_flow(PACKAGE_ZIP, p->name.data, &p->flow.package, err);

	pdf_path(p, &pdf);
	for (size_t i = 0; !rc && i < p->n; i++) {
		if (!p->items[i].file)
			continue;
		set_path(&p->items[i], i + 1);
		rc = buf_failed(&p->items[i].path)
			 ? ark_fail(err, ARK_ENOMEM, "no memory for a pack")
			 : try_file(p, &p->items[i], err);
	}
	if (!rc)
		rc = contents(p, pdf.data, &p->page, err);
	buf_free(&pdf);
	return rc;
}

/* ---- while it is sent ---- */

static int begin_pdf(struct pack *p, struct ark_error *err)
{
	struct buf path = BUF_INIT;
	int rc;

	pdf_path(p, &path);
	rc = buf_failed(&path) ? ark_fail(err, ARK_ENOMEM, "no memory for a pack")
			       : package_begin_file(p->flow.package, path.data, p->pdf.len, err);
	buf_free(&path);
	return rc;
}

static int feed_pdf(struct pack *p, struct ark_error *err)
{
	struct pack_flow *f = &p->flow;
	size_t n = p->pdf.len - f->at < BLOCK ? p->pdf.len - f->at : BLOCK;
	int rc = f->at ? ARK_OK : begin_pdf(p, err);

	if (!rc)
		rc = package_write(f->package, p->pdf.data + f->at, n, err);
	f->at += n;
	if (rc || f->at < p->pdf.len)
		return rc;
	f->at = 0;
	f->stage = STAGE_PAGE;
	buf_wipe_free(&p->pdf);
	return package_end_file(f->package, NULL, err);
}

static int feed_files(struct pack *p, struct ark_error *err)
{
	struct pack_flow *f = &p->flow;
	int rc;

	while (f->at < p->n && !p->items[f->at].file)
		f->at++;
	if (f->at == p->n) {
		f->stage = STAGE_END;
		return ARK_OK;
	}
	rc = f->file
		 ? ARK_OK
		 : packing_begin(p->v->app->archive, p->v->receipt, &p->items[f->at].row,
		       p->items[f->at].form, f->package, p->items[f->at].path.data, &f->file, err);
	if (!rc)
		rc = packing_step(f->file, err);
	if (rc == 1)
		return ARK_OK;
	packing_free(f->file);
	f->file = NULL;
	f->at += rc == ARK_OK;
	return rc;
}

static int feed(struct pack *p, struct ark_error *err)
{
	struct pack_flow *f = &p->flow;

	switch (f->stage) {
	case STAGE_PDF:
		return feed_pdf(p, err);
	case STAGE_PAGE:
		f->stage = STAGE_FILES;
		return package_add(f->package, "contents.html", p->page.data, p->page.len, err);
	case STAGE_FILES:
		return feed_files(p, err);
	case STAGE_END:
		f->stage = STAGE_SENT;
		return package_finish(f->package, NULL, NULL, err);
	case STAGE_SENT:
		break;
	}
	return ARK_OK;
}

ssize_t pack_zip_read(void *pack, uint64_t pos, char *out, size_t max)
{
	struct pack *p = pack;
	struct pack_flow *f = &p->flow;
	int rc = p->rc || pos != f->sent;

	while (!rc) {
		size_t n = package_take(f->package, out, max);

		f->sent += n;
		if (n || f->stage == STAGE_SENT)
			return (ssize_t)n;
		rc = p->rc = feed(p, &p->err);
		if (rc)
			pack_note_failed(p, f->stage < STAGE_FILES ? 0 : f->at);
	}
	return -1;
}
