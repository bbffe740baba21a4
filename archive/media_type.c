#include "archive/media_type.h"

#include <ctype.h>
#include <magic.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arkki/base/text.h"

/* Loaded once for the process; libmagic keeps state in it, so one user at a time. */
static pthread_mutex_t magic_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t magic_once = PTHREAD_ONCE_INIT;
static magic_t magic_handle;

static void magic_start(void)
{
	magic_handle = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_ELF);
	if (magic_handle && magic_load(magic_handle, NULL) != 0) {
		magic_close(magic_handle);
		magic_handle = NULL;
	}
}

int media_type_of(const void *head, size_t len, char out[MEDIA_TYPE_SIZE], struct ark_error *err)
{
	const char *type;
	int rc = ARK_OK;

	pthread_once(&magic_once, magic_start);
	if (!magic_handle)
		return ark_fail(err, ARK_EIO, "cannot load libmagic's database; install libmagic1");
	pthread_mutex_lock(&magic_lock);
	type = magic_buffer(magic_handle, head, len);
	if (type && strchr(type, '/') && strlen(type) < MEDIA_TYPE_SIZE)
		memcpy(out, type, strlen(type) + 1);
	else
		memcpy(out, "application/octet-stream", sizeof("application/octet-stream"));
	pthread_mutex_unlock(&magic_lock);
	return rc;
}

/* The head may end inside a character. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t back = 0;

	while (back < 3 && back < len && ((unsigned char)text[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < len && (unsigned char)text[len - 1 - back] >= 0xc0)
		return len - 1 - back;
	return len;
}

static bool is_clean_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' && !strchr("\n\r\t\f", text[i]))
			return false;
	return utf8_valid(text, whole_characters(text, len));
}

bool media_type_plain(const char *declared, const void *head, size_t len, char out[MEDIA_TYPE_SIZE])
{
	const char *text = head;

	if (len >= 5 && memcmp(text, "%PDF-", 5) == 0) {
		snprintf(out, MEDIA_TYPE_SIZE, "application/pdf");
		return true;
	}
	/* a letter or digit first: no markup, no PostScript, no RTF, no script, no byte order mark */
	if (!declared || strncasecmp(declared, "text/plain", 10) != 0 ||
	    (declared[10] && declared[10] != ';' && declared[10] != ' ') || len == 0 ||
	    !isalnum((unsigned char)text[0]) || memmem(text, len, "%PDF-", 5) ||
	    !is_clean_text(text, len))
		return false;
	snprintf(out, MEDIA_TYPE_SIZE, "text/plain");
	return true;
}

/* Types whose first bytes are unmistakable, in families that libmagic and
 * senders name differently. A type of one family contradicts any other. */
static const struct {
	const char *type;
	int family;
} firm[] = {
    {"application/pdf", 1},
    {"application/x-pdf", 1},
    {"image/png", 2},
    {"image/jpeg", 3},
    {"image/jpg", 3},
    {"image/gif", 4},
    {"image/tiff", 5},
    {"image/jp2", 6},
    {"image/jpx", 6},
    {"application/zip", 7},
    {"application/x-zip-compressed", 7},
    {"application/epub+zip", 7},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", 7},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 7},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", 7},
    {"application/vnd.oasis.opendocument.text", 7},
    {"application/vnd.oasis.opendocument.spreadsheet", 7},
    {"application/vnd.oasis.opendocument.presentation", 7},
    {"application/vnd.oasis.opendocument.graphics", 7},
    {"application/java-archive", 7},
    {"application/msword", 8},
    {"application/vnd.ms-excel", 8},
    {"application/vnd.ms-powerpoint", 8},
    {"application/vnd.ms-outlook", 8},
    {"application/x-ole-storage", 8},
    {"application/CDFV2", 8},
    {"application/gzip", 9},
    {"application/x-gzip", 9},
    {"application/x-7z-compressed", 10},
    {"application/x-rar", 11},
    {"application/vnd.rar", 11},
    {"application/x-bzip2", 12},
    {"application/x-xz", 13},
    {"text/rtf", 14},
    {"application/rtf", 14},
    {"audio/mpeg", 15},
    {"video/mp4", 16},
    {"image/bmp", 17},
    {"image/webp", 18},
    {"application/postscript", 19},
};

static int firm_family(const char *type)
{
	for (size_t i = 0; i < sizeof(firm) / sizeof(*firm); i++)
		if (strcasecmp(type, firm[i].type) == 0)
			return firm[i].family;
	return 0;
}

static bool well_formed(const char *type)
{
	const char *slash = strchr(type, '/');

	if (!slash || slash == type || !slash[1] || strlen(type) >= MEDIA_TYPE_SIZE)
		return false;
	for (const char *p = type; *p; p++)
		if (p != slash && !isalnum((unsigned char)*p) && !strchr("!#$&-^_.+", *p))
			return false;
	return true;
}

int media_type_settle(
    const char *declared, const char *found, char out[MEDIA_TYPE_SIZE], struct ark_error *err)
{
	char type[MEDIA_TYPE_SIZE] = "";
	int said, seen = firm_family(found);
	size_t n;

	if (declared) { /* without parameters */
		n = strcspn(declared, "; \t");
		if (n >= sizeof(type))
			return ark_fail(err, ARK_EINPUT, "the declared media type is too long");
		for (size_t i = 0; i < n; i++)
			type[i] = (char)tolower((unsigned char)declared[i]);
		type[n] = '\0';
	}
	if (!type[0] || strcmp(type, "application/octet-stream") == 0) {
		snprintf(out, MEDIA_TYPE_SIZE, "%s", found);
		return ARK_OK;
	}
	if (!well_formed(type))
		return ark_fail(err, ARK_EINPUT, "the declared media type is malformed");
	said = firm_family(type);
	/* an OLE or ZIP container that libmagic only knows as such, and the like */
	if (said != seen && !(said && strcmp(found, "application/octet-stream") == 0 && said != 1))
		return ark_fail(err, ARK_EINPUT,
		    "the content is declared as %s, but its bytes are %s", type, found);
	/* in a firm family the sender's name may be the finer one (docx for zip) */
	if (said && strcmp(found, "application/zip") != 0 &&
	    strcmp(found, "application/octet-stream") != 0 && said != 8)
		snprintf(out, MEDIA_TYPE_SIZE, "%s", found);
	else
		snprintf(out, MEDIA_TYPE_SIZE, "%s", type);
	return ARK_OK;
}
