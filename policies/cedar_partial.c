/* Partial evaluation: see cedar_partial.h.
 *
 * The expressions of a policy are visited children first, and those that a
 * known && || or if passes over not at all: what a policy says of other principals costs
 * nothing. What is known is computed by the evaluator; cedar_partial_ops.c
 * has the operators over what is not, and this file the rest: && || if, the scope, and
 * how the policies make one filter.
 *
 * Known is what does not depend on the resource. An entity of the resource's type that the
 * world does not hold may be the resource itself: its uid is known, what it has is not.
 */
#include "policies/cedar_partial_private.h"

#include <string.h>

/* Beyond this many children of formulas nothing more is translated. */
enum { WORK_MAX = 4000000 };

/* ---- one expression ---- */

static struct part *part_at(struct partial *s, uint32_t node)
{
	return &s->parts[node - s->first];
}

static uint32_t children_of(const struct cedar_node *n)
{
	uint32_t count = 0;

	if (n->op == OP_SET || n->op == OP_CALL || n->op == OP_RECORD)
		return n->list_len;
	while (count < 3 && n->child[count] != CEDAR_NONE)
		count++;
	return count;
}

static uint32_t child_at(const struct cedar_node *n, uint32_t i)
{
	return n->op == OP_SET || n->op == OP_CALL || n->op == OP_RECORD ? n->list[i] : n->child[i];
}

static bool is_bool(const struct part *p, bool truth)
{
	return p->kind == PART_VALUE && p->value.kind == CEDAR_BOOL && p->value.truth == truth;
}

/* Does the i-th child count, those before it being known? */
static bool is_reached(struct partial *s, const struct cedar_node *n, uint32_t i)
{
	const struct part *first;

	if (i == 0)
		return true;
	first = part_at(s, child_at(n, 0));
	if (n->op == OP_AND || n->op == OP_OR)
		return is_bool(first, n->op == OP_AND) || first->kind == PART_TRUTH ||
		       first->kind == PART_OPAQUE;
	if (n->op == OP_IF)
		return is_bool(first, i == 1) || first->kind == PART_TRUTH ||
		       first->kind == PART_OPAQUE;
	return true;
}

static struct part variable(const struct partial *s, enum cedar_var var)
{
	struct part p = {.kind = PART_VALUE};

	switch (var) {
	case VAR_PRINCIPAL:
		p.value = (struct cedar_value){.kind = CEDAR_ENTITY, .uid = s->request->principal};
		break;
	case VAR_ACTION:
		p.value = (struct cedar_value){.kind = CEDAR_ENTITY, .uid = s->request->action};
		break;
	case VAR_CONTEXT:
		p.value = s->request->context;
		break;
	case VAR_RESOURCE:
		p.kind = PART_RESOURCE;
		break;
	}
	return p;
}

static bool wants(const struct partial *s, uint8_t half)
{
	return s->wants[s->node - s->first] & half;
}

static struct part bounded(struct partial *s, struct truth t)
{
	t.yes = wants(s, WANT_YES) ? range_bounded(s, t.yes) : RANGE_UNKNOWN;
	t.no = wants(s, WANT_NO) ? range_bounded(s, t.no) : RANGE_UNKNOWN;
	/* true nowhere, and who asks does not care where it is false rather than failing */
	if ((!wants(s, WANT_NO) && t.yes.upper == FILTER_NONE) ||
	    (!wants(s, WANT_YES) && t.no.upper == FILTER_NONE))
		return (struct part){.kind = PART_ERROR};
	return part_of_truth(t);
}

static struct part both(struct partial *s, const struct part *left, const struct part *right)
{
	struct truth a = truth_of(left), b = truth_of(right), t = {RANGE_UNKNOWN, RANGE_UNKNOWN};

	if (wants(s, WANT_YES))
		t.yes = range_and(s, a.yes, b.yes);
	if (wants(s, WANT_NO))
		t.no = range_or(s, a.no, range_and(s, a.yes, b.no));
	return bounded(s, t);
}

static struct part either(struct partial *s, const struct part *left, const struct part *right)
{
	struct truth a = truth_of(left), b = truth_of(right), t = {RANGE_UNKNOWN, RANGE_UNKNOWN};

	if (wants(s, WANT_YES))
		t.yes = range_or(s, a.yes, range_and(s, a.no, b.yes));
	if (wants(s, WANT_NO))
		t.no = range_and(s, a.no, b.no);
	return bounded(s, t);
}

