/* Arbitrary bytes as mail, mailbox, Outlook mail, package and text without a label: the first byte chooses.
 */
#include "tests/fuzz/fuzz_format.h"

enum { ROOM = 64 << 20 };

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
	bytes = fuzz_bytes(data, size);
	if (!bytes)
		return 0;
	fuzz_format(ways[data[0] % 6].format, ways[data[0] % 6].type, bytes, size - 1, ROOM);
	free(bytes);
	return 0;
}
