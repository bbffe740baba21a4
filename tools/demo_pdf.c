/* A document as an A4 PDF.
 *
 * The text is laid out twice with the same code: once to count the pages,
 * because each page carries "n (total)", then to draw. cairo 1.16 cannot name
 * the language of a document nor say that it is tagged; the catalogue is
 * therefore written once more, with /Lang and /MarkInfo, as an incremental update (ISO 32000-1, 7.5.6).
 */
#include "tools/demo.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"

/* Points of 1/72 inch. */
static const double page_width = 595.28, page_height = 841.89;
static const double margin_x = 68, margin_top = 76, margin_bottom = 68, head_y = 48;
static const double item_indent = 14, leading = 1.25;

struct style {
	const char *tag; /* structure element, read out by assistive programs */
	double size;
	double space_above;
	PangoWeight weight;
};

static const struct style styles[] = {
    [DEMO_H1] = {"H1", 17, 0, PANGO_WEIGHT_BOLD},
    [DEMO_H2] = {"H2", 13, 16, PANGO_WEIGHT_BOLD},
    [DEMO_H3] = {"H3", 11, 12, PANGO_WEIGHT_BOLD},
    [DEMO_PARAGRAPH] = {"P", 10.5, 8, PANGO_WEIGHT_NORMAL},
    [DEMO_ITEM] = {"LBody", 10.5, 4, PANGO_WEIGHT_NORMAL},
};

struct run {
	cairo_t *cr;
	PangoContext *context;
	double y;
	unsigned int page;
	unsigned int pages; /* 0 while they are being counted: nothing is drawn then */
	const char *tag;    /* open on this page */
};

static PangoLayout *layout_of(
    const struct run *run, const char *text, double size, PangoWeight weight, double width)
{
	PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans");
	PangoLayout *layout = pango_layout_new(run->context);

	pango_font_description_set_weight(font, weight);
	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	pango_layout_set_font_description(layout, font);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(layout, text, -1);
	pango_font_description_free(font);
	return layout;
}

static void open_tag(struct run *run, const char *tag)
{
	if (!run->pages)
		return;
	if (!strcmp(tag, "LBody")) {
		cairo_tag_begin(run->cr, "L", NULL);
		cairo_tag_begin(run->cr, "LI", NULL);
	}
	cairo_tag_begin(run->cr, tag, NULL);
	run->tag = tag;
}

static void close_tag(struct run *run)
{
	if (!run->tag)
		return;
	cairo_tag_end(run->cr, run->tag);
	if (!strcmp(run->tag, "LBody")) {
		cairo_tag_end(run->cr, "LI");
		cairo_tag_end(run->cr, "L");
	}
	run->tag = NULL;
}

/* The page number at the head, as on Finnish official letters. */
static void begin_page(struct run *run)
{
	PangoLayout *layout;
	char number[40];

	run->page++;
	run->y = margin_top;
	if (!run->pages)
		return;
	snprintf(number, sizeof(number), "%u (%u)", run->page, run->pages);
	layout = layout_of(run, number, 9, PANGO_WEIGHT_NORMAL, page_width - 2 * margin_x);
	pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT);
	cairo_move_to(run->cr, margin_x, head_y);
	pango_cairo_show_layout(run->cr, layout);
	g_object_unref(layout);
}

static void next_page(struct run *run)
{
	const char *tag = run->tag;

	close_tag(run);
	if (run->pages)
		cairo_show_page(run->cr);
	begin_page(run);
	if (tag)
		open_tag(run, tag);
}

static double line_height(const struct style *style)
{
	return style->size * 1.164 * leading; /* DejaVu Sans: ascent and descent, 1.164 em */
}

/* A heading stays with two lines of what follows, two lines of a paragraph stay together. */
static double least_height(const struct style *style, PangoLayout *layout)
{
	int lines = pango_layout_get_line_count(layout);
	double body = line_height(&styles[DEMO_PARAGRAPH]);

	if (style->weight == PANGO_WEIGHT_BOLD)
		return lines * line_height(style) + styles[DEMO_PARAGRAPH].space_above + 2 * body;
	return (lines < 2 ? 1 : 2) * body;
}

static void put_lines(struct run *run, PangoLayout *layout, double x)
{
	PangoLayoutIter *iter = pango_layout_get_iter(layout);

	do {
		int top, bottom, baseline = pango_layout_iter_get_baseline(iter);
		double height;

		pango_layout_iter_get_line_yrange(iter, &top, &bottom);
		height = leading * (double)(bottom - top) / PANGO_SCALE;
		if (run->y + height > page_height - margin_bottom)
			next_page(run);
		if (run->pages) {
			cairo_move_to(run->cr, x, run->y + (double)(baseline - top) / PANGO_SCALE);
			pango_cairo_show_layout_line(
			    run->cr, pango_layout_iter_get_line_readonly(iter));
		}
		run->y += height;
	} while (pango_layout_iter_next_line(iter));
	pango_layout_iter_free(iter);
}

static void put_block(struct run *run, const struct demo_block *block)
{
	const struct style *style = &styles[block->kind];
	double indent = block->kind == DEMO_ITEM ? item_indent : 0;
	PangoLayout *layout, *bullet;

	layout = layout_of(
	    run, block->text, style->size, style->weight, page_width - 2 * margin_x - indent);
	if (run->y > margin_top)
		run->y += style->space_above;
	if (run->y + least_height(style, layout) > page_height - margin_bottom)
		next_page(run);
	open_tag(run, style->tag);
	if (block->kind == DEMO_ITEM && run->pages) {
		bullet = layout_of(run, "•", style->size, style->weight, item_indent);
		cairo_move_to(run->cr, margin_x,
		    run->y + (double)(pango_layout_get_baseline(layout) -
				      pango_layout_get_baseline(bullet)) /
				 PANGO_SCALE);
		pango_cairo_show_layout(run->cr, bullet);
		g_object_unref(bullet);
	}
	put_lines(run, layout, margin_x + indent);
	close_tag(run);
	g_object_unref(layout);
}

