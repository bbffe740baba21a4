/* Pictures: there is no text in them, but pages that may show some.
 *
 * TIFF 6.0 (and BigTIFF) directories are read here, the heads of other kinds by leptonica. Sizes
 * are judged before anything is decoded: a few bytes can announce gigabytes.
 */
#include "index/formats/image.h"

#include <leptonica/allheaders.h>
#include <string.h>

bool image_reads(const char *type)
{
	static const char *const types[] = {"image/tiff", "image/jpeg", "image/png", "image/jp2",
	    "image/jpx", "image/bmp", "image/x-ms-bmp", "image/gif", "image/webp"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return false;
}

/* ---- TIFF ---- */
struct tiff {
	const unsigned char *bytes;
	size_t len;
	bool big_endian, big;
};

/* Zero beyond the end: no offset, no entries, no pixels. */
static uint64_t number(const struct tiff *t, uint64_t at, unsigned int size)
{
	uint64_t n = 0;

	if (at > t->len || size > t->len - at)
		return 0;
	for (unsigned int i = 0; i < size; i++)
		n = n << 8 | t->bytes[at + (t->big_endian ? i : size - 1 - i)];
	return n;
}

static bool tiff_open(const char *bytes, size_t len, struct tiff *ret)
{
	struct tiff t = {.bytes = (const unsigned char *)bytes, .len = len};
	uint64_t version;

	if (len < 8 || (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0))
		return false;
	t.big_endian = bytes[0] == 'M';
	version = number(&t, 2, 2);
	t.big = version == 43;
	*ret = t;
	return version == 42 || version == 43;
}

static uint64_t tiff_first(const struct tiff *t)
{
	return t->big ? number(t, 8, 8) : number(t, 4, 4);
}

static uint64_t tiff_entries(const struct tiff *t, uint64_t at)
{
	return number(t, at, t->big ? 8 : 2);
}

static uint64_t tiff_next(const struct tiff *t, uint64_t at)
{
	uint64_t n = tiff_entries(t, at), size = t->big ? 20 : 12, head = t->big ? 8 : 2;

	if (!n || n > 65535 || at > t->len)
		return 0;
	return number(t, at + head + n * size, t->big ? 8 : 4);
}

bool image_is_tiff(const char *bytes, size_t len)
{
	struct tiff t;

	return tiff_open(bytes, len, &t);
}

/* Directories may point back in a ring: the second pointer, at half the speed, is then met. */
static uint32_t tiff_walk(const struct tiff *t, uint32_t until, uint64_t *ret_at)
{
	uint64_t at = tiff_first(t), slow = at;
	uint32_t n = 0;

	*ret_at = 0;
	while (at && tiff_entries(t, at) && n < IMAGE_PAGES_MAX) {
		n++;
		*ret_at = at;
		if (n == until)
			return n;
		at = tiff_next(t, at);
		if (n % 2 == 0)
			slow = tiff_next(t, slow);
		if (at == slow)
			break;
	}
	return n;
}

uint32_t image_tiff_pages(const char *bytes, size_t len)
{
	struct tiff t;
	uint64_t at;

	return tiff_open(bytes, len, &t) ? tiff_walk(&t, 0, &at) : 0;
}

size_t image_tiff_page(const char *bytes, size_t len, uint32_t page)
{
	struct tiff t;
	uint64_t at;

	if (!page || !tiff_open(bytes, len, &t) || tiff_walk(&t, page, &at) != page)
		return 0;
	return (size_t)at;
}

/* The value of a tag that holds one SHORT or LONG; 0 where there is none. */
static uint64_t tiff_tag(const struct tiff *t, uint64_t at, uint16_t tag)
{
	uint64_t n = tiff_entries(t, at), size = t->big ? 20 : 12;

	at += t->big ? 8 : 2;
	for (uint64_t i = 0; i < n && i < 65535; i++, at += size) {
		uint64_t type = number(t, at + 2, 2);

		if (number(t, at, 2) == tag)
			return number(t, at + (t->big ? 12 : 8),
			    type == 3    ? 2
			    : type == 16 ? 8
					 : 4);
	}
	return 0;
}

static bool tiff_size(
    const char *bytes, size_t len, uint32_t page, uint64_t *ret_width, uint64_t *ret_height)
{
	size_t at = image_tiff_page(bytes, len, page);
	struct tiff t;

	if (!at || !tiff_open(bytes, len, &t))
		return false;
	*ret_width = tiff_tag(&t, at, 256);
	*ret_height = tiff_tag(&t, at, 257);
	return *ret_width && *ret_height;
}

/* ---- all kinds ---- */
static bool picture_size(
    const char *bytes, size_t len, uint32_t page, uint64_t *ret_width, uint64_t *ret_height)
{
	l_int32 format, width = 0, height = 0, bits, samples, coloured;

	if (image_is_tiff(bytes, len))
		return tiff_size(bytes, len, page, ret_width, ret_height);
	if (page != 1 || pixReadHeaderMem((const l_uint8 *)bytes, len, &format, &width, &height,
			     &bits, &samples, &coloured) != 0)
		return false;
	*ret_width = width > 0 ? (uint64_t)width : 0;
	*ret_height = height > 0 ? (uint64_t)height : 0;
	return width > 0 && height > 0;
}

enum format_outcome image_check(const char *bytes, size_t len, uint32_t page, struct textsink *out)
{
	uint64_t width, height;

	if (!picture_size(bytes, len, page, &width, &height))
		return format_none(out, "the picture is damaged, or of a kind arkki does not read");
	if (width > IMAGE_PIXELS_MAX || height > IMAGE_PIXELS_MAX / width)
		return format_none(out,
		    "the picture is larger than %u million pixels (%llu × %llu)",
		    IMAGE_PIXELS_MAX / 1000000, (unsigned long long)width,
		    (unsigned long long)height);
	return FORMAT_OK;
}

static enum format_outcome image_read(const struct format_input *in, struct textsink *out)
{
	bool tiff = image_is_tiff(in->bytes, in->len);
	uint32_t pages = tiff ? image_tiff_pages(in->bytes, in->len) : 1;

	/* of many pages one may be too large: OCR says so of that page */
	if (pages <= 1 && image_check(in->bytes, in->len, 1, out) != FORMAT_OK)
		return FORMAT_NONE;
	if (!out->bare)
		return format_none(out, "a picture, whose text was not read");
	for (uint32_t page = 1; page <= pages && !out->full; page++) {
		textsink_page(out);
		out->bare(out->arg, page);
	}
	return FORMAT_OK;
}

const struct format format_image = {.name = "image", .reads = image_reads, .read = image_read};
