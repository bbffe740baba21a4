/* All keys anew. keyring.h tells the order; keyring_settle.c finishes what a crash cut. */
#include "archive/keyring_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { RUN_SLOTS = 512 }; /* handled at once */

/* Both in locked memory. */
struct fresh {
	struct keyring_root root;
	struct seal_key shard; /* of shard `number` */
	struct keyring_secrets secrets;
};

struct change {
	struct keyring *k;
	const struct keyring_change *want;
	char dir[4096], root[4096], next_root[4096];
	struct fresh *fresh;
	uint64_t done;     /* slots written to `dir` */
	uint64_t verified; /* … and read back */
	size_t destroyed;  /* members of want->destroy below `done` */
	int fd;            /* shard `number` in `dir`, or -1 */
	uint32_t number;
	unsigned char old[RUN_SLOTS * SLOT_SIZE], made[RUN_SLOTS * SLOT_SIZE];
};

/* ---- before anything is made ---- */

static int check_list(const struct change *c, struct ark_error *err)
{
	const uint64_t *list = c->want->destroy;

	for (size_t i = 0; i < c->want->destroy_len; i++) {
		if (i && list[i] <= list[i - 1])
			return ark_fail(
			    err, ARK_EINPUT, "the slots to destroy do not stand in order");
		if (list[i] >= keyring_slots(c->k))
			return ark_fail(err, ARK_EINPUT, "there is no key slot %llu to destroy",
			    (unsigned long long)list[i]);
	}
	return ARK_OK;
}

