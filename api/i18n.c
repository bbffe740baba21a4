#include "api/i18n.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static const char *const texts[SAY_COUNT][I18N_LANGUAGES] = {
#define TEXT(name, fi, sv, en) [SAY_##name] = {fi, sv, en},
#define PLURAL(name, fi1, fin, sv1, svn, en1, enn)                                                 \
	[SAY_##name] = {fi1, sv1, en1}, [SAY_##name##_MANY] = {fin, svn, enn},
#include "api/i18n_strings.def"
#undef TEXT
#undef PLURAL
};

/* an empty sentence is a forgotten one */
#define FULL(a, b, c) sizeof(a) > 1 && sizeof(b) > 1 && sizeof(c) > 1
#define TEXT(name, fi, sv, en) _Static_assert(FULL(fi, sv, en), "a language of " #name " is empty");
#define PLURAL(name, fi1, fin, sv1, svn, en1, enn)                                                 \
	_Static_assert(FULL(fi1, sv1, en1) && FULL(fin, svn, enn), "a form of " #name " is "       \
								   "empty");
#include "api/i18n_strings.def"
#undef TEXT
#undef PLURAL

const char *i18n_text(enum http_language language, enum say what)
{
	return texts[what][language];
}

enum say i18n_plural(enum say what, uint64_t count)
{
	return count == 1 ? what : (enum say)(what + 1);
}

const char *i18n_code(enum http_language language)
{
	static const char *const codes[I18N_LANGUAGES] = {"fi", "sv", "en"};

	return codes[language];
}

const char *i18n_language_name(enum http_language language, const char *code)
{
	static const enum say names[I18N_LANGUAGES] = {
	    SAY_LANGUAGE_FI, SAY_LANGUAGE_SV, SAY_LANGUAGE_EN};

	for (int i = 0; code && i < I18N_LANGUAGES; i++)
		if (strcmp(code, i18n_code((enum http_language)i)) == 0)
			return i18n_text(language, names[i]);
	return NULL;
}

const char *i18n_name(enum http_language language, const json_t *record, const char **ret_language)
{
	const enum http_language order[] = {language, HTTP_FI, HTTP_SV, HTTP_EN};
	const json_t *name = json_object_get(record, "name");

	if (ret_language)
		*ret_language = NULL;
	if (json_is_string(name))
		return json_string_value(name);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		const char *text = json_text(name, i18n_code(order[i]));

		if (text && ret_language)
			*ret_language = i18n_code(order[i]);
		if (text)
			return text;
	}
	return json_text(record, "id");
}

void i18n_number(char out[I18N_SIZE], enum http_language language, uint64_t n)
{
	const char *space = language == HTTP_EN ? "," : "\xC2\xA0";
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t at = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			at += (size_t)snprintf(out + at, I18N_SIZE - at, "%s", space);
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

void i18n_bytes(char out[I18N_SIZE], enum http_language language, uint64_t bytes)
{
	static const char *const units[2][4] = {{"t", "kt", "Mt", "Gt"}, {"B", "kB", "MB", "GB"}};
	const char *const *unit = units[language != HTTP_FI];
	uint64_t tenths;
	size_t u = 0;

	if (bytes < 1000) {
		snprintf(out, I18N_SIZE, "%u\xC2\xA0%s", (unsigned int)bytes, unit[0]);
		return;
	}
	tenths = bytes;
	/* the value is kept in tenths of the unit above, so that 1 423 000 is 14 tenths of Mt */
	for (tenths /= 100, u = 1; tenths >= 10000 && u < 3; u++)
		tenths /= 1000;
	if (tenths >= 100 || tenths % 10 == 0)
		snprintf(
		    out, I18N_SIZE, "%llu\xC2\xA0%s", (unsigned long long)(tenths / 10), unit[u]);
	else
		snprintf(out, I18N_SIZE, "%llu%c%llu\xC2\xA0%s", (unsigned long long)(tenths / 10),
		    language == HTTP_EN ? '.' : ',', (unsigned long long)(tenths % 10), unit[u]);
}

void i18n_date(char out[I18N_SIZE], const char *date)
{
	/* date_valid() has seen that each is digits */
	if (date && date_valid(date))
		snprintf(out, I18N_SIZE, "%lu.%lu.%.4s", strtoul(date + 8, NULL, 10),
		    strtoul(date + 5, NULL, 10), date);
	else
		snprintf(out, I18N_SIZE, "%s", date ? date : "");
}

/* The last Sunday of the month (31 days) at 01:00 UTC: when the EU turns its clocks. */
static time_t turning(int year, int month)
{
	struct tm t = {.tm_year = year, .tm_mon = month, .tm_mday = 31, .tm_hour = 1};
	time_t last = timegm(&t);

	return last - (time_t)t.tm_wday * 86400;
}

void i18n_time(char out[I18N_SIZE], enum http_language language, int64_t time_us)
{
	static const char *const words[I18N_LANGUAGES] = {"klo", "kl.", "at"};
	time_t utc = (time_t)(time_us / 1000000), here;
	struct tm t;

	gmtime_r(&utc, &t);
	here = utc + (utc >= turning(t.tm_year, 2) && utc < turning(t.tm_year, 9) ? 3 : 2) * 3600;
	gmtime_r(&here, &t);
	snprintf(out, I18N_SIZE, "%d.%d.%d %s\xC2\xA0%d.%02d", t.tm_mday, t.tm_mon + 1,
	    t.tm_year + 1900, words[language], t.tm_hour, t.tm_min);
}

/* A number of at most `digits` digits, and past it. */
static bool number_read(const char **p, size_t digits, unsigned long *ret)
{
	char text[8];
	size_t n = strspn(*p, "0123456789");

	if (n < 1 || n > digits)
		return false;
	memcpy(text, *p, n);
	text[n] = '\0';
	*ret = strtoul(text, NULL, 10);
	*p += n;
	return true;
}

static bool sign_read(const char **p, char sign)
{
	if (**p != sign)
		return false;
	(*p)++;
	return true;
}

static bool finnish_date_read(const char **p, unsigned long *y, unsigned long *m, unsigned long *d)
{
	return number_read(p, 2, d) && sign_read(p, '.') && number_read(p, 2, m) &&
	       sign_read(p, '.') && number_read(p, 4, y);
}

static bool iso_date_read(const char **p, unsigned long *y, unsigned long *m, unsigned long *d)
{
	const char *start = *p;

	return number_read(p, 4, y) && sign_read(p, '-') && number_read(p, 2, m) &&
	       sign_read(p, '-') && number_read(p, 2, d) && *p - start == 10;
}

bool i18n_date_read(const char *typed, char ret[11])
{
	unsigned long y, m, d;
	const char *p;
	char iso[32];

	typed += strspn(typed, " ");
	p = typed;
	if (!finnish_date_read(&p, &y, &m, &d)) {
		p = typed;
		if (!iso_date_read(&p, &y, &m, &d))
			return false;
	}
	if (p[strspn(p, " ")])
		return false;
	snprintf(iso, sizeof(iso), "%04lu-%02lu-%02lu", y, m, d);
	if (!date_valid(iso))
		return false;
	memcpy(ret, iso, 11);
	return true;
}
