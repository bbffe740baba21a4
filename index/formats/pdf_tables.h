/* The tables of the package poppler-data, which say what the characters of a CJK font that is not embedded
 * with its own mapping are.
 *
 * Poppler opens one of 250 files by its name when a font asks for it, and in the sandbox no file opens. So
 * they are all read into memory in the zygote, once, and poppler's one way to open them is answered from
 * there: its function openFile() is replaced by ours in this program (the Makefile exports the symbol). Nothing is
 * taken out of the sandbox for it. A poppler that opens otherwise finds nothing, as if the package were not there.
 *
 * The memory is a sealed file mapping: decoders share it, none can write it for the next, and a fork
 * copies nothing of it.
 */
#ifndef ARKKI_INDEX_FORMATS_PDF_TABLES_H
#define ARKKI_INDEX_FORMATS_PDF_TABLES_H

/* Before the sandbox. What cannot be read is missing later, as is all without the package. */
void pdf_tables_load(void);

#endif
