/* The parts of the HTTP core that need no server: guard, target, router, ranges, languages, problems. */
#include "tests/unit/unit.h"

#include "api/http_guard.h"
#include "api/language.h"
#include "api/router.h"
#include "api/target.h"
#include "arkki/api/http_range.h"
#include "arkki/base/json.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* ---- guard ---- */

struct guard_case {
	int status;
	const char *method, *version, *target;
	struct http_field fields[5];
};

static int guard(const struct guard_case *c, struct guard_verdict *v)
{
	struct guard_input in = {.method = c->method,
	    .version = c->version,
	    .target = c->target,
	    .fields = c->fields,
	    .header_max = 1000};

	while (in.n_fields < COUNT(c->fields) && c->fields[in.n_fields].name)
		in.n_fields++;
	guard_check(&in, v);
	return v->status;
}

#define V11 "GET", "HTTP/1.1", "/"
#define POST11 "POST", "HTTP/1.1", "/"
#define HOST                                                                                       \
	{                                                                                          \
		"Host", "a.example"                                                                \
	}

static void test_guard__what_parsers_may_read_differently_is_refused(void **state)
{
	static const struct guard_case cases[] = {
	    {0, V11, {HOST}},
	    {0, "GET", "HTTP/1.0", "/", {{NULL, NULL}}},
	    {0, POST11, {HOST, {"Content-Length", "5"}}},
	    {0, POST11, {HOST, {"transfer-encoding", "Chunked"}}},
	    {0, POST11, {HOST, {"Expect", "100-continue"}, {"Content-Length", "5"}}},
	    {0, V11, {{"Host", "[::1]:8420"}}},
	    {400, V11, {{NULL, NULL}}},
	    {400, V11, {HOST, HOST}},
	    {400, V11, {HOST, {"host", "b.example"}}},
	    {400, V11, {{"Host", ""}}},
	    {400, V11, {{"Host", "a/b"}}},
	    {400, V11, {{"Host", "user@b"}}},
	    {400, POST11, {HOST, {"Content-Length", "5"}, {"Content-Length", "5"}}},
	    {400, POST11, {HOST, {"Content-Length", "5"}, {"content-length", "6"}}},
	    {400, POST11, {HOST, {"Content-Length", "+5"}}},
	    {400, POST11, {HOST, {"Content-Length", "5, 5"}}},
	    {400, POST11, {HOST, {"Content-Length", ""}}},
	    {400, POST11, {HOST, {"Content-Length", "0x5"}}},
	    {400, POST11, {HOST, {"Content-Length", "18446744073709551616"}}},
	    {400, POST11, {HOST, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}},
	    {400, POST11, {HOST, {"Transfer-Encoding", "chunked"}, {"Content-Length", "0"}}},
	    {400, POST11,
		{HOST, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}},
	    {400, "POST", "HTTP/1.0", "/", {{"Transfer-Encoding", "chunked"}}},
	    {501, POST11, {HOST, {"Transfer-Encoding", "gzip, chunked"}}},
	    {501, POST11, {HOST, {"Transfer-Encoding", "chunked "}}},
	    {501, POST11, {HOST, {"Transfer-Encoding", "identity"}}},
	    {501, POST11, {HOST, {"Transfer-Encoding", ""}}},
	    {400, V11, {HOST, {"Content-Length ", "5"}}},
	    {400, V11, {HOST, {"", "5"}}},
	    {400, V11, {HOST, {"X Y", "5"}}},
	    {400, V11, {HOST, {"X\tY", "5"}}},
	    {400, V11, {HOST, {"X\x80", "5"}}},
	    {400, V11, {HOST, {"X", "a\x01"}}},
	    {400, V11, {HOST, {"X", "a\rb"}}},
	    {400, V11, {HOST, {"X", "a\x7f"}}},
	    {0, V11, {HOST, {"X", "a\tb \xc3\xa4 \xff"}}},
	    {400, V11, {HOST, {"Authorization", "a"}, {"authorization", "b"}}},
	    {417, POST11, {HOST, {"Expect", "tea"}}},
	    {503, V11, {HOST, {"Sec-Purpose", "prefetch"}}},
	    {503, V11, {HOST, {"Sec-Purpose", "prefetch;prerender"}}},
	    {501, "TRACE", "HTTP/1.1", "/", {HOST}},
	    {501, "CONNECT", "HTTP/1.1", "a:1", {HOST}},
	    {501, "get", "HTTP/1.1", "/", {HOST}},
	    {400, "G@T", "HTTP/1.1", "/", {HOST}},
	    {400, "", "HTTP/1.1", "/", {HOST}},
	    {505, "GET", "HTTP/2.0", "/", {HOST}},
	    {505, "GET", "HTTP/1.1 ", "/", {HOST}},
	    {505, "GET", "", "/", {HOST}},
	    {400, "GET", "HTTP/1.1", NULL, {HOST}},
	    {400, "GET", "HTTP/1.1", "", {HOST}},
	    {400, "GET", "HTTP/1.1", "http://a.example/", {HOST}},
	    {400, "OPTIONS", "HTTP/1.1", "*", {HOST}},
	    {400, "GET", "HTTP/1.1", "/a b", {HOST}},
	    {400, "GET", "HTTP/1.1", "/a\xc3\xa4", {HOST}},
	    {400, "GET", "HTTP/1.1", "/a#b", {HOST}},
	    {400, "GET", "HTTP/1.1", "/a\\b", {HOST}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct guard_verdict v;

		if (guard(&cases[i], &v) != cases[i].status)
			fail_msg("case %zu: %d (%s), not %d", i, v.status, v.detail ? v.detail : "",
			    cases[i].status);
	}
}

static void test_guard__tells_what_body_comes(void **state)
{
	static const struct guard_case length = {
	    0, POST11, {HOST, {"Content-Length", "18446744073709551609"}}};
	static const struct guard_case chunked = {
	    0, POST11, {HOST, {"Transfer-Encoding", "chunked"}}};
	static const struct guard_case none = {0, POST11, {HOST, {"Content-Length", "0"}}};
	struct guard_verdict v;

	(void)state;
	assert_int_equal(guard(&length, &v), 0);
	assert_true(v.has_body && !v.chunked && v.length == 18446744073709551609u);
	assert_int_equal(guard(&chunked, &v), 0);
	assert_true(v.has_body && v.chunked);
	assert_int_equal(guard(&none, &v), 0);
	assert_true(!v.has_body);
}

static void test_guard__bounds_hold_on_the_byte(void **state)
{
	struct guard_case c = {0, V11, {HOST, {"X", NULL}}};
	char value[1001] = "", target[HTTP_TARGET_MAX + 2];
	struct guard_verdict v;

	(void)state;
	/* "/" + Host: a.example and X, 4 for each header's marks: 1 + 17 + 5 + value */
	memset(value, 'v', 977);
	c.fields[1].value = value;
	assert_int_equal(guard(&c, &v), 0);
	value[977] = 'v';
	assert_int_equal(guard(&c, &v), 431);
	memset(target, '/', sizeof(target));
	target[HTTP_TARGET_MAX + 1] = '\0';
	c.target = target;
	assert_int_equal(guard(&c, &v), 414);
	target[HTTP_TARGET_MAX] = '\0';
	assert_int_equal(guard(&c, &v), 431);
}

/* ---- target and router ---- */

static void test_target__is_decoded_once(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(
	    target_parse("/a%20b/%25%32%30/\xc3%A4?q=a+b%2Bc%26&q=2&e&=x&&f=", &t), TARGET_OK);
	assert_int_equal(t.n_segments, 3);
	assert_string_equal(t.segments[0], "a b");
	assert_string_equal(t.segments[1], "%20");
	assert_string_equal(t.segments[2], "\xc3\xa4");
	assert_string_equal(t.path, "/a b/%20/\xc3\xa4");
	assert_int_equal(t.n_pairs, 5);
	assert_string_equal(pairs_find(t.pairs, t.n_pairs, "q", 0), "a b+c&");
	assert_string_equal(pairs_find(t.pairs, t.n_pairs, "q", 1), "2");
	assert_null(pairs_find(t.pairs, t.n_pairs, "q", 2));
	assert_string_equal(pairs_find(t.pairs, t.n_pairs, "e", 0), "");
	assert_string_equal(pairs_find(t.pairs, t.n_pairs, "f", 0), "");
	target_free(&t);
	assert_int_equal(target_parse("/", &t), TARGET_OK);
	assert_int_equal(t.n_segments, 0);
	assert_string_equal(t.path, "/");
	target_free(&t);
}

static void test_target__odd_paths_are_malformed_or_nowhere(void **state)
{
	static const struct {
		enum target_verdict verdict;
		const char *text;
	} cases[] = {
	    {TARGET_MALFORMED, "/a%00b"},
	    {TARGET_MALFORMED, "/a%2Fb"},
	    {TARGET_MALFORMED, "/a%2fb"},
	    {TARGET_MALFORMED, "/a%0Ab"},
	    {TARGET_MALFORMED, "/a%7f"},
	    {TARGET_MALFORMED, "/a%"},
	    {TARGET_MALFORMED, "/a%4"},
	    {TARGET_MALFORMED, "/a%zz"},
	    {TARGET_MALFORMED, "/a%ff"},
	    {TARGET_MALFORMED, "/a%c0%af"},
	    {TARGET_MALFORMED, "/a?q=%00"},
	    {TARGET_MALFORMED, "/a?q=%ff"},
	    {TARGET_MALFORMED, "/a?%ff=1"},
	    {TARGET_MALFORMED, "/a?q=%"},
	    {TARGET_NOWHERE, "//"},
	    {TARGET_NOWHERE, "//a"},
	    {TARGET_NOWHERE, "/a//b"},
	    {TARGET_NOWHERE, "/a//"},
	    {TARGET_NOWHERE, "/./a"},
	    {TARGET_NOWHERE, "/a/.."},
	    {TARGET_NOWHERE, "/a/%2e%2E/b"},
	    {TARGET_NOWHERE, "/1/2/3/4/5/6/7/8/9/1/2/3/4/5/6/7/8/9/1/2/3/4/5/6/7"},
	    {TARGET_OK, "/1/2/3/4/5/6/7/8/9/1/2/3/4/5/6/7/8/9/1/2/3/4/5/6"},
	    {TARGET_OK, "/...?"},
	    {TARGET_OK, "/a?q=%0A%2F"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct target t;

		if (target_parse(cases[i].text, &t) != cases[i].verdict)
			fail_msg("%s", cases[i].text);
		target_free(&t);
	}
}

static void test_target__too_many_pairs_are_malformed(void **state)
{
	struct buf text = BUF_INIT;
	struct target t;

	(void)state;
	buf_adds(&text, "/?");
	for (int i = 0; i < TARGET_PAIRS_MAX; i++)
		buf_addf(&text, "&p%d=1", i);
	assert_int_equal(target_parse(text.data, &t), TARGET_OK);
	assert_int_equal(t.n_pairs, TARGET_PAIRS_MAX);
	target_free(&t);
	buf_adds(&text, "&more");
	assert_int_equal(target_parse(text.data, &t), TARGET_MALFORMED);
	target_free(&t);
	buf_free(&text);
}

static void test_target__names_may_repeat_only_when_listed(void **state)
{
	static const char *const repeat[] = {"type", NULL};
	struct pair pairs[TARGET_PAIRS_MAX];
	char text[] = "type=a&q=b&type=c", twice[] = "q=a&x&q=b";
	unsigned int n;

	(void)state;
	assert_true(pairs_parse(text, pairs, &n));
	assert_true(pairs_repeat(pairs, n, NULL));
	assert_false(pairs_repeat(pairs, n, repeat));
	assert_true(pairs_parse(twice, pairs, &n));
	assert_true(pairs_repeat(pairs, n, repeat));
}

static void nothing(struct exchange *x)
{
	(void)x;
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/", .finish = nothing},
    {.method = "GET", .pattern = "/d", .flags = HTTP_ALSO_HEAD, .finish = nothing},
    {.method = "POST", .pattern = "/d", .finish = nothing},
    {.method = "GET", .pattern = "/d/{d}", .finish = nothing},
    {.method = "GET", .pattern = "/d/new", .finish = nothing},
    {.method = "GET", .pattern = "/d/", .finish = nothing},
    {.method = "GET", .pattern = "/d/{d}/v/{n}/content", .finish = nothing},
    {.method = "GET", .pattern = "/log/tile/{path*}", .finish = nothing},
    {.method = "GET", .pattern = "/log/tile/entries", .finish = nothing},
    {.method = "GET", .pattern = "/{lang}/{rest*}", .finish = nothing},
};

static void test_router__finds_the_most_specific_route(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *pattern, *params, *allow;
	} cases[] = {
	    {"GET", "/", 0, "/", "", NULL},
	    {"GET", "/d", 0, "/d", "", NULL},
	    {"HEAD", "/d", 0, "/d", "", NULL},
	    {"POST", "/d", 0, "/d", "", NULL},
	    {"PUT", "/d", 405, NULL, NULL, "GET, HEAD, POST"},
	    {"HEAD", "/", 405, NULL, NULL, "GET"},
	    {"GET", "/d/x", 0, "/d/{d}", "x,", NULL},
	    {"GET", "/d/new", 0, "/d/new", "", NULL},
	    {"POST", "/d/new", 405, NULL, NULL, "GET"},
	    {"GET", "/d/", 0, "/d/", "", NULL},
	    {"GET", "/d/new/", 404, NULL, NULL, NULL},
	    {"GET", "/log/tile/0/", 404, NULL, NULL, NULL},
	    {"GET", "/d/x/v/3/content", 0, "/d/{d}/v/{n}/content", "x,3,", NULL},
	    {"GET", "/d/x/v/3", 0, "/{lang}/{rest*}", "d,x/v/3,", NULL},
	    {"GET", "/log/tile/0/x001/000", 0, "/log/tile/{path*}", "0/x001/000,", NULL},
	    {"GET", "/log/tile/entries", 0, "/log/tile/entries", "", NULL},
	    {"GET", "/log/tile", 0, "/{lang}/{rest*}", "log,tile,", NULL},
	    {"GET", "/fi", 404, NULL, NULL, NULL},
	    {"POST", "/fi/x", 405, NULL, NULL, "GET"},
	};
	struct router *r;

	(void)state;
	assert_int_equal(router_new(routes, COUNT(routes), &r, NULL), ARK_OK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct route_match m;
		struct target t;
		char params[100] = "";

		assert_int_equal(target_parse(cases[i].path, &t), TARGET_OK);
		if (router_match(r, cases[i].method, &t, &m) != cases[i].status)
			fail_msg("%s %s", cases[i].method, cases[i].path);
		for (unsigned int k = 0; k < m.n_params; k++) {
			strcat(params, m.params[k]);
			strcat(params, ",");
		}
		if (cases[i].pattern) {
			assert_string_equal(m.route->pattern, cases[i].pattern);
			assert_string_equal(params, cases[i].params);
		}
		if (cases[i].allow)
			assert_string_equal(m.allow, cases[i].allow);
		target_free(&t);
	}
	router_free(r);
}

static void test_router__refuses_a_wrong_table(void **state)
{
	static const struct http_route wrong[][2] = {
	    {{.method = "GET", .pattern = "d", .finish = nothing}},
	    {{.method = "GET", .pattern = "/d//", .finish = nothing}},
	    {{.method = "GET", .pattern = "/d/", .finish = nothing},
		{.method = "GET", .pattern = "/d/", .finish = nothing}},
	    {{.method = "GET", .pattern = "/d//e", .finish = nothing}},
	    {{.method = "GET", .pattern = "/{d", .finish = nothing}},
	    {{.method = "GET", .pattern = "/{a*}/b", .finish = nothing}},
	    {{.method = "GET", .pattern = "/d"}},
	    {{.method = "POST", .pattern = "/d", .takes = HTTP_BODY_STREAM, .finish = nothing}},
	    {{.method = "GET", .pattern = "/d/{a}", .finish = nothing},
		{.method = "GET", .pattern = "/d/{b}", .finish = nothing}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct router *r = NULL;
		struct ark_error err;

		if (router_new(wrong[i], wrong[i][1].method ? 2 : 1, &r, &err) != ARK_EINPUT)
			fail_msg("table %zu was taken", i);
	}
}

/* ---- ranges, conditions, file names ---- */

static void test_range__one_range_against_a_size(void **state)
{
	static const struct {
		const char *header;
		uint64_t size;
		enum range_verdict verdict;
		uint64_t first, last;
	} cases[] = {
	    {NULL, 10, RANGE_WHOLE, 0, 0},
	    {"bytes=0-0", 10, RANGE_PART, 0, 0},
	    {"bytes=0-9", 10, RANGE_PART, 0, 9},
	    {"bytes=0-10", 10, RANGE_PART, 0, 9},
	    {"bytes=9-", 10, RANGE_PART, 9, 9},
	    {"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=-1", 10, RANGE_PART, 9, 9},
	    {"bytes=-10", 10, RANGE_PART, 0, 9},
	    {"bytes=-99", 10, RANGE_PART, 0, 9},
	    {"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
	    {"Bytes= 2-3 ", 10, RANGE_PART, 2, 3},
	    {"bytes=3-2", 10, RANGE_WHOLE, 0, 0},
	    {"bytes=-", 10, RANGE_WHOLE, 0, 0},
	    {"bytes=a-b", 10, RANGE_WHOLE, 0, 0},
	    {"bytes=0-1,3-4", 10, RANGE_WHOLE, 0, 0},
	    {"bytes=0x1-2", 10, RANGE_WHOLE, 0, 0},
	    {"items=0-1", 10, RANGE_WHOLE, 0, 0},
	    {"bytes=1-99999999999999999999999999", 10, RANGE_PART, 1, 9},
	    {"bytes=99999999999999999999999999-", 10, RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=5-", UINT64_MAX, RANGE_PART, 5, UINT64_MAX - 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct byte_range r = {0, 0};

		if (range_parse(cases[i].header, cases[i].size, &r) != cases[i].verdict ||
		    r.first != cases[i].first || r.last != cases[i].last)
			fail_msg("%s of %llu: %llu-%llu", cases[i].header,
			    (unsigned long long)cases[i].size, (unsigned long long)r.first,
			    (unsigned long long)r.last);
	}
}

static void test_etag__lists_match_by_their_rule(void **state)
{
	static const struct {
		const char *header, *etag;
		enum etag_match strong, weak;
	} cases[] = {
	    {NULL, "\"a\"", ETAG_ABSENT, ETAG_ABSENT},
	    {"\"a\"", "\"a\"", ETAG_MATCH, ETAG_MATCH},
	    {"W/\"a\"", "\"a\"", ETAG_DIFFERENT, ETAG_MATCH},
	    {"\"b\", \"a\"", "\"a\"", ETAG_MATCH, ETAG_MATCH},
	    {", \"b\" ,,\t\"a,\"", "\"a,\"", ETAG_MATCH, ETAG_MATCH},
	    {"\"b\"", "\"a\"", ETAG_DIFFERENT, ETAG_DIFFERENT},
	    {"\"aa\"", "\"a\"", ETAG_DIFFERENT, ETAG_DIFFERENT},
	    {"*", "\"a\"", ETAG_MATCH, ETAG_MATCH},
	    {"*", NULL, ETAG_DIFFERENT, ETAG_DIFFERENT},
	    {"\"a\"", NULL, ETAG_DIFFERENT, ETAG_DIFFERENT},
	    {"", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {",", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {"a", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {"\"a", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {"\"a\" \"b\"", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {"\"a\", x", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {"*, \"a\"", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {"w/\"a\"", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	    {"\"a b\"", "\"a\"", ETAG_MALFORMED, ETAG_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (etag_if_match(cases[i].header, cases[i].etag) != cases[i].strong ||
		    etag_if_none_match(cases[i].header, cases[i].etag) != cases[i].weak)
			fail_msg("case %zu: %s", i, cases[i].header);
	}
	assert_true(range_if_range(NULL, "\"a\""));
	assert_true(range_if_range("\"a\"", "\"a\""));
	assert_false(range_if_range("\"b\"", "\"a\""));
	assert_false(range_if_range("W/\"a\"", "W/\"a\""));
	assert_false(range_if_range("Sat, 21 Nov 2026 00:00:00 GMT", "\"a\""));
}

static void test_disposition__no_name_breaks_the_header(void **state)
{
	static const struct {
		const char *name, *wanted;
	} cases[] = {
	    {NULL, "inline"},
	    {"", "inline"},
	    {"\xff", "inline"},
	    {"a b.pdf", "inline; filename=\"a b.pdf\""},
	    {"\xc3\xa4iti.pdf", "inline; filename=\"_iti.pdf\"; filename*=UTF-8''%C3%A4iti.pdf"},
	    {"a\"b\\c", "inline; filename=\"a_b_c\"; filename*=UTF-8''a%22b_c"},
	    {"a\r\nX: y", "inline; filename=\"a__X_ y\"; filename*=UTF-8''a__X%3A%20y"},
	    {"../x", "inline; filename=\".._x\"; filename*=UTF-8''.._x"},
	    {"a\xe2\x80\xaetxt.exe", "inline; filename=\"a_txt.exe\"; filename*=UTF-8''a_txt.exe"},
	    {"50%.txt", "inline; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = BUF_INIT;

		content_disposition(&out, "inline", cases[i].name);
		assert_string_equal(out.data, cases[i].wanted);
		buf_free(&out);
	}
}

/* ---- languages and problems ---- */

static void test_language__is_chosen_by_weight_and_order(void **state)
{
	static const struct {
		const char *accept;
		enum http_language language;
	} cases[] = {
	    {NULL, HTTP_FI},
	    {"", HTTP_FI},
	    {"de, fr", HTTP_FI},
	    {"sv", HTTP_SV},
	    {"sv-FI,sv;q=0.9,en;q=0.8", HTTP_SV},
	    {"EN-us, fi;q=0.999", HTTP_EN},
	    {"de, en;q=0.5, sv;q=0.7", HTTP_SV},
	    {"en;q=0, *", HTTP_FI},
	    {"en ; q=0.3 , sv; q=0.2", HTTP_EN},
	    {"sve, eng", HTTP_FI},
	    {"en;q=7, sv;q=0.001", HTTP_SV},
	    {",,,sv", HTTP_SV},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (language_choose(cases[i].accept) != cases[i].language)
			fail_msg("%s", cases[i].accept);
	}
}

static void test_problem__is_json_in_the_language(void **state)
{
	json_t *errors = json_pack("[{s:s}]", "field", "title"), *v = NULL;
	struct buf out = BUF_INIT;

	(void)state;
	problem_write(&out, 422, "metadata", HTTP_SV, "a \"b\"\n", errors);
	assert_int_equal(json_read(out.data, out.len, &v, NULL), ARK_OK);
	assert_string_equal(json_text(v, "type"), "urn:arkki:problem:metadata");
	assert_string_equal(json_text(v, "title"), "Uppgifterna inneh\xc3\xa5ller fel");
	assert_string_equal(json_text(v, "detail"), "a \"b\"\n");
	assert_int_equal(json_integer_value(json_object_get(v, "status")), 422);
	assert_int_equal(json_array_size(json_object_get(v, "errors")), 1);
	json_decref(v);
	json_decref(errors);
	buf_free(&out);
	assert_string_equal(problem_title(451, HTTP_EN), "The request cannot be fulfilled");
	assert_string_equal(problem_title(502, HTTP_FI), "Palvelimen virhe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_guard__what_parsers_may_read_differently_is_refused),
	    cmocka_unit_test(test_guard__tells_what_body_comes),
	    cmocka_unit_test(test_guard__bounds_hold_on_the_byte),
	    cmocka_unit_test(test_target__is_decoded_once),
	    cmocka_unit_test(test_target__odd_paths_are_malformed_or_nowhere),
	    cmocka_unit_test(test_target__too_many_pairs_are_malformed),
	    cmocka_unit_test(test_target__names_may_repeat_only_when_listed),
	    cmocka_unit_test(test_router__finds_the_most_specific_route),
	    cmocka_unit_test(test_router__refuses_a_wrong_table),
	    cmocka_unit_test(test_range__one_range_against_a_size),
	    cmocka_unit_test(test_etag__lists_match_by_their_rule),
	    cmocka_unit_test(test_disposition__no_name_breaks_the_header),
	    cmocka_unit_test(test_language__is_chosen_by_weight_and_order),
	    cmocka_unit_test(test_problem__is_json_in_the_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
