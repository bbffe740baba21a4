/* The parts of an office file: a ZIP in memory, by its central directory, each part unpacked when it
 * is wanted and never to disk. APPNOTE.TXT 6.3: stored and deflated parts, ZIP64.
 *
 * A reader of our own, as parts are wanted in the document's order, not the file's, some twice, and
 * none of what else libarchive would read here.
 *
 * Bounds: FORMAT_MEMBERS_MAX entries; FORMAT_UNPACKED_MAX bytes of all reads together (so overlapping
 * entries gain nothing); a part of over 64 MiB that was packed more than 200 times is a bomb.
 * Names are compared, never used as paths.
 */
#ifndef ARKKI_INDEX_FORMATS_OFFICE_ZIP_H
#define ARKKI_INDEX_FORMATS_OFFICE_ZIP_H

#include "index/formats/format.h"

struct zip_entry {
	const char *name; /* not ended by NUL; borrowed from the input */
	size_t name_len;
	uint64_t packed, offset;
	unsigned int method;
	bool encrypted;
};

enum zip_status { ZIP_OK, ZIP_DAMAGED, ZIP_BOMB, ZIP_ENCRYPTED, ZIP_METHOD, ZIP_STOPPED };

struct office_zip {
	const char *bytes;
	size_t len;
	struct zip_entry *entries;
	size_t entries_len;
	uint64_t unpacked;
	enum zip_status
	    worst; /* of all reads so far: the first that was not ZIP_OK or ZIP_STOPPED */
};

/* False: not a ZIP that can be read, or no memory. bytes must outlive it; end with office_zip_close(). */
bool office_zip_open(struct office_zip *z, const char *bytes, size_t len);
void office_zip_close(struct office_zip *z);
/* Without regard to ASCII case, as OPC demands; NULL when there is none. */
const struct zip_entry *office_zip_find(const struct office_zip *z, const char *name);
/* Hands the part over piece by piece until take() says false (ZIP_STOPPED). */
enum zip_status office_zip_read(struct office_zip *z, const struct zip_entry *entry,
    bool (*take)(void *arg, const char *bytes, size_t len), void *arg);
/* Appends the part to out; false also when it is larger than limit. */
bool office_zip_load(
    struct office_zip *z, const struct zip_entry *entry, size_t limit, struct buf *out);
/* A clause for the worst that happened, or NULL. */
const char *office_zip_reason(const struct office_zip *z);

#endif
