/* Cedar's strict validation, as the reference does it: every name in a policy is in the schema,
 * some action takes what the scope admits, and in every request environment that the scope
 * admits no expression can fail but by overflow or a missing entity.
 */
#include <stdlib.h>
#include <string.h>

#include "policies/cedar_validate.h"

/* What a policy in one environment may take; an arena holds it all, so that it ends before memory does. */
#define VALIDATE_BYTES ((size_t)CEDAR_ARENA_MAX / 4)

/* ---- bounds ---- */

bool check_step(struct validator *v, size_t n)
{
	if (v->status)
		return false;
	if (n >= v->steps) {
		v->steps = 0;
		v->status = ARK_EINPUT;
		return false;
	}
	v->steps -= (uint32_t)n;
	return true;
}

void *check_take(struct validator *v, struct cedar_arena *a, size_t n, size_t size)
{
	size_t bytes = n ? n * size : 1;
	void *p;

	if (v->status)
		return NULL;
	if (n > VALIDATE_BYTES / size || bytes + 16 > VALIDATE_BYTES - v->bytes) {
		v->status = ARK_EINPUT;
		return NULL;
	}
	v->bytes += bytes + 16;
	if (!(p = cedar_alloc(a, bytes)))
		v->status = ARK_ENOMEM;
	return p;
}

bool check_first(struct validator *v, uint32_t offset, enum check_code code)
{
	if (v->status)
		return false;
	for (size_t i = 0; i < v->told_len; i++) {
		if (v->told[i].offset == offset && v->told[i].code == code)
			return false;
	}
	/* a policy with more faults than that has been told enough */
	if (v->told_len == CHECK_TOLD_MAX)
		return false;
	v->told[v->told_len++] = (struct check_told){offset, code};
	return true;
}

/* ---- names ---- */

static bool is_known(const struct validator *v, const struct cedar_uid *uid)
{
	return check_is_action_type(uid->type) ? cedar_schema_action(v->s, uid) != NULL
					       : cedar_schema_type(v->s, uid->type) != NULL;
}

static void check_type_name(struct validator *v, struct cedar_text type, uint32_t offset)
{
	char shown[CEDAR_SHOWN], mend[160];
	struct cedar_near near;

	if (check_is_action_type(type) || cedar_schema_type(v->s, type) ||
	    !check_first(v, offset, CHECK_ENTITY_TYPE))
		return;
	cedar_near_begin(&near, type);
	for (size_t i = 0; i < v->s->types_len; i++)
		cedar_near_offer(&near, v->s->types[i].name);
	cedar_fault_at(&v->faults, v->policy->name, offset, cedar_near_end(&near, mend),
	    "the schema has no entity type `%s`", cedar_shown(type, shown));
}

static void check_action_name(struct validator *v, const struct cedar_uid *uid, uint32_t offset)
{
	char shown[2][CEDAR_SHOWN], mend[160];
	struct cedar_near near;

	if (cedar_schema_action(v->s, uid) || !check_first(v, offset, CHECK_ACTION))
		return;
	cedar_near_begin(&near, uid->id);
	for (size_t i = 0; i < v->s->actions_len; i++)
		cedar_near_offer(&near, v->s->actions[i].uid.id);
	cedar_fault_at(&v->faults, v->policy->name, offset, cedar_near_end(&near, mend),
	    "the schema has no action %s::\"%s\"", cedar_shown(uid->type, shown[0]),
	    cedar_shown(uid->id, shown[1]));
}

