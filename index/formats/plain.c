/* Plain text and what reads well as such: Markdown, CSV, JSON. */
#include <string.h>

#include "index/formats/format.h"

static bool plain_reads(const char *type)
{
	/* these are text by name only: markup that has, or needs, its own decoder */
	static const char *const not_plain[] = {
	    "text/rtf", "text/richtext", "text/enriched", "text/troff", "text/vnd.graphviz", NULL};
	const char *dot = strrchr(type, '+');

	for (size_t i = 0; not_plain[i]; i++) {
		if (strcmp(type, not_plain[i]) == 0)
			return false;
	}
	return strncmp(type, "text/", 5) == 0 || strcmp(type, "application/json") == 0 ||
	       strcmp(type, "application/csv") == 0 || strcmp(type, "application/x-ndjson") == 0 ||
	       (dot && strcmp(dot, "+json") == 0);
}

static enum format_outcome plain_read(const struct format_input *in, struct textsink *out)
{
	enum format_outcome outcome = FORMAT_OK;
	struct charset_text text;

	if (!charset_to_utf8(in->bytes, in->len, in->charset, &text)) {
		outcome = format_none(out, "the text needs more memory than a decoder may use");
		goto out;
	}
	textsink_add(out, text.text, text.len, true);
	if (!out->visible)
		outcome = format_none(out, "no text in it");
out:
	buf_free(&text.own);
	return outcome;
}

const struct format format_plain = {.name = "plain text", .reads = plain_reads, .read = plain_read};