static bool is_truth(const struct part *p)
{
	return p->kind == PART_TRUTH || p->kind == PART_ERROR ||
	       (p->kind == PART_VALUE && p->value.kind == CEDAR_BOOL);
}

static struct part choose(struct partial *s, const struct cedar_node *n)
{
	const struct part *test = part_at(s, n->child[0]), *yes, *no;
	struct truth c = truth_of(test), a, b, t = {RANGE_UNKNOWN, RANGE_UNKNOWN};

	if (is_bool(test, true))
		return *part_at(s, n->child[1]);
	if (is_bool(test, false))
		return *part_at(s, n->child[2]);
	if (test->kind != PART_TRUTH && test->kind != PART_OPAQUE)
		return (struct part){.kind = PART_ERROR};
	yes = part_at(s, n->child[1]);
	no = part_at(s, n->child[2]);
	if (!is_truth(yes) || !is_truth(no)) {
		partial_lose(s);
		return (struct part){.kind = PART_OPAQUE};
	}
	a = truth_of(yes);
	b = truth_of(no);
	if (wants(s, WANT_YES))
		t.yes = range_or(s, range_and(s, c.yes, a.yes), range_and(s, c.no, b.yes));
	if (wants(s, WANT_NO))
		t.no = range_or(s, range_and(s, c.yes, a.no), range_and(s, c.no, b.no));
	return bounded(s, t);
}

/* May this be the resource, so that the world does not know what it has? */
static bool may_be_resource(
    const struct partial *s, const struct cedar_node *n, const struct part *p)
{
	switch ((enum cedar_op)n->op) {
	case OP_GET:
	case OP_HAS:
	case OP_GET_TAG:
	case OP_HAS_TAG:
	case OP_IN:
		return p->kind == PART_VALUE && p->value.kind == CEDAR_ENTITY &&
		       cedar_text_equal(p->value.uid.type, s->request->resource.type) &&
		       !cedar_entity_find(s->world, &p->value.uid);
	default:
		return false;
	}
}

static struct part apply_known(
    struct partial *s, const struct cedar_node *n, const struct part *const *args, uint32_t count)
{
	struct cedar_value few[3], *values = few;
	struct part p = {.kind = PART_VALUE};
	int rc;

	if (count > 3 && !(values = cedar_alloc(s->arena, count * sizeof(*values)))) {
		s->status = ARK_ENOMEM;
		return p;
	}
	for (uint32_t i = 0; i < count; i++)
		values[i] = args[i]->value;
	rc = cedar_apply(n, values, count, s->world, s->arena, &p.value, NULL);
	if (rc < 0)
		s->status = rc;
	if (rc)
		p.kind = PART_ERROR;
	return p;
}

/* An operator that looks at all its operands. */
static struct part strict(struct partial *s, const struct cedar_node *n)
{
	static const struct part hidden = {.kind = PART_OPAQUE};
	const struct part *few[3], **args = few;
	uint32_t count = children_of(n);
	bool known = true;

	if (count > 3 && !(args = cedar_alloc(s->arena, count * sizeof(*args)))) {
		s->status = ARK_ENOMEM;
		return (struct part){.kind = PART_ERROR};
	}
	for (uint32_t i = 0; i < count; i++) {
		args[i] = part_at(s, child_at(n, i));
		if (args[i]->kind == PART_ERROR)
			return *args[i];
		if (i == 0 && may_be_resource(s, n, args[i])) {
			partial_lose(s);
			args[i] = &hidden;
		}
		known = known && args[i]->kind == PART_VALUE;
	}
	return known ? apply_known(s, n, args, count) : partial_apply(s, n, args, count);
}

/* Of a node all of whose children that count are known. */
static struct part part_of(struct partial *s, uint32_t node)
{
	const struct cedar_node *n = &s->policies->nodes[node];
	struct part p;

	s->node = node;
	if (filter_work(s->maker) > WORK_MAX) {
		partial_lose(s);
		return (struct part){.kind = PART_OPAQUE};
	}
	switch ((enum cedar_op)n->op) {
	case OP_LITERAL:
		return (struct part){.kind = PART_VALUE, .value = n->value};
	case OP_VAR:
		return variable(s, (enum cedar_var)n->var);
	case OP_AND:
	case OP_OR:
		p = *part_at(s, n->child[0]);
		if (is_bool(&p, n->op == OP_OR))
			return p;
		return n->op == OP_AND ? both(s, &p, part_at(s, n->child[1]))
				       : either(s, &p, part_at(s, n->child[1]));
	case OP_IF:
		return choose(s, n);
	default:
		p = strict(s, n);
		return p.kind == PART_TRUTH ? bounded(s, p.truth) : p;
	}
}

