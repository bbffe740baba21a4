#include "policies/cedar_extension.h"
#include "policies/cedar_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MS_SECOND ((int64_t)1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR (60 * MS_MINUTE)
#define MS_DAY (24 * MS_HOUR)

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

/* ---- reading ---- */

/* What is left of a text. */
struct cursor {
	const char *at, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static size_t digits(const struct cursor *c)
{
	size_t n = 0;

	while (c->at + n < c->end && is_digit(c->at[n]))
		n++;
	return n;
}

/* The n digits that come next, as a number of the sign; false on overflow. Leading zeros are free. */
static bool take_number(struct cursor *c, size_t n, bool negative, int64_t *ret)
{
	int64_t number = 0;

	for (; n > 0; n--, c->at++) {
		int digit = *c->at - '0';

		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, negative ? -digit : digit, &number))
			return false;
	}
	*ret = number;
	return true;
}

static bool take_fixed(struct cursor *c, size_t n, int *ret)
{
	int64_t number = 0;

	if (digits(c) < n || !take_number(c, n, false, &number))
		return false;
	*ret = (int)number;
	return true;
}

static const char *read_decimal(struct cursor c, struct cedar_value *ret)
{
	bool negative = take(&c, '-');
	size_t n = digits(&c);
	int64_t whole = 0, part = 0;

	if (n == 0)
		return "is not of the form 12.34";
	if (!take_number(&c, n, negative, &whole))
		return "is beyond the range of a decimal";
	if (!take(&c, '.'))
		return "is not of the form 12.34";
	n = digits(&c);
	if (n == 0 || c.at + n != c.end)
		return "is not of the form 12.34";
	if (n > 4)
		return "has more than four digits after the point";
	if (!take_number(&c, n, negative, &part))
		return "is beyond the range of a decimal";
	for (; n < 4; n++)
		part *= 10;
	if (__builtin_mul_overflow(whole, 10000, &whole) ||
	    __builtin_add_overflow(whole, part, &whole))
		return "is beyond the range of a decimal";
	ret->kind = CEDAR_DECIMAL;
	ret->number = whole;
	return NULL;
}

/* At most as many digits as the width of an address needs, no leading zero. */
static bool read_prefix(struct cursor c, int bits, uint8_t *ret)
{
	size_t n = digits(&c);
	int64_t prefix = 0;

	if (n == 0 || n > (bits == 32 ? 2u : 3u) || c.at + n != c.end)
		return false;
	if (n > 1 && *c.at == '0')
		return false;
	if (!take_number(&c, n, false, &prefix) || prefix > bits)
		return false;
	*ret = (uint8_t)prefix;
	return true;
}

static const char *read_ip(struct cursor c, struct cedar_value *ret)
{
	enum { LONGEST = 43 }; /* an IPv6 address in full, a slash, three digits */
	static const char wrong[] =
	    "is not an IP address or range such as 127.0.0.1/24 or ffee::/64";
	size_t len = (size_t)(c.end - c.at);
	char text[LONGEST + 1];
	const char *slash;
	int bits;

	if (len == 0 || len > LONGEST || memchr(c.at, '\0', len))
		return wrong;
	memcpy(text, c.at, len);
	text[len] = '\0';
	slash = memchr(c.at, '/', len);
	if (slash)
		text[slash - c.at] = '\0';
	bits = strchr(text, ':') ? 128 : 32;
	if (bits == 128 && strchr(text, '.'))
		return "is an IPv4 address within an IPv6 one, which Cedar does not accept";
	memset(ret->ip, 0, sizeof(ret->ip));
	if (inet_pton(bits == 32 ? AF_INET : AF_INET6, text, ret->ip) != 1)
		return wrong;
	ret->kind = CEDAR_IPADDR;
	ret->ip_bits = (uint8_t)bits;
	ret->ip_prefix = (uint8_t)bits;
	if (slash && !read_prefix((struct cursor){slash + 1, c.end}, bits, &ret->ip_prefix))
		return "has no valid length of a prefix after the slash";
	return NULL;
}

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar; years count from March, so
 * that the leap day is the last of its year. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, era = (y >= 0 ? y : y - 399) / 400;
	int64_t in_era = y - era * 400;
	int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

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

static bool real_day(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= lengths[month - 1] + (month == 2 && leap);
}

