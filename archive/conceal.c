/* Text that only this archive reads again: cursors. What is inside (a place in a log, a sequence) would count
 * things that the holder may not count, and so would its length. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "arkki/base/text.h"

enum { KEY = 32, NONCE = 24, TAG = 16, STEP = 64, PLAIN_MAX = 512 };

static void derive(const struct archive *a, unsigned char key[KEY])
{
	static const char label[] = "arkki-cursor-v1";

	crypto_generichash(key, KEY, (const unsigned char *)label, sizeof(label) - 1,
	    keyring_secrets(a->keys)->token_key, KEY);
}

/* The nonce is a keyed hash of use and text: the same text has the same token, and different ones
 * never share a nonce. */
static void nonce_of(unsigned char nonce[NONCE], const unsigned char key[KEY], const char *use,
    const unsigned char *plain, size_t len)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, key, KEY, NONCE);
	crypto_generichash_update(&st, (const unsigned char *)use, strlen(use) + 1);
	crypto_generichash_update(&st, plain, len);
	crypto_generichash_final(&st, nonce, NONCE);
}

int archive_conceal(const struct archive *a, const char *use, const char *text, struct buf *out,
    struct ark_error *err)
{
	unsigned char key[KEY], plain[PLAIN_MAX] = {0}, token[NONCE + PLAIN_MAX + TAG];
	size_t len = strlen(text), padded = (len / STEP + 1) * STEP;

	if (padded > PLAIN_MAX)
		return ark_fail(err, ARK_EINPUT, "a cursor of %zu bytes", len);
	memcpy(plain, text, len);
	derive(a, key);
	nonce_of(token, key, use, plain, padded);
	crypto_aead_xchacha20poly1305_ietf_encrypt(token + NONCE, NULL, plain, padded,
	    (const unsigned char *)use, strlen(use), NULL, token, key);
	sodium_memzero(key, sizeof(key));
	base64url_encode(out, token, NONCE + padded + TAG);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a cursor") : ARK_OK;
}

int archive_reveal(const struct archive *a, const char *use, const char *token, struct buf *out,
    struct ark_error *err)
{
	unsigned char key[KEY], plain[PLAIN_MAX + 1];
	struct buf raw = {.limit = NONCE + PLAIN_MAX + TAG};
	bool ok = base64url_decode(&raw, token, strlen(token)) && raw.len > NONCE + TAG;
	const unsigned char *bytes = (const unsigned char *)raw.data;

	derive(a, key);
	ok = ok && crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + NONCE,
		       raw.len - NONCE, (const unsigned char *)use, strlen(use), bytes, key) == 0;
	sodium_memzero(key, sizeof(key));
	if (ok) {
		plain[raw.len - NONCE - TAG] = '\0';
		buf_adds(out, (const char *)plain);
	}
	buf_free(&raw);
	if (!ok)
		return ark_fail(err, ARK_EINPUT, "the cursor is not one that this archive gave");
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a cursor") : ARK_OK;
}
