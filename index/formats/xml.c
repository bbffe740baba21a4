/* XML by libxml2's SAX2 parser. Nothing outside the document is ever read, and a document that
 * declares entities of its own is refused as a whole: there is no honest need for them here, and
 * both "billion laughs" and external entities begin with one. libxml2's own bounds hold too
 * (256 levels, 10 MB a text node). */
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <string.h>

#include "index/formats/format.h"

enum { XML_LEVELS = 300 }; /* beyond libxml2's own 256 */

struct xml {
	struct textsink *out;
	xmlParserCtxtPtr ctxt;
	unsigned int depth;
	bool has_text[XML_LEVELS]; /* the open element of this level has text directly in it */
	bool entities;
	bool in_title;
	struct buf title;
};

static bool among(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

static bool is_block(const char *name)
{
	static const char *const names[] = {"p", "para", "div", "title", "subtitle", "section",
	    "subsection", "chapter", "article", "abstract", "description", "h", "head", "heading",
	    "h1", "h2", "h3", "h4", "h5", "h6", "table", "list", "ul", "ol", "note", "footnote",
	    "quote", "blockquote", "body", "item", NULL};

	return among(name, names);
}

/* Pieces of a running line in the common vocabularies. */
static bool is_inline(const char *name)
{
	static const char *const names[] = {"a", "b", "i", "u", "s", "em", "strong", "sup", "sub",
	    "span", "font", "small", "big", "tt", "code", "ref", "emph", "emphasis", "link", "r",
	    "t", "hi", "mark", NULL};

	return among(name, names);
}

static void start_element(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
    int namespaces, const xmlChar **ns, int attributes, int defaulted, const xmlChar **atts)
{
	struct xml *x = arg;

	(void)prefix, (void)uri, (void)namespaces, (void)ns;
	(void)attributes, (void)defaulted, (void)atts;
	if (++x->depth < XML_LEVELS)
		x->has_text[x->depth] = false;
	if (is_block((const char *)name))
		textsink_gap(x->out, GAP_PARAGRAPH);
	x->in_title |= !x->title.len && strcmp((const char *)name, "title") == 0;
}

static void end_element(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml *x = arg;

	(void)prefix, (void)uri;
	if (is_block((const char *)name))
		textsink_gap(x->out, GAP_PARAGRAPH);
	else if (!is_inline((const char *)name) && x->depth < XML_LEVELS && x->has_text[x->depth])
		textsink_gap(x->out, GAP_LINE);
	if (x->depth)
		x->depth--;
	if (strcmp((const char *)name, "title") == 0)
		x->in_title = false;
}

static void characters(void *arg, const xmlChar *text, int len)
{
	struct xml *x = arg;
	uint64_t before = x->out->visible;

	if (len <= 0)
		return;
	if (!textsink_add(x->out, (const char *)text, (size_t)len, false))
		xmlStopParser(x->ctxt);
	if (x->depth < XML_LEVELS && x->out->visible > before)
		x->has_text[x->depth] = true;
	if (x->in_title)
		buf_add(&x->title, text, (size_t)len);
}

static void entity_declared(void *arg, const xmlChar *name, int type, const xmlChar *public_id,
    const xmlChar *system_id, xmlChar *content)
{
	struct xml *x = arg;

	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	x->entities = true;
	xmlStopParser(x->ctxt);
}

static bool xml_reads(const char *type)
{
	const char *dot = strrchr(type, '+');

	return strcmp(type, "text/xml") == 0 || strcmp(type, "application/xml") == 0 ||
	       (dot && strcmp(dot, "+xml") == 0);
}

static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
	(void)url, (void)id, (void)ctxt;
	return NULL;
}

static void xml_warm(void)
{
	xmlInitParser();
	xmlSetExternalEntityLoader(load_nothing);
}

static enum format_outcome outcome_of(const struct xml *x, struct textsink *out)
{
	bool formed = x->ctxt->wellFormed || out->full;

	if (x->entities)
		return format_none(out, "XML that declares its own entities is not read");
	if (!out->visible)
		return format_none(out, formed ? "no text in it" : "malformed XML");
	if (!formed)
		snprintf(out->reason, sizeof(out->reason),
		    "malformed XML: the text is what could be read of it");
	textsink_title(out, x->title.data ? x->title.data : "", x->title.len);
	return FORMAT_OK;
}

static enum format_outcome xml_read(const struct format_input *in, struct textsink *out)
{
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
	    .startElementNs = start_element,
	    .endElementNs = end_element,
	    .characters = characters,
	    .cdataBlock = characters,
	    .ignorableWhitespace = characters,
	    .entityDecl = entity_declared};
	struct xml x = {.out = out, .title = {.limit = 4096}};
	enum format_outcome outcome;

	if (in->len > INT_MAX)
		return format_none(out, "larger than the XML decoder reads");
	x.ctxt = xmlNewParserCtxt();
	if (!x.ctxt)
		return format_none(out, "the document needs more memory than a decoder may use");
	*x.ctxt->sax = sax;
	x.ctxt->userData = &x;
	xmlCtxtReadMemory(x.ctxt, in->bytes, (int)in->len, NULL, *in->charset ? in->charset : NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_RECOVER);
	outcome = outcome_of(&x, out);
	xmlFreeParserCtxt(x.ctxt);
	buf_free(&x.title);
	return outcome;
}

const struct format format_xml = {
    .name = "XML", .reads = xml_reads, .warm = xml_warm, .read = xml_read};
