/* HTML by libxml2's SAX parser, which takes any tag soup. The encoding is settled here, before
 * it parses: left alone it reads UTF-8 without a declaration as ISO-8859-1. */
#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <limits.h>
#include <string.h>

#include "index/formats/format.h"

struct html {
	struct textsink *out;
	htmlParserCtxtPtr ctxt;
	unsigned int skipped; /* open elements whose text nobody sees */
	unsigned int pre;
	bool in_title;
	struct buf title;
};

struct element {
	const char *name;
	enum textsink_gap gap;
};

static const struct element blocks[] = {{"address", GAP_PARAGRAPH}, {"article", GAP_PARAGRAPH},
    {"aside", GAP_PARAGRAPH}, {"blockquote", GAP_PARAGRAPH}, {"body", GAP_PARAGRAPH},
    {"br", GAP_LINE}, {"caption", GAP_PARAGRAPH}, {"center", GAP_PARAGRAPH}, {"dd", GAP_LINE},
    {"details", GAP_PARAGRAPH}, {"div", GAP_PARAGRAPH}, {"dl", GAP_PARAGRAPH}, {"dt", GAP_LINE},
    {"fieldset", GAP_PARAGRAPH}, {"figcaption", GAP_PARAGRAPH}, {"figure", GAP_PARAGRAPH},
    {"footer", GAP_PARAGRAPH}, {"form", GAP_PARAGRAPH}, {"h1", GAP_PARAGRAPH},
    {"h2", GAP_PARAGRAPH}, {"h3", GAP_PARAGRAPH}, {"h4", GAP_PARAGRAPH}, {"h5", GAP_PARAGRAPH},
    {"h6", GAP_PARAGRAPH}, {"header", GAP_PARAGRAPH}, {"hr", GAP_PARAGRAPH}, {"img", GAP_SPACE},
    {"input", GAP_SPACE}, {"legend", GAP_PARAGRAPH}, {"li", GAP_LINE}, {"main", GAP_PARAGRAPH},
    {"nav", GAP_PARAGRAPH}, {"ol", GAP_PARAGRAPH}, {"option", GAP_LINE}, {"p", GAP_PARAGRAPH},
    {"pre", GAP_PARAGRAPH}, {"section", GAP_PARAGRAPH}, {"select", GAP_LINE},
    {"summary", GAP_PARAGRAPH}, {"table", GAP_PARAGRAPH}, {"td", GAP_SPACE}, {"textarea", GAP_LINE},
    {"th", GAP_SPACE}, {"title", GAP_PARAGRAPH}, {"tr", GAP_LINE}, {"ul", GAP_PARAGRAPH}};

static enum textsink_gap gap_of(const char *name)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		if (strcmp(blocks[i].name, name) == 0)
			return blocks[i].gap;
	}
	return GAP_NONE;
}

static bool is_unseen(const char *name)
{
	return strcmp(name, "script") == 0 || strcmp(name, "style") == 0 ||
	       strcmp(name, "template") == 0;
}

/* Those that a reader sees: the text for a picture, and a page written into the place where it is shown. */
static void attribute(struct html *h, const char *element, const char *name, const char *value)
{
	if (strcmp(element, "img") == 0 && strcmp(name, "alt") == 0)
		textsink_add(h->out, value, strlen(value), false);
	if (strcmp(element, "iframe") == 0 && strcmp(name, "srcdoc") == 0)
		format_member(h->out, NULL, "text/html;charset=utf-8", value, strlen(value));
}

static void start_element(void *arg, const xmlChar *xname, const xmlChar **atts)
{
	const char *name = (const char *)xname;
	struct html *h = arg;

	h->skipped += is_unseen(name);
	h->pre += strcmp(name, "pre") == 0;
	h->in_title |= strcmp(name, "title") == 0;
	textsink_gap(h->out, gap_of(name));
	for (; atts && atts[0]; atts += 2) {
		if (atts[1] && !h->skipped)
			attribute(h, name, (const char *)atts[0], (const char *)atts[1]);
	}
}

