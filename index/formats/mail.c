/* Mail (RFC 5322, MIME) by GMime: the lines of its header that people read, its text, and what is attached as
 * members. MHTML is the same with a page for text. GMime stops descending at 1,024 levels; we go down
 * LEVELS of multiparts, and mails in mails are members, which have a bound of their own. */
#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>

#include "index/formats/program.h"

enum { LEVELS = 64, HEADER_TEXT = 8192 };

struct level {
	GMimeMultipart *parts;
	int next;
	bool plain_found; /* the same text as HTML is not read again */
	bool related;     /* pictures and styles of a page: not attachments */
};

struct mail {
	struct textsink *out;
	struct level levels[LEVELS];
	int depth;
	bool encrypted;
	bool signed_shut; /* an opaque signature around the text */
	bool too_deep;
	bool stop;
};

/* GMime's streams read from a GByteArray, which borrows the bytes here. */
static GMimeStream *stream_over(const char *bytes, size_t len, GByteArray **ret_array)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *array = g_byte_array_new();

	memcpy(&array->data, &bytes, sizeof(array->data)); /* never written to */
	array->len = (guint)len;
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), array);
	*ret_array = array;
	return stream;
}

static void stream_over_end(GMimeStream *stream, GByteArray *array)
{
	g_object_unref(stream);
	array->data = NULL;
	array->len = 0;
	g_byte_array_free(array, FALSE);
}

/* ---- header ---- */
static void header_line(struct textsink *out, const char *label, const char *value)
{
	size_t len = value ? strlen(value) : 0;

	if (!len)
		return;
	textsink_gap(out, GAP_LINE);
	textsink_add(out, label, strlen(label), false);
	textsink_add(out, value, len < HEADER_TEXT ? len : HEADER_TEXT, false);
	textsink_gap(out, GAP_LINE);
}

static void addresses(struct textsink *out, const char *label, InternetAddressList *list)
{
	char *text = list ? internet_address_list_to_string(list, NULL, FALSE) : NULL;

	header_line(out, label, text);
	g_free(text);
}

static void add_header(struct textsink *out, GMimeMessage *message)
{
	const char *subject = g_mime_message_get_subject(message);
	GDateTime *date = g_mime_message_get_date(message);
	char *day = date ? g_date_time_format(date, "%-d.%-m.%Y %H:%M") : NULL;

	if (subject)
		textsink_title(out, subject, strlen(subject));
	header_line(out, "Subject: ", subject);
	addresses(out, "From: ", g_mime_message_get_from(message));
	addresses(out, "To: ", g_mime_message_get_to(message));
	addresses(out, "Cc: ", g_mime_message_get_cc(message));
	header_line(out, "Date: ", day);
	g_free(day);
	textsink_gap(out, GAP_PARAGRAPH);
}

/* ---- parts ---- */
/* The part's bytes without transfer encoding; NULL when there are none or too many. End with g_byte_array_unref(). */
static GByteArray *decoded(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *from = content ? g_mime_data_wrapper_get_stream(content) : NULL, *to;
	gint64 len = from ? g_mime_stream_length(from) : -1;
	GByteArray *array;

	if (len <= 0 || (guint64)len > FORMAT_MEMBER_MAX)
		return NULL;
	array = g_byte_array_sized_new((guint)len);
	to = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(to), array);
	g_mime_data_wrapper_write_to_stream(content, to);
	g_object_unref(to);
	return array;
}

static bool is_blank(const GByteArray *text)
{
	for (guint i = 0; text && i < text->len; i++) {
		if (text->data[i] > ' ')
			return false;
	}
	return true;
}

static bool is_attachment(GMimeObject *part)
{
	const char *disposition = g_mime_object_get_disposition(part);

	return disposition && g_ascii_strcasecmp(disposition, GMIME_DISPOSITION_ATTACHMENT) == 0;
}

static bool is_type(GMimeObject *part, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(part), type, subtype);
}

static void add_part(struct mail *m, const char *name, GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *charset = g_mime_content_type_get_parameter(type, "charset");
	const char *media = g_mime_content_type_get_media_type(type);
	GByteArray *bytes = decoded(GMIME_PART(object));
	char full[KIND_SIZE + 64];

	/* reports of delivery and the like are lines of text */
	if (g_ascii_strcasecmp(media, "message") == 0)
		snprintf(full, sizeof(full), "text/plain");
	else
		snprintf(full, sizeof(full), "%.48s/%.48s;charset=%.40s", media,
		    g_mime_content_type_get_media_subtype(type), charset ? charset : "");
	if (bytes || name)
		m->stop |= !format_member(m->out, name, full,
		    bytes ? (const char *)bytes->data : NULL, bytes ? bytes->len : 0);
	if (bytes)
		g_byte_array_unref(bytes);
}

