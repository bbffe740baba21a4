#include "index/formats/xls_names.h"

#include <stdio.h>
#include <string.h>

enum {
	RECORDS_MAX = 100000, /* before the sheets: fonts, formats, strings that cells share */
	NAMES_MAX = 4096,
	RECORD_MAX =
	    520, /* of the records that are read: 255 characters of two bytes, and what is before */
	/* [MS-XLS] 2.3 */
	RECORD_BOF = 0x0809,
	RECORD_EOF = 0x000a,
	RECORD_CODEPAGE = 0x0042,
	RECORD_SHEET = 0x0085,
	VERSION_8 = 0x0600,
	/* BoundSheet8.dt */
	KIND_SHEET = 0,
	KIND_CHART = 2,
};

struct globals {
	unsigned int version, codepage, names;
};

static unsigned int u16(const unsigned char *p)
{
	return p[0] | (unsigned int)p[1] << 8;
}

/* 32-bit position, state, kind, then the name: its length in characters; from version 8 on whether they have two bytes
 * each, or are the lower ones alone. */
static void add_name(const unsigned char *p, size_t len, struct globals *g, struct textsink *out)
{
	bool eight = g->version >= VERSION_8;
	size_t before = eight ? 8 : 7, n;
	struct charset_text text = {.own = BUF_INIT};
	char label[24] = "windows-1252";

	if (len < before || (p[5] != KIND_SHEET && p[5] != KIND_CHART))
		return;
	n = p[6];
	if (eight && (p[7] & 1)) {
		n *= 2;
		snprintf(label, sizeof(label), "utf-16le");
	} else if (eight) {
		snprintf(label, sizeof(label), "iso-8859-1");
	} else if (g->codepage >= 1250 && g->codepage <= 1258) {
		snprintf(label, sizeof(label), "windows-%u", g->codepage);
	}
	if (n > len - before)
		return;
	if (charset_to_utf8((const char *)p + before, n, label, &text)) {
		textsink_gap(out, g->names++ ? GAP_LINE : GAP_PARAGRAPH);
		textsink_add(out, text.text, text.len, false);
	}
	buf_free(&text.own);
}

/* False: the part of the workbook as a whole is over. */
static bool take(
    unsigned int type, const unsigned char *p, size_t len, struct globals *g, struct textsink *out)
{
	if (type == RECORD_BOF && len >= 2)
		g->version = u16(p);
	else if (type == RECORD_CODEPAGE && len >= 2)
		g->codepage = u16(p);
	else if (type == RECORD_SHEET)
		add_name(p, len, g, out);
	return type != RECORD_EOF && g->names < NAMES_MAX;
}

void xls_names(GsfInput *records, struct textsink *out)
{
	struct globals g = {0};

	for (int i = 0; i < RECORDS_MAX && !out->full; i++) {
		unsigned char head[4], body[RECORD_MAX];
		size_t len, read;

		if (!gsf_input_read(records, sizeof(head), head))
			break;
		len = u16(head + 2);
		read = len < RECORD_MAX ? len : RECORD_MAX;
		if (read && !gsf_input_read(records, read, body))
			break;
		if (!take(u16(head), body, read, &g, out) ||
		    gsf_input_seek(records, (gsf_off_t)(len - read), G_SEEK_CUR))
			break;
	}
	if (g.names)
		textsink_gap(out, GAP_PARAGRAPH);
}
