/* What bytes are. Declared types and file names are often wrong, so they only choose within the family that the
 * bytes belong to (a ZIP may be DOCX, a text may be Markdown); libmagic is asked about the rest. */
#include <magic.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "index/formats/format.h"

enum family { OTHER, TEXT, ZIP, OLE, PDF, RTF };

enum { LOOKED_AT = 65536 }; /* an ISO image says what it is at 32 KiB */

struct kind {
	const char *extension;
	const char *type;
	enum family family;
};

#define OOXML "application/vnd.openxmlformats-officedocument."
#define ODF "application/vnd.oasis.opendocument."

/* Of several rows with one extension the one of the bytes' family counts. */
static const struct kind kinds[] = {
    {"pdf", "application/pdf", PDF},
    {"rtf", "application/rtf", RTF},
    {"doc", "application/rtf", RTF},
    {"docx", OOXML "wordprocessingml.document", ZIP},
    {"docm", "application/vnd.ms-word.document.macroenabled.12", ZIP},
    {"dotx", OOXML "wordprocessingml.template", ZIP},
    {"dotm", "application/vnd.ms-word.template.macroenabled.12", ZIP},
    {"xlsx", OOXML "spreadsheetml.sheet", ZIP},
    {"xlsm", "application/vnd.ms-excel.sheet.macroenabled.12", ZIP},
    {"xltx", OOXML "spreadsheetml.template", ZIP},
    {"xltm", "application/vnd.ms-excel.template.macroenabled.12", ZIP},
    {"pptx", OOXML "presentationml.presentation", ZIP},
    {"pptm", "application/vnd.ms-powerpoint.presentation.macroenabled.12", ZIP},
    {"ppsx", OOXML "presentationml.slideshow", ZIP},
    {"potx", OOXML "presentationml.template", ZIP},
    {"odt", ODF "text", ZIP},
    {"ott", ODF "text-template", ZIP},
    {"ods", ODF "spreadsheet", ZIP},
    {"ots", ODF "spreadsheet-template", ZIP},
    {"odp", ODF "presentation", ZIP},
    {"otp", ODF "presentation-template", ZIP},
    {"epub", "application/epub+zip", ZIP},
    {"doc", "application/msword", OLE},
    {"dot", "application/msword", OLE},
    {"xls", "application/vnd.ms-excel", OLE},
    {"xlt", "application/vnd.ms-excel", OLE},
    {"ppt", "application/vnd.ms-powerpoint", OLE},
    {"pps", "application/vnd.ms-powerpoint", OLE},
    {"msg", "application/vnd.ms-outlook", OLE},
    {"txt", "text/plain", TEXT},
    {"md", "text/markdown", TEXT},
    {"markdown", "text/markdown", TEXT},
    {"csv", "text/csv", TEXT},
    {"tsv", "text/tab-separated-values", TEXT},
    {"json", "application/json", TEXT},
    {"htm", "text/html", TEXT},
    {"html", "text/html", TEXT},
    {"xhtml", "application/xhtml+xml", TEXT},
    {"xml", "application/xml", TEXT},
    {"svg", "image/svg+xml", TEXT},
    {"eml", "message/rfc822", TEXT},
    {"mht", "multipart/related", TEXT},
    {"mhtml", "multipart/related", TEXT},
    {"mbox", "application/mbox", TEXT},
    {"fodt", ODF "text-flat-xml", TEXT},
    {"fods", ODF "spreadsheet-flat-xml", TEXT},
    {"fodp", ODF "presentation-flat-xml", TEXT},
    {"tar", "application/x-tar", OTHER},
    {"gz", "application/gzip", OTHER},
    {"tgz", "application/gzip", OTHER},
    {"bz2", "application/x-bzip2", OTHER},
    {"xz", "application/x-xz", OTHER},
    {"zst", "application/zstd", OTHER},
    {"iso", "application/x-iso9660-image", OTHER},
    {"cpio", "application/x-cpio", OTHER},
    {"7z", "application/x-7z-compressed", OTHER},
    {"rar", "application/vnd.rar", OTHER},
    {"jp2", "image/jp2", OTHER},
};

static pthread_once_t magic_once = PTHREAD_ONCE_INIT;
static magic_t magic_handle; /* NULL: signatures and names have to do */

static void magic_start(void)
{
	magic_handle = magic_open(
	    MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF);
	if (magic_handle && magic_load(magic_handle, NULL) != 0) {
		magic_close(magic_handle);
		magic_handle = NULL;
	}
}

void kind_warm(void)
{
	pthread_once(&magic_once, magic_start);
}

static bool begins(const char *bytes, size_t len, const char *with, size_t with_len)
{
	return len >= with_len && memcmp(bytes, with, with_len) == 0;
}

/* Text of any encoding has no NUL but in UTF-16 and UTF-32, and then about every other byte of it is one, three
 * in a row at most. */
