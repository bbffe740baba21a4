/* Fuzzes the tag files of bags: lines of manifests and of fetch.txt, bag-info.txt, paths. The first byte says which.
 * A path that is taken stays within the bag, and means the same when written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/bag.h"
#include "arkki/archive/package.h"
#include "arkki/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void stays_within(const char *path, size_t len)
{
	if (!len || path[0] == '/' || path[0] == '~' || strstr(path, "//") ||
	    strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 || strstr(path, "/../") ||
	    (len >= 3 && strcmp(path + len - 3, "/..") == 0))
		abort();
}

static void try_path(const char *text, size_t len, bool encoded)
{
	struct buf path = BUF_INIT, written = BUF_INIT, again = BUF_INIT;
	bool dotted;

	if (bag_path_decode(&path, text, len, encoded, &dotted)) {
		stays_within(path.data, path.len);
		bag_path_encode(&written, path.data);
		if (written.len <= BAG_PATH_MAX &&
		    (!bag_path_decode(&again, written.data, written.len, true, &dotted) ||
			again.len != path.len || memcmp(again.data, path.data, path.len) != 0))
			abort();
	}
	buf_free(&path);
	buf_free(&written);
	buf_free(&again);
}

static void try_lines(char kind, const char *text, size_t len)
{
	const char *line, *path;
	size_t n, hex;

	while (bag_next_line(&text, &len, &line, &n)) {
		if (kind == '0' && bag_manifest_line(line, n, &hex, &path)) {
			if (path <= line + hex || path >= line + n)
				abort();
			try_path(path, (size_t)(line + n - path), true);
			try_path(path, (size_t)(line + n - path), false);
		} else if (kind == '1' && bag_fetch_line(line, n, &path)) {
			if (path <= line || path >= line + n)
				abort();
			try_path(path, (size_t)(line + n - path), true);
		}
	}
}

static void try_name(const char *text)
{
	struct buf name = BUF_INIT;

	package_safe_name(&name, text);
	stays_within(name.data, name.len);
	if (strchr(name.data, '/') || name.data[0] == '.' || name.len > 140 ||
	    !utf8_valid(name.data, name.len))
		abort();
	buf_free(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);
	json_t *info = json_array();

	if (!text || !info)
		abort();
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (len) {
		try_lines(text[0], text + 1, len - 1);
		if (text[0] == '2')
			(void)!bag_info_parse(text + 1, len - 1, len % 2, info, NULL);
		try_name(text + 1);
	}
	json_decref(info);
	free(text);
	return 0;
}
