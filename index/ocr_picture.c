/* One page as a grey picture that tesseract reads well: about 300 dots an inch, dark on white.
 *
 * PDF pages are drawn by poppler, pictures decoded by leptonica, both from memory: leptonica's
 * readers that take FILE work on fmemopen(), and no temporary file can be made in the sandbox.
 */
#include "index/ocr.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <poppler.h>
#include <string.h>

#include "index/formats/image.h"
#include "index/formats/pdf_tables.h"

enum {
	DPI = 300,
	PICTURES_MAX = 2000, /* of a page */
	DPI_COARSE = 220,    /* below it letters of 10 points are too small: enlarged */
	DPI_FINE = 420,      /* above it there is only work: reduced */
	SPECK_STEP = 48,     /* of 256 */
	PAGE_INCHES = 20, /* a longer side is no page: the resolution is not what the file says */
};

/* ---- specks ---- */
/* The middle one of a row's three by three is a speck: it differs from seven of its neighbours at
 * least, all in one direction. The dot of an i is wider. */
static bool is_speck(const l_uint32 *const rows[3], int x, int *ret_mean)
{
	int middle = GET_DATA_BYTE(rows[1], x), lighter = 0, darker = 0, sum = 0;

	for (int i = 0; i < 9; i++) {
		int value = i == 4 ? middle : GET_DATA_BYTE(rows[i / 3], x - 1 + i % 3);

		darker += value < middle - SPECK_STEP;
		lighter += value > middle + SPECK_STEP;
		sum += value;
	}
	*ret_mean = (sum - middle) / 8;
	return lighter >= 7 || darker >= 7;
}

/* Dust and the grain of copies. Takes pix. */
static PIX *without_specks(PIX *pix)
{
	int width = pixGetWidth(pix), height = pixGetHeight(pix), wpl = pixGetWpl(pix), mean;
	PIX *clean = pixCopy(NULL, pix);

	for (int y = 1; clean && y + 1 < height; y++) {
		const l_uint32 *row = pixGetData(pix) + (size_t)y * (size_t)wpl;
		const l_uint32 *const rows[3] = {row - wpl, row, row + wpl};
		l_uint32 *to = pixGetData(clean) + (size_t)y * (size_t)wpl;

		for (int x = 1; x + 1 < width; x++) {
			if (is_speck(rows, x, &mean))
				SET_DATA_BYTE(to, x, mean);
		}
	}
	pixDestroy(&pix);
	return clean;
}

/* ---- PDF ---- */
static PopplerDocument *pdf_open(const char *bytes, size_t len, GError **error)
{
	GBytes *all = g_bytes_new_static(bytes, len);
	PopplerDocument *doc = poppler_document_new_from_bytes(all, NULL, error);

	g_bytes_unref(all);
	return doc;
}

/* Luma of a surface in RGB24; NULL: no memory. */
static PIX *grey_of(cairo_surface_t *surface, int width, int height)
{
	PIX *pix = pixCreateNoInit(width, height, 8);
	const unsigned char *bytes = cairo_image_surface_get_data(surface);
	int stride = cairo_image_surface_get_stride(surface);

	for (int y = 0; pix && bytes && y < height; y++) {
		const unsigned char *row = bytes + (size_t)y * (size_t)stride;
		l_uint32 *to = pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix);

		for (int x = 0; x < width; x++) {
			uint32_t p;

			memcpy(&p, row + 4 * (size_t)x, sizeof(p));
			SET_DATA_BYTE(to, x,
			    ((p >> 16 & 0xff) * 77 + (p >> 8 & 0xff) * 150 + (p & 0xff) * 29) >> 8);
		}
	}
	return pix;
}

/* As it lies in the file, where it stands on the page. */
static void draw_picture(PopplerPage *page, const PopplerImageMapping *at, cairo_t *cr)
{
	cairo_surface_t *picture = poppler_page_get_image(page, at->image_id);
	double left = fmin(at->area.x1, at->area.x2), right = fmax(at->area.x1, at->area.x2);
	double top = fmin(at->area.y1, at->area.y2), bottom = fmax(at->area.y1, at->area.y2);
	double across, down;

	if (!picture)
		return;
	across = cairo_image_surface_get_width(picture);
	down = cairo_image_surface_get_height(picture);
	if (across > 0 && down > 0 && right > left && bottom > top) {
		cairo_save(cr);
		cairo_translate(cr, left, top);
		cairo_scale(cr, (right - left) / across, (bottom - top) / down);
		cairo_set_source_surface(cr, picture, 0, 0);
		cairo_paint(cr);
		cairo_restore(cr);
	}
	cairo_surface_destroy(picture);
}

