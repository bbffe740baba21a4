/* A document as a scanner sees it: grey pictures of sheets that lay a little askew, with specks, in a PDF
 * without any text. What OCR reads. */
#include "tools/demo.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <string.h>

#include "arkki/base/json.h"

static const double page_width = 595.28, page_height = 841.89; /* points */
static const double margin = 70, dots_a_point = 200.0 / 72, askew = 0.006;

enum { SPECKS = 500 };

struct scan {
	cairo_surface_t *pdf, *sheet;
	cairo_t *cr; /* of the sheet */
	double y;
	unsigned int random;
};

static unsigned int next_random(struct scan *s)
{
	s->random = s->random * 1103515245U + 12345U;
	return s->random >> 8;
}

static void begin_sheet(struct scan *s)
{
	s->sheet = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(page_width * dots_a_point),
	    (int)(page_height * dots_a_point));
	s->cr = cairo_create(s->sheet);
	cairo_set_source_rgb(s->cr, 0.96, 0.96, 0.96);
	cairo_paint(s->cr);
	cairo_set_source_rgb(s->cr, 0.1, 0.1, 0.1);
	cairo_scale(s->cr, dots_a_point, dots_a_point);
	for (int i = 0; i < SPECKS; i++) {
		double x = next_random(s) % 5950 / 10.0, y = next_random(s) % 8410 / 10.0;

		cairo_rectangle(s->cr, x, y, 0.4, 0.4);
	}
	cairo_fill(s->cr);
	cairo_rotate(s->cr, askew);
	s->y = margin;
}

/* The finished sheet becomes a page. */
static void end_sheet(struct scan *s)
{
	cairo_t *page = cairo_create(s->pdf);

	cairo_destroy(s->cr);
	cairo_scale(page, 1 / dots_a_point, 1 / dots_a_point);
	cairo_set_source_surface(page, s->sheet, 0, 0);
	cairo_paint(page);
	cairo_show_page(page);
	cairo_destroy(page);
	cairo_surface_destroy(s->sheet);
}

static void put_block(struct scan *s, const struct demo_block *block)
{
	static const int sizes[] = {[DEMO_H1] = 18,
	    [DEMO_H2] = 14,
	    [DEMO_H3] = 12,
	    [DEMO_PARAGRAPH] = 11,
	    [DEMO_ITEM] = 11};
	PangoLayout *layout = pango_cairo_create_layout(s->cr);
	PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans");
	int height;

	pango_font_description_set_absolute_size(font, sizes[block->kind] * PANGO_SCALE);
	pango_layout_set_font_description(layout, font);
	pango_layout_set_width(layout, (int)((page_width - 2 * margin) * PANGO_SCALE));
	pango_layout_set_text(layout, block->text, -1);
	pango_layout_get_size(layout, NULL, &height);
	if (s->y > margin && s->y + (double)height / PANGO_SCALE > page_height - margin) {
		end_sheet(s);
		begin_sheet(s);
	}
	cairo_move_to(s->cr, margin, s->y);
	pango_cairo_update_layout(s->cr, layout);
	pango_cairo_show_layout(s->cr, layout);
	s->y += (double)height / PANGO_SCALE + 12;
	pango_font_description_free(font);
	g_object_unref(layout);
}

static cairo_status_t add_bytes(void *out, const unsigned char *bytes, unsigned int len)
{
	buf_add(out, bytes, len);
	return buf_failed(out) ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

int demo_scan(const struct demo_version *v, struct buf *out, struct ark_error *err)
{
	struct scan s = {.random = 1,
	    .pdf = cairo_pdf_surface_create_for_stream(add_bytes, out, page_width, page_height)};
	char date[32];
	cairo_status_t status;

	snprintf(date, sizeof(date), "%sT09:00:00Z", v->date);
	cairo_pdf_surface_set_metadata(s.pdf, CAIRO_PDF_METADATA_CREATOR, "arkki demo");
	cairo_pdf_surface_set_metadata(s.pdf, CAIRO_PDF_METADATA_CREATE_DATE, date);
	begin_sheet(&s);
	for (size_t i = 0; i < v->blocks; i++)
		put_block(&s, &v->block[i]);
	end_sheet(&s);
	cairo_surface_finish(s.pdf);
	status = cairo_surface_status(s.pdf);
	cairo_surface_destroy(s.pdf);
	if (status != CAIRO_STATUS_SUCCESS)
		return ark_fail(err, status == CAIRO_STATUS_NO_MEMORY ? ARK_ENOMEM : ARK_EIO,
		    "cannot draw a scan: %s", cairo_status_to_string(status));
	return ARK_OK;
}
