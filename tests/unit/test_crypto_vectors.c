/* Published vectors through the primitives that we lean on: our HKDF, and
 * libsodium as installed (key slots, signatures). */
#include "tests/unit/unit.h"

#include <sodium.h>

#include "archive/digest_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

typedef void (*each_vector)(const json_t *group, const json_t *test, bool valid);

/* Calls each() for every vector of a Wycheproof file; returns how many there were. */
static size_t vectors(const char *name, const char *test_name, each_vector each)
{
	json_t *root = NULL, *tests, *group, *test;
	struct buf text = BUF_INIT;
	char path[512], below[128];
	size_t i, j, n = 0;

	snprintf(below, sizeof(below), "tlog/wycheproof/%s", name);
	unit_corpus(path, below, test_name);
	assert_int_equal(fs_read_file(path, 4 << 20, &text, NULL), ARK_OK);
	assert_int_equal(json_read(text.data, text.len, &root, NULL), ARK_OK);
	json_array_foreach(json_object_get(root, "testGroups"), i, group)
	{
		tests = json_object_get(group, "tests");
		json_array_foreach(tests, j, test)
		{
			each(group, test, strcmp(json_text(test, "result"), "valid") == 0);
			n++;
		}
	}
	json_decref(root);
	buf_free(&text);
	return n;
}

struct bytes {
	size_t len;
	unsigned char at[16384]; /* HKDF gives up to 16,320 */
};

static struct bytes bytes_at(const json_t *object, const char *key)
{
	const char *hex = json_text(object, key);
	struct bytes b = {.len = strlen(hex) / 2};

	assert_true(b.len <= sizeof(b.at));
	assert_true(hex_decode(b.at, b.len, hex, strlen(hex)));
	return b;
}

static void check_hkdf(const json_t *group, const json_t *test, bool valid)
{
	struct bytes ikm = bytes_at(test, "ikm"), salt = bytes_at(test, "salt");
	struct bytes info = bytes_at(test, "info"), okm = bytes_at(test, "okm");
	size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
	const struct digest_part key = {ikm.at, ikm.len}, part = {info.at, info.len};
	unsigned char prk[64], out[255 * 64 + 1];

	(void)group;
	assert_true(size <= sizeof(out));
	hmac_sha512(salt.at, salt.len, &key, 1, prk);
	assert_int_equal(hkdf_expand_sha512(prk, sizeof(prk), &part, 1, out, size), valid);
	if (valid && okm.len == size)
		assert_memory_equal(out, okm.at, size);
}

static void test_hkdf__wycheproof_sha512(void **state)
{
	(void)state;
	assert_int_equal(vectors("hkdf_sha512_test.json", __func__, check_hkdf), 83);
}

static void check_xchacha(const json_t *group, const json_t *test, bool valid)
{
	struct bytes key = bytes_at(test, "key"), iv = bytes_at(test, "iv");
	struct bytes aad = bytes_at(test, "aad"), msg = bytes_at(test, "msg");
	struct bytes ct = bytes_at(test, "ct"), tag = bytes_at(test, "tag");
	unsigned char plain[16384];

	(void)group;
	if (key.len != 32 || iv.len != 24 || tag.len != 16) {
		assert_false(valid);
		return;
	}
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
			     plain, NULL, ct.at, ct.len, tag.at, aad.at, aad.len, iv.at, key.at),
	    valid ? 0 : -1);
	if (valid)
		assert_memory_equal(plain, msg.at, msg.len);
}

static void test_sodium__wycheproof_xchacha20_poly1305(void **state)
{
	(void)state;
	assert_int_equal(vectors("xchacha20_poly1305_test.json", __func__, check_xchacha), 315);
}

static void check_ed25519(const json_t *group, const json_t *test, bool valid)
{
	struct bytes pk = bytes_at(json_object_get(group, "publicKey"), "pk");
	struct bytes msg = bytes_at(test, "msg"), sig = bytes_at(test, "sig");

	assert_int_equal(pk.len, 32);
	if (sig.len != 64)
		assert_false(valid);
	else
		assert_int_equal(
		    crypto_sign_verify_detached(sig.at, msg.at, msg.len, pk.at), valid ? 0 : -1);
}

static void test_sodium__wycheproof_ed25519(void **state)
{
	(void)state;
	assert_int_equal(vectors("ed25519_test.json", __func__, check_ed25519), 151);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hkdf__wycheproof_sha512),
	    cmocka_unit_test(test_sodium__wycheproof_xchacha20_poly1305),
	    cmocka_unit_test(test_sodium__wycheproof_ed25519),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
