#include "api/leak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/json.h"
#include "index/leak_words.h"
#include "index/ocr.h"

enum { PLACES_MAX = 60 };

enum { PICTURE_KNOWN = 500 }; /* per mille of its words: read badly below */

struct check {
	struct extractor *e, *ocr;            /* ocr: begun with the first picture */
	uint32_t pictures[LEAK_PICTURES_MAX]; /* pages */
	size_t pictures_len;
	bool more_pictures, reads; /* reads: words of its text layer are seen */
	const struct leak_ask *ask;
	struct leak_words *words;
	json_t *places;
	struct ark_error *err;
};

/* page 0: of all that is there. */
static int extract_one(struct extractor *e, const char *type, const char *bytes, size_t len,
    uint32_t page, struct extract_result *ret, struct ark_error *err)
{
	struct extract_job *job = NULL;
	int rc;

	*ret = (struct extract_result){.outcome = EXTRACT_NONE};
	if (!extract_reads(e, type, len, ret->reason))
		return ARK_OK;
	rc = extract_begin(e, type, len, &job, err);
	if (!rc)
		rc = extract_feed(job, bytes, len, err);
	if (rc) {
		extract_abort(job);
		return rc;
	}
	if (page)
		extract_page(job, page);
	return extract_finish(job, ret, err);
}

static int extract(struct extractor *e, const char *type, const char *bytes, size_t len,
    struct extract_result *ret, struct ark_error *err)
{
	return extract_one(e, type, bytes, len, 0, ret, err);
}

static bool is_pdf(const struct leak_ask *ask)
{
	return ask->len > 5 && (strncmp(ask->media_type, "application/pdf", 15) == 0 ||
				   memcmp(ask->bytes, "%PDF-", 5) == 0);
}

/* ---- what was found where ---- */

static int note(
    struct check *c, const char *where, const char *detail, const char *text, size_t len)
{
	struct leak_found found;
	json_t *examples, *place;
	int rc = leak_words_find(c->words, text, len, &found, c->err);

	if (rc || !found.words || json_array_size(c->places) >= PLACES_MAX)
		return rc;
	examples = json_array();
	for (unsigned int i = 0; i < found.examples_len; i++)
		json_array_append_new(examples, json_string(found.examples[i]));
	place = json_pack("{s:s,s:s,s:I,s:o}", "where", where, "detail", detail, "words",
	    (json_int_t)found.words, "examples", examples);
	return json_array_append_new(c->places, place)
		   ? ark_fail(c->err, ARK_ENOMEM, "no memory for a comparison")
		   : ARK_OK;
}

/* ---- the parts of what pdf_seen.c tells ---- */

struct part {
	char name[40]; /* "hidden 3" */
	const char *text;
	size_t len;
};

/* The next part at *at; false at the end. */
static bool next_part(const struct buf *all, size_t *at, struct part *ret)
{
	const char *from, *end, *line;
	size_t left;

	if (!all->data || *at >= all->len)
		return false;
	from = all->data + *at;
	left = all->len - *at;
	end = memchr(from, '\f', left);
	if (!end)
		end = from + left;
	line = memchr(from, '\n', (size_t)(end - from));
	if (!line)
		line = end;
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(line - from), from);
	ret->text = line;
	ret->len = (size_t)(end - line);
	*at = (size_t)(end - all->data) + 1;
	return true;
}

static bool named(const struct part *p, const char *name)
{
	size_t n = strlen(name);

	return strncmp(p->name, name, n) == 0 && (!p->name[n] || p->name[n] == ' ');
}

static const char *where_of(const struct part *p)
{
	static const char *const other[] = {"note", "field", "attachment", "outline"};

	if (named(p, "hidden"))
		return "text-layer";
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		if (named(p, other[i]))
			return other[i];
	return "metadata";
}

static int note_parts(struct check *c, const struct buf *all)
{
	struct part p;
	int rc = ARK_OK;

	for (size_t at = 0; !rc && next_part(all, &at, &p);) {
		const char *number;
		char page[60];

		if (named(&p, "seen") || named(&p, "undrawn") || named(&p, "picture"))
			continue;
		number = strchr(p.name, ' ');
		snprintf(page, sizeof(page), "page %s", number ? number + 1 : "");
		rc = note(c, where_of(&p), named(&p, "hidden") ? page : p.name, p.text, p.len);
	}
	return rc;
}

