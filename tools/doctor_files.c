/* Who can read what, room, core files, the clock. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "arkki/archive/filing.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "tools/doctor.h"

/* ---- permissions ---- */

struct looked {
	struct doctor *d;
	unsigned int faults;
};

static void look_at(struct looked *l, const char *path, bool needed)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (needed)
			doctor_say(l->d, VERDICT_BAD, "permissions", "%s is missing", path);
		l->faults += needed;
		return;
	}
	if (!S_ISLNK(st.st_mode) && (st.st_mode & 077)) {
		l->faults++;
		doctor_say(l->d, VERDICT_BAD, "permissions",
		    "%s is open to others (mode %03o); chmod go= %s", path,
		    (unsigned int)st.st_mode & 0777, path);
	}
	if (st.st_uid != geteuid() && geteuid() != 0) {
		l->faults++;
		doctor_say(l->d, VERDICT_BAD, "permissions",
		    "%s belongs to user %u, and arkki runs as %u; chown it", path,
		    (unsigned int)st.st_uid, (unsigned int)geteuid());
	}
}

static void look_below(struct looked *l, const char *dir)
{
	char path[4096];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && !fs_path(path, NULL, "%s/%s", dir, e->d_name))
			look_at(l, path, false);
	if (d)
		closedir(d);
}

void doctor_permissions(struct doctor *d)
{
	static const struct {
		const char *name;
		bool needed;
	} parts[] = {{"", true}, {"keys", true}, {"ledger", true}, {"derived", true},
	    {"index", true}, {"spool", true}, {"spool/uploads", false}, {"run", true},
	    {"run/admin.sock", false}, {"state.sqlite", true}, {"catalogue.sqlite", true},
	    {"arkki.conf", true}, {"key-backups.json", false}, {"key-shares.json", false}};
	struct looked l = {.d = d};
	char path[4096];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!fs_path(path, NULL, "%s/%s", d->dir, parts[i].name))
			look_at(&l, path, parts[i].needed);
	if (!fs_path(path, NULL, "%s/keys", d->dir))
		look_below(&l, path);
	if (!l.faults)
		doctor_say(d, VERDICT_OK, "permissions", "%s is its owner's alone", d->dir);
}

/* ---- the root key file ---- */

static bool lies_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

void doctor_root_key(struct doctor *d)
{
	char *key = d->root_key ? realpath(d->root_key, NULL) : NULL, *dir = realpath(d->dir, NULL);
	struct stat st, of_dir;

	if (!d->root_key)
		doctor_say(d, VERDICT_BAD, "root key",
		    "none is given; name its file with --root-key FILE or ARKKI_ROOT_KEY_FILE");
	else if (!key || !dir || stat(key, &st) < 0 || stat(dir, &of_dir) < 0)
		doctor_say(d, VERDICT_BAD, "root key",
		    "there is no file %s; if it is lost, have the keepers of its shares type them: "
		    "arkki "
		    "keys join",
		    d->root_key);
	else if (st.st_mode & 077)
		doctor_say(d, VERDICT_BAD, "root key",
		    "%s is open to others (mode %03o); chmod 600 %s", key,
		    (unsigned int)st.st_mode & 0777, key);
	else if (lies_below(key, dir))
		doctor_say(d, VERDICT_BAD, "root key",
		    "%s lies in the archive that it opens: whoever copies one has both; move it "
		    "away",
		    key);
	else if (st.st_dev == of_dir.st_dev)
		doctor_say(d, VERDICT_WARN, "root key",
		    "%s lies on the volume of the archive; a lost disk is both; give it a medium "
		    "of its own",
		    key);
	else
		doctor_say(
		    d, VERDICT_OK, "root key", "%s is outside the archive, its owner's alone", key);
	free(key);
	free(dir);
}

/* ---- room ---- */

void doctor_room(struct doctor *d)
{
	uint64_t left, reserve;
	struct ark_error err;
	int rc = filing_disk(d->dir, &left, &reserve, &err);
	unsigned long long mib = left >> 20, kept = reserve >> 20;

	if (rc)
		doctor_say(d, VERDICT_BAD, "room", "%s", err.text);
	else if (left < reserve)
		doctor_say(d, VERDICT_BAD, "room",
		    "%llu MiB left, and below %llu MiB nothing is filed (they are the access "
		    "log's); make "
		    "room",
		    mib, kept);
	else if (left < 4 * reserve)
		doctor_say(d, VERDICT_WARN, "room",
		    "%llu MiB left; below %llu MiB nothing is filed; make room soon", mib, kept);
	else
		doctor_say(
		    d, VERDICT_OK, "room", "%llu MiB left, %llu MiB are reserved", mib, kept);
}

/* ---- core files ---- */

/* "Max core file size   SOFT   HARD   bytes" of another process. */
static bool may_dump(pid_t pid, bool *ret)
{
	char path[64], *line = NULL, soft[32];
	size_t cap = 0;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	f = fopen(path, "re");
	while (f && !found && getline(&line, &cap, f) > 0)
		found = sscanf(line, "Max core file size %31s", soft) == 1;
	if (found)
		*ret = strcmp(soft, "0") != 0;
	free(line);
	if (f)
		fclose(f);
	return found;
}

void doctor_core_files(struct doctor *d)
{
	bool dumps = false;

	if (!d->server)
		doctor_say(d, VERDICT_OK, "core files", "`arkki serve` switches its own off");
	else if (!may_dump(d->server, &dumps))
		doctor_say(d, VERDICT_WARN, "core files", "the limits of process %d cannot be read",
		    (int)d->server);
	else if (dumps)
		doctor_say(d, VERDICT_WARN, "core files",
		    "process %d may leave one, with keys and texts in it; run it with `ulimit -c "
		    "0`",
		    (int)d->server);
	else
		doctor_say(d, VERDICT_OK, "core files", "the server leaves none");
}

/* ---- the clock ---- */

enum { SKEW_S = 60 };

/* What the archive wrote last cannot be of the future. */
void doctor_clock(struct doctor *d)
{
	static const char *const written[] = {
	    "ledger/history/checkpoint", "ledger/access/checkpoint", "state.sqlite"};
	int64_t now = clock_now_us() / 1000000;
	struct timex tx = {0};
	char path[4096];
	struct stat st;

	for (size_t i = 0; i < sizeof(written) / sizeof(*written); i++)
		if (!fs_path(path, NULL, "%s/%s", d->dir, written[i]) && stat(path, &st) == 0 &&
		    st.st_mtime > now + SKEW_S) {
			doctor_say(d, VERDICT_BAD, "clock",
			    "%s was written %lld s after what is now: the clock went back; set it "
			    "right",
			    path, (long long)st.st_mtime - (long long)now);
			return;
		}
	if (adjtimex(&tx) == TIME_ERROR || (tx.status & STA_UNSYNC))
		doctor_say(d, VERDICT_WARN, "clock",
		    "nothing sets this machine's clock, and every record has its time; run a time "
		    "service "
		    "(systemd-timesyncd, chrony), here or on the host");
	else
		doctor_say(d, VERDICT_OK, "clock", "is synchronised");
}
