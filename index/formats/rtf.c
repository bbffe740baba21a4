/* RTF 1.9.1: a reader of our own. Groups are an explicit stack; destinations that are not the document's
 * text are skipped as a whole, as are unknown ones marked with \*. Bytes are in the code page of their
 * font, gathered and converted when a run ends; \u brings UTF-16, and \uc says how many bytes after it
 * say the same to older readers.
 */
#include <ctype.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/formats/format.h"

enum {
	DEPTH_MAX = 1000,
	FONTS_MAX = 4096,
	WORD_MAX = 32,
	RUN_MAX = 4096,
};

enum place { PLACE_TEXT, PLACE_SKIP, PLACE_FONTS, PLACE_TITLE };

struct group {
	unsigned char place; /* enum place */
	bool deleted;
	bool hidden;
	unsigned char uc;
	uint16_t code_page;
	uint32_t font; /* in the font table: which one is told of */
};

struct rtf {
	struct textsink *out;
	const char *at, *end;
	struct group stack[DEPTH_MAX];
	size_t depth;
	size_t too_deep; /* groups opened beyond the stack: skipped */
	bool star;       /* \* came: the next control word names the destination */
	uint16_t code_page, default_font;
	unsigned int skip_bytes; /* still to leave out after a \u */
	uint32_t high;           /* a first half of a surrogate pair */
	struct {
		uint32_t number;
		uint16_t code_page;
	} fonts[FONTS_MAX];
	size_t fonts_len;
	char run[RUN_MAX];
	size_t run_len;
	struct buf title;
};

static struct group *top(struct rtf *r)
{
	return &r->stack[r->depth];
}

static bool is_seen(struct rtf *r)
{
	const struct group *g = top(r);

	return !r->too_deep && (g->place == PLACE_TEXT || g->place == PLACE_TITLE) && !g->deleted &&
	       !g->hidden;
}

static void add_utf8(struct rtf *r, const char *text, size_t len)
{
	if (!is_seen(r))
		return;
	if (top(r)->place == PLACE_TITLE)
		buf_add(&r->title, text, len);
	else
		textsink_add(r->out, text, len, false);
}

/* The bytes gathered so far, in the code page of their group. */
static void end_run(struct rtf *r)
{
	struct charset_text text;
	char label[32];

	if (r->run_len == 0)
		return;
	if (top(r)->code_page == 10000)
		snprintf(label, sizeof(label), "macintosh");
	else
		snprintf(label, sizeof(label), "cp%u", top(r)->code_page);
	if (charset_to_utf8(r->run, r->run_len, label, &text))
		add_utf8(r, text.text, text.len);
	buf_free(&text.own);
	r->run_len = 0;
}

static void add_byte(struct rtf *r, char c)
{
	if (r->skip_bytes) {
		r->skip_bytes--;
		return;
	}
	if (!is_seen(r))
		return;
	if (r->run_len == RUN_MAX)
		end_run(r);
	r->run[r->run_len++] = c;
}

static void add_gap(struct rtf *r, enum textsink_gap gap)
{
	end_run(r);
	if (!is_seen(r))
		return;
	if (top(r)->place == PLACE_TITLE)
		buf_addc(&r->title, ' ');
	else
		textsink_gap(r->out, gap);
}

