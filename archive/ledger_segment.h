/* Segment files: DIR/segments/<8 digits>.seg, written once from front to back.
 *
 * A file is made whole in advance, zeros and all, so that a sync of frames has
 * no metadata to write. Its first 4,096 bytes are the header, written (and
 * synced) when the segment begins; all zero before that:
 *   0   "ARKKISEG"
 *   8   u32 format (1)                12  u32 segment number
 *   16  SHA-256 of the log's origin   48  u64 index of the first entry
 *   56  u64 key slot                  64  u64 time of beginning, µs
 *   72  24 zero bytes                 96  SHA-256 of bytes 0 to 95
 * Frames (ledger_frame.h) follow from 4,096 on; a zero length, or too little
 * room for one, ends them. An append, and a synced write, never crosses a segment's end.
 *
 * It knows files and frames; not records or trees.
 * Threads: a segment_file belongs to one thread; reading functions are pure.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_SEGMENT_H
#define ARKKI_ARCHIVE_LEDGER_SEGMENT_H

#include <stdbool.h>

#include "archive/ledger_frame.h"
#include "arkki/archive/keyring.h"

enum {
	SEGMENT_HEADER = 4096,
	SEGMENT_SMALLEST = 1 << 20, /* the first one; each next is four times larger, up to … */
	SEGMENT_LARGEST = 32 << 20,
};

struct segment {
	uint32_t number;
	uint64_t first; /* index of its first entry */
	uint64_t slot;  /* of its key */
};

struct segment_list {
	struct segment *items;
	size_t len, cap;
};

/* Finds the segments that have begun and checks their headers against each other.
 * ARK_ECORRUPT names the file. */
ARK_MUSTUSE int segment_list_load(const char *dir, const unsigned char *origin_hash,
    struct segment_list *ret, struct ark_error *err);
ARK_MUSTUSE int segment_list_add(
    struct segment_list *list, const struct segment *s, struct ark_error *err);
/* The segment that holds entry `index`, or the last one; NULL: there is none. */
const struct segment *segment_list_find(const struct segment_list *list, uint64_t index);
void segment_list_free(struct segment_list *list);

/* What a file of this number has from its beginning on. */
uint64_t segment_size(uint32_t number);
/* The header at the front of a file's bytes; false when it is not whole, or another's. */
bool segment_header_read(const void *bytes, size_t len, const unsigned char *origin_hash,
    uint32_t number, struct segment *ret);

/* ---- reading ---- */
struct segment_image {
	struct segment segment;
	unsigned char *bytes; /* the whole file */
	size_t len;
	struct frame_cipher *cipher; /* of its key */
};
ARK_MUSTUSE int segment_image_load(const char *dir, const struct segment *s, struct keyring *keys,
    const unsigned char *origin_hash, struct segment_image *ret, struct ark_error *err);
void segment_image_free(struct segment_image *image);

/* Where the last segment really ends: behind the last append that is whole. Opens every frame.
 * A torn tail is passed over (*ret_torn); damage that cannot be one is ARK_ECORRUPT,
 * naming segment and offset. */
ARK_MUSTUSE int segment_recover(const struct segment_image *image, uint64_t *ret_end,
    uint64_t *ret_next, bool *ret_torn, struct ark_error *err);

typedef int (*segment_each)(
    void *arg, const struct segment_image *image, const struct frame *f, struct ark_error *err);
/* Each frame with from <= index < to, not opened. ARK_ECORRUPT when the chain breaks before `to`. */
ARK_MUSTUSE int segment_walk(const struct segment_image *image, uint64_t from, uint64_t to,
    segment_each each, void *arg, struct ark_error *err);

/* One frame at a known place, opened. *frame_bytes keeps what ret borrows. */
ARK_MUSTUSE int segment_frame_at(int fd, uint64_t offset, struct frame_cipher *cipher,
    uint64_t index, struct buf *frame_bytes, struct frame *ret, struct buf *plain,
    struct ark_error *err);
ARK_MUSTUSE int segment_open_file(
    const char *dir, uint32_t number, int flags, int *ret_fd, struct ark_error *err);

/* ---- writing ---- */
struct segment_file {
	struct segment segment;
	int fd;
	uint64_t size; /* of the file */
	uint64_t end;  /* where the next frame goes */
	struct frame_cipher *cipher;
};
/* Makes (or takes over) the file of a segment that has not begun, with a fresh durable key. */
ARK_MUSTUSE int segment_prepare(const char *dir, uint32_t number, struct keyring *keys,
    const unsigned char *origin_hash, struct segment_file **ret, struct ark_error *err);
/* Writes and syncs the header. */
ARK_MUSTUSE int segment_begin(struct segment_file *f, const unsigned char *origin_hash,
    uint64_t first, struct ark_error *err);
/* Takes up writing at `end`: what stands behind is zeroed, and the tail from `from` on is
 * written once more, since after a failed sync the kernel may hold pages that the disk does not; then synced.
 * The cipher moves over from the image. */
ARK_MUSTUSE int segment_resume(const char *dir, struct segment_image *image, uint64_t from,
    uint64_t end, struct segment_file **ret, struct ark_error *err);
void segment_file_free(struct segment_file *f);

#endif
