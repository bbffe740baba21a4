/* multipart/form-data (RFC 7578, RFC 2046) as it streams past.
 *
 * Bytes in, parts out; nothing of a part's data is kept but what might be
 * the beginning of a boundary. Strict: what is not a well-formed body is
 * ARK_EINPUT, and the parser stays failed.
 * Threads: none of its own.
 */
#ifndef ARKKI_API_MULTIPART_H
#define ARKKI_API_MULTIPART_H

#include <stddef.h>

#include "arkki/base/error.h"

#define MULTIPART_PARTS_MAX 16
#define MULTIPART_HEADER_MAX 8192 /* bytes of one part's headers */

/* Each returns ARK_OK, or a negative status (its text in err) that multipart_feed() passes on
 * after stopping. Texts are valid during the call only. */
struct multipart_sink {
	/* filename and content_type are NULL when not given; both names are well-formed UTF-8 without
	 * control characters. A filename is as sent: it may hold any path. */
	int (*part_begin)(void *arg, const char *name, const char *filename,
	    const char *content_type, struct ark_error *err);
	int (*part_data)(void *arg, const char *bytes, size_t len, struct ark_error *err);
	int (*part_end)(void *arg, struct ark_error *err);
	void *arg;
};

struct multipart;

/* `content_type` is the request's header (NULL: ARK_EINPUT); it must be multipart/form-data
 * with a boundary of 1–70 characters. `sink` is copied. On success *ret is the caller's,
 * ended with multipart_free(). */
ARK_MUSTUSE int multipart_new(const char *content_type, const struct multipart_sink *sink,
    struct multipart **ret, struct ark_error *err);
void multipart_free(struct multipart *m);
ARK_MUSTUSE int multipart_feed(
    struct multipart *m, const char *bytes, size_t len, struct ark_error *err);
/* The body is complete: ARK_EINPUT when the last boundary has not come. */
ARK_MUSTUSE int multipart_finish(struct multipart *m, struct ark_error *err);

#endif
