/* A running server on a port of its own, spoken to over raw sockets. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

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

static void count_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	struct app *a = data;

	(void)status;
	atomic_fetch_add(&a->completed, outcome == HTTP_COMPLETED);
	atomic_store(&a->bytes_out, bytes_out);
	atomic_fetch_add(&a->ended, 1);
}

static void count_record(void *arg, const struct http_record *r)
{
	struct app *a = arg;

	(void)r;
	atomic_fetch_add(&a->records, 1);
}

static void gate(struct exchange *x)
{
	if (http_header(x, "X-Refuse"))
		http_reply_problem(x, 401, NULL, NULL, NULL);
}

static void watch(struct exchange *x)
{
	struct app *a = http_app(x);

	atomic_fetch_add(&a->begun, 1);
	http_set_data(x, a, count_end);
	if (http_header(x, "X-Forbid"))
		http_reply_problem(x, 403, "not-yours", "no", NULL);
}

static void hello(struct exchange *x)
{
	http_reply_json(x, 200, json_pack("{s:s}", "hello", "world"));
}

static void echo_query(struct exchange *x)
{
	const char *q = http_query(x, "q");

	http_reply_json(x, 200,
	    json_pack("{s:s,s:s,s:s,s:s}", "d", http_param(x, 0), "q", q ? q : "-", "path",
		http_path(x), "peer", http_peer(x)));
}

static void echo_body(struct exchange *x)
{
	struct buf out = BUF_INIT;
	const char *field = http_form(x, "name"), *cookie = http_cookie(x, "session");
	size_t len;

	http_body(x, &len);
	buf_addf(&out, "%zu %s %s", len, field ? field : "-", cookie ? cookie : "-");
	http_reply_buf(x, 200, "text/plain", &out);
}

/* ---- handlers that wait ---- */

static void *waker(void *arg)
{
	struct exchange *x = arg;
	int delay = atomic_load(&app.wait_us);

	if (delay > 0)
		usleep((useconds_t)delay);
	http_wake(x);
	atomic_fetch_sub(&app.wakers, 1);
	return NULL;
}

static void wait_for_waker(struct exchange *x, void (*fn)(struct exchange *))
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

static void go_on(struct exchange *x)
{
	(void)x;
}

static void wait_again(struct exchange *x)
{
	wait_for_waker(x, go_on);
}

static void begin_waiting(struct exchange *x)
{
	watch(x);
	if (!http_replied(x))
		wait_for_waker(x, wait_again);
}

static void take(struct exchange *x, const char *bytes, size_t len)
{
	uint64_t sum = 0;

	(void)x;
	for (size_t i = 0; i < len; i++)
		sum +=
		    (unsigned char)bytes[i] * (uint64_t)(1 + (atomic_load(&app.taken) + i) % 251);
	atomic_fetch_add(&app.sum, sum);
	atomic_fetch_add(&app.taken, len);
}

static void take_waiting(struct exchange *x, const char *bytes, size_t len)
{
	take(x, bytes, len);
	wait_for_waker(x, go_on);
}

static void refuse_piece(struct exchange *x, const char *bytes, size_t len)
{
	(void)bytes, (void)len;
	http_reply_problem(x, 403, NULL, NULL, NULL);
}

static void wait_then_hello(struct exchange *x)
{
	wait_for_waker(x, hello);
}

static void park(struct exchange *x)
{
	atomic_store(&app.parked, x);
	http_wait(x, hello);
}

/* ---- replies ---- */

static ssize_t letters(void *arg, uint64_t pos, char *out, size_t max)
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

static ssize_t letters_then_fail(void *arg, uint64_t pos, char *out, size_t max)
{
	if (pos > 100000)
		return -1;
	return letters(arg, pos, out, max);
}

static void count_free(void *arg)
{
	free(arg);
	atomic_fetch_add(&app.freed, 1);
}

static void stream(struct exchange *x)
{
	const char *len = http_query(x, "len"), *mode = http_query(x, "mode");
	uint64_t *total = malloc(sizeof(*total));

	*total = strtoull(len ? len : "0", NULL, 10);
	http_reply_header(x, "Cache-Control", "private");
	http_reply_stream(x, 200, "text/plain",
	    mode && !strcmp(mode, "unknown") ? HTTP_LENGTH_UNKNOWN : *total,
	    mode && !strcmp(mode, "fail") ? letters_then_fail : letters, count_free, total);
}

