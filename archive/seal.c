/* C2SP chunked encryption. A message has one state after derivation, the same
 * for sealing and opening: a cipher context that holds the chunk key, and the
 * base nonce. Invariants:
 *   - a sealer never holds a full chunk: what is full has gone to the sink;
 *   - a chunk number is used once, because `next` only grows;
 *   - the first failure is kept, and every later call repeats it. */
#include "archive/seal_private.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "archive/digest_private.h"
#include "arkki/base/text.h"

#define CHUNKS_MAX (UINT64_C(1) << 38)

static const char info_prefix[] =
    "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"; /* and its NUL */

static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *cipher; /* fetched once: a fetch costs more than a small message */

static void cipher_fetch(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (sodium_init() < 0)
		abort(); /* no source of random bytes: no key could be made */
}

struct message {
	EVP_CIPHER_CTX *ctx;
	unsigned char nonce[SEAL_NONCE_SIZE];
};

struct sealer {
	struct message m;
	seal_sink sink;
	void *sink_arg;
	uint64_t next; /* number of the chunk that `plain` will be */
	int status;    /* the first failure */
	bool finished;
	size_t used;    /* of plain; < SEAL_CHUNK_SIZE between calls */
	size_t touched; /* of plain, ever: what must be wiped */
	unsigned char plain[SEAL_CHUNK_SIZE];
	unsigned char sealed[SEAL_BLOCK_SIZE];
};

struct opener {
	struct message m;
};

/* ---- keys and sizes ---- */
void seal_key_generate(struct seal_key *ret)
{
	pthread_once(&cipher_once, cipher_fetch);
	randombytes_buf(ret->bytes, sizeof(ret->bytes));
}

