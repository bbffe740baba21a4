/* Packages by libarchive: the names of the members, and the text of those that we read, one member in memory at
 * a time and none on a disk. libarchive does not always come to an end by itself (3.6.2 loops on some small
 * files), so entries, warnings, blocks and bytes are all counted here; what loops inside one call ends with
 * the decoder's processor time. Paths in a package ("../…") are names only: nothing is ever opened by them. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "index/formats/program.h"

enum {
	WARNINGS = 1000,      /* entries in a row that libarchive complains about */
	BLOCKS = 4 * 1048576, /* of one member; most formats give 64 KiB a block */
	HEAD = 65536,         /* read before deciding whether the rest is wanted */
};

struct package {
	struct archive *a;
	struct textsink *out;
	bool single; /* one compressed file, not a package */
	bool locked; /* a member needs a password */
	bool damaged;
	unsigned int entries;
};

static bool is_single_type(const char *type)
{
	static const char *const types[] = {"application/gzip", "application/x-gzip",
	    "application/x-bzip2", "application/x-bzip", "application/bzip2", "application/x-xz",
	    "application/zstd", "application/x-zstd", "application/x-lzma", "application/x-lzip",
	    "application/x-compress", "application/x-lz4", "application/x-compressed-tar", NULL};

	for (size_t i = 0; types[i]; i++) {
		if (strcmp(types[i], type) == 0)
			return true;
	}
	return false;
}

static bool package_reads(const char *type)
{
	static const char *const types[] = {"application/zip", "application/x-zip-compressed",
	    "application/x-zip", "application/java-archive", "application/x-tar",
	    "application/x-gtar", "application/x-ustar", "application/x-7z-compressed",
	    "application/vnd.rar", "application/x-rar", "application/x-rar-compressed",
	    "application/x-cpio", "application/x-iso9660-image",
	    "application/vnd.ms-cab-compressed", "application/x-archive", NULL};

	for (size_t i = 0; types[i]; i++) {
		if (strcmp(types[i], type) == 0)
			return true;
	}
	return is_single_type(type);
}

/* One filter, by its mark, and not libarchive's own stacking of up to 25: what is packed twice is a document in a
 * document, bounded as such (3.6.2 never came back from choosing filters for a gzip that holds itself). */
static void set_up_filter(const struct package *p, const struct format_input *in)
{
	static const struct {
		const char *mark;
		size_t len;
		int filter;
	} rows[] = {{"\x1f\x8b", 2, ARCHIVE_FILTER_GZIP}, {"BZh", 3, ARCHIVE_FILTER_BZIP2},
	    {"\xfd"
	     "7zXZ\0",
		6, ARCHIVE_FILTER_XZ},
	    {"\x28\xb5\x2f\xfd", 4, ARCHIVE_FILTER_ZSTD}, {"LZIP", 4, ARCHIVE_FILTER_LZIP},
	    {"\x04\x22\x4d\x18", 4, ARCHIVE_FILTER_LZ4}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (in->len >= rows[i].len && memcmp(in->bytes, rows[i].mark, rows[i].len) == 0) {
			(void)archive_read_append_filter(p->a, rows[i].filter);
			return;
		}
	}
	/* these two by libarchive's look: compress reads while it is appended, LZMA has no certain mark */
	if (in->len >= 2 && memcmp(in->bytes, "\x1f\x9d", 2) == 0)
		archive_read_support_filter_compress(p->a);
	else
		archive_read_support_filter_lzma(p->a);
}

/* No mtree (names only, and files it would open), no external programs (they cannot start here), no CAB (its LZX in
 * 3.6.2 writes over its heap). ISO images without Rock Ridge, whose continuations 3.6.2 follows in circles: names are
 * those of Joliet, else of the plain image. */
static void set_up(const struct package *p, const struct format_input *in)
{
	set_up_filter(p, in);
	archive_read_support_format_zip(p->a);
	archive_read_support_format_tar(p->a);
	archive_read_support_format_7zip(p->a);
	archive_read_support_format_rar(p->a);
	archive_read_support_format_rar5(p->a);
	archive_read_support_format_cpio(p->a);
	archive_read_support_format_iso9660(p->a);
	archive_read_support_format_ar(p->a);
	if (p->single)
		archive_read_support_format_raw(p->a);
	archive_read_set_format_option(p->a, "iso9660", "rockridge", NULL);
}

