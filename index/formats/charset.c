/* Encodings of text. UTF-8, UTF-16, UTF-32 and windows-1252 are decoded here, the rest by iconv, whose
 * modules are files: charset_warm() loads the ones below while files still open. */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "index/formats/format.h"

/* 0x80–0x9f of windows-1252; what is not assigned stays a control character and is dropped later. */
static const uint16_t cp1252_high[32] = {0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
    0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019,
    0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e,
    0x0178};

/* UTF-16BE is also how poppler hands over titles and form fields to glib. */
static const char *const warmed[] = {"UTF-16", "UTF-16BE", "UTF-16LE", "ISO-8859-1", "ISO-8859-2",
    "ISO-8859-4", "ISO-8859-5", "ISO-8859-7", "ISO-8859-10", "ISO-8859-13", "ISO-8859-15", "CP1250",
    "CP1251", "CP1252", "CP1253", "CP1257", "KOI8-R", "MACINTOSH", "IBM850", "IBM437", "SHIFT_JIS",
    "EUC-JP", "ISO-2022-JP", "GB18030", "GBK", "GB2312", "BIG5", "EUC-KR", "UTF-32", "UTF-7"};

void charset_warm(void)
{
	/* never closed: an open descriptor is what keeps a module in memory */
	for (size_t i = 0; i < sizeof(warmed) / sizeof(*warmed); i++) {
		iconv_t to = iconv_open("UTF-8", warmed[i]);
		iconv_t from = iconv_open(warmed[i], "UTF-8");

		(void)to;
		(void)from;
	}
}

void charset_put(struct buf *out, uint32_t c)
{
	char b[4];

	if (c < 0x80) {
		buf_addc(out, (char)c);
	} else if (c < 0x800) {
		b[0] = (char)(0xc0 | c >> 6), b[1] = (char)(0x80 | (c & 0x3f));
		buf_add(out, b, 2);
	} else if (c < 0x10000) {
		b[0] = (char)(0xe0 | c >> 12), b[1] = (char)(0x80 | (c >> 6 & 0x3f));
		b[2] = (char)(0x80 | (c & 0x3f));
		buf_add(out, b, 3);
	} else {
		b[0] = (char)(0xf0 | c >> 18), b[1] = (char)(0x80 | (c >> 12 & 0x3f));
		b[2] = (char)(0x80 | (c >> 6 & 0x3f)), b[3] = (char)(0x80 | (c & 0x3f));
		buf_add(out, b, 4);
	}
}

static void from_cp1252(const char *bytes, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		charset_put(out, c >= 0x80 && c < 0xa0 ? cp1252_high[c - 0x80] : c);
	}
}

static void from_utf16(const char *bytes, size_t len, bool big, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)bytes;
	uint32_t high = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		uint32_t c = big ? (uint32_t)p[i] << 8 | p[i + 1] : (uint32_t)p[i + 1] << 8 | p[i];

		if (high && c >= 0xdc00 && c <= 0xdfff) {
			charset_put(out, 0x10000 + ((high - 0xd800) << 10) + (c - 0xdc00));
			high = 0;
			continue;
		}
		if (high)
			charset_put(out, 0xfffd);
		high = c >= 0xd800 && c <= 0xdbff ? c : 0;
		if (!high)
			charset_put(out, c >= 0xdc00 && c <= 0xdfff ? 0xfffd : c);
	}
	if (high || len % 2)
		charset_put(out, 0xfffd);
}

static void from_utf32(const char *bytes, size_t len, bool big, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t i = 0; i + 3 < len; i += 4) {
		uint32_t c = big ? (uint32_t)p[i] << 24 | (uint32_t)p[i + 1] << 16 |
				       (uint32_t)p[i + 2] << 8 | p[i + 3]
				 : (uint32_t)p[i + 3] << 24 | (uint32_t)p[i + 2] << 16 |
				       (uint32_t)p[i + 1] << 8 | p[i];

		charset_put(out, c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0xfffd : c);
	}
	if (len % 4)
		charset_put(out, 0xfffd);
}

/* False: iconv does not know the label, or its module cannot be loaded in the sandbox. */
static bool from_iconv(const char *bytes, size_t len, const char *label, struct buf *out)
{
	char name[48], piece[8192];
	char *in = NULL;
	size_t left = len, n = strlen(label);
	iconv_t cd;

	/* nothing that iconv_open would take for an option ("//TRANSLIT") */
	if (n == 0 || n >= sizeof(name) ||
	    strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789_.:-") != n)
		return false;
	memcpy(name, label, n + 1);
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1)
		return false;
	memcpy(&in, &bytes, sizeof(in)); /* iconv's input is not const but is not written to */
	while (left && !buf_failed(out)) {
		char *to = piece;
		size_t room = sizeof(piece);
		size_t done = iconv(cd, &in, &left, &to, &room);

		buf_add(out, piece, sizeof(piece) - room);
		if (done != (size_t)-1 || errno == E2BIG)
			continue;
		charset_put(out, 0xfffd);
		if (errno != EILSEQ)
			break; /* cut in the middle of a character */
		in++, left--;
		iconv(cd, NULL, NULL, NULL, NULL);
	}
	iconv_close(cd);
	return true;
}

