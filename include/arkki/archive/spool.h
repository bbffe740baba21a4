/* An upload takes content as it arrives: typed by its first bytes, hashed,
 * and sealed before anything touches the disk.
 *
 * Up to 1 MiB sealed bytes stay in memory, more go to a file in DIR/spool
 * that holds sealed bytes only and has no name (O_TMPFILE), so a crash leaves nothing. Memory is constant.
 * Threads: an upload belongs to one thread at a time.
 */
#ifndef ARKKI_ARCHIVE_SPOOL_H
#define ARKKI_ARCHIVE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/seal.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { SPOOL_MEMORY_MAX = 1048576, SPOOL_CHUNK_SIZE = 1048576 };

struct upload {
	struct seal_key key;
	struct sealer *sealer;
	struct sha256 *plain_hash, *sealed_hash;
	uint64_t size, sealed_size;
	unsigned char sha256[32];        /* of the plain bytes, after upload_finish */
	unsigned char sealed_sha256[32]; /* of the sealed bytes, after upload_finish */
	struct buf memory;               /* sealed bytes while small */
	int fd;                          /* -1, or the spool file */
	struct buf head;                 /* first plain bytes, for typing; wiped after */
	char media_type[128];            /* after upload_finish */
	const char *spool_dir;
};

/* The content will be `document` version `version`: both are bound into the seal. */
ARK_MUSTUSE int upload_new(struct archive *a, const char *document, uint32_t version,
    struct upload **ret, struct ark_error *err);
/* The same for content that will lie at `path` in the store, sealed under a key that there is. */
ARK_MUSTUSE int upload_new_at(struct archive *a, const struct seal_key *key, const char *path,
    struct upload **ret, struct ark_error *err);
ARK_MUSTUSE int upload_write(
    struct upload *u, const void *bytes, size_t len, struct ark_error *err);
/* declared: the media type the sender gave, or NULL. ARK_EINPUT when the content is empty or libmagic
 * contradicts a declared type that is more specific than application/octet-stream. */
ARK_MUSTUSE int upload_finish(struct upload *u, const char *declared, struct ark_error *err);
void upload_free(struct upload *u);

#endif
