/* SLIP-39. A share's words, ten bits each, in this order:
 *
 *   15 bits identifier | 1 extendable | 4 iteration exponent             the same in every share of a set
 *   4 group | 4 group threshold-1 | 4 groups-1 | 4 member | 4 member threshold-1
 *   value, zero bits in front to fill its words | 30 bits RS1024 checksum
 *
 * The secret is first enciphered (a Feistel network of four rounds over PBKDF2), then shared byte by byte over GF(256): the
 * polynomial is the secret at 255 and, above a threshold of 1, a digest of it at 254. Arithmetic on secrets has
 * no tables and no branches. */
#include "arkki/archive/slip39.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "arkki/base/text.h"

enum {
	WORDS = 1024,
	WORD_MAX = 8,
	HEAD_WORDS = 4,
	CHECK_WORDS = 3,
	MIN_WORDS = 20,
	MAX_WORDS = 59, /* 512 bits */
	DIGEST_SIZE = 4,
	X_DIGEST = 254,
	X_SECRET = 255,
	ROUNDS = 4,
	ITERATIONS = 2500, /* a round, before the exponent */
	OUR_EXPONENT = 1,
};

struct share {
	unsigned int id, extendable, exponent;
	unsigned int group, group_threshold, groups;
	unsigned int member, threshold;
	size_t len;
	unsigned char value[SLIP39_SECRET_MAX];
};

/* A point of the shared polynomials, one for each byte. */
struct point {
	unsigned int x;
	unsigned char y[SLIP39_SECRET_MAX];
};

/* ---- words ---- */

/* The list of the standard: 1,024 words in alphabetical order, a line each. */
__asm__(".section .rodata\narkki_slip39_words:\n.incbin \"archive/slip39_words.txt\"\n"
	"arkki_slip39_words_end:\n.byte 0\n.global arkki_slip39_words\n"
	".global arkki_slip39_words_end\n.previous\n");
extern const char arkki_slip39_words[] __attribute__((visibility("hidden")));
extern const char arkki_slip39_words_end[] __attribute__((visibility("hidden")));

/* The word with that number, or NULL; its length into *len. */
static const char *word_at(unsigned int number, size_t *len)
{
	const char *p = arkki_slip39_words;

	for (; p < arkki_slip39_words_end; p += *len + 1) {
		*len = strcspn(p, "\n");
		if (!number--)
			return p;
	}
	return NULL;
}

/* Its number, or -1. Upper case is as good. */
static int word_number(const char *word, size_t len)
{
	const char *p = arkki_slip39_words;
	size_t n;

	for (int i = 0; p < arkki_slip39_words_end; i++, p += n + 1) {
		n = strcspn(p, "\n");
		if (n == len && strncasecmp(p, word, len) == 0)
			return i;
	}
	return -1;
}

static uint32_t checksum(const char *label, const uint16_t *words, size_t n)
{
	static const uint32_t generator[10] = {0xe0e040, 0x1c1c080, 0x3838100, 0x7070200, 0xe0e0009,
	    0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890, 0x3f3f120};
	size_t label_len = strlen(label);
	uint32_t sum = 1;

	for (size_t i = 0; i < label_len + n; i++) {
		uint32_t top = sum >> 20;
		uint32_t v = i < label_len ? (unsigned char)label[i] : words[i - label_len];

		sum = (sum & 0xfffff) << 10 ^ v;
		for (unsigned int b = 0; b < 10; b++)
			sum ^= generator[b] & (0U - (top >> b & 1));
	}
	return sum;
}

static const char *label_of(unsigned int extendable)
{
	return extendable ? "shamir_extendable" : "shamir";
}

/* ---- a share from its words and back ---- */

static int read_words(const char *text, size_t number, uint16_t words[MAX_WORDS], size_t *ret_n,
    struct ark_error *err)
{
	size_t n = 0;