/* Names are UTF-8, wide (7Z, Joliet) or bytes of an encoding that nobody says (ZIPs of old programs). */
static void name_of(struct archive_entry *entry, struct buf *name)
{
	const char *raw = archive_entry_pathname_utf8(entry);
	const wchar_t *wide = raw ? NULL : archive_entry_pathname_w(entry);
	struct charset_text text;

	if (raw)
		buf_add(name, raw, strnlen(raw, 4096));
	for (; wide && *wide && name->len < 4096; wide++)
		charset_put(name, (uint32_t)*wide);
	raw = name->len ? NULL : archive_entry_pathname(entry);
	if (!raw)
		return;
	if (charset_to_utf8(raw, strnlen(raw, 4096), "", &text))
		buf_add(name, text.text, text.len);
	buf_free(&text.own);
}

/* Reads on until `want` bytes are in data. False at the end of the member, or where it cannot be read. Holes of
 * sparse members are left out. */
static bool read_until(struct package *p, struct buf *data, size_t want, unsigned int *blocks)
{
	while (data->len < want && !buf_failed(data)) {
		const void *block;
		size_t len = 0;
		la_int64_t offset;
		int r = archive_read_data_block(p->a, &block, &len, &offset);

		if (r == ARCHIVE_EOF)
			return false;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
			p->damaged = true;
			return false;
		}
		if (++*blocks > BLOCKS || (r == ARCHIVE_WARN && *blocks > WARNINGS && !len)) {
			p->damaged = true;
			return false;
		}
		buf_add(data, block, len);
	}
	return !buf_failed(data);
}

static bool is_wanted(const char *name, const struct buf *head)
{
	char type[KIND_SIZE];

	kind_of(NULL, name, head->data, head->len, type);
	return strcmp(type, "application/octet-stream") != 0 && format_find(type) != NULL;
}

static void too_large(struct package *p, size_t most)
{
	unsigned int mib = (unsigned int)(FORMAT_MEMBER_MAX >> 20);
	struct textsink *out = p->out;

	if (out->reason[0])
		return;
	if (most < FORMAT_MEMBER_MAX)
		snprintf(out->reason, sizeof(out->reason), "only the first %llu MiB of its members",
		    (unsigned long long)(FORMAT_UNPACKED_MAX >> 20));
	else if (p->single)
		snprintf(out->reason, sizeof(out->reason), "over %u MiB when unpacked", mib);
	else
		snprintf(out->reason, sizeof(out->reason), "a member over %u MiB has its name only",
		    mib);
}

/* False when no more members should be read. */
static bool add_file(struct package *p, const char *name)
{
	struct buf data = {.limit = FORMAT_MEMBER_MAX + 65536};
	uint64_t room = FORMAT_UNPACKED_MAX - p->out->unpacked;
	size_t most = room < FORMAT_MEMBER_MAX ? (size_t)room : FORMAT_MEMBER_MAX;
	unsigned int blocks = 0;
	bool whole = !read_until(p, &data, HEAD, &blocks), more;

	if (!whole && data.len && is_wanted(name, &data))
		whole = !read_until(p, &data, most, &blocks) && !buf_failed(&data);
	if (whole && data.len) {
		more = format_member(p->out, name, NULL, data.data, data.len);
	} else {
		/* too large, or nothing that we read: its name only, but what was unpacked counts */
		if (data.len >= most)
			too_large(p, most);
		p->out->unpacked += data.len < room ? data.len : room;
		more = format_member(p->out, name, NULL, NULL, 0);
	}
	buf_free(&data);
	return more;
}

/* "data" is libarchive's name for what has none. */
static const char *shown_name(const struct package *p, const struct buf *name)
{
	if (!name->data || (p->single && archive_format(p->a) == ARCHIVE_FORMAT_RAW &&
			       strcmp(name->data, "data") == 0))
		return NULL;
	return name->data;
}

