/* A ZIP made in memory for tests: honest ones, and ones that no program would write. */
#ifndef ARKKI_TESTS_ZIP_FIXTURE_H
#define ARKKI_TESTS_ZIP_FIXTURE_H

#include <zlib.h>

#include "arkki/base/buf.h"
#include "tests/unit/unit.h"

struct zip_fixture {
	struct buf file, directory;
	unsigned int entries;
};

static inline void zip_le(struct buf *b, uint32_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		buf_addc(b, (char)(value >> 8 * i));
}

static inline void zip_record(struct zip_fixture *z, const char *name, uint32_t packed,
    uint32_t unpacked, unsigned int flags, uint32_t offset)
{
	struct buf *d = &z->directory;

	buf_add(d, "PK\1\2", 4);
	zip_le(d, 20, 2), zip_le(d, 20, 2), zip_le(d, flags, 2), zip_le(d, 8, 2);
	zip_le(d, 0, 4), zip_le(d, 0, 4);
	zip_le(d, packed, 4), zip_le(d, unpacked, 4);
	zip_le(d, (uint32_t)strlen(name), 2), zip_le(d, 0, 2), zip_le(d, 0, 2);
	zip_le(d, 0, 4), zip_le(d, 0, 4), zip_le(d, offset, 4);
	buf_adds(d, name);
	z->entries++;
}

/* An entry of bytes that are packed already; its offset. */
static inline uint32_t zip_add_packed(struct zip_fixture *z, const char *name, const void *packed,
    size_t len, uint32_t unpacked, unsigned int flags)
{
	uint32_t offset = (uint32_t)z->file.len;
	struct buf *f = &z->file;

	buf_add(f, "PK\3\4", 4);
	zip_le(f, 20, 2), zip_le(f, flags, 2), zip_le(f, 8, 2), zip_le(f, 0, 4), zip_le(f, 0, 4);
	zip_le(f, (uint32_t)len, 4), zip_le(f, unpacked, 4);
	zip_le(f, (uint32_t)strlen(name), 2), zip_le(f, 0, 2);
	buf_adds(f, name);
	buf_add(f, packed, len);
	zip_record(z, name, (uint32_t)len, unpacked, flags, offset);
	return offset;
}

static inline void zip_deflate(struct buf *out, const void *bytes, size_t len, int flush)
{
	size_t room = len + len / 100 + 1024;
	unsigned char *to = malloc(room), *from = malloc(len + 1);
	z_stream s = {0};

	assert_non_null(to);
	assert_non_null(from);
	memcpy(from, bytes, len);
	assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
	s.next_in = from, s.avail_in = (uInt)len;
	s.next_out = to, s.avail_out = (uInt)room;
	assert_true(deflate(&s, flush) >= Z_OK);
	buf_add(out, to, room - s.avail_out);
	deflateEnd(&s);
	free(to);
	free(from);
}

static inline void zip_add(struct zip_fixture *z, const char *name, const char *text)
{
	struct buf packed = BUF_INIT;

	zip_deflate(&packed, text, strlen(text), Z_FINISH);
	zip_add_packed(z, name, packed.data, packed.len, (uint32_t)strlen(text), 0);
	buf_free(&packed);
}

/* Writes the directory; z->file is the whole. */
static inline void zip_end(struct zip_fixture *z)
{
	uint32_t offset = (uint32_t)z->file.len;

	buf_add(&z->file, z->directory.data, z->directory.len);
	buf_add(&z->file, "PK\5\6", 4);
	zip_le(&z->file, 0, 4);
	zip_le(&z->file, z->entries, 2), zip_le(&z->file, z->entries, 2);
	zip_le(&z->file, (uint32_t)z->directory.len, 4), zip_le(&z->file, offset, 4);
	zip_le(&z->file, 0, 2);
	assert_false(buf_failed(&z->file));
}

static inline void zip_free(struct zip_fixture *z)
{
	buf_free(&z->file);
	buf_free(&z->directory);
}

#endif
