/* Expressions, on a stack of operands and a stack of what is still open.
 *
 * Invariant: between two brackets, ifs or the root the open operators bind
 * ever tighter, so that at most one of each kind is open there; an operator
 * that binds no tighter than the last one closes it first. A chain of && or
 * || is one frame over all its operands.
 */
#include "policies/cedar_parse.h"

#include <stdio.h>
#include <string.h>

/* ---- frames ---- */

static struct cedar_frame *top(struct cedar_parser *p)
{
	return &p->frames[p->frames_len - 1];
}

static bool open_frame(struct cedar_parser *p, struct cedar_frame f)
{
	if (f.kind < FRAME_OR && ++p->nesting > CEDAR_DEPTH_MAX)
		return cedar_refuse(p, f.offset, "make several policies of it",
		    "this expression is nested more than %u deep", CEDAR_DEPTH_MAX);
	p->frames[p->frames_len++] = f;
	return true;
}

static struct cedar_frame close_frame(struct cedar_parser *p)
{
	struct cedar_frame f = *top(p);

	if (f.kind < FRAME_OR)
		p->nesting--;
	p->frames_len--;
	return f;
}

static struct cedar_operand *last(struct cedar_parser *p)
{
	return &p->operands[p->operands_len - 1];
}

static bool push_node(struct cedar_parser *p, uint32_t node, uint32_t offset)
{
	return cedar_push(p, (struct cedar_operand){.node = node, .offset = offset});
}

static bool push_leaf(struct cedar_parser *p, struct cedar_node n)
{
	uint32_t node;

	n.child[0] = n.child[1] = n.child[2] = CEDAR_NONE;
	return cedar_add_node(p, &n, &node) && push_node(p, node, n.offset);
}

/* ---- closing what is open ---- */

static bool reduce_unary(struct cedar_parser *p, const struct cedar_frame *f)
{
	struct cedar_operand *o = last(p);

	for (unsigned int i = 0; i < f->count; i++)
		if (!cedar_add_unary(p, f->op, f->offset, o->node, &o->node))
			return false;
	o->offset = f->offset;
	return true;
}

static bool reduce_binary(struct cedar_parser *p, const struct cedar_frame *f)
{
	struct cedar_operand *left = &p->operands[f->base], *right = left + 1;
	uint32_t is = left->node, subject = f->is ? p->nodes[is].child[0] : is;

	if (!cedar_add_binary(p, f->op, f->offset, subject, right->node, &left->node))
		return false;
	if (f->is && !cedar_add_binary(p, OP_AND, f->offset, is, left->node, &left->node))
		return false;
	p->operands_len--;
	return true;
}

static bool reduce(struct cedar_parser *p)
{
	struct cedar_frame f = close_frame(p);

	if (f.kind == FRAME_UNARY)
		return reduce_unary(p, &f);
	if (f.kind == FRAME_OR || f.kind == FRAME_AND)
		return cedar_join(p, f.op, f.base);
	return reduce_binary(p, &f);
}

/* Closes the operators that bind at least as tightly as `kind`. */
static bool reduce_to(struct cedar_parser *p, uint8_t kind)
{
	while (top(p)->kind >= kind)
		if (!reduce(p))
			return false;
	return true;
}

static bool close_if(struct cedar_parser *p)
{
	struct cedar_frame f = close_frame(p);
	const struct cedar_operand *o = &p->operands[f.base];
	struct cedar_node n = {
	    .op = OP_IF, .offset = f.offset, .child = {o[0].node, o[1].node, o[2].node}};
	uint32_t node;

	if (!cedar_add_node(p, &n, &node))
		return false;
	p->operands_len = f.base;
	return push_node(p, node, f.offset);
}

static bool close_call(struct cedar_parser *p)
{
	struct cedar_frame f = close_frame(p);
	const struct cedar_callee *c = f.callee;
	struct cedar_operand *o = &p->operands[f.base];
	size_t given = p->operands_len - f.base - c->method;
	struct cedar_node n = {
	    .op = c->op, .offset = f.offset, .child = {CEDAR_NONE, CEDAR_NONE, CEDAR_NONE}};
	uint32_t node;

	if (c->op == OP_CALL)
		return cedar_push_list(p, OP_CALL, c->fn, f.offset, f.base);
	if (given != (size_t)c->arguments)
		return cedar_refuse(p, f.offset, NULL, "`%s` takes %s, not %zu", c->name,
		    c->arguments ? "one argument" : "no argument", given);
	for (size_t i = 0; i <= given; i++)
		n.child[i] = o[i].node;
	if (!cedar_add_node(p, &n, &node))
		return false;
	p->operands_len = f.base;
	return push_node(p, node, f.offset);
}

