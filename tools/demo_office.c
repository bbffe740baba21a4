/* Office files as an office writes them, in the least that office programs open: WordprocessingML and SpreadsheetML
 * (ECMA-376), OpenDocument text (ISO/IEC 26300). */
#include "tools/demo.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/json.h"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/"
#define PACKAGE "http://schemas.openxmlformats.org/package/2006/"

static void add_types(struct demo_zip *z, const char *part, const char *type, const char *more)
{
	struct buf b = BUF_INIT;

	buf_addf(&b,
	    XML "<Types xmlns=\"" PACKAGE "content-types\">"
		"<Default Extension=\"rels\" ContentType=\"application/"
		"vnd.openxmlformats-package.relationships+xml\"/>"
		"<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
		"<Override PartName=\"/%s\" ContentType=\"application/"
		"vnd.openxmlformats-officedocument.%s.main+xml\"/>%s</Types>",
	    part, type, more);
	demo_zip_add(z, "[Content_Types].xml", &b);
	buf_clear(&b);
	buf_addf(&b,
	    XML "<Relationships xmlns=\"" PACKAGE "relationships\"><Relationship Id=\"r1\" "
		"Type=\"" OFFICE "relationships/officeDocument\" Target=\"%s\"/></Relationships>",
	    part);
	demo_zip_add(z, "_rels/.rels", &b);
	buf_free(&b);
}

/* ---- a Word document ---- */

static void add_styles(struct demo_zip *z)
{
	static const struct {
		const char *id, *name;
		int size; /* half points */
	} styles[] = {{"H1", "heading 1", 34}, {"H2", "heading 2", 26}, {"H3", "heading 3", 22}};
	struct buf b = BUF_INIT;

	buf_adds(&b,
	    XML "<w:styles "
		"xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">");
	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++)
		buf_addf(&b,
		    "<w:style w:type=\"paragraph\" w:styleId=\"%s\"><w:name w:val=\"%s\"/>"
		    "<w:pPr><w:keepNext/><w:outlineLvl w:val=\"%zu\"/></w:pPr>"
		    "<w:rPr><w:b/><w:sz w:val=\"%d\"/></w:rPr></w:style>",
		    styles[i].id, styles[i].name, i, styles[i].size);
	buf_adds(&b, "</w:styles>");
	demo_zip_add(z, "word/styles.xml", &b);
	buf_free(&b);
	demo_zip_adds(z, "word/_rels/document.xml.rels",
	    XML "<Relationships xmlns=\"" PACKAGE "relationships\"><Relationship Id=\"r1\" "
		"Type=\"" OFFICE "relationships/styles\" Target=\"styles.xml\"/></Relationships>");
}

void demo_docx(const struct demo_version *v, struct buf *out)
{
	static const char *const styles[] = {[DEMO_H1] = "<w:pPr><w:pStyle w:val=\"H1\"/></w:pPr>",
	    [DEMO_H2] = "<w:pPr><w:pStyle w:val=\"H2\"/></w:pPr>",
	    [DEMO_H3] = "<w:pPr><w:pStyle w:val=\"H3\"/></w:pPr>",
	    [DEMO_PARAGRAPH] = "<w:pPr><w:spacing w:after=\"160\"/></w:pPr>",
	    [DEMO_ITEM] = "<w:pPr><w:ind w:left=\"360\" w:hanging=\"240\"/></w:pPr>"};
	struct demo_zip z = {.out = out, .start = out->len};
	struct buf b = BUF_INIT;

	add_types(&z, "word/document.xml", "wordprocessingml.document",
	    "<Override PartName=\"/word/styles.xml\" ContentType=\"application/"
	    "vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>");
	buf_adds(&b, XML "<w:document "
			 "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/"
			 "main\"><w:body>");
	for (size_t i = 0; i < v->blocks; i++) {
		buf_addf(&b, "<w:p>%s<w:r><w:t xml:space=\"preserve\">%s", styles[v->block[i].kind],
		    v->block[i].kind == DEMO_ITEM ? "• " : "");
		demo_escape(&b, v->block[i].text);
		buf_adds(&b, "</w:t></w:r></w:p>");
	}
	buf_adds(&b, "</w:body></w:document>");
	demo_zip_add(&z, "word/document.xml", &b);
	buf_free(&b);
	add_styles(&z);
	demo_zip_end(&z);
}

