/* Extracted texts: DIR/derived/<first two digits>/<document>-vNNNN[-rNNNN]
 *
 *   (no ending)     the text, sealed under the form's own key
 *   .none           in the clear, why there is none
 *   .remark         in the clear, what is to be said of the text as it was extracted
 *   .ocr/pages      a line each: how many pages; "text" or "pictures", whether the layer has any
 *                   text; the number of each page that has none of its own
 *   .ocr/layer      sealed: the text without what OCR read
 *   .ocr/NNNNN      sealed: what OCR read on that page
 *   .ocr/remark     in the clear, what is to be said of the text in the end, with what .remark says
 *
 * A cache: renamed into place, not synced; what is lost is extracted again. .ocr is whole before
 * the text is there, so a text with bare pages never looks like one without.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/envelope.h"
#include "archive/reading_private.h"
#include "arkki/base/fs.h"

enum {
	TEXT_MAX = 80 << 20,
	PAGE_MAX = 80 << 20,
	PAGES_LINE_MAX = 12,
	PART_SIZE = 32,
};

/* ---- files ---- */

/* `ending` behind the text's own name. */
static int text_path(const struct archive *a, const struct catalogue_row *row, enum form form,
    const char *ending, char out[4096], struct ark_error *err)
{
	char tail[16] = "";

	if (form == FORM_PUBLIC && !row->rendition.number)
		return ark_fail(err, ARK_ENOTFOUND, "there is no public rendition");
	if (form == FORM_PUBLIC)
		snprintf(tail, sizeof(tail), "-r%04u", row->rendition.number);
	return fs_path(out, err, "%s/derived/%.2s/%s-v%04u%s%s", archive_dir(a), row->document,
	    row->document, row->version, tail, ending);
}

static int make_room(
    const struct archive *a, const struct catalogue_row *row, struct ark_error *err)
{
	char dir[4096];
	int rc = fs_path(dir, err, "%s/derived/%.2s", archive_dir(a), row->document);

	return rc ? rc : fs_mkdir(dir, 0700, err);
}

/* Whole or not at all, but not durable. */
static int put_file(const char *file, const void *bytes, size_t len, struct ark_error *err)
{
	char tmp[4096];
	int fd, rc = fs_path(tmp, err, "%s.tmp", file);

	if (rc)
		return rc;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rc = fd < 0 ? ark_fail_errno(err, ARK_EIO, "cannot create %s", tmp)
		    : fs_write_all(fd, bytes, len, err);
	if (fd >= 0)
		close(fd);
	return rc ? rc : fs_rename(tmp, file, err);
}

/* ---- sealed parts ---- */

static int part_key(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const char *part, struct seal_key *key,
    char context[ENVELOPE_CONTEXT], struct ark_error *err)
{
	char path[ENVELOPE_PATH];
	int rc = reading_form_key(a, receipt, row, form, key, err);

	if (rc)
		return rc;
	reading_form_path(row, form, part, path);
	envelope_context(context, archive_keyring(a), path);
	return ARK_OK;
}

static int keep_part(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const char *part, const char *ending,
    const void *bytes, size_t len, struct ark_error *err)
{
	struct buf sealed = BUF_INIT;
	char file[4096], context[ENVELOPE_CONTEXT];
	struct seal_key key;
	int rc = text_path(a, row, form, ending, file, err);

	if (!rc)
		rc = make_room(a, row, err);
	if (!rc)
		rc = part_key(a, receipt, row, form, part, &key, context, err);
	if (rc)
		return rc;
	rc = seal_bytes(&key, context, bytes, len, &sealed, err);
	seal_key_wipe(&key);
	if (!rc)
		rc = put_file(file, sealed.data, sealed.len, err);
	buf_free(&sealed);
	return rc;
}

static int open_part(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const char *part, const char *ending,
    struct buf *out, struct ark_error *err)
{
	struct buf sealed = BUF_INIT;
	char file[4096], context[ENVELOPE_CONTEXT];
	struct seal_key key;
	int rc = text_path(a, row, form, ending, file, err);

	if (!rc)
		rc = fs_read_file(file, TEXT_MAX, &sealed, err);
	if (!rc)
		rc = part_key(a, receipt, row, form, part, &key, context, err);
	if (!rc) {
		rc = seal_open_bytes(&key, context, sealed.data, sealed.len, out, err);
		seal_key_wipe(&key);
	}
	buf_free(&sealed);
	return rc;
}

/* ---- the text ---- */

int reading_text(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    enum form form, struct buf *out, struct ark_error *err)
{
	return open_part(a, receipt, row, form, "text", "", out, err);
}

int reading_keep_text(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const void *text, size_t len,
    struct ark_error *err)
{
	char none[4096];
	int rc = keep_part(a, receipt, row, form, "text", "", text, len, err);

