/* Cedar's operators where an operand is the unknown resource, one of its
 * attributes, a truth about it, or something that cannot be told.
 *
 * Each answers as the evaluator would for every resource there may be:
 * operands of the wrong kind fail for all of them, and what reads a missing
 * attribute fails for those that miss it.
 */
#include "policies/cedar_partial_private.h"

enum { KIND_ANY = -1 };

static const struct part failing = {.kind = PART_ERROR};

/* enum cedar_kind, or KIND_ANY. */
static int kind_of(const struct part *p)
{
	static const enum cedar_kind kinds[] = {
	    [INDEX_STRING] = CEDAR_STRING,
	    [INDEX_ENTITY] = CEDAR_ENTITY,
	    [INDEX_SET_STRING] = CEDAR_SET,
	    [INDEX_SET_ENTITY] = CEDAR_SET,
	    [INDEX_LONG] = CEDAR_LONG,
	    [INDEX_DAY] = CEDAR_DATETIME,
	};

	switch (p->kind) {
	case PART_VALUE:
		return p->value.kind;
	case PART_RESOURCE:
		return CEDAR_ENTITY;
	case PART_ATTRIBUTE:
		return kinds[p->indexed->kind];
	case PART_TRUTH:
		return CEDAR_BOOL;
	case PART_NOTHING:
	case PART_ERROR:
	case PART_OPAQUE:
		break;
	}
	return KIND_ANY;
}

static bool may_be(const struct part *p, enum cedar_kind kind)
{
	int is = kind_of(p);

	return is == KIND_ANY || is == (int)kind;
}

static struct range defined(struct partial *s, const struct part *p)
{
	if (p->kind == PART_ATTRIBUTE)
		return range_present(s, p);
	if (p->kind == PART_TRUTH)
		return range_or(s, p->truth.yes, p->truth.no);
	return p->kind == PART_OPAQUE ? RANGE_UNKNOWN : RANGE_ALL;
}

static struct range both_defined(struct partial *s, const struct part *a, const struct part *b)
{
	return range_and(s, defined(s, a), defined(s, b));
}

/* A boolean of which nothing is known but where its operands have values. */
static struct part lost_truth(struct partial *s, struct range where)
{
	partial_lose(s);
	return part_truth(s, RANGE_UNKNOWN, where);
}

static struct part opaque(struct partial *s)
{
	partial_lose(s);
	return (struct part){.kind = PART_OPAQUE};
}

static struct part negated(struct part p)
{
	struct range yes = p.truth.yes;

	if (p.kind == PART_VALUE)
		p.value.truth = !p.value.truth;
	if (p.kind != PART_TRUTH)
		return p;
	p.truth.yes = p.truth.no;
	p.truth.no = yes;
	return p;
}

static bool is_entity_of(const struct cedar_value *v, struct cedar_text type)
{
	return v->kind == CEDAR_ENTITY && cedar_text_equal(v->uid.type, type);
}

/* The type of the resource, or of an attribute's entities. */
static struct cedar_text entity_type(const struct partial *s, const struct part *p)
{
	return p->kind == PART_RESOURCE ? s->request->resource.type
					: cedar_text_of(p->indexed->type);
}

static bool is_attribute_of(const struct part *p, enum cedar_index_kind kind)
{
	return p->kind == PART_ATTRIBUTE && p->indexed->kind == kind;
}

/* ---- == ---- */

static struct part truths_equal(struct partial *s, const struct truth *a, const struct truth *b)
{
	struct truth t = {
	    range_or(s, range_and(s, a->yes, b->yes), range_and(s, a->no, b->no)),
	    range_or(s, range_and(s, a->yes, b->no), range_and(s, a->no, b->yes)),
	};

	return part_of_truth(t);
}

static struct part attribute_is(
    struct partial *s, const struct part *attribute, const struct cedar_value *v)
{
	struct range yes;

