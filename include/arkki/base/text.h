/* Encodings of bytes as text, and checks of text that came from outside.
 *
 * Pure functions: no state, no allocation unless a struct buf is given.
 */
#ifndef ARKKI_BASE_TEXT_H
#define ARKKI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"

/* Lower-case hex. `out` takes 2*len+1 bytes. */
void hex_encode(char *out, const void *bytes, size_t len);
/* Exactly 2*len hex digits (either case) into len bytes; false otherwise. */
bool hex_decode(void *out, size_t len, const char *hex, size_t hex_len);

/* RFC 4648 base64, with padding, standard alphabet (section 4) or URL-safe without padding (section 5). */
void base64_encode(struct buf *out, const void *bytes, size_t len);
void base64url_encode(struct buf *out, const void *bytes, size_t len);
/* Strict: canonical padding bits, no white space, standard alphabet with padding. */
bool base64_decode(struct buf *out, const char *text, size_t len);
bool base64url_decode(struct buf *out, const char *text, size_t len);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, no NUL unless allowed). */
bool utf8_valid(const char *text, size_t len);
/* Number of code points of well-formed text. */
size_t utf8_length(const char *text, size_t len);
/* Bytes of the character at `text` when it turns the direction of the text that follows (embeddings, overrides
 * and isolates, U+202A to U+202E and U+2066 to U+2069), else 0. */
size_t utf8_turn(const char *text, size_t len);
/* Nothing in the well-formed text shows: white space, controls and marks of no width alone. */
bool utf8_blank(const char *text);

/* RFC 3986 percent-decoding. False on a malformed escape. Appends to out. */
bool percent_decode(struct buf *out, const char *text, size_t len);
/* Encodes all but unreserved characters. */
void percent_encode(struct buf *out, const char *text, size_t len);

/* `[a-z0-9-]{1,64}`: ids that callers choose. */
bool id_valid(const char *id);
/* 32 lower-case hex digits. */
bool docid_valid(const char *id);

/* In time that does not depend on the bytes. */
bool bytes_equal(const void *a, const void *b, size_t len);

static inline uint32_t be32_get(const void *p)
{
	const unsigned char *b = (const unsigned char *)p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
static inline uint64_t be64_get(const void *p)
{
	const unsigned char *b = (const unsigned char *)p;
	return (uint64_t)be32_get(b) << 32 | be32_get(b + 4);
}
static inline void be32_put(void *p, uint32_t v)
{
	unsigned char *b = (unsigned char *)p;
	b[0] = (unsigned char)(v >> 24), b[1] = (unsigned char)(v >> 16);
	b[2] = (unsigned char)(v >> 8), b[3] = (unsigned char)v;
}
static inline void be64_put(void *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put((unsigned char *)p + 4, (uint32_t)v);
}

#endif
