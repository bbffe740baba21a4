/* File names that are safe on every system that unpacks a package. */
#include <string.h>
#include <strings.h>

#include <glib.h>

#include "arkki/archive/package.h"
#include "arkki/base/text.h"

enum { NAME_MAX_BYTES = 120, ENDING_MAX = 16 };

/* CON, NUL, COM1 … with any ending. */
static bool is_device(const char *name)
{
	static const char *const devices[] = {"con", "prn", "aux", "nul"};
	size_t n = strcspn(name, ".");

	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
		if (n == 3 && strncasecmp(name, devices[i], 3) == 0)
			return true;
	return n == 4 && (strncasecmp(name, "com", 3) == 0 || strncasecmp(name, "lpt", 3) == 0) &&
	       name[3] >= '0' && name[3] <= '9';
}

/* Controls, and what changes how a name reads: the direction marks of Unicode, spaces of no width. */
static bool unsafe(gunichar c)
{
	return c < 0x20 || c == 0x7f || (c < 0x80 && strchr("\\/:*?\"<>|", (int)c)) ||
	       g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT ||
	       g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR ||
	       g_unichar_type(c) == G_UNICODE_PARAGRAPH_SEPARATOR;
}

static void clean(struct buf *out, const char *name)
{
	size_t n;

	for (const char *p = name; *p; p += n) {
		gunichar c = g_utf8_get_char(p);

		n = (size_t)g_utf8_skip[(unsigned char)*p];
		if (unsafe(c) || (!out->len && c == '~'))
			buf_addc(out, '_');
		else if (out->len || (c != '.' && c != ' '))
			buf_add(out, p, n);
	}
	while (out->len && (out->data[out->len - 1] == '.' || out->data[out->len - 1] == ' '))
		out->data[--out->len] = '\0';
}

static size_t whole_characters(const char *text, size_t most)
{
	while (most && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

void package_safe_name(struct buf *out, const char *name)
{
	char *nfc = name && utf8_valid(name, strlen(name))
			? g_utf8_normalize(name, -1, G_NORMALIZE_NFC)
			: NULL;
	struct buf safe = BUF_INIT;
	const char *dot;
	size_t ending;

	if (nfc)
		clean(&safe, nfc);
	g_free(nfc);
	if (!safe.len || buf_failed(&safe)) {
		buf_adds(out, "file");
		goto out;
	}
	if (is_device(safe.data))
		buf_addc(out, '_');
	dot = strrchr(safe.data, '.');
	ending = dot ? safe.len - (size_t)(dot - safe.data) : 0;
	if (ending > ENDING_MAX)
		ending = 0;
	if (safe.len <= NAME_MAX_BYTES) {
		buf_add(out, safe.data, safe.len);
	} else {
		buf_add(out, safe.data, whole_characters(safe.data, NAME_MAX_BYTES - ending));
		buf_add(out, safe.data + safe.len - ending, ending);
	}
out:
	buf_free(&safe);
}
