/* What the cedar_partial*.c files share: what an expression is while the
 * resource is unknown, and how what is unknown becomes formulas.
 */
#ifndef ARKKI_POLICIES_CEDAR_PARTIAL_PRIVATE_H
#define ARKKI_POLICIES_CEDAR_PARTIAL_PRIVATE_H

#include "policies/cedar_partial.h"
#include "policies/filter.h"

/* A set of resources, known from below and above: what is in the lower formula is in the set, and
 * what is in the set is in the upper. Exact where they are the same number. */
struct range {
	uint32_t lower, upper;
};
static const struct range RANGE_ALL = {FILTER_ALL, FILTER_ALL};
static const struct range RANGE_NONE = {FILTER_NONE, FILTER_NONE};
static const struct range RANGE_UNKNOWN = {FILTER_NONE, FILTER_ALL};

/* For which resources a truth is true and false; it fails for the others. */
struct truth {
	struct range yes, no;
};

enum part_kind {
	PART_NOTHING, /* not looked at yet */
	PART_VALUE,
	PART_ERROR, /* fails for every resource */
	PART_RESOURCE,
	PART_ATTRIBUTE, /* of the resource; fails where it is missing */
	PART_TRUTH,     /* nothing but a boolean */
	PART_OPAQUE,    /* anything */
};
struct part {
	enum part_kind kind;
	union {
		struct cedar_value value;
		struct truth truth;
		struct {
			const struct cedar_indexed *indexed;
			int64_t shift_ms; /* added to a day */
		};
	};
};

/* Which half of a truth somebody looks at. The other half may be RANGE_UNKNOWN. */
enum { WANT_YES = 1, WANT_NO = 2, WANT_BOTH = 3 };

struct partial {
	const struct cedar_policies *policies;
	const struct cedar_world *world;
	const struct cedar_request *request;
	const struct cedar_indexed *indexed;
	size_t indexed_len;
	struct cedar_arena *arena;
	struct filter_maker *maker;
	struct part *parts; /* of the policy at hand, by node */
	uint8_t *wants;     /* of the policy at hand, by node: WANT_… of truths */
	uint32_t first;     /* the node of parts[0] */
	uint32_t node;      /* at hand */
	uint32_t lost;      /* the first node that could not be told exactly; CEDAR_NONE: none */
	int status;         /* sticks: out of memory or beyond bounds */
};

/* ---- cedar_partial_range.c: sets of resources ---- */

struct range range_not(struct range a);
struct range range_and(struct partial *s, struct range a, struct range b);
struct range range_or(struct partial *s, struct range a, struct range b);
/* Notes that the node at hand could not be told exactly. */
void partial_lose(struct partial *s);
/* A bound too large to be built gives way. */
struct range range_bounded(struct partial *s, struct range a);

/* Where the attribute is there. */
struct range range_present(struct partial *s, const struct part *attribute);
/* Where a value of one is, or a set contains, `v`. */
struct range range_has(
    struct partial *s, const struct part *attribute, const struct cedar_value *v);
/* Where it is or contains one of the values (all: contains each of them). */
struct range range_has_of(struct partial *s, const struct part *attribute,
    const struct cedar_value *values, size_t n, bool all);
/* Where a day is v or earlier. */
struct range range_upto(struct partial *s, const struct part *attribute, int64_t ms);
/* True in `yes`, false elsewhere, as long as it can be computed: in `defined`. */
struct part part_truth(struct partial *s, struct range yes, struct range defined);
/* The same of an attribute; `yes` came from the functions above, without a NOT. */
struct part part_told(struct partial *s, const struct part *attribute, struct range yes);
struct part part_constant(struct partial *s, bool truth, struct range defined);
struct part part_of_truth(struct truth t);
struct truth truth_of(const struct part *p); /* of anything, where a truth is wanted */

/* ---- cedar_partial_ops.c: operators ---- */

/* The operator over its operands, some of which are not known. None is PART_ERROR. */
struct part partial_apply(
    struct partial *s, const struct cedar_node *node, const struct part *const *args, size_t n);

#endif
