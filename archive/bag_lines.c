/* The lines of tag files. */
#include <string.h>
#include <strings.h>

#include "arkki/archive/bag.h"
#include "arkki/base/text.h"

bool bag_next_line(const char **text, size_t *len, const char **ret_line, size_t *ret_len)
{
	size_t n = 0, end;

	if (*len == 0)
		return false;
	while (n < *len && (*text)[n] != '\n' && (*text)[n] != '\r')
		n++;
	end = n;
	if (end < *len)
		end += (*text)[end] == '\r' && end + 1 < *len && (*text)[end + 1] == '\n' ? 2 : 1;
	*ret_line = *text;
	*ret_len = n;
	*text += end;
	*len -= end;
	return true;
}

void bag_path_encode(struct buf *out, const char *path)
{
	for (; *path; path++) {
		if (*path == '%' || *path == '\n' || *path == '\r')
			buf_addf(out, "%%%02X", (unsigned int)*path);
		else
			buf_addc(out, *path);
	}
}

/* RFC 8493 2.1.3 encodes three characters only; any other percent sign is itself. */
static void decode(struct buf *out, const char *text, size_t len)
{
	static const char *const codes[] = {"0A", "0D", "25"};
	static const char meant[] = "\n\r%";

	for (size_t i = 0; i < len; i++) {
		size_t k = 3;

		if (text[i] == '%' && i + 2 < len)
			for (k = 0; k < 3 && strncasecmp(text + i + 1, codes[k], 2) != 0; k++)
				;
		buf_addc(out, k < 3 ? meant[k] : text[i]);
		if (k < 3)
			i += 2;
	}
}

static bool leads_out(const char *path)
{
	if (path[0] == '/' || path[0] == '~' || path[0] == '\0')
		return true;
	for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return true;
	}
	return false;
}

bool bag_path_decode(struct buf *out, const char *text, size_t len, bool encoded, bool *ret_dotted)
{
	size_t start = out->len;

	*ret_dotted = len >= 2 && text[0] == '.' && text[1] == '/';
	if (*ret_dotted)
		text += 2, len -= 2;
	if (len == 0 || len > BAG_PATH_MAX || !utf8_valid(text, len))
		return false;
	if (encoded)
		decode(out, text, len);
	else
		buf_add(out, text, len);
	return !buf_failed(out) && !leads_out(out->data + start);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

bool bag_manifest_line(const char *line, size_t len, size_t *ret_hex, const char **ret_path)
{
	size_t hex = 0, at;

	while (hex < len && strchr("0123456789abcdefABCDEF", line[hex]) && line[hex])
		hex++;
	for (at = hex; at < len && blank(line[at]); at++)
		;
	if (at < len && line[at] == '*') /* md5sum's mark of a binary file */
		at++;
	if (hex == 0 || hex % 2 || at == hex || !blank(line[hex]) || at == len)
		return false;
	*ret_hex = hex;
	*ret_path = line + at;
	return true;
}

bool bag_fetch_line(const char *line, size_t len, const char **ret_path)
{
	size_t url = 0, at, size;

	while (url < len && !blank(line[url]))
		url++;
	for (at = url; at < len && blank(line[at]); at++)
		;
	size = at;
	while (at < len && line[at] >= '0' && line[at] <= '9')
		at++;
	if (at == size && at < len && line[at] == '-')
		at++;
	if (url == 0 || size == url || at == size || at >= len || !blank(line[at]))
		return false;
	while (at < len && blank(line[at]))
		at++;
	*ret_path = line + at;
	return at < len;
}

static void trim(const char **text, size_t *len)
{
	while (*len && blank(**text))
		++*text, --*len;
	while (*len && blank((*text)[*len - 1]))
		--*len;
}

static bool continues(json_t *out, const char *line, size_t len)
{
	json_t *last = json_array_get(out, json_array_size(out) - 1),
	       *value = json_array_get(last, 1);

	trim(&line, &len);
	if (!value)
		return false;
	value = json_sprintf("%s %.*s", json_string_value(value), (int)len, line);
	return json_array_set_new(last, 1, value) == 0;
}

int bag_info_parse(
    const char *text, size_t len, bool spaced_labels, json_t *out, struct ark_error *err)
{
	const char *line;
	size_t n, number = 0;

	if (len > INT32_MAX || !utf8_valid(text, len))
		return ark_fail(err, ARK_EINPUT, "bag-info.txt is not text in its encoding");
	while (bag_next_line(&text, &len, &line, &n)) {
		const char *colon = memchr(line, ':', n), *label = line, *value;
		size_t label_len, value_len;
		bool ok;

		number++;
		if (n == 0)
			continue;
		if (blank(line[0]) && continues(out, line, n))
			continue;
		if (!colon || colon == line)
			return ark_fail(err, ARK_EINPUT,
			    "bag-info.txt line %zu is no \"label: value\"", number);
		label_len = (size_t)(colon - line);
		value = colon + 1;
		value_len = n - label_len - 1;
		ok = spaced_labels || !blank(colon[-1]);
		trim(&label, &label_len);
		trim(&value, &value_len);
		if (!ok || !label_len ||
		    json_array_append_new(
			out, json_pack("[s%s%]", label, label_len, value, value_len)))
			return ark_fail(
			    err, ARK_EINPUT, "bag-info.txt line %zu has a malformed label", number);
	}
	return ARK_OK;
}

const char *bag_info_value(const json_t *info, const char *label)
{
	json_t *pair;
	size_t i;

	json_array_foreach(info, i, pair)
	{
		const char *name = json_string_value(json_array_get(pair, 0));

		if (name && strcasecmp(name, label) == 0)
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}
