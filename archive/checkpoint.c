#include "archive/checkpoint.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "arkki/base/text.h"

enum {
	TYPE_ED25519 = 1,
	TYPE_COSIGNATURE = 4,
	SIGNATURE_SIZE = 4 + 64,
	COSIGNATURE_SIZE = 4 + 8 + 64, /* key id, seconds, Ed25519 */
};

static const char dash[] = "\xe2\x80\x94 "; /* em dash, space */
static const char proof_magic[] = "c2sp.org/tlog-proof@v1";

bool note_line(const char **p, size_t *left, const char **line, size_t *line_len)
{
	const char *end = *left ? memchr(*p, '\n', *left) : NULL;

	if (!end)
		return false;
	*line = *p;
	*line_len = (size_t)(end - *p);
	*left -= *line_len + 1;
	*p = end + 1;
	return true;
}

bool note_decimal(const char *text, size_t len, uint64_t *ret)
{
	uint64_t v = 0;

	if (len == 0 || len > 20 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned int digit = (unsigned char)text[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

bool note_hash(const char *text, size_t len, struct merkle_hash *ret)
{
	struct buf b = BUF_INIT;
	bool ok = len == 44 && base64_decode(&b, text, len) && b.len == sizeof(*ret);

	if (ok)
		memcpy(ret, b.data, sizeof(*ret));
	buf_free(&b);
	return ok;
}

/* White space of Unicode outside ASCII; ASCII is checked bytewise. */
static bool wide_space(const char *p, size_t left)
{
	static const char *const spaces[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8",
	    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

	for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++)
		if (left >= strlen(spaces[i]) && memcmp(p, spaces[i], strlen(spaces[i])) == 0)
			return true;
	/* U+2000 to U+200A */
	return left >= 3 && memcmp(p, "\xe2\x80", 2) == 0 && (unsigned char)p[2] >= 0x80 &&
	       (unsigned char)p[2] <= 0x8a;
}

static bool name_valid(const char *name, size_t len)
{
	if (len == 0 || len > NOTE_NAME_MAX || !utf8_valid(name, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == '+' ||
		    wide_space(name + i, len - i))
			return false;
	return true;
}

/* Spare bits of the last digit may be anything: other writers' signatures are carried as they are, and
 * our own verification is strict. */
static bool signature_base64(const char *text, size_t len, uint32_t *ret_id)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf b = BUF_INIT;
	size_t pad = 0;
	bool ok = len >= 8 && len % 4 == 0;

	while (ok && pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; ok && i < len - pad; i++)
		ok = text[i] && strchr(digits, text[i]);
	ok = ok && len / 4 * 3 - pad > 4 && base64_decode(&b, text, len > 8 ? 8 : len);
	if (ok)
		*ret_id = be32_get(b.data);
	buf_free(&b);
	return ok;
}

static bool signature_line(const char *line, size_t len, struct note_signature *ret)
{
	const char *space;

	if (len < strlen(dash) || memcmp(line, dash, strlen(dash)) != 0)
		return false;
	line += strlen(dash), len -= strlen(dash);
	space = memchr(line, ' ', len);
	if (!space || !name_valid(line, (size_t)(space - line)))
		return false;
	*ret = (struct note_signature){.name = line,
	    .name_len = (size_t)(space - line),
	    .base64 = space + 1,
	    .base64_len = len - (size_t)(space - line) - 1};
	return signature_base64(ret->base64, ret->base64_len, &ret->id);
}

int note_parse(const char *bytes, size_t len, struct note *ret, struct ark_error *err)
{
	size_t split, left, line_len;
	const char *p, *line;

	ret->signatures_len = 0;
	if (len > NOTE_MAX || !utf8_valid(bytes, len))
		return ark_fail(err, ARK_EINPUT, "a note is too long or not UTF-8");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] < ' ' && bytes[i] != '\n')
			return ark_fail(err, ARK_EINPUT, "a note holds a control character");
	for (split = len; split >= 2 && memcmp(bytes + split - 2, "\n\n", 2) != 0;)
		split--;
	if (split < 2 || bytes[len - 1] != '\n')
		return ark_fail(err, ARK_EINPUT, "a note has no blank line before its signatures");
	ret->text = bytes;
	ret->text_len = split - 1;
	p = bytes + split, left = len - split;
	while (note_line(&p, &left, &line, &line_len)) {
		if (ret->signatures_len == NOTE_SIGNATURES_MAX)
			return ark_fail(
			    err, ARK_EINPUT, "a note has over %d signatures", NOTE_SIGNATURES_MAX);
		if (!signature_line(line, line_len, &ret->signatures[ret->signatures_len]))
			return ark_fail(err, ARK_EINPUT, "a note has a malformed signature line");
		ret->signatures_len++;
	}
	if (ret->signatures_len == 0)
		return ark_fail(err, ARK_EINPUT, "a note has no signature");
	return ARK_OK;
}

/* key ID = SHA-256(name || 0x0A || type || public key)[:4] */
static uint32_t key_id(const char *name, unsigned char type, const unsigned char public_key[32])
{
	unsigned char bytes[NOTE_NAME_MAX + 2 + 32], hash[32];
	size_t n = strlen(name);

	memcpy(bytes, name, n);
	bytes[n] = '\n';
	bytes[n + 1] = type;
	memcpy(bytes + n + 2, public_key, 32);
	sha256_of(bytes, n + 34, hash);
	return be32_get(hash);
}

static int key_parse(
    const char *vkey, unsigned char type, struct note_key *ret, struct ark_error *err)
{
	const char *id = strchr(vkey, '+'), *key = id ? strchr(id + 1, '+') : NULL;
	struct buf b = BUF_INIT;
	unsigned char id_bytes[4];
	struct note_key k = {0};
	bool ok = key && name_valid(vkey, (size_t)(id - vkey)) &&
		  hex_decode(id_bytes, 4, id + 1, (size_t)(key - id - 1)) &&
		  base64_decode(&b, key + 1, strlen(key + 1)) && b.len == 33 &&
		  (unsigned char)b.data[0] == type;

	if (ok) {
		memcpy(k.name, vkey, (size_t)(id - vkey));
		memcpy(k.public_key, b.data + 1, 32);
		k.id = be32_get(id_bytes);
		ok = k.id == key_id(k.name, type, k.public_key);
	}
	buf_free(&b);
	if (!ok)
		return ark_fail(err, ARK_EINPUT, "not %s (name+hash+base64)",
		    type == TYPE_ED25519 ? "an Ed25519 verifier key"
					 : "the verifier key of a witness");
	*ret = k;
	return ARK_OK;
}

static int key_from_seed(const char *name, unsigned char type, const unsigned char seed[32],
    struct note_key *ret, struct ark_error *err)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES];

	if (!name_valid(name, strlen(name)))
		return ark_fail(err, ARK_EINPUT,
		    "\"%.60s\" cannot name a key: 1 to %d bytes of UTF-8 without spaces or plus",
		    name, NOTE_NAME_MAX);
	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "libsodium does not start");
	memcpy(ret->name, name, strlen(name) + 1);
	crypto_sign_seed_keypair(ret->public_key, secret, seed);
	sodium_memzero(secret, sizeof(secret));
	ret->id = key_id(name, type, ret->public_key);
	return ARK_OK;
}

