/* Mail as Outlook saves it ([MS-OXMSG]): an OLE file whose streams are properties, read by libgsf. Recipients and
 * attachments are storages of their own; a mail attached to a mail is a storage again, read after the one that it
 * belongs to. */
#include <gsf/gsf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/formats/program.h"

enum {
	STORAGES = 2048, /* recipients and attachments of one mail */
	PENDING = 64,    /* mails in mails not read yet */
	ADDRESS_TEXT = 8192,
};

enum tag { /* [MS-OXPROPS] */
	SUBJECT = 0x0037,
	SUBMITTED = 0x0039,
	SENDER_NAME = 0x0c1a,
	SENDER_ADDRESS = 0x0c1f,
	DISPLAY_CC = 0x0e03,
	DISPLAY_TO = 0x0e04,
	DELIVERED = 0x0e06,
	BODY = 0x1000,
	BODY_RTF = 0x1009,
	BODY_HTML = 0x1013,
	DISPLAY_NAME = 0x3001,
	ADDRESS = 0x3003,
	ATTACH_DATA = 0x3701,
	ATTACH_NAME = 0x3704,
	ATTACH_LONG_NAME = 0x3707,
	ATTACH_MIME = 0x370e,
	SMTP_ADDRESS = 0x39fe,
	INTERNET_CODEPAGE = 0x3fde,
	MESSAGE_CODEPAGE = 0x3ffd,
	SENDER_SMTP = 0x5d01,
};

struct letter {
	GsfInfile *at;
	unsigned int depth; /* mails around it */
};

struct msg {
	struct textsink *out;
	struct letter pending[PENDING];
	unsigned int pendings;
	bool stop;
	bool encrypted;
};

/* ---- properties ---- */
static bool read_stream(GsfInfile *at, const char *name, struct buf *ret)
{
	GsfInput *in = gsf_infile_child_by_name(at, name);
	gsf_off_t size = in ? gsf_input_size(in) : 0;
	bool ok = false;

	if (in && size > 0 && (guint64)size <= FORMAT_MEMBER_MAX &&
	    buf_reserve(ret, (size_t)size)) {
		const guint8 *bytes = gsf_input_read(in, (size_t)size, NULL);

		if (bytes)
			buf_add(ret, bytes, (size_t)size);
		ok = bytes && !buf_failed(ret);
	}
	if (in)
		g_object_unref(in);
	return ok;
}

static bool read_property(GsfInfile *at, enum tag tag, unsigned int type, struct buf *ret)
{
	char name[32];

	snprintf(name, sizeof(name), "__substg1.0_%04X%04X", (unsigned int)tag, type);
	return read_stream(at, name, ret);
}

/* A property of fixed size; head: bytes before the first one, which differ by the kind of storage. */
static uint64_t fixed_property(GsfInfile *at, enum tag tag, size_t head)
{
	struct buf all = BUF_INIT;
	uint64_t value = 0;

	if (read_stream(at, "__properties_version1.0", &all)) {
		for (size_t i = head; i + 16 <= all.len; i += 16) {
			const unsigned char *p = (const unsigned char *)all.data + i;

			if ((p[3] << 8 | p[2]) != (int)tag)
				continue;
			for (size_t k = 0; k < 8; k++)
				value |= (uint64_t)p[8 + k] << 8 * k;
			break;
		}
	}
	buf_free(&all);
	return value;
}

static void label_of_codepage(uint64_t page, char *label, size_t size)
{
	if (page == 65001)
		snprintf(label, size, "utf-8");
	else if (page == 28591 || page == 1252)
		snprintf(label, size, "windows-1252");
	else if (page > 28591 && page <= 28605)
		snprintf(label, size, "iso-8859-%u", (unsigned int)(page - 28590));
	else if (page >= 437 && page <= 1258)
		snprintf(label, size, "cp%u", (unsigned int)page);
	else
		label[0] = '\0';
}

static size_t head_of(unsigned int depth)
{
	return depth ? 24 : 32;
}

