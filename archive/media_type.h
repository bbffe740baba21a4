/* Media types by libmagic, and whether a declared one can be true.
 *
 * libmagic handles are not thread-safe and slow to load (5-10 ms): one is
 * kept behind a lock. Threads: any.
 */
#ifndef ARKKI_ARCHIVE_MEDIA_TYPE_H
#define ARKKI_ARCHIVE_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/error.h"

enum { MEDIA_TYPE_SIZE = 128, MEDIA_HEAD_MAX = 16384 };

/* The type of content that begins with these bytes, e.g. "application/pdf". */
ARK_MUSTUSE int media_type_of(
    const void *head, size_t len, char out[MEDIA_TYPE_SIZE], struct ark_error *err);

/* libmagic takes 2.5 ms for 16 KiB of text, more than all the rest of a filing. It is not asked where it
 * could only say what is plain: bytes that begin as a PDF, and clean UTF-8 text, declared text/plain, without the beginning of
 * any other format. False: ask. */
bool media_type_plain(
    const char *declared, const void *head, size_t len, char out[MEDIA_TYPE_SIZE]);

/* What to keep: declared (may be NULL) where it is more specific than what the bytes show, what the
 * bytes show otherwise. ARK_EINPUT when they contradict. */
ARK_MUSTUSE int media_type_settle(
    const char *declared, const char *found, char out[MEDIA_TYPE_SIZE], struct ark_error *err);

#endif
