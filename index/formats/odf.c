/* OpenDocument 1.3 (and its forerunner of OpenOffice.org 1): text, spreadsheets, presentations, drawings;
 * packages and flat files. Headers and footers are in styles.xml, macros in Basic/. */
#include <stdlib.h>
#include <string.h>

#include "index/formats/office_xml.h"

struct odf {
	struct office *o;
	unsigned int skip;
	unsigned int paragraphs; /* open text:p and text:h */
	unsigned int cells;      /* open table cells */
	unsigned int margins;    /* open headers and footers of pages */
	bool cell_has_paragraph;
	bool styles_only; /* styles.xml: margins only */
	bool slides;      /* a draw:page is a page */
	bool sheets;      /* a table is a sheet with a name that is seen */
	bool in_meta;
	bool flat;
	unsigned int labels;  /* open svg:title and svg:desc */
	unsigned int modules; /* open script:module */
	struct office_property property;
};

/* Not the document's text as it stands: deleted text, numbers of lists to come, layout of the flat form. */
static bool is_skipped(const char *name)
{
	static const char *const names[] = {"tracked-changes", "binary-data", "settings",
	    "font-face-decls", "forms", "creator", "date", "sender-initials", "creation-date",
	    "editing-duration", "generator", "document-statistic", NULL};

	return office_among(name, names);
}

static bool is_margin(const char *name)
{
	static const char *const names[] = {
	    "header", "footer", "header-left", "footer-left", "header-first", "footer-first", NULL};

	return office_among(name, names);
}

static bool is_paragraph(const char *name)
{
	return strcmp(name, "p") == 0 || strcmp(name, "h") == 0;
}

static void start_space(struct odf *d, const char *name, const struct office_atts *atts)
{
	struct textsink *out = d->o->out;
	char value[OFFICE_NAME_SIZE];

	if (is_paragraph(name)) {
		textsink_gap(out, !d->cells               ? GAP_PARAGRAPH
				  : d->cell_has_paragraph ? GAP_LINE
							  : GAP_NONE);
		d->cell_has_paragraph = true;
		d->paragraphs++;
	} else if (strcmp(name, "table-cell") == 0) {
		textsink_gap(out, GAP_SPACE);
		d->cells++;
		d->cell_has_paragraph = false;
	} else if (strcmp(name, "table-row") == 0 || strcmp(name, "line-break") == 0) {
		textsink_gap(out, GAP_LINE);
	} else if (strcmp(name, "tab") == 0 || strcmp(name, "s") == 0 ||
		   strcmp(name, "tab-stop") == 0) {
		textsink_gap(out, GAP_SPACE);
	} else if (strcmp(name, "table") == 0 && d->sheets) {
		textsink_gap(out, GAP_PARAGRAPH);
		office_att(atts, "name", value, sizeof(value));
		textsink_add(out, value, strlen(value), false);
		textsink_gap(out, GAP_PARAGRAPH);
	}
}

static void odf_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct odf *d = arg;

	if (d->skip || is_skipped(name)) {
		d->skip++;
		return;
	}
	if (d->flat && d->in_meta)
		office_property_events.start(&d->property, name, atts);
	d->in_meta |= strcmp(name, "meta") == 0;
	d->margins += is_margin(name);
	if (strcmp(name, "spreadsheet") == 0)
		d->sheets = true;
	if (strcmp(name, "page") == 0 && d->slides)
		textsink_page(d->o->out);
	/* notes, comments and text boxes stand inside a paragraph */
	if (strcmp(name, "note") == 0 || strcmp(name, "annotation") == 0)
		textsink_gap(d->o->out, GAP_SPACE);
	if (strcmp(name, "module") == 0) {
		textsink_gap(d->o->out, GAP_PARAGRAPH);
		d->modules++;
	}
	/* what tells of a picture or a shape */
	if (strcmp(name, "title") == 0 || strcmp(name, "desc") == 0) {
		textsink_gap(d->o->out, GAP_LINE);
		d->labels++;
	}
	start_space(d, name, atts);
}

