/* Fuzzes a line of an import manifest, and with it the JSON reader: bounds, depth, duplicate keys, UTF-8.
 * A line that is taken has a path and an object, and means the same when written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct manifest_line line, again;
	struct ark_error err = {0};
	struct buf text = BUF_INIT;

	if (manifest_parse_line((const char *)bytes, len, &line, &err)) {
		if (err.status == ARK_OK || !err.text[0])
			abort();
		return 0;
	}
	if (!*line.path || !utf8_valid(line.path, strlen(line.path)) ||
	    !json_is_object(line.metadata))
		abort();
	if (json_write(&text, line.whole, &err) ||
	    manifest_parse_line(text.data, text.len, &again, &err))
		abort();
	if (!json_equal(line.whole, again.whole))
		abort();
	manifest_line_free(&again);
	manifest_line_free(&line);
	buf_free(&text);
	return 0;
}