/* More than a tenth as many errors as characters beyond ASCII: it was never UTF-8. */
static bool looks_utf8(const char *bytes, size_t len, bool *ret_wide)
{
	uint64_t wide = 0, bad = 0;
	size_t i = 0;

	while (i < len) {
		uint32_t c;
		size_t n = format_utf8_next(bytes + i, len - i, &c);

		wide += n > 1;
		bad += n == 1 && c == 0xfffd;
		i += n;
	}
	*ret_wide = wide > 0;
	return bad == 0 || wide > 10 * bad;
}

/* -1 little, 1 big, 0 neither. Latin text in UTF-16 has a zero in nearly every other byte. */
static int looks_utf16(const char *bytes, size_t len)
{
	size_t n = len < 4096 ? len & ~(size_t)1 : 4096, even = 0, odd = 0;

	for (size_t i = 0; i < n; i += 2) {
		even += bytes[i] == 0;
		odd += bytes[i + 1] == 0;
	}
	if (n >= 8 && odd > n / 4 && even < n / 40 + 1)
		return -1;
	return n >= 8 && even > n / 4 && odd < n / 40 + 1 ? 1 : 0;
}

/* The same in fours: the highest byte is always zero, the next one nearly. */
static int looks_utf32(const char *bytes, size_t len)
{
	size_t n = len < 4096 ? len & ~(size_t)3 : 4096, zero[4] = {0};

	for (size_t i = 0; i < n; i++)
		zero[i % 4] += bytes[i] == 0;
	if (n < 8 || (zero[0] != n / 4 && zero[3] != n / 4))
		return 0;
	if (zero[3] == n / 4 && zero[2] > n / 5 && zero[0] < n / 40 + 1)
		return -1;
	return zero[0] == n / 4 && zero[1] > n / 5 && zero[3] < n / 40 + 1 ? 1 : 0;
}

static bool is_one_of(const char *label, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(label, *names) == 0)
			return true;
	}
	return false;
}

static bool take_own(struct charset_text *ret)
{
	ret->text = ret->own.data ? ret->own.data : "";
	ret->len = ret->own.len;
	return !buf_failed(&ret->own);
}

/* Byte order marks, and the look of encodings of two and four bytes; true when it was one of them. */
static bool take_wide(const char *bytes, size_t len, const char *label, struct buf *own)
{
	static const char *const utf16[] = {"utf-16", "utf-16le", "utf-16be", "unicode", NULL};
	int order;

	if (len >= 4 &&
	    (memcmp(bytes, "\xff\xfe\0\0", 4) == 0 || memcmp(bytes, "\0\0\xfe\xff", 4) == 0)) {
		from_utf32(bytes + 4, len - 4, bytes[0] == '\0', own);
		return true;
	}
	if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
		from_utf16(bytes + 2, len - 2, bytes[0] == '\xfe', own);
		return true;
	}
	order = looks_utf32(bytes, len);
	if (order) {
		from_utf32(bytes, len, order > 0, own);
		return true;
	}
	order = looks_utf16(bytes, len);
	if (!order && !is_one_of(label, utf16))
		return false;
	from_utf16(bytes, len, order > 0 || (!order && strstr(label, "be")), own);
	return true;
}

/* Names that mail programs and pages use and iconv does not know. */
static const char *iconv_name(const char *label)
{
	static const char *const names[][2] = {{"x-mac-roman", "macintosh"},
	    {"macroman", "macintosh"}, {"mac", "macintosh"}, {"x-sjis", "shift_jis"},
	    {"ks_c_5601-1987", "euc-kr"}, {"x-gbk", "gbk"}, {"latin9", "iso-8859-15"},
	    {"latin-9", "iso-8859-15"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i][0], label) == 0)
			return names[i][1];
	}
	return label;
}

bool charset_to_utf8(const char *bytes, size_t len, const char *label, struct charset_text *ret)
{
	static const char *const western[] = {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "l1",
	    "windows-1252", "cp1252", "x-cp1252", NULL};
	/* no label at all for bytes that are not what it says */
	static const char *const none[] = {"utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968",
	    "unknown-8bit", "x-unknown", "", NULL};
	bool wide, valid;

	memset(ret, 0, sizeof(*ret));
	ret->text = bytes, ret->len = len;
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		ret->text += 3, ret->len -= 3;
		return true;
	}
	if (take_wide(bytes, len, label, &ret->own))
		return take_own(ret);
	valid = looks_utf8(bytes, len, &wide);
	/* Text beyond ASCII that is good UTF-8 is UTF-8, even under a label of a Western one: the
	 * other way round such bytes do not come about by chance. */
	if (valid && (is_one_of(label, none) || (wide && is_one_of(label, western))))
		return true;
	if (is_one_of(label, none))
		label = charset_guess(bytes, len);
	if (!is_one_of(label, western)) {
		if (from_iconv(bytes, len, iconv_name(label), &ret->own))
			return take_own(ret);
		if (valid)
			return true;
	}
	from_cp1252(bytes, len, &ret->own);
	return take_own(ret);
}