static void key_format(const struct note_key *key, unsigned char type, struct buf *out)
{
	unsigned char typed[33] = {type};

	memcpy(typed + 1, key->public_key, 32);
	buf_addf(out, "%s+%08" PRIx32 "+", key->name, key->id);
	base64_encode(out, typed, sizeof(typed));
}

int note_key_parse(const char *vkey, struct note_key *ret, struct ark_error *err)
{
	return key_parse(vkey, TYPE_ED25519, ret, err);
}

int note_cosigner_parse(const char *vkey, struct note_key *ret, struct ark_error *err)
{
	return key_parse(vkey, TYPE_COSIGNATURE, ret, err);
}

int note_key_from_seed(
    const char *name, const unsigned char seed[32], struct note_key *ret, struct ark_error *err)
{
	return key_from_seed(name, TYPE_ED25519, seed, ret, err);
}

int note_key_from_public(const char *name, const unsigned char public_key[32], struct note_key *ret,
    struct ark_error *err)
{
	if (!name_valid(name, strlen(name)))
		return ark_fail(err, ARK_EINPUT, "\"%.60s\" cannot name a key", name);
	memcpy(ret->name, name, strlen(name) + 1);
	memcpy(ret->public_key, public_key, 32);
	ret->id = key_id(name, TYPE_ED25519, public_key);
	return ARK_OK;
}

int note_cosigner_from_seed(
    const char *name, const unsigned char seed[32], struct note_key *ret, struct ark_error *err)
{
	return key_from_seed(name, TYPE_COSIGNATURE, seed, ret, err);
}

void note_key_format(const struct note_key *key, struct buf *out)
{
	key_format(key, TYPE_ED25519, out);
}

void note_cosigner_format(const struct note_key *key, struct buf *out)
{
	key_format(key, TYPE_COSIGNATURE, out);
}

static bool by_key(const struct note_signature *s, const struct note_key *key)
{
	return s->id == key->id && s->name_len == strlen(key->name) &&
	       memcmp(s->name, key->name, s->name_len) == 0;
}

