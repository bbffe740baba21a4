#include "tests/unit/unit.h"

#include "arkki/api/multipart.h"
#include "arkki/base/buf.h"

#define TYPE "multipart/form-data; boundary=XyZ"

/* What a sink saw, as text: "[name|file|type]data;" for each part. */
static int log_begin(
    void *arg, const char *name, const char *filename, const char *type, struct ark_error *err)
{
	(void)err;
	buf_addf(arg, "[%s|%s|%s]", name, filename ? filename : "-", type ? type : "-");
	return ARK_OK;
}

static int log_data(void *arg, const char *bytes, size_t len, struct ark_error *err)
{
	(void)err;
	assert_true(len > 0);
	buf_add(arg, bytes, len);
	return ARK_OK;
}

static int log_end(void *arg, struct ark_error *err)
{
	(void)err;
	buf_addc(arg, ';');
	return ARK_OK;
}

/* Feeds text in two pieces split at `at` (and bytewise when at is 0); the status of the whole. */
static int parse(const char *type, const char *text, size_t len, size_t at, struct buf *log)
{
	struct multipart_sink sink = {log_begin, log_data, log_end, log};
	struct multipart *m;
	struct ark_error err;
	int r = multipart_new(type, &sink, &m, &err);

	if (r)
		return r;
	if (at) {
		r = multipart_feed(m, text, at, &err);
		if (!r)
			r = multipart_feed(m, text + at, len - at, &err);
	} else {
		for (size_t i = 0; i < len && !r; i++)
			r = multipart_feed(m, text + i, 1, &err);
	}
	if (!r)
		r = multipart_finish(m, &err);
	multipart_free(m);
	return r;
}

static void test_multipart__every_split_gives_the_same_parts(void **state)
{
	static const char text[] =
	    "--XyZ\r\nContent-Disposition: form-data; name=\"metadata\"\r\n"
	    "Content-Type: application/json\r\n\r\n{\"a\":1}\r\n"
	    "--XyZ\r\ncontent-disposition: form-data; name=content; filename=\"tarkastus "
	    "\xc3\xa4.pdf\""
	    "\r\nContent-Transfer-Encoding: binary\r\n\r\n"
	    "\r\n--Xy\r\r\n\r\n--XyQ\r\n--\r\n-\r\n--X\r\n--Xq\r\r\n--XyZ\r\n"
	    "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--XyZ--\r\n";
	static const char wanted[] =
	    "[metadata|-|application/json]{\"a\":1};[content|tarkastus \xc3\xa4.pdf|-]"
	    "\r\n--Xy\r\r\n\r\n--XyQ\r\n--\r\n-\r\n--X\r\n--Xq\r;[empty|-|-];";
	size_t len = sizeof(text) - 1;

	(void)state;
	for (size_t at = 0; at <= len; at++) {
		struct buf log = BUF_INIT;

		assert_int_equal(parse(TYPE, text, len, at, &log), ARK_OK);
		assert_string_equal(log.data, wanted);
		buf_free(&log);
	}
}

static void test_multipart__a_body_cut_anywhere_is_an_error(void **state)
{
	static const char text[] = "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
				   "data\r\n--XyZ--";
	size_t len = sizeof(text) - 1;

	(void)state;
	for (size_t cut = 1; cut <= len; cut++) {
		struct buf log = BUF_INIT;

		assert_int_equal(
		    parse(TYPE, text, cut, cut, &log), cut == len ? ARK_OK : ARK_EINPUT);
		buf_free(&log);
	}
}

static int parse_disposition(const char *value, struct buf *log)
{
	struct buf text = BUF_INIT;
	int r;

	buf_addf(&text, "--XyZ\r\nContent-Disposition: %s\r\n\r\nd\r\n--XyZ--\r\n", value);
	r = parse(TYPE, text.data, text.len, text.len, log);
	buf_free(&text);
	return r;
}

