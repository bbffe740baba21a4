/* Inside of backups: the place, and the manifest. */
#ifndef ARKKI_ARCHIVE_BACKUP_PRIVATE_H
#define ARKKI_ARCHIVE_BACKUP_PRIVATE_H

#include <jansson.h>

#include "arkki/archive/backup.h"
#include "arkki/archive/keyring.h"

/* ---- a place: backup_place.c, backup_remote.c ---- */

enum { PLACE_NAME_MAX = 96, PLACE_LIST_MAX = 512 << 20, PLACE_BLOCK = 1 << 16 };

enum place_mode {
	PLACE_WRITE, /* made when it is missing; locked */
	PLACE_READ,  /* beside other readers, never beside a writer */
};
/* Exactly `want` bytes. */
typedef int (*place_source)(void *arg, void *out, size_t want, struct ark_error *err);
typedef int (*place_sink)(void *arg, const void *bytes, size_t len, struct ark_error *err);

struct place;
ARK_MUSTUSE int place_open(
    const char *where, enum place_mode mode, struct place **ret, struct ark_error *err);
void place_close(struct place *p);
/* kind: "objects" or "points". Appends lines "name size\n" in no order. */
ARK_MUSTUSE int place_list(
    struct place *p, const char *kind, struct buf *out, struct ark_error *err);
/* name: "objects/<64 hex>", whose bytes must have that digest (ARK_ECORRUPT), or "points/<id>.manifest|note".
 * On ARK_OK it is synced; its name is after the next put below points/. */
ARK_MUSTUSE int place_put(struct place *p, const char *name, uint64_t len, place_source source,
    void *arg, struct ark_error *err);
/* ARK_ENOTFOUND when there is none. Nothing is verified. */
ARK_MUSTUSE int place_get(
    struct place *p, const char *name, place_sink sink, void *arg, struct ark_error *err);
/* Of a point its note first. What else is removed after a note goes when that is durable. */
ARK_MUSTUSE int place_remove(struct place *p, const char *name, struct ark_error *err);
/* put and get of what is in memory. */
ARK_MUSTUSE int place_put_bytes(
    struct place *p, const char *name, const void *bytes, size_t len, struct ark_error *err);
ARK_MUSTUSE int place_get_bytes(
    struct place *p, const char *name, size_t limit, struct buf *out, struct ark_error *err);
bool place_name_valid(const char *name);
bool place_point_valid(const char *id);

/* The same of a directory of this machine. */
struct place_dir;
ARK_MUSTUSE int place_dir_open(
    const char *path, enum place_mode mode, struct place_dir **ret, struct ark_error *err);
void place_dir_close(struct place_dir *p);
ARK_MUSTUSE int place_dir_list(
    struct place_dir *p, const char *kind, struct buf *out, struct ark_error *err);
ARK_MUSTUSE int place_dir_put(struct place_dir *p, const char *name, uint64_t len,
    place_source source, void *arg, struct ark_error *err);
/* The file of a name, to read; *ret_len its length. */
ARK_MUSTUSE int place_dir_file(
    struct place_dir *p, const char *name, int *ret_fd, uint64_t *ret_len, struct ark_error *err);
ARK_MUSTUSE int place_dir_remove(struct place_dir *p, const char *name, struct ark_error *err);

/* And of another machine. */
struct place_remote;
bool place_remote_named(const char *where);
ARK_MUSTUSE int place_remote_open(
    const char *where, enum place_mode mode, struct place_remote **ret, struct ark_error *err);
void place_remote_close(struct place_remote *p);
ARK_MUSTUSE int place_remote_list(
    struct place_remote *p, const char *kind, struct buf *out, struct ark_error *err);
ARK_MUSTUSE int place_remote_put(struct place_remote *p, const char *name, uint64_t len,
    place_source source, void *arg, struct ark_error *err);
ARK_MUSTUSE int place_remote_get(
    struct place_remote *p, const char *name, place_sink sink, void *arg, struct ark_error *err);
