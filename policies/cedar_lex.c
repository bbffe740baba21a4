#include "policies/cedar_private.h"

#include <stdio.h>
#include <string.h>

/* ---- characters ---- */

/* The character at text[at]; its length, or 0 where there is no well-formed UTF-8. */
static size_t character(const char *text, size_t len, size_t at, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)text[at];
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	uint32_t u;

	if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || n > len - at)
		return 0;
	u = n == 1 ? c : c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		unsigned char more = (unsigned char)text[at + i];

		if ((more & 0xc0) != 0x80)
			return 0;
		u = u << 6 | (more & 0x3fu);
	}
	if (u < least[n] || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff))
		return 0;
	*ret = u;
	return n;
}

/* Unicode's White_Space, as the reference has it. */
static bool is_space(uint32_t u)
{
	return (u >= 9 && u <= 13) || u == ' ' || u == 0x85 || u == 0xa0 || u == 0x1680 ||
	       (u >= 0x2000 && u <= 0x200a) || u == 0x2028 || u == 0x2029 || u == 0x202f ||
	       u == 0x205f || u == 0x3000;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool begins_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* ---- tokens ---- */

/* Stands after space and comments, or in a comment before bytes that are not UTF-8: then true. */
static bool skip(struct cedar_lexer *l)
{
	bool comment = false;
	uint32_t u;

	while (l->at < l->len) {
		size_t n = character(l->text, l->len, l->at, &u);

		if (!n)
			return comment;
		if (comment)
			comment = u != '\n' && u != '\r';
		else if (u == '/' && l->len - l->at > 1 && l->text[l->at + 1] == '/')
			comment = true;
		else if (!is_space(u))
			return false;
		l->at += n;
	}
	return false;
}

static struct cedar_token token(struct cedar_lexer *l, enum cedar_token_kind kind, size_t end)
{
	struct cedar_token t = {kind, (uint32_t)l->at, (uint32_t)(end - l->at)};

	l->at = end;
	return t;
}

static struct cedar_token lex_string(struct cedar_lexer *l)
{
	size_t at = l->at + 1;
	bool good = true;
	uint32_t u;

	while (at < l->len) {
		char c = l->text[at];
		size_t n = character(l->text, l->len, at, &u);

		if (c == '"')
			return token(l, good ? TOKEN_STRING : TOKEN_BAD, at + 1);
		if (c == '\\' && l->len - at > 1) {
			/* a backslash takes the next character with it, but no end of line */
			n = character(l->text, l->len, at + 1, &u);
			good = good && n && u != '\n';
			n++;
		}
		good = good && n;
		at += n ? n : 1;
	}
	return token(l, TOKEN_BAD, l->len);
}

/* Bytes that are not UTF-8, up to where it is again; in a comment up to its end. */
static struct cedar_token lex_bytes(struct cedar_lexer *l, bool comment)
{
	size_t at = l->at + 1;
	uint32_t u;

	while (at < l->len && (comment ? l->text[at] != '\n' : !character(l->text, l->len, at, &u)))
		at++;
	return token(l, TOKEN_BAD, at);
}

static struct cedar_token lex_sign(struct cedar_lexer *l)
{
	static const char pairs[][3] = {"==", "!=", "<=", ">=", "&&", "||", "::"};
	const char *at = l->text + l->at;
	uint32_t u;

	if (l->len - l->at > 1)
		for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
			if (at[0] == pairs[i][0] && at[1] == pairs[i][1])
				return token(l, TOKEN_SIGN, l->at + 2);
	if (*at && strchr("@.,;:(){}[]<>+-*/%!=?", *at))
		return token(l, TOKEN_SIGN, l->at + 1);
	return token(l, TOKEN_BAD, l->at + character(l->text, l->len, l->at, &u));
}

struct cedar_token cedar_lex(struct cedar_lexer *l)
{
	bool in_comment = skip(l);
	size_t end = l->at;
	uint32_t u;

	if (l->at >= l->len)
		return token(l, TOKEN_END, l->len);
	if (in_comment || !character(l->text, l->len, l->at, &u))
		return lex_bytes(l, in_comment);
	if (l->text[end] == '"')
		return lex_string(l);
	if (begins_name(l->text[end])) {
		while (end < l->len && (begins_name(l->text[end]) || is_digit(l->text[end])))
			end++;
		return token(l, TOKEN_NAME, end);
	}
	if (is_digit(l->text[end])) {
		while (end < l->len && is_digit(l->text[end]))
			end++;
		return token(l, TOKEN_NUMBER, end);
	}
	return lex_sign(l);
}

bool cedar_token_is(const struct cedar_lexer *l, const struct cedar_token *t, const char *text)
{
	return (t->kind == TOKEN_NAME || t->kind == TOKEN_SIGN) && strlen(text) == t->len &&
	       !memcmp(l->text + t->offset, text, t->len);
}

/* ---- escapes ---- */

struct reader {
	const char *text;
	size_t at, end;
};

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What follows \x: two digits, at most 7f. */
static bool read_byte(struct reader *r, uint32_t *ret)
{
	int high, low;

	if (r->end - r->at < 2)
		return false;
	high = hex_digit(r->text[r->at]);
	low = hex_digit(r->text[r->at + 1]);
	r->at += 2;
	if (high < 0 || high > 7 || low < 0)
		return false;
	*ret = (uint32_t)(high << 4 | low);
	return true;
}

/* What follows \u: one to six digits in braces; `_` between digits is passed over. */
static bool read_code_point(struct reader *r, uint32_t *ret)
{
	unsigned int digits = 0;
	uint32_t u = 0;

	if (r->at == r->end || r->text[r->at++] != '{')
		return false;
	while (r->at < r->end && r->text[r->at] != '}') {
		char c = r->text[r->at++];

		if (c == '_' && digits)
			continue;
		if (hex_digit(c) < 0 || ++digits > 6)
			return false;
		u = u << 4 | (uint32_t)hex_digit(c);
	}
	if (r->at == r->end || !digits || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff))
		return false;
	r->at++;
	*ret = u;
	return true;
}

