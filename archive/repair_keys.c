/* keys/ from a copy of the same epoch: only what does not open here and opens there is taken, slot by slot. A slot that
 * was destroyed stays so. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/keyring_private.h"
#include "archive/repair_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { SHARD_MAX = SHARD_HEADER_SIZE + SHARD_SLOTS * SLOT_SIZE };

struct keys_work {
	struct repair *r;
	char here[4096], copy[4096];
	struct keyring *copy_keys; /* NULL: there is no copy that opens */
	struct keyring_root root;
	struct keyring_secrets secrets;
};

/* PATH itself, or in a place of key backups PATH/<archive id>/epoch-<N>. */
static int find_copy(struct keys_work *w, const unsigned char archive_id[16], struct ark_error *err)
{
	char path[4096], hex[33];
	int rc = fs_path(path, err, "%s/secrets", w->r->asked->keys);

	if (rc || fs_exists(path))
		return rc ? rc : fs_path(w->copy, err, "%s", w->r->asked->keys);
	hex_encode(hex, archive_id, 16);
	return fs_path(
	    w->copy, err, "%s/%s/epoch-%u", w->r->asked->keys, hex, (unsigned int)w->root.epoch);
}

/* The id stands in the clear in keys/secrets, and in each shard at the same place but one. */
static int archive_id(struct keys_work *w, unsigned char out[16], struct ark_error *err)
{
	struct buf file = BUF_INIT;
	char path[4096];
	int rc = fs_path(path, err, "%s/secrets", w->here);

	if (!rc)
		rc = fs_read_file(path, 4096, &file, err);
	if (!rc && file.len < 32)
		rc = ark_fail(err, ARK_ECORRUPT, "%s is cut", path);
	if (!rc)
		memcpy(out, file.data + 16, 16);
	buf_free(&file);
	return rc;
}

static int open_copy(struct keys_work *w, struct ark_error *err)
{
	unsigned char id[16] = {0};
	int rc;

	if (!w->r->asked->keys)
		return ARK_OK;
	(void)!archive_id(w, id, NULL); /* where it cannot be read, PATH must be the copy itself */
	rc = find_copy(w, id, err);
	return rc ? rc : keyring_open(w->copy, w->r->asked->root_key, 0, &w->copy_keys, err);
}

static int mend_secrets(struct keys_work *w, struct ark_error *err)
{
	struct buf file = BUF_INIT;
	struct ark_error why;
	char from[4096], to[4096];
	int rc = keyring_secrets_read(w->here, w->r->asked->root_key, &w->root, &w->secrets, &why);

	if (!rc)
		return ARK_OK;
	repair_damaged(w->r, "keys/secrets: %s", why.text);
	if (!w->copy_keys) {
		repair_lost(w->r, "keys/secrets: without them nothing can be opened; give a key "
				  "backup by --keys");
		return ARK_OK;
	}
	rc = fs_path(from, err, "%s/secrets", w->copy);
	if (!rc)
		rc = fs_path(to, err, "%s/secrets", w->here);
	if (!rc)
		rc = fs_read_file(from, 4096, &file, err);
	if (!rc && !w->r->asked->dry_run)
		rc = fs_replace_file(to, file.data, file.len, 0600, err);
	if (!rc) {
		w->secrets = *keyring_secrets(w->copy_keys);
		repair_mended(w->r, "keys/secrets, from %s", w->copy);
	}
	buf_wipe_free(&file);
	return rc;
}

/* ---- shards ---- */

struct shard {
	struct buf bytes;
	struct seal_key key;
	bool opens; /* its header */
};

static bool open_header(const struct keys_work *w, const char *dir, uint32_t number,
    struct shard *s, struct ark_error *err)
{
	const struct shard_id id = {number, w->root.epoch, SHARD_SLOTS, w->secrets.archive_id};
	char path[4096];
	FILE *f;

	if (shard_path(path, dir, number, err) || fs_read_file(path, SHARD_MAX, &s->bytes, err))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	s->opens = shard_read_header(fileno(f), &id, &w->root.key, &s->key, err) == ARK_OK;
	fclose(f);
	return s->opens;
}

static size_t slots_in(const struct shard *s)
{
	return s->bytes.len < SHARD_HEADER_SIZE ? 0
						: (s->bytes.len - SHARD_HEADER_SIZE) / SLOT_SIZE;
}

/* Zeros at the end of a shard were never acknowledged: the next writer cuts them off. */
static size_t slots_used(const struct shard *s)
{
	size_t n = slots_in(s);

	while (n && sodium_is_zero((const unsigned char *)s->bytes.data + SHARD_HEADER_SIZE +
				       (n - 1) * SLOT_SIZE,
			SLOT_SIZE))
		n--;
	return n;
}

static bool slot_good(const struct keys_work *w, uint32_t number, const struct shard *s, size_t i)
{
	const struct shard_id id = {number, w->root.epoch, SHARD_SLOTS, w->secrets.archive_id};
	const unsigned char *bytes =
	    (const unsigned char *)s->bytes.data + SHARD_HEADER_SIZE + i * SLOT_SIZE;
	struct seal_key key;

	if (i >= slots_in(s))
		return false;
	if (slot_is_destroyed(bytes))
		return true;
	if (slot_unwrap(bytes, &id, (uint64_t)number * SHARD_SLOTS + i, &s->key, &key, NULL))
		return false;
	seal_key_wipe(&key);
	return true;
}

