#include "arkki/api/http_range.h"

#include <string.h>
#include <strings.h>

#include "arkki/base/text.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *p into *ret, saturating: a position beyond 2^64 is beyond every file. */
static bool take_number(const char **p, uint64_t *ret)
{
	uint64_t n = 0;

	if (!is_digit(**p))
		return false;
	for (; is_digit(**p); (*p)++) {
		if (n > (UINT64_MAX - 9) / 10)
			n = UINT64_MAX / 10 - 1;
		n = n * 10 + (uint64_t)(**p - '0');
	}
	*ret = n;
	return true;
}

static void skip_space(const char **p)
{
	*p += strspn(*p, " \t");
}

enum range_verdict range_parse(const char *header, uint64_t size, struct byte_range *ret)
{
	uint64_t first = 0, last = UINT64_MAX;
	bool has_first, has_last;
	const char *p = header;

	if (!p || strncasecmp(p, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	p += 6;
	skip_space(&p);
	has_first = take_number(&p, &first);
	if (*p++ != '-')
		return RANGE_WHOLE;
	has_last = take_number(&p, &last);
	skip_space(&p);
	if (*p || (!has_first && !has_last) || (has_first && has_last && last < first))
		return RANGE_WHOLE;
	if (!has_first) {
		if (!last || !size)
			return RANGE_UNSATISFIABLE;
		first = last < size ? size - last : 0;
		last = size - 1;
	}
	if (first >= size)
		return RANGE_UNSATISFIABLE;
	ret->first = first;
	ret->last = last < size ? last : size - 1;
	return RANGE_PART;
}

bool range_if_range(const char *if_range, const char *etag)
{
	return !if_range || (etag && *if_range == '"' && !strcmp(if_range, etag));
}

/* One entity-tag at *p: its opaque part with quotes. */
static bool take_etag(const char **p, bool *ret_weak, const char **ret_tag, size_t *ret_len)
{
	const char *q = *p, *end;

	*ret_weak = q[0] == 'W' && q[1] == '/';
	if (*ret_weak)
		q += 2;
	if (*q != '"')
		return false;
	for (end = q + 1; *end && *end != '"'; end++) {
		unsigned char c = (unsigned char)*end;

		if (c <= ' ' || c == 0x7f)
			return false;
	}
	if (*end != '"')
		return false;
	*ret_tag = q;
	*ret_len = (size_t)(end + 1 - q);
	*p = end + 1;
	return true;
}

static enum etag_match etag_list(const char *header, const char *etag, bool strong)
{
	enum etag_match found = ETAG_DIFFERENT;
	const char *p = header;
	bool any = false;

	if (!p)
		return ETAG_ABSENT;
	skip_space(&p);
	if (*p == '*') {
		p++;
		skip_space(&p);
		return *p ? ETAG_MALFORMED : etag ? ETAG_MATCH : ETAG_DIFFERENT;
	}
	for (;;) {
		const char *tag;
		size_t len;
		bool weak;

		/* RFC 9110 5.6.1: empty elements of a list are ignored */
		p += strspn(p, " \t,");
		if (!*p)
			return any ? found : ETAG_MALFORMED;
		if (!take_etag(&p, &weak, &tag, &len))
			return ETAG_MALFORMED;
		any = true;
		if (etag && !(strong && weak) && strlen(etag) == len && !memcmp(etag, tag, len))
			found = ETAG_MATCH;
		skip_space(&p);
		if (*p && *p != ',')
			return ETAG_MALFORMED;
	}
}

enum etag_match etag_if_match(const char *header, const char *etag)
{
	return etag_list(header, etag, true);
}

enum etag_match etag_if_none_match(const char *header, const char *etag)
{
	return etag_list(header, etag, false);
}

/* attr-char of RFC 8187. */
static bool is_attr_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit((char)c) ||
	       (c && strchr("!#$&+-.^_`|~", c));
}

/* A byte that may stand in the quoted fallback. '%' is left out: some browsers decode it. */
static bool is_fallback_char(unsigned char c)
{
	return c >= ' ' && c < 0x7f && !strchr("\"\\/%;:*?<>|", c);
}

void content_disposition(struct buf *out, const char *kind, const char *name)
{
	bool plain = true;
	size_t len = name ? strlen(name) : 0;

	buf_adds(out, kind);
	/* a name that is not UTF-8 or has no length tells nothing worth a header */
	if (!len || !utf8_valid(name, len))
		return;
	buf_adds(out, "; filename=\"");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (is_fallback_char(c)) {
			buf_addc(out, (char)c);
			continue;
		}
		plain = false;
		/* one mark for a character, not for each of its bytes */
		if ((c & 0xc0) != 0x80)
			buf_addc(out, '_');
	}
	buf_addc(out, '"');
	if (plain)
		return;
	buf_adds(out, "; filename*=UTF-8''");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		size_t turn = utf8_turn(name + i, len - i);

		/* "photo<turn>txt.exe" would read as a text */
		if (c < ' ' || c == 0x7f || c == '/' || c == '\\' || turn)
			c = '_';
		i += turn ? turn - 1 : 0;
		if (is_attr_char(c))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}