/* A policy asks where its condition is true; what its parts are asked for follows from that.
 * Parents come after their children. */
static void find_wants(struct partial *s, uint32_t root)
{
	s->wants[root - s->first] = WANT_YES;
	for (uint32_t node = root + 1; node-- > s->first;) {
		const struct cedar_node *n = &s->policies->nodes[node];
		uint8_t want = s->wants[node - s->first], first = WANT_BOTH, others = WANT_BOTH;

		if (!want)
			continue;
		if (n->op == OP_AND || n->op == OP_OR || n->op == OP_IF)
			others = want;
		if (want == (n->op == OP_AND ? WANT_YES : WANT_NO) &&
		    (n->op == OP_AND || n->op == OP_OR))
			first = want;
		if (n->op == OP_NOT && want != WANT_BOTH)
			first = want ^ WANT_BOTH;
		for (uint32_t i = 0; i < children_of(n); i++)
			s->wants[child_at(n, i) - s->first] |= i ? others : first;
	}
}

/* A tree is as deep as its root says, and so are the frames. */
static int evaluate(struct partial *s, uint32_t root)
{
	struct {
		uint32_t node, next;
	} frames[CEDAR_DEPTH_MAX + 1];
	size_t depth = 1;

	frames[0].node = root;
	frames[0].next = 0;
	while (depth && !s->status) {
		uint32_t node = frames[depth - 1].node, i = frames[depth - 1].next;
		const struct cedar_node *n = &s->policies->nodes[node];

		if (i == children_of(n)) {
			*part_at(s, node) = part_of(s, node);
			depth--;
			continue;
		}
		frames[depth - 1].next++;
		if (part_at(s, child_at(n, i))->kind != PART_NOTHING || !is_reached(s, n, i))
			continue;
		if (depth > CEDAR_DEPTH_MAX)
			return ARK_EINPUT;
		frames[depth].node = child_at(n, i);
		frames[depth++].next = 0;
	}
	return s->status;
}

/* ---- one policy ---- */

/* What its scope says of the resource: nothing there fails. */
static struct truth scope_of_resource(struct partial *s, const struct cedar_scope *scope)
{
	static const struct truth yes = {{FILTER_ALL, FILTER_ALL}, {FILTER_NONE, FILTER_NONE}};
	static const struct truth no = {{FILTER_NONE, FILTER_NONE}, {FILTER_ALL, FILTER_ALL}};
	static const struct truth unknown = {{FILTER_NONE, FILTER_ALL}, {FILTER_NONE, FILTER_ALL}};
	struct cedar_text type = s->request->resource.type;

	s->node = CEDAR_NONE;
	switch (scope->kind) {
	case SCOPE_ANY:
		return yes;
	case SCOPE_EQ:
		return cedar_text_equal(scope->uid.type, type) ? unknown : no;
	case SCOPE_IS:
		return cedar_text_equal(scope->type, type) ? yes : no;
	case SCOPE_IS_IN:
		return cedar_text_equal(scope->type, type) ? unknown : no;
	case SCOPE_IN:
	case SCOPE_IN_SET:
		break;
	}
	return unknown;
}

/* Where the policy is satisfied. */
static int satisfied(struct partial *s, const struct cedar_policy *policy, struct range *ret)
{
	struct truth scope = scope_of_resource(s, &policy->resource);
	struct part condition = {
	    .kind = PART_VALUE, .value = (struct cedar_value){.kind = CEDAR_BOOL, .truth = true}};
	int rc;

	*ret = RANGE_NONE;
	s->lost = CEDAR_NONE;
	if (scope.yes.upper == FILTER_NONE ||
	    !cedar_scope_holds(policy, s->world, s->request, true))
		return ARK_OK;
	if (policy->condition != CEDAR_NONE) {
		s->first = policy->first;
		memset(s->parts, 0, (policy->last - policy->first) * sizeof(*s->parts));
		memset(s->wants, 0, policy->last - policy->first);
		find_wants(s, policy->condition);
		rc = evaluate(s, policy->condition);
		if (rc)
			return rc;
		condition = *part_at(s, policy->condition);
	}
	*ret = range_and(s, scope.yes, truth_of(&condition).yes);
	return filter_failed(s->maker) ? ARK_ENOMEM : ARK_OK;
}

