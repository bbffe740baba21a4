/* One copy of keys/ in one place. Within an epoch shards only grow, so a run copies what is shorter there; a new epoch is
 * written under another name and takes its own when it has been read back. */
#include "archive/key_backups_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/keyring_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { FILE_MAX = SHARD_HEADER_SIZE + SHARD_SLOTS * SLOT_SIZE };

static int home_of(
    const unsigned char archive_id[16], const char *place, char out[4096], struct ark_error *err)
{
	char hex[33];

	hex_encode(hex, archive_id, 16);
	return fs_path(out, err, "%s/%s", place, hex);
}

int key_backup_begin(const struct keyring *k, const char *place, struct ark_error *err)
{
	char home[4096];
	int rc = home_of(keyring_secrets(k)->archive_id, place, home, err);

	if (!rc)
		rc = fs_mkdir(home, 0700, err);
	return rc ? rc : fs_sync_dir(place, err);
}

/* Of a source: the id stands in the clear in keys/secrets. */
static int home_for(
    const struct key_source *from, const char *place, char out[4096], struct ark_error *err)
{
	struct buf file = BUF_INIT;
	char path[4096];
	int rc = fs_path(path, err, "%s/secrets", from->keys);

	if (!rc)
		rc = fs_read_file(path, 4096, &file, err);
	if (!rc && file.len < 32)
		rc = ark_fail(err, ARK_ECORRUPT, "%s is cut", path);
	if (!rc)
		rc = home_of((const unsigned char *)file.data + 16, place, out, err);
	if (!rc &&
	    !fs_exists(
		out)) /* made when the place was registered: never under an empty mount point */
		rc = ark_fail(err, ARK_EIO, "%s is not there: is the disk mounted?", out);
	buf_free(&file);
	return rc;
}

/* ---- copying ---- */

/* Of a shard only whole slots: the archive may be writing behind them. */
static size_t whole(size_t len)
{
	return len < SHARD_HEADER_SIZE ? len : len - (len - SHARD_HEADER_SIZE) % SLOT_SIZE;
}

static void forget_pages(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

/* *ret_new: it was not there so far. ARK_ENOTFOUND when the source has no such file. */
static int copy_file(const struct key_source *from, const char *to_dir, const char *name,
    bool *ret_new, struct ark_error *err)
{
	struct buf have = BUF_INIT, want = BUF_INIT;
	char source[4096], target[4096];
	int rc = fs_path(source, err, "%s/%s", from->keys, name);

	if (!rc)
		rc = fs_path(target, err, "%s/%s", to_dir, name);
	if (!rc)
		rc = fs_read_file(source, FILE_MAX, &want, err);
	if (rc)
		goto out;
	if (strcmp(name, "secrets") != 0)
		want.len = whole(want.len);
	rc = fs_read_file(target, FILE_MAX, &have, err);
	*ret_new = rc || have.len != want.len;
	/* in an epoch nothing there changes but that slots are added: a good copy is not replaced by a damaged one */
	if (!rc && (have.len > want.len || memcmp(have.data, want.data, have.len) != 0))
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%s differs from %s: `arkki verify` tells whether the archive's own is "
		    "damaged; a damaged "
		    "copy is removed and registered anew",
		    target, source);
	rc = rc == ARK_ENOTFOUND ? ARK_OK : rc;
	if (!rc && *ret_new)
		rc = fs_replace_file(target, want.data, want.len, 0600, err);
	if (!rc && *ret_new)
		forget_pages(target);
out:
	buf_free(&have);
	buf_free(&want);
	return rc;
}

/* *ret_first: the first slot that is new there. */
static int copy_files(
    const struct key_source *from, const char *to_dir, uint64_t *ret_first, struct ark_error *err)
{
	bool is_new = false, any = false;
	int rc = copy_file(from, to_dir, "secrets", &is_new, err);

	*ret_first = UINT64_MAX;
	for (uint32_t n = 0; !rc && n <= SHARD_NUMBER_MAX; n++) {
		char name[24];

		snprintf(name, sizeof(name), "shard-%06u", (unsigned int)n);
		rc = copy_file(from, to_dir, name, &is_new, err);
		if (rc == ARK_ENOTFOUND)
			return ARK_OK;
		if (!rc && is_new && !any) {
			any = true;
			*ret_first = (uint64_t)n * SHARD_SLOTS;
		}
	}
	return rc;
}

