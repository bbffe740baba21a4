/* Cedar's operators over values that are there. An evaluation error is 1, with the sentence in err. */
#include "policies/cedar_eval.h"

#include <string.h>

#include "policies/cedar_extension.h"
#include "policies/cedar_text.h"

static int wrong_kind(
    struct ark_error *err, const char *what, const char *wanted, const struct cedar_value *got)
{
	return ark_fail(err, 1, "%s needs %s, not %s", what, wanted, cedar_kind_name(got->kind));
}

static int missing_entity(struct ark_error *err, const struct cedar_uid *uid)
{
	return ark_fail(err, 1, "the entity %.*s::\"%.*s\" does not exist", cedar_shown(uid->type),
	    uid->type.bytes, cedar_shown(uid->id), uid->id.bytes);
}

static int truth(struct cedar_value *ret, bool value)
{
	*ret = (struct cedar_value){.kind = CEDAR_BOOL, .truth = value};
	return ARK_OK;
}

/* ---- numbers ---- */

static int negate(const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	int64_t number;

	if (v->kind != CEDAR_LONG)
		return wrong_kind(err, "-", "a long", v);
	if (__builtin_sub_overflow(0, v->number, &number))
		return ark_fail(err, 1, "the integer overflows in a negation");
	*ret = (struct cedar_value){.kind = CEDAR_LONG, .number = number};
	return ARK_OK;
}

static int arithmetic(uint8_t op, const struct cedar_value *a, const struct cedar_value *b,
    struct cedar_value *ret, struct ark_error *err)
{
	int64_t number;
	bool over;

	if (a->kind != CEDAR_LONG || b->kind != CEDAR_LONG)
		return wrong_kind(err, "arithmetic", "longs", a->kind != CEDAR_LONG ? a : b);
	if (op == OP_ADD)
		over = __builtin_add_overflow(a->number, b->number, &number);
	else if (op == OP_SUB)
		over = __builtin_sub_overflow(a->number, b->number, &number);
	else
		over = __builtin_mul_overflow(a->number, b->number, &number);
	if (over)
		return ark_fail(err, 1, "the integer overflows in %s",
		    op == OP_ADD   ? "an addition"
		    : op == OP_SUB ? "a subtraction"
				   : "a product");
	*ret = (struct cedar_value){.kind = CEDAR_LONG, .number = number};
	return ARK_OK;
}

static bool ordered(enum cedar_kind kind)
{
	return kind == CEDAR_LONG || kind == CEDAR_DATETIME || kind == CEDAR_DURATION;
}

static int compare(uint8_t op, const struct cedar_value *a, const struct cedar_value *b,
    struct cedar_value *ret, struct ark_error *err)
{
	if (!ordered(a->kind))
		return wrong_kind(err, "a comparison", "longs, datetimes or durations", a);
	if (b->kind != a->kind)
		return wrong_kind(err, "this comparison", cedar_kind_name(a->kind), b);
	switch (op) {
	case OP_LT:
		return truth(ret, a->number < b->number);
	case OP_LE:
		return truth(ret, a->number <= b->number);
	case OP_GT:
		return truth(ret, a->number > b->number);
	default:
		return truth(ret, a->number >= b->number);
	}
}

/* ---- the hierarchy ---- */