	if (v->kind != CEDAR_SET)
		return part_told(s, attribute, range_has(s, attribute, v));
	yes = range_has_of(s, attribute, v->set.items, v->set.len, true);
	yes.lower = FILTER_NONE; /* it may contain more */
	partial_lose(s);
	return part_told(s, attribute, yes);
}

/* Two entities, of which one is the resource or an attribute, or two attributes of one kind. */
static struct part unknowns_equal(struct partial *s, const struct part *a, const struct part *b)
{
	struct range where = both_defined(s, a, b);

	if (a->kind == PART_RESOURCE && b->kind == PART_RESOURCE)
		return part_constant(s, true, where);
	if (a->kind == PART_ATTRIBUTE && b->kind == PART_ATTRIBUTE && a->indexed == b->indexed)
		return part_constant(s, a->shift_ms == b->shift_ms, where);
	if (kind_of(a) == CEDAR_ENTITY && !cedar_text_equal(entity_type(s, a), entity_type(s, b)))
		return part_constant(s, false, where);
	return lost_truth(s, where);
}

static struct part equal(struct partial *s, const struct part *a, const struct part *b)
{
	int kind = kind_of(a);

	if (a->kind == PART_VALUE)
		return equal(s, b, a);
	if (kind == KIND_ANY || kind_of(b) == KIND_ANY)
		return lost_truth(s, both_defined(s, a, b));
	if (kind != kind_of(b))
		return part_constant(s, false, both_defined(s, a, b));
	if (kind == CEDAR_BOOL) {
		struct truth x = truth_of(a), y = truth_of(b);

		return truths_equal(s, &x, &y);
	}
	if (b->kind != PART_VALUE)
		return unknowns_equal(s, a, b);
	if (a->kind == PART_ATTRIBUTE)
		return attribute_is(s, a, &b->value);
	return is_entity_of(&b->value, entity_type(s, a)) ? lost_truth(s, RANGE_ALL)
							  : part_constant(s, false, RANGE_ALL);
}

/* ---- < <= > >= ---- */

static bool is_ordered(int kind)
{
	return kind == KIND_ANY || kind == CEDAR_LONG || kind == CEDAR_DATETIME ||
	       kind == CEDAR_DURATION;
}

static struct part day_compared(
    struct partial *s, enum cedar_op op, const struct part *day, int64_t ms)
{
	bool strict = op == OP_LT || op == OP_GE, later = op == OP_GT || op == OP_GE;
	struct range upto;
	struct part p;

	if (strict && ms == INT64_MIN)
		upto = RANGE_NONE;
	else
		upto = range_upto(s, day, strict ? ms - 1 : ms);
	p = part_told(s, day, upto);
	return later ? negated(p) : p;
}

static bool compared(enum cedar_op op, int64_t a, int64_t b)
{
	return op == OP_LT ? a < b : op == OP_LE ? a <= b : op == OP_GT ? a > b : a >= b;
}

static struct part compare(
    struct partial *s, enum cedar_op op, const struct part *a, const struct part *b)
{
	static const enum cedar_op mirrored[] = {
	    [OP_LT] = OP_GT, [OP_LE] = OP_GE, [OP_GT] = OP_LT, [OP_GE] = OP_LE};
	int x = kind_of(a), y = kind_of(b);

	if (!is_ordered(x) || !is_ordered(y) || (x != y && x != KIND_ANY && y != KIND_ANY))
		return failing;
	if (is_attribute_of(a, INDEX_DAY) && b->kind == PART_VALUE)
		return day_compared(s, op, a, b->value.number);
	if (a->kind == PART_VALUE && is_attribute_of(b, INDEX_DAY))
		return day_compared(s, mirrored[op], b, a->value.number);
	if (a->kind == PART_ATTRIBUTE && b->kind == PART_ATTRIBUTE && a->indexed == b->indexed)
		return part_constant(
		    s, compared(op, a->shift_ms, b->shift_ms), range_present(s, a));
	return lost_truth(s, both_defined(s, a, b));
}

