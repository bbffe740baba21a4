/* PDF by poppler-glib: lines as poppler orders them, paragraphs by the space between lines, and
 * words that a line end divided made whole again. */
#include <glib.h>
#include <math.h>
#include <poppler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/formats/format.h"
#include "index/formats/hyphen.h"
#include "index/formats/program.h"
#include "index/formats/pdf_files.h"
#include "index/formats/pdf_tables.h"

enum { PDF_PAGES = 50000, PDF_LINES = 1000000 };

struct line {
	const char *text;
	size_t len;
	const PopplerRectangle *rect; /* one for each character; NULL: not known */
	double top, bottom; /* in points from the top of the page; top > bottom: not known */
};

/* g_utf8_next_char() casts const away. */
static const char *next_char(const char *p)
{
	return p + g_utf8_skip[*(const guchar *)p];
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The usual distance between the tops of two lines that follow each other; 0: not known. */
static double usual_pitch(const struct line *lines, size_t n)
{
	double *pitch = g_try_new(double, n), median = 0;
	size_t used = 0;

	if (!pitch)
		return 0;
	for (size_t i = 0; i + 1 < n; i++) {
		double step = lines[i + 1].top - lines[i].top;
		double height = lines[i].bottom - lines[i].top;

		if (height > 0 && step > height / 2 && step < 3 * height)
			pitch[used++] = step;
	}
	if (used) {
		qsort(pitch, used, sizeof(*pitch), by_value);
		median = pitch[used / 2];
	}
	g_free(pitch);
	return median;
}

/* A wider step down, a step up (the next column) or another size of letters. */
static bool paragraph_between(const struct line *a, const struct line *b, double pitch)
{
	double step = b->top - a->top, tall = a->bottom - a->top, other = b->bottom - b->top;

	if (tall <= 0 || other <= 0)
		return false;
	if (step < -tall || fabs(tall - other) > 0.25 * fmax(tall, other))
		return true;
	return pitch > 0 && step > 1.35 * pitch;
}

/* rect: one for each character of text, or NULL. */
static size_t split_lines(
    const char *text, const PopplerRectangle *rect, struct line *lines, size_t room)
{
	size_t n = 0, at = 0;

	for (const char *p = text; *p && n < room;) {
		struct line l = {.text = p, .top = INFINITY, .bottom = -INFINITY};
		size_t first = at;
		const char *end;

		for (; *p && *p != '\n'; p = next_char(p), at++) {
			if (!rect || *p == ' ')
				continue;
			l.top = fmin(l.top, fmin(rect[at].y1, rect[at].y2));
			l.bottom = fmax(l.bottom, fmax(rect[at].y1, rect[at].y2));
		}
		end = p;
		while (end > l.text && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		l.len = (size_t)(end - l.text);
		l.rect = rect ? rect + first : NULL;
		if (*p)
			p++, at++;
		if (l.len)
			lines[n++] = l;
	}
	return n;
}

static double apart(double a1, double a2, double b1, double b2)
{
	return fmax(fmin(b1, b2) - fmax(a1, a2), fmin(a1, a2) - fmax(b1, b2));
}

/* Poppler puts what stands side by side into one line without anything between ("Company100.0"
 * in a table): a distance that is no letter spacing divides. Poppler itself divides words at a
 * tenth of the letters' size. Text may run in any direction, so both axes count alike. */
static enum textsink_gap gap_between(const PopplerRectangle *a, const PopplerRectangle *b)
{
	double wide = fmax(fabs(a->x2 - a->x1), fabs(b->x2 - b->x1));
	double high = fmax(fabs(a->y2 - a->y1), fabs(b->y2 - b->y1));
	double most = 0.2 * fmax(wide, high);

	if (apart(a->y1, a->y2, b->y1, b->y2) > most)
		return GAP_LINE;
	return apart(a->x1, a->x2, b->x1, b->x2) > most ? GAP_SPACE : GAP_NONE;
}

static void add_line(const struct line *l, size_t len, struct textsink *out)
{
	const char *end = l->text + len, *from = l->text, *p = from, *next;

	for (size_t i = 0; l->rect && p < end; p = next, i++) {
		enum textsink_gap gap;

		next = next_char(p);
		if (next >= end || *p == ' ' || *next == ' ')
			continue;
		gap = gap_between(&l->rect[i], &l->rect[i + 1]);
		if (gap == GAP_NONE)
			continue;
		textsink_add(out, from, (size_t)(next - from), false);
		textsink_gap(out, gap);
		from = next;
	}
	textsink_add(out, from, (size_t)(end - from), false);
}

static void add_lines(const struct line *lines, size_t n, struct textsink *out)
{
	double pitch = usual_pitch(lines, n);

	for (size_t i = 0; i < n && !out->full; i++) {
		const struct line *l = &lines[i], *next = i + 1 < n ? l + 1 : NULL;
		size_t cut = 0;
		enum hyphen_join join =
		    next ? hyphen_join(l->text, l->len, next->text, next->len, &cut) : JOIN_NOT;

		add_line(l, l->len - (join == JOIN_DROP_HYPHEN ? cut : 0), out);
		if (join == JOIN_NOT && next)
			textsink_gap(
			    out, paragraph_between(l, next, pitch) ? GAP_PARAGRAPH : GAP_LINE);
	}
}

static void add_value(char *value, struct textsink *out)
{
	textsink_gap(out, GAP_LINE);
	if (value)
		textsink_add(out, value, strlen(value), true);
	g_free(value);
}

static void add_field(PopplerFormField *field, struct textsink *out)
{
	PopplerFormFieldType type = poppler_form_field_get_field_type(field);

	if (type == POPPLER_FORM_FIELD_TEXT && !poppler_form_field_text_is_password(field))
		add_value(poppler_form_field_text_get_text(field), out);
	if (type != POPPLER_FORM_FIELD_CHOICE)
		return;
	add_value(poppler_form_field_choice_get_text(field), out);
	for (int i = 0; i < poppler_form_field_choice_get_n_items(field); i++) {
		if (poppler_form_field_choice_is_item_selected(field, i))
			add_value(poppler_form_field_choice_get_item(field, i), out);
	}
}

/* What was filled into a form and written in notes is not in the page's own text. */
static void add_answers(PopplerPage *page, struct textsink *out)
{
	GList *fields = poppler_page_get_form_field_mapping(page);
	GList *notes = poppler_page_get_annot_mapping(page);

	textsink_gap(out, GAP_PARAGRAPH);
	/* newest first, both of them */
	for (GList *l = g_list_last(fields); l; l = l->prev)
		add_field(((PopplerFormFieldMapping *)l->data)->field, out);
	for (GList *l = g_list_last(notes); l; l = l->prev) {
		PopplerAnnot *note = ((PopplerAnnotMapping *)l->data)->annot;

		if (poppler_annot_get_annot_type(note) != POPPLER_ANNOT_WIDGET)
			add_value(poppler_annot_get_contents(note), out);
		pdf_add_note_file(note, out);
	}
	poppler_page_free_form_field_mapping(fields);
	poppler_page_free_annot_mapping(notes);
}

static bool add_page(PopplerPage *page, struct textsink *out)
{
	char *text = poppler_page_get_text(page);
	PopplerRectangle *rect = NULL;
	struct line *lines = NULL;
	guint rects = 0;
	size_t room = 1;
	bool ok = true, aligned;

	if (!text || !*text || !g_utf8_validate(text, -1, NULL))
		goto out;
	for (const char *p = text; (p = strchr(p, '\n')) && room < PDF_LINES; p++)
		room++;
	lines = g_try_new(struct line, room);
	ok = lines != NULL;
	if (!ok)
		goto out;
	/* right-to-left text has marks of direction that have no place on the page */
	aligned = poppler_page_get_text_layout(page, &rect, &rects) &&
		  (glong)rects == g_utf8_strlen(text, -1);
	add_lines(lines, split_lines(text, aligned ? rect : NULL, lines, room), out);
out:
	g_free(rect);
	g_free(lines);
	g_free(text);
	return ok;
}

/* A page of text drawn as outlines has neither text nor picture: a small rendering shows whether there is
 * anything to be seen. */
static bool shows_marks(PopplerPage *page)
{
	enum { SIDE = 500 };
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, SIDE, SIDE);
	cairo_t *cr = cairo_create(surface);
	const unsigned char *row;
	double width, height;
	bool marked = false;

	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	poppler_page_get_size(page, &width, &height);
	cairo_scale(cr, SIDE / fmax(width, 1), SIDE / fmax(height, 1));
	poppler_page_render(page, cr);
	cairo_destroy(cr);
	cairo_surface_flush(surface);
	row = cairo_image_surface_get_data(surface);
	for (int y = 0; row && y < SIDE && !marked; y++) {
		for (int x = 0; x < SIDE && !marked; x++)
			marked = (row[4 * x] & row[4 * x + 1] & row[4 * x + 2]) != 0xff;
		row += cairo_image_surface_get_stride(surface);
	}
	cairo_surface_destroy(surface);
	return marked;
}

static bool shows_something(PopplerPage *page)
{
	GList *images = poppler_page_get_image_mapping(page);
	bool some = images != NULL;

	poppler_page_free_image_mapping(images);
	return some || shows_marks(page);
}

static enum format_outcome add_pages(PopplerDocument *doc, struct textsink *out)
{
	int n = poppler_document_get_n_pages(doc);
	int pages = n < PDF_PAGES ? n : PDF_PAGES, bare = 0;

	if (n <= 0)
		return format_none(out, "the PDF has no readable page");
	for (int i = 0; i < pages && !out->full; i++) {
		PopplerPage *page = poppler_document_get_page(doc, i);
		uint64_t before = out->visible;
		bool ok = true;

		textsink_page(out);
		if (page) {
			ok = add_page(page, out);
			add_answers(page, out);
			if (out->bare && out->visible == before && shows_something(page)) {
				out->bare(out->arg, (uint32_t)i + 1);
				bare++;
			}
			g_object_unref(page);
		}
		if (!ok)
			return format_none(out, "a page needs more memory than a decoder may use");
	}
	if (!out->visible && !bare)
		return format_none(
		    out, out->bare ? "the PDF's pages are empty" : "no text layer (a scan)");
	if (pages < n)
		snprintf(out->reason, sizeof(out->reason), "only the first %d pages", pages);
	return FORMAT_OK;
}

static bool pdf_reads(const char *type)
{
	return strcmp(type, "application/pdf") == 0 || strcmp(type, "application/x-pdf") == 0;
}

static PopplerDocument *pdf_open(const char *bytes, size_t len, GError **error)
{
	GBytes *all = g_bytes_new_static(bytes, len);
	PopplerDocument *doc = poppler_document_new_from_bytes(all, NULL, error);

	g_bytes_unref(all);
	return doc;
}

static enum format_outcome pdf_read(const struct format_input *in, struct textsink *out)
{
	GError *error = NULL;
	PopplerDocument *doc = pdf_open(in->bytes, in->len, &error);
	enum format_outcome outcome;
	char *title;

	if (!doc) {
		bool encrypted = g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);

		g_clear_error(&error);
		return format_none(
		    out, encrypted ? "the PDF is encrypted" : "the PDF is damaged beyond reading");
	}
	title = poppler_document_get_title(doc);
	if (title)
		textsink_title(out, title, strlen(title));
	g_free(title);
	outcome = add_pages(doc, out);
	if (pdf_add_files(doc, out))
		outcome = FORMAT_OK; /* whatever was said of the pages stays as a remark */
	g_object_unref(doc);
	return outcome;
}

/* One page with one word: reading it makes poppler and glib load and register what they need. */
static void pdf_warm(void)
{
	static const char tiny[] =
	    "%PDF-1.4\n"
	    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
	    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources"
	    "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
	    "4 0 obj<</Length 37>>stream\n"
	    "BT /F 12 Tf 9 9 Td (arkki) Tj ET     \n"
	    "endstream endobj\n"
	    "trailer<</Root 1 0 R>>\n";
	PopplerDocument *doc = pdf_open(tiny, sizeof(tiny) - 1, NULL);
	PopplerPage *page = doc ? poppler_document_get_page(doc, 0) : NULL;

	pdf_tables_load();
	if (page)
		g_free(poppler_page_get_text(page));
	if (page)
		g_object_unref(page);
	/* the document stays open: poppler's global tables go with the last one */
}

const struct format format_pdf = {.name = "PDF",
    .reads = pdf_reads,
    .warm = pdf_warm,
    .programs = format_programs,
    .read = pdf_read};
