/* A running server on a port of its own, its handlers, and a client that speaks to it over raw sockets. */
#ifndef ARKKI_TESTS_HTTP_FIXTURE_H
#define ARKKI_TESTS_HTTP_FIXTURE_H

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "arkki/api/http.h"
#include "arkki/base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define HOST "Host: a.example\r\n"

/* What the handlers saw, and what they are to do. */
struct app {
	atomic_uint begun, ended, completed, records;
	_Atomic uint64_t taken, sum; /* of streamed bodies */
	_Atomic uint64_t bytes_out;
	atomic_int wait_us; /* the wakers' delay; -1: wakes before the wait */
	atomic_uint wakers;
	_Atomic(struct exchange *) parked;
	atomic_uint freed;
};

static struct app app;

static inline void count_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	struct app *a = data;

	(void)status;
	atomic_fetch_add(&a->completed, outcome == HTTP_COMPLETED);
	atomic_store(&a->bytes_out, bytes_out);
	atomic_fetch_add(&a->ended, 1);
}

static inline void count_record(void *arg, const struct http_record *r)
{
	struct app *a = arg;

	(void)r;
	atomic_fetch_add(&a->records, 1);
}

static inline void gate(struct exchange *x)
{
	if (http_header(x, "X-Refuse"))
		http_reply_problem(x, 401, NULL, NULL, NULL);
}

static inline void watch(struct exchange *x)
{
	struct app *a = http_app(x);

	atomic_fetch_add(&a->begun, 1);
	http_set_data(x, a, count_end);
	if (http_header(x, "X-Forbid"))
		http_reply_problem(x, 403, "not-yours", "no", NULL);
}

static inline void hello(struct exchange *x)
{
	http_reply_json(x, 200, json_pack("{s:s}", "hello", "world"));
}

static inline void echo_query(struct exchange *x)
{
	const char *q = http_query(x, "q");

	http_reply_json(x, 200,
	    json_pack("{s:s,s:s,s:s,s:s}", "d", http_param(x, 0), "q", q ? q : "-", "path",
		http_path(x), "peer", http_peer(x)));
}

static inline void echo_body(struct exchange *x)
{
	struct buf out = BUF_INIT;
	const char *field = http_form(x, "name"), *cookie = http_cookie(x, "session");
	size_t len;

	http_body(x, &len);
	buf_addf(&out, "%zu %s %s", len, field ? field : "-", cookie ? cookie : "-");
	http_reply_buf(x, 200, "text/plain", &out);
}

/* ---- handlers that wait ---- */
static inline void *waker(void *arg)
{
	struct exchange *x = arg;
	int delay = atomic_load(&app.wait_us);

	if (delay > 0)
		usleep((useconds_t)delay);
	http_wake(x);
	atomic_fetch_sub(&app.wakers, 1);
	return NULL;
}

static inline void wait_for_waker(struct exchange *x, void (*fn)(struct exchange *))
{
	pthread_t thread;

	atomic_fetch_add(&app.wakers, 1);
	if (atomic_load(&app.wait_us) < 0) {
		waker(x);
	} else {
		if (pthread_create(&thread, NULL, waker, x) != 0)
			abort();
		pthread_detach(thread);
	}
	http_wait(x, fn);
}

static inline void go_on(struct exchange *x)
{
	(void)x;
}

static inline void wait_again(struct exchange *x)
{
	wait_for_waker(x, go_on);
}

static inline void begin_waiting(struct exchange *x)
{
	watch(x);
	if (!http_replied(x))
		wait_for_waker(x, wait_again);
}

static inline void take(struct exchange *x, const char *bytes, size_t len)
{
	uint64_t sum = 0;

	(void)x;
	for (size_t i = 0; i < len; i++)
		sum +=
		    (unsigned char)bytes[i] * (uint64_t)(1 + (atomic_load(&app.taken) + i) % 251);
	atomic_fetch_add(&app.sum, sum);
	atomic_fetch_add(&app.taken, len);
}

static inline void take_waiting(struct exchange *x, const char *bytes, size_t len)
{
	take(x, bytes, len);
	wait_for_waker(x, go_on);
}

static inline void refuse_piece(struct exchange *x, const char *bytes, size_t len)
{
	(void)bytes, (void)len;
	http_reply_problem(x, 403, NULL, NULL, NULL);
}

static inline void wait_then_hello(struct exchange *x)
{
	wait_for_waker(x, hello);
}

static inline void park(struct exchange *x)
{
	atomic_store(&app.parked, x);
	http_wait(x, hello);
}

/* ---- replies ---- */
static inline ssize_t letters(void *arg, uint64_t pos, char *out, size_t max)
{
	uint64_t total = *(uint64_t *)arg;

	if (pos >= total)
		return 0;
	if (max > total - pos)
		max = (size_t)(total - pos);
	for (size_t i = 0; i < max; i++)
		out[i] = (char)('a' + (pos + i) % 26);
	return (ssize_t)max;
}

