/* The second factor: codes by time (RFC 6238 over RFC 4226) and recovery codes.
 *
 * The last step that was used stands in the secret's own row and changes in one transaction with the looking, so that of two who
 * send the same code at once one is refused. A recovery code is a row found by (user, code): used, it is deleted.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum {
	TOTP_BYTES = 20,
	STEP_US = 30 * 1000000,
	CODE_DIGITS = 6,
	RECOVERY_BYTES = 10, /* 80 bits: 16 letters */
	RECOVERY_LETTERS = 16,
	NO_CODE = 1000000, /* what no six digits say */
};
#define BEGUN_US (INT64_C(3600) * 1000000) /* for which a secret waits to be confirmed */

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 section 6 */

/* len divisible by 5, so that there is no padding; out takes len / 5 * 8 + 1. */
static void base32_encode(char *out, const unsigned char *bytes, size_t len)
{
	uint64_t group = 0;

	for (size_t i = 0; i < len; i++) {
		group = group << 8 | bytes[i];
		if (i % 5 != 4)
			continue;
		for (int shift = 35; shift >= 0; shift -= 5)
			*out++ = base32[group >> shift & 31];
		group = 0;
	}
	*out = '\0';
}

uint32_t totp_code(const unsigned char *secret, size_t len, uint64_t step)
{
	unsigned char counter[8], mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len = 0;
	uint32_t code;

	be64_put(counter, step);
	if (!HMAC(EVP_sha1(), secret, (int)len, counter, sizeof(counter), mac, &mac_len) ||
	    mac_len != 20)
		return NO_CODE;
	code = (be32_get(mac + (mac[19] & 15)) & 0x7fffffff) % 1000000;
	sodium_memzero(mac, sizeof(mac));
	return code;
}

/* ---- what was typed ---- */

/* Six digits; spaces do not count. NO_CODE: something else. */
static uint32_t parse_digits(const char *code)
{
	uint32_t value = 0;
	int n = 0;

	for (; *code; code++) {
		if (*code == ' ')
			continue;
		if (*code < '0' || *code > '9' || ++n > CODE_DIGITS)
			return NO_CODE;
		value = value * 10 + (uint32_t)(*code - '0');
	}
	return n == CODE_DIGITS ? value : NO_CODE;
}

/* The letters of a recovery code in lower case, without hyphens and spaces. */
static bool parse_recovery(const char *code, char out[RECOVERY_LETTERS + 1])
{
	size_t n = 0;

	for (; *code; code++) {
		char c = *code >= 'A' && *code <= 'Z' ? (char)(*code - 'A' + 'a') : *code;

		if (c == '-' || c == ' ')
			continue;
		if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')) || n == RECOVERY_LETTERS)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n == RECOVERY_LETTERS;
}

/* ---- the secret's row: user, secret[20], last used step ---- */

struct totp {
	unsigned char secret[TOTP_BYTES];
	int64_t last; /* step; -1: none was used */
};

static int read_totp(struct state *s, enum credential_kind kind, const char *user, struct totp *ret,
    struct ark_error *err)
{
	struct fields f;
	struct row r;
	int rc;

	row_init(s, &r, kind, user);
	row_name(s, &r, user, NULL);
	rc = row_read(s, &r, err);
	f = row_fields(&r, NULL);
	fields_bytes(&f, ret->secret, sizeof(ret->secret));
	ret->last = fields_number(&f);
	if (!rc && f.bad)
		rc = ark_fail(err, ARK_ECORRUPT, "the state holds a malformed second factor");
	row_free(&r);
	return rc;
}

static int write_totp(struct state *s, enum credential_kind kind, const char *user,
    const struct totp *totp, struct ark_error *err)
{
	struct row r;
	int rc;

	row_init(s, &r, kind, user);
	row_name(s, &r, user, NULL);
	if (kind == CREDENTIAL_TOTP_BEGUN)
		r.ends_us = clock_now_us() + BEGUN_US;
	buf_add(&r.body, totp->secret, sizeof(totp->secret));
	field_number(&r.body, totp->last);
	rc = row_write(s, &r, err);
	row_free(&r);
	return rc;
}

int totp_begin(
    struct state *s, const char *user, char ret_secret[TOTP_SECRET_SIZE], struct ark_error *err)
{
	struct totp totp = {.last = -1};
	int rc;

	if (!id_valid(user))
		return ark_fail(err, ARK_EINPUT, "a second factor needs the id of a user");
	rc = state_enter(s, true, err);
	if (rc)
		return rc;
	randombytes_buf(totp.secret, sizeof(totp.secret));
	rc = state_leave(s, true, write_totp(s, CREDENTIAL_TOTP_BEGUN, user, &totp, err), err);
	if (!rc)
		base32_encode(ret_secret, totp.secret, sizeof(totp.secret));
	sodium_memzero(&totp, sizeof(totp));
	return rc;
}

/* The step that the code is of, of the one of now and its neighbours, that is later than any used; -1: none. */
static int64_t step_of(const struct totp *totp, uint32_t code, int64_t now_us)
{
	int64_t now = now_us / STEP_US, found = -1;

	if (code >= NO_CODE || now < 1)
		return -1;
	for (int64_t step = now - 1; step <= now + 1; step++)
		if (totp_code(totp->secret, sizeof(totp->secret), (uint64_t)step) == code &&
		    step > totp->last && found < 0)
			found = step;
	return found;
}

/* ---- recovery codes ---- */

static int write_recovery(
    struct state *s, const char *user, const char *letters, struct ark_error *err)
{
	struct row r;
	int rc;

	row_init(s, &r, CREDENTIAL_RECOVERY, user);
	row_name(s, &r, user, letters);
	rc = row_write(s, &r, err);
	row_free(&r);
	return rc;
}

static int new_codes(struct state *s, const char *user,
    char ret_codes[RECOVERY_CODES][RECOVERY_SIZE], struct ark_error *err)
{
	unsigned char random[RECOVERY_BYTES];
	char letters[RECOVERY_LETTERS + 1];
	int rc = rows_delete(s, CREDENTIAL_RECOVERY, user, err);

	for (int i = 0; !rc && i < RECOVERY_CODES; i++) {
		char *out = ret_codes[i];

		randombytes_buf(random, sizeof(random));
		base32_encode(letters, random, sizeof(random));
		for (size_t k = 0; k < RECOVERY_LETTERS; k++)
			if (letters[k] >= 'A')
				letters[k] = (char)(letters[k] - 'A' + 'a');
		for (size_t k = 0; k < RECOVERY_LETTERS; k++) {
			if (k && k % 4 == 0)
				*out++ = '-';
			*out++ = letters[k];
		}
		*out = '\0';
		rc = write_recovery(s, user, letters, err);
	}
	sodium_memzero(random, sizeof(random));
	sodium_memzero(letters, sizeof(letters));
	if (rc)
		sodium_memzero(ret_codes, RECOVERY_CODES * RECOVERY_SIZE);
	return rc;
}

int recovery_renew(struct state *s, const char *user, char ret_codes[RECOVERY_CODES][RECOVERY_SIZE],
    struct ark_error *err)
{
	int rc;

	if (!id_valid(user))
		return ark_fail(err, ARK_EINPUT, "recovery codes need the id of a user");
	rc = state_enter(s, true, err);
	return rc ? rc : state_leave(s, true, new_codes(s, user, ret_codes, err), err);
}

static int use_recovery(
    struct state *s, const char *user, const char *letters, struct ark_error *err)
{
	struct row r;
	int rc;

	row_init(s, &r, CREDENTIAL_RECOVERY, user);
	row_name(s, &r, user, letters);
	rc = row_read(s, &r, err);
	if (!rc)
		rc = row_delete(s, &r, NULL, err);
	row_free(&r);
	return rc;
}

/* ---- the two together ---- */

/* The one that was begun, with the step that this code is of. */
static int begun_of(struct state *s, const char *user, uint32_t code, int64_t now_us,
    struct totp *ret, struct ark_error *err)
{
	int rc = read_totp(s, CREDENTIAL_TOTP_BEGUN, user, ret, err);

	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, ARK_ENOTFOUND, "no second factor waits to be confirmed");
	if (!rc)
		ret->last = step_of(ret, code, now_us);
	return !rc && ret->last < 0 ? ark_fail(err, ARK_EREFUSED, "wrong code") : rc;
}

