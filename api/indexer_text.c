/* The text of one form: of a version, or of its public rendition. */
#include <stdio.h>
#include <string.h>

#include "api/indexer_private.h"

enum { HELD_MAX = 256 << 10 }; /* bytes of a text that wait in memory for the writer */

/* What the row says of one form. */
struct form_facts {
	enum form form;
	uint32_t rendition; /* for the catalogue: 0 is the version itself */
	const char *media_type, *text_state;
	uint64_t size;
};

static struct form_facts facts_of(const struct catalogue_row *row, enum form form)
{
	if (form == FORM_PUBLIC)
		return (struct form_facts){form, row->rendition.number, row->rendition.media_type,
		    row->rendition.text_state, row->rendition.size};
	return (struct form_facts){form, 0, row->media_type, row->text_state, row->size};
}

void text_found_free(struct text_found *f)
{
	buf_wipe_free(&f->text);
	search_prepared_free(f->prepared);
	*f = (struct text_found){0};
}

/* Feeds the opened content to the sandbox; no plain byte touches the disk. */
static int feed(struct extract_job *job, struct content *c, struct ark_error *err)
{
	char block[65536];
	uint64_t at = 0;
	ssize_t n = 0;
	int rc = ARK_OK;

	while (!rc && (n = content_read(c, at, block, sizeof(block), err)) > 0) {
		rc = extract_feed(job, block, (size_t)n, err);
		at += (uint64_t)n;
	}
	explicit_bzero(block, sizeof(block));
	return rc ? rc : n < 0 ? (int)n : ARK_OK;
}

int text_extract(struct archive *a, struct extractor *e, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, struct extract_result *ret,
    struct ark_error *err)
{
	const struct form_facts f = facts_of(row, form);
	struct extract_job *job = NULL;
	struct content *c = NULL;
	int rc;

	if (!extract_reads(e, f.media_type, f.size, ret->reason)) {
		ret->outcome = EXTRACT_NONE;
		return ARK_OK;
	}
	rc = reading_content(a, receipt, row, form, &c, err);
	if (!rc)
		rc = extract_begin(e, f.media_type, f.size, &job, err);
	if (!rc)
		rc = feed(job, c, err);
	content_close(c);
	if (rc)
		extract_abort(job);
	/* one document that cannot be opened must not hold up all that follow; verify tells of it */
	if (rc == ARK_ECORRUPT) {
		ret->outcome = EXTRACT_NONE;
		snprintf(ret->reason, sizeof(ret->reason), "its content in the store is damaged");
		return ARK_OK;
	}
	if (rc)
		return rc;
	if (page)
		extract_page(job, page);
	return extract_finish(job, ret, err);
}

static bool has_letters(const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->data[i] > ' ')
			return true;
	return false;
}

/* Of scans alone there is no text yet: they are pending until OCR has read them, or have none where nobody
 * will. */
static void judge(struct text_found *f, const char *remark, const char *no_ocr)
{
	bool waits = f->pages.bare && !f->pages.merged && !f->pages.has_text;

	f->state = !waits ? "ready" : *no_ocr ? "none" : "pending";
	snprintf(f->reason, sizeof(f->reason), "%s",
	    !waits    ? remark
	    : *no_ocr ? no_ocr
		      : READING_WAITS);
}

/* A text that is in derived/, of which the catalogue does not know or not all. */
static int find_kept(struct archive *a, const struct catalogue_row *row, enum form form,
    const char *no_ocr, struct text_found *ret, struct ark_error *err)
{
	struct reading_pages p = {0};
	char remark[200];
	int rc = reading_pages(a, row, form, &p, err);

	reading_text_state(a, row, form, remark);
	if (rc && rc != ARK_ENOTFOUND)
		return rc;
	if (!rc)
		ret->pages = (struct catalogue_pages){.pages = p.pages,
		    .bare = (uint32_t)p.bare_len,
		    .read = p.read,
		    .has_text = p.has_text,
		    .merged = p.merged && p.read == p.bare_len};
	reading_pages_free(&p);
	judge(ret, remark, no_ocr);
	return ARK_OK;
}

static int keep_pages(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const struct extract_result *r,
    struct text_found *ret, struct ark_error *err)
{
	struct reading_pages p = {.pages = r->pages,
	    .bare = r->bare_pages,
	    .bare_len = r->bare_pages_len,
	    .has_text = has_letters(&r->text)};

