/* One page read: the picture, upright, its words, and whether they are words.
 *
 *   picture → which way is up (leptonica) → straightened → tesseract → known words
 *                 ↑ few of them known: the other three ways, the best counts ┘
 */
#include "index/ocr.h"

#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tesseract/capi.h>
#include <time.h>

#include "arkki/base/text.h"
#include "index/formats/hyphen.h"
#include "index/formats/image.h"

enum {
	WORDS_MAX = 50000, /* on a page */
	KNOWN_GOOD = 600,  /* per mille: read the right way up, no other is tried */
	KNOWN_NOISE = 150, /* below it nothing was read but the grain of the paper */
	LETTERS_NOISE = 5, /* as few letters in known words: chance gives a "bie" */
	DOTS_BLANK = 100,  /* dark ones of a page: the stroke of a letter or two */
	FIRST_SHARE = 55,  /* of the processor time, in per cent, for the first way */
	RESERVE_MS = 3000, /* of it, for what comes after reading */
	SKEW_DEGREES = 7,
};

struct ocr {
	TessBaseAPI *tesseract;
	struct ocr_words *words;
};

struct word {
	size_t at, len; /* in the reading's text */
	int left, top, width, height, confidence;
	enum textsink_gap gap; /* before it */
};

/* What one way of holding the page gives. */
struct reading {
	int rotation, width, height;
	struct word *words;
	size_t n, cap;
	struct buf text;                     /* the words without anything between */
	unsigned int judged, known, letters; /* words, those known, and their letters */
	bool cut;                            /* time was over before the page was */
};

static void reading_free(struct reading *r)
{
	free(r->words);
	buf_free(&r->text);
	memset(r, 0, sizeof(*r));
}

struct ocr *ocr_new(char reason[160])
{
	struct ocr *o = calloc(1, sizeof(*o));

	if (!o) {
		snprintf(reason, 160, "no memory for tesseract");
		return NULL;
	}
	setMsgSeverity(L_SEVERITY_NONE);
	o->words = ocr_words_new(reason);
	o->tesseract = o->words ? TessBaseAPICreate() : NULL;
	if (o->tesseract &&
	    TessBaseAPIInit2(o->tesseract, NULL, "swe+fin+eng", OEM_LSTM_ONLY) == 0) {
		TessBaseAPISetPageSegMode(o->tesseract, PSM_AUTO);
		ocr_picture_warm();
		return o;
	}
	if (o->words)
		snprintf(reason, 160,
		    "no models of tesseract for fin, swe and eng (packages tesseract-ocr-…)");
	ocr_free(o);
	return NULL;
}

void ocr_free(struct ocr *o)
{
	if (!o)
		return;
	if (o->tesseract) {
		TessBaseAPIEnd(o->tesseract);
		TessBaseAPIDelete(o->tesseract);
	}
	ocr_words_free(o->words);
	free(o);
}

bool ocr_reads(const char *type)
{
	return image_reads(type) || format_pdf.reads(type) || strcmp(type, OCR_PDF_PICTURES) == 0;
}

/* ---- one way of holding the page ---- */
struct budget {
	int64_t cpu_ms, wall_ms; /* when one clock has got there, it is over */
	bool over;
};

static struct budget now(void)
{
	struct budget b = {0};
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	b.cpu_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	clock_gettime(CLOCK_MONOTONIC, &t);
	b.wall_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return b;
}

/* So many per cent of what is left of the whole. */
static struct budget part_of(const struct budget *whole, unsigned int percent)
{
	struct budget b = now();

	b.cpu_ms += (whole->cpu_ms - b.cpu_ms) * percent / 100;
	b.wall_ms += (whole->wall_ms - b.wall_ms) * percent / 100;
	return b;
}

static bool over_budget(void *arg, int words)
{
	struct budget *b = arg, at = now();

	(void)words;
	b->over |= at.cpu_ms > b->cpu_ms || at.wall_ms > b->wall_ms;
	return b->over;
}

/* Words of Latin letters, digits and signs only; tesseract gives nothing else, but the parent ends a
 * decoder whose words are not one line each. */
static bool fair_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	}
	return len > 0 && utf8_valid(text, len);
}

