/* Parts of the keyring: keyring_root.c (the root key file and keys/secrets),
 * keyring_shard.c (the bytes of shard files), keyring_open.c (opening, closing), keyring.c (slots in
 * memory and out), keyring_change.c (all keys anew), keyring_settle.c
 * (what a cut change left), keyring_check.c (for verify). */
#ifndef ARKKI_ARCHIVE_KEYRING_PRIVATE_H
#define ARKKI_ARCHIVE_KEYRING_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/keyring.h"

enum {
	SHARD_SLOTS = 16384,
	SHARD_HEADER_SIZE = 128,
	SHARD_NUMBER_MAX = 65535,
	SLOT_SIZE = 72,      /* nonce[24] || wrapped key[32] || tag[16] */
	ROOT_FILE_MAX = 256, /* bytes; a well-formed one has 85 to 94 */
};

/* ---- keyring_root.c ---- */
struct keyring_root {
	struct seal_key key;
	uint32_t epoch;
};

/* The text of a root key file; `name` is for the error. On failure *ret is wiped. */
ARK_MUSTUSE int keyring_root_parse(const char *name, const char *text, size_t len,
    struct keyring_root *ret, struct ark_error *err);
ARK_MUSTUSE int keyring_root_read(
    const char *path, struct keyring_root *ret, struct ark_error *err);
/* keys_dir/secrets. ARK_EINPUT: the root key (of the file root_path) is another archive's. On
 * failure *ret is wiped. */
ARK_MUSTUSE int keyring_secrets_read(const char *keys_dir, const char *root_path,
    const struct keyring_root *root, struct keyring_secrets *ret, struct ark_error *err);

/* Writes keys_dir/secrets under another root, durably; the directory must exist. */
ARK_MUSTUSE int keyring_secrets_write(const char *keys_dir, const struct keyring_root *root,
    const struct keyring_secrets *secrets, struct ark_error *err);
/* The epoch that keys_dir/secrets names in the clear. */
ARK_MUSTUSE int keyring_epoch_on_disk(const char *keys_dir, uint32_t *ret, struct ark_error *err);
/* Writes a new root key file (mode 0600), durably. ARK_EINPUT when there is one. */
ARK_MUSTUSE int keyring_root_write(
    const char *path, const struct keyring_root *root, struct ark_error *err);
/* The directory of a path. */
ARK_MUSTUSE int keyring_parent(char out[4096], const char *path, struct ark_error *err);

/* ---- keyring_signing.c ---- */
enum { SECRETS_PAST_SIZE = 88 }; /* an earlier signing key in keys/secrets */
void keyring_past_encode(const struct keyring_past *p, unsigned char out[SECRETS_PAST_SIZE]);
bool keyring_past_decode(const unsigned char in[SECRETS_PAST_SIZE], struct keyring_past *ret);
/* What a change of keys does to the signing keys. */
ARK_MUSTUSE int keyring_signing_change(
    struct keyring_secrets *s, const struct keyring_change *want, struct ark_error *err);

/* ---- keyring_shard.c ---- */
/* What the header of a shard file says in the clear. */
struct shard_id {
	uint32_t number;
	uint32_t epoch;                  /* of the root key that wraps the shard key */
	uint32_t slots;                  /* how many the file has when full */
	const unsigned char *archive_id; /* 16 bytes */
};

ARK_MUSTUSE int shard_path(
    char out[4096], const char *keys_dir, uint32_t number, struct ark_error *err);
/* Makes the file, with a header that wraps shard_key, durably. *ret_fd is the caller's. */
ARK_MUSTUSE int shard_create(const char *keys_dir, const struct shard_id *id,
    const struct seal_key *root, const struct seal_key *shard_key, int *ret_fd,
    struct ark_error *err);
/* Reads the header and opens the shard key. ARK_ECORRUPT when anything in it is not as `id` says. */
ARK_MUSTUSE int shard_read_header(int fd, const struct shard_id *id, const struct seal_key *root,
    struct seal_key *ret, struct ark_error *err);
/* How many of the first `slots` slots there are up to the last that is not all zeros. A power cut can
 * leave zeros behind it, of a write that nobody was told of. */
