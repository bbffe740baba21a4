/* One copy of keys/ in one place: key_backup_copy.c. */
#ifndef ARKKI_ARCHIVE_KEY_BACKUPS_PRIVATE_H
#define ARKKI_ARCHIVE_KEY_BACKUPS_PRIVATE_H

#include "arkki/archive/key_backups.h"

/* What is copied. */
struct key_source {
	const char *keys; /* the directory */
	const char *root; /* the root key file that opens it */
	uint32_t epoch;
	bool
	    fresh; /* the epoch begins: what bears its number there is of a change that was given up */
};

/* The archive's own directory in a place. */
ARK_MUSTUSE int key_backup_begin(const struct keyring *k, const char *place, struct ark_error *err);
/* Copies what is missing or shorter there, reads it back, opens each slot of it. */
ARK_MUSTUSE int key_backup_copy(
    const struct key_source *from, const char *place, uint64_t *ret_slots, struct ark_error *err);
/* Overwrites and removes the copies of every other epoch. */
ARK_MUSTUSE int key_backup_drop_older(
    const struct key_source *from, const char *place, struct ark_error *err);
/* Overwrites and removes everything of this archive. ARK_EIO also when the place cannot be found. */
ARK_MUSTUSE int key_backup_end(const struct keyring *k, const char *place, struct ark_error *err);

#endif