/* ---- all policies ---- */

struct set {
	struct range *where; /* by policy */
	uint32_t *lost;      /* by policy: the first node that was lost */
	uint32_t *picked;    /* room for as many formulas */
};

/* Permits' lower bounds, or forbids' upper ones, together. */
static uint32_t together(const struct partial *s, const struct set *set, bool forbids)
{
	size_t n = 0;

	for (size_t i = 0; i < s->policies->len; i++)
		if (s->policies->policies[i].forbid == forbids)
			set->picked[n++] = forbids ? set->where[i].upper : set->where[i].lower;
	return filter_or(s->maker, set->picked, n);
}

/* Where all policies together would not fit, those that come last give way: first a permit that
 * makes it too large, then, if it still is, everything. */
static uint32_t combined(struct partial *s, struct set *set)
{
	uint32_t forbidden = together(s, set, true), permitted = together(s, set, false);
	uint32_t ret = filter_and2(s->maker, permitted, filter_not(forbidden)), with;

	if (filter_fits(s->maker, ret))
		return ret;
	permitted = FILTER_NONE;
	ret = FILTER_NONE;
	for (size_t i = 0; i < s->policies->len; i++) {
		if (s->policies->policies[i].forbid || set->where[i].lower == FILTER_NONE)
			continue;
		with = filter_or2(s->maker, permitted, set->where[i].lower);
		if (filter_work(s->maker) < WORK_MAX &&
		    filter_fits(s->maker, filter_and2(s->maker, with, filter_not(forbidden)))) {
			permitted = with;
			ret = filter_and2(s->maker, permitted, filter_not(forbidden));
		} else {
			set->where[i] = RANGE_UNKNOWN;
			set->lost[i] = s->policies->policies[i].condition;
		}
	}
	return ret;
}

static int partial_set(struct partial *s, struct set *set, uint32_t *ret)
{
	size_t most = 1, n = s->policies->len + 1;
	int rc;

	for (size_t i = 0; i < s->policies->len; i++) {
		const struct cedar_policy *p = &s->policies->policies[i];

		if (p->last - p->first > most)
			most = p->last - p->first;
	}
	s->maker = filter_maker_new(s->arena);
	s->parts = cedar_alloc(s->arena, most * sizeof(*s->parts));
	s->wants = cedar_alloc(s->arena, most);
	set->where = cedar_alloc(s->arena, n * sizeof(*set->where));
	set->lost = cedar_alloc(s->arena, n * sizeof(*set->lost));
	set->picked = cedar_alloc(s->arena, n * sizeof(*set->picked));
	if (!s->maker || !s->parts || !s->wants || !set->where || !set->lost || !set->picked)
		return ARK_ENOMEM;
	for (size_t i = 0; i < s->policies->len; i++) {
		rc = satisfied(s, &s->policies->policies[i], &set->where[i]);
		if (rc)
			return rc;
		set->lost[i] = s->lost;
	}
	*ret = combined(s, set);
	return filter_failed(s->maker) ? ARK_ENOMEM : ARK_OK;
}

int cedar_partial(const struct cedar_policies *p, const struct cedar_world *world,
    const struct cedar_request *request, const struct cedar_indexed *indexed, size_t indexed_len,
    struct cedar_arena *a, struct access_filter **ret, unsigned int *ret_inexact,
    void (*inexact)(void *arg, uint32_t policy, uint32_t node), void *arg, struct ark_error *err)
{
	struct partial s = {.policies = p,
	    .world = world,
	    .request = request,
	    .indexed = indexed,
	    .indexed_len = indexed_len,
	    .arena = a,
	    .lost = CEDAR_NONE};
	struct set set;
	unsigned int count = 0;
	uint32_t formula;
	int rc = partial_set(&s, &set, &formula);

	if (rc)
		return ark_fail(err, rc, "a partial evaluation of policies needs too much memory");
	rc = filter_build(s.maker, formula, ret, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < p->len; i++) {
		if (set.where[i].lower == set.where[i].upper)
			continue;
		count++;
		if (inexact)
			inexact(arg, i, set.lost[i]);
	}
	if (ret_inexact)
		*ret_inexact = count;
	return ARK_OK;
}
