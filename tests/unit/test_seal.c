/* Sealing: the C2SP vectors through every interface, and damage of every kind. */
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <zlib.h>

#include "archive/seal_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static int sink_into(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	(void)err;
	buf_add(arg, bytes, len);
	return buf_failed(arg) ? ARK_ENOMEM : ARK_OK;
}

/* ---- one vector ---- */
struct vector {
	const json_t *json;
	bool valid;
	bool key_fits;
	struct seal_key key;
	struct seal_derived raw;
	unsigned char context[64];
	size_t context_len;
	struct buf sealed;
	struct buf plain; /* what came out of the last opening */
};

static bool flag(const struct vector *v, const char *name)
{
	const json_t *flags = json_object_get(v->json, "flags");
	size_t i;
	json_t *f;

	json_array_foreach((json_t *)(uintptr_t)flags, i, f)
	{
		if (strcmp(json_string_value(f), name) == 0)
			return true;
	}
	return false;
}

static void inflate_hex(const char *hex, struct buf *out)
{
	size_t len = strlen(hex) / 2;
	unsigned char *packed = malloc(len + 1);
	uLongf room = 8 << 20;

	assert_non_null(packed);
	assert_true(hex_decode(packed, len, hex, 2 * len));
	assert_true(buf_reserve(out, room));
	assert_int_equal(uncompress((unsigned char *)out->data, &room, packed, len), Z_OK);
	out->len = room;
	free(packed);
}

static void vector_read(struct vector *v, const json_t *json)
{
	const char *key = json_text(json, "key"), *context = json_text(json, "ctx");
	const char *raw_key = json_text(json, "aeadKey"), *nonce = json_text(json, "baseNonce");

	*v = (struct vector){.json = json};
	v->valid = strcmp(json_text(json, "result"), "valid") == 0;
	v->key_fits = hex_decode(v->key.bytes, sizeof(v->key.bytes), key, strlen(key));
	v->context_len = strlen(context) / 2;
	assert_true(v->context_len <= sizeof(v->context));
	assert_true(hex_decode(v->context, v->context_len, context, strlen(context)));
	if (raw_key) {
		assert_true(hex_decode(v->raw.key, sizeof(v->raw.key), raw_key, strlen(raw_key)));
		assert_true(hex_decode(v->raw.nonce, sizeof(v->raw.nonce), nonce, strlen(nonce)));
	}
	inflate_hex(json_text(json, "ct"), &v->sealed);
}

static bool plain_is_message(const struct vector *v)
{
	json_int_t want = json_integer_value(json_object_get(v->json, "msgLength"));
	unsigned char digest[64];
	char hex[129];

	if (!json_object_get(v->json, "msgLength"))
		return v->plain.len == 0;
	assert_int_equal(EVP_Q_digest(NULL, "SHA512", NULL, v->plain.data ? v->plain.data : "",
			     v->plain.len, digest, NULL),
	    1);
	hex_encode(hex, digest, sizeof(digest));
	return v->plain.len == (size_t)want && strcmp(hex, json_text(v->json, "msgSha512")) == 0;
}

/* Chunk after chunk into v->plain, without knowing the length before. */
static int stream(struct vector *v, struct opener *o)
{
	const char *p = v->sealed.data + SEAL_HEADER_SIZE;
	size_t left = v->sealed.len - SEAL_HEADER_SIZE;

	buf_clear(&v->plain);
	for (uint64_t k = 0;; k++) {
		size_t take = left < SEAL_BLOCK_SIZE ? left : SEAL_BLOCK_SIZE, got = 0;
		unsigned char out[SEAL_CHUNK_SIZE];
		int rc = opener_chunk(o, k, p, take, out, &got, NULL);

		if (rc)
			return rc;
		buf_add(&v->plain, out, got);
		p += take;
		left -= take;
		if (take < SEAL_BLOCK_SIZE)
			return left ? ARK_ECORRUPT : ARK_OK;
	}
}

