#include "arkki/base/text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(char *out, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++) {
		*out++ = hex_digits[b[i] >> 4];
		*out++ = hex_digits[b[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(void *out, size_t len, const char *hex, size_t hex_len)
{
	unsigned char *o = out;

	if (hex_len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int hi = hex_value(hex[2 * i]), lo = hex_value(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		o[i] = (unsigned char)(hi << 4 | lo);
	}
	return true;
}

static const char b64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void b64_encode(
    struct buf *out, const char *alphabet, bool pad, const unsigned char *b, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)b[i] << 16;

		if (left > 1)
			v |= (uint32_t)b[i + 1] << 8;
		if (left > 2)
			v |= b[i + 2];
		buf_addc(out, alphabet[v >> 18]);
		buf_addc(out, alphabet[v >> 12 & 63]);
		if (left > 1)
			buf_addc(out, alphabet[v >> 6 & 63]);
		else if (pad)
			buf_addc(out, '=');
		if (left > 2)
			buf_addc(out, alphabet[v & 63]);
		else if (pad)
			buf_addc(out, '=');
	}
}

void base64_encode(struct buf *out, const void *bytes, size_t len)
{
	b64_encode(out, b64_std, true, bytes, len);
}

void base64url_encode(struct buf *out, const void *bytes, size_t len)
{
	b64_encode(out, b64_url, false, bytes, len);
}

static bool b64_decode(struct buf *out, const char *alphabet, const char *text, size_t len)
{
	uint32_t v = 0;
	unsigned int bits = 0;

	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;

		if (!at)
			return false;
		v = v << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_addc(out, (char)(v >> bits));
			v &= (1U << bits) - 1;
		}
	}
	return v == 0 && !buf_failed(out);
}

bool base64_decode(struct buf *out, const char *text, size_t len)
{
	if (len % 4)
		return false;
	for (int i = 0; i < 2 && len && text[len - 1] == '='; i++)
		len--;
	return b64_decode(out, b64_std, text, len);
}

bool base64url_decode(struct buf *out, const char *text, size_t len)
{
	return b64_decode(out, b64_url, text, len);
}

bool utf8_valid(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	while (p < end) {
		unsigned int need;
		uint32_t c = *p++, least;

		if (c == 0)
			return false;
		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xdf)
			need = 1, c &= 0x1f, least = 0x80;
		else if ((c & 0xf0) == 0xe0)
			need = 2, c &= 0x0f, least = 0x800;
		else if (c >= 0xf0 && c <= 0xf4)
			need = 3, c &= 0x07, least = 0x10000;
		else
			return false;
		if ((size_t)(end - p) < need)
			return false;
		while (need--) {
			if ((*p & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*p++ & 0x3f);
		}
		if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return false;
	}
	return true;
}

size_t utf8_length(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

size_t utf8_turn(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	if (len < 3 || p[0] != 0xe2)
		return 0;
	return (p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
		       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
		   ? 3
		   : 0;
}

/* Bytes of the character at p when it does not show, else 0. */
static size_t unseen(const unsigned char *p)
{
	if (*p <= ' ' || *p == 0x7f)
		return 1;
	/* C1, no-break space, soft hyphen */
	if (p[0] == 0xc2 && (p[1] <= 0xa0 || p[1] == 0xad))
		return 2;
	/* U+2000 to U+200F, U+2028 to U+202F, U+205F to U+206F */
	if (p[0] == 0xe2 && p[1] == 0x80)
		return p[2] <= 0x8f || (p[2] >= 0xa8 && p[2] <= 0xaf) ? 3 : 0;
	if (p[0] == 0xe2 && p[1] == 0x81)
		return p[2] >= 0x9f && p[2] <= 0xaf ? 3 : 0;
	/* U+3000, U+FEFF, U+061C */
	if (strncmp((const char *)p, "\xe3\x80\x80", 3) == 0 ||
	    strncmp((const char *)p, "\xef\xbb\xbf", 3) == 0)
		return 3;
	return p[0] == 0xd8 && p[1] == 0x9c ? 2 : 0;
}

bool utf8_blank(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		size_t n = unseen(p);

		if (!n)
			return false;
		p += n;
	}
	return true;
}

bool percent_decode(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c;

		if (text[i] != '%') {
			buf_addc(out, text[i]);
			continue;
		}
		if (len - i < 3 || !hex_decode(&c, 1, text + i + 1, 2))
			return false;
		buf_addc(out, (char)c);
		i += 2;
	}
	return !buf_failed(out);
}

void percent_encode(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~')
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

bool id_valid(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n >= 1 && n <= 64 && id[n] == '\0';
}

bool docid_valid(const char *id)
{
	return strspn(id, hex_digits) == 32 && id[32] == '\0';
}

bool bytes_equal(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;
	unsigned int diff = 0;

	while (len--)
		diff |= *x++ ^ *y++;
	return diff == 0;
}