	for (const char *p = text + strspn(text, " \t"); *p; p += strspn(p, " \t")) {
		size_t len = strcspn(p, " \t");
		int word = word_number(p, len);

		if (word < 0)
			return ark_fail(err, ARK_EINPUT,
			    "share %zu: \"%.*s\", its word %zu, is not in the list", number,
			    len > 40 ? 40 : (int)len, p, n + 1);
		if (n == MAX_WORDS)
			return ark_fail(
			    err, ARK_EINPUT, "share %zu has over %d words", number, MAX_WORDS);
		words[n++] = (uint16_t)word;
		p += len;
	}
	if (n < MIN_WORDS)
		return ark_fail(err, ARK_EINPUT,
		    "share %zu has %zu words, too few for a whole share", number, n);
	*ret_n = n;
	return ARK_OK;
}

/* False when the bits that fill up the first word are not zero. */
static bool read_value(const uint16_t *words, size_t n, struct share *s)
{
	size_t fill = n * 10 % 16, bits = n * 10;
	unsigned char any = 0;

	s->len = (bits - fill) / 8;
	memset(s->value, 0, sizeof(s->value));
	for (size_t i = 0; i < bits; i++) {
		unsigned int bit = words[i / 10] >> (9 - i % 10) & 1U;

		if (i < fill)
			any |= (unsigned char)bit;
		else
			s->value[(i - fill) / 8] |= (unsigned char)(bit << (7 - (i - fill) % 8));
	}
	return !any;
}

static int share_read(const char *text, size_t number, struct share *s, struct ark_error *err)
{
	uint16_t words[MAX_WORDS];
	uint32_t head, place;
	size_t n = 0, value_words;
	int rc = read_words(text, number, words, &n, err);

	if (rc)
		goto out;
	value_words = n - HEAD_WORDS - CHECK_WORDS;
	head = (uint32_t)words[0] << 10 | words[1];
	place = (uint32_t)words[2] << 10 | words[3];
	*s = (struct share){.id = head >> 5,
	    .extendable = head >> 4 & 1,
	    .exponent = head & 15,
	    .group = place >> 16 & 15,
	    .group_threshold = (place >> 12 & 15) + 1,
	    .groups = (place >> 8 & 15) + 1,
	    .member = place >> 4 & 15,
	    .threshold = (place & 15) + 1};
	if (value_words * 10 % 16 > 8)
		rc = ark_fail(
		    err, ARK_EINPUT, "share %zu has %zu words: no share is that long", number, n);
	else if (checksum(label_of(s->extendable), words, n) != 1)
		rc = ark_fail(err, ARK_EINPUT,
		    "share %zu does not fit its checksum: a word is wrong or in another place",
		    number);
	else if (s->groups < s->group_threshold || !read_value(words + HEAD_WORDS, value_words, s))
		rc = ark_fail(err, ARK_EINPUT, "share %zu is malformed", number);
out:
	explicit_bzero(words, sizeof(words));
	return rc;
}

static void share_write(const struct share *s, char text[SLIP39_TEXT_SIZE])
{
	size_t value_words = (s->len * 8 + 9) / 10, n = HEAD_WORDS + value_words;
	size_t fill = value_words * 10 - s->len * 8;
	uint32_t head = s->id << 5 | s->extendable << 4 | s->exponent;
	uint32_t place = s->group << 16 | (s->group_threshold - 1) << 12 | (s->groups - 1) << 8 |
			 s->member << 4 | (s->threshold - 1);
	uint16_t words[MAX_WORDS] = {(uint16_t)(head >> 10), (uint16_t)(head & 1023),
	    (uint16_t)(place >> 10), (uint16_t)(place & 1023)};
	uint32_t sum;
	char *p = text;

	for (size_t i = fill; i < value_words * 10; i++) {
		unsigned int bit = s->value[(i - fill) / 8] >> (7 - (i - fill) % 8) & 1U;

		words[HEAD_WORDS + i / 10] |= (uint16_t)(bit << (9 - i % 10));
	}
	sum = checksum(label_of(s->extendable), words, n + CHECK_WORDS) ^ 1; /* over three zeros */
	for (size_t i = 0; i < CHECK_WORDS; i++)
		words[n + i] = (uint16_t)(sum >> (10 * (CHECK_WORDS - 1 - i)) & 1023);
	for (size_t i = 0; i < n + CHECK_WORDS; i++) {
		size_t len = 0;
		const char *word = word_at(words[i], &len);

		if (i)
			*p++ = ' ';
		memcpy(p, word, len);
		p += len;
	}
	*p = '\0';
	explicit_bzero(words, sizeof(words));
}

