/* See paper.h. The text is laid out twice with the same code: once to count the pages, because each carries
 * "n (total)" and the contents name them, then to draw. cairo 1.16 cannot name the language of a document nor say that
 * it is tagged; the catalogue is therefore written once more, with /Lang and /MarkInfo, as an incremental update
 * (ISO 32000-1, 7.5.6). */
#include "api/paper.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

/* Points of 1/72 inch. */
static const double page_width = 595.28, page_height = 841.89;
static const double margin_x = 68, margin_top = 76, margin_bottom = 68, head_y = 48;
static const double item_indent = 14, leading = 1.25, number_width = 40;

enum { OUTLINE_CHARS = 120 };

struct style {
	const char *tag; /* structure element, read out by assistive programs */
	double size;
	double space_above;
	PangoWeight weight;
};

static const struct style styles[] = {
    [PAPER_H1] = {"H1", 17, 0, PANGO_WEIGHT_BOLD},
    [PAPER_H2] = {"H2", 13, 16, PANGO_WEIGHT_BOLD},
    [PAPER_H3] = {"H3", 11, 12, PANGO_WEIGHT_BOLD},
    [PAPER_PARAGRAPH] = {"P", 10.5, 8, PANGO_WEIGHT_NORMAL},
    [PAPER_ITEM] = {"LBody", 10.5, 4, PANGO_WEIGHT_NORMAL},
    [PAPER_HINT] = {"P", 9, 4, PANGO_WEIGHT_NORMAL},
};

struct heading {
	char *text;
	bool minor;
	unsigned int page;
};

struct paper {
	cairo_t *cr;
	cairo_surface_t *surface;
	PangoContext *context;
	double y;
	unsigned int page;
	unsigned int pages; /* 0 while they are being counted: nothing is drawn then */
	const char *tag;    /* open on this page */
	bool led, no_memory;
	struct heading *headings; /* as they were counted */
	size_t headings_len, headings_cap;
	size_t heading;              /* the next, while drawing */
	int outline;                 /* of the last heading 2 */
	double contents_y;           /* where the contents begin; 0: there are none */
	unsigned int contents_pages; /* that they take beyond their first */
};

static PangoLayout *layout_of(
    const struct paper *p, const char *text, double size, PangoWeight weight, double width)
{
	PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans");
	PangoLayout *layout = pango_layout_new(p->context);

	pango_font_description_set_weight(font, weight);
	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	pango_layout_set_font_description(layout, font);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(layout, text, -1);
	pango_font_description_free(font);
	return layout;
}

static void open_tag(struct paper *p, const char *tag)
{
	if (!p->pages)
		return;
	if (!strcmp(tag, "LBody")) {
		cairo_tag_begin(p->cr, "L", NULL);
		cairo_tag_begin(p->cr, "LI", NULL);
	}
	cairo_tag_begin(p->cr, tag, NULL);
	p->tag = tag;
}

static void close_tag(struct paper *p)
{
	if (!p->tag)
		return;
	cairo_tag_end(p->cr, p->tag);
	if (!strcmp(p->tag, "LBody")) {
		cairo_tag_end(p->cr, "LI");
		cairo_tag_end(p->cr, "L");
	}
	p->tag = NULL;
}

static void put_right(const struct paper *p, unsigned int number, unsigned int of, double y)
{
	PangoLayout *layout;
	char text[40];

	if (of)
		snprintf(text, sizeof(text), "%u (%u)", number, of);
	else
		snprintf(text, sizeof(text), "%u", number);
	layout = layout_of(p, text, of ? 9 : 10.5, PANGO_WEIGHT_NORMAL, page_width - 2 * margin_x);
	pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT);
	cairo_move_to(p->cr, margin_x, y);
	pango_cairo_show_layout(p->cr, layout);
	g_object_unref(layout);
}

/* The page number at the head, as on Finnish official letters. */
static void begin_page(struct paper *p)
{
	p->page++;
	p->y = margin_top;
	if (p->pages)
		put_right(p, p->page, p->pages, head_y);
}

static void next_page(struct paper *p)
{
	const char *tag = p->tag;

	close_tag(p);
	if (p->pages)
		cairo_show_page(p->cr);
	begin_page(p);
	if (tag)
		open_tag(p, tag);
}

void paper_new_page(struct paper *p)
{
	if (p->y > margin_top)
		next_page(p);
}

static double line_height(const struct style *style)
{
	return style->size * 1.164 * leading; /* DejaVu Sans: ascent and descent, 1.164 em */
}

/* A heading stays with two lines of what follows, two lines of a paragraph stay together. */
static double least_height(const struct style *style, PangoLayout *layout)
{
	int lines = pango_layout_get_line_count(layout);
	double body = line_height(&styles[PAPER_PARAGRAPH]);

	if (style->weight == PANGO_WEIGHT_BOLD)
		return lines * line_height(style) + styles[PAPER_PARAGRAPH].space_above + 2 * body;
	return (lines < 2 ? 1 : 2) * body;
}

