/* The types of equality, order, membership and function calls. */
#include <string.h>

#include "policies/cedar_validate.h"

static const struct cedar_node *node_at(const struct validator *v, uint32_t n)
{
	return &v->p->nodes[n];
}

static struct check answer(bool ok, const struct cedar_type *type)
{
	return (struct check){.ok = ok, .type = type};
}

/* ---- equality ---- */

/* A literal, or the action that the environment has; false for anything else. */
static bool literal_of(const struct validator *v, uint32_t n, struct cedar_value *ret)
{
	const struct cedar_node *node = node_at(v, n);

	if (node->op == OP_VAR && node->var == VAR_ACTION) {
		*ret = (struct cedar_value){.kind = CEDAR_ENTITY, .uid = v->action->uid};
		return true;
	}
	if (node->op == OP_LITERAL)
		*ret = node->value;
	return node->op == OP_LITERAL;
}

static bool same_literal(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case CEDAR_BOOL:
		return a->truth == b->truth;
	case CEDAR_STRING:
		return cedar_text_equal(a->text, b->text);
	case CEDAR_ENTITY:
		return cedar_uid_equal(&a->uid, &b->uid);
	default:
		return a->number == b->number;
	}
}

/* True or False where the types or two literals decide it, else Bool. */
static const struct cedar_type *decided(const struct validator *v, const struct cedar_node *node,
    const struct cedar_type *l, const struct cedar_type *r)
{
	struct cedar_value a, b;

	if (l && r && l->kind == TYPE_ENTITY && r->kind == TYPE_ENTITY &&
	    !cedar_text_equal(l->entity, r->entity))
		return &check_false;
	if (literal_of(v, node->child[0], &a) && literal_of(v, node->child[1], &b))
		return check_bool_type(same_literal(&a, &b));
	return &check_bool;
}

struct check check_equal(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check l = check_expression(v, node->child[0], prior);
	struct check r = check_expression(v, node->child[1], prior);
	const struct cedar_type *type = decided(v, node, l.type, r.type);
	bool ok = l.ok && r.ok;
	const char *why = "";

	if (type == &check_bool && l.type && r.type && !check_lub(v, l.type, r.type, &why)) {
		check_incompatible(v, n, l.type, r.type, "these can never be equal", why);
		ok = false;
	}
	if (node->op == OP_NE && type != &check_bool)
		type = check_bool_type(type == &check_false);
	return answer(ok, type);
}

/* ---- order ---- */

static bool has_order(const struct cedar_type *t)
{
	return t->kind == TYPE_LONG || t->kind == TYPE_DATETIME || t->kind == TYPE_DURATION;
}

static void tell_order(struct validator *v, const struct cedar_node *node,
    const struct cedar_type *l, const struct cedar_type *r)
{
	bool left = has_order(l) || l->kind == TYPE_NEVER;
	const struct cedar_type *wrong = left ? r : l, *other = left ? l : r;
	uint32_t offset = node_at(v, node->child[left])->offset;
	const char *mend = "";
	char text[2][CHECK_TYPE_TEXT];

	if (!check_first(v, offset, CHECK_TYPE))
		return;
	if (wrong->kind == TYPE_DECIMAL)
		mend = "compare decimals with .lessThan() and .greaterThan()";
	else if (wrong->kind == TYPE_STRING && other->kind == TYPE_DATETIME)
		mend = "write datetime(\"…\")";
	if (has_order(other))
		cedar_fault_at(&v->faults, v->policy->name, offset, mend,
		    "this must be %s, as the other side is, but is %s",
		    check_type_text(other, text[0]), check_type_text(wrong, text[1]));
	else
		cedar_fault_at(&v->faults, v->policy->name, offset, mend,
		    "this must be Long, datetime or duration, but is %s",
		    check_type_text(wrong, text[0]));
}

