#include "tools/demo.h"

#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { TEXT_WIDTH = 78 };

const char *demo_format_name(enum demo_format format)
{
	static const char *const names[DEMO_FORMATS] = {
	    "pdf", "html", "text", "docx", "odt", "xlsx", "scan", "eml", "zip"};

	return names[format];
}

const char *demo_extension(enum demo_format format)
{
	static const char *const names[] = {
	    "pdf", "html", "txt", "docx", "odt", "xlsx", "pdf", "eml", "zip"};

	return names[format];
}

const char *demo_media_type(enum demo_format format)
{
	static const char *const names[] = {"application/pdf", "text/html", "text/plain",
	    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	    "application/vnd.oasis.opendocument.text",
	    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/pdf",
	    "message/rfc822", "application/zip"};

	return names[format];
}

void demo_escape(struct buf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		default:
			buf_addc(out, *text);
		}
	}
}

static const char html_style[] =
    "body{font:1rem/1.5 \"DejaVu Sans\",sans-serif;color:#1a1a1a;background:#fff;margin:2rem auto;"
    "max-width:42rem;padding:0 1rem}"
    "h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2rem}"
    "h3{font-size:1.05rem}li{margin:.3rem 0}@media print{body{margin:0;max-width:none}}";

static void add_html_head(struct buf *out, const struct demo_version *v)
{
	buf_adds(out, "<!DOCTYPE html>\n<html lang=\"");
	demo_escape(out, json_text(v->whole, "language"));
	buf_adds(out, "\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>");
	demo_escape(out, json_text(v->whole, "title"));
	buf_addf(out, "</title>\n<meta name=\"dcterms.date\" content=\"%s\"/>\n", v->date);
	buf_addf(out, "<style>%s</style>\n</head>\n<body>\n<main>\n", html_style);
}

static void add_html(const struct demo_version *v, struct buf *out)
{
	static const char *const tags[] = {[DEMO_H1] = "h1",
	    [DEMO_H2] = "h2",
	    [DEMO_H3] = "h3",
	    [DEMO_PARAGRAPH] = "p",
	    [DEMO_ITEM] = "li"};

	add_html_head(out, v);
	for (size_t i = 0; i < v->blocks; i++) {
		const struct demo_block *b = &v->block[i];
		bool item = b->kind == DEMO_ITEM;

		if (item && (i == 0 || b[-1].kind != DEMO_ITEM))
			buf_adds(out, "<ul>\n");
		buf_addf(out, "<%s>", tags[b->kind]);
		demo_escape(out, b->text);
		buf_addf(out, "</%s>\n", tags[b->kind]);
		if (item && (i + 1 == v->blocks || b[1].kind != DEMO_ITEM))
			buf_adds(out, "</ul>\n");
	}
	buf_adds(out, "</main>\n</body>\n</html>\n");
}

/* Words of text in lines of TEXT_WIDTH columns; all but the first begin with `indent` spaces. */
static void add_wrapped(struct buf *out, const char *text, size_t indent)
{
	size_t column = indent;
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");
		size_t width = utf8_length(text, len);

		if (!first && column + 1 + width > TEXT_WIDTH) {
			buf_addf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, text, len);
		column += width;
		first = false;
		text += len + strspn(text + len, " ");
	}
	buf_addc(out, '\n');
}

static void add_underline(struct buf *out, const char *text, char c)
{
	size_t width = utf8_length(text, strlen(text));

	for (size_t i = 0; i < width && i < TEXT_WIDTH; i++)
		buf_addc(out, c);
	buf_addc(out, '\n');
}

void demo_plain(const struct demo_version *v, struct buf *out)
{
	for (size_t i = 0; i < v->blocks; i++) {
		const struct demo_block *b = &v->block[i];
		bool item = b->kind == DEMO_ITEM;

		if (i > 0 && !(item && b[-1].kind == DEMO_ITEM))
			buf_addc(out, '\n');
		if (item)
			buf_adds(out, "- ");
		add_wrapped(out, b->text, item ? 2 : 0);
		if (b->kind == DEMO_H1 || b->kind == DEMO_H2)
			add_underline(out, b->text, b->kind == DEMO_H1 ? '=' : '-');
	}
}

static void (*const renderers[DEMO_FORMATS])(const struct demo_version *v, struct buf *out) = {
    [DEMO_HTML] = add_html,
    [DEMO_TEXT] = demo_plain,
    [DEMO_DOCX] = demo_docx,
    [DEMO_ODT] = demo_odt,
    [DEMO_XLSX] = demo_xlsx,
    [DEMO_EML] = demo_mail,
    [DEMO_ZIP] = demo_package,
};

int demo_render(const struct demo_document *doc, size_t at, struct buf *out, struct ark_error *err)
{
	if (doc->format == DEMO_PDF)
		return demo_render_pdf(doc, at, out, err);
	if (doc->format == DEMO_SCAN)
		return demo_scan(&doc->version[at], out, err);
	renderers[doc->format](&doc->version[at], out);
	if (buf_failed(out))
		return ark_fail(err, ARK_ENOMEM, "no memory to render %s", doc->name);
	return ARK_OK;
}
