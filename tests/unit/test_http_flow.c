/* Bodies and replies that take their time: streams both ways, handlers that wait, clients that are slow or go,
 * and stopping amid all that. */
#include "tests/unit/http_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_http__streamed_bodies_arrive_whole_through_any_waits),
	    cmocka_unit_test(test_http__wakes_race_with_waits_without_loss),
	    cmocka_unit_test(test_http__a_reply_amid_a_body_reaches_the_client),
	    cmocka_unit_test(test_http__a_client_that_goes_ends_the_exchange_once),
	    cmocka_unit_test(test_http__streams_have_their_length_or_are_chunked),
	    cmocka_unit_test(test_http__slow_clients_lose_their_connection),
	    cmocka_unit_test(test_http__a_steady_upload_above_the_floor_is_not_cut),
	    cmocka_unit_test(test_http__stopping_lets_waiting_exchanges_end),
	    cmocka_unit_test(test_http__stopping_does_not_wait_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
