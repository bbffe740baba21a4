#include "index/formats/office_xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct office_atts {
	const xmlChar **list; /* five pointers each: name, prefix, URI, value, its end */
	int len;
};

struct parse {
	struct office *o;
	const struct office_events *events;
	void *arg;
	xmlParserCtxtPtr ctxt;
};

static void start_element(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
    int namespaces, const xmlChar **ns, int attributes, int defaulted, const xmlChar **atts)
{
	const struct office_atts list = {.list = atts, .len = attributes};
	struct parse *p = arg;

	(void)prefix, (void)uri, (void)namespaces, (void)ns, (void)defaulted;
	if (p->events->start)
		p->events->start(p->arg, (const char *)name, &list);
}

static void end_element(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = arg;

	(void)prefix, (void)uri;
	if (p->events->end)
		p->events->end(p->arg, (const char *)name);
}

static void characters(void *arg, const xmlChar *text, int len)
{
	struct parse *p = arg;

	if (len > 0 && p->events->text)
		p->events->text(p->arg, (const char *)text, (size_t)len);
	if (p->o->out->full)
		xmlStopParser(p->ctxt);
}

static void entity_declared(void *arg, const xmlChar *name, int type, const xmlChar *public_id,
    const xmlChar *system_id, xmlChar *content)
{
	struct parse *p = arg;

	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	p->o->entities = true;
	xmlStopParser(p->ctxt);
}

static const char *att_value(const struct office_atts *atts, int i, char *out, size_t size)
{
	const xmlChar *from = atts->list[5 * i + 3];
	size_t len = (size_t)(atts->list[5 * i + 4] - from);

	if (len >= size)
		len = size - 1;
	memcpy(out, from, len);
	out[len] = '\0';
	return out;
}

const char *office_att(const struct office_atts *atts, const char *name, char *out, size_t size)
{
	for (int i = 0; i < atts->len; i++) {
		if (strcmp((const char *)atts->list[5 * i], name) == 0)
			return att_value(atts, i, out, size);
	}
	out[0] = '\0';
	return out;
}

const char *office_att_prefixed(
    const struct office_atts *atts, const char *prefix, const char *name, char *out, size_t size)
{
	for (int i = 0; i < atts->len; i++) {
		const char *own = (const char *)atts->list[5 * i + 1];

		if (own && strcmp(own, prefix) == 0 &&
		    strcmp((const char *)atts->list[5 * i], name) == 0)
			return att_value(atts, i, out, size);
	}
	out[0] = '\0';
	return out;
}

static bool feed(void *arg, const char *bytes, size_t len)
{
	struct parse *p = arg;

	xmlParseChunk(p->ctxt, bytes, (int)len, 0);
	return !p->o->entities && !p->o->out->full && p->ctxt->disableSAX != 1;
}

static bool begin(struct parse *p, struct office *o, const struct office_events *events, void *arg)
{
	const xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
	    .startElementNs = start_element,
	    .endElementNs = end_element,
	    .characters = characters,
	    .cdataBlock = characters,
	    .ignorableWhitespace = characters,
	    .entityDecl = entity_declared};

	*p = (struct parse){.o = o, .events = events, .arg = arg};
	p->ctxt = xmlCreatePushParserCtxt(NULL, NULL, NULL, 0, NULL);
	if (!p->ctxt) {
		o->malformed = true;
		return false;
	}
	*p->ctxt->sax = sax;
	p->ctxt->userData = p;
	xmlCtxtUseOptions(
	    p->ctxt, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_RECOVER);
	return true;
}

static void end(struct parse *p, bool whole)
{
	if (whole)
		xmlParseChunk(p->ctxt, "", 0, 1);
	if (!p->o->out->full && !p->ctxt->wellFormed)
		p->o->malformed = true;
	xmlFreeParserCtxt(p->ctxt);
}

void office_part(
    struct office *o, const struct zip_entry *part, const struct office_events *events, void *arg)
{
	struct parse p;

	if (o->out->full || o->entities || !begin(&p, o, events, arg))
		return;
	end(&p, office_zip_read(&o->zip, part, feed, &p) == ZIP_OK);
	textsink_flush_through(o->out);
}

bool office_part_named(
    struct office *o, const char *name, const struct office_events *events, void *arg)
{
	const struct zip_entry *part = office_zip_find(&o->zip, name);