bool cedar_is_in(
    const struct cedar_uid *self, const struct cedar_entity *entity, const struct cedar_uid *uid)
{
	size_t low = 0, high = entity ? entity->ancestors_len : 0;

	if (cedar_uid_equal(self, uid))
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int d = cedar_uid_compare(&entity->ancestors[middle], uid);

		if (d == 0)
			return true;
		if (d < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int in(const struct cedar_decision *d, const struct cedar_value *a,
    const struct cedar_value *b, struct cedar_value *ret, struct ark_error *err)
{
	const struct cedar_entity *entity;
	bool found = false;

	if (a->kind != CEDAR_ENTITY)
		return wrong_kind(err, "`in`", "an entity on its left", a);
	if (b->kind != CEDAR_ENTITY && b->kind != CEDAR_SET)
		return wrong_kind(err, "`in`", "an entity or a set of entities on its right", b);
	if (b->kind == CEDAR_SET)
		for (size_t i = 0; i < b->set.len; i++)
			if (b->set.items[i].kind != CEDAR_ENTITY)
				return wrong_kind(
				    err, "`in`", "a set of nothing but entities", &b->set.items[i]);
	entity = cedar_decision_find(d, &a->uid);
	if (b->kind == CEDAR_ENTITY)
		return truth(ret, cedar_is_in(&a->uid, entity, &b->uid));
	for (size_t i = 0; !found && i < b->set.len; i++)
		found = cedar_is_in(&a->uid, entity, &b->set.items[i].uid);
	return truth(ret, found);
}

/* ---- attributes and tags ---- */

const struct cedar_value *cedar_record_in(
    const struct cedar_decision *d, const struct cedar_value *v)
{
	const struct cedar_entity *entity;

	if (v->kind == CEDAR_RECORD)
		return v;
	entity = v->kind == CEDAR_ENTITY ? cedar_decision_find(d, &v->uid) : NULL;
	return entity ? &entity->attributes : NULL;
}

static int attribute(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	const struct cedar_value *record, *found;

	if (v->kind != CEDAR_RECORD && v->kind != CEDAR_ENTITY)
		return wrong_kind(err, "an attribute", "a record or an entity to be of", v);
	record = cedar_record_in(d, v);
	found = record ? cedar_member_get(record, node->name) : NULL;
	if (node->op == OP_HAS)
		return truth(ret, found);
	if (!record)
		return missing_entity(err, &v->uid);
	if (!found)
		return ark_fail(err, 1, "there is no attribute \"%.*s\"", cedar_shown(node->name),
		    node->name.bytes);
	*ret = *found;
	return ARK_OK;
}

static int tag(const struct cedar_decision *d, uint8_t op, const struct cedar_value *v,
    const struct cedar_value *name, struct cedar_value *ret, struct ark_error *err)
{
	const struct cedar_entity *entity;
	const struct cedar_value *found;

	if (v->kind != CEDAR_ENTITY)
		return wrong_kind(err, "a tag", "an entity to be of", v);
	if (name->kind != CEDAR_STRING)
		return wrong_kind(err, "a tag", "a string as its name", name);
	entity = cedar_decision_find(d, &v->uid);
	found = entity ? cedar_member_get(&entity->tags, name->text) : NULL;
	if (op == OP_HAS_TAG)
		return truth(ret, found);
	if (!entity)
		return missing_entity(err, &v->uid);
	if (!found)
		return ark_fail(
		    err, 1, "there is no tag \"%.*s\"", cedar_shown(name->text), name->text.bytes);
	*ret = *found;
	return ARK_OK;
}

/* ---- sets ---- */

/* One by one: the set may be a list that has not been sorted. */
static bool holds(const struct cedar_value *set, const struct cedar_value *wanted)
{
	for (size_t i = 0; i < set->set.len; i++)
		if (cedar_compare(&set->set.items[i], wanted) == 0)
			return true;
	return false;
}

/* How many items two sets share; at most `enough` are counted. */
static size_t shared(const struct cedar_value *a, const struct cedar_value *b, size_t enough)
{
	size_t i = 0, k = 0, n = 0;

	while (n < enough && i < a->set.len && k < b->set.len) {
		int d = cedar_compare(&a->set.items[i], &b->set.items[k]);

		n += d == 0;
		i += d <= 0;
		k += d >= 0;
	}
	return n;
}

static int contains(uint8_t op, const struct cedar_value *a, const struct cedar_value *b,
    struct cedar_value *ret, struct ark_error *err)
{
	if (a->kind != CEDAR_SET)
		return wrong_kind(err, "contains", "a set", a);
	if (op == OP_CONTAINS)
		return truth(ret, holds(a, b));
	if (b->kind != CEDAR_SET)
		return wrong_kind(err, "containsAll and containsAny", "a set to look for", b);
	if (op == OP_CONTAINS_ANY)
		return truth(ret, shared(a, b, 1) > 0);
	return truth(ret, b->set.len <= a->set.len && shared(a, b, SIZE_MAX) == b->set.len);
}

static int make_record(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *args, size_t n, struct cedar_value *ret, struct ark_error *err)
{
	struct cedar_member *members = NULL;

	if (n) {
		members = cedar_alloc(d->arena, n * sizeof(*members));
		if (!members)
			return ark_fail(err, ARK_ENOMEM, "no memory for a record");
	}
	for (size_t i = 0; i < n; i++)
		members[i] = (struct cedar_member){node->names[i], args[i]};
	return cedar_record_of(members, n, ret, err);
}

/* ---- strings ---- */

static bool matches(const struct cedar_pattern *p, struct cedar_text t)
{
	struct cedar_text first = p->pieces[0], last = p->pieces[p->len - 1];
	const char *at, *end;

	if (p->len == 1)
		return cedar_text_equal(first, t);
	if (t.len < first.len || t.len - first.len < last.len)
		return false;
	at = t.bytes + first.len;
	end = t.bytes + t.len - last.len;
	if ((first.len && memcmp(t.bytes, first.bytes, first.len) != 0) ||
	    (last.len && memcmp(end, last.bytes, last.len) != 0))
		return false;
	for (size_t i = 1; i + 1 < p->len; i++) {
		if (p->pieces[i].len == 0)
			continue;
		at = memmem(at, (size_t)(end - at), p->pieces[i].bytes, p->pieces[i].len);
		if (!at)
			return false;
		at += p->pieces[i].len;
	}
	return true;
}

static int like(const struct cedar_node *node, const struct cedar_value *v, struct cedar_value *ret,
    struct ark_error *err)
{
	if (v->kind != CEDAR_STRING)
		return wrong_kind(err, "`like`", "a string", v);
	return truth(ret, matches(&node->pattern, v->text));
}

/* ---- all ---- */

static int operate_one(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	switch (node->op) {
	case OP_LITERAL:
		*ret = node->value;
		return ARK_OK;
	case OP_NOT:
		return v->kind == CEDAR_BOOL ? truth(ret, !v->truth)
					     : wrong_kind(err, "!", "a boolean", v);
	case OP_NEGATE:
		return negate(v, ret, err);
	case OP_IS_EMPTY:
		return v->kind == CEDAR_SET ? truth(ret, v->set.len == 0)
					    : wrong_kind(err, "isEmpty", "a set", v);
	case OP_GET:
	case OP_HAS:
		return attribute(d, node, v, ret, err);
	case OP_LIKE:
		return like(node, v, ret, err);
	case OP_IS:
		return v->kind == CEDAR_ENTITY
			   ? truth(ret, cedar_text_equal(v->uid.type, node->name))
			   : wrong_kind(err, "`is`", "an entity", v);
	default:
		return ark_fail(err, ARK_EINPUT, "this is no operator over values");
	}
}

int cedar_operate(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *a, const struct cedar_value *b, struct cedar_value *ret,
    struct ark_error *err)
{
	switch (node->op) {
	case OP_EQ:
		return truth(ret, cedar_compare(a, b) == 0);
	case OP_NE:
		return truth(ret, cedar_compare(a, b) != 0);
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return compare(node->op, a, b, ret, err);
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
		return arithmetic(node->op, a, b, ret, err);
	case OP_IN:
		return in(d, a, b, ret, err);
	case OP_CONTAINS:
	case OP_CONTAINS_ALL:
	case OP_CONTAINS_ANY:
		return contains(node->op, a, b, ret, err);
	case OP_GET_TAG:
	case OP_HAS_TAG:
		return tag(d, node->op, a, b, ret, err);
	default:
		return operate_one(d, node, a, ret, err);
	}
}

int cedar_gather(const struct cedar_decision *d, const struct cedar_node *node,
    struct cedar_value *args, struct cedar_value *ret, struct ark_error *err)
{
	if (node->op == OP_CALL)
		return cedar_extension_call(
		    (enum cedar_fn)node->fn, args, node->list_len, ret, err);
	if (node->op == OP_RECORD)
		return make_record(d, node, args, node->list_len, ret, err);
	*ret = cedar_set_of(args, node->list_len);
	return ARK_OK;
}

static size_t args_wanted(const struct cedar_node *node)
{
	if (node->op == OP_LITERAL)
		return 0;
	if (cedar_is_binary(node->op))
		return 2;
	return node->op >= OP_SET ? node->list_len : 1;
}

int cedar_apply(const struct cedar_node *node, const struct cedar_value *args, size_t args_len,
    const struct cedar_world *world, struct cedar_arena *a, struct cedar_value *ret,
    struct ark_error *err)
{
	struct cedar_value *copies;
	struct cedar_decision d;

	if (args_len != args_wanted(node) || node->op == OP_VAR || cedar_is_choice(node->op))
		return ark_fail(
		    err, ARK_EINPUT, "this operator does not take %zu values", args_len);
	cedar_decision_begin(&d, world, NULL, a);
	if (node->op < OP_SET)
		return cedar_operate(&d, node, args, args + (args_len > 1), ret, err);
	copies = cedar_alloc(a, args_len * sizeof(*copies));
	if (!copies)
		return ark_fail(err, ARK_ENOMEM, "no memory for the decision");
	if (args_len)
		memcpy(copies, args, args_len * sizeof(*copies));
	return cedar_gather(&d, node, copies, ret, err);
}