static void draw_pictures(PopplerPage *page, cairo_t *cr)
{
	GList *all = poppler_page_get_image_mapping(page);
	unsigned int left = PICTURES_MAX;

	for (const GList *l = all; l && left; l = l->next, left--)
		draw_picture(page, l->data, cr);
	poppler_page_free_image_mapping(all);
}

static enum format_outcome draw(
    PopplerPage *page, bool pictures, struct textsink *out, PIX **ret, int *ret_dpi)
{
	double width, height, scale = DPI / 72.0, pixels;
	cairo_surface_t *surface;
	cairo_t *cr;

	poppler_page_get_size(page, &width, &height);
	if (!(width > 0) || !(height > 0) || width > 1e6 || height > 1e6)
		return format_none(out, "the page has no size");
	pixels = width * height * scale * scale;
	if (pixels > IMAGE_PIXELS_MAX)
		scale *= sqrt(IMAGE_PIXELS_MAX / pixels);
	width = ceil(width * scale), height = ceil(height * scale);
	surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
	cr = cairo_create(surface);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_scale(cr, scale, scale);
	if (pictures)
		draw_pictures(page, cr);
	else
		poppler_page_render(page, cr);
	cairo_destroy(cr);
	cairo_surface_flush(surface);
	*ret = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS
		   ? grey_of(surface, (int)width, (int)height)
		   : NULL;
	if (*ret)
		*ret = without_specks(*ret);
	cairo_surface_destroy(surface);
	*ret_dpi = (int)lround(72 * scale);
	return *ret ? FORMAT_OK
		    : format_none(out, "the page cannot be drawn in the memory allowed");
}

static enum format_outcome pdf_picture(
    const struct format_input *in, uint32_t number, struct textsink *out, PIX **ret, int *ret_dpi)
{
	PopplerDocument *doc = pdf_open(in->bytes, in->len, NULL);
	enum format_outcome outcome;
	PopplerPage *page;

	if (!doc)
		return format_none(out, "the PDF is encrypted, or damaged beyond reading");
	page = number - 1 < (uint32_t)poppler_document_get_n_pages(doc)
		   ? poppler_document_get_page(doc, (int)(number - 1))
		   : NULL;
	outcome = page
		      ? draw(page, strcmp(in->media_type, OCR_PDF_PICTURES) == 0, out, ret, ret_dpi)
		      : format_none(out, "there is no page %u that can be read", number);
	if (page)
		g_object_unref(page);
	g_object_unref(doc);
	return outcome;
}

/* ---- pictures ---- */
static PIX *decode(const char *bytes, size_t len, uint32_t page)
{
	const l_uint8 *data = (const l_uint8 *)bytes;
	size_t at;

	if (!image_is_tiff(bytes, len))
		return pixReadMem(data, len);
	if (page == 1)
		return pixReadMemTiff(data, len, 0);
	at = image_tiff_page(bytes, len, page);
	return at ? pixReadMemFromMultipageTiff(data, len, &at) : NULL;
}

/* Takes pix. What is transparent becomes white, as paper is. */
static PIX *to_grey(PIX *pix)
{
	PIX *opaque, *grey;

	opaque = pixGetDepth(pix) == 32 && pixGetSpp(pix) == 4
		     ? pixAlphaBlendUniform(pix, 0xffffff00)
		     : pixClone(pix);
	pixDestroy(&pix);
	grey = opaque ? pixConvertTo8(opaque, 0) : NULL;
	pixDestroy(&opaque);
	return grey;
}

/* Where the file says nothing, or what cannot be: a sheet of A4. */
static double resolution(PIX *pix)
{
	double across = pixGetXRes(pix), down = pixGetYRes(pix);
	double longest = fmax(pixGetWidth(pix), pixGetHeight(pix)), dpi = fmin(across, down);

	if (dpi < 50 || dpi > 2400 || longest / dpi > PAGE_INCHES)
		dpi = longest / 11.7;
	return fmin(fmax(dpi, 70), 1200);
}

/* The usual height of what is dark and holds together: letters without ascenders, where there are
 * letters. 0: too few to tell, or more than a page holds. */
