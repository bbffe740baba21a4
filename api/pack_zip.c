/* A visit pack as a ZIP: the PDF, the contents as a page, the original files unread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/html.h"
#include "api/pack_private.h"
#include "arkki/archive/filing.h"
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

static int copy_file(struct pack *p, const struct pack_item *item, struct ark_error *err)
{
	struct content *c = NULL;
	char *block = malloc(BLOCK);
	uint64_t at = 0;
	ssize_t n = 0;
	int rc = block ? reading_content(
			     p->v->app->archive, p->v->receipt, &item->row, item->form, &c, err)
		       : ark_fail(err, ARK_ENOMEM, "no memory for a pack");

	if (!rc)
		rc = package_begin_file(p->package, item->path.data, content_size(c), err);
	while (!rc && (n = content_read(c, at, block, BLOCK, err)) > 0) {
		rc = package_write(p->package, block, (size_t)n, err);
		at += (uint64_t)n;
	}
	if (!rc)
		rc = n < 0 ? (int)n : package_end_file(p->package, NULL, err);
	if (c)
		content_close(c);
	if (block)
		explicit_bzero(block, BLOCK);
	free(block);
	return rc;
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

int pack_zip(struct pack *p, struct ark_error *err)
{
	struct archive *a = p->v->app->archive;
	struct buf page = BUF_INIT, pdf = BUF_INIT;
	int rc = package_new(archive_spool_dir(a), PACKAGE_ZIP, p->name.data, &p->package, err);

	buf_addf(&pdf, "%s.pdf", pack_said(p, SAY_PACK_FILE_NAME));
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].file)
			set_path(&p->items[i], i + 1);
	if (!rc) {
		package_plain(p->package);
		rc = contents(p, pdf.data, &page, err);
	}
	if (!rc)
		rc = package_add(p->package, pdf.data, p->pdf.data, p->pdf.len, err);
	if (!rc)
		rc = package_add(p->package, "contents.html", page.data, page.len, err);
	for (size_t i = 0; !rc && i < p->n; i++) {
		if (!p->items[i].file)
			continue;
		rc = filing_room(a, err);
		if (!rc && buf_failed(&p->items[i].path))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a pack");
		if (!rc)
			rc = copy_file(p, &p->items[i], err);
	}
	if (!rc)
		rc = package_finish(p->package, NULL, NULL, err);
	buf_wipe_free(&page);
	buf_free(&pdf);
	return rc;
}