struct check check_order(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check l = check_expression(v, node->child[0], prior);
	struct check r = check_expression(v, node->child[1], prior);
	bool one_never;

	if (!l.type || !r.type)
		return answer(false, &check_bool);
	one_never = (l.type->kind == TYPE_NEVER) != (r.type->kind == TYPE_NEVER);
	if ((l.type->kind == r.type->kind && has_order(l.type)) ||
	    (one_never && (has_order(l.type) || has_order(r.type))))
		return answer(l.ok && r.ok, &check_bool);
	tell_order(v, node, l.type, r.type);
	return answer(false, &check_bool);
}

/* ---- membership ---- */

/* Where the left side is an action that is known, and the right one known entities: what it is. Else NULL.
 * *ret_unknown: an action that the schema does not have. */
static const struct cedar_type *action_in(
    struct validator *v, const struct cedar_node *node, bool *ret_unknown)
{
	const struct cedar_node *right = node_at(v, node->child[1]);
	const struct cedar_action *a;
	struct cedar_value low, high;
	bool in = false, any = false;

	if (!literal_of(v, node->child[0], &low) || low.kind != CEDAR_ENTITY ||
	    !check_is_action_type(low.uid.type))
		return NULL;
	a = cedar_schema_action(v->s, &low.uid);
	for (uint32_t i = 0; i < (right->op == OP_SET ? right->list_len : 1); i++) {
		uint32_t item = right->op == OP_SET ? right->list[i] : node->child[1];

		if (!literal_of(v, item, &high) || high.kind != CEDAR_ENTITY)
			return NULL;
		if (!check_is_action_type(high.uid.type))
			continue;
		any = true;
		if (!cedar_schema_action(v->s, &high.uid))
			*ret_unknown = true;
		else if (a && check_action_in(a, &high.uid))
			in = true;
	}
	if (any && *ret_unknown)
		return &check_bool;
	return check_bool_type(in);
}

struct check check_in(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check l = check_expect(v, node->child[0], prior, EXPECT_ENTITY);
	struct check r = check_expect(v, node->child[1], prior, EXPECT_ENTITIES);
	const struct cedar_type *high = r.type, *type;
	bool unknown = false;

	if (!l.ok || !r.ok)
		return answer(false, &check_bool);
	if ((type = action_in(v, node, &unknown)))
		return answer(!unknown, type);
	if (high->kind == TYPE_SET)
		high = high->element;
	if (high && l.type->kind == TYPE_ENTITY && high->kind == TYPE_ENTITY &&
	    !check_may_be_in(v, l.type->entity, high->entity))
		return answer(true, &check_false);
	return answer(true, &check_bool);
}

struct check check_contains(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	bool one = node->op == OP_CONTAINS;
	struct check l = check_expect(v, node->child[0], prior, EXPECT_SET);
	struct check r = one ? check_expression(v, node->child[1], prior)
			     : check_expect(v, node->child[1], prior, EXPECT_SET);
	const struct cedar_type *left = one && l.type ? l.type->element : l.type;
	const char *why = "";

	if (!left || !r.type || check_lub(v, left, r.type, &why))
		return answer(l.ok && r.ok, &check_bool);
	check_incompatible(v, n, left, r.type,
	    one ? "the set can never contain this" : "these sets can have nothing in common", why);
	return answer(false, &check_bool);
}

/* ---- functions ---- */

