#include "arkki/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/buf.h"
#include "arkki/base/clock.h"

enum { TEXT_MAX = 1000 };

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static bool as_json, with_level;

static void look(void)
{
	const char *format = getenv("ARKKI_LOG");

	as_json = format && strcmp(format, "json") == 0;
	with_level = getenv("JOURNAL_STREAM") != NULL;
}

/* One line stays one line, whatever an error's text has brought along. */
static void tidy(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

static const char *level_name(enum ark_level level)
{
	static const char *const names[] = {
	    [ARK_LOG_ERROR] = "error",
	    [ARK_LOG_WARNING] = "warning",
	    [ARK_LOG_NOTICE] = "notice",
	    [ARK_LOG_INFO] = "info",
	};

	return names[level];
}

static void add_json(
    struct buf *line, enum ark_level level, const char *area, json_t *fields, const char *text)
{
	char now[CLOCK_TEXT_SIZE];
	json_t *object;
	char *made;

	clock_format(now, clock_now_us());
	object = json_pack("{s:s,s:s,s:s}", "time", now, "level", level_name(level), "area", area);
	/* a text that is not UTF-8 is left out rather than the line */
	json_object_set_new(object, "text", json_string(text));
	if (fields)
		json_object_update_missing(object, fields);
	made = object ? json_dumps(object, JSON_COMPACT) : NULL;
	buf_addf(line, "%s\n", made ? made : "{}");
	free(made);
	json_decref(object);
}

static void write_line(enum ark_level level, const char *area, json_t *fields, const char *fmt,
    va_list values) ARK_PRINTF(4, 0);
static void write_line(
    enum ark_level level, const char *area, json_t *fields, const char *fmt, va_list values)
{
	struct buf line = BUF_INIT;
	char text[TEXT_MAX + 1];
	ssize_t written;

	pthread_once(&looked, look);
	vsnprintf(text, sizeof(text), fmt, values);
	tidy(text);
	if (with_level)
		buf_addf(&line, "<%d>", (int)level);
	if (as_json)
		add_json(&line, level, area, fields, text);
	else
		buf_addf(&line, "arkki: %s: %s\n", area, text);
	do
		written = line.data ? write(STDERR_FILENO, line.data, line.len) : 0;
	while (written < 0 && errno == EINTR);
	buf_free(&line);
	json_decref(fields);
}

void ark_log(enum ark_level level, const char *area, const char *fmt, ...)
{
	va_list values;

	va_start(values, fmt);
	write_line(level, area, NULL, fmt, values);
	va_end(values);
}

void ark_log_fields(enum ark_level level, const char *area, json_t *fields, const char *fmt, ...)
{
	va_list values;

	va_start(values, fmt);
	write_line(level, area, fields, fmt, values);
	va_end(values);
}
