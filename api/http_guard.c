#include "api/http_guard.h"

#include <string.h>
#include <strings.h>

enum bit {
	SEEN_HOST = 1 << 0,
	SEEN_LENGTH = 1 << 1,
	SEEN_ENCODING = 1 << 2,
};

/* Headers of which a second one makes the request mean two things. */
static const char *const singles[] = {
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Content-Type",
    "Content-Encoding",
    "Authorization",
    "Expect",
    "Range",
    "If-Range",
    "Idempotency-Key",
    "Sec-Purpose",
};

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static bool is_tchar(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool guard_is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_tchar((unsigned char)text[i]))
			return false;
	}
	return len > 0;
}

static int refuse(struct guard_verdict *v, int status, const char *detail)
{
	v->status = status;
	v->detail = detail;
	return status;
}

static int check_line(const struct guard_input *in, struct guard_verdict *v)
{
	bool known = false;
	size_t len;

	if (in->odd_block)
		return refuse(v, 400, "the header block is not plain lines that end with CRLF");
	if (strcmp(in->version, "HTTP/1.1") != 0 && strcmp(in->version, "HTTP/1.0") != 0)
		return refuse(v, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	if (!guard_is_token(in->method, strlen(in->method)))
		return refuse(v, 400, "the method is not a token");
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		known |= strcmp(in->method, methods[i]) == 0;
	if (!known)
		return refuse(v, 501, "the method is not implemented");
	if (!in->target)
		return refuse(v, 400, "the request has no target");
	len = strnlen(in->target, HTTP_TARGET_MAX + 1);
	if (len > HTTP_TARGET_MAX)
		return refuse(v, 414, "the request target is longer than 8 KiB");
	/* absolute-form is for proxies; here it would be a second opinion about Host */
	if (in->target[0] != '/')
		return refuse(v, 400, "the request target must begin with a slash");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in->target[i];

		if (c <= ' ' || c >= 0x7f || c == '#' || c == '\\')
			return refuse(v, 400,
			    "the request target has a byte that must be "
			    "percent-encoded");
	}
	return 0;
}

static int check_bytes(const struct http_field *f, struct guard_verdict *v)
{
	if (!guard_is_token(f->name, strlen(f->name)))
		return refuse(v, 400, "a header name is not a token");
	for (const unsigned char *p = (const unsigned char *)f->value; *p; p++) {
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return refuse(v, 400, "a header value has a control byte");
	}
	return 0;
}

static bool parse_length(const char *text, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (n > (UINT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*ret = n;
	return true;
}

static bool host_valid(const char *host)
{
	size_t n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				"-._~:[]!$&'()*+;=%");

	return n > 0 && n <= 300 && host[n] == '\0';
}

static int check_field(const struct http_field *f, unsigned int *seen, struct guard_verdict *v)
{
	const char *name = f->name, *value = f->value;

	if (!strcasecmp(name, "Host")) {
		*seen |= SEEN_HOST;
		if (!host_valid(value))
			return refuse(v, 400, "the Host header is malformed");
	} else if (!strcasecmp(name, "Content-Length")) {
		*seen |= SEEN_LENGTH;
		if (!parse_length(value, &v->length))
			return refuse(v, 400, "Content-Length is not a number");
	} else if (!strcasecmp(name, "Transfer-Encoding")) {
		*seen |= SEEN_ENCODING;
		if (strcasecmp(value, "chunked") != 0)
			return refuse(v, 501, "only Transfer-Encoding: chunked is implemented");
	} else if (!strcasecmp(name, "Expect")) {
		if (strcasecmp(value, "100-continue") != 0)
			return refuse(v, 417, "only Expect: 100-continue is known");
		v->expects = true;
	} else if (!strcasecmp(name, "Sec-Purpose") && !strncasecmp(value, "prefetch", 8)) {
		/* every read is logged with a purpose: nobody reads by hovering */
		return refuse(v, 503, "this server does not answer prefetching");
	}
	return 0;
}

static int check_fields(const struct guard_input *in, struct guard_verdict *v)
{
	size_t bytes = strlen(in->target), counts[sizeof(singles) / sizeof(*singles)] = {0};
	unsigned int seen = 0;

	if (in->fields_cut)
		return refuse(v, 431, "there are more than 100 headers");
	for (size_t i = 0; i < in->n_fields; i++) {
		const struct http_field *f = &in->fields[i];

		if (check_bytes(f, v))
			return v->status;
		bytes += strlen(f->name) + strlen(f->value) + 4;
		if (bytes > in->header_max)
			return refuse(v, 431, "the headers are too large");
		for (size_t k = 0; k < sizeof(singles) / sizeof(*singles); k++) {
			if (!strcasecmp(f->name, singles[k]) && ++counts[k] > 1)
				return refuse(v, 400, "a header that may come once came twice");
		}
		if (check_field(f, &seen, v))
			return v->status;
	}
	if (!(seen & SEEN_HOST) && !strcmp(in->version, "HTTP/1.1"))
		return refuse(v, 400, "the Host header is missing");
	if ((seen & SEEN_ENCODING) && (seen & SEEN_LENGTH))
		return refuse(v, 400, "both Content-Length and Transfer-Encoding were sent");
	if ((seen & SEEN_ENCODING) && strcmp(in->version, "HTTP/1.1") != 0)
		return refuse(v, 400, "Transfer-Encoding needs HTTP/1.1");
	v->chunked = (seen & SEEN_ENCODING) != 0;
	v->has_body = v->chunked || v->length > 0;
	return 0;
}

void guard_check(const struct guard_input *in, struct guard_verdict *ret)
{
	*ret = (struct guard_verdict){0};
	if (!check_line(in, ret))
		check_fields(in, ret);
}
