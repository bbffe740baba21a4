#include "archive/git_sign.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

enum { ARMOUR_LINE = 70 };

static const char ARMOUR_BEGIN[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char ARMOUR_END[] = "-----END SSH SIGNATURE-----\n";
static const char KEY_TYPE[] = "ssh-ed25519";

struct gitsign {
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
};

int gitsign_new(const unsigned char seed[32], struct gitsign **ret, struct ark_error *err)
{
	struct gitsign *s = calloc(1, sizeof(*s));

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for the signing key");
	if (sodium_init() < 0 || crypto_sign_seed_keypair(s->public, s->secret, seed) != 0) {
		gitsign_free(s);
		return ark_fail(err, ARK_EIO, "libsodium could not be started");
	}
	*ret = s;
	return ARK_OK;
}

int gitsign_new_public(
    const unsigned char public_key[32], struct gitsign **ret, struct ark_error *err)
{
	struct gitsign *s = calloc(1, sizeof(*s));

	if (!s || sodium_init() < 0) {
		gitsign_free(s);
		return ark_fail(err, ARK_ENOMEM, "no memory for a signing key");
	}
	memcpy(s->public, public_key, sizeof(s->public));
	*ret = s;
	return ARK_OK;
}

void gitsign_free(struct gitsign *s)
{
	if (!s)
		return;
	sodium_memzero(s, sizeof(*s));
	free(s);
}

static void add_string(struct buf *b, const void *bytes, size_t len)
{
	buf_add_be(b, len, 4);
	buf_add(b, bytes, len);
}

static void add_text(struct buf *b, const char *text)
{
	add_string(b, text, strlen(text));
}

static void add_public(const struct gitsign *s, struct buf *b)
{
	add_text(b, KEY_TYPE);
	add_string(b, s->public, sizeof(s->public));
}

/* What the Ed25519 signature is over. */
static void signed_data(const void *message, size_t len, struct buf *out)
{
	unsigned char digest[crypto_hash_sha512_BYTES];

	crypto_hash_sha512(digest, message, len);
	buf_adds(out, "SSHSIG");
	add_text(out, "git");
	add_text(out, ""); /* reserved */
	add_text(out, "sha512");
	add_string(out, digest, sizeof(digest));
}

static void add_armour(
    const struct gitsign *s, const unsigned char sig[crypto_sign_BYTES], struct buf *out)
{
	struct buf part = BUF_INIT, blob = BUF_INIT, text = BUF_INIT;

	buf_adds(&blob, "SSHSIG");
	buf_add_be(&blob, 1, 4);
	add_public(s, &part);
	add_string(&blob, part.data, part.len);
	add_text(&blob, "git");
	add_text(&blob, "");
	add_text(&blob, "sha512");
	out->failed |= buf_failed(&part);
	buf_clear(&part);
	add_text(&part, KEY_TYPE);
	add_string(&part, sig, crypto_sign_BYTES);
	add_string(&blob, part.data, part.len);
	base64_encode(&text, blob.data, blob.len);
	out->failed |= buf_failed(&part) || buf_failed(&blob) || buf_failed(&text);

	buf_adds(out, ARMOUR_BEGIN);
	for (size_t at = 0; at < text.len; at += ARMOUR_LINE) {
		size_t n = text.len - at < ARMOUR_LINE ? text.len - at : ARMOUR_LINE;

		buf_add(out, text.data + at, n);
		buf_addc(out, '\n');
	}
	buf_adds(out, ARMOUR_END);
	buf_free(&text);
	buf_free(&blob);
	buf_free(&part);
}

int gitsign_sign(const struct gitsign *s, const void *message, size_t len, struct buf *out,
    struct ark_error *err)
{
	unsigned char sig[crypto_sign_BYTES];
	struct buf data = BUF_INIT;
	int rc = ARK_OK;

	signed_data(message, len, &data);
	if (!buf_failed(&data)) {
		crypto_sign_detached(sig, NULL, (unsigned char *)data.data, data.len, s->secret);
		add_armour(s, sig, out);
	}
	if (buf_failed(&data) || buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a signature");
	buf_free(&data);
	return rc;
}

/* The 64 bytes at the end of the armoured blob. */
static bool read_signature(const char *armour, size_t len, unsigned char ret[crypto_sign_BYTES])
{
	struct buf text = BUF_INIT, blob = BUF_INIT;
	size_t head = sizeof(ARMOUR_BEGIN) - 1, tail = sizeof(ARMOUR_END) - 1;
	bool ok = len > head + tail && len < 4096;

	for (size_t i = head; ok && i < len - tail; i++)
		if (armour[i] != '\n')
			buf_addc(&text, armour[i]);
	ok = ok && !buf_failed(&text) &&
	     base64_decode(&blob, text.data ? text.data : "", text.len) &&
	     blob.len >= crypto_sign_BYTES;
	if (ok)
		memcpy(ret, blob.data + blob.len - crypto_sign_BYTES, crypto_sign_BYTES);
	buf_free(&blob);
	buf_free(&text);
	return ok;
}

bool gitsign_verify(
    const struct gitsign *s, const void *message, size_t len, const char *armour, size_t armour_len)
{
	unsigned char sig[crypto_sign_BYTES];
	struct buf data = BUF_INIT, again = BUF_INIT;
	bool ok = read_signature(armour, armour_len, sig);

	/* All but the 64 bytes is the same for every signature of this key: make it anew and compare. */
	if (ok) {
		add_armour(s, sig, &again);
		ok = !buf_failed(&again) && again.len == armour_len &&
		     memcmp(again.data, armour, armour_len) == 0;
	}
	if (ok) {
		signed_data(message, len, &data);
		ok =
		    !buf_failed(&data) && crypto_sign_verify_detached(sig,
					      (unsigned char *)data.data, data.len, s->public) == 0;
	}
	buf_free(&again);
	buf_free(&data);
	return ok;
}

void gitsign_public(const struct gitsign *s, struct buf *out)
{
	struct buf blob = BUF_INIT;

	add_public(s, &blob);
	buf_adds(out, KEY_TYPE);
	buf_addc(out, ' ');
	base64_encode(out, blob.data, blob.len);
	out->failed |= buf_failed(&blob);
	buf_free(&blob);
}