static void take_picture(struct check *c, const struct part *p)
{
	const char *number = strchr(p->name, ' ');

	if (c->pictures_len == LEAK_PICTURES_MAX)
		c->more_pictures = true;
	else if (number)
		c->pictures[c->pictures_len++] = (uint32_t)strtoul(number, NULL, 10);
}

/* What could not be drawn is taken for seen, and the answer is no longer certain. */
static int take_seen(struct check *c, const struct buf *all, const char **ret_unknown)
{
	struct part p;
	int rc = ARK_OK;

	for (size_t at = 0; !rc && next_part(all, &at, &p);) {
		if (named(&p, "undrawn") && p.len > 1)
			*ret_unknown = "fonts";
		if (named(&p, "picture"))
			take_picture(c, &p);
		if (named(&p, "seen") || named(&p, "undrawn")) {
			c->reads |= p.len > 1;
			rc = leak_words_seen(c->words, p.text, p.len, c->err);
		}
	}
	return rc;
}

/* ---- pictures of pages ---- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* *ret_sure: it was read, and well. A picture without words has nothing that is badly read. */
static int read_picture(
    struct check *c, const char *type, uint32_t page, struct extract_result *ret, bool *ret_sure)
{
	int rc = extract_one(c->ocr, type, c->ask->bytes, c->ask->len, page, ret, c->err);

	*ret_sure = !rc && ret->outcome == EXTRACT_READY && !ret->reason[0] &&
		    (!ret->text.len || ret->known >= PICTURE_KNOWN);
	return rc;
}

/* Where the file has no text, what a drawing of its pages shows is what is seen. */
static int see_picture(struct check *c, uint32_t page, bool *ret_sure)
{
	struct extract_result r;
	int rc = read_picture(c, "application/pdf", page, &r, ret_sure);

	if (rc)
		return rc;
	if (r.outcome == EXTRACT_READY && r.text.data)
		rc = leak_words_seen(c->words, r.text.data, r.text.len, c->err);
	extract_result_free(&r);
	return rc;
}

static int note_picture(struct check *c, uint32_t page, bool *ret_sure)
{
	struct extract_result r;
	char detail[40];
	int rc = read_picture(c, OCR_PDF_PICTURES, page, &r, ret_sure);

	if (rc)
		return rc;
	snprintf(detail, sizeof(detail), "page %u", page);
	if (r.outcome == EXTRACT_READY && r.text.data)
		rc = note(c, "picture", detail, r.text.data, r.text.len);
	extract_result_free(&r);
	return rc;
}

/* All pages once; *ret_sure stays only where each was read well and in time. */
static int each_picture(struct check *c, int64_t until,
    int (*one)(struct check *c, uint32_t page, bool *ret_sure), bool *ret_sure)
{
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < c->pictures_len; i++) {
		bool sure = false;

		if (now_ms() < until)
			rc = one(c, c->pictures[i], &sure);
		*ret_sure &= sure;
	}
	return rc;
}

/* Without OCR, or when its process ends, the rest of the test still counts: the pictures were not looked at. */
static void note_pictures(struct check *c, const char **ret_unknown)
{
	int64_t until = now_ms() + LEAK_PICTURES_MS;
	struct ark_error *err = c->err, own = {0};
	bool sure = !c->more_pictures;
	int rc;

	if (!c->pictures_len)
		return;
	c->err = &own;
	rc = c->ask->ocr ? extractor_new(c->ask->ocr, &c->ocr, &own) : ARK_ENOTFOUND;
	if (!rc && !c->reads)
		rc = each_picture(c, until, see_picture, &sure);
	if (!rc)
		rc = each_picture(c, until, note_picture, &sure);
	extractor_free(c->ocr);
	c->ocr = NULL;
	c->err = err;
	if ((rc || !sure) && !*ret_unknown)
		*ret_unknown = "pictures";
}

/* ---- earlier revisions ---- */

/* The end of the n-th revision but the last; 0: there are no more. What follows the last "%%EOF" is of the last. */
static size_t revision_end(const struct leak_ask *ask, size_t from)
{
	const char *at, *next;

	if (from >= ask->len)
		return 0;
	at = memmem(ask->bytes + from, ask->len - from, "%%EOF", 5);
	if (!at)
		return 0;
	next = at + 5;
	return memmem(next, ask->len - (size_t)(next - ask->bytes), "%%EOF", 5)
		   ? (size_t)(next - ask->bytes)
		   : 0;
}