/* Both shards share one key: a copy of an epoch is byte for byte. *ret: the shard as it should be. */
static int merge_shard(struct keys_work *w, uint32_t number, const struct shard *here,
    const struct shard *copy, struct buf *ret, struct ark_error *err)
{
	const struct shard *best = here->opens ? here : copy;
	size_t mine_len = slots_used(here), other = slots_used(copy);
	size_t n = mine_len > other ? mine_len : other;
	struct shard mine = {.bytes = here->bytes, .key = best->key};

	if (!here->opens)
		repair_mended(w->r, "the header of keys/shard-%06u", (unsigned int)number);
	buf_add(ret, best->bytes.data, SHARD_HEADER_SIZE);
	for (size_t i = 0; i < n; i++) {
		const char *bytes = here->bytes.data;
		bool good = slot_good(w, number, &mine, i);

		if (!good) {
			unsigned long long slot = (unsigned long long)number * SHARD_SLOTS + i;

			repair_damaged(w->r, "key slot %llu does not open", slot);
			if (copy->opens && slot_good(w, number, copy, i)) {
				bytes = copy->bytes.data;
				repair_mended(w->r, "key slot %llu", slot);
			} else {
				repair_lost(w->r,
				    "key slot %llu: what is sealed under it opens no more", slot);
				if (i >= slots_in(here))
					continue;
			}
		}
		buf_add(ret, bytes + SHARD_HEADER_SIZE + i * SLOT_SIZE, SLOT_SIZE);
	}
	return buf_failed(ret) ? ark_fail(err, ARK_ENOMEM, "no memory for a key shard") : ARK_OK;
}

static int write_shard(
    struct keys_work *w, uint32_t number, const struct buf *bytes, struct ark_error *err)
{
	char path[4096];
	int rc = shard_path(path, w->here, number, err);

	if (!rc)
		rc = fs_replace_file(path, bytes->data, bytes->len, 0600, err);
	return rc;
}

/* 1: mended or sound; 0: there is no such shard here nor there. */
static int mend_shard(struct keys_work *w, uint32_t number, struct ark_error *err)
{
	struct shard here = {.bytes = BUF_INIT}, copy = {.bytes = BUF_INIT};
	struct buf whole = BUF_INIT;
	struct ark_error why = {0};
	uint64_t mended = w->r->result->mended;
	int rc = 1;

	(void)open_header(w, w->here, number, &here, &why);
	if (w->copy_keys)
		(void)open_header(w, w->copy, number, &copy, NULL);
	if (!here.bytes.len && !copy.bytes.len) {
		rc = 0;
		goto out;
	}
	if (!here.opens)
		repair_damaged(w->r, "keys/shard-%06u: %s", (unsigned int)number, why.text);
	if (!here.opens && !copy.opens) {
		repair_lost(w->r,
		    "the %zu key slots of keys/shard-%06u; give a key backup by --keys",
		    slots_in(&here), (unsigned int)number);
		goto out;
	}
	rc = merge_shard(w, number, &here, &copy, &whole, err);
	if (!rc && w->r->result->mended != mended && !w->r->asked->dry_run)
		rc = write_shard(w, number, &whole, err);
	rc = rc ? rc : 1;
out:
	buf_wipe_free(&here.bytes);
	buf_wipe_free(&copy.bytes);
	buf_wipe_free(&whole);
	seal_key_wipe(&here.key);
	seal_key_wipe(&copy.key);
	return rc;
}

int repair_keys(struct repair *r, struct ark_error *err)
{
	struct keys_work *w = calloc(1, sizeof(*w));
	int rc = w ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the keys");

	if (rc)
		return rc;
	w->r = r;
	rc = fs_path(w->here, err, "%s/keys", r->asked->dir);
	if (!rc)
		rc = keyring_root_read(r->asked->root_key, &w->root, err);
	if (!rc)
		rc = open_copy(w, err);
	if (!rc)
		rc = mend_secrets(w, err);
	if (!rc && r->result->lost)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "without keys/secrets nothing else can be judged; the rest was not looked at");
	for (uint32_t n = 0; !rc && n <= SHARD_NUMBER_MAX; n++) {
		int step = mend_shard(w, n, err);

		rc = step < 0 ? step : ARK_OK;
		if (step == 0)
			break;
	}
	/* a dry run goes on with the copy, where the archive's own do not open */
	if (!rc && keyring_open(w->here, r->asked->root_key, 0, &r->keys, err))
		rc = r->asked->dry_run && w->copy_keys
			 ? keyring_open(w->copy, r->asked->root_key, 0, &r->keys, err)
			 : ARK_ECORRUPT;
	keyring_close(w->copy_keys);
	sodium_memzero(w, sizeof(*w));
	free(w);
	return rc;
}
