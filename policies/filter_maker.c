/* The formulas of filter.h: where they lie, and how they become a tree. */
#include "policies/filter_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	NODES_FIRST = 256, /* a power of two */
	DEPTH_STOP = 200,
};

/* ---- keeping ---- */

struct filter_maker *filter_maker_new(struct cedar_arena *a)
{
	struct filter_maker *m = cedar_alloc(a, sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct filter_maker){.arena = a, .cap = NODES_FIRST, .buckets_len = NODES_FIRST};
	m->nodes = cedar_alloc(a, m->cap * sizeof(*m->nodes));
	m->buckets = cedar_alloc(a, m->buckets_len * sizeof(*m->buckets));
	if (!m->nodes || !m->buckets)
		return NULL;
	m->nodes[0] = (struct filter_node){
	    .op = ACCESS_OP_ALL, .negative = {false, true}, .depth = {1, 1}, .leaves = 1};
	m->len = 1;
	return m;
}

/* Twice the room, for nodes and chains alike. What was there stays in the arena. */
static bool grow(struct filter_maker *m)
{
	uint32_t cap = m->cap * 2;
	struct filter_node *nodes;
	uint32_t *buckets;

	if (m->cap > UINT32_MAX / 8)
		return false;
	nodes = cedar_alloc(m->arena, cap * sizeof(*nodes));
	buckets = cedar_alloc(m->arena, cap * sizeof(*buckets));
	if (!nodes || !buckets)
		return false;
	memcpy(nodes, m->nodes, m->len * sizeof(*nodes));
	for (uint32_t i = 1; i < m->len; i++) {
		uint32_t *head = &buckets[nodes[i].hash & (cap - 1)];

		nodes[i].next = *head;
		*head = i;
	}
	m->nodes = nodes;
	m->buckets = buckets;
	m->cap = m->buckets_len = cap;
	return true;
}

static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * 16777619U; /* FNV-1a */
	return hash;
}

static uint32_t hash_numbers(uint32_t hash, const uint32_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		hash = (hash ^ numbers[i]) * 0x9E3779B1U;
		hash ^= hash >> 15;
	}
	return hash;
}

/* The formula of the new node, whose contents are in the arena. */
static uint32_t keep(struct filter_maker *m, const struct filter_node *node)
{
	uint32_t *head;

	if (m->len == m->cap && !grow(m)) {
		m->failed = true;
		return FILTER_NONE;
	}
	head = &m->buckets[node->hash & (m->buckets_len - 1)];
	m->nodes[m->len] = *node;
	m->nodes[m->len].next = *head;
	*head = m->len;
	m->work += node->len + 1;
	return m->len++ << 1;
}

uint32_t filter_leaf(struct filter_maker *m, enum access_op op, enum access_attribute attribute,
    struct cedar_text value)
{
	uint8_t what[2] = {(uint8_t)op, (uint8_t)attribute};
	uint32_t hash = hash_bytes(hash_bytes(2166136261U, what, 2), value.bytes, value.len);
	struct filter_node node = {.op = what[0],
	    .attribute = what[1],
	    .negative = {false, true},
	    .depth = {1, 2},
	    .leaves = 1,
	    .hash = hash};
	char *copy;

	if (m->failed)
		return FILTER_NONE;
	for (uint32_t i = m->buckets[hash & (m->buckets_len - 1)]; i; i = m->nodes[i].next) {
		const struct filter_node *n = &m->nodes[i];

		if (n->hash == hash && n->op == what[0] && n->attribute == what[1] &&
		    cedar_text_equal(n->value, value))
			return i << 1;
	}
	copy = cedar_alloc(m->arena, value.len + 1);
	if (!copy) {
		m->failed = true;
		return FILTER_NONE;
	}
	if (value.len)
		memcpy(copy, value.bytes, value.len);
	node.value = (struct cedar_text){copy, value.len};
	return keep(m, &node);
}

/* What will be built of an AND of the children (negated 0), or an OR of their negations (1):
 * the negated ones are drawn together under one NOT. */
static void measure(const struct filter_maker *m, struct filter_node *node, unsigned int negated)
{
	unsigned int negatives = 0, deepest[2] = {0, 0}, depth;

	for (uint32_t i = 0; i < node->len; i++) {
		uint32_t part = node->child[i] ^ negated;
		const struct filter_node *n = filter_node_of(m, part);
		bool negative = n->negative[part & 1U];

		negatives += negative;
		if (n->depth[part & 1U] > deepest[negative])
			deepest[negative] = n->depth[part & 1U];
	}
	node->negative[negated] = negatives == node->len;
	depth = deepest[true] + (negatives > 1 && negatives < node->len ? 2 : 1);
	if (depth < deepest[false] + 1)
		depth = deepest[false] + 1;
	node->depth[negated] = (uint8_t)(depth < DEPTH_STOP ? depth : DEPTH_STOP);
}

