/* The root key as SLIP-39 shares, and back. */
#include "arkki/archive/key_shares.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "archive/keyring_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"

/* In locked memory. */
struct opened {
	struct keyring_root root;
	struct keyring_secrets secrets;
	unsigned char joined[SLIP39_SECRET_MAX];
};

static int opened_new(struct opened **ret, struct ark_error *err)
{
	*ret = sodium_init() < 0 ? NULL : sodium_malloc(sizeof(**ret));
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a key");
}

int key_shares_make(const char *keys_dir, const char *root_path, unsigned int needed,
    unsigned int shares, char ret[][SLIP39_TEXT_SIZE], uint32_t *ret_epoch, struct ark_error *err)
{
	struct opened *o = NULL;
	int rc = opened_new(&o, err);

	if (!rc)
		rc = keyring_root_read(root_path, &o->root, err);
	if (!rc)
		rc = keyring_secrets_read(keys_dir, root_path, &o->root, &o->secrets, err);
	if (!rc)
		rc = slip39_split(
		    o->root.key.bytes, sizeof(o->root.key.bytes), needed, shares, ret, err);
	if (!rc)
		*ret_epoch = o->root.epoch;
	sodium_free(o);
	return rc;
}

int key_shares_join(const char *const *mnemonics, size_t n, const char *keys_dir, uint32_t epoch,
    const char *out, struct ark_error *err)
{
	struct opened *o = NULL;
	size_t len = 0;
	int rc = opened_new(&o, err);

	if (!rc)
		rc = slip39_join(mnemonics, n, "", o->joined, &len, err);
	if (!rc && len != SEAL_KEY_SIZE)
		rc = ark_fail(err, ARK_EINPUT,
		    "these are shares of something else: %zu bytes, and a root "
		    "key has %d",
		    len, SEAL_KEY_SIZE);
	if (!rc)
		memcpy(o->root.key.bytes, o->joined, SEAL_KEY_SIZE);
	if (!rc && keys_dir)
		rc = keyring_epoch_on_disk(keys_dir, &epoch, err);
	if (rc)
		goto out;
	o->root.epoch = epoch;
	if (keys_dir)
		rc = keyring_secrets_read(keys_dir, "these shares", &o->root, &o->secrets, err);
	if (rc == ARK_EINPUT)
		rc = ark_fail(err, ARK_EINPUT,
		    "the shares are whole, but their key does not open %s (epoch %u): they are "
		    "another "
		    "archive's, or older than the last change of keys",
		    keys_dir, (unsigned int)epoch);
	if (!rc)
		rc = keyring_root_write(out, &o->root, err);
out:
	sodium_free(o);
	return rc;
}

int key_shares_note(const char *dir, uint32_t epoch, unsigned int needed, unsigned int shares,
    struct ark_error *err)
{
	char path[4096], at[CLOCK_TEXT_SIZE], text[200];
	int rc = fs_path(path, err, "%s/key-shares.json", dir), n;

	if (rc)
		return rc;
	clock_format(at, clock_now_us());
	n = snprintf(text, sizeof(text),
	    "{\"epoch\":%u,\"needed\":%u,\"shares\":%u,\"at\":\"%s\"}\n", (unsigned int)epoch,
	    needed, shares, at);
	return fs_replace_file(path, text, (size_t)n, 0600, err);
}

int key_shares_epoch(const char *dir, uint32_t *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	json_t *file = NULL;
	char path[4096];
	int rc = fs_path(path, err, "%s/key-shares.json", dir);

	if (!rc)
		rc = fs_read_file(path, 4096, &text, err);
	if (rc == ARK_ENOTFOUND) {
		*ret = 0;
		return ARK_OK;
	}
	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, &file, err);
	if (!rc)
		*ret = (uint32_t)json_integer_value(json_object_get(file, "epoch"));
	json_decref(file);
	buf_free(&text);
	return rc ? ark_fail_within(err, rc, "%s", path) : ARK_OK;
}