static void put_lines(struct paper *p, PangoLayout *layout, double x)
{
	PangoLayoutIter *iter = pango_layout_get_iter(layout);

	do {
		int top, bottom, baseline = pango_layout_iter_get_baseline(iter);
		double height;

		pango_layout_iter_get_line_yrange(iter, &top, &bottom);
		height = leading * (double)(bottom - top) / PANGO_SCALE;
		if (p->y + height > page_height - margin_bottom)
			next_page(p);
		if (p->pages) {
			cairo_move_to(p->cr, x, p->y + (double)(baseline - top) / PANGO_SCALE);
			pango_cairo_show_layout_line(
			    p->cr, pango_layout_iter_get_line_readonly(iter));
		}
		p->y += height;
	} while (pango_layout_iter_next_line(iter));
	pango_layout_iter_free(iter);
}

/* ---- headings that lead somewhere ---- */

/* One line without what would break it, not longer than an outline should be. */
static char *heading_text(const char *text)
{
	struct buf out = BUF_INIT;
	size_t chars = 0;

	buf_adds(&out, "");
	for (const char *at = text; *at && chars < OUTLINE_CHARS; at++) {
		buf_addc(&out, *at == '\n' ? ' ' : *at);
		chars += ((unsigned char)at[1] & 0xC0) != 0x80;
	}
	if (chars == OUTLINE_CHARS)
		buf_adds(&out, "…");
	return buf_failed(&out) ? NULL : buf_take(&out, NULL);
}

static void count_heading(struct paper *p, const char *text, bool minor)
{
	if (p->headings_len == p->headings_cap) {
		size_t cap = p->headings_cap ? p->headings_cap * 2 : 32;
		struct heading *more = realloc(p->headings, cap * sizeof(*more));

		if (!more) {
			p->no_memory = true;
			return;
		}
		p->headings = more;
		p->headings_cap = cap;
	}
	p->headings[p->headings_len] =
	    (struct heading){.text = heading_text(text), .minor = minor, .page = p->page};
	if (p->headings[p->headings_len].text)
		p->headings_len++;
	else
		p->no_memory = true;
}

/* While drawing: the place that contents and outline lead to. */
static void begin_heading(struct paper *p, bool minor)
{
	char dest[40];
	int at;

	snprintf(dest, sizeof(dest), "dest='h%zu'", p->heading);
	at = cairo_pdf_surface_add_outline(p->surface,
	    minor && p->outline ? p->outline : CAIRO_PDF_OUTLINE_ROOT, p->headings[p->heading].text,
	    dest, minor ? 0 : CAIRO_PDF_OUTLINE_FLAG_OPEN);
	if (!minor)
		p->outline = at;
	snprintf(dest, sizeof(dest), "name='h%zu'", p->heading);
	cairo_tag_begin(p->cr, CAIRO_TAG_DEST, dest);
	p->heading++;
}

static double contents_line(void)
{
	return line_height(&styles[PAPER_PARAGRAPH]) + 3;
}

static void put_entry(struct paper *p, size_t i)
{
	const struct heading *h = &p->headings[i];
	double indent = h->minor ? item_indent : 0;
	PangoLayout *layout = layout_of(p, h->text, 10.5, PANGO_WEIGHT_NORMAL,
	    page_width - 2 * margin_x - indent - number_width);
	char dest[40];

	pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
	pango_layout_set_single_paragraph_mode(layout, TRUE);
	snprintf(dest, sizeof(dest), "dest='h%zu'", i);
	cairo_tag_begin(p->cr, "TOCI", NULL);
	cairo_tag_begin(p->cr, CAIRO_TAG_LINK, dest);
	cairo_move_to(p->cr, margin_x + indent, p->y);
	pango_cairo_show_layout(p->cr, layout);
	put_right(p, h->page + p->contents_pages, 0, p->y);
	cairo_tag_end(p->cr, CAIRO_TAG_LINK);
	cairo_tag_end(p->cr, "TOCI");
	g_object_unref(layout);
}

/* Each entry is one line, so that how many pages they take follows from their number. */
void paper_contents(struct paper *p)
{
	p->contents_y = p->y + styles[PAPER_PARAGRAPH].space_above;
	p->y = p->contents_y;
	open_tag(p, "TOC");
	for (size_t i = 0; p->pages && i < p->headings_len; i++) {
		if (p->y + contents_line() > page_height - margin_bottom)
			next_page(p);
		put_entry(p, i);
		p->y += contents_line();
	}
	close_tag(p);
	next_page(p);
}

static unsigned int contents_take(const struct paper *p)
{
	unsigned int more = 0;
	double y = p->contents_y;

	for (size_t i = 0; i < p->headings_len; i++) {
		if (y + contents_line() > page_height - margin_bottom) {
			more++;
			y = margin_top;
		}
		y += contents_line();
	}
	return more;
}

/* ---- blocks ---- */

/* What does not print, or prints other than it reads. */
static void clean(const char *text, struct buf *out)
{
	size_t left = strlen(text);

	buf_adds(out, "");
	for (const char *at = text; *at;) {
		size_t turn = utf8_turn(at, left - (size_t)(at - text));
		unsigned char c = (unsigned char)*at;

		if (turn) {
			buf_adds(out, "\xEF\xBF\xBD");
			at += turn;
			continue;
		}
		if (c >= 0x20 || c == '\n')
			buf_addc(out, *at);
		else
			buf_addc(out, ' ');
		at++;
	}
}

