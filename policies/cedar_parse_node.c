#include "policies/cedar_parse.h"

#include <stdlib.h>
#include <string.h>

/* Chains of && and || are left-deep up to this many; longer ones are halved again and again, so that a policy may name
 * thousands of cases and stay shallow. Both mean the same: they are associative, errors and short-circuits included. */
#define LEFT_DEEP_MAX 32u

static bool grow(struct cedar_parser *p, void **array, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 256;
	void *grown = reallocarray(*array, more, size);

	if (!grown)
		return cedar_short_of_memory(p);
	*array = grown;
	*cap = more;
	return true;
}

static unsigned int deeper(const struct cedar_parser *p, uint32_t child, unsigned int depth)
{
	return child != CEDAR_NONE && p->nodes[child].depth > depth ? p->nodes[child].depth : depth;
}

bool cedar_add_node(struct cedar_parser *p, const struct cedar_node *node, uint32_t *ret)
{
	unsigned int depth = 0;

	for (unsigned int i = 0; i < 3; i++)
		depth = deeper(p, node->child[i], depth);
	for (uint32_t i = 0; i < node->list_len; i++)
		depth = deeper(p, node->list[i], depth);
	if (depth >= CEDAR_DEPTH_MAX)
		return cedar_refuse(p, node->offset, "make several policies of it",
		    "this expression is nested more than %u deep", CEDAR_DEPTH_MAX);
	if (p->nodes_len >= CEDAR_NODES_MAX)
		return cedar_refuse(p, node->offset, "make several policies of it",
		    "the text has more than %u expressions", CEDAR_NODES_MAX);
	if (p->nodes_len == p->nodes_cap &&
	    !grow(p, (void **)&p->nodes, &p->nodes_cap, sizeof(*p->nodes)))
		return false;
	p->nodes[p->nodes_len] = *node;
	p->nodes[p->nodes_len].depth = (uint8_t)(depth + 1);
	*ret = (uint32_t)p->nodes_len++;
	return true;
}

bool cedar_add_unary(
    struct cedar_parser *p, uint8_t op, uint32_t offset, uint32_t child, uint32_t *ret)
{
	struct cedar_node n = {
	    .op = op, .offset = offset, .child = {child, CEDAR_NONE, CEDAR_NONE}};

	return cedar_add_node(p, &n, ret);
}

bool cedar_add_binary(struct cedar_parser *p, uint8_t op, uint32_t offset, uint32_t left,
    uint32_t right, uint32_t *ret)
{
	struct cedar_node n = {.op = op, .offset = offset, .child = {left, right, CEDAR_NONE}};

	return cedar_add_node(p, &n, ret);
}

bool cedar_push(struct cedar_parser *p, struct cedar_operand operand)
{
	if (p->operands_len == p->operands_cap &&
	    !grow(p, (void **)&p->operands, &p->operands_cap, sizeof(*p->operands)))
		return false;
	p->operands[p->operands_len++] = operand;
	p->whole = false;
	return true;
}

bool cedar_push_node(struct cedar_parser *p, uint32_t node, uint32_t offset)
{
	return cedar_push(p, (struct cedar_operand){.node = node, .offset = offset});
}

bool cedar_push_leaf(struct cedar_parser *p, struct cedar_node n)
{
	uint32_t node;

	n.child[0] = n.child[1] = n.child[2] = CEDAR_NONE;
	return cedar_add_node(p, &n, &node) && cedar_push_node(p, node, n.offset);
}

/* Operands a and b become one, at `to`. */
static bool join_two(struct cedar_parser *p, uint8_t op, size_t to, size_t a, size_t b)
{
	struct cedar_operand *o = p->operands;

	if (!cedar_add_binary(p, op, o[a].offset, o[a].node, o[b].node, &o[to].node))
		return false;
	o[to].offset = o[a].offset;
	return true;
}

bool cedar_join(struct cedar_parser *p, uint8_t op, size_t base)
{
	size_t n = p->operands_len - base;
	bool halve = n > LEFT_DEEP_MAX;

	for (size_t i = 1; i < n && !halve; i++)
		if (!join_two(p, op, base, base, base + i))
			return false;
	while (halve && n > 1) {
		for (size_t i = 0; i + 1 < n; i += 2)
			if (!join_two(p, op, base + i / 2, base + i, base + i + 1))
				return false;
		if (n % 2)
			p->operands[base + n / 2] = p->operands[base + n - 1];
		n = n / 2 + n % 2;
	}
	p->operands_len = base + 1;
	return true;
}

struct member {
	struct cedar_text name;
	uint32_t offset;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t shorter = x->name.len < y->name.len ? x->name.len : y->name.len;
	int c = shorter ? memcmp(x->name.bytes, y->name.bytes, shorter) : 0;

	if (c)
		return c;
	if (x->name.len != y->name.len)
		return x->name.len < y->name.len ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Sorted, so that a long record does not cost its square. */
static bool check_members(struct cedar_parser *p, size_t base, size_t n)
{
	struct member *members = calloc(n + 1, sizeof(*members));
	bool good = true;

	if (!members)
		return cedar_short_of_memory(p);
	for (size_t i = 0; i < n; i++)
		members[i] = (struct member){
		    p->operands[base + 2 * i].name, p->operands[base + 2 * i].offset};
	qsort(members, n, sizeof(*members), compare_members);
	for (size_t i = 1; i < n && good; i++)
		if (cedar_text_equal(members[i - 1].name, members[i].name))
			good = cedar_refuse(p, members[i].offset, "leave one of the two out",
			    "the record has the attribute `%.*s` twice",
			    (int)(members[i].name.len > 60 ? 60 : members[i].name.len),
			    members[i].name.bytes);
	free(members);
	return good;
}

bool cedar_push_list(struct cedar_parser *p, uint8_t op, uint8_t fn, uint32_t offset, size_t base)
{
	size_t step = op == OP_RECORD ? 2 : 1, n = (p->operands_len - base) / step;
	struct cedar_text *names = NULL;
	uint32_t *list = cedar_alloc(p->arena, n * sizeof(*list)), node = CEDAR_NONE;
	struct cedar_node made = {.op = op,
	    .fn = fn,
	    .offset = offset,
	    .child = {CEDAR_NONE, CEDAR_NONE, CEDAR_NONE},
	    .list_len = (uint32_t)n,
	    .list = list};

	if (op == OP_RECORD && !check_members(p, base, n))
		return false;
	if (op == OP_RECORD)
		names = cedar_alloc(p->arena, n * sizeof(*names));
	if (!list || (op == OP_RECORD && !names))
		return cedar_short_of_memory(p);
	for (size_t i = 0; i < n; i++) {
		list[i] = p->operands[base + i * step + step - 1].node;
		if (names)
			names[i] = p->operands[base + i * step].name;
	}
	if (names)
		made.names = names;
	if (!cedar_add_node(p, &made, &node))
		return false;
	p->operands_len = base;
	return cedar_push(p, (struct cedar_operand){.node = node, .offset = offset});
}
