/* Requests and replies of a running server: what is refused unread, what every reply carries, bodies taken
 * whole, and where the server listens. */
#include "tests/unit/http_fixture.h"

#include <errno.h>
#include <sys/un.h>
#include <time.h>

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
	    cmocka_unit_test(test_http__addresses_in_use_or_malformed_are_named),
	    cmocka_unit_test(test_http__a_local_socket_serves_and_replaces_a_dead_one),
	    cmocka_unit_test(test_http__too_many_headers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