int note_verify(const struct note *note, const struct note_key *key, struct ark_error *err)
{
	bool found = false;

	for (size_t i = 0; i < note->signatures_len; i++) {
		const struct note_signature *s = &note->signatures[i];
		struct buf b = BUF_INIT;
		bool ok;

		if (!by_key(s, key))
			continue;
		found = true;
		ok = base64_decode(&b, s->base64, s->base64_len) && b.len == SIGNATURE_SIZE &&
		     crypto_sign_verify_detached((const unsigned char *)b.data + 4,
			 (const unsigned char *)note->text, note->text_len, key->public_key) == 0;
		buf_free(&b);
		if (!ok)
			return ark_fail(
			    err, ARK_ECORRUPT, "the signature of %s is false", key->name);
	}
	if (!found)
		return ark_fail(err, ARK_ENOTFOUND, "there is no signature of %s", key->name);
	return ARK_OK;
}

int note_sign_also(struct buf *out, const char *text, size_t len, const struct note_key *key,
    const unsigned char seed[32], struct ark_error *err)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES], public_key[32], sig[SIGNATURE_SIZE];

	crypto_sign_seed_keypair(public_key, secret, seed);
	be32_put(sig, key->id);
	crypto_sign_detached(sig + 4, NULL, (const unsigned char *)text, len, secret);
	sodium_memzero(secret, sizeof(secret));
	buf_addf(out, "%s%s ", dash, key->name);
	base64_encode(out, sig, sizeof(sig));
	buf_addc(out, '\n');
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a note") : ARK_OK;
}

int note_sign(struct buf *out, const char *text, size_t len, const struct note_key *key,
    const unsigned char seed[32], struct ark_error *err)
{
	if (len == 0 || text[len - 1] != '\n')
		return ark_fail(err, ARK_EINPUT, "the text of a note must end with a newline");
	buf_add(out, text, len);
	buf_addc(out, '\n');
	return note_sign_also(out, text, len, key, seed, err);
}

/* ---- cosignatures ---- */

static int cosigned_message(
    struct buf *out, uint64_t time, const char *text, size_t len, struct ark_error *err)
{
	if (len == 0 || text[len - 1] != '\n')
		return ark_fail(err, ARK_EINPUT, "the text of a note must end with a newline");
	buf_addf(out, "cosignature/v1\ntime %" PRIu64 "\n", time);
	buf_add(out, text, len);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a cosignature") : ARK_OK;
}

static int cosignature_holds(const struct note *note, const struct note_signature *s,
    const struct note_key *key, uint64_t *ret_time, struct ark_error *err)
{
	struct buf raw = BUF_INIT, message = BUF_INIT;
	const unsigned char *sig;
	uint64_t time = 0;
	bool ok = base64_decode(&raw, s->base64, s->base64_len) && raw.len == COSIGNATURE_SIZE;
	int rc = ARK_OK;

	if (ok) {
		time = be64_get(raw.data + 4);
		ok = time <= INT64_MAX;
	}
	if (ok)
		rc = cosigned_message(&message, time, note->text, note->text_len, err);
	if (ok && !rc) {
		sig = (const unsigned char *)raw.data + 12;
		ok = crypto_sign_verify_detached(sig, (const unsigned char *)message.data,
			 message.len, key->public_key) == 0;
	}
	if (!rc && !ok)
		rc = ark_fail(err, ARK_ECORRUPT, "the cosignature of %s is false", key->name);
	if (!rc)
		*ret_time = time;
	buf_free(&message);
	buf_free(&raw);
	return rc;
}

int note_verify_cosignature(
    const struct note *note, const struct note_key *key, uint64_t *ret_time, struct ark_error *err)
{
	uint64_t newest = 0, time;
	bool found = false, holds = false;

	for (size_t i = 0; i < note->signatures_len; i++) {
		int rc;

		if (!by_key(&note->signatures[i], key))
			continue;
		found = true;
		rc = cosignature_holds(note, &note->signatures[i], key, &time, err);
		if (rc && rc != ARK_ECORRUPT)
			return rc;
		if (!rc && (!holds || time > newest))
			newest = time;
		holds = holds || !rc;
	}
	if (!found)
		return ark_fail(err, ARK_ENOTFOUND, "there is no cosignature of %s", key->name);
	if (!holds)
		return ARK_ECORRUPT;
	if (ret_time)
		*ret_time = newest;
	return ARK_OK;
}

int note_cosign(struct buf *out, const char *text, size_t len, const struct note_key *key,
    const unsigned char seed[32], uint64_t time, struct ark_error *err)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES], public_key[32], sig[COSIGNATURE_SIZE];
	struct buf message = BUF_INIT;
	int rc = cosigned_message(&message, time, text, len, err);

	if (!rc) {
		crypto_sign_seed_keypair(public_key, secret, seed);
		be32_put(sig, key->id);
		be64_put(sig + 4, time);
		crypto_sign_detached(
		    sig + 12, NULL, (const unsigned char *)message.data, message.len, secret);
		sodium_memzero(secret, sizeof(secret));
		buf_addf(out, "%s%s ", dash, key->name);
		base64_encode(out, sig, sizeof(sig));
		buf_addc(out, '\n');
		if (buf_failed(out))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a cosignature");
	}
	buf_free(&message);
	return rc;
}