/* The chunks from the last to the first, as a reader that seeks would. */
static int backwards(struct vector *v, struct opener *o, int *ret_last)
{
	uint64_t size = 0, chunks;
	int rc = seal_plain_size(v->sealed.len, &size, NULL);

	*ret_last = rc;
	if (rc)
		return rc;
	buf_clear(&v->plain);
	assert_true(buf_reserve(&v->plain, size));
	chunks = size / SEAL_CHUNK_SIZE + 1;
	for (uint64_t k = chunks; k--;) {
		uint64_t at = SEAL_HEADER_SIZE + k * SEAL_BLOCK_SIZE;
		size_t take = k + 1 < chunks ? SEAL_BLOCK_SIZE : v->sealed.len - at, got = 0;

		rc = opener_chunk(o, k, v->sealed.data + at, take,
		    v->plain.data + k * SEAL_CHUNK_SIZE, &got, NULL);
		if (k + 1 == chunks)
			*ret_last = rc;
		if (rc)
			return rc;
	}
	v->plain.len = size;
	return ARK_OK;
}

static void check_whole(struct vector *v)
{
	char context[65];
	int rc;

	if (memchr(v->context, 0, v->context_len))
		return;
	memcpy(context, v->context, v->context_len);
	context[v->context_len] = '\0';
	buf_clear(&v->plain);
	rc = seal_open_bytes(&v->key, context, v->sealed.data, v->sealed.len, &v->plain, NULL);
	assert_int_equal(rc, v->valid ? ARK_OK : ARK_ECORRUPT);
	if (v->valid)
		assert_true(plain_is_message(v));
	else
		assert_int_equal(v->plain.len, 0);
}

static void check_chunks(struct vector *v, struct opener *o)
{
	int last, rc;

	assert_int_equal(stream(v, o), v->valid ? ARK_OK : ARK_ECORRUPT);
	assert_true(plain_is_message(v)); /* or exactly the good prefix */
	rc = backwards(v, o, &last);
	assert_int_equal(rc, v->valid ? ARK_OK : ARK_ECORRUPT);
	assert_int_equal(last, v->valid || flag(v, "ValidFinalChunk") ? ARK_OK : ARK_ECORRUPT);
}

static void check_sealing(struct vector *v)
{
	struct buf again = BUF_INIT;
	struct sealer *s = NULL;

	/* in raw mode, in odd pieces */
	assert_int_equal(sealer_new_raw(&v->raw, sink_into, &again, &s, NULL), ARK_OK);
	for (size_t at = 0, take; at < v->plain.len; at += take) {
		take = 1 + (at * 7 + 4099) % 40000;
		take = take < v->plain.len - at ? take : v->plain.len - at;
		assert_int_equal(sealer_write(s, v->plain.data + at, take, NULL), ARK_OK);
	}
	assert_int_equal(sealer_finish(s, NULL), ARK_OK);
	sealer_free(s);
	assert_int_equal(again.len, v->sealed.len - SEAL_HEADER_SIZE);
	assert_memory_equal(again.data, v->sealed.data + SEAL_HEADER_SIZE, again.len);

	/* with the vector's salt, at once */
	buf_clear(&again);
	assert_int_equal(sealer_new_salted(&v->key, (unsigned char *)v->sealed.data, v->context,
			     v->context_len, sink_into, &again, &s, NULL),
	    ARK_OK);
	assert_int_equal(sealer_write(s, v->plain.data, v->plain.len, NULL), ARK_OK);
	assert_int_equal(sealer_finish(s, NULL), ARK_OK);
	assert_int_equal(sealer_finish(s, NULL), ARK_EINPUT);
	sealer_free(s);
	assert_int_equal(again.len, v->sealed.len);
	assert_memory_equal(again.data, v->sealed.data, again.len);
	assert_int_equal(seal_sealed_size(v->plain.len), v->sealed.len);
	buf_free(&again);
}

static void vector_check(struct vector *v)
{
	struct opener *o = NULL;
	int rc = ARK_ECORRUPT;

	if (!v->key_fits) {
		assert_true(flag(v, "InvalidKeySize")); /* struct seal_key holds no other size */
		return;
	}
	check_whole(v);
	if (v->sealed.len >= SEAL_HEADER_SIZE)
		rc = opener_new(
		    &v->key, v->context, v->context_len, (unsigned char *)v->sealed.data, &o, NULL);
	assert_int_equal(rc, flag(v, "HeaderFailure") ? ARK_ECORRUPT : ARK_OK);
	if (rc)
		return;
	check_chunks(v, o);
	opener_free(o);
	assert_int_equal(opener_new_raw(&v->raw, &o, NULL), ARK_OK);
	check_chunks(v, o);
	opener_free(o);
	if (v->valid)
		check_sealing(v);
}