static void put_document(struct run *run, const struct demo_version *v)
{
	run->page = 0;
	begin_page(run);
	for (size_t i = 0; i < v->blocks; i++)
		put_block(run, &v->block[i]);
}

static cairo_status_t add_bytes(void *out, const unsigned char *bytes, unsigned int len)
{
	buf_add(out, bytes, len);
	return buf_failed(out) ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static void set_metadata(cairo_surface_t *surface, const struct demo_version *v)
{
	char date[40];

	snprintf(date, sizeof(date), "%sT09:00:00Z", v->date);
	cairo_pdf_surface_set_metadata(
	    surface, CAIRO_PDF_METADATA_TITLE, json_text(v->whole, "title"));
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "arkki demo");
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, date);
}

/* Unhinted metrics: the line breaks must not depend on a machine's font settings. */
static PangoContext *context_of(PangoFontMap *fonts, cairo_t *cr, const char *language)
{
	PangoContext *context = pango_font_map_create_context(fonts);
	cairo_font_options_t *options = cairo_font_options_create();

	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	pango_cairo_context_set_font_options(context, options);
	pango_cairo_context_set_resolution(context, 72);
	pango_context_set_language(context, pango_language_from_string(language));
	pango_cairo_update_context(cr, context);
	cairo_font_options_destroy(options);
	return context;
}

static cairo_status_t draw(const struct demo_version *v, struct buf *out)
{
	cairo_surface_t *surface =
	    cairo_pdf_surface_create_for_stream(add_bytes, out, page_width, page_height);
	PangoFontMap *fonts = pango_cairo_font_map_new();
	struct run run = {.cr = cairo_create(surface)};
	cairo_status_t status;

	set_metadata(surface, v);
	run.context = context_of(fonts, run.cr, json_text(v->whole, "language"));
	put_document(&run, v);
	run.pages = run.page;
	put_document(&run, v);
	cairo_show_page(run.cr);
	status = cairo_status(run.cr);
	cairo_destroy(run.cr);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	g_object_unref(run.context);
	g_object_unref(fonts);
	return status;
}

/* The last place where `needle` stands in out, or NULL. */
static const char *find_last(const struct buf *out, const char *needle)
{
	size_t len = strlen(needle);

	for (size_t i = out->len >= len ? out->len - len + 1 : 0; i-- > 0;)
		if (!memcmp(out->data + i, needle, len))
			return out->data + i;
	return NULL;
}

static const char *number_after(const struct buf *out, const char *key, unsigned long *ret)
{
	const char *at = find_last(out, key);
	char *end;

	if (!at)
		return NULL;
	*ret = strtoul(at + strlen(key), &end, 10);
	return end;
}

/* Appends a catalogue with the language, a cross-reference section and a trailer. */
static bool add_language(struct buf *out, const char *language)
{
	unsigned long root, info, size, previous;
	const char *object, *end, *dict;
	char head[40];
	size_t offset, xref;
	char *catalogue;

	if (!number_after(out, "/Root ", &root) || !number_after(out, "/Info ", &info) ||
	    !number_after(out, "/Size ", &size) || !number_after(out, "startxref\n", &previous))
		return false;
	snprintf(head, sizeof(head), "\n%lu 0 obj\n", root);
	object = find_last(out, head);
	end = object ? strstr(object, "endobj") : NULL;
	dict = end ? strstr(object, "<<") : NULL;
	if (!dict || dict > end)
		return false;
	catalogue = strndup(dict + 2, (size_t)(end - dict - 2));
	if (!catalogue)
		return false;
	offset = out->len;
	buf_addf(out, "%lu 0 obj\n<< /Lang (%s)\n", root, language);
	buf_adds(out, "   /ViewerPreferences << /DisplayDocTitle true >>\n");
	if (!strstr(catalogue, "/MarkInfo"))
		buf_adds(out, "   /MarkInfo << /Marked true >>");
	buf_addf(out, "%sendobj\n", catalogue);
	free(catalogue);
	xref = out->len;
	buf_addf(out, "xref\n%lu 1\n%010zu 00000 n \n", root, offset);
	buf_addf(out, "trailer\n<< /Size %lu /Root %lu 0 R /Info %lu 0 R /Prev %lu >>\n", size,
	    root, info, previous);
	buf_addf(out, "startxref\n%zu\n%%%%EOF\n", xref);
	return !buf_failed(out);
}

int demo_render_pdf(
    const struct demo_document *doc, size_t at, struct buf *out, struct ark_error *err)
{
	const struct demo_version *v = &doc->version[at];
	struct buf pdf = BUF_INIT;
	cairo_status_t status = draw(v, &pdf);
	int rc = ARK_OK;

	if (status != CAIRO_STATUS_SUCCESS)
		rc = ark_fail(err, status == CAIRO_STATUS_NO_MEMORY ? ARK_ENOMEM : ARK_EIO,
		    "cannot draw %s: %s", doc->name, cairo_status_to_string(status));
	else if (!add_language(&pdf, json_text(v->whole, "language")))
		rc = ark_fail(err, ARK_EIO,
		    "cannot set the language of %s: cairo's PDF has changed", doc->name);
	if (rc == ARK_OK) {
		buf_add(out, pdf.data, pdf.len);
		if (buf_failed(out))
			rc = ark_fail(err, ARK_ENOMEM, "no memory to render %s", doc->name);
	}
	buf_free(&pdf);
	return rc;
}
