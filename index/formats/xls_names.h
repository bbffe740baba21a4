/* The names of the sheets of an Excel workbook before 2007, which xls2csv leaves out. */
#ifndef ARKKI_INDEX_FORMATS_XLS_NAMES_H
#define ARKKI_INDEX_FORMATS_XLS_NAMES_H

#include <gsf/gsf.h>

#include "index/formats/format.h"

/* `records` is the stream Workbook or Book. Each name becomes a line of one paragraph. What is damaged has the names
 * before the damage, or none. */
void xls_names(GsfInput *records, struct textsink *out);

#endif
