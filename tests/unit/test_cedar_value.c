/* Cedar values: order, sets, records, printing; extensions from text. */
#include "tests/unit/unit.h"

#include "policies/cedar_private.h"

static struct cedar_value number(int64_t n)
{
	return (struct cedar_value){.kind = CEDAR_LONG, .number = n};
}

static struct cedar_value string(const char *text)
{
	return (struct cedar_value){.kind = CEDAR_STRING, .text = cedar_text_of(text)};
}

static struct cedar_value entity(const char *type, const char *id)
{
	return (struct cedar_value){
	    .kind = CEDAR_ENTITY, .uid = {cedar_text_of(type), cedar_text_of(id)}};
}

static struct cedar_value extension(const char *fn, const char *text)
{
	struct cedar_value v = {0};

	if (cedar_extension(cedar_text_of(fn), cedar_text_of(text), &v, NULL))
		fail_msg("%s(\"%s\") is refused", fn, text);
	return v;
}

static void check_print(const struct cedar_value *v, const char *expect)
{
	struct buf b = BUF_INIT;

	cedar_print(v, &b);
	assert_string_equal(b.data, expect);
	buf_free(&b);
}

/* ---- order ---- */

static void test_compare__is_an_order_in_which_only_equals_are_equal(void **state)
{
	struct cedar_value nested[] = {string("x")}, other[] = {string("y")};
	struct cedar_member ab[] = {{cedar_text_of("b"), number(2)},
	    {cedar_text_of("a"), number(1)}},
			    ac[] = {{cedar_text_of("a"), number(1)},
				{cedar_text_of("c"), number(2)}},
			    ab3[] = {
				{cedar_text_of("a"), number(1)}, {cedar_text_of("b"), number(3)}};
	struct cedar_value all[] = {
	    {.kind = CEDAR_BOOL, .truth = false},
	    {.kind = CEDAR_BOOL, .truth = true},
	    number(INT64_MIN),
	    number(0),
	    number(INT64_MAX),
	    string(""),
	    string("a"),
	    string("b"),
	    string("aa"),
	    entity("A", "b"),
	    entity("A", "c"),
	    entity("B", "b"),
	    cedar_set_of(NULL, 0),
	    cedar_set_of(nested, 1),
	    cedar_set_of(other, 1),
	    {.kind = CEDAR_RECORD},
	    {.kind = CEDAR_RECORD},
	    {.kind = CEDAR_RECORD},
	    {.kind = CEDAR_RECORD},
	    extension("decimal", "0.0"),
	    extension("decimal", "0.0001"),
	    extension("ip", "10.0.0.0/8"),
	    extension("ip", "10.0.0.1/8"),
	    extension("ip", "10.0.0.0/9"),
	    extension("ip", "::"),
	    extension("datetime", "1970-01-01"),
	    extension("duration", "0ms"),
	};
	size_t n = sizeof(all) / sizeof(*all);

	(void)state;
	assert_int_equal(cedar_record_of(ab, 2, &all[16], NULL), ARK_OK);
	assert_int_equal(cedar_record_of(ac, 2, &all[17], NULL), ARK_OK);
	assert_int_equal(cedar_record_of(ab3, 2, &all[18], NULL), ARK_OK);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			int d = cedar_compare(&all[i], &all[k]);

			assert_int_equal(d == 0, i == k);
			assert_int_equal(d<0, cedar_compare(&all[k], &all[i])> 0);
		}
}

static void test_compare__sees_bytes_after_a_nul(void **state)
{
	struct cedar_value a = {.kind = CEDAR_STRING, .text = {"a\0b", 3}},
			   b = {.kind = CEDAR_STRING, .text = {"a\0c", 3}};

	(void)state;
	assert_int_not_equal(cedar_compare(&a, &b), 0);
	assert_int_equal(cedar_compare(&a, &a), 0);
}

/* ---- sets and records ---- */