static void odf_end(void *arg, const char *name)
{
	struct odf *d = arg;
	struct textsink *out = d->o->out;

	if (d->skip) {
		d->skip--;
		return;
	}
	if (d->flat && d->in_meta)
		office_property_events.end(&d->property, name);
	if (strcmp(name, "meta") == 0)
		d->in_meta = false;
	if (is_margin(name) && d->margins)
		d->margins--;
	if (is_paragraph(name) && d->paragraphs) {
		d->paragraphs--;
		if (!d->cells)
			textsink_gap(out, GAP_PARAGRAPH);
	} else if (strcmp(name, "table-cell") == 0 && d->cells) {
		d->cells--;
		d->cell_has_paragraph = true;
	} else if (strcmp(name, "table") == 0) {
		textsink_gap(out, d->cells ? GAP_LINE : GAP_PARAGRAPH);
	} else if (strcmp(name, "module") == 0 && d->modules) {
		textsink_gap(out, GAP_PARAGRAPH);
		d->modules--;
	} else if ((strcmp(name, "title") == 0 || strcmp(name, "desc") == 0) && d->labels) {
		textsink_gap(out, GAP_LINE);
		d->labels--;
	}
}

static void odf_text(void *arg, const char *text, size_t len)
{
	struct odf *d = arg;

	if (d->skip)
		return;
	if (d->in_meta) {
		if (d->flat)
			office_property_events.text(&d->property, text, len);
		return;
	}
	if (d->styles_only && !d->margins)
		return;
	if (d->paragraphs || d->labels || d->modules)
		textsink_add(d->o->out, text, len, d->modules > 0);
}

static const struct office_events odf_events = {
    .start = odf_start, .end = odf_end, .text = odf_text};

/* ---- packages ---- */
struct manifest {
	bool encrypted;
};

static void manifest_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct manifest *m = arg;

	(void)atts;
	m->encrypted |= strcmp(name, "encryption-data") == 0;
}

static bool is_encrypted(struct office *o)
{
	static const struct office_events events = {.start = manifest_start};
	struct manifest m = {0};

	office_part_named(o, "META-INF/manifest.xml", &events, &m);
	return m.encrypted;
}

static bool is_presentation(struct office *o)
{
	const struct zip_entry *entry = office_zip_find(&o->zip, "mimetype");
	struct buf type = BUF_INIT;
	bool is = false;

	if (entry && office_zip_load(&o->zip, entry, 256, &type) && type.data)
		is = strstr(type.data, "presentation") || strstr(type.data, "impress");
	buf_free(&type);
	return is;
}

/* "Object 1/content.xml": a chart, a formula, a drawing inside the document. */
static bool is_inner(const struct zip_entry *e, const char *head, const char *tail)
{
	size_t a = strlen(head), b = strlen(tail);

	return e->name_len > a + b && memcmp(e->name, head, a) == 0 &&
	       memcmp(e->name + e->name_len - b, tail, b) == 0;
}

enum format_outcome odf_read(struct office *o)
{
	struct odf d = {.o = o, .slides = is_presentation(o)};
	struct odf styles = {.o = o, .styles_only = true};

	if (is_encrypted(o))
		return format_none(o->out, "the document is protected by a password");
	/* a presentation's pages are counted from its first slide: nothing comes before */
	if (!d.slides)
		office_part_named(o, "styles.xml", &odf_events, &styles);
	office_part_named(o, "content.xml", &odf_events, &d);
	for (size_t i = 0; i < o->zip.entries_len; i++) {
		const struct zip_entry *e = &o->zip.entries[i];
		struct odf inner = {.o = o};

		if (is_inner(e, "Object ", "/content.xml") || is_inner(e, "Basic/", ".xml"))
			office_part(o, e, &odf_events, &inner);
	}
	if (d.slides)
		office_part_named(o, "styles.xml", &odf_events, &styles);
	office_properties(o, "meta.xml");
	return office_outcome(o);
}

enum format_outcome odf_read_flat(struct office *o, const char *bytes, size_t len)
{
	struct odf d = {.o = o, .flat = true, .property = {.o = o, .text = {.limit = 65536}}};

	office_xml(o, bytes, len, &odf_events, &d);
	buf_free(&d.property.text);
	return office_outcome(o);
}
