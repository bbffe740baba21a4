/* Passwords: Argon2id by libsodium, whose text form holds its own parameters, in a sealed row.
 *
 * 64 MiB and three passes: RFC 9106's second recommended option. Measured 0.1 s on the project's kind of machine; the memory is
 * what bounds how many may be looked at at once, so that callers count on a pool of few threads.
 *
 * A password is compared in NFC. GLib's normaliser works in memory that it does not wipe: a password of ASCII alone, which NFC
 * leaves as it is, never goes there.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

static const unsigned long long passes = 3;
static const size_t memory = (size_t)64 << 20;

/* ---- normal form ---- */

static bool ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* A copy for wipe(); NULL without memory. The text is well-formed. */
static char *normal(const char *password)
{
	return ascii(password) ? g_strdup(password)
			       : g_utf8_normalize(password, -1, G_NORMALIZE_NFC);
}

static void wipe(char *password)
{
	if (password)
		sodium_memzero(password, strlen(password));
	g_free(password);
}

static bool well_formed(const char *password)
{
	size_t len = strnlen(password, PASSWORD_MAX + 1);

	return len <= PASSWORD_MAX && utf8_valid(password, len);
}

/* ---- the rules for a new one ---- */

static bool same_but_case(const char *a, const char *b)
{
	char *x, *y;
	bool same;

	if (!a || !b || !utf8_valid(b, strlen(b)))
		return false;
	x = g_utf8_casefold(a, -1);
	y = g_utf8_casefold(b, -1);
	same = x && y && strcmp(x, y) == 0;
	wipe(x);
	wipe(y);
	return same;
}

static int check_blocklist(const char *password, const char *blocklist, struct ark_error *err)
{
	int rc = blocklist ? blocklist_find(blocklist, password, err) : ARK_ENOTFOUND;

	if (rc == ARK_ENOTFOUND)
		return ARK_OK;
	return rc ? rc
		  : ark_fail(err, ARK_EINPUT,
			"this password is in a list of passwords that have been stolen; choose "
			"another");
}

int password_check_new(const char *password, const char *user, const char *name,
    const char *blocklist, struct ark_error *err)
{
	char *nfc;
	int rc;

	if (strnlen(password, PASSWORD_MAX + 1) > PASSWORD_MAX)
		return ark_fail(err, ARK_EINPUT, "a password has at most %d bytes", PASSWORD_MAX);
	if (!well_formed(password))
		return ark_fail(err, ARK_EINPUT, "the password is not UTF-8 text");
	nfc = normal(password);
	if (!nfc)
		return ark_fail(err, ARK_ENOMEM, "no memory for a password");
	if (utf8_length(nfc, strlen(nfc)) < PASSWORD_MIN)
		rc = ark_fail(
		    err, ARK_EINPUT, "a password has at least %d characters", PASSWORD_MIN);
	else if (strlen(nfc) > PASSWORD_MAX)
		rc = ark_fail(err, ARK_EINPUT, "a password has at most %d bytes", PASSWORD_MAX);
	else if (same_but_case(nfc, user) || same_but_case(nfc, name))
		rc = ark_fail(
		    err, ARK_EINPUT, "the password is the user's own name; choose another");
	else
		rc = check_blocklist(nfc, blocklist, err);
	wipe(nfc);
	return rc;
}

/* ---- hashing ---- */

int password_decoy(char ret[crypto_pwhash_STRBYTES], struct ark_error *err)
{
	unsigned char salt[16], hash[32];
	char salt_text[32], hash_text[64];
	const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(hash, sizeof(hash));
	sodium_bin2base64(salt_text, sizeof(salt_text), salt, sizeof(salt), variant);
	sodium_bin2base64(hash_text, sizeof(hash_text), hash, sizeof(hash), variant);
	memset(ret, 0, crypto_pwhash_STRBYTES);
	snprintf(ret, crypto_pwhash_STRBYTES, "$argon2id$v=19$m=%zu,t=%llu,p=1$%s$%s",
	    memory / 1024, passes, salt_text, hash_text);
	/* libsodium reads it as one of its own, or verifying would not take its time */
	return crypto_pwhash_str_needs_rehash(ret, passes, memory) == 0
		   ? ARK_OK
		   : ark_fail(err, ARK_EIO, "libsodium does not know the form of its own hashes");
}