static void test_seal__c2sp_vectors_whole_streaming_random_access_and_raw(void **state)
{
	json_t *root = NULL, *groups, *tests, *group, *test;
	size_t i, j, count = 0;
	struct buf text = BUF_INIT;
	char path[512];

	(void)state;
	unit_corpus(
	    path, "tlog/wycheproof/c2sp_chunked_encryption_aes_256_gcm_test.json", __func__);
	assert_int_equal(fs_read_file(path, 1 << 20, &text, NULL), ARK_OK);
	assert_int_equal(json_read(text.data, text.len, &root, NULL), ARK_OK);
	groups = json_object_get(root, "testGroups");
	json_array_foreach(groups, i, group)
	{
		tests = json_object_get(group, "tests");
		json_array_foreach(tests, j, test)
		{
			struct vector v;

			vector_read(&v, test);
			vector_check(&v);
			buf_free(&v.sealed);
			buf_free(&v.plain);
			count++;
		}
	}
	assert_int_equal(count, 35);
	json_decref(root);
	buf_free(&text);
}

/* ---- our own ---- */
static void fill(unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)(i * 31 + (i >> 8));
}

static void test_seal__any_flipped_bit_is_corrupt_and_gives_nothing(void **state)
{
	unsigned char plain[200];
	struct buf sealed = BUF_INIT, out = BUF_INIT;
	struct ark_error err;
	struct seal_key key;

	(void)state;
	fill(plain, sizeof(plain));
	seal_key_generate(&key);
	assert_int_equal(seal_bytes(&key, "meta 1", plain, sizeof(plain), &sealed, &err), ARK_OK);
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		sealed.data[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(
		    seal_open_bytes(&key, "meta 1", sealed.data, sealed.len, &out, &err),
		    ARK_ECORRUPT);
		assert_int_equal(out.len, 0);
		sealed.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(
		    seal_open_bytes(&key, "meta 1", sealed.data, len, &out, &err), ARK_ECORRUPT);
	assert_int_equal(
	    seal_open_bytes(&key, "meta 2", sealed.data, sealed.len, &out, &err), ARK_ECORRUPT);
	assert_int_equal(
	    seal_open_bytes(&key, "meta 1", sealed.data, sealed.len, &out, &err), ARK_OK);
	assert_int_equal(out.len, sizeof(plain));
	assert_memory_equal(out.data, plain, sizeof(plain));
	buf_free(&sealed);
	buf_free(&out);
}

static void test_seal__a_full_size_message_cut_at_any_chunk_is_corrupt(void **state)
{
	size_t len = 3 * SEAL_CHUNK_SIZE;
	unsigned char *plain = malloc(len);
	struct buf sealed = BUF_INIT, out = BUF_INIT;
	struct seal_key key;

	(void)state;
	assert_non_null(plain);
	fill(plain, len);
	seal_key_generate(&key);
	assert_int_equal(seal_bytes(&key, "c", plain, len, &sealed, NULL), ARK_OK);
	assert_int_equal(sealed.len, seal_sealed_size(len));
	for (size_t k = 0; k <= 3; k++) {
		size_t cut = SEAL_HEADER_SIZE + k * SEAL_BLOCK_SIZE;

		assert_int_equal(
		    seal_open_bytes(&key, "c", sealed.data, cut, &out, NULL), ARK_ECORRUPT);
		/* a whole number of chunks and a tag's worth of the next */
		assert_int_equal(seal_open_bytes(&key, "c", sealed.data,
				     k < 3 ? cut + SEAL_TAG_SIZE : cut + 1, &out, NULL),
		    ARK_ECORRUPT);
		assert_int_equal(out.len, 0);
	}
	assert_int_equal(seal_open_bytes(&key, "c", sealed.data, sealed.len, &out, NULL), ARK_OK);
	assert_memory_equal(out.data, plain, len);
	free(plain);
	buf_free(&sealed);
	buf_free(&out);
}

static void test_seal__two_sealings_of_equal_bytes_differ(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct seal_key key;

	(void)state;
	seal_key_generate(&key);
	assert_int_equal(seal_bytes(&key, "c", "same", 4, &a, NULL), ARK_OK);
	assert_int_equal(seal_bytes(&key, "c", "same", 4, &b, NULL), ARK_OK);
	assert_memory_not_equal(a.data, b.data, SEAL_SALT_SIZE);
	assert_memory_not_equal(
	    a.data + SEAL_HEADER_SIZE, b.data + SEAL_HEADER_SIZE, a.len - SEAL_HEADER_SIZE);
	buf_free(&a);
	buf_free(&b);
}

static void test_seal__sizes_go_both_ways_and_impossible_ones_are_corrupt(void **state)
{
	static const uint64_t sizes[] = {
	    0, 1, 16383, 16384, 16385, 32768, 100000, UINT64_C(4) << 30, (UINT64_C(1) << 52) - 1};
	uint64_t plain;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(seal_plain_size(seal_sealed_size(sizes[i]), &plain, NULL), ARK_OK);
		assert_int_equal(plain, sizes[i]);
	}
	assert_int_equal(seal_sealed_size(UINT64_C(1) << 52), UINT64_MAX);
	assert_int_equal(seal_sealed_size(UINT64_MAX), UINT64_MAX);
	assert_int_equal(seal_plain_size(UINT64_MAX, &plain, NULL), ARK_ECORRUPT);
	assert_int_equal(seal_plain_size(71, &plain, NULL), ARK_ECORRUPT);
	assert_int_equal(seal_plain_size(72, &plain, NULL), ARK_OK);
	assert_int_equal(seal_plain_size(56 + 16400, &plain, NULL), ARK_ECORRUPT);
	assert_int_equal(seal_plain_size(56 + 16400 + 15, &plain, NULL), ARK_ECORRUPT);
	assert_int_equal(seal_plain_size(56 + 16400 + 16, &plain, NULL), ARK_OK);
}

