/* The transport: libmicrohttpd behind exchanges. The only file that knows it.
 *
 * What 0.9.75 does, found in its source and held by tests/unit/test_http_server.c and test_http_flow.c:
 *   - a reply is taken only in the first call (then the connection closes after it, whatever was
 *     or was not sent as a body) and after the whole request. So requests without a body are
 *     answered in the second call, and a reply amid a body waits for its end, or is written
 *     past the library when the rest is long.
 *   - a call amid a body may take nothing when the connection is suspended; after the resume
 *     the same bytes come again, perhaps with more.
 *   - its parser lets NUL, bare LF, folded lines and nameless headers pass: see block_is_plain().
 *   - a suspended connection makes MHD_stop_daemon() abort the process.
 *   - MHD_quiesce_daemon() aborts it when a pool thread takes the listening socket out of its epoll
 *     set at the same time ("Failed to remove listen FD"): on_connecting() refuses instead.
 */
#include <microhttpd.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/exchange.h"
#include "api/listen.h"
#include "arkki/base/clock.h"

enum {
	STREAM_BLOCK = 64 * 1024,
	DISCARD_MAX = 1024 * 1024, /* read to its end to keep a connection after an early reply */
	DRAIN_MAX = 256 * 1024 * 1024, /* read so that a client still sending sees the reply */
	DRAIN_US = 10 * 1000 * 1000,
};

struct http_server {
	struct http_config config;
	struct router *router;
	void *app;
	struct MHD_Daemon *daemon;
	struct reaper *reaper;
	int fd;
	uint16_t port;
	char *unix_path;
	atomic_uint refs;   /* http_server_stop() and every exchange */
	atomic_uint active; /* exchanges that a connection has */
	atomic_uint waking; /* threads inside http_wake() */
	atomic_bool stopping;
	pthread_mutex_t lock; /* waiting, abandoning */
	struct exchange *waiting;
	bool abandoning;
};

const struct http_config *server_config(const struct http_server *s)
{
	return &s->config;
}

const struct router *server_router(const struct http_server *s)
{
	return s->router;
}

void *server_app(const struct http_server *s)
{
	return s->app;
}

uint16_t http_server_port(const struct http_server *s)
{
	return s->port;
}