static bool looks_like_text(const char *bytes, size_t len)
{
	size_t n = len < 1024 ? len : 1024, nul = 0, control = 0, row = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];

		nul += c == 0;
		row = c ? 0 : row + 1;
		if (row > 3)
			return false;
		control += c && c < 0x20 && !strchr("\t\n\r\f\x1b", c);
	}
	return control <= n / 50 && (nul == 0 || (n >= 4 && nul >= n / 4));
}

static enum family family_of_bytes(const char *bytes, size_t len)
{
	size_t head = len < 1024 ? len : 1024;

	if (begins(bytes, len, "PK\3\4", 4) || begins(bytes, len, "PK\5\6", 4))
		return ZIP;
	if (begins(bytes, len, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8))
		return OLE;
	if (begins(bytes, len, "{\\rtf", 5))
		return RTF;
	if (memmem(bytes, head, "%PDF-", 5))
		return PDF;
	return looks_like_text(bytes, len) ? TEXT : OTHER;
}

static bool is_markup(const char *type)
{
	const char *dot = strrchr(type, '+');

	return strncmp(type, "text/", 5) == 0 || strncmp(type, "message/", 8) == 0 ||
	       (dot && (strcmp(dot, "+xml") == 0 || strcmp(dot, "+json") == 0));
}

static enum family family_of_type(const char *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].family;
	}
	return is_markup(type) ? TEXT : OTHER;
}

/* The type that the extension stands for among those of the family, or NULL. */
static const char *type_of_name(const char *name, enum family family)
{
	const char *dot = name ? strrchr(name, '.') : NULL;

	for (size_t i = 0; dot && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (kinds[i].family == family && strcasecmp(kinds[i].extension, dot + 1) == 0)
			return kinds[i].type;
	}
	return NULL;
}

/* By the names in the directory of an OLE file, which are in UTF-16. */
static const char *ole_type(const char *bytes, size_t len)
{
	static const struct {
		const char *name, *type;
	} marks[] = {{"WordDocument", "application/msword"},
	    {"PowerPoint Document", "application/vnd.ms-powerpoint"},
	    {"Workbook", "application/vnd.ms-excel"}, {"Book", "application/vnd.ms-excel"},
	    {"EncryptedPackage", "application/x-ole-encrypted"}};
	static const char msg[] = "__properties_version1.0", root[] = "Root Entry";
	char wide[64] = {0};
	const char *at;

	/* a mail first: what is attached to it may be an office file stored in the same directory */
	for (size_t i = 0; i < sizeof(msg); i++)
		wide[2 * i] = msg[i];
	if (memmem(bytes, len, wide, 2 * sizeof(msg)))
		return "application/vnd.ms-outlook";
	memset(wide, 0, sizeof(wide));
	for (size_t i = 0; i < sizeof(root); i++)
		wide[2 * i] = root[i];
	at = memmem(bytes, len, wide, 2 * sizeof(root));
	for (size_t i = 0; at && i < sizeof(marks) / sizeof(*marks); i++) {
		size_t n = strlen(marks[i].name) + 1;

		for (size_t k = 0; k < n; k++)
			wide[2 * k] = marks[i].name[k], wide[2 * k + 1] = '\0';
		if (memmem(at, len - (size_t)(at - bytes), wide, 2 * n))
			return marks[i].type;
	}
	return NULL;
}

static const char *ask_magic(const char *bytes, size_t len)
{
	const char *type =
	    magic_handle ? magic_buffer(magic_handle, bytes, len < LOOKED_AT ? len : LOOKED_AT)
			 : NULL;

	if (type && (strcmp(type, "application/octet-stream") == 0 || !strchr(type, '/')))
		return NULL;
	return type;
}

static const char *last_resort(enum family family)
{
	switch (family) {
	case TEXT:
		return "text/plain";
	case ZIP:
		return "application/zip";
	case OLE:
		return "application/x-ole-storage";
	default:
		return "application/octet-stream";
	}
}

void kind_of(
    const char *given, const char *name, const char *bytes, size_t len, char ret[static KIND_SIZE])
{
	enum family family = family_of_bytes(bytes, len);
	const char *type = family == PDF   ? "application/pdf"
			   : family == RTF ? "application/rtf"
					   : NULL;
	bool useful = given && *given && format_find(given) && family_of_type(given) == family;

	if (family == OLE)
		type = ole_type(bytes, len);
	/* "text/plain" is what mail programs call what they do not know: a name may know better */
	if (!type && family != OTHER && useful && strcmp(given, "text/plain") != 0 &&
	    strcmp(given, "application/zip") != 0)
		type = given;
	if (!type && family != OTHER)
		type = type_of_name(name, family);
	if (!type && useful && family == TEXT)
		type = given;
	if (!type)
		type = ask_magic(bytes, len);
	if (!type && useful)
		type = given;
	if (!type && family == OTHER)
		type = type_of_name(name, family);
	snprintf(ret, KIND_SIZE, "%s", type ? type : last_resort(family));
}