static void check_uid(struct validator *v, const struct cedar_uid *uid, uint32_t offset)
{
	const struct cedar_entity_type *t = cedar_schema_type(v->s, uid->type);
	char shown[2][CEDAR_SHOWN], mend[160];
	struct cedar_near near;

	if (check_is_action_type(uid->type)) {
		check_action_name(v, uid, offset);
		return;
	}
	check_type_name(v, uid->type, offset);
	if (!t || !t->choices)
		return;
	cedar_near_begin(&near, uid->id);
	for (size_t i = 0; i < t->choices_len; i++) {
		if (cedar_text_equal(t->choices[i], uid->id))
			return;
		cedar_near_offer(&near, t->choices[i]);
	}
	if (check_first(v, offset, CHECK_ENTITY_ID))
		cedar_fault_at(&v->faults, v->policy->name, offset, cedar_near_end(&near, mend),
		    "`%s` has no entity \"%s\"", cedar_shown(uid->type, shown[0]),
		    cedar_shown(uid->id, shown[1]));
}

static void check_scope_names(struct validator *v, const struct cedar_scope *s)
{
	if (s->kind == SCOPE_IS || s->kind == SCOPE_IS_IN)
		check_type_name(v, s->type, s->offset);
	if (s->kind == SCOPE_EQ || s->kind == SCOPE_IN || s->kind == SCOPE_IS_IN)
		check_uid(v, &s->uid, s->offset);
	for (size_t i = 0; s->kind == SCOPE_IN_SET && i < s->set_len; i++)
		check_uid(v, &s->set[i], s->offset);
}

/* Also where logic makes an expression unreachable: an unknown name is always a mistake. */
static void check_names(struct validator *v)
{
	check_scope_names(v, &v->policy->principal);
	check_scope_names(v, &v->policy->action);
	check_scope_names(v, &v->policy->resource);
	if (v->policy->condition == CEDAR_NONE)
		return;
	for (uint32_t i = v->policy->first; i < v->policy->last; i++) {
		const struct cedar_node *node = &v->p->nodes[i];

		if (node->op == OP_IS)
			check_type_name(v, node->name, node->offset);
		else if (node->op == OP_LITERAL && node->value.kind == CEDAR_ENTITY)
			check_uid(v, &node->value.uid, node->offset);
	}
}

/* ---- scopes ---- */

/* May the scope hold for something of this type? */
static bool admits(struct validator *v, const struct cedar_scope *s, struct cedar_text type)
{
	switch (s->kind) {
	case SCOPE_EQ:
		return cedar_text_equal(s->uid.type, type);
	case SCOPE_IN:
		return check_may_be_in(v, type, s->uid.type);
	case SCOPE_IS:
		return cedar_text_equal(s->type, type);
	case SCOPE_IS_IN:
		return cedar_text_equal(s->type, type) && check_may_be_in(v, type, s->uid.type);
	default:
		return true;
	}
}

static bool admits_any(
    struct validator *v, const struct cedar_scope *s, const struct cedar_text *types, size_t len)
{
	for (size_t i = 0; i < len && check_step(v, 1); i++) {
		if (admits(v, s, types[i]))
			return true;
	}
	return false;
}

/* Is it one of the actions of the scope? None is when the scope names one that there is not. */
static bool is_scope_action(const struct validator *v, const struct cedar_action *a)
{
	const struct cedar_scope *s = &v->policy->action;
	const struct cedar_uid *set = s->kind == SCOPE_IN ? &s->uid : s->set;
	size_t len = s->kind == SCOPE_IN ? 1 : s->set_len;
	bool in = false;

	if (s->kind == SCOPE_EQ)
		return cedar_uid_equal(&a->uid, &s->uid);
	if (s->kind != SCOPE_IN && s->kind != SCOPE_IN_SET)
		return true;
	for (size_t i = 0; i < len; i++) {
		if (!cedar_schema_action(v->s, &set[i]))
			return false;
		in = in || check_action_in(a, &set[i]);
	}
	return in;
}

static bool some_action_applies(
    struct validator *v, const struct cedar_scope *principal, const struct cedar_scope *resource)
{
	for (size_t i = 0; i < v->s->actions_len && check_step(v, 1); i++) {
		const struct cedar_action *a = &v->s->actions[i];

		if (is_scope_action(v, a) &&
		    admits_any(v, principal, a->principals, a->principals_len) &&
		    admits_any(v, resource, a->resources, a->resources_len))
			return true;
	}
	return false;
}

