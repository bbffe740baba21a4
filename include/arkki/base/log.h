/* The server's own log: what an operator must hear, a line each, on standard error.
 *
 * As text, "arkki: scrub: …"; with ARKKI_LOG=json in the environment one JSON object a line,
 * {"time","level","area","text", fields}. Under systemd each line begins with its level ("<4>"), as sd-daemon(3) says.
 * A line never holds a query, purpose, title, file name or person: that is its caller's duty.
 *
 * Threads: any; a line is written by one write(2). Nothing is told of a line that cannot be written.
 */
#ifndef ARKKI_BASE_LOG_H
#define ARKKI_BASE_LOG_H

#include <jansson.h>

#include "arkki/base/error.h"

enum ark_level {             /* of syslog(3) */
	ARK_LOG_ERROR = 3,   /* something is lost or refused until a person acts */
	ARK_LOG_WARNING = 4, /* failed and will be tried again */
	ARK_LOG_NOTICE = 5,
	ARK_LOG_INFO = 6, /* of each request */
};

/* area: "scrub", "index", …: a word that is always the same. At most 1,000 bytes of text are written; control
 * characters in it become spaces. */
void ark_log(enum ark_level level, const char *area, const char *fmt, ...) ARK_PRINTF(3, 4);
/* The same with members beside the text. Takes fields. */
void ark_log_fields(enum ark_level level, const char *area, json_t *fields, const char *fmt, ...)
    ARK_PRINTF(4, 5);

#endif