/* "Z", "+hhmm" or "-hhmm", and nothing after it: how many milliseconds ahead of UTC. */
static const char *read_offset(struct cursor *c, int64_t *ret)
{
	bool ahead;
	int hours = 0, minutes = 0;

	*ret = 0;
	if (take(c, 'Z'))
		return c->at == c->end ? NULL : "goes on after its Z";
	ahead = take(c, '+');
	if (!ahead && !take(c, '-'))
		return "does not end with Z or an offset such as +0200";
	if (!take_fixed(c, 2, &hours) || !take_fixed(c, 2, &minutes) || c->at != c->end)
		return "does not end with Z or an offset such as +0200";
	if (hours > 23 || minutes > 59)
		return "has an offset beyond 23 hours and 59 minutes";
	*ret = (hours * MS_HOUR + minutes * MS_MINUTE) * (ahead ? 1 : -1);
	return NULL;
}

static const char *read_time(struct cursor *c, int64_t *ret)
{
	static const char wrong[] = "has no THH:MM:SS after its date";
	int hour = 0, minute = 0, second = 0, ms = 0;
	int64_t offset = 0;
	const char *fault;

	if (!take(c, 'T') || !take_fixed(c, 2, &hour) || !take(c, ':') ||
	    !take_fixed(c, 2, &minute) || !take(c, ':') || !take_fixed(c, 2, &second))
		return wrong;
	if (take(c, '.') && !take_fixed(c, 3, &ms))
		return "has no three digits after the point";
	fault = read_offset(c, &offset);
	if (fault)
		return fault;
	if (hour > 23 || minute > 59 || second > 59)
		return "has no such time of day";
	*ret = hour * MS_HOUR + minute * MS_MINUTE + second * MS_SECOND + ms - offset;
	return NULL;
}

static const char *read_datetime(struct cursor c, struct cedar_value *ret)
{
	int year = 0, month = 0, day = 0;
	int64_t time = 0;
	const char *fault;

	if (!take_fixed(&c, 4, &year) || !take(&c, '-') || !take_fixed(&c, 2, &month) ||
	    !take(&c, '-') || !take_fixed(&c, 2, &day))
		return "does not begin with YYYY-MM-DD";
	if (c.at != c.end) {
		fault = read_time(&c, &time);
		if (fault)
			return fault;
	}
	if (!real_day(year, month, day))
		return "is not a day of the calendar";
	ret->kind = CEDAR_DATETIME;
	ret->number = days_of(year, month, day) * MS_DAY + time;
	return NULL;
}

/* One quantity and its unit; units only from longer to shorter. */
static const char *read_part(struct cursor *c, bool negative, size_t *unit, int64_t *total)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"d", MS_DAY}, {"h", MS_HOUR}, {"m", MS_MINUTE}, {"s", MS_SECOND}, {"ms", 1}};
	size_t n = digits(c), left;
	int64_t number = 0;
	bool fits;

	if (n == 0)
		return "is not of the form 1d2h3m4s50ms";
	left = (size_t)(c->end - c->at) - n;
	fits = take_number(c, n, negative, &number);
	if (!fits)
		c->at = c->end - left;
	for (; *unit < sizeof(units) / sizeof(*units); ++*unit) {
		size_t len = strlen(units[*unit].name);

		if (left < len || memcmp(c->at, units[*unit].name, len) != 0)
			continue;
		if (len == 1 && *c->at == 'm' && left > 1 && c->at[1] == 's')
			continue; /* ms */
		c->at += len;
		if (!fits || __builtin_mul_overflow(number, units[*unit].ms, &number) ||
		    __builtin_add_overflow(*total, number, total))
			return "is beyond the range of a duration";
		++*unit;
		return NULL;
	}
	return "is not of the form 1d2h3m4s50ms";
}

static const char *read_duration(struct cursor c, struct cedar_value *ret)
{
	bool negative = take(&c, '-');
	const char *fault = NULL;
	size_t unit = 0;
	int64_t total = 0;

	if (c.at == c.end)
		return "is not of the form 1d2h3m4s50ms";
	while (!fault && c.at < c.end)
		fault = read_part(&c, negative, &unit, &total);
	if (fault)
		return fault;
	ret->kind = CEDAR_DURATION;
	ret->number = total;
	return NULL;
}

static const char *construct(enum cedar_fn fn, struct cedar_text arg, struct cedar_value *ret)
{
	struct cursor c = {arg.bytes, arg.bytes + arg.len};

	switch (fn) {
	case FN_DECIMAL:
		return read_decimal(c, ret);
	case FN_IP:
		return read_ip(c, ret);
	case FN_DATETIME:
		return read_datetime(c, ret);
	case FN_DURATION:
		return read_duration(c, ret);
	default:
		return "is not read by this function";
	}
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
	fault = construct(which, arg, &v);
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
		fault = construct(fn, args[0].text, &v);
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
