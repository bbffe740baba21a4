/* One decision while it is made: what the evaluator's files share. */
#ifndef ARKKI_POLICIES_CEDAR_EVAL_H
#define ARKKI_POLICIES_CEDAR_EVAL_H

#include "policies/cedar_private.h"

/* Nodes that one decision may evaluate. A node with two parents is evaluated for each of them, so
 * that a short policy of nested `has a.b` could ask for steps without end. */
#define CEDAR_STEPS_MAX (1u << 22)

struct cedar_decision {
	const struct cedar_world *world;
	const struct cedar_request *request; /* NULL: no variable is looked at */
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
/* cedar_apply() within a decision. */
ARK_MUSTUSE int cedar_operate(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *args, size_t args_len, struct cedar_value *ret,
    struct ark_error *err);

#endif
