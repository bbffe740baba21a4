/* Until OCR is in extract.c: no extractor reads single pages, so none is chosen. */
#include "arkki/index/extract.h"

__attribute__((weak)) void extract_page(struct extract_job *job, uint32_t page)
{
	(void)job;
	(void)page;
}