static void add_code(struct rtf *r, uint32_t c)
{
	char utf8[4];
	size_t n = 0;

	if (c < 0x80) {
		utf8[n++] = (char)c;
	} else if (c < 0x800) {
		utf8[n++] = (char)(0xc0 | c >> 6);
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		utf8[n++] = (char)(0xe0 | c >> 12);
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		utf8[n++] = (char)(0xf0 | c >> 18);
		utf8[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	}
	add_utf8(r, utf8, n);
}

/* \u: UTF-16, halves of a pair in two of them. */
static void add_unicode(struct rtf *r, long value)
{
	uint32_t c = (uint32_t)value & 0xffff;

	end_run(r);
	if (r->high && c >= 0xdc00 && c <= 0xdfff) {
		add_code(r, 0x10000 + ((r->high - 0xd800) << 10) + (c - 0xdc00));
		r->high = 0;
	} else if (c >= 0xd800 && c <= 0xdbff) {
		if (r->high)
			add_code(r, 0xfffd);
		r->high = c;
	} else {
		if (r->high || (c >= 0xdc00 && c <= 0xdfff))
			add_code(r, 0xfffd);
		r->high = 0;
		if (c < 0xdc00 || c > 0xdfff)
			add_code(r, c);
	}
	r->skip_bytes = top(r)->uc;
}

/* ---- groups and fonts ---- */
static void group_open(struct rtf *r)
{
	end_run(r);
	r->skip_bytes = 0;
	r->star = false;
	if (r->too_deep || r->depth + 1 == DEPTH_MAX) {
		r->too_deep++;
		return;
	}
	r->stack[r->depth + 1] = r->stack[r->depth];
	r->depth++;
}

static void group_close(struct rtf *r)
{
	end_run(r);
	r->skip_bytes = 0;
	r->star = false;
	if (r->too_deep)
		r->too_deep--;
	else if (r->depth)
		r->depth--;
}

static uint16_t code_page_of_charset(const struct rtf *r, long charset)
{
	static const uint16_t pages[][2] = {{0, 1252}, {2, 1252}, {77, 10000}, {128, 932},
	    {129, 949}, {134, 936}, {136, 950}, {161, 1253}, {162, 1254}, {163, 1258}, {177, 1255},
	    {178, 1256}, {186, 1257}, {204, 1251}, {222, 874}, {238, 1250}, {254, 437}, {255, 850}};

	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		if (pages[i][0] == charset)
			return pages[i][1];
	}
	return r->code_page;
}

static void font_told(struct rtf *r, uint16_t code_page)
{
	for (size_t i = 0; i < r->fonts_len; i++) {
		if (r->fonts[i].number == top(r)->font) {
			r->fonts[i].code_page = code_page;
			return;
		}
	}
	if (r->fonts_len == FONTS_MAX)
		return;
	r->fonts[r->fonts_len].number = top(r)->font;
	r->fonts[r->fonts_len++].code_page = code_page;
}

static void font_use(struct rtf *r, uint32_t number)
{
	end_run(r);
	top(r)->font = number;
	if (top(r)->place == PLACE_FONTS)
		return;
	top(r)->code_page = r->code_page;
	for (size_t i = 0; i < r->fonts_len; i++) {
		if (r->fonts[i].number == number)
			top(r)->code_page = r->fonts[i].code_page;
	}
}

