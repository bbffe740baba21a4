#include "archive/ledger_frame.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

enum { AAD_LABEL = 15, AAD_FIELDS = 8 + 8 + 1 + 33, AAD_SIZE = AAD_LABEL + 32 + AAD_FIELDS };

struct frame_cipher {
	EVP_CIPHER_CTX *seal, *open;
	unsigned char aad[AAD_SIZE]; /* label and origin stay, the fields change */
};

int frame_cipher_new(const struct seal_key *key, const unsigned char *origin_hash,
    struct frame_cipher **ret, struct ark_error *err)
{
	struct frame_cipher *c = calloc(1, sizeof(*c));

	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory for a cipher");
	c->seal = EVP_CIPHER_CTX_new();
	c->open = EVP_CIPHER_CTX_new();
	if (!c->seal || !c->open ||
	    !EVP_EncryptInit_ex(c->seal, EVP_aes_256_gcm(), NULL, key->bytes, NULL) ||
	    !EVP_DecryptInit_ex(c->open, EVP_aes_256_gcm(), NULL, key->bytes, NULL)) {
		frame_cipher_free(c);
		return ark_fail(err, ARK_ENOMEM, "libcrypto gives no AES-256-GCM");
	}
	memcpy(c->aad, "arkki-frame-v1\n", AAD_LABEL);
	memcpy(c->aad + AAD_LABEL, origin_hash, 32);
	*ret = c;
	return ARK_OK;
}

void frame_cipher_free(struct frame_cipher *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->seal);
	EVP_CIPHER_CTX_free(c->open);
	free(c);
}

size_t frame_seal(struct frame_cipher *c, unsigned char *out, const struct frame *head,
    const unsigned char entry[33], const unsigned char nonce[FRAME_NONCE], size_t plain_len)
{
	unsigned char *plain = out + FRAME_HEADER;
	int n;

	be32_put(out, (uint32_t)(FRAME_HEADER - 4 + plain_len + FRAME_TAG));
	be64_put(out + 4, head->index);
	be64_put(out + 12, head->group);
	out[20] = (unsigned char)head->flags;
	memcpy(out + 21, entry, 33);
	memcpy(out + 54, nonce, FRAME_NONCE);
	memcpy(c->aad + AAD_LABEL + 32, out + 4, AAD_FIELDS);
	if (!EVP_EncryptInit_ex(c->seal, NULL, NULL, NULL, nonce) ||
	    !EVP_EncryptUpdate(c->seal, NULL, &n, c->aad, AAD_SIZE) ||
	    !EVP_EncryptUpdate(c->seal, plain, &n, plain, (int)plain_len) ||
	    !EVP_EncryptFinal_ex(c->seal, plain + plain_len, &n) ||
	    !EVP_CIPHER_CTX_ctrl(c->seal, EVP_CTRL_AEAD_GET_TAG, FRAME_TAG, plain + plain_len))
		return 0;
	return FRAME_HEADER + plain_len + FRAME_TAG;
}

int frame_parse(const unsigned char *p, size_t left, struct frame *ret)
{
	uint32_t len;

	if (left == 0)
		return 0;
	if (left < 4)
		return p[0] || p[left - 1] || (left == 3 && p[1]) ? ARK_ECORRUPT : 0;
	len = be32_get(p);
	if (len == 0)
		return 0;
	if (len < FRAME_HEADER - 4 + FRAME_TAG || len > FRAME_MAX - 4 || len > left - 4)
		return ARK_ECORRUPT;
	*ret = (struct frame){.index = be64_get(p + 4),
	    .group = be64_get(p + 12),
	    .flags = p[20],
	    .bytes = p,
	    .len = 4 + (size_t)len};
	if (ret->group > ret->index || ret->flags > (FRAME_FIRST | FRAME_LAST) || p[21] != 1)
		return ARK_ECORRUPT;
	return 1;
}

int frame_open(
    struct frame_cipher *c, const struct frame *f, struct buf *plain, struct ark_error *err)
{
	size_t len = f->len - FRAME_HEADER - FRAME_TAG;
	unsigned char tag[FRAME_TAG];
	int n;

	buf_clear(plain);
	if (!buf_reserve(plain, len))
		return ark_fail(err, ARK_ENOMEM, "no memory for a record");
	memcpy(tag, f->bytes + f->len - FRAME_TAG, FRAME_TAG);
	memcpy(c->aad + AAD_LABEL + 32, f->bytes + 4, AAD_FIELDS);
	if (!EVP_DecryptInit_ex(c->open, NULL, NULL, NULL, f->bytes + 54) ||
	    !EVP_DecryptUpdate(c->open, NULL, &n, c->aad, AAD_SIZE) ||
	    !EVP_DecryptUpdate(
		c->open, (unsigned char *)plain->data, &n, f->bytes + FRAME_HEADER, (int)len) ||
	    !EVP_CIPHER_CTX_ctrl(c->open, EVP_CTRL_AEAD_SET_TAG, FRAME_TAG, tag) ||
	    EVP_DecryptFinal_ex(c->open, (unsigned char *)plain->data + len, &n) <= 0)
		return ark_fail(err, ARK_ECORRUPT, "the frame of entry %llu does not open",
		    (unsigned long long)f->index);
	plain->len = len;
	plain->data[len] = '\0';
	return ARK_OK;
}
