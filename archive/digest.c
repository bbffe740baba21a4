/* SHA-2, HMAC and HKDF by libcrypto's low-level functions.
 *
 * These are marked deprecated in favour of EVP, and used here on purpose: their
 * state is a plain struct, so that they allocate nothing and cannot fail (the
 * callers' contracts have no error to give), and a key derivation
 * costs its compressions only. The assembly underneath is the same as EVP's.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "archive/digest_private.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/seal.h"

struct sha256 {
	SHA256_CTX ctx;
};

struct sha256 *sha256_new(void)
{
	struct sha256 *h = malloc(sizeof(*h));

	if (h)
		SHA256_Init(&h->ctx);
	return h;
}

void sha256_update(struct sha256 *h, const void *bytes, size_t len)
{
	SHA256_Update(&h->ctx, bytes, len);
}

void sha256_final(struct sha256 *h, unsigned char out[32])
{
	SHA256_Final(out, &h->ctx);
	SHA256_Init(&h->ctx);
}

void sha256_free(struct sha256 *h)
{
	if (h)
		explicit_bzero(h, sizeof(*h));
	free(h);
}

void sha256_of(const void *bytes, size_t len, unsigned char out[32])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, bytes, len);
	SHA256_Final(out, &ctx);
	explicit_bzero(&ctx, sizeof(ctx));
}

void hmac_sha256(
    const void *key, size_t key_len, const void *bytes, size_t len, unsigned char out[32])
{
	unsigned char block[SHA256_CBLOCK] = {0};
	SHA256_CTX ctx;

	if (key_len > sizeof(block))
		sha256_of(key, key_len, block);
	else if (key_len)
		memcpy(block, key, key_len);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, block, sizeof(block));
	SHA256_Update(&ctx, bytes, len);
	SHA256_Final(out, &ctx);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, block, sizeof(block));
	SHA256_Update(&ctx, out, 32);
	SHA256_Final(out, &ctx);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(&ctx, sizeof(ctx));
}

/* A key with its two padded blocks already hashed: each HMAC under it starts
 * from copies, which halves the work of a short one. */
struct hmac512 {
	SHA512_CTX inner, outer;
};

static void hmac512_key(struct hmac512 *h, const void *key, size_t key_len)
{
	unsigned char block[SHA512_CBLOCK] = {0};

	if (key_len > sizeof(block)) {
		SHA512_Init(&h->inner);
		SHA512_Update(&h->inner, key, key_len);
		SHA512_Final(block, &h->inner);
	} else if (key_len) {
		memcpy(block, key, key_len);
	}
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	SHA512_Init(&h->inner);
	SHA512_Update(&h->inner, block, sizeof(block));
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	SHA512_Init(&h->outer);
	SHA512_Update(&h->outer, block, sizeof(block));
	explicit_bzero(block, sizeof(block));
}

static void hmac512_finish(const struct hmac512 *h, SHA512_CTX *inner, unsigned char out[64])
{
	SHA512_CTX outer = h->outer;

	SHA512_Final(out, inner);
	SHA512_Update(&outer, out, 64);
	SHA512_Final(out, &outer);
	explicit_bzero(&outer, sizeof(outer));
}

static void update_parts(SHA512_CTX *ctx, const struct digest_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		SHA512_Update(ctx, parts[i].bytes, parts[i].len);
}

void hmac_sha512(const void *key, size_t key_len, const struct digest_part *parts, size_t n,
    unsigned char out[64])
{
	struct hmac512 h;
	SHA512_CTX ctx;

	hmac512_key(&h, key, key_len);
	ctx = h.inner;
	update_parts(&ctx, parts, n);
	hmac512_finish(&h, &ctx, out);
	explicit_bzero(&h, sizeof(h));
	explicit_bzero(&ctx, sizeof(ctx));
}

bool hkdf_expand_sha512(const void *prk, size_t prk_len, const struct digest_part *info, size_t n,
    void *out, size_t out_len)
{
	unsigned char *o = out, t[64], counter = 0;
	struct hmac512 h;
	SHA512_CTX ctx;

	if (out_len > 255 * sizeof(t))
		return false;
	hmac512_key(&h, prk, prk_len);
	while (out_len) {
		size_t take = out_len < sizeof(t) ? out_len : sizeof(t);

		ctx = h.inner;
		if (counter++)
			SHA512_Update(&ctx, t, sizeof(t));
		update_parts(&ctx, info, n);
		SHA512_Update(&ctx, &counter, 1);
		hmac512_finish(&h, &ctx, t);
		memcpy(o, t, take);
		o += take;
		out_len -= take;
	}
	explicit_bzero(t, sizeof(t));
	explicit_bzero(&h, sizeof(h));
	explicit_bzero(&ctx, sizeof(ctx));
	return true;
}
