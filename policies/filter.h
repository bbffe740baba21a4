/* Filters in the making: formulas over indexed attributes, kept small.
 *
 * A formula is a number. Formulas that simplify to the same thing have the same
 * number, and filter_not() flips its lowest bit, so that comparing and
 * negating cost nothing: there are only leaves and ANDs, an OR is the
 * negation of an AND of negations. What AND drops, OR drops by the same code:
 * constants, nesting, repetition, contradictions, children that a sibling
 * implies, parts of a child that a sibling decides, common factors.
 * It knows which attributes have one value and which are days; it
 * does not know which must be there.
 *
 * A failure for want of memory sticks: later calls return FILTER_NONE, and
 * filter_build() reports it. Threads: one maker, one thread.
 */
#ifndef ARKKI_POLICIES_FILTER_H
#define ARKKI_POLICIES_FILTER_H

#include "arkki/policies/access.h"
#include "arkki/policies/cedar.h"

enum { FILTER_ALL = 0, FILTER_NONE = 1 }; /* the two constant formulas */
enum {
	FILTER_LEAVES_MAX = 20000,
	FILTER_DEPTH_MAX = 12, /* of a built filter: catalogue and index take 16 */
};

struct filter_maker;
/* In the arena, which it uses for everything. NULL: no memory. */
struct filter_maker *filter_maker_new(struct cedar_arena *a);

/* op: HAS, PRESENT or UPTO. The value is copied; empty for PRESENT. */
uint32_t filter_leaf(struct filter_maker *m, enum access_op op, enum access_attribute attribute,
    struct cedar_text value);
static inline uint32_t filter_not(uint32_t formula)
{
	return formula ^ 1U;
}
uint32_t filter_and(struct filter_maker *m, const uint32_t *formulas, size_t n);
uint32_t filter_or(struct filter_maker *m, const uint32_t *formulas, size_t n);
uint32_t filter_and2(struct filter_maker *m, uint32_t a, uint32_t b);
uint32_t filter_or2(struct filter_maker *m, uint32_t a, uint32_t b);

/* Is the formula small enough to be built? */
bool filter_fits(const struct filter_maker *m, uint32_t formula);
/* How much has been made so far, in children of formulas: to stop in time. */
size_t filter_work(const struct filter_maker *m);
bool filter_failed(const struct filter_maker *m);

/* The formula as a tree, ended with access_filter_free(): constants only at the top, negations
 * drawn together. ARK_EINPUT when it does not fit. */
ARK_MUSTUSE int filter_build(const struct filter_maker *m, uint32_t formula,
    struct access_filter **ret, struct ark_error *err);

#endif
