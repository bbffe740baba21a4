/* Where a directory lies, and whether what is written there is encrypted: fscrypt by its policy, a block device by
 * device-mapper's name for LUKS (its uuid begins with CRYPT-), looked for down through LVM and RAID. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fscrypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "arkki/base/buf.h"
#include "arkki/base/fs.h"
#include "tools/doctor.h"

enum { LAYERS_MAX = 16, TEXT_MAX = 1 << 20 };

enum kept { KEPT_UNKNOWN, KEPT_OPEN, KEPT_ENCRYPTED, KEPT_MEMORY };

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* ---- block devices ---- */

static bool is_crypt(const char *sys)
{
	struct buf uuid = BUF_INIT;
	char path[4096];
	bool yes = !fs_path(path, NULL, "%s/dm/uuid", sys) &&
		   !fs_read_file(path, 4096, &uuid, NULL) && uuid.len > 6 &&
		   begins(uuid.data, "CRYPT-");

	buf_free(&uuid);
	return yes;
}

/* What a device is made of: the names below slaves/ (at most `max`), as paths below /sys/class/block. */
static size_t parts_of(const char *sys, char (*parts)[288], size_t max)
{
	char path[4096];
	struct dirent *e;
	size_t n = 0;
	DIR *d = fs_path(path, NULL, "%s/slaves", sys) ? NULL : opendir(path);

	while (d && n < max && (e = readdir(d)))
		if (parts && e->d_name[0] != '.')
			snprintf(parts[n++], sizeof(*parts), "/sys/class/block/%s", e->d_name);
	if (d)
		closedir(d);
	return n;
}

/* A device is encrypted when it is, or when every part of it is. */
static enum kept device_kept(dev_t device)
{
	char queue[LAYERS_MAX][288];
	struct stat st;
	size_t n = 1;

	snprintf(queue[0], sizeof(queue[0]), "/sys/dev/block/%u:%u", major(device), minor(device));
	if (stat(queue[0], &st) < 0)
		return KEPT_UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		size_t more;

		if (is_crypt(queue[i]))
			continue;
		more = parts_of(queue[i], queue + n, LAYERS_MAX - n);
		if (!more)
			return n == LAYERS_MAX ? KEPT_UNKNOWN : KEPT_OPEN;
		n += more;
	}
	return KEPT_ENCRYPTED;
}

/* ---- mounts ---- */

struct mount {
	char type[64], source[1024];
};

/* Of the mount that a device number (as stat has it) belongs to; the last one that is listed. */
static bool find_mount(dev_t device, struct mount *ret)
{
	char *line = NULL;
	size_t cap = 0;
	unsigned int a, b;
	bool found = false;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && getline(&line, &cap, f) > 0) {
		const char *rest = strstr(line, " - ");

		/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
		if (!rest || sscanf(line, "%*u %*u %9u:%9u", &a, &b) != 2 ||
		    makedev(a, b) != device)
			continue;
		found = sscanf(rest, " - %63s %1023s", ret->type, ret->source) == 2 || found;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static bool has_fscrypt(const char *path)
{
	struct fscrypt_get_policy_ex_arg arg = {.policy_size = sizeof(arg.policy)};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	bool yes = fd >= 0 && ioctl(fd, FS_IOC_GET_ENCRYPTION_POLICY_EX, &arg) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

static enum kept path_kept(const char *path, struct mount *where)
{
	static const char *const crypt[] = {
	    "ecryptfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs"};
	struct stat st, source;
	enum kept kept;

	*where = (struct mount){.type = "?"};
	if (stat(path, &st) < 0)
		return KEPT_UNKNOWN;
	if (has_fscrypt(path))
		return KEPT_ENCRYPTED;
	if (!find_mount(st.st_dev, where))
		return device_kept(st.st_dev);
	if (strcmp(where->type, "tmpfs") == 0 || strcmp(where->type, "ramfs") == 0)
		return KEPT_MEMORY;
	for (size_t i = 0; i < sizeof(crypt) / sizeof(*crypt); i++)
		if (strcmp(where->type, crypt[i]) == 0)
			return KEPT_ENCRYPTED;
	kept = device_kept(st.st_dev);
	/* btrfs and the like have numbers of their own: the mount names the device */
	if (kept == KEPT_UNKNOWN && begins(where->source, "/dev/") &&
	    stat(where->source, &source) == 0 && S_ISBLK(source.st_mode))
		kept = device_kept(source.st_rdev);
	return kept;
}

void doctor_index_volume(struct doctor *d)
{
	static const char mend[] = "it holds words of every document in the clear: put it on "
				   "fscrypt or LUKS, or in memory, and "
				   "`arkki rebuild DIR index`";
	struct mount where;
	char path[4096];
	enum kept kept;

	if (fs_path(path, NULL, "%s/index", d->dir))
		return;
	kept = path_kept(path, &where);
	if (kept == KEPT_ENCRYPTED)
		doctor_say(d, VERDICT_OK, "index volume", "%s is encrypted", path);
	else if (kept == KEPT_MEMORY)
		doctor_say(d, VERDICT_OK, "index volume", "%s is in memory (%s)", path, where.type);
	else
		doctor_say(d, VERDICT_WARN, "index volume", "%s lies on %s (%s), %s; %s", path,
		    where.source[0] ? where.source : "an unknown device", where.type,
		    kept == KEPT_OPEN ? "which is not encrypted" : "of which nothing can be told",
		    mend);
}

/* ---- swap ---- */

static enum kept swap_kept(const char *name)
{
	struct mount where;
	struct stat st;

	if (begins(name, "/dev/zram"))
		return KEPT_MEMORY;
	if (stat(name, &st) < 0)
		return KEPT_UNKNOWN;
	return S_ISBLK(st.st_mode) ? device_kept(st.st_rdev) : path_kept(name, &where);
}

void doctor_swap(struct doctor *d)
{
	char *line = NULL, name[1024];
	unsigned int all = 0, open = 0;
	size_t cap = 0;
	FILE *f = fopen("/proc/swaps", "re");

	while (f && getline(&line, &cap, f) > 0) {
		enum kept kept;

		if (line[0] != '/' || sscanf(line, "%1023s", name) != 1)
			continue;
		all++;
		kept = swap_kept(name);
		if (kept != KEPT_OPEN && kept != KEPT_UNKNOWN)
			continue;
		open++;
		doctor_say(d, VERDICT_WARN, "swap",
		    "%s is %s: texts in memory can come to lie there; encrypt it, use zram, or "
		    "switch it off",
		    name, kept == KEPT_OPEN ? "not encrypted" : "of an unknown kind");
	}
	if (!f)
		doctor_say(
		    d, VERDICT_WARN, "swap", "/proc/swaps cannot be read, so nothing is known");
	else if (!open)
		doctor_say(
		    d, VERDICT_OK, "swap", all ? "is encrypted, or in memory" : "there is none");
	free(line);
	if (f)
		fclose(f);
}
