/* A scratch directory with a keyring in it. */
#ifndef ARKKI_TESTS_UNIT_KEYRING_H
#define ARKKI_TESTS_UNIT_KEYRING_H

#include "tests/unit/unit.h"

#include "arkki/archive/keyring.h"
#include "arkki/base/fs.h"

struct unit_keyring {
	char dir[256], root[300], keys_dir[300];
	struct keyring *keys;
};

static inline void unit_keyring_begin(struct unit_keyring *u)
{
	unit_scratch(u->dir);
	snprintf(u->root, sizeof(u->root), "%s/root", u->dir);
	snprintf(u->keys_dir, sizeof(u->keys_dir), "%s/keys", u->dir);
	assert_int_equal(keyring_create_root(u->root, NULL), ARK_OK);
	assert_int_equal(keyring_create(u->keys_dir, u->root, NULL), ARK_OK);
	assert_int_equal(keyring_open(u->keys_dir, u->root, 1, &u->keys, NULL), ARK_OK);
}

static inline void unit_keyring_end(struct unit_keyring *u)
{
	keyring_close(u->keys);
	unit_scratch_end(u->dir);
}

/* Whether any file of the directory (one level) holds these bytes. */
static inline bool unit_holds(const char *dir, const void *bytes, size_t len)
{
	char cmd[320], path[4096];
	bool found = false;
	FILE *list;

	snprintf(cmd, sizeof(cmd), "find '%s' -type f", dir);
	list = popen(cmd, "r");
	assert_non_null(list);
	while (fgets(path, sizeof(path), list)) {
		struct buf b = BUF_INIT;

		path[strcspn(path, "\n")] = '\0';
		assert_int_equal(fs_read_file(path, 1U << 30, &b, NULL), ARK_OK);
		found = found || (b.len && memmem(b.data, b.len, bytes, len));
		buf_free(&b);
	}
	pclose(list);
	return found;
}

#endif
