/* What OCR has read, into the text and the index.
 *
 * The text is made from the layer and the pages anew each time, so a merge that a kill cut off is done
 * once more with the same outcome; the mark that it is done comes last.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/indexer_private.h"

/* tesseract reads letters into noise, too. Names and foreign words are unknown to dictionaries, so only a short
 * text is judged by them. */
enum { KNOWN_MIN = 300, SHORT_MAX = 400, MERGES = 16 };

#define NO_TEXT_SHOWN "its pictures show no text that can be read"

static bool shows_text(const struct reading_page *p)
{
	return p->text.len && (p->known >= KNOWN_MIN || p->text.len > SHORT_MAX);
}

struct merge {
	struct archive *a;
	const struct receipt *receipt;
	const struct catalogue_row *row;
	enum form form;
	struct reading_pages pages;
	struct buf layer, text;
	uint32_t taken; /* pages whose picture showed text */
};

static int add_page(struct merge *m, uint32_t page, struct ark_error *err)
{
	struct reading_page p = {0};
	int rc = reading_page(m->a, m->receipt, m->row, m->form, page, &p, err);

	if (!rc && shows_text(&p)) {
		while (p.text.len &&
		       (p.text.data[p.text.len - 1] == '\n' || p.text.data[p.text.len - 1] == '\f'))
			p.text.len--;
		buf_add(&m->text, p.text.data, p.text.len);
		buf_addc(&m->text, '\n');
		m->taken++;
	}
	reading_page_free(&p);
	return rc;
}

/* The layer's pages are separated by \f; text that was cut has fewer of them. What follows on a bare
 * page, such as the text of attachments behind the last one, stays behind what OCR read. */