ARK_MUSTUSE int place_remote_remove(
    struct place_remote *p, const char *name, struct ark_error *err);

/* ---- what a place holds: backup_manifest.c ---- */

struct have; /* digests and sizes of its objects */
ARK_MUSTUSE int have_load(struct place *p, struct have **ret, struct ark_error *err);
void have_free(struct have *h);
bool have_object(const struct have *h, const char *sha_hex, uint64_t len);
/* Each object; a non-zero return stops. */
int have_each(const struct have *h, int (*each)(void *arg, const char *sha_hex), void *arg);

/* Ids of points that have a note, ascending. ret[i] are the caller's with the array: free() both. */
ARK_MUSTUSE int points_list(
    struct place *p, char (**ret)[BACKUP_POINT_SIZE], size_t *ret_len, struct ark_error *err);

/* A manifest.
 *   head:  {"arkki":"backup/1","point","time","origin","archive","commit","sequence","epoch","slots",
 *           "history":{"size","root"},"access":{"size","root"}}
 *   files: path → {"size","pieces":[[hex SHA-256, length], …]} and, of tiles, "tile": the bytes of one. Pieces joined
 *          are the file; behind them zeros up to size. */
struct manifest {
	json_t *head, *files;
};
void manifest_free(struct manifest *m);
ARK_MUSTUSE int manifest_write(const struct manifest *m, struct buf *out, struct ark_error *err);
/* The text of one: well formed, each path within an archive and named once. Nothing is verified. ARK_EINPUT. */
ARK_MUSTUSE int manifest_read(
    const char *text, size_t len, struct manifest *ret, struct ark_error *err);
/* Signs and writes it; its note last. */
ARK_MUSTUSE int manifest_put(
    struct place *p, const struct manifest *m, const struct keyring *keys, struct ark_error *err);
/* ARK_EREFUSED when it is not whole, or not signed by the history log of these keys. */
ARK_MUSTUSE int manifest_get(struct place *p, const char *point, const struct keyring *keys,
    struct manifest *ret, struct ark_error *err);
/* The bytes of its pieces; UINT64_MAX when they are malformed. */
uint64_t pieces_length(const json_t *file);
/* ARK_EREFUSED: names the first file of which an object is missing or cut. */
ARK_MUSTUSE int manifest_whole(
    const struct manifest *m, const struct have *have, struct ark_error *err);
void manifest_summary(const struct manifest *m, struct backup_summary *ret);

/* ---- taking one: backup_take.c ---- */

struct taking {
	const char *dir;
	struct place *place;
	struct have *have;
	const json_t *before; /* the files of the point that this one builds on, or NULL */
	json_t *files;
	struct backup_summary *sum;
	backup_progress progress; /* told of the bytes that were brought; may be NULL */
	void *arg;
	uint64_t told; /* bytes */
};
/* Each adds one path to files. A small file as it is now; ARK_ENOTFOUND when there is none. */
ARK_MUSTUSE int take_small(struct taking *t, const char *path, struct ark_error *err);
ARK_MUSTUSE int take_bytes(
    struct taking *t, const char *path, const void *bytes, size_t len, struct ark_error *err);
/* A file that never changes. ARK_ENOTFOUND when it is gone. */
ARK_MUSTUSE int take_fixed(struct taking *t, const char *path, struct ark_error *err);
/* The first `end` bytes of one that only grows; `size`: of the file. */
ARK_MUSTUSE int take_grown(
    struct taking *t, const char *path, int fd, uint64_t end, uint64_t size, struct ark_error *err);
/* `count` full tiles of a level as one file that grows. */
ARK_MUSTUSE int take_tiles(
    struct taking *t, const char *log, int level, uint64_t count, struct ark_error *err);

/* ---- state_copy.c ---- */
/* A consistent copy of a SQLite file that others write. */
ARK_MUSTUSE int state_copy(const char *path, struct buf *out, struct ark_error *err);

#endif
