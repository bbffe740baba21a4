#include "policies/cedar_extension.h"
#include "policies/cedar_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const fn_names[] = {
    [FN_DECIMAL] = "decimal",
    [FN_IP] = "ip",
    [FN_DATETIME] = "datetime",
    [FN_DURATION] = "duration",
    [FN_LESS_THAN] = "lessThan",
    [FN_LESS_THAN_OR_EQUAL] = "lessThanOrEqual",
    [FN_GREATER_THAN] = "greaterThan",
    [FN_GREATER_THAN_OR_EQUAL] = "greaterThanOrEqual",
    [FN_IS_IPV4] = "isIpv4",
    [FN_IS_IPV6] = "isIpv6",
    [FN_IS_LOOPBACK] = "isLoopback",
    [FN_IS_MULTICAST] = "isMulticast",
    [FN_IS_IN_RANGE] = "isInRange",
    [FN_OFFSET] = "offset",
    [FN_DURATION_SINCE] = "durationSince",
    [FN_TO_DATE] = "toDate",
    [FN_TO_TIME] = "toTime",
    [FN_TO_MILLISECONDS] = "toMilliseconds",
    [FN_TO_SECONDS] = "toSeconds",
    [FN_TO_MINUTES] = "toMinutes",
    [FN_TO_HOURS] = "toHours",
    [FN_TO_DAYS] = "toDays",
};
enum { FN_COUNT = sizeof(fn_names) / sizeof(*fn_names) };

const char *cedar_extension_name(enum cedar_fn fn)
{
	return fn_names[fn];
}

bool cedar_extension_named(struct cedar_text name, enum cedar_fn *ret)
{
	for (int i = 0; i < FN_COUNT; i++)
		if (cedar_text_equal(name, cedar_text_of(fn_names[i]))) {
			*ret = (enum cedar_fn)i;
			return true;
		}
	return false;
}

const char *cedar_kind_name(enum cedar_kind kind)
{
	static const char *const names[] = {
	    [CEDAR_BOOL] = "a boolean",
	    [CEDAR_LONG] = "a long",
	    [CEDAR_STRING] = "a string",
	    [CEDAR_ENTITY] = "an entity",
	    [CEDAR_SET] = "a set",
	    [CEDAR_RECORD] = "a record",
	    [CEDAR_DECIMAL] = "a decimal",
	    [CEDAR_IPADDR] = "an ipaddr",
	    [CEDAR_DATETIME] = "a datetime",
	    [CEDAR_DURATION] = "a duration",
	};

	return names[kind];
}

static int fail_text(struct ark_error *err, int status, struct cedar_text arg, const char *fault)
{
	return ark_fail(
	    err, status, "\"%.*s\" %s", cedar_shown(arg), arg.len ? arg.bytes : "", fault);
}

int cedar_extension(
    struct cedar_text fn, struct cedar_text arg, struct cedar_value *ret, struct ark_error *err)
{
	struct cedar_value v = {.kind = CEDAR_BOOL};
	enum cedar_fn which;
	const char *fault;

	if (!cedar_extension_named(fn, &which) || which > FN_DURATION)
		return fail_text(err, ARK_EINPUT, fn,
		    "makes no value: decimal, ip, datetime and "
		    "duration do");
	fault = cedar_extension_read(which, arg, &v);
	if (fault)
		return fail_text(err, ARK_EINPUT, arg, fault);
	*ret = v;
	return ARK_OK;
}

/* ---- methods ---- */

/* Kinds of the receiver and of each further argument. */
static enum cedar_kind kind_wanted(enum cedar_fn fn, size_t arg)
{
	if (fn <= FN_DURATION)
		return CEDAR_STRING;
	if (fn <= FN_GREATER_THAN_OR_EQUAL)
		return CEDAR_DECIMAL;
	if (fn <= FN_IS_IN_RANGE)
		return CEDAR_IPADDR;
	if (fn >= FN_TO_MILLISECONDS || (fn == FN_OFFSET && arg == 1))
		return CEDAR_DURATION;
	return CEDAR_DATETIME;
}

static bool takes(enum cedar_fn fn, size_t n)
{
	if ((fn >= FN_LESS_THAN && fn <= FN_GREATER_THAN_OR_EQUAL) || fn == FN_IS_IN_RANGE)
		return n == 2;
	return n == (fn == FN_OFFSET || fn == FN_DURATION_SINCE ? 2 : 1);
}

/* Do the first `bits` bits agree? */
static bool same_network(const unsigned char *a, const unsigned char *b, unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & (0xff00 >> rest) & 0xff) == 0;
}

static bool in_range(const struct cedar_value *a, const struct cedar_value *range)
{
	return a->ip_bits == range->ip_bits && range->ip_prefix <= a->ip_prefix &&
	       same_network(a->ip, range->ip, range->ip_prefix);
}

static bool is_loopback(const struct cedar_value *v)
{
	static const unsigned char one[16] = {[15] = 1};

	if (v->ip_bits == 32)
		return v->ip[0] == 127 && v->ip_prefix >= 8;
	return memcmp(v->ip, one, sizeof(one)) == 0 && v->ip_prefix == 128;
}

static bool is_multicast(const struct cedar_value *v)
{
	if (v->ip_bits == 32)
		return (v->ip[0] & 0xf0) == 0xe0 && v->ip_prefix >= 4;
	return v->ip[0] == 0xff && v->ip_prefix >= 8;
}

