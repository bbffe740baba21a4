#include "index/query_internal.h"

#include <stdio.h>
#include <string.h>

#define YEAR_MIN 1500u
#define YEAR_MAX 2999u

static unsigned int days_of(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool query_day_valid(struct query_day d)
{
	return d.year >= YEAR_MIN && d.year <= YEAR_MAX && d.month >= 1 && d.month <= 12 &&
	       d.day >= 1 && d.day <= days_of(d.year, d.month);
}

/* Up to three numbers with the same sign between them. Their count, 0: something else. */
static size_t read_numbers(
    const char *text, size_t len, char *ret_sign, unsigned int number[3], size_t digits[3])
{
	size_t at = 0, n = 0;

	*ret_sign = '\0';
	for (;;) {
		number[n] = 0;
		digits[n] = 0;
		while (at < len && text[at] >= '0' && text[at] <= '9' && digits[n] < 5) {
			number[n] = number[n] * 10 + (unsigned int)(text[at++] - '0');
			digits[n]++;
		}
		if (!digits[n++])
			return 0;
		if (at == len)
			return n;
		if (n == 3 || (n > 1 && text[at] != *ret_sign))
			return 0;
		*ret_sign = text[at++];
	}
}

/* A day, a month or a year. month, day 0: all of it. */
static bool read_date(const char *text, size_t len, struct query_day *ret)
{
	struct query_day d = {0};
	unsigned int n[3];
	size_t digits[3], count;
	char sign;

	count = read_numbers(text, len, &sign, n, digits);
	if (count == 1 && digits[0] == 4)
		d.year = n[0];
	else if (count == 2 && sign == '-' && digits[0] == 4 && digits[1] == 2)
		d = (struct query_day){n[0], n[1], 0};
	else if (count == 2 && (sign == '.' || sign == '/') && digits[1] == 4 && digits[0] <= 2)
		d = (struct query_day){n[1], n[0], 0};
	else if (count == 3 && sign == '-' && digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2)
		d = (struct query_day){n[0], n[1], n[2]};
	else if (count == 3 && sign == '.' && digits[2] == 4 && digits[1] <= 2 && digits[0] <= 2)
		d = (struct query_day){n[2], n[1], n[0]};
	else
		return false;
	if ((count > 1 && !d.month) || (count > 2 && !d.day) ||
	    !query_day_valid(
		(struct query_day){d.year, count > 1 ? d.month : 1, count > 2 ? d.day : 1}))
		return false;
	*ret = d;
	return true;
}

bool query_day_read(const char *text, size_t len, struct query_day *ret)
{
	return read_date(text, len, ret) && ret->day;
}

static struct query_day first_of(struct query_day d)
{
	return (struct query_day){d.year, d.month ? d.month : 1, d.day ? d.day : 1};
}

static struct query_day last_of(struct query_day d)
{
	unsigned int month = d.month ? d.month : 12;

	return (struct query_day){d.year, month, d.day ? d.day : days_of(d.year, month)};
}

static struct query_day day_after(struct query_day d)
{
	if (++d.day <= days_of(d.year, d.month))
		return d;
	d.day = 1;
	if (++d.month <= 12)
		return d;
	return (struct query_day){d.year + 1, 1, 1};
}

static struct query_day day_before(struct query_day d)
{
	if (--d.day)
		return d;
	if (--d.month)
		return (struct query_day){d.year, d.month, days_of(d.year, d.month)};
	return (struct query_day){d.year - 1, 12, 31};
}

static void put_day(char out[11], struct query_day d)
{
	/* bounded as the compiler sees it, too */
	snprintf(out, 11, "%04u-%02u-%02u", d.year % 10000, d.month % 100, d.day % 100);
}

/* "<", "<=", ">", ">=", "≤", "≥", "=": its bytes. below, above: which side; equal: and the date itself. */
static size_t read_relation(const char *text, size_t len, bool *below, bool *above, bool *equal)
{
	static const struct {
		const char *sign;
		bool below, above, equal;
	} relations[] = {{"<=", true, false, true}, {">=", false, true, true},
	    {"≤", true, false, true}, {"≥", false, true, true}, {"<", true, false, false},
	    {">", false, true, false}, {"=", false, false, true}};
	size_t i, n;

	for (i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
		n = strlen(relations[i].sign);
		if (len > n && !memcmp(text, relations[i].sign, n)) {
			*below = relations[i].below;
			*above = relations[i].above;
			*equal = relations[i].equal;
			return n;
		}
	}
	return 0;
}

static bool read_one(const char *text, size_t len, char from[11], char to[11])
{
	bool below = false, above = false, equal = true;
	size_t n = read_relation(text, len, &below, &above, &equal);
	struct query_day d;

	if (!read_date(text + n, len - n, &d))
		return false;
	if (!below)
		put_day(from, equal ? first_of(d) : day_after(last_of(d)));
	if (!above)
		put_day(to, equal ? last_of(d) : day_before(first_of(d)));
	return true;
}

/* The two sides of a range; either may be empty. */
static bool read_sides(
    const char *text, size_t left, size_t right, size_t len, char from[11], char to[11])
{
	struct query_day a, b, swap;

	if (!left && right == len)
		return false;
	if (left && !read_date(text, left, &a))
		return false;
	if (right < len && !read_date(text + right, len - right, &b))
		return false;
	if (left && right < len) {
		put_day(from, first_of(a));
		put_day(to, first_of(b));
		if (strcmp(from, to) > 0) {
			swap = a;
			a = b;
			b = swap;
		}
	}
	if (left)
		put_day(from, first_of(a));
	if (right < len)
		put_day(to, last_of(b));
	return true;
}

bool query_dates_read(const char *text, size_t len, char from[11], char to[11])
{
	static const char *const between[] = {"..", "…", "–", "-"};
	size_t i, at, n;

	*from = *to = '\0';
	if (len > 32)
		return false;
	if (read_one(text, len, from, to))
		return true;
	for (i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		n = strlen(between[i]);
		for (at = 0; at + n <= len; at++) {
			if (memcmp(text + at, between[i], n) != 0)
				continue;
			/* a hyphen belongs to one date or stands between two; it opens no end */
			if (*between[i] == '-' && (!at || at + n == len))
				continue;
			if (read_sides(text, at, at + n, len, from, to))
				return true;
			*from = *to = '\0';
		}
	}
	return false;
}

static const char *const months[ANALYSE_LANGUAGES][12] = {
    [ANALYSE_FI] = {"tammikuuta", "helmikuuta", "maaliskuuta", "huhtikuuta", "toukokuuta",
	"kesäkuuta", "heinäkuuta", "elokuuta", "syyskuuta", "lokakuuta", "marraskuuta",
	"joulukuuta"},
    [ANALYSE_SV] = {"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti",
	"september", "oktober", "november", "december"},
    [ANALYSE_EN] = {"january", "february", "march", "april", "may", "june", "july", "august",
	"september", "october", "november", "december"},
};

unsigned int query_month(const char *name)
{
	unsigned int l, m;

	for (l = 0; l < ANALYSE_LANGUAGES; l++)
		for (m = 0; m < 12; m++)
			if (!strcmp(months[l][m], name))
				return m + 1;
	return 0;
}

const char *query_month_name(enum analyse_language language, unsigned int month)
{
	return months[language][month - 1];
}
