/* Reads every key slot once, in order, and says which do not open. */
#include "archive/keyring_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "arkki/base/fs.h"

enum { RUN_SLOTS = 512 }; /* read at once */

struct check {
	struct keyring *k;
	bool moved; /* a writer has changed the keys under this reader */
	void (*bad)(void *arg, uint64_t slot, const char *why);
	void *arg;
	bool any;
	unsigned char bytes[RUN_SLOTS * SLOT_SIZE];
};

static void report(struct check *c, uint64_t slot, const char *why)
{
	if (c->moved || keyring_stale(c->k)) {
		c->moved = true;
		return;
	}
	c->any = true;
	c->bad(c->arg, slot, why);
}

static void check_slot(
    struct check *c, const struct keyring_use *u, uint64_t slot, const unsigned char *bytes)
{
	struct ark_error why;
	struct seal_key key;

	if (sodium_is_zero(bytes, SLOT_SIZE))
		report(c, slot, "the slot is empty: a power cut or the disk took it");
	else if (slot_is_destroyed(bytes))
		return; /* whether it had to be is for those to say who know the tombstones */
	else if (slot_unwrap(bytes, &u->id, slot, &u->key, &key, &why))
		report(c, slot, why.text);
	else
		seal_key_wipe(&key);
}

/* `want` slots, of which `first` is the first, in an open shard. */
static int check_slots(struct check *c, const struct keyring_use *u, uint64_t first, uint64_t want,
    struct ark_error *err)
{
	uint64_t there = 0;
	struct stat st;

	if (fstat(u->fd, &st) < 0)
		return ark_fail_errno(
		    err, ARK_EIO, "cannot look at key shard %u", (unsigned int)u->id.number);
	if (st.st_size > SHARD_HEADER_SIZE)
		there = (uint64_t)(st.st_size - SHARD_HEADER_SIZE) / SLOT_SIZE;
	if (there < want)
		report(c, first + there,
		    "its shard ends before this slot; restore it from a key backup");
	else
		there = want;
	for (uint64_t at = 0; at < there && !c->moved;) {
		size_t run = there - at < RUN_SLOTS ? (size_t)(there - at) : RUN_SLOTS;
		int rc = fs_pread_all(
		    u->fd, c->bytes, run * SLOT_SIZE, SHARD_HEADER_SIZE + at * SLOT_SIZE, err);

		if (rc)
			return ark_fail_within(err, rc, "key shard %u", (unsigned int)u->id.number);
		for (size_t i = 0; i < run; i++, at++)
			check_slot(c, u, first + at, c->bytes + i * SLOT_SIZE);
	}
	return ARK_OK;
}

static int check_shard(struct keyring *k, struct check *c, uint32_t number, uint64_t first,
    uint64_t want, struct ark_error *err)
{
	struct ark_error why;
	struct keyring_use u;
	int rc;

	keyring_enter(k);
	rc = keyring_use(k, number, &u, &why);
	if (!rc) {
		rc = keyring_reread_header(k, &u, &why);
		if (!rc)
			rc = check_slots(c, &u, first, want, &why);
		keyring_use_end(&u);
	}
	keyring_leave(k);
	if (rc == ARK_ECORRUPT) {
		report(c, first, why.text);
		rc = ARK_OK;
	}
	return rc ? ark_fail(err, rc, "%s", why.text) : ARK_OK;
}

int keyring_check(struct keyring *k, void (*bad)(void *arg, uint64_t slot, const char *why),
    void *arg, struct ark_error *err)
{
	return keyring_check_from(k, 0, bad, arg, err);
}

int keyring_check_from(struct keyring *k, uint64_t first,
    void (*bad)(void *arg, uint64_t slot, const char *why), void *arg, struct ark_error *err)
{
	uint32_t shard_slots, number;
	uint64_t end = keyring_written(k, &shard_slots);
	struct check *c = malloc(sizeof(*c));
	int rc = ARK_OK;

	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory to check the keys");
	*c = (struct check){.k = k, .bad = bad, .arg = arg};
	number = (uint32_t)(first / shard_slots);
	for (; !rc && first < end; first += shard_slots) {
		uint64_t want = end - first < shard_slots ? end - first : shard_slots;

		do {
			rc = c->moved ? keyring_refresh(k, err) : ARK_OK;
			c->moved = false;
			if (!rc)
				rc = check_shard(k, c, number, first, want, err);
		} while (!rc && c->moved);
		number++;
	}
	if (!rc && c->any)
		rc = ark_fail(err, ARK_ECORRUPT, "not every key slot opens");
	free(c);
	return rc;
}
