/* Slots in memory and out: adding, syncing, opening. The invariants are in keyring_memory.h. */
#include "archive/keyring_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"

struct shard_id keyring_shard_id(const struct keyring *k, uint32_t number)
{
	return (struct shard_id){.number = number,
	    .epoch = atomic_load(&k->epoch),
	    .slots = k->shard_slots,
	    .archive_id = k->vault->secrets.archive_id};
}

/* ---- shard keys and descriptors; all under `lock` ---- */

static bool grow_shards(struct keyring *k, uint32_t number)
{
	size_t n = k->shards ? k->shards : 16;
	struct shard *grown;

	if (number < k->shards)
		return true;
	while (n <= number)
		n *= 2;
	grown = realloc(k->shard, n * sizeof(*grown));
	if (!grown)
		return false;
	for (size_t i = k->shards; i < n; i++)
		grown[i] = (struct shard){.fd = -1};
	k->shard = grown;
	k->shards = n;
	return true;
}

static struct seal_key *key_of(const struct keyring *k, uint32_t number)
{
	return k->block[number / BLOCK_KEYS] + number % BLOCK_KEYS;
}

bool keyring_keep_key(struct keyring *k, uint32_t number, const struct seal_key *key)
{
	struct seal_key **block = &k->block[number / BLOCK_KEYS];

	if (!grow_shards(k, number))
		return false;
	if (k->shard[number].has_key)
		return true;
	if (!*block)
		*block = sodium_malloc(BLOCK_KEYS * sizeof(**block));
	if (!*block)
		return false;
	*key_of(k, number) = *key;
	k->shard[number].has_key = true;
	return true;
}

/* ---- one shard, for the time of a call ---- */

void keyring_use_end(struct keyring_use *u)
{
	if (u->own)
		close(u->fd);
	seal_key_wipe(&u->key);
}

/* What is known already. */
static void use_known(struct keyring *k, uint32_t number, struct keyring_use *u, bool *ret_key)
{
	pthread_mutex_lock(&k->lock);
	*ret_key = number < k->shards && k->shard[number].has_key;
	if (*ret_key)
		u->key = *key_of(k, number);
	if (number < k->shards)
		u->fd = k->shard[number].fd;
	pthread_mutex_unlock(&k->lock);
}

/* Keeps what was opened, when there is room and no other thread was first. */
static void use_keep(struct keyring *k, uint32_t number, struct keyring_use *u)
{
	pthread_mutex_lock(&k->lock);
	if (keyring_keep_key(k, number, &u->key) && u->own && k->fds < FDS_KEPT &&
	    k->shard[number].fd < 0) {
		k->shard[number].fd = u->fd;
		k->fds++;
		u->own = false;
	}
	pthread_mutex_unlock(&k->lock);
}

void keyring_enter(struct keyring *k)
{
	pthread_rwlock_rdlock(&k->gate);
}

void keyring_leave(struct keyring *k)
{
	pthread_rwlock_unlock(&k->gate);
}

int keyring_use(struct keyring *k, uint32_t number, struct keyring_use *u, struct ark_error *err)
{
	char path[4096];
	bool has_key;
	int rc;

	*u = (struct keyring_use){.fd = -1, .id = keyring_shard_id(k, number)};
	use_known(k, number, u, &has_key);
	if (u->fd >= 0)
		return ARK_OK;
	rc = shard_path(path, k->dir, number, err);
	if (rc)
		goto out;
	u->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (u->fd < 0) {
		rc = errno == ENOENT ? ark_fail(err, ARK_ECORRUPT,
					   "%s is missing; restore it from a key backup", path)
				     : ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
		goto out;
	}
	u->own = true;
	if (!has_key)
		rc = shard_read_header(u->fd, &u->id, &k->vault->root.key, &u->key, err);
	if (!rc)
		use_keep(k, number, u);
out:
	if (rc)
		keyring_use_end(u);
	return rc;
}

const struct keyring_secrets *keyring_secrets(const struct keyring *k)
{
	return &k->vault->secrets;
}

uint32_t keyring_epoch(const struct keyring *k)
{
	return atomic_load(&k->epoch);
}

uint64_t keyring_slots(const struct keyring *k)
{
	return atomic_load(&k->slots);
}

