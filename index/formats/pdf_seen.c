/* What of a PDF can be seen, and what merely stands in it: for comparing a redacted rendition with its original.
 *
 * Asked for by the media type application/x-arkki-pdf-seen, which no document has. Each page of the answer is a part
 * of the file; its first line says which:
 *
 *   seen N       words of page N that a drawing of the page shows
 *   hidden N     words of its text layer that the drawing does not show: under a box, white on white, beside the page
 *   picture N    nothing: the page has a picture that is large enough for words
 *   undrawn N    words in a font that the file does not bring along, which cannot be drawn here: who knows
 *   field note   what was filled into forms, what was written in notes
 *   title author subject keywords creator producer xmp outline
 *   attachment   name and text of the attached files
 *
 * A letter is seen when its place in the drawing is not of one colour. */
#include <math.h>
#include <poppler.h>
#include <stdio.h>
#include <string.h>

#include "index/formats/format.h"
#include "index/formats/pdf_files.h"

enum { SEEN_PAGES = 5000, SIDE_MAX = 4000, FLAT = 40, OUTLINE_MAX = 20000 };

static void begin_part(struct textsink *out, const char *name, int number)
{
	char line[48];

	if (number)
		snprintf(line, sizeof(line), "%s %d", name, number);
	else
		snprintf(line, sizeof(line), "%s", name);
	textsink_page(out);
	textsink_add(out, line, strlen(line), false);
	textsink_gap(out, GAP_LINE);
}

static void add_part(struct textsink *out, const char *name, char *value)
{
	if (value && *value) {
		begin_part(out, name, 0);
		textsink_add(out, value, strlen(value), true);
	}
	g_free(value);
}

/* ---- the drawing ---- */

struct drawing {
	cairo_surface_t *surface;
	double scale;
	int width, height, stride;
	const unsigned char *bytes;
};

static bool draw(PopplerPage *page, struct drawing *d)
{
	double width, height;
	cairo_t *cr;

	poppler_page_get_size(page, &width, &height);
	if (!(width > 0) || !(height > 0) || width > 1e6 || height > 1e6)
		return false;
	d->scale = fmin(2, SIDE_MAX / fmax(width, height));
	d->width = (int)ceil(width * d->scale);
	d->height = (int)ceil(height * d->scale);
	d->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, d->width, d->height);
	cr = cairo_create(d->surface);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_scale(cr, d->scale, d->scale);
	poppler_page_render(page, cr);
	cairo_destroy(cr);
	cairo_surface_flush(d->surface);
	d->bytes = cairo_image_surface_get_data(d->surface);
	d->stride = cairo_image_surface_get_stride(d->surface);
	return cairo_surface_status(d->surface) == CAIRO_STATUS_SUCCESS && d->bytes;
}

static int between(double value, int most)
{
	return value < 0 ? 0 : value > most ? most : (int)value;
}

/* Beside the page, or of one colour. */
static bool flat(const struct drawing *d, const PopplerRectangle *r)
{
	double x1 = fmin(r->x1, r->x2), x2 = fmax(r->x1, r->x2);
	double y1 = fmin(r->y1, r->y2), y2 = fmax(r->y1, r->y2);
	/* the edge of a box is no letter: the middle of the place counts */
	double inset = 0.18 * (y2 - y1);
	int left = between(x1 * d->scale, d->width), right = between(ceil(x2 * d->scale), d->width);
	int top = between((y1 + inset) * d->scale, d->height);
	int bottom = between(ceil((y2 - inset) * d->scale), d->height);
	int least[3] = {255, 255, 255}, most[3] = {0, 0, 0};

	for (int y = top; y < bottom; y++) {
		const unsigned char *row = d->bytes + (size_t)y * (size_t)d->stride;

		for (int x = left; x < right; x++)
			for (int c = 0; c < 3; c++) {
				int value = row[4 * (size_t)x + (size_t)c];

				least[c] = value < least[c] ? value : least[c];
				most[c] = value > most[c] ? value : most[c];
			}
	}
	for (int c = 0; c < 3; c++)
		if (most[c] - least[c] >= FLAT)
			return false;
	return true;
}

/* Of one colour, which is that of paper. */
static bool blank(const struct drawing *d, const PopplerRectangle *r)
{
	int x = between((r->x1 + r->x2) / 2 * d->scale, d->width - 1);
	int y = between((r->y1 + r->y2) / 2 * d->scale, d->height - 1);
	const unsigned char *at = d->bytes + (size_t)y * (size_t)d->stride + 4 * (size_t)x;

	return flat(d, r) && at[0] > 240 && at[1] > 240 && at[2] > 240;
}

/* ---- fonts ---- */

