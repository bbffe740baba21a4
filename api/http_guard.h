/* What must be true of a request before anything else looks at it.
 *
 * The parser in front (libmicrohttpd 0.9.75) accepts several things that two
 * HTTP parsers may read differently: they are refused here. Pure, no state.
 */
#ifndef ARKKI_API_HTTP_GUARD_H
#define ARKKI_API_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADERS_MAX 100
#define HTTP_TARGET_MAX 8192 /* bytes of the request target */

struct http_field {
	const char *name, *value; /* never NULL */
};

struct guard_input {
	const char *method, *version;
	const char *target; /* as sent, with the query; NULL when there was none */
	const struct http_field *fields;
	size_t n_fields;
	bool fields_cut;   /* there were more than `fields` could take */
	bool odd_block;    /* NUL, bare LF, folded lines or the like between the parts above */
	size_t header_max; /* bytes of target and fields together */
};

struct guard_verdict {
	int status;         /* 0: go on; else 400, 414, 417, 431, 501, 503 or 505 */
	const char *detail; /* why, for a person; static */
	bool has_body;      /* chunked, or a Content-Length above 0 */
	bool chunked;
	uint64_t length; /* Content-Length, 0 when absent */
	bool expects;    /* Expect: 100-continue */
};

void guard_check(const struct guard_input *in, struct guard_verdict *ret);

/* tchar of RFC 9110: what header names and methods are made of. */
bool guard_is_token(const char *text, size_t len);

#endif
