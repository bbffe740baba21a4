/* The bytes of a shard file, DIR/keys/shard-NNNNNN (six decimal digits).
 * Integers are big-endian; AEAD is XChaCha20-Poly1305-IETF (24-byte nonce,
 * 16-byte tag), its output written as nonce || ciphertext || tag.
 *
 *   offset size
 *        0    8  "ARKKISHD"
 *        8    4  format, 1
 *       12    4  shard number, as in the file name
 *       16    4  epoch of the root key
 *       20    4  slots in a full shard, 16384
 *       24   16  archive id
 *       40   72  AEAD(root key, random nonce, AAD = "arkki-shard-v1" || bytes 0…39, shard key[32])
 *      112   16  zero
 *      128   72  slot 0 of this shard, then slot 1 …
 *
 * Slot n of the archive is slot n % 16384 of shard n / 16384:
 *   AEAD(shard key, random nonce,
 *        AAD = "arkki-slot-v1" || archive id[16] || shard number[4] || epoch[4] || n[8],
 *        data key[32]),
 * or 72 bytes 0xff when its key was destroyed.
 *
 * Invariants: the header appears whole, by a rename after a sync; slots are
 * only appended, and whole slots are never cut off; a part of a slot, or slots
 * of zeros, at the end are what a crash left of a write that was never acknowledged. */
#include "archive/keyring_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum {
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	WRAPPED_AT = 40,
	ZERO_AT = WRAPPED_AT + SLOT_SIZE,
	HEADER_AAD_SIZE = 14 + WRAPPED_AT,
	SLOT_AAD_SIZE = 13 + 16 + 4 + 4 + 8,
	TAIL_RUN = 64, /* slots read at once when looking for the end */
};

static const char magic[8] = {'A', 'R', 'K', 'K', 'I', 'S', 'H', 'D'};

_Static_assert(NONCE_SIZE + SEAL_KEY_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES == SLOT_SIZE,
    "a slot is a nonce, a key and a tag");
_Static_assert(SHARD_HEADER_SIZE - ZERO_AT == 16, "the header ends in 16 zero bytes");

/* The fields before the wrapped key. */
static void header_fields(unsigned char out[WRAPPED_AT], const struct shard_id *id)
{
	memcpy(out, magic, sizeof(magic));
	be32_put(out + 8, 1);
	be32_put(out + 12, id->number);
	be32_put(out + 16, id->epoch);
	be32_put(out + 20, id->slots);
	memcpy(out + 24, id->archive_id, 16);
}

static void header_aad(unsigned char aad[HEADER_AAD_SIZE], const struct shard_id *id)
{
	memcpy(aad, "arkki-shard-v1", 14);
	header_fields(aad + 14, id);
}

static void slot_aad(unsigned char aad[SLOT_AAD_SIZE], const struct shard_id *id, uint64_t slot)
{
	memcpy(aad, "arkki-slot-v1", 13);
	memcpy(aad + 13, id->archive_id, 16);
	be32_put(aad + 29, id->number);
	be32_put(aad + 33, id->epoch);
	be64_put(aad + 37, slot);
}

static void wrap(unsigned char out[SLOT_SIZE], const unsigned char *aad, size_t aad_len,
    const struct seal_key *with, const struct seal_key *key)
{
	randombytes_buf(out, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_SIZE, NULL, key->bytes,
	    sizeof(key->bytes), aad, aad_len, NULL, out, with->bytes);
}

static bool unwrap(const unsigned char bytes[SLOT_SIZE], const unsigned char *aad, size_t aad_len,
    const struct seal_key *with, struct seal_key *ret)
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(ret->bytes, NULL, NULL,
		   bytes + NONCE_SIZE, SLOT_SIZE - NONCE_SIZE, aad, aad_len, bytes,
		   with->bytes) == 0;
}

int shard_path(char out[4096], const char *keys_dir, uint32_t number, struct ark_error *err)
{
	return fs_path(out, err, "%s/shard-%06u", keys_dir, (unsigned int)number);
}

