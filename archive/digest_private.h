/* HMAC-SHA-512 and HKDF (RFC 5869), for seal.c and its tests. */
#ifndef ARKKI_ARCHIVE_DIGEST_PRIVATE_H
#define ARKKI_ARCHIVE_DIGEST_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

struct digest_part {
	const void *bytes;
	size_t len;
};

/* HMAC-SHA-512 of the parts one after the other. */
void hmac_sha512(const void *key, size_t key_len, const struct digest_part *parts, size_t n,
    unsigned char out[64]);

/* HKDF-Expand with SHA-512; `info` is the parts one after the other. False
 * when out_len is over 255 * 64; nothing else can fail. */
bool hkdf_expand_sha512(const void *prk, size_t prk_len, const struct digest_part *info, size_t n,
    void *out, size_t out_len);

#endif