static void test_set__is_sorted_without_repetition(void **state)
{
	struct cedar_value few[] = {number(3), string("x"), number(1), number(3), number(1)},
			   many[40], set;

	(void)state;
	set = cedar_set_of(few, 5);
	check_print(&set, "[1, 3, \"x\"]");
	for (int i = 0; i < 40; i++)
		many[i] = number((i * 7) % 20);
	set = cedar_set_of(many, 40);
	assert_int_equal(set.set.len, 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(set.set.items[i].number, i);
}

static void test_set__of_very_many_takes_no_quadratic_time(void **state)
{
	size_t n = 300000;
	struct cedar_value *items = calloc(n, sizeof(*items)), set;

	(void)state;
	assert_non_null(items);
	for (size_t i = 0; i < n; i++)
		items[i] = number((int64_t)((i * 2654435761u) % 100003));
	set = cedar_set_of(items, n);
	assert_int_equal(set.set.len, 100003);
	free(items);
}

static void test_record__finds_members_and_refuses_a_name_twice(void **state)
{
	static const char *const names[] = {"q", "w", "e", "r", "t", "y", "u", "i", "o", "p", "aa",
	    "ab", "abc", "", "z", "zz", "zzz"};
	enum { N = sizeof(names) / sizeof(*names) };
	struct cedar_member members[N + 1];
	struct cedar_value record = {0};

	(void)state;
	for (size_t n = 1; n <= N; n++) { /* short ones are searched in another way */
		for (size_t i = 0; i < n; i++)
			members[i] =
			    (struct cedar_member){cedar_text_of(names[i]), number((int64_t)i)};
		assert_int_equal(cedar_record_of(members, n, &record, NULL), ARK_OK);
		for (size_t i = 0; i < N; i++) {
			const struct cedar_value *v =
			    cedar_member_get(&record, cedar_text_of(names[i]));

			assert_int_equal(v != NULL, i < n);
			if (v)
				assert_int_equal(v->number, i);
		}
	}
	members[N] = (struct cedar_member){cedar_text_of("zz"), number(1)};
	assert_int_equal(cedar_record_of(members, N + 1, &record, NULL), ARK_EINPUT);
}

static void test_print__writes_what_cedar_reads(void **state)
{
	struct cedar_member members[] = {
	    {{"k\0\"\\", 4}, number(-1)}, {cedar_text_of("a"), entity("Ns::T", "i\n\x01"
									       "ä")}};
	struct cedar_value record = {0};

	(void)state;
	assert_int_equal(cedar_record_of(members, 2, &record, NULL), ARK_OK);
	check_print(&record, "{\"a\": Ns::T::\"i\\n\\u{1}ä\", \"k\\0\\\"\\\\\": -1}");
}

/* ---- extensions ---- */

struct accepted {
	const char *text, *printed;
};

static void check_accepted(const char *fn, const struct accepted *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cedar_value v = extension(fn, table[i].text);

		check_print(&v, table[i].printed);
	}
}

static void check_refused(const char *fn, const char *const *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cedar_value v = number(7);
		struct ark_error err = {0};

		if (cedar_extension(cedar_text_of(fn), cedar_text_of(table[i]), &v, &err) !=
		    ARK_EINPUT)
			fail_msg("%s(\"%s\") is accepted", fn, table[i]);
		assert_true(err.text[0]);
		assert_int_equal(v.kind, CEDAR_LONG);
	}
}
#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static void test_decimal__has_four_digits_and_no_overflow(void **state)
{
	static const struct accepted good[] = {
	    {"1.0", "decimal(\"1.0000\")"},
	    {"-0.5", "decimal(\"-0.5000\")"},
	    {"-0.0", "decimal(\"0.0000\")"},
	    {"0.0001", "decimal(\"0.0001\")"},
	    {"0000000000000000000000012.34", "decimal(\"12.3400\")"},
	    {"922337203685477.5807", "decimal(\"922337203685477.5807\")"},
	    {"-922337203685477.5808", "decimal(\"-922337203685477.5808\")"},
	};
	static const char *const bad[] = {"", "-", ".", "1", "1.", ".1", "-.1", "+1.0", "1.x",
	    "1.0x", " 1.0", "1.0 ", "1.00000", "--1.0", "1.-1", "1.0.0", "922337203685477.5808",
	    "-922337203685477.5809", "9223372036854775807.0", "99999999999999999999.0", "١.٢",
	    "1,0"};

	(void)state;
	check_accepted("decimal", good, COUNT(good));
	check_refused("decimal", bad, COUNT(bad));
}