static inline ssize_t letters_then_fail(void *arg, uint64_t pos, char *out, size_t max)
{
	if (pos > 100000)
		return -1;
	return letters(arg, pos, out, max);
}

static inline void count_free(void *arg)
{
	free(arg);
	atomic_fetch_add(&app.freed, 1);
}

static inline void stream(struct exchange *x)
{
	const char *len = http_query(x, "len"), *mode = http_query(x, "mode");
	uint64_t *total = malloc(sizeof(*total));

	*total = strtoull(len ? len : "0", NULL, 10);
	http_reply_header(x, "Cache-Control", "private");
	http_reply_stream(x, 200, "text/plain",
	    mode && !strcmp(mode, "unknown") ? HTTP_LENGTH_UNKNOWN : *total,
	    mode && !strcmp(mode, "fail") ? letters_then_fail : letters, count_free, total);
}

static inline void not_modified(struct exchange *x)
{
	http_reply_header(x, "ETag", "\"a\"");
	http_reply_empty(x, 304);
}

static inline void no_content(struct exchange *x)
{
	http_reply_empty(x, 204);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/", .flags = HTTP_ALSO_HEAD, .begin = watch, .finish = hello},
    {.method = "POST",
	.pattern = "/",
	.takes = HTTP_BODY_WHOLE,
	.begin = watch,
	.finish = echo_body},
    {.method = "GET", .pattern = "/d/{d}", .finish = echo_query},
    {.method = "POST",
	.pattern = "/stream",
	.takes = HTTP_BODY_STREAM,
	.begin = watch,
	.body = take,
	.finish = hello},
    {.method = "POST",
	.pattern = "/wait",
	.takes = HTTP_BODY_STREAM,
	.begin = begin_waiting,
	.body = take_waiting,
	.finish = wait_then_hello},
    {.method = "GET", .pattern = "/wait", .begin = begin_waiting, .finish = wait_then_hello},
    {.method = "POST",
	.pattern = "/refuse",
	.takes = HTTP_BODY_STREAM,
	.begin = watch,
	.body = refuse_piece,
	.finish = hello},
    {.method = "GET", .pattern = "/park", .begin = watch, .finish = park},
    {.method = "GET",
	.pattern = "/letters",
	.flags = HTTP_ALSO_HEAD,
	.begin = watch,
	.finish = stream},
    {.method = "GET", .pattern = "/304", .finish = not_modified},
    {.method = "GET", .pattern = "/204", .finish = no_content},
};

/* ---- the client ---- */
static struct http_server *server;

static inline void start(struct http_config config)
{
	struct ark_error err;

	memset(&app, 0, sizeof(app));
	config.listen = config.listen ? config.listen : "127.0.0.1:0";
	config.threads = 2;
	config.gate = gate;
	config.ended = count_record;
	if (http_server_start(&config, routes, COUNT(routes), &app, &server, &err))
		fail_msg("%s", err.text);
}

static inline void stop(void)
{
	assert_int_equal(http_server_stop(server), 0);
	assert_int_equal(atomic_load(&app.begun), atomic_load(&app.ended));
	server = NULL;
}

static inline int dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(http_server_port(server))};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that comes within ms, or until `until` has come, into a static text; -1 when the peer closed after it. */
static char heard[400000];
static bool closed;
static inline const char *hear(int fd, int ms, const char *until)
{
	int64_t deadline = clock_monotonic_us() + (int64_t)ms * 1000;
	size_t len = 0;

	closed = false;
	heard[0] = '\0';
	while (clock_monotonic_us() < deadline && len < sizeof(heard) - 1) {
		struct pollfd p = {fd, POLLIN, 0};
		ssize_t n;

		if (poll(&p, 1, 20) <= 0)
			continue;
		n = recv(fd, heard + len, sizeof(heard) - 1 - len, 0);
		if (n <= 0) {
			closed = true;
			break;
		}
		len += (size_t)n;
		heard[len] = '\0';
		if (until && strstr(heard, until))
			break;
	}
	return heard;
}

static inline int status_of(const char *text)
{
	return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
}

/* One request on a connection of its own, heard to its end. */
static inline const char *ask(const char *text)
{
	int fd = dial();

	say(fd, text);
	shutdown(fd, SHUT_WR);
	hear(fd, 3000, NULL);
	close(fd);
	return heard;
}

static inline void wait_until(const atomic_uint *value, unsigned int wanted)
{
	for (int i = 0; i < 2000 && atomic_load(value) != wanted; i++)
		usleep(2000);
	assert_int_equal(atomic_load(value), wanted);
}

#define CLOSE "Connection: close\r\n\r\n"

#endif
