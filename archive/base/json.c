#include "arkki/base/json.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

/* Brackets outside strings; a malformed text is left to the parser. */
static bool too_deep(const char *text, size_t len)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if (c == ']' || c == '}') {
			depth--;
		}
	}
	return false;
}

int json_read(const char *text, size_t len, json_t **ret, struct ark_error *err)
{
	json_error_t je;
	json_t *v;

	if (too_deep(text, len))
		return ark_fail(err, ARK_EINPUT, "JSON nested deeper than %d levels", DEPTH_MAX);
	v = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (!v)
		return ark_fail(
		    err, ARK_EINPUT, "JSON line %d column %d: %s", je.line, je.column, je.text);
	*ret = v;
	return ARK_OK;
}

static int add_bytes(const char *bytes, size_t len, void *out)
{
	buf_add(out, bytes, len);
	return buf_failed(out) ? -1 : 0;
}

int json_write(struct buf *out, const json_t *value, struct ark_error *err)
{
	if (json_dump_callback(value, add_bytes, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		return ark_fail(err, ARK_ENOMEM, "no memory for a JSON text");
	return ARK_OK;
}

void json_quote(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			buf_addc(out, '\\');
		if (c < ' ')
			buf_addf(out, "\\u%04x", c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Past the string that begins at p. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

/* Past the value that begins at p: up to the ',' or bracket that ends it. */
static const char *skip_value(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (depth == 0 && (*p == ',' || *p == '}' || *p == ']'))
			return p;
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	}
	return end;
}

void json_members(
    const char *text, size_t len, const char *const *keys, size_t n, struct json_span *spans)
{
	const char *p = text, *end = text + len, *name, *value;
	size_t name_len;

	memset(spans, 0, n * sizeof(*spans));
	if (len < 2 || *p++ != '{')
		return;
	while (p < end && *p == '"') {
		name = p + 1;
		p = skip_string(p, end);
		name_len = (size_t)(p - 1 - name);
		value = p + 1;
		if (value >= end || *p != ':')
			return;
		p = skip_value(value, end);
		for (size_t i = 0; i < n; i++) {
			if (strlen(keys[i]) == name_len && memcmp(name, keys[i], name_len) == 0)
				spans[i] = (struct json_span){value, (size_t)(p - value)};
		}
		if (p < end && *p == ',')
			p++;
	}
}

bool json_member(const char *text, size_t len, const char *key, const char **ret, size_t *ret_len)
{
	struct json_span span;

	json_members(text, len, &key, 1, &span);
	if (!span.text)
		return false;
	*ret = span.text;
	*ret_len = span.len;
	return true;
}