static unsigned int letter_height(PIX *pix)
{
	enum { LEAST = 5, MOST = 200, ENOUGH = 20, NOISE = 15000 };
	unsigned int of_height[MOST + 1] = {0}, n = 0, seen = 0, height = 0;
	PIX *dark = NULL;
	BOXA *boxes = NULL;

	pixOtsuAdaptiveThreshold(pix, 2000, 2000, 0, 0, 0.1F, NULL, &dark);
	if (dark)
		boxes = pixConnCompBB(dark, 8);
	for (l_int32 i = 0; boxes && i < boxaGetCount(boxes); i++) {
		l_int32 w, h;

		if (boxaGetBoxGeometry(boxes, i, NULL, NULL, &w, &h) == 0 && h >= LEAST &&
		    h <= MOST && w <= 4 * h) {
			of_height[h]++;
			n++;
		}
	}
	while (n >= ENOUGH && n < NOISE && seen <= n / 2)
		seen += of_height[++height];
	boxaDestroy(&boxes);
	pixDestroy(&dark);
	return height;
}

/* By the letters, which cannot be wrong about it as a file can; by the resolution where there are
 * few. Letters of 10 points at 300 dpi are 21 dots high. */
static double wanted_scale(PIX *pix, double dpi)
{
	enum { SMALL = 15, USUAL = 22, LARGE = 45 };
	unsigned int height = letter_height(pix);

	if (!height)
		return dpi < DPI_COARSE || dpi > DPI_FINE ? DPI / dpi : 1;
	if (height < SMALL)
		return fmin(4, (double)USUAL / height);
	return height > LARGE && dpi > DPI_FINE ? fmax(DPI / dpi, (double)USUAL / height) : 1;
}

/* Faxes have half the lines in one direction. Takes pix. */
static PIX *to_scale(PIX *pix, int *ret_dpi)
{
	double across = pixGetXRes(pix), down = pixGetYRes(pix), dpi = resolution(pix);
	double pixels = (double)pixGetWidth(pix) * pixGetHeight(pix), stretch = 1, scale;
	PIX *scaled;

	if (across > 0 && down > 0 && across < 4 * down && down < 4 * across)
		stretch = across / down;
	scale = wanted_scale(pix, dpi);
	if (pixels * scale * scale * fmax(stretch, 1 / stretch) > IMAGE_PIXELS_MAX)
		scale = 1;
	*ret_dpi = (int)lround(dpi * scale);
	if (scale == 1 && fabs(stretch - 1) < 0.05)
		return pix;
	scaled = pixScaleGeneral(
	    pix, (float)(scale * fmax(1 / stretch, 1)), (float)(scale * fmax(stretch, 1)), 0, 0);
	pixDestroy(&pix);
	return scaled;
}

static enum format_outcome image_picture(
    const struct format_input *in, uint32_t page, struct textsink *out, PIX **ret, int *ret_dpi)
{
	PIX *pix;
	int across, down;

	if (page > 1 && !image_tiff_page(in->bytes, in->len, page))
		return format_none(out, "there is no page %u that can be read", page);
	if (image_check(in->bytes, in->len, page, out) != FORMAT_OK)
		return FORMAT_NONE;
	pix = decode(in->bytes, in->len, page);
	if (!pix)
		return format_none(out, "the picture is damaged, or of a kind arkki does not read");
	across = pixGetXRes(pix), down = pixGetYRes(pix);
	pix = to_grey(pix);
	if (pix) {
		pixSetResolution(pix, across, down);
		pix = without_specks(pix);
	}
	if (pix)
		pix = to_scale(pix, ret_dpi);
	*ret = pix;
	return pix ? FORMAT_OK
		   : format_none(out, "the picture needs more memory than a decoder may use");
}

enum format_outcome ocr_picture(
    const struct format_input *in, uint32_t page, struct textsink *out, PIX **ret, int *ret_dpi)
{
	if (image_reads(in->media_type))
		return image_picture(in, page, out, ret, ret_dpi);
	return pdf_picture(in, page, out, ret, ret_dpi);
}

/* A page with a word and a line: drawing it makes poppler, cairo and fontconfig load what they need. */
void ocr_picture_warm(void)
{
	static const char tiny[] =
	    "%PDF-1.4\n"
	    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
	    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources"
	    "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
	    "4 0 obj<</Length 53>>stream\n"
	    "BT /F 12 Tf 9 9 Td (arkki) Tj ET 5 5 m 9 9 l S       \n"
	    "endstream endobj\n"
	    "trailer<</Root 1 0 R>>\n";
	PopplerDocument *doc = pdf_open(tiny, sizeof(tiny) - 1, NULL);
	PopplerPage *page = doc ? poppler_document_get_page(doc, 0) : NULL;
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 99, 99);
	cairo_t *cr = cairo_create(surface);

	pdf_tables_load();
	if (page) {
		poppler_page_render(page, cr);
		g_object_unref(page);
	}
	cairo_destroy(cr);
	cairo_surface_destroy(surface);
	/* the document stays open: poppler's global tables go with the last one */
}
