/* Sealing: C2SP chunked-encryption@v1, instance Cobblestone-256
 * (https://c2sp.org/chunked-encryption): AES-256-GCM, HKDF-Expand-SHA-512,
 * 16 KiB chunks, key commitment, random access.
 *
 *   sealed = salt[24] || commitment[32] || chunk_0 || … || chunk_n
 *   chunk_k = AES-256-GCM(key, base_nonce XOR k, plain[k*16384 ..]) || tag[16]
 *   the last chunk is shorter than 16 KiB and may be empty
 *
 * It knows keys and bytes; not where keys come from, nor what the bytes are.
 * `context` names what is sealed (kind, id, part): bytes moved elsewhere do
 * not open. Threads: each sealer and opener belongs to one thread at a time.
 */
#ifndef ARKKI_ARCHIVE_SEAL_H
#define ARKKI_ARCHIVE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum {
	SEAL_KEY_SIZE = 32,
	SEAL_HEADER_SIZE = 56,
	SEAL_CHUNK_SIZE = 16384,
	SEAL_TAG_SIZE = 16,
	SEAL_BLOCK_SIZE = 16400, /* a full chunk, sealed */
};

struct seal_key {
	unsigned char bytes[SEAL_KEY_SIZE];
};

/* A fresh random key. */
void seal_key_generate(struct seal_key *ret);
void seal_key_wipe(struct seal_key *key);

uint64_t seal_sealed_size(uint64_t plain_size);
/* ARK_ECORRUPT for a size that no sealed message has. */
ARK_MUSTUSE int seal_plain_size(uint64_t sealed_size, uint64_t *ret, struct ark_error *err);

/* ---- sealing as the bytes come ---- */
struct sealer;
typedef int (*seal_sink)(void *arg, const void *bytes, size_t len, struct ark_error *err);

ARK_MUSTUSE int sealer_new(const struct seal_key *key, const void *context, size_t context_len,
    seal_sink sink, void *sink_arg, struct sealer **ret, struct ark_error *err);
ARK_MUSTUSE int sealer_write(
    struct sealer *s, const void *bytes, size_t len, struct ark_error *err);
/* Seals the last chunk. No write may follow. */
ARK_MUSTUSE int sealer_finish(struct sealer *s, struct ark_error *err);
void sealer_free(struct sealer *s);

/* ---- opening, any chunk in any order ---- */
struct opener;
/* ARK_ECORRUPT when the commitment does not match (wrong key, context or header). */
ARK_MUSTUSE int opener_new(const struct seal_key *key, const void *context, size_t context_len,
    const unsigned char header[SEAL_HEADER_SIZE], struct opener **ret, struct ark_error *err);
/* Opens chunk `index`, `len` sealed bytes (SEAL_BLOCK_SIZE, or less for the
 * last), into `out` (room for SEAL_CHUNK_SIZE). A chunk of a full block is
 * never the last, a shorter one always is: callers know the total from the
 * sealed size. ARK_ECORRUPT: nothing in out may be used. */
ARK_MUSTUSE int opener_chunk(struct opener *o, uint64_t index, const void *sealed, size_t len,
    void *out, size_t *ret_len, struct ark_error *err);
void opener_free(struct opener *o);

/* ---- small things at once ---- */
ARK_MUSTUSE int seal_bytes(const struct seal_key *key, const char *context, const void *plain,
    size_t len, struct buf *out, struct ark_error *err);
/* Appends the plain bytes to out. */
ARK_MUSTUSE int seal_open_bytes(const struct seal_key *key, const char *context, const void *sealed,
    size_t len, struct buf *out, struct ark_error *err);

/* SHA-256 by libcrypto, in pieces. */
struct sha256;
struct sha256 *sha256_new(void); /* NULL: no memory */
void sha256_update(struct sha256 *h, const void *bytes, size_t len);
void sha256_final(struct sha256 *h, unsigned char out[32]); /* h can be used again, as new */
void sha256_free(struct sha256 *h);
void sha256_of(const void *bytes, size_t len, unsigned char out[32]);
void hmac_sha256(
    const void *key, size_t key_len, const void *bytes, size_t len, unsigned char out[32]);

#endif
