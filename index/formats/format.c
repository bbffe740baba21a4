#include "index/formats/format.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct format *const formats[] = {
    &format_pdf, &format_pdf_seen, &format_image, &format_office, &format_ole, &format_rtf,
    &format_html, &format_xml, &format_mail, &format_mbox, &format_msg,
    &format_package, /* after the formats that are packages too */
    &format_plain,   /* text of any other kind */
    &format_general, /* last: types that say nothing, and nobody claimed the bytes */
};

const struct format *format_find(const char *media_type)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (formats[i]->reads(media_type))
			return formats[i];
	}
	return NULL;
}

/* Types that many kinds of files have. */
static bool is_general(const char *type)
{
	static const char *const types[] = {"application/zip", "application/x-zip",
	    "application/x-zip-compressed", "application/xml", "text/xml", NULL};

	for (size_t i = 0; types[i]; i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return format_general.reads(type);
}

const struct format *format_for(const struct format_input *in)
{
	for (size_t i = 0; is_general(in->media_type) && i < sizeof(formats) / sizeof(*formats);
	     i++) {
		if (formats[i]->claims && formats[i]->claims(in))
			return formats[i];
	}
	return format_find(in->media_type);
}

void format_warm_all(void)
{
	charset_warm();
	kind_warm();
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (formats[i]->warm)
			formats[i]->warm();
	}
}

static void copy_lower(char *out, size_t size, const char *from, size_t len)
{
	size_t n = 0;

	while (n < len && n + 1 < size && (unsigned char)from[n] > ' ' && from[n] != '"') {
		out[n] = (char)tolower((unsigned char)from[n]);
		n++;
	}
	out[n] = '\0';
}

void format_split_type(
    const char *given, char *type, size_t type_size, char *charset, size_t charset_size)
{
	const char *p = strcasestr(given, "charset=");

	copy_lower(type, type_size, given, strcspn(given, ";"));
	charset[0] = '\0';
	if (p) {
		p += strlen("charset=");
		p += *p == '"';
		copy_lower(charset, charset_size, p, strcspn(p, ";\""));
	}
}

enum format_outcome format_none(struct textsink *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, ap);
	va_end(ap);
	return FORMAT_NONE;
}

/* ---- the sink ---- */
void textsink_init(struct textsink *s, uint64_t limit,
    void (*write)(void *arg, const char *bytes, size_t len), void *arg)
{
	memset(s, 0, sizeof(*s));
	s->limit = limit;
	s->write = write;
	s->arg = arg;
}

void textsink_flush(struct textsink *s)
{
	if (s->used)
		s->write(s->arg, s->buffer, s->used);
	s->used = 0;
}

void textsink_flush_through(struct textsink *s)
{
	for (; s; s = s->outer)
		textsink_flush(s);
}

static bool emit(struct textsink *s, const char *bytes, size_t len)
{
	if (s->full || s->written + len > s->limit) {
		s->full = true;
		return false;
	}
	if (s->used + len > sizeof(s->buffer))
		textsink_flush(s);
	memcpy(s->buffer + s->used, bytes, len);
	s->used += len;
	s->written += len;
	return true;
}

void textsink_gap(struct textsink *s, enum textsink_gap gap)
{
	if (s->gap < gap)
		s->gap = gap;
}

void textsink_page(struct textsink *s)
{
	if (s->pages)
		emit(s, "\f", 1);
	s->pages++;
	s->gap = GAP_NONE;
	s->page_has_text = false;
	textsink_flush_through(s);
}

static void line_end(struct textsink *s)
{
	textsink_gap(s, s->gap >= GAP_LINE ? GAP_PARAGRAPH : GAP_LINE);
}

static bool is_space(uint32_t c)
{
	return c == '\t' || c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Controls, soft hyphen, zero width space, word joiner, byte order mark, direction marks and
 * overrides (which make text show other than it is), noncharacters. */
static bool is_dropped(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x200b || c == 0x200e ||
	       c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) ||
	       c == 0xfeff || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

/* True when c was white space of some kind and is dealt with. */
static bool take_space(struct textsink *s, uint32_t c, bool lines)
{
	bool after_cr = s->after_cr;

	s->after_cr = c == '\r';
	if (c == '\n' && after_cr && lines)
		return true;
	if (c == '\n' || c == '\r' || c == 0x0b || c == 0x85 || c == 0x2028) {
		if (lines)
			line_end(s);
		else
			textsink_gap(s, GAP_SPACE);
		return true;
	}
	if (c == '\f' || c == 0x2029) {
		textsink_gap(s, lines ? GAP_PARAGRAPH : GAP_SPACE);
		return true;
	}
	if (!is_space(c))
		return false;
	textsink_gap(s, GAP_SPACE);
	return true;
}

static bool put(struct textsink *s, const char *bytes, size_t len)
{
	static const char *const gaps[] = {"", " ", "\n", "\n\n"};

	if (s->page_has_text && s->gap && !emit(s, gaps[s->gap], strlen(gaps[s->gap])))
		return false;
	s->gap = GAP_NONE;
	s->page_has_text = true;
	s->visible++;
	return emit(s, bytes, len);
}

bool textsink_add(struct textsink *s, const char *text, size_t len, bool lines)
{
	size_t at = 0;

	while (at < len && !s->full) {
		uint32_t c;
		size_t n = format_utf8_next(text + at, len - at, &c);

		if (!take_space(s, c, lines) && !is_dropped(c)) {
			bool whole = c != 0xfffd;

			put(s, whole ? text + at : "\xef\xbf\xbd", whole ? n : 3);
		}
		at += n;
	}
	return !s->full;
}

struct title_copy {
	char *out;
	size_t size;
	size_t used;
};

static void title_write(void *arg, const char *bytes, size_t len)
{
	struct title_copy *t = arg;

	if (len < t->size - t->used) {
		memcpy(t->out + t->used, bytes, len);
		t->used += len;
		t->out[t->used] = '\0';
	}
}

void textsink_title(struct textsink *s, const char *text, size_t len)
{
	struct title_copy copy = {.out = s->title, .size = sizeof(s->title)};
	struct textsink tidy;

	if (s->title[0])
		return;
	textsink_init(&tidy, sizeof(s->title) - 1, title_write, &copy);
	textsink_add(&tidy, text, len, false);
	textsink_flush(&tidy);
}

/* RFC 3629, table of well-formed sequences. */
size_t format_utf8_next(const char *text, size_t len, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t need;
	uint32_t c = p[0], least;

	*ret = 0xfffd;
	if (c < 0x80) {
		*ret = c;
		return 1;
	}
	if (c < 0xc2 || c > 0xf4)
		return 1;
	need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	least = need == 1 ? 0x80 : need == 2 ? 0x800 : 0x10000;
	c &= 0x3fU >> need;
	if (len <= need)
		return 1;
	for (size_t i = 1; i <= need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*ret = c;
	return need + 1;
}