	if (!p.bare_len)
		return reading_forget_pages(a, row, form, err);
	if (p.bare_len > READING_PAGES_MAX)
		p.bare_len = READING_PAGES_MAX;
	if (p.pages < p.bare[p.bare_len - 1])
		p.pages = p.bare[p.bare_len - 1];
	ret->pages = (struct catalogue_pages){
	    .pages = p.pages, .bare = (uint32_t)p.bare_len, .has_text = p.has_text};
	return reading_keep_pages(
	    a, receipt, row, form, &p, r->text.data ? r->text.data : "", r->text.len, err);
}

static int find_anew(struct archive *a, struct extractor *e, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const char *no_ocr, struct text_found *ret,
    struct ark_error *err)
{
	struct extract_result r = {0};
	int rc = text_extract(a, e, receipt, row, form, 0, &r, err);

	if (!rc && r.outcome == EXTRACT_READY) {
		rc = keep_pages(a, receipt, row, form, &r, ret, err);
		if (!rc)
			rc = reading_keep_extracted_remark(a, row, form, r.reason, err);
		if (!rc)
			rc = reading_keep_text(
			    a, receipt, row, form, r.text.data ? r.text.data : "", r.text.len, err);
		judge(ret, r.reason, no_ocr);
		ret->text = r.text;
		r.text = (struct buf)BUF_INIT;
	} else if (!rc) {
		rc = reading_keep_no_text(a, row, form, r.reason, err);
		if (!rc)
			rc = reading_forget_pages(a, row, form, err);
		ret->state = "none";
		snprintf(ret->reason, sizeof(ret->reason), "%s", r.reason);
	}
	extract_result_free(&r);
	return rc;
}

int text_find(struct archive *a, struct extractor *e, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const char *no_ocr, struct text_found *ret,
    struct ark_error *err)
{
	const struct form_facts f = facts_of(row, form);
	int rc = ARK_OK;

	*ret = (struct text_found){.sought = true};
	if (form == FORM_PUBLIC && !f.rendition)
		return ARK_OK;
	if (f.text_state && strcmp(f.text_state, "none") == 0)
		return ARK_OK;
	if (reading_text(a, receipt, row, form, &ret->text, NULL) == ARK_OK) {
		if (!f.text_state || strcmp(f.text_state, "ready") != 0)
			rc = find_kept(a, row, form, no_ocr, ret, err);
	} else {
		buf_wipe_free(&ret->text);
		rc = find_anew(a, e, receipt, row, form, no_ocr, ret, err);
	}
	if (rc) {
		text_found_free(ret);
	} else if (ret->text.len > HELD_MAX) {
		buf_wipe_free(&ret->text);
		ret->left_out = true;
	}
	return rc;
}

int text_tell(struct indexer *i, const struct catalogue_row *row, enum form form, const char *state,
    const char *reason, const struct catalogue_pages *pages, struct ark_error *err)
{
	uint32_t rendition = form == FORM_PUBLIC ? row->rendition.number : 0;
	int rc = pages && pages->pages ? catalogue_set_pages(i->catalogue, row->document,
					     row->version, rendition, pages, err)
				       : ARK_OK;

	if (!rc)
		rc = catalogue_set_text(i->catalogue, row->document, row->version, rendition, state,
		    reason && *reason ? reason : NULL, err);
	return rc == ARK_ENOTFOUND && rendition ? ARK_OK : rc;
}

int text_tell_found(struct indexer *i, const struct catalogue_row *row, enum form form,
    const struct text_found *found, struct ark_error *err)
{
	int rc;

	if (!found->state)
		return ARK_OK;
	rc = text_tell(i, row, form, found->state, found->reason, &found->pages, err);
	if (!rc && found->pages.bare > found->pages.read && i->ocr)
		ocr_queue_poke(i->ocr);
	return rc;
}

int text_take(struct indexer *i, const struct receipt *receipt, const struct catalogue_row *row,
    enum form form, struct text_found *found, struct buf *text, struct ark_error *err)
{
	int rc = ARK_OK;

	if (!found->sought)
		rc = text_find(
		    i->a, i->extractor, receipt, row, form, ocr_queue_missing(i->ocr), found, err);
	if (!rc && !i->tell_later)
		rc = text_tell_found(i, row, form, found, err);
	if (!rc && found->left_out)
		rc = reading_text(i->a, receipt, row, form, text, err);
	if (!rc && !found->left_out) {
		*text = found->text;
		found->text = (struct buf)BUF_INIT;
	}
	return rc;
}
