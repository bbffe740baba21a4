#include "api/html.h"

#include <assert.h>
#include <string.h>

#include "arkki/base/text.h"

#define REPLACED "\xEF\xBF\xBD" /* U+FFFD */

static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&#34;";
	case '\'':
		return "&#39;";
	default: /* control characters have no place in HTML */
		return REPLACED;
	}
}

static bool plain(char c)
{
	if ((unsigned char)c < ' ' || c == 0x7f)
		return c == '\n' || c == '\t' || c == '\r';
	return c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
}

void html_text_len(struct html *h, const char *text, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		/* what follows the value on the page would be read from its end */
		size_t turn = (unsigned char)text[i] < 0x80 ? 0 : utf8_turn(text + i, len - i);

		if (!turn && plain(text[i]))
			continue;
		buf_add(&h->out, text + from, i - from);
		buf_adds(&h->out, turn ? REPLACED : escape_of(text[i]));
		i += turn ? turn - 1 : 0;
		from = i + 1;
	}
	buf_add(&h->out, text + from, len - from);
}

void html_text(struct html *h, const char *text)
{
	if (text)
		html_text_len(h, text, strlen(text));
}

void html_literal(struct html *h, const char *literal, size_t len)
{
	buf_add(&h->out, literal, len);
}

/* "<a href=$": a value without quotes could end its attribute. "<a href=\"/x?v=$\"" is fine. */
static bool unquoted(const char *literal, const char *sign)
{
	bool quoted = false;

	if (sign == literal || sign[-1] != '=')
		return false;
	for (const char *p = sign; p > literal && p[-1] != '<'; p--)
		quoted ^= p[-1] == '"';
	return !quoted;
}

void html_fill(struct html *h, const char *literal, const char *const *values, size_t n)
{
	size_t used = 0;

	for (const char *p = literal; *p;) {
		size_t len = strcspn(p, "$");

		buf_add(&h->out, p, len);
		p += len;
		if (!*p)
			break;
		assert(!unquoted(literal, p));
		if (used < n)
			html_text(h, values[used]);
		used++;
		p++;
	}
	assert(used == n);
	if (used != n)
		h->out.failed = true;
}

void html_sentence(struct html *h, const char *sentence, const char *const *values, size_t n)
{
	for (const char *p = sentence; *p;) {
		size_t len = strcspn(p, "{");

		html_text_len(h, p, len);
		p += len;
		if (*p && p[1] >= '0' && p[1] <= '9' && p[2] == '}') {
			size_t i = (size_t)(p[1] - '0');

			html_text(h, i < n ? values[i] : NULL);
			p += 3;
		} else if (*p) {
			html_text_len(h, p++, 1);
		}
	}
}

/* What a snippet may hold besides text, at p; 0: nothing of it. */
static size_t allowed_at(const char *p, size_t left, bool *marked)
{
	static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#34;", "&#39;"};

	if (!*marked && left >= 6 && memcmp(p, "<mark>", 6) == 0) {
		*marked = true;
		return 6;
	}
	if (*marked && left >= 7 && memcmp(p, "</mark>", 7) == 0) {
		*marked = false;
		return 7;
	}
	for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++) {
		size_t len = strlen(entities[i]);

		if (left >= len && memcmp(p, entities[i], len) == 0)
			return len;
	}
	return 0;
}

void html_marked(struct html *h, const char *text, size_t len)
{
	bool marked = false;

	for (size_t i = 0; i < len;) {
		size_t pass = plain(text[i]) ? 1 : allowed_at(text + i, len - i, &marked);

		if (pass)
			buf_add(&h->out, text + i, pass);
		else
			html_text_len(h, text + i, 1);
		i += pass ? pass : 1;
	}
	if (marked)
		buf_adds(&h->out, "</mark>");
}