static void not_modified(struct exchange *x)
{
	http_reply_header(x, "ETag", "\"a\"");
	http_reply_empty(x, 304);
}

static void no_content(struct exchange *x)
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

static void start(struct http_config config)
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

static void stop(void)
{
	assert_int_equal(http_server_stop(server), 0);
	assert_int_equal(atomic_load(&app.begun), atomic_load(&app.ended));
	server = NULL;
}

static int dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(http_server_port(server))};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that comes within ms, or until `until` has come, into a static text; -1 when the peer closed after it. */
static char heard[400000];
static bool closed;
static const char *hear(int fd, int ms, const char *until)
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

static int status_of(const char *text)
{
	return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
}

/* One request on a connection of its own, heard to its end. */
static const char *ask(const char *text)
{
	int fd = dial();

	say(fd, text);
	shutdown(fd, SHUT_WR);
	hear(fd, 3000, NULL);
	close(fd);
	return heard;
}

static void wait_until(const atomic_uint *value, unsigned int wanted)
{
	for (int i = 0; i < 2000 && atomic_load(value) != wanted; i++)
		usleep(2000);
	assert_int_equal(atomic_load(value), wanted);
}

#define CLOSE "Connection: close\r\n\r\n"

/* ---- tests ---- */

static void test_http__requests_that_could_be_smuggled_are_refused(void **state)
{
	static const struct {
		int status; /* 0: the library closes without an answer of ours */
		const char *text;
	} cases[] = {
	    {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"},
	    {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
	    {400, "POST / HTTP/1.1\r\n" HOST
		  "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	    {400, "POST / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"},
	    {400, "POST / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc"},
	    {400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
	    {501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
	    {501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"},
	    {400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
		  "chunked\r\n\r\n0\r\n\r\n"},
	    {400, "POST / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	    {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	    {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc"},
	    {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc"},
	    {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\nabc"},
	    {413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n"},
	    {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
	    {400, "GET / HTTP/1.1\r\n\r\n"},
	    {400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
	    {400, "GET http://b.example/ HTTP/1.1\r\n" HOST "\r\n"},
	    {400, "GET /\t HTTP/1.1\r\n" HOST "\r\n"},
	    {400, "GET /a\x01 HTTP/1.1\r\n" HOST "\r\n"},
	    {400, "GET /a%00b HTTP/1.1\r\n" HOST CLOSE},
	    {400, "GET /d/a%2Fb HTTP/1.1\r\n" HOST CLOSE},
	    {400, "GET / HTTP/1.1\r\n" HOST "X: a\x02\r\n\r\n"},
	    {400, "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n"},
	    {400, "GET / HTTP/1.1\r\n" HOST "nocolon\r\n\r\n"},
	    {400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"},
	    {501, "BREW / HTTP/1.1\r\n" HOST "\r\n"},
	    {501, "TRACE / HTTP/1.1\r\n" HOST "\r\n"},
	    {503, "GET / HTTP/1.1\r\n" HOST "Sec-Purpose: prefetch\r\n\r\n"},
	    {505, "GET / HTTP/3.0\r\n" HOST "\r\n"},
	    {404, "GET //d HTTP/1.1\r\n" HOST CLOSE},
	    {404, "GET /d/../d HTTP/1.1\r\n" HOST CLOSE},
	};

	(void)state;
	start((struct http_config){0});
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct timespec t = {.tv_nsec = 1000000};
		int fd = dial();
		const char *text;

		nanosleep(&t, NULL);
		say(fd, cases[i].text);
		/* the connection must end by itself: what follows is never a request */
		text = hear(fd, 3000, NULL);
		if (status_of(text) != cases[i].status || !closed || strstr(text, "HTTP/1.1 2"))
			fail_msg("case %zu: %d%s\n%s\n→\n%s", i, cases[i].status,
			    closed ? "" : ", left open", cases[i].text, text);
		close(fd);
	}
	assert_int_equal(atomic_load(&app.begun), 0);
	stop();
}

static void test_http__a_nul_in_the_headers_is_refused(void **state)
{
#define TEXT(text) text, sizeof(text) - 1
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
	    {TEXT("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n")},
	    {TEXT("GET / HTTP/1.1\r\n" HOST "X: a\0\0Content-Length: 3\r\n\r\n")},
	    {TEXT("GET / HTTP/1.1\r\n" HOST "X: a\0\0\0\0\r\n\r\n")},
	    {TEXT("GET / HTTP/1.1\r\n" HOST "X\0: a\r\n\r\n")},
	    {TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\0 4\r\n\r\nabc")},
	    {TEXT("GET /\0 HTTP/1.1\r\n" HOST "\r\n")},
	    {TEXT("GET / HTTP/1.1\0\r\n" HOST "\r\n")},
	};
#undef TEXT

	(void)state;
	start((struct http_config){0});
	for (size_t i = 0; i < COUNT(cases); i++) {
		int fd = dial();

		assert_int_equal(send(fd, cases[i].text, cases[i].len, 0), cases[i].len);
		hear(fd, 3000, NULL);
		if ((*heard && status_of(heard) != 400) || !closed)
			fail_msg("case %zu: %s", i, heard);
		close(fd);
	}
	assert_int_equal(atomic_load(&app.begun), 0);
	stop();
}

static void test_http__a_connection_serves_many_requests(void **state)
{
	int fd;

	(void)state;
	start((struct http_config){0});
	fd = dial();
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\nGET /none HTTP/1.1\r\n" HOST "\r\n"
		"PUT /d/x HTTP/1.1\r\n" HOST "\r\nHEAD / HTTP/1.1\r\n" HOST "\r\n"
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
		"GET /304 HTTP/1.1\r\n" HOST "\r\nGET /204 HTTP/1.1\r\n" HOST "\r\n"
		"GET /d/%C3%A4?q=a+b%2B&z=1 HTTP/1.1\r\n" HOST "\r\n");
	hear(fd, 3000, "\"peer\"");
	assert_non_null(strstr(heard, "200 OK"));
	assert_non_null(strstr(heard, "{\"hello\":\"world\"}HTTP/1.1 404 Not Found"));
	assert_non_null(strstr(heard, "405 Method Not Allowed"));
	assert_non_null(strstr(heard, "Allow: GET\r\n"));
	assert_non_null(strstr(heard, "Content-Length: 17\r\n\r\nHTTP/1.1 200 OK"));
	assert_non_null(strstr(heard, "\r\n\r\n3 - -HTTP/1.1 304 Not Modified"));
	assert_non_null(strstr(heard, "\r\n\r\nHTTP/1.1 204 No Content"));
	assert_non_null(strstr(heard, "\"d\":\"\xc3\xa4\",\"q\":\"a b+\",\"path\":\"/d/\xc3\xa4\","
				      "\"peer\":\"127.0.0.1\""));
	assert_null(strstr(strstr(heard, "204 No"), "Content-Length: 0"));
	assert_null(strstr(heard, "Content-Length: 0\r\n"));
	assert_null(strstr(heard, "Connection: close"));
	close(fd);
	wait_until(&app.records, 8);
	assert_int_equal(atomic_load(&app.completed), 3);
	stop();
}

static void test_http__every_reply_has_the_safe_headers(void **state)
{
	(void)state;
	start((struct http_config){0});
	ask("GET / HTTP/1.1\r\n" HOST CLOSE);
	assert_non_null(strstr(heard, "X-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(heard, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(heard, "Referrer-Policy: no-referrer\r\n"));
	assert_null(strcasestr(heard, "\nServer:"));
	ask("GET /letters HTTP/1.1\r\n" HOST CLOSE);
	assert_non_null(strstr(heard, "Cache-Control: private\r\n"));
	assert_null(strstr(heard, "no-store"));
	ask("GET /none HTTP/1.1\r\n" HOST "Accept-Language: sv\r\n" CLOSE);
	assert_non_null(strstr(heard, "Content-Type: application/problem+json\r\n"));
	assert_non_null(strstr(heard, "Hittades inte"));
	ask("GET /none HTTP/1.1\r\n" HOST "Accept-Language: sv\r\nCookie: a=b; lang=en\r\n" CLOSE);
	assert_non_null(strstr(heard, "Not found"));
	ask("GET / HTTP/1.1\r\n" HOST "X-Refuse: 1\r\n" CLOSE);
	assert_int_equal(status_of(heard), 401);
	stop();
}

static void test_http__whole_bodies_are_bounded_and_read_as_forms(void **state)
{
	(void)state;
	start((struct http_config){.whole_max = 20});
	ask("POST / HTTP/1.1\r\n" HOST "Content-Type: application/x-www-form-urlencoded; a=b\r\n"
	    "Cookie: session=abc; b=c\r\nContent-Length: 13\r\nConnection: close\r\n\r\n"
	    "name=a%20b&c=");
	assert_non_null(strstr(heard, "\r\n\r\n13 a b abc"));
	ask("POST / HTTP/1.1\r\n" HOST "Content-Type: application/x-www-form-urlencoded\r\n"
	    "Content-Length: 13\r\nConnection: close\r\n\r\nname=1&name=2");
	assert_non_null(strstr(heard, "\r\n\r\n13 - -"));
	ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 20\r\n\r\n01234567890123456789");
	assert_int_equal(status_of(heard), 200);
	ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 21\r\n\r\n");
	assert_int_equal(status_of(heard), 413);
	assert_int_equal(atomic_load(&app.begun), 3);
	ask("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	    "15\r\n012345678901234567890\r\n0\r\n\r\n");
	assert_int_equal(status_of(heard), 413);
	ask("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	    "5\r\n01234\r\n2\r\n56\r\n0\r\nTrailer: x\r\n\r\n");
	assert_non_null(strstr(heard, "\r\n\r\n7 - -"));
	ask("GET /d/x?q=1&q=2 HTTP/1.1\r\n" HOST CLOSE);
	assert_int_equal(status_of(heard), 400);
	stop();
}

static void test_http__a_refusal_in_begin_comes_before_100_continue(void **state)
{
	int fd;

	(void)state;
	start((struct http_config){0});
	for (int i = 0; i < 2; i++) {
		atomic_store(&app.wait_us, i ? 1000 : 0);
		fd = dial();
		say(fd, i ? "POST /wait HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
			    "X-Forbid: 1\r\nContent-Length: 5\r\n\r\n"
			  : "POST /stream HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
			    "X-Forbid: 1\r\nContent-Length: 5\r\n\r\n");
		hear(fd, 3000, NULL);
		assert_int_equal(status_of(heard), 403);
		assert_non_null(strstr(heard, "urn:arkki:problem:not-yours"));
		assert_true(closed);
		close(fd);
		fd = dial();
		say(fd, i ? "POST /wait HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
			    "Content-Length: 5\r\n\r\n"
			  : "POST /stream HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
			    "Content-Length: 5\r\n\r\n");
		hear(fd, 3000, "100 Continue\r\n\r\n");
		assert_int_equal(status_of(heard), 100);
		say(fd, "hello");
		hear(fd, 3000, "world");
		assert_int_equal(status_of(heard), 200);
		close(fd);
	}
	wait_until(&app.wakers, 0);
	stop();
}

/* Sends a body of `len` bytes, plain or chunked, and checks that the handler saw it once and in order. */
static void upload(const char *path, size_t len, bool chunked)
{
	char head[300], *body = malloc(len);
	uint64_t sum = 0;
	int fd = dial();

	atomic_store(&app.taken, 0);
	atomic_store(&app.sum, 0);
	for (size_t i = 0; i < len; i++) {
		body[i] = (char)(i * 7 + i / 1000);
		sum += (unsigned char)body[i] * (uint64_t)(1 + i % 251);
	}
	snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n" HOST "%s%zu\r\n\r\n", path,
	    chunked ? "Transfer-Encoding: chunked\r\nX: " : "Content-Length: ", len);
	say(fd, head);
	for (size_t i = 0, n; i < len; i += n) {
		n = 1 + (i * 31 + 5000) % 40000;
		n = n < len - i ? n : len - i;
		snprintf(head, sizeof(head), "%zx\r\n", n);
		if (chunked)
			say(fd, head);
		assert_int_equal(send(fd, body + i, n, 0), n);
		if (chunked)
			say(fd, "\r\n");
	}
	if (chunked)
		say(fd, "0\r\n\r\n");
	hear(fd, 20000, "world");
	assert_int_equal(status_of(heard), 200);
	assert_int_equal(atomic_load(&app.taken), len);
	assert_int_equal(atomic_load(&app.sum), sum);
	assert_int_equal(!!strstr(heard, "Connection: close"), chunked);
	if (chunked) {
		close(fd);
		free(body);
		return;
	}
	/* and the connection goes on */
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	hear(fd, 3000, "world");
	assert_int_equal(status_of(heard), 200);
	close(fd);
	free(body);
}

static void test_http__streamed_bodies_arrive_whole_through_any_waits(void **state)
{
	static const int delays[] = {-1, 0, 300};

	(void)state;
	start((struct http_config){0});
	for (int chunked = 0; chunked < 2; chunked++) {
		upload("/stream", 3000000, chunked);
		for (size_t i = 0; i < COUNT(delays); i++) {
			atomic_store(&app.wait_us, delays[i]);
			upload("/wait", 600000, chunked);
		}
	}
	wait_until(&app.wakers, 0);
	stop();
}

static void *many_waits(void *arg)
{
	int fd = dial();

	(void)arg;
	for (int i = 0; i < 200; i++) {
		char text[400];
		size_t len = 0;

		say(fd, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
		while (len < sizeof(text) - 1) {
			ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);

			assert_true(n > 0);
			len += (size_t)n;
			text[len] = '\0';
			if (strstr(text, "world"))
				break;
		}
		assert_int_equal(status_of(text), 200);
	}
	close(fd);
	return NULL;
}

static void test_http__wakes_race_with_waits_without_loss(void **state)
{
	pthread_t threads[6];

	(void)state;
	start((struct http_config){0});
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_waits, NULL), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	wait_until(&app.ended, 1200);
	assert_int_equal(atomic_load(&app.completed), 1200);
	wait_until(&app.wakers, 0);
	stop();
}

static void test_http__a_reply_amid_a_body_reaches_the_client(void **state)
{
	static char block[65536];
	int fd;

	(void)state;
	start((struct http_config){0});
	/* short: the rest is read and the connection kept */
	fd = dial();
	say(fd, "POST /refuse HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nab");
	usleep(20000);
	say(fd, "cdGET / HTTP/1.1\r\n" HOST "\r\n");
	hear(fd, 3000, "world");
	assert_int_equal(status_of(heard), 403);
	assert_non_null(strstr(heard, "HTTP/1.1 200"));
	close(fd);
	/* long: the answer comes while most is still to be sent, and survives the sending */
	fd = dial();
	say(fd, "POST /refuse HTTP/1.1\r\n" HOST "Content-Length: 4000000000\r\n\r\n");
	for (int i = 0; i < 200; i++)
		assert_true(send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0);
	hear(fd, 3000, "403}");
	assert_int_equal(status_of(heard), 403);
	assert_non_null(strstr(heard, "Connection: close\r\n"));
	close(fd);
	wait_until(&app.ended, 3);
	assert_int_equal(atomic_load(&app.completed), 3);
	stop();
}

static void test_http__a_client_that_goes_ends_the_exchange_once(void **state)
{
	int fd;

	(void)state;
	start((struct http_config){0});
	fd = dial();
	say(fd, "POST /stream HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nab");
	wait_until(&app.begun, 1);
	close(fd);
	wait_until(&app.ended, 1);
	assert_int_equal(atomic_load(&app.completed), 0);
	fd = dial();
	say(fd, "GET /letters?len=100000000 HTTP/1.1\r\n" HOST "\r\n");
	hear(fd, 3000, "abc");
	close(fd);
	wait_until(&app.ended, 2);
	wait_until(&app.freed, 1);
	assert_int_equal(atomic_load(&app.completed), 0);
	assert_true(atomic_load(&app.bytes_out) < 100000000);
	stop();
}

static void test_http__streams_have_their_length_or_are_chunked(void **state)
{
	const char *body;

	(void)state;
	start((struct http_config){0});
	ask("GET /letters?len=200000 HTTP/1.1\r\n" HOST CLOSE);
	assert_non_null(strstr(heard, "Content-Length: 200000\r\n"));
	body = strstr(heard, "\r\n\r\n") + 4;
	assert_int_equal(strlen(body), 200000);
	for (size_t i = 0; i < 200000; i++)
		assert_int_equal(body[i], 'a' + i % 26);
	assert_int_equal(atomic_load(&app.bytes_out), 200000);
	ask("HEAD /letters?len=200000 HTTP/1.1\r\n" HOST CLOSE);
	assert_non_null(strstr(heard, "Content-Length: 200000\r\n"));
	assert_int_equal(strlen(strstr(heard, "\r\n\r\n")), 4);
	assert_int_equal(atomic_load(&app.bytes_out), 0);
	ask("GET /letters?len=30&mode=unknown HTTP/1.1\r\n" HOST CLOSE);
	assert_non_null(strstr(heard, "Transfer-Encoding: chunked\r\n"));
	assert_non_null(strstr(heard, "abcdefghijklmnopqrstuvwxyzabcd\r\n0\r\n\r\n"));
	wait_until(&app.completed, 3);
	ask("GET /letters?len=300000&mode=fail HTTP/1.1\r\n" HOST "\r\n");
	assert_true(closed && strlen(heard) < 250000);
	wait_until(&app.ended, 4);
	assert_int_equal(atomic_load(&app.completed), 3);
	assert_int_equal(atomic_load(&app.freed), 4);
	stop();
}

/* How long the server lets a connection live that says `text` and then a byte every 20 ms. */
static int trickle(const char *text, char byte)
{
	int64_t began = clock_monotonic_us();
	int fd = dial();

	say(fd, text);
	for (int i = 0; i < 150; i++) {
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			break;
		hear(fd, 20, NULL);
		if (closed)
			break;
	}
	close(fd);
	return (int)((clock_monotonic_us() - began) / 1000);
}

static void test_http__slow_clients_lose_their_connection(void **state)
{
	int fd, ms;

	(void)state;
	start((struct http_config){
	    .header_ms = 200, .idle_ms = 20000, .slow_window_ms = 300, .slow_bytes = 1000});
	ms = trickle("", 'G');
	assert_in_range(ms, 150, 1200);
	ms = trickle("GET / HTTP/1.1\r\nX: ", 'x');
	assert_in_range(ms, 150, 1200);
	ms = trickle("POST /stream HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n", 'x');
	assert_in_range(ms, 250, 1800);
	assert_int_equal(atomic_load(&app.begun), 1);
	wait_until(&app.ended, 1);
	/* a reader that does not read */
	fd = dial();
	say(fd, "GET /letters?len=100000000 HTTP/1.1\r\n" HOST "\r\n");
	wait_until(&app.ended, 2);
	assert_int_equal(atomic_load(&app.completed), 0);
	close(fd);
	/* one that is merely idle between requests is not slow */
	fd = dial();
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	hear(fd, 3000, "world");
	usleep(500000);
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	hear(fd, 3000, "world");
	assert_int_equal(status_of(heard), 200);
	close(fd);
	stop();
}

static void test_http__a_steady_upload_above_the_floor_is_not_cut(void **state)
{
	char block[100];
	int fd;

	(void)state;
	memset(block, 'x', sizeof(block));
	start((struct http_config){.header_ms = 100, .slow_window_ms = 200, .slow_bytes = 300});
	fd = dial();
	say(fd, "POST /stream HTTP/1.1\r\n" HOST "Content-Length: 5000\r\n\r\n");
	for (int i = 0; i < 50; i++) {
		assert_int_equal(send(fd, block, sizeof(block), MSG_NOSIGNAL), sizeof(block));
		usleep(20000);
	}
	hear(fd, 3000, "world");
	assert_int_equal(status_of(heard), 200);
	close(fd);
	stop();
}

static void *stopper(void *arg)
{
	*(unsigned int *)arg = http_server_stop(server);
	return NULL;
}

static void test_http__stopping_lets_waiting_exchanges_end(void **state)
{
	unsigned int cut = 99;
	pthread_t thread;
	int fd;

	(void)state;
	start((struct http_config){.drain_ms = 5000});
	fd = dial();
	say(fd, "GET /park HTTP/1.1\r\n" HOST "\r\n");
	while (!atomic_load(&app.parked))
		usleep(1000);
	usleep(20000);
	pthread_create(&thread, NULL, stopper, &cut);
	usleep(100000);
	assert_int_equal(cut, 99);
	http_wake(atomic_load(&app.parked));
	hear(fd, 3000, NULL);
	assert_int_equal(status_of(heard), 200);
	assert_non_null(strstr(heard, "Connection: close\r\n"));
	assert_true(closed);
	pthread_join(thread, NULL);
	assert_int_equal(cut, 0);
	assert_int_equal(atomic_load(&app.completed), 1);
	close(fd);
}

static void test_http__stopping_does_not_wait_for_ever(void **state)
{
	int fd;

	(void)state;
	start((struct http_config){.drain_ms = 50});
	fd = dial();
	say(fd, "GET /park HTTP/1.1\r\n" HOST "\r\n");
	while (!atomic_load(&app.parked))
		usleep(1000);
	usleep(20000);
	assert_int_equal(http_server_stop(server), 1);
	hear(fd, 1000, NULL);
	assert_true(closed);
	/* the data lives until the wake that was owed, even beyond the server */
	assert_int_equal(atomic_load(&app.ended), 0);
	http_wake(atomic_load(&app.parked));
	assert_int_equal(atomic_load(&app.ended), 1);
	assert_int_equal(atomic_load(&app.completed), 0);
	close(fd);
}

static void test_http__addresses_in_use_or_malformed_are_named(void **state)
{
	static const char *const wrong[] = {"", "8420", "localhost", "127.0.0.1:", "127.0.0.1:x",
	    "127.0.0.1:65536", "::1:80", ":80", "unix:"};
	struct http_config config = {0};
	struct http_server *second = NULL;
	struct ark_error err;
	char address[32];

	(void)state;
	start(config);
	snprintf(address, sizeof(address), "127.0.0.1:%u", http_server_port(server));
	config.listen = address;
	assert_int_equal(http_server_start(&config, routes, 1, NULL, &second, &err), ARK_EIO);
	assert_non_null(strstr(err.text, address));
	assert_non_null(strstr(err.text, strerror(EADDRINUSE)));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		config.listen = wrong[i];
		assert_int_equal(
		    http_server_start(&config, routes, 1, NULL, &second, &err), ARK_EINPUT);
	}
	assert_null(second);
	stop();
}

static void test_http__a_local_socket_serves_and_replaces_a_dead_one(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char dir[256], address[300];
	int fd;

	(void)state;
	unit_scratch(dir);
	snprintf(address, sizeof(address), "unix:%s/s", dir);
	snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/s", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	start((struct http_config){.listen = address, .behind_proxy = true});
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	say(fd, "GET /d/x HTTP/1.1\r\n" HOST "\r\nGET /d/x HTTP/1.1\r\n" HOST
		"X-Forwarded-For: 1.1.1.1, 192.0.2.7\r\n\r\n");
	hear(fd, 3000, "192.0.2.7");
	assert_non_null(strstr(heard, "\"peer\":\"unix\""));
	assert_non_null(strstr(heard, "\"peer\":\"192.0.2.7\""));
	close(fd);
	stop();
	assert_int_equal(access(a.sun_path, F_OK), -1);
	unit_scratch_end(dir);
}

static void test_http__too_many_headers_are_refused(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	start((struct http_config){0});
	buf_adds(&text, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 100; i++)
		buf_addf(&text, "X-%d: y\r\n", i);
	buf_adds(&text, CLOSE);
	ask(text.data);
	assert_int_equal(status_of(heard), 431);
	buf_clear(&text);
	buf_adds(&text, "GET / HTTP/1.1\r\n" HOST "X: ");
	for (int i = 0; i < 33000; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\r\n" CLOSE);
	ask(text.data);
	assert_int_equal(status_of(heard), 431);
	buf_free(&text);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_http__requests_that_could_be_smuggled_are_refused),
	    cmocka_unit_test(test_http__a_nul_in_the_headers_is_refused),
	    cmocka_unit_test(test_http__a_connection_serves_many_requests),
	    cmocka_unit_test(test_http__every_reply_has_the_safe_headers),
	    cmocka_unit_test(test_http__whole_bodies_are_bounded_and_read_as_forms),
	    cmocka_unit_test(test_http__a_refusal_in_begin_comes_before_100_continue),
	    cmocka_unit_test(test_http__streamed_bodies_arrive_whole_through_any_waits),
	    cmocka_unit_test(test_http__wakes_race_with_waits_without_loss),
	    cmocka_unit_test(test_http__a_reply_amid_a_body_reaches_the_client),
	    cmocka_unit_test(test_http__a_client_that_goes_ends_the_exchange_once),
	    cmocka_unit_test(test_http__streams_have_their_length_or_are_chunked),
	    cmocka_unit_test(test_http__slow_clients_lose_their_connection),
	    cmocka_unit_test(test_http__a_steady_upload_above_the_floor_is_not_cut),
	    cmocka_unit_test(test_http__stopping_lets_waiting_exchanges_end),
	    cmocka_unit_test(test_http__stopping_does_not_wait_for_ever),
	    cmocka_unit_test(test_http__addresses_in_use_or_malformed_are_named),
	    cmocka_unit_test(test_http__a_local_socket_serves_and_replaces_a_dead_one),
	    cmocka_unit_test(test_http__too_many_headers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
