/* A frame is one sealed record in a segment.
 *
 *   u32 length of what follows || u64 index || u64 group || u8 flags || entry[33] ||
 *   nonce[12] || AES-256-GCM ciphertext || tag[16]          (integers big-endian)
 *
 * group: index of the first frame of the same write. Writes are synced one
 * after the other, so a frame of a later group proves that this one had
 * been durable: that is how damage is told from a torn tail.
 * AAD: "arkki-frame-v1\n" || SHA-256(origin) || index || group || flags || entry.
 * The nonce is random: a torn tail that was cut is written again under the
 * same key and index, and must not meet the same nonce.
 *
 * It knows bytes and a key; not files. Threads: a frame_cipher is one thread's.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_FRAME_H
#define ARKKI_ARCHIVE_LEDGER_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/seal.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum {
	FRAME_FIRST = 1, /* flags: the first, the last of one append */
	FRAME_LAST = 2,
	FRAME_NONCE = 12,
	FRAME_TAG = 16,
	FRAME_HEADER = 4 + 8 + 8 + 1 + 33 + FRAME_NONCE,
	FRAME_MAX = 256 * 1024, /* with header and tag */
};

struct frame {
	uint64_t index;
	uint64_t group;
	unsigned int flags;
	const unsigned char *bytes; /* the whole frame, from its length on */
	size_t len;
};
static inline const unsigned char *frame_entry(const struct frame *f)
{
	return f->bytes + 21;
}

struct frame_cipher;
/* origin_hash: 32 bytes. */
ARK_MUSTUSE int frame_cipher_new(const struct seal_key *key, const unsigned char *origin_hash,
    struct frame_cipher **ret, struct ark_error *err);
void frame_cipher_free(struct frame_cipher *c);

/* `out` holds plain_len bytes at out + FRAME_HEADER, sealed in place; room for
 * FRAME_HEADER + plain_len + FRAME_TAG. Returns 0 when libcrypto fails. */
size_t frame_seal(struct frame_cipher *c, unsigned char *out, const struct frame *head,
    const unsigned char entry[33], const unsigned char nonce[FRAME_NONCE], size_t plain_len);

/* 1: a frame stands there, by its form; 0: the end (a zero length, or no bytes); ARK_ECORRUPT: neither. */
int frame_parse(const unsigned char *p, size_t left, struct frame *ret);
/* Replaces what plain holds. ARK_ECORRUPT: not sealed by this key as it stands. */
ARK_MUSTUSE int frame_open(
    struct frame_cipher *c, const struct frame *f, struct buf *plain, struct ark_error *err);

#endif