static enum textsink_gap gap_before(const TessPageIterator *at)
{
	if (TessPageIteratorIsAtBeginningOf(at, RIL_PARA))
		return GAP_PARAGRAPH;
	return TessPageIteratorIsAtBeginningOf(at, RIL_TEXTLINE) ? GAP_LINE : GAP_SPACE;
}

static bool add_word(
    struct reading *r, const char *text, float confidence, const TessPageIterator *at)
{
	struct word w = {.at = r->text.len, .len = strlen(text), .gap = gap_before(at)};
	int right, bottom;

	if (!fair_word(text, w.len) || r->n == WORDS_MAX ||
	    !TessPageIteratorBoundingBox(at, RIL_WORD, &w.left, &w.top, &right, &bottom))
		return true;
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 512;
		struct word *more = reallocarray(r->words, cap, sizeof(*more));

		if (!more)
			return false;
		r->words = more;
		r->cap = cap;
	}
	w.width = right - w.left;
	w.height = bottom - w.top;
	w.confidence = confidence < 0 ? 0 : confidence > 100 ? 100 : (int)confidence;
	buf_add(&r->text, text, w.len);
	r->words[r->n++] = w;
	return !buf_failed(&r->text);
}

static bool collect(const struct ocr *o, struct reading *r)
{
	TessResultIterator *it = TessBaseAPIGetIterator(o->tesseract);
	bool ok = true;

	if (!it)
		return true;
	do {
		char *text = TessResultIteratorGetUTF8Text(it, RIL_WORD);

		if (text)
			ok = add_word(r, text, TessResultIteratorConfidence(it, RIL_WORD),
			    TessResultIteratorGetPageIteratorConst(it));
		TessDeleteText(text);
	} while (ok && TessResultIteratorNext(it, RIL_WORD));
	TessResultIteratorDelete(it);
	return ok;
}

static void judge(const struct ocr *o, struct reading *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct word *w = &r->words[i];
		int known = ocr_words_knows(o->words, r->text.data + w->at, w->len);

		r->judged += known >= 0;
		r->known += known > 0;
		r->letters += known > 0 ? (unsigned int)known : 0;
	}
}

/* False: no memory. */
static bool read_upright(
    const struct ocr *o, PIX *page, int dpi, struct budget budget, struct reading *r)
{
	ETEXT_DESC *monitor = TessMonitorCreate();
	bool ok;

	if (!monitor)
		return false;
	TessMonitorSetCancelThis(monitor, &budget);
	TessMonitorSetCancelFunc(monitor, over_budget);
	TessBaseAPISetImage2(o->tesseract, page);
	TessBaseAPISetSourceResolution(o->tesseract, dpi);
	TessBaseAPIRecognize(o->tesseract, monitor);
	TessMonitorDelete(monitor);
	r->cut = budget.over;
	r->width = pixGetWidth(page);
	r->height = pixGetHeight(page);
	ok = collect(o, r);
	TessBaseAPIClear(o->tesseract);
	if (ok)
		judge(o, r);
	return ok;
}

static bool read_turned(const struct ocr *o, PIX *picture, int dpi, int rotation,
    struct budget budget, struct reading *r)
{
	PIX *turned = pixRotateOrth(picture, rotation / 90), *straight = NULL;
	float angle, confidence;
	bool ok = false;

	r->rotation = rotation;
	if (turned)
		straight = pixDeskewGeneral(turned, 0, SKEW_DEGREES, 1, 0, 0, &angle, &confidence);
	if (straight)
		ok = read_upright(o, straight, dpi, budget, r);
	pixDestroy(&turned);
	pixDestroy(&straight);
	return ok;
}

/* ---- which way is up ---- */
/* By ascenders and descenders, where leptonica is sure; else as it is. */
static int likely_rotation(PIX *picture)
{
	PIX *dark = pixThresholdToBinary(picture, 150);
	float up = 0, left = 0;
	l_int32 orientation = L_TEXT_ORIENT_UNKNOWN;

	if (dark && pixOrientDetect(dark, &up, &left, 0, 0) == 0)
		makeOrientDecision(up, left, 0, 0, &orientation, 0);
	pixDestroy(&dark);
	switch (orientation) {
	case L_TEXT_ORIENT_LEFT:
		return 90;
	case L_TEXT_ORIENT_DOWN:
		return 180;
	case L_TEXT_ORIENT_RIGHT:
		return 270;
	default:
		return 0;
	}
}