static struct cedar_scope widened(const struct cedar_scope *s)
{
	struct cedar_scope wide = *s;

	if (s->kind == SCOPE_EQ)
		wide.kind = SCOPE_IN;
	return wide;
}

/* False when no request at all can satisfy the scope. */
static bool check_applies(struct validator *v)
{
	const struct cedar_policy *p = v->policy;
	struct cedar_scope principal = widened(&p->principal), resource = widened(&p->resource);
	const char *mend = "see what the action's appliesTo takes in the schema";

	if (some_action_applies(v, &p->principal, &p->resource) || v->status)
		return true;
	/* unknown names are the cause, and told already */
	if (v->told_len)
		return false;
	if (some_action_applies(v, &principal, &p->resource))
		mend = "write `principal in` instead of `principal ==`";
	else if (some_action_applies(v, &p->principal, &resource))
		mend = "write `resource in` instead of `resource ==`";
	else if (some_action_applies(v, &principal, &resource))
		mend = "write `in` instead of `==` for principal and resource";
	if (check_first(v, p->offset, CHECK_APPLIES))
		cedar_fault_at(&v->faults, p->name, p->offset, mend,
		    "no action of the schema applies to such a principal and resource");
	return false;
}

/* ---- environments ---- */

static struct check answer(bool ok, const struct cedar_type *type)
{
	return (struct check){.ok = ok, .type = type};
}

/* `principal == X` and the like, as expressions. */
static struct check check_scope(
    struct validator *v, const struct cedar_scope *s, struct cedar_text type)
{
	bool named = s->kind == SCOPE_EQ || s->kind == SCOPE_IN || s->kind == SCOPE_IS_IN;

	if (s->kind == SCOPE_ANY)
		return answer(true, &check_true);
	if (s->kind == SCOPE_IS)
		return answer(true, check_bool_type(cedar_text_equal(s->type, type)));
	if (s->kind == SCOPE_IS_IN && !cedar_text_equal(s->type, type))
		return answer(true, &check_false);
	if (named && !is_known(v, &s->uid))
		return answer(false, &check_bool);
	return answer(true, admits(v, s, type) ? &check_bool : &check_false);
}

static struct check check_action_set(struct validator *v, const struct cedar_scope *s)
{
	bool in = false, known = true;

	for (size_t i = 0; i < s->set_len && check_step(v, 1); i++) {
		known = known && cedar_schema_action(v->s, &s->set[i]);
		in = in || check_action_in(v->action, &s->set[i]);
	}
	if (!known)
		return answer(false, &check_bool);
	for (size_t i = 1; i < s->set_len; i++) {
		if (cedar_text_equal(s->set[i].type, s->set[0].type))
			continue;
		if (check_first(v, s->offset, CHECK_LUB))
			cedar_fault_at(&v->faults, v->policy->name, s->offset,
			    "write a policy for each namespace",
			    "the actions in a list must be of one namespace");
		return answer(false, &check_bool);
	}
	if (s->set_len)
		return answer(true, check_bool_type(in));
	if (check_first(v, s->offset, CHECK_EMPTY_SET))
		cedar_fault_at(&v->faults, v->policy->name, s->offset, "write `action` alone",
		    "the list of actions is empty");
	return answer(false, &check_bool);
}

static struct check check_action_scope(struct validator *v)
{
	const struct cedar_scope *s = &v->policy->action;

	switch (s->kind) {
	case SCOPE_EQ:
		return answer(is_known(v, &s->uid),
		    check_bool_type(cedar_uid_equal(&v->action->uid, &s->uid)));
	case SCOPE_IN:
		if (!is_known(v, &s->uid))
			return answer(false, &check_bool);
		return answer(true, check_bool_type(check_action_in(v->action, &s->uid)));
	case SCOPE_IN_SET:
		return check_action_set(v, s);
	default:
		return answer(true, &check_true);
	}
}

