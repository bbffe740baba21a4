/* Media types that say nothing of what is in a file. They are read all the same, as another decoder may
 * claim the bytes (format_for()), or libmagic know them. */
#include <string.h>

#include "index/formats/program.h"

static bool general_reads(const char *type)
{
	static const char *const types[] = {"application/octet-stream", "application/x-ole-storage",
	    "application/cdfv2", "application/vnd.ms-office", "application/encrypted",
	    "application/cdfv2-encrypted", "application/cdfv2-unknown", NULL};

	for (size_t i = 0; types[i]; i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return false;
}

static enum format_outcome general_read(const struct format_input *in, struct textsink *out)
{
	char type[KIND_SIZE];
	struct format_input known = *in;
	const struct format *format;

	kind_of(NULL, NULL, in->bytes, in->len, type);
	known.media_type = type;
	format = format_find(type);
	if (format && format != &format_general)
		return format->read(&known, out);
	return format_none(out, "not a format arkki reads (%.100s)", in->media_type);
}

const struct format format_general = {
    .name = "unknown", .reads = general_reads, .programs = format_programs, .read = general_read};
