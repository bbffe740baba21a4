#include "api/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arkki/base/clock.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";

void http_date_write(char out[HTTP_DATE_SIZE], int64_t time_us)
{
	time_t t = (time_t)(time_us / 1000000 - (time_us % 1000000 < 0));
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, HTTP_DATE_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + (size_t)tm.tm_wday * 3, tm.tm_mday, months + (size_t)tm.tm_mon * 3,
	    (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Reading is writing backwards: what is not written in the same way is none. */
bool http_date_read(const char *text, int64_t *ret_us)
{
	char again[HTTP_DATE_SIZE], iso[CLOCK_TEXT_SIZE], month[4] = "";
	const char *at;

	if (strlen(text) != strlen("Thu, 12 Mar 2026 08:15:30 GMT"))
		return false;
	memcpy(month, text + 8, 3);
	at = strstr(months, month);
	if (!at || (at - months) % 3)
		return false;
	snprintf(iso, sizeof(iso), "%.4s-%02d-%.2sT%.8sZ", text + 12, (int)((at - months) / 3) + 1,
	    text + 5, text + 17);
	if (!clock_parse(iso, ret_us))
		return false;
	http_date_write(again, *ret_us);
	return strcmp(again, text) == 0;
}