/* ---- sets ---- */

static struct part known_contains(
    struct partial *s, const struct cedar_value *set, const struct part *b)
{
	bool alike = false, holds[2] = {false, false};
	struct part yes = {.kind = PART_TRUTH}, no;

	if (b->kind == PART_ATTRIBUTE && kind_of(b) != CEDAR_SET)
		return part_told(s, b, range_has_of(s, b, set->set.items, set->set.len, false));
	for (size_t i = 0; i < set->set.len; i++) {
		const struct cedar_value *v = &set->set.items[i];

		if (v->kind == CEDAR_BOOL)
			holds[v->truth] = true;
		alike = alike || (b->kind == PART_RESOURCE ? is_entity_of(v, entity_type(s, b))
							   : may_be(b, v->kind));
	}
	if (!alike)
		return part_constant(s, false, defined(s, b));
	if (b->kind != PART_TRUTH)
		return lost_truth(s, defined(s, b));
	yes.truth = b->truth;
	no = negated(yes);
	return holds[true] && holds[false] ? part_constant(s, true, defined(s, b))
	       : holds[true]               ? yes
					   : no;
}

static struct part contains(struct partial *s, const struct part *a, const struct part *b)
{
	if (!may_be(a, CEDAR_SET))
		return failing;
	if (a->kind == PART_VALUE)
		return known_contains(s, &a->value, b);
	if (a->kind != PART_ATTRIBUTE || kind_of(b) == KIND_ANY)
		return lost_truth(s, both_defined(s, a, b));
	if (b->kind == PART_VALUE)
		return part_told(s, a, range_has(s, a, &b->value));
	if (kind_of(b) != (a->indexed->kind == INDEX_SET_STRING ? CEDAR_STRING : CEDAR_ENTITY) ||
	    (kind_of(b) == CEDAR_ENTITY && !cedar_text_equal(entity_type(s, a), entity_type(s, b))))
		return part_constant(s, false, both_defined(s, a, b));
	return lost_truth(s, both_defined(s, a, b));
}

static struct part contains_many(
    struct partial *s, bool all, const struct part *a, const struct part *b)
{
	bool turned = !all && a->kind == PART_VALUE;
	const struct part *set = turned ? b : a, *other = turned ? a : b;

	if (!may_be(a, CEDAR_SET) || !may_be(b, CEDAR_SET))
		return failing;
	if (set->kind == PART_ATTRIBUTE && other->kind == PART_VALUE)
		return part_told(s, set,
		    range_has_of(s, set, other->value.set.items, other->value.set.len, all));
	if (all && a->kind == PART_ATTRIBUTE && b->kind == PART_ATTRIBUTE &&
	    a->indexed == b->indexed)
		return part_constant(s, true, range_present(s, a));
	return lost_truth(s, both_defined(s, a, b));
}

/* ---- in ---- */

/* x in y, one or a set of entities: where x is one of those, or one that lies below one of them. */
static struct part attribute_in(
    struct partial *s, const struct part *x, const struct cedar_value *above, size_t n)
{
	struct range yes = range_has_of(s, x, above, n, false);

	for (size_t i = 0; i < s->world->more_len; i++) {
		const struct cedar_entity *e = s->world->more[i];
		struct cedar_value v = {.kind = CEDAR_ENTITY, .uid = e->uid};
		bool below = false;

		if (!is_entity_of(&v, entity_type(s, x)))
			continue;
		for (size_t k = 0; k < e->ancestors_len && !below; k++)
			for (size_t j = 0; j < n && !below; j++)
				below = cedar_uid_equal(&e->ancestors[k], &above[j].uid);
		if (below)
			yes = range_or(s, yes, range_has(s, x, &v));
	}
	if (s->world->entities && n) { /* whose hierarchy cannot be walked downwards */
		yes.upper = FILTER_ALL;
		partial_lose(s);
	}
	return part_told(s, x, yes);
}