static void test_multipart__names_are_read_as_browsers_send_them(void **state)
{
	static const struct {
		const char *value, *wanted; /* NULL: refused */
	} cases[] = {
	    {"form-data; name=\"a\"; filename=\"x\\\"y.txt\"", "[a|x\"y.txt|-]d;"},
	    {"form-data; name=\"a\"; filename=\"x%22y.txt\"", "[a|x\"y.txt|-]d;"},
	    {"form-data; name=\"a\"; filename=\"C:\\dir\\x.txt\"", "[a|C:\\dir\\x.txt|-]d;"},
	    {"form-data; name=\"a;b\"; filename=\"x;y=\\\\.txt\"", "[a;b|x;y=\\.txt|-]d;"},
	    {"Form-Data;name=a;filename=\"\"", "[a||-]d;"},
	    {"form-data; name=\"a\"; filename*=UTF-8''%C3%A4.txt", "[a|\xc3\xa4.txt|-]d;"},
	    {"form-data; name=\"a\"; filename=\"b\"; filename*=UTF-8''c", "[a|c|-]d;"},
	    {"form-data; name=\"a\"; filename*=UTF-8''c; filename=\"b\"", "[a|c|-]d;"},
	    {"form-data; name=\"a\"; x=\"\"", "[a|-|-]d;"},
	    {"form-data; filename=\"b\"", NULL},
	    {"form-data; name=\"\"", NULL},
	    {"form-data", NULL},
	    {"attachment; name=\"a\"", NULL},
	    {"form-data; name=\"a", NULL},
	    {"form-data; name=\"a\"b", NULL},
	    {"form-data; name=\"a\"; name=\"b\"", NULL},
	    {"form-data; name=\"a\"; filename=\"b\"; filename=\"c\"", NULL},
	    {"form-data; name=\"a\"; filename=\"\xc3(\"", NULL},
	    {"form-data; name=\"a\"; filename=\"\xff.txt\"", NULL},
	    {"form-data; name=\"a\"; filename=\"a\tb\"", NULL},
	    {"form-data; name=\"a\"; filename*=UTF-8''%0Ab", NULL},
	    {"form-data; name=\"a\"; filename*=latin1''x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf log = BUF_INIT;
		int r = parse_disposition(cases[i].value, &log);

		if (r != (cases[i].wanted ? ARK_OK : ARK_EINPUT))
			fail_msg("%s: status %d", cases[i].value, r);
		if (cases[i].wanted)
			assert_string_equal(log.data, cases[i].wanted);
		buf_free(&log);
	}
}

static void test_multipart__malformed_bodies_are_refused(void **state)
{
#define CD "Content-Disposition: form-data; name=\"a\"\r\n"
	static const char *const cases[] = {
	    "",
	    "--XyZ--",
	    "--XyZ--\r\n",
	    "\r\n--XyZ\r\n" CD "\r\nd\r\n--XyZ--",
	    "preamble\r\n--XyZ\r\n" CD "\r\nd\r\n--XyZ--",
	    "--XyZ\r\n" CD "\r\nd\r\n--XyZ--\r\nmore",
	    "--XyZ\r\n" CD "\r\nd\r\n--XyZ--x",
	    "--XyZ\r\n" CD "\r\nd\r\n--XyZab",
	    "--XyZ\r\n" CD "\r\nd\r\n--XyZ \r\n",
	    "--XyZ\n" CD "\r\nd\r\n--XyZ--",
	    "--XyZ\r\n\r\nd\r\n--XyZ--",
	    "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\n\nd\r\n--XyZ--",
	    "--XyZ\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\n\r\nd\r\n--XyZ--",
	    "--XyZ\r\nContent-Disposition : form-data; name=\"a\"\r\n\r\nd\r\n--XyZ--",
	    "--XyZ\r\n" CD CD "\r\nd\r\n--XyZ--",
	    "--XyZ\r\n" CD "nocolon\r\n\r\nd\r\n--XyZ--",
	    "--XyZ\r\n" CD "X: a\rb\r\n\r\nd\r\n--XyZ--",
	    "--XyZ\r\n" CD "Content-Transfer-Encoding: base64\r\n\r\nZA==\r\n--XyZ--",
	    "--XyZ\r\n" CD "Content-Transfer-Encoding: quoted-printable\r\n\r\nd\r\n--XyZ--",
	    "--XyZ\r\n" CD "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\nd\r\n--XyZ--",
	};
#undef CD

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf log = BUF_INIT;
		size_t len = strlen(cases[i]);

		if (parse(TYPE, cases[i], len, len, &log) != ARK_EINPUT)
			fail_msg("case %zu was taken", i);
		buf_clear(&log);
		if (parse(TYPE, cases[i], len, 0, &log) != ARK_EINPUT)
			fail_msg("case %zu was taken bytewise", i);
		buf_free(&log);
	}
}