int totp_try(
    struct state *s, const char *user, const char *code, int64_t now_us, struct ark_error *err)
{
	struct totp totp;
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	rc = state_leave(s, false, begun_of(s, user, parse_digits(code), now_us, &totp, err), err);
	sodium_memzero(&totp, sizeof(totp));
	return rc;
}

static int confirm(struct state *s, const char *user, uint32_t code, int64_t now_us,
    char ret_codes[RECOVERY_CODES][RECOVERY_SIZE], struct ark_error *err)
{
	struct totp totp;
	int rc = begun_of(s, user, code, now_us, &totp, err);

	if (rc)
		goto out;
	rc = write_totp(s, CREDENTIAL_TOTP, user, &totp, err);
	if (!rc)
		rc = rows_delete(s, CREDENTIAL_TOTP_BEGUN, user, err);
	if (!rc)
		rc = new_codes(s, user, ret_codes, err);
out:
	sodium_memzero(&totp, sizeof(totp));
	return rc;
}

int totp_confirm(struct state *s, const char *user, const char *code, int64_t now_us,
    char ret_codes[RECOVERY_CODES][RECOVERY_SIZE], struct ark_error *err)
{
	int rc = state_enter(s, true, err);

	if (rc)
		return rc;
	return state_leave(
	    s, true, confirm(s, user, parse_digits(code), now_us, ret_codes, err), err);
}

static int verify_totp(
    struct state *s, const char *user, uint32_t code, int64_t now_us, struct ark_error *err)
{
	struct totp totp;
	int rc = read_totp(s, CREDENTIAL_TOTP, user, &totp, err);

	if (!rc && (totp.last = step_of(&totp, code, now_us)) < 0)
		rc = ARK_ENOTFOUND;
	if (!rc)
		rc = write_totp(s, CREDENTIAL_TOTP, user, &totp, err);
	sodium_memzero(&totp, sizeof(totp));
	return rc;
}

int second_factor_verify(struct state *s, const char *user, const char *code, int64_t now_us,
    bool *ret_recovery, struct ark_error *err)
{
	char letters[RECOVERY_LETTERS + 1];
	uint32_t digits = parse_digits(code);
	bool recovery = digits == NO_CODE && parse_recovery(code, letters);
	int rc = state_enter(s, true, err);

	if (rc)
		return rc;
	if (recovery)
		rc = use_recovery(s, user, letters, err);
	else
		rc = verify_totp(s, user, digits, now_us, err);
	rc = state_leave(s, true, rc, err);
	sodium_memzero(letters, sizeof(letters));
	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, ARK_EREFUSED, "wrong or used code");
	if (!rc)
		*ret_recovery = recovery;
	return rc;
}