static unsigned int share_known(const struct reading *r)
{
	return r->judged ? 1000 * r->known / r->judged : 0;
}

/* Many known words, and few unknown: those that a page gives the wrong way up are short and few. */
static bool better(const struct reading *a, const struct reading *b)
{
	return (uint64_t)a->known * share_known(a) > (uint64_t)b->known * share_known(b);
}

/* The back of a sheet. */
static bool is_blank(PIX *picture)
{
	PIX *dark = pixThresholdToBinary(picture, 190);
	l_int32 dots = DOTS_BLANK;

	if (dark)
		pixCountPixels(dark, &dots, NULL);
	pixDestroy(&dark);
	return dots < DOTS_BLANK;
}

/* The best reading of the page into *best. False: no memory. */
static bool read_best(
    const struct ocr *o, PIX *picture, int dpi, const struct ocr_page *page, struct reading *best)
{
	static const int turns[] = {180, 90, 270};
	int first = likely_rotation(picture);
	struct budget whole = now();

	whole.cpu_ms = (int64_t)page->cpu_s * 1000 - RESERVE_MS; /* since the process began */
	whole.wall_ms += (int64_t)page->wall_ms - 5 * RESERVE_MS;
	if (!read_turned(o, picture, dpi, first, part_of(&whole, FIRST_SHARE), best))
		return false;
	for (unsigned int i = 0; i < 3 && share_known(best) < KNOWN_GOOD; i++) {
		struct reading r = {0};
		bool ok = read_turned(
		    o, picture, dpi, (first + turns[i]) % 360, part_of(&whole, 100 / (3 - i)), &r);

		if (ok && better(&r, best)) {
			struct reading worse = *best;

			*best = r;
			r = worse;
		}
		reading_free(&r);
		if (!ok)
			return false;
	}
	return true;
}

/* ---- what comes out ---- */
static void write_text(const struct reading *r, struct textsink *out)
{
	for (size_t i = 0; i < r->n && !out->full; i++) {
		const struct word *w = &r->words[i], *next = i + 1 < r->n ? w + 1 : NULL;
		enum hyphen_join join = JOIN_NOT;
		size_t cut = 0;

		if (next && next->gap == GAP_LINE)
			join = hyphen_join(
			    r->text.data + w->at, w->len, r->text.data + next->at, next->len, &cut);
		textsink_add(out, r->text.data + w->at,
		    w->len - (join == JOIN_DROP_HYPHEN ? cut : 0), false);
		if (next && join == JOIN_NOT)
			textsink_gap(out, next->gap);
	}
}

static void write_words(const struct reading *r, int dpi, struct buf *out)
{
	buf_addf(out, "page %d %d %d %d\n", r->width, r->height, dpi, r->rotation);
	for (size_t i = 0; i < r->n; i++) {
		const struct word *w = &r->words[i];

		buf_addf(out, "%d %d %d %d %d %.*s\n", w->left, w->top, w->width, w->height,
		    w->confidence, (int)w->len, r->text.data + w->at);
	}
}

enum format_outcome ocr_read(
    struct ocr *o, const struct format_input *in, struct ocr_page *page, struct textsink *out)
{
	struct reading best = {0};
	PIX *picture = NULL;
	int dpi = 0;
	enum format_outcome outcome = ocr_picture(in, page->number, out, &picture, &dpi);

	if (outcome != FORMAT_OK)
		return outcome;
	best.width = pixGetWidth(picture), best.height = pixGetHeight(picture);
	if (!is_blank(picture) && !read_best(o, picture, dpi, page, &best)) {
		outcome = format_none(out, "the page needs more memory than a decoder may use");
		goto out;
	}
	page->known = share_known(&best);
	if (page->known < KNOWN_NOISE || best.letters < LETTERS_NOISE) {
		page->known = 0;
		best.n = 0;
	}
	textsink_page(out);
	write_text(&best, out);
	write_words(&best, dpi, &page->words);
	if (buf_failed(&page->words))
		outcome = format_none(out, "the page needs more memory than a decoder may use");
	else if (best.cut)
		snprintf(
		    out->reason, sizeof(out->reason), "only a part of the page was read in time");
out:
	reading_free(&best);
	pixDestroy(&picture);
	return outcome;
}
