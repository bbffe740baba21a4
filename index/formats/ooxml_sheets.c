/* SpreadsheetML: a sheet is its name and its rows, a row a line, a cell a space. Formulas give what they
 * gave last. Dates are shown as days, since their number tells nobody anything. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "index/formats/ooxml.h"

enum {
	STRINGS_MAX = 4 << 20,
	STRING_BYTES_MAX = 128 << 20,
	STYLES_MAX = 65536,
	FORMATS_MAX = 4096,
};

struct strings {
	struct buf bytes;
	uint32_t *ends; /* of each string in bytes */
	size_t len, cap;
	unsigned int run, phonetic;
};

enum number_look { LOOK_NUMBER, LOOK_DAY, LOOK_TIME };

struct book {
	struct ooxml *x;
	struct strings strings;
	unsigned char *looks; /* enum number_look of each cell style */
	size_t looks_len;
	bool since_1904;
};

/* ---- shared strings ---- */
static void strings_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct strings *s = arg;

	(void)atts;
	s->run += strcmp(name, "t") == 0;
	s->phonetic += strcmp(name, "rPh") == 0;
}

static void strings_end(void *arg, const char *name)
{
	struct strings *s = arg;

	if (strcmp(name, "t") == 0 && s->run)
		s->run--;
	if (strcmp(name, "rPh") == 0 && s->phonetic)
		s->phonetic--;
	if (strcmp(name, "si") != 0 || s->len == STRINGS_MAX)
		return;
	if (s->len == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 256;
		uint32_t *ends = reallocarray(s->ends, cap, sizeof(*ends));

		if (!ends)
			return;
		s->ends = ends, s->cap = cap;
	}
	s->ends[s->len++] = (uint32_t)s->bytes.len;
}

static void strings_text(void *arg, const char *text, size_t len)
{
	struct strings *s = arg;

	if (s->run && !s->phonetic)
		buf_add(&s->bytes, text, len);
}

/* ---- styles: which cells show a number as a day ---- */
struct styles {
	struct book *book;
	struct {
		unsigned int id;
		unsigned char look;
	} formats[FORMATS_MAX];
	size_t formats_len;
	bool cells;
};

/* ECMA-376 18.8.30: 14–17 and 22 are dates in every language, 18–21 and 45–47 times; 27–36 and
 * 50–58 dates of East Asia. */
static enum number_look builtin_look(unsigned int id)
{
	if ((id >= 14 && id <= 17) || id == 22 || (id >= 27 && id <= 36) || (id >= 50 && id <= 58))
		return LOOK_DAY;
	if ((id >= 18 && id <= 21) || (id >= 45 && id <= 47))
		return LOOK_TIME;
	return LOOK_NUMBER;
}

/* A code of our language's letters: y or d outside quotes and brackets makes a day. */
static enum number_look code_look(const char *code)
{
	bool quoted = false, bracket = false, hours = false;

	for (; *code && *code != ';'; code++) {
		if (*code == '"')
			quoted = !quoted;
		else if (*code == '[')
			bracket = true;
		else if (*code == ']')
			bracket = false;
		else if (*code == '\\' && code[1])
			code++;
		else if (!quoted && !bracket && strchr("yYdD", *code))
			return LOOK_DAY;
		else if (!quoted && !bracket && strchr("hHsS", *code))
			hours = true;
	}
	return hours ? LOOK_TIME : LOOK_NUMBER;
}

static enum number_look look_of(const struct styles *s, unsigned int id)
{
	for (size_t i = 0; i < s->formats_len; i++) {
		if (s->formats[i].id == id)
			return s->formats[i].look;
	}
	return builtin_look(id);
}

static void styles_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct styles *s = arg;
	char id[16], code[256];

	if (strcmp(name, "cellXfs") == 0) {
		s->cells = true;
	} else if (strcmp(name, "numFmt") == 0 && s->formats_len < FORMATS_MAX) {
		office_att(atts, "numFmtId", id, sizeof(id));
		office_att(atts, "formatCode", code, sizeof(code));
		s->formats[s->formats_len].id = (unsigned int)strtoul(id, NULL, 10);
		s->formats[s->formats_len].look = (unsigned char)code_look(code);
		s->formats_len++;
	} else if (s->cells && strcmp(name, "xf") == 0 && s->book->looks_len < STYLES_MAX) {
		office_att(atts, "numFmtId", id, sizeof(id));
		s->book->looks[s->book->looks_len++] =
		    (unsigned char)look_of(s, (unsigned int)strtoul(id, NULL, 10));
	}
}

