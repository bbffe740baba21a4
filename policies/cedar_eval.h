/* One decision while it is made: what the evaluator's files share. */
#ifndef ARKKI_POLICIES_CEDAR_EVAL_H
#define ARKKI_POLICIES_CEDAR_EVAL_H

#include "policies/cedar_private.h"

/* Nodes that one decision may evaluate. A node with two parents is evaluated for each of them, so
 * that a short policy of nested `has a.b` could ask for steps without end. */
#define CEDAR_STEPS_MAX (1u << 22)

struct cedar_decision {
	const struct cedar_world *world;
	const struct cedar_request *request;     /* NULL: no variable is looked at */
	struct cedar_value var[VAR_CONTEXT + 1]; /* by enum cedar_var */
	/* principal, action and resource, found once; NULL: not among the entities */
	const struct cedar_entity *seat[VAR_RESOURCE + 1];
	struct cedar_arena *arena;
	uint32_t steps; /* left */
};
void cedar_decision_begin(struct cedar_decision *d, const struct cedar_world *world,
    const struct cedar_request *request, struct cedar_arena *a);
const struct cedar_entity *cedar_decision_find(
    const struct cedar_decision *d, const struct cedar_uid *uid);
/* Is it uid itself or below it? `entity` is what there is of `self`, or NULL. */
bool cedar_is_in(
    const struct cedar_uid *self, const struct cedar_entity *entity, const struct cedar_uid *uid);
/* The record that an attribute of the value is in: itself, or its entity's; NULL: there is none. */
const struct cedar_value *cedar_record_in(
    const struct cedar_decision *d, const struct cedar_value *v);
/* Operators of one or two operands, b being NULL where there is one. As cedar_apply(). */
ARK_MUSTUSE int cedar_operate(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *a, const struct cedar_value *b, struct cedar_value *ret,
    struct ark_error *err);
/* Operators over a list: SET, CALL, RECORD. As cedar_apply(); a set takes `args`, which are in the arena. */
ARK_MUSTUSE int cedar_gather(const struct cedar_decision *d, const struct cedar_node *node,
    struct cedar_value *args, struct cedar_value *ret, struct ark_error *err);
static inline bool cedar_is_binary(uint8_t op)
{
	return op >= OP_EQ && op <= OP_HAS_TAG;
}
static inline bool cedar_is_choice(uint8_t op)
{
	return op == OP_AND || op == OP_OR || op == OP_IF;
}

#endif
