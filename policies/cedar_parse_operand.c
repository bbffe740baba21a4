#include "policies/cedar_parse.h"

#include <stdio.h>

/* The name before a member's value, and the colon. */
bool cedar_begin_member(struct cedar_parser *p)
{
	struct cedar_operand o = {.node = CEDAR_NONE, .offset = p->token.offset};

	if (p->token.kind == TOKEN_STRING) {
		if (!cedar_take_string(p, &o.name, NULL))
			return false;
	} else if (!cedar_take_name(p, "the name of an attribute", &o.name)) {
		return false;
	}
	if (!cedar_accept(p, ":"))
		return cedar_unexpected(p, "`:` and a value");
	return cedar_push(p, o);
}

static bool begin_bracket(struct cedar_parser *p, uint8_t kind, const char *end)
{
	struct cedar_frame f = {
	    .kind = kind, .offset = p->token.offset, .base = (uint32_t)p->operands_len};

	cedar_next(p);
	if (!cedar_open_frame(p, f))
		return false;
	if (kind != FRAME_GROUP && cedar_accept(p, end))
		return cedar_close_bracket(p);
	return kind != FRAME_RECORD || cedar_begin_member(p);
}

bool cedar_begin_call(struct cedar_parser *p, const struct cedar_callee *c, uint32_t offset)
{
	struct cedar_frame f = {.kind = FRAME_CALL,
	    .callee = c,
	    .offset = offset,
	    .base = (uint32_t)(p->operands_len - c->method)};

	cedar_next(p); /* the bracket */
	if (!cedar_open_frame(p, f))
		return false;
	return !cedar_accept(p, ")") || cedar_close_bracket(p);
}

/* The digits of the token, at most `max`. */
static bool take_number(struct cedar_parser *p, uint64_t max, uint64_t *ret)
{
	struct cedar_text digits = cedar_token_text(p);
	uint64_t n = 0;

	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = (uint64_t)(digits.bytes[i] - '0');

		if (n > (max - digit) / 10)
			return cedar_refuse(p, p->token.offset, NULL,
			    "%s is out of range: numbers lie between -9223372036854775808 and "
			    "9223372036854775807",
			    cedar_describe(&p->lexer, &p->token).text);
		n = n * 10 + digit;
	}
	cedar_next(p);
	*ret = n;
	return true;
}

static bool push_number(struct cedar_parser *p, uint32_t offset, bool negative)
{
	uint64_t n = 0;

	if (!take_number(p, (uint64_t)INT64_MAX + negative, &n))
		return false;
	return cedar_push_leaf(p,
	    (struct cedar_node){.op = OP_LITERAL,
		.offset = offset,
		.value = {.kind = CEDAR_LONG, .number = negative ? (int64_t)(0 - n) : (int64_t)n}});
}

/* As in the reference a minus belongs to the number that follows it, unless that has members. */
static bool binds_number(const struct cedar_parser *p)
{
	struct cedar_token after = cedar_peek(p);

	return p->token.kind == TOKEN_NUMBER && !cedar_token_is(&p->lexer, &after, ".") &&
	       !cedar_token_is(&p->lexer, &after, "[") && !cedar_token_is(&p->lexer, &after, "(");
}

static bool begin_unary(struct cedar_parser *p)
{
	bool negate = cedar_at(p, "-");
	const char *sign = negate ? "-" : "!";
	uint32_t nearest = p->token.offset;
	struct cedar_frame f = {.kind = FRAME_UNARY,
	    .op = negate ? OP_NEGATE : OP_NOT,
	    .offset = p->token.offset,
	    .base = (uint32_t)p->operands_len};

	if (cedar_top(p)->kind == FRAME_UNARY)
		return cedar_refuse(p, p->token.offset, "put the inner one in parentheses: !(-x)",
		    "`!` and `-` cannot follow each other");
	for (; cedar_at(p, sign); cedar_next(p)) {
		if (f.count == 4)
			return cedar_refuse(p, p->token.offset, NULL,
			    "`%s` stands more than four times in a row", sign);
		f.count++;
		nearest = p->token.offset;
	}
	if (!negate || !binds_number(p))
		return cedar_open_frame(p, f);
	f.count--;
	return (!f.count || cedar_open_frame(p, f)) && push_number(p, nearest, true);
}

static bool begin_if(struct cedar_parser *p)
{
	struct cedar_frame f = {
	    .kind = FRAME_IF, .offset = p->token.offset, .base = (uint32_t)p->operands_len};

	if (cedar_top(p)->kind >= FRAME_OR)
		return cedar_refuse(p, p->token.offset, "write (if … then … else …)",
		    "an `if` beside an operator needs parentheses");
	cedar_next(p);
	return cedar_open_frame(p, f);
}

