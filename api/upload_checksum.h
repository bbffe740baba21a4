/* The checksum extension of tus 1.0.0: what Upload-Checksum says of the bytes of one request, and whether they are so.
 *
 * SHA-1 is the one that every server of the extension has (it finds what a line broke, nothing more); SHA-256 beside it.
 * Threads: one checksum, one exchange.
 */
#ifndef ARKKI_API_UPLOAD_CHECKSUM_H
#define ARKKI_API_UPLOAD_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/error.h"

#define UPLOAD_CHECKSUMS "sha1,sha256"

struct upload_checksum;

/* "sha1 <base64>" or "sha256 <base64>". ARK_EINPUT: malformed, or of another algorithm. */
ARK_MUSTUSE int upload_checksum_new(
    const char *header, struct upload_checksum **ret, struct ark_error *err);
void upload_checksum_update(struct upload_checksum *c, const void *bytes, size_t len);
/* Ends it: are the bytes those that were announced? */
bool upload_checksum_matches(struct upload_checksum *c);
/* NULL is allowed. */
void upload_checksum_free(struct upload_checksum *c);

#endif