int shard_create(const char *keys_dir, const struct shard_id *id, const struct seal_key *root,
    const struct seal_key *shard_key, int *ret_fd, struct ark_error *err)
{
	unsigned char header[SHARD_HEADER_SIZE] = {0}, aad[HEADER_AAD_SIZE];
	char path[4096], tmp[4096];
	int fd = -1, rc;

	header_fields(header, id);
	header_aad(aad, id);
	wrap(header + WRAPPED_AT, aad, sizeof(aad), root, shard_key);
	rc = shard_path(path, keys_dir, id->number, err);
	if (!rc)
		rc = fs_path(tmp, err, "%s/shard.tmp", keys_dir);
	if (rc)
		goto out;
	fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = ark_fail_errno(err, ARK_EIO, "cannot create %s", tmp);
		goto out;
	}
	rc = fs_write_all(fd, header, sizeof(header), err);
	if (!rc)
		rc = fs_sync_file(fd, tmp, err);
	if (!rc)
		rc = fs_rename(tmp, path, err);
	if (!rc)
		rc = fs_sync_dir(keys_dir, err);
	if (rc)
		goto out;
	*ret_fd = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

int shard_read_header(int fd, const struct shard_id *id, const struct seal_key *root,
    struct seal_key *ret, struct ark_error *err)
{
	unsigned char header[SHARD_HEADER_SIZE], want[WRAPPED_AT], aad[HEADER_AAD_SIZE];
	static const unsigned char zero[SHARD_HEADER_SIZE - ZERO_AT];
	int rc = fs_pread_all(fd, header, sizeof(header), 0, err);

	if (rc)
		return ark_fail_within(err, rc, "key shard %u", (unsigned int)id->number);
	header_fields(want, id);
	header_aad(aad, id);
	if (memcmp(header, magic, sizeof(magic)) == 0 && be32_get(header + 8) > 1)
		return ark_fail(err, ARK_ECORRUPT,
		    "key shard %u says format %u and this arkki reads 1: damaged, or made by a "
		    "newer one",
		    (unsigned int)id->number, (unsigned int)be32_get(header + 8));
	if (memcmp(header, want, sizeof(want)) != 0 ||
	    memcmp(header + ZERO_AT, zero, sizeof(zero)) != 0 ||
	    !unwrap(header + WRAPPED_AT, aad, sizeof(aad), root, ret))
		return ark_fail(err, ARK_ECORRUPT,
		    "the header of key shard %u is damaged; restore the file from a key backup",
		    (unsigned int)id->number);
	return ARK_OK;
}

int shard_filled(int fd, uint64_t slots, uint64_t *ret, struct ark_error *err)
{
	unsigned char bytes[TAIL_RUN * SLOT_SIZE];

	while (slots) {
		size_t run = slots < TAIL_RUN ? (size_t)slots : TAIL_RUN;
		int rc = fs_pread_all(
		    fd, bytes, run * SLOT_SIZE, SHARD_HEADER_SIZE + (slots - run) * SLOT_SIZE, err);

		if (rc)
			return rc;
		while (run && sodium_is_zero(bytes + (run - 1) * SLOT_SIZE, SLOT_SIZE))
			run--, slots--;
		if (run)
			break;
	}
	*ret = slots;
	return ARK_OK;
}

void slot_wrap(unsigned char out[SLOT_SIZE], const struct shard_id *id, uint64_t slot,
    const struct seal_key *shard_key, const struct seal_key *key)
{
	unsigned char aad[SLOT_AAD_SIZE];

	slot_aad(aad, id, slot);
	wrap(out, aad, sizeof(aad), shard_key, key);
}

bool slot_is_destroyed(const unsigned char bytes[SLOT_SIZE])
{
	for (size_t i = 0; i < SLOT_SIZE; i++)
		if (bytes[i] != 0xff)
			return false;
	return true;
}

void slot_destroy(unsigned char out[SLOT_SIZE])
{
	memset(out, 0xff, SLOT_SIZE);
}

int slot_unwrap(const unsigned char bytes[SLOT_SIZE], const struct shard_id *id, uint64_t slot,
    const struct seal_key *shard_key, struct seal_key *ret, struct ark_error *err)
{
	unsigned char aad[SLOT_AAD_SIZE];
	struct seal_key key;

	if (slot_is_destroyed(bytes))
		return ark_fail(
		    err, ARK_EGONE, "the key of slot %llu was destroyed", (unsigned long long)slot);
	slot_aad(aad, id, slot);
	if (!unwrap(bytes, aad, sizeof(aad), shard_key, &key))
		return ark_fail(err, ARK_ECORRUPT,
		    "key slot %llu is damaged; restore its shard from a key backup",
		    (unsigned long long)slot);
	*ret = key;
	seal_key_wipe(&key);
	return ARK_OK;
}