static void add_mail_in_mail(struct mail *m, GMimeMessagePart *part)
{
	GMimeMessage *inner = g_mime_message_part_get_message(part);
	GMimeStream *to = inner ? g_mime_stream_mem_new() : NULL;
	GByteArray *bytes;

	if (!to)
		return;
	g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, to);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(to));
	if (bytes)
		m->stop |= !format_member(
		    m->out, NULL, "message/rfc822", (const char *)bytes->data, bytes->len);
	g_object_unref(to);
}

/* True for parts that say something about others, or that only a key opens. */
static bool is_cover(struct mail *m, GMimeObject *part)
{
	if (is_type(part, "application", "pkcs7-mime") ||
	    is_type(part, "application", "x-pkcs7-mime")) {
		const char *kind = g_mime_object_get_content_type_parameter(part, "smime-type");

		if (kind && g_ascii_strncasecmp(kind, "signed", 6) == 0)
			m->signed_shut = true;
		else
			m->encrypted = true;
		return true;
	}
	return is_type(part, "application", "pkcs7-signature") ||
	       is_type(part, "application", "x-pkcs7-signature") ||
	       is_type(part, "application", "pgp-signature") ||
	       is_type(part, "application", "pgp-keys");
}

/* Pictures, styles and scripts that a page shows itself with. */
static bool is_dress(GMimeObject *part, const struct level *level)
{
	if (!level || !level->related || is_attachment(part))
		return false;
	return is_type(part, "image", "*") || is_type(part, "text", "css") ||
	       is_type(part, "font", "*") || is_type(part, "text", "javascript") ||
	       is_type(part, "application", "javascript") ||
	       is_type(part, "application", "x-javascript") ||
	       is_type(part, "application", "octet-stream");
}

static void add_leaf(struct mail *m, GMimeObject *part, const struct level *level)
{
	const char *name;
	bool body;

	if (GMIME_IS_MESSAGE_PART(part)) {
		add_mail_in_mail(m, GMIME_MESSAGE_PART(part));
		return;
	}
	if (!GMIME_IS_PART(part) || is_cover(m, part) || is_dress(part, level))
		return;
	name = g_mime_part_get_filename(GMIME_PART(part));
	body = !is_attachment(part) &&
	       (is_type(part, "text", "html") || (!name && is_type(part, "text", "*")));
	if (body && level && level->plain_found && is_type(part, "text", "html"))
		return;
	textsink_gap(m->out, GAP_PARAGRAPH);
	add_part(m, body ? NULL : name && *name ? name : "attachment", part);
}

static bool has_plain(GMimeMultipart *parts)
{
	bool found = false;

	for (int i = 0; i < g_mime_multipart_get_count(parts) && i < 16 && !found; i++) {
		GMimeObject *part = g_mime_multipart_get_part(parts, i);
		GByteArray *text;

		if (!GMIME_IS_PART(part) || !is_type(part, "text", "plain") || is_attachment(part))
			continue;
		text = decoded(GMIME_PART(part));
		found = !is_blank(text);
		if (text)
			g_byte_array_unref(text);
	}
	return found;
}

static void descend(struct mail *m, GMimeMultipart *parts)
{
	const struct level *above = m->depth ? &m->levels[m->depth - 1] : NULL;
	GMimeObject *object = GMIME_OBJECT(parts);
	struct level *level;

	if (GMIME_IS_MULTIPART_ENCRYPTED(parts)) {
		m->encrypted = true;
		return;
	}
	if (m->depth == LEVELS) {
		m->too_deep = true;
		return;
	}
	level = &m->levels[m->depth++];
	*level = (struct level){.parts = parts,
	    .plain_found = (above && above->plain_found) ||
			   (is_type(object, "multipart", "alternative") && has_plain(parts)),
	    .related = is_type(object, "multipart", "related")};
}

static void add_parts(struct mail *m, GMimeObject *part)
{
	if (GMIME_IS_MULTIPART(part))
		descend(m, GMIME_MULTIPART(part));
	else if (part)
		add_leaf(m, part, NULL);
	while (m->depth && !m->stop && !m->out->full) {
		struct level *level = &m->levels[m->depth - 1];

		if (level->next >= g_mime_multipart_get_count(level->parts)) {
			m->depth--;
			continue;
		}
		part = g_mime_multipart_get_part(level->parts, level->next++);
		if (GMIME_IS_MULTIPART(part))
			descend(m, GMIME_MULTIPART(part));
		else
			add_leaf(m, part, level);
	}
}

