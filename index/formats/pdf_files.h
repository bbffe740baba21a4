/* Files inside a PDF: attachments of the document (a portfolio is nothing else), and those that notes carry. */
#ifndef ARKKI_INDEX_FORMATS_PDF_FILES_H
#define ARKKI_INDEX_FORMATS_PDF_FILES_H

#include <poppler.h>

#include "index/formats/format.h"

/* Adds them as members. True when they gave text. */
bool pdf_add_files(PopplerDocument *doc, struct textsink *out);
void pdf_add_note_file(PopplerAnnot *note, struct textsink *out);

#endif