static void test_ip__takes_strict_addresses_and_prefixes(void **state)
{
	static const struct accepted good[] = {
	    {"127.0.0.1", "ip(\"127.0.0.1\")"},
	    {"127.0.0.1/24", "ip(\"127.0.0.1/24\")"},
	    {"0.0.0.0/0", "ip(\"0.0.0.0/0\")"},
	    {"1.2.3.4/32", "ip(\"1.2.3.4\")"},
	    {"::1", "ip(\"::1\")"},
	    {"::/0", "ip(\"::/0\")"},
	    {"FFEE::/64", "ip(\"ffee::/64\")"},
	    {"2001:db8:1:2:3:4:5:6", "ip(\"2001:db8:1:2:3:4:5:6\")"},
	    {"1:2:3:4:5:6:7::", "ip(\"1:2:3:4:5:6:7:0\")"},
	};
	static const char *const bad[] = {"", "/", "/8", "1.2.3", "1.2.3.4.5", "01.2.3.4",
	    "1.2.3.256", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/032", "1.2.3.4/08", "1.2.3.4/00",
	    "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3.4/8/8", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/8 ",
	    "::/129", "::/0128", ":::", "1::2::3", "12345::", "g::", "::ffff:127.0.0.1",
	    "::1.2.3.4", "fe80::1%lo", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7",
	    "1:2:3:4:5:6:7:8::", "0000:0000:0000:0000:0000:0000:0000:0000/0000"};
	struct cedar_value v;

	(void)state;
	check_accepted("ip", good, COUNT(good));
	check_refused("ip", bad, COUNT(bad));
	assert_int_equal(
	    cedar_extension(cedar_text_of("ip"), (struct cedar_text){"1.2.3.4\0", 8}, &v, NULL),
	    ARK_EINPUT);
}

static void test_datetime__takes_real_days_times_and_offsets(void **state)
{
	static const struct accepted good[] = {
	    {"2024-10-15", "datetime(\"2024-10-15\")"},
	    {"2024-10-15T11:38:02Z", "datetime(\"2024-10-15T11:38:02Z\")"},
	    {"2024-10-15T11:38:02.101Z", "datetime(\"2024-10-15T11:38:02.101Z\")"},
	    {"2024-10-15T11:38:02.101+1134", "datetime(\"2024-10-15T00:04:02.101Z\")"},
	    {"2024-10-15T11:38:02-1134", "datetime(\"2024-10-15T23:12:02Z\")"},
	    {"2024-10-15T23:59:00+2359", "datetime(\"2024-10-15\")"},
	    {"2024-10-15T00:00:00-2359", "datetime(\"2024-10-15T23:59:00Z\")"},
	    {"2024-02-29", "datetime(\"2024-02-29\")"},
	    {"2000-02-29", "datetime(\"2000-02-29\")"},
	    {"1900-03-01", "datetime(\"1900-03-01\")"},
	    {"0000-01-01", "datetime(\"0000-01-01\")"},
	    {"9999-12-31T23:59:59.999Z", "datetime(\"9999-12-31T23:59:59.999Z\")"},
	    {"1969-12-31T23:59:59.999Z", "datetime(\"1969-12-31T23:59:59.999Z\")"},
	    {"1970-01-01T00:00:00.000-0000", "datetime(\"1970-01-01\")"},
	    {"0000-01-01T00:00:00+0001",
		"datetime(\"1970-01-01\").offset(duration(\"-62167219260000ms\"))"},
	};
	static const char *const bad[] = {"", "a", "-", "-1", "11-12-13", "1111-1x-20",
	    "0000-0a-01", "10000-01-01", "2024-00-01", "2024-01-00", "2024-02-30", "2025-02-29",
	    "1900-02-29", "2024-20-01", "2024-01-32", "2024-04-31", "2024-10-15Z", "2024-01-01T",
	    "2024-01-01Ta", "2024-01-01T01:", "2024-01-01T01:02", "2024-01-01T01:02:0b",
	    "2024-01-01T01::02:03", "2024-01-01T31:02:03Z", "2024-01-01T24:00:00Z",
	    "2024-01-01T01:60:03Z", "2016-12-31T23:59:60Z", "2024-01-01T00:00:00",
	    "2024-01-01T00:00:00T", "2024-01-01T00:00:00ZZ", "2024-01-01T00:00:00x001Z",
	    "2024-01-01T00:00:00.001ZZ", "2024-01-01T00:00:00.0001Z", "2024-01-01T00:00:00.01Z",
	    "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00➕0000", "2024-01-01T00:00:00.001+00000",
	    "2016-12-31T00:00:00+1160", "2016-12-31T00:00:00+2400", "2016-12-31T00:00:00+12:00",
	    "2016-12-31t00:00:00Z", "2016-12-31T00:00:00z", " 2016-12-31", "2016-12-31 "};
	struct cedar_value v = extension("datetime", "2024-10-28T10:12:13.456-0700");

	(void)state;
	assert_int_equal(v.number, 1730135533456);
	check_accepted("datetime", good, COUNT(good));
	check_refused("datetime", bad, COUNT(bad));
}

