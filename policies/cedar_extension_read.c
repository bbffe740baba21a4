/* The texts that decimal, ip, datetime and duration take. Each reader gives NULL, or what is wrong. */
#include "policies/cedar_extension.h"

#include <arpa/inet.h>
#include <string.h>

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

const char *cedar_extension_read(enum cedar_fn fn, struct cedar_text arg, struct cedar_value *ret)
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