static const struct {
	const char *name;
	uint8_t args;
	enum check_expect receiver, arg;
	const struct cedar_type *result;
} functions[] = {
    [FN_DECIMAL] = {"decimal", 1, EXPECT_STRING, 0, &check_decimal},
    [FN_IP] = {"ip", 1, EXPECT_STRING, 0, &check_ipaddr},
    [FN_DATETIME] = {"datetime", 1, EXPECT_STRING, 0, &check_datetime},
    [FN_DURATION] = {"duration", 1, EXPECT_STRING, 0, &check_duration},
    [FN_LESS_THAN] = {"lessThan", 2, EXPECT_DECIMAL, EXPECT_DECIMAL, &check_bool},
    [FN_LESS_THAN_OR_EQUAL] = {"lessThanOrEqual", 2, EXPECT_DECIMAL, EXPECT_DECIMAL, &check_bool},
    [FN_GREATER_THAN] = {"greaterThan", 2, EXPECT_DECIMAL, EXPECT_DECIMAL, &check_bool},
    [FN_GREATER_THAN_OR_EQUAL] = {"greaterThanOrEqual", 2, EXPECT_DECIMAL, EXPECT_DECIMAL,
	&check_bool},
    [FN_IS_IPV4] = {"isIpv4", 1, EXPECT_IPADDR, 0, &check_bool},
    [FN_IS_IPV6] = {"isIpv6", 1, EXPECT_IPADDR, 0, &check_bool},
    [FN_IS_LOOPBACK] = {"isLoopback", 1, EXPECT_IPADDR, 0, &check_bool},
    [FN_IS_MULTICAST] = {"isMulticast", 1, EXPECT_IPADDR, 0, &check_bool},
    [FN_IS_IN_RANGE] = {"isInRange", 2, EXPECT_IPADDR, EXPECT_IPADDR, &check_bool},
    [FN_OFFSET] = {"offset", 2, EXPECT_DATETIME, EXPECT_DURATION, &check_datetime},
    [FN_DURATION_SINCE] = {"durationSince", 2, EXPECT_DATETIME, EXPECT_DATETIME, &check_duration},
    [FN_TO_DATE] = {"toDate", 1, EXPECT_DATETIME, 0, &check_datetime},
    [FN_TO_TIME] = {"toTime", 1, EXPECT_DATETIME, 0, &check_duration},
    [FN_TO_MILLISECONDS] = {"toMilliseconds", 1, EXPECT_DURATION, 0, &check_long},
    [FN_TO_SECONDS] = {"toSeconds", 1, EXPECT_DURATION, 0, &check_long},
    [FN_TO_MINUTES] = {"toMinutes", 1, EXPECT_DURATION, 0, &check_long},
    [FN_TO_HOURS] = {"toHours", 1, EXPECT_DURATION, 0, &check_long},
    [FN_TO_DAYS] = {"toDays", 1, EXPECT_DURATION, 0, &check_long},
};

/* A constructor takes a literal, and one that means something, so that a policy cannot fail there. */
static bool constructor_holds(struct validator *v, const struct cedar_node *node)
{
	const char *name = functions[node->fn].name;
	struct ark_error err = {0};
	struct cedar_value made;

	for (uint32_t i = 0; i < node->list_len; i++) {
		const struct cedar_node *arg = node_at(v, node->list[i]);

		if (arg->op != OP_LITERAL) {
			if (check_first(v, node->offset, CHECK_ARGUMENT))
				cedar_fault_at(&v->faults, v->policy->name, arg->offset,
				    "write the text here in quotes",
				    "%s() in a policy takes a text that is written there", name);
			return false;
		}
		if (node->list_len != 1 || arg->value.kind != CEDAR_STRING)
			continue;
		if (cedar_extension(cedar_text_of(name), arg->value.text, &made, &err)) {
			if (check_first(v, node->offset, CHECK_ARGUMENT))
				cedar_fault_at(
				    &v->faults, v->policy->name, arg->offset, "", "%s", err.text);
			return false;
		}
	}
	return true;
}

struct check check_call(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	bool ok = node->fn > FN_DURATION || constructor_holds(v, node);
	bool typed = ok;

	if (node->list_len != functions[node->fn].args) {
		if (check_first(v, node->offset, CHECK_ARITY))
			cedar_fault_at(&v->faults, v->policy->name, node->offset, "",
			    "%s takes %u, the receiver included, not %u", functions[node->fn].name,
			    functions[node->fn].args, node->list_len);
		ok = typed = false;
	}
	for (uint32_t i = 0; i < node->list_len; i++) {
		struct check c;

		if (typed)
			c = check_expect(v, node->list[i], prior,
			    i ? functions[node->fn].arg : functions[node->fn].receiver);
		else
			c = check_expression(v, node->list[i], prior);
		ok = ok && c.ok;
	}
	return answer(ok, functions[node->fn].result);
}
