/* Opening and closing a keyring, and taking on another root key while it is open. */
#include "archive/keyring_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"

/* The number in "shard-NNNNNN", or -1. */
static long shard_number(const char *name)
{
	if (strncmp(name, "shard-", 6) != 0 || strspn(name + 6, "0123456789") != 6 || name[12])
		return -1;
	return strtol(name + 6, NULL, 10);
}

/* One more than the highest number; a file missing below it is found when a slot of it is wanted. */
static int count_files(struct keyring *k, struct ark_error *err)
{
	DIR *d = opendir(k->dir);
	struct dirent *e;
	long highest = -1;

	if (!d)
		return ark_fail_errno(err, ARK_EIO, "cannot list %s", k->dir);
	while ((e = readdir(d))) {
		long n = shard_number(e->d_name);

		highest = n > highest ? n : highest;
	}
	closedir(d);
	if (highest > SHARD_NUMBER_MAX)
		return ark_fail(
		    err, ARK_ECORRUPT, "%s has a shard %ld: it is not arkki's", k->dir, highest);
	k->files = (uint32_t)(highest + 1);
	return ARK_OK;
}

/* Cuts off what a crash left of a write that nobody was told of: a part of a slot, or zeros. */
static int cut_tail(struct keyring *k, const char *path, off_t whole, struct ark_error *err)
{
	k->tail_fd = open(path, O_RDWR | O_CLOEXEC);
	k->tail = k->files - 1;
	if (k->tail_fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s for writing", path);
	if (ftruncate(k->tail_fd, whole) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot cut the torn end of %s", path);
	return fs_sync_file(k->tail_fd, path, err);
}

/* How many slots the last shard has, without the zeros that a power cut may have left. */
static int count_last(struct keyring *k, const char *path, off_t *ret_size, uint64_t *ret_slots,
    struct ark_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint64_t there = 0;
	int rc = ARK_OK;

	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot look at %s", path);
	else if (st.st_size < SHARD_HEADER_SIZE)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%s has lost its header; restore it from a key backup", path);
	else
		there = (uint64_t)(st.st_size - SHARD_HEADER_SIZE) / SLOT_SIZE;
	if (!rc && there > k->shard_slots)
		rc = ark_fail(err, ARK_ECORRUPT, "%s is longer than a shard can be", path);
	if (!rc)
		rc = shard_filled(fd, there, ret_slots, err);
	if (!rc)
		*ret_size = st.st_size;
	close(fd);
	return rc;
}

static int find_end(struct keyring *k, struct ark_error *err)
{
	char path[4096];
	uint64_t in_last = 0;
	off_t size = 0, whole;
	struct keyring_use u;
	int rc = count_files(k, err);

	if (rc || !k->files)
		return rc;
	rc = shard_path(path, k->dir, k->files - 1, err);
	if (!rc)
		rc = count_last(k, path, &size, &in_last, err);
	if (rc)
		return rc;
	whole = SHARD_HEADER_SIZE + (off_t)(in_last * SLOT_SIZE);
	k->written = (uint64_t)(k->files - 1) * k->shard_slots + in_last;
	atomic_store(&k->slots, k->written);
	if (!k->for_writing)
		return ARK_OK;
	rc = keyring_use(k, k->files - 1, &u, err); /* its key wraps the next slots */
	if (rc)
		return rc;
	keyring_use_end(&u);
	return whole < size ? cut_tail(k, path, whole, err) : ARK_OK;
}

/* Readers come without a pause: an exchange of keys must not wait for them for ever. */
static void gate_init(pthread_rwlock_t *gate)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(gate, &attr);
	pthread_rwlockattr_destroy(&attr);
}

static struct keyring *keyring_new(
    const char *keys_dir, const char *root_path, int for_writing, uint32_t shard_slots)
{
	struct keyring *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	pthread_mutex_init(&k->lock, NULL);
	pthread_mutex_init(&k->sync_lock, NULL);
	pthread_mutex_init(&k->changing, NULL);
	gate_init(&k->gate);
	k->tail_fd = -1;
	k->for_writing = for_writing;
	k->shard_slots = shard_slots;
	k->dir = strdup(keys_dir);
	k->root_path = strdup(root_path ? root_path : "");
	k->vault = sodium_malloc(sizeof(*k->vault));
	if (k->dir && k->root_path && k->vault)
		return k;
	keyring_close(k);
	return NULL;
}

/* ---- the root in force ---- */

void keyring_forget(struct keyring *k)
{
	for (size_t i = 0; i < k->shards; i++) {
		if (k->shard[i].fd >= 0)
			close(k->shard[i].fd);
		k->shard[i] = (struct shard){.fd = -1};
	}
	for (size_t i = 0; i < sizeof(k->block) / sizeof(*k->block); i++)
		if (k->block[i])
			sodium_memzero(k->block[i], BLOCK_KEYS * sizeof(*k->block[i]));
	k->fds = 0;
	if (k->tail_fd >= 0)
		close(k->tail_fd);
	k->tail_fd = -1;
}

int keyring_take_root(struct keyring *k, const struct keyring_root *root,
    const struct keyring_secrets *secrets, struct ark_error *err)
{
	struct keyring_secrets *mine = &k->vault->secrets;

	if (sodium_mprotect_readwrite(k->vault) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot change the key in memory");
	k->vault->root = *root;
	memcpy(mine->history_seed, secrets->history_seed, 32);
	memcpy(mine->access_seed, secrets->access_seed, 32);
	memcpy(mine->git_seed, secrets->git_seed, 32);
	mine->past_len = secrets->past_len;
	memcpy(mine->past, secrets->past, sizeof(mine->past));
	(void)sodium_mprotect_readonly(k->vault); /* only a guard against our own bugs */
	atomic_store(&k->epoch, root->epoch);
	keyring_forget(k);
	return ARK_OK;
}

/* A change exchanges keys/ first and the root key file next: between the two, the right one is ROOT.next. */
static int read_vault_once(struct keyring *k, struct vault *ret, struct ark_error *err)
{
	char next[4096];
	int rc = keyring_root_read(k->root_path, &ret->root, err), second;

	if (!rc)
		rc = keyring_secrets_read(k->dir, k->root_path, &ret->root, &ret->secrets, err);
	if ((rc != ARK_EINPUT && rc != ARK_ENOTFOUND) || !*k->root_path)
		return rc;
	if (keyring_next_root(next, k->root_path, NULL) || !fs_exists(next))
		return rc;
	second = keyring_root_read(next, &ret->root, NULL);
	if (!second)
		second = keyring_secrets_read(k->dir, next, &ret->root, &ret->secrets, NULL);
	return second ? rc : ARK_OK;
}

static int read_vault(struct keyring *k, struct vault *ret, struct ark_error *err)
{
	int rc = read_vault_once(k, ret, err);

	/* a reader may have read one half before an exchange and the other after it */
	if (rc == ARK_EINPUT && !k->for_writing)
		rc = read_vault_once(k, ret, err);
	return rc;
}

bool keyring_stale(const struct keyring *k)
{
	uint32_t epoch;

	return !k->for_writing && keyring_epoch_on_disk(k->dir, &epoch, NULL) == ARK_OK &&
	       epoch != keyring_epoch(k);
}

int keyring_refresh(struct keyring *k, struct ark_error *err)
{
	struct vault *fresh = sodium_malloc(sizeof(*fresh));
	int rc;

	if (!fresh)
		return ark_fail(err, ARK_ENOMEM, "no memory for the keyring");
	pthread_rwlock_wrlock(&k->gate);
	pthread_mutex_lock(&k->lock);
	rc = read_vault(k, fresh, err);
	if (!rc && !bytes_equal(fresh->secrets.archive_id, k->vault->secrets.archive_id, 16))
		rc = ark_fail(err, ARK_ECORRUPT, "%s is another archive's by now", k->dir);
	if (!rc)
		rc = keyring_take_root(k, &fresh->root, &fresh->secrets, err);
	pthread_mutex_unlock(&k->lock);
	pthread_rwlock_unlock(&k->gate);
	sodium_free(fresh);
	return rc;
}

const char *keyring_root_file(const struct keyring *k)
{
	return k->root_path;
}

int keyring_open_sized(const char *keys_dir, const char *root_path, int for_writing,
    uint32_t shard_slots, struct keyring **ret, struct ark_error *err)
{
	struct keyring *k;
	int rc;

	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "this system gives no random bytes");
	k = keyring_new(keys_dir, root_path, for_writing, shard_slots);
	if (!k)
		return ark_fail(err, ARK_ENOMEM, "no memory for the keyring");
	rc = for_writing ? keyring_change_settle(keys_dir, root_path, err) : ARK_OK;
	if (!rc)
		rc = read_vault(k, k->vault, err);
	if (!rc)
		atomic_store(&k->epoch, k->vault->root.epoch);
	if (!rc && sodium_mprotect_readonly(k->vault) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot protect the memory of the keys");
	if (!rc)
		rc = find_end(k, err);
	if (rc) {
		keyring_close(k);
		return rc;
	}
	*ret = k;
	return ARK_OK;
}

int keyring_open(const char *keys_dir, const char *root_path, int for_writing, struct keyring **ret,
    struct ark_error *err)
{
	return keyring_open_sized(keys_dir, root_path, for_writing, SHARD_SLOTS, ret, err);
}

void keyring_close(struct keyring *k)
{
	if (!k)
		return;
	keyring_forget(k);
	for (size_t i = 0; i < sizeof(k->block) / sizeof(*k->block); i++)
		sodium_free(k->block[i]);
	sodium_free(k->vault); /* wipes, as for the blocks */
	free(k->shard);
	free(k->pending);
	free(k->dir);
	free(k->root_path);
	pthread_rwlock_destroy(&k->gate);
	pthread_mutex_destroy(&k->changing);
	pthread_mutex_destroy(&k->lock);
	pthread_mutex_destroy(&k->sync_lock);
	free(k);
}