/* ---- sharing over GF(256), x^8 + x^4 + x^3 + x + 1 ---- */

static unsigned char gf_mul(unsigned int a, unsigned int b)
{
	unsigned int product = 0;

	for (unsigned int i = 0; i < 8; i++) {
		product ^= a & (0U - (b >> i & 1));
		a = a << 1 ^ (0x11bU & (0U - (a >> 7 & 1)));
	}
	return (unsigned char)product;
}

/* a^254: the inverse, since a^255 is 1 */
static unsigned char gf_inverse(unsigned char a)
{
	unsigned char r = 1;

	for (unsigned int i = 0; i < 7; i++) {
		a = gf_mul(a, a);
		r = gf_mul(r, a);
	}
	return r;
}

/* The polynomials through n points (of different x) at x. */
static void interpolate(
    const struct point *p, size_t n, size_t len, unsigned int x, unsigned char *out)
{
	memset(out, 0, len);
	for (size_t i = 0; i < n; i++) {
		unsigned char above = 1, below = 1;

		for (size_t j = 0; j < n; j++) {
			if (j == i)
				continue;
			above = gf_mul(above, x ^ p[j].x);
			below = gf_mul(below, p[i].x ^ p[j].x);
		}
		above = gf_mul(above, gf_inverse(below));
		for (size_t k = 0; k < len; k++)
			out[k] ^= gf_mul(p[i].y[k], above);
	}
}

/* HMAC-SHA256 keyed with the random part, its first bytes. */
static void digest_of(const unsigned char *random, size_t random_len, const unsigned char *secret,
    size_t len, unsigned char out[DIGEST_SIZE])
{
	crypto_auth_hmacsha256_state st;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&st, random, random_len);
	crypto_auth_hmacsha256_update(&st, secret, len);
	crypto_auth_hmacsha256_final(&st, mac);
	memcpy(out, mac, DIGEST_SIZE);
	explicit_bzero(&st, sizeof(st));
	explicit_bzero(mac, sizeof(mac));
}

/* points[0 … count-1] at x 0 … count-1. */
static void share_out(const unsigned char *secret, size_t len, unsigned int threshold,
    unsigned int count, struct point *points)
{
	struct point base[SLIP39_SHARES_MAX];
	unsigned int random = threshold - 2;

	for (unsigned int i = 0; i < random; i++) {
		base[i].x = points[i].x = i;
		randombytes_buf(base[i].y, len);
		memcpy(points[i].y, base[i].y, len);
	}
	base[random].x = X_DIGEST;
	randombytes_buf(base[random].y + DIGEST_SIZE, len - DIGEST_SIZE);
	digest_of(base[random].y + DIGEST_SIZE, len - DIGEST_SIZE, secret, len, base[random].y);
	base[random + 1].x = X_SECRET;
	memcpy(base[random + 1].y, secret, len);
	for (unsigned int i = random; i < count; i++) {
		points[i].x = i;
		interpolate(base, threshold, len, i, points[i].y);
	}
	explicit_bzero(base, sizeof(base));
}

/* From exactly `threshold` points. False: the digest says that they do not belong together. */
static bool share_in(
    const struct point *points, unsigned int threshold, size_t len, unsigned char *ret)
{
	unsigned char check[SLIP39_SECRET_MAX], digest[DIGEST_SIZE];
	bool ok;

	if (threshold == 1) {
		memcpy(ret, points[0].y, len);
		return true;
	}
	interpolate(points, threshold, len, X_SECRET, ret);
	interpolate(points, threshold, len, X_DIGEST, check);
	digest_of(check + DIGEST_SIZE, len - DIGEST_SIZE, ret, len, digest);
	ok = bytes_equal(check, digest, DIGEST_SIZE);
	explicit_bzero(check, sizeof(check));
	return ok;
}