	if (!rc)
		rc = text_path(a, row, form, ".none", none, err);
	if (!rc)
		unlink(none); /* of an earlier try */
	return rc;
}

int reading_keep_no_text(struct archive *a, const struct catalogue_row *row, enum form form,
    const char *reason, struct ark_error *err)
{
	char file[4096];
	int rc = text_path(a, row, form, ".none", file, err);

	if (!rc)
		rc = make_room(a, row, err);
	if (!rc)
		rc = put_file(file, reason, strlen(reason), err);
	if (!rc)
		rc = text_path(a, row, form, "", file, err);
	if (!rc)
		unlink(file);
	return rc;
}

/* A short clear text; "" when there is none. False: no such file. */
static bool clear_text(const struct archive *a, const struct catalogue_row *row, enum form form,
    const char *ending, char out[200])
{
	struct buf text = BUF_INIT;
	char file[4096];
	bool found =
	    !text_path(a, row, form, ending, file, NULL) && !fs_read_file(file, 199, &text, NULL);

	snprintf(out, 200, "%s", found && text.data ? text.data : "");
	buf_free(&text);
	return found;
}

int reading_keep_extracted_remark(struct archive *a, const struct catalogue_row *row,
    enum form form, const char *remark, struct ark_error *err)
{
	char file[4096];
	int rc = text_path(a, row, form, ".remark", file, err);

	if (!rc && !*remark) {
		unlink(file); /* of an earlier try */
		return ARK_OK;
	}
	if (!rc)
		rc = make_room(a, row, err);
	return rc ? rc : put_file(file, remark, strlen(remark), err);
}

void reading_extracted_remark(
    const struct archive *a, const struct catalogue_row *row, enum form form, char out[200])
{
	clear_text(a, row, form, ".remark", out);
}

const char *reading_text_state(
    const struct archive *a, const struct catalogue_row *row, enum form form, char reason[200])
{
	char file[4096];

	reason[0] = '\0';
	if (text_path(a, row, form, "", file, NULL))
		return "pending";
	if (fs_exists(file)) {
		if (!clear_text(a, row, form, ".ocr/remark", reason))
			clear_text(a, row, form, ".remark", reason);
		return "ready";
	}
	return clear_text(a, row, form, ".none", reason) ? "none" : "pending";
}

int reading_forget_text(
    const struct archive *a, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	static const char *const files[] = {"", ".none", ".remark"};
	char path[4096];
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < sizeof(files) / sizeof(*files); i++) {
		rc = text_path(a, row, form, files[i], path, err);
		if (!rc)
			unlink(path);
	}
	return rc ? rc : reading_forget_pages(a, row, form, err);
}

/* ---- pages that OCR reads ---- */

int reading_forget_pages(
    const struct archive *a, const struct catalogue_row *row, enum form form, struct ark_error *err)
{
	char path[4096];
	int rc = text_path(a, row, form, ".ocr", path, err);

	return rc ? rc : fs_remove_tree(path, err);
}

int reading_keep_pages(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, const struct reading_pages *p,
    const void *layer, size_t layer_len, struct ark_error *err)
{
	struct buf list = BUF_INIT;
	char path[4096];
	int rc = reading_forget_pages(a, row, form, err);

	if (!rc)
		rc = make_room(a, row, err);
	if (!rc)
		rc = text_path(a, row, form, ".ocr", path, err);
	if (!rc)
		rc = fs_mkdir(path, 0700, err);
	if (!rc)
		rc = keep_part(
		    a, receipt, row, form, "text-layer", ".ocr/layer", layer, layer_len, err);
	buf_addf(&list, "%" PRIu32 "\n%s\n", p->pages, p->has_text ? "text" : "pictures");
	for (size_t i = 0; i < p->bare_len; i++)
		buf_addf(&list, "%" PRIu32 "\n", p->bare[i]);
	if (!rc && buf_failed(&list))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a list of pages");
	if (!rc)
		rc = text_path(a, row, form, ".ocr/pages", path, err);
	if (!rc)
		rc = put_file(path, list.data, list.len, err);
	buf_free(&list);
	return rc;
}

static bool next_number(const char **at, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(*at, &end, 10);

	if (end == *at || *end != '\n' || n == 0 || n > UINT32_MAX)
		return false;
	*at = end + 1;
	*ret = (uint32_t)n;
	return true;
}

/* Ours, but on a disk: a list that is not ascending or names a page that is not there is no list. */
static int parse_pages(const char *text, struct reading_pages *ret, struct ark_error *err)
{
	struct reading_pages p = {0};
	const char *at = text;
	size_t lines = 0;
	uint32_t page, last = 0;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	p.bare = calloc(lines ? lines : 1, sizeof(*p.bare));
	if (!p.bare)
		return ark_fail(err, ARK_ENOMEM, "no memory for a list of pages");
	if (!next_number(&at, &p.pages))
		goto bad;
	p.has_text = strncmp(at, "text\n", 5) == 0;
	if (!p.has_text && strncmp(at, "pictures\n", 9) != 0)
		goto bad;
	at += p.has_text ? 5 : 9;
	while (*at) {
		if (!next_number(&at, &page) || page <= last || page > p.pages)
			goto bad;
		last = p.bare[p.bare_len++] = page;
	}
	*ret = p;
	return ARK_OK;
bad:
	free(p.bare);
	return ark_fail(err, ARK_ENOTFOUND, "the list of pages is malformed");
}

