/* The HTTP server: requests arrive as exchanges, routes are a table.
 *
 * It knows HTTP/1.1, limits, deadlines and problem details. It does not know
 * documents, accounts or pages: handlers bring those through `app`.
 *
 * Life of an exchange. Handlers run in this order, each at most once except
 * body(); any of them may end it by one http_reply…() or interrupt it by one
 * http_wait():
 *
 *     config.gate → route.begin → route.body* → route.finish → the `end` of its data
 *
 * gate and begin run when the headers are here, before any body (the client
 * has not been told 100-continue yet). Returning without a reply means "go on".
 * In a request without a body they run when the request is complete, so that
 * a refusal keeps the connection. finish runs when the request is complete
 * and must reply or wait. After a reply no further handler runs.
 *
 * A reply in gate or begin to a request with a body closes the connection
 * after it. A reply in body() is sent when the rest has been read and dropped;
 * when more than 1 MiB is left it is sent at once and the connection is closed
 * after it (such a reply must be a buffer, not a stream: a problem). A chunked
 * request always ends its connection.
 *
 * Threads: all handlers and wait functions of one exchange run one at a time
 *          in a server thread, and must not block for long: work that blocks
 *          goes to a thread of the caller's, between http_wait() and
 *          http_wake(). Only http_wake() may be called from other threads.
 *          While an exchange waits, the thread that will wake it may use its
 *          data and what the request's functions returned before.
 */
#ifndef ARKKI_API_HTTP_H
#define ARKKI_API_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

struct exchange;
struct http_server;

/* ---- routes ---- */

enum http_body_kind {
	HTTP_BODY_NONE,   /* a body is refused: 400 */
	HTTP_BODY_WHOLE,  /* collected up to body_max, then finish: JSON, web forms */
	HTTP_BODY_STREAM, /* body() sees every piece */
};

enum http_route_flags {
	HTTP_ALSO_HEAD =
	    1, /* a GET route that answers HEAD too; handlers run alike, bytes are not sent */
};

struct http_route {
	const char *method;
	/* Literal segments and {parameters}: "/v1/documents/{d}/versions/{n}/content". A last
	 * segment {name*} takes one or more segments. Literal beats parameter beats {name*}. With
	 * and without a slash at the end are two places: "/fi/". */
	const char *pattern;
	enum http_body_kind takes;
	unsigned int flags;
	uint64_t body_max; /* bytes; 0: the server's limit for the kind */
	const char *const
	    *repeat; /* NULL-ended names that a query or form may repeat; others: 400 */
	void (*begin)(struct exchange *x);                               /* may be NULL */
	void (*body)(struct exchange *x, const char *bytes, size_t len); /* STREAM only */
	void (*finish)(struct exchange *x);
};

/* ---- server ---- */

/* One finished exchange, for counters and logs. No query, no path as sent, no purpose. */
struct http_record {
	const char *method;
	const char *pattern; /* of the route; "" when none matched */
	int status;          /* 0: ended without an answer */
	bool completed;      /* the whole answer was handed to the kernel */
	uint64_t bytes_in, bytes_out;
	int64_t duration_us;
};

struct http_config {
	const char *listen;           /* "HOST:PORT", "[v6]:PORT" (port 0: any), or "unix:/path" */
	unsigned int threads;         /* 0: max(4, 2×cores) */
	unsigned int connections_max; /* 0: 2000 */
	size_t header_max;            /* bytes of request line and headers; 0: 32 KiB */
	uint64_t whole_max;           /* bytes of a collected body; 0: 1 MiB */
	uint64_t stream_max;          /* bytes of a streamed body; 0: 64 GiB */
	unsigned int idle_ms;         /* 0: 30 s (counted in whole seconds) */
	unsigned int header_ms;       /* deadline for a request's headers; 0: 10 s */
	unsigned int
	    slow_window_ms;      /* 0: 30 s; in each window of receiving or sending a stream ... */
	unsigned int slow_bytes; /* ... at least this much must move; 0: 30 KiB */
	unsigned int drain_ms;   /* http_server_stop() waits this long; 0: 10 s */
	bool behind_proxy;       /* a loopback or Unix peer's last X-Forwarded-For is the peer */
	void (*gate)(struct exchange *x); /* before begin; may be NULL */
	/* Before a problem is replied: may reply in its place (a page for a page) and returns
	 * whether it did. May be NULL. The path is "" when the request could not be read. */
	bool (*problem)(struct exchange *x, int status);
	void (*ended)(
	    void *app, const struct http_record *record); /* any server thread; may be NULL */
};

