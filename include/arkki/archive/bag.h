/* BagIt bags (RFC 8493, and the drafts 0.93 to 0.97): read without unpacking, and judged.
 *
 * A source is a bag in a directory, a ZIP or a tar (plain or gzip); files are streamed, nothing is written
 * to a disk, and no path in a bag is ever opened but those that a directory really has. What fetch.txt names is
 * never fetched: a bag that lacks it is incomplete.
 *
 * It knows files, digests and tag files; not what arkki puts into them.
 * Threads: one source, one thread. Names are compared by Unicode NFC; a difference there is a warning.
 */
#ifndef ARKKI_ARCHIVE_BAG_H
#define ARKKI_ARCHIVE_BAG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum {
	BAG_FILES_MAX = 1000000,
	BAG_TAG_FILE_MAX = 64 << 20,
	BAG_PATH_MAX = 4096,
};
#define BAG_BYTES_MAX (UINT64_C(1) << 40) /* of all files, unpacked */

struct bag_source;
struct bag_stream; /* one file, while it is visited */

ARK_MUSTUSE int bag_source_open(const char *path, struct bag_source **ret, struct ark_error *err);
/* A ZIP or tar that is no file: read() gives up to max bytes from a position, 0 at the end, a negative status on failure. */
struct bag_reader {
	ssize_t (*read)(void *arg, uint64_t position, void *out, size_t max, struct ark_error *err);
	uint64_t size;
	void *arg; /* must live as long as the source */
};
ARK_MUSTUSE int bag_source_open_reader(
    const struct bag_reader *reader, struct bag_source **ret, struct ark_error *err);
void bag_source_close(struct bag_source *s); /* takes NULL */
/* Every regular file once, in the source's order; path is relative to the bag's own folder, UTF-8 and within it.
 * What `each` does not read is passed over; not ARK_OK stops the walk and is returned. ARK_EINPUT for links, devices,
 * paths that lead out, what cannot be read as an archive, and sources over a limit. */
typedef int (*bag_each)(
    void *arg, const char *path, struct bag_stream *file, struct ark_error *err);
ARK_MUSTUSE int bag_source_walk(
    struct bag_source *s, bag_each each, void *arg, struct ark_error *err);
/* 0 at the end, a negative status on failure. */
ssize_t bag_stream_read(struct bag_stream *file, void *out, size_t max, struct ark_error *err);
/* The rest of it, at most `limit` bytes, appended. */
ARK_MUSTUSE int bag_stream_rest(
    struct bag_stream *file, size_t limit, struct buf *out, struct ark_error *err);

struct bag_report {
	unsigned int faults, warnings;
	unsigned int major, minor; /* of the version; 0.0: not known */
	uint64_t files, bytes;     /* of the payload */
	json_t *info; /* bag-info.txt: [["label","value"], …] in order; json_decref */
};
/* Reads the bag twice. told() gets each fault (the bag is invalid) and warning as one clause. ARK_OK also for an
 * invalid bag: see faults; a negative status when it could not be read to its end. *ret is always set. */
ARK_MUSTUSE int bag_check(struct bag_source *s,
    void (*told)(void *arg, bool fault, const char *what), void *arg, struct bag_report *ret,
    struct ark_error *err);

/* ---- the lines of tag files ---- (pure; for bag_check, and for fuzzing) */

/* Appends a path as a manifest of version 1.0 has it. */
void bag_path_encode(struct buf *out, const char *path);
/* Takes the path of a manifest or fetch line: without a leading "./", decoded when the bag is of 1.0 or later.
 * False: it is empty, not UTF-8, or leads out of the bag (absolute, "..", "~"). */
bool bag_path_decode(struct buf *out, const char *text, size_t len, bool encoded, bool *ret_dotted);
/* "<hex> <path>": false when it is no such line. Points into the line. */
bool bag_manifest_line(const char *line, size_t len, size_t *ret_hex, const char **ret_path);
/* "URL LENGTH PATH", LENGTH digits or "-". */
bool bag_fetch_line(const char *line, size_t len, const char **ret_path);
/* Appends [label, value] pairs. ARK_EINPUT names the first line that is neither one nor a continuation. */
ARK_MUSTUSE int bag_info_parse(
    const char *text, size_t len, bool spaced_labels, json_t *out, struct ark_error *err);
/* The next line without its end (LF, CR LF or CR); false at the end of the text. */
bool bag_next_line(const char **text, size_t *len, const char **ret_line, size_t *ret_len);
/* The first value of a label, in any case; NULL: none. */
const char *bag_info_value(const json_t *info, const char *label);

#endif