static void put_bullet(struct paper *p, const struct style *style, PangoLayout *layout)
{
	PangoLayout *bullet = layout_of(p, "•", style->size, style->weight, item_indent);

	cairo_move_to(p->cr, margin_x,
	    p->y + (double)(pango_layout_get_baseline(layout) - pango_layout_get_baseline(bullet)) /
		       PANGO_SCALE);
	pango_cairo_show_layout(p->cr, bullet);
	g_object_unref(bullet);
}

static void put_block(struct paper *p, enum paper_kind kind, const char *text)
{
	const struct style *style = &styles[kind];
	double indent = kind == PAPER_ITEM ? item_indent : 0;
	bool leads = p->led && (kind == PAPER_H2 || kind == PAPER_H3);
	PangoLayout *layout =
	    layout_of(p, text, style->size, style->weight, page_width - 2 * margin_x - indent);

	if (p->y > margin_top)
		p->y += style->space_above;
	if (p->y + least_height(style, layout) > page_height - margin_bottom && p->y > margin_top)
		next_page(p);
	if (leads && !p->pages)
		count_heading(p, text, kind == PAPER_H3);
	leads = leads && p->pages && p->heading < p->headings_len;
	if (leads)
		begin_heading(p, kind == PAPER_H3);
	/* a place that is led to must not begin on another page than its heading */
	if (leads)
		cairo_tag_end(p->cr, CAIRO_TAG_DEST);
	open_tag(p, style->tag);
	if (kind == PAPER_ITEM && p->pages)
		put_bullet(p, style, layout);
	put_lines(p, layout, margin_x + indent);
	close_tag(p);
	g_object_unref(layout);
}

void paper_put(struct paper *p, enum paper_kind kind, const char *text)
{
	struct buf cleaned = BUF_INIT;

	clean(text, &cleaned);
	if (buf_failed(&cleaned))
		p->no_memory = true;
	else
		put_block(p, kind, cleaned.data);
	buf_wipe_free(&cleaned);
}

/* ---- the whole ---- */

static cairo_status_t add_bytes(void *out, const unsigned char *bytes, unsigned int len)
{
	buf_add(out, bytes, len);
	return buf_failed(out) ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static void set_metadata(cairo_surface_t *surface, const struct paper_about *about)
{
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, about->title);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, about->creator);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, about->time);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, about->time);
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

static void put_all(struct paper *p, void (*put)(struct paper *p, void *arg), void *arg)
{
	p->page = 0;
	begin_page(p);
	put(p, arg);
}

static cairo_status_t draw(const struct paper_about *about, void (*put)(struct paper *p, void *arg),
    void *arg, struct buf *out)
{
	cairo_surface_t *surface =
	    cairo_pdf_surface_create_for_stream(add_bytes, out, page_width, page_height);
	PangoFontMap *fonts = pango_cairo_font_map_new();
	struct paper p = {.cr = cairo_create(surface), .surface = surface, .led = about->led};
	cairo_status_t status;

	set_metadata(surface, about);
	p.context = context_of(fonts, p.cr, about->language);
	put_all(&p, put, arg);
	p.contents_pages = p.contents_y > 0 ? contents_take(&p) : 0;
	p.pages = p.page + p.contents_pages;
	cairo_tag_begin(
	    p.cr, "Document", NULL); /* the one root that PDF/UA and its readers expect */
	put_all(&p, put, arg);
	cairo_tag_end(p.cr, "Document");
	cairo_show_page(p.cr);
	status = p.no_memory ? CAIRO_STATUS_NO_MEMORY : cairo_status(p.cr);
	cairo_destroy(p.cr);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	g_object_unref(p.context);
	g_object_unref(fonts);
	for (size_t i = 0; i < p.headings_len; i++)
		free(p.headings[i].text);
	free(p.headings);
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

int paper_draw(const struct paper_about *about, void (*put)(struct paper *p, void *arg), void *arg,
    struct buf *out, struct ark_error *err)
{
	struct buf pdf = {.limit = out->limit};
	cairo_status_t status = draw(about, put, arg, &pdf);
	int rc = ARK_OK;

	if (status != CAIRO_STATUS_SUCCESS)
		rc = ark_fail(err, status == CAIRO_STATUS_NO_MEMORY ? ARK_ENOMEM : ARK_EIO,
		    "cannot draw a PDF: %s", cairo_status_to_string(status));
	else if (!add_language(&pdf, about->language))
		rc = ark_fail(err, ARK_EIO, "cannot name a PDF's language: cairo's has changed");
	if (!rc && !out->len) {
		buf_free(out);
		*out = pdf;
		return rc;
	}
	if (!rc)
		buf_add(out, pdf.data, pdf.len);
	if (!rc && buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a PDF");
	buf_wipe_free(&pdf);
	return rc;
}