uint64_t keyring_written(struct keyring *k, uint32_t *ret_shard_slots)
{
	uint64_t written;

	pthread_mutex_lock(&k->lock);
	written = k->written;
	pthread_mutex_unlock(&k->lock);
	*ret_shard_slots = k->shard_slots;
	return written;
}

int keyring_reread_header(struct keyring *k, const struct keyring_use *u, struct ark_error *err)
{
	struct seal_key key;
	int rc = shard_read_header(u->fd, &u->id, &k->vault->root.key, &key, err);

	if (!rc && !bytes_equal(&key, &u->key, sizeof(key)))
		rc = ark_fail(err, ARK_ECORRUPT, "key shard %u was replaced while it was in use",
		    (unsigned int)u->id.number);
	seal_key_wipe(&key);
	return rc;
}

/* ---- adding ---- */

static bool grow_pending(struct keyring *k, size_t used)
{
	size_t cap = k->pending_cap ? k->pending_cap * 2 : 64;
	unsigned char *grown;

	if (used < k->pending_cap)
		return true;
	grown = realloc(k->pending, cap * SLOT_SIZE);
	if (!grown)
		return false;
	k->pending = grown;
	k->pending_cap = cap;
	return true;
}

/* The key of the shard that the next slot falls in; a new one when it begins the shard. */
static bool key_for_next(struct keyring *k, uint32_t number)
{
	struct seal_key fresh;
	bool ok;

	if (number < k->shards && k->shard[number].has_key)
		return true;
	seal_key_generate(&fresh);
	ok = keyring_keep_key(k, number, &fresh);
	seal_key_wipe(&fresh);
	return ok;
}

static int add_locked(
    struct keyring *k, const struct seal_key *key, uint64_t *ret_slot, struct ark_error *err)
{
	uint64_t slot = atomic_load(&k->slots), number = slot / k->shard_slots;
	size_t used = (size_t)(slot - k->written);
	struct shard_id id;

	if (k->failed)
		return ark_fail(err, ARK_EIO, "an earlier write of keys failed; restart arkki");
	if (number > SHARD_NUMBER_MAX)
		return ark_fail(err, ARK_EIO, "all %u key shards are full", SHARD_NUMBER_MAX + 1U);
	if (used >= PENDING_MAX)
		return ark_fail(err, ARK_EIO, "%d keys wait for a sync", PENDING_MAX);
	if (!grow_pending(k, used) || !key_for_next(k, (uint32_t)number))
		return ark_fail(err, ARK_ENOMEM, "no memory for a key slot");
	id = keyring_shard_id(k, (uint32_t)number);
	slot_wrap(k->pending + used * SLOT_SIZE, &id, slot, key_of(k, (uint32_t)number), key);
	atomic_store(&k->slots, slot + 1);
	*ret_slot = slot;
	return ARK_OK;
}

int keyring_add(
    struct keyring *k, const struct seal_key *key, uint64_t *ret_slot, struct ark_error *err)
{
	int rc;

	if (!k->for_writing)
		return ark_fail(err, ARK_EREFUSED, "the keyring is open for reading only");
	keyring_enter(k);
	pthread_mutex_lock(&k->lock);
	rc = add_locked(k, key, ret_slot, err);
	pthread_mutex_unlock(&k->lock);
	keyring_leave(k);
	return rc;
}

/* ---- syncing; under sync_lock ---- */

static int create_tail(struct keyring *k, struct ark_error *err)
{
	struct shard_id id = keyring_shard_id(k, k->files);
	struct seal_key key;
	int rc;

	pthread_mutex_lock(&k->lock);
	key = *key_of(k, k->files); /* keyring_add() made it */
	pthread_mutex_unlock(&k->lock);
	rc = shard_create(k->dir, &id, &k->vault->root.key, &key, &k->tail_fd, err);
	seal_key_wipe(&key);
	if (!rc)
		k->files++;
	return rc;
}

