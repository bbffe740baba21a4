/* Upload-Metadata and the numbers of tus, as a client sends them. */
#include <stdlib.h>
#include <string.h>

#include "api/tus.h"
#include "arkki/archive/uploads.h"
#include "arkki/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tus_metadata m = {0}, again = {0};
	char *text = malloc(size + 1);
	struct buf out = BUF_INIT;
	uint64_t number;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (tus_number(text, &number) && number >> 53)
		abort();
	if (tus_metadata_read(text, &m, NULL) == ARK_OK) {
		if (m.file_name && (strchr(m.file_name, '/') || !*m.file_name ||
				       strlen(m.file_name) > PENDING_NAME_MAX ||
				       !utf8_valid(m.file_name, strlen(m.file_name))))
			abort();
		if (m.batch[0] && !docid_valid(m.batch))
			abort();
		/* what was read is written so that it reads the same */
		tus_metadata_write(m.file_name, m.media_type, &out);
		if (tus_metadata_read(out.data, &again, NULL) != ARK_OK ||
		    !same(m.file_name, again.file_name) || !same(m.media_type, again.media_type))
			abort();
		tus_metadata_free(&again);
		tus_metadata_free(&m);
	}
	buf_free(&out);
	free(text);
	return 0;
}