/* ---- control words ---- */
static bool among(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

/* Where text may stand although \* says that a reader may leave it out. */
static bool is_text_destination(const char *word)
{
	static const char *const words[] = {
	    "shpinst", "annotation", "ud", "shptxt", "footnote", NULL};

	return among(word, words);
}

static bool is_skipped_destination(const char *word)
{
	static const char *const words[] = {"colortbl", "stylesheet", "info", "pict", "objdata",
	    "objclass", "objname", "fldinst", "nonshppict", "listtable", "listoverridetable",
	    "revtbl", "rsidtbl", "generator", "xmlnstbl", "themedata", "colorschememapping",
	    "datastore", "latentstyles", "filetbl", "xe", "tc", "rxe", "bkmkstart", "bkmkend",
	    "listtext", "pntext", "sn", "sv", "upr", "keycode", "private1", "template", "objalias",
	    "pgdsctbl", "fname", "mmathPr", "listpicture", "falt", "panose", "fontemb", NULL};

	return among(word, words);
}

static bool destination(struct rtf *r, const char *word)
{
	struct group *g = top(r);

	if (strcmp(word, "fonttbl") == 0)
		g->place = PLACE_FONTS;
	else if (strcmp(word, "title") == 0 && g->place == PLACE_SKIP)
		g->place = PLACE_TITLE;
	else if (strcmp(word, "ud") == 0)
		g->place = PLACE_TEXT;
	else if (is_skipped_destination(word) || (r->star && !is_text_destination(word)))
		g->place = g->place == PLACE_FONTS ? PLACE_FONTS : PLACE_SKIP;
	else
		return false;
	return true;
}

static bool space(struct rtf *r, const char *word)
{
	static const struct {
		const char *word;
		enum textsink_gap gap;
	} gaps[] = {{"par", GAP_PARAGRAPH}, {"line", GAP_LINE}, {"row", GAP_LINE},
	    {"nestrow", GAP_LINE}, {"cell", GAP_SPACE}, {"nestcell", GAP_SPACE}, {"tab", GAP_SPACE},
	    {"sect", GAP_PARAGRAPH}, {"page", GAP_PARAGRAPH}, {"emspace", GAP_SPACE},
	    {"enspace", GAP_SPACE}, {"qmspace", GAP_SPACE}, {"header", GAP_PARAGRAPH},
	    {"headerl", GAP_PARAGRAPH}, {"headerr", GAP_PARAGRAPH}, {"headerf", GAP_PARAGRAPH},
	    {"footer", GAP_PARAGRAPH}, {"footerl", GAP_PARAGRAPH}, {"footerr", GAP_PARAGRAPH},
	    {"footerf", GAP_PARAGRAPH}, {"footnote", GAP_SPACE}, {"annotation", GAP_SPACE},
	    {"shptxt", GAP_PARAGRAPH}};

	for (size_t i = 0; i < sizeof(gaps) / sizeof(*gaps); i++) {
		if (strcmp(gaps[i].word, word) == 0) {
			add_gap(r, gaps[i].gap);
			return true;
		}
	}
	return false;
}

static bool special(struct rtf *r, const char *word)
{
	static const struct {
		const char *word;
		uint32_t c;
	} list[] = {{"emdash", 0x2014}, {"endash", 0x2013}, {"lquote", 0x2018}, {"rquote", 0x2019},
	    {"ldblquote", 0x201c}, {"rdblquote", 0x201d}, {"bullet", 0x2022}};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		if (strcmp(list[i].word, word) == 0) {
			end_run(r);
			add_code(r, list[i].c);
			return true;
		}
	}
	return false;
}

/* What changes how the text after it is read. has: the word had a number. */
static void setting(struct rtf *r, const char *word, bool has, long value)
{
	struct group *g = top(r);

	if (strcmp(word, "uc") == 0) {
		g->uc = (unsigned char)(value >= 0 && value < 64 ? value : 1);
	} else if (strcmp(word, "f") == 0) {
		font_use(r, (uint32_t)value);
	} else if (strcmp(word, "plain") == 0) {
		g->hidden = g->deleted = false;
		font_use(r, r->default_font);
	} else if (strcmp(word, "v") == 0 || strcmp(word, "deleted") == 0) {
		end_run(r);
		if (*word == 'v')
			g->hidden = !has || value;
		else
			g->deleted = !has || value;
	} else if (strcmp(word, "fcharset") == 0 && g->place == PLACE_FONTS) {
		font_told(r, code_page_of_charset(r, value));
	} else if (strcmp(word, "cpg") == 0 && g->place == PLACE_FONTS && value > 0) {
		font_told(r, (uint16_t)value);
	} else if (strcmp(word, "ansicpg") == 0 && value > 0 && value < 65536) {
		r->code_page = g->code_page = (uint16_t)value;
	} else if (strcmp(word, "mac") == 0 || strcmp(word, "pc") == 0 ||
		   strcmp(word, "pca") == 0) {
		r->code_page = g->code_page = *word == 'm' ? 10000 : word[2] ? 850 : 437;
	} else if (strcmp(word, "deff") == 0) {
		r->default_font = (uint16_t)value;
	}
}