static void styles_end(void *arg, const char *name)
{
	struct styles *s = arg;

	if (strcmp(name, "cellXfs") == 0)
		s->cells = false;
}

/* ---- a sheet ---- */
enum cell_type { CELL_NUMBER, CELL_SHARED, CELL_TEXT };

struct sheet {
	struct book *book;
	struct buf value;
	enum cell_type type;
	enum number_look look;
	bool taking; /* in v, t or a header or footer */
	bool margin; /* a header or footer */
};

static void cell_start(struct sheet *s, const struct office_atts *atts)
{
	char value[16];
	size_t style;

	office_att(atts, "t", value, sizeof(value));
	s->type = strcmp(value, "s") == 0                     ? CELL_SHARED
		  : *value == '\0' || strcmp(value, "n") == 0 ? CELL_NUMBER
							      : CELL_TEXT;
	style = strtoul(office_att(atts, "s", value, sizeof(value)), NULL, 10);
	s->look = style < s->book->looks_len ? s->book->looks[style] : LOOK_NUMBER;
}

static bool is_margin(const char *name)
{
	static const char *const names[] = {"oddHeader", "oddFooter", "evenHeader", "evenFooter",
	    "firstHeader", "firstFooter", NULL};

	return office_among(name, names);
}

static void sheet_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct sheet *s = arg;

	if (strcmp(name, "c") == 0) {
		cell_start(s, atts);
	} else if (strcmp(name, "row") == 0) {
		textsink_gap(s->book->x->o->out, GAP_LINE);
	} else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0 || is_margin(name)) {
		s->taking = true;
		s->margin = is_margin(name);
		buf_clear(&s->value);
	}
}

static void sheet_text(void *arg, const char *text, size_t len)
{
	struct sheet *s = arg;

	if (s->taking)
		buf_add(&s->value, text, len);
}

static void add_shared(const struct sheet *s, const char *index)
{
	const struct strings *strings = &s->book->strings;
	size_t i = strtoul(index, NULL, 10), from;

	if (i >= strings->len || !strings->bytes.data)
		return;
	from = i ? strings->ends[i - 1] : 0;
	textsink_add(s->book->x->o->out, strings->bytes.data + from, strings->ends[i] - from, true);
}

/* Days since the last of 1899 (which counts a 29 February 1900), or 1904, as the day they mean. */
static void add_day(const struct sheet *s, double serial)
{
	double days = floor(serial) - (s->book->since_1904 ? 24107 : 25569);
	time_t at = (time_t)days * 86400;
	char text[48];
	struct tm tm;
	int n;

	if (!gmtime_r(&at, &tm))
		return;
	n = snprintf(text, sizeof(text), "%d.%d.%d", tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900);
	textsink_add(s->book->x->o->out, text, (size_t)n, false);
}

static void add_number(const struct sheet *s, const char *value)
{
	char *end, text[48];
	double d = strtod(value, &end);
	int n;

	if (end != value && s->look == LOOK_DAY && d >= 1 && d < 2958466) {
		add_day(s, d);
		return;
	}
	/* 1.23456789012346E+14 is a number of fifteen digits that somebody looks for */
	if (end != value && *end == '\0' && isfinite(d)) {
		n = snprintf(text, sizeof(text), fabs(d) < 1e18 ? "%.15g" : "%.17g", d);
		if (fabs(d) >= 1e15 && fabs(d) < 1e18)
			n = snprintf(text, sizeof(text), "%.0f", d);
		textsink_add(s->book->x->o->out, text, (size_t)n, false);
		return;
	}
	textsink_add(s->book->x->o->out, value, strlen(value), false);
}

/* Without the codes: &L &C &R begin a part, &P &D … stand for what is not here, &"font" and &12 are looks. */
static void add_margin(struct textsink *out, const char *text)
{
	textsink_gap(out, GAP_LINE);
	while (*text) {
		size_t n = strcspn(text, "&");

		textsink_add(out, text, n, true);
		text += n;
		if (*text != '&')
			break;
		text++;
		if (*text == '"') {
			text += 1 + strcspn(text + 1, "\"");
			text += *text == '"';
		} else if (*text >= '0' && *text <= '9') {
			text += strspn(text, "0123456789");
		} else if (*text == 'K') {
			text += 1 + strspn(text + 1, "0123456789ABCDEFabcdef+-");
		} else if (*text) {
			if (*text == '&')
				textsink_add(out, "&", 1, false);
			else
				textsink_gap(out, strchr("LCR", *text) ? GAP_LINE : GAP_SPACE);
			text++;
		}
	}
	textsink_gap(out, GAP_LINE);
}