static void server_release(struct http_server *s)
{
	if (atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	router_free(s->router);
	pthread_mutex_destroy(&s->lock);
	free(s->unix_path);
	free(s);
}

/* ---- waiting ---- */

bool transport_suspend(struct exchange *x)
{
	struct http_server *s = x->server;
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = !s->abandoning;
	if (ok) {
		x->listed = true;
		x->wait_prev = NULL;
		x->wait_next = s->waiting;
		if (s->waiting)
			s->waiting->wait_prev = x;
		s->waiting = x;
	}
	pthread_mutex_unlock(&s->lock);
	if (ok) {
		conn_mark(x->conn, PHASE_BUSY, 0);
		MHD_suspend_connection(x->connection);
	}
	return ok;
}

static void unlist(struct exchange *x)
{
	struct http_server *s = x->server;

	if (!x->listed)
		return;
	pthread_mutex_lock(&s->lock);
	if (x->wait_prev)
		x->wait_prev->wait_next = x->wait_next;
	else
		s->waiting = x->wait_next;
	if (x->wait_next)
		x->wait_next->wait_prev = x->wait_prev;
	x->listed = false;
	pthread_mutex_unlock(&s->lock);
}

void transport_resume(struct exchange *x)
{
	MHD_resume_connection(x->connection);
}

static void exchange_free(struct exchange *x, enum http_outcome outcome)
{
	struct http_server *s = x->server;

	exchange_close(x, outcome);
	free(x);
	server_release(s);
}

void transport_wake(struct exchange *x)
{
	struct http_server *s = x->server;
	bool orphan = false;

	/* the server may stop as soon as x goes on, but not while this is above 0 */
	atomic_fetch_add(&s->waking, 1);
	switch ((enum wake)atomic_exchange(&x->wake, WAKE_CAME)) {
	case WAKE_DUE:
		transport_resume(x);
		break;
	case WAKE_ORPHANED:
		orphan = true;
		break;
	case WAKE_NONE:
	case WAKE_CAME:
	case WAKE_ABANDONED:
		break;
	}
	atomic_fetch_sub(&s->waking, 1);
	if (orphan)
		exchange_free(x, HTTP_FAILED);
}

/* ---- replying ---- */

static ssize_t read_stream(void *cls, uint64_t pos, char *out, size_t max)
{
	struct exchange *x = cls;
	ssize_t n = x->reply.read(x->reply.arg, pos, out, max);

	if (n > 0) {
		x->bytes_out += (uint64_t)n;
		return n;
	}
	return n == 0 && x->reply.len == HTTP_LENGTH_UNKNOWN ? MHD_CONTENT_READER_END_OF_STREAM
							     : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* A 304 describes a body that it has not: it must not say that the length is 0. */
static ssize_t read_nothing(void *cls, uint64_t pos, char *out, size_t max)
{
	(void)cls, (void)pos, (void)out, (void)max;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct reply *r, struct exchange *x)
{
	static char nothing[1];
	struct MHD_Response *m = NULL;
	union {
		const void *given;
		void *wanted;
	} bytes = {r->bytes};

	switch (r->kind) {
	case REPLY_EMPTY:
		if (r->status == 304)
			m = MHD_create_response_from_callback(
			    MHD_SIZE_UNKNOWN, 1024, read_nothing, NULL, NULL);
		else
			m = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
		break;
	case REPLY_BUF:
		if (r->body.len)
			m = MHD_create_response_from_buffer(
			    r->body.len, r->body.data, MHD_RESPMEM_MUST_FREE);
		else
			return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
		if (m)
			r->body = (struct buf)BUF_INIT;
		break;
	case REPLY_STATIC:
		m = MHD_create_response_from_buffer(r->len, bytes.wanted, MHD_RESPMEM_PERSISTENT);
		break;
	case REPLY_STREAM:
		m = MHD_create_response_from_callback(
		    r->len == HTTP_LENGTH_UNKNOWN ? MHD_SIZE_UNKNOWN : r->len, STREAM_BLOCK,
		    read_stream, x, NULL);
		break;
	}
	return m;
}

/* Calls add for every header of the reply; false when one could not be added. */
static bool each_header(const struct exchange *x,
    bool (*add)(void *arg, const char *name, const char *value), void *arg)
{
	const struct reply *r = &x->reply;
	const char *p = r->headers.data, *end = p ? p + r->headers.len : NULL;
	bool ok = add(arg, "X-Content-Type-Options", "nosniff");

	if (!r->cached_set)
		ok = ok && add(arg, "Cache-Control", "no-store");
	if (!r->referrer_set)
		ok = ok && add(arg, "Referrer-Policy", "no-referrer");
	while (ok && p < end) {
		const char *value = p + strlen(p) + 1;

		ok = add(arg, p, value);
		p = value + strlen(value) + 1;
	}
	/* trailers are parsed as leniently as headers and never seen here: nothing follows them */
	if (x->cut || x->guard.chunked || atomic_load(&x->server->stopping))
		ok = ok && add(arg, "Connection", "close");
	return ok;
}

static bool add_to_response(void *arg, const char *name, const char *value)
{
	return MHD_add_response_header(arg, name, value) == MHD_YES;
}

static void count_bytes_out(struct exchange *x)
{
	if (x->reply.kind != REPLY_STREAM && x->reply.status != 304 && !http_is_head(x))
		x->bytes_out = x->reply.len;
}

static enum MHD_Result send_reply(struct exchange *x)
{
	struct MHD_Response *m = make_response(&x->reply, x);
	enum MHD_Result result = MHD_NO;

	if (m && each_header(x, add_to_response, m)) {
		count_bytes_out(x);
		conn_mark(x->conn, PHASE_SEND, 0);
		result = MHD_queue_response(x->connection, (unsigned int)x->reply.status, m);
	}
	if (m)
		MHD_destroy_response(m);
	return result;
}

static bool add_to_text(void *arg, const char *name, const char *value)
{
	buf_addf(arg, "%s: %s\r\n", name, value);
	return true;
}

/* The reply amid a long body: written to the socket here, as the library takes none now
 * and has nothing under way. What the client still sends is read and dropped for a while: a
 * closed socket would reset the connection and destroy the answer before it is read. */
static enum MHD_Result cut_in(struct exchange *x)
{
	struct reply *r = &x->reply;
	struct buf text = BUF_INIT;
	const char *body = r->kind == REPLY_STATIC ? r->bytes : r->body.data;
	ssize_t sent = -1;

	if (r->kind == REPLY_STREAM)
		return MHD_NO;
	x->cut = true;
	buf_addf(&text, "HTTP/1.1 %d %s\r\nContent-Length: %llu\r\n", r->status,
	    MHD_get_reason_phrase_for((unsigned int)r->status), (unsigned long long)r->len);
	each_header(x, add_to_text, &text);
	buf_adds(&text, "\r\n");
	if (r->len)
		buf_add(&text, body, r->len);
	if (!buf_failed(&text))
		sent = send(x->conn->fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* it fits into a socket buffer that nothing was written to, or the client does not read */
	if (sent < 0 || (size_t)sent != text.len) {
		buf_free(&text);
		return MHD_NO;
	}
	buf_free(&text);
	count_bytes_out(x);
	x->discarded = 0;
	shutdown(x->conn->fd, SHUT_WR);
	conn_mark(x->conn, PHASE_HEADERS, clock_monotonic_us() + DRAIN_US);
	return MHD_YES;
}

/* ---- one call of the library ---- */

static enum MHD_Result discard(struct exchange *x, size_t *len)
{
	uint64_t left = x->guard.chunked ? 0 : x->guard.length - x->bytes_in;

	x->discarded += *len;
	conn_received(x->conn, *len);
	*len = 0;
	if (x->cut)
		return x->discarded > DRAIN_MAX ? MHD_NO : MHD_YES;
	if (x->discarded > DISCARD_MAX || left > DISCARD_MAX)
		return cut_in(x);
	return MHD_YES;
}

static enum MHD_Result on_headers(struct exchange *x)
{
	enum pump p = exchange_advance(x, STEP_BODY);

	if (p == PUMP_REPLY)
		return send_reply(x);
	if (p == PUMP_ON) {
		x->admitted = true;
		conn_mark(x->conn, PHASE_RECEIVE, 0);
	}
	return p == PUMP_CLOSE ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_piece(struct exchange *x, const char *bytes, size_t *len)
{
	bool waited = x->wait_fn != NULL;
	enum pump p;

	if (x->reply.status)
		return discard(x, len);
	p = exchange_piece(x, bytes, *len);
	if (p == PUMP_CLOSE)
		return MHD_NO;
	if (p == PUMP_WAIT)
		return MHD_YES;
	*len = 0;
	if (waited)
		conn_mark(x->conn, PHASE_RECEIVE, 0);
	return p == PUMP_REPLY ? discard(x, len) : MHD_YES;
}

static enum MHD_Result on_complete(struct exchange *x)
{
	enum pump p;

	if (x->cut)
		return MHD_NO;
	conn_mark(x->conn, PHASE_BUSY, 0);
	p = exchange_advance(x, STEP_DONE);
	if (p == PUMP_WAIT)
		return MHD_YES;
	/* finish neither replied nor waits: our own bug, but not the client's */
	if (p == PUMP_ON)
		http_reply_problem(x, 500, NULL, NULL, NULL);
	return p == PUMP_CLOSE ? MHD_NO : send_reply(x);
}

struct collected {
	struct exchange *x;
	size_t bytes;
	bool cut;
};

static enum MHD_Result collect_field(
    void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct collected *c = cls;

	(void)kind;
	if (c->x->n_fields == HTTP_HEADERS_MAX) {
		c->cut = true;
		return MHD_NO;
	}
	value = value ? value : "";
	c->bytes += strlen(name) + strlen(value) + 2;
	c->x->fields[c->x->n_fields++] = (struct http_field){name, value};
	return MHD_YES;
}

/* Whether the header block in the library's memory is what its parts say: lines of `name: value`
 * ended by CRLF, in order, and nothing else. The parser there writes NUL over separators and goes on
 * with strings, so that a NUL sent, a bare LF, a folded line, or a line that begins with a colon
 * (which ends the block early: what follows would be another request) can be seen only here. */
static bool block_is_plain(const struct exchange *x, const char *method, const char *version)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	const char *end = info ? method + info->header_size : method;
	const char *p = version + strlen(version);

	if (!x->target_raw || method + strlen(method) + 1 != x->target_raw ||
	    x->target_raw + strlen(x->target_text) + 1 != version)
		return false;
	for (size_t i = 0; i < x->n_fields; i++) {
		const struct http_field *f = &x->fields[i];
		const char *space;

		if (end - p < 2 || p[0] || p[1] || f->name != p + 2)
			return false;
		space = f->name + strlen(f->name) + 1;
		if (f->value < space || f->value >= end ||
		    strspn(space, " \t") < (size_t)(f->value - space))
			return false;
		p = f->value + strlen(f->value);
	}
	return end - p == 4 && !p[0] && !p[1] && !p[2] && !p[3];
}

static char *copy_text(char **to, const char *from)
{
	char *copy = *to;

	*to = stpcpy(copy, from) + 1;
	return copy;
}

/* The first call: the request's line and headers are here. */
static enum MHD_Result on_arrival(struct exchange *x, const char *method, const char *version)
{
	struct collected c = {.x = x, .bytes = strlen(method) + 1};
	bool odd;
	char *to;

	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, collect_field, &c);
	odd = !c.cut && !block_is_plain(x, method, version);
	x->target_raw = NULL;
	to = x->field_text = malloc(c.bytes);
	if (!to)
		return MHD_NO;
	x->method = copy_text(&to, method);
	for (size_t i = 0; i < x->n_fields; i++) {
		x->fields[i].name = copy_text(&to, x->fields[i].name);
		x->fields[i].value = copy_text(&to, x->fields[i].value);
	}
	conn_mark(x->conn, PHASE_BUSY, 0);
	exchange_arrive(x, version, c.cut, odd);
	x->known = true;
	if (x->reply.status)
		return send_reply(x);
	return x->admitted ? MHD_YES : on_headers(x);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *bytes, size_t *len, void **con_cls)
{
	struct exchange *x = *con_cls;

	(void)cls, (void)connection, (void)url;
	if (!x)
		return MHD_NO;
	unlist(x);
	if (!x->known)
		return on_arrival(x, method, version);
	if (!x->admitted)
		return on_headers(x);
	return *len ? on_piece(x, bytes, len) : on_complete(x);
}

/* ---- coming and going ---- */

static struct conn *conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct http_server *s = cls;
	struct conn *c = *socket_context;
	int local;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c)
			reaper_remove(s->reaper, c);
		free(c);
		*socket_context = NULL;
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	c->fd = info->connect_fd;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	listen_peer(info ? info->client_addr : NULL, c->peer, &local);
	c->local = local;
	conn_mark(c, PHASE_HEADERS, clock_monotonic_us() + (int64_t)s->config.header_ms * 1000);
	reaper_add(s->reaper, c);
	*socket_context = c;
}