void seal_key_wipe(struct seal_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

uint64_t seal_sealed_size(uint64_t plain_size)
{
	uint64_t full = plain_size / SEAL_CHUNK_SIZE;

	if (full >= CHUNKS_MAX)
		return UINT64_MAX;
	return SEAL_HEADER_SIZE + full * SEAL_BLOCK_SIZE + plain_size % SEAL_CHUNK_SIZE +
	       SEAL_TAG_SIZE;
}

int seal_plain_size(uint64_t sealed_size, uint64_t *ret, struct ark_error *err)
{
	uint64_t body, full, rest;

	if (sealed_size < SEAL_HEADER_SIZE + SEAL_TAG_SIZE)
		goto bad;
	body = sealed_size - SEAL_HEADER_SIZE;
	full = body / SEAL_BLOCK_SIZE;
	rest = body % SEAL_BLOCK_SIZE;
	if (rest < SEAL_TAG_SIZE || full >= CHUNKS_MAX)
		goto bad;
	*ret = full * SEAL_CHUNK_SIZE + rest - SEAL_TAG_SIZE;
	return ARK_OK;
bad:
	return ark_fail(err, ARK_ECORRUPT, "%llu bytes is no length of a sealed message: it is cut",
	    (unsigned long long)sealed_size);
}

/* ---- derivation ---- */
static void derive(const struct seal_key *key, const unsigned char salt[SEAL_SALT_SIZE],
    const void *context, size_t context_len, struct seal_derived *ret)
{
	const struct digest_part info[] = {
	    {info_prefix, sizeof(info_prefix)},
	    {salt, SEAL_SALT_SIZE},
	    {context, context_len},
	};
	bool fits = hkdf_expand_sha512(
	    key->bytes, sizeof(key->bytes), info, context_len ? 3 : 2, ret, sizeof(*ret));

	if (!fits)
		abort(); /* 76 bytes are always within HKDF's reach */
}

static int message_start(
    struct message *m, const struct seal_derived *d, int sealing, struct ark_error *err)
{
	pthread_once(&cipher_once, cipher_fetch);
	if (!cipher)
		return ark_fail(
		    err, ARK_EIO, "libcrypto has no AES-256-GCM; check its configuration");
	m->ctx = EVP_CIPHER_CTX_new();
	if (!m->ctx || EVP_CipherInit_ex2(m->ctx, cipher, d->key, NULL, sealing, NULL) != 1)
		return ark_fail(err, ARK_ENOMEM, "no memory for a cipher");
	memcpy(m->nonce, d->nonce, sizeof(m->nonce));
	return ARK_OK;
}

static void message_end(struct message *m)
{
	EVP_CIPHER_CTX_free(m->ctx); /* wipes its key schedule */
	explicit_bzero(m->nonce, sizeof(m->nonce));
}

/* Sets the nonce of chunk `index`: its number XORed into the base nonce's end. */
static bool message_seek(struct message *m, uint64_t index)
{
	unsigned char nonce[SEAL_NONCE_SIZE];

	memcpy(nonce, m->nonce, sizeof(nonce));
	be64_put(nonce + 4, be64_get(nonce + 4) ^ index);
	return EVP_CipherInit_ex2(m->ctx, NULL, NULL, nonce, -1, NULL) == 1;
}

/* ---- sealing ---- */
static int seal_chunk(struct sealer *s, const void *plain, size_t len, struct ark_error *err)
{
	int n = 0, tail = 0;

	if (s->next >= CHUNKS_MAX)
		return ark_fail(err, ARK_EINPUT, "a sealed message holds less than 4 PiB");
	if (!message_seek(&s->m, s->next) ||
	    (len && EVP_EncryptUpdate(s->m.ctx, s->sealed, &n, plain, (int)len) != 1) ||
	    EVP_EncryptFinal_ex(s->m.ctx, s->sealed + n, &tail) != 1 ||
	    EVP_CIPHER_CTX_ctrl(s->m.ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE, s->sealed + len) !=
		1)
		return ark_fail(err, ARK_EIO, "libcrypto could not seal a chunk");
	s->next++;
	return s->sink(s->sink_arg, s->sealed, len + SEAL_TAG_SIZE, err);
}

int sealer_new_raw(const struct seal_derived *raw, seal_sink sink, void *sink_arg,
    struct sealer **ret, struct ark_error *err)
{
	struct sealer *s = malloc(sizeof(*s));
	int rc;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for sealing");
	memset(s, 0, offsetof(struct sealer, plain));
	s->sink = sink;
	s->sink_arg = sink_arg;
	rc = message_start(&s->m, raw, 1, err);
	if (rc) {
		sealer_free(s);
		return rc;
	}
	*ret = s;
	return ARK_OK;
}

int sealer_new_salted(const struct seal_key *key, const unsigned char salt[SEAL_SALT_SIZE],
    const void *context, size_t context_len, seal_sink sink, void *sink_arg, struct sealer **ret,
    struct ark_error *err)
{
	unsigned char header[SEAL_HEADER_SIZE];
	struct seal_derived d;
	struct sealer *s = NULL;
	int rc;

	derive(key, salt, context, context_len, &d);
	rc = sealer_new_raw(&d, sink, sink_arg, &s, err);
	if (rc)
		goto out;
	memcpy(header, salt, SEAL_SALT_SIZE);
	memcpy(header + SEAL_SALT_SIZE, d.commitment, sizeof(d.commitment));
	rc = sink(sink_arg, header, sizeof(header), err);
	if (rc)
		goto out;
	*ret = s;
	s = NULL;
out:
	sealer_free(s);
	explicit_bzero(&d, sizeof(d));
	return rc;
}

int sealer_new(const struct seal_key *key, const void *context, size_t context_len, seal_sink sink,
    void *sink_arg, struct sealer **ret, struct ark_error *err)
{
	unsigned char salt[SEAL_SALT_SIZE];

	pthread_once(&cipher_once, cipher_fetch);
	randombytes_buf(salt, sizeof(salt));
	return sealer_new_salted(key, salt, context, context_len, sink, sink_arg, ret, err);
}

static int sealer_usable(const struct sealer *s, struct ark_error *err)
{
	if (s->status)
		return ark_fail(err, s->status, "this sealing failed before");
	if (s->finished)
		return ark_fail(err, ARK_EINPUT, "this sealed message is complete");
	return ARK_OK;
}

int sealer_write(struct sealer *s, const void *bytes, size_t len, struct ark_error *err)
{
	const unsigned char *p = bytes;
	int rc = sealer_usable(s, err);

	while (!rc && len) {
		size_t take = SEAL_CHUNK_SIZE - s->used;

		if (!s->used && len >= SEAL_CHUNK_SIZE) {
			rc = s->status = seal_chunk(s, p, SEAL_CHUNK_SIZE, err);
			take = SEAL_CHUNK_SIZE;
		} else {
			take = len < take ? len : take;
			memcpy(s->plain + s->used, p, take);
			s->used += take;
			s->touched = s->used > s->touched ? s->used : s->touched;
			if (s->used == SEAL_CHUNK_SIZE) {
				rc = s->status = seal_chunk(s, s->plain, SEAL_CHUNK_SIZE, err);
				s->used = 0;
			}
		}
		p += take;
		len -= take;
	}
	return rc;
}

int sealer_finish(struct sealer *s, struct ark_error *err)
{
	int rc = sealer_usable(s, err);

	if (rc)
		return rc;
	s->finished = true;
	s->status = seal_chunk(s, s->plain, s->used, err);
	return s->status;
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	message_end(&s->m);
	explicit_bzero(s->plain, s->touched);
	free(s);
}

/* ---- opening ---- */
static int opener_start(struct opener *o, const struct seal_derived *d, struct ark_error *err)
{
	*o = (struct opener){0};
	return message_start(&o->m, d, 0, err);
}

/* Derives and checks the commitment, before any chunk is looked at. */
static int opener_begin(struct opener *o, const struct seal_key *key, const void *context,
    size_t context_len, const unsigned char header[SEAL_HEADER_SIZE], struct ark_error *err)
{
	struct seal_derived d;
	int rc;

	*o = (struct opener){0};
	derive(key, header, context, context_len, &d);
	if (bytes_equal(d.commitment, header + SEAL_SALT_SIZE, sizeof(d.commitment)))
		rc = opener_start(o, &d, err);
	else
		rc = ark_fail(
		    err, ARK_ECORRUPT, "a sealed message does not belong to its key and place");
	explicit_bzero(&d, sizeof(d));
	return rc;
}

int opener_new_raw(const struct seal_derived *raw, struct opener **ret, struct ark_error *err)
{
	struct opener *o = malloc(sizeof(*o));
	int rc;

	if (!o)
		return ark_fail(err, ARK_ENOMEM, "no memory for opening");
	rc = opener_start(o, raw, err);
	if (rc) {
		opener_free(o);
		return rc;
	}
	*ret = o;
	return ARK_OK;
}

int opener_new(const struct seal_key *key, const void *context, size_t context_len,
    const unsigned char header[SEAL_HEADER_SIZE], struct opener **ret, struct ark_error *err)
{
	struct opener *o = malloc(sizeof(*o));
	int rc;

	if (!o)
		return ark_fail(err, ARK_ENOMEM, "no memory for opening");
	rc = opener_begin(o, key, context, context_len, header, err);
	if (rc) {
		opener_free(o);
		return rc;
	}
	*ret = o;
	return ARK_OK;
}

int opener_chunk(struct opener *o, uint64_t index, const void *sealed, size_t len, void *out,
    size_t *ret_len, struct ark_error *err)
{
	const unsigned char *in = sealed;
	unsigned char tag[SEAL_TAG_SIZE], *plain = out;
	size_t plain_len;
	int n = 0, tail = 0;

	if (len < SEAL_TAG_SIZE || len > SEAL_BLOCK_SIZE || index >= CHUNKS_MAX)
		return ark_fail(err, ARK_ECORRUPT, "%zu bytes is no length of a sealed chunk", len);
	plain_len = len - SEAL_TAG_SIZE;
	memcpy(tag, in + plain_len, sizeof(tag));
	if (!message_seek(&o->m, index) ||
	    EVP_CIPHER_CTX_ctrl(o->m.ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE, tag) != 1)
		return ark_fail(err, ARK_EIO, "libcrypto could not open a chunk");
	if ((plain_len && EVP_DecryptUpdate(o->m.ctx, plain, &n, in, (int)plain_len) != 1) ||
	    EVP_DecryptFinal_ex(o->m.ctx, tag, &tail) != 1) {
		explicit_bzero(plain, plain_len);
		return ark_fail(
		    err, ARK_ECORRUPT, "sealed chunk %llu is damaged", (unsigned long long)index);
	}
	*ret_len = plain_len;
	return ARK_OK;
}

void opener_free(struct opener *o)
{
	if (!o)
		return;
	message_end(&o->m);
	free(o);
}

/* ---- small things at once ---- */
static int sink_buf(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct buf *out = arg;

	buf_add(out, bytes, len);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for sealed bytes") : ARK_OK;
}

int seal_bytes(const struct seal_key *key, const char *context, const void *plain, size_t len,
    struct buf *out, struct ark_error *err)
{
	size_t before = out->len;
	struct sealer *s = NULL;
	int rc;

	if (!buf_reserve(out, (size_t)seal_sealed_size(len)))
		return ark_fail(err, ARK_ENOMEM, "no memory for sealed bytes");
	rc = sealer_new(key, context, strlen(context), sink_buf, out, &s, err);
	if (!rc)
		rc = sealer_write(s, plain, len, err);
	if (!rc)
		rc = sealer_finish(s, err);
	if (rc)
		out->len = before;
	sealer_free(s);
	return rc;
}

/* Opens all chunks into plain, which has room for them. */
static int open_chunks(struct opener *o, const unsigned char *sealed, size_t len,
    unsigned char *plain, struct ark_error *err)
{
	int rc = ARK_OK;

	for (uint64_t index = 0; !rc && len; index++) {
		size_t take = len < SEAL_BLOCK_SIZE ? len : SEAL_BLOCK_SIZE, got = 0;

		rc = opener_chunk(o, index, sealed, take, plain, &got, err);
		sealed += take;
		len -= take;
		plain += got;
	}
	return rc;
}

int seal_open_bytes(const struct seal_key *key, const char *context, const void *sealed, size_t len,
    struct buf *out, struct ark_error *err)
{
	const unsigned char *in = sealed;
	struct opener o = {0};
	uint64_t plain_len;
	int rc = seal_plain_size(len, &plain_len, err);

	if (rc)
		return rc;
	if (!buf_reserve(out, (size_t)plain_len))
		return ark_fail(err, ARK_ENOMEM, "no memory for %zu bytes", (size_t)plain_len);
	rc = opener_begin(&o, key, context, strlen(context), in, err);
	if (!rc)
		rc = open_chunks(&o, in + SEAL_HEADER_SIZE, len - SEAL_HEADER_SIZE,
		    (unsigned char *)out->data + out->len, err);
	if (rc)
		explicit_bzero(out->data + out->len, (size_t)plain_len);
	else
		out->len += (size_t)plain_len;
	out->data[out->len] = '\0';
	message_end(&o.m);
	return rc;
}
