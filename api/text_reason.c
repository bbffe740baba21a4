#include "api/text_reason.h"

#include <stdio.h>
#include <string.h>

#include "api/i18n.h"

enum { VALUES = 2, CLAUSES_MAX = 8 };

struct value {
	const char *text;
	size_t len;
};

static const struct {
	const char *stored, *said[HTTP_EN];
} table[] = {
#define REASON(stored, fi, sv) {stored, {fi, sv}},
#include "api/text_reasons.def"
#undef REASON
};

#define TABLE_LEN (sizeof(table) / sizeof(*table))

/* Where the pattern's text between this place and the next value stands in the clause, not before `from`; behind the
 * last value it must be the clause's end. NULL: nowhere. */
static const char *find_literal(
    const char *literal, size_t n, const char *from, const char *end, bool last)
{
	if ((size_t)(end - from) < n)
		return NULL;
	if (last)
		return memcmp(end - n, literal, n) == 0 ? end - n : NULL;
	return memmem(from, (size_t)(end - from), literal, n);
}

/* A value is at least one byte, and ends where what follows it in the pattern first stands. */
static bool matches(
    const char *pattern, const char *at, const char *end, struct value values[VALUES])
{
	size_t n = strcspn(pattern, "{");

	if ((size_t)(end - at) < n || memcmp(pattern, at, n) != 0)
		return false;
	at += n;
	pattern += n;
	for (size_t i = 0; *pattern && i < VALUES; i++) {
		const char *stop;

		pattern += strlen("{0}");
		n = strcspn(pattern, "{");
		stop = at < end ? find_literal(pattern, n, at + 1, end, !pattern[n]) : NULL;
		if (!stop)
			return false;
		values[i] = (struct value){at, (size_t)(stop - at)};
		at = stop + n;
		pattern += n;
	}
	return !*pattern && at == end;
}

static const char *find(
    enum http_language language, const char *at, const char *end, struct value values[VALUES])
{
	for (size_t i = 0; i < TABLE_LEN; i++)
		if (matches(table[i].stored, at, end, values))
			return table[i].said[language];
	return NULL;
}

/* ---- one clause ---- */

static void add(struct buf *out, const char *text, size_t len)
{
	if (out->len + len < TEXT_REASON_SIZE)
		buf_add(out, text, len);
}

/* A value at the end of a sentence may be a clause itself ("only a part was read: {0}"): it is handed back, to be said
 * next. */
static struct value say_one(const char *said, const struct value values[VALUES], struct buf *out)
{
	for (;;) {
		size_t n = strcspn(said, "{");
		const struct value *v;

		add(out, said, n);
		if (!said[n])
			return (struct value){0};
		v = &values[said[n + 1] - '0'];
		said += n + strlen("{0}");
		if (!*said && n >= 2 && memcmp(said - strlen(": {0}"), ": ", 2) == 0)
			return *v;
		add(out, v->text, v->len);
	}
}

/* False: not in the table. */
static bool say_clause(
    enum http_language language, const char *at, const char *end, struct buf *out)
{
	for (int depth = 0; depth < CLAUSES_MAX && at < end; depth++) {
		struct value values[VALUES] = {0}, rest;
		const char *said = find(language, at, end, values);

		if (!said) {
			add(out, at, (size_t)(end - at));
			return false;
		}
		rest = say_one(said, values, out);
		at = rest.text;
		end = at ? at + rest.len : at;
	}
	return at >= end;
}

bool text_reason_say(enum http_language language, const char *clause, char out[TEXT_REASON_SIZE])
{
	struct buf b = BUF_INIT;
	bool known = true;

	clause = clause ? clause : "";
	out[0] = '\0';
	if (language == HTTP_EN) {
		snprintf(out, TEXT_REASON_SIZE, "%s", clause);
		return true;
	}
	while (*clause) {
		const char *end = strstr(clause, "; ");

		if (!end)
			end = clause + strlen(clause);
		known &= say_clause(language, clause, end, &b);
		if (*end)
			add(&b, "; ", 2);
		clause = *end ? end + 2 : end;
	}
	if (b.data && !buf_failed(&b))
		snprintf(out, TEXT_REASON_SIZE, "%s", b.data);
	buf_free(&b);
	return known;
}

const char *text_reason_for(
    const struct exchange *x, const char *clause, char out[TEXT_REASON_SIZE])
{
	enum http_language language;

	if (!clause || !http_language_named(x, &language))
		return clause;
	text_reason_say(language, clause, out);
	return out;
}