static int page_ending(uint32_t page, char out[PART_SIZE])
{
	return snprintf(out, PART_SIZE, ".ocr/%05u", page);
}

static bool page_is_read(
    const struct archive *a, const struct catalogue_row *row, enum form form, uint32_t page)
{
	char file[4096], ending[PART_SIZE];

	page_ending(page, ending);
	return !text_path(a, row, form, ending, file, NULL) && fs_exists(file);
}

int reading_pages(const struct archive *a, const struct catalogue_row *row, enum form form,
    struct reading_pages *ret, struct ark_error *err)
{
	struct buf list = BUF_INIT;
	char file[4096];
	int rc = text_path(a, row, form, ".ocr/pages", file, err);

	if (!rc)
		rc = fs_read_file(file, (size_t)PAGES_LINE_MAX * READING_PAGES_MAX, &list, err);
	if (!rc)
		rc = parse_pages(list.data ? list.data : "", ret, err);
	if (!rc) {
		ret->next = 0;
		ret->read = 0;
		ret->merged =
		    !text_path(a, row, form, ".ocr/remark", file, NULL) && fs_exists(file);
		for (size_t i = 0; i < ret->bare_len; i++) {
			if (page_is_read(a, row, form, ret->bare[i]))
				ret->read++;
			else if (!ret->next)
				ret->next = ret->bare[i];
		}
	}
	buf_free(&list);
	return rc;
}

void reading_pages_free(struct reading_pages *p)
{
	free(p->bare);
	*p = (struct reading_pages){0};
}

int reading_layer(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    enum form form, struct buf *out, struct ark_error *err)
{
	return open_part(a, receipt, row, form, "text-layer", ".ocr/layer", out, err);
}

/* "<known> <bytes of text>\n", the text, the words. */
int reading_keep_page(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, const struct reading_page *p,
    struct ark_error *err)
{
	char part[PART_SIZE], ending[PART_SIZE];
	struct buf all = BUF_INIT;
	int rc;

	snprintf(part, sizeof(part), "text-page-%u", page);
	page_ending(page, ending);
	buf_addf(&all, "%u %zu\n", p->known, p->text.len);
	buf_add(&all, p->text.data, p->text.len);
	buf_add(&all, p->words.data, p->words.len);
	rc = buf_failed(&all)
		 ? ark_fail(err, ARK_ENOMEM, "no memory for a page")
		 : keep_part(a, receipt, row, form, part, ending, all.data, all.len, err);
	buf_wipe_free(&all);
	return rc;
}

int reading_page(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    enum form form, uint32_t page, struct reading_page *ret, struct ark_error *err)
{
	char part[PART_SIZE], ending[PART_SIZE];
	struct buf all = BUF_INIT;
	size_t text_len = 0, head = 0;
	int rc;

	*ret = (struct reading_page){0};
	snprintf(part, sizeof(part), "text-page-%u", page);
	page_ending(page, ending);
	rc = open_part(a, receipt, row, form, part, ending, &all, err);
	/* we sealed it: NOLINTNEXTLINE(cert-err34-c) */
	if (!rc && (!all.data || sscanf(all.data, "%u %zu", &ret->known, &text_len) < 2))
		rc = ark_fail(err, ARK_ECORRUPT, "what OCR read of a page is malformed");
	if (!rc) {
		head = strcspn(all.data, "\n") + 1;
		if (head > all.len || text_len > all.len - head)
			rc = ark_fail(err, ARK_ECORRUPT, "what OCR read of a page is cut short");
	}
	if (!rc) {
		buf_add(&ret->text, all.data + head, text_len);
		buf_add(&ret->words, all.data + head + text_len, all.len - head - text_len);
		if (buf_failed(&ret->text) || buf_failed(&ret->words))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a page");
	}
	buf_wipe_free(&all);
	if (rc)
		reading_page_free(ret);
	return rc;
}

void reading_page_free(struct reading_page *p)
{
	buf_wipe_free(&p->text);
	buf_wipe_free(&p->words);
	*p = (struct reading_page){0};
}

int reading_keep_remark(struct archive *a, const struct catalogue_row *row, enum form form,
    const char *remark, struct ark_error *err)
{
	char file[4096];
	int rc = text_path(a, row, form, ".ocr/remark", file, err);

	return rc ? rc : put_file(file, remark, strlen(remark), err);
}
