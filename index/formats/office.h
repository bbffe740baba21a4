/* Office files: which kind they are is seen inside, as media types are often general ones.
 */
#ifndef ARKKI_INDEX_FORMATS_OFFICE_H
#define ARKKI_INDEX_FORMATS_OFFICE_H

#include "index/formats/format.h"

extern const struct format format_office; /* OOXML, ODF, EPUB; flat ODF and Word 2003 XML */

/* A ZIP that is a document (OOXML, ODF, EPUB), not a package of files: its decoder is format_office. */
bool office_zip_is(const char *bytes, size_t len);
/* XML whose root is a whole document of an office program. */
bool office_xml_is(const char *bytes, size_t len);

#endif
