/* What tus 1.0.0 says in headers.
 *
 * Pure functions. Threads: any.
 */
#ifndef ARKKI_API_TUS_H
#define ARKKI_API_TUS_H

#include <stdbool.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

/* A number of Upload-Length or Upload-Offset: decimal digits, no sign, at most 2^53 - 1, which every client can count. */
bool tus_number(const char *text, uint64_t *ret);

struct tus_metadata {
	char *file_name;  /* the part behind the last slash, raw UTF-8; NULL: none */
	char *media_type; /* NULL: none */
	char batch[33];   /* "": none; 32 hex digits: files that are filed together */
};
/* Upload-Metadata (NULL: none): pairs of a key and, behind a space, base64, with commas between. ARK_EINPUT: malformed, a key comes
 * twice, a file name is not UTF-8 or over 1000 bytes, a type over 255, a batch no 32 hex digits. Other keys are passed over. */
ARK_MUSTUSE int tus_metadata_read(
    const char *header, struct tus_metadata *ret, struct ark_error *err);
void tus_metadata_free(struct tus_metadata *m);
/* The same as a header again; either may be NULL. */
void tus_metadata_write(const char *file_name, const char *media_type, struct buf *out);

#endif
