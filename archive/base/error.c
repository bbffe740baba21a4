#include "arkki/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			*text = ' ';
}

int ark_fail(struct ark_error *err, int status, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return status;
	err->status = status;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	one_line(err->text);
	return status;
}

int ark_fail_errno(struct ark_error *err, int status, const char *fmt, ...)
{
	int saved = errno;
	char buf[128];
	size_t used;
	va_list ap;

	if (!err)
		return status;
	err->status = status;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s",
	    strerror_r(saved, buf, sizeof(buf)));
	one_line(err->text);
	return status;
}

int ark_fail_within(struct ark_error *err, int status, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	size_t used;
	va_list ap;

	if (!err)
		return status;
	memcpy(inner, err->text, sizeof(inner));
	inner[sizeof(inner) - 1] = '\0';
	err->status = status;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	one_line(err->text);
	return status;
}

const char *ark_status_name(int status)
{
	switch (status) {
	case ARK_OK:
		return "ok";
	case ARK_ENOTFOUND:
		return "not found";
	case ARK_ECONFLICT:
		return "conflict";
	case ARK_EREFUSED:
		return "refused";
	case ARK_EINPUT:
		return "bad input";
	case ARK_ECORRUPT:
		return "corrupt";
	case ARK_ENOMEM:
		return "out of memory";
	case ARK_EIO:
		return "input/output error";
	default:
		return "unknown";
	}
}
