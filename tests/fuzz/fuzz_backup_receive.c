/* What `arkki backup-receive` is asked by another machine. Whatever that is: nothing is written outside its directory, an
 * object there has the digest that is its name, and a point has a valid name. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/backup_private.h"
#include "arkki/archive/seal.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory where there is such a place: every object is synced. */
static const char *scratch(char out[64])
{
	snprintf(out, 64, "%s/arkki-fuzz-%d", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm",
	    (int)getpid());
	return out;
}

static void check_file(const char *place, const char *kind, const char *name)
{
	char path[4096], rest[128], hex[65];
	unsigned char sha[32];
	struct buf bytes = BUF_INIT;

	snprintf(rest, sizeof(rest), "%s/%.90s", kind, name);
	if (!place_name_valid(rest) || fs_path(path, NULL, "%s/%s", place, rest) ||
	    fs_read_file(path, 1 << 20, &bytes, NULL))
		abort();
	sha256_of(bytes.data ? bytes.data : "", bytes.len, sha);
	hex_encode(hex, sha, 32);
	if (strcmp(kind, "objects") == 0 && strcmp(hex, name) != 0)
		abort();
	buf_free(&bytes);
}

static void check_below(const char *place, const char *kind)
{
	char path[4096];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", place, kind);
	d = opendir(path);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			check_file(place, kind, e->d_name);
	if (d)
		closedir(d);
}

static void check_place(const char *place)
{
	static const char *const known[] = {".", "..", "incoming", "lock", "objects", "points"};
	struct dirent *e;
	DIR *d = opendir(place);

	while (d && (e = readdir(d))) {
		bool ours = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			ours = ours || strcmp(e->d_name, known[i]) == 0;
		if (!ours)
			abort();
	}
	if (d)
		closedir(d);
	check_below(place, "objects");
	check_below(place, "points");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char top[64], place[80], outside[96];
	int in = memfd_create("asked", MFD_CLOEXEC), out = memfd_create("answered", MFD_CLOEXEC);

	scratch(top);
	snprintf(place, sizeof(place), "%s/place", top);
	snprintf(outside, sizeof(outside), "%s/outside", top);
	if (in < 0 || out < 0 || fs_mkdirs(outside, 0700, NULL) ||
	    fs_write_all(in, data, size, NULL) || lseek(in, 0, SEEK_SET) != 0)
		abort();
	(void)!backup_receive(place, in, out, NULL); /* closes both */
	check_place(place);
	if (fs_dir_empty(outside, NULL) != 1 || fs_remove_tree(top, NULL))
		abort();
	return 0;
}