int checkpoint_parse(
    const char *text, size_t len, const char *origin, struct checkpoint *ret, struct ark_error *err)
{
	const char *name, *size, *root, *more;
	size_t name_len, size_len, root_len, more_len;
	struct checkpoint c;

	if (!note_line(&text, &len, &name, &name_len) ||
	    !note_line(&text, &len, &size, &size_len) ||
	    !note_line(&text, &len, &root, &root_len) || name_len == 0)
		return ark_fail(err, ARK_EINPUT, "a checkpoint has fewer than three lines");
	if (origin && (name_len != strlen(origin) || memcmp(name, origin, name_len) != 0))
		return ark_fail(err, ARK_EINPUT, "the checkpoint is not of %s", origin);
	if (!note_decimal(size, size_len, &c.size))
		return ark_fail(err, ARK_EINPUT, "the size of a checkpoint is malformed");
	if (!note_hash(root, root_len, &c.root))
		return ark_fail(err, ARK_EINPUT, "the root of a checkpoint is malformed");
	while (note_line(&text, &len, &more, &more_len))
		if (more_len == 0)
			return ark_fail(err, ARK_EINPUT, "a checkpoint has an empty line");
	if (len)
		return ark_fail(err, ARK_EINPUT, "a checkpoint does not end with a newline");
	*ret = c;
	return ARK_OK;
}

void checkpoint_format(const char *origin, const struct checkpoint *c, struct buf *out)
{
	buf_addf(out, "%s\n%" PRIu64 "\n", origin, c->size);
	base64_encode(out, &c->root, sizeof(c->root));
	buf_addc(out, '\n');
}

/* A line "word value". */
static bool word_line(
    const char *line, size_t len, const char *word, const char **ret, size_t *ret_len)
{
	size_t n = strlen(word);

	if (len <= n || memcmp(line, word, n) != 0 || line[n] != ' ')
		return false;
	*ret = line + n + 1;
	*ret_len = len - n - 1;
	return true;
}

int tlog_proof_parse(const char *p, size_t len, struct tlog_proof *ret, struct ark_error *err)
{
	const char *line, *value;
	size_t n, value_len;

	ret->hashes_len = 0;
	ret->extra = (struct buf)BUF_INIT;
	if (len > NOTE_MAX || !note_line(&p, &len, &line, &n) || n != strlen(proof_magic) ||
	    memcmp(line, proof_magic, n) != 0)
		return ark_fail(err, ARK_EINPUT, "not a tlog-proof: the first line is missing");
	if (!note_line(&p, &len, &line, &n))
		goto cut;
	if (word_line(line, n, "extra", &value, &value_len)) {
		if (!base64_decode(&ret->extra, value, value_len)) {
			buf_free(&ret->extra);
			return ark_fail(err, ARK_EINPUT, "the extra data of a proof is not base64");
		}
		if (!note_line(&p, &len, &line, &n))
			goto cut;
	}
	if (!word_line(line, n, "index", &value, &value_len) ||
	    !note_decimal(value, value_len, &ret->index))
		goto cut;
	for (;;) {
		if (!note_line(&p, &len, &line, &n))
			goto cut;
		if (n == 0)
			break;
		if (ret->hashes_len == MERKLE_PROOF_MAX ||
		    !note_hash(line, n, &ret->hashes[ret->hashes_len++]))
			goto cut;
	}
	if (len == 0)
		goto cut;
	ret->checkpoint = p;
	ret->checkpoint_len = len;
	return ARK_OK;
cut:
	buf_free(&ret->extra);
	return ark_fail(
	    err, ARK_EINPUT, "a proof is cut short, or its index or a hash is malformed");
}

void tlog_proof_format(const struct tlog_proof *proof, struct buf *out)
{
	buf_addf(out, "%s\n", proof_magic);
	if (proof->extra.len) {
		buf_adds(out, "extra ");
		base64_encode(out, proof->extra.data, proof->extra.len);
		buf_addc(out, '\n');
	}
	buf_addf(out, "index %" PRIu64 "\n", proof->index);
	for (size_t i = 0; i < proof->hashes_len; i++) {
		base64_encode(out, &proof->hashes[i], sizeof(proof->hashes[i]));
		buf_addc(out, '\n');
	}
	buf_addc(out, '\n');
	buf_add(out, proof->checkpoint, proof->checkpoint_len);
}