static void sheet_end(void *arg, const char *name)
{
	struct sheet *s = arg;
	struct textsink *out = s->book->x->o->out;
	const char *value = s->value.data ? s->value.data : "";

	if (strcmp(name, "c") == 0)
		textsink_gap(out, GAP_SPACE);
	if (!s->taking || (strcmp(name, "v") != 0 && strcmp(name, "t") != 0 && !is_margin(name)))
		return;
	s->taking = false;
	if (s->margin)
		add_margin(out, value);
	else if (s->type == CELL_SHARED)
		add_shared(s, value);
	else if (s->type == CELL_NUMBER)
		add_number(s, value);
	else
		textsink_add(out, value, s->value.len, true);
}

/* ---- the book ---- */
struct sheet_names {
	struct book *book;
	const struct ooxml_relations *relations;
};

static void read_sheet(struct book *b, const struct ooxml_part *part)
{
	static const struct office_events events = {
	    .start = sheet_start, .end = sheet_end, .text = sheet_text};
	struct sheet s = {.book = b, .value = {.limit = 1 << 20}};

	office_part(b->x->o, part->entry, &events, &s);
	textsink_gap(b->x->o->out, GAP_PARAGRAPH);
	buf_free(&s.value);
}

static void book_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct sheet_names *n = arg;
	struct textsink *out = n->book->x->o->out;
	char value[OFFICE_NAME_SIZE];
	const struct ooxml_part *part;
	const char *target;

	if (strcmp(name, "workbookPr") == 0) {
		office_att(atts, "date1904", value, sizeof(value));
		n->book->since_1904 = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	}
	if (strcmp(name, "sheet") != 0)
		return;
	office_att(atts, "name", value, sizeof(value));
	textsink_gap(out, GAP_PARAGRAPH);
	textsink_add(out, value, strlen(value), false);
	textsink_gap(out, GAP_PARAGRAPH);
	target = ooxml_relation(
	    n->relations, office_att_prefixed(atts, "r", "id", value, sizeof(value)));
	part = target ? ooxml_part_of(n->book->x, target) : NULL;
	if (part && part->kind == PART_SHEET)
		read_sheet(n->book, part);
}

static void read_styles(struct book *b, const char *book_name)
{
	static const struct office_events events = {.start = styles_start, .end = styles_end};
	struct styles *s = calloc(1, sizeof(*s));
	char name[OFFICE_NAME_SIZE];

	b->looks = calloc(STYLES_MAX, 1);
	if (s && b->looks && office_resolve(book_name, "styles.xml", name, sizeof(name))) {
		s->book = b;
		office_part_named(b->x->o, name, &events, s);
	}
	free(s);
}

void ooxml_sheets(struct ooxml *x, const struct ooxml_part *book)
{
	static const struct office_events string_events = {
	    .start = strings_start, .end = strings_end, .text = strings_text};
	static const struct office_events book_events = {.start = book_start};
	struct book b = {.x = x, .strings = {.bytes = {.limit = STRING_BYTES_MAX}}};
	struct ooxml_relations relations;

	if (!ooxml_relations(x, book->name, &relations))
		return;
	for (size_t i = 0; i < x->parts_len; i++) {
		if (x->parts[i].kind == PART_STRINGS)
			office_part(x->o, x->parts[i].entry, &string_events, &b.strings);
	}
	read_styles(&b, book->name);
	office_part(x->o, book->entry, &book_events,
	    &(struct sheet_names){.book = &b, .relations = &relations});
	ooxml_text_of(x, PART_COMMENTS);
	ooxml_text_of(x, PART_DRAWING);
	ooxml_text_of(x, PART_DIAGRAM);
	ooxml_text_of(x, PART_CHART);
	ooxml_relations_free(&relations);
	buf_free(&b.strings.bytes);
	free(b.strings.ends);
	free(b.looks);
}
