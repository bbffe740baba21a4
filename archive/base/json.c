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
		return ark_fail(err, ARK_EINPUT, "JSON line %d column %d: %s", je.line, je.column,
		    je.text);
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