static void test_duration__goes_from_days_to_milliseconds(void **state)
{
	static const struct accepted good[] = {
	    {"1d2h3m4s50ms", "duration(\"93784050ms\")"},
	    {"-10h", "duration(\"-36000000ms\")"},
	    {"5d3ms", "duration(\"432000003ms\")"},
	    {"-3h5m", "duration(\"-11100000ms\")"},
	    {"5m", "duration(\"300000ms\")"},
	    {"5ms", "duration(\"5ms\")"},
	    {"00000000000000000000000001s", "duration(\"1000ms\")"},
	    {"9223372036854775807ms", "duration(\"9223372036854775807ms\")"},
	    {"-9223372036854775808ms", "duration(\"-9223372036854775808ms\")"},
	    {"106751991167d7h12m55s807ms", "duration(\"9223372036854775807ms\")"},
	    {"-106751991167d7h12m55s808ms", "duration(\"-9223372036854775808ms\")"},
	};
	static const char *const bad[] = {"", "a", "-", "➖1ms", "11dd", "00000mm", "-d", "-h",
	    "-1hh", "-h2d", "-ms", "1ms1s", "1ms1m", "1ms1h", "0ms1d", "1s1m", "1s1h", "0s0d",
	    "0m0h", "0m0d", "1h1d", "1ms1m1d", "1", "1d ", " 1d", "+1d", "1d-1h", "1D", "1.5h",
	    "9223372036854775808ms", "-9223372036854775809ms", "106751991167d7h12m55s808ms",
	    "-106751991167d7h12m55s809ms", "99999999999999999999d", "9223372036854775807s"};

	(void)state;
	check_accepted("duration", good, COUNT(good));
	check_refused("duration", bad, COUNT(bad));
}

static void test_extension__refuses_methods_and_unknown_names(void **state)
{
	static const char *const names[] = {"isIpv4", "offset", "toDate", "nothing", ""};
	struct cedar_value v;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(
		    cedar_extension(cedar_text_of(names[i]), cedar_text_of("1.0"), &v, NULL),
		    ARK_EINPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compare__is_an_order_in_which_only_equals_are_equal),
	    cmocka_unit_test(test_compare__sees_bytes_after_a_nul),
	    cmocka_unit_test(test_set__is_sorted_without_repetition),
	    cmocka_unit_test(test_set__of_very_many_takes_no_quadratic_time),
	    cmocka_unit_test(test_record__finds_members_and_refuses_a_name_twice),
	    cmocka_unit_test(test_print__writes_what_cedar_reads),
	    cmocka_unit_test(test_decimal__has_four_digits_and_no_overflow),
	    cmocka_unit_test(test_ip__takes_strict_addresses_and_prefixes),
	    cmocka_unit_test(test_datetime__takes_real_days_times_and_offsets),
	    cmocka_unit_test(test_duration__goes_from_days_to_milliseconds),
	    cmocka_unit_test(test_extension__refuses_methods_and_unknown_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
