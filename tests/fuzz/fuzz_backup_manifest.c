/* Manifests of backups from a place that others can write. What is taken leads nowhere out of an archive, has no more
 * bytes than it says, and is the same when it is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "archive/backup_private.h"
#include "arkki/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stays_within(const char *path)
{
	if (!*path || path[0] == '/' || strstr(path, "..") || strstr(path, "//") ||
	    strchr(path, '\\') || strchr(path, '\n'))
		abort();
}

static void is_the_same_again(const struct manifest *m)
{
	struct buf text = BUF_INIT;
	struct manifest again = {0};

	if (manifest_write(m, &text, NULL) || manifest_read(text.data, text.len, &again, NULL) ||
	    !json_equal(m->head, again.head) || !json_equal(m->files, again.files))
		abort();
	manifest_free(&again);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest m = {0};
	struct backup_summary sum;
	char *text = malloc(size ? size : 1);
	const char *path;
	json_t *file;

	if (!text)
		abort();
	memcpy(text, data, size);
	if (manifest_read(text, size, &m, NULL) == ARK_OK) {
		json_object_foreach(m.files, path, file)
		{
			stays_within(path);
			if (pieces_length(file) >
			    (uint64_t)json_integer_value(json_object_get(file, "size")))
				abort();
		}
		is_the_same_again(&m);
		if (json_text(m.head, "point"))
			manifest_summary(&m, &sum);
	}
	manifest_free(&m);
	free(text);
	return 0;
}
