/* JSON by jansson, with arkki's bounds.
 *
 * Input: UTF-8, one value, no duplicate keys, depth at most 64 (jansson's
 * own bound is 2048 at build time, so json_read checks first), no NUL in
 * strings. Output: compact, keys in insertion order.
 */
#ifndef ARKKI_BASE_JSON_H
#define ARKKI_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

/* On success *ret is the caller's (json_decref). ARK_EINPUT names line and column. */
ARK_MUSTUSE int json_read(const char *text, size_t len, json_t **ret, struct ark_error *err);
ARK_MUSTUSE int json_write(struct buf *out, const json_t *value, struct ark_error *err);
/* Text as a JSON string with quotes, control characters escaped; for records written by hand. */
void json_quote(struct buf *out, const char *text);
/* The text of a member's value in the text of an object, without parsing the rest: for JSON that
 * arkki wrote itself (compact, well-formed). Points into text. False when there is no such member. */
bool json_member(const char *text, size_t len, const char *key, const char **ret, size_t *ret_len);
/* The same for several keys in one pass: spans[i] is where keys[i] stands, its text NULL when it does not. */
struct json_span {
	const char *text;
	size_t len;
};
void json_members(
    const char *text, size_t len, const char *const *keys, size_t n, struct json_span *spans);
/* The string at key, or NULL when missing or not a string. Borrowed. */
const char *json_text(const json_t *object, const char *key);

#endif