/* Starts listening and serving. `routes` and what it points to, and `app`, must outlive the
 * server; `config` is copied but for `listen`, which is only read here. On success *ret is the caller's,
 * ended with http_server_stop(). ARK_EIO names the address and why it cannot be listened on. */
ARK_MUSTUSE int http_server_start(const struct http_config *config, const struct http_route *routes,
    size_t n_routes, void *app, struct http_server **ret, struct ark_error *err);
/* The TCP port listened on; 0 for a Unix socket. */
uint16_t http_server_port(const struct http_server *s);
/* Accepts no more, lets exchanges under way end for up to drain_ms, then closes
 * everything and frees. Returns how many were cut off. A thread that still owes an http_wake() may
 * call it later: the exchange's data lives until then. NULL is allowed. */
unsigned int http_server_stop(struct http_server *s);

/* ---- the request ---- Borrowed texts live as long as the exchange. */

enum http_language { HTTP_FI, HTTP_SV, HTTP_EN };

void *http_app(const struct exchange *x);
const char *http_method(const struct exchange *x); /* "HEAD" stays HEAD */
bool http_is_head(const struct exchange *x);
const char *http_path(const struct exchange *x);               /* decoded, without the query */
const struct http_route *http_route(const struct exchange *x); /* NULL when none matched */
/* The i-th {parameter} of the pattern, decoded, well-formed UTF-8, never empty. */
const char *http_param(const struct exchange *x, unsigned int i);
/* A query parameter, decoded ('+' is a space), well-formed UTF-8; NULL when not given. */
const char *http_query(const struct exchange *x, const char *name);
/* The i-th value of a name that may repeat; NULL after the last. */
const char *http_query_at(const struct exchange *x, const char *name, unsigned int i);
/* Calls `each` for every query parameter in order. */
void http_query_each(const struct exchange *x,
    void (*each)(void *arg, const char *name, const char *value), void *arg);
/* First value of a header, name in any case; NULL when not sent. Bytes as sent: not
 * necessarily UTF-8, no control bytes but tab. */
const char *http_header(const struct exchange *x, const char *name);
/* All values of a list header (If-Match, Accept, …) joined with ", "; NULL when not sent or no memory. */
const char *http_header_list(struct exchange *x, const char *name);
/* A cookie's value, NULL when not sent. */
const char *http_cookie(struct exchange *x, const char *name);
/* Whether Content-Type is this media type (parameters ignored, any case). */
bool http_content_is(const struct exchange *x, const char *media_type);
/* The declared length of the body; false when chunked. 0 and true when there is none. */
bool http_content_length(const struct exchange *x, uint64_t *ret);
/* A WHOLE body in finish; NUL-terminated. Never NULL there. */
const char *http_body(const struct exchange *x, size_t *ret_len);
/* A field of a WHOLE body in application/x-www-form-urlencoded; NULL when missing, or when the
 * body is no such form or repeats the name. */
const char *http_form(struct exchange *x, const char *name);
const char *http_form_at(struct exchange *x, const char *name, unsigned int i);
const char *http_peer(const struct exchange *x); /* address as text, "unix" for a local socket */
/* Cookie "lang" (fi, sv, en), else Accept-Language with its weights, else fi. */
enum http_language http_language(const struct exchange *x);
/* The same; false when the client says nothing about languages, or that any will do ("*"). */
bool http_language_named(const struct exchange *x, enum http_language *ret);

/* ---- data of the handlers ---- */

enum http_outcome {
	HTTP_COMPLETED, /* the whole answer was handed to the kernel */
	HTTP_FAILED, /* the client went, a deadline passed, the server stopped, or a stream failed */
};