/* The bracket of the top frame is complete. */
static bool close_bracket(struct cedar_parser *p)
{
	struct cedar_frame f = *top(p);

	if (f.kind == FRAME_CALL)
		return close_call(p);
	close_frame(p);
	if (f.kind == FRAME_GROUP) {
		last(p)->offset = f.offset;
		p->whole = false;
		return true;
	}
	return cedar_push_list(p, f.kind == FRAME_SET ? OP_SET : OP_RECORD, 0, f.offset, f.base);
}

/* ---- operands ---- */

/* The name before a member's value, and the colon. */
static bool begin_member(struct cedar_parser *p)
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
	if (!open_frame(p, f))
		return false;
	if (kind != FRAME_GROUP && cedar_accept(p, end))
		return close_bracket(p);
	return kind != FRAME_RECORD || begin_member(p);
}

static bool begin_call(struct cedar_parser *p, const struct cedar_callee *c, uint32_t offset)
{
	struct cedar_frame f = {.kind = FRAME_CALL,
	    .callee = c,
	    .offset = offset,
	    .base = (uint32_t)(p->operands_len - c->method)};

	cedar_next(p); /* the bracket */
	if (!open_frame(p, f))
		return false;
	return !cedar_accept(p, ")") || close_bracket(p);
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
	return push_leaf(p,
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

	if (top(p)->kind == FRAME_UNARY)
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
		return open_frame(p, f);
	f.count--;
	return (!f.count || open_frame(p, f)) && push_number(p, nearest, true);
}

static bool begin_if(struct cedar_parser *p)
{
	struct cedar_frame f = {
	    .kind = FRAME_IF, .offset = p->token.offset, .base = (uint32_t)p->operands_len};

	if (top(p)->kind >= FRAME_OR)
		return cedar_refuse(p, p->token.offset, "write (if … then … else …)",
		    "an `if` beside an operator needs parentheses");
	cedar_next(p);
	return open_frame(p, f);
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
		return begin_call(p, c, path->offset);
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
		return push_leaf(p, (struct cedar_node){.op = OP_LITERAL,
					.offset = path.offset,
					.value = {.kind = CEDAR_ENTITY, .uid = path.uid}});
	if (cedar_at(p, "("))
		return begin_function(p, &path);
	if (!cedar_variable(path.uid.type, &var))
		return refuse_name(p, &path);
	return push_leaf(p, (struct cedar_node){.op = OP_VAR, .var = var, .offset = path.offset});
}

static bool begin_literal(struct cedar_parser *p)
{
	struct cedar_node n = {.op = OP_LITERAL, .offset = p->token.offset};

	if (p->token.kind == TOKEN_STRING) {
		n.value.kind = CEDAR_STRING;
		return cedar_take_string(p, &n.value.text, NULL) && push_leaf(p, n);
	}
	n.value.kind = CEDAR_BOOL;
	n.value.truth = cedar_at(p, "true");
	cedar_next(p);
	return push_leaf(p, n);
}

/* Reads one token, or a whole operand, where an operand must come. */
static bool operand(struct cedar_parser *p)
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

/* ---- what follows an operand ---- */

/* The last operand becomes `op` of it and a name. */
static bool name_node(struct cedar_parser *p, uint8_t op, struct cedar_text name)
{
	struct cedar_operand *o = last(p);
	struct cedar_node n = {.op = op,
	    .offset = o->offset,
	    .child = {o->node, CEDAR_NONE, CEDAR_NONE},
	    .name = name};

	return cedar_add_node(p, &n, &o->node);
}

static bool method(struct cedar_parser *p, struct cedar_text name, uint32_t offset)
{
	const struct cedar_callee *c = cedar_callee(name);
	int len = name.len > 60 ? 60 : (int)name.len;
	const char *near;
	char mend[160] = "";

	if (c && c->method)
		return begin_call(p, c, last(p)->offset);
	if (c) {
		snprintf(mend, sizeof(mend), "write %s(…)", c->name);
		return cedar_refuse(p, offset, mend, "`%s` is a function, not a method", c->name);
	}
	near = cedar_callee_near(name, true);
	if (near)
		snprintf(mend, sizeof(mend), "did you mean `%s`?", near);
	return cedar_refuse(p, offset, mend, "there is no method `%.*s`", len, name.bytes);
}

static bool after_dot(struct cedar_parser *p)
{
	struct cedar_text name;
	uint32_t offset;

	cedar_next(p);
	offset = p->token.offset;
	if (p->token.kind == TOKEN_STRING)
		return cedar_refuse(p, offset, "write [\"…\"] without the dot",
		    "found %s, expected the name of an attribute",
		    cedar_describe(&p->lexer, &p->token).text);
	if (!cedar_take_name(p, "the name of an attribute or method", &name))
		return false;
	return cedar_at(p, "(") ? method(p, name, offset) : name_node(p, OP_GET, name);
}

static bool index_of(struct cedar_parser *p)
{
	struct cedar_text name;

	cedar_next(p);
	if (p->token.kind != TOKEN_STRING)
		return cedar_unexpected(p, "the name of an attribute in quotes");
	if (!cedar_take_string(p, &name, NULL))
		return false;
	if (!cedar_accept(p, "]"))
		return cedar_unexpected(p, "`]`");
	return name_node(p, OP_GET, name);
}

/* x has a.b.c: x has a && x.a has b && x.a.b has c */
static bool has(struct cedar_parser *p)
{
	struct cedar_operand subject = *last(p);
	struct cedar_text name;
	uint32_t all = CEDAR_NONE;
	bool quoted = p->token.kind == TOKEN_STRING;

	do {
		if (quoted ? !cedar_take_string(p, &name, NULL)
			   : !cedar_take_name(p, "the name of an attribute", &name))
			return false;
		*last(p) = subject;
		if (!name_node(p, OP_HAS, name))
			return false;
		if (all == CEDAR_NONE)
			all = last(p)->node;
		else if (!cedar_add_binary(p, OP_AND, subject.offset, all, last(p)->node, &all))
			return false;
		if (quoted || !cedar_at(p, "."))
			break;
		*last(p) = subject;
		if (!name_node(p, OP_GET, name))
			return false;
		subject = *last(p);
		cedar_next(p);
	} while (true);
	last(p)->node = all;
	p->whole = true;
	return true;
}

static bool like(struct cedar_parser *p)
{
	struct cedar_node n = {.op = OP_LIKE,
	    .offset = last(p)->offset,
	    .child = {last(p)->node, CEDAR_NONE, CEDAR_NONE}};

	if (p->token.kind != TOKEN_STRING)
		return cedar_unexpected(p, "a pattern in quotes");
	if (!cedar_take_string(p, NULL, &n.pattern))
		return false;
	p->whole = true;
	return cedar_add_node(p, &n, &last(p)->node);
}

static bool is(struct cedar_parser *p)
{
	struct cedar_path path;
	struct cedar_frame f = {.kind = FRAME_RELATION,
	    .op = OP_IN,
	    .is = true,
	    .offset = last(p)->offset,
	    .base = (uint32_t)p->operands_len - 1};

	if (p->token.kind != TOKEN_NAME)
		return cedar_unexpected(p, "an entity type");
	if (!cedar_take_path(p, &path))
		return false;
	if (path.entity)
		return cedar_refuse(p, path.offset, "write == for one entity, is for a type",
		    "found an entity, expected an entity type");
	if (!name_node(p, OP_IS, path.uid.type))
		return false;
	p->whole = true;
	return !cedar_accept(p, "in") || open_frame(p, f);
}

struct binary {
	const char *sign;
	uint8_t kind, op;
};

static const struct binary *binary_at(const struct cedar_parser *p)
{
	static const struct binary table[] = {
	    {"||", FRAME_OR, OP_OR},
	    {"&&", FRAME_AND, OP_AND},
	    {"==", FRAME_RELATION, OP_EQ},
	    {"!=", FRAME_RELATION, OP_NE},
	    {"<", FRAME_RELATION, OP_LT},
	    {"<=", FRAME_RELATION, OP_LE},
	    {">", FRAME_RELATION, OP_GT},
	    {">=", FRAME_RELATION, OP_GE},
	    {"in", FRAME_RELATION, OP_IN},
	    {"has", FRAME_RELATION, OP_HAS},
	    {"like", FRAME_RELATION, OP_LIKE},
	    {"is", FRAME_RELATION, OP_IS},
	    {"+", FRAME_ADD, OP_ADD},
	    {"-", FRAME_ADD, OP_SUB},
	    {"*", FRAME_MULTIPLY, OP_MUL},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (cedar_at(p, table[i].sign))
			return &table[i];
	return NULL;
}

/* The operator is read; *ret_operand: an operand must follow. */
static bool binary(struct cedar_parser *p, const struct binary *b, bool *ret_operand)
{
	bool chain = b->kind == FRAME_OR || b->kind == FRAME_AND;
	struct cedar_frame f = {.kind = b->kind, .op = b->op};

	*ret_operand = true;
	if (!reduce_to(p, chain || b->kind == FRAME_RELATION ? b->kind + 1 : b->kind))
		return false;
	if ((p->whole && !chain) || (b->kind == FRAME_RELATION && top(p)->kind == b->kind))
		return cedar_refuse(p, p->token.offset, "put one of the two in parentheses",
		    "`%s` follows another comparison", b->sign);
	cedar_next(p);
	*ret_operand = b->op != OP_HAS && b->op != OP_LIKE && b->op != OP_IS;
	if (b->op == OP_HAS)
		return has(p);
	if (b->op == OP_LIKE)
		return like(p);
	if (b->op == OP_IS) {
		if (!is(p))
			return false;
		*ret_operand = top(p)->kind == FRAME_RELATION;
		return true;
	}
	if (chain && top(p)->kind == b->kind)
		return true;
	f.offset = last(p)->offset;
	f.base = (uint32_t)p->operands_len - 1;
	return open_frame(p, f);
}

/* ---- the end of an operand's expression ---- */

static bool comma(struct cedar_parser *p, const char *end, bool *ret_operand)
{
	if (cedar_accept(p, end)) {
		*ret_operand = false;
		return close_bracket(p);
	}
	if (!cedar_accept(p, ",")) {
		char expected[40];

		snprintf(expected, sizeof(expected), "an operator, `,` or `%s`", end);
		return cedar_unexpected(p, expected);
	}
	if (cedar_accept(p, end)) {
		*ret_operand = false;
		return close_bracket(p);
	}
	*ret_operand = true;
	return top(p)->kind != FRAME_RECORD || begin_member(p);
}

static bool word(struct cedar_parser *p, const char *name, uint8_t kind, const char *expected)
{
	if (!cedar_accept(p, name))
		return cedar_unexpected(p, expected);
	top(p)->kind = kind;
	return true;
}

/* The token does not go on with the expression: what is open takes it. */
static bool end_of_part(struct cedar_parser *p, bool *ret_operand, bool *ret_done)
{
	*ret_operand = false;
	if (!reduce_to(p, FRAME_OR))
		return false;
	switch ((enum cedar_frame_kind)top(p)->kind) {
	case FRAME_GROUP:
		if (!cedar_accept(p, ")"))
			return cedar_unexpected(p, "an operator or `)`");
		return close_bracket(p);
	case FRAME_SET:
		return comma(p, "]", ret_operand);
	case FRAME_RECORD:
		return comma(p, "}", ret_operand);
	case FRAME_CALL:
		return comma(p, ")", ret_operand);
	case FRAME_IF:
		*ret_operand = true;
		return word(p, "then", FRAME_THEN, "an operator or `then`");
	case FRAME_THEN:
		*ret_operand = true;
		return word(p, "else", FRAME_ELSE, "an operator or `else`");
	case FRAME_ELSE:
		return close_if(p);
	default:
		*ret_done = true;
		return cedar_at(p, "}") || cedar_unexpected(p, "an operator or `}`");
	}
}

static bool after_operand(struct cedar_parser *p, bool *ret_operand, bool *ret_done)
{
	const struct binary *b = binary_at(p);
	bool dot = cedar_at(p, "."), bracket = cedar_at(p, "["), call = cedar_at(p, "(");

	*ret_operand = false;
	if (b)
		return binary(p, b, ret_operand);
	if (p->whole && (dot || bracket || call))
		return cedar_unexpected(p, "&&, || or the end of the expression");
	if (call)
		return cedar_refuse(p, p->token.offset, NULL,
		    "found `(` after an expression: only functions and methods are called");
	if (dot || bracket) {
		size_t frames = p->frames_len;

		if (!(dot ? after_dot(p) : index_of(p)))
			return false;
		*ret_operand = p->frames_len > frames; /* in the brackets of a method */
		return true;
	}
	return end_of_part(p, ret_operand, ret_done);
}

bool cedar_take_expression(struct cedar_parser *p, uint32_t *ret)
{
	bool want = true, done = false;

	p->operands_len = 0;
	p->nesting = 0;
	p->whole = false;
	p->frames_len = 0;
	p->frames[p->frames_len++] = (struct cedar_frame){.kind = FRAME_ROOT};
	while (!done) {
		size_t before = p->operands_len;

		if (!want) {
			if (!after_operand(p, &want, &done))
				return false;
			continue;
		}
		if (!operand(p))
			return false;
		/* it is there, or what opens before it */
		want = p->operands_len == before || last(p)->node == CEDAR_NONE;
	}
	*ret = last(p)->node;
	return true;
}
