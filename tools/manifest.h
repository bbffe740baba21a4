/* A line of an import manifest: {"file":"path","metadata":{…}}.
 *
 * It knows the line's form only: whether the file is there and what metadata
 * may say is found out when the line is filed. Threads: any.
 */
#ifndef ARKKI_TOOLS_MANIFEST_H
#define ARKKI_TOOLS_MANIFEST_H

#include <jansson.h>
#include <stddef.h>

#include "arkki/base/error.h"

struct manifest_line {
	json_t *whole;          /* owns what the others point to */
	const char *path;       /* not empty; absolute, or relative to the manifest */
	const json_t *metadata; /* an object */
};

/* Reads a line without its newline. On success *ret is ended with
 * manifest_line_free(). ARK_EINPUT says what is wrong; *ret is not touched. */
ARK_MUSTUSE int manifest_parse_line(
    const char *text, size_t len, struct manifest_line *ret, struct ark_error *err);
void manifest_line_free(struct manifest_line *line);

#endif