static bool refuse_name(struct cedar_parser *p, const struct cedar_path *path)
{
	static const char *const variables[] = {"principal", "action", "resource", "context"};
	struct cedar_text name = path->uid.type;
	int len = name.len > 60 ? 60 : (int)name.len;
	char mend[160];

	snprintf(mend, sizeof(mend), "in quotes it is a string: \"%.*s\"", len, name.bytes);
	if (path->parts > 1)
		snprintf(
		    mend, sizeof(mend), "write the entity's id too: %.*s::\"…\"", len, name.bytes);
	for (size_t i = 0; i < 4; i++)
		if (cedar_near(name, variables[i]))
			snprintf(mend, sizeof(mend), "did you mean `%s`?", variables[i]);
	return cedar_refuse(p, path->offset, mend,
	    "`%.*s` is no variable: there are principal, action, resource and context", len,
	    name.bytes);
}

static bool begin_function(struct cedar_parser *p, const struct cedar_path *path)
{
	struct cedar_text name = path->uid.type;
	const struct cedar_callee *c = cedar_callee(name);
	int len = name.len > 60 ? 60 : (int)name.len;
	const char *near;
	char mend[160] = "";
	uint8_t var;

	if (c && !c->method)
		return cedar_begin_call(p, c, path->offset);
	if (c) {
		snprintf(mend, sizeof(mend), "write x.%s(…)", c->name);
		return cedar_refuse(
		    p, path->offset, mend, "`%s` is a method, not a function", c->name);
	}
	if (cedar_variable(name, &var))
		return cedar_refuse(
		    p, path->offset, NULL, "`%.*s` is a variable, not a function", len, name.bytes);
	near = cedar_callee_near(name, false);
	if (near)
		snprintf(mend, sizeof(mend), "did you mean `%s`?", near);
	return cedar_refuse(p, path->offset, mend,
	    "there is no function `%.*s`: there are decimal, ip, datetime and duration", len,
	    name.bytes);
}

/* A variable, an entity or a function. */
static bool begin_name(struct cedar_parser *p)
{
	struct cedar_path path;
	uint8_t var;

	if (!cedar_take_path(p, &path))
		return false;
	if (path.entity)
		return cedar_push_leaf(p, (struct cedar_node){.op = OP_LITERAL,
					      .offset = path.offset,
					      .value = {.kind = CEDAR_ENTITY, .uid = path.uid}});
	if (cedar_at(p, "("))
		return begin_function(p, &path);
	if (!cedar_variable(path.uid.type, &var))
		return refuse_name(p, &path);
	return cedar_push_leaf(
	    p, (struct cedar_node){.op = OP_VAR, .var = var, .offset = path.offset});
}

static bool begin_literal(struct cedar_parser *p)
{
	struct cedar_node n = {.op = OP_LITERAL, .offset = p->token.offset};

	if (p->token.kind == TOKEN_STRING) {
		n.value.kind = CEDAR_STRING;
		return cedar_take_string(p, &n.value.text, NULL) && cedar_push_leaf(p, n);
	}
	n.value.kind = CEDAR_BOOL;
	n.value.truth = cedar_at(p, "true");
	cedar_next(p);
	return cedar_push_leaf(p, n);
}

/* Reads one token, or a whole operand, where an operand must come. */
bool cedar_begin_operand(struct cedar_parser *p)
{
	if (p->token.kind == TOKEN_NUMBER)
		return push_number(p, p->token.offset, false);
	if (p->token.kind == TOKEN_STRING || cedar_at(p, "true") || cedar_at(p, "false"))
		return begin_literal(p);
	if (cedar_at(p, "if"))
		return begin_if(p);
	if (cedar_at(p, "!") || cedar_at(p, "-"))
		return begin_unary(p);
	if (cedar_at(p, "("))
		return begin_bracket(p, FRAME_GROUP, NULL);
	if (cedar_at(p, "["))
		return begin_bracket(p, FRAME_SET, "]");
	if (cedar_at(p, "{"))
		return begin_bracket(p, FRAME_RECORD, "}");
	if (cedar_at(p, "?"))
		return cedar_refuse_slot(p);
	/* `x && and y` and the like keep their own mend */
	if (p->token.kind == TOKEN_NAME && !cedar_at(p, "then") && !cedar_at(p, "else"))
		return begin_name(p);
	return cedar_unexpected(p, "an expression");
}
