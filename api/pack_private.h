/* A visit pack in the making: what its files share.
 *
 *   pack.c         the story: gathered, logged, made, sent
 *   pack_gather.c  which documents
 *   pack_pdf.c     the PDF
 *   pack_zip.c     the ZIP
 */
#ifndef ARKKI_API_PACK_PRIVATE_H
#define ARKKI_API_PACK_PRIVATE_H

#include "api/pack.h"
#include "api/past_work.h"
#include "api/unit_words.h"
#include "arkki/archive/packing.h"
#include "arkki/base/clock.h"

enum pack_stage { STAGE_PDF, STAGE_PAGE, STAGE_FILES, STAGE_END, STAGE_SENT };
enum pack_part { PART_REPORT, PART_ORDERED, PART_PLAN, PART_BEFORE };

struct pack_item {
	struct catalogue_row row;
	enum pack_part part;
	bool open; /* in this form */
	enum form form;
	bool file;                   /* the original goes along */
	enum say why;                /* its content is not in the pack; SAY_COUNT: it is */
	enum say why_text, why_file; /* likewise what else is to be said */
	struct card card;
	struct buf text;
	struct buf path; /* in the ZIP */
};

struct pack {
	struct past_work work;
	struct visit *v;
	struct words w;
	enum pack_kind kind;
	json_t *unit, *events, *orders;
	struct pack_item items[PACK_DOCUMENTS_MAX]; /* a PART_BEFORE is behind its PART_PLAN */
	size_t n;
	char time[CLOCK_TEXT_SIZE];
	struct buf name, pdf;
	struct buf page; /* contents.html */
	struct pack_flow {
		struct package *package;
		enum pack_stage stage;
		struct packing *file; /* on its way; NULL: none */
		size_t at;            /* of the PDF's bytes, then of the items */
		uint64_t sent;
	} flow;
	struct ark_error err;
	int rc;
};

/* Fills p->items. */
ARK_MUSTUSE int pack_gather(struct pack *p, struct ark_error *err);
/* Fills p->pdf from the opened items. */
ARK_MUSTUSE int pack_pdf(struct pack *p, struct ark_error *err);
/* Behind pack_pdf(): all but the sending. Each file is opened once, so that what cannot be opened fails the answer
 * rather than breaks it off. */
ARK_MUSTUSE int pack_zip(struct pack *p, struct ark_error *err);
/* The read() of http_reply_stream(), with the pack: makes what is sent as it is sent. After a failure, which is
 * noted, the connection breaks: the ZIP lacks its directory, and the answer its end. */
ssize_t pack_zip_read(void *pack, uint64_t pos, char *out, size_t max);
/* Entries of what was logged and has not come about: the pack, and its files from the item `from` on. */
void pack_note_failed(const struct pack *p, size_t from);

/* Appends "Title, dated 12.3.2026, version 2" of an opened item. */
void pack_line(const struct pack *p, const struct pack_item *item, struct buf *out);
const char *pack_said(const struct pack *p, enum say what);

#endif