static bool add_entry(struct package *p, struct archive_entry *entry)
{
	struct buf name = {.limit = 8192};
	bool more;

	name_of(entry, &name);
	if (archive_entry_is_encrypted(entry)) {
		p->locked = true;
		more = format_member(p->out, shown_name(p, &name), NULL, NULL, 0);
	} else if (archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry)) {
		more = add_file(p, shown_name(p, &name));
	} else {
		more = format_member(p->out, shown_name(p, &name), NULL, NULL, 0);
	}
	buf_free(&name);
	return more;
}

static void add_entries(struct package *p)
{
	unsigned int warnings = 0;
	bool more = true;

	while (more && p->entries <= FORMAT_MEMBERS_MAX) {
		struct archive_entry *entry;
		int r = archive_read_next_header(p->a, &entry);

		if (r == ARCHIVE_EOF)
			return;
		if (r == ARCHIVE_OK)
			warnings = 0;
		else
			warnings++;
		if (r == ARCHIVE_FATAL || warnings > WARNINGS) {
			p->damaged = true;
			return;
		}
		p->entries++;
		if (r != ARCHIVE_RETRY)
			more = add_entry(p, entry);
	}
}

/* Also where the names are encrypted. Asked of these formats only: libarchive 3.6.2 jumps to nowhere when asked about
 * a file that turned out to be empty. */
static bool needs_password(const struct package *p)
{
	int format = archive_format(p->a) & ARCHIVE_FORMAT_BASE_MASK;

	return p->locked || ((format == ARCHIVE_FORMAT_ZIP || format == ARCHIVE_FORMAT_7ZIP ||
				 format == ARCHIVE_FORMAT_RAR || format == ARCHIVE_FORMAT_RAR_V5) &&
				archive_read_has_encrypted_entries(p->a) > 0);
}

static enum format_outcome outcome_of(const struct package *p)
{
	struct textsink *out = p->out;
	const char *why = NULL;

	if (needs_password(p))
		why = "members are protected by a password";
	else if (p->damaged)
		why = p->single ? "not all of the file could be unpacked"
				: "not all of the package could be unpacked";
	if (!out->visible && why)
		return format_none(out, "%s",
		    p->damaged && !p->entries && why[0] == 'n'
			? "the package is damaged, or not of a kind that is read"
			: why);
	if (!out->visible && out->reason[0])
		return FORMAT_NONE;
	if (!out->visible)
		return format_none(out, p->entries ? "no text in it" : "the package is empty");
	if (why && !out->reason[0])
		snprintf(out->reason, sizeof(out->reason), "%s", why);
	return FORMAT_OK;
}

static enum format_outcome package_read(const struct format_input *in, struct textsink *out)
{
	struct package p = {
	    .a = archive_read_new(), .out = out, .single = is_single_type(in->media_type)};
	enum format_outcome outcome;

	if (!p.a)
		return format_none(out, "the package needs more memory than a decoder may use");
	set_up(&p, in);
	if (archive_read_open_memory(p.a, in->bytes, in->len) == ARCHIVE_OK)
		add_entries(&p);
	else
		p.damaged = true;
	outcome = outcome_of(&p);
	archive_read_free(p.a);
	return outcome;
}

/* libarchive asks for the names of charsets, CRC tables and such things once. */
static void package_warm(void)
{
	static const struct format_input nothing = {
	    .bytes = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	    .len = 22,
	    .media_type = "",
	    .charset = ""};
	struct package p = {.a = archive_read_new()};
	struct archive_entry *entry;

	if (!p.a)
		return;
	set_up(&p, &nothing);
	if (archive_read_open_memory(p.a, nothing.bytes, nothing.len) == ARCHIVE_OK)
		(void)archive_read_next_header(p.a, &entry);
	archive_read_free(p.a);
}

const struct format format_package = {.programs = format_programs, /* for documents inside */

    .name = "package",
    .reads = package_reads,
    .warm = package_warm,
    .read = package_read};
