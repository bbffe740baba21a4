/* Reading: the story of how bytes get out of the archive.
 *
 * A read finds the version in the catalogue, appends an access entry and
 * waits until it is durable; only the receipt opens the data key.
 * Each chunk's AEAD tag is its integrity.
 */
#ifndef ARKKI_ARCHIVE_READING_H
#define ARKKI_ARCHIVE_READING_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/receipt.h"

/* The opened meta of one version. */
struct card {
	json_t *fields; /* the metadata record's fields (normal form) */
	json_t *version; /* the version's meta: fileName, mediaType, size, sha256, time, actor, … */
	json_t *counties; /* of the units when the metadata record was filed */
};
void card_free(struct card *c); /* what it holds */

ARK_MUSTUSE int reading_card(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct card *ret, struct ark_error *err);

/* The title alone, as a JSON string: for lists, where parsing all the rest is most of the time. */
ARK_MUSTUSE int reading_title(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, json_t **ret, struct ark_error *err);

/* From here on `form` says of what: of the version itself, or of its newest public rendition
 * (ARK_ENOTFOUND when the row has none). Both open under the version's key. */

/* The meta alone: what a download needs to say. */
ARK_MUSTUSE int reading_version(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, json_t **ret, struct ark_error *err);
/* The card as the texts of the two JSON objects, unparsed: for the answers that many readers wait
 * for. Appends to metadata (the whole metadata record) and version. */
ARK_MUSTUSE int reading_card_text(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct buf *metadata, struct buf *version,
    struct ark_error *err);

/* Content of one version, open for reading at any position. One thread at a time. */
struct content;
ARK_MUSTUSE int reading_content(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct content **ret, struct ark_error *err);
uint64_t content_size(const struct content *c);
/* Up to max plain bytes from `position`; 0 at the end. Negative status on failure. */
ssize_t content_read(
    struct content *c, uint64_t position, void *out, size_t max, struct ark_error *err);
void content_close(struct content *c);

/* Extracted text: a sealed, rebuildable cache in DIR/derived under the version's own key. */
ARK_MUSTUSE int reading_text(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct buf *out, struct ark_error *err);
ARK_MUSTUSE int reading_keep_text(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const void *text, size_t len,
    struct ark_error *err);

/* Why a version has no text: a clause that the extractor chose, nothing of the document; kept beside
 * the texts, so that a catalogue made anew says the same. A text kept before is gone. */
ARK_MUSTUSE int reading_keep_no_text(struct archive *a, const struct catalogue_row *row,
    enum form form, const char *reason, struct ark_error *err);
/* Before reading_keep_text(): what is to be said of the text as it was extracted; "": nothing. */
ARK_MUSTUSE int reading_keep_extracted_remark(struct archive *a, const struct catalogue_row *row,
    enum form form, const char *remark, struct ark_error *err);
void reading_extracted_remark(
    const struct archive *a, const struct catalogue_row *row, enum form form, char out[200]);
/* What derived/ says: "ready" (with the remark), "none" (with the reason), or "pending"; reason is
 * "" when there is nothing to say. */
const char *reading_text_state(
    const struct archive *a, const struct catalogue_row *row, enum form form, char reason[200]);
/* As if it had never been extracted. */
ARK_MUSTUSE int reading_forget_text(const struct archive *a, const struct catalogue_row *row,
    enum form form, struct ark_error *err);

/* ---- pages without text of their own, and what OCR read on them ---- */

#define READING_PAGES_MAX 100000u
/* Why a text of scans alone is pending. */
#define READING_WAITS "its pages are pictures, which wait for OCR"

struct reading_pages {
	uint32_t pages;
	uint32_t *bare; /* from 1, ascending */
	size_t bare_len;
	bool has_text; /* the other pages have some */
	/* set by reading_pages(): how many of them OCR has read, and the first that it has not (0: none) */
	uint32_t read, next;
	bool merged; /* the text has what they say: reading_keep_remark() was the last step */
};
void reading_pages_free(struct reading_pages *p); /* what it holds */

/* Before reading_keep_text(): the bare pages, and the text without them. What OCR read before is gone. */
ARK_MUSTUSE int reading_keep_pages(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const struct reading_pages *p,
    const void *layer, size_t layer_len, struct ark_error *err);
/* ARK_ENOTFOUND: no page of it is bare. On success *ret is ended with reading_pages_free(). */
ARK_MUSTUSE int reading_pages(const struct archive *a, const struct catalogue_row *row,
    enum form form, struct reading_pages *ret, struct ark_error *err);
ARK_MUSTUSE int reading_forget_pages(const struct archive *a, const struct catalogue_row *row,
    enum form form, struct ark_error *err);
ARK_MUSTUSE int reading_layer(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct buf *out, struct ark_error *err);

struct reading_page {
	unsigned int known;     /* per mille of its words that a dictionary knows */
	struct buf text, words; /* words with their places, as in extract.h */
};
ARK_MUSTUSE int reading_keep_page(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, const struct reading_page *p,
    struct ark_error *err);
/* ARK_ENOTFOUND: it has not been read. On success *ret is ended with reading_page_free(). */
ARK_MUSTUSE int reading_page(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, struct reading_page *ret,
    struct ark_error *err);
void reading_page_free(struct reading_page *p);
/* What is to be said of a text of which pages were read by OCR, the remark of its extraction included. */
ARK_MUSTUSE int reading_keep_remark(struct archive *a, const struct catalogue_row *row,
    enum form form, const char *remark, struct ark_error *err);

#endif
