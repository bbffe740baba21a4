/* Files, with the durable operations in one place.
 *
 * Every sync of arkki goes through fs_sync_file() or fs_sync_dir(), every
 * durable rename through fs_rename(): a test interposes fsync, fdatasync and
 * rename and reads the order. A failed sync is never retried (the kernel may
 * have dropped the dirty pages): callers stop.
 */
#ifndef ARKKI_BASE_FS_H
#define ARKKI_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

/* Writes all of it, through EINTR and short writes. */
ARK_MUSTUSE int fs_write_all(int fd, const void *bytes, size_t len, struct ark_error *err);
ARK_MUSTUSE int fs_pwrite_all(
    int fd, const void *bytes, size_t len, uint64_t offset, struct ark_error *err);
/* Exactly len bytes, or ARK_ECORRUPT at a premature end. */
ARK_MUSTUSE int fs_pread_all(
    int fd, void *bytes, size_t len, uint64_t offset, struct ark_error *err);

ARK_MUSTUSE int fs_sync_file(int fd, const char *what, struct ark_error *err); /* fdatasync */
ARK_MUSTUSE int fs_sync_dir(const char *dir, struct ark_error *err);           /* fsync */
ARK_MUSTUSE int fs_rename(const char *from, const char *to, struct ark_error *err);
/* Two names change places at once (files or directories). ARK_EREFUSED: this file system cannot. */
ARK_MUSTUSE int fs_exchange(const char *a, const char *b, struct ark_error *err);

/* Whole file, at most `limit` bytes, appended to out. ARK_ENOTFOUND when there is none. */
ARK_MUSTUSE int fs_read_file(
    const char *path, size_t limit, struct buf *out, struct ark_error *err);
/* Writes path.tmp, syncs it, renames it over path, syncs the directory: after
 * ARK_OK the new bytes are durable, after a failure the old ones stand. */
ARK_MUSTUSE int fs_replace_file(
    const char *path, const void *bytes, size_t len, mode_t mode, struct ark_error *err);
ARK_MUSTUSE int fs_mkdir(const char *path, mode_t mode, struct ark_error *err); /* exists: fine */
ARK_MUSTUSE int fs_mkdirs(const char *path, mode_t mode, struct ark_error *err);
bool fs_exists(const char *path);
/* 1 empty, 0 not, negative on error (ARK_ENOTFOUND when there is none). */
int fs_dir_empty(const char *path, struct ark_error *err);
/* Removes a directory and all below it, never through a link; none there: fine. */
ARK_MUSTUSE int fs_remove_tree(const char *path, struct ark_error *err);
/* "dir/name" into out (a path of at most 4095 bytes), ARK_EINPUT when too long. */
ARK_MUSTUSE int fs_path(char out[4096], struct ark_error *err, const char *fmt, ...)
    ARK_PRINTF(3, 4);
/* Free bytes for an unprivileged process, and all bytes, of the file system of path. */
ARK_MUSTUSE int fs_space(
    const char *path, uint64_t *ret_free, uint64_t *ret_total, struct ark_error *err);

/* Gives up a flock() and closes. Closing alone leaves the lock to a child that was forked meanwhile and has not closed its copy
 * yet. A negative fd is nothing. */
void fs_unlock_close(int fd);

#endif
