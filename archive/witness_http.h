/* One HTTP request to a witness, bounded in time and size.
 *
 * It knows addresses and bytes; nothing of what they say. Redirects are not followed.
 * Threads: one struct witness_link a thread; it keeps its connection.
 */
#ifndef ARKKI_ARCHIVE_WITNESS_HTTP_H
#define ARKKI_ARCHIVE_WITNESS_HTTP_H

#include <stdatomic.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { WITNESS_ANSWER_MAX = 64 * 1024 };

struct witness_link;
/* url: the submission prefix, http or https. stop (may be NULL): a request under way ends soon when it is set. */
ARK_MUSTUSE int witness_link_new(
    const char *url, atomic_bool *stop, struct witness_link **ret, struct ark_error *err);
void witness_link_free(struct witness_link *k);
/* POST <url>/add-checkpoint. ARK_EIO: no answer, and the text says why. `answer` is replaced. */
ARK_MUSTUSE int witness_link_post(struct witness_link *k, const struct buf *body, long timeout_ms,
    long *ret_status, struct buf *answer, struct ark_error *err);

#endif