/* A text property as UTF-8: 001F is UTF-16, 001E in the mail's code page. False when it has none. */
static bool text_property(GsfInfile *at, enum tag tag, const char *label, struct buf *ret)
{
	struct charset_text text = {.own = BUF_INIT};
	struct buf raw = BUF_INIT;
	bool ok;

	if (read_property(at, tag, 0x1f, &raw))
		ok = charset_to_utf8(raw.data, raw.len & ~(size_t)1, "utf-16le", &text);
	else
		ok = read_property(at, tag, 0x1e, &raw) &&
		     charset_to_utf8(raw.data, raw.len, label, &text);
	if (ok)
		buf_add(ret, text.text, text.len);
	buf_free(&text.own);
	buf_free(&raw);
	return ok && ret->len && !buf_failed(ret);
}

/* ---- header ---- */
static void add_line(struct textsink *out, const char *label, const struct buf *value)
{
	if (!value->len)
		return;
	textsink_gap(out, GAP_LINE);
	textsink_add(out, label, strlen(label), false);
	textsink_add(
	    out, value->data, value->len < ADDRESS_TEXT ? value->len : ADDRESS_TEXT, false);
	textsink_gap(out, GAP_LINE);
}

static void add_text_line(
    struct textsink *out, const char *label, GsfInfile *at, enum tag tag, const char *charset)
{
	struct buf value = BUF_INIT;

	text_property(at, tag, charset, &value);
	add_line(out, label, &value);
	buf_free(&value);
}

/* "Name <address>" */
static void add_person(struct textsink *out, const char *label, GsfInfile *at, enum tag name,
    enum tag smtp, enum tag address, const char *charset)
{
	struct buf who = BUF_INIT, where = BUF_INIT;

	text_property(at, name, charset, &who);
	if (!text_property(at, smtp, charset, &where))
		text_property(at, address, charset, &where);
	if (who.len && where.len && strcmp(who.data, where.data) != 0)
		buf_addf(&who, " <%s>", where.data);
	add_line(out, label, who.len ? &who : &where);
	buf_free(&who);
	buf_free(&where);
}

/* FILETIME: 100 ns from 1601. */
static void add_date(struct textsink *out, GsfInfile *at, size_t head)
{
	uint64_t when = fixed_property(at, SUBMITTED, head);
	struct buf text = BUF_INIT;
	GDateTime *date;

	if (!when)
		when = fixed_property(at, DELIVERED, head);
	if (when < UINT64_C(116444736000000000))
		return;
	date = g_date_time_new_from_unix_utc(
	    (gint64)((when - UINT64_C(116444736000000000)) / 10000000));
	if (date)
		buf_addf(&text, "%d.%d.%d %02d:%02d UTC", g_date_time_get_day_of_month(date),
		    g_date_time_get_month(date), g_date_time_get_year(date),
		    g_date_time_get_hour(date), g_date_time_get_minute(date));
	add_line(out, "Date: ", &text);
	if (date)
		g_date_time_unref(date);
	buf_free(&text);
}

static void add_header(struct textsink *out, GsfInfile *at, unsigned int depth, const char *charset)
{
	struct buf subject = BUF_INIT;

	if (text_property(at, SUBJECT, charset, &subject) && depth == 0)
		textsink_title(out, subject.data, subject.len);
	add_line(out, "Subject: ", &subject);
	add_person(out, "From: ", at, SENDER_NAME, SENDER_SMTP, SENDER_ADDRESS, charset);
	add_text_line(out, "To: ", at, DISPLAY_TO, charset);
	add_text_line(out, "Cc: ", at, DISPLAY_CC, charset);
	add_date(out, at, head_of(depth));
	buf_free(&subject);
}