/* ---- the cipher around it ---- */

static int cipher(const struct share *s, const char *passphrase, bool open, unsigned char *bytes,
    size_t len, struct ark_error *err)
{
	unsigned char salt[8 + SLIP39_SECRET_MAX / 2], f[SLIP39_SECRET_MAX / 2], key[1 + 256];
	size_t half = len / 2, salt_len = s->extendable ? 0 : 8, pass_len = strlen(passphrase);
	unsigned char *left = bytes, *right = bytes + half;
	int rc = ARK_OK;

	if (pass_len > 256)
		return ark_fail(err, ARK_EINPUT, "the passphrase is over 256 characters");
	memcpy(salt, "shamir", 6);
	salt[6] = (unsigned char)(s->id >> 8);
	salt[7] = (unsigned char)s->id;
	memcpy(key + 1, passphrase, pass_len);
	for (unsigned int i = 0; !rc && i < ROUNDS; i++) {
		key[0] = (unsigned char)(open ? ROUNDS - 1 - i : i);
		memcpy(salt + salt_len, right, half);
		if (PKCS5_PBKDF2_HMAC((const char *)key, (int)(1 + pass_len), salt,
			(int)(salt_len + half), ITERATIONS << s->exponent, EVP_sha256(), (int)half,
			f) != 1)
			rc = ark_fail(err, ARK_ENOMEM, "no memory to derive a key");
		for (size_t k = 0; !rc && k < half; k++) {
			unsigned char was = right[k];

			right[k] = left[k] ^ f[k];
			left[k] = was;
		}
	}
	for (size_t k = 0; k < half; k++) { /* the halves leave in the other order */
		unsigned char was = right[k];

		right[k] = left[k];
		left[k] = was;
	}
	explicit_bzero(salt, sizeof(salt));
	explicit_bzero(f, sizeof(f));
	explicit_bzero(key, sizeof(key));
	return rc;
}

/* ---- splitting ---- */

int slip39_split(const unsigned char *secret, size_t len, unsigned int threshold,
    unsigned int count, char ret[][SLIP39_TEXT_SIZE], struct ark_error *err)
{
	struct share s = {.extendable = 1,
	    .exponent = OUR_EXPONENT,
	    .group_threshold = 1,
	    .groups = 1,
	    .threshold = threshold,
	    .len = len};
	struct point points[SLIP39_SHARES_MAX];
	unsigned char enciphered[SLIP39_SECRET_MAX];
	int rc;

	if (len < SLIP39_SECRET_MIN || len > SLIP39_SECRET_MAX || len % 2)
		return ark_fail(err, ARK_EINPUT, "a secret of %zu bytes cannot be split", len);
	if (threshold < 2 || threshold > count || count > SLIP39_SHARES_MAX)
		return ark_fail(err, ARK_EINPUT,
		    "shares are made 2-of-2 up to 16-of-16, and no more may be needed than there "
		    "are");
	s.id = randombytes_uniform(1U << 15);
	memcpy(enciphered, secret, len);
	rc = cipher(&s, "", false, enciphered, len, err);
	if (!rc)
		share_out(enciphered, len, threshold, count, points);
	for (unsigned int i = 0; !rc && i < count; i++) {
		s.member = i;
		memcpy(s.value, points[i].y, len);
		share_write(&s, ret[i]);
	}
	explicit_bzero(&s, sizeof(s));
	explicit_bzero(points, sizeof(points));
	explicit_bzero(enciphered, sizeof(enciphered));
	return rc;
}

/* ---- joining ---- */