static void control_word(struct rtf *r)
{
	char word[WORD_MAX + 1] = "";
	size_t n = 0;
	long value = 0;
	bool minus, has;

	while (r->at < r->end && isalpha((unsigned char)*r->at)) {
		if (n < WORD_MAX)
			word[n++] = *r->at;
		r->at++;
	}
	word[n] = '\0';
	minus = r->at < r->end && *r->at == '-';
	r->at += minus;
	has = r->at < r->end && isdigit((unsigned char)*r->at);
	for (; r->at < r->end && isdigit((unsigned char)*r->at); r->at++)
		value = value < 100000000 ? value * 10 + (*r->at - '0') : value;
	if (minus)
		value = -value;
	r->at += r->at < r->end && *r->at == ' ';
	if (strcmp(word, "bin") == 0) {
		r->at += value < 0 ? 0 : value < r->end - r->at ? value : r->end - r->at;
		return;
	}
	if (r->too_deep)
		return;
	if (r->skip_bytes && strcmp(word, "u") != 0) {
		r->skip_bytes--; /* a word counts as one of the bytes that \u replaces */
		return;
	}
	if (strcmp(word, "u") == 0 && has)
		add_unicode(r, value);
	else if (!destination(r, word) && !space(r, word) && !special(r, word))
		setting(r, word, has, value);
	r->star = false;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef",
		   *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* After a backslash that no letter follows. */
static void control_symbol(struct rtf *r)
{
	char c = *r->at++;
	int high, low;

	switch (c) {
	case '\'':
		high = r->end - r->at >= 2 ? hex_digit(r->at[0]) : -1;
		low = high >= 0 ? hex_digit(r->at[1]) : -1;
		if (low >= 0) {
			add_byte(r, (char)(high * 16 + low));
			r->at += 2;
		}
		break;
	case '*':
		r->star = true;
		break;
	case '{':
	case '}':
	case '\\':
		add_byte(r, c);
		break;
	case '~':
		add_byte(r, ' ');
		break;
	case '_':
		add_byte(r, '-');
		break;
	case '\r':
	case '\n':
		add_gap(r, GAP_PARAGRAPH);
		break;
	default:
		break; /* optional hyphens and the like */
	}
}

static void read_all(struct rtf *r)
{
	while (r->at < r->end && !r->out->full) {
		char c = *r->at++;

		if (c == '{')
			group_open(r);
		else if (c == '}')
			group_close(r);
		else if (c == '\\' && r->at < r->end && isalpha((unsigned char)*r->at))
			control_word(r);
		else if (c == '\\' && r->at < r->end)
			control_symbol(r);
		else if (c != '\r' && c != '\n' && c != '\\')
			add_byte(r, c);
	}
	end_run(r);
}

static bool rtf_reads(const char *type)
{
	return strcmp(type, "text/rtf") == 0 || strcmp(type, "application/rtf") == 0 ||
	       strcmp(type, "text/richtext") == 0;
}

static bool rtf_claims(const struct format_input *in)
{
	return in->len > 5 && memcmp(in->bytes, "{\\rtf", 5) == 0;
}

/* Kept open, so that their tables stay loaded. */
static void rtf_warm(void)
{
	static const char *const pages[] = {"CP437", "CP850", "CP852", "CP866", "CP874", "CP932",
	    "CP936", "CP949", "CP950", "CP1250", "CP1251", "CP1253", "CP1254", "CP1255", "CP1256",
	    "CP1257", "CP1258", "MACINTOSH"};

	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		(void)iconv_open("UTF-8", pages[i]);
}

static enum format_outcome rtf_read(const struct format_input *in, struct textsink *out)
{
	enum format_outcome outcome = FORMAT_OK;
	struct rtf *r;

	if (!rtf_claims(in))
		return format_none(out, "the file is damaged: not RTF");
	r = calloc(1, sizeof(*r));
	if (!r)
		return format_none(out, "the document needs more memory than a decoder may use");
	r->out = out;
	r->at = in->bytes, r->end = in->bytes + in->len;
	r->code_page = 1252;
	r->stack[0] = (struct group){.uc = 1, .code_page = 1252};
	r->title.limit = 4096;
	read_all(r);
	textsink_title(out, r->title.data ? r->title.data : "", r->title.len);
	if (!out->visible)
		outcome = format_none(out, "no text in it");
	else if (r->depth > 0 && !out->full)
		snprintf(out->reason, sizeof(out->reason),
		    "the file was cut off: the text is what could be read of it");
	buf_free(&r->title);
	free(r);
	return outcome;
}

const struct format format_rtf = {
    .name = "RTF", .reads = rtf_reads, .claims = rtf_claims, .warm = rtf_warm, .read = rtf_read};