static int note_revision(struct check *c, size_t end, unsigned int number)
{
	struct extract_result r;
	char detail[40];
	int rc = extract(c->e, "application/x-arkki-pdf-seen", c->ask->bytes, end, &r, c->err);

	snprintf(detail, sizeof(detail), "revision %u", number);
	if (!rc && r.outcome == EXTRACT_READY && r.text.data)
		rc = note(c, "revision", detail, r.text.data, r.text.len);
	extract_result_free(&r);
	return rc;
}

static int note_revisions(struct check *c)
{
	size_t end = 0;
	int rc = ARK_OK;

	for (unsigned int n = 1; !rc && n <= LEAK_REVISIONS_MAX; n++) {
		end = revision_end(c->ask, end);
		if (!end)
			break;
		rc = note_revision(c, end, n);
	}
	return rc;
}

/* Without ".pdf": that both files are of one kind tells nothing. */
static size_t stem_len(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && strlen(dot) <= 6 ? (size_t)(dot - name) : strlen(name);
}

/* ---- the story ---- */

static int check_pdf(struct check *c, const char **ret_unknown)
{
	struct extract_result r;
	int rc =
	    extract(c->e, "application/x-arkki-pdf-seen", c->ask->bytes, c->ask->len, &r, c->err);

	if (!rc && r.outcome != EXTRACT_READY)
		*ret_unknown = "unreadable";
	/* what was left out was not looked at */
	else if (!rc && r.reason[0])
		*ret_unknown = "too-large";
	if (!rc && r.outcome == EXTRACT_READY)
		rc = take_seen(c, &r.text, ret_unknown);
	/* they may add to what is seen: before anything is compared with it */
	if (!rc && r.outcome == EXTRACT_READY)
		note_pictures(c, ret_unknown);
	if (!rc && r.outcome == EXTRACT_READY)
		rc = note_parts(c, &r.text);
	if (!rc && r.outcome == EXTRACT_READY)
		rc = note_revisions(c);
	extract_result_free(&r);
	return rc;
}

/* Of another format all of the text is taken for seen: what its metadata and its name say is compared. */
static int check_other(struct check *c, const char **ret_unknown)
{
	struct extract_result r;
	int rc = extract(c->e, c->ask->media_type, c->ask->bytes, c->ask->len, &r, c->err);

	if (!rc && r.outcome != EXTRACT_READY)
		*ret_unknown = "unreadable";
	if (!rc && r.outcome == EXTRACT_READY && r.text.data)
		rc = leak_words_seen(c->words, r.text.data, r.text.len, c->err);
	if (!rc)
		rc = note(c, "metadata", "title", r.title, strlen(r.title));
	extract_result_free(&r);
	return rc;
}

static size_t most_left(const json_t *places)
{
	size_t most = 0, i;
	json_t *p;

	json_array_foreach(places, i, p)
	{
		size_t n = (size_t)json_integer_value(json_object_get(p, "words"));

		most = n > most ? n : most;
	}
	return most;
}

static json_t *report_of(const struct check *c, const char *unknown)
{
	size_t left = most_left(c->places);
	const char *outcome = left ? "leaks" : unknown ? "unknown" : "clean";

	return json_pack("{s:s,s:I,s:I,s:s*,s:O}", "outcome", outcome, "removed",
	    (json_int_t)leak_words_removed(c->words), "left", (json_int_t)left, "reason", unknown,
	    "places", c->places);
}

int leak_check(struct extractor *e, const struct leak_ask *ask, json_t **ret, struct ark_error *err)
{
	struct check c = {
	    .e = e, .ask = ask, .words = leak_words_new(), .places = json_array(), .err = err};
	const char *unknown = NULL, *name = ask->file_name ? ask->file_name : "";
	int rc =
	    c.words && c.places ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a comparison");

	if (!rc)
		rc = leak_words_original(c.words, ask->original, ask->original_len, err);
	if (!rc && ask->len > LEAK_FILE_MAX)
		unknown = "too-large";
	else if (!rc && is_pdf(ask))
		rc = check_pdf(&c, &unknown);
	else if (!rc)
		rc = check_other(&c, &unknown);
	if (!rc)
		rc = note(&c, "file-name", "name", name, stem_len(name));
	if (!rc) {
		*ret = report_of(&c, unknown);
		rc = *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a comparison");
	}
	json_decref(c.places);
	leak_words_free(c.words);
	return rc;
}

bool leak_clean(const json_t *report)
{
	const char *outcome = json_text(report, "outcome");

	return outcome && strcmp(outcome, "clean") == 0;
}
