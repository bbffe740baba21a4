/* What a decoder says through its pipe, and nothing in it is believed.
 * Private to index/extract.c.
 */
#ifndef ARKKI_INDEX_EXTRACT_INTAKE_H
#define ARKKI_INDEX_EXTRACT_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/index/extract.h"

/* Zeroed, with text.limit and words.limit set, it is ready. */
struct intake {
	struct buf raw; /* frames that are not complete yet */
	struct buf text;
	struct buf words;
	uint32_t *bare; /* ascending */
	size_t bare_len, bare_cap;
	uint32_t known;
	uint32_t pages;
	char title[EXTRACT_TITLE_SIZE];
	char reason[EXTRACT_REASON_SIZE];
	bool begun;  /* the sandbox was entered */
	char last;   /* FRAME_DONE, FRAME_NONE, or 0 */
	bool broken; /* not what a decoder of ours writes */
	bool no_memory;
};

/* One read of fd. False when no more need be read: at its end, or when broken or no_memory is set. */
bool intake_read(struct intake *in, int fd);
/* Text and words are UTF-8 without control characters but \n and \f. */
bool intake_text_fair(const struct intake *in);
/* The text is fair, and more than what divides words and pages. */
bool intake_text_visible(const struct intake *in);
void intake_free(struct intake *in); /* wipes */

#endif
