#include "index/formats/office.h"

#include <stdlib.h>
#include <string.h>

#include "index/formats/office_xml.h"
#include "index/formats/program.h"

enum kind { KIND_NONE, KIND_OOXML, KIND_ODF, KIND_EPUB };

/* Newer and minimal files do without `mimetype`, so the parts that must be there decide. */
static enum kind zip_kind(const struct office_zip *zip)
{
	if (office_zip_find(zip, "[Content_Types].xml"))
		return KIND_OOXML;
	if (office_zip_find(zip, "META-INF/container.xml"))
		return KIND_EPUB;
	if (office_zip_find(zip, "content.xml") &&
	    (office_zip_find(zip, "META-INF/manifest.xml") || office_zip_find(zip, "mimetype")))
		return KIND_ODF;
	return KIND_NONE;
}

bool office_zip_is(const char *bytes, size_t len)
{
	struct office_zip zip;
	enum kind kind;

	if (len < 4 || memcmp(bytes, "PK", 2) != 0 || !office_zip_open(&zip, bytes, len))
		return false;
	kind = zip_kind(&zip);
	office_zip_close(&zip);
	return kind != KIND_NONE;
}

static bool has_root(const char *bytes, size_t len, const char *name)
{
	return memmem(bytes, len < 4096 ? len : 4096, name, strlen(name)) != NULL;
}

static bool is_flat_odf(const char *bytes, size_t len)
{
	return has_root(bytes, len, "<office:document ") ||
	       has_root(bytes, len, "<office:document\n");
}

static bool is_wordml(const char *bytes, size_t len)
{
	return has_root(bytes, len, "schemas.microsoft.com/office/word/2003/wordml") ||
	       has_root(bytes, len, "schemas.microsoft.com/office/2006/xmlPackage");
}

bool office_xml_is(const char *bytes, size_t len)
{
	return is_flat_odf(bytes, len) || is_wordml(bytes, len);
}

static bool office_reads(const char *type)
{
	static const char *const heads[] = {"application/vnd.openxmlformats-officedocument.",
	    "application/vnd.oasis.opendocument.", "application/vnd.sun.xml.", NULL};
	static const char *const programs[] = {"application/vnd.ms-word.",
	    "application/vnd.ms-excel.", "application/vnd.ms-powerpoint.", NULL};

	for (size_t i = 0; heads[i]; i++) {
		if (strncmp(type, heads[i], strlen(heads[i])) == 0)
			return true;
	}
	for (size_t i = 0; programs[i]; i++) {
		if (strncmp(type, programs[i], strlen(programs[i])) == 0 &&
		    strstr(type, "macroenabled"))
			return true;
	}
	return strcmp(type, "application/epub+zip") == 0;
}

static bool office_claims(const struct format_input *in)
{
	return office_zip_is(in->bytes, in->len) || office_xml_is(in->bytes, in->len);
}

static enum format_outcome read_zip(struct office *o)
{
	switch (zip_kind(&o->zip)) {
	case KIND_OOXML:
		return ooxml_read(o);
	case KIND_ODF:
		return odf_read(o);
	case KIND_EPUB:
		return epub_read(o);
	default:
		return format_none(
		    o->out, "the file is damaged: the parts of a document are missing");
	}
}

static enum format_outcome office_read(const struct format_input *in, struct textsink *out)
{
	struct office o = {.out = out};
	enum format_outcome outcome;

	if (is_flat_odf(in->bytes, in->len))
		return odf_read_flat(&o, in->bytes, in->len);
	if (is_wordml(in->bytes, in->len))
		return wordml_read_flat(&o, in->bytes, in->len);
	/* the macro-enabled and template types may hold an encrypted one, which is OLE */
	if (in->len >= 8 && memcmp(in->bytes, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0)
		return format_ole.read(in, out);
	if (!office_zip_open(&o.zip, in->bytes, in->len))
		return format_none(out, "the file is damaged or was cut off: no list of its parts");
	outcome = read_zip(&o);
	office_zip_close(&o.zip);
	return outcome;
}

const struct format format_office = {.name = "Office",
    .reads = office_reads,
    .claims = office_claims,
    .programs = format_programs, /* a document inside may be an old one */
    .read = office_read};