/* The request's line is here: from now on there is an exchange. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct http_server *s = cls;
	struct conn *c = conn_of(connection);
	struct exchange *x = c ? calloc(1, sizeof(*x)) : NULL;

	if (!x)
		return NULL;
	x->target_raw = target;
	x->target_text = target ? strdup(target) : NULL;
	if (target && !x->target_text) {
		free(x);
		return NULL;
	}
	x->server = s;
	x->connection = connection;
	x->conn = c;
	x->method = "";
	x->began_us = clock_monotonic_us();
	atomic_fetch_add(&s->refs, 1);
	atomic_fetch_add(&s->active, 1);
	conn_mark(c, PHASE_HEADERS, x->began_us + (int64_t)s->config.header_ms * 1000);
	return x;
}

static void record(const struct exchange *x, bool completed, int64_t now)
{
	const struct http_config *config = &x->server->config;
	struct http_record r = {
	    .method = x->method,
	    .pattern = x->match.route ? x->match.route->pattern : "",
	    .status = x->reply.status,
	    .completed = completed,
	    .bytes_in = x->bytes_in,
	    .bytes_out = x->bytes_out,
	    .duration_us = now - x->began_us,
	};

	if (config->ended)
		config->ended(x->server->app, &r);
}

static void on_ended(void *cls, struct MHD_Connection *connection, void **con_cls,
    enum MHD_RequestTerminationCode code)
{
	struct http_server *s = cls;
	struct exchange *x = *con_cls;
	int abandoned = WAKE_ABANDONED;
	int64_t now = clock_monotonic_us();
	bool completed;

	(void)connection;
	*con_cls = NULL;
	if (!x)
		return;
	/* a client that went while we waited is noticed at the resume: no handler runs again */
	unlist(x);
	completed = x->reply.status && (x->cut || code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	conn_mark(x->conn, PHASE_HEADERS,
	    now + ((int64_t)s->config.idle_ms + s->config.header_ms) * 1000);
	record(x, completed, now);
	/* s outlives this: the daemon that calls is not stopped yet */
	atomic_fetch_sub(&s->active, 1);
	if (!atomic_compare_exchange_strong(&x->wake, &abandoned, WAKE_ORPHANED))
		exchange_free(x, completed ? HTTP_COMPLETED : HTTP_FAILED);
}