/* ---- a sheet: a block is a row, " | " parts its cells ---- */

static void add_row(struct buf *b, size_t row, const char *text)
{
	const char *cell = text;
	char column = 'A';

	buf_addf(b, "<row r=\"%zu\">", row);
	for (bool last = false; !last; column++) {
		/* what a row has beyond column Z stays in there */
		const char *end = column < 'Z' ? strstr(cell, " | ") : NULL;
		struct buf one = BUF_INIT;

		last = !end;
		buf_add(&one, cell, end ? (size_t)(end - cell) : strlen(cell));
		buf_addf(b, "<c r=\"%c%zu\" t=\"inlineStr\"><is><t>", column, row);
		demo_escape(b, one.data ? one.data : "");
		buf_adds(b, "</t></is></c>");
		b->failed |= one.failed;
		buf_free(&one);
		cell = end ? end + 3 : cell;
	}
	buf_adds(b, "</row>");
}

void demo_xlsx(const struct demo_version *v, struct buf *out)
{
	struct demo_zip z = {.out = out, .start = out->len};
	struct buf b = BUF_INIT;

	add_types(&z, "xl/workbook.xml", "spreadsheetml.sheet",
	    "<Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/"
	    "vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>");
	demo_zip_adds(&z, "xl/workbook.xml",
	    XML "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
		"xmlns:r=\"" OFFICE "relationships\"><sheets><sheet name=\"1\" sheetId=\"1\" "
		"r:id=\"r1\"/></sheets></workbook>");
	demo_zip_adds(&z, "xl/_rels/workbook.xml.rels",
	    XML "<Relationships xmlns=\"" PACKAGE "relationships\"><Relationship Id=\"r1\" "
		"Type=\"" OFFICE "relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/>"
		"</Relationships>");
	buf_adds(&b, XML "<worksheet "
			 "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">"
			 "<sheetData>");
	for (size_t i = 0; i < v->blocks; i++)
		add_row(&b, i + 1, v->block[i].text);
	buf_adds(&b, "</sheetData></worksheet>");
	demo_zip_add(&z, "xl/worksheets/sheet1.xml", &b);
	buf_free(&b);
	demo_zip_end(&z);
}

/* ---- an OpenDocument text ---- */

#define ODF "urn:oasis:names:tc:opendocument:xmlns:"
#define ODT "application/vnd.oasis.opendocument.text"

void demo_odt(const struct demo_version *v, struct buf *out)
{
	struct demo_zip z = {.out = out, .start = out->len};
	struct buf b = BUF_INIT;

	demo_zip_adds(&z, "mimetype", ODT);
	buf_adds(&b,
	    XML "<office:document-content xmlns:office=\"" ODF "office:1.0\" xmlns:text=\"" ODF
		"text:1.0\" office:version=\"1.2\"><office:body><office:text>");
	for (size_t i = 0; i < v->blocks; i++) {
		enum demo_kind kind = v->block[i].kind;

		if (kind < DEMO_PARAGRAPH)
			buf_addf(&b, "<text:h text:outline-level=\"%d\">", (int)kind + 1);
		else
			buf_adds(&b, kind == DEMO_ITEM ? "<text:p>• " : "<text:p>");
		demo_escape(&b, v->block[i].text);
		buf_adds(&b, kind < DEMO_PARAGRAPH ? "</text:h>" : "</text:p>");
	}
	buf_adds(&b, "</office:text></office:body></office:document-content>");
	demo_zip_add(&z, "content.xml", &b);
	buf_free(&b);
	demo_zip_adds(&z, "META-INF/manifest.xml",
	    XML "<manifest:manifest xmlns:manifest=\"" ODF "manifest:1.0\" "
		"manifest:version=\"1.2\">"
		"<manifest:file-entry manifest:full-path=\"/\" manifest:media-type=\"" ODT "\"/>"
		"<manifest:file-entry manifest:full-path=\"content.xml\" "
		"manifest:media-type=\"text/xml\"/></manifest:manifest>");
	demo_zip_end(&z);
}