/* e in x: where x is or contains e or one of those above it. */
static struct part known_in(struct partial *s, const struct cedar_value *e, const struct part *x)
{
	const struct cedar_entity *entity = cedar_entity_find(s->world, &e->uid);
	size_t n = entity ? entity->ancestors_len : 0;
	struct cedar_value *self = cedar_alloc(s->arena, (n + 1) * sizeof(*self));
	bool alike;

	if (!self) {
		s->status = ARK_ENOMEM;
		return failing;
	}
	self[0] = *e;
	alike = is_entity_of(e, entity_type(s, x));
	for (size_t i = 0; i < n; i++) {
		self[i + 1] =
		    (struct cedar_value){.kind = CEDAR_ENTITY, .uid = entity->ancestors[i]};
		alike = alike || is_entity_of(&self[i + 1], entity_type(s, x));
	}
	if (x->kind == PART_RESOURCE)
		return alike ? lost_truth(s, RANGE_ALL) : part_constant(s, false, RANGE_ALL);
	return part_told(s, x, range_has_of(s, x, self, n + 1, false));
}

static bool are_entities(const struct cedar_value *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].kind != CEDAR_ENTITY)
			return false;
	return true;
}

static struct part unknown_in(struct partial *s, const struct part *a, const struct cedar_value *v)
{
	const struct cedar_value *above = v->kind == CEDAR_SET ? v->set.items : v;
	size_t n = v->kind == CEDAR_SET ? v->set.len : 1;

	if (!are_entities(above, n))
		return failing;
	if (n == 0)
		return part_constant(s, false, defined(s, a));
	if (a->kind == PART_ATTRIBUTE)
		return attribute_in(s, a, above, n);
	return lost_truth(s, defined(s, a));
}

static struct part in(struct partial *s, const struct part *a, const struct part *b)
{
	if (!may_be(a, CEDAR_ENTITY) || (!may_be(b, CEDAR_ENTITY) && !may_be(b, CEDAR_SET)))
		return failing;
	if (b->kind == PART_VALUE)
		return unknown_in(s, a, &b->value);
	if (is_attribute_of(b, INDEX_SET_STRING)) { /* false of an empty one, else it fails */
		struct truth t = {RANGE_NONE, {FILTER_NONE, FILTER_ALL}};

		partial_lose(s);
		return part_of_truth(t);
	}
	if (a->kind == PART_VALUE && (b->kind == PART_RESOURCE || b->kind == PART_ATTRIBUTE))
		return known_in(s, &a->value, b);
	if (a->kind == PART_RESOURCE && b->kind == PART_RESOURCE)
		return part_constant(s, true, RANGE_ALL);
	return lost_truth(s, both_defined(s, a, b));
}

/* ---- reading ---- */

static struct part get(struct partial *s, const struct part *a, struct cedar_text name)
{
	if (!may_be(a, CEDAR_ENTITY) && !may_be(a, CEDAR_RECORD))
		return failing;
	for (size_t i = 0; i < s->indexed_len && a->kind == PART_RESOURCE; i++)
		if (cedar_text_equal(name, cedar_text_of(s->indexed[i].name)))
			return (struct part){
			    .kind = PART_ATTRIBUTE, .indexed = &s->indexed[i], .shift_ms = 0};
	return opaque(s);
}

static struct part has(struct partial *s, const struct part *a, struct cedar_text name)
{
	struct part x = get(s, a, name);
	struct range present;

	if (x.kind == PART_ERROR)
		return x;
	if (x.kind != PART_ATTRIBUTE)
		return lost_truth(s, defined(s, a));
	present = range_present(s, &x);
	if (present.lower != present.upper)
		partial_lose(s);
	return part_truth(s, present, RANGE_ALL);
}

static struct part like(
    struct partial *s, const struct part *a, const struct cedar_pattern *pattern)
{
	bool any = true;

