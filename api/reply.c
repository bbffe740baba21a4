/* Replies as data: what a handler says, before the transport sends it. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/exchange.h"
#include "arkki/base/json.h"

static void reply_body_free(struct reply *r)
{
	if (r->free_arg)
		r->free_arg(r->arg);
	r->free_arg = NULL;
	buf_free(&r->body);
}

void reply_free(struct reply *r)
{
	reply_body_free(r);
	buf_free(&r->headers);
}

bool http_replied(const struct exchange *x)
{
	return x->reply.status != 0;
}

void http_reply_header(struct exchange *x, const char *name, const char *value)
{
	struct reply *r = &x->reply;
	bool clean = guard_is_token(name, strlen(name)) && !value[strcspn(value, "\r\n")];

	assert(clean);
	if (!clean)
		return;
	r->cached_set |= !strcasecmp(name, "Cache-Control");
	r->referrer_set |= !strcasecmp(name, "Referrer-Policy");
	buf_add(&r->headers, name, strlen(name) + 1);
	buf_add(&r->headers, value, strlen(value) + 1);
}

void http_reply_headerf(struct exchange *x, const char *name, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	if (value)
		http_reply_header(x, name, value);
	else
		x->reply.headers.failed = true;
	free(value);
}

/* Sets the reply's status once; a second reply is our own bug and is dropped. */
static bool begin_reply(struct exchange *x, int status, const char *content_type)
{
	bool first = !x->reply.status;

	assert(first && status >= 200 && status <= 599);
	if (!first)
		return false;
	if (content_type)
		http_reply_header(x, "Content-Type", content_type);
	x->reply.status = status;
	return true;
}

/* No memory for what was to be said: this needs none. */
static void reply_nothing_left(struct exchange *x)
{
	reply_free(&x->reply);
	x->reply = (struct reply){.status = 503, .kind = REPLY_EMPTY};
}

void http_reply_buf(struct exchange *x, int status, const char *content_type, struct buf *body)
{
	if (!begin_reply(x, status, content_type)) {
		buf_free(body);
		return;
	}
	x->reply.kind = REPLY_BUF;
	x->reply.body = *body;
	*body = (struct buf){.limit = body->limit};
	if (buf_failed(&x->reply.body) || buf_failed(&x->reply.headers))
		reply_nothing_left(x);
	x->reply.len = x->reply.body.len;
}

void http_reply_static(
    struct exchange *x, int status, const char *content_type, const void *bytes, size_t len)
{
	if (!begin_reply(x, status, content_type))
		return;
	x->reply.kind = REPLY_STATIC;
	x->reply.bytes = bytes;
	x->reply.len = len;
	if (buf_failed(&x->reply.headers))
		reply_nothing_left(x);
}

void http_reply_empty(struct exchange *x, int status)
{
	if (!begin_reply(x, status, NULL))
		return;
	x->reply.kind = REPLY_EMPTY;
	if (buf_failed(&x->reply.headers))
		reply_nothing_left(x);
}

void http_reply_json(struct exchange *x, int status, json_t *value)
{
	struct buf body = BUF_INIT;

	if (json_write(&body, value, NULL))
		body.failed = true;
	json_decref(value);
	http_reply_buf(x, status, "application/json", &body);
}

void http_reply_stream(struct exchange *x, int status, const char *content_type, uint64_t total,
    ssize_t (*read)(void *arg, uint64_t pos, char *out, size_t max), void (*free_arg)(void *arg),
    void *arg)
{
	struct reply *r = &x->reply;

	if (!begin_reply(x, status, content_type)) {
		if (free_arg)
			free_arg(arg);
		return;
	}
	r->kind = REPLY_STREAM;
	r->len = total;
	r->read = read;
	r->free_arg = free_arg;
	r->arg = arg;
	if (buf_failed(&r->headers))
		reply_nothing_left(x);
}

void http_reply_problem(
    struct exchange *x, int status, const char *slug, const char *detail, json_t *errors)
{
	static const char *const languages[] = {"fi", "sv", "en"};
	enum http_language language = http_language(x);
	const struct http_config *config = server_config(x->server);
	struct buf body = BUF_INIT;

	if (config->problem && !http_replied(x) && config->problem(x, status)) {
		json_decref(errors);
		return;
	}
	problem_write(&body, status, slug, language, detail, errors);
	json_decref(errors);
	http_reply_header(x, "Content-Language", languages[language]);
	http_reply_buf(x, status, "application/problem+json", &body);
}

void http_reply_error(struct exchange *x, const struct ark_error *err)
{
	static const struct {
		int code, status;
	} map[] = {
	    {ARK_ENOTFOUND, 404},
	    {ARK_ECONFLICT, 409},
	    {ARK_EREFUSED, 403},
	    {ARK_EINPUT, 400},
	    {ARK_ECORRUPT, 500},
	    {ARK_ENOMEM, 503},
	    {ARK_EIO, 503},
	    {ARK_EGONE, 410},
	};
	int status = 500;

	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++) {
		if (map[i].code == err->status)
			status = map[i].status;
	}
	http_reply_problem(x, status, NULL, status < 500 && *err->text ? err->text : NULL, NULL);
}
