/* A ZIP file of stored members: the frame of office files and packages. Stored, and with nothing between a member's
 * name and its bytes, because that is where libmagic looks for what an office file is. */
#include "tools/demo.h"

#include <string.h>
#include <zlib.h>

enum {
	LOCAL_HEADER = 0x04034b50,
	CENTRAL_HEADER = 0x02014b50,
	END_HEADER = 0x06054b50,
	NAMES_IN_UTF8 = 0x0800,
	FIRST_DAY = 0x21, /* 1.1.1980 */
};

static void add_le(struct buf *out, unsigned long value, int bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		buf_addc(out, (char)(value & 0xff));
}

/* What the local and the central header have in common. */
static void add_facts(struct buf *out, const char *name, const char *bytes, size_t len)
{
	add_le(out, 20, 2);
	add_le(out, NAMES_IN_UTF8, 2);
	add_le(out, 0, 2);
	add_le(out, 0, 2);
	add_le(out, FIRST_DAY, 2);
	add_le(out, crc32(0, (const Bytef *)bytes, (uInt)len), 4);
	add_le(out, len, 4);
	add_le(out, len, 4);
	add_le(out, strlen(name), 2);
	add_le(out, 0, 2);
}

void demo_zip_add(struct demo_zip *z, const char *name, const struct buf *bytes)
{
	const char *data = bytes->data ? bytes->data : "";
	size_t at = z->out->len - z->start;

	add_le(z->out, LOCAL_HEADER, 4);
	add_facts(z->out, name, data, bytes->len);
	buf_adds(z->out, name);
	buf_add(z->out, data, bytes->len);
	add_le(&z->central, CENTRAL_HEADER, 4);
	add_le(&z->central, 20, 2);
	add_facts(&z->central, name, data, bytes->len);
	add_le(&z->central, 0, 10); /* comment, disk, attributes */
	add_le(&z->central, at, 4);
	buf_adds(&z->central, name);
	z->members++;
	z->out->failed |= bytes->failed;
}

void demo_zip_adds(struct demo_zip *z, const char *name, const char *text)
{
	struct buf bytes = BUF_INIT;

	buf_adds(&bytes, text);
	demo_zip_add(z, name, &bytes);
	buf_free(&bytes);
}

void demo_zip_end(struct demo_zip *z)
{
	size_t at = z->out->len - z->start;

	z->out->failed |= z->central.failed;
	if (z->central.len)
		buf_add(z->out, z->central.data, z->central.len);
	add_le(z->out, END_HEADER, 4);
	add_le(z->out, 0, 4);
	add_le(z->out, z->members, 2);
	add_le(z->out, z->members, 2);
	add_le(z->out, z->central.len, 4);
	add_le(z->out, at, 4);
	add_le(z->out, 0, 2);
	buf_free(&z->central);
}
