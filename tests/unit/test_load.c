/* The load generator's reading of answers and of its command line. */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include "tools/load.h"

static const char chunked[] =
    "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nlocation: /v1/x\r\n"
    "\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n";

/* A client whose request is out, with the other end of its connection in *ret_peer. */
static void open_client(struct load_client *c, int *ret_peer)
{
	static const struct load_options options = {.mode = LOAD_GET};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(load_client_init(c, &options));
	c->fd = pair[0];
	c->phase = LOAD_HEAD;
	*ret_peer = pair[1];
}

static enum load_event answer_with(struct load_client *c, const char *text, size_t piece)
{
	enum load_event event = LOAD_WAIT;
	size_t len = strlen(text);
	int peer;

	open_client(c, &peer);
	for (size_t at = 0; at < len && event == LOAD_WAIT; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		assert_int_equal(write(peer, text + at, n), n);
		event = load_client_step(c);
	}
	close(peer);
	return event;
}

static void test_load__answers_cut_anywhere_are_read_whole(void **state)
{
	struct load_client c;

	(void)state;
	for (size_t piece = 1; piece <= sizeof(chunked); piece++) {
		assert_int_equal(answer_with(&c, chunked, piece), LOAD_ANSWER);
		assert_int_equal(c.status, 201);
		assert_int_equal(c.received, 5);
		assert_string_equal(c.location, "/v1/x");
		assert_memory_equal(c.excerpt, "abcde", 5);
		load_client_free(&c);
	}
}

static void test_load__lengths_interim_answers_and_close(void **state)
{
	struct load_client c;

	(void)state;
	assert_int_equal(answer_with(&c,
			     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 2\r\n"
			     "Connection: close\r\n\r\nno",
			     1),
	    LOAD_ANSWER);
	assert_int_equal(c.status, 503);
	assert_true(c.close);
	load_client_free(&c);
	assert_int_equal(answer_with(&c, "HTTP/1.1 204 Done\r\n\r\n", 7), LOAD_ANSWER);
	load_client_free(&c);
}

static void test_load__half_and_foreign_answers_are_broken(void **state)
{
	static const char *const texts[] = {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"};
	struct load_client c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(answer_with(&c, texts[i], 4096), LOAD_BROKEN);
		load_client_free(&c);
	}
	/* the server goes away in the middle of a body */
	assert_int_equal(
	    answer_with(&c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", 4096), LOAD_WAIT);
	assert_int_equal(load_client_step(&c), LOAD_BROKEN);
	load_client_free(&c);
}

static bool takes_url(const char *url)
{
	char *argv[] = {(char[]){"arkki-load"}, (char[]){"get"}, (char[]){"--url"}, NULL,
	    (char[]){"--paths"}, NULL, NULL};
	char dir[256], paths[300];
	struct load_options o;
	FILE *f;
	bool taken;

	unit_scratch(dir);
	snprintf(paths, sizeof(paths), "%s/paths", dir);
	f = fopen(paths, "we");
	assert_non_null(f);
	fputs("/a\n/b\n", f);
	fclose(f);
	argv[3] = strdup(url);
	argv[5] = paths;
	assert_non_null(argv[3]);
	taken = load_options_read(6, argv, &o);
	if (taken)
		assert_int_equal(o.path_count, 2);
	load_options_free(&o);
	free(argv[3]);
	unit_scratch_end(dir);
	return taken;
}

static void test_load__only_loopback_is_taken(void **state)
{
	static const char *const refused[] = {"http://10.0.0.1:80", "http://128.0.0.1:80",
	    "http://example.com:80", "http://127.0.0.1", "https://127.0.0.1:443",
	    "http://127.0.0.1:70000", "http://127.0.0.1.example.com:80", "http://0.0.0.0:80",
	    "http://[::]:80", "http://"};

	(void)state;
	assert_true(takes_url("http://127.0.0.1:8420"));
	assert_true(takes_url("http://localhost:8420"));
	assert_true(takes_url("http://[::1]:8420"));
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (takes_url(refused[i]))
			fail_msg("%s was taken", refused[i]);
}

static void test_load__documents_follow_from_seed_and_number(void **state)
{
	char a[1000], b[1000], guard[11];

	(void)state;
	load_content(a, sizeof(a), 1, 7);
	load_content(b, sizeof(b), 1, 7);
	assert_memory_equal(a, b, sizeof(a));
	load_content(b, sizeof(b), 1, 8);
	assert_memory_not_equal(a, b, sizeof(a));
	load_content(b, sizeof(b), 2, 7);
	assert_memory_not_equal(a, b, sizeof(a));
	guard[10] = '!';
	load_content(guard, 10, 1, 7); /* no multiple of eight */
	assert_int_equal(guard[10], '!');
	assert_memory_equal(guard, a, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_load__answers_cut_anywhere_are_read_whole),
	    cmocka_unit_test(test_load__lengths_interim_answers_and_close),
	    cmocka_unit_test(test_load__half_and_foreign_answers_are_broken),
	    cmocka_unit_test(test_load__only_loopback_is_taken),
	    cmocka_unit_test(test_load__documents_follow_from_seed_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
