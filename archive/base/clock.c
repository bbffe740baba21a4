#include "arkki/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_format(char out[CLOCK_TEXT_SIZE], int64_t time_us)
{
	int64_t sec = time_us / 1000000, us = time_us % 1000000;
	time_t t;
	struct tm tm;

	if (us < 0) {
		us += 1000000;
		sec--;
	}
	t = (time_t)sec;
	gmtime_r(&t, &tm);
	snprintf(out, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000U, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday,
	    (unsigned)tm.tm_hour, (unsigned)tm.tm_min, (unsigned)tm.tm_sec, (unsigned)us);
}

static bool digits(const char **p, int n, int *ret)
{
	int v = 0;

	for (; n; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	return true;
}

static bool literal(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool day_exists(int y, int m, int d)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap);
}

bool clock_parse(const char *p, int64_t *ret_us)
{
	int y, mo, d, h = 0, mi = 0, s = 0, oh = 0, om = 0, sign = 0;
	int64_t us = 0, scale = 100000;
	struct tm tm = {0};

	if (!digits(&p, 4, &y) || !literal(&p, '-') || !digits(&p, 2, &mo) || !literal(&p, '-') ||
	    !digits(&p, 2, &d) || !day_exists(y, mo, d))
		return false;
	if (*p) {
		if ((*p != 'T' && *p != 't' && *p != ' ') || !*++p)
			return false;
		if (!digits(&p, 2, &h) || !literal(&p, ':') || !digits(&p, 2, &mi) ||
		    !literal(&p, ':') || !digits(&p, 2, &s) || h > 23 || mi > 59 || s > 60)
			return false;
		if (*p == '.') {
			int n = 0;

			for (p++; *p >= '0' && *p <= '9'; p++, n++) {
				us += scale * (*p - '0');
				scale /= 10;
			}
			if (n < 1 || n > 9)
				return false;
		}
		if (*p == 'Z' || *p == 'z') {
			p++;
		} else if (*p == '+' || *p == '-') {
			sign = *p++ == '+' ? 1 : -1;
			if (!digits(&p, 2, &oh) || !literal(&p, ':') || !digits(&p, 2, &om) ||
			    oh > 23 || om > 59)
				return false;
		} else {
			return false;
		}
		if (*p)
			return false;
	}
	tm.tm_year = y - 1900, tm.tm_mon = mo - 1, tm.tm_mday = d;
	tm.tm_hour = h, tm.tm_min = mi, tm.tm_sec = s;
	*ret_us = ((int64_t)timegm(&tm) - (int64_t)sign * (oh * 3600 + om * 60)) * 1000000 + us;
	return true;
}

bool date_valid(const char *p)
{
	int y, m, d;

	return strlen(p) == 10 && digits(&p, 4, &y) && literal(&p, '-') && digits(&p, 2, &m) &&
	       literal(&p, '-') && digits(&p, 2, &d) && y >= 1800 && y <= 2200 &&
	       day_exists(y, m, d);
}

/* Summer time by directive 2000/84/EC: from 01:00 UTC on the last Sunday of
 * March to 01:00 UTC on the last Sunday of October. */
static time_t last_sunday(int year, int month)
{
	struct tm tm = {.tm_year = year, .tm_mon = month, .tm_mday = 31, .tm_hour = 1};
	time_t t = timegm(&tm);

	return t - (time_t)tm.tm_wday * 86400;
}

void clock_day(char out[11], int64_t time_us)
{
	time_t t = (time_t)((time_us - (time_us % 1000000 + 1000000) % 1000000) / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	t +=
	    t >= last_sunday(tm.tm_year, 2) && t < last_sunday(tm.tm_year, 9) ? 3 * 3600 : 2 * 3600;
	gmtime_r(&t, &tm);
	snprintf(out, 11, "%04u-%02u-%02u", (unsigned)(tm.tm_year + 1900) % 10000U,
	    (unsigned)tm.tm_mon % 12 + 1, (unsigned)tm.tm_mday % 32);
}