struct joining {
	struct share first; /* what all must agree with */
	struct group {
		unsigned int threshold, n; /* 0: no share of it yet */
		struct point point[SLIP39_SHARES_MAX];
	} group[SLIP39_SHARES_MAX];
};

static int take_share(
    struct joining *j, const struct share *s, size_t number, struct ark_error *err)
{
	struct group *g = &j->group[s->group];

	if (number == 1)
		j->first = *s;
	if (s->id != j->first.id || s->extendable != j->first.extendable ||
	    s->exponent != j->first.exponent || s->groups != j->first.groups ||
	    s->group_threshold != j->first.group_threshold || s->len != j->first.len ||
	    s->group >= s->groups || (g->n && g->threshold != s->threshold))
		return ark_fail(
		    err, ARK_EINPUT, "share %zu is of another set than the first one", number);
	for (unsigned int i = 0; i < g->n; i++) {
		if (g->point[i].x != s->member)
			continue;
		if (bytes_equal(g->point[i].y, s->value, s->len))
			return ARK_OK; /* the same once more */
		return ark_fail(
		    err, ARK_EINPUT, "share %zu contradicts another of the same number", number);
	}
	g->threshold = s->threshold;
	g->point[g->n].x = s->member;
	memcpy(g->point[g->n].y, s->value, s->len);
	g->n++;
	return ARK_OK;
}

/* One group's share of the whole. */
static int join_group(
    const struct joining *j, unsigned int number, struct point *ret, struct ark_error *err)
{
	const struct group *g = &j->group[number];

	ret->x = number;
	if (g->n < g->threshold)
		return ark_fail(err, ARK_EINPUT, "%u different shares are needed and %u were given",
		    g->threshold, g->n);
	if (!share_in(g->point, g->threshold, j->first.len, ret->y))
		return ark_fail(
		    err, ARK_EINPUT, "these shares do not belong together: one of them is false");
	return ARK_OK;
}

static int join_groups(
    const struct joining *j, unsigned char *ret, size_t *ret_len, struct ark_error *err)
{
	struct point points[SLIP39_SHARES_MAX];
	unsigned int n = 0;
	int rc = ARK_OK;

	for (unsigned int i = 0; !rc && i < SLIP39_SHARES_MAX && n < j->first.group_threshold; i++)
		if (j->group[i].n)
			rc = join_group(j, i, &points[n++], err);
	if (!rc && n < j->first.group_threshold)
		rc = ark_fail(err, ARK_EINPUT, "shares of %u groups are needed and %u were given",
		    j->first.group_threshold, n);
	if (!rc && !share_in(points, j->first.group_threshold, j->first.len, ret))
		rc = ark_fail(err, ARK_EINPUT, "these groups of shares do not belong together");
	*ret_len = j->first.len;
	explicit_bzero(points, sizeof(points));
	return rc;
}

int slip39_join(const char *const *mnemonics, size_t n, const char *passphrase, unsigned char *ret,
    size_t *ret_len, struct ark_error *err)
{
	struct joining *j;
	struct share s = {0};
	int rc = ARK_OK;

	if (!n || n > SLIP39_MNEMONICS_MAX)
		return ark_fail(err, ARK_EINPUT, "there are %s shares", n ? "too many" : "no");
	if (sodium_init() < 0 || !(j = sodium_malloc(sizeof(*j))))
		return ark_fail(err, ARK_ENOMEM, "no memory to join shares");
	sodium_memzero(j, sizeof(*j));
	for (size_t i = 0; !rc && i < n; i++) {
		rc = share_read(mnemonics[i], i + 1, &s, err);
		if (!rc)
			rc = take_share(j, &s, i + 1, err);
	}
	if (!rc)
		rc = join_groups(j, ret, ret_len, err);
	if (!rc)
		rc = cipher(&j->first, passphrase, true, ret, *ret_len, err);
	if (rc)
		explicit_bzero(ret, SLIP39_SECRET_MAX);
	explicit_bzero(&s, sizeof(s));
	sodium_free(j);
	return rc;
}