/* ---- reading back ---- */

static void bad_slot(void *arg, uint64_t slot, const char *why)
{
	struct ark_error *first = arg;

	if (!first->text[0])
		ark_fail(first, ARK_ECORRUPT, "slot %llu: %s", (unsigned long long)slot, why);
}

static int confirm(const struct key_source *from, const char *to_dir, uint64_t first,
    uint64_t *ret_slots, struct ark_error *err)
{
	struct ark_error bad = {0};
	struct keyring *copy = NULL;
	int rc = keyring_open(to_dir, from->root, 0, &copy, err);

	if (!rc && keyring_epoch(copy) != from->epoch)
		rc = ark_fail(err, ARK_ECORRUPT, "%s is of another epoch", to_dir);
	if (!rc)
		rc = keyring_check_from(copy, first, bad_slot, &bad, err);
	if (rc == ARK_ECORRUPT && bad.text[0])
		rc = ark_fail(
		    err, ARK_ECORRUPT, "the copy in %s cannot be used: %s", to_dir, bad.text);
	if (!rc)
		*ret_slots = keyring_slots(copy);
	keyring_close(copy);
	return rc;
}

int key_backup_copy(
    const struct key_source *from, const char *place, uint64_t *ret_slots, struct ark_error *err)
{
	char home[4096], target[4096], part[4096];
	uint64_t first = 0;
	bool begins;
	int rc = home_for(from, place, home, err);

	if (!rc)
		rc = fs_path(target, err, "%s/epoch-%u", home, (unsigned int)from->epoch);
	if (!rc)
		rc = fs_path(part, err, "%s/epoch-%u.part", home, (unsigned int)from->epoch);
	if (rc)
		return rc;
	if (from->fresh)
		rc = keyring_wipe_dir(target, err);
	begins = !fs_exists(target);
	if (!rc && begins)
		rc = keyring_wipe_dir(part, err);
	if (!rc && begins)
		rc = fs_mkdir(part, 0700, err);
	if (!rc)
		rc = copy_files(from, begins ? part : target, &first, err);
	if (!rc)
		rc = confirm(from, begins ? part : target, begins ? 0 : first, ret_slots, err);
	if (!rc && begins)
		rc = fs_rename(part, target, err);
	if (!rc && begins)
		rc = fs_sync_dir(home, err);
	return rc;
}

/* ---- removing ---- */

/* Every epoch below `home` but `keep` (0: none is kept). */
static int drop(const char *home, uint32_t keep, struct ark_error *err)
{
	char path[4096], kept[32];
	struct dirent *e;
	DIR *d = opendir(home);
	int rc = ARK_OK;

	if (!d)
		return ark_fail_errno(err, ARK_EIO, "cannot list %s", home);
	snprintf(kept, sizeof(kept), "epoch-%u", (unsigned int)keep);
	while (!rc && (e = readdir(d))) {
		if (strncmp(e->d_name, "epoch-", 6) != 0 || strcmp(e->d_name, kept) == 0)
			continue;
		rc = fs_path(path, err, "%s/%s", home, e->d_name);
		if (!rc)
			rc = keyring_wipe_dir(path, err);
	}
	closedir(d);
	return rc;
}

int key_backup_drop_older(const struct key_source *from, const char *place, struct ark_error *err)
{
	char home[4096];
	int rc = home_for(from, place, home, err);

	return rc ? rc : drop(home, from->epoch, err);
}

int key_backup_end(const struct keyring *k, const char *place, struct ark_error *err)
{
	char home[4096];
	int rc = home_of(keyring_secrets(k)->archive_id, place, home, err);

	if (!rc)
		rc = drop(home, 0, err);
	if (!rc && rmdir(home) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot remove %s", home);
	return rc ? rc : fs_sync_dir(place, err);
}