uint32_t filter_intern_and(struct filter_maker *m, const uint32_t *child, size_t n)
{
	uint32_t hash = hash_numbers((uint32_t)n, child, n), *copy;
	struct filter_node node = {.op = ACCESS_OP_AND, .hash = hash, .len = (uint32_t)n};
	uint64_t leaves = 0;

	if (m->failed)
		return FILTER_NONE;
	for (uint32_t i = m->buckets[hash & (m->buckets_len - 1)]; i; i = m->nodes[i].next) {
		const struct filter_node *other = &m->nodes[i];

		if (other->hash == hash && other->op == ACCESS_OP_AND && other->len == n &&
		    memcmp(other->child, child, n * sizeof(*child)) == 0)
			return i << 1;
	}
	copy = cedar_alloc(m->arena, n * sizeof(*copy));
	if (!copy) {
		m->failed = true;
		return FILTER_NONE;
	}
	memcpy(copy, child, n * sizeof(*copy));
	node.child = copy;
	for (size_t i = 0; i < n; i++) {
		const struct filter_node *part = filter_node_of(m, child[i]);

		leaves += part->leaves;
		if (part->op != ACCESS_OP_AND && filter_has_one_value(part->attribute))
			node.telling |= (uint16_t)(1U << part->attribute);
	}
	node.leaves = leaves < UINT32_MAX ? (uint32_t)leaves : UINT32_MAX;
	measure(m, &node, 0);
	measure(m, &node, 1);
	return keep(m, &node);
}

bool filter_fits(const struct filter_maker *m, uint32_t formula)
{
	const struct filter_node *n = filter_node_of(m, formula);

	return n->leaves <= FILTER_LEAVES_MAX && n->depth[formula & 1U] <= FILTER_DEPTH_MAX;
}

size_t filter_work(const struct filter_maker *m)
{
	return m->work;
}

bool filter_failed(const struct filter_maker *m)
{
	return m->failed;
}

/* ---- building ---- */

static struct access_filter *build(const struct filter_maker *m, uint32_t formula);

/* Room for so many children; NULL when there is no memory. */
static struct access_filter *tree_new(enum access_op op, size_t children)
{
	struct access_filter *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->op = op;
	if (children && !(f->child = calloc(children, sizeof(struct access_filter *)))) {
		free(f);
		return NULL;
	}
	return f;
}

/* Takes the child, also when it fails: then f is freed too, and the answer is NULL. */
static struct access_filter *tree_add(struct access_filter *f, struct access_filter *child)
{
	if (!f || !f->child || !child) {
		access_filter_free(f);
		access_filter_free(child);
		return NULL;
	}
	f->child[f->children++] = child;
	return f;
}

static struct access_filter *build_leaf(const struct filter_node *n)
{
	struct access_filter *f = tree_new((enum access_op)n->op, 0);

	if (!f)
		return NULL;
	f->attribute = (enum access_attribute)n->attribute;
	if (n->op == ACCESS_OP_PRESENT)
		return f;
	f->value = strndup(n->value.bytes, n->value.len);
	if (!f->value) {
		access_filter_free(f);
		return NULL;
	}
	return f;
}

/* Of an AND or OR the parts that are negated: NOT of the OR or AND of what they negate. */
static struct access_filter *build_negated(
    const struct filter_maker *m, const struct filter_node *n, unsigned int sign, size_t count)
{
	struct access_filter *dual = tree_new(sign ? ACCESS_OP_AND : ACCESS_OP_OR, count);

	for (uint32_t i = 0; i < n->len && dual; i++) {
		uint32_t part = n->child[i] ^ sign;

		if (filter_node_of(m, part)->negative[part & 1U])
			dual = tree_add(dual, build(m, filter_not(part)));
	}
	return dual ? tree_add(tree_new(ACCESS_OP_NOT, 1), dual) : NULL;
}

/* Deep as filter_fits() allows. */
static struct access_filter *build(const struct filter_maker *m, uint32_t formula)
{
	const struct filter_node *n = filter_node_of(m, formula);
	unsigned int sign = formula & 1U;
	struct access_filter *f;
	size_t negatives = 0;

	if (n->op == ACCESS_OP_ALL)
		return tree_new(sign ? ACCESS_OP_NONE : ACCESS_OP_ALL, 0);
	if (n->negative[sign])
		return tree_add(tree_new(ACCESS_OP_NOT, 1), build(m, filter_not(formula)));
	if (n->op != ACCESS_OP_AND)
		return build_leaf(n);
	f = tree_new(sign ? ACCESS_OP_OR : ACCESS_OP_AND, n->len);
	for (uint32_t i = 0; i < n->len && f; i++) {
		uint32_t part = n->child[i] ^ sign;

		if (filter_node_of(m, part)->negative[part & 1U])
			negatives++;
		else
			f = tree_add(f, build(m, part));
	}
	if (!f || !negatives)
		return f;
	for (uint32_t i = 0; i < n->len && negatives == 1; i++) {
		uint32_t part = n->child[i] ^ sign;

		if (filter_node_of(m, part)->negative[part & 1U])
			return tree_add(f, build(m, part));
	}
	return tree_add(f, build_negated(m, n, sign, negatives));
}

int filter_build(const struct filter_maker *m, uint32_t formula, struct access_filter **ret,
    struct ark_error *err)
{
	struct access_filter *f;

	if (m->failed)
		return ark_fail(err, ARK_ENOMEM, "no memory for an access filter");
	if (!filter_fits(m, formula))
		return ark_fail(err, ARK_EINPUT,
		    "an access filter of over %d attributes or %d levels", FILTER_LEAVES_MAX,
		    FILTER_DEPTH_MAX);
	f = build(m, formula);
	if (!f)
		return ark_fail(err, ARK_ENOMEM, "no memory for an access filter");
	*ret = f;
	return ARK_OK;
}
