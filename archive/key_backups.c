/* The list of key backups, and what is done with each of them; key_backup_copy.c makes a single copy. */
#include "archive/key_backups_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/keyring_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { LIST_MAX = 1 << 20 };

/* ---- the list ---- */

int key_backups_list(const char *dir, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	json_t *file = NULL, *list;
	char path[4096];
	int rc = fs_path(path, err, "%s/key-backups.json", dir);

	if (!rc)
		rc = fs_read_file(path, LIST_MAX, &text, err);
	if (rc == ARK_ENOTFOUND) {
		*ret = json_array();
		return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a list");
	}
	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, &file, err);
	list = json_object_get(file, "backups");
	if (!rc && (!json_is_array(list) || json_array_size(list) > KEY_BACKUPS_MAX))
		rc = ark_fail(err, ARK_ECORRUPT, "it has no list of backups");
	if (rc)
		rc = ark_fail_within(err, ARK_ECORRUPT, "%s", path);
	else
		*ret = json_incref(list);
	json_decref(file);
	buf_free(&text);
	return rc;
}

static int save(const char *dir, json_t *list, struct ark_error *err)
{
	json_t *file = json_pack("{s:O}", "backups", list);
	struct buf text = BUF_INIT;
	char path[4096];
	int rc = file ? fs_path(path, err, "%s/key-backups.json", dir)
		      : ark_fail(err, ARK_ENOMEM, "no memory for a list");

	if (!rc)
		rc = json_write(&text, file, err);
	if (!rc)
		rc = fs_replace_file(path, text.data, text.len, 0600, err);
	json_decref(file);
	buf_free(&text);
	return rc;
}

static const char *text_of(const json_t *backup, const char *key)
{
	const char *text = json_text(backup, key);

	return text ? text : "";
}

static size_t find(const json_t *list, const char *name)
{
	size_t i;
	json_t *b;

	json_array_foreach(list, i, b)
	{
		if (strcmp(text_of(b, "name"), name) == 0)
			break;
	}
	return i;
}

static bool name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n >= 1 && n <= 64 && !name[n];
}

/* ---- adding and removing ---- */