	if (part)
		office_part(o, part, events, arg);
	return part != NULL;
}

void office_xml(
    struct office *o, const char *bytes, size_t len, const struct office_events *events, void *arg)
{
	enum { PIECE = 65536 };
	bool going = true;
	struct parse p;

	if (!begin(&p, o, events, arg))
		return;
	for (size_t at = 0; going && at < len; at += PIECE)
		going = feed(&p, bytes + at, len - at < PIECE ? len - at : PIECE);
	end(&p, going);
}

enum format_outcome office_outcome(const struct office *o)
{
	const char *reason = office_zip_reason(&o->zip);
	struct textsink *out = o->out;

	if (o->entities)
		return format_none(out, "XML that declares its own entities is not read");
	if (o->zip.worst == ZIP_BOMB)
		return format_none(out, "%s", reason);
	if (!out->visible)
		return format_none(out, "%s",
		    reason         ? reason
		    : o->malformed ? "the file is damaged: malformed XML"
				   : "no text in it");
	if (reason || o->malformed)
		snprintf(out->reason, sizeof(out->reason),
		    "the file is damaged: the text is what could be read of it");
	return FORMAT_OK;
}

bool office_resolve(const char *base, const char *target, char *out, size_t size)
{
	size_t dir = 0;
	int n;

	if (*target == '/') {
		target++;
	} else {
		const char *slash = strrchr(base, '/');

		dir = slash ? (size_t)(slash - base) + 1 : 0;
		for (;;) {
			if (strncmp(target, "./", 2) == 0) {
				target += 2;
				continue;
			}
			if (strncmp(target, "../", 3) != 0)
				break;
			if (dir == 0)
				return false;
			target += 3;
			for (dir--; dir > 0 && base[dir - 1] != '/';)
				dir--;
		}
	}
	n = snprintf(out, size, "%.*s%s", (int)dir, base, target);
	return n > 0 && (size_t)n < size;
}

bool office_among(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

bool office_ends_with(const char *text, const char *tail)
{
	size_t a = strlen(text), b = strlen(tail);

	return a >= b && strcmp(text + a - b, tail) == 0;
}

/* ---- properties ---- */
static void property_start(void *arg, const char *name, const struct office_atts *atts)
{
	static const char *const names[] = {
	    "title", "subject", "keywords", "keyword", "description", NULL};
	struct office_property *p = arg;

	(void)atts;
	p->wanted = office_among(name, names);
	p->title = strcmp(name, "title") == 0;
	buf_clear(&p->text);
}

static void property_text(void *arg, const char *text, size_t len)
{
	struct office_property *p = arg;

	if (p->wanted)
		buf_add(&p->text, text, len);
}

static void property_end(void *arg, const char *name)
{
	struct office_property *p = arg;

	(void)name;
	if (p->wanted && p->title) {
		textsink_title(p->o->out, p->text.data ? p->text.data : "", p->text.len);
	} else if (p->wanted && p->text.len) {
		textsink_gap(p->o->out, GAP_PARAGRAPH);
		textsink_add(p->o->out, p->text.data, p->text.len, false);
		textsink_gap(p->o->out, GAP_PARAGRAPH);
	}
	p->wanted = false;
}

const struct office_events office_property_events = {
    .start = property_start, .end = property_end, .text = property_text};

void office_properties(struct office *o, const char *part)
{
	struct office_property p = {.o = o, .text = {.limit = 65536}};

	office_part_named(o, part, &office_property_events, &p);
	buf_free(&p.text);
}

void office_html(struct office *o, const char *bytes, size_t len)
{
	const struct format_input in = {
	    .bytes = bytes, .len = len, .media_type = "text/html", .charset = ""};
	char title[sizeof(o->out->title)];

	memcpy(title, o->out->title, sizeof(title));
	textsink_gap(o->out, GAP_PARAGRAPH);
	/* without text it says why: a reason for a part, not for the document */
	if (len && format_html.read(&in, o->out) != FORMAT_OK)
		o->out->reason[0] = '\0';
	textsink_gap(o->out, GAP_PARAGRAPH);
	memcpy(o->out->title, title, sizeof(title));
	textsink_flush_through(o->out);
}
