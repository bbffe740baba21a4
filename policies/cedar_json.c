/* jansson 2.14 keeps a NUL in a key, but its parser refuses to read one. So before it reads, \u0000 becomes U+0001
 * and '0', and \u0001 becomes U+0001 twice; afterwards both turn back. A control character can stand in
 * JSON only as an escape, so nothing else can be mistaken for them. */
#include "policies/cedar_json.h"

#include <string.h>

#include "arkki/base/buf.h"
#include "arkki/policies/cedar.h"

#define ESCAPE '\001'

/* ---- before reading ---- */

static void hide_nuls(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\\' || i + 1 == len) {
			buf_addc(out, text[i]);
			continue;
		}
		if (len - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0) {
			buf_adds(out, "\\u00010");
			i += 5;
		} else if (len - i >= 6 && memcmp(text + i, "\\u0001", 6) == 0) {
			buf_adds(out, "\\u0001\\u0001");
			i += 5;
		} else {
			buf_add(out, text + i, 2);
			i++;
		}
	}
}

/* ---- after reading ---- */

static void show_nuls(const char *text, size_t len, struct buf *out)
{
	buf_clear(out);
	buf_reserve(out, len + 1);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ESCAPE && i + 1 < len)
			buf_addc(out, text[++i] == '0' ? '\0' : ESCAPE);
		else
			buf_addc(out, text[i]);
	}
}

static json_t *restored(json_t *value, unsigned int depth, struct buf *b);

static json_t *restored_object(json_t *object, unsigned int depth, struct buf *b)
{
	json_t *ret = json_object();

	for (void *at = json_object_iter(object); ret && at;
	     at = json_object_iter_next(object, at)) {
		json_t *value = restored(json_object_iter_value(at), depth + 1, b);

		show_nuls(json_object_iter_key(at), json_object_iter_key_len(at), b);
		if (!value || buf_failed(b) ||
		    json_object_setn_new_nocheck(ret, b->data, b->len, value)) {
			if (buf_failed(b))
				json_decref(value);
			json_decref(ret);
			return NULL;
		}
	}
	return ret;
}

static json_t *restored_array(json_t *array, unsigned int depth, struct buf *b)
{
	json_t *ret = json_array();

	for (size_t i = 0; ret && i < json_array_size(array); i++) {
		json_t *value = restored(json_array_get(array, i), depth + 1, b);

		if (!value || json_array_append_new(ret, value)) {
			json_decref(ret);
			return NULL;
		}
	}
	return ret;
}

/* A new reference; NULL when too deep or without memory. */
static json_t *restored(json_t *value, unsigned int depth, struct buf *b)
{
	if (depth > CEDAR_DEPTH_MAX)
		return NULL;
	if (json_is_object(value))
		return restored_object(value, depth, b);
	if (json_is_array(value))
		return restored_array(value, depth, b);
	if (!json_is_string(value))
		return json_incref(value);
	show_nuls(json_string_value(value), json_string_length(value), b);
	return buf_failed(b) ? NULL : json_stringn_nocheck(b->data, b->len);
}

static int load(const char *text, size_t len, json_t **ret, struct ark_error *err)
{
	json_error_t e;

	*ret = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
	if (*ret)
		return ARK_OK;
	return ark_fail(err, ARK_EINPUT, "line %d, column %d: %s", e.line, e.column, e.text);
}

int cedar_json_read(const char *text, size_t len, json_t **ret, struct ark_error *err)
{
	struct buf b = BUF_INIT;
	json_t *hidden = NULL, *value;
	int rc;

	if (!memmem(text, len, "\\u0000", 6))
		return load(text, len, ret, err);
	hide_nuls(text, len, &b);
	if (buf_failed(&b)) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the JSON");
		goto out;
	}
	rc = load(b.data, b.len, &hidden, err);
	if (rc)
		goto out;
	value = restored(hidden, 1, &b);
	if (!value)
		rc = ark_fail(err, ARK_EINPUT, "the JSON is too deep or too large");
	else
		*ret = value;
out:
	json_decref(hidden);
	buf_free(&b);
	return rc;
}
