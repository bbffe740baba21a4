/* SSHSIG against what ssh-keygen made. */
#include "tests/unit/unit.h"

#include "archive/git_sign.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static json_t *vectors(const char *test)
{
	struct buf text = BUF_INIT;
	char path[512];
	json_t *root = NULL;

	unit_corpus(path, "tlog/sshsig/sshsig-ed25519.json", test);
	assert_int_equal(fs_read_file(path, 1 << 20, &text, NULL), 0);
	assert_int_equal(json_read(text.data, text.len, &root, NULL), 0);
	buf_free(&text);
	return root;
}

static struct gitsign *signer(const json_t *root)
{
	unsigned char seed[32];
	struct gitsign *s = NULL;

	assert_true(hex_decode(seed, 32, json_text(root, "seed_hex_TEST_ONLY"), 64));
	assert_int_equal(gitsign_new(seed, &s, NULL), 0);
	return s;
}

static bool ours(const json_t *v)
{
	return strcmp(json_text(v, "namespace"), "git") == 0 &&
	       strcmp(json_text(v, "hash"), "sha512") == 0;
}

static void test_gitsign__makes_the_bytes_of_ssh_keygen(void **state)
{
	json_t *root = vectors("test_gitsign__makes_the_bytes_of_ssh_keygen");
	struct gitsign *s = signer(root);
	struct buf message = BUF_INIT, out = BUF_INIT;
	size_t i, n = 0;
	json_t *v;

	(void)state;
	gitsign_public(s, &out);
	assert_string_equal(out.data, json_text(root, "public_key"));
	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		const char *text = json_text(v, "message_b64");
		const char *want = json_text(v, "signature");

		buf_clear(&message);
		buf_clear(&out);
		assert_true(base64_decode(&message, text, strlen(text)));
		assert_int_equal(gitsign_sign(s, message.data, message.len, &out, NULL), 0);
		assert_int_equal(strcmp(out.data, want) == 0, ours(v));
		assert_int_equal(
		    gitsign_verify(s, message.data, message.len, want, strlen(want)), ours(v));
		n += ours(v);
	}
	assert_true(n >= 3);
	buf_free(&message);
	buf_free(&out);
	gitsign_free(s);
	json_decref(root);
}

static void test_gitsign__a_changed_byte_anywhere_is_refused(void **state)
{
	static const unsigned char seed[32] = {1}, other_seed[32] = {2};
	struct gitsign *s = NULL, *other = NULL;
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(gitsign_new(seed, &s, NULL), 0);
	assert_int_equal(gitsign_new(other_seed, &other, NULL), 0);
	assert_int_equal(gitsign_sign(s, "message", 7, &out, NULL), 0);
	assert_true(gitsign_verify(s, "message", 7, out.data, out.len));
	assert_false(gitsign_verify(s, "messagf", 7, out.data, out.len));
	assert_false(gitsign_verify(other, "message", 7, out.data, out.len));
	for (size_t i = 0; i < out.len; i++) {
		out.data[i] ^= 1;
		assert_false(gitsign_verify(s, "message", 7, out.data, out.len));
		assert_false(gitsign_verify(s, "message", 7, out.data, i));
		out.data[i] ^= 1;
	}
	buf_free(&out);
	gitsign_free(s);
	gitsign_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gitsign__makes_the_bytes_of_ssh_keygen),
	    cmocka_unit_test(test_gitsign__a_changed_byte_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