/* The directory itself, without links, so that it can be told from the archive's. */
static int place(const char *dir, const char *path, char real[PATH_MAX], struct ark_error *err)
{
	char own[PATH_MAX];
	struct stat st;
	size_t n;

	if (*path != '/')
		return ark_fail(err, ARK_EINPUT, "%s is not an absolute path", path);
	if (!realpath(path, real) || stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
		return ark_fail(err, ARK_EINPUT,
		    "%s is no directory; make it, or mount what is to hold the key backup", path);
	if (!realpath(dir, own))
		return ark_fail_errno(err, ARK_EIO, "cannot look at %s", dir);
	n = strlen(own);
	if (strncmp(real, own, n) == 0 && (real[n] == '/' || !real[n]))
		return ark_fail(err, ARK_EINPUT,
		    "%s lies in the archive itself; a key backup is kept elsewhere", path);
	return ARK_OK;
}

static int add(struct keyring *k, const char *dir, json_t *list, const char *name, const char *path,
    struct ark_error *err)
{
	char real[PATH_MAX];
	json_t *b;
	size_t i;
	int rc;

	if (!name_valid(name))
		return ark_fail(
		    err, ARK_EINPUT, "a name has 1 to 64 of the characters a-z, 0-9 and -");
	if (json_array_size(list) >= KEY_BACKUPS_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "there are %d key backups already", KEY_BACKUPS_MAX);
	rc = place(dir, path, real, err);
	if (rc)
		return rc;
	json_array_foreach(list, i, b)
	{
		if (strcmp(text_of(b, "name"), name) == 0 || strcmp(text_of(b, "path"), real) == 0)
			return ark_fail(err, ARK_ECONFLICT,
			    "there is a key backup %s in %s already", text_of(b, "name"),
			    text_of(b, "path"));
	}
	rc = key_backup_begin(k, real, err);
	if (rc)
		return rc;
	b = json_pack("{s:s,s:s,s:i,s:i}", "name", name, "path", real, "epoch", 0, "slots", 0);
	if (!b || json_array_append_new(list, b))
		return ark_fail(err, ARK_EINPUT, "the path is no UTF-8, or memory is out");
	return save(dir, list, err);
}

int key_backups_add(
    struct keyring *k, const char *dir, const char *name, const char *path, struct ark_error *err)
{
	json_t *list = NULL;
	int rc;

	keyring_hold(k);
	rc = key_backups_list(dir, &list, err);
	if (!rc)
		rc = add(k, dir, list, name, path, err);
	keyring_let_go(k);
	json_decref(list);
	return rc;
}

int key_backups_remove(
    struct keyring *k, const char *dir, const char *name, bool abandon, struct ark_error *err)
{
	json_t *list = NULL;
	size_t i = 0;
	int rc;

	keyring_hold(k);
	rc = key_backups_list(dir, &list, err);
	if (!rc && (i = find(list, name)) == json_array_size(list))
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no key backup %s", name);
	if (!rc) {
		rc = key_backup_end(k, text_of(json_array_get(list, i), "path"), err);
		if (rc && abandon)
			rc = ARK_OK;
		else if (rc)
			rc = ark_fail_within(err, ARK_EREFUSED,
			    "the keys there cannot be destroyed (--yes forgets them all the same)");
	}
	if (!rc) {
		json_array_remove(list, i);
		rc = save(dir, list, err);
	}
	keyring_let_go(k);
	json_decref(list);
	return rc;
}

/* ---- copying ---- */

static void note_failure(json_t *backup, const struct ark_error *why)
{
	json_object_set_new(backup, "error", json_string(why->text));
}

static void note_copy(json_t *backup, uint32_t epoch, uint64_t slots)
{
	char at[CLOCK_TEXT_SIZE];

	clock_format(at, clock_now_us());
	json_object_set_new(backup, "epoch", json_integer(epoch));
	json_object_set_new(backup, "slots", json_integer((json_int_t)slots));
	json_object_set_new(backup, "at", json_string(at));
	json_object_del(backup, "error");
}

/* Every place is tried. ARK_EIO names the first that failed. `older`: what is older goes when the copy counts. */
static int copy_all(json_t *list, const struct key_source *from, bool older, struct ark_error *err)
{
	size_t i;
	json_t *b;
	int rc = ARK_OK;

	json_array_foreach(list, i, b)
	{
		struct ark_error why = {0};
		uint64_t slots = 0;
		int bad = key_backup_copy(from, text_of(b, "path"), &slots, &why);

		if (!bad)
			note_copy(b, from->epoch, slots);
		if (!bad && older)
			bad = key_backup_drop_older(from, text_of(b, "path"), &why);
		if (bad)
			note_failure(b, &why);
		if (bad && !rc)
			rc = ark_fail(
			    err, ARK_EIO, "key backup %s: %s", text_of(b, "name"), why.text);
	}
	return rc;
}

int key_backups_run(struct keyring *k, const char *dir, json_t **ret, struct ark_error *err)
{
	struct key_source from = {.root = keyring_root_file(k)};
	json_t *list = NULL;
	char keys[4096];
	int rc = fs_path(keys, err, "%s/keys", dir), saved = ARK_OK;

	if (rc)
		return rc;
	keyring_hold(k);
	from.keys = keys;
	from.epoch = keyring_epoch(k);
	rc = key_backups_list(dir, &list, err);
	if (!rc) {
		rc = copy_all(list, &from, true, err);
		if (json_array_size(list))
			saved = save(dir, list, rc ? NULL : err);
	}
	keyring_let_go(k);
	if (ret && list)
		*ret = json_incref(list);
	json_decref(list);
	return rc ? rc : saved;
}

bool key_backups_behind(struct keyring *k, const char *dir)
{
	json_t *list = NULL, *b;
	bool behind = false;
	uint32_t shard_slots;
	size_t i;

	if (key_backups_list(dir, &list, NULL))
		return false;
	json_array_foreach(list, i, b)
	{
		behind = behind ||
			 json_integer_value(json_object_get(b, "epoch")) != keyring_epoch(k) ||
			 (uint64_t)json_integer_value(json_object_get(b, "slots")) <
			     keyring_written(k, &shard_slots);
	}
	json_decref(list);
	return behind;
}

/* ---- with a change of keys ---- */

static int confirmations(const json_t *list, json_t **ret, struct ark_error *err)
{
	json_t *out = json_array(), *b;
	size_t i;

	json_array_foreach(list, i, b)
	{
		json_array_append_new(
		    out, json_pack("{s:O,s:O,s:O,s:O}", "name", json_object_get(b, "name"), "epoch",
			     json_object_get(b, "epoch"), "slots", json_object_get(b, "slots"),
			     "at", json_object_get(b, "at")));
	}
	if (json_array_size(out) != json_array_size(list)) {
		json_decref(out);
		return ark_fail(err, ARK_ENOMEM, "no memory for a list");
	}
	*ret = out;
	return ARK_OK;
}

int key_backups_copied(
    void *arg, const char *keys_dir, const char *new_root, uint32_t epoch, struct ark_error *err)
{
	struct key_backups_change *c = arg;
	const struct key_source from = {
	    .keys = keys_dir, .root = new_root, .epoch = epoch, .fresh = true};
	json_t *list = NULL;
	int rc = key_backups_list(c->dir, &list, err);

	if (!rc) {
		rc = copy_all(list, &from, false, err);
		if (rc)
			(void)!save(
			    c->dir, list, NULL); /* for doctor; the failure itself is told */
	}
	if (!rc && json_array_size(list))
		rc = save(c->dir, list, err);
	if (!rc)
		rc = confirmations(list, &c->confirmed, err);
	json_decref(list);
	return rc;
}

static int change_keys(struct keyring *k, struct keyring_change change, const char *dir,
    json_t **ret_confirmed, struct ark_error *err)
{
	struct key_backups_change c = {.dir = dir};
	int rc;

	change.root_path = keyring_root_file(k);
	change.copied = key_backups_copied;
	change.arg = &c;
	rc = keyring_change(k, &change, err);
	if (!rc)
		(void)!key_backups_run(k, dir, NULL, NULL);
	if (!rc && ret_confirmed)
		*ret_confirmed = json_incref(c.confirmed);
	json_decref(c.confirmed);
	return rc;
}

int key_backups_change(struct keyring *k, const char *dir, const uint64_t *destroy,
    size_t destroy_len, json_t **ret_confirmed, struct ark_error *err)
{
	const struct keyring_change change = {.destroy = destroy, .destroy_len = destroy_len};

	return change_keys(k, change, dir, ret_confirmed, err);
}

int key_backups_change_signing(struct keyring *k, const char *dir, enum keyring_signing renew,
    enum keyring_signing retire, json_t **ret_confirmed, struct ark_error *err)
{
	const struct keyring_change change = {.renew = renew, .retire = retire};

	return change_keys(k, change, dir, ret_confirmed, err);
}
