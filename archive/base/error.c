#include "arkki/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One line; and where it was cut to fit, not inside a character: the text becomes JSON. */
static void tidy(struct ark_error *err)
{
	char *text = err->text;
	size_t n = strlen(text);

	if (n == sizeof(err->text) - 1) {
		while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
			n--;
		if (n > 0 && ((unsigned char)text[n - 1] & 0x80))
			n--;
		text[n] = '\0';
	}
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
	tidy(err);
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
	tidy(err);
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
	tidy(err);
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
	case ARK_EGONE:
		return "destroyed";
	default:
		return "unknown";
	}
}