	if (!may_be(a, CEDAR_STRING))
		return failing;
	if (a->kind == PART_ATTRIBUTE && pattern->len == 1) {
		struct cedar_value v = {.kind = CEDAR_STRING, .text = pattern->pieces[0]};

		return part_told(s, a, range_has(s, a, &v));
	}
	for (size_t i = 0; i < pattern->len; i++)
		any = any && pattern->pieces[i].len == 0;
	return a->kind == PART_ATTRIBUTE && any ? part_constant(s, true, defined(s, a))
						: lost_truth(s, defined(s, a));
}

static struct part is(struct partial *s, const struct part *a, struct cedar_text type)
{
	if (!may_be(a, CEDAR_ENTITY))
		return failing;
	if (a->kind == PART_OPAQUE)
		return lost_truth(s, defined(s, a));
	return part_constant(s, cedar_text_equal(entity_type(s, a), type), defined(s, a));
}

/* Methods of days: what is added is added to the other side of a comparison later. The bound keeps
 * day + shift from overflowing for any day that there is. */
static struct part call(
    struct partial *s, const struct cedar_node *node, const struct part *const *args, size_t n)
{
	static const int64_t shift_max = INT64_C(9000000000000000000), day_ms = 86400000;
	struct part x = *args[0];

	if (n == 2 && node->fn == FN_OFFSET && is_attribute_of(&x, INDEX_DAY) &&
	    args[1]->kind == PART_VALUE && args[1]->value.kind == CEDAR_DURATION &&
	    !__builtin_add_overflow(x.shift_ms, args[1]->value.number, &x.shift_ms) &&
	    x.shift_ms < shift_max && x.shift_ms > -shift_max)
		return x;
	if (n == 1 && node->fn == FN_TO_DATE && is_attribute_of(&x, INDEX_DAY) &&
	    x.shift_ms % day_ms == 0)
		return x;
	return opaque(s);
}

struct part partial_apply(
    struct partial *s, const struct cedar_node *node, const struct part *const *args, size_t n)
{
	const struct part *a = args[0], *b = args[n > 1];

	switch ((enum cedar_op)node->op) {
	case OP_NOT:
		return may_be(a, CEDAR_BOOL) ? negated(part_of_truth(truth_of(a))) : failing;
	case OP_IS_EMPTY:
		return may_be(a, CEDAR_SET) ? lost_truth(s, defined(s, a)) : failing;
	case OP_EQ:
		return equal(s, a, b);
	case OP_NE:
		return negated(equal(s, a, b));
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return compare(s, (enum cedar_op)node->op, a, b);
	case OP_IN:
		return in(s, a, b);
	case OP_CONTAINS:
		return contains(s, a, b);
	case OP_CONTAINS_ALL:
	case OP_CONTAINS_ANY:
		return contains_many(s, node->op == OP_CONTAINS_ALL, a, b);
	case OP_HAS_TAG:
	case OP_GET_TAG:
		if (!may_be(a, CEDAR_ENTITY) || !may_be(b, CEDAR_STRING))
			return failing;
		return node->op == OP_HAS_TAG ? lost_truth(s, both_defined(s, a, b)) : opaque(s);
	case OP_NEGATE:
		return may_be(a, CEDAR_LONG) ? opaque(s) : failing;
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
		return may_be(a, CEDAR_LONG) && may_be(b, CEDAR_LONG) ? opaque(s) : failing;
	case OP_GET:
		return get(s, a, node->name);
	case OP_HAS:
		return has(s, a, node->name);
	case OP_LIKE:
		return like(s, a, &node->pattern);
	case OP_IS:
		return is(s, a, node->name);
	case OP_CALL:
		return call(s, node, args, n);
	case OP_SET:
	case OP_RECORD:
	case OP_LITERAL:
	case OP_VAR:
	case OP_AND:
	case OP_OR:
	case OP_IF:
		break;
	}
	return opaque(s);
}