/* The whole condition in one environment; true when it may hold. */
static bool check_environment(struct validator *v)
{
	struct check c = check_scope(v, &v->policy->principal, v->principal.entity);
	bool never;

	if (c.type->kind == TYPE_FALSE)
		return false;
	c = check_action_scope(v);
	if (c.type->kind == TYPE_FALSE)
		return false;
	c = check_scope(v, &v->policy->resource, v->resource.entity);
	if (c.type->kind == TYPE_FALSE)
		return false;
	if (v->policy->condition == CEDAR_NONE)
		return true;
	c = check_expect(v, v->policy->condition, NULL, EXPECT_BOOL);
	never = c.type && c.type->kind == TYPE_FALSE;
	cedar_arena_reset(v->scratch); /* and with it the type */
	v->bytes = 0;
	return !never;
}

/* Every principal, action and resource that the schema brings together. True when the policy may
 * hold in one of them. */
static bool check_environments(struct validator *v)
{
	bool may_hold = false;

	for (size_t i = 0; i < v->s->actions_len && !v->status; i++) {
		const struct cedar_action *a = &v->s->actions[i];

		v->action = a;
		v->action_type = (struct cedar_type){.kind = TYPE_ENTITY, .entity = a->uid.type};
		for (size_t p = 0; p < a->principals_len && !v->status; p++) {
			v->principal =
			    (struct cedar_type){.kind = TYPE_ENTITY, .entity = a->principals[p]};
			for (size_t r = 0; r < a->resources_len && check_step(v, 1); r++) {
				v->resource = (struct cedar_type){
				    .kind = TYPE_ENTITY, .entity = a->resources[r]};
				may_hold = check_environment(v) || may_hold;
			}
		}
	}
	return may_hold;
}

/* ---- the whole ---- */

static void check_policy(struct validator *v)
{
	const struct cedar_policy *p = v->policy;
	bool applies;

	v->told_len = 0;
	v->bytes = 0;
	cedar_arena_reset(v->arena);
	check_names(v);
	applies = check_applies(v);
	check_number_capabilities(v);
	if (!check_environments(v) && applies && !v->status)
		cedar_warn_at(&v->faults, p->name, p->offset, "",
		    "this policy never applies: its condition is never true");
	if (v->status == ARK_EINPUT)
		cedar_fault_at(&v->faults, p->name, p->offset,
		    "split the policy or the appliesTo of its actions",
		    "this schema and these policies are together too much to validate");
}

static int prepare(struct validator *v, struct ark_error *err)
{
	size_t bytes = v->s->types_len * sizeof(*v->seen) * 2;
	int status;

	if ((status = cedar_arena_new(CEDAR_ARENA_MAX, &v->arena, err)) ||
	    (status = cedar_arena_new(CEDAR_ARENA_MAX, &v->scratch, err)))
		return status;
	v->seen = calloc(1, bytes ? bytes : 1);
	if (!v->seen)
		return ark_fail(err, ARK_ENOMEM, "no memory to validate policies");
	v->stack = v->seen + v->s->types_len;
	return ARK_OK;
}

int cedar_validate(const struct cedar_schema *s, const struct cedar_policies *p,
    cedar_fault_fn told, void *arg, struct ark_error *err)
{
	struct validator v = {.s = s,
	    .p = p,
	    .steps = CEDAR_VALIDATE_STEPS,
	    .faults = {
		.text = p->text, .text_len = p->text_len, .told = told, .arg = arg, .err = err}};
	int status = prepare(&v, err);

	for (size_t i = 0; i < p->len && !status && !v.status; i++) {
		v.policy = &p->policies[i];
		check_policy(&v);
	}
	if (!status && v.status == ARK_ENOMEM)
		status = ark_fail(err, ARK_ENOMEM, "no memory to validate policies");
	if (!status && v.faults.errors)
		status = ARK_EINPUT;
	free(v.seen);
	cedar_arena_free(v.scratch);
	cedar_arena_free(v.arena);
	return status;
}