/* One character of a string, its escape read. *ret_star: an escaped asterisk, for patterns only. */
static bool read_character(struct reader *r, uint32_t *ret, bool *ret_star)
{
	static const char names[] = "nrt\\0'\"", meanings[] = "\n\r\t\\\0'\"";
	const char *name;
	size_t n;

	*ret_star = false;
	if (r->text[r->at] != '\\') {
		n = character(r->text, r->end, r->at, ret);
		r->at += n;
		/* the reference refuses a bare carriage return */
		return n && *ret != '\r';
	}
	if (++r->at == r->end)
		return false;
	switch (r->text[r->at++]) {
	case 'x':
		return read_byte(r, ret);
	case 'u':
		return read_code_point(r, ret);
	case '*':
		*ret_star = true;
		*ret = '*';
		return true;
	case '\0':
		return false;
	default:
		name = strchr(names, r->text[r->at - 1]);
		if (!name)
			return false;
		*ret = (unsigned char)meanings[name - names];
		return true;
	}
}

static size_t put_utf8(char *out, uint32_t u)
{
	if (u < 0x80) {
		out[0] = (char)u;
		return 1;
	}
	if (u < 0x800) {
		out[0] = (char)(0xc0 | u >> 6);
		out[1] = (char)(0x80 | (u & 0x3f));
		return 2;
	}
	if (u < 0x10000) {
		out[0] = (char)(0xe0 | u >> 12);
		out[1] = (char)(0x80 | (u >> 6 & 0x3f));
		out[2] = (char)(0x80 | (u & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | u >> 18);
	out[1] = (char)(0x80 | (u >> 12 & 0x3f));
	out[2] = (char)(0x80 | (u >> 6 & 0x3f));
	out[3] = (char)(0x80 | (u & 0x3f));
	return 4;
}

static int bad_escape(const struct reader *r, size_t begin, struct ark_error *err)
{
	size_t len = r->at - begin;

	if (r->text[begin] == '\r')
		return ark_fail(err, ARK_EINPUT, "a carriage return in a string is written \\r");
	if (len < 2 || (unsigned char)r->text[r->at - 1] >= 0x80)
		return ark_fail(err, ARK_EINPUT, "a backslash in a string is written \\\\");
	return ark_fail(
	    err, ARK_EINPUT, "`%.*s` is no escape of a string", (int)len, r->text + begin);
}

/* Reads the whole string; an asterisk that stands for any text ends a piece. Without `pieces` it only counts them. */
static int read_string(struct reader r, char *out, bool pattern, struct cedar_text *pieces,
    size_t *ret_len, size_t *ret_pieces, struct ark_error *err)
{
	size_t len = 0, piece = 0, n = 0;

	while (r.at < r.end) {
		size_t begin = r.at;
		uint32_t u;
		bool star;

		if (!read_character(&r, &u, &star) || (star && !pattern))
			return bad_escape(&r, begin, err);
		/* as in the reference, \x2a in a pattern is an asterisk like any other */
		if (pattern && u == '*' && !star) {
			if (pieces)
				pieces[n] = (struct cedar_text){out + piece, len - piece};
			n++;
			piece = len;
			continue;
		}
		len += put_utf8(out + len, u);
	}
	if (pieces)
		pieces[n] = (struct cedar_text){out + piece, len - piece};
	*ret_len = len;
	*ret_pieces = n + 1;
	return ARK_OK;
}

int cedar_unescape(const struct cedar_lexer *l, const struct cedar_token *t, struct cedar_arena *a,
    struct cedar_text *ret, struct cedar_pattern *pattern, struct ark_error *err)
{
	struct reader r = {l->text, t->offset + 1, t->offset + t->len - 1};
	struct cedar_text *pieces;
	size_t len, n;
	char *out;
	int rc;

	/* no escape is shorter than what it means; zeroed, so a NUL follows */
	out = cedar_alloc(a, t->len);
	if (!out)
		return ark_fail(err, ARK_ENOMEM, "no memory for a string of %u bytes", t->len);
	rc = read_string(r, out, pattern, NULL, &len, &n, err);
	if (rc)
		return rc;
	if (!pattern) {
		*ret = (struct cedar_text){out, len};
		return ARK_OK;
	}
	pieces = cedar_alloc(a, n * sizeof(*pieces));
	if (!pieces)
		return ark_fail(err, ARK_ENOMEM, "no memory for a pattern of %zu pieces", n);
	rc = read_string(r, out, true, pieces, &len, &n, err);
	if (rc)
		return rc;
	*pattern = (struct cedar_pattern){pieces, n};
	return ARK_OK;
}

/* ---- faults ---- */

#define FAULTS_TOLD 100u

void cedar_place(
    const char *text, size_t len, size_t offset, unsigned int *ret_line, unsigned int *ret_column)
{
	unsigned int line = 1, column = 1;

	for (size_t i = 0; i < offset && i < len; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

/* Copies one line of UTF-8: what does not fit is left out by whole characters, what is no text becomes `?`. */
static void put_line(char *out, size_t size, const char *text)
{
	size_t len = strlen(text), at = 0, used = 0;
	uint32_t u;

	while (at < len) {
		size_t n = character(text, len, at, &u);
		size_t take = n ? n : 1;

		if (used + take >= size)
			break;
		if (!n)
			out[used] = '?';
		else if (u < ' ' || u == 0x7f)
			out[used] = ' ';
		else
			memcpy(out + used, text + at, n);
		used += take;
		at += take;
	}
	out[used] = '\0';
}

static void tell(struct cedar_faults *f, bool warning, const char *policy, size_t offset,
    const char *mend, const char *text)
{
	struct cedar_fault fault = {.warning = warning};
	unsigned int *count = warning ? &f->warnings : &f->errors;
	bool first = !warning && !f->errors, told = f->errors + f->warnings < FAULTS_TOLD;

	(*count)++;
	if (!first && !told)
		return;
	put_line(fault.policy, sizeof(fault.policy), policy ? policy : "");
	put_line(fault.text, sizeof(fault.text), text);
	put_line(fault.mend, sizeof(fault.mend), mend ? mend : "");
	if (f->text && offset <= f->text_len)
		cedar_place(f->text, f->text_len, offset, &fault.line, &fault.column);
	if (first && fault.line)
		ark_fail(f->err, ARK_EINPUT, "line %u, column %u: %s", fault.line, fault.column,
		    fault.text);
	else if (first)
		ark_fail(f->err, ARK_EINPUT, "%s", fault.text);
	if (told && f->told)
		f->told(f->arg, &fault);
}

void cedar_fault_at(struct cedar_faults *f, const char *policy, size_t offset, const char *mend,
    const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell(f, false, policy, offset, mend, text);
}

void cedar_warn_at(struct cedar_faults *f, const char *policy, size_t offset, const char *mend,
    const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell(f, true, policy, offset, mend, text);
}