/* That the file can be replaced is found out before the keys are exchanged, not after. */
static int check_root(const struct change *c, struct ark_error *err)
{
	struct keyring_root root;
	struct statx sx;
	char dir[4096];
	int rc = keyring_root_read(c->root, &root, err);
	bool same = !rc && bytes_equal(&root.key, &c->k->vault->root.key, sizeof(root.key));

	explicit_bzero(&root, sizeof(root));
	if (!rc && !same)
		rc = ark_fail(err, ARK_EINPUT, "%s is not the root key in force", c->root);
	if (!rc)
		rc = keyring_parent(dir, c->root, err);
	if (rc)
		return rc;
	if (access(dir, W_OK | X_OK) < 0)
		return ark_fail_errno(err, ARK_EREFUSED,
		    "the root key %s cannot be replaced: its directory must be writable for a "
		    "change of keys",
		    c->root);
	if (statx(AT_FDCWD, c->root, 0, STATX_BASIC_STATS, &sx) == 0 &&
	    (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return ark_fail(err, ARK_EREFUSED,
		    "the root key %s is mounted as a single file and cannot be replaced: mount its "
		    "directory instead",
		    c->root);
	return ARK_OK;
}

static int begin(struct change *c, struct ark_error *err)
{
	int rc = check_list(c, err);

	if (!rc)
		rc = fs_path(c->dir, err, "%s.next", c->k->dir);
	if (!rc)
		rc = keyring_root_target(c->root, c->want->root_path, err);
	if (!rc)
		rc = keyring_next_root(c->next_root, c->want->root_path, err);
	if (!rc)
		rc = check_root(c, err);
	if (!rc)
		rc = keyring_wipe_dir(c->dir, err);
	if (!rc)
		rc = keyring_wipe_next_root(c->next_root, err);
	if (!rc && c->k->vault->root.epoch == UINT32_MAX)
		rc = ark_fail(err, ARK_EREFUSED, "there are no more epochs");
	if (rc)
		return rc;
	c->fresh = sodium_malloc(sizeof(*c->fresh));
	if (!c->fresh)
		return ark_fail(err, ARK_ENOMEM, "no memory for new keys");
	c->fresh->root.epoch = c->k->vault->root.epoch + 1;
	seal_key_generate(&c->fresh->root.key);
	c->fresh->secrets = c->k->vault->secrets;
	return keyring_signing_change(&c->fresh->secrets, c->want, err);
}

/* ---- making the new shards ---- */

static struct shard_id fresh_id(const struct change *c, uint32_t number)
{
	struct shard_id id = keyring_shard_id(c->k, number);

	id.epoch = c->fresh->root.epoch;
	return id;
}

static int end_shard(struct change *c, struct ark_error *err)
{
	int rc = c->fd >= 0 ? fs_sync_file(c->fd, "new key slots", err) : ARK_OK;

	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	return rc;
}

static int begin_shard(struct change *c, uint32_t number, struct ark_error *err)
{
	struct shard_id id = fresh_id(c, number);
	char path[4096];
	int rc = end_shard(c, err);

	if (rc)
		return rc;
	if (c->done % c->k->shard_slots == 0) {
		seal_key_generate(&c->fresh->shard);
		c->number = number;
		return shard_create(
		    c->dir, &id, &c->fresh->root.key, &c->fresh->shard, &c->fd, err);
	}
	rc = shard_path(path, c->dir, number, err); /* begun earlier: its key is still here */
	if (rc)
		return rc;
	c->fd = open(path, O_RDWR | O_CLOEXEC);
	return c->fd < 0 ? ark_fail_errno(err, ARK_EIO, "cannot open %s", path) : ARK_OK;
}

static bool to_destroy(struct change *c, uint64_t slot)
{
	const struct keyring_change *w = c->want;

	while (c->destroyed < w->destroy_len && w->destroy[c->destroyed] < slot)
		c->destroyed++;
	return c->destroyed < w->destroy_len && w->destroy[c->destroyed] == slot;
}

static int rewrap_slots(
    struct change *c, const struct keyring_use *old, size_t n, struct ark_error *err)
{
	struct shard_id id = fresh_id(c, old->id.number);
	struct seal_key key;

	for (size_t i = 0; i < n; i++) {
		const unsigned char *from = c->old + i * SLOT_SIZE;
		unsigned char *to = c->made + i * SLOT_SIZE;
		uint64_t slot = c->done + i;
		int rc;

		if (to_destroy(c, slot) || slot_is_destroyed(from)) {
			slot_destroy(to);
			continue;
		}
		rc = slot_unwrap(from, &old->id, slot, &old->key, &key, err);
		if (rc)
			return ark_fail_within(err, rc, "the keys are not changed");
		slot_wrap(to, &id, slot, &c->fresh->shard, &key);
		seal_key_wipe(&key);
	}
	return ARK_OK;
}

/* How many slots from `slot` on stand in the same shard, below `end`, and are handled at once. */
static size_t run_at(const struct change *c, uint64_t slot, uint64_t end)
{
	uint64_t room = c->k->shard_slots - slot % c->k->shard_slots;
	uint64_t run = end - slot < room ? end - slot : room;

	return run < RUN_SLOTS ? (size_t)run : RUN_SLOTS;
}

static uint64_t offset_of(const struct change *c, uint64_t slot)
{
	return SHARD_HEADER_SIZE + slot % c->k->shard_slots * SLOT_SIZE;
}

static void tell(const struct change *c, uint64_t done)
{
	if (c->want->progress)
		c->want->progress(c->want->arg, done, keyring_slots(c->k));
}

/* New slots for all below `end`, synced. */
static int rewrap_to(struct change *c, uint64_t end, struct ark_error *err)
{
	int rc = ARK_OK;

	while (!rc && c->done < end) {
		size_t n = run_at(c, c->done, end);
		uint32_t number = (uint32_t)(c->done / c->k->shard_slots);
		uint64_t at = offset_of(c, c->done);
		struct keyring_use old;

		if (c->fd < 0 || c->number != number)
			rc = begin_shard(c, number, err);
		if (!rc)
			rc = keyring_use(c->k, number, &old, err);
		if (rc)
			break;
		rc = fs_pread_all(old.fd, c->old, n * SLOT_SIZE, at, err);
		if (!rc)
			rc = rewrap_slots(c, &old, n, err);
		keyring_use_end(&old);
		if (!rc)
			rc = fs_pwrite_all(c->fd, c->made, n * SLOT_SIZE, at, err);
		if (!rc)
			c->done += n;
		tell(c, c->done);
	}
	return rc ? rc : end_shard(c, err);
}

/* ---- reading them back ---- */

/* One run of the old and the new bytes, slot by slot; the new shard's key is from its file. */
static int compare_slots(struct change *c, const struct keyring_use *old,
    const struct seal_key *shard_key, size_t n, struct ark_error *err)
{
	struct shard_id id = fresh_id(c, old->id.number);
	struct seal_key was, is;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		uint64_t slot = c->verified + i;

		if (slot_is_destroyed(c->made + i * SLOT_SIZE))
			continue; /* only those that had to be: all counted below */
		rc = slot_unwrap(c->old + i * SLOT_SIZE, &old->id, slot, &old->key, &was, err);
		if (!rc)
			rc = slot_unwrap(c->made + i * SLOT_SIZE, &id, slot, shard_key, &is, err);
		if (!rc && !bytes_equal(&was, &is, sizeof(is)))
			rc = ark_fail(err, ARK_ECORRUPT, "key slot %llu was not carried over whole",
			    (unsigned long long)slot);
	}
	seal_key_wipe(&was);
	seal_key_wipe(&is);
	return rc;
}

/* A slot is destroyed when it was listed or was so before, and only then. */
static int check_destroyed(struct change *c, size_t n, size_t *at_list, struct ark_error *err)
{
	const struct keyring_change *w = c->want;

	for (size_t i = 0; i < n; i++) {
		bool listed = *at_list < w->destroy_len && w->destroy[*at_list] == c->verified + i;
		bool want = listed || slot_is_destroyed(c->old + i * SLOT_SIZE);

		*at_list += listed;
		if (want != slot_is_destroyed(c->made + i * SLOT_SIZE))
			return ark_fail(err, ARK_ECORRUPT, "key slot %llu %s in the new keys",
			    (unsigned long long)(c->verified + i),
			    want ? "still opens" : "is destroyed");
	}
	return ARK_OK;
}

static int verify_run(struct change *c, uint64_t end, size_t *at_list, struct ark_error *err)
{
	uint32_t number = (uint32_t)(c->verified / c->k->shard_slots);
	struct shard_id id = fresh_id(c, number);
	size_t n = run_at(c, c->verified, end);
	uint64_t at = offset_of(c, c->verified);
	struct seal_key shard_key = {{0}};
	struct keyring_use old;
	char path[4096];
	int fd = -1, rc = keyring_use(c->k, number, &old, err);

	if (rc)
		return rc;
	rc = shard_path(path, c->dir, number, err);
	if (!rc) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			rc = ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	}
	if (!rc)
		rc = shard_read_header(fd, &id, &c->fresh->root.key, &shard_key, err);
	if (!rc)
		rc = fs_pread_all(fd, c->made, n * SLOT_SIZE, at, err);
	if (!rc)
		rc = fs_pread_all(old.fd, c->old, n * SLOT_SIZE, at, err);
	if (!rc)
		rc = check_destroyed(c, n, at_list, err);
	if (!rc)
		rc = compare_slots(c, &old, &shard_key, n, err);
	if (!rc)
		c->verified += n;
	if (fd >= 0)
		close(fd);
	keyring_use_end(&old);
	seal_key_wipe(&shard_key);
	return rc;
}

