/* Arbitrary bytes as mail, mailbox, Outlook mail, package and text without a label: the first byte chooses.
 *
 * Whatever comes in, what comes out is UTF-8 within its limit, and members stay within their bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"
#include "index/formats/format.h"

enum { TEXT_LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(void *arg, const char *bytes, size_t len)
{
	struct buf *out = arg;

	buf_add(out, bytes, len);
}

static void try_format(const struct format *format, const char *type, const char *bytes, size_t len)
{
	const struct format_input in = {
	    .bytes = bytes, .len = len, .media_type = type, .charset = ""};
	struct textsink *sink = malloc(sizeof(*sink));
	struct buf out = BUF_INIT;
	enum format_outcome outcome;

	if (!sink)
		return;
	textsink_init(sink, TEXT_LIMIT, keep, &out);
	sink->unpacked = FORMAT_UNPACKED_MAX - (64 << 20); /* so that a run stays short */
	outcome = format->read(&in, sink);
	textsink_flush(sink);
	if (outcome == FORMAT_NONE && !sink->reason[0])
		abort();
	if (out.len > TEXT_LIMIT || (out.len && !utf8_valid(out.data, out.len)))
		abort();
	if (sink->members > FORMAT_MEMBERS_MAX || sink->unpacked > FORMAT_UNPACKED_MAX)
		abort();
	buf_free(&out);
	free(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const struct format *format;
		const char *type;
	} ways[] = {{&format_mail, "message/rfc822"}, {&format_mbox, "application/mbox"},
	    {&format_msg, "application/vnd.ms-outlook"}, {&format_package, "application/zip"},
	    {&format_package, "application/gzip"}, {&format_plain, "text/plain"}};
	static bool warm; /* of the fuzzing process */
	char *bytes;

	/* not the tables of iconv, which are held open to the end */
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && !warm; i++) {
		if (ways[i].format->warm)
			ways[i].format->warm();
	}
	kind_warm();
	warm = true;
	if (size < 2)
		return 0;
	bytes = malloc(size - 1); /* exactly as long, so that reading beyond it is seen */
	if (!bytes)
		return 0;
	memcpy(bytes, data + 1, size - 1);
	try_format(ways[data[0] % 6].format, ways[data[0] % 6].type, bytes, size - 1);
	free(bytes);
	return 0;
}
