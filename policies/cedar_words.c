#include "policies/cedar_parse.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/text.h"

static bool same(struct cedar_text word, const char *other)
{
	return cedar_text_equal(word, cedar_text_of(other));
}

bool cedar_reserved(struct cedar_text word)
{
	static const char *const words[] = {
	    "true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (same(word, words[i]))
			return true;
	return false;
}

bool cedar_variable(struct cedar_text word, uint8_t *ret)
{
	static const char *const words[] = {
	    [VAR_PRINCIPAL] = "principal",
	    [VAR_ACTION] = "action",
	    [VAR_RESOURCE] = "resource",
	    [VAR_CONTEXT] = "context",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (same(word, words[i])) {
			*ret = (uint8_t)i;
			return true;
		}
	}
	return false;
}

/* The reference counts the arguments of its own methods when it parses, and those of extensions when it validates. */
static const struct cedar_callee callees[] = {
    {"contains", OP_CONTAINS, 0, true, 1},
    {"containsAll", OP_CONTAINS_ALL, 0, true, 1},
    {"containsAny", OP_CONTAINS_ANY, 0, true, 1},
    {"isEmpty", OP_IS_EMPTY, 0, true, 0},
    {"getTag", OP_GET_TAG, 0, true, 1},
    {"hasTag", OP_HAS_TAG, 0, true, 1},
    {"decimal", OP_CALL, FN_DECIMAL, false, -1},
    {"ip", OP_CALL, FN_IP, false, -1},
    {"datetime", OP_CALL, FN_DATETIME, false, -1},
    {"duration", OP_CALL, FN_DURATION, false, -1},
    {"lessThan", OP_CALL, FN_LESS_THAN, true, -1},
    {"lessThanOrEqual", OP_CALL, FN_LESS_THAN_OR_EQUAL, true, -1},
    {"greaterThan", OP_CALL, FN_GREATER_THAN, true, -1},
    {"greaterThanOrEqual", OP_CALL, FN_GREATER_THAN_OR_EQUAL, true, -1},
    {"isIpv4", OP_CALL, FN_IS_IPV4, true, -1},
    {"isIpv6", OP_CALL, FN_IS_IPV6, true, -1},
    {"isLoopback", OP_CALL, FN_IS_LOOPBACK, true, -1},
    {"isMulticast", OP_CALL, FN_IS_MULTICAST, true, -1},
    {"isInRange", OP_CALL, FN_IS_IN_RANGE, true, -1},
    {"offset", OP_CALL, FN_OFFSET, true, -1},
    {"durationSince", OP_CALL, FN_DURATION_SINCE, true, -1},
    {"toDate", OP_CALL, FN_TO_DATE, true, -1},
    {"toTime", OP_CALL, FN_TO_TIME, true, -1},
    {"toMilliseconds", OP_CALL, FN_TO_MILLISECONDS, true, -1},
    {"toSeconds", OP_CALL, FN_TO_SECONDS, true, -1},
    {"toMinutes", OP_CALL, FN_TO_MINUTES, true, -1},
    {"toHours", OP_CALL, FN_TO_HOURS, true, -1},
    {"toDays", OP_CALL, FN_TO_DAYS, true, -1},
};
#define CALLEES (sizeof(callees) / sizeof(callees[0]))

const struct cedar_callee *cedar_callee(struct cedar_text word)
{
	for (size_t i = 0; i < CALLEES; i++)
		if (same(word, callees[i].name))
			return &callees[i];
	return NULL;
}

const char *cedar_callee_near(struct cedar_text word, bool method)
{
	for (size_t i = 0; i < CALLEES; i++)
		if (callees[i].method == method && cedar_near(word, callees[i].name))
			return callees[i].name;
	return NULL;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* At most two letters wrong, missing, too many or swapped with the next, in a short word a third of them; either case. */
bool cedar_near(struct cedar_text word, const char *right)
{
	unsigned int rows[3][CEDAR_NEAR_MAX + 1] = {{0}};
	size_t n = strlen(right);

	if (!word.len || word.len > CEDAR_NEAR_MAX || n > CEDAR_NEAR_MAX)
		return false;
	for (size_t i = 0; i <= word.len; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= n; j++) {
			char a = i ? lower(word.bytes[i - 1]) : '\0', b = lower(right[j - 1]);

			if (!i) {
				row[j] = (unsigned int)j;
				continue;
			}
			row[j] = least(least(row[j - 1], up[j]) + 1, up[j - 1] + (a != b));
			if (i > 1 && j > 1 && a == lower(right[j - 2]) &&
			    b == lower(word.bytes[i - 2]))
				row[j] = least(row[j], upper[j - 2] + 1);
		}
	}
	return rows[word.len % 3][n] <= least((unsigned int)word.len / 3, 2);
}

const char *cedar_sign_mend(const struct cedar_lexer *l, const struct cedar_token *t)
{
	static const char *const mends[][2] = {
	    {"=", "write == for equality"},
	    {"&", "write && for and"},
	    {"and", "write && for and"},
	    {"AND", "write && for and"},
	    {"|", "write || for or"},
	    {"or", "write || for or"},
	    {"OR", "write || for or"},
	    {"not", "write ! for not"},
	    {"'", "strings stand in double quotes: \"…\""},
	    {"/", "there is no division in Cedar"},
	    {"%", "there is no remainder in Cedar"},
	    {"#", "a comment begins with //"},
	};
	struct cedar_text text = {l->text + t->offset, t->len};

	if (t->kind == TOKEN_STRING)
		return NULL;
	for (size_t i = 0; i < sizeof(mends) / sizeof(mends[0]); i++)
		if (same(text, mends[i][0]))
			return mends[i][1];
	return NULL;
}

struct cedar_described cedar_describe(const struct cedar_lexer *l, const struct cedar_token *t)
{
	const char *text = l->text + t->offset;
	struct cedar_described d;
	int len = t->len > 40 ? 40 : (int)t->len;
	const char *more = t->len > 40 ? "…" : "";

	/* not within a character */
	while (len && len < (int)t->len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	if (t->kind == TOKEN_END)
		snprintf(d.text, sizeof(d.text), "the end of the text");
	else if (t->kind == TOKEN_NUMBER)
		snprintf(d.text, sizeof(d.text), "the number %.*s%s", len, text, more);
	else if (t->kind == TOKEN_STRING)
		snprintf(d.text, sizeof(d.text), "the string %.*s%s", len, text, more);
	else if (t->kind == TOKEN_BAD && *text == '"' && t->offset + t->len == l->len)
		snprintf(d.text, sizeof(d.text), "a string without its closing quote");
	else if (t->kind == TOKEN_BAD && *text == '"')
		snprintf(d.text, sizeof(d.text), "a string that is not well formed");
	else if (t->kind == TOKEN_BAD && !utf8_valid(text, t->len))
		snprintf(d.text, sizeof(d.text), "bytes that are no text");
	else
		snprintf(d.text, sizeof(d.text), "`%.*s%s`", len, text, more);
	return d;
}
