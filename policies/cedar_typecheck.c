/* The types of expressions: variables, literals, logic, attributes, sets and
 * records. As the reference does it: after a fault the rest is still looked at, with no type
 * for what has none, and what logic makes unreachable is not looked at at all.
 */
#include <stdlib.h>
#include <string.h>

#include "policies/cedar_validate.h"

static const struct check nothing = {0};

static struct check good(const struct cedar_type *type, const uint64_t *known)
{
	return (struct check){.ok = true, .type = type, .known = known};
}

/* `c`, which came after what `before` says: never better than that. */
static struct check after(struct check before, struct check c)
{
	if (!before.ok)
		c.ok = false, c.known = NULL;
	return c;
}

static const struct cedar_node *node_at(const struct validator *v, uint32_t n)
{
	return &v->p->nodes[n];
}

/* ---- operands ---- */

static bool fits(const struct cedar_type *t, enum check_expect expect)
{
	static const enum cedar_type_kind extensions[] = {[EXPECT_DECIMAL] = TYPE_DECIMAL,
	    [EXPECT_IPADDR] = TYPE_IPADDR,
	    [EXPECT_DATETIME] = TYPE_DATETIME,
	    [EXPECT_DURATION] = TYPE_DURATION};
	bool entity = t->kind == TYPE_ENTITY || t->kind == TYPE_ANY_ENTITY;

	if (t->kind == TYPE_NEVER)
		return true;
	switch (expect) {
	case EXPECT_BOOL:
		return check_is_bool(t);
	case EXPECT_LONG:
		return t->kind == TYPE_LONG;
	case EXPECT_STRING:
		return t->kind == TYPE_STRING;
	case EXPECT_ENTITY:
		return entity;
	case EXPECT_ENTITY_OR_RECORD:
		return entity || t->kind == TYPE_RECORD;
	case EXPECT_SET:
		return t->kind == TYPE_SET;
	case EXPECT_ENTITIES:
		if (t->kind == TYPE_SET)
			return t->element && fits(t->element, EXPECT_ENTITY);
		return entity;
	default:
		return t->kind == extensions[expect];
	}
}

/* What the author may have meant, by what stands there. */
static const char *expect_mend(const struct cedar_type *t, enum check_expect expect)
{
	if (t->kind == TYPE_SET && (expect == EXPECT_ENTITY || expect == EXPECT_ENTITIES ||
				       expect == EXPECT_ENTITY_OR_RECORD))
		return "a set has .contains(), .containsAll() and .containsAny()";
	if (t->kind == TYPE_STRING && expect == EXPECT_SET)
		return "compare texts with == or `like`";
	if (t->kind == TYPE_STRING && expect == EXPECT_LONG)
		return "texts cannot be added or compared by size in Cedar";
	if (t->kind == TYPE_ENTITY && expect == EXPECT_SET)
		return "write `in` for an entity and its groups";
	if (t->kind == TYPE_ENTITY && expect == EXPECT_STRING)
		return "an entity is compared with == or tested with `is`";
	if (t->kind == TYPE_RECORD && expect == EXPECT_SET)
		return "write `has` for the attributes of a record";
	return "";
}

struct check check_expect(
    struct validator *v, uint32_t n, const uint64_t *prior, enum check_expect expect)
{
	static const char *const names[] = {"Bool", "Long", "String", "an entity",
	    "an entity or a record", "a set", "an entity or a set of entities", "decimal", "ipaddr",
	    "datetime", "duration"};
	struct check c = check_expression(v, n, prior);
	uint32_t offset = node_at(v, n)->offset;
	char text[CHECK_TYPE_TEXT];

	if (c.type && fits(c.type, expect))
		return c;
	if (c.type && check_first(v, offset, CHECK_TYPE))
		cedar_fault_at(&v->faults, v->policy->name, offset, expect_mend(c.type, expect),
		    "this must be %s, but is %s", names[expect], check_type_text(c.type, text));
	return nothing;
}

void check_incompatible(struct validator *v, uint32_t n, const struct cedar_type *a,
    const struct cedar_type *b, const char *what, const char *why)
{
	uint32_t offset = node_at(v, n)->offset;
	char text[2][CHECK_TYPE_TEXT];

	if (!v->status && check_first(v, offset, CHECK_LUB))
		cedar_fault_at(&v->faults, v->policy->name, offset, why, "%s: %s and %s", what,
		    check_type_text(a, text[0]), check_type_text(b, text[1]));
}

/* ---- leaves ---- */

static struct check check_literal(struct validator *v, const struct cedar_value *value)
{
	struct cedar_type *t;

