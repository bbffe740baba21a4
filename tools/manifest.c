#include "tools/manifest.h"

#include "arkki/base/json.h"

int manifest_parse_line(
    const char *text, size_t len, struct manifest_line *ret, struct ark_error *err)
{
	struct manifest_line line = {0};
	int rc = json_read(text, len, &line.whole, err);

	if (rc)
		return rc;
	line.path = json_text(line.whole, "file");
	line.metadata = json_object_get(line.whole, "metadata");
	if (!line.path || !*line.path || !json_is_object(line.metadata) ||
	    json_object_size(line.whole) != 2) {
		json_decref(line.whole);
		return ark_fail(
		    err, ARK_EINPUT, "a line must be {\"file\":\"path\",\"metadata\":{…}}");
	}
	*ret = line;
	return ARK_OK;
}

void manifest_line_free(struct manifest_line *line)
{
	json_decref(line->whole);
	*line = (struct manifest_line){0};
}