ARK_MUSTUSE int shard_filled(int fd, uint64_t slots, uint64_t *ret, struct ark_error *err);
void slot_wrap(unsigned char out[SLOT_SIZE], const struct shard_id *id, uint64_t slot,
    const struct seal_key *shard_key, const struct seal_key *key);
ARK_MUSTUSE int slot_unwrap(const unsigned char bytes[SLOT_SIZE], const struct shard_id *id,
    uint64_t slot, const struct seal_key *shard_key, struct seal_key *ret, struct ark_error *err);

bool slot_is_destroyed(const unsigned char bytes[SLOT_SIZE]);
void slot_destroy(unsigned char out[SLOT_SIZE]);

/* ---- keyring_settle.c ---- */
/* The root key file itself, not a link to it: a rename over a link would leave the old key where it is. */
ARK_MUSTUSE int keyring_root_target(char out[4096], const char *root_path, struct ark_error *err);
/* Puts the next root key in the place of the present one, durably. The old one then lies under the other name, or
 * is overwritten. */
ARK_MUSTUSE int keyring_exchange_roots(
    const char *root, const char *next_root, struct ark_error *err);
/* ARK_EREFUSED when something else has that name. */
ARK_MUSTUSE int keyring_wipe_next_root(const char *next_root, struct ark_error *err);
/* Finishes, or takes back, a change that a crash cut: see keyring.h. For the one writer alone. */
ARK_MUSTUSE int keyring_change_settle(
    const char *keys_dir, const char *root_path, struct ark_error *err);
/* Where the next root key is written: beside the file that root_path leads to, with ".next" behind its name. */
ARK_MUSTUSE int keyring_next_root(char out[4096], const char *root_path, struct ark_error *err);
/* Overwrites with zeros, syncs, unlinks. None there: fine. */
ARK_MUSTUSE int keyring_wipe_file(const char *path, struct ark_error *err);
/* Every file in a directory of keys, then the directory. None there: fine. */
ARK_MUSTUSE int keyring_wipe_dir(const char *dir, struct ark_error *err);

/* ---- keyring_change.c ---- */
/* No change of keys begins or goes on between the two; one that is asked for waits. */
void keyring_hold(struct keyring *k);
void keyring_let_go(struct keyring *k);

/* ---- keyring_check.c ---- */
/* keyring_check() of the slots from `first` on (the first of a shard). */
ARK_MUSTUSE int keyring_check_from(struct keyring *k, uint64_t first,
    void (*bad)(void *arg, uint64_t slot, const char *why), void *arg, struct ark_error *err);

/* ---- keyring_open.c ---- */
/* As it was given at opening. */
const char *keyring_root_file(const struct keyring *k);
/* For a keyring that only reads, beside a writer: has keys/ been changed since, and take that on. */
bool keyring_stale(const struct keyring *k);
ARK_MUSTUSE int keyring_refresh(struct keyring *k, struct ark_error *err);

/* ---- keyring.c ---- */
/* One shard for the time of a call: its key, and a descriptor to read from. */
struct keyring_use {
	int fd;
	bool own; /* the descriptor is closed with the call */
	struct seal_key key;
	struct shard_id id;
};

/* Between keyring_enter() and keyring_leave() the keys do not change. */
void keyring_enter(struct keyring *k);
void keyring_leave(struct keyring *k);
/* Within these. ARK_ECORRUPT: the file is missing or its header damaged. Ended with keyring_use_end() on success. */
ARK_MUSTUSE int keyring_use(
    struct keyring *k, uint32_t number, struct keyring_use *ret, struct ark_error *err);
void keyring_use_end(struct keyring_use *u);
/* The key may be one kept from before: does the file still give it? */
ARK_MUSTUSE int keyring_reread_header(
    struct keyring *k, const struct keyring_use *u, struct ark_error *err);
/* Slots in files (the first keyring_written() ones), and how many make a shard. */
uint64_t keyring_written(struct keyring *k, uint32_t *ret_shard_slots);

/* keyring_open() with another shard size than SHARD_SLOTS, for tests. */
ARK_MUSTUSE int keyring_open_sized(const char *keys_dir, const char *root_path, int for_writing,
    uint32_t shard_slots, struct keyring **ret, struct ark_error *err);

#endif