	switch (value->kind) {
	case CEDAR_BOOL:
		return good(check_bool_type(value->truth), NULL);
	case CEDAR_LONG:
		return good(&check_long, NULL);
	case CEDAR_STRING:
		return good(&check_string, NULL);
	default:
		break;
	}
	/* what is not in the schema is told by cedar_validate.c */
	if (check_is_action_type(value->uid.type) ? !cedar_schema_action(v->s, &value->uid)
						  : !cedar_schema_type(v->s, value->uid.type))
		return nothing;
	if (!(t = check_take(v, v->scratch, 1, sizeof(*t))))
		return nothing;
	*t = (struct cedar_type){.kind = TYPE_ENTITY, .entity = value->uid.type};
	return good(t, NULL);
}

static struct check check_var(struct validator *v, uint8_t var)
{
	switch (var) {
	case VAR_PRINCIPAL:
		return good(&v->principal, NULL);
	case VAR_ACTION:
		return good(&v->action_type, NULL);
	case VAR_RESOURCE:
		return good(&v->resource, NULL);
	default:
		return good(&v->action->context, NULL);
	}
}

/* ---- logic ---- */

static struct check check_not(struct validator *v, uint32_t n, const uint64_t *prior)
{
	struct check c = check_expect(v, node_at(v, n)->child[0], prior, EXPECT_BOOL);
	const struct cedar_type *type = &check_bool;

	if (c.type && (c.type->kind == TYPE_TRUE || c.type->kind == TYPE_FALSE))
		type = check_bool_type(c.type->kind == TYPE_FALSE);
	return after(c, (struct check){.ok = c.type != NULL, .type = type});
}

static struct check check_and(struct validator *v, uint32_t n, const uint64_t *prior)
{
	struct check l = check_expect(v, node_at(v, n)->child[0], prior, EXPECT_BOOL), r;
	const uint64_t *both;

	if (l.type && l.type->kind == TYPE_FALSE)
		return after(l, good(l.type, NULL));
	r = check_expect(v, node_at(v, n)->child[1], check_union(v, prior, l.known), EXPECT_BOOL);
	r = after(l, r);
	if (!l.type || !r.type)
		return (struct check){.type = &check_bool};
	if (r.type->kind == TYPE_FALSE)
		return after(r, good(&check_false, NULL));
	both = check_union(v, l.known, r.known);
	if (r.type->kind == TYPE_TRUE)
		return after(r, good(l.type, both));
	if (l.type->kind == TYPE_TRUE)
		return after(r, good(r.type, r.known));
	return after(r, good(&check_bool, both));
}

static struct check check_or(struct validator *v, uint32_t n, const uint64_t *prior)
{
	struct check l = check_expect(v, node_at(v, n)->child[0], prior, EXPECT_BOOL), r;

	if (l.type && l.type->kind == TYPE_TRUE)
		return l;
	r = check_expect(v, node_at(v, n)->child[1], prior, EXPECT_BOOL);
	r = after(l, r);
	if (!l.type || !r.type)
		return (struct check){.type = &check_bool};
	if (r.type->kind == TYPE_TRUE)
		return after(r, good(&check_true, r.known));
	if (r.type->kind == TYPE_FALSE)
		return after(r, good(l.type, l.known));
	if (l.type->kind == TYPE_FALSE)
		return after(r, good(r.type, r.known));
	return after(r, good(&check_bool, check_intersect(v, r.known, l.known)));
}

static struct check check_if(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check test = check_expect(v, node->child[0], prior, EXPECT_BOOL), yes, no;
	const struct cedar_type *type;
	const char *why = "";

	if (test.type && test.type->kind == TYPE_FALSE)
		return after(test, check_expression(v, node->child[2], prior));
	yes = check_expression(v, node->child[1], check_union(v, prior, test.known));
	if (yes.ok)
		yes.known = check_union(v, yes.known, test.known);
	if (test.type && test.type->kind == TYPE_TRUE)
		return after(test, yes);
	no = check_expression(v, node->child[2], prior);
	if (!yes.type || !no.type)
		return nothing;
	if (!(type = check_lub(v, yes.type, no.type, &why))) {
		check_incompatible(
		    v, n, yes.type, no.type, "both branches of `if` must have the same type", why);
		return nothing;
	}
	no = after(yes, after(no, good(type, check_intersect(v, yes.known, no.known))));
	return after(test, no);
}

/* ---- attributes ---- */