/* ---- body ---- */
/* [MS-OXRTFCP]: literals and references into a window of 4,096 bytes that begins with common RTF. */
static bool rtf_unpack(const struct buf *packed, struct buf *ret)
{
	static const char start[] =
	    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss "
	    "\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New Roman"
	    "Courier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
	    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
	const unsigned char *p = (const unsigned char *)packed->data;
	unsigned char window[4096] = {0};
	size_t at = 16, to = sizeof(start) - 1;

	if (packed->len < 16)
		return false;
	if (memcmp(p + 8, "MELA", 4) == 0) {
		buf_add(ret, p + 16, packed->len - 16);
		return !buf_failed(ret);
	}
	if (memcmp(p + 8, "LZFu", 4) != 0)
		return false;
	memcpy(window, start, to);
	while (at < packed->len && !buf_failed(ret)) {
		unsigned int control = p[at++];

		for (unsigned int bit = 0; bit < 8 && at < packed->len; bit++) {
			size_t from, n;

			if (!(control >> bit & 1)) {
				buf_addc(ret, (char)(window[to++ % 4096] = p[at++]));
				continue;
			}
			if (at + 2 > packed->len)
				return ret->len > 0;
			from = (size_t)p[at] << 4 | p[at + 1] >> 4;
			n = (p[at + 1] & 15U) + 2;
			at += 2;
			if (from == to % 4096)
				return !buf_failed(ret);
			for (; n; n--) {
				window[to % 4096] = window[from++ % 4096];
				buf_addc(ret, (char)window[to++ % 4096]);
			}
		}
	}
	return !buf_failed(ret);
}

static void add_body(struct msg *m, GsfInfile *at, const struct letter *l, const char *charset)
{
	struct buf text = BUF_INIT, rtf = {.limit = FORMAT_MEMBER_MAX};
	char type[96];

	if (text_property(at, BODY, charset, &text)) {
		textsink_gap(m->out, GAP_PARAGRAPH);
		textsink_add(m->out, text.data, text.len, true);
		goto out;
	}
	buf_clear(&text);
	if (read_property(at, BODY_HTML, 0x102, &text)) {
		char page[32];

		label_of_codepage(
		    fixed_property(at, INTERNET_CODEPAGE, head_of(l->depth)), page, sizeof(page));
		snprintf(type, sizeof(type), "text/html;charset=%s", page);
		m->stop |= !format_member(m->out, NULL, type, text.data, text.len);
	} else if (text_property(at, BODY_HTML, charset, &text)) {
		m->stop |=
		    !format_member(m->out, NULL, "text/html;charset=utf-8", text.data, text.len);
	} else if (read_property(at, BODY_RTF, 0x102, &text) && rtf_unpack(&text, &rtf)) {
		m->stop |= !format_member(m->out, NULL, "application/rtf", rtf.data, rtf.len);
	}
out:
	buf_free(&text);
	buf_free(&rtf);
}

/* ---- recipients and attachments ---- */
static void add_attached_mail(struct msg *m, GsfInput *inner, unsigned int depth)
{
	if (depth >= FORMAT_DEPTH_MAX || m->pendings == PENDING || !GSF_IS_INFILE(inner)) {
		m->out->nested_too_deep |= depth >= FORMAT_DEPTH_MAX;
		return;
	}
	m->pending[m->pendings++] =
	    (struct letter){.at = GSF_INFILE(g_object_ref(inner)), .depth = depth};
}

static void add_attachment(struct msg *m, GsfInfile *at, unsigned int depth, const char *charset)
{
	struct buf name = BUF_INIT, type = BUF_INIT, data = BUF_INIT;
	GsfInput *inner = gsf_infile_child_by_name(at, "__substg1.0_3701000D");

	if (!text_property(at, ATTACH_LONG_NAME, charset, &name) &&
	    !text_property(at, ATTACH_NAME, charset, &name))
		text_property(at, DISPLAY_NAME, charset, &name);
	text_property(at, ATTACH_MIME, charset, &type);
	read_property(at, ATTACH_DATA, 0x102, &data);
	if (type.data && (strstr(type.data, "pkcs7-mime") || strstr(type.data, "pgp-encrypted")))
		m->encrypted = true;
	if (data.len || name.len)
		m->stop |= !format_member(m->out, name.data, type.data, data.data, data.len);
	if (inner) {
		add_attached_mail(m, inner, depth + 1);
		g_object_unref(inner);
	}
	buf_free(&name);
	buf_free(&type);
	buf_free(&data);
}

static void add_storages(
    struct msg *m, const struct letter *l, const char *charset, bool recipients)
{
	const char *prefix = recipients ? "__recip_version1.0_" : "__attach_version1.0_";
	int n = gsf_infile_num_children(l->at), seen = 0;

