/* Time as RFC 3339 UTC text, and calendar dates.
 *
 * Times are int64_t microseconds since 1970-01-01T00:00:00Z (`_us` names).
 */
#ifndef ARKKI_BASE_CLOCK_H
#define ARKKI_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 32 /* "2026-03-12T08:15:30.123456Z" and NUL fit */

int64_t clock_now_us(void);       /* wall clock */
int64_t clock_monotonic_us(void); /* for deadlines */
void clock_format(char out[CLOCK_TEXT_SIZE], int64_t time_us);
/* RFC 3339 date-time with any offset, fraction up to 9 digits kept to µs; or a
 * date alone (midnight UTC). False when malformed. */
bool clock_parse(const char *text, int64_t *ret_us);
/* The calendar day "YYYY-MM-DD" at that time in Finland (EU summer time; no time-zone data needed):
 * what a law means by a date. */
void clock_day(char out[11], int64_t time_us);
/* "YYYY-MM-DD", a real day of years 1800–2200. */
bool date_valid(const char *text);

#endif