static int hash_password(const char *nfc, char ret[crypto_pwhash_STRBYTES], struct ark_error *err)
{
	memset(ret, 0, crypto_pwhash_STRBYTES);
	return crypto_pwhash_str_alg(
		   ret, nfc, strlen(nfc), passes, memory, crypto_pwhash_ALG_ARGON2ID13)
		   ? ark_fail(err, ARK_ENOMEM, "no memory to hash a password")
		   : ARK_OK;
}

/* Where before is not NULL only in place of that very hash: a password that was set meanwhile stays. */
static int store_hash(
    struct state *s, const char *user, const char *hash, const char *before, struct ark_error *err)
{
	char stored[crypto_pwhash_STRBYTES + 1];
	int64_t set_us = clock_now_us();
	struct fields f;
	struct row r;
	int rc = state_enter(s, true, err);

	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_PASSWORD, user);
	row_name(s, &r, user, NULL);
	if (before) {
		rc = row_read(s, &r, err);
		f = row_fields(&r, NULL);
		set_us = fields_number(&f);
		fields_text(&f, stored, crypto_pwhash_STRBYTES);
		if (rc || f.bad || strcmp(stored, before) != 0)
			goto out;
		r.body.len = USER_SIZE;
	}
	field_number(&r.body, set_us);
	field_text(&r.body, hash, crypto_pwhash_STRBYTES);
	rc = row_write(s, &r, err);
out:
	row_free(&r);
	sodium_memzero(stored, sizeof(stored));
	return state_leave(s, true, rc, err);
}

int password_set(struct state *s, const char *user, const char *password, struct ark_error *err)
{
	char hash[crypto_pwhash_STRBYTES];
	char *nfc;
	int rc;

	if (!id_valid(user) || !well_formed(password) || !*password)
		return ark_fail(err, ARK_EINPUT, "a password needs a user, and to be UTF-8 text");
	nfc = normal(password);
	if (!nfc)
		return ark_fail(err, ARK_ENOMEM, "no memory for a password");
	rc = hash_password(nfc, hash, err);
	if (!rc)
		rc = store_hash(s, user, hash, NULL, err);
	sodium_memzero(hash, sizeof(hash));
	wipe(nfc);
	return rc;
}

/* ---- verifying ---- */

/* The stored hash, or the decoy. */
static int read_hash(struct state *s, const char *user, char ret[crypto_pwhash_STRBYTES + 1],
    bool *ret_there, struct ark_error *err)
{
	struct fields f;
	struct row r;
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_PASSWORD, user);
	row_name(s, &r, user, NULL);
	rc = row_read(s, &r, err);
	*ret_there = !rc;
	memset(ret, 0, crypto_pwhash_STRBYTES + 1);
	memcpy(ret, s->decoy_password, crypto_pwhash_STRBYTES);
	if (!rc) {
		f = row_fields(&r, NULL);
		(void)fields_number(&f);
		fields_text(&f, ret, crypto_pwhash_STRBYTES);
		if (f.bad)
			rc = ark_fail(err, ARK_ECORRUPT, "the state holds a malformed password");
	}
	row_free(&r);
	return state_leave(s, false, rc == ARK_ENOTFOUND ? ARK_OK : rc, err);
}

/* The parameters have grown since it was set. That a better hash cannot be stored now is no reason to refuse
 * who has shown the password. */
static void hash_again(struct state *s, const char *user, const char *nfc, const char *before)
{
	char hash[crypto_pwhash_STRBYTES];

	if (!hash_password(nfc, hash, NULL) && store_hash(s, user, hash, before, NULL))
		sodium_memzero(hash, sizeof(hash));
	sodium_memzero(hash, sizeof(hash));
}

int password_verify(struct state *s, const char *user, const char *password, struct ark_error *err)
{
	char hash[crypto_pwhash_STRBYTES + 1];
	bool there, right;
	char *nfc;
	int rc;

	/* of the password alone: says nothing of the user */
	if (!well_formed(password))
		return ark_fail(err, ARK_EREFUSED, "wrong user or password");
	nfc = normal(password);
	if (!nfc)
		return ark_fail(err, ARK_ENOMEM, "no memory for a password");
	rc = read_hash(s, user, hash, &there, err);
	if (rc)
		goto out;
	right = crypto_pwhash_str_verify(hash, nfc, strlen(nfc)) == 0;
	if (!there || !right)
		rc = ark_fail(err, ARK_EREFUSED, "wrong user or password");
	else if (crypto_pwhash_str_needs_rehash(hash, passes, memory))
		hash_again(s, user, nfc, hash);
out:
	sodium_memzero(hash, sizeof(hash));
	wipe(nfc);
	return rc;
}
