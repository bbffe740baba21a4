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

bool cedar_open_frame(struct cedar_parser *p, struct cedar_frame f)
{
	if (f.kind < FRAME_OR && ++p->nesting > CEDAR_DEPTH_MAX)
		return cedar_refuse(p, f.offset, "make several policies of it",
		    "this expression is nested more than %u deep", CEDAR_DEPTH_MAX);
	p->frames[p->frames_len++] = f;
	return true;
}

static struct cedar_frame close_frame(struct cedar_parser *p)
{
	struct cedar_frame f = *cedar_top(p);

	if (f.kind < FRAME_OR)
		p->nesting--;
	p->frames_len--;
	return f;
}

/* ---- closing what is open ---- */

static bool reduce_unary(struct cedar_parser *p, const struct cedar_frame *f)
{
	struct cedar_operand *o = cedar_last(p);

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
	while (cedar_top(p)->kind >= kind)
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
	return cedar_push_node(p, node, f.offset);
}

static bool close_call(struct cedar_parser *p)
{
	struct cedar_frame f = close_frame(p);
	const struct cedar_callee *c = f.callee;
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
		n.child[i] = p->operands[f.base + i].node;
	if (!cedar_add_node(p, &n, &node))
		return false;
	p->operands_len = f.base;
	return cedar_push_node(p, node, f.offset);
}

/* The bracket of the top frame is complete. */
bool cedar_close_bracket(struct cedar_parser *p)
{
	struct cedar_frame f = *cedar_top(p);

	if (f.kind == FRAME_CALL)
		return close_call(p);
	close_frame(p);
	if (f.kind == FRAME_GROUP) {
		cedar_last(p)->offset = f.offset;
		p->whole = false;
		return true;
	}
	return cedar_push_list(p, f.kind == FRAME_SET ? OP_SET : OP_RECORD, 0, f.offset, f.base);
}

/* ---- what follows an operand ---- */

/* The last operand becomes `op` of it and a name. */
static bool name_node(struct cedar_parser *p, uint8_t op, struct cedar_text name)
{
	struct cedar_operand *o = cedar_last(p);
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
		return cedar_begin_call(p, c, cedar_last(p)->offset);
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
	struct cedar_operand subject = *cedar_last(p);
	struct cedar_text name;
	uint32_t all = CEDAR_NONE;
	bool quoted = p->token.kind == TOKEN_STRING;

	do {
		if (quoted ? !cedar_take_string(p, &name, NULL)
			   : !cedar_take_name(p, "the name of an attribute", &name))
			return false;
		if (!name_node(p, OP_HAS, name))
			return false;
		if (all == CEDAR_NONE)
			all = cedar_last(p)->node;
		else if (!cedar_add_binary(
			     p, OP_AND, subject.offset, all, cedar_last(p)->node, &all))
			return false;
		if (quoted || !cedar_at(p, "."))
			break;
		*cedar_last(p) = subject;
		if (!name_node(p, OP_GET, name))
			return false;
		subject = *cedar_last(p);
		cedar_next(p);
	} while (true);
	cedar_last(p)->node = all;
	p->whole = true;
	return true;
}

static bool like(struct cedar_parser *p)
{
	struct cedar_node n = {.op = OP_LIKE,
	    .offset = cedar_last(p)->offset,
	    .child = {cedar_last(p)->node, CEDAR_NONE, CEDAR_NONE}};

	if (p->token.kind != TOKEN_STRING)
		return cedar_unexpected(p, "a pattern in quotes");
	if (!cedar_take_string(p, NULL, &n.pattern))
		return false;
	p->whole = true;
	return cedar_add_node(p, &n, &cedar_last(p)->node);
}

static bool is(struct cedar_parser *p)
{
	struct cedar_path path;
	struct cedar_frame f = {.kind = FRAME_RELATION,
	    .op = OP_IN,
	    .is = true,
	    .offset = cedar_last(p)->offset,
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
	return !cedar_accept(p, "in") || cedar_open_frame(p, f);
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
	if ((p->whole && !chain) || (b->kind == FRAME_RELATION && cedar_top(p)->kind == b->kind))
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
		*ret_operand = cedar_top(p)->kind == FRAME_RELATION;
		return true;
	}
	if (chain && cedar_top(p)->kind == b->kind)
		return true;
	f.offset = cedar_last(p)->offset;
	f.base = (uint32_t)p->operands_len - 1;
	return cedar_open_frame(p, f);
}

/* ---- the end of an operand's expression ---- */

static bool comma(struct cedar_parser *p, const char *end, bool *ret_operand)
{
	if (cedar_accept(p, end)) {
		*ret_operand = false;
		return cedar_close_bracket(p);
	}
	if (!cedar_accept(p, ",")) {
		char expected[40];

		snprintf(expected, sizeof(expected), "an operator, `,` or `%s`", end);
		return cedar_unexpected(p, expected);
	}
	if (cedar_accept(p, end)) {
		*ret_operand = false;
		return cedar_close_bracket(p);
	}
	*ret_operand = true;
	return cedar_top(p)->kind != FRAME_RECORD || cedar_begin_member(p);
}

static bool word(struct cedar_parser *p, const char *name, uint8_t kind, const char *expected)
{
	if (!cedar_accept(p, name))
		return cedar_unexpected(p, expected);
	cedar_top(p)->kind = kind;
	return true;
}

/* The token does not go on with the expression: what is open takes it. */
static bool end_of_part(struct cedar_parser *p, bool *ret_operand, bool *ret_done)
{
	*ret_operand = false;
	if (!reduce_to(p, FRAME_OR))
		return false;
	switch ((enum cedar_frame_kind)cedar_top(p)->kind) {
	case FRAME_GROUP:
		if (!cedar_accept(p, ")"))
			return cedar_unexpected(p, "an operator or `)`");
		return cedar_close_bracket(p);
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
		if (!cedar_begin_operand(p))
			return false;
		/* it is there, or what opens before it */
		want = p->operands_len == before || cedar_last(p)->node == CEDAR_NONE;
	}
	*ret = cedar_last(p)->node;
	return true;
}