static bool test(enum cedar_fn fn, const struct cedar_value *args)
{
	switch (fn) {
	case FN_LESS_THAN:
		return args[0].number < args[1].number;
	case FN_LESS_THAN_OR_EQUAL:
		return args[0].number <= args[1].number;
	case FN_GREATER_THAN:
		return args[0].number > args[1].number;
	case FN_GREATER_THAN_OR_EQUAL:
		return args[0].number >= args[1].number;
	case FN_IS_IPV4:
		return args[0].ip_bits == 32;
	case FN_IS_IPV6:
		return args[0].ip_bits == 128;
	case FN_IS_LOOPBACK:
		return is_loopback(&args[0]);
	case FN_IS_MULTICAST:
		return is_multicast(&args[0]);
	default:
		return in_range(&args[0], &args[1]);
	}
}

/* Milliseconds since the last midnight UTC, also before 1970. */
static int64_t time_of_day(int64_t ms)
{
	int64_t rest = ms % MS_DAY;

	return rest < 0 ? rest + MS_DAY : rest;
}

static bool reckon(enum cedar_fn fn, const struct cedar_value *args, struct cedar_value *ret)
{
	int64_t ms = args[0].number;

	ret->kind = CEDAR_LONG;
	switch (fn) {
	case FN_OFFSET:
		ret->kind = CEDAR_DATETIME;
		return !__builtin_add_overflow(ms, args[1].number, &ret->number);
	case FN_DURATION_SINCE:
		ret->kind = CEDAR_DURATION;
		return !__builtin_sub_overflow(ms, args[1].number, &ret->number);
	case FN_TO_DATE:
		ret->kind = CEDAR_DATETIME;
		return !__builtin_sub_overflow(ms, time_of_day(ms), &ret->number);
	case FN_TO_TIME:
		ret->kind = CEDAR_DURATION;
		ret->number = time_of_day(ms);
		return true;
	case FN_TO_SECONDS:
		ret->number = ms / MS_SECOND;
		return true;
	case FN_TO_MINUTES:
		ret->number = ms / MS_MINUTE;
		return true;
	case FN_TO_HOURS:
		ret->number = ms / MS_HOUR;
		return true;
	case FN_TO_DAYS:
		ret->number = ms / MS_DAY;
		return true;
	default:
		ret->number = ms;
		return true;
	}
}

int cedar_extension_call(enum cedar_fn fn, const struct cedar_value *args, size_t n,
    struct cedar_value *ret, struct ark_error *err)
{
	struct cedar_value v = {.kind = CEDAR_BOOL};
	const char *fault;

	if (!takes(fn, n))
		return ark_fail(err, 1, "%s does not take %zu arguments", fn_names[fn], n);
	for (size_t i = 0; i < n; i++)
		if (args[i].kind != kind_wanted(fn, i))
			return ark_fail(err, 1, "%s takes %s, not %s", fn_names[fn],
			    cedar_kind_name(kind_wanted(fn, i)), cedar_kind_name(args[i].kind));
	if (fn <= FN_DURATION) {
		fault = cedar_extension_read(fn, args[0].text, &v);
		if (fault)
			return fail_text(err, 1, args[0].text, fault);
	} else if (fn <= FN_IS_IN_RANGE) {
		v.truth = test(fn, args);
	} else if (!reckon(fn, args, &v)) {
		return ark_fail(err, 1, "%s overflows", fn_names[fn]);
	}
	*ret = v;
	return ARK_OK;
}

/* ---- printing ---- */

static void date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097,
		in_era = z - era * 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * in_year + 2) / 153;

	*ret_day = (int)(in_year - (153 * m + 2) / 5 + 1);
	*ret_month = (int)(m < 10 ? m + 3 : m - 9);
	*ret_year = y + era * 400 + (*ret_month <= 2);
}

static void print_decimal(int64_t number, struct buf *out)
{
	uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;

	buf_addf(out, "decimal(\"%s%" PRIu64 ".%04" PRIu64 "\")", number < 0 ? "-" : "",
	    size / 10000, size % 10000);
}

static void print_ip(const struct cedar_value *v, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(v->ip_bits == 32 ? AF_INET : AF_INET6, v->ip, text, sizeof(text));
	buf_addf(out, "ip(\"%s", text);
	if (v->ip_prefix != v->ip_bits)
		buf_addf(out, "/%u", v->ip_prefix);
	buf_adds(out, "\")");
}

static void print_datetime(int64_t ms, struct buf *out)
{
	int64_t time = time_of_day(ms), days = (ms - ms % MS_DAY) / MS_DAY - (ms % MS_DAY < 0),
		year = 0;
	int month = 0, day = 0;

	date_of(days, &year, &month, &day);
	if (year < 0 || year > 9999) { /* no text that datetime() reads */
		buf_addf(out, "datetime(\"1970-01-01\").offset(duration(\"%" PRId64 "ms\"))", ms);
		return;
	}
	buf_addf(out, "datetime(\"%04" PRId64 "-%02d-%02d", year, month, day);
	if (time)
		buf_addf(out, "T%02d:%02d:%02d", (int)(time / MS_HOUR),
		    (int)(time % MS_HOUR / MS_MINUTE), (int)(time % MS_MINUTE / MS_SECOND));
	if (time % MS_SECOND)
		buf_addf(out, ".%03d", (int)(time % MS_SECOND));
	buf_adds(out, time ? "Z\")" : "\")");
}

void cedar_extension_print(const struct cedar_value *v, struct buf *out)
{
	if (v->kind == CEDAR_DECIMAL)
		print_decimal(v->number, out);
	else if (v->kind == CEDAR_IPADDR)
		print_ip(v, out);
	else if (v->kind == CEDAR_DATETIME)
		print_datetime(v->number, out);
	else
		buf_addf(out, "duration(\"%" PRId64 "ms\")", v->number);
}
