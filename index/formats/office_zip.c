#include "index/formats/office_zip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#define ZLIB_CONST
#include <zlib.h>

enum {
	END_SIZE = 22,
	END64_SIZE = 56,
	LOCATOR_SIZE = 20,
	CENTRAL_SIZE = 46,
	LOCAL_SIZE = 30,
	COMMENT_MAX = 65535,
	PIECE = 65536,
	BOMB_RATIO = 200,
	BOMB_LEAST = 64 << 20,
};

static uint16_t le16(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static uint32_t le32(const char *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const char *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

struct directory {
	uint64_t offset, size, entries;
	uint64_t shift; /* bytes before the ZIP began */
};

/* The end record, found from behind, with its ZIP64 twin where it has one. */
static bool find_directory(const char *bytes, size_t len, struct directory *d)
{
	size_t at, least;

	if (len < END_SIZE)
		return false;
	least = len > END_SIZE + COMMENT_MAX ? len - END_SIZE - COMMENT_MAX : 0;
	for (at = len - END_SIZE; memcmp(bytes + at, "PK\5\6", 4) != 0; at--) {
		if (at == least)
			return false;
	}
	d->entries = le16(bytes + at + 10);
	d->size = le32(bytes + at + 12);
	d->offset = le32(bytes + at + 16);
	if (at >= LOCATOR_SIZE && memcmp(bytes + at - LOCATOR_SIZE, "PK\6\7", 4) == 0) {
		uint64_t end64 = le64(bytes + at - LOCATOR_SIZE + 8);

		if (end64 > len || len - end64 < END64_SIZE ||
		    memcmp(bytes + end64, "PK\6\6", 4) != 0)
			return false;
		d->entries = le64(bytes + end64 + 32);
		d->size = le64(bytes + end64 + 40);
		d->offset = le64(bytes + end64 + 48);
		at = (size_t)end64;
	}
	if (d->size > at || d->offset > at - d->size)
		return false;
	d->shift = at - d->size - d->offset;
	d->offset += d->shift;
	return true;
}

/* Extra field 1: the 64-bit values of those that are all ones, in this order. */
static void read_zip64(const char *extra, size_t len, bool unpacked, struct zip_entry *e)
{
	while (len >= 4) {
		size_t n = le16(extra + 2);
		const char *p = extra + 4;

		if (n > len - 4)
			return;
		if (le16(extra) == 1) {
			size_t left = n;

			if (unpacked && left >= 8)
				p += 8, left -= 8;
			if (e->packed == UINT32_MAX && left >= 8) {
				e->packed = le64(p);
				p += 8, left -= 8;
			}
			if (e->offset == UINT32_MAX && left >= 8)
				e->offset = le64(p);
			return;
		}
		extra += 4 + n, len -= 4 + n;
	}
}

/* One record of the central directory; its length, or 0 when it is none. */
static size_t read_entry(const char *p, size_t len, uint64_t shift, struct zip_entry *e)
{
	size_t name, extra, comment;

	if (len < CENTRAL_SIZE || memcmp(p, "PK\1\2", 4) != 0)
		return 0;
	name = le16(p + 28), extra = le16(p + 30), comment = le16(p + 32);
	if (len - CENTRAL_SIZE < name + extra + comment)
		return 0;
	*e = (struct zip_entry){.name = p + CENTRAL_SIZE,
	    .name_len = name,
	    .packed = le32(p + 20),
	    .offset = le32(p + 42),
	    .method = le16(p + 10),
	    .encrypted = le16(p + 8) & 1};
	read_zip64(p + CENTRAL_SIZE + name, extra, le32(p + 24) == UINT32_MAX, e);
	e->offset += shift;
	return CENTRAL_SIZE + name + extra + comment;
}

bool office_zip_open(struct office_zip *z, const char *bytes, size_t len)
{
	struct directory d;
	uint64_t at = 0;

	memset(z, 0, sizeof(*z));
	z->bytes = bytes, z->len = len;
	if (!find_directory(bytes, len, &d) || d.entries == 0)
		return false;
	if (d.entries > FORMAT_MEMBERS_MAX)
		d.entries = FORMAT_MEMBERS_MAX;
	z->entries = calloc((size_t)d.entries, sizeof(*z->entries));
	if (!z->entries)
		return false;
	while (z->entries_len < d.entries) {
		struct zip_entry *e = &z->entries[z->entries_len];
		size_t n = read_entry(bytes + d.offset + at, (size_t)(d.size - at), d.shift, e);

		if (n == 0)
			break;
		at += n;
		z->entries_len++;
	}
	if (z->entries_len > 0)
		return true;
	office_zip_close(z);
	return false;
}

void office_zip_close(struct office_zip *z)
{
	free(z->entries);
	memset(z, 0, sizeof(*z));
}

const struct zip_entry *office_zip_find(const struct office_zip *z, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < z->entries_len; i++) {
		if (z->entries[i].name_len == len &&
		    strncasecmp(z->entries[i].name, name, len) == 0)
			return &z->entries[i];
	}
	return NULL;
}

/* Where the entry's packed bytes lie; false when not all of them are in the file. */
static bool find_bytes(
    const struct office_zip *z, const struct zip_entry *e, const char **ret, size_t *ret_len)
{
	uint64_t at = e->offset;

	if (at > z->len || z->len - at < LOCAL_SIZE || memcmp(z->bytes + at, "PK\3\4", 4) != 0)
		return false;
	at += LOCAL_SIZE + (uint64_t)le16(z->bytes + at + 26) + le16(z->bytes + at + 28);
	if (at > z->len)
		return false;
	*ret = z->bytes + at;
	*ret_len = (size_t)(e->packed < z->len - at ? e->packed : z->len - at);
	return *ret_len == e->packed;
}

struct output {
	struct office_zip *zip;
	bool (*take)(void *arg, const char *bytes, size_t len);
	void *arg;
	uint64_t packed, len;
};

static enum zip_status give(struct output *o, const char *bytes, size_t len)
{
	o->zip->unpacked += len;
	o->len += len;
	if (o->zip->unpacked > FORMAT_UNPACKED_MAX ||
	    (o->len > BOMB_LEAST && o->len / BOMB_RATIO > o->packed))
		return ZIP_BOMB;
	return o->take(o->arg, bytes, len) ? ZIP_OK : ZIP_STOPPED;
}

static enum zip_status inflate_all(const char *bytes, size_t len, struct output *o)
{
	enum zip_status status = ZIP_OK;
	char *piece = malloc(PIECE);
	z_stream s = {0};
	int r = Z_OK;

	if (!piece || inflateInit2(&s, -MAX_WBITS) != Z_OK) {
		free(piece);
		return ZIP_DAMAGED;
	}
	/* a file is at most 256 MiB, so its parts fit zlib's 32 bits */
	s.next_in = (const Bytef *)bytes;
	s.avail_in = (uInt)len;
	while (status == ZIP_OK && r == Z_OK) {
		s.next_out = (Bytef *)piece;
		s.avail_out = PIECE;
		r = inflate(&s, Z_NO_FLUSH);
		if (s.avail_out < PIECE)
			status = give(o, piece, PIECE - s.avail_out);
	}
	inflateEnd(&s);
	free(piece);
	return status == ZIP_OK && r != Z_STREAM_END ? ZIP_DAMAGED : status;
}

static enum zip_status stored_all(const char *bytes, size_t len, struct output *o)
{
	enum zip_status status = ZIP_OK;

	for (size_t at = 0; status == ZIP_OK && at < len; at += PIECE)
		status = give(o, bytes + at, len - at < PIECE ? len - at : PIECE);
	return status;
}

enum zip_status office_zip_read(struct office_zip *z, const struct zip_entry *entry,
    bool (*take)(void *arg, const char *bytes, size_t len), void *arg)
{
	struct output o = {.zip = z, .take = take, .arg = arg, .packed = entry->packed};
	enum zip_status status;
	const char *bytes;
	size_t len;

	if (!find_bytes(z, entry, &bytes, &len))
		status = ZIP_DAMAGED;
	else if (entry->encrypted)
		status = ZIP_ENCRYPTED;
	else if (entry->method == 8)
		status = inflate_all(bytes, len, &o);
	else if (entry->method == 0)
		status = stored_all(bytes, len, &o);
	else
		status = ZIP_METHOD;
	if (z->worst == ZIP_OK && status != ZIP_STOPPED)
		z->worst = status;
	return status;
}

static bool take_into(void *arg, const char *bytes, size_t len)
{
	struct buf *out = arg;

	buf_add(out, bytes, len);
	return !buf_failed(out);
}

bool office_zip_load(
    struct office_zip *z, const struct zip_entry *entry, size_t limit, struct buf *out)
{
	out->limit = limit;
	return office_zip_read(z, entry, take_into, out) == ZIP_OK && !buf_failed(out);
}

const char *office_zip_reason(const struct office_zip *z)
{
	switch (z->worst) {
	case ZIP_BOMB:
		return "a decompression bomb: it unpacks to far more than a document holds";
	case ZIP_ENCRYPTED:
		return "the document is protected by a password";
	case ZIP_METHOD:
		return "packed by a method that is not read";
	case ZIP_DAMAGED:
		return "the file is damaged: a part of it cannot be unpacked";
	default:
		return NULL;
	}
}
