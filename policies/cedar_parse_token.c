#include "policies/cedar_parse.h"

#include <stdio.h>
#include <string.h>

/* ---- tokens and faults ---- */

void cedar_next(struct cedar_parser *p)
{
	p->behind = p->token.offset + p->token.len;
	p->token = cedar_lex(&p->lexer);
}

bool cedar_accept(struct cedar_parser *p, const char *text)
{
	if (!cedar_at(p, text))
		return false;
	cedar_next(p);
	return true;
}

struct cedar_token cedar_peek(const struct cedar_parser *p)
{
	struct cedar_lexer copy = p->lexer;

	return cedar_lex(&copy);
}

struct cedar_text cedar_token_text(const struct cedar_parser *p)
{
	return (struct cedar_text){p->lexer.text + p->token.offset, p->token.len};
}

bool cedar_refuse(struct cedar_parser *p, size_t offset, const char *mend, const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cedar_fault_at(&p->faults, p->policy, offset, mend, "%s", text);
	return false;
}

bool cedar_unexpected(struct cedar_parser *p, const char *expected)
{
	return cedar_refuse(p, p->token.offset, cedar_sign_mend(&p->lexer, &p->token),
	    "found %s, expected %s", cedar_describe(&p->lexer, &p->token).text, expected);
}

bool cedar_short_of_memory(struct cedar_parser *p)
{
	p->status = ARK_ENOMEM;
	return false;
}

bool cedar_refuse_slot(struct cedar_parser *p)
{
	struct cedar_token name = cedar_peek(p);

	return cedar_refuse(p, p->token.offset, "write the entity in, a policy for each",
	    "templates are not supported: found the slot `?%.*s`",
	    name.kind == TOKEN_NAME ? (int)(name.len > 40 ? 40 : name.len) : 0,
	    p->lexer.text + name.offset);
}

/* ---- names, strings, entities ---- */

bool cedar_take_name(struct cedar_parser *p, const char *what, struct cedar_text *ret)
{
	struct cedar_text name = cedar_token_text(p);

	if (p->token.kind != TOKEN_NAME)
		return cedar_unexpected(p, what);
	if (cedar_reserved(name))
		return cedar_refuse(p, p->token.offset, "in quotes it may name an attribute",
		    "`%.*s` is a word of the language, expected %s", (int)name.len, name.bytes,
		    what);
	cedar_next(p);
	*ret = name;
	return true;
}

bool cedar_take_string(
    struct cedar_parser *p, struct cedar_text *ret, struct cedar_pattern *pattern)
{
	struct ark_error err;
	int rc = cedar_unescape(&p->lexer, &p->token, p->arena, ret, pattern, &err);

	if (rc == ARK_ENOMEM)
		return cedar_short_of_memory(p);
	if (rc)
		return cedar_refuse(p, p->token.offset, NULL, "%s", err.text);
	cedar_next(p);
	return true;
}

/* The name from text[offset] on, `len` bytes without space and comments between its parts. */
static bool name_text(
    struct cedar_parser *p, size_t offset, size_t end, size_t len, struct cedar_text *ret)
{
	struct cedar_lexer l = {p->lexer.text, end, offset};
	size_t at = 0;
	char *out;

	*ret = (struct cedar_text){l.text + offset, len};
	if (end - offset == len)
		return true;
	out = cedar_alloc(p->arena, len + 1);
	if (!out)
		return cedar_short_of_memory(p);
	while (at < len) {
		struct cedar_token t = cedar_lex(&l);

		memcpy(out + at, l.text + t.offset, t.len);
		at += t.len;
	}
	ret->bytes = out;
	return true;
}

bool cedar_take_path(struct cedar_parser *p, struct cedar_path *ret)
{
	struct cedar_path path = {.offset = p->token.offset};
	size_t len = 0, end = 0;
	struct cedar_text part = {0};

	do {
		if (!cedar_take_name(p, "a name", &part))
			return false;
		len += part.len + (path.parts ? 2 : 0);
		end = (size_t)(part.bytes - p->lexer.text) + part.len;
		path.parts++;
		if (!cedar_accept(p, "::"))
			break;
		path.entity = p->token.kind == TOKEN_STRING;
		if (!path.entity && p->token.kind != TOKEN_NAME)
			return cedar_unexpected(p, "a name, or the id of an entity in quotes");
	} while (!path.entity);
	if (!name_text(p, path.offset, end, len, &path.uid.type))
		return false;
	if (path.entity && !cedar_take_string(p, &path.uid.id, NULL))
		return false;
	*ret = path;
	return true;
}
