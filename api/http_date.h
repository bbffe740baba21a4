/* The date of HTTP (RFC 9110 section 5.6.7, IMF-fixdate), as Memento uses it: "Thu, 12 Mar 2026 08:15:30 GMT".
 * Pure. Threads: any. */
#ifndef ARKKI_API_HTTP_DATE_H
#define ARKKI_API_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_DATE_SIZE = 32 };

/* Whole seconds: what is left of them is cut off. Years 0 to 9999. */
void http_date_write(char out[HTTP_DATE_SIZE], int64_t time_us);
/* That form alone, with the right day of the week: RFC 7089 allows no other. */
bool http_date_read(const char *text, int64_t *ret_us);

#endif