/* "`context`" or "User", for a message. */
static const char *subject_text(const struct validator *v, const struct cedar_node *node,
    const struct cedar_type *t, char out[CHECK_TYPE_TEXT])
{
	const struct cedar_node *of = node_at(v, node->child[0]);

	if (of->op != OP_VAR || of->var != VAR_CONTEXT)
		return check_type_text(t, out);
	memcpy(out, "`context`", sizeof("`context`"));
	return out;
}

static void unknown_attribute(
    struct validator *v, const struct cedar_node *node, const struct cedar_type *t)
{
	const struct cedar_type *record = check_attributes(v, t);
	char text[CHECK_TYPE_TEXT], shown[CEDAR_SHOWN], mend[160];
	struct cedar_near near;

	if (!check_first(v, node->offset, CHECK_UNKNOWN_ATTRIBUTE))
		return;
	cedar_near_begin(&near, node->name);
	for (size_t i = 0; record && i < record->attributes_len; i++)
		cedar_near_offer(&near, record->attributes[i].name);
	cedar_fault_at(&v->faults, v->policy->name, node->offset, cedar_near_end(&near, mend),
	    "%s has no attribute `%s`", subject_text(v, node, t, text),
	    cedar_shown(node->name, shown));
}

static struct check check_get(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check c = check_expect(v, node->child[0], prior, EXPECT_ENTITY_OR_RECORD);
	const struct cedar_attribute *a = c.type ? check_attribute(v, c.type, node->name) : NULL;
	char shown[CEDAR_SHOWN];

	if (!c.type)
		return nothing;
	if (!a) {
		unknown_attribute(v, node, c.type);
		return nothing;
	}
	if (!a->optional || check_known(v, prior, n))
		return after(c, good(&a->type, NULL));
	if (check_first(v, node->offset, CHECK_MISSING))
		cedar_fault_at(&v->faults, v->policy->name, node->offset,
		    "ask for it before: `x has attribute && x.attribute …`",
		    "the attribute `%s` may be missing here", cedar_shown(node->name, shown));
	return (struct check){.type = &a->type};
}

static struct check check_has(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check c = check_expect(v, node->child[0], prior, EXPECT_ENTITY_OR_RECORD);
	const struct cedar_attribute *a = c.type ? check_attribute(v, c.type, node->name) : NULL;
	const struct cedar_type *type = &check_bool;

	if (!c.type)
		return (struct check){.type = &check_bool};
	if (!a)
		return after(c, good(&check_false, NULL));
	/* an entity may be missing altogether, and then has nothing */
	if (check_known(v, prior, n) || (!a->optional && c.type->kind == TYPE_RECORD))
		type = &check_true;
	return after(c, good(type, check_only(v, n)));
}

static const struct cedar_type *tags_of(const struct validator *v, const struct cedar_type *t)
{
	const struct cedar_entity_type *e = cedar_schema_type(v->s, t->entity);

	return e ? e->tags : NULL;
}

static struct check check_tag(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check entity = check_expect(v, node->child[0], prior, EXPECT_ENTITY);
	struct check key = check_expect(v, node->child[1], prior, EXPECT_STRING);
	const struct cedar_type *tags = entity.type ? tags_of(v, entity.type) : NULL;
	bool known = check_known(v, prior, n);
	char text[CHECK_TYPE_TEXT];

	key = after(entity, key);
	if (!entity.type)
		return nothing;
	if (node->op == OP_HAS_TAG)
		return after(key, good(!tags   ? &check_false
				       : known ? &check_true
					       : &check_bool,
				      check_only(v, n)));
	if (tags && known)
		return after(key, good(tags, NULL));
	if (!check_first(v, node->offset, CHECK_TAG))
		return nothing;
	if (!tags)
		cedar_fault_at(&v->faults, v->policy->name, node->offset, "", "%s has no tags",
		    check_type_text(entity.type, text));
	else
		cedar_fault_at(&v->faults, v->policy->name, node->offset,
		    "ask for it before: `x.hasTag(key) && x.getTag(key) …`",
		    "this tag may be missing here");
	return nothing;
}

/* ---- sets, records, patterns ---- */

static struct check check_set(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	const struct cedar_type *element = NULL;
	struct check all = {.ok = true};
	struct cedar_type *t;
	const char *why = "";
	bool typed = true;

	if (!node->list_len) {
		if (check_first(v, node->offset, CHECK_EMPTY_SET))
			cedar_fault_at(&v->faults, v->policy->name, node->offset,
			    "ask x.isEmpty() of a set instead",
			    "the empty set cannot be written in a policy: its type is not known");
		return nothing;
	}
	for (uint32_t i = 0; i < node->list_len; i++) {
		struct check c = check_expression(v, node->list[i], prior);
		const struct cedar_type *wider;

		all = after(c, all);
		typed = typed && c.type;
		if (!typed)
			continue;
		wider = element ? check_lub(v, element, c.type, &why) : c.type;
		if (!wider) {
			check_incompatible(v, node->list[i], element, c.type,
			    "the elements of a set must have the same type", why);
			typed = false;
		}
		element = wider;
	}
	if (!typed || !(t = check_take(v, v->scratch, 1, sizeof(*t))))
		return nothing;
	*t = (struct cedar_type){.kind = TYPE_SET, .element = element};
	return after(all, good(t, NULL));
}

