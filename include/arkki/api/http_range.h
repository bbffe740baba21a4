/* Range, conditional requests and file names: header values in, decisions out.
 *
 * Pure functions over text; they know no exchange and no document.
 */
#ifndef ARKKI_API_HTTP_RANGE_H
#define ARKKI_API_HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "arkki/base/buf.h"

enum range_verdict {
	RANGE_WHOLE,         /* none, malformed, of another unit, or several: serve 200 */
	RANGE_PART,          /* serve 206 with first..last */
	RANGE_UNSATISFIABLE, /* 416 with Content-Range: bytes * /size (without the space) */
};

struct byte_range {
	uint64_t first, last; /* both included */
};

/* A Range header (may be NULL) against `size` bytes, RFC 9110 section 14. Several ranges are
 * answered whole, which 14.2 allows and which no multipart reply can be
 * abused through. *ret is set for RANGE_PART only. */
enum range_verdict range_parse(const char *header, uint64_t size, struct byte_range *ret);

/* Whether Range applies: If-Range is absent, or is exactly our strong `etag` (with quotes).
 * A date never matches: we send no Last-Modified that strong. */
bool range_if_range(const char *if_range, const char *etag);

/* `etag` is ours, quoted: "\"abc\"". NULL means that the thing does not exist. */
enum etag_match {
	ETAG_ABSENT,    /* no such header */
	ETAG_MATCH,     /* one of the list, or "*" and the thing exists */
	ETAG_DIFFERENT, /* none of the list */
	ETAG_MALFORMED, /* 400 */
};
enum etag_match etag_if_match(const char *header, const char *etag);      /* strong comparison */
enum etag_match etag_if_none_match(const char *header, const char *etag); /* weak comparison */

/* Content-Disposition by RFC 6266 and 8187: `kind` ("attachment", "inline"), an ASCII fallback and,
 * when it differs, filename*. `name` is UTF-8 or NULL (kind alone); path separators, quotes,
 * control bytes and what turns the direction of text never reach the header. */
void content_disposition(struct buf *out, const char *kind, const char *name);

#endif
