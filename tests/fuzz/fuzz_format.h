/* What the fuzzers of decoders share: arbitrary bytes through one decoder, and what must hold of whatever comes out.
 *
 * It is UTF-8 within its limit, no text comes with a reason, and members stay within their bounds.
 */
#ifndef ARKKI_TESTS_FUZZ_FORMAT_H
#define ARKKI_TESTS_FUZZ_FORMAT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"
#include "index/formats/format.h"

enum { FUZZ_TEXT_LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_keep(void *arg, const char *bytes, size_t len)
{
	struct buf *out = arg;

	buf_add(out, bytes, len);
}

/* room: bytes of members that may be unpacked, so that a run stays short. */
static inline void fuzz_format(
    const struct format *format, const char *type, const char *bytes, size_t len, uint64_t room)
{
	const struct format_input in = {
	    .bytes = bytes, .len = len, .media_type = type, .charset = ""};
	struct textsink *sink = malloc(sizeof(*sink));
	struct buf out = BUF_INIT;
	enum format_outcome outcome;

	if (!sink)
		return;
	textsink_init(sink, FUZZ_TEXT_LIMIT, fuzz_keep, &out);
	sink->unpacked = FORMAT_UNPACKED_MAX - room;
	outcome = format->read(&in, sink);
	textsink_flush(sink);
	if (outcome == FORMAT_NONE && !sink->reason[0])
		abort();
	if (out.len > FUZZ_TEXT_LIMIT || (out.len && !utf8_valid(out.data, out.len)))
		abort();
	if (sink->title[0] && !utf8_valid(sink->title, strlen(sink->title)))
		abort();
	if (sink->members > FORMAT_MEMBERS_MAX || sink->unpacked > FORMAT_UNPACKED_MAX)
		abort();
	buf_free(&out);
	free(sink);
}

/* The input behind its first byte, exactly as long, so that reading beyond it is seen; free() it. NULL: too short, or no
 * memory. */
static inline char *fuzz_bytes(const uint8_t *data, size_t size)
{
	char *bytes = size < 2 ? NULL : malloc(size - 1);

	if (bytes)
		memcpy(bytes, data + 1, size - 1);
	return bytes;
}

#endif
