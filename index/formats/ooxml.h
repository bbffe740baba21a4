/* Packages of OOXML (ECMA-376): which parts there are, of what kind, and how they point at one another.
 * What a part is says its content type, not its name: names are the producer's choice.
 */
#ifndef ARKKI_INDEX_FORMATS_OOXML_H
#define ARKKI_INDEX_FORMATS_OOXML_H

#include "index/formats/office_xml.h"

enum ooxml_kind {
	PART_OTHER,
	PART_WORD,
	PART_BOOK,
	PART_SHOW,
	PART_HEADER,
	PART_FOOTER,
	PART_NOTES, /* footnotes, endnotes */
	PART_COMMENTS,
	PART_GLOSSARY,
	PART_DRAWING, /* of a sheet */
	PART_DIAGRAM,
	PART_CHART,
	PART_SHEET,
	PART_STRINGS,
	PART_SLIDE,
	PART_SLIDE_NOTES,
	PART_MASTER,
	PART_CHUNK, /* a document of another format that the text contains */
};

struct ooxml_part {
	const struct zip_entry *entry;
	enum ooxml_kind kind;
	char name[OFFICE_NAME_SIZE];
};

struct ooxml {
	struct office *o;
	struct ooxml_part *parts; /* in the order of the file, without those of PART_OTHER */
	size_t parts_len;
};

struct ooxml_relation {
	char id[64];
	char target[OFFICE_NAME_SIZE]; /* of the package: a part's name; else as written */
	bool external;
};

struct ooxml_relations {
	struct ooxml_relation *list;
	size_t len, cap;
	const char *base;
};

/* False: no memory. End with ooxml_relations_free(). A part without relations has none. */
bool ooxml_relations(struct ooxml *x, const char *part, struct ooxml_relations *ret);
void ooxml_relations_free(struct ooxml_relations *r);
const char *ooxml_relation(const struct ooxml_relations *r, const char *id); /* target or NULL */

const struct ooxml_part *ooxml_part_of(const struct ooxml *x, const char *name);
/* Text of one part, or of all of a kind, a paragraph apart. */
void ooxml_text(struct ooxml *x, const struct ooxml_part *part);
void ooxml_text_of(struct ooxml *x, enum ooxml_kind kind);

void ooxml_sheets(struct ooxml *x, const struct ooxml_part *book);
void ooxml_slides(struct ooxml *x, const struct ooxml_part *show);

#endif