struct failing {
	int calls_left;
};

static int sink_fails(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct failing *f = arg;

	(void)bytes, (void)len;
	return f->calls_left-- > 0 ? ARK_OK : ark_fail(err, ARK_EIO, "the disk is full");
}

static void test_seal__a_sink_that_fails_is_reported_and_sticks(void **state)
{
	static const unsigned char chunk[SEAL_CHUNK_SIZE];
	struct seal_key key;

	(void)state;
	seal_key_generate(&key);
	for (int n = 0; n < 3; n++) {
		struct failing f = {n};
		struct sealer *s = NULL;
		struct ark_error err;
		int rc = sealer_new(&key, "c", 1, sink_fails, &f, &s, &err);

		if (n == 0) {
			assert_int_equal(rc, ARK_EIO);
			assert_null(s);
			continue;
		}
		assert_int_equal(rc, ARK_OK);
		assert_int_equal(
		    sealer_write(s, chunk, sizeof(chunk), &err), n == 1 ? ARK_EIO : ARK_OK);
		f.calls_left = n == 1;
		assert_int_equal(sealer_finish(s, &err), ARK_EIO);
		sealer_free(s);
	}
}

static void test_sha256__pieces_and_reuse_agree_with_the_whole(void **state)
{
	static const unsigned char abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41,
	    0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a,
	    0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
	/* RFC 4231, cases 2 and 6 */
	static const unsigned char jefe[32] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a,
	    0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39,
	    0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
	static const char large_key[] =
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
	unsigned char key[131], out[32];
	struct sha256 *h = sha256_new();
	char hex[65];

	(void)state;
	assert_non_null(h);
	for (int i = 0; i < 2; i++) {
		sha256_update(h, "a", 1);
		sha256_update(h, "bc", 2);
		sha256_final(h, out);
		assert_memory_equal(out, abc, 32);
	}
	sha256_free(h);
	sha256_free(NULL);
	sha256_of("abc", 3, out);
	assert_memory_equal(out, abc, 32);
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_memory_equal(out, jefe, 32);
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(
	    key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
	hex_encode(hex, out, 32);
	assert_string_equal(hex, large_key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_seal__c2sp_vectors_whole_streaming_random_access_and_raw),
	    cmocka_unit_test(test_seal__any_flipped_bit_is_corrupt_and_gives_nothing),
	    cmocka_unit_test(test_seal__a_full_size_message_cut_at_any_chunk_is_corrupt),
	    cmocka_unit_test(test_seal__two_sealings_of_equal_bytes_differ),
	    cmocka_unit_test(test_seal__sizes_go_both_ways_and_impossible_ones_are_corrupt),
	    cmocka_unit_test(test_seal__a_sink_that_fails_is_reported_and_sticks),
	    cmocka_unit_test(test_sha256__pieces_and_reuse_agree_with_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
