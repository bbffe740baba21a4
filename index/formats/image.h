/* What the head of a picture says, before anything of it is decoded. Private to index/. */
#ifndef ARKKI_INDEX_FORMATS_IMAGE_H
#define ARKKI_INDEX_FORMATS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/formats/format.h"

#define IMAGE_PIXELS_MAX 50000000u
#define IMAGE_PAGES_MAX 10000u

bool image_reads(const char *media_type);
bool image_is_tiff(const char *bytes, size_t len);
/* Directories of a TIFF, 0 when it has none that can be read, at most IMAGE_PAGES_MAX. */
uint32_t image_tiff_pages(const char *bytes, size_t len);
/* Where directory `page` (from 1) of a TIFF lies, 0: there is none. */
size_t image_tiff_page(const char *bytes, size_t len, uint32_t page);
/* FORMAT_OK when the head of this page can be read and its size is bearable, else a reason in `out`. */
enum format_outcome image_check(const char *bytes, size_t len, uint32_t page, struct textsink *out);

#endif