/* The names of the fonts that the file does not bring along: in the sandbox no font file opens. */
static GHashTable *fonts_missing(PopplerDocument *doc)
{
	GHashTable *missing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	PopplerFontInfo *info = poppler_font_info_new(doc);
	PopplerFontsIter *iter = NULL;

	if (poppler_font_info_scan(info, poppler_document_get_n_pages(doc), &iter) && iter) {
		do {
			const char *name = poppler_fonts_iter_get_full_name(iter);

			if (name && !poppler_fonts_iter_is_embedded(iter))
				g_hash_table_add(missing, g_strdup(name));
		} while (poppler_fonts_iter_next(iter));
	}
	poppler_fonts_iter_free(iter);
	g_object_unref(info);
	return missing;
}

/* A letter that would have to be seen, had it been drawn. */
static bool undrawn(const GList *looks, GHashTable *missing, gint at)
{
	for (const GList *l = looks; l; l = l->next) {
		const PopplerTextAttributes *look = l->data;

		if (at < look->start_index || at > look->end_index)
			continue;
		return look->font_name && g_hash_table_contains(missing, look->font_name) &&
		       (look->color.red < 60000 || look->color.green < 60000 ||
			   look->color.blue < 60000);
	}
	return false;
}

/* ---- words ---- */

enum fate { FATE_SEEN, FATE_HIDDEN, FATE_UNDRAWN, FATES };

struct layer { /* the text of a page, and what became of each letter */
	char *text;
	unsigned char *fate;
	size_t len; /* letters */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\f';
}

/* A word is what most of its letters are. */
static enum fate fate_of(const unsigned char *fate, size_t n)
{
	size_t count[FATES] = {0};

	for (size_t i = 0; i < n; i++)
		count[fate[i]]++;
	if (2 * count[FATE_HIDDEN] >= n)
		return FATE_HIDDEN;
	return count[FATE_UNDRAWN] ? FATE_UNDRAWN : FATE_SEEN;
}

static void add_words(const struct layer *l, enum fate wanted, struct textsink *out)
{
	size_t at = 0;

	for (const char *p = l->text; *p;) {
		const char *from = p;
		size_t first = at;

		if (is_space(*p)) {
			textsink_gap(out, *p == '\n' ? GAP_LINE : GAP_SPACE);
			p++, at++;
			continue;
		}
		for (; *p && !is_space(*p); at++)
			p += g_utf8_skip[*(const guchar *)p];
		if (fate_of(l->fate + first, at - first) == wanted)
			textsink_add(out, from, (size_t)(p - from), false);
	}
}

/* Without a drawing nothing is known to be seen. */
static void judge(PopplerPage *page, GHashTable *missing, struct layer *l)
{
	PopplerRectangle *rect = NULL;
	struct drawing d = {0};
	GList *looks = NULL;
	guint rects = 0;

	memset(l->fate, FATE_HIDDEN, l->len);
	if (!poppler_page_get_text_layout(page, &rect, &rects) || rects != l->len ||
	    !draw(page, &d))
		goto out;
	if (g_hash_table_size(missing))
		looks = poppler_page_get_text_attributes(page);
	for (size_t i = 0; i < l->len; i++) {
		if (!flat(&d, &rect[i]))
			l->fate[i] = FATE_SEEN;
		else if (looks && blank(&d, &rect[i]) && undrawn(looks, missing, (gint)i))
			l->fate[i] = FATE_UNDRAWN;
	}
out:
	if (looks)
		poppler_page_free_text_attributes(looks);
	if (d.surface)
		cairo_surface_destroy(d.surface);
	g_free(rect);
}

static void add_page(PopplerPage *page, GHashTable *missing, int number, struct textsink *out)
{
	static const char *const names[FATES] = {"seen", "hidden", "undrawn"};
	struct layer l = {.text = poppler_page_get_text(page)};

	if (!l.text || !*l.text || !g_utf8_validate(l.text, -1, NULL))
		goto out;
	l.len = (size_t)g_utf8_strlen(l.text, -1);
	l.fate = g_try_malloc(l.len);
	if (!l.fate)
		goto out;
	judge(page, missing, &l);
	for (int i = 0; i < FATES; i++) {
		begin_part(out, names[i], number);
		add_words(&l, (enum fate)i, out);
	}
out:
	g_free(l.fate);
	g_free(l.text);
}

/* A line of three letters in 6 points needs as much. */
static void add_picture(PopplerPage *page, int number, struct textsink *out)
{
	enum { WORD_POINTS = 10, LINE_POINTS = 5 };
	GList *all = poppler_page_get_image_mapping(page);
	bool large = false;

	for (const GList *l = all; l && !large; l = l->next) {
		const PopplerRectangle *r = &((const PopplerImageMapping *)l->data)->area;

		large = fabs(r->x2 - r->x1) >= WORD_POINTS && fabs(r->y2 - r->y1) >= LINE_POINTS;
	}
	poppler_page_free_image_mapping(all);
	if (large) {
		begin_part(out, "picture", number);
		textsink_add(out, "-", 1, false);
	}
}

