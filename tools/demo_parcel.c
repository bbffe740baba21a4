/* Documents that hold others: a mail with attachments, a package of files. A part begins at each heading of the second
 * level; what stands before the first is the mail, or the package's contents list. */
#include "tools/demo.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "arkki/base/json.h"

enum { MIME_LINE = 57 }; /* bytes of a line of base64: 76 characters */

/* Blocks from `from` up to the next part, as a version of their own. Borrows. */
static struct demo_version part_of(const struct demo_version *v, size_t from)
{
	struct demo_version part = *v;
	size_t end = from + 1;

	while (end < v->blocks && v->block[end].kind != DEMO_H2)
		end++;
	part.block = v->block + from;
	part.blocks = end - from;
	return part;
}

/* "02-vastine-tapahtumasta.docx" of the part's heading: in ASCII, as offices name files. */
static void name_part(
    char out[80], unsigned int number, const struct demo_version *part, const char *extension)
{
	static const struct {
		const char *from, to;
	} letters[] = {{"ä", 'a'}, {"ö", 'o'}, {"å", 'a'}};
	size_t n = (size_t)snprintf(out, 80, "%02u-", number);

	for (const char *p = part->block[0].text; *p && n < 60; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;

		for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
			if (!strncmp(p, letters[i].from, 2)) {
				c = letters[i].to;
				p++;
				break;
			}
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
		else if (out[n - 1] != '-')
			out[n++] = '-';
	}
	snprintf(out + n - (out[n - 1] == '-'), 80 - n, "%s", extension);
}

void demo_package(const struct demo_version *v, struct buf *out)
{
	struct demo_zip z = {.out = out, .start = out->len};
	unsigned int number = 0;

	for (size_t at = 0; at < v->blocks; number++) {
		struct demo_version part = part_of(v, at);
		struct buf bytes = BUF_INIT;
		char name[80];

		name_part(name, number, &part, number ? ".docx" : ".txt");
		(number ? demo_docx : demo_plain)(&part, &bytes);
		demo_zip_add(&z, name, &bytes);
		buf_free(&bytes);
		at += part.blocks;
	}
	demo_zip_end(&z);
}

/* ---- a mail (RFC 5322, 2045 to 2047) ---- */

static void add_base64(struct buf *out, const char *bytes, size_t len)
{
	char line[MIME_LINE * 2];

	for (size_t at = 0; at < len; at += MIME_LINE) {
		size_t n = len - at < MIME_LINE ? len - at : MIME_LINE;

		sodium_bin2base64(line, sizeof(line), (const unsigned char *)bytes + at, n,
		    sodium_base64_VARIANT_ORIGINAL);
		buf_addf(out, "%s\r\n", line);
	}
}

/* An encoded word holds 45 bytes; a longer subject is cut there, at a letter. */
static void add_subject(struct buf *out, const char *text)
{
	char word[100];
	size_t len = strlen(text);

	if (len > 45)
		for (len = 45; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	sodium_bin2base64(
	    word, sizeof(word), (const unsigned char *)text, len, sodium_base64_VARIANT_ORIGINAL);
	buf_addf(out, "Subject: =?UTF-8?B?%s?=\r\n", word);
}

static void add_part(struct buf *out, const char *type, const char *file, const struct buf *bytes)
{
	buf_addf(out, "--arkki-demo-part\r\nContent-Type: %s\r\n", type);
	if (file)
		buf_addf(out, "Content-Disposition: attachment; filename=\"%s\"\r\n", file);
	buf_adds(out, "Content-Transfer-Encoding: base64\r\n\r\n");
	add_base64(out, bytes->data ? bytes->data : "", bytes->len);
	out->failed |= bytes->failed;
}

void demo_mail(const struct demo_version *v, struct buf *out)
{
	struct demo_version part = part_of(v, 0);
	struct buf bytes = BUF_INIT;
	char name[80];

	buf_adds(out, "From: Toimisto <toimisto@kuusikello.example>\r\n"
		      "To: Kirjaamo <kirjaamo@valvonta.example>\r\n");
	add_subject(out, v->block[0].text);
	buf_adds(out, "MIME-Version: 1.0\r\n"
		      "Content-Type: multipart/mixed; boundary=\"arkki-demo-part\"\r\n\r\n");
	demo_plain(&part, &bytes);
	add_part(out, "text/plain; charset=utf-8", NULL, &bytes);
	for (size_t at = part.blocks, n = 1; at < v->blocks; at += part.blocks, n++) {
		part = part_of(v, at);
		name_part(name, (unsigned int)n, &part, ".docx");
		buf_clear(&bytes);
		demo_docx(&part, &bytes);
		add_part(out, demo_media_type(DEMO_DOCX), name, &bytes);
	}
	buf_adds(out, "--arkki-demo-part--\r\n");
	buf_free(&bytes);
}