static int verify_to(struct change *c, uint64_t end, struct ark_error *err)
{
	size_t at_list = 0;
	int rc = ARK_OK;

	while (at_list < c->want->destroy_len && c->want->destroy[at_list] < c->verified)
		at_list++;
	while (!rc && c->verified < end)
		rc = verify_run(c, end, &at_list, err);
	return rc;
}

static int verify_secrets(struct change *c, struct ark_error *err)
{
	struct fresh *f = sodium_malloc(sizeof(*f));
	int rc = f ? keyring_root_read(c->next_root, &f->root, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for new keys");

	if (!rc)
		rc = keyring_secrets_read(c->dir, c->next_root, &f->root, &f->secrets, err);
	if (!rc && !bytes_equal(&f->secrets, &c->fresh->secrets, sizeof(f->secrets)))
		rc = ark_fail(
		    err, ARK_ECORRUPT, "the archive's secrets were not carried over whole");
	sodium_free(f);
	return rc;
}

/* ---- the change ---- */

static int prepare(struct change *c, struct ark_error *err)
{
	uint32_t shard_slots;
	uint64_t end = keyring_written(c->k, &shard_slots);
	char parent[4096];
	int rc = keyring_parent(parent, c->dir, err);

	if (!rc)
		rc = fs_mkdir(c->dir, 0700, err);
	if (!rc)
		rc = keyring_root_write(c->next_root, &c->fresh->root, err);
	if (!rc)
		rc = keyring_secrets_write(c->dir, &c->fresh->root, &c->fresh->secrets, err);
	if (!rc)
		rc = rewrap_to(c, end, err);
	if (!rc)
		rc = fs_sync_dir(parent, err);
	if (!rc)
		rc = verify_secrets(c, err);
	return rc ? rc : verify_to(c, end, err);
}

/* What was added since: a first time while others go on adding, then under the gate. */
static int catch_up(struct change *c, struct ark_error *err)
{
	uint32_t shard_slots;
	uint64_t end = keyring_written(c->k, &shard_slots);
	int rc = rewrap_to(c, end, err);

	return rc ? rc : verify_to(c, end, err);
}

/* In memory, after the names have changed places. */
static int take_over(struct change *c, struct ark_error *err)
{
	struct keyring *k = c->k;
	bool kept;
	int rc;

	pthread_mutex_lock(&k->lock);
	rc = keyring_take_root(k, &c->fresh->root, &c->fresh->secrets, err);
	k->files = (uint32_t)((c->done + k->shard_slots - 1) / k->shard_slots);
	kept = rc == ARK_OK && (!k->files || keyring_keep_key(k, k->files - 1, &c->fresh->shard));
	k->failed = k->failed || !kept;
	pthread_mutex_unlock(&k->lock);
	return rc || kept ? rc : ark_fail(err, ARK_ENOMEM, "no memory for new keys");
}

/* From the exchange of the directories on there is no way back: what fails is finished at the next start,
 * and until then nothing is added. */
static int exchange(struct change *c, bool *ret_done, struct ark_error *err)
{
	struct keyring *k = c->k;
	char parent[4096];
	int rc = keyring_sync_locked(k, err);

	if (!rc)
		rc = catch_up(c, err);
	if (!rc)
		rc = keyring_parent(parent, k->dir, err);
	if (!rc)
		rc = fs_exchange(c->dir, k->dir, err);
	if (rc)
		return rc;
	*ret_done = true;
	rc = take_over(c, err);
	if (!rc)
		rc = fs_sync_dir(parent, err);
	if (!rc)
		rc = keyring_exchange_roots(c->root, c->next_root, err);
	if (rc) {
		pthread_mutex_lock(&k->lock);
		k->failed = true;
		pthread_mutex_unlock(&k->lock);
	}
	return rc;
}

static int run(struct change *c, bool *ret_done, struct ark_error *err)
{
	const struct keyring_change *w = c->want;
	int rc = begin(c, err);

	if (rc)
		return rc;
	rc = prepare(c, err);
	if (!rc && w->copied)
		rc = w->copied(w->arg, c->dir, c->next_root, c->fresh->root.epoch, err);
	if (!rc)
		rc = catch_up(c, err);
	if (!rc) {
		pthread_rwlock_wrlock(&c->k->gate);
		pthread_mutex_lock(&c->k->sync_lock);
		rc = exchange(c, ret_done, err);
		pthread_mutex_unlock(&c->k->sync_lock);
		pthread_rwlock_unlock(&c->k->gate);
	}
	if (rc && *ret_done)
		return ark_fail_within(err, ARK_EIO, "the keys are changed, but restart arkki");
	if (rc) { /* the first error is the one to tell; what cannot be wiped now is at the next start */
		if (c->fd >= 0)
			close(c->fd);
		(void)!keyring_wipe_dir(c->dir, NULL);
		(void)!keyring_wipe_next_root(c->next_root, NULL);
		return rc;
	}
	rc = keyring_wipe_dir(c->dir, err);
	if (!rc)
		rc = keyring_wipe_next_root(c->next_root, err);
	return rc ? ark_fail_within(
			err, ARK_EIO, "the keys are changed, but the old ones are not wiped")
		  : ARK_OK;
}

void keyring_hold(struct keyring *k)
{
	pthread_mutex_lock(&k->changing);
}

void keyring_let_go(struct keyring *k)
{
	pthread_mutex_unlock(&k->changing);
}

int keyring_change(struct keyring *k, const struct keyring_change *change, struct ark_error *err)
{
	struct change *c;
	bool done = false;
	int rc;

	if (!k->for_writing)
		return ark_fail(err, ARK_EREFUSED, "the keyring is open for reading only");
	if (atomic_exchange(&k->change_wanted, true))
		return ark_fail(err, ARK_ECONFLICT, "the keys are being changed already");
	keyring_hold(k);
	c = calloc(1, sizeof(*c));
	if (c) {
		c->k = k;
		c->want = change;
		c->fd = -1;
		rc = run(c, &done, err);
		sodium_free(c->fresh);
		free(c);
	} else {
		rc = ark_fail(err, ARK_ENOMEM, "no memory to change keys");
	}
	keyring_let_go(k);
	atomic_store(&k->change_wanted, false);
	return rc;
}
