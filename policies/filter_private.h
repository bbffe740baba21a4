/* What the filter_*.c files share: how a formula is kept. See filter.h. */
#ifndef ARKKI_POLICIES_FILTER_PRIVATE_H
#define ARKKI_POLICIES_FILTER_PRIVATE_H

#include "policies/filter.h"

/* A formula f is nodes[f / 2], negated when f is odd. nodes[0] is ALL. Two nodes are never alike. */
struct filter_node {
	uint8_t op; /* enum access_op: ALL, HAS, PRESENT, UPTO, or AND of formulas that are not */
	uint8_t attribute;
	/* of the formula and of its negation: are all parts negated, so that it is built as one NOT;
	 * and how deep is what is built */
	bool negative[2];
	uint8_t depth[2];
	uint32_t leaves;  /* of what is built; stops at UINT32_MAX */
	uint16_t telling; /* attributes of its literals that have one value, one bit each */
	uint32_t hash, next;
	uint32_t len;
	const uint32_t *child; /* in ascending order */
	struct cedar_text value;
};
/* Two formulas, a < b, and what they are together: the same are asked for again and again. */
struct filter_pair {
	uint32_t a, b, together;
};
enum { FILTER_PAIRS = 256 };

struct filter_maker {
	struct cedar_arena *arena;
	struct filter_node *nodes;
	uint32_t len, cap;
	uint32_t *buckets; /* chains of alike hashes through `next`; 0 ends them */
	uint32_t buckets_len;
	size_t work;
	struct filter_pair pairs[FILTER_PAIRS]; /* by hash; both ALL where there is none yet */
	bool failed;
};

static inline const struct filter_node *filter_node_of(
    const struct filter_maker *m, uint32_t formula)
{
	return &m->nodes[formula >> 1];
}
/* A leaf or its negation. */
static inline bool filter_is_literal(const struct filter_maker *m, uint32_t formula)
{
	return filter_node_of(m, formula)->op != ACCESS_OP_AND && formula > FILTER_NONE;
}
static inline bool filter_is_or(const struct filter_maker *m, uint32_t formula)
{
	return formula & 1U && filter_node_of(m, formula)->op == ACCESS_OP_AND;
}
/* Do two values of it exclude each other? */
bool filter_has_one_value(uint8_t attribute);
/* The AND of these, which are at least two, simplified and in ascending order. */
uint32_t filter_intern_and(struct filter_maker *m, const uint32_t *child, size_t n);

#endif