static enum format_outcome outcome_of(const struct mail *m, bool any_text)
{
	const char *why = m->encrypted     ? "an encrypted part"
			  : m->signed_shut ? "a signed part that is not read"
			  : m->too_deep    ? "parts nested too deep in it are not read"
					   : NULL;

	if (!any_text)
		return format_none(m->out, "%s", why ? why : "no text in it");
	if (why && !m->out->reason[0])
		snprintf(m->out->reason, sizeof(m->out->reason), "%s", why);
	return FORMAT_OK;
}

static enum format_outcome mail_read(const struct format_input *in, struct textsink *out)
{
	struct mail m = {.out = out};
	GMimeMessage *message;
	GMimeParser *parser;
	GMimeStream *stream;
	GByteArray *array;

	if (in->len > 5 && memcmp(in->bytes, "From ", 5) == 0)
		return format_mbox.read(in, out);
	stream = stream_over(in->bytes, in->len, &array);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message) {
		add_header(out, message);
		add_parts(&m, g_mime_message_get_mime_part(message));
		g_object_unref(message);
	}
	g_object_unref(parser);
	stream_over_end(stream, array);
	return outcome_of(&m, out->visible > 0);
}

static bool mail_reads(const char *type)
{
	return strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0 ||
	       strcmp(type, "message/news") == 0 || strcmp(type, "multipart/related") == 0 ||
	       strcmp(type, "application/x-mimearchive") == 0 ||
	       strcmp(type, "application/x-mht") == 0;
}

static void mail_warm(void)
{
	static const char tiny[] = "From: a@example.org\nDate: Thu, 1 Jan 2026 10:00:00 +0200\n"
				   "Subject: =?iso-8859-1?q?=E4?=\n\nx\n";
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *message;
	GByteArray *array;
	GDateTime *date;

	g_mime_init();
	/* what GMime and GLib set up when first used: time zones, tables of charsets */
	stream = stream_over(tiny, sizeof(tiny) - 1, &array);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	date = message ? g_mime_message_get_date(message) : NULL;
	if (date)
		g_free(g_date_time_format(date, "%-d.%-m.%Y %H:%M"));
	if (message)
		g_object_unref(message);
	g_object_unref(parser);
	stream_over_end(stream, array);
}

const struct format format_mail = {.programs = format_programs, /* for documents inside */

    .name = "mail",
    .reads = mail_reads,
    .warm = mail_warm,
    .read = mail_read};

/* ---- a mailbox: mails behind lines that begin with "From " ---- */
/* The next such line at or after `from` that follows an empty line; len when there is none. */
static size_t next_mail(const char *bytes, size_t len, size_t from)
{
	const char *p = bytes + from, *end = bytes + len;

	while ((p = memmem(p, (size_t)(end - p), "\nFrom ", 6))) {
		if (p > bytes &&
		    (p[-1] == '\n' || (p[-1] == '\r' && p - 1 > bytes && p[-2] == '\n')))
			return (size_t)(p + 1 - bytes);
		p++;
	}
	return len;
}

static enum format_outcome mbox_read(const struct format_input *in, struct textsink *out)
{
	size_t at = 0;
	bool more = true;

	while (at < in->len && more) {
		const char *line = memchr(in->bytes + at, '\n', in->len - at);
		size_t body = line ? (size_t)(line + 1 - in->bytes) : in->len;
		size_t end = next_mail(in->bytes, in->len, body ? body - 1 : 0);

		if (memcmp(in->bytes + at, "From ", in->len - at < 5 ? in->len - at : 5) != 0)
			body = at; /* a mail without the line, or an mbox cut out of another */
		if (end > body)
			more = format_member(
			    out, NULL, "message/rfc822", in->bytes + body, end - body);
		at = end;
	}
	return out->visible ? FORMAT_OK : format_none(out, "no text in it");
}

static bool mbox_reads(const char *type)
{
	return strcmp(type, "application/mbox") == 0 || strcmp(type, "application/x-mbox") == 0 ||
	       strcmp(type, "text/x-mail") == 0;
}

const struct format format_mbox = {.programs = format_programs, /* for documents inside */
    .name = "mailbox",
    .reads = mbox_reads,
    .read = mbox_read};
