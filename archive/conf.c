#include "arkki/archive/conf.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"

enum { CONF_MAX = 65536 };

/* The rest of the line when it is the key's, without the blanks around it. */
static char *value_in(char *line, const char *key)
{
	size_t n = strlen(key), len;

	if (strncmp(line, key, n) != 0 || (line[n] && !strchr(" \t\r", line[n])))
		return NULL;
	line += n + strspn(line + n, " \t\r");
	len = strlen(line);
	while (len && strchr(" \t\r", line[len - 1]))
		line[--len] = '\0';
	return line;
}

/* *ret: into text; NULL when the key is not there. */
static int find(
    const char *dir, const char *key, struct buf *text, const char **ret, struct ark_error *err)
{
	char path[4096], *save = NULL, *value;
	int rc = fs_path(path, err, "%s/arkki.conf", dir);

	*ret = NULL;
	if (!rc)
		rc = fs_read_file(path, CONF_MAX, text, err);
	for (char *line = rc || !text->data ? NULL : strtok_r(text->data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		value = value_in(line, key);
		if (value && *ret)
			return ark_fail(
			    err, ARK_EINPUT, "arkki.conf: there are two lines %s; keep one", key);
		if (value)
			*ret = value;
	}
	return rc;
}

int conf_text(const char *dir, const char *key, char *ret, size_t size, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	const char *value;
	int rc = find(dir, key, &text, &value, err);

	if (!rc && value && strlen(value) >= size)
		rc = ark_fail(
		    err, ARK_EINPUT, "arkki.conf: %s takes at most %zu bytes", key, size - 1);
	if (!rc)
		memcpy(ret, value ? value : "", value ? strlen(value) + 1 : 1);
	buf_free(&text);
	return rc;
}

int conf_bool(const char *dir, const char *key, bool *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	const char *value;
	int rc = find(dir, key, &text, &value, err);

	if (!rc && value) {
		if (strcmp(value, "yes") == 0)
			*ret = true;
		else if (strcmp(value, "no") == 0)
			*ret = false;
		else
			rc = ark_fail(err, ARK_EINPUT, "arkki.conf: %s is yes or no", key);
	}
	buf_free(&text);
	return rc;
}

int conf_number(const char *dir, const char *key, unsigned long least, unsigned long most,
    unsigned long *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	const char *value;
	int rc = find(dir, key, &text, &value, err);

	if (!rc && value) {
		size_t digits = strspn(value, "0123456789");
		unsigned long n = digits <= 18 ? strtoul(value, NULL, 10) : 0;

		if (!digits || digits > 18 || value[digits] || n < least || n > most)
			rc = ark_fail(err, ARK_EINPUT,
			    "arkki.conf: %s is a whole number from %lu to %lu", key, least, most);
		else
			*ret = n;
	}
	buf_free(&text);
	return rc;
}
