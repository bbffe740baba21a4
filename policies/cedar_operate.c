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

static int arithmetic(
    uint8_t op, const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	int64_t number;
	bool over;

	for (int i = 0; i < 2; i++)
		if (v[i].kind != CEDAR_LONG)
			return wrong_kind(err, "arithmetic", "a long", &v[i]);
	if (op == OP_ADD)
		over = __builtin_add_overflow(v[0].number, v[1].number, &number);
	else if (op == OP_SUB)
		over = __builtin_sub_overflow(v[0].number, v[1].number, &number);
	else
		over = __builtin_mul_overflow(v[0].number, v[1].number, &number);
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

static int compare(
    uint8_t op, const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	int64_t a = v[0].number, b = v[1].number;

	if (!ordered(v[0].kind))
		return wrong_kind(err, "a comparison", "longs, datetimes or durations", &v[0]);
	if (v[1].kind != v[0].kind)
		return wrong_kind(err, "this comparison", cedar_kind_name(v[0].kind), &v[1]);
	switch (op) {
	case OP_LT:
		return truth(ret, a < b);
	case OP_LE:
		return truth(ret, a <= b);
	case OP_GT:
		return truth(ret, a > b);
	default:
		return truth(ret, a >= b);
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

static int in(const struct cedar_decision *d, const struct cedar_value *v, struct cedar_value *ret,
    struct ark_error *err)
{
	const struct cedar_entity *entity;
	bool found = false;

	if (v[0].kind != CEDAR_ENTITY)
		return wrong_kind(err, "`in`", "an entity on its left", &v[0]);
	if (v[1].kind != CEDAR_ENTITY && v[1].kind != CEDAR_SET)
		return wrong_kind(
		    err, "`in`", "an entity or a set of entities on its right", &v[1]);
	if (v[1].kind == CEDAR_SET)
		for (size_t i = 0; i < v[1].set.len; i++)
			if (v[1].set.items[i].kind != CEDAR_ENTITY)
				return wrong_kind(err, "`in`", "a set of nothing but entities",
				    &v[1].set.items[i]);
	entity = cedar_decision_find(d, &v[0].uid);
	if (v[1].kind == CEDAR_ENTITY)
		return truth(ret, cedar_is_in(&v[0].uid, entity, &v[1].uid));
	for (size_t i = 0; !found && i < v[1].set.len; i++)
		found = cedar_is_in(&v[0].uid, entity, &v[1].set.items[i].uid);
	return truth(ret, found);
}

/* ---- attributes and tags ---- */

/* The record that `.name` looks into: the value's own, or its entity's; NULL: no such entity. */
static int record_of(const struct cedar_decision *d, const struct cedar_value *v,
    const struct cedar_value **ret, struct ark_error *err)
{
	const struct cedar_entity *entity;

	if (v->kind == CEDAR_RECORD) {
		*ret = v;
		return ARK_OK;
	}
	if (v->kind != CEDAR_ENTITY)
		return wrong_kind(err, "an attribute", "a record or an entity to be of", v);
	entity = cedar_decision_find(d, &v->uid);
	*ret = entity ? &entity->attributes : NULL;
	return ARK_OK;
}

static int get(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	const struct cedar_value *record = NULL, *found;
	int rc = record_of(d, v, &record, err);

	if (rc)
		return rc;
	if (!record)
		return missing_entity(err, &v->uid);
	found = cedar_member_get(record, node->name);
	if (!found)
		return ark_fail(err, 1, "there is no attribute \"%.*s\"", cedar_shown(node->name),
		    node->name.bytes);
	*ret = *found;
	return ARK_OK;
}

static int has(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	const struct cedar_value *record = NULL;
	int rc = record_of(d, v, &record, err);

	if (rc)
		return rc;
	return truth(ret, record && cedar_member_get(record, node->name));
}

static int tag(const struct cedar_decision *d, uint8_t op, const struct cedar_value *v,
    struct cedar_value *ret, struct ark_error *err)
{
	const struct cedar_entity *entity;
	const struct cedar_value *found;

	if (v[0].kind != CEDAR_ENTITY)
		return wrong_kind(err, "a tag", "an entity to be of", &v[0]);
	if (v[1].kind != CEDAR_STRING)
		return wrong_kind(err, "a tag", "a string as its name", &v[1]);
	entity = cedar_decision_find(d, &v[0].uid);
	found = entity ? cedar_member_get(&entity->tags, v[1].text) : NULL;
	if (op == OP_HAS_TAG)
		return truth(ret, found);
	if (!entity)
		return missing_entity(err, &v[0].uid);
	if (!found)
		return ark_fail(
		    err, 1, "there is no tag \"%.*s\"", cedar_shown(v[1].text), v[1].text.bytes);
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

static int contains(
    uint8_t op, const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	if (v[0].kind != CEDAR_SET)
		return wrong_kind(err, "contains", "a set", &v[0]);
	if (op == OP_CONTAINS)
		return truth(ret, holds(&v[0], &v[1]));
	if (v[1].kind != CEDAR_SET)
		return wrong_kind(err, "containsAll and containsAny", "a set to look for", &v[1]);
	if (op == OP_CONTAINS_ANY)
		return truth(ret, shared(&v[0], &v[1], 1) > 0);
	return truth(
	    ret, v[1].set.len <= v[0].set.len && shared(&v[0], &v[1], SIZE_MAX) == v[1].set.len);
}

static int make_set(const struct cedar_decision *d, const struct cedar_value *args, size_t n,
    struct cedar_value *ret, struct ark_error *err)
{
	struct cedar_value *items = NULL;

	if (n) {
		items = cedar_alloc(d->arena, n * sizeof(*items));
		if (!items)
			return ark_fail(err, ARK_ENOMEM, "no memory for a set");
		memcpy(items, args, n * sizeof(*items));
	}
	*ret = cedar_set_of(items, n);
	return ARK_OK;
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

static size_t args_wanted(const struct cedar_node *node)
{
	if (node->op == OP_LITERAL)
		return 0;
	if (node->op >= OP_EQ && node->op <= OP_HAS_TAG)
		return 2;
	return node->op >= OP_SET ? node->list_len : 1;
}

static int operate_one(const struct cedar_decision *d, const struct cedar_node *node,
    const struct cedar_value *v, struct cedar_value *ret, struct ark_error *err)
{
	switch (node->op) {
	case OP_NOT:
		return v->kind == CEDAR_BOOL ? truth(ret, !v->truth)
					     : wrong_kind(err, "!", "a boolean", v);
	case OP_NEGATE:
		return negate(v, ret, err);
	case OP_IS_EMPTY:
		return v->kind == CEDAR_SET ? truth(ret, v->set.len == 0)
					    : wrong_kind(err, "isEmpty", "a set", v);
	case OP_GET:
		return get(d, node, v, ret, err);
	case OP_HAS:
		return has(d, node, v, ret, err);
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
    const struct cedar_value *args, size_t args_len, struct cedar_value *ret, struct ark_error *err)
{
	if (args_len != args_wanted(node))
		return ark_fail(err, ARK_EINPUT, "an operator got %zu operands", args_len);
	switch (node->op) {
	case OP_LITERAL:
		*ret = node->value;
		return ARK_OK;
	case OP_EQ:
		return truth(ret, cedar_compare(&args[0], &args[1]) == 0);
	case OP_NE:
		return truth(ret, cedar_compare(&args[0], &args[1]) != 0);
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return compare(node->op, args, ret, err);
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
		return arithmetic(node->op, args, ret, err);
	case OP_IN:
		return in(d, args, ret, err);
	case OP_CONTAINS:
	case OP_CONTAINS_ALL:
	case OP_CONTAINS_ANY:
		return contains(node->op, args, ret, err);
	case OP_GET_TAG:
	case OP_HAS_TAG:
		return tag(d, node->op, args, ret, err);
	case OP_SET:
		return make_set(d, args, args_len, ret, err);
	case OP_RECORD:
		return make_record(d, node, args, args_len, ret, err);
	case OP_CALL:
		return cedar_extension_call((enum cedar_fn)node->fn, args, args_len, ret, err);
	default:
		return operate_one(d, node, args, ret, err);
	}
}