static void test_multipart__boundaries_outside_the_grammar_are_refused(void **state)
{
	static const struct {
		const char *type;
		int status;
	} cases[] = {
	    {"multipart/form-data; boundary=a", ARK_OK},
	    {"Multipart/Form-Data; charset=utf-8; Boundary=\"a b'()+_,-./:=?c\"", ARK_OK},
	    {NULL, ARK_EINPUT},
	    {"multipart/form-data", ARK_EINPUT},
	    {"multipart/form-data; boundary=", ARK_EINPUT},
	    {"multipart/form-data; boundary=\"a \"", ARK_EINPUT},
	    {"multipart/form-data; boundary=a; boundary=b", ARK_EINPUT},
	    {"multipart/form-data; boundary=a{b", ARK_EINPUT},
	    {"multipart/form-dataX; boundary=a", ARK_EINPUT},
	    {"multipart/mixed; boundary=a", ARK_EINPUT},
	    {"application/json", ARK_EINPUT},
	    {"multipart/form-data; boundary="
	     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg",
		ARK_OK},
	    {"multipart/form-data; boundary="
	     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg7",
		ARK_EINPUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct multipart_sink sink = {log_begin, log_data, log_end, NULL};
		struct multipart *m = NULL;
		struct ark_error err;

		assert_int_equal(multipart_new(cases[i].type, &sink, &m, &err), cases[i].status);
		multipart_free(m);
	}
}

static void test_multipart__too_many_parts_or_headers_are_refused(void **state)
{
	struct buf text = BUF_INIT, log = BUF_INIT;

	(void)state;
	for (int n = 16; n <= 17; n++) {
		buf_clear(&text);
		for (int i = 0; i < n; i++)
			buf_adds(&text, "--XyZ\r\nContent-Disposition: form-data; "
					"name=a\r\n\r\nd\r\n");
		buf_adds(&text, "--XyZ--");
		assert_int_equal(parse(TYPE, text.data, text.len, text.len, &log),
		    n == 16 ? ARK_OK : ARK_EINPUT);
	}
	buf_clear(&text);
	buf_adds(&text, "--XyZ\r\nX: ");
	for (int i = 0; i < 8200; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\r\nContent-Disposition: form-data; name=a\r\n\r\nd\r\n--XyZ--");
	assert_int_equal(parse(TYPE, text.data, text.len, text.len, &log), ARK_EINPUT);
	buf_free(&text);
	buf_free(&log);
}

static int refuse_data(void *arg, const char *bytes, size_t len, struct ark_error *err)
{
	(void)arg, (void)bytes, (void)len;
	return ark_fail(err, ARK_EREFUSED, "not this");
}

static void test_multipart__a_sink_that_refuses_stops_the_parser(void **state)
{
	static const char text[] =
	    "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\nd\r\n--XyZ--";
	struct buf log = BUF_INIT;
	struct multipart_sink sink = {log_begin, refuse_data, log_end, &log};
	struct multipart *m;
	struct ark_error err;

	(void)state;
	assert_int_equal(multipart_new(TYPE, &sink, &m, &err), ARK_OK);
	assert_int_equal(multipart_feed(m, text, strlen(text), &err), ARK_EREFUSED);
	assert_string_equal(err.text, "not this");
	assert_int_equal(multipart_feed(m, "x", 1, &err), ARK_EINPUT);
	assert_int_equal(multipart_finish(m, &err), ARK_EINPUT);
	assert_string_equal(log.data, "[a|-|-]");
	multipart_free(m);
	buf_free(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_multipart__every_split_gives_the_same_parts),
	    cmocka_unit_test(test_multipart__a_body_cut_anywhere_is_an_error),
	    cmocka_unit_test(test_multipart__names_are_read_as_browsers_send_them),
	    cmocka_unit_test(test_multipart__malformed_bodies_are_refused),
	    cmocka_unit_test(test_multipart__boundaries_outside_the_grammar_are_refused),
	    cmocka_unit_test(test_multipart__too_many_parts_or_headers_are_refused),
	    cmocka_unit_test(test_multipart__a_sink_that_refuses_stops_the_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