static int by_name(const void *x, const void *y)
{
	const struct cedar_attribute *a = x, *b = y;

	return cedar_text_order(a->name, b->name);
}

static struct check check_record(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct cedar_attribute *made = check_take(v, v->scratch, node->list_len, sizeof(*made));
	struct cedar_type *t = check_take(v, v->scratch, 1, sizeof(*t));
	struct check all = {.ok = true};
	bool typed = made && t;

	for (uint32_t i = 0; i < node->list_len; i++) {
		struct check c = check_expression(v, node->list[i], prior);

		all = after(c, all);
		typed = typed && c.type;
		if (typed)
			made[i] = (struct cedar_attribute){.name = node->names[i], .type = *c.type};
	}
	if (!typed)
		return nothing;
	if (node->list_len)
		qsort(made, node->list_len, sizeof(*made), by_name);
	*t = (struct cedar_type){
	    .kind = TYPE_RECORD, .attributes = made, .attributes_len = node->list_len};
	return after(all, good(t, NULL));
}

static struct check check_is(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);
	struct check c = check_expect(v, node->child[0], prior, EXPECT_ENTITY);

	if (!c.type || c.type->kind != TYPE_ENTITY)
		return (struct check){.type = &check_bool};
	return after(c, good(check_bool_type(cedar_text_equal(c.type->entity, node->name)), NULL));
}

/* One operand of a kind, and a result of another. */
static struct check check_one(struct validator *v, uint32_t n, const uint64_t *prior,
    enum check_expect expect, const struct cedar_type *type)
{
	struct check c = check_expect(v, node_at(v, n)->child[0], prior, expect);

	return after(c, good(type, NULL));
}

static struct check check_sum(struct validator *v, uint32_t n, const uint64_t *prior)
{
	struct check l = check_expect(v, node_at(v, n)->child[0], prior, EXPECT_LONG);
	struct check r = check_expect(v, node_at(v, n)->child[1], prior, EXPECT_LONG);

	return after(l, after(r, good(&check_long, NULL)));
}

/* Calls itself, through the others, as deep as the tree is: CEDAR_DEPTH_MAX at most. A subtree may be
 * visited often, since trees share: the steps bound that. */
struct check check_expression(struct validator *v, uint32_t n, const uint64_t *prior)
{
	const struct cedar_node *node = node_at(v, n);

	if (!check_step(v, 1))
		return nothing;
	switch ((enum cedar_op)node->op) {
	case OP_LITERAL:
		return check_literal(v, &node->value);
	case OP_VAR:
		return check_var(v, node->var);
	case OP_NOT:
		return check_not(v, n, prior);
	case OP_NEGATE:
		return check_one(v, n, prior, EXPECT_LONG, &check_long);
	case OP_IS_EMPTY:
		return check_one(v, n, prior, EXPECT_SET, &check_bool);
	case OP_LIKE:
		return check_one(v, n, prior, EXPECT_STRING, &check_bool);
	case OP_EQ:
	case OP_NE:
		return check_equal(v, n, prior);
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return check_order(v, n, prior);
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
		return check_sum(v, n, prior);
	case OP_IN:
		return check_in(v, n, prior);
	case OP_CONTAINS:
	case OP_CONTAINS_ALL:
	case OP_CONTAINS_ANY:
		return check_contains(v, n, prior);
	case OP_GET_TAG:
	case OP_HAS_TAG:
		return check_tag(v, n, prior);
	case OP_AND:
		return check_and(v, n, prior);
	case OP_OR:
		return check_or(v, n, prior);
	case OP_IF:
		return check_if(v, n, prior);
	case OP_GET:
		return check_get(v, n, prior);
	case OP_HAS:
		return check_has(v, n, prior);
	case OP_IS:
		return check_is(v, n, prior);
	case OP_SET:
		return check_set(v, n, prior);
	case OP_CALL:
		return check_call(v, n, prior);
	case OP_RECORD:
		return check_record(v, n, prior);
	}
	return nothing;
}