static int open_tail(struct keyring *k, uint32_t number, struct ark_error *err)
{
	char path[4096];
	int rc;

	if (k->tail_fd >= 0 && k->tail == number)
		return ARK_OK;
	if (k->tail_fd >= 0)
		close(k->tail_fd);
	k->tail_fd = -1;
	k->tail = number;
	if (number == k->files)
		return create_tail(k, err);
	rc = shard_path(path, k->dir, number, err);
	if (rc)
		return rc;
	k->tail_fd = open(path, O_RDWR | O_CLOEXEC);
	if (k->tail_fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s for writing", path);
	return ARK_OK;
}

static int write_slots(
    struct keyring *k, uint64_t slot, const unsigned char *bytes, size_t n, struct ark_error *err)
{
	int rc = ARK_OK;

	while (!rc && n) {
		uint64_t at = slot % k->shard_slots, room = k->shard_slots - at;
		size_t run = n < room ? n : (size_t)room;

		rc = open_tail(k, (uint32_t)(slot / k->shard_slots), err);
		if (!rc)
			rc = fs_pwrite_all(k->tail_fd, bytes, run * SLOT_SIZE,
			    SHARD_HEADER_SIZE + at * SLOT_SIZE, err);
		if (!rc)
			rc = fs_sync_file(k->tail_fd, "key slots", err);
		slot += run;
		bytes += run * SLOT_SIZE;
		n -= run;
	}
	return rc;
}

/* A copy of what is pending. Zero slots: nothing to do. */
static int take_pending(struct keyring *k, unsigned char **ret, uint64_t *ret_first, size_t *ret_n,
    struct ark_error *err)
{
	int rc = ARK_OK;

	pthread_mutex_lock(&k->lock);
	*ret_first = k->written;
	*ret_n = (size_t)(atomic_load(&k->slots) - k->written);
	if (k->failed) {
		rc = ark_fail(err, ARK_EIO, "an earlier write of keys failed; restart arkki");
	} else if (*ret_n) {
		*ret = malloc(*ret_n * SLOT_SIZE);
		if (*ret)
			memcpy(*ret, k->pending, *ret_n * SLOT_SIZE);
		else
			rc = ark_fail(err, ARK_ENOMEM, "no memory to write %zu keys", *ret_n);
	}
	pthread_mutex_unlock(&k->lock);
	return rc;
}

static void settle(struct keyring *k, size_t n, bool written)
{
	pthread_mutex_lock(&k->lock);
	if (written) {
		k->written += n;
		memmove(k->pending, k->pending + n * SLOT_SIZE,
		    (size_t)(atomic_load(&k->slots) - k->written) * SLOT_SIZE);
	} else {
		k->failed = true;
	}
	pthread_mutex_unlock(&k->lock);
}

int keyring_sync_locked(struct keyring *k, struct ark_error *err)
{
	unsigned char *bytes = NULL;
	uint64_t first;
	size_t n;
	int rc = take_pending(k, &bytes, &first, &n, err);

	if (!rc && n) {
		rc = write_slots(k, first, bytes, n, err);
		settle(k, n, rc == ARK_OK);
		if (rc)
			rc = ark_fail_within(err, ARK_EIO, "keys are not written");
	}
	free(bytes);
	return rc;
}

int keyring_sync(struct keyring *k, struct ark_error *err)
{
	int rc;

	pthread_mutex_lock(&k->sync_lock);
	rc = keyring_sync_locked(k, err);
	pthread_mutex_unlock(&k->sync_lock);
	return rc;
}

/* ---- unwrapping ---- */

/* True when the slot is not in a file yet; its bytes and shard key are copied. */
static bool find_pending(
    struct keyring *k, uint64_t slot, unsigned char bytes[SLOT_SIZE], struct seal_key *shard_key)
{
	bool found;

	pthread_mutex_lock(&k->lock);
	found = slot >= k->written && slot < atomic_load(&k->slots);
	if (found) {
		memcpy(bytes, k->pending + (slot - k->written) * SLOT_SIZE, SLOT_SIZE);
		*shard_key = *key_of(k, (uint32_t)(slot / k->shard_slots));
	}
	pthread_mutex_unlock(&k->lock);
	return found;
}

/* From its file, through descriptors and keys kept from before. */
static int read_written(struct keyring *k, uint64_t slot, unsigned char bytes[SLOT_SIZE],
    struct keyring_use *u, struct ark_error *err)
{
	int rc = keyring_use(k, (uint32_t)(slot / k->shard_slots), u, err);

	if (rc)
		return rc;
	rc = fs_pread_all(
	    u->fd, bytes, SLOT_SIZE, SHARD_HEADER_SIZE + slot % k->shard_slots * SLOT_SIZE, err);
	if (rc)
		keyring_use_end(u);
	return rc ? ark_fail_within(err, rc, "key slot %llu", (unsigned long long)slot) : ARK_OK;
}

static int slot_exists(struct keyring *k, uint64_t slot, struct ark_error *err)
{
	/* a reader beside a writer may be asked for slots younger than its opening */
	if (slot / k->shard_slots > SHARD_NUMBER_MAX ||
	    (k->for_writing && slot >= keyring_slots(k)))
		return ark_fail(err, ARK_ECORRUPT,
		    "there is no key slot %llu; restore keys/ from a key backup",
		    (unsigned long long)slot);
	return ARK_OK;
}

/* Under the gate. */
static int unwrap_slot(
    struct keyring *k, uint64_t slot, struct seal_key *ret, struct ark_error *err)
{
	unsigned char bytes[SLOT_SIZE];
	struct seal_key shard_key;
	struct keyring_use u;
	struct shard_id id;
	int rc = slot_exists(k, slot, err);

	if (rc)
		return rc;
	if (find_pending(k, slot, bytes, &shard_key)) {
		id = keyring_shard_id(k, (uint32_t)(slot / k->shard_slots));
		rc = slot_unwrap(bytes, &id, slot, &shard_key, ret, err);
		seal_key_wipe(&shard_key);
		return rc;
	}
	rc = read_written(k, slot, bytes, &u, err);
	if (rc)
		return rc;
	rc = slot_unwrap(bytes, &u.id, slot, &u.key, ret, err);
	keyring_use_end(&u);
	return rc;
}

int keyring_unwrap_ledger(
    struct keyring *k, uint64_t slot, struct seal_key *ret, struct ark_error *err)
{
	for (int round = 0;; round++) {
		int rc;

		keyring_enter(k);
		rc = unwrap_slot(k, slot, ret, err);
		keyring_leave(k);
		/* a reader beside a writer that has changed the keys meanwhile */
		if (rc != ARK_ECORRUPT || round || !keyring_stale(k))
			return rc;
		rc = keyring_refresh(k, err);
		if (rc)
			return rc;
	}
}

int keyring_destroyed(struct keyring *k, uint64_t slot, bool *ret, struct ark_error *err)
{
	unsigned char bytes[SLOT_SIZE];
	struct seal_key shard_key;
	struct keyring_use u;
	int rc = keyring_stale(k) ? keyring_refresh(k, err) : ARK_OK;

	if (rc)
		return rc;
	keyring_enter(k);
	rc = slot_exists(k, slot, err);
	if (!rc && find_pending(k, slot, bytes, &shard_key)) {
		seal_key_wipe(&shard_key);
	} else if (!rc) {
		rc = read_written(k, slot, bytes, &u, err);
		if (!rc)
			keyring_use_end(&u);
	}
	keyring_leave(k);
	if (!rc)
		*ret = slot_is_destroyed(bytes);
	return rc;
}

int keyring_unwrap(struct keyring *k, const struct receipt *receipt, uint64_t slot,
    struct seal_key *ret, struct ark_error *err)
{
	if (!receipt)
		return ark_fail(err, ARK_EREFUSED, "no key is opened without a receipt of the log");
	return keyring_unwrap_ledger(k, slot, ret, err);
}

void keyring_name(const struct keyring *k, const char *kind, const char *name, char out[33])
{
	crypto_generichash_state h;
	unsigned char hash[16];

	crypto_generichash_init(&h, k->vault->secrets.name_key, 32, sizeof(hash));
	crypto_generichash_update(&h, (const unsigned char *)kind, strlen(kind) + 1);
	crypto_generichash_update(&h, (const unsigned char *)name, strlen(name));
	crypto_generichash_final(&h, hash, sizeof(hash));
	hex_encode(out, hash, sizeof(hash));
	explicit_bzero(&h, sizeof(h));
}
