/* The date of HTTP, written and read. */
#include "tests/unit/unit.h"

#include "api/http_date.h"
#include "arkki/base/clock.h"

static void test_http_date__is_written_in_gmt(void **state)
{
	char out[HTTP_DATE_SIZE];
	int64_t us;

	(void)state;
	assert_true(clock_parse("2026-03-12T10:15:30.999999+02:00", &us));
	http_date_write(out, us);
	assert_string_equal(out, "Thu, 12 Mar 2026 08:15:30 GMT");
	http_date_write(out, 0);
	assert_string_equal(out, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_date_write(out, -1);
	assert_string_equal(out, "Wed, 31 Dec 1969 23:59:59 GMT");
}

static void test_http_date__of_one_form_alone_is_read(void **state)
{
	static const char *const wrong[] = {"", "Thu, 12 Mar 2026 08:15:30",
	    "Fri, 12 Mar 2026 08:15:30 GMT", "Thu, 12 mar 2026 08:15:30 GMT",
	    "Thu, 12 arA 2026 08:15:30 GMT", "Thu, 32 Mar 2026 08:15:30 GMT",
	    "Thu, 12 Mar 2026 24:15:30 GMT", "Thu, 12 Mar 2026 08:15:30 GMT ",
	    "Thu, 12 Mar 2026 08:15:3x GMT", "Thursday, 12-Mar-26 08:15:30 GMT",
	    "Thu Mar 12 08:15:30 2026     ", "2026-03-12T08:15:30Z"};
	int64_t us, want;

	(void)state;
	assert_true(clock_parse("2026-03-12T08:15:30Z", &want));
	assert_true(http_date_read("Thu, 12 Mar 2026 08:15:30 GMT", &us));
	assert_true(us == want);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(http_date_read(wrong[i], &us));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_http_date__is_written_in_gmt),
	    cmocka_unit_test(test_http_date__of_one_form_alone_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