static void add_fields(PopplerPage *page, struct textsink *out)
{
	GList *fields = poppler_page_get_form_field_mapping(page);

	for (GList *l = fields; l; l = l->next) {
		PopplerFormField *f = ((PopplerFormFieldMapping *)l->data)->field;

		if (poppler_form_field_get_field_type(f) == POPPLER_FORM_FIELD_TEXT)
			add_part(out, "field", poppler_form_field_text_get_text(f));
		else if (poppler_form_field_get_field_type(f) == POPPLER_FORM_FIELD_CHOICE)
			add_part(out, "field", poppler_form_field_choice_get_text(f));
	}
	poppler_page_free_form_field_mapping(fields);
}

static void add_notes(PopplerPage *page, struct textsink *out)
{
	GList *notes = poppler_page_get_annot_mapping(page);

	for (GList *l = notes; l; l = l->next) {
		PopplerAnnot *note = ((PopplerAnnotMapping *)l->data)->annot;

		add_part(out, "note", poppler_annot_get_contents(note));
		if (POPPLER_IS_ANNOT_MARKUP(note))
			add_part(out, "note",
			    poppler_annot_markup_get_label(POPPLER_ANNOT_MARKUP(note)));
		if (POPPLER_IS_ANNOT_FILE_ATTACHMENT(note)) {
			begin_part(out, "attachment", 0);
			pdf_add_note_file(note, out);
		}
	}
	poppler_page_free_annot_mapping(notes);
}

/* ---- beside the pages ---- */

/* Not by recursion: the tree is a stranger's. */
static void add_outline(PopplerDocument *doc, struct textsink *out)
{
	PopplerIndexIter *stack[32];
	unsigned int depth = 0, left = OUTLINE_MAX;

	stack[0] = poppler_index_iter_new(doc);
	if (!stack[0])
		return;
	begin_part(out, "outline", 0);
	for (;;) {
		PopplerAction *action = left ? poppler_index_iter_get_action(stack[depth]) : NULL;
		PopplerIndexIter *child =
		    left && depth < 31 ? poppler_index_iter_get_child(stack[depth]) : NULL;

		if (action && action->any.title)
			textsink_add(out, action->any.title, strlen(action->any.title), false);
		textsink_gap(out, GAP_LINE);
		if (action)
			poppler_action_free(action);
		left -= left > 0;
		if (child) {
			stack[++depth] = child;
			continue;
		}
		while (!left || !poppler_index_iter_next(stack[depth])) {
			poppler_index_iter_free(stack[depth]);
			if (!depth--)
				return;
		}
	}
}

static void add_facts(PopplerDocument *doc, struct textsink *out)
{
	add_part(out, "title", poppler_document_get_title(doc));
	add_part(out, "author", poppler_document_get_author(doc));
	add_part(out, "subject", poppler_document_get_subject(doc));
	add_part(out, "keywords", poppler_document_get_keywords(doc));
	add_part(out, "creator", poppler_document_get_creator(doc));
	add_part(out, "producer", poppler_document_get_producer(doc));
	add_part(out, "xmp", poppler_document_get_metadata(doc));
}

static enum format_outcome seen_read(const struct format_input *in, struct textsink *out)
{
	GBytes *all = g_bytes_new_static(in->bytes, in->len);
	PopplerDocument *doc = poppler_document_new_from_bytes(all, NULL, NULL);
	GHashTable *missing;
	int pages;

	g_bytes_unref(all);
	if (!doc)
		return format_none(out, "the PDF is encrypted, or damaged beyond reading");
	pages = poppler_document_get_n_pages(doc);
	missing = fonts_missing(doc);
	add_facts(doc, out);
	add_outline(doc, out);
	for (int i = 0; i < pages && i < SEEN_PAGES && !out->full; i++) {
		PopplerPage *page = poppler_document_get_page(doc, i);

		if (!page)
			continue;
		add_page(page, missing, i + 1, out);
		add_picture(page, i + 1, out);
		add_fields(page, out);
		add_notes(page, out);
		g_object_unref(page);
	}
	if (poppler_document_has_attachments(doc)) {
		begin_part(out, "attachment", 0);
		pdf_add_files(doc, out);
	}
	g_hash_table_unref(missing);
	if (pages > SEEN_PAGES)
		snprintf(out->reason, sizeof(out->reason), "only the first %d pages", SEEN_PAGES);
	g_object_unref(doc);
	return FORMAT_OK;
}

static bool seen_reads(const char *type)
{
	return strcmp(type, "application/x-arkki-pdf-seen") == 0;
}

const struct format format_pdf_seen = {
    .name = "PDF, what is seen", .reads = seen_reads, .read = seen_read};
