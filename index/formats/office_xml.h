/* XML of office files as events, and what the vocabularies share. Documents that declare entities are
 * refused, nothing outside is read, and libxml2's own bounds hold (256 levels).
 */
#ifndef ARKKI_INDEX_FORMATS_OFFICE_XML_H
#define ARKKI_INDEX_FORMATS_OFFICE_XML_H

#include "index/formats/office_zip.h"

struct office_atts; /* of one element, during its start() */

/* Names are local names: prefixes are the producer's choice. */
struct office_events {
	void (*start)(void *arg, const char *name, const struct office_atts *atts);
	void (*end)(void *arg, const char *name);
	void (*text)(void *arg, const char *text, size_t len);
};

/* The value of an attribute by its local name, cut at size; "" when there is none. */
const char *office_att(const struct office_atts *atts, const char *name, char *out, size_t size);
/* The same where two attributes differ by prefix only (id and r:id). */
const char *office_att_prefixed(
    const struct office_atts *atts, const char *prefix, const char *name, char *out, size_t size);

struct office {
	struct office_zip zip;
	struct textsink *out;
	bool entities;
	bool malformed; /* some part was: the text is what could be read */
};

/* Parses a part. It ends early when the sink is full or a bound is reached; office_outcome() says. */
void office_part(
    struct office *o, const struct zip_entry *part, const struct office_events *events, void *arg);
/* By its name; false when there is no such part. */
bool office_part_named(
    struct office *o, const char *name, const struct office_events *events, void *arg);
/* XML in memory, for files that are no ZIP. */
void office_xml(
    struct office *o, const char *bytes, size_t len, const struct office_events *events, void *arg);
/* What to answer when all is read: text with a remark, or none with a reason. */
enum format_outcome office_outcome(const struct office *o);

/* "../media/x" against "ppt/slides/slide1.xml" into "ppt/media/x"; false when too long or leading out. */
bool office_resolve(const char *base, const char *target, char *out, size_t size);
bool office_among(const char *name, const char *const *names); /* names end with NULL */
bool office_ends_with(const char *text, const char *end);
/* Adds title, subject, keywords, description as they come in a part of core or ODF metadata: the title
 * becomes the sink's, the others a paragraph each. */
void office_properties(struct office *o, const char *part);
extern const struct office_events office_property_events; /* arg: a struct office_property */
struct office_property {
	struct office *o;
	struct buf text;
	bool wanted, title;
};

/* Adds HTML as a part of the document: its title is not the document's. */
void office_html(struct office *o, const char *bytes, size_t len);

enum {
	OFFICE_NAME_SIZE = 512,
	OFFICE_LOADED_MAX = 64 << 20, /* of a part that is wanted as a whole */
};

/* ---- the kinds ---- */
enum format_outcome ooxml_read(struct office *o);
enum format_outcome odf_read(struct office *o);
enum format_outcome epub_read(struct office *o);
/* An XML file that is a whole document: flat ODF, Word 2003. */
enum format_outcome odf_read_flat(struct office *o, const char *bytes, size_t len);
enum format_outcome wordml_read_flat(struct office *o, const char *bytes, size_t len);

/* Text runs of OOXML (WordprocessingML, DrawingML): paragraphs, tables, what is deleted left out. */
struct ooxml_text {
	struct office *o;
	unsigned int skip;  /* open elements whose text is not the document's */
	unsigned int run;   /* open w:t, a:t */
	unsigned int cells; /* open table cells */
	bool cell_has_paragraph;
	bool master; /* of placeholders only the footer counts */
	bool placeholder;
	bool code; /* the skipped element is a field's code */
	struct buf links;
};
extern const struct office_events ooxml_text_events; /* arg: a struct ooxml_text */

#endif