static int make_text(struct merge *m, struct ark_error *err)
{
	const char *at = m->layer.data ? m->layer.data : "", *end = at + m->layer.len, *stop;
	size_t next = 0;
	int rc = ARK_OK;

	for (uint32_t page = 1; !rc && (page <= m->pages.pages || at < end); page++) {
		if (page > 1)
			buf_addc(&m->text, '\f');
		if (next < m->pages.bare_len && m->pages.bare[next] == page) {
			rc = add_page(m, page, err);
			next++;
		}
		stop = memchr(at, '\f', (size_t)(end - at));
		buf_add(&m->text, at, (size_t)((stop ? stop : end) - at));
		at = stop ? stop + 1 : end;
	}
	if (!rc && buf_failed(&m->text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a text");
	return rc;
}

/* What is to be said of the text from now on. */
struct verdict {
	const char *state;
	char reason[200];
};

/* What the extraction said holds still: a part that was not read then has not been read by OCR. */
static int keep_merged(struct merge *m, struct verdict *ret, struct ark_error *err)
{
	char extracted[200], merged[64] = NO_TEXT_SHOWN;
	bool none = !m->taken && !m->pages.has_text;
	int rc;

	reading_extracted_remark(m->a, m->row, m->form, extracted);
	if (!none)
		snprintf(merged, sizeof(merged), "%" PRIu32 " of %" PRIu32 " pages read by OCR",
		    m->taken, m->pages.pages);
	/* an extraction's remark is under 160 bytes: nothing is cut */
	snprintf(ret->reason, sizeof(ret->reason), "%.*s%s%s",
	    (int)(sizeof(ret->reason) - sizeof("; ") - strlen(merged)), extracted,
	    *extracted ? "; " : "", merged);
	ret->state = none ? "none" : "ready";
	if (none)
		return reading_keep_no_text(m->a, m->row, m->form, ret->reason, err);
	rc = reading_keep_text(
	    m->a, m->receipt, m->row, m->form, m->text.data ? m->text.data : "", m->text.len, err);
	return rc ? rc : reading_keep_remark(m->a, m->row, m->form, ret->reason, err);
}

static int merge_form(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct verdict *ret, struct ark_error *err)
{
	struct merge m = {.a = i->a, .receipt = receipt, .row = row, .form = form};
	int rc = reading_pages(i->a, row, form, &m.pages, err);

	m.text.limit = (size_t)64 << 20;
	if (!rc)
		rc = reading_layer(i->a, receipt, row, form, &m.layer, err);
	if (!rc)
		rc = make_text(&m, err);
	if (!rc)
		rc = keep_merged(&m, ret, err);
	reading_pages_free(&m.pages);
	buf_wipe_free(&m.layer);
	buf_wipe_free(&m.text);
	return rc;
}

/* The row as it is now goes into the index, with the text that was just kept: the catalogue is told only when
 * that can be found. */
static int put_again(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *before, enum form form, const char *state, struct ark_error *err)
{
	struct text_found found[2] = {0};
	struct catalogue_row row;
	char **says;
	int rc = catalogue_get(i->catalogue, before->document, before->version, NULL, &row, err);

	if (rc)
		return rc;
	says = form == FORM_PUBLIC ? &row.rendition.text_state : &row.text_state;
	if (form == FORM_WHOLE || row.rendition.number == before->rendition.number) {
		free(*says);
		*says = strdup(state);
	}
	rc = *says || form == FORM_PUBLIC ? indexer_put_row(i, receipt, &row, found, err)
					  : ark_fail(err, ARK_ENOMEM, "no memory for a row");
	catalogue_row_free(&row);
	text_found_free(&found[0]);
	text_found_free(&found[1]);
	return rc;
}

/* A cache that lost something, or was torn by a power cut, is made anew from the content. */
static int start_over(
    struct indexer *i, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	uint32_t rendition = form == FORM_PUBLIC ? row->rendition.number : 0;
	int rc = reading_forget_text(i->a, row, form, err);

	if (!rc)
		rc = catalogue_set_pages(
		    i->catalogue, row->document, row->version, rendition, NULL, err);
	if (!rc)
		rc = text_tell(i, row, form, "pending", NULL, NULL, err);
	indexer_poke(i, true);
	return rc;
}

static int mark_merged(
    struct indexer *i, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	uint32_t rendition = form == FORM_PUBLIC ? row->rendition.number : 0;
	struct catalogue_pages p;
	int rc = catalogue_get_pages(i->catalogue, row->document, row->version, rendition, &p, err);

	p.merged = true;
	if (!rc)
		rc = catalogue_set_pages(
		    i->catalogue, row->document, row->version, rendition, &p, err);
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}

static int merge_one(
    struct indexer *i, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	struct verdict verdict = {0};
	char range[80];
	int rc;

	snprintf(range, sizeof(range), "%s version %u", row->document, row->version);
	rc = archive_maintenance(i->a, "ocr text", range, &receipt, err);
	if (!rc) {
		rc = merge_form(i, receipt, row, form, &verdict, err);
		if (rc == ARK_ENOTFOUND || rc == ARK_ECORRUPT) {
			receipt_free(receipt);
			return start_over(i, row, form, err);
		}
	}
	if (!rc)
		rc = put_again(i, receipt, row, form, verdict.state, err);
	receipt_free(receipt);
	/* only what is durable in the index is done */
	if (!rc)
		rc = indexer_commit(i, atomic_load(&i->sequence), err);
	if (!rc)
		rc = text_tell(i, row, form, verdict.state, verdict.reason, NULL, err);
	return rc ? rc : mark_merged(i, row, form, err);
}

int indexer_merge(struct indexer *i, bool *ret_more, struct ark_error *err)
{
	struct catalogue_row row;
	enum form form;
	int rc = ARK_OK;

	*ret_more = false;
	for (int n = 0; n < MERGES && !indexer_is_stopping(i); n++) {
		rc = catalogue_ocr_read(i->catalogue, &row, &form, err);
		if (rc)
			return rc == ARK_ENOTFOUND ? ARK_OK : rc;
		rc = merge_one(i, &row, form, err);
		catalogue_row_free(&row);
		if (rc)
			return rc;
		*ret_more = true;
		if (indexer_waits(i))
			break; /* a filing goes first: a merge takes a commit */
	}
	return rc;
}