	for (int i = 0; i < n && seen < STORAGES && !m->stop && !m->out->full; i++) {
		const char *name = gsf_infile_name_by_index(l->at, i);
		GsfInput *child;

		if (!name || strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		seen++;
		child = gsf_infile_child_by_index(l->at, i);
		if (child && GSF_IS_INFILE(child) && recipients)
			add_person(m->out, "Recipient: ", GSF_INFILE(child), DISPLAY_NAME,
			    SMTP_ADDRESS, ADDRESS, charset);
		else if (child && GSF_IS_INFILE(child))
			add_attachment(m, GSF_INFILE(child), l->depth, charset);
		if (child)
			g_object_unref(child);
	}
}

static void add_letter(struct msg *m, const struct letter *l)
{
	char charset[32];

	label_of_codepage(
	    fixed_property(l->at, MESSAGE_CODEPAGE, head_of(l->depth)), charset, sizeof(charset));
	textsink_gap(m->out, GAP_PARAGRAPH);
	add_header(m->out, l->at, l->depth, charset);
	add_storages(m, l, charset, true);
	textsink_gap(m->out, GAP_PARAGRAPH);
	add_body(m, l->at, l, charset);
	add_storages(m, l, charset, false);
}

static enum format_outcome read_letters(GsfInfile *root, struct textsink *out)
{
	struct msg m = {.out = out};

	m.pending[m.pendings++] = (struct letter){.at = GSF_INFILE(g_object_ref(root))};
	while (m.pendings) {
		struct letter l = m.pending[--m.pendings];

		/* what an inner mail costs counts as for any member */
		if (!m.stop && !out->full && (!l.depth || format_member(out, NULL, NULL, NULL, 0)))
			add_letter(&m, &l);
		g_object_unref(l.at);
	}
	if (m.encrypted && !out->reason[0])
		snprintf(out->reason, sizeof(out->reason), "an encrypted part");
	if (out->nested_too_deep && !out->reason[0])
		snprintf(out->reason, sizeof(out->reason),
		    "documents nested too deep in it are not read");
	if (!out->visible)
		return format_none(out, "no text in it");
	return FORMAT_OK;
}

/* An OLE file that is no mail: a kind that a decoder reads, or the type that was given. */
static enum format_outcome read_other(const struct format_input *in, struct textsink *out)
{
	struct format_input as = *in;
	const struct format *format;
	char type[KIND_SIZE];

	kind_of(NULL, NULL, in->bytes, in->len, type);
	format = format_find(type);
	if (!format || format == &format_msg)
		return format_none(out, "%s",
		    strcmp(type, "application/vnd.ms-outlook") == 0
			? "the mail is damaged beyond reading"
		    : strcmp(type, "application/x-ole-encrypted") == 0
			? "the document is encrypted"
			: "not a kind of OLE file that arkki reads");
	as.media_type = type;
	return format->read(&as, out);
}

static enum format_outcome msg_read(const struct format_input *in, struct textsink *out)
{
	GsfInput *memory =
	    gsf_input_memory_new((const guint8 *)in->bytes, (gsf_off_t)in->len, FALSE);
	GsfInfile *root = memory ? gsf_infile_msole_new(memory, NULL) : NULL;
	GsfInput *mark = root ? gsf_infile_child_by_name(root, "__properties_version1.0") : NULL;
	enum format_outcome outcome;

	outcome = mark ? read_letters(root, out) : read_other(in, out);
	if (mark)
		g_object_unref(mark);
	if (root)
		g_object_unref(root);
	if (memory)
		g_object_unref(memory);
	return outcome;
}

static bool msg_reads(const char *type)
{
	/* the last three: what libmagic calls OLE files that it does not know */
	static const char *const types[] = {"application/vnd.ms-outlook",
	    "application/x-ole-storage", "application/cdfv2", "application/x-cfb", NULL};

	for (size_t i = 0; types[i]; i++) {
		if (strcmp(types[i], type) == 0)
			return true;
	}
	return false;
}

static void msg_warm(void)
{
	gsf_init();
}

const struct format format_msg = {.programs = format_programs, /* for documents inside */

    .name = "Outlook mail",
    .reads = msg_reads,
    .warm = msg_warm,
    .read = msg_read};