/* Percent-decoding is ours, done once, in target.c. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls, (void)connection;
	return strlen(text);
}

/* ---- starting and stopping ---- */

static void fill_defaults(struct http_config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (!c->threads)
		c->threads = cores > 2 ? 2 * (unsigned int)cores : 4;
	if (!c->connections_max)
		c->connections_max = 2000;
	if (!c->header_max)
		c->header_max = 32 * 1024;
	if (!c->whole_max)
		c->whole_max = 1024 * 1024;
	if (!c->stream_max)
		c->stream_max = (uint64_t)64 << 30;
	if (!c->idle_ms)
		c->idle_ms = 30000;
	if (!c->header_ms)
		c->header_ms = 10000;
	if (!c->slow_window_ms)
		c->slow_window_ms = 30000;
	if (!c->slow_bytes)
		c->slow_bytes = 30 * 1024;
	if (!c->drain_ms)
		c->drain_ms = 10000;
}

static enum MHD_Result on_connecting(void *cls, const struct sockaddr *address, socklen_t len)
{
	const struct http_server *s = cls;

	(void)address, (void)len;
	return atomic_load(&s->stopping) ? MHD_NO : MHD_YES;
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
	const struct http_config *c = &s->config;
	/* for the headers, the library's list of them, and those of the reply; all of it is zeroed
	 * for every request (64 KiB: a sixth of the CPU of a small GET), so no more than needed */
	size_t memory = c->header_max + 16 * 1024;
	unsigned int threads = c->threads < c->connections_max ? c->threads : c->connections_max;

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
	    on_connecting, s, on_request, s, MHD_OPTION_LISTEN_SOCKET, s->fd,
	    MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_LIMIT, c->connections_max,
	    MHD_OPTION_CONNECTION_TIMEOUT, (c->idle_ms + 999) / 1000,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_URI_LOG_CALLBACK, on_target,
	    s, MHD_OPTION_NOTIFY_COMPLETED, on_ended, s, MHD_OPTION_UNESCAPE_CALLBACK,
	    leave_escaped, NULL, MHD_OPTION_END);
}

