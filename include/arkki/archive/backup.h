/* Backups of an archive: restore points in a directory, here or on another machine.
 *
 *   PLACE/objects/<hex SHA-256>       immutable bytes: a pack, the new tail of a segment, a small file
 *   PLACE/points/<id>.manifest        JSON lines: the positions, then every file as its pieces
 *   PLACE/points/<id>.note            written last: the manifest's digest, signed by the history log's key
 *   PLACE/lock                        flock by whoever writes
 *
 * A point is the archive as its history log's newest checkpoint has it: both logs up to their checkpoints, and
 * the last commit that the history speaks of below it. It is taken beside a running server, which notices
 * nothing. Without its note there is no point: a run that was cut leaves objects, which the next run finds.
 * Never in it: keys/, a root key, catalogue.sqlite, index/, derived/, spool/, run/.
 *
 * A place is a directory, `ssh://[user@]host[:port]/path` or `[user@]host:path`; there `arkki backup-receive` is run by
 * ssh, or by the program that ARKKI_SSH names.
 *
 * Threads: each call is one thread's. Durability: after ARK_OK the point, and what it needs, is synced.
 */
#ifndef ARKKI_ARCHIVE_BACKUP_H
#define ARKKI_ARCHIVE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { BACKUP_POINT_SIZE = 40 };

struct backup_summary {
	char point[BACKUP_POINT_SIZE]; /* "000017-20260312T081530Z": ids sort as they were made */
	uint64_t sequence;             /* of the last commit in it */
	uint64_t history, access;      /* entries of the logs */
	uint64_t files;                /* as the archive has them */
	uint64_t objects, bytes;       /* brought over, or (of a restore) read back */
	uint64_t points_removed, objects_removed;
};

typedef void (*backup_progress)(void *arg, const char *step, uint64_t done, uint64_t of);

struct backup_request {
	const char *dir, *root_key, *place;
	bool full;         /* reads everything again, and builds on no earlier point */
	unsigned int keep; /* this many of the newest points stay; 0: all */
	backup_progress progress;
	void *arg;
};
/* ARK_EREFUSED: the newest point there holds more of a log than the archive, or something else: this copy of the
 * archive is not the one that was backed up last. ARK_ECONFLICT: another run is at work there. */
ARK_MUSTUSE int backup_run(
    const struct backup_request *r, struct backup_summary *ret, struct ark_error *err);

struct restore_request {
	const char *place, *dir, *root_key;
	const char *keys;  /* a key backup: its place, or the directory with `secrets` in it */
	const char *point; /* NULL: the newest */
	backup_progress progress;
	void *arg;
};
/* Makes dir (new or empty) from a point and a key backup. ARK_EREFUSED: dir is not empty; the set is unsigned,
 * forged, of another archive or not whole; the key backup is older than the point. Nothing is written then.
 * A restore that was cut leaves a directory without arkki.conf, which is no archive. */
ARK_MUSTUSE int backup_restore(
    const struct restore_request *r, struct backup_summary *ret, struct ark_error *err);
/* Opens what was restored, for the first time: the witnesses are asked, the catalogue is made from the store, the positions are
 * compared with those of the point. ARK_EREFUSED: a witness has seen more. */
ARK_MUSTUSE int backup_first_open(
    const struct restore_request *r, const struct backup_summary *point, struct ark_error *err);
/* Restores into a directory of its own below the one named by r->dir, compares everything with everything
 * (archive_verify in full) and with the point, and removes it, keys first. *ret_report: a signed note. */
ARK_MUSTUSE int backup_drill(const struct restore_request *r, struct backup_summary *ret,
    struct buf *ret_report, struct ark_error *err);

/* The points of a place, oldest first. Their signatures are not checked. */
ARK_MUSTUSE int backup_points(const char *place, void (*each)(void *arg, const char *point),
    void *arg, struct ark_error *err);

/* When the last good backup of dir was made (DIR/backup.state), and where to. ARK_ENOTFOUND: never. */
struct backup_last {
	int64_t time_us;
	char point[BACKUP_POINT_SIZE];
	char place[1024];
};
ARK_MUSTUSE int backup_last(const char *dir, struct backup_last *ret, struct ark_error *err);

/* The other side of ssh: obeys requests on `in` until it ends. */
ARK_MUSTUSE int backup_receive(const char *place, int in, int out, struct ark_error *err);

#endif