static void end_element(void *arg, const xmlChar *xname)
{
	const char *name = (const char *)xname;
	struct html *h = arg;

	if (is_unseen(name) && h->skipped)
		h->skipped--;
	if (strcmp(name, "pre") == 0 && h->pre)
		h->pre--;
	if (strcmp(name, "title") == 0)
		h->in_title = false;
	textsink_gap(h->out, gap_of(name));
}

static void characters(void *arg, const xmlChar *text, int len)
{
	struct html *h = arg;

	if (h->skipped || len <= 0)
		return;
	/* a reader sees it too, and it may be the only place where a page says what it is */
	if (h->in_title)
		buf_add(&h->title, text, (size_t)len);
	if (!textsink_add(h->out, (const char *)text, (size_t)len, h->pre > 0))
		xmlStopParser(h->ctxt);
}

/* The label of the first "charset=" among the first 4,096 bytes, as a browser looks for it. */
static void declared_charset(const char *bytes, size_t len, char *label, size_t size)
{
	static const char key[] = "charset";
	size_t end = len < 4096 ? len : 4096, n = 0;

	label[0] = '\0';
	for (size_t i = 0; i + sizeof(key) < end; i++) {
		if (strncasecmp(bytes + i, key, sizeof(key) - 1) != 0)
			continue;
		i += sizeof(key) - 1;
		while (i < end && strchr(" \t\r\n=\"'", bytes[i]) && bytes[i])
			i++;
		while (i < end && n + 1 < size &&
		       (isalnum((unsigned char)bytes[i]) || strchr("_.:-", bytes[i])) && bytes[i])
			label[n++] = (char)tolower((unsigned char)bytes[i++]);
		label[n] = '\0';
		return;
	}
}

static enum format_outcome parse(struct html *h, const struct charset_text *text)
{
	htmlSAXHandler sax = {.startElement = start_element,
	    .endElement = end_element,
	    .characters = characters,
	    .cdataBlock = characters,
	    .ignorableWhitespace = characters};

	h->ctxt = htmlNewParserCtxt();
	if (!h->ctxt)
		return format_none(h->out, "the page needs more memory than a decoder may use");
	*h->ctxt->sax = sax;
	h->ctxt->userData = h;
	htmlCtxtReadMemory(h->ctxt, text->text, (int)text->len, NULL, "UTF-8",
	    HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
		HTML_PARSE_IGNORE_ENC);
	if (!h->out->visible)
		return format_none(h->out, "no text in it");
	textsink_title(h->out, h->title.data ? h->title.data : "", h->title.len);
	return FORMAT_OK;
}

static bool html_reads(const char *type)
{
	/* XHTML too: pages sent as such are seldom well-formed, and their entities have no DTD here */
	return strcmp(type, "text/html") == 0 || strcmp(type, "application/xhtml+xml") == 0;
}

static void html_warm(void)
{
	xmlInitParser();
}

static enum format_outcome html_read(const struct format_input *in, struct textsink *out)
{
	struct html h = {.out = out, .title = {.limit = 4096}};
	struct charset_text text = {.own = BUF_INIT};
	enum format_outcome outcome;
	char label[48];

	if (*in->charset)
		snprintf(label, sizeof(label), "%s", in->charset);
	else
		declared_charset(in->bytes, in->len, label, sizeof(label));
	if (!charset_to_utf8(in->bytes, in->len, label, &text) || text.len > INT_MAX) {
		outcome = format_none(out, "the page needs more memory than a decoder may use");
		goto out;
	}
	outcome = parse(&h, &text);
out:
	htmlFreeParserCtxt(h.ctxt);
	buf_free(&h.title);
	buf_free(&text.own);
	return outcome;
}

const struct format format_html = {
    .name = "HTML", .reads = html_reads, .warm = html_warm, .read = html_read};