static int open_all(struct http_server *s, const struct http_config *config,
    const struct http_route *routes, size_t n, struct ark_error *err)
{
	int r = router_new(routes, n, &s->router, err);

	if (!r)
		r = listen_open(config->listen, &s->fd, &s->port, err);
	if (!r && !strncmp(config->listen, "unix:", 5)) {
		s->unix_path = strdup(config->listen + 5);
		if (!s->unix_path)
			r = ark_fail(err, ARK_ENOMEM, "no memory for the HTTP server");
	}
	if (!r)
		r = reaper_start(s->config.header_ms, s->config.slow_window_ms,
		    s->config.slow_bytes, &s->reaper, err);
	if (!r) {
		s->daemon = start_daemon(s);
		if (!s->daemon)
			r = ark_fail_errno(
			    err, ARK_EIO, "cannot start the HTTP server on %s", config->listen);
	}
	return r;
}

static void close_all(struct http_server *s)
{
	if (s->daemon)
		MHD_stop_daemon(s->daemon); /* closes fd */
	else if (s->fd >= 0)
		close(s->fd);
	if (s->unix_path)
		unlink(s->unix_path);
	reaper_stop(s->reaper);
	server_release(s);
}

int http_server_start(const struct http_config *config, const struct http_route *routes,
    size_t n_routes, void *app, struct http_server **ret, struct ark_error *err)
{
	struct http_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for the HTTP server");
	s->config = *config;
	s->config.listen = NULL;
	fill_defaults(&s->config);
	s->app = app;
	s->fd = -1;
	atomic_init(&s->refs, 1);
	pthread_mutex_init(&s->lock, NULL);
	r = open_all(s, config, routes, n_routes, err);
	if (r) {
		close_all(s);
		return r;
	}
	*ret = s;
	return ARK_OK;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Lets go of those that still wait: their connections close without them. */
static void abandon_waiting(struct http_server *s)
{
	bool left = true;

	pthread_mutex_lock(&s->lock);
	s->abandoning = true;
	for (struct exchange *x = s->waiting; x; x = x->wait_next) {
		int due = WAKE_DUE;

		if (atomic_compare_exchange_strong(&x->wake, &due, WAKE_ABANDONED))
			transport_resume(x);
	}
	pthread_mutex_unlock(&s->lock);
	while (left) {
		nap();
		pthread_mutex_lock(&s->lock);
		left = s->waiting != NULL;
		pthread_mutex_unlock(&s->lock);
	}
}

unsigned int http_server_stop(struct http_server *s)
{
	int64_t deadline;
	unsigned int cut;

	if (!s)
		return 0;
	deadline = clock_monotonic_us() + (int64_t)s->config.drain_ms * 1000;
	atomic_store(&s->stopping, true);
	while (atomic_load(&s->active) && clock_monotonic_us() < deadline)
		nap();
	cut = atomic_load(&s->active);
	abandon_waiting(s);
	while (atomic_load(&s->waking))
		nap();
	close_all(s);
	return cut;
}