/* How an exchange ended: bytes_out counts the answer's body (0 for HEAD), at most 64 KiB
 * ahead of what the client got when a stream failed, and all of a buffer that may have arrived. */
typedef void http_end_fn(void *data, enum http_outcome outcome, int status, uint64_t bytes_out);

/* Attaches the handler's data. `end` (may be NULL) is called exactly once, when the exchange
 * ends in any way, in a server thread, or in the waking thread when the server has
 * stopped. It must not use the exchange. Setting again replaces both without calling the old `end`. */
void http_set_data(struct exchange *x, void *data, http_end_fn *end);
void *http_data(const struct exchange *x);
/* Attaches other data for a while: *data and *end become those that were there, to be put back by a second call or
 * ended by the new `end`. */
void http_swap_data(struct exchange *x, void **data, http_end_fn **end);
/* The same for the gate: who is calling. Its `end` runs after the data's. */
void http_set_caller(struct exchange *x, void *caller, http_end_fn *end);
void *http_caller(const struct exchange *x);

/* ---- waiting ---- */

/* The handler returns after this; when another thread has called http_wake(), which may have been
 * before this call, fn runs in a server thread and again replies, waits or (in gate,
 * begin, body) goes on. In body() it is also backpressure: nothing is read meanwhile. */
void http_wait(struct exchange *x, void (*fn)(struct exchange *x));
/* Exactly once for each http_wait(). x must not be touched by the waking thread after it. */
void http_wake(struct exchange *x);

/* ---- the reply ---- */

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

/* Adds a header to the coming reply. Names that every reply has (Cache-Control,
 * Referrer-Policy) replace the default. A value with CR, LF or NUL is our own bug: it asserts, and
 * is left out in a build without assertions. */
void http_reply_header(struct exchange *x, const char *name, const char *value);
void http_reply_headerf(struct exchange *x, const char *name, const char *fmt, ...)
    ARK_PRINTF(3, 4);
/* Takes the bytes of `body`, also when something fails; a failed buf becomes a 503. */
void http_reply_buf(struct exchange *x, int status, const char *content_type, struct buf *body);
/* Bytes that outlive the server: embedded files. */
void http_reply_static(
    struct exchange *x, int status, const char *content_type, const void *bytes, size_t len);
void http_reply_empty(struct exchange *x, int status);
/* Takes the reference to `value`. */
void http_reply_json(struct exchange *x, int status, json_t *value);
/* Streams `total` bytes (or HTTP_LENGTH_UNKNOWN: chunked) in blocks of 64 KiB. read() gives at
 * least one byte at pos, 0 at the end of unknown length, or -1: the connection is cut,
 * so that the client sees a broken answer. `free_arg` (may be NULL) is called once, also when
 * something fails and for HEAD, where read() is not called. */
void http_reply_stream(struct exchange *x, int status, const char *content_type, uint64_t total,
    ssize_t (*read)(void *arg, uint64_t pos, char *out, size_t max), void (*free_arg)(void *arg),
    void *arg);
/* application/problem+json (RFC 9457): type "urn:arkki:problem:<slug>", or about:blank when slug is NULL;
 * title in the request's language; detail (may be NULL) is text for a person. Takes the
 * reference to `errors` (an array of {"field","code","detail"}, or NULL). */
void http_reply_problem(
    struct exchange *x, int status, const char *slug, const char *detail, json_t *errors);
/* The problem for an ark_error: status by its code (404, 409, 403, 400, 500, 503), detail its
 * text for 4xx only: what failed inside is not the client's to know. */
void http_reply_error(struct exchange *x, const struct ark_error *err);
bool http_replied(const struct exchange *x);

/* ---- texts of problems, without an exchange (pages, admin socket) ---- */

const char *problem_title(int status, enum http_language language);
/* The problem document as JSON text appended to out. Borrows `errors`. */
void problem_write(struct buf *out, int status, const char *slug, enum http_language language,
    const char *detail, const json_t *errors);

#endif
